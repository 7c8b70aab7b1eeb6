// SPDX-License-Identifier: Apache-2.0
// Fourier transforms by definition, and determinants.
#include <math.h>

#include "aihls_host_impl.h"

// What one line of samples becomes. Cosines and sines of whole parts of a turn stand in a table.
struct transform {
    int32_t have, length, bins, parts; // samples that there are, that count (with zeros behind), frequencies, 2: complex
    int32_t step, inverse;             // between samples
    const double *cosine, *sine;
};

static void transform_line(const struct transform *t, const struct aihls_view *x, int32_t from, const struct aihls_view *window, struct aihls_view *y, int32_t to)
{
    for (int32_t k = 0; k < t->bins; k++) {
        double re = 0, im = 0, scale = t->inverse ? 1.0 / t->length : 1;
        for (int32_t i = 0; i < t->length && i < t->have; i++) {
            int32_t at = (from + i * t->step) * t->parts, turn = (int32_t)((int64_t)k * i % t->length);
            double w = window->present ? aihls_get(window, i) : 1, a = w * aihls_get(x, at), b = t->parts == 2 ? w * aihls_get(x, at + 1) : 0;
            double s = t->inverse ? t->sine[turn] : -t->sine[turn];
            re += a * t->cosine[turn] - b * s;
            im += a * s + b * t->cosine[turn];
        }
        aihls_set(y, (to + k * t->step) * 2, re * scale);
        aihls_set(y, (to + k * t->step) * 2 + 1, im * scale);
    }
}

void aihls_host_dft(const struct aihls_host_call *c)
{
    const int32_t *p = c->op->p;
    struct aihls_view x = aihls_in(c, 0), window = aihls_in(c, 1), y = aihls_out(c, 0);
    struct transform t = { p[1], p[2], p[3], p[4], p[5], p[6], c->op->f, c->op->f + p[2] };
    for (int32_t outer = 0; outer < p[0]; outer++)
        for (int32_t frame = 0; frame < p[7]; frame++)
            for (int32_t i = 0; i < t.step; i++)
                transform_line(&t, &x, outer * p[9] * t.step + frame * p[8] + i, &window, &y, (outer * p[7] + frame) * t.bins * t.step + i);
}

// By elimination with the largest pivot of a column.
static double determinant(double *m, int32_t n)
{
    double result = 1;
    for (int32_t k = 0; k < n; k++) {
        int32_t best = k;
        for (int32_t row = k + 1; row < n; row++)
            best = fabs(m[row * n + k]) > fabs(m[best * n + k]) ? row : best;
        if (m[best * n + k] == 0)
            return 0;
        for (int32_t i = 0; i < n && best != k; i++) {
            double v = m[k * n + i];
            m[k * n + i] = m[best * n + i];
            m[best * n + i] = v;
        }
        result *= best != k ? -m[k * n + k] : m[k * n + k];
        for (int32_t row = k + 1; row < n; row++)
            for (int32_t i = n - 1; i >= k; i--)
                m[row * n + i] -= m[row * n + k] / m[k * n + k] * m[k * n + i];
    }
    return result;
}

void aihls_host_det(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0), memory = aihls_out(c, 1);
    int32_t n = c->op->p[0];
    double *m = memory.data;
    for (int32_t i = 0; i < y.v->count; i++) {
        for (int32_t k = 0; k < n * n; k++)
            m[k] = aihls_get(&x, i * n * n + k);
        aihls_set(&y, i, determinant(m, n));
    }
}

// SPDX-License-Identifier: Apache-2.0
// Signals: Fourier transforms by definition, windows, mel weights (ONNX specification, opset 17).
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

static const double pi = 3.14159265358979323846;

struct complex_value {
    double re, im;
};

// Frequency k of n samples; angles are reduced first, for k * i may be large.
static struct complex_value frequency(const struct complex_value *x, int64_t n, int64_t k, bool inverse)
{
    struct complex_value sum = { 0.0, 0.0 };
    for (int64_t i = 0; i < n; i++) {
        double angle = (inverse ? 2.0 : -2.0) * pi * (double)(k * i % n) / (double)n;
        sum.re += x[i].re * cos(angle) - x[i].im * sin(angle);
        sum.im += x[i].re * sin(angle) + x[i].im * cos(angle);
    }
    double scale = inverse ? 1.0 / (double)n : 1.0;
    return (struct complex_value){ sum.re * scale, sum.im * scale };
}

// Element `at` of a signal whose last dimension is 1 (real) or 2.
static struct complex_value sample_at(const struct array *x, int64_t at)
{
    int64_t parts = x->dims[x->rank - 1];
    return (struct complex_value){ array_f64(x, at * parts), parts == 2 ? array_f64(x, at * parts + 1) : 0.0 };
}

static void put(struct array *y, int64_t at, struct complex_value v)
{
    array_set_f64(y, at * 2, v.re);
    array_set_f64(y, at * 2 + 1, v.im);
}

bool ref_dft(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = (int)node_int(r->n, "resolved_axis", 1); // shape inference says both
    int64_t n = node_int(r->n, "resolved_length", 1), outer = 1, inner = 1, have = x->dims[axis];
    bool inverse = node_int(r->n, "inverse", 0) != 0;
    struct complex_value *line = arena_array(&r->scratch, struct complex_value, n);
    struct array *y = ref_out(r, 0, x->dtype);
    for (int i = 0; i < x->rank - 1; i++)
        *(i < axis ? &outer : &inner) *= i == axis ? 1 : x->dims[i];
    if (!ref_spend(r, (double)array_count(y) * (double)n))
        return false;
    for (int64_t l = 0; l < outer * inner; l++) {
        for (int64_t i = 0; i < n; i++) // cut, or filled with zeros
            line[i] = i < have ? sample_at(x, (l / inner * have + i) * inner + l % inner) : (struct complex_value){ 0.0, 0.0 };
        for (int64_t k = 0; k < y->dims[axis]; k++)
            put(y, (l / inner * y->dims[axis] + k) * inner + l % inner, frequency(line, n, k, inverse));
    }
    return true;
}

bool ref_stft(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *window = ref_in(r, 2);
    int64_t n = node_int(r->n, "resolved_length", 1), step = (int64_t)fmin(array_f64(ref_in(r, 1), 0), 0x1p40);
    struct complex_value *line = arena_array(&r->scratch, struct complex_value, n);
    struct array real = *x, *y = ref_out(r, 0, x->dtype);
    if (real.rank == 2)
        real.dims[real.rank++] = 1;
    if (!ref_spend(r, (double)array_count(y) * (double)n))
        return false;
    for (int64_t frame = 0; frame < y->dims[0] * y->dims[1]; frame++) {
        int64_t start = frame / y->dims[1] * x->dims[1] + frame % y->dims[1] * step;
        for (int64_t i = 0; i < n; i++) {
            double w = window ? array_f64(window, i) : 1.0;
            line[i] = sample_at(&real, start + i);
            line[i] = (struct complex_value){ line[i].re * w, line[i].im * w };
        }
        for (int64_t k = 0; k < y->dims[2]; k++)
            put(y, frame * y->dims[2] + k, frequency(line, n, k, false));
    }
    return true;
}

// a - b cos(2 pi i / n) + c cos(4 pi i / n); n is the size, or one less where the window is symmetric.
bool ref_window(struct ref *r)
{
    static const double hann[3] = { 0.5, 0.5, 0.0 }, hamming[3] = { 25.0 / 46.0, 21.0 / 46.0, 0.0 }, blackman[3] = { 0.42, 0.5, 0.08 };
    const double *k = r->n->op == OP_HannWindow ? hann : r->n->op == OP_HammingWindow ? hamming : blackman;
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    double n = (double)(y->dims[0] - (node_int(r->n, "periodic", 1) ? 0 : 1));
    for (int64_t i = 0; i < y->dims[0]; i++) {
        double angle = n > 0.0 ? 2.0 * pi * (double)i / n : 0.0;
        array_set_f64(y, i, k[0] - k[1] * cos(angle) + k[2] * cos(2.0 * angle));
    }
    return true;
}

static double to_mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

// Triangles over the spectrogram's bins, equally spaced on the mel scale. Their corners are rounded down to bins.
bool ref_mel_weights(struct ref *r)
{
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    int64_t rows = y->dims[0], bins = y->dims[1];
    double length = array_f64(ref_in(r, 1), 0), rate = array_f64(ref_in(r, 2), 0);
    double low = to_mel(array_f64(ref_in(r, 3), 0)), step = (to_mel(array_f64(ref_in(r, 4), 0)) - low) / (double)(bins + 2);
    double *corner = arena_array(&r->scratch, double, bins + 2);
    for (int64_t i = 0; i < bins + 2; i++)
        corner[i] = floor((length + 1.0) * (700.0 * (pow(10.0, ((double)i * step + low) / 2595.0) - 1.0)) / rate);
    for (int64_t b = 0; b < bins; b++) {
        double lower = corner[b], center = corner[b + 1], upper = corner[b + 2];
        for (int64_t row = 0; row < rows; row++) {
            double f = (double)row, v = 0.0;
            if (f >= lower && f <= center)
                v = center > lower ? (f - lower) / (center - lower) : 1.0;
            else if (f > center && f < upper)
                v = (upper - f) / (upper - center);
            array_set_f64(y, row * bins + b, v);
        }
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM with the activations that the standard gives them.
#include <math.h>

#include "aihls_host_impl.h"

enum { RNN, GRU, LSTM };

// One direction. State and sums are doubles in memory of the operator's own.
struct layer {
    struct aihls_view w, r, b; // b: of inputs, then of the state
    int32_t inputs, hidden, rows, direction;
    double *h, *c, *sum;
};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// What row `row` of W makes of element `at` of x and those behind it, with its bias.
static double input_part(const struct layer *l, const struct aihls_view *x, int32_t at, int32_t row)
{
    double sum = 0;
    int32_t from = (l->direction * l->rows + row) * l->inputs;
    for (int32_t i = 0; i < l->inputs; i++)
        sum += aihls_get(&l->w, from + i) * aihls_get(x, at + i);
    return l->b.present ? sum + aihls_get(&l->b, l->direction * 2 * l->rows + row) : sum;
}

static double state_part(const struct layer *l, const double *h, int32_t row)
{
    double sum = 0;
    int32_t from = (l->direction * l->rows + row) * l->hidden;
    for (int32_t i = 0; i < l->hidden; i++)
        sum += aihls_get(&l->r, from + i) * h[i];
    return l->b.present ? sum + aihls_get(&l->b, (l->direction * 2 + 1) * l->rows + row) : sum;
}

// Rows are gates i, o, f, c.
static void step_lstm(const struct layer *l, const struct aihls_view *x, int32_t at)
{
    int32_t n = l->hidden;
    for (int32_t k = 0; k < 4 * n; k++)
        l->sum[k] = input_part(l, x, at, k) + state_part(l, l->h, k);
    for (int32_t k = 0; k < n; k++) {
        l->c[k] = sigmoid(l->sum[2 * n + k]) * l->c[k] + sigmoid(l->sum[k]) * tanh(l->sum[3 * n + k]);
        l->h[k] = sigmoid(l->sum[n + k]) * tanh(l->c[k]);
    }
}

// Rows are gates z, r, h.
static void step_gru(const struct layer *l, const struct aihls_view *x, int32_t at, int linear_before_reset)
{
    int32_t n = l->hidden;
    double *z = l->sum, *reset = l->sum + n, *next = l->sum + 2 * n;
    for (int32_t k = 0; k < n; k++) {
        z[k] = sigmoid(input_part(l, x, at, k) + state_part(l, l->h, k));
        reset[k] = sigmoid(input_part(l, x, at, n + k) + state_part(l, l->h, n + k));
        next[k] = linear_before_reset ? reset[k] * state_part(l, l->h, 2 * n + k) : 0;
    }
    for (int32_t k = 0; k < n; k++)
        reset[k] *= l->h[k];
    for (int32_t k = 0; k < n; k++)
        next[k] = tanh(input_part(l, x, at, 2 * n + k) + (linear_before_reset ? next[k] : state_part(l, reset, 2 * n + k)));
    for (int32_t k = 0; k < n; k++)
        l->h[k] = (1 - z[k]) * next[k] + z[k] * l->h[k];
}

static void step_rnn(const struct layer *l, const struct aihls_view *x, int32_t at)
{
    for (int32_t k = 0; k < l->hidden; k++)
        l->sum[k] = tanh(input_part(l, x, at, k) + state_part(l, l->h, k));
    memcpy(l->h, l->sum, (size_t)l->hidden * sizeof *l->h);
}

// Element `at` of a state that may be left out.
static double initial(const struct aihls_view *x, int32_t at)
{
    return x->present ? aihls_get(x, at) : 0;
}

void aihls_host_recurrent(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), h0 = aihls_in(c, 5), c0 = aihls_in(c, 6), y[3] = { aihls_out(c, 0), aihls_out(c, 1), aihls_out(c, 2) };
    struct layer l = { .w = aihls_in(c, 1), .r = aihls_in(c, 2), .b = aihls_in(c, 3), .h = aihls_out(c, 3).data };
    int32_t steps = x.v->dims[0], batch = x.v->dims[1], directions = l.w.v->dims[0], kind = c->op->p[0];
    l.inputs = x.v->dims[2];
    l.hidden = l.r.v->dims[2];
    l.rows = l.w.v->dims[1];
    l.c = l.h + l.hidden;
    l.sum = l.c + l.hidden;
    for (int32_t line = 0; line < directions * batch; line++) {
        int32_t b = line % batch, state = line * l.hidden;
        l.direction = line / batch;
        for (int32_t k = 0; k < l.hidden; k++) {
            l.h[k] = initial(&h0, state + k);
            l.c[k] = initial(&c0, state + k);
        }
        for (int32_t s = 0; s < steps; s++) {
            int32_t t = c->op->p[2] || l.direction ? steps - 1 - s : s, at = (t * batch + b) * l.inputs;
            if (kind == LSTM)
                step_lstm(&l, &x, at);
            else if (kind == GRU)
                step_gru(&l, &x, at, c->op->p[1]);
            else
                step_rnn(&l, &x, at);
            for (int32_t k = 0; k < l.hidden && y[0].present; k++)
                aihls_set(&y[0], ((t * directions + l.direction) * batch + b) * l.hidden + k, l.h[k]);
        }
        for (int32_t k = 0; k < l.hidden; k++) {
            if (y[1].present)
                aihls_set(&y[1], state + k, l.h[k]);
            if (y[2].present)
                aihls_set(&y[2], state + k, l.c[k]);
        }
    }
}

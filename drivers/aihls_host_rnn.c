// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM.
#include <math.h>

#include "aihls_host_impl.h"

enum { RNN, GRU, LSTM };

// One direction. State and sums are doubles in memory of the operator's own.
struct layer {
    struct aihls_view w, r, b, peepholes; // b: of inputs, then of the state; peepholes: of gates i, o, f
    int32_t inputs, hidden, rows, direction, linear_before_reset, input_forget;
    const int32_t *functions;   // of this direction
    const double *alpha_beta;   // a pair for each
    double clip;
    double *h, *c, *sum;
};

// Function k of the layer; what goes in is clipped.
static double gate(const struct layer *l, int32_t k, double x)
{
    struct aihls_parameters p = { l->alpha_beta[2 * k], l->alpha_beta[2 * k + 1], 0 };
    x = fmax(-l->clip, fmin(l->clip, x));
    switch (l->functions[k]) {
    case AIHLS_HOST_AFFINE: return p.alpha * x + p.beta;
    case AIHLS_HOST_SCALED_TANH: return p.alpha * tanh(p.beta * x);
    default: return aihls_unary((enum aihls_function)l->functions[k], &p, x);
    }
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

// What a cell adds to gate `which`: 0 i, 1 o, 2 f.
static double peephole(const struct layer *l, int32_t which, int32_t k, double cell)
{
    return l->peepholes.present ? aihls_get(&l->peepholes, (l->direction * 3 + which) * l->hidden + k) * cell : 0;
}

// Rows are gates i, o, f, c.
static void step_lstm(const struct layer *l, const struct aihls_view *x, int32_t at)
{
    int32_t n = l->hidden;
    for (int32_t k = 0; k < 4 * n; k++)
        l->sum[k] = input_part(l, x, at, k) + state_part(l, l->h, k);
    for (int32_t k = 0; k < n; k++) {
        double i = gate(l, 0, l->sum[k] + peephole(l, 0, k, l->c[k]));
        double f = l->input_forget ? 1 - i : gate(l, 0, l->sum[2 * n + k] + peephole(l, 2, k, l->c[k]));
        l->c[k] = f * l->c[k] + i * gate(l, 1, l->sum[3 * n + k]);
        l->h[k] = gate(l, 0, l->sum[n + k] + peephole(l, 1, k, l->c[k])) * gate(l, 2, l->c[k]);
    }
}

// Rows are gates z, r, h.
static void step_gru(const struct layer *l, const struct aihls_view *x, int32_t at)
{
    int32_t n = l->hidden;
    double *z = l->sum, *reset = l->sum + n, *next = l->sum + 2 * n;
    for (int32_t k = 0; k < n; k++) {
        z[k] = gate(l, 0, input_part(l, x, at, k) + state_part(l, l->h, k));
        reset[k] = gate(l, 0, input_part(l, x, at, n + k) + state_part(l, l->h, n + k));
        next[k] = l->linear_before_reset ? reset[k] * state_part(l, l->h, 2 * n + k) : 0;
    }
    for (int32_t k = 0; k < n; k++)
        reset[k] *= l->h[k];
    for (int32_t k = 0; k < n; k++)
        next[k] = gate(l, 1, input_part(l, x, at, 2 * n + k) + (l->linear_before_reset ? next[k] : state_part(l, reset, 2 * n + k)));
    for (int32_t k = 0; k < n; k++)
        l->h[k] = (1 - z[k]) * next[k] + z[k] * l->h[k];
}

static void step_rnn(const struct layer *l, const struct aihls_view *x, int32_t at)
{
    for (int32_t k = 0; k < l->hidden; k++)
        l->sum[k] = gate(l, 0, input_part(l, x, at, k) + state_part(l, l->h, k));
    memcpy(l->h, l->sum, (size_t)l->hidden * sizeof *l->h);
}

// Element `at` of a state that may be left out.
static double initial(const struct aihls_view *x, int32_t at)
{
    return x->present ? aihls_get(x, at) : 0;
}

// The sequences, and where their elements are.
struct sequences {
    struct aihls_view x, lengths, h0, c0, y[3];
    int32_t steps, batch, directions, kind, reverse, batch_first;
};

static int32_t length_of(const struct sequences *s, int32_t b)
{
    int64_t n = s->lengths.present ? aihls_load_integer(s->lengths.v->type, s->lengths.data, b) : s->steps;
    return n < 0 ? 0 : n > s->steps ? s->steps : (int32_t)n;
}

static void run_sequence(const struct sequences *s, const struct layer *l, int32_t b)
{
    int32_t n = l->hidden, d = l->direction, length = length_of(s, b);
    int32_t state = (s->batch_first ? b * s->directions + d : d * s->batch + b) * n;
    for (int32_t k = 0; k < n; k++) {
        l->h[k] = initial(&s->h0, state + k);
        l->c[k] = initial(&s->c0, state + k);
    }
    for (int32_t i = 0; i < s->steps; i++) {
        int32_t t = i >= length || !(s->reverse || d) ? i : length - 1 - i;
        int32_t at = s->batch_first ? b * s->steps + t : t * s->batch + b;
        int32_t to = (s->batch_first ? at * s->directions + d : (t * s->directions + d) * s->batch + b) * n;
        if (i < length)
            (s->kind == LSTM ? step_lstm : s->kind == GRU ? step_gru : step_rnn)(l, &s->x, at * l->inputs);
        for (int32_t k = 0; k < n && s->y[0].present; k++) { // behind the end: 0
            struct aihls_view y = s->y[0];
            aihls_set(&y, to + k, i < length ? l->h[k] : 0);
        }
    }
    for (int32_t k = 0; k < n; k++) {
        struct aihls_view h = s->y[1], c = s->y[2];
        if (h.present)
            aihls_set(&h, state + k, l->h[k]);
        if (c.present)
            aihls_set(&c, state + k, l->c[k]);
    }
}

void aihls_host_recurrent(const struct aihls_host_call *c)
{
    const int32_t *p = c->op->p;
    struct sequences s = { .x = aihls_in(c, 0), .lengths = aihls_in(c, 4), .h0 = aihls_in(c, 5), .c0 = aihls_in(c, 6),
                           .y = { aihls_out(c, 0), aihls_out(c, 1), aihls_out(c, 2) }, .kind = p[0], .reverse = p[2], .batch_first = p[3] };
    struct layer l = { .w = aihls_in(c, 1), .r = aihls_in(c, 2), .b = aihls_in(c, 3), .peepholes = aihls_in(c, 7), .h = aihls_out(c, 3).data,
                       .linear_before_reset = p[1], .input_forget = p[4], .clip = c->op->f[0] };
    s.steps = s.x.v->dims[p[3] != 0];
    s.batch = s.x.v->dims[p[3] == 0];
    s.directions = l.w.v->dims[0];
    l.inputs = s.x.v->dims[2];
    l.hidden = l.r.v->dims[2];
    l.rows = l.w.v->dims[1];
    l.c = l.h + l.hidden;
    l.sum = l.c + l.hidden;
    for (l.direction = 0; l.direction < s.directions; l.direction++) {
        l.functions = p + 5 + 3 * l.direction;
        l.alpha_beta = c->op->f + 1 + 6 * l.direction;
        for (int32_t b = 0; b < s.batch; b++)
            run_sequence(&s, &l, b);
    }
}

// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM; gates, their order and the optional parts as in the ONNX specification of the three.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

// ---- activations ----

// Sorted as the specification lists them, with the defaults of alpha and beta.
static const struct function {
    const char *name;
    double alpha, beta;
} functions[] = {
    { "Relu", 0, 0 },         { "Tanh", 0, 0 }, { "Sigmoid", 0, 0 },       { "Affine", 1, 0 },
    { "LeakyRelu", 0.01, 0 }, { "ThresholdedRelu", 1, 0 },                 { "ScaledTanh", 1, 1 },
    { "HardSigmoid", 0.2, 0.5 }, { "Elu", 1, 0 }, { "Softsign", 0, 0 },    { "Softplus", 0, 0 },
};

static double activate(const struct ref_activation *f, double x)
{
    switch (f->kind) {
    case 0: return fmax(x, 0.0);
    case 1: return tanh(x);
    case 2: return 1.0 / (1.0 + exp(-x));
    case 3: return f->alpha * x + f->beta;
    case 4: return x < 0.0 ? f->alpha * x : x;
    case 5: return x >= f->alpha ? x : 0.0;
    case 6: return f->alpha * tanh(f->beta * x);
    case 7: return fmax(0.0, fmin(1.0, f->alpha * x + f->beta));
    case 8: return x < 0.0 ? f->alpha * expm1(x) : x;
    case 9: return x / (1.0 + fabs(x));
    default: return fmax(x, 0.0) + log1p(exp(-fabs(x)));
    }
}

// What activation k is without the attribute.
static const char *default_activation(enum op op, int k)
{
    int per = op == OP_LSTM ? 3 : op == OP_GRU ? 2 : 1;
    return per > 1 && k % per == 0 ? "Sigmoid" : "Tanh";
}

bool ref_activation(const struct ctx *cx, const struct graph *g, const struct node *n, int k, struct ref_activation *out)
{
    const struct attr *names = node_attr(n, "activations"), *alphas = node_attr(n, "activation_alpha"), *betas = node_attr(n, "activation_beta");
    int at_alpha = 0, at_beta = 0, kind = 0;
    for (int i = 0; i <= k; i++) {
        const char *name = names && names->type == ATTR_STRINGS && i < names->n ? names->strings[i] : default_activation(n->op, k);
        for (kind = 0; kind < 11 && strcasecmp(functions[kind].name, name) != 0;)
            kind++;
        if (kind == 11)
            return diag_error(cx, E203, at_attr(g, n, "activations"), NULL, "'%s' is no activation", name);
        at_alpha += i < k && functions[kind].alpha != 0.0;
        at_beta += i < k && functions[kind].beta != 0.0;
    }
    *out = (struct ref_activation){ kind, functions[kind].name, functions[kind].alpha, functions[kind].beta };
    if (alphas && alphas->type == ATTR_FLOATS && at_alpha < alphas->n && out->alpha != 0.0)
        out->alpha = (double)alphas->floats[at_alpha];
    if (betas && betas->type == ATTR_FLOATS && at_beta < betas->n && (out->beta != 0.0 || kind == 3))
        out->beta = (double)betas->floats[at_beta];
    return true;
}

// ---- one direction ----

struct layer {
    enum op op;
    int64_t steps, batch, inputs, hidden, gates;
    const double *w, *r, *wb, *rb, *peepholes; // biases and peepholes may be NULL
    struct ref_activation f[3];
    double clip; // infinite: none
    bool linear_before_reset, input_forget;
    double *h, *c; // one sequence's state, updated by each step
    double *sum;   // scratch: gates x hidden
};

static double gate(const struct layer *l, int k, double v)
{
    return activate(&l->f[k], fmax(-l->clip, fmin(l->clip, v)));
}

static double dot(const double *row, const double *v, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += row[i] * v[i];
    return sum;
}

// What a row of W and R makes of the input and the state, biases included.
static double input_part(const struct layer *l, int64_t row, const double *x)
{
    return dot(l->w + row * l->inputs, x, l->inputs) + (l->wb ? l->wb[row] : 0.0);
}

static double state_part(const struct layer *l, int64_t row, const double *h)
{
    return dot(l->r + row * l->hidden, h, l->hidden) + (l->rb ? l->rb[row] : 0.0);
}

// Rows are gates i, o, f, c.
static void step_lstm(const struct layer *l, const double *x)
{
    int64_t n = l->hidden;
    const double *p = l->peepholes; // of i, o, f
    for (int64_t k = 0; k < 4 * n; k++)
        l->sum[k] = input_part(l, k, x) + state_part(l, k, l->h);
    for (int64_t k = 0; k < n; k++) {
        double i = gate(l, 0, l->sum[k] + (p ? p[k] * l->c[k] : 0.0));
        double f = l->input_forget ? 1.0 - i : gate(l, 0, l->sum[2 * n + k] + (p ? p[2 * n + k] * l->c[k] : 0.0));
        double cell = f * l->c[k] + i * gate(l, 1, l->sum[3 * n + k]);
        double o = gate(l, 0, l->sum[n + k] + (p ? p[n + k] * cell : 0.0));
        l->c[k] = cell;
        l->h[k] = o * gate(l, 2, cell);
    }
}

// Rows are gates z, r, h.
static void step_gru(const struct layer *l, const double *x)
{
    int64_t n = l->hidden;
    double *z = l->sum, *reset = l->sum + n, *next = l->sum + 2 * n;
    for (int64_t k = 0; k < n; k++) {
        z[k] = gate(l, 0, input_part(l, k, x) + state_part(l, k, l->h));
        reset[k] = gate(l, 0, input_part(l, n + k, x) + state_part(l, n + k, l->h));
    }
    for (int64_t k = 0; k < n; k++)
        next[k] = l->linear_before_reset ? reset[k] * state_part(l, 2 * n + k, l->h) : 0.0;
    for (int64_t k = 0; k < n && !l->linear_before_reset; k++)
        reset[k] *= l->h[k];
    for (int64_t k = 0; k < n; k++) {
        double from_state = l->linear_before_reset ? next[k] : state_part(l, 2 * n + k, reset);
        next[k] = gate(l, 1, input_part(l, 2 * n + k, x) + from_state);
    }
    for (int64_t k = 0; k < n; k++)
        l->h[k] = (1.0 - z[k]) * next[k] + z[k] * l->h[k];
}

static void step_rnn(const struct layer *l, const double *x)
{
    for (int64_t k = 0; k < l->hidden; k++)
        l->sum[k] = gate(l, 0, input_part(l, k, x) + state_part(l, k, l->h));
    memcpy(l->h, l->sum, (size_t)l->hidden * sizeof *l->h);
}

// ---- the operator ----

static double *doubles(struct ref *r, int k)
{
    const struct array *x = ref_in(r, k);
    if (!x)
        return NULL;
    double *v = arena_array(&r->scratch, double, array_count(x));
    for (int64_t i = 0; i < array_count(x); i++)
        v[i] = array_f64(x, i);
    return v;
}

// Everything in doubles, and how elements stand: batch in front or not.
struct operands {
    double *x, *w, *r, *b, *h, *c, *p;
    const struct array *lengths;
    int64_t directions;
    bool batch_first;
    struct array *y[3];
};

static int64_t state_at(const struct operands *o, const struct layer *l, int64_t d, int64_t b)
{
    return (o->batch_first ? b * o->directions + d : d * l->batch + b) * l->hidden;
}

static bool run_sequence(struct ref *r, const struct operands *o, struct layer *l, int64_t d, int64_t b, bool reverse)
{
    int64_t length = o->lengths ? array_i64(o->lengths, b) : l->steps, n = l->hidden, state = state_at(o, l, d, b);
    if (length < 0 || length > l->steps)
        return ref_value_error(r, "sequence length", length);
    for (int64_t k = 0; k < n; k++) {
        l->h[k] = o->h ? o->h[state + k] : 0.0;
        l->c[k] = o->c ? o->c[state + k] : 0.0;
    }
    for (int64_t s = 0; s < length; s++) {
        int64_t t = reverse ? length - 1 - s : s, at = o->batch_first ? b * l->steps + t : t * l->batch + b;
        int64_t to = o->batch_first ? ((b * l->steps + t) * o->directions + d) * n : ((t * o->directions + d) * l->batch + b) * n;
        (l->op == OP_LSTM ? step_lstm : l->op == OP_GRU ? step_gru : step_rnn)(l, o->x + at * l->inputs);
        for (int64_t k = 0; k < n && o->y[0]; k++)
            array_set_f64(o->y[0], to + k, l->h[k]);
    }
    for (int64_t k = 0; k < n; k++) {
        if (o->y[1])
            array_set_f64(o->y[1], state + k, l->h[k]);
        if (o->y[2])
            array_set_f64(o->y[2], state + k, l->c[k]);
    }
    return true;
}

bool ref_recurrent(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *w = ref_in(r, 1);
    struct layer l = { .op = r->n->op, .inputs = x->dims[2], .hidden = ref_in(r, 2)->dims[2], .clip = (double)INFINITY };
    struct operands o = { doubles(r, 0), doubles(r, 1), doubles(r, 2), doubles(r, 3), doubles(r, 5), NULL, NULL, ref_in(r, 4), w->dims[0],
                          node_int(r->n, "layout", 0) != 0, { NULL } };
    const char *direction = node_string(r->n, "direction", "forward");
    int n_functions = l.op == OP_LSTM ? 3 : l.op == OP_GRU ? 2 : 1;
    if (l.op == OP_LSTM) {
        o.c = doubles(r, 6);
        o.p = doubles(r, 7);
    }
    for (int k = 0; k < r->n->n_out; k++)
        o.y[k] = r->n->out[k] ? ref_out(r, k, x->dtype) : NULL;
    l.steps = x->dims[o.batch_first];
    l.batch = x->dims[!o.batch_first];
    l.gates = w->dims[1] / l.hidden;
    l.linear_before_reset = node_int(r->n, "linear_before_reset", 0) != 0;
    l.input_forget = node_int(r->n, "input_forget", 0) != 0;
    if (node_attr(r->n, "clip"))
        l.clip = (double)node_float(r->n, "clip", INFINITY);
    if (!ref_spend(r, (double)(l.steps * l.batch * o.directions) * (double)(l.gates * l.hidden) * (double)(l.inputs + l.hidden)))
        return false;
    l.h = arena_array(&r->scratch, double, l.hidden);
    l.c = arena_array(&r->scratch, double, l.hidden);
    l.sum = arena_array(&r->scratch, double, l.gates * l.hidden);
    for (int64_t d = 0; d < o.directions; d++) {
        int64_t rows = l.gates * l.hidden;
        l.w = o.w + d * rows * l.inputs;
        l.r = o.r + d * rows * l.hidden;
        l.wb = o.b ? o.b + d * 2 * rows : NULL;
        l.rb = o.b ? l.wb + rows : NULL;
        l.peepholes = o.p ? o.p + d * 3 * l.hidden : NULL;
        for (int k = 0; k < n_functions; k++)
            if (!ref_activation(r->cx, r->g, r->n, (int)d * n_functions + k, &l.f[k]))
                return false;
        for (int64_t b = 0; b < l.batch; b++)
            if (!run_sequence(r, &o, &l, d, b, d == 1 || strcmp(direction, "reverse") == 0))
                return false;
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// Integers that a model keeps in floats (NEMO and DORY of the PULP platform):
//
//     Conv    integer weights -> Mul k[c] -> Add l[c] -> Cast -> Mul m -> Div 2^n -> Cast -> Clip 0..255
//     Add     Mul m1, Mul m2 -> Add -> Div 2^n -> Floor
//
// Each is y = clamp(floor((A[c] * acc + B[c]) / 2^n)), and becomes a product of integers with exact scale and bias, and a
// QuantizeLinear of scale 1. That one rounds to nearest; the floor is in the bias:
//
//     floor(X / 2^n) = RNE(X / 2^n - 1/2 + 2^-(n+1))   for all integers X
//
// With X = q * 2^n + r, 0 <= r < 2^n, the argument is q + (2r + 1 - 2^n) / 2^(n+1), less than 1/2 from q: never a tie.
// Where a float32 evaluation of the model would lose bits (A * acc + B beyond 2^24), the integers here do not: they are
// what its authors compute on their hardware.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"

// What is known of a float tensor's elements.
struct range {
    bool integer;
    double lo, hi;
};

struct import {
    struct graph *g;
    struct range *range; // by tensor index
    int n_ranges;        // later tensors are the ones made here
};

// value = (scale[c] * acc + shift[c]), perhaps rounded down, then clamped.
struct chain {
    int64_t channels;
    double *scale, *shift;
    double unit; // 2^-n: all scales and shifts are multiples of it
    bool rounded, truncated;
    double lo, hi;
    struct node *last;
};

static struct range range_of(const struct import *im, const struct tensor *t)
{
    return t->index < im->n_ranges ? im->range[t->index] : (struct range){ .integer = false };
}

static bool is_power_of_two(double v)
{
    int e;
    return v > 0 && isfinite(v) && frexp(v, &e) == 0.5;
}

// The least unit 2^-n, n <= 60, that v is a multiple of; 0 when there is none.
static double unit_of(double v)
{
    double unit = 1;
    while (unit >= 0x1p-60 && v / unit != nearbyint(v / unit))
        unit /= 2;
    return unit >= 0x1p-60 && fabs(v) < 0x1p52 ? unit : 0;
}

static bool is_integer_constant(const struct tensor *t, double lo, double hi)
{
    if (!t || !t->data || !dtype_is_float(t->dtype))
        return false;
    for (int64_t i = 0; i < tensor_count(t); i++) {
        double v = tensor_const_f64(t, i);
        if (!(v >= lo && v <= hi) || v != nearbyint(v))
            return false;
    }
    return true;
}

// ---- the chain behind a product or a sum ----

// One step, an operator with constants. False: it ends the chain, or n is no step.
static bool step_affine(struct import *im, struct chain *c, const struct node *n)
{
    struct affine f;
    const struct tensor *x = affine_operand(n);
    bool integers = x->dtype == DT_INT64 || x->dtype == DT_INT32;
    if (c->rounded || n->in[0] == n->in[1] || !node_affine_any(im->g, n, 1, &f) || f.channels != c->channels)
        return false;
    for (int64_t i = 0; i < f.channels; i++) {
        c->scale[i] *= f.scale[i];
        c->shift[i] = c->shift[i] * f.scale[i] + f.shift[i];
        double u = fmin(unit_of(c->scale[i]), unit_of(c->shift[i]));
        if (u == 0 || (n->op == OP_Div && !is_power_of_two(f.scale[i])))
            return false;
        c->unit = fmin(c->unit, u);
    }
    if (integers && n->op == OP_Div && c->unit < 1)
        c->rounded = c->truncated = true;
    return true;
}

static bool step_cast(struct chain *c, const struct node *n)
{
    enum dtype to = n->out[0]->dtype;
    if (to == DT_FLOAT || to == DT_DOUBLE)
        return true;
    if (to != DT_INT64 && to != DT_INT32)
        return false;
    if (c->unit < 1 && !c->rounded)
        c->rounded = c->truncated = true;
    return true;
}

static bool step_clip(struct chain *c, const struct node *n)
{
    double lo = -INFINITY, hi = INFINITY;
    if (n->op == OP_Relu)
        lo = 0;
    for (int k = 1; n->op == OP_Clip && k < n->n_in; k++)
        if (n->in[k]) {
            if (!n->in[k]->data || tensor_count(n->in[k]) != 1)
                return false;
            *(k == 1 ? &lo : &hi) = tensor_const_f64(n->in[k], 0);
        }
    if (nearbyint(lo) != lo || nearbyint(hi) != hi || lo > hi)
        return false;
    c->lo = fmin(fmax(lo, c->lo), c->hi);
    c->hi = fmax(fmin(hi, c->hi), c->lo);
    return true;
}

static bool step(struct import *im, struct chain *c, const struct node *n)
{
    bool clipped = isfinite(c->lo) && isfinite(c->hi);
    switch ((int)n->op) {
    case OP_Mul:
    case OP_Div:
    case OP_Add:
    case OP_Sub:
        return !clipped && step_affine(im, c, n);
    case OP_Cast:
        return step_cast(c, n);
    case OP_Floor:
        c->rounded |= c->unit < 1;
        return true;
    case OP_Identity:
        return true;
    case OP_Clip:
    case OP_Relu:
        return step_clip(c, n);
    default:
        return false;
    }
}

// Follows the only readers of t as far as they are steps.
static void read_chain(struct import *im, struct chain *c, struct tensor *t)
{
    for (;;) {
        struct node *n = tensor_sole_consumer(im->g, t);
        struct chain before = *c;
        double *scale = c->scale, *shift = c->shift;
        c->scale = arena_array(im->g->arena, double, c->channels);
        c->shift = arena_array(im->g->arena, double, c->channels);
        memcpy(c->scale, scale, (size_t)c->channels * sizeof *scale);
        memcpy(c->shift, shift, (size_t)c->channels * sizeof *shift);
        if (!n || tensor_uses(im->g, t) != 1 || n->n_out != 1 || !step(im, c, n)) {
            *c = before;
            return;
        }
        c->last = n;
        t = n->out[0];
    }
}

// int8 or uint8, whichever holds what the chain gives; DT_NONE when neither does, or when it is no function of this form.
static enum dtype chain_type(const struct chain *c)
{
    bool whole = c->rounded || c->unit == 1;
    if (!c->last || !whole || c->last->out[0]->dtype != DT_FLOAT || (c->truncated && c->lo < 0))
        return DT_NONE;
    return c->lo >= 0 && c->hi <= 255 ? DT_UINT8 : c->lo >= -128 && c->hi <= 127 ? DT_INT8 : DT_NONE;
}

// ---- rewriting ----

static struct tensor *scalar(struct graph *g, const char *name, double v)
{
    float *data = arena_array(g->arena, float, 1);
    *data = (float)v;
    return const_f32(g, name, DT_FLOAT, 0, NULL, data);
}

static struct tensor *zero_point(struct graph *g, const char *name, enum dtype t, int v)
{
    uint8_t *data = arena_alloc(g->arena, 1);
    *data = (uint8_t)v; // of either type
    return graph_add_const(g, name, t, 0, NULL, data);
}

static struct tensor *pair_node(struct graph *g, struct node *before, enum op op, struct tensor *x, double scale, struct tensor *zero,
                                const char *name)
{
    enum dtype result = op == OP_QuantizeLinear ? zero->dtype : DT_FLOAT;
    struct tensor *in[3] = { x, scalar(g, arena_printf(g->arena, "%s/scale", name), scale), zero };
    struct tensor *y = graph_add_tensor(g, name, result, x->rank, x->dims);
    graph_insert_node(g, before, op, before->name, 3, in, 1, &y)->model_index = before->model_index;
    return y;
}

// QuantizeLinear of scale 1 for x in front of n, which becomes its DequantizeLinear and so gives what it gave.
static void become_pair(struct import *im, struct node *n, struct tensor *x, enum dtype t, double lo, double hi)
{
    struct graph *g = im->g;
    struct tensor *y = n->out[0], *zero = zero_point(g, arena_printf(g->arena, "%s/zero", y->name), t, 0);
    struct tensor *q = pair_node(g, n, OP_QuantizeLinear, x, 1, zero, arena_printf(g->arena, "%s/quantized", y->name));
    struct tensor *in[3] = { q, scalar(g, arena_printf(g->arena, "%s/scale", y->name), 1), zero };
    n->op = OP_DequantizeLinear;
    n->n_attrs = 0;
    n->in = arena_array(g->arena, struct tensor *, 3);
    n->n_in = 3;
    memcpy(n->in, in, sizeof in);
    im->range[y->index] = (struct range){ true, lo, hi };
}

static struct tensor *clipped(struct import *im, const struct chain *c, enum dtype t, struct tensor *x)
{
    struct graph *g = im->g;
    bool whole = t == DT_UINT8 ? c->lo == 0 && c->hi == 255 : c->lo == -128 && c->hi == 127;
    if (whole)
        return x;
    struct tensor *in[3] = { x, scalar(g, arena_printf(g->arena, "%s/lo", x->name), c->lo), scalar(g, arena_printf(g->arena, "%s/hi", x->name), c->hi) };
    struct tensor *y = graph_add_tensor(g, arena_printf(g->arena, "%s/clipped", x->name), DT_FLOAT, x->rank, x->dims);
    graph_insert_node(g, c->last, OP_Clip, c->last->name, 3, in, 1, &y)->model_index = c->last->model_index;
    return y;
}

// The model's input t, quantized in front of all its readers.
static void quantize_input(struct import *im, struct tensor *t, enum dtype type)
{
    struct graph *g = im->g;
    struct node *first = g->nodes[0];
    struct tensor *zero = zero_point(g, arena_printf(g->arena, "%s/zero", t->name), type, 0);
    struct tensor *q = pair_node(g, first, OP_QuantizeLinear, t, 1, zero, arena_printf(g->arena, "%s/quantized", t->name));
    struct node *quantize = q->producer;
    struct tensor *y = pair_node(g, first, OP_DequantizeLinear, q, 1, zero, arena_printf(g->arena, "%s/dequantized", t->name));
    graph_replace_uses(g, t, y);
    quantize->in[0] = t;
}

// Integer weights of product n, at input 1, behind a DequantizeLinear of scale 1.
static void integer_weights(struct import *im, struct node *n)
{
    struct graph *g = im->g;
    const struct tensor *w = n->in[1];
    int64_t count = tensor_count(w);
    int16_t *wide = arena_array(g->arena, int16_t, count);
    for (int64_t i = 0; i < count; i++)
        wide[i] = (int16_t)tensor_const_f64(w, i);
    struct tensor *q = graph_add_const(g, arena_printf(g->arena, "%s/integers", w->name), DT_INT16, w->rank, w->dims, wide);
    struct tensor *in[2] = { q, scalar(g, arena_printf(g->arena, "%s/scale", w->name), 1) };
    struct tensor *y = graph_add_tensor(g, arena_printf(g->arena, "%s/dequantized", w->name), DT_FLOAT, w->rank, w->dims);
    graph_insert_node(g, n, OP_DequantizeLinear, n->name, 2, in, 1, &y)->model_index = n->model_index;
    set_in(g, n, 1, y);
}

static bool new_chain(struct import *im, struct chain *c, int64_t channels)
{
    *c = (struct chain){ .channels = channels, .unit = 1, .lo = -INFINITY, .hi = INFINITY };
    c->scale = arena_array(im->g->arena, double, channels);
    c->shift = arena_array(im->g->arena, double, channels);
    for (int64_t i = 0; i < channels; i++)
        c->scale[i] = 1;
    return channels > 0;
}

// A Conv, Gemm or MatMul of integers with a chain behind it. *wants is set instead when all that lacks are integers at a model
// input: their type.
static bool import_product(struct import *im, struct node *n, enum dtype *wants)
{
    struct chain c;
    struct tensor *x = n->in[0], *y = n->out[0];
    bool gemm = n->op == OP_Gemm, known = range_of(im, x).integer, is_input = !x->producer && !x->data && x->dtype == DT_FLOAT;
    if ((n->op != OP_Conv && n->op != OP_MatMul && !gemm) || (!known && !is_input) || y->rank < 2 || !is_integer_constant(n->in[1], -256, 255) ||
        (n->n_in > 2 && n->in[2] && !is_integer_constant(n->in[2], -0x1p40, 0x1p40)) || (n->op == OP_MatMul && (x->rank != 2 || n->in[1]->rank != 2)) ||
        (gemm && (node_int(n, "transA", 0) || node_float(n, "alpha", 1.0f) != 1.0f || node_float(n, "beta", 1.0f) != 1.0f)) || !new_chain(im, &c, y->dims[1]))
        return false;
    read_chain(im, &c, y);
    enum dtype t = chain_type(&c);
    if (t == DT_NONE || !c.rounded) // without rounding nothing says that these are integers
        return false;
    if (!known) {
        *wants = t;
        return false;
    }
    for (int64_t i = 0; i < c.channels; i++)
        c.shift[i] += c.unit / 2 - 0.5; // the floor, see above
    if (n->op == OP_MatMul)
        n->op = OP_Gemm;
    integer_weights(im, n);
    if (!exact_product(im->g, n, &(struct affine){ .channels = c.channels, .axis = 1, .scale = c.scale, .shift = c.shift }))
        BUG("a product of integers is none");
    become_pair(im, c.last, clipped(im, &c, t, y), t, c.lo, c.hi);
    return true;
}

// ---- sums ----

// An operand of a sum: a multiple of integers, with their DequantizeLinear.
struct term {
    const struct node *dequantize;
    double factor;
    struct range range;
};

static bool read_term(struct import *im, const struct tensor *t, struct term *out)
{
    const struct node *n = t->producer;
    out->factor = 1;
    if (n && n->op == OP_Mul && !range_of(im, t).integer) {
        int k = n->in[0]->data ? 0 : 1;
        if (!n->in[k]->data || tensor_count(n->in[k]) != 1)
            return false;
        out->factor = tensor_const_f64(n->in[k], 0);
        t = n->in[1 - k];
    }
    out->range = range_of(im, t);
    out->dequantize = made_by(t, OP_DequantizeLinear);
    return out->range.integer && out->range.lo >= 0 && out->dequantize && out->factor >= 1 && out->factor <= 0x1p16 && nearbyint(out->factor) == out->factor;
}

// Scales and zero points with which a sum, rounded to nearest, is floor((f0 * a + f1 * b) * unit).
struct sum {
    double scale[2];
    int zero[2];
};

static bool equals_floor(const struct term t[2], double unit, const struct sum *s)
{
    for (int a = (int)t[0].range.lo; a <= (int)t[0].range.hi; a++)
        for (int b = (int)t[1].range.lo; b <= (int)t[1].range.hi; b++)
            if (nearbyint((a - s->zero[0]) * s->scale[0] + (b - s->zero[1]) * s->scale[1]) != floor((t[0].factor * a + t[1].factor * b) * unit))
                return false;
    return true;
}

// With X = f0 * a + f1 * b and unit = 2^-n, RNE((X - d) * 2^-n), d = 2^(n-1) - 1, is the floor but for ties, where it must go
// down. Zero points give d; scales that are a little less, one part in 2^22 or so, break the ties. Tried on all pairs.
static bool solve_sum(const struct term t[2], double unit, struct sum *out)
{
    if (unit < 1 && fmod(t[0].factor, 2) == 0 && fmod(t[1].factor, 2) == 0)
        return solve_sum((const struct term[2]){ { t[0].dequantize, t[0].factor / 2, t[0].range }, { t[1].dequantize, t[1].factor / 2, t[1].range } }, unit * 2, out);
    int e;
    double d = unit < 1 ? 0.5 / unit - 1 : 0, most = fmax(t[0].factor, t[1].factor);
    frexp(most, &e);
    double fine = ldexp(1, 22 - e); // factors times this stay below 2^22: float32 and the sum's 24 bits hold them
    for (int i = 0; i < 2; i++)
        out->scale[i] = (t[i].factor * fine - (unit < 1)) / fine * unit;
    for (int z = 0; z <= 255; z++) {
        double other = (d - z * t[0].factor) / t[1].factor;
        if (other < 0 || other > 255 || nearbyint(other) != other)
            continue;
        out->zero[0] = z;
        out->zero[1] = (int)other;
        if (equals_floor(t, unit, out))
            return true;
    }
    return false;
}

static bool import_sum(struct import *im, struct node *n)
{
    struct chain c;
    struct term t[2];
    struct sum s;
    struct graph *g = im->g;
    struct tensor *y = n->out[0];
    if (n->op != OP_Add || y->rank < 2 || !read_term(im, n->in[0], &t[0]) || !read_term(im, n->in[1], &t[1]) || !new_chain(im, &c, y->dims[1]))
        return false;
    read_chain(im, &c, y);
    double unit = c.scale[0];
    for (int64_t i = 0; i < c.channels; i++)
        if (c.scale[i] != unit || c.shift[i] != 0)
            return false;
    c.lo = fmax(c.lo, floor((t[0].factor * t[0].range.lo + t[1].factor * t[1].range.lo) * unit));
    c.hi = fmin(c.hi, floor((t[0].factor * t[0].range.hi + t[1].factor * t[1].range.hi) * unit));
    enum dtype type = chain_type(&c);
    if (type == DT_NONE || !c.rounded || !is_power_of_two(unit) || !solve_sum(t, unit, &s))
        return false;
    for (int k = 0; k < 2; k++) {
        struct tensor *q = t[k].dequantize->in[0];
        struct tensor *zero = zero_point(g, arena_printf(g->arena, "%s/floor", q->name), q->dtype, s.zero[k]);
        set_in(g, n, k, pair_node(g, n, OP_DequantizeLinear, q, s.scale[k], zero, arena_printf(g->arena, "%s/term", q->name)));
    }
    bool saturates = c.lo >= 0 && type == DT_UINT8;
    become_pair(im, c.last, saturates && c.hi == 255 ? y : clipped(im, &c, type, y), type, c.lo, c.hi);
    return true;
}

// ---- what keeps integers ----

// A pool or a Concat: its result is quantized again, for nothing.
static bool import_choice(struct import *im, struct node *n)
{
    struct graph *g = im->g;
    struct tensor *y = n->out[0];
    struct range r = range_of(im, n->in[0]);
    for (int k = 1; n->op == OP_Concat && k < n->n_in; k++) {
        struct range next = range_of(im, n->in[k]);
        r = (struct range){ r.integer && next.integer, fmin(r.lo, next.lo), fmax(r.hi, next.hi) };
    }
    if (!r.integer || (n->n_out > 1 && n->out[1]))
        return false;
    enum dtype t = r.lo >= 0 ? DT_UINT8 : DT_INT8;
    if (t == DT_INT8 && r.hi > 127)
        return false;
    struct tensor *chosen = graph_add_tensor(g, arena_printf(g->arena, "%s/chosen", y->name), DT_FLOAT, y->rank, y->dims);
    struct node *copy = graph_insert_node(g, n, n->op, n->name, n->n_in, n->in, 1, &chosen);
    copy->model_index = n->model_index;
    copy->attrs = n->attrs;
    copy->n_attrs = n->n_attrs;
    become_pair(im, n, chosen, t, r.lo, r.hi);
    return true;
}

static void pass_range(struct import *im, const struct node *n)
{
    struct range r = range_of(im, n->in[0]);
    if (n->op == OP_Pad) {
        r.lo = fmin(r.lo, 0);
        r.hi = fmax(r.hi, 0);
        r.integer &= n->n_in < 3 || !n->in[2] || (n->in[2]->data && tensor_count(n->in[2]) == 1 && tensor_const_f64(n->in[2], 0) == 0);
    }
    if (n->out[0]->index < im->n_ranges)
        im->range[n->out[0]->index] = r;
}

static bool import_node(struct import *im, struct node *n, enum dtype *wants)
{
    switch ((int)n->op) {
    case OP_Conv:
    case OP_Gemm:
    case OP_MatMul:
        return import_product(im, n, wants);
    case OP_Add:
        return import_sum(im, n);
    case OP_MaxPool:
    case OP_GlobalMaxPool:
    case OP_Concat:
        return import_choice(im, n);
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Transpose:
    case OP_Identity:
    case OP_Pad:
        pass_range(im, n);
        return false;
    default:
        return false;
    }
}

void import_integers(struct graph *g)
{
    struct import im = { .g = g, .n_ranges = g->n_tensors };
    im.range = arena_array(g->arena, struct range, im.n_ranges);
    for (int i = 0; i < g->n_nodes;) {
        enum dtype wants = DT_NONE;
        struct node *n = g->nodes[i];
        bool changed = import_node(&im, n, &wants);
        if (wants != DT_NONE) { // then it is seen once more
            struct tensor *x = n->in[0];
            quantize_input(&im, x, wants);
            struct range r = { true, wants == DT_UINT8 ? 0 : -128, wants == DT_UINT8 ? 255 : 127 };
            struct range *more = arena_array(g->arena, struct range, g->n_tensors); // all tensors so far have one
            memcpy(more, im.range, (size_t)im.n_ranges * sizeof *more);
            im.range = more;
            im.n_ranges = g->n_tensors;
            im.range[n->in[0]->index] = r;
            i = n->index;
            continue;
        }
        i = (changed ? n->index : i) + 1;
    }
    graph_remove_dead(g);
}

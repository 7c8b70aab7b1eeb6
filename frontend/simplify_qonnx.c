// SPDX-License-Identifier: Apache-2.0
// QONNX (Brevitas, FINN): Quant and BipolarQuant, which round floats to a grid and leave them floats, as integers; Trunc.
//
//     Quant of a constant     integers, DequantizeLinear
//     Quant of activations    Clip to the grid's ends, QuantizeLinear, DequantizeLinear
//     BipolarQuant of them    Sub, QuantizeLinear, and a table behind it
//     Trunc                   Div, Add, Round, Mul, Floor, Sub, Mul: functions of one element
//
// Grids of up to eight bits stand in int8 or uint8; Clip keeps what is narrower (hardware clamps, for nothing).
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "frontend/simplify_impl.h"

struct grid {
    double lo, hi; // integers that the grid has
    bool bipolar;  // lo and hi alone
    int64_t scales; // 1, or one for each index of `axis` of the tensor
    int axis;
    const struct tensor *scale, *zero; // zero: NULL is 0
};

bool is_fake_quant(const struct node *n)
{
    return n->op == OP_Quant || n->op == OP_BipolarQuant;
}

// The axis of x along which constant p varies: -1: none, -2: several.
static int axis_of_parameter(const struct tensor *p, const struct tensor *x)
{
    int axis = -1;
    for (int i = 0; i < p->rank; i++)
        if (p->dims[i] != 1)
            axis = axis == -1 ? i + x->rank - p->rank : -2;
    return axis;
}

// False after a diagnostic.
static bool read_grid(const struct ctx *cx, const struct graph *g, const struct node *n, struct grid *out)
{
    const struct tensor *x = n->in[0], *scale = n->in[1], *zero = n->op == OP_Quant ? n->in[2] : NULL;
    double bits = n->op == OP_Quant ? tensor_const_f64(n->in[3], 0) : 1;
    bool is_signed = n->op == OP_BipolarQuant || node_int(n, "signed", 1) != 0, narrow = node_int(n, "narrow", 0) != 0;
    if (n->op == OP_Quant && (tensor_count(n->in[3]) != 1 || bits != floor(bits) || bits < 1 || bits > 32))
        return diag_error(cx, E207, at_node(g, n), "give one whole number of bits, 32 at most", "Quant to %g bits", bits);
    int axis = axis_of_parameter(scale, x), zero_axis = zero ? axis_of_parameter(zero, x) : -1;
    if (axis == -2 || zero_axis == -2 || (zero_axis >= 0 && zero_axis != axis))
        return diag_error(cx, E209, at_node(g, n), "use one scale, or one for each channel", "the scale of %s varies along several axes",
                          op_info(n->op)->name);
    *out = (struct grid){ .lo = is_signed ? -exp2(bits - 1) + narrow : 0, .hi = is_signed ? exp2(bits - 1) - 1 : exp2(bits) - 1 - narrow,
                          .scales = axis < 0 ? 1 : tensor_count(scale), .axis = axis < 0 ? 0 : axis, .scale = scale, .zero = zero };
    if (n->op == OP_BipolarQuant || (bits == 1 && is_signed)) {
        out->bipolar = n->op == OP_BipolarQuant;
        out->lo = -1;
        out->hi = out->bipolar ? 1 : out->hi;
    }
    for (int64_t i = 0; i < tensor_count(scale); i++)
        if (!(tensor_const_f64(scale, i) > 0) || !isfinite(tensor_const_f64(scale, i)))
            return diag_error(cx, E209, at_node(g, n), "a scale must be positive and finite", "scale %g", tensor_const_f64(scale, i));
    for (int64_t i = 0; zero && i < tensor_count(zero); i++)
        if (nearbyint(tensor_const_f64(zero, i)) != tensor_const_f64(zero, i) || fabs(tensor_const_f64(zero, i)) > 0x1p31)
            return diag_error(cx, E209, at_node(g, n), "a zero point must be a whole number", "zero point %g", tensor_const_f64(zero, i));
    return true;
}

static double parameter(const struct tensor *p, int64_t k)
{
    return p ? tensor_const_f64(p, tensor_count(p) == 1 ? 0 : k) : 0;
}

// Element v of the tensor in grid steps of scale k.
static double to_grid(const struct grid *q, double v, int64_t k)
{
    if (q->bipolar)
        return v >= 0 ? 1 : -1;
    double y = v / parameter(q->scale, k) + parameter(q->zero, k);
    return nearbyint(fmin(fmax(y, q->lo), q->hi));
}

// The least of the integer types that hold lo..hi.
static enum dtype container(double lo, double hi)
{
    return lo >= -128 && hi <= 127 ? DT_INT8 : lo >= 0 && hi <= 255 ? DT_UINT8 : lo >= -32768 && hi <= 32767 ? DT_INT16 : DT_INT32;
}

static struct tensor *integers(struct graph *g, const char *name, enum dtype t, int rank, const int64_t *dims, const double *v)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    char *data = arena_array(g->arena, char, n * (int64_t)dtype_bytes(t));
    for (int64_t i = 0; i < n; i++) {
        int64_t x = (int64_t)v[i]; // little-endian, as all constants
        memcpy(data + (size_t)i * dtype_bytes(t), &x, dtype_bytes(t));
    }
    return graph_add_const(g, name, t, rank, dims, data);
}

// Parameter p of a grid as what a DequantizeLinear takes: a scalar, or a vector.
static const int64_t *vector_dims(const struct grid *q)
{
    return &q->scales;
}

static struct tensor *scale_of(struct graph *g, const struct grid *q, const char *name)
{
    float *v = arena_array(g->arena, float, q->scales);
    for (int64_t k = 0; k < q->scales; k++)
        v[k] = (float)parameter(q->scale, k);
    return const_f32(g, arena_printf(g->arena, "%s/scale", name), DT_FLOAT, q->scales > 1, vector_dims(q), v);
}

static struct tensor *zero_of(struct graph *g, const struct grid *q, const char *name, enum dtype t)
{
    double *v = arena_array(g->arena, double, q->scales);
    for (int64_t k = 0; k < q->scales; k++)
        v[k] = parameter(q->zero, k);
    return integers(g, arena_printf(g->arena, "%s/zero", name), t, q->scales > 1, vector_dims(q), v);
}

// n dequantizes `x` now, and gives what it gave.
static void become_dequantize(struct graph *g, struct node *n, const struct grid *q, struct tensor *x)
{
    struct arena *a = g->arena;
    bool shifted = false;
    for (int64_t k = 0; k < q->scales; k++)
        shifted |= parameter(q->zero, k) != 0;
    const char *name = n->out[0]->name;
    n->op = OP_DequantizeLinear;
    n->n_attrs = 0;
    n->n_in = shifted ? 3 : 2;
    struct tensor **in = arena_array(a, struct tensor *, 3);
    in[0] = x;
    in[1] = scale_of(g, q, name);
    in[2] = shifted ? zero_of(g, q, name, x->dtype) : NULL;
    n->in = in;
    if (q->scales > 1)
        node_set_int(g, n, "axis", q->axis);
}

static void quant_constant(struct graph *g, struct node *n, const struct grid *q)
{
    const struct tensor *x = n->in[0];
    int64_t count = tensor_count(x), inner = 1;
    for (int i = q->axis + 1; i < x->rank; i++)
        inner *= x->dims[i];
    double *v = arena_array(g->arena, double, count), lo = 0, hi = 0;
    for (int64_t i = 0; i < count; i++) {
        v[i] = to_grid(q, tensor_const_f64(x, i), q->scales == 1 ? 0 : i / inner % q->scales);
        lo = fmin(lo, v[i]);
        hi = fmax(hi, v[i]);
    }
    for (int64_t k = 0; k < q->scales; k++) { // zero points have the integers' type
        lo = fmin(lo, parameter(q->zero, k));
        hi = fmax(hi, parameter(q->zero, k));
    }
    become_dequantize(g, n, q, integers(g, arena_printf(g->arena, "%s/integers", x->name), container(lo, hi), x->rank, x->dims, v));
}

static struct tensor *scalar_f32(struct graph *g, const char *name, double v)
{
    float *data = arena_array(g->arena, float, 1);
    *data = (float)v;
    return const_f32(g, name, DT_FLOAT, 0, NULL, data);
}

static struct tensor *quantized(struct graph *g, struct node *n, const struct grid *q, enum dtype t, struct tensor *x)
{
    const char *name = n->out[0]->name;
    struct tensor *in[3] = { x, scale_of(g, q, name), zero_of(g, q, name, t) };
    struct tensor *y = graph_add_tensor(g, arena_printf(g->arena, "%s/quantized", name), t, x->rank, x->dims);
    graph_insert_node(g, n, OP_QuantizeLinear, n->name, 3, in, 1, &y)->model_index = n->model_index;
    return y;
}

static struct tensor *clipped(struct graph *g, struct node *n, const struct grid *q, struct tensor *x)
{
    const char *name = n->out[0]->name;
    double scale = parameter(q->scale, 0), zero = parameter(q->zero, 0);
    struct tensor *in[3] = { x, scalar_f32(g, arena_printf(g->arena, "%s/lo", name), (q->lo - zero) * scale),
                             scalar_f32(g, arena_printf(g->arena, "%s/hi", name), (q->hi - zero) * scale) };
    struct tensor *y = graph_add_tensor(g, arena_printf(g->arena, "%s/clipped", name), DT_FLOAT, x->rank, x->dims);
    graph_insert_node(g, n, OP_Clip, n->name, 3, in, 1, &y)->model_index = n->model_index;
    return y;
}

static struct tensor *dequantized(struct graph *g, struct node *n, const struct grid *q, struct tensor *x)
{
    const char *name = n->out[0]->name;
    struct tensor *in[3] = { x, scale_of(g, q, name), zero_of(g, q, name, x->dtype) };
    struct tensor *y = graph_add_tensor(g, arena_printf(g->arena, "%s/dequantized", name), DT_FLOAT, x->rank, x->dims);
    graph_insert_node(g, n, OP_DequantizeLinear, n->name, 3, in, 1, &y)->model_index = n->model_index;
    return y;
}

// Whether no product, pool or the like stands between t and the model's inputs.
static bool from_inputs(const struct tensor *t)
{
    while (t->producer) {
        const struct node *n = t->producer;
        int computed = 0;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] && !n->in[k]->data) {
                t = n->in[k];
                computed++;
            }
        if (computed != 1 || op_info(n->op)->support == OP_NONE || n->op == OP_DequantizeLinear || n->op == OP_Conv || n->op == OP_MatMul || n->op == OP_Gemm)
            return false;
    }
    return !t->data;
}

// The result of `op` on x and constant v (of functions of x alone: NULL), in front of n.
static struct tensor *function(struct graph *g, struct node *n, enum op op, struct tensor *x, const double *v)
{
    const char *name = arena_printf(g->arena, "%s/%s", n->out[0]->name, op_info(op)->name);
    struct tensor *in[2] = { x, v ? scalar_f32(g, arena_printf(g->arena, "%s/constant", name), *v) : NULL };
    struct tensor *y = graph_add_tensor(g, name, DT_FLOAT, x->rank, x->dims);
    graph_insert_node(g, n, op, n->name, v ? 2 : 1, in, 1, &y)->model_index = n->model_index;
    return y;
}

// Signs. A first pair gives x / t - 1/2 + 2^-14, rounded: negative for x < 0 and not for x >= 0, but for x from -t * 2^-14 on. Hardware may be
// 2^-20 off, which is less; and t is a 64th of the scale, for integers that saturate keep their sign: so wrong is what is within a
// millionth of the scale below 0. The table behind makes -1 of negative integers and 1 of the others.
static void bipolar_activation(struct graph *g, struct node *n, const struct grid *q)
{
    const char *name = arena_printf(g->arena, "%s/sign", n->out[0]->name);
    double scale = parameter(q->scale, 0), step = scale / 64, shift = step * (0.5 - 0x1p-14), factor = 2 * scale / step;
    struct grid fine = *q;
    fine.lo = -1;
    fine.hi = 0;
    fine.scale = scalar_f32(g, arena_printf(g->arena, "%s/step", name), step);
    struct tensor *x = function(g, n, OP_Sub, n->in[0], &shift);
    x = dequantized(g, n, &fine, quantized(g, n, &fine, DT_INT8, x));
    x = function(g, n, OP_Mul, clipped(g, n, &fine, x), &factor);
    x = function(g, n, OP_Add, x, &scale);
    become_dequantize(g, n, q, quantized(g, n, q, DT_INT8, x));
}

// Whether hardware has the grid, for activations.
static bool hardware_has(const struct ctx *cx, const struct graph *g, const struct node *n, const struct grid *q)
{
    const char *mode = node_string(n, "rounding_mode", "ROUND");
    enum dtype t = container(q->lo, q->hi);
    double zero = parameter(q->zero, 0);
    if (q->scales != 1)
        return diag_error(cx, E209, at_node(g, n), "quantize activations per tensor; only weights may be per channel",
                          "activations have %lld scales", (long long)q->scales);
    if (dtype_bytes(t) != 1 || zero < (t == DT_INT8 ? -128 : 0) || zero > (t == DT_INT8 ? 127 : 255))
        return diag_error(cx, E207, at_node(g, n), "quantize activations to eight bits or less", "activations from %g to %g with zero point %g",
                          q->lo, q->hi, zero);
    if (strcmp(mode, "ROUND") != 0 && strcmp(mode, "HALF_EVEN") != 0)
        return diag_error(cx, E202, at_attr(g, n, "rounding_mode"), "use ROUND", "activations rounded by %s", mode);
    return true;
}

bool simplify_quant_fits(const struct ctx *cx, const struct graph *g, const struct node *n)
{
    struct grid q;
    for (int k = 1; k < n->n_in; k++)
        if (!n->in[k]->data || tensor_count(n->in[k]) == 0)
            return diag_error(cx, E206, at_node(g, n), NULL, "the parameters of %s are computed", op_info(n->op)->name);
    return read_grid(cx, g, n, &q) && hardware_has(cx, g, n, &q);
}

// False where hardware has no such grid: the node stays, for the host.
static bool quant_activation(const struct ctx *cx, struct graph *g, struct node *n, const struct grid *q)
{
    struct diag quiet = { .quiet = true };
    struct ctx inner = { cx->arena, &quiet };
    if (!hardware_has(&inner, g, n, q))
        return false;
    if (q->bipolar) {
        bipolar_activation(g, n, q);
        return true;
    }
    enum dtype t = container(q->lo, q->hi);
    struct tensor *x = n->in[0];
    bool whole = t == DT_INT8 ? q->lo == -128 && q->hi == 127 : q->lo == 0 && q->hi == 255;
    // The host quantizes the model's inputs, to eight bits: what is narrower is a table behind that.
    if (!whole && from_inputs(x))
        x = dequantized(g, n, q, quantized(g, n, q, t, x));
    if (!whole)
        x = clipped(g, n, q, x);
    become_dequantize(g, n, q, quantized(g, n, q, t, x));
    return true;
}

// ---- Trunc ----

// How a Trunc that becomes functions of one element rounds. OP_COUNT for one that stays: of a constant, which is one, or, for the host, with
// other roundings and parameters that vary within its operand.
static enum op trunc_rounding(const struct node *n)
{
    static const struct { const char *mode; enum op op; } roundings[] = { { "FLOOR", OP_Floor }, { "CEIL", OP_Ceil }, { "ROUND", OP_Round } };
    const char *mode = node_string(n, "rounding_mode", "FLOOR");
    enum op rounding = OP_COUNT;
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++)
        if (strcmp(mode, roundings[i].mode) == 0)
            rounding = roundings[i].op;
    for (int k = 1; k < n->n_in; k++)
        if (tensor_count(n->in[k]) != 1)
            return OP_COUNT;
    return n->in[0]->data ? OP_COUNT : rounding;
}

static bool rewrite_trunc(const struct ctx *cx, struct graph *g, struct node *n, enum op rounding)
{
    double p[5];
    for (int k = 1; k < 5; k++)
        p[k] = tensor_const_f64(n->in[k], 0);
    if (!(p[1] > 0) || !isfinite(p[1]) || !(fabs(p[3] - p[4]) <= 32))
        return diag_error(cx, E209, at_node(g, n), "a scale must be positive and finite, bits 32 at most", "scale %g, %g bits to %g", p[1], p[3], p[4]);
    double unit = exp2(p[4] - p[3]);
    struct tensor *x = function(g, n, OP_Div, n->in[0], &p[1]);
    x = function(g, n, OP_Round, p[2] != 0 ? function(g, n, OP_Add, x, &p[2]) : x, NULL);
    x = function(g, n, rounding, function(g, n, OP_Mul, x, &unit), NULL);
    x = p[2] != 0 ? function(g, n, OP_Sub, x, &p[2]) : x;
    n->op = OP_Mul;
    n->n_attrs = 0;
    n->n_in = 1;
    set_in(g, n, 0, x);
    set_in(g, n, 1, scalar_f32(g, arena_printf(g->arena, "%s/constant", n->out[0]->name), p[1]));
    return true;
}

bool rewrite_quant(const struct ctx *cx, struct graph *g, struct node *n, bool *changed)
{
    struct grid q;
    if (!is_fake_quant(n) && n->op != OP_Trunc)
        return true;
    for (int k = 1; k < n->n_in; k++)
        if (!n->in[k]->data || tensor_count(n->in[k]) == 0)
            return true; // not yet; or never, and then the lowering says so
    if (n->op == OP_Trunc) {
        enum op rounding = trunc_rounding(n);
        *changed = rounding != OP_COUNT;
        return !*changed || rewrite_trunc(cx, g, n, rounding);
    }
    if (!read_grid(cx, g, n, &q))
        return false;
    bool constant = n->in[0]->data;
    if (constant)
        quant_constant(g, n, &q);
    *changed = constant || quant_activation(cx, g, n, &q);
    return true;
}

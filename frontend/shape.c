// SPDX-License-Identifier: Apache-2.0
#include "frontend/shape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"
#include "sim/ref_float.h"

#define MAX_ELEMENTS ((int64_t)1 << 40)

int axis_of(int64_t axis, int rank)
{
    ASSERT(axis >= -rank && axis < rank);
    return (int)(axis < 0 ? axis + rank : axis);
}

unsigned reduce_axes(const struct node *n)
{
    const struct attr *axes = node_attr(n, "axes");
    unsigned set = 0;
    if ((!axes || axes->n == 0) && node_int(n, "noop_with_empty_axes", 0) != 0)
        return 0;
    if (!axes || axes->n == 0)
        return (1u << n->in[0]->rank) - 1;
    for (int i = 0; i < axes->n; i++)
        set |= 1u << axis_of(axes->ints[i], n->in[0]->rank);
    return set;
}

// ---- helpers of shape_impl.h ----

bool shape_error(struct shape_run *s, const struct node *n, const char *fmt, ...)
{
    struct strbuf sb = STRBUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&sb, fmt, ap);
    va_end(ap);
    diag_error(s->cx, E204, at_node(s->g, n), NULL, "%s", sb.text);
    strbuf_release(&sb);
    return false;
}

const char *shape_of(struct shape_run *s, const struct tensor *t)
{
    return shape_text(s->g->arena, t->rank, t->dims);
}

bool shape_set(struct shape_run *s, const struct node *n, int k, enum dtype t, int rank,
               const int64_t *dims)
{
    struct tensor *out = n->out[k];
    int64_t extent = 1; // without dimensions of 0: an operator may drop them
    if (rank > MAX_RANK)
        return shape_error(s, n, "the result has %d dimensions, at most 8 are supported", rank);
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0 || !mul_i64(extent, max_i64(dims[i], 1), &extent) || extent >= MAX_ELEMENTS)
            return shape_error(s, n, "the result has 2^40 elements or more: %s",
                               shape_text(s->g->arena, rank, dims));
    out->dtype = t;
    out->rank = rank;
    for (int i = 0; i < rank; i++)
        out->dims[i] = dims[i];
    return true;
}

bool shape_like(struct shape_run *s, const struct node *n, int k, const struct tensor *x)
{
    return shape_set(s, n, k, x->dtype, x->rank, x->dims);
}

bool shape_broadcast(const struct tensor *x, int *rank, int64_t *dims)
{
    int wide = x->rank > *rank ? x->rank : *rank;
    int64_t result[MAX_RANK] = { 0 };
    for (int i = 0; i < wide; i++) { // from the last dimension on
        int64_t a = i < *rank ? dims[*rank - 1 - i] : 1;
        int64_t b = i < x->rank ? x->dims[x->rank - 1 - i] : 1;
        if (a != b && a != 1 && b != 1)
            return false;
        result[wide - 1 - i] = a == 1 ? b : a;
    }
    *rank = wide;
    memcpy(dims, result, (size_t)wide * sizeof *dims);
    return true;
}

bool shape_ints(struct shape_run *s, const struct node *n, int k, int max, int64_t *out, int *count)
{
    const struct tensor *t = n->in[k];
    struct tensor followed = *t;
    struct array value;
    *count = 0;
    if (!shape_value(s, t, &value))
        return diag_error(s->cx, E206, at_node(s->g, n), "export the model with fixed shapes, or run a simplifier",
                          "input %d ('%s') is computed at run time", k, t->name);
    if (t->rank > 1 || tensor_count(t) > max || t->dtype == DT_FLOAT)
        return shape_error(s, n, "input %d ('%s') of shape %s is no list of up to %d integers", k, t->name,
                           shape_of(s, t), max);
    *count = (int)tensor_count(t);
    followed.data = value.data;
    for (int i = 0; i < *count; i++)
        out[i] = tensor_const_i64(&followed, i);
    return true;
}

bool shape_axis(struct shape_run *s, const struct node *n, const struct tensor *x, int64_t fallback,
                int *out)
{
    int64_t axis = node_int(n, "axis", fallback);
    if (axis < -x->rank || axis >= x->rank)
        return diag_error(s->cx, E203, at_attr(s->g, n, "axis"), NULL, "axis %" PRId64 " is outside shape %s", axis,
                          shape_of(s, x));
    *out = axis_of(axis, x->rank);
    return true;
}

bool shape_need_index(struct shape_run *s, const struct node *n, int k)
{
    enum dtype t = n->in[k]->dtype;
    if (t == DT_INT32 || t == DT_INT64)
        return true;
    return diag_error(s->cx, E207, at_node(s->g, n), NULL, "indices or lengths of type %s", dtype_name(t));
}

bool shape_need_float(struct shape_run *s, const struct node *n, int k)
{
    if (dtype_is_float(n->in[k]->dtype))
        return true;
    return diag_error(s->cx, E207, at_node(s->g, n), NULL, "input %d ('%s') is of type %s, %s needs float32", k,
                      n->in[k]->name, dtype_name(n->in[k]->dtype), op_info(n->op)->name);
}

static bool is_quantized(enum dtype t)
{
    return t == DT_INT8 || t == DT_UINT8 || t == DT_INT16 || t == DT_UINT16;
}

// ---- operators that compute ----

bool op_compares(enum op op)
{
    return op == OP_Equal || op == OP_Greater || op == OP_GreaterOrEqual || op == OP_Less || op == OP_LessOrEqual;
}

// What the operands of logic, bits and remainders are.
static bool operand_type(struct shape_run *s, const struct node *n)
{
    enum dtype t = n->in[0]->dtype;
    bool fits = true;
    if (n->op == OP_And || n->op == OP_Or || n->op == OP_Xor)
        fits = t == DT_BOOL;
    else if (n->op == OP_BitShift || n->op == OP_BitwiseAnd || n->op == OP_BitwiseOr || n->op == OP_BitwiseXor)
        fits = dtype_is_integer(t);
    else if (n->op == OP_Mod)
        fits = dtype_is_integer(t) || (dtype_is_float(t) && node_int(n, "fmod", 0) != 0);
    return fits || diag_error(s->cx, E207, at_node(s->g, n), NULL, "%s of %s", op_info(n->op)->name, dtype_name(t));
}

int legacy_axis(const struct node *n)
{
    int rank = n->in[0]->rank;
    int64_t axis = node_int(n, "axis", rank - n->in[1]->rank);
    return axis >= 0 && axis <= rank - n->in[1]->rank ? (int)axis : -1;
}

// Before opset 7, attribute `axis` said where the dimensions of the second operand begin in those of the first. Dimensions
// of 1 behind them say the same; a constant gets them for good, others when the graph is run.
static bool align_legacy(struct shape_run *s, struct node *n, struct tensor *b)
{
    int rank = n->in[0]->rank, axis = legacy_axis(n);
    if (axis < 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "axis"), NULL, "axis is outside shape %s", shape_of(s, n->in[0]));
    while (axis + b->rank < rank)
        b->dims[b->rank++] = 1;
    if (!s->running && !n->in[1]->data)
        return diag_error(s->cx, E202, at_attr(s->g, n, "axis"), "export with opset 7 or later", "broadcasting along an axis as before opset 7");
    if (!s->running) {
        n->in[1] = graph_add_const(s->g, b->name, b->dtype, b->rank, b->dims, b->data);
        node_drop_attr(n, "axis");
    }
    return true;
}

// Every input has one type and broadcasts to the output.
static bool elementwise(struct shape_run *s, struct node *n)
{
    int rank = n->in[0]->rank;
    int64_t dims[MAX_RANK];
    struct tensor second = n->n_in > 1 ? *n->in[1] : *n->in[0];
    if (!operand_type(s, n) || (node_attr(n, "axis") && n->n_in > 1 && !align_legacy(s, n, &second)))
        return false;
    memcpy(dims, n->in[0]->dims, sizeof dims);
    for (int k = 1; k < n->n_in; k++) {
        if (n->in[k]->dtype != n->in[0]->dtype && n->op != OP_Pow)
            return diag_error(s->cx, E207, at_node(s->g, n), NULL, "inputs of types %s and %s",
                              dtype_name(n->in[0]->dtype), dtype_name(n->in[k]->dtype));
        if (!shape_broadcast(k == 1 ? &second : n->in[k], &rank, dims))
            return shape_error(s, n, "shapes %s and %s do not broadcast", shape_of(s, n->in[0]),
                               shape_of(s, n->in[k]));
    }
    return shape_set(s, n, 0, op_compares(n->op) ? DT_BOOL : n->in[0]->dtype, rank, dims);
}

// A function of one element with a result of type t, for any type (or floats alone).
static bool unary(struct shape_run *s, struct node *n, enum dtype t, bool fits)
{
    if (!fits)
        return diag_error(s->cx, E207, at_node(s->g, n), NULL, "%s of %s", op_info(n->op)->name, dtype_name(n->in[0]->dtype));
    return shape_set(s, n, 0, t, n->in[0]->rank, n->in[0]->dims);
}

static bool clip(struct shape_run *s, struct node *n)
{
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && (tensor_count(n->in[k]) != 1 || n->in[k]->dtype != n->in[0]->dtype))
            return shape_error(s, n, "bound '%s' is no single %s", n->in[k]->name,
                               dtype_name(n->in[0]->dtype));
    return shape_like(s, n, 0, n->in[0]);
}

// The slope broadcasts to x, never x to the slope.
static bool prelu(struct shape_run *s, struct node *n)
{
    int rank = n->in[0]->rank;
    int64_t dims[MAX_RANK];
    struct tensor slope = *n->in[1];
    if (node_attr(n, "axis") && !align_legacy(s, n, &slope))
        return false;
    memcpy(dims, n->in[0]->dims, sizeof dims);
    if (!shape_broadcast(&slope, &rank, dims) || rank != n->in[0]->rank ||
        memcmp(dims, n->in[0]->dims, (size_t)rank * sizeof *dims) != 0)
        return shape_error(s, n, "slope of shape %s for %s", shape_of(s, n->in[1]), shape_of(s, n->in[0]));
    return shape_need_float(s, n, 0) && shape_need_float(s, n, 1) && shape_like(s, n, 0, n->in[0]);
}

// Matrices of floats, or of integers of 32 bits and more, all of one type.
static bool product_types(struct shape_run *s, const struct node *n)
{
    enum dtype t = n->in[0]->dtype;
    if (!dtype_is_float(t) && t != DT_INT32 && t != DT_INT64 && t != DT_UINT32 && t != DT_UINT64)
        return shape_need_float(s, n, 0);
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->dtype != t && !node_attr(n, "resolved_bias"))
            return diag_error(s->cx, E207, at_node(s->g, n), NULL, "inputs of types %s and %s", dtype_name(t), dtype_name(n->in[k]->dtype));
    return true;
}

static bool gemm(struct shape_run *s, struct node *n)
{
    bool quantized = n->op == OP_QGemm;
    const struct tensor *a = n->in[0], *b = n->in[quantized ? 3 : 1];
    const struct tensor *c = n->n_in > (quantized ? 6 : 2) ? n->in[quantized ? 6 : 2] : NULL;
    if (!quantized && !product_types(s, n))
        return false;
    if (a->rank != 2 || b->rank != 2)
        return shape_error(s, n, "matrices of shapes %s and %s", shape_of(s, a), shape_of(s, b));
    bool ta = node_int(n, "transA", 0) != 0, tb = node_int(n, "transB", 0) != 0;
    int64_t dims[2] = { a->dims[ta ? 1 : 0], b->dims[tb ? 0 : 1] };
    if (a->dims[ta ? 0 : 1] != b->dims[tb ? 1 : 0])
        return shape_error(s, n, "shapes %s%s and %s%s cannot be multiplied", shape_of(s, a),
                           ta ? " (transposed)" : "", shape_of(s, b), tb ? " (transposed)" : "");
    int rank = 2;
    int64_t sum[MAX_RANK] = { dims[0], dims[1] };
    if (c && (!shape_broadcast(c, &rank, sum) || rank != 2 || sum[0] != dims[0] || sum[1] != dims[1]))
        return shape_error(s, n, "C of shape %s does not broadcast to %s", shape_of(s, c),
                           shape_text(s->g->arena, 2, dims));
    enum dtype t = quantized ? DT_FLOAT : a->dtype;
    if (quantized && n->n_in > 7 && n->in[7])
        t = n->n_in > 8 && n->in[8] ? n->in[8]->dtype : a->dtype;
    return shape_set(s, n, 0, t, 2, dims);
}

bool shape_zero_fits(struct shape_run *s, const struct node *n, int k, int64_t channels)
{
    const struct tensor *zero = k < n->n_in ? n->in[k] : NULL;
    if (!zero || tensor_count(zero) == 1 || (zero->rank == 1 && zero->dims[0] == channels && channels > 0))
        return true;
    return shape_error(s, n, "zero point '%s' of shape %s for %" PRId64 " channels", zero->name, shape_of(s, zero), channels);
}

static bool matmul(struct shape_run *s, struct node *n)
{
    bool quantized = n->op == OP_QLinearMatMul, integer = n->op == OP_MatMulInteger;
    const struct tensor *a = n->in[0], *b = n->in[quantized ? 3 : 1];
    if (!quantized && !integer && !product_types(s, n))
        return false;
    if (a->rank < 1 || b->rank < 1)
        return shape_error(s, n, "a scalar cannot be multiplied as a matrix");
    int64_t k = a->dims[a->rank - 1], dims[MAX_RANK];
    int64_t kb = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    struct tensor batch_a = { .rank = a->rank > 2 ? a->rank - 2 : 0 };
    int rank = b->rank > 2 ? b->rank - 2 : 0;
    memcpy(batch_a.dims, a->dims, sizeof batch_a.dims);
    memcpy(dims, b->dims, sizeof dims);
    if (k != kb || !shape_broadcast(&batch_a, &rank, dims))
        return shape_error(s, n, "shapes %s and %s cannot be multiplied", shape_of(s, a), shape_of(s, b));
    if (integer && (!shape_zero_fits(s, n, 2, a->rank > 1 ? a->dims[a->rank - 2] : 1) || !shape_zero_fits(s, n, 3, b->rank > 1 ? b->dims[b->rank - 1] : 1)))
        return false;
    if (a->rank > 1)
        dims[rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        dims[rank++] = b->dims[b->rank - 1];
    return shape_set(s, n, 0, quantized ? n->in[7]->dtype : integer ? DT_INT32 : a->dtype, rank, dims);
}

static bool batchnorm(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    for (int k = 1; k < 5; k++)
        if (x->rank < 2 || n->in[k]->rank != 1 || n->in[k]->dims[0] != x->dims[1])
            return shape_error(s, n, "parameter '%s' of shape %s for an input of shape %s", n->in[k]->name,
                               shape_of(s, n->in[k]), shape_of(s, x));
    for (int k = 0; k < 5; k++)
        if (!shape_need_float(s, n, k))
            return false;
    for (int k = 1; k < n->n_out; k++) // mean and variance, in training
        if (n->out[k] && !shape_set(s, n, k, n->in[k < 3 ? k + 2 : k]->dtype, 1, n->in[3]->dims))
            return false;
    return shape_like(s, n, 0, x);
}

// What a reduction takes: numbers of 32 bits and more, and for the least and largest bytes and bool too.
static bool reduces(struct shape_run *s, const struct node *n)
{
    enum dtype t = n->in[0]->dtype;
    bool order = n->op == OP_ReduceMax || n->op == OP_ReduceMin, wide = t == DT_INT32 || t == DT_INT64 || t == DT_UINT32 || t == DT_UINT64;
    return wide || (order && (t == DT_INT8 || t == DT_UINT8 || t == DT_BOOL)) || shape_need_float(s, n, 0);
}

// Axes that are an input (ReduceSum from opset 13 on, the others from 18 on) become the attribute that reduce_axes reads.
static bool resolve_axes(struct shape_run *s, struct node *n)
{
    int64_t axes[MAX_RANK];
    int count;
    if (n->n_in < 2 || !n->in[1])
        return true;
    if (!shape_ints(s, n, 1, MAX_RANK, axes, &count))
        return false;
    node_set_ints(s->g, n, "axes", count, axes);
    if (!s->running)
        n->n_in = 1;
    return true;
}

// The reductions over their axes (all without the attribute), ArgMax and ArgMin over one.
static bool reduce(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    unsigned set = 0;
    bool keep = node_int(n, "keepdims", 1) != 0, arg = n->op == OP_ArgMax || n->op == OP_ArgMin;
    int64_t dims[MAX_RANK];
    int rank = 0, axis;
    if (arg) {
        if (!shape_axis(s, n, x, 0, &axis))
            return false;
        set = 1u << axis;
    } else if ((n->op != OP_QLinearReduceMean && !reduces(s, n)) || (n->op != OP_QLinearReduceMean && !resolve_axes(s, n))) {
        return false;
    }
    const struct attr *axes = node_attr(n, "axes");
    for (int i = 0; axes && !arg && (i < axes->n || axes->type != ATTR_INTS); i++)
        if (axes->type != ATTR_INTS || axes->ints[i] < -x->rank || axes->ints[i] >= x->rank)
            return diag_error(s->cx, E203, at_attr(s->g, n, "axes"), NULL, "an axis is outside shape %s", shape_of(s, x));
    if (!arg)
        set = reduce_axes(n);
    for (int i = 0; i < x->rank; i++) {
        bool reduced = set >> i & 1;
        if (reduced && x->dims[i] == 0)
            return shape_error(s, n, "dimension %d of %s is empty", i, shape_of(s, x));
        if (!reduced || keep)
            dims[rank++] = reduced ? 1 : x->dims[i];
    }
    return shape_set(s, n, 0, arg ? DT_INT64 : x->dtype, rank, dims);
}

// ---- quantization ----

// Scale and zero point: one for the tensor, or one for each index along `axis`.
static bool scale_fits(struct shape_run *s, const struct node *n, const struct tensor *x, int axis_default)
{
    const struct tensor *scale = n->in[1], *zero = n->n_in > 2 ? n->in[2] : NULL;
    int axis;
    if (zero && tensor_count(zero) != tensor_count(scale))
        return shape_error(s, n, "zero point of shape %s for a scale of shape %s", shape_of(s, zero),
                           shape_of(s, scale));
    if (tensor_count(scale) == 1)
        return true;
    if (!shape_axis(s, n, x, axis_default, &axis))
        return false;
    if (scale->rank != 1 || scale->dims[0] != x->dims[axis])
        return shape_error(s, n, "scale of shape %s for axis %d of %s", shape_of(s, scale), axis, shape_of(s, x));
    return true;
}

// A scale for each block of elements along the axis, since opset 21.
static bool unblocked(struct shape_run *s, const struct node *n)
{
    return node_int(n, "block_size", 0) == 0 ||
           diag_error(s->cx, E202, at_attr(s->g, n, "block_size"), "quantize by tensor or by channel", "scales for blocks of elements are not supported");
}

static bool quantize(struct shape_run *s, struct node *n)
{
    const struct tensor *zero = n->n_in > 2 ? n->in[2] : NULL;
    int64_t asked = node_int(n, "output_dtype", 0);
    enum dtype t = zero ? zero->dtype : asked > 0 && asked <= DT_BFLOAT16 ? (enum dtype)asked : DT_UINT8;
    bool narrow = (zero && zero->four_bits) || asked > DT_BFLOAT16;
    if (!is_quantized(t) || narrow)
        return diag_error(s->cx, E207, at_node(s->g, n), NULL, narrow ? "quantization to fewer than 8 bits" : "zero point of type %s", dtype_name(t));
    if (!unblocked(s, n))
        return false;
    return shape_need_float(s, n, 0) && shape_need_float(s, n, 1) && scale_fits(s, n, n->in[0], 1) &&
           shape_set(s, n, 0, t, n->in[0]->rank, n->in[0]->dims);
}

static bool dequantize(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    if (!is_quantized(x->dtype) && x->dtype != DT_INT32)
        return diag_error(s->cx, E207, at_node(s->g, n), NULL, "input of type %s", dtype_name(x->dtype));
    if (n->n_in > 2 && n->in[2] && n->in[2]->dtype != x->dtype)
        return diag_error(s->cx, E207, at_node(s->g, n), NULL, "zero point of type %s for an input of type %s",
                          dtype_name(n->in[2]->dtype), dtype_name(x->dtype));
    // No opset has float64 scales: they are exact ones of the simplifier (simplify_exact.c)
    enum dtype result = n->in[1]->dtype == DT_DOUBLE ? DT_FLOAT : n->in[1]->dtype;
    return unblocked(s, n) && shape_need_float(s, n, 1) && scale_fits(s, n, x, 1) && shape_set(s, n, 0, result, x->rank, x->dims);
}

// Brevitas' fake quantization: scale, zero point and bits broadcast to x.
static bool quant(struct shape_run *s, struct node *n)
{
    for (int k = 1; k < n->n_in; k++) {
        int rank = n->in[0]->rank;
        int64_t dims[MAX_RANK];
        memcpy(dims, n->in[0]->dims, sizeof dims);
        if (!shape_broadcast(n->in[k], &rank, dims) || rank != n->in[0]->rank ||
            memcmp(dims, n->in[0]->dims, (size_t)rank * sizeof *dims) != 0)
            return shape_error(s, n, "'%s' of shape %s for %s", n->in[k]->name, shape_of(s, n->in[k]),
                               shape_of(s, n->in[0]));
    }
    return shape_need_float(s, n, 0) && shape_like(s, n, 0, n->in[0]);
}

// a and b stand at inputs 0 and 3 with their scales and zero points; the result's at 6 and 7.
static bool qlinear_binary(struct shape_run *s, struct node *n)
{
    int rank = n->in[0]->rank;
    int64_t dims[MAX_RANK];
    memcpy(dims, n->in[0]->dims, sizeof dims);
    if (!shape_broadcast(n->in[3], &rank, dims))
        return shape_error(s, n, "shapes %s and %s do not broadcast", shape_of(s, n->in[0]), shape_of(s, n->in[3]));
    return shape_set(s, n, 0, n->in[0]->dtype, rank, dims);
}

// Scale k and its zero point: one number, or one for each of `channels` (0: never).
static bool qlinear_scale(struct shape_run *s, const struct node *n, int k, int64_t channels)
{
    const struct tensor *scale = k < n->n_in ? n->in[k] : NULL, *zero = k + 1 < n->n_in ? n->in[k + 1] : NULL;
    if (!scale)
        return true; // QGemm with a float result
    int64_t count = tensor_count(scale);
    if (scale->dtype != DT_FLOAT || count == 0 || (count != 1 && (scale->rank != 1 || count != channels)) ||
        (zero && (tensor_count(zero) != count || !is_quantized(zero->dtype))))
        return shape_error(s, n, "scale '%s' of shape %s, or its zero point, does not fit its operand",
                           scale->name, shape_of(s, scale));
    return true;
}

// Where the scales stand; operands may have one per output channel where they are weights.
static bool check_qlinear_scales(struct shape_run *s, const struct node *n)
{
    if (n->op == OP_QLinearConcat) {
        bool ok = qlinear_scale(s, n, 0, 0);
        for (int k = 3; k < n->n_in; k += 3)
            ok = n->in[k] && qlinear_scale(s, n, k, 0) && ok;
        return ok || shape_error(s, n, "a part has no scale");
    }
    bool weighted = n->op == OP_QLinearConv || n->op == OP_QGemm || n->op == OP_QLinearMatMul;
    if (!weighted && n->op != OP_QLinearAdd && n->op != OP_QLinearMul)
        return qlinear_scale(s, n, 1, 0) && qlinear_scale(s, n, 3, 0);
    const struct tensor *w = n->in[3];
    bool first = n->op == OP_QLinearConv || node_int(n, "transB", 0) != 0;
    int64_t channels = weighted && w->rank >= 2 ? w->dims[first ? 0 : w->rank - 1] : 0;
    return qlinear_scale(s, n, 1, 0) && qlinear_scale(s, n, 4, channels) &&
           qlinear_scale(s, n, n->op == OP_QGemm ? 7 : 6, 0);
}

// The integer input and every zero point of a QLinear operator are 8 or 16 bits wide.
static bool check_qlinear(struct shape_run *s, const struct node *n)
{
    if (!check_qlinear_scales(s, n))
        return false;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->dtype != DT_FLOAT && n->in[k]->dtype != DT_INT32 &&
            !is_quantized(n->in[k]->dtype))
            return diag_error(s->cx, E207, at_node(s->g, n), NULL, "input %d of type %s", k,
                              dtype_name(n->in[k]->dtype));
    return true;
}

static bool compute(struct shape_run *s, struct node *n)
{
    // exempt from the length limit: one line for each operator
    switch ((int)n->op) {
    case OP_Abs:
    case OP_Neg:
    case OP_Sign:
    case OP_Relu:
    case OP_Shrink:
        return shape_like(s, n, 0, n->in[0]);
    case OP_IsInf:
    case OP_IsNaN:
        return unary(s, n, DT_BOOL, dtype_is_float(n->in[0]->dtype));
    case OP_Not:
        return unary(s, n, DT_BOOL, n->in[0]->dtype == DT_BOOL);
    case OP_BitwiseNot:
        return unary(s, n, n->in[0]->dtype, dtype_is_integer(n->in[0]->dtype));
    case OP_Clip:
        return clip(s, n);
    case OP_PRelu:
        return prelu(s, n);
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Pow:
    case OP_Min:
    case OP_Max:
    case OP_And:
    case OP_Or:
    case OP_Xor:
    case OP_Equal:
    case OP_Greater:
    case OP_GreaterOrEqual:
    case OP_Less:
    case OP_LessOrEqual:
    case OP_BitShift:
    case OP_BitwiseAnd:
    case OP_BitwiseOr:
    case OP_BitwiseXor:
    case OP_Mod:
        return elementwise(s, n);
    case OP_Sum:
    case OP_Mean:
        return shape_need_float(s, n, 0) && elementwise(s, n);
    case OP_Einsum:
        return shape_einsum(s, n);
    case OP_Conv:
    case OP_ConvInteger:
        return shape_conv(s, n);
    case OP_MaxUnpool:
        return shape_max_unpool(s, n);
    case OP_QLinearConv:
        return check_qlinear(s, n) && shape_conv(s, n);
    case OP_ConvTranspose:
        return shape_conv_transpose(s, n);
    case OP_Resize:
        return shape_resize(s, n);
    case OP_MaxPool:
        return shape_pool(s, n, n->in[0]->dtype);
    case OP_AveragePool:
        return shape_need_float(s, n, 0) && shape_pool(s, n, n->in[0]->dtype);
    case OP_LpPool:
        return shape_check_p(s, n) && shape_pool(s, n, n->in[0]->dtype);
    case OP_GlobalLpPool:
        return shape_check_p(s, n) && shape_global_pool(s, n, n->in[0]->dtype);
    case OP_QLinearAveragePool:
        return check_qlinear(s, n) && shape_pool(s, n, n->in[0]->dtype);
    case OP_GlobalAveragePool:
    case OP_GlobalMaxPool:
        return shape_need_float(s, n, 0) && shape_global_pool(s, n, n->in[0]->dtype);
    case OP_QLinearGlobalAveragePool:
        return check_qlinear(s, n) && shape_global_pool(s, n, n->in[0]->dtype);
    case OP_Gemm:
        return gemm(s, n);
    case OP_QGemm:
        return check_qlinear(s, n) && gemm(s, n);
    case OP_MatMul:
    case OP_MatMulInteger:
        return matmul(s, n);
    case OP_QLinearMatMul:
        return check_qlinear(s, n) && matmul(s, n);
    case OP_QLinearAdd:
    case OP_QLinearMul:
        return check_qlinear(s, n) && qlinear_binary(s, n);
    case OP_QLinearSigmoid:
    case OP_QLinearLeakyRelu:
        return check_qlinear(s, n) && shape_like(s, n, 0, n->in[0]);
    case OP_BatchNormalization:
        return batchnorm(s, n);
    case OP_ReduceL1:
    case OP_ReduceL2:
    case OP_ReduceLogSum:
    case OP_ReduceLogSumExp:
    case OP_ReduceMax:
    case OP_ReduceMean:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceSum:
    case OP_ReduceSumSquare:
    case OP_ArgMax:
    case OP_ArgMin:
        return reduce(s, n);
    case OP_QLinearReduceMean:
        return check_qlinear(s, n) && reduce(s, n);
    case OP_QLinearSoftmax: {
        int axis;
        return check_qlinear(s, n) && shape_axis(s, n, n->in[0], -1, &axis) && shape_like(s, n, 0, n->in[0]);
    }
    case OP_Softmax:
    case OP_LogSoftmax: {
        int axis;
        return shape_need_float(s, n, 0) && shape_axis(s, n, n->in[0], -1, &axis) && shape_like(s, n, 0, n->in[0]);
    }
    case OP_QuantizeLinear:
        return quantize(s, n);
    case OP_DequantizeLinear:
        return dequantize(s, n);
    case OP_Quant:
    case OP_BipolarQuant:
    case OP_Trunc:
        return quant(s, n);
    default: // the functions of one float
        return shape_need_float(s, n, 0) && shape_like(s, n, 0, n->in[0]);
    }
}

// ---- values ----

bool shape_value(struct shape_run *s, const struct tensor *t, struct array *out)
{
    *out = (struct array){ .dtype = DT_NONE };
    if (!t->data && t->index < s->n_values) // constants that inference has added are not in there
        *out = s->values[t->index];
    if (t->data) {
        union { const void *from; void *to; } u = { .from = t->data }; // read only, see ref_float.h
        out->dtype = t->dtype;
        out->rank = t->rank;
        memcpy(out->dims, t->dims, sizeof out->dims);
        out->data = u.to;
    }
    return out->data != NULL;
}

// The values of all inputs, each of at most `limit` elements; false: one of them is not known.
static bool input_values(struct shape_run *s, const struct node *n, int64_t limit, struct array *in, const struct array **at)
{
    for (int k = 0; k < n->n_in; k++) {
        if (!n->in[k])
            continue;
        if (!shape_value(s, n->in[k], &in[k]) || tensor_count(n->in[k]) > limit)
            return false;
        at[k] = &in[k];
    }
    return true;
}

// Computes the outputs of a node whose inputs are all known and small. Shape and Size know their result from the input's
// shape alone.
static bool follow(struct shape_run *s, const struct node *n)
{
    bool of_shape = n->op == OP_Shape || n->op == OP_Size;
    if (s->running || !ref_float_supports(n->op) || n->op == OP_DequantizeLinear || n->op == OP_Einsum || ref_float_is_random(n->op))
        return true;
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k] && (n->out[k]->rank < 0 || tensor_count(n->out[k]) > MAX_FOLLOWED || (n->out[k]->index < s->n_values && s->values[n->out[k]->index].data)))
            return true;
    struct array *in = arena_array(s->g->arena, struct array, n->n_in + n->n_out), *out = in + n->n_in;
    const struct array **at = arena_array(s->g->arena, const struct array *, n->n_in + 1);
    if (of_shape) {
        in[0] = (struct array){ .dtype = n->in[0]->dtype, .rank = n->in[0]->rank };
        memcpy(in[0].dims, n->in[0]->dims, sizeof in[0].dims);
        at[0] = in;
    } else if (!input_values(s, n, MAX_FOLLOWED, in, at)) {
        return true;
    }
    int64_t budget = SHAPE_BUDGET;
    if (!ref_float_node_within(s->cx, s->g, n, s->g->arena, at, out, &budget))
        return false;
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k])
            s->values[n->out[k]->index] = out[k];
    return true;
}

bool shape_by_value(struct shape_run *s, struct node *n)
{
    if (s->running)
        return true;
    struct array *in = arena_array(s->g->arena, struct array, n->n_in + n->n_out), *out = in + n->n_in;
    const struct array **at = arena_array(s->g->arena, const struct array *, n->n_in + 1);
    if (ref_float_is_random(n->op) || !input_values(s, n, MAX_ELEMENTS, in, at))
        return diag_error(s->cx, E206, at_node(s->g, n), "`aihls run --float` runs such models; for hardware, shapes must be fixed",
                          "the shape of the result follows from what is computed at run time");
    int64_t budget = SHAPE_BUDGET;
    if (!ref_float_node_within(s->cx, s->g, n, s->g->arena, at, out, &budget))
        return false;
    for (int k = 0; k < n->n_out; k++) {
        if (!n->out[k])
            continue;
        if (!shape_set(s, n, k, out[k].dtype, out[k].rank, out[k].dims))
            return false;
        s->values[n->out[k]->index] = out[k];
    }
    return true;
}

static bool inputs_typed(const struct node *n)
{
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && (n->in[k]->dtype == DT_NONE || n->in[k]->rank < 0))
            return false;
    return true;
}

static bool infer_node(struct shape_run *s, struct node *n)
{
    bool known = true;
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k]) { // from an earlier run
            n->out[k]->dtype = DT_NONE;
            n->out[k]->rank = -1;
        }
    if (!inputs_typed(n)) // its producer was reported
        return false;
    bool ok = (n->op != OP_QLinearConcat || check_qlinear(s, n)) && shape_move(s, n, &known);
    if (ok && !known)
        ok = shape_index(s, n, &known);
    if (ok && !known)
        ok = shape_nn(s, n, &known);
    if (ok && !known)
        ok = compute(s, n);
    return ok && follow(s, n);
}

// Room for the tensors that placing a body has added.
static void grow_values(struct shape_run *s)
{
    if (s->g->n_tensors > s->cap_values) {
        s->cap_values = 2 * s->g->n_tensors;
        struct array *grown = arena_array(s->g->arena, struct array, s->cap_values);
        if (s->n_values)
            memcpy(grown, s->values, (size_t)s->n_values * sizeof *grown);
        s->values = grown;
    }
    s->n_values = s->g->n_tensors;
}

bool shape_infer(const struct ctx *cx, struct graph *g)
{
    struct shape_run s = { .cx = cx, .g = g, .n_values = g->n_tensors };
    bool ok = true;
    s.values = arena_array(g->arena, struct array, g->n_tensors);
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i]->rank < 0 || g->inputs[i]->dtype == DT_NONE)
            ok = diag_error(cx, E205, at_tensor(g, g->inputs[i]), NULL, "the input has no known shape");
    for (int i = 0; i < g->n_nodes;) {
        if (inputs_typed(g->nodes[i]) && shape_place_body(&s, g->nodes[i])) { // go on with the first node of the body
            grow_values(&s);
            continue;
        }
        ok = infer_node(&s, g->nodes[i++]) && ok;
    }
    return ok;
}

bool shape_infer_running(const struct ctx *cx, struct graph *g, struct node *n, struct array *values)
{
    struct shape_run s = { .cx = cx, .g = g, .values = values, .n_values = g->n_tensors, .running = true };
    return infer_node(&s, n);
}

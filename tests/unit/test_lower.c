// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/lower*.c and the operators of sim/ref_int.c: each model is evaluated twice, by the integer pipeline
// between its borders, and node by node in float64 by the few loops below, which share no code with aihls.
// Both must give the same integers, except where the float64 value lies on a rounding tie.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/lower.h"
#include "dataflow/quant.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_int.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 4
// A multiplier of 24 bits is off by 2^-25 of at most some 400 steps, its bias by as much.
#define TIE 4e-5

static struct arena arena;
static struct strbuf messages;
static struct diag diag;
static struct ctx cx;
static uint32_t seed;

static int setup(void)
{
    arena_init(&arena);
    messages = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &messages };
    cx = (struct ctx){ &arena, &diag };
    seed = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    strbuf_release(&messages);
    return 0;
}

static int random_int(int lo, int hi) // both included
{
    seed = seed * 1664525u + 1013904223u; // Numerical Recipes' "quick and dirty" generator
    return lo + (int)((seed >> 8) % (uint32_t)(hi - lo + 1));
}

// ---- float64 evaluation ----

struct value {
    int rank;
    int64_t d[MAX_RANK], n;
    double *v;
};

static struct value *values; // by tensor index

static struct value value_new(const struct tensor *t)
{
    struct value x = { .rank = t->rank, .n = tensor_count(t) };
    memcpy(x.d, t->dims, sizeof x.d);
    x.v = arena_array(&arena, double, x.n + 1);
    return x;
}

static struct value read_value(const struct tensor *t)
{
    if (!t->data)
        return values[t->index];
    struct value x = value_new(t);
    for (int64_t i = 0; i < x.n; i++)
        x.v[i] = tensor_const_f64(t, i);
    return x;
}

// Scale or zero point of element i of a tensor that node n quantizes or dequantizes.
static double param_at(const struct node *n, int k, int64_t i)
{
    if (n->n_in <= k || !n->in[k])
        return 0;
    const struct tensor *p = n->in[k], *x = n->in[0];
    int64_t count = tensor_count(p), inner = 1;
    if (count == 1)
        return tensor_const_f64(p, 0);
    for (int d = (int)node_int(n, "axis", 1) + 1; d < x->rank; d++)
        inner *= x->dims[d];
    return tensor_const_f64(p, i / inner % count);
}

static int64_t int_of(const struct node *n, const char *name, int i, int64_t fallback)
{
    const struct attr *a = node_attr(n, name);
    return a ? a->ints[i] : fallback;
}

struct axis { int64_t kernel, stride, pad, dilation; };

static struct axis axis_at(const struct node *n, int spatial, int i, int64_t kernel)
{
    return (struct axis){ kernel, int_of(n, "strides", i, 1), int_of(n, "pads", i, 0), int_of(n, "dilations", i, 1) };
    (void)spatial;
}

enum window_kind { WINDOW_CONV, WINDOW_MAX, WINDOW_AVERAGE };

// Convolution and pools over [1, C, (H,) W]; a missing H is one row.
static void eval_window(const struct node *n, struct value *y, enum window_kind kind)
{
    struct value x = read_value(n->in[0]), w = kind == WINDOW_CONV ? read_value(n->in[1]) : x;
    int s = x.rank - 2;
    bool two = s == 2, global = n->op == OP_GlobalAveragePool || n->op == OP_GlobalMaxPool;
    int64_t ih = two ? x.d[2] : 1, iw = x.d[x.rank - 1], oh = two ? y->d[2] : 1, ow = y->d[y->rank - 1], group = kind == WINDOW_CONV ? node_int(n, "group", 1) : x.d[1];
    int64_t kh = !two ? 1 : kind == WINDOW_CONV ? w.d[2] : global ? ih : int_of(n, "kernel_shape", 0, 1);
    int64_t kw = kind == WINDOW_CONV ? w.d[w.rank - 1] : global ? iw : int_of(n, "kernel_shape", s - 1, 1);
    struct axis ay = two ? axis_at(n, s, 0, kh) : (struct axis){ 1, 1, 0, 1 }, ax = axis_at(n, s, s - 1, kw);
    int64_t cig = x.d[1] / group, mg = y->d[1] / group;
    for (int64_t m = 0; m < y->d[1]; m++)
        for (int64_t o = 0; o < oh * ow; o++) {
            double sum = kind == WINDOW_MAX ? -INFINITY : 0;
            for (int64_t k = 0; k < cig * kh * kw; k++) {
                int64_t ci = k / (kh * kw), iy = o / ow * ay.stride - ay.pad + k / kw % kh * ay.dilation, ix = o % ow * ax.stride - ax.pad + k % kw * ax.dilation;
                if (iy < 0 || iy >= ih || ix < 0 || ix >= iw)
                    continue;
                double v = x.v[((m / mg * cig + ci) * ih + iy) * iw + ix];
                sum = kind == WINDOW_MAX ? fmax(sum, v) : sum + (kind == WINDOW_CONV ? v * w.v[m * cig * kh * kw + k] : v);
            }
            if (kind == WINDOW_CONV && n->n_in > 2)
                sum += read_value(n->in[2]).v[m];
            y->v[m * oh * ow + o] = kind == WINDOW_AVERAGE ? sum / (double)(kh * kw) : sum;
        }
}

static void eval_matrix(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]), w = read_value(n->in[1]);
    bool gemm = n->op == OP_Gemm, turned = gemm && node_int(n, "transB", 0);
    int64_t cols = y->d[y->rank - 1], inner = x.d[x.rank - 1];
    for (int64_t i = 0; i < y->n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += x.v[i / cols * inner + k] * w.v[turned ? i % cols * inner + k : k * cols + i % cols];
        y->v[i] = sum * (gemm ? (double)node_float(n, "alpha", 1) : 1);
        if (gemm && n->n_in > 2) {
            struct value c = read_value(n->in[2]);
            y->v[i] += (double)node_float(n, "beta", 1) * c.v[c.n == 1 ? 0 : i % cols];
        }
    }
}

static void eval_transpose(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]);
    for (int64_t i = 0; i < x.n; i++) {
        int64_t at[MAX_RANK], rest = i, to = 0;
        for (int d = x.rank - 1; d >= 0; d--) {
            at[d] = rest % x.d[d];
            rest /= x.d[d];
        }
        for (int d = 0; d < x.rank; d++)
            to = to * y->d[d] + at[int_of(n, "perm", d, x.rank - 1 - d)];
        y->v[to] = x.v[i];
    }
}

static double eval_element(const struct node *n, double x)
{
    switch ((int)n->op) {
    case OP_Relu: return x > 0 ? x : 0;
    case OP_Sigmoid: return 1 / (1 + exp(-x));
    case OP_Tanh: return tanh(x);
    case OP_LeakyRelu: return x < 0 ? x * (double)node_float(n, "alpha", 0.01f) : x;
    case OP_HardSwish: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case OP_Abs: return fabs(x);
    case OP_Exp: return exp(x);
    default: return x; // Reshape, Flatten, Identity and the like
    }
}

static double eval_two(enum op op, double a, double b)
{
    return op == OP_Add ? a + b : op == OP_Sub ? a - b : op == OP_Mul ? a * b : op == OP_Div ? a / b : pow(a, b);
}

static void eval_node(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]), b;
    const double low = n->out[0]->dtype == DT_UINT8 ? 0 : -128;
    switch ((int)n->op) {
    case OP_Conv: eval_window(n, y, WINDOW_CONV); return;
    case OP_MaxPool:
    case OP_GlobalMaxPool: eval_window(n, y, WINDOW_MAX); return;
    case OP_AveragePool:
    case OP_GlobalAveragePool: eval_window(n, y, WINDOW_AVERAGE); return;
    case OP_Gemm:
    case OP_MatMul: eval_matrix(n, y); return;
    case OP_Transpose: eval_transpose(n, y); return;
    case OP_Add: case OP_Sub: case OP_Mul: case OP_Div: case OP_Pow:
        b = read_value(n->in[1]);
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = eval_two(n->op, x.v[x.n == 1 ? 0 : i], b.v[b.n == 1 ? 0 : i]);
        return;
    case OP_Clip:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = fmin(fmax(x.v[i], n->n_in > 1 && n->in[1] ? tensor_const_f64(n->in[1], 0) : -INFINITY),
                           n->n_in > 2 && n->in[2] ? tensor_const_f64(n->in[2], 0) : INFINITY);
        return;
    case OP_DequantizeLinear:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = (x.v[i] - param_at(n, 2, i)) * param_at(n, 1, i);
        return;
    case OP_QuantizeLinear:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = fmin(fmax(nearbyint(x.v[i] / param_at(n, 1, i)) + param_at(n, 2, i), low), low + 255);
        return;
    default:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = eval_element(n, x.v[i]);
    }
}

// ---- models ----

static struct model *m;

// NAME_s and NAME_z, a QuantizeLinear NAME -> NAME_q and a DequantizeLinear NAME_q -> NAME_d.
static void qdq(const char *name, float scale, int zero_point, enum dtype t)
{
    uint8_t z = (uint8_t)zero_point;
    model_f32(m, arena_printf(&arena, "%s_s", name), 0, NULL, &scale);
    model_raw(m, arena_printf(&arena, "%s_z", name), (int)t, 0, NULL, 1, &z);
    model_node(m, "QuantizeLinear", arena_printf(&arena, "%s %s_s %s_z", name, name, name), arena_printf(&arena, "%s_q", name));
    model_node(m, "DequantizeLinear", arena_printf(&arena, "%s_q %s_s %s_z", name, name, name), arena_printf(&arena, "%s_d", name));
}

static void input(int rank, const int64_t *dims, float scale, int zero_point, enum dtype t)
{
    model_input(m, "x", DT_FLOAT, rank, dims);
    qdq("x", scale, zero_point, t);
}

// Random weights NAME_i, behind a DequantizeLinear NAME with `scales` scales along `axis`.
static void weights(const char *name, int rank, const int64_t *dims, int scales, int axis, enum dtype t, bool zero_points)
{
    int64_t count = 1, n_scales = scales;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    uint8_t *q = arena_array(&arena, uint8_t, count), *z = arena_array(&arena, uint8_t, scales);
    float *s = arena_array(&arena, float, scales);
    for (int64_t i = 0; i < count; i++)
        q[i] = (uint8_t)random_int(-128, 127);
    for (int i = 0; i < scales; i++) {
        s[i] = (float)random_int(100, 999) * 1e-5f;
        z[i] = (uint8_t)(zero_points ? random_int(0, 90) : 0);
    }
    model_raw(m, arena_printf(&arena, "%s_i", name), (int)t, rank, dims, (size_t)count, q);
    model_f32(m, arena_printf(&arena, "%s_s", name), scales > 1, &n_scales, s);
    model_raw(m, arena_printf(&arena, "%s_z", name), (int)t, scales > 1, &n_scales, (size_t)scales, z);
    model_node(m, "DequantizeLinear", arena_printf(&arena, "%s_i %s_s %s_z", name, name, name), name);
    model_int(m, "axis", axis);
}

// A bias in whole accumulator steps: int32 with the scales in_scale * weight scale, in float32 as exporters do.
static void bias_float(const char *name, int n)
{
    int64_t dims = n;
    float *v = arena_array(&arena, float, n);
    for (int i = 0; i < n; i++)
        v[i] = (float)random_int(-4, 4) * 0.5f;
    model_f32(m, name, 1, &dims, v);
}

static void output(const char *name)
{
    model_output(m, name);
}

#define I8 DT_INT8
#define U8 DT_UINT8

static void conv_same(void)
{
    input(4, DIMS(1, 3, 6, 5), 0.05f, 3, I8);
    weights("w", 4, DIMS(4, 3, 3, 3), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("y", 0.11f, -5, I8);
}

static void conv_strided_relu(void)
{
    input(4, DIMS(1, 2, 9, 8), 0.03f, -128, I8);
    weights("w", 4, DIMS(5, 2, 3, 2), 5, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    model_ints(m, "strides", 2, DIMS(2, 3));
    model_ints(m, "pads", 4, DIMS(0, 1, 2, 1));
    model_node(m, "Relu", "c", "y");
    qdq("y", 0.04f, -120, I8);
}

static void conv_grouped_dilated(void)
{
    input(4, DIMS(1, 6, 8, 9), 0.05f, 7, I8);
    weights("w", 4, DIMS(4, 3, 2, 3), 1, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_ints(m, "dilations", 2, DIMS(2, 3));
    model_int(m, "group", 2);
    qdq("y", 0.2f, 1, I8);
}

static void conv_depthwise_u8(void)
{
    input(4, DIMS(1, 5, 7, 7), 0.02f, 130, U8);
    weights("w", 4, DIMS(5, 1, 3, 3), 5, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_int(m, "group", 5);
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_ints(m, "strides", 2, DIMS(2, 2));
    qdq("y", 0.03f, 128, U8);
}

static void conv_depthwise_multiplier_2(void)
{
    input(4, DIMS(1, 3, 5, 5), 0.02f, 0, I8);
    weights("w", 4, DIMS(6, 1, 3, 3), 6, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_int(m, "group", 3);
    qdq("y", 0.06f, 2, I8);
}

static void conv_u8_weights(void)
{
    input(4, DIMS(1, 4, 4, 4), 0.02f, 100, U8);
    weights("w", 4, DIMS(3, 4, 2, 2), 3, 0, U8, true);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", 0.3f, 90, U8);
}

static void conv_float_bias(void)
{
    input(4, DIMS(1, 4, 3, 3), 0.0078125f, 4, I8);
    float s = 0.00390625f; // powers of two: the bias is a whole number of accumulator steps
    int8_t q[8] = { 127, -127, 3, 4, -5, 66, -128, 1 };
    model_raw(m, "w_i", I8, 4, DIMS(2, 4, 1, 1), 8, q);
    model_f32(m, "w_s", 0, NULL, &s);
    model_node(m, "DequantizeLinear", "w_i w_s", "w");
    bias_float("b", 2);
    model_node(m, "Conv", "x_d w b", "y");
    qdq("y", 0.01f, 0, I8);
}

static void conv_1d(void)
{
    input(3, DIMS(1, 3, 17), 0.04f, -7, I8);
    weights("w", 3, DIMS(4, 3, 5), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_ints(m, "strides", 1, DIMS(2));
    model_ints(m, "pads", 2, DIMS(2, 1));
    model_ints(m, "dilations", 1, DIMS(2));
    qdq("y", 0.1f, 5, I8);
}

static void conv_1d_pointwise_depthwise(void)
{
    input(3, DIMS(1, 4, 11), 0.04f, 128, U8);
    weights("w", 3, DIMS(6, 4, 1), 1, 0, I8, false);
    weights("v", 3, DIMS(6, 1, 3), 6, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    model_node(m, "Relu", "c", "a");
    qdq("a", 0.0625f, 0, U8);
    model_node(m, "Conv", "a_d v", "y");
    model_int(m, "group", 6);
    model_ints(m, "pads", 2, DIMS(1, 1));
    qdq("y", 0.1f, 120, U8);
}

static void conv_relu6(void)
{
    float lo = 0, hi = 6;
    model_f32(m, "lo", 0, NULL, &lo);
    model_f32(m, "hi", 0, NULL, &hi);
    input(4, DIMS(1, 3, 5, 5), 0.1f, 0, I8);
    weights("w", 4, DIMS(4, 3, 1, 1), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    model_node(m, "Clip", "c lo hi", "y");
    qdq("y", 0.04f, -100, I8); // 6 is below the top of the range: the clamp must cut
}

static void conv_two_clips(void) // Clip(-3, 1) of Clip(-1, 4) is Clip(-1, 1)
{
    const float v[4] = { -1, 4, -3, 1 };
    static const char *const names[4] = { "a0", "a1", "b0", "b1" };
    for (int i = 0; i < 4; i++)
        model_f32(m, names[i], 0, NULL, &v[i]);
    input(4, DIMS(1, 3, 5, 5), 0.1f, 0, I8);
    weights("w", 4, DIMS(4, 3, 1, 1), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    model_node(m, "Clip", "c a0 a1", "k");
    model_node(m, "Clip", "k b0 b1", "y");
    qdq("y", 0.03f, 10, I8);
}

static void gemm(bool turned, int scales)
{
    float alpha = 0.5f, beta = 2;
    input(2, DIMS(1, 12), 0.05f, 9, I8);
    weights("w", 2, turned ? DIMS(7, 12) : DIMS(12, 7), scales, turned ? 0 : 1, I8, false);
    bias_float("b", 7);
    model_node(m, "Gemm", "x_d w b", "y");
    model_float(m, "alpha", alpha);
    model_float(m, "beta", beta);
    model_int(m, "transB", turned);
    qdq("y", 0.0625f, 3, I8);
}

static void gemm_turned(void) { gemm(true, 7); }
static void gemm_straight(void) { gemm(false, 7); }
static void gemm_one_scale(void) { gemm(false, 1); }

static void matmul_rows(void)
{
    input(2, DIMS(6, 5), 0.05f, 200, U8);
    weights("w", 2, DIMS(5, 3), 3, 1, I8, false);
    model_node(m, "MatMul", "x_d w", "y");
    qdq("y", 0.05f, 100, U8);
}

static void conv_then(const char *out_scale_name)
{
    input(4, DIMS(1, 2, 5, 4), 0.05f, 3, I8);
    weights("w", 4, DIMS(3, 2, 2, 2), 3, 0, I8, false);
    model_node(m, "Conv", "x_d w", out_scale_name);
    qdq(out_scale_name, 0.0703125f, -4, I8); // [1, 3, 4, 3]
}

static void flatten_gemm(void)
{
    conv_then("c");
    weights("v", 2, DIMS(36, 5), 5, 1, I8, false);
    model_node(m, "Flatten", "c_d", "f");
    model_node(m, "Gemm", "f v", "y");
    qdq("y", 0.2f, 0, I8);
}

static void transpose_reshape_gemm(void)
{
    conv_then("c");
    weights("v", 2, DIMS(5, 36), 5, 0, I8, false);
    model_i64(m, "shape", 2, DIMS(1, 36));
    model_node(m, "Transpose", "c_d", "t");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2)); // W, C, H: an order of its own
    model_node(m, "Reshape", "t shape", "f");
    model_node(m, "Gemm", "f v", "y");
    model_int(m, "transB", 1);
    qdq("y", 0.2f, 0, I8);
}

static void nhwc_input(void) // the Transpose stands between the input's quantization and the Conv
{
    input(4, DIMS(1, 5, 4, 3), 0.05f, 3, U8);
    weights("w", 4, DIMS(4, 3, 2, 2), 4, 0, I8, false);
    model_node(m, "Transpose", "x_d", "t");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2));
    model_node(m, "Conv", "t w", "c");
    model_node(m, "Transpose", "c", "y");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    qdq("y", 0.09f, 80, U8);
}

static void input_to_gemm_and_conv_order(void) // the flat input's order is decided by the matrix
{
    input(4, DIMS(1, 2, 3, 3), 0.05f, 3, I8);
    weights("w", 2, DIMS(18, 4), 4, 1, I8, false);
    model_node(m, "Flatten", "x_d", "f");
    model_node(m, "MatMul", "f w", "y");
    qdq("y", 0.09f, 0, I8);
}

static void add_residual(void)
{
    conv_then("c");
    weights("v", 4, DIMS(3, 3, 3, 3), 3, 0, I8, false);
    model_node(m, "Conv", "c_d v", "k");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("k", 0.21f, 11, I8);
    model_node(m, "Add", "k_d c_d", "a");
    model_node(m, "Relu", "a", "y");
    qdq("y", 0.0371f, -128, I8);
}

static void add_extreme_scales(void)
{
    input(4, DIMS(1, 3, 4, 4), 0.001f, 100, U8);
    weights("w", 4, DIMS(3, 3, 1, 1), 1, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    qdq("c", 1.7e-5f, 7, U8);
    model_node(m, "Add", "x_d c_d", "y");
    qdq("y", 0.00097f, 99, U8);
}

static void add_to_itself(void)
{
    conv_then("c");
    model_node(m, "Add", "c_d c_d", "y");
    qdq("y", 0.17f, 5, I8);
}

static void maxpool(float out_scale, int out_zero, bool relu)
{
    input(4, DIMS(1, 3, 7, 6), 0.05f, 60, U8);
    model_node(m, "MaxPool", "x_d", relu ? "p" : "y");
    model_ints(m, "kernel_shape", 2, DIMS(3, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_ints(m, "pads", 4, DIMS(1, 0, 1, 1));
    if (relu)
        model_node(m, "Relu", "p", "y");
    qdq("y", out_scale, out_zero, U8);
}

static void maxpool_same_scale(void) { maxpool(0.05f, 60, false); }
static void maxpool_other_scale(void) { maxpool(0.0303f, 10, false); }
static void maxpool_relu(void) { maxpool(0.05f, 60, true); }

static void maxpool_1d(void)
{
    input(3, DIMS(1, 3, 13), 0.05f, -60, I8);
    model_node(m, "MaxPool", "x_d", "y");
    model_ints(m, "kernel_shape", 1, DIMS(3));
    model_ints(m, "strides", 1, DIMS(2));
    model_int(m, "ceil_mode", 1);
    qdq("y", 0.05f, -60, I8);
}

static void global(const char *op, float scale)
{
    input(4, DIMS(1, 5, 3, 4), 0.05f, 60, U8);
    model_node(m, op, "x_d", "y");
    qdq("y", scale, 17, U8);
}

static void global_average(void) { global("GlobalAveragePool", 0.0302f); }
static void global_max(void) { global("GlobalMaxPool", 0.0302f); }

// One average over the top left 5 x 4 of an 8 x 7 image: what is left cannot hold another window.
static void average_of_a_part(void)
{
    input(4, DIMS(1, 3, 8, 7), 0.05f, -3, I8);
    model_node(m, "AveragePool", "x_d", "y");
    model_ints(m, "kernel_shape", 2, DIMS(5, 4));
    model_ints(m, "strides", 2, DIMS(4, 4));
    qdq("y", 0.0107f, 4, I8);
}

static void average_windows(void)
{
    input(4, DIMS(1, 3, 6, 7), 0.05f, -3, I8);
    model_node(m, "AveragePool", "x_d", "y");
    model_ints(m, "kernel_shape", 2, DIMS(3, 3));
    model_ints(m, "strides", 2, DIMS(2, 1));
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_int(m, "count_include_pad", 1);
    qdq("y", 0.0357f, 4, I8);
}

static void average_1d_relu(void)
{
    input(3, DIMS(1, 4, 9), 0.05f, 100, U8);
    model_node(m, "AveragePool", "x_d", "p");
    model_ints(m, "kernel_shape", 1, DIMS(3));
    model_node(m, "Relu", "p", "y");
    qdq("y", 0.031f, 33, U8);
}

static void table(const char *op)
{
    input(4, DIMS(1, 4, 8, 8), 0.047f, 13, I8);
    model_node(m, op, "x_d", "y");
    qdq("y", 0.0123f, -40, I8);
}

static void table_sigmoid(void) { table("Sigmoid"); }
static void table_tanh(void) { table("Tanh"); }
static void table_leaky(void) { table("LeakyRelu"); }
static void table_hardswish(void) { table("HardSwish"); }
static void table_requantize(void) { table("Identity"); }
static void table_relu(void) { table("Relu"); }

// Swish-like chain with constants on both sides, a clip in the middle and one at the end.
static void table_chain(void)
{
    const float v[6] = { 1.5f, 0.25f, -0.5f, 0.9f, 0.1f, 3 };
    static const char *const names[6] = { "k0", "k1", "lo", "hi", "k4", "k5" };
    for (int i = 0; i < 6; i++)
        model_f32(m, names[i], 0, NULL, &v[i]);
    input(2, DIMS(1, 256), 0.02f, 100, U8);
    model_node(m, "Mul", "x_d k0", "a");
    model_node(m, "Sub", "k1 a", "b");
    model_node(m, "Tanh", "b", "c");
    model_node(m, "Clip", "c lo hi", "d");
    model_node(m, "Exp", "d", "e");
    model_node(m, "Div", "e k5", "f");
    model_node(m, "Clip", "f k4", "y");
    qdq("y", 0.0041f, 3, U8);
}

static void several_layers(void)
{
    conv_then("c");
    model_node(m, "Sigmoid", "c_d", "s");
    qdq("s", 0.00390625f, -128, I8);
    model_node(m, "MaxPool", "s_d", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    qdq("p", 0.00390625f, -128, I8);
    model_node(m, "GlobalAveragePool", "p_d", "g");
    qdq("g", 0.0041f, -120, I8);
    weights("v", 2, DIMS(3, 6), 1, 0, I8, false);
    model_node(m, "Flatten", "g_d", "f");
    model_node(m, "MatMul", "f v", "y");
    qdq("y", 0.02f, 0, I8);
}

static const struct row {
    const char *name;
    void (*build)(void);
    enum stage_kind last; // kind of the last stage
    int stages;
} rows[] = {
    { "Conv with padding and a scale per channel", conv_same, STAGE_CONV, 1 },
    { "Conv with strides, uneven pads and Relu as a clamp", conv_strided_relu, STAGE_CONV, 1 },
    { "Conv in groups, dilated", conv_grouped_dilated, STAGE_CONV, 1 },
    { "depthwise Conv from uint8 to uint8", conv_depthwise_u8, STAGE_DW, 1 },
    { "depthwise Conv with two outputs a channel is a grouped one", conv_depthwise_multiplier_2, STAGE_CONV, 1 },
    { "Conv with uint8 weights and zero points", conv_u8_weights, STAGE_CONV, 1 },
    { "Conv with a float bias", conv_float_bias, STAGE_CONV, 1 },
    { "1-D Conv with stride, pads and dilation", conv_1d, STAGE_CONV, 1 },
    { "1-D pointwise and depthwise Conv", conv_1d_pointwise_depthwise, STAGE_DW, 2 },
    { "Clip to 0..6 behind a Conv cuts inside the output's range", conv_relu6, STAGE_CONV, 1 },
    { "two Clips behind a Conv are one", conv_two_clips, STAGE_CONV, 1 },
    { "Gemm with transB, alpha, beta and bias", gemm_turned, STAGE_CONV, 1 },
    { "Gemm without transB", gemm_straight, STAGE_CONV, 1 },
    { "Gemm with one weight scale", gemm_one_scale, STAGE_CONV, 1 },
    { "MatMul over rows of uint8", matmul_rows, STAGE_CONV, 1 },
    { "Flatten permutes the weights of the Gemm behind it", flatten_gemm, STAGE_CONV, 2 },
    { "Transpose and Reshape permute the weights of the Gemm behind them", transpose_reshape_gemm, STAGE_CONV, 2 },
    { "NHWC on both sides of a Conv", nhwc_input, STAGE_CONV, 1 },
    { "Flatten of the input costs nothing", input_to_gemm_and_conv_order, STAGE_CONV, 1 },
    { "residual Add of two scales, with Relu", add_residual, STAGE_ADD, 3 },
    { "Add of scales that differ sixtyfold", add_extreme_scales, STAGE_ADD, 2 },
    { "Add of a tensor to itself", add_to_itself, STAGE_ADD, 2 },
    { "MaxPool that keeps its scale is one stage", maxpool_same_scale, STAGE_DW, 1 },
    { "MaxPool with another output scale needs a table", maxpool_other_scale, STAGE_TABLE, 2 },
    { "MaxPool with Relu needs a table", maxpool_relu, STAGE_TABLE, 2 },
    { "1-D MaxPool with a window beyond the edge", maxpool_1d, STAGE_DW, 1 },
    { "GlobalAveragePool", global_average, STAGE_GAP, 1 },
    { "GlobalMaxPool", global_max, STAGE_TABLE, 2 },
    { "average of the top left part of an image", average_of_a_part, STAGE_GAP, 1 },
    { "AveragePool of padded windows", average_windows, STAGE_DW, 1 },
    { "1-D AveragePool with Relu", average_1d_relu, STAGE_DW, 1 },
    { "Sigmoid as a table", table_sigmoid, STAGE_TABLE, 1 },
    { "Tanh as a table", table_tanh, STAGE_TABLE, 1 },
    { "LeakyRelu as a table", table_leaky, STAGE_TABLE, 1 },
    { "HardSwish as a table", table_hardswish, STAGE_TABLE, 1 },
    { "another scale for the same values is a table", table_requantize, STAGE_TABLE, 1 },
    { "Relu alone is a table", table_relu, STAGE_TABLE, 1 },
    { "a chain of functions is one table", table_chain, STAGE_TABLE, 1 },
    { "layers of every kind in a row", several_layers, STAGE_CONV, 5 },
};

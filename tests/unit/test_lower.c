// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/lower*.c and the operators of sim/ref_int.c: the integer pipeline between its borders must give what a
// float64 evaluation of the model gives (tests/support/qdq.h), except where that lies on a rounding tie.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "sim/ref_int.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
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

// An axis of one element has no stride: every tap makes its own output.
static void conv_transpose_of_a_pixel(void)
{
    input(4, DIMS(1, 5, 1, 1), 0.05f, 3, I8);
    weights("w", 4, DIMS(5, 3, 4, 4), 1, 0, I8, false);
    model_node(m, "ConvTranspose", "x_d w", "y");
    qdq("y", 0.05f, -3, I8);
}

static void conv_transpose_of_a_pixel_with_strides(void)
{
    input(4, DIMS(1, 5, 1, 1), 0.05f, 3, I8);
    weights("w", 4, DIMS(5, 2, 3, 2), 1, 0, I8, false);
    model_node(m, "ConvTranspose", "x_d w", "y");
    model_ints(m, "strides", 2, DIMS(7, 65536));
    model_ints(m, "dilations", 2, DIMS(2, 3));
    model_ints(m, "pads", 4, DIMS(1, 0, 0, 1));
    model_ints(m, "output_padding", 2, DIMS(3, 2));
    qdq("y", 0.05f, -3, I8);
}

static void conv_transpose_of_a_row(void)
{
    input(4, DIMS(1, 4, 1, 5), 0.05f, 3, I8);
    weights("w", 4, DIMS(4, 1, 3, 3), 1, 0, I8, false);
    model_node(m, "ConvTranspose", "x_d w", "y");
    model_int(m, "group", 4);
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_ints(m, "pads", 4, DIMS(0, 1, 1, 1));
    qdq("y", 0.05f, -3, I8);
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

static void pool_of_integers(void) // no pair around the MaxPool, as in models of QLinear operators
{
    input(4, DIMS(1, 3, 7, 6), 0.05f, 120, U8);
    weights("w", 4, DIMS(4, 3, 1, 1), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "c");
    qdq("c", 0.05f, 130, U8);
    model_node(m, "MaxPool", "c_q", "p");
    model_ints(m, "kernel_shape", 2, DIMS(3, 3));
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "DequantizeLinear", "p c_s c_z", "d");
    weights("v", 4, DIMS(2, 4, 1, 1), 2, 0, I8, false);
    model_node(m, "Conv", "d v", "y");
    qdq("y", 0.02f, 9, I8);
}

static void pool_of_the_quantized_input(void)
{
    input(4, DIMS(1, 2, 6, 6), 0.05f, 3, I8);
    model_node(m, "MaxPool", "x_q", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_node(m, "DequantizeLinear", "p x_s x_z", "d");
    weights("w", 4, DIMS(4, 2, 1, 1), 4, 0, I8, false);
    model_node(m, "Conv", "d w", "y");
    qdq("y", 0.02f, 9, I8);
}

static void matmul_beyond_32_bits(void) // 70,000 products of 255 and -128 are less than -2^31
{
    enum { K = 70000, N = 8 };
    static uint8_t w[K * N];
    float s = 0.0009765625f;
    for (int i = 0; i < K * N; i++)
        w[i] = (uint8_t)(255 - 16 * (i % N));
    input(2, DIMS(1, K), 0.0625f, 0, I8);
    model_raw(m, "w_i", U8, 2, DIMS(K, N), sizeof w, w);
    model_f32(m, "w_s", 0, NULL, &s);
    model_node(m, "DequantizeLinear", "w_i w_s", "w");
    model_node(m, "MatMul", "x_d w", "y");
    qdq("y", 1100, 0, I8);
}

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

// Windows of two pixels four apart over an image of three: the middle ones see padding alone.
static void maxpool_hollow(void)
{
    input(4, DIMS(1, 3, 3, 5), 0.05f, 60, U8);
    model_node(m, "MaxPool", "x_d", "y");
    model_ints(m, "kernel_shape", 2, DIMS(2, 1));
    model_ints(m, "dilations", 2, DIMS(4, 1));
    model_ints(m, "pads", 4, DIMS(2, 0, 2, 0));
    qdq("y", 0.05f, 60, U8);
}

static void lp_pool(int rank, const int64_t *dims, enum dtype t, int zero_point, int64_t p)
{
    input(rank, dims, 0.05f, zero_point, t);
    model_node(m, "LpPool", "x_d", "y");
    model_int(m, "p", p);
}

static void lp_pool_2(void)
{
    lp_pool(4, DIMS(1, 3, 6, 8), I8, 3, 2);
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    qdq("y", 0.041f, -128, I8);
}

static void lp_pool_2_padded(void)
{
    lp_pool(4, DIMS(1, 5, 6, 7), U8, 200, 2);
    model_ints(m, "kernel_shape", 2, DIMS(3, 4));
    model_ints(m, "strides", 2, DIMS(2, 3));
    model_ints(m, "pads", 4, DIMS(1, 2, 2, 1));
    model_int(m, "ceil_mode", 1);
    qdq("y", 0.13f, 20, U8);
}

static void lp_pool_1_clipped(void)
{
    const float lo = 8, hi = 21;
    input(4, DIMS(1, 2, 5, 5), 0.02f, -128, I8);
    model_f32(m, "lo", 0, NULL, &lo);
    model_f32(m, "hi", 0, NULL, &hi);
    model_node(m, "LpPool", "x_d", "n");
    model_ints(m, "kernel_shape", 2, DIMS(2, 3));
    model_int(m, "p", 1);
    model_node(m, "Clip", "n lo hi", "y");
    qdq("y", 0.09f, -128, I8);
}

static void lp_pool_1d(void)
{
    lp_pool(3, DIMS(1, 4, 17), I8, 127, 2);
    model_ints(m, "kernel_shape", 1, DIMS(3));
    model_ints(m, "strides", 1, DIMS(4));
    qdq("y", 0.08f, -100, I8);
}

static void global_lp_pool(void)
{
    input(4, DIMS(1, 20, 3, 4), 0.05f, 60, U8);
    model_node(m, "GlobalLpPool", "x_d", "y");
    qdq("y", 0.13f, 0, U8);
}

static void global(const char *op, float scale)
{
    input(4, DIMS(1, 20, 2, 3), 0.05f, 60, U8);
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

static void table_requantize(void)
{
    input(4, DIMS(1, 4, 8, 8), 0.047f, 13, I8);
    qdq("x_d", 0.033f, 90, U8);
    weights("w", 4, DIMS(4, 4, 1, 1), 1, 0, I8, false);
    model_node(m, "Conv", "x_d_d w", "y");
    qdq("y", 0.1f, -40, I8);
}

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
    { "ConvTranspose of a pixel", conv_transpose_of_a_pixel, STAGE_CONV, 1 },
    { "ConvTranspose of a pixel, with strides that say nothing", conv_transpose_of_a_pixel_with_strides, STAGE_GATHER, 2 },
    { "depthwise ConvTranspose of a row", conv_transpose_of_a_row, STAGE_GATHER, 3 },
    { "Clip to 0..6 behind a Conv cuts inside the output's range", conv_relu6, STAGE_CONV, 1 },
    { "two Clips behind a Conv are one", conv_two_clips, STAGE_CONV, 1 },
    { "Gemm with transB, alpha, beta and bias", gemm_turned, STAGE_CONV, 1 },
    { "Gemm without transB", gemm_straight, STAGE_CONV, 1 },
    { "Gemm with one weight scale", gemm_one_scale, STAGE_CONV, 1 },
    { "MaxPool of integers between two Convs", pool_of_integers, STAGE_CONV, 3 },
    { "MaxPool of the quantized input", pool_of_the_quantized_input, STAGE_CONV, 2 },
    { "MatMul whose sums leave 32 bits", matmul_beyond_32_bits, STAGE_CONV, 1 },
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
    { "MaxPool of windows in the padding alone", maxpool_hollow, STAGE_DW, 1 },
    { "LpPool of order 2", lp_pool_2, STAGE_DW, 1 },
    { "LpPool of order 2 whose windows hang over the edge", lp_pool_2_padded, STAGE_DW, 1 },
    { "LpPool of order 1 with a Clip", lp_pool_1_clipped, STAGE_DW, 1 },
    { "1-D LpPool whose windows leave elements out", lp_pool_1d, STAGE_DW, 1 },
    { "GlobalLpPool", global_lp_pool, STAGE_GAP, 1 },
    { "GlobalAveragePool", global_average, STAGE_GAP, 1 },
    { "GlobalMaxPool", global_max, STAGE_TABLE, 2 },
    { "average of the top left part of an image", average_of_a_part, STAGE_GAP, 1 },
    { "AveragePool of padded windows", average_windows, STAGE_DW, 1 },
    { "1-D AveragePool with Relu", average_1d_relu, STAGE_DW, 1 },
    { "Sigmoid as a table", table_sigmoid, STAGE_TABLE, 1 },
    { "Tanh as a table", table_tanh, STAGE_TABLE, 1 },
    { "LeakyRelu as a table", table_leaky, STAGE_TABLE, 1 },
    { "HardSwish as a table", table_hardswish, STAGE_TABLE, 1 },
    { "another scale for the same values is a table", table_requantize, STAGE_CONV, 2 },
    { "Relu alone is a table", table_relu, STAGE_TABLE, 1 },
    { "a chain of functions is one table", table_chain, STAGE_TABLE, 1 },
    { "layers of every kind in a row", several_layers, STAGE_CONV, 5 },
};

static void check_row(void **state)
{
    const struct row *r = *state;
    const struct graph *g = NULL;
    qdq_setup();
    r->build();
    model_output(m, "y_q");
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    struct tally t = compare(g, p);
    if (t.wrong)
        fail_msg("%lld elements differ", (long long)t.wrong);
    assert_true(t.distinct >= 8); // the outputs say something
    assert_int_equal(p->n_stages, r->stages);
    assert_int_equal(p->stages[p->n_stages - 1].kind, r->last);
}

static void coarser_modes_use_fewer_multiplier_bits(void **state)
{
    (void)state;
    static const int bits[] = { 24, 17, 1 };
    for (int mode = 0; mode < 3; mode++) {
        const struct graph *g = NULL;
        qdq_setup();
        conv_same();
        model_output(m, "y_q");
        struct pipeline *p = qdq_lower(&g, (enum requant_mode)mode);
        const struct requant *q = &p->stages[0].rq;
        assert_int_equal(q->mult_bits, bits[mode]);
        assert_int_equal(q->n, 4);
        for (int i = 0; i < q->n; i++)
            assert_int_equal(q->mult[i] >> (bits[mode] - 1), 1); // normalised
        struct tally t = compare(g, p);
        if (mode < 2) // 17 bits stay within a step; a shift may be off by a factor of sqrt(2)
            assert_int_equal(t.off_by_more, 0);
        else
            assert_true(t.wrong > 0);
        qdq_teardown(NULL);
    }
    qdq_setup();
}

// The border operators: float out, Softmax behind the pipeline, Transpose and more in front of it.
static void nodes_around_the_pipeline_run_on_the_host(void **state)
{
    (void)state;
    const struct graph *g = NULL;
    qdq_setup();
    model_input(m, "in", DT_FLOAT, 4, DIMS(1, 4, 4, 2));
    model_node(m, "Transpose", "in", "x");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2));
    qdq("x", 0.05f, 3, DT_INT8);
    weights("w", 4, DIMS(3, 2, 1, 1), 1, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w", "c");
    qdq("c", 0.07f, 0, DT_INT8);
    model_node(m, "Softmax", "c_d", "y");
    model_int(m, "axis", 1);
    model_output(m, "y");
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    assert_int_equal(p->n_stages, 1);
    struct array x = frame_of(g->inputs[0], &p->streams[0], 2), y;
    int8_t **streams = arena_array(&arena, int8_t *, p->n_streams);
    void *memory;
    assert_true(border_in(&cx, p, &arena, &x, streams, &memory));
    ref_int_frame(p, &arena, streams);
    assert_true(border_out(&cx, p, &arena, streams, memory, &y));
    const double *c = eval_float64(g, &x, g->outputs[0]->producer->in[0]); // what Softmax reads
    for (int64_t i = 0; i < 16; i++) {
        double sum = exp(c[i]) + exp(c[16 + i]) + exp(c[32 + i]);
        for (int k = 0; k < 3; k++)
            assert_true(fabs(array_f64(&y, 16 * k + i) - exp(c[16 * k + i]) / sum) < 1e-6);
    }
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 2] = {
        cmocka_unit_test_teardown(coarser_modes_use_fewer_multiplier_bits, qdq_teardown),
        cmocka_unit_test_teardown(nodes_around_the_pipeline_run_on_the_host, qdq_teardown),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 2] = (struct CMUnitTest){ rows[i].name, check_row, NULL, qdq_teardown, (void *)(uintptr_t)&rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

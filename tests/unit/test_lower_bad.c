// SPDX-License-Identifier: Apache-2.0
// Tests what dataflow/quant.c and dataflow/lower*.c refuse: one model each, its code and its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/quant.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define I8 DT_INT8

static void image(void) // x: an image of 2 channels, quantized
{
    input(4, DIMS(1, 2, 4, 4), 0.05f, 3, I8);
}

static void conv(const char *in, const char *out) // 2 to 2 channels, no padding
{
    weights(arena_printf(&arena, "%s_w", out), 4, DIMS(2, 2, 1, 1), 1, 0, I8, false);
    model_node(m, "Conv", arena_printf(&arena, "%s %s_w", in, out), out);
}

static void finish(void)
{
    qdq("y", 0.1f, 0, I8);
    model_output(m, "y_q");
}

static void sum_between_pairs(void)
{
    image();
    model_node(m, "ReduceSum", "x_d", "y");
    finish();
}

static void sum_behind_the_last_pair(void) // no border operator either
{
    image();
    conv("x_d", "c");
    qdq("c", 0.1f, 0, I8);
    model_node(m, "ReduceSum", "c_d", "y");
    model_output(m, "y");
}

static void lp_pool_of_order_3(void)
{
    image();
    model_node(m, "LpPool", "x_d", "y");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_int(m, "p", 3);
    finish();
}

static void hollow_maximum_requantized(void)
{
    input(4, DIMS(1, 1, 3, 3), 0.05f, 60, I8);
    model_node(m, "MaxPool", "x_d", "y");
    model_ints(m, "kernel_shape", 2, DIMS(2, 1));
    model_ints(m, "dilations", 2, DIMS(4, 1));
    model_ints(m, "pads", 4, DIMS(2, 0, 2, 0));
    finish();
}

static void concat_of_frames(void)
{
    image();
    model_node(m, "Concat", "x_d x_d", "y");
    model_int(m, "axis", 0);
    finish();
}

static void pad_beyond_the_range(void)
{
    float far = 1e6f;
    image();
    model_i64(m, "pads", 8, DIMS(0, 0, 1, 1, 0, 0, 1, 1));
    model_f32(m, "far", 0, NULL, &far);
    model_node(m, "Pad", "x_d pads far", "p");
    conv("p", "y");
    finish();
}

static void resize_by_a_fraction(void)
{
    image();
    model_f32(m, "factor", 1, DIMS(4), (float[]){ 1, 1, 1.5f, 1.5f });
    model_node(m, "Resize", "x_d - factor", "y");
    model_string(m, "mode", "linear");
    finish();
}

static void cubic_resize(void)
{
    image();
    model_f32(m, "factor", 1, DIMS(4), (float[]){ 1, 1, 2, 2 });
    model_node(m, "Resize", "x_d - factor", "y");
    model_string(m, "mode", "cubic");
    finish();
}

static void antialiased_resize(void)
{
    model_free(m);
    m = model_new(18);
    image();
    model_f32(m, "factor", 1, DIMS(4), (float[]){ 1, 1, 2, 2 });
    model_node(m, "Resize", "x_d - factor", "y");
    model_string(m, "mode", "linear");
    model_int(m, "antialias", 1);
    finish();
}

static void indices_of_a_pool(void)
{
    image();
    model_node(m, "MaxPool", "x_d", "y k");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_output(m, "k");
    finish();
}

static void resize_of_the_batch(void)
{
    image();
    model_f32(m, "factor", 1, DIMS(4), (float[]){ 2.5f, 1, 2, 2 });
    model_node(m, "Resize", "x_d - factor", "y");
    model_string(m, "mode", "linear");
    finish();
}

static void product_with_a_whole_image(void)
{
    image();
    weights("k", 4, DIMS(1, 2, 4, 4), 1, 0, I8, false);
    model_node(m, "Mul", "x_d k", "y");
    finish();
}

static void gemm_with(const char *attribute, int64_t v)
{
    input(2, DIMS(3, 3), 0.05f, 3, I8);
    weights("w", 2, DIMS(3, 3), 1, 0, I8, false);
    model_node(m, "Gemm", "x_d w", "y");
    if (strcmp(attribute, "alpha") == 0)
        model_float(m, attribute, (float)v);
    else
        model_int(m, attribute, v);
    finish();
}

static void gemm_trans_a(void) { gemm_with("transA", 1); }
static void gemm_negative_alpha(void) { gemm_with("alpha", -1); }

static void gemm_bias_per_row(void)
{
    input(2, DIMS(3, 4), 0.05f, 3, I8);
    weights("w", 2, DIMS(4, 2), 1, 0, I8, false);
    model_f32(m, "b", 2, DIMS(3, 1), (float[]){ 1, 2, 3 });
    model_node(m, "Gemm", "x_d w b", "y");
    finish();
}

static void gemm_bias_per_row_of_a_square(void) // as many rows as columns
{
    input(2, DIMS(3, 4), 0.05f, 3, I8);
    weights("w", 2, DIMS(4, 3), 1, 0, I8, false);
    model_f32(m, "b", 2, DIMS(3, 1), (float[]){ 1, 2, 3 });
    model_node(m, "Gemm", "x_d w b", "y");
    finish();
}

static void conv_of_two_images(void)
{
    input(4, DIMS(2, 2, 4, 4), 0.05f, 3, I8);
    conv("x_d", "y");
    finish();
}

static void pool_of_two_images(void)
{
    input(3, DIMS(2, 2, 4), 0.05f, 3, I8);
    model_node(m, "GlobalAveragePool", "x_d", "y");
    finish();
}

static void clip_of_integers(void)
{
    image();
    conv("x_d", "c");
    qdq("c", 0.1f, 0, I8);
    model_raw(m, "lo", I8, 0, NULL, 1, "\3");
    model_node(m, "Clip", "c_q lo", "k");
    model_node(m, "DequantizeLinear", "k c_s c_z", "d");
    conv("d", "y");
    finish();
}

static void pool_of_an_integer_input(void)
{
    float s = 0.1f;
    model_input(m, "x", I8, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "s", 0, NULL, &s);
    model_node(m, "MaxPool", "x", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_node(m, "DequantizeLinear", "p s", "d");
    conv("d", "y");
    finish();
}

static void computed_scale(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_node(m, "ReduceMean", "x", "mean");
    model_int(m, "keepdims", 0);
    model_node(m, "QuantizeLinear", "x mean", "q");
    model_node(m, "DequantizeLinear", "q mean", "d");
    conv("d", "y");
    finish();
}

static void product_of_activations(void)
{
    input(2, DIMS(3, 3), 0.05f, 3, I8);
    model_node(m, "MatMul", "x_d x_d", "y");
    finish();
}

static void add_of_a_constant(void)
{
    image();
    weights("k", 4, DIMS(1, 2, 4, 4), 1, 0, I8, false);
    model_node(m, "Add", "x_d k", "y");
    finish();
}

static void int32_input(void)
{
    float s = 0.1f;
    model_input(m, "x", DT_INT32, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "s", 0, NULL, &s);
    model_node(m, "DequantizeLinear", "x s", "d");
    conv("d", "y");
    finish();
}

static void weights_of_32_bits(void)
{
    float s = 0.1f;
    int32_t w[4] = { 1, -256, 256, 0 };
    image();
    model_raw(m, "i", DT_INT32, 4, DIMS(2, 2, 1, 1), sizeof w, w);
    model_f32(m, "s", 0, NULL, &s);
    model_node(m, "DequantizeLinear", "i s", "w");
    model_node(m, "Conv", "x_d w", "y");
    finish();
}

// Channels of eight rows cut anew: neither rows nor columns nor channels keep together.
static void reshape_between_convolutions(void)
{
    image();
    conv("x_d", "c");
    qdq("c", 0.1f, 0, I8);
    model_node(m, "Concat", "c_d c_d c_d", "three");
    model_int(m, "axis", 1);
    qdq("three", 0.1f, 0, I8);
    model_i64(m, "shape", 4, DIMS(1, 2, 4, -1));
    model_node(m, "Reshape", "three_d shape", "t");
    conv("t", "y");
    finish();
}

static void float_input_of_a_convolution(void)
{
    image();
    conv("x", "y");
    finish();
}

static void float_weights(void)
{
    image();
    model_f32(m, "w", 4, DIMS(1, 2, 1, 1), (float[]){ 1, 2 });
    model_node(m, "Conv", "x_d w", "y");
    finish();
}

static void function_behind_a_convolution(void)
{
    image();
    conv("x_d", "c");
    model_node(m, "Sigmoid", "c", "y");
    finish();
}

static void scales_per_activation_channel(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "s", 1, DIMS(2), (float[]){ 0.1f, 0.2f });
    model_node(m, "QuantizeLinear", "x s", "q");
    model_node(m, "DequantizeLinear", "q s", "d");
    conv("d", "y");
    finish();
}

static void scale_of(float s)
{
    input(4, DIMS(1, 2, 4, 4), s, 3, I8);
    conv("x_d", "y");
    finish();
}

static void zero_scale(void) { scale_of(0); }
static void negative_scale(void) { scale_of(-0.5f); }
static void infinite_scale(void) { scale_of(1.0f / 0.0f); }

static void scales_per_input_channel(void)
{
    image();
    weights("w", 4, DIMS(3, 2, 1, 1), 2, 1, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    finish();
}

static void output_scale_too_small(void)
{
    image();
    conv("x_d", "y");
    qdq("y", 1e-12f, 0, I8);
    model_output(m, "y_q");
}

static void add_scales_too_far_apart(void)
{
    image();
    model_node(m, "Add", "x_d x_d", "y");
    qdq("y", 0.0005f, 0, I8);
    model_output(m, "y_q");
}

static void bias_of(float steps)
{
    float one = 1;
    input(4, DIMS(1, 2, 4, 4), 1, 3, I8);
    model_f32(m, "s", 0, NULL, &one);
    model_raw(m, "i", I8, 4, DIMS(1, 2, 1, 1), 2, "ab");
    model_node(m, "DequantizeLinear", "i s", "w");
    model_f32(m, "b", 1, DIMS(1), &steps);
    model_node(m, "Conv", "x_d w b", "y");
    qdq("y", 1.02f, 0, I8);
    model_output(m, "y_q");
}

static void bias_out_of_range(void) { bias_of(1e20f); }
static void bias_whose_product_needs_65_bits(void) { bias_of(0x1.fp38f); }

static void nothing_but_softmax(void)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 8));
    model_node(m, "Softmax", "x", "y");
    model_output(m, "y");
}

static void nothing_but_quantization(void)
{
    image();
    model_output(m, "x_d");
}

static void output_that_is_an_input(void)
{
    image();
    conv("x_d", "y");
    finish();
    model_output(m, "x_d");
}

static void output_of_the_host_alone(void)
{
    image();
    conv("x_d", "y");
    finish();
    model_input(m, "z", DT_FLOAT, 2, DIMS(1, 8));
    model_node(m, "Softmax", "z", "p");
    model_output(m, "p");
}

static void output_of_the_host_alone_among_floats(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_node(m, "Sigmoid", "x", "y");
    model_node(m, "Softmax", "x", "p");
    model_output(m, "y");
    model_output(m, "p");
}

static void outputs_of_the_host_alone(void)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 8));
    model_node(m, "Softmax", "x", "p");
    model_node(m, "ArgMax", "x", "c");
    model_output(m, "p");
    model_output(m, "c");
}

static void output_without_a_pair(void)
{
    image();
    conv("x_d", "c");
    model_output(m, "c");
    qdq("c", 0.1f, 0, I8);
    conv("c_d", "y");
    finish();
}

static void moved_output_without_a_pair(void) // a gather makes it, for the convolution behind it
{
    image();
    model_i64(m, "pads", 8, DIMS(0, 0, 1, 0, 0, 0, 0, 0));
    model_node(m, "Pad", "x_d pads", "p");
    model_output(m, "p");
    conv("p", "y");
    finish();
}

static void input_quantized_twice(void)
{
    float s = 0.5f;
    image();
    model_f32(m, "s", 0, NULL, &s);
    model_raw(m, "zp", I8, 0, NULL, 1, "");
    model_node(m, "QuantizeLinear", "x s zp", "q");
    model_node(m, "DequantizeLinear", "q s zp", "d");
    model_node(m, "Add", "x_d d", "y");
    finish();
}

static void infinite_weight(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "w", 4, DIMS(1, 2, 1, 1), (float[]){ 1, INFINITY });
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
}

static void model_without_inputs(void) // and an operator that is not folded
{
    model_f32(m, "c", 2, DIMS(1, 4), (float[]){ 1, -2, 3, 4 });
    model_f32(m, "s", 0, NULL, (float[]){ 1 });
    model_node(m, "qonnx.custom_op.general:BipolarQuant", "c s", "y");
    model_output(m, "y");
}

static void operator_on_a_constant(void) // a quantized constant stays what it is, and so does what reads it
{
    image();
    weights("k", 4, DIMS(1, 2, 4, 4), 1, 0, I8, false);
    model_node(m, "Floor", "k", "f");
    qdq("f", 0.1f, 0, I8);
    model_node(m, "Add", "f_d x_d", "y");
    finish();
}

static void move_behind_an_operator_of_the_host(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "w", 4, DIMS(1, 2, 1, 1), (float[]){ 1, 2 });
    model_node(m, "Conv", "x w", "c");
    model_node(m, "ArgMax", "c", "a");
    model_int(m, "axis", 1);
    model_node(m, "Split", "a", "y z");
    model_int(m, "axis", 2);
    model_output(m, "y");
}

static void convolution_to_no_channels(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "w", 4, DIMS(0, 2, 1, 1), NULL);
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
}

static void second_output_alone(void) // of an operator without hardware
{
    image();
    model_node(m, "DynamicQuantizeLinear", "x_d", "bytes scale zero");
    qdq("scale", 0.1f, 0, I8);
    model_output(m, "scale_d");
}

static const struct row {
    const char *name;
    void (*build)(void);
    enum diag_code code;
    const char *where; // in the message
} rows[] = {
    { "ReduceSum has no hardware", sum_between_pairs, E201, "'y_node' (ReduceSum)" },
    { "ReduceSum at the end is no operator of the host", sum_behind_the_last_pair, E201, "'y_node' (ReduceSum)" },
    { "an operator without hardware whose second output is read", second_output_alone, E201, "(DynamicQuantizeLinear)" },
    { "LpPool of order 3", lp_pool_of_order_3, E202, "'y_node' (LpPool), attribute 'p'" },
    { "MaxPool of padding alone with another scale", hollow_maximum_requantized, E202, "'y_node' (MaxPool), attribute 'dilations'" },
    { "Concat of frames", concat_of_frames, E202, "'y_node' (Concat)" },
    { "linear Resize by a fraction", resize_by_a_fraction, E202, "'y_node' (Resize)" },
    { "cubic Resize", cubic_resize, E202, "'y_node' (Resize)" },
    { "Resize with antialias", antialiased_resize, E202, "'y_node' (Resize)" },
    { "indices of a MaxPool", indices_of_a_pool, E202, "'y_node' (MaxPool)" },
    { "linear Resize to several images", resize_of_the_batch, E204, "'y_node' (Resize)" },
    { "Mul by an image of constants", product_with_a_whole_image, E206, "'y_node' (Mul)" },
    { "a Reshape that cuts channels anew", reshape_between_convolutions, E208, "'t_node' (Reshape)" },
    { "a Pad with a constant beyond the range", pad_beyond_the_range, E209, "'p_node' (Pad)" },
    { "Clip of integers", clip_of_integers, E201, "'k_node' (Clip)" },
    { "Gemm with transA", gemm_trans_a, E202, "'y_node' (Gemm), attribute 'transA'" },
    { "Gemm with negative alpha", gemm_negative_alpha, E202, "'y_node' (Gemm)" },
    { "Gemm with a bias per row", gemm_bias_per_row, E204, "'y_node' (Gemm)" },
    { "Gemm with a bias per row, as many as columns", gemm_bias_per_row_of_a_square, E204, "'y_node' (Gemm)" },
    { "a convolution of a batch", conv_of_two_images, E204, "'y_node' (Conv)" },
    { "a pool of a batch", pool_of_two_images, E204, "'y_node' (GlobalAveragePool)" },
    { "a scale that is computed", computed_scale, E206, "(DequantizeLinear)" },
    { "a product of two activations", product_of_activations, E206, "'y_node' (MatMul)" },
    { "Add of a constant image", add_of_a_constant, E206, "'y_node' (Add)" },
    { "an int32 input", int32_input, E207, "tensor 'x'" },
    { "weights beyond 9 bits", weights_of_32_bits, E207, "'y_node' (Conv)" },
    { "a convolution of floats in a quantized model", float_input_of_a_convolution, E209, "'y_node' (Conv)" },
    { "MaxPool of an integer input", pool_of_an_integer_input, E209, "'p_node' (MaxPool)" },
    { "float weights in a quantized model", float_weights, E209, "'y_node' (Conv)" },
    { "a function behind a convolution without a pair between", function_behind_a_convolution, E209, "'y_node' (Sigmoid)" },
    { "activations with a scale per channel", scales_per_activation_channel, E209, "Linear)" },
    { "a scale of zero", zero_scale, E209, "Linear)" },
    { "a negative scale", negative_scale, E209, "Linear)" },
    { "an infinite scale", infinite_scale, E209, "Linear)" },
    { "weights with a scale per input channel", scales_per_input_channel, E209, "'y_node' (Conv)" },
    { "an output scale far below an accumulator step", output_scale_too_small, E209, "'y_q_node' (QuantizeLinear)" },
    { "an Add whose output scale is far below its inputs'", add_scales_too_far_apart, E209, "'y_node' (Add)" },
    { "a bias beyond any accumulator", bias_out_of_range, E209, "'y_node' (Conv)" },
    { "a bias beyond what 64 bits multiply", bias_whose_product_needs_65_bits, E209, "'y_node' (Conv)" },
    { "a float model of host operators", nothing_but_softmax, E210, "test.onnx" },
    { "a quantized model without operators", nothing_but_quantization, E210, "test.onnx" },
    { "an output that is an input", output_that_is_an_input, E211, "tensor 'x_d'" },
    { "an output that the host alone computes", output_of_the_host_alone, E211, "tensor 'p'" },
    { "the same in a float model", output_of_the_host_alone_among_floats, E211, "tensor 'p'" },
    { "a float model with two outputs of the host", outputs_of_the_host_alone, E210, "test.onnx" },
    { "a second output that is not quantized", output_without_a_pair, E209, "tensor 'c'" },
    { "a second output that is moved and not quantized", moved_output_without_a_pair, E209, "tensor 'p'" },
    { "a float weight that is infinite", infinite_weight, E209, "'y_node' (Conv)" },
    { "a model without inputs", model_without_inputs, E210, "test.onnx" },
    { "a convolution to no channels", convolution_to_no_channels, E204, "tensor 'y" },
    { "a function of a constant", operator_on_a_constant, E201, "tensor 'k_i'" },
    { "a move of what the host computes", move_behind_an_operator_of_the_host, E201, "'a_node' (ArgMax)" },
    { "one input that enters with two scales", input_quantized_twice, E211, "tensor 'q'" },
};

static bool compile(void)
{
    struct graph *g;
    struct pipeline *p;
    struct quant_ranges ranges = { 0 };
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g) || !simplify_graph(&cx, g))
        fail_msg("the model is refused too early: %s", messages.text);
    return quantize_graph(&cx, g, NULL, &ranges) && lower_graph(&cx, g, REQUANT_EXACT, "test", &p);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    qdq_setup();
    r->build();
    assert_false(compile());
    if (diag.first_error != r->code || diag.errors != 1 || !strstr(messages.text, r->where))
        fail_msg("%d errors, want one %s at %s:\n%s", diag.errors, diag_code_name(r->code), r->where, messages.text);
}

static void all_bad_operators_are_reported_at_once(void **state)
{
    (void)state;
    qdq_setup();
    input(2, DIMS(3, 3), 0.05f, 3, I8);
    weights("w", 2, DIMS(3, 3), 1, 0, I8, false);
    model_node(m, "Gemm", "x_d w", "a");
    model_int(m, "transA", 1);
    qdq("a", 0.1f, 0, I8);
    model_node(m, "MatMul", "x_d x_d", "b");
    qdq("b", 0.1f, 0, I8);
    model_node(m, "Add", "a_d b_d", "y"); // not to blame
    finish();
    assert_false(compile());
    assert_int_equal(diag.errors, 2);
    assert_non_null(strstr(messages.text, "'a_node' (Gemm)"));
    assert_non_null(strstr(messages.text, "'b_node' (MatMul)"));
    assert_null(strstr(messages.text, "'y_node' (Add)"));
}

// What simplify_graph leaves alone for its size stands in the graph as an operator on a constant.
static void a_constant_too_large_to_fold_is_named(void **state)
{
    struct graph *g;
    struct pipeline *p;
    (void)state;
    qdq_setup();
    image();
    model_raw(m, "k", DT_INT32, 4, DIMS(1, 2, 4, 4), 32 * 4, (const int32_t[32]){ 0 });
    model_node(m, "Cast", "k", "f");
    model_int(m, "to", DT_FLOAT);
    qdq("f", 0.1f, 0, I8);
    model_node(m, "Add", "x_d f_d", "y");
    finish();
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    assert_false(lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    assert_int_equal(diag.first_error, E201);
    assert_non_null(strstr(messages.text, "'f_node' (Cast)"));
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 2] = { cmocka_unit_test_teardown(all_bad_operators_are_reported_at_once, qdq_teardown),
                                                 cmocka_unit_test_teardown(a_constant_too_large_to_fold_is_named, qdq_teardown) };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 2] = (struct CMUnitTest){ rows[i].name, check_row, NULL, qdq_teardown, (void *)(uintptr_t)&rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

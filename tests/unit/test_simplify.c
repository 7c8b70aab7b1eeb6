// SPDX-License-Identifier: Apache-2.0
// Tests frontend/simplify*.c: which nodes are left, and that the values stay.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_float.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FLOATS(...) ((float[]){ __VA_ARGS__ })

static struct arena arena;
static struct diag diag;
static struct ctx cx;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

// Output 0 for an input that counts -3, -2, … in its type.
static struct array run(const struct graph *g)
{
    struct array x = array_new(&arena, g->inputs[0]->dtype, g->inputs[0]->rank, g->inputs[0]->dims);
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, (double)i - 3);
    assert_true(ref_float_graph(&cx, g, &arena, &x, values));
    return values[g->outputs[0]->index];
}

static void conv_then_batchnorm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 3, 3));
    model_f32(m, "w", 4, DIMS(2, 2, 1, 1), FLOATS(1, 2, -3, 4));
    model_f32(m, "p", 1, DIMS(2), FLOATS(2, 0.5f));
    model_node(m, "Conv", "x w", "c");
    model_node(m, "BatchNormalization", "c p p p p", "y");
}

static void batchnorm_then_flat_gemm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 2));
    model_f32(m, "p", 1, DIMS(2), FLOATS(2, 0.5f));
    model_f32(m, "w", 2, DIMS(4, 1), FLOATS(1, 2, 3, 4));
    model_node(m, "Relu", "x", "r");
    model_node(m, "BatchNormalization", "r p p p p", "b");
    model_node(m, "Flatten", "b", "f");
    model_node(m, "Gemm", "f w", "y");
}

static void conv_transpose_then_batchnorm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 2, 2));
    model_f32(m, "w", 4, DIMS(4, 2, 1, 2), FLOATS(1, 2, -3, 4, 5, -6, 7, 8, 9, 1, 2, 3, -4, 5, 6, 7));
    model_f32(m, "p", 1, DIMS(4), FLOATS(2, 0.5f, 3, 1.5f));
    model_node(m, "ConvTranspose", "x w", "c");
    model_int(m, "group", 2);
    model_ints(m, "strides", 2, DIMS(2, 1));
    model_node(m, "BatchNormalization", "c p p p p", "y");
}

static void factor_then_conv_transpose(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 3));
    model_f32(m, "f", 2, DIMS(2, 1), FLOATS(2, -3));
    model_f32(m, "w", 3, DIMS(2, 2, 2), FLOATS(1, 2, -3, 4, 5, -6, 7, 8));
    model_node(m, "Mul", "x f", "a");
    model_node(m, "ConvTranspose", "a w", "y");
}

static void shift_then_conv_transpose(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 3));
    model_f32(m, "f", 2, DIMS(2, 1), FLOATS(2, -3));
    model_f32(m, "w", 3, DIMS(2, 2, 2), FLOATS(1, 2, -3, 4, 5, -6, 7, 8));
    model_node(m, "Add", "x f", "a");
    model_node(m, "ConvTranspose", "a w", "y");
}

static void padded_conv_behind_batchnorm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 3, 3));
    model_f32(m, "p", 1, DIMS(1), FLOATS(2));
    model_f32(m, "w", 4, DIMS(1, 1, 3, 3), FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9));
    model_node(m, "BatchNormalization", "x p p p p", "b");
    model_node(m, "Conv", "b w", "y");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
}

static void conv_with_bias_as_add(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 2, 2));
    model_f32(m, "w", 4, DIMS(2, 1, 1, 1), FLOATS(1, -1));
    model_f32(m, "b", 3, DIMS(2, 1, 1), FLOATS(10, 20));
    model_node(m, "Conv", "x w", "c");
    model_node(m, "Add", "b c", "y");
}

static void matmul_with_add(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 3));
    model_f32(m, "w", 2, DIMS(3, 2), FLOATS(1, 2, 3, 4, 5, 6));
    model_f32(m, "b", 2, DIMS(1, 2), FLOATS(7, 8));
    model_node(m, "MatMul", "x w", "c");
    model_node(m, "Add", "c b", "y");
}

static void constant_minus_gemm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 2));
    model_f32(m, "w", 2, DIMS(2, 2), FLOATS(1, 2, 3, 4));
    model_f32(m, "k", 0, NULL, FLOATS(5));
    model_f32(m, "b", 1, DIMS(2), FLOATS(7, 8));
    model_node(m, "Gemm", "x w b", "c");
    model_float(m, "alpha", 0.5f);
    model_int(m, "transB", 1);
    model_node(m, "Sub", "k c", "y");
}

static void pad_then_conv(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 2, 2));
    model_f32(m, "w", 4, DIMS(1, 1, 2, 2), FLOATS(1, 2, 3, 4));
    model_i64(m, "p", 8, DIMS(0, 0, 1, 0, 0, 0, 0, 2));
    model_node(m, "Pad", "x p", "a");
    model_node(m, "Conv", "a w", "y");
}

static void pad_then_average(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 3, 3));
    model_i64(m, "p", 8, DIMS(0, 0, 1, 1, 0, 0, 1, 1));
    model_node(m, "Pad", "x p", "a");
    model_node(m, "AveragePool", "a", "y");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
}

static void mean_over_the_image(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 2, 2));
    model_node(m, "ReduceMean", "x", "y");
    model_ints(m, "axes", 2, DIMS(-1, 2));
    model_int(m, "keepdims", 0);
}

static void shape_arithmetic(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 2, 2));
    model_i64(m, "zero", 1, DIMS(0));
    model_i64(m, "rest", 1, DIMS(-1));
    model_node(m, "Shape", "x", "s");
    model_node(m, "Gather", "s zero", "n");
    model_node(m, "Concat", "n rest", "t");
    model_int(m, "axis", 0);
    model_node(m, "Reshape", "x t", "y");
}

static void transposed_quantized_weight(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 3));
    model_raw(m, "w", DT_INT8, 2, DIMS(2, 3), 6, "\1\2\3\4\5\6");
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_node(m, "DequantizeLinear", "w s", "d");
    model_node(m, "Transpose", "d", "t");
    model_node(m, "MatMul", "x t", "y");
}

static void qlinear_conv(struct model *m)
{
    model_input(m, "x", DT_UINT8, 4, DIMS(1, 1, 3, 3));
    model_f32(m, "s", 0, NULL, FLOATS(0.25f));
    model_f32(m, "ws", 1, DIMS(2), FLOATS(0.5f, 1));
    model_raw(m, "z", DT_UINT8, 0, NULL, 1, "\3");
    model_raw(m, "wz", DT_INT8, 1, DIMS(2), 2, "\0\0");
    model_raw(m, "w", DT_INT8, 4, DIMS(2, 1, 1, 1), 2, "\4\2");
    model_raw(m, "b", DT_INT32, 1, DIMS(2), 8, (int32_t[]){ 100, -4 });
    model_node(m, "QLinearConv", "x s z w ws wz s z b", "y");
}

static void qgemm(struct model *m)
{
    model_input(m, "x", DT_INT8, 2, DIMS(1, 2));
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_raw(m, "z", DT_INT8, 0, NULL, 1, "\1");
    model_raw(m, "w", DT_INT8, 2, DIMS(2, 2), 4, "\1\2\3\4");
    model_raw(m, "b", DT_INT32, 1, DIMS(2), 8, (int32_t[]){ 5, -6 });
    model_node(m, "com.microsoft:QGemm", "x s z w s z b s z", "y");
    model_int(m, "transB", 1);
}

static void qlinear_add(struct model *m)
{
    model_input(m, "x", DT_INT8, 1, DIMS(6));
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_raw(m, "z", DT_INT8, 0, NULL, 1, "\1");
    model_node(m, "com.microsoft:QLinearAdd", "x s z x s - s", "y");
}

static void qlinear_mean(struct model *m)
{
    model_input(m, "x", DT_INT8, 4, DIMS(1, 2, 2, 3));
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_raw(m, "z", DT_INT8, 0, NULL, 1, "\1");
    model_node(m, "com.microsoft:QLinearReduceMean", "x s z s z", "y");
    model_ints(m, "axes", 2, DIMS(2, 3));
    model_int(m, "keepdims", 0);
}

static void qlinear_softmax(struct model *m)
{
    model_input(m, "x", DT_UINT8, 2, DIMS(2, 4));
    model_f32(m, "s", 0, NULL, FLOATS(0.25f));
    model_f32(m, "t", 0, NULL, FLOATS(0.00390625f));
    model_raw(m, "z", DT_UINT8, 0, NULL, 1, "\1");
    model_node(m, "com.microsoft:QLinearSoftmax", "x s z t", "y");
    model_int(m, "opset", 13);
}

static void old_softmax(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 3));
    model_node(m, "Softmax", "x", "y");
}

static void nothing_nodes(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 4));
    model_i64(m, "s", 2, DIMS(0, -1));
    model_node(m, "Identity", "x", "a");
    model_node(m, "Dropout", "a", "b");
    model_node(m, "Reshape", "b s", "c");
    model_node(m, "Cast", "c", "d");
    model_int(m, "to", DT_FLOAT);
    model_node(m, "Relu", "d", "e");
    model_i64(m, "ones", 2, DIMS(1, 1));
    model_f32(m, "nearly", 1, DIMS(2), FLOATS(1, 1.2f));
    model_node(m, "Tile", "e ones", "f");
    model_node(m, "Resize", "f - nearly", "h");
    model_string(m, "nearest_mode", "ceil");
    model_node(m, "Flatten", "h", "y");
}

// Channels behind and in front again, with a constant between.
static void turned(struct model *m, int count, int64_t last)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 3, 4));
    model_f32(m, "c", 1, DIMS(count), FLOATS(2, 0.5f));
    model_node(m, "Transpose", "x", "a");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    model_node(m, "Mul", "a c", "b");
    model_node(m, "LeakyRelu", "b", "d");
    model_node(m, "Transpose", "d", "y");
    model_ints(m, "perm", 4, DIMS(0, 3, 3 - last, last));
}

static void turned_and_back(struct model *m)
{
    turned(m, 1, 2);
}

static void turned_with_channels_between(struct model *m)
{
    turned(m, 2, 2);
}

static void turned_twice(struct model *m)
{
    turned(m, 1, 1);
}

// Two readers of x, each with its own pair.
static void two_pairs(struct model *m, float second_scale)
{
    const float first_scale = 0.5f;
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 4));
    model_f32(m, "s1", 0, NULL, &first_scale);
    model_f32(m, "s2", 0, NULL, &second_scale);
    model_node(m, "QuantizeLinear", "x s1", "q1");
    model_node(m, "DequantizeLinear", "q1 s1", "d1");
    model_node(m, "QuantizeLinear", "x s2", "q2");
    model_node(m, "DequantizeLinear", "q2 s2", "d2");
    model_node(m, "Add", "d1 d2", "y");
}

// The pairs behind the merged ones are equal only then.
static void equal_chains(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 4));
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_f32(m, "t", 0, NULL, FLOATS(0.25f));
    model_node(m, "QuantizeLinear", "x s", "q1");
    model_node(m, "QuantizeLinear", "x t", "q2");
    model_node(m, "QuantizeLinear", "x s", "q3");
    model_node(m, "DequantizeLinear", "q1 s", "d1");
    model_node(m, "DequantizeLinear", "q2 t", "d2");
    model_node(m, "DequantizeLinear", "q3 s", "d3");
    model_node(m, "QuantizeLinear", "d1 t", "q4");
    model_node(m, "QuantizeLinear", "d3 t", "q5");
    model_node(m, "DequantizeLinear", "q4 t", "d4");
    model_node(m, "DequantizeLinear", "q5 t", "d5");
    model_node(m, "Add", "d2 d4", "e");
    model_node(m, "Add", "e d5", "y");
}

static void equal_pairs(struct model *m)
{
    two_pairs(m, 0.5f);
}

static void different_pairs(struct model *m)
{
    two_pairs(m, 0.25f);
}

static struct row {
    const char *name;
    void (*build)(struct model *m);
    int64_t opset;
    const char *want; // operators left, in order
} rows[] = {
    { "a batch normalization goes into the Conv in front", conv_then_batchnorm, 13, "Conv" },
    { "a batch normalization goes through Flatten into a Gemm", batchnorm_then_flat_gemm, 13, "Relu Reshape Gemm" },
    { "a batch normalization goes into the ConvTranspose in front", conv_transpose_then_batchnorm, 13, "ConvTranspose" },
    { "a factor goes into the ConvTranspose behind", factor_then_conv_transpose, 13, "ConvTranspose" },
    { "a shift does not", shift_then_conv_transpose, 13, "Add ConvTranspose" },
    { "padding keeps a batch normalization out", padded_conv_behind_batchnorm, 13, "Conv Conv" },
    { "a constant Add is the bias of a Conv", conv_with_bias_as_add, 13, "Conv" },
    { "MatMul and Add become Gemm", matmul_with_add, 13, "Gemm" },
    { "a constant minus a Gemm is a Gemm", constant_minus_gemm, 13, "Gemm" },
    { "Pad goes into a Conv", pad_then_conv, 13, "Conv" },
    { "Pad goes into an average pool", pad_then_average, 13, "AveragePool" },
    { "a mean over the image is a global pool", mean_over_the_image, 13, "GlobalAveragePool Reshape" },
    { "shape arithmetic is folded", shape_arithmetic, 13, "Reshape" },
    { "integers are transposed, not their real values", transposed_quantized_weight, 13, "DequantizeLinear Gemm" },
    { "QLinearConv is taken apart", qlinear_conv, 13,
      "DequantizeLinear DequantizeLinear DequantizeLinear Conv QuantizeLinear" },
    { "QGemm is taken apart", qgemm, 13, "DequantizeLinear DequantizeLinear DequantizeLinear Gemm QuantizeLinear" },
    { "QLinearAdd without zero points is taken apart", qlinear_add, 13,
      "DequantizeLinear DequantizeLinear Add QuantizeLinear" },
    { "QLinearReduceMean over the image is a global pool", qlinear_mean, 13,
      "DequantizeLinear GlobalAveragePool Reshape QuantizeLinear" },
    { "QLinearSoftmax is taken apart", qlinear_softmax, 13, "DequantizeLinear Softmax QuantizeLinear" },
    { "the old Softmax runs over a flat view", old_softmax, 9, "Reshape Softmax Reshape" },
    { "nodes that do nothing go", nothing_nodes, 13, "Relu" },
    { "a Transpose and its reverse go", turned_and_back, 13, "Mul LeakyRelu" },
    { "but not around what is another number for each channel", turned_with_channels_between, 13, "Transpose Mul LeakyRelu Transpose" },
    { "nor where it is not the reverse", turned_twice, 13, "Transpose Mul LeakyRelu Transpose" },
    { "equal quantizers of one tensor become one", equal_pairs, 13, "QuantizeLinear DequantizeLinear Add" },
    { "equal chains of quantizers become one", equal_chains, 13,
      "QuantizeLinear QuantizeLinear DequantizeLinear DequantizeLinear QuantizeLinear DequantizeLinear Add Add" },
    { "quantizers of other scales stay", different_pairs, 13,
      "QuantizeLinear DequantizeLinear QuantizeLinear DequantizeLinear Add" },
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct model *m = model_new(r->opset);
    struct strbuf text = STRBUF_INIT, ops = STRBUF_INIT;
    struct graph *before, *after;
    diag = (struct diag){ .rendered = &text };
    cx = (struct ctx){ .arena = &arena, .diag = &diag };
    r->build(m);
    model_output(m, "y");
    if (!model_parse(m, &cx, &before) || !shape_infer(&cx, before))
        fail_msg("%s", text.text);
    after = graph_clone(before, &arena);
    if (!simplify_graph(&cx, after))
        fail_msg("%s", text.text);
    graph_verify(after);
    for (int i = 0; i < after->n_nodes; i++)
        strbuf_addf(&ops, "%s%s", i ? " " : "", op_info(after->nodes[i]->op)->name);
    assert_string_equal(ops.text, r->want);
    assert_string_equal(after->outputs[0]->name, "y");
    struct array a = run(before), b = run(after);
    assert_int_equal(array_count(&a), array_count(&b));
    for (int64_t i = 0; i < array_count(&a); i++)
        if (fabs(array_f64(&a, i) - array_f64(&b, i)) > 1e-5 * (1 + fabs(array_f64(&a, i))))
            fail_msg("element %d: %g became %g", (int)i, array_f64(&a, i), array_f64(&b, i));
    strbuf_release(&text);
    strbuf_release(&ops);
    model_free(m);
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, teardown, &rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

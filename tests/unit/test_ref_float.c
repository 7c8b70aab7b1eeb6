// SPDX-License-Identifier: Apache-2.0
// Tests sim/ref_float*.c: values of single operators, worked out by hand or from their definition.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/shape.h"
#include "sim/ref_float.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FLOATS(...) ((float[]){ __VA_ARGS__ })

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void conv_2x2(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 2, 3));
    model_f32(m, "w", 4, DIMS(1, 1, 2, 2), FLOATS(1, 10, 100, 1000));
    model_f32(m, "b", 1, DIMS(1), FLOATS(0.5f));
    model_node(m, "Conv", "x w b", "y");
}

static void conv_grouped_same(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 1, 2));
    model_f32(m, "w", 4, DIMS(2, 2, 1, 2), FLOATS(1, 1, 1, 1, 1, 0, 0, 1));
    model_node(m, "Conv", "x w", "y");
    model_int(m, "group", 2);
    model_string(m, "auto_pad", "SAME_UPPER");
}

static void conv_depthwise_strided(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 1, 4));
    model_f32(m, "w", 4, DIMS(2, 1, 1, 3), FLOATS(1, 2, 4, 1, 1, 1));
    model_node(m, "Conv", "x w", "y");
    model_int(m, "group", 2);
    model_ints(m, "strides", 2, DIMS(1, 2));
    model_ints(m, "pads", 4, DIMS(0, 1, 0, 1));
}

static void conv_1d_dilated(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 1, 5));
    model_f32(m, "w", 3, DIMS(1, 1, 2), FLOATS(1, 10));
    model_node(m, "Conv", "x w", "y");
    model_ints(m, "dilations", 1, DIMS(3));
}

static void gemm(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 1));
    model_f32(m, "b", 2, DIMS(3, 2), FLOATS(1, 2, 3, 4, 5, 6));
    model_f32(m, "c", 1, DIMS(3), FLOATS(10, 20, 30));
    model_node(m, "Gemm", "x b c", "y");
    model_int(m, "transA", 1);
    model_int(m, "transB", 1);
    model_float(m, "alpha", 2);
    model_float(m, "beta", 0.5f);
}

static void matmul_batched(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 3, DIMS(2, 1, 2));
    model_f32(m, "b", 2, DIMS(2, 2), FLOATS(1, 2, 3, 4));
    model_node(m, "MatMul", "x b", "y");
}

static void average_pool_pads(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 1, 3));
    model_node(m, "AveragePool", "x", "y");
    model_ints(m, "kernel_shape", 2, DIMS(1, 2));
    model_ints(m, "pads", 4, DIMS(0, 1, 0, 0));
}

// Only the taps on the image may cost time.
static void lp_pool_of_a_huge_kernel(struct model *m)
{
    int64_t k = (int64_t)1 << 30;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 1, 2));
    model_node(m, "LpPool", "x", "y");
    model_ints(m, "kernel_shape", 2, DIMS(k, k));
    model_ints(m, "pads", 4, DIMS(k - 1, k - 1, 0, 0));
    model_int(m, "p", 1);
}

static void max_pool_ceil(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 1, 5));
    model_node(m, "MaxPool", "x", "y");
    model_ints(m, "kernel_shape", 2, DIMS(1, 2));
    model_ints(m, "strides", 2, DIMS(1, 2));
    model_int(m, "ceil_mode", 1);
}

static void quantize_ties(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(6));
    model_f32(m, "s", 0, NULL, FLOATS(2));
    model_raw(m, "z", DT_INT8, 0, NULL, 1, "\1");
    model_node(m, "QuantizeLinear", "x s z", "y");
}

static void dequantize_axis(struct model *m)
{
    model_input(m, "x", DT_INT8, 2, DIMS(2, 2));
    model_f32(m, "s", 1, DIMS(2), FLOATS(1, 10));
    model_raw(m, "z", DT_INT8, 1, DIMS(2), 2, "\0\2");
    model_node(m, "DequantizeLinear", "x s z", "y");
    model_int(m, "axis", 1);
}

static void cast_to(struct model *m, enum dtype to) // of half the input
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_f32(m, "c", 1, DIMS(1), FLOATS(0.5f));
    model_node(m, "Mul", "x c", "h");
    model_node(m, "Cast", "h", "y");
    model_int(m, "to", to);
}

static void cast_to_double(struct model *m)
{
    cast_to(m, DT_DOUBLE);
}

static void cast_to_int8(struct model *m)
{
    cast_to(m, DT_INT8);
}

// Found by fuzzing: 2^33 rows of no elements took minutes.
static void nothing_in_many_rows(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(1));
    model_i64(m, "dims", 4, DIMS((int64_t)1 << 31, 4, 1, 0));
    model_node(m, "ConstantOfShape", "dims", "z");
    model_node(m, "Softmax", "z", "y");
}

static void broadcast_sub(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 1));
    model_f32(m, "c", 1, DIMS(3), FLOATS(0, 1, 2));
    model_node(m, "Sub", "x c", "y");
}

static void integer_division(struct model *m)
{
    model_input(m, "x", DT_INT32, 1, DIMS(6));
    model_raw(m, "c", DT_INT32, 0, NULL, 4, (int32_t[]){ 2 });
    model_node(m, "Div", "x c", "y");
}

static void transpose(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 3));
    model_node(m, "Transpose", "x", "y");
}

static void slice_backwards(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(6));
    model_i64(m, "s", 1, DIMS(-1));
    model_i64(m, "e", 1, DIMS(INT64_MIN));
    model_i64(m, "a", 1, DIMS(0));
    model_i64(m, "t", 1, DIMS(-2));
    model_node(m, "Slice", "x s e a t", "y");
}

static void pad_reflect(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(3));
    model_i64(m, "p", 2, DIMS(2, 1));
    model_node(m, "Pad", "x p", "y");
    model_string(m, "mode", "reflect");
}

static void concat(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 1));
    model_f32(m, "c", 2, DIMS(2, 2), FLOATS(7, 8, 9, 10));
    model_node(m, "Concat", "x c", "y");
    model_int(m, "axis", 1);
}

static void reduce_mean(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 3));
    model_node(m, "ReduceMean", "x", "y");
    model_ints(m, "axes", 1, DIMS(0));
}

static void argmax(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 3));
    model_node(m, "Neg", "x", "n");
    model_node(m, "ArgMax", "n", "y");
    model_int(m, "axis", 1);
    model_int(m, "keepdims", 0);
}

static void softmax(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 2));
    model_node(m, "Softmax", "x", "y");
}

static void quant_2_bits(struct model *m)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(6));
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_f32(m, "z", 0, NULL, FLOATS(0));
    model_f32(m, "b", 0, NULL, FLOATS(2));
    model_node(m, "qonnx.custom_op.general:Quant", "x s z b", "y");
    model_int(m, "narrow", 1);
}

// The input counts -3, -2, …; `want` holds the result.
static struct row {
    const char *name;
    void (*build)(struct model *m);
    int count;
    double want[8];
} rows[] = {
    { "Conv multiplies windows and adds its bias", conv_2x2, 2, { 977.5, 2088.5 } },
    { "a grouped Conv pads behind for SAME_UPPER", conv_grouped_same, 4, { -6, -2, 5, 2 } },
    { "a depthwise Conv steps over its pads", conv_depthwise_strided, 4, { -14, -4, 3, 9 } },
    { "a 1-D Conv reaches over its dilation", conv_1d_dilated, 2, { -3, 8 } },
    { "Gemm transposes and scales", gemm, 3, { -9, -24, -39 } },
    { "MatMul repeats its matrix over the batch", matmul_batched, 4, { -9, -14, -1, -2 } },
    { "AveragePool leaves pads out of its count", average_pool_pads, 3, { -3, -2.5, -1.5 } },
    { "LpPool takes a kernel far larger than its image", lp_pool_of_a_huge_kernel, 2, { 3, 5 } },
    { "MaxPool ends with part of a window", max_pool_ceil, 3, { -2, 0, 1 } },
    { "QuantizeLinear rounds halves to even", quantize_ties, 6, { -1, 0, 1, 1, 1, 2 } },
    { "DequantizeLinear takes a scale for each column", dequantize_axis, 4, { -3, -40, -1, -20 } },
    { "Cast to double keeps the fraction", cast_to_double, 4, { -1.5, -1, -0.5, 0 } },
    { "Cast to integers goes towards zero", cast_to_int8, 4, { -1, -1, 0, 0 } },
    { "Softmax of nothing", nothing_in_many_rows, 0, { 0 } },
    { "Sub broadcasts both ways", broadcast_sub, 6, { -3, -4, -5, -2, -3, -4 } },
    { "integer Div goes towards zero", integer_division, 6, { -1, -1, 0, 0, 0, 1 } },
    { "Transpose reverses without perm", transpose, 6, { -3, 0, -2, 1, -1, 2 } },
    { "Slice goes backwards", slice_backwards, 3, { 2, 0, -2 } },
    { "Pad reflects without repeating the edge", pad_reflect, 6, { -1, -2, -3, -2, -1, -2 } },
    { "Concat joins along its axis", concat, 6, { -3, 7, 8, -2, 9, 10 } },
    { "ReduceMean keeps the dimension", reduce_mean, 3, { -1.5, -0.5, 0.5 } },
    { "ArgMax finds the index in each row", argmax, 2, { 0, 0 } },
    { "Softmax sums to one", softmax, 2, { 0.2689414213699951, 0.7310585786300049 } },
    { "Quant keeps two narrow bits", quant_2_bits, 6, { -0.5, -0.5, -0.5, 0, 0.5, 0.5 } },
};

static void check(struct model *m, const char *name, int count, const double *want)
{
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text };
    struct ctx cx = { .arena = &arena, .diag = &diag };
    struct graph *g;
    model_output(m, "y");
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g))
        fail_msg("%s: %s", name, text.text);
    struct array x = array_new(&arena, g->inputs[0]->dtype, g->inputs[0]->rank, g->inputs[0]->dims);
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, (double)i - 3);
    assert_true(ref_float_graph(&cx, g, &arena, &x, values));
    const struct array *y = &values[g->outputs[0]->index];
    assert_int_equal(array_count(y), count);
    for (int i = 0; i < count; i++)
        if (!(fabs(array_f64(y, i) - want[i]) <= 1e-6 * (1 + fabs(want[i]))))
            fail_msg("%s: element %d is %.9g, not %.9g", name, i, array_f64(y, i), want[i]);
    strbuf_release(&text);
    model_free(m);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct model *m = model_new(13);
    r->build(m);
    check(m, r->name, r->count, r->want);
}

// Functions of one number at -3, -2, -1, 0.
static struct function {
    const char *op;
    double want[4];
} functions[] = {
    { "Relu", { 0, 0, 0, 0 } },
    { "LeakyRelu", { -0.03, -0.02, -0.01, 0 } },
    { "Sigmoid", { 0.04742587318, 0.11920292202, 0.26894142137, 0.5 } },
    { "Tanh", { -0.99505475369, -0.96402758008, -0.76159415596, 0 } },
    { "HardSigmoid", { 0, 0.1, 0.3, 0.5 } },
    { "HardSwish", { 0, -1.0 / 3, -1.0 / 3, 0 } },
    { "Elu", { -0.95021293163, -0.86466471676, -0.63212055883, 0 } },
    { "Selu", { -1.67056873, -1.52016650, -1.11133074, 0 } },
    { "Celu", { -0.95021293163, -0.86466471676, -0.63212055883, 0 } },
    { "Softplus", { 0.04858735157, 0.12692801104, 0.31326168752, 0.69314718056 } },
    { "Softsign", { -0.75, -2.0 / 3, -0.5, 0 } },
    { "ThresholdedRelu", { 0, 0, 0, 0 } },
    { "Abs", { 3, 2, 1, 0 } },
    { "Neg", { 3, 2, 1, 0 } },
    { "Exp", { 0.04978706837, 0.13533528324, 0.36787944117, 1 } },
    { "Erf", { -0.99997790950, -0.99532226502, -0.84270079295, 0 } },
    { "Sign", { -1, -1, -1, 0 } },
    { "Sin", { -0.14112000806, -0.90929742683, -0.84147098481, 0 } },
    { "Cos", { -0.98999249660, -0.41614683655, 0.54030230587, 1 } },
    { "Floor", { -3, -2, -1, 0 } },
    { "Ceil", { -3, -2, -1, 0 } },
    { "Round", { -3, -2, -1, 0 } },
};

static void functions_of_one_number_have_their_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct model *m = model_new(17);
        model_input(m, "x", DT_FLOAT, 1, DIMS(4));
        model_node(m, functions[i].op, "x", "y");
        check(m, functions[i].op, 4, functions[i].want);
    }
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 1];
    size_t n = 0;
    for (; n < sizeof rows / sizeof *rows; n++)
        tests[n] = (struct CMUnitTest){ rows[n].name, check_row, NULL, teardown, &rows[n] };
    tests[n] = (struct CMUnitTest)cmocka_unit_test_teardown(functions_of_one_number_have_their_values, teardown);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/unary.c: every function's value against its formula in the ONNX text, and which nodes count.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/unary.h"

static struct arena arena;
static struct graph *g;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    g = graph_new(&arena, "test.onnx", "test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct tensor *computed(int rank)
{
    const int64_t dims[MAX_RANK] = { 1, 2, 3, 4 };
    return graph_add_tensor(g, "x", DT_FLOAT, rank, dims);
}

static struct tensor *constant(int64_t count, float v)
{
    float *data = arena_array(&arena, float, count);
    for (int64_t i = 0; i < count; i++)
        data[i] = v;
    return graph_add_const(g, "k", DT_FLOAT, count > 1, &count, data);
}

static struct node *node(enum op op, int n_in, struct tensor **in)
{
    struct tensor *out = graph_add_tensor(g, "y", DT_FLOAT, in[0] ? in[0]->rank : 0, computed(4)->dims);
    return graph_add_node(g, op, "n", n_in, in, 1, &out);
}

static struct function {
    const char *name;
    enum op op;
    const char *attr, *attr2; // set to these when not NULL
    float a, b;
    double x, want;
} functions[] = {
    { "Relu of a negative number is 0", OP_Relu, NULL, NULL, 0, 0, -2, 0 },
    { "Relu keeps positive numbers", OP_Relu, NULL, NULL, 0, 0, 3, 3 },
    { "LeakyRelu has slope 0.01 by default", OP_LeakyRelu, NULL, NULL, 0, 0, -2, -2 * (double)0.01f },
    { "LeakyRelu takes alpha", OP_LeakyRelu, "alpha", NULL, 0.25f, 0, -2, -0.5 },
    { "Sigmoid", OP_Sigmoid, NULL, NULL, 0, 0, 1, 0.73105857863000487926 },
    { "Sigmoid does not overflow", OP_Sigmoid, NULL, NULL, 0, 0, -1000, 0 },
    { "Tanh", OP_Tanh, NULL, NULL, 0, 0, 1, 0.76159415595576488812 },
    { "HardSigmoid by default", OP_HardSigmoid, NULL, NULL, 0, 0, 1, (double)0.2f + 0.5 },
    { "HardSigmoid takes alpha and beta", OP_HardSigmoid, "alpha", "beta", 0.5f, 0.25f, 1, 0.75 },
    { "HardSigmoid ends at 1", OP_HardSigmoid, NULL, NULL, 0, 0, 9, 1 },
    { "HardSigmoid begins at 0", OP_HardSigmoid, NULL, NULL, 0, 0, -9, 0 },
    { "HardSwish inside", OP_HardSwish, NULL, NULL, 0, 0, 1, 4.0 / 6 },
    { "HardSwish below -3", OP_HardSwish, NULL, NULL, 0, 0, -4, 0 },
    { "HardSwish above 3", OP_HardSwish, NULL, NULL, 0, 0, 4, 4 },
    { "Gelu", OP_Gelu, NULL, NULL, 0, 0, 1, 0.84134474606854294859 },
    { "Mish", OP_Mish, NULL, NULL, 0, 0, 1, 0.86509838826731034 },
    { "Mish far below 0", OP_Mish, NULL, NULL, 0, 0, -800, 0 },
    { "Swish", OP_Swish, NULL, NULL, 0, 0, 1, 0.73105857863000487926 },
    { "Swish takes alpha", OP_Swish, "alpha", NULL, 2, 0, 0.5, 0.36552928931500243963 },
    { "Swish far below 0", OP_Swish, NULL, NULL, 0, 0, -800, 0 },
    { "Elu", OP_Elu, NULL, NULL, 0, 0, -1, -0.63212055882855767840 },
    { "Elu takes alpha", OP_Elu, "alpha", NULL, 2, 0, -1, -1.26424111765711535681 },
    { "Selu of a negative number", OP_Selu, NULL, NULL, 0, 0, -1,
      (double)1.05070102214813232421875f * (double)1.67326319217681884765625f * -0.63212055882855767840 },
    { "Selu of a positive number", OP_Selu, NULL, NULL, 0, 0, 2, 2 * (double)1.05070102214813232421875f },
    { "Celu takes alpha", OP_Celu, "alpha", NULL, 2, 0, -2, -1.26424111765711535681 },
    { "Softplus", OP_Softplus, NULL, NULL, 0, 0, 1, 1.31326168751822283405 },
    { "Softplus of a large number does not overflow", OP_Softplus, NULL, NULL, 0, 0, 1000, 1000 },
    { "Softsign", OP_Softsign, NULL, NULL, 0, 0, -3, -0.75 },
    { "ThresholdedRelu drops its threshold", OP_ThresholdedRelu, NULL, NULL, 0, 0, 1, 0 },
    { "ThresholdedRelu keeps what is above", OP_ThresholdedRelu, NULL, NULL, 0, 0, 1.5, 1.5 },
    { "Abs", OP_Abs, NULL, NULL, 0, 0, -2.5, 2.5 },
    { "Neg", OP_Neg, NULL, NULL, 0, 0, -2.5, 2.5 },
    { "Sqrt", OP_Sqrt, NULL, NULL, 0, 0, 2.25, 1.5 },
    { "Exp", OP_Exp, NULL, NULL, 0, 0, 1, M_E },
    { "Log", OP_Log, NULL, NULL, 0, 0, M_E, 1 },
    { "Erf", OP_Erf, NULL, NULL, 0, 0, 0.5, 0.52049987781304653768 },
    { "Sign of a negative number", OP_Sign, NULL, NULL, 0, 0, -7, -1 },
    { "Sign of zero", OP_Sign, NULL, NULL, 0, 0, 0, 0 },
    { "Reciprocal", OP_Reciprocal, NULL, NULL, 0, 0, -4, -0.25 },
    { "Floor", OP_Floor, NULL, NULL, 0, 0, -1.5, -2 },
    { "Ceil", OP_Ceil, NULL, NULL, 0, 0, -1.5, -1 },
    { "Round goes to even", OP_Round, NULL, NULL, 0, 0, 2.5, 2 },
    { "Sin", OP_Sin, NULL, NULL, 0, 0, M_PI / 6, 0.5 },
    { "Cos", OP_Cos, NULL, NULL, 0, 0, M_PI / 3, 0.5 },
    { "Identity", OP_Identity, NULL, NULL, 0, 0, 0.3, 0.3 },
};

static void check_function(void **state)
{
    const struct function *f = *state;
    int in = 7;
    setup(state);
    struct tensor *x = computed(4);
    struct node *n = node(f->op, 1, &x);
    if (f->attr)
        node_set_float(g, n, f->attr, f->a);
    if (f->attr2)
        node_set_float(g, n, f->attr2, f->b);
    assert_true(unary_is(n, &in));
    assert_int_equal(in, 0);
    double y = unary_eval(n, f->x, 0);
    if (!(fabs(y - f->want) <= 1e-14 * fmax(1, fabs(f->want))))
        fail_msg("%.17g, want %.17g", y, f->want);
}

static struct binary {
    const char *name;
    enum op op;
    bool constant_first;
    float k;
    double x, want;
} binaries[] = {
    { "Add", OP_Add, false, 2, 5, 7 },
    { "Sub of a constant", OP_Sub, false, 2, 5, 3 },
    { "Sub from a constant", OP_Sub, true, 2, 5, -3 },
    { "Mul", OP_Mul, true, 2, 5, 10 },
    { "Div by a constant", OP_Div, false, 2, 5, 2.5 },
    { "Div of a constant", OP_Div, true, 2, 5, 0.4 },
    { "Pow to a constant", OP_Pow, false, 2, 5, 25 },
    { "Pow of a constant", OP_Pow, true, 2, 5, 32 },
    { "Min", OP_Min, false, 2, 5, 2 },
    { "Max", OP_Max, true, 2, 5, 5 },
};

static void check_binary(void **state)
{
    const struct binary *b = *state;
    int in = 7;
    setup(state);
    struct tensor *x = computed(4), *k = constant(1, b->k), *both[] = { b->constant_first ? k : x, b->constant_first ? x : k };
    struct node *n = node(b->op, 2, both);
    assert_true(unary_is(n, &in));
    assert_int_equal(in, b->constant_first);
    assert_true(fabs(unary_eval(n, b->x, 0) - b->want) < 1e-14 * fabs(b->want));
}

static void two_computed_operands_are_no_function_of_one(void **state)
{
    (void)state;
    int in;
    struct tensor *x[] = { computed(4), computed(4) };
    assert_false(unary_is(node(OP_Add, 2, x), &in));
    struct tensor *k = constant(1, 1);
    assert_false(unary_is(node(OP_Relu, 1, &k), &in)); // nothing computed
    struct tensor *c = computed(4);
    assert_false(unary_is(node(OP_Softmax, 1, &c), &in));
}

static void a_constant_may_differ_along_one_axis(void **state)
{
    (void)state;
    int in;
    float *v = arena_array(&arena, float, 6);
    for (int i = 0; i < 6; i++)
        v[i] = (float)(i + 1);
    const struct { int rank; int64_t dims[3]; int axis; } rows[] = {
        { 1, { 4 }, 3 }, { 3, { 3, 1, 1 }, 1 }, { 3, { 1, 5, 1 }, 2 }, { 3, { 1, 1, 1 }, -1 },
    };
    struct tensor *x = graph_add_tensor(g, "image", DT_FLOAT, 4, (const int64_t[]){ 1, 3, 5, 4 });
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tensor *k = graph_add_const(g, "k", DT_FLOAT, rows[i].rank, rows[i].dims, v), *left[] = { k, x }, *right[] = { x, k };
        struct node *sub = node(OP_Sub, 2, left), *prelu = node(OP_PRelu, 2, right);
        assert_true(unary_is(sub, &in) && in == 1);
        assert_true(unary_is(prelu, &in) && in == 0);
        assert_int_equal(unary_axis(sub), rows[i].axis);
        int64_t last = rows[i].axis < 0 ? 0 : 2;
        assert_true(unary_eval(sub, 10, last) == (double)last + 1 - 10);
        assert_true(unary_eval(prelu, -10, last) == -10 * ((double)last + 1) && unary_eval(prelu, 10, last) == 10);
    }
    struct tensor *plane = graph_add_const(g, "p", DT_FLOAT, 3, (const int64_t[]){ 3, 1, 2 }, v), *both[] = { x, plane };
    assert_false(unary_is(node(OP_Mul, 2, both), &in));
}

static void a_constant_that_would_raise_the_rank_is_refused(void **state)
{
    (void)state;
    int in;
    int64_t ones[4] = { 1, 1, 1, 1 };
    float *data = arena_array(&arena, float, 1);
    struct tensor *k = graph_add_const(g, "k", DT_FLOAT, 4, ones, data), *x[] = { computed(2), k };
    assert_false(unary_is(node(OP_Add, 2, x), &in));
}

static void relu_and_clip_are_intervals(void **state)
{
    (void)state;
    double lo, hi;
    struct tensor *x = computed(4);
    assert_true(unary_clamp(node(OP_Relu, 1, &x), &lo, &hi));
    assert_true(lo == 0 && isinf(hi));
    struct tensor *both[] = { x, constant(1, -1.5f), constant(1, 6) }, *upper[] = { x, NULL, constant(1, 6) };
    assert_true(unary_clamp(node(OP_Clip, 3, both), &lo, &hi));
    assert_true(lo == -1.5 && hi == 6);
    assert_true(unary_clamp(node(OP_Clip, 3, upper), &lo, &hi));
    assert_true(isinf(lo) && lo < 0 && hi == 6);
    assert_true(unary_clamp(node(OP_Clip, 1, &x), &lo, &hi));
    assert_true(isinf(lo) && isinf(hi));
    struct tensor *crossed[] = { x, constant(1, 6), constant(1, 2) }; // ONNX: min(max(x, 6), 2)
    assert_true(unary_clamp(node(OP_Clip, 3, crossed), &lo, &hi));
    assert_true(lo == 2 && hi == 2 && unary_eval(node(OP_Clip, 3, crossed), 9, 0) == 2);
    struct tensor *open[] = { x, computed(0) }; // a bound that is computed
    assert_false(unary_clamp(node(OP_Clip, 2, open), &lo, &hi));
    assert_false(unary_clamp(node(OP_Sigmoid, 1, &x), &lo, &hi));
    struct node *n = node(OP_Clip, 3, both);
    assert_true(unary_eval(n, -9, 0) == -1.5 && unary_eval(n, 9, 0) == 6 && unary_eval(n, 2, 0) == 2);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[3 + COUNT(functions) + COUNT(binaries)] = {
        cmocka_unit_test_setup_teardown(a_constant_may_differ_along_one_axis, setup, teardown),
        cmocka_unit_test_setup_teardown(two_computed_operands_are_no_function_of_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_constant_that_would_raise_the_rank_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(relu_and_clip_are_intervals, setup, teardown),
    };
    size_t n = 3;
    for (size_t i = 0; i < COUNT(functions); i++)
        tests[n++] = (struct CMUnitTest){ functions[i].name, check_function, NULL, teardown, &functions[i] };
    for (size_t i = 0; i < COUNT(binaries); i++)
        tests[n++] = (struct CMUnitTest){ binaries[i].name, check_binary, NULL, teardown, &binaries[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

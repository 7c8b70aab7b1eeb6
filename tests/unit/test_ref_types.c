// SPDX-License-Identifier: Apache-2.0
// Tests the float reference in element types that the standard's test data have little of: exact 64-bit integers,
// float16, bfloat16 and float64 through operators that float32 has faster ways for, and random numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/onnx.h"
#include "sim/ref_float.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

static const struct row {
    const char *name, *op;
    enum dtype t;
    int rank;
    int64_t dims[4], other[4]; // of the operands a and b; other[0] = 0: there is no b, -1: the dims of a
    double a[8], b[8];
    const char *attr; // an integer attribute, or NULL
    int64_t value;
    double y[8]; // the elements that count
    int n;
} rows[] = {
    { "Add of large int64", "Add", DT_INT64, 1, { 2 }, { -1 }, { 0x1p53, 0x1p62 }, { 1, 1 }, NULL, 0, { 0x1p53 + 2, 0x1p62 + 1 }, 0 },
    { "Add of int8 wraps", "Add", DT_INT8, 1, { 2 }, { -1 }, { 127, -128 }, { 1, -1 }, NULL, 0, { -128, 127 }, 2 },
    { "Sub of uint8 wraps", "Sub", DT_UINT8, 1, { 1 }, { -1 }, { 0 }, { 1 }, NULL, 0, { 255 }, 1 },
    { "Div of int32 cuts towards zero", "Div", DT_INT32, 1, { 3 }, { -1 }, { -7, 7, 5 }, { 2, -2, 0 }, NULL, 0, { -3, -3, 0 }, 3 },
    { "Mod has the divisor's sign", "Mod", DT_INT32, 1, { 3 }, { -1 }, { -7, 7, 5 }, { 3, -3, 0 }, NULL, 0, { 2, -2, 0 }, 3 },
    { "Mod as fmod has the dividend's", "Mod", DT_INT32, 1, { 2 }, { -1 }, { -7, 7 }, { 3, -3 }, "fmod", 1, { -1, 1 }, 2 },
    { "Max of uint64", "Max", DT_UINT64, 1, { 2 }, { -1 }, { 0x1p63, 1 }, { 1, 0x1p63 }, NULL, 0, { 0x1p63, 0x1p63 }, 2 },
    { "Pow of int32", "Pow", DT_INT32, 1, { 2 }, { -1 }, { 3, -2 }, { 4, 3 }, NULL, 0, { 81, -8 }, 2 },
    { "Less of uint64", "Less", DT_UINT64, 1, { 2 }, { -1 }, { 0x1p63, 1 }, { 1, 0x1p63 }, NULL, 0, { 0, 1 }, 2 },
    { "Abs of the least int8", "Abs", DT_INT8, 1, { 2 }, { 0 }, { -128, -5 }, { 0 }, NULL, 0, { -128, 5 }, 2 },
    { "ReduceSum of int32", "ReduceSum", DT_INT32, 1, { 3 }, { 0 }, { 0x1p30, 0x1p30, 5 }, { 0 }, NULL, 0, { -0x1p31 + 5 }, 1 },
    { "ReduceMean of int64 cuts", "ReduceMean", DT_INT64, 1, { 2 }, { 0 }, { -3, 0 }, { 0 }, NULL, 0, { -1 }, 1 },
    { "ReduceMax of bool", "ReduceMax", DT_BOOL, 1, { 3 }, { 0 }, { 0, 1, 0 }, { 0 }, NULL, 0, { 1 }, 1 },
    { "MatMul of int32", "MatMul", DT_INT32, 2, { 1, 2 }, { 2, 1 }, { 3, -4 }, { 5, 6 }, NULL, 0, { -9 }, 1 },
    { "MatMul of float64 keeps its digits", "MatMul", DT_DOUBLE, 2, { 1, 2 }, { 2, 1 }, { 0x1p40, 1 }, { 1, 1 }, NULL, 0, { 0x1p40 + 1 }, 1 },
    { "MatMul of float16 rounds once", "MatMul", DT_FLOAT16, 2, { 1, 2 }, { 2, 1 }, { 2048, 1 }, { 1, 1 }, NULL, 0, { 2048 }, 1 },
    { "Gemm of float64", "Gemm", DT_DOUBLE, 2, { 2, 1 }, { 2, 1 }, { 0x1p40, 1 }, { 1, 1 }, "transA", 1, { 0x1p40 + 1 }, 1 },
    { "Conv of bfloat16", "Conv", DT_BFLOAT16, 3, { 1, 1, 3 }, { 1, 1, 2 }, { 1, 2, 4 }, { 1, 0.5 }, NULL, 0, { 2, 4 }, 2 },
    { "Conv of float64", "Conv", DT_DOUBLE, 4, { 1, 1, 1, 2 }, { 1, 1, 1, 2 }, { 0x1p40, 1 }, { 1, 1 }, NULL, 0, { 0x1p40 + 1 }, 1 },
    { "ConvTranspose of float64", "ConvTranspose", DT_DOUBLE, 3, { 1, 1, 2 }, { 1, 1, 2 }, { 1, 2 }, { 1, 0x1p40 }, NULL, 0, { 1, 0x1p40 + 2, 0x1p41 }, 3 },
    { "Softmax of float16", "Softmax", DT_FLOAT16, 1, { 2 }, { 0 }, { 3, 3 }, { 0 }, NULL, 0, { 0.5, 0.5 }, 2 },
    { "Cast of float64 to uint8", "Cast", DT_DOUBLE, 1, { 2 }, { 0 }, { 3.9, 200.2 }, { 0 }, "to", DT_UINT8, { 3, 200 }, 2 },
    { "Cast of int32 to int8 wraps", "Cast", DT_INT32, 1, { 2 }, { 0 }, { 300, -129 }, { 0 }, "to", DT_INT8, { 44, 127 }, 2 },
    { "Cast of a fraction to bool", "Cast", DT_FLOAT, 1, { 2 }, { 0 }, { 0.25, 0 }, { 0 }, "to", DT_BOOL, { 1, 0 }, 2 },
    { "CumSum of int64", "CumSum", DT_INT64, 1, { 3 }, { 1 }, { 1, 2, 3 }, { 0 }, NULL, 0, { 1, 3, 6 }, 3 },
    { "BitwiseXor of uint8", "BitwiseXor", DT_UINT8, 1, { 2 }, { -1 }, { 12, 255 }, { 10, 255 }, NULL, 0, { 6, 0 }, 2 },
};

static void put(struct array *x, enum dtype t, int rank, const int64_t *dims, const double *v, struct arena *a)
{
    *x = array_new(a, t, rank, dims);
    for (int64_t i = 0; i < array_count(x); i++) {
        if (dtype_is_integer(t)) // 2^63 and more has no int64: its bits
            array_set_i64(x, i, v[i] >= 0x1p63 ? (int64_t)(uint64_t)v[i] : (int64_t)v[i]);
        else
            array_set_f64(x, i, v[i]);
    }
}

// Runs a model of one node on a and b; fails with what was said.
static struct array run(struct arena *arena, const char *op, const struct array *in, int n, const char *attr, int64_t value)
{
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { arena, &diag };
    const struct onnx_options options = { .keep_types = true, .open_shapes = true };
    struct model *m = model_new(20);
    struct graph *g;
    struct array out = { .dtype = DT_NONE };
    size_t n_bytes;
    for (int k = 0; k < n; k++)
        model_input(m, k ? "b" : "a", in[k].dtype, in[k].rank, in[k].dims);
    model_node(m, op, n == 2 ? "a b" : n ? "a" : "", "y");
    if (attr)
        model_int(m, attr, value);
    if (strncmp(op, "Random", 6) == 0)
        model_ints(m, "shape", 1, DIMS(1000));
    model_output(m, "y");
    const void *bytes = model_pack(m, &n_bytes);
    if (!onnx_parse_with(&cx, "test.onnx", bytes, n_bytes, &options, &g) || !ref_float_run(&cx, g, arena, in, &out))
        fail_msg("%s", text.text);
    model_free(m);
    strbuf_release(&text);
    return out;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct arena arena = { 0 };
    struct array in[2];
    int rank = r->rank;
    bool has_b = r->other[0] != 0, is_axis = strcmp(r->op, "CumSum") == 0;
    put(&in[0], r->t, rank, r->dims, r->a, &arena);
    if (has_b)
        put(&in[1], r->t, is_axis ? 1 : rank, r->other[0] < 0 ? r->dims : r->other, r->b, &arena);
    struct array y = run(&arena, r->op, in, 1 + has_b, r->attr, r->value);
    for (int64_t i = 0; i < r->n; i++)
        if (array_f64(&y, i) != r->y[i])
            fail_msg("element %d is %.17g, not %.17g", (int)i, array_f64(&y, i), r->y[i]);
    if (r->n == 0) { // beyond double: the last bit counts
        assert_true(array_i64(&y, 0) == ((int64_t)1 << 53) + 1);
        assert_true(array_i64(&y, 1) == ((int64_t)1 << 62) + 1);
    }
    arena_release(&arena);
}

// Means of a thousand numbers lie within five standard deviations of where they belong.
static void random_numbers_are_spread_as_asked(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct array u = run(&arena, "RandomUniform", NULL, 0, NULL, 0), g = run(&arena, "RandomNormal", NULL, 0, NULL, 0);
    double sums[2] = { 0 }, squares = 0, least = 1, most = 0;
    for (int64_t i = 0; i < 1000; i++) {
        double v = array_f64(&u, i), n = array_f64(&g, i);
        sums[0] += v;
        sums[1] += n;
        squares += n * n;
        least = fmin(least, v);
        most = fmax(most, v);
    }
    assert_true(least >= 0.0 && least < 0.02 && most < 1.0 && most > 0.98);
    assert_true(fabs(sums[0] / 1000 - 0.5) < 0.046 && fabs(sums[1] / 1000) < 0.16 && fabs(squares / 1000 - 1) < 0.23);
    struct array p = array_new(&arena, DT_DOUBLE, 1, DIMS(1000));
    for (int64_t i = 0; i < 1000; i++)
        array_set_f64(&p, i, 0.25);
    struct array b = run(&arena, "Bernoulli", &p, 1, NULL, 0);
    double ones = 0;
    for (int64_t i = 0; i < 1000; i++)
        ones += array_f64(&b, i);
    assert_int_equal(b.dtype, DT_DOUBLE);
    assert_true(fabs(ones - 250) < 69);
    arena_release(&arena);
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[N + 1];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, (void *)&rows[i] };
    tests[N] = (struct CMUnitTest)cmocka_unit_test(random_numbers_are_spread_as_asked);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

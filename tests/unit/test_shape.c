// SPDX-License-Identifier: Apache-2.0
// Tests frontend/shape*.c: result shapes, window geometry, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/shape.h"
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

// One node over an input x of shape `dims`; `ints` is its second input, unless it is empty.
static struct row {
    const char *name, *op;
    int rank;
    int64_t dims[5];
    int n_ints;
    int64_t ints[8];
    const char *attr; // an integer attribute, or NULL
    int64_t value;
    const char *want; // a shape, or a code and words of the error
} rows[] = {
    { "Reshape fills in -1 and copies 0", "Reshape", 3, { 2, 3, 4 }, 2, { 0, -1 }, NULL, 0, "[2, 12]" },
    { "Reshape refuses another count", "Reshape", 2, { 2, 3 }, 1, { 5 }, NULL, 0, "E204" },
    { "Reshape refuses two holes", "Reshape", 2, { 2, 3 }, 2, { -1, -1 }, NULL, 0, "E204" },
    { "Reshape refuses a product beyond 64 bits", "Reshape", 2, { 2, 3 }, 3, { 1ll << 40, 1ll << 40, -1 }, NULL, 0, "E204" },
    { "Flatten splits at its axis", "Flatten", 3, { 2, 3, 4 }, 0, { 0 }, "axis", 2, "[6, 4]" },
    { "Flatten refuses a far axis", "Flatten", 3, { 2, 3, 4 }, 0, { 0 }, "axis", 4, "E203" },
    { "Squeeze drops what it is told", "Squeeze", 4, { 1, 3, 1, 1 }, 2, { 0, -1 }, NULL, 0, "[3, 1]" },
    { "Squeeze refuses a dimension that is not 1", "Squeeze", 2, { 1, 3 }, 1, { 1 }, NULL, 0, "E204" },
    { "Unsqueeze counts axes in the result", "Unsqueeze", 1, { 3 }, 2, { 0, 2 }, NULL, 0, "[1, 3, 1]" },
    { "Unsqueeze refuses an axis named twice", "Unsqueeze", 1, { 3 }, 2, { 0, 0 }, NULL, 0, "E204" },
    { "Expand broadcasts both ways", "Expand", 2, { 3, 1 }, 3, { 2, 1, 4 }, NULL, 0, "[2, 3, 4]" },
    { "Expand refuses 2^40 elements", "Expand", 1, { 1 }, 1, { 1ll << 40 }, NULL, 0, "E204" },
    { "Expand refuses 2^40 elements beside none", "Expand", 1, { 1 }, 3, { 0, 1ll << 30, 1ll << 30 }, NULL, 0, "E204" },
    { "Pad adds on both sides", "Pad", 2, { 2, 3 }, 4, { 0, 1, 0, 2 }, NULL, 0, "[2, 6]" },
    { "Pad takes away with negative pads", "Pad", 1, { 5 }, 2, { -1, -2 }, NULL, 0, "[2]" },
    { "Pad refuses the wrong number of pads", "Pad", 2, { 2, 3 }, 2, { 1, 1 }, NULL, 0, "E204" },
    { "Gather by a list replaces its axis", "Gather", 2, { 4, 3 }, 2, { 0, 1 }, "axis", 1, "[4, 2]" },
    { "Transpose reverses", "Transpose", 3, { 2, 3, 4 }, 0, { 0 }, NULL, 0, "[4, 3, 2]" },
    { "ArgMax keeps its dimension", "ArgMax", 2, { 2, 3 }, 0, { 0 }, "axis", 1, "[2, 1]" },
    { "Softmax refuses a far axis", "Softmax", 2, { 2, 3 }, 0, { 0 }, "axis", 2, "E203" },
    { "Shape gives the rank", "Shape", 3, { 2, 3, 4 }, 0, { 0 }, NULL, 0, "[3]" },
    { "a global pool leaves one pixel", "GlobalAveragePool", 4, { 1, 3, 5, 7 }, 0, { 0 }, NULL, 0, "[1, 3, 1, 1]" },
    { "a pool needs its kernel", "MaxPool", 4, { 1, 3, 5, 7 }, 0, { 0 }, NULL, 0, "kernel_shape is missing" },
    { "a pool without an image is refused", "GlobalMaxPool", 2, { 1, 3 }, 0, { 0 }, NULL, 0, "E204" },
    { "Split refuses parts that do not match its outputs", "Split", 2, { 4, 2 }, 2, { 1, 3 }, "axis", 0, "E204" },
};

static void expect(bool ok, const struct graph *g, const char *text, const char *want)
{
    if (want[0] == '[') {
        if (!ok)
            fail_msg("%s", text);
        const struct tensor *y = g->outputs[0];
        assert_string_equal(shape_text(&arena, y->rank, y->dims), want);
    } else {
        assert_false(ok);
        if (!strstr(text, want))
            fail_msg("wanted '%s' in:\n%s", want, text);
    }
}

static void infer(struct model *m, const char *want)
{
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text };
    struct ctx cx = { .arena = &arena, .diag = &diag };
    struct graph *g = NULL;
    model_output(m, "y");
    bool read = model_parse(m, &cx, &g);
    if (!read)
        fail_msg("%s", text.text);
    bool ok = shape_infer(&cx, g);
    expect(ok, g, text.text, want);
    strbuf_release(&text);
    model_free(m);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, r->rank, r->dims);
    if (r->n_ints)
        model_i64(m, "i", r->n_ints, r->ints);
    model_node(m, r->op, r->n_ints ? "x i" : "x", "y");
    if (r->attr)
        model_int(m, r->attr, r->value);
    infer(m, r->want);
}

// ---- windows ----

static struct window_row {
    const char *name, *op, *auto_pad;
    int64_t in, kernel, stride, dilation, before, after, ceil_mode;
    int64_t out, want_before, want_after; // out 0: refused
} windows[] = {
    { "a plain window", "MaxPool", "NOTSET", 7, 3, 2, 1, 0, 0, 0, 3, 0, 0 },
    { "explicit pads", "MaxPool", "NOTSET", 7, 3, 2, 1, 1, 2, 0, 4, 1, 2 },
    { "VALID has no pads", "MaxPool", "VALID", 8, 3, 2, 1, 0, 0, 0, 3, 0, 0 },
    { "SAME_UPPER has its odd pad behind", "MaxPool", "SAME_UPPER", 8, 3, 2, 1, 0, 0, 0, 4, 0, 1 },
    { "SAME_LOWER has its odd pad in front", "MaxPool", "SAME_LOWER", 8, 3, 2, 1, 0, 0, 0, 4, 1, 0 },
    { "dilation widens the kernel", "MaxPool", "NOTSET", 9, 3, 1, 3, 0, 0, 0, 3, 0, 0 },
    { "ceil_mode adds a partial window", "MaxPool", "NOTSET", 6, 3, 2, 1, 0, 0, 1, 3, 0, 0 },
    { "ceil_mode adds none in the trailing pad", "MaxPool", "NOTSET", 2, 2, 2, 1, 1, 1, 1, 2, 1, 1 },
    { "an image smaller than the kernel is refused", "MaxPool", "NOTSET", 2, 3, 1, 1, 0, 0, 0, 0, 0, 0 },
    { "pads as large as the kernel are refused", "MaxPool", "NOTSET", 5, 2, 1, 1, 2, 0, 0, 0, 0, 0 },
    { "a stride of zero is refused", "MaxPool", "NOTSET", 5, 2, 0, 1, 0, 0, 0, 0, 0, 0 },
};

static void check_window(void **state)
{
    const struct window_row *r = *state;
    struct model *m = model_new(13);
    struct diag diag = { 0 };
    struct ctx cx = { .arena = &arena, .diag = &diag };
    struct graph *g = NULL;
    struct window_geometry w;
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, r->in));
    model_node(m, r->op, "x", "y");
    model_string(m, "auto_pad", r->auto_pad);
    model_ints(m, "kernel_shape", 1, &r->kernel);
    model_ints(m, "strides", 1, &r->stride);
    model_ints(m, "dilations", 1, &r->dilation);
    model_ints(m, "pads", 2, DIMS(r->before, r->after));
    model_int(m, "ceil_mode", r->ceil_mode);
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g));
    assert_int_equal(shape_infer(&cx, g), r->out > 0);
    if (r->out > 0) {
        assert_int_equal(g->outputs[0]->dims[2], r->out);
        assert_true(window_geometry(&cx, g, g->nodes[0], &w));
        assert_int_equal(w.out_h, 1);
        assert_int_equal(w.out_w, r->out);
        assert_int_equal(w.pad_left, r->want_before);
        assert_int_equal(w.pad_right, r->want_after);
        assert_int_equal(w.kernel_h, 1);
    }
    model_free(m);
}

// ---- operators with weights ----

static void a_group_that_does_not_divide_says_so(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    float w[4] = { 0 };
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 2, 2));
    model_f32(m, "w", 4, DIMS(4, 1, 1, 1), w);
    model_node(m, "Conv", "x w", "y");
    model_int(m, "group", 3);
    infer(m, "found 3, need a divisor of 4");
}

static void a_computed_shape_is_followed(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 3, DIMS(2, 3, 4));
    model_i64(m, "i", 1, DIMS(0));
    model_i64(m, "r", 1, DIMS(-1));
    model_node(m, "Shape", "x", "s");
    model_node(m, "Gather", "s i", "n");
    model_node(m, "Concat", "n r", "t");
    model_int(m, "axis", 0);
    model_node(m, "Reshape", "x t", "y");
    infer(m, "[2, 12]");
}

static void a_shape_from_data_is_refused(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_input(m, "s", DT_INT64, 1, DIMS(1));
    model_node(m, "Reshape", "x s", "y");
    infer(m, "E206");
}

static void types_that_differ_are_refused(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_i64(m, "i", 1, DIMS(1));
    model_node(m, "Add", "x i", "y");
    infer(m, "E207");
}

static void a_scale_larger_than_what_it_quantizes_is_refused(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 0, NULL);
    model_input(m, "s", DT_FLOAT, 2, DIMS(4, 14));
    model_node(m, "qonnx.custom_op.general:BipolarQuant", "x s", "y");
    infer(m, "E204");
}

static void matmul_broadcasts_its_batch(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 4, DIMS(2, 1, 3, 4));
    model_input(m, "b", DT_FLOAT, 3, DIMS(5, 4, 6));
    model_node(m, "MatMul", "x b", "y");
    infer(m, "[2, 5, 3, 6]");
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows, W = sizeof windows / sizeof *windows };
    struct CMUnitTest tests[N + W + 6];
    int n = 0;
    for (int i = 0; i < N; i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, teardown, &rows[i] };
    for (int i = 0; i < W; i++)
        tests[n++] = (struct CMUnitTest){ windows[i].name, check_window, NULL, teardown, &windows[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(a_group_that_does_not_divide_says_so, teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(a_computed_shape_is_followed, teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(a_shape_from_data_is_refused, teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(types_that_differ_are_refused, teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(a_scale_larger_than_what_it_quantizes_is_refused, teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_teardown(matmul_broadcasts_its_batch, teardown);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

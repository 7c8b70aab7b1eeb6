// SPDX-License-Identifier: Apache-2.0
// Tests what the reader makes of other opsets, bodies, functions, open shapes and narrow integers: each model is read for
// the float reference and run, and read for hardware where it can be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/onnx.h"
#include "frontend/shape.h"
#include "sim/ref_float.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FLOATS(...) ((float[]){ __VA_ARGS__ })

static struct arena arena;
static struct strbuf text = STRBUF_INIT;
static struct diag diag;
static struct ctx cx = { &arena, &diag };
static struct model *m, *inner, *other;

static int setup(void **state)
{
    (void)state;
    diag = (struct diag){ .rendered = &text, .quiet = true };
    m = inner = other = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (m)
        model_free(m);
    if (inner)
        model_free(inner);
    if (other)
        model_free(other);
    strbuf_release(&text);
    arena_release(&arena);
    return 0;
}

// ---- models: x is [1, 2, 3] of 1, 2, 3, -1, -2, -3; the result is y ----

static void start(int64_t opset)
{
    m = model_new(opset);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 3));
}

// A body as Loop's are: it gets the iteration and a condition, of rank 0 or 1.
static struct model *loop_body(int rank)
{
    struct model *b = model_new(13);
    model_input(b, "i", DT_INT64, 0, NULL);
    model_input(b, "go", DT_BOOL, rank, DIMS(1));
    return b;
}

static void reduce_axes_as_input(void)
{
    start(18);
    model_i64(m, "a", 1, DIMS(-1));
    model_node(m, "ReduceMean", "x a", "y");
    model_int(m, "keepdims", 0);
}

static void reduce_no_axes_is_nothing(void)
{
    start(18);
    model_node(m, "ReduceMax", "x", "y");
    model_int(m, "noop_with_empty_axes", 1);
}

static void reduce_axes_computed(void)
{
    start(18);
    model_node(m, "Shape", "x", "s");
    model_i64(m, "i", 1, DIMS(1));
    model_node(m, "Gather", "s i", "axis"); // [2]
    model_node(m, "ReduceSum", "x axis", "y");
    model_int(m, "keepdims", 0);
}

static void split_by_number(void)
{
    start(18);
    model_node(m, "Split", "x", "y z");
    model_int(m, "axis", 2);
    model_int(m, "num_outputs", 2);
}

static void pad_some_axes(void)
{
    start(19);
    model_i64(m, "p", 2, DIMS(1, 0));
    model_i64(m, "a", 1, DIMS(2));
    model_node(m, "Pad", "x p - a", "y");
    model_string(m, "mode", "wrap");
}

static void resize_some_axes(void)
{
    start(18);
    model_f32(m, "f", 1, DIMS(1), FLOATS(2));
    model_node(m, "Resize", "x - f", "y");
    model_ints(m, "axes", 1, DIMS(2));
    model_string(m, "coordinate_transformation_mode", "asymmetric");
    model_string(m, "nearest_mode", "floor");
}

static void resize_keeps_the_ratio(void)
{
    start(18);
    model_i64(m, "n", 2, DIMS(4, 3));
    model_node(m, "Resize", "x - - n", "y");
    model_ints(m, "axes", 2, DIMS(1, 2));
    model_string(m, "keep_aspect_ratio_policy", "not_larger");
}

static void int4_weights(void)
{
    start(21);
    model_raw(m, "w", 22, 1, DIMS(3), 2, (uint8_t[]){ 0xf2, 0x08 }); // 2, -1, -8
    model_f32(m, "s", 0, NULL, FLOATS(0.5f));
    model_node(m, "DequantizeLinear", "w s", "d");
    model_node(m, "Mul", "x d", "y");
}

static void uint4_weights(void)
{
    start(21);
    model_raw(m, "w", 21, 1, DIMS(3), 2, (uint8_t[]){ 0xf2, 0x08 }); // 2, 15, 8
    model_f32(m, "s", 0, NULL, FLOATS(1));
    model_node(m, "DequantizeLinear", "w s", "d");
    model_node(m, "Mul", "x d", "y");
}

static void axis_before_opset_7(void)
{
    start(6);
    model_f32(m, "b", 1, DIMS(2), FLOATS(10, 20));
    model_node(m, "Add", "x b", "y");
    model_int(m, "broadcast", 1);
    model_int(m, "axis", 1);
}

static void axis_of_a_later_opset_means_nothing(void)
{
    start(7);
    model_f32(m, "b", 1, DIMS(3), FLOATS(1, 0, 0));
    model_node(m, "Add", "x b", "y");
    model_int(m, "axis", 1);
}

static void shape_as_attribute(void)
{
    start(4);
    model_node(m, "Reshape", "x", "y");
    model_ints(m, "shape", 2, DIMS(3, 2));
}

static void type_by_name(void)
{
    start(5);
    model_node(m, "Cast", "x", "y");
    model_string(m, "to", "INT32");
}

static void if_of_a_shape(void)
{
    start(13);
    inner = model_new(13);
    other = model_new(13);
    model_node(m, "Shape", "x", "s");
    model_i64(m, "i", 1, DIMS(1));
    model_i64(m, "two", 1, DIMS(2));
    model_node(m, "Gather", "s i", "d");
    model_node(m, "Equal", "d two", "c");
    model_node(inner, "Neg", "x", "t");
    model_output(inner, "t");
    model_node(other, "Relu", "x", "e");
    model_output(other, "e");
    model_node(m, "If", "c", "y");
    model_body(m, "then_branch", inner);
    model_body(m, "else_branch", other);
}

static void loop_of_three(void)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "n", 1, DIMS(3));
    model_input(inner, "v", DT_FLOAT, -1, NULL);
    model_node(inner, "Identity", "go", "go_on");
    model_node(inner, "Add", "v x", "sum"); // x from the graph around
    model_node(inner, "Cast", "i", "f");
    model_int(inner, "to", DT_FLOAT);
    model_output(inner, "go_on");
    model_output(inner, "sum");
    model_output(inner, "f");
    model_node(m, "Loop", "n - x", "y all");
    model_body(m, "body", inner);
}

// A condition that only the data knows.
static void if_above(float level)
{
    start(13);
    inner = model_new(13);
    other = model_new(13);
    model_f32(m, "level", 1, DIMS(1), &level);
    model_node(m, "ReduceMax", "x", "largest");
    model_int(m, "keepdims", 0);
    model_node(m, "Greater", "largest level", "c"); // of shape [1]
    model_node(inner, "Neg", "x", "t");
    model_output(inner, "t");
    model_output(inner, "largest");
    model_node(other, "Relu", "x", "e");
    model_node(other, "Neg", "largest", "f");
    model_output(other, "e");
    model_output(other, "f");
    model_node(m, "If", "c", "y1 y2");
    model_body(m, "then_branch", inner);
    model_body(m, "else_branch", other);
    model_node(m, "Mul", "y1 y2", "y");
}

static void if_of_data_holds(void)
{
    if_above(2.5f);
}

static void if_of_data_does_not_hold(void)
{
    if_above(3);
}

// Adds x to itself until something reaches `level`, at most four times; `first` is the condition that it begins with.
static void loop_until(float level, const char *first)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "n", 1, DIMS(4));
    model_f32(m, "zero", 1, DIMS(1), FLOATS(0));
    model_node(m, "ReduceSum", "x", "sum"); // 0
    model_node(m, "Less", "sum zero", "no");
    model_node(m, "Equal", "sum zero", "yes");
    model_input(inner, "v", DT_FLOAT, -1, NULL);
    model_f32(inner, "level", 1, DIMS(1), &level);
    model_node(inner, "Add", "v x", "more");
    model_node(inner, "ReduceMax", "more", "largest");
    model_int(inner, "keepdims", 0);
    model_node(inner, "Less", "largest level", "go_on");
    model_output(inner, "go_on");
    model_output(inner, "more");
    model_node(m, "Loop", first, "y");
    model_body(m, "body", inner);
}

static void loop_ends_early(void)
{
    loop_until(8, "n - x");
}

static void loop_runs_out(void)
{
    loop_until(100, "n yes x");
}

static void loop_never_begins(void)
{
    loop_until(100, "n no x");
}

// Three items, nothing carried, no condition.
static void loop_of_items(void)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "n", 1, DIMS(3));
    model_node(inner, "Identity", "go", "go_on");
    model_node(inner, "Cast", "i", "f");
    model_int(inner, "to", DT_FLOAT);
    model_output(inner, "go_on");
    model_output(inner, "f");
    model_node(m, "Loop", "n", "y");
    model_body(m, "body", inner);
}

// The body has its condition as [1], whatever the node has.
static void loop_with_a_condition_of_rank_1(void)
{
    start(13);
    inner = loop_body(1);
    model_i64(m, "n", 1, DIMS(3));
    model_f32(m, "one", 1, DIMS(1), FLOATS(1));
    model_node(m, "ReduceMax", "x", "largest");
    model_int(m, "keepdims", 0);
    model_node(m, "Greater", "largest one", "c");
    model_input(inner, "v", DT_FLOAT, -1, NULL);
    model_node(inner, "Concat", "go go", "two");
    model_int(inner, "axis", 0);
    model_node(inner, "Cast", "two", "f");
    model_int(inner, "to", DT_FLOAT);
    model_node(inner, "ReduceSum", "f", "sum");
    model_int(inner, "keepdims", 0);
    model_node(inner, "Mul", "v sum", "w");
    model_node(inner, "Identity", "go", "go_on");
    model_output(inner, "go_on");
    model_output(inner, "w");
    model_node(m, "Loop", "n c x", "y");
    model_body(m, "body", inner);
}

// Rows of x, until there are none: the last iterations, which do not happen, would read behind them.
static void loop_over_rows(void)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "n", 1, DIMS(4));
    model_f32(m, "none", 2, DIMS(1, 3), FLOATS(0, 0, 0));
    model_f32(m, "zero", 1, DIMS(1), FLOATS(0));
    model_node(m, "ReduceSum", "x", "s");
    model_node(m, "Equal", "s zero", "c");
    model_input(inner, "v", DT_FLOAT, -1, NULL);
    model_node(inner, "ReduceMax", "v", "top"); // so that the index follows from data
    model_int(inner, "keepdims", 0);
    model_node(inner, "Cast", "top", "t");
    model_int(inner, "to", DT_INT64);
    model_node(inner, "Sub", "t t", "nothing");
    model_node(inner, "Add", "i nothing", "at");
    model_node(inner, "Gather", "x at", "row");
    model_int(inner, "axis", 1);
    model_node(inner, "Add", "v row", "w");
    model_node(inner, "ReduceMax", "row", "r");
    model_int(inner, "keepdims", 0);
    model_f32(inner, "level", 1, DIMS(1), FLOATS(0));
    model_node(inner, "Greater", "r level", "go_on"); // not behind the second row
    model_output(inner, "go_on");
    model_output(inner, "w");
    model_node(m, "Loop", "n c none", "y");
    model_body(m, "body", inner);
}

// What is drawn does not follow from where the node comes to stand.
static void random_in_a_branch(void)
{
    start(13);
    inner = model_new(13);
    model_raw(m, "c", DT_BOOL, 0, NULL, 1, "\1");
    model_node(m, "Identity", "x", "x2");
    model_node(inner, "RandomUniformLike", "x2", "t");
    model_float(inner, "seed", 3);
    model_output(inner, "t");
    model_node(m, "If", "c", "y");
    model_body(m, "then_branch", inner);
    model_body(m, "else_branch", inner);
}

// Running sums of the rows of x, and of its columns from the last on.
static void scan_body(int64_t opset)
{
    start(opset);
    inner = model_new(opset);
    model_input(inner, "sum", DT_FLOAT, -1, NULL);
    model_input(inner, "item", DT_FLOAT, -1, NULL);
    model_node(inner, "Add", "sum item", "next");
    model_node(inner, "Identity", "next", "copy");
    model_output(inner, "next");
    model_output(inner, "copy");
}

static void scan_of_rows(void)
{
    scan_body(13);
    model_f32(m, "first", 2, DIMS(1, 3), FLOATS(10, 20, 30));
    model_node(m, "Scan", "first x", "last all");
    model_int(m, "num_scan_inputs", 1);
    model_ints(m, "scan_input_axes", 1, DIMS(1));
    model_ints(m, "scan_output_axes", 1, DIMS(1));
    model_body(m, "body", inner);
    model_node(m, "Unsqueeze", "last one", "line");
    model_i64(m, "one", 1, DIMS(1));
    model_node(m, "Concat", "all line", "y");
    model_int(m, "axis", 1);
}

static void scan_of_columns_backwards(void)
{
    scan_body(13);
    model_f32(m, "first", 2, DIMS(1, 2), FLOATS(0, 0));
    model_node(m, "Scan", "first x", "last y");
    model_int(m, "num_scan_inputs", 1);
    model_ints(m, "scan_input_axes", 1, DIMS(-1));
    model_ints(m, "scan_input_directions", 1, DIMS(1));
    model_ints(m, "scan_output_axes", 1, DIMS(-1));
    model_ints(m, "scan_output_directions", 1, DIMS(1));
    model_body(m, "body", inner);
}

static void scan_of_batches(void)
{
    scan_body(8);
    model_i64(m, "lengths", 1, DIMS(2)); // all there is
    model_f32(m, "first", 2, DIMS(1, 3), FLOATS(0, 0, 0));
    model_node(m, "Scan", "lengths first x", "last y");
    model_int(m, "num_scan_inputs", 1);
    model_body(m, "body", inner);
}

static void function_in_a_function(void)
{
    start(13);
    inner = model_new(13);
    other = model_new(13);
    model_input(inner, "a", DT_FLOAT, -1, NULL);
    model_node(inner, "LeakyRelu", "a", "b");
    model_refer(inner, "alpha", "slope");
    model_output(inner, "b");
    model_input(other, "a", DT_FLOAT, -1, NULL);
    model_node(other, "local:Leaky", "a", "t");
    model_float(other, "slope", 0.5f);
    model_node(other, "local:Leaky", "t", "u"); // without the attribute: 0.01
    model_output(other, "u");
    model_function(m, "Leaky", inner, "slope");
    model_function(m, "Both", other, "");
    model_node(m, "local:Both", "x", "y");
}

static const struct row {
    const char *name;
    void (*build)(void);
    int rank;
    int64_t dims[3];
    double y[12];
} rows[] = {
    { "axes of ReduceMean as an input", reduce_axes_as_input, 2, { 1, 2 }, { 2, -2 } },
    { "no axes, and that is nothing to do", reduce_no_axes_is_nothing, 3, { 1, 2, 3 }, { 1, 2, 3, -1, -2, -3 } },
    { "axes computed from a shape", reduce_axes_computed, 2, { 1, 2 }, { 6, -6 } },
    { "Split by a number that does not divide", split_by_number, 3, { 1, 2, 2 }, { 1, 2, -1, -2 } },
    { "Pad of one axis, wrapped around", pad_some_axes, 3, { 1, 2, 4 }, { 3, 1, 2, 3, -3, -1, -2, -3 } },
    { "Resize of one axis", resize_some_axes, 3, { 1, 2, 6 }, { 1, 1, 2, 2, 3, 3, -1, -1, -2, -2, -3, -3 } },
    { "Resize into a size that keeps the ratio", resize_keeps_the_ratio, 3, { 1, 2, 3 }, { 1, 2, 3, -1, -2, -3 } },
    { "int4", int4_weights, 3, { 1, 2, 3 }, { 1, -1, -12, -1, 1, 12 } },
    { "uint4", uint4_weights, 3, { 1, 2, 3 }, { 2, 30, 24, -2, -30, -24 } },
    { "broadcasting along an axis, as before opset 7", axis_before_opset_7, 3, { 1, 2, 3 }, { 11, 12, 13, 19, 18, 17 } },
    { "an axis means nothing since", axis_of_a_later_opset_means_nothing, 3, { 1, 2, 3 }, { 2, 2, 3, 0, -2, -3 } },
    { "Reshape with an attribute", shape_as_attribute, 2, { 3, 2 }, { 1, 2, 3, -1, -2, -3 } },
    { "Cast to a type by name", type_by_name, 3, { 1, 2, 3 }, { 1, 2, 3, -1, -2, -3 } },
    { "If of a shape", if_of_a_shape, 3, { 1, 2, 3 }, { -1, -2, -3, 1, 2, 3 } },
    { "If of data that holds", if_of_data_holds, 3, { 1, 2, 3 }, { -3, -6, -9, 3, 6, 9 } },
    { "If of data that does not hold", if_of_data_does_not_hold, 3, { 1, 2, 3 }, { -3, -6, -9, 0, 0, 0 } },
    { "Loop that data ends", loop_ends_early, 3, { 1, 2, 3 }, { 3, 6, 9, -3, -6, -9 } },
    { "Loop that data might end", loop_runs_out, 3, { 1, 2, 3 }, { 5, 10, 15, -5, -10, -15 } },
    { "Loop that data keeps from beginning", loop_never_begins, 3, { 1, 2, 3 }, { 1, 2, 3, -1, -2, -3 } },
    { "Loop that carries nothing", loop_of_items, 1, { 3 }, { 0, 1, 2 } },
    { "Loop whose body has its condition as [1]", loop_with_a_condition_of_rank_1, 3, { 1, 2, 3 }, { 8, 16, 24, -8, -16, -24 } },
    { "Loop that would read behind the end", loop_over_rows, 2, { 1, 3 }, { 0, 0, 0 } },
    { "random numbers in a branch", random_in_a_branch, 3, { 1, 2, 3 }, { 0.6031311, 0.6478939, 0.5720281, 0.6161623, 0.9701065, 0.5318727 } },
    { "Scan of rows", scan_of_rows, 3, { 1, 3, 3 }, { 11, 22, 33, 10, 20, 30, 10, 20, 30 } },
    { "Scan of columns from the last on", scan_of_columns_backwards, 3, { 1, 2, 3 }, { 6, 5, 3, -6, -5, -3 } },
    { "Scan of batches, as in opset 8", scan_of_batches, 3, { 1, 2, 3 }, { 1, 2, 3, 0, 0, 0 } },
    { "Loop with a captured tensor", loop_of_three, 3, { 1, 2, 3 }, { 4, 8, 12, -4, -8, -12 } },
    { "a function in a function", function_in_a_function, 3, { 1, 2, 3 }, { 1, 2, 3, -0.005, -0.01, -0.015 } },
};

static void expect(const struct row *r, const struct array *y)
{
    assert_int_equal(y->rank, r->rank);
    for (int i = 0; i < r->rank; i++)
        assert_int_equal(y->dims[i], r->dims[i]);
    for (int64_t i = 0; i < array_count(y); i++)
        if (!(fabs(array_f64(y, i) - r->y[i]) < 1e-6))
            fail_msg("element %d is %g, not %g", (int)i, array_f64(y, i), r->y[i]);
}

static struct array ramp(void)
{
    struct array x = array_new(&arena, DT_FLOAT, 3, DIMS(1, 2, 3));
    for (int64_t i = 0; i < 6; i++)
        array_set_f64(&x, i, (double)(i < 3 ? i + 1 : 2 - i));
    return x;
}

// The same values from both ways of reading: by value, and with all shapes inferred first, as for hardware.
static void check_row(void **state)
{
    const struct row *r = *state;
    const struct onnx_options reference = { .keep_types = true, .open_shapes = true };
    struct array x = ramp(), out[2];
    struct graph *g;
    size_t n;
    r->build();
    model_output(m, "y");
    const void *bytes = model_pack(m, &n);
    bool ok = onnx_parse_with(&cx, "test.onnx", bytes, n, &reference, &g) && ref_float_run(&cx, g, &arena, &x, out);
    if (!ok)
        fail_msg("%s", text.text);
    expect(r, &out[0]);
    if (!onnx_parse(&cx, "test.onnx", bytes, n, &g) || !shape_infer(&cx, g))
        fail_msg("%s", text.text);
    graph_verify(g);
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    assert_true(ref_float_graph(&cx, g, &arena, &x, values));
    expect(r, &values[g->outputs[0]->index]);
}

// ---- models that are refused, by the reader or by shape inference ----

static void if_of_shapes(void)
{
    start(13);
    inner = model_new(13);
    other = model_new(13);
    model_input(m, "c", DT_BOOL, 0, NULL);
    model_node(inner, "Neg", "x", "t");
    model_output(inner, "t");
    model_node(other, "ReduceMax", "x", "e");
    model_output(other, "e");
    model_node(m, "If", "c", "y");
    model_body(m, "then_branch", inner);
    model_body(m, "else_branch", other);
}

// Its number of iterations comes with the data.
static void loop_of_data(void)
{
    loop_of_three();
    model_input(m, "times", DT_INT64, 1, DIMS(1));
    model_node(m, "Loop", "times - y", "z all_z");
    model_body(m, "body", inner);
}

static void endless_loop(void)
{
    loop_of_three();
    model_node(m, "Abs", "y", "y2");
    model_i64(m, "many", 1, DIMS(INT64_MAX));
    model_node(m, "Loop", "many - n", "z");
    other = loop_body(0);
    model_input(other, "v", DT_INT64, 1, DIMS(1));
    model_node(other, "Identity", "go", "go_on");
    model_node(other, "Neg", "v", "w");
    model_output(other, "go_on");
    model_output(other, "w");
    model_body(m, "body", other);
}

static void endless_loop_of_nothing(void)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "many", 1, DIMS(INT64_MAX));
    model_node(m, "Loop", "many - many", "y");
    model_input(inner, "v", DT_INT64, 1, DIMS(1));
    model_output(inner, "go");
    model_output(inner, "v");
    model_body(m, "body", inner);
}

// Found by fuzzing: 2^31 slices without elements took all memory.
static void unique_of_many_slices(void)
{
    start(13);
    model_i64(m, "dims", 2, DIMS((int64_t)1 << 31, 0));
    model_node(m, "ConstantOfShape", "dims", "z");
    model_node(m, "Unique", "z", "y");
    model_int(m, "axis", 0);
}

static void loop_that_keeps_nothing(void)
{
    start(13);
    inner = loop_body(0);
    model_i64(m, "n", 1, DIMS(3));
    model_input(inner, "u", DT_INT64, 1, DIMS(1));
    model_input(inner, "v", DT_INT64, 1, DIMS(1));
    model_output(inner, "go");
    model_output(inner, "u");
    model_node(m, "Loop", "n - n n", "y");
    model_body(m, "body", inner);
}

static void graph_of_an_operator_without(void)
{
    start(13);
    inner = model_new(13);
    model_node(inner, "Neg", "x", "t");
    model_output(inner, "t");
    model_node(m, "Relu", "x", "y");
    model_body(m, "body", inner);
}

static void body_of_unknown_names(void)
{
    if_of_shapes();
    model_node(inner, "Neg", "nowhere", "u");
}

static void recursive_function(void)
{
    start(13);
    inner = model_new(13);
    model_input(inner, "a", DT_FLOAT, -1, NULL);
    model_node(inner, "local:Self", "a", "b");
    model_output(inner, "b");
    model_function(m, "Self", inner, "");
    model_node(m, "local:Self", "x", "y");
}

static void function_of_another_opset(void)
{
    start(13);
    inner = model_new(12);
    model_input(inner, "a", DT_FLOAT, -1, NULL);
    model_node(inner, "Relu", "a", "b");
    model_output(inner, "b");
    model_function(m, "F", inner, "");
    model_node(m, "local:F", "x", "y");
}

static void too_many_arguments(void)
{
    start(13);
    inner = model_new(13);
    model_input(inner, "a", DT_FLOAT, -1, NULL);
    model_node(inner, "Relu", "a", "b");
    model_output(inner, "b");
    model_function(m, "F", inner, "");
    model_node(m, "local:F", "x x", "y");
}

// The end of the range: what is added to it overflows.
static void far_axis_before_opset_7(void)
{
    start(6);
    model_f32(m, "b", 1, DIMS(2), FLOATS(10, 20));
    model_node(m, "Add", "x b", "y");
    model_int(m, "broadcast", 1);
    model_int(m, "axis", INT64_MAX);
}

static void blocked_quantization(void)
{
    start(21);
    model_f32(m, "s", 3, DIMS(1, 2, 1), FLOATS(1, 2));
    model_node(m, "QuantizeLinear", "x s", "y");
    model_int(m, "block_size", 3);
}

static void quantization_to_4_bits(void)
{
    start(21);
    model_f32(m, "s", 0, NULL, FLOATS(1));
    model_raw(m, "z", 22, 0, NULL, 1, (uint8_t[]){ 0 });
    model_node(m, "QuantizeLinear", "x s z", "y");
}

static void cast_to_4_bits(void)
{
    start(21);
    model_node(m, "Cast", "x", "y");
    model_int(m, "to", 22);
}

static void packed_data_cut_short(void)
{
    start(21);
    model_raw(m, "w", 22, 1, DIMS(5), 2, (uint8_t[]){ 0, 0 });
    model_f32(m, "s", 0, NULL, FLOATS(1));
    model_node(m, "DequantizeLinear", "w s", "y");
}

static void axes_as_input_too_early(void)
{
    start(17);
    model_i64(m, "a", 1, DIMS(-1));
    model_node(m, "ReduceMean", "x a", "y");
}

static void open_dimension(void)
{
    m = model_new(13);
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, -1));
    model_dim(m, "width");
    model_node(m, "Relu", "x", "y");
}

static void shape_of_data(void)
{
    start(13);
    model_node(m, "NonZero", "x", "y");
}

static void zero_points_of_another_count(void)
{
    m = model_new(13);
    model_input(m, "x", DT_UINT8, 2, DIMS(4, 2));
    model_raw(m, "w", DT_UINT8, 2, DIMS(2, 3), 6, (uint8_t[]){ 1, 2, 3, 4, 5, 6 });
    model_raw(m, "z", DT_UINT8, 1, DIMS(2), 2, (uint8_t[]){ 1, 2 });
    model_node(m, "MatMulInteger", "x w - z", "y");
}

static void conv_zero_points_of_another_count(void)
{
    m = model_new(13);
    model_input(m, "x", DT_UINT8, 3, DIMS(1, 1, 4));
    model_raw(m, "w", DT_UINT8, 3, DIMS(3, 1, 1), 3, (uint8_t[]){ 1, 2, 3 });
    model_raw(m, "z", DT_UINT8, 1, DIMS(2), 2, (uint8_t[]){ 1, 2 });
    model_node(m, "ConvInteger", "x w - z", "y");
}

static void integer_conv_of_scalars(void)
{
    m = model_new(13);
    model_input(m, "x", DT_UINT8, 0, NULL);
    model_raw(m, "w", DT_UINT8, 0, NULL, 1, (uint8_t[]){ 1 });
    model_node(m, "ConvInteger", "x w", "y");
}

static void bias_for_groups_scale_for_channels(void)
{
    m = model_new(18);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 4, 2));
    model_f32(m, "s", 1, DIMS(4), FLOATS(1, 1, 1, 1));
    model_f32(m, "b", 1, DIMS(2), FLOATS(1, 1));
    model_node(m, "GroupNormalization", "x s b", "y");
    model_int(m, "num_groups", 2);
}

static void pads_that_leave_nothing(void)
{
    m = model_new(13);
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 1, 1));
    model_i64(m, "n", 4, DIMS(1, 1, 4, 4));
    model_input(m, "i", DT_INT64, 4, DIMS(1, 1, 1, 1));
    model_node(m, "MaxUnpool", "x i n", "y");
    model_ints(m, "kernel_shape", 2, DIMS(1, 1));
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
}

// Found by fuzzing: numbers that count were read as integers, whatever their type.
static void lengths_of_type_float(void)
{
    m = model_new(14);
    model_input(m, "x", DT_FLOAT, 3, DIMS(5, 2, 3));
    model_input(m, "n", DT_FLOAT, 1, DIMS(2));
    model_f32(m, "w", 3, DIMS(1, 4, 3), FLOATS(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    model_f32(m, "r", 3, DIMS(1, 4, 4), FLOATS(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    model_node(m, "RNN", "x w r - n", "y");
    model_int(m, "hidden_size", 4);
}

static void reversed_by_floats(void)
{
    start(13);
    model_input(m, "n", DT_FLOAT, 1, DIMS(2));
    model_node(m, "ReverseSequence", "x n", "y");
}

static void quantization_to_4_bits_in_a_branch(void)
{
    start(21);
    inner = model_new(21);
    model_input(m, "c", DT_BOOL, 0, NULL);
    model_f32(inner, "s", 0, NULL, FLOATS(0.1f));
    model_raw(inner, "z", 22, 0, NULL, 1, "\0");
    model_node(inner, "QuantizeLinear", "x s z", "q");
    model_node(inner, "DequantizeLinear", "q s z", "t");
    model_output(inner, "t");
    model_node(m, "If", "c", "y");
    model_body(m, "then_branch", inner);
    model_body(m, "else_branch", inner);
}

static void ignored_class_of_type_float(void)
{
    m = model_new(13);
    model_input(m, "x", DT_FLOAT, 2, DIMS(4, 3));
    model_input(m, "k", DT_INT64, 1, DIMS(4));
    model_node(m, "NegativeLogLikelihoodLoss", "x k", "y");
    model_float(m, "ignore_index", 7);
}

// Found by fuzzing: one behind the last place is no number.
static void gram_at_the_end_of_numbers(void)
{
    m = model_new(13);
    model_input(m, "x", DT_INT64, 1, DIMS(4));
    model_node(m, "TfIdfVectorizer", "x", "y");
    model_string(m, "mode", "TF");
    model_int(m, "min_gram_length", 1);
    model_int(m, "max_gram_length", 1);
    model_int(m, "max_skip_count", 0);
    model_ints(m, "ngram_counts", 1, DIMS(0));
    model_ints(m, "ngram_indexes", 1, DIMS(INT64_MAX));
    model_ints(m, "pool_int64s", 1, DIMS(1));
}

static void scan_without_inputs(void)
{
    scan_body(13);
    model_node(m, "Scan", "x x", "y all");
    model_int(m, "num_scan_inputs", 3);
    model_body(m, "body", inner);
}

static void images_of_type_float(void)
{
    m = model_new(16);
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 6, 7));
    model_input(m, "r", DT_FLOAT, 2, DIMS(4, 4));
    model_input(m, "i", DT_FLOAT, 1, DIMS(4));
    model_node(m, "RoiAlign", "x r i", "y");
}

static const struct bad_row {
    const char *name;
    void (*build)(void);
    const char *code, *words;
} bad_rows[] = {
    { "If of data between shapes", if_of_shapes, "E206", "shape [1, 2, 3] or [1, 1, 1]" },
    { "a Loop as long as data say", loop_of_data, "E206", "(Loop)" },
    { "a Loop that does not end is not unrolled", endless_loop, "E206", "too long" },
    { "nor one whose body has no nodes", endless_loop_of_nothing, "E206", "too long" },
    { "nor are slices compared that are too many", unique_of_many_slices, "E206", "too long" },
    { "a Loop with fewer results than it carries", loop_that_keeps_nothing, "E102", "the body has 4 inputs and 2 outputs" },
    { "a graph of an operator that has none", graph_of_an_operator_without, "E102", "is a graph" },
    { "a body that reads what nobody makes", body_of_unknown_names, "E102", "'nowhere' is not defined" },
    { "a function that calls itself", recursive_function, "E102", "16 deep" },
    { "a function of another opset", function_of_another_opset, "E103", "of opset 12" },
    { "more arguments than the function has", too_many_arguments, "E102", "2 inputs" },
    { "a far axis, as before opset 7", far_axis_before_opset_7, "E203", "axis is outside shape" },
    { "scales for blocks", blocked_quantization, "E202", "block_size" },
    { "quantization to 4 bits", quantization_to_4_bits, "E207", "fewer than 8 bits" },
    { "Cast to 4 bits", cast_to_4_bits, "E207", "Cast" },
    { "packed data cut short", packed_data_cut_short, "E102", "asks for 3" },
    { "axes as an input before opset 18", axes_as_input_too_early, "E102", "before opset 18" },
    { "MatMulInteger with another number of zero points", zero_points_of_another_count, "E204", "zero point 'z'" },
    { "ConvInteger with another number of zero points", conv_zero_points_of_another_count, "E204", "zero point 'z'" },
    { "ConvInteger of scalars", integer_conv_of_scalars, "E204", "weights of shape []" },
    { "a bias for groups beside a scale for channels", bias_for_groups_scale_for_channels, "E204", "GroupNormalization" },
    { "lengths of sequences are integers", lengths_of_type_float, "E207", "type float32" },
    { "so are those of ReverseSequence", reversed_by_floats, "E207", "type float32" },
    { "and the images of RoiAlign", images_of_type_float, "E207", "type float32" },
    { "quantization to 4 bits in a branch", quantization_to_4_bits_in_a_branch, "E207", "fewer than 8 bits" },
    { "a gram beyond all places", gram_at_the_end_of_numbers, "E203", "do not fit" },
    { "a class to ignore is an integer", ignored_class_of_type_float, "E203", "ignore_index" },
    { "Scan of more inputs than there are", scan_without_inputs, "E203", "num_scan_inputs is 3 of 2" },
    { "MaxUnpool's pads leave nothing", pads_that_leave_nothing, "E204", "leave nothing" },
    { "an open dimension names its option", open_dimension, "E205", "--dim 'width=N'" },
    { "a shape that follows from data", shape_of_data, "E206", "(NonZero)" },
};

static void check_bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct graph *g;
    r->build();
    model_output(m, "y");
    if ((model_parse(m, &cx, &g) && shape_infer(&cx, g)) || !strstr(text.text, r->code) || !strstr(text.text, r->words))
        fail_msg("wanted %s and '%s' in: %s", r->code, r->words, text.text);
}

// ---- shapes that the user gives ----

static const struct fix_row {
    const char *name, *shapes, *dims;
    const char *code, *words; // NULL: x becomes [2, 3, 4]
} fix_rows[] = {
    { "a whole shape", "x=2,3,4", NULL, NULL, NULL },
    { "a dimension by name", NULL, "N=2", NULL, NULL },
    { "both agree", "x=2,3,4", "N=2", NULL, NULL },
    { "a name that is not there", NULL, "M=2", "E401", "open dimensions: N" },
    { "an input that is not there", "z=2,3,4", NULL, "E401", "called 'z'" },
    { "no number", NULL, "N=two", "E401", "at least 1" },
    { "zero", NULL, "N=0", "E401", "at least 1" },
    { "no equals sign", "x", NULL, "E401", "NAME=VALUE" },
    { "a comma at the end", "x=2,3,", NULL, "E401", "no shape" },
    { "another rank", "x=2,3", NULL, "E204", "3 dimensions" },
    { "another number than the model's", "x=2,3,5", NULL, "E204", "is 4 in the model" },
    { "more dimensions than any tensor", "x=1,1,1,1,1,1,1,1,1", NULL, "E401", "no shape" },
};

static void check_fix_row(void **state)
{
    const struct fix_row *r = *state;
    struct strbuf bytes = STRBUF_INIT;
    struct graph *g;
    size_t n;
    m = model_new(13);
    model_input(m, "x", DT_FLOAT, 3, DIMS(-1, 3, 4));
    model_node(m, "Relu", "x", "y");
    model_output(m, "y");
    const void *packed = model_pack(m, &n);
    strbuf_add(&bytes, packed, n);
    bool ok = onnx_fix_shapes(&cx, "test.onnx", r->shapes, r->dims, &bytes);
    if (r->code && (ok || !strstr(text.text, r->code) || !strstr(text.text, r->words)))
        fail_msg("wanted %s and '%s' in: %s", r->code, r->words, text.text);
    if (!r->code && (!ok || !onnx_parse(&cx, "test.onnx", bytes.text, bytes.len, &g)))
        fail_msg("%s", text.text);
    if (!r->code)
        assert_memory_equal(g->inputs[0]->dims, DIMS(2, 3, 4), 3 * sizeof(int64_t));
    strbuf_release(&bytes);
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows, BAD = sizeof bad_rows / sizeof *bad_rows, FIX = sizeof fix_rows / sizeof *fix_rows };
    struct CMUnitTest tests[N + BAD + FIX];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, setup, teardown, (void *)&rows[i] };
    for (int i = 0; i < BAD; i++)
        tests[N + i] = (struct CMUnitTest){ bad_rows[i].name, check_bad_row, setup, teardown, (void *)&bad_rows[i] };
    for (int i = 0; i < FIX; i++)
        tests[N + BAD + i] = (struct CMUnitTest){ fix_rows[i].name, check_fix_row, setup, teardown, (void *)&fix_rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

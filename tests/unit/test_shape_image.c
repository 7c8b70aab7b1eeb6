// SPDX-License-Identifier: Apache-2.0
// Tests frontend/shape_resize.c and shape_window.c: Resize, ConvTranspose and their kin; bad attributes are errors
// with a code and nothing worse.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/shape.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FLOATS(...) ((float[]){ __VA_ARGS__ })

static struct arena arena;
static struct strbuf text;
static struct diag diag;
static struct ctx cx;
static struct graph *g;
static struct model *m;

static int setup(void **state)
{
    (void)state;
    text = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &text };
    cx = (struct ctx){ .arena = &arena, .diag = &diag };
    g = NULL;
    m = model_new(13);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    model_free(m);
    strbuf_release(&text);
    arena_release(&arena);
    return 0;
}

static bool infer(void)
{
    model_output(m, "y");
    return model_parse(m, &cx, &g) && shape_infer(&cx, g);
}

static void want(const char *want)
{
    bool ok = infer();
    if (want[0] == '[' && !ok)
        fail_msg("%s", text.text);
    if (want[0] == '[')
        assert_string_equal(shape_text(&arena, g->outputs[0]->rank, g->outputs[0]->dims), want);
    else if (ok || !strstr(text.text, want))
        fail_msg("wanted '%s' in:\n%s", want, text.text);
}

// ---- Resize ----

static struct resize_row {
    const char *name, *mode, *transform, *rounding;
    enum dtype type;
    bool sized;
    double v[3]; // scales or sizes
    int n_v;
    const char *want;
} resizes[] = {
    { "scales multiply", "nearest", "asymmetric", "floor", DT_INT8, false, { 1, 1, 2.5 }, 3, "[1, 2, 10]" },
    { "lengths are rounded down", "linear", "half_pixel", "floor", DT_FLOAT, false, { 1, 1, 0.7 }, 3, "[1, 2, 2]" },
    { "sizes are taken", "nearest", "align_corners", "ceil", DT_UINT8, true, { 1, 2, 9 }, 3, "[1, 2, 9]" },
    { "cubic is a mode", "cubic", "half_pixel", "floor", DT_FLOAT, false, { 1, 1, 2 }, 3, "[1, 2, 8]" },
    { "tf_crop_and_resize is named", "linear", "tf_crop_and_resize", "floor", DT_FLOAT, false, { 1, 1, 2 }, 3, "E202" },
    { "an unknown mode is refused", "best", "half_pixel", "floor", DT_FLOAT, false, { 1, 1, 2 }, 3, "E203" },
    { "an unknown transformation is refused", "linear", "whole_pixel", "floor", DT_FLOAT, false, { 1, 1, 2 }, 3, "E203" },
    { "an unknown rounding is refused", "nearest", "half_pixel", "up", DT_FLOAT, false, { 1, 1, 2 }, 3, "E203" },
    { "integers are not interpolated", "linear", "half_pixel", "floor", DT_INT8, false, { 1, 1, 2 }, 3, "E207" },
    { "a scale of zero is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, 0 }, 3, "E204" },
    { "a negative scale is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, -2 }, 3, "E204" },
    { "a scale that leaves nothing is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, 0.2 }, 3, "E204" },
    { "a scale that is no number is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, (double)NAN }, 3, "E204" },
    { "an infinite scale is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, (double)INFINITY }, 3, "E204" },
    { "a huge scale is refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1, 1e30 }, 3, "E204" },
    { "huge scales together are refused", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1e10, 1e10, 1e10 }, 3, "E204" },
    { "a scale is missing", "nearest", "asymmetric", "floor", DT_FLOAT, false, { 1, 1 }, 2, "E204" },
    { "a size is missing", "nearest", "asymmetric", "floor", DT_FLOAT, true, { 1, 1 }, 2, "E204" },
    { "a size of zero is refused", "nearest", "asymmetric", "floor", DT_FLOAT, true, { 1, 1, 0 }, 3, "E204" },
    { "a negative size is refused", "nearest", "asymmetric", "floor", DT_FLOAT, true, { 1, 1, -1 }, 3, "E204" },
    { "a huge size is refused", "nearest", "asymmetric", "floor", DT_FLOAT, true, { 1, 1, 0x1p62 }, 3, "E204" },
};

static void check_resize(void **state)
{
    const struct resize_row *r = *state;
    float scales[3];
    int64_t sizes[3];
    for (int i = 0; i < 3; i++) {
        scales[i] = (float)r->v[i];
        sizes[i] = r->sized ? (int64_t)r->v[i] : 0;
    }
    setup(NULL);
    model_input(m, "x", r->type, 3, DIMS(1, 2, 4));
    if (r->sized)
        model_i64(m, "s", r->n_v, sizes);
    else
        model_f32(m, "s", 1, DIMS(r->n_v), scales);
    model_node(m, "Resize", r->sized ? "x - - s" : "x - s", "y");
    model_string(m, "mode", r->mode);
    model_string(m, "coordinate_transformation_mode", r->transform);
    model_string(m, "nearest_mode", r->rounding);
    want(r->want);
}

static void resize_of_nothing_is_refused(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 4));
    model_f32(m, "s", 1, DIMS(3), FLOATS(1, 1, 2));
    model_i64(m, "i", 1, DIMS(0));
    model_node(m, "Slice", "x i i", "e");
    model_node(m, "Resize", "e - s", "y");
    want("E204");
}

static void scales_from_data_are_refused(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_node(m, "Resize", "x - x", "y");
    want("E206");
}

// What exporters compute from the shape is a constant behind inference.
static void computed_scales_become_constants(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 4));
    model_f32(m, "two", 1, DIMS(1), FLOATS(2));
    model_f32(m, "one", 1, DIMS(2), FLOATS(1, 1));
    model_node(m, "Concat", "one two", "s");
    model_int(m, "axis", 0);
    model_node(m, "Resize", "x - s", "y");
    model_node(m, "Relu", "y", "z");
    model_output(m, "z");
    want("[1, 2, 8]");
    assert_non_null(g->nodes[1]->in[2]->data);
    graph_verify(g);
    assert_true(shape_infer(&cx, g));
    assert_int_equal(resize_nearest_index(g->nodes[1], 2, 7), 3);
}

// Input index of each output index, or the linear taps as i0 + t, along the last axis of [1, 1, in].
static struct index_row {
    const char *name, *mode, *transform, *rounding;
    int64_t in;
    float scale; // 0: sizes
    int64_t out;
    double want[8];
} indices[] = {
    { "doubling repeats", "nearest", "asymmetric", "floor", 3, 2, 6, { 0, 0, 1, 1, 2, 2 } },
    { "half pixels halve evenly", "nearest", "half_pixel", "round_prefer_floor", 8, 0.5f, 4, { 0, 2, 4, 6 } },
    { "and upwards", "nearest", "half_pixel", "round_prefer_ceil", 8, 0.5f, 4, { 1, 3, 5, 7 } },
    { "0.6 is meant as six tenths", "nearest", "asymmetric", "floor", 8, 0.6f, 4, { 0, 1, 3, 5 } },
    { "a half is one in spite of float32", "nearest", "tf_half_pixel_for_nn", "round_prefer_ceil", 9, 0.6f, 5, { 1, 3, 4, 6, 8 } },
    { "ceil stays inside", "nearest", "asymmetric", "ceil", 3, 2, 6, { 0, 1, 1, 2, 2, 2 } },
    { "corners meet corners", "nearest", "align_corners", "floor", 4, 0, 7, { 0, 0, 1, 1, 2, 2, 3 } },
    { "a single result is the first", "nearest", "align_corners", "floor", 4, 0, 1, { 0 } },
    { "half a pixel in front is clamped", "linear", "half_pixel", "floor", 2, 2, 4, { 0, 0.25, 0.75, 1 } },
    { "a single pixel of pytorch's is the first", "linear", "pytorch_half_pixel", "floor", 4, 0, 1, { 0 } },
    { "a single pixel otherwise is the middle", "linear", "half_pixel", "floor", 4, 0, 1, { 1.5 } },
    { "linear corners", "linear", "align_corners", "floor", 3, 0, 5, { 0, 0.5, 1, 1.5, 2 } },
    { "a factor that changes no length is none", "linear", "asymmetric", "floor", 3, 1.2f, 3, { 0, 1, 2 } },
};

static void check_indices(void **state)
{
    const struct index_row *r = *state;
    setup(NULL);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 1, r->in));
    if (r->scale > 0)
        model_f32(m, "s", 1, DIMS(3), FLOATS(1, 1, r->scale));
    else
        model_i64(m, "s", 3, DIMS(1, 1, r->out));
    model_node(m, "Resize", r->scale > 0 ? "x - s" : "x - - s", "y");
    model_string(m, "mode", r->mode);
    model_string(m, "coordinate_transformation_mode", r->transform);
    model_string(m, "nearest_mode", r->rounding);
    if (!infer())
        fail_msg("%s", text.text);
    assert_int_equal(g->outputs[0]->dims[2], r->out);
    for (int64_t i = 0; i < r->out; i++) {
        int64_t i0, i1;
        double t, have = (double)resize_nearest_index(g->nodes[0], 2, i);
        if (r->mode[0] == 'l') {
            resize_linear_taps(g->nodes[0], 2, i, &i0, &i1, &t);
            assert_true(t >= 0 && t < 1 && i1 == (i0 + 1 < r->in ? i0 + 1 : i0));
            have = (double)i0 + t;
        }
        if (fabs(have - r->want[i]) > 1e-6)
            fail_msg("index %d is %g, not %g", (int)i, have, r->want[i]);
    }
}

// ---- ConvTranspose ----

static struct transpose_row {
    const char *name, *auto_pad;
    int64_t in, kernel, stride, dilation, extra, before, after, out_shape; // out_shape 0: none
    const char *want;
    int64_t want_before, want_after;
} transposes[] = {
    { "a plain one", "NOTSET", 3, 3, 2, 1, 0, 0, 0, 0, "[1, 2, 7]", 0, 0 },
    { "pads cut", "NOTSET", 3, 4, 2, 1, 0, 1, 1, 0, "[1, 2, 6]", 1, 1 },
    { "output padding adds behind", "NOTSET", 3, 3, 2, 1, 1, 1, 1, 0, "[1, 2, 6]", 1, 1 },
    { "dilation widens", "NOTSET", 3, 3, 1, 3, 0, 0, 0, 0, "[1, 2, 9]", 0, 0 },
    { "an output shape cuts more in front", "NOTSET", 3, 3, 2, 1, 0, 0, 0, 6, "[1, 2, 6]", 1, 0 },
    { "an output shape replaces pads", "SAME_UPPER", 3, 4, 2, 1, 0, 3, 3, 5, "[1, 2, 5]", 1, 2 },
    { "a larger output shape has bias behind", "NOTSET", 3, 3, 2, 1, 0, 0, 0, 9, "[1, 2, 9]", 0, 0 },
    { "SAME_UPPER multiplies by the stride", "SAME_UPPER", 3, 3, 2, 1, 0, 0, 0, 0, "[1, 2, 6]", 0, 1 },
    { "SAME_LOWER cuts in front", "SAME_LOWER", 3, 3, 2, 1, 0, 0, 0, 0, "[1, 2, 6]", 1, 0 },
    { "VALID cuts nothing", "VALID", 3, 3, 2, 1, 0, 1, 1, 0, "[1, 2, 7]", 0, 0 },
    { "SAME with a small kernel is ambiguous", "SAME_UPPER", 3, 1, 2, 1, 0, 0, 0, 0, "E202", 0, 0 },
    { "pads that leave nothing are refused", "NOTSET", 1, 2, 1, 1, 0, 1, 1, 0, "E204", 0, 0 },
    { "a stride of zero is refused", "NOTSET", 3, 3, 0, 1, 0, 0, 0, 0, "E203", 0, 0 },
    { "a negative output padding is refused", "NOTSET", 3, 3, 2, 1, -1, 0, 0, 0, "E203", 0, 0 },
    { "a negative output shape is refused", "NOTSET", 3, 3, 2, 1, 0, 0, 0, -1, "E203", 0, 0 },
    { "a huge result is refused", "NOTSET", 2048, 3, 1 << 30, 1, 0, 0, 0, 0, "E204", 0, 0 },
    { "a huge output shape is refused", "NOTSET", 3, 3, 1, 1, 0, 0, 0, INT64_MAX, "E203", 0, 0 },
    { "an unknown auto_pad is refused", "SAME", 3, 3, 1, 1, 0, 0, 0, 0, "E203", 0, 0 },
};

static void check_transpose(void **state)
{
    const struct transpose_row *r = *state;
    float w[16] = { 0 };
    struct window_geometry geo;
    setup(NULL);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 1, r->in));
    model_f32(m, "w", 3, DIMS(1, 2, r->kernel), w);
    model_node(m, "ConvTranspose", "x w", "y");
    model_string(m, "auto_pad", r->auto_pad);
    model_ints(m, "strides", 1, &r->stride);
    model_ints(m, "dilations", 1, &r->dilation);
    model_ints(m, "output_padding", 1, &r->extra);
    model_ints(m, "pads", 2, DIMS(r->before, r->after));
    if (r->out_shape)
        model_ints(m, "output_shape", 1, &r->out_shape);
    want(r->want);
    if (r->want[0] != '[')
        return;
    assert_true(conv_transpose_geometry(&cx, g, g->nodes[0], &geo));
    assert_int_equal(geo.out_h, 1);
    assert_int_equal(geo.out_w, g->outputs[0]->dims[2]);
    assert_int_equal(geo.pad_left, r->want_before);
    assert_int_equal(geo.pad_right, r->want_after);
    assert_int_equal(geo.kernel_w, r->kernel);
    assert_int_equal(geo.stride_w, r->stride);
}

static void transposed(int64_t outs, int64_t group, int64_t bias, const char *result)
{
    float zeros[64] = { 0 };
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 2, 2));
    model_f32(m, "w", 4, DIMS(4, outs, 1, 1), zeros);
    model_f32(m, "b", 1, DIMS(bias), zeros);
    model_node(m, "ConvTranspose", "x w b", "y");
    model_int(m, "group", group);
    want(result);
}

static void groups_multiply_the_outputs(void **state)
{
    (void)state;
    transposed(3, 2, 6, "[1, 6, 2, 2]");
}

static void a_group_that_does_not_divide_is_refused(void **state)
{
    (void)state;
    transposed(3, 3, 9, "E203");
}

static void a_group_of_zero_is_refused(void **state)
{
    (void)state;
    transposed(3, 0, 3, "E203");
}

static void a_bias_of_another_length_is_refused(void **state)
{
    (void)state;
    transposed(3, 2, 3, "E204");
}

// ---- others: one node over [1, 4, 6, 6] ----

static struct other_row {
    const char *name, *op, *attr;
    int64_t value;
    const char *mode;
    enum dtype type;
    const char *want;
} others[] = {
    { "DepthToSpace", "DepthToSpace", "blocksize", 2, "CRD", DT_INT8, "[1, 1, 12, 12]" },
    { "SpaceToDepth", "SpaceToDepth", "blocksize", 3, NULL, DT_UINT8, "[1, 36, 2, 2]" },
    { "a block that does not divide the channels", "DepthToSpace", "blocksize", 3, NULL, DT_FLOAT, "E204" },
    { "a block that does not divide the image", "SpaceToDepth", "blocksize", 4, NULL, DT_FLOAT, "E204" },
    { "a block of zero", "SpaceToDepth", "blocksize", 0, NULL, DT_FLOAT, "E203" },
    { "a negative block", "DepthToSpace", "blocksize", -2, NULL, DT_FLOAT, "E203" },
    { "a block whose square has no 64 bits", "DepthToSpace", "blocksize", INT64_MAX, NULL, DT_FLOAT, "E203" },
    { "no block", "DepthToSpace", NULL, 0, NULL, DT_FLOAT, "E203" },
    { "an order that is none", "DepthToSpace", "blocksize", 2, "RCD", DT_FLOAT, "E203" },
    { "GlobalLpPool", "GlobalLpPool", "p", 3, NULL, DT_FLOAT, "[1, 4, 1, 1]" },
    { "p of zero", "GlobalLpPool", "p", 0, NULL, DT_FLOAT, "E203" },
    { "p of integers", "GlobalLpPool", "p", 1, NULL, DT_INT8, "E207" },
    { "ReduceSum", "ReduceSum", "keepdims", 0, NULL, DT_INT32, "[]" },
    { "ReduceSum of bytes", "ReduceSum", "keepdims", 0, NULL, DT_INT8, "E207" },
    { "ReduceMax of bytes", "ReduceMax", "keepdims", 1, NULL, DT_UINT8, "[1, 1, 1, 1]" },
    { "ReduceMean of bytes", "ReduceMean", "keepdims", 1, NULL, DT_UINT8, "E207" },
};

static void check_other(void **state)
{
    const struct other_row *r = *state;
    setup(NULL);
    model_input(m, "x", r->type, 4, DIMS(1, 4, 6, 6));
    model_node(m, r->op, "x", "y");
    if (r->attr)
        model_int(m, r->attr, r->value);
    if (r->mode)
        model_string(m, "mode", r->mode);
    want(r->want);
}

static void tile(int n, const int64_t *repeats, const char *result)
{
    model_input(m, "x", DT_INT8, 2, DIMS(2, 3));
    model_i64(m, "r", n, repeats);
    model_node(m, "Tile", "x r", "y");
    want(result);
}

static void tile_multiplies(void **state)
{
    (void)state;
    tile(2, DIMS(2, 5), "[4, 15]");
}

static void tile_needs_a_number_for_each_axis(void **state)
{
    (void)state;
    tile(1, DIMS(2), "E204");
}

static void tile_refuses_negative_repeats(void **state)
{
    (void)state;
    tile(2, DIMS(2, -1), "E204");
}

static void tile_refuses_more_than_64_bits(void **state)
{
    (void)state;
    tile(2, DIMS(INT64_MAX, INT64_MAX), "E204");
}

// Models quantized for ONNX Runtime move and pool integers between their QLinear operators.
static void integers_pass_operators_that_only_move(void **state)
{
    (void)state;
    model_input(m, "x", DT_UINT8, 4, DIMS(1, 4, 4, 4));
    model_i64(m, "p", 8, DIMS(0, 0, 1, 1, 0, 0, 1, 1));
    model_i64(m, "two", 2, DIMS(2, 2));
    model_i64(m, "one", 2, DIMS(1, 1));
    model_i64(m, "six", 2, DIMS(6, 6));
    model_i64(m, "axes", 2, DIMS(2, 3));
    model_i64(m, "r", 4, DIMS(1, 2, 1, 1));
    model_i64(m, "shape", 2, DIMS(0, -1));
    model_f32(m, "s", 1, DIMS(4), FLOATS(1, 1, 2, 2));
    model_node(m, "Pad", "x p", "a");           // 1x4x6x6
    model_node(m, "Slice", "a one six axes", "b"); // 1x4x5x5
    model_node(m, "MaxPool", "b", "c");         // 1x4x4x4
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_node(m, "Split", "c two", "d e");
    model_int(m, "axis", 1);
    model_node(m, "Concat", "e d", "f");
    model_int(m, "axis", 1);
    model_node(m, "Resize", "f - s", "h");      // 1x4x8x8
    model_node(m, "SpaceToDepth", "h", "i");    // 1x16x4x4
    model_int(m, "blocksize", 2);
    model_node(m, "DepthToSpace", "i", "j");
    model_int(m, "blocksize", 2);
    model_node(m, "Tile", "j r", "k");          // 1x8x8x8
    model_node(m, "Transpose", "k", "l");
    model_node(m, "Reshape", "l shape", "y");
    want("[8, 64]");
    assert_int_equal(g->outputs[0]->dtype, DT_UINT8);
}

int main(void)
{
    enum { R = sizeof resizes / sizeof *resizes, I = sizeof indices / sizeof *indices,
           T = sizeof transposes / sizeof *transposes, O = sizeof others / sizeof *others };
    static const struct CMUnitTest singles[] = {
        cmocka_unit_test_setup_teardown(resize_of_nothing_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(scales_from_data_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(computed_scales_become_constants, setup, teardown),
        cmocka_unit_test_setup_teardown(groups_multiply_the_outputs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_that_does_not_divide_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_of_zero_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bias_of_another_length_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(tile_multiplies, setup, teardown),
        cmocka_unit_test_setup_teardown(tile_needs_a_number_for_each_axis, setup, teardown),
        cmocka_unit_test_setup_teardown(tile_refuses_negative_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(tile_refuses_more_than_64_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(integers_pass_operators_that_only_move, setup, teardown),
    };
    enum { S = sizeof singles / sizeof *singles };
    struct CMUnitTest tests[R + I + T + O + S];
    int n = 0;
    for (int i = 0; i < R; i++)
        tests[n++] = (struct CMUnitTest){ resizes[i].name, check_resize, NULL, teardown, &resizes[i] };
    for (int i = 0; i < I; i++)
        tests[n++] = (struct CMUnitTest){ indices[i].name, check_indices, NULL, teardown, &indices[i] };
    for (int i = 0; i < T; i++)
        tests[n++] = (struct CMUnitTest){ transposes[i].name, check_transpose, NULL, teardown, &transposes[i] };
    for (int i = 0; i < O; i++)
        tests[n++] = (struct CMUnitTest){ others[i].name, check_other, NULL, teardown, &others[i] };
    for (int i = 0; i < S; i++)
        tests[n++] = singles[i];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

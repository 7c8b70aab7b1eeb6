// SPDX-License-Identifier: Apache-2.0
// Tests hls/quant_error.c and, in sim/ref_float.c, the evaluation without rounding.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/shape.h"
#include "hls/quant_error.h"
#include "sim/ref_float.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define DIGITS "tests/models/digits/digits"

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static void decibels_and_steps_by_hand(void **state)
{
    (void)state;
    double v;
    struct stream_error e = { 4, 400, 4 }; // ten to one in amplitude
    assert_true(quant_error_sqnr_db(&e, &v) && near(v, 20));
    assert_true(quant_error_steps(&e, 0.5, &v) && near(v, 2));
    struct stream_error exact = { 4, 400, 0 }, silent = { 4, 0, 1 }, none = { 0, 0, 0 };
    assert_false(quant_error_sqnr_db(&exact, &v));
    assert_true(quant_error_steps(&exact, 0.5, &v) && v <= 0);
    assert_false(quant_error_sqnr_db(&silent, &v));
    assert_false(quant_error_sqnr_db(&none, &v));
    assert_false(quant_error_steps(&none, 1, &v));
}

// x of scale 1/2 in steps, and y = 3 x + 1/8 with room for -4 to 3.97, through a MaxPool of the integers.
static const struct graph *small_model(void)
{
    struct graph *g;
    input(4, DIMS(1, 1, 1, 4), 0.5f, 0, DT_INT8);
    model_f32(m, "w", 4, DIMS(1, 1, 1, 1), (float[]){ 3 });
    model_f32(m, "b", 1, DIMS(1), (float[]){ 0.125f });
    model_node(m, "Conv", "x_d w b", "c");
    qdq("c", 0.03125f, 0, DT_INT8);
    model_node(m, "MaxPool", "c_q", "p");
    model_ints(m, "kernel_shape", 2, DIMS(1, 2));
    model_node(m, "DequantizeLinear", "p c_s c_z", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    return g;
}

static const float *value_of(const struct graph *g, const struct array *values, const char *name)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, name) == 0)
            return values[i].data;
    fail_msg("no tensor %s", name);
    return NULL;
}

static void without_rounding_only_the_ends_of_the_range_change_numbers(void **state)
{
    (void)state;
    const struct graph *g = small_model();
    struct array *values = arena_array(&arena, struct array, g->n_tensors), x = array_new(&arena, DT_FLOAT, 4, DIMS(1, 1, 1, 4));
    memcpy(x.data, (float[]){ 0.3f, -0.01f, -9, 70 }, 16);
    assert_true(ref_float_unrounded(&cx, g, &arena, &x, values));
    const float *c = value_of(g, values, "c_q"), *y = value_of(g, values, "y");
    const float want[] = { 3 * 0.3f + 0.125f, 3 * -0.01f + 0.125f, -4, 3.96875f }; // 70 is clipped twice
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(c[i] - want[i]) < 1e-6f);
    for (int i = 0; i < 3; i++)
        assert_true(fabsf(y[i] - fmaxf(want[i], want[i + 1])) < 1e-6f);
    assert_true(ref_float_graph(&cx, g, &arena, &x, values)); // with rounding x is 0.5, 0, -9, 63.5
    assert_true(fabsf(value_of(g, values, "y")[0] - 1.625f) < 1e-6f);
}

static void arithmetic_on_integers_is_refused(void **state)
{
    (void)state;
    input(4, DIMS(1, 1, 1, 4), 0.5f, 3, DT_INT8);
    model_node(m, "Relu", "x_q", "r"); // of the integers: not that of the numbers
    model_node(m, "DequantizeLinear", "r x_s x_z", "y");
    model_output(m, "y");
    struct graph *g;
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    struct array *values = arena_array(&arena, struct array, g->n_tensors), x = array_new(&arena, DT_FLOAT, 4, DIMS(1, 1, 1, 4));
    assert_false(ref_float_unrounded(&cx, g, &arena, &x, values));
    assert_non_null(strstr(messages.text, "E207"));
}

static void measure(const char *calib, struct design *d)
{
    struct request r = { .model = DIGITS ".onnx", .board = "ultra96", .calib = calib };
    if (!design_read(&cx, &r, d, NULL, NULL))
        fail_msg("%s", messages.text);
    quant_error_measure(&cx, d);
    assert_non_null(d->error);
}

static void every_layer_of_digits_is_measured_on_its_calibration_data(void **state)
{
    (void)state;
    struct design d = { .model_bytes = STRBUF_INIT };
    measure(DIGITS "_calib.npy", &d);
    assert_true(d.error->given);
    assert_int_equal(d.error->frames, QUANT_ERROR_FRAMES);
    for (int i = 0; i < d.pipeline->n_streams; i++) {
        const struct stream *s = &d.pipeline->streams[i];
        double db, steps;
        assert_int_equal(d.error->streams[i].elements, QUANT_ERROR_FRAMES * s->h * s->w * s->c);
        assert_true(quant_error_sqnr_db(&d.error->streams[i], &db));
        assert_true(quant_error_steps(&d.error->streams[i], s->scale, &steps));
        if (db < 25 || db > 60 || steps > 2)
            fail_msg("%s %s: %f dB, %f steps", s->name, s->tensor, db, steps);
        if (s->producer < 0) // nothing but the input's rounding: at most half a step, where nothing is clipped
            assert_true(steps < 0.5);
    }
    design_release(&d);
}

static void without_calibration_data_random_inputs_serve(void **state)
{
    (void)state;
    struct design d = { .model_bytes = STRBUF_INIT }, again = { .model_bytes = STRBUF_INIT };
    measure(NULL, &d);
    measure(NULL, &again);
    assert_false(d.error->given);
    assert_int_equal(d.error->streams[0].elements, 0); // random inputs are integers already
    for (int i = 1; i < d.pipeline->n_streams; i++) {
        assert_true(d.error->streams[i].elements > 0);
        assert_memory_equal(&d.error->streams[i], &again.error->streams[i], sizeof *d.error->streams);
    }
    design_release(&d);
    design_release(&again);
}

// A wrong order of elements, scale or zero point would cost tens of decibels.
static void a_quantized_model_is_close_to_itself_without_rounding(void **state)
{
    (void)state;
    struct design d = { .model_bytes = STRBUF_INIT };
    size_t n_bytes;
    input(4, DIMS(1, 3, 6, 5), 0.05f, 3, DT_UINT8);
    weights("w", 4, DIMS(8, 3, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", 0.4f, 131, DT_UINT8);
    model_output(m, "y_q");
    const void *bytes = model_pack(m, &n_bytes);
    strbuf_add(&d.model_bytes, bytes, n_bytes);
    struct request r = { .model = "test.onnx", .board = "ultra96" };
    if (!design_read(&cx, &r, &d, NULL, NULL))
        fail_msg("%s", messages.text);
    quant_error_measure(&cx, &d);
    assert_null(d.plain);
    assert_non_null(d.error);
    const struct stream_error *e = &d.error->streams[d.pipeline->outputs[0].stream];
    double steps;
    assert_int_equal(e->elements, QUANT_ERROR_FRAMES * 8 * 4 * 3);
    assert_true(quant_error_steps(e, 0.4f, &steps));
    assert_true(steps > 0.2 && steps < 0.35); // 1 / sqrt(12) is 0.29
    design_release(&d);
}

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decibels_and_steps_by_hand, setup, qdq_teardown),
        cmocka_unit_test_setup_teardown(without_rounding_only_the_ends_of_the_range_change_numbers, setup, qdq_teardown),
        cmocka_unit_test_setup_teardown(arithmetic_on_integers_is_refused, setup, qdq_teardown),
        cmocka_unit_test_setup_teardown(every_layer_of_digits_is_measured_on_its_calibration_data, setup, qdq_teardown),
        cmocka_unit_test_setup_teardown(without_calibration_data_random_inputs_serve, setup, qdq_teardown),
        cmocka_unit_test_setup_teardown(a_quantized_model_is_close_to_itself_without_rounding, setup, qdq_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

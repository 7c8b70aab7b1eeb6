// SPDX-License-Identifier: Apache-2.0
// A network of two inputs and two outputs as a user meets it: compiled, simulated with and without stalls, run,
// evaluated, its report and its Verilog.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hls/outdir.h"
#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 4
#define CLASSES 5

// x and z meet behind a convolution; the classes are scored from the sum, and the sum's means leave on the way.
static void build(void)
{
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 6, 6));
    model_input(m, "unread", DT_INT64, 1, DIMS(1));
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 6, 6));
    float_weights("w", 4, DIMS(4, 3, 3, 3));
    model_node(m, "Conv", "x w", "c");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "Add", "c z", "s");
    model_node(m, "GlobalAveragePool", "s", "mean");
    model_node(m, "Flatten", "s", "f");
    float_weights("v", 2, DIMS(144, CLASSES));
    model_node(m, "MatMul", "f v", "y");
    model_node(m, "Softmax", "y", "scores");
    model_output(m, "mean");
    model_output(m, "scores");
}

// z and x, and labels from 0 to `most`.
static void write_data(const char *file, int64_t n, int most)
{
    const char *names[] = { "x", "y", "z" };
    struct array x[] = { array_new(&arena, DT_FLOAT, 4, DIMS(n, 3, 6, 6)), array_new(&arena, DT_INT64, 1, DIMS(n)), array_new(&arena, DT_FLOAT, 4, DIMS(n, 4, 6, 6)) };
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < array_count(&x[k]); i++)
            array_set_f64(&x[k], i, k == 1 ? (i ? random_int(0, most) : most) : random_int(-100, 100) * (k ? 0.05 : 0.01));
    assert_true(npz_write(&cx, path(file), 3, names, x));
}

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("several"))
        return -1;
    qdq_setup();
    build();
    write_model("net.onnx");
    write_data("calib.npz", 20, 1);
    write_data("test.npz", FRAMES, CLASSES - 1);
    write_data("few.npz", FRAMES, 1);
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(FRAMES, 3, 6, 6));
    assert_true(npy_write(&cx, path("x.npy"), &x));
    int code = run("$A net.onnx --board ultra96 --fps 100000 --calib calib.npz -o net");
    if (code)
        print_error("%s", out.text);
    return code;
}

static struct command rows[] = {
    { "without data both inputs are synthesised", "$A net.onnx --board pynq-z2 -o plain", 0, "W201" },
    { "calibration data without names", "$A net.onnx --board ultra96 --calib x.npy -o no", 1, "E104" },
    { "frames are compared in every stream", "$A sim net --input test.npz", 0, "4 frames, 6 streams compared, 0 mismatches" },
    { "inputs and outputs pause, each on its own", "$A sim net --stalls 3 --frames 5", 0, "5 frames, 6 streams compared, 0 mismatches" },
    { "and otherwise", "$A sim net --stalls 4 --frames 5 --reset-cycles 1", 0, "0 mismatches" },
    { "frames without names", "$A sim net --input x.npy", 1, "E104" },
    { "an archive that lacks an input", "$A sim net --input y.npz", 1, "E104" },
    { "results are printed by name", "$A run net --input test.npz | cut -d' ' -f1 | tr '\\n' ' '", 0, "mean scores mean scores mean scores mean scores" },
    { "two outputs do not fit one array", "$A run net --input test.npz --output one.npy", 2, "E401" },
    { "labels tell the output of classes", "$A eval net --data test.npz", 0, "agreement" },
    { "labels that fit both outputs need a name", "$A eval net --data few.npz", 1, "--scores NAME" },
    { "which --scores gives", "$A eval net --data few.npz --scores scores", 0, "agreement" },
    { "and gives in vain", "$A eval net --data few.npz --scores other", 2, "need an output 'other'" },
    { "the Verilog passes lint", "cd net && verilator --lint-only -Wall --top-module net -f rtl/net.f", 0, "" },
};

static void results_are_members(void **state)
{
    (void)state;
    struct array mean, scores, exact;
    expect(0, NULL, run("$A run net --input test.npz --output y.npz && $A run net.onnx --float --input test.npz --output f.npz"));
    assert_true(npz_read(&cx, path("y.npz"), "mean", &mean) && npz_read(&cx, path("y.npz"), "scores", &scores));
    assert_string_equal(shape_text(&arena, mean.rank, mean.dims), "[4, 4, 1, 1]");
    assert_string_equal(shape_text(&arena, scores.rank, scores.dims), "[4, 5]");
    assert_true(npz_read(&cx, path("f.npz"), "mean", &exact));
    for (int64_t i = 0; i < 16; i++)
        assert_true(array_f64(&mean, i) > array_f64(&exact, i) - 0.1 && array_f64(&mean, i) < array_f64(&exact, i) + 0.1);
}

static void check_port(const json_t *o, const char *name, const char *port, const char *shape)
{
    assert_string_equal(json_string_value(json_object_get(o, "name")), name);
    assert_string_equal(json_string_value(json_object_get(o, "port")), port);
    char *text = json_dumps(json_object_get(o, "shape"), JSON_COMPACT);
    assert_string_equal(text, shape);
    free(text);
    assert_true(json_number_value(json_object_get(o, "scale")) > 0);
}

static void the_report_lists_inputs_and_outputs(void **state)
{
    (void)state;
    json_t *report = json_load_file(path("net/report.json"), 0, NULL);
    const json_t *in = json_object_get(report, "inputs"), *outs = json_object_get(report, "outputs");
    assert_int_equal(json_array_size(in), 2); // one that nothing reads is none
    assert_int_equal(json_array_size(outs), 2);
    check_port(json_array_get(in, 0), "z", "s_in0", "[1,4,6,6]");
    check_port(json_array_get(in, 1), "x", "s_in1", "[1,3,6,6]");
    check_port(json_array_get(outs, 0), "mean", "m_out0", "[1,4,1,1]");
    check_port(json_array_get(outs, 1), "scores", "m_out1", "[1,5]");
    json_decref(report);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 2] = { cmocka_unit_test(results_are_members), cmocka_unit_test(the_report_lists_inputs_and_outputs) };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 2] = (struct CMUnitTest){ rows[i].name, check_command, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

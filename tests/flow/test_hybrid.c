// SPDX-License-Identifier: Apache-2.0
// Models that hardware cannot compute alone, through the command line and the run-time library: the driver's results are those of
// `aihls run`, byte for byte, on every back end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "frontend/onnx.h"
#include "tests/support/parted.h"
#include "tests/support/sandbox.h"

#define FRAMES 6
#define RANDOM_MODELS 6
#define MAX_OUTPUTS 4
#define LEAST_FOUND 31 // of the 37 objects in tests/models/detector_test.npz, in float

static const struct row {
    const char *name;
    void (*build)(void);
    const char *outputs[MAX_OUTPUTS];
    bool simulated, board; // the driver is built with its simulation; runs on the board of tests/driver
    const char *says;      // when it is compiled
} rows[] = {
    { "norm", parted_norm_between, { "y" }, true, true, "1 node on the host: 0.0 % of the multiply-accumulates; 2 runs of the hardware a frame" },
    { "detector", parted_detector, { "best", "boxes", "scores" }, true, false, "5 nodes on the host" },
    { "around", parted_norm_with_a_way_around, { "y" }, false, false, "2 runs" },
    { "three", parted_three_runs, { "y" }, false, false, "3 runs" },
    { "front", parted_host_in_front, { "y" }, false, false, "1 run " },
    { "beside", parted_host_output_beside, { "z", "y" }, false, false, "1 run " },
    { "attention", parted_attention, { "y" }, false, false, "1 node on the host" },
    { "alone", parted_host_alone, { "y" }, false, false, "W210" },
    { "control", parted_control, { "y" }, false, false, "on the host" },
    { "wide", parted_wide_quant, { "y" }, false, false, "on the host" },
    { "quantized", parted_quantized, { "y_d" }, false, false, "2 runs" },
};

static struct array frames;

static void fresh_model(void)
{
    qdq_setup();
    model_free(m);
    m = model_new(17);
}

static void make_frames(const char *file, int rank, const int64_t *dims)
{
    frames = array_new(&arena, DT_FLOAT, rank, dims);
    for (int64_t i = 0; i < array_count(&frames); i++)
        array_set_f64(&frames, i, (double)random_int(-1000, 1000) / 1000);
    assert_true(npy_write(&cx, path(file), &frames));
    write_file("x.raw", frames.data, (size_t)array_count(&frames) * sizeof(float));
}

static void compile(const char *name, void (*build)(void), const char *says)
{
    fresh_model();
    build();
    write_model(arena_printf(&arena, "%s.onnx", name));
    make_frames("x.npy", 4, (int64_t[]){ FRAMES, 8, 16, 16 });
    expect(0, says, run("$A %s.onnx --name %s --board ultra96 --fps 2000 --calib x.npy -o %s", name, name, name));
    qdq_teardown(NULL);
}

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("hybrid"))
        return -1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        compile(rows[i].name, rows[i].build, rows[i].says);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(0, NULL, run("make -C %s/driver %s >%s.log 2>&1 || { tail -30 %s.log; exit 1; }", rows[i].name, rows[i].simulated ? "" : "VERILATOR=", rows[i].name, rows[i].name));
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    sandbox_close();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    fresh_model();
    make_frames("x.npy", 4, (int64_t[]){ FRAMES, 8, 16, 16 });
    return 0;
}

// What the driver must give: frame after frame, all outputs.
static void expected(const char *name, const char *const *outputs, struct strbuf *want)
{
    struct array y[MAX_OUTPUTS];
    int n = 0;
    expect(0, NULL, run("$A run %s --input x.npy --output y.npz", name));
    for (; n < MAX_OUTPUTS && outputs[n]; n++)
        assert_true(npz_read(&cx, path("y.npz"), outputs[n], &y[n]));
    for (int64_t f = 0; f < frames.dims[0]; f++)
        for (int o = 0; o < n; o++) {
            size_t bytes = (size_t)(array_count(&y[o]) / frames.dims[0]) * dtype_bytes(y[o].dtype);
            strbuf_add(want, (const char *)y[o].data + (size_t)f * bytes, bytes);
        }
}

static void same(const char *name, const char *const *outputs, const char *probe, const char *backend)
{
    struct strbuf want = STRBUF_INIT, got = STRBUF_INIT;
    expected(name, outputs, &want);
    expect(0, NULL, run("./%s %s <x.raw >y.raw", probe, backend));
    assert_true(strbuf_read_file(&got, path("y.raw")));
    assert_int_equal(got.len, want.len);
    size_t wrong = 0, varies = 0;
    for (size_t i = 0; i < want.len; i++) {
        wrong += got.text[i] != want.text[i];
        varies += want.text[i] != want.text[0];
    }
    if (wrong)
        fail_msg("%s through %s: %zu bytes of %zu differ", name, backend, wrong, want.len);
    assert_true(varies > 0);
    strbuf_release(&want);
    strbuf_release(&got);
}

static void build_probe(const char *name, const char *library, bool simulated)
{
    expect(0, NULL, run("gcc -std=c11 -O1 -Wall -Wextra -Werror -I%s/driver -include %s.h -DNETWORK=%s_network -DBACKEND=%s_backend -c -o %s_probe.o $T/driver/probe.c && "
                        "%s -o %s_probe %s_probe.o %s/driver/build/lib%s.a %s/driver/build/libaihls.a -lm %s",
                        name, name, name, name, name, simulated ? "g++ -pthread" : "gcc", name, name, name, name, library, simulated ? "-latomic" : ""));
}

static void driver_is_run(void **state)
{
    const struct row *r = &rows[(size_t)(uintptr_t)*state];
    build_probe(r->name, r->name, r->simulated);
    const char *probe = arena_printf(&arena, "%s_probe", r->name);
    same(r->name, r->outputs, probe, "reference");
    if (r->simulated)
        same(r->name, r->outputs, probe, "simulation");
}

static void on_the_board(void **state)
{
    const struct row *r = &rows[(size_t)(uintptr_t)*state];
    expect(0, NULL, run("sh $T/driver/board.sh %s", r->name));
    for (int b = 0; b < 2; b++)
        same(r->name, r->outputs, arena_printf(&arena, "%s_board_probe", r->name), b ? "bare" : "linux");
}

// ---- networks of others: the models' folder beside the project, or AIHLS_MODELS ----

static const struct shared_row {
    const char *model;
    int frames;
} shared_rows[] = {
    { "uf_slim_320_simplified", 1 }, // a face detector: two heads, a Softmax behind one
    { "mb_attn_mnist", 2 },          // attention: products of activations between two runs of the hardware
};

static void shared_network(void **state)
{
    const struct shared_row *r = *state;
    const char *folder = getenv("AIHLS_MODELS"), *outputs[MAX_OUTPUTS] = { NULL };
    char *model = realpath(arena_printf(&arena, "%s/%s.onnx", folder ? folder : "../shared/models", r->model), NULL);
    struct graph *g;
    if (!model) {
        print_message("skipped: %s is not there\n", r->model);
        skip();
    }
    assert_true(onnx_read(&cx, model, &g) && g->n_inputs == 1 && g->n_outputs <= MAX_OUTPUTS);
    int64_t dims[MAX_RANK];
    memcpy(dims, g->inputs[0]->dims, sizeof dims);
    dims[0] = r->frames;
    make_frames("x.npy", g->inputs[0]->rank, dims);
    for (int i = 0; i < g->n_outputs; i++)
        outputs[i] = g->outputs[i]->name;
    expect(0, NULL, run("$A %s --name shared --board ultra96 --calib x.npy -o shared", model));
    expect(0, NULL, run("make -C shared/driver >shared.log 2>&1 || { tail -30 shared.log; exit 1; }"));
    build_probe("shared", "shared", true);
    same("shared", outputs, "shared_probe", "reference");
    same("shared", outputs, "shared_probe", "simulation");
    expect(0, NULL, run("rm -rf shared"));
    free(model);
}

// ---- a trained detector: tests/models/detector.py ----

#define IMAGES 24
#define ROWS 8 // of NonMaxSuppression
#define CELLS 64
#define OBJECTS 2

static double overlap(const float *a, const float *b)
{
    double h = fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]), w = fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]);
    double common = fmax(h, 0) * fmax(w, 0), both = (double)((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]));
    return common / (both - common);
}

// Objects that a box of their class covers by half, and boxes in all.
static int count_found(const char *results, int *boxes_in_all)
{
    struct array rows_found, boxes, objects;
    int found = 0;
    assert_true(npz_read(&cx, path(results), "found", &rows_found) && npz_read(&cx, path(results), "boxes", &boxes) &&
                npz_read(&cx, "tests/models/detector_test.npz", "objects", &objects));
    assert_int_equal(array_count(&rows_found), IMAGES * ROWS * 3);
    *boxes_in_all = 0;
    for (int i = 0; i < IMAGES; i++) {
        const int64_t *row = (const int64_t *)rows_found.data + i * ROWS * 3;
        for (int k = 0; k < ROWS; k++)
            *boxes_in_all += row[3 * k] >= 0;
        for (int o = 0; o < OBJECTS; o++) {
            const float *object = (const float *)objects.data + (i * OBJECTS + o) * 5;
            bool hit = false;
            for (int k = 0; k < ROWS && object[0] >= 0; k++)
                hit |= row[3 * k] >= 0 && row[3 * k + 1] == (int64_t)object[0] && overlap((const float *)boxes.data + (i * CELLS + row[3 * k + 2]) * 4, object + 1) > 0.5;
            found += hit;
        }
    }
    return found;
}

static void a_detector_finds(void **state)
{
    (void)state;
    int boxes, float_boxes;
    expect(0, "on the host", run("$A $T/models/detector.onnx --board ultra96 --fps 2000 --calib $T/models/detector_calib.npy -o found"));
    expect(0, NULL, run("$A run found --input $T/models/detector_test.npz --output integer.npz && $A run found --float --input $T/models/detector_test.npz --output float.npz"));
    int integer = count_found("integer.npz", &boxes), real = count_found("float.npz", &float_boxes);
    print_message("objects found: %d, %d boxes; in float: %d, %d boxes\n", integer, boxes, real, float_boxes);
    assert_true(real >= LEAST_FOUND);
    assert_in_range(integer, real - 2, real + 2);
    assert_in_range(boxes, float_boxes - 4, float_boxes + 4);
}

// The streams of the hardware, fed with what the host made of the frames.
static void streams_are_the_references(void **state)
{
    (void)state;
    expect(0, "0 mismatches", run("$A sim norm --input x.npy --frames 3"));
    expect(0, "0 mismatches", run("$A sim norm --frames 2 --stalls 5"));
}

static void random_models(void **state)
{
    (void)state;
    static const char *const y[MAX_OUTPUTS] = { "y" };
    int parted = 0;
    for (int i = 0; i < RANDOM_MODELS; i++) {
        const char *name = arena_printf(&arena, "random%d", i);
        struct model *outer = m;
        m = model_new(17);
        parted_random_model();
        write_model(arena_printf(&arena, "%s.onnx", name));
        model_free(m);
        m = outer;
        expect(0, NULL, run("$A %s.onnx --board ultra96 --fps 1000 --calib x.npy -o %s", name, name));
        parted += strstr(out.text, "on the host") != NULL;
        expect(0, NULL, run("make -C %s/driver VERILATOR= build/lib%s.a >%s.log 2>&1 || { tail -30 %s.log; exit 1; }", name, name, name, name));
        build_probe(name, "three", false);
        same(name, y, arena_printf(&arena, "%s_probe", name), "reference");
    }
    assert_int_equal(parted, RANDOM_MODELS);
}

static void strict_hw_reports_all(void **state)
{
    (void)state;
    expect(1, "'n_node' (Softmax)", run("$A three.onnx --board ultra96 --calib x.npy --strict-hw -o strict"));
    assert_non_null(strstr(out.text, "error[E201]"));
    assert_non_null(strstr(out.text, "'o_node' (Softmax)"));
    expect(0, NULL, run("test ! -e strict"));
}

static void partition_is_printed(void **state)
{
    (void)state;
    expect(0, "host     1  n_node: E201 LayerNormalization cannot run in hardware here", run("$A norm.onnx --board ultra96 --calib x.npy --partition"));
    assert_non_null(strstr(out.text, "hardware 2  y_node"));
    assert_non_null(strstr(out.text, "1 nodes on the host, 0.0 % of the multiply-accumulates; 2 runs of the hardware a frame"));
    expect(0, NULL, run("test ! -e norm.aihls"));
}

// A driver is all that there is; everything that asks for hardware says so.
static void without_hardware(void **state)
{
    (void)state;
    expect(0, NULL, run("test -d alone/driver && test ! -e alone/rtl && test ! -e alone/project && test ! -e alone/sim/harness.cpp"));
    expect(0, "nothing runs in hardware", run("$A report alone"));
    assert_non_null(strstr(out.text, "MatMul"));
    expect(0, "Nothing runs in hardware", run("cat alone/report.html"));
    expect(1, "E210", run("$A sim alone"));
    expect(0, "8 nodes on the host, nothing in hardware", run("$A alone.onnx --board ultra96 --partition"));
    expect(0, "nothing runs in hardware", run("$A alone.onnx --board all"));
    expect(3, "E303", run("$A alone.onnx --board ultra96 --fps 10 --strict -o strict_goal"));
    expect(0, NULL, run("make -C alone/driver >alone.log 2>&1")); // with Verilator, which finds nothing to do
}

static void reports_say_what_the_host_does(void **state)
{
    (void)state;
    expect(0, "LayerNormalization cannot run in hardware here", run("$A report norm"));
    expect(0, "\"code\": \"E201\"", run("cat norm/report.json"));
    assert_non_null(strstr(out.text, "\"runs\": 2"));
    expect(0, "LayerNormalization cannot run in hardware here", run("cat norm/report.html"));
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows, SHARED = sizeof shared_rows / sizeof *shared_rows };
    struct CMUnitTest tests[2 * N + SHARED + 7];
    size_t n = 0;
    for (size_t i = 0; i < N; i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, driver_is_run, setup, qdq_teardown, (void *)(uintptr_t)i };
    for (size_t i = 0; i < N; i++)
        if (rows[i].board)
            tests[n++] = (struct CMUnitTest){ "on the board", on_the_board, setup, qdq_teardown, (void *)(uintptr_t)i };
    for (size_t i = 0; i < SHARED; i++)
        tests[n++] = (struct CMUnitTest){ shared_rows[i].model, shared_network, setup, qdq_teardown, (void *)&shared_rows[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(streams_are_the_references, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(a_detector_finds, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(random_models, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(strict_hw_reports_all, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(partition_is_printed, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(without_hardware, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(reports_say_what_the_host_does, setup, qdq_teardown);
    return _cmocka_run_group_tests("hybrid", tests, n, group_setup, group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// The C library that comes with a design: built with its own Makefile, through both back ends, held against `aihls run`
// byte for byte; the example; two networks in a C++ program. The models of other people are looked for in
// $AIHLS_MODELS, else ../shared/models.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "hls/driver.h"
#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 5
#define I8 DT_INT8
#define U8 DT_UINT8

// ---- digits and a tiny network, with the simulation, built once ----

static struct array digits; // the test images

// Three channels in, five out: pixels that end with a beat that is not full.
static void build_tiny(void)
{
    model_input(m, "x_q", I8, 4, DIMS(1, 3, 4, 4));
    model_f32(m, "x_s", 0, NULL, (float[]){ 0.05f });
    model_raw(m, "x_z", I8, 0, NULL, 1, "\3");
    model_node(m, "DequantizeLinear", "x_q x_s x_z", "x_d");
    weights("w", 4, DIMS(5, 3, 3, 3), 5, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", 0.11f, -5, I8);
    model_output(m, "y_q");
}

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("driver"))
        return -1;
    qdq_setup();
    build_tiny();
    write_model("tiny.onnx");
    qdq_teardown(NULL);
    // few multipliers: the smaller the design, the sooner Verilator is done
    expect(0, NULL, run("printf 'null\\neins\\nzwei\\ndrei \\r\\nvier\\nfünf\\nsechs\\nsieben\\nacht\\nneun\\n\\n' >names && "
                        "$A $T/models/digits/digits.onnx --board pynq-z2 --fps 5000 --calib $T/models/digits/digits_calib.npy --labels names -q -o digits && $A tiny.onnx --board ultra96 -q -o tiny"));
    expect(0, NULL, run("make -C digits/driver >digits.log 2>&1 & make -C tiny/driver >tiny.log 2>&1; a=$?; wait $! && test $a = 0 || { tail -30 digits.log tiny.log; exit 1; }"));
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
    qdq_setup();
    const char *npz = "tests/models/digits/digits_test.npz";
    return npz_read(&cx, npz, "x", &digits) ? 0 : -1;
}

// ---- results ----

// The probe for a network's directory; links the one libaihls.a there is.
static void build_probe(const char *dir, const char *name)
{
    expect(0, NULL, run("${CC:-gcc} -std=c11 -O1 -Wall -Wextra -Werror -I%s/driver -include %s.h -DNETWORK=%s_network -DBACKEND=%s_backend -c -o %s_probe.o $T/driver/probe.c && "
                        "g++ -pthread -o %s_probe %s_probe.o %s/driver/build/lib%s.a digits/driver/build/libaihls.a -lm -latomic",
                        dir, name, name, name, name, name, name, dir, name));
}

// Frames through `aihls run` and through the library: the same bytes.
static void same_as_run(const char *dir, const char *name, const char *backend, const struct array *frames)
{
    struct array want;
    assert_true(npy_write(&cx, path("x.npy"), frames));
    write_file("x.raw", frames->data, (size_t)array_count(frames) * dtype_bytes(frames->dtype));
    expect(0, NULL, run("$A run %s --input x.npy --output y.npy", dir));
    assert_true(npy_read(&cx, path("y.npy"), &want));
    struct strbuf got = STRBUF_INIT;
    expect(0, NULL, run("./%s_probe %s <x.raw >y.raw", name, backend));
    assert_true(strbuf_read_file(&got, path("y.raw")));
    size_t n = (size_t)array_count(&want) * dtype_bytes(want.dtype);
    if (got.len != n)
        fail_msg("%s: %zu bytes, want %zu", name, got.len, n);
    for (size_t i = 0; i < n; i++)
        if (got.text[i] != ((char *)want.data)[i])
            fail_msg("%s through %s: element %zu of %lld differs", name, backend, i / dtype_bytes(want.dtype), (long long)array_count(&want));
    bool varies = false;
    for (size_t i = 1; i < n; i++)
        varies |= got.text[i] != got.text[0];
    assert_true(varies);
    strbuf_release(&got);
}

static struct array first_frames(const struct array *x, int64_t n)
{
    struct array few = *x;
    few.dims[0] = n;
    return few;
}

static void digits_through_the_reference(void **state)
{
    (void)state;
    build_probe("digits", "digits");
    same_as_run("digits", "digits", "reference", &digits);
    assert_non_null(strstr(out.text, "frames 400 latency 0 interval 0"));
}

static int64_t number_after(const char *label)
{
    const char *at = strstr(out.text, label);
    if (!at)
        fail_msg("no '%s' in: %s", label, out.text);
    return atoll(at + strlen(label));
}

// Five frames with four in the queue follow each other as closely as the hardware lets them.
static void digits_through_the_simulation(void **state)
{
    (void)state;
    struct array few = first_frames(&digits, FRAMES);
    build_probe("digits", "digits");
    same_as_run("digits", "digits", "simulation", &few);
    assert_int_equal(number_after("frames "), FRAMES);
    int64_t interval = number_after("interval "), latency = number_after("latency ");
    expect(0, NULL, run("cat digits/driver/digits_network.c"));
    int64_t predicted = number_after(".frame_cycles = "), predicted_latency = number_after(".latency_cycles = ");
    if (llabs(interval - predicted) > predicted / 100)
        fail_msg("%lld cycles a frame, predicted %lld", (long long)interval, (long long)predicted);
    assert_true(latency > predicted_latency / 2); // frames behind another wait in FIFOs: more than a lone one's
}

static void unfilled_beats_through_both(void **state)
{
    (void)state;
    struct array x = array_new(&arena, I8, 4, DIMS(FRAMES, 3, 4, 4));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((int8_t *)x.data)[i] = (int8_t)random_int(-128, 127);
    expect(0, NULL, run("cat tiny/driver/tiny.h"));
    int64_t in_bytes = number_after("TINY_INPUT0_BYTES "), out_bytes = number_after("TINY_OUTPUT0_BYTES ");
    if (in_bytes == 48 && out_bytes == 20)
        fail_msg("every beat is full: %lld and %lld bytes", (long long)in_bytes, (long long)out_bytes);
    build_probe("tiny", "tiny");
    same_as_run("tiny", "tiny", "reference", &x);
    same_as_run("tiny", "tiny", "simulation", &x);
}

// ---- borders and stages: a model each, through the reference ----

static void pair_and_conv(int out_channels, float scale, int zero_point, enum dtype t) // x_d -> y_q, y_d
{
    weights("w", 4, DIMS(out_channels, 3, 3, 3), out_channels, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", scale, zero_point, t);
}

static void float_in_float_out(void)
{
    input(4, DIMS(1, 3, 5, 6), 0.05f, 3, I8);
    pair_and_conv(4, 0.11f, -5, I8);
    model_output(m, "y_d");
}

static void unsigned_in_unsigned_out(void)
{
    model_input(m, "x_q", U8, 4, DIMS(1, 3, 5, 6));
    model_f32(m, "x_s", 0, NULL, (float[]){ 0.05f });
    model_raw(m, "x_z", U8, 0, NULL, 1, "\144");
    model_node(m, "DequantizeLinear", "x_q x_s x_z", "x_d");
    pair_and_conv(4, 0.11f, 120, U8);
    model_output(m, "y_q");
}

static void channel_last(void)
{
    model_input(m, "i", DT_FLOAT, 4, DIMS(1, 5, 6, 3));
    model_node(m, "Transpose", "i", "x");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2));
    qdq("x", 0.05f, 3, I8);
    pair_and_conv(4, 0.11f, -5, I8);
    model_node(m, "Transpose", "y_d", "o");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    model_output(m, "o");
}

static void unsigned_channel_last(void) // integers that are transposed
{
    model_input(m, "i", U8, 4, DIMS(1, 5, 6, 3));
    model_node(m, "Transpose", "i", "x_q");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2));
    model_f32(m, "x_s", 0, NULL, (float[]){ 0.05f });
    model_raw(m, "x_z", U8, 0, NULL, 1, "\144");
    model_node(m, "DequantizeLinear", "x_q x_s x_z", "x_d");
    pair_and_conv(4, 0.11f, 120, U8);
    model_node(m, "Transpose", "y_q", "o");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    model_output(m, "o");
}

static void cast_in_and_out(void)
{
    model_input(m, "i", U8, 4, DIMS(1, 3, 5, 6));
    model_node(m, "Cast", "i", "x");
    model_int(m, "to", DT_FLOAT);
    qdq("x", 1, -128, I8);
    pair_and_conv(4, 2.5f, -5, I8);
    model_node(m, "Cast", "y_d", "o");
    model_int(m, "to", DT_INT32);
    model_output(m, "o");
}

static void behind_conv(const char *op, int axis, const char *flag)
{
    input(4, DIMS(1, 3, 5, 6), 0.05f, 3, I8);
    pair_and_conv(4, 0.05f, -5, I8);
    model_node(m, op, "y_d", "o");
    model_int(m, "axis", axis);
    if (flag)
        model_int(m, flag, flag[0] == 's');
    model_output(m, "o");
}

static void softmax_of_channels(void) { behind_conv("Softmax", 1, NULL); }
static void softmax_of_columns(void) { behind_conv("Softmax", -1, NULL); }
static void log_softmax_of_channels(void) { behind_conv("LogSoftmax", 1, NULL); }
static void argmax_of_channels(void) { behind_conv("ArgMax", 1, "keepdims"); }
static void argmax_of_rows_last(void) { behind_conv("ArgMax", 2, "select_last_index"); }

static void old_softmax(void) // before opset 13: all axes from the given one on
{
    model_free(m);
    m = model_new(11);
    input(4, DIMS(1, 3, 5, 6), 0.05f, 3, I8);
    weights("w", 4, DIMS(4, 3, 3, 3), 1, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", 0.05f, -5, I8);
    model_node(m, "Softmax", "y_d", "o");
    model_int(m, "axis", 1);
    model_output(m, "o");
}

static void flattened_scores(void) // reshaped, Softmax, class as int64
{
    input(4, DIMS(1, 3, 4, 4), 0.05f, 3, I8);
    pair_and_conv(4, 0.1f, -5, I8);
    weights("v", 2, DIMS(16, 7), 7, 1, I8, false);
    model_node(m, "Flatten", "y_d", "f");
    model_node(m, "MatMul", "f v", "z");
    qdq("z", 0.2f, 4, I8);
    model_node(m, "Softmax", "z_d", "p");
    model_node(m, "ArgMax", "p", "o");
    model_int(m, "axis", 1);
    model_output(m, "o");
}

static void every_kind_of_stage(void)
{
    input(4, DIMS(1, 4, 9, 8), 0.05f, 3, I8);
    weights("w", 4, DIMS(4, 1, 3, 3), 4, 0, I8, false);
    model_node(m, "Conv", "x_d w", "a"); // depthwise, strided
    model_int(m, "group", 4);
    model_ints(m, "strides", 2, DIMS(1, 2));
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("a", 0.05f, 7, I8);
    model_node(m, "Sigmoid", "a_d", "b");
    qdq("b", 0.004f, -128, I8);
    weights("v", 4, DIMS(4, 2, 1, 1), 4, 0, U8, true);
    model_node(m, "Conv", "b_d v", "c"); // grouped
    model_int(m, "group", 2);
    qdq("c", 0.02f, -3, I8);
    model_node(m, "Add", "c_d b_d", "d");
    qdq("d", 0.02f, -3, I8);
    model_node(m, "MaxPool", "d_d", "e");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    qdq("e", 0.02f, -3, I8);
    model_node(m, "AveragePool", "e_d", "f");
    model_ints(m, "kernel_shape", 2, DIMS(2, 1));
    qdq("f", 0.02f, 2, I8);
    model_node(m, "LpPool", "f_d", "g");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    qdq("g", 0.02f, -128, I8);
    model_node(m, "GlobalAveragePool", "g_d", "h");
    qdq("h", 0.01f, 2, I8);
    model_output(m, "h_d");
}

static struct model_row {
    const char *name;
    void (*build)(void);
    bool full_range; // inputs 0..255 instead of about -7..7
} models[] = {
    { "float in, float out", float_in_float_out, false },
    { "unsigned in, unsigned out", unsigned_in_unsigned_out, true },
    { "the channel last", channel_last, false },
    { "unsigned, the channel last", unsigned_channel_last, true },
    { "Cast in front and behind", cast_in_and_out, true },
    { "Softmax of channels", softmax_of_channels, false },
    { "Softmax of columns", softmax_of_columns, false },
    { "Softmax of everything, opset 11", old_softmax, false },
    { "LogSoftmax of channels", log_softmax_of_channels, false },
    { "ArgMax of channels", argmax_of_channels, false },
    { "ArgMax of rows, the last of equals", argmax_of_rows_last, false },
    { "Flatten, MatMul, Softmax, ArgMax", flattened_scores, false },
    { "every kind of stage", every_kind_of_stage, false },
};

static struct array random_frames(const struct graph *g, bool full_range)
{
    const struct tensor *t = g->inputs[0];
    int64_t dims[MAX_RANK];
    memcpy(dims, t->dims, sizeof dims);
    dims[0] = FRAMES;
    struct array x = array_new(&arena, t->dtype, t->rank, dims);
    for (int64_t i = 0; i < array_count(&x); i++) // multiples of half a step: ties too
        array_set_f64(&x, i, full_range ? random_int(0, 255) : random_int(-300, 300) * 0.025);
    return x;
}

static void check_model(void **state)
{
    const struct model_row *r = *state;
    struct graph *g;
    qdq_setup();
    r->build();
    assert_true(model_parse(m, &cx, &g));
    write_model("m.onnx");
    struct array x = random_frames(g, r->full_range);
    expect(0, NULL, run("rm -rf m && $A m.onnx --board ultra96 -q -o m && make -s -C m/driver VERILATOR= build/libm.a"));
    build_probe("m", "m");
    same_as_run("m", "m", "reference", &x);
}

// ---- what the generator refuses ----

static void an_infinite_scale_is_refused(void **state)
{
    (void)state;
    input(4, DIMS(1, 3, 5, 6), 0.05f, 3, I8);
    pair_and_conv(4, 0.11f, -5, I8);
    model_f32(m, "infinite", 0, NULL, (float[]){ INFINITY });
    model_node(m, "DequantizeLinear", "y_q infinite", "o");
    model_output(m, "o");
    write_model("m.onnx");
    expect(1, "E209", run("rm -rf m && $A m.onnx --board ultra96 -q -o m"));
    expect(0, NULL, run("test ! -e m"));
}

// A design as far as the generator looks at it before it fails.
static bool emit(struct design *d, struct graph *g, struct pipeline *p)
{
    struct outdir o;
    int n = 0;
    *d = (struct design){ .top = "m", .source = g, .graph = g, .pipeline = p, .model_bytes = STRBUF_INIT };
    p->graph = g;
    assert_true(board_read(&cx, "ultra96", &d->board));
    assert_true(outdir_open(&cx, path("refused"), &o));
    bool ok = driver_emit(&cx, d, &o, &n);
    outdir_abandon(&o);
    return ok;
}

static void an_unknown_border_operator_is_refused(void **state)
{
    (void)state;
    const struct graph *source;
    struct design d;
    float_in_float_out();
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    struct graph *g = (struct graph *)(uintptr_t)p->graph;
    struct tensor *y = g->outputs[0], *sine = graph_add_tensor(g, "sine", DT_FLOAT, y->rank, y->dims);
    graph_add_node(g, OP_Sin, "", 1, &y, 1, &sine);
    g->outputs[0] = sine;
    assert_false(emit(&d, g, p));
    assert_int_equal(diag.first_error, E201);
    assert_non_null(strstr(messages.text, "Sin is not in the run-time library"));
}

static void an_unknown_kind_of_stage_is_a_mistake_of_ours(void **state)
{
    (void)state;
    const struct graph *source;
    struct design d;
    int status;
    float_in_float_out();
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    p->stages[0].kind = STAGE_KIND_COUNT;
    pid_t child = fork();
    if (child == 0) {
        emit(&d, (struct graph *)(uintptr_t)p->graph, p);
        _exit(0);
    }
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_BUG);
}

// ---- two inputs and two outputs ----

static void build_pair(void)
{
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 5, 2, 2));
    qdq("z", 0.03f, 1, I8);
    model_input(m, "i", U8, 4, DIMS(1, 3, 4, 4));
    model_node(m, "Cast", "i", "x");
    model_int(m, "to", DT_FLOAT);
    qdq("x", 1, -128, I8);
    pair_and_conv(5, 2.5f, 120, U8);
    model_node(m, "Add", "y_d z_d", "s");
    qdq("s", 2.6f, 4, I8);
    model_node(m, "Softmax", "s_d", "p");
    model_int(m, "axis", 1);
    model_output(m, "p");
    model_output(m, "y_q");
}

// Frame by frame, one array behind the other.
static void interleave(struct strbuf *sb, const struct array *x, int n)
{
    for (int64_t f = 0; f < FRAMES; f++)
        for (int k = 0; k < n; k++) {
            size_t bytes = (size_t)array_count(&x[k]) / FRAMES * dtype_bytes(x[k].dtype);
            strbuf_add(sb, (const char *)x[k].data + (size_t)f * bytes, bytes);
        }
}

static void two_inputs_and_outputs_through_both(void **state)
{
    (void)state;
    static const char *const names[] = { "z", "i" }, *const backends[] = { "reference", "simulation" };
    struct array x[] = { array_new(&arena, DT_FLOAT, 4, DIMS(FRAMES, 5, 2, 2)), array_new(&arena, U8, 4, DIMS(FRAMES, 3, 4, 4)) }, y[2];
    struct strbuf raw = STRBUF_INIT, want = STRBUF_INIT, got = STRBUF_INIT;
    build_pair();
    write_model("pair.onnx");
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < array_count(&x[k]); i++)
            array_set_f64(&x[k], i, k ? random_int(0, 255) : random_int(-300, 300) * 0.015);
    assert_true(npz_write(&cx, path("x.npz"), 2, names, x));
    interleave(&raw, x, 2);
    write_file("x.raw", raw.text, raw.len);
    expect(0, NULL, run("$A pair.onnx --board ultra96 --fps 100000 -q -o pair && make -s -C pair/driver && $A run pair --input x.npz --output y.npz"));
    assert_true(npz_read(&cx, path("y.npz"), "p", &y[0]) && npz_read(&cx, path("y.npz"), "y_q", &y[1]));
    interleave(&want, y, 2);
    build_probe("pair", "pair");
    for (int b = 0; b < 2; b++) {
        expect(0, NULL, run("./pair_probe %s <x.raw >y.raw", backends[b]));
        strbuf_clear(&got);
        assert_true(strbuf_read_file(&got, path("y.raw")));
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.text, want.text, want.len);
    }
    expect(0, NULL, run("echo 'enum aihls_status f(struct aihls *a, const float *z, const uint8_t *i, float *p, uint8_t *y);"
                        "enum aihls_status f(struct aihls *a, const float *z, const uint8_t *i, float *p, uint8_t *y) { return pair_run(a, z, i, p, y); }' >typed.c && "
                        "${CC:-gcc} -std=c11 -Wall -Wextra -Werror -Ipair/driver -include pair.h -c typed.c"));
    expect(1, "pair: this example has images for one input only", run("pair/driver/build/example 0.pgm"));
    strbuf_release(&raw);
    strbuf_release(&want);
    strbuf_release(&got);
}

// What stands in front of the first quantization and behind the last: products of integers, Gather, Sigmoid, arithmetic by
// constants. Two outputs of one stream.
static void the_ends_of_a_network_run_on_the_host(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(FRAMES, 1, 16, 16)), y[2];
    struct strbuf bytes = STRBUF_INIT, want = STRBUF_INIT, got = STRBUF_INIT;
    assert_true(strbuf_read_file(&bytes, "tests/models/integers.onnx"));
    write_file("ends.onnx", bytes.text, bytes.len);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, random_int(0, 255));
    assert_true(npy_write(&cx, path("x.npy"), &x));
    write_file("x.raw", x.data, (size_t)array_count(&x) * sizeof(float));
    expect(0, NULL, run("$A ends.onnx --board ultra96 -q -o ends && make -s -C ends/driver VERILATOR= CFLAGS=-O1 build/libends.a && "
                        "$A run ends --input x.npy --output y.npz"));
    assert_true(npz_read(&cx, path("y.npz"), "steer", &y[0]) && npz_read(&cx, path("y.npz"), "collision", &y[1]));
    interleave(&want, y, 2);
    build_probe("ends", "ends");
    expect(0, NULL, run("./ends_probe reference <x.raw >y.raw"));
    assert_true(strbuf_read_file(&got, path("y.raw")));
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.text, want.text, want.len);
    strbuf_release(&bytes);
    strbuf_release(&want);
    strbuf_release(&got);
}

// ---- networks of other people ----

static struct network_row {
    const char *name, *model;
    enum dtype type;
    int rank;
    int64_t dims[MAX_RANK]; // of two frames
    double lo, hi;
} networks[] = {
    { "MLPerf Tiny ResNet-8", "mt_resnet8_int8", I8, 4, { 2, 3, 32, 32 }, -128, 127 },
    { "MLPerf Tiny ResNet-8, float NHWC input", "kj_resnet8_qdq", DT_FLOAT, 4, { 2, 32, 32, 3 }, 0, 255 },
    { "MLPerf Tiny DS-CNN, QLinear operators", "qop_dscnn", I8, 4, { 2, 1, 49, 10 }, -128, 127 },
    { "MLPerf Tiny MobileNet", "mt_vww_int8", I8, 4, { 2, 3, 96, 96 }, -128, 127 },
    { "QONNX, arithmetic in front and behind", "qx_tfc_2w2a", DT_FLOAT, 4, { 2, 1, 28, 28 }, 0, 1 },
    { "MLPerf Tiny autoencoder", "mt_ad_int8", I8, 2, { 2, 640 }, -128, 127 },
};

static void check_network(void **state)
{
    const struct network_row *r = *state;
    const char *models_dir = getenv("AIHLS_MODELS"), *file;
    file = arena_printf(&arena, "%s/%s.onnx", models_dir ? models_dir : "../shared/models", r->model);
    if (access(file, R_OK) != 0) {
        print_message("skipped: %s is not there\n", file);
        skip();
    }
    struct strbuf bytes = STRBUF_INIT;
    assert_true(strbuf_read_file(&bytes, file));
    write_file("m.onnx", bytes.text, bytes.len);
    strbuf_release(&bytes);
    expect(0, NULL, run("rm -rf m && $A m.onnx --board ultra96 -q -o m && make -s -C m/driver VERILATOR= CFLAGS=-O1 build/libm.a"));
    struct array x = array_new(&arena, r->type, r->rank, r->dims);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, r->lo + (r->hi - r->lo) * random_int(0, 255) / 255);
    build_probe("m", "m");
    same_as_run("m", "m", "reference", &x);
}

// ---- the example ----

// Image i of the test data, values 0..16, in one of the formats.
static void write_image(const char *file, int64_t i, char format)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "P%c\n# a digit\n8 8 #eight\n%d\n", format, format == '6' ? 65535 : 16);
    for (int k = 0; k < 64; k++) {
        int v = (int)array_f64(&digits, i * 64 + k);
        if (format == '2')
            strbuf_addf(&sb, "%d%c", v, k % 8 == 7 ? '\n' : ' ');
        else
            strbuf_addch(&sb, (char)v);
    }
    write_file(file, sb.text, sb.len);
    strbuf_release(&sb);
}

// An image of three channels, 0..255: as text, in one byte or in two.
static void write_colours(const char *file, char format, int max, int width, int height, const uint8_t *rgb)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "P%c %d %d %d\n", format, width, height, max);
    for (int i = 0; i < 3 * width * height; i++) {
        int v = rgb[i] * (max / 255);
        if (format == '3')
            strbuf_addf(&sb, "%d\n", v);
        else if (max > 255)
            strbuf_addch(&sb, (char)(v >> 8));
        if (format != '3')
            strbuf_addch(&sb, (char)v);
    }
    write_file(file, sb.text, sb.len);
    strbuf_release(&sb);
}

// Colour images in every form give the result of the same tensor as .npy.
static void check_colours(const char *dir, int width, int height, const uint8_t *rgb, const char *range, const struct array *x)
{
    write_colours("c6.ppm", '6', 255, width, height, rgb);
    write_colours("c3.ppm", '3', 255, width, height, rgb);
    write_colours("wide.ppm", '6', 65535, width, height, rgb);
    assert_true(npy_write(&cx, path("c.npy"), x));
    expect(0, "", run("%s --backend reference --range %s c.npy c6.ppm c3.ppm wide.ppm | sed 's/^[^:]*: //; s/ time.*//' | sort | uniq -c", dir, range));
    assert_int_equal(atoi(out.text), 4); // one line, four times
    assert_non_null(strstr(out.text, "class"));
}

static void the_example_reads_colours(void **state)
{
    (void)state;
    uint8_t rgb[3 * 6 * 5];
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)random_int(0, 255);
    struct array first = array_new(&arena, I8, 4, DIMS(1, 3, 4, 4)), last = array_new(&arena, DT_FLOAT, 4, DIMS(1, 5, 6, 3));
    for (int i = 0; i < 48; i++)
        array_set_f64(&first, i % 3 * 16 + i / 3, rgb[i] - 128);
    check_colours("tiny/driver/build/example", 4, 4, rgb, "-128,127", &first);
    for (int i = 0; i < 90; i++)
        array_set_f64(&last, i, -8 + 16.0 * rgb[i] / 255);
    channel_last();
    write_model("m.onnx");
    expect(0, NULL, run("rm -rf m && $A m.onnx --board ultra96 -q -o m && make -s -C m/driver VERILATOR="));
    check_colours("m/driver/build/example", 6, 5, rgb, "-8,8", &last);
}

// The class that the example printed for a file; -1 without one.
static int printed_class(const char *file)
{
    const char *at = strstr(out.text, arena_printf(&arena, "%s: class ", file));
    return at ? atoi(strchr(at, ':') + 8) : -1;
}

static void the_example_classifies_digits(void **state)
{
    (void)state;
    struct array labels, few = first_frames(&digits, 4);
    int right[2] = { 0, 0 };
    assert_true(npz_read(&cx, "tests/models/digits/digits_test.npz", "y", &labels));
    assert_true(npy_write(&cx, path("few.npy"), &few));
    for (int i = 0; i < 4; i++) {
        write_image(arena_printf(&arena, "%d.pgm", i), i, '5');
        write_image(arena_printf(&arena, "%d.txt.pgm", i), i, '2');
    }
    static const char *const backends[2] = { "simulation", "reference" };
    for (int b = 0; b < 2; b++) {
        expect(0, NULL, run("digits/driver/build/example --backend %s --range 0,16 ?.pgm %s", backends[b], b ? "?.txt.pgm few.npy" : ""));
        for (int i = 0; i < 4; i++) {
            right[b] += printed_class(arena_printf(&arena, "%d.pgm", i)) == array_f64(&labels, i);
            if (b)
                assert_int_equal(printed_class(arena_printf(&arena, "%d.txt.pgm", i)), printed_class(arena_printf(&arena, "%d.pgm", i)));
        }
        assert_int_equal(strstr(out.text, " cycles ") != NULL, b == 0);
    }
    assert_int_equal(right[0], 4);
    assert_int_equal(right[1], 4);
    assert_non_null(strstr(out.text, "few.npy: class"));
    static const char *const names[] = { "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun" };
    assert_non_null(strstr(out.text, arena_printf(&arena, " label %s time ", names[printed_class("3.pgm")])));
}

static void python_runs_the_network(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
        print_message("skipped: python3-numpy is not installed\n");
        skip();
    }
    struct array few = first_frames(&digits, FRAMES);
    assert_true(npy_write(&cx, path("few.npy"), &few));
    expect(0, NULL, run("$A run digits --input few.npy --output want.npy && make -s -C digits/driver python"));
    expect(0, "python: passed", run("/usr/bin/python3 $T/driver/python.py digits/driver few.npy want.npy"));
}

static void cmake_builds_two_networks(void **state)
{
    (void)state;
    if (system("cmake --version >/dev/null 2>&1") != 0) {
        print_message("skipped: cmake is not installed\n");
        skip();
    }
    struct array few = first_frames(&digits, 3);
    write_file("x.raw", few.data, (size_t)array_count(&few) * 4);
    expect(0, NULL, run("cmake -S $T/driver -B cmake -DSANDBOX=$PWD -DSOURCE=$T/driver/two.cpp >cmake.log 2>&1 && cmake --build cmake -j 2 >>cmake.log 2>&1 || { tail -30 cmake.log; exit 1; }"));
    expect(0, "all is well", run("cmake/two x.raw"));
}

static struct refusal {
    const char *name, *command, *says;
    int code;
} refusals[] = {
    { "no file is wrong usage", "$E", "usage:", 2 },
    { "an unknown option is wrong usage", "$E --elephants 3 x.pgm", "usage:", 2 },
    { "a back end that is not there", "$E --backend fpga 0.pgm", "fpga: the back end is not in this build", 1 },
    { "a missing file", "$E no.pgm", "no.pgm: cannot be opened", 1 },
    { "an empty file", ": >e.pgm && $E e.pgm", "e.pgm: no .npy file", 1 },
    { "an image of another size", "printf 'P2 2 2 255\\n1 2 3 4\\n' >s.pgm && $E s.pgm", "s.pgm: the image has not the size", 1 },
    { "an image that ends early", "printf 'P5 8 8 255\\nabc' >t.pgm && $E t.pgm", "t.pgm: the image ends early", 1 },
    { "an image of other values than it says", "printf 'P5 8 8 16\\n%064d' 0 >v.pgm && $E v.pgm", "v.pgm: the image ends early or is damaged", 1 },
    { "a bitmap", "printf 'P4 8 8\\nabcdefgh' >b.pbm && $E b.pbm", "b.pbm: no PGM or PPM image", 1 },
    { "an array that ends early", "head -c 200 few.npy >f.npy && $E f.npy", "f.npy: the array ends early", 1 },
};

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    expect(r->code, r->says, run("E='digits/driver/build/example' && %s", r->command));
}

// ---- programs that link it ----

static void two_networks_in_a_cpp_program(void **state)
{
    (void)state;
    struct array few = first_frames(&digits, 3);
    write_file("x.raw", few.data, (size_t)array_count(&few) * 4);
    expect(0, "all is well", run("V=$(verilator --getenv VERILATOR_ROOT)/include && g++ -O1 -Wall -Wextra -Werror -Idigits/driver -Itiny/driver -isystem $V -isystem $V/vltstd -pthread "
                                 "-o two $T/driver/two.cpp digits/driver/build/libdigits.a tiny/driver/build/libtiny.a digits/driver/build/libaihls.a -lm -latomic && ./two x.raw"));
}

static void without_verilator_the_rest_is_built(void **state)
{
    (void)state;
    expect(0, NULL, run("make -s -C tiny/driver B=plain VERILATOR=there_is_no_such_program"));
    expect(1, "simulation: the back end is not in this build", run("tiny/driver/plain/example --backend simulation 0.pgm"));
    expect(1, "0.pgm: the image has not the size", run("tiny/driver/plain/example 0.pgm"));
}

// ---- on a board: NAME_axi and memory behind registers, caches, interrupt (tests/driver/shim.cpp) ----

static void build_boards(void)
{
    static bool built;
    if (!built)
        expect(0, NULL, run("sh $T/driver/board.sh digits && sh $T/driver/board.sh tiny"));
    built = true;
}

// The program that the other back ends were tested with, unchanged.
static void check_on_board(const char *dir, const struct array *frames)
{
    static const char *const backends[] = { "linux", "bare", "reference" };
    build_boards();
    write_file("x.raw", frames->data, (size_t)array_count(frames) * dtype_bytes(frames->dtype));
    for (int b = 0; b < 3; b++)
        expect(0, b < 2 ? "interval" : NULL, run("./%s_board_probe %s <x.raw 2>&1 >%s.raw", dir, backends[b], backends[b]));
    expect(0, NULL, run("cmp linux.raw reference.raw && cmp bare.raw reference.raw"));
}

static void digits_on_a_board(void **state)
{
    (void)state;
    struct array few = first_frames(&digits, 2 * FRAMES);
    check_on_board("digits", &few);
}

static void unfilled_beats_on_a_board(void **state) // and a bus of 128 bits
{
    (void)state;
    int8_t x[2 * FRAMES * 3 * 4 * 4];
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (int8_t)(i * 37);
    struct array frames = { .dtype = I8, .rank = 4, .dims = { 2 * FRAMES, 3, 4, 4 }, .data = x };
    check_on_board("tiny", &frames);
}

static struct board_row {
    const char *name, *backend, *dir, *what;
} board_rows[] = {
    { "more frames than the ring has slots, linux", "linux", "digits", "many_frames" },
    { "more frames than the ring has slots, bare", "bare", "tiny", "many_frames" },
    { "frames without copies, linux", "linux", "tiny", "without_copies" },
    { "frames without copies, bare", "bare", "digits", "without_copies" },
    { "each frame is reported once and in order", "linux", "digits", "callbacks" },
    { "a full queue and a timeout, linux", "linux", "digits", "full_queue_and_timeout" },
    { "a full queue and a timeout, bare", "bare", "tiny", "full_queue_and_timeout" },
    { "a read that the bus refuses costs one frame", "linux", "digits", "bad_read" },
    { "a write that the bus refuses costs one frame", "bare", "tiny", "bad_write" },
    { "closed with frames in flight, linux", "linux", "digits", "closed_in_flight" },
    { "closed with frames in flight, bare", "bare", "tiny", "closed_in_flight" },
    { "a device that died, linux", "linux", "digits", "dead_device" },
    { "a device that died, bare", "bare", "tiny", "dead_device" },
    { "another network in the device, linux", "linux", "digits", "wrong_bitstream" },
    { "another network in the device, bare", "bare", "tiny", "wrong_bitstream" },
    { "more frames in the queue than the device takes", "linux", "tiny", "too_many_slots" },
    { "frames of a wrong shape", "bare", "digits", "wrong_shape" },
    { "a device that another program uses", "linux", "digits", "in_use" },
    { "a device that was asked for by name", "linux", "digits", "chosen_device" },
};

static void check_board(void **state)
{
    const struct board_row *r = *state;
    build_boards();
    expect(0, ": right", run("timeout 120 ./%s_board_hardware %s %s", r->dir, r->backend, r->what));
}

// Two programs at once: the second is told so and the first goes on; one that was killed leaves the device free.
static void two_processes(void **state)
{
    (void)state;
    build_boards();
    expect(0, NULL, run("mkfifo gate; ./digits_board_probe linux <gate >/dev/null 2>first.log & p=$!; exec 3>gate; sleep 1; "
                        "./digits_board_probe linux </dev/null 2>second.log; test $? = 1 && grep -q 'another program uses the device' second.log || { cat second.log; exit 9; }; "
                        "kill -KILL $p; wait $p; exec 3>&-; ./digits_board_probe linux </dev/null"));
}

// ---- installed ----

// The compiler, its manual and completion, and the library for a program that knows pkg-config alone.
static void what_is_installed_works(void **state)
{
    (void)state;
    struct array few = first_frames(&digits, 2);
    write_file("x.raw", few.data, (size_t)array_count(&few) * 4);
    expect(0, NULL, run("make -s -C $T/.. B=$(dirname $A) install DESTDIR=$PWD/inst PREFIX=/usr && cd / && %s/inst/usr/bin/aihls boards", root));
    expect(0, NULL, run("grep -q '^.SH .EXIT STATUS' inst/usr/share/man/man1/aihls.1 && { ! command -v groff || groff -man -Tascii -ww -z inst/usr/share/man/man1/aihls.1; }"));
    expect(0, "ultra96|--stalls|report|--max-loss --max-latency-us --max-dsp|",
           run("PATH=$PWD/inst/usr/bin:$PATH bash -c '. inst/usr/share/bash-completion/completions/aihls; "
               "t() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _aihls; printf \"%%s|\" \"${COMPREPLY[*]}\"; }; "
               "t aihls m.onnx --board ultra; t aihls sim --sta; t aihls rep; t aihls m.onnx --max'"));
    expect(0, NULL, run("export PKG_CONFIG_PATH=inst/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/inst; mkdir lone && cp digits/driver/digits*.[ch] lone && "
                        "gcc -std=c11 -include lone/digits.h -DNETWORK=digits_network -DBACKEND=digits_backend -o lone_probe $T/driver/probe.c lone/digits_network.c lone/digits_reference.c "
                        "lone/digits_backends.c $(pkg-config --cflags --libs aihls) && ./lone_probe reference <x.raw >lone.raw && test -s lone.raw"));
}

// Strict warnings; undefined behaviour and memory under the sanitizers and, where it is installed, valgrind.
static void the_library_is_clean(void **state)
{
    (void)state;
    struct array few = first_frames(&digits, FRAMES);
    write_file("x.raw", few.data, (size_t)array_count(&few) * 4);
    const char *sources = "digits/driver/libaihls/*.c digits/driver/digits_network.c digits/driver/digits_reference.c digits/driver/digits_backends.c";
    const char *names = "-Idigits/driver -include digits.h -DNETWORK=digits_network -DBACKEND=digits_backend";
    expect(0, "", run("gcc -std=c11 -pedantic -D_GNU_SOURCE -Werror -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-enum -g -fsanitize=address,undefined "
                      "-fno-sanitize-recover=all %s -o clean_probe $T/driver/probe.c %s -lm && ./clean_probe reference <x.raw >clean.raw", names, sources));
    if (run("command -v valgrind") != 0) {
        print_message("valgrind is not installed\n");
        return;
    }
    expect(0, NULL, run("gcc -std=c11 -g -O1 -D_GNU_SOURCE %s -o plain_probe $T/driver/probe.c %s -lm && valgrind -q --error-exitcode=9 --leak-check=full ./plain_probe reference <x.raw >plain.raw && "
                        "cmp clean.raw plain.raw", names, sources));
}

// The core without the C library's heap, clock, files or mathematics: what it needs from outside is what a freestanding compiler asks for itself.
static void the_core_is_freestanding(void **state)
{
    (void)state;
    expect(0, NULL, run("cd digits/driver/libaihls && for f in aihls aihls_border aihls_host aihls_stages aihls_reference aihls_axi aihls_bare; do gcc -std=c11 -ffreestanding -fno-stack-protector -Os -c -o ../$f.free.o $f.c || exit 1; done && "
                        "nm -u ../*.free.o | sed -n 's/^ *U //p' | grep -v '^aihls_' | sort -u | tr '\\n' ' '"));
    assert_string_equal(out.text, "memcmp memcpy memset ");
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
#define WITH_DIGITS(f) cmocka_unit_test_setup_teardown(f, setup, qdq_teardown)
    struct CMUnitTest tests[96] = {
        WITH_DIGITS(digits_through_the_reference), WITH_DIGITS(digits_through_the_simulation), WITH_DIGITS(unfilled_beats_through_both),
        WITH_DIGITS(the_example_classifies_digits), WITH_DIGITS(python_runs_the_network), WITH_DIGITS(cmake_builds_two_networks), WITH_DIGITS(two_networks_in_a_cpp_program), WITH_DIGITS(without_verilator_the_rest_is_built),
        WITH_DIGITS(the_library_is_clean), WITH_DIGITS(the_core_is_freestanding), WITH_DIGITS(the_example_reads_colours),
        WITH_DIGITS(what_is_installed_works), WITH_DIGITS(digits_on_a_board), WITH_DIGITS(unfilled_beats_on_a_board), WITH_DIGITS(two_processes),
        WITH_DIGITS(two_inputs_and_outputs_through_both), WITH_DIGITS(the_ends_of_a_network_run_on_the_host), WITH_DIGITS(an_infinite_scale_is_refused), WITH_DIGITS(an_unknown_border_operator_is_refused), WITH_DIGITS(an_unknown_kind_of_stage_is_a_mistake_of_ours),
    };
    size_t n = 20;
    for (size_t i = 0; i < COUNT(board_rows); i++)
        tests[n++] = (struct CMUnitTest){ board_rows[i].name, check_board, NULL, NULL, &board_rows[i] };
    for (size_t i = 0; i < COUNT(refusals); i++)
        tests[n++] = (struct CMUnitTest){ refusals[i].name, check_refusal, NULL, NULL, &refusals[i] };
    for (size_t i = 0; i < COUNT(models); i++)
        tests[n++] = (struct CMUnitTest){ models[i].name, check_model, NULL, qdq_teardown, &models[i] };
    for (size_t i = 0; i < COUNT(networks); i++)
        tests[n++] = (struct CMUnitTest){ networks[i].name, check_network, setup, qdq_teardown, &networks[i] };
    return _cmocka_run_group_tests("driver", tests, n, group_setup, group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// Whole networks: compiled, simulated with and without stalls, cycles held against the prediction, accuracy
// of the integers. The networks of other people (MLPerf Tiny and such) are looked for in $AIHLS_MODELS,
// else ../shared/models with data in ../shared/inputs; tests that need them are skipped where they are absent.
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

#include "base/diag.h"
#include "base/strbuf.h"
#include "sim/array.h"
#include "tests/support/model.h"

#define DIR "build/networks"
#define DIGITS "tests/models/digits/"

static struct arena arena;
static struct diag diag;
static struct ctx cx = { &arena, &diag };

static const char *aihls(void)
{
    const char *bin = getenv("AIHLS_BIN");
    return bin ? bin : "build/aihls";
}

static const char *shared(const char *folder, const char *file)
{
    const char *models = getenv("AIHLS_MODELS");
    return arena_printf(&arena, "%s/%s/%s", models ? arena_printf(&arena, "%s/..", models) : "../shared", folder, file);
}

// Runs a command; its output is in `text`. Fails the test unless it ends with exit code 0.
static struct strbuf text = STRBUF_INIT;
static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *command = arena_vprintf(&arena, fmt, ap);
    va_end(ap);
    int status = system(arena_printf(&arena, "{ %s ; } >%s/out.txt 2>&1", command, DIR));
    strbuf_clear(&text);
    strbuf_read_file(&text, DIR "/out.txt");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s\n%s", command, text.text);
}

static int64_t number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v))
        fail_msg("report.json has no number '%s'", key);
    return (int64_t)json_integer_value(v);
}

static void within_percent(int64_t have, int64_t want, const char *what)
{
    int64_t slack = want / 100 > 2 ? want / 100 : 2;
    if (have < want - slack || have > want + slack)
        fail_msg("%s: simulated %lld, predicted %lld", what, (long long)have, (long long)want);
}

// ---- a small network of every kind of stage: split, shuffle, squeeze and excite, a U with three arms, paddings ----

#define MOVES DIR "/moves.onnx"
#define DIMS(...) ((const int64_t[]){ __VA_ARGS__ })

static struct model *moves;

static const char *weight(const char *name, int rank, const int64_t *dims)
{
    static uint32_t seed = 1;
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    float *w = arena_array(&arena, float, n);
    for (int64_t i = 0; i < n; i++) { // Numerical Recipes' generator
        seed = seed * 1664525u + 1013904223u;
        w[i] = (float)(seed >> 8) / (float)(1 << 24) - 0.45f;
    }
    model_f32(moves, name, rank, dims, w);
    return name;
}

static void layer(const char *op, const char *in, const char *out, int64_t out_c, int64_t in_c, int64_t kernel, int64_t group)
{
    bool transposed = strcmp(op, "ConvTranspose") == 0;
    const char *w = arena_printf(&arena, "w_%s", out);
    weight(w, 4, transposed ? DIMS(in_c, out_c, kernel, kernel) : DIMS(out_c, in_c / group, kernel, kernel));
    model_node(moves, op, arena_printf(&arena, "%s %s", in, w), out);
    model_ints(moves, "kernel_shape", 2, DIMS(kernel, kernel));
    model_int(moves, "group", group);
    if (transposed)
        model_ints(moves, "strides", 2, DIMS(kernel, kernel));
    else
        model_ints(moves, "pads", 4, DIMS(kernel / 2, kernel / 2, kernel / 2, kernel / 2));
}

static void window(const char *op, const char *in, const char *out, int64_t kernel, int64_t pad)
{
    model_node(moves, op, in, out);
    model_ints(moves, "kernel_shape", 2, DIMS(kernel, kernel));
    model_ints(moves, "strides", 2, DIMS(2, 2));
    model_ints(moves, "pads", 4, DIMS(pad, pad, pad, pad));
}

static void build_head(void)
{
    model_input(moves, "x", DT_FLOAT, 4, DIMS(1, 3, 16, 16));
    layer("Conv", "x", "c0", 8, 3, 3, 1);
    model_node(moves, "Relu", "c0", "r0");
    model_node(moves, "Split", "r0", "left right");
    model_int(moves, "axis", 1);
    layer("Conv", "left", "dw", 4, 4, 3, 4);
    model_node(moves, "Concat", "dw right", "joined");
    model_int(moves, "axis", 1);
    model_i64(moves, "groups", 5, DIMS(1, 2, 4, 16, 16));
    model_i64(moves, "image", 4, DIMS(1, 8, 16, 16));
    model_node(moves, "Reshape", "joined groups", "five");
    model_node(moves, "Transpose", "five", "turned");
    model_ints(moves, "perm", 5, DIMS(0, 2, 1, 3, 4));
    model_node(moves, "Reshape", "turned image", "shuffled");
    layer("Conv", "shuffled", "c1", 8, 8, 1, 1);
    model_node(moves, "Relu", "c1", "r1");
    model_node(moves, "GlobalAveragePool", "r1", "squeezed");
    layer("Conv", "squeezed", "c2", 8, 8, 1, 1);
    model_node(moves, "HardSigmoid", "c2", "gate");
    model_node(moves, "Mul", "r1 gate", "excited");
}

static void build_tail(void)
{
    window("MaxPool", "excited", "small", 2, 0);
    layer("Conv", "small", "c3", 8, 8, 3, 1);
    layer("ConvTranspose", "c3", "up", 4, 8, 2, 1);
    model_f32(moves, "twice", 1, DIMS(4), (float[]){ 1, 1, 2, 2 });
    model_node(moves, "Resize", "small - twice", "near");
    model_node(moves, "Resize", "c3 - twice", "smooth");
    model_string(moves, "mode", "linear");
    model_node(moves, "Sub", "near smooth", "detail");
    model_node(moves, "Concat", "up excited detail", "three");
    model_int(moves, "axis", 1);
    layer("Conv", "three", "c4", 8, 20, 1, 1);
    weight("slope", 3, DIMS(8, 1, 1));
    model_node(moves, "PRelu", "c4 slope", "bent");
    window("AveragePool", "bent", "even", 3, 1);
    model_i64(moves, "border", 8, DIMS(0, 0, 1, 1, 0, 0, 1, 1));
    model_node(moves, "Pad", "even border", "mirror");
    model_string(moves, "mode", "reflect");
    layer("Conv", "mirror", "c5", 8, 8, 3, 1);
    window("LpPool", "c5", "lengths", 2, 0);
    model_node(moves, "GlobalMaxPool", "lengths", "top");
    model_node(moves, "Flatten", "top", "flat");
    weight("w_y", 2, DIMS(8, 5));
    model_node(moves, "Gemm", "flat w_y", "y");
    model_output(moves, "y");
    layer("Conv", "lengths", "scores", 5, 8, 1, 1);
    model_node(moves, "ArgMax", "scores", "classes");
    model_int(moves, "axis", 1);
    model_output(moves, "classes");
}

static bool write_moves(void)
{
    size_t n;
    moves = model_new(13);
    build_head();
    build_tail();
    const void *bytes = model_pack(moves, &n);
    FILE *f = fopen(MOVES, "wb");
    bool ok = f && fwrite(bytes, 1, n, f) == n;
    ok = f && fclose(f) == 0 && ok;
    model_free(moves);
    return ok;
}

static struct simulation_row {
    const char *name, *model, *options, *sim_options;
    bool ours;        // in the repository
    bool free_flow;   // no stalls: cycles must be as predicted
    int64_t at_most;  // cycles per frame, 0: any
} simulations[] = {
    { "digits on ultra96 runs as predicted", "digits", "--board ultra96 --calib " DIGITS "digits_calib.npy", "--input " DIGITS "digits_test.npz --frames 4", true, true, 0 },
    { "digits on ultra96 survives stalls", "digits", "--board ultra96 --calib " DIGITS "digits_calib.npy", "--frames 3 --stalls 7", true, false, 0 },
    { "digits on ultra96 starts after a reset of one cycle", "digits", "--board ultra96 --calib " DIGITS "digits_calib.npy", "--frames 2 --reset-cycles 1 --power-seed 2", true, true, 0 },
    { "digits on ultra96 starts again after a reset in the middle of a frame", "digits", "--board ultra96 --calib " DIGITS "digits_calib.npy", "--frames 3 --reset-at 1100 --reset-cycles 1 --power-seed 3", true, true, 0 },
    { "digits on pynq-z2 runs as predicted", "digits", "--board pynq-z2 --calib " DIGITS "digits_calib.npy", "--frames 3", true, true, 0 },
    { "digits at 10,000 frames/s with shifts alone", "digits", "--board pynq-z2 --fps 10000 --requant shift --calib " DIGITS "digits_calib.npy", "--frames 3 --stalls 3", true, false, 0 },
    { "every kind of stage on ultra96 runs as predicted", "moves", "--board ultra96", "--frames 4", true, true, 0 },
    { "every kind of stage survives stalls", "moves", "--board ultra96", "--frames 3 --stalls 11", true, false, 0 },
    { "every kind of stage starts after a reset of one cycle", "moves", "--board ultra96", "--frames 3 --reset-cycles 1 --power-seed 2", true, true, 0 },
    { "every kind of stage starts after a reset of 20 cycles", "moves", "--board ultra96", "--frames 3 --reset-cycles 20 --power-seed 3", true, true, 0 },
    { "every kind of stage starts again after a reset in the first frame", "moves", "--board ultra96", "--frames 3 --reset-at 700 --reset-cycles 1", true, true, 0 },
    { "every kind of stage starts again after a reset between stalls", "moves", "--board ultra96", "--frames 3 --reset-at 4321 --reset-cycles 1 --stalls 5", true, false, 0 },
    { "every kind of stage starts again after a long reset in a full pipeline", "moves", "--board ultra96", "--frames 4 --reset-at 3000 --reset-cycles 20 --power-seed 2", true, true, 0 },
    { "digits without DSP blocks", "digits", "--board pynq-z2 --max-dsp 0 --fps 20000 --requant fast --calib " DIGITS "digits_calib.npy", "--frames 3", true, true, 0 },
    { "integers in floats on ultra96 run as predicted", "integers", "--board ultra96", "--frames 3", true, true, 0 },
    { "integers in floats survive stalls", "integers", "--board ultra96", "--frames 3 --stalls 5", true, false, 0 },
    { "digits with weights of 4, 2 and 1 bits and activations of 4", "digits", "--board pynq-z2 --fps 20000 --precision stem=4/4,block1.conv1=2,block2.conv1=1,logits=4 --calib " DIGITS "digits_calib.npy", "--frames 2 --stalls 5", true, false, 0 },
    { "MLPerf Tiny ResNet-8 on ultra96", "mt_resnet8_int8", "--board ultra96", "--frames 3", false, true, 19200 },
    { "MLPerf Tiny ResNet-8 with stalls", "mt_resnet8_int8", "--board ultra96", "--frames 2 --stalls 5", false, false, 0 },
    { "QONNX with 2-bit weights and activations", "qx_tfc_2w2a", "--board ultra96", "--frames 4", false, true, 0 },
    { "QONNX with 2-bit weights and activations, with stalls", "qx_tfc_2w2a", "--board ultra96", "--frames 4 --stalls 7", false, false, 0 },
    { "integers in floats, with stalls", "pulp_dronet2", "--board ultra96", "--frames 1 --stalls 7", false, false, 0 },
    { "a face detector of two outputs on ultra96", "uf_slim_320_simplified", "--board ultra96", "--frames 2", false, true, 0 },
};

static void simulated_network(void **state)
{
    const struct simulation_row *r = *state;
    bool own = strcmp(r->model, "moves") == 0;
    const char *model = own ? MOVES : !r->ours ? shared("models", arena_printf(&arena, "%s.onnx", r->model))
                        : strcmp(r->model, "digits") == 0 ? DIGITS "digits.onnx" : arena_printf(&arena, "tests/models/%s.onnx", r->model);
    if (access(model, R_OK) != 0) {
        print_message("skipped: %s is not there\n", model);
        skip();
    }
    // one directory per compilation, so that a second run finds its Verilator build
    unsigned hash = 5381;
    for (const char *p = r->options; *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    const char *out = arena_printf(&arena, DIR "/%s_%08x", r->model, hash);
    const char *report = arena_printf(&arena, "%s/report.json", out);
    if (access(report, R_OK) != 0)
        run("%s %s %s -q -o %s", aihls(), model, r->options, out);
    run("%s sim %s %s", aihls(), out, r->sim_options);
    assert_non_null(strstr(text.text, "0 mismatches"));
    json_t *j = json_load_file(report, 0, NULL);
    assert_non_null(j);
    const json_t *simulated = json_object_get(j, "simulated"), *predicted = json_object_get(j, "predicted");
    int64_t cycles = number(simulated, "cycles_per_frame");
    assert_int_equal(number(simulated, "mismatches"), 0);
    if (r->free_flow) {
        within_percent(cycles, number(predicted, "cycles_per_frame"), "cycles per frame");
        const json_t *stages = json_object_get(j, "stages");
        for (size_t i = 0; i < json_array_size(stages); i++) {
            const json_t *s = json_array_get(stages, i);
            int64_t want = number(s, "predicted_cycles"), have = number(s, "simulated_cycles");
            within_percent(have, want, json_string_value(json_object_get(s, "name")));
        }
    }
    if (r->at_most && cycles > r->at_most)
        fail_msg("%lld cycles per frame, at most %lld wanted", (long long)cycles, (long long)r->at_most);
    json_decref(j);
}

static double percent_after(const char *label)
{
    const char *at = strstr(text.text, label);
    assert_non_null(at);
    return atof(at + strlen(label));
}

static void digits_keep_their_accuracy_as_integers(void **state)
{
    (void)state;
    run("%s eval " DIGITS "digits.onnx --calib " DIGITS "digits_calib.npy --data " DIGITS "digits_test.npz", aihls());
    assert_true(percent_after("float top-1 ") >= 98.0);
    assert_true(percent_after("integer top-1 ") >= percent_after("float top-1 ") - 0.5);
}

// ---- other people's labelled data, brought into the models' input form ----

static struct accuracy_row {
    const char *name, *model, *data;
    int64_t channels, height, width;
    int subtract;    // pixels are stored as uint8, the model takes pixel - subtract ...
    float divide;    // ... or, where this is not 0, pixel / divide as float32
    double at_least; // percent, from the models' own README
} accuracies[] = {
    { "TinyMaix MNIST reaches 96.1 %", "tm_mnist_valid_int8", "mnist_2000.npz", 1, 28, 28, 128, 0, 96.1 },
    { "MLPerf Tiny DS-CNN reaches 90.2 %", "mt_dscnn_int8", "kws01_1000.npz", 1, 49, 10, 0, 0, 90.2 },
    { "the QONNX network reaches 97.3 %", "qx_tfc_2w2a", "mnist_2000.npz", 1, 28, 28, 0, 255, 97.3 },
};

static bool member(const char *npz, const char *name, struct array *out)
{
    return npz_read(&cx, npz, name, out);
}

static void accurate_network(void **state)
{
    const struct accuracy_row *r = *state;
    const char *model = shared("models", arena_printf(&arena, "%s.onnx", r->model)), *data = shared("inputs", r->data);
    if (access(model, R_OK) != 0 || access(data, R_OK) != 0) {
        print_message("skipped: %s or %s is not there\n", model, data);
        skip();
    }
    struct array raw, labels;
    assert_true(member(data, "x", &raw) && member(data, "y", &labels));
    const int64_t dims[] = { raw.dims[0], r->channels, r->height, r->width };
    struct array x = array_new(&arena, r->divide != 0 ? DT_FLOAT : DT_INT8, 4, dims);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, r->divide != 0 ? array_f64(&raw, i) / (double)r->divide : array_f64(&raw, i) - r->subtract);
    // aihls reads labels from an .npz; write both members and let Python's standard library zip them
    assert_true(npy_write(&cx, DIR "/x.npy", &x) && npy_write(&cx, DIR "/y.npy", &labels));
    run("cd " DIR " && rm -f data.npz && python3 -c \"import zipfile as z; f = z.ZipFile('data.npz', 'w'); f.write('x.npy'); f.write('y.npy'); f.close()\"");
    run("%s eval %s --data " DIR "/data.npz", aihls(), model);
    if (percent_after("integer top-1 ") < r->at_least)
        fail_msg("%s", text.text);
    const char *out = arena_printf(&arena, DIR "/%s", r->model);
    run("%s %s --board ultra96 -q -o %s", aihls(), model, out);
    run("%s sim %s --input " DIR "/x.npy --frames 20", aihls(), out);
    assert_non_null(strstr(text.text, "20 frames"));
    assert_non_null(strstr(text.text, "0 mismatches"));
}

int main(void)
{
    if (system("rm -rf " DIR " && mkdir -p " DIR) != 0 || !write_moves())
        return 1;
    struct CMUnitTest tests[32] = { cmocka_unit_test(digits_keep_their_accuracy_as_integers) };
    size_t n = 1;
    for (size_t i = 0; i < sizeof simulations / sizeof *simulations; i++)
        tests[n++] = (struct CMUnitTest){ simulations[i].name, simulated_network, NULL, NULL, &simulations[i] };
    for (size_t i = 0; i < sizeof accuracies / sizeof *accuracies; i++)
        tests[n++] = (struct CMUnitTest){ accuracies[i].name, accurate_network, NULL, NULL, &accuracies[i] };
    int failed = _cmocka_run_group_tests("networks", tests, n, NULL, NULL);
    strbuf_release(&text);
    arena_release(&arena);
    return failed;
}

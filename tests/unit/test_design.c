// SPDX-License-Identifier: Apache-2.0
// Tests hls/design.c: names, and that an output's options make the same design again; of hls/simulate.c what needs no
// Verilator.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "hls/design.h"
#include "hls/emit.h"
#include "hls/outdir.h"
#include "hls/simulate.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct identifier {
    const char *name, *path, *want;
} identifiers[] = {
    { "the suffix goes", "net.onnx", "net" },
    { "folders go", "/a/b.c/net.onnx", "net" },
    { "capitals become small", "My-Net.onnx", "my_net" },
    { "only the last suffix goes", "net.v2.onnx", "net_v2" },
    { "a digit in front gets a letter", "8bit.onnx", "m8bit" },
    { "runs of other characters are one underscore", "a -- b.onnx", "a_b" },
    { "no underscore at the end", "net_.onnx", "net" },
    { "letters beyond ASCII are replaced", "n\xc3\xa4t.onnx", "n_t" },
    { "no suffix at all", "net", "net" },
    { "nothing usable", "...onnx", "m" },
    { "a keyword of Verilog gets a prefix", "module.onnx", "m_module" },
    { "a keyword of SystemVerilog gets a prefix", "Logic.onnx", "m_logic" },
    { "what begins like a keyword does not", "input2.onnx", "input2" },
    { "the names of the templates are taken", "aihls_conv.onnx", "m_aihls_conv" },
    { "a prefixed name stays", "m_module", "m_module" },
};

static void check_identifier(void **state)
{
    const struct identifier *r = *state;
    assert_string_equal(design_identifier(&arena, r->path), r->want);
}

static void an_output_directory_makes_the_same_design_again(void **state)
{
    (void)state;
    char root[] = "/tmp/aihls_test_design_XXXXXX";
    assert_non_null(mkdtemp(root));
    const char *dir = arena_printf(&arena, "%s/out", root);
    struct strbuf messages = STRBUF_INIT, a = STRBUF_INIT, b = STRBUF_INIT;
    struct diag diag = { .rendered = &messages };
    struct ctx cx = { &arena, &diag };
    struct request r = { .model = "tests/models/digits/digits.onnx", .board = "pynq-z2", .name = "other", .calib = "tests/models/digits/digits_calib.npy",
                         .goal = { .fps = 20000, .max_dsp = 50 }, .requant = REQUANT_FAST };
    struct design d = { .model_bytes = STRBUF_INIT }, again = { .model_bytes = STRBUF_INIT };
    int files = 0;
    bool ok = design_build(&cx, &r, &d, NULL, NULL) && emit_design(&cx, &d, dir, "", &files) && design_reopen(&cx, dir, &again);
    if (ok) {
        pipeline_dump(d.pipeline, &a);
        pipeline_dump(again.pipeline, &b);
    }
    remove_tree(root);
    if (!ok)
        fail_msg("%s", messages.text);
    assert_string_equal(a.text, b.text);
    assert_string_equal(again.top, "other");
    assert_int_equal(again.request.requant, REQUANT_FAST);
    assert_int_equal(again.request.goal.fps, 20000);
    assert_int_equal(again.request.goal.max_dsp, 50);
    assert_int_equal(diag.warnings, 0); // the ranges were stored: no calibration data is missed
    design_release(&d);
    design_release(&again);
    strbuf_release(&messages);
    strbuf_release(&a);
    strbuf_release(&b);
}

// What keeps a simulation from starting is found before the model is built, and leaves nothing behind.
static void a_simulation_that_cannot_start_leaves_nothing(void **state)
{
    (void)state;
    char root[] = "/tmp/aihls_test_design_XXXXXX";
    assert_non_null(mkdtemp(root));
    const char *dir = arena_printf(&arena, "%s/out", root), *frames = arena_printf(&arena, "%s/frames.npy", root);
    struct strbuf messages = STRBUF_INIT;
    struct diag diag = { .rendered = &messages };
    struct ctx cx = { &arena, &diag };
    struct request r = { .model = "tests/models/digits/digits.onnx", .board = "pynq-z2", .calib = "tests/models/digits/digits_calib.npy",
                         .goal = { .fps = 20000, .max_dsp = 50 } };
    struct array narrow = array_new(&arena, DT_FLOAT, 4, (int64_t[]){ 3, 1, 8, 7 });
    struct sim_request bad_frames = { .dir = dir, .input = frames, .reset_cycles = 4, .power_seed = 1 },
                       bad_trace = { .dir = dir, .frames = 1, .reset_cycles = 4, .power_seed = 1, .trace = arena_printf(&arena, "%s/none/x.fst", root) };
    struct design d[3] = { { .model_bytes = STRBUF_INIT }, { .model_bytes = STRBUF_INIT }, { .model_bytes = STRBUF_INIT } };
    struct sim_result result;
    int files = 0;
    bool made = design_build(&cx, &r, &d[0], NULL, NULL) && emit_design(&cx, &d[0], dir, "", &files) && npy_write(&cx, frames, &narrow);
    bool first = made && simulate(&cx, &bad_frames, &d[1], &result);
    enum diag_code frames_code = diag.first_error;
    bool second = made && simulate(&cx, &bad_trace, &d[2], &result);
    bool left = access(arena_printf(&arena, "%s/sim/reference.bin", dir), F_OK) == 0 || access(arena_printf(&arena, "%s/sim/build_plain", dir), F_OK) == 0 ||
                access(arena_printf(&arena, "%s/sim/build_trace", dir), F_OK) == 0;
    remove_tree(root);
    if (!made)
        fail_msg("%s", messages.text);
    assert_false(first);
    assert_int_equal(frames_code, E104);
    assert_false(second);
    assert_int_equal(diag.errors, 2);
    assert_non_null(strstr(messages.text, "E002"));
    assert_false(left);
    for (int i = 0; i < 3; i++)
        design_release(&d[i]);
    strbuf_release(&messages);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(identifiers) + 2] = {
        cmocka_unit_test_teardown(an_output_directory_makes_the_same_design_again, teardown),
        cmocka_unit_test_teardown(a_simulation_that_cannot_start_leaves_nothing, teardown),
    };
    for (size_t i = 0; i < COUNT(identifiers); i++)
        tests[i + 2] = (struct CMUnitTest){ identifiers[i].name, check_identifier, NULL, teardown, &identifiers[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

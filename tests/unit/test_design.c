// SPDX-License-Identifier: Apache-2.0
// Tests hls/design.c: names, and that an output's options make the same design again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "hls/design.h"
#include "hls/emit.h"
#include "hls/outdir.h"

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

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(identifiers) + 1] = { cmocka_unit_test_teardown(an_output_directory_makes_the_same_design_again, teardown) };
    for (size_t i = 0; i < COUNT(identifiers); i++)
        tests[i + 1] = (struct CMUnitTest){ identifiers[i].name, check_identifier, NULL, teardown, &identifiers[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

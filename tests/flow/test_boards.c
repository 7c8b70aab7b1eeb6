// SPDX-License-Identifier: Apache-2.0
// Every board with the digits network: what fits is compiled and reported, what does not says what is short; and the
// board file that docs/60-boards.md shows is one that the program takes.
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

#include "base/strbuf.h"
#include "frontend/board.h"
#include "hls/outdir.h"

static char root[64];
static struct arena arena;
static struct strbuf said = STRBUF_INIT; // by the last run

static const char *path_of(const char *file)
{
    return arena_printf(&arena, "%s/%s", root, file);
}

// Compiles digits for a board into root/out and gives the exit code.
static int compile(const char *board, const char *out)
{
    const char *bin = getenv("AIHLS_BIN"), *log = path_of("log");
    int status = system(arena_printf(&arena, "%s tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board %s -o %s >%s 2>&1",
                                     bin ? bin : "build/aihls", board, out, log));
    strbuf_clear(&said);
    strbuf_read_file(&said, log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int64_t number(const json_t *o, const char *group, const char *key)
{
    const json_t *v = json_object_get(json_object_get(o, group), key);
    if (!json_is_integer(v))
        fail_msg("report.json has no %s/%s", group, key);
    return json_integer_value(v);
}

// The report of root/out holds what the board has, and no more is used.
static void check_report(const char *out, const struct board *b)
{
    json_t *o = json_load_file(arena_printf(&arena, "%s/report.json", out), 0, NULL);
    assert_non_null(o);
    assert_int_equal(number(o, "board", "dsp"), b->dsp);
    assert_int_equal(number(o, "board", "dsp_products"), tech_products(b->tech));
    assert_int_equal(number(o, "board", "bram"), b->bram18);
    assert_int_equal(number(o, "board", "bram_block_kbit"), b->tech->bram_kbit);
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "board"), "bram_block")), b->tech->bram_name);
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "board"), "family")), b->family);
    assert_true(number(o, "predicted", "dsp") <= b->dsp && number(o, "predicted", "dsp") > 0);
    assert_true(number(o, "predicted", "bram") <= b->bram18);
    assert_int_equal(number(o, "predicted", "bram"), number(o, "predicted", "bram18"));
    assert_int_equal(number(o, "predicted", "bram_kbit"), number(o, "predicted", "bram") * b->tech->bram_kbit);
    assert_true(number(o, "predicted", "lut") <= b->lut * 7 / 10 && number(o, "predicted", "lut") > 0);
    json_decref(o);
    struct strbuf text = STRBUF_INIT;
    assert_true(strbuf_read_file(&text, arena_printf(&arena, "%s/project/project.txt", out)));
    assert_non_null(strstr(text.text, arena_printf(&arena, "\npart %s\n", b->part)));
    assert_non_null(strstr(text.text, arena_printf(&arena, "\nparameter TECH %s\n", b->tech->mac)));
    strbuf_release(&text);
}

static void digits_compiles_for_every_board_that_it_fits(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    int fitting = 0;
    for (int i = 0; i < board_count(); i++) {
        struct board b;
        assert_true(board_read(&cx, board_name(i), &b));
        const char *out = path_of(b.name);
        int code = compile(b.name, out);
        if (strcmp(b.name, "icebreaker") == 0) { // ten stages are more than 5,280 logic cells hold
            assert_int_equal(code, 1);
            const char *found = arena_printf(&arena, "found %lld DSP, %lld EBR beside 5 of the shell, %lld LUT, need ", (long long)b.dsp, (long long)b.bram18 - 5, (long long)b.lut * 7 / 10);
            assert_non_null(strstr(said.text, "error[E302]: the model does not fit icebreaker\n"));
            assert_non_null(strstr(said.text, found));
            assert_non_null(strstr(said.text, " LUT ("));
            assert_non_null(strstr(said.text, "it fits arty-a7-100, de10-nano, kv260, pynq-z2, tang-nano-20k, ultra96, ulx3s-85f, zcu104\n"));
            continue;
        }
        if (code)
            fail_msg("%s: %s", b.name, said.text);
        check_report(out, &b);
        fitting++;
    }
    assert_int_equal(fitting, board_count() - 1);
}

// Writes the board file that the documentation shows: its indented lines from <?xml to </board>.
static const char *documented_board(void)
{
    struct strbuf doc = STRBUF_INIT, xml = STRBUF_INIT;
    assert_true(strbuf_read_file(&doc, "docs/60-boards.md"));
    const char *at = strstr(doc.text, "\n    <?xml"), *end = strstr(doc.text, "</board>");
    assert_non_null(at);
    assert_non_null(end);
    for (at++; at < end; at += strcspn(at, "\n") + 1) {
        assert_memory_equal(at, "    ", 4);
        strbuf_addf(&xml, "%.*s\n", (int)strcspn(at, "\n") - 4, at + 4);
    }
    const char *path = path_of("documented.xml");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(xml.text, f);
    assert_int_equal(fclose(f), 0);
    strbuf_release(&doc);
    strbuf_release(&xml);
    return path;
}

static void the_documented_board_is_taken_and_used(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    struct board b, ulx3s;
    const char *path = documented_board(), *out = path_of("documented");
    assert_true(board_read(&cx, path, &b));
    assert_true(board_read(&cx, "ulx3s-85f", &ulx3s));
    assert_true(b.lut < ulx3s.lut && strcmp(b.family, "ecp5") == 0); // the smaller sister that the page speaks of
    if (compile(path, out))
        fail_msg("%s", said.text);
    check_report(out, &b);
    assert_non_null(strstr(said.text, arena_printf(&arena, "DSP of %lld, ", (long long)b.dsp)));
    assert_non_null(strstr(said.text, arena_printf(&arena, "EBR of %lld, ", (long long)b.bram18)));
}

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/aihls_test_boards_XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    remove_tree(root);
    strbuf_release(&said);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_compiles_for_every_board_that_it_fits),
        cmocka_unit_test(the_documented_board_is_taken_and_used),
    };
    return cmocka_run_group_tests_name("boards", tests, make_root, remove_root);
}

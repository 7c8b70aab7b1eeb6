// SPDX-License-Identifier: Apache-2.0
// Tests base/diag.c: text, JSON, counting, codes, suggestions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>

#include "base/diag.h"
#include "base/strbuf.h"

static struct arena arena;
static struct strbuf rendered;
static struct diag diag;
static struct ctx cx;
static char *printed; // what went to diag.out
static size_t printed_bytes;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    rendered = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &rendered };
    cx = (struct ctx){ &arena, &diag };
    diag.out = open_memstream(&printed, &printed_bytes);
    return diag.out ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    fclose(diag.out);
    free(printed);
    strbuf_release(&rendered);
    arena_release(&arena);
    return 0;
}

static struct form {
    const char *name;
    struct diag_msg m;
    const char *want;
} forms[] = {
    { "all parts have their line", { E203, "m.onnx: node 1 'c' (Conv)", "3", "a divisor of 16", "do that" },
      "error[E203]: text 7\n  --> m.onnx: node 1 'c' (Conv)\n   = found 3, need a divisor of 16\n   = help: do that\n" },
    { "without help the page is named", { E101, "m.onnx", NULL, NULL, NULL },
      "error[E101]: text 7\n  --> m.onnx\n   = help: see `aihls explain E101`\n" },
    { "what was found may stand alone", { E401, NULL, "3", NULL, "h" }, "error[E401]: text 7\n   = found 3\n   = help: h\n" },
    { "what is needed may stand alone", { E401, NULL, NULL, "4", "h" }, "error[E401]: text 7\n   = need 4\n   = help: h\n" },
    { "a warning says so", { W201, NULL, NULL, NULL, "h" }, "warning[W201]: text 7\n   = help: h\n" },
};

static void check_form(void **state)
{
    const struct form *f = *state;
    setup(state);
    assert_false(diag_emit(&cx, f->m, "text %d", 7));
    fflush(diag.out);
    assert_string_equal(rendered.text, f->want);
    assert_string_equal(printed, f->want);
    teardown(state);
}

static void the_first_error_gives_the_exit_code(void **state)
{
    (void)state;
    diag_error(&cx, W201, NULL, NULL, "warning");
    assert_int_equal(diag_finish(&diag), 0);
    diag_error(&cx, E501, NULL, NULL, "tool");
    diag_error(&cx, E201, NULL, NULL, "operator");
    assert_int_equal(diag.errors, 2);
    assert_int_equal(diag.warnings, 1);
    assert_int_equal(diag.first_error, E501);
    assert_int_equal(diag_finish(&diag), 4);
}

static void twenty_errors_are_shown_and_the_rest_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++)
        diag_error(&cx, E201, NULL, "h", "number %d", i);
    assert_int_equal(diag_finish(&diag), 1);
    fflush(diag.out);
    assert_non_null(strstr(printed, "number 19\n"));
    assert_null(strstr(printed, "number 20\n"));
    assert_non_null(strstr(printed, "and 5 more errors\n"));
}

static void quiet_drops_warnings_only(void **state)
{
    (void)state;
    diag.quiet = true;
    diag_error(&cx, W201, NULL, NULL, "hidden");
    diag_error(&cx, E201, NULL, NULL, "shown");
    assert_null(strstr(rendered.text, "hidden"));
    assert_non_null(strstr(rendered.text, "shown"));
    assert_int_equal(diag.warnings, 1);
}

static void json_lines_parse_whatever_the_names_hold(void **state)
{
    (void)state;
    diag.json = true;
    diag_error(&cx, E201, "m.onnx: 'a\"b\\c\nd\xff\xfe'", "help", "bad \x80 byte");
    diag_error(&cx, W201, NULL, NULL, "plain");
    fflush(diag.out);
    char *second = strchr(printed, '\n');
    assert_non_null(second);
    *second++ = 0;
    json_t *a = json_loads(printed, 0, NULL), *b = json_loads(second, 0, NULL);
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(json_string_value(json_object_get(a, "reason")), "diagnostic");
    assert_string_equal(json_string_value(json_object_get(a, "severity")), "error");
    assert_string_equal(json_string_value(json_object_get(a, "code")), "E201");
    assert_string_equal(json_string_value(json_object_get(a, "help")), "help");
    assert_non_null(json_string_value(json_object_get(a, "location")));
    assert_non_null(json_string_value(json_object_get(a, "rendered")));
    assert_string_equal(json_string_value(json_object_get(b, "severity")), "warning");
    assert_string_equal(json_string_value(json_object_get(b, "message")), "plain");
    assert_true(json_is_null(json_object_get(b, "location")));
    json_decref(a);
    json_decref(b);
}

static void codes_are_ordered_unique_and_found_by_name(void **state)
{
    (void)state;
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        const char *name = diag_code_name((enum diag_code)i);
        char lower[8] = { 0 };
        enum diag_code found;
        assert_int_equal(strlen(name), 4);
        for (int k = 0; k < 4; k++)
            lower[k] = (char)tolower((unsigned char)name[k]);
        assert_true(diag_code_parse(name, &found) && (int)found == i);
        assert_true(diag_code_parse(lower, &found) && (int)found == i);
        assert_true(strlen(diag_code_summary((enum diag_code)i)) > 10);
        if (i)
            assert_true(strcmp(diag_code_name((enum diag_code)(i - 1)), name) < 0);
    }
    enum diag_code c;
    assert_false(diag_code_parse("E999", &c));
    assert_false(diag_code_parse("", &c));
    assert_false(diag_code_parse("E2011", &c));
}

static struct near {
    const char *name, *word, *want;
} nears[] = {
    { "one letter is missing", "bord", "board" },
    { "two letters are swapped", "baord", "board" },
    { "case does not count", "BOARD", "board" },
    { "a long word may have three mistakes", "max_latensy-u", "max-latency-us" },
    { "two mistakes are too many for a short word", "xxps", NULL },
    { "nothing is near", "elephant", NULL },
    { "an empty word has no suggestion", "", NULL },
    { "a word longer than any table", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

static void check_near(void **state)
{
    static const char *const candidates[] = { "board", "out", "fps", "max-latency-us", "calib" };
    const struct near *n = *state;
    const char *got = diag_suggest(n->word, candidates, 5);
    if (n->want) {
        assert_non_null(got);
        assert_string_equal(got, n->want);
    } else {
        assert_null(got);
    }
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test_setup_teardown(the_first_error_gives_the_exit_code, setup, teardown),
        cmocka_unit_test_setup_teardown(twenty_errors_are_shown_and_the_rest_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(quiet_drops_warnings_only, setup, teardown),
        cmocka_unit_test_setup_teardown(json_lines_parse_whatever_the_names_hold, setup, teardown),
        cmocka_unit_test(codes_are_ordered_unique_and_found_by_name),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(forms) + COUNT(nears)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(fixed); i++)
        tests[n++] = fixed[i];
    for (size_t i = 0; i < COUNT(forms); i++)
        tests[n++] = (struct CMUnitTest){ forms[i].name, check_form, NULL, NULL, &forms[i] };
    for (size_t i = 0; i < COUNT(nears); i++)
        tests[n++] = (struct CMUnitTest){ nears[i].name, check_near, NULL, NULL, &nears[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

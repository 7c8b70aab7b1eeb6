// SPDX-License-Identifier: Apache-2.0
// Tests what `aihls sim` adds to the reports, its save file for GTKWave, and report.html in a browser. One small
// network, with names that would be markup, is simulated once.
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
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 4
#define HOSTILE "<script>document.title='run'</script>" // the name of a node

static char root[64]; // removed at the end
static char program[4096];
static char *out; // what the last command printed
static json_t *report; // after the simulation

// Runs a shell command in `root`; $A is aihls. Gives the exit code.
static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *command = arena_vprintf(&arena, fmt, ap);
    va_end(ap);
    struct strbuf text = STRBUF_INIT;
    int status = system(arena_printf(&arena, "cd %s && A=%s && { %s ; } >.out 2>&1", root, program, command));
    strbuf_read_file(&text, arena_printf(&arena, "%s/.out", root));
    out = arena_strdup(&arena, text.text);
    strbuf_release(&text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int got)
{
    if (got != 0)
        fail_msg("exit %d\n%s", got, out);
}

// x -> conv -> conv -> add -> y, with a skip around the second convolution.
static bool write_model(void)
{
    size_t n_bytes;
    input(4, DIMS(1, 3, 8, 8), 0.05f, 0, DT_INT8);
    weights("w1", 4, DIMS(8, 3, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w1", HOSTILE);
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq(HOSTILE, 0.2f, 0, DT_INT8);
    weights("w2", 4, DIMS(8, 8, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", HOSTILE "_d w2", "b");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    qdq("b", 0.6f, 3, DT_INT8);
    model_node(m, "Add", HOSTILE "_d b_d", "y");
    qdq("y", 0.6f, -2, DT_INT8);
    model_output(m, "y_q");
    const void *bytes = model_pack(m, &n_bytes);
    FILE *f = fopen(arena_printf(&arena, "%s/net.onnx", root), "wb");
    return f && fwrite(bytes, 1, n_bytes, f) == n_bytes && fclose(f) == 0;
}

// As if the network were so large that the compiler leaves the error to the simulation.
static bool forget_errors(const char *path)
{
    json_t *r = json_load_file(path, 0, NULL), *o;
    size_t i;
    json_object_del(r, "quantization");
    json_array_foreach(json_object_get(r, "streams"), i, o) {
        json_object_del(o, "sqnr_db");
        json_object_del(o, "error_steps");
    }
    bool ok = json_dump_file(r, path, JSON_INDENT(2) | JSON_SORT_KEYS) == 0;
    json_decref(r);
    return ok;
}

static int group_setup(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    strcpy(root, "/tmp/aihls_test_report_XXXXXX");
    qdq_setup();
    if (!realpath(bin ? bin : "build/aihls", program) || !mkdtemp(root) || !write_model())
        return -1;
    const char *path = arena_printf(&arena, "%s/net/report.json", root);
    int code = run("$A net.onnx --board pynq-z2 --fps 100000 -o net && cp -r net before");
    code = code || !forget_errors(path) || run("$A sim net --frames %d --trace wave.fst", FRAMES);
    if (code)
        print_error("%s", out);
    report = json_load_file(path, 0, NULL);
    return code || !report;
}

static int group_teardown(void **state)
{
    json_decref(report);
    remove_tree(root);
    return qdq_teardown(state);
}

static int64_t number(const json_t *list, size_t i, const char *key)
{
    const json_t *v = json_object_get(json_array_get(list, i), key);
    assert_true(json_is_integer(v));
    return (int64_t)json_integer_value(v);
}

static void a_simulation_tells_when_a_frame_passes_each_stream(void **state)
{
    (void)state;
    const json_t *s = json_object_get(report, "simulated"), *streams = json_object_get(s, "streams");
    int64_t interval = (int64_t)json_integer_value(json_object_get(s, "cycles_per_frame"));
    assert_int_equal(json_array_size(streams), json_array_size(json_object_get(report, "streams")));
    assert_int_equal(json_array_size(streams), 4);
    assert_int_equal(number(streams, 0, "first_beat"), 0); // the input's
    for (size_t i = 0; i < 4; i++) {
        int64_t first = number(streams, i, "first_beat"), last = number(streams, i, "last_beat");
        int64_t beats = number(json_object_get(report, "streams"), i, "beats");
        assert_true(last - first >= beats - 1 && last - first < 2 * interval);
        if (i) { // a convolution gives nothing before its first rows are there; each is behind the one before it
            assert_true(first > number(streams, i - 1, "first_beat"));
            assert_true(last > number(streams, i - 1, "last_beat"));
        }
    }
}

static void busy_waiting_and_blocked_cycles_are_those_of_a_frame(void **state)
{
    (void)state;
    const json_t *s = json_object_get(report, "simulated"), *stages = json_object_get(s, "stages");
    int64_t interval = (int64_t)json_integer_value(json_object_get(s, "cycles_per_frame"));
    assert_int_equal(json_array_size(stages), 3);
    for (size_t i = 0; i < 3; i++) {
        int64_t busy = number(stages, i, "busy_cycles");
        assert_int_equal(busy, number(json_object_get(report, "stages"), i, "simulated_cycles"));
        assert_true(busy > 0 && busy <= interval);
        assert_int_equal(busy + number(stages, i, "waiting_cycles"), interval);
        assert_true(number(stages, i, "blocked_cycles") >= 0);
    }
}

static void errors_that_the_compiler_left_out_are_measured(void **state)
{
    (void)state;
    json_t *before = json_load_file(arena_printf(&arena, "%s/before/report.json", root), 0, NULL);
    assert_true(json_is_object(json_object_get(before, "quantization")));
    assert_true(json_equal(json_object_get(before, "quantization"), json_object_get(report, "quantization")));
    assert_true(json_equal(json_object_get(before, "streams"), json_object_get(report, "streams")));
    json_decref(before);
}

static void the_page_is_made_anew_by_the_simulation(void **state)
{
    (void)state;
    expect(run("! cmp -s before/report.html net/report.html && grep -q 'class=\"slot\"' net/report.html && ! grep -q 'class=\"slot\"' before/report.html"));
    expect(run("cp -r net again && $A report again --html && cmp again/report.html net/report.html"));
    expect(run("$A report net"));
    assert_non_null(strstr(out, arena_printf(&arena, "%d frames simulated, 4 streams compared, 0 mismatches", FRAMES)));
    assert_non_null(strstr(out, "one frame"));
}

// A path by an awk program, because a VCD's scopes nest.
static void every_signal_of_the_save_file_is_in_the_trace(void **state)
{
    (void)state;
    if (run("command -v fst2vcd") != 0) {
        print_message("skipped: fst2vcd is not installed (package gtkwave)\n");
        skip();
    }
    expect(run("fst2vcd wave.fst | awk '$1 == \"$scope\" { path = path $3 \".\" } $1 == \"$upscope\" { sub(/[^.]*\\.$/, \"\", path) } "
               "$1 == \"$var\" { print path $5 ($6 == \"$end\" ? \"\" : $6) } $1 == \"$enddefinitions\" { exit }' | sort -u >names"));
    expect(run("grep '^TOP' wave.gtkw | sort -u >wanted && wc -l <wanted"));
    assert_true(atoi(out) > 20);
    run("comm -13 names wanted");
    assert_string_equal(out, "");
    expect(run("grep -q \"^.dumpfile. \\\"$PWD/wave.fst\\\"\" wave.gtkw"));
}

static void need_browser(void)
{
    if (run("command -v chromium") == 0)
        return;
    print_message("skipped: chromium is not installed\n");
    skip();
}

#define BROWSER "timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir=$PWD/profile "

static void a_browser_shows_the_picture_and_runs_nothing(void **state)
{
    (void)state;
    need_browser();
    expect(run(BROWSER "--enable-logging=stderr --dump-dom file://$PWD/net/report.html >dom 2>console"));
    expect(run("cat dom"));
    assert_non_null(strstr(out, "<title>net on pynq-z2</title>")); // no script has changed it
    assert_null(strstr(out, "<script"));
    assert_non_null(strstr(out, "&lt;script&gt;document.title"));
    static const char *const parts[] = { "class=\"pipeline\"", "class=\"gantt\"", "class=\"roofline\"", "href=\"#st2\"", "id=\"st2\"", "</html>" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out, parts[i]))
            fail_msg("no %s in\n%s", parts[i], out);
    run("grep CONSOLE console"); // errors of scripts, markup and policy
    assert_string_equal(out, "");
}

// Of the screen shot's bytes, enough to tell that something was drawn, and not the same in both.
static void a_browser_draws_it_in_light_and_dark(void **state)
{
    (void)state;
    need_browser();
    expect(run(BROWSER "--window-size=1300,1600 --blink-settings=preferredColorScheme=1 --screenshot=light.png file://$PWD/net/report.html"));
    expect(run(BROWSER "--window-size=1300,1600 --blink-settings=preferredColorScheme=0 --screenshot=dark.png file://$PWD/net/report.html"));
    expect(run("test $(wc -c <light.png) -gt 40000 && test $(wc -c <dark.png) -gt 40000 && ! cmp -s light.png dark.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_simulation_tells_when_a_frame_passes_each_stream), cmocka_unit_test(busy_waiting_and_blocked_cycles_are_those_of_a_frame),
        cmocka_unit_test(errors_that_the_compiler_left_out_are_measured),
        cmocka_unit_test(the_page_is_made_anew_by_the_simulation), cmocka_unit_test(every_signal_of_the_save_file_is_in_the_trace),
        cmocka_unit_test(a_browser_shows_the_picture_and_runs_nothing), cmocka_unit_test(a_browser_draws_it_in_light_and_dark),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

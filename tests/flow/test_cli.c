// SPDX-License-Identifier: Apache-2.0
// Tests the program as a user meets it: exit codes, messages, files. The digits model is compiled once for
// the tests that only look at an output directory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "hls/outdir.h"
#include "tests/support/model.h"

static char root[64]; // removed at the end
static char program[4096], here[4096];
static struct arena arena;
static char *out, *err; // of the last run

// Runs a shell command in `root`; $A is aihls, $M the model, $C its calibration data, $T its test data, $O an output
// directory of it. Gives the exit code.
static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *command = arena_vprintf(&arena, fmt, ap);
    va_end(ap);
    const char *digits = arena_printf(&arena, "%s/tests/models/digits", here);
    struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };
    int status = system(arena_printf(&arena, "cd %s && A=%s M=%s/digits.onnx C=%s/digits_calib.npy T=%s/digits_test.npz O=%s/ref && { %s ; } >%s/.out 2>%s/.err",
                                     root, program, digits, digits, digits, root, command, root, root));
    strbuf_read_file(&text[0], arena_printf(&arena, "%s/.out", root));
    strbuf_read_file(&text[1], arena_printf(&arena, "%s/.err", root));
    out = arena_strdup(&arena, text[0].text);
    err = arena_strdup(&arena, text[1].text);
    strbuf_release(&text[0]);
    strbuf_release(&text[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int code, const char *says, int got)
{
    if (got != code || (says && !strstr(out, says) && !strstr(err, says)))
        fail_msg("exit %d, want %d and '%s'\n%s%s", got, code, says ? says : "", out, err);
}

static int group_setup(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    strcpy(root, "/tmp/aihls_test_cli_XXXXXX");
    if (!realpath(bin ? bin : "build/aihls", program) || !getcwd(here, sizeof here) || !mkdtemp(root))
        return -1;
    int code = run("$A $M --board ultra96 --calib $C -o $O");
    if (code)
        print_error("%s", err);
    return code;
}

static int group_teardown(void **state)
{
    (void)state;
    remove_tree(root);
    arena_release(&arena);
    return 0;
}

// ---- commands that only print or refuse ----

static struct row {
    const char *name, *command;
    int code;
    const char *says;
} rows[] = {
    { "no argument is wrong usage", "$A", 2, "E401" },
    { "an unknown option is suggested", "$A $M --baord ultra96", 2, "did you mean --board?" },
    { "an unknown board is suggested", "$A $M --board ultra69", 2, "ultra96" },
    { "an unknown board has its own code", "$A $M --board nothing_like_it", 2, "E402" },
    { "an unknown code is refused", "$A explain E999", 2, "E401" },
    { "a code may be in lower case", "$A explain e201", 0, "E201: an operator is not supported" },
    { "a missing model", "$A no.onnx --board ultra96", 1, "E002" },
    { "a directory instead of a model", "mkdir -p d.onnx && $A d.onnx --board ultra96", 1, "error[" },
    { "an empty model", ": >e.onnx && $A e.onnx --board ultra96", 1, "E101" },
    { "a truncated model", "head -c 20000 $M >t.onnx && $A t.onnx --board ultra96 --calib $C", 1, "error[E1" },
    { "a text file instead of a model", "echo hello world >h.onnx && $A h.onnx --board ultra96", 1, "error[E1" },
    { "missing calibration data", "$A $M --board ultra96 --calib no.npy", 1, "no.npy" },
    { "the model as calibration data", "$A $M --board ultra96 --calib $M", 1, "E104" },
    { "labels that do not exist", "$A $M --board ultra96 --calib $C --labels no.txt -o lb", 1, "E002" },
    { "labels too few", "seq 9 >n.txt && $A $M --board ultra96 --calib $C --labels n.txt -o lb; r=$?; test -e lb && exit 9; exit $r", 1, "found 9 names, need 10" },
    { "labels too many", "seq 11 >n.txt && $A $M --board ultra96 --calib $C --labels n.txt -o lb", 1, "found 11 names, need 10" },
    { "no labels at all", ": >n.txt && $A $M --board ultra96 --calib $C --labels n.txt -o lb", 1, "found 0 names, need 10" },
    { "every wrong label is named", "printf '1\\n\\n3\\n\\3774\\n5\\n6\\n7\\n8\\n9\\n%0256d\\n' 0 >n.txt && $A $M --board ultra96 --calib $C --labels n.txt -o lb 2>&1 | grep -c 'n.txt:2$\\|n.txt:4$\\|n.txt:10$'; exit 1", 1, "3\n" },
    { "a model as labels", "$A $M --board ultra96 --calib $C --labels $M -o lb", 1, "E106" },
    { "labels with spaces and an umlaut", "printf 'a b\\n\\303\\274\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n\\\\\"?\\n' >n.txt && $A $M --board ultra96 --calib $C --labels n.txt -o lb -q && gcc -c -Wall -Werror -o /dev/null lb/driver/digits_network.c", 0, "" },
    { "a missing board file", "$A $M --board ./no.xml", 1, "E002" },
    { "a board file that is no XML", "echo x >b.xml && $A $M --board b.xml --calib $C", 1, "E301" },
    { "a missing goal is a warning", "$A $M --board ultra96 --calib $C --fps 100000000 -o w", 0, "W303" },
    { "a missed goal with --strict is exit 3", "$A $M --board ultra96 --calib $C --fps 100000000 --strict -o w", 3, "E303" },
    { "a missed latency with --strict is exit 3", "$A $M --board ultra96 --calib $C --max-latency-us 1 --strict -o w", 3, "E303" },
    { "a reached goal with --strict is exit 0", "$A $M --board ultra96 --calib $C --fps 1000 --strict -o w", 0, "Finished" },
    { "sim of a directory that is none of ours", "mkdir -p foreign && $A sim foreign", 1, "E105" },
    { "sim of a missing directory", "$A sim nowhere", 1, "E105" },
    { "an output that is no directory", ": >file && $A $M --board ultra96 --calib $C -o file", 1, "E003" },
    { "an output directory of somebody else", "mkdir -p own && : >own/x && $A $M --board ultra96 --calib $C -o own && exit 9; test -f own/x && exit 1", 1, NULL },
    { "an output directory in a missing parent", "$A $M --board ultra96 --calib $C -o no/such/dir", 1, "E002" },
    { "an output directory where nobody can write", "$A $M --board ultra96 --calib $C -o /proc/aihls_out", 1, "E002" },
    { "results to a full disk", "$A run $M --calib $C --input $T --output /dev/full", 1, "/dev/full" },
    { "quiet prints nothing", "$A $M --board ultra96 --calib $C -o w -q 2>&1 | wc -c", 0, "0\n" },
    { "verbose prints a line a stage", "$A $M --board ultra96 --calib $C -o w -v", 0, "s00_conv" },
    { "run prints one line a frame", "$A run $O --input $T | wc -l", 0, "400\n" },
    { "eval prints both accuracies", "$A eval $O --data $T", 0, "integer top-1" },
    { "eval names the layers that cost most, and draws them", "$A eval $O --data $T --svg layers.svg && grep -c '<title>' layers.svg && grep '</svg>' layers.svg", 0, "costs most, alone" },
    { "a drawing where nobody can write", "$A eval $O --data $T --svg no/such/dir.svg", 1, "E002" },
    { "widths of layers", "$A $M --board ultra96 --calib $C --precision stem=2,logits=4/8 -o n1 && $A eval n1 --data $T", 0, "weights of 8 bits (18944) 4 bits (320) 2 bits (144)" },
    { "widths from a file", "echo '{\"*\": {\"weights\": 4, \"activations\": 4}}' >w.json && $A $M --board ultra96 --calib $C --precision w.json -o n2 && $A eval n2 --data $T", 0, "4 bits (19408)" },
    { "equalized layers come back with the directory", "$A $M --board ultra96 --calib $C --equalize -o n6 && $A eval n6 --data $T", 0, "pairs of layers" },
    { "a layer that is not there", "$A $M --board ultra96 --calib $C --precision sten=4", 2, "did you mean 'stem'?" },
    { "a width that is none", "$A $M --board ultra96 --calib $C --precision stem=3", 2, "E401" },
    { "a file of widths that is none", "echo '{' >bad.json && $A $M --board ultra96 --calib $C --precision bad.json", 1, "E002" },
    { "the fewest bits for a loss", "$A $M --board ultra96 --calib $C --data $T --max-loss 2 -o n3 && $A report n3", 0, "bits of 155,264 in 8 bits; top-1" },
    { "an accuracy that 8 bits miss", "$A $M --board ultra96 --calib $C --data $T --min-accuracy 1.01 -o n4", 0, "W303" },
    { "and with --strict", "$A $M --board ultra96 --calib $C --data $T --min-accuracy 1.01 --strict -o n5", 3, "E303" },
    { "eval without labels", "$A eval $O --data $C", 1, "E104" },
    { "report prints stages", "$A report $O", 0, "s00_conv     stem" },
    { "report says that nothing was simulated", "$A report $O", 0, "not simulated yet" },
    { "report of a missing directory", "$A report nowhere", 1, "E105" },
    { "report of a directory that is none of ours", "mkdir -p foreign && $A report foreign", 1, "E105" },
    { "report of somebody else's report.json", "mkdir -p theirs && echo '{\"schema_version\": 1}' >theirs/report.json && $A report theirs", 1, "JSON that is no report" },
    { "report of a report of another schema", "mkdir -p later && sed 's/\"schema_version\": 1/\"schema_version\": 2/' $O/report.json >later/report.json && $A report later", 1, "E105" },
    { "report of a damaged report.json", "mkdir -p half && head -c 500 $O/report.json >half/report.json && $A report half", 1, "E105" },
    { "report --html makes the same page again", "cp -r $O page && rm page/report.html && $A report page --html && cmp page/report.html $O/report.html", 0, "" },
    { "report --html where nobody can write", "cp -r $O stuck && mkdir stuck/report.html.tmp && $A report stuck --html", 1, "E002" },
    { "report needs a directory", "$A report", 2, "E401" },
    { "report of two", "$A report $O $O", 2, "E401" },
    { "report takes no board", "$A report $O --board ultra96", 2, "E401" },
    { "--html is for reports", "$A $M --board ultra96 --html", 2, "E401" },
    { "--board all prints a table", "$A $M --board all --calib $C", 0, "pynq-z2" },
    { "--version", "$A --version", 0, "aihls " },
};

static void check_row(void **state)
{
    const struct row *r = *state;
    expect(r->code, r->says, run("%s", r->command));
}

static void eval_needs_a_score_per_class(void **state)
{
    (void)state;
    struct model *m = model_new(13);
    size_t n_bytes;
    model_input(m, "x", DT_FLOAT, 4, (int64_t[]){ 1, 1, 8, 8 });
    model_node(m, "GlobalAveragePool", "x", "y");
    model_output(m, "y");
    const void *bytes = model_pack(m, &n_bytes);
    FILE *f = fopen(arena_printf(&arena, "%s/one.onnx", root), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n_bytes, f), n_bytes);
    assert_int_equal(fclose(f), 0);
    model_free(m);
    expect(1, "E204", run("$A eval one.onnx --calib $C --data $T"));
}

static void every_code_is_explained_by_its_summary(void **state)
{
    (void)state;
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        const char *code = diag_code_name((enum diag_code)i);
        expect(0, arena_printf(&arena, "%s: %s\n", code, diag_code_summary((enum diag_code)i)), run("$A explain %s", code));
    }
}

static void lists_are_complete(void **state)
{
    (void)state;
    expect(0, "ultra96", run("$A boards"));
    assert_non_null(strstr(out, "pynq-z2"));
    expect(0, "Conv", run("$A ops"));
    assert_non_null(strstr(out, "QLinearConv"));
    assert_non_null(strstr(out, "com.microsoft"));
    assert_string_equal(err, "");
}

static void help_goes_to_stdout(void **state)
{
    (void)state;
    int lines = 0;
    expect(0, "usage: aihls MODEL.onnx", run("$A -h"));
    for (const char *p = out; *p; p++)
        lines += *p == '\n';
    assert_in_range(lines, 24, 40);
    assert_string_equal(err, "");
    expect(0, "EXIT STATUS", run("$A --help"));
}

// ---- what is written ----

static void two_compilations_give_the_same_bytes(void **state)
{
    (void)state;
    expect(0, NULL, run("$A $M --board ultra96 --calib $C -o again && diff -r -x build.log $O again"));
}

static void the_place_of_model_and_output_does_not_matter(void **state)
{
    (void)state;
    expect(0, NULL, run("mkdir -p a/b && cp $M $C a/b && cd a/b && $A digits.onnx --board ultra96 --calib digits_calib.npy && diff -r -x build.log $O digits.aihls"));
    expect(0, NULL, run("ln -sf $M link.onnx && ln -sf $A link && ./link link.onnx --board ultra96 --calib $C --name digits -o linked && "
                        "diff -r -x build.log -x options.json -x manifest.json -x report.json $O linked"));
    expect(0, NULL, run("mkdir -p real 'with space' && ln -sfn real alias && $A $M --board ultra96 --calib $C -o alias/x && diff -r -x build.log $O real/x && "
                        "$A $M --board ultra96 --calib $C -o 'with space/x' && diff -r -x build.log $O 'with space/x'"));
}

static void the_manifest_lists_every_file(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    json_t *manifest = outdir_manifest(&cx, arena_printf(&arena, "%s/ref", root));
    assert_non_null(manifest);
    const char *file;
    json_t *hash;
    json_object_foreach(json_object_get(manifest, "files"), file, hash)
        expect(0, json_string_value(hash), run("sha256sum $O/%s", file));
    expect(0, NULL, run("cd $O && find . -type f | wc -l"));
    assert_int_equal(atoi(out), (int)json_object_size(json_object_get(manifest, "files")) + 4); // itself, report.json, report.html and build.log, which holds times
    json_decref(manifest);
}

static void the_report_says_what_was_built(void **state)
{
    (void)state;
    json_t *report = json_load_file(arena_printf(&arena, "%s/ref/report.json", root), 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "schema_version")), 1);
    const json_t *p = json_object_get(report, "predicted"), *b = json_object_get(report, "board");
    assert_true(json_integer_value(json_object_get(p, "cycles_per_frame")) > 0);
    static const char *const resources[] = { "dsp", "bram18", "lut" };
    for (int i = 0; i < 3; i++)
        assert_true(json_integer_value(json_object_get(p, resources[i])) <= json_integer_value(json_object_get(b, resources[i])));
    json_decref(report);
}

static void a_recompilation_replaces_the_whole_output(void **state)
{
    (void)state;
    expect(0, NULL, run("cp -r $O re && : >re/stray && $A $M --board ultra96 --calib $C -o re && diff -r -x build.log $O re"));
}

static void a_failure_leaves_nothing_behind(void **state)
{
    (void)state;
    run("mkdir -p clean && cd clean && $A $M --board ultra96 --calib $C --name digits --clock-mhz 100 --max-dsp 0 -o /proc/x/y ; $A ../e.onnx --board ultra96 -o o1 ; "
        "$A $M --board nothing -o o2 ; head -c 30000 $M >../t2.onnx ; $A ../t2.onnx --board ultra96 -o o3 ; ls -A");
    assert_string_equal(out, "");
    // an output that could not be replaced is still there, as it was
    expect(0, NULL, run("cp -r $O keep && head -c 100 $M >bad.onnx && ! $A bad.onnx --board ultra96 -o keep && diff -r -x build.log $O keep"));
}

static void a_read_only_directory_is_refused(void **state)
{
    (void)state;
    // root may write anywhere: the program runs as nobody then
    const char *as = geteuid() ? "" : "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    if (!geteuid() && system("command -v setpriv >/dev/null") != 0)
        skip();
    expect(0, NULL, run("chmod 755 . && mkdir -p locked && chmod 555 locked && cp $A nobody_aihls && cp $M m.onnx && cp $C c.npy && chmod 755 nobody_aihls"));
    expect(1, "E002", run("%s./nobody_aihls m.onnx --board ultra96 --calib c.npy -o locked/out", as));
    expect(0, NULL, run("test -z \"$(ls -A locked)\""));
}

static void a_full_disk_is_an_error_and_leaves_no_output(void **state)
{
    (void)state;
    expect(0, NULL, run("mkdir -p tiny"));
    const char *tiny = arena_printf(&arena, "%s/tiny", root);
    if (mount("none", tiny, "tmpfs", 0, "size=64k") != 0) {
        print_message("no tmpfs can be mounted here\n");
        skip();
    }
    int code = run("$A $M --board ultra96 --calib $C -o tiny/out");
    char *said = err;
    int left = run("test -z \"$(ls -A tiny)\"");
    umount(tiny);
    assert_int_equal(code, 1);
    assert_non_null(strstr(said, "E002"));
    assert_int_equal(left, 0);
}

// ---- damaged output directories ----

static struct damage {
    const char *name, *command, *verb;
} damages[] = {
    { "a missing manifest is found", "rm hurt/manifest.json", "run hurt --input $T" },
    { "a manifest of another version is found", "sed -i 's/\"aihls\": \"[^\"]*\"/\"aihls\": \"0.0.0\"/' hurt/manifest.json", "run hurt --input $T" },
    { "a missing model is found", "rm hurt/sim/model.onnx", "run hurt --input $T" },
    { "an empty model is found", ": >hurt/sim/model.onnx", "run hurt --input $T" },
    { "missing options are found", "rm hurt/sim/options.json", "run hurt --input $T" },
    { "options that are no JSON are found", "echo '{' >hurt/sim/options.json", "eval hurt --data $T" },
    { "changed Verilog is found", "echo '// changed' >>hurt/rtl/digits_core.v", "sim hurt" },
    { "missing Verilog is found", "rm hurt/rtl/digits_core.v", "sim hurt" },
    { "options of another schedule are found", "sed -i 's/\"max_dsp\": -1/\"max_dsp\": 0/' hurt/sim/options.json", "sim hurt" },
    { "missing ranges are found", "sed -i '/\"ranges\"/,$d' hurt/sim/options.json && echo '\"ranges\": [[\"x\", 0, 1]]}' >>hurt/sim/options.json", "run hurt --input $T" },
    { "a changed memory image is found", "sed -i '1s/./0/;1s/^0/1/' hurt/mem/$(ls hurt/mem | head -1)", "sim hurt" },
    { "a changed template is found", "echo '// changed' >>hurt/rtl/aihls_conv.v", "sim hurt" },
};

static void check_damage(void **state)
{
    const struct damage *d = *state;
    expect(0, NULL, run("rm -rf hurt && cp -r $O hurt && %s", d->command));
    expect(1, "E105", run("$A %s", d->verb));
}

// ---- JSON, tools ----

static void diagnostics_as_json_parse(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "$A $M --board nothing --json", "$A --json --elephants", "$A e.onnx --board ultra96 --json -q", "$A $M --board ultra96 --json -q -o w",
        "$A sim nowhere --json", "$A $M --board all --json --fps x",
    };
    run(": >e.onnx");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        run("%s", commands[i]);
        int objects = 0;
        for (char *line = strtok(err, "\n"); line; line = strtok(NULL, "\n"), objects++) {
            json_t *o = json_loads(line, 0, NULL);
            if (!o)
                fail_msg("%s: no JSON: %s", commands[i], line);
            assert_string_equal(json_string_value(json_object_get(o, "reason")), "diagnostic");
            assert_non_null(json_string_value(json_object_get(o, "code")));
            json_decref(o);
        }
        if (i != 3) // a warning is dropped by -q
            assert_true(objects >= 1);
    }
}

static void without_verilator_sim_names_the_tool(void **state)
{
    (void)state;
    expect(4, "E501", run("cp -r $O lonely && mkdir -p nothing && ln -sf \"$(command -v sh)\" nothing/sh && PATH=$PWD/nothing $A sim lonely"));
    expect(0, NULL, run("test ! -e lonely/sim/build_plain"));
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(eval_needs_a_score_per_class), cmocka_unit_test(every_code_is_explained_by_its_summary), cmocka_unit_test(lists_are_complete), cmocka_unit_test(help_goes_to_stdout),
        cmocka_unit_test(two_compilations_give_the_same_bytes), cmocka_unit_test(the_place_of_model_and_output_does_not_matter),
        cmocka_unit_test(the_manifest_lists_every_file), cmocka_unit_test(the_report_says_what_was_built),
        cmocka_unit_test(a_recompilation_replaces_the_whole_output), cmocka_unit_test(a_failure_leaves_nothing_behind),
        cmocka_unit_test(a_read_only_directory_is_refused), cmocka_unit_test(a_full_disk_is_an_error_and_leaves_no_output),
        cmocka_unit_test(diagnostics_as_json_parse), cmocka_unit_test(without_verilator_sim_names_the_tool),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(rows) + COUNT(damages)];
    size_t n = COUNT(fixed);
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    for (size_t i = 0; i < COUNT(damages); i++)
        tests[n++] = (struct CMUnitTest){ damages[i].name, check_damage, NULL, NULL, &damages[i] };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

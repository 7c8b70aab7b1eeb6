// SPDX-License-Identifier: Apache-2.0
// Tests what the program does when the system fails it: memory, disk, signals, external tools. Whatever happens, it ends
// by itself with a message and a code of its table, and an output directory is the old one or the new one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "hls/outdir.h"
#include "sim/array.h"
#include "tests/support/model.h"

#define DIMS(...) ((const int64_t[]){ __VA_ARGS__ })

static char root[64]; // removed at the end
static char program[4096], here[4096];
static struct arena arena;
static char *said; // what the last command said
static bool sanitized; // the program has a malloc of its own, wants to be loaded first, and needs terabytes of addresses

// Runs a shell command in `root`. $A is aihls, $S runs it under the saboteur, $O is an output directory and $N what
// replaces it. Gives the exit code, or 1000 and the signal.
static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *command = arena_vprintf(&arena, fmt, ap);
    va_end(ap);
    struct strbuf text = STRBUF_INIT;
    int status = system(arena_printf(&arena, "cd %s && A=%s S='env LD_PRELOAD=%s/saboteur.so' && { %s ; } >.said 2>&1", root, program, root, command));
    strbuf_read_file(&text, arena_printf(&arena, "%s/.said", root));
    said = arena_strdup(&arena, text.text);
    strbuf_release(&text);
    // the shell reports a signal of its last command as 128 and more
    return !WIFEXITED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status) > 128 ? 1000 + WEXITSTATUS(status) - 128 : WEXITSTATUS(status);
}

static void expect(int code, const char *words, int got)
{
    if (got != code || (words && !strstr(said, words)))
        fail_msg("exit %d, want %d and '%s'\n%s", got, code, words ? words : "", said);
}

static bool write_bytes(struct model *m, const char *file)
{
    size_t n_bytes;
    const void *bytes = model_pack(m, &n_bytes);
    FILE *f = fopen(arena_printf(&arena, "%s/%s", root, file), "wb");
    bool ok = f && fwrite(bytes, 1, n_bytes, f) == n_bytes;
    ok = f && fclose(f) == 0 && ok;
    model_free(m);
    return ok;
}

static bool write_model(int64_t channels, const char *file)
{
    struct model *m = model_new(13);
    float *w = arena_array(&arena, float, channels * 2);
    for (int64_t i = 0; i < channels * 2; i++)
        w[i] = (float)(i + 1);
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 4, 4));
    model_f32(m, "w", 4, DIMS(channels, 2, 1, 1), w);
    model_node(m, "Conv", "x w", "c");
    model_node(m, "Relu", "c", "y");
    model_output(m, "y");
    return write_bytes(m, file);
}

// A frame of it has 400 MB.
static bool write_big(void)
{
    struct model *m = model_new(13);
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 10000, 10000));
    model_node(m, "GlobalAveragePool", "x", "y");
    model_output(m, "y");
    return write_bytes(m, "big.onnx");
}

static int group_setup(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    strcpy(root, "/tmp/aihls_test_failures_XXXXXX");
    if (!realpath(bin ? bin : "build/aihls", program) || !getcwd(here, sizeof here) || !mkdtemp(root))
        return -1;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(3, 2, 4, 4)), many = array_new(&arena, DT_FLOAT, 4, DIMS(500, 2, 4, 4));
    int code = run("cc -shared -fPIC -D_GNU_SOURCE -o saboteur.so %s/tests/flow/saboteur.c", here);
    if (code == 0)
        code = write_model(2, "old.onnx") && write_model(3, "new.onnx") && write_big() &&
                       npy_write(&cx, arena_printf(&arena, "%s/x.npy", root), &x) && npy_write(&cx, arena_printf(&arena, "%s/many.npy", root), &many) ? 0 : -1;
    if (code == 0) // `net` is what is to be replaced by `new`
        code = run("$A old.onnx --board ultra96 --name net -q -o old && $A new.onnx --board ultra96 --name net -q -o new");
    if (code)
        print_error("%s", said);
    sanitized = run("nm -D $A | grep -q __asan_init") == 0;
    return code;
}

static int group_teardown(void **state)
{
    (void)state;
    remove_tree(root);
    arena_release(&arena);
    return 0;
}

// What is in directory `net`: "old", "new", or else.
static const char *contents(void)
{
    static const char *const names[] = { "old", "new" };
    for (int i = 0; i < 2; i++)
        if (run("diff -r -x build.log %s net", names[i]) == 0)
            return names[i];
    return "else";
}

static long counted(const char *word)
{
    const char *at = strstr(said, word);
    assert_non_null(at);
    return atol(at + strlen(word));
}

// ---- memory ----

static struct memory_row {
    const char *name, *command;
} memory_rows[] = {
    { "compiling without memory", "$A new.onnx --board ultra96 --name net -q -o net" },
    { "running the reference without memory", "$A run net --input x.npy --output y.npz" },
    { "running the float reference without memory", "$A run new.onnx --float --input x.npy" },
    { "listing boards without memory", "$A boards" },
};

static void check_memory(void **state)
{
    const struct memory_row *r = *state;
    if (sanitized)
        skip();
    expect(0, NULL, run("rm -rf net && cp -r old net"));
    const char *under = arena_printf(&arena, "$S SABOTAGE=%%s:%%ld OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 %s", r->command);
    expect(0, "requests", run(under, "count", 1L));
    long total = counted("requests ");
    assert_true(total > 20);
    for (int once = 0; once < 2; once++)
        for (long n = 1; n <= total; n += n < 10 ? 1 : total / 16 + 1) {
            run("rm -rf net* y.npz && cp -r old net");
            int code = run(under, once ? "once" : "malloc", n);
            if (code != 0 && code != 1 && code != 70)
                fail_msg("exit %d at request %ld of %ld\n%s", code, n, total, said);
            if (code != 0 && !strstr(said, "error[E") && !strstr(said, "BUG ") && !strstr(said, "libgomp: Out of memory"))
                fail_msg("no message at request %ld of %ld\n%s", n, total, said);
            if (code != 0 && once) // memory that is there again serves to clean up
                expect(0, "net\n", run("ls -d net*"));
            if (strcmp(contents(), code == 0 && strstr(r->command, "-o net") ? "new" : "old") != 0)
                fail_msg("at request %ld of %ld the output directory is neither the old one nor the new one\n%s", n, total, said);
            expect(0, NULL, run("$A new.onnx --board ultra96 --name net -q -o net && diff -r -x build.log new net && test \"$(echo net*)\" = net"));
        }
}

// ---- killed ----

static struct kill_row {
    const char *name, *before, *sabotage; // `before` prepares the destination
    const char *others; // what may be there besides "old" and "new"
} kill_rows[] = {
    { "killed while it replaces an output", "cp -r old net", "kill", NULL },
    { "killed while it makes a first output", "true", "kill", "nothing" },
};

static void check_kill(void **state)
{
    const struct kill_row *r = *state;
    const char *compile = "$A new.onnx --board ultra96 --name net -q -o net";
    if (sanitized)
        skip();
    expect(0, NULL, run("rm -rf net* && %s && $S SABOTAGE=count:1 %s", r->before, compile));
    long total = counted("changes ");
    int seen_old = 0, seen_new = 0;
    assert_true(total > 100);
    for (long n = 1; n <= total; n += n > total - 12 ? 1 : 19) {
        run("rm -rf net* && %s", r->before);
        if (run("$S SABOTAGE=%s:%ld %s", r->sabotage, n, compile) != 1000 + SIGKILL)
            fail_msg("not killed at change %ld of %ld\n%s", n, total, said);
        bool there = run("test -e net") == 0, is_new = there && strcmp(contents(), "new") == 0, is_old = there && strcmp(contents(), "old") == 0;
        if (!is_new && !is_old && !(r->others && !there))
            fail_msg("killed at change %ld of %ld: neither the old output nor the new one", n, total);
        seen_new += is_new;
        seen_old += !is_new;
        // the next run is none the wiser, and cleans up
        expect(0, NULL, run("%s && diff -r -x build.log new net && test \"$(echo net*)\" = net", compile));
    }
    assert_true(seen_old > 5 && (seen_new > 0) == (r->others == NULL)); // nothing replaced: the last change puts it there
}

// Another process's directory is not in the way, and not taken for a stray.
static void what_another_process_writes_stays(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    struct outdir d;
    run("rm -rf net* && mkdir net.aihls-tmp.notours && touch net.aihls-tmp.file");
    assert_true(outdir_open(&cx, arena_printf(&arena, "%s/net", root), &d));
    assert_true(outdir_write(&d, "a.txt", "abc", 3, true));
    expect(0, NULL, run("$A new.onnx --board ultra96 --name net -q -o net && test -f %s/a.txt && rm -rf net", d.temp));
    json_t *meta = json_object();
    assert_true(outdir_commit(&d, meta));
    json_decref(meta);
    outdir_abandon(&d);
    expect(0, NULL, run("test -f net/a.txt && test \"$(echo net*)\" = 'net net.aihls-tmp.file'"));
}

// ---- disk ----

static struct disk_row {
    const char *name;
    int percent;         // size of a file system: of what an output directory takes in it
    const char *command; // in it
    const char *left;    // what is there afterwards
} disk_rows[] = {
    { "a disk that is full at once", 1, "$A ../new.onnx --board ultra96 --name net -q -o net", "*" },
    { "a disk that is full in the middle", 50, "$A ../new.onnx --board ultra96 --name net -q -o net", "*" },
    { "a disk that is full in front of the manifest", 99, "$A ../new.onnx --board ultra96 --name net -q -o net", "*" },
    { "a disk on which the old output fits alone", 160, "cp -r ../old net && $A ../new.onnx --board ultra96 --name net -q -o net", "net" },
    { "results on a full disk", 1, "$A run ../old --input ../many.npy --output y.npy", "y.npy" },
};

static void check_disk(void **state)
{
    const struct disk_row *r = *state;
    expect(0, NULL, run("rm -rf net*; mkdir -p disk; find new -type f -printf '%%s\\n' | awk '{ n += int(($1 + 4095) / 4096) * 4 } END { print n }'"));
    long kilobytes = atol(said) * r->percent / 100;
    const char *disk = arena_printf(&arena, "%s/disk", root);
    if (mount("none", disk, "tmpfs", 0, arena_printf(&arena, "size=%ldk", kilobytes < 8 ? 8 : kilobytes)) != 0) {
        print_message("skipped: no tmpfs can be mounted here\n");
        skip();
    }
    int code = run("cd disk && %s", r->command);
    const char *words = said;
    run("cd disk && echo *");
    const char *left = said;
    int same = strstr(r->left, "net") ? run("diff -r -x build.log old disk/net") : 0;
    umount(disk);
    if (code != 1 || !strstr(words, "E002"))
        fail_msg("exit %d\n%s", code, words);
    assert_string_equal(left, arena_printf(&arena, "%s\n", r->left));
    assert_int_equal(same, 0);
}

// Commands that fail: how, and what they say.
static struct row {
    const char *name, *command;
    int code;
    const char *says;
} rows[] = {
    { "a limit of file sizes while compiling", "ulimit -f 2; $A new.onnx --board ultra96 -q -o net2; c=$?; test ! -e net2 || exit 9; exit $c", 1, "E002" },
    { "a limit of file sizes for results", "ulimit -f 1; $A run old --input many.npy --output y.npy", 1, "E002" },
    { "results on a full standard output", "$A run old --input x.npy >/dev/full", 1, "E002" },
    { "a list on a full standard output", "$A boards >/dev/full", 1, "E002" },
    { "help on a full standard output", "$A --help >/dev/full", 1, "E002" },
    { "a limit of memory", "ulimit -v 200000; OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $A big.onnx --board ultra96 -q -o net2; c=$?; test ! -e net2 || exit 9; exit $c", 1, "E001" },
    { "a file system that cannot exchange names", "rm -rf net* && cp -r old net && $S SABOTAGE=exchange:1 $A new.onnx --board ultra96 --name net -q -o net && diff -r -x build.log new net && echo net*", 0, "net\n" },
    { "no Verilator", "mkdir -p bin && ln -sf \"$(command -v sh)\" bin/sh && rm -rf sim && cp -r old sim && PATH=$PWD/bin $A sim sim", 4, "E501" },
    { "a Verilator that fails", "rm -rf sim && cp -r old sim && printf '#!/bin/sh\\necho %%Error: no licence; exit 1\\n' >bin/verilator && chmod +x bin/verilator && PATH=$PWD/bin:$PATH $A sim sim", 4, "no licence" },
    { "a Verilator that fails leaves no model", "test ! -e sim/sim/build_plain", 0, NULL },
    { "a Verilator that makes nothing", "printf '#!/bin/sh\\nexit 0\\n' >bin/verilator && PATH=$PWD/bin:$PATH $A sim sim", 4, "E50" },
    { "a C++ compiler that fails", "rm bin/verilator; rm -rf sim && cp -r old sim && MAKEFLAGS=CXX=false $A sim sim", 4, "E502" },
    { "a model that crashes", "$F 'kill -SEGV $$'", 4, "E502" },
    { "a model that fails", "$F 'echo out of order; exit 3'", 4, "out of order" },
    { "a model that says nothing", "$F 'exit 0'", 4, "left no result" },
    { "a model that says something else", "$F 'echo hello >sim/result.json'", 4, "left no result" },
    { "a model that says too little", "$F 'echo {} >sim/result.json'", 1, "E602" },
    { "a model that is no program", "$F 'exit 0' && : >sim/sim/build_plain/Vcore && $A sim sim", 4, "E50" },
    { "a model whose build was killed is built again", "$F 'exit 7'; rm sim/sim/build_plain/built; PATH=$PWD/bin $A sim sim", 4, "Verilator is not installed" },
    { "a report that cannot be written", "rm -rf sim && cp -r old sim && rm sim/report.json && mkdir sim/report.json && $A run sim --input x.npy >/dev/null && exit 0", 0, NULL },
};

// $F COMMAND simulates with a shell script in the place of the model's program.
static void check_row(void **state)
{
    const struct row *r = *state;
    if (sanitized && (strstr(r->command, "$S ") || strstr(r->command, "ulimit -v")))
        skip();
    const char *fake = "fake() { rm -rf sim && cp -r old sim && mkdir sim/sim/build_plain && printf '#!/bin/sh\\n%s\\n' \"$1\" >sim/sim/build_plain/Vcore && "
                       "chmod +x sim/sim/build_plain/Vcore && : >sim/sim/build_plain/built && $A sim sim; }; F=fake; ";
    expect(r->code, r->says, run("%s %s", fake, r->command));
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(memory_rows) + COUNT(kill_rows) + COUNT(disk_rows) + COUNT(rows) + 1];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(memory_rows); i++)
        tests[n++] = (struct CMUnitTest){ memory_rows[i].name, check_memory, NULL, NULL, &memory_rows[i] };
    for (size_t i = 0; i < COUNT(kill_rows); i++)
        tests[n++] = (struct CMUnitTest){ kill_rows[i].name, check_kill, NULL, NULL, &kill_rows[i] };
    for (size_t i = 0; i < COUNT(disk_rows); i++)
        tests[n++] = (struct CMUnitTest){ disk_rows[i].name, check_disk, NULL, NULL, &disk_rows[i] };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_another_process_writes_stays);
    return _cmocka_run_group_tests("failures", tests, n, group_setup, group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hls/outdir.h"

char root[4096];
struct strbuf out = STRBUF_INIT;
static char program[4096], here[4096];

bool sandbox_open(const char *name)
{
    const char *bin = getenv("AIHLS_BIN"), *temp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/aihls_test_%s_XXXXXX", temp ? temp : "/tmp", name);
    return realpath(bin ? bin : "build/aihls", program) && getcwd(here, sizeof here) && mkdtemp(root);
}

void sandbox_close(void)
{
    remove_tree(root);
    strbuf_release(&out);
}

int run(const char *fmt, ...)
{
    struct arena a = { 0 };
    va_list ap;
    va_start(ap, fmt);
    const char *command = arena_vprintf(&a, fmt, ap);
    va_end(ap);
    int status = system(arena_printf(&a, "cd %s && A=%s && T=%s/tests && { %s ; } >.out 2>&1", root, program, here, command));
    strbuf_clear(&out);
    strbuf_read_file(&out, arena_printf(&a, "%s/.out", root));
    arena_release(&a);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void expect(int code, const char *says, int got)
{
    if (got != code || (says && !strstr(out.text, says)))
        fail_msg("exit %d, want %d and '%s'\n%s", got, code, says ? says : "", out.text);
}

void check_command(void **state)
{
    const struct command *r = *state;
    expect(r->code, r->says, run("%s", r->command));
}

int sandbox_teardown(void **state)
{
    sandbox_close();
    return qdq_teardown(state);
}

const char *path(const char *file)
{
    return arena_printf(&arena, "%s/%s", root, file);
}

void write_file(const char *file, const void *bytes, size_t n)
{
    FILE *f = fopen(path(file), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

void write_model(const char *file)
{
    size_t n;
    const void *bytes = model_pack(m, &n);
    write_file(file, bytes, n);
}

void float_weights(const char *name, int rank, const int64_t *dims)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    float *w = arena_array(&arena, float, count);
    for (int64_t i = 0; i < count; i++)
        w[i] = (float)random_int(-99, 99) / 100;
    model_f32(m, name, rank, dims, w);
}

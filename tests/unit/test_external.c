// SPDX-License-Identifier: Apache-2.0
// Tests frontend/onnx_external.c: weights in files beside the model, and paths that are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/onnx.h"
#include "tests/support/model.h"

static const float weights[4] = { 1.5f, -2.0f, 3.25f, 4.0f };
static char root[] = "/tmp/aihls-external-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    (void)state;
    char path[256];
    float shifted[6] = { 0, 0, weights[0], weights[1], weights[2], weights[3] };
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "mkdir -p %s/model/below", root);
    assert_int_equal(system(path), 0);
    write_file("model/w.bin", weights, sizeof weights);
    write_file("model/below/w.bin", shifted, sizeof shifted);
    write_file("outside.bin", weights, sizeof weights);
    snprintf(path, sizeof path, "%s/model/link.bin", root);
    assert_int_equal(symlink("../outside.bin", path), 0);
    snprintf(path, sizeof path, "%s/model/inner.bin", root);
    assert_int_equal(symlink("w.bin", path), 0);
    snprintf(path, sizeof path, "mkfifo %s/model/fifo", root);
    assert_int_equal(system(path), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static struct row {
    const char *name, *location, *offset, *length, *error, *text; // error NULL: the weights are read
} rows[] = {
    { "a file beside the model", "w.bin", NULL, NULL, NULL, NULL },
    { "a part of a file below it", "below/w.bin", "8", "16", NULL, NULL },
    { "the rest of a file", "below/w.bin", "8", NULL, NULL, NULL },
    { "a link that stays inside", "inner.bin", NULL, NULL, NULL, NULL },
    { "an absolute path", "/etc/hostname", NULL, NULL, "E101", "no file below" },
    { "a path upwards", "../outside.bin", NULL, NULL, "E101", "no file below" },
    { "a path down and upwards", "below/../../outside.bin", NULL, NULL, "E101", "no file below" },
    { "a link out of the folder", "link.bin", NULL, NULL, "E101", "a link out of" },
    { "a file that is not there", "none.bin", NULL, NULL, "E002", "cannot read" },
    { "a folder", "below", NULL, NULL, "E002", "cannot read" },
    { "a pipe, without waiting for a writer", "fifo", NULL, NULL, "E002", "cannot read" },
    { "an empty place", "", NULL, NULL, "E101", "no file below" },
    { "no place", NULL, NULL, NULL, "E102", "incomplete" },
    { "an offset that is no number", "w.bin", "x", NULL, "E102", "incomplete" },
    { "a negative offset", "w.bin", "-8", NULL, "E102", "incomplete" },
    { "an offset behind the end", "w.bin", "17", NULL, "E102", "needs 16 bytes" },
    { "a length behind the end", "w.bin", "4", "16", "E102", "needs 16 bytes" },
    { "a length that is not the shape's", "w.bin", "0", "12", "E102", "needs 16 bytes" },
    { "an offset beyond 64 bits", "w.bin", "99999999999999999999", NULL, "E102", "incomplete" },
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { &arena, &diag };
    struct model *m = model_new(13);
    struct graph *g;
    size_t n;
    model_input(m, "x", DT_FLOAT, 1, (int64_t[]){ 4 });
    model_external(m, "w");
    if (r->location)
        model_external_entry(m, "location", r->location);
    else
        model_external_entry(m, "nothing", "location");
    if (r->offset)
        model_external_entry(m, "offset", r->offset);
    if (r->length)
        model_external_entry(m, "length", r->length);
    model_node(m, "Add", "x w", "y");
    model_output(m, "y");
    const void *bytes = model_pack(m, &n);
    write_file("model/m.onnx", bytes, n);
    model_free(m);
    bool ok = onnx_read(&cx, arena_printf(&arena, "%s/model/m.onnx", root), &g);
    if (r->error && (ok || !strstr(text.text, r->error) || !strstr(text.text, r->text)))
        fail_msg("wanted %s '%s' in: %s", r->error, r->text, text.text);
    if (!r->error && !ok)
        fail_msg("%s", text.text);
    for (int i = 0; ok && i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, "w") == 0)
            assert_memory_equal(g->tensors[i]->data, weights, sizeof weights);
    strbuf_release(&text);
    arena_release(&arena);
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[N];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, setup, teardown);
}

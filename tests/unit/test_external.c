// SPDX-License-Identifier: Apache-2.0
// Tests frontend/onnx_external.c and onnx_outline.c: weights in files beside the model, paths that are refused, models that are
// mapped.
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
    char odd[3 + sizeof weights] = { 0 };
    memcpy(odd + 3, weights, sizeof weights);
    write_file("model/odd.bin", odd, sizeof odd);
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
    { "a part at an odd address", "odd.bin", "3", NULL, NULL, NULL },
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

static const float *find(const struct graph *g, const char *name)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, name) == 0)
            return g->tensors[i]->data;
    return NULL;
}

static void check_reading(const struct row *r, bool mapped)
{
    const struct onnx_options plain = { 0 };
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { &arena, &diag };
    struct graph *g;
    const char *path = arena_printf(&arena, "%s/model/m.onnx", root);
    bool ok = mapped ? onnx_read_mapped(&cx, path, &plain, NULL, NULL, &g) : onnx_read(&cx, path, &g);
    if (r->error && (ok || !strstr(text.text, r->error) || !strstr(text.text, r->text)))
        fail_msg("wanted %s '%s' in: %s", r->error, r->text, text.text);
    if (!r->error && !ok)
        fail_msg("%s", text.text);
    if (ok)
        assert_memory_equal(find(g, "w"), weights, sizeof weights);
    strbuf_release(&text);
    arena_release(&arena);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct model *m = model_new(13);
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
    check_reading(r, false);
    check_reading(r, true);
}

// A constant of several pages in a function that is called twice: read twice, from pages that were dropped in between, or
// from memory where there are none.
#define MANY (1 << 19)

static void check_twice(struct graph *g)
{
    int found = 0;
    for (int i = 0; i < g->n_tensors; i++) {
        const struct tensor *t = g->tensors[i];
        if (!t->data || tensor_count(t) != MANY)
            continue;
        for (int k = 0; k < MANY; k++)
            if (((const float *)t->data)[k] != (float)k)
                fail_msg("element %d of constant %d", k, found);
        found++;
    }
    assert_int_equal(found, 2);
}

static void large_constant_read_twice(void **state)
{
    (void)state;
    const struct onnx_options plain = { 0 };
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { &arena, &diag };
    struct model *m = model_new(13), *inner = model_new(13);
    struct graph *g;
    size_t n;
    float *many = arena_array(&arena, float, MANY);
    for (int i = 0; i < MANY; i++)
        many[i] = (float)i;
    model_input(m, "x", DT_FLOAT, 1, (int64_t[]){ MANY });
    model_input(inner, "a", DT_FLOAT, -1, NULL);
    model_node(inner, "Constant", "", "c");
    model_tensor_f32(inner, "value", 1, (int64_t[]){ MANY }, many);
    model_node(inner, "Add", "a c", "b");
    model_output(inner, "b");
    model_function(m, "F", inner, "");
    model_node(m, "local:F", "x", "y");
    model_node(m, "local:F", "y", "z");
    model_output(m, "z");
    const void *bytes = model_pack(m, &n);
    write_file("model/twice.onnx", bytes, n);
    const char *path = arena_printf(&arena, "%s/model/twice.onnx", root);
    if (!onnx_read_mapped(&cx, path, &plain, NULL, NULL, &g))
        fail_msg("%s", text.text);
    check_twice(g);
    FILE *pipe = popen(arena_printf(&arena, "cat %s", path), "r");
    assert_non_null(pipe);
    bool ok = onnx_read_mapped(&cx, arena_printf(&arena, "/dev/fd/%d", fileno(pipe)), &plain, NULL, NULL, &g);
    pclose(pipe);
    if (!ok)
        fail_msg("%s", text.text);
    check_twice(g);
    model_free(inner);
    model_free(m);
    strbuf_release(&text);
    arena_release(&arena);
}

static void beyond_two_gigabytes(void **state)
{
    (void)state;
    const struct onnx_options plain = { 0 };
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { &arena, &diag };
    struct graph *g;
    const char *path = arena_printf(&arena, "%s/model/huge.onnx", root);
    write_file("model/huge.onnx", "", 0);
    assert_int_equal(truncate(path, (off_t)1 << 31), 0); // takes no room
    assert_false(onnx_read_mapped(&cx, path, &plain, NULL, NULL, &g));
    assert_int_equal(unlink(path), 0);
    assert_non_null(strstr(text.text, "ends at 2 GB"));
    strbuf_release(&text);
    arena_release(&arena);
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[N + 2] = { [N] = cmocka_unit_test(large_constant_read_twice), [N + 1] = cmocka_unit_test(beyond_two_gigabytes) };
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, setup, teardown);
}

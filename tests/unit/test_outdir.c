// SPDX-License-Identifier: Apache-2.0
// Tests hls/outdir.c: an output directory appears whole or not at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "hls/outdir.h"

static char root[64]; // a fresh directory for each test
static struct arena arena;
static struct strbuf messages;
static struct diag diag;
static struct ctx cx;

static int setup(void **state)
{
    (void)state;
    strcpy(root, "/tmp/aihls_test_outdir_XXXXXX");
    if (!mkdtemp(root))
        return -1;
    arena_init(&arena);
    messages = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &messages };
    cx = (struct ctx){ &arena, &diag };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_tree(root);
    strbuf_release(&messages);
    arena_release(&arena);
    return 0;
}

static const char *below(const char *name)
{
    return arena_printf(&arena, "%s/%s", root, name);
}

static bool exists(const char *name)
{
    struct stat st;
    return lstat(below(name), &st) == 0;
}

static int entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(below(name), "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const char *get(const char *name)
{
    struct strbuf sb = STRBUF_INIT;
    assert_true(strbuf_read_file(&sb, below(name)));
    char *copy = arena_strdup(&arena, sb.text);
    strbuf_release(&sb);
    return copy;
}

static void write_output(const char *dir, const char *text)
{
    struct outdir d;
    json_t *meta = json_pack("{s:s}", "top", text);
    assert_true(outdir_open(&cx, below(dir), &d));
    assert_true(outdir_write(&d, "a.txt", text, strlen(text), true));
    assert_true(outdir_write(&d, "deep/er/b.txt", text, strlen(text), true));
    assert_true(outdir_write(&d, "unlisted.txt", "x", 1, false));
    assert_true(outdir_commit(&d, meta));
    outdir_abandon(&d); // does nothing now
    json_decref(meta);
}

static void a_commit_puts_every_file_in_place(void **state)
{
    (void)state;
    write_output("out", "abc");
    assert_string_equal(get("out/a.txt"), "abc");
    assert_string_equal(get("out/deep/er/b.txt"), "abc");
    assert_int_equal(entries(root), 1); // no temporary directory is left
    struct stat st;
    assert_int_equal(stat(below("out"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
}

static void the_manifest_lists_files_with_their_hashes(void **state)
{
    (void)state;
    write_output("out", "abc");
    json_t *manifest = outdir_manifest(&cx, below("out"));
    assert_non_null(manifest);
    const json_t *files = json_object_get(manifest, "files");
    assert_int_equal(json_object_size(files), 2);
    assert_string_equal(json_string_value(json_object_get(files, "deep/er/b.txt")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(json_string_value(json_object_get(manifest, "top")), "abc");
    json_decref(manifest);
}

static void nothing_is_visible_before_the_commit(void **state)
{
    (void)state;
    struct outdir d;
    assert_true(outdir_open(&cx, below("out"), &d));
    assert_true(outdir_write(&d, "a.txt", "abc", 3, true));
    assert_false(exists("out"));
    outdir_abandon(&d);
    assert_int_equal(entries(root), 0); // and nothing after giving up
    outdir_abandon(&d);                 // twice is harmless
}

static void a_previous_output_is_replaced_as_a_whole(void **state)
{
    (void)state;
    write_output("out", "old");
    put("out/added_by_simulation.log", "x");
    write_output("out/", "new"); // a trailing slash is no other name
    assert_string_equal(get("out/a.txt"), "new");
    assert_false(exists("out/added_by_simulation.log"));
    assert_int_equal(entries(root), 1);
}

static void a_failure_keeps_the_previous_output(void **state)
{
    (void)state;
    struct outdir d;
    write_output("out", "old");
    assert_true(outdir_open(&cx, below("out"), &d));
    assert_true(outdir_write(&d, "a.txt", "new", 3, true));
    assert_false(outdir_write(&d, "a.txt/b", "new", 3, true)); // a.txt is no directory
    outdir_abandon(&d);
    assert_int_equal(diag.first_error, E002);
    assert_string_equal(get("out/a.txt"), "old");
    assert_int_equal(entries(root), 1);
}

static void an_empty_directory_is_taken(void **state)
{
    (void)state;
    assert_int_equal(mkdir(below("out"), 0755), 0);
    write_output("out", "abc");
    assert_string_equal(get("out/a.txt"), "abc");
    assert_int_equal(entries(root), 1);
}

static void a_foreign_directory_is_refused_untouched(void **state)
{
    (void)state;
    struct outdir d;
    assert_int_equal(mkdir(below("mine"), 0755), 0);
    put("mine/thesis.tex", "years of work");
    assert_false(outdir_open(&cx, below("mine"), &d));
    assert_int_equal(diag.first_error, E003);
    put("mine/manifest.json", "{\"files\": {}}"); // of some other program
    assert_false(outdir_open(&cx, below("mine"), &d));
    put("mine/manifest.json", "no JSON at all");
    assert_false(outdir_open(&cx, below("mine"), &d));
    assert_int_equal(diag.errors, 3);
    assert_string_equal(get("mine/thesis.tex"), "years of work");
    assert_int_equal(entries(root), 1);
}

static void files_and_links_are_refused(void **state)
{
    (void)state;
    struct outdir d;
    put("file", "x");
    assert_false(outdir_open(&cx, below("file"), &d));
    assert_int_equal(diag.first_error, E003);
    write_output("real", "abc");
    assert_int_equal(symlink("real", below("link")), 0);
    assert_false(outdir_open(&cx, below("link"), &d));
    assert_int_equal(diag.errors, 2);
    assert_string_equal(get("file"), "x");
}

static void a_missing_parent_is_an_error_of_the_system(void **state)
{
    (void)state;
    struct outdir d;
    assert_false(outdir_open(&cx, below("no/such/parent/out"), &d));
    assert_int_equal(diag.first_error, E002);
    assert_int_equal(diag.exit_code, 1);
    outdir_abandon(&d);
}

static struct manifest {
    const char *name, *text; // NULL: no file
} manifests[] = {
    { "a directory without manifest is damaged", NULL },
    { "an empty manifest is damaged", "" },
    { "a manifest that is no JSON is damaged", "{\"aihls\": " },
    { "a manifest of another version is refused", "{\"aihls\": \"99.0\", \"files\": {}}" },
    { "a manifest without version is refused", "{\"files\": {}}" },
    { "a manifest that is a list is refused", "[1, 2]" },
};

static void check_manifest(void **state)
{
    const struct manifest *r = *state;
    setup(state);
    assert_int_equal(mkdir(below("out"), 0755), 0);
    if (r->text)
        put("out/manifest.json", r->text);
    assert_null(outdir_manifest(&cx, below("out")));
    assert_int_equal(diag.first_error, E105);
    assert_non_null(strstr(messages.text, "out/manifest.json"));
}

// FIPS 180-4's examples (NIST's "SHA256.pdf") and the empty message.
static void hashes_are_sha256(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void trees_are_removed_without_following_links(void **state)
{
    (void)state;
    write_output("out", "abc");
    assert_int_equal(mkdir(below("kept"), 0755), 0);
    put("kept/file", "x");
    assert_int_equal(symlink("../kept", below("out/link")), 0);
    remove_tree(below("out"));
    assert_false(exists("out"));
    assert_true(exists("kept/file"));
    remove_tree(below("out")); // missing is fine
}

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(a_commit_puts_every_file_in_place), TEST(the_manifest_lists_files_with_their_hashes), TEST(nothing_is_visible_before_the_commit),
        TEST(a_previous_output_is_replaced_as_a_whole), TEST(a_failure_keeps_the_previous_output), TEST(an_empty_directory_is_taken),
        TEST(a_foreign_directory_is_refused_untouched), TEST(files_and_links_are_refused), TEST(a_missing_parent_is_an_error_of_the_system),
        TEST(hashes_are_sha256), TEST(trees_are_removed_without_following_links),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(manifests)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(manifests); i++)
        tests[COUNT(fixed) + i] = (struct CMUnitTest){ manifests[i].name, check_manifest, NULL, teardown, &manifests[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

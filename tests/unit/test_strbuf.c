// SPDX-License-Identifier: Apache-2.0
// Tests base/strbuf.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/strbuf.h"

static struct strbuf sb;

static int setup(void **state)
{
    (void)state;
    sb = (struct strbuf)STRBUF_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    strbuf_release(&sb);
    return 0;
}

// What holds after every step.
static void check_sane(void)
{
    assert_non_null(sb.text);
    assert_int_equal(sb.text[sb.len], 0);
    assert_true(sb.capacity == 0 || sb.capacity > sb.len);
}

static void a_new_buffer_is_the_empty_string(void **state)
{
    (void)state;
    check_sane();
    assert_string_equal(sb.text, "");
    strbuf_clear(&sb); // must not write to the shared empty string's memory beyond its zero
    strbuf_release(&sb);
    check_sane();
    assert_string_equal(strbuf_empty, "");
}

static void pieces_of_every_kind_append(void **state)
{
    (void)state;
    strbuf_adds(&sb, "a");
    check_sane();
    strbuf_addch(&sb, '-');
    check_sane();
    strbuf_addf(&sb, "%03d", 7);
    check_sane();
    strbuf_add(&sb, "xyz", 2);
    check_sane();
    strbuf_add(&sb, NULL, 0);
    assert_string_equal(sb.text, "a-007xy");
    assert_int_equal(sb.len, 7);
}

static void zero_bytes_inside_are_kept(void **state)
{
    (void)state;
    strbuf_add(&sb, "a\0b", 3);
    strbuf_adds(&sb, "c");
    assert_int_equal(sb.len, 4);
    assert_memory_equal(sb.text, "a\0bc", 5);
}

static void growth_over_every_length_keeps_the_text(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        strbuf_addf(&sb, "%c", 'a' + i % 26);
        check_sane();
        assert_int_equal(sb.len, i + 1);
    }
    for (int i = 0; i < 3000; i++)
        assert_int_equal(sb.text[i], 'a' + i % 26);
    strbuf_addf(&sb, "%100000d", 1);
    assert_int_equal(sb.len, 103000);
}

static void clear_keeps_memory_and_release_gives_it_back(void **state)
{
    (void)state;
    strbuf_adds(&sb, "text");
    size_t capacity = sb.capacity;
    strbuf_clear(&sb);
    assert_string_equal(sb.text, "");
    assert_int_equal(sb.capacity, capacity);
    strbuf_release(&sb);
    assert_int_equal(sb.capacity, 0);
    strbuf_adds(&sb, "again");
    assert_string_equal(sb.text, "again");
}

static void files_are_read_whole_and_appended(void **state)
{
    (void)state;
    char path[] = "/tmp/aihls_test_strbuf_XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "wb");
    for (int i = 0; i < 200000; i++) // several chunks, zeros among them
        fputc(i & 255, f);
    fclose(f);
    strbuf_adds(&sb, "head");
    bool ok = strbuf_read_file(&sb, path);
    unlink(path);
    assert_true(ok);
    assert_int_equal(sb.len, 200004);
    for (int i = 0; i < 200000; i++)
        assert_int_equal((unsigned char)sb.text[4 + i], i & 255);
}

static void unreadable_files_set_errno(void **state)
{
    (void)state;
    assert_false(strbuf_read_file(&sb, "/nonexistent/file"));
    assert_int_equal(errno, ENOENT);
    assert_false(strbuf_read_file(&sb, "/tmp"));
    assert_int_equal(errno, EISDIR);
    check_sane();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_buffer_is_the_empty_string), TEST(pieces_of_every_kind_append), TEST(zero_bytes_inside_are_kept),
        TEST(growth_over_every_length_keeps_the_text), TEST(clear_keeps_memory_and_release_gives_it_back),
        TEST(files_are_read_whole_and_appended), TEST(unreadable_files_set_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

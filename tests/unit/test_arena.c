// SPDX-License-Identifier: Apache-2.0
// Tests base/arena.c and the arithmetic of base/check.h.
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

#include "base/arena.h"
#include "base/check.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 3000; n += 7) {
        unsigned char *p = arena_alloc(&arena, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xa5, n); // the next one must be clean all the same
    }
}

static void allocations_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 400 };
    unsigned char *p[N];
    size_t size[N], seed = 1;
    for (int i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size[i] = i % 50 == 49 ? 300000 : (seed >> 40) % 5000; // some beyond a block
        p[i] = arena_alloc(&arena, size[i]);
        memset(p[i], i & 255, size[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(p[i][k], i & 255);
}

static void empty_allocations_are_unique(void **state)
{
    (void)state;
    void *a = arena_alloc(&arena, 0), *b = arena_alloc(&arena, 0);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
}

static void a_large_allocation_keeps_the_small_block_in_use(void **state)
{
    (void)state;
    char *small = arena_alloc(&arena, 16);
    arena_alloc(&arena, 1 << 20);
    assert_ptr_equal(arena_alloc(&arena, 16), small + 16);
}

static void release_empties_and_the_arena_works_again(void **state)
{
    (void)state;
    arena_alloc(&arena, 1 << 20);
    assert_true(arena.used_bytes >= 1 << 20);
    arena_release(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_null(arena.blocks);
    assert_string_equal(arena_strdup(&arena, "again"), "again");
}

static void strings_are_copied_and_formatted(void **state)
{
    (void)state;
    char text[] = "abcdef";
    char *whole = arena_strdup(&arena, text), *part = arena_strndup(&arena, text, 3);
    text[0] = 'x';
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_string_equal(arena_strdup(&arena, ""), "");
    assert_string_equal(arena_printf(&arena, "%d-%s", 42, "z"), "42-z");
    char *wide = arena_printf(&arena, "%5000d", 7); // longer than any buffer on the stack
    assert_int_equal(strlen(wide), 5000);
    assert_int_equal(wide[4999], '7');
}

static void push_grows_and_keeps_order(void **state)
{
    (void)state;
    int *items = NULL, n = 0, cap = 0;
    for (int i = 0; i < 1000; i++)
        arena_push(&arena, items, n, cap, i * 3);
    assert_int_equal(n, 1000);
    for (int i = 0; i < n; i++)
        assert_int_equal(items[i], i * 3);
}

// Runs f in a child with its messages discarded; gives the exit status.
static int exit_of(void (*f)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        f();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void overflowing_count(void)
{
    arena_alloc_n(&arena, SIZE_MAX / 2, 3);
}

static void more_than_the_address_space(void)
{
    arena_alloc(&arena, SIZE_MAX - 8);
}

static void more_than_the_memory(void)
{
    arena_alloc(&arena, SIZE_MAX / 4);
}

static void false_assertion(void)
{
    ASSERT(1 + 1 == 3);
}

static void out_of_memory_ends_with_1_and_bugs_with_70(void **state)
{
    (void)state;
    assert_int_equal(exit_of(overflowing_count), 1);
    assert_int_equal(exit_of(more_than_the_address_space), 1);
    assert_int_equal(exit_of(more_than_the_memory), 1);
    assert_int_equal(exit_of(false_assertion), EXIT_BUG);
}

static void checked_arithmetic_refuses_overflow(void **state)
{
    (void)state;
    int64_t r = 5;
    assert_false(mul_i64(INT64_MAX, 2, &r));
    assert_false(mul_i64(INT64_MIN, -1, &r));
    assert_false(add_i64(INT64_MAX, 1, &r));
    assert_false(add_i64(INT64_MIN, -1, &r));
    assert_int_equal(r, 5); // untouched
    assert_true(mul_i64(-3, 7, &r));
    assert_int_equal(r, -21);
    assert_true(add_i64(INT64_MAX, -1, &r));
    assert_true(r == INT64_MAX - 1);
}

static void bit_counts_are_tight(void **state)
{
    (void)state;
    static const struct { int64_t lo, hi; int bits; } rows[] = {
        { 0, 0, 1 }, { -1, 0, 1 }, { 0, 1, 2 }, { -2, 1, 2 }, { -2, 2, 3 }, { -128, 127, 8 }, { -129, 0, 9 }, { 0, 128, 9 },
        { 0, INT64_C(1) << 40, 42 }, { -(INT64_C(1) << 40), 0, 41 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(signed_bits(rows[i].lo, rows[i].hi), rows[i].bits);
    for (int64_t x = 1; x < 5000; x++) {
        int n = ceil_log2(x);
        assert_true((INT64_C(1) << n) >= x && (n == 0 || (INT64_C(1) << (n - 1)) < x));
        assert_int_equal(ceil_div(x, 7), x / 7 + (x % 7 != 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(memory_is_zeroed_and_aligned, teardown),
        cmocka_unit_test_teardown(allocations_do_not_overlap, teardown),
        cmocka_unit_test_teardown(empty_allocations_are_unique, teardown),
        cmocka_unit_test_teardown(a_large_allocation_keeps_the_small_block_in_use, teardown),
        cmocka_unit_test_teardown(release_empties_and_the_arena_works_again, teardown),
        cmocka_unit_test_teardown(strings_are_copied_and_formatted, teardown),
        cmocka_unit_test_teardown(push_grows_and_keeps_order, teardown),
        cmocka_unit_test_teardown(out_of_memory_ends_with_1_and_bugs_with_70, teardown),
        cmocka_unit_test(checked_arithmetic_refuses_overflow),
        cmocka_unit_test(bit_counts_are_tight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

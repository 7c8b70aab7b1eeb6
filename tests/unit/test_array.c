// SPDX-License-Identifier: Apache-2.0
// Tests sim/array.c; the files of array.h are tested in test_npy.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "sim/array.h"

static struct arena arena; // fresh for each test

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct set_row {
    const char *name;
    enum dtype dtype;
    double v, want;
} set_rows[] = {
    { "int8 rounds a half to even", DT_INT8, 2.5, 2 },
    { "int8 rounds the next half to even", DT_INT8, 3.5, 4 },
    { "int8 rounds a negative half to even", DT_INT8, -2.5, -2 },
    { "int8 saturates above", DT_INT8, 1e9, 127 },
    { "int8 saturates below", DT_INT8, -1e9, -128 },
    { "int8 takes NaN for 0", DT_INT8, NAN, 0 },
    { "uint8 saturates below zero", DT_UINT8, -0.6, 0 },
    { "uint8 saturates above", DT_UINT8, 255.5, 255 },
    { "int16 saturates", DT_INT16, -32769, -32768 },
    { "uint16 saturates", DT_UINT16, 65536, 65535 },
    { "int32 saturates at infinity", DT_INT32, INFINITY, 2147483647 },
    { "uint32 holds its largest", DT_UINT32, 4294967295.0, 4294967295.0 },
    { "int64 saturates above", DT_INT64, 1e30, 9223372036854775807.0 },
    { "int64 saturates below", DT_INT64, -INFINITY, -0x1p63 },
    { "int64 holds the largest double below 2^63", DT_INT64, 9223372036854774784.0, 9223372036854774784.0 },
    { "uint64 saturates above", DT_UINT64, 1e30, 18446744073709551615.0 },
    { "uint64 takes NaN for 0", DT_UINT64, NAN, 0 },
    { "uint64 saturates below zero", DT_UINT64, -5, 0 },
    { "bool is 1 for what is not zero", DT_BOOL, -0.25, 1 },
    { "float32 rounds to its precision", DT_FLOAT, 0.1, (double)0.1f },
    { "float64 keeps the value", DT_DOUBLE, 0.1, 0.1 },
    { "float16 keeps one third to 11 bits", DT_FLOAT16, 1.0 / 3, 0.333251953125 },
    { "float16 rounds a tie to even", DT_FLOAT16, 2049, 2048 },
    { "float16 rounds the next tie to even", DT_FLOAT16, 2051, 2052 },
    { "float16 holds its largest", DT_FLOAT16, 65519, 65504 },
    { "float16 overflows to infinity", DT_FLOAT16, 65520, INFINITY },
    { "float16 keeps infinity", DT_FLOAT16, -INFINITY, -INFINITY },
    { "float16 overflows far beyond its range", DT_FLOAT16, -1e30, -INFINITY },
    { "float16 holds its least subnormal", DT_FLOAT16, 0x1p-24, 0x1p-24 },
    { "float16 rounds a subnormal tie to zero", DT_FLOAT16, 0x1p-25, 0 },
    { "float16 rounds a subnormal up to the least normal", DT_FLOAT16, 0x1.ffcp-15, 0x1p-14 },
    { "bfloat16 rounds once", DT_BFLOAT16, 1.00390625 + 0x1p-40, 1.0078125 },
    { "bfloat16 reaches far", DT_BFLOAT16, 0x1p127, 0x1p127 },
};

static void check_set(void **state)
{
    const struct set_row *r = *state;
    struct array x = array_new(&arena, r->dtype, 1, (int64_t[]){ 3 });
    array_set_f64(&x, 1, r->v);
    assert_true(array_f64(&x, 1) == r->want);
    assert_true(array_f64(&x, 0) == 0.0 && array_f64(&x, 2) == 0.0);
}

static void a_small_float_keeps_nan_and_the_sign_of_zero(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_FLOAT16, 1, (int64_t[]){ 2 });
    array_set_f64(&x, 0, NAN);
    array_set_f64(&x, 1, -0.0);
    assert_true(isnan(array_f64(&x, 0)));
    assert_true(signbit(array_f64(&x, 1)));
}

static void every_float16_survives_a_round_trip(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_FLOAT16, 0, NULL);
    for (unsigned bits = 0; bits < 65536; bits++) {
        *(uint16_t *)x.data = (uint16_t)bits;
        double v = array_f64(&x, 0);
        if (isnan(v))
            continue;
        array_set_f64(&x, 0, v);
        assert_int_equal(*(uint16_t *)x.data, bits);
    }
}

static void counts_multiply_the_dimensions(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_INT8, 3, (int64_t[]){ 2, 3, 4 });
    assert_int_equal(array_count(&x), 24);
    x = array_new(&arena, DT_INT8, 0, NULL);
    assert_int_equal(array_count(&x), 1);
    x = array_new(&arena, DT_INT8, 2, (int64_t[]){ 5, 0 });
    assert_int_equal(array_count(&x), 0);
    assert_non_null(x.data);
}

#define ROWS(rows, check)                                                                   \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)                                 \
        tests[n++] = (struct CMUnitTest){ rows[i].name, check, setup, teardown, &rows[i] }
#define CASE(f) tests[n++] = (struct CMUnitTest){ #f, f, setup, teardown, NULL }

int main(void)
{
    static struct CMUnitTest tests[40];
    size_t n = 0;
    ROWS(set_rows, check_set);
    CASE(a_small_float_keeps_nan_and_the_sign_of_zero);
    CASE(every_float16_survives_a_round_trip);
    CASE(counts_multiply_the_dimensions);
    return _cmocka_run_group_tests("array", tests, n, NULL, NULL);
}

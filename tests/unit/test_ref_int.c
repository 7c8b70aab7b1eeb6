// SPDX-License-Identifier: Apache-2.0
// Tests the arithmetic of sim/ref_int.c and dataflow/lower.c's constants against exact integers of 128 bits. The
// operators of ref_int_frame are tested in test_lower.c, against a float64 evaluation of the model.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "dataflow/lower.h"
#include "drivers/aihls_stages.h"
#include "sim/ref_int.h"

__extension__ typedef __int128 wide;

#define RANDOM_POINTS 10000000

static uint64_t seed = 2024;

static uint64_t next(void) // xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators"
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 2685821657736338717u;
}

// Round half to even of v / 2^shift by sign and magnitude: rounding half to even is symmetric.
static wide exact_rne(wide v, int shift)
{
    wide a = v < 0 ? -v : v, q = a >> shift, twice_rest = (a - (q << shift)) * 2, unit = (wide)1 << shift;
    if (twice_rest > unit || (twice_rest == unit && (q & 1)))
        q++;
    return v < 0 ? -q : q;
}

static int exact_requantize(const struct requant *r, int64_t acc, int64_t c)
{
    wide y = exact_rne((((wide)acc << r->bias_frac) + r->bias[c]) * r->mult[c], r->shift[c]) + r->zero_point;
    return y < r->clamp_lo ? r->clamp_lo : y > r->clamp_hi ? r->clamp_hi : (int)y;
}

static struct tie {
    const char *name;
    int64_t v;
    int shift;
    int64_t want;
} ties[] = {
    { "shift 0 keeps the value", -77, 0, -77 },
    { "a half goes to even zero", 1, 1, 0 },
    { "one and a half goes up to two", 3, 1, 2 },
    { "two and a half goes down to two", 5, 1, 2 },
    { "minus a half goes to zero", -1, 1, 0 },
    { "minus one and a half goes to minus two", -3, 1, -2 },
    { "minus two and a half goes to minus two", -5, 1, -2 },
    { "just below a half goes down", (INT64_C(1) << 39) - 1, 40, 0 },
    { "just above a half goes up", (INT64_C(1) << 39) + 1, 40, 1 },
    { "the least number at the largest shift", INT64_MIN, 62, -2 },
    { "the largest number at the largest shift", INT64_MAX, 62, 2 },
    { "minus one at the largest shift", -1, 62, 0 },
    { "the least number at shift one", INT64_MIN, 1, INT64_MIN / 2 },
    { "the largest number at shift one rounds up", INT64_MAX, 1, INT64_C(1) << 62 },
};

static void check_tie(void **state)
{
    const struct tie *t = *state;
    assert_true(rne_shift(t->v, t->shift) == t->want);
    assert_true((wide)t->want == exact_rne(t->v, t->shift));
}

static void every_tie_of_small_numbers_goes_to_even(void **state)
{
    (void)state;
    for (int shift = 0; shift < 12; shift++)
        for (int64_t v = -20000; v <= 20000; v++)
            assert_true(rne_shift(v, shift) == (int64_t)exact_rne(v, shift));
}

// abs(x) < 2^39 of any magnitude; every fourth sits on a tie or beside one.
static int64_t random_accumulator(int32_t mult, int shift)
{
    uint64_t r = next();
    int64_t x = (int64_t)(r >> 25 >> (r % 39));
    if (r % 4 == 0 && shift < 40 && mult) {
        wide half = ((wide)1 << (shift - 1)) * (2 * (int64_t)(r >> 8 & 255) + 1);
        wide at = half / mult + (int64_t)(r >> 16 & 1);
        if (at < (wide)1 << 39)
            x = (int64_t)at;
    }
    return r & 64 ? -x : x;
}

static void ten_million_random_points_equal_exact_arithmetic(void **state)
{
    (void)state;
    int64_t differences = 0, inside = 0;
    for (int i = 0; i < RANDOM_POINTS; i++) {
        uint64_t r = next();
        static const int widths[] = { 24, 17, 1 };
        int bits = widths[r % 3], shift = 1 + (int)(r >> 8 & 0xffff) % 62;
        int32_t mult = (int32_t)(((uint32_t)1 << (bits - 1)) | (uint32_t)(r >> 32 & (((uint64_t)1 << (bits - 1)) - 1)));
        int64_t bias = (int64_t)(r >> 40) - (1 << 23), x = random_accumulator(mult, shift);
        int lo = -128 + (int)(r >> 14 & 63), hi = 127 - (int)(r >> 20 & 63);
        struct requant q = { .n = 1, .mult_bits = bits, .bias = &bias, .mult = &mult, .shift = &shift,
                             .zero_point = (int)(r >> 24 & 255) - 128, .clamp_lo = lo, .clamp_hi = hi, .bias_frac = (int)(r >> 59 & 15) };
        int64_t acc = (x - bias) >> q.bias_frac;
        int got = requantize(&q, acc, 5); // n = 1: every channel uses set 0
        differences += got != exact_requantize(&q, acc, 0);
        inside += got > lo && got < hi;
    }
    assert_int_equal(differences, 0);
    assert_true(inside > RANDOM_POINTS / 20); // the points are no mere saturation
}

static void requantize_takes_the_channels_own_parameters(void **state)
{
    (void)state;
    int64_t bias[] = { 0, 100, -7 };
    int32_t mult[] = { 1 << 23, 0, 3 << 22 };
    int shift[] = { 23, 30, 24 };
    struct requant q = { .n = 3, .mult_bits = 24, .bias = bias, .mult = mult, .shift = shift, .zero_point = 3, .clamp_lo = -128, .clamp_hi = 127 };
    assert_int_equal(requantize(&q, 20, 0), 23);
    assert_int_equal(requantize(&q, 123456, 1), 3); // multiplier 0: always the zero point
    assert_int_equal(requantize(&q, 17, 2), 11);    // 10 * 0.75 = 7.5 to 8
    assert_int_equal(requantize(&q, INT64_C(1) << 38, 0), 127);
    assert_int_equal(requantize(&q, -(INT64_C(1) << 38), 0), -128);
}

static void a_search_counts_the_thresholds_reached(void **state)
{
    (void)state;
    int64_t t[256] = { 0 };
    for (int round = 0; round < 200; round++) {
        for (int k = 1; k < 256; k++) // equal ones now and then
            t[k] = t[k - 1] + (int64_t)(next() % (uint64_t)(1 + round % 7));
        for (int i = 0; i < 300; i++) {
            int64_t sum = (int64_t)(next() % (uint64_t)(t[255] + 2));
            int reached = 0;
            for (int k = 1; k < 256; k++)
                reached += sum >= t[k];
            assert_int_equal(aihls_search(t, sum), reached - 128);
        }
    }
}

// The definition on the double's own 53-bit integer, exactly.
static bool exact_constant(double ratio, int bits, int64_t *mult, int64_t *shift)
{
    int e;
    int64_t m = (int64_t)ldexp(frexp(ratio, &e), 53); // ratio = m * 2^(e - 53)
    if (bits == 1) { // nearest power of two on a logarithmic scale: m^2 against 1/2
        *mult = 1;
        *shift = (wide)m * m < (wide)1 << 105 ? 1 - e : -e;
    } else {
        *mult = (int64_t)exact_rne(m, 53 - bits);
        *shift = bits - e;
        if (*mult >> bits) {
            *mult /= 2;
            --*shift;
        }
    }
    return *shift >= 0 && *shift <= 62;
}

static void check_constant(double ratio, int bits)
{
    int32_t mult = -1;
    int shift = -1;
    int64_t want_mult, want_shift;
    bool want = exact_constant(ratio, bits, &want_mult, &want_shift);
    bool got = requant_constant(ratio, bits, &mult, &shift);
    if (got != want || (want && (mult != want_mult || shift != want_shift)))
        fail_msg("ratio %a in %d bits: %d * 2^-%d, want %lld * 2^-%lld", ratio, bits, mult, shift, (long long)want_mult, (long long)want_shift);
    if (want)
        assert_true(mult >= 1 << (bits - 1) && (int64_t)mult < INT64_C(1) << bits);
}

static void requantization_constants_are_the_ratio_rounded_once(void **state)
{
    (void)state;
    static const int widths[] = { 24, 17, 1 };
    for (int b = 0; b < 3; b++) {
        int bits = widths[b];
        for (int e = -70; e < 30; e++) {
            check_constant(ldexp(1, e), bits);
            check_constant(nextafter(ldexp(1, e), 0), bits); // rounds up to the next power
            check_constant(nextafter(ldexp(1, e), 2 * ldexp(1, e)), bits);
            check_constant(ldexp(M_SQRT1_2, e), bits);
            check_constant(ldexp(nextafter(M_SQRT1_2, 0), e), bits);
            for (int k = 0; k < 64 && bits > 1; k++) // exact ties of the mantissa
                check_constant(ldexp((double)((1 << (bits - 1)) + k) + 0.5, e - bits), bits);
        }
        for (int i = 0; i < 200000; i++) {
            uint64_t r = next();
            check_constant(ldexp(1 + (double)(r >> 12) * 0x1p-52, -(int)(r % 80) + 10), bits);
        }
    }
}

static void impossible_ratios_are_refused(void **state)
{
    (void)state;
    int32_t mult = 7;
    int shift = 7;
    const double bad[] = { -1, NAN, INFINITY, -INFINITY, 1e30, 1e-300, DBL_MIN / 2 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(requant_constant(bad[i], 24, &mult, &shift));
    assert_true(requant_constant(0, 24, &mult, &shift));
    assert_int_equal(mult, 0);
    assert_true(shift >= 1 && shift <= 62);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(every_tie_of_small_numbers_goes_to_even),
        cmocka_unit_test(ten_million_random_points_equal_exact_arithmetic),
        cmocka_unit_test(requantize_takes_the_channels_own_parameters),
        cmocka_unit_test(requantization_constants_are_the_ratio_rounded_once),
        cmocka_unit_test(impossible_ratios_are_refused),
        cmocka_unit_test(a_search_counts_the_thresholds_reached),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(ties)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(fixed); i++)
        tests[n++] = fixed[i];
    for (size_t i = 0; i < COUNT(ties); i++)
        tests[n++] = (struct CMUnitTest){ ties[i].name, check_tie, NULL, NULL, &ties[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

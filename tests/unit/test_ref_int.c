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
    wide y = exact_rne((((wide)acc * ((wide)1 << r->bias_frac)) + r->bias[c]) * r->mult[c], r->shift[c]) + r->zero_point;
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

// ---- sums over windows, against loops that do one thing at a time ----

static struct window_row {
    const char *name;
    aihls_stage_function *run;
    int32_t in_h, in_w, in_c, out_c, kernel, stride, dilation, pad, group;
    bool by_pixel, alone; // a parameter set a pixel; one for all
} windows[] = {
    { "a plain kernel", aihls_stage_conv, 7, 6, 5, 9, 3, 1, 1, 1, 1, false, false },
    { "more outputs than are summed at a time", aihls_stage_conv, 3, 4, 4, 131, 1, 1, 1, 0, 1, false, false },
    { "groups of one and three channels", aihls_stage_conv, 5, 5, 6, 18, 3, 2, 1, 1, 2, false, false },
    { "groups with one output each", aihls_stage_conv, 5, 5, 8, 4, 2, 1, 2, 1, 4, false, true },
    { "a window that is gathered to the last element", aihls_stage_conv, 2, 3, 2048, 3, 2, 1, 1, 0, 1, false, false },
    { "one that is not", aihls_stage_conv, 2, 3, 2049, 3, 2, 1, 1, 1, 1, false, false },
    { "a stride above the kernel", aihls_stage_conv, 9, 9, 3, 5, 2, 4, 1, 0, 1, false, false },
    { "depthwise", aihls_stage_dw_mac, 6, 7, 5, 5, 3, 1, 1, 1, 0, false, false },
    { "depthwise, more channels than are summed at a time", aihls_stage_dw_mac, 4, 4, 129, 129, 3, 2, 1, 1, 0, false, false },
    { "depthwise, as many taps as are turned", aihls_stage_dw_mac, 9, 9, 3, 3, 8, 1, 1, 2, 0, false, false },
    { "depthwise, more than that", aihls_stage_dw_mac, 9, 9, 3, 3, 9, 1, 1, 3, 0, false, true },
    { "depthwise, with dilation", aihls_stage_dw_mac, 9, 9, 66, 66, 3, 1, 3, 2, 0, false, false },
    { "depthwise, parameters by pixel", aihls_stage_dw_mac, 5, 4, 70, 70, 3, 1, 1, 1, 0, true, false },
    { "sums", aihls_stage_dw_sum, 5, 6, 67, 67, 2, 2, 1, 1, 0, false, true },
};

// Element of the image under a tap, the padding outside.
static int tap_value(const struct aihls_stage *s, const int8_t *x, int32_t oy, int32_t ox, int32_t ky, int32_t kx, int32_t c)
{
    int32_t y = oy * s->stride_h - s->pad_top + ky * s->dilation_h, at = ox * s->stride_w - s->pad_left + kx * s->dilation_w;
    bool inside = y >= 0 && y < s->in_h && at >= 0 && at < s->in_w;
    return inside ? x[(y * s->in_w + at) * s->in_c + c] : s->pad_value;
}

static int64_t window_sum(const struct window_row *r, const struct aihls_stage *s, const int8_t *x, int32_t oy, int32_t ox, int32_t m)
{
    int32_t channels = r->group ? s->in_c / s->group : 1, base = r->group ? m / (s->out_c / s->group) * channels : m;
    int64_t sum = 0;
    for (int32_t ky = 0; ky < r->kernel; ky++)
        for (int32_t kx = 0; kx < r->kernel; kx++)
            for (int32_t c = 0; c < channels; c++) {
                int v = tap_value(s, x, oy, ox, ky, kx, base + c);
                sum += r->run == aihls_stage_dw_sum ? v : v * s->weights[((m * r->kernel + ky) * r->kernel + kx) * channels + c];
            }
    return sum;
}

// The extremes among them: sums are the largest that there are.
static int random_between(int lo, int hi)
{
    uint64_t v = next();
    return v % 4 == 0 ? hi : v % 4 == 1 ? lo : lo + (int)(v / 4 % (uint64_t)(hi - lo + 1));
}

static void check_window(void **state)
{
    const struct window_row *r = *state;
    struct arena a = { 0 };
    int32_t out_h = (r->in_h + 2 * r->pad - r->dilation * (r->kernel - 1) - 1) / r->stride + 1;
    int32_t out_w = (r->in_w + 2 * r->pad - r->dilation * (r->kernel - 1) - 1) / r->stride + 1;
    int64_t n_x = r->in_h * r->in_w * r->in_c, n_w = r->out_c * r->kernel * r->kernel * (r->group ? r->in_c / r->group : 1);
    int32_t sets = r->alone ? 1 : r->by_pixel ? out_h * out_w : r->out_c;
    int8_t *x = arena_array(&a, int8_t, n_x), *y = arena_array(&a, int8_t, out_h * out_w * r->out_c);
    int16_t *w = arena_array(&a, int16_t, n_w);
    int64_t *bias = arena_array(&a, int64_t, sets);
    int32_t *mult = arena_array(&a, int32_t, sets);
    int *shift = arena_array(&a, int, sets);
    for (int64_t i = 0; i < n_x; i++)
        x[i] = (int8_t)random_between(-128, 127);
    for (int64_t i = 0; i < n_w; i++)
        w[i] = (int16_t)random_between(-255, 255);
    for (int32_t i = 0; i < sets; i++) {
        bias[i] = random_between(-100000, 100000);
        mult[i] = random_between(1, (1 << 24) - 1);
        shift[i] = random_between(30, 40);
    }
    struct aihls_stage s = { .in_h = r->in_h, .in_w = r->in_w, .in_c = r->in_c, .out_h = out_h, .out_w = out_w, .out_c = r->out_c,
                             .kernel_h = r->kernel, .kernel_w = r->kernel, .stride_h = r->stride, .stride_w = r->stride,
                             .dilation_h = r->dilation, .dilation_w = r->dilation, .pad_top = r->pad, .pad_left = r->pad, .group = r->group,
                             .pad_value = -7, .weights = w,
                             .rq = { .n = sets, .by_pixel = r->by_pixel, .bias = bias, .mult = mult, .shift = shift, .zero_point = 3, .clamp_lo = -120, .clamp_hi = 119 } };
    const int8_t *in[2] = { x, NULL };
    r->run(&s, in, y, 0, out_h / 2);
    r->run(&s, in, y, out_h / 2, out_h);
    struct requant rq = { .n = sets, .by_pixel = r->by_pixel, .bias = bias, .mult = mult, .shift = shift, .zero_point = 3, .clamp_lo = -120, .clamp_hi = 119 };
    for (int32_t p = 0; p < out_h * out_w; p++)
        for (int32_t m = 0; m < r->out_c; m++)
            assert_int_equal(y[p * r->out_c + m], exact_requantize(&rq, window_sum(r, &s, x, p / out_w, p % out_w, m), r->alone ? 0 : r->by_pixel ? p : m));
    arena_release(&a);
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
    struct CMUnitTest tests[COUNT(fixed) + COUNT(ties) + COUNT(windows)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(fixed); i++)
        tests[n++] = fixed[i];
    for (size_t i = 0; i < COUNT(ties); i++)
        tests[n++] = (struct CMUnitTest){ ties[i].name, check_tie, NULL, NULL, &ties[i] };
    for (size_t i = 0; i < COUNT(windows); i++)
        tests[n++] = (struct CMUnitTest){ windows[i].name, check_window, NULL, NULL, &windows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

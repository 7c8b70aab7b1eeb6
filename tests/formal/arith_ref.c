// SPDX-License-Identifier: Apache-2.0
// The C reference's requantizer with one channel's constants, and its product of two elements, for arith.cpp.
#include "drivers/aihls_stages.h"
#include "sim/ref_int.h"

int arith_requantize(int64_t acc, int64_t bias, int bias_frac, int32_t mult, int shift, int zp, int lo, int hi);
int arith_mul(int8_t a, int8_t b, int a_zp, int b_zp, int32_t mult, int shift, int zp, int lo, int hi);

int arith_requantize(int64_t acc, int64_t bias, int bias_frac, int32_t mult, int shift, int zp, int lo, int hi)
{
    struct requant r = { .n = 1, .bias = &bias, .bias_frac = bias_frac, .mult = &mult, .shift = &shift, .zero_point = zp, .clamp_lo = lo, .clamp_hi = hi };
    return requantize(&r, acc, 0);
}

int arith_mul(int8_t a, int8_t b, int a_zp, int b_zp, int32_t mult, int shift, int zp, int lo, int hi)
{
    struct aihls_stage s = { .out_w = 1, .out_c = 1, .a_zp = a_zp, .b_zp = b_zp, .a_mult = mult, .add_shift = shift,
                             .rq = { .zero_point = zp, .clamp_lo = lo, .clamp_hi = hi } };
    const int8_t *in[] = { &a, &b };
    int8_t y;
    aihls_stage_mul(&s, in, &y, 0, 1);
    return y;
}

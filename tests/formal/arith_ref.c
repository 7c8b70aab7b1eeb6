// SPDX-License-Identifier: Apache-2.0
// The C reference's requantizer with one channel's constants, for arith.cpp.
#include "sim/ref_int.h"

int arith_requantize(int64_t acc, int64_t bias, int32_t mult, int shift, int zp, int lo, int hi);

int arith_requantize(int64_t acc, int64_t bias, int32_t mult, int shift, int zp, int lo, int hi)
{
    struct requant r = { .n = 1, .bias = &bias, .mult = &mult, .shift = &shift, .zero_point = zp, .clamp_lo = lo, .clamp_hi = hi };
    return requantize(&r, acc, 0);
}

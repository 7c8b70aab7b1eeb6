// SPDX-License-Identifier: Apache-2.0
#include "sim/array.h"

#include <math.h>

#include "base/check.h"

struct array array_new(struct arena *a, enum dtype t, int rank, const int64_t *dims)
{
    struct array x = { .dtype = t, .rank = rank };
    ASSERT(rank >= 0 && rank <= MAX_RANK && dtype_bytes(t) > 0);
    for (int i = 0; i < rank; i++) {
        ASSERT(dims[i] >= 0);
        x.dims[i] = dims[i];
    }
    x.data = arena_alloc_n(a, (size_t)array_count(&x), dtype_bytes(t));
    return x;
}

int64_t array_count(const struct array *x)
{
    int64_t count = 1;
    for (int i = 0; i < x->rank; i++)
        if (!mul_i64(count, x->dims[i], &count))
            BUG("an array has too many elements");
    return count;
}

// A float of few bits (sign, exponent_bits, fraction_bits) as double, exactly.
static double small_float_value(unsigned bits, int exponent_bits, int fraction_bits)
{
    int top = (1 << exponent_bits) - 1, bias = top / 2;
    int exponent = (int)(bits >> fraction_bits) & top;
    int fraction = (int)(bits & ((1u << fraction_bits) - 1));
    bool negative = (bits >> (exponent_bits + fraction_bits)) & 1;
    double v;
    if (exponent == top)
        v = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        v = ldexp(fraction, 1 - bias - fraction_bits);
    else
        v = ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
    return negative ? -v : v;
}

// The reverse, rounded half to even once; what is too large becomes infinite.
static unsigned small_float_bits(double v, int exponent_bits, int fraction_bits)
{
    int top = (1 << exponent_bits) - 1, bias = top / 2;
    unsigned sign = signbit(v) ? 1u << (exponent_bits + fraction_bits) : 0;
    unsigned infinite = (unsigned)top << fraction_bits;
    if (isnan(v))
        return sign | infinite | 1u << (fraction_bits - 1);
    if (isinf(v))
        return sign | infinite;
    int exponent;
    (void)frexp(v, &exponent); // |v| in [2^(exponent-1), 2^exponent)
    int field = exponent - 1 + bias;
    if (field >= top)
        return sign | infinite;
    if (field < 1 || v == 0.0)
        field = 1; // subnormal: the exponent of the least normal number, no hidden one
    // A fraction that rounds up to the next power of two carries into the exponent field,
    // and from the largest number to infinity, as it should.
    unsigned scaled = (unsigned)rint(ldexp(fabs(v), fraction_bits + bias - field));
    return sign | (((unsigned)(field - 1) << fraction_bits) + scaled);
}

double array_f64(const struct array *x, int64_t i)
{
    switch (x->dtype) {
    case DT_FLOAT: return (double)((const float *)x->data)[i];
    case DT_DOUBLE: return ((const double *)x->data)[i];
    case DT_UINT8: return ((const uint8_t *)x->data)[i];
    case DT_INT8: return ((const int8_t *)x->data)[i];
    case DT_UINT16: return ((const uint16_t *)x->data)[i];
    case DT_INT16: return ((const int16_t *)x->data)[i];
    case DT_INT32: return ((const int32_t *)x->data)[i];
    case DT_UINT32: return ((const uint32_t *)x->data)[i];
    case DT_INT64: return (double)((const int64_t *)x->data)[i];
    case DT_UINT64: return (double)((const uint64_t *)x->data)[i];
    case DT_BOOL: return ((const uint8_t *)x->data)[i] != 0;
    case DT_FLOAT16: return small_float_value(((const uint16_t *)x->data)[i], 5, 10);
    case DT_BFLOAT16: return small_float_value(((const uint16_t *)x->data)[i], 8, 7);
    case DT_NONE:
    case DT_STRING: break;
    }
    BUG("an array of type %d has no numbers", (int)x->dtype);
}

// v rounded half to even into [lo, hi], both exact as double; NaN becomes 0.
static int64_t saturate(double v, double lo, double hi)
{
    double r = isnan(v) ? 0.0 : rint(v);
    return (int64_t)(r < lo ? lo : r > hi ? hi : r);
}

// The largest 64-bit integers have no double: saturate to them apart.
static int64_t saturate_i64(double v)
{
    return v >= 0x1p63 ? INT64_MAX : saturate(v, -0x1p63, 0x1p63);
}

static uint64_t saturate_u64(double v)
{
    return isnan(v) || v <= 0.0 ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)rint(v);
}

void array_set_f64(struct array *x, int64_t i, double v)
{
    switch (x->dtype) {
    case DT_FLOAT: ((float *)x->data)[i] = (float)v; return;
    case DT_DOUBLE: ((double *)x->data)[i] = v; return;
    case DT_UINT8: ((uint8_t *)x->data)[i] = (uint8_t)saturate(v, 0, UINT8_MAX); return;
    case DT_INT8: ((int8_t *)x->data)[i] = (int8_t)saturate(v, INT8_MIN, INT8_MAX); return;
    case DT_UINT16: ((uint16_t *)x->data)[i] = (uint16_t)saturate(v, 0, UINT16_MAX); return;
    case DT_INT16: ((int16_t *)x->data)[i] = (int16_t)saturate(v, INT16_MIN, INT16_MAX); return;
    case DT_INT32: ((int32_t *)x->data)[i] = (int32_t)saturate(v, INT32_MIN, INT32_MAX); return;
    case DT_UINT32: ((uint32_t *)x->data)[i] = (uint32_t)saturate(v, 0, UINT32_MAX); return;
    case DT_INT64: ((int64_t *)x->data)[i] = saturate_i64(v); return;
    case DT_UINT64: ((uint64_t *)x->data)[i] = saturate_u64(v); return;
    case DT_BOOL: ((uint8_t *)x->data)[i] = v != 0.0; return;
    case DT_FLOAT16: ((uint16_t *)x->data)[i] = (uint16_t)small_float_bits(v, 5, 10); return;
    case DT_BFLOAT16: ((uint16_t *)x->data)[i] = (uint16_t)small_float_bits(v, 8, 7); return;
    case DT_NONE:
    case DT_STRING: break;
    }
    BUG("an array of type %d has no numbers", (int)x->dtype);
}

int64_t array_i64(const struct array *x, int64_t i)
{
    switch (x->dtype) {
    case DT_UINT8: return ((const uint8_t *)x->data)[i];
    case DT_INT8: return ((const int8_t *)x->data)[i];
    case DT_UINT16: return ((const uint16_t *)x->data)[i];
    case DT_INT16: return ((const int16_t *)x->data)[i];
    case DT_INT32: return ((const int32_t *)x->data)[i];
    case DT_UINT32: return ((const uint32_t *)x->data)[i];
    case DT_INT64:
    case DT_UINT64: return ((const int64_t *)x->data)[i];
    case DT_BOOL: return ((const uint8_t *)x->data)[i] != 0;
    case DT_FLOAT:
    case DT_DOUBLE:
    case DT_FLOAT16:
    case DT_BFLOAT16: return saturate_i64(trunc(array_f64(x, i)));
    case DT_NONE:
    case DT_STRING: break;
    }
    BUG("an array of type %d has no numbers", (int)x->dtype);
}

void array_set_i64(struct array *x, int64_t i, int64_t v)
{
    switch (x->dtype) {
    case DT_UINT8:
    case DT_INT8: ((uint8_t *)x->data)[i] = (uint8_t)v; return;
    case DT_UINT16:
    case DT_INT16: ((uint16_t *)x->data)[i] = (uint16_t)v; return;
    case DT_INT32:
    case DT_UINT32: ((uint32_t *)x->data)[i] = (uint32_t)v; return;
    case DT_INT64:
    case DT_UINT64: ((int64_t *)x->data)[i] = v; return;
    case DT_BOOL: ((uint8_t *)x->data)[i] = v != 0; return;
    case DT_FLOAT:
    case DT_DOUBLE:
    case DT_FLOAT16:
    case DT_BFLOAT16: array_set_f64(x, i, (double)v); return;
    case DT_NONE:
    case DT_STRING: break;
    }
    BUG("an array of type %d has no numbers", (int)x->dtype);
}

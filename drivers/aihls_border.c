// SPDX-License-Identifier: Apache-2.0
#include "aihls_border.h"

#include <string.h>

#include "aihls_element.h"

size_t aihls_type_bytes(enum aihls_type t)
{
    switch (t) {
    case AIHLS_UINT8:
    case AIHLS_INT8:
    case AIHLS_BOOL:
    case AIHLS_STREAM: return 1;
    case AIHLS_UINT16:
    case AIHLS_INT16:
    case AIHLS_FLOAT16:
    case AIHLS_BFLOAT16: return 2;
    case AIHLS_FLOAT32:
    case AIHLS_INT32:
    case AIHLS_UINT32: return 4;
    case AIHLS_FLOAT64:
    case AIHLS_INT64:
    case AIHLS_UINT64: return 8;
    }
    return 0;
}

// ---- floats of 16 bits: sign, exponent, fraction; the arithmetic is on the bits of a double ----

#define FLOAT16_FRACTION 10
#define BFLOAT16_FRACTION 7

static double small_float_value(unsigned bits, int fraction_bits)
{
    int top = (1 << (15 - fraction_bits)) - 1, exponent = (int)(bits >> fraction_bits & 0x7fff >> fraction_bits);
    unsigned fraction = bits & ((1u << fraction_bits) - 1);
    uint64_t sign = (uint64_t)(bits >> 15) << 63, word;
    double v;
    if (exponent == 0) { // fraction * 2^(1 - bias - fraction_bits); the power of two is a normal double
        word = (uint64_t)(1023 + 1 - top / 2 - fraction_bits) << 52;
        memcpy(&v, &word, sizeof v);
        v *= fraction;
        return sign ? -v : v;
    }
    word = sign | (uint64_t)(exponent == top ? 0x7ff : exponent - top / 2 + 1023) << 52 | (uint64_t)fraction << (52 - fraction_bits);
    memcpy(&v, &word, sizeof v);
    return v;
}

// Rounded half to even once; what is too large becomes infinite.
static uint16_t small_float_bits(double v, int fraction_bits)
{
    uint64_t word;
    memcpy(&word, &v, sizeof word);
    int top = (1 << (15 - fraction_bits)) - 1, exponent = (int)(word >> 52 & 0x7ff) - 1023 + top / 2;
    unsigned sign = (unsigned)(word >> 63) << 15, infinite = (unsigned)top << fraction_bits;
    if (v != v)
        return (uint16_t)(sign | infinite | 1u << (fraction_bits - 1));
    if (exponent >= top)
        return (uint16_t)(sign | infinite);
    int drop = 52 - fraction_bits + (exponent < 1 ? 1 - exponent : 0); // bits; more for what has no hidden one
    if (drop > 54)
        return (uint16_t)sign;
    uint64_t mantissa = (word & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52, kept = mantissa >> drop;
    uint64_t rest = mantissa - (kept << drop), tie = (uint64_t)1 << (drop - 1);
    kept += rest > tie || (rest == tie && kept % 2);
    // a carry goes on into the exponent, and from the largest number to infinity, as it should
    return (uint16_t)(sign | (((unsigned)(exponent < 1 ? 0 : exponent - 1) << fraction_bits) + (unsigned)kept));
}

// ---- elements as double ----

// exempt from the length limit: one line for each type
double aihls_load(enum aihls_type t, const void *x, int32_t i)
{
    switch (t) {
    case AIHLS_FLOAT32: return (double)((const float *)x)[i];
    case AIHLS_FLOAT64: return ((const double *)x)[i];
    case AIHLS_UINT8: return ((const uint8_t *)x)[i];
    case AIHLS_STREAM:
    case AIHLS_INT8: return ((const int8_t *)x)[i];
    case AIHLS_UINT16: return ((const uint16_t *)x)[i];
    case AIHLS_INT16: return ((const int16_t *)x)[i];
    case AIHLS_UINT32: return ((const uint32_t *)x)[i];
    case AIHLS_INT32: return ((const int32_t *)x)[i];
    case AIHLS_UINT64: return (double)((const uint64_t *)x)[i];
    case AIHLS_INT64: return (double)((const int64_t *)x)[i];
    case AIHLS_BOOL: return ((const uint8_t *)x)[i] != 0;
    case AIHLS_FLOAT16: return small_float_value(((const uint16_t *)x)[i], FLOAT16_FRACTION);
    case AIHLS_BFLOAT16: return small_float_value(((const uint16_t *)x)[i], BFLOAT16_FRACTION);
    }
    return 0;
}

// 2^52: from here on every double is an integer. (cppcheck misreads hexadecimal floats.)
#define WHOLE 4503599627370496.0

static int has_fraction(double v)
{
    return v > -WHOLE && v < WHOLE;
}

// Half to even.
static double round_even(double v)
{
    if (!has_fraction(v))
        return v;
    int64_t n = (int64_t)v; // towards zero; what is left is exact and has v's sign
    double rest = v - (double)n;
    if (rest > 0.5 || (rest == 0.5 && n % 2))
        n++;
    else if (rest < -0.5 || (rest == -0.5 && n % 2))
        n--;
    return (double)n;
}

static int64_t saturate(double v, double lo, double hi)
{
    double r = v != v ? 0 : round_even(v); // NaN becomes 0
    return (int64_t)(r < lo ? lo : r > hi ? hi : r);
}

// exempt from the length limit: one line for each type
void aihls_store(enum aihls_type t, void *y, int32_t i, double v)
{
    switch (t) {
    case AIHLS_FLOAT32: ((float *)y)[i] = (float)v; return;
    case AIHLS_FLOAT64: ((double *)y)[i] = v; return;
    case AIHLS_UINT8: ((uint8_t *)y)[i] = (uint8_t)saturate(v, 0, UINT8_MAX); return;
    case AIHLS_STREAM:
    case AIHLS_INT8: ((int8_t *)y)[i] = (int8_t)saturate(v, INT8_MIN, INT8_MAX); return;
    case AIHLS_UINT16: ((uint16_t *)y)[i] = (uint16_t)saturate(v, 0, UINT16_MAX); return;
    case AIHLS_INT16: ((int16_t *)y)[i] = (int16_t)saturate(v, INT16_MIN, INT16_MAX); return;
    case AIHLS_UINT32: ((uint32_t *)y)[i] = (uint32_t)saturate(v, 0, UINT32_MAX); return;
    case AIHLS_INT32: ((int32_t *)y)[i] = (int32_t)saturate(v, INT32_MIN, INT32_MAX); return;
    // the largest 64-bit integers have no double
    case AIHLS_UINT64: ((uint64_t *)y)[i] = !(v > 0) ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)round_even(v); return;
    case AIHLS_INT64: ((int64_t *)y)[i] = v >= 0x1p63 ? INT64_MAX : saturate(v, -0x1p63, 0x1p63); return;
    case AIHLS_BOOL: ((uint8_t *)y)[i] = v != 0; return;
    case AIHLS_FLOAT16: ((uint16_t *)y)[i] = small_float_bits(v, FLOAT16_FRACTION); return;
    case AIHLS_BFLOAT16: ((uint16_t *)y)[i] = small_float_bits(v, BFLOAT16_FRACTION); return;
    }
}

// ---- elements as integers ----

int aihls_is_integer(enum aihls_type t)
{
    return t != AIHLS_FLOAT32 && t != AIHLS_FLOAT64 && t != AIHLS_FLOAT16 && t != AIHLS_BFLOAT16;
}

int aihls_is_signed(enum aihls_type t)
{
    return t == AIHLS_INT8 || t == AIHLS_INT16 || t == AIHLS_INT32 || t == AIHLS_INT64;
}

int64_t aihls_load_integer(enum aihls_type t, const void *x, int32_t i)
{
    return t == AIHLS_INT64 || t == AIHLS_UINT64 ? ((const int64_t *)x)[i] : (int64_t)aihls_load(t, x, i);
}

void aihls_store_integer(enum aihls_type t, void *y, int32_t i, int64_t v)
{
    if (t == AIHLS_BOOL)
        ((uint8_t *)y)[i] = v != 0;
    else
        switch (aihls_type_bytes(t)) {
        case 1: ((uint8_t *)y)[i] = (uint8_t)v; return;
        case 2: ((uint16_t *)y)[i] = (uint16_t)v; return;
        case 4: ((uint32_t *)y)[i] = (uint32_t)v; return;
        default: ((int64_t *)y)[i] = v; return;
        }
}

// ---- operators ----

void aihls_op_quantize(const struct aihls_op *op, const void *in, void *out)
{
    const float *x = in;
    for (int32_t i = 0; i < op->count; i++) {
        int32_t k = i / op->inner % op->size;
        aihls_store(op->out_type, out, i, round_even((double)x[i] / (double)op->scale[k]) + op->zero_point[k]);
    }
}

void aihls_op_dequantize(const struct aihls_op *op, const void *in, void *out)
{
    float *y = out;
    for (int32_t i = 0; i < op->count; i++) {
        int32_t k = i / op->inner % op->size;
        y[i] = (float)((aihls_load(op->in_type, in, i) - op->zero_point[k]) * (double)op->scale[k]);
    }
}

// To integers towards zero, as C does; bool asks for "not zero" of the value itself.
void aihls_op_cast(const struct aihls_op *op, const void *in, void *out)
{
    for (int32_t i = 0; i < op->count; i++) {
        double v = aihls_load(op->in_type, in, i);
        aihls_store(op->out_type, out, i, aihls_is_integer(op->out_type) && op->out_type != AIHLS_BOOL && has_fraction(v) ? (double)(int64_t)v : v);
    }
}

void aihls_op_transpose(const struct aihls_op *op, const void *in, void *out)
{
    size_t bytes = aihls_type_bytes(op->in_type);
    int32_t index[AIHLS_MAX_RANK] = { 0 };
    ptrdiff_t from = 0;
    for (int32_t i = 0; i < op->count; i++) {
        memcpy((char *)out + (size_t)i * bytes, (const char *)in + (size_t)from * bytes, bytes);
        for (int32_t d = op->rank - 1; d >= 0; d--) { // the next index, the last dimension fastest
            from += op->stride[d];
            if (++index[d] < op->dims[d])
                break;
            from -= (ptrdiff_t)op->stride[d] * op->dims[d];
            index[d] = 0;
        }
    }
}

void aihls_op_argmax(const struct aihls_op *op, const void *in, void *out)
{
    int64_t *y = out;
    for (int32_t o = 0; o < op->outer; o++)
        for (int32_t i = 0; i < op->inner; i++) {
            int32_t best = 0, base = o * op->size * op->inner + i;
            for (int32_t k = 1; k < op->size; k++) {
                double v = aihls_load(op->in_type, in, base + k * op->inner), top = aihls_load(op->in_type, in, base + best * op->inner);
                if (v > top || (op->select_last && v >= top))
                    best = k;
            }
            y[o * op->inner + i] = best;
        }
}

// ---- frames ----

static int32_t pixel_bytes(const struct aihls_port *port)
{
    return (port->channels + port->lanes - 1) / port->lanes * port->lanes;
}

void aihls_border_in(const struct aihls_port *port, const void *tensor, int8_t *wire, void *const scratch[2])
{
    const struct aihls_border *b = port->border;
    const void *x = tensor;
    for (int32_t k = 0; k < b->n_ops; k++) {
        b->ops[k].run(&b->ops[k], x, scratch[k & 1]);
        x = scratch[k & 1];
    }
    const uint8_t *q = x;
    memset(wire, 0, (size_t)port->bytes);
    for (int32_t p = 0; p < b->count; wire += pixel_bytes(port))
        for (int32_t c = 0; c < port->channels; c++, p++)
            wire[c] = (int8_t)(q[b->order ? b->order[p] : (uint32_t)p] ^ b->flip);
}

void aihls_border_out(const struct aihls_port *port, const int8_t *wire, void *tensor, void *const scratch[2])
{
    const struct aihls_border *b = port->border;
    uint8_t *q = b->n_ops ? scratch[1] : tensor;
    for (int32_t p = 0; p < b->count; wire += pixel_bytes(port))
        for (int32_t c = 0; c < port->channels; c++, p++)
            q[b->order ? b->order[p] : (uint32_t)p] = (uint8_t)wire[c] ^ b->flip;
    const void *x = q;
    for (int32_t k = 0; k < b->n_ops; k++) {
        void *y = k + 1 == b->n_ops ? tensor : scratch[k & 1];
        b->ops[k].run(&b->ops[k], x, y);
        x = y;
    }
}

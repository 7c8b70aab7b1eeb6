// SPDX-License-Identifier: Apache-2.0
// One element at a time: functions, arithmetic, quantization.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// ---- functions of one number ----

enum aihls_function ref_function(enum op op)
{
    switch ((int)op) {
#define FUNCTION(name) case OP_##name: return AIHLS_##name;
        AIHLS_UNARY_FUNCTIONS(FUNCTION)
        AIHLS_BINARY_FUNCTIONS(FUNCTION)
        AIHLS_REDUCE_FUNCTIONS(FUNCTION)
#undef FUNCTION
    case OP_QLinearLeakyRelu: return AIHLS_LeakyRelu;
    case OP_QLinearSigmoid: return AIHLS_Sigmoid;
    case OP_Sum:
    case OP_Mean: return AIHLS_Add;
    default: return AIHLS_FUNCTION_COUNT;
    }
}

// Defaults are the standard's.
struct aihls_parameters ref_parameters(const struct node *n)
{
    float alpha = n->op == OP_LeakyRelu || n->op == OP_QLinearLeakyRelu ? 0.01f
                  : n->op == OP_HardSigmoid                            ? 0.2f
                  : n->op == OP_Selu                                   ? 1.67326319218681884765625f
                                                                       : 1.0f;
    switch ((int)n->op) {
    case OP_Shrink:
        return (struct aihls_parameters){ 0, (double)node_float(n, "lambd", 0.5f), (double)node_float(n, "bias", 0.0f) };
    case OP_IsInf:
        return (struct aihls_parameters){ node_int(n, "detect_positive", 1) != 0, node_int(n, "detect_negative", 1) != 0, 0 };
    case OP_Gelu:
        return (struct aihls_parameters){ strcmp(node_string(n, "approximate", "none"), "tanh") == 0, 0, 0 };
    default:
        return (struct aihls_parameters){ (double)node_float(n, "alpha", alpha), (double)node_float(n, "beta", 0.5f),
                                          (double)node_float(n, "gamma", 1.05070102214813232421875f) };
    }
}

static bool is_signed(enum dtype t)
{
    return t == DT_INT8 || t == DT_INT16 || t == DT_INT32 || t == DT_INT64;
}

bool ref_unary(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, r->n->op == OP_IsNaN || r->n->op == OP_IsInf ? DT_BOOL : x->dtype);
    enum aihls_function f = ref_function(r->n->op);
    struct aihls_parameters p = ref_parameters(r->n);
    int64_t count = array_count(x);
    if (r->n->op == OP_Relu && x->dtype == DT_FLOAT) { // the one that takes measurable time
        const float *from = x->data;
        float *to = y->data;
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i] < 0.0f ? 0.0f : from[i];
        return true;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t v;
        if (!dtype_is_float(x->dtype) && aihls_unary_integer(f, is_signed(x->dtype), array_i64(x, i), &v))
            array_set_i64(y, i, v);
        else
            array_set_f64(y, i, aihls_unary(f, &p, array_f64(x, i)));
    }
    return true;
}

// ---- arithmetic ----

// All-float operands of the four operations, which residual networks spend time in. Each result
// is rounded to float32 once either way.
static bool combine_f32(enum op op, int64_t count, const float *a, const float *b, float *y)
{
    switch ((int)op) {
    case OP_Add:
        for (int64_t i = 0; i < count; i++)
            y[i] = a[i] + b[i];
        return true;
    case OP_Sub:
        for (int64_t i = 0; i < count; i++)
            y[i] = a[i] - b[i];
        return true;
    case OP_Mul:
        for (int64_t i = 0; i < count; i++)
            y[i] = a[i] * b[i];
        return true;
    case OP_Div:
        for (int64_t i = 0; i < count; i++)
            y[i] = a[i] / b[i];
        return true;
    default:
        return false;
    }
}

// Operand k with the dimensions of the result. Where attribute `axis` says (before opset 7), its own begin there.
static const struct array *operand(struct ref *r, int k, const struct array *y)
{
    const struct array *x = ref_in(r, k);
    if (k == 0 || !node_attr(r->n, "axis"))
        return ref_broadcast(x, y->rank, y->dims, &r->scratch);
    struct array aligned = *x;
    for (int axis = legacy_axis(r->n); axis + aligned.rank < y->rank;)
        aligned.dims[aligned.rank++] = 1;
    struct array *wide = arena_new(&r->scratch, struct array);
    *wide = *ref_broadcast(&aligned, y->rank, y->dims, &r->scratch);
    return wide;
}

static void combine_arrays(const struct ref *r, const struct array *a, const struct array *b, struct array *y)
{
    enum op op = r->n->op;
    enum aihls_function f = ref_function(op);
    int64_t count = array_count(y);
    bool exact = !dtype_is_float(a->dtype) && !dtype_is_float(b->dtype);
    bool option = op == OP_Mod ? node_int(r->n, "fmod", 0) != 0 : node_string(r->n, "direction", "")[0] == 'R';
    if (a->dtype == DT_FLOAT && b->dtype == DT_FLOAT && combine_f32(op, count, a->data, b->data, y->data))
        return;
    for (int64_t i = 0; i < count; i++)
        if (exact)
            array_set_i64(y, i, aihls_binary_integer(f, is_signed(a->dtype), option, array_i64(a, i), array_i64(b, i)));
        else if (dtype_is_float(y->dtype))
            array_set_f64(y, i, aihls_binary(f, array_f64(a, i), array_f64(b, i)));
        else // an integer to the power of a fraction, or a comparison
            array_set_f64(y, i, trunc(aihls_binary(f, array_f64(a, i), array_f64(b, i))));
}

// Two operands, or any number for Min, Max, Sum and Mean: folded from the left.
bool ref_binary(struct ref *r)
{
    enum dtype t = ref_in(r, 0)->dtype;
    struct array *y = ref_out(r, 0, op_compares(r->n->op) ? DT_BOOL : t);
    int64_t count = array_count(y);
    const struct array *left = operand(r, 0, y);
    if (r->n_in == 1 && count)
        memcpy(y->data, left->data, (size_t)count * dtype_bytes(t));
    for (int k = 1; k < r->n_in; k++, left = y)
        combine_arrays(r, left, operand(r, k, y), y);
    for (int64_t i = 0; r->n->op == OP_Mean && i < count; i++)
        array_set_f64(y, i, array_f64(y, i) / r->n_in);
    return true;
}

// In this order: the maximum wins when the bounds are crossed. A NaN stays one.
static void clip_f32(int64_t count, const float *x, float min, float max, float *y)
{
    for (int64_t i = 0; i < count; i++) {
        float v = x[i] < min ? min : x[i];
        y[i] = v > max ? max : v;
    }
}

bool ref_clip(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *lo = ref_in(r, 1), *hi = ref_in(r, 2);
    double min = lo ? array_f64(lo, 0) : -INFINITY, max = hi ? array_f64(hi, 0) : INFINITY;
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t count = array_count(x);
    if (x->dtype == DT_FLOAT) {
        clip_f32(count, x->data, (float)min, (float)max, y->data);
        return true;
    }
    for (int64_t i = 0; i < count && !dtype_is_float(x->dtype); i++) {
        int64_t v = array_i64(x, i);
        v = lo ? aihls_binary_integer(AIHLS_Max, is_signed(x->dtype), false, v, array_i64(lo, 0)) : v;
        array_set_i64(y, i, hi ? aihls_binary_integer(AIHLS_Min, is_signed(x->dtype), false, v, array_i64(hi, 0)) : v);
    }
    for (int64_t i = 0; i < count && dtype_is_float(x->dtype); i++) {
        double v = array_f64(x, i);
        v = v < min ? min : v;
        array_set_f64(y, i, v > max ? max : v);
    }
    return true;
}

bool ref_where(struct ref *r)
{
    struct array *y = ref_out(r, 0, ref_in(r, 1)->dtype);
    const struct array *x[3];
    for (int k = 0; k < 3; k++)
        x[k] = ref_broadcast(ref_in(r, k), y->rank, y->dims, &r->scratch);
    for (int64_t i = 0; i < array_count(y); i++)
        ref_copy(y, i, x[array_i64(x[0], i) ? 1 : 2], i);
    return true;
}

// ---- quantization ----

struct ref_scale ref_scale_of(const struct node *n, const struct array *x, const struct array *scale,
                              const struct array *zero, int axis_default)
{
    struct ref_scale s = { .scale = scale, .zero = zero, .count = array_count(scale), .inner = 1 };
    if (s.count > 1)
        for (int i = axis_of(node_int(n, "axis", axis_default), x->rank) + 1; i < x->rank; i++)
            s.inner *= x->dims[i];
    return s;
}

static double zero_at(const struct ref_scale *s, int64_t i)
{
    return s->zero ? array_f64(s->zero, i) : 0.0;
}

struct array ref_dequantize(struct arena *a, const struct array *x, const struct ref_scale *s)
{
    struct array y = array_new(a, DT_FLOAT, x->rank, x->dims);
    float *to = y.data;
    int64_t count = array_count(x);
    for (int64_t from = 0, k = 0; from < count; k = (k + 1) % s->count) {
        int64_t end = s->count > 1 ? from + s->inner : count;
        double zero = zero_at(s, k), scale = array_f64(s->scale, k);
        for (; from < end; from++)
            to[from] = (float)((array_f64(x, from) - zero) * scale);
    }
    return y;
}

void ref_quantize(const struct array *x, const struct ref_scale *s, struct array *out)
{
    int64_t count = array_count(x);
    for (int64_t i = 0, k = 0; i < count; k = (k + 1) % s->count) {
        int64_t end = s->count > 1 ? i + s->inner : count;
        double zero = zero_at(s, k), scale = array_f64(s->scale, k);
        for (; i < end; i++) { // the quotient in double: float32 would make ties that are none
            double quotient = s->float32_quotient ? (double)((float)array_f64(x, i) / (float)scale) : array_f64(x, i) / scale;
            array_set_f64(out, i, rint(quotient) + zero);
        }
    }
}

bool ref_quantize_linear(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *zero = ref_in(r, 2);
    struct ref_scale s = ref_scale_of(r->n, x, ref_in(r, 1), zero, 1);
    s.float32_quotient = node_int(r->n, "float32_quotient", 0) != 0;
    ref_quantize(x, &s, ref_out(r, 0, r->n->out[0]->dtype));
    return true;
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

bool ref_clip_to_quantized(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *zero = ref_in(r, 2);
    if (!ref_need_f32(r, 0) || !ref_need_f32(r, 1))
        return false;
    struct ref_scale s = ref_scale_of(r->n, x, ref_in(r, 1), zero, 1);
    double lo = zero && zero->dtype == DT_INT8 ? -128 : 0;
    const float *from = x->data;
    float *to = ref_out_f32(r, 0);
    int64_t count = array_count(x);
    for (int64_t i = 0, k = 0; i < count; k = (k + 1) % s.count) {
        int64_t end = s.count > 1 ? i + s.inner : count;
        double z = zero_at(&s, k), scale = array_f64(s.scale, k);
        for (; i < end; i++)
            to[i] = (float)clamp((double)from[i], (lo - z) * scale, (lo + 255 - z) * scale);
    }
    return true;
}

bool ref_dequantize_linear(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct ref_scale s = ref_scale_of(r->n, x, ref_in(r, 1), ref_in(r, 2), 1);
    struct array y = ref_dequantize(r->a, x, &s);
    r->out[0] = y;
    if (ref_in(r, 1)->dtype == DT_FLOAT || ref_in(r, 1)->dtype == DT_DOUBLE)
        return true;
    struct array *typed = ref_out(r, 0, ref_in(r, 1)->dtype); // the scale's type
    for (int64_t i = 0; i < array_count(&y); i++)
        array_set_f64(typed, i, array_f64(&y, i));
    return true;
}

// To uint8 over the range of x, which contains 0. Scale and quotients are float32, as the operator is defined.
bool ref_dynamic_quantize(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    double lo = 0.0, hi = 0.0;
    for (int64_t i = 0; i < array_count(x); i++) {
        lo = fmin(lo, array_f64(x, i));
        hi = fmax(hi, array_f64(x, i));
    }
    float scale = ((float)hi - (float)lo) / 255.0f;
    double zero = scale > 0.0f ? rint(clamp((double)(0.0f - (float)lo / scale), 0.0, 255.0)) : 0.0;
    struct array *y = r->n->out[0] ? ref_out(r, 0, DT_UINT8) : NULL;
    if (r->n->out[1])
        array_set_f64(ref_out(r, 1, DT_FLOAT), 0, (double)scale);
    if (r->n->out[2])
        array_set_f64(ref_out(r, 2, DT_UINT8), 0, zero);
    for (int64_t i = 0; y && i < array_count(x); i++)
        array_set_f64(y, i, scale > 0.0f ? (double)rintf((float)array_f64(x, i) / scale) + zero : zero);
    return true;
}

// QONNX's rounding modes by name.
static double round_mode(const char *mode, double v)
{
    if (strcmp(mode, "CEIL") == 0)
        return ceil(v);
    if (strcmp(mode, "FLOOR") == 0)
        return floor(v);
    if (strcmp(mode, "ROUND_TO_ZERO") == 0 || strcmp(mode, "DOWN") == 0)
        return trunc(v);
    if (strcmp(mode, "UP") == 0)
        return v < 0.0 ? floor(v) : ceil(v);
    if (strcmp(mode, "HALF_UP") == 0)
        return v < 0.0 ? -floor(-v + 0.5) : floor(v + 0.5);
    if (strcmp(mode, "HALF_DOWN") == 0)
        return v < 0.0 ? -ceil(-v - 0.5) : ceil(v - 0.5);
    return rint(v); // ROUND, HALF_EVEN
}

// Quant: rounds x / scale + zero into the range of `bits` and scales back.
bool ref_quant(struct ref *r)
{
    if (!ref_need_f32(r, 0))
        return false;
    const struct array *x = ref_in(r, 0), *p[4];
    for (int k = 1; k < 4; k++)
        p[k] = ref_broadcast(ref_in(r, k), x->rank, x->dims, &r->scratch);
    bool is_signed = node_int(r->n, "signed", 1) != 0, narrow = node_int(r->n, "narrow", 0) != 0;
    const char *mode = node_string(r->n, "rounding_mode", "ROUND");
    struct array *y = ref_out(r, 0, DT_FLOAT);
    for (int64_t i = 0; i < array_count(x); i++) {
        double scale = array_f64(p[1], i), zero = array_f64(p[2], i), bits = array_f64(p[3], i);
        double lo = is_signed ? -exp2(bits - 1.0) + narrow : 0.0;
        double hi = is_signed ? exp2(bits - 1.0) - 1.0 : exp2(bits) - 1.0 - narrow;
        double q = round_mode(mode, clamp(array_f64(x, i) / scale + zero, lo, hi));
        array_set_f64(y, i, (q - zero) * scale);
    }
    return true;
}

bool ref_bipolar(struct ref *r)
{
    if (!ref_need_f32(r, 0))
        return false;
    const struct array *x = ref_in(r, 0);
    const struct array *scale = ref_broadcast(ref_in(r, 1), x->rank, x->dims, &r->scratch);
    struct array *y = ref_out(r, 0, DT_FLOAT);
    for (int64_t i = 0; i < array_count(x); i++)
        array_set_f64(y, i, array_f64(x, i) >= 0.0 ? array_f64(scale, i) : -array_f64(scale, i));
    return true;
}

// Trunc: integers of `in_bits` lose their lowest bits, down to `out_bits`.
bool ref_trunc(struct ref *r)
{
    if (!ref_need_f32(r, 0))
        return false;
    const struct array *x = ref_in(r, 0), *p[5];
    for (int k = 1; k < 5; k++)
        p[k] = ref_broadcast(ref_in(r, k), x->rank, x->dims, &r->scratch);
    const char *mode = node_string(r->n, "rounding_mode", "FLOOR");
    struct array *y = ref_out(r, 0, DT_FLOAT);
    for (int64_t i = 0; i < array_count(x); i++) {
        double scale = array_f64(p[1], i), zero = array_f64(p[2], i), unit = exp2(array_f64(p[3], i) - array_f64(p[4], i));
        double q = rint(array_f64(x, i) / scale + zero);
        array_set_f64(y, i, (round_mode(mode, q / unit) - zero) * scale);
    }
    return true;
}

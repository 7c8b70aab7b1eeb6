// SPDX-License-Identifier: Apache-2.0
// One element at a time: functions, arithmetic, quantization.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// ---- functions of one number ----

// Attributes of a function, read once. Defaults are the standard's.
struct params {
    double alpha, beta, gamma;
    double lambd, bias;      // Shrink
    bool positive, negative; // IsInf
    bool tanh_form;          // Gelu
};

static struct params read_params(const struct node *n)
{
    float alpha = n->op == OP_LeakyRelu || n->op == OP_QLinearLeakyRelu ? 0.01f
                  : n->op == OP_HardSigmoid                            ? 0.2f
                  : n->op == OP_Selu                                   ? 1.67326319217681884765625f
                                                                       : 1.0f;
    return (struct params){ .alpha = (double)node_float(n, "alpha", alpha),
                            .beta = (double)node_float(n, "beta", 0.5f),
                            .gamma = (double)node_float(n, "gamma", 1.05070102214813232421875f),
                            .lambd = (double)node_float(n, "lambd", 0.5f),
                            .bias = (double)node_float(n, "bias", 0.0f),
                            .positive = node_int(n, "detect_positive", 1) != 0,
                            .negative = node_int(n, "detect_negative", 1) != 0,
                            .tanh_form = strcmp(node_string(n, "approximate", "none"), "tanh") == 0 };
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

// x by the standard normal distribution's share below x, or the approximation of that by tanh.
static double gelu(double x, bool tanh_form)
{
    return tanh_form ? 0.5 * x * (1.0 + tanh(sqrt(2.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)))
                     : 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
}

// exempt from the length limit: one line for each function
static double apply(enum op op, const struct params *p, double x)
{
    switch ((int)op) {
    case OP_Relu: return x > 0.0 || isnan(x) ? x : 0.0;
    case OP_LeakyRelu:
    case OP_QLinearLeakyRelu: return x < 0.0 ? p->alpha * x : x;
    case OP_Sigmoid:
    case OP_QLinearSigmoid: return sigmoid(x);
    case OP_Tanh: return tanh(x);
    case OP_HardSigmoid: return clamp(p->alpha * x + p->beta, 0.0, 1.0);
    case OP_HardSwish: return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case OP_Elu: return x < 0.0 ? p->alpha * expm1(x) : x;
    case OP_Selu: return p->gamma * (x <= 0.0 ? p->alpha * expm1(x) : x);
    case OP_Celu: return fmax(x, 0.0) + fmin(0.0, p->alpha * expm1(x / p->alpha));
    case OP_Softplus: return fmax(x, 0.0) + log1p(exp(-fabs(x)));
    case OP_Softsign: return x / (1.0 + fabs(x));
    case OP_ThresholdedRelu: return x > p->alpha ? x : 0.0;
    case OP_Abs: return fabs(x);
    case OP_Neg: return -x;
    case OP_Sqrt: return sqrt(x);
    case OP_Exp: return exp(x);
    case OP_Log: return log(x);
    case OP_Erf: return erf(x);
    case OP_Sign: return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    case OP_Reciprocal: return 1.0 / x;
    case OP_Floor: return floor(x);
    case OP_Ceil: return ceil(x);
    case OP_Round: return rint(x); // half to even
    case OP_Sin: return sin(x);
    case OP_Cos: return cos(x);
    case OP_Tan: return tan(x);
    case OP_Asin: return asin(x);
    case OP_Acos: return acos(x);
    case OP_Atan: return atan(x);
    case OP_Sinh: return sinh(x);
    case OP_Cosh: return cosh(x);
    case OP_Asinh: return asinh(x);
    case OP_Acosh: return acosh(x);
    case OP_Atanh: return atanh(x);
    case OP_Gelu: return gelu(x, p->tanh_form);
    case OP_Swish: return x * sigmoid(p->alpha * x);
    case OP_Mish: return x * tanh(fmax(x, 0.0) + log1p(exp(-fabs(x))));
    case OP_Shrink: return x < -p->lambd ? x + p->bias : x > p->lambd ? x - p->bias : 0.0;
    case OP_IsNaN: return isnan(x);
    case OP_IsInf: return isinf(x) && (x > 0.0 ? p->positive : p->negative);
    default: BUG("%s is not a function of one number", op_info(op)->name);
    }
}

// The functions that integers have too, exactly.
static bool apply_integer(enum op op, bool is_signed, int64_t v, int64_t *out)
{
    bool negative = is_signed && v < 0;
    switch ((int)op) {
    case OP_Abs: *out = negative ? (int64_t)(0 - (uint64_t)v) : v; return true;
    case OP_Neg: *out = (int64_t)(0 - (uint64_t)v); return true;
    case OP_Sign: *out = negative ? -1 : v != 0; return true;
    case OP_Relu: *out = negative ? 0 : v; return true;
    case OP_Not: *out = !v; return true;
    case OP_BitwiseNot: *out = ~v; return true;
    default: return false;
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
    struct params p = read_params(r->n);
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
        if (!dtype_is_float(x->dtype) && apply_integer(r->n->op, is_signed(x->dtype), array_i64(x, i), &v))
            array_set_i64(y, i, v);
        else
            array_set_f64(y, i, apply(r->n->op, &p, array_f64(x, i)));
    }
    return true;
}

// ---- arithmetic ----

static double combine(enum op op, double a, double b)
{
    switch ((int)op) {
    case OP_Sum:
    case OP_Mean:
    case OP_Add: return a + b;
    case OP_Sub: return a - b;
    case OP_Mul: return a * b;
    case OP_Div: return a / b;
    case OP_Pow: return pow(a, b);
    case OP_Min: return isnan(a) || a < b ? a : b;
    case OP_Max: return isnan(a) || a > b ? a : b;
    case OP_Mod: return fmod(a, b);
    case OP_PRelu: return a < 0.0 ? a * b : a;
    case OP_Equal: return a == b;
    case OP_Greater: return a > b;
    case OP_GreaterOrEqual: return a >= b;
    case OP_Less: return a < b;
    case OP_LessOrEqual: return a <= b;
    default: BUG("%s is not a function of two numbers", op_info(op)->name);
    }
}

// Modulo 2^64; NumPy's integer powers wrap too.
static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t v = 1;
    for (; exponent; exponent >>= 1, base *= base)
        v *= exponent & 1 ? base : 1;
    return v;
}

// Division by an integer zero is not defined; 0 keeps it from being a trap. INT64_MIN / -1 wraps.
static int64_t divide(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

// The remainder with the sign of the divisor, or with `fmod` that of the dividend.
static int64_t modulo(int64_t a, int64_t b, bool like_c)
{
    int64_t m = b == 0 || b == -1 ? 0 : a % b;
    return !like_c && m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

// Integers and bool, exactly; results are cut to their type. `option`: fmod of Mod, "RIGHT" of BitShift.
// exempt from the length limit: one line for each function
static int64_t combine_integer(enum op op, bool is_signed_type, bool option, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    bool less = is_signed_type ? a < b : ua < ub;
    switch ((int)op) {
    case OP_Add: return (int64_t)(ua + ub);
    case OP_Sub: return (int64_t)(ua - ub);
    case OP_Mul: return (int64_t)(ua * ub);
    case OP_Div: return is_signed_type ? divide(a, b) : b ? (int64_t)(ua / ub) : 0;
    case OP_Mod: return is_signed_type ? modulo(a, b, option) : b ? (int64_t)(ua % ub) : 0;
    case OP_Pow: return is_signed_type && b < 0 ? (a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0) : (int64_t)power(ua, ub);
    case OP_Min: return less ? a : b;
    case OP_Max: return less ? b : a;
    case OP_PRelu: return is_signed_type && a < 0 ? (int64_t)(ua * ub) : a;
    case OP_And:
    case OP_BitwiseAnd: return a & b;
    case OP_Or:
    case OP_BitwiseOr: return a | b;
    case OP_Xor:
    case OP_BitwiseXor: return a ^ b;
    case OP_Equal: return a == b;
    case OP_Greater: return !less && a != b;
    case OP_GreaterOrEqual: return !less;
    case OP_Less: return less;
    case OP_LessOrEqual: return less || a == b;
    case OP_BitShift: return ub > 63 ? 0 : option ? (int64_t)(ua >> ub) : (int64_t)(ua << ub);
    default: BUG("%s is not a function of two integers", op_info(op)->name);
    }
}

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
    int64_t count = array_count(y);
    bool exact = !dtype_is_float(a->dtype) && !dtype_is_float(b->dtype);
    bool option = op == OP_Mod ? node_int(r->n, "fmod", 0) != 0 : node_string(r->n, "direction", "")[0] == 'R';
    if (a->dtype == DT_FLOAT && b->dtype == DT_FLOAT && combine_f32(op, count, a->data, b->data, y->data))
        return;
    for (int64_t i = 0; i < count; i++)
        if (exact)
            array_set_i64(y, i, combine_integer(op, is_signed(a->dtype), option, array_i64(a, i), array_i64(b, i)));
        else if (dtype_is_float(y->dtype))
            array_set_f64(y, i, combine(op, array_f64(a, i), array_f64(b, i)));
        else // an integer to the power of a fraction, or a comparison
            array_set_f64(y, i, trunc(combine(op, array_f64(a, i), array_f64(b, i))));
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

bool ref_clip(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *lo = ref_in(r, 1), *hi = ref_in(r, 2);
    double min = lo ? array_f64(lo, 0) : -INFINITY, max = hi ? array_f64(hi, 0) : INFINITY;
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t count = array_count(x);
    for (int64_t i = 0; i < count && !dtype_is_float(x->dtype); i++) {
        int64_t v = array_i64(x, i);
        v = lo ? combine_integer(OP_Max, is_signed(x->dtype), false, v, array_i64(lo, 0)) : v;
        array_set_i64(y, i, hi ? combine_integer(OP_Min, is_signed(x->dtype), false, v, array_i64(hi, 0)) : v);
    }
    for (int64_t i = 0; i < count && dtype_is_float(x->dtype); i++) {
        double v = array_f64(x, i);
        v = v < min ? min : v; // in this order: the maximum wins when the bounds are crossed
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

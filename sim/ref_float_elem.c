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
};

static struct params read_params(const struct node *n)
{
    float alpha = n->op == OP_LeakyRelu || n->op == OP_QLinearLeakyRelu ? 0.01f
                  : n->op == OP_HardSigmoid                            ? 0.2f
                  : n->op == OP_Selu                                   ? 1.67326319217681884765625f
                                                                       : 1.0f;
    return (struct params){ .alpha = (double)node_float(n, "alpha", alpha),
                            .beta = (double)node_float(n, "beta", 0.5f),
                            .gamma = (double)node_float(n, "gamma", 1.05070102214813232421875f) };
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
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
    default: BUG("%s is not a function of one number", op_info(op)->name);
    }
}

bool ref_unary(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    struct params p = read_params(r->n);
    int64_t count = array_count(x);
    if (r->n->op == OP_Relu && x->dtype == DT_FLOAT) { // the one that takes measurable time
        const float *from = x->data;
        float *to = y->data;
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i] < 0.0f ? 0.0f : from[i];
        return true;
    }
    for (int64_t i = 0; i < count; i++)
        array_set_f64(y, i, apply(r->n->op, &p, array_f64(x, i)));
    return true;
}

bool ref_clip(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *lo = ref_in(r, 1), *hi = ref_in(r, 2);
    double min = lo ? array_f64(lo, 0) : -INFINITY, max = hi ? array_f64(hi, 0) : INFINITY;
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t count = array_count(x);
    for (int64_t i = 0; i < count; i++) {
        double v = array_f64(x, i);
        v = v < min ? min : v; // in this order: the maximum wins when the bounds are crossed
        array_set_f64(y, i, v > max ? max : v);
    }
    return true;
}

// ---- arithmetic ----

static double combine(enum op op, bool integer, double a, double b)
{
    switch ((int)op) {
    case OP_Add: return a + b;
    case OP_Sub: return a - b;
    case OP_Mul: return a * b;
    // Division by an integer zero is not defined; 0 keeps it from being a trap.
    case OP_Div: return !integer ? a / b : b == 0.0 ? 0.0 : trunc(a / b);
    case OP_Pow: return pow(a, b);
    case OP_Min: return isnan(a) || a < b ? a : b;
    case OP_Max: return isnan(a) || a > b ? a : b;
    case OP_PRelu: return a < 0.0 ? a * b : a;
    default: BUG("%s is not a function of two numbers", op_info(op)->name);
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

// Two operands, or any number for Min and Max: folded from the left.
bool ref_binary(struct ref *r)
{
    enum op op = r->n->op;
    enum dtype t = ref_in(r, 0)->dtype;
    struct array *y = ref_out(r, 0, t);
    int64_t count = array_count(y);
    const struct array *left = ref_broadcast(ref_in(r, 0), y->rank, y->dims, &r->scratch);
    if (r->n_in == 1 && count)
        memcpy(y->data, left->data, (size_t)count * dtype_bytes(t));
    for (int k = 1; k < r->n_in; k++, left = y) {
        const struct array *right = ref_broadcast(ref_in(r, k), y->rank, y->dims, &r->scratch);
        if (t == DT_FLOAT && right->dtype == DT_FLOAT &&
            combine_f32(op, count, left->data, right->data, y->data))
            continue;
        for (int64_t i = 0; i < count; i++)
            array_set_f64(y, i, combine(op, t != DT_FLOAT, array_f64(left, i), array_f64(right, i)));
    }
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
    const float *from = x->data;
    int64_t count = array_count(x);
    for (int64_t i = 0, k = 0; i < count; k = (k + 1) % s->count) {
        int64_t end = s->count > 1 ? i + s->inner : count;
        double zero = zero_at(s, k), scale = array_f64(s->scale, k);
        for (; i < end; i++) // the quotient in double: float32 would make ties that are none
            array_set_f64(out, i, rint((double)from[i] / scale) + zero);
    }
}

bool ref_quantize_linear(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *zero = ref_in(r, 2);
    if (!ref_need_f32(r, 0) || !ref_need_f32(r, 1))
        return false;
    struct ref_scale s = ref_scale_of(r->n, x, ref_in(r, 1), zero, 1);
    ref_quantize(x, &s, ref_out(r, 0, zero ? zero->dtype : DT_UINT8));
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
    if (!ref_need_f32(r, 1))
        return false;
    struct ref_scale s = ref_scale_of(r->n, x, ref_in(r, 1), ref_in(r, 2), 1);
    struct array y = ref_dequantize(r->a, x, &s);
    r->out[0] = y;
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

// SPDX-License-Identifier: Apache-2.0
#include "aihls_function.h"

#include <math.h>

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

// x by the standard normal distribution's share below x, or the approximation of that by tanh.
static double gelu(double x, int tanh_form)
{
    return tanh_form ? 0.5 * x * (1.0 + tanh(sqrt(2.0 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)))
                     : 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
}

// exempt from the length limit: one line for each function
double aihls_unary(enum aihls_function f, const struct aihls_parameters *p, double x)
{
    switch ((int)f) {
    case AIHLS_Relu: return x > 0.0 || isnan(x) ? x : 0.0;
    case AIHLS_LeakyRelu: return x < 0.0 ? p->alpha * x : x;
    case AIHLS_Sigmoid: return sigmoid(x);
    case AIHLS_Tanh: return tanh(x);
    case AIHLS_HardSigmoid: return clamp(p->alpha * x + p->beta, 0.0, 1.0);
    case AIHLS_HardSwish: return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case AIHLS_Elu: return x < 0.0 ? p->alpha * expm1(x) : x;
    case AIHLS_Selu: return p->gamma * (x <= 0.0 ? p->alpha * expm1(x) : x);
    case AIHLS_Celu: return fmax(x, 0.0) + fmin(0.0, p->alpha * expm1(x / p->alpha));
    case AIHLS_Softplus: return fmax(x, 0.0) + log1p(exp(-fabs(x)));
    case AIHLS_Softsign: return x / (1.0 + fabs(x));
    case AIHLS_ThresholdedRelu: return x > p->alpha ? x : 0.0;
    case AIHLS_Abs: return fabs(x);
    case AIHLS_Neg: return -x;
    case AIHLS_Sqrt: return sqrt(x);
    case AIHLS_Exp: return exp(x);
    case AIHLS_Log: return log(x);
    case AIHLS_Erf: return erf(x);
    case AIHLS_Sign: return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    case AIHLS_Reciprocal: return 1.0 / x;
    case AIHLS_Floor: return floor(x);
    case AIHLS_Ceil: return ceil(x);
    case AIHLS_Round: return rint(x); // half to even
    case AIHLS_Sin: return sin(x);
    case AIHLS_Cos: return cos(x);
    case AIHLS_Tan: return tan(x);
    case AIHLS_Asin: return asin(x);
    case AIHLS_Acos: return acos(x);
    case AIHLS_Atan: return atan(x);
    case AIHLS_Sinh: return sinh(x);
    case AIHLS_Cosh: return cosh(x);
    case AIHLS_Asinh: return asinh(x);
    case AIHLS_Acosh: return acosh(x);
    case AIHLS_Atanh: return atanh(x);
    case AIHLS_Gelu: return gelu(x, p->alpha != 0.0);
    case AIHLS_Mish: return x * tanh(fmax(x, 0.0) + log1p(exp(-fabs(x))));
    case AIHLS_Swish: return x * sigmoid(p->alpha * x);
    case AIHLS_Shrink: return x < -p->beta ? x + p->gamma : x > p->beta ? x - p->gamma : 0.0;
    case AIHLS_IsNaN: return isnan(x);
    case AIHLS_IsInf: return isinf(x) && (x > 0.0 ? p->alpha : p->beta) != 0.0;
    default: return 0;
    }
}

int aihls_unary_integer(enum aihls_function f, int is_signed, int64_t v, int64_t *out)
{
    int negative = is_signed && v < 0;
    switch ((int)f) {
    case AIHLS_Abs: *out = negative ? (int64_t)(0 - (uint64_t)v) : v; return 1;
    case AIHLS_Neg: *out = (int64_t)(0 - (uint64_t)v); return 1;
    case AIHLS_Sign: *out = negative ? -1 : v != 0; return 1;
    case AIHLS_Relu: *out = negative ? 0 : v; return 1;
    case AIHLS_Not: *out = !v; return 1;
    case AIHLS_BitwiseNot: *out = ~v; return 1;
    default: return 0;
    }
}

double aihls_binary(enum aihls_function f, double a, double b)
{
    switch ((int)f) {
    case AIHLS_Add: return a + b;
    case AIHLS_Sub: return a - b;
    case AIHLS_Mul: return a * b;
    case AIHLS_Div: return a / b;
    case AIHLS_Pow: return pow(a, b);
    case AIHLS_Min: return isnan(a) || a < b ? a : b;
    case AIHLS_Max: return isnan(a) || a > b ? a : b;
    case AIHLS_Mod: return fmod(a, b);
    case AIHLS_PRelu: return a < 0.0 ? a * b : a;
    case AIHLS_Equal: return a == b;
    case AIHLS_Greater: return a > b;
    case AIHLS_GreaterOrEqual: return a >= b;
    case AIHLS_Less: return a < b;
    case AIHLS_LessOrEqual: return a <= b;
    default: return 0;
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
static int64_t modulo(int64_t a, int64_t b, int like_c)
{
    int64_t m = b == 0 || b == -1 ? 0 : a % b;
    return !like_c && m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

// exempt from the length limit: one line for each function
int64_t aihls_binary_integer(enum aihls_function f, int is_signed, int option, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    int less = is_signed ? a < b : ua < ub;
    switch ((int)f) {
    case AIHLS_Add: return (int64_t)(ua + ub);
    case AIHLS_Sub: return (int64_t)(ua - ub);
    case AIHLS_Mul: return (int64_t)(ua * ub);
    case AIHLS_Div: return is_signed ? divide(a, b) : b ? (int64_t)(ua / ub) : 0;
    case AIHLS_Mod: return is_signed ? modulo(a, b, option) : b ? (int64_t)(ua % ub) : 0;
    case AIHLS_Pow: return is_signed && b < 0 ? (a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0) : (int64_t)power(ua, ub);
    case AIHLS_Min: return less ? a : b;
    case AIHLS_Max: return less ? b : a;
    case AIHLS_PRelu: return is_signed && a < 0 ? (int64_t)(ua * ub) : a;
    case AIHLS_And:
    case AIHLS_BitwiseAnd: return a & b;
    case AIHLS_Or:
    case AIHLS_BitwiseOr: return a | b;
    case AIHLS_Xor:
    case AIHLS_BitwiseXor: return a ^ b;
    case AIHLS_Equal: return a == b;
    case AIHLS_Greater: return !less && a != b;
    case AIHLS_GreaterOrEqual: return !less;
    case AIHLS_Less: return less;
    case AIHLS_LessOrEqual: return less || a == b;
    case AIHLS_BitShift: return ub > 63 ? 0 : option ? (int64_t)(ua >> ub) : (int64_t)(ua << ub);
    default: return 0;
    }
}

double aihls_uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double aihls_normal(uint64_t *state)
{
    double radius = sqrt(-2.0 * log(1.0 - aihls_uniform(state)));
    return radius * cos(2.0 * 3.14159265358979323846 * aihls_uniform(state));
}

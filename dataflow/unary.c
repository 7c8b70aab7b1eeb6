// SPDX-License-Identifier: Apache-2.0
#include "dataflow/unary.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

static bool one_constant(const struct tensor *t)
{
    return t && t->data && tensor_count(t) == 1;
}

// The integers behind a constant DequantizeLinear, or t itself; NULL when t is computed.
static const struct tensor *constant_behind(const struct tensor *t)
{
    const struct node *dq = t->producer;
    if (t->data)
        return t;
    if (!dq || dq->op != OP_DequantizeLinear)
        return NULL;
    for (int k = 0; k < dq->n_in; k++)
        if (dq->in[k] && (!dq->in[k]->data || (k > 0 && tensor_count(dq->in[k]) != 1)))
            return NULL;
    return dq->in[0];
}

// Whether c is a constant with at most one axis that is longer than 1, and no axis more than x has, or longer.
static bool line_constant(const struct tensor *c, const struct tensor *x)
{
    int longer = 0;
    if (!constant_behind(c) || constant_behind(x) || c->rank > x->rank)
        return false;
    for (int i = 0; i < c->rank; i++) {
        if (c->dims[i] != 1 && c->dims[i] != x->dims[x->rank - c->rank + i])
            return false;
        longer += c->dims[i] != 1;
    }
    return longer <= 1;
}

static double constant_value(const struct tensor *t, int64_t channel)
{
    const struct tensor *q = constant_behind(t);
    int64_t i = tensor_count(q) == 1 ? 0 : channel;
    double v = tensor_const_f64(q, i);
    if (q == t)
        return v;
    const struct node *dq = t->producer;
    double zero = dq->n_in > 2 && dq->in[2] ? tensor_const_f64(dq->in[2], 0) : 0;
    return (v - zero) * tensor_const_f64(dq->in[1], 0);
}

bool unary_is(const struct node *n, int *in)
{
    *in = 0;
    switch ((int)n->op) {
    case OP_Relu: case OP_LeakyRelu: case OP_Sigmoid: case OP_Tanh: case OP_HardSigmoid:
    case OP_HardSwish: case OP_Elu: case OP_Selu: case OP_Celu: case OP_Softplus:
    case OP_Softsign: case OP_ThresholdedRelu: case OP_Abs: case OP_Neg: case OP_Sqrt:
    case OP_Exp: case OP_Log: case OP_Erf: case OP_Sign: case OP_Reciprocal: case OP_Floor:
    case OP_Ceil: case OP_Round: case OP_Sin: case OP_Cos: case OP_Identity:
    case OP_Gelu: case OP_Mish: case OP_Swish:
        return n->in[0] && !n->in[0]->data;
    case OP_Clip:
        return (n->n_in < 2 || !n->in[1] || one_constant(n->in[1])) &&
               (n->n_in < 3 || !n->in[2] || one_constant(n->in[2]));
    case OP_Add: case OP_Sub: case OP_Mul: case OP_Div: case OP_Pow: case OP_Min: case OP_Max:
        if (n->n_in != 2)
            return false;
        if (line_constant(n->in[1], n->in[0]))
            return true;
        *in = 1;
        return line_constant(n->in[0], n->in[1]);
    case OP_PRelu:
        return line_constant(n->in[1], n->in[0]);
    default:
        return false;
    }
}

int unary_axis(const struct node *n)
{
    int in;
    if (!unary_is(n, &in))
        BUG("not a function of one element");
    if (n->n_in != 2 || n->op == OP_Clip)
        return -1;
    const struct tensor *c = n->in[1 - in];
    for (int i = 0; i < c->rank; i++)
        if (c->dims[i] != 1)
            return n->in[in]->rank - c->rank + i;
    return -1;
}

bool unary_clamp(const struct node *n, double *lo, double *hi)
{
    *lo = -INFINITY;
    *hi = INFINITY;
    if (n->op == OP_Relu) {
        *lo = 0;
        return true;
    }
    int in;
    if (n->op != OP_Clip || !unary_is(n, &in))
        return false;
    if (n->n_in > 1 && n->in[1])
        *lo = tensor_const_f64(n->in[1], 0);
    if (n->n_in > 2 && n->in[2])
        *hi = tensor_const_f64(n->in[2], 0);
    *lo = *lo > *hi ? *hi : *lo; // ONNX: the upper bound wins
    return true;
}

static double binary_eval(const struct node *n, double x, int64_t channel)
{
    int in;
    if (!unary_is(n, &in))
        BUG("not a function of one element");
    double c = constant_value(n->in[1 - in], channel);
    double a = in == 0 ? x : c, b = in == 0 ? c : x;
    switch ((int)n->op) {
    case OP_Add: return a + b;
    case OP_Sub: return a - b;
    case OP_Mul: return a * b;
    case OP_Div: return a / b;
    case OP_Pow: return pow(a, b);
    case OP_Min: return a < b ? a : b;
    case OP_Max: return a > b ? a : b;
    case OP_PRelu: return x < 0 ? x * c : x;
    default: BUG("operator %d is no function of one element", (int)n->op);
    }
}

// Formulas and default attributes: ONNX operator documents.
double unary_eval(const struct node *n, double x, int64_t channel)
{
    double lo, hi;
    switch ((int)n->op) {
    case OP_Identity: return x;
    case OP_Relu:
    case OP_Clip:
        unary_clamp(n, &lo, &hi);
        x = x < lo ? lo : x;
        return x > hi ? hi : x;
    case OP_LeakyRelu: return x < 0 ? (double)node_float(n, "alpha", 0.01f) * x : x;
    case OP_Sigmoid: return 1 / (1 + exp(-x));
    case OP_Tanh: return tanh(x);
    case OP_HardSigmoid: {
        double y = (double)node_float(n, "alpha", 0.2f) * x + (double)node_float(n, "beta", 0.5f);
        return y < 0 ? 0 : y > 1 ? 1 : y;
    }
    case OP_HardSwish: {
        double y = x / 6 + 0.5;
        return x * (y < 0 ? 0 : y > 1 ? 1 : y);
    }
    case OP_Elu: return x < 0 ? (double)node_float(n, "alpha", 1.0f) * expm1(x) : x;
    case OP_Selu: {
        double alpha = (double)node_float(n, "alpha", 1.67326319217681884765625f);
        double gamma = (double)node_float(n, "gamma", 1.05070102214813232421875f);
        return gamma * (x > 0 ? x : alpha * expm1(x));
    }
    case OP_Celu: {
        double alpha = (double)node_float(n, "alpha", 1.0f);
        return x > 0 ? x : alpha * expm1(x / alpha);
    }
    case OP_Softplus: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case OP_Softsign: return x / (1 + fabs(x));
    case OP_ThresholdedRelu: return x > (double)node_float(n, "alpha", 1.0f) ? x : 0;
    case OP_Abs: return fabs(x);
    case OP_Neg: return -x;
    case OP_Sqrt: return sqrt(x);
    case OP_Exp: return exp(x);
    case OP_Log: return log(x);
    case OP_Erf: return erf(x);
    case OP_Sign: return (x > 0) - (x < 0);
    case OP_Reciprocal: return 1 / x;
    case OP_Floor: return floor(x);
    case OP_Ceil: return ceil(x);
    case OP_Round: return nearbyint(x); // half to even: the default rounding mode
    case OP_Sin: return sin(x);
    case OP_Cos: return cos(x);
    case OP_Gelu:
        if (strcmp(node_string(n, "approximate", "none"), "tanh") == 0)
            return 0.5 * x * (1 + tanh(M_2_SQRTPI * M_SQRT1_2 * (x + 0.044715 * x * x * x)));
        return 0.5 * x * (1 + erf(x * M_SQRT1_2));
    case OP_Mish: return x * tanh(x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
    case OP_Swish: return x / (1 + exp(-(double)node_float(n, "alpha", 1.0f) * x));
    default: return binary_eval(n, x, channel);
    }
}

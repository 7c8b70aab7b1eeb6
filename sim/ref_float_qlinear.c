// SPDX-License-Identifier: Apache-2.0
// QLinear operators: dequantize the operands, compute in float, quantize the result.
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

// Where the operands of each form stand: (x, scale, zero point) from a and from b, a plain bias, and
// the result's (scale, zero point); -1 where there is none.
struct layout {
    enum op op, plain;
    int a, b, bias, result;
};

static const struct layout layouts[] = {
    { OP_QLinearConv, OP_Conv, 0, 3, 8, 6 },
    { OP_QLinearMatMul, OP_MatMul, 0, 3, -1, 6 },
    { OP_QGemm, OP_Gemm, 0, 3, 6, 7 },
    { OP_QLinearAdd, OP_Add, 0, 3, -1, 6 },
    { OP_QLinearMul, OP_Mul, 0, 3, -1, 6 },
    { OP_QLinearAveragePool, OP_AveragePool, 0, -1, -1, 3 },
    { OP_QLinearGlobalAveragePool, OP_GlobalAveragePool, 0, -1, -1, 3 },
    { OP_QLinearSigmoid, OP_Sigmoid, 0, -1, -1, 3 },
    { OP_QLinearLeakyRelu, OP_LeakyRelu, 0, -1, -1, 3 },
    { OP_QLinearReduceMean, OP_ReduceMean, 0, -1, -1, 3 },
    { OP_QLinearSoftmax, OP_Softmax, 0, -1, -1, 3 },
};

static const struct layout *layout_of(enum op op)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].op == op)
            return &layouts[i];
    BUG("%s has no layout", op_info(op)->name);
}

// Operand k of r as float32. Weights per output channel: dimension 0 of a convolution, the last
// one of a matrix.
static const struct array *operand(struct ref *r, int k, bool weights, enum op plain)
{
    const struct array *x = ref_in(r, k);
    struct array *y = arena_new(&r->scratch, struct array);
    struct node axis_only = { .op = r->n->op };
    int axis = plain == OP_Conv || (plain == OP_Gemm && node_int(r->n, "transB", 0)) ? 0 : x->rank - 1;
    if (!weights && plain == OP_MatMul && x->rank > 1)
        axis = x->rank - 2; // QLinearMatMul's a: one scale for each row
    struct ref_scale s = ref_scale_of(&axis_only, x, ref_in(r, k + 1), ref_in(r, k + 2), axis);
    *y = ref_dequantize(&r->scratch, x, &s);
    return y;
}

// The int32 bias counts in units of (alpha *) scale_a * scale_b. Exact in double, one rounding to float32.
static const struct array *bias_operand(struct ref *r, const struct layout *l)
{
    const struct array *bias = ref_in(r, l->bias), *sa = ref_in(r, l->a + 1), *sb = ref_in(r, l->b + 1);
    struct array *y = arena_new(&r->scratch, struct array);
    *y = array_new(&r->scratch, DT_FLOAT, bias->rank, bias->dims);
    int64_t n_scales = array_count(sb);
    double alpha = l->plain == OP_Gemm ? (double)node_float(r->n, "alpha", 1.0f) : 1.0;
    for (int64_t i = 0; i < array_count(bias); i++)
        array_set_f64(y, i, alpha * array_f64(bias, i) * array_f64(sa, 0) * array_f64(sb, i % n_scales));
    return y;
}

static bool run_plain(struct ref *r, const struct node *n, const struct array *const *in, int n_in,
                      struct array *out)
{
    struct ref plain = *r;
    plain.n = n;
    plain.in = in;
    plain.n_in = n_in;
    plain.out = out;
    plain.scratch = (struct arena){ 0 };
    plain.a = &r->scratch;
    bool ok = n->op == OP_Conv                                               ? ref_conv(&plain)
              : n->op == OP_MatMul                                           ? ref_matmul(&plain)
              : n->op == OP_Gemm                                             ? ref_gemm(&plain)
              : n->op == OP_Add || n->op == OP_Mul                           ? ref_binary(&plain)
              : n->op == OP_AveragePool || n->op == OP_GlobalAveragePool     ? ref_pool(&plain)
              : n->op == OP_ReduceMean                                       ? ref_reduce(&plain)
              : n->op == OP_Softmax                                          ? ref_softmax(&plain)
              : n->op == OP_Concat                                           ? ref_concat(&plain)
                                                                             : ref_unary(&plain);
    arena_release(&plain.scratch);
    return ok;
}

static bool finish(struct ref *r, const struct array *y, int result)
{
    const struct array *scale = ref_in(r, result), *zero = ref_in(r, result + 1);
    if (!scale) { // QGemm without a result scale gives float32
        memcpy(ref_out_f32(r, 0), y->data, (size_t)array_count(y) * sizeof(float));
        return true;
    }
    struct node no_axis = { .op = r->n->op };
    struct ref_scale s = ref_scale_of(&no_axis, y, scale, zero, y->rank > 1 ? y->rank - 2 : 0);
    ref_quantize(y, &s, ref_out(r, 0, r->n->out[0]->dtype));
    return true;
}

// Y_scale, Y_zero_point, then (x, scale, zero point) for each part.
static bool qlinear_concat(struct ref *r)
{
    int parts = (r->n_in - 2) / 3;
    const struct array **in = arena_array(&r->scratch, const struct array *, parts);
    struct node plain = *r->n;
    struct array y = { 0 };
    plain.op = OP_Concat;
    for (int k = 0; k < parts; k++)
        in[k] = operand(r, 2 + 3 * k, false, OP_Concat);
    return run_plain(r, &plain, in, parts, &y) && finish(r, &y, 0);
}

bool ref_qlinear(struct ref *r)
{
    if (r->n->op == OP_QLinearConcat)
        return qlinear_concat(r);
    const struct layout *l = layout_of(r->n->op);
    const struct array *in[3] = { operand(r, l->a, false, l->plain) };
    int n_in = 1;
    if (l->b >= 0)
        in[n_in++] = operand(r, l->b, true, l->plain);
    if (l->bias >= 0 && ref_in(r, l->bias))
        in[n_in++] = bias_operand(r, l);
    // The same node by another name: attributes carry over, geometry reads the weights' shape.
    struct node plain = *r->n;
    struct tensor *ports[3] = { r->n->in[l->a], l->b >= 0 ? r->n->in[l->b] : NULL, NULL };
    struct array y = { 0 };
    plain.op = l->plain;
    plain.in = ports;
    plain.n_in = l->b >= 0 ? 2 : 1;
    return run_plain(r, &plain, in, n_in, &y) && finish(r, &y, l->result);
}

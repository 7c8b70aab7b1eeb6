// SPDX-License-Identifier: Apache-2.0
#include "sim/ref_float.h"

#include "base/check.h"
#include "sim/ref_float_impl.h"

const struct array *ref_in(const struct ref *r, int k)
{
    return k < r->n_in ? r->in[k] : NULL;
}

struct array *ref_out(struct ref *r, int k, enum dtype t)
{
    const struct tensor *shape = r->n->out[k];
    r->out[k] = array_new(r->a, t, shape->rank, shape->dims);
    return &r->out[k];
}

float *ref_out_f32(struct ref *r, int k)
{
    return ref_out(r, k, DT_FLOAT)->data;
}

bool ref_type_error(struct ref *r, int k)
{
    return diag_error(r->cx, E207, at_node(r->g, r->n), NULL, "input %d of type %s cannot be evaluated", k,
                      dtype_name(r->in[k]->dtype));
}

bool ref_need_f32(struct ref *r, int k)
{
    return r->in[k]->dtype == DT_FLOAT || ref_type_error(r, k);
}

typedef bool evaluator(struct ref *r);

// exempt from the length limit: one line for each operator
static evaluator *evaluator_of(enum op op)
{
    switch (op) {
    case OP_Conv: return ref_conv;
    case OP_ConvTranspose: return ref_conv_transpose;
    case OP_Gemm: return ref_gemm;
    case OP_MatMul: return ref_matmul;
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_LpPool:
    case OP_GlobalLpPool:
    case OP_GlobalAveragePool:
    case OP_GlobalMaxPool: return ref_pool;
    case OP_BatchNormalization: return ref_batchnorm;
    case OP_Transpose: return ref_transpose;
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity:
    case OP_Dropout: return ref_same_order;
    case OP_Concat: return ref_concat;
    case OP_Split: return ref_split;
    case OP_Slice: return ref_slice;
    case OP_Gather: return ref_gather;
    case OP_Pad: return ref_pad;
    case OP_Shape: return ref_shape;
    case OP_Expand: return ref_expand;
    case OP_ConstantOfShape: return ref_constant_of_shape;
    case OP_Cast: return ref_cast;
    case OP_Resize: return ref_resize;
    case OP_DepthToSpace:
    case OP_SpaceToDepth: return ref_depth_space;
    case OP_Tile: return ref_tile;
    case OP_ReduceMax:
    case OP_ReduceSum:
    case OP_ReduceMean: return ref_reduce;
    case OP_ArgMax: return ref_argmax;
    case OP_Softmax:
    case OP_LogSoftmax: return ref_softmax;
    case OP_Clip: return ref_clip;
    case OP_QuantizeLinear: return ref_quantize_linear;
    case OP_DequantizeLinear: return ref_dequantize_linear;
    case OP_Quant: return ref_quant;
    case OP_BipolarQuant: return ref_bipolar;
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Pow:
    case OP_Min:
    case OP_Max:
    case OP_PRelu: return ref_binary;
    case OP_Abs:
    case OP_Ceil:
    case OP_Celu:
    case OP_Cos:
    case OP_Elu:
    case OP_Erf:
    case OP_Exp:
    case OP_Floor:
    case OP_HardSigmoid:
    case OP_HardSwish:
    case OP_LeakyRelu:
    case OP_Log:
    case OP_Neg:
    case OP_Reciprocal:
    case OP_Relu:
    case OP_Round:
    case OP_Selu:
    case OP_Sigmoid:
    case OP_Sign:
    case OP_Sin:
    case OP_Softplus:
    case OP_Softsign:
    case OP_Sqrt:
    case OP_Tanh:
    case OP_ThresholdedRelu: return ref_unary;
    case OP_QLinearConv:
    case OP_QLinearMatMul:
    case OP_QGemm:
    case OP_QLinearAdd:
    case OP_QLinearMul:
    case OP_QLinearAveragePool:
    case OP_QLinearGlobalAveragePool:
    case OP_QLinearSigmoid:
    case OP_QLinearLeakyRelu:
    case OP_QLinearReduceMean:
    case OP_QLinearSoftmax:
    case OP_QLinearConcat: return ref_qlinear;
    case OP_Constant: // a constant since it was read
    case OP_Upsample: // a Resize since it was read
    case OP_COUNT: break;
    }
    return NULL;
}

bool ref_float_supports(enum op op)
{
    return evaluator_of(op) != NULL;
}

bool ref_float_node(const struct ctx *cx, const struct graph *g, const struct node *n,
                    struct arena *a, const struct array *const *in, struct array *out)
{
    evaluator *evaluate = evaluator_of(n->op);
    if (!evaluate)
        return diag_error(cx, E201, at_node(g, n), NULL, "%s cannot be evaluated", op_info(n->op)->name);
    struct ref r = { .cx = cx, .g = g, .n = n, .a = a, .in = in, .n_in = n->n_in, .out = out };
    bool ok = evaluate(&r);
    arena_release(&r.scratch);
    return ok;
}

// A constant as an array. Evaluators only read their inputs.
static struct array of_constant(const struct tensor *t)
{
    struct array x = { .dtype = t->dtype, .rank = t->rank };
    union { const void *from; void *to; } data = { .from = t->data };
    for (int i = 0; i < t->rank; i++)
        x.dims[i] = t->dims[i];
    x.data = data.to;
    return x;
}

// Whether n gives real numbers where it is given real numbers for the integers that it is meant for.
static bool only_moves(const struct node *n)
{
    switch ((int)n->op) {
    case OP_MaxPool:
    case OP_GlobalMaxPool:
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity:
    case OP_Transpose:
    case OP_Concat:
    case OP_Split:
    case OP_Slice:
    case OP_Gather:
    case OP_DepthToSpace:
    case OP_SpaceToDepth:
    case OP_Tile:
    case OP_Expand: return true;
    default: return false;
    }
}

// A node where real numbers stand for integers.
static bool unrounded_node(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                           const struct array *const *in, struct array *out)
{
    const struct tensor *first = n->n_in ? n->in[0] : NULL;
    bool real = first && in[0]->dtype == DT_FLOAT && first->dtype != DT_FLOAT;
    if (first && n->op == OP_QuantizeLinear && !first->data) {
        struct ref r = { .cx = cx, .g = g, .n = n, .a = a, .in = in, .n_in = n->n_in, .out = out };
        return ref_clip_to_quantized(&r);
    }
    if (real && n->op == OP_DequantizeLinear) {
        *out = *in[0];
        return true;
    }
    if (real && !only_moves(n))
        return diag_error(cx, E207, at_node(g, n), NULL, "%s of integers has no meaning for real numbers", op_info(n->op)->name);
    return ref_float_node(cx, g, n, a, in, out);
}

typedef bool node_function(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                           const struct array *const *in, struct array *out);

static bool run_node(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                     node_function *evaluate, struct array *values)
{
    struct arena scratch = { 0 };
    struct array *constants = arena_array(&scratch, struct array, n->n_in);
    const struct array **in = arena_array(&scratch, const struct array *, n->n_in);
    struct array *out = arena_array(&scratch, struct array, n->n_out);
    for (int k = 0; k < n->n_in; k++) {
        const struct tensor *t = n->in[k];
        if (!t)
            continue;
        constants[k] = t->data ? of_constant(t) : (struct array){ .dtype = DT_NONE };
        in[k] = t->data ? &constants[k] : &values[t->index];
    }
    bool ok = evaluate(cx, g, n, a, in, out);
    for (int k = 0; ok && k < n->n_out; k++)
        if (n->out[k])
            values[n->out[k]->index] = out[k];
    arena_release(&scratch);
    return ok;
}

static bool run_graph(const struct ctx *cx, const struct graph *g, struct arena *a, const struct array *inputs,
                      node_function *evaluate, struct array *values)
{
    for (int i = 0; i < g->n_inputs; i++)
        values[g->inputs[i]->index] = inputs[i];
    for (int i = 0; i < g->n_nodes; i++)
        if (!run_node(cx, g, g->nodes[i], a, evaluate, values))
            return false;
    return true;
}

bool ref_float_graph(const struct ctx *cx, const struct graph *g, struct arena *a,
                     const struct array *inputs, struct array *values)
{
    return run_graph(cx, g, a, inputs, ref_float_node, values);
}

bool ref_float_unrounded(const struct ctx *cx, const struct graph *g, struct arena *a,
                         const struct array *inputs, struct array *values)
{
    return run_graph(cx, g, a, inputs, unrounded_node, values);
}

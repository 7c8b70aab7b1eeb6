// SPDX-License-Identifier: Apache-2.0
#include "sim/ref_float.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
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

struct array *ref_out_shaped(struct ref *r, int k, enum dtype t, int rank, const int64_t *dims)
{
    r->out[k] = array_new(r->a, t, rank, dims);
    return &r->out[k];
}

bool ref_value_error(struct ref *r, const char *what, int64_t value)
{
    return diag_error(r->cx, E204, at_node(r->g, r->n), NULL, "%s %" PRId64 " does not fit the operands", what, value);
}

int ref_compare(const struct array *x, int64_t i, int64_t k)
{
    if (!dtype_is_float(x->dtype)) {
        int64_t a = array_i64(x, i), b = array_i64(x, k);
        return x->dtype == DT_UINT64 ? ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b) : (a > b) - (a < b);
    }
    double a = array_f64(x, i), b = array_f64(x, k);
    return isnan(a) || isnan(b) ? (isnan(a) != 0) - (isnan(b) != 0) : (a > b) - (a < b);
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
    case OP_Identity: return ref_same_order;
    case OP_Dropout: return ref_dropout;
    case OP_Concat: return ref_concat;
    case OP_Split: return ref_split;
    case OP_Slice: return ref_slice;
    case OP_Gather: return ref_gather;
    case OP_Pad: return ref_pad;
    case OP_Shape: return ref_shape;
    case OP_Expand: return ref_expand;
    case OP_ConstantOfShape: return ref_constant_of_shape;
    case OP_CastLike:
    case OP_Cast: return ref_cast;
    case OP_Resize: return ref_resize;
    case OP_DepthToSpace:
    case OP_SpaceToDepth: return ref_depth_space;
    case OP_Tile: return ref_tile;
    case OP_ReduceL1:
    case OP_ReduceL2:
    case OP_ReduceLogSum:
    case OP_ReduceLogSumExp:
    case OP_ReduceMax:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceSum:
    case OP_ReduceSumSquare:
    case OP_ReduceMean: return ref_reduce;
    case OP_ArgMin:
    case OP_ArgMax: return ref_argmax;
    case OP_Softmax:
    case OP_Hardmax:
    case OP_LogSoftmax: return ref_softmax;
    case OP_CumSum: return ref_cumsum;
    case OP_TopK: return ref_top_k;
    case OP_GatherElements: return ref_gather_elements;
    case OP_Scatter:
    case OP_ScatterElements: return ref_scatter_elements;
    case OP_GatherND: return ref_gather_nd;
    case OP_ScatterND: return ref_scatter_nd;
    case OP_OneHot: return ref_one_hot;
    case OP_Trilu: return ref_trilu;
    case OP_EyeLike: return ref_eye_like;
    case OP_Range: return ref_range;
    case OP_ReverseSequence: return ref_reverse_sequence;
    case OP_Size: return ref_size;
    case OP_NonZero: return ref_non_zero;
    case OP_Compress: return ref_compress;
    case OP_Unique: return ref_unique;
    case OP_TfIdfVectorizer: return ref_tf_idf;
    case OP_LayerNormalization:
    case OP_RMSNormalization: return ref_layer_norm;
    case OP_InstanceNormalization:
    case OP_GroupNormalization: return ref_channel_norm;
    case OP_LRN: return ref_lrn;
    case OP_LpNormalization: return ref_lp_norm;
    case OP_MeanVarianceNormalization: return ref_mean_variance;
    case OP_Det: return ref_det;
    case OP_Einsum: return ref_einsum;
    case OP_Attention: return ref_attention;
    case OP_NegativeLogLikelihoodLoss:
    case OP_SoftmaxCrossEntropyLoss: return ref_loss;
    case OP_RNN:
    case OP_GRU:
    case OP_LSTM: return ref_recurrent;
    case OP_RoiAlign: return ref_roi_align;
    case OP_MaxRoiPool: return ref_max_roi_pool;
    case OP_GridSample: return ref_grid_sample;
    case OP_NonMaxSuppression: return ref_non_max_suppression;
    case OP_DFT: return ref_dft;
    case OP_STFT: return ref_stft;
    case OP_BlackmanWindow:
    case OP_HammingWindow:
    case OP_HannWindow: return ref_window;
    case OP_MelWeightMatrix: return ref_mel_weights;
    case OP_RandomNormal:
    case OP_RandomNormalLike:
    case OP_RandomUniform:
    case OP_RandomUniformLike: return ref_random;
    case OP_Bernoulli: return ref_bernoulli;
    case OP_Multinomial: return ref_multinomial;
    case OP_If: return ref_if;
    case OP_Loop: return ref_loop;
    case OP_Scan: return ref_scan;
    case OP_MaxUnpool: return ref_max_unpool;
    case OP_ConvInteger: return ref_conv_integer;
    case OP_MatMulInteger: return ref_matmul;
    case OP_DynamicQuantizeLinear: return ref_dynamic_quantize;
    case OP_Where: return ref_where;
    case OP_Clip: return ref_clip;
    case OP_QuantizeLinear: return ref_quantize_linear;
    case OP_DequantizeLinear: return ref_dequantize_linear;
    case OP_Quant: return ref_quant;
    case OP_BipolarQuant: return ref_bipolar;
    case OP_Trunc: return ref_trunc;
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Pow:
    case OP_Min:
    case OP_Max:
    case OP_And:
    case OP_Or:
    case OP_Xor:
    case OP_Equal:
    case OP_Greater:
    case OP_GreaterOrEqual:
    case OP_Less:
    case OP_LessOrEqual:
    case OP_BitShift:
    case OP_BitwiseAnd:
    case OP_BitwiseOr:
    case OP_BitwiseXor:
    case OP_Mod:
    case OP_Sum:
    case OP_Mean:
    case OP_PRelu: return ref_binary;
    case OP_Acos:
    case OP_Acosh:
    case OP_Asin:
    case OP_Asinh:
    case OP_Atan:
    case OP_Atanh:
    case OP_BitwiseNot:
    case OP_Cosh:
    case OP_Gelu:
    case OP_IsInf:
    case OP_IsNaN:
    case OP_Mish:
    case OP_Not:
    case OP_Shrink:
    case OP_Sinh:
    case OP_Swish:
    case OP_Tan:
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

bool ref_float_is_random(enum op op)
{
    return op == OP_Bernoulli || op == OP_Multinomial || op == OP_RandomNormal || op == OP_RandomNormalLike ||
           op == OP_RandomUniform || op == OP_RandomUniformLike;
}

bool ref_charge(const struct ctx *cx, const struct graph *g, const struct node *n, int64_t *budget, int64_t cost)
{
    if (!budget || cost <= *budget) {
        if (budget)
            *budget -= cost;
        return true;
    }
    return diag_error(cx, E206, at_node(g, n), "run a simplifier on the model", "computing the node while compiling would take too long");
}

bool ref_spend(struct ref *r, double cost)
{
    return ref_charge(r->cx, r->g, r->n, r->budget, cost < 0x1p62 ? (int64_t)cost : INT64_MAX);
}

static bool is_empty(const struct tensor *t)
{
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] == 0)
            return true;
    return false;
}

// Where every output is empty: its other dimensions may be as large as they like, and so would be loops over them. What bodies
// do decides their outputs' shapes.
static bool compute_nothing(const struct node *n, struct arena *a, struct array *out)
{
    if (n->op == OP_If || n->op == OP_Loop || n->op == OP_Scan)
        return false;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && !is_empty(n->out[i]))
            return false;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            out[i] = array_new(a, n->out[i]->dtype, n->out[i]->rank, n->out[i]->dims);
    return true;
}

bool ref_float_node_within(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                           const struct array *const *in, struct array *out, int64_t *budget)
{
    evaluator *evaluate = evaluator_of(n->op);
    if (!evaluate)
        return diag_error(cx, E201, at_node(g, n), NULL, "%s cannot be evaluated", op_info(n->op)->name);
    if (compute_nothing(n, a, out))
        return true;
    struct diag silent = { .out = NULL };
    struct ctx quiet = { cx->arena, &silent };
    bool maybe = node_attr(n, MAYBE_MARK);
    struct ref r = { .cx = maybe ? &quiet : cx, .g = g, .n = n, .a = a, .in = in, .n_in = n->n_in, .out = out, .budget = budget };
    bool ok = evaluate(&r);
    arena_release(&r.scratch);
    for (int i = 0; !ok && maybe && i < n->n_out; i++)
        if (n->out[i])
            out[i] = array_new(a, n->out[i]->dtype, n->out[i]->rank, n->out[i]->dims);
    return ok || maybe;
}

bool ref_float_node(const struct ctx *cx, const struct graph *g, const struct node *n,
                    struct arena *a, const struct array *const *in, struct array *out)
{
    return ref_float_node_within(cx, g, n, a, in, out, NULL);
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
                           const struct array *const *in, struct array *out, int64_t *budget)
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
    return ref_float_node_within(cx, g, n, a, in, out, budget);
}

typedef bool node_function(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                           const struct array *const *in, struct array *out, int64_t *budget);

static bool run_node(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                     node_function *evaluate, struct array *values, int64_t *budget)
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
    bool ok = evaluate(cx, g, n, a, in, out, budget);
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
        if (!run_node(cx, g, g->nodes[i], a, evaluate, values, NULL))
            return false;
    return true;
}

bool ref_float_graph(const struct ctx *cx, const struct graph *g, struct arena *a,
                     const struct array *inputs, struct array *values)
{
    return run_graph(cx, g, a, inputs, ref_float_node_within, values);
}

bool ref_float_unrounded(const struct ctx *cx, const struct graph *g, struct arena *a,
                         const struct array *inputs, struct array *values)
{
    return run_graph(cx, g, a, inputs, unrounded_node, values);
}

static void set_type(struct tensor *t, const struct array *x)
{
    t->dtype = x->dtype;
    t->rank = x->rank;
    memcpy(t->dims, x->dims, sizeof t->dims);
}

// A node costs more than the elements that it computes: shapes are inferred, memory is taken.
#define NODE_COST 64

// What evaluating a node whose outputs have shapes takes.
static int64_t cost_of(const struct node *n)
{
    int64_t cost = NODE_COST;
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k] && n->out[k]->rank >= 0 && !add_i64(cost, tensor_count(n->out[k]), &cost))
            return INT64_MAX;
    return cost;
}

bool ref_float_run_within(const struct ctx *cx, struct graph *g, struct arena *a, const struct array *inputs,
                          struct array *outputs, int64_t *budget)
{
    struct array *values = arena_array(a, struct array, g->n_tensors);
    int n_values = g->n_tensors;
    if (budget && (*budget -= NODE_COST) < 0) // a body may have no nodes at all
        return diag_error(cx, E206, g->file, "run a simplifier on the model", "computing the graph while compiling would take too long");
    for (int i = 0; i < g->n_inputs; i++) {
        values[g->inputs[i]->index] = inputs[i];
        set_type(g->inputs[i], &inputs[i]);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        if (!shape_infer_running(cx, g, n, values) || !ref_charge(cx, g, n, budget, cost_of(n)) || !run_node(cx, g, n, a, ref_float_node_within, values, budget))
            return false;
        for (int k = 0; k < n->n_out; k++)
            if (n->out[k])
                set_type(n->out[k], &values[n->out[k]->index]);
    }
    ASSERT(g->n_tensors == n_values); // inference adds constants where shapes are fixed only
    for (int i = 0; i < g->n_outputs; i++)
        outputs[i] = g->outputs[i]->data ? of_constant(g->outputs[i]) : values[g->outputs[i]->index];
    return true;
}

bool ref_run_body(struct ref *r, struct graph *body, struct arena *a, const struct array *inputs, struct array *outputs)
{
    return ref_float_run_within(r->cx, body, a, inputs, outputs, r->budget);
}

bool ref_float_run(const struct ctx *cx, struct graph *g, struct arena *a, const struct array *inputs, struct array *outputs)
{
    return ref_float_run_within(cx, g, a, inputs, outputs, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Nodes of the graph as operators of the run-time library.
#include <string.h>

#include "base/check.h"
#include "dataflow/move.h"
#include "frontend/shape.h"
#include "sim/host_impl.h"
#include "sim/ref_float.h"
#include "sim/ref_float_impl.h"

// Of a pool's kernel and dilation: what goes beyond is somebody's joke.
#define MAX_WINDOW 4096
#define MAX_TAPS (MAX_WINDOW * MAX_WINDOW)

bool host_parameters(struct draft *d, const int64_t *v, int n)
{
    int32_t *p = arena_array(d->b->a, int32_t, d->n_p + n);
    if (d->n_p)
        memcpy(p, d->p, (size_t)d->n_p * sizeof *p);
    for (int i = 0; i < n; i++) {
        p[d->n_p + i] = (int32_t)v[i];
        d->too_large |= v[i] != p[d->n_p + i];
    }
    d->p = p;
    d->n_p += n;
    return true;
}

bool host_factors(struct draft *d, const double *v, int n)
{
    d->f = arena_array(d->b->a, double, n);
    memcpy(d->f, v, (size_t)n * sizeof *v);
    d->n_f = n;
    return true;
}

void host_add(struct draft *d)
{
    struct host_builder *b = d->b;
    int32_t *in = arena_array(b->a, int32_t, d->n_in), *out = arena_array(b->a, int32_t, d->n_out);
    for (int k = 0; k < d->n_in; k++)
        in[k] = host_value(b, d->in[k]);
    for (int k = 0; k < d->n_out; k++)
        out[k] = host_value(b, d->out[k]);
    struct aihls_host_op op = { .run = d->run, .pass = d->pass, .n_in = d->n_in, .n_out = d->n_out, .in = in, .out = out, .p = d->p, .f = d->f, .table = d->table };
    struct host_op_text text = { d->function, d->n->name[0] ? d->n->name : op_info(d->n->op)->name, d->n_p, d->n_f, d->n_table };
    arena_push(b->a, b->ops, b->n_ops, b->cap_ops, op);
    arena_push(b->a, b->text, b->n_text, b->cap_text, text);
}

const struct tensor *host_temporary(struct draft *d, enum dtype type, int rank, const int64_t *dims)
{
    struct tensor *t = arena_new(d->b->a, struct tensor);
    *t = (struct tensor){ .name = "", .dtype = type, .rank = rank, .index = -1 };
    memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    t->index = -2 - host_value(d->b, t);
    return t;
}

void host_around(const struct tensor *t, int axis, int64_t *outer, int64_t *inner)
{
    *outer = *inner = 1;
    for (int i = 0; i < t->rank; i++)
        *(i < axis ? outer : inner) *= i == axis ? 1 : t->dims[i];
}

// outer, size, inner
void host_line(struct draft *d, const struct tensor *t, int axis)
{
    int64_t outer, inner;
    host_around(t, axis, &outer, &inner);
    P(d, outer, t->dims[axis], inner);
}

// ---- moves ----

// The map as an offset and a distance along each axis of y, where it is one.
static bool is_strided(const struct tensor *y, const int32_t *map, int64_t *offset, int64_t *step)
{
    int64_t inner = 1, count = tensor_count(y);
    if (count == 0 || map[0] < 0)
        return false;
    *offset = map[0];
    for (int d = y->rank - 1; d >= 0; inner *= y->dims[d--])
        step[d] = y->dims[d] > 1 ? map[inner] - map[0] : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = *offset, rest = i;
        for (int d = y->rank - 1; d >= 0; rest /= y->dims[d--])
            at += rest % y->dims[d] * step[d];
        if (map[i] != at)
            return false;
    }
    return true;
}

// An operator for each result.
static bool add_moves(struct draft *d)
{
    const struct node *n = d->n;
    for (int k = 0; k < n->n_out; k++) {
        struct draft one = *d;
        const struct tensor *y = n->out[k];
        const int32_t *map;
        double fill;
        int64_t offset = 0, step[MAX_RANK] = { 0 };
        if (!y)
            continue;
        if (!move_map(d->b->cx, d->b->part->whole, n, k, d->b->a, &map, &fill))
            return false;
        one.n_in = one.n_out = 1;
        one.out = d->out + k;
        if (is_strided(y, map, &offset, step)) {
            USE(&one, aihls_host_strided);
            P(&one, offset);
            host_parameters(&one, step, y->rank);
        } else {
            USE(&one, aihls_host_move);
            one.table = map;
            one.n_table = (int)tensor_count(y);
            F(&one, fill);
        }
        host_add(&one);
    }
    return true;
}

static bool describe_concat(struct draft *d)
{
    const struct tensor *y = d->out[0];
    int axis = axis_of(node_int(d->n, "axis", 0), y->rank);
    int64_t outer, inner;
    host_around(y, axis, &outer, &inner);
    USE(d, aihls_host_concat);
    P(d, inner * (int64_t)dtype_bytes(y->dtype));
    for (int k = 0; k < d->n_in; k++)
        host_parameters(d, &d->in[k]->dims[axis], 1);
    return true;
}

static bool describe_gather(struct draft *d)
{
    int axis = axis_of(node_int(d->n, "axis", 0), d->in[0]->rank);
    if (d->in[0]->dims[axis] == 0)
        return false;
    if (d->n->op == OP_GatherElements) {
        USE(d, aihls_host_gather_elements);
        return P(d, axis);
    }
    USE(d, aihls_host_gather);
    host_line(d, d->in[0], axis);
    return true;
}

// ---- products and windows ----

static bool describe_matmul(struct draft *d)
{
    const struct tensor *a = d->in[0], *b = d->in[1], *y = d->out[0];
    int64_t m = a->rank > 1 ? a->dims[a->rank - 2] : 1, k = a->dims[a->rank - 1], n = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    int batch = (a->rank > b->rank ? a->rank : b->rank) - 2;
    int64_t step_a = m * k, step_b = k * n, steps[3 * MAX_RANK] = { 0 };
    USE(d, aihls_host_matmul);
    P(d, m, n, k, k, 1, n, 1, 0, 0, batch > 0 ? batch : 0);
    for (int i = 1; i <= batch; i++) {
        int at_a = a->rank - 2 - i, at_b = b->rank - 2 - i;
        int64_t size_a = at_a >= 0 ? a->dims[at_a] : 1, size_b = at_b >= 0 ? b->dims[at_b] : 1, *s = steps + 3 * (batch - i);
        s[0] = max_i64(size_a, size_b);
        s[1] = size_a > 1 ? step_a : 0;
        s[2] = size_b > 1 ? step_b : 0;
        step_a *= size_a;
        step_b *= size_b;
    }
    if (batch > 0)
        host_parameters(d, steps, 3 * batch);
    return F(d, 1, 0) && m > 0 && n > 0 && (dtype_is_float(y->dtype) || d->n->op == OP_MatMulInteger);
}

static bool describe_gemm(struct draft *d)
{
    const struct tensor *a = d->in[0], *y = d->out[0], *c = d->n_in > 2 ? d->in[2] : NULL;
    bool ta = node_int(d->n, "transA", 0) != 0, tb = node_int(d->n, "transB", 0) != 0;
    int64_t m = y->dims[0], n = y->dims[1], k = a->dims[ta ? 0 : 1], rows = c && c->rank > 1 ? c->dims[0] : 1, columns = c && c->rank ? c->dims[c->rank - 1] : 1;
    USE(d, aihls_host_matmul);
    P(d, m, n, k, ta ? 1 : k, ta ? m : 1, tb ? 1 : n, tb ? k : 1, rows > 1 ? columns : 0, columns > 1 ? 1 : 0, 0);
    return F(d, (double)node_float(d->n, "alpha", 1), (double)node_float(d->n, "beta", 1)) && m > 0 && n > 0 && dtype_is_float(y->dtype);
}

// The step of a letter in operand k of an Einsum: it may stand there several times, or broadcast.
static int64_t einsum_step(const struct draft *d, const struct einsum *e, int k, int letter)
{
    int64_t step = 0, dense = 1;
    for (int i = d->in[k]->rank - 1; i >= 0; dense *= d->in[k]->dims[i--])
        if (e->terms[k].letter[i] == letter && d->in[k]->dims[i] > 1)
            step += dense;
    return step;
}

static void add_letter(struct draft *d, const struct einsum *e, int letter)
{
    host_parameters(d, &e->size[letter], 1);
    for (int k = 0; k < d->n_in; k++) {
        int64_t step = einsum_step(d, e, k, letter);
        host_parameters(d, &step, 1);
    }
}

static bool describe_einsum(struct draft *d)
{
    struct einsum e;
    int letters = 0;
    bool in_result[52 + MAX_RANK] = { false };
    int64_t products = tensor_count(d->out[0]);
    if (!einsum_parse(d->b->cx, d->b->part->whole, d->n, &e) || !dtype_is_float(d->out[0]->dtype))
        return false;
    for (int i = 0; i < e.result.n; i++)
        in_result[e.result.letter[i]] = true;
    for (int l = 0; l < 52 + MAX_RANK; l++) {
        bool used = !in_result[l] && e.size[l] >= 0;
        letters += used;
        if (used && (!mul_i64(products, e.size[l], &products) || products > INT32_MAX || e.size[l] == 0))
            return false;
    }
    USE(d, aihls_host_einsum);
    P(d, letters + e.result.n, e.result.n);
    for (int i = 0; i < e.result.n; i++)
        add_letter(d, &e, e.result.letter[i]);
    for (int l = 0; l < 52 + MAX_RANK; l++)
        if (!in_result[l] && e.size[l] >= 0)
            add_letter(d, &e, l);
    return true;
}

// Up to three axes; those that are missing stand in front, of length 1.
static bool window_parameters(struct draft *d, const struct window_axes *w)
{
    const int64_t *const arrays[] = { w->in, w->out, w->kernel, w->stride, w->dilation, w->before, w->after };
    bool ok = w->spatial <= 3;
    for (size_t k = 0; ok && k < sizeof arrays / sizeof *arrays; k++)
        for (int i = 0; i < 3; i++) {
            int axis = i - (3 - w->spatial);
            host_parameters(d, axis >= 0 ? &arrays[k][axis] : &(int64_t){ k < 5 }, 1);
        }
    return ok && P(d, w->group);
}

static bool describe_conv(struct draft *d)
{
    struct window_axes w = { 0 };
    bool transposed = d->n->op == OP_ConvTranspose;
    if (!(transposed ? conv_transpose_axes : window_axes)(d->b->cx, d->b->part->whole, d->n, &w))
        return false;
    if (transposed)
        USE(d, aihls_host_conv_transpose);
    else
        USE(d, aihls_host_conv);
    return window_parameters(d, &w);
}

static bool describe_matmul_integer(struct draft *d)
{
    return host_integer_product(d, describe_matmul);
}

static bool describe_conv_integer(struct draft *d)
{
    return host_integer_product(d, describe_conv);
}

// The whole image as one window.
static struct window_axes global_window(const struct tensor *x)
{
    struct window_axes w = { .spatial = 1, .out = { 1 }, .stride = { 1 }, .dilation = { 1 }, .group = 1 };
    int64_t planes = x->dims[0] * x->dims[1];
    w.in[0] = w.kernel[0] = planes > 0 ? tensor_count(x) / planes : 0;
    return w;
}

static bool describe_pool(struct draft *d)
{
    enum op op = d->n->op;
    bool global = op == OP_GlobalAveragePool || op == OP_GlobalMaxPool || op == OP_GlobalLpPool;
    struct window_axes w = global_window(d->in[0]);
    if (tensor_count(d->in[0]) == 0 || (!global && !window_axes(d->b->cx, d->b->part->whole, d->n, &w)))
        return false;
    int64_t taps = 1;
    for (int i = 0; !global && i < w.spatial; i++)
        if (!mul_i64(taps, w.kernel[i], &taps) || taps > MAX_TAPS || w.dilation[i] > MAX_WINDOW)
            return false;
    USE(d, aihls_host_pool);
    if (!window_parameters(d, &w))
        return false;
    P(d, op == OP_MaxPool || op == OP_GlobalMaxPool ? 1 : op == OP_LpPool || op == OP_GlobalLpPool ? 2 : 0, node_int(d->n, "count_include_pad", 0) != 0,
      node_int(d->n, "storage_order", 0) != 0);
    return F(d, (double)node_int(d->n, "p", 2));
}

static bool describe_resize(struct draft *d)
{
    const struct tensor *y = d->out[0];
    int64_t entries = 0, combinations = 1, taps[MAX_RANK];
    if (strcmp(node_string(d->n, "mode", "nearest"), "nearest") == 0 || strcmp(node_string(d->n, "coordinate_transformation_mode", ""), "tf_crop_and_resize") == 0)
        return false;
    for (int i = 0; i < y->rank; i++) {
        taps[i] = ref_resize_most(d->n, i);
        entries += y->dims[i] * taps[i];
        combinations *= taps[i];
        if (combinations > MAX_WINDOW)
            return false;
    }
    if (entries > INT32_MAX)
        return false;
    int32_t *table = arena_array(d->b->a, int32_t, entries);
    double *share = arena_array(d->b->a, double, entries);
    struct ref_taps t = ref_resize_new(d->n, d->b->a);
    for (int64_t axis = 0, at = 0; axis < y->rank; axis++)
        for (int64_t i = 0; i < y->dims[axis]; i++, at += taps[axis]) {
            ref_resize_taps(d->n, (int)axis, i, &t);
            for (int64_t k = 0; k < t.n; k++) {
                table[at + k] = (int32_t)t.index[k];
                share[at + k] = t.weight[k];
            }
        }
    USE(d, aihls_host_resize);
    d->n_in = 1;
    d->table = table;
    d->n_table = (int)entries;
    return host_parameters(d, taps, y->rank) && P(d, entries) && host_factors(d, share, (int)entries);
}

// ---- along axes ----

static bool describe_normalize(struct draft *d)
{
    const struct tensor *x = d->in[0], *scale = d->in[1];
    int64_t size = 1, rows, inner, channels = x->rank > 1 ? x->dims[1] : 1, scales = tensor_count(scale);
    double epsilon = (double)node_float(d->n, "epsilon", 1e-5f);
    USE(d, aihls_host_normalize);
    if (d->n->op == OP_LayerNormalization || d->n->op == OP_RMSNormalization) {
        for (int i = axis_of(node_int(d->n, "axis", -1), x->rank); i < x->rank; i++)
            size *= x->dims[i];
        return size > 0 && scales == size && (d->n_in < 3 || !d->in[2] || tensor_count(d->in[2]) == size) && P(d, size, 1, size, d->n->op == OP_RMSNormalization) && F(d, epsilon);
    }
    host_around(x, 1, &rows, &inner);
    int64_t groups = d->n->op == OP_GroupNormalization ? node_int(d->n, "num_groups", 1) : channels;
    return groups > 0 && scales > 0 && tensor_count(x) > 0 && P(d, channels / groups * inner, channels / scales * inner, scales, 0) && F(d, epsilon);
}

static bool describe_softmax(struct draft *d)
{
    const struct tensor *x = d->in[0];
    int64_t outer, inner;
    int axis = axis_of(node_int(d->n, "axis", -1), x->rank);
    bool flat = node_int(d->n, "flatten_2d", 0) != 0;
    host_around(x, axis, &outer, &inner);
    USE(d, aihls_host_softmax);
    return P(d, outer, flat ? x->dims[axis] * inner : x->dims[axis], flat ? 1 : inner, d->n->op == OP_Hardmax ? 2 : d->n->op == OP_LogSoftmax);
}

static bool describe_scales(struct draft *d)
{
    const struct tensor *x = d->in[0];
    int64_t outer, inner = 1, size = tensor_count(d->in[1]);
    if (size > 1)
        host_around(x, axis_of(node_int(d->n, "axis", 1), x->rank), &outer, &inner);
    if (d->n->op == OP_QuantizeLinear)
        USE(d, aihls_host_quantize);
    else
        USE(d, aihls_host_dequantize);
    return size > 0 && P(d, inner, size, 0);
}

static bool describe_lrn(struct draft *d)
{
    int64_t outer, inner, channels = d->in[0]->dims[1], size = node_int(d->n, "size", 1);
    host_around(d->in[0], 1, &outer, &inner);
    USE(d, aihls_host_lrn);
    P(d, channels, inner, min_i64(size, 2 * channels)); // from there on a window holds all channels
    return F(d, (double)node_float(d->n, "alpha", 1e-4f) / (double)size, (double)node_float(d->n, "beta", 0.75f), (double)node_float(d->n, "bias", 1));
}

static bool describe_cumsum(struct draft *d)
{
    int rank = d->in[0]->rank;
    int64_t axis = d->in[1]->data && tensor_count(d->in[1]) == 1 ? tensor_const_i64(d->in[1], 0) : rank;
    if (axis < -rank || axis >= rank || !dtype_is_float(d->in[0]->dtype))
        return false;
    USE(d, aihls_host_cumsum);
    host_line(d, d->in[0], axis_of(axis, rank));
    d->n_in = 1;
    return P(d, node_int(d->n, "exclusive", 0) != 0, node_int(d->n, "reverse", 0) != 0);
}

static bool describe_top_k(struct draft *d)
{
    const struct tensor *x = d->in[0], *y = d->out[0] ? d->out[0] : d->out[1];
    int axis = axis_of(node_int(d->n, "axis", -1), x->rank);
    USE(d, aihls_host_top_k);
    host_line(d, x, axis);
    d->n_in = 1;
    return y->dims[axis] <= x->dims[axis] && P(d, y->dims[axis], !node_int(d->n, "largest", 1));
}

static bool describe_arg(struct draft *d)
{
    USE(d, aihls_host_arg);
    host_line(d, d->in[0], axis_of(node_int(d->n, "axis", 0), d->in[0]->rank));
    return P(d, d->n->op == OP_ArgMin, node_int(d->n, "select_last_index", 0) != 0);
}

static bool describe_lp_norm(struct draft *d)
{
    USE(d, aihls_host_lp_norm);
    host_line(d, d->in[0], axis_of(node_int(d->n, "axis", -1), d->in[0]->rank));
    return P(d, node_int(d->n, "p", 2));
}

static bool describe_nms(struct draft *d)
{
    int64_t rows = d->out[0]->dims[0], classes = d->in[1]->dims[0] * d->in[1]->dims[1];
    for (int k = 3; k < d->n_in; k++)
        if (d->in[k] && tensor_count(d->in[k]) != 1)
            return false;
    USE(d, aihls_host_nms);
    return P(d, node_int(d->n, "center_point_box", 0) != 0, classes ? rows / classes : 0);
}

// ---- one element at a time ----

static bool describe_unary(struct draft *d)
{
    struct aihls_parameters p = ref_parameters(d->n);
    USE(d, aihls_host_unary);
    return P(d, ref_function(d->n->op)) && F(d, p.alpha, p.beta, p.gamma);
}

// Before opset 7 operands could be aligned at an axis.
static bool describe_binary(struct draft *d)
{
    enum op op = d->n->op;
    bool option = op == OP_Mod ? node_int(d->n, "fmod", 0) != 0 : node_string(d->n, "direction", "")[0] == 'R';
    USE(d, aihls_host_binary);
    return P(d, ref_function(op), option, op == OP_Mean) && !node_attr(d->n, "axis");
}

static bool describe_reduce(struct draft *d)
{
    d->n_in = 1;
    USE(d, aihls_host_reduce);
    return P(d, ref_function(d->n->op), reduce_axes(d->n)) && tensor_count(d->in[0]) > 0;
}

static bool describe_plain(struct draft *d)
{
    switch ((int)d->n->op) {
    case OP_Where: USE(d, aihls_host_where); return true;
    case OP_Clip: USE(d, aihls_host_clip); return true;
    case OP_CastLike:
    case OP_Cast: USE(d, aihls_host_cast); d->n_in = 1; return true;
    case OP_Dropout: USE(d, aihls_host_copy); d->n_in = 1; return d->n_out == 1 || !d->out[1];
    default: USE(d, aihls_host_copy); d->n_in = d->n_out = 1; return true;
    }
}

// exempt from the length limit: one line for each operator
static describer *describer_of(enum op op)
{
    switch ((int)op) {
#define CASE(name) case OP_##name:
        AIHLS_UNARY_FUNCTIONS(CASE)
        return describe_unary;
        AIHLS_REDUCE_FUNCTIONS(CASE)
        return describe_reduce;
        AIHLS_BINARY_FUNCTIONS(CASE)
#undef CASE
    case OP_Sum:
    case OP_Mean: return describe_binary;
    case OP_Where:
    case OP_Clip:
    case OP_Cast:
    case OP_CastLike:
    case OP_Dropout:
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity: return describe_plain;
    case OP_QuantizeLinear:
    case OP_DequantizeLinear: return describe_scales;
    case OP_Concat: return describe_concat;
    case OP_Gather:
    case OP_GatherElements: return describe_gather;
    case OP_MatMul: return describe_matmul;
    case OP_Gemm: return describe_gemm;
    case OP_Einsum: return describe_einsum;
    case OP_Attention: return host_attention;
    case OP_Conv:
    case OP_ConvTranspose: return describe_conv;
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_LpPool:
    case OP_GlobalMaxPool:
    case OP_GlobalAveragePool:
    case OP_GlobalLpPool: return describe_pool;
    case OP_Resize: return describe_resize;
    case OP_LayerNormalization:
    case OP_RMSNormalization:
    case OP_InstanceNormalization:
    case OP_GroupNormalization: return describe_normalize;
    case OP_Softmax:
    case OP_LogSoftmax:
    case OP_Hardmax: return describe_softmax;
    case OP_LRN: return describe_lrn;
    case OP_RNN:
    case OP_GRU:
    case OP_LSTM: return host_recurrent;
    case OP_Scatter:
    case OP_ScatterElements: return host_scatter_elements;
    case OP_ScatterND: return host_scatter_nd;
    case OP_GatherND: return host_gather_nd;
    case OP_OneHot: return host_one_hot;
    case OP_ReverseSequence: return host_reverse_sequence;
    case OP_MaxUnpool: return host_unpool;
    case OP_Trilu: return host_trilu;
    case OP_EyeLike: return host_eye_like;
    case OP_DFT: return host_dft;
    case OP_STFT: return host_stft;
    case OP_Det: return host_det;
    case OP_GridSample: return host_grid_sample;
    case OP_RoiAlign: return host_roi_align;
    case OP_MaxRoiPool: return host_max_roi_pool;
    case OP_BatchNormalization: return host_batch_norm;
    case OP_MeanVarianceNormalization: return host_mean_variance;
    case OP_DynamicQuantizeLinear: return host_dynamic_quantize;
    case OP_RandomNormal:
    case OP_RandomNormalLike:
    case OP_RandomUniform:
    case OP_RandomUniformLike:
    case OP_Bernoulli:
    case OP_Multinomial: return host_random;
    case OP_NegativeLogLikelihoodLoss:
    case OP_SoftmaxCrossEntropyLoss: return host_loss;
    case OP_TfIdfVectorizer: return host_tf_idf;
    case OP_MatMulInteger: return describe_matmul_integer;
    case OP_ConvInteger: return describe_conv_integer;
    case OP_Quant:
    case OP_BipolarQuant:
    case OP_Trunc: return host_grid;
    case OP_LpNormalization: return describe_lp_norm;
    case OP_CumSum: return describe_cumsum;
    case OP_TopK: return describe_top_k;
    case OP_ArgMax:
    case OP_ArgMin: return describe_arg;
    case OP_NonMaxSuppression: return describe_nms;
    default: return NULL;
    }
}

// Operators that move elements where dataflow/move.h has a map.
static bool moves(enum op op)
{
    return op == OP_Transpose || op == OP_Slice || op == OP_Split || op == OP_Pad || op == OP_Expand || op == OP_Tile || op == OP_DepthToSpace || op == OP_SpaceToDepth;
}

bool host_supports(enum op op)
{
    return moves(op) || describer_of(op);
}

// No strings.
static bool numbers_only(const struct node *n)
{
    bool ok = true;
    for (int k = 0; k < n->n_in; k++)
        ok &= !n->in[k] || dtype_bytes(n->in[k]->dtype) > 0;
    for (int k = 0; k < n->n_out; k++)
        ok &= !n->out[k] || dtype_bytes(n->out[k]->dtype) > 0;
    return ok;
}

void host_node(struct host_builder *b, const struct node *n, int pass)
{
    struct draft d = { .b = b, .n = n, .pass = pass, .n_in = n->n_in, .n_out = n->n_out, .in = arena_array(b->a, const struct tensor *, n->n_in),
                       .out = arena_array(b->a, const struct tensor *, n->n_out) };
    for (int k = 0; k < n->n_in; k++)
        d.in[k] = n->in[k];
    for (int k = 0; k < n->n_out; k++)
        d.out[k] = n->out[k];
    int before = b->cx->diag->errors;
    if (n->op != OP_Reshape && numbers_only(n) && move_is(n) && add_moves(&d))
        return;
    describer *describe = numbers_only(n) ? describer_of(n->op) : NULL;
    if (!n->out[0] && describe != host_recurrent && describe != describe_top_k && describe != host_dynamic_quantize) // these may leave their first output out
        describe = NULL;
    if (describe && describe(&d) && !d.too_large) {
        host_add(&d);
        return;
    }
    b->failed = true;
    if (b->cx->diag->errors == before)
        diag_error(b->cx, E212, at_node(b->part->whole, n), "`aihls ops` says what runs where", "%s can run neither in hardware nor on the host%s",
                   op_info(n->op)->name, describe || moves(n->op) ? " in this form" : "");
}

// SPDX-License-Identifier: Apache-2.0
// More nodes as operators of the run-time library: choosing and placing, signals, regions of images, recurrent layers, and what several
// functions of the library compute together.
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/host_impl.h"
#include "sim/ref_float.h"
#include "sim/ref_float_impl.h"

#define MOST_SAMPLES_A_BIN 256 // of RoiAlign, along each axis
#define MOST_SAMPLES 65536 // of a Fourier transform: two doubles each stand in a table

static const struct tensor **operands(struct draft *d, int n)
{
    return arena_array(d->b->a, const struct tensor *, n);
}

// One more operator for the node, in front of its own.
static struct draft beside(const struct draft *d, int n_in, const struct tensor **in, const struct tensor **out)
{
    return (struct draft){ .b = d->b, .n = d->n, .pass = d->pass, .n_in = n_in, .n_out = 1, .in = in, .out = out };
}

// The draft takes these of the node's inputs, in this order.
static void take(struct draft *d, int n, const int *which)
{
    const struct tensor **in = operands(d, n);
    for (int i = 0; i < n; i++)
        in[i] = which[i] < d->n_in ? d->in[which[i]] : NULL;
    d->in = in;
    d->n_in = n;
}

#define TAKE(d, ...) take((d), (int)(sizeof(int[]){ __VA_ARGS__ } / sizeof(int)), (int[]){ __VA_ARGS__ })

// One more result behind those of the node, memory for the operator.
static void add_memory(struct draft *d, int at, int64_t doubles)
{
    const struct tensor **out = operands(d, at + 1);
    for (int k = 0; k < at && k < d->n_out; k++)
        out[k] = d->out[k];
    out[at] = host_temporary(d, DT_DOUBLE, 1, &doubles);
    d->out = out;
    d->n_out = at + 1;
}

// The place of `name` in a list that NULL ends, -1: none.
static int64_t name_of(const char *name, const char *const *names)
{
    for (int64_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

// ---- choosing and placing ----

// 0 replace, 1 add, 2 multiply, 3 largest, 4 least; -1: none of them.
static int64_t reduction_of(const struct node *n)
{
    static const char *const names[] = { "none", "add", "mul", "max", "min", NULL };
    return name_of(node_string(n, "reduction", "none"), names);
}

bool host_scatter_elements(struct draft *d)
{
    USE(d, aihls_host_scatter_elements);
    return reduction_of(d->n) >= 0 && P(d, axis_of(node_int(d->n, "axis", 0), d->in[0]->rank), reduction_of(d->n));
}

bool host_scatter_nd(struct draft *d)
{
    const struct tensor *index = d->in[1];
    USE(d, aihls_host_scatter_nd);
    return reduction_of(d->n) >= 0 && index->dims[index->rank - 1] > 0 && P(d, reduction_of(d->n));
}

bool host_gather_nd(struct draft *d)
{
    const struct tensor *x = d->in[0], *index = d->in[1];
    int64_t batch = node_int(d->n, "batch_dims", 0), batches = 1;
    for (int64_t i = 0; i < batch; i++)
        batches *= x->dims[i];
    USE(d, aihls_host_gather_nd);
    return tensor_count(index) > 0 && tensor_count(x) > 0 && P(d, batch, batches);
}

bool host_one_hot(struct draft *d)
{
    const struct tensor *y = d->out[0];
    int axis = axis_of(node_int(d->n, "axis", -1), y->rank);
    int64_t outer, inner;
    host_around(y, axis, &outer, &inner);
    TAKE(d, 0, 2);
    USE(d, aihls_host_one_hot);
    return P(d, y->dims[axis], inner);
}

bool host_reverse_sequence(struct draft *d)
{
    USE(d, aihls_host_reverse_sequence);
    return P(d, node_int(d->n, "batch_axis", 1) == 0);
}

// Indices count in the size that the attributes give; a third input may make the result larger.
bool host_unpool(struct draft *d)
{
    const struct tensor *x = d->in[0], *y = d->out[0];
    const struct attr *kernel = node_attr(d->n, "kernel_shape"), *strides = node_attr(d->n, "strides"), *pads = node_attr(d->n, "pads");
    int spatial = x->rank - 2;
    if (!kernel || kernel->n != spatial || y->rank != x->rank)
        return false;
    int64_t all = x->dims[0] * x->dims[1];
    TAKE(d, 0, 1);
    USE(d, aihls_host_unpool);
    P(d, x->dims[0], x->dims[1]);
    for (int i = 0; i < spatial; i++) {
        int64_t size = (x->dims[2 + i] - 1) * (strides ? strides->ints[i] : 1) + kernel->ints[i] - (pads ? pads->ints[i] + pads->ints[spatial + i] : 0);
        if (size < 1 || size > INT32_MAX || !mul_i64(all, size, &all))
            return false;
        host_parameters(d, &size, 1);
    }
    return true;
}

// Which elements stay is known: a move, with zeros.
bool host_trilu(struct draft *d)
{
    const struct tensor *x = d->in[0], *shift = d->n_in > 1 ? d->in[1] : NULL;
    int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1], count = tensor_count(x);
    bool upper = node_int(d->n, "upper", 1) != 0;
    if (shift && (!shift->data || tensor_count(shift) != 1))
        return false;
    int64_t k = shift ? max_i64(-rows - 1, min_i64(tensor_const_i64(shift, 0), columns + 1)) : 0;
    int32_t *map = arena_array(d->b->a, int32_t, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t above = i % columns - i / columns % rows - k;
        map[i] = (upper ? above >= 0 : above <= 0) ? (int32_t)i : -1;
    }
    d->n_in = 1;
    d->table = map;
    d->n_table = (int)count;
    USE(d, aihls_host_move);
    return F(d, 0.0);
}

// Known as soon as its shape is: a copy of a constant.
bool host_eye_like(struct draft *d)
{
    struct array x = { .dtype = d->in[0]->dtype, .rank = d->in[0]->rank }, y;
    const struct array *in[1] = { &x };
    struct tensor *t = arena_new(d->b->a, struct tensor);
    memcpy(x.dims, d->in[0]->dims, sizeof x.dims);
    if (!ref_float_node(d->b->cx, d->b->part->whole, d->n, d->b->a, in, &y))
        return false;
    *t = *d->out[0];
    t->index = -1;
    t->data = y.data;
    d->in = operands(d, 1);
    d->in[0] = t;
    USE(d, aihls_host_copy);
    return true;
}

// ---- signals ----

static bool turns(struct draft *d, int64_t length)
{
    if (length < 1 || length > MOST_SAMPLES)
        return false;
    double *f = arena_array(d->b->a, double, 2 * length);
    for (int64_t i = 0; i < length; i++) {
        double angle = 2 * 3.14159265358979323846 * (double)i / (double)length;
        f[i] = cos(angle);
        f[length + i] = sin(angle);
    }
    return host_factors(d, f, (int)(2 * length));
}

bool host_dft(struct draft *d)
{
    const struct tensor *x = d->in[0], *y = d->out[0];
    int axis = (int)node_int(d->n, "resolved_axis", 1); // shape inference says both
    int64_t length = node_int(d->n, "resolved_length", 1), outer, inner;
    host_around(x, axis, &outer, &inner);
    inner /= max_i64(1, x->dims[x->rank - 1]);
    d->n_in = 1;
    USE(d, aihls_host_dft);
    P(d, outer, x->dims[axis], length, y->dims[axis], x->dims[x->rank - 1], inner, node_int(d->n, "inverse", 0) != 0, 1, 0, x->dims[axis]);
    return turns(d, length);
}

bool host_stft(struct draft *d)
{
    const struct tensor *x = d->in[0], *y = d->out[0], *step = d->in[1];
    int64_t length = node_int(d->n, "resolved_length", 1);
    if (!step->data || tensor_const_i64(step, 0) < 0 || tensor_const_i64(step, 0) > INT32_MAX || (y->dims[1] - 1) * tensor_const_i64(step, 0) + length > x->dims[1])
        return false;
    if (d->n_in > 2 && d->in[2] && tensor_count(d->in[2]) != length)
        return false;
    TAKE(d, 0, 2);
    USE(d, aihls_host_dft);
    P(d, y->dims[0], length, length, y->dims[2], x->rank > 2 ? x->dims[2] : 1, 1, 0, y->dims[1], tensor_const_i64(step, 0), x->dims[1]);
    return turns(d, length);
}

bool host_det(struct draft *d)
{
    const struct tensor *x = d->in[0];
    int64_t n = x->dims[x->rank - 1];
    add_memory(d, 1, n * n);
    USE(d, aihls_host_det);
    return P(d, n);
}

// ---- regions ----

bool host_grid_sample(struct draft *d)
{
    static const char *const modes[] = { "nearest", "bilinear", "bicubic", "linear", "cubic", NULL }, *const paddings[] = { "zeros", "border", "reflection", NULL };
    int64_t mode = name_of(node_string(d->n, "mode", "bilinear"), modes), padding = name_of(node_string(d->n, "padding_mode", "zeros"), paddings);
    USE(d, aihls_host_grid_sample);
    return d->in[0]->rank == 4 && mode >= 0 && padding >= 0 && P(d, mode > 2 ? mode - 2 : mode, padding, node_int(d->n, "align_corners", 0) != 0);
}

bool host_roi_align(struct draft *d)
{
    USE(d, aihls_host_roi_align);
    int64_t samples = node_int(d->n, "sampling_ratio", 0);
    P(d, max_i64(0, samples), strcmp(node_string(d->n, "mode", "avg"), "max") == 0,
      strcmp(node_string(d->n, "coordinate_transformation_mode", "half_pixel"), "half_pixel") == 0);
    return samples <= MOST_SAMPLES_A_BIN && tensor_count(d->in[2]) == d->in[1]->dims[0] && F(d, (double)node_float(d->n, "spatial_scale", 1.0f));
}

bool host_max_roi_pool(struct draft *d)
{
    USE(d, aihls_host_max_roi_pool);
    return F(d, (double)node_float(d->n, "spatial_scale", 1.0f));
}

// ---- normalization ----

bool host_batch_norm(struct draft *d)
{
    int64_t outer, inner;
    host_around(d->in[0], 1, &outer, &inner);
    d->n_out = 1;
    USE(d, aihls_host_batch_norm);
    return node_int(d->n, "training_mode", 0) == 0 && P(d, d->in[0]->dims[1], inner) && F(d, (double)node_float(d->n, "epsilon", 1e-5f));
}

// Elements of x with its axes in another order.
static void strided(struct draft *d, const struct tensor *x, const int *perm)
{
    int64_t step[MAX_RANK] = { 0 };
    ref_strides(x->rank, x->dims, step);
    USE(d, aihls_host_strided);
    P(d, 0);
    for (int i = 0; i < x->rank; i++)
        host_parameters(d, &step[perm[i]], 1);
}

// The axes that are normalized together behind the others, then back. The standard adds 1e-9 to the deviation; its square inside of the root
// differs where the deviation is not 0, and there by less than a rounding.
bool host_mean_variance(struct draft *d)
{
    const struct tensor *x = d->in[0];
    const struct attr *axes = node_attr(d->n, "axes");
    int perm[MAX_RANK] = { 0 }, back[MAX_RANK] = { 0 }, n = 0;
    unsigned reduced = axes ? 0 : 13;
    int64_t size = 1, dims[MAX_RANK];
    for (int i = 0; axes && i < axes->n; i++)
        reduced |= 1u << axis_of(axes->ints[i], x->rank);
    for (int behind = 0; behind < 2; behind++)
        for (int i = 0; i < x->rank; i++)
            if ((reduced >> i & 1) == (unsigned)behind)
                perm[n++] = i;
    for (int i = 0; i < x->rank; i++) {
        back[perm[i]] = i;
        dims[i] = x->dims[perm[i]];
        size *= reduced >> i & 1 ? x->dims[i] : 1;
    }
    if (tensor_count(x) == 0)
        return false;
    const struct tensor *turned = host_temporary(d, x->dtype, x->rank, dims), **normal = operands(d, 1);
    normal[0] = host_temporary(d, x->dtype, x->rank, dims);
    struct draft first = beside(d, 1, &x, &turned), second = beside(d, 1, &turned, &normal[0]);
    strided(&first, x, perm);
    host_add(&first);
    USE(&second, aihls_host_normalize);
    P(&second, size, 1, 1, 0);
    F(&second, 1e-18);
    host_add(&second);
    d->in = normal;
    strided(d, normal[0], back);
    return true;
}

// ---- integers ----

bool host_dynamic_quantize(struct draft *d)
{
    USE(d, aihls_host_dynamic_quantize);
    return true;
}

static const struct tensor *as_int32(struct draft *d, const struct tensor *x)
{
    const struct tensor *y = host_temporary(d, DT_INT32, x->rank, x->dims);
    struct draft one = beside(d, 1, &x, &y);
    USE(&one, aihls_host_cast);
    host_add(&one);
    return y;
}

// Input k less its zero point, which is input `zero`: one for all, or one for each index of the last axis.
static bool without_zero(struct draft *d, int k, int zero, const struct tensor **y)
{
    const struct tensor *x = d->in[k], *z = zero < d->n_in ? d->in[zero] : NULL, *in[2];
    *y = x;
    if (!z)
        return true;
    if (tensor_count(z) != 1 && (d->n->op != OP_MatMulInteger || z->rank != 1 || z->dims[0] != x->dims[x->rank - 1] || k == 0))
        return false;
    in[0] = as_int32(d, x);
    in[1] = as_int32(d, z);
    *y = host_temporary(d, DT_INT32, x->rank, x->dims);
    struct draft one = beside(d, 2, in, y);
    USE(&one, aihls_host_binary);
    P(&one, AIHLS_Sub, 0, 0);
    host_add(&one);
    return true;
}

// Products of integers are exact in double.
bool host_integer_product(struct draft *d, describer *product)
{
    const struct tensor **in = operands(d, 2);
    if (!without_zero(d, 0, 2, &in[0]) || !without_zero(d, 1, 3, &in[1]))
        return false;
    d->in = in;
    d->n_in = 2;
    return product(d);
}

// ---- QONNX ----

bool host_grid(struct draft *d)
{
    static const char *const modes[] = { "ROUND", "CEIL", "FLOOR", "ROUND_TO_ZERO", "UP", "HALF_UP", "HALF_DOWN", "HALF_EVEN", "DOWN", NULL };
    static const int64_t forms[] = { 0, 1, 2, 3, 4, 5, 6, 0, 3 };
    const struct node *n = d->n;
    int64_t kind = n->op == OP_Quant ? 0 : n->op == OP_BipolarQuant ? 1 : 2, mode = name_of(node_string(n, "rounding_mode", kind == 2 ? "FLOOR" : "ROUND"), modes);
    for (int k = 1; k < d->n_in; k++)
        if (!d->in[k] || d->in[k]->rank > d->in[0]->rank)
            return false;
    USE(d, aihls_host_grid);
    return mode >= 0 && P(d, kind, forms[mode], node_int(n, "signed", 1) != 0, node_int(n, "narrow", 0) != 0);
}

// ---- attention ----

// What a step along axis i of y takes in t, whose last axes are those of y.
static int64_t step_along(const struct tensor *t, const struct tensor *y, int i)
{
    int at = i - (y->rank - t->rank);
    int64_t outer, inner;
    if (at < 0 || t->dims[at] == 1)
        return 0;
    host_around(t, at, &outer, &inner);
    return inner;
}

bool host_attention(struct draft *d)
{
    const struct tensor *q = d->in[0], *v = d->in[2], *mask = d->n_in > 3 ? d->in[3] : NULL, *y = d->out[0];
    int rank = q->rank, batch = rank - 2;
    bool rows = node_int(d->n, "k_rows", 0) != 0;
    int64_t queries = q->dims[rank - 2], depth = q->dims[rank - 1], keys = v->dims[rank - 2], width = v->dims[rank - 1];
    if (tensor_count(y) == 0 || keys == 0)
        return false;
    add_memory(d, 1, keys);
    USE(d, aihls_host_attention);
    P(d, queries, keys, depth, width, rows ? 1 : keys, rows ? depth : 1, mask ? step_along(mask, y, rank - 2) : 0, mask ? step_along(mask, y, rank - 1) : 0, batch);
    for (int i = 0; i < batch; i++)
        P(d, y->dims[i], step_along(q, y, i), step_along(d->in[1], y, i), step_along(v, y, i), mask ? step_along(mask, y, i) : 0);
    return F(d, (double)node_float(d->n, "scale", 1));
}

// ---- recurrent layers ----

// The library's number of an activation.
static int64_t function_number(const char *name)
{
    static const struct { const char *name; int64_t number; } functions[] = {
        { "Relu", AIHLS_Relu }, { "Tanh", AIHLS_Tanh }, { "Sigmoid", AIHLS_Sigmoid }, { "LeakyRelu", AIHLS_LeakyRelu }, { "ThresholdedRelu", AIHLS_ThresholdedRelu },
        { "HardSigmoid", AIHLS_HardSigmoid }, { "Elu", AIHLS_Elu }, { "Softsign", AIHLS_Softsign }, { "Softplus", AIHLS_Softplus },
        { "Affine", AIHLS_HOST_AFFINE },
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return functions[i].number;
    return AIHLS_HOST_SCALED_TANH;
}

// Whether input k is left out, or has as many elements as that.
static bool has_count(const struct draft *d, int k, int64_t count)
{
    return k >= d->n_in || !d->in[k] || tensor_count(d->in[k]) == count;
}

bool host_recurrent(struct draft *d)
{
    const struct node *n = d->n;
    const struct tensor *x = d->in[0], *w = d->in[1], *r = d->in[2];
    int per = n->op == OP_LSTM ? 3 : n->op == OP_GRU ? 2 : 1;
    double f[1 + 2 * 6] = { node_attr(n, "clip") ? (double)node_float(n, "clip", 0) : DBL_MAX };
    int64_t directions = w->dims[0], rows = w->dims[1], hidden = r->dims[2], batch = x->dims[node_int(n, "layout", 0) == 0];
    if (tensor_count(x) == 0 || tensor_count(w) == 0 || directions > 2)
        return false;
    for (int k = 5; k < 7; k++)
        if (!has_count(d, k, directions * batch * hidden))
            return false;
    if (!has_count(d, 3, directions * 2 * rows) || !has_count(d, 4, batch) || !has_count(d, 7, directions * 3 * hidden))
        return false;
    add_memory(d, 3, 2 * r->dims[2] + w->dims[1]);
    USE(d, aihls_host_recurrent);
    P(d, per - 1, node_int(n, "linear_before_reset", 0) != 0, strcmp(node_string(n, "direction", "forward"), "reverse") == 0,
      node_int(n, "layout", 0) != 0, node_int(n, "input_forget", 0) != 0);
    for (int k = 0; k < 3 * w->dims[0]; k++) {
        struct ref_activation a = { .name = "Tanh" };
        if (k % 3 < per && !ref_activation(d->b->cx, d->b->part->whole, n, k / 3 * per + k % 3, &a))
            return false;
        host_parameters(d, (int64_t[]){ function_number(a.name) }, 1);
        f[1 + 2 * k] = a.alpha;
        f[2 + 2 * k] = a.beta;
    }
    return host_factors(d, f, (int)(1 + 6 * w->dims[0]));
}

// ---- random numbers, losses, grams ----

bool host_random(struct draft *d)
{
    const struct node *n = d->n;
    uint64_t start = ref_random_start(n);
    P(d, (int32_t)(uint32_t)start, (int32_t)(uint32_t)(start >> 32));
    if (n->op == OP_Bernoulli) {
        USE(d, aihls_host_bernoulli);
        return true;
    }
    if (n->op == OP_Multinomial) {
        USE(d, aihls_host_multinomial);
        return true;
    }
    bool normal = n->op == OP_RandomNormal || n->op == OP_RandomNormalLike;
    double low = (double)node_float(n, "low", 0), high = (double)node_float(n, "high", 1);
    USE(d, aihls_host_random);
    d->n_in = 0;
    P(d, normal);
    return normal ? F(d, (double)node_float(n, "mean", 0), (double)node_float(n, "scale", 1)) : F(d, low, high - low);
}

// With the logarithm of a softmax in front where scores are not logarithms yet.
bool host_loss(struct draft *d)
{
    const struct node *n = d->n;
    const struct tensor *x = d->in[0];
    const char *reduction = node_string(n, "reduction", "mean");
    const struct attr *ignore = node_attr(n, "ignore_index");
    int64_t outer, inner;
    host_around(x, 1, &outer, &inner);
    if (n->op == OP_SoftmaxCrossEntropyLoss) {
        const struct tensor **logarithms = operands(d, 1), **in = operands(d, d->n_in);
        logarithms[0] = host_temporary(d, DT_DOUBLE, x->rank, x->dims);
        struct draft one = beside(d, 1, d->in, logarithms);
        USE(&one, aihls_host_softmax);
        P(&one, outer, x->dims[1], inner, 1);
        host_add(&one);
        if (d->n_out > 1 && d->out[1]) {
            struct draft other = beside(d, 1, logarithms, d->out + 1);
            USE(&other, aihls_host_cast);
            host_add(&other);
        }
        memcpy(in, d->in, (size_t)d->n_in * sizeof(struct tensor *));
        in[0] = logarithms[0];
        d->in = in;
    }
    USE(d, aihls_host_nll);
    d->n_out = 1;
    bool fits = !ignore || (ignore->i >= INT32_MIN && ignore->i <= INT32_MAX);
    return fits && P(d, x->dims[1], inner, reduction[0] == 'n' ? 0 : reduction[0] == 's' ? 1 : 2, ignore != NULL, ignore ? ignore->i : 0);
}

bool host_tf_idf(struct draft *d)
{
    const struct node *n = d->n;
    const struct attr *counts = node_attr(n, "ngram_counts"), *places = node_attr(n, "ngram_indexes"), *pool = node_attr(n, "pool_int64s"), *weights = node_attr(n, "weights");
    const char *mode = node_string(n, "mode", "TF");
    int32_t *table = arena_array(d->b->a, int32_t, pool->n + 2 * (int64_t)places->n + 1);
    double *factors = arena_array(d->b->a, double, places->n + 1);
    int grams = 0, entries = 0, gram = 0;
    for (int length = 1; length <= counts->n; length++)
        for (int64_t at = counts->ints[length - 1]; at < (length < counts->n ? counts->ints[length] : pool->n); at += length, gram++) {
            if (length < node_int(n, "min_gram_length", 0) || length > node_int(n, "max_gram_length", 0))
                continue;
            factors[grams++] = weights && strcmp(mode, "TF") != 0 ? (double)weights->floats[gram] : 1;
            table[entries++] = length;
            table[entries++] = (int32_t)places->ints[gram];
            for (int i = 0; i < length; i++) {
                if (pool->ints[at + i] < INT32_MIN || pool->ints[at + i] > INT32_MAX)
                    return false;
                table[entries++] = (int32_t)pool->ints[at + i];
            }
        }
    USE(d, aihls_host_tf_idf);
    d->table = table;
    d->n_table = entries;
    int64_t size = d->in[0]->dims[d->in[0]->rank - 1];
    return P(d, grams, strcmp(mode, "IDF") != 0, min_i64(node_int(n, "max_skip_count", 0), size)) && host_factors(d, factors, grams);
}

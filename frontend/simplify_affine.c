// SPDX-License-Identifier: Apache-2.0
// y = scale[c] * x + shift[c] for each channel c: BatchNormalization, and Mul, Add, Sub, Div by constants, go
// into the weights of a Conv, ConvTranspose or Gemm next to them. All in double; each weight is rounded once.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"

static void new_affine(struct graph *g, struct affine *f, int64_t channels, int axis)
{
    f->channels = channels;
    f->axis = axis;
    f->scale = arena_array(g->arena, double, channels);
    f->shift = arena_array(g->arena, double, channels);
}

static bool batchnorm_affine(struct graph *g, const struct node *n, struct affine *f)
{
    for (int k = 1; k < 5; k++)
        if (!n->in[k]->data)
            return false;
    new_affine(g, f, n->in[0]->dims[1], 1);
    double epsilon = (double)node_float(n, "epsilon", 1e-5f);
    for (int64_t c = 0; c < f->channels; c++) {
        f->scale[c] = tensor_const_f64(n->in[1], c) / sqrt(tensor_const_f64(n->in[4], c) + epsilon);
        f->shift[c] = tensor_const_f64(n->in[2], c) - tensor_const_f64(n->in[3], c) * f->scale[c];
    }
    return true;
}

// Whether constant c has one value, or one for each index of dimension `axis` of t.
static bool per_channel(const struct tensor *c, const struct tensor *t, int axis)
{
    if (c->rank > t->rank)
        return false;
    for (int i = 0; i < c->rank; i++)
        if (c->dims[i] != 1 && (i + t->rank - c->rank != axis || c->dims[i] != t->dims[axis]))
            return false;
    return true;
}

// n as an affine map along `axis` of its computed operand *x.
static bool arithmetic_affine(struct graph *g, const struct node *n, int axis, bool any_type, struct affine *f)
{
    bool left = n->in[0]->data != NULL; // the constant stands on the left
    const struct tensor *c = n->in[left ? 0 : 1], *x = n->in[left ? 1 : 0];
    if (!c->data || x->data || (c->dtype != DT_FLOAT && !any_type) || x->rank <= axis || !per_channel(c, x, axis) ||
        (n->op == OP_Div && left))
        return false;
    new_affine(g, f, x->dims[axis], axis);
    bool single = tensor_count(c) == 1;
    for (int64_t i = 0; i < f->channels; i++) {
        double v = tensor_const_f64(c, single ? 0 : i);
        f->scale[i] = n->op == OP_Mul ? v : n->op == OP_Div ? 1.0 / v : n->op == OP_Sub && left ? -1.0 : 1.0;
        f->shift[i] = n->op == OP_Add || (n->op == OP_Sub && left) ? v : n->op == OP_Sub ? -v : 0.0;
        if (!isfinite(f->scale[i]) || !isfinite(f->shift[i]))
            return false;
    }
    return true;
}

static bool is_arithmetic(enum op op)
{
    return op == OP_Mul || op == OP_Div || op == OP_Add || op == OP_Sub;
}

bool node_affine(struct graph *g, const struct node *n, int axis, struct affine *f)
{
    if (n->op == OP_BatchNormalization)
        return axis == 1 && batchnorm_affine(g, n, f);
    return is_arithmetic(n->op) && arithmetic_affine(g, n, axis, false, f);
}

bool node_affine_any(struct graph *g, const struct node *n, int axis, struct affine *f)
{
    return is_arithmetic(n->op) && arithmetic_affine(g, n, axis, true, f);
}

struct tensor *affine_operand(const struct node *n)
{
    return n->in[n->op != OP_BatchNormalization && n->in[0]->data ? 1 : 0];
}

// ---- weights as a matrix ----

// Conv, ConvTranspose or Gemm with constant float weights and bias, as numbers: w[m * terms + k], b[m].
struct linear {
    struct node *n;
    bool gemm, trans_b, transposed;
    int64_t outs, terms; // output channels, weights for each
    int64_t group, taps; // of the convolutions
    double *w, *b;
};

static bool read_bias(const struct linear *l, const struct tensor *c)
{
    if (!c)
        return true;
    int64_t count = tensor_count(c);
    // Gemm's C may differ for each row of the result: then it is no bias.
    if (!c->data || c->dtype != DT_FLOAT || (count != 1 && count != l->outs) ||
        (c->rank == 2 && c->dims[0] != 1))
        return false;
    double beta = l->gemm ? (double)node_float(l->n, "beta", 1.0f) : 1.0;
    for (int64_t m = 0; m < l->outs; m++)
        l->b[m] = beta * tensor_const_f64(c, count == 1 ? 0 : m);
    return true;
}

static bool is_linear(enum op op)
{
    return op == OP_Conv || op == OP_ConvTranspose || op == OP_Gemm;
}

// Where term k of output m stands in the weights' tensor. ConvTranspose's is [in, out / group, taps].
static int64_t weight_at(const struct linear *l, int64_t m, int64_t k)
{
    if (l->gemm && !l->trans_b)
        return k * l->outs + m;
    if (!l->transposed)
        return m * l->terms + k;
    int64_t mg = l->outs / l->group, cg = l->terms / l->taps;
    return ((m / mg * cg + k / l->taps) * mg + m % mg) * l->taps + k % l->taps;
}

static bool read_linear(struct graph *g, struct node *n, struct linear *l)
{
    *l = (struct linear){ .n = n, .gemm = n->op == OP_Gemm, .transposed = n->op == OP_ConvTranspose, .group = 1 };
    if (!is_linear(n->op) || !n->in[1]->data || n->in[1]->dtype != DT_FLOAT ||
        (l->gemm && node_int(n, "transA", 0) != 0))
        return false;
    const struct tensor *w = n->in[1];
    l->trans_b = l->gemm && node_int(n, "transB", 0) != 0;
    if (!l->gemm)
        l->group = node_int(n, "group", 1);
    l->outs = l->transposed ? w->dims[1] * l->group : w->dims[l->gemm && !l->trans_b ? 1 : 0];
    l->terms = l->outs ? tensor_count(w) / l->outs : 0;
    l->taps = 1;
    for (int i = 2; i < w->rank; i++)
        l->taps *= w->dims[i];
    l->w = arena_array(g->arena, double, l->outs * l->terms);
    l->b = arena_array(g->arena, double, l->outs);
    double alpha = l->gemm ? (double)node_float(n, "alpha", 1.0f) : 1.0;
    for (int64_t m = 0; m < l->outs; m++)
        for (int64_t k = 0; k < l->terms; k++)
            l->w[m * l->terms + k] = alpha * tensor_const_f64(w, weight_at(l, m, k));
    return read_bias(l, n->n_in > 2 ? n->in[2] : NULL);
}

// New constants in place of the old ones, which other nodes may share.
static void write_linear(struct graph *g, const struct linear *l)
{
    struct node *n = l->n;
    const struct tensor *old = n->in[1];
    float *w = arena_array(g->arena, float, l->outs * l->terms), *b = arena_array(g->arena, float, l->outs);
    for (int64_t m = 0; m < l->outs; m++) {
        b[m] = (float)l->b[m];
        for (int64_t k = 0; k < l->terms; k++)
            w[weight_at(l, m, k)] = (float)l->w[m * l->terms + k];
    }
    const char *bias = n->n_in > 2 && n->in[2] ? n->in[2]->name
                                               : arena_printf(g->arena, "%s/bias", n->out[0]->name);
    set_in(g, n, 1, const_f32(g, old->name, DT_FLOAT, old->rank, old->dims, w));
    set_in(g, n, 2, const_f32(g, bias, DT_FLOAT, 1, &l->outs, b));
    drop_attr(n, "alpha"); // in the weights now
    drop_attr(n, "beta");
}

// ---- backwards: linear, then affine ----

static bool fold_back(struct graph *g, struct node *n)
{
    struct tensor *x = affine_operand(n);
    struct node *p = x->producer;
    struct affine f;
    struct linear l;
    if (!p || !is_linear(p->op) || tensor_sole_consumer(g, x) != n ||
        tensor_uses(g, x) != 1 || !node_affine(g, n, 1, &f) || n->out[0]->rank != x->rank ||
        !read_linear(g, p, &l) || l.outs != f.channels)
        return false;
    for (int64_t m = 0; m < l.outs; m++) {
        for (int64_t k = 0; k < l.terms; k++)
            l.w[m * l.terms + k] *= f.scale[m];
        l.b[m] = l.b[m] * f.scale[m] + f.shift[m];
    }
    write_linear(g, &l);
    // p gives n's result: the name stays, and graph outputs with it.
    p->out[0] = n->out[0];
    graph_remove_node(g, n);
    p->out[0]->producer = p;
    x->producer = NULL;
    return true;
}

// ---- forwards: affine, then linear ----

// Padding would see the shift of an image that the Conv does not pad; of ConvTranspose's outputs each may have
// another number of terms.
static bool has_padding(const struct node *n)
{
    if (n->op == OP_ConvTranspose)
        return true;
    const char *mode = node_string(n, "auto_pad", "NOTSET");
    const struct attr *pads = node_attr(n, "pads");
    if (strncmp(mode, "SAME", 4) == 0)
        return true;
    for (int i = 0; pads && i < pads->n; i++)
        if (pads->ints[i] != 0)
            return true;
    return false;
}

static bool is_pure_scale(const struct affine *f)
{
    for (int64_t c = 0; c < f->channels; c++)
        if (f->shift[c] != 0.0)
            return false;
    return true;
}

// The Conv or Gemm that alone reads n, perhaps through a Reshape that flattens [N, C, …]; *inner is the
// number of Gemm's terms for each channel.
static struct node *linear_behind(const struct graph *g, const struct node *n, int64_t *inner)
{
    const struct tensor *y = n->out[0];
    struct node *c = tensor_sole_consumer(g, y);
    *inner = 1;
    if (c && c->op == OP_Reshape) {
        const struct tensor *flat = c->out[0];
        if (c->in[0] != y || y->rank < 2 || flat->rank != 2 || flat->dims[0] != y->dims[0])
            return NULL;
        for (int i = 2; i < y->rank; i++)
            *inner *= y->dims[i];
        c = tensor_sole_consumer(g, flat);
        return c && c->op == OP_Gemm && c->in[0] == flat && tensor_uses(g, flat) == 1 ? c : NULL;
    }
    if (!c || c->in[0] != y || tensor_uses(g, y) != 1)
        return NULL;
    return is_linear(c->op) && (c->op != OP_Gemm || y->rank == 2) ? c : NULL;
}

// The input channel of term k of output m.
static int64_t channel_of(const struct linear *l, const struct affine *f, int64_t inner, int64_t m, int64_t k)
{
    if (l->gemm)
        return k / inner;
    return m / (l->outs / l->group) * (f->channels / l->group) + k / l->taps;
}

static bool fold_forward(struct graph *g, struct node *n)
{
    int64_t inner;
    struct affine f;
    struct linear l;
    struct tensor *x = affine_operand(n);
    struct node *c = linear_behind(g, n, &inner);
    if (!c || x->rank != n->out[0]->rank || memcmp(x->dims, n->out[0]->dims, (size_t)x->rank * sizeof *x->dims) != 0 ||
        !node_affine(g, n, 1, &f) || !read_linear(g, c, &l) || l.terms == 0 ||
        (!l.gemm && has_padding(c) && !is_pure_scale(&f)) || (l.gemm && l.terms != f.channels * inner))
        return false;
    if (tensor_is_output(g, n->out[0]))
        return false;
    for (int64_t m = 0; m < l.outs; m++)
        for (int64_t k = 0; k < l.terms; k++) {
            double *w = &l.w[m * l.terms + k];
            int64_t ch = channel_of(&l, &f, inner, m, k);
            l.b[m] += *w * f.shift[ch];
            *w *= f.scale[ch];
        }
    write_linear(g, &l);
    graph_replace_uses(g, n->out[0], x);
    graph_remove_node(g, n);
    return true;
}

bool fold_affine(struct graph *g, struct node *n)
{
    if (n->op != OP_BatchNormalization && !is_arithmetic(n->op))
        return false;
    return fold_back(g, n) || fold_forward(g, n);
}

// ---- MatMul and what is left ----

static bool is_weight(const struct tensor *t)
{
    if (t->data)
        return true;
    const struct node *p = t->producer;
    return p && (p->op == OP_DequantizeLinear || p->op == OP_Quant || p->op == OP_BipolarQuant) && p->in[0]->data;
}

// The bias behind a matrix product with dequantized weights: attached as it is, nothing is computed.
static bool attach_bias(struct graph *g, struct node *gemm)
{
    struct node *add = tensor_sole_consumer(g, gemm->out[0]);
    if (!add || add->op != OP_Add || add->in[0] == add->in[1])
        return false;
    struct tensor *b = add->in[add->in[0] == gemm->out[0] ? 1 : 0];
    if (b->rank != 1 || b->dims[0] != gemm->out[0]->dims[1] || !is_weight(b) ||
        (b->producer && b->producer->index > gemm->index))
        return false;
    struct tensor *old = gemm->out[0];
    set_in(g, gemm, 2, b);
    gemm->out[0] = add->out[0];
    graph_remove_node(g, add);
    gemm->out[0]->producer = gemm;
    old->producer = NULL;
    return true;
}

bool matmul_to_gemm(struct graph *g, struct node *n)
{
    if (n->op == OP_Gemm && n->n_in < 3 && !n->in[1]->data && is_weight(n->in[1]))
        return attach_bias(g, n);
    if (n->op != OP_MatMul || n->in[0]->rank != 2 || n->in[1]->rank != 2 || !is_weight(n->in[1]))
        return false;
    n->op = OP_Gemm;
    return true;
}

// [C] spread over the dims of x as [C, 1, …].
static struct tensor *channel_const(struct graph *g, const struct node *n, const char *what, const double *v)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK];
    float *data = arena_array(g->arena, float, x->dims[1]);
    for (int i = 1; i < x->rank; i++)
        dims[i - 1] = i == 1 ? x->dims[1] : 1;
    for (int64_t c = 0; c < x->dims[1]; c++)
        data[c] = (float)v[c];
    return const_f32(g, arena_printf(g->arena, "%s/%s", n->out[0]->name, what), DT_FLOAT, x->rank - 1, dims, data);
}

static void batchnorm_to_conv(struct graph *g, struct node *n, const struct affine *f)
{
    const struct tensor *x = n->in[0];
    int64_t dims[4] = { f->channels, 1, 1, 1 };
    float *w = arena_array(g->arena, float, f->channels), *b = arena_array(g->arena, float, f->channels);
    for (int64_t c = 0; c < f->channels; c++) {
        w[c] = (float)f->scale[c];
        b[c] = (float)f->shift[c];
    }
    const char *name = n->out[0]->name;
    n->op = OP_Conv;
    n->n_in = 1;
    n->n_attrs = 0;
    set_in(g, n, 1, const_f32(g, arena_printf(g->arena, "%s/scale", name), DT_FLOAT, x->rank, dims, w));
    set_in(g, n, 2, const_f32(g, arena_printf(g->arena, "%s/shift", name), DT_FLOAT, 1, dims, b));
    node_set_int(g, n, "group", f->channels);
}

bool lower_batchnorm(struct graph *g, struct node *n)
{
    struct affine f;
    if (n->op != OP_BatchNormalization || !batchnorm_affine(g, n, &f))
        return false;
    if ((n->in[0]->rank == 3 || n->in[0]->rank == 4) && f.channels > 0) {
        batchnorm_to_conv(g, n, &f);
        return true;
    }
    struct tensor *mul_in[2] = { n->in[0], channel_const(g, n, "scale", f.scale) };
    struct tensor *shift = channel_const(g, n, "shift", f.shift);
    struct tensor *scaled = graph_add_tensor(g, arena_printf(g->arena, "%s/scaled", n->out[0]->name), DT_FLOAT,
                                             n->in[0]->rank, n->in[0]->dims);
    graph_insert_node(g, n, OP_Mul, n->name, 2, mul_in, 1, &scaled);
    n->op = OP_Add;
    n->n_attrs = 0;
    n->n_in = 2;
    set_in(g, n, 0, scaled);
    set_in(g, n, 1, shift);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// Rules about shapes: reshapes, pads, reductions over the image.
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"

static struct tensor *shape_const(struct graph *g, const struct tensor *t)
{
    return const_i64(g, arena_printf(g->arena, "%s/shape", t->name), t->rank, t->dims);
}

// Makes n a Reshape of x to the shape of its output.
static void make_reshape(struct graph *g, struct node *n, struct tensor *x)
{
    n->op = OP_Reshape;
    n->n_attrs = 0;
    n->n_in = 1;
    set_in(g, n, 0, x);
    set_in(g, n, 1, shape_const(g, n->out[0]));
    for (int i = 0; i < n->out[0]->rank; i++)
        if (n->out[0]->dims[i] == 0) // zeros are meant, not copied
            node_set_int(g, n, "allowzero", 1);
}

bool to_reshape(struct graph *g, struct node *n)
{
    if (n->op != OP_Flatten && n->op != OP_Squeeze && n->op != OP_Unsqueeze)
        return false;
    make_reshape(g, n, n->in[0]);
    return true;
}

bool merge_reshapes(struct graph *g, struct node *n)
{
    struct node *first = n->op == OP_Reshape ? made_by(n->in[0], OP_Reshape) : NULL;
    if (!first)
        return false;
    make_reshape(g, n, first->in[0]);
    if (tensor_uses(g, first->out[0]) == 0)
        graph_remove_node(g, first);
    return true;
}

// Where dimension `axis` of its input goes in Transpose n.
static int transposed_axis(const struct node *n, int axis)
{
    int perm[MAX_RANK], at = 0;
    transpose_perm(n, perm);
    while (perm[at] != axis)
        at++;
    return at;
}

// Transpose or Reshape of a dequantized constant, with one scale or, of a Transpose, one along an axis: the integers are moved
// instead, so that a weight is always the direct result of its DequantizeLinear or Quant.
bool move_before_dequantize(struct graph *g, struct node *n)
{
    if (n->op != OP_Transpose && n->op != OP_Reshape)
        return false;
    struct node *d = n->in[0]->producer;
    if (!d || (d->op != OP_DequantizeLinear && d->op != OP_Quant && d->op != OP_BipolarQuant) ||
        !d->in[0]->data)
        return false;
    bool along = n->op == OP_Transpose && d->op == OP_DequantizeLinear && tensor_count(d->in[1]) != 1;
    for (int k = 1; k < d->n_in && !along; k++)
        if (d->in[k] && tensor_count(d->in[k]) != 1)
            return false;
    int axis = along ? transposed_axis(n, axis_of(node_int(d, "axis", 1), d->in[0]->rank)) : 0;
    for (int k = 1; k < d->n_in; k++) // [1, 1] would widen a smaller result
        if (d->in[k] && d->in[k]->rank > n->out[0]->rank)
            return false;
    // n now moves the constant, and a copy of d dequantizes what n gives.
    struct tensor *y = n->out[0], *in[4];
    struct tensor *moved = graph_add_tensor(g, arena_printf(g->arena, "%s/moved", d->in[0]->name),
                                            d->in[0]->dtype, y->rank, y->dims);
    memcpy(in, d->in, (size_t)d->n_in * sizeof *in);
    in[0] = moved;
    set_in(g, n, 0, d->in[0]);
    n->out = arena_array(g->arena, struct tensor *, 1);
    n->out[0] = moved;
    moved->producer = n;
    struct node *copy;
    if (n->index + 1 < g->n_nodes)
        copy = graph_insert_node(g, g->nodes[n->index + 1], d->op, d->name, d->n_in, in, 1, &y);
    else
        copy = graph_add_node(g, d->op, d->name, d->n_in, in, 1, &y);
    copy->model_index = d->model_index;
    copy->n_attrs = d->n_attrs;
    copy->attrs = arena_array(g->arena, struct attr, d->n_attrs);
    if (d->n_attrs)
        memcpy(copy->attrs, d->attrs, (size_t)d->n_attrs * sizeof *d->attrs);
    drop_attr(copy, d->op == OP_DequantizeLinear ? "axis" : ""); // one scale has none
    if (along)
        node_set_int(g, copy, "axis", axis);
    if (tensor_uses(g, d->out[0]) == 0)
        graph_remove_node(g, d);
    return true;
}

// One element at a time, each by the same numbers.
static bool is_elementwise(const struct node *n)
{
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && (!n->in[k]->data || tensor_count(n->in[k]) != 1 || n->in[k]->rank > 1))
            return false;
    switch ((int)n->op) {
    case OP_Relu:
    case OP_LeakyRelu:
    case OP_Sigmoid:
    case OP_Tanh:
    case OP_HardSigmoid:
    case OP_HardSwish:
    case OP_Clip:
    case OP_Cast:
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Quant:
    case OP_BipolarQuant:
    case OP_Trunc:
    case OP_QuantizeLinear:
    case OP_DequantizeLinear: return n->n_out == 1 && n->in[0] && !n->in[0]->data;
    default: return false;
    }
}

static bool undoes(const struct node *second, const struct node *first)
{
    int a[MAX_RANK], b[MAX_RANK];
    transpose_perm(first, a);
    transpose_perm(second, b);
    for (int i = 0; i < first->in[0]->rank; i++)
        if (a[b[i]] != i)
            return false;
    return true;
}

// A Transpose that undoes an earlier one, with nothing between them that minds: both go. Exporters of images with channels behind leave
// such pairs around every activation.
bool cancel_transposes(struct graph *g, struct node *n)
{
    struct node *first = n->op == OP_Transpose ? n->in[0]->producer : NULL, *above = NULL; // above: what reads the first Transpose
    while (first && is_elementwise(first) && tensor_sole_consumer(g, first->out[0])) {
        above = first;
        first = first->in[0]->producer;
    }
    if (!first || first->op != OP_Transpose || !tensor_sole_consumer(g, first->out[0]) || !undoes(n, first))
        return false;
    for (struct tensor *t = n->in[0]; above && t != first->out[0]; t = t->producer->in[0])
        memcpy(t->dims, first->in[0]->dims, sizeof t->dims);
    set_in(g, above ? above : n, 0, first->in[0]);
    n->op = OP_Identity;
    n->n_attrs = 0;
    graph_remove_node(g, first);
    return true;
}

// ReduceMean over exactly the dimensions behind the channels.
bool reduce_to_pool(struct graph *g, struct node *n)
{
    if (n->op != OP_ReduceMean)
        return false;
    const struct tensor *x = n->in[0];
    if ((x->rank != 3 && x->rank != 4) || reduce_axes(n) != (x->rank == 4 ? 12 : 4))
        return false;
    bool keep = node_int(n, "keepdims", 1) != 0;
    n->op = OP_GlobalAveragePool;
    n->n_attrs = 0;
    if (keep)
        return true;
    // The pool keeps the dimensions; a Reshape behind it drops them and is what n was to its readers.
    struct tensor *y = n->out[0], *x0 = n->in[0];
    int64_t dims[4] = { x->dims[0], x->dims[1], 1, 1 };
    struct tensor *pooled =
        graph_add_tensor(g, arena_printf(g->arena, "%s/pooled", y->name), DT_FLOAT, x->rank, dims);
    struct node *pool = graph_insert_node(g, n, OP_GlobalAveragePool, n->name, 1, &x0, 1, &pooled);
    pool->model_index = n->model_index;
    make_reshape(g, n, pooled);
    return true;
}

// Softmax of opsets below 13 runs over all dimensions from `axis` on.
bool flatten_softmax(struct graph *g, struct node *n)
{
    if ((n->op != OP_Softmax && n->op != OP_LogSoftmax) || !node_int(n, "flatten_2d", 0))
        return false;
    struct tensor *x = n->in[0], *y = n->out[0];
    int axis = axis_of(node_int(n, "axis", 1), x->rank), wide = 0;
    int64_t dims[2] = { 1, 1 };
    for (int i = 0; i < x->rank; i++) {
        dims[i >= axis] *= x->dims[i];
        wide += i >= axis && x->dims[i] != 1;
    }
    drop_attr(n, "flatten_2d");
    if (wide <= 1) { // one dimension that counts: softmax over that one
        for (int i = axis; i < x->rank; i++)
            if (x->dims[i] != 1)
                axis = i;
        node_set_int(g, n, "axis", axis == x->rank - 1 ? -1 : axis);
        return true;
    }
    struct tensor *flat = graph_add_tensor(g, arena_printf(g->arena, "%s/flat", x->name), x->dtype, 2, dims);
    struct tensor *sum = graph_add_tensor(g, arena_printf(g->arena, "%s/flat", y->name), y->dtype, 2, dims);
    struct tensor *in[2] = { x, const_i64(g, arena_printf(g->arena, "%s/shape", flat->name), 2, dims) };
    graph_insert_node(g, n, OP_Reshape, n->name, 2, in, 1, &flat);
    struct node *softmax = graph_insert_node(g, n, n->op, n->name, 1, &flat, 1, &sum);
    node_set_int(g, softmax, "axis", -1);
    make_reshape(g, n, sum);
    return true;
}

// ---- Pad ----

// A Pad of zeros around the image: its (top, left, bottom, right), or (left, right) in 1-D.
static bool image_pads(const struct node *n, int64_t *out)
{
    const struct tensor *x = n->in[0], *pads = n->in[1], *value = n->n_in > 2 ? n->in[2] : NULL;
    if (strcmp(node_string(n, "mode", "constant"), "constant") != 0 || !pads->data || x->rank < 3 ||
        (value && (!value->data || (tensor_count(value) && tensor_const_f64(value, 0) != 0.0))))
        return false;
    for (int i = 0; i < x->rank; i++)
        for (int side = 0; side < 2; side++) {
            int64_t p = tensor_const_i64(pads, i + side * x->rank);
            if (i < 2 ? p != 0 : p < 0)
                return false;
            if (i >= 2)
                out[side * (x->rank - 2) + i - 2] = p;
        }
    return true;
}

// Whether node c sees padding of its own as it would see zeros in the image.
static bool takes_zero_pads(const struct node *c, const struct window_geometry *w, const struct node *pad)
{
    bool padded = w->pad_top || w->pad_left || w->pad_bottom || w->pad_right;
    if (c->op == OP_Conv)
        return true;
    if (c->op == OP_AveragePool)
        return node_int(c, "ceil_mode", 0) == 0 && (!padded || node_int(c, "count_include_pad", 0) != 0);
    // A maximum that is at least 0 anyway does not mind zeros.
    return c->op == OP_MaxPool && node_int(c, "ceil_mode", 0) == 0 && made_by(pad->in[0], OP_Relu);
}

bool fold_pad(const struct ctx *cx, struct graph *g, struct node *n)
{
    int64_t extra[2 * MAX_RANK], pads[4];
    struct window_geometry w;
    if (n->op != OP_Pad || n->in[0]->dtype != DT_FLOAT || n->in[0]->rank > 4 || !image_pads(n, extra))
        return false;
    struct node *c = tensor_sole_consumer(g, n->out[0]);
    if (!c || c->in[0] != n->out[0] || c->n_out > 1 || // indices count what is padded
        (c->op != OP_Conv && c->op != OP_AveragePool && c->op != OP_MaxPool) ||
        !window_geometry(cx, g, c, &w) || !takes_zero_pads(c, &w, n))
        return false;
    int spatial = n->in[0]->rank - 2;
    int64_t own[4] = { w.pad_top, w.pad_left, w.pad_bottom, w.pad_right };
    int64_t extent[2] = { (w.kernel_h - 1) * w.dilation_h + 1, (w.kernel_w - 1) * w.dilation_w + 1 };
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < spatial; i++) {
            int64_t *p = &pads[side * spatial + i];
            *p = own[side * 2 + i + 2 - spatial] + extra[side * spatial + i];
            if (c->op != OP_Conv && *p >= extent[i + 2 - spatial])
                return false; // a window of padding alone: pools do not have those
        }
    struct tensor *padded = n->out[0];
    for (int k = 0; k < c->n_in; k++)
        if (c->in[k] == padded)
            set_in(g, c, k, n->in[0]);
    node_set_ints(g, c, "pads", 2 * spatial, pads);
    drop_attr(c, "auto_pad"); // resolved above
    if (c->op == OP_AveragePool)
        node_set_int(g, c, "count_include_pad", 1);
    graph_remove_node(g, n);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// The ends of a quantized model, where nothing is quantized: what stands in front of its first QuantizeLinear and behind its
// last one runs on the host. Nodes there that are hardware's elsewhere get the attribute resolved_host.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/simplify_impl.h"

static bool has_quantizers(const struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == OP_QuantizeLinear)
            return true;
    return false;
}

static bool passes(enum op op)
{
    return op == OP_Reshape || op == OP_Transpose || op == OP_Identity || op == OP_Cast;
}

// Mul, Add, Sub or Div of float32 by a constant with one value, or one for each index of an axis; the constant is made to stand
// on the right.
static bool is_arithmetic(struct graph *g, struct node *n)
{
    if ((n->op != OP_Mul && n->op != OP_Add && n->op != OP_Sub && n->op != OP_Div) || n->out[0]->dtype != DT_FLOAT || n->in[0] == n->in[1])
        return false;
    int k = n->in[0]->data ? 0 : 1, longer = 0;
    const struct tensor *c = n->in[k], *x = n->in[1 - k];
    if (!c->data || c->dtype != DT_FLOAT || x->data || c->rank > x->rank || x->rank != n->out[0]->rank ||
        memcmp(x->dims, n->out[0]->dims, (size_t)x->rank * sizeof *x->dims) != 0 || (k == 0 && (n->op == OP_Sub || n->op == OP_Div)))
        return false;
    for (int i = 0; i < c->rank; i++)
        longer += c->dims[i] != 1;
    if (longer > 1)
        return false;
    if (k == 0) {
        struct tensor *left = n->in[0], *right = n->in[1];
        set_in(g, n, 0, right);
        set_in(g, n, 1, left);
    }
    return true;
}

// The int8 or uint8 tensor of scale 1 that float t is, over Reshapes, or NULL.
static struct tensor *integers_behind(const struct tensor *t)
{
    while (made_by(t, OP_Reshape))
        t = t->producer->in[0];
    const struct node *d = made_by(t, OP_DequantizeLinear);
    if (!d || !d->in[1]->data || tensor_count(d->in[1]) != 1 || tensor_const_f64(d->in[1], 0) != 1 || dtype_bytes(d->in[0]->dtype) != 1)
        return NULL;
    if (d->n_in > 2 && d->in[2] && (!d->in[2]->data || tensor_const_i64(d->in[2], 0) != 0))
        return NULL;
    return d->in[0];
}

static int8_t *int8_values(struct arena *a, const struct tensor *w)
{
    int8_t *v = arena_alloc(a, (size_t)tensor_count(w));
    for (int64_t i = 0; i < tensor_count(w); i++) {
        double x = tensor_const_f64(w, i);
        if (x != nearbyint(x) || x < -128 || x > 127)
            return NULL;
        v[i] = (int8_t)x;
    }
    return v;
}

// A product of integers in floats as one in integers: float32 sums of more than 2^24 depend on their order.
static bool integer_matrix(struct graph *g, struct node *n)
{
    struct arena *a = g->arena;
    struct tensor *w = n->in[1], *y = n->out[0], *x = n->op == OP_Gemm || n->op == OP_MatMul ? integers_behind(n->in[0]) : NULL;
    if (!x || !y || (n->n_in > 2 && n->in[2]) || n->n_attrs || !w->data || w->rank != 2 || n->in[0]->rank != 2)
        return false;
    int8_t *v = int8_values(a, w);
    if (!v)
        return false;
    const int64_t *dims = n->in[0]->dims;
    struct tensor *rows = graph_add_tensor(g, arena_printf(a, "%s/rows", x->name), x->dtype, 2, dims);
    struct tensor *reshape[2] = { x, const_i64(g, arena_printf(a, "%s/shape", rows->name), 2, dims) };
    struct tensor *sum = graph_add_tensor(g, arena_printf(a, "%s/sum", y->name), DT_INT32, 2, y->dims);
    struct tensor *product[2] = { rows, graph_add_const(g, arena_printf(a, "%s/int8", w->name), DT_INT8, 2, w->dims, v) };
    graph_insert_node(g, n, OP_Reshape, n->name, 2, reshape, 1, &rows)->model_index = n->model_index;
    struct node *matrix = graph_insert_node(g, n, OP_MatMulInteger, n->name, 2, product, 1, &sum);
    matrix->model_index = n->model_index;
    node_set_int(g, matrix, "resolved_host", 1);
    n->op = OP_Cast;
    n->n_in = 1;
    set_in(g, n, 0, sum);
    node_set_int(g, n, "to", DT_FLOAT);
    return true;
}

static void mark_head(struct graph *g, bool *host)
{
    for (int i = 0; i < g->n_inputs; i++)
        host[g->inputs[i]->index] = g->inputs[i]->dtype == DT_FLOAT;
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        bool arithmetic = is_arithmetic(g, n);
        if ((!arithmetic && !passes(n->op)) || !host[n->in[0]->index])
            continue;
        host[n->out[0]->index] = true;
        if (arithmetic)
            node_set_int(g, n, "resolved_host", 1);
    }
}

static void mark_tail(struct graph *g)
{
    // some reader needs it quantized, or is hardware's; what is added on the way is integers, or the host's
    bool *inside = arena_array(g->arena, bool, g->n_tensors + 4 * g->n_nodes);
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        struct node *n = g->nodes[i];
        bool tail = true, marks = false;
        for (int k = 0; k < n->n_out; k++)
            tail &= !n->out[k] || !inside[n->out[k]->index];
        if (tail) {
            if (integer_matrix(g, n)) { // its integers are quantized, and nothing reads the floats
                i = n->index;
                continue;
            }
            marks = is_arithmetic(g, n) || n->op == OP_Sigmoid ||
                    (n->op == OP_Gather && n->in[1]->data && n->in[0]->dtype == DT_FLOAT);
            tail = marks || passes(n->op) || n->op == OP_Softmax || n->op == OP_LogSoftmax || n->op == OP_ArgMax;
        }
        if (marks)
            node_set_int(g, n, "resolved_host", 1);
        for (int k = 0; !tail && k < n->n_in; k++)
            if (n->in[k])
                inside[n->in[k]->index] = true;
    }
}

void mark_host(struct graph *g)
{
    if (!has_quantizers(g))
        return;
    mark_head(g, arena_array(g->arena, bool, g->n_tensors));
    mark_tail(g);
    graph_remove_dead(g);
}

// ---- products that need no requantization ----

static bool is_quantized_behind(const struct graph *g, const struct tensor *t)
{
    bool *reached = arena_array(g->arena, bool, g->n_tensors);
    reached[t->index] = true;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        bool reads = false;
        for (int k = 0; k < n->n_in; k++)
            reads |= n->in[k] && reached[n->in[k]->index];
        if (reads && (n->op == OP_QuantizeLinear || is_fake_quant(n)))
            return true;
        for (int k = 0; reads && k < n->n_out; k++)
            if (n->out[k])
                reached[n->out[k]->index] = true;
    }
    return false;
}

// The largest distance of x's integers from their zero point: the type's, or the Clip's in front of the QuantizeLinear.
static double largest_integer(const struct node *d)
{
    const struct node *q = made_by(d->in[0], OP_QuantizeLinear), *clip = q ? made_by(q->in[0], OP_Clip) : NULL;
    double scale = tensor_const_f64(d->in[1], 0);
    if (clip && clip->n_in > 2 && clip->in[1] && clip->in[2] && clip->in[1]->data && clip->in[2]->data)
        return nearbyint(fmax(fabs(tensor_const_f64(clip->in[1], 0)), fabs(tensor_const_f64(clip->in[2], 0))) / scale);
    return 255;
}

static bool is_constant_pair(const struct node *d, bool data)
{
    return d && (d->in[0]->data != NULL) == data && d->in[1]->data && tensor_count(d->in[1]) == 1 && (d->n_in < 3 || !d->in[2] || d->in[2]->data);
}

bool keep_narrow_product(struct graph *g, struct node *n)
{
    if (n->op != OP_Gemm || n->n_in > 2 || node_float(n, "alpha", 1.0f) != 1.0f || node_int(n, "transA", 0))
        return false;
    const struct node *x = made_by(n->in[0], OP_DequantizeLinear), *w = made_by(n->in[1], OP_DequantizeLinear);
    struct tensor *y = n->out[0];
    if (!is_constant_pair(x, false) || !is_constant_pair(w, true) || w->in[0]->rank != 2 || tensor_is_output(g, y) || is_quantized_behind(g, y))
        return false;
    bool trans = node_int(n, "transB", 0) != 0;
    int64_t outs = w->in[0]->dims[trans ? 0 : 1], terms = w->in[0]->dims[trans ? 1 : 0];
    double largest = largest_integer(x), zero = w->n_in > 2 && w->in[2] ? tensor_const_f64(w->in[2], 0) : 0;
    for (int64_t m = 0; m < outs; m++) {
        double sum = 0;
        for (int64_t k = 0; k < terms; k++)
            sum += largest * fabs(tensor_const_f64(w->in[0], trans ? m * terms + k : k * outs + m) - zero);
        if (sum > 127)
            return false;
    }
    float *scale = arena_array(g->arena, float, 1);
    *scale = (float)(tensor_const_f64(x->in[1], 0) * tensor_const_f64(w->in[1], 0));
    struct tensor *product = graph_add_tensor(g, arena_printf(g->arena, "%s/product", y->name), DT_FLOAT, y->rank, y->dims);
    struct tensor *q = graph_add_tensor(g, arena_printf(g->arena, "%s/quantized", y->name), DT_INT8, y->rank, y->dims);
    struct tensor *s = const_f32(g, arena_printf(g->arena, "%s/scale", y->name), DT_FLOAT, 0, NULL, scale);
    struct tensor *zero_point = graph_add_const(g, arena_printf(g->arena, "%s/zero", y->name), DT_INT8, 0, NULL, arena_alloc(g->arena, 1));
    // n moves in front: its own place is its DequantizeLinear's now
    struct tensor *to_q[3] = { product, s, zero_point }, *from_q[3] = { q, s, zero_point };
    struct node *copy = graph_insert_node(g, n, OP_Gemm, n->name, n->n_in, n->in, 1, &product);
    copy->model_index = n->model_index;
    copy->attrs = n->attrs;
    copy->n_attrs = n->n_attrs;
    graph_insert_node(g, n, OP_QuantizeLinear, n->name, 3, to_q, 1, &q)->model_index = n->model_index;
    n->op = OP_DequantizeLinear;
    n->n_attrs = 0;
    for (int k = 0; k < 3; k++)
        set_in(g, n, k, from_q[k]);
    return true;
}

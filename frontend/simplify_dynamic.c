// SPDX-License-Identifier: Apache-2.0
// MatMulInteger and ConvInteger, with the Cast to float behind them, as products of floats:
//
//     integers of fixed zero points      DequantizeLinear of scale 1, both ways; the Mul behind it folds into the scales
//     DynamicQuantizeLinear in front     the product of its float operand and the weights as numbers: the range that it
//                                        would measure in each frame comes from calibration instead
#include <string.h>

#include "base/check.h"
#include "frontend/simplify_impl.h"

static const struct tensor *operand(const struct node *n, int k)
{
    return k < n->n_in ? n->in[k] : NULL;
}

static bool is_product(const struct node *n)
{
    return (n->op == OP_MatMulInteger || n->op == OP_ConvInteger) && !node_attr(n, "resolved_host");
}

// The Cast to float that alone reads product n.
static struct node *cast_behind(const struct graph *g, const struct node *n)
{
    struct node *cast = tensor_sole_consumer(g, n->out[0]);
    return cast && cast->op == OP_Cast && cast->out[0]->dtype == DT_FLOAT && tensor_uses(g, n->out[0]) == 1 ? cast : NULL;
}

// Whether n has constant weights with one zero point, or one for each output.
static bool has_plain_weights(const struct node *n)
{
    const struct tensor *w = n->in[1], *zero = operand(n, 3);
    if (!w->data || dtype_bytes(w->dtype) != 1 || w->rank < 2)
        return false;
    int64_t outs = w->dims[n->op == OP_ConvInteger ? 0 : w->rank - 1];
    return !zero || (zero->data && (tensor_count(zero) == 1 || (zero->rank == 1 && zero->dims[0] == outs)));
}

static bool reads(const struct node *n, const struct tensor *t)
{
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] == t)
            return true;
    return false;
}

// Whether all that reads d's integers and zero point are products that can be rewritten.
static bool only_for_products(const struct graph *g, const struct node *d)
{
    if (tensor_is_output(g, d->out[0]) || tensor_is_output(g, d->out[1]) || tensor_is_output(g, d->out[2]))
        return false;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        if ((reads(n, d->out[0]) || reads(n, d->out[2])) &&
            (!is_product(n) || n->in[0] != d->out[0] || operand(n, 2) != d->out[2] || !cast_behind(g, n) || !has_plain_weights(n)))
            return false;
    }
    return true;
}

static struct tensor *one(struct graph *g, const char *name)
{
    float *v = arena_array(g->arena, float, 1);
    *v = 1;
    return const_f32(g, name, DT_FLOAT, 0, NULL, v);
}

// The weights of product n minus their zero points, as floats.
static struct tensor *float_weights(struct graph *g, const struct node *n)
{
    const struct tensor *w = n->in[1], *zero = operand(n, 3);
    int64_t count = tensor_count(w), zeros = zero ? tensor_count(zero) : 1, inner = 1;
    for (int i = 1; n->op == OP_ConvInteger && i < w->rank; i++)
        inner *= w->dims[i];
    float *v = arena_array(g->arena, float, count);
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)(tensor_const_i64(w, i) - (zero ? tensor_const_i64(zero, i / inner % zeros) : 0));
    return const_f32(g, arena_printf(g->arena, "%s/float", w->name), DT_FLOAT, w->rank, w->dims, v);
}

static struct tensor *dequantized(struct graph *g, struct node *n, struct tensor *x, struct tensor *zero, int axis)
{
    const char *name = arena_printf(g->arena, "%s/dequantized", x->name);
    struct tensor *in[3] = { x, one(g, arena_printf(g->arena, "%s/scale", name)), zero };
    if (zero && tensor_count(zero) > 1) { // as many scales as zero points
        float *v = arena_array(g->arena, float, tensor_count(zero));
        for (int64_t i = 0; i < tensor_count(zero); i++)
            v[i] = 1;
        in[1] = const_f32(g, arena_printf(g->arena, "%s/scale", name), DT_FLOAT, 1, zero->dims, v);
    }
    struct tensor *y = graph_add_tensor(g, name, DT_FLOAT, x->rank, x->dims);
    struct node *d = graph_insert_node(g, n, OP_DequantizeLinear, n->name, zero ? 3 : 2, in, 1, &y);
    d->model_index = n->model_index;
    if (zero && tensor_count(zero) > 1)
        node_set_int(g, d, "axis", axis);
    return y;
}

// n becomes the product of floats x and w, and gives what its Cast gave.
static void become_product(struct graph *g, struct node *n, struct node *cast, struct tensor *x, struct tensor *w)
{
    struct tensor **in = arena_array(g->arena, struct tensor *, 2), *y = cast->out[0];
    in[0] = x;
    in[1] = w;
    n->in = in;
    n->n_in = 2;
    n->op = n->op == OP_ConvInteger ? OP_Conv : OP_MatMul;
    n->out[0]->producer = NULL;
    n->out[0] = y;
    graph_remove_node(g, cast);
    y->producer = n;
}

bool rewrite_integer_product(struct graph *g, struct node *n)
{
    struct node *cast = is_product(n) ? cast_behind(g, n) : NULL;
    if (!cast || !has_plain_weights(n))
        return false;
    struct node *d = made_by(n->in[0], OP_DynamicQuantizeLinear);
    const struct tensor *zero = operand(n, 2);
    if (d) {
        if (!only_for_products(g, d))
            return false;
        graph_replace_uses(g, d->out[1], one(g, arena_printf(g->arena, "%s/one", d->out[1]->name)));
        become_product(g, n, cast, d->in[0], float_weights(g, n));
        return true;
    }
    if (zero && (!zero->data || tensor_count(zero) != 1))
        return false;
    struct tensor *x = dequantized(g, n, n->in[0], n->n_in > 2 ? n->in[2] : NULL, 0);
    struct tensor *w = dequantized(g, n, n->in[1], n->n_in > 3 ? n->in[3] : NULL, n->op == OP_ConvInteger ? 0 : n->in[1]->rank - 1);
    become_product(g, n, cast, x, w);
    return true;
}

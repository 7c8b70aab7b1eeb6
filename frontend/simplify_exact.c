// SPDX-License-Identifier: Apache-2.0
// Affine maps behind products with integer weights:
//
//     f(scale * (w - zero) · x + bias)   becomes   (scale * |f.scale|) * (±(w - zero)) · x + (bias * f.scale + f.shift)
//
// channel by channel. The integers stay integers (a falling map turns their signs), scales and bias are float64.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"

struct integer_product {
    struct node *n, *dequantize;
    int axis; // of the weights, that counts outputs
    int64_t outs, inner; // weights of one output that follow each other
    double *scale, *bias; // [outs]
    int64_t *zero;        // [outs]
};

// The constant behind a DequantizeLinear, if t is one's.
static const struct node *dequantized_constant(const struct tensor *t)
{
    const struct node *d = made_by(t, OP_DequantizeLinear);
    for (int k = 0; d && k < d->n_in; k++)
        if (d->in[k] && !d->in[k]->data)
            return NULL;
    return d;
}

static bool read_bias(const struct tensor *t, int64_t outs, double *bias)
{
    const struct node *d = t && !t->data ? dequantized_constant(t) : NULL;
    if (!t)
        return true;
    const struct tensor *c = d ? d->in[0] : t;
    if (!c->data || (!d && !dtype_is_float(c->dtype)))
        return false;
    int64_t count = tensor_count(c), scales = d ? tensor_count(d->in[1]) : 1;
    if ((count != 1 && (count != outs || c->dims[c->rank - 1] != outs)) || (scales != 1 && scales != count))
        return false;
    for (int64_t m = 0; m < outs; m++) {
        int64_t i = count == 1 ? 0 : m, k = scales == 1 ? 0 : i;
        double zero = d && d->n_in > 2 && d->in[2] ? tensor_const_f64(d->in[2], k) : 0;
        bias[m] = d ? (tensor_const_f64(c, i) - zero) * tensor_const_f64(d->in[1], k) : tensor_const_f64(c, i);
    }
    return true;
}

static bool read_product(struct graph *g, struct node *n, struct integer_product *p)
{
    bool gemm = n->op == OP_Gemm;
    if ((n->op != OP_Conv && !gemm) || (gemm && (node_int(n, "transA", 0) || node_float(n, "alpha", 1.0f) != 1.0f || node_float(n, "beta", 1.0f) != 1.0f)))
        return false;
    const struct node *d = dequantized_constant(n->in[1]);
    if (!d || d->in[0]->rank < 2)
        return false;
    const struct tensor *w = d->in[0];
    *p = (struct integer_product){ .n = n, .dequantize = n->in[1]->producer, .axis = gemm && !node_int(n, "transB", 0) ? 1 : 0, .inner = 1 };
    p->outs = w->dims[p->axis];
    for (int i = p->axis + 1; i < w->rank; i++)
        p->inner *= w->dims[i];
    int64_t scales = tensor_count(d->in[1]);
    if (scales != 1 && (scales != p->outs || axis_of(node_int(d, "axis", 1), w->rank) != p->axis))
        return false;
    p->scale = arena_array(g->arena, double, p->outs);
    p->bias = arena_array(g->arena, double, p->outs);
    p->zero = arena_array(g->arena, int64_t, p->outs);
    for (int64_t m = 0; m < p->outs; m++) {
        int64_t k = scales == 1 ? 0 : m;
        p->scale[m] = tensor_const_f64(d->in[1], k);
        p->zero[m] = d->n_in > 2 && d->in[2] ? tensor_const_i64(d->in[2], tensor_count(d->in[2]) == 1 ? 0 : k) : 0;
        if (!(p->scale[m] > 0))
            return false;
    }
    return read_bias(n->n_in > 2 ? n->in[2] : NULL, p->outs, p->bias);
}

static struct tensor *doubles(struct graph *g, const char *name, int64_t n, const double *v)
{
    return graph_add_const(g, name, DT_DOUBLE, 1, &n, v);
}

// The weights minus their zero points, times -1, 0 or 1 for each output. int16 holds what int8 does not.
static struct tensor *signed_weights(struct graph *g, const struct integer_product *p, const int *sign)
{
    const struct tensor *w = p->dequantize->in[0];
    int64_t count = tensor_count(w);
    int16_t *wide = arena_array(g->arena, int16_t, count);
    int8_t *narrow = arena_array(g->arena, int8_t, count);
    bool fits = true;
    for (int64_t i = 0; i < count; i++) {
        int64_t m = i / p->inner % p->outs;
        wide[i] = (int16_t)(sign[m] * (tensor_const_i64(w, i) - p->zero[m]));
        narrow[i] = (int8_t)wide[i];
        fits &= narrow[i] == wide[i];
    }
    return graph_add_const(g, arena_printf(g->arena, "%s/signed", w->name), fits ? DT_INT8 : DT_INT16, w->rank, w->dims,
                           fits ? (void *)narrow : (void *)wide);
}

// What is behind f in place of p's weights and bias; other readers keep theirs.
static void write_product(struct graph *g, const struct integer_product *p, const struct affine *f)
{
    struct arena *a = g->arena;
    const char *name = p->n->out[0]->name;
    int *sign = arena_array(a, int, p->outs);
    for (int64_t m = 0; m < p->outs; m++) {
        sign[m] = (f->scale[m] > 0) - (f->scale[m] < 0);
        p->bias[m] = p->bias[m] * f->scale[m] + f->shift[m];
        p->scale[m] *= sign[m] ? fabs(f->scale[m]) : 1; // of zeros: any
    }
    struct tensor *w = signed_weights(g, p, sign), *in[2] = { w, doubles(g, arena_printf(a, "%s/scale", name), p->outs, p->scale) };
    struct tensor *y = graph_add_tensor(g, arena_printf(a, "%s/weights", name), DT_FLOAT, w->rank, w->dims);
    struct node *d = graph_insert_node(g, p->n, OP_DequantizeLinear, p->dequantize->name, 2, in, 1, &y);
    d->model_index = p->dequantize->model_index;
    node_set_int(g, d, "axis", p->axis);
    set_in(g, p->n, 1, y);
    node_set_int(g, p->n, "resolved_bias", 1); // shape_infer takes another type than that of the inputs
    set_in(g, p->n, 2, doubles(g, arena_printf(a, "%s/bias", name), p->outs, p->bias));
}

// Whether a scale or shift is of use: not of use are those that a division by zero left.
static bool all_finite(const struct affine *f)
{
    for (int64_t c = 0; c < f->channels; c++)
        if (!isfinite(f->scale[c]) || !isfinite(f->shift[c]))
            return false;
    return true;
}

bool exact_product(struct graph *g, struct node *product, const struct affine *f)
{
    struct integer_product p;
    if (!read_product(g, product, &p) || p.outs != f->channels || !all_finite(f))
        return false;
    write_product(g, &p, f);
    return true;
}

bool fold_exact(struct graph *g, struct node *n)
{
    struct affine f;
    struct integer_product p;
    bool arithmetic = n->op == OP_Mul || n->op == OP_Div || n->op == OP_Add || n->op == OP_Sub;
    if (n->op != OP_BatchNormalization && !arithmetic)
        return false;
    struct tensor *x = affine_operand(n);
    if (!x->producer || tensor_sole_consumer(g, x) != n || tensor_uses(g, x) != 1 || n->out[0]->rank != x->rank || x->rank < 2 ||
        !read_product(g, x->producer, &p) || x->dims[1] != p.outs || !node_affine(g, n, 1, &f) || !all_finite(&f))
        return false;
    write_product(g, &p, &f);
    // the product gives n's result: the name stays, and graph outputs with it
    p.n->out[0] = n->out[0];
    graph_remove_node(g, n);
    p.n->out[0]->producer = p.n;
    x->producer = NULL;
    return true;
}

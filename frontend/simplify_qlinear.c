// SPDX-License-Identifier: Apache-2.0
// QLinear operators as DequantizeLinear, float operator, QuantizeLinear: later passes know one form
// of quantization only.
#include <string.h>

#include "base/check.h"
#include "frontend/simplify_impl.h"

// Where the operands stand: (x, scale, zero point) from a and b, an int32 bias, and the result's
// (scale, zero point); -1 where there is none.
struct form {
    enum op op, plain;
    int a, b, bias, result;
};

static const struct form forms[] = {
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
    { OP_QLinearConcat, OP_Concat, -1, -1, -1, 0 },
};

static const struct form *form_of(enum op op)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].op == op)
            return &forms[i];
    return NULL;
}

static struct tensor *input(const struct node *n, int k)
{
    return k >= 0 && k < n->n_in ? n->in[k] : NULL;
}

// A DequantizeLinear of x in front of n.
static struct tensor *dequantized(struct graph *g, struct node *n, struct tensor *x, struct tensor *scale,
                                  struct tensor *zero, int axis)
{
    struct tensor *in[3] = { x, scale, zero };
    const char *name = arena_printf(g->arena, "%s/dequantized", x->name);
    struct tensor *y = graph_add_tensor(g, name, DT_FLOAT, x->rank, x->dims);
    struct node *d = graph_insert_node(g, n, OP_DequantizeLinear, n->name, zero ? 3 : 2, in, 1, &y);
    if (tensor_count(scale) > 1)
        node_set_int(g, d, "axis", axis);
    return y;
}

static int weight_axis(const struct form *f, const struct node *n, const struct tensor *w)
{
    if (f->plain == OP_Conv || (f->plain == OP_Gemm && node_int(n, "transB", 0) != 0))
        return 0;
    return w->rank > 0 ? w->rank - 1 : 0;
}

// The int32 bias counts in units of (alpha *) scale_a * scale_b; float32 is what a DequantizeLinear
// can hold of that product.
static struct tensor *bias_scale(const struct ctx *cx, struct graph *g, struct node *n, const struct form *f)
{
    const struct tensor *sa = n->in[f->a + 1], *sb = n->in[f->b + 1];
    if (!sa->data || !sb->data) {
        diag_error(cx, E206, at_node(g, n), NULL, "the scales of a node with a bias must be constants");
        return NULL;
    }
    int64_t count = tensor_count(sb);
    float *v = arena_array(g->arena, float, count);
    double alpha = f->plain == OP_Gemm ? (double)node_float(n, "alpha", 1.0f) : 1.0;
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)(alpha * tensor_const_f64(sa, 0) * tensor_const_f64(sb, i));
    const char *name = arena_printf(g->arena, "%s/scale", n->in[f->bias]->name);
    return const_f32(g, name, DT_FLOAT, count > 1, &count, v);
}

// The float operator and the quantization of its result take n's place. n itself becomes the
// operator, so that its name and attributes stay.
static void replace(struct graph *g, struct node *n, const struct form *f, int n_in, struct tensor **in)
{
    struct tensor *scale = input(n, f->result), *zero = input(n, f->result + 1), *y = n->out[0];
    struct node *next = NULL;
    if (scale) {
        int64_t none[1] = { 0 };
        if (!zero && y->dtype != DT_UINT8) // without one, QuantizeLinear would give uint8
            zero = graph_add_const(g, arena_printf(g->arena, "%s/zero", y->name), y->dtype, 0, none, NULL);
        struct tensor *real = graph_add_tensor(g, arena_printf(g->arena, "%s/real", y->name), DT_FLOAT,
                                               y->rank, y->dims);
        struct tensor *q_in[3] = { real, scale, zero };
        next = graph_insert_node(g, n, OP_QuantizeLinear, n->name, zero ? 3 : 2, q_in, 1, &y);
        // It went in front of n: the two change places.
        g->nodes[next->index] = n;
        g->nodes[n->index] = next;
        int index = next->index;
        next->index = n->index;
        n->index = index;
        n->out = arena_array(g->arena, struct tensor *, 1);
        n->out[0] = real;
        real->producer = n;
    }
    n->op = f->plain;
    n->n_in = n_in;
    n->in = arena_array(g->arena, struct tensor *, n_in);
    memcpy(n->in, in, (size_t)n_in * sizeof *in);
    drop_attr(n, "channels_last");
}

static void rewrite_concat(struct graph *g, struct node *n, const struct form *f)
{
    int parts = (n->n_in - 2) / 3;
    struct tensor **in = arena_array(g->arena, struct tensor *, parts);
    for (int k = 0; k < parts; k++)
        in[k] = dequantized(g, n, n->in[2 + 3 * k], n->in[3 + 3 * k], input(n, 4 + 3 * k), 0);
    replace(g, n, f, parts, in);
}

bool rewrite_qlinear(const struct ctx *cx, struct graph *g, struct node *n, bool *changed)
{
    const struct form *f = form_of(n->op);
    if (!f)
        return true;
    *changed = true;
    if (f->a < 0) {
        rewrite_concat(g, n, f);
        return true;
    }
    struct tensor *in[3], *bias = input(n, f->bias), *scale = NULL;
    int n_in = 0;
    if (bias && !(scale = bias_scale(cx, g, n, f)))
        return false;
    in[n_in++] = dequantized(g, n, n->in[f->a], n->in[f->a + 1], input(n, f->a + 2), 0);
    if (f->b >= 0)
        in[n_in++] = dequantized(g, n, n->in[f->b], n->in[f->b + 1], input(n, f->b + 2),
                                 weight_axis(f, n, n->in[f->b]));
    if (bias)
        in[n_in++] = dequantized(g, n, bias, scale, NULL, bias->rank > 0 ? bias->rank - 1 : 0);
    replace(g, n, f, n_in, in);
    return true;
}

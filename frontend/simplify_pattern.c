// SPDX-License-Identifier: Apache-2.0
// Operators that exporters write as several. A row of `patterns` is a form and what it becomes; adding one is adding a row.
//
//     Mul(Sigmoid(x),x)     an operator with its inputs; those of Add and Mul in either order, inputs behind the last
//                           one given must be constants
//     x                     any computed tensor, everywhere the same; d=Sub(x,y) names what a form matches
//     E                     any constant, everywhere the same
//     0.5                   a constant with that one value, up to 1e-6 of it
//     {Pow(x,2)|Mul(x,x)}   either
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"

#define MOST_SCALES ((int64_t)1 << 24) // of a normalization that is recognised: its scales are made

// What the letters stand for.
struct match {
    struct graph *g;
    struct node *root;
    struct tensor *bound[128];
};

struct pattern {
    const char *form;
    // Puts the operator in the root's place; false, and nothing changed, when the shapes are not those of it.
    bool (*replace)(struct match *m, const struct pattern *p);
    const char *attr, *attr2; // float attributes, or NULL
    enum op op;
    float value, value2;
};

// ---- matching ----

static const char *skip_term(const char *p)
{
    int depth = 0;
    for (; *p && (depth > 0 || (*p != ',' && *p != '|' && *p != ')' && *p != '}')); p++)
        depth += (*p == '(' || *p == '{') - (*p == ')' || *p == '}');
    return p;
}

static bool match_term(struct match *m, const char *p, struct tensor *t);

static bool match_alternatives(struct match *m, const char *p, struct tensor *t)
{
    for (const char *one = p + 1;; one++) {
        struct match before = *m;
        if (match_term(m, one, t))
            return true;
        *m = before;
        one = skip_term(one);
        if (*one != '|')
            return false;
    }
}

static bool match_inputs(struct match *m, const char *const *args, int n_args, const struct node *n, bool swapped)
{
    for (int k = 0; k < n_args; k++)
        if (!n->in[swapped ? 1 - k : k] || !match_term(m, args[k], n->in[swapped ? 1 - k : k]))
            return false;
    return true;
}

static bool match_node(struct match *m, const char *p, const struct tensor *t)
{
    const struct node *n = t->producer;
    size_t length = strcspn(p, "(");
    const char *args[3];
    int n_args = 0;
    if (!n || n->out[0] != t || strlen(op_info(n->op)->name) != length || strncmp(op_info(n->op)->name, p, length) != 0)
        return false;
    for (const char *at = p + length; *at != ')'; at = skip_term(at + 1)) {
        ASSERT(n_args < 3);
        args[n_args++] = at + 1;
    }
    if (n->n_in < n_args)
        return false;
    for (int k = n_args; k < n->n_in; k++)
        if (n->in[k] && !n->in[k]->data)
            return false;
    struct match before = *m;
    if (match_inputs(m, args, n_args, n, false))
        return true;
    *m = before;
    return (n->op == OP_Add || n->op == OP_Mul) && match_inputs(m, args, n_args, n, true);
}

static bool match_letter(struct match *m, char letter, struct tensor *t)
{
    struct tensor **bound = &m->bound[(int)letter];
    if ((t->data != NULL) != (isupper((unsigned char)letter) != 0) || (*bound && *bound != t))
        return false;
    *bound = t;
    return true;
}

static bool match_term(struct match *m, const char *p, struct tensor *t)
{
    if (*p == '{')
        return match_alternatives(m, p, t);
    if (isdigit((unsigned char)*p) || *p == '-') {
        double want = strtod(p, NULL);
        return t->data && dtype_is_float(t->dtype) && tensor_count(t) == 1 && fabs(tensor_const_f64(t, 0) - want) <= 1e-6 * fabs(want);
    }
    if (isalpha((unsigned char)p[1]))
        return match_node(m, p, t);
    return (p[1] != '=' || match_term(m, p + 2, t)) && match_letter(m, *p, t);
}

// ---- replacing ----

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->dtype == DT_FLOAT && b->dtype == DT_FLOAT && a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static void become(struct match *m, enum op op, int n_in, struct tensor *const *in)
{
    struct node *n = m->root;
    n->op = op;
    n->n_attrs = 0;
    n->n_in = n_in;
    n->in = arena_array(m->g->arena, struct tensor *, n_in);
    memcpy(n->in, in, (size_t)n_in * sizeof *in);
}

// A function of x alone.
static bool to_function(struct match *m, const struct pattern *p)
{
    struct tensor *x = m->bound['x'];
    if (!same_shape(x, m->root->out[0]))
        return false;
    become(m, p->op, 1, &x);
    if (p->attr)
        node_set_float(m->g, m->root, p->attr, p->value);
    if (p->attr2)
        node_set_float(m->g, m->root, p->attr2, p->value2);
    return true;
}

static bool to_tanh_gelu(struct match *m, const struct pattern *p)
{
    if (!to_function(m, p))
        return false;
    node_set_string(m->g, m->root, "approximate", "tanh");
    return true;
}

// HardSigmoid h is a part of it with the slope of 1/6 only.
static bool to_hard_swish(struct match *m, const struct pattern *p)
{
    const struct node *h = m->bound['h']->producer;
    return fabsf(node_float(h, "alpha", 0.2f) - 1.0f / 6) < 1e-6f && node_float(h, "beta", 0.5f) == 0.5f && to_function(m, p);
}

static struct tensor *filled(struct match *m, const char *what, int rank, const int64_t *dims, float v)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    float *data = arena_array(m->g->arena, float, n);
    for (int64_t i = 0; i < n; i++)
        data[i] = v;
    return const_f32(m->g, arena_printf(m->g->arena, "%s/%s", m->root->out[0]->name, what), DT_FLOAT, rank, dims, data);
}

// The first of x's axes that the means m and v both run over, up to the last; -1 when they run over others.
static int mean_axis(const struct match *m, const struct tensor *x)
{
    const struct tensor *means[2] = { m->bound['v'], m->bound['m'] };
    int axis = -1;
    for (int k = 0; k < 2; k++) {
        if (!means[k])
            continue;
        const struct node *n = means[k]->producer;
        unsigned mask = (unsigned)reduce_axes(n), all = (1u << x->rank) - 1;
        int first = 0;
        while (first < x->rank && mask != (all & ~((1u << first) - 1)))
            first++;
        if (first == x->rank || !node_int(n, "keepdims", 1) || (axis >= 0 && axis != first))
            return -1;
        axis = first;
    }
    return axis;
}

static bool to_norm(struct match *m, const struct pattern *p)
{
    struct tensor *x = m->bound['x'], *epsilon = m->bound['E'];
    int axis = mean_axis(m, x);
    if (axis < 1 || !same_shape(x, m->root->out[0]) || tensor_count(epsilon) != 1)
        return false;
    int64_t scales = 1; // a scale for each element that the means run over
    for (int i = axis; i < x->rank; i++)
        scales *= x->dims[i];
    if (scales > MOST_SCALES)
        return false;
    float e = (float)tensor_const_f64(epsilon, 0);
    bool instance = p->op == OP_LayerNormalization && x->rank == 4 && axis == 2;
    struct tensor *in[3] = { x, instance ? filled(m, "scale", 1, x->dims + 1, 1) : filled(m, "scale", x->rank - axis, x->dims + axis, 1),
                             instance ? filled(m, "bias", 1, x->dims + 1, 0) : NULL };
    become(m, instance ? OP_InstanceNormalization : p->op, instance ? 3 : 2, in);
    if (!instance)
        node_set_int(m->g, m->root, "axis", axis);
    node_set_float(m->g, m->root, "epsilon", e);
    return true;
}

// Constant c for each of `count` elements of a scale or bias, which belong to the last axes or to the channels of an image; or NULL.
static const float *spread(struct match *m, const struct tensor *c, int64_t count, bool channels)
{
    int64_t n = tensor_count(c);
    int axis = channels ? c->rank - 3 : c->rank - 1; // that may be longer than 1
    if (c->dtype != DT_FLOAT || (n != 1 && (n != count || axis < 0 || c->dims[axis] != n)))
        return NULL;
    float *v = arena_array(m->g->arena, float, count);
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)tensor_const_f64(c, n == 1 ? 0 : i);
    return v;
}

// A Mul or Add of constant S behind normalization l, into its scale and bias.
static bool into_norm(struct match *m, const struct pattern *p)
{
    const struct node *norm = m->bound['l']->producer;
    const struct tensor *scale = norm->in[1], *bias = norm->n_in > 2 ? norm->in[2] : NULL;
    bool instance = norm->op == OP_InstanceNormalization, add = m->root->op == OP_Add;
    int64_t count = tensor_count(scale);
    struct tensor *x = norm->in[0];
    const float *s = same_shape(x, m->root->out[0]) ? spread(m, m->bound['S'], count, instance) : NULL;
    if (!s || !scale->data || (bias && !bias->data) || (add && norm->op == OP_RMSNormalization) || tensor_sole_consumer(m->g, norm->out[0]) != m->root)
        return false;
    float *w = arena_array(m->g->arena, float, count), *b = arena_array(m->g->arena, float, count);
    for (int64_t i = 0; i < count; i++) {
        double old = bias ? tensor_const_f64(bias, i) : 0;
        w[i] = (float)(tensor_const_f64(scale, i) * (add ? 1 : (double)s[i]));
        b[i] = (float)(add ? old + (double)s[i] : old * (double)s[i]);
    }
    const char *name = m->root->out[0]->name;
    struct tensor *in[3] = { x, const_f32(m->g, arena_printf(m->g->arena, "%s/scale", name), DT_FLOAT, scale->rank, scale->dims, w), NULL };
    if (add || bias)
        in[2] = const_f32(m->g, arena_printf(m->g->arena, "%s/bias", name), DT_FLOAT, scale->rank, scale->dims, b);
    (void)p;
    become(m, norm->op, in[2] ? 3 : 2, in);
    m->root->attrs = norm->attrs;
    m->root->n_attrs = norm->n_attrs;
    return true;
}

// Reshape, Transpose, Reshape of an image: blocks of channels become blocks of pixels.
static bool to_depth_to_space(struct match *m, const struct pattern *p)
{
    static const struct { int perm[6], block[2]; const char *mode; } modes[] = {
        { { 0, 1, 4, 2, 5, 3 }, { 2, 3 }, "CRD" }, { { 0, 3, 4, 1, 5, 2 }, { 1, 2 }, "DCR" },
    };
    const struct tensor *x = m->bound['x'], *cut = m->bound['s'], *y = m->root->out[0];
    int perm[MAX_RANK];
    (void)p;
    if (x->rank != 4 || cut->rank != 6 || y->rank != 4 || cut->dims[0] != x->dims[0] || cut->dims[4] != x->dims[2] || cut->dims[5] != x->dims[3])
        return false;
    transpose_perm(m->bound['u']->producer, perm);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        int64_t r = cut->dims[modes[i].block[0]];
        if (memcmp(perm, modes[i].perm, sizeof modes[i].perm) != 0 || cut->dims[modes[i].block[1]] != r || r < 2 || y->dims[0] != x->dims[0] ||
            y->dims[1] * r * r != x->dims[1] || y->dims[2] != x->dims[2] * r || y->dims[3] != x->dims[3] * r)
            continue;
        become(m, OP_DepthToSpace, 1, &m->bound['x']);
        node_set_int(m->g, m->root, "blocksize", r);
        node_set_string(m->g, m->root, "mode", modes[i].mode);
        return true;
    }
    return false;
}

// Softmax over the keys of scores, which a constant and a mask may change, times values. What is behind a Transpose of the keys alone is taken as
// rows: k_rows.
static bool to_attention(struct match *m, const struct pattern *p)
{
    struct tensor *in[4] = { m->bound['q'], m->bound['k'], m->bound['v'], m->bound['a'] ? m->bound['a'] : m->bound['M'] };
    const struct tensor *e = m->bound['e'], *probability = m->bound['p'], *factor = m->bound['S'], *y = m->root->out[0];
    const struct node *softmax = probability->producer, *turn = in[1]->producer;
    int rank = y->rank, perm[MAX_RANK];
    bool fits = rank >= 2 && y->dtype == DT_FLOAT && same_shape(e, probability) && (!factor || tensor_count(factor) == 1) &&
                axis_of(node_int(softmax, "axis", -1), rank) == rank - 1 && !node_int(softmax, "flatten_2d", 0) &&
                tensor_sole_consumer(m->g, probability) == m->root && tensor_sole_consumer(m->g, e) && (!in[3] || in[3]->rank <= rank);
    for (int k = 0; k < 3; k++) {
        fits = fits && in[k]->rank == rank && in[k]->dtype == DT_FLOAT;
        for (int i = 0; fits && i < rank - 2; i++)
            fits = in[k]->dims[i] == y->dims[i];
    }
    if (!fits)
        return false;
    double scale = !factor ? 1 : tensor_const_f64(factor, 0);
    scale = m->bound['s']->producer->op == OP_Div ? 1 / scale : scale;
    bool rows = turn && turn->op == OP_Transpose;
    if (rows)
        transpose_perm(turn, perm);
    for (int i = 0; rows && i < rank; i++)
        rows = perm[i] == (i < rank - 2 ? i : i == rank - 2 ? rank - 1 : rank - 2);
    in[1] = rows ? turn->in[0] : in[1];
    become(m, p->op, in[3] ? 4 : 3, in);
    node_set_float(m->g, m->root, "scale", (float)scale);
    node_set_int(m->g, m->root, "k_rows", rows);
    return true;
}

// ---- the forms ----

#define ERF "Add(Erf({Div(x,1.4142135623)|Mul(x,0.7071067811)}),1)"
#define CUBIC "Add(Tanh({Mul(Add(Mul({Pow(x,3)|Mul(Mul(x,x),x)},0.044715),x),0.7978845608)|Mul(Add(Mul(Mul(x,0.044715),x),1),Mul(x,0.7978845608))}),1)"
#define SIX "Clip(Add(x,3),0,6)"
#define CENTRED "d=Sub(x,m=ReduceMean(x))"
#define VARIANCE "v=ReduceMean({Pow(d,2)|Mul(d,d)})"
#define SQUARES "v=ReduceMean({Pow(x,2)|Mul(x,x)})"

#define SCORES "s={e=MatMul(q,k)|Mul(e=MatMul(q,k),S)|Div(e=MatMul(q,k),S)}"

static const struct pattern patterns[] = {
    { "Mul(Mul(" ERF ",x),0.5)", to_function, .op = OP_Gelu },
    { "Mul(" ERF ",Mul(x,0.5))", to_function, .op = OP_Gelu },
    { "Mul(Mul(" ERF ",0.5),x)", to_function, .op = OP_Gelu },
    { "Mul(Mul(" CUBIC ",x),0.5)", to_tanh_gelu, .op = OP_Gelu },
    { "Mul(" CUBIC ",Mul(x,0.5))", to_tanh_gelu, .op = OP_Gelu },
    { "Mul(Mul(" CUBIC ",0.5),x)", to_tanh_gelu, .op = OP_Gelu },
    { "Mul(Sigmoid(x),x)", to_function, .op = OP_Swish, .attr = "alpha", .value = 1 },
    { "Mul(Sigmoid(Mul(x,1.702)),x)", to_function, .op = OP_Swish, .attr = "alpha", .value = 1.702f },
    { "Mul(Tanh(Softplus(x)),x)", to_function, .op = OP_Mish },
    { "{Div(" SIX ",6)|Mul(" SIX ",0.1666666667)}", to_function, .op = OP_HardSigmoid, .attr = "alpha", .value = 1.0f / 6, .attr2 = "beta", .value2 = 0.5f },
    { "{Div(Mul(" SIX ",x),6)|Mul(Mul(" SIX ",x),0.1666666667)}", to_function, .op = OP_HardSwish },
    { "Mul(h=HardSigmoid(x),x)", to_hard_swish, .op = OP_HardSwish },
    { "Div(" CENTRED ",Sqrt(Add(" VARIANCE ",E)))", to_norm, .op = OP_LayerNormalization },
    { "Mul(" CENTRED ",{Reciprocal(Sqrt(Add(" VARIANCE ",E)))|Div(1,Sqrt(Add(" VARIANCE ",E)))|Pow(Add(" VARIANCE ",E),-0.5)})", to_norm,
      .op = OP_LayerNormalization },
    { "Div(x,Sqrt(Add(" SQUARES ",E)))", to_norm, .op = OP_RMSNormalization },
    { "Mul({Reciprocal(Sqrt(Add(" SQUARES ",E)))|Div(1,Sqrt(Add(" SQUARES ",E)))|Pow(Add(" SQUARES ",E),-0.5)},x)", to_norm, .op = OP_RMSNormalization },
    { "{Mul(l={LayerNormalization(x)|InstanceNormalization(x)|RMSNormalization(x)},S)|Add(l={LayerNormalization(x)|InstanceNormalization(x)},S)}",
      into_norm, .op = OP_LayerNormalization },
    { "MatMul(p=Softmax({" SCORES "|Add(" SCORES ",{M|a})}),v)", to_attention, .op = OP_Attention },
    { "Reshape(u=Transpose(s=Reshape(x)))", to_depth_to_space, .op = OP_DepthToSpace },
};

bool match_patterns(struct graph *g, struct node *n)
{
    if (n->n_out != 1 || (n->op != OP_Mul && n->op != OP_Div && n->op != OP_Add && n->op != OP_Reshape && n->op != OP_MatMul)) // no form has another root
        return false;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct match m = { .g = g, .root = n };
        if (match_term(&m, patterns[i].form, n->out[0]) && patterns[i].replace(&m, &patterns[i]))
            return true;
    }
    return false;
}

void match_all_patterns(struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) // a row's result may be a part of another row, at a later node
        match_patterns(g, g->nodes[i]);
    graph_remove_dead(g);
}

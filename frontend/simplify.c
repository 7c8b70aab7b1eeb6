// SPDX-License-Identifier: Apache-2.0
#include "frontend/simplify.h"

#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "frontend/simplify_impl.h"
#include "sim/ref_float.h"

// Folding stops when its results together have this many elements: 512 MB of floats are no weights of ours, and a short
// file may ask for much more.
#define MAX_FOLDED ((int64_t)1 << 27)

// ---- helpers of simplify_impl.h ----

struct node *made_by(const struct tensor *t, enum op op)
{
    return t && t->producer && t->producer->op == op ? t->producer : NULL;
}

bool bypass(struct graph *g, struct node *n)
{
    struct tensor *in = n->in[0], *out = n->out[0];
    if (tensor_is_output(g, out)) {
        if (!in->producer || tensor_is_output(g, in))
            return false;
        const char *name = in->name;
        in->name = out->name;
        out->name = name;
    }
    graph_replace_uses(g, out, in);
    graph_remove_node(g, n);
    return true;
}

struct tensor *const_i64(struct graph *g, const char *base, int n, const int64_t *v)
{
    int64_t dims[1] = { n }, *data = arena_array(g->arena, int64_t, n);
    if (n)
        memcpy(data, v, (size_t)n * sizeof *data);
    return graph_add_const(g, base, DT_INT64, 1, dims, data);
}

struct tensor *const_f32(struct graph *g, const char *base, enum dtype t, int rank, const int64_t *dims,
                         const float *data)
{
    return graph_add_const(g, base, t, rank, dims, data);
}

void set_in(struct graph *g, struct node *n, int k, struct tensor *t)
{
    int n_in = k < n->n_in ? n->n_in : k + 1;
    struct tensor **in = arena_array(g->arena, struct tensor *, n_in);
    if (n->n_in)
        memcpy(in, n->in, (size_t)n->n_in * sizeof *in);
    in[k] = t;
    n->in = in;
    n->n_in = n_in;
}

void drop_attr(struct node *n, const char *name)
{
    for (int i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i].name, name) == 0) {
            n->attrs[i] = n->attrs[--n->n_attrs];
            return;
        }
}

// ---- constants ----

// A quantized weight keeps its dequantization: the integers are what hardware stores.
static bool keeps_constant(enum op op)
{
    return op == OP_DequantizeLinear || op == OP_Quant || op == OP_BipolarQuant;
}

// *elements: of the results.
static bool is_foldable(const struct node *n, int64_t *elements)
{
    *elements = 0;
    if (keeps_constant(n->op) || !ref_float_supports(n->op) || ref_float_is_random(n->op))
        return false;
    for (int k = 0; k < n->n_in && n->op != OP_Shape && n->op != OP_Size; k++) // known without the value
        if (n->in[k] && !n->in[k]->data)
            return false;
    for (int k = 0; k < n->n_out; k++)
        *elements += n->out[k] ? tensor_count(n->out[k]) : 0; // each below 2^40
    return true;
}

// *room: elements that may still be made.
static bool fold_constant(const struct ctx *cx, struct graph *g, struct node *n, int64_t *room, bool *changed)
{
    int64_t elements;
    if (!is_foldable(n, &elements) || elements > *room)
        return true;
    *room -= elements;
    struct arena scratch = { 0 };
    struct array *in = arena_array(&scratch, struct array, n->n_in);
    const struct array **at = arena_array(&scratch, const struct array *, n->n_in);
    struct array *out = arena_array(&scratch, struct array, n->n_out);
    for (int k = 0; k < n->n_in; k++) {
        const struct tensor *t = n->in[k];
        if (!t)
            continue;
        union { const void *from; void *to; } data = { .from = t->data }; // evaluators only read
        in[k] = (struct array){ .dtype = t->dtype, .rank = t->rank, .data = data.to };
        memcpy(in[k].dims, t->dims, sizeof in[k].dims);
        at[k] = &in[k];
    }
    int64_t budget = MAX_FOLDED;
    bool ok = ref_float_node_within(cx, g, n, g->arena, at, out, &budget);
    for (int k = 0; ok && k < n->n_out; k++)
        if (n->out[k]) {
            n->out[k]->data = out[k].data;
            n->out[k]->producer = NULL;
        }
    if (ok)
        graph_remove_node(g, n);
    *changed = ok;
    arena_release(&scratch);
    return ok;
}

// ---- nodes that do nothing ----

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool is_identity_perm(const struct node *n)
{
    int perm[MAX_RANK], last = -1;
    transpose_perm(n, perm);
    for (int i = 0; i < n->in[0]->rank; i++) // dims of size 1 may move: the order stays
        if (n->in[0]->dims[perm[i]] != 1) {
            if (perm[i] < last)
                return false;
            last = perm[i];
        }
    return same_shape(n->in[0], n->out[0]);
}

static bool is_noop(const struct graph *g, const struct node *n)
{
    if (n->n_in == 0)
        return false;
    const struct tensor *x = n->in[0], *y = n->out[0];
    switch ((int)n->op) {
    case OP_Identity:
        return true;
    case OP_Dropout:
        return n->n_out < 2 || !n->out[1] || tensor_uses(g, n->out[1]) == 0;
    case OP_Cast:
        return x->dtype == y->dtype;
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Expand:
    case OP_Tile:
    case OP_Resize: // of the same shape it copies, see resize_nearest_index
    case OP_DepthToSpace:
    case OP_SpaceToDepth:
    case OP_Slice: // forward over everything; backwards it would be a mirror
        return same_shape(x, y) && (n->op != OP_Slice || n->n_in < 5 || !n->in[4]);
    case OP_Pad: {
        if (!same_shape(x, y) || !n->in[1]->data)
            return false;
        for (int64_t i = 0; i < tensor_count(n->in[1]); i++)
            if (tensor_const_i64(n->in[1], i) != 0)
                return false;
        return true;
    }
    case OP_Transpose:
        return is_identity_perm(n);
    case OP_Clip:
        return (n->n_in < 2 || !n->in[1]) && (n->n_in < 3 || !n->in[2]);
    case OP_Concat:
    case OP_Min:
    case OP_Max:
        return n->n_in == 1;
    default:
        return false;
    }
}

// ---- the pass ----

// Tries every rule on one node. False after a diagnostic.
static bool simplify_node(const struct ctx *cx, struct graph *g, struct node *n, int64_t *room, bool *changed)
{
    if (!rewrite_qlinear(cx, g, n, changed) || (!*changed && !rewrite_quant(cx, g, n, changed)))
        return false;
    if (!*changed && !fold_constant(cx, g, n, room, changed))
        return false;
    if (*changed)
        return true;
    *changed = (is_noop(g, n) && bypass(g, n)) || match_patterns(g, n) || to_reshape(g, n) || merge_reshapes(g, n) || rewrite_integer_product(g, n) ||
               move_before_dequantize(g, n) || cancel_transposes(g, n) || reduce_to_pool(g, n) || flatten_softmax(g, n) ||
               matmul_to_gemm(g, n) || keep_narrow_product(g, n) || fold_exact(g, n) || fold_affine(g, n) || fold_pad(cx, g, n);
    return true;
}

// All rules on all nodes until none applies: each one removes a node or a node of a kind that no rule
// makes, so that this ends.
static bool fixed_point(const struct ctx *cx, struct graph *g, int64_t *room)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < g->n_nodes;) {
            bool changed = false;
            if (!simplify_node(cx, g, g->nodes[i], room, &changed))
                return false;
            if (changed) // nodes[i] may be another one now
                again = true;
            else
                i++;
        }
        graph_remove_dead(g);
    }
    return true;
}

static bool same_constant(const struct tensor *a, const struct tensor *b)
{
    if (a == b || !a || !b)
        return a == b;
    return a->data && b->data && a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0 &&
           memcmp(a->data, b->data, (size_t)tensor_count(a) * dtype_bytes(a->dtype)) == 0;
}

static const struct tensor *input_or_null(const struct node *n, int k)
{
    return k < n->n_in ? n->in[k] : NULL;
}

static bool equal_quantizers(const struct node *a, const struct node *b)
{
    return b->op == a->op && b->in[0] == a->in[0] && same_constant(a->in[1], b->in[1]) &&
           same_constant(input_or_null(a, 2), input_or_null(b, 2)) && node_int(a, "axis", 1) == node_int(b, "axis", 1) &&
           a->out[0]->dtype == b->out[0]->dtype;
}

// Some exporters give each reader of a tensor its own QuantizeLinear and DequantizeLinear. Equal ones become one,
// for the operator in front would otherwise be built once a reader. One walk in topological order: inputs are
// renamed before they are compared, so that the pairs behind a merged one merge too.
static void merge_equal_quantizers(struct graph *g)
{
    struct arena scratch = { 0 };
    struct tensor **same = arena_array(&scratch, struct tensor *, g->n_tensors);      // what to read instead
    struct node **first = arena_array(&scratch, struct node *, g->n_tensors);         // quantizer of the tensor ...
    struct node **next = arena_array(&scratch, struct node *, g->n_nodes);            // ... and its unequal siblings
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i], *a;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] && same[n->in[k]->index])
                n->in[k] = same[n->in[k]->index];
        if ((n->op != OP_QuantizeLinear && n->op != OP_DequantizeLinear) || !n->in[0] || n->in[0]->data)
            continue;
        for (a = first[n->in[0]->index]; a && !equal_quantizers(a, n);)
            a = next[a->index];
        if (a && !tensor_is_output(g, n->out[0])) {
            same[n->out[0]->index] = a->out[0];
        } else {
            next[n->index] = first[n->in[0]->index];
            first[n->in[0]->index] = n;
        }
    }
    arena_release(&scratch);
    graph_remove_dead(g);
}

bool simplify_graph(const struct ctx *cx, struct graph *g)
{
    int64_t room = MAX_FOLDED;
    graph_remove_dead(g);
    import_integers(g);
    match_all_patterns(g);
    if (!fixed_point(cx, g, &room))
        return false;
    merge_equal_quantizers(g);
    // Only now is it clear which normalizations nothing around them can take.
    bool lowered = false;
    for (int i = 0; i < g->n_nodes; i++)
        lowered = lower_batchnorm(g, g->nodes[i]) || lowered;
    if (lowered && !fixed_point(cx, g, &room))
        return false;
    mark_host(g);
    return shape_infer(cx, g);
}

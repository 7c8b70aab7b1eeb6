// SPDX-License-Identifier: Apache-2.0
#include "dataflow/argmax.h"

#include "frontend/shape.h"

bool argmax_in_hardware(const struct node *n)
{
    return n && n->op == OP_ArgMax && n->out[0]->dtype == DT_UINT8;
}

// Elements in front of axis `axis`: how many runs of it there are.
static int64_t outer_count(const struct tensor *t, int axis)
{
    int64_t n = 1;
    for (int i = 0; i < axis; i++)
        n *= t->dims[i];
    return n;
}

// The axis of `from` that a Reshape leaves as axis `axis` of `to`, or -1.
static int axis_before_reshape(const struct tensor *from, const struct tensor *to, int axis)
{
    for (int i = 0; i < from->rank; i++)
        if (from->dims[i] == to->dims[axis] && outer_count(from, i) == outer_count(to, axis))
            return i;
    return -1;
}

// One quantization for all elements, so that their order stays.
static bool keeps_order(const struct node *n)
{
    return (n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear) && n->in[1]->data && tensor_count(n->in[1]) == 1;
}

// The tensor whose largest elements along *axis n tells, computed by an operator of the hardware; NULL when there is
// none. *scores: what n reads, or what a Softmax in front of it reads.
static const struct tensor *compared(const struct node *n, int *axis, struct tensor **scores)
{
    struct tensor *t = n->in[0];
    const struct node *p = t->producer;
    *axis = axis_of(node_int(n, "axis", 0), t->rank);
    if (p && (p->op == OP_Softmax || p->op == OP_LogSoftmax) && !node_int(p, "flatten_2d", 0) && axis_of(node_int(p, "axis", -1), t->rank) == *axis)
        t = p->in[0];
    *scores = t;
    for (; (p = t->producer) != NULL; t = p->in[0]) {
        int perm[MAX_RANK];
        if (p->op == OP_Transpose) {
            transpose_perm(p, perm);
            *axis = perm[*axis];
        } else if (p->op == OP_Reshape) {
            *axis = axis_before_reshape(p->in[0], t, *axis);
            if (*axis < 0)
                return NULL;
        } else if (!keeps_order(p) && p->op != OP_Identity) {
            return op_info(p->op)->support == OP_HARDWARE ? t : NULL;
        }
    }
    return NULL; // the host's own input
}

// Whether `axis` are the channels of an image with several pixels, or the columns of a matrix with several rows.
static bool is_channel_axis(const struct tensor *t, int axis)
{
    bool image = (t->rank == 4 || t->rank == 3) && t->dims[0] == 1;
    if ((!image && t->rank != 2) || axis != 1)
        return false;
    int64_t c = t->dims[1];
    return c >= 2 && c <= ARGMAX_CHANNELS && tensor_count(t) > c;
}

static void split(struct graph *g, struct node *n)
{
    struct tensor *y = n->out[0];
    struct tensor *index = graph_add_tensor(g, arena_printf(g->arena, "%s_index", y->name), DT_UINT8, y->rank, y->dims);
    struct node *before = n->index + 1 < g->n_nodes ? g->nodes[n->index + 1] : NULL;
    const char *name = arena_printf(g->arena, "%s_cast", y->name);
    n->out[0] = index;
    index->producer = n;
    struct node *cast = before ? graph_insert_node(g, before, OP_Cast, name, 1, &index, 1, &y) : graph_add_node(g, OP_Cast, name, 1, &index, 1, &y);
    node_set_int(g, cast, "to", DT_INT64);
}

void argmax_split(struct graph *g)
{
    bool passed = false;
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        struct tensor *scores;
        int axis;
        if (n->op != OP_ArgMax || argmax_in_hardware(n))
            continue;
        const struct tensor *t = compared(n, &axis, &scores);
        if (!t || !is_channel_axis(t, axis))
            continue;
        passed |= n->in[0] != scores;
        n->in[0] = scores;
        split(g, n);
    }
    if (passed) // a Softmax that nothing else reads
        graph_remove_dead(g);
}

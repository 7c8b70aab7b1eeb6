// SPDX-License-Identifier: Apache-2.0
// If and Loop where the way is known: the nodes of the body take the place of the node.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

#define MAX_TRIPS 256
#define MAX_PLACED 16384 // nodes of all bodies together: a short file may ask for many

// Puts copies of the body's nodes in front of `before`; in[] stands for its inputs, out[] receives its outputs.
static void place_body(struct shape_run *s, struct node *before, const struct graph *body, struct tensor *const *in, struct tensor **out)
{
    struct graph *g = s->g;
    int number = s->placed++; // makes names unique at once: searching for a free one takes long
    s->placed += body->n_nodes;
    struct tensor **map = arena_array(g->arena, struct tensor *, body->n_tensors);
    for (int i = 0; i < body->n_inputs; i++)
        map[body->inputs[i]->index] = in[i];
    for (int i = 0; i < body->n_tensors; i++) {
        const struct tensor *t = body->tensors[i];
        const char *name = arena_printf(g->arena, "%s#%d", t->name, number);
        if (!map[i] && t->data)
            map[i] = graph_add_const(g, name, t->dtype, t->rank, t->dims, t->data);
        else if (!map[i])
            map[i] = graph_add_tensor(g, name, DT_NONE, -1, NULL);
    }
    for (int i = 0; i < body->n_nodes; i++) {
        const struct node *n = body->nodes[i];
        struct tensor **node_in = arena_array(g->arena, struct tensor *, n->n_in + 1), **node_out = arena_array(g->arena, struct tensor *, n->n_out + 1);
        for (int k = 0; k < n->n_in; k++)
            node_in[k] = n->in[k] ? map[n->in[k]->index] : NULL;
        for (int k = 0; k < n->n_out; k++)
            node_out[k] = n->out[k] ? map[n->out[k]->index] : NULL;
        struct node *copy = graph_insert_node(g, before, n->op, n->name, n->n_in, node_in, n->n_out, node_out);
        copy->attrs = arena_array(g->arena, struct attr, n->n_attrs + 1);
        copy->n_attrs = n->n_attrs;
        if (n->n_attrs)
            memcpy(copy->attrs, n->attrs, (size_t)n->n_attrs * sizeof *n->attrs);
    }
    for (int i = 0; i < body->n_outputs; i++)
        out[i] = map[body->outputs[i]->index];
}

// Results of a placed body become the node's: an Identity each, for outputs of the graph keep their names. The node goes.
static void finish(struct graph *g, struct node *n, struct tensor **results)
{
    for (int k = 0; k < n->n_out; k++) {
        struct tensor *out[1] = { n->out[k] };
        if (out[0])
            graph_insert_node(g, n, OP_Identity, n->name, 1, &results[k], 1, out);
    }
    graph_remove_node(g, n);
}

static const struct attr *body_of(const struct node *n, const char *name)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_GRAPH && a->g ? a : NULL;
}

static bool known_int(struct shape_run *s, const struct tensor *t, int64_t *out)
{
    struct array value;
    if (!t || t->rank < 0 || !shape_value(s, t, &value) || array_count(&value) != 1)
        return false;
    *out = array_i64(&value, 0);
    return true;
}

static bool place_if(struct shape_run *s, struct node *n)
{
    int64_t condition;
    if (!known_int(s, n->in[0], &condition))
        return false;
    const struct attr *branch = body_of(n, condition ? "then_branch" : "else_branch");
    if (!branch || branch->g->n_formal != 0 || branch->g->n_outputs != n->n_out || s->placed + branch->g->n_nodes > MAX_PLACED)
        return false;
    struct tensor **results = arena_array(s->g->arena, struct tensor *, n->n_out);
    place_body(s, n, branch->g, n->in + branch->captured_at, results);
    finish(s->g, n, results);
    return true;
}

// Whether the body goes on whenever it is asked to: its condition is true, or the one that it was given.
static bool goes_on(const struct graph *body)
{
    const struct tensor *t = body->outputs[0];
    while (t->producer && t->producer->op == OP_Identity)
        t = t->producer->in[0];
    return t->data ? t->dtype == DT_BOOL && tensor_count(t) == 1 && tensor_const_i64(t, 0) != 0 : t == body->inputs[1];
}

static struct tensor *scalar(struct shape_run *s, enum dtype t, int64_t v, const struct tensor *like)
{
    struct graph *g = s->g;
    int64_t dims[1] = { 1 };
    struct array x = array_new(g->arena, t, like->rank == 1 ? 1 : 0, dims);
    array_set_i64(&x, 0, v);
    return graph_add_const(g, arena_printf(g->arena, "%s#%d", like->name, s->placed), t, x.rank, dims, x.data);
}

// The items that iterations gave, joined along a new first axis.
static struct tensor *join(struct shape_run *s, struct node *before, struct tensor **items, int64_t n, const struct tensor *like)
{
    struct graph *g = s->g;
    struct tensor **lines = arena_array(g->arena, struct tensor *, n), *out[1];
    static const int64_t zero[1] = { 0 }, one[1] = { 1 };
    for (int64_t i = 0; i < n; i++) {
        const char *name = arena_printf(g->arena, "%s#%d", like->name, s->placed++);
        struct tensor *in[2] = { items[i], graph_add_const(g, arena_printf(g->arena, "%s/axes", name), DT_INT64, 1, one, zero) };
        lines[i] = graph_add_tensor(g, name, DT_NONE, -1, NULL);
        graph_insert_node(g, before, OP_Unsqueeze, "", 2, in, 1, &lines[i]);
    }
    out[0] = graph_add_tensor(g, like->name, DT_NONE, -1, NULL);
    node_set_int(g, graph_insert_node(g, before, OP_Concat, "", (int)n, lines, 1, out), "axis", 0);
    return out[0];
}

static bool place_loop(struct shape_run *s, struct node *n)
{
    const struct attr *a = body_of(n, "body");
    int64_t trips, condition = 1;
    if (!a || a->captured_at < 2 || !known_int(s, n->in[0], &trips) || (n->in[1] && !known_int(s, n->in[1], &condition)))
        return false;
    const struct graph *body = a->g;
    int carried = a->captured_at - 2, captured = body->n_inputs - body->n_formal, piles = n->n_out - carried;
    trips = condition ? max_i64(trips, 0) : 0;
    if (body->n_formal != 2 + carried || body->n_outputs != 1 + n->n_out || piles < 0 || !goes_on(body) || trips > MAX_TRIPS ||
        s->placed + trips * (body->n_nodes + 1 + piles) > MAX_PLACED || (trips == 0 && piles > 0))
        return false;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, body->n_inputs), **out = arena_array(memory, struct tensor *, body->n_outputs);
    struct tensor **results = arena_array(memory, struct tensor *, n->n_out), **items = arena_array(memory, struct tensor *, piles * trips + 1);
    for (int k = 0; k < carried; k++)
        results[k] = n->in[2 + k];
    for (int k = 0; k < captured; k++)
        in[body->n_formal + k] = n->in[a->captured_at + k];
    for (int64_t i = 0; i < trips; i++) {
        in[0] = scalar(s, DT_INT64, i, body->inputs[0]);
        in[1] = scalar(s, DT_BOOL, 1, body->inputs[1]);
        memcpy(in + 2, results, (size_t)carried * sizeof *in);
        place_body(s, n, body, in, out);
        memcpy(results, out + 1, (size_t)carried * sizeof *out);
        for (int k = 0; k < piles; k++)
            items[k * trips + i] = out[1 + carried + k];
    }
    for (int k = 0; k < piles; k++)
        results[carried + k] = join(s, n, items + k * trips, trips, body->outputs[1 + carried + k]);
    finish(s->g, n, results);
    return true;
}

bool shape_place_body(struct shape_run *s, struct node *n)
{
    return n->op == OP_If ? place_if(s, n) : n->op == OP_Loop && place_loop(s, n);
}

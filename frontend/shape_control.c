// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan as nodes of their bodies: where the way is known, those of that way; where it is not, those of every way,
// and a Where chooses among their results.
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

// Whether the body has these ports, and so many copies of it with `more` nodes beside each are not too many.
static bool fits(const struct shape_run *s, const struct attr *body, int inputs, int outputs, int64_t copies, int64_t more)
{
    return body && body->g->n_formal == inputs && body->g->n_outputs == outputs && s->placed + copies * (body->g->n_nodes + 1 + more) <= MAX_PLACED;
}

// A node with one result, in front of `before`.
static struct tensor *insert(struct shape_run *s, struct node *before, enum op op, int n_in, struct tensor **in, struct node **node)
{
    struct graph *g = s->g;
    struct tensor *out[1] = { graph_add_tensor(g, arena_printf(g->arena, "%s#%d", before->out[0] ? before->out[0]->name : "", s->placed++), DT_NONE, -1, NULL) };
    *node = graph_insert_node(g, before, op, before->name, n_in, in, 1, out);
    return out[0];
}

// A condition as a scalar: exporters write [1] too.
static struct tensor *as_scalar(struct shape_run *s, struct node *before, struct tensor *condition)
{
    static const int64_t none[1] = { 0 };
    struct tensor *in[2] = { condition, graph_add_const(s->g, arena_printf(s->g->arena, "%s#%d", condition->name, s->placed++), DT_INT64, 1, none, none) };
    struct node *n;
    return insert(s, before, OP_Reshape, 2, in, &n);
}

// condition ? yes : no, which must be of one shape.
static struct tensor *choose(struct shape_run *s, struct node *before, struct tensor *condition, struct tensor *yes, struct tensor *no)
{
    struct tensor *in[3] = { condition, yes, no };
    struct node *n;
    struct tensor *chosen = insert(s, before, OP_Where, 3, in, &n);
    node_set_int(s->g, n, WHERE_MARK, 1);
    return chosen;
}

static bool place_if(struct shape_run *s, struct node *n)
{
    const struct attr *branch[2] = { body_of(n, "else_branch"), body_of(n, "then_branch") };
    struct tensor **results[2];
    int64_t condition = -1;
    bool known = known_int(s, n->in[0], &condition);
    for (int k = 0; k < 2; k++) {
        results[k] = arena_array(s->g->arena, struct tensor *, n->n_out);
        if ((!known || k == (condition != 0)) && !fits(s, branch[k], 0, n->n_out, 1, n->n_out))
            return false;
    }
    for (int k = 0; k < 2; k++)
        if (!known || k == (condition != 0))
            place_body(s, n, branch[k]->g, n->in + branch[k]->captured_at, results[k]);
    if (!known) {
        struct tensor *scalar = as_scalar(s, n, n->in[0]);
        for (int k = 0; k < n->n_out; k++)
            results[0][k] = n->out[k] ? choose(s, n, scalar, results[1][k], results[0][k]) : NULL;
    }
    finish(s->g, n, results[known && condition]);
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

// The items that iterations gave, joined along a new axis of the result.
static struct tensor *join(struct shape_run *s, struct node *before, struct tensor **items, int64_t n, int64_t axis, bool backwards)
{
    static const int64_t one[1] = { 1 };
    struct arena *a = s->g->arena;
    struct tensor **lines = arena_array(a, struct tensor *, n);
    int64_t *axes = arena_array(a, int64_t, 1);
    struct node *node;
    *axes = axis;
    for (int64_t i = 0; i < n; i++) {
        struct tensor *in[2] = { items[backwards ? n - 1 - i : i], graph_add_const(s->g, arena_printf(a, "axes#%d", s->placed), DT_INT64, 1, one, axes) };
        lines[i] = insert(s, before, OP_Unsqueeze, 2, in, &node);
    }
    struct tensor *joined = insert(s, before, OP_Concat, (int)n, lines, &node);
    node_set_int(s->g, node, "axis", axis);
    return joined;
}

// Iterations that may not happen keep what was carried.
static bool place_loop(struct shape_run *s, struct node *n)
{
    const struct attr *a = body_of(n, "body");
    int64_t trips, condition = 1;
    if (!a || a->captured_at < 2 || !known_int(s, n->in[0], &trips))
        return false;
    const struct graph *body = a->g;
    int carried = a->captured_at - 2, captured = body->n_inputs - body->n_formal, piles = n->n_out - carried;
    bool known = !n->in[1] || known_int(s, n->in[1], &condition);
    trips = condition ? max_i64(trips, 0) : 0;
    if (piles < 0 || trips > MAX_TRIPS || !fits(s, a, 2 + carried, 1 + n->n_out, trips, n->n_out + 2))
        return false;
    bool always = known && goes_on(body);
    if ((trips == 0 || !always) && piles > 0)
        return false;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, body->n_inputs), **out = arena_array(memory, struct tensor *, body->n_outputs);
    struct tensor **results = arena_array(memory, struct tensor *, n->n_out), **items = arena_array(memory, struct tensor *, piles * trips + 1);
    struct tensor *go = known ? NULL : as_scalar(s, n, n->in[1]); // NULL: certainly
    for (int k = 0; k < carried; k++)
        results[k] = n->in[2 + k];
    for (int k = 0; k < captured; k++)
        in[body->n_formal + k] = n->in[a->captured_at + k];
    for (int64_t i = 0; i < trips; i++) {
        in[0] = scalar(s, DT_INT64, i, body->inputs[0]);
        in[1] = go ? go : scalar(s, DT_BOOL, 1, body->inputs[1]);
        memcpy(in + 2, results, (size_t)carried * sizeof *in);
        place_body(s, n, body, in, out);
        for (int k = 0; k < carried; k++)
            results[k] = go ? choose(s, n, go, out[1 + k], results[k]) : out[1 + k];
        for (int k = 0; k < piles; k++)
            items[k * trips + i] = out[1 + carried + k];
        if (!always && i + 1 < trips) {
            struct tensor *both[2] = { as_scalar(s, n, out[0]), go };
            struct node *node;
            go = go ? insert(s, n, OP_And, 2, both, &node) : both[0];
        }
    }
    for (int k = 0; k < piles; k++)
        results[carried + k] = n->out[carried + k] ? join(s, n, items + k * trips, trips, 0, false) : NULL;
    finish(s->g, n, results);
    return true;
}

// ---- Scan ----

struct scan {
    const struct attr *body;
    int states, scanned, piles;
    int64_t steps;
    const char *directions, *axes; // names of attributes
};

static int64_t entry(const struct node *n, const char *name, int i)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_INTS && i < a->n ? a->ints[i] : 0;
}

// Index i of an axis.
static struct tensor *pick(struct shape_run *s, struct node *before, struct tensor *x, int64_t axis, int64_t i)
{
    int64_t *at = arena_array(s->g->arena, int64_t, 1);
    *at = i;
    struct tensor *in[2] = { x, graph_add_const(s->g, arena_printf(s->g->arena, "%s#%d", x->name, s->placed), DT_INT64, 0, NULL, at) };
    struct node *node;
    struct tensor *y = insert(s, before, OP_Gather, 2, in, &node);
    node_set_int(s->g, node, "axis", axis);
    return y;
}

// One sequence: operands are states, then what is scanned; results[] receives states and joined results.
static void place_steps(struct shape_run *s, struct node *n, const struct scan *c, struct tensor *const *operands, struct tensor **results)
{
    const struct graph *body = c->body->g;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, body->n_inputs), **out = arena_array(memory, struct tensor *, body->n_outputs);
    struct tensor **items = arena_array(memory, struct tensor *, c->piles * c->steps + 1);
    memcpy(results, operands, (size_t)c->states * sizeof(struct tensor *));
    for (int k = body->n_formal; k < body->n_inputs; k++)
        in[k] = n->in[c->body->captured_at + k - body->n_formal];
    for (int64_t i = 0; i < c->steps; i++) {
        memcpy(in, results, (size_t)c->states * sizeof *in);
        for (int k = 0; k < c->scanned; k++)
            in[c->states + k] = pick(s, n, operands[c->states + k], entry(n, c->axes, k), entry(n, c->directions, k) ? c->steps - 1 - i : i);
        place_body(s, n, body, in, out);
        memcpy(results, out, (size_t)c->states * sizeof *out);
        for (int k = 0; k < c->piles; k++)
            items[k * c->steps + i] = out[c->states + k];
    }
    for (int k = 0; k < c->piles; k++)
        results[c->states + k] = join(s, n, items + k * c->steps, c->steps, entry(n, "scan_output_axes", k), entry(n, "scan_output_directions", k) != 0);
}

// How many steps the operands from `first` on have; false: they differ.
static bool count_steps(struct scan *c, const struct node *n, int first, bool batches)
{
    for (int k = 0; k < c->scanned; k++) {
        const struct tensor *x = n->in[first + c->states + k];
        int64_t axis = entry(n, c->axes, k) + batches;
        if (!x || axis < -x->rank || axis >= x->rank)
            return false;
        int64_t steps = x->dims[axis_of(axis, x->rank)];
        if (k > 0 && steps != c->steps)
            return false;
        c->steps = steps;
    }
    return c->steps > 0;
}

// In opset 8 all operands come in batches, behind an input of their lengths.
static bool place_scan(struct shape_run *s, struct node *n)
{
    bool batches = s->g->opset < 9;
    struct scan c = { .body = body_of(n, "body"), .directions = batches ? "directions" : "scan_input_directions", .axes = batches ? "" : "scan_input_axes" };
    int64_t scanned = node_int(n, "num_scan_inputs", 0);
    int first = batches, operands = c.body ? c.body->captured_at - first : 0;
    if (!c.body || scanned < 1 || scanned > operands || (batches && n->in[0]))
        return false;
    c.scanned = (int)scanned;
    c.states = operands - c.scanned;
    c.piles = n->n_out - c.states;
    const struct tensor *whole = n->in[first + c.states];
    int64_t batch = batches && whole && whole->rank > 0 ? whole->dims[0] : 1;
    if (c.piles < 0 || batch < 1 || batch > MAX_TRIPS || !count_steps(&c, n, first, batches) || c.steps > MAX_TRIPS ||
        !fits(s, c.body, operands, n->n_out, batch * c.steps, c.scanned + c.piles))
        return false;
    for (int k = first; k < first + operands; k++)
        if (!n->in[k] || (batches && (n->in[k]->rank < 1 || n->in[k]->dims[0] != batch)))
            return false;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, operands), **results = arena_array(memory, struct tensor *, n->n_out + 1);
    if (!batches) {
        place_steps(s, n, &c, n->in, results);
    } else {
        struct tensor **items = arena_array(memory, struct tensor *, n->n_out * batch + 1);
        for (int64_t b = 0; b < batch; b++) {
            for (int k = 0; k < operands; k++)
                in[k] = pick(s, n, n->in[first + k], 0, b);
            place_steps(s, n, &c, in, results);
            for (int k = 0; k < n->n_out; k++)
                items[k * batch + b] = results[k];
        }
        for (int k = 0; k < n->n_out; k++)
            results[k] = join(s, n, items + k * batch, batch, 0, false);
    }
    finish(s->g, n, results);
    return true;
}

bool shape_place_body(struct shape_run *s, struct node *n)
{
    switch ((int)n->op) {
    case OP_If: return place_if(s, n);
    case OP_Loop: return place_loop(s, n);
    case OP_Scan: return place_scan(s, n);
    default: return false;
    }
}

// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan as nodes of their bodies: where the way is known, those of that way; where it is not, those of every way,
// and a Where chooses among their results.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

#define MAX_TRIPS 256
#define MAX_PLACED 16384 // nodes of all bodies together: a short file may ask for many

// ---- copies of a body ----

struct body {
    const struct attr *attr;
    const struct graph *g;
    struct tensor **constants; // by index: they come with the first copy
    int64_t size;              // nodes or tensors of a copy
    bool maybe;                // the data say whether it is run: see MAYBE_MARK
};

static struct body new_body(struct shape_run *s, const struct node *n, const struct attr *a, bool maybe)
{
    struct body b = { .attr = a, .g = a->g, .maybe = maybe || node_attr(n, MAYBE_MARK) };
    b.constants = arena_array(s->g->arena, struct tensor *, a->g->n_tensors);
    for (int i = 0; i < a->g->n_tensors; i++)
        b.size += !a->g->tensors[i]->data;
    b.size = max_i64(b.size, a->g->n_nodes) + 1;
    return b;
}

static struct tensor *place_constant(struct shape_run *s, const struct tensor *t, int number)
{
    struct graph *g = s->g;
    struct tensor *c = graph_add_const(g, arena_printf(g->arena, "%s#%d", t->name, number), t->dtype, t->rank, t->dims, t->data);
    c->four_bits = t->four_bits;
    return c;
}

static void place_node(struct shape_run *s, struct node *before, const struct body *b, const struct node *n, struct tensor *const *map)
{
    struct graph *g = s->g;
    struct tensor **in = arena_array(g->arena, struct tensor *, n->n_in + 1), **out = arena_array(g->arena, struct tensor *, n->n_out + 1);
    for (int k = 0; k < n->n_in; k++)
        in[k] = n->in[k] ? map[n->in[k]->index] : NULL;
    for (int k = 0; k < n->n_out; k++)
        out[k] = n->out[k] ? map[n->out[k]->index] : NULL;
    struct node *copy = graph_insert_node(g, before, n->op, n->name, n->n_in, in, n->n_out, out);
    copy->attrs = arena_array(g->arena, struct attr, n->n_attrs + 1);
    copy->n_attrs = n->n_attrs;
    if (n->n_attrs)
        memcpy(copy->attrs, n->attrs, (size_t)n->n_attrs * sizeof *n->attrs);
    if (b->maybe)
        node_set_int(g, copy, MAYBE_MARK, 1);
}

// Puts a copy in front of `before`; in[] stands for its inputs, out[] receives its outputs.
static void place_body(struct shape_run *s, struct node *before, const struct body *b, struct tensor *const *in, struct tensor **out)
{
    const struct graph *body = b->g;
    int number = s->placed; // makes names unique with the first try: each try is a search
    s->placed += (int)b->size;
    struct tensor **map = arena_array(s->g->arena, struct tensor *, body->n_tensors);
    for (int i = 0; i < body->n_inputs; i++)
        map[body->inputs[i]->index] = in[i];
    for (int i = 0; i < body->n_tensors; i++) {
        const struct tensor *t = body->tensors[i];
        if (map[i])
            continue;
        if (t->data && !b->constants[i])
            b->constants[i] = place_constant(s, t, number);
        map[i] = t->data ? b->constants[i] : graph_add_tensor(s->g, arena_printf(s->g->arena, "%s#%d", t->name, number), DT_NONE, -1, NULL);
    }
    for (int i = 0; i < body->n_nodes; i++)
        place_node(s, before, b, body->nodes[i], map);
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

static bool has_ports(const struct attr *body, int inputs, int outputs)
{
    return body && body->g->n_formal == inputs && body->g->n_outputs == outputs;
}

// For so many copies, with `more` nodes beside each.
static bool has_room(const struct shape_run *s, const struct body *b, int64_t copies, int64_t more)
{
    return s->placed + copies * (b->size + more) <= MAX_PLACED;
}

static bool known_int(struct shape_run *s, const struct tensor *t, int64_t *out)
{
    struct array value;
    if (!t || t->rank < 0 || !shape_value(s, t, &value) || array_count(&value) != 1)
        return false;
    *out = array_i64(&value, 0);
    return true;
}

// ---- nodes beside them, in front of `before` ----

// One with one result.
static struct node *insert(struct shape_run *s, struct node *before, enum op op, int n_in, struct tensor **in)
{
    struct graph *g = s->g;
    struct tensor *out[1] = { graph_add_tensor(g, arena_printf(g->arena, "%s#%d", before->name, s->placed++), DT_NONE, -1, NULL) };
    return graph_insert_node(g, before, op, before->name, n_in, in, 1, out);
}

static struct tensor *int_constant(struct shape_run *s, int rank, int64_t v)
{
    static const int64_t one[1] = { 1 };
    struct arena *a = s->g->arena;
    int64_t *data = arena_array(a, int64_t, 1);
    *data = v;
    return graph_add_const(s->g, arena_printf(a, "number#%d", s->placed++), DT_INT64, rank, one, data);
}

// A condition as a tensor of rank 0 or 1: exporters write [1] for scalars.
static struct tensor *of_rank(struct shape_run *s, struct node *before, struct tensor *condition, int rank)
{
    static const int64_t length[1] = { 0 };
    struct tensor *shape = rank ? int_constant(s, 1, 1) : graph_add_const(s->g, arena_printf(s->g->arena, "scalar#%d", s->placed++), DT_INT64, 1, length, length);
    struct tensor *in[2] = { condition, shape };
    return insert(s, before, OP_Reshape, 2, in)->out[0];
}

// condition ? yes : no, which must be of one shape.
static struct tensor *choose(struct shape_run *s, struct node *before, struct tensor *condition, struct tensor *yes, struct tensor *no)
{
    struct tensor *in[3] = { condition, yes, no };
    struct node *n = insert(s, before, OP_Where, 3, in);
    node_set_int(s->g, n, WHERE_MARK, 1);
    return n->out[0];
}

// Index i of an axis.
static struct tensor *pick(struct shape_run *s, struct node *before, struct tensor *x, int64_t axis, int64_t i)
{
    struct tensor *in[2] = { x, int_constant(s, 0, i) };
    struct node *n = insert(s, before, OP_Gather, 2, in);
    node_set_int(s->g, n, "axis", axis);
    return n->out[0];
}

// The items that iterations gave, joined along a new axis of the result.
static struct tensor *join(struct shape_run *s, struct node *before, struct tensor *const *items, int64_t n, int64_t axis)
{
    struct tensor **lines = arena_array(s->g->arena, struct tensor *, n), *axes = int_constant(s, 1, axis);
    for (int64_t i = 0; i < n; i++) {
        struct tensor *in[2] = { items[i], axes };
        lines[i] = insert(s, before, OP_Unsqueeze, 2, in)->out[0];
    }
    struct node *joined = insert(s, before, OP_Concat, (int)n, lines);
    node_set_int(s->g, joined, "axis", axis);
    return joined->out[0];
}

// ---- If ----

// One branch where the condition is known, else both: 0 is the one of a condition that does not hold.
static bool place_if(struct shape_run *s, struct node *n)
{
    static const char *const names[2] = { "else_branch", "then_branch" };
    struct tensor **results[2] = { arena_array(s->g->arena, struct tensor *, n->n_out), arena_array(s->g->arena, struct tensor *, n->n_out) };
    struct body branch[2];
    int64_t condition = 0;
    bool known = known_int(s, n->in[0], &condition);
    int first = known && condition, last = known ? first : 1;
    for (int k = first; k <= last; k++) {
        const struct attr *a = body_of(n, names[k]);
        if (!has_ports(a, 0, n->n_out))
            return false;
        branch[k] = new_body(s, n, a, !known);
        if (!has_room(s, &branch[k], last - first + 1, n->n_out))
            return false;
    }
    for (int k = first; k <= last; k++)
        place_body(s, n, &branch[k], n->in + branch[k].attr->captured_at, results[k]);
    if (!known) {
        struct tensor *scalar = of_rank(s, n, n->in[0], 0);
        for (int k = 0; k < n->n_out; k++)
            results[0][k] = n->out[k] ? choose(s, n, scalar, results[1][k], results[0][k]) : NULL;
    }
    finish(s->g, n, results[first]);
    return true;
}

// ---- Loop ----

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
    return graph_add_const(g, arena_printf(g->arena, "%s#%d", like->name, s->placed++), t, x.rank, dims, x.data);
}

struct loop {
    struct body body;
    int carried, piles;
    int64_t trips;
    bool known, always; // whether it begins is known; and all that follows
};

static bool open_loop(struct shape_run *s, const struct node *n, struct loop *l)
{
    const struct attr *a = body_of(n, "body");
    int64_t condition = 1;
    if (!a || a->captured_at < 1 || !known_int(s, n->in[0], &l->trips))
        return false;
    l->carried = a->captured_at > 2 ? a->captured_at - 2 : 0;
    l->piles = n->n_out - l->carried;
    if (l->piles < 0 || !has_ports(a, 2 + l->carried, 1 + n->n_out))
        return false;
    l->known = a->captured_at < 2 || !n->in[1] || known_int(s, n->in[1], &condition);
    l->always = l->known && goes_on(a->g);
    l->trips = condition ? max_i64(l->trips, 0) : 0;
    l->body = new_body(s, n, a, !l->always);
    return l->trips <= MAX_TRIPS && has_room(s, &l->body, l->trips, n->n_out + 4) && (l->piles == 0 || (l->trips > 0 && l->always));
}

// Iterations that may not happen keep what was carried.
static bool place_loop(struct shape_run *s, struct node *n)
{
    struct loop l = { .trips = 0 };
    if (!open_loop(s, n, &l))
        return false;
    const struct graph *body = l.body.g;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, body->n_inputs), **out = arena_array(memory, struct tensor *, body->n_outputs);
    struct tensor **results = arena_array(memory, struct tensor *, n->n_out), **items = arena_array(memory, struct tensor *, l.piles * l.trips + 1);
    struct tensor *go = l.known ? NULL : of_rank(s, n, n->in[1], 0); // NULL: certainly
    for (int k = 0; k < l.carried; k++)
        results[k] = n->in[2 + k];
    for (int k = body->n_formal; k < body->n_inputs; k++)
        in[k] = n->in[l.body.attr->captured_at + k - body->n_formal];
    for (int64_t i = 0; i < l.trips; i++) {
        in[0] = scalar(s, DT_INT64, i, body->inputs[0]);
        in[1] = !go ? scalar(s, DT_BOOL, 1, body->inputs[1]) : body->inputs[1]->rank == 1 ? of_rank(s, n, go, 1) : go;
        memcpy(in + 2, results, (size_t)l.carried * sizeof *in);
        place_body(s, n, &l.body, in, out);
        for (int k = 0; k < l.carried; k++)
            results[k] = go ? choose(s, n, go, out[1 + k], results[k]) : out[1 + k];
        for (int k = 0; k < l.piles; k++)
            items[k * l.trips + i] = out[1 + l.carried + k];
        if (!l.always && i + 1 < l.trips) {
            struct tensor *both[2] = { of_rank(s, n, out[0], 0), go };
            go = go ? insert(s, n, OP_And, 2, both)->out[0] : both[0];
        }
    }
    for (int k = l.carried; k < n->n_out; k++)
        results[k] = n->out[k] ? join(s, n, items + (k - l.carried) * l.trips, l.trips, 0) : NULL;
    finish(s->g, n, results);
    return true;
}

// ---- Scan: in opset 8 all operands come in batches, behind an input of their lengths ----

struct scan {
    struct body body;
    int first, states, scanned, piles; // first: operand of the node
    int64_t batch, steps;
    const char *directions, *axes; // names of attributes; NULL: none
};

// How many steps the operands have; false: they differ.
static bool count_steps(struct scan *c, const struct node *n, bool batches)
{
    for (int k = 0; k < c->scanned; k++) {
        const struct tensor *x = n->in[c->first + c->states + k];
        int64_t axis = batches ? 1 : node_ints_at(n, c->axes, k);
        if (!x || axis < -x->rank || axis >= x->rank)
            return false;
        int64_t steps = x->dims[axis_of(axis, x->rank)];
        if (k > 0 && steps != c->steps)
            return false;
        c->steps = steps;
    }
    return c->steps > 0 && c->steps <= MAX_TRIPS;
}

// Whether sequences are as long as they can be: shorter ones would need results of no known value.
static bool full_lengths(struct shape_run *s, const struct tensor *lengths, int64_t steps)
{
    struct array v;
    bool full = !lengths || shape_value(s, lengths, &v);
    for (int64_t i = 0; full && lengths && i < array_count(&v); i++)
        full = array_i64(&v, i) == steps;
    return full;
}

static bool open_scan(struct shape_run *s, const struct node *n, struct scan *c)
{
    bool batches = s->g->opset < 9;
    const struct attr *a = body_of(n, "body");
    int64_t scanned = node_int(n, "num_scan_inputs", 0);
    c->first = batches;
    int operands = a ? a->captured_at - c->first : 0;
    if (scanned < 1 || scanned > operands)
        return false;
    c->directions = batches ? "directions" : "scan_input_directions";
    c->axes = batches ? NULL : "scan_input_axes";
    c->scanned = (int)scanned;
    c->states = operands - c->scanned;
    c->piles = n->n_out - c->states;
    if (c->piles < 0 || !has_ports(a, operands, n->n_out) || !count_steps(c, n, batches) || (batches && !full_lengths(s, n->in[0], c->steps)))
        return false;
    c->batch = batches ? n->in[c->first + c->states]->dims[0] : 1;
    for (int k = c->first; k < c->first + operands; k++)
        if (!n->in[k] || (batches && (n->in[k]->rank < 1 || n->in[k]->dims[0] != c->batch)))
            return false;
    c->body = new_body(s, n, a, false);
    return c->batch > 0 && c->batch <= MAX_TRIPS && has_room(s, &c->body, c->batch * c->steps, 2 * c->scanned + c->piles + 2);
}

// One sequence: operands are states, then what is scanned; results[] receives states and joined results.
static void place_steps(struct shape_run *s, struct node *n, const struct scan *c, struct tensor *const *operands, struct tensor **results)
{
    const struct graph *body = c->body.g;
    struct arena *memory = s->g->arena;
    struct tensor **in = arena_array(memory, struct tensor *, body->n_inputs), **out = arena_array(memory, struct tensor *, body->n_outputs);
    struct tensor **items = arena_array(memory, struct tensor *, c->piles * c->steps + 1);
    memcpy(results, operands, (size_t)c->states * sizeof(struct tensor *));
    for (int k = body->n_formal; k < body->n_inputs; k++)
        in[k] = n->in[c->body.attr->captured_at + k - body->n_formal];
    for (int64_t i = 0; i < c->steps; i++) {
        memcpy(in, results, (size_t)c->states * sizeof *in);
        for (int k = 0; k < c->scanned; k++)
            in[c->states + k] = pick(s, n, operands[c->states + k], node_ints_at(n, c->axes, k), node_ints_at(n, c->directions, k) ? c->steps - 1 - i : i);
        place_body(s, n, &c->body, in, out);
        memcpy(results, out, (size_t)c->states * sizeof *out);
        for (int k = 0; k < c->piles; k++)
            items[k * c->steps + (node_ints_at(n, "scan_output_directions", k) ? c->steps - 1 - i : i)] = out[c->states + k];
    }
    for (int k = 0; k < c->piles; k++)
        results[c->states + k] = n->out[c->states + k] ? join(s, n, items + k * c->steps, c->steps, node_ints_at(n, "scan_output_axes", k)) : NULL;
}

static bool place_scan(struct shape_run *s, struct node *n)
{
    struct scan c = { .steps = 0 };
    if (!open_scan(s, n, &c))
        return false;
    struct arena *memory = s->g->arena;
    int operands = c.states + c.scanned;
    struct tensor **in = arena_array(memory, struct tensor *, operands), **results = arena_array(memory, struct tensor *, n->n_out + 1);
    struct tensor **items = arena_array(memory, struct tensor *, n->n_out * c.batch + 1);
    if (c.first == 0)
        place_steps(s, n, &c, n->in, results);
    for (int64_t b = 0; c.first && b < c.batch; b++) {
        for (int k = 0; k < operands; k++)
            in[k] = pick(s, n, n->in[c.first + k], 0, b);
        place_steps(s, n, &c, in, results);
        for (int k = 0; k < n->n_out; k++)
            items[k * c.batch + b] = results[k];
    }
    for (int k = 0; c.first && k < n->n_out; k++)
        results[k] = n->out[k] ? join(s, n, items + k * c.batch, c.batch, 0) : NULL;
    finish(s->g, n, results);
    return true;
}

// ---- all of them ----

bool shape_place_body(struct shape_run *s, struct node *n)
{
    switch ((int)n->op) {
    case OP_If: return place_if(s, n);
    case OP_Loop: return place_loop(s, n);
    case OP_Scan: return place_scan(s, n);
    default: return false;
    }
}

static bool check_ports(struct shape_run *s, const struct node *n, const char *name, int inputs, int outputs)
{
    const struct attr *a = body_of(n, name);
    if (!a)
        return diag_error(s->cx, E203, at_node(s->g, n), NULL, "attribute %s is missing", name);
    return has_ports(a, inputs, outputs) || diag_error(s->cx, E102, at_node(s->g, n), NULL, "the body has %d inputs and %d outputs, need %d and %d",
                                                       a->g->n_formal, a->g->n_outputs, inputs, outputs);
}

bool shape_check_bodies(struct shape_run *s, const struct node *n)
{
    const struct attr *a = body_of(n, "body");
    int captured_at = a ? a->captured_at : 0;
    if (n->op == OP_If)
        return check_ports(s, n, "then_branch", 0, n->n_out) && check_ports(s, n, "else_branch", 0, n->n_out);
    if (n->op == OP_Loop)
        return check_ports(s, n, "body", captured_at > 2 ? captured_at : 2, 1 + n->n_out);
    int operands = captured_at - (s->g->opset < 9);
    int64_t scanned = node_int(n, "num_scan_inputs", 0);
    if (a && (scanned < 1 || scanned > operands))
        return diag_error(s->cx, E203, at_attr(s->g, n, "num_scan_inputs"), NULL, "num_scan_inputs is %" PRId64 " of %d inputs", scanned, operands);
    return check_ports(s, n, "body", operands, n->n_out);
}

// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan: bodies are run on the values that they get, shapes included (ref_float_run).
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// A body, copied: evaluating writes types and shapes into it, and frames are evaluated in parallel.
struct body {
    struct graph *g;
    int captured_at;
};

static bool open_body(struct ref *r, const char *name, struct body *out)
{
    const struct attr *a = node_attr(r->n, name);
    if (!a || a->type != ATTR_GRAPH || !a->g)
        return diag_error(r->cx, E203, at_node(r->g, r->n), NULL, "attribute %s is missing", name);
    *out = (struct body){ graph_clone(a->g, &r->scratch), a->captured_at };
    return true;
}

// `least`: outputs that the node must have, one for each value that is carried.
static bool has_ports(struct ref *r, const struct body *b, int inputs, int outputs, int least)
{
    if (b->g->n_formal == inputs && b->g->n_outputs == outputs && outputs >= least)
        return true;
    return diag_error(r->cx, E102, at_node(r->g, r->n), NULL, "the body has %d inputs and %d outputs, need %d and %d, at least %d", b->g->n_formal,
                      b->g->n_outputs, inputs, outputs, least);
}

// Runs it on `in`, of which the formal inputs are filled in.
static bool run_body(struct ref *r, const struct body *b, struct arena *a, struct array *in, struct array *out)
{
    for (int i = b->g->n_formal; i < b->g->n_inputs; i++)
        in[i] = *ref_in(r, b->captured_at + i - b->g->n_formal);
    return ref_run_body(r, b->g, a, in, out);
}

static struct array copy_array(struct arena *a, const struct array *x)
{
    struct array y = array_new(a, x->dtype, x->rank, x->dims);
    size_t bytes = (size_t)array_count(x) * dtype_bytes(x->dtype);
    if (bytes)
        memcpy(y.data, x->data, bytes);
    return y;
}

static bool bool_at(const struct array *x)
{
    return array_count(x) > 0 && array_i64(x, 0) != 0;
}

bool ref_if(struct ref *r)
{
    struct body b;
    if (!open_body(r, bool_at(ref_in(r, 0)) ? "then_branch" : "else_branch", &b) || !has_ports(r, &b, 0, r->n->n_out, 0))
        return false;
    struct array *in = arena_array(&r->scratch, struct array, b.g->n_inputs + 1), *out = arena_array(&r->scratch, struct array, b.g->n_outputs + 1);
    if (!run_body(r, &b, &r->scratch, in, out))
        return false;
    for (int k = 0; k < r->n->n_out; k++)
        r->out[k] = copy_array(r->a, &out[k]);
    return true;
}

// ---- results that iterations give one by one ----

struct pile {
    struct array *items;
    int n, cap;
};

// Stacks the items along a new axis, as output k of r.
static bool stack(struct ref *r, int k, const struct pile *p, int64_t axis, bool backwards)
{
    if (p->n == 0)
        return diag_error(r->cx, E206, at_node(r->g, r->n), NULL, "no iteration: output %d has no known shape", k);
    const struct array *x = &p->items[0];
    int64_t dims[MAX_RANK + 1], outer = 1, inner = 1;
    if (axis < -x->rank - 1 || axis > x->rank || x->rank >= MAX_RANK)
        return ref_value_error(r, "axis", axis);
    axis += axis < 0 ? x->rank + 1 : 0;
    for (int i = 0; i < x->rank; i++)
        *(i < axis ? &outer : &inner) *= x->dims[i];
    for (int i = 0; i <= x->rank; i++)
        dims[i] = i == axis ? p->n : x->dims[i - (i > axis)];
    struct array *y = ref_out_shaped(r, k, x->dtype, x->rank + 1, dims);
    for (int i = 0; i < p->n; i++) {
        const struct array *item = &p->items[backwards ? p->n - 1 - i : i];
        if (item->dtype != x->dtype || item->rank != x->rank || memcmp(item->dims, x->dims, (size_t)x->rank * sizeof *x->dims) != 0)
            return diag_error(r->cx, E204, at_node(r->g, r->n), NULL, "output %d changes its shape from one iteration to the next", k);
        for (int64_t o = 0; o < outer; o++)
            for (int64_t e = 0; e < inner; e++)
                ref_copy(y, (o * p->n + i) * inner + e, item, o * inner + e);
    }
    return true;
}

// ---- Loop ----

static struct array scalar(struct arena *a, enum dtype t, int64_t v, const struct tensor *like)
{
    struct array x = array_new(a, t, like->rank == 1 ? 1 : 0, (int64_t[]){ 1 }); // exporters write [1] for scalars
    array_set_i64(&x, 0, v);
    return x;
}

// Inputs: trip count, condition, carried values. The body takes (iteration, condition, carried…) and gives (condition,
// carried…, one item of each pile).
bool ref_loop(struct ref *r)
{
    struct body b;
    if (!open_body(r, "body", &b))
        return false;
    const struct array *trips = b.captured_at > 0 ? ref_in(r, 0) : NULL, *condition = b.captured_at > 1 ? ref_in(r, 1) : NULL;
    int carried = b.captured_at > 2 ? b.captured_at - 2 : 0, piles = r->n->n_out - carried;
    if (!has_ports(r, &b, 2 + carried, 1 + r->n->n_out, 1 + carried))
        return false;
    if (trips && array_count(trips) != 1)
        return ref_value_error(r, "a trip count of rank", trips->rank);
    int64_t limit = trips ? array_i64(trips, 0) : INT64_MAX;
    bool go = !condition || bool_at(condition), ok = true;
    struct array *in = arena_array(&r->scratch, struct array, b.g->n_inputs), *out = arena_array(&r->scratch, struct array, b.g->n_outputs);
    struct array *state = arena_array(&r->scratch, struct array, carried + 1);
    struct pile *pile = arena_array(&r->scratch, struct pile, piles + 1);
    struct arena arenas[2] = { { 0 }, { 0 } }; // of this iteration and of the one before
    for (int k = 0; k < carried; k++)
        state[k] = *ref_in(r, 2 + k);
    for (int64_t i = 0; ok && go && i < limit; i++) {
        struct arena *a = &arenas[i & 1];
        arena_release(a);
        in[0] = scalar(a, DT_INT64, i, b.g->inputs[0]);
        in[1] = scalar(a, DT_BOOL, go, b.g->inputs[1]);
        memcpy(in + 2, state, (size_t)carried * sizeof *in);
        ok = run_body(r, &b, a, in, out);
        for (int k = 0; ok && k < piles; k++)
            arena_push(&r->scratch, pile[k].items, pile[k].n, pile[k].cap, copy_array(&r->scratch, &out[1 + carried + k]));
        if (ok) {
            go = bool_at(&out[0]);
            for (int k = 0; k < carried; k++) // what passes through unchanged may lie in the arena that goes next
                state[k] = copy_array(a, &out[1 + k]);
        }
    }
    for (int k = 0; ok && k < r->n->n_out; k++) {
        if (k < carried)
            r->out[k] = copy_array(r->a, &state[k]);
        else if (r->n->out[k])
            ok = stack(r, k, &pile[k - carried], 0, false);
    }
    arena_release(&arenas[0]);
    arena_release(&arenas[1]);
    return ok;
}

// ---- Scan ----

// Step t of x along an axis, in arena a.
static struct array slice_at(struct arena *a, const struct array *x, int axis, int64_t t)
{
    int64_t dims[MAX_RANK], outer, inner;
    for (int i = 0; i < x->rank - 1; i++)
        dims[i] = x->dims[i + (i >= axis)];
    struct array y = array_new(a, x->dtype, x->rank - 1, dims);
    ref_around(x, axis, &outer, &inner);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            ref_copy(&y, o * inner + i, x, (o * x->dims[axis] + t) * inner + i);
    return y;
}

struct scan {
    struct body body;
    int states, scanned, piles;
    const char *directions, *axes; // names of attributes; NULL: none
    struct array *state;
    const struct array *x;
    struct pile *pile;
};

// All steps of one sequence; states are updated, results piled up. Memory in r's scratch.
static bool scan_steps(struct ref *r, struct scan *s)
{
    struct graph *g = s->body.g;
    struct array *in = arena_array(&r->scratch, struct array, g->n_inputs), *out = arena_array(&r->scratch, struct array, g->n_outputs);
    int64_t steps = 0;
    for (int k = 0; k < s->scanned; k++) {
        int64_t axis = node_ints_at(r->n, s->axes, k);
        if (axis < -s->x[k].rank || axis >= s->x[k].rank)
            return ref_value_error(r, "axis", axis);
        int64_t have = s->x[k].dims[axis_of(axis, s->x[k].rank)];
        if (k > 0 && have != steps)
            return ref_value_error(r, "length", have);
        steps = have;
    }
    for (int64_t t = 0; t < steps; t++) {
        memcpy(in, s->state, (size_t)s->states * sizeof *in);
        for (int k = 0; k < s->scanned; k++)
            in[s->states + k] = slice_at(&r->scratch, &s->x[k], axis_of(node_ints_at(r->n, s->axes, k), s->x[k].rank),
                                         node_ints_at(r->n, s->directions, k) ? steps - 1 - t : t);
        if (!run_body(r, &s->body, &r->scratch, in, out))
            return false;
        memcpy(s->state, out, (size_t)s->states * sizeof *out);
        for (int k = 0; k < s->piles; k++)
            arena_push(&r->scratch, s->pile[k].items, s->pile[k].n, s->pile[k].cap, out[s->states + k]);
    }
    return true;
}

static bool open_scan(struct ref *r, struct scan *s, int first)
{
    int64_t scanned = node_int(r->n, "num_scan_inputs", 0);
    if (!open_body(r, "body", &s->body))
        return false;
    int inputs = s->body.captured_at - first;
    if (scanned < 1 || scanned > inputs)
        return diag_error(r->cx, E203, at_attr(r->g, r->n, "num_scan_inputs"), NULL, "num_scan_inputs is %" PRId64 " of %d inputs", scanned, inputs);
    s->scanned = (int)scanned;
    s->states = inputs - s->scanned;
    s->piles = r->n->n_out - s->states;
    s->state = arena_array(&r->scratch, struct array, s->states + 1);
    s->pile = arena_array(&r->scratch, struct pile, s->piles > 0 ? s->piles + 1 : 1);
    return has_ports(r, &s->body, inputs, r->n->n_out, s->states);
}

// Item b of a batch, as a view.
static struct array item_of(const struct array *x, int64_t b)
{
    struct array y = { .dtype = x->dtype, .rank = x->rank - 1 };
    memcpy(y.dims, x->dims + 1, sizeof y.dims - sizeof y.dims[0]);
    y.data = (char *)x->data + (size_t)(b * array_count(&y)) * dtype_bytes(x->dtype);
    return y;
}

// Opset 8: sequence lengths in front, every operand in batches, time is the axis behind the batch.
static bool scan_batches(struct ref *r)
{
    struct scan s = { .directions = "directions", .axes = NULL };
    if (!open_scan(r, &s, 1))
        return false;
    int n_in = s.states + s.scanned;
    int64_t batch = -1;
    for (int k = 1; k <= n_in; k++) {
        const struct array *x = ref_in(r, k);
        if (!x || x->rank < (k > s.states ? 2 : 1) || (batch >= 0 && x->dims[0] != batch))
            return ref_value_error(r, "operand", k);
        batch = x->dims[0];
    }
    if (ref_in(r, 0))
        for (int64_t b = 0; b < array_count(ref_in(r, 0)); b++) // shorter sequences would need results of no known value
            if (array_i64(ref_in(r, 0), b) != ref_in(r, 1 + s.states)->dims[1])
                return ref_value_error(r, "length", array_i64(ref_in(r, 0), b));
    struct pile *whole = arena_array(&r->scratch, struct pile, r->n->n_out + 1);
    struct array *x = arena_array(&r->scratch, struct array, s.scanned), *results = arena_array(&r->scratch, struct array, r->n->n_out + 1);
    struct ref inner = *r;
    inner.out = results;
    for (int64_t b = 0; b < batch; b++) {
        for (int k = 0; k < s.states; k++)
            s.state[k] = item_of(ref_in(r, 1 + k), b);
        for (int k = 0; k < s.scanned; k++)
            x[k] = item_of(ref_in(r, 1 + s.states + k), b);
        s.x = x;
        memset(s.pile, 0, (size_t)s.piles * sizeof *s.pile);
        if (!scan_steps(r, &s))
            return false;
        for (int k = 0; k < r->n->n_out; k++) {
            if (k >= s.states && !stack(&inner, k, &s.pile[k - s.states], 0, false))
                return false;
            arena_push(&r->scratch, whole[k].items, whole[k].n, whole[k].cap, k < s.states ? s.state[k] : results[k]);
        }
    }
    for (int k = 0; k < r->n->n_out; k++)
        if (r->n->out[k] && !stack(r, k, &whole[k], 0, false))
            return false;
    return true;
}

bool ref_scan(struct ref *r)
{
    struct scan s = { .directions = "scan_input_directions", .axes = "scan_input_axes" };
    if (r->g->opset < 9)
        return scan_batches(r);
    if (!open_scan(r, &s, 0))
        return false;
    if (!ref_in(r, 0)) // what opset 8 had there
        return ref_value_error(r, "operand", 0);
    struct array *x = arena_array(&r->scratch, struct array, s.scanned);
    for (int k = 0; k < s.states; k++)
        s.state[k] = *ref_in(r, k);
    for (int k = 0; k < s.scanned; k++)
        x[k] = *ref_in(r, s.states + k);
    s.x = x;
    if (!scan_steps(r, &s))
        return false;
    for (int k = 0; k < r->n->n_out; k++) {
        if (k < s.states)
            r->out[k] = copy_array(r->a, &s.state[k]);
        else if (r->n->out[k] && !stack(r, k, &s.pile[k - s.states], node_ints_at(r->n, "scan_output_axes", k - s.states),
                                        node_ints_at(r->n, "scan_output_directions", k - s.states) != 0))
            return false;
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// Values, memory and order of the program; host_op.c describes the operators.
#include "sim/host.h"

#include <string.h>

#include "base/check.h"
#include "sim/host_impl.h"
#include "sim/ref_float.h"

int host_value(struct host_builder *b, const struct tensor *t)
{
    if (!t)
        return -1;
    if (t->index < -1)
        return -2 - t->index;
    if (t->index >= 0 && b->value_of[t->index] > 0)
        return b->value_of[t->index] - 1;
    struct aihls_host_value v = { .type = (enum aihls_type)t->dtype, .rank = t->rank, .count = (int32_t)tensor_count(t), .constant = t->data };
    for (int i = 0; i < t->rank; i++)
        v.dims[i] = (int32_t)t->dims[i];
    if (t->index >= 0 && !t->data && tensor_is_constant(t)) { // a dequantized weight
        const struct node *n = t->producer;
        struct array y, *c = arena_array(b->a, struct array, n->n_in);
        const struct array **in = arena_array(b->a, const struct array *, n->n_in);
        for (int k = 0; k < n->n_in; k++) {
            if (!n->in[k])
                continue;
            union { const void *from; void *to; } data = { .from = n->in[k]->data };
            c[k] = (struct array){ .dtype = n->in[k]->dtype, .rank = n->in[k]->rank, .data = data.to };
            memcpy(c[k].dims, n->in[k]->dims, sizeof c[k].dims);
            in[k] = &c[k];
        }
        if (!ref_float_node(b->cx, b->part->whole, n, b->a, in, &y))
            b->failed = true;
        v.constant = y.data;
    }
    arena_push(b->a, b->values, b->n_values, b->cap_values, v);
    if (t->index >= 0)
        b->value_of[t->index] = b->n_values;
    return b->n_values - 1;
}

// ---- memory ----

#define FOREVER INT32_MAX

struct life {
    int from, to; // operators; -1: in front of the first
};

static void extend(struct life *l, int from, int to)
{
    l->from = from < l->from ? from : l->from;
    l->to = to > l->to ? to : l->to;
}

// When each value is needed. What enters the core is given to it in all later runs too.
static struct life *lives(const struct host_builder *b, const struct aihls_host *h)
{
    struct life *l = arena_array(b->a, struct life, b->n_values);
    for (int i = 0; i < b->n_values; i++)
        l[i] = (struct life){ FOREVER, -1 };
    for (int i = 0; i < h->n_ops; i++) {
        for (int k = 0; k < h->ops[i].n_in; k++)
            if (h->ops[i].in[k] >= 0)
                extend(&l[h->ops[i].in[k]], i, i);
        for (int k = 0; k < h->ops[i].n_out; k++)
            if (h->ops[i].out[k] >= 0)
                extend(&l[h->ops[i].out[k]], i, i);
    }
    for (int i = 0; i < b->part->core->n_inputs; i++)
        extend(&l[h->core_inputs[i].value], FOREVER, FOREVER);
    for (int i = 0; i < b->part->core->n_outputs; i++) { // written when its run is over
        int first = 0;
        while (first < h->n_ops && h->ops[first].pass < h->core_outputs[i].pass)
            first++;
        extend(&l[h->core_outputs[i].value], first, first);
    }
    for (int i = 0; i < h->n_inputs; i++)
        extend(&l[h->input_values[i]], -1, -1);
    for (int i = 0; i < h->n_outputs; i++)
        extend(&l[h->output_values[i]], FOREVER, FOREVER);
    return l;
}

// Gives each value the lowest place that nothing else needs at the same time. Bytes in all.
static int64_t place_values(struct host_builder *b, const struct life *l)
{
    int64_t bytes = 0;
    for (int i = 0; i < b->n_values; i++) {
        struct aihls_host_value *v = &b->values[i];
        int64_t size = ((int64_t)v->count * (int64_t)aihls_type_bytes(v->type) + 7) / 8 * 8, at = 0;
        if (v->constant)
            continue;
        for (int k = 0; k < i; k++) {
            const struct aihls_host_value *o = &b->values[k];
            int64_t o_size = ((int64_t)o->count * (int64_t)aihls_type_bytes(o->type) + 7) / 8 * 8;
            bool apart = o->constant || l[k].to < l[i].from || l[i].to < l[k].from;
            if (!apart && at < o->offset + o_size && o->offset < at + size) {
                at = o->offset + o_size;
                k = -1; // look again from there
            }
        }
        v->offset = (int32_t)min_i64(at, INT32_MAX);
        bytes = max_i64(bytes, at + size);
    }
    return bytes;
}

// ---- the program ----

static const struct aihls_host_port *ports(struct host_builder *b, const struct cut *cuts, int n)
{
    struct aihls_host_port *p = arena_array(b->a, struct aihls_host_port, n);
    for (int i = 0; i < n; i++)
        p[i] = (struct aihls_host_port){ host_value(b, cuts[i].tensor), cuts[i].pass };
    return p;
}

static const int32_t *model_values(struct host_builder *b, struct tensor *const *t, int n)
{
    int32_t *v = arena_array(b->a, int32_t, n);
    for (int i = 0; i < n; i++)
        v[i] = host_value(b, t[i]);
    return v;
}

static const struct aihls_tensor *model_tensors(struct host_builder *b, const int32_t *values, struct tensor *const *t, int n)
{
    struct aihls_tensor *out = arena_array(b->a, struct aihls_tensor, n);
    for (int i = 0; i < n; i++) {
        ASSERT(values[i] >= 0 && values[i] < b->n_values && b->values);
        const struct aihls_host_value *v = &b->values[values[i]];
        out[i] = (struct aihls_tensor){ .name = t[i]->name, .type = v->type, .rank = v->rank, .count = v->count };
        memcpy(out[i].dims, v->dims, sizeof out[i].dims);
    }
    return out;
}

bool host_describe(const struct ctx *cx, const struct partition *part, struct host_program **out)
{
    const struct graph *g = part->whole;
    struct host_builder b = { .cx = cx, .part = part, .a = cx->arena, .value_of = arena_array(cx->arena, int, g->n_tensors) };
    struct host_program *r = *out = arena_new(cx->arena, struct host_program);
    struct aihls_host *h = &r->host;
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->rank >= 0 && tensor_count(g->tensors[i]) > INT32_MAX / 8)
            return diag_error(cx, E212, at_tensor(g, g->tensors[i]), NULL, "the host has no room for a tensor of %lld elements", (long long)tensor_count(g->tensors[i]));
    for (int pass = 0; pass <= part->n_passes; pass++)
        for (int i = 0; i < g->n_nodes; i++)
            if (part->places[i].pass == pass && partition_on_host(part, g->nodes[i]))
                host_node(&b, g->nodes[i], pass);
    h->core_inputs = ports(&b, part->inputs, part->core->n_inputs);
    h->core_outputs = ports(&b, part->outputs, part->core->n_outputs);
    h->n_inputs = g->n_inputs;
    h->n_outputs = g->n_outputs;
    h->input_values = model_values(&b, g->inputs, g->n_inputs);
    h->output_values = model_values(&b, g->outputs, g->n_outputs);
    h->inputs = model_tensors(&b, h->input_values, g->inputs, g->n_inputs);
    h->outputs = model_tensors(&b, h->output_values, g->outputs, g->n_outputs);
    h->ops = b.ops;
    h->n_ops = b.n_ops;
    h->n_passes = part->n_passes;
    if (b.failed)
        return false;
    int64_t bytes = place_values(&b, lives(&b, h));
    if (bytes > INT32_MAX)
        return diag_error(cx, E212, g->file, NULL, "the host's part needs %lld bytes of memory", (long long)bytes);
    h->bytes = (int32_t)bytes;
    h->values = b.values;
    r->n_values = b.n_values;
    r->text = b.text;
    return true;
}

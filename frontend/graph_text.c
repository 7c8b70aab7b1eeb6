// SPDX-License-Identifier: Apache-2.0
// The whole graph at once: its invariants and its text form.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "frontend/graph.h"

struct name_entry {
    const char *name;
    UT_hash_handle hh;
};

static void verify_tensors(const struct graph *g)
{
    struct name_entry *names = NULL, *entry, *next;
    struct arena scratch = { 0 };
    for (int i = 0; i < g->n_tensors; i++) {
        const struct tensor *t = g->tensors[i];
        if (!t || t->index != i)
            BUG("tensor %d has index %d", i, t ? t->index : -1);
        if (t->rank < -1 || t->rank > MAX_RANK)
            BUG("tensor '%s' has rank %d", t->name, t->rank);
        if (t->data && t->producer)
            BUG("tensor '%s' is a constant and computed", t->name);
        if (t->data && (t->rank < 0 || dtype_bytes(t->dtype) == 0))
            BUG("constant '%s' has no type or shape", t->name);
        HASH_FIND_STR(names, t->name, entry);
        if (entry)
            BUG("two tensors are called '%s'", t->name);
        entry = arena_new(&scratch, struct name_entry);
        entry->name = t->name;
        HASH_ADD_KEYPTR(hh, names, entry->name, strlen(entry->name), entry);
    }
    HASH_ITER(hh, names, entry, next)
    {
        HASH_DEL(names, entry);
    }
    arena_release(&scratch);
}

static void verify_owned(const struct graph *g, const struct tensor *t, const char *what)
{
    if (t->index < 0 || t->index >= g->n_tensors || g->tensors[t->index] != t)
        BUG("%s '%s' is not a tensor of the graph", what, t->name);
}

// A tensor that is neither constant nor computed must be a graph input.
static void verify_source(const struct graph *g, const struct tensor *t)
{
    if (t->data || t->producer)
        return;
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i] == t)
            return;
    BUG("tensor '%s' is read, but nothing makes it", t->name);
}

static void verify_node(const struct graph *g, const struct node *n)
{
    const struct op_info *info = op_info(n->op);
    if (n->n_in < info->min_in || n->n_in > info->max_in || n->n_out < info->min_out ||
        n->n_out > info->max_out)
        BUG("node '%s' (%s) has %d inputs and %d outputs", n->name, info->name, n->n_in, n->n_out);
    for (int k = 0; k < n->n_in; k++) {
        const struct tensor *t = n->in[k];
        if (!t)
            continue;
        verify_owned(g, t, "input");
        verify_source(g, t);
        if (t->producer && t->producer->index >= n->index)
            BUG("node '%s' stands in front of the producer of '%s'", n->name, t->name);
    }
    for (int k = 0; k < n->n_out; k++) {
        if (!n->out[k])
            continue;
        verify_owned(g, n->out[k], "output");
        if (n->out[k]->producer != n)
            BUG("tensor '%s' does not know its producer '%s'", n->out[k]->name, n->name);
    }
}

void graph_verify(const struct graph *g)
{
    verify_tensors(g);
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i]->index != i)
            BUG("node %d has index %d", i, g->nodes[i]->index);
        verify_node(g, g->nodes[i]);
    }
    for (int i = 0; i < g->n_tensors; i++) {
        const struct node *p = g->tensors[i]->producer;
        if (p && (p->index < 0 || p->index >= g->n_nodes || g->nodes[p->index] != p))
            BUG("tensor '%s' has a producer that is not in the graph", g->tensors[i]->name);
    }
    for (int i = 0; i < g->n_inputs; i++)
        verify_owned(g, g->inputs[i], "graph input");
    for (int i = 0; i < g->n_outputs; i++) {
        verify_owned(g, g->outputs[i], "graph output");
        verify_source(g, g->outputs[i]);
    }
}

// ---- dump ----

// Constants up to this many elements are printed in full.
#define DUMP_MAX_ELEMENTS 8

// FNV-1a: short, the same on every machine, and enough to see that weights differ.
static uint64_t hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static void dump_type(const struct tensor *t, struct strbuf *out)
{
    strbuf_addf(out, "%s[", dtype_name(t->dtype));
    if (t->rank < 0)
        strbuf_addch(out, '?');
    for (int i = 0; i < t->rank; i++)
        strbuf_addf(out, "%s%" PRId64, i ? "," : "", t->dims[i]);
    strbuf_addch(out, ']');
}

static bool is_float(enum dtype t)
{
    return t == DT_FLOAT || t == DT_DOUBLE || t == DT_FLOAT16 || t == DT_BFLOAT16;
}

static void dump_value(const struct tensor *t, struct strbuf *out)
{
    int64_t n = tensor_count(t);
    if (n > DUMP_MAX_ELEMENTS) {
        strbuf_addf(out, " #%016" PRIx64, hash_bytes(t->data, (size_t)n * dtype_bytes(t->dtype)));
        return;
    }
    strbuf_adds(out, " {");
    for (int64_t i = 0; i < n; i++) {
        if (i)
            strbuf_addch(out, ' ');
        if (is_float(t->dtype))
            strbuf_addf(out, "%.9g", tensor_const_f64(t, i));
        else
            strbuf_addf(out, "%" PRId64, tensor_const_i64(t, i));
    }
    strbuf_addch(out, '}');
}

static void dump_attr(const struct attr *a, struct strbuf *out)
{
    strbuf_addf(out, " %s=", a->name);
    switch (a->type) {
    case ATTR_INT:
        strbuf_addf(out, "%" PRId64, a->i);
        break;
    case ATTR_FLOAT:
        strbuf_addf(out, "%.9g", (double)a->f);
        break;
    case ATTR_STRING:
        strbuf_addf(out, "'%s'", a->s);
        break;
    case ATTR_INTS:
    case ATTR_FLOATS:
    case ATTR_STRINGS:
        strbuf_addch(out, '[');
        for (int i = 0; i < a->n; i++) {
            if (i)
                strbuf_addch(out, ',');
            if (a->type == ATTR_INTS)
                strbuf_addf(out, "%" PRId64, a->ints[i]);
            else if (a->type == ATTR_FLOATS)
                strbuf_addf(out, "%.9g", (double)a->floats[i]);
            else
                strbuf_addf(out, "'%s'", a->strings[i]);
        }
        strbuf_addch(out, ']');
        break;
    case ATTR_GRAPH:
        strbuf_addf(out, "<graph '%s' of %d nodes>", a->g->name, a->g->n_nodes);
        break;
    case ATTR_TENSOR:
        dump_type(a->t, out);
        dump_value(a->t, out);
        break;
    }
}

void graph_dump(const struct graph *g, struct strbuf *out)
{
    strbuf_addf(out, "graph '%s' opset %" PRId64 "\n", g->name, g->opset);
    for (int i = 0; i < g->n_inputs; i++) {
        strbuf_addf(out, "input '%s' ", g->inputs[i]->name);
        dump_type(g->inputs[i], out);
        strbuf_addch(out, '\n');
    }
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->data) {
            strbuf_addf(out, "const '%s' ", g->tensors[i]->name);
            dump_type(g->tensors[i], out);
            dump_value(g->tensors[i], out);
            strbuf_addch(out, '\n');
        }
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        strbuf_addf(out, "%s '%s' (", op_info(n->op)->name, n->name);
        for (int k = 0; k < n->n_in; k++)
            strbuf_addf(out, "%s'%s'", k ? ", " : "", n->in[k] ? n->in[k]->name : "");
        strbuf_adds(out, ") ->");
        for (int k = 0; k < n->n_out; k++) {
            strbuf_addf(out, "%s '%s' ", k ? "," : "", n->out[k] ? n->out[k]->name : "");
            if (n->out[k])
                dump_type(n->out[k], out);
        }
        for (int k = 0; k < n->n_attrs; k++)
            dump_attr(&n->attrs[k], out);
        strbuf_addch(out, '\n');
    }
    for (int i = 0; i < g->n_outputs; i++) {
        strbuf_addf(out, "output '%s' ", g->outputs[i]->name);
        dump_type(g->outputs[i], out);
        strbuf_addch(out, '\n');
    }
}

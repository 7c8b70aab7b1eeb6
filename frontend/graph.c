// SPDX-License-Identifier: Apache-2.0
#include "frontend/graph.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"

static const struct op_info infos[OP_COUNT] = {
#define OP(id, domain, name, since, min_in, max_in, min_out, max_out, support, note)     \
    [OP_##id] = { domain, name, since, min_in, max_in, min_out, max_out, support, note },
#include "frontend/ops.def"
#undef OP
};

const struct op_info *op_info(enum op op)
{
    ASSERT((int)op >= 0 && op < OP_COUNT);
    return &infos[op];
}

static bool parse_exact(const char *domain, const char *name, enum op *out)
{
    for (int i = 0; i < OP_COUNT; i++)
        if (strcmp(infos[i].name, name) == 0 && strcmp(infos[i].domain, domain) == 0) {
            *out = (enum op)i;
            return true;
        }
    return false;
}

bool op_parse(const char *domain, const char *name, enum op *out)
{
    // Spellings of one domain. Brevitas and FINN exported QONNX's operators before QONNX was.
    if (strcmp(domain, "ai.onnx") == 0)
        domain = "";
    if (strcmp(domain, "onnx.brevitas") == 0 || strcmp(domain, "finn.custom_op.general") == 0)
        domain = "qonnx.custom_op.general";
    if (parse_exact(domain, name, out))
        return true;
    // ONNX Runtime's own copies differ from ai.onnx's by 16-bit types only.
    bool copied = strcmp(name, "QuantizeLinear") == 0 || strcmp(name, "DequantizeLinear") == 0;
    return copied && strcmp(domain, "com.microsoft") == 0 && parse_exact("", name, out);
}

size_t dtype_bytes(enum dtype t)
{
    switch (t) {
    case DT_UINT8:
    case DT_INT8:
    case DT_BOOL:
        return 1;
    case DT_UINT16:
    case DT_INT16:
    case DT_FLOAT16:
    case DT_BFLOAT16:
        return 2;
    case DT_FLOAT:
    case DT_INT32:
    case DT_UINT32:
        return 4;
    case DT_INT64:
    case DT_DOUBLE:
    case DT_UINT64:
        return 8;
    case DT_NONE:
    case DT_STRING:
        return 0;
    }
    return 0;
}

bool dtype_is_float(enum dtype t)
{
    return t == DT_FLOAT || t == DT_DOUBLE || t == DT_FLOAT16 || t == DT_BFLOAT16;
}

bool dtype_is_integer(enum dtype t)
{
    return !dtype_is_float(t) && dtype_bytes(t) > 0 && t != DT_BOOL;
}

const char *dtype_name(enum dtype t)
{
    switch (t) {
    case DT_NONE:
        return "unknown";
    case DT_FLOAT:
        return "float32";
    case DT_UINT8:
        return "uint8";
    case DT_INT8:
        return "int8";
    case DT_UINT16:
        return "uint16";
    case DT_INT16:
        return "int16";
    case DT_INT32:
        return "int32";
    case DT_INT64:
        return "int64";
    case DT_STRING:
        return "string";
    case DT_BOOL:
        return "bool";
    case DT_FLOAT16:
        return "float16";
    case DT_DOUBLE:
        return "float64";
    case DT_UINT32:
        return "uint32";
    case DT_UINT64:
        return "uint64";
    case DT_BFLOAT16:
        return "bfloat16";
    }
    return "unknown";
}

// ---- building ----

struct graph *graph_new(struct arena *a, const char *file, const char *name)
{
    struct graph *g = arena_new(a, struct graph);
    g->arena = a;
    g->file = arena_strdup(a, file);
    g->name = arena_strdup(a, name);
    g->opset = 13;
    return g;
}

static bool name_taken(const struct graph *g, const char *name)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, name) == 0)
            return true;
    return false;
}

struct tensor *graph_add_tensor(struct graph *g, const char *name, enum dtype t, int rank,
                                const int64_t *dims)
{
    ASSERT(rank >= -1 && rank <= MAX_RANK);
    struct tensor *x = arena_new(g->arena, struct tensor);
    x->name = arena_strdup(g->arena, name);
    for (int k = 2; name_taken(g, x->name); k++)
        x->name = arena_printf(g->arena, "%s_%d", name, k);
    x->dtype = t;
    x->rank = rank;
    for (int i = 0; i < rank; i++)
        x->dims[i] = dims[i];
    x->index = g->n_tensors;
    arena_push(g->arena, g->tensors, g->n_tensors, g->cap_tensors, x);
    return x;
}

struct tensor *graph_add_const(struct graph *g, const char *name, enum dtype t, int rank,
                               const int64_t *dims, const void *data)
{
    struct tensor *x = graph_add_tensor(g, name, t, rank, dims);
    x->data = data ? data
                   : arena_alloc_n(g->arena, (size_t)tensor_count(x), dtype_bytes(t));
    return x;
}

static struct tensor **copy_ports(struct graph *g, int n, struct tensor **ports)
{
    struct tensor **copy = arena_array(g->arena, struct tensor *, n);
    if (n)
        memcpy(copy, ports, (size_t)n * sizeof *copy);
    return copy;
}

struct node *graph_add_node(struct graph *g, enum op op, const char *name, int n_in,
                            struct tensor **in, int n_out, struct tensor **out)
{
    struct node *n = arena_new(g->arena, struct node);
    n->op = op;
    n->name = arena_strdup(g->arena, name);
    n->model_index = -1;
    n->n_in = n_in;
    n->in = copy_ports(g, n_in, in);
    n->n_out = n_out;
    n->out = copy_ports(g, n_out, out);
    for (int i = 0; i < n_out; i++)
        if (n->out[i])
            n->out[i]->producer = n;
    n->index = g->n_nodes;
    arena_push(g->arena, g->nodes, g->n_nodes, g->cap_nodes, n);
    return n;
}

struct node *graph_insert_node(struct graph *g, struct node *before, enum op op,
                               const char *name, int n_in, struct tensor **in, int n_out,
                               struct tensor **out)
{
    int at = before->index;
    ASSERT(at >= 0 && at < g->n_nodes && g->nodes[at] == before);
    struct node *n = graph_add_node(g, op, name, n_in, in, n_out, out);
    n->model_index = before->model_index;
    for (int i = g->n_nodes - 1; i > at; i--) {
        g->nodes[i] = g->nodes[i - 1];
        g->nodes[i]->index = i;
    }
    g->nodes[at] = n;
    n->index = at;
    return n;
}

// The attribute called `name`, emptied, or a new one.
static struct attr *attr_slot(struct graph *g, struct node *n, const char *name)
{
    for (int i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i].name, name) == 0) {
            n->attrs[i] = (struct attr){ .name = n->attrs[i].name };
            return &n->attrs[i];
        }
    struct attr *grown = arena_array(g->arena, struct attr, n->n_attrs + 1);
    if (n->n_attrs)
        memcpy(grown, n->attrs, (size_t)n->n_attrs * sizeof *grown);
    n->attrs = grown;
    struct attr *a = &n->attrs[n->n_attrs++];
    a->name = arena_strdup(g->arena, name);
    return a;
}

void node_set_int(struct graph *g, struct node *n, const char *name, int64_t v)
{
    struct attr *a = attr_slot(g, n, name);
    a->type = ATTR_INT;
    a->i = v;
}

void node_set_float(struct graph *g, struct node *n, const char *name, float v)
{
    struct attr *a = attr_slot(g, n, name);
    a->type = ATTR_FLOAT;
    a->f = v;
}

void node_set_string(struct graph *g, struct node *n, const char *name, const char *v)
{
    struct attr *a = attr_slot(g, n, name);
    a->type = ATTR_STRING;
    a->s = arena_strdup(g->arena, v);
}

void node_set_ints(struct graph *g, struct node *n, const char *name, int count, const int64_t *v)
{
    int64_t *copy = arena_array(g->arena, int64_t, count);
    if (count)
        memcpy(copy, v, (size_t)count * sizeof *copy);
    struct attr *a = attr_slot(g, n, name);
    a->type = ATTR_INTS;
    a->n = count;
    a->ints = copy;
}

void node_set_floats(struct graph *g, struct node *n, const char *name, int count, const float *v)
{
    float *copy = arena_array(g->arena, float, count);
    if (count)
        memcpy(copy, v, (size_t)count * sizeof *copy);
    struct attr *a = attr_slot(g, n, name);
    a->type = ATTR_FLOATS;
    a->n = count;
    a->floats = copy;
}

void node_drop_attr(struct node *n, const char *name)
{
    for (int i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i].name, name) == 0) {
            n->attrs[i] = n->attrs[--n->n_attrs];
            return;
        }
}

// ---- changing ----

void graph_replace_uses(struct graph *g, struct tensor *from, struct tensor *to)
{
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] == from)
                g->nodes[i]->in[k] = to;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == from)
            g->outputs[i] = to;
}

void graph_remove_node(struct graph *g, struct node *n)
{
    ASSERT(n->index >= 0 && n->index < g->n_nodes && g->nodes[n->index] == n);
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && n->out[i]->producer == n)
            n->out[i]->producer = NULL;
    g->n_nodes--;
    for (int i = n->index; i < g->n_nodes; i++) {
        g->nodes[i] = g->nodes[i + 1];
        g->nodes[i]->index = i;
    }
    n->index = -1;
}

void graph_remove_dead(struct graph *g)
{
    bool *live = arena_array(g->arena, bool, g->n_tensors);
    for (int i = 0; i < g->n_outputs; i++)
        live[g->outputs[i]->index] = true;
    // Backwards over the topological order: every consumer is seen before its producer.
    int n_live_nodes = 0;
    bool *keep = arena_array(g->arena, bool, g->n_nodes);
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        struct node *n = g->nodes[i];
        for (int k = 0; k < n->n_out; k++)
            if (n->out[k] && live[n->out[k]->index])
                keep[i] = true;
        if (!keep[i])
            continue;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k])
                live[n->in[k]->index] = true;
        for (int k = 0; k < n->n_out; k++) // unread outputs of a node that stays
            if (n->out[k])
                live[n->out[k]->index] = true;
    }
    for (int i = 0; i < g->n_nodes; i++)
        if (keep[i]) {
            g->nodes[n_live_nodes] = g->nodes[i];
            g->nodes[n_live_nodes]->index = n_live_nodes;
            n_live_nodes++;
        }
    g->n_nodes = n_live_nodes;
    for (int i = 0; i < g->n_inputs; i++)
        live[g->inputs[i]->index] = true;
    int n_live = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (live[i])
            g->tensors[n_live++] = g->tensors[i];
    for (int i = 0; i < n_live; i++)
        g->tensors[i]->index = i;
    g->n_tensors = n_live;
}

static struct tensor **clone_ports(struct arena *a, struct graph *to, int n, struct tensor **ports)
{
    struct tensor **copy = arena_array(a, struct tensor *, n);
    for (int i = 0; i < n; i++)
        copy[i] = ports[i] ? to->tensors[ports[i]->index] : NULL;
    return copy;
}

// Attributes hold pointers into constant memory; names and values are copied all the same, so
// that a clone outlives the arena of everything but constant data.
static struct attr *clone_attrs(struct arena *a, const struct node *n)
{
    struct attr *copy = arena_array(a, struct attr, n->n_attrs);
    for (int i = 0; i < n->n_attrs; i++) {
        const struct attr *from = &n->attrs[i];
        struct attr *to = &copy[i];
        *to = *from;
        to->name = arena_strdup(a, from->name);
        if (from->s)
            to->s = arena_strdup(a, from->s);
        if (from->ints)
            to->ints = memcpy(arena_array(a, int64_t, from->n), from->ints,
                              (size_t)from->n * sizeof(int64_t));
        if (from->floats)
            to->floats = memcpy(arena_array(a, float, from->n), from->floats,
                                (size_t)from->n * sizeof(float));
        if (from->strings) {
            const char **s = arena_array(a, const char *, from->n);
            for (int k = 0; k < from->n; k++)
                s[k] = arena_strdup(a, from->strings[k]);
            to->strings = s;
        }
        if (from->t) {
            struct tensor *t = arena_new(a, struct tensor);
            *t = *from->t;
            to->t = t;
        }
        if (from->g)
            to->g = graph_clone(from->g, a);
    }
    return copy;
}

struct graph *graph_clone(const struct graph *g, struct arena *a)
{
    struct graph *c = graph_new(a, g->file, g->name);
    c->opset = g->opset;
    c->tensors = arena_array(a, struct tensor *, g->n_tensors);
    c->n_tensors = c->cap_tensors = g->n_tensors;
    for (int i = 0; i < g->n_tensors; i++) {
        c->tensors[i] = arena_new(a, struct tensor);
        *c->tensors[i] = *g->tensors[i];
        c->tensors[i]->name = arena_strdup(a, g->tensors[i]->name);
        c->tensors[i]->producer = NULL;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        struct node *m = graph_add_node(c, n->op, n->name, n->n_in,
                                        clone_ports(a, c, n->n_in, n->in), n->n_out,
                                        clone_ports(a, c, n->n_out, n->out));
        m->model_index = n->model_index;
        m->n_attrs = n->n_attrs;
        m->attrs = clone_attrs(a, n);
    }
    c->n_inputs = g->n_inputs;
    c->n_formal = g->n_formal;
    c->inputs = clone_ports(a, c, g->n_inputs, g->inputs);
    c->n_outputs = g->n_outputs;
    c->outputs = clone_ports(a, c, g->n_outputs, g->outputs);
    return c;
}

// ---- asking ----

const struct attr *node_attr(const struct node *n, const char *name)
{
    for (int i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i].name, name) == 0)
            return &n->attrs[i];
    return NULL;
}

int64_t node_int(const struct node *n, const char *name, int64_t fallback)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_INT ? a->i : fallback;
}

float node_float(const struct node *n, const char *name, float fallback)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_FLOAT ? a->f : fallback;
}

const char *node_string(const struct node *n, const char *name, const char *fallback)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == ATTR_STRING ? a->s : fallback;
}

int64_t node_ints_at(const struct node *n, const char *name, int i)
{
    const struct attr *a = name ? node_attr(n, name) : NULL;
    return a && a->type == ATTR_INTS && i < a->n ? a->ints[i] : 0;
}

int64_t tensor_count(const struct tensor *t)
{
    ASSERT(t->rank >= 0);
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] < 0 || !mul_i64(n, t->dims[i], &n))
            BUG("tensor '%s' has an impossible shape", t->name);
    return n;
}

int tensor_uses(const struct graph *g, const struct tensor *t)
{
    int uses = 0;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            uses += g->nodes[i]->in[k] == t;
    for (int i = 0; i < g->n_outputs; i++)
        uses += g->outputs[i] == t;
    return uses;
}

struct node *tensor_sole_consumer(const struct graph *g, const struct tensor *t)
{
    struct node *found = NULL;
    if (tensor_is_output(g, t))
        return NULL;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] == t) {
                if (found && found != g->nodes[i])
                    return NULL;
                found = g->nodes[i];
            }
    return found;
}

bool tensor_is_output(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == t)
            return true;
    return false;
}

const char *shape_text(struct arena *a, int rank, const int64_t *dims)
{
    if (rank < 0)
        return "[?]";
    struct strbuf sb = STRBUF_INIT;
    for (int i = 0; i < rank; i++)
        strbuf_addf(&sb, "%s%" PRId64, i ? ", " : "", dims[i]);
    const char *text = arena_printf(a, "[%s]", sb.text);
    strbuf_release(&sb);
    return text;
}

// IEEE half precision and bfloat16, widened exactly.
static double half_f64(uint16_t h)
{
    int exponent = (h >> 10) & 31;
    double mantissa = (double)(h & 1023);
    double v = exponent == 0    ? ldexp(mantissa, -24)
               : exponent == 31 ? (h & 1023 ? (double)NAN : (double)INFINITY)
                                : ldexp(mantissa + 1024.0, exponent - 25);
    return h & 0x8000 ? -v : v;
}

static double bfloat_f64(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

double tensor_const_f64(const struct tensor *t, int64_t i)
{
    ASSERT(t->data && i >= 0 && i < tensor_count(t));
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    case DT_FLOAT16:
        return half_f64(((const uint16_t *)t->data)[i]);
    case DT_BFLOAT16:
        return bfloat_f64(((const uint16_t *)t->data)[i]);
    case DT_UINT64:
        return (double)((const uint64_t *)t->data)[i];
    case DT_BOOL:
    case DT_UINT8:
    case DT_INT8:
    case DT_UINT16:
    case DT_INT16:
    case DT_INT32:
    case DT_UINT32:
    case DT_INT64:
        return (double)tensor_const_i64(t, i);
    case DT_NONE:
    case DT_STRING:
        break;
    }
    BUG("constant '%s' of type %s has no number", t->name, dtype_name(t->dtype));
}

// A float out of int64's range saturates: casting it would be undefined.
static int64_t saturate_i64(double v)
{
    if (v >= 0x1p63)
        return INT64_MAX;
    if (v <= -0x1p63)
        return INT64_MIN;
    return v == v ? (int64_t)v : 0;
}

int64_t tensor_const_i64(const struct tensor *t, int64_t i)
{
    ASSERT(t->data && i >= 0 && i < tensor_count(t));
    switch (t->dtype) {
    case DT_BOOL:
    case DT_UINT8:
        return ((const uint8_t *)t->data)[i];
    case DT_INT8:
        return ((const int8_t *)t->data)[i];
    case DT_UINT16:
        return ((const uint16_t *)t->data)[i];
    case DT_INT16:
        return ((const int16_t *)t->data)[i];
    case DT_INT32:
        return ((const int32_t *)t->data)[i];
    case DT_UINT32:
        return ((const uint32_t *)t->data)[i];
    case DT_INT64:
        return ((const int64_t *)t->data)[i];
    case DT_UINT64: {
        uint64_t v = ((const uint64_t *)t->data)[i];
        return v > INT64_MAX ? INT64_MAX : (int64_t)v;
    }
    case DT_FLOAT:
    case DT_DOUBLE:
    case DT_FLOAT16:
    case DT_BFLOAT16:
        return saturate_i64(tensor_const_f64(t, i));
    case DT_NONE:
    case DT_STRING:
        break;
    }
    BUG("constant '%s' of type %s has no number", t->name, dtype_name(t->dtype));
}

// ---- places ----

const char *at_node(const struct graph *g, const struct node *n)
{
    const char *op = infos[n->op].name;
    if (n->model_index < 0)
        return arena_printf(g->arena, "%s: node '%s' (%s)", g->file, n->name, op);
    return arena_printf(g->arena, "%s: node %d '%s' (%s)", g->file, n->model_index, n->name, op);
}

const char *at_attr(const struct graph *g, const struct node *n, const char *attr)
{
    return arena_printf(g->arena, "%s, attribute '%s'", at_node(g, n), attr);
}

const char *at_tensor(const struct graph *g, const struct tensor *t)
{
    return arena_printf(g->arena, "%s: tensor '%s'", g->file, t->name);
}

// SPDX-License-Identifier: Apache-2.0
// The reader proper: versions, names, nodes, order.
#include "frontend/onnx.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "frontend/onnx_impl.h"

#define IR_MIN 3
#define IR_MAX 10
#define OPSET_MIN 1
#define OPSET_MAX 21

struct name_entry {
    const char *name;
    struct tensor *tensor;
    UT_hash_handle hh;
};

// What one call of onnx_parse works with.
struct reader {
    const struct ctx *cx;
    struct onnx_options options;
    struct onnx_reading how;
    const Onnx__ModelProto *model;
    struct graph *g;
    struct name_entry *names; // every tensor by name
    struct arena scratch;     // the entries
    // Of the body of a node: the reader of the graph around it, and what the body reads from there.
    struct reader *outer;
    struct tensor **captured;
    int n_captured, cap_captured, cap_inputs;
};

static const char *at_model_node(const struct reader *r, size_t i, const Onnx__NodeProto *p)
{
    return arena_printf(r->g->arena, "%s: node %zu '%s' (%s)", r->g->file, i, p->name ? p->name : "",
                        p->op_type ? p->op_type : "");
}

static const char *at_name(const struct reader *r, const char *what, const char *name)
{
    return arena_printf(r->g->arena, "%s: %s '%s'", r->g->file, what, name);
}

static struct tensor *find(const struct reader *r, const char *name)
{
    struct name_entry *e;
    HASH_FIND_STR(r->names, name, e);
    return e ? e->tensor : NULL;
}

// Takes t into the graph under its name; false with a message when the name is taken.
static bool enter(struct reader *r, struct tensor *t, const char *where)
{
    if (find(r, t->name))
        return diag_error(r->cx, E102, where, NULL, "two tensors are called '%s'", t->name);
    struct name_entry *e = arena_new(&r->scratch, struct name_entry);
    e->name = t->name;
    e->tensor = t;
    HASH_ADD_KEYPTR(hh, r->names, e->name, strlen(e->name), e);
    t->index = r->g->n_tensors;
    arena_push(r->g->arena, r->g->tensors, r->g->n_tensors, r->g->cap_tensors, t);
    return true;
}

// The tensor of that name, here or in a graph around this one; then it becomes an input that the body captures, or a
// constant of its own.
static struct tensor *resolve(struct reader *r, const char *name)
{
    struct tensor *t = find(r, name), *from = t || !r->outer ? NULL : resolve(r->outer, name);
    if (!from)
        return t;
    struct graph *g = r->g;
    t = arena_new(g->arena, struct tensor);
    *t = (struct tensor){ .name = from->name, .rank = -1 };
    if (from->data) {
        *t = *from;
    } else {
        arena_push(g->arena, r->captured, r->n_captured, r->cap_captured, from);
        arena_push(g->arena, g->inputs, g->n_inputs, r->cap_inputs, t);
    }
    enter(r, t, "");
    return t;
}

// ---- versions ----

static bool check_versions(struct reader *r, const Onnx__ModelProto *m)
{
    struct graph *g = r->g;
    if (m->ir_version < IR_MIN || m->ir_version > IR_MAX)
        diag_emit(r->cx,
                  (struct diag_msg){ .code = E103, .where = g->file,
                                     .found = arena_printf(g->arena, "%" PRId64, m->ir_version),
                                     .need = "3 to 10" },
                  "IR version is not supported");
    g->opset = 0;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain;
        if (!domain || !domain[0] || strcmp(domain, "ai.onnx") == 0)
            g->opset = m->opset_import[i]->version;
    }
    if (g->opset < OPSET_MIN || g->opset > OPSET_MAX)
        return diag_emit(r->cx,
                         (struct diag_msg){ .code = E103, .where = g->file,
                                            .found = arena_printf(g->arena, "opset %" PRId64, g->opset),
                                            .need = "1 to 21",
                                            .help = "export with opset_version=17, or convert with "
                                                    "onnx.version_converter" },
                         "the model's ai.onnx opset is not supported");
    return true;
}

// ---- tensors ----

static void read_initializers(struct reader *r, const Onnx__GraphProto *p)
{
    for (size_t i = 0; i < p->n_initializer; i++) {
        const Onnx__TensorProto *from = p->initializer[i];
        const char *name = from->name ? from->name : "";
        const char *where = at_name(r, "initializer", name);
        if (!name[0]) {
            diag_error(r->cx, E102, where, NULL, "initializer %zu has no name", i);
            continue;
        }
        struct tensor *t = arena_new(r->g->arena, struct tensor);
        // After an error the name stands all the same, or each of its readers would be reported.
        bool read = onnx_tensor(r->cx, r->g->arena, &r->how, where, from, t);
        if (!read)
            t->data = NULL;
        enter(r, t, where);
    }
    if (p->n_sparse_initializer)
        diag_error(r->cx, E207, r->g->file, "store them dense", "the model has sparse initializers");
}

// Names the option that fixes it: by its name where it has one that no shell minds.
static bool open_dimension(struct reader *r, const char *where, const char *input, const Onnx__TensorShapeProto__Dimension *d, int i)
{
    const char *name = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param ? d->dim_param : "";
    const char *help = name[0] ? arena_printf(r->g->arena, "--dim '%s=N' fixes it, or --shape %s=N,N,...", name, input)
                               : arena_printf(r->g->arena, "--shape %s=N,N,... fixes it", input);
    return diag_error(r->cx, E205, where, help, "dimension %d%s%s%s of the input is not known", i, name[0] ? " ('" : "", name, name[0] ? "')" : "");
}

static bool read_dims(struct reader *r, struct tensor *t, const char *where,
                      const Onnx__TensorShapeProto *shape)
{
    if (!shape && r->options.open_shapes) {
        t->rank = -1;
        return true;
    }
    if (!shape)
        return diag_error(r->cx, E205, where, arena_printf(r->g->arena, "--shape %s=N,N,... gives it one", t->name), "the input has no shape");
    if (shape->n_dim > MAX_RANK)
        return diag_error(r->cx, E204, where, NULL, "the input has %zu dimensions, at most 8 are supported",
                          shape->n_dim);
    int64_t product = 1;
    t->rank = (int)shape->n_dim;
    for (int i = 0; i < t->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        bool known = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
                     (d->dim_value > 0 || (d->dim_value == 0 && r->options.open_shapes));
        t->dims[i] = known ? d->dim_value : r->options.open_shapes ? -1 : 1;
        if (!known && r->options.open_shapes)
            continue;
        // The first dimension is the batch: an accelerator takes one frame after the other.
        if (!known && i > 0)
            return open_dimension(r, where, t->name, d, i);
        if (!mul_i64(product, max_i64(t->dims[i], 1), &product) || product >= (int64_t)1 << 40)
            return diag_error(r->cx, E204, where, NULL, "the input has more than 2^40 elements");
    }
    return true;
}

static void read_inputs(struct reader *r, const Onnx__GraphProto *p)
{
    struct graph *g = r->g;
    int n_initializers = g->n_tensors;
    for (size_t i = 0; i < p->n_input; i++) {
        const Onnx__ValueInfoProto *v = p->input[i];
        const char *name = v->name ? v->name : "";
        const char *where = at_name(r, "input", name);
        const struct tensor *known = find(r, name);
        if (known && known->index < n_initializers)
            continue; // up to IR 3 every initializer is listed here too
        struct tensor *t = arena_new(g->arena, struct tensor);
        t->name = arena_strdup(g->arena, name);
        t->rank = -1;
        const Onnx__TypeProto__Tensor *type =
            v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
                ? v->type->tensor_type
                : NULL;
        if (!name[0])
            diag_error(r->cx, E102, where, NULL, "input %zu has no name", i);
        if (!type && r->outer && !v->type) {
            t->dtype = DT_NONE; // a body may leave types to the graph around it
        } else if (!type) {
            diag_error(r->cx, E207, where, NULL, "the input is not a tensor");
        } else {
            t->dtype = onnx_dtype(type->elem_type, r->options.keep_types);
            if (t->dtype == DT_NONE)
                diag_error(r->cx, E207, where, NULL, "the input has element type %" PRId32 ", which aihls does not read",
                           type->elem_type);
            read_dims(r, t, where, type->shape);
        }
        if (enter(r, t, where))
            arena_push(g->arena, g->inputs, g->n_inputs, r->cap_inputs, t);
    }
    g->n_formal = g->n_inputs;
}

static void read_outputs(struct reader *r, const Onnx__GraphProto *p)
{
    struct graph *g = r->g;
    g->outputs = arena_array(g->arena, struct tensor *, p->n_output);
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = p->output[i]->name ? p->output[i]->name : "";
        struct tensor *t = resolve(r, name);
        if (t)
            g->outputs[g->n_outputs++] = t;
        else
            diag_error(r->cx, E102, at_name(r, "output", name), NULL, "nothing computes the output '%s'", name);
    }
    if (p->n_output == 0 && !r->outer)
        diag_error(r->cx, E102, g->file, NULL, "the model has no outputs");
}

// ---- attributes ----

static enum attr_type infer_type(const Onnx__AttributeProto *p)
{
    // Writers older than IR 2's `type` field; its absence is tolerated as everywhere else.
    return p->n_ints      ? ATTR_INTS
           : p->n_floats  ? ATTR_FLOATS
           : p->n_strings ? ATTR_STRINGS
           : p->t         ? ATTR_TENSOR
           : p->g         ? ATTR_GRAPH
           : p->has_s     ? ATTR_STRING
           : p->has_f     ? ATTR_FLOAT
                          : ATTR_INT;
}

static bool attr_type(const Onnx__AttributeProto *p, enum attr_type *out)
{
    if (!p->has_type || p->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED) {
        *out = infer_type(p);
        return true;
    }
    switch ((int)p->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        *out = ATTR_FLOAT;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        *out = ATTR_INT;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        *out = ATTR_STRING;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        *out = ATTR_TENSOR;
        return p->t != NULL;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        *out = ATTR_FLOATS;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        *out = ATTR_INTS;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
        *out = ATTR_STRINGS;
        return true;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
        *out = ATTR_GRAPH;
        return p->g != NULL;
    default:
        return false;
    }
}

static char *text_of(struct arena *a, ProtobufCBinaryData b)
{
    return arena_strndup(a, b.data ? (const char *)b.data : "", b.len);
}

static bool read_attr(struct reader *r, const char *node_at, const Onnx__AttributeProto *p,
                      struct attr *out)
{
    struct arena *a = r->g->arena;
    const char *name = p->name ? p->name : "";
    const char *where = arena_printf(a, "%s, attribute '%s'", node_at, name);
    out->name = arena_strdup(a, name);
    if (!attr_type(p, &out->type))
        return diag_error(r->cx, E102, where, NULL, "the attribute's type is missing or not supported (lists of graphs and the like)");
    if (p->ref_attr_name && p->ref_attr_name[0])
        return diag_error(r->cx, E102, where, NULL, "the attribute refers to one of a function");
    if (p->n_ints > INT_MAX || p->n_floats > INT_MAX || p->n_strings > INT_MAX)
        return diag_error(r->cx, E102, where, NULL, "the attribute's list is too long");
    switch (out->type) {
    case ATTR_INT:
        out->i = p->i;
        return true;
    case ATTR_FLOAT:
        out->f = p->f;
        return true;
    case ATTR_STRING:
        out->s = text_of(a, p->s);
        return true;
    case ATTR_INTS:
        out->n = (int)p->n_ints;
        out->ints = memcpy(arena_array(a, int64_t, p->n_ints + 1), p->n_ints ? p->ints : &p->i,
                           p->n_ints * sizeof *p->ints);
        return true;
    case ATTR_FLOATS:
        out->n = (int)p->n_floats;
        out->floats = memcpy(arena_array(a, float, p->n_floats + 1), p->n_floats ? p->floats : &p->f,
                             p->n_floats * sizeof *p->floats);
        return true;
    case ATTR_STRINGS: {
        const char **s = arena_array(a, const char *, p->n_strings + 1);
        out->n = (int)p->n_strings;
        for (size_t i = 0; i < p->n_strings; i++)
            s[i] = text_of(a, p->strings[i]);
        out->strings = s;
        return true;
    }
    case ATTR_TENSOR: {
        struct tensor *t = arena_new(a, struct tensor);
        out->t = t;
        return onnx_tensor(r->cx, a, &r->how, where, p->t, t);
    }
    case ATTR_GRAPH: // read_bodies, when the names around it are known
        return true;
    }
    return true;
}

static void read_attrs(struct reader *r, const char *where, const Onnx__NodeProto *p, struct node *n)
{
    n->attrs = arena_array(r->g->arena, struct attr, p->n_attribute);
    for (size_t i = 0; i < p->n_attribute; i++) {
        const char *name = p->attribute[i]->name ? p->attribute[i]->name : "";
        if (node_attr(n, name))
            diag_error(r->cx, E102, where, NULL, "attribute '%s' is given twice", name);
        else if (read_attr(r, where, p->attribute[i], &n->attrs[n->n_attrs]))
            n->n_attrs++;
    }
}

// ---- nodes ----

static void unknown_op(struct reader *r, const char *where, const char *domain, const char *name)
{
    const char *names[OP_COUNT];
    for (int i = 0; i < OP_COUNT; i++)
        names[i] = op_info((enum op)i)->name;
    const char *near = diag_suggest(name, names, OP_COUNT);
    const char *help =
        near && strcmp(near, name) != 0
            ? arena_printf(r->g->arena, "did you mean %s? `aihls ops` lists what is supported", near)
            : "`aihls ops` lists what is supported";
    diag_error(r->cx, E201, where, help, "operator %s%s%s is not supported", domain,
               domain[0] ? "." : "", name);
}

// Constant nodes become constants at once: no later pass has to know them.
static void read_constant(struct reader *r, const char *where, const struct node *n,
                          struct tensor *out)
{
    struct arena *a = r->g->arena;
    const struct attr *v = n->n_attrs == 1 ? &n->attrs[0] : NULL;
    if (v && v->type == ATTR_TENSOR && strcmp(v->name, "value") == 0) {
        out->dtype = v->t->dtype;
        out->rank = v->t->rank;
        memcpy(out->dims, v->t->dims, sizeof out->dims);
        out->data = v->t->data;
    } else if (v && (v->type == ATTR_FLOAT || v->type == ATTR_FLOATS)) {
        out->dtype = DT_FLOAT;
        out->rank = v->type == ATTR_FLOATS;
        out->dims[0] = v->n;
        out->data = v->floats ? v->floats : memcpy(arena_new(a, float), &v->f, sizeof v->f);
    } else if (v && (v->type == ATTR_INT || v->type == ATTR_INTS)) {
        out->dtype = DT_INT64;
        out->rank = v->type == ATTR_INTS;
        out->dims[0] = v->n;
        out->data = v->ints ? v->ints : memcpy(arena_new(a, int64_t), &v->i, sizeof v->i);
    } else {
        diag_error(r->cx, E102, where, NULL, "Constant has no value that aihls reads");
    }
}

// First round over the nodes: each operator and its output tensors. NULL in `to` after an error.
static void read_node(struct reader *r, size_t index, const Onnx__NodeProto *p, struct node **to)
{
    struct graph *g = r->g;
    const char *where = at_model_node(r, index, p);
    const char *domain = p->domain ? p->domain : "", *name = p->op_type ? p->op_type : "";
    struct node *n = arena_new(g->arena, struct node);
    bool channels_last = onnx_is_channels_last(domain, name), known = op_parse(channels_last ? "" : domain, name, &n->op);
    if (!known)
        unknown_op(r, where, domain, name);
    n->name = arena_strdup(g->arena, p->name ? p->name : "");
    n->model_index = (int)index;
    if (known) {
        read_attrs(r, where, p, n);
        onnx_mark_layout(g, n, channels_last);
    }
    n->out = arena_array(g->arena, struct tensor *, p->n_output);
    while (p->n_output > (size_t)n->n_out) { // of unknown ones too, or all readers would be errors
        const char *out = p->output[n->n_out];
        struct tensor *t = NULL;
        if (out && out[0]) {
            t = arena_new(g->arena, struct tensor);
            t->name = arena_strdup(g->arena, out);
            t->rank = -1;
            enter(r, t, where);
        }
        n->out[n->n_out++] = t;
    }
    if (!known)
        return;
    if (n->op == OP_Constant && n->n_out == 1 && n->out[0]) {
        read_constant(r, where, n, n->out[0]);
        return;
    }
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k])
            n->out[k]->producer = n;
    *to = n;
}

// Whether input k may be omitted though others stand behind it. Of com.microsoft's operators zero points may; a list of
// operands has no gaps.
static bool may_be_absent(enum op op, int k)
{
    switch ((int)op) {
    case OP_Concat:
    case OP_Max:
    case OP_Min:
    case OP_Sum:
    case OP_Mean:
    case OP_Einsum:
    case OP_If:
        return false;
    case OP_Loop: // trip count and condition
        return k < 2;
    case OP_Scan: // the lengths of sequences, in opset 8
        return k == 0;
    case OP_QLinearConcat:
        return k > 4 && k % 3 == 1;
    case OP_QLinearAdd:
    case OP_QLinearMul:
        return k == 2 || k == 5 || k == 7;
    case OP_QLinearAveragePool:
    case OP_QLinearGlobalAveragePool:
    case OP_QLinearLeakyRelu:
    case OP_QLinearReduceMean:
    case OP_QLinearSigmoid:
    case OP_QLinearSoftmax:
        return k == 2 || k == 4;
    default:
        return k >= op_info(op)->min_in;
    }
}

static bool read_graph(struct reader *r, const Onnx__GraphProto *p);

// The graphs among the node's attributes. What they capture becomes inputs of the node.
static void read_bodies(struct reader *r, const char *where, const Onnx__NodeProto *p, struct node *n)
{
    struct arena *a = r->g->arena;
    for (int k = 0; k < n->n_attrs; k++) {
        if (n->attrs[k].type != ATTR_GRAPH)
            continue;
        const Onnx__GraphProto *body = NULL;
        for (size_t i = 0; i < p->n_attribute && !body; i++)
            body = p->attribute[i]->name && strcmp(p->attribute[i]->name, n->attrs[k].name) == 0 ? p->attribute[i]->g : NULL;
        if (!body || (n->op != OP_If && n->op != OP_Loop && n->op != OP_Scan)) {
            diag_error(r->cx, E102, where, NULL, "attribute '%s' is a graph, and %s has none", n->attrs[k].name, op_info(n->op)->name);
            continue;
        }
        struct reader inner = { .cx = r->cx, .options = r->options, .how = r->how, .model = r->model, .outer = r };
        inner.options.open_shapes = true; // shapes come from the node around it
        inner.g = graph_new(a, r->g->file, body->name ? body->name : "");
        inner.g->opset = r->g->opset;
        bool ok = read_graph(&inner, body);
        HASH_CLEAR(hh, inner.names);
        arena_release(&inner.scratch);
        struct tensor **in = arena_array(a, struct tensor *, n->n_in + inner.n_captured);
        if (n->n_in)
            memcpy(in, n->in, (size_t)n->n_in * sizeof *in);
        n->attrs[k].g = ok ? inner.g : NULL;
        n->attrs[k].captured_at = n->n_in;
        n->in = in;
        for (int i = 0; i < inner.n_captured; i++)
            in[n->n_in++] = inner.captured[i];
    }
}

// Second round: the inputs by name, and how many there are.
static void connect_node(struct reader *r, const Onnx__NodeProto *p, struct node *n)
{
    struct graph *g = r->g;
    const struct op_info *info = op_info(n->op);
    const char *where = at_model_node(r, (size_t)n->model_index, p);
    size_t n_in = p->n_input;
    while (n_in > 0 && !(p->input[n_in - 1] && p->input[n_in - 1][0]))
        n_in--; // omitted at the end
    if (n_in < (size_t)info->min_in || n_in > (size_t)info->max_in) {
        diag_error(r->cx, E102, where, NULL, "%s has %zu inputs", info->name, n_in);
        return;
    }
    if (n->n_out < info->min_out || n->n_out > info->max_out || (info->min_out && !n->out[0]))
        diag_error(r->cx, E102, where, NULL, "%s has %d outputs", info->name, n->n_out);
    n->in = arena_array(g->arena, struct tensor *, n_in);
    for (n->n_in = 0; (size_t)n->n_in < n_in; n->n_in++) {
        const char *name = p->input[n->n_in];
        if (!name || !name[0]) {
            if (!may_be_absent(n->op, n->n_in))
                diag_error(r->cx, E102, where, NULL, "%s lacks its input %d", info->name, n->n_in);
            continue;
        }
        n->in[n->n_in] = resolve(r, name);
        if (!n->in[n->n_in])
            diag_error(r->cx, E102, where, NULL, "input '%s' is not defined", name);
    }
    read_bodies(r, where, p, n);
}

// ---- order ----

// Appends the nodes to the graph so that each stands behind its producers, otherwise in
// the model's order. Depth first without recursion: a chain may be as long as the file.
static bool sort_nodes(struct reader *r, struct node **nodes, size_t count)
{
    struct graph *g = r->g;
    enum { NEW, OPEN, DONE } *state = arena_alloc_n(&r->scratch, count + 1, sizeof *state);
    int *next_input = arena_array(&r->scratch, int, count + 1);
    struct node **stack = arena_array(&r->scratch, struct node *, count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t depth = 0;
        if (nodes[i] && state[i] == NEW)
            stack[depth++] = nodes[i];
        while (depth > 0) {
            struct node *n = stack[depth - 1];
            size_t at = (size_t)n->model_index;
            state[at] = OPEN;
            struct node *need = NULL;
            while (next_input[at] < n->n_in && !need) {
                const struct tensor *t = n->in[next_input[at]++];
                if (t && t->producer && state[t->producer->model_index] != DONE)
                    need = t->producer;
            }
            if (need && state[need->model_index] == OPEN)
                return diag_error(r->cx, E102, at_node(g, need), NULL, "the node needs its own result: the graph has a cycle");
            if (need) {
                stack[depth++] = need;
                continue;
            }
            state[at] = DONE;
            depth--;
            n->index = g->n_nodes;
            arena_push(g->arena, g->nodes, g->n_nodes, g->cap_nodes, n);
        }
    }
    return true;
}

static bool read_graph(struct reader *r, const Onnx__GraphProto *p)
{
    int errors = r->cx->diag->errors;
    if (p->n_node > INT_MAX / 2 || p->n_initializer > INT_MAX / 2)
        return diag_error(r->cx, E102, r->g->file, NULL, "the model has too many nodes");
    Onnx__NodeProto **from;
    size_t n;
    if (!onnx_inline(r->cx, r->g->file, &r->scratch, r->model, r->g->opset, p, &from, &n))
        return false;
    read_initializers(r, p);
    read_inputs(r, p);
    struct node **nodes = arena_array(&r->scratch, struct node *, n + 1);
    for (size_t i = 0; i < n; i++)
        read_node(r, i, from[i], &nodes[i]);
    for (size_t i = 0; i < n; i++)
        if (nodes[i])
            connect_node(r, from[i], nodes[i]);
    read_outputs(r, p);
    // Later steps rely on what the earlier ones found in order.
    if (r->cx->diag->errors != errors || !sort_nodes(r, nodes, n) ||
        !onnx_normalise(r->cx, r->g, r->options.keep_types) || !onnx_unwrap_layout(r->cx, r->g))
        return false;
    graph_verify(r->g);
    return true;
}

static void *take_memory(void *unused, size_t n_bytes)
{
    (void)unused;
    return memory_alloc(n_bytes);
}

static void leave_memory(void *unused, void *p)
{
    (void)unused;
    free(p);
}

ProtobufCAllocator onnx_allocator(void)
{
    return (ProtobufCAllocator){ take_memory, leave_memory, NULL };
}

bool onnx_read_model(const struct ctx *cx, const char *file, const Onnx__ModelProto *m, const struct onnx_options *options,
                     const struct onnx_mapping *mapped, struct graph **out)
{
    if (!m->graph)
        return diag_error(cx, E101, file, "is it complete, and an ONNX file at all?", "the file holds no graph");
    struct reader r = { .cx = cx, .options = *options, .how = { options->keep_types, mapped }, .model = m };
    r.g = graph_new(cx->arena, file, m->graph->name ? m->graph->name : "");
    // The graph is read even when a version is wrong by a little: all errors at once.
    int errors = cx->diag->errors;
    bool ok = check_versions(&r, m) && read_graph(&r, m->graph) && cx->diag->errors == errors;
    HASH_CLEAR(hh, r.names);
    arena_release(&r.scratch);
    if (ok)
        *out = r.g;
    return ok;
}

bool onnx_read(const struct ctx *cx, const char *path, struct graph **out)
{
    struct strbuf sb = STRBUF_INIT;
    bool ok;
    if (!strbuf_read_file(&sb, path))
        ok = diag_error(cx, E002, path, NULL, "cannot read the model: %s", strerror(errno));
    else
        ok = onnx_load_external(cx, path, &sb) && onnx_parse(cx, path, sb.text, sb.len, out);
    strbuf_release(&sb);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
// Functions that a model brings along: every call becomes the function's nodes.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/onnx_impl.h"

#define MAX_DEPTH 16                   // of calls inside functions; recursion is not allowed
#define MAX_NODES ((size_t)1 << 20)    // calls multiply: a short file may ask for many

struct inliner {
    const struct ctx *cx;
    const char *file;
    struct arena *a;
    const Onnx__ModelProto *model;
    int64_t opset;
    Onnx__NodeProto **nodes; // the result so far
    size_t n, cap;
    size_t copied; // nodes, calls among them
    int calls;     // makes names unique
};

// One call under expansion: formal names stand for actual ones, all others get a prefix.
struct call {
    const Onnx__FunctionProto *f;
    const Onnx__NodeProto *node;
    const char *prefix;
};

static const char *text(const char *s)
{
    return s ? s : "";
}

static const Onnx__FunctionProto *function_of(const struct inliner *in, const Onnx__NodeProto *n)
{
    for (size_t i = 0; i < in->model->n_functions; i++) {
        const Onnx__FunctionProto *f = in->model->functions[i];
        if (strcmp(text(f->name), text(n->op_type)) == 0 && strcmp(text(f->domain), text(n->domain)) == 0)
            return f;
    }
    return NULL;
}

// The name in the graph of a name in the function. An omitted argument is "", an unwanted result gets a name of its own.
static char *actual(struct inliner *in, const struct call *c, const char *name)
{
    if (!text(name)[0])
        return arena_strdup(in->a, "");
    for (size_t i = 0; i < c->f->n_input; i++)
        if (strcmp(text(c->f->input[i]), name) == 0)
            return arena_strdup(in->a, i < c->node->n_input ? text(c->node->input[i]) : "");
    for (size_t i = 0; i < c->f->n_output; i++)
        if (strcmp(text(c->f->output[i]), name) == 0 && i < c->node->n_output && text(c->node->output[i])[0])
            return arena_strdup(in->a, c->node->output[i]);
    return arena_printf(in->a, "%s%s", c->prefix, name);
}

static char **actual_names(struct inliner *in, const struct call *c, size_t n, char **names)
{
    char **copy = arena_array(in->a, char *, n + 1);
    for (size_t i = 0; i < n; i++)
        copy[i] = actual(in, c, names[i]);
    return copy;
}

static Onnx__GraphProto *copy_body(struct inliner *in, const struct call *c, const Onnx__GraphProto *g);

// An attribute of a node in the function: what it refers to in the call, or itself; false: the call leaves it out.
static bool copy_attribute(struct inliner *in, const struct call *c, const Onnx__AttributeProto *from, Onnx__AttributeProto **to)
{
    const char *wanted = text(from->ref_attr_name);
    Onnx__AttributeProto *copy = arena_new(in->a, Onnx__AttributeProto);
    *copy = *from;
    for (size_t i = 0; wanted[0] && i < c->node->n_attribute; i++)
        if (strcmp(text(c->node->attribute[i]->name), wanted) == 0) {
            *copy = *c->node->attribute[i];
            copy->name = from->name;
            *to = copy;
            return true;
        }
    if (copy->g)
        copy->g = copy_body(in, c, from->g);
    *to = copy;
    return !wanted[0];
}

static Onnx__NodeProto *copy_node(struct inliner *in, const struct call *c, const Onnx__NodeProto *from)
{
    Onnx__NodeProto *n = arena_new(in->a, Onnx__NodeProto);
    *n = *from;
    n->name = arena_printf(in->a, "%s%s", c->prefix, text(from->name));
    n->input = actual_names(in, c, from->n_input, from->input);
    n->output = actual_names(in, c, from->n_output, from->output);
    n->attribute = arena_array(in->a, Onnx__AttributeProto *, from->n_attribute + 1);
    n->n_attribute = 0;
    for (size_t i = 0; i < from->n_attribute; i++)
        n->n_attribute += copy_attribute(in, c, from->attribute[i], &n->attribute[n->n_attribute]);
    return n;
}

static Onnx__ValueInfoProto **copy_values(struct inliner *in, const struct call *c, size_t n, Onnx__ValueInfoProto **from)
{
    Onnx__ValueInfoProto **to = arena_array(in->a, Onnx__ValueInfoProto *, n + 1);
    for (size_t i = 0; i < n; i++) {
        to[i] = arena_new(in->a, Onnx__ValueInfoProto);
        *to[i] = *from[i];
        to[i]->name = actual(in, c, from[i]->name);
    }
    return to;
}

// The body of an If, Loop or Scan inside a function: its own names get the prefix too.
static Onnx__GraphProto *copy_body(struct inliner *in, const struct call *c, const Onnx__GraphProto *g)
{
    Onnx__GraphProto *copy = arena_new(in->a, Onnx__GraphProto);
    *copy = *g;
    copy->node = arena_array(in->a, Onnx__NodeProto *, g->n_node + 1);
    for (size_t i = 0; i < g->n_node; i++)
        copy->node[i] = copy_node(in, c, g->node[i]);
    copy->input = copy_values(in, c, g->n_input, g->input);
    copy->output = copy_values(in, c, g->n_output, g->output);
    copy->initializer = arena_array(in->a, Onnx__TensorProto *, g->n_initializer + 1);
    for (size_t i = 0; i < g->n_initializer; i++) {
        copy->initializer[i] = arena_new(in->a, Onnx__TensorProto);
        *copy->initializer[i] = *g->initializer[i];
        copy->initializer[i]->name = actual(in, c, g->initializer[i]->name);
    }
    return copy;
}

// A body may be written for another opset than the model.
static bool same_opset(const struct inliner *in, const Onnx__FunctionProto *f, const char *where)
{
    for (size_t i = 0; i < f->n_opset_import; i++) {
        const char *domain = text(f->opset_import[i]->domain);
        if ((!domain[0] || strcmp(domain, "ai.onnx") == 0) && f->opset_import[i]->version != in->opset)
            return diag_error(in->cx, E103, where, "export model and functions with one opset", "function %s is of opset %" PRId64 ", the model of %" PRId64,
                              text(f->name), f->opset_import[i]->version, in->opset);
    }
    return true;
}

static bool expand(struct inliner *in, size_t n, Onnx__NodeProto **nodes, int depth)
{
    for (size_t i = 0; i < n; i++) {
        const Onnx__FunctionProto *f = function_of(in, nodes[i]);
        if (!f) {
            arena_push(in->a, in->nodes, in->n, in->cap, nodes[i]);
            continue;
        }
        const char *where = arena_printf(in->a, "%s: node '%s' (%s)", in->file, text(nodes[i]->name), text(nodes[i]->op_type));
        struct call c = { f, nodes[i], arena_printf(in->a, "%s#%d/", text(f->name), in->calls++) };
        if (depth >= MAX_DEPTH)
            return diag_error(in->cx, E102, where, NULL, "functions call each other more than %d deep", MAX_DEPTH);
        if (nodes[i]->n_input > f->n_input || nodes[i]->n_output > f->n_output)
            return diag_error(in->cx, E102, where, NULL, "the call has %zu inputs and %zu outputs, the function %zu and %zu", nodes[i]->n_input,
                              nodes[i]->n_output, f->n_input, f->n_output);
        in->copied += f->n_node + 1;
        if (in->copied > MAX_NODES)
            return diag_error(in->cx, E102, where, NULL, "the model's functions expand to too many nodes");
        if (!same_opset(in, f, where))
            return false;
        Onnx__NodeProto **body = arena_array(in->a, Onnx__NodeProto *, f->n_node + 1);
        for (size_t k = 0; k < f->n_node; k++)
            body[k] = copy_node(in, &c, f->node[k]);
        if (!expand(in, f->n_node, body, depth + 1))
            return false;
    }
    return true;
}

bool onnx_inline(const struct ctx *cx, const char *file, struct arena *a, const Onnx__ModelProto *m, int64_t opset,
                 const Onnx__GraphProto *g, Onnx__NodeProto ***nodes, size_t *n)
{
    struct inliner in = { .cx = cx, .file = file, .a = a, .model = m, .opset = opset };
    *nodes = g->node;
    *n = g->n_node;
    if (m->n_functions == 0)
        return true;
    bool ok = expand(&in, g->n_node, g->node, 0);
    *nodes = in.nodes;
    *n = in.n;
    return ok;
}

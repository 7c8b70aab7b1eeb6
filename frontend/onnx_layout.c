// SPDX-License-Identifier: Apache-2.0
// Operators of QONNX's domain channels_last: those of ai.onnx whose images, and weights of Conv, have channels behind the other axes. They
// become those of ai.onnx with a Transpose in front and behind. How many axes there are is known with the shapes, so that the Transposes
// only say which way until then (frontend/shape_move.c).
#include <string.h>

#include "frontend/onnx_impl.h"
#include "frontend/shape.h"

#define MARK "resolved_channels_last" // of the operator

bool onnx_is_channels_last(const char *domain, const char *op)
{
    return strcmp(domain, "qonnx.custom_op.channels_last") == 0 && (strcmp(op, "Conv") == 0 || strcmp(op, "MaxPool") == 0 || strcmp(op, "BatchNormalization") == 0);
}

void onnx_mark_layout(struct graph *g, struct node *n, bool channels_last)
{
    node_drop_attr(n, MARK); // no file may say that
    node_drop_attr(n, TRANSPOSE_MARK);
    if (channels_last)
        node_set_int(g, n, MARK, 1);
}

// x through a Transpose in front of `before`; NULL: behind all nodes. The result is y, or a tensor of its own.
static struct tensor *transposed(struct graph *g, struct node *n, struct node *before, struct tensor *x, struct tensor *y, const char *way)
{
    if (!y)
        y = graph_add_tensor(g, arena_printf(g->arena, "%s/%s", x->name, way), x->dtype, -1, NULL);
    struct node *t = before ? graph_insert_node(g, before, OP_Transpose, n->name, 1, &x, 1, &y) : graph_add_node(g, OP_Transpose, n->name, 1, &x, 1, &y);
    t->model_index = n->model_index;
    node_set_string(g, t, TRANSPOSE_MARK, way);
    return y;
}

static void unwrap(struct graph *g, struct node *n)
{
    struct tensor *y = n->out[0], *inner = graph_add_tensor(g, arena_printf(g->arena, "%s/first", y->name), y->dtype, -1, NULL);
    node_drop_attr(n, MARK);
    for (int k = 0; k < (n->op == OP_Conv ? 2 : 1); k++)
        n->in[k] = transposed(g, n, n, n->in[k], NULL, "first");
    n->out[0] = inner;
    inner->producer = n;
    transposed(g, n, n->index + 1 < g->n_nodes ? g->nodes[n->index + 1] : NULL, inner, y, "last");
}

bool onnx_unwrap_layout(const struct ctx *cx, struct graph *g)
{
    bool ok = true;
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        if (!node_attr(n, MARK))
            continue;
        if (n->n_out != 1 || !n->out[0])
            ok = diag_error(cx, E102, at_node(g, n), NULL, "%s of QONNX's channels_last has one output", op_info(n->op)->name);
        else
            unwrap(g, n);
    }
    return ok;
}

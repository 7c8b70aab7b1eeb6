// SPDX-License-Identifier: Apache-2.0
// One form for all opsets; see onnx_impl.h for the list.
#include <float.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/onnx_impl.h"

// Makes t input k of n; inputs between the present ones and k are omitted ones.
static void set_input(struct graph *g, struct node *n, int k, struct tensor *t)
{
    if (k >= n->n_in) {
        struct tensor **grown = arena_array(g->arena, struct tensor *, k + 1);
        if (n->n_in)
            memcpy(grown, n->in, (size_t)n->n_in * sizeof *grown);
        n->in = grown;
        n->n_in = k + 1;
    }
    n->in[k] = t;
}

static const char *input_name(struct graph *g, const struct node *n, const char *attr)
{
    const char *base = n->n_out && n->out[0] ? n->out[0]->name : n->name;
    return arena_printf(g->arena, "%s/%s", base, attr);
}

// Attribute `name` (a list of integers) becomes input k.
static void ints_to_input(struct graph *g, struct node *n, const char *name, int k)
{
    const struct attr *a = node_attr(n, name);
    if (!a || a->type != ATTR_INTS)
        return;
    int64_t dims[1] = { a->n };
    set_input(g, n, k, graph_add_const(g, input_name(g, n, name), DT_INT64, 1, dims, a->ints));
    node_drop_attr(n, name);
}

static void float_to_input(struct graph *g, struct node *n, const char *name, int k)
{
    const struct attr *a = node_attr(n, name);
    if (!a || a->type != ATTR_FLOAT)
        return;
    float *v = arena_new(g->arena, float);
    *v = a->f;
    set_input(g, n, k, graph_add_const(g, input_name(g, n, name), DT_FLOAT, 0, NULL, v));
    node_drop_attr(n, name);
}

// The bounds that exporters write for "none" would otherwise be constants to fold and store.
static void normal_clip(struct graph *g, struct node *n)
{
    if (g->opset >= 11)
        return;
    if (node_float(n, "min", -FLT_MAX) <= -FLT_MAX)
        node_drop_attr(n, "min");
    if (node_float(n, "max", FLT_MAX) >= FLT_MAX)
        node_drop_attr(n, "max");
    float_to_input(g, n, "min", 1);
    float_to_input(g, n, "max", 2);
}

static bool normal_slice(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset < 10) {
        ints_to_input(g, n, "starts", 1);
        ints_to_input(g, n, "ends", 2);
        ints_to_input(g, n, "axes", 3);
    }
    if (n->n_in < 3 || !n->in[1] || !n->in[2])
        return diag_error(cx, E102, at_node(g, n), NULL, "Slice has no starts or no ends");
    return true;
}

static bool normal_pad(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset < 11) {
        ints_to_input(g, n, "pads", 1);
        if (node_float(n, "value", 0.0f) != 0.0f) // the default needs no input
            float_to_input(g, n, "value", 2);
        node_drop_attr(n, "value");
    }
    if (n->n_in < 2 || !n->in[1])
        return diag_error(cx, E102, at_node(g, n), NULL, "Pad has no pads");
    return true;
}

static bool normal_unsqueeze(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset < 13)
        ints_to_input(g, n, "axes", 1);
    if (n->op == OP_Unsqueeze && (n->n_in < 2 || !n->in[1]))
        return diag_error(cx, E102, at_node(g, n), NULL, "Unsqueeze has no axes");
    return true;
}

// One of the lists that may be empty where another one counts.
static void drop_empty_input(struct node *n, int k)
{
    if (k < n->n_in && n->in[k] && n->in[k]->data && tensor_count(n->in[k]) == 0)
        n->in[k] = NULL;
}

// Inputs become (x, omitted, scales, sizes); the region of interest serves a mode that is refused.
static bool normal_resize(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset < 11) {
        if (n->n_in > 2)
            return diag_error(cx, E102, at_node(g, n), NULL, "Resize has %d inputs", n->n_in);
        set_input(g, n, 2, n->n_in > 1 ? n->in[1] : NULL);
        node_set_string(g, n, "coordinate_transformation_mode", "asymmetric");
        node_set_int(g, n, "nearest_by_scale", 1);
    }
    if (n->n_in > 1 && strcmp(node_string(n, "coordinate_transformation_mode", ""), "tf_crop_and_resize") != 0)
        n->in[1] = NULL;
    drop_empty_input(n, 2);
    drop_empty_input(n, 3);
    bool scaled = n->n_in > 2 && n->in[2], sized = n->n_in > 3 && n->in[3];
    if (scaled == sized && (!scaled || n->in[2]->data)) // an input may turn out to be empty
        return diag_error(cx, E102, at_node(g, n), NULL, "Resize has %s", scaled ? "both scales and sizes" : "neither scales nor sizes");
    return true;
}

// Upsample is Resize without choices; scales are at least 1.
static bool normal_upsample(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset > 9)
        return diag_error(cx, E102, at_node(g, n), "export it as Resize", "Upsample ended with opset 9, the model says %" PRId64,
                          g->opset);
    const struct attr *a = node_attr(n, "scales");
    if (g->opset < 9 && a && a->type == ATTR_FLOATS) {
        int64_t dims[1] = { a->n };
        set_input(g, n, 1, graph_add_const(g, input_name(g, n, "scales"), DT_FLOAT, 1, dims, a->floats));
        node_drop_attr(n, "scales");
    }
    const struct tensor *scales = n->n_in > 1 ? n->in[1] : NULL;
    if (!scales)
        return diag_error(cx, E102, at_node(g, n), NULL, "Upsample has no scales");
    for (int64_t i = 0; scales->data && i < tensor_count(scales); i++)
        if (!(tensor_const_f64(scales, i) >= 1.0))
            return diag_error(cx, E203, at_node(g, n), NULL, "scale %g of Upsample is below 1", tensor_const_f64(scales, i));
    set_input(g, n, 2, n->in[1]);
    n->in[1] = NULL;
    n->op = OP_Resize;
    node_set_string(g, n, "coordinate_transformation_mode", "asymmetric");
    node_set_string(g, n, "nearest_mode", "floor");
    return true;
}

// Axes as an attribute: of ReduceSum they are an input since opset 13, of the others since 18.
static bool normal_reduce(const struct ctx *cx, struct graph *g, struct node *n)
{
    const struct tensor *axes = n->n_in > 1 ? n->in[1] : NULL;
    int since = n->op == OP_ReduceSum ? 13 : 18;
    if (axes) {
        if (g->opset < since)
            return diag_error(cx, E102, at_node(g, n), NULL, "%s has axes as an input before opset %d", op_info(n->op)->name, since);
        if (!axes->data) // shape inference may come to know them
            return true;
        int count = (int)min_i64(tensor_count(axes), MAX_RANK + 1);
        int64_t list[MAX_RANK + 1];
        for (int i = 0; i < count; i++)
            list[i] = tensor_const_i64(axes, i);
        node_set_ints(g, n, "axes", count, list);
    }
    n->n_in = 1;
    const struct attr *a = node_attr(n, "axes");
    if (node_int(n, "noop_with_empty_axes", 0) != 0 && (!a || a->n == 0))
        n->op = OP_Identity;
    return true;
}

// Outputs behind the first exist for training or indices; nobody reads them in what we compile.
static bool drop_extra_outputs(const struct ctx *cx, struct graph *g, struct node *n)
{
    for (int k = 1; k < n->n_out; k++)
        if (n->out[k] && tensor_uses(g, n->out[k]) > 0)
            return diag_error(cx, E202, at_node(g, n), "export the model for inference",
                              "output %d ('%s') is used, only the first one is supported", k,
                              n->out[k]->name);
    for (int k = 1; k < n->n_out; k++)
        if (n->out[k])
            n->out[k]->producer = NULL;
    n->n_out = 1;
    return true;
}

static bool normal_batchnorm(const struct ctx *cx, struct graph *g, struct node *n, bool reference)
{
    if (reference && node_int(n, "training_mode", 0) != 0)
        return true;
    if (node_int(n, "training_mode", 0) != 0)
        return diag_error(cx, E202, at_attr(g, n, "training_mode"), "export the model for inference",
                          "BatchNormalization is in training mode");
    if (node_int(n, "spatial", 1) == 0)
        return diag_error(cx, E202, at_attr(g, n, "spatial"), NULL,
                          "BatchNormalization per element instead of per channel");
    return drop_extra_outputs(cx, g, n);
}

static bool normal_dropout(const struct ctx *cx, struct graph *g, struct node *n, bool reference)
{
    if (reference)
        return true;
    const struct tensor *training = n->n_in > 2 ? n->in[2] : NULL;
    if (training && !training->data)
        return diag_error(cx, E206, at_node(g, n), "export the model for inference",
                          "Dropout decides at run time whether it trains");
    if (training && tensor_count(training) == 1 && tensor_const_i64(training, 0) != 0)
        return diag_error(cx, E202, at_node(g, n), "export the model for inference",
                          "Dropout is in training mode");
    n->n_in = 1;
    return true;
}

// Where the generator starts: its seed, and the result's name, so that two nodes draw different numbers and whatever becomes
// of the graph the same node draws the same.
static void start_generator(struct graph *g, struct node *n)
{
    float seed = node_float(n, "seed", 0.0f);
    uint32_t bits, hash = 2166136261u; // FNV-1a
    memcpy(&bits, &seed, sizeof bits);
    for (const char *c = n->n_out && n->out[0] ? n->out[0]->name : ""; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    node_set_int(g, n, "resolved_start", (int64_t)((uint64_t)hash << 32 | bits));
}

static void normal_softmax(struct graph *g, struct node *n, int64_t opset)
{
    bool flatten = opset < 13;
    node_set_int(g, n, "axis", node_int(n, "axis", flatten ? 1 : -1));
    // Over the last axis both meanings agree; -1 is it whatever the rank.
    if (flatten && node_int(n, "axis", 1) != -1)
        node_set_int(g, n, "flatten_2d", 1);
}

// Until opset 6 a type was called by its name.
static void name_to_type(struct graph *g, struct node *n)
{
    const char *name = node_string(n, "to", NULL);
    static const char *const names[] = { "", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64" };
    for (size_t i = 1; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            node_set_int(g, n, "to", (int64_t)i);
            return;
        }
}

static bool normal_cast(const struct ctx *cx, struct graph *g, struct node *n, bool reference)
{
    name_to_type(g, n);
    enum dtype to = onnx_dtype(node_int(n, "to", 0), reference);
    node_drop_attr(n, "saturate"); // speaks of 8-bit floats, which are refused
    if (to == DT_NONE || onnx_is_packed(node_int(n, "to", 0)))
        return diag_error(cx, E207, at_attr(g, n, "to"), NULL, "Cast to element type %" PRId64 " is not supported",
                          node_int(n, "to", 0));
    node_set_int(g, n, "to", to);
    return true;
}

// Opset 5 made the new shape an input.
static bool normal_reshape(const struct ctx *cx, struct graph *g, struct node *n)
{
    if (g->opset < 5)
        ints_to_input(g, n, "shape", 1);
    if (n->n_in < 2 || !n->in[1])
        return diag_error(cx, E102, at_node(g, n), NULL, "Reshape has no shape");
    return true;
}

// Before opset 7 the second operand was broadcast where attribute `axis` says, if `broadcast` was set; see legacy_axis.
static void normal_broadcast(struct graph *g, struct node *n)
{
    if (g->opset >= 7 || node_int(n, "broadcast", 0) == 0)
        node_drop_attr(n, "axis");
}

// Tile had a number of copies and an axis, Pad another name for its attribute, Concat a default.
static bool normal_first_forms(const struct ctx *cx, struct graph *g, struct node *n)
{
    const struct attr *pads = node_attr(n, "paddings");
    if (n->op == OP_Tile && (n->n_in > 2 || g->opset < 6))
        return diag_error(cx, E202, at_node(g, n), "export with opset 6 or later", "Tile with one axis, as before opset 6");
    if (n->op == OP_Pad && g->opset < 2 && pads && pads->type == ATTR_INTS)
        node_set_ints(g, n, "pads", pads->n, pads->ints);
    if (n->op == OP_Concat && g->opset < 4 && !node_attr(n, "axis"))
        node_set_int(g, n, "axis", 1);
    return true;
}

// Attributes by which later passes talk to each other; a file that has them means nothing by them.
static void drop_marks(struct node *n)
{
    static const char *const marks[] = { "nearest_by_scale", "flatten_2d", "float32_quotient", "resolved_scales", "resolved_roi", "resolved_pads", "resolved_axis", "resolved_length", "resolved_bias", "resolved_host", "resolved_rows" };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        node_drop_attr(n, marks[i]);
}

static bool normal_node(const struct ctx *cx, struct graph *g, struct node *n, bool reference)
{
    const struct op_info *info = op_info(n->op);
    if (info->domain[0] == 0 && info->since > g->opset)
        return diag_error(cx, E102, at_node(g, n), NULL, "%s needs opset %d, the model says %" PRId64, info->name,
                          info->since, g->opset);
    drop_marks(n);
    if (!normal_first_forms(cx, g, n))
        return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" // most operators have one form only
    switch (n->op) {
    case OP_Clip:
        normal_clip(g, n);
        return true;
    case OP_Slice:
        return normal_slice(cx, g, n);
    case OP_Pad:
        return normal_pad(cx, g, n);
    case OP_Squeeze:
    case OP_Unsqueeze:
        return normal_unsqueeze(cx, g, n);
    case OP_Split:
        if (g->opset < 13)
            ints_to_input(g, n, "split", 1);
        return true;
    case OP_Softmax:
    case OP_LogSoftmax:
        normal_softmax(g, n, g->opset);
        return true;
    case OP_BatchNormalization:
        return normal_batchnorm(cx, g, n, reference);
    case OP_Resize:
        return normal_resize(cx, g, n);
    case OP_Upsample:
        return normal_upsample(cx, g, n);
    case OP_ReduceL1:
    case OP_ReduceL2:
    case OP_ReduceLogSum:
    case OP_ReduceLogSumExp:
    case OP_ReduceMax:
    case OP_ReduceMean:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceSum:
    case OP_ReduceSumSquare:
        return normal_reduce(cx, g, n);
    case OP_Hardmax:
        normal_softmax(g, n, g->opset);
        return true;
    case OP_PRelu:
        node_drop_attr(n, "axis");
        if (g->opset < 7) // a slope for each channel, as one list
            node_set_int(g, n, "axis", 1);
        return true;
    case OP_Add:
    case OP_And:
    case OP_Div:
    case OP_Equal:
    case OP_Greater:
    case OP_Less:
    case OP_Mul:
    case OP_Or:
    case OP_Pow:
    case OP_Sub:
    case OP_Xor:
        normal_broadcast(g, n);
        return true;
    case OP_Sum: // of two it is what hardware has
        n->op = reference || n->n_in > 2 ? OP_Sum : n->n_in == 2 ? OP_Add : OP_Identity;
        return true;
    case OP_Reshape:
        return normal_reshape(cx, g, n);
    case OP_QuantizeLinear:
        if (reference) // as the standard has it; hardware and its border round the quotient once, from double
            node_set_int(g, n, "float32_quotient", 1);
        return true;
    case OP_RoiAlign:
        if (g->opset < 16)
            node_set_string(g, n, "coordinate_transformation_mode", "output_half_pixel");
        return true;
    case OP_QLinearSoftmax: // which meaning counts is an attribute here
        normal_softmax(g, n, node_int(n, "opset", g->opset));
        return true;
    case OP_MaxPool:
        return reference || (n->n_out > 1 && n->out[1] && tensor_uses(g, n->out[1]) > 0) || drop_extra_outputs(cx, g, n); // the host has indices
    case OP_Dropout:
        start_generator(g, n);
        return normal_dropout(cx, g, n, reference);
    case OP_Bernoulli:
    case OP_Multinomial:
    case OP_RandomNormal:
    case OP_RandomNormalLike:
    case OP_RandomUniform:
    case OP_RandomUniformLike:
        start_generator(g, n);
        return true;
    case OP_Cast:
        return normal_cast(cx, g, n, reference);
    default:
        return true;
    }
#pragma GCC diagnostic pop
}

bool onnx_normalise(const struct ctx *cx, struct graph *g, bool reference)
{
    bool ok = true;
    for (int i = 0; i < g->n_nodes; i++)
        ok = normal_node(cx, g, g->nodes[i], reference) && ok;
    return ok;
}

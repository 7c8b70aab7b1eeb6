// SPDX-License-Identifier: Apache-2.0
// Windows that slide over images: kernels, strides, dilations and pads of Conv, ConvTranspose and the pools.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

// Keeps every product below exact in 64 bits; no kernel comes near.
#define MAX_WINDOW ((int64_t)1 << 30)

// One of the lists of a window operator, one entry for each axis and side: all leading ones first. Entries in [min, MAX_WINDOW].
static bool window_list(const struct ctx *cx, const struct graph *g, const struct node *n,
                        const char *name, int64_t min, int count, int64_t *out)
{
    const struct attr *a = node_attr(n, name);
    if (!a)
        return true; // the caller has set the defaults
    if (a->type != ATTR_INTS || a->n != count)
        return diag_error(cx, E203, at_attr(g, n, name), NULL, "%s needs a list of %d integers", name, count);
    for (int i = 0; i < a->n; i++) {
        if (a->ints[i] < min || a->ints[i] > MAX_WINDOW)
            return diag_emit(cx,
                             (struct diag_msg){ .code = E203, .where = at_attr(g, n, name),
                                                .found = arena_printf(g->arena, "%" PRId64, a->ints[i]),
                                                .need = min ? "1 to 2^30" : "0 to 2^30" },
                             "%s is out of range", name);
        out[i] = a->ints[i];
    }
    return true;
}

enum auto_pad { PAD_EXPLICIT, PAD_VALID, PAD_SAME_UPPER, PAD_SAME_LOWER };

static bool read_auto_pad(const struct ctx *cx, const struct graph *g, const struct node *n,
                          enum auto_pad *out)
{
    static const char *const names[] = { "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER" };
    const char *s = node_string(n, "auto_pad", "NOTSET");
    for (int i = 0; i < 4; i++)
        if (strcmp(s, names[i]) == 0 || (i == 0 && !s[0])) {
            *out = (enum auto_pad)i;
            return true;
        }
    return diag_error(cx, E203, at_attr(g, n, "auto_pad"), NULL, "'%s' is not a way of padding", s);
}

// One axis: resolves `same` pads and counts the windows.
static bool window_axis(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, bool ceil_mode,
                        enum auto_pad pad, int64_t *before, int64_t *after, int64_t *out)
{
    int64_t extent = (kernel - 1) * dilation + 1;
    if (pad == PAD_VALID)
        *before = *after = 0;
    if (pad == PAD_SAME_UPPER || pad == PAD_SAME_LOWER) {
        int64_t windows = ceil_div(in, stride);
        int64_t total = max_i64(0, (windows - 1) * stride + extent - in);
        *before = pad == PAD_SAME_UPPER ? total / 2 : total - total / 2;
        *after = total - *before;
    }
    int64_t room = in + *before + *after - extent;
    if (room < 0)
        return false;
    *out = (ceil_mode ? ceil_div(room, stride) : room / stride) + 1;
    // A window that ceil_mode adds must begin inside the image or its leading pad.
    if (ceil_mode && (*out - 1) * stride >= in + *before)
        (*out)--;
    return true;
}

static bool is_pool(enum op op)
{
    return op == OP_MaxPool || op == OP_AveragePool || op == OP_QLinearAveragePool || op == OP_LpPool;
}

static bool is_global(enum op op)
{
    return op == OP_GlobalAveragePool || op == OP_GlobalMaxPool || op == OP_QLinearGlobalAveragePool ||
           op == OP_GlobalLpPool;
}

static bool read_kernel(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *w)
{
    if (!window_list(cx, g, n, "kernel_shape", 1, w->spatial, w->kernel))
        return false;
    if (is_pool(n->op)) {
        if (!node_attr(n, "kernel_shape"))
            return diag_error(cx, E203, at_node(g, n), NULL, "attribute kernel_shape is missing");
        return true;
    }
    const struct tensor *weights = n->in[n->op == OP_QLinearConv ? 3 : 1];
    for (int i = 0; i < w->spatial; i++) {
        int64_t have = weights->dims[2 + i];
        if (have < 1 || have > MAX_WINDOW || (node_attr(n, "kernel_shape") && w->kernel[i] != have))
            return diag_error(cx, E204, at_node(g, n), NULL, "the kernel does not agree with the weights of shape %s",
                              shape_text(g->arena, weights->rank, weights->dims));
        w->kernel[i] = have;
    }
    return true;
}

// Defaults, then the attributes; pads as the file has them.
static bool read_axes(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *w, enum auto_pad *pad)
{
    const struct tensor *x = n->in[0];
    int64_t pads[2 * MAX_SPATIAL] = { 0 };
    *pad = PAD_EXPLICIT;
    *w = (struct window_axes){ .spatial = x->rank - 2, .group = is_pool(n->op) || is_global(n->op) ? x->dims[1] : node_int(n, "group", 1) };
    for (int i = 0; i < w->spatial; i++) {
        w->in[i] = x->dims[2 + i];
        w->kernel[i] = is_global(n->op) ? w->in[i] : 1;
        w->stride[i] = w->dilation[i] = 1;
    }
    if (is_global(n->op))
        return true;
    if (!read_kernel(cx, g, n, w) || !window_list(cx, g, n, "strides", 1, w->spatial, w->stride) ||
        !window_list(cx, g, n, "dilations", 1, w->spatial, w->dilation) ||
        !window_list(cx, g, n, "pads", 0, 2 * w->spatial, pads) || !read_auto_pad(cx, g, n, pad))
        return false;
    memcpy(w->before, pads, (size_t)w->spatial * sizeof *pads);
    memcpy(w->after, pads + w->spatial, (size_t)w->spatial * sizeof *pads);
    return true;
}

bool window_axes(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *out)
{
    const struct tensor *x = n->in[0];
    enum auto_pad pad;
    if (x->rank < 3)
        return diag_error(cx, E204, at_node(g, n), NULL, "the input has shape %s", shape_text(g->arena, x->rank, x->dims));
    if (!read_axes(cx, g, n, out, &pad))
        return false;
    bool ceil_mode = is_pool(n->op) && node_int(n, "ceil_mode", 0) != 0;
    for (int i = 0; i < out->spatial; i++)
        if (out->in[i] < 1 || !window_axis(out->in[i], out->kernel[i], out->stride[i], out->dilation[i], ceil_mode, pad,
                                           &out->before[i], &out->after[i], &out->out[i]))
            return diag_error(cx, E204, at_node(g, n), NULL, "the padded image of shape %s is smaller than the kernel",
                              shape_text(g->arena, x->rank, x->dims));
    for (int i = 0; i < out->spatial; i++) { // a pool window that lies in the padding alone would have no value
        int64_t extent = (out->kernel[i] - 1) * out->dilation[i] + 1;
        if (is_pool(n->op) && (out->before[i] >= extent || out->after[i] >= extent))
            return diag_error(cx, E203, at_attr(g, n, "pads"), NULL, "the padding is not smaller than the kernel");
    }
    return true;
}

// Two axes, of which a 1-D operator lacks the first: it is a row.
static struct window_geometry image_geometry(const struct window_axes *a)
{
    struct window_geometry w = { .in_h = 1, .out_h = 1, .kernel_h = 1, .stride_h = 1, .dilation_h = 1, .group = a->group };
    int x = a->spatial - 1;
    if (a->spatial == 2) {
        w.in_h = a->in[0];
        w.out_h = a->out[0];
        w.kernel_h = a->kernel[0];
        w.stride_h = a->stride[0];
        w.dilation_h = a->dilation[0];
        w.pad_top = a->before[0];
        w.pad_bottom = a->after[0];
    }
    w.in_w = a->in[x];
    w.out_w = a->out[x];
    w.kernel_w = a->kernel[x];
    w.stride_w = a->stride[x];
    w.dilation_w = a->dilation[x];
    w.pad_left = a->before[x];
    w.pad_right = a->after[x];
    return w;
}

static bool is_image(const struct ctx *cx, const struct graph *g, const struct node *n)
{
    const struct tensor *x = n->in[0];
    if (x->rank == 3 || x->rank == 4)
        return true;
    return diag_error(cx, E204, at_node(g, n), "1-D and 2-D operators are supported", "the input has shape %s",
                      shape_text(g->arena, x->rank, x->dims));
}

bool window_geometry(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_geometry *out)
{
    struct window_axes a;
    if (!is_image(cx, g, n) || !window_axes(cx, g, n, &a))
        return false;
    *out = image_geometry(&a);
    return true;
}

// ---- ConvTranspose ----

// One axis: what the kernel covers without pads is cut to *out by the pads. `want` is the axis' entry of
// output_shape, or 0.
static bool transpose_axis(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t extra, int64_t want,
                           enum auto_pad pad, int64_t *before, int64_t *after, int64_t *out)
{
    int64_t full, extent = (kernel - 1) * dilation + 1 + extra;
    bool same = pad == PAD_SAME_UPPER || pad == PAD_SAME_LOWER;
    if (!mul_i64(in - 1, stride, &full) || !add_i64(full, extent, &full))
        return false;
    if (same && !want)
        want = full - extent + stride; // in * stride
    if (want) { // what is wanted beyond `full` lies behind and gets the bias alone
        int64_t total = max_i64(0, full - want);
        *before = pad == PAD_SAME_UPPER ? total / 2 : total - total / 2;
        *after = total - *before;
    } else if (pad == PAD_VALID) {
        *before = *after = 0;
    }
    *out = want ? want : full - *before - *after;
    return *out >= 1;
}

bool conv_transpose_axes(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *out)
{
    const struct tensor *x = n->in[0];
    int64_t extra[MAX_SPATIAL] = { 0 }, want[MAX_SPATIAL] = { 0 };
    enum auto_pad pad;
    if (x->rank < 3)
        return diag_error(cx, E204, at_node(g, n), NULL, "the input has shape %s", shape_text(g->arena, x->rank, x->dims));
    if (!read_axes(cx, g, n, out, &pad) || !window_list(cx, g, n, "output_padding", 0, out->spatial, extra) ||
        !window_list(cx, g, n, "output_shape", 1, out->spatial, want))
        return false;
    // Where the kernel is smaller than its stride, `same` would need negative pads: nobody agrees where they go.
    for (int i = 0; i < out->spatial && (pad == PAD_SAME_UPPER || pad == PAD_SAME_LOWER); i++)
        if (!want[i] && (out->kernel[i] - 1) * out->dilation[i] + 1 + extra[i] < out->stride[i])
            return diag_error(cx, E202, at_attr(g, n, "auto_pad"), "export with explicit pads and output_padding",
                              "%s with a kernel smaller than its stride", node_string(n, "auto_pad", ""));
    for (int i = 0; i < out->spatial; i++)
        if (out->in[i] < 1 || !transpose_axis(out->in[i], out->kernel[i], out->stride[i], out->dilation[i], extra[i], want[i], pad,
                                              &out->before[i], &out->after[i], &out->out[i]))
            return diag_error(cx, E204, at_node(g, n), NULL, "the result for an input of shape %s is empty or too large",
                              shape_text(g->arena, x->rank, x->dims));
    return true;
}

bool conv_transpose_geometry(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_geometry *out)
{
    struct window_axes a;
    if (!is_image(cx, g, n) || !conv_transpose_axes(cx, g, n, &a))
        return false;
    *out = image_geometry(&a);
    return true;
}

// ---- shapes ----

static bool window(struct shape_run *s, struct node *n, enum dtype t, int64_t channels)
{
    struct window_axes w;
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK] = { x->dims[0], channels };
    if (!window_axes(s->cx, s->g, n, &w))
        return false;
    memcpy(dims + 2, w.out, (size_t)w.spatial * sizeof *dims);
    return shape_set(s, n, 0, t, x->rank, dims);
}

bool shape_conv(struct shape_run *s, struct node *n)
{
    bool quantized = n->op == OP_QLinearConv;
    const struct tensor *x = n->in[0], *w = n->in[quantized ? 3 : 1];
    const struct tensor *b = n->n_in > (quantized ? 8 : 2) ? n->in[quantized ? 8 : 2] : NULL;
    int64_t group = node_int(n, "group", 1), in_channels;
    bool integer = n->op == OP_ConvInteger;
    if (integer)
        b = NULL; // input 2 is a zero point
    if (!quantized && !integer && (!shape_need_float(s, n, 0) || !shape_need_float(s, n, 1)))
        return false;
    if (w->rank != x->rank || x->rank < 3)
        return shape_error(s, n, "weights of shape %s for an input of shape %s", shape_of(s, w), shape_of(s, x));
    if (integer && (!shape_zero_fits(s, n, 2, 1) || !shape_zero_fits(s, n, 3, w->dims[0])))
        return false;
    if (group < 1 || x->dims[1] % group != 0 || w->dims[0] % group != 0)
        return diag_emit(s->cx,
                         (struct diag_msg){ .code = E203, .where = at_attr(s->g, n, "group"),
                                            .found = arena_printf(s->g->arena, "%" PRId64, group),
                                            .need = arena_printf(s->g->arena, "a divisor of %" PRId64 " and of %" PRId64,
                                                                 x->dims[1], w->dims[0]) },
                         "group does not divide the channels");
    if (!mul_i64(w->dims[1], group, &in_channels) || in_channels != x->dims[1])
        return shape_error(s, n, "weights of shape %s with group %" PRId64 " for %" PRId64 " input channels",
                           shape_of(s, w), group, x->dims[1]);
    if (b && (b->rank != 1 || b->dims[0] != w->dims[0]))
        return shape_error(s, n, "bias of shape %s for %" PRId64 " output channels", shape_of(s, b), w->dims[0]);
    return window(s, n, quantized ? n->in[7]->dtype : integer ? DT_INT32 : x->dtype, w->dims[0]);
}

bool shape_conv_transpose(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *w = n->in[1], *b = n->n_in > 2 ? n->in[2] : NULL;
    int64_t group = node_int(n, "group", 1), outs;
    struct window_axes geo;
    if (!shape_need_float(s, n, 0) || !shape_need_float(s, n, 1) || (b && !shape_need_float(s, n, 2)))
        return false;
    if (w->rank != x->rank || x->rank < 3 || w->dims[0] != x->dims[1])
        return shape_error(s, n, "weights of shape %s for an input of shape %s", shape_of(s, w), shape_of(s, x));
    if (group < 1 || x->dims[1] % group != 0 || !mul_i64(w->dims[1], group, &outs))
        return diag_error(s->cx, E203, at_attr(s->g, n, "group"), NULL, "group %" PRId64 " does not divide %" PRId64 " channels",
                          group, x->dims[1]);
    if (b && (b->rank != 1 || b->dims[0] != outs))
        return shape_error(s, n, "bias of shape %s for %" PRId64 " output channels", shape_of(s, b), outs);
    if (!conv_transpose_axes(s->cx, s->g, n, &geo))
        return false;
    int64_t dims[MAX_RANK] = { x->dims[0], outs };
    memcpy(dims + 2, geo.out, (size_t)geo.spatial * sizeof *dims);
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

bool shape_pool(struct shape_run *s, struct node *n, enum dtype t)
{
    if (n->in[0]->rank < 3)
        return shape_error(s, n, "the input has shape %s", shape_of(s, n->in[0]));
    if (node_int(n, "channels_last", 0) != 0)
        return diag_error(s->cx, E202, at_attr(s->g, n, "channels_last"), NULL, "channels_last is not supported");
    if (!window(s, n, t, n->in[0]->dims[1]))
        return false;
    return n->n_out < 2 || !n->out[1] || shape_set(s, n, 1, DT_INT64, n->out[0]->rank, n->out[0]->dims);
}

// MaxPool the other way round: every input goes to the place that its index names.
bool shape_max_unpool(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *index = n->in[1];
    int64_t kernel[MAX_SPATIAL] = { 0 }, stride[MAX_SPATIAL] = { 0 }, pads[2 * MAX_SPATIAL] = { 0 }, dims[MAX_RANK];
    int spatial = x->rank - 2, count;
    if (x->rank < 3 || index->dtype != DT_INT64 || index->rank != x->rank || memcmp(index->dims, x->dims, (size_t)x->rank * sizeof *x->dims) != 0)
        return shape_error(s, n, "indices of shape %s for %s", shape_of(s, index), shape_of(s, x));
    for (int i = 0; i < spatial; i++)
        stride[i] = 1;
    if (!node_attr(n, "kernel_shape"))
        return diag_error(s->cx, E203, at_node(s->g, n), NULL, "attribute kernel_shape is missing");
    if (!window_list(s->cx, s->g, n, "kernel_shape", 1, spatial, kernel) || !window_list(s->cx, s->g, n, "strides", 1, spatial, stride) ||
        !window_list(s->cx, s->g, n, "pads", 0, 2 * spatial, pads))
        return false;
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < spatial; i++)
        if (!mul_i64(x->dims[2 + i] - 1, stride[i], &dims[2 + i]) || !add_i64(dims[2 + i], kernel[i] - pads[i] - pads[spatial + i], &dims[2 + i]))
            return shape_error(s, n, "the result is too large");
    for (int i = 0; i < spatial; i++)
        if (dims[2 + i] < 1)
            return shape_error(s, n, "the pads leave nothing of %s", shape_of(s, x));
    if (n->n_in > 2 && n->in[2] && (!shape_ints(s, n, 2, MAX_RANK, dims, &count) || count != x->rank))
        return shape_error(s, n, "output_shape is no shape like %s", shape_of(s, x));
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

bool shape_check_p(struct shape_run *s, const struct node *n)
{
    if (node_int(n, "p", 2) < 1)
        return diag_error(s->cx, E203, at_attr(s->g, n, "p"), NULL, "p is %" PRId64 ", need 1 or more", node_int(n, "p", 2));
    return shape_need_float(s, n, 0);
}

bool shape_global_pool(struct shape_run *s, struct node *n, enum dtype t)
{
    int64_t dims[MAX_RANK] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    const struct tensor *x = n->in[0];
    if (x->rank < 3 || tensor_count(x) == 0)
        return shape_error(s, n, "the input has shape %s", shape_of(s, x));
    if (node_int(n, "channels_last", 0) != 0)
        return diag_error(s->cx, E202, at_attr(s->g, n, "channels_last"), NULL, "channels_last is not supported");
    dims[0] = x->dims[0];
    dims[1] = x->dims[1];
    return shape_set(s, n, 0, t, x->rank, dims);
}

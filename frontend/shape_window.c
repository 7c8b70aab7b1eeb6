// SPDX-License-Identifier: Apache-2.0
// Windows that slide over images: kernels, strides, dilations and pads of Conv, ConvTranspose and the pools.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

// Keeps every product below exact in 64 bits; no kernel comes near.
#define MAX_WINDOW ((int64_t)1 << 30)

// One of the lists of a window operator, (h, w) or (top, left, bottom, right); a 1-D operator gives half
// of it. Entries in [min, MAX_WINDOW].
static bool window_list(const struct ctx *cx, const struct graph *g, const struct node *n,
                        const char *name, int64_t min, int spatial, int sides, int64_t *out)
{
    const struct attr *a = node_attr(n, name);
    if (!a)
        return true; // the caller has set the defaults
    if (a->type != ATTR_INTS || a->n != spatial * sides)
        return diag_error(cx, E203, at_attr(g, n, name), NULL, "%s needs a list of %d integers", name,
                          spatial * sides);
    for (int i = 0; i < a->n; i++)
        if (a->ints[i] < min || a->ints[i] > MAX_WINDOW)
            return diag_emit(cx,
                             (struct diag_msg){ .code = E203, .where = at_attr(g, n, name),
                                                .found = arena_printf(g->arena, "%" PRId64, a->ints[i]),
                                                .need = min ? "1 to 2^30" : "0 to 2^30" },
                             "%s is out of range", name);
    for (int side = 0; side < sides; side++)
        for (int i = 0; i < spatial; i++) // a 1-D operator is a row: its entry is w's
            out[side * 2 + i + (2 - spatial)] = a->ints[side * spatial + i];
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

static bool read_kernel(const struct ctx *cx, const struct graph *g, const struct node *n, int spatial,
                        int64_t *kernel)
{
    if (!window_list(cx, g, n, "kernel_shape", 1, spatial, 1, kernel))
        return false;
    if (is_pool(n->op)) {
        if (!node_attr(n, "kernel_shape"))
            return diag_error(cx, E203, at_node(g, n), NULL, "attribute kernel_shape is missing");
        return true;
    }
    const struct tensor *w = n->in[n->op == OP_QLinearConv ? 3 : 1];
    for (int i = 0; i < spatial; i++) {
        int64_t *k = &kernel[i + 2 - spatial], have = w->dims[2 + i];
        if (have < 1 || have > MAX_WINDOW || (node_attr(n, "kernel_shape") && *k != have))
            return diag_error(cx, E204, at_node(g, n), NULL, "the kernel does not agree with the weights of shape %s",
                              shape_text(g->arena, w->rank, w->dims));
        *k = have;
    }
    return true;
}

// A pool window that lies in the padding alone would have no value.
static bool check_pool_pads(const struct ctx *cx, const struct graph *g, const struct node *n,
                            const struct window_geometry *w)
{
    int64_t eh = (w->kernel_h - 1) * w->dilation_h + 1, ew = (w->kernel_w - 1) * w->dilation_w + 1;
    if (is_pool(n->op) && (w->pad_top >= eh || w->pad_bottom >= eh || w->pad_left >= ew ||
                           w->pad_right >= ew))
        return diag_error(cx, E203, at_attr(g, n, "pads"), NULL, "the padding is not smaller than the kernel");
    return true;
}

bool window_geometry(const struct ctx *cx, const struct graph *g, const struct node *n,
                     struct window_geometry *out)
{
    const struct tensor *x = n->in[0];
    if (x->rank != 3 && x->rank != 4)
        return diag_error(cx, E204, at_node(g, n), "1-D and 2-D operators are supported", "the input has shape %s",
                          shape_text(g->arena, x->rank, x->dims));
    int spatial = x->rank - 2;
    int64_t kernel[2] = { 1, 1 }, stride[2] = { 1, 1 }, dilation[2] = { 1, 1 }, pads[4] = { 0 };
    int64_t h = spatial == 2 ? x->dims[2] : 1, w = x->dims[x->rank - 1];
    enum auto_pad pad = PAD_EXPLICIT;
    if (is_global(n->op)) {
        kernel[0] = h;
        kernel[1] = w;
    } else if (!read_kernel(cx, g, n, spatial, kernel) ||
               !window_list(cx, g, n, "strides", 1, spatial, 1, stride) ||
               !window_list(cx, g, n, "dilations", 1, spatial, 1, dilation) ||
               !window_list(cx, g, n, "pads", 0, spatial, 2, pads) ||
               !read_auto_pad(cx, g, n, &pad)) {
        return false;
    }
    *out = (struct window_geometry){
        .in_h = h, .in_w = w, .kernel_h = kernel[0], .kernel_w = kernel[1], .stride_h = stride[0],
        .stride_w = stride[1], .dilation_h = dilation[0], .dilation_w = dilation[1],
        .pad_top = pads[0], .pad_left = pads[1], .pad_bottom = pads[2], .pad_right = pads[3],
        .group = is_pool(n->op) || is_global(n->op) ? x->dims[1] : node_int(n, "group", 1),
    };
    bool ceil_mode = is_pool(n->op) && node_int(n, "ceil_mode", 0) != 0;
    if (h < 1 || w < 1 ||
        !window_axis(h, kernel[0], stride[0], dilation[0], ceil_mode, pad, &out->pad_top,
                     &out->pad_bottom, &out->out_h) ||
        !window_axis(w, kernel[1], stride[1], dilation[1], ceil_mode, pad, &out->pad_left,
                     &out->pad_right, &out->out_w))
        return diag_error(cx, E204, at_node(g, n), NULL, "the padded image of shape %s is smaller than the kernel",
                          shape_text(g->arena, x->rank, x->dims));
    return check_pool_pads(cx, g, n, out);
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

bool conv_transpose_geometry(const struct ctx *cx, const struct graph *g, const struct node *n,
                             struct window_geometry *out)
{
    const struct tensor *x = n->in[0];
    int64_t kernel[2] = { 1, 1 }, stride[2] = { 1, 1 }, dilation[2] = { 1, 1 }, pads[4] = { 0 };
    int64_t extra[2] = { 0 }, want[2] = { 0 };
    enum auto_pad pad = PAD_EXPLICIT;
    if (x->rank != 3 && x->rank != 4)
        return diag_error(cx, E204, at_node(g, n), "1-D and 2-D operators are supported", "the input has shape %s",
                          shape_text(g->arena, x->rank, x->dims));
    int spatial = x->rank - 2;
    if (!read_kernel(cx, g, n, spatial, kernel) || !window_list(cx, g, n, "strides", 1, spatial, 1, stride) ||
        !window_list(cx, g, n, "dilations", 1, spatial, 1, dilation) ||
        !window_list(cx, g, n, "pads", 0, spatial, 2, pads) ||
        !window_list(cx, g, n, "output_padding", 0, spatial, 1, extra) ||
        !window_list(cx, g, n, "output_shape", 1, spatial, 1, want) || !read_auto_pad(cx, g, n, &pad))
        return false;
    *out = (struct window_geometry){
        .in_h = spatial == 2 ? x->dims[2] : 1, .in_w = x->dims[x->rank - 1], .kernel_h = kernel[0],
        .kernel_w = kernel[1], .stride_h = stride[0], .stride_w = stride[1], .dilation_h = dilation[0],
        .dilation_w = dilation[1], .pad_top = pads[0], .pad_left = pads[1], .pad_bottom = pads[2],
        .pad_right = pads[3], .group = node_int(n, "group", 1),
    };
    if (spatial == 1) // the row that a 1-D operator is stays one
        want[0] = want[1] ? 1 : 0;
    // Where the kernel is smaller than its stride, `same` would need negative pads: nobody agrees where they go.
    if ((pad == PAD_SAME_UPPER || pad == PAD_SAME_LOWER) && !want[1] &&
        ((kernel[0] - 1) * dilation[0] + 1 + extra[0] < stride[0] || (kernel[1] - 1) * dilation[1] + 1 + extra[1] < stride[1]))
        return diag_error(cx, E202, at_attr(g, n, "auto_pad"), "export with explicit pads and output_padding",
                          "%s with a kernel smaller than its stride", node_string(n, "auto_pad", ""));
    if (out->in_h < 1 || out->in_w < 1 ||
        !transpose_axis(out->in_h, kernel[0], stride[0], dilation[0], extra[0], want[0], pad, &out->pad_top,
                        &out->pad_bottom, &out->out_h) ||
        !transpose_axis(out->in_w, kernel[1], stride[1], dilation[1], extra[1], want[1], pad, &out->pad_left,
                        &out->pad_right, &out->out_w))
        return diag_error(cx, E204, at_node(g, n), NULL, "the result for an input of shape %s is empty or too large",
                          shape_text(g->arena, x->rank, x->dims));
    return true;
}

// ---- shapes ----

static bool window(struct shape_run *s, struct node *n, enum dtype t, int64_t channels)
{
    struct window_geometry w;
    if (!window_geometry(s->cx, s->g, n, &w))
        return false;
    const struct tensor *x = n->in[0];
    int64_t dims[4] = { x->dims[0], channels, w.out_h, w.out_w };
    if (x->rank == 3)
        dims[2] = w.out_w;
    return shape_set(s, n, 0, t, x->rank, dims);
}

bool shape_conv(struct shape_run *s, struct node *n)
{
    bool quantized = n->op == OP_QLinearConv;
    const struct tensor *x = n->in[0], *w = n->in[quantized ? 3 : 1];
    const struct tensor *b = n->n_in > (quantized ? 8 : 2) ? n->in[quantized ? 8 : 2] : NULL;
    int64_t group = node_int(n, "group", 1), in_channels;
    if (!quantized && (!shape_need_float(s, n, 0) || !shape_need_float(s, n, 1)))
        return false;
    if (w->rank != x->rank || x->rank < 3)
        return shape_error(s, n, "weights of shape %s for an input of shape %s", shape_of(s, w), shape_of(s, x));
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
    return window(s, n, quantized ? n->in[7]->dtype : DT_FLOAT, w->dims[0]);
}

bool shape_conv_transpose(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *w = n->in[1], *b = n->n_in > 2 ? n->in[2] : NULL;
    int64_t group = node_int(n, "group", 1), outs;
    struct window_geometry geo;
    if (!shape_need_float(s, n, 0) || !shape_need_float(s, n, 1) || (b && !shape_need_float(s, n, 2)))
        return false;
    if (w->rank != x->rank || x->rank < 3 || w->dims[0] != x->dims[1])
        return shape_error(s, n, "weights of shape %s for an input of shape %s", shape_of(s, w), shape_of(s, x));
    if (group < 1 || x->dims[1] % group != 0 || !mul_i64(w->dims[1], group, &outs))
        return diag_error(s->cx, E203, at_attr(s->g, n, "group"), NULL, "group %" PRId64 " does not divide %" PRId64 " channels",
                          group, x->dims[1]);
    if (b && (b->rank != 1 || b->dims[0] != outs))
        return shape_error(s, n, "bias of shape %s for %" PRId64 " output channels", shape_of(s, b), outs);
    if (!conv_transpose_geometry(s->cx, s->g, n, &geo))
        return false;
    int64_t dims[4] = { x->dims[0], outs, geo.out_h, geo.out_w };
    if (x->rank == 3)
        dims[2] = geo.out_w;
    return shape_set(s, n, 0, DT_FLOAT, x->rank, dims);
}

bool shape_pool(struct shape_run *s, struct node *n, enum dtype t)
{
    if (n->in[0]->rank < 3)
        return shape_error(s, n, "the input has shape %s", shape_of(s, n->in[0]));
    if (node_int(n, "channels_last", 0) != 0)
        return diag_error(s->cx, E202, at_attr(s->g, n, "channels_last"), NULL, "channels_last is not supported");
    return window(s, n, t, n->in[0]->dims[1]);
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

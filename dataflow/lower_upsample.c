// SPDX-License-Identifier: Apache-2.0
// lower_upsample: operators whose output is a multiple of their input's size, as a convolution that computes all output
// pixels of one input pixel as channels, and a gather that puts them side by side (Shi et al., "Is the deconvolution
// layer the same as a convolutional layer?", 2016).
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/lower_internal.h"

// One axis. Output index o is output phase (o + shift) % factor of convolution output (o + shift) / factor - first.
struct phases {
    int64_t factor, shift, first;
    int64_t in, kernel, pad, outs; // of the convolution, of stride 1
};

static int64_t conv_index(const struct phases *x, int64_t o)
{
    return (o + x->shift) / x->factor - x->first;
}

static int64_t phase_of(const struct phases *x, int64_t o)
{
    return (o + x->shift) % x->factor;
}

static struct window_geometry conv_geometry(const struct phases *y, const struct phases *x, int64_t group)
{
    return (struct window_geometry){ .in_h = y->in, .in_w = x->in, .out_h = y->outs, .out_w = x->outs, .kernel_h = y->kernel,
        .kernel_w = x->kernel, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = y->pad,
        .pad_left = x->pad, .group = group };
}

static const char *part_name(struct lowering *l, const struct expression *e, const char *part)
{
    return arena_printf(l->cx->arena, "%s %s", e->nodes, part);
}

// A gather of stream s in front of a depthwise stage: `times` copies of its channels one behind the other, rows
// and columns from -pad_y, -pad_x on, those outside the image being copies of its edge.
static int copies(struct lowering *l, const struct expression *e, int s, const struct phases *y, const struct phases *x, int64_t in_h,
                  int64_t in_w, int64_t c, int64_t times, int64_t pad_y, int64_t pad_x)
{
    if (times == 1 && in_h == y->in && in_w == x->in)
        return s;
    int64_t all = c * times;
    int32_t *at = arena_array(l->cx->arena, int32_t, y->in * x->in * all);
    for (int64_t i = 0; i < y->in * x->in * all; i++) {
        int64_t iy = max_i64(0, min_i64(in_h - 1, i / all / x->in - pad_y)), ix = max_i64(0, min_i64(in_w - 1, i / all % x->in - pad_x));
        at[i] = (int32_t)((iy * in_w + ix) * c + i % all % c);
    }
    const struct stream *from = &l->p->streams[s];
    double scale = from->scale;
    int zero_point = from->zero_point, out = gather_stage(l, e->main, part_name(l, e, "copies"), s, at, y->in, x->in, all, 0);
    if (out < 0)
        return -1;
    struct stream *to = &l->p->streams[out];
    to->tensor = e->main->in[0]->name;
    to->scale = scale;
    to->zero_point = zero_point;
    return out;
}

// The phases of convolution output stream s side by side. Channel m of phase f is channel m / per * per * count + f * per +
// m % per of s, with `count` phases: groups of `per` channels stay together.
static bool interleave(struct lowering *l, const struct expression *e, int s, const struct phases *y, const struct phases *x, int64_t per)
{
    struct arena *a = l->cx->arena;
    int64_t h, w, c, count = y->factor * x->factor;
    const int32_t *order = image_order(a, e->result, &h, &w, &c);
    int32_t *at = arena_array(a, int32_t, h * w * c);
    struct stream *from = &l->p->streams[s];
    bool same = h * w * c == from->h * from->w * from->c;
    for (int64_t p = 0; p < h * w * c; p++) {
        int64_t oy = p / c / w, ox = p / c % w, m = p % c, f = phase_of(y, oy) * x->factor + phase_of(x, ox);
        at[p] = (int32_t)((conv_index(y, oy) * x->outs + conv_index(x, ox)) * c * count + (m / per * count + f) * per + m % per);
        same &= at[p] == p;
    }
    if (!same) {
        from->scale = e->scale;
        from->zero_point = e->zero_point;
        s = gather_stage(l, e->main, part_name(l, e, "interleave"), s, at, h, w, c, 0);
        if (s < 0)
            return false;
    }
    bind_view(l, e, s, order);
    return true;
}

// The convolution itself: over `in`, with `all` output channels. Returns its output stream or -1.
static int phase_conv(struct lowering *l, const struct expression *e, const struct source *in, int stream, const struct window_geometry *geo,
                      bool depthwise, int64_t in_c, const struct product *p, int64_t macs)
{
    struct stage *s = new_stage(l, depthwise ? STAGE_DW : STAGE_CONV, e);
    s->op = DW_MAC;
    s->n_in = 1;
    s->geo = *geo;
    s->in_c = in_c;
    s->out_c = p->out_c;
    s->macs = macs;
    int index = s->index;
    if (!finish_product(l, e, in, s, p, 1))
        return -1;
    pipeline_connect(l->p, stream, index, 0);
    return pipeline_add_stream(l->p, e->result->name, index, geo->out_h, geo->out_w, p->out_c)->index;
}

// ---- ConvTranspose ----

static struct phases transpose_phases(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad)
{
    if (in == 1) // no stride: every tap makes its own output, whatever the model says (it may say 65,536)
        stride = max_i64((kernel - 1) * dilation + 1, pad + out);
    int64_t reach = (kernel - 1) * dilation / stride, first = min_i64(pad / stride, reach);
    return (struct phases){ .factor = stride, .shift = pad, .first = first, .in = in, .kernel = reach + 1, .pad = reach - first,
                            .outs = (out - 1 + pad) / stride - first + 1 };
}

// W is [in_c][per_group][kernel_h][kernel_w]; tap k of an axis belongs to phase k * dilation % stride and to position
// kernel - 1 - k * dilation / stride of the phase's own kernel.
static bool transpose_weights(struct lowering *l, const struct node *n, const struct constant *w, const struct window_geometry *g,
                              const struct phases *y, const struct phases *x, bool depthwise, struct product *p)
{
    int64_t c = w->q->dims[0], mg = w->q->dims[1], cg = c / g->group, cig = depthwise ? 1 : cg;
    int64_t count = y->factor * x->factor;
    for (int64_t ci = 0; ci < c; ci++)
        for (int64_t m = 0; m < mg; m++)
            for (int64_t ky = 0; ky < g->kernel_h; ky++)
                for (int64_t kx = 0; kx < g->kernel_w; kx++) {
                    int64_t ty = ky * g->dilation_h, tx = kx * g->dilation_w;
                    int64_t f = ty % y->factor * x->factor + tx % x->factor;
                    int64_t qy = y->kernel - 1 - ty / y->factor, qx = x->kernel - 1 - tx / x->factor;
                    int64_t out = depthwise ? f * c + ci : (ci / cg * count + f) * mg + m;
                    int64_t v = tensor_const_i64(w->q, ((ci * mg + m) * g->kernel_h + ky) * g->kernel_w + kx) - w->zero[w->n > 1 ? m : 0];
                    if (!weight_range_ok(l, n, v))
                        return false;
                    p->weights[((out * y->kernel + qy) * x->kernel + qx) * cig + (depthwise ? 0 : ci % cg)] = (int16_t)v;
                }
    return true;
}

bool lower_conv_transpose(struct lowering *l, const struct expression *e)
{
    const struct node *n = e->main;
    struct arena *a = l->cx->arena;
    struct source in;
    struct constant w;
    struct window_geometry g;
    int64_t h, wd, c;
    bool got_in = resolve_source(l, n, n->in[0], &in);
    if (!read_constant(l, n, n->in[1], "weight", &w) || !got_in || !conv_transpose_geometry(l->cx, l->g, n, &g) || !single_image(l, n))
        return false;
    const int32_t *order = image_order(a, n->in[0], &h, &wd, &c);
    if (!demand_order(l, n, &in, order, h, wd, c))
        return false;
    int64_t mg = w.q->dims[1], out_c = mg * g.group;
    if (w.n > 1 && (w.axis != 1 || w.n != mg))
        return diag_error(l->cx, E209, at_node(l->g, n), "use axis 1 for the weights of a transposed convolution",
                          "%lld weight scales on axis %d", (long long)w.n, w.axis);
    struct phases y = transpose_phases(g.in_h, g.out_h, g.kernel_h, g.stride_h, g.dilation_h, g.pad_top);
    struct phases x = transpose_phases(g.in_w, g.out_w, g.kernel_w, g.stride_w, g.dilation_w, g.pad_left);
    bool depthwise = g.group == c && mg == 1 && c > 1;
    int64_t count = y.factor * x.factor, all = out_c * count, per = depthwise ? out_c : mg;
    struct product p = { .out_c = all, .per_out = y.kernel * x.kernel * (depthwise ? 1 : c / g.group) };
    p.weights = arena_array(a, int16_t, all * p.per_out);
    double *w_scale = arena_array(a, double, all), *bias = arena_array(a, double, all), *own = arena_array(a, double, out_c);
    if (!transpose_weights(l, n, &w, &g, &y, &x, depthwise, &p) || !read_bias(l, n, n->n_in > 2 ? n->in[2] : NULL, out_c, 1, own))
        return false;
    for (int64_t i = 0; i < all; i++) {
        int64_t m = i / (per * count) * per + i % per; // see interleave
        w_scale[i] = w.scale[w.n > 1 ? m % mg : 0];
        bias[i] = own[m];
    }
    p.w_scale = w_scale;
    p.bias = bias;
    struct window_geometry geo = conv_geometry(&y, &x, depthwise ? all : g.group);
    int from = depthwise ? copies(l, e, in.stream, &y, &x, h, wd, c, count, 0, 0) : in.stream;
    int64_t macs = g.in_h * g.in_w * c * mg * g.kernel_h * g.kernel_w;
    int s = from < 0 ? -1 : phase_conv(l, e, &in, from, &geo, depthwise, depthwise ? all : c, &p, macs);
    return s >= 0 && interleave(l, e, s, &y, &x, per);
}

// ---- linear Resize by integers ----

// One axis of linear interpolation by an integer factor: phase f of output pixel i is the sum of
// weight[f][k] / divisor times input pixel i + low + k.
struct taps {
    int64_t factor, low, count, divisor;
    int64_t (*weight)[3];
};

// Numerators from the coordinates of ONNX's Resize: half_pixel (o + 1/2) / f - 1/2, asymmetric o / f.
static bool linear_taps(struct arena *a, const struct node *n, int axis, struct taps *t)
{
    int64_t in = n->in[0]->dims[axis], out = n->out[0]->dims[axis], f = out / in;
    const char *mode = node_string(n, "coordinate_transformation_mode", "half_pixel");
    bool half = strcmp(mode, "asymmetric") != 0;
    *t = (struct taps){ .factor = f, .low = half && f > 1 ? -1 : 0, .divisor = half ? 2 * f : f };
    if (f < 1 || out % in)
        return false;
    t->count = f == 1 ? 1 : half ? 3 : 2;
    t->weight = arena_alloc(a, (size_t)f * sizeof *t->weight);
    memset(t->weight, 0, (size_t)f * sizeof *t->weight);
    for (int64_t p = 0; p < f; p++) {
        int64_t num = half ? 2 * p + 1 - f : p, floor = num < 0 ? -1 : 0, rest = num - floor * t->divisor;
        t->weight[p][floor - t->low] += t->divisor - rest;
        if (rest)
            t->weight[p][floor - t->low + 1] += rest;
    }
    if (half && (f % 2 || f == 1)) { // all even
        t->divisor = f;
        for (int64_t p = 0; p < f; p++)
            for (int k = 0; k < 3; k++)
                t->weight[p][k] /= 2;
    }
    // what the node says, with its clamping at the edges
    for (int64_t o = 0; o < out; o++) {
        int64_t i0, i1;
        double part, value = 0, own = 0;
        resize_linear_taps(n, axis, o, &i0, &i1, &part);
        for (int64_t k = 0; k < t->count; k++) {
            int64_t i = max_i64(0, min_i64(in - 1, o / f + t->low + k));
            own += (double)(t->weight[o % f][k] * i);
        }
        value = (1 - part) * (double)i0 + part * (double)i1;
        if (fabs(own / (double)t->divisor - value) > 1e-6)
            return false;
    }
    return true;
}

static struct phases resize_phases(int64_t in, const struct taps *t)
{
    return (struct phases){ .factor = t->factor, .in = in + t->count - 1, .kernel = t->count, .outs = in };
}

bool lower_resize_linear(struct lowering *l, const struct expression *e)
{
    const struct node *n = e->main;
    struct arena *a = l->cx->arena;
    struct source in;
    int64_t h, w, c;
    struct taps ty = { .factor = 1, .count = 1, .divisor = 1, .weight = &(int64_t[1][3]){ { 1, 0, 0 } }[0] }, tx = ty;
    if (!resolve_source(l, n, n->in[0], &in) || !single_image(l, n))
        return false;
    int rank = n->in[0]->rank;
    bool known = (rank == 3 || rank == 4) && strcmp(node_string(n, "mode", "nearest"), "linear") == 0 && node_int(n, "antialias", 0) == 0 &&
                 n->in[0]->dims[1] == n->out[0]->dims[1] && (rank == 3 || linear_taps(a, n, 2, &ty)) && linear_taps(a, n, rank - 1, &tx);
    for (int64_t i = 0; known && i < ty.factor * tx.factor * 9; i++)
        known = weight_range_ok(l, n, ty.weight[i / 9 / tx.factor][i % 3] * tx.weight[i / 9 % tx.factor][i / 3 % 3]);
    if (!known)
        return diag_error(l->cx, E202, at_node(l->g, n), "interpolate nearest, or linear by integer factors of at most 8 with half_pixel or asymmetric coordinates",
                          "a Resize from %s to %s that hardware cannot do", shape_text(a, rank, n->in[0]->dims), shape_text(a, rank, n->out[0]->dims));
    const int32_t *order = image_order(a, n->in[0], &h, &w, &c);
    if (!demand_order(l, n, &in, order, h, w, c))
        return false;
    struct phases y = resize_phases(h, &ty), x = resize_phases(w, &tx);
    int64_t count = y.factor * x.factor, all = c * count;
    struct product p = { .out_c = all, .per_out = ty.count * tx.count };
    p.weights = arena_array(a, int16_t, all * p.per_out);
    double *w_scale = arena_array(a, double, all);
    p.bias = arena_array(a, double, all);
    for (int64_t i = 0; i < all; i++) {
        w_scale[i] = 1 / (double)(ty.divisor * tx.divisor);
        for (int64_t k = 0; k < p.per_out; k++)
            p.weights[i * p.per_out + k] = (int16_t)(ty.weight[i / c / x.factor][k / tx.count] * tx.weight[i / c % x.factor][k % tx.count]);
    }
    p.w_scale = w_scale;
    struct window_geometry geo = conv_geometry(&y, &x, all);
    int from = copies(l, e, in.stream, &y, &x, h, w, c, count, -ty.low, -tx.low);
    int s = from < 0 ? -1 : phase_conv(l, e, &in, from, &geo, true, all, &p, h * w * all * p.per_out);
    return s >= 0 && interleave(l, e, s, &y, &x, c);
}

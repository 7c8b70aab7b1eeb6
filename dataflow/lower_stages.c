// SPDX-License-Identifier: Apache-2.0
// lower_stages: one function per operator that becomes a stage.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/lower_internal.h"
#include "dataflow/move.h"
#include "dataflow/unary.h"
#include "frontend/simplify.h"

bool read_constant(struct lowering *l, const struct node *reader, const struct tensor *t, const char *what, struct constant *out)
{
    struct arena *a = l->cx->arena;
    const struct node *dq = t->producer;
    if (!dq || dq->op != OP_DequantizeLinear || !dq->in[0]->data || !dq->in[1]->data ||
        (dq->n_in > 2 && dq->in[2] && !dq->in[2]->data))
        return diag_emit(l->cx, (struct diag_msg){ .code = t->data ? E209 : E206, .where = at_node(l->g, reader),
                         .found = arena_printf(a, "'%s'", t->name), .need = "a DequantizeLinear of constants",
                         .help = "quantize weights too; weights computed at run time are not supported" },
                         "the %s of %s is no quantized constant", what, op_info(reader->op)->name);
    int64_t n = tensor_count(dq->in[1]);
    double *scale = arena_array(a, double, n);
    int64_t *zero = arena_array(a, int64_t, n);
    for (int64_t i = 0; i < n; i++) {
        scale[i] = tensor_const_f64(dq->in[1], i);
        zero[i] = dq->n_in > 2 && dq->in[2] ? tensor_const_i64(dq->in[2], i) : 0;
        if (!(scale[i] > 0) || isinf(scale[i]))
            return diag_error(l->cx, E209, at_node(l->g, dq), "scales must be positive and finite",
                              "scale %g", scale[i]);
    }
    *out = (struct constant){ dq->in[0], n > 1 ? axis_of(node_int(dq, "axis", 1), t->rank) : 0, n, scale, zero };
    return true;
}

// ---- requantization ----

// Largest bias in accumulator steps: with the accumulator and the input's zero point on top it stays below
// 2^39, and its product with a factor of 24 bits within the 64 bits of ref_int.
#define MAX_BIAS 0x1p38

// Collects per-channel ratios and biases into the stage's requantizer. acc_lo, acc_hi bound the
// accumulator of each channel: a channel that always rounds to zero gets multiplier 0 (the same
// result) instead of an extreme shift.
static bool set_requant(struct lowering *l, const struct expression *e, struct stage *s, int n,
                        const double *ratio, const int64_t *bias, const int64_t *acc_lo, const int64_t *acc_hi)
{
    struct arena *a = l->cx->arena;
    int bits = l->mode == REQUANT_EXACT ? 24 : l->mode == REQUANT_FAST ? 17 : 1;
    int32_t *mult = arena_array(a, int32_t, n);
    int *shift = arena_array(a, int, n);
    int min = 62, max = 0, bias_bits = 1;
    for (int i = 0; i < n; i++) {
        double reach = fmax(fabs((double)(acc_lo[i] + bias[i])), fabs((double)(acc_hi[i] + bias[i])));
        if (reach * ratio[i] < 0.499)
            mult[i] = 0;
        else if (!requant_constant(ratio[i], bits, &mult[i], &shift[i]))
            return diag_error(l->cx, E209, at_node(l->g, e->q),
                              "check the scales: an accumulator step should be far below an output step",
                              "the ratio of scales %g cannot be requantized", ratio[i]);
        int b = signed_bits(bias[i], bias[i]);
        bias_bits = b > bias_bits ? b : bias_bits;
        if (mult[i]) {
            min = shift[i] < min ? shift[i] : min;
            max = shift[i] > max ? shift[i] : max;
        }
    }
    if (max < min)
        min = max;
    for (int i = 0; i < n; i++)
        if (!mult[i])
            shift[i] = min;
    s->has_requant = true;
    s->rq = (struct requant){ .n = n, .mult_bits = bits, .bias = bias, .mult = mult, .shift = shift,
                              .shift_min = min, .shift_bits = ceil_log2(max - min + 1), .bias_bits = bias_bits };
    return true;
}

// The clamp of real values lo..hi in output steps; see docs/decisions: rounding is monotone, so
// clamping after it equals clamping before.
static int clamp_step(const struct expression *e, double x, int otherwise)
{
    if (isinf(x) || isnan(x))
        return otherwise;
    double q = nearbyint(x / e->scale) + e->zero_point;
    return q < -128 ? -128 : q > 127 ? 127 : (int)q;
}

void clamp_of(const struct expression *e, int *lo, int *hi)
{
    *lo = clamp_step(e, e->lo, -128);
    *hi = clamp_step(e, e->hi, 127);
}

static void finish_requant(const struct expression *e, struct stage *s)
{
    s->rq.zero_point = e->zero_point;
    clamp_of(e, &s->rq.clamp_lo, &s->rq.clamp_hi);
}

struct stage *new_stage(struct lowering *l, enum stage_kind kind, const struct expression *e)
{
    return pipeline_add_stage(l->p, kind, e->nodes, at_node(l->g, e->main ? e->main : e->q));
}

// The stage's output stream, whose element order is that of an image of e->result's dims, but for the channels,
// which stand as `channel` says (NULL: in order).
static void finish_stage(struct lowering *l, const struct expression *e, int stage, const int32_t *channel)
{
    int64_t h, w, c;
    const int32_t *order = image_order(l->cx->arena, e->result, &h, &w, &c);
    int32_t *permuted = arena_array(l->cx->arena, int32_t, h * w * c);
    for (int64_t p = 0; p < h * w * c; p++)
        permuted[p] = order[channel ? p / c * c + channel[p % c] : p];
    struct stream *x = pipeline_add_stream(l->p, e->result->name, stage, h, w, c);
    bind_view(l, e, x->index, permuted);
}

// ---- Conv ----

// A kernel of one row over an image of one row is the same turned by 90 degrees, where the
// rows can be read in parallel.
static void turn_one_dimensional(struct window_geometry *g)
{
    if (g->in_h != 1 || g->kernel_h != 1 || g->pad_top || g->pad_bottom || g->kernel_w == 1)
        return;
    g->in_h = g->in_w;
    g->out_h = g->out_w;
    g->kernel_h = g->kernel_w;
    g->stride_h = g->stride_w;
    g->dilation_h = g->dilation_w;
    g->pad_top = g->pad_left;
    g->pad_bottom = g->pad_right;
    g->in_w = g->out_w = g->kernel_w = g->stride_w = g->dilation_w = 1;
    g->pad_left = g->pad_right = 0;
}

bool finish_product(struct lowering *l, const struct expression *e, const struct source *in, struct stage *s,
                    const struct product *p, double alpha)
{
    struct arena *a = l->cx->arena;
    int64_t *bias = arena_array(a, int64_t, p->out_c);
    int64_t *acc_lo = arena_array(a, int64_t, p->out_c), *acc_hi = arena_array(a, int64_t, p->out_c);
    double *ratio = arena_array(a, double, p->out_c);
    struct exact_channel *exact = arena_array(a, struct exact_channel, p->out_c);
    int w_bits = 2, acc_bits = 1;
    for (int64_t m = 0; m < p->out_c; m++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < p->per_out; k++) {
            int64_t w = p->weights[m * p->per_out + k];
            sum += w;
            acc_lo[m] += w > 0 ? w * -128 : w * 127;
            acc_hi[m] += w > 0 ? w * 127 : w * -128;
            w_bits = signed_bits(w, w) > w_bits ? signed_bits(w, w) : w_bits;
        }
        double step = in->scale * p->w_scale[m] * alpha;
        double b = nearbyint(p->bias[m] / step);
        if (!(fabs(b) < MAX_BIAS))
            return diag_error(l->cx, E209, at_node(l->g, e->main), "check bias and scales",
                              "bias %g is out of range for accumulator steps of %g", p->bias[m], step);
        bias[m] = (int64_t)b - in->zero_point * sum;
        ratio[m] = step / e->scale;
        exact[m] = (struct exact_channel){ ratio[m], p->bias[m] / e->scale, in->zero_point * sum, acc_lo[m], acc_hi[m] };
        int bits = signed_bits(acc_lo[m], acc_hi[m]);
        acc_bits = bits > acc_bits ? bits : acc_bits;
    }
    s->weights = p->weights;
    s->weight_bits = w_bits;
    s->acc_bits = acc_bits;
    s->pad_value = in->zero_point;
    if (!set_requant(l, e, s, (int)p->out_c, ratio, bias, acc_lo, acc_hi))
        return false;
    finish_requant(e, s);
    l->p->params += p->out_c * (p->per_out + 1);
    return !p->exact || l->mode != REQUANT_EXACT || exact_bias(l, e, s, exact);
}

bool read_bias(struct lowering *l, const struct node *n, const struct tensor *t, int64_t out_c, double beta, double *bias)
{
    if (!t)
        return true;
    const struct tensor *q = t;
    struct constant k = { .n = 0 };
    if (!t->data) {
        if (!read_constant(l, n, t, "bias", &k))
            return false;
        q = k.q;
    }
    int64_t count = tensor_count(q);
    // as many values in a column would belong to the rows of a Gemm
    if (count != 1 && (count != out_c || q->dims[q->rank - 1] != out_c))
        return diag_error(l->cx, E204, at_node(l->g, n), "a bias has one value an output channel",
                          "bias of shape %s for %lld channels", shape_text(l->cx->arena, q->rank, q->dims), (long long)out_c);
    for (int64_t m = 0; m < out_c; m++) {
        int64_t i = count == 1 ? 0 : m;
        bias[m] = tensor_const_f64(q, i);
        if (k.n)
            bias[m] = (bias[m] - (double)k.zero[k.n == 1 ? 0 : i]) * k.scale[k.n == 1 ? 0 : i];
        bias[m] *= beta;
    }
    return true;
}

// simplify.h says who makes such constants.
static bool is_exact_bias(const struct node *n)
{
    return n->n_in > 2 && n->in[2] && n->in[2]->data && n->in[2]->dtype == DT_DOUBLE;
}

bool weight_range_ok(struct lowering *l, const struct node *n, int64_t w)
{
    if (w >= -256 && w <= 255)
        return true;
    return diag_error(l->cx, E207, at_node(l->g, n), "quantize weights to int8 or uint8",
                      "weight %lld does not fit 9 bits", (long long)w);
}

bool single_image(struct lowering *l, const struct node *n)
{
    const struct tensor *x = n->in[0], *y = n->out[0];
    int64_t images = max_i64(x->dims[0], y->rank ? y->dims[0] : 1); // Resize can make more of them
    if (images == 1)
        return true;
    return diag_error(l->cx, E204, at_node(l->g, n), "export the model with batch size 1; frames follow each other in hardware",
                      "%s of %lld images at once", op_info(n->op)->name, (long long)images);
}

static void permute(struct arena *a, double *v, const int32_t *order, int64_t n)
{
    double *old = arena_array(a, double, n);
    memcpy(old, v, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = old[order[i]];
}

static bool lower_conv(struct lowering *l, const struct expression *e)
{
    const struct node *n = e->main;
    struct arena *a = l->cx->arena;
    struct source in;
    struct constant w;
    struct window_geometry geo;
    bool got_in = resolve_source(l, n, n->in[0], &in);
    if (!read_constant(l, n, n->in[1], "weight", &w) || !got_in || !window_geometry(l->cx, l->g, n, &geo) || !single_image(l, n))
        return false;
    int64_t c = n->in[0]->dims[1], out_c = n->in[1]->dims[0], cig = n->in[1]->dims[1], taps = geo.kernel_h * geo.kernel_w;
    bool depthwise = geo.group == c && out_c == c;
    // channels in another order: the weights follow, unless a group would lose its own
    const int32_t *channel = NULL;
    if (geo.group == 1 || depthwise) {
        if (!demand_image(l, n, &in, n->in[0], &channel))
            return false;
    } else {
        int64_t h, wd;
        const int32_t *order = image_order(a, n->in[0], &h, &wd, &c);
        if (!demand_order(l, n, &in, order, h, wd, c))
            return false;
    }
    struct product p = { .out_c = out_c, .per_out = taps * cig };
    p.weights = arena_array(a, int16_t, out_c * p.per_out);
    double *w_scale = arena_array(a, double, out_c), *bias = arena_array(a, double, out_c);
    if (w.n > 1 && (w.axis != 0 || w.n != out_c))
        return diag_error(l->cx, E209, at_node(l->g, n), "use axis 0 for the weights of a convolution",
                          "%lld weight scales on axis %d", (long long)w.n, w.axis);
    for (int64_t m = 0; m < out_c; m++) {
        int64_t from = depthwise ? channel[m] : m, z = w.zero[w.n > 1 ? from : 0];
        w_scale[m] = w.scale[w.n > 1 ? from : 0];
        for (int64_t ci = 0; ci < cig; ci++)
            for (int64_t t = 0; t < taps; t++) {
                int64_t from_c = channel && !depthwise ? channel[ci] : ci;
                int64_t v = tensor_const_i64(w.q, (from * cig + from_c) * taps + t) - z;
                if (!weight_range_ok(l, n, v))
                    return false;
                p.weights[(m * taps + t) * cig + ci] = (int16_t)v;
            }
    }
    p.w_scale = w_scale;
    p.bias = bias;
    p.exact = is_exact_bias(n);
    if (!read_bias(l, n, n->n_in > 2 ? n->in[2] : NULL, out_c, 1, bias))
        return false;
    if (depthwise)
        permute(a, bias, channel, out_c);
    turn_one_dimensional(&geo);
    struct stage *s = new_stage(l, depthwise ? STAGE_DW : STAGE_CONV, e);
    s->op = DW_MAC;
    s->n_in = 1;
    s->geo = geo;
    s->in_c = c;
    s->out_c = out_c;
    s->macs = geo.out_h * geo.out_w * out_c * p.per_out;
    int index = s->index;
    if (!finish_product(l, e, &in, s, &p, 1))
        return false;
    pipeline_connect(l->p, in.stream, index, 0);
    finish_stage(l, e, index, depthwise ? channel : NULL);
    return true;
}

// ---- Gemm, MatMul: a 1x1 convolution over the rows of the left matrix ----

// For each position of one input row, the column of the weight matrix; the input may arrive in any order
// within a row (a flattened image does).
static const int32_t *matrix_columns(struct lowering *l, const struct node *n, struct source *in, int64_t rows, int64_t k)
{
    bool by_rows = in->element != NULL;
    for (int64_t i = 0; by_rows && i < rows * k; i++)
        by_rows = in->element[i] / k == i / k && in->element[i] % k == in->element[i % k];
    if (!by_rows) {
        int32_t *order = arena_array(l->cx->arena, int32_t, rows * k);
        for (int64_t i = 0; i < rows * k; i++)
            order[i] = (int32_t)i;
        if (!demand_order(l, n, in, order, rows, 1, k))
            return NULL;
    }
    return in->element;
}

static bool lower_matrix(struct lowering *l, const struct expression *e)
{
    const struct node *n = e->main;
    struct arena *a = l->cx->arena;
    bool gemm = n->op == OP_Gemm, trans_b = gemm && node_int(n, "transB", 0);
    double alpha = gemm ? (double)node_float(n, "alpha", 1) : 1, beta = gemm ? (double)node_float(n, "beta", 1) : 1;
    struct source in;
    struct constant w;
    if (gemm && node_int(n, "transA", 0))
        return diag_error(l->cx, E202, at_attr(l->g, n, "transA"), "export the model with transA = 0", "transA = 1 is not supported");
    bool got_in = resolve_source(l, n, n->in[0], &in), got_weights = read_constant(l, n, n->in[1], "weight", &w);
    if (!got_in || !got_weights)
        return false;
    if (w.q->rank != 2 || !(alpha > 0))
        return diag_error(l->cx, E202, at_node(l->g, n), "weights must be one matrix, alpha positive",
                          "a product with weights of rank %d and alpha %g", w.q->rank, alpha);
    int64_t out_c = w.q->dims[trans_b ? 0 : 1], k = w.q->dims[trans_b ? 1 : 0];
    int64_t rows = tensor_count(n->in[0]) / k;
    const int32_t *column = matrix_columns(l, n, &in, rows, k);
    if (!column)
        return false;
    if (w.n > 1 && (w.axis != (trans_b ? 0 : 1) || w.n != out_c))
        return diag_error(l->cx, E209, at_node(l->g, n), "use one scale per output column",
                          "%lld weight scales on axis %d", (long long)w.n, w.axis);
    struct product p = { .out_c = out_c, .per_out = k };
    p.weights = arena_array(a, int16_t, out_c * k);
    double *w_scale = arena_array(a, double, out_c), *bias = arena_array(a, double, out_c);
    for (int64_t m = 0; m < out_c; m++) {
        w_scale[m] = w.scale[w.n > 1 ? m : 0];
        for (int64_t i = 0; i < k; i++) {
            int64_t at = trans_b ? m * k + column[i] : column[i] * out_c + m;
            int64_t v = tensor_const_i64(w.q, at) - w.zero[w.n > 1 ? m : 0];
            if (!weight_range_ok(l, n, v))
                return false;
            p.weights[m * k + i] = (int16_t)v;
        }
    }
    p.w_scale = w_scale;
    p.bias = bias;
    p.exact = is_exact_bias(n);
    if (!read_bias(l, n, gemm && n->n_in > 2 ? n->in[2] : NULL, out_c, beta, bias))
        return false;
    struct stage *s = new_stage(l, STAGE_CONV, e);
    s->n_in = 1;
    s->geo = (struct window_geometry){ .in_h = rows, .in_w = 1, .out_h = rows, .out_w = 1, .kernel_h = 1,
        .kernel_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .group = 1 };
    s->in_c = k;
    s->out_c = out_c;
    s->macs = rows * out_c * k;
    int index = s->index;
    if (!finish_product(l, e, &in, s, &p, alpha))
        return false;
    pipeline_connect(l->p, in.stream, index, 0);
    int64_t count = rows * out_c;
    int32_t *order = arena_array(a, int32_t, count);
    for (int64_t i = 0; i < count; i++)
        order[i] = (int32_t)i;
    struct stream *x = pipeline_add_stream(l->p, e->result->name, index, rows, 1, out_c);
    bind_view(l, e, x->index, order);
    return true;
}

struct window_geometry elementwise_geometry(int64_t h, int64_t w)
{
    return (struct window_geometry){ .in_h = h, .in_w = w, .out_h = h, .out_w = w, .kernel_h = 1, .kernel_w = 1, .stride_h = 1,
                                     .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .group = 1 };
}

// ---- tables ----

// Whether the per-channel function n sees the elements of `result` where they are: nothing but other functions lies between.
static bool directly_behind(const struct node *n, const struct tensor *result)
{
    int in;
    const struct tensor *t;
    for (unary_is(n, &in), t = n->in[in]; t != result; t = n->in[in]) {
        n = t->producer;
        if (!n || !unary_is(n, &in))
            return false;
    }
    return true;
}

// The axis of e->result along which e's functions vary, -1: none does, -2: reported.
static int table_axis(struct lowering *l, const struct expression *e)
{
    int axis = -1;
    for (int i = 0; i < e->n_unaries; i++) {
        const struct node *n = e->unaries[i];
        int own = unary_axis(n);
        if (own < 0)
            continue;
        if ((axis >= 0 && own != axis) || !directly_behind(n, e->result)) {
            diag_error(l->cx, E209, at_node(l->g, n), "put a QuantizeLinear and a DequantizeLinear in front of it",
                       "%s by a constant cannot follow a reshape, or one along another axis, without quantization", op_info(n->op)->name);
            return -2;
        }
        axis = own;
    }
    return axis;
}

static void fill_table(const struct expression *e, double in_scale, int in_zp, int64_t channel, int8_t *table)
{
    for (int q = -128; q <= 127; q++) {
        double x = (q - in_zp) * in_scale;
        for (int i = e->n_unaries - 1; i >= 0; i--)
            x = unary_eval(e->unaries[i], x, channel);
        x = fmin(fmax(x, e->lo), e->hi);
        double y = isnan(x) ? e->zero_point : nearbyint(x / e->scale) + e->zero_point;
        table[q & 255] = (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
    }
}

// Index along `axis` of row major element i of t.
static int64_t index_along(const struct tensor *t, int axis, int64_t i)
{
    for (int d = t->rank - 1; d > axis; d--)
        i /= t->dims[d];
    return i % t->dims[axis];
}

// Whether a channel of `count` elements of t in this order, c to a pixel, has one place along the axis.
static bool is_along(const struct tensor *t, int axis, const int32_t *element, int64_t count, int64_t c)
{
    bool is = true;
    for (int64_t p = c; is && p < count; p++)
        is = index_along(t, axis, element[p]) == index_along(t, axis, element[p % c]);
    return is;
}

// Demands of s, the source of t, that what lies along the axis is its channels: an image where they are, else a pixel for
// each place along all other axes.
static bool demand_channels(struct lowering *l, const struct node *reader, struct source *s, const struct tensor *t, int axis)
{
    struct arena *a = l->cx->arena;
    int64_t h, w, c, n = tensor_count(t), inner = 1;
    const int32_t *image = image_order(a, t, &h, &w, &c);
    if (is_along(t, axis, image, n, c))
        return demand_order(l, reader, s, image, h, w, c);
    for (int d = axis + 1; d < t->rank; d++)
        inner *= t->dims[d];
    c = t->dims[axis];
    int32_t *order = arena_array(a, int32_t, n);
    for (int64_t p = 0; p < n; p++)
        order[p] = (int32_t)((p / c / inner * c + p % c) * inner + p / c % inner);
    return demand_order(l, reader, s, order, n / c / inner, inner, c);
}

int table_stage(struct lowering *l, const struct expression *e, struct source *s)
{
    struct arena *a = l->cx->arena;
    const struct stream *in = &l->p->streams[s->stream];
    int axis = table_axis(l, e);
    if (axis == -2)
        return -1;
    if (axis >= 0 && !is_along(e->result, axis, s->element, in->h * in->w * in->c, in->c) &&
        !demand_channels(l, e->unaries[0], s, e->result, axis))
        return -1;
    in = &l->p->streams[s->stream];
    int64_t h = in->h, w = in->w, c = in->c, n_tables = axis < 0 ? 1 : c;
    int8_t *table = arena_alloc(a, (size_t)(256 * n_tables));
    for (int64_t k = 0; k < n_tables; k++)
        fill_table(e, s->scale, s->zero_point, axis < 0 ? 0 : index_along(e->result, axis, s->element[k]), table + 256 * k);
    struct stage *st = new_stage(l, STAGE_TABLE, e);
    st->n_in = 1;
    st->in_c = st->out_c = c;
    st->geo = elementwise_geometry(h, w);
    st->table = table;
    st->n_tables = n_tables;
    int index = st->index;
    pipeline_connect(l->p, s->stream, index, 0);
    return pipeline_add_stream(l->p, e->result->name, index, h, w, c)->index;
}

bool lower_table(struct lowering *l, const struct expression *e, const struct source *s)
{
    struct source src = *s;
    int64_t h, w, c;
    if (!src.element) {
        const int32_t *order = image_order(l->cx->arena, e->result, &h, &w, &c);
        if (!demand_order(l, e->q, &src, order, h, w, c))
            return false;
    }
    int x = table_stage(l, e, &src);
    if (x < 0)
        return false;
    bind_view(l, e, x, src.element);
    return true;
}

// ---- pools ----

// A window over the whole image, once.
static bool is_global(const struct window_geometry *g)
{
    return g->out_h == 1 && g->out_w == 1 && !g->pad_top && !g->pad_left && g->dilation_h == 1 && g->dilation_w == 1 &&
           g->kernel_h <= g->in_h && g->kernel_w <= g->in_w;
}

// Elements that a window starting at `from` has within 0 .. size.
static int64_t taps_within(int64_t from, int64_t kernel, int64_t dilation, int64_t size)
{
    int64_t n = 0;
    for (int64_t k = 0; k < kernel; k++)
        n += from + k * dilation >= 0 && from + k * dilation < size;
    return n;
}

// Whether some window sees nothing but padding: a dilated one may step over a small image.
static bool is_hollow(const struct window_geometry *g)
{
    bool hollow = false;
    for (int64_t y = 0; y < g->out_h; y++)
        hollow |= taps_within(y * g->stride_h - g->pad_top, g->kernel_h, g->dilation_h, g->in_h) == 0;
    for (int64_t x = 0; x < g->out_w; x++)
        hollow |= taps_within(x * g->stride_w - g->pad_left, g->kernel_w, g->dilation_w, g->in_w) == 0;
    return hollow;
}

static bool lower_max_pool(struct lowering *l, const struct expression *e, struct source *in,
                           const struct window_geometry *geo, const int32_t *channel)
{
    struct stage *s = new_stage(l, is_global(geo) ? STAGE_GAP : STAGE_DW, e);
    s->op = DW_MAX;
    s->n_in = 1;
    s->geo = *geo;
    s->in_c = s->out_c = e->result->dims[1];
    s->pad_value = -128;
    int index = s->index;
    pipeline_connect(l->p, in->stream, index, 0);
    if (same_quantization(e, in->scale, in->zero_point)) {
        finish_stage(l, e, index, channel);
        return true;
    }
    // another scale behind the pool, or a clamp: a table does it; it cannot tell the least element from none
    if (is_hollow(geo))
        return diag_error(l->cx, E202, at_attr(l->g, e->main, "dilations"), "quantize its result as its input, or pad less",
                          "MaxPool of a window that lies in the padding alone");
    int64_t h, w, c;
    const int32_t *image = image_order(l->cx->arena, e->result, &h, &w, &c);
    int32_t *order = arena_array(l->cx->arena, int32_t, h * w * c);
    for (int64_t p = 0; p < h * w * c; p++)
        order[p] = image[p / c * c + channel[p % c]];
    struct stream *x = pipeline_add_stream(l->p, e->result->name, index, h, w, c);
    x->logical = order;
    x->scale = in->scale;
    x->zero_point = in->zero_point;
    struct source pooled = *in;
    pooled.stream = x->index;
    pooled.element = order;
    return lower_table(l, e, &pooled);
}

// What ONNX divides the sum at output (y, x) by: the kernel's elements within the image, or within the padded image.
static int64_t divisor(const struct window_geometry *g, bool count_pads, int64_t y, int64_t x)
{
    int64_t top = y * g->stride_h, left = x * g->stride_w;
    if (count_pads)
        return taps_within(top, g->kernel_h, g->dilation_h, g->in_h + g->pad_top + g->pad_bottom) *
               taps_within(left, g->kernel_w, g->dilation_w, g->in_w + g->pad_left + g->pad_right);
    return taps_within(top - g->pad_top, g->kernel_h, g->dilation_h, g->in_h) *
           taps_within(left - g->pad_left, g->kernel_w, g->dilation_w, g->in_w);
}

static bool lower_average(struct lowering *l, const struct expression *e, struct source *in,
                          const struct window_geometry *geo, const int32_t *channel)
{
    struct arena *a = l->cx->arena;
    bool count_pads = node_int(e->main, "count_include_pad", 0), even = true;
    int64_t pixels = geo->out_h * geo->out_w, taps = geo->kernel_h * geo->kernel_w;
    double *ratio = arena_array(a, double, pixels);
    int64_t *bias = arena_array(a, int64_t, pixels), *lo = arena_array(a, int64_t, pixels), *hi = arena_array(a, int64_t, pixels);
    for (int64_t i = 0; i < pixels; i++) {
        int64_t count = divisor(geo, count_pads, i / geo->out_w, i % geo->out_w);
        ratio[i] = in->scale / (e->scale * (double)max_i64(count, 1));
        bias[i] = -taps * in->zero_point;
        lo[i] = -128 * taps;
        hi[i] = 127 * taps;
        even &= ratio[i] == ratio[0];
    }
    struct stage *s = new_stage(l, is_global(geo) ? STAGE_GAP : STAGE_DW, e);
    s->op = DW_SUM;
    s->n_in = 1;
    s->geo = *geo;
    s->in_c = s->out_c = e->result->dims[1];
    s->pad_value = in->zero_point;
    s->acc_bits = signed_bits(lo[0], hi[0]);
    int index = s->index;
    if (!set_requant(l, e, s, even ? 1 : (int)pixels, ratio, bias, lo, hi))
        return false;
    s->rq.by_pixel = !even;
    finish_requant(e, s);
    pipeline_connect(l->p, in->stream, index, 0);
    finish_stage(l, e, index, channel);
    return true;
}

// The root of a sum of powers, of the order that n asks for.
static double norm_of(int64_t order, int64_t sum)
{
    return order == 2 ? sqrt((double)sum) : (double)sum;
}

// All that happens to a sum, as thresholds: the least sums that give each element. The sums are at most `most`; what is
// never reached has a threshold beyond. Found by bisection, so that rounding is that of the function itself.
static const int64_t *norm_thresholds(struct lowering *l, const struct expression *e, int64_t order, double in_scale, int64_t most)
{
    int64_t *t = arena_array(l->cx->arena, int64_t, 256);
    int lo, hi;
    clamp_of(e, &lo, &hi);
    for (int k = 1; k < 256; k++) {
        int64_t below = k > 1 ? t[k - 1] - 1 : -1, reached = most + 1;
        while (reached - below > 1) {
            int64_t sum = below + (reached - below) / 2;
            double y = fmin(nearbyint(norm_of(order, sum) * in_scale / e->scale) + e->zero_point, hi);
            *(fmax(y, lo) >= k - 128 ? &reached : &below) = sum;
        }
        t[k] = reached;
    }
    return t;
}

static bool lower_norm(struct lowering *l, const struct expression *e, struct source *in, const struct window_geometry *geo, const int32_t *channel)
{
    int64_t order = node_int(e->main, "p", 2), furthest = max_i64(in->zero_point + 128, 127 - in->zero_point);
    if (order != 1 && order != 2)
        return diag_error(l->cx, E202, at_attr(l->g, e->main, "p"), "p of 1 and 2 run in hardware", "%s of order %lld",
                          op_info(e->main->op)->name, (long long)order);
    int64_t most = geo->kernel_h * geo->kernel_w * (order == 2 ? furthest * furthest : furthest);
    struct stage *s = new_stage(l, is_global(geo) ? STAGE_GAP : STAGE_DW, e);
    s->op = order == 2 ? DW_SQUARE : DW_ABS;
    s->n_in = 1;
    s->geo = *geo;
    s->in_c = s->out_c = e->result->dims[1];
    s->pad_value = in->zero_point;
    s->acc_bits = signed_bits(0, most);
    s->thresholds = norm_thresholds(l, e, order, in->scale, most);
    int index = s->index;
    pipeline_connect(l->p, in->stream, index, 0);
    finish_stage(l, e, index, channel);
    return true;
}

bool lower_pool_of(struct lowering *l, const struct expression *e, struct source *in)
{
    const struct node *n = e->main;
    struct window_geometry geo;
    const int32_t *channel;
    if (n->n_out > 1)
        return diag_error(l->cx, E202, at_node(l->g, n), NULL, "the indices of %s: hardware gives maxima alone", op_info(n->op)->name);
    if (!window_geometry(l->cx, l->g, n, &geo) || !single_image(l, n) || !demand_image(l, n, in, n->in[0], &channel))
        return false;
    turn_one_dimensional(&geo);
    bool max = n->op == OP_MaxPool || n->op == OP_GlobalMaxPool;
    if (n->op == OP_LpPool || n->op == OP_GlobalLpPool)
        return lower_norm(l, e, in, &geo, channel);
    return max ? lower_max_pool(l, e, in, &geo, channel) : lower_average(l, e, in, &geo, channel);
}

static bool lower_pool(struct lowering *l, const struct expression *e)
{
    struct source in;
    return resolve_source(l, e->main, e->main->in[0], &in) && lower_pool_of(l, e, &in);
}

bool lower_main(struct lowering *l, const struct expression *e)
{
    switch ((int)e->main->op) {
    case OP_Conv: return lower_conv(l, e);
    case OP_Gemm:
    case OP_MatMul: return lower_matrix(l, e);
    case OP_MaxPool:
    case OP_AveragePool:
    case OP_LpPool:
    case OP_GlobalMaxPool:
    case OP_GlobalLpPool:
    case OP_GlobalAveragePool: return lower_pool(l, e);
    case OP_ConvTranspose: return lower_conv_transpose(l, e);
    case OP_Resize: return lower_resize_linear(l, e);
    case OP_Concat: return lower_concat(l, e);
    case OP_Add:
    case OP_Sub:
    case OP_Mul: return lower_binary(l, e);
    default:
        if (op_info(e->main->op)->support == OP_NONE)
            return false; // lower_graph has named it already
        if ((e->main->op == OP_Quant || e->main->op == OP_BipolarQuant) && !simplify_quant_fits(l->cx, l->g, e->main))
            return false;
        return diag_emit(l->cx, (struct diag_msg){ .code = E201, .where = at_node(l->g, e->main),
                         .help = "`aihls ops` lists what runs in hardware and what on the host" },
                         "%s cannot run in hardware here", op_info(e->main->op)->name);
    }
}

// SPDX-License-Identifier: Apache-2.0
// quant: float graphs into QDQ form. Which tensors get a QuantizeLinear: the model's input, and the result
// of every operator that hardware computes, except where the next operator swallows it (Relu and
// Clip become clamps) or only moves its elements (Reshape, Slice, nearest Resize, …).
#include "dataflow/quant.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/move.h"
#include "dataflow/unary.h"
#include "frontend/shape.h"
#include "sim/ref_float.h"

#define HISTOGRAM_BINS 2048
#define CLIP_CANDIDATES 64   // clip points tried on each side of the range search
#define SYNTHETIC_FRAMES 4
#define SMALLEST_CHANNEL 0x1p-16f // least weight scale of a channel, relative to the layer's largest

bool quant_is_quantized(const struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == OP_QuantizeLinear || g->nodes[i]->op == OP_DequantizeLinear)
            return true;
    return false;
}

static bool is_rename(const struct node *n)
{
    return n->op == OP_Reshape || n->op == OP_Transpose || n->op == OP_Identity;
}

static bool is_max_pool(const struct node *n)
{
    return n->op == OP_MaxPool || n->op == OP_GlobalMaxPool;
}

static bool runs_on_host(const struct node *n)
{
    return op_info(n->op)->support == OP_BORDER || is_rename(n);
}

struct tensor *quant_tail(const struct graph *g)
{
    struct tensor *t = g->outputs[0];
    while (t->producer) {
        const struct node *n = t->producer;
        if (n->op == OP_QuantizeLinear) {
            const struct tensor *f = n->in[0];
            while (f->producer && is_rename(f->producer))
                f = f->producer->in[0];
            if (f->producer && !runs_on_host(f->producer))
                return t;
        } else if (!runs_on_host(n)) {
            return t;
        }
        t = n->in[0];
    }
    return t;
}

// ---- frames ----

int64_t batch_frames(const struct graph *g, const struct array *batch)
{
    const struct tensor *in = g->inputs[0];
    bool lacks_axis = batch->rank == in->rank && in->rank > 0 && batch->dims[0] != 1 && in->dims[0] != 1 && batch->dims[0] == in->dims[0];
    return lacks_axis || batch->rank == 0 ? 1 : batch->dims[0];
}

bool batch_frame(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch,
                 int64_t i, struct array *out)
{
    const struct tensor *in = g->inputs[0];
    int64_t frames = batch_frames(g, batch), total = array_count(batch), per = frames ? total / frames : 0;
    bool fits = i < frames && per == tensor_count(in) && batch->rank >= 1;
    // every dimension behind the frames' must agree; other ranks (flattened frames) need the same count
    int more = batch->rank - in->rank;
    for (int d = 1; fits && (more == 0 || more == 1) && d < batch->rank; d++)
        fits = batch->dims[d] == in->dims[d - more];
    if (!fits)
        return diag_emit(cx, (struct diag_msg){ .code = E104, .where = file,
                         .found = shape_text(cx->arena, batch->rank, batch->dims),
                         .need = arena_printf(cx->arena, "frames of %s, the shape of input '%s'",
                                              shape_text(cx->arena, in->rank, in->dims), in->name),
                         .help = "the first axis counts frames" },
                         "the array does not fit the model's input");
    if (batch->dtype != in->dtype) {
        bool widens = in->dtype == DT_FLOAT;
        if (!widens)
            return diag_emit(cx, (struct diag_msg){ .code = E104, .where = file, .found = dtype_name(batch->dtype),
                             .need = dtype_name(in->dtype) }, "the array's element type is not that of the model's input");
    }
    *out = array_new(cx->arena, in->dtype, in->rank, in->dims);
    if (batch->dtype == in->dtype) {
        size_t bytes = (size_t)per * dtype_bytes(in->dtype);
        memcpy(out->data, (const char *)batch->data + (size_t)i * bytes, bytes);
    } else {
        for (int64_t k = 0; k < per; k++)
            array_set_f64(out, k, array_f64(batch, i * per + k));
    }
    return true;
}

// ---- which tensors ----

// The activation function that hardware folds into t's producer, or NULL.
static struct node *swallowing_clamp(const struct graph *g, const struct tensor *t)
{
    double lo, hi;
    struct node *next = tensor_sole_consumer(g, t);
    bool unary_producer = t->producer && op_info(t->producer->op)->support == OP_HARDWARE &&
                          !is_max_pool(t->producer);
    return next && unary_producer && unary_clamp(next, &lo, &hi) ? next : NULL;
}

// Tensors behind `tail` run on the host.
static void mark_behind(const struct graph *g, const struct tensor *tail, bool *behind)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        bool b = false;
        for (int k = 0; k < n->n_in; k++)
            b |= n->in[k] && (n->in[k] == tail || behind[n->in[k]->index]);
        for (int k = 0; b && k < n->n_out; k++)
            behind[n->out[k]->index] = true;
    }
}

static bool wants_quantization(const struct graph *g, const struct tensor *t, const struct tensor *tail)
{
    if (t->data || t->dtype != DT_FLOAT)
        return false;
    if (!t->producer)
        return t == g->inputs[0];
    if ((is_rename(t->producer) || move_is(t->producer)) && t != tail)
        return false;
    return !swallowing_clamp(g, t);
}

// ---- calibration ----

struct observation {
    double lo, hi;
    int64_t *bins; // HISTOGRAM_BINS over [lo, hi]
};

static bool observe(const struct ctx *cx, const struct graph *g, const struct array *frame, const bool *wanted,
                    struct observation *obs, bool second_pass)
{
    struct arena scratch = { 0 };
    struct array *values = arena_array(&scratch, struct array, g->n_tensors);
    bool ok = ref_float_graph(cx, g, &scratch, frame, values);
    for (int i = 0; ok && i < g->n_tensors; i++) {
        if (!wanted[i])
            continue;
        const struct array *v = g->tensors[i] == g->inputs[0] ? frame : &values[i];
        struct observation *o = &obs[i];
        int64_t n = array_count(v);
        const float *x = v->data;
        for (int64_t k = 0; k < n; k++) {
            double y = (double)x[k];
            if (!isfinite(y))
                continue;
            if (!second_pass) {
                o->lo = y < o->lo ? y : o->lo;
                o->hi = y > o->hi ? y : o->hi;
            } else if (o->hi > o->lo) {
                int bin = (int)((y - o->lo) / (o->hi - o->lo) * HISTOGRAM_BINS);
                o->bins[bin < 0 ? 0 : bin >= HISTOGRAM_BINS ? HISTOGRAM_BINS - 1 : bin]++;
            }
        }
    }
    arena_release(&scratch);
    return ok;
}

// Mean square error, up to a constant factor, of quantizing the histogram to 256 steps of [lo, hi]:
// a uniform error of step^2 / 12 inside, the squared distance outside.
static double clip_error(const struct observation *o, double lo, double hi)
{
    double step = (hi - lo) / 255, width = (o->hi - o->lo) / HISTOGRAM_BINS, error = 0;
    for (int b = 0; b < HISTOGRAM_BINS; b++) {
        if (!o->bins[b])
            continue;
        double x = o->lo + (b + 0.5) * width;
        double out = x < lo ? lo - x : x > hi ? x - hi : 0;
        error += (double)o->bins[b] * (out * out + step * step / 12);
    }
    return error;
}

// The clip points of least mean square error: each side is searched while the other stays.
static void search_clip(const struct observation *o, double *lo, double *hi)
{
    *lo = o->lo;
    *hi = o->hi;
    for (int round = 0; round < 2; round++) {
        double best = clip_error(o, *lo, *hi), best_hi = *hi, best_lo = *lo;
        for (int i = 1; i < CLIP_CANDIDATES; i++) {
            double h = o->hi * i / CLIP_CANDIDATES, e;
            if (h > *lo && (e = clip_error(o, *lo, h)) < best) {
                best = e;
                best_hi = h;
            }
        }
        *hi = best_hi;
        for (int i = 1; o->lo < 0 && i < CLIP_CANDIDATES; i++) {
            double l = o->lo * i / CLIP_CANDIDATES, e;
            if (l < *hi && (e = clip_error(o, l, *hi)) < best) {
                best = e;
                best_lo = l;
            }
        }
        *lo = best_lo;
    }
}

// Frames when there is no data: uniform noise in [-1, 1], from a fixed linear congruential generator
// (Knuth, The Art of Computer Programming 2, 3.3.4: MMIX).
static struct array synthetic_batch(struct arena *a, const struct tensor *in)
{
    int64_t dims[MAX_RANK];
    memcpy(dims, in->dims, sizeof dims);
    dims[0] = SYNTHETIC_FRAMES;
    struct array x = array_new(a, DT_FLOAT, in->rank, dims);
    uint64_t state = 1;
    float *v = x.data;
    for (int64_t i = 0; i < array_count(&x); i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        v[i] = (float)((double)(state >> 40) / (double)(1 << 23) - 1);
    }
    return x;
}

static bool measure_ranges(const struct ctx *cx, const struct graph *g, const struct array *calib,
                           const bool *wanted, const struct tensor *tail, struct quant_ranges *ranges)
{
    struct observation *obs = arena_array(cx->arena, struct observation, g->n_tensors);
    for (int i = 0; i < g->n_tensors; i++)
        if (wanted[i])
            obs[i].bins = arena_array(cx->arena, int64_t, HISTOGRAM_BINS);
    int64_t frames = batch_frames(g, calib);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t f = 0; f < frames; f++) {
            struct array frame;
            if (!batch_frame(cx, g, "calibration data", calib, f, &frame) ||
                !observe(cx, g, &frame, wanted, obs, pass == 1))
                return false;
        }
    for (int i = 0; i < g->n_tensors; i++) {
        if (!wanted[i])
            continue;
        struct quant_range r = { g->tensors[i]->name, obs[i].lo, obs[i].hi };
        if (g->tensors[i] != tail && r.hi > r.lo)
            search_clip(&obs[i], &r.lo, &r.hi);
        arena_push(cx->arena, ranges->items, ranges->n, ranges->cap, r);
    }
    return true;
}

// ---- rewriting ----

static struct tensor *scalar(struct graph *g, const char *name, enum dtype t, double v)
{
    void *data = arena_alloc(g->arena, 8);
    if (t == DT_FLOAT)
        *(float *)data = (float)v;
    else
        *(int8_t *)data = (int8_t)v;
    return graph_add_const(g, name, t, 0, NULL, data);
}

// Puts QuantizeLinear and DequantizeLinear behind t; readers read the result.
static void insert_pair(struct graph *g, struct tensor *t, const struct quant_range *r)
{
    double lo = fmin(r->lo, 0), hi = fmax(r->hi, 0);
    float s = (float)((hi - lo) / 255);
    if (!(s > 0) || !isfinite(s))
        s = 1;
    double z = nearbyint(-128 - lo / (double)s);
    z = z < -128 ? -128 : z > 127 ? 127 : z;
    const char *base = t->name;
    struct arena *a = g->arena;
    struct tensor *scale = scalar(g, arena_printf(a, "%s_scale", base), DT_FLOAT, (double)s);
    struct tensor *zero = scalar(g, arena_printf(a, "%s_zero_point", base), DT_INT8, z);
    struct tensor *q = graph_add_tensor(g, arena_printf(a, "%s_q", base), DT_INT8, t->rank, t->dims);
    struct tensor *dq = graph_add_tensor(g, arena_printf(a, "%s_dq", base), DT_FLOAT, t->rank, t->dims);
    graph_replace_uses(g, t, dq);
    struct node *before = NULL;
    int at = t->producer ? t->producer->index + 1 : 0;
    if (at < g->n_nodes)
        before = g->nodes[at];
    struct tensor *q_in[] = { t, scale, zero }, *dq_in[] = { q, scale, zero };
    const char *q_name = arena_printf(a, "%s_quantize", base), *d_name = arena_printf(a, "%s_dequantize", base);
    if (before) {
        graph_insert_node(g, before, OP_QuantizeLinear, q_name, 3, q_in, 1, &q);
        graph_insert_node(g, before, OP_DequantizeLinear, d_name, 3, dq_in, 1, &dq);
    } else {
        graph_add_node(g, OP_QuantizeLinear, q_name, 3, q_in, 1, &q);
        graph_add_node(g, OP_DequantizeLinear, d_name, 3, dq_in, 1, &dq);
    }
}

// The weights of n (input 1) become int8, one symmetric scale a channel of `axis`.
static void quantize_weights(struct graph *g, struct node *n, int axis)
{
    struct arena *a = g->arena;
    const struct tensor *w = n->in[1];
    int64_t channels = w->dims[axis], count = tensor_count(w), inner = 1;
    for (int d = axis + 1; d < w->rank; d++)
        inner *= w->dims[d];
    float *scale = arena_array(a, float, channels);
    int8_t *q = arena_array(a, int8_t, count);
    for (int64_t i = 0; i < count; i++) {
        float m = (float)fabs(tensor_const_f64(w, i)) / 127;
        int64_t c = i / inner % channels;
        scale[c] = m > scale[c] ? m : scale[c];
    }
    // A channel that is all but zero beside the others keeps a scale at which its bias is still a
    // reasonable number of steps.
    float largest = 0;
    for (int64_t c = 0; c < channels; c++)
        largest = scale[c] > largest ? scale[c] : largest;
    for (int64_t c = 0; c < channels; c++)
        scale[c] = largest > 0 ? fmaxf(scale[c], largest * SMALLEST_CHANNEL) : 1;
    for (int64_t i = 0; i < count; i++) {
        double v = nearbyint(tensor_const_f64(w, i) / (double)scale[i / inner % channels]);
        q[i] = (int8_t)(v < -127 ? -127 : v > 127 ? 127 : v);
    }
    struct tensor *qt = graph_add_const(g, arena_printf(a, "%s_q", w->name), DT_INT8, w->rank, w->dims, q);
    struct tensor *st = graph_add_const(g, arena_printf(a, "%s_scale", w->name), DT_FLOAT, 1, &channels, scale);
    struct tensor *dq = graph_add_tensor(g, arena_printf(a, "%s_dq", w->name), DT_FLOAT, w->rank, w->dims);
    struct tensor *in[] = { qt, st };
    struct node *d = graph_insert_node(g, n, OP_DequantizeLinear, arena_printf(a, "%s_dequantize", w->name), 2, in, 1, &dq);
    node_set_int(g, d, "axis", axis);
    n->in[1] = dq;
}

static void quantize_all_weights(struct graph *g, const bool *behind, int n_marked)
{
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        if (n->n_in < 2 || !n->in[1] || !n->in[1]->data || n->in[1]->dtype != DT_FLOAT || n->in[1]->rank < 2)
            continue;
        if (n->out[0]->index < n_marked && behind[n->out[0]->index])
            continue;
        if (n->op == OP_Conv)
            quantize_weights(g, n, 0);
        else if (n->op == OP_ConvTranspose)
            quantize_weights(g, n, 1);
        else if (n->op == OP_Gemm)
            quantize_weights(g, n, node_int(n, "transB", 0) ? 0 : 1);
        else if (n->op == OP_MatMul)
            quantize_weights(g, n, n->in[1]->rank - 1);
    }
}

static const struct quant_range *find_range(const struct quant_ranges *r, const char *name)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->items[i].tensor, name) == 0)
            return &r->items[i];
    return NULL;
}

// The tensor whose range t takes. Operators that only choose or move keep their input's, so that their quantization is
// exact; inputs of a concatenation that nothing else reads take its result's, so that it needs no tables.
static const struct tensor *range_source(const struct graph *g, const bool *wanted, const struct tensor *t)
{
    const struct tensor *down = t;
    for (struct node *n; (n = tensor_sole_consumer(g, down)) && (n->op == OP_Concat || move_is(n) || is_rename(n)) && n->n_out == 1;) {
        down = n->out[0];
        if (n->op == OP_Concat && wanted[down->index])
            t = down;
    }
    while (t->producer && (is_max_pool(t->producer) || is_rename(t->producer) || move_is(t->producer)))
        t = t->producer->in[0];
    return t;
}

static bool check_single(const struct ctx *cx, const struct graph *g)
{
    if (g->n_inputs == 1 && g->n_outputs == 1)
        return true;
    return diag_error(cx, E211, g->file, "split the model: one input, one output",
                      "the model has %d input%s and %d output%s", g->n_inputs, g->n_inputs == 1 ? "" : "s", g->n_outputs,
                      g->n_outputs == 1 ? "" : "s");
}

bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges)
{
    if (!check_single(cx, g))
        return false;
    if (quant_is_quantized(g))
        return true;
    const struct tensor *tail = quant_tail(g);
    int n = g->n_tensors;
    bool *wanted = arena_array(cx->arena, bool, n), *behind = arena_array(cx->arena, bool, n);
    mark_behind(g, tail, behind);
    for (int i = 0; i < n; i++) {
        const struct tensor *t = g->tensors[i];
        wanted[i] = !behind[i] && wants_quantization(g, t, tail);
    }
    if (!tail->producer)
        return diag_error(cx, E210, g->file, "`aihls ops` lists the operators that run in hardware",
                          "no operator of the model can run in hardware");
    if (ranges->n == 0) {
        struct array synthetic;
        if (!calib) {
            diag_error(cx, W201, g->file, "give representative inputs with --calib FILE.npy",
                       "no calibration data: ranges come from random inputs, accuracy is unverified");
            synthetic = synthetic_batch(cx->arena, g->inputs[0]);
            calib = &synthetic;
        }
        if (!measure_ranges(cx, g, calib, wanted, tail, ranges))
            return false;
    }
    const struct quant_range **range = arena_array(cx->arena, const struct quant_range *, n);
    for (int i = 0; i < n; i++) { // before the graph changes
        if (!wanted[i])
            continue;
        range[i] = find_range(ranges, range_source(g, wanted, g->tensors[i])->name);
        if (!range[i])
            range[i] = find_range(ranges, g->tensors[i]->name);
        if (!range[i])
            return diag_error(cx, E105, g->file, "compile the model again",
                              "the stored ranges lack tensor '%s'", g->tensors[i]->name);
    }
    for (int i = 0; i < n; i++)
        if (range[i])
            insert_pair(g, g->tensors[i], range[i]);
    quantize_all_weights(g, behind, n);
    graph_verify(g);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// quant: float graphs into QDQ form. Which tensors get a QuantizeLinear: the model's inputs, and the result
// of every operator that hardware computes, except where the next operator swallows it (Relu and
// Clip become clamps) or only moves its elements (Reshape, Slice, nearest Resize, …).
#include "dataflow/quant.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/argmax.h"
#include "dataflow/move.h"
#include "dataflow/unary.h"
#include "frontend/shape.h"
#include "sim/ref_float.h"

#define KEPT_BYTES 100000000 // of values that are kept from the first look at the frames to the second
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
    return (op_info(n->op)->support == OP_BORDER && !argmax_in_hardware(n)) || is_rename(n) || node_attr(n, "resolved_host");
}

struct tensor *quant_tail(struct tensor *output)
{
    struct tensor *t = output;
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

bool *quant_hardware(const struct graph *g, struct arena *a)
{
    bool *inside = arena_array(a, bool, g->n_tensors);
    for (int i = 0; i < g->n_outputs; i++)
        inside[quant_tail(g->outputs[i])->index] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct node *n = g->nodes[i];
        bool wanted = false;
        for (int k = 0; k < n->n_out; k++)
            wanted |= n->out[k] && inside[n->out[k]->index];
        for (int k = 0; wanted && k < n->n_in; k++)
            if (n->in[k])
                inside[n->in[k]->index] = true;
    }
    return inside;
}

bool quant_host_output(const struct ctx *cx, const struct graph *g, const struct tensor *output)
{
    return diag_error(cx, E211, at_tensor(g, output), "leave it out of the model and compute it where you use it",
                      "output '%s' needs no hardware: the host alone computes it", output->name);
}

// ---- frames ----

static int64_t input_frames(const struct tensor *in, const struct array *batch)
{
    bool lacks_axis = batch->rank == in->rank && in->rank > 0 && batch->dims[0] != 1 && in->dims[0] != 1 && batch->dims[0] == in->dims[0];
    return lacks_axis || batch->rank == 0 ? 1 : batch->dims[0];
}

int64_t batch_frames(const struct graph *g, const struct array *batch)
{
    return g->n_inputs ? input_frames(g->inputs[0], &batch[0]) : 1; // a constant has no frames, and is the same in each
}

// Frame `i` of one input.
static bool input_frame(const struct ctx *cx, const struct tensor *in, const char *file, const struct array *batch,
                        int64_t i, struct array *out)
{
    int64_t frames = input_frames(in, batch), total = array_count(batch), per = frames ? total / frames : 0;
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
        bool widens = dtype_is_float(in->dtype);
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

bool batch_frame(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch,
                 int64_t i, struct array *out)
{
    for (int k = 0; k < g->n_inputs; k++)
        if (!input_frame(cx, g->inputs[k], file, &batch[k], i, &out[k]))
            return false;
    return true;
}

// Frames of zeros for an input.
static struct array zero_frames(struct arena *a, const struct tensor *in, int64_t frames)
{
    int64_t dims[MAX_RANK] = { frames };
    bool batched = in->rank > 0 && in->dims[0] == 1;
    int rank = batched || in->rank == MAX_RANK ? in->rank : in->rank + 1;
    memcpy(dims + 1, in->dims + (rank == in->rank), (size_t)(rank - 1) * sizeof *dims);
    return array_new(a, in->dtype, rank, dims);
}

bool batch_read(const struct ctx *cx, const struct graph *g, const char *path, struct array **out)
{
    struct array *x = *out = arena_array(cx->arena, struct array, g->n_inputs);
    const struct tensor *first = NULL; // that says how many frames there are
    int64_t frames = 1;
    if (g->n_inputs == 1)
        return array_read(cx, path, npz_has(path, "x") || !npz_has(path, g->inputs[0]->name) ? "x" : g->inputs[0]->name, x);
    for (int i = 0; i < g->n_inputs; i++) {
        const struct tensor *in = g->inputs[i];
        if (!tensor_uses(g, in))
            continue;
        if (!npz_read(cx, path, in->name, &x[i]))
            return false;
        int64_t n = input_frames(in, &x[i]);
        if (first && n != frames)
            return diag_emit(cx, (struct diag_msg){ .code = E104, .where = path,
                             .found = arena_printf(cx->arena, "%lld frames of '%s', %lld of '%s'", (long long)frames, first->name, (long long)n, in->name),
                             .need = "as many of each input" }, "the arrays do not belong together");
        first = in;
        frames = n;
    }
    for (int i = 0; i < g->n_inputs; i++)
        if (!tensor_uses(g, g->inputs[i]))
            x[i] = zero_frames(cx->arena, g->inputs[i], frames);
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

static bool is_tail(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_outputs; i++)
        if (quant_tail(g->outputs[i]) == t)
            return true;
    return false;
}

// Whether t's elements are compared as they are: what the clip points would make equal was not.
static bool is_compared(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_nodes; i++) {
        if (!argmax_in_hardware(g->nodes[i]))
            continue;
        const struct tensor *x = g->nodes[i]->in[0];
        while (x != t && x->producer && (is_rename(x->producer) || move_is(x->producer)))
            x = x->producer->in[0];
        if (x == t)
            return true;
    }
    return false;
}

static bool wants_quantization(const struct graph *g, const struct tensor *t)
{
    if (t->data || t->dtype != DT_FLOAT)
        return false;
    if (t->producer && (is_rename(t->producer) || move_is(t->producer)) && !is_tail(g, t))
        return false;
    return !swallowing_clamp(g, t);
}

// ---- calibration ----

struct observation {
    double lo, hi;
    int64_t *bins; // HISTOGRAM_BINS over [lo, hi]
};

// `values`: of all tensors, for one frame.
static void observe(const struct graph *g, const struct array *values, const bool *wanted, struct observation *obs, bool second_pass)
{
    for (int i = 0; i < g->n_tensors; i++) {
        if (!wanted[i])
            continue;
        struct observation *o = &obs[i];
        int64_t n = array_count(&values[i]);
        const float *x = values[i].data;
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
const struct array *quant_noise(struct arena *a, const struct graph *g)
{
    struct array *batch = arena_array(a, struct array, g->n_inputs);
    uint64_t state = 1;
    for (int k = 0; k < g->n_inputs; k++) {
        batch[k] = zero_frames(a, g->inputs[k], SYNTHETIC_FRAMES);
        for (int64_t i = 0; i < array_count(&batch[k]); i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            array_set_f64(&batch[k], i, (double)(state >> 40) / (double)(1 << 23) - 1);
        }
    }
    return batch;
}

void quant_no_data(const struct ctx *cx, const struct graph *g)
{
    diag_error(cx, W201, g->file, "give representative inputs with --calib FILE",
               "no calibration data: ranges come from random inputs, accuracy is unverified");
}

// Of all tensors that a frame computes.
static int64_t elements_of(const struct graph *g)
{
    int64_t n = 0;
    for (int i = 0; i < g->n_tensors; i++)
        n += g->tensors[i]->data ? 0 : tensor_count(g->tensors[i]);
    return n;
}

static bool measure_ranges(const struct ctx *cx, const struct graph *g, const struct array *calib,
                           const bool *wanted, struct quant_ranges *ranges)
{
    struct observation *obs = arena_array(cx->arena, struct observation, g->n_tensors);
    for (int i = 0; i < g->n_tensors; i++)
        if (wanted[i])
            obs[i].bins = arena_array(cx->arena, int64_t, HISTOGRAM_BINS);
    int64_t frames = batch_frames(g, calib);
    struct array *frame = arena_array(cx->arena, struct array, g->n_inputs);
    struct array **kept = arena_array(cx->arena, struct array *, frames); // values of the first pass
    bool keep = frames * elements_of(g) * (int64_t)sizeof(float) <= KEPT_BYTES, ok = true;
    struct arena scratch = { 0 };
    for (int pass = 0; ok && pass < 2; pass++)
        for (int64_t f = 0; ok && f < frames; f++) {
            if (!kept[f]) {
                struct array *values = arena_array(&scratch, struct array, g->n_tensors);
                ok = batch_frame(cx, g, "calibration data", calib, f, frame) && ref_float_graph(cx, g, &scratch, frame, values);
                kept[f] = values;
            }
            if (ok)
                observe(g, kept[f], wanted, obs, pass == 1);
            if (!keep) {
                kept[f] = NULL;
                arena_release(&scratch);
            }
        }
    arena_release(&scratch);
    if (!ok)
        return false;
    for (int i = 0; i < g->n_tensors; i++) {
        if (!wanted[i])
            continue;
        struct quant_range r = { g->tensors[i]->name, obs[i].lo, obs[i].hi };
        if (!is_tail(g, g->tensors[i]) && !is_compared(g, g->tensors[i]) && r.hi > r.lo)
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

// The weights of n (input 1) become int8, one symmetric scale a channel of `axis`. E209 when one is not finite.
static bool quantize_weights(const struct ctx *cx, struct graph *g, struct node *n, int axis)
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
        if (!isfinite(m))
            return diag_error(cx, E209, at_node(g, n), "was the model trained to its end?", "weight '%s' holds a value that is not finite", w->name);
        int64_t c = i / inner % channels;
        scale[c] = m > scale[c] ? m : scale[c];
    }
    // A channel that is all but zero beside the others keeps a scale at which its bias is still a
    // reasonable number of steps.
    float largest = 0;
    for (int64_t c = 0; c < channels; c++)
        largest = scale[c] > largest ? scale[c] : largest;
    for (int64_t c = 0; c < channels; c++) {
        scale[c] = fmaxf(scale[c], largest * SMALLEST_CHANNEL);
        if (!(scale[c] > 0)) // all weights are 0, or so small that this product is
            scale[c] = 1;
    }
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
    return true;
}

static bool quantize_all_weights(const struct ctx *cx, struct graph *g, const bool *inside, int n_marked)
{
    bool ok = true;
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        if (n->n_in < 2 || !n->in[1] || !n->in[1]->data || n->in[1]->dtype != DT_FLOAT || n->in[1]->rank < 2)
            continue;
        if (!n->out[0] || (n->out[0]->index < n_marked && !inside[n->out[0]->index]))
            continue;
        if (n->op == OP_Conv)
            ok &= quantize_weights(cx, g, n, 0);
        else if (n->op == OP_ConvTranspose)
            ok &= quantize_weights(cx, g, n, 1);
        else if (n->op == OP_Gemm)
            ok &= quantize_weights(cx, g, n, node_int(n, "transB", 0) ? 0 : 1);
        else if (n->op == OP_MatMul)
            ok &= quantize_weights(cx, g, n, n->in[1]->rank - 1);
    }
    return ok;
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

// Every output must come from hardware.
static bool check_outputs(const struct ctx *cx, const struct graph *g)
{
    int host = 0;
    for (int i = 0; i < g->n_outputs; i++)
        host += !quant_tail(g->outputs[i])->producer;
    if (host == g->n_outputs)
        return diag_error(cx, E210, g->file, "`aihls ops` lists the operators that run in hardware",
                          "no operator of the model can run in hardware");
    for (int i = 0; i < g->n_outputs; i++)
        if (!quant_tail(g->outputs[i])->producer)
            quant_host_output(cx, g, g->outputs[i]);
    return host == 0;
}

bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges)
{
    argmax_split(g);
    if (quant_is_quantized(g))
        return true;
    if (!check_outputs(cx, g))
        return false;
    int n = g->n_tensors;
    bool *wanted = arena_array(cx->arena, bool, n), *inside = quant_hardware(g, cx->arena);
    for (int i = 0; i < n; i++)
        wanted[i] = inside[i] && wants_quantization(g, g->tensors[i]);
    if (ranges->n == 0) {
        if (!calib) {
            quant_no_data(cx, g);
            calib = quant_noise(cx->arena, g);
        }
        if (!measure_ranges(cx, g, calib, wanted, ranges))
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
    if (!quantize_all_weights(cx, g, inside, n))
        return false;
    graph_verify(g);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// quant_range: looks at calibration frames and chooses the range of each activation.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/quant_impl.h"
#include "sim/ref_float.h"

#define KEPT_BYTES 200000000   // of values that are kept from the first look at the frames to the second, and for the fit
#define KEPT_MACS 2000000000.0 // products of one inference over all kept frames
#define CHOICE_MACS 400000000.0 // products over the frames that methods are compared on
#define HISTOGRAM_BINS 2048
#define CLIP_CANDIDATES 64 // clip points tried on each side of the range search
#define PERCENTILE 1e-4    // of the elements on each side that QUANT_PERCENTILE cuts off

struct observation {
    double lo, hi;
    int64_t *bins; // HISTOGRAM_BINS over [lo, hi]
};

struct quant_step quant_step_of(const struct quant_range *r, int bits)
{
    struct quant_step s = { .least = -(1 << (bits - 1)), .most = (1 << (bits - 1)) - 1 };
    double lo = fmin(r->lo, 0), hi = fmax(r->hi, 0);
    s.scale = (float)((hi - lo) / (s.most - s.least));
    if (!(s.scale > 0) || !isfinite(s.scale))
        s.scale = 1;
    double z = nearbyint(s.least - lo / (double)s.scale);
    s.zero = z < s.least ? s.least : z > s.most ? s.most : (int)z;
    return s;
}

// ---- the two looks at the frames ----

// `values`: of all tensors, for one frame. First the ends, then what lies between them.
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

static double bin_middle(const struct observation *o, int b)
{
    return o->lo + (b + 0.5) * (o->hi - o->lo) / HISTOGRAM_BINS;
}

double quant_products(const struct graph *g)
{
    double n = 1;
    for (int i = 0; i < g->n_nodes; i++) {
        struct quant_matrix x;
        if (quant_matrix_of(g->nodes[i], &x) && x.channels > 0)
            n += (double)tensor_count(g->nodes[i]->out[0]) * (double)tensor_count(x.weights) / (double)x.channels;
    }
    return n;
}

// How many frames may be kept: real numbers and, in the fit, quantized ones.
static int64_t frames_to_keep(const struct graph *g, int64_t frames)
{
    double elements = 1;
    for (int i = 0; i < g->n_tensors; i++)
        elements += g->tensors[i]->data ? 0 : (double)tensor_count(g->tensors[i]);
    double n = fmin(KEPT_BYTES / (2 * sizeof(float) * elements), KEPT_MACS / quant_products(g));
    return max_i64(1, min_i64(frames, n > 1e6 ? 1000000 : (int64_t)n));
}

static bool evaluate(const struct ctx *cx, const struct graph *g, const struct array *calib, int64_t f, struct arena *a, struct array **out)
{
    struct ctx inner = { a, cx->diag };
    struct array *frame = arena_array(a, struct array, g->n_inputs);
    *out = arena_array(a, struct array, g->n_tensors);
    return batch_frame(&inner, g, "calibration data", calib, f, frame) && ref_float_graph(&inner, g, a, frame, *out);
}

bool quant_frames_run(const struct ctx *cx, const struct graph *g, const struct array *batch, int64_t n, struct quant_frames *out)
{
    int64_t frames = batch_frames(g, batch);
    n = min_i64(n, frames);
    *out = (struct quant_frames){ 0, arena_array(cx->arena, struct array *, n), arena_array(cx->arena, struct arena, n) };
    bool ok = true;
    for (int64_t i = 0; ok && i < n; i++) {
        out->n++;
        ok = evaluate(cx, g, batch, i * frames / n, &out->arenas[i], &out->values[i]);
    }
    return ok;
}

void quant_frames_release(struct quant_frames *f)
{
    for (int64_t i = 0; i < f->n; i++)
        arena_release(&f->arenas[i]);
    f->n = 0;
}

// ---- methods ----

// Mean square error, up to a constant factor, of quantizing the histogram to `levels` steps of [lo, hi]:
// a uniform error of step^2 / 12 inside, the squared distance outside.
static double clip_error(const struct observation *o, double lo, double hi, int levels)
{
    double step = (hi - lo) / levels, error = 0;
    for (int b = 0; b < HISTOGRAM_BINS; b++) {
        if (!o->bins[b])
            continue;
        double x = bin_middle(o, b);
        double out = x < lo ? lo - x : x > hi ? x - hi : 0;
        error += (double)o->bins[b] * (out * out + step * step / 12);
    }
    return error;
}

// The clip points of least mean square error: each side is searched while the other stays.
static void range_mse(const struct observation *o, int levels, double *lo, double *hi)
{
    *lo = o->lo;
    *hi = o->hi;
    for (int round = 0; round < 2; round++) {
        double best = clip_error(o, *lo, *hi, levels), best_hi = *hi, best_lo = *lo;
        for (int i = 1; i < CLIP_CANDIDATES; i++) {
            double h = o->hi * i / CLIP_CANDIDATES, e;
            if (h > *lo && (e = clip_error(o, *lo, h, levels)) < best) {
                best = e;
                best_hi = h;
            }
        }
        *hi = best_hi;
        for (int i = 1; o->lo < 0 && i < CLIP_CANDIDATES; i++) {
            double l = o->lo * i / CLIP_CANDIDATES, e;
            if (l < *hi && (e = clip_error(o, l, *hi, levels)) < best) {
                best = e;
                best_lo = l;
            }
        }
        *lo = best_lo;
    }
}

// Cuts off at most PERCENTILE of the elements on each side, never 0.
static void range_percentile(const struct observation *o, double *lo, double *hi)
{
    int64_t total = 0, below = 0, above = 0;
    for (int b = 0; b < HISTOGRAM_BINS; b++)
        total += o->bins[b];
    int first = 0, last = HISTOGRAM_BINS - 1;
    double width = (o->hi - o->lo) / HISTOGRAM_BINS, most = PERCENTILE * (double)total;
    while (first < last && (double)(below += o->bins[first]) <= most)
        first++;
    while (last > first && (double)(above += o->bins[last]) <= most)
        last--;
    *lo = o->lo < 0 ? fmin(0, o->lo + first * width) : 0;
    *hi = fmax(0, o->lo + (last + 1) * width);
}

// Kullback-Leibler divergence of the histogram's bins [first, last], with what lies outside moved to the ends, from the
// same bins after quantization: each of `levels` groups of bins spread evenly over those of its bins that are not empty.
static double divergence(const struct observation *o, int first, int last, int levels)
{
    double p[HISTOGRAM_BINS] = { 0 }, q[HISTOGRAM_BINS] = { 0 }, sum_p = 0, sum_q = 0, kl = 0;
    int n = last - first + 1;
    for (int b = 0; b < n; b++)
        p[b] = (double)o->bins[first + b];
    for (int level = 0; level < levels; level++) {
        int from = (int)((int64_t)n * level / levels), to = (int)((int64_t)n * (level + 1) / levels), used = 0;
        double mass = 0;
        for (int b = from; b < to; b++) {
            mass += p[b];
            used += p[b] > 0;
        }
        for (int b = from; b < to; b++)
            q[b] = p[b] > 0 ? mass / used : 0;
        sum_q += mass;
    }
    for (int b = 0; b < first; b++)
        p[0] += (double)o->bins[b];
    for (int b = last + 1; b < HISTOGRAM_BINS; b++)
        p[n - 1] += (double)o->bins[b];
    for (int b = 0; b < n; b++)
        sum_p += p[b];
    for (int b = 0; b < n; b++)
        if (p[b] > 0) // mass that moved to an empty end has no counterpart: as if it were a thousandth of an element
            kl += p[b] / sum_p * log(p[b] / sum_p / (fmax(q[b], 1e-3) / sum_q));
    return kl;
}

// The range of least divergence among those that shrink both sides alike.
static void range_kl(const struct observation *o, int levels, double *lo, double *hi)
{
    double width = (o->hi - o->lo) / HISTOGRAM_BINS, best = INFINITY;
    *lo = o->lo;
    *hi = o->hi;
    for (int i = CLIP_CANDIDATES; i >= 1; i--) {
        double l = o->lo * i / CLIP_CANDIDATES, h = o->hi * i / CLIP_CANDIDATES;
        int first = (int)((l - o->lo) / width), last = (int)ceil((h - o->lo) / width) - 1;
        last = last >= HISTOGRAM_BINS ? HISTOGRAM_BINS - 1 : last;
        if (last - first + 1 < levels)
            break;
        double e = divergence(o, first, last, levels);
        if (e < best) {
            best = e;
            *lo = l;
            *hi = h;
        }
    }
}

static struct quant_range range_by(enum quant_method method, const struct observation *o, const char *tensor, int bits)
{
    struct quant_range r = { tensor, o->lo, o->hi, bits };
    int levels = (1 << bits) - 1;
    switch (method) {
    case QUANT_PERCENTILE: range_percentile(o, &r.lo, &r.hi); break;
    case QUANT_MSE: range_mse(o, levels, &r.lo, &r.hi); break;
    case QUANT_KL: range_kl(o, levels, &r.lo, &r.hi); break;
    case QUANT_MINMAX: break;
    case QUANT_AUTO: BUG("no method of its own");
    }
    return r;
}

// ---- the choice ----

static double distance(const float *x, const float *y, int64_t n)
{
    double d = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i]))
            d += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return d;
}

// What a product makes of `x` in the place of its input.
static bool product_of(const struct ctx *cx, const struct graph *g, const struct node *n, const struct array *x, struct array *y)
{
    struct array constant[3];
    const struct array *in[3] = { x };
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k]) {
            constant[k] = (struct array){ .dtype = n->in[k]->dtype, .rank = n->in[k]->rank, .data = (void *)(uintptr_t)n->in[k]->data };
            memcpy(constant[k].dims, n->in[k]->dims, sizeof constant[k].dims);
            in[k] = &constant[k];
        }
    return ref_float_node(cx, g, n, cx->arena, in, y);
}

static bool is_product_of_constants(const struct node *n)
{
    struct quant_matrix x;
    return quant_matrix_of(n, &x) && n->n_in <= 3 && (n->n_in < 3 || !n->in[2] || n->in[2]->data);
}

// Relative squared error that range r of tensor t makes behind the products that read it; of t itself where others do.
static double error_behind(const struct graph *g, const struct tensor *t, const struct quant_range *r, const struct array *values)
{
    struct arena scratch = { 0 };
    struct diag silent = { .quiet = true };
    struct ctx cx = { &scratch, &silent };
    const struct array *x = &values[t->index];
    const float *from = x->data;
    struct array rounded = array_new(&scratch, DT_FLOAT, t->rank, t->dims);
    float *to = rounded.data;
    struct quant_step s = quant_step_of(r, r->bits);
    int64_t count = array_count(x);
    for (int64_t i = 0; i < count; i++)
        to[i] = quant_rounded(&s, from[i]);
    double error = 0, zero = 0, own = -1;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        struct array y;
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] != t)
                continue;
            bool product = k == 0 && is_product_of_constants(n) && values[n->out[0]->index].data && product_of(&cx, g, n, &rounded, &y);
            const struct array *want = product ? &values[n->out[0]->index] : NULL;
            if (!want && own < 0) {
                float *zeros = arena_array(&scratch, float, count);
                zero = distance(zeros, from, count);
                own = zero > 0 ? distance(to, from, count) / zero : 0;
            }
            if (want) {
                float *zeros = arena_array(&scratch, float, array_count(want));
                zero = distance(zeros, want->data, array_count(want));
                error += zero > 0 ? distance(y.data, want->data, array_count(want)) / zero : 0;
            } else {
                error += own;
            }
        }
    }
    arena_release(&scratch);
    return error;
}

static struct quant_range choose(const struct graph *g, const struct tensor *t, const struct observation *o, int bits,
                                 const struct quant_frames *frames, int64_t looked_at)
{
    static const enum quant_method methods[] = { QUANT_MSE, QUANT_MINMAX, QUANT_PERCENTILE, QUANT_KL };
    struct quant_range best = { 0 };
    double least = INFINITY;
    for (int k = 0; k < 4; k++) {
        struct quant_range r = range_by(methods[k], o, t->name, bits);
        double e = 0;
        for (int64_t f = 0; f < looked_at; f++)
            e += error_behind(g, t, &r, frames->values[f * frames->n / looked_at]);
        if (k == 0 || e < least) {
            least = e;
            best = r;
        }
    }
    return best;
}

static void choose_ranges(const struct ctx *cx, const struct graph *g, const struct quant_marks *marks, const struct observation *obs,
                          const struct quant_frames *frames, struct quant_ranges *ranges)
{
    enum quant_method method = ranges->options ? ranges->options->method : QUANT_AUTO;
    if (method == QUANT_AUTO && ranges->options && ranges->options->noise)
        method = QUANT_MSE; // what stands behind noise says nothing about ranges
    struct quant_range *found = arena_array(cx->arena, struct quant_range, g->n_tensors);
    double n = CHOICE_MACS / quant_products(g);
    int64_t looked_at = max_i64(1, min_i64(frames->n, n > 1e6 ? 1000000 : (int64_t)n));
#pragma omp parallel for schedule(dynamic, 1)
    for (int i = 0; i < g->n_tensors; i++) {
        if (!marks->wanted[i])
            continue;
        const struct tensor *t = g->tensors[i];
        const struct observation *o = &obs[i];
        if (marks->whole[i] || !(o->hi > o->lo))
            found[i] = range_by(QUANT_MINMAX, o, t->name, marks->bits[i]);
        else
            found[i] = method == QUANT_AUTO ? choose(g, t, o, marks->bits[i], frames, looked_at) : range_by(method, o, t->name, marks->bits[i]);
    }
    for (int i = 0; i < g->n_tensors; i++)
        if (marks->wanted[i])
            arena_push(cx->arena, ranges->items, ranges->n, ranges->cap, found[i]);
}

bool quant_measure(const struct ctx *cx, const struct graph *g, const struct array *calib, const struct quant_marks *marks,
                   struct quant_ranges *ranges, struct quant_frames *kept)
{
    struct observation *obs = arena_array(cx->arena, struct observation, g->n_tensors);
    for (int i = 0; i < g->n_tensors; i++)
        if (marks->wanted[i])
            obs[i].bins = arena_array(cx->arena, int64_t, HISTOGRAM_BINS);
    int64_t frames = batch_frames(g, calib), keep = frames_to_keep(g, frames);
    *kept = (struct quant_frames){ 0, arena_array(cx->arena, struct array *, keep), arena_array(cx->arena, struct arena, keep) };
    bool ok = true;
    for (int pass = 0; ok && pass < 2; pass++) {
        int64_t slot = 0;
        for (int64_t f = 0; ok && f < frames; f++) {
            bool stays = slot < keep && f == slot * frames / keep;
            struct arena scratch = { 0 };
            struct array *values = stays && pass ? kept->values[slot] : NULL;
            if (!values) {
                kept->n += stays;
                ok = evaluate(cx, g, calib, f, stays ? &kept->arenas[slot] : &scratch, &values);
            }
            if (stays)
                kept->values[slot++] = values;
            if (ok)
                observe(g, values, marks->wanted, obs, pass == 1);
            arena_release(&scratch);
        }
    }
    if (ok)
        choose_ranges(cx, g, marks, obs, kept, ranges);
    return ok;
}

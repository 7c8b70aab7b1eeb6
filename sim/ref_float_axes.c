// SPDX-License-Identifier: Apache-2.0
// Windows over any number of axes and products of any element type, by definition. Images and float32 have faster ways
// (ref_float_conv.c).
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// A position along each axis.
static bool advance(int n, const int64_t *limits, int64_t *index)
{
    for (int d = n - 1; d >= 0; d--) {
        if (++index[d] < limits[d])
            return true;
        index[d] = 0;
    }
    return false;
}

static int64_t product(int n, const int64_t *v)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++)
        p *= v[i];
    return p;
}

// The element that tap `k` of the window at `o` reads, within one channel; -1: padding.
static int64_t tap_at(const struct window_axes *w, const int64_t *o, const int64_t *k)
{
    int64_t at = 0;
    for (int d = 0; d < w->spatial; d++) {
        int64_t i = o[d] * w->stride[d] - w->before[d] + k[d] * w->dilation[d];
        if (i < 0 || i >= w->in[d])
            return -1;
        at = at * w->in[d] + i;
    }
    return at;
}

// ---- convolution ----

// Zero points for each output channel (or one), 0 where there are none.
static double zero_point(const struct array *zero, int64_t channel)
{
    return !zero ? 0.0 : array_f64(zero, array_count(zero) > 1 ? channel : 0);
}

// The sum of one window in double. Padding counts as the zero point.
static double window_sum(const struct window_axes *w, const struct array *x, const struct array *weights, int64_t image_at, int64_t m,
                         const int64_t *o, double zero_x, double zero_w)
{
    int64_t cg = weights->dims[1], pixels = product(w->spatial, w->in), taps = product(w->spatial, w->kernel);
    double sum = 0.0;
    for (int64_t c = 0; c < cg; c++) {
        int64_t k[MAX_SPATIAL] = { 0 }, at_w = (m * cg + c) * taps;
        do {
            int64_t at = tap_at(w, o, k);
            if (at >= 0)
                sum += (array_f64(x, image_at + c * pixels + at) - zero_x) * (array_f64(weights, at_w) - zero_w);
            at_w++;
        } while (advance(w->spatial, w->kernel, k));
    }
    return sum;
}

static void convolve(const struct window_axes *w, const struct array *x, const struct array *weights, const struct array *bias,
                     const struct array *zero_x, const struct array *zero_w, struct array *y)
{
    int64_t channels = x->dims[1], outs = weights->dims[0], cg = weights->dims[1], mg = outs / w->group, at = 0;
    for (int64_t image = 0; image < x->dims[0]; image++)
        for (int64_t m = 0; m < outs; m++) {
            int64_t o[MAX_SPATIAL] = { 0 }, from = (image * channels + m / mg * cg) * product(w->spatial, w->in);
            do {
                double sum = window_sum(w, x, weights, from, m, o, zero_point(zero_x, 0), zero_point(zero_w, m));
                array_set_f64(y, at++, sum + (bias ? array_f64(bias, m) : 0.0));
            } while (advance(w->spatial, w->out, o));
        }
}

bool ref_conv_axes(struct ref *r)
{
    struct window_axes w;
    if (!window_axes(r->cx, r->g, r->n, &w))
        return false;
    struct array *y = ref_out(r, 0, ref_in(r, 0)->dtype);
    if (!ref_spend(r, (double)array_count(y) * (double)array_count(ref_in(r, 1))))
        return false;
    if (array_count(y))
        convolve(&w, ref_in(r, 0), ref_in(r, 1), ref_in(r, 2), NULL, NULL, y);
    return true;
}

bool ref_conv_integer(struct ref *r)
{
    struct window_axes w;
    if (!window_axes(r->cx, r->g, r->n, &w))
        return false;
    struct array *y = ref_out(r, 0, DT_INT32);
    if (!ref_spend(r, (double)array_count(y) * (double)array_count(ref_in(r, 1))))
        return false;
    if (array_count(y))
        convolve(&w, ref_in(r, 0), ref_in(r, 1), NULL, ref_in(r, 2), ref_in(r, 3), y);
    return true;
}

// Every input element goes to where its taps reach; what none reaches is the bias.
bool ref_conv_transpose_axes(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *weights = ref_in(r, 1), *bias = ref_in(r, 2);
    struct window_axes w;
    if (!conv_transpose_axes(r->cx, r->g, r->n, &w))
        return false;
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t channels = x->dims[1], cg = channels / w.group, mg = weights->dims[1], outs = mg * w.group, count = array_count(y);
    int64_t in_pixels = product(w.spatial, w.in), pixels = product(w.spatial, w.out), taps = product(w.spatial, w.kernel);
    if (!ref_spend(r, (double)array_count(x) * (double)array_count(weights)))
        return false;
    double *sum = arena_array(&r->scratch, double, count);
    for (int64_t i = 0; bias && i < count; i++)
        sum[i] = array_f64(bias, i / pixels % outs);
    // The same geometry with input and output exchanged says where a tap lies.
    struct window_axes back = w;
    memcpy(back.in, w.out, sizeof back.in);
    for (int64_t nc = 0; nc < x->dims[0] * channels; nc++) {
        int64_t i[MAX_SPATIAL] = { 0 }, at_x = nc * in_pixels, c = nc % channels;
        do {
            double v = array_f64(x, at_x++);
            for (int64_t m = 0; m < mg; m++) {
                int64_t k[MAX_SPATIAL] = { 0 }, at_w = (c * mg + m) * taps, plane = (nc / channels * outs + c / cg * mg + m) * pixels;
                do {
                    int64_t at = tap_at(&back, i, k);
                    if (at >= 0)
                        sum[plane + at] += v * array_f64(weights, at_w);
                    at_w++;
                } while (advance(w.spatial, w.kernel, k));
            }
        } while (advance(w.spatial, w.in, i));
    }
    for (int64_t i = 0; i < count; i++)
        array_set_f64(y, i, sum[i]);
    return true;
}

// ---- pools ----

// What one window gathers; taps behind the padding (ceil_mode) count nowhere.
struct pooled {
    double sum, best, norm;
    int64_t best_at, inside, padded;
};

static bool on_padding(const struct window_axes *w, const int64_t *o, const int64_t *k)
{
    for (int d = 0; d < w->spatial; d++)
        if (o[d] * w->stride[d] - w->before[d] + k[d] * w->dilation[d] >= w->in[d] + w->after[d])
            return false;
    return true;
}

static struct pooled pool_window(const struct window_axes *w, const struct array *x, int64_t plane, const int64_t *o, double p)
{
    struct pooled v = { .best = -INFINITY, .best_at = -1 };
    int64_t k[MAX_SPATIAL] = { 0 };
    do {
        int64_t at = tap_at(w, o, k);
        v.padded += on_padding(w, o, k);
        if (at < 0)
            continue;
        double e = array_f64(x, plane + at);
        v.inside++;
        v.sum += e;
        v.norm += p > 0.0 ? pow(fabs(e), p) : 0.0;
        if (v.best_at < 0 || e > v.best || isnan(e)) {
            v.best = e;
            v.best_at = at;
        }
    } while (advance(w->spatial, w->kernel, k));
    return v;
}

// Where a maximum stands, counted over the whole input; storage_order 1 counts the first spatial axis fastest.
static int64_t index_of(const struct window_axes *w, int64_t plane, int64_t at, bool column_major)
{
    if (!column_major)
        return plane + at;
    int64_t index = 0, step = product(w->spatial, w->in);
    for (int d = w->spatial - 1; d >= 0; d--) { // the last axis, fastest so far, becomes the slowest
        step /= w->in[d];
        index += at % w->in[d] * step;
        at /= w->in[d];
    }
    return plane + index;
}

bool ref_pool_axes(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    enum op op = r->n->op;
    struct window_axes w;
    if (!window_axes(r->cx, r->g, r->n, &w))
        return false;
    bool lp = op == OP_LpPool || op == OP_GlobalLpPool, max = op == OP_MaxPool || op == OP_GlobalMaxPool;
    bool count_pads = node_int(r->n, "count_include_pad", 0) != 0, column_major = node_int(r->n, "storage_order", 0) != 0;
    double p = lp ? (double)node_int(r->n, "p", 2) : 0.0;
    struct array *y = ref_out(r, 0, x->dtype), *index = r->n->n_out > 1 && r->n->out[1] ? ref_out(r, 1, DT_INT64) : NULL;
    int64_t at = 0, pixels = product(w.spatial, w.in);
    double taps = 1.0;
    for (int d = 0; d < w.spatial; d++)
        taps *= (double)w.kernel[d];
    if (!ref_spend(r, (double)array_count(y) * taps))
        return false;
    for (int64_t plane = 0; plane < x->dims[0] * x->dims[1]; plane++) {
        int64_t o[MAX_SPATIAL] = { 0 };
        do {
            struct pooled v = pool_window(&w, x, plane * pixels, o, p);
            double mean = v.sum / (double)(count_pads ? v.padded : v.inside);
            array_set_f64(y, at, lp ? pow(v.norm, 1.0 / p) : max ? v.best : mean);
            if (index)
                array_set_i64(index, at, index_of(&w, plane * pixels, v.best_at < 0 ? 0 : v.best_at, column_major));
            at++;
        } while (advance(w.spatial, w.out, o));
    }
    return true;
}

// Indices count elements of the result that MaxPool's attributes ask for; with a larger output_shape too.
bool ref_max_unpool(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1);
    const struct attr *kernel = node_attr(r->n, "kernel_shape"), *strides = node_attr(r->n, "strides"), *pads = node_attr(r->n, "pads");
    struct array *y = ref_out(r, 0, x->dtype);
    int spatial = x->rank - 2;
    int64_t pooled[MAX_RANK], dense[MAX_RANK], limit = 1;
    memcpy(pooled, x->dims, sizeof pooled);
    for (int i = 0; i < spatial; i++)
        pooled[2 + i] = (x->dims[2 + i] - 1) * (strides ? strides->ints[i] : 1) + kernel->ints[i] -
                        (pads ? pads->ints[i] + pads->ints[spatial + i] : 0);
    ref_strides(y->rank, y->dims, dense);
    limit = product(x->rank, pooled);
    for (int64_t i = 0; i < array_count(x); i++) {
        int64_t rest = array_i64(index, i), to = 0;
        if (rest < 0 || rest >= limit)
            return ref_value_error(r, "index", rest);
        for (int d = x->rank - 1; d >= 0; d--) {
            int64_t coordinate = rest % pooled[d];
            if (coordinate >= y->dims[d])
                return ref_value_error(r, "index", array_i64(index, i));
            to += coordinate * dense[d];
            rest /= pooled[d];
        }
        ref_copy(y, to, x, i);
    }
    return true;
}

// ---- matrices ----

// y[b] = a[b] b[b], of floats in double, of integers modulo 2^64; zero_a counts rows, zero_b columns.
void ref_multiply(const struct array *a, const struct array *b, int64_t batches, int64_t m, int64_t n, int64_t depth,
                  const struct array *zero_a, const struct array *zero_b, struct array *y)
{
    for (int64_t i = 0; i < batches * m * n; i++) {
        int64_t row = i / n * depth, at_b = i / (m * n) * depth * n + i % n;
        double sum = 0.0;
        uint64_t whole = 0;
        uint64_t za = zero_a ? (uint64_t)array_i64(zero_a, array_count(zero_a) > 1 ? i / n % m : 0) : 0;
        uint64_t zb = zero_b ? (uint64_t)array_i64(zero_b, array_count(zero_b) > 1 ? i % n : 0) : 0;
        for (int64_t k = 0; k < depth; k++) {
            if (dtype_is_float(a->dtype))
                sum += array_f64(a, row + k) * array_f64(b, at_b + k * n);
            else
                whole += ((uint64_t)array_i64(a, row + k) - za) * ((uint64_t)array_i64(b, at_b + k * n) - zb);
        }
        if (dtype_is_float(a->dtype))
            array_set_f64(y, i, sum);
        else
            array_set_i64(y, i, (int64_t)whole);
    }
}

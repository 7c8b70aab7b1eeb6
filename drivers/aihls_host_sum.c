// SPDX-License-Identifier: Apache-2.0
// Sums of products and of windows. All sums are taken in double, in one order.
#include <float.h>
#include <math.h>

#include "aihls_host_impl.h"

static double product(const struct aihls_view *a, int32_t at_a, int32_t step_a, const struct aihls_view *b, int32_t at_b, int32_t step_b, int32_t depth)
{
    double sum = 0;
    if (a->v->type == AIHLS_FLOAT32 && b->v->type == AIHLS_FLOAT32) { // what takes the time
        const float *x = (const float *)a->data + at_a, *y = (const float *)b->data + at_b;
        for (int32_t k = 0; k < depth; k++)
            sum += (double)x[k * step_a] * (double)y[k * step_b];
        return sum;
    }
    for (int32_t k = 0; k < depth; k++)
        sum += aihls_get(a, at_a + k * step_a) * aihls_get(b, at_b + k * step_b);
    return sum;
}

void aihls_host_matmul(const struct aihls_host_call *c)
{
    const int32_t *p = c->op->p;
    struct aihls_view a = aihls_in(c, 0), b = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t rows = p[0], columns = p[1], depth = p[2], n_batch = p[9], index[AIHLS_MAX_RANK] = { 0 }, at_a = 0, at_b = 0;
    for (int32_t i = 0; i < y.v->count; i += rows * columns) {
        for (int32_t m = 0; m < rows; m++)
            for (int32_t n = 0; n < columns; n++) {
                double v = c->op->f[0] * product(&a, at_a + m * p[3], p[4], &b, at_b + n * p[6], p[5], depth);
                aihls_set(&y, i + m * columns + n, bias.present ? v + c->op->f[1] * aihls_get(&bias, m * p[7] + n * p[8]) : v);
            }
        for (int32_t d = n_batch - 1; d >= 0; d--) {
            const int32_t *axis = p + 10 + 3 * d;
            at_a += axis[1];
            at_b += axis[2];
            if (++index[d] < axis[0])
                break;
            at_a -= axis[1] * axis[0];
            at_b -= axis[2] * axis[0];
            index[d] = 0;
        }
    }
}

// Where input k stands when the letters from `first` up to `end` count to `i`, the last one fastest.
static int32_t einsum_offset(const struct aihls_host_op *op, int32_t k, int32_t first, int32_t end, int32_t i)
{
    int32_t at = 0;
    for (int32_t l = end - 1; l >= first; l--) {
        const int32_t *letter = op->p + 2 + l * (1 + op->n_in);
        at += i % letter[0] * letter[1 + k];
        i /= letter[0];
    }
    return at;
}

void aihls_host_einsum(const struct aihls_host_call *c)
{
    struct aihls_view y = aihls_out(c, 0);
    int32_t letters = c->op->p[0], outer = c->op->p[1], inner = 1;
    for (int32_t l = outer; l < letters; l++)
        inner *= c->op->p[2 + l * (1 + c->op->n_in)];
    for (int32_t i = 0; i < y.v->count; i++) {
        double sum = 0;
        for (int32_t j = 0; j < inner; j++) {
            double v = 1;
            for (int32_t k = 0; k < c->op->n_in; k++) {
                struct aihls_view x = aihls_in(c, k);
                v *= aihls_get(&x, einsum_offset(c->op, k, 0, outer, i) + einsum_offset(c->op, k, outer, letters, j));
            }
            sum += v;
        }
        aihls_set(&y, i, sum);
    }
}

static struct aihls_host_window window(const struct aihls_host_call *c)
{
    struct aihls_host_window w;
    memcpy(&w, c->op->p, sizeof w);
    return w;
}

static int32_t volume(const int32_t *size)
{
    return size[0] * size[1] * size[2];
}

// A position of the output, from the number of its pixel.
static void position(const struct aihls_host_window *w, int32_t pixel, int32_t *o)
{
    for (int d = 2; d >= 0; pixel /= w->out[d--])
        o[d] = pixel % w->out[d];
}

// The input position that tap k of the window at o reads along axis d; -1: padding.
static int32_t tap(const struct aihls_host_window *w, int d, const int32_t *o, int32_t k)
{
    int32_t i = o[d] * w->stride[d] - w->before[d] + k * w->dilation[d];
    return i >= 0 && i < w->in[d] ? i : -1;
}

// The input position whose tap k falls on output position o, or -1.
static int32_t source(const struct aihls_host_window *w, int d, const int32_t *o, int32_t k)
{
    int32_t at = o[d] + w->before[d] - k * w->dilation[d];
    return at >= 0 && at % w->stride[d] == 0 && at / w->stride[d] < w->in[d] ? at / w->stride[d] : -1;
}

typedef int32_t reach(const struct aihls_host_window *w, int d, const int32_t *o, int32_t k);

// One channel's products with one kernel, which reads where `from` says; inline, so that `from` is no call for each product.
static inline double window_sum(const struct aihls_host_window *w, reach *from, const int32_t *o, const struct aihls_view *x, int32_t at_x, const struct aihls_view *weights,
                         int32_t at_w)
{
    double sum = 0;
    for (int32_t kz = 0; kz < w->kernel[0]; kz++) {
        int32_t iz = from(w, 0, o, kz);
        for (int32_t ky = 0; iz >= 0 && ky < w->kernel[1]; ky++) {
            int32_t iy = from(w, 1, o, ky), row = at_x + (iz * w->in[1] + iy) * w->in[2], row_w = at_w + (kz * w->kernel[1] + ky) * w->kernel[2];
            for (int32_t kx = 0; iy >= 0 && kx < w->kernel[2]; kx++) {
                int32_t ix = from(w, 2, o, kx);
                if (ix >= 0)
                    sum += aihls_get(x, row + ix) * aihls_get(weights, row_w + kx);
            }
        }
    }
    return sum;
}

void aihls_host_conv(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), weights = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t outs = weights.v->dims[0], per = weights.v->dims[1], in_pixels = volume(w.in), pixels = volume(w.out), taps = volume(w.kernel), o[3];
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t m = i / pixels % outs, base = (i / (outs * pixels) * per * w.group + m / (outs / w.group) * per) * in_pixels;
        double sum = bias.present ? aihls_get(&bias, m) : 0;
        position(&w, i % pixels, o);
        for (int32_t ch = 0; ch < per; ch++)
            sum += window_sum(&w, tap, o, &x, base + ch * in_pixels, &weights, (m * per + ch) * taps);
        aihls_set(&y, i, sum);
    }
}

void aihls_host_conv_transpose(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), weights = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t channels = weights.v->dims[0], per = channels / w.group, mg = weights.v->dims[1], outs = mg * w.group;
    int32_t in_pixels = volume(w.in), pixels = volume(w.out), taps = volume(w.kernel), o[3];
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t image = i / (outs * pixels), m = i / pixels % outs, first = m / mg * per;
        double sum = bias.present ? aihls_get(&bias, m) : 0;
        position(&w, i % pixels, o);
        for (int32_t ch = first; ch < first + per; ch++)
            sum += window_sum(&w, source, o, &x, (image * channels + ch) * in_pixels, &weights, (ch * mg + m % mg) * taps);
        aihls_set(&y, i, sum);
    }
}

// What a window gathers. Taps behind the pads, where ceil_mode reaches, count nowhere.
struct pooled {
    double best, sum;
    int32_t best_at, seen, padded;
};

// The window at o of the plane that begins at element `base`; order: of a norm, 0: none.
static struct pooled gather(const struct aihls_host_window *w, const struct aihls_view *x, int32_t base, const int32_t *o, double order)
{
    struct pooled r = { .best = -(double)FLT_MAX, .best_at = -1 };
    int32_t n = volume(w->kernel);
    for (int32_t i = 0; i < n; i++) {
        int32_t k[3] = { i / (w->kernel[1] * w->kernel[2]), i / w->kernel[2] % w->kernel[1], i % w->kernel[2] }, at = 0, inside = 1, on_pads = 1;
        for (int d = 0; d < 3; d++) {
            int32_t from = tap(w, d, o, k[d]);
            on_pads &= o[d] * w->stride[d] - w->before[d] + k[d] * w->dilation[d] < w->in[d] + w->after[d];
            inside &= from >= 0;
            at = at * w->in[d] + from;
        }
        r.padded += on_pads;
        if (!inside)
            continue;
        double v = aihls_get(x, base + at);
        r.seen++;
        r.sum += order > 0 ? pow(fabs(v), order) : v;
        if (r.best_at < 0 || v > r.best || isnan(v)) {
            r.best = v;
            r.best_at = at;
        }
    }
    return r;
}

// Where a maximum stands: counted with the last axis fastest, or with the first.
static int32_t index_of(const struct aihls_host_window *w, int32_t at, int32_t first_fastest)
{
    int32_t z = at / (w->in[1] * w->in[2]), y = at / w->in[2] % w->in[1], x = at % w->in[2];
    return first_fastest ? z + w->in[0] * (y + w->in[1] * x) : at;
}

void aihls_host_pool(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0), indices = aihls_out(c, 1);
    const int32_t *form = c->op->p + sizeof w / sizeof(int32_t);
    int32_t pixels = volume(w.out), in_pixels = volume(w.in), o[3];
    double order = form[0] == 2 ? c->op->f[0] : 0;
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t base = i / pixels * in_pixels;
        position(&w, i % pixels, o);
        struct pooled r = gather(&w, &x, base, o, order);
        aihls_set(&y, i, form[0] == 1 ? r.best : form[0] == 2 ? pow(r.sum, 1 / order) : r.sum / (form[1] ? r.padded : r.seen));
        if (indices.present)
            aihls_set(&indices, i, base + index_of(&w, r.best_at < 0 ? 0 : r.best_at, form[2]));
    }
}

// ---- reductions ----

static double step(enum aihls_function f, double sum, double v, double top)
{
    switch ((int)f) {
    case AIHLS_ReduceMax: return v > sum || isnan(v) ? v : sum;
    case AIHLS_ReduceMin: return v < sum || isnan(v) ? v : sum;
    case AIHLS_ReduceProd: return sum * v;
    case AIHLS_ReduceL1: return sum + fabs(v);
    case AIHLS_ReduceL2:
    case AIHLS_ReduceSumSquare: return sum + v * v;
    case AIHLS_ReduceLogSumExp: return sum + (isinf(top) ? exp(v) : exp(v - top));
    default: return sum + v;
    }
}

static double finish(enum aihls_function f, double sum, double top, double count)
{
    switch ((int)f) {
    case AIHLS_ReduceMean: return sum / count;
    case AIHLS_ReduceL2: return sqrt(sum);
    case AIHLS_ReduceLogSum: return log(sum);
    case AIHLS_ReduceLogSumExp: return log(sum) + (isinf(top) ? 0 : top);
    default: return sum;
    }
}

// The elements of x that result r is made of: element k of them.
static int32_t reduced_element(const struct aihls_host_value *x, int32_t mask, int32_t r, int32_t k)
{
    int32_t at = 0, stride = 1;
    for (int32_t d = x->rank - 1; d >= 0; stride *= x->dims[d--]) {
        int32_t *from = mask >> d & 1 ? &k : &r;
        at += *from % x->dims[d] * stride;
        *from /= x->dims[d];
    }
    return at;
}

void aihls_host_reduce(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    enum aihls_function f = (enum aihls_function)c->op->p[0];
    int32_t n = y.v->count ? x.v->count / y.v->count : 0;
    for (int32_t r = 0; r < y.v->count; r++) {
        double top = -INFINITY, sum = f == AIHLS_ReduceMax ? -INFINITY : f == AIHLS_ReduceMin ? INFINITY : f == AIHLS_ReduceProd;
        for (int32_t k = 0; f == AIHLS_ReduceLogSumExp && k < n; k++)
            top = fmax(top, aihls_get(&x, reduced_element(x.v, c->op->p[1], r, k)));
        for (int32_t k = 0; k < n; k++)
            sum = step(f, sum, aihls_get(&x, reduced_element(x.v, c->op->p[1], r, k)), top);
        double v = finish(f, sum, top, n);
        aihls_set(&y, r, aihls_is_integer(y.v->type) ? trunc(v) : v);
    }
}

void aihls_host_softmax(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t size = c->op->p[1], inner = c->op->p[2], form = c->op->p[3];
    for (int32_t line = 0; line < c->op->p[0] * inner; line++) {
        int32_t base = line / inner * size * inner + line % inner, best = 0;
        double top = -INFINITY, sum = 0;
        for (int32_t k = 0; k < size; k++) {
            double v = aihls_get(&x, base + k * inner);
            best = v > top ? k : best;
            top = fmax(top, v);
        }
        for (int32_t k = 0; k < size; k++)
            sum += exp(aihls_get(&x, base + k * inner) - top);
        for (int32_t k = 0; k < size; k++) {
            double v = aihls_get(&x, base + k * inner) - top;
            aihls_set(&y, base + k * inner, form == 2 ? k == best : form == 1 ? v - log(sum) : exp(v) / sum);
        }
    }
}

void aihls_host_normalize(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), scale = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0), means = aihls_out(c, 1), inverses = aihls_out(c, 2);
    int32_t n = c->op->p[0];
    for (int32_t from = 0; from < y.v->count; from += n) {
        double sum = 0, squares = 0;
        for (int32_t i = from; i < from + n; i++)
            sum += aihls_get(&x, i);
        double mean = c->op->p[3] ? 0 : sum / n;
        for (int32_t i = from; i < from + n; i++)
            squares += (aihls_get(&x, i) - mean) * (aihls_get(&x, i) - mean);
        double inverse = 1 / sqrt(squares / n + c->op->f[0]);
        for (int32_t i = from; i < from + n; i++) {
            int32_t k = i / c->op->p[1] % c->op->p[2];
            aihls_set(&y, i, (aihls_get(&x, i) - mean) * inverse * (scale.present ? aihls_get(&scale, k) : 1) + (bias.present ? aihls_get(&bias, k) : 0));
        }
        if (means.present)
            aihls_set(&means, from / n, mean);
        if (inverses.present)
            aihls_set(&inverses, from / n, inverse);
    }
}

void aihls_host_batch_norm(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), v[4] = { aihls_in(c, 1), aihls_in(c, 2), aihls_in(c, 3), aihls_in(c, 4) }, y = aihls_out(c, 0);
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t k = i / c->op->p[1] % c->op->p[0];
        aihls_set(&y, i, (aihls_get(&x, i) - aihls_get(&v[2], k)) / sqrt(aihls_get(&v[3], k) + c->op->f[0]) * aihls_get(&v[0], k) + aihls_get(&v[1], k));
    }
}

void aihls_host_lrn(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t channels = c->op->p[0], inner = c->op->p[1], size = c->op->p[2];
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t ch = i / inner % channels;
        double sum = 0;
        int32_t from = ch - (size - 1) / 2 > 0 ? ch - (size - 1) / 2 : 0, to = size / 2 < channels - ch ? ch + size / 2 : channels - 1;
        for (int32_t k = from; k <= to; k++)
            sum += aihls_get(&x, i + (k - ch) * inner) * aihls_get(&x, i + (k - ch) * inner);
        aihls_set(&y, i, aihls_get(&x, i) / pow(c->op->f[2] + c->op->f[0] * sum, c->op->f[1]));
    }
}

void aihls_host_lp_norm(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t size = c->op->p[1], inner = c->op->p[2], squares = c->op->p[3] == 2;
    for (int32_t line = 0; line < c->op->p[0] * inner; line++) {
        int32_t base = line / inner * size * inner + line % inner;
        double sum = 0;
        for (int32_t k = 0; k < size; k++) {
            double v = aihls_get(&x, base + k * inner);
            sum += squares ? v * v : fabs(v);
        }
        sum = squares ? sqrt(sum) : sum;
        for (int32_t k = 0; k < size; k++)
            aihls_set(&y, base + k * inner, sum == 0 ? 0 : aihls_get(&x, base + k * inner) / sum);
    }
}

void aihls_host_cumsum(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t size = c->op->p[1], inner = c->op->p[2], exclusive = c->op->p[3], reverse = c->op->p[4];
    for (int32_t line = 0; line < c->op->p[0] * inner; line++) {
        double sum = 0;
        for (int32_t k = 0; k < size; k++) {
            int32_t at = line / inner * size * inner + line % inner + (reverse ? size - 1 - k : k) * inner;
            double before = sum;
            sum += aihls_get(&x, at);
            aihls_set(&y, at, exclusive ? before : sum);
        }
    }
}

void aihls_host_resize(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t rank = y.v->rank, combinations = 1;
    for (int32_t d = 0; d < rank; d++)
        combinations *= c->op->p[d];
    for (int32_t i = 0; i < y.v->count; i++) {
        double sum = 0;
        for (int32_t j = 0; j < combinations; j++) {
            double share = 1;
            int32_t index = i, choice = j, at = 0, stride = 1, entry = c->op->p[rank];
            for (int32_t d = rank - 1; d >= 0 && share != 0; d--) {
                entry -= y.v->dims[d] * c->op->p[d];
                int32_t k = entry + index % y.v->dims[d] * c->op->p[d] + choice % c->op->p[d];
                share *= c->op->f[k];
                at += c->op->table[k] * stride;
                index /= y.v->dims[d];
                choice /= c->op->p[d];
                stride *= x.v->dims[d];
            }
            if (share != 0)
                sum += share * aihls_get(&x, at);
        }
        aihls_set(&y, i, sum);
    }
}

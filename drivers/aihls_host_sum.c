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

void aihls_host_conv(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), weights = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t outs = weights.v->dims[0], per = weights.v->dims[1], in_pixels = w.in_h * w.in_w, pixels = w.out_h * w.out_w;
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t image = i / (outs * pixels), m = i / pixels % outs, oy = i % pixels / w.out_w, ox = i % w.out_w;
        int32_t base = (image * per * w.group + m / (outs / w.group) * per) * in_pixels;
        double sum = bias.present ? aihls_get(&bias, m) : 0;
        for (int32_t ch = 0; ch < per; ch++)
            for (int32_t ky = 0; ky < w.kernel_h; ky++) {
                int32_t iy = oy * w.stride_h - w.pad_top + ky * w.dilation_h;
                if (iy < 0 || iy >= w.in_h)
                    continue;
                for (int32_t kx = 0; kx < w.kernel_w; kx++) {
                    int32_t ix = ox * w.stride_w - w.pad_left + kx * w.dilation_w;
                    if (ix >= 0 && ix < w.in_w)
                        sum += aihls_get(&x, base + ch * in_pixels + iy * w.in_w + ix) * aihls_get(&weights, ((m * per + ch) * w.kernel_h + ky) * w.kernel_w + kx);
                }
            }
        aihls_set(&y, i, sum);
    }
}

// The input position whose tap k falls on output position o, or -1.
static int32_t source_of(int32_t o, int32_t k, int32_t dilation, int32_t pad, int32_t stride, int32_t size)
{
    int32_t at = o + pad - k * dilation;
    return at >= 0 && at % stride == 0 && at / stride < size ? at / stride : -1;
}

void aihls_host_conv_transpose(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), weights = aihls_in(c, 1), bias = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t channels = weights.v->dims[0], per = channels / w.group, mg = weights.v->dims[1], outs = mg * w.group, in_pixels = w.in_h * w.in_w, pixels = w.out_h * w.out_w;
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t image = i / (outs * pixels), m = i / pixels % outs, oy = i % pixels / w.out_w, ox = i % w.out_w, first = m / mg * per;
        double sum = bias.present ? aihls_get(&bias, m) : 0;
        for (int32_t ch = first; ch < first + per; ch++)
            for (int32_t ky = 0; ky < w.kernel_h; ky++) {
                int32_t iy = source_of(oy, ky, w.dilation_h, w.pad_top, w.stride_h, w.in_h);
                for (int32_t kx = 0; iy >= 0 && kx < w.kernel_w; kx++) {
                    int32_t ix = source_of(ox, kx, w.dilation_w, w.pad_left, w.stride_w, w.in_w);
                    if (ix >= 0)
                        sum += aihls_get(&x, (image * channels + ch) * in_pixels + iy * w.in_w + ix) * aihls_get(&weights, ((ch * mg + m % mg) * w.kernel_h + ky) * w.kernel_w + kx);
                }
            }
        aihls_set(&y, i, sum);
    }
}

// One window of a pool, its corner at (y, x) of the plane that begins at element `base`.
static double pooled(const struct aihls_host_window *w, const struct aihls_view *x, int32_t base, int32_t top, int32_t left, const int32_t *form, double order)
{
    double best = -(double)FLT_MAX, sum = 0;
    int32_t seen = 0, padded = 0;
    for (int32_t ky = 0; ky < w->kernel_h; ky++)
        for (int32_t kx = 0; kx < w->kernel_w; kx++) {
            int32_t iy = top + ky * w->dilation_h, ix = left + kx * w->dilation_w;
            padded += iy < w->in_h + w->pad_bottom && ix < w->in_w + w->pad_right;
            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w)
                continue;
            double v = aihls_get(x, base + iy * w->in_w + ix);
            seen++;
            sum += form[0] == 2 ? pow(fabs(v), order) : v;
            best = v > best || isnan(v) ? v : best;
        }
    return form[0] == 1 ? best : form[0] == 2 ? pow(sum, 1 / order) : sum / (form[1] ? padded : seen);
}

void aihls_host_pool(const struct aihls_host_call *c)
{
    struct aihls_host_window w = window(c);
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    const int32_t *form = c->op->p + sizeof w / sizeof(int32_t);
    int32_t pixels = w.out_h * w.out_w;
    for (int32_t i = 0; i < y.v->count; i++)
        aihls_set(&y, i, pooled(&w, &x, i / pixels * w.in_h * w.in_w, i % pixels / w.out_w * w.stride_h - w.pad_top, i % w.out_w * w.stride_w - w.pad_left, form, c->op->f[0]));
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
        double mean = sum / n;
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
        aihls_set(&y, i, aihls_get(&x, i) / pow(c->op->f[2] + c->op->f[0] / size * sum, c->op->f[1]));
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
    int32_t rank = y.v->rank > 0 && y.v->rank <= AIHLS_MAX_RANK ? y.v->rank : 0; // shifts need to know
    for (int32_t i = 0; i < y.v->count; i++) {
        double sum = 0;
        for (int32_t corner = 0; corner < 1 << rank; corner++) {
            double share = 1;
            int32_t rest = i, at = 0, stride = 1, entry = 0;
            for (int32_t d = 0; d < rank; d++)
                entry += y.v->dims[d];
            for (int32_t d = rank - 1; d >= 0 && share != 0; stride *= x.v->dims[d], rest /= y.v->dims[d], d--) {
                entry -= y.v->dims[d];
                int32_t k = entry + rest % y.v->dims[d], second = corner >> d & 1;
                share *= second ? c->op->f[k] : 1 - c->op->f[k];
                at += c->op->table[2 * k + second] * stride;
            }
            if (share != 0)
                sum += share * aihls_get(&x, at);
        }
        aihls_set(&y, i, sum);
    }
}

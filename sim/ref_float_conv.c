// SPDX-License-Identifier: Apache-2.0
// Sums of products: convolution, matrices, pools.
#include <cblas.h>
#include <limits.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// C[m, n] = alpha * op(A) op(B) + beta * C, all row major. False when a size exceeds BLAS's int.
static bool sgemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                  const float *b, float beta, float *c)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return false;
    if (m == 0 || n == 0)
        return true;
    int64_t lda = ta ? m : k, ldb = tb ? k : n;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, alpha, a, (int)max_i64(lda, 1), b, (int)max_i64(ldb, 1), beta, c,
                (int)n);
    return true;
}

// BLAS takes float32 alone.
static bool all_f32(const struct ref *r)
{
    for (int k = 0; k < r->n_in; k++)
        if (r->in[k] && r->in[k]->dtype != DT_FLOAT)
            return false;
    return true;
}

static bool too_large(struct ref *r)
{
    return diag_error(r->cx, E204, at_node(r->g, r->n), NULL, "a matrix has more than 2^31 rows or columns");
}

// The output positions [*from, *to) of one kernel tap, or the taps of one output position, that fall inside an image of
// `in` pixels.
static void inside(int64_t in, int64_t out, int64_t stride, int64_t shift, int64_t *from, int64_t *to)
{
    // position o reads o * stride + shift; tap k reads k * dilation + shift
    *from = shift >= 0 ? 0 : ceil_div(-shift, stride);
    *to = in - shift <= 0 ? 0 : min_i64(out, ceil_div(in - shift, stride));
    *from = min_i64(*from, out);
    *to = max_i64(*to, *from);
}

// One channel's taps as rows of out_h * out_w pixels each.
static void im2col_channel(const struct window_geometry *w, const float *x, float *col)
{
    for (int64_t ky = 0; ky < w->kernel_h; ky++)
        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            int64_t from_y, to_y, from_x, to_x, sx = kx * w->dilation_w - w->pad_left;
            int64_t sy = ky * w->dilation_h - w->pad_top;
            inside(w->in_h, w->out_h, w->stride_h, sy, &from_y, &to_y);
            inside(w->in_w, w->out_w, w->stride_w, sx, &from_x, &to_x);
            for (int64_t oy = 0; oy < w->out_h; oy++, col += w->out_w) {
                if (oy < from_y || oy >= to_y) {
                    memset(col, 0, (size_t)w->out_w * sizeof *col);
                    continue;
                }
                const float *row = x + (oy * w->stride_h + sy) * w->in_w + sx;
                memset(col, 0, (size_t)from_x * sizeof *col);
                for (int64_t ox = from_x; ox < to_x; ox++)
                    col[ox] = row[ox * w->stride_w];
                memset(col + to_x, 0, (size_t)(w->out_w - to_x) * sizeof *col);
            }
        }
}

// y += x convolved with one kernel: a depthwise channel.
static void conv_channel(const struct window_geometry *w, const float *x, const float *kernel, float *y)
{
    for (int64_t ky = 0; ky < w->kernel_h; ky++)
        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            int64_t from_y, to_y, from_x, to_x, sx = kx * w->dilation_w - w->pad_left;
            int64_t sy = ky * w->dilation_h - w->pad_top;
            float k = kernel[ky * w->kernel_w + kx];
            inside(w->in_h, w->out_h, w->stride_h, sy, &from_y, &to_y);
            inside(w->in_w, w->out_w, w->stride_w, sx, &from_x, &to_x);
            for (int64_t oy = from_y; oy < to_y; oy++) {
                const float *row = x + (oy * w->stride_h + sy) * w->in_w + sx;
                float *to = y + oy * w->out_w;
                for (int64_t ox = from_x; ox < to_x; ox++)
                    to[ox] += k * row[ox * w->stride_w];
            }
        }
}

static bool is_pointwise(const struct window_geometry *w)
{
    return w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
           w->out_h == w->in_h && w->out_w == w->in_w && w->pad_top == 0 && w->pad_left == 0;
}

bool ref_conv(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *weights = ref_in(r, 1), *bias = ref_in(r, 2);
    struct window_geometry w;
    if (x->rank > 4 || !all_f32(r))
        return ref_conv_axes(r);
    if (!window_geometry(r->cx, r->g, r->n, &w))
        return false;
    int64_t channels = x->dims[1], outs = weights->dims[0], cg = channels / w.group, mg = outs / w.group;
    int64_t taps = w.kernel_h * w.kernel_w, pixels = w.out_h * w.out_w, in_pixels = w.in_h * w.in_w;
    bool pointwise = is_pointwise(&w);
    float *y = ref_out_f32(r, 0);
    float *col = pointwise || cg == 1 ? NULL : arena_array(&r->scratch, float, cg * taps * pixels);
    for (int64_t image = 0; image < x->dims[0]; image++)
        for (int64_t group = 0; group < w.group; group++) {
            const float *xg = ref_f32(x) + (image * channels + group * cg) * in_pixels;
            const float *wg = ref_f32(weights) + group * mg * cg * taps;
            float *yg = y + (image * outs + group * mg) * pixels;
            for (int64_t m = 0; bias && m < mg; m++)
                for (int64_t i = 0; i < pixels; i++)
                    yg[m * pixels + i] = ref_f32(bias)[group * mg + m];
            for (int64_t c = 0; col && c < cg; c++)
                im2col_channel(&w, xg + c * in_pixels, col + c * taps * pixels);
            for (int64_t m = 0; cg == 1 && m < mg; m++)
                conv_channel(&w, xg, wg + m * taps, yg + m * pixels);
            if (cg != 1 && !sgemm(false, false, mg, pixels, cg * taps, 1.0f, wg, col ? col : xg, 1.0f, yg))
                return too_large(r);
        }
    return true;
}

// Adds the products of one channel's taps, rows of in_h * in_w each, where they fall: the reverse of
// im2col_channel, for input position i and output position i * stride + shift.
static void col2im_channel(const struct window_geometry *w, const float *col, float *y)
{
    for (int64_t ky = 0; ky < w->kernel_h; ky++)
        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            int64_t from_y, to_y, from_x, to_x, sx = kx * w->dilation_w - w->pad_left;
            int64_t sy = ky * w->dilation_h - w->pad_top;
            inside(w->out_h, w->in_h, w->stride_h, sy, &from_y, &to_y);
            inside(w->out_w, w->in_w, w->stride_w, sx, &from_x, &to_x);
            for (int64_t iy = 0; iy < w->in_h; iy++, col += w->in_w)
                for (int64_t ix = from_x; iy >= from_y && iy < to_y && ix < to_x; ix++)
                    y[(iy * w->stride_h + sy) * w->out_w + ix * w->stride_w + sx] += col[ix];
        }
}

bool ref_conv_transpose(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *weights = ref_in(r, 1), *bias = ref_in(r, 2);
    struct window_geometry w;
    if (x->rank > 4 || !all_f32(r))
        return ref_conv_transpose_axes(r);
    if (!conv_transpose_geometry(r->cx, r->g, r->n, &w))
        return false;
    int64_t channels = x->dims[1], cg = channels / w.group, mg = weights->dims[1], outs = mg * w.group;
    int64_t taps = w.kernel_h * w.kernel_w, pixels = w.out_h * w.out_w, in_pixels = w.in_h * w.in_w;
    float *y = ref_out_f32(r, 0), *col = arena_array(&r->scratch, float, mg * taps * in_pixels);
    for (int64_t image = 0; image < x->dims[0]; image++)
        for (int64_t group = 0; group < w.group; group++) {
            const float *xg = ref_f32(x) + (image * channels + group * cg) * in_pixels;
            const float *wg = ref_f32(weights) + group * cg * mg * taps;
            float *yg = y + (image * outs + group * mg) * pixels;
            if (!sgemm(true, false, mg * taps, in_pixels, cg, 1.0f, wg, xg, 0.0f, col))
                return too_large(r);
            for (int64_t m = 0; m < mg; m++) {
                for (int64_t i = 0; bias && i < pixels; i++)
                    yg[m * pixels + i] = ref_f32(bias)[group * mg + m];
                col2im_channel(&w, col + m * taps * in_pixels, yg + m * pixels);
            }
        }
    return true;
}

// A matrix, transposed where `flip` says so.
static const struct array *oriented(struct ref *r, const struct array *x, bool flip)
{
    struct array *y = arena_new(&r->scratch, struct array);
    if (!flip)
        return x;
    *y = array_new(&r->scratch, x->dtype, 2, (int64_t[]){ x->dims[1], x->dims[0] });
    ref_copy_strided(x, 0, (int64_t[]){ 1, x->dims[1] }, y);
    return y;
}

// Gemm of any type; integers with the factors alpha and beta rounded towards zero at the end.
static bool gemm_any(struct ref *r, const struct array *c)
{
    const struct array *a = oriented(r, ref_in(r, 0), node_int(r->n, "transA", 0) != 0), *b = oriented(r, ref_in(r, 1), node_int(r->n, "transB", 0) != 0);
    double alpha = (double)node_float(r->n, "alpha", 1.0f), beta = (double)node_float(r->n, "beta", 1.0f);
    struct array *y = ref_out(r, 0, a->dtype), p = array_new(&r->scratch, dtype_is_float(a->dtype) ? DT_DOUBLE : a->dtype, 2, y->dims);
    const struct array *wide = c ? ref_broadcast(c, 2, y->dims, &r->scratch) : NULL;
    if (!ref_spend(r, (double)array_count(y) * (double)a->dims[1]))
        return false;
    ref_multiply(a, b, 1, a->dims[0], b->dims[1], a->dims[1], NULL, NULL, &p);
    for (int64_t i = 0; i < array_count(y); i++) {
        if (!dtype_is_float(y->dtype) && alpha == 1.0 && beta == 1.0)
            array_set_i64(y, i, (int64_t)((uint64_t)array_i64(&p, i) + (wide ? (uint64_t)array_i64(wide, i) : 0)));
        else {
            double v = alpha * array_f64(&p, i) + (wide ? beta * array_f64(wide, i) : 0.0);
            array_set_f64(y, i, dtype_is_float(y->dtype) ? v : trunc(v));
        }
    }
    return true;
}

bool ref_gemm(struct ref *r)
{
    const struct array *a = ref_in(r, 0), *b = ref_in(r, 1), *c = ref_in(r, 2);
    if (!all_f32(r))
        return gemm_any(r, c);
    bool ta = node_int(r->n, "transA", 0) != 0, tb = node_int(r->n, "transB", 0) != 0;
    float *y = ref_out_f32(r, 0), beta = node_float(r->n, "beta", 1.0f);
    const int64_t *dims = r->out[0].dims;
    if (c) {
        const struct array *wide = ref_broadcast(c, 2, dims, &r->scratch);
        for (int64_t i = 0; i < dims[0] * dims[1]; i++)
            y[i] = beta * ref_f32(wide)[i];
    }
    return sgemm(ta, tb, dims[0], dims[1], a->dims[ta ? 0 : 1], node_float(r->n, "alpha", 1.0f), ref_f32(a),
                 ref_f32(b), 1.0f, y) ||
           too_large(r);
}

// x with ones in front up to `rank`, and repeated along the batch dimensions to `batch`.
static const struct array *matrix_batch(struct ref *r, const struct array *x, bool left, int rank,
                                        const int64_t *batch)
{
    struct array *wide = arena_new(&r->scratch, struct array);
    int64_t dims[MAX_RANK];
    *wide = *x;
    if (x->rank == 1) { // a row on the left, a column on the right
        wide->rank = 2;
        wide->dims[0] = left ? 1 : x->dims[0];
        wide->dims[1] = left ? x->dims[0] : 1;
    }
    memcpy(dims, batch, (size_t)(rank - 2) * sizeof *dims);
    dims[rank - 2] = wide->dims[wide->rank - 2];
    dims[rank - 1] = wide->dims[wide->rank - 1];
    return ref_broadcast(wide, rank, dims, &r->scratch);
}

bool ref_matmul(struct ref *r)
{
    const struct array *a = ref_in(r, 0), *b = ref_in(r, 1), *zero_a = NULL, *zero_b = NULL;
    bool integer = r->n->op == OP_MatMulInteger, fast = all_f32(r);
    if (integer) {
        zero_a = ref_in(r, 2);
        zero_b = ref_in(r, 3);
    }
    int rank = a->rank > b->rank ? a->rank : b->rank;
    rank = rank < 2 ? 2 : rank;
    int64_t m = a->rank > 1 ? a->dims[a->rank - 2] : 1, k = a->dims[a->rank - 1];
    int64_t n = b->rank > 1 ? b->dims[b->rank - 1] : 1, batches = 1;
    struct array *result = ref_out(r, 0, integer ? DT_INT32 : a->dtype);
    float *y = fast ? result->data : NULL;
    for (int i = 0; i < rank - 2; i++)
        batches *= r->out[0].dims[i];
    a = matrix_batch(r, a, true, rank, r->out[0].dims);
    b = matrix_batch(r, b, false, rank, r->out[0].dims);
    if (!fast && !ref_spend(r, (double)array_count(result) * (double)k))
        return false;
    if (!fast)
        ref_multiply(a, b, batches, m, n, k, zero_a, zero_b, result);
    for (int64_t i = 0; fast && i < batches; i++)
        if (!sgemm(false, false, m, n, k, 1.0f, ref_f32(a) + i * m * k, ref_f32(b) + i * k * n, 0.0f,
                   y + i * m * n))
            return too_large(r);
    return true;
}

// ---- pools ----

// The taps of the window at (oy, ox) that fall inside the image, rows [from_y, to_y) and columns [from_x, to_x); tap (0, 0)
// reads pixel (y, x). A kernel may be much larger than the image.
struct taps {
    int64_t y, x, from_y, to_y, from_x, to_x;
};

static struct taps taps_at(const struct window_geometry *w, int64_t oy, int64_t ox)
{
    struct taps t = { .y = oy * w->stride_h - w->pad_top, .x = ox * w->stride_w - w->pad_left };
    inside(w->in_h, w->kernel_h, w->dilation_h, t.y, &t.from_y, &t.to_y);
    inside(w->in_w, w->kernel_w, w->dilation_w, t.x, &t.from_x, &t.to_x);
    return t;
}

static double tap(const struct window_geometry *w, const struct array *x, int64_t base, const struct taps *t, int64_t ky, int64_t kx)
{
    return array_f64(x, base + (t->y + ky * w->dilation_h) * w->in_w + t->x + kx * w->dilation_w);
}

// The taps that count as pixels of value 0 too: those on pads, but not what ceil_mode reaches behind them.
static int64_t padded_taps(const struct window_geometry *w, const struct taps *t)
{
    int64_t from, to_y, to_x;
    inside(w->in_h + w->pad_bottom, w->kernel_h, w->dilation_h, t->y, &from, &to_y);
    inside(w->in_w + w->pad_right, w->kernel_w, w->dilation_w, t->x, &from, &to_x);
    return to_y * to_x;
}

// One pooled value of the window at (oy, ox): the maximum, or the mean. The maximum of a window that steps over the image,
// of padding alone, is the least number there is, as in ONNX Runtime; of integers too, when it is stored.
static double pool_at(const struct window_geometry *w, const struct array *x, int64_t base, int64_t oy,
                      int64_t ox, bool max, bool count_pads)
{
    double best = -(double)FLT_MAX, sum = 0.0;
    struct taps t = taps_at(w, oy, ox);
    for (int64_t ky = t.from_y; ky < t.to_y; ky++)
        for (int64_t kx = t.from_x; kx < t.to_x; kx++) {
            double v = tap(w, x, base, &t, ky, kx);
            sum += v;
            best = v > best || isnan(v) ? v : best;
        }
    if (max)
        return best;
    return sum / (double)(count_pads ? padded_taps(w, &t) : (t.to_y - t.from_y) * (t.to_x - t.from_x));
}

// The p-norm of the window at (oy, ox). Its largest element is taken out of the root, for the powers of
// large elements have no double.
static double lp_at(const struct window_geometry *w, const struct array *x, int64_t base, int64_t oy,
                    int64_t ox, double p)
{
    double top = 0.0, sum = 0.0;
    struct taps t = taps_at(w, oy, ox);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t ky = t.from_y; ky < t.to_y; ky++)
            for (int64_t kx = t.from_x; kx < t.to_x; kx++) {
                double v = fabs(tap(w, x, base, &t, ky, kx));
                if (pass == 0)
                    top = v > top || isnan(v) ? v : top;
                else
                    sum += pow(v / top, p);
            }
    return top == 0.0 || !isfinite(top) ? top : top * pow(sum, 1.0 / p);
}

// Global pools of rank 3 and above see an image of one row.
static bool pool_geometry(struct ref *r, const struct array *x, struct window_geometry *w)
{
    if (r->n->op != OP_GlobalAveragePool && r->n->op != OP_GlobalMaxPool &&
        r->n->op != OP_QLinearGlobalAveragePool && r->n->op != OP_GlobalLpPool)
        return window_geometry(r->cx, r->g, r->n, w);
    int64_t pixels = 1;
    for (int i = 2; i < x->rank; i++)
        pixels *= x->dims[i];
    *w = (struct window_geometry){ .in_h = 1, .in_w = pixels, .out_h = 1, .out_w = 1, .kernel_h = 1,
                                   .kernel_w = pixels, .stride_h = 1, .stride_w = 1, .dilation_h = 1,
                                   .dilation_w = 1 };
    return true;
}

bool ref_pool(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    bool max = r->n->op == OP_MaxPool || r->n->op == OP_GlobalMaxPool;
    bool lp = r->n->op == OP_LpPool || r->n->op == OP_GlobalLpPool;
    bool count_pads = node_int(r->n, "count_include_pad", 0) != 0;
    double power = (double)node_int(r->n, "p", 2);
    struct window_geometry w;
    bool global = r->n->op == OP_GlobalAveragePool || r->n->op == OP_GlobalMaxPool || r->n->op == OP_GlobalLpPool;
    if ((x->rank > 4 && !global) || (r->n->n_out > 1 && r->n->out[1]))
        return ref_pool_axes(r);
    if (!pool_geometry(r, x, &w))
        return false;
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t planes = x->dims[0] * x->dims[1], at = 0;
    for (int64_t p = 0; p < planes; p++)
        for (int64_t oy = 0; oy < w.out_h; oy++)
            for (int64_t ox = 0; ox < w.out_w; ox++)
                array_set_f64(y, at++,
                              lp ? lp_at(&w, x, p * w.in_h * w.in_w, oy, ox, power)
                                 : pool_at(&w, x, p * w.in_h * w.in_w, oy, ox, max, count_pads));
    return true;
}

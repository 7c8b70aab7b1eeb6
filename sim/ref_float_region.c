// SPDX-License-Identifier: Apache-2.0
// Regions of images: RoiAlign, MaxRoiPool, GridSample, NonMaxSuppression (ONNX specification; RoiAlign after Mask R-CNN).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

// ---- RoiAlign ----

// Bilinear interpolation of the plane that begins at element `at`; 0 more than a pixel outside.
static double sample_inside(const struct array *x, int64_t at, double y, double fx, bool largest)
{
    int64_t h = x->dims[2], w = x->dims[3];
    if (!(y >= -1.0 && y <= (double)h && fx >= -1.0 && fx <= (double)w))
        return 0.0;
    y = fmin(fmax(y, 0.0), (double)(h - 1));
    fx = fmin(fmax(fx, 0.0), (double)(w - 1));
    int64_t y0 = (int64_t)y, x0 = (int64_t)fx, y1 = min_i64(y0 + 1, h - 1), x1 = min_i64(x0 + 1, w - 1);
    double ty = y - (double)y0, tx = fx - (double)x0;
    double a = (1 - ty) * (1 - tx) * array_f64(x, at + y0 * w + x0), b = (1 - ty) * tx * array_f64(x, at + y0 * w + x1);
    double c = ty * (1 - tx) * array_f64(x, at + y1 * w + x0), d = ty * tx * array_f64(x, at + y1 * w + x1);
    return largest ? fmax(fmax(a, b), fmax(c, d)) : a + b + c + d;
}

// One region's bins: where the first begins, and the length of one.
struct bins {
    double y, x, h, w;
    int64_t samples_y, samples_x;
    bool max;
};

static double align_bin(const struct array *x, int64_t at, const struct bins *b, int64_t oy, int64_t ox)
{
    double sum = 0.0, best = -INFINITY;
    for (int64_t i = 0; i < b->samples_y; i++)
        for (int64_t k = 0; k < b->samples_x; k++) {
            double y = b->y + b->h * ((double)oy + ((double)i + 0.5) / (double)b->samples_y);
            double v = sample_inside(x, at, y, b->x + b->w * ((double)ox + ((double)k + 0.5) / (double)b->samples_x), b->max);
            sum += v;
            best = fmax(best, v);
        }
    return b->max ? best : sum / (double)(b->samples_y * b->samples_x);
}

bool ref_roi_align(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *rois = ref_in(r, 1), *images = ref_in(r, 2);
    double scale = (double)node_float(r->n, "spatial_scale", 1.0f);
    // Until opset 16 coordinates were as they came; the reader marks that.
    bool half = strcmp(node_string(r->n, "coordinate_transformation_mode", "half_pixel"), "half_pixel") == 0;
    int64_t samples = node_int(r->n, "sampling_ratio", 0), channels = x->dims[1], plane = x->dims[2] * x->dims[3], at = 0;
    struct array *out = ref_out(r, 0, x->dtype);
    for (int64_t n = 0; n < rois->dims[0]; n++) {
        int64_t image = array_i64(images, n);
        double v[4], offset = half ? 0.5 : 0.0;
        if (image < 0 || image >= x->dims[0])
            return ref_value_error(r, "image", image);
        for (int k = 0; k < 4; k++)
            v[k] = array_f64(rois, n * 4 + k) * scale - offset;
        double h = half ? v[3] - v[1] : fmax(v[3] - v[1], 1.0), w = half ? v[2] - v[0] : fmax(v[2] - v[0], 1.0);
        struct bins b = { v[1], v[0], h / (double)out->dims[2], w / (double)out->dims[3], samples, samples,
                          strcmp(node_string(r->n, "mode", "avg"), "max") == 0 };
        if (!(fabs(b.h) < 0x1p16 && fabs(b.w) < 0x1p16))
            return ref_value_error(r, "region", n);
        if (samples <= 0) {
            b.samples_y = max_i64((int64_t)ceil(b.h), 1);
            b.samples_x = max_i64((int64_t)ceil(b.w), 1);
        }
        if (!ref_spend(r, (double)(channels * out->dims[2] * out->dims[3]) * (double)b.samples_y * (double)b.samples_x))
            return false;
        for (int64_t c = 0; c < channels; c++)
            for (int64_t i = 0; i < out->dims[2] * out->dims[3]; i++)
                array_set_f64(out, at++, align_bin(x, (image * channels + c) * plane, &b, i / out->dims[3], i % out->dims[3]));
    }
    return true;
}

// ---- MaxRoiPool ----

// Pixels [*from, *to) of bin k out of `bins` of the region that begins at `start`, inside an image of `size`.
static void pool_bin(double start, double length, int64_t bins, int64_t k, int64_t size, int64_t *from, int64_t *to)
{
    double bin = length / (double)bins;
    *from = (int64_t)fmin(fmax(floor((double)k * bin) + start, 0.0), (double)size);
    *to = (int64_t)fmin(fmax(ceil((double)(k + 1) * bin) + start, 0.0), (double)size);
}

bool ref_max_roi_pool(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *rois = ref_in(r, 1);
    double scale = (double)node_float(r->n, "spatial_scale", 1.0f);
    int64_t h = x->dims[2], w = x->dims[3], at = 0;
    struct array *out = ref_out(r, 0, x->dtype);
    if (!ref_spend(r, (double)array_count(out) * (double)(h * w)))
        return false;
    for (int64_t n = 0; n < rois->dims[0]; n++) {
        int64_t image = (int64_t)fmax(-1.0, fmin(array_f64(rois, n * 5), 0x1p40));
        double v[4];
        if (image < 0 || image >= x->dims[0])
            return ref_value_error(r, "image", image);
        for (int k = 0; k < 4; k++)
            v[k] = round(array_f64(rois, n * 5 + 1 + k) * scale);
        double height = fmax(v[3] - v[1] + 1.0, 1.0), width = fmax(v[2] - v[0] + 1.0, 1.0);
        for (int64_t c = 0; c < x->dims[1]; c++)
            for (int64_t i = 0; i < out->dims[2] * out->dims[3]; i++) {
                int64_t y0, y1, x0, x1;
                double best = -INFINITY;
                pool_bin(v[1], height, out->dims[2], i / out->dims[3], h, &y0, &y1);
                pool_bin(v[0], width, out->dims[3], i % out->dims[3], w, &x0, &x1);
                for (int64_t py = y0; py < y1; py++)
                    for (int64_t px = x0; px < x1; px++)
                        best = fmax(best, array_f64(x, ((image * x->dims[1] + c) * h + py) * w + px));
                array_set_f64(out, at++, y0 < y1 && x0 < x1 ? best : 0.0);
            }
    }
    return true;
}

// ---- GridSample ----

enum padding { ZEROS, BORDER, REFLECTION };

struct sampler {
    const struct array *x;
    enum padding padding;
    bool align;
};

// Into [lo, hi], mirrored at both as often as it takes.
static double reflect(double v, double lo, double hi)
{
    double range = hi - lo;
    if (range <= 0.0 || !isfinite(v))
        return lo;
    double d = fmod(fabs(v - lo), 2.0 * range);
    return lo + (d > range ? 2.0 * range - d : d);
}

static double place(const struct sampler *s, double v, int64_t size)
{
    if (s->padding == BORDER)
        return fmin(fmax(v, 0.0), (double)(size - 1));
    if (s->padding == REFLECTION)
        return s->align ? reflect(v, 0.0, (double)(size - 1)) : fmin(fmax(reflect(v, -0.5, (double)size - 0.5), 0.0), (double)(size - 1));
    return v;
}

// A pixel of the plane at `at`; outside, what the padding makes of it.
static double pixel(const struct sampler *s, int64_t at, double y, double x)
{
    int64_t h = s->x->dims[2], w = s->x->dims[3];
    y = place(s, y, h);
    x = place(s, x, w);
    if (!(y >= 0.0 && y <= (double)(h - 1) && x >= 0.0 && x <= (double)(w - 1)))
        return 0.0;
    return array_f64(s->x, at + (int64_t)y * w + (int64_t)x);
}

// Weights of the four neighbours of a point at t behind the second, with a = -0.75 as PyTorch has it.
static void cubic_weights(double t, double *k)
{
    const double a = -0.75;
    double d[4] = { 1 + t, t, 1 - t, 2 - t };
    for (int i = 0; i < 4; i++)
        k[i] = d[i] <= 1.0 ? ((a + 2) * d[i] - (a + 3)) * d[i] * d[i] + 1 : ((a * d[i] - 5 * a) * d[i] + 8 * a) * d[i] - 4 * a;
}

static double sample(const struct sampler *s, int64_t at, double y, double x, char mode)
{
    if (mode == 'n')
        return pixel(s, at, nearbyint(y), nearbyint(x));
    double y0 = floor(y), x0 = floor(x), ty = y - y0, tx = x - x0, sum = 0.0;
    double ky[4] = { 0, 1 - ty, ty, 0 }, kx[4] = { 0, 1 - tx, tx, 0 };
    if (mode == 'c') {
        cubic_weights(ty, ky);
        cubic_weights(tx, kx);
    }
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            if (ky[i] != 0.0 && kx[k] != 0.0)
                sum += ky[i] * kx[k] * pixel(s, at, y0 + i - 1, x0 + k - 1);
    return sum;
}

// From [-1, 1] to pixels: the ends are the centres of the outermost pixels, or their edges.
static double denormalize(double v, int64_t size, bool align)
{
    return align ? (v + 1.0) / 2.0 * (double)(size - 1) : ((v + 1.0) * (double)size - 1.0) / 2.0;
}

bool ref_grid_sample(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *grid = ref_in(r, 1);
    const char *padding = node_string(r->n, "padding_mode", "zeros"), *mode = node_string(r->n, "mode", "bilinear");
    struct sampler s = { x, padding[0] == 'z' ? ZEROS : padding[0] == 'b' ? BORDER : REFLECTION, node_int(r->n, "align_corners", 0) != 0 };
    char kind = strcmp(mode, "nearest") == 0 ? 'n' : strcmp(mode, "bicubic") == 0 || mode[0] == 'c' ? 'c' : 'l';
    int64_t plane = x->dims[2] * x->dims[3], points = grid->dims[1] * grid->dims[2], channels = x->dims[1];
    struct array *out = ref_out(r, 0, x->dtype);
    for (int64_t i = 0; i < x->dims[0] * channels * points; i++) {
        int64_t n = i / (channels * points), at = (n * points + i % points) * 2;
        double fx = denormalize(array_f64(grid, at), x->dims[3], s.align), fy = denormalize(array_f64(grid, at + 1), x->dims[2], s.align);
        if (kind != 'c') { // where the point itself is brought inside first
            fx = place(&s, fx, x->dims[3]);
            fy = place(&s, fy, x->dims[2]);
        }
        array_set_f64(out, i, sample(&s, i / points * plane, fy, fx, kind));
    }
    return true;
}

// ---- NonMaxSuppression ----

struct box {
    double score, y0, x0, y1, x1;
    int64_t index;
};

static int by_score(const void *a, const void *b)
{
    const struct box *p = a, *q = b;
    return p->score < q->score ? 1 : p->score > q->score ? -1 : (p->index > q->index) - (p->index < q->index);
}

// Corners in any order, or centre and size.
static struct box read_box(const struct array *boxes, int64_t at, bool centered)
{
    double v[4];
    for (int k = 0; k < 4; k++)
        v[k] = array_f64(boxes, at * 4 + k);
    if (centered)
        return (struct box){ 0, v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2, 0 };
    return (struct box){ 0, fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3]), 0 };
}

// The share of their union that two boxes have in common.
static double overlap(const struct box *a, const struct box *b)
{
    double h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0), w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0);
    double common = h > 0.0 && w > 0.0 ? h * w : 0.0;
    double all = (a->y1 - a->y0) * (a->x1 - a->x0) + (b->y1 - b->y0) * (b->x1 - b->x0) - common;
    return common > 0.0 && all > 0.0 ? common / all : 0.0;
}

// The best boxes of one class of one image, none that overlaps a better one. Their number; `list` keeps them.
static int64_t suppress(struct box *list, int64_t count, int64_t limit, double threshold)
{
    int64_t kept = 0;
    qsort(list, (size_t)count, sizeof *list, by_score);
    for (int64_t i = 0; i < count && kept < limit; i++) {
        bool free = true;
        for (int64_t k = 0; free && k < kept; k++)
            free = overlap(&list[k], &list[i]) <= threshold;
        if (free)
            list[kept++] = list[i];
    }
    return kept;
}

bool ref_non_max_suppression(struct ref *r)
{
    const struct array *boxes = ref_in(r, 0), *scores = ref_in(r, 1), *limit = ref_in(r, 2), *iou = ref_in(r, 3), *least = ref_in(r, 4);
    if (boxes->rank != 3 || boxes->dims[2] != 4 || scores->rank != 3 || scores->dims[0] != boxes->dims[0] || scores->dims[2] != boxes->dims[1])
        return ref_value_error(r, "boxes of rank", boxes->rank);
    for (int k = 2; k < r->n_in; k++)
        if (ref_in(r, k) && array_count(ref_in(r, k)) != 1)
            return ref_value_error(r, "a threshold of rank", ref_in(r, k)->rank);
    int64_t n = boxes->dims[1], most = limit ? array_i64(limit, 0) : 0, found = 0;
    if (!ref_spend(r, (double)array_count(scores) * (double)n))
        return false;
    int64_t *all = arena_array(&r->scratch, int64_t, 3 * array_count(scores));
    struct box *list = arena_array(&r->scratch, struct box, n);
    for (int64_t i = 0; i < scores->dims[0] * scores->dims[1]; i++) {
        int64_t image = i / scores->dims[1], count = 0;
        for (int64_t k = 0; k < n; k++) {
            double score = array_f64(scores, i * n + k);
            if (least && !(score > array_f64(least, 0)))
                continue;
            list[count] = read_box(boxes, image * n + k, node_int(r->n, "center_point_box", 0) != 0);
            list[count].score = score;
            list[count++].index = k;
        }
        int64_t kept = suppress(list, count, most, iou ? array_f64(iou, 0) : 0.0);
        for (int64_t k = 0; k < kept; k++, found++)
            memcpy(&all[found * 3], (int64_t[]){ image, i % scores->dims[1], list[k].index }, 3 * sizeof *all);
    }
    int64_t rows = max_i64(found, node_int(r->n, "resolved_rows", 0)), *row;
    struct array *y = ref_out_shaped(r, 0, DT_INT64, 2, (int64_t[]){ rows, 3 });
    row = y->data;
    for (int64_t i = 3 * found; i < 3 * rows; i++)
        row[i] = -1;
    if (found)
        memcpy(y->data, all, (size_t)found * 3 * sizeof *all);
    return true;
}

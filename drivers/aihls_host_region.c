// SPDX-License-Identifier: Apache-2.0
// Parts of images: GridSample, RoiAlign, MaxRoiPool. Numbers of images that are none give 0.
#include <math.h>

#include "aihls_host_impl.h"

// One plane of the image.
struct plane {
    const struct aihls_view *x;
    int32_t at, height, width;
};

static double pixel(const struct plane *p, int32_t y, int32_t x)
{
    return aihls_get(p->x, p->at + y * p->width + x);
}

static double limited(double v, double lo, double hi)
{
    return fmin(fmax(v, lo), hi);
}

// ---- GridSample ----

enum { ZEROS, BORDER, REFLECTION }; // outside of the image
enum { NEAREST, LINEAR, CUBIC };

// A coordinate brought inside of an image of `size` by turning back at its ends, which are pixels' centres or edges.
static double reflected(double v, int32_t size, int corners)
{
    double lo = corners ? 0 : -0.5, range = corners ? size - 1 : size;
    if (!(range > 0) || !isfinite(v))
        return 0;
    double d = fmod(fabs(v - lo), 2 * range);
    return limited(lo + (d > range ? 2 * range - d : d), 0, size - 1);
}

static double inside(double v, int32_t size, int32_t padding, int corners)
{
    return padding == BORDER ? limited(v, 0, size - 1) : padding == REFLECTION ? reflected(v, size, corners) : v;
}

// The pixel at whole coordinates, which may be outside.
static double padded(const struct plane *p, double y, double x, int32_t padding, int corners)
{
    y = inside(y, p->height, padding, corners);
    x = inside(x, p->width, padding, corners);
    return y >= 0 && y < p->height && x >= 0 && x < p->width ? pixel(p, (int32_t)y, (int32_t)x) : 0;
}

// What the four pixels around a point count that lies `t` behind the second of them. a = -0.75.
static void weights(double t, int32_t mode, double *w)
{
    const double a = -0.75;
    double u = 1 - t;
    if (mode == LINEAR) {
        w[0] = w[3] = 0;
        w[1] = u;
        w[2] = t;
        return;
    }
    w[0] = a * t * u * u;
    w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    w[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    w[3] = a * u * t * t;
}

static double sampled(const struct plane *p, double y, double x, const int32_t *form)
{
    int32_t mode = form[0], padding = form[1], corners = form[2];
    if (mode != CUBIC) { // the point is brought inside, else each pixel
        y = inside(y, p->height, padding, corners);
        x = inside(x, p->width, padding, corners);
    }
    if (mode == NEAREST)
        return padded(p, nearbyint(y), nearbyint(x), padding, corners);
    double wy[4], wx[4], sum = 0;
    weights(y - floor(y), mode, wy);
    weights(x - floor(x), mode, wx);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            if (wy[i] != 0 && wx[k] != 0)
                sum += wy[i] * wx[k] * padded(p, floor(y) + i - 1, floor(x) + k - 1, padding, corners);
    return sum;
}

// From -1..1 to pixels.
static double to_pixels(double v, int32_t size, int corners)
{
    return corners ? (v + 1) / 2 * (size - 1) : ((v + 1) * size - 1) / 2;
}

void aihls_host_grid_sample(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), grid = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t channels = x.v->dims[1], points = grid.v->dims[1] * grid.v->dims[2], corners = c->op->p[2];
    struct plane p = { &x, 0, x.v->dims[2], x.v->dims[3] };
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t at = (i / (channels * points) * points + i % points) * 2;
        p.at = i / points * p.height * p.width;
        aihls_set(&y, i, sampled(&p, to_pixels(aihls_get(&grid, at + 1), p.height, corners), to_pixels(aihls_get(&grid, at), p.width, corners), c->op->p));
    }
}

// ---- RoiAlign ----

// Between pixels; 0 more than one outside. largest: the largest of the four shares instead of their sum.
static double between(const struct plane *p, double y, double x, int largest)
{
    if (!(y >= -1 && y <= p->height && x >= -1 && x <= p->width))
        return 0;
    y = limited(y, 0, p->height - 1);
    x = limited(x, 0, p->width - 1);
    int32_t y0 = (int32_t)y, x0 = (int32_t)x, y1 = y0 + 1 < p->height ? y0 + 1 : y0, x1 = x0 + 1 < p->width ? x0 + 1 : x0;
    double ty = y - y0, tx = x - x0;
    double a = (1 - ty) * (1 - tx) * pixel(p, y0, x0), b = (1 - ty) * tx * pixel(p, y0, x1), c = ty * (1 - tx) * pixel(p, y1, x0), d = ty * tx * pixel(p, y1, x1);
    return largest ? fmax(fmax(a, b), fmax(c, d)) : a + b + c + d;
}

// A rectangle of the image, and into how many bins it is cut.
struct region {
    double y, x, bin_h, bin_w;
    int32_t samples_y, samples_x; // in each bin
};

// False where it is too large to be meant.
static int read_region(const struct aihls_host_call *c, const struct aihls_view *rois, int32_t n, struct region *out)
{
    const struct aihls_host_value *y = &c->values[c->op->out[0]];
    double v[4], half = c->op->p[2] ? 0.5 : 0;
    for (int k = 0; k < 4; k++)
        v[k] = aihls_get(rois, 4 * n + k) * c->op->f[0] - half;
    double h = v[3] - v[1], w = v[2] - v[0];
    if (!c->op->p[2]) {
        h = fmax(h, 1);
        w = fmax(w, 1);
    }
    *out = (struct region){ v[1], v[0], h / y->dims[2], w / y->dims[3], c->op->p[0], c->op->p[0] };
    if (!(fabs(out->bin_h) < 65536 && fabs(out->bin_w) < 65536))
        return 0;
    if (c->op->p[0] <= 0) { // one a pixel
        out->samples_y = (int32_t)fmax(ceil(out->bin_h), 1);
        out->samples_x = (int32_t)fmax(ceil(out->bin_w), 1);
    }
    return 1;
}

static double aligned(const struct plane *p, const struct region *r, int32_t oy, int32_t ox, int largest)
{
    double sum = 0, best = -INFINITY;
    for (int32_t i = 0; i < r->samples_y; i++)
        for (int32_t k = 0; k < r->samples_x; k++) {
            double v = between(p, r->y + r->bin_h * (oy + (i + 0.5) / r->samples_y), r->x + r->bin_w * (ox + (k + 0.5) / r->samples_x), largest);
            sum += v;
            best = fmax(best, v);
        }
    return largest ? best : sum / ((double)r->samples_y * r->samples_x);
}

void aihls_host_roi_align(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), rois = aihls_in(c, 1), images = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t channels = x.v->dims[1], bins = y.v->dims[2] * y.v->dims[3];
    struct plane p = { &x, 0, x.v->dims[2], x.v->dims[3] };
    struct region r;
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t n = i / (channels * bins);
        int64_t image = aihls_load_integer(images.v->type, images.data, n);
        int known = image >= 0 && image < x.v->dims[0] && read_region(c, &rois, n, &r);
        p.at = known ? ((int32_t)image * channels + i / bins % channels) * p.height * p.width : 0;
        aihls_set(&y, i, known ? aligned(&p, &r, i % bins / y.v->dims[3], i % y.v->dims[3], c->op->p[1]) : 0);
    }
}

// ---- MaxRoiPool ----

// Where bin k of `bins` begins (end: ends) in a region of `length` from `start` on.
static int32_t bin_edge(double start, double length, int32_t bins, int32_t k, int end, int32_t size)
{
    double edge = end ? ceil((k + 1) * (length / bins)) : floor(k * (length / bins));
    return (int32_t)limited(edge + start, 0, size);
}

void aihls_host_max_roi_pool(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), rois = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t channels = x.v->dims[1], rows = y.v->dims[2], columns = y.v->dims[3], region = channels * rows * columns;
    struct plane p = { &x, 0, x.v->dims[2], x.v->dims[3] };
    for (int32_t i = 0; region > 0 && i < y.v->count; i++) {
        int32_t n = i / region, oy = i / columns % rows, ox = i % columns;
        double image = aihls_get(&rois, 5 * n), v[4], best = -INFINITY;
        for (int k = 0; k < 4; k++)
            v[k] = round(aihls_get(&rois, 5 * n + 1 + k) * c->op->f[0]);
        double h = fmax(v[3] - v[1] + 1, 1), w = fmax(v[2] - v[0] + 1, 1);
        int32_t y0 = bin_edge(v[1], h, rows, oy, 0, p.height), y1 = bin_edge(v[1], h, rows, oy, 1, p.height);
        int32_t x0 = bin_edge(v[0], w, columns, ox, 0, p.width), x1 = bin_edge(v[0], w, columns, ox, 1, p.width);
        int known = image >= 0 && image < x.v->dims[0] && y0 < y1 && x0 < x1;
        p.at = known ? ((int32_t)image * channels + i / (rows * columns) % channels) * p.height * p.width : 0;
        for (int32_t iy = y0; known && iy < y1; iy++)
            for (int32_t ix = x0; ix < x1; ix++)
                best = fmax(best, pixel(&p, iy, ix));
        aihls_set(&y, i, known ? best : 0);
    }
}

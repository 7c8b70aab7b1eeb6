// SPDX-License-Identifier: Apache-2.0
// What compares elements: largest ones, boxes.
#include <math.h>

#include "aihls_host_impl.h"

// -1, 0 or 1. NaN counts as larger than any number.
static int compare(const struct aihls_view *x, int32_t i, int32_t k)
{
    if (aihls_is_integer(x->v->type)) {
        int64_t a = aihls_load_integer(x->v->type, x->data, i), b = aihls_load_integer(x->v->type, x->data, k);
        return x->v->type == AIHLS_UINT64 ? ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b) : (a > b) - (a < b);
    }
    double a = aihls_get(x, i), b = aihls_get(x, k);
    return isnan(a) || isnan(b) ? (isnan(a) != 0) - (isnan(b) != 0) : (a > b) - (a < b);
}

void aihls_host_arg(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t size = c->op->p[1], inner = c->op->p[2], least = c->op->p[3], last = c->op->p[4];
    for (int32_t line = 0; line < c->op->p[0] * inner; line++) {
        int32_t base = line / inner * size * inner + line % inner, best = 0;
        for (int32_t k = 1; k < size; k++) {
            int order = compare(&x, base + k * inner, base + best * inner);
            order = least ? -order : order;
            if (order > 0 || (last && order == 0))
                best = k;
        }
        aihls_store_integer(y.v->type, y.data, line, best);
    }
}

// Chosen one after the other: k is small, and there is no memory to sort in. The next is the best of those that stand behind the
// one before in the order of value, then of place.
void aihls_host_top_k(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), values = aihls_out(c, 0), indices = aihls_out(c, 1);
    int32_t size = c->op->p[1], inner = c->op->p[2], n = c->op->p[3], sign = c->op->p[4] ? -1 : 1;
    for (int32_t line = 0; line < c->op->p[0] * inner; line++) {
        int32_t base = line / inner * size * inner + line % inner, before = -1;
        for (int32_t i = 0; i < n; i++) {
            int32_t best = -1;
            for (int32_t k = 0; k < size; k++) {
                int behind = before < 0 ? -1 : sign * compare(&x, base + k * inner, base + before * inner);
                if (before >= 0 && (behind > 0 || (behind == 0 && k <= before)))
                    continue;
                if (best < 0 || sign * compare(&x, base + k * inner, base + best * inner) > 0)
                    best = k;
            }
            int32_t to = line / inner * n * inner + line % inner + i * inner;
            if (values.present)
                aihls_move_element(&values, to, &x, base + best * inner);
            if (indices.present)
                aihls_store_integer(indices.v->type, indices.data, to, best);
            before = best;
        }
    }
}

// ---- boxes ----

struct box {
    double y0, x0, y1, x1;
};

// Corners in any order, or centre and size.
static struct box read_box(const struct aihls_view *boxes, int32_t at, int centered)
{
    double v[4];
    for (int k = 0; k < 4; k++)
        v[k] = aihls_get(boxes, at * 4 + k);
    if (centered)
        return (struct box){ v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2 };
    return (struct box){ fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3]) };
}

// The share of their union that two boxes have in common.
static double overlap(const struct box *a, const struct box *b)
{
    double h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0), w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0);
    double common = h > 0 && w > 0 ? h * w : 0;
    double all = (a->y1 - a->y0) * (a->x1 - a->x0) + (b->y1 - b->y0) * (b->x1 - b->x0) - common;
    return common > 0 && all > 0 ? common / all : 0;
}

// What NonMaxSuppression reads.
struct search {
    struct aihls_view boxes, scores;
    int32_t centered, n, most;
    double iou, least;
};

// The best boxes of one class of one image, none that overlaps a better one, as rows from *row on.
static void suppress(const struct search *s, int32_t image, int32_t group, int32_t classes, int64_t **row)
{
    const int64_t *first = *row;
    int32_t base = (image * classes + group) * s->n, before = -1;
    for (int32_t kept = 0; kept < s->most;) {
        int32_t best = -1;
        for (int32_t k = 0; k < s->n; k++) {
            double v = aihls_get(&s->scores, base + k), last = before < 0 ? 0 : aihls_get(&s->scores, base + before);
            if (!(v > s->least) || (before >= 0 && (v > last || (v == last && k <= before))))
                continue;
            if (best < 0 || v > aihls_get(&s->scores, base + best))
                best = k;
        }
        if (best < 0)
            return;
        before = best;
        struct box b = read_box(&s->boxes, image * s->n + best, s->centered);
        int keep = 1;
        for (int32_t i = 0; keep && i < kept; i++) {
            struct box other = read_box(&s->boxes, image * s->n + (int32_t)first[3 * i + 2], s->centered);
            keep = overlap(&other, &b) <= s->iou;
        }
        if (!keep)
            continue;
        (*row)[0] = image;
        (*row)[1] = group;
        (*row)[2] = best;
        *row += 3;
        kept++;
    }
}

void aihls_host_nms(const struct aihls_host_call *c)
{
    struct search s = { aihls_in(c, 0), aihls_in(c, 1), c->op->p[0], 0, c->op->p[1], 0, -INFINITY };
    struct aihls_view iou = aihls_in(c, 3), least = aihls_in(c, 4), y = aihls_out(c, 0);
    s.n = s.boxes.v->dims[1];
    s.iou = iou.present ? aihls_get(&iou, 0) : 0;
    s.least = least.present ? aihls_get(&least, 0) : -INFINITY;
    int64_t *rows = y.data;
    for (int32_t i = 0; i < y.v->count; i++)
        rows[i] = -1;
    for (int32_t image = 0; image < s.scores.v->dims[0]; image++)
        for (int32_t group = 0; group < s.scores.v->dims[1]; group++)
            suppress(&s, image, group, s.scores.v->dims[1], &rows);
}

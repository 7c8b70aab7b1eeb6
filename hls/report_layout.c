// SPDX-License-Identifier: Apache-2.0
#include "hls/report_layout.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS 12    // that order the rows
#define PLACINGS 120 // that move what is in them
#define STRAIGHT 8.0 // how much more two bends of one edge want to be below each other than boxes do

// A node, or the place of an edge in a row between its ends.
struct place {
    int row, at; // at: position in the row
    double x, width, key;
    bool bend;
    int *near; // places in the rows above and below
    int n_near, cap_near;
};

struct drawing {
    struct layout *l;
    struct arena *a;
    struct place *places; // the nodes first
    int n_places;
    int **rows; // places by row, in order
    int *row_count;
    double gap;
};

// The longest way to each node. Going round a cycle ends when every node has been passed.
static void find_rows(struct layout *l)
{
    bool moved = true;
    for (int round = 0; moved && round < l->n_nodes; round++) {
        moved = false;
        for (int i = 0; i < l->n_edges; i++) {
            const struct layout_edge *e = &l->edges[i];
            if (e->from != e->to && l->row[e->to] <= l->row[e->from] && l->row[e->from] + 1 < l->n_nodes) {
                l->row[e->to] = l->row[e->from] + 1;
                moved = true;
            }
        }
    }
    for (int i = 0; i < l->n_nodes; i++)
        l->n_rows = l->row[i] + 1 > l->n_rows ? l->row[i] + 1 : l->n_rows;
}

static void connect(struct drawing *d, int p, int q)
{
    struct place *a = &d->places[p], *b = &d->places[q];
    arena_push(d->a, a->near, a->n_near, a->cap_near, q);
    arena_push(d->a, b->near, b->n_near, b->cap_near, p);
}

static int64_t count_bends(const struct layout *l)
{
    int64_t n = 0;
    for (int i = 0; i < l->n_edges; i++) {
        int rows = l->row[l->edges[i].to] - l->row[l->edges[i].from];
        n += rows > 1 ? rows - 1 : 0;
    }
    return n;
}

static void make_places(struct drawing *d, double node_width, double bend_width)
{
    struct layout *l = d->l;
    int64_t bends = count_bends(l);
    bool drop = bends > LAYOUT_PLACES;
    d->places = arena_array(d->a, struct place, l->n_nodes + (drop ? 0 : bends));
    for (; d->n_places < l->n_nodes; d->n_places++)
        d->places[d->n_places] = (struct place){ .row = l->row[d->n_places], .width = node_width };
    for (int i = 0; i < l->n_edges; i++) {
        struct layout_edge *e = &l->edges[i];
        int rows = l->row[e->to] - l->row[e->from], last = e->from;
        if (rows < 1 || (drop && rows > 1))
            continue;
        e->n_bends = rows - 1;
        e->bends = arena_array(d->a, double, e->n_bends);
        for (int k = 0; k < e->n_bends; k++) {
            d->places[d->n_places] = (struct place){ .row = l->row[e->from] + 1 + k, .width = bend_width, .bend = true };
            connect(d, last, d->n_places);
            last = d->n_places++;
        }
        connect(d, last, e->to);
    }
}

static void fill_rows(struct drawing *d)
{
    d->rows = arena_array(d->a, int *, d->l->n_rows);
    d->row_count = arena_array(d->a, int, d->l->n_rows);
    for (int i = 0; i < d->n_places; i++)
        d->row_count[d->places[i].row]++;
    for (int r = 0; r < d->l->n_rows; r++) {
        d->rows[r] = arena_array(d->a, int, d->row_count[r]);
        d->row_count[r] = 0;
    }
    for (int i = 0; i < d->n_places; i++) {
        struct place *p = &d->places[i];
        p->at = d->row_count[p->row]++;
        d->rows[p->row][p->at] = i;
    }
}

// Orders row r by the mean position of neighbours in the row above (or below). Insertion keeps equals in their order.
static void order_row(struct drawing *d, int r, int other)
{
    int *row = d->rows[r];
    for (int i = 0; i < d->row_count[r]; i++) {
        struct place *p = &d->places[row[i]];
        int n = 0;
        double sum = 0;
        for (int k = 0; k < p->n_near; k++) {
            const struct place *q = &d->places[p->near[k]];
            if (q->row != other)
                continue;
            sum += (q->at + 0.5) / d->row_count[other];
            n++;
        }
        p->key = n ? sum / n : (p->at + 0.5) / d->row_count[r];
    }
    for (int i = 1; i < d->row_count[r]; i++)
        for (int k = i; k > 0 && d->places[row[k - 1]].key > d->places[row[k]].key; k--) {
            int swap = row[k];
            row[k] = row[k - 1];
            row[k - 1] = swap;
        }
    for (int i = 0; i < d->row_count[r]; i++)
        d->places[row[i]].at = i;
}

// How far apart the middles of two places beside each other must be.
static double distance(const struct drawing *d, const struct place *left, const struct place *right)
{
    return (left->width + right->width) / 2 + d->gap;
}

// Where a place wants to be: the weighted mean of its neighbours, in *weight how much.
static double wanted_x(const struct drawing *d, const struct place *p, double *weight)
{
    double sum = 0;
    *weight = 0;
    for (int k = 0; k < p->n_near; k++) {
        const struct place *q = &d->places[p->near[k]];
        double w = p->bend && q->bend ? STRAIGHT : 1;
        sum += w * q->x;
        *weight += w;
    }
    return *weight > 0 ? sum / *weight : p->x;
}

// Least squares under the distances: with these taken off, an isotonic regression, by pooling neighbours that are out
// of order into blocks of one mean.
static void place_row(struct drawing *d, int r, double *mean, double *weight, int *count)
{
    int n = 0;
    double offset = 0;
    for (int i = 0; i < d->row_count[r]; i++) {
        const struct place *p = &d->places[d->rows[r][i]];
        double w;
        if (i)
            offset += distance(d, &d->places[d->rows[r][i - 1]], p);
        mean[n] = wanted_x(d, p, &w) - offset;
        weight[n] = w > 0 ? w : 1;
        count[n++] = 1;
        for (; n > 1 && mean[n - 2] > mean[n - 1]; n--) {
            double both = weight[n - 2] + weight[n - 1];
            mean[n - 2] = (mean[n - 2] * weight[n - 2] + mean[n - 1] * weight[n - 1]) / both;
            weight[n - 2] = both;
            count[n - 2] += count[n - 1];
        }
    }
    offset = 0;
    for (int b = 0, i = 0; b < n; b++)
        for (int k = 0; k < count[b]; k++, i++) {
            struct place *p = &d->places[d->rows[r][i]];
            if (i)
                offset += distance(d, &d->places[d->rows[r][i - 1]], p);
            p->x = mean[b] + offset;
        }
}

static void place_all(struct drawing *d)
{
    double *mean = arena_array(d->a, double, d->n_places), *weight = arena_array(d->a, double, d->n_places);
    int *count = arena_array(d->a, int, d->n_places);
    for (int r = 0; r < d->l->n_rows; r++)
        place_row(d, r, mean, weight, count);
    for (int s = 0; s < PLACINGS; s++)
        for (int i = 0; i < d->l->n_rows; i++)
            place_row(d, s % 2 ? i : d->l->n_rows - 1 - i, mean, weight, count);
}

// Moves all to the left edge, and gives the result.
static void finish(struct drawing *d)
{
    struct layout *l = d->l;
    double left = 0, right = 0;
    for (int i = 0; i < d->n_places; i++) {
        const struct place *p = &d->places[i];
        if (i == 0 || p->x - p->width / 2 < left)
            left = p->x - p->width / 2;
        if (i == 0 || p->x + p->width / 2 > right)
            right = p->x + p->width / 2;
    }
    l->width = right - left;
    for (int i = 0; i < l->n_nodes; i++)
        l->x[i] = d->places[i].x - left;
    for (int i = 0, p = l->n_nodes; i < l->n_edges; i++)
        for (int k = 0; k < l->edges[i].n_bends; k++)
            l->edges[i].bends[k] = d->places[p++].x - left;
}

void layout_make(struct layout *l, struct arena *a, double node_width, double gap, double bend_width)
{
    struct drawing d = { .l = l, .a = a, .gap = gap };
    l->row = arena_array(a, int, l->n_nodes);
    l->x = arena_array(a, double, l->n_nodes);
    l->n_rows = 0;
    find_rows(l);
    make_places(&d, node_width, bend_width);
    fill_rows(&d);
    for (int s = 0; s < SWEEPS; s++)
        for (int i = 1; i < l->n_rows; i++)
            if (s % 2)
                order_row(&d, l->n_rows - 1 - i, l->n_rows - i);
            else
                order_row(&d, i, i - 1);
    place_all(&d);
    finish(&d);
}

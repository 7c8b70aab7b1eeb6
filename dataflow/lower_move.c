// SPDX-License-Identifier: Apache-2.0
// lower_move: stages that move elements without computing.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/lower_internal.h"
#include "dataflow/move.h"

// ---- gather ----

// Writes at[(y*w + x)*c + k] as g->y_at[y] + g->x_at[x] + g->c_at[k]. False when it is no such sum.
static bool separate(struct arena *a, const int32_t *at, int64_t h, int64_t w, int64_t c, struct gather *g)
{
    int32_t *y_at = arena_array(a, int32_t, h), *x_at = arena_array(a, int32_t, w), *c_at = arena_array(a, int32_t, c);
    int64_t first = 0, count = h * w * c;
    while (first < count && at[first] == MOVE_FILL)
        first++;
    if (first == count)
        return false;
    int64_t y0 = first / (w * c), x0 = first / c % w, c0 = first % c;
    int32_t least_x = INT32_MAX, least_c = INT32_MAX;
    for (int64_t x = 0; x < w; x++) {
        int32_t p = at[(y0 * w + x) * c + c0];
        x_at[x] = p == MOVE_FILL ? GATHER_FILL : p - at[first];
        least_x = p != MOVE_FILL && x_at[x] < least_x ? x_at[x] : least_x;
    }
    for (int64_t k = 0; k < c; k++) {
        int32_t p = at[(y0 * w + x0) * c + k];
        c_at[k] = p == MOVE_FILL ? GATHER_FILL : p - at[first];
        least_c = p != MOVE_FILL && c_at[k] < least_c ? c_at[k] : least_c;
    }
    for (int64_t y = 0; y < h; y++) { // what the others lack above zero goes here
        int32_t p = at[(y * w + x0) * c + c0];
        y_at[y] = p == MOVE_FILL ? GATHER_FILL : p + least_x + least_c;
    }
    for (int64_t x = 0; x < w; x++)
        x_at[x] -= x_at[x] == GATHER_FILL ? 0 : least_x;
    for (int64_t k = 0; k < c; k++)
        c_at[k] -= c_at[k] == GATHER_FILL ? 0 : least_c;
    for (int64_t i = 0; i < count; i++) {
        int32_t y = y_at[i / (w * c)], x = x_at[i / c % w], k = c_at[i % c];
        int32_t sum = y == GATHER_FILL || x == GATHER_FILL || k == GATHER_FILL ? MOVE_FILL : y + x + k;
        if (sum != at[i])
            return false;
    }
    g->y_at = y_at;
    g->x_at = x_at;
    g->c_at = c_at;
    return true;
}

static int64_t gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

// The greatest length of groups of channels that begin at multiples of it and stay together, see struct gather.
static int64_t grain_of(const struct gather *g, int64_t in_c, int64_t out_c)
{
    int64_t grain = gcd(in_c, out_c);
    for (int64_t y = 0; y < g->out_h; y++)
        grain = g->y_at[y] == GATHER_FILL ? grain : gcd(grain, g->y_at[y]);
    for (int64_t x = 0; x < g->out_w; x++)
        grain = g->x_at[x] == GATHER_FILL ? grain : gcd(grain, g->x_at[x]);
    for (int64_t k = 0; k < out_c; k++) {
        bool fill = g->c_at[k] == GATHER_FILL;
        bool goes_on = k > 0 && (fill ? g->c_at[k - 1] == GATHER_FILL : g->c_at[k - 1] != GATHER_FILL && g->c_at[k] == g->c_at[k - 1] + 1);
        if (!goes_on)
            grain = gcd(grain, fill ? k : gcd(k, g->c_at[k]));
    }
    return grain;
}

int gather_stage(struct lowering *l, const struct node *reader, const char *nodes, int s, const int32_t *at, int64_t h, int64_t w,
                 int64_t c, int fill)
{
    struct gather g = { .out_h = h, .out_w = w, .fill = fill };
    if (!separate(l->cx->arena, at, h, w, c, &g)) {
        diag_error(l->cx, E208, at_node(l->g, reader), "move whole rows, columns or channels, or reshape in front of the first layer",
                   "%s moves its elements in a way that is no sum of a row's, a column's and a channel's", op_info(reader->op)->name);
        return -1;
    }
    const struct stream *in = &l->p->streams[s];
    g.in_count = in->h * in->w * in->c;
    g.grain = (int)grain_of(&g, in->c, c);
    struct stage *st = pipeline_add_stage(l->p, STAGE_GATHER, nodes, at_node(l->g, reader));
    st->n_in = 1;
    st->in_c = in->c;
    st->out_c = c;
    st->geo = elementwise_geometry(in->h, in->w);
    st->gather = g;
    int index = st->index;
    pipeline_connect(l->p, s, index, 0);
    return pipeline_add_stream(l->p, "", index, h, w, c)->index;
}

static const char *node_label(const struct node *n)
{
    return n->name[0] ? n->name : op_info(n->op)->name;
}

// The constant that n inserts, as an element of the stream.
static bool quantize_fill(struct lowering *l, const struct node *n, const struct tensor *t, const struct source *in, double fill, int *q)
{
    double v = t->dtype == DT_FLOAT ? nearbyint(fill / in->scale) + in->zero_point : fill - (t->dtype == DT_UINT8 ? 128 : 0);
    if (!(v >= -128 && v <= 127))
        return diag_error(l->cx, E209, at_node(l->g, n), "quantize its input over a range that holds the constant",
                          "the constant %g of %s is outside the range of its input", fill, op_info(n->op)->name);
    *q = (int)v;
    return true;
}

bool lower_move(struct lowering *l, const struct node *n, const struct tensor *t)
{
    struct arena *a = l->cx->arena;
    struct source in;
    const int32_t *map;
    double fill;
    int64_t h, w, c, n_in = tensor_count(n->in[0]), count = tensor_count(t);
    int output = 0, q = 0;
    if (!resolve_source(l, n, n->in[0], &in))
        return false;
    if (!in.element) {
        const int32_t *order = image_order(a, n->in[0], &h, &w, &c);
        if (!demand_order(l, n, &in, order, h, w, c))
            return false;
    }
    while (n->out[output] != t)
        output++;
    if (!move_map(l->cx, l->g, n, output, a, &map, &fill) || !quantize_fill(l, n, t, &in, fill, &q))
        return false;
    const int32_t *order = image_order(a, t, &h, &w, &c), *place = invert_order(a, in.element, n_in);
    int32_t *at = arena_array(a, int32_t, count);
    bool same = count == n_in;
    for (int64_t p = 0; p < count; p++) {
        int32_t e = map[order[p]];
        at[p] = e == MOVE_FILL ? MOVE_FILL : place[e];
        same &= at[p] == p;
    }
    const struct stream *from = &l->p->streams[in.stream];
    double scale = from->scale;
    int zero_point = from->zero_point;
    int stream = same ? in.stream : gather_stage(l, n, node_label(n), in.stream, at, h, w, c, q);
    if (stream < 0)
        return false;
    struct stream *x = &l->p->streams[stream];
    if (!same) {
        x->logical = order;
        x->tensor = t->name;
        x->scale = scale;
        x->zero_point = zero_point;
    }
    l->views[t->index] = (struct view){ stream, order, in.scale, in.zero_point };
    return true;
}

// ---- concat ----

// An input of a concatenation, in the result's quantization.
struct part {
    int stream;
    const int32_t *element; // of the input tensor
    int64_t piece;          // stream elements in a turn
};

static bool read_part(struct lowering *l, const struct expression *e, const struct tensor *t, struct part *out)
{
    const struct node *n = e->main;
    struct source in;
    int64_t h, w, c;
    const int32_t *order = image_order(l->cx->arena, t, &h, &w, &c), *channel;
    if (!resolve_source(l, n, t, &in))
        return false;
    // an image as such, or elements in any order that only a flat concatenation reads
    if (!in.element ? !demand_order(l, n, &in, order, h, w, c) : h * w > 1 && !demand_image(l, n, &in, t, &channel))
        return false;
    if (!same_quantization(e, in.scale, in.zero_point)) {
        in.stream = table_stage(l, e, &in);
        if (in.stream < 0)
            return false;
        struct stream *x = &l->p->streams[in.stream];
        x->logical = in.element;
        x->scale = e->scale;
        x->zero_point = e->zero_point;
    }
    *out = (struct part){ .stream = in.stream, .element = in.element };
    return true;
}

// Which axis of an image a concatenation runs along. Tensors of other ranks than image_order knows are one pixel.
enum direction { ALONG_CHANNELS, ALONG_COLUMNS, ALONG_ROWS };

static enum direction direction_of(const struct tensor *t, int axis)
{
    if (t->rank == 4 || t->rank == 3)
        return axis == 1 ? ALONG_CHANNELS : t->rank == 4 && axis == 2 ? ALONG_ROWS : ALONG_COLUMNS;
    return t->rank == 2 && axis == 0 ? ALONG_ROWS : ALONG_CHANNELS;
}

// Elements of input t, seen as a stream in image order, in one turn.
static int64_t piece_of(struct arena *a, const struct tensor *t, enum direction d)
{
    int64_t h, w, c;
    image_order(a, t, &h, &w, &c);
    return d == ALONG_CHANNELS ? c : d == ALONG_COLUMNS ? w * c : h * w * c;
}

// x and y in turns.
static struct part join(struct lowering *l, const struct expression *e, const struct part *x, const struct part *y, enum direction d)
{
    struct arena *a = l->cx->arena;
    const struct part *both[] = { x, y };
    const struct stream *sx = &l->p->streams[x->stream], *sy = &l->p->streams[y->stream];
    int64_t count[] = { sx->h * sx->w * sx->c, sy->h * sy->w * sy->c };
    int64_t h = sx->h, w = sx->w, c = sx->c;
    if (d == ALONG_CHANNELS) {
        bool image = sx->h * sx->w == count[0] / x->piece; // else a flattened one
        h = image ? h : count[0] / x->piece;
        w = image ? w : 1;
        c = x->piece + y->piece;
    } else if (d == ALONG_ROWS) {
        h += sy->h;
    } else {
        w += sy->w;
    }
    int32_t *element = arena_array(a, int32_t, count[0] + count[1]);
    for (int64_t i = 0, p = 0; p < count[0] + count[1]; i++)
        for (int k = 0; k < 2; k++)
            for (int64_t j = 0; j < both[k]->piece; j++)
                element[p++] = both[k]->element[i * both[k]->piece + j];
    struct stage *st = new_stage(l, STAGE_CONCAT, e);
    st->n_in = 2;
    st->in_c = sx->c;
    st->out_c = c;
    st->geo = elementwise_geometry(h, w);
    int index = st->index;
    for (int k = 0; k < 2; k++) {
        st->piece[k] = both[k]->piece;
        pipeline_connect(l->p, both[k]->stream, index, k);
    }
    struct stream *out = pipeline_add_stream(l->p, e->result->name, index, h, w, c);
    out->logical = element;
    out->scale = e->scale;
    out->zero_point = e->zero_point;
    return (struct part){ out->index, element, x->piece + y->piece };
}

bool lower_concat(struct lowering *l, const struct expression *e)
{
    const struct node *n = e->main;
    const struct tensor *y = e->result;
    struct arena *a = l->cx->arena;
    int axis = axis_of(node_int(n, "axis", 0), y->rank);
    int64_t inner = 1, done = 0;
    enum direction d = direction_of(y, axis);
    if (y->rank != 2 && (axis == 0 || y->dims[0] != 1))
        return diag_error(l->cx, E202, at_attr(l->g, n, "axis"), "concatenate along channels, height or width; frames follow each other",
                          "Concat along axis %d of %s", axis, shape_text(a, y->rank, y->dims));
    for (int i = axis + 1; i < y->rank; i++)
        inner *= y->dims[i];
    struct part sum = { .stream = -1 };
    for (int k = 0; k < n->n_in; k++) {
        const struct tensor *t = n->in[k];
        struct part p;
        if (!read_part(l, e, t, &p))
            return false;
        // element i of input k is element i / run * all + offset + i % run of the result
        int64_t run = t->dims[axis] * inner, all = y->dims[axis] * inner, count = tensor_count(t);
        int32_t *element = arena_array(a, int32_t, count);
        for (int64_t i = 0; i < count; i++)
            element[i] = (int32_t)(p.element[i] / run * all + done + p.element[i] % run);
        done += run;
        p.element = element;
        p.piece = piece_of(a, t, d);
        sum = k == 0 ? p : join(l, e, &sum, &p, d);
    }
    bind_view(l, e, sum.stream, sum.element);
    return true;
}

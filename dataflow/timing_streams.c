// SPDX-License-Identifier: Apache-2.0
#include "dataflow/timing_streams.h"

#include "base/check.h"

struct queue timing_queue(struct arena *a)
{
    return (struct queue){ .at = arena_array(a, int64_t, 64), .capacity = 64 };
}

int64_t *timing_entry(const struct queue *q, int64_t i)
{
    return &q->at[(q->head + i) & (q->capacity - 1)];
}

void timing_put(struct arena *a, struct queue *q, int64_t at)
{
    if (q->count == q->capacity) {
        int64_t *grown = arena_array(a, int64_t, 2 * q->capacity);
        for (int64_t i = 0; i < q->count; i++)
            grown[i] = *timing_entry(q, i);
        q->at = grown;
        q->capacity *= 2;
        q->head = 0;
    }
    *timing_entry(q, q->count++) = at;
}

void timing_take(struct queue *q)
{
    q->head = (q->head + 1) & (q->capacity - 1);
    q->count--;
}

void timing_push(struct streams *x, int stream, int64_t latency)
{
    int64_t at = x->now + latency + FIFO_LATENCY;
    for (int i = x->first_edge[stream]; i >= 0; i = x->next_edge[i]) {
        struct fifo *f = &x->fifo[i];
        timing_put(x->a, &f->arrival, at);
        f->peak = max_i64(f->peak, f->arrival.count);
        *f->reader = min_i64(*f->reader, at);
    }
    x->next = min_i64(x->next, at);
}

// The cycle in which the first beat that finds no room comes to the end of the line; NEVER: there is none.
static int64_t stands_from(const struct fifo *f)
{
    return f->depth && f->arrival.count > f->depth ? *timing_entry(&f->arrival, f->depth) - FIFO_LATENCY : NEVER;
}

int64_t timing_line_moves(const struct streams *x, int stream)
{
    for (int i = x->first_edge[stream]; i >= 0; i = x->next_edge[i])
        if (stands_from(&x->fifo[i]) <= x->now)
            return NEVER;
    return max_i64(x->now, x->line[stream].moves_at);
}

int64_t timing_next_room(const struct streams *x, int stream)
{
    for (int i = x->first_edge[stream]; i >= 0; i = x->next_edge[i])
        if (x->fifo[i].arrival.count >= x->fifo[i].limit)
            return NEVER;
    return timing_line_moves(x, stream);
}

bool timing_can_push(const struct streams *x, int stream)
{
    return timing_next_room(x, stream) == x->now;
}

// Whether beat `beat` of a stream still stands in the line, behind one that a FIFO other than f has no room for.
static bool held_up(const struct streams *x, const struct fifo *f, int64_t beat)
{
    for (int i = x->line[f->stream].forked ? x->first_edge[f->stream] : -1; i >= 0; i = x->next_edge[i]) {
        const struct fifo *other = &x->fifo[i];
        if (beat > other->taken + other->depth && stands_from(other) <= x->now)
            return true;
    }
    return false;
}

// The beat that has waited in front of a full FIFO enters it in the next cycle. Those behind it have waited as long, in
// front of the other FIFOs too, which have that beat already.
static void move_on(struct streams *x, struct fifo *f, int64_t late)
{
    struct line *l = &x->line[f->stream];
    int64_t front = f->taken + f->depth, behind = front == l->front ? x->now + 1 - l->moves_at : late;
    *timing_entry(&f->arrival, f->depth) += late;
    for (int i = x->first_edge[f->stream]; i >= 0; i = x->next_edge[i]) {
        struct fifo *each = &x->fifo[i];
        for (int64_t k = front + 1 - each->taken; k < each->arrival.count; k++)
            *timing_entry(&each->arrival, k) += behind;
        *each->reader = min_i64(*each->reader, x->now + 1);
    }
    l->front = front;
    l->moves_at = x->now + 1;
    l->stood += behind;
}

static bool head_arrived(const struct streams *x, const struct fifo *f)
{
    return f->arrival.count > 0 && *timing_entry(&f->arrival, 0) <= x->now && !held_up(x, f, f->taken);
}

static void drop_head(struct streams *x, struct fifo *f)
{
    int64_t from = stands_from(f);
    if (from <= x->now && !held_up(x, f, f->taken + f->depth))
        move_on(x, f, x->now + 1 - from);
    timing_take(&f->arrival);
    f->taken++;
    *f->writer = min_i64(*f->writer, x->now + 1);
    x->next = min_i64(x->next, x->now + 1);
}

int64_t timing_next_beat(const struct streams *x, int edge)
{
    const struct fifo *f = &x->fifo[edge];
    if (f->arrival.count == 0 || held_up(x, f, f->taken))
        return NEVER;
    return max_i64(*timing_entry(&f->arrival, 0), x->now + 1);
}

bool timing_can_pop(const struct streams *x, int edge)
{
    const struct fifo *f = &x->fifo[edge];
    return f->wide > 1 ? f->whole > 0 : head_arrived(x, f);
}

// The widener takes a part a cycle, on its own, while it holds less than two whole beats.
static void widen(struct streams *x, int edge)
{
    struct fifo *f = &x->fifo[edge];
    bool room = !f->full;
    f->full = f->whole == 2;
    if (!room || !head_arrived(x, f)) {
        if (!f->full) // the next cycle in which it goes on
            x->next = min_i64(x->next, timing_next_beat(x, edge));
        return;
    }
    if (++f->sub == f->wide) {
        f->sub = 0;
        f->whole++;
        f->full = f->whole == 2;
        *f->reader = min_i64(*f->reader, x->now + 1);
    }
    drop_head(x, f);
}

void timing_pop(struct streams *x, int edge)
{
    struct fifo *f = &x->fifo[edge];
    if (f->wide > 1) {
        f->whole--;
        x->next = min_i64(x->next, x->now + 1);
        return;
    }
    if (++f->sub < (f->pixel_beat + 1 == f->pixel_beats ? f->last_parts : f->parts))
        return;
    f->sub = 0;
    f->pixel_beat = f->pixel_beat + 1 == f->pixel_beats ? 0 : f->pixel_beat + 1;
    drop_head(x, f);
}

void timing_widen_all(struct streams *x)
{
    for (int i = 0; i < x->n_wide; i++)
        widen(x, x->wide[i]);
}

void timing_streams_init(struct streams *x, const struct pipeline *p, struct arena *a)
{
    *x = (struct streams){ .a = a };
    x->fifo = arena_array(a, struct fifo, p->n_edges);
    x->line = arena_array(a, struct line, p->n_streams);
    x->first_edge = arena_array(a, int, p->n_streams);
    x->next_edge = arena_array(a, int, p->n_edges);
    x->wide = arena_array(a, int, p->n_edges);
    for (int i = 0; i < p->n_streams; i++) {
        x->first_edge[i] = -1;
        x->line[i].front = -1;
    }
    for (int i = p->n_edges - 1; i >= 0; i--) {
        const struct edge *e = &p->edges[i];
        const struct stream *s = &p->streams[e->stream];
        struct fifo *f = &x->fifo[i];
        f->arrival = timing_queue(a);
        f->stream = e->stream;
        f->depth = e->depth_words;
        f->pixel_beats = ceil_div(s->c, s->lanes);
        f->parts = (int)ceil_div(s->lanes, e->lanes);
        f->last_parts = (int)ceil_div(s->c - (f->pixel_beats - 1) * s->lanes, e->lanes);
        f->wide = e->lanes > s->lanes ? e->lanes / s->lanes : 1;
        if (f->wide > 1)
            x->wide[x->n_wide++] = i;
        x->line[e->stream].forked = x->first_edge[e->stream] >= 0;
        x->next_edge[i] = x->first_edge[e->stream];
        x->first_edge[e->stream] = i;
    }
}

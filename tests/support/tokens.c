// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tokens.h"

#include "base/check.h"
#include "dataflow/cost.h"

struct queue {
    int64_t words, taken; // in the FIFO; that have left it
    int64_t held;         // parts that a widener holds
    int64_t part;         // parts that a narrower has given of the first word
};

struct actor {
    int64_t taken, given; // beats
    int64_t rows;         // conv, dw, gather: rows of outputs done
    int64_t wanted, allowed; // what must be in for the next: rows, or words of a gather; and what may be in
    bool moved;
};

struct tokens {
    const struct pipeline *p;
    struct queue *queue; // per edge
    struct actor *actor; // per input, then per stage
    int *first, *next;   // lists of the edges of a stream that stages read
};

// ---- streams ----

static int64_t words_a_pixel(const struct stream *s)
{
    return ceil_div(s->c, s->lanes);
}

static bool has(const struct tokens *t, int edge)
{
    const struct edge *e = &t->p->edges[edge];
    const struct queue *q = &t->queue[edge];
    int64_t wide = e->lanes / t->p->streams[e->stream].lanes;
    return q->words > 0 && (wide <= 1 || q->held == wide - 1);
}

// A widener takes all parts but the last from the FIFO by itself.
static void hold_parts(struct tokens *t, int edge)
{
    const struct edge *e = &t->p->edges[edge];
    struct queue *q = &t->queue[edge];
    for (int64_t wide = e->lanes / t->p->streams[e->stream].lanes; q->words > 0 && q->held < wide - 1; q->held++)
        q->words--;
}

// Takes a beat as the reader sees it.
static void take(struct tokens *t, int edge)
{
    const struct edge *e = &t->p->edges[edge];
    const struct stream *s = &t->p->streams[e->stream];
    struct queue *q = &t->queue[edge];
    bool last = q->taken % words_a_pixel(s) == words_a_pixel(s) - 1;
    int64_t used = last ? s->c - (words_a_pixel(s) - 1) * s->lanes : s->lanes;
    if (e->lanes < s->lanes && ++q->part < ceil_div(used, e->lanes))
        return;
    q->part = q->held = 0;
    q->words--;
    q->taken++;
    hold_parts(t, edge);
}

static bool room(const struct tokens *t, int stream)
{
    for (int i = t->first[stream]; i >= 0; i = t->next[i])
        if (t->queue[i].words >= t->p->edges[i].depth_words)
            return false;
    return true;
}

static void give(struct tokens *t, int stream)
{
    for (int i = t->first[stream]; i >= 0; i = t->next[i]) {
        t->queue[i].words++;
        hold_parts(t, i);
    }
}

// ---- stages: each does one thing, if it can ----

// Rows of inputs that must be in before the next output row, and those that may be in while it is made, counted from the
// first frame.
static void want_rows(const struct stage *s, struct actor *a)
{
    const struct window_geometry *g = &s->geo;
    int64_t frame = a->rows / g->out_h * g->in_h, top = a->rows % g->out_h * g->stride_h - g->pad_top, need = 1;
    for (int64_t k = 0; k < g->kernel_h; k++)
        need = max_i64(need, min_i64(g->in_h, top + k * g->dilation_h + 1));
    a->wanted = frame + need;
    a->allowed = frame + min_i64(g->in_h, max_i64(0, top)) + s->fold.ring_rows;
}

// The same in words.
static void want_words(const struct tokens *t, const struct stage *s, struct actor *a)
{
    int64_t frame = a->rows / s->gather.out_h * (s->gather.in_count / s->fold.word), y = a->rows % s->gather.out_h;
    int64_t need, release = 0, unused;
    gather_row(s, s->fold.word, y, &need, &unused);
    if (y > 0)
        gather_row(s, s->fold.word, y - 1, &unused, &release);
    a->wanted = frame + max_i64(1, need);
    a->allowed = frame + release + cost_gather_ring(s, &s->fold, t->p->board->tech);
}

// Beats of a row that a conv or dw stage holds when its ring is done with the row: those of the last pass in the hold
// register, and where pixels come in pairs the second one's, which queue until the first is out.
static int64_t held_beats(const struct stage *s, int64_t pixel_beats)
{
    bool conv = s->kind == STAGE_CONV, pairs = cost_unpairs(s, &s->fold) && s->geo.out_w % 2 == 0;
    int64_t slice = conv ? s->out_c / fold_shape(s, &s->fold).slices : s->out_c, lanes = conv ? s->fold.lanes : s->fold.word;
    return ceil_div(slice - (slice - 1) / lanes * lanes, s->fold.rq_lanes) + (pairs ? pixel_beats : 0);
}

// A stage with a ring, whose units of `beats_in` beats come and go.
static void step_ring(struct tokens *t, const struct stage *s, struct actor *a)
{
    const struct stream *out = &t->p->streams[s->out_stream];
    bool gather = s->kind == STAGE_GATHER;
    int64_t beats_in = gather ? 1 : s->geo.in_w * ceil_div(s->in_c, s->fold.in_lanes);
    int64_t beats_out = (gather ? s->gather.out_w : s->geo.out_w) * words_a_pixel(out);
    int64_t held = gather ? 0 : held_beats(s, words_a_pixel(out));
    bool computed = a->taken >= a->wanted * beats_in && a->given + held >= (a->rows + 1) * beats_out;
    if (a->allowed == 0 || computed) {
        a->rows += a->allowed > 0;
        if (gather)
            want_words(t, s, a);
        else
            want_rows(s, a);
    }
    if (a->taken < a->allowed * beats_in && has(t, s->in_edge[0])) {
        take(t, s->in_edge[0]);
        a->taken++;
        a->moved = true;
    }
    if ((a->given < a->rows * beats_out || a->taken >= a->wanted * beats_in) && room(t, s->out_stream)) {
        give(t, s->out_stream);
        a->given++;
        a->moved = true;
    }
}

static void step_gap(struct tokens *t, const struct stage *s, struct actor *a)
{
    const struct window_geometry *g = &s->geo;
    int64_t per_pixel = ceil_div(s->in_c, s->fold.in_lanes), pixel = a->taken / per_pixel % (g->in_h * g->in_w);
    bool result = pixel == (g->kernel_h - 1) * g->in_w + g->kernel_w - 1;
    if (!has(t, s->in_edge[0]) || (result && !room(t, s->out_stream)))
        return;
    take(t, s->in_edge[0]);
    if (result)
        give(t, s->out_stream);
    a->taken++;
    a->moved = true;
}

static void step_argmax(struct tokens *t, const struct stage *s, struct actor *a)
{
    int64_t per_pixel = ceil_div(s->in_c, s->fold.in_lanes);
    bool result = a->taken % per_pixel == per_pixel - 1;
    if (!has(t, s->in_edge[0]) || (result && !room(t, s->out_stream)))
        return;
    take(t, s->in_edge[0]);
    if (result)
        give(t, s->out_stream);
    a->taken++;
    a->moved = true;
}

static void step_concat(struct tokens *t, const struct stage *s, struct actor *a)
{
    int64_t first = s->piece[0] / s->fold.in_lanes, turn = a->taken % (first + s->piece[1] / s->fold.in_lanes);
    int edge = s->in_edge[turn >= first];
    if (!has(t, edge) || !room(t, s->out_stream))
        return;
    take(t, edge);
    give(t, s->out_stream);
    a->taken++;
    a->moved = true;
}

static void step_elementwise(struct tokens *t, const struct stage *s, struct actor *a)
{
    for (int i = 0; i < s->n_in; i++)
        if (!has(t, s->in_edge[i]))
            return;
    if (!room(t, s->out_stream))
        return;
    for (int i = 0; i < s->n_in; i++)
        take(t, s->in_edge[i]);
    give(t, s->out_stream);
    a->given++;
    a->moved = true;
}

static void step(struct tokens *t, const struct stage *s, struct actor *a)
{
    switch (s->kind) {
    case STAGE_CONV:
    case STAGE_DW:
    case STAGE_GATHER: step_ring(t, s, a); break;
    case STAGE_GAP: step_gap(t, s, a); break;
    case STAGE_CONCAT: step_concat(t, s, a); break;
    case STAGE_ARGMAX: step_argmax(t, s, a); break;
    case STAGE_ADD:
    case STAGE_MUL:
    case STAGE_TABLE: step_elementwise(t, s, a); break;
    case STAGE_KIND_COUNT: BUG("no stage kind");
    }
}

static void step_host(struct tokens *t, const struct stream *s, struct actor *a)
{
    if (a->given == stream_beats(s, s->lanes) || !room(t, s->index))
        return;
    give(t, s->index);
    a->given++;
    a->moved = true;
}

// As far as each gets before the next has its turn.
static void run(struct tokens *t)
{
    const struct pipeline *p = t->p;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < p->n_inputs + p->n_stages; i++) {
            struct actor *a = &t->actor[i];
            do {
                a->moved = false;
                if (i < p->n_inputs)
                    step_host(t, &p->streams[p->inputs[i].stream], a);
                else
                    step(t, &p->stages[i - p->n_inputs], a);
                moved |= a->moved;
            } while (a->moved);
        }
    }
}

bool tokens_pass(const struct pipeline *p)
{
    struct arena scratch = { 0 };
    struct tokens t = { .p = p };
    t.queue = arena_array(&scratch, struct queue, p->n_edges);
    t.actor = arena_array(&scratch, struct actor, p->n_inputs + p->n_stages);
    t.first = arena_array(&scratch, int, p->n_streams);
    t.next = arena_array(&scratch, int, p->n_edges);
    for (int i = 0; i < p->n_streams; i++)
        t.first[i] = -1;
    for (int i = 0; i < p->n_edges; i++)
        if (p->edges[i].consumer >= 0) {
            t.next[i] = t.first[p->edges[i].stream];
            t.first[p->edges[i].stream] = i;
        }
    run(&t);
    bool ok = true;
    for (int i = 0; i < p->n_inputs; i++)
        ok &= t.actor[i].given == stream_beats(&p->streams[p->inputs[i].stream], p->streams[p->inputs[i].stream].lanes);
    for (int i = 0; i < p->n_edges; i++)
        ok &= t.queue[i].words == 0 && t.queue[i].held == 0 && t.queue[i].part == 0;
    for (int i = 0; i < p->n_stages; i++) { // a ring may have taken all and not given all
        const struct stage *s = &p->stages[i];
        if (s->kind == STAGE_CONV || s->kind == STAGE_DW || s->kind == STAGE_GATHER)
            ok &= t.actor[p->n_inputs + i].given == stream_beats(&p->streams[s->out_stream], p->streams[s->out_stream].lanes);
    }
    arena_release(&scratch);
    return ok;
}

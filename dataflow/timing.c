// SPDX-License-Identifier: Apache-2.0
// timing: every cycle, each stage may take one input beat, do one step of its loop, and give one
// output beat. Values do not matter, so a beat in a FIFO is the cycle in which it arrives there.
// A stage says when it can next do something; until then, or until one of its FIFOs changes, it is left out.
//
//   edge FIFO ─► narrow ─► row ring ─► steps ─► hold ─(rate)─► queues of a pixel pair ─► fork ─► edge FIFOs
//                           rows_in, rows_free   beats left      (packed dw of several words)
#include "dataflow/timing.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/timing_streams.h"

// Pipeline registers between a step and its result in the next FIFO, in cycles; counted in the templates
// (docs/50-rtl.md): weight ROM and multiplier, chain, split and accumulate, hold, requantizer.
#define ARRAY_LATENCY 8
#define REQUANT_LATENCY 9
#define SIMPLE_LATENCY 3
#define ADD_LATENCY 6
#define MUL_LATENCY 9
#define GATHER_LATENCY 8
#define READ_LATENCY 4 // of a gather: from a word's step to its read, and the steps of cost_gather_steps
#define UNPAIR_LATENCY 3
#define SEARCH_LATENCY 17
#define ARGMAX_LATENCY 1 // and a cycle a round of the lanes' tournament

struct machine {
    // of conv and dw, at hand because they run every cycle
    bool windowed;
    int in_edge, out_stream;
    int64_t steps, rq_cycles;
    const int32_t *beats;                 // of a pixel, by pass of it
    int64_t passes, pass_of_pixel;        // of a pixel or pair
    int64_t pixels, last_pixels, last_at; // of a pass, and from this pass of the row on
    // input side of conv and dw
    int64_t rows_in, rows_free, beats_in_row, beats_per_row;
    // A written row can be read a cycle later than the next, a released one be written two cycles
    // later: rows_in of the last cycle, rows_free of the last two.
    int64_t rows_seen, freed[2];
    // loop
    int64_t row, pass, passes_per_row;
    int64_t rows_wanted; // of the input, before the row can start
    int64_t last_step; // cycle of the last step of the pass in work; NEVER: none is
    int64_t hold, idle_from; // the requantizer takes nothing before that time of its line
    // aihls_unpair, where a stage needs it: beats on the way through the requantizer, whose registers stand still when the
    // first finds no room; beats held of pixels 0 and 1 of a pair; and what leaves next
    bool unpairs;
    int64_t first_left;  // beats of the hold register that are pixel 0's
    struct queue coming; // twice the time at which one is through, and 1 for pixel 1
    int64_t coming_stood, coming_latency;
    int64_t held[2], room[2], out_x, out_beat;
    // gap, concat, argmax: the beat of the frame, of the turn or of the pixel
    int64_t beat;
    // gather: words since the first frame
    int64_t words_in, words_free, word, row_words, frame_words, ring_words;
    int64_t *need, *release; // by output row
    struct queue leaving;    // when rows' last reads are done and `release` holds, in time of the line
    int64_t rows_left, read_latency;
    int64_t latency;
};

// The host at one input.
struct source {
    int stream;
    int64_t sent, frame_beats;
};

// And at one output.
struct sink {
    int64_t taken, frame_beats;
};

// How a run differs from the pipeline as it is with hosts that never wait.
struct regime {
    int frames;
    int64_t source_interval; // cycles per frame at which the host sends; 0: as fast as the pipeline takes it
    uint64_t pauses; // state of the hosts' random pauses; 0: they make none
    bool bare;       // a FIFO holds its depth and no more, not even what its producer has in its registers
};

struct model {
    const struct pipeline *p;
    struct arena *a;
    struct streams x;
    struct machine *machine; // per stage
    struct fold_shape *shape;
    int *sink_edge, n_sinks; // edges to the host
    int64_t *wake;       // per stage: the next cycle in which it may do something
    int64_t *wake_source, *wake_sink; // the same per input, and per edge to the host
    struct source *source;   // per input
    struct sink *sink;       // per output
    struct regime regime;
};

static bool is_full(const struct fifo *f)
{
    return f->depth && f->arrival.count >= f->depth;
}

// A join that waits at port `starved`: the first cycle in which it may have something.
static int64_t wait_at(struct model *m, const struct stage *s, int starved)
{
    struct fifo *other = &m->x.fifo[s->in_edge[s->n_in - 1 - starved]];
    other->in_the_way |= s->n_in > 1 && is_full(other);
    return timing_next_beat(&m->x, s->in_edge[starved]);
}

// First image row that output row `oy` no longer needs to be kept from, and the last it needs.
static int64_t first_row(const struct window_geometry *g, int64_t oy)
{
    return max_i64(0, min_i64(g->in_h, oy * g->stride_h - g->pad_top));
}

static int64_t rows_needed(const struct window_geometry *g, int64_t oy)
{
    int64_t last = oy * g->stride_h - g->pad_top + (g->kernel_h - 1) * g->dilation_h;
    return max_i64(1, min_i64(g->in_h, last + 1));
}

// Beats of one pixel that a pass of the row gives.
static int64_t beats_of_pass(const struct stage *s, const struct fold_shape *x, int64_t pass)
{
    int64_t per_slice = s->kind == STAGE_CONV ? s->out_c / x->slices : s->out_c;
    int64_t lanes = s->kind == STAGE_CONV ? s->fold.lanes : s->fold.word;
    int64_t passes = ceil_div(per_slice, lanes), i = pass % passes;
    return ceil_div(min_i64(lanes, per_slice - i * lanes), s->fold.rq_lanes);
}

static void finish_pass(struct machine *k)
{
    k->first_left = k->beats[k->pass_of_pixel];
    k->hold = k->first_left * (k->pass < k->last_at ? k->pixels : k->last_pixels);
    k->pass_of_pixel = k->pass_of_pixel + 1 == k->passes ? 0 : k->pass_of_pixel + 1;
}

// Gives a beat of the pixel whose turn it is.
static int64_t step_unpair(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t *held = &k->held[k->out_x % 2];
    if (*held == 0)
        return NEVER;
    if (!timing_can_push(&m->x, s->out_stream))
        return timing_next_room(&m->x, s->out_stream);
    timing_push(&m->x, s->out_stream, k->latency);
    --*held;
    if (++k->out_beat == ceil_div(s->out_c, s->fold.rq_lanes)) {
        k->out_beat = 0;
        k->out_x = (k->out_x + 1) % s->geo.out_w;
    }
    return m->x.now + 1;
}

// Takes what the requantizer has done into the queues. Returns the next cycle in which something comes.
static int64_t step_coming(const struct model *m, struct machine *k)
{
    for (; k->coming.count > 0; timing_take(&k->coming)) {
        int64_t first = *timing_entry(&k->coming, 0), pixel = first % 2, at = first / 2 + k->coming_stood;
        if (at > m->x.now)
            return at;
        if (k->held[pixel] == k->room[pixel])
            return NEVER;
        k->coming_stood += m->x.now - at;
        k->held[pixel]++;
    }
    return NEVER;
}

// The first cycle from now on in which the requantizer may take a beat of `pixel`, as far as is known.
static int64_t requantizer_moves(const struct model *m, const struct machine *k, int pixel)
{
    if (!k->unpairs)
        return timing_next_room(&m->x, k->out_stream);
    if (m->regime.bare)
        return k->held[pixel] == k->room[pixel] ? NEVER : m->x.now;
    return k->coming.count > 0 && *timing_entry(&k->coming, 0) / 2 + k->coming_stood <= m->x.now ? NEVER : m->x.now;
}

// The requantizer takes a beat every rq_cycles, whichever pass it is of: while it works on the last
// beat of one, the hold register is free for the next.
static int64_t step_drain(struct model *m, struct machine *k)
{
    int pixel = k->first_left > 0 ? 0 : 1;
    int64_t stood = k->unpairs ? k->coming_stood : m->x.line[k->out_stream].stood, from = k->idle_from + stood;
    if (k->hold == 0)
        return NEVER;
    if (m->x.now < from)
        return from;
    int64_t moves = requantizer_moves(m, k, pixel);
    if (moves > m->x.now)
        return moves;
    if (!k->unpairs) {
        timing_push(&m->x, k->out_stream, k->latency);
    } else if (m->regime.bare) {
        k->held[pixel]++;
    } else {
        timing_put(m->a, &k->coming, 2 * (m->x.now - stood + k->coming_latency) + pixel);
    }
    k->first_left -= k->first_left > 0;
    k->hold--;
    k->idle_from = m->x.now - stood + k->rq_cycles;
    return m->x.now + 1;
}

// The loop; rows_in and rows_free count rows since the first frame, k->row output rows likewise.
static int64_t step_loop(struct model *m, const struct stage *s, struct machine *k)
{
    const struct window_geometry *g = &s->geo;
    int64_t rows_seen = k->rows_seen;
    k->rows_seen = k->rows_in;
    if (k->last_step == NEVER) {
        if (k->pass == 0 && rows_seen < k->rows_wanted)
            return rows_seen < k->rows_seen ? m->x.now + 1 : NEVER;
        k->last_step = m->x.now + k->steps - 1;
    }
    if (m->x.now < k->last_step)
        return k->last_step;
    if (k->hold > 0)
        return NEVER;
    k->last_step = NEVER;
    finish_pass(k);
    if (++k->pass == k->passes_per_row) {
        k->pass = 0;
        k->row++;
        int64_t before = k->row / g->out_h * g->in_h;
        k->rows_wanted = before + rows_needed(g, k->row % g->out_h);
        k->rows_free = before + first_row(g, k->row % g->out_h) + s->fold.ring_rows;
    }
    return m->x.now + 1;
}

static int64_t step_ring(struct model *m, struct machine *k)
{
    int edge = k->in_edge;
    bool room = k->rows_in < k->freed[1], settled = k->freed[1] == k->freed[0] && k->freed[0] == k->rows_free;
    k->freed[1] = k->freed[0];
    k->freed[0] = k->rows_free;
    if (!room || !timing_can_pop(&m->x, edge))
        return !settled ? m->x.now + 1 : room ? timing_next_beat(&m->x, edge) : NEVER;
    timing_pop(&m->x, edge);
    if (++k->beats_in_row == k->beats_per_row) {
        k->beats_in_row = 0;
        k->rows_in++;
    }
    return m->x.now + 1;
}

static int64_t step_window(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t next = NEVER;
    if (k->unpairs) {
        next = step_coming(m, k);
        next = min_i64(next, step_unpair(m, s, k));
    }
    next = min_i64(next, step_drain(m, k));
    next = min_i64(next, step_loop(m, s, k));
    return min_i64(next, step_ring(m, k));
}

static int64_t step_gap(struct model *m, const struct stage *s, struct machine *k)
{
    const struct window_geometry *g = &s->geo;
    int64_t beats = ceil_div(s->in_c, s->fold.in_lanes), pixel = k->beat / beats;
    bool last = pixel == (g->kernel_h - 1) * g->in_w + g->kernel_w - 1;
    if (!timing_can_pop(&m->x, s->in_edge[0]))
        return timing_next_beat(&m->x, s->in_edge[0]);
    int64_t from = k->idle_from + m->x.line[s->out_stream].stood;
    if (last && m->x.now < from)
        return from;
    if (last && !timing_can_push(&m->x, s->out_stream))
        return timing_next_room(&m->x, s->out_stream);
    timing_pop(&m->x, s->in_edge[0]);
    if (last) {
        timing_push(&m->x, s->out_stream, k->latency);
        k->idle_from += m->x.now - from + s->fold.rq_cycles;
    }
    k->beat = (k->beat + 1) % (beats * g->in_h * g->in_w);
    return m->x.now + 1;
}

static int64_t step_elementwise(struct model *m, const struct stage *s, struct machine *k)
{
    for (int i = 0; i < s->n_in; i++)
        if (!timing_can_pop(&m->x, s->in_edge[i]))
            return wait_at(m, s, i);
    if (!timing_can_push(&m->x, s->out_stream))
        return timing_next_room(&m->x, s->out_stream);
    for (int i = 0; i < s->n_in; i++)
        timing_pop(&m->x, s->in_edge[i]);
    timing_push(&m->x, s->out_stream, k->latency);
    return m->x.now + 1;
}

// What nobody needs behind a row leaves the ring with the row's last read, which stands still with the line. Returns the
// first cycle from the next on in which something may leave, as far as is known now.
static int64_t release_rows(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t moves = timing_line_moves(&m->x, s->out_stream), stood = m->x.line[s->out_stream].stood;
    for (; k->leaving.count > 0 && max_i64(moves, *timing_entry(&k->leaving, 0) + stood) == m->x.now; k->rows_left++) {
        timing_take(&k->leaving);
        k->words_free = k->rows_left / s->gather.out_h * k->frame_words + k->release[k->rows_left % s->gather.out_h];
    }
    return k->leaving.count > 0 ? max_i64(moves, *timing_entry(&k->leaving, 0) + stood) : NEVER;
}

static int64_t step_gather(struct model *m, const struct stage *s, struct machine *k)
{
    int edge = s->in_edge[0];
    int64_t next = release_rows(m, s, k);
    if (k->words_in < k->words_free + k->ring_words) {
        next = timing_next_beat(&m->x, edge);
        if (timing_can_pop(&m->x, edge)) {
            timing_pop(&m->x, edge);
            k->words_in++;
            next = m->x.now + 1;
        }
    }
    int64_t frame = k->row / s->gather.out_h, y = k->row % s->gather.out_h;
    if (k->word == 0 && k->words_in < frame * k->frame_words + k->need[y])
        return next;
    if (!timing_can_push(&m->x, s->out_stream))
        return min_i64(next, timing_next_room(&m->x, s->out_stream));
    timing_push(&m->x, s->out_stream, k->latency);
    if (++k->word == k->row_words) {
        k->word = 0;
        k->row++;
        timing_put(m->a, &k->leaving, m->x.now - m->x.line[s->out_stream].stood + k->read_latency);
    }
    return m->x.now + 1;
}

static void init_gather(struct model *m, const struct stage *s, struct machine *k)
{
    const struct gather *g = &s->gather;
    k->need = arena_array(m->a, int64_t, g->out_h);
    k->release = arena_array(m->a, int64_t, g->out_h);
    for (int64_t y = 0; y < g->out_h; y++) {
        gather_row(s, s->fold.word, y, &k->need[y], &k->release[y]);
        k->need[y] = max_i64(1, k->need[y]);
    }
    k->row_words = g->out_w * s->out_c / s->fold.word;
    k->frame_words = g->in_count / s->fold.word;
    k->ring_words = cost_gather_ring(s, &s->fold, m->p->board->tech);
    k->leaving = timing_queue(m->a);
    k->read_latency = READ_LATENCY + cost_gather_steps(s, &s->fold, m->p->board->tech);
}

static int64_t step_concat(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t first = s->piece[0] / s->fold.in_lanes, all = first + s->piece[1] / s->fold.in_lanes;
    int port = k->beat < first ? 0 : 1, edge = s->in_edge[port];
    if (!timing_can_pop(&m->x, edge))
        return wait_at(m, s, port);
    if (!timing_can_push(&m->x, s->out_stream))
        return timing_next_room(&m->x, s->out_stream);
    timing_pop(&m->x, edge);
    timing_push(&m->x, s->out_stream, k->latency);
    k->beat = (k->beat + 1) % all;
    return m->x.now + 1;
}

static int64_t step_argmax(struct model *m, const struct stage *s, struct machine *k)
{
    bool last = k->beat + 1 == ceil_div(s->in_c, s->fold.in_lanes);
    if (!timing_can_pop(&m->x, s->in_edge[0]))
        return timing_next_beat(&m->x, s->in_edge[0]);
    if (last && !timing_can_push(&m->x, s->out_stream))
        return timing_next_room(&m->x, s->out_stream);
    timing_pop(&m->x, s->in_edge[0]);
    if (last)
        timing_push(&m->x, s->out_stream, k->latency);
    k->beat = last ? 0 : k->beat + 1;
    return m->x.now + 1;
}

static void init_unpair(struct model *m, const struct stage *s, struct machine *k)
{
    k->unpairs = cost_unpairs(s, &s->fold);
    if (!k->unpairs)
        return;
    for (int pixel = 0; pixel < 2; pixel++)
        k->room[pixel] = cost_unpair_words(s, &s->fold, pixel);
    k->coming = timing_queue(m->a);
    k->coming_latency = k->latency;
    k->latency = UNPAIR_LATENCY;
}

static void init_window(struct model *m, const struct stage *s, struct machine *k)
{
    const struct fold_shape *x = &m->shape[s->index];
    int32_t *beats = arena_array(m->a, int32_t, x->passes);
    for (int64_t pass = 0; pass < x->passes; pass++)
        beats[pass] = (int32_t)beats_of_pass(s, x, pass);
    k->windowed = true;
    k->in_edge = s->in_edge[0];
    k->out_stream = s->out_stream;
    k->steps = x->steps;
    k->rq_cycles = s->fold.rq_cycles;
    k->beats = beats;
    k->passes = x->passes;
    k->pixels = x->pixels;
    k->last_at = k->passes_per_row - x->passes;
    k->last_pixels = s->geo.out_w - k->last_at / x->passes * x->pixels;
}

static void model_init(struct model *m, const struct pipeline *p, struct arena *a, const struct regime *regime)
{
    *m = (struct model){ .p = p, .a = a, .regime = *regime };
    timing_streams_init(&m->x, p, a);
    m->machine = arena_array(a, struct machine, p->n_stages);
    m->shape = arena_array(a, struct fold_shape, p->n_stages);
    m->sink_edge = arena_array(a, int, p->n_edges);
    m->wake = arena_array(a, int64_t, p->n_stages);
    m->wake_source = arena_array(a, int64_t, p->n_inputs);
    m->wake_sink = arena_array(a, int64_t, p->n_edges);
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        struct machine *k = &m->machine[i];
        m->shape[i] = fold_shape(s, &s->fold);
        k->rows_free = k->freed[0] = k->freed[1] = s->fold.ring_rows;
        k->last_step = NEVER;
        k->rows_wanted = rows_needed(&s->geo, 0);
        k->beats_per_row = s->geo.in_w * ceil_div(s->in_c, s->fold.in_lanes);
        k->passes_per_row = ceil_div(s->geo.out_w, m->shape[i].pixels) * m->shape[i].passes;
        bool array = s->kind == STAGE_CONV || s->kind == STAGE_DW;
        k->latency = (array ? ARRAY_LATENCY + s->fold.seg_len + cost_weight_wait(s, &s->fold, p->board->tech) : 0) +
                     (s->kind == STAGE_ADD ? ADD_LATENCY : s->kind == STAGE_MUL ? MUL_LATENCY : s->kind == STAGE_GATHER ? GATHER_LATENCY :
                      s->kind == STAGE_ARGMAX ? ARGMAX_LATENCY + ceil_log2(s->fold.in_lanes) :
                      s->has_requant ? REQUANT_LATENCY + s->fold.rq_cycles + s->fold.rq_dsp : SIMPLE_LATENCY) +
                     (s->thresholds ? SEARCH_LATENCY : 0);
        init_unpair(m, s, k);
        if (array)
            init_window(m, s, k);
        if (s->kind == STAGE_GATHER)
            init_gather(m, s, k);
    }
    for (int i = 0; i < p->n_edges; i++) {
        struct fifo *f = &m->x.fifo[i];
        const struct edge *e = &p->edges[i];
        int producer = p->streams[e->stream].producer;
        // what is in the line behind the queues of pixel pairs, these count
        bool counted = regime->bare || (producer >= 0 && m->machine[producer].unpairs);
        f->limit = counted && f->depth ? f->depth : INT64_MAX;
        f->writer = producer < 0 ? NULL : &m->wake[producer];
        f->reader = e->consumer < 0 ? &m->wake_sink[m->n_sinks] : &m->wake[e->consumer];
        if (e->consumer < 0)
            m->sink_edge[m->n_sinks++] = i;
    }
    m->source = arena_array(a, struct source, p->n_inputs);
    m->sink = arena_array(a, struct sink, p->n_outputs);
    for (int i = 0; i < p->n_inputs; i++) {
        const struct stream *s = &p->streams[p->inputs[i].stream];
        m->source[i] = (struct source){ .stream = s->index, .frame_beats = stream_beats(s, s->lanes) };
        for (int e = m->x.first_edge[s->index]; e >= 0; e = m->x.next_edge[e])
            m->x.fifo[e].writer = &m->wake_source[i];
    }
    for (int i = 0; i < p->n_outputs; i++) {
        const struct stream *s = &p->streams[p->outputs[i].stream];
        m->sink[i].frame_beats = stream_beats(s, s->lanes);
    }
}

// Cycles that a host waits before it moves a beat that it could move: one now and then, rarely many.
static int64_t host_pause(struct model *m)
{
    if (!m->regime.pauses)
        return 0;
    m->regime.pauses ^= m->regime.pauses >> 12; // xorshift64* (Vigna 2016)
    m->regime.pauses ^= m->regime.pauses << 25;
    m->regime.pauses ^= m->regime.pauses >> 27;
    uint64_t r = m->regime.pauses * 0x2545f4914f6cdd1du >> 32;
    return r % 64 == 0 ? (int64_t)(r >> 8) % 512 : r % 4 == 0;
}

// An even pace: beat i of an input not before i / beats per frame * interval.
static int64_t step_source(struct model *m, struct source *s)
{
    int64_t due = ceil_div(s->sent * m->regime.source_interval, s->frame_beats);
    if (s->sent == m->regime.frames * s->frame_beats)
        return NEVER;
    if (m->x.now < due)
        return due;
    if (!timing_can_push(&m->x, s->stream))
        return timing_next_room(&m->x, s->stream);
    int64_t wait = host_pause(m);
    if (wait)
        return m->x.now + wait;
    timing_push(&m->x, s->stream, 0);
    s->sent++;
    return m->x.now + 1;
}

static int64_t step_sink(struct model *m, int edge)
{
    if (!timing_can_pop(&m->x, edge))
        return timing_next_beat(&m->x, edge);
    int64_t wait = host_pause(m);
    if (wait)
        return m->x.now + wait;
    timing_pop(&m->x, edge);
    m->sink[m->p->edges[edge].port].taken++;
    return m->x.now + 1;
}

// Whether every output has had its last beat of frame `f`.
static bool frame_done(const struct model *m, int64_t f)
{
    for (int i = 0; i < m->p->n_outputs; i++)
        if (m->sink[i].taken < (f + 1) * m->sink[i].frame_beats)
            return false;
    return true;
}

static int64_t step_stage(struct model *m, const struct stage *s, struct machine *k)
{
    if (k->windowed)
        return step_window(m, s, k);
    switch (s->kind) {
    case STAGE_CONV:
    case STAGE_DW: break;
    case STAGE_GAP: return step_gap(m, s, k);
    case STAGE_GATHER: return step_gather(m, s, k);
    case STAGE_CONCAT: return step_concat(m, s, k);
    case STAGE_ARGMAX: return step_argmax(m, s, k);
    case STAGE_ADD:
    case STAGE_MUL:
    case STAGE_TABLE: return step_elementwise(m, s, k);
    case STAGE_KIND_COUNT: break;
    }
    BUG("no stage kind");
}

// Lets everything that may do something in this cycle do it, readers before writers: what a beat leaves free can be
// filled in the same cycle. Returns the next cycle in which anything may happen.
static int64_t step_all(struct model *m)
{
    const struct pipeline *p = m->p;
    m->x.next = NEVER;
    for (int i = 0; i < m->n_sinks; i++) {
        if (m->wake_sink[i] <= m->x.now)
            m->wake_sink[i] = step_sink(m, m->sink_edge[i]);
        m->x.next = min_i64(m->x.next, m->wake_sink[i]);
    }
    for (int i = p->n_stages - 1; i >= 0; i--) {
        if (m->wake[i] <= m->x.now)
            m->wake[i] = step_stage(m, &p->stages[i], &m->machine[i]);
        m->x.next = min_i64(m->x.next, m->wake[i]);
    }
    timing_widen_all(&m->x);
    for (int i = 0; i < p->n_inputs; i++) {
        if (m->wake_source[i] <= m->x.now)
            m->wake_source[i] = step_source(m, &m->source[i]);
        m->x.next = min_i64(m->x.next, m->wake_source[i]);
    }
    return m->x.next;
}

static struct timing_result run(const struct pipeline *p, struct arena *a, struct regime regime)
{
    struct timing_result r = { 0 };
    struct model m;
    int frames = regime.frames;
    int64_t *done = arena_array(a, int64_t, frames + 1);
    model_init(&m, p, a, &regime);
    for (int64_t seen = 0, next; seen < frames; m.x.now = next) {
        next = step_all(&m);
        while (seen < frames && frame_done(&m, seen))
            done[seen++] = m.x.now;
        if (next == NEVER && seen < frames) {
            r.deadlock = true;
            break;
        }
    }
    int half = frames / 2; // frames may come in pairs, so to speak: one late, one early
    r.interval_cycles = half ? ceil_div(done[frames - 1] - done[frames - 1 - half], half) : 0;
    r.latency_cycles = done[0];
    r.edge_peak_words = arena_array(a, int64_t, p->n_edges);
    r.edge_in_the_way = arena_array(a, bool, p->n_edges);
    for (int i = 0; i < p->n_edges; i++) {
        r.edge_peak_words[i] = m.x.fifo[i].peak;
        r.edge_in_the_way[i] = m.x.fifo[i].in_the_way;
    }
    return r;
}

struct timing_result timing_run(const struct pipeline *p, struct arena *a, int frames)
{
    return run(p, a, (struct regime){ .frames = frames });
}

struct timing_result timing_run_paced(const struct pipeline *p, struct arena *a, int frames, int64_t interval)
{
    return run(p, a, (struct regime){ .frames = frames, .source_interval = interval });
}

struct timing_result timing_run_paused(const struct pipeline *p, struct arena *a, int frames, uint64_t seed)
{
    return run(p, a, (struct regime){ .frames = frames, .pauses = seed * 0x9e3779b97f4a7c15u + 1 });
}

// Which FIFOs are full while the joins behind them wait for their other sides; and the depths that p has now.
static void tell(struct model *m, bool *in_the_way)
{
    for (int i = 0; i < m->p->n_edges; i++) {
        const struct edge *e = &m->p->edges[i];
        const struct stage *s = e->consumer < 0 ? NULL : &m->p->stages[e->consumer];
        in_the_way[i] = s && s->n_in > 1 && is_full(&m->x.fifo[i]) && !timing_can_pop(&m->x, s->in_edge[1 - e->port]);
    }
}

bool timing_pass_bare(struct pipeline *p, bool (*relieve)(struct pipeline *p, const bool *in_the_way))
{
    struct arena scratch = { 0 };
    struct model m;
    bool ok = true, *in_the_way = arena_array(&scratch, bool, p->n_edges);
    model_init(&m, p, &scratch, &(struct regime){ .frames = 1, .bare = true });
    for (int64_t next; ok; m.x.now = next) {
        next = step_all(&m);
        if (frame_done(&m, 0))
            break;
        if (next != NEVER)
            continue;
        tell(&m, in_the_way);
        ok = relieve && relieve(p, in_the_way);
        for (int i = 0; i < p->n_edges; i++) {
            m.x.fifo[i].depth = m.x.fifo[i].limit = p->edges[i].depth_words;
            *m.x.fifo[i].writer = m.x.now;
        }
        next = m.x.now + 1;
    }
    arena_release(&scratch);
    return ok;
}

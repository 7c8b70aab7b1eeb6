// SPDX-License-Identifier: Apache-2.0
// timing: every cycle, each stage may take one input beat, do one step of its loop, and give one
// output beat. Values do not matter, so a beat in a FIFO is the cycle in which it arrives there.
//
//   edge FIFO ─► narrow ─► row ring ─► steps ─► hold ─(rate)─► queues of a pixel pair ─► fork ─► edge FIFOs
//                           rows_in, rows_free   beats left      (packed dw of several words)
#include "dataflow/timing.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/cost.h"

// Pipeline registers between a step and its result in the next FIFO, in cycles; counted in the templates
// (docs/50-rtl.md): weight ROM and multiplier, chain, split and accumulate, hold, requantizer.
#define ARRAY_LATENCY 8
#define REQUANT_LATENCY 9
#define SIMPLE_LATENCY 3
#define FIFO_LATENCY 2
#define ADD_LATENCY 6
#define MUL_LATENCY 9
#define GATHER_LATENCY 8
#define UNPAIR_LATENCY 2
#define SEARCH_LATENCY 17
#define ARGMAX_LATENCY 1 // and a cycle a round of the lanes' tournament

#define DEFAULT_DEPTH 32 // beats of an edge that no join depends on: one LUT RAM's depth
#define SIZING_FRAMES 4
#define LONG_INTERVAL 65536 // cycles of a frame from which on one frame less will do
#define SIZING_ROUNDS 6 // each a quarter deeper, when a depth from the even pace is not enough

struct fifo {
    int64_t *arrival; // ring buffer of cycles
    int64_t capacity; // entries of the ring buffer, a power of two
    int64_t limit;    // beats that fit, 0: any number
    int64_t head, count, peak;
    int sub;          // narrowing: pieces of the head beat taken
    int64_t pixel_beat; // position of the head beat in its pixel
    int64_t pixel_beats; // of a pixel
    int parts, last_parts; // that a beat is narrowed to, and a pixel's last beat
    int wide; // beats of the FIFO that make one of the edge's; `sub` of them are in, and `whole` such beats wait
    int whole;
    bool full; // two whole beats waited when the cycle began
};

struct machine {
    // input side of conv and dw
    int64_t rows_in, rows_free, beats_in_row, beats_per_row;
    // A written row can be read a cycle later than the next, a released one be written two cycles
    // later: rows_in of the last cycle, rows_free of the last two.
    int64_t rows_seen, freed[2];
    // loop
    int64_t row, pass, steps_left, passes_per_row;
    int64_t hold, timer;
    // aihls_unpair, where a stage needs it: beats held of pixels 0 and 1 of a pair, and what leaves next
    bool unpairs;
    int64_t first_left; // beats of the hold register that are pixel 0's
    int64_t held[2], room[2], out_x, out_beat;
    // gap, concat, argmax: the beat of the frame, of the turn or of the pixel
    int64_t beat;
    // gather: words since the first frame
    int64_t words_in, words_free, word, row_words, frame_words, ring_words;
    int64_t *need, *release; // by output row
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

struct model {
    const struct pipeline *p;
    struct arena *a;
    struct fifo *fifo;       // per edge
    struct machine *machine; // per stage
    struct fold_shape *shape;
    int *first_edge, *next_edge; // lists of the edges of a stream
    int *wide, n_wide; // edges that widen
    int *sink_edge, n_sinks; // edges to the host
    int64_t now, moved;  // last cycle in which something moved
    struct source *source;   // per input
    struct sink *sink;       // per output
    int64_t source_frames, source_interval;
};

static void push(struct model *m, int edge, int64_t latency)
{
    struct fifo *f = &m->fifo[edge];
    if (f->count == f->capacity) {
        int64_t *grown = arena_array(m->a, int64_t, 2 * f->capacity);
        for (int64_t i = 0; i < f->count; i++)
            grown[i] = f->arrival[(f->head + i) & (f->capacity - 1)];
        f->arrival = grown;
        f->capacity *= 2;
        f->head = 0;
    }
    f->arrival[(f->head + f->count) & (f->capacity - 1)] = m->now + latency + FIFO_LATENCY;
    f->count++;
    f->peak = max_i64(f->peak, f->count);
    m->moved = m->now;
}

static bool can_push(const struct model *m, int stream)
{
    for (int i = m->first_edge[stream]; i >= 0; i = m->next_edge[i]) {
        const struct fifo *f = &m->fifo[i];
        if (f->limit && f->count >= f->limit)
            return false;
    }
    return true;
}

static void push_all(struct model *m, int stream, int64_t latency)
{
    for (int i = m->first_edge[stream]; i >= 0; i = m->next_edge[i])
        push(m, i, latency);
}

static bool head_arrived(const struct fifo *f, int64_t now)
{
    return f->count > 0 && f->arrival[f->head] <= now;
}

static bool can_pop(const struct model *m, int edge)
{
    const struct fifo *f = &m->fifo[edge];
    return f->wide > 1 ? f->whole > 0 : head_arrived(f, m->now);
}

// The widener takes a part a cycle, on its own, while it holds less than two whole beats.
static void widen(struct model *m, int edge)
{
    struct fifo *f = &m->fifo[edge];
    bool room = !f->full;
    f->full = f->whole == 2;
    if (!room || !head_arrived(f, m->now))
        return;
    if (++f->sub == f->wide) {
        f->sub = 0;
        f->whole++;
        f->full = f->whole == 2;
    }
    f->head = (f->head + 1) & (f->capacity - 1);
    f->count--;
    m->moved = m->now;
}

// Takes one beat of the edge's own (narrowed or widened) width.
static void pop(struct model *m, int edge)
{
    struct fifo *f = &m->fifo[edge];
    m->moved = m->now;
    if (f->wide > 1) {
        f->whole--;
        return;
    }
    if (++f->sub < (f->pixel_beat + 1 == f->pixel_beats ? f->last_parts : f->parts))
        return;
    f->sub = 0;
    f->pixel_beat = f->pixel_beat + 1 == f->pixel_beats ? 0 : f->pixel_beat + 1;
    f->head = (f->head + 1) & (f->capacity - 1);
    f->count--;
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

// Pixels that a pass of the row works on.
static int64_t pixels_of_pass(const struct stage *s, const struct fold_shape *x, int64_t pass)
{
    return min_i64(x->pixels, s->geo.out_w - pass / x->passes * x->pixels);
}

static void finish_pass(const struct stage *s, const struct fold_shape *x, struct machine *k)
{
    k->first_left = beats_of_pass(s, x, k->pass);
    k->hold = k->first_left * pixels_of_pass(s, x, k->pass);
}

// Gives a beat of the pixel whose turn it is.
static void step_unpair(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t *held = &k->held[k->out_x % 2];
    if (*held == 0 || !can_push(m, s->out_stream))
        return;
    push_all(m, s->out_stream, k->latency);
    --*held;
    if (++k->out_beat == ceil_div(s->out_c, s->fold.rq_lanes)) {
        k->out_beat = 0;
        k->out_x = (k->out_x + 1) % s->geo.out_w;
    }
}

// The requantizer takes a beat every rq_cycles, whichever pass it is of: while it works on the last
// beat of one, the hold register is free for the next.
static void step_drain(struct model *m, const struct stage *s, struct machine *k)
{
    int pixel = k->first_left > 0 ? 0 : 1;
    if (k->timer > 0)
        k->timer--;
    if (k->hold == 0 || k->timer > 0 || (k->unpairs ? k->held[pixel] == k->room[pixel] : !can_push(m, s->out_stream)))
        return;
    if (k->unpairs) {
        k->held[pixel]++;
        m->moved = m->now;
    } else {
        push_all(m, s->out_stream, k->latency);
    }
    k->first_left -= k->first_left > 0;
    k->hold--;
    k->timer = s->fold.rq_cycles;
}

static void step_window(struct model *m, const struct stage *s, struct machine *k)
{
    const struct window_geometry *g = &s->geo;
    const struct fold_shape *x = &m->shape[s->index];
    int edge = s->in_edge[0];
    if (k->unpairs)
        step_unpair(m, s, k);
    step_drain(m, s, k);
    // the loop; rows_in and rows_free count rows since the first frame, k->row output rows likewise
    bool ready = k->steps_left > 0 || k->pass > 0 || k->rows_seen >= k->row / g->out_h * g->in_h + rows_needed(g, k->row % g->out_h);
    k->rows_seen = k->rows_in;
    if (ready) {
        if (k->steps_left == 0)
            k->steps_left = x->steps;
        if (k->steps_left > 1) {
            k->steps_left--;
            m->moved = m->now;
        } else if (k->hold == 0) {
            m->moved = m->now;
            k->steps_left = 0;
            finish_pass(s, x, k);
            if (++k->pass == k->passes_per_row) {
                k->pass = 0;
                k->row++;
                k->rows_free = k->row / g->out_h * g->in_h + first_row(g, k->row % g->out_h) + s->fold.ring_rows;
            }
        }
    }
    bool room = k->rows_in < k->freed[1];
    k->freed[1] = k->freed[0];
    k->freed[0] = k->rows_free;
    if (room && can_pop(m, edge)) {
        pop(m, edge);
        if (++k->beats_in_row == k->beats_per_row) {
            k->beats_in_row = 0;
            k->rows_in++;
        }
    }
}

static void step_gap(struct model *m, const struct stage *s, struct machine *k)
{
    const struct window_geometry *g = &s->geo;
    int64_t beats = ceil_div(s->in_c, s->fold.in_lanes), pixel = k->beat / beats;
    bool last = pixel == (g->kernel_h - 1) * g->in_w + g->kernel_w - 1;
    if (k->timer > 0)
        k->timer--;
    if (!can_pop(m, s->in_edge[0]) || (last && (k->timer > 0 || !can_push(m, s->out_stream))))
        return;
    pop(m, s->in_edge[0]);
    if (last) {
        push_all(m, s->out_stream, k->latency);
        k->timer = s->fold.rq_cycles;
    }
    k->beat = (k->beat + 1) % (beats * g->in_h * g->in_w);
}

static void step_elementwise(struct model *m, const struct stage *s, struct machine *k)
{
    for (int i = 0; i < s->n_in; i++)
        if (!can_pop(m, s->in_edge[i]))
            return;
    if (!can_push(m, s->out_stream))
        return;
    for (int i = 0; i < s->n_in; i++)
        pop(m, s->in_edge[i]);
    push_all(m, s->out_stream, k->latency);
}

static void step_gather(struct model *m, const struct stage *s, struct machine *k)
{
    int edge = s->in_edge[0];
    if (k->words_in < k->words_free + k->ring_words && can_pop(m, edge)) {
        pop(m, edge);
        k->words_in++;
    }
    int64_t frame = k->row / s->gather.out_h, y = k->row % s->gather.out_h;
    bool ready = k->word > 0 || k->words_in >= frame * k->frame_words + k->need[y];
    if (!ready || !can_push(m, s->out_stream))
        return;
    push_all(m, s->out_stream, k->latency);
    if (++k->word < k->row_words)
        return;
    k->word = 0;
    k->row++;
    k->words_free = frame * k->frame_words + k->release[y];
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
}

static void step_concat(struct model *m, const struct stage *s, struct machine *k)
{
    int64_t first = s->piece[0] / s->fold.in_lanes, all = first + s->piece[1] / s->fold.in_lanes;
    int edge = s->in_edge[k->beat < first ? 0 : 1];
    if (!can_pop(m, edge) || !can_push(m, s->out_stream))
        return;
    pop(m, edge);
    push_all(m, s->out_stream, k->latency);
    k->beat = (k->beat + 1) % all;
}

static void step_argmax(struct model *m, const struct stage *s, struct machine *k)
{
    bool last = k->beat + 1 == ceil_div(s->in_c, s->fold.in_lanes);
    if (!can_pop(m, s->in_edge[0]) || (last && !can_push(m, s->out_stream)))
        return;
    pop(m, s->in_edge[0]);
    if (last)
        push_all(m, s->out_stream, k->latency);
    k->beat = last ? 0 : k->beat + 1;
}

// Beats on their way through the requantizer take no room in the queues behind it.
static void init_unpair(const struct stage *s, struct machine *k)
{
    k->unpairs = cost_unpairs(s, &s->fold);
    if (!k->unpairs)
        return;
    for (int pixel = 0; pixel < 2; pixel++)
        k->room[pixel] = cost_unpair_words(s, &s->fold, pixel) + k->latency / s->fold.rq_cycles;
    k->latency += UNPAIR_LATENCY;
}

static void model_init(struct model *m, const struct pipeline *p, struct arena *a, int frames)
{
    *m = (struct model){ .p = p, .a = a };
    m->fifo = arena_array(a, struct fifo, p->n_edges);
    m->machine = arena_array(a, struct machine, p->n_stages);
    m->shape = arena_array(a, struct fold_shape, p->n_stages);
    m->wide = arena_array(a, int, p->n_edges);
    m->sink_edge = arena_array(a, int, p->n_edges);
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        struct machine *k = &m->machine[i];
        m->shape[i] = fold_shape(s, &s->fold);
        k->rows_free = k->freed[0] = k->freed[1] = s->fold.ring_rows;
        k->beats_per_row = s->geo.in_w * ceil_div(s->in_c, s->fold.in_lanes);
        k->passes_per_row = ceil_div(s->geo.out_w, m->shape[i].pixels) * m->shape[i].passes;
        bool array = s->kind == STAGE_CONV || s->kind == STAGE_DW;
        k->latency = (array ? ARRAY_LATENCY + s->fold.seg_len : 0) +
                     (s->kind == STAGE_ADD ? ADD_LATENCY : s->kind == STAGE_MUL ? MUL_LATENCY : s->kind == STAGE_GATHER ? GATHER_LATENCY :
                      s->kind == STAGE_ARGMAX ? ARGMAX_LATENCY + ceil_log2(s->fold.in_lanes) :
                      s->has_requant ? REQUANT_LATENCY + s->fold.rq_cycles + s->fold.rq_dsp : SIMPLE_LATENCY) +
                     (s->thresholds ? SEARCH_LATENCY : 0);
        init_unpair(s, k);
        if (s->kind == STAGE_GATHER)
            init_gather(m, s, k);
    }
    for (int i = 0; i < p->n_edges; i++) {
        struct fifo *f = &m->fifo[i];
        const struct edge *e = &p->edges[i];
        int producer = p->streams[e->stream].producer;
        f->capacity = 64;
        f->arrival = arena_array(a, int64_t, f->capacity);
        // beats inside the producer's own pipeline do not take room in the FIFO
        int64_t in_flight = FIFO_LATENCY + (producer < 0 ? 0 : m->machine[producer].unpairs ? UNPAIR_LATENCY
                                            : m->machine[producer].latency / p->stages[producer].fold.rq_cycles);
        f->limit = e->depth_words ? e->depth_words + in_flight : 0;
        const struct stream *s = &p->streams[e->stream];
        f->pixel_beats = ceil_div(s->c, s->lanes);
        f->parts = (int)ceil_div(s->lanes, e->lanes);
        f->last_parts = (int)ceil_div(s->c - (f->pixel_beats - 1) * s->lanes, e->lanes);
        f->wide = e->lanes > s->lanes ? e->lanes / s->lanes : 1;
        if (f->wide > 1)
            m->wide[m->n_wide++] = i;
        if (e->consumer < 0)
            m->sink_edge[m->n_sinks++] = i;
    }
    m->first_edge = arena_array(a, int, p->n_streams);
    m->next_edge = arena_array(a, int, p->n_edges);
    for (int i = 0; i < p->n_streams; i++)
        m->first_edge[i] = -1;
    for (int i = p->n_edges - 1; i >= 0; i--) {
        m->next_edge[i] = m->first_edge[p->edges[i].stream];
        m->first_edge[p->edges[i].stream] = i;
    }
    m->source_frames = frames;
    m->source = arena_array(a, struct source, p->n_inputs);
    m->sink = arena_array(a, struct sink, p->n_outputs);
    for (int i = 0; i < p->n_inputs; i++) {
        const struct stream *s = &p->streams[p->inputs[i].stream];
        m->source[i] = (struct source){ .stream = s->index, .frame_beats = stream_beats(s, s->lanes) };
    }
    for (int i = 0; i < p->n_outputs; i++) {
        const struct stream *s = &p->streams[p->outputs[i].stream];
        m->sink[i].frame_beats = stream_beats(s, s->lanes);
    }
}

// An even pace: beat i of an input not before i / beats per frame * interval.
static void step_source(struct model *m, struct source *s)
{
    bool due = s->sent * m->source_interval <= m->now * s->frame_beats;
    if (!due || s->sent == m->source_frames * s->frame_beats || !can_push(m, s->stream))
        return;
    push_all(m, s->stream, 0);
    s->sent++;
}

// Whether every output has had its last beat of frame `f`.
static bool frame_done(const struct model *m, int64_t f)
{
    for (int i = 0; i < m->p->n_outputs; i++)
        if (m->sink[i].taken < (f + 1) * m->sink[i].frame_beats)
            return false;
    return true;
}

static void step_all(struct model *m)
{
    const struct pipeline *p = m->p;
    for (int i = 0; i < m->n_sinks; i++)
        if (can_pop(m, m->sink_edge[i])) {
            pop(m, m->sink_edge[i]);
            m->sink[p->edges[m->sink_edge[i]].port].taken++;
        }
    for (int i = p->n_stages - 1; i >= 0; i--) {
        const struct stage *s = &p->stages[i];
        struct machine *k = &m->machine[i];
        switch (s->kind) {
        case STAGE_CONV:
        case STAGE_DW: step_window(m, s, k); break;
        case STAGE_GAP: step_gap(m, s, k); break;
        case STAGE_GATHER: step_gather(m, s, k); break;
        case STAGE_CONCAT: step_concat(m, s, k); break;
        case STAGE_ARGMAX: step_argmax(m, s, k); break;
        case STAGE_ADD:
        case STAGE_MUL:
        case STAGE_TABLE: step_elementwise(m, s, k); break;
        case STAGE_KIND_COUNT: BUG("no stage kind");
        }
    }
    for (int i = 0; i < m->n_wide; i++)
        widen(m, m->wide[i]);
    for (int i = 0; i < p->n_inputs; i++)
        step_source(m, &m->source[i]);
}

// source_interval: cycles per frame at which the host sends; 0: as fast as the pipeline takes it.
static struct timing_result run_paced(const struct pipeline *p, struct arena *a, int frames, int64_t source_interval)
{
    struct timing_result r = { 0 };
    struct model m;
    int64_t patience = 10000, *done = arena_array(a, int64_t, frames + 1);
    model_init(&m, p, a, frames);
    m.source_interval = source_interval;
    for (int i = 0; i < p->n_stages; i++)
        patience = max_i64(patience, 2 * p->stages[i].cost.cycles);
    for (int64_t seen = 0; seen < frames; m.now++) {
        step_all(&m);
        if (frame_done(&m, seen))
            done[seen++] = m.now;
        if (m.now - m.moved > patience) {
            r.deadlock = true;
            break;
        }
    }
    r.interval_cycles = frames > 1 ? done[frames - 1] - done[frames - 2] : 0;
    r.latency_cycles = done[0];
    r.edge_peak_words = arena_array(a, int64_t, p->n_edges);
    for (int i = 0; i < p->n_edges; i++)
        r.edge_peak_words[i] = m.fifo[i].peak;
    return r;
}

struct timing_result timing_run(const struct pipeline *p, struct arena *a, int frames)
{
    return run_paced(p, a, frames, 0);
}

static bool enters_join(const struct pipeline *p, const struct edge *e)
{
    return e->consumer >= 0 && p->stages[e->consumer].n_in > 1;
}

// Whether all that the edge carries comes from inputs that serve nothing else. When it is full only their hosts
// wait, so that however late the other side of a join is, no depth is too small.
static bool holds_up_nobody(const struct pipeline *p, const struct edge *e)
{
    const struct stream *s = &p->streams[e->stream];
    if (stream_edge_count(p, s->index) > 1)
        return false;
    const struct stage *from = s->producer < 0 ? NULL : &p->stages[s->producer];
    for (int k = 0; from && k < from->n_in; k++)
        if (!holds_up_nobody(p, &p->edges[from->in_edge[k]]))
            return false;
    return true;
}

// Depths that memories offer: LUT RAM up to 64 words, else full block RAMs of that width.
static void set_depth(const struct pipeline *p, struct edge *e, int64_t words)
{
    const struct tech *tech = p->board->tech;
    int64_t bits = 8 * p->streams[e->stream].lanes;
    e->block = words > 64 || cost_fifo_in_block(tech);
    if (!e->block) {
        e->depth_words = words <= 32 ? 32 : 64;
        return;
    }
    int64_t blocks = cost_bram(tech, bits, words, true), grain = 128;
    e->depth_words = ceil_div(words, grain) * grain;
    while (cost_bram(tech, bits, e->depth_words + grain, true) == blocks)
        e->depth_words += grain;
}

bool timing_size_fifos(struct pipeline *p)
{
    struct arena scratch = { 0 };
    int64_t *need = arena_array(&scratch, int64_t, p->n_edges), interval = 1;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        e->depth_words = enters_join(p, e) && !holds_up_nobody(p, e) ? 0 : DEFAULT_DEPTH;
        e->block = cost_fifo_in_block(p->board->tech);
    }
    for (int i = 0; i < p->n_stages; i++)
        interval = max_i64(interval, p->stages[i].cost.cycles);
    // At the pace of the slowest stage a join's FIFOs hold what the difference of its branches' lags asks for; a
    // faster source would fill the unbounded ones with frames that only wait.
    int frames = interval < LONG_INTERVAL ? SIZING_FRAMES : SIZING_FRAMES - 1;
    struct timing_result wide = run_paced(p, &scratch, frames, interval), sized = { 0 };
    bool ok = !wide.deadlock, joins = false;
    for (int i = 0; i < p->n_edges; i++)
        need[i] = p->edges[i].depth_words ? p->edges[i].depth_words : wide.edge_peak_words[i] + 2;
    for (int round = 0; ok && round < SIZING_ROUNDS; round++) {
        for (int i = 0; i < p->n_edges; i++)
            if (enters_join(p, &p->edges[i])) {
                joins = true;
                set_depth(p, &p->edges[i], need[i]);
                need[i] += need[i] / 4 + 1;
            }
        sized = timing_run(p, &scratch, frames);
        if (!joins || (!sized.deadlock && sized.interval_cycles <= wide.interval_cycles + wide.interval_cycles / 512))
            break; // the full pace of the source costs nothing
    }
    ok = ok && !sized.deadlock;
    p->interval_cycles = sized.interval_cycles;
    p->latency_cycles = sized.latency_cycles;
    arena_release(&scratch);
    return ok;
}

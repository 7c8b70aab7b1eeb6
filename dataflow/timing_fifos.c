// SPDX-License-Identifier: Apache-2.0
// timing_fifos: how deep FIFOs must be, by asking the timing model.
//
//     unbounded at an even pace ──► enough ──┐ (at most)
//     least that lets a frame through ───────┴──► grow until the interval is kept ──► shrink one by one
#include <string.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/timing.h"

#define DEFAULT_DEPTH 32 // beats of an edge that no join depends on: one LUT RAM's depth
#define SHORT_INTERVAL 8192 // cycles of a frame below which there is time for twice as many
#define SIZING_FRAMES 4
#define SETTLED_FRAMES 10 // from which on, where large FIFOs fill first, the interval is that of all later frames
#define LONG_INTERVAL 65536 // cycles of a frame from which on one frame less will do
#define TRIM_STEPS 25000000 // cycles times stages to simulate in order to save memory: a tenth of a second or so
#define SIZING_ROUNDS 6 // each a quarter deeper, when a depth from the even pace is not enough

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

static int frames_to_run(const struct pipeline *p)
{
    int64_t interval = pipeline_slowest_cycles(p);
    return interval < SHORT_INTERVAL ? 2 * SIZING_FRAMES : interval < LONG_INTERVAL ? SIZING_FRAMES : SIZING_FRAMES - 1;
}

static bool depth_from_model(const struct pipeline *p, const struct edge *e)
{
    return enters_join(p, e) && !holds_up_nobody(p, e);
}

bool timing_size_fifos(struct pipeline *p)
{
    bool modelled = false;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        bool join = depth_from_model(p, e);
        e->depth_words = join ? 0 : DEFAULT_DEPTH;
        e->block = cost_fifo_in_block(p->board->tech);
        if (enters_join(p, e) && !join)
            set_depth(p, e, DEFAULT_DEPTH);
        modelled |= join;
    }
    p->interval_cycles = pipeline_slowest_cycles(p);
    if (!modelled)
        return true;
    // At the pace of the slowest stage a join's FIFOs hold what the difference of its branches' lags asks for; a
    // faster source would fill the unbounded ones with frames that only wait.
    struct arena scratch = { 0 };
    struct timing_result wide = timing_run_paced(p, &scratch, frames_to_run(p), p->interval_cycles);
    p->interval_cycles = wide.interval_cycles;
    for (int i = 0; i < p->n_edges; i++)
        if (depth_from_model(p, &p->edges[i]))
            set_depth(p, &p->edges[i], wide.edge_peak_words[i] + 2);
    arena_release(&scratch);
    return !wide.deadlock;
}

// The greatest depth that a smaller memory than e's has; 0: there is none.
static int64_t smaller_depth(const struct pipeline *p, const struct edge *e)
{
    const struct tech *tech = p->board->tech;
    if (!e->block)
        return e->depth_words > 32 ? 32 : 0;
    int64_t bits = 8 * p->streams[e->stream].lanes, words = e->depth_words - e->depth_words % 128;
    int64_t blocks = cost_bram(tech, bits, e->depth_words, true);
    while (words > 0 && cost_bram(tech, bits, words, true) == blocks)
        words -= 128;
    return words > 0 || cost_fifo_in_block(tech) ? words : 64;
}

// Where nothing moves any more, the one of least memory among the FIFOs in the way gets more. False: there is none.
static bool relieve(struct pipeline *p, const bool *in_the_way)
{
    struct edge *least = NULL;
    int64_t least_bits = INT64_MAX;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        int64_t bits = e->depth_words * p->streams[e->stream].lanes;
        if (in_the_way[i] && depth_from_model(p, e) && bits < least_bits) {
            least = e;
            least_bits = bits;
        }
    }
    if (least)
        set_depth(p, least, least->depth_words + 1);
    return least != NULL;
}

// The least depths, or nearly, with which a frame gets through whatever the pace.
static void least_depths(struct pipeline *p)
{
    for (int i = 0; i < p->n_edges; i++)
        if (depth_from_model(p, &p->edges[i]))
            set_depth(p, &p->edges[i], 1);
    if (!timing_pass_bare(p, relieve))
        BUG("no FIFO depths let a frame of %s through", p->name);
}

// The edges, to return to their depths.
static struct edge *copy_edges(const struct pipeline *p, struct arena *a)
{
    struct edge *copy = arena_array(a, struct edge, p->n_edges);
    memcpy(copy, p->edges, (size_t)p->n_edges * sizeof *copy);
    return copy;
}

// Cycles of all stages that may be simulated yet to save memory.
static bool affordable(const struct pipeline *p, int64_t *steps)
{
    *steps -= p->interval_cycles * frames_to_run(p) * p->n_stages;
    return *steps >= 0;
}

// Gives FIFOs that were full while the join behind them waited for its other side twice the depth, but no more than in
// `enough`. False: there is none.
static bool deepen(struct pipeline *p, const struct edge *enough, const bool *in_the_way)
{
    bool some = false;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        if (!in_the_way[i] || !depth_from_model(p, e) || e->depth_words >= enough[i].depth_words)
            continue;
        set_depth(p, e, min_i64(enough[i].depth_words, 2 * e->depth_words));
        some = true;
    }
    return some;
}

// From the least depths up, until frames come every `interval` cycles. Those of `enough` are known to do.
static void grow(struct pipeline *p, const struct edge *enough, int64_t interval, int64_t *steps)
{
    bool kept = false, some = true;
    while (!kept && some && affordable(p, steps)) {
        struct arena scratch = { 0 };
        struct timing_result r = timing_run(p, &scratch, frames_to_run(p));
        kept = !r.deadlock && r.interval_cycles <= interval;
        some = !kept && deepen(p, enough, r.edge_in_the_way);
        arena_release(&scratch);
    }
    for (int i = 0; i < p->n_edges && !kept; i++)
        if (p->edges[i].depth_words < enough[i].depth_words)
            p->edges[i] = enough[i];
}

// Whether frames come every `interval` cycles, and get through at any pace, if e has room for `words`; then it gets that.
// Else *few is the depth that was too little.
static bool suffices(struct pipeline *p, struct edge *e, int64_t words, int64_t interval, int64_t *few)
{
    struct arena scratch = { 0 };
    struct edge kept = *e;
    set_depth(p, e, words);
    struct timing_result r = timing_run(p, &scratch, frames_to_run(p));
    arena_release(&scratch);
    if (!r.deadlock && r.interval_cycles <= interval && timing_pass_bare(p, NULL))
        return true;
    *few = e->depth_words;
    *e = kept;
    return false;
}

// Takes memory from e as long as frames come at the interval: one size less, which mostly is too little; then `least`,
// which may do; then by halves. False where there is nothing to take.
static bool shrink(struct pipeline *p, struct edge *e, int64_t least, int64_t interval, int64_t *steps)
{
    int64_t few = 0, words = smaller_depth(p, e);
    if (words == 0 || !affordable(p, steps) || !suffices(p, e, words, interval, &few))
        return false;
    for (words = least; smaller_depth(p, e) > few && affordable(p, steps); words = few + (e->depth_words - few) / 2)
        suffices(p, e, min_i64(words, smaller_depth(p, e)), interval, &few);
    return true;
}

static struct edge *largest_left(struct pipeline *p, const bool *done)
{
    struct edge *largest = NULL;
    int64_t most = 0;
    for (int i = 0; i < p->n_edges; i++) {
        int64_t bits = p->edges[i].depth_words * p->streams[p->edges[i].stream].lanes;
        if (!done[i] && bits > most) {
            largest = &p->edges[i];
            most = bits;
        }
    }
    return largest;
}

// Takes memory from all FIFOs, the largest first; again after a change, for the others may have less to hold then. `hint`
// has the depths that may do.
static void shrink_all(struct pipeline *p, const struct edge *hint, int64_t interval, int64_t *steps)
{
    struct arena scratch = { 0 };
    for (bool some = true; some;) {
        bool *done = arena_array(&scratch, bool, p->n_edges);
        some = false;
        for (struct edge *e; (e = largest_left(p, done)) != NULL; done[e->index] = true)
            some |= shrink(p, e, hint[e->index].depth_words, interval, steps);
    }
    arena_release(&scratch);
}

// Gives back what FIFOs into joins do not need to keep the interval: what an unbounded one holds at its fullest is more
// than what a bounded one must. False: too large a pipeline to try; nothing has changed.
static bool trim(struct pipeline *p, int64_t interval)
{
    struct arena scratch = { 0 };
    int64_t steps = TRIM_STEPS;
    if (!affordable(p, &steps))
        return false;
    const struct edge *enough = copy_edges(p, &scratch);
    least_depths(p);
    const struct edge *least = copy_edges(p, &scratch);
    grow(p, enough, interval, &steps);
    shrink_all(p, least, interval, &steps);
    arena_release(&scratch);
    return true;
}

bool timing_confirm(struct pipeline *p)
{
    struct arena scratch = { 0 };
    struct timing_result sized = { 0 };
    bool joins = false, ok = false;
    for (int i = 0; i < p->n_edges; i++)
        joins |= depth_from_model(p, &p->edges[i]);
    for (int round = 0; round < SIZING_ROUNDS && !ok; round++) {
        sized = timing_run(p, &scratch, frames_to_run(p));
        // the full pace of the source costs nothing
        ok = !joins || (!sized.deadlock && sized.interval_cycles <= p->interval_cycles + p->interval_cycles / 512);
        for (int i = 0; i < p->n_edges && !ok && round + 1 < SIZING_ROUNDS; i++)
            if (depth_from_model(p, &p->edges[i]))
                set_depth(p, &p->edges[i], p->edges[i].depth_words + p->edges[i].depth_words / 4 + 1);
    }
    if (!sized.deadlock) {
        // frames that catch up with one another may come faster at first than any later do
        p->interval_cycles = max_i64(sized.interval_cycles, pipeline_slowest_cycles(p));
        p->latency_cycles = sized.latency_cycles;
        if (joins && !timing_pass_bare(p, relieve))
            BUG("no FIFO depths let a frame of %s through", p->name);
        if (joins && trim(p, p->interval_cycles))
            p->latency_cycles = timing_run(p, &scratch, 2).latency_cycles;
    }
    arena_release(&scratch);
    return !sized.deadlock;
}

bool timing_deepen(struct pipeline *p)
{
    struct arena scratch = { 0 };
    const struct edge *before = copy_edges(p, &scratch);
    int64_t slowest = pipeline_slowest_cycles(p), was = p->interval_cycles, steps = TRIM_STEPS;
    bool better = false;
    if (was > slowest + slowest / 512) {
        for (int i = 0; i < p->n_edges; i++)
            p->edges[i].depth_words = 0;
        struct timing_result wide = timing_run_paced(p, &scratch, SETTLED_FRAMES, slowest);
        for (int i = 0; i < p->n_edges; i++) {
            int64_t need = wide.edge_peak_words[i] + 2;
            p->edges[i] = before[i];
            if (need > before[i].depth_words)
                set_depth(p, &p->edges[i], need);
        }
        struct timing_result deep = timing_run(p, &scratch, SETTLED_FRAMES);
        better = !wide.deadlock && !deep.deadlock && deep.interval_cycles < was - was / 512;
        p->interval_cycles = better ? max_i64(deep.interval_cycles, slowest) : was;
    }
    if (better) {
        shrink_all(p, before, p->interval_cycles, &steps);
        struct timing_result deep = timing_run(p, &scratch, SETTLED_FRAMES);
        p->interval_cycles = max_i64(deep.interval_cycles, slowest);
        p->latency_cycles = deep.latency_cycles;
    } else {
        memcpy(p->edges, before, (size_t)p->n_edges * sizeof *before);
    }
    arena_release(&scratch);
    return better;
}

// SPDX-License-Identifier: Apache-2.0
#include "dataflow/schedule_options.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/cost.h"

#define SLOWEST_DSP_RATE 4 // cycles a result; slower requantizers are small in LUTs
#define MAX_CHAIN 512      // cells of one lane; no network here profits from more
#define MAX_HOST_LANES 64  // elements a beat of the input: 512 bits, a wide AXI stream
#define HOST_LANE_CHOICES 8
#define CHEAP 4            // times the multipliers that the interval asks for

// Requantizer rates from the cheapest to the dearest: results a cycle = lanes / cycles.
static const struct { int lanes, cycles; } rates[] = {
    { 1, 24 }, { 1, 12 }, { 1, 8 }, { 1, 6 }, { 1, 4 }, { 1, 3 }, { 1, 2 }, { 1, 1 }, { 2, 1 }, { 4, 1 }, { 8, 1 }, { 16, 1 },
};
#define N_RATES ((int)(sizeof rates / sizeof *rates))

// Whether beats of so many elements neither mix pixels nor, in stages that move elements, tear apart what stays together.
static bool lanes_possible(const struct pipeline *p, const struct stage *s, int lanes)
{
    for (int k = 0; k < s->n_in; k++) {
        const struct stream *in = stage_in(p, s, k);
        // an input whose pixels have another number of channels (a reshaped image) has as many beats only where lanes
        // divide both
        if (in->c != s->in_c && (in->c % lanes || s->in_c % lanes))
            return false;
        if (s->kind == STAGE_CONCAT && (in->c % lanes || s->piece[k] % lanes || s->out_c % lanes))
            return false;
    }
    return s->kind != STAGE_GATHER || s->gather.grain % lanes == 0;
}

// Elements a beat that carry a frame through an elementwise or moving stage within the interval. 0: none do.
static int lanes_needed(const struct pipeline *p, const struct stage *s, int64_t interval)
{
    struct fold f = { .rq_lanes = 1, .rq_cycles = 1, .rows_par = 1, .word = 1, .lanes = 1, .pack = 1, .seg_len = 1 };
    bool moves = s->kind == STAGE_GATHER || s->kind == STAGE_CONCAT;
    f.in_lanes = 1;
    while (f.in_lanes < MAX_HOST_LANES && (moves ? cost_cycles(s, &f) : cost_input_cycles(s, f.in_lanes)) > interval)
        f.in_lanes *= 2;
    return lanes_possible(p, s, f.in_lanes) ? f.in_lanes : 0;
}

static bool covers(const struct cost *a, const struct cost *b)
{
    return a->dsp <= b->dsp && a->bram18 <= b->bram18 && a->lut <= b->lut;
}

static bool covered(const struct options *front, const struct cost *c)
{
    for (int i = 0; i < front->n; i++)
        if (covers(&front->items[i].cost, c))
            return true;
    return false;
}

// Keeps the front: drops o when an option covers it, and the options that o covers.
static void keep(struct arena *a, struct options *out, const struct option *o)
{
    int n = 0;
    if (covered(out, &o->cost))
        return;
    for (int i = 0; i < out->n; i++)
        if (!covers(&o->cost, &out->items[i].cost))
            out->items[n++] = out->items[i];
    out->n = n;
    arena_push(a, out->items, out->n, out->cap, *o);
}

struct enumeration {
    const struct stage *s;
    const struct tech *tech;
    int64_t interval;
    struct arena *a;
    struct options *out;
    const struct options *cheap; // options among those to come; NULL while they are found
    int64_t most_cells;          // multipliers up to which a fold counts as cheap
    int safe_segment;            // worst-case chain length of packed multipliers
    bool can_pack;
};

// A fold's first memories, of LUTs and of block RAM.
struct memories {
    bool possible[MEMORY_COUNT][2];
    struct cost cost[MEMORY_COUNT][2];
};

// Adds to *least what n memories take at least, of each resource on its own.
static struct memories price_memories(const struct enumeration *e, const struct fold *f, const struct fold_shape *x, int n, struct cost *least)
{
    struct memories m = { 0 };
    for (int k = 0; k < n; k++) {
        for (int block = 0; block < 2; block++) {
            m.possible[k][block] = cost_memory_possible(e->s, f, x, e->tech, k, block);
            if (m.possible[k][block])
                m.cost[k][block] = cost_memory(e->s, f, x, e->tech, k, block);
        }
        least->bram18 += m.possible[k][0] ? 0 : m.cost[k][1].bram18;
        least->lut += m.possible[k][1] ? 0 : m.cost[k][0].lut;
    }
    return m;
}

// All choices of memories for a fold of `cycles`.
static void price(const struct enumeration *e, struct fold f, int64_t cycles)
{
    struct fold_shape x = fold_shape(e->s, &f);
    struct cost logic = cost_logic(e->s, &f, &x, e->tech), least = logic;
    struct memories m = price_memories(e, &f, &x, MEMORY_COUNT, &least);
    if (covered(e->out, &least))
        return;
    logic.cycles = cycles;
    for (int choice = 0; choice < 1 << MEMORY_COUNT; choice++) {
        struct cost c = logic;
        bool ok = true;
        for (int k = 0; ok && k < MEMORY_COUNT; k++) {
            ok = m.possible[k][choice >> k & 1];
            if (ok)
                cost_add(&c, &m.cost[k][choice >> k & 1]);
        }
        if (!ok || covered(e->out, &c))
            continue;
        f.ring_block = choice >> MEMORY_RING & 1;
        f.rom_block = choice >> MEMORY_WEIGHTS & 1;
        f.param_block = choice >> MEMORY_PARAMETERS & 1;
        keep(e->a, e->out, &(struct option){ f, c });
    }
}

// The multipliers' technology, with the chain length that follows. Packed pixels need DSP blocks, and what does not multiply
// has none. False: not for this stage.
static bool choose_multiplier(const struct enumeration *e, struct fold *f, bool dsp)
{
    bool conv = e->s->kind == STAGE_CONV;
    int64_t chain = conv ? (int64_t)f->rows_par * f->word : f->rows_par;
    if (dsp ? !conv && e->s->op != DW_MAC : !conv && f->pack == 2)
        return false;
    if (conv)
        f->pack = dsp && e->can_pack ? 2 : 1;
    f->use_dsp = dsp;
    f->seg_len = !e->tech->systolic ? 1 : f->pack == 1 ? (int)chain : (int)ceil_div(chain, ceil_div(chain, e->safe_segment));
    return true;
}

// Whether a cheap option has less of one resource and no more of the others than array and memories of this fold alone. Then
// none of its options stays on the front, and they need not be looked at.
static bool hopeless(const struct enumeration *e, const struct fold *f)
{
    if (!e->cheap || e->cheap->n == 0)
        return false;
    struct fold_shape x = fold_shape(e->s, f);
    struct cost least = cost_array(e->s, f, &x, e->tech);
    price_memories(e, f, &x, MEMORY_PARAMETERS, &least); // parameters depend on the requantizer
    for (int i = 0; i < e->cheap->n; i++) {
        const struct cost *c = &e->cheap->items[i].cost;
        if (covers(c, &least) && !covers(&least, c))
            return true;
    }
    return false;
}

// Whether results leave a pass in whole beats at rate r.
static bool rate_possible(const struct stage *s, const struct fold *f)
{
    int64_t slices = s->kind == STAGE_CONV ? s->geo.group : 1, per_slice = s->out_c / slices;
    int lanes = s->kind == STAGE_CONV ? f->lanes : f->word;
    bool one_pass = lanes >= per_slice && slices == 1;
    return f->rq_lanes == 1 || one_pass || (lanes % f->rq_lanes == 0 && (slices == 1 || per_slice % f->rq_lanes == 0));
}

// The slowest requantizers that keep the interval, for `lanes` results a pass. Faster ones cost more, except that one
// bit a cycle may cost more than two, and that DSP blocks save an adder at one result a cycle.
static void choose_rate(const struct enumeration *e, struct fold f)
{
    const struct stage *s = e->s;
    struct fold kind[2]; // multipliers of LUTs, of DSP blocks
    bool worth[2];
    f.rq_lanes = f.rq_cycles = f.seg_len = 1;
    struct fold_shape x = fold_shape(s, &f);
    if (cost_array_cycles(s, &x) > e->interval || (!e->cheap && f.lanes * x.chain > e->most_cells))
        return;
    for (int k = 0; k < 2; k++) {
        kind[k] = f;
        worth[k] = choose_multiplier(e, &kind[k], k) && !hopeless(e, &kind[k]);
    }
    if (!worth[0] && !worth[1])
        return;
    for (int dsp = 0; dsp < 2; dsp++) {
        f.rq_dsp = dsp;
        for (int r = 0, found = 0; r < N_RATES && found < (dsp ? 4 : 2); r++) {
            f.rq_lanes = rates[r].lanes;
            f.rq_cycles = rates[r].cycles;
            if ((!s->has_requant && f.rq_cycles > 1) || (dsp && (f.rq_cycles > SLOWEST_DSP_RATE || !cost_requant_dsp(s, &f, e->tech))))
                continue;
            int64_t cycles; // do not depend on the length of segments
            if (!rate_possible(s, &f) || (cycles = cost_cycles(s, &f)) > e->interval)
                continue;
            for (int k = 0; k < 2; k++) {
                kind[k].rq_lanes = f.rq_lanes;
                kind[k].rq_cycles = f.rq_cycles;
                kind[k].rq_dsp = f.rq_dsp;
                if (worth[k])
                    price(e, kind[k], cycles);
            }
            found++;
        }
    }
}

static void choose_lanes(const struct enumeration *e, struct fold f)
{
    if (e->s->kind == STAGE_DW) {
        f.lanes = f.word;
        for (f.pack = 1; f.pack <= (e->can_pack ? 2 : 1); f.pack++)
            choose_rate(e, f);
        return;
    }
    int64_t per_slice = e->s->out_c / e->s->geo.group;
    int last = 0;
    for (int64_t passes = 1; passes <= per_slice; passes++) {
        int lanes = (int)ceil_div(per_slice, passes);
        if (lanes == last)
            continue;
        last = lanes;
        // also the next multiples of the requantizer's lanes
        for (int unit = 1; unit <= 8; unit *= 2) {
            f.lanes = (int)ceil_div(lanes, unit) * unit;
            if ((unit == 1 || f.lanes != lanes) && (f.lanes <= per_slice || unit == 1))
                choose_rate(e, f);
        }
    }
}

// Rows that let the next frame come in while the last rows of this one are read.
static int ring_rows(const struct window_geometry *g)
{
    int64_t reach = (g->kernel_h - 1) * g->dilation_h + 1;
    int64_t bottom = g->in_h - ((g->out_h - 1) * g->stride_h - g->pad_top);
    int64_t top = reach - g->pad_top;
    return (int)max_i64(reach + g->stride_h, max_i64(bottom, 1) + max_i64(top, 1));
}

static bool lanes_fit(const struct enumeration *e, const struct stream *in, int lanes, int word)
{
    const struct stage *s = e->s;
    if (lanes == 1)
        return true;
    bool sliced = s->kind == STAGE_CONV && s->geo.group > 1;
    return word % lanes == 0 && (!sliced || (s->in_c / s->geo.group) % lanes == 0) &&
           (in->c == s->in_c || (in->c % lanes == 0 && s->in_c % lanes == 0));
}

// Every word length: so many words make up a slice of channels.
static void word_options(const struct enumeration *e, const struct stream *in, struct fold f, int64_t slice_c)
{
    int last = 0;
    for (int64_t words = 1; words <= slice_c; words++) {
        int word = (int)(ceil_div(ceil_div(slice_c, words), f.in_lanes) * f.in_lanes);
        int64_t chain = e->s->kind == STAGE_CONV ? (int64_t)word * f.rows_par : word;
        if (word == last || chain > MAX_CHAIN)
            continue;
        last = word;
        f.word = word;
        if (lanes_fit(e, in, f.in_lanes, word))
            choose_lanes(e, f);
    }
}

static void enumerate(const struct enumeration *e, const struct stream *in, bool host)
{
    const struct stage *s = e->s;
    struct fold f = { .ring_rows = ring_rows(&s->geo) };
    int64_t slice_c = s->kind == STAGE_CONV ? s->in_c / s->geo.group : s->in_c;
    int need = 1;
    while (need < MAX_HOST_LANES && cost_input_cycles(s, need) > e->interval)
        need = host ? need + 1 : need * 2;
    // the host may send more lanes than it must, where that suits the word
    int most = host ? need + HOST_LANE_CHOICES - 1 : need;
    for (int rows = 0; rows < 2; rows++) {
        if (rows && s->geo.kernel_h == 1)
            break;
        f.rows_par = rows ? (int)s->geo.kernel_h : 1;
        for (f.in_lanes = need; f.in_lanes <= most; f.in_lanes++)
            word_options(e, in, f, slice_c);
    }
}

// The cheap ones first, with up to CHEAP times the multipliers that keep the interval: they rule out most of the others.
static void windowed_options(const struct enumeration *e, const struct stream *in, bool host)
{
    struct options found = { 0 };
    struct enumeration cheap = *e, all = *e;
    cheap.out = &found;
    cheap.most_cells = CHEAP * ceil_div(e->s->macs, max_i64(1, e->interval)); // less than 1 cycle: nothing keeps that
    all.cheap = &found;
    if (e->s->kind == STAGE_CONV) // others have few
        enumerate(&cheap, in, host);
    enumerate(&all, in, host);
}

static void gap_options(const struct enumeration *e, int lanes)
{
    struct fold f = { .in_lanes = lanes, .rows_par = 1, .word = 1, .lanes = 1, .pack = 1, .seg_len = 1 };
    for (int r = 0; r < N_RATES; r++) {
        f.rq_lanes = f.in_lanes;
        f.rq_cycles = rates[r].cycles;
        if (!e->s->has_requant && f.rq_cycles > 1) // a maximum or a norm
            continue;
        for (int dsp = 0; dsp < 2; dsp++) {
            f.rq_dsp = dsp;
            if (dsp && (f.rq_cycles > SLOWEST_DSP_RATE || !cost_requant_dsp(e->s, &f, e->tech)))
                break;
            struct option o = { f, cost_stage(e->s, &f, e->tech) };
            if (o.cost.cycles <= e->interval)
                keep(e->a, e->out, &o);
        }
    }
}

static bool from_host_alone(const struct pipeline *p, const struct stage *s)
{
    const struct stream *in = stage_in(p, s, 0);
    return in->producer < 0 && stream_edge_count(p, in->index) == 1;
}

static bool has_weights(const struct stage *s)
{
    return s->kind == STAGE_CONV || (s->kind == STAGE_DW && s->op == DW_MAC);
}

struct options_key stage_options_key(const struct pipeline *p, const struct stage *s, const struct tech *tech)
{
    const struct window_geometry *g = &s->geo;
    const struct requant *r = &s->rq;
    bool w = has_weights(s);
    return (struct options_key){ {
        s->kind, s->op, s->kind == STAGE_GATHER ? s->index : 0, s->in_c, s->out_c,
        g->in_h, g->in_w, g->kernel_h, g->kernel_w, g->stride_h, g->stride_w, g->pad_top, g->pad_left, g->dilation_h, g->dilation_w, g->out_h,
        g->out_w, g->group, s->weight_bits, s->acc_bits, s->has_requant + 2 * (s->thresholds != NULL), r->n, r->by_pixel * 64 + r->mult_bits, r->shift_bits, r->bias_frac * 64 + r->bias_bits,
        s->kind == STAGE_MUL ? s->a_mult : 0, s->kind == STAGE_TABLE ? s->n_tables : 0, s->piece[0], s->piece[1], stage_in(p, s, 0)->c,
        s->n_in > 1 ? stage_in(p, s, 1)->c : 0, from_host_alone(p, s), w ? 2 * cost_safe_segment(s, tech) + cost_can_pack(s, tech) : 0,
    } };
}

void stage_options(const struct pipeline *p, const struct stage *s, const struct tech *tech, int64_t interval,
                   struct arena *a, struct options *out)
{
    struct enumeration e = { .s = s, .tech = tech, .interval = interval, .a = a, .out = out };
    const struct stream *in = stage_in(p, s, 0);
    out->n = 0;
    if (has_weights(s)) {
        e.safe_segment = cost_safe_segment(s, tech);
        e.can_pack = cost_can_pack(s, tech);
    }
    switch (s->kind) {
    case STAGE_CONV:
    case STAGE_DW:
        windowed_options(&e, in, from_host_alone(p, s));
        break;
    case STAGE_GAP: {
        int lanes = lanes_needed(p, s, interval);
        if (lanes)
            gap_options(&e, lanes);
        break;
    }
    case STAGE_ADD:
    case STAGE_MUL:
    case STAGE_TABLE:
    case STAGE_GATHER:
    case STAGE_CONCAT:
    case STAGE_ARGMAX: {
        int lanes = lanes_needed(p, s, interval);
        if (!lanes)
            break;
        struct fold f = { .in_lanes = lanes, .rq_lanes = lanes, .rq_cycles = 1, .rows_par = 1, .word = lanes, .lanes = lanes, .pack = 1, .seg_len = 1 };
        if (s->kind == STAGE_ARGMAX) // an index a pixel
            f.rq_lanes = 1;
        f.ring_block = s->kind == STAGE_GATHER && !cost_ram_in_luts(tech, cost_gather_ring(s, &f, tech));
        struct option o = { f, cost_stage(s, &f, tech) };
        if (o.cost.cycles <= interval)
            keep(a, out, &o);
        break;
    }
    case STAGE_KIND_COUNT: BUG("no stage kind");
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "dataflow/cost.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/reload.h"

#define GATHER_SLACK 12    // a word of a gather's ring is free so many cycles after its last use
#define LUT_ROM_DEPTH 64   // words up to which a ROM is made of LUTs
#define LUT_RING_WORDS 256 // and a ring
#define STORE_LUT 8        // of aihls_store beside its memory (docs/52-reload.md)
#define STORE_BIT_LUT 2    // for each bit of its counters
#define STORE_FF 13

int cost_lane_shift(const struct stage *s, const struct tech *tech)
{
    return s->kind == STAGE_DW ? tech->pixel_shift : tech->lane_shift;
}

// Columns of a row in the longer of two memories, which take turns every stride_w columns (aihls_halves).
static int64_t half_columns(const struct window_geometry *g)
{
    int64_t last = g->pad_left % (2 * g->stride_w) + g->in_w - 1, group = last / g->stride_w;
    return group / 2 * g->stride_w + (group % 2 ? g->stride_w : last % g->stride_w + 1);
}

struct fold_shape fold_shape(const struct stage *s, const struct fold *f)
{
    const struct window_geometry *g = &s->geo;
    struct fold_shape x = { .slices = 1, .slice_c = s->in_c, .pixels = s->kind == STAGE_DW && f->pack == 2 ? 2 : 1 };
    if (s->kind != STAGE_CONV && s->kind != STAGE_DW) {
        x.passes = 1;
        x.params = 1;
        return x;
    }
    int64_t taps = g->kernel_h / f->rows_par * g->kernel_w;
    if (s->kind == STAGE_CONV) {
        x.slices = g->group;
        x.slice_c = s->in_c / g->group;
    }
    x.words = ceil_div(x.slice_c, f->word);
    x.row_words = (x.pixels == 2 ? half_columns(g) : g->in_w) * x.slices * x.words;
    if (s->kind == STAGE_CONV) {
        x.passes = x.slices * ceil_div(s->out_c / x.slices, f->lanes);
        x.steps = taps * x.words;
        x.chain = (int64_t)f->rows_par * f->word;
    } else {
        x.passes = x.words;
        x.steps = taps;
        x.chain = f->rows_par;
    }
    x.segments = (int)ceil_div(x.chain, f->seg_len);
    x.weight_words = x.passes * x.steps;
    x.params = s->rq.by_pixel ? s->rq.n : ceil_div(s->out_c, f->rq_lanes);
    return x;
}

static bool unpairs(const struct fold_shape *x)
{
    return x->pixels == 2 && x->passes > 1;
}

bool cost_unpairs(const struct stage *s, const struct fold *f)
{
    struct fold_shape x = fold_shape(s, f);
    return unpairs(&x);
}

int64_t cost_unpair_words(const struct stage *s, const struct fold *f, int pixel)
{
    int64_t beats = ceil_div(s->out_c, f->rq_lanes), word_beats = f->word / f->rq_lanes;
    int64_t missing = ceil_div(beats, word_beats) * word_beats - beats; // of the last word
    if (pixel == 1)
        return beats + 1;
    return s->geo.out_w % 2 ? beats + 1 + (missing > 0) : (beats + missing) / 2 + 2;
}

int64_t cost_input_cycles(const struct stage *s, int in_lanes)
{
    return s->geo.in_h * s->geo.in_w * ceil_div(s->in_c, in_lanes);
}

// Cycles of a pass of `steps` that gives `beats` results' beats to the requantizer, which may still have *late
// cycles to go on the pass before: the hold register must be empty, the requantizer need not be.
static int64_t pass_cycles(int64_t steps, int64_t beats, int64_t rq_cycles, int64_t *late)
{
    int64_t cycles = max_i64(steps, *late + (beats - 1) * rq_cycles + 1);
    *late = max_i64(0, *late + beats * rq_cycles - cycles);
    return cycles;
}

// What a pixel takes through the array and the requantizer: passes of `lanes` out of `results`.
struct pixel_load {
    int64_t steps, results, lanes;
    const struct fold *f;
};

// Cycles of one pixel's passes, or of a pair's (pixels 2: in each pass the beats of both).
static int64_t one_pixel(const struct pixel_load *l, int64_t pixels, int64_t *late)
{
    const struct fold *f = l->f;
    int64_t full = l->results / l->lanes, rest = l->results % l->lanes, left = full, last = -1, cycles = 0;
    int64_t beats = pixels * ceil_div(l->lanes, f->rq_lanes);
    for (; left > 0 && *late != last; left--) { // settles long before the last pass
        last = *late;
        cycles += pass_cycles(l->steps, beats, f->rq_cycles, late);
    }
    if (left) {
        last = *late;
        cycles += left * pass_cycles(l->steps, beats, f->rq_cycles, late);
        ASSERT(*late == last);
    }
    if (rest)
        cycles += pass_cycles(l->steps, pixels * ceil_div(rest, f->rq_lanes), f->rq_cycles, late);
    return cycles;
}

// Cycles of an output pixel (of one slice), once it repeats itself.
static int64_t pixel_cycles(const struct pixel_load *l)
{
    int64_t late = 0, before, cycles;
    do {
        before = late;
        cycles = one_pixel(l, 1, &late);
    } while (late != before);
    return cycles;
}

// Cycles of a row of output pixels taken in pairs, the last one alone where out_w is odd.
static int64_t pair_row_cycles(const struct pixel_load *l, int64_t out_w)
{
    int64_t late = 0, before, cycles;
    do {
        int64_t left = out_w / 2, last = -1;
        before = late;
        cycles = 0;
        for (; left > 0 && late != last; left--) {
            last = late;
            cycles += one_pixel(l, 2, &late);
        }
        if (left)
            cycles += left * one_pixel(l, 2, &late);
        if (out_w % 2)
            cycles += one_pixel(l, 1, &late);
    } while (late != before);
    return cycles;
}

int64_t cost_array_cycles(const struct stage *s, const struct fold_shape *x)
{
    return s->geo.out_h * ceil_div(s->geo.out_w, x->pixels) * x->passes * x->steps;
}

int64_t cost_cycles(const struct stage *s, const struct fold *f)
{
    const struct window_geometry *g = &s->geo;
    struct fold_shape x = fold_shape(s, f);
    int64_t input = cost_input_cycles(s, f->in_lanes);
    struct pixel_load load;
    switch (s->kind) {
    case STAGE_CONV:
        load = (struct pixel_load){ x.steps, s->out_c / x.slices, f->lanes, f };
        return max_i64(input, g->out_h * g->out_w * x.slices * pixel_cycles(&load));
    case STAGE_DW:
        load = (struct pixel_load){ x.steps, s->in_c, f->word, f };
        return max_i64(input, g->out_h * (x.pixels == 2 ? pair_row_cycles(&load, g->out_w) : g->out_w * pixel_cycles(&load)));
    case STAGE_GAP: { // the last pixel's beats wait for one another in the requantizer, the first for the last frame's
        int64_t beats = ceil_div(s->in_c, f->in_lanes), wait = f->rq_cycles - 1;
        return input + (beats - 1) * wait + max_i64(0, wait - (input - beats));
    }
    case STAGE_GATHER: return max_i64(input, s->gather.out_h * s->gather.out_w * s->out_c / f->in_lanes);
    case STAGE_CONCAT: return g->in_h * g->in_w * s->out_c / f->in_lanes;
    case STAGE_ADD:
    case STAGE_MUL:
    case STAGE_TABLE:
    case STAGE_ARGMAX: return input;
    case STAGE_KIND_COUNT: break;
    }
    BUG("no stage kind");
}

// ---- packing ----

static int64_t low_lane_limit(const struct stage *s, const struct tech *tech)
{
    int shift = cost_lane_shift(s, tech);
    return shift ? ((int64_t)1 << (shift - 1)) - 1 : INT32_MAX;
}

static int64_t weights_per_out(const struct stage *s)
{
    return s->geo.kernel_h * s->geo.kernel_w * (s->kind == STAGE_CONV ? s->in_c / s->geo.group : 1);
}

// The largest product that any weight of the stage makes with an activation.
static int64_t largest_product(const struct stage *s)
{
    int64_t worst = 1;
    if (s->weight_reach)
        return s->weight_reach * 128;
    for (int64_t i = 0; i < s->out_c * weights_per_out(s); i++) {
        int64_t w = s->weights[i], reach = w > 0 ? w * 128 : -w * 128;
        worst = max_i64(worst, reach);
    }
    return worst;
}

bool cost_can_pack(const struct stage *s, const struct tech *tech)
{
    if (!tech->pairs)
        return false;
    if (s->kind == STAGE_DW) // pixels: of a row, in memories that take turns without gaps
        return tech->pixel_shift && s->op == DW_MAC && s->geo.dilation_w == 1 && s->geo.out_w > 1 && largest_product(s) <= low_lane_limit(s, tech);
    if (s->kind != STAGE_CONV || s->weight_bits > 8)
        return false;
    if (tech->pairs_minus_128)
        return true;
    // the 25-bit pre-adder of DSP48E1 has no room for -128 in the high lane
    if (s->weight_reach)
        return s->weight_reach < 128;
    for (int64_t i = 0; i < s->out_c * weights_per_out(s); i++)
        if (s->weights[i] == -128)
            return false;
    return true;
}

int cost_safe_segment(const struct stage *s, const struct tech *tech)
{
    if (!tech->systolic)
        return 1;
    return (int)max_i64(1, low_lane_limit(s, tech) / largest_product(s));
}

// The weight of column c of the chain for output m at step t; 0 where the fold is wider than the layer.
static int64_t chain_weight(const struct stage *s, const struct fold *f, const struct fold_shape *x, int64_t m, int64_t t, int64_t c)
{
    const struct window_geometry *g = &s->geo;
    if (s->kind == STAGE_DW)
        return s->weights[(m * g->kernel_h + t / g->kernel_w * f->rows_par + c) * g->kernel_w + t % g->kernel_w];
    int64_t cig = s->in_c / g->group, ci = t % x->words * f->word + c % f->word, kx = t / x->words % g->kernel_w;
    int64_t row = t / x->words / g->kernel_w * f->rows_par + c / f->word;
    return ci < cig ? s->weights[((m * g->kernel_h + row) * g->kernel_w + kx) * cig + ci] : 0;
}

// The largest sum, in absolute value, that a segment of columns [c0, c1) can reach for output m at step t.
static int64_t segment_reach(const struct stage *s, const struct fold *f, const struct fold_shape *x, int64_t m, int64_t t,
                             int64_t c0, int64_t c1)
{
    int64_t lo = 0, hi = 0;
    for (int64_t c = c0; c < c1; c++) {
        int64_t w = chain_weight(s, f, x, m, t, c);
        lo += w > 0 ? w * -128 : w * 127;
        hi += w > 0 ? w * 127 : w * -128;
    }
    return max_i64(-lo, hi);
}

static bool segment_fits(const struct stage *s, const struct fold *f, int seg_len, int64_t limit)
{
    struct fold_shape x = fold_shape(s, f);
    int64_t per_slice = s->out_c / x.slices;
    if (s->weight_reach)
        return seg_len * largest_product(s) <= limit;
    for (int64_t m = 0; m < s->out_c; m++) {
        if (s->kind == STAGE_CONV && m % per_slice % f->lanes % 2) // high lanes have room
            continue;
        for (int64_t t = 0; t < x.steps; t++)
            for (int64_t c0 = 0; c0 < x.chain; c0 += seg_len)
                if (segment_reach(s, f, &x, m, t, c0, min_i64(c0 + seg_len, x.chain)) > limit)
                    return false;
    }
    return true;
}

// Segments of equal length waste no ROM columns, so the length follows from their number.
static int segment_length(int64_t chain, int64_t segments)
{
    return (int)ceil_div(chain, segments);
}

int cost_exact_segment(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    int64_t chain = fold_shape(s, f).chain;
    if (!tech->systolic)
        return 1;
    for (int64_t n = 1; n <= chain; n++) {
        int len = segment_length(chain, n);
        if (len <= f->seg_len || segment_fits(s, f, len, low_lane_limit(s, tech)))
            return len;
    }
    return 1;
}

// ---- memories ----

static int64_t count_bram(const struct tech *tech, int64_t width_bits, int64_t depth_words, bool writable)
{
    int64_t best = INT64_MAX, blocks = 0;
    for (int k = 0; k < 2; k++) {
        int64_t width = tech->bram[k].width_bits, depth = tech->bram[k].depth_words;
        while (width > 0 && width >= tech->bram_narrowest) {
            int64_t slices = ceil_div(depth_words, depth);
            // parity bits come with whole bytes where a RAM is cut in depth
            int64_t w = writable && slices > 1 && tech->bram_shared ? ceil_div(width_bits, tech->bram_ram_unit) * tech->bram_ram_unit : width_bits;
            int64_t n = tech->bram_shared ? ceil_div(slices * w, width) : slices * ceil_div(w, width);
            if (n * tech->bram[k].weight < best) {
                best = n * tech->bram[k].weight;
                blocks = n * tech->bram[k].blocks;
            }
            width /= 2; // 72, 36, 18, 9, 4, 2, 1
            depth *= 2;
        }
    }
    return blocks;
}

// The enumeration of folds asks for the same few thousand shapes millions of times.
int64_t cost_bram(const struct tech *tech, int64_t width_bits, int64_t depth_words, bool writable)
{
    static _Thread_local struct { const struct tech *tech; int64_t width, depth, blocks; bool writable; } seen[4096];
    uint64_t key = (uint64_t)width_bits * 0x9e3779b97f4a7c15u + (uint64_t)depth_words * 0xbf58476d1ce4e5b9u + writable;
    size_t i = key >> 52;
    if (seen[i].tech != tech || seen[i].width != width_bits || seen[i].depth != depth_words || seen[i].writable != writable) {
        seen[i].tech = tech;
        seen[i].width = width_bits;
        seen[i].depth = depth_words;
        seen[i].writable = writable;
        seen[i].blocks = count_bram(tech, width_bits, depth_words, writable);
    }
    return seen[i].blocks;
}

// Bits of a block that has so many words.
static int64_t block_bits(const struct tech *tech, int64_t words)
{
    int64_t width = tech->bram[0].width_bits;
    for (int64_t depth = tech->bram[0].depth_words; depth < words; depth *= 2)
        width /= 2; // 36, 18, 9, 4, 2, 1
    return width;
}

struct rom_cut cost_rom_cut(const struct tech *tech, int64_t depth_words)
{
    if (depth_words <= tech->rom_bank_words / 4 || !tech->rom_bank_words)
        return (struct rom_cut){ 0 };
    int64_t words = tech->rom_bank_words;
    while (words > depth_words)
        words /= 2;
    int64_t banks = ceil_div(depth_words, words);
    return (struct rom_cut){ words, banks, block_bits(tech, words), block_bits(tech, depth_words - (banks - 1) * words) };
}

int cost_weight_wait(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    bool weights = s->kind == STAGE_CONV || (s->kind == STAGE_DW && s->op == DW_MAC);
    return weights && f->rom_block ? tech->rom_wait : 0;
}

bool cost_rom_in_luts(int64_t depth_words)
{
    return depth_words <= LUT_ROM_DEPTH;
}

bool cost_rom_in_block(const struct tech *tech, int64_t depth_words)
{
    return depth_words > tech->rom_words;
}

bool cost_ram_in_luts(const struct tech *tech, int64_t depth_words)
{
    return tech->ram_words && depth_words <= LUT_RING_WORDS;
}

bool cost_ram_in_block(const struct tech *tech, int64_t depth_words)
{
    return depth_words > tech->ram_words;
}

bool cost_fifo_in_block(const struct tech *tech)
{
    return tech->ram_words < 32;
}

// LUTs of a ROM.
static int64_t lut_rom(const struct tech *tech, int64_t width_bits, int64_t depth_words)
{
    int64_t slices = ceil_div(depth_words, tech->rom_words);
    return width_bits * slices + width_bits * (slices - 1) * tech->rom_mux_percent / 100;
}

// LUTs of a simple dual port RAM.
static int64_t lut_ram(const struct tech *tech, int64_t width_bits, int64_t depth_words)
{
    ASSERT(tech->ram_words);
    bool deep = tech->ram_doubles && depth_words > tech->ram_words;
    int64_t words = deep ? 2 * tech->ram_words : tech->ram_words, bits = deep ? tech->ram_bits / 2 : tech->ram_bits;
    int64_t slices = ceil_div(depth_words, words);
    return slices * ceil_div(width_bits, bits) * tech->ram_luts + tech->ram_mux_luts * width_bits * (slices - 1);
}

static void add_rom(struct cost *c, const struct tech *tech, bool block, int64_t width_bits, int64_t depth_words)
{
    if (block) {
        struct rom_cut cut = cost_rom_cut(tech, depth_words);
        c->bram18 += cut.words ? (cut.banks - 1) * ceil_div(width_bits, cut.bits) + ceil_div(width_bits, cut.last_bits)
                               : cost_bram(tech, width_bits, depth_words, false);
    } else {
        c->lut += lut_rom(tech, width_bits, depth_words);
        c->ff += width_bits;
    }
}

static void add_ram(struct cost *c, const struct tech *tech, bool block, int64_t width_bits, int64_t depth_words)
{
    if (block) {
        c->bram18 += cost_bram(tech, width_bits, depth_words, true);
    } else {
        c->lut += lut_ram(tech, width_bits, depth_words);
        c->ff += width_bits;
    }
}

// A memory whose contents come through a chain (aihls_store), beside the memory itself.
static void add_store(struct cost *c, const struct tech *tech, int64_t width_bits, int64_t depth_words)
{
    int64_t bytes = ceil_div(width_bits, 8), counters = max_i64(1, ceil_log2(depth_words)) + (bytes > 1 ? ceil_log2(bytes) : 0);
    c->lut += (STORE_LUT + counters * STORE_BIT_LUT) * tech->lut_percent.other / 100;
    c->ff += 8 * bytes + counters + max_i64(1, ceil_log2(depth_words)) + STORE_FF;
}

// Weights or parameters of s.
static void add_contents(struct cost *c, const struct tech *tech, const struct stage *s, bool block, int64_t width_bits, int64_t depth_words)
{
    struct rom_cut cut = block ? cost_rom_cut(tech, depth_words) : (struct rom_cut){ 0 };
    if (!s->weight_reach) {
        add_rom(c, tech, block, width_bits, depth_words);
    } else if (!cut.words) {
        add_ram(c, tech, block, width_bits, depth_words);
        add_store(c, tech, width_bits, depth_words);
    } else {
        add_rom(c, tech, block, width_bits, depth_words);
        for (int64_t k = 0; k < cut.banks; k++)
            for (int64_t at = 0, bits = k < cut.banks - 1 ? cut.bits : cut.last_bits; at < width_bits; at += bits)
                add_store(c, tech, min_i64(bits, width_bits - at), min_i64(cut.words, depth_words - k * cut.words));
    }
}

// ---- stages ----

static int acc_bits_total(const struct stage *s)
{
    return s->acc_bits + 1;
}

// The coefficients below are fits to Yosys 0.23 on single templates (docs/50-rtl.md has the table); `make synth`
// holds whole networks against their sum.

// `lut` LUTs of six inputs as LUTs of the family.
static int64_t scaled(int64_t lut, int percent)
{
    return lut * percent / 100;
}

// Bits of the sum of accumulator and bias, which a requantizer multiplies.
static int64_t requant_x_bits(const struct stage *s)
{
    return max_i64(acc_bits_total(s) + s->rq.bias_frac, s->rq.bias_bits) + 1;
}

static int64_t digit_bits(const struct stage *s, const struct fold *f)
{
    return ceil_div(s->rq.mult_bits, f->rq_cycles);
}

int cost_requant_dsp(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    if (!s->has_requant || s->rq.mult_bits == 1 || requant_x_bits(s) > tech->scale_bits)
        return 0;
    return digit_bits(s, f) <= 17 ? 1 : 2; // aihls_scale
}

// A digit-serial requantizer lane: multiplier, variable shift, rounding and saturation.
static void add_requant(struct cost *c, const struct tech *tech, const struct stage *s, const struct fold *f)
{
    const struct requant *r = &s->rq;
    int64_t x_bits = requant_x_bits(s), lut = 87, ff = 96 + 12 * r->shift_bits;
    static const int shifter_lut[] = { 0, 30, 59, 70, 81, 92, 103 };
    lut += shifter_lut[r->shift_bits < 6 ? r->shift_bits : 6];
    int64_t digit = digit_bits(s, f);
    if (f->rq_dsp) {
        bool one = digit <= 17;
        c->dsp += f->rq_lanes * (one ? 1 : 2);
        lut += f->rq_cycles > 1 ? x_bits + digit : one ? 0 : x_bits;
        ff += f->rq_cycles > 1 || !one ? 22 + x_bits + r->mult_bits : 22;
    } else if (r->mult_bits > 1) {
        lut += x_bits * digit * 13 / 10 + (digit == 1 ? 40 : f->rq_cycles > 1 ? 10 : 0);
        ff += 98 + 10 * (digit - 1);
    }
    c->lut += f->rq_lanes * scaled(lut, tech->lut_percent.requant);
    c->ff += f->rq_lanes * ff;
}

static void add_window(struct cost *c, const struct tech *tech, const struct fold *f, const struct fold_shape *x)
{
    int64_t bits = 8 * (int64_t)f->word, taps = f->rows_par;
    int64_t control = 140; // loops
    int64_t lines = taps == 1 ? bits * 12 / 10 : 2 * bits * taps * (f->ring_rows > 4 ? ceil_div(f->ring_rows, 4) : 1); // padding, rotation of banked rows
    c->lut += (control * tech->lut_percent.window + lines * tech->lut_percent.lines) / 100;
    c->ff += 140 + bits * taps * 12 / 10;
    if (x->pixels == 2) { // addresses of both memories; the second pixel's rotation, and which memory is whose
        c->lut += (55 * tech->lut_percent.window + bits * (taps == 1 ? 2 : taps * 23 / 10) * tech->lut_percent.lines) / 100;
        c->ff += 45 + bits * taps;
    }
}

// The queues that put the words of pixel pairs in order.
static void add_unpair(struct cost *c, const struct tech *tech, const struct stage *s, const struct fold *f)
{
    int64_t beats = ceil_div(s->out_c, f->rq_lanes);
    for (int pixel = 0; pixel < 2; pixel++) // the output register holds a beat
        add_ram(c, tech, !tech->ram_words, 8 * f->rq_lanes, cost_unpair_words(s, f, pixel) - 1);
    c->lut += scaled(30 + 6 * ceil_log2(beats) + 8 * f->rq_lanes + (s->geo.out_w % 2 ? 17 : 0), tech->lut_percent.other);
    c->ff += 5 + 15 * ceil_log2(beats) / 2 + (s->geo.out_w % 2 ? 12 : 0);
}

// A distance or its square, see aihls_power.
static int64_t power_lut(const struct stage *s)
{
    return s->op == DW_SQUARE ? 79 : 9;
}

static int64_t power_ff(const struct stage *s)
{
    return s->op == DW_SQUARE ? 48 : 9;
}

// Bits of what a norm adds up.
static int64_t term_bits(const struct stage *s)
{
    return s->op == DW_SQUARE ? 17 : 9;
}

// The search for an element among the thresholds, for each lane of results.
static void add_search(struct cost *c, const struct tech *tech, const struct stage *s, const struct fold *f)
{
    for (int level = 0; level < 8; level++)
        for (int lane = 0; lane < f->rq_lanes; lane++)
            add_rom(c, tech, false, s->acc_bits, (int64_t)1 << level);
    c->lut += scaled(f->rq_lanes * (27 + 455 * s->acc_bits / 100), tech->lut_percent.other);
    c->ff += 17 + f->rq_lanes * (54 + 15 * s->acc_bits);
}

static void add_array(struct cost *c, const struct tech *tech, const struct stage *s, const struct fold *f, const struct fold_shape *x)
{
    int64_t lanes = s->kind == STAGE_CONV ? f->lanes : f->word, acc = acc_bits_total(s);
    int64_t cells = lanes * x->chain, sums = lanes * x->pixels;
    int other = tech->lut_percent.other;
    if (s->kind == STAGE_DW && s->op == DW_MAX) {
        c->lut += scaled(cells * 12, other);
        c->ff += cells * 8;
        return;
    }
    if (s->kind == STAGE_DW && s->thresholds) {
        c->lut += scaled(cells * power_lut(s) + cells * 10 + lanes * acc * 7 / 3, other);
        c->ff += cells * power_ff(s) + lanes * acc * 2 + (x->chain > 1 ? cells * (term_bits(s) + 2) : 0); // and the tree
        return;
    }
    if (s->kind == STAGE_DW && s->op == DW_SUM) {
        c->lut += scaled(cells * 10 + lanes * acc, other);
        c->ff += lanes * acc * 2;
        return;
    }
    if (f->use_dsp) {
        c->dsp += f->pack > 1 ? ceil_div(sums, f->pack) * x->chain : ceil_div(cells, tech->singles);
        c->lut += scaled(sums * (2 * acc + 20 * (x->segments - 1)), other); // split, sum, accumulate
        c->ff += sums * (7 * acc / 4 + 39 * (x->segments - 1));
    } else {
        int64_t rows = (s->weight_bits + 1) / 2; // Booth rows of 8 + 3 bits and the running sum
        c->lut += scaled(cells * (16 * rows + 18), tech->lut_percent.cell) + scaled(lanes * acc, other);
        c->ff += cells * 76 + lanes * acc;
    }
    if (s->kind == STAGE_CONV)
        c->lut += tech->systolic ? 8 * x->chain : 0; // activation skew in shift register LUTs
    else // each lane has its own; two cycles are flip-flops
        for (int64_t delay = 1; delay < f->seg_len; delay++) {
            int64_t cells_delayed = (x->chain - delay + f->seg_len - 1) / f->seg_len;
            c->lut += delay > 2 ? 8 * sums * cells_delayed : 0;
            c->ff += 8 * sums * cells_delayed * (delay > 2 ? 1 : delay);
        }
    c->lut += scaled(10, other);
    c->ff += f->seg_len * (1 + ceil_log2(x->weight_words)); // delayed ROM addresses
}

int64_t cost_gather_ring(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    // words released are overwritten some cycles later; a power of two spares the ring's address a division
    int64_t words = gather_ring_words(s, f->word) + GATHER_SLACK, round = (int64_t)1 << ceil_log2(words), bits = 8 * f->word;
    if (round <= LUT_RING_WORDS)
        return max_i64(round, 32);
    return cost_bram(tech, bits, round, true) == cost_bram(tech, bits, words, true) ? round : words;
}

int64_t cost_gather_steps(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    int64_t in_words = s->gather.in_count / f->word, ring = cost_gather_ring(s, f, tech);
    return ring == (int64_t)1 << ceil_log2(ring) ? 0 : max_i64(1, ceil_log2(ceil_div(in_words + ring - 1, ring)));
}

static void add_gather(struct cost *c, const struct tech *tech, const struct stage *s, const struct fold *f)
{
    const struct gather *g = &s->gather;
    int64_t in_words = g->in_count / f->word, map_bits = 1 + max_i64(1, ceil_log2(in_words)), count_bits = ceil_log2(in_words + 1);
    int64_t ring = cost_gather_ring(s, f, tech);
    add_ram(c, tech, f->ring_block, 8 * f->word, ring);
    const int64_t depth[] = { g->out_h, g->out_w, s->out_c / f->word }, bits[] = { map_bits + 2 * count_bits, map_bits, map_bits };
    for (int k = 0; k < 3; k++)
        add_rom(c, tech, !cost_rom_in_luts(depth[k]), bits[k], depth[k]);
    int64_t steps = cost_gather_steps(s, f, tech);
    int64_t sum_bits = steps == 0 ? ceil_log2(ring) : ceil_log2(ring << (steps - 1)) + 1;
    c->lut += scaled(22 + count_bits * 77 / 10 + (4 + steps) * sum_bits * 95 / 100, tech->lut_percent.other);
    c->ff += 22 + count_bits * 54 / 10 + (6 + steps) * sum_bits + 8 * f->word;
}

// n times the cost of one memory.
static void add_times(struct cost *sum, const struct cost *one, int64_t n)
{
    sum->bram18 += n * one->bram18;
    sum->lut += n * one->lut;
    sum->ff += n * one->ff;
}

struct cost cost_array(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech)
{
    struct cost c = { 0 };
    add_array(&c, tech, s, f, x);
    return c;
}

static struct cost ring_cost(const struct fold *f, const struct fold_shape *x, const struct tech *tech, bool block)
{
    struct cost c = { 0 }, one = { 0 };
    bool single = f->rows_par == 1;
    add_ram(&one, tech, block, 8 * (int64_t)f->word, single ? f->ring_rows * x->row_words : x->row_words);
    add_times(&c, &one, x->pixels * (single ? 1 : f->ring_rows));
    return c;
}

// One ROM per skew (see aihls_conv): the columns of a chain that are so far from the start of their segment.
static bool has_parameters(const struct stage *s)
{
    return s->has_requant && (s->rq.n > 1 || s->weight_reach);
}

static struct cost weights_cost(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, bool block)
{
    struct cost c = { 0 };
    if (s->kind == STAGE_DW && s->op != DW_MAC)
        return c;
    int64_t lanes = s->kind == STAGE_CONV ? f->lanes : f->word, most = ceil_div(x->chain, f->seg_len);
    int64_t skews = x->chain - (most - 1) * f->seg_len; // with `most` columns; the others have one less
    for (int less = 0; less < 2; less++) {
        struct cost one = { 0 };
        if (most - less > 0)
            add_contents(&one, tech, s, block, lanes * (most - less) * s->weight_bits, x->weight_words);
        add_times(&c, &one, less ? f->seg_len - skews : skews);
    }
    if (block && tech->rom_wait) { // the weights' registers, one behind each bank, and those of the activations that wait for them
        int64_t banks = max_i64(1, cost_rom_cut(tech, x->weight_words).banks), acts = s->kind == STAGE_DW ? lanes * x->pixels : 1;
        c.ff += x->chain * (lanes * s->weight_bits * banks + 8 * acts);
    }
    return c;
}

static struct cost parameters_cost(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, bool block)
{
    struct cost c = { 0 };
    if (has_parameters(s))
        add_contents(&c, tech, s, block, (s->rq.by_pixel ? 1 : f->rq_lanes) * (s->rq.shift_bits + s->rq.mult_bits + s->rq.bias_bits), x->params);
    return c;
}

struct cost cost_memory(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, enum cost_memory which,
                        bool block)
{
    switch (which) {
    case MEMORY_RING: return ring_cost(f, x, tech, block);
    case MEMORY_WEIGHTS: return weights_cost(s, f, x, tech, block);
    case MEMORY_PARAMETERS: return parameters_cost(s, f, x, tech, block);
    case MEMORY_COUNT: break;
    }
    BUG("no memory");
}

bool cost_memory_possible(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, enum cost_memory which,
                          bool block)
{
    int64_t words = which == MEMORY_WEIGHTS ? x->weight_words : which == MEMORY_PARAMETERS ? x->params : f->rows_par == 1 ? f->ring_rows * x->row_words : x->row_words;
    if (which == MEMORY_RING || s->weight_reach)
        return (block ? cost_ram_in_block : cost_ram_in_luts)(tech, words);
    return block ? cost_rom_in_block(tech, words) : cost_rom_in_luts(words);
}

struct cost cost_logic(const struct stage *s, const struct fold *f, const struct fold_shape *shape, const struct tech *tech)
{
    struct cost c = { 0 };
    struct fold_shape x = *shape;
    int64_t lut = 0; // of no kind that the family's factors set apart
    switch (s->kind) {
    case STAGE_CONV:
    case STAGE_DW:
        add_window(&c, tech, f, &x);
        add_array(&c, tech, s, f, &x);
        if (s->has_requant)
            add_requant(&c, tech, s, f);
        // hold register that shifts its results out
        lut = (s->kind == STAGE_CONV ? f->lanes : f->word) * x.pixels * acc_bits_total(s);
        c.ff += (s->kind == STAGE_CONV ? f->lanes : f->word) * x.pixels * acc_bits_total(s);
        if (unpairs(&x))
            add_unpair(&c, tech, s, f);
        if (s->thresholds)
            add_search(&c, tech, s, f);
        break;
    case STAGE_GAP:
        if (s->op == DW_MAX) {
            add_ram(&c, tech, !tech->ram_words, f->in_lanes * 8, ceil_div(s->in_c, f->in_lanes));
            lut = 55 + f->in_lanes * 25;
            c.ff += 37 + f->in_lanes * 23;
            break;
        }
        add_ram(&c, tech, !tech->ram_words, f->in_lanes * acc_bits_total(s), ceil_div(s->in_c, f->in_lanes));
        if (s->thresholds) {
            lut = 40 + f->in_lanes * (power_lut(s) + 3 * s->acc_bits);
            c.ff += 41 + f->in_lanes * (power_ff(s) + 2 * term_bits(s) + s->acc_bits);
            add_search(&c, tech, s, f);
            break;
        }
        lut = 40 + f->in_lanes * acc_bits_total(s);
        c.ff += 20;
        add_requant(&c, tech, s, f);
        break;
    case STAGE_ADD:
        lut = f->in_lanes * 246;
        c.ff += f->in_lanes * 273;
        break;
    case STAGE_MUL:
        lut = 20 + f->in_lanes * ((s->a_mult & (s->a_mult - 1)) == 0 ? 145 : 260);
        c.ff += 10 + f->in_lanes * 281;
        break;
    case STAGE_TABLE:
        if (s->n_tables > 1) { // a memory a lane
            for (int i = 0; i < f->in_lanes; i++)
                add_rom(&c, tech, true, 8, 256 * ceil_div(s->in_c, f->in_lanes));
            lut = 15 + f->in_lanes * 8;
            c.ff += 10 + f->in_lanes * 16;
            break;
        }
        c.lut += f->in_lanes * lut_rom(tech, 8, 256);
        lut = 10;
        c.ff += f->in_lanes * 8 + 4;
        break;
    case STAGE_GATHER: add_gather(&c, tech, s, f); break;
    case STAGE_CONCAT:
        lut = 16 + f->in_lanes * 33 / 2;
        c.ff += 6 + f->in_lanes * 17;
        break;
    case STAGE_ARGMAX:
        lut = 13 + f->in_lanes * 23;
        c.ff += 24 + f->in_lanes * 51 / 2;
        break;
    case STAGE_KIND_COUNT: BUG("no stage kind");
    }
    c.lut += scaled(lut, tech->lut_percent.other);
    return c;
}

struct cost cost_stage(const struct stage *s, const struct fold *f, const struct tech *tech)
{
    struct fold_shape x = fold_shape(s, f);
    struct cost c = cost_logic(s, f, &x, tech);
    const bool block[MEMORY_COUNT] = { f->ring_block, f->rom_block, f->param_block };
    c.cycles = cost_cycles(s, f);
    for (int k = 0; (s->kind == STAGE_CONV || s->kind == STAGE_DW) && k < MEMORY_COUNT; k++) {
        struct cost memory = cost_memory(s, f, &x, tech, k, block[k]);
        cost_add(&c, &memory);
    }
    return c;
}

struct cost cost_edge(const struct pipeline *p, const struct edge *e)
{
    struct cost c = { 0 };
    const struct stream *s = &p->streams[e->stream];
    const struct tech *tech = p->board->tech;
    int64_t lut = e->block ? 47 : 24;
    add_ram(&c, tech, e->block, 8 * s->lanes, e->depth_words);
    c.ff += e->block ? 30 + 8 * s->lanes : 17;
    if (e->lanes != s->lanes) {
        int wide = e->lanes > s->lanes ? e->lanes : s->lanes;
        lut += 8 * wide + 12;
        c.ff += 8 * wide + 8;
        if (e->lanes > s->lanes)
            c.ff += 16 * wide;
    }
    c.lut += scaled(lut, tech->lut_percent.other);
    return c;
}

void cost_add(struct cost *sum, const struct cost *c)
{
    sum->dsp += c->dsp;
    sum->bram18 += c->bram18;
    sum->lut += c->lut;
    sum->ff += c->ff;
}

int64_t cost_shell_bram(const struct pipeline *p, const struct board *b)
{
    return b->axi_data_bits || b->tech->ram_luts ? 0 : 3 + p->n_inputs + p->n_outputs + pipeline_loads(p);
}

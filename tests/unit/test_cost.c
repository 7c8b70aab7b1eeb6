// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/cost.c: memories, cycles, and that packed multipliers never overflow into each other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "dataflow/cost.h"

static uint64_t seed = 7;

static int random_int(int lo, int hi)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return lo + (int)((seed >> 33) % (uint64_t)(hi - lo + 1));
}

static struct memory {
    const char *name;
    int64_t width, depth, want;
    const char *family;
} memories[] = {
    { "an EBR of ECP5 is 36 by 512", 36, 512, 1, "ecp5" },
    { "a bit more takes two EBRs of ECP5", 37, 512, 2, "ecp5" },
    { "an EBR of ECP5 is 9 by 2048", 9, 2048, 1, "ecp5" },
    { "an EBR of iCE40 is 16 by 256", 16, 256, 1, "ice40" },
    { "an EBR of iCE40 is 2 by 2048", 2, 2048, 1, "ice40" },
    { "iCE40 has no memory a bit wide, but slices lie side by side", 1, 4096, 1, "ice40" },
    { "iCE40 stores no more than 4 Kb in an EBR", 1, 4097, 2, "ice40" },
    { "a byte by 512 is an EBR of iCE40", 8, 512, 1, "ice40" },
    { "an M10K is 40 by 256", 40, 256, 1, "cyclonev" },
    { "an M10K is 10 by 1024", 10, 1024, 1, "cyclonev" },
    { "bytes deeper than 1024 take two M10K", 8, 1025, 2, "cyclonev" },
    { "a BSRAM is 18 by 1024", 18, 1024, 1, "gowin" },
    { "one block of 36 by 512", 36, 512, 1, "xcup" },
    { "a word more needs the next shape", 36, 513, 2, "xcup" },
    { "18 by 1024 is one block", 18, 1024, 1, "xcup" },
    { "9 by 2048 is one block", 9, 2048, 1, "xcup" },
    { "4 by 4096 is one block", 4, 4096, 1, "xcup" },
    { "a bit by 16384 is one block", 1, 16384, 1, "xcup" },
    { "a bit more than a block's depth: slices lie side by side", 1, 16385, 1, "xcup" },
    { "37 bits need two columns", 37, 100, 2, "xcup" },
    { "a wide shallow memory counts columns of 36", 288, 64, 8, "xcup" },
    { "8 by 3000: two columns of 4 beat 2 of 9 rows", 8, 3000, 2, "xcup" },
    { "20 bits by 1500: three slices of 512 in one RAMB36", 20, 1500, 2, "xcup" },
    { "one word of one bit", 1, 1, 1, "xcup" },
};

static void check_memory(void **state)
{
    const struct memory *r = *state;
    assert_int_equal(cost_bram(tech_find(r->family), r->width, r->depth, false), r->want);
}

static void a_memory_never_has_fewer_bits_than_asked_for(void **state)
{
    (void)state;
    static const char *const families[] = { "xc7", "xcup", "ecp5", "ice40", "cyclonev", "gowin" };
    for (int i = 0; i < 20000; i++) {
        const struct tech *t = tech_find(families[i % 6]);
        int64_t w = random_int(1, 300), d = random_int(1, 20000), n = cost_bram(t, w, d, false);
        assert_true(n * t->bram_kbit * 1024 >= w * d);
        assert_true(cost_bram(t, w + 1, d, false) >= n && cost_bram(t, w, d + 1, false) >= n);
    }
}

static struct window_geometry image(int64_t in, int64_t kernel, int64_t out, int64_t group)
{
    return (struct window_geometry){ .in_h = in, .in_w = in, .out_h = out, .out_w = out, .kernel_h = kernel, .kernel_w = kernel,
                                     .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .group = group };
}

static struct cycles {
    const char *name;
    enum stage_kind kind;
    int64_t in, kernel, out, group, in_c, out_c;
    struct fold f;
    int64_t want;
} cycles[] = {
    { "one multiplier does every product", STAGE_CONV, 8, 3, 6, 1, 4, 6,
      { .lanes = 1, .word = 1, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 1, .seg_len = 1 }, 36 * 6 * 9 * 4 },
    { "lanes divide outputs, words divide inputs", STAGE_CONV, 8, 3, 6, 1, 4, 6,
      { .lanes = 3, .word = 2, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 1, .seg_len = 1 }, 36 * 2 * 9 * 2 },
    { "kernel rows in parallel divide the taps", STAGE_CONV, 8, 3, 6, 1, 4, 6,
      { .lanes = 6, .word = 4, .rows_par = 3, .rq_lanes = 8, .rq_cycles = 1, .in_lanes = 4, .seg_len = 1 }, 36 * 3 },
    { "lanes that do not divide waste the last pass", STAGE_CONV, 8, 3, 6, 1, 4, 6,
      { .lanes = 4, .word = 3, .rows_par = 1, .rq_lanes = 4, .rq_cycles = 1, .in_lanes = 1, .seg_len = 1 }, 36 * 2 * 9 * 2 },
    { "a slow requantizer sets the pace", STAGE_CONV, 8, 3, 6, 1, 4, 6,
      { .lanes = 6, .word = 4, .rows_par = 3, .rq_lanes = 1, .rq_cycles = 4, .in_lanes = 4, .seg_len = 1 }, 36 * 6 * 4 },
    { "the last pass requantizes only what is left", STAGE_CONV, 4, 1, 4, 1, 2, 5,
      { .lanes = 4, .word = 2, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 2, .seg_len = 1 }, 16 * (4 + 1) },
    { "a slow input sets the pace", STAGE_CONV, 8, 1, 1, 1, 4, 4,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 4, .rq_cycles = 1, .in_lanes = 1, .seg_len = 1 }, 64 * 4 },
    { "groups run one after the other", STAGE_CONV, 4, 1, 4, 2, 4, 6,
      { .lanes = 3, .word = 2, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 1, .seg_len = 1 }, 16 * 2 * 3 },
    { "depthwise takes a word of channels a pass", STAGE_DW, 8, 3, 6, 6, 6, 6,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 4, .rq_cycles = 1, .in_lanes = 4, .seg_len = 1 }, 36 * 2 * 9 },
    { "depthwise with parallel rows waits for its requantizer", STAGE_DW, 8, 3, 6, 6, 6, 6,
      { .lanes = 6, .word = 6, .rows_par = 3, .rq_lanes = 1, .rq_cycles = 2, .in_lanes = 6, .seg_len = 1 }, 36 * 12 },
    { "packed pixels take the steps of one", STAGE_DW, 8, 3, 6, 6, 6, 6,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 4, .rq_cycles = 1, .in_lanes = 4, .seg_len = 1, .pack = 2 }, 18 * 2 * 9 },
    { "the last pixel of an odd row takes the steps of two", STAGE_DW, 7, 3, 5, 6, 6, 6,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 4, .rq_cycles = 1, .in_lanes = 4, .seg_len = 1, .pack = 2 }, 5 * 3 * 2 * 9 },
    { "packed pixels requantize their results one after the other", STAGE_DW, 8, 3, 6, 6, 6, 6,
      { .lanes = 6, .word = 6, .rows_par = 3, .rq_lanes = 1, .rq_cycles = 2, .in_lanes = 6, .seg_len = 1, .pack = 2 }, 36 * 12 },
    { "the last pixel of an odd row requantizes alone", STAGE_DW, 7, 3, 5, 6, 6, 6,
      { .lanes = 6, .word = 6, .rows_par = 3, .rq_lanes = 1, .rq_cycles = 2, .in_lanes = 6, .seg_len = 1, .pack = 2 }, 25 * 12 },
    { "pairs wait for the requantizer, the pixel alone does not", STAGE_DW, 7, 3, 5, 4, 4, 4,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 2, .in_lanes = 4, .seg_len = 1, .pack = 2 }, 5 * (2 * 16 + 9 - 1) },
    { "one column has no pairs", STAGE_DW, 3, 3, 1, 6, 6, 6,
      { .lanes = 2, .word = 2, .rows_par = 1, .rq_lanes = 2, .rq_cycles = 1, .in_lanes = 2, .seg_len = 1, .pack = 2 }, 3 * 9 },
    { "a global average takes its input in and drains", STAGE_GAP, 4, 4, 1, 1, 6, 6,
      { .lanes = 1, .word = 1, .rows_par = 1, .rq_lanes = 2, .rq_cycles = 8, .in_lanes = 2, .seg_len = 1 }, 16 * 3 + 2 * 7 },
    { "an index takes a beat a cycle", STAGE_ARGMAX, 4, 1, 4, 1, 6, 1,
      { .lanes = 4, .word = 4, .rows_par = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 4, .seg_len = 1 }, 16 * 2 },
};

static void check_cycles(void **state)
{
    const struct cycles *r = *state;
    struct stage s = { .kind = r->kind, .in_c = r->in_c, .out_c = r->out_c, .geo = image(r->in, r->kernel, r->out, r->group), .op = DW_MAC };
    assert_int_equal(cost_cycles(&s, &r->f), r->want);
}

// ---- packing ----

#define MAX_C 12

struct layer {
    struct stage s;
    int16_t w[MAX_C * 9 * MAX_C];
};

static void random_layer(struct layer *l, int limit)
{
    int k = random_int(1, 3);
    l->s = (struct stage){ .kind = STAGE_CONV, .in_c = random_int(1, MAX_C), .out_c = random_int(1, MAX_C), .geo = image(6, k, 7 - k, 1), .weight_bits = 8, .acc_bits = 20 };
    l->s.weights = l->w;
    for (int64_t i = 0; i < l->s.out_c * k * k * l->s.in_c; i++)
        l->w[i] = (int16_t)random_int(-limit, limit > 127 ? 127 : limit);
}

// A depthwise layer.
static void random_dw(struct layer *l, int limit)
{
    random_layer(l, limit);
    l->s.kind = STAGE_DW;
    l->s.op = DW_MAC;
    l->s.out_c = l->s.in_c;
    l->s.geo.group = l->s.in_c;
}

static struct fold random_fold(const struct stage *s)
{
    int k = (int)s->geo.kernel_h;
    return (struct fold){ .lanes = random_int(1, (int)s->out_c), .word = random_int(1, (int)s->in_c), .rows_par = random_int(0, 1) ? k : 1,
                          .use_dsp = true, .pack = 2, .seg_len = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 1 };
}

// The largest magnitude that a low lane reaches in chains of `len` cells, whatever the activations: for every pass,
// step and chain, the weights that the array of rtl_templates multiplies there.
static int64_t low_lane_reach(const struct stage *s, const struct fold *f, int len)
{
    int64_t k = s->geo.kernel_h, worst = 0, words = ceil_div(s->in_c, f->word), chain = (int64_t)f->rows_par * f->word;
    for (int64_t pass = 0; pass < s->out_c; pass += f->lanes)
        for (int64_t m = pass; m < s->out_c && m < pass + f->lanes; m += 2) // lanes 0, 2, … are the low ones
            for (int64_t ky = 0; ky < k / f->rows_par; ky++)
                for (int64_t kx = 0; kx < k; kx++)
                    for (int64_t word = 0; word < words; word++) {
                        int64_t lo = 0, hi = 0;
                        for (int64_t cell = 0; cell < chain; cell++) {
                            int64_t row = ky * f->rows_par + cell / f->word, ci = word * f->word + cell % f->word;
                            int64_t w = ci < s->in_c ? s->weights[((m * k + row) * k + kx) * s->in_c + ci] : 0;
                            if (cell % len == 0)
                                lo = hi = 0;
                            lo += min_i64(w * -128, w * 127);
                            hi += max_i64(w * -128, w * 127);
                            worst = max_i64(worst, max_i64(-lo, hi));
                        }
                    }
    return worst;
}

// The same for packed pixels, where a chain runs down the kernel's rows.
static int64_t low_pixel_reach(const struct stage *s, const struct fold *f, int len)
{
    int64_t k = s->geo.kernel_h, worst = 0;
    for (int64_t m = 0; m < s->out_c; m++)
        for (int64_t kx = 0; kx < k; kx++) {
            int64_t lo = 0, hi = 0;
            for (int64_t ky = 0; ky < k; ky++) {
                int64_t w = s->weights[(m * k + ky) * k + kx];
                if (ky % f->rows_par % len == 0)
                    lo = hi = 0;
                lo += min_i64(w * -128, w * 127);
                hi += max_i64(w * -128, w * 127);
                worst = max_i64(worst, max_i64(-lo, hi));
            }
        }
    return worst;
}

struct packing {
    const char *family;
    void (*layer)(struct layer *l, int limit);
    int64_t (*reach)(const struct stage *s, const struct fold *f, int len);
    int longer; // of 3000 layers, those where the actual weights allow more than the worst, at least
};

static void exact_segments_never_overflow_and_are_as_long_as_can_be(void **state)
{
    static const int limits[] = { 127, 128, 90, 30, 3 };
    const struct packing *p = *state;
    int longer = 0;
    for (int i = 0; i < 3000; i++) {
        struct layer l;
        p->layer(&l, limits[i % 5]);
        int64_t room = ((int64_t)1 << (cost_lane_shift(&l.s, tech_find(p->family)) - 1)) - 1;
        struct fold f = random_fold(&l.s);
        int64_t chain = fold_shape(&l.s, &f).chain;
        int safe = cost_safe_segment(&l.s, tech_find(p->family));
        f.seg_len = (int)ceil_div(chain, ceil_div(chain, safe)); // what the search starts from
        int len = cost_exact_segment(&l.s, &f, tech_find(p->family));
        assert_true(len >= f.seg_len && len >= 1);
        assert_true(p->reach(&l.s, &f, len) <= room);
        int64_t n = ceil_div(chain, len);
        assert_int_equal(len, ceil_div(chain, n)); // no column of the ROM is wasted
        if (n > 1) // one chain fewer would overflow
            assert_true(p->reach(&l.s, &f, (int)ceil_div(chain, n - 1)) > room);
        longer += len > f.seg_len;
    }
    assert_true(longer >= p->longer);
}

static void safe_segments_hold_for_the_worst_weights_everywhere(void **state)
{
    const struct packing *p = *state;
    for (int i = 0; i < 500; i++) {
        struct layer l;
        int64_t worst = 1;
        p->layer(&l, random_int(1, 128));
        int64_t room = ((int64_t)1 << (cost_lane_shift(&l.s, tech_find(p->family)) - 1)) - 1, per_out = l.s.kind == STAGE_CONV ? l.s.in_c : 1;
        for (int64_t k = 0; k < l.s.out_c * l.s.geo.kernel_h * l.s.geo.kernel_w * per_out; k++)
            worst = max_i64(worst, 128 * llabs(l.w[k]));
        int64_t safe = cost_safe_segment(&l.s, tech_find(p->family));
        assert_true(safe * worst <= room && (safe + 1) * worst > room);
    }
}

static struct chain {
    const char *name, *family;
    enum stage_kind kind;
    int weight, weight_bits, safe;
    bool packs;
} chains[] = {
    { "DSP48E2 holds 8 products of +-127", "xcup", STAGE_CONV, -127, 8, 8, true },
    { "DSP48E2 holds 7 products of -128", "xcup", STAGE_CONV, -128, 8, 7, true },
    { "DSP48E1 holds 4 products of +-127", "xc7", STAGE_CONV, 127, 8, 4, true },
    { "DSP48E1 cannot pack -128", "xc7", STAGE_CONV, -128, 8, 3, false },
    { "weights with a zero point go alone", "xcup", STAGE_CONV, 3, 9, 341, false },
    { "DSP48E2 holds 8 products of two pixels", "xcup", STAGE_DW, 127, 8, 8, true },
    { "DSP48E1 holds 2 products of two pixels", "xc7", STAGE_DW, -127, 8, 2, true },
    { "DSP48E1 holds a product of two pixels with -128", "xc7", STAGE_DW, -128, 8, 1, true },
    { "DSP48E2 holds 4 products of two pixels with 9 bits", "xcup", STAGE_DW, -255, 9, 4, true },
    { "DSP48E1 holds a product of two pixels with 9 bits", "xc7", STAGE_DW, 255, 9, 1, true },
    { "SB_MAC16 packs -128, sums are made outside", "ice40", STAGE_CONV, -128, 8, 1, true },
    { "SB_MAC16 does not pack 9 bits", "ice40", STAGE_CONV, 5, 9, 1, false },
    { "SB_MAC16 does not pack pixels", "ice40", STAGE_DW, 5, 8, 1, false },
    { "MULT18X18D does not pack", "ecp5", STAGE_CONV, 5, 8, 1, false },
    { "MULT18X18D does not pack pixels", "ecp5", STAGE_DW, 5, 8, 1, false },
};

static void check_chain(void **state)
{
    const struct chain *c = *state;
    int16_t w[3] = { (int16_t)c->weight, 0, 1 };
    struct stage s = { .kind = c->kind, .op = DW_MAC, .in_c = 1, .out_c = 1, .geo = image(4, 1, 4, 1), .weights = w, .weight_bits = c->weight_bits };
    assert_int_equal(cost_safe_segment(&s, tech_find(c->family)), c->safe);
    assert_int_equal(cost_can_pack(&s, tech_find(c->family)), c->packs);
}

static void only_neighbours_share_weights(void **state)
{
    (void)state;
    int16_t w = 5;
    struct stage s = { .kind = STAGE_DW, .op = DW_MAC, .in_c = 1, .out_c = 1, .geo = image(4, 1, 4, 1), .weights = &w, .weight_bits = 8 };
    assert_true(cost_can_pack(&s, tech_find("xc7")));
    s.geo.dilation_w = 2; // a column of the kernel is none of the next pixel's
    assert_false(cost_can_pack(&s, tech_find("xc7")));
    s.geo.dilation_w = 1;
    s.geo.out_w = 1;
    assert_false(cost_can_pack(&s, tech_find("xc7")));
    s.geo.out_w = 2;
    s.op = DW_SUM;
    assert_false(cost_can_pack(&s, tech_find("xcup")));
}

static void packing_halves_the_multipliers(void **state)
{
    (void)state;
    struct layer l;
    random_layer(&l, 127);
    l.s.rq = (struct requant){ .n = 1, .mult_bits = 24, .bias_bits = 8 };
    struct fold f = { .lanes = (int)l.s.out_c, .word = (int)l.s.in_c, .rows_par = 1, .use_dsp = true, .pack = 2, .seg_len = 1,
                      .rq_lanes = 1, .rq_cycles = 8, .in_lanes = 1, .ring_rows = 4 };
    struct cost packed = cost_stage(&l.s, &f, tech_find("xcup"));
    assert_int_equal(packed.dsp, (l.s.out_c + 1) / 2 * l.s.in_c);
    f.pack = 1;
    struct cost single = cost_stage(&l.s, &f, tech_find("xcup"));
    assert_int_equal(single.dsp, l.s.out_c * l.s.in_c);
    f.use_dsp = false;
    struct cost luts = cost_stage(&l.s, &f, tech_find("xcup"));
    assert_int_equal(luts.dsp, 0);
    assert_true(luts.lut > single.lut);
    assert_int_equal(packed.cycles, luts.cycles);
}

static void multipliers_that_a_block_holds_share_it(void **state)
{
    (void)state;
    static const struct { const char *family; int pack; int64_t dsp; } rows[] = {
        { "xcup", 1, 35 }, { "xcup", 2, 20 }, { "ecp5", 1, 35 }, { "ice40", 1, 35 }, { "ice40", 2, 20 }, { "cyclonev", 1, 12 }, { "gowin", 1, 18 },
    };
    struct stage s = { .kind = STAGE_CONV, .in_c = 5, .out_c = 7, .geo = image(4, 1, 4, 1), .weight_bits = 8, .acc_bits = 19,
                       .has_requant = true, .rq = { .n = 1, .mult_bits = 24, .bias_bits = 8 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fold f = { .lanes = 7, .word = 5, .rows_par = 1, .use_dsp = true, .pack = rows[i].pack, .seg_len = 1, .rq_lanes = 1, .rq_cycles = 24,
                          .in_lanes = 1, .ring_rows = 2, .ring_block = true };
        assert_int_equal(cost_stage(&s, &f, tech_find(rows[i].family)).dsp, rows[i].dsp);
    }
}

static void small_luts_cost_more_of_them(void **state)
{
    (void)state;
    struct stage s = { .kind = STAGE_CONV, .in_c = 8, .out_c = 8, .geo = image(8, 3, 6, 1), .weight_bits = 8, .acc_bits = 20,
                       .has_requant = true, .rq = { .n = 8, .mult_bits = 24, .shift_bits = 3, .bias_bits = 12 } };
    struct fold f = { .lanes = 4, .word = 4, .rows_par = 1, .pack = 1, .seg_len = 1, .rq_lanes = 1, .rq_cycles = 8, .in_lanes = 1, .ring_rows = 4, .ring_block = true };
    int64_t six = cost_stage(&s, &f, tech_find("xcup")).lut;
    static const char *const fours[] = { "ecp5", "gowin", "ice40" };
    for (int i = 0; i < 3; i++) {
        int64_t four = cost_stage(&s, &f, tech_find(fours[i])).lut;
        assert_true(four > six * 13 / 10 && four < 4 * six);
    }
    assert_true(cost_stage(&s, &f, tech_find("cyclonev")).lut < six); // two small LUTs share an ALM
}

static void packing_pixels_halves_the_cycles(void **state)
{
    (void)state;
    int compared = 0;
    for (int i = 0; i < 200; i++) {
        struct layer l;
        random_dw(&l, 127);
        l.s.rq = (struct requant){ .n = 1, .mult_bits = 24, .bias_bits = 8 };
        l.s.geo.out_w = 2 * random_int(1, 6);
        struct fold f = random_fold(&l.s);
        f.rq_lanes = f.word;
        f.ring_rows = 4;
        f.in_lanes = (int)l.s.in_c;
        struct cost packed = cost_stage(&l.s, &f, tech_find("xcup"));
        f.pack = 1;
        struct cost single = cost_stage(&l.s, &f, tech_find("xcup"));
        assert_int_equal(packed.dsp, single.dsp);
        assert_int_equal(single.dsp, f.word * f.rows_par);
        assert_true(packed.lut > single.lut && packed.ff > single.ff);
        int64_t steps = l.s.geo.kernel_h * l.s.geo.kernel_w / f.rows_par;
        // else the requantizer, which takes a cycle a pixel, or the input sets the pace
        bool paced = steps > 1 && packed.cycles > cost_input_cycles(&l.s, f.in_lanes);
        if (paced)
            assert_int_equal(2 * packed.cycles, single.cycles);
        compared += paced;
    }
    assert_true(compared > 50);
}

// The memories of a pair have room for every column of the image, in turns of stride_w columns, at the address where
// aihls_halves puts it.
static void both_memories_hold_their_columns(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct stage s = { .kind = STAGE_DW, .op = DW_MAC, .in_c = 6, .out_c = 6, .geo = image(4, 3, 4, 6) };
        struct fold f = { .word = 2, .rows_par = 1, .pack = 2, .seg_len = 1, .rq_lanes = 1, .rq_cycles = 1, .in_lanes = 1 };
        struct window_geometry *g = &s.geo;
        g->in_w = random_int(1, 20);
        g->stride_w = random_int(1, 4);
        g->pad_left = random_int(0, 9);
        int64_t longest = 0, turn = 2 * g->stride_w, cut = g->pad_left / turn * g->stride_w;
        for (int64_t x = 0; x < g->in_w; x++) {
            int64_t column = x + g->pad_left;
            longest = max_i64(longest, column / turn * g->stride_w + column % g->stride_w - cut + 1);
        }
        int64_t room = fold_shape(&s, &f).row_words;
        assert_int_equal(room % 3, 0);
        assert_true(longest * 3 <= room && room < (longest + g->stride_w) * 3);
    }
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    static struct packing outputs_e1 = { "xc7", random_layer, low_lane_reach, 100 }, outputs_e2 = { "xcup", random_layer, low_lane_reach, 100 };
    static struct packing pixels_e1 = { "xc7", random_dw, low_pixel_reach, 100 }, pixels_e2 = { "xcup", random_dw, low_pixel_reach, 0 };
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(a_memory_never_has_fewer_bits_than_asked_for),
        cmocka_unit_test(packing_halves_the_multipliers),
        cmocka_unit_test(multipliers_that_a_block_holds_share_it),
        cmocka_unit_test(small_luts_cost_more_of_them),
        cmocka_unit_test(only_neighbours_share_weights), cmocka_unit_test(packing_pixels_halves_the_cycles),
        cmocka_unit_test(both_memories_hold_their_columns),
        { "exact segments of outputs on DSP48E1 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, &outputs_e1 },
        { "exact segments of outputs on DSP48E2 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, &outputs_e2 },
        { "exact segments of pixels on DSP48E1 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, &pixels_e1 },
        { "exact segments of pixels on DSP48E2 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, &pixels_e2 },
        { "safe segments of outputs on DSP48E1 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, &outputs_e1 },
        { "safe segments of outputs on DSP48E2 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, &outputs_e2 },
        { "safe segments of pixels on DSP48E1 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, &pixels_e1 },
        { "safe segments of pixels on DSP48E2 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, &pixels_e2 },
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(memories) + COUNT(cycles) + COUNT(chains)];
    size_t n = COUNT(fixed);
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(memories); i++)
        tests[n++] = (struct CMUnitTest){ memories[i].name, check_memory, NULL, NULL, &memories[i] };
    for (size_t i = 0; i < COUNT(cycles); i++)
        tests[n++] = (struct CMUnitTest){ cycles[i].name, check_cycles, NULL, NULL, &cycles[i] };
    for (size_t i = 0; i < COUNT(chains); i++)
        tests[n++] = (struct CMUnitTest){ chains[i].name, check_chain, NULL, NULL, &chains[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

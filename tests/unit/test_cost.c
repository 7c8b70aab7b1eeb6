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
    { "a global average takes its input in and drains", STAGE_GAP, 4, 4, 1, 1, 6, 6,
      { .lanes = 1, .word = 1, .rows_par = 1, .rq_lanes = 2, .rq_cycles = 8, .in_lanes = 2, .seg_len = 1 }, 16 * 3 + 2 * 7 },
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

static void exact_segments_never_overflow_and_are_as_long_as_can_be(void **state)
{
    static const int limits[] = { 127, 128, 90, 30, 3 };
    const struct tech *tech = tech_find(*state);
    int64_t room = ((int64_t)1 << (tech->lane_shift - 1)) - 1;
    int longer = 0;
    for (int i = 0; i < 3000; i++) {
        struct layer l;
        random_layer(&l, limits[i % 5]);
        struct fold f = random_fold(&l.s);
        int64_t chain = (int64_t)f.rows_par * f.word;
        int safe = cost_safe_segment(&l.s, tech);
        f.seg_len = (int)ceil_div(chain, ceil_div(chain, safe)); // what the search starts from
        int len = cost_exact_segment(&l.s, &f, tech);
        assert_true(len >= f.seg_len && len >= 1);
        assert_true(low_lane_reach(&l.s, &f, len) <= room);
        int64_t n = ceil_div(chain, len);
        assert_int_equal(len, ceil_div(chain, n)); // no column of the ROM is wasted
        if (n > 1) // one chain fewer would overflow
            assert_true(low_lane_reach(&l.s, &f, (int)ceil_div(chain, n - 1)) > room);
        longer += len > f.seg_len;
    }
    assert_true(longer > 100); // the proof from the actual weights is worth its name
}

static void safe_segments_hold_for_the_worst_weights_everywhere(void **state)
{
    const struct tech *tech = tech_find(*state);
    int64_t room = ((int64_t)1 << (tech->lane_shift - 1)) - 1;
    for (int i = 0; i < 500; i++) {
        struct layer l;
        int64_t worst = 1;
        random_layer(&l, random_int(1, 128));
        for (int64_t k = 0; k < l.s.out_c * l.s.geo.kernel_h * l.s.geo.kernel_w * l.s.in_c; k++)
            worst = max_i64(worst, 128 * llabs(l.w[k]));
        int64_t safe = cost_safe_segment(&l.s, tech);
        assert_true(safe * worst <= room && (safe + 1) * worst > room);
    }
}

static struct chain {
    const char *name, *family;
    int weight, safe;
    bool packs;
} chains[] = {
    { "DSP48E2 holds 8 products of +-127", "xcup", -127, 8, true },
    { "DSP48E2 holds 7 products of -128", "xcup", -128, 7, true },
    { "DSP48E1 holds 4 products of +-127", "xc7", 127, 4, true },
    { "DSP48E1 cannot pack -128", "xc7", -128, 3, false },
    { "SB_MAC16 packs -128, sums are made outside", "ice40", -128, 1, true },
    { "MULT18X18D does not pack", "ecp5", 5, 1, false },
};

static void check_chain(void **state)
{
    const struct chain *c = *state;
    const struct tech *tech = tech_find(c->family);
    int16_t w = (int16_t)c->weight;
    struct stage s = { .kind = STAGE_CONV, .in_c = 1, .out_c = 1, .geo = image(1, 1, 1, 1), .weights = &w, .weight_bits = 8 };
    assert_int_equal(cost_safe_segment(&s, tech), c->safe);
    assert_int_equal(cost_can_pack(&s, tech), c->packs);
    s.weight_bits = 9;
    assert_false(cost_can_pack(&s, tech)); // weights with a zero point go alone
    s.weight_bits = 8;
    s.kind = STAGE_DW;
    assert_false(cost_can_pack(&s, tech));
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

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    static char e1[] = "xc7", e2[] = "xcup";
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(a_memory_never_has_fewer_bits_than_asked_for),
        cmocka_unit_test(packing_halves_the_multipliers),
        cmocka_unit_test(multipliers_that_a_block_holds_share_it),
        cmocka_unit_test(small_luts_cost_more_of_them),
        { "exact segments on DSP48E1 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, e1 },
        { "exact segments on DSP48E2 never overflow and are as long as can be", exact_segments_never_overflow_and_are_as_long_as_can_be, NULL, NULL, e2 },
        { "safe segments on DSP48E1 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, e1 },
        { "safe segments on DSP48E2 hold for the worst weights everywhere", safe_segments_hold_for_the_worst_weights_everywhere, NULL, NULL, e2 },
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

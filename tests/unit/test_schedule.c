// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/schedule*.c. Oracles: GLPK's integer programming, and on small pipelines every combination of options.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glpk.h>
#include <math.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/schedule.h"
#include "hls/design.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define I8 DT_INT8
#define MAX_STAGES 32

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

static struct board board_of(const char *family, int64_t dsp, int64_t bram18, int64_t lut)
{
    return (struct board){ .name = "test", .tech = tech_find(family), .clock_hz = 100000000, .dsp = dsp, .bram18 = bram18, .lut = lut, .ff = 2 * lut };
}

static const struct schedule_goal fastest = { .max_dsp = -1 };

// ---- pipelines ----

static void conv(const char *in, const char *out, int64_t ci, int64_t co, int64_t k, int64_t group)
{
    weights(arena_printf(&arena, "%s_w", out), 4, DIMS(co, ci / group, k, k), (int)co, 0, I8, false);
    model_node(m, "Conv", arena_printf(&arena, "%s %s_w", in, out), out);
    model_int(m, "group", group);
    model_ints(m, "pads", 4, DIMS(k / 2, k / 2, k / 2, k / 2));
    qdq(out, 0.2f, 0, I8);
}

static void chain(void)
{
    input(4, DIMS(1, 3, 8, 8), 0.05f, 0, I8);
    conv("x_d", "a", 3, 8, 3, 1);
    conv("a_d", "b", 8, 6, 1, 1);
    model_node(m, "GlobalAveragePool", "b_d", "y");
    qdq("y", 0.1f, 0, I8);
}

static void residual(void)
{
    input(4, DIMS(1, 4, 6, 6), 0.05f, 0, I8);
    conv("x_d", "a", 4, 4, 1, 1);
    conv("a_d", "b", 4, 4, 3, 1);
    model_node(m, "Add", "a_d b_d", "y");
    qdq("y", 0.3f, 0, I8);
}

static void depthwise(void)
{
    input(4, DIMS(1, 6, 8, 8), 0.05f, 0, I8);
    conv("x_d", "a", 6, 6, 3, 6);
    model_node(m, "MaxPool", "a_d", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    qdq("p", 0.2f, 0, I8);
    conv("p_d", "y", 6, 10, 1, 1);
}

static struct pipeline *built(void (*build)(void))
{
    const struct graph *g;
    build();
    model_output(m, "y_q");
    return qdq_lower(&g, REQUANT_EXACT);
}

static struct pipeline *digits(void)
{
    struct design *d = arena_new(&arena, struct design);
    struct request r = { .model = "tests/models/digits/digits.onnx", .calib = "tests/models/digits/digits_calib.npy" };
    d->model_bytes = (struct strbuf)STRBUF_INIT;
    if (!design_read(&cx, &r, d, NULL, NULL))
        fail_msg("%s", messages.text);
    design_release(d);
    return d->pipeline;
}

// ---- oracles ----

struct fronts {
    struct options o[MAX_STAGES];
    int n;
    bool complete; // every stage has an option
};

static struct fronts fronts_at(const struct pipeline *p, const struct tech *tech, int64_t interval)
{
    struct fronts f = { .n = p->n_stages, .complete = true };
    assert_true(p->n_stages <= MAX_STAGES);
    for (int i = 0; i < p->n_stages; i++) {
        stage_options(p, &p->stages[i], tech, interval, &arena, &f.o[i]);
        f.complete &= f.o[i].n > 0;
    }
    return f;
}

// Tries every combination from `stage` on.
static bool any_fits(const struct fronts *f, int stage, int64_t dsp, int64_t bram18, int64_t lut)
{
    if (dsp < 0 || bram18 < 0 || lut < 0)
        return false;
    if (stage == f->n)
        return true;
    for (int i = 0; i < f->o[stage].n; i++) {
        const struct cost *c = &f->o[stage].items[i].cost;
        if (any_fits(f, stage + 1, dsp - c->dsp, bram18 - c->bram18, lut - c->lut))
            return true;
    }
    return false;
}

// The least sum of shares of the three budgets, by integer programming; infinite when nothing fits.
static double least_shares(const struct fronts *f, const int64_t *have)
{
    if (!f->complete)
        return INFINITY;
    glp_prob *lp = glp_create_prob();
    glp_term_out(GLP_OFF);
    glp_set_obj_dir(lp, GLP_MIN);
    glp_add_rows(lp, 3 + f->n);
    for (int r = 0; r < 3; r++)
        glp_set_row_bnds(lp, r + 1, GLP_UP, 0, (double)have[r]);
    for (int s = 0; s < f->n; s++)
        glp_set_row_bnds(lp, 4 + s, GLP_FX, 1, 1);
    for (int s = 0; s < f->n; s++)
        for (int o = 0; o < f->o[s].n; o++) {
            const struct cost *c = &f->o[s].items[o].cost;
            const double v[3] = { (double)c->dsp, (double)c->bram18, (double)c->lut };
            int column = glp_add_cols(lp, 1), rows[5] = { 0, 1, 2, 3, 4 + s };
            double values[5] = { 0, v[0], v[1], v[2], 1 }, sum = 0;
            for (int r = 0; r < 3; r++)
                sum += have[r] > 0 ? v[r] / (double)have[r] : 0;
            glp_set_col_kind(lp, column, GLP_BV);
            glp_set_obj_coef(lp, column, sum);
            glp_set_mat_col(lp, column, 4, rows, values);
        }
    glp_iocp parameters;
    glp_init_iocp(&parameters);
    parameters.presolve = GLP_ON;
    parameters.msg_lev = GLP_MSG_OFF;
    parameters.tm_lim = 60000;
    bool solved = glp_intopt(lp, &parameters) == 0 && glp_mip_status(lp) == GLP_OPT;
    double best = solved ? glp_mip_obj_val(lp) : INFINITY;
    glp_delete_prob(lp);
    return best;
}

static bool same_fold(const struct fold *a, const struct fold *b) // the chain's length is refined after the choice
{
    return a->lanes == b->lanes && a->word == b->word && a->rows_par == b->rows_par && a->use_dsp == b->use_dsp && a->pack == b->pack &&
           a->rq_lanes == b->rq_lanes && a->rq_cycles == b->rq_cycles && a->rq_dsp == b->rq_dsp && a->ring_block == b->ring_block && a->in_lanes == b->in_lanes;
}

static double chosen_shares(const struct pipeline *p, const struct fronts *f, const int64_t *have)
{
    double sum = 0;
    for (int i = 0; i < p->n_stages; i++) {
        const struct option *found = NULL;
        for (int o = 0; o < f->o[i].n; o++)
            if (same_fold(&f->o[i].items[o].fold, &p->stages[i].fold))
                found = &f->o[i].items[o];
        assert_non_null(found);
        sum += (double)found->cost.dsp / (double)have[0] + (double)found->cost.bram18 / (double)have[1] + (double)found->cost.lut / (double)have[2];
    }
    return sum;
}

static int64_t slowest_stage(const struct pipeline *p)
{
    int64_t t = 0;
    for (int i = 0; i < p->n_stages; i++)
        t = max_i64(t, p->stages[i].cost.cycles);
    return t;
}

static void budgets(const struct board *b, int64_t *have)
{
    have[0] = b->dsp;
    have[1] = b->bram18;
    have[2] = b->lut * SCHEDULE_LUT_PERCENT / 100;
}

// ---- tests ----

static struct small {
    const char *name;
    void (*build)(void);
    const char *family;
    int64_t dsp, bram18, lut;
} smalls[] = {
    { "a chain on few DSP48E2 has the least interval", chain, "xcup", 6, 40, 60000 },
    { "a chain on more DSP48E2 has the least interval", chain, "xcup", 40, 40, 60000 },
    { "a chain on DSP48E1 has the least interval", chain, "xc7", 20, 40, 60000 },
    { "a residual block has the least interval", residual, "xcup", 12, 40, 60000 },
    { "a residual block without DSP has the least interval", residual, "xcup", 0, 40, 30000 },
    { "a depthwise block has the least interval", depthwise, "xcup", 10, 40, 60000 },
    { "a depthwise block on DSP48E1 has the least interval", depthwise, "xc7", 25, 40, 60000 },
};

static void check_small(void **state)
{
    const struct small *r = *state;
    setup(state);
    struct pipeline *p = built(r->build);
    struct board b = board_of(r->family, r->dsp, r->bram18, r->lut);
    int64_t have[3];
    budgets(&b, have);
    if (!schedule_solve(&cx, p, &b, &fastest))
        fail_msg("%s", messages.text);
    int64_t best = slowest_stage(p);
    struct fronts f = fronts_at(p, b.tech, best);
    assert_true(any_fits(&f, 0, have[0], have[1], have[2]));
    for (int64_t t = max_i64(1, best - 60); t < best; t++) {
        f = fronts_at(p, b.tech, t);
        if (f.complete && any_fits(&f, 0, have[0], have[1], have[2]))
            fail_msg("%lld cycles are possible, not only %lld", (long long)t, (long long)best);
    }
    assert_true(p->optimal);
    assert_true(p->total.dsp <= have[0] && p->total.bram18 <= have[1] && p->total.lut <= have[2]);
}

static void check_front(const struct pipeline *p, const struct stage *s, const struct tech *tech, int64_t interval, const struct options *more)
{
    struct options o = { 0 };
    stage_options(p, s, tech, interval, &arena, &o);
    for (int i = 0; i < o.n; i++) {
        const struct option *a = &o.items[i];
        assert_true(a->cost.cycles <= interval);
        for (int k = 0; k < o.n; k++) // none is at least as good as another in everything
            assert_false(i != k && o.items[k].cost.dsp <= a->cost.dsp && o.items[k].cost.bram18 <= a->cost.bram18 && o.items[k].cost.lut <= a->cost.lut);
        bool covered = false; // with more time there is always something no dearer
        for (int k = 0; k < more->n; k++)
            covered |= more->items[k].cost.dsp <= a->cost.dsp && more->items[k].cost.bram18 <= a->cost.bram18 && more->items[k].cost.lut <= a->cost.lut;
        if (!covered)
            fail_msg("%s at %lld cycles: lanes %d word %d rows %d dsp %d rq %d/%d in %d: %lld DSP %lld RAMB18 %lld LUT is lost with more cycles", s->name, (long long)interval, a->fold.lanes,
                     a->fold.word, a->fold.rows_par, a->fold.use_dsp, a->fold.rq_lanes, a->fold.rq_cycles, a->fold.in_lanes, (long long)a->cost.dsp, (long long)a->cost.bram18, (long long)a->cost.lut);
    }
}

static void more_cycles_never_make_a_front_worse(void **state)
{
    (void)state;
    struct pipeline *p = digits();
    for (int i = 0; i < p->n_stages; i++)
        // a global average takes exactly the lanes that its interval needs, and fewer lanes may need a faster requantizer
        for (int64_t t = 40; t < 8000 && p->stages[i].kind != STAGE_GAP; t = t * 5 / 4 + 1) {
            struct options more = { 0 };
            stage_options(p, &p->stages[i], tech_find("xcup"), t * 5 / 4 + 1, &arena, &more);
            check_front(p, &p->stages[i], tech_find("xcup"), t, &more);
        }
}

static void digits_is_solved_as_glpk_solves_it(void **state)
{
    (void)state;
    static const int64_t dsps[] = { 16, 60, 200 };
    struct pipeline *p = digits();
    for (int i = 0; i < 3; i++) {
        struct board b = board_of("xcup", dsps[i], 300, 200000);
        int64_t have[3];
        budgets(&b, have);
        assert_true(schedule_solve(&cx, p, &b, &fastest));
        int64_t best = slowest_stage(p);
        struct fronts at = fronts_at(p, b.tech, best), below = fronts_at(p, b.tech, best - 1);
        double least = least_shares(&at, have);
        assert_true(isfinite(least));
        assert_true(isinf(least_shares(&below, have))); // one cycle less fits no more
        assert_true(chosen_shares(p, &at, have) >= least - 1e-9);
        assert_true(chosen_shares(p, &at, have) <= least * 1.05); // FIFOs came on top: the budgets of the choice were smaller
    }
}

static void a_goal_is_reached_with_the_least_resources(void **state)
{
    (void)state;
    struct pipeline *p = digits();
    struct board b = board_of("xcup", 360, 432, 70560);
    int64_t have[3];
    budgets(&b, have);
    assert_true(schedule_solve(&cx, p, &b, &fastest));
    int64_t fast = p->interval_cycles, dsp = p->total.dsp;
    for (int slower = 2; slower <= 32; slower *= 4) {
        struct schedule_goal goal = { .fps = b.clock_hz / (fast * slower), .max_dsp = -1 };
        assert_true(schedule_solve(&cx, p, &b, &goal));
        int64_t wanted = b.clock_hz / goal.fps;
        assert_true(p->interval_cycles <= wanted);
        assert_true(p->total.dsp <= dsp);
        dsp = p->total.dsp;
        struct fronts f = fronts_at(p, b.tech, wanted);
        double least = least_shares(&f, have), chosen = chosen_shares(p, &f, have);
        assert_true(chosen >= least - 1e-9 && chosen <= least * 1.02);
    }
}

static void more_multipliers_are_never_slower(void **state)
{
    (void)state;
    struct pipeline *p = built(chain);
    int64_t last = INT64_MAX;
    for (int64_t dsp = 0; dsp <= 120; dsp += 8) {
        struct board b = board_of("xcup", dsp, 100, 100000);
        assert_true(schedule_solve(&cx, p, &b, &fastest));
        assert_true(p->total.dsp <= dsp);
        assert_true(slowest_stage(p) <= last);
        last = slowest_stage(p);
    }
}

static void budgets_hold_or_the_shortage_is_named(void **state)
{
    (void)state;
    struct pipeline *p = digits();
    int solved = 0, refused = 0;
    for (int64_t lut = 1000; lut <= 64000; lut *= 4)
        for (int64_t bram = 2; bram <= 128; bram *= 4)
            for (int64_t dsp = 0; dsp <= 64; dsp += 32) {
                struct board b = board_of("xc7", dsp, bram, lut);
                strbuf_clear(&messages);
                diag.errors = 0; // beyond twenty they are only counted
                if (schedule_solve(&cx, p, &b, &fastest)) {
                    solved++;
                    assert_true(p->total.dsp <= dsp && p->total.bram18 <= bram && p->total.lut <= lut * SCHEDULE_LUT_PERCENT / 100);
                } else {
                    refused++;
                    assert_non_null(strstr(messages.text, "E302"));
                    assert_non_null(strstr(messages.text, "need "));
                }
            }
    assert_true(solved > 3 && refused > 3);
}

// "need 56 EBR (26 too many), 6868 LUT (3172 too many)": the number before `what`, or `have` when it is not short.
static int64_t needed(const char *what, int64_t have)
{
    const char *need = strstr(messages.text, "need "), *end = strchr(need, '\n');
    const char *at = strstr(need, arena_printf(&arena, " %s (", what));
    if (!at || at > end)
        return have;
    while (at > need && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return strtoll(at, NULL, 10);
}

static struct shortage {
    const char *name, *family, *bram;
    int64_t dsp, bram_count, lut;
} shortages[] = {
    { "what digits lacks on iCE40 is exact", "ice40", "EBR", 8, 30, 5280 },
    { "what digits lacks on a small ECP5 is exact", "ecp5", "EBR", 28, 20, 12000 },
    { "what digits lacks on a small 7-series part is exact", "xc7", "RAMB18", 20, 2, 3000 },
};

static void the_named_shortage_is_exact(void **state)
{
    const struct shortage *r = *state;
    struct pipeline *p = digits();
    struct board b = board_of(r->family, r->dsp, r->bram_count, r->lut);
    const struct schedule_goal slow = { .fps = 1, .max_dsp = -1 };
    int64_t luts = b.lut * SCHEDULE_LUT_PERCENT / 100, shell = cost_shell_bram(p, &b);
    strbuf_clear(&messages);
    assert_false(schedule_solve(&cx, p, &b, &slow));
    int64_t dsp = needed("DSP", b.dsp), bram = shell + needed(r->bram, b.bram18 - shell), lut = needed("LUT", luts);
    assert_true(dsp > b.dsp || bram > b.bram18 || lut > luts);
    // a board with what is named takes it
    struct board enough = board_of(r->family, dsp, bram, (lut * 100 + SCHEDULE_LUT_PERCENT - 1) / SCHEDULE_LUT_PERCENT);
    if (!schedule_solve(&cx, p, &enough, &slow))
        fail_msg("%s", messages.text);
    // and no board that is larger than this one by less than the largest ratio
    double factor = fmax((double)dsp / (double)b.dsp, fmax((double)(bram - shell) / (double)(b.bram18 - shell), (double)lut / (double)luts)) * 0.98;
    struct board less = board_of(r->family, (int64_t)((double)b.dsp * factor), shell + (int64_t)((double)(b.bram18 - shell) * factor), (int64_t)((double)b.lut * factor));
    diag.errors = 0;
    assert_false(schedule_solve(&cx, p, &less, &slow));
}

// Where buffers are block RAMs, the shell's are not the pipeline's.
static void a_schedule_leaves_the_shell_its_block_rams(void **state)
{
    (void)state;
    struct pipeline *p = built(residual);
    struct board roomy = board_of("ice40", 64, 1000, 100000);
    assert_true(schedule_solve(&cx, p, &roomy, &fastest));
    int64_t uses = p->total.bram18, shell = cost_shell_bram(p, &roomy), full = 0;
    assert_true(shell >= 5);
    for (int64_t bram = 1; bram <= uses + shell; bram++) {
        struct board b = board_of("ice40", 64, bram, 100000);
        strbuf_clear(&messages);
        diag.errors = 0;
        if (!schedule_solve(&cx, p, &b, &fastest))
            continue;
        assert_true(p->total.bram18 + shell <= bram);
        full += p->total.bram18 + shell == bram;
    }
    assert_true(full > 0); // the limit was met
}

static void the_users_limit_on_dsp_holds(void **state)
{
    (void)state;
    struct pipeline *p = built(residual);
    struct board b = board_of("xcup", 300, 100, 100000);
    for (int64_t limit = 0; limit <= 24; limit += 6) {
        struct schedule_goal goal = { .max_dsp = limit };
        assert_true(schedule_solve(&cx, p, &b, &goal));
        assert_true(p->total.dsp <= limit);
    }
    struct schedule_goal beyond = { .max_dsp = 100000 }; // the board's own limit still holds
    b.dsp = 7;
    assert_true(schedule_solve(&cx, p, &b, &beyond));
    assert_true(p->total.dsp <= 7);
}

// Where every stage is as slow as the slowest, a row that comes into a ring late is a cycle lost.
static void rings_have_the_rows_that_keep_the_pace(void **state)
{
    (void)state;
    struct pipeline *p = digits();
    struct board b = board_of("xcup", 1248, 288, 117120);
    int64_t have[3];
    budgets(&b, have);
    assert_true(schedule_solve(&cx, p, &b, &fastest));
    assert_int_equal(p->interval_cycles, slowest_stage(p));
    assert_true(p->total.dsp <= have[0] && p->total.bram18 <= have[1] && p->total.lut <= have[2]);
}

static void one_pixel(void)
{
    input(4, DIMS(1, 3, 1, 1), 0.05f, 0, I8);
    conv("x_d", "y", 3, 1, 1, 1);
}

// One cycle less than one is asked for too, to say what stands in the way.
static void a_frame_may_take_one_cycle(void **state)
{
    (void)state;
    struct pipeline *p = built(one_pixel);
    struct board b = board_of("xcup", 300, 100, 100000);
    assert_true(schedule_solve(&cx, p, &b, &fastest));
    assert_int_equal(slowest_stage(p), 1);
    assert_non_null(p->bound);
}

static void streams_and_edges_agree_on_their_lanes(void **state)
{
    (void)state;
    struct pipeline *p = digits();
    struct board b = board_of("xcup", 360, 432, 70560);
    assert_true(schedule_solve(&cx, p, &b, &fastest));
    for (int i = 0; i < p->n_edges; i++) {
        const struct edge *e = &p->edges[i];
        assert_int_equal(p->streams[e->stream].lanes % e->lanes, 0);
        assert_true(e->depth_words > 0);
        if (e->consumer >= 0)
            assert_int_equal(e->lanes, p->stages[e->consumer].fold.in_lanes);
    }
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        assert_int_equal(p->streams[s->out_stream].lanes, s->fold.rq_lanes);
        assert_true(s->cost.cycles <= p->interval_cycles);
    }
}

static void flat_matmul(void) // of the image x_d to the 28 values a_d
{
    model_i64(m, "flat", 2, DIMS(1, -1));
    model_node(m, "Reshape", "x_d flat", "f");
    weights("w", 2, DIMS(32, 28), 1, 0, I8, false);
    model_node(m, "MatMul", "f w", "a");
    qdq("a", 0.2f, 0, I8);
}

static void add_of_pixels_and_a_vector(void) // 4 pixels of 7 channels, read as 28 values
{
    input(4, DIMS(1, 2, 4, 4), 0.05f, 0, I8);
    weights("v", 4, DIMS(7, 2, 3, 3), 1, 0, I8, false);
    model_node(m, "Conv", "x_d v", "c");
    qdq("c", 0.2f, 0, I8);
    flat_matmul();
    model_node(m, "Transpose", "c_d", "t");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    model_node(m, "Reshape", "t flat", "r");
    model_node(m, "Add", "a_d r", "y");
    qdq("y", 0.2f, 0, I8);
}

static void average_of_a_vector(void) // 28 values, read as 4 pixels of 7 channels
{
    input(4, DIMS(1, 2, 4, 4), 0.05f, 0, I8);
    flat_matmul();
    model_i64(m, "image", 4, DIMS(1, 2, 2, 7));
    model_node(m, "Reshape", "a_d image", "r");
    model_node(m, "Transpose", "r", "t");
    model_ints(m, "perm", 4, DIMS(0, 3, 1, 2));
    model_node(m, "GlobalAveragePool", "t", "y");
    qdq("y", 0.2f, 0, I8);
}

// On both technologies: with packing an array of as many blocks does a frame in half the cycles.
static void depthwise_stages_are_offered_with_and_without_packing(void **state)
{
    (void)state;
    const struct tech *const techs[] = { tech_find("xc7"), tech_find("xcup") };
    struct pipeline *p = built(depthwise);
    const struct stage *s = &p->stages[0];
    assert_int_equal(s->kind, STAGE_DW);
    for (int i = 0; i < 2; i++) {
        int offered[3] = { 0 };
        for (int64_t t = 64; t < 6000; t = t * 9 / 8) {
            struct options o = { 0 };
            stage_options(p, s, techs[i], t, &arena, &o);
            for (int k = 0; k < o.n; k++) {
                const struct fold *f = &o.items[k].fold;
                if (!f->use_dsp || f->rq_dsp)
                    continue;
                offered[f->pack]++;
                assert_int_equal(o.items[k].cost.dsp, f->word * f->rows_par);
            }
        }
        assert_true(offered[1] > 0 && offered[2] > 0);
    }
}

// A beat has the same elements for writer and reader when lanes divide the channels of both.
static void reshaped_streams_have_lanes_that_divide_both_pixels(void **state)
{
    (void)state;
    static void (*const build[])(void) = { add_of_pixels_and_a_vector, average_of_a_vector };
    struct board b = board_of("xcup", 360, 432, 70560);
    for (int k = 0; k < 2; k++) {
        qdq_teardown(NULL);
        qdq_setup();
        struct pipeline *p = built(build[k]);
        int reshaped = 0;
        assert_true(schedule_solve(&cx, p, &b, &fastest));
        for (int i = 0; i < p->n_stages; i++)
            for (int port = 0; port < p->stages[i].n_in; port++) {
                const struct stage *s = &p->stages[i];
                int64_t c = stage_in(p, s, port)->c;
                if (c == s->in_c || s->kind == STAGE_CONV)
                    continue;
                reshaped++;
                assert_int_equal(c % s->fold.in_lanes, 0);
                assert_int_equal(s->in_c % s->fold.in_lanes, 0);
            }
        assert_int_equal(reshaped, 1);
    }
}

static void the_same_model_gets_the_same_schedule(void **state)
{
    (void)state;
    struct board b = board_of("xcup", 100, 432, 70560);
    struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };
    for (int i = 0; i < 2; i++) {
        struct pipeline *p = digits();
        if (!schedule_solve(&cx, p, &b, &fastest))
            fail_msg("%s", messages.text);
        pipeline_dump(p, &text[i]);
    }
    assert_string_equal(text[0].text, text[1].text);
    strbuf_release(&text[0]);
    strbuf_release(&text[1]);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, qdq_teardown)

static int free_glpk(void **state)
{
    (void)state;
    glp_free_env();
    return 0;
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(more_cycles_never_make_a_front_worse), TEST(digits_is_solved_as_glpk_solves_it), TEST(a_goal_is_reached_with_the_least_resources),
        TEST(more_multipliers_are_never_slower), TEST(budgets_hold_or_the_shortage_is_named), TEST(the_users_limit_on_dsp_holds), TEST(a_frame_may_take_one_cycle), TEST(rings_have_the_rows_that_keep_the_pace),
        TEST(a_schedule_leaves_the_shell_its_block_rams),
        TEST(streams_and_edges_agree_on_their_lanes), TEST(the_same_model_gets_the_same_schedule),
        TEST(reshaped_streams_have_lanes_that_divide_both_pixels), TEST(depthwise_stages_are_offered_with_and_without_packing),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(smalls) + COUNT(shortages)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(shortages); i++)
        tests[COUNT(fixed) + COUNT(smalls) + i] = (struct CMUnitTest){ shortages[i].name, the_named_shortage_is_exact, NULL, qdq_teardown, &shortages[i] };
    for (size_t i = 0; i < COUNT(smalls); i++)
        tests[COUNT(fixed) + i] = (struct CMUnitTest){ smalls[i].name, check_small, NULL, qdq_teardown, &smalls[i] };
    return cmocka_run_group_tests(tests, NULL, free_glpk);
}

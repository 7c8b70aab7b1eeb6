// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/timing.c: deadlock without room on the skip, progress and rate with the depths that sizing gives.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/schedule.h"
#include "dataflow/timing.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define I8 DT_INT8

static struct pipeline *p;

static void conv(const char *in, const char *out, int64_t ci, int64_t co, int64_t k)
{
    weights(arena_printf(&arena, "%s_w", out), 4, DIMS(co, ci, k, k), 1, 0, I8, false);
    model_node(m, "Conv", arena_printf(&arena, "%s %s_w", in, out), out);
    model_ints(m, "pads", 4, DIMS(k / 2, k / 2, k / 2, k / 2));
    qdq(out, 0.2f, 0, I8);
}

// fps 0: as fast as possible.
static void schedule(int64_t dsp, int64_t fps)
{
    const struct schedule_goal goal = { .max_dsp = -1, .fps = fps };
    const struct graph *g;
    model_output(m, "y_q");
    p = qdq_lower(&g, REQUANT_EXACT);
    struct board *b = arena_new(&arena, struct board);
    *b = (struct board){ .name = "test", .tech = tech_find("xcup"), .clock_hz = 100000000, .dsp = dsp, .bram18 = 200, .lut = 60000, .ff = 120000 };
    if (!schedule_solve(&cx, p, b, &goal))
        fail_msg("%s", messages.text);
}

// a -> two 3x3 convolutions -> Add with a: the skip must hold what two row rings hold back.
static int residual(void **state)
{
    (void)state;
    qdq_setup();
    input(4, DIMS(1, 4, 12, 12), 0.05f, 0, I8);
    conv("x_d", "a", 4, 4, 1);
    conv("a_d", "b", 4, 4, 3);
    conv("b_d", "c", 4, 4, 3);
    model_node(m, "Add", "a_d c_d", "y");
    qdq("y", 0.3f, 0, I8);
    schedule(60, 0);
    return 0;
}

static struct edge *skip_edge(void)
{
    int into = 0;
    struct edge *skip = NULL;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        if (e->consumer < 0 || p->stages[e->consumer].kind != STAGE_ADD)
            continue;
        into++;
        if (stream_edge_count(p, e->stream) == 2)
            skip = e;
    }
    assert_int_equal(into, 2);
    assert_non_null(skip);
    return skip;
}

static void a_skip_of_one_word_deadlocks(void **state)
{
    (void)state;
    skip_edge()->depth_words = 1;
    assert_true(timing_run(p, &arena, 4).deadlock);
}

static void the_sized_skip_keeps_the_interval(void **state)
{
    (void)state;
    struct timing_result r = timing_run(p, &arena, 6);
    int64_t slowest = 0;
    for (int i = 0; i < p->n_stages; i++)
        slowest = max_i64(slowest, p->stages[i].cost.cycles);
    assert_false(r.deadlock);
    assert_int_equal(r.interval_cycles, p->interval_cycles);
    assert_true(r.interval_cycles >= slowest);
    assert_true(r.interval_cycles * 100 <= slowest * 101);
    assert_int_equal(r.latency_cycles, p->latency_cycles);
    assert_true(r.latency_cycles > slowest / 2);
}

static void unbounded_edges_are_no_slower_than_sized_ones(void **state)
{
    (void)state;
    struct timing_result sized = timing_run(p, &arena, 6);
    for (int i = 0; i < p->n_edges; i++)
        p->edges[i].depth_words = 0;
    struct timing_result open = timing_run(p, &arena, 6);
    assert_false(open.deadlock);
    assert_true(open.interval_cycles <= sized.interval_cycles);
    assert_true(open.latency_cycles <= sized.latency_cycles);
}

// The skip must hold two rows and more of each 3x3 convolution behind it.
static void the_skip_holds_what_the_rings_hold_back(void **state)
{
    (void)state;
    const struct edge *skip = skip_edge();
    const struct stream *s = &p->streams[skip->stream];
    assert_true(skip->depth_words * s->lanes >= 2 * 12 * s->c);
    assert_true(skip->depth_words >= timing_run(p, &arena, 4).edge_peak_words[skip->index] - 64);
}

static void the_sized_skip_takes_no_more_memory_than_it_must(void **state)
{
    (void)state;
    struct edge *skip = skip_edge();
    int64_t sized = skip->depth_words, least = sized;
    while (least > 1) {
        skip->depth_words = least - 1;
        struct timing_result r = timing_run(p, &arena, 5);
        if (r.deadlock || r.interval_cycles > p->interval_cycles)
            break;
        least--;
    }
    assert_true(least > 1);
    int64_t bits = 8 * p->streams[skip->stream].lanes; // memories come in lumps and are filled
    assert_true(cost_bram(tech_find("xcup"), bits, sized, true) <= cost_bram(tech_find("xcup"), bits, 2 * least + 64, true));
}

static int linear(void **state)
{
    (void)state;
    qdq_setup();
    input(4, DIMS(1, 3, 10, 10), 0.05f, 0, I8);
    conv("x_d", "a", 3, 6, 3);
    model_node(m, "MaxPool", "a_d", "b");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    qdq("b", 0.2f, 0, I8);
    model_node(m, "GlobalAveragePool", "b_d", "y");
    qdq("y", 0.05f, 0, I8);
    schedule(20, 0);
    return 0;
}

static void frames_overlap(void **state)
{
    (void)state;
    struct timing_result two = timing_run(p, &arena, 2), eight = timing_run(p, &arena, 8);
    assert_false(two.deadlock || eight.deadlock);
    assert_int_equal(two.latency_cycles, eight.latency_cycles);
    assert_int_equal(eight.interval_cycles, p->interval_cycles);
    assert_true(eight.interval_cycles < eight.latency_cycles + 1);
}

static void every_stage_meets_its_predicted_cycles(void **state)
{
    (void)state;
    for (int i = 0; i < p->n_stages; i++)
        assert_true(p->stages[i].cost.cycles <= p->interval_cycles);
}

static void running_again_gives_the_same(void **state)
{
    (void)state;
    int64_t interval = p->interval_cycles, latency = p->latency_cycles, depth[16];
    assert_true(p->n_edges <= 16);
    for (int i = 0; i < p->n_edges; i++)
        depth[i] = p->edges[i].depth_words;
    assert_true(timing_size_fifos(p) && timing_confirm(p));
    assert_int_equal(p->interval_cycles, interval);
    assert_int_equal(p->latency_cycles, latency);
    for (int i = 0; i < p->n_edges; i++)
        assert_int_equal(p->edges[i].depth_words, depth[i]);
}

// A depthwise layer of `width` columns on an image of 12.
static void depthwise(int64_t width, int64_t stride)
{
    int64_t pad = width * stride == 12;
    qdq_setup();
    input(4, DIMS(1, 7, 12, 12), 0.05f, 0, I8);
    weights("w", 4, DIMS(7, 1, 3, 3), 1, 0, I8, false);
    model_node(m, "Conv", "x_d w", "y");
    model_int(m, "group", 7);
    model_ints(m, "pads", 4, DIMS(1, pad, 1, pad));
    model_ints(m, "strides", 2, DIMS(1, stride));
    qdq("y", 0.2f, 0, I8);
    schedule(60, 0);
    assert_int_equal(p->n_stages, 1);
    assert_int_equal(p->stages[0].geo.out_w, width);
}

static void packed_pixels_keep_their_cycles(void **state)
{
    (void)state;
    static const struct { int64_t width, stride; } shapes[] = { { 12, 1 }, { 6, 2 }, { 5, 2 } };
    const struct tech *const techs[] = { tech_find("xcup"), tech_find("xc7") };
    int packed = 0, in_turn = 0;
    for (int i = 0; i < 3; i++) {
        depthwise(shapes[i].width, shapes[i].stride);
        for (int64_t t = p->stages[0].cost.cycles; t < 8000; t = t * 9 / 8) {
            struct options list = { 0 };
            stage_options(p, &p->stages[0], techs[i % 2], t, &arena, &list);
            for (int o = 0; o < list.n; o++) {
                if (list.items[o].fold.pack == 1)
                    continue;
                schedule_apply(p, &list.items[o], techs[i % 2]);
                struct timing_result r = timing_run(p, &arena, 6);
                int64_t want = p->stages[0].cost.cycles;
                packed++;
                in_turn += cost_unpairs(&p->stages[0], &p->stages[0].fold);
                assert_false(r.deadlock);
                assert_in_range(r.interval_cycles, want - 8, want + max_i64(8, want / 100));
            }
        }
        qdq_teardown(NULL);
    }
    assert_true(packed > 50 && in_turn > 20);
}

// conv -> global average of many channels: while it requantizes a frame's results one by one, beats of the next arrive.
static int average(void **state)
{
    (void)state;
    qdq_setup();
    input(4, DIMS(1, 4, 3, 3), 0.05f, 0, I8);
    conv("x_d", "a", 4, 192, 1);
    model_node(m, "GlobalAveragePool", "a_d", "y");
    qdq("y", 0.3f, 0, I8);
    schedule(4, 100000000 / 6912); // 9 pixels x 192 channels x 4 products, one a cycle: no time to catch up
    return 0;
}

static void a_stage_that_waits_in_bursts_holds_up_nobody(void **state)
{
    (void)state;
    int64_t slowest = 0;
    int deep = 0;
    for (int i = 0; i < p->n_stages; i++)
        slowest = max_i64(slowest, p->stages[i].cost.cycles);
    assert_true(timing_run(p, &arena, 12).interval_cycles <= slowest + slowest / 512);
    for (int i = 0; i < p->n_edges; i++)
        if (p->edges[i].depth_words > 32) {
            assert_int_equal(p->stages[p->edges[i].consumer].kind, STAGE_GAP);
            p->edges[i].depth_words = 32;
            deep++;
        }
    assert_int_equal(deep, 1);
    assert_true(timing_run(p, &arena, 12).interval_cycles > slowest + slowest / 512);
}

int main(void)
{
#define RESIDUAL(f) cmocka_unit_test_setup_teardown(f, residual, qdq_teardown)
#define LINEAR(f) cmocka_unit_test_setup_teardown(f, linear, qdq_teardown)
    const struct CMUnitTest tests[] = {
        RESIDUAL(a_skip_of_one_word_deadlocks), RESIDUAL(the_sized_skip_keeps_the_interval),
        RESIDUAL(unbounded_edges_are_no_slower_than_sized_ones), RESIDUAL(the_skip_holds_what_the_rings_hold_back),
        RESIDUAL(the_sized_skip_takes_no_more_memory_than_it_must), RESIDUAL(running_again_gives_the_same),
        cmocka_unit_test(packed_pixels_keep_their_cycles),
        cmocka_unit_test_setup_teardown(a_stage_that_waits_in_bursts_holds_up_nobody, average, qdq_teardown),
        LINEAR(frames_overlap), LINEAR(every_stage_meets_its_predicted_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

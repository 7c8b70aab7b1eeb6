// SPDX-License-Identifier: Apache-2.0
// FIFO depths of random networks that branch and join: no deadlock at any pace, the promised rate, and no memory that
// could be smaller.
//
//     AIHLS_FIFO_GRAPHS  how many (300)
//     AIHLS_FIFO_SEED    the first one's seed (1); graph i has seed + i, so that any can be run alone
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/timing.h"
#include "tests/flow/ops_net.h"
#include "tests/support/tokens.h"

#define DEFAULT_GRAPHS 300
#define FRAMES 16
// Seeds that once found a depth too large or a promise too good.
static const uint64_t remembered[] = { 532, 548, 910, 3045, 3684, 4275 };

#define SETTLED_FRAMES 128 // enough for frames that catch up with one another to have done so

static const char *const board_names[] = { "ultra96", "pynq-z2", "ulx3s-85f", "icebreaker" };
#define BOARDS (int)(sizeof board_names / sizeof *board_names)
static struct board boards[BOARDS];
static struct arena board_arena;

// The first graph that breaks a property, and how many do.
struct breach {
    int64_t count;
    uint64_t seed;
    char text[200];
};

static struct {
    int64_t graphs, stages, kinds[STAGE_KIND_COUNT], fifos, into_joins, forks[5], several_outputs, several_inputs;
    int64_t could_be_smaller, stops, stops_at_some_pace, slows; // FIFOs beyond the least, and what less memory does to them
    struct breach progress, rate, pauses, tokens, tight, oracle;
    double size_s, slowest_size_s;
} seen;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : fallback;
}

static void note(struct breach *b, uint64_t seed, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void note(struct breach *b, uint64_t seed, const char *fmt, ...)
{
    va_list ap;
    if (b->count++)
        return;
    b->seed = seed;
    va_start(ap, fmt);
    vsnprintf(b->text, sizeof b->text, fmt, ap);
    va_end(ap);
}

static void expect_none(const struct breach *b)
{
    if (b->count)
        fail_msg("%lld breaches, the first with seed %llu: %s", (long long)b->count, (unsigned long long)b->seed, b->text);
}

// ---- one network ----

static void count_shapes(const struct pipeline *p)
{
    seen.graphs++;
    seen.stages += p->n_stages;
    seen.fifos += p->n_edges;
    seen.several_inputs += p->n_inputs > 1;
    seen.several_outputs += p->n_outputs > 1;
    for (int i = 0; i < p->n_stages; i++)
        seen.kinds[p->stages[i].kind]++;
    for (int i = 0; i < p->n_streams; i++)
        seen.forks[min_i64(4, stream_edge_count(p, i))]++;
    for (int i = 0; i < p->n_edges; i++)
        seen.into_joins += p->edges[i].consumer >= 0 && p->stages[p->edges[i].consumer].n_in > 1;
}

static void check_rate(const struct pipeline *p, struct arena *a, uint64_t seed)
{
    struct timing_result r = timing_run(p, a, FRAMES);
    int64_t promised = p->interval_cycles, slack = ops_slack(promised);
    if (r.deadlock) {
        note(&seen.progress, seed, "nothing moves any more");
        return;
    }
    if (r.interval_cycles < promised - slack)
        r = timing_run(p, a, SETTLED_FRAMES);
    if (r.interval_cycles < promised - slack || r.interval_cycles > promised + slack)
        note(&seen.rate, seed, "a frame every %lld cycles, promised %lld", (long long)r.interval_cycles, (long long)promised);
}

// The greatest depth that a smaller memory than e's has, or 0. The least is 32 words of LUT RAM, and where a board has
// none a block RAM.
static int64_t smaller_depth(const struct pipeline *p, const struct edge *e)
{
    int64_t bits = 8 * p->streams[e->stream].lanes, depth = e->depth_words;
    if (!e->block)
        return depth > 32 ? 32 : 0;
    int64_t blocks = cost_bram(p->board->tech, bits, depth, true);
    while (depth > 64 && cost_bram(p->board->tech, bits, depth, true) == blocks)
        depth--;
    return depth > 64 ? depth : cost_fifo_in_block(p->board->tech) ? 0 : 64;
}

static void check_less(struct pipeline *p, struct arena *a, struct edge *e, uint64_t seed)
{
    int64_t depth = e->depth_words, less = smaller_depth(p, e);
    if (!less)
        return;
    e->depth_words = less;
    struct timing_result r = timing_run(p, a, FRAMES / 2);
    bool pass = tokens_pass(p);
    e->depth_words = depth;
    seen.could_be_smaller++;
    if (r.deadlock)
        seen.stops++;
    else if (r.interval_cycles > p->interval_cycles)
        seen.slows++;
    else if (!pass)
        seen.stops_at_some_pace++;
    else
        note(&seen.tight, seed, "%lld words would do for edge %d of %lld", (long long)less, e->index, (long long)depth);
    if (pass && r.deadlock)
        note(&seen.oracle, seed, "tokens pass where the timing model stops: edge %d with %lld words", e->index, (long long)less);
}

static void check_network(uint64_t seed)
{
    struct arena a = { 0 };
    struct ops_case c;
    ops_net_make(&a, boards, BOARDS, seed, NET_ANY, "net", &c);
    struct pipeline *p = c.pipeline;
    double start = seconds();
    bool sized = timing_size_fifos(p) && timing_confirm(p);
    if (sized && seed % 2)
        timing_deepen(p);
    double spent = seconds() - start;
    seen.size_s += spent;
    seen.slowest_size_s = spent > seen.slowest_size_s ? spent : seen.slowest_size_s;
    count_shapes(p);
    if (!sized)
        note(&seen.progress, seed, "sizing finds no progress");
    else
        check_rate(p, &a, seed);
    for (uint64_t k = 0; k < 2; k++)
        if (timing_run_paused(p, &a, 4, 2 * seed + k).deadlock)
            note(&seen.pauses, seed, "nothing moves any more after pauses %llu", (unsigned long long)(2 * seed + k));
    if (!tokens_pass(p))
        note(&seen.tokens, seed, "a frame does not pass without registers");
    for (int i = 0; i < p->n_edges; i++)
        check_less(p, &a, &p->edges[i], seed);
    arena_release(&a);
}

static int check_networks(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &board_arena, &diag };
    uint64_t n = setting("AIHLS_FIFO_GRAPHS", DEFAULT_GRAPHS), seed = setting("AIHLS_FIFO_SEED", 1);
    for (int i = 0; i < BOARDS; i++)
        if (!board_read(&cx, board_names[i], &boards[i]))
            return -1;
    for (uint64_t i = 0; i < n; i++)
        check_network(seed + i);
    for (size_t i = 0; n >= DEFAULT_GRAPHS && i < sizeof remembered / sizeof *remembered; i++)
        if (remembered[i] < seed || remembered[i] >= seed + n)
            check_network(remembered[i]);
    printf("%lld networks, %lld stages, %lld FIFOs, %lld of them into joins; %lld beyond the least memory: with less %lld stop, %lld stop at "
           "some pace, %lld slow down; sized in %.1f ms on average, %.0f ms at most\n",
           (long long)seen.graphs, (long long)seen.stages, (long long)seen.fifos, (long long)seen.into_joins, (long long)seen.could_be_smaller,
           (long long)seen.stops, (long long)seen.stops_at_some_pace, (long long)seen.slows, 1e3 * seen.size_s / (double)seen.graphs, 1e3 * seen.slowest_size_s);
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_release(&board_arena);
    return 0;
}

// ---- what must hold for all ----

static void every_network_passes_its_frames(void **state)
{
    (void)state;
    expect_none(&seen.progress);
}

static void frames_come_at_the_promised_rate(void **state)
{
    (void)state;
    expect_none(&seen.rate);
}

static void no_pause_of_a_host_stops_one(void **state)
{
    (void)state;
    expect_none(&seen.pauses);
}

static void frames_pass_at_any_pace_whatever_registers_hold(void **state)
{
    (void)state;
    expect_none(&seen.tokens);
}

static void no_fifo_would_do_with_less_memory(void **state)
{
    (void)state;
    expect_none(&seen.tight);
}

static void what_passes_without_registers_passes_in_time(void **state)
{
    (void)state;
    expect_none(&seen.oracle);
}

static void the_networks_are_of_all_kinds(void **state)
{
    (void)state;
    if (seen.graphs < DEFAULT_GRAPHS)
        skip();
    static const enum stage_kind kinds[] = { STAGE_CONV, STAGE_DW, STAGE_GAP, STAGE_ADD, STAGE_MUL, STAGE_TABLE, STAGE_GATHER, STAGE_CONCAT };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (seen.kinds[kinds[i]] == 0)
            fail_msg("no %s among them", stage_kind_name(kinds[i]));
    for (int i = 1; i <= 4; i++)
        assert_true(seen.forks[i] > 0);
    assert_true(seen.several_inputs > 0 && seen.several_outputs > 0);
    assert_true(seen.could_be_smaller * 5 > seen.graphs); // or there is nothing to check
    assert_true(seen.stops > 0 && seen.slows > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_passes_its_frames), cmocka_unit_test(frames_come_at_the_promised_rate),
        cmocka_unit_test(no_pause_of_a_host_stops_one), cmocka_unit_test(frames_pass_at_any_pace_whatever_registers_hold),
        cmocka_unit_test(no_fifo_would_do_with_less_memory), cmocka_unit_test(what_passes_without_registers_passes_in_time),
        cmocka_unit_test(the_networks_are_of_all_kinds),
    };
    return cmocka_run_group_tests(tests, check_networks, release);
}

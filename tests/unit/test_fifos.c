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
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/timing.h"
#include "tests/flow/ops_net.h"
#include "tests/support/tokens.h"

#define DEFAULT_GRAPHS 300
#define FRAMES 8

static const char *const board_names[] = { "ultra96", "pynq-z2", "ulx3s-85f", "icebreaker" };
#define BOARDS (int)(sizeof board_names / sizeof *board_names)
static struct board boards[BOARDS];
static struct arena board_arena;

static struct tally {
    int64_t graphs, kinds[STAGE_KIND_COUNT], stages, edges, joins, beyond_least, loose, loose_words, slow, latency_changed;
    int64_t one_less_stops, one_less_slows;
    double make_s, size_s, run_s, less_s, tokens_s;
} tally;

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

// The greatest depth that a smaller memory than e's has, or 0.
static int64_t smaller_depth(const struct pipeline *p, const struct edge *e)
{
    const struct tech *tech = p->board->tech;
    int64_t bits = 8 * p->streams[e->stream].lanes, depth = e->depth_words;
    if (!e->block)
        return depth > 32 ? 32 : 0;
    int64_t blocks = cost_bram(tech, bits, depth, true);
    while (depth > 64 && cost_bram(tech, bits, depth, true) == blocks)
        depth--;
    return depth > 64 ? depth : cost_fifo_in_block(tech) ? 0 : 64;
}

static void check_graph(uint64_t seed)
{
    struct arena a = { 0 };
    struct ops_case c;
    double t0 = seconds();
    ops_net_make(&a, boards, BOARDS, seed, NET_ANY, "net", &c);
    struct pipeline *p = c.pipeline;
    double t1 = seconds();
    bool ok = timing_size_fifos(p) && timing_confirm(p);
    double t2 = seconds();
    if (!ok)
        fail_msg("seed %llu: sizing fails", (unsigned long long)seed);
    struct timing_result r = timing_run(p, &a, FRAMES);
    int64_t slowest = 1;
    for (int i = 0; i < p->n_stages; i++)
        slowest = max_i64(slowest, p->stages[i].cost.cycles);
    if (r.deadlock)
        fail_msg("seed %llu: deadlock", (unsigned long long)seed);
    if (llabs(r.interval_cycles - p->interval_cycles) > ops_slack(p->interval_cycles))
        printf("seed %llu: interval %lld of %d frames, %lld predicted, slowest %lld\n", (unsigned long long)seed, (long long)r.interval_cycles, FRAMES, (long long)p->interval_cycles, (long long)slowest), tally.slow++;
    if (p->interval_cycles > slowest + ops_slack(slowest))
        printf("seed %llu: promised %lld, slowest stage %lld\n", (unsigned long long)seed, (long long)p->interval_cycles, (long long)slowest);
    for (uint64_t k = 0; k < 2; k++)
        if (timing_run_paused(p, &a, 4, seed + k).deadlock)
            fail_msg("seed %llu: deadlock with pauses", (unsigned long long)seed);
    double t3 = seconds();
    if (!tokens_pass(p))
        printf("seed %llu: tokens do not pass\n", (unsigned long long)seed);
    double t4 = seconds();
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        int64_t less = smaller_depth(p, e), depth = e->depth_words;
        tally.joins += e->consumer >= 0 && p->stages[e->consumer].n_in > 1;
        if (!less)
            continue;
        tally.beyond_least++;
        e->depth_words = less;
        struct timing_result s = timing_run(p, &a, 4);
        e->depth_words = depth;
        tally.one_less_stops += s.deadlock;
        tally.one_less_slows += !s.deadlock && s.interval_cycles > p->interval_cycles;
        if (!s.deadlock && s.interval_cycles <= p->interval_cycles) {
            tally.loose++;
            if (getenv("VERBOSE"))
                printf("seed %llu: edge %d of %lld words would do with %lld (peak %lld) lat %lld %lld\n", (unsigned long long)seed, i, (long long)depth, (long long)less,
                   (long long)r.edge_peak_words[i], (long long)s.latency_cycles, (long long)p->latency_cycles);
        }
    }
    double t5 = seconds();
    tally.make_s += t1 - t0, tally.size_s += t2 - t1, tally.run_s += t3 - t2, tally.tokens_s += t4 - t3, tally.less_s += t5 - t4;
    tally.graphs++;
    tally.stages += p->n_stages;
    tally.edges += p->n_edges;
    for (int i = 0; i < p->n_stages; i++)
        tally.kinds[p->stages[i].kind]++;
    arena_release(&a);
}

static void depths_of_random_networks(void **state)
{
    (void)state;
    uint64_t n = setting("AIHLS_FIFO_GRAPHS", DEFAULT_GRAPHS), seed = setting("AIHLS_FIFO_SEED", 1);
    for (uint64_t i = 0; i < n; i++)
        check_graph(seed + i);
    printf("%lld graphs, %lld stages, %lld edges, %lld into joins, %lld beyond least, %lld loose, stops %lld slows %lld\n", (long long)tally.graphs, (long long)tally.stages, (long long)tally.edges,
           (long long)tally.joins, (long long)tally.beyond_least, (long long)tally.loose, (long long)tally.one_less_stops, (long long)tally.one_less_slows);
    for (int i = 0; i < STAGE_KIND_COUNT; i++)
        printf("%s %lld ", stage_kind_name((enum stage_kind)i), (long long)tally.kinds[i]);
    printf("\nmake %.2f size %.2f run %.2f tokens %.2f less %.2f s, interval off %lld\n", tally.make_s, tally.size_s, tally.run_s, tally.tokens_s, tally.less_s, (long long)tally.slow);
}

int main(void)
{
    struct diag diag = { .out = stderr };
    struct ctx cx = { &board_arena, &diag };
    for (int i = 0; i < BOARDS; i++)
        if (!board_read(&cx, board_names[i], &boards[i]))
            return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(depths_of_random_networks) };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&board_arena);
    return failed;
}

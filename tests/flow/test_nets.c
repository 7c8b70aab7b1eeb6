// SPDX-License-Identifier: Apache-2.0
// Networks that branch and join in Verilog: a U-Net, an inception block, a YOLO neck, a DenseNet block and random ones, with
// the FIFO depths that the analysis gives. With stalls at every FIFO and port and without: every element of every output
// as the reference has it, and the predicted cycles. All share one Verilator program.
//
//     AIHLS_NETS_CASES   how many random ones (6)
//     AIHLS_NETS_SEED    the first one's seed (1)
//     AIHLS_NETS_DIR     where to build (build/nets)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "dataflow/timing.h"
#include "hls/bind.h"
#include "tests/flow/ops_bench.h"
#include "tests/flow/ops_net.h"

#define DEFAULT_CASES 6
#define STARVED_SEED 1

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : fallback;
}

static void check_case(void **state)
{
    const struct ops_case *c = *state;
    struct strbuf wrong = STRBUF_INIT;
    ops_case_check(c, &wrong);
    if (wrong.len)
        fail_msg("%s", wrong.text);
}

// Takes from one FIFO all but the least memory, such that the timing model stops. False: there is no such FIFO.
static bool starve(struct ops_case *c, struct arena *a)
{
    struct pipeline *p = c->pipeline;
    for (int i = 0; i < p->n_edges; i++) {
        struct edge kept = p->edges[i];
        p->edges[i].depth_words = 32;
        p->edges[i].block = false;
        if (kept.depth_words > 32 && timing_run(p, a, OPS_FRAMES).deadlock) {
            c->netlist = bind_pipeline(p, a);
            return true;
        }
        p->edges[i] = kept;
    }
    return false;
}

// What is too little for the model is too little for the Verilog: it stops, with nothing wrong until then.
static void check_starved(void **state)
{
    const struct ops_case *c = *state;
    for (int run = 0; run < OPS_RUNS; run++) {
        assert_true(c->result[run].seen && c->result[run].mismatches == 0);
        assert_false(c->result[run].finished);
    }
}

// How far the prediction was off where it was furthest.
static void print_cycles(const struct ops_case *cases, int n)
{
    int worst = 0, exact = 0;
    double most = -1;
    for (int i = 0; i < n; i++) {
        const int64_t *end = cases[i].result[OPS_RUN_FREE].frame_end;
        int64_t measured = (end[OPS_FRAMES - 1] - end[OPS_FRAMES - 1 - OPS_FRAMES / 2]) / (OPS_FRAMES / 2), predicted = cases[i].interval_cycles;
        double off = (double)llabs(measured - predicted) / (double)predicted;
        exact += measured == predicted;
        if (off > most) {
            most = off;
            worst = i;
        }
    }
    const int64_t *end = cases[worst].result[OPS_RUN_FREE].frame_end;
    printf("%d networks: cycles per frame as predicted in %d; furthest off: %lld, predicted %lld, seed %llu\n", n, exact,
           (long long)(end[OPS_FRAMES - 1] - end[OPS_FRAMES - 2]), (long long)cases[worst].interval_cycles, (unsigned long long)cases[worst].seed);
    fflush(stdout);
}

int main(void)
{
    int n = NET_KINDS + (int)setting("AIHLS_NETS_CASES", DEFAULT_CASES);
    uint64_t seed = setting("AIHLS_NETS_SEED", 1);
    const char *dir = getenv("AIHLS_NETS_DIR");
    static const char *const board_names[] = { "ultra96", "pynq-z2" };
    struct board boards[2];
    struct arena a = { 0 };
    struct diag diag = { .out = stderr };
    struct ctx cx = { &a, &diag };
    ASSERT(n >= NET_KINDS && n < 1000);
    for (int i = 0; i < 2; i++)
        if (!board_read(&cx, board_names[i], &boards[i]))
            return 1;
    struct ops_case *cases = arena_array(&a, struct ops_case, n + 1);
    struct CMUnitTest *tests = arena_array(&a, struct CMUnitTest, n + 1);
    for (int i = 0; i < n; i++) {
        enum ops_net kind = i < NET_KINDS ? (enum ops_net)i : NET_ANY;
        struct random r = { seed + (uint64_t)i };
        ops_net_make(&a, boards, 2, r.state, kind, arena_printf(&a, "n%03d", i), &cases[i]);
        cases[i].broken = ops_case_finish(&a, &r, &cases[i], &cx, false);
        tests[i] = (struct CMUnitTest){ .name = arena_printf(&a, "%s, seed %llu: %d stages, %d FIFOs", ops_net_name(kind), (unsigned long long)cases[i].seed,
                                                             cases[i].pipeline->n_stages, cases[i].pipeline->n_edges),
                                        .test_func = check_case, .initial_state = &cases[i] };
    }
    struct ops_case *starved = &cases[n];
    struct random r = { STARVED_SEED };
    ops_net_make(&a, boards, 2, STARVED_SEED, NET_UNET, "starved", starved);
    starved->broken = ops_case_finish(&a, &r, starved, &cx, false);
    ASSERT(starve(starved, &a));
    tests[n] = (struct CMUnitTest){ .name = "a U-Net with too little room on a skip stops", .test_func = check_starved, .initial_state = starved };
    bool ran = ops_bench(cases, n + 1, seed, dir ? dir : "build/nets");
    if (ran)
        print_cycles(cases, n);
    int failed = ran ? _cmocka_run_group_tests("networks that branch", tests, (size_t)n + 1, NULL, NULL) : 1;
    arena_release(&a);
    return failed != 0;
}

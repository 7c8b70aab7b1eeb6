// SPDX-License-Identifier: Apache-2.0
// The operator matrix: random small networks of one or two operators with random folds, in Verilog against the integer
// reference, element by element, and in cycles against the timing model. Many cases share a Verilator program.
//
//     AIHLS_OPS_CASES   how many (160)
//     AIHLS_OPS_SEED    the first one's seed (1); case i has seed + i, so that any case can be run alone
//     AIHLS_OPS_SERIAL  1: all in one multiplier each
//     AIHLS_OPS_RELOAD  1: all with weights that come behind a reset
//     AIHLS_OPS_DIR     where to build (build/ops)
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
#include "tests/flow/ops_bench.h"

#define DEFAULT_CASES 160
#define SERIAL_CASES 60 // behind those: as many in one multiplier each
#define RELOAD_CASES 30 // and as many with weights that come behind a reset
#define OPEN_CASES 24 // behind those from seed 1 on, for a board whose weights wait a cycle and whose large ROMs are cut
// Seeds that once found something, run behind those from 1 on: an integer input without a scale; in the timing model, parts
// of a beat that the widener took two at a time, registers that went on in front of a full FIFO (9363 to 11659) or, where a
// stream forks, in front of the others, and those of a requantizer counted twice in front of a pair's queues; a constant
// along another axis than the stream's channels.
static const uint64_t found[] = { 630, 749, 9363, 10816, 11659, 12173, 14846, 15747 };

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : fallback;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check_case(void **state)
{
    const struct ops_case *c = *state;
    struct strbuf wrong = STRBUF_INIT;
    ops_case_check(c, &wrong);
    if (wrong.len)
        fail_msg("%s", wrong.text);
}

// Latency has no bound to keep; its worst error is printed.
static void print_latency(const struct ops_case *cases, int n)
{
    int worst = -1;
    double most = -1, sum = 0;
    int counted = 0;
    for (int i = 0; i < n; i++) {
        const struct ops_result *r = &cases[i].result[OPS_RUN_FREE];
        if (cases[i].broken || !r->finished || cases[i].pipeline->reloadable) // with what comes in front of the first frame
            continue;
        double off = (double)(r->frame_end[0] - cases[i].pipeline->latency_cycles) / (double)cases[i].pipeline->latency_cycles;
        off = off < 0 ? -off : off;
        sum += off;
        counted++;
        if (off > most) {
            most = off;
            worst = i;
        }
    }
    if (counted)
        printf("latency: %.1f %% off on average, worst seed %llu, %lld cycles, predicted %lld\n", 100 * sum / counted,
               (unsigned long long)cases[worst].seed, (long long)cases[worst].result[OPS_RUN_FREE].frame_end[0],
               (long long)cases[worst].pipeline->latency_cycles);
}

int main(void)
{
    int n = (int)setting("AIHLS_OPS_CASES", DEFAULT_CASES);
    uint64_t seed = setting("AIHLS_OPS_SEED", 1);
    const struct ops_how how = { setting("AIHLS_OPS_SERIAL", 0) != 0, setting("AIHLS_OPS_RELOAD", 0) != 0 }, plain = { 0 }, serial = { .serial = true }, reload = { .reloadable = true };
    const char *dir = getenv("AIHLS_OPS_DIR");
    static const char *const board_names[] = { "ultra96", "pynq-z2", "ulx3s-85f" };
    struct board boards[3];
    struct arena a = { 0 };
    struct diag diag = { .out = stderr };
    struct ctx cx = { &a, &diag };
    double start = seconds();
    ASSERT(n > 0 && n < 10000);
    int first = n, n_found = (int)(sizeof found / sizeof *found);
    if (seed == 1)
        n += n_found + OPEN_CASES + SERIAL_CASES + RELOAD_CASES;
    for (int i = 0; i < 3; i++)
        if (!board_read(&cx, board_names[i], &boards[i]))
            return 1;
    struct ops_case *cases = arena_array(&a, struct ops_case, n);
    for (int i = 0; i < n; i++)
        if (i < first + n_found)
            ops_case_make(&a, boards, 2, i < first ? seed + (uint64_t)i : found[i - first], how, arena_printf(&a, "c%03d", i), &cases[i]);
        else if (i < first + n_found + OPEN_CASES)
            ops_case_make(&a, &boards[2], 1, (uint64_t)(i - first - n_found + 1), plain, arena_printf(&a, "c%03d", i), &cases[i]);
        else if (i < n - RELOAD_CASES)
            ops_case_make(&a, boards, 3, (uint64_t)(i - first - n_found - OPEN_CASES + 1), serial, arena_printf(&a, "c%03d", i), &cases[i]);
        else
            ops_case_make(&a, boards, 3, (uint64_t)(n - i), reload, arena_printf(&a, "c%03d", i), &cases[i]);
    double made = seconds();
    bool ran = ops_bench(cases, n, seed, dir ? dir : "build/ops");
    printf("%d cases: made in %.1f s, built and simulated in %.1f s\n", n, made - start, seconds() - made);
    print_latency(cases, n);
    fflush(stdout);
    if (!ran)
        return 1;
    struct CMUnitTest *tests = arena_array(&a, struct CMUnitTest, n);
    for (int i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = arena_printf(&a, "%llu: %s", (unsigned long long)cases[i].seed, cases[i].text),
                                        .test_func = check_case, .initial_state = &cases[i] };
    int failed = _cmocka_run_group_tests("operator matrix", tests, (size_t)n, NULL, NULL);
    arena_release(&a);
    return failed != 0;
}

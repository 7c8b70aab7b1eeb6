// SPDX-License-Identifier: Apache-2.0
// Runs the fuzz targets (tests/fuzz/fuzz.h) without a fuzzer: on the seeds, on beginnings of them, and on small changes.
// A target that is not content ends the process; the last word on standard output names the seed.
//
//     AIHLS_FUZZ_CHANGES   how many changes of each seed (100)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"

#define ROOM 8192

static uint64_t random_state;

static size_t below(size_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return (size_t)(random_state >> 33) % n;
}

static void run_as_it_is(const struct fuzz_target *t, const uint8_t *seed, size_t n)
{
    t->run(seed, n);
}

static void run_cut(const struct fuzz_target *t, const uint8_t *seed, size_t n)
{
    for (size_t length = 0; length < n; length += 1 + n / 16)
        t->run(seed, length);
}

// One to four bytes become others.
static void run_changed(const struct fuzz_target *t, const uint8_t *seed, size_t n)
{
    const char *changes = getenv("AIHLS_FUZZ_CHANGES");
    for (int i = changes ? atoi(changes) : 100; i > 0; i--) {
        uint8_t bytes[ROOM];
        memcpy(bytes, seed, n);
        for (size_t k = 1 + below(4); k > 0; k--)
            bytes[below(n)] = (uint8_t)(below(2) ? below(256) : below(4) * 85);
        t->run(bytes, n);
    }
}

// Changes that keep the format, up to six on top of each other: most of them end in a refusal sooner or later.
static void run_mutated(const struct fuzz_target *t, const uint8_t *seed, size_t n)
{
    const char *changes = getenv("AIHLS_FUZZ_CHANGES");
    uint8_t bytes[ROOM];
    size_t length = 0;
    for (int i = 0, most = changes ? atoi(changes) : 100; i < most; i++) {
        if (i % 6 == 0) {
            memcpy(bytes, seed, n);
            length = n;
        }
        length = fuzz_mutate_onnx(bytes, length, ROOM, (unsigned)below(1 << 30));
        assert_true(length > 0);
        t->run(bytes, length);
    }
}

static struct row {
    const char *name, *target;
    void (*run)(const struct fuzz_target *t, const uint8_t *seed, size_t n);
} rows[] = {
    { "ONNX seeds", "onnx", run_as_it_is },
    { "ONNX seeds cut short", "onnx", run_cut },
    { "ONNX seeds with changed bytes", "onnx", run_changed },
    { "ONNX seeds with changed fields", "onnx", run_mutated },
    { "board seeds", "board", run_as_it_is },
    { "board seeds cut short", "board", run_cut },
    { "board seeds with changed bytes", "board", run_changed },
    { "npy seeds", "npy", run_as_it_is },
    { "npy seeds cut short", "npy", run_cut },
    { "npy seeds with changed bytes", "npy", run_changed },
    { "npz seeds", "npz", run_as_it_is },
    { "npz seeds cut short", "npz", run_cut },
    { "npz seeds with changed bytes", "npz", run_changed },
};

static const struct fuzz_target *target;
static int seeds_run;

static void take(void *user, const char *name, const void *bytes, size_t n)
{
    const struct row *r = user;
    ASSERT(n > 0 && n <= ROOM);
    printf(" %s", name);
    fflush(stdout);
    r->run(target, bytes, n);
    seeds_run++;
}

static void check_row(void **state)
{
    struct row *r = *state;
    random_state = 1;
    seeds_run = 0;
    for (int i = 0; i < fuzz_target_count; i++)
        if (strcmp(fuzz_targets[i].name, r->target) == 0)
            target = &fuzz_targets[i];
    target->seeds(take, r);
    printf("\n");
    assert_true(seeds_run >= 5);
}

int main(void)
{
    enum { N = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[N];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

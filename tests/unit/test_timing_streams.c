// SPDX-License-Identifier: Apache-2.0
// The streams of the timing model against registers that are moved one by one: what aihls_requant's enable, aihls_fork and
// aihls_fifo do in each cycle. Stages take and give at random and otherwise sleep until the model wakes them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataflow/timing_streams.h"
#include "tests/flow/ops_graph.h"

#define MAX_LATENCY 12
#define MAX_EDGES 3
#define MAX_DEPTH 9
#define CYCLES 2000

struct registers {
    int latency, n_edges, depth[MAX_EDGES];
    bool slot[MAX_LATENCY + 1]; // [latency] is the end
    bool served[MAX_EDGES];
    int in_fifo[MAX_EDGES], at_start[MAX_EDGES]; // beats, and those when the cycle began
    int64_t out[MAX_EDGES][CYCLES];              // when each beat comes out
    int entered[MAX_EDGES], taken[MAX_EDGES];
};

static bool moves(const struct registers *r)
{
    bool all = true;
    for (int i = 0; i < r->n_edges; i++)
        all &= r->served[i] || r->at_start[i] < r->depth[i];
    return !r->slot[r->latency] || all;
}

static bool comes_out(const struct registers *r, int i, int64_t now)
{
    return r->taken[i] < r->entered[i] && r->out[i][r->taken[i]] <= now;
}

static void clock_edge(struct registers *r, bool pushed, int64_t now)
{
    bool move = moves(r);
    for (int i = 0; i < r->n_edges; i++) {
        if (r->slot[r->latency] && !r->served[i] && r->at_start[i] < r->depth[i]) {
            r->out[i][r->entered[i]++] = now + FIFO_LATENCY;
            r->in_fifo[i]++;
            r->served[i] = true;
        }
        r->served[i] &= !move;
        r->at_start[i] = r->in_fifo[i];
    }
    for (int k = r->latency; move && k > 1; k--)
        r->slot[k] = r->slot[k - 1];
    if (move)
        r->slot[1] = pushed;
}

struct pair {
    struct streams model;
    struct registers rtl;
    int64_t reader[MAX_EDGES], writer; // when they wake, as the model says
    int64_t stood;
};

static void make_pair(struct pair *x, struct arena *a, struct random *r)
{
    struct pipeline *p = arena_array(a, struct pipeline, 1);
    p->streams = arena_array(a, struct stream, 1);
    p->streams[0].c = p->streams[0].lanes = 1;
    p->n_streams = 1;
    p->edges = arena_array(a, struct edge, MAX_EDGES);
    p->n_edges = x->rtl.n_edges = (int)random_range(r, 1, MAX_EDGES);
    x->rtl.latency = (int)random_range(r, 1, MAX_LATENCY);
    for (int i = 0; i < p->n_edges; i++) {
        p->edges[i].lanes = 1;
        p->edges[i].depth_words = x->rtl.depth[i] = (int)random_range(r, 1, MAX_DEPTH);
    }
    timing_streams_init(&x->model, p, a);
    for (int i = 0; i < p->n_edges; i++) {
        x->model.fifo[i].limit = INT64_MAX;
        x->model.fifo[i].reader = &x->reader[i];
        x->model.fifo[i].writer = &x->writer;
    }
}

// A reader that is willing: whether it takes a beat is the model's word.
static void read_edge(struct pair *x, int i, int64_t now)
{
    bool there = comes_out(&x->rtl, i, now);
    if (x->reader[i] > now) {
        assert_false(there); // asleep, and would miss it
        return;
    }
    assert_int_equal(timing_can_pop(&x->model, i), there);
    if (!there) {
        x->reader[i] = timing_next_beat(&x->model, i);
        assert_true(x->reader[i] > now);
        return;
    }
    timing_pop(&x->model, i);
    x->rtl.taken[i]++;
    x->rtl.in_fifo[i]--;
}

static bool write_stream(struct pair *x, int64_t now)
{
    bool room = moves(&x->rtl);
    if (x->writer > now) {
        assert_false(room);
        return false;
    }
    assert_int_equal(timing_can_push(&x->model, 0), room);
    if (!room) {
        x->writer = timing_next_room(&x->model, 0);
        assert_true(x->writer > now);
        return false;
    }
    assert_int_equal(x->model.line[0].stood, x->stood);
    timing_push(&x->model, 0, x->rtl.latency);
    return true;
}

// Each side works or rests for a while, so that all states come about.
static void run_pair(uint64_t number)
{
    struct arena a = { 0 };
    struct pair *x = arena_array(&a, struct pair, 1);
    bool works[MAX_EDGES + 1] = { false };
    struct random r = { number };
    make_pair(x, &a, &r);
    int64_t pause = random_range(&r, 1, 40);
    for (int64_t now = 0; now < CYCLES; now++) {
        x->model.now = now;
        for (int i = 0; i <= x->rtl.n_edges; i++)
            works[i] ^= random_range(&r, 1, pause) == 1;
        for (int i = 0; i < x->rtl.n_edges; i++)
            if (works[i])
                read_edge(x, i, now);
        bool stands = !moves(&x->rtl), pushed = works[x->rtl.n_edges] && write_stream(x, now);
        x->stood += stands;
        clock_edge(&x->rtl, pushed, now);
    }
    arena_release(&a);
}

static void streams_move_as_registers_do(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 2000; number++)
        run_pair(number);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(streams_move_as_registers_do) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

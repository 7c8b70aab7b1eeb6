// SPDX-License-Identifier: Apache-2.0
// ops_case: one case of the operator matrix: a random graph, lowered, with a random fold.
#ifndef AIHLS_OPS_CASE_H
#define AIHLS_OPS_CASE_H

#include "base/diag.h"
#include "base/strbuf.h"
#include "dataflow/pipeline.h"
#include "hls/netlist.h"
#include "tests/flow/ops_graph.h"

#define OPS_FRAMES 4
#define OPS_MAX_LANES 8 // 64 bits of data a port
#define OPS_MAX_EDGES 32 // a stall bit each

enum ops_run { OPS_RUN_STALLS, OPS_RUN_FREE, OPS_RUN_AGAIN, OPS_RUNS };
const char *ops_run_name(int run);

// What the simulation of one run says.
struct ops_result {
    bool seen;      // the bench got to it
    bool finished;  // all frames came out
    int64_t mismatches;
    int output;
    int64_t frame, element; // of the first, in that output's stream; element -1: a lane that holds none is not 0
    int have, want;
    int64_t frame_end[OPS_FRAMES];
};

struct ops_case {
    uint64_t seed;    // remakes the case
    const char *name; // "c017": prefix of its module and images
    const char *text; // for people
    const char *broken; // why there is nothing to simulate, or NULL
    const char *wrong;  // what is wrong before the simulation, or NULL
    struct graph *graph;
    struct pipeline *pipeline;
    int64_t interval_cycles; // a frame: mean of the second half of OPS_FRAMES, as the timing model has it
    struct netlist *netlist;
    int8_t **streams[OPS_FRAMES]; // what each stream carries
    struct ops_result result[OPS_RUNS];
};

// Cycles that two intervals may differ by: 1 %, or 8 where a frame is too small for that to mean anything.
int64_t ops_slack(int64_t interval);

// Gives every stage of p (which has a board) a random fold that the bench can take; false: there is none.
bool ops_case_fold(struct pipeline *p, struct random *r);
// From folds to a core and what it must give: FIFO depths, text, streams, netlist; with `exact`, a network that rounds
// once is also held against the float reference. Returns why the case cannot be simulated, or NULL.
const char *ops_case_finish(struct arena *a, struct random *r, struct ops_case *c, const struct ctx *cx, bool exact);

struct ops_how {
    bool serial;     // in one multiplier (dataflow/serial.h)
    bool reloadable; // weights come behind each reset (dataflow/reload.h)
};

// Makes case `seed` under `name` for one of n_boards boards. Retries inside until
// the core is small enough to simulate among many; everything lives in the arena.
void ops_case_make(struct arena *a, const struct board *boards, int n_boards, uint64_t seed, struct ops_how how, const char *name, struct ops_case *out);

// Appends "seed 17: …": the first thing that is wrong with a case that the bench has run. Nothing when all is right: every
// element of every run, and the cycles a frame in the second half of the run without pauses as predicted.
void ops_case_check(const struct ops_case *c, struct strbuf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
// schedule: chooses the fold of every stage. Exact: see docs/30-dataflow.md.
#ifndef AIHLS_SCHEDULE_H
#define AIHLS_SCHEDULE_H

#include "base/strbuf.h"
#include "dataflow/pipeline.h"
#include "dataflow/schedule_options.h"

struct schedule_goal {
    int64_t fps;            // frames/s to reach with the least resources; 0: as many as fit
    int64_t max_latency_us; // 0: any
    int64_t max_dsp;        // -1: all of the board's
    int64_t clock_hz;       // 0: the board's
    bool serial;            // one multiplier for all stages (dataflow/serial.h); fps and max_latency_us do not matter
    bool reloadable;        // weights may be replaced (dataflow/reload.h): the pipeline is to be widened before the schedule
};

// Share of the board's LUTs that a schedule may use: the rest is for the system around the pipeline and for
// routing, which fails long before every LUT is taken.
#define SCHEDULE_LUT_PERCENT 70
int64_t schedule_lut_budget(const struct board *b);
// Appends "9 DSP (1 too many)", behind a comma where it is not the first, when `need` is more than `have`.
void schedule_add_shortage(struct strbuf *out, int64_t need, int64_t have, const char *what);

// does      finds the least interval (cycles per frame) for which every stage has a fold and all fit the board,
//           then the folds of least resources at that interval; sizes the FIFOs (timing_size_fifos), and
//           solves again with a smaller budget when they do not fit
// requires  lower_graph
// provides  folds, costs, lanes of streams and edges, FIFO depths, predicted interval and latency
// cost      milliseconds to a second
// No fit is E302: what is short and by how much.
bool schedule_solve(const struct ctx *cx, struct pipeline *p, const struct board *b, const struct schedule_goal *goal);

// Gives each stage the fold chosen[stage], whatever chose it, and sets what follows: costs, lanes of streams and
// edges. A stream's lanes must come out as a multiple of its readers'.
void schedule_apply(struct pipeline *p, const struct option *chosen, const struct tech *tech);

#endif

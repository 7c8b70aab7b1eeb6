// SPDX-License-Identifier: Apache-2.0
// choose: one option of each stage, within budgets. Exact: see docs/30-dataflow.md.
#ifndef AIHLS_CHOOSE_H
#define AIHLS_CHOOSE_H

#include "dataflow/schedule_options.h"

#define RESOURCES 3 // DSP, block RAM, LUT

struct choose {
    int n; // stages
    const struct options *front; // of each stage, at least one option
    const int *twin;             // of each stage: the first with the same options
    double budget[RESOURCES];
    int *chosen;   // result: of each stage, its option
    bool proven;   // result: false where nothing that fits was found and something may fit
    int64_t nodes; // result: states looked at
};

// Whether some choice fits, and which; with `least`, one of the least sum of shares of the budgets (the search for it
// may end at a good one). Memory for the work in `a`.
bool choose_options(struct choose *c, bool least, struct arena *a);

#endif

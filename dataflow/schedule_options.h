// SPDX-License-Identifier: Apache-2.0
// schedule_options: every fold of a stage that keeps an interval, down to the Pareto front.
#ifndef AIHLS_SCHEDULE_OPTIONS_H
#define AIHLS_SCHEDULE_OPTIONS_H

#include "dataflow/pipeline.h"

struct option {
    struct fold fold;
    struct cost cost;
};

struct options {
    struct option *items; // no option is at least as dear as another in all of dsp, bram18, lut
    int n, cap;
};

// What the options of a stage depend on besides the interval: stages of equal keys have equal options. A gather's maps
// are not looked at: no other stage has its key.
struct options_key {
    int64_t of[33];
};

struct options_key stage_options_key(const struct pipeline *p, const struct stage *s, const struct tech *tech);

// All options of stage s that take at most `interval` cycles a frame; n = 0 when there is none.
void stage_options(const struct pipeline *p, const struct stage *s, const struct tech *tech, int64_t interval,
                   struct arena *a, struct options *out);

#endif

// SPDX-License-Identifier: Apache-2.0
// accuracy: frames through the references, in parallel, and top-1 of float and integers.
#ifndef AIHLS_ACCURACY_H
#define AIHLS_ACCURACY_H

#include "hls/design.h"

// ---- frames ----

// Both give one array for each output of d->source.
bool frames_run_float(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results);
bool frames_run_integer(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results);

// Calls visit for every frame of a batch for g, frames in parallel; each call has a context and an arena of its own, which
// dies with it. Stops early when a call returns false, and reports what the first of those reported.
typedef bool frame_visit(const struct ctx *cx, void *user, int64_t i, const struct array *frame);
bool frames_each(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch, frame_visit *visit, void *user);

// ---- top-1 ----

struct accuracy_data {
    const char *file;
    struct array *x, y; // frames, labels
    bool labelled;
    int scores;         // the output that is looked at
    int64_t *float_top; // a frame: the float model's answer
    void (*progress)(int64_t done, int64_t total); // or NULL
};

struct accuracy {
    int64_t frames, right_float, right_int; // right: 0 without labels
    int64_t agree;                          // integer and float have the same answer
};

// Reads frames for g and labels y. Labels may be missing unless needs_labels. `scores`: the name of the output that they are for,
// or NULL: the one that fits. E104, E204 or E401 with what is wrong.
bool accuracy_open(const struct ctx *cx, const struct graph *g, const char *file, const char *scores, bool needs_labels, struct accuracy_data *out);
// The float model's answers; once, before accuracy_measure.
bool accuracy_float(const struct ctx *cx, const struct design *d, struct accuracy_data *data);
// The integers' answers. requires  d->pipeline, accuracy_float
bool accuracy_measure(const struct ctx *cx, const struct design *d, struct accuracy_data *data, struct accuracy *out);

#endif

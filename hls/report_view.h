// SPDX-License-Identifier: Apache-2.0
// report_view: report.json as structs, for the two that show it. Names are as in the model: anything may be in them.
// What a report lacks is 0, "" or UNKNOWN: older ones, and those before `aihls sim`, have less.
#ifndef AIHLS_REPORT_VIEW_H
#define AIHLS_REPORT_VIEW_H

#include <jansson.h>

#include "base/arena.h"
#include "base/strbuf.h"

#define UNKNOWN (-1) // where a number of cycles, a stage or a stream is missing
#define HOST (-1)    // as a stage

struct view_stage {
    const char *name, *kind, *nodes; // nodes: "conv1, relu1"
    const json_t *json;
    int64_t macs, products; // per frame, per cycle
    int64_t predicted;      // cycles per frame
    int64_t busy, waiting, blocked; // simulated, or UNKNOWN
    int64_t dsp, bram, lut, ff;
    int out; // stream
};

struct view_stream {
    const char *name, *tensor;
    const json_t *json;
    const char *shape; // "32 x 32 x 16"
    int from;          // stage or HOST
    const char *port;  // of the host
    int64_t lanes, beats;
    int64_t first, last, blocked; // simulated, or UNKNOWN
    bool compared;                // with real numbers
    bool exact;                   // and equal to them, or all zero: no decibels
    double sqnr_db, error_steps;
};

struct view_edge {
    int stream, to; // stage or HOST
    const char *port;
    int64_t fifo_words, lanes;
    bool block;
};

struct view {
    double runs; // of the hardware for a frame of the model, at least 1
    const json_t *report;
    struct arena *arena;
    struct view_stage *stages;
    int n_stages;
    struct view_stream *streams;
    int n_streams;
    struct view_edge *edges; // in the order of streams
    int n_edges, cap_edges;
    bool simulated; // with a number of cycles per frame
    int64_t predicted_cycles, simulated_cycles, clock_hz;
};

struct view view_make(const json_t *report, struct arena *a);

// Members of an object along a path of keys: "board.dsp". 0 or "" when they are missing or of another type.
const json_t *view_get(const json_t *o, const char *path);
int64_t view_int(const json_t *o, const char *path);
double view_real(const json_t *o, const char *path); // finite
const char *view_text(const json_t *o, const char *path);

// "12,288"
const char *view_count(struct arena *a, int64_t n);
// part / whole in percent, 0 where that means nothing.
double view_percent(double part, double whole);

#endif

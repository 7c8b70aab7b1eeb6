// SPDX-License-Identifier: Apache-2.0
// serial: a pipeline computed stage after stage by one multiplier (aihls_serial), for parts that a unit for each stage does
// not fit: the program, and what it costs. docs/51-serial.md.
#ifndef AIHLS_SERIAL_H
#define AIHLS_SERIAL_H

#include "dataflow/pipeline.h"
#include "dataflow/schedule.h"

#define SERIAL_LOOPS 7

// The parameters of an aihls_serial and its two memories.
struct serial {
    const uint8_t *code; // records, parameters and weights in the order of use
    int64_t n_code;
    int64_t bytes; // of activations
    int addr_bits, code_bits, count_bits, pos_bits, index_bits, sum_bits, mult_bits, shift_bits;
    int record_bytes, param_bytes;
    bool use_dsp;
    bool huge;      // activations are in the family's large blocks
    bool loaded;    // the code comes through a port of its own behind every reset
    bool code_huge; // into large blocks
};

// Says of every stage of p that aihls_serial does not compute what it is (E305 each). True when there is none.
bool serial_possible(const struct ctx *cx, const struct pipeline *p);

// does      compiles the stages to code, lays out the activations (streams whose lives do not overlap share memory), and counts
//           cycles as the hardware has them, one by one
// requires  lower_graph
// provides  p->serial, folds of one lane, costs, lanes of streams and edges, predicted interval and latency. Stages cost cycles alone,
//           for what they share is in p->total
// cost      O(weights + elements of all streams)
// A stage of another kind is E305, see above; no fit is E302: what is short and by how much.
bool serial_solve(const struct ctx *cx, struct pipeline *p, const struct board *b, const struct schedule_goal *goal);

// Whether p fits b that way; quiet.
bool serial_fits(const struct pipeline *p, const struct board *b, int64_t max_dsp);

#endif

// SPDX-License-Identifier: Apache-2.0
// timing: the schedule in time. A cycle by cycle model of stages, rings and FIFOs that moves
// counts instead of data: thousands of times faster than the Verilog, and within 1 % of it.
#ifndef AIHLS_TIMING_H
#define AIHLS_TIMING_H

#include "dataflow/pipeline.h"

struct timing_result {
    bool deadlock;           // nothing can ever move again
    int64_t interval_cycles; // between the ends (last beats of all outputs) of two frames: mean of the run's second half
    int64_t latency_cycles;  // first beat of any input to the end of the first frame
    int64_t *edge_peak_words; // per edge, largest occupation
    bool *edge_in_the_way;   // per edge, whether it was full while its reader waited for another
};

// Runs `frames` frames (at least 2) with no input starving and no output blocked. Edges with depth_words 0 count as unbounded.
// edge_peak_words in arena `a`.
struct timing_result timing_run(const struct pipeline *p, struct arena *a, int frames);

// The same with hosts that send a frame's beats evenly over `interval` cycles.
struct timing_result timing_run_paced(const struct pipeline *p, struct arena *a, int frames, int64_t interval);

// The same with hosts that pause at random, for a cycle or for hundreds, at every input and output. What it says of
// deadlock is meant to be read, not the cycles.
struct timing_result timing_run_paused(const struct pipeline *p, struct arena *a, int frames, uint64_t seed);

// Whether a frame gets through if FIFOs hold their depth and not a beat more. In timing_run the producer's pipeline
// registers hold beats too, all of which stop when the first does, with whatever gaps are between them: at some pace of
// the hosts they hold next to nothing. Where nothing moves any more, `relieve` (NULL: none) may deepen edges and return
// true. in_the_way, per edge: its FIFO is full while the join behind it waits for the other side.
bool timing_pass_bare(struct pipeline *p, bool (*relieve)(struct pipeline *p, const bool *in_the_way));

// does      sets depth_words of every edge: those into a join from the occupation that the model finds
//           when they are unbounded and frames come at the pipeline's own pace, all others to a constant (so too
//           edges into a join from inputs that serve nothing else: their hosts can wait)
// requires  folds, lanes
// provides  depths, p->interval_cycles as that pace has it
// False when frames stop (a bug of the analysis: reported as such by the caller).
bool timing_size_fifos(struct pipeline *p);

// does      confirms progress and the interval with a source that never waits, deepening where they fall short; makes
//           sure that a frame gets through at any pace of the hosts; then, while a tenth of a second lasts, takes back
//           memory of edges into joins that neither needs
// requires  timing_size_fifos
// provides  p->interval_cycles, p->latency_cycles
// False as above.
bool timing_confirm(struct pipeline *p);

// does      gives FIFOs the depths at which no stage holds up another where it waits in bursts (a global average that
//           requantizes a frame's results, say), if frames then come faster; as much of it as that needs
// requires  timing_confirm
// provides  p->interval_cycles, p->latency_cycles
// False: frames come no faster; nothing has changed.
bool timing_deepen(struct pipeline *p);

#endif

// SPDX-License-Identifier: Apache-2.0
// ref_int: the integer reference, the meaning of the hardware. Every element that any stream of the
// emitted Verilog carries equals what is computed here.
#ifndef AIHLS_REF_INT_H
#define AIHLS_REF_INT_H

#include "dataflow/pipeline.h"
#include "drivers/aihls_stages.h"
#include "sim/array.h"

// Round half to even of v * 2^-shift, 0 <= shift <= 62. Exact for every v.
int64_t rne_shift(int64_t v, int shift);

// clamp(zero_point + RNE(x * mult * 2^-shift), clamp_lo, clamp_hi) of channel c, x = acc * 2^bias_frac + bias.
// Exact for abs(x) < 2^39, more than any accumulator here reaches.
int requantize(const struct requant *r, int64_t acc, int64_t c);

// Computes one frame. streams[i] (p->n_streams pointers) receives the elements of stream i in stream
// order; those of the inputs are the caller's (border_in), the others are allocated in `a`.
void ref_int_frame(const struct pipeline *p, struct arena *a, int8_t **streams);

// The stage as the run-time library knows it; arrays stay the stage's own.
struct aihls_stage ref_int_describe(const struct pipeline *p, const struct stage *s);
// The name of the function that computes it: "aihls_stage_conv". BUG for a kind that has none.
const char *ref_int_function(const struct stage *s);

// ---- the borders: the model's own tensors around the pipeline ----

// Evaluates the nodes in front of the pipeline on one frame, an array for each input of the model. The streams of the
// inputs are allocated in `a` and filled in stream order. With a partition, all runs of the core but the last one and the
// host's part up to it are done here, by the run-time library's functions; *memory keeps what the rest needs, else NULL.
bool border_in(const struct ctx *cx, const struct pipeline *p, struct arena *a, const struct array *frame, int8_t **streams, void **memory);
// Evaluates the nodes behind the pipeline; results[i] is the model's output i.
bool border_out(const struct ctx *cx, const struct pipeline *p, struct arena *a, int8_t *const *streams, void *memory, struct array *results);

#endif

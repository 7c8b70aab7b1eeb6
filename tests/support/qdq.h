// SPDX-License-Identifier: Apache-2.0
// qdq: quantized models and two evaluations of them: by the integer pipeline between its borders, and node by
// node in float64 by a few loops that share no code with aihls.
//
//     qdq_setup();
//     input(4, DIMS(1, 3, 6, 5), 0.05f, 3, DT_INT8);             // x, quantized: x_q, x_d
//     weights("w", 4, DIMS(4, 3, 3, 3), 4, 0, DT_INT8, false);
//     model_node(m, "Conv", "x_d w", "y");
//     qdq("y", 0.11f, -5, DT_INT8);                              // y_q, y_d
//     model_output(m, "y_q");
//     p = qdq_lower(&g, REQUANT_EXACT);
//     assert_int_equal(compare(g, p).wrong, 0);
//     qdq_teardown(NULL);
//
// A test program is one thread with one model at a time, so that state is global here.
#ifndef AIHLS_TESTS_QDQ_H
#define AIHLS_TESTS_QDQ_H

#include "dataflow/lower.h"
#include "sim/array.h"
#include "tests/support/model.h"

extern struct arena arena;
extern struct strbuf messages; // all diagnostics
extern struct diag diag;
extern struct ctx cx;
extern struct model *m; // opset 14

void qdq_setup(void);
int qdq_teardown(void **state);

int random_int(int lo, int hi); // both included; the same sequence after every qdq_setup

// NAME_s and NAME_z, a QuantizeLinear NAME -> NAME_q and a DequantizeLinear NAME_q -> NAME_d.
void qdq(const char *name, float scale, int zero_point, enum dtype t);
// The float input x with its pair.
void input(int rank, const int64_t *dims, float scale, int zero_point, enum dtype t);
// Random weights NAME_i behind a DequantizeLinear NAME with `scales` scales along `axis`.
void weights(const char *name, int rank, const int64_t *dims, int scales, int axis, enum dtype t, bool zero_points);
// A float bias of n multiples of 1/2.
void bias_float(const char *name, int n);

// The model through all passes up to lower_graph; a diagnostic fails the test. *source: the graph as it was read.
struct pipeline *qdq_lower(const struct graph **source, enum requant_mode mode);
// Frame number f: random over the range of the input's stream and a little beyond, or (0, 1) one of its ends everywhere.
struct array frame_of(const struct tensor *input, const struct stream *s, int f);
// The outputs for a frame (an array for each input), through the integer reference and the borders.
const struct array *run_pipeline(const struct pipeline *p, const struct array *frame);
// Values of tensor t in float64.
const double *eval_float64(const struct graph *g, const struct array *frame, const struct tensor *t);

struct tally {
    int64_t wrong;       // differences, those of one step beside an exact rounding tie excepted
    int64_t off_by_more; // differences of more than one step
    int64_t distinct;    // different results
};
// Both evaluations of some frames of a model whose outputs all come from a QuantizeLinear.
struct tally compare(const struct graph *g, const struct pipeline *p);

#endif

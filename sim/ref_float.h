// SPDX-License-Identifier: Apache-2.0
// ref_float: the float reference. Runs a graph node by node as the ONNX standard says.
// Floats are float32 in memory; sums accumulate in double where that is cheap, else float32
// through OpenBLAS. QuantizeLinear rounds half to even. Serves constant folding, calibration,
// `run --float`, `eval`, and the border operators around the pipeline.
#ifndef AIHLS_REF_FLOAT_H
#define AIHLS_REF_FLOAT_H

#include "sim/array.h"

// True when `op` can be evaluated.
bool ref_float_supports(enum op op);

// True when two evaluations may differ: such nodes are not folded.
bool ref_float_is_random(enum op op);

// Evaluates one node. in[i] belongs to n->in[i] (NULL where omitted); results are allocated
// in `a` and written to out[0 .. n->n_out). Shapes must be inferred. An operator or type that cannot
// be evaluated is E201 or E207 at the node.
bool ref_float_node(const struct ctx *cx, const struct graph *g, const struct node *n,
                    struct arena *a, const struct array *const *in, struct array *out);

// The same within a budget, for folding: each element computed takes one, and each node evaluated in a body of If, Loop or
// Scan takes 64. E206 when it is used up, for a short file may ask for much.
bool ref_float_node_within(const struct ctx *cx, const struct graph *g, const struct node *n, struct arena *a,
                           const struct array *const *in, struct array *out, int64_t *budget);

// Evaluates a graph of any element types and open shapes, as onnx_parse_with gives it: types and shapes are inferred from the
// values, node by node, and written into g. `inputs` and `outputs` stand in the order of g->inputs and g->outputs; the types
// of inputs must be those of the model. A constant output is not copied.
bool ref_float_run(const struct ctx *cx, struct graph *g, struct arena *a, const struct array *inputs, struct array *outputs);
// The same within a budget, as ref_float_node_within.
bool ref_float_run_within(const struct ctx *cx, struct graph *g, struct arena *a, const struct array *inputs,
                          struct array *outputs, int64_t *budget);

// Evaluates the graph on one frame. `inputs` stand in the order of g->inputs and must have their types and
// shapes. values[t->index] receives every computed tensor (n_tensors entries from the caller, zeroed);
// memory in `a`. Constants are not copied into values.
bool ref_float_graph(const struct ctx *cx, const struct graph *g, struct arena *a,
                     const struct array *inputs, struct array *values);

// The same without rounding to integers, for a graph that is quantized: a QuantizeLinear of a computed tensor clips it to
// what its integers can stand for, and gives float32 real numbers; operators that only move or choose elements pass
// them on, and DequantizeLinear gives them as they are. E207 where another operator reads such integers.
bool ref_float_unrounded(const struct ctx *cx, const struct graph *g, struct arena *a,
                         const struct array *inputs, struct array *values);

#endif

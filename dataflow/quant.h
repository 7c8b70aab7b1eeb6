// SPDX-License-Identifier: Apache-2.0
// quant: brings a graph into QDQ form: every value that hardware computes is the output of a
// QuantizeLinear, and every weight a DequantizeLinear of an integer constant.
#ifndef AIHLS_QUANT_H
#define AIHLS_QUANT_H

#include "sim/array.h"

// Ranges of activations: what calibration found, kept with the output so that it can be
// repeated without the data.
struct quant_range {
    const char *tensor;
    double lo, hi; // lo <= 0 <= hi
};

struct quant_ranges {
    struct quant_range *items;
    int n, cap;
};

// True when the graph holds quantized tensors already (QuantizeLinear or DequantizeLinear).
bool quant_is_quantized(const struct graph *g);

// does      a float graph gets int8 activations (asymmetric, one scale a tensor) and int8 weights (symmetric
//           in [-127, 127], one scale an output channel); a graph that is quantized already stays as it is.
//           Ranges: from `ranges` when it has entries; else measured on `calib` (first axis = frames)
//           by a search over clip points for the least mean square error (minimum and maximum for what the
//           model's output is computed from), and stored in `ranges`; else W201 and synthesised inputs.
// requires  shape_infer, simplify_graph
// provides  QDQ form; shape_infer holds
// cost      two float inferences a calibration frame
bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges);

// The tensor that the last accelerated operator computes: the graph output behind which only
// operators stand that run on the host (Softmax, LogSoftmax, ArgMax, Transpose, Reshape, …).
struct tensor *quant_tail(const struct graph *g);

// Frame `i` of a batch: a view with a first dimension of 1 that fits graph input `t`, E104 when it cannot. A
// batch may have the input's dims with another first dimension, or lack that dimension.
bool batch_frame(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch,
                 int64_t i, struct array *out);
int64_t batch_frames(const struct graph *g, const struct array *batch);

#endif

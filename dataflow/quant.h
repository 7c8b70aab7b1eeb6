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
//           Ranges: from `ranges` when it has entries; else measured on `calib` (an array for each input, first
//           axis = frames) by a search over clip points for the least mean square error (minimum and maximum for what
//           the model's outputs are computed from), and stored in `ranges`; else W201 and synthesised inputs.
//           An ArgMax that hardware does is split (argmax_split), in models that came quantized too.
//           E211 for an output that only the host computes, E210 when all are; E209 for a weight that is not finite.
// requires  shape_infer, simplify_graph
// provides  QDQ form; shape_infer holds
// cost      two float inferences a calibration frame
bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges);

// The tensor that the last accelerated operator in front of a graph output computes: between the two stand only
// operators that run on the host (Softmax, LogSoftmax, ArgMax, Transpose, Reshape, …). A tensor without producer
// when there is no accelerated one.
struct tensor *quant_tail(struct tensor *output);
// By tensor index: what the tails of all outputs are computed from, themselves included. Nothing else concerns the
// hardware.
bool *quant_hardware(const struct graph *g, struct arena *a);
// Reports E211 for an output that no hardware is needed for; false.
bool quant_host_output(const struct ctx *cx, const struct graph *g, const struct tensor *output);

// ---- frames: an array for each input of the graph, each with as many frames along its first axis ----

// Reads a batch: for a model of one input a .npy file, or an .npz file with a member "x", or called like the
// input; for several an .npz file with a member for each input, called like it. Inputs that no node reads need none.
// *out, in the context's arena, has g->n_inputs arrays. E104 when something is missing or the numbers of frames differ.
bool batch_read(const struct ctx *cx, const struct graph *g, const char *path, struct array **out);
// Frame `i` of a batch: out[k] has the dims and the type of input k, E104 when batch[k] does not fit. It may have the
// input's dims with another first dimension, or lack that dimension.
bool batch_frame(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch,
                 int64_t i, struct array *out);
int64_t batch_frames(const struct graph *g, const struct array *batch);
// Frames to calibrate with where there are no data, and W201, which says so.
const struct array *quant_noise(struct arena *a, const struct graph *g);
void quant_no_data(const struct ctx *cx, const struct graph *g);

#endif

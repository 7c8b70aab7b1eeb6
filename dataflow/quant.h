// SPDX-License-Identifier: Apache-2.0
// quant: brings a graph into QDQ form: every value that hardware computes is the output of a
// QuantizeLinear, and every weight a DequantizeLinear of an integer constant.
#ifndef AIHLS_QUANT_H
#define AIHLS_QUANT_H

#include "sim/array.h"

// How the range of an activation is found in the histogram of its values (docs/quantization.md).
enum quant_method {
    QUANT_AUTO,       // of the four below, for each tensor the one with the least error behind its readers
    QUANT_MINMAX,
    QUANT_PERCENTILE, // all but one element in 10,000 on each side
    QUANT_MSE,        // least mean square error
    QUANT_KL,         // least divergence of the distributions (entropy)
};

// Bits of one layer. `name`: of the node, or of the tensor it computes; "*": of all that have no row of their own.
struct quant_precision {
    const char *name;
    int weights, activations; // 8, 4, 2, and for weights 1 (-1 and +1)
};

struct quant_options {
    enum quant_method method;
    const struct quant_precision *precision;
    int n_precision;
    bool noise; // the calibration frames follow from no data: they say nothing about weights
};

struct quant_range {
    const char *tensor;
    double lo, hi; // lo <= 0 <= hi
    int bits;      // of the integers; 0 means 8
};

// Weights and bias of a product, as integers and as calibration left them.
struct quant_layer {
    const char *output; // the tensor that the node computes
    int bits;
    int64_t n_weights, channels;
    const int8_t *weights; // in the model's order
    const float *scale;    // a channel
    const float *bias;     // a channel, or NULL: the model's
};

// What calibration found and decided, kept with the output so that it can be repeated without the data.
struct quant_ranges {
    struct quant_range *items;
    int n, cap;
    struct quant_layer *layers;
    int n_layers, cap_layers;
    const struct quant_options *options; // for the decision; NULL: all defaults
    const char *hardware; // that they belong to (--reload), for messages; NULL: to this model
};

// True when the graph holds quantized tensors already (QuantizeLinear or DequantizeLinear).
bool quant_is_quantized(const struct graph *g);

// does      a float graph gets int8 activations (asymmetric, one scale a tensor) and int8 weights (symmetric
//           in [-127, 127], one scale an output channel); a graph that is quantized already stays as it is.
//           Ranges, weights and biases: from `ranges` when it has entries; else found with `calib` (an array for each
//           input, first axis = frames) in the way of ranges->options (minimum and maximum for what the model's outputs
//           are computed from), and stored in `ranges`; else W201, ranges of synthesised inputs, and weights rounded to nearest.
//           An ArgMax that hardware does is split (argmax_split), in models that came quantized too.
//           E211 for an output that only the host computes, E210 when all are; E209 for a weight that is not finite.
// requires  shape_infer, simplify_graph
// provides  QDQ form; shape_infer holds
// cost      two float inferences a calibration frame; of some frames a few more, and the fit of the weights (quant_impl.h)
bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges);

// ---- what each layer costs ----

// Error at the outputs when this layer alone is rounded and all else is float.
struct quant_alone {
    const char *name;   // of the node, or of what it computes
    const char *output; // the tensor that the node computes
    int64_t n_weights, products; // products: of a frame
    double error[4];    // squared error over squared outputs, by width: 8, 4, 2, 1
    double activations; // of rounding what the layer computes to `ranges`; 0 without
};
static inline int quant_width(int k) // 8, 4, 2, 1
{
    return 8 >> k;
}

// does      for each product in hardware, in order: fits its weights in the first n_widths widths alone, to one half of the frames,
//           runs what follows in float, and compares the tails of the outputs on the other half. `ranges` (or NULL): those of the
//           activations.
// requires  the float graph that quantize_graph takes, before it did
// provides  *out with *n entries, in the context's arena
// cost      n_widths + 1 inferences a layer and frame, of two frames of `batch` at least and as many as QUANT_ALONE_PRODUCTS
//           and QUANT_ALONE_FRAMES allow
#define QUANT_ALONE_PRODUCTS 4e9
#define QUANT_ALONE_FRAMES 64
bool quant_layers_alone(const struct ctx *cx, const struct graph *g, const struct array *batch, const struct quant_ranges *ranges, int n_widths,
                        struct quant_alone **out, int *n);

// Cross-layer equalisation: channels that are large in one convolution and small in the next change place, by powers of two, so that
// every output of the float graph stays what it is. Tensors between the two change. Returns the number of pairs.
// requires  simplify_graph
int quant_equalize(struct graph *g);

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

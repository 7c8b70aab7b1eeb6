// SPDX-License-Identifier: Apache-2.0
// aihls_host: the part of a network that the processor computes, in front of the accelerator, behind it and between
// two runs of it. The compiler writes it as a table of operators over values in one piece of memory:
//
//     inputs -> pass 0: operators -> run 1 of the core -> pass 1: operators -> run 2 -> … -> pass n -> outputs
//
// The core is one accelerator with a port for each value that crosses over. A run takes all its inputs and gives all its
// outputs. Those inputs that a later pass computes are zero in the runs before it, and what depends on them is not read
// then; so a frame never waits in the middle of the accelerator.
//
// Shapes and types are fixed, all memory is one block of `bytes`, and nothing is allocated. `aihls run` calls these same
// functions.
#ifndef AIHLS_HOST_H
#define AIHLS_HOST_H

#include "aihls_border.h"
#include "aihls_function.h"

#ifdef __cplusplus
extern "C" {
#endif

// A tensor, dense and row major: in memory from byte `offset` on, or a constant.
struct aihls_host_value {
    enum aihls_type type;
    int32_t rank, dims[AIHLS_MAX_RANK];
    int32_t count;        // of elements
    int32_t offset;       // a multiple of 8
    const void *constant; // NULL: computed
};

struct aihls_host_op;
struct aihls_host_call { // one operator on the memory of one frame
    const struct aihls_host_op *op;
    const struct aihls_host_value *values;
    char *memory;
};
typedef void aihls_host_function(const struct aihls_host_call *c);

struct aihls_host_op {
    aihls_host_function *run;
    int32_t pass; // runs when the core has run so many times
    int32_t n_in, n_out;
    const int32_t *in, *out; // numbers of values, -1: left out
    const int32_t *p;        // whole parameters, see the function
    const double *f;         // and others
    const int32_t *table;    // a map of elements, see the function
};

// Where a value passes to the core's port of the same number, or from it.
struct aihls_host_port {
    int32_t value, pass; // input: known after that pass; output: right from that run on
};

struct aihls_host {
    const struct aihls_host_value *values;
    const struct aihls_host_op *ops; // pass never falls
    int32_t n_ops, n_passes;         // runs of the core for a frame, at least 1
    const struct aihls_host_port *core_inputs, *core_outputs;
    // The model's own; values: where they are.
    int32_t n_inputs, n_outputs;
    const struct aihls_tensor *inputs, *outputs;
    const int32_t *input_values, *output_values;
    int32_t bytes; // of memory for a frame, aligned to 8
};

// Runs the operators of one pass.
void aihls_host_run(const struct aihls_host *h, int32_t pass, void *memory);
// Where value i is.
void *aihls_host_data(const struct aihls_host *h, int32_t i, void *memory);

// ---- operators. p[k] and f[k] as said; shapes are the values' own ----

aihls_host_function aihls_host_unary;    // p: function; f: its three parameters (aihls_function.h)
aihls_host_function aihls_host_binary;   // any number of inputs, from the left. p: function, option, 1: divide by their number
aihls_host_function aihls_host_where;    // condition, then, else
aihls_host_function aihls_host_clip;     // x, least, largest; either may be left out
aihls_host_function aihls_host_cast;
aihls_host_function aihls_host_quantize; // x, scale, zero point. p: elements behind the axis, its size; 1: quotient in float32
aihls_host_function aihls_host_dequantize; // the same
aihls_host_function aihls_host_copy;     // the same bytes
aihls_host_function aihls_host_strided;  // p: offset, then the distance in the input of neighbours along each axis of the output
aihls_host_function aihls_host_move;     // table: the element of the input, or -1: f[0]
aihls_host_function aihls_host_concat;   // p: bytes of one index of the axis, then the size of the axis in each input
aihls_host_function aihls_host_gather;   // data, indices. p: outer, size of the axis, inner (elements)
aihls_host_function aihls_host_gather_elements; // the same. p: axis
aihls_host_function aihls_host_matmul;   // a, b, c or none. p: rows, columns, depth, steps of a along rows and depth, of b along
                                         // depth and columns, of c along rows and columns, number of batch axes, then of each:
                                         // size, step of a, step of b. f: alpha, beta
aihls_host_function aihls_host_einsum;   // p: number of letters, how many of them the result has, in front; then for each letter: its size, and its step in
                                         // each input
aihls_host_function aihls_host_conv;     // x, weights, bias or none. p: struct aihls_host_window
aihls_host_function aihls_host_conv_transpose; // the same
aihls_host_function aihls_host_pool;     // p: struct aihls_host_window, then 0 mean, 1 maximum, 2 norm; 1: pads count; 1: indices count the first axis
                                         // fastest. f: order of the norm. A second output: where maxima stand
aihls_host_function aihls_host_reduce;   // p: function, bit i: axis i goes away
aihls_host_function aihls_host_arg;      // p: outer, size, inner; 1: least; 1: last of equals
aihls_host_function aihls_host_softmax;  // p: outer, size, inner; 0 Softmax, 1 LogSoftmax, 2 Hardmax
aihls_host_function aihls_host_normalize; // x, scale, bias. p: elements that are normalized together, divisor, size: element i uses
                                         // scale[i / divisor % size]; 1: about zero, not their mean. Outputs: y, mean, inverse deviation. f: epsilon
aihls_host_function aihls_host_lrn;      // p: channels, inner, size. f: alpha / size of the model, beta, bias
aihls_host_function aihls_host_lp_norm;  // p: outer, size, inner, order
aihls_host_function aihls_host_cumsum;   // p: outer, size, inner; 1: exclusive; 1: reverse
aihls_host_function aihls_host_top_k;    // p: outer, size, inner, k; 1: least
aihls_host_function aihls_host_resize;   // p: how many indices one reads along each axis, then how many are in the tables. table: of each axis and index
                                         // those indices. f: the share of each
aihls_host_function aihls_host_recurrent; // x, w, r, b, lengths, h, c, peepholes. p: 0 RNN, 1 GRU, 2 LSTM; 1: linear before reset; 1: in reverse (of two
                                         // directions the second is); 1: batch in front; 1: forget gate is what the input gate leaves; three
                                         // functions of each direction, enum aihls_function or those below. f: clip, then alpha and beta of each
                                         // function. A fourth output is memory: 2 + gates doubles a hidden unit
#define AIHLS_HOST_AFFINE AIHLS_FUNCTION_COUNT            // alpha * x + beta
#define AIHLS_HOST_SCALED_TANH (AIHLS_FUNCTION_COUNT + 1) // alpha * tanh(beta * x)
aihls_host_function aihls_host_scatter_elements; // data, indices, updates. p: axis; 0 replace, 1 add, 2 multiply, 3 largest, 4 least
aihls_host_function aihls_host_scatter_nd; // data, tuples of indices, updates. p: 0 replace, … as above
aihls_host_function aihls_host_gather_nd; // data, tuples of indices. p: batch axes, product of their sizes
aihls_host_function aihls_host_one_hot;  // indices, the two values. p: size of the new axis, elements behind it
aihls_host_function aihls_host_reverse_sequence; // x, lengths. p: 1: batch in front of time, 0: behind it
aihls_host_function aihls_host_unpool;   // x, indices. p: the sizes that indices count in
aihls_host_function aihls_host_dft;      // x, window or none. p: outer, samples that there are, length, frequencies, 2: complex, elements behind the
                                         // axis; 1: inverse; frames of each line, distance of frames, samples of each line. f: cosines of whole parts
                                         // of a turn, then sines
aihls_host_function aihls_host_det;      // p: rows. A second output is memory: a double for each element of a matrix
aihls_host_function aihls_host_grid_sample; // x, grid. p: 0 nearest, 1 linear, 2 cubic; 0 zeros, 1 border, 2 reflection; 1: corners are centres
aihls_host_function aihls_host_roi_align; // x, regions, images. p: samples a bin, 0: one a pixel; 1: the largest; 1: half a pixel off. f: scale
aihls_host_function aihls_host_max_roi_pool; // x, regions. f: scale
aihls_host_function aihls_host_batch_norm; // x, scale, bias, mean, variance. p: channels, elements behind them. f: epsilon
aihls_host_function aihls_host_dynamic_quantize; // x; outputs: integers, scale, zero point
aihls_host_function aihls_host_attention; // q, k, v, mask or none. p: queries, keys, depth, elements of a value; steps of k along depth and keys, of the mask
                                         // along queries and keys; number of batch axes, then of each: size, steps of q, k, v and mask. f: factor of
                                         // the scores. A second output is memory: a double for each key
aihls_host_function aihls_host_grid;     // x, scale, zero point, bits, bits of the result. p: 0 Quant, 1 BipolarQuant, 2 Trunc of QONNX; rounds 0 to
                                         // nearest, 1 up, 2 down, 3 to zero, 4 from zero, 5 and 6 to nearest with halves from and to zero; 1: signed;
                                         // 1: narrow
aihls_host_function aihls_host_random;   // p: the generator's start, low and high half; 1: normal, else uniform in [0, 1). f: offset and factor of the numbers
aihls_host_function aihls_host_bernoulli; // probabilities. p: the start
aihls_host_function aihls_host_multinomial; // rows of logarithms. p: the start
aihls_host_function aihls_host_nll;      // logarithms of probabilities, classes, weights or none. p: classes, elements behind that axis; 0 each, 1 sum, 2 mean;
                                         // 1: the next is a class to ignore
aihls_host_function aihls_host_tf_idf;   // p: grams; 0: whether they occur, 1: how often; most that are left out between two numbers of one.
                                         // table: of each gram how many numbers, its place in the result, the numbers. f: factor of each
aihls_host_function aihls_host_nms;      // as NonMaxSuppression; rows behind the last are -1. p: 1: boxes by centre; most boxes of a class

// Depth, height and width, those that the image does not have in front, with 1; in front of them batch and channels. Pads before the
// first element of an axis and after the last.
struct aihls_host_window {
    int32_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3], after[3], group;
};

#ifdef __cplusplus
}
#endif
#endif

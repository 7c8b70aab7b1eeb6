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
aihls_host_function aihls_host_pool;     // p: struct aihls_host_window, then 0 mean, 1 maximum, 2 norm; 1: pads count. f: order of the norm
aihls_host_function aihls_host_reduce;   // p: function, bit i: axis i goes away
aihls_host_function aihls_host_arg;      // p: outer, size, inner; 1: least; 1: last of equals
aihls_host_function aihls_host_softmax;  // p: outer, size, inner; 0 Softmax, 1 LogSoftmax, 2 Hardmax
aihls_host_function aihls_host_normalize; // x, scale, bias. p: elements that are normalized together, divisor, size: element i uses
                                         // scale[i / divisor % size]; outputs: y, mean, inverse deviation. f: epsilon
aihls_host_function aihls_host_lrn;      // p: channels, inner, size. f: alpha, beta, bias
aihls_host_function aihls_host_lp_norm;  // p: outer, size, inner, order
aihls_host_function aihls_host_cumsum;   // p: outer, size, inner; 1: exclusive; 1: reverse
aihls_host_function aihls_host_top_k;    // p: outer, size, inner, k; 1: least
aihls_host_function aihls_host_resize;   // table: of each axis and index the two indices that it reads. f: the share of the second
aihls_host_function aihls_host_recurrent; // x, w, r, b, none, h, c. p: 0 RNN, 1 GRU, 2 LSTM; 1: linear before reset; 1: in reverse (of two directions
                                         // the second is). A fourth output is memory: 2 + gates doubles a hidden unit
aihls_host_function aihls_host_nms;      // as NonMaxSuppression; rows behind the last are -1. p: 1: boxes by centre; most boxes of a class

// Image axes: height and width, in front of them batch and channels.
struct aihls_host_window {
    int32_t in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bottom,
        pad_right, group;
};

#ifdef __cplusplus
}
#endif
#endif

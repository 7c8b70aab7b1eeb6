// SPDX-License-Identifier: Apache-2.0
// aihls_border: what the host computes in front of the accelerator and behind it.
//
//     input    tensor -> ops -> integer tensor --order, flip--> elements in stream order -> beats
//     output   beats -> elements in stream order --order, flip--> integer tensor -> ops -> tensor
//
// Results equal those of `aihls run`: rounding is half to even, quotients and sums are taken in double.
#ifndef AIHLS_BORDER_H
#define AIHLS_BORDER_H

#include "aihls.h"

#ifdef __cplusplus
extern "C" {
#endif

struct aihls_op;
// `out` does not overlap `in`; both are aligned to their elements.
typedef void aihls_op_function(const struct aihls_op *op, const void *in, void *out);

aihls_op_function aihls_op_quantize, aihls_op_dequantize, aihls_op_cast, aihls_op_transpose, aihls_op_argmax;
// aihls_ends.c: float32 by constants `scale`; elements `zero_point` along the axis; integers [outer][size] by `matrix` to int32.
aihls_op_function aihls_op_mul, aihls_op_add, aihls_op_sub, aihls_op_div, aihls_op_gather, aihls_op_matrix;
aihls_op_function aihls_op_softmax, aihls_op_log_softmax, aihls_op_sigmoid; // aihls_softmax.c; these need the C library's exp and log

struct aihls_op {
    aihls_op_function *run;
    enum aihls_type in_type, out_type;
    int32_t count; // elements of the output
    // The axis that matters: the input is [outer][size][inner]. quantize, dequantize: that of the scales, one each
    // of its `size` positions.
    int32_t outer, size, inner;
    const float *scale;        // quantize, dequantize: [size]
    const int32_t *zero_point; // [size]
    const int8_t *matrix;      // [size][inner]
    int32_t select_last;       // argmax: the last of equals instead of the first
    // transpose: dims of the output, and the distance in the input between neighbours along each
    int32_t rank, dims[AIHLS_MAX_RANK], stride[AIHLS_MAX_RANK];
};

struct aihls_border {
    const struct aihls_op *ops;
    int32_t n_ops;
    int32_t count;         // of the integer tensor and of the stream's elements
    const uint32_t *order; // [count]: stream position p holds element order[p] of the integer tensor; NULL: p
    uint8_t flip;          // 0x80: the integers are uint8, carried as int8
};

// ---- conversion of a frame; both scratch buffers have net->scratch_bytes, aligned to 8 ----
void aihls_border_in(const struct aihls_port *port, const void *tensor, int8_t *wire, void *const scratch[2]);
void aihls_border_out(const struct aihls_port *port, const int8_t *wire, void *tensor, void *const scratch[2]);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: Apache-2.0
// shape: shape and element type inference for every operator of ops.def.
#ifndef AIHLS_SHAPE_H
#define AIHLS_SHAPE_H

#include "frontend/graph.h"

// does      fills rank, dims and dtype of every tensor; checks inputs, attributes and shapes
// requires  graph_verify; graph inputs with known shapes
// provides  every tensor typed and shaped, products of dims below 2^40; scales of Resize as constants
// cost      O(nodes), plus small constant evaluation for Reshape, Pad, Clip and the like
// Reports every node that is wrong (E202 to E207) and returns false if there was one.
bool shape_infer(const struct ctx *cx, struct graph *g);

// Geometry of Conv, MaxPool, AveragePool and their QLinear forms over 2-D images. A 1-D operator
// (rank 3 input) is seen as an image of height 1. All pads resolved from auto_pad.
struct window_geometry {
    int64_t in_h, in_w, out_h, out_w;
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t group;
};

// Reads and checks that geometry; in/out dims and attributes must be there (after shape_infer this
// cannot fail for a node that passed it). For Global pools the kernel is the image.
bool window_geometry(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_geometry *out);

// Geometry of ConvTranspose: in_h.. are the input's, out_h.. the output's; kernel, stride and dilation as in the
// attributes; all pads resolved from auto_pad and output_shape. Element (y, x) of the input and tap (ky, kx) of the
// weights [in channels, out channels / group, kernel_h, kernel_w] contribute to output
//     (y * stride_h - pad_top + ky * dilation_h, x * stride_w - pad_left + kx * dilation_w)
// where that lies inside; what no tap reaches is the bias. Fails as window_geometry does.
bool conv_transpose_geometry(const struct ctx *cx, const struct graph *g, const struct node *n,
                             struct window_geometry *out);

// Resize, along one of its axes (0 is the batch). Both require shape_infer, which checks modes and makes the scales
// a constant; `out` is in [0, dims[axis]) of the result. A Resize whose result has the shape of its input copies. Coordinates are computed in float32, as ONNX Runtime and
// PyTorch compute them.
// Input index that nearest Resize n reads for output index `out` along axis `axis`.
int64_t resize_nearest_index(const struct node *n, int axis, int64_t out);
// Linear Resize: output index `out` is (1 - *t) * in[*i0] + *t * in[*i1], indices already clamped into range,
// 0 <= *t < 1.
void resize_linear_taps(const struct node *n, int axis, int64_t out, int64_t *i0, int64_t *i1, double *t);

// The dims of the axes perm: Transpose's perm with its default. Returns n->in[0]->rank entries in perm.
void transpose_perm(const struct node *n, int *perm);
// The dimensions that ReduceMean, ReduceMax or ReduceSum takes together, bit i for dimension i; all of them where
// axes is absent or empty. Axes must be in range.
unsigned reduce_axes(const struct node *n);
// An axis attribute made non-negative; axis must be in [-rank, rank).
int axis_of(int64_t axis, int rank);

#endif

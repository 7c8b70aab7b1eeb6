// SPDX-License-Identifier: Apache-2.0
// shape: shape and element type inference for every operator of ops.def.
#ifndef AIHLS_SHAPE_H
#define AIHLS_SHAPE_H

#include "frontend/graph.h"

// does      fills rank, dims and dtype of every tensor; checks inputs, attributes and shapes
//           If, Loop and Scan become the nodes of their bodies where the number of iterations is known or has a known bound. Where a
//           condition is not known before the network runs, both ways are computed and a Where chooses
// requires  graph_verify; graph inputs with known shapes
// provides  every tensor typed and shaped, products of dims below 2^40; scales of Resize as constants
// cost      O(nodes), plus small constant evaluation for Reshape, Pad, Clip and the like; names of placed nodes are compared with
//           all others
// Reports every node that is wrong (E202 to E207) and returns false if there was one.
bool shape_infer(const struct ctx *cx, struct graph *g);

// Types and shapes the outputs of one node of a graph that is being run: everything in front of it is typed, and values, by
// index of the tensor, hold what it computed. Outputs whose shape follows from values alone (NonZero, Loop) keep rank -1:
// evaluating says what they are. Diagnostics as above.
struct array;
bool shape_infer_running(const struct ctx *cx, struct graph *g, struct node *n, struct array *values);

// Geometry of Conv, MaxPool, AveragePool and their QLinear forms over 2-D images. A 1-D operator
// (rank 3 input) is seen as an image of height 1. All pads resolved from auto_pad.
struct window_geometry {
    int64_t in_h, in_w, out_h, out_w;
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t group;
};

// The same along any number of axes, one entry for each; pads in front of and behind each axis.
#define MAX_SPATIAL (MAX_RANK - 2)
struct window_axes {
    int spatial;
    int64_t in[MAX_SPATIAL], out[MAX_SPATIAL], kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL];
    int64_t before[MAX_SPATIAL], after[MAX_SPATIAL], group;
};
bool window_axes(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *out);
bool conv_transpose_axes(const struct ctx *cx, const struct graph *g, const struct node *n, struct window_axes *out);

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

// The attribute of a Transpose that puts channels "first" or "last", whatever the rank: shape inference makes it a perm.
#define TRANSPOSE_MARK "resolved_layout"

// The attribute of a Where that chooses between the results of an If's branches: they must have one shape.
#define WHERE_MARK "resolved_choice"
// The attribute of nodes of which only the data say whether they are run. They always are; where they cannot compute what they
// are asked for (an index that is outside, say), nobody may want to know it, and the float reference takes zeros.
#define MAYBE_MARK "resolved_maybe"

// A comparison of two tensors: its result is bool.
bool op_compares(enum op op);
// Where the dimensions of operand 1 begin in those of operand 0, for attribute `axis` as it was before opset 7; -1: outside.
int legacy_axis(const struct node *n);

// An Einsum's equation: letters 0 to 25 are a to z, 26 to 51 A to Z; those behind stand for the dimensions of "...".
struct einsum {
    int n_terms;
    struct einsum_term {
        int n, letter[MAX_RANK];
    } *terms, result;
    int64_t size[52 + MAX_RANK]; // by letter
};
// Reads it and checks it against the shapes of n's inputs; E203, E204. Memory in g's arena.
bool einsum_parse(const struct ctx *cx, const struct graph *g, const struct node *n, struct einsum *out);

// What both are made of: the coordinate in the input, not clamped, and the factor along an axis.
float resize_coordinate(const struct node *n, int axis, int64_t out);
float resize_scale(const struct node *n, int axis);

// The dims of the axes perm: Transpose's perm with its default. Returns n->in[0]->rank entries in perm.
void transpose_perm(const struct node *n, int *perm);
// The dimensions that ReduceMean, ReduceMax or ReduceSum takes together, bit i for dimension i; all of them where
// axes is absent or empty. Axes must be in range.
unsigned reduce_axes(const struct node *n);
// An axis attribute made non-negative; axis must be in [-rank, rank).
int axis_of(int64_t axis, int rank);

#endif

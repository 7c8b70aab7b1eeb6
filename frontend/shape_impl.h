// SPDX-License-Identifier: Apache-2.0
// shape_impl: what the files of shape inference share. Included by frontend/shape*.c only.
#ifndef AIHLS_SHAPE_IMPL_H
#define AIHLS_SHAPE_IMPL_H

#include "frontend/shape.h"
#include "sim/array.h"

// Values of computed tensors are followed while they are as small as shapes are.
#define MAX_FOLLOWED 256
// What computing one node may take while shapes are inferred, see ref_float_node_within.
#define SHAPE_BUDGET ((int64_t)1 << 22)

struct shape_run {
    const struct ctx *cx;
    struct graph *g;
    struct array *values; // by tensor index; data NULL: not known. Constants are not in here.
    int n_values, cap_values; // tensors that inference adds are not in there
    int placed;           // nodes that shape_place_body has made
    bool running;         // all of them are known: shape_infer_running
};

// Types output k of n. Refuses ranks above MAX_RANK and shapes of 2^40 elements and more.
bool shape_set(struct shape_run *s, const struct node *n, int k, enum dtype t, int rank,
               const int64_t *dims);
// The same type and shape as tensor x.
bool shape_like(struct shape_run *s, const struct node *n, int k, const struct tensor *x);

// NumPy's broadcasting of x onto (rank, dims), which it widens. False: they do not fit.
bool shape_broadcast(const struct tensor *x, int *rank, int64_t *dims);

// The integers of input k, a constant or a followed value of rank 0 or 1; E206 when it is neither.
// At most `max` of them (E204).
bool shape_ints(struct shape_run *s, const struct node *n, int k, int max, int64_t *out, int *count);

// Whether the value of tensor t is known; then *out is it.
bool shape_value(struct shape_run *s, const struct tensor *t, struct array *out);
// Shapes the outputs of a node whose result shapes follow from values: by evaluating it, E206 where inputs are computed at
// run time. A graph that is being run leaves that to the evaluation that comes next.
bool shape_by_value(struct shape_run *s, struct node *n);

// Attribute `axis` as a dimension of x; E203 outside [-rank, rank).
bool shape_axis(struct shape_run *s, const struct node *n, const struct tensor *x, int64_t fallback, int *out);

// Input k is a float of any width, or E207.
bool shape_need_float(struct shape_run *s, const struct node *n, int k);

// Input k counts elements: int32 or int64, or E207.
bool shape_need_index(struct shape_run *s, const struct node *n, int k);

// The one number of input k, a constant or a followed value; E206, E204.
bool shape_scalar(struct shape_run *s, const struct node *n, int k, double *out);
// The element type in attribute `name`; E207.
bool shape_dtype_attr(struct shape_run *s, const struct node *n, const char *name, enum dtype fallback, enum dtype *out);
// Attribute `reduction` of the Scatter operators is one that ref_scatter knows; E203.
bool shape_reduction(struct shape_run *s, const struct node *n);

// Input k of an integer product, a zero point: omitted, one number, or one for each of `channels`; E204.
bool shape_zero_fits(struct shape_run *s, const struct node *n, int k, int64_t channels);

// E204 at n: `found` is a shape.
bool shape_error(struct shape_run *s, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *shape_of(struct shape_run *s, const struct tensor *t);

// ---- shape_window.c: Conv, ConvTranspose and the pools, with a result of type t ----
bool shape_conv(struct shape_run *s, struct node *n);
bool shape_conv_transpose(struct shape_run *s, struct node *n);
bool shape_pool(struct shape_run *s, struct node *n, enum dtype t);
bool shape_global_pool(struct shape_run *s, struct node *n, enum dtype t);
bool shape_max_unpool(struct shape_run *s, struct node *n);
// LpPool and GlobalLpPool take the p-th root of a sum: p >= 1 (E203), floats.
bool shape_check_p(struct shape_run *s, const struct node *n);

// ---- shape_control.c ----
// Replaces an If, a Loop or a Scan by the nodes of its bodies. False, and nothing changed, where it is none of these, or
// iterates too often or an unknown number of times.
bool shape_place_body(struct shape_run *s, struct node *n);
// Whether the bodies of an If, a Loop or a Scan have as many inputs and outputs as it gives and takes; E102, E203.
bool shape_check_bodies(struct shape_run *s, const struct node *n);

// ---- shape_einsum.c ----
bool shape_einsum(struct shape_run *s, struct node *n);

// ---- shape_resize.c ----
bool shape_resize(struct shape_run *s, struct node *n);

// ---- families; false in *known: not one of them ----
bool shape_move(struct shape_run *s, struct node *n, bool *known);  // shape_move.c: operators that move data
bool shape_index(struct shape_run *s, struct node *n, bool *known); // shape_index.c: choosing, placing, counting elements
bool shape_nn(struct shape_run *s, struct node *n, bool *known);    // shape_nn.c: norms, losses, recurrent layers, signals

#endif

// SPDX-License-Identifier: Apache-2.0
// simplify_impl: what the files of the simplifier share. Included by frontend/simplify*.c only.
// A rule looks at one node; it returns true when it has changed the graph, which it leaves
// verified and shaped (new tensors get their shapes at once).
#ifndef AIHLS_SIMPLIFY_IMPL_H
#define AIHLS_SIMPLIFY_IMPL_H

#include "frontend/simplify.h"

// The producer of t when it is of operator op, else NULL.
struct node *made_by(const struct tensor *t, enum op op);
// Output 0 becomes input 0 for every reader, and n goes. Names of graph outputs stay; false, and nothing
// changed, where that is impossible (a graph input cannot be renamed).
bool bypass(struct graph *g, struct node *n);
// A 1-D constant of n 64-bit integers, or a float one, named after `base`.
struct tensor *const_i64(struct graph *g, const char *base, int n, const int64_t *v);
struct tensor *const_f32(struct graph *g, const char *base, enum dtype t, int rank, const int64_t *dims,
                         const float *data);
// Appends or replaces input k.
void set_in(struct graph *g, struct node *n, int k, struct tensor *t);
void drop_attr(struct node *n, const char *name);

// simplify_qlinear.c: one QLinear node to DequantizeLinear, float operator, QuantizeLinear. *changed tells;
// false after a diagnostic.
bool rewrite_qlinear(const struct ctx *cx, struct graph *g, struct node *n, bool *changed);

// simplify_affine.c
bool matmul_to_gemm(struct graph *g, struct node *n);
bool fold_affine(struct graph *g, struct node *n);    // BatchNormalization, Mul, Add, Sub, Div by constants
bool lower_batchnorm(struct graph *g, struct node *n); // what fold_affine left

// simplify_layout.c
bool fold_pad(const struct ctx *cx, struct graph *g, struct node *n);
bool to_reshape(struct graph *g, struct node *n);
bool merge_reshapes(struct graph *g, struct node *n);
bool move_before_dequantize(struct graph *g, struct node *n);
bool reduce_to_pool(struct graph *g, struct node *n);
bool flatten_softmax(struct graph *g, struct node *n);

#endif

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

// y = scale[c] * x + shift[c] for each index c of dimension `axis`.
struct affine {
    int64_t channels;
    int axis;
    double *scale, *shift;
};

// simplify_affine.c
// Whether n, a BatchNormalization or a Mul, Add, Sub, Div by constants, is such a map of one computed operand.
bool node_affine(struct graph *g, const struct node *n, int axis, struct affine *f);
// The same of constants of any type.
bool node_affine_any(struct graph *g, const struct node *n, int axis, struct affine *f);
// That operand.
struct tensor *affine_operand(const struct node *n);
bool matmul_to_gemm(struct graph *g, struct node *n);
bool fold_affine(struct graph *g, struct node *n);    // BatchNormalization, Mul, Add, Sub, Div by constants
bool lower_batchnorm(struct graph *g, struct node *n); // what fold_affine left

// simplify_layout.c
bool fold_pad(const struct ctx *cx, struct graph *g, struct node *n);
bool to_reshape(struct graph *g, struct node *n);
bool merge_reshapes(struct graph *g, struct node *n);
bool move_before_dequantize(struct graph *g, struct node *n);
bool cancel_transposes(struct graph *g, struct node *n);
bool reduce_to_pool(struct graph *g, struct node *n);
bool flatten_softmax(struct graph *g, struct node *n);

// simplify_qonnx.c
bool is_fake_quant(const struct node *n); // Quant, BipolarQuant
// One of them, or a Trunc, to integers. *changed tells; false after a diagnostic.
bool rewrite_quant(const struct ctx *cx, struct graph *g, struct node *n, bool *changed);

// simplify_pattern.c: several operators that are one, see its table
bool match_patterns(struct graph *g, struct node *n);
void match_all_patterns(struct graph *g); // before other rules take a form apart

// simplify_dynamic.c: MatMulInteger, ConvInteger
bool rewrite_integer_product(struct graph *g, struct node *n);

// simplify_exact.c
// An affine map behind a Conv or Gemm whose weights are dequantized integers, into their scales (float64) and a float64
// bias: nothing is rounded to float32 on the way. The lowering takes a float64 bias for exact (dataflow/lower_exact.c).
bool fold_exact(struct graph *g, struct node *n);
// The same of a map that is no node's behind `product`; false, and nothing changed, when that is no such product.
bool exact_product(struct graph *g, struct node *product, const struct affine *f);

// simplify_host.c
// Of a quantized model: marks the nodes in front of the first and behind the last QuantizeLinear that the host can do
// with the attribute resolved_host.
void mark_host(struct graph *g);
// A Gemm of integers, behind which nothing is quantized, whose sums fit eight bits: they are its quantized result.
bool keep_narrow_product(struct graph *g, struct node *n);

// simplify_integer.c: integers that a model keeps in floats, to QuantizeLinear and DequantizeLinear of scale 1. In front
// of all other rules, which would mend the form away.
void import_integers(struct graph *g);

#endif

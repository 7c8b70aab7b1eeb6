// SPDX-License-Identifier: Apache-2.0
// ref_float_impl: what the files of the float reference share. Included by sim/ref_float*.c only.
#ifndef AIHLS_REF_FLOAT_IMPL_H
#define AIHLS_REF_FLOAT_IMPL_H

#include "sim/ref_float.h"

// One node under evaluation.
struct ref {
    const struct ctx *cx;
    const struct graph *g;
    const struct node *n;
    struct arena *a;                // results
    struct arena scratch;           // freed after the node
    const struct array *const *in;  // by n->in; NULL where omitted
    int n_in;
    struct array *out;
};

// Input k, or NULL when it is omitted.
const struct array *ref_in(const struct ref *r, int k);
static inline const float *ref_f32(const struct array *x)
{
    return x->data;
}

// Allocates output k with n->out[k]'s shape and the given type.
struct array *ref_out(struct ref *r, int k, enum dtype t);
// The same with float32, and its elements.
float *ref_out_f32(struct ref *r, int k);

bool ref_type_error(struct ref *r, int k); // E207 at input k
bool ref_need_f32(struct ref *r, int k);   // input k is float32, or E207

// Copies elements along strides: out[i0, i1, …] = from[offset + i0 * strides[0] + …]. Strides count
// elements of from and may be 0 or negative.
void ref_copy_strided(const struct array *from, int64_t offset, const int64_t *strides,
                      struct array *out);
// x repeated to a shape that it broadcasts to; x itself when it has that shape.
const struct array *ref_broadcast(const struct array *x, int rank, const int64_t *dims,
                                  struct arena *a);
// Element strides of a dense array.
void ref_strides(int rank, const int64_t *dims, int64_t *strides);

// A scale or zero point for each element of x: element i uses entry i / inner % count.
struct ref_scale {
    const struct array *scale, *zero; // zero may be NULL
    int64_t count, inner;
};
struct ref_scale ref_scale_of(const struct node *n, const struct array *x, const struct array *scale,
                              const struct array *zero, int axis_default);
// float32 (x - zero) * scale, in arena a.
struct array ref_dequantize(struct arena *a, const struct array *x, const struct ref_scale *s);
// sat(rint(x / scale) + zero), half to even, into out (typed and shaped).
void ref_quantize(const struct array *x, const struct ref_scale *s, struct array *out);

// The evaluators; each returns false after a diagnostic. ref_float_conv.c:
bool ref_conv(struct ref *r);
bool ref_conv_transpose(struct ref *r);
bool ref_gemm(struct ref *r);
bool ref_matmul(struct ref *r);
bool ref_pool(struct ref *r);
bool ref_batchnorm(struct ref *r);
// ref_float_move.c:
bool ref_transpose(struct ref *r);
bool ref_same_order(struct ref *r); // Reshape and its kin, Identity, Dropout
bool ref_concat(struct ref *r);
bool ref_split(struct ref *r);
bool ref_slice(struct ref *r);
bool ref_gather(struct ref *r);
bool ref_pad(struct ref *r);
bool ref_shape(struct ref *r);
bool ref_expand(struct ref *r);
bool ref_constant_of_shape(struct ref *r);
bool ref_cast(struct ref *r);
bool ref_reduce(struct ref *r);
bool ref_depth_space(struct ref *r);
bool ref_tile(struct ref *r);
bool ref_argmax(struct ref *r);
bool ref_softmax(struct ref *r);
// ref_float_resize.c:
bool ref_resize(struct ref *r);
// ref_float_elem.c:
bool ref_unary(struct ref *r);
bool ref_binary(struct ref *r);
bool ref_clip(struct ref *r);
bool ref_quantize_linear(struct ref *r);
bool ref_dequantize_linear(struct ref *r);
bool ref_clip_to_quantized(struct ref *r); // QuantizeLinear's saturation without its rounding, as real numbers
bool ref_quant(struct ref *r);
bool ref_bipolar(struct ref *r);
// ref_float_qlinear.c: dequantize, the float operator, quantize
bool ref_qlinear(struct ref *r);

#endif

// SPDX-License-Identifier: Apache-2.0
// ref_float_impl: what the files of the float reference share. Included by sim/ref_float*.c only.
#ifndef AIHLS_REF_FLOAT_IMPL_H
#define AIHLS_REF_FLOAT_IMPL_H

#include "drivers/aihls_function.h"
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
    int64_t *budget; // elements that may still be computed; NULL: any number
};

// Input k, or NULL when it is omitted.
const struct array *ref_in(const struct ref *r, int k);
static inline const float *ref_f32(const struct array *x)
{
    return x->data;
}

// Takes `cost` from the budget, if there is one; E206 when it is used up.
bool ref_charge(const struct ctx *cx, const struct graph *g, const struct node *n, int64_t *budget, int64_t cost);
// The same for the node of r; in double, where no product of lengths overflows.
bool ref_spend(struct ref *r, double cost);
// ref_float_run within the budget of r.
bool ref_run_body(struct ref *r, struct graph *body, struct arena *a, const struct array *inputs, struct array *outputs);

// Allocates output k with n->out[k]'s shape and the given type.
struct array *ref_out(struct ref *r, int k, enum dtype t);
// The same with float32, and its elements.
float *ref_out_f32(struct ref *r, int k);

bool ref_type_error(struct ref *r, int k); // E207 at input k
bool ref_need_f32(struct ref *r, int k);   // input k is float32, or E207

// Allocates output k with a shape of its own, where n->out[k] has none: it follows from values.
struct array *ref_out_shaped(struct ref *r, int k, enum dtype t, int rank, const int64_t *dims);
// E204: `what` (an index, an axis) has a value that does not fit.
bool ref_value_error(struct ref *r, const char *what, int64_t value);

// Element i of `to` becomes element k of `from`, of the same type.
void ref_copy(struct array *to, int64_t i, const struct array *from, int64_t k);
// The order of elements i and k of x: -1, 0 or 1. NaN counts as larger than any number.
int ref_compare(const struct array *x, int64_t i, int64_t k);
// The extent of the axes in front of `axis` and behind it.
void ref_around(const struct array *x, int axis, int64_t *outer, int64_t *inner);
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
    bool float32_quotient; // of x and scale, as the standard divides; else one rounding from double
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
bool ref_matmul(struct ref *r); // MatMulInteger too
bool ref_pool(struct ref *r);
// ref_float_move.c:
bool ref_transpose(struct ref *r);
bool ref_same_order(struct ref *r); // Reshape and its kin, Identity
bool ref_concat(struct ref *r);
bool ref_split(struct ref *r);
bool ref_slice(struct ref *r);
bool ref_gather(struct ref *r);
bool ref_pad(struct ref *r);
bool ref_shape(struct ref *r);
bool ref_expand(struct ref *r);
bool ref_constant_of_shape(struct ref *r);
bool ref_cast(struct ref *r);
bool ref_depth_space(struct ref *r);
bool ref_tile(struct ref *r);
// ref_float_reduce.c:
bool ref_reduce(struct ref *r);
bool ref_argmax(struct ref *r);  // ArgMin too
bool ref_softmax(struct ref *r); // Softmax, LogSoftmax, Hardmax
bool ref_cumsum(struct ref *r);
bool ref_top_k(struct ref *r);
// ref_float_index.c:
bool ref_gather_elements(struct ref *r);
bool ref_scatter_elements(struct ref *r);
bool ref_gather_nd(struct ref *r);
bool ref_scatter_nd(struct ref *r);
bool ref_one_hot(struct ref *r);
bool ref_trilu(struct ref *r);
bool ref_eye_like(struct ref *r);
bool ref_range(struct ref *r);
bool ref_reverse_sequence(struct ref *r);
bool ref_size(struct ref *r);
bool ref_non_zero(struct ref *r);
bool ref_compress(struct ref *r);
bool ref_unique(struct ref *r);
bool ref_tf_idf(struct ref *r);
// ref_float_norm.c:
bool ref_batchnorm(struct ref *r);
bool ref_layer_norm(struct ref *r);
bool ref_channel_norm(struct ref *r); // InstanceNormalization, GroupNormalization
bool ref_lrn(struct ref *r);
bool ref_lp_norm(struct ref *r);
bool ref_mean_variance(struct ref *r);
bool ref_det(struct ref *r);
bool ref_attention(struct ref *r);
bool ref_einsum(struct ref *r);
bool ref_loss(struct ref *r);
// ref_float_rnn.c: RNN, GRU, LSTM
bool ref_recurrent(struct ref *r);
// Activation k of such a node: those of the first direction, then those of the second. Alphas and betas count only the functions that
// have them. E203 for a name that is none.
struct ref_activation {
    int kind; // within the file
    const char *name;
    double alpha, beta;
};
bool ref_activation(const struct ctx *cx, const struct graph *g, const struct node *n, int k, struct ref_activation *out);
// ref_float_region.c: parts of images
bool ref_roi_align(struct ref *r);
bool ref_max_roi_pool(struct ref *r);
bool ref_grid_sample(struct ref *r);
bool ref_non_max_suppression(struct ref *r);
// ref_float_signal.c:
bool ref_dft(struct ref *r);
bool ref_stft(struct ref *r);
bool ref_window(struct ref *r); // Hann, Hamming, Blackman
bool ref_mel_weights(struct ref *r);
// ref_float_random.c: what the numbers of node n start from, and
uint64_t ref_random_start(const struct node *n);
bool ref_random(struct ref *r);
bool ref_bernoulli(struct ref *r);
bool ref_multinomial(struct ref *r);
bool ref_dropout(struct ref *r);
// ref_float_control.c:
bool ref_if(struct ref *r);
bool ref_loop(struct ref *r);
bool ref_scan(struct ref *r);
// ref_float_axes.c: windows over any number of axes and any element type
bool ref_conv_axes(struct ref *r);
bool ref_conv_transpose_axes(struct ref *r);
bool ref_pool_axes(struct ref *r);
bool ref_max_unpool(struct ref *r);
bool ref_conv_integer(struct ref *r);
// y, of `batches` m x n matrices, = a b - of floats in double, of integers modulo their width, less zero points by row of a
// and column of b (or one; NULL: none).
void ref_multiply(const struct array *a, const struct array *b, int64_t batches, int64_t m, int64_t n, int64_t depth,
                  const struct array *zero_a, const struct array *zero_b, struct array *y);
// ref_float_resize.c:
bool ref_resize(struct ref *r);
// ref_float_elem.c:
enum aihls_function ref_function(enum op op); // AIHLS_FUNCTION_COUNT for an operator that is none of one or two numbers, or a reduction
struct aihls_parameters ref_parameters(const struct node *n);
bool ref_unary(struct ref *r);
bool ref_binary(struct ref *r);
bool ref_where(struct ref *r);
bool ref_clip(struct ref *r);
bool ref_quantize_linear(struct ref *r);
bool ref_dequantize_linear(struct ref *r);
bool ref_dynamic_quantize(struct ref *r);
bool ref_clip_to_quantized(struct ref *r); // QuantizeLinear's saturation without its rounding, as real numbers
bool ref_quant(struct ref *r);
bool ref_bipolar(struct ref *r);
bool ref_trunc(struct ref *r);
// ref_float_resize.c: the input elements that one output element is made of along one axis, with their weights
struct ref_taps {
    int64_t n, *index;
    double *weight;
};
struct ref_taps ref_resize_new(const struct node *n, struct arena *a); // room for those of every axis
int64_t ref_resize_most(const struct node *n, int axis);               // taps that an index may have
void ref_resize_taps(const struct node *n, int axis, int64_t out, struct ref_taps *t);
// ref_float_qlinear.c: dequantize, the float operator, quantize
bool ref_qlinear(struct ref *r);

#endif

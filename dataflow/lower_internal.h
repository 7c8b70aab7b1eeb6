// SPDX-License-Identifier: Apache-2.0
// What lower.c and lower_stages.c share.
#ifndef AIHLS_LOWER_INTERNAL_H
#define AIHLS_LOWER_INTERNAL_H

#include "dataflow/lower.h"

// A tensor of the model seen as a stream: position p of the stream holds element logical[p] of the tensor. A free
// view (logical NULL) is the pipeline's input before its first reader decided its order. Integer tensors have views,
// and float tensors that an operator gathers from others.
struct view {
    int stream; // -1: not lowered, or failed
    const int32_t *logical;
    double scale; // of a float tensor
    int zero_point;
};

// A tensor as its reader sees it: the stream behind it, and for each stream position the row major element of that
// tensor.
struct source {
    int stream;
    const int32_t *element; // [count]; NULL while the input's order is free
    const int32_t *map;     // element of the reader's tensor -> element of the integer tensor; NULL: same
    const struct tensor *tensor; // the tensor that has the view
    double scale;
    int zero_point; // after the flip to int8
};

// What lies between a QuantizeLinear and the operator that computes its input.
struct expression {
    const struct node *q;
    const struct node *main;     // NULL: nothing but a DequantizeLinear (and unaries)
    const struct tensor *result; // what main computes, or the DequantizeLinear's output
    const int32_t *out_map;      // element of q's tensor -> element of result; NULL: same
    double lo, hi;               // clamp, real values
    const struct node **unaries; // outermost first
    int n_unaries;
    double scale; // of q's output
    int zero_point;
    bool flip;
    const char *nodes; // names for people
};

// A quantized constant in front of an operator: q stands for scale[c] * (q - zero[c]), c along `axis`.
struct constant {
    const struct tensor *q;
    int axis;
    int64_t n; // scales
    const double *scale;
    const int64_t *zero;
};

// Weights of a matrix-like stage, [out][per_out], minus their zero points.
struct product {
    int64_t out_c, per_out;
    int16_t *weights;
    const double *w_scale; // [out_c]
    const double *bias;    // [out_c], real values
    bool exact;            // the bias is what the model means, to the last bit: see lower_exact.c
};

struct lowering {
    const struct ctx *cx;
    const struct graph *g;
    struct pipeline *p;
    struct view *views; // per graph tensor
    enum requant_mode mode;
};

// A quantization scale and zero point of Q or DQ node n, per tensor. False (reported) when not constant or invalid.
bool read_qparam(struct lowering *l, const struct node *n, double *scale, int *zero_point, bool *flip);
// The stream behind the integers that n reads without a DequantizeLinear; an input of the model is opened.
bool resolve_integers(struct lowering *l, const struct node *n, struct source *out);
bool resolve_source(struct lowering *l, const struct node *reader, const struct tensor *t, struct source *out);
// Demands that stream position p holds element want[p] of the source. Where it does not, a gather stage moves the
// elements; E208 at `reader` when that is no sum of three maps.
bool demand_order(struct lowering *l, const struct node *reader, struct source *s, const int32_t *want, int64_t h, int64_t w, int64_t c);
// The same for the image order of t, which `s` is the source of, up to an order of the channels that is the same in each
// pixel: channel k of the stream is channel (*channel)[k] of t.
bool demand_image(struct lowering *l, const struct node *reader, struct source *s, const struct tensor *t, const int32_t **channel);
int32_t *invert_order(struct arena *a, const int32_t *map, int64_t n);
// outer[i] is an element of a tensor whose element j is inner[j]; NULL is the identity.
const int32_t *compose_order(struct arena *a, const int32_t *outer, const int32_t *inner, int64_t n);
bool same_quantization(const struct expression *e, double scale, int zero_point); // and no clamp

// ---- lower_move.c ----
// Stage whose output position p holds position at[p] of stream s, or the constant `fill` where at[p] is MOVE_FILL.
// Returns the output stream, or -1 after E208.
int gather_stage(struct lowering *l, const struct node *reader, const char *nodes, int s, const int32_t *at, int64_t h, int64_t w,
                 int64_t c, int fill);
// Gives tensor t, which move node n makes, its view.
bool lower_move(struct lowering *l, const struct node *n, const struct tensor *t);
bool lower_concat(struct lowering *l, const struct expression *e);
// ---- lower_binary.c ----
bool lower_binary(struct lowering *l, const struct expression *e); // Add, Sub, Mul of two computed tensors
// ---- lower_argmax.c ----
bool lower_argmax(struct lowering *l, const struct node *n); // n: argmax_in_hardware
// ---- lower_upsample.c ----
bool lower_conv_transpose(struct lowering *l, const struct expression *e);
bool lower_resize_linear(struct lowering *l, const struct expression *e);
// ---- lower_exact.c ----
// An output channel whose accumulators, within acc_lo..acc_hi, mean ratio * (acc - offset) + bias output steps.
struct exact_channel {
    double ratio, bias;
    int64_t offset, acc_lo, acc_hi;
};
// Gives the requantizer of s, a product whose bias counts in whole accumulator steps so far, the least fraction of the bias
// that makes it equal for every accumulator to what c, one for each channel, means; by an element at ties within 2^-20
// when none does. E209 when that is too little.
bool exact_bias(struct lowering *l, const struct expression *e, struct stage *s, const struct exact_channel *c);
// ---- lower_stages.c ----
bool read_constant(struct lowering *l, const struct node *reader, const struct tensor *t, const char *what, struct constant *out);
// Real values of the bias tensor t, dequantized or float constants, times beta; NULL leaves the zeros of `bias`.
bool read_bias(struct lowering *l, const struct node *n, const struct tensor *t, int64_t out_c, double beta, double *bias);
bool weight_range_ok(struct lowering *l, const struct node *n, int64_t w);
// A stream carries one image a frame; image_order has no order for several.
bool single_image(struct lowering *l, const struct node *n);
// What follows from a product's weights: widths, accumulator bounds, bias with the input's zero point folded in,
// requantizer.
bool finish_product(struct lowering *l, const struct expression *e, const struct source *in, struct stage *s,
                    const struct product *p, double alpha);
// The clamp of e in output steps.
void clamp_of(const struct expression *e, int *lo, int *hi);
// Stages that see one element at a time are a window of one pixel.
struct window_geometry elementwise_geometry(int64_t h, int64_t w);
struct stage *new_stage(struct lowering *l, enum stage_kind kind, const struct expression *e);
// A table for e's quantization, clamp and unaries over stream s, brought into another order where a constant of theirs
// differs within a channel. Returns its output stream, or -1 (reported).
int table_stage(struct lowering *l, const struct expression *e, struct source *s);
// The usual order for a tensor of these dims: rank 4 NCHW and rank 3 NCL as image rows, else as it is.
const int32_t *image_order(struct arena *a, const struct tensor *t, int64_t *h, int64_t *w, int64_t *c);
bool lower_main(struct lowering *l, const struct expression *e);
// The pool e->main over `in`.
bool lower_pool_of(struct lowering *l, const struct expression *e, struct source *in);
bool lower_table(struct lowering *l, const struct expression *e, const struct source *s);
// Makes stream `s` the view of q's output; `element[p]` is the element of e->result at position p.
void bind_view(struct lowering *l, const struct expression *e, int stream, const int32_t *element);

#endif

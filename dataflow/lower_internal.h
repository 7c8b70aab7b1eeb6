// SPDX-License-Identifier: Apache-2.0
// What lower.c and lower_stages.c share.
#ifndef AIHLS_LOWER_INTERNAL_H
#define AIHLS_LOWER_INTERNAL_H

#include "dataflow/lower.h"

// An integer tensor of the model seen as a stream: position p of the stream holds element
// logical[p] of the tensor. A free view (logical NULL) is the pipeline's input before its
// first reader decided its order.
struct view {
    int stream; // -1: not lowered, or failed
    const int32_t *logical;
};

// A float tensor as its reader sees it: the stream behind it, and for each stream position the
// row major element of that float tensor.
struct source {
    int stream;
    const int32_t *element; // [count]; NULL while the input's order is free
    const int32_t *map;     // element of the reader's tensor -> element of the integer tensor; NULL: same
    const struct tensor *tensor; // the integer tensor
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

struct lowering {
    const struct ctx *cx;
    const struct graph *g;
    struct pipeline *p;
    struct view *views; // per graph tensor
    enum requant_mode mode;
};

// A quantization scale and zero point of Q or DQ node n, per tensor. False (reported) when not constant or invalid.
bool read_qparam(struct lowering *l, const struct node *n, double *scale, int *zero_point, bool *flip);
bool resolve_source(struct lowering *l, const struct node *reader, const struct tensor *t, struct source *out);
// Demands that stream position p holds element want(p) of the source; E208 at `reader` otherwise.
bool demand_order(struct lowering *l, const struct node *reader, struct source *s, const int32_t *want, int64_t h, int64_t w, int64_t c);
// The usual order for a tensor of these dims: rank 4 NCHW and rank 3 NCL as image rows, else as it is.
const int32_t *image_order(struct arena *a, const struct tensor *t, int64_t *h, int64_t *w, int64_t *c);
bool lower_main(struct lowering *l, const struct expression *e);
// The pool e->main over `in`.
bool lower_pool_of(struct lowering *l, const struct expression *e, struct source *in);
bool lower_table(struct lowering *l, const struct expression *e, const struct source *s, double in_scale, int in_zp, int in_stream);
// Makes stream `s` the view of q's output; `element[p]` is the element of e->result at position p.
void bind_view(struct lowering *l, const struct expression *e, int stream, const int32_t *element);

#endif

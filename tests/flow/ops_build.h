// SPDX-License-Identifier: Apache-2.0
// ops_build: what ops_graph.c and ops_move.c build their graphs from.
#ifndef AIHLS_OPS_BUILD_H
#define AIHLS_OPS_BUILD_H

#include "tests/flow/ops_graph.h"

#define ACTIVATION_SPREAD 74 // standard deviation of a uniform 8-bit number

int64_t random_pick(struct random *r, const int64_t *list, int n);
#define PICK(r, ...)                                                                               \
    random_pick((r), (const int64_t[]){ __VA_ARGS__ }, (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)))

struct builder {
    struct graph *g;
    struct random *r;
};

// An integer tensor with its meaning. rank 4: [1, c, h, w]; 3: [1, c, w]; 2: [h, c].
struct value {
    struct tensor *q;
    enum dtype dtype;
    double scale;
    int zero_point;
    int rank;
    int64_t c, h, w;
};

struct tensor *temporary(struct builder *b, const char *name);
struct tensor *float_const(struct builder *b, const char *name, double x);
struct tensor *int64_list(struct builder *b, const char *name, int n, const int64_t *v);
struct tensor *dequantize(struct builder *b, const struct value *v);
struct tensor *quantize_as(struct builder *b, struct tensor *x, const struct value *v);
// Quantizes x, whose values spread about `spread`, to a random type and zero point. Scales are such that results
// saturate now and then and yet use most codes.
struct value quantize(struct builder *b, struct tensor *x, double spread, bool clamp, const struct value *shape);

// rows of `per_row` weights with one scale each or one for all, dequantized; `axis` is the rows' place in dims.
struct weights {
    struct tensor *f;    // dequantized
    const double *scale; // [rows]
    double spread;       // of a row's product sum, in units of its scale and the activation's
};
struct weights random_weights(struct builder *b, int rank, const int64_t *dims, int axis);
double median_scale(const double *s, int64_t n);
// A bias of int32 behind a DequantizeLinear, of floats, or none.
struct tensor *random_bias(struct builder *b, int64_t n, double in_scale, const struct weights *w);

struct value same_conv(struct builder *b, const struct value *v); // of the same shape
struct value table(struct builder *b, const struct value *v);
struct tensor *random_unary(struct builder *b, struct tensor *x);

struct value add(struct builder *b, const struct value *p, const struct value *q);
struct value flatten(struct builder *b, const struct value *v); // to one row; no QuantizeLinear behind it
struct value random_input(struct builder *b);
struct value input_like(struct builder *b, const struct value *shape);
struct value any_operator(struct builder *b, const struct value *v);

// ---- ops_ports.c: several inputs and outputs; sets those of the graph ----
void ops_ports(struct builder *b);
// ---- ops_move.c: operators that move, join, repeat and upsample ----
struct value ops_move(struct builder *b, const struct value *v);
// The index of the largest channel of each pixel (of each row of a matrix); what it gives can only be an output.
struct value ops_argmax(struct builder *b, const struct value *v);

#endif

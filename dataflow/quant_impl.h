// SPDX-License-Identifier: Apache-2.0
// quant_impl: what the files of the quantizer share. quant.c marks the tensors and rewrites the graph; quant_range.c looks at
// calibration frames and chooses ranges; quant_fit.c rounds weights and corrects biases.
#ifndef AIHLS_QUANT_IMPL_H
#define AIHLS_QUANT_IMPL_H

#include "dataflow/quant.h"

// What the quantizer found out about the float graph before it changes it; arrays by tensor index.
struct quant_marks {
    int n_tensors;
    const bool *inside; // concerns the hardware
    const bool *wanted; // gets a QuantizeLinear
    const bool *whole;  // keeps its whole range: outputs, and what is compared
    const struct tensor *const *source; // of the range, or NULL: itself
    const int *bits;    // of its integers
};

// The step and the zero point that integers of `bits` bits have for [lo, hi] made to hold 0. The least integer is
// -2^(bits-1).
struct quant_step {
    float scale;
    int zero, least, most;
};
struct quant_step quant_step_of(const struct quant_range *r, int bits);
// What x is after a QuantizeLinear and a DequantizeLinear.
static inline float quant_rounded(const struct quant_step *s, float x);

// The float values of some calibration frames, all tensors of each.
struct quant_frames {
    int64_t n;
    struct array **values; // [frame][tensor]
    struct arena *arenas;  // one a frame
};
// Products of one frame, about.
double quant_products(const struct graph *g);
void quant_frames_release(struct quant_frames *f);

// Ranges of all wanted tensors from all frames of `calib`, by `method`, into *ranges. *kept gets as many frames as memory
// and time allow, at least one, evenly chosen; release it also after an error.
bool quant_measure(const struct ctx *cx, const struct graph *g, const struct array *calib, const struct quant_marks *marks,
                   struct quant_ranges *ranges, struct quant_frames *kept);

// The matrix view of a node that multiplies by constant weights: Conv, ConvTranspose, Gemm, MatMul.
struct quant_matrix {
    const struct tensor *weights;
    int axis;           // of the weights: output channels
    int64_t channels, inner;   // element i belongs to channel i / inner % channels
    bool fits_rows;     // quant_fit knows how inputs become rows of factors (not ConvTranspose)
    int bias_input;     // 2, or 0: the node takes none
};
// False for any other node.
bool quant_matrix_of(const struct node *n, struct quant_matrix *out);

// Frames on their way through a graph whose products are integers where that is decided.
struct quant_run {
    const struct ctx *cx;
    const struct graph *g;
    const struct quant_marks *marks;
    struct quant_ranges *ranges;
    struct quant_frames *frames; // float
    struct arena *arenas;        // one a frame, for `now`
    struct array **now;          // [frame][tensor]
    const struct array **weights, **bias; // by node, dequantized; NULL: the model's
};
// Computes the outputs of n for one frame; false when it cannot be evaluated.
bool quant_run_node(const struct quant_run *f, const struct node *n, int64_t frame);
// Rounds tensor t of one frame to the integers of its range, in place.
void quant_run_round(const struct quant_run *f, const struct tensor *t, int64_t frame);
// Decides the layer, by rows of `now` and the float outputs, appends it to f->ranges and takes it for n from then on. E209 for
// weights that are not finite.
bool quant_run_fit(struct quant_run *f, const struct node *n, const struct quant_matrix *mx);

// Evaluates n frames of a batch, evenly chosen, in float. *out is to be released, also after an error.
bool quant_frames_run(const struct ctx *cx, const struct graph *g, const struct array *batch, int64_t n, struct quant_frames *out);
// Which tensors get integers; before the graph changes.
struct quant_marks quant_mark(const struct ctx *cx, const struct graph *g, const struct quant_options *options);

// Decides weights and biases of all products inside, into ranges->layers: layer after layer, each on inputs that went through
// the layers in front of it, against the float outputs.
bool quant_fit(const struct ctx *cx, const struct graph *g, const struct quant_marks *marks, struct quant_ranges *ranges,
               struct quant_frames *frames);
// The same without data: each weight to its nearest level, biases as they are. E209 for weights that are not finite.
bool quant_round(const struct ctx *cx, const struct graph *g, const struct quant_marks *marks, struct quant_ranges *ranges);
// One layer of that.
bool quant_layer_nearest(const struct ctx *cx, const struct graph *g, const struct node *n, int bits, struct quant_layer *out);
// Coordinate descent over q, levels of `bits` bits, from where it stands: lowers scale^2 q.H q - 2 scale q.h and returns its
// value. H is n x n, symmetric, not negative. `gradient`: room for n.
double quant_descend(int64_t n, const double *h_matrix, const double *h, int bits, double scale, int8_t *q, double *gradient);
const struct quant_layer *quant_layer_find(const struct quant_ranges *r, const struct node *n);
const struct quant_range *quant_range_find(const struct quant_ranges *r, const char *tensor);
// Weight and activation bits that the options ask of node n; 8 and 8 by default.
void quant_bits_of(const struct quant_options *o, const struct node *n, int *weights, int *activations);

static inline float quant_rounded(const struct quant_step *s, float x)
{
    float q = __builtin_nearbyintf(x / s->scale) + (float)s->zero;
    q = q < (float)s->least ? (float)s->least : q > (float)s->most ? (float)s->most : q;
    return (q - (float)s->zero) * s->scale;
}

#endif

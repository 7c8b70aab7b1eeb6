// SPDX-License-Identifier: Apache-2.0
// quant_error: how far the integers of each stream are from the real numbers that they stand for.
//
// Both references run the same frames. The real numbers are those of the model as it was given, if that is a float
// model; then the error is all that quantization does, of weights and of activations, up to that layer. A
// model that came quantized has no other numbers than its integers: there it is compared with itself without rounding
// between its layers (ref_float_unrounded).
#ifndef AIHLS_QUANT_ERROR_H
#define AIHLS_QUANT_ERROR_H

#include "hls/design.h"

struct stream_error {
    int64_t elements;     // compared; 0: none, and the rest means nothing
    double signal, noise; // sums of squares: of the real numbers, and of the integers' distance from them
};

struct quant_error {
    int64_t frames;
    bool given; // frames of the calibration file, or of the simulation's; else random ones
    struct stream_error *streams; // as d->pipeline->streams
};

// does      runs 1 to QUANT_ERROR_FRAMES frames, as many as QUANT_ERROR_MACS allow, evenly chosen from the calibration
//           inputs, else random_frame; no diagnostics
// requires  design_read
// provides  d->error; NULL when the float reference cannot evaluate the model in this way
// cost      a float and an integer inference a frame
#define QUANT_ERROR_FRAMES 8
#define QUANT_ERROR_MACS 20000000
// Of networks with more multiply-accumulates a frame `aihls sim` measures it, for whose run-time it does not matter.
#define QUANT_ERROR_COMPILE_MACS 40000000
void quant_error_measure(const struct ctx *cx, struct design *d);

// 10 log10(signal / noise). False when nothing was compared, or when it has no value: no signal, or no noise.
bool quant_error_sqnr_db(const struct stream_error *e, double *out);
// Root of the mean square distance in steps of `scale`. False when nothing was compared.
bool quant_error_steps(const struct stream_error *e, double scale, double *out);

#endif

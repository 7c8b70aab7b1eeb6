// SPDX-License-Identifier: Apache-2.0
// precision: bit widths of weights, layer by layer, that cost least memory within a bound on accuracy.
#ifndef AIHLS_PRECISION_H
#define AIHLS_PRECISION_H

#include <jansson.h>

#include "hls/design.h"

struct precision_layer {
    const char *name;
    int bits;
    int64_t n_weights;
    double error[3]; // at the outputs, of the layer alone in 8, 4 and 2 bits (struct quant_alone)
};

struct precision_choice {
    struct precision_layer *layers;
    int n_layers, trials;
    int64_t frames, weight_bits, weight_bits_before; // before: all in 8 bits
    double accuracy_float, accuracy; // percent; without labels 100 and the agreement
    bool labelled, met;
};

// does      measures every layer alone in each width (quant_layers_alone), orders the steps to fewer bits by error for each
//           bit of memory saved, and takes as many of them as request.min_accuracy and request.max_loss allow on
//           request.data: found by bisection, each trial a whole quantization measured with the integer reference. The layer
//           of the step that is too much keeps its width, and the search goes on behind it
// requires  d->source, d->calib, request.data; g: the simplified float graph, which stays as it is
// provides  d->precision, and *options with its widths; W303, or E303 with request.strict, when 8 bits miss the bound
// cost      24 trials at most: compilations up to lower_graph and evaluations of the data
bool precision_choose(const struct ctx *cx, const struct graph *g, struct design *d, struct quant_options *options, design_progress *say, void *user);

// For report.json. New reference.
json_t *precision_report(const struct precision_choice *c);

#endif

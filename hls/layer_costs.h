// SPDX-License-Identifier: Apache-2.0
// layer_costs: which layers cost most accuracy, each of them alone rounded to its integers.
#ifndef AIHLS_LAYER_COSTS_H
#define AIHLS_LAYER_COSTS_H

#include "hls/design.h"

// does      measures quant_layers_alone on `batch`; prints the layers that cost most to the standard output, and draws all of them
//           into the SVG file `svg` (NULL: none). E002 when it cannot be written.
// requires  d->plain
bool layer_costs(const struct ctx *cx, const struct design *d, const struct array *batch, const char *svg);

#endif

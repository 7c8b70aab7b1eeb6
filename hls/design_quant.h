// SPDX-License-Identifier: Apache-2.0
// design_quant: what the quantizer decided and what it was asked for, as text.
#ifndef AIHLS_DESIGN_QUANT_H
#define AIHLS_DESIGN_QUANT_H

#include <jansson.h>

#include "dataflow/quant.h"

// {"ranges": [[tensor, lo, hi, bits], …], "layers": [{"output", "bits", "weights": two hexadecimal digits each,
// "scale": […], "bias": […] or null}, …]} into `o`.
void quant_write_json(const struct quant_ranges *r, json_t *o);
// The same back, in arena `a`; false when it is damaged.
bool quant_read_json(struct arena *a, const json_t *o, struct quant_ranges *r);

// "conv1=8,fc=4/8,*=2": bits of the weights, and behind a slash of what the layer computes; or the path of a .json file with
// {"conv1": 8, "fc": {"weights": 4, "activations": 8}}. E401 (E002 for the file) with what is wrong.
bool quant_parse_precision(const struct ctx *cx, const char *text, struct quant_options *out);

#endif

// SPDX-License-Identifier: Apache-2.0
// lower: from the quantized graph to stages and streams.
#ifndef AIHLS_LOWER_H
#define AIHLS_LOWER_H

#include "dataflow/pipeline.h"

enum requant_mode { REQUANT_EXACT, REQUANT_FAST, REQUANT_SHIFT };

// does      recognises, for every QuantizeLinear, the operator between the DequantizeLinears that
//           feed it and itself, and makes stages of it (lower_main): products, pools, sums, concatenations, functions of
//           one element (as 256-entry tables, chains of them too); Relu and Clip become the requantizer's clamp. Operators
//           that move elements, and orders that a reader demands, cost nothing or become gather stages; E208 where no
//           gather can do it. Operators in front of the first and
//           behind the last of these run on the host. Every input that hardware reads and every output becomes a
//           port; E211 for an output that only the host computes and for an input with two quantizations.
// requires  a shaped, simplified graph in QDQ form (quantize_graph)
// provides  a pipeline without a schedule: folds are zero
// cost      O(elements of weights and activations)
// Reports every operator that cannot be built.
bool lower_graph(const struct ctx *cx, const struct graph *g, enum requant_mode mode, const char *name,
                 struct pipeline **out);

// ratio as mult * 2^-shift, mult normalised to mult_bits; see architecture section 2: the value is
// computed in double and rounded once, half to even. False when shift would leave 0..62.
bool requant_constant(double ratio, int mult_bits, int32_t *mult, int *shift);

#endif

// SPDX-License-Identifier: Apache-2.0
// simplify: rewrites a shaped graph into fewer kinds of nodes with the same meaning.
#ifndef AIHLS_SIMPLIFY_H
#define AIHLS_SIMPLIFY_H

#include "frontend/graph.h"

// does      to a fixed point:
//             constant folding (every node whose inputs are constants, DequantizeLinear excepted:
//               a quantized weight stays a DequantizeLinear of a constant);
//             Identity, Dropout, no-op Reshape, Resize, Tile, Cast to the same type, zero Pad: removed;
//             QLinearConv, QLinearMatMul, QLinearAdd, QLinearMul, QLinearAveragePool, QLinearGlobalAveragePool,
//               QLinearSigmoid, QLinearLeakyRelu, QLinearConcat, QLinearReduceMean, QLinearSoftmax, QGemm: rewritten as
//               DequantizeLinear → float operator → QuantizeLinear, constants too;
//             integers held in floats, QONNX's Quant, BipolarQuant and Trunc, MatMulInteger, ConvInteger: rewritten in
//               QuantizeLinear and DequantizeLinear; E207, E209 for Quants that have no meaning. Those of activations that hardware has not
//               stay: see simplify_quant_fits;
//             operators written as several: as one (simplify_pattern.c has the table);
//             BatchNormalization, Mul, Add, Sub, Div by constants behind a Conv/Gemm with dequantized integer weights (sole consumer): into the
//               weights' scales and a bias, both float64 constants, which are exact; the node has the attribute resolved_bias;
//             what stands in front of the first and behind the last QuantizeLinear and runs on the host: gets the attribute resolved_host;
//             BatchNormalization: into the Conv/ConvTranspose/Gemm in front of it (float weights, sole consumer),
//               else into the Conv without padding/Gemm/Flatten-Gemm behind it (a pure factor: any Conv, ConvTranspose),
//               else into a depthwise 1x1 Conv (rank 3, 4) or Mul+Add;
//             Mul/Add/Sub/Div by a constant per channel or scalar behind a Conv/ConvTranspose/Gemm/MatMul (float weights,
//               sole consumer): into its weights and bias; MatMul + constant Add becomes Gemm when 2-D;
//             Pad (constant, value 0 — or, behind a DequantizeLinear, real 0) in front of Conv or of an AveragePool with
//               count_include_pad: into its pads;
//             Squeeze, Unsqueeze, Flatten: rewritten as Reshape with a constant shape;
//             ReduceMean over the two spatial axes: as GlobalAveragePool (+ Reshape when keepdims is 0);
//             equal QuantizeLinear or DequantizeLinear nodes on one tensor: merged;
//             nodes that no output needs: removed.
// requires  shape_infer
// provides  shape_infer holds, node meanings unchanged up to float rounding
// cost      O(nodes * passes) plus folded arithmetic
bool simplify_graph(const struct ctx *cx, struct graph *g);

// Says why n, a Quant or BipolarQuant that simplification left, is none for hardware, and gives false: E206 for computed parameters, E207 for
// more than eight bits, E209 for several scales, E202 for other roundings than to nearest. True when there is no reason.
bool simplify_quant_fits(const struct ctx *cx, const struct graph *g, const struct node *n);

#endif

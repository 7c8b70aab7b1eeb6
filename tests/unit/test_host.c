// SPDX-License-Identifier: Apache-2.0
// The run-time library's operators against the float reference, each on a graph of that one node.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/partition.h"
#include "frontend/shape.h"
#include "sim/host.h"
#include "sim/ref_float.h"
#include "tests/support/qdq.h"

#define X "f x 2 3 4 4" // the usual image

// inputs: a row each, type, name and dims: f float in [-2, 2], p float in (0, 2], i int64 in [-3, 3], b bool, u uint8, q int8; capitals are
// constants. Numbers that mean something: w int64 in [-2, 1], n int64 in [0, 1], l int64 and j int32 in [0, 4], r rows of an image's number and
// four coordinates. attributes: name=v or name=v,v (integers), name:v or name:v,v (floats), name"text; activations are several.
static const struct row {
    const char *op, *inputs, *attributes;
    int outputs;
} rows[] = {
#define UNARY(name) { #name, X, "", 1 },
    UNARY(Relu) UNARY(LeakyRelu) UNARY(Sigmoid) UNARY(Tanh) UNARY(HardSigmoid) UNARY(HardSwish) UNARY(Elu) UNARY(Selu) UNARY(Celu) UNARY(Softplus)
    UNARY(Softsign) UNARY(ThresholdedRelu) UNARY(Abs) UNARY(Neg) UNARY(Exp) UNARY(Erf) UNARY(Sign) UNARY(Floor) UNARY(Ceil) UNARY(Round) UNARY(Sin)
    UNARY(Cos) UNARY(Tan) UNARY(Atan) UNARY(Sinh) UNARY(Cosh) UNARY(Asinh) UNARY(Shrink) UNARY(IsNaN) UNARY(IsInf) UNARY(Identity)
    { "Sqrt", "p x 9", "", 1 }, { "Log", "p x 9", "", 1 }, { "Reciprocal", "p x 9", "", 1 }, { "Acosh", "p x 9", "", 1 }, { "Mish", X, "", 1 },
    { "Gelu", X, "", 1 }, { "Gelu", X, "approximate\"tanh", 1 }, { "LeakyRelu", X, "alpha:0.3", 1 }, { "Shrink", X, "lambd:1 bias:0.25", 1 },
    { "Abs", "i x 7", "", 1 }, { "Neg", "q x 7", "", 1 }, { "Sign", "i x 7", "", 1 }, { "Not", "b x 7", "", 1 }, { "BitwiseNot", "u x 7", "", 1 },
#define BINARY(name) { #name, "f a 2 3 4;f b 3 1", "", 1 }, { #name, "i a 2 1 4;i b 3 1", "", 1 },
    BINARY(Add) BINARY(Sub) BINARY(Mul) BINARY(Div) BINARY(Equal) BINARY(Greater) BINARY(GreaterOrEqual) BINARY(Less) BINARY(LessOrEqual)
    BINARY(Min) BINARY(Max)
    { "Pow", "p a 5;f b 5", "", 1 }, { "Mod", "i a 9;i b 9", "", 1 }, { "Mod", "f a 9;p b 9", "fmod=1", 1 }, { "And", "b a 4;b b 3 1", "", 1 },
    { "Or", "b a 4;b b 3 1", "", 1 }, { "Xor", "b a 4;b b 3 1", "", 1 }, { "BitwiseAnd", "u a 9;u b 9", "", 1 }, { "BitwiseOr", "u a 9;u b 9", "", 1 },
    { "BitwiseXor", "u a 9;u b 9", "", 1 }, { "BitShift", "u a 9;u b 9", "direction\"LEFT", 1 }, { "BitShift", "u a 9;u b 9", "direction\"RIGHT", 1 },
    { "PRelu", "f a 2 3 4;f b 3 1", "", 1 }, { "Sum", "f a 3;f b 2 1;f c 1", "", 1 }, { "Mean", "f a 3;f b 2 1;f c 1", "", 1 }, { "Max", "f a 3", "", 1 },
    { "Min", "f a 3;f b 2 1;f c 1", "", 1 }, { "Where", "b c 3;f a 2 1;f b 3", "", 1 }, { "Where", "b c 3;i a 2 1;i b 3", "", 1 },
    { "Clip", X ";F lo;F hi", "", 1 }, { "Clip", "i x 9;I lo;I hi", "", 1 }, { "Clip", X, "", 1 },
    { "Cast", X, "to=7", 1 }, { "Cast", "i x 9", "to=1", 1 }, { "Cast", X, "to=9", 1 }, { "Cast", X, "to=2", 1 }, { "Cast", X, "to=11", 1 },
    { "QuantizeLinear", X ";P s;Q z", "", 1 }, { "QuantizeLinear", X ";P s 3;Q z 3", "axis=1", 1 }, { "DequantizeLinear", "u x 2 3 4;P s 3;U z 3", "axis=1", 1 },
    { "DequantizeLinear", "q x 2 3 4;P s", "", 1 },
    { "Transpose", X, "perm=0,2,3,1", 1 }, { "Transpose", X, "", 1 }, { "DepthToSpace", "f x 1 8 2 3", "blocksize=2", 1 }, { "SpaceToDepth", "f x 1 2 4 6", "blocksize=2", 1 },
    { "Concat", "f a 2 3 4;f b 2 1 4;f c 2 2 4", "axis=1", 1 }, { "Concat", "i a 2;i b 3", "axis=0", 1 }, { "Flatten", X, "", 1 },
    { "GatherElements", "f x 3 4;i k 2 4", "axis=0", 1 }, { "Gather", "f x 3 5 2;i k 2 2", "axis=1", 1 }, { "Gather", "i x 7;i k 3", "", 1 },
    { "MatMul", "f a 3 4;f b 4 5", "", 1 }, { "MatMul", "f a 2 1 3 4;f b 3 4 5", "", 1 }, { "MatMul", "f a 4;f b 4 5", "", 1 }, { "MatMul", "f a 2 3 4;f b 4", "", 1 },
    { "Gemm", "f a 3 4;f b 4 5;f c 5", "", 1 }, { "Gemm", "f a 4 3;f b 5 4;f c 3 1", "transA=1 transB=1 alpha:0.5 beta:2", 1 }, { "Gemm", "f a 3 4;f b 4 5", "", 1 },
    { "Einsum", "f a 2 3 4;f b 2 4 5", "equation\"bij,bjk->bik", 1 }, { "Einsum", "f a 3 3", "equation\"ii->i", 1 }, { "Einsum", "f a 2 3;f b 4", "equation\"ij,k->", 1 },
    { "Einsum", "f a 2 1 3 4;f b 5 4 2", "equation\"...ij,...jk->...ik", 1 },
    { "Conv", "f x 2 4 7 6;f w 6 2 3 3;f b 6", "group=2 pads=1,0,2,1 strides=2,1 dilations=1,2", 1 }, { "Conv", "f x 1 3 9;f w 2 3 4", "", 1 },
    { "Conv", "f x 1 3 5 5;f w 3 1 3 3", "group=3", 1 }, { "ConvTranspose", "f x 2 4 5 4;f w 4 3 3 3;f b 6", "group=2 pads=1,0,1,1 strides=2,3", 1 },
    { "MaxPool", "f x 1 2 7 7", "kernel_shape=3,2 strides=2,2 pads=1,0,1,1", 1 }, { "MaxPool", "f x 1 2 7 7", "kernel_shape=2,2 dilations=2,2 ceil_mode=1 strides=2,2", 1 },
    { "AveragePool", "f x 1 2 7 7", "kernel_shape=3,2 strides=2,2 pads=1,0,1,1", 1 }, { "AveragePool", "f x 1 2 7 7", "kernel_shape=3,3 strides=2,2 pads=1,1,1,1 count_include_pad=1", 1 },
    { "LpPool", "f x 1 2 7 7", "kernel_shape=3,3 p=3", 1 }, { "GlobalAveragePool", "f x 1 3 4 5", "", 1 }, { "GlobalMaxPool", "f x 1 3 4 5", "", 1 }, { "GlobalLpPool", "f x 1 3 4", "", 1 },
    { "ReduceSum", "f x 2 3 4;A axes", "", 1 }, { "ReduceSum", "i x 2 3 4;A axes", "keepdims=0", 1 }, { "ReduceMean", X, "axes=1,3 keepdims=0", 1 }, { "ReduceMax", X, "axes=-1", 1 },
    { "ReduceMin", X, "axes=0,2", 1 }, { "ReduceProd", X, "axes=1", 1 }, { "ReduceL1", X, "", 1 }, { "ReduceL2", X, "axes=2", 1 }, { "ReduceLogSum", "p x 3 4", "axes=1", 1 },
    { "ReduceLogSumExp", X, "axes=1", 1 }, { "ReduceSumSquare", X, "axes=1,2", 1 }, { "ReduceMax", "i x 3 4", "axes=1", 1 },
    { "ArgMax", X, "axis=1", 1 }, { "ArgMin", "q x 3 40", "axis=1 keepdims=0", 1 }, { "ArgMax", "q x 3 40", "axis=1 select_last_index=1", 1 },
    { "Softmax", X, "axis=1", 1 }, { "LogSoftmax", X, "", 1 }, { "Hardmax", X, "axis=2", 1 },
    { "LayerNormalization", X ";f s 4 4;f b 4 4", "axis=2", 3 }, { "LayerNormalization", X ";f s 4", "epsilon:0.01", 1 }, { "InstanceNormalization", X ";f s 3;f b 3", "", 1 },
    { "LRN", "f x 1 5 3 3", "size=3 alpha:0.1", 1 }, { "LRN", "f x 1 5 3 3", "size=6442450944 alpha:1e9", 1 }, { "LpNormalization", X, "axis=1 p=1", 1 }, { "LpNormalization", X, "", 1 },
    { "CumSum", X ";O axis", "reverse=1 exclusive=1", 1 }, { "CumSum", X ";O axis", "", 1 },
    { "TopK", "f x 3 9;K k", "", 2 }, { "TopK", "q x 3 9;K k", "largest=0", 2 },
    { "Resize", "f x 1 2 3 4;-;S scales", "mode\"linear", 1 }, { "Resize", "f x 1 2 3 4;-;S scales", "mode\"linear coordinate_transformation_mode\"asymmetric", 1 },
    { "Resize", "f x 1 2 3 4;-;S scales", "mode\"nearest", 1 }, { "Resize", "f x 1 2 3 4;-;S scales", "mode\"cubic", 1 },
    { "Resize", "f x 1 2 3 4;-;S scales", "mode\"cubic exclude_outside=1 coordinate_transformation_mode\"align_corners cubic_coeff_a:-0.5", 1 }, { "Tile", "f x 2 3;R repeats", "", 1 }, { "Expand", "f x 3 1;R shape", "", 1 },
    { "LSTM", "f x 5 2 3;f w 1 16 3;f r 1 16 4;f b 1 32", "hidden_size=4", 3 }, { "LSTM", "f x 5 2 3;f w 2 16 3;f r 2 16 4", "hidden_size=4 direction\"bidirectional", 3 },
    { "LSTM", "f x 4 1 3;f w 1 8 3;f r 1 8 2;f b 1 16;-;f h 1 1 2;f c 1 1 2", "hidden_size=2 direction\"reverse", 2 },
    { "GRU", "f x 5 2 3;f w 1 12 3;f r 1 12 4;f b 1 24", "hidden_size=4", 2 }, { "GRU", "f x 5 2 3;f w 1 12 3;f r 1 12 4;f b 1 24", "hidden_size=4 linear_before_reset=1", 2 },
    { "RNN", "f x 5 2 3;f w 2 4 3;f r 2 4 4;f b 2 8;-;f h 2 2 4", "hidden_size=4 direction\"bidirectional", 2 },
    { "LSTM", "f x 5 2 3;f w 2 16 3;f r 2 16 4;f b 2 32;j n 2;f h 2 2 4;f c 2 2 4;f p 2 12", "hidden_size=4 direction\"bidirectional", 3 },
    { "LSTM", "f x 2 5 3;f w 1 16 3;f r 1 16 4;f b 1 32;-;-;-;f p 1 12", "hidden_size=4 layout=1 clip:0.5 input_forget=1", 3 },
    { "LSTM", "f x 5 2 3;f w 1 16 3;f r 1 16 4", "hidden_size=4 activations\"HardSigmoid,ScaledTanh,Affine activation_alpha:0.3,0.7,0.9 activation_beta:0.4,0.6,0.1", 3 },
    { "GRU", "f x 5 2 3;f w 2 12 3;f r 2 12 4;f b 2 24;j n 2", "hidden_size=4 direction\"bidirectional activations\"Sigmoid,Softsign,Elu,Relu", 2 },
    { "RNN", "f x 2 5 3;f w 1 4 3;f r 1 4 4;-;j n 2", "hidden_size=4 direction\"reverse layout=1 activations\"LeakyRelu", 2 },
    { "Conv", "f x 2 4 3 7 6;f w 6 2 2 3 3;f b 6", "group=2 pads=1,1,0,0,2,1 strides=1,2,1 dilations=1,1,2", 1 },
    { "ConvTranspose", "f x 2 4 3 5 4;f w 4 3 2 3 3;f b 6", "group=2 pads=0,1,0,1,1,1 strides=2,2,3", 1 },
    { "MaxPool", "f x 1 2 4 7 7", "kernel_shape=2,3,2 strides=1,2,2 pads=1,1,0,0,1,1", 1 }, { "AveragePool", "f x 1 2 4 7 7", "kernel_shape=2,3,2 pads=1,1,0,0,1,1 count_include_pad=1", 1 },
    { "MaxPool", "f x 2 2 7 6", "kernel_shape=3,2 strides=2,2 pads=1,0,1,1", 2 }, { "MaxPool", "f x 1 2 4 5 6", "kernel_shape=2,2,2 storage_order=1", 2 },
    { "MaxPool", "f x 1 2 5 6", "kernel_shape=2,2 storage_order=1", 2 }, { "GlobalAveragePool", "f x 1 3 2 4 5", "", 1 }, { "LpPool", "f x 1 2 3 7 7", "kernel_shape=2,3,3 p=1", 1 },
    { "ScatterElements", "f x 3 4;w k 2 3;f u 2 3", "axis=1", 1 }, { "ScatterElements", "f x 3 4;w k 2 3;f u 2 3", "reduction\"add", 1 },
    { "ScatterElements", "i x 3 4;w k 2 3;i u 2 3", "reduction\"mul", 1 }, { "ScatterElements", "f x 3 4;w k 2 3;f u 2 3", "reduction\"mul axis=-1", 1 },
    { "ScatterND", "f x 3 4 2;w k 2 2;f u 2 2", "", 1 }, { "ScatterND", "i x 3 4;w k 2 1;i u 2 4", "reduction\"add", 1 },
    { "GatherND", "f x 3 4 5;w k 2 2", "", 1 }, { "GatherND", "i x 3 4 5;w k 3 2 1", "batch_dims=1", 1 },
    { "OneHot", "i k 2 3;K depth;V v 2", "", 1 }, { "OneHot", "i k 2 3;K depth;V v 2", "axis=1", 1 }, { "OneHot", "f k 2 3;K depth;V v 2", "axis=0", 1 },
    { "ReverseSequence", "f x 4 3 2;l n 3", "", 1 }, { "ReverseSequence", "i x 3 4 2;l n 3", "batch_axis=0 time_axis=1", 1 },
    { "MaxUnpool", "f x 1 2 2 3;l k 1 2 2 3", "kernel_shape=2,2 strides=2,2", 1 },
    { "Trilu", "f x 2 3 4;O k", "upper=0", 1 }, { "Trilu", "i x 4 3", "", 1 }, { "Det", "f x 3 4 4", "", 1 }, { "Det", "f x 1 1", "", 1 },
    { "DFT", "f x 2 9 1", "axis=1", 1 }, { "DFT", "f x 2 9 3 2", "axis=1 inverse=1", 1 }, { "DFT", "f x 2 5 1;K n", "axis=1 onesided=1", 1 },
    { "STFT", "f x 2 16;O step;f w 4;K n", "", 1 }, { "STFT", "f x 1 12 2;K step;-;K n", "onesided=0", 1 },
    { "GridSample", "f x 2 3 4 5;f g 2 3 3 2", "", 1 }, { "GridSample", "f x 2 3 4 5;f g 2 3 3 2", "mode\"nearest padding_mode\"border", 1 },
    { "GridSample", "f x 1 2 4 5;f g 1 4 3 2", "mode\"bicubic padding_mode\"reflection", 1 }, { "GridSample", "f x 1 2 4 5;f g 1 4 3 2", "padding_mode\"reflection align_corners=1", 1 },
    { "GridSample", "f x 1 2 4 5;f g 1 4 3 2", "mode\"bicubic align_corners=1", 1 }, { "GridSample", "f x 1 2 4 5;f g 1 4 3 2", "mode\"bilinear padding_mode\"reflection", 1 },
    { "RoiAlign", "f x 2 3 6 7;p r 4 4;n k 4", "output_height=2 output_width=3 spatial_scale:2", 1 },
    { "RoiAlign", "f x 2 3 6 7;p r 4 4;n k 4", "output_height=2 output_width=3 sampling_ratio=2 mode\"max coordinate_transformation_mode\"output_half_pixel", 1 },
    { "MaxRoiPool", "f x 2 3 6 7;r r 4 5", "pooled_shape=2,3 spatial_scale:1.5", 1 },
    { "BatchNormalization", "f x 2 3 4;f s 3;f b 3;f m 3;p v 3", "", 1 },
    { "RMSNormalization", X ";f s 4", "epsilon:0.01", 1 }, { "RMSNormalization", X ";f s 3 4 4", "axis=1", 1 }, { "EyeLike", "f x 3 4", "k=1 dtype=7", 1 },
    { "Attention", "f q 2 3 4 5;f k 2 3 5 6;f v 2 3 6 7", "scale:0.5", 1 }, { "Attention", "f q 2 4 5;f k 2 6 5;f v 2 6 3;f m 4 6", "k_rows=1 scale:0.3", 1 },
    { "Attention", "f q 2 3 4 5;f k 2 3 6 5;f v 2 3 6 7;f m 3 1 6", "k_rows=1", 1 }, { "Attention", "f q 4 5;f k 5 6;f v 6 1;f m 4 1", "", 1 },
    { "MeanVarianceNormalization", "f x 2 3 4 5", "", 1 },
    { "MeanVarianceNormalization", "f x 2 3 4", "axes=0,2", 1 }, { "DynamicQuantizeLinear", "f x 3 4", "", 3 },
#define QUANT(mode) { "qonnx.custom_op.general:Quant", "f x 2 3 4;p s 3 1;f z 3 1;B b", "rounding_mode\"" mode, 1 }
    QUANT("ROUND"), QUANT("CEIL"), QUANT("FLOOR"), QUANT("ROUND_TO_ZERO"), QUANT("UP"), QUANT("HALF_UP"), QUANT("HALF_DOWN"), QUANT("DOWN"),
    { "qonnx.custom_op.general:Quant", "f x 2 3 4;p s;f z 4;B b", "signed=0 narrow=1", 1 }, { "qonnx.custom_op.general:BipolarQuant", "f x 2 3 4;p s 3 1", "", 1 },
    { "qonnx.custom_op.general:Trunc", "f x 2 3 4;p s 3 1;f z;B b;B c", "", 1 }, { "qonnx.custom_op.general:Trunc", "f x 2 3 4;p s;f z;B b;B c", "rounding_mode\"HALF_UP", 1 },
    { "MatMulInteger", "u a 2 3 4;u b 4 5;U za;U zb 5", "", 1 }, { "MatMulInteger", "q a 3 4;u b 4 5", "", 1 }, { "ConvInteger", "u x 1 2 5 5;u w 3 2 3 3;U z", "pads=1,1,1,1", 1 },
    { "RandomNormalLike", "f x 3 4", "mean:3 scale:0.5", 1 }, { "RandomUniformLike", "f x 3 4", "low:-1 high:4 seed:7", 1 }, { "Bernoulli", "p x 40", "", 1 },
    { "Bernoulli", "p x 40", "dtype=7 seed:3", 1 }, { "Multinomial", "f x 3 5", "sample_size=20", 1 }, { "Multinomial", "f x 2 3", "sample_size=9 dtype=7 seed:1", 1 },
    { "NegativeLogLikelihoodLoss", "f x 2 3 4;n k 2 4", "", 1 }, { "NegativeLogLikelihoodLoss", "f x 4 5;l k 4;p w 5", "reduction\"none", 1 },
    { "NegativeLogLikelihoodLoss", "f x 4 2;n k 4;p w 2", "reduction\"sum ignore_index=1", 1 }, { "SoftmaxCrossEntropyLoss", "f x 2 3 4;n k 2 4;p w 3", "", 2 },
    { "SoftmaxCrossEntropyLoss", "f x 4 3;n k 4", "reduction\"none ignore_index=0", 1 },
    { "TfIdfVectorizer", "n x 2 9", "mode\"TF max_gram_length=2 min_gram_length=1 max_skip_count=1 ngram_counts=0,2 ngram_indexes=0,1,3,2 pool_int64s=0,1,0,1,1,1", 1 },
    { "TfIdfVectorizer", "l x 12", "mode\"TFIDF max_gram_length=2 min_gram_length=2 max_skip_count=0 ngram_counts=0,1 ngram_indexes=0,1,2 pool_int64s=3,1,2,4,4 weights:1,0.5,2", 1 },
    { "TfIdfVectorizer", "l x 2 8", "mode\"TF max_gram_length=1 min_gram_length=1 max_skip_count=0 ngram_counts=0,3 ngram_indexes=0,0,1 pool_int64s=3,1,2", 1 },
    { "TfIdfVectorizer", "l x 2 8", "mode\"IDF max_gram_length=1 min_gram_length=1 max_skip_count=3 ngram_counts=0,3 ngram_indexes=0,1,2 pool_int64s=3,1,2", 1 },
    { "NonMaxSuppression", "f b 2 9 4;f s 2 3 9;K most;H iou;H least", "center_point_box=1", 1 }, { "NonMaxSuppression", "f b 1 9 4;f s 1 2 9;K most;H iou", "", 1 },
};

static int64_t values[4096];

static void operand(char *text)
{
    char type = text[0], *name = strtok(text + 1, " ");
    int64_t dims[8], n = 1;
    int rank = 0;
    float f[4096];
    for (char *d = strtok(NULL, " "); d; d = strtok(NULL, " "))
        n *= dims[rank++] = atoi(d);
    for (int64_t i = 0; i < n; i++) {
        values[i] = random_int(-3, 3);
        f[i] = (float)random_int(-200, 200) / 100;
    }
    switch (type) {
    case 'f': model_input(m, name, DT_FLOAT, rank, dims); return;
    case 'p': model_input(m, name, DT_FLOAT, rank, dims); return;
    case 'r': model_input(m, name, DT_FLOAT, rank, dims); return;
    case 'i':
    case 'w':
    case 'n':
    case 'l': model_input(m, name, DT_INT64, rank, dims); return;
    case 'j': model_input(m, name, DT_INT32, rank, dims); return;
    case 'V': model_f32(m, name, 1, dims, f); return;
    case 'B': model_f32(m, name, 0, NULL, &(float){ name[0] == 'b' ? 4 : 2 }); return;
    case 'b': model_input(m, name, DT_BOOL, rank, dims); return;
    case 'u': model_input(m, name, DT_UINT8, rank, dims); return;
    case 'q': model_input(m, name, DT_INT8, rank, dims); return;
    case 'F': model_f32(m, name, 0, NULL, (float[]){ name[0] == 'l' ? -0.5f : 1.25f }); return;
    case 'I': model_raw(m, name, DT_INT64, 0, NULL, 8, &(int64_t){ name[0] == 'l' ? -1 : 2 }); return;
    case 'P':
        for (int64_t i = 0; i < n; i++)
            f[i] = 0.01f + 0.03f * (float)i;
        model_f32(m, name, rank, dims, f);
        return;
    case 'Q':
    case 'U': model_raw(m, name, type == 'Q' ? DT_INT8 : DT_UINT8, rank, dims, (size_t)n, "\3\5\7\11"); return;
    case 'A': model_i64(m, name, 2, (int64_t[]){ 0, -1 }); return;
    case 'O': model_raw(m, name, DT_INT64, 0, NULL, 8, &(int64_t){ 1 }); return;
    case 'K': model_i64(m, name, 1, (int64_t[]){ 4 }); return;
    case 'R': model_i64(m, name, 2, (int64_t[]){ 3, 2 }); return;
    case 'S': model_f32(m, name, 1, (int64_t[]){ 4 }, (float[]){ 1, 1, 2, 1.5f }); return;
    case 'H': model_f32(m, name, 0, NULL, (float[]){ name[0] == 'i' ? 0.4f : -0.5f }); return;
    default: fail_msg("operand of type %c", type);
    }
}

static void attribute(char *text)
{
    char *at = text + strcspn(text, "=:\""), kind = *at, *end;
    int n = 0;
    *at++ = 0;
    if (kind == '"' && strcmp(text, "activations") == 0) {
        for (char *p = at; *p; p++)
            *p = *p == ',' ? ' ' : *p;
        model_strings(m, text, at);
    } else if (kind == '"')
        model_string(m, text, at);
    else if (kind == ':' && strchr(at, ',')) {
        float v[8];
        for (char *p = at; n < 8 && (n == 0 || *p++ == ','); p = end)
            v[n++] = strtof(p, &end);
        model_floats(m, text, n, v);
    } else if (kind == ':')
        model_float(m, text, strtof(at, NULL));
    else {
        for (char *p = at;; p = end + 1) {
            values[n++] = strtoll(p, &end, 10);
            if (*end != ',')
                break;
        }
        bool list = n > 1 || strcmp(text, "axes") == 0;
        if (list)
            model_ints(m, text, n, values);
        else
            model_int(m, text, values[0]);
    }
}

// No opset that is read has these; they come from simplification.
static enum op made_later(const struct row *r)
{
    return strcmp(r->op, "RMSNormalization") == 0 ? OP_RMSNormalization : strcmp(r->op, "Attention") == 0 ? OP_Attention : OP_COUNT;
}

static void build(const struct row *r)
{
    char text[256], in[128] = "", *next;
    snprintf(text, sizeof text, "%s", r->inputs);
    for (char *p = text; p; p = next) {
        next = strchr(p, ';');
        if (next)
            *next++ = 0;
        const char *name = *p == '-' ? "-" : p + 2;
        snprintf(in + strlen(in), sizeof in - strlen(in), "%s%.*s", in[0] ? " " : "", (int)strcspn(name, " "), name);
        if (*p != '-')
            operand(p);
    }
    model_node(m, made_later(r) != OP_COUNT ? "Sum" : r->op, in, r->outputs == 1 ? "y0" : r->outputs == 2 ? "y0 y1" : "y0 y1 y2");
    snprintf(text, sizeof text, "%s", r->attributes);
    for (char *p = text; p && *p; p = next) {
        next = strchr(p, ' ');
        if (next)
            *next++ = 0;
        attribute(p);
    }
    for (int i = 0; i < r->outputs; i++)
        model_output(m, (const char *[]){ "y0", "y1", "y2" }[i]);
}

// The letter of input `name` in a row.
static char letter_of(const struct row *r, const char *name)
{
    char key[16];
    snprintf(key, sizeof key, " %s ", name);
    const char *at = strstr(r->inputs, key);
    return at ? at[-1] : r->inputs[0];
}

static int64_t whole_number(char letter)
{
    switch (letter) {
    case 'i': return random_int(-3, 2);
    case 'w': return random_int(-2, 1);
    case 'n': return random_int(0, 1);
    case 'l':
    case 'j': return random_int(0, 4);
    default: return random_int(0, 7);
    }
}

static struct array frame(const struct tensor *t, char letter)
{
    struct array x = array_new(&arena, t->dtype, t->rank, t->dims);
    for (int64_t i = 0; i < array_count(&x); i++) {
        if (letter == 'r')
            array_set_f64(&x, i, i % 5 == 0 ? random_int(0, 1) : random_int(0, 5));
        else if (t->dtype == DT_FLOAT)
            array_set_f64(&x, i, (double)random_int(letter == 'p' ? 101 : -200, 200) / 100);
        else
            array_set_i64(&x, i, whole_number(letter));
    }
    return x;
}

// Everything on the host: a program without a core.
static struct host_program *describe(const struct graph *g)
{
    struct placement *places = arena_array(&arena, struct placement, g->n_nodes);
    struct partition part = { .whole = g, .places = places, .core = graph_new(&arena, "", "") };
    struct host_program *p;
    for (int i = 0; i < g->n_nodes; i++)
        places[i].on_host = true;
    if (!host_describe(&cx, &part, &p))
        fail_msg("%s", messages.text);
    return p;
}

static void like_the_reference(void **state)
{
    const struct row *r = &rows[(size_t)(uintptr_t)*state];
    struct graph *g;
    int64_t opset = strcmp(r->op, "Gelu") == 0 ? 20 : strncmp(r->op, "Bitwise", 7) == 0 || strcmp(r->op, "Mish") == 0 ? 18 : 17;
    model_free(m);
    m = model_new(opset);
    build(r);
    bool ok = model_parse(m, &cx, &g);
    if (ok && made_later(r) != OP_COUNT)
        g->nodes[0]->op = made_later(r);
    if (!ok || !shape_infer(&cx, g))
        fail_msg("%s: %s", r->op, messages.text);
    const struct aihls_host *h = &describe(g)->host;
    for (int f = 0; f < 3; f++) {
        struct array *x = arena_array(&arena, struct array, g->n_inputs), *want = arena_array(&arena, struct array, g->n_tensors);
        void *memory = arena_alloc(&arena, (size_t)h->bytes);
        for (int i = 0; i < g->n_inputs; i++) {
            x[i] = frame(g->inputs[i], letter_of(r, g->inputs[i]->name));
            memcpy(aihls_host_data(h, h->input_values[i], memory), x[i].data, (size_t)array_count(&x[i]) * dtype_bytes(x[i].dtype));
        }
        assert_true(ref_float_graph(&cx, g, &arena, x, want));
        aihls_host_run(h, 0, memory);
        for (int o = 0; o < g->n_outputs; o++) {
            const struct array *w = &want[g->outputs[o]->index];
            struct array y = *w;
            y.data = aihls_host_data(h, h->output_values[o], memory);
            assert_int_equal(h->outputs[o].type, w->dtype);
            assert_int_equal(h->outputs[o].count, array_count(w));
            for (int64_t i = 0; i < array_count(w); i++) {
                double a = array_f64(&y, i), b = array_f64(w, i);
                if (!(fabs(a - b) <= 2e-5 * fmax(1, fabs(b))) && !(isnan(a) && isnan(b)) && a != b)
                    fail_msg("%s %s %s: output %d, element %lld is %.9g, not %.9g", r->op, r->inputs, r->attributes, o, (long long)i, a, b);
            }
        }
    }
}

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows];
    size_t n = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ rows[i].op, like_the_reference, setup, qdq_teardown, (void *)(uintptr_t)i };
    return _cmocka_run_group_tests("host", tests, n, NULL, NULL);
}

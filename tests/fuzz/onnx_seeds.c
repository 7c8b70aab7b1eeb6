// SPDX-License-Identifier: Apache-2.0
// Seeds for the ONNX target: at least one small model of every operator, alone in float and between quantizers.
//
// A row is a chain of operators. The first has its inputs written out, the others read the one in front (but for _Operator)
// and what is written. An input is
//     x:1,2,4,4   computed, float32           i:1,2  computed, int8
//     w=2,2,1,1   constant of that shape      v=2,2  the same in int8      b=2  in int32
//     n=2,2,1,1   whole numbers in float32                       ^2          the result of two steps before
//     $name       a result of that name
//     f=1,2       these floats                l=1,2  these integers        s, z  a scale, an int8 zero point
//     -           omitted
// and everything else an attribute: name=1,2 (integers), name:1, name~0.5 or name@text.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/model.h"

static const struct seed_row {
    int opset;
    const char *text;
} rows[] = {
    { 13, "Conv x:1,2,5,4 w=3,2,3,2 w=3 kernel_shape=3,2 pads=1,0,1,1 strides=2,1 dilations=1,1" },
    { 13, "Conv x:1,4,6 w=4,1,3 group:4 auto_pad@SAME_UPPER" },
    { 11, "ConvTranspose x:1,2,3,3 w=2,2,2,2 w=2 strides=2,2 output_padding=1,0 pads=0,0,1,1 | Relu" },
    { 11, "ConvTranspose x:1,2,3,3 w=2,0,2,2 | Relu" },
    { 13, "Conv x:1,1,6,6 w=2,1,3,3 | BatchNormalization w=2 w=2 w=2 w=2 epsilon~0.01 | Relu | MaxPool kernel_shape=2,2 strides=2,2 | Flatten | Gemm w=8,3 w=3 | Softmax" },
    { 14, "Conv x:1,2,4,4 w=4,2,1,1 | Mul w=1,4,1,1 | Add w=4,1,1 | HardSwish | GlobalAveragePool | Reshape l=1,-1 | MatMul w=4,2 | Add w=2" },
    { 14, "Clip x:1,2,3,3 f=0 f=6 | AveragePool kernel_shape=2,2 ceil_mode:1 count_include_pad:1 pads=0,0,1,1" },
    { 7, "Clip x:1,2,3,3 min~0.0 max~6.0 | Upsample w=4" },
    { 8, "MaxPool x:1,2,5,5 kernel_shape=3,3 strides=2,2 pads=1,1,1,1 storage_order:0 | GlobalMaxPool" },
    { 13, "LpPool x:1,2,4,4 kernel_shape=2,2 p:1 | GlobalLpPool p:2" },
    { 13, "LeakyRelu x:1,3,2,2 alpha~0.1 | Sigmoid | PRelu w=3,1,1 | Tanh" },
    { 13, "Abs x:1,4 | Neg | Exp | Log | Sqrt | Reciprocal | Softplus | Softsign" },
    { 13, "Ceil x:1,4 | Floor | Round | Sign | Sin | Cos | Erf | Elu alpha~0.5 | Selu | Celu | HardSigmoid alpha~0.3 | ThresholdedRelu" },
    { 13, "Add x:1,2,3,3 x:1,2,3,3 | Sub x:1,2,1,1 | Mul x:1,2,3,3 | Div f=2 | Pow f=2" },
    { 13, "Max x:1,2,3,3 f=0.5 | Min f=2 | Max w=2,1,1" },
    { 13, "Concat x:1,2,3,3 x:1,1,3,3 axis:1 | Slice l=0,1 l=2,3 l=1,-1 l=1,1 | Pad l=0,0,1,1,0,0,1,1 mode@constant" },
    { 10, "Slice x:1,4,6,6 l=5 l=-10 l=2 l=-2 | Pad pads=0,0,1,0,0,0,0,1 mode@edge value~1.5" },
    { 13, "Pad x:1,2,4,4 l=0,0,1,2,0,0,2,1 mode@reflect | DepthToSpace blocksize:1 | SpaceToDepth blocksize:1" },
    { 13, "DepthToSpace x:1,8,2,2 blocksize:2 mode@CRD | SpaceToDepth blocksize:2 | Transpose perm=0,2,3,1" },
    { 13, "Gather x:1,4,3,3 l=2,0,1 axis:1 | Expand l=1,3,3,3 | Tile l=1,2,1,1" },
    { 13, "Resize x:1,2,3,3 - f=1,1,2,2 mode@nearest coordinate_transformation_mode@asymmetric nearest_mode@floor" },
    { 13, "Resize x:1,2,3,3 - f=1,1,2,2 mode@linear coordinate_transformation_mode@half_pixel" },
    { 13, "Resize x:1,2,3,3 - - l=1,2,5,4 coordinate_transformation_mode@align_corners" },
    { 10, "Resize x:1,1,2,2 f=1,1,1.5,3" },
    { 13, "ReduceMean x:1,3,4,4 axes=2,3 keepdims:0 | Unsqueeze l=2 | Squeeze l=2 | Identity" },
    { 13, "ReduceSum x:1,3,4 l=-1 keepdims:1" },
    { 11, "ReduceMax x:1,3,4 axes=1 | LogSoftmax axis:1" },
    { 13, "ArgMax x:1,5 axis:1 keepdims:0 | Cast to:1" },
    { 13, "Dropout x:1,5 f=0.5 | Cast to:1 | Identity" },
    { 13, "Shape x:1,5 | ConstantOfShape | Cast to:1" },
    { 13, "Gemm w=3,2 x:3,4 transA:1 alpha~0.5 beta~2.0 | Transpose" },
    { 13, "Gemm x:1,3 w=4,3 w=4 transB:1 | Flatten axis:0" },
    { 13, "QuantizeLinear x:1,2,2,2 s z | DequantizeLinear s z | Relu | QuantizeLinear s z" },
    { 13, "DequantizeLinear v=2,3 w=2 v=2 axis:0 | Identity" },
    { 13, "QLinearConv i:1,2,4,4 s z v=2,2,3,3 s z s z b=2 pads=1,1,1,1" },
    { 13, "QLinearMatMul i:2,3 s z v=3,2 s z s z" },
    { 13, "com.microsoft:QLinearAdd i:1,2,2,2 s z i:1,2,1,1 s z s z" },
    { 13, "com.microsoft:QLinearMul i:1,4 s z v=4 s z s z" },
    { 13, "com.microsoft:QLinearAveragePool i:1,2,4,4 s z s z kernel_shape=2,2" },
    { 13, "com.microsoft:QLinearGlobalAveragePool i:1,2,4,4 s z s z channels_last:0" },
    { 13, "com.microsoft:QLinearSigmoid i:1,4 s z s z" },
    { 13, "com.microsoft:QLinearLeakyRelu i:1,4 s z s z alpha~0.2" },
    { 13, "com.microsoft:QLinearReduceMean i:1,2,4,4 s z s z axes=2,3" },
    { 13, "com.microsoft:QLinearSoftmax i:1,4 s z s z axis:1 opset:13" },
    { 13, "com.microsoft:QLinearConcat s z i:1,2,2,2 s z i:1,3,2,2 s z axis:1" },
    { 13, "com.microsoft:QGemm i:1,3 s z v=2,3 s z b=2 s z transB:1" },
    { 13, "qonnx.custom_op.general:Quant x:1,4 f=0.5 f=0 f=4 signed:1 narrow:0 rounding_mode@ROUND" },
    { 13, "qonnx.custom_op.general:BipolarQuant x:1,4 f=0.5" },
    { 13, "qonnx.custom_op.general:Trunc x:1,4 f=0.5 f=0 f=8 f=4 rounding_mode@FLOOR" },
    { 13, "Conv x:1,2,16,16 w=4,2,3,3 auto_pad@VALID | Relu | Split axis:1" },
    { 13, "Acos x:1,4 | Asin | Atan | Acosh | Asinh | Atanh | Sinh | Cosh | Tan | Shrink lambd~0.2 bias~0.1" },
    { 20, "Gelu x:1,4 approximate@tanh | Mish | IsInf detect_negative:0 | Not | Cast to:1" },
    { 13, "Equal x:1,4 f=0 | Or x:1,4" },
    { 13, "Less x:2,2 x:1,2 | And b=2 | Where x:2,2 w=2" },
    { 18, "BitShift b=3 b=3 direction@LEFT | BitwiseXor b=3 | BitwiseNot" },
    { 13, "Mod x:1,4 f=3 fmod:1 | Sum x:1,4 w=4 | Mean x:1,4" },
    { 6, "Add x:1,2,3 w=2 broadcast:1 axis:1 | PRelu w=2" },
    { 18, "ReduceL1 x:1,3,4 l=1 keepdims:0 | ReduceL2 l=-1 noop_with_empty_axes:1" },
    { 13, "ReduceLogSumExp x:2,3 axes=0 | ReduceLogSum | ReduceProd | ReduceMin | ReduceSumSquare" },
    { 13, "CumSum x:2,3 l=1 exclusive:1 reverse:1 | ArgMin axis:0 select_last_index:1 | Hardmax" },
    { 13, "TopK x:2,4 l=2 axis:1 largest:0" },
    { 13, "GatherElements x:2,3 l=1,0,1 axis:1" },
    { 18, "ScatterElements x:3 l=1,0 f=1,2 axis:0 reduction@add | OneHot l=4 f=0,1 axis:0" },
    { 18, "ScatterND x:3,2 l=1 f=1,2 reduction@max | GatherND l=1 batch_dims:0" },
    { 14, "Trilu x:3,3 l=1 upper:0 | EyeLike k:1 dtype:6 | NonZero" },
    { 13, "Range l=0 l=5 l=2 | Size" },
    { 13, "ReverseSequence x:3,2,2 l=1,3 batch_axis:1 time_axis:0 | Compress b=2 axis:1 | Unique axis:0 sorted:0" },
    { 17, "LayerNormalization x:2,3,4 w=4 w=4 axis:-1 epsilon~0.01 | CastLike w=1" },
    { 21, "GroupNormalization x:1,4,2,2 w=4 w=4 num_groups:2 | InstanceNormalization w=4 w=4" },
    { 13, "LRN x:1,4,2,2 size:3 alpha~0.1 beta~0.5 bias~2 | LpNormalization axis:1 p:1 | MeanVarianceNormalization axes=0,2" },
    { 13, "Det x:2,3,3 | Einsum equation@i->i" },
    { 13, "Einsum x:2,3 w=3,4 equation@ij,jk->ik | Einsum w=4 equation@...k,k" },
    { 13, "NegativeLogLikelihoodLoss x:2,3 l=1,2 w=3 ignore_index:1 reduction@none" },
    { 13, "SoftmaxCrossEntropyLoss x:2,3 l=1,2 reduction@sum" },
    { 14, "LSTM x:2,1,3 w=1,8,3 w=1,8,2 w=1,16 - - - w=1,6 hidden_size:2 direction@reverse clip~1.5" },
    { 14, "GRU x:2,1,3 w=2,6,3 w=2,6,2 hidden_size:2 direction@bidirectional linear_before_reset:1" },
    { 14, "RNN x:1,2,3 w=1,2,3 w=1,2,2 layout:1 hidden_size:2" },
    { 16, "RoiAlign x:1,2,4,4 f=0,0,3,3 l=0 output_height:2 output_width:2 sampling_ratio:0 mode@max" },
    { 13, "MaxRoiPool x:1,2,4,4 f=0,0,0,3,3 pooled_shape=2,2 spatial_scale~0.5" },
    { 16, "GridSample x:1,1,3,3 w=1,2,2,2 mode@bicubic padding_mode@reflection align_corners:1" },
    { 13, "NonMaxSuppression x:1,3,4 w=1,1,3 l=2 f=0.5 f=0.1 center_point_box:1" },
    { 17, "DFT x:1,4,1 l=5 axis:1 onesided:1 | Squeeze l=0" },
    { 17, "STFT x:1,16 l=4 w=8 onesided:1" },
    { 17, "HannWindow l=6 periodic:0 | Mul f=2" },
    { 17, "MelWeightMatrix l=3 l=8 l=1000 f=10 f=400" },
    { 13, "MatMulInteger i:2,3 v=3,2 z z | Cast to:1" },
    { 13, "MatMulInteger i:1,2 f=-9.3e18,1 z z" },
    { 13, "ConvInteger i:1,1,4,4 v=1,1,2,2 z z pads=1,1,1,1" },
    { 13, "DynamicQuantizeLinear x:2,3" },
    { 13, "DynamicQuantizeLinear x:2,3 | _MatMulInteger ^1 v=3,2 $third | Cast to:1 | Mul $second | Mul f=0.5" },
    { 11, "Conv x:1,2,4,4 n=3,2,1,1 | Mul n=1,3,1,1 | Add n=1,3,1,1 | Cast to:7 | Mul l=35 | Div l=1024 | Cast to:1 | Clip f=0 f=255 | MaxPool kernel_shape=2,2 | Flatten | MatMul n=27,2 | Gather l=1 axis:1 | Sigmoid" },
    { 9, "Conv x:1,2,4,4 n=2,2,1,1 | Mul f=3 | Div f=64 | Floor | Clip min~0 max~255 | Mul f=3 | _Mul ^2 f=5 | Add ^2 | Div f=8 | Floor" },
    { 13, "Mul x:1,8 f=2 | Sub f=1 | onnx.brevitas:Quant f=1 f=0 f=2 signed:1 narrow:1 | MatMul n=8,3 | BatchNormalization w=3 w=3 w=3 w=3 | Relu | qonnx.custom_op.general:Quant f=0.25 f=0 f=4 signed:0 | Mul f=0.5" },
    { 13, "Neg x:1,2,3,3 | Sigmoid | Mul ^2 | Softplus | Tanh | Mul ^3 | Add f=3 | Clip f=0 f=6 | Mul ^3 | Div f=6" },
    { 13, "Neg x:1,2,3,3 | Div f=1.41421356 | Erf | Add f=1 | Mul ^4 | Mul f=0.5" },
    { 13, "Neg x:1,3,4 | ReduceMean axes=-1 | _Sub ^2 ^1 | Pow f=2 | ReduceMean axes=-1 | Add f=0.001 | Sqrt | _Div ^5 ^1 | Mul w=4 | Add w=4" },
    { 13, "Neg x:1,8,2,2 | Reshape l=1,2,2,2,2,2 | Transpose perm=0,1,4,2,5,3 | Reshape l=1,2,4,4" },
    { 13, "qonnx.custom_op.channels_last:Conv x:1,4,4,2 w=3,2,2,2 kernel_shape=2,2 | qonnx.custom_op.channels_last:BatchNormalization w=3 w=3 w=3 w=3 | Relu | "
          "qonnx.custom_op.channels_last:MaxPool kernel_shape=2,2" },
    { 13, "qonnx.custom_op.general:Quant x:1,8 f=0.25 f=0 f=8 | MatMul n=8,3 | qonnx.custom_op.general:BipolarQuant f=0.5 | qonnx.custom_op.general:Quant f=0.01 f=0 f=12 | "
          "qonnx.custom_op.general:Trunc f=0.01 f=0 f=12 f=8 rounding_mode@HALF_UP" },
    { 13, "Neg x:1,3,4 | Transpose perm=0,2,1 | _MatMul ^2 ^1 | Mul f=0.5 | Add w=3 | Softmax | MatMul ^6" },
    { 13, "RandomNormalLike x:2,3 mean~1 scale~2 seed~3 | Bernoulli | RandomUniformLike low~1 high~2" },
    { 13, "RandomUniform shape=2,3 | Multinomial sample_size:4 dtype:7" },
    { 13, "MaxUnpool x:1,1,2,2 l=0 kernel_shape=2,2 strides=2,2" },
    { 13, "TfIdfVectorizer b=4 max_gram_length:2 min_gram_length:1 max_skip_count:1 mode@TF ngram_counts=0,2 ngram_indexes=0,1,2 pool_int64s=1,2,3,4" },
    { 13, "Conv x:1,1,3,3,3 w=2,1,2,2,2 | MaxPool kernel_shape=2,2,2 | ConvTranspose w=2,1,2,2,2 | AveragePool kernel_shape=2,2,2 pads=1,1,1,1,1,1" },
    { 19, "Pad x:1,2,4,4 l=1,1 - l=3 mode@wrap | Resize - f=2,2 axes=2,3 antialias:1 mode@linear" },
    { 18, "Resize x:1,1,4,4 - - l=3,2 axes=2,3 keep_aspect_ratio_policy@not_larger mode@cubic exclude_outside:1 cubic_coeff_a~-0.5" },
    { 13, "Resize x:1,1,4,4 f=0,0,0.25,0.25,1,1,0.75,0.75 f=1,1,0.8,0.8 coordinate_transformation_mode@tf_crop_and_resize mode@linear extrapolation_value~1" },
    { 18, "Split x:5 axis:0 num_outputs:2" },
    { 21, "QuantizeLinear x:1,4 s z output_dtype:3 | DequantizeLinear s z block_size:0" },
};

// ---- models with graphs and functions in them ----

// Models that the last one holds parts of live until it is packed.
struct parts {
    struct model *m, *inner[2];
};

static struct parts branches(void)
{
    struct parts p = { model_new(13), { model_new(13), model_new(13) } };
    model_input(p.m, "x", DT_FLOAT, 2, (int64_t[]){ 1, 3 });
    model_i64(p.m, "c", 1, (int64_t[]){ 1 });
    model_node(p.m, "Cast", "c", "b");
    model_int(p.m, "to", DT_BOOL);
    model_node(p.inner[0], "Relu", "x", "t");
    model_output(p.inner[0], "t");
    model_node(p.inner[1], "Neg", "x", "e");
    model_output(p.inner[1], "e");
    model_node(p.m, "If", "b", "y");
    model_body(p.m, "then_branch", p.inner[0]);
    model_body(p.m, "else_branch", p.inner[1]);
    model_output(p.m, "y");
    return p;
}

static struct parts iterations(void)
{
    struct parts p = { model_new(13), { model_new(13), NULL } };
    model_input(p.m, "x", DT_FLOAT, 2, (int64_t[]){ 1, 3 });
    model_i64(p.m, "n", 1, (int64_t[]){ 3 });
    model_input(p.inner[0], "i", DT_INT64, 0, NULL);
    model_input(p.inner[0], "go", DT_BOOL, 0, NULL);
    model_input(p.inner[0], "v", DT_FLOAT, -1, NULL);
    model_node(p.inner[0], "Identity", "go", "go_on");
    model_node(p.inner[0], "Add", "v x", "sum");
    model_node(p.inner[0], "Relu", "sum", "item");
    model_output(p.inner[0], "go_on");
    model_output(p.inner[0], "sum");
    model_output(p.inner[0], "item");
    model_node(p.m, "Loop", "n - x", "last all");
    model_body(p.m, "body", p.inner[0]);
    model_output(p.m, "last");
    model_output(p.m, "all");
    return p;
}

// Conditions that come with the data.
static struct parts ways(void)
{
    struct parts p = { model_new(13), { model_new(13), model_new(13) } };
    model_input(p.m, "c", DT_BOOL, 1, (int64_t[]){ 1 });
    model_input(p.m, "x", DT_FLOAT, 2, (int64_t[]){ 1, 3 });
    model_i64(p.m, "n", 1, (int64_t[]){ 2 });
    model_node(p.inner[0], "Relu", "x", "t");
    model_output(p.inner[0], "t");
    model_node(p.m, "If", "c", "w");
    model_body(p.m, "then_branch", p.inner[0]);
    model_body(p.m, "else_branch", p.inner[0]);
    model_input(p.inner[1], "i", DT_INT64, 0, NULL);
    model_input(p.inner[1], "go", DT_BOOL, 0, NULL);
    model_input(p.inner[1], "v", DT_FLOAT, -1, NULL);
    model_node(p.inner[1], "Not", "go", "go_on");
    model_node(p.inner[1], "Add", "v x", "sum");
    model_output(p.inner[1], "go_on");
    model_output(p.inner[1], "sum");
    model_node(p.m, "Loop", "n c w", "y");
    model_body(p.m, "body", p.inner[1]);
    model_output(p.m, "y");
    return p;
}

static struct parts scanned(void)
{
    struct parts p = { model_new(13), { model_new(13), NULL } };
    model_input(p.m, "s", DT_FLOAT, 1, (int64_t[]){ 2 });
    model_input(p.m, "x", DT_FLOAT, 2, (int64_t[]){ 3, 2 });
    model_input(p.inner[0], "a", DT_FLOAT, 1, (int64_t[]){ 2 });
    model_input(p.inner[0], "b", DT_FLOAT, 1, (int64_t[]){ 2 });
    model_node(p.inner[0], "Add", "a b", "sum");
    model_node(p.inner[0], "Identity", "sum", "item");
    model_output(p.inner[0], "sum");
    model_output(p.inner[0], "item");
    model_node(p.m, "Scan", "s x", "last all");
    model_int(p.m, "num_scan_inputs", 1);
    model_ints(p.m, "scan_output_directions", 1, (int64_t[]){ 1 });
    model_body(p.m, "body", p.inner[0]);
    model_output(p.m, "last");
    model_output(p.m, "all");
    return p;
}

static struct parts functions(void)
{
    struct parts p = { model_new(13), { model_new(13), model_new(13) } };
    model_input(p.inner[0], "a", DT_FLOAT, -1, NULL);
    model_input(p.inner[0], "b", DT_FLOAT, -1, NULL);
    model_node(p.inner[0], "Add", "a b", "t");
    model_node(p.inner[0], "LeakyRelu", "t", "c");
    model_refer(p.inner[0], "alpha", "slope");
    model_output(p.inner[0], "c");
    model_input(p.inner[1], "a", DT_FLOAT, -1, NULL);
    model_node(p.inner[1], "local:Leaky", "a a", "t");
    model_float(p.inner[1], "slope", 0.5f);
    model_node(p.inner[1], "local:Leaky", "t a", "c");
    model_output(p.inner[1], "c");
    model_input(p.m, "x", DT_FLOAT, 2, (int64_t[]){ -1, 3 });
    model_function(p.m, "Leaky", p.inner[0], "slope");
    model_function(p.m, "Twice", p.inner[1], "");
    model_node(p.m, "local:Twice", "x", "y");
    model_output(p.m, "y");
    return p;
}

static struct parts outside(void)
{
    struct parts p = { model_new(13), { NULL, NULL } };
    model_input(p.m, "x", DT_FLOAT, 1, (int64_t[]){ 4 });
    model_external(p.m, "w");
    model_external_entry(p.m, "location", "w.bin");
    model_external_entry(p.m, "offset", "0");
    model_node(p.m, "Add", "x w", "y");
    model_output(p.m, "y");
    return p;
}

static struct parts (*const nested[])(void) = { branches, iterations, ways, scanned, functions, outside };

static void take_nested(int i, fuzz_take *take, void *user)
{
    struct parts p = nested[i]();
    char name[40];
    size_t n;
    const void *bytes = model_pack(p.m, &n);
    snprintf(name, sizeof name, "nested%d", i);
    take(user, name, bytes, n);
    model_free(p.m);
    for (int k = 0; k < 2; k++)
        if (p.inner[k])
            model_free(p.inner[k]);
}


// A model in the making. Every constant and tensor is called t0, t1, ... in order.
struct making {
    struct model *m;
    bool quantized; // pairs of QuantizeLinear and DequantizeLinear around every operator
    int names;
    uint32_t random;
    char result[16][24]; // of the steps so far
    int results;
};

static void new_name(struct making *b, char name[24])
{
    snprintf(name, 24, "t%d", b->names++);
}

// The numbers between commas; gives how many.
static int numbers(const char *text, double *out)
{
    int n = 0;
    while (*text && n < 64) {
        char *end;
        out[n++] = strtod(text, &end);
        text = *end ? end + 1 : end;
    }
    return n;
}

static void constant(struct making *b, const char *name, char kind, const char *text)
{
    double v[64] = { 0 };
    int n = text ? numbers(text, v) : 0, count = 1;
    int64_t dims[64], list[64];
    float floats[64] = { 0 };
    for (int i = 0; i < n; i++) {
        list[i] = dims[i] = kind == 'f' ? 0 : (int64_t)v[i];
        floats[i] = (float)v[i];
        count *= kind == 'w' || kind == 'n' || kind == 'v' || kind == 'b' ? (int)v[i] : 1;
    }
    if (kind == 'l') {
        model_i64(b->m, name, n, list);
    } else if (kind == 'f') { // one alone is a scalar
        model_f32(b->m, name, n > 1, (int64_t[]){ n }, floats);
    } else if (kind == 's') {
        model_f32(b->m, name, 0, NULL, (float[]){ 0.05f });
    } else if (kind == 'z') {
        model_raw(b->m, name, DT_INT8, 0, NULL, 1, "\3");
    } else {
        size_t width = kind == 'v' ? 1 : 4;
        char *bytes = calloc((size_t)count, width);
        for (int i = 0; bytes && i < count; i++) {
            b->random = b->random * 1664525u + 1013904223u; // Numerical Recipes' generator
            int32_t x = (int32_t)(b->random >> 24) - 128;
            float f = kind == 'n' ? (float)(x / 2) : (float)x / 64 + 2.5f; // variances too are positive
            memcpy(bytes + (size_t)i * width, kind == 'w' || kind == 'n' ? (const void *)&f : &x, width);
        }
        model_raw(b->m, name, kind == 'w' || kind == 'n' ? DT_FLOAT : kind == 'v' ? DT_INT8 : DT_INT32, n, dims, (size_t)count * width, bytes);
        free(bytes);
    }
}

// NAME between a QuantizeLinear and a DequantizeLinear; `name` becomes the pair's result.
static void pair(struct making *b, char name[24])
{
    char scale[24], zero[24], q[24], out[24], line[80];
    new_name(b, scale);
    new_name(b, zero);
    new_name(b, q);
    new_name(b, out);
    constant(b, scale, 's', NULL);
    constant(b, zero, 'z', NULL);
    snprintf(line, sizeof line, "%s %s %s", name, scale, zero);
    model_node(b->m, "QuantizeLinear", line, q);
    snprintf(line, sizeof line, "%s %s %s", q, scale, zero);
    model_node(b->m, "DequantizeLinear", line, out);
    strcpy(name, out);
}

static void input(struct making *b, const char *token, char name[24])
{
    double v[64];
    int64_t dims[64];
    if (token[0] == '$') {
        snprintf(name, 24, "%s", token + 1);
        return;
    }
    if (token[0] == '^') {
        int back = atoi(token + 1);
        memcpy(name, b->result[back <= b->results ? b->results - back : 0], 24);
        return;
    }
    new_name(b, name);
    if (token[0] == 'x' || token[0] == 'i') {
        int n = numbers(token + 2, v);
        for (int i = 0; i < n; i++)
            dims[i] = (int64_t)v[i];
        model_input(b->m, name, token[0] == 'x' ? DT_FLOAT : DT_INT8, n, dims);
        if (b->quantized && token[0] == 'x')
            pair(b, name);
        return;
    }
    constant(b, name, token[0], token[1] ? token + 2 : NULL);
    if (b->quantized && token[0] == 'w' && strchr(token, ',')) // a weight; lists stay as they are
        pair(b, name);
}

static bool is_input(const char *token)
{
    return token[0] == '^' || token[0] == '$' || (strchr("xiwnvbflsz-", token[0]) && (!token[1] || token[1] == ':' || token[1] == '='));
}

static void attribute(struct making *b, char *token)
{
    char *at = token + strcspn(token, "=:~@"), kind = *at;
    double v[64];
    int64_t list[64];
    *at = 0;
    int n = kind == '@' ? 0 : numbers(at + 1, v);
    for (int i = 0; i < n; i++)
        list[i] = (int64_t)v[i];
    switch (kind) {
    case '=': model_ints(b->m, token, n, list); break;
    case ':': model_int(b->m, token, list[0]); break;
    case '~': model_float(b->m, token, (float)v[0]); break;
    default: model_string(b->m, token, at + 1); break;
    }
}

// One operator; `last` is the result of the one in front, and then its own.
static void step(struct making *b, char *text, char last[24])
{
    char inputs[400] = "", attributes[400], *save = NULL;
    snprintf(attributes, sizeof attributes, "%s", text);
    strcpy(inputs, last);
    char *op = strtok_r(text, " ", &save);
    if (*op == '_') { // reads what is written, nothing else
        op++;
        *inputs = 0;
    }
    for (char *t; (t = strtok_r(NULL, " ", &save));) {
        char name[24] = "-";
        if (!is_input(t))
            continue;
        if (t[0] != '-')
            input(b, t, name);
        snprintf(inputs + strlen(inputs), sizeof inputs - strlen(inputs), "%s%s", inputs[0] ? " " : "", name);
    }
    new_name(b, last);
    char two[60];
    snprintf(two, sizeof two, "%s second", last);
    bool several = strcmp(op, "Split") == 0 || strcmp(op, "TopK") == 0;
    if (strcmp(op, "DynamicQuantizeLinear") == 0)
        strcat(two, " third");
    model_node(b->m, op, inputs, several || strstr(two, "third") ? two : last);
    strtok_r(attributes, " ", &save);
    for (char *t; (t = strtok_r(NULL, " ", &save));)
        if (!is_input(t))
            attribute(b, t);
    if (b->quantized && !strchr(op, ':') && !strstr(op, "Linear"))
        pair(b, last);
    if (b->results < 16)
        memcpy(b->result[b->results++], last, 24);
}

static void take_row(const struct seed_row *r, bool quantized, int i, fuzz_take *take, void *user)
{
    struct making b = { .m = model_new(r->opset), .quantized = quantized, .random = 1 };
    char text[400], last[24] = "", *save = NULL, name[40];
    size_t n;
    snprintf(text, sizeof text, "%s", r->text);
    for (char *t = strtok_r(text, "|", &save); t; t = strtok_r(NULL, "|", &save))
        step(&b, t, last);
    model_output(b.m, last);
    const void *bytes = model_pack(b.m, &n);
    snprintf(name, sizeof name, "%02d%s", i, quantized ? "q" : "");
    take(user, name, bytes, n);
    model_free(b.m);
}

void fuzz_onnx_seeds(fuzz_take *take, void *user)
{
    for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
        take_row(&rows[i], false, i, take, user);
        take_row(&rows[i], true, i, take, user);
    }
    for (int i = 0; i < (int)(sizeof nested / sizeof *nested); i++)
        take_nested(i, take, user);
}

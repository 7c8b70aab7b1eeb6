// SPDX-License-Identifier: Apache-2.0
// aihls_function: functions of one and of two numbers, as ONNX defines them. The compiler's float reference calls these too.
#ifndef AIHLS_FUNCTION_H
#define AIHLS_FUNCTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// F(name of the operator in ONNX)
#define AIHLS_UNARY_FUNCTIONS(F)                                                                                                        \
    F(Relu) F(LeakyRelu) F(Sigmoid) F(Tanh) F(HardSigmoid) F(HardSwish) F(Elu) F(Selu) F(Celu) F(Softplus) F(Softsign)                  \
    F(ThresholdedRelu) F(Abs) F(Neg) F(Sqrt) F(Exp) F(Log) F(Erf) F(Sign) F(Reciprocal) F(Floor) F(Ceil) F(Round) F(Sin) F(Cos) F(Tan)  \
    F(Asin) F(Acos) F(Atan) F(Sinh) F(Cosh) F(Asinh) F(Acosh) F(Atanh) F(Gelu) F(Mish) F(Swish) F(Shrink) F(IsNaN) F(IsInf) F(Not)      \
    F(BitwiseNot)
#define AIHLS_BINARY_FUNCTIONS(F)                                                                                                       \
    F(Add) F(Sub) F(Mul) F(Div) F(Pow) F(Min) F(Max) F(Mod) F(PRelu) F(Equal) F(Greater) F(GreaterOrEqual) F(Less) F(LessOrEqual)       \
    F(And) F(Or) F(Xor) F(BitwiseAnd) F(BitwiseOr) F(BitwiseXor) F(BitShift)
#define AIHLS_REDUCE_FUNCTIONS(F)                                                                                                       \
    F(ReduceL1) F(ReduceL2) F(ReduceLogSum) F(ReduceLogSumExp) F(ReduceMax) F(ReduceMin) F(ReduceProd) F(ReduceSum) F(ReduceSumSquare)  \
    F(ReduceMean)

enum aihls_function {
#define AIHLS_FUNCTION(name) AIHLS_##name,
    AIHLS_UNARY_FUNCTIONS(AIHLS_FUNCTION)
    AIHLS_BINARY_FUNCTIONS(AIHLS_FUNCTION)
    AIHLS_REDUCE_FUNCTIONS(AIHLS_FUNCTION)
#undef AIHLS_FUNCTION
    AIHLS_FUNCTION_COUNT
};

// What unary functions take besides x: alpha, beta and gamma are the attributes of that name. Shrink: beta is lambd, gamma
// bias. IsInf: alpha and beta are 1 where +inf and -inf count. Gelu: alpha is 1 for the form by tanh.
struct aihls_parameters {
    double alpha, beta, gamma;
};

double aihls_unary(enum aihls_function f, const struct aihls_parameters *p, double x);
// The functions that integers have too, exactly; 0 when f has none.
int aihls_unary_integer(enum aihls_function f, int is_signed, int64_t x, int64_t *y);

double aihls_binary(enum aihls_function f, double a, double b);
// Integers and bool, exactly; the caller cuts results to their type. option: Mod takes the sign of the dividend, BitShift shifts
// to the right.
int64_t aihls_binary_integer(enum aihls_function f, int is_signed, int option, int64_t a, int64_t b);

// Random numbers, uniform in [0, 1) (53 bits), and normal with mean 0 and deviation 1. *state is any number to start from.
// The standard leaves the generator open; this is splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), and Box and Muller's
// transform.
double aihls_uniform(uint64_t *state);
double aihls_normal(uint64_t *state);

#ifdef __cplusplus
}
#endif
#endif

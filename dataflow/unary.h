// SPDX-License-Identifier: Apache-2.0
// unary: functions of one element, evaluated in double: what 256-entry tables are made from.
#ifndef AIHLS_UNARY_H
#define AIHLS_UNARY_H

#include "frontend/graph.h"

// True when n is a function of one computed tensor, element by element: a unary operator, or a binary one (Add, Mul,
// PRelu, Pow, Min, …) whose other input is a constant, perhaps behind a DequantizeLinear, with one element or with one
// for each index of a single axis. *in receives the index of the computed input.
bool unary_is(const struct node *n, int *in);

// The axis of n's result along which the constant varies, or -1. Requires unary_is(n).
int unary_axis(const struct node *n);

// The function's value at index `channel` of that axis (any, where there is none). Requires unary_is(n).
double unary_eval(const struct node *n, double x, int64_t channel);

// Relu and Clip as an interval; true when n is one of them. Infinite where open.
bool unary_clamp(const struct node *n, double *lo, double *hi);

#endif

// SPDX-License-Identifier: Apache-2.0
// unary: functions of one element, evaluated in double: what 256-entry tables are made from.
#ifndef AIHLS_UNARY_H
#define AIHLS_UNARY_H

#include "frontend/graph.h"

// True when n is a function of one computed tensor, element by element: a unary operator, or
// a binary one (Add, Mul, Pow, Min, …) whose other input is a constant with one element.
// *in receives the index of the computed input.
bool unary_is(const struct node *n, int *in);

// The function's value. Requires unary_is(n).
double unary_eval(const struct node *n, double x);

// Relu and Clip as an interval; true when n is one of them. Infinite where open.
bool unary_clamp(const struct node *n, double *lo, double *hi);

#endif

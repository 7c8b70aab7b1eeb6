// SPDX-License-Identifier: Apache-2.0
// aihls_element: an element of any type of enum aihls_type, as double or as integer. aihls_border.c has them.
#ifndef AIHLS_ELEMENT_H
#define AIHLS_ELEMENT_H

#include "aihls.h"

#ifdef __cplusplus
extern "C" {
#endif

double aihls_load(enum aihls_type t, const void *x, int32_t i);
void aihls_store(enum aihls_type t, void *y, int32_t i, double v); // integers: rounded half to even, saturated; NaN: 0

int aihls_is_integer(enum aihls_type t); // bool is one
int aihls_is_signed(enum aihls_type t);  // an integer type with a sign
// Of integer types alone. 64 bits hold every value; of uint64 modulo 2^64.
int64_t aihls_load_integer(enum aihls_type t, const void *x, int32_t i);
void aihls_store_integer(enum aihls_type t, void *y, int32_t i, int64_t v); // modulo the type's width; bool: not zero

#ifdef __cplusplus
}
#endif
#endif

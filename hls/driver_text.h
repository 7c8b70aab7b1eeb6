// SPDX-License-Identifier: Apache-2.0
// driver_text: C source as the files of the driver have it: strings, types, arrays.
#ifndef AIHLS_DRIVER_TEXT_H
#define AIHLS_DRIVER_TEXT_H

#include "sim/array.h"

struct driver_type {
    enum dtype dtype;
    const char *constant, *c; // "AIHLS_FLOAT32", "float"
};

const struct driver_type *driver_type(enum dtype t);
// A string as a C literal; other characters than printable ASCII as octal numbers.
void driver_quoted(struct strbuf *sb, const char *s);
// ".rank = 2, .dims = { 1, 10 }"
void driver_dims(struct strbuf *sb, const struct tensor *t);

// static const TYPE PREFIX_NAME[n], element i printed by `add`.
typedef void driver_element(struct strbuf *sb, const void *v, int64_t i);
void driver_array(struct strbuf *sb, const char *type, const char *prefix, const char *name, int64_t n, const void *values, driver_element *add);
driver_element driver_i64, driver_i32, driver_i16, driver_i8, driver_f32, driver_f64; // floats exact, in hexadecimal
// static const TYPE NAME[] of an array of any type.
void driver_constant(struct strbuf *sb, const char *name, const struct array *x);

#endif

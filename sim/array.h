// SPDX-License-Identifier: Apache-2.0
// array: a dense, row major n-dimensional array with its element type: what .npy files
// hold and what the references compute with.
#ifndef AIHLS_ARRAY_H
#define AIHLS_ARRAY_H

#include "frontend/graph.h"

struct array {
    enum dtype dtype;
    int rank;
    int64_t dims[MAX_RANK];
    void *data; // count * dtype_bytes(dtype), in an arena
};

// Zeroed data in arena `a`. dims must be >= 0 and their product checked (BUG on overflow).
struct array array_new(struct arena *a, enum dtype t, int rank, const int64_t *dims);
int64_t array_count(const struct array *x);
double array_f64(const struct array *x, int64_t i);
void array_set_f64(struct array *x, int64_t i, double v); // integers: rounded half to even, saturated
// The same in 64-bit integers, exact for every integer type: unsigned ones modulo 2^64. Floats are cut towards zero.
int64_t array_i64(const struct array *x, int64_t i);
void array_set_i64(struct array *x, int64_t i, int64_t v); // integers: modulo their width, as C and NumPy; bool: not zero

// ---- .npy and .npz files (NumPy format 1.0, 2.0, 3.0; C and Fortran order; little endian) ----
// Types: float16/32/64 (16 widened to 32), bool, (u)int8/16/32/64. Anything else, a damaged header, or data
// that ends early is E104 naming the file and what is wrong.
bool npy_read(const struct ctx *cx, const char *path, struct array *out);
bool npy_write(const struct ctx *cx, const char *path, const struct array *x);
// One member of an .npz ("x"); name NULL: the only member, or the one called "x".
// A missing member is E104 listing those that exist.
bool npz_read(const struct ctx *cx, const char *path, const char *name, struct array *out);
// Whether `path` is an .npz that has a member of that name. Says nothing when it is not.
bool npz_has(const char *path, const char *name);
// Writes an .npz with n members, not compressed. The same arrays give the same bytes.
bool npz_write(const struct ctx *cx, const char *path, int n, const char *const *names, const struct array *x);
// Reads .npy or .npz by the file's first bytes.
bool array_read(const struct ctx *cx, const char *path, const char *name, struct array *out);

#endif

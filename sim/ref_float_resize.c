// SPDX-License-Identifier: Apache-2.0
// Resize, one axis at a time.
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// Every output element is a copy of one input element: `from` holds its offset along each axis.
static void nearest(struct ref *r, const struct array *x, struct array *y)
{
    int64_t dense[MAX_RANK], *from[MAX_RANK], index[MAX_RANK] = { 0 }, count = array_count(y);
    size_t bytes = dtype_bytes(x->dtype);
    ref_strides(x->rank, x->dims, dense);
    for (int d = 0; d < x->rank; d++) {
        from[d] = arena_array(&r->scratch, int64_t, y->dims[d]);
        for (int64_t i = 0; i < y->dims[d]; i++)
            from[d][i] = resize_nearest_index(r->n, d, i) * dense[d];
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 0;
        for (int d = 0; d < x->rank; d++)
            at += from[d][index[d]];
        memcpy((char *)y->data + (size_t)i * bytes, (const char *)x->data + (size_t)at * bytes, bytes);
        for (int d = x->rank - 1; d >= 0 && ++index[d] == y->dims[d]; d--)
            index[d] = 0;
    }
}

// v, of shape dims, interpolated along `axis` to `length` elements.
static double *interpolate(struct ref *r, const double *v, const int64_t *dims, int rank, int axis, int64_t length)
{
    int64_t outer = 1, inner = 1, size = dims[axis];
    for (int i = 0; i < axis; i++)
        outer *= dims[i];
    for (int i = axis + 1; i < rank; i++)
        inner *= dims[i];
    double *out = arena_array(&r->scratch, double, outer * length * inner), *to = out;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < length; k++) {
            int64_t i0, i1;
            double t;
            resize_linear_taps(r->n, axis, k, &i0, &i1, &t);
            const double *a = v + (o * size + i0) * inner, *b = v + (o * size + i1) * inner;
            for (int64_t i = 0; i < inner; i++)
                *to++ = t > 0.0 ? (1.0 - t) * a[i] + t * b[i] : a[i]; // of b nothing, not even NaN
        }
    return out;
}

bool ref_resize(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t dims[MAX_RANK], count = array_count(x);
    if (strcmp(node_string(r->n, "mode", "nearest"), "linear") != 0) {
        nearest(r, x, y);
        return true;
    }
    double *v = arena_array(&r->scratch, double, count);
    for (int64_t i = 0; i < count; i++)
        v[i] = array_f64(x, i);
    memcpy(dims, x->dims, sizeof dims);
    for (int d = 0; d < x->rank; d++) {
        if (dims[d] != y->dims[d] || dims[d] != 1)
            v = interpolate(r, v, dims, x->rank, d, y->dims[d]);
        dims[d] = y->dims[d];
    }
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_f64(y, i, v[i]);
    return true;
}

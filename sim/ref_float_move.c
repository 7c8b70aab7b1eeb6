// SPDX-License-Identifier: Apache-2.0
// Moving data. Shape inference has checked every index that a constant holds.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

void ref_strides(int rank, const int64_t *dims, int64_t *strides)
{
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dims[i];
    }
}

void ref_copy(struct array *to, int64_t i, const struct array *from, int64_t k)
{
    size_t bytes = dtype_bytes(to->dtype);
    memcpy((char *)to->data + (size_t)i * bytes, (const char *)from->data + (size_t)k * bytes, bytes);
}

#define TILE 16 // elements of a line of cache, and as many lines: what is read across stays in the cache until all of it is used

// to[y][x] = from[y * down + x * across] for rows of `pitch` elements, in tiles. Inlined for each size of an element.
static inline void copy_plane(char *to, const char *from, int64_t rows, int64_t columns, int64_t pitch, int64_t down, int64_t across, size_t bytes)
{
    for (int64_t y0 = 0; y0 < rows; y0 += TILE)
        for (int64_t x0 = 0; x0 < columns; x0 += rows == 1 ? columns : TILE) {
            int64_t y1 = min_i64(rows, y0 + TILE), x1 = rows == 1 ? columns : min_i64(columns, x0 + TILE);
            for (int64_t y = y0; y < y1; y++)
                for (int64_t x = x0; x < x1; x++)
                    memcpy(to + (y * pitch + x) * (int64_t)bytes, from + (y * down + x * across) * (int64_t)bytes, bytes);
        }
}

void ref_copy_strided(const struct array *from, int64_t offset, const int64_t *strides, struct array *out)
{
    int64_t index[MAX_RANK] = { 0 }, pitch[MAX_RANK] = { 0 }, steps = 1, at = offset, to = 0;
    int last = out->rank - 1, row = -1; // the plane's dimensions: the last one, and the one along which `from` lies together
    size_t bytes = dtype_bytes(out->dtype);
    ref_strides(out->rank, out->dims, pitch);
    for (int d = 0; d < last; d++)
        if (strides[last] != 1 && strides[d] == 1 && out->dims[d] > 1)
            row = d;
    for (int d = 0; d < last; d++)
        steps *= d == row ? 1 : out->dims[d];
    int64_t columns = last >= 0 ? out->dims[last] : 1, rows = row >= 0 ? out->dims[row] : 1, down = row >= 0 ? pitch[row] : 0;
    for (int64_t i = 0; i < steps; i++) {
        char *dst = (char *)out->data + to * (int64_t)bytes;
        const char *src = (const char *)from->data + at * (int64_t)bytes;
        int64_t across = last >= 0 ? strides[last] : 0;
        switch (bytes) {
        case 1: copy_plane(dst, src, rows, columns, down, 1, across, 1); break;
        case 2: copy_plane(dst, src, rows, columns, down, 1, across, 2); break;
        case 4: copy_plane(dst, src, rows, columns, down, 1, across, 4); break;
        default: copy_plane(dst, src, rows, columns, down, 1, across, bytes); break;
        }
        for (int d = last - 1; d >= 0; d--) { // the odometer's next position
            if (d == row)
                continue;
            at += strides[d];
            to += pitch[d];
            if (++index[d] < out->dims[d])
                break;
            at -= strides[d] * out->dims[d];
            to -= pitch[d] * out->dims[d];
            index[d] = 0;
        }
    }
}

const struct array *ref_broadcast(const struct array *x, int rank, const int64_t *dims,
                                  struct arena *a)
{
    int64_t dense[MAX_RANK] = { 0 }, strides[MAX_RANK] = { 0 };
    if (x->rank == rank && memcmp(x->dims, dims, (size_t)rank * sizeof *dims) == 0)
        return x;
    struct array *wide = arena_new(a, struct array);
    *wide = array_new(a, x->dtype, rank, dims);
    ref_strides(x->rank, x->dims, dense);
    for (int i = 0; i < x->rank; i++)
        strides[rank - x->rank + i] = x->dims[i] == 1 ? 0 : dense[i];
    ref_copy_strided(x, 0, strides, wide);
    return wide;
}

bool ref_transpose(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int perm[MAX_RANK];
    int64_t dense[MAX_RANK] = { 0 }, strides[MAX_RANK] = { 0 };
    transpose_perm(r->n, perm);
    ref_strides(x->rank, x->dims, dense);
    for (int i = 0; i < x->rank; i++)
        strides[i] = dense[perm[i]];
    ref_copy_strided(x, 0, strides, ref_out(r, 0, x->dtype));
    return true;
}

bool ref_same_order(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    size_t bytes = (size_t)array_count(x) * dtype_bytes(x->dtype);
    ASSERT(array_count(x) == array_count(y));
    if (bytes)
        memcpy(y->data, x->data, bytes);
    return true;
}

// The extent of the axes in front of `axis` and behind it.
void ref_around(const struct array *x, int axis, int64_t *outer, int64_t *inner)
{
    *outer = *inner = 1;
    for (int i = 0; i < axis; i++)
        *outer *= x->dims[i];
    for (int i = axis + 1; i < x->rank; i++)
        *inner *= x->dims[i];
}

bool ref_concat(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t outer, inner, offset = 0;
    size_t bytes = dtype_bytes(x->dtype);
    ref_around(y, axis, &outer, &inner);
    for (int k = 0; k < r->n_in; k++) {
        const struct array *part = ref_in(r, k);
        size_t run = (size_t)(part->dims[axis] * inner) * bytes;
        for (int64_t o = 0; run && o < outer; o++)
            memcpy((char *)y->data + (size_t)((o * y->dims[axis] + offset) * inner) * bytes,
                   (const char *)part->data + (size_t)o * run, run);
        offset += part->dims[axis];
    }
    return true;
}

bool ref_split(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    int64_t dense[MAX_RANK] = { 0 }, offset = 0;
    ref_strides(x->rank, x->dims, dense);
    const struct array *lengths = ref_in(r, 1);
    for (int k = 0; k < r->n->n_out; k++) {
        int64_t each = ceil_div(x->dims[axis], r->n->n_out); // the last part may be shorter
        int64_t length = lengths ? array_i64(lengths, k) : max_i64(0, min_i64(each, x->dims[axis] - offset));
        if (r->n->out[k])
            ref_copy_strided(x, offset * dense[axis], dense, ref_out(r, k, x->dtype));
        offset += length;
    }
    return true;
}

bool ref_slice(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *starts = ref_in(r, 1), *axes = ref_in(r, 3), *steps = ref_in(r, 4);
    int64_t strides[MAX_RANK] = { 0 }, offset = 0;
    ref_strides(x->rank, x->dims, strides);
    for (int64_t i = 0; i < array_count(starts); i++) {
        int axis = axis_of(axes ? array_i64(axes, i) : i, x->rank);
        int64_t step = steps ? array_i64(steps, i) : 1, size = x->dims[axis];
        int64_t start = array_i64(starts, i);
        start = max_i64(0, min_i64(start < 0 ? start + size : start, step > 0 ? size : size - 1));
        offset += start * strides[axis];
        // A step past the end is taken once at most; clamped, it cannot overflow.
        strides[axis] *= max_i64(-size, min_i64(step, size));
    }
    ref_copy_strided(x, offset, strides, ref_out(r, 0, x->dtype));
    return true;
}

bool ref_gather(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    int64_t outer, inner, count = array_count(index), size = x->dims[axis];
    struct array *y = ref_out(r, 0, x->dtype);
    ref_around(x, axis, &outer, &inner);
    size_t run = (size_t)inner * dtype_bytes(x->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = array_i64(index, i);
        if (at < -size || at >= size)
            return diag_error(r->cx, E204, at_node(r->g, r->n), NULL, "index %" PRId64 " is outside dimension %d of size %" PRId64,
                              at, axis, size);
        at += at < 0 ? size : 0;
        for (int64_t o = 0; run && o < outer; o++)
            memcpy((char *)y->data + (size_t)(o * count + i) * run,
                   (const char *)x->data + (size_t)(o * size + at) * run, run);
    }
    return true;
}

// The source index of padded position i, or -1 for the constant.
static int64_t pad_source(int64_t i, int64_t before, int64_t size, char mode)
{
    int64_t at = i - before;
    if (mode == 'e')
        return max_i64(0, min_i64(at, size - 1));
    if (mode == 'r')
        return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
    if (mode == 'w')
        return (at % size + size) % size;
    return at < 0 || at >= size ? -1 : at;
}

bool ref_pad(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *pads = ref_in(r, 1), *value = ref_in(r, 2);
    char mode = node_string(r->n, "mode", "constant")[0];
    struct array *y = ref_out(r, 0, x->dtype);
    const struct attr *resolved = node_attr(r->n, "resolved_pads"); // of some axes, see shape inference
    bool filled = value && array_count(value);
    int64_t dense[MAX_RANK] = { 0 }, index[MAX_RANK] = { 0 }, count = array_count(y);
    ref_strides(x->rank, x->dims, dense);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = 0;
        for (int d = 0; d < x->rank && from >= 0; d++) {
            int64_t at = pad_source(index[d], resolved ? resolved->ints[d] : array_i64(pads, d), x->dims[d], mode);
            from = at < 0 ? -1 : from + at * dense[d];
        }
        if (from >= 0)
            ref_copy(y, i, x, from);
        else if (filled && value->dtype == y->dtype)
            ref_copy(y, i, value, 0);
        else if (filled)
            array_set_f64(y, i, array_f64(value, 0));
        for (int d = x->rank - 1; d >= 0 && ++index[d] == y->dims[d]; d--)
            index[d] = 0;
    }
    return true;
}

// Seen as six dimensions, both are a transpose: channels are (row, column, depth) or, as CRD has it,
// (depth, row, column), and rows and columns of the fine image are (coarse, fine).
bool ref_depth_space(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    bool to_space = r->n->op == OP_DepthToSpace, crd = node_string(r->n, "mode", "DCR")[0] == 'C';
    struct array *y = ref_out(r, 0, x->dtype);
    const struct array *fine = to_space ? y : x;
    int64_t block = node_int(r->n, "blocksize", 1), depth = fine->dims[1];
    int64_t h = fine->dims[2] / block, w = fine->dims[3] / block, plane = h * w;
    // Element strides of the tensor with the deep channels, by (depth, coarse y, fine y, coarse x, fine x).
    int64_t deep[5] = { plane, w, depth * block * plane, 1, depth * plane };
    if (to_space && crd) {
        deep[0] = block * block * plane;
        deep[2] = block * plane;
        deep[4] = plane;
    }
    int64_t all = depth * block * block * plane;
    struct array view = { .dtype = x->dtype, .rank = 6, .data = y->data };
    if (to_space) {
        memcpy(view.dims, (int64_t[]){ x->dims[0], depth, h, block, w, block }, 6 * sizeof(int64_t));
        ref_copy_strided(x, 0, (int64_t[]){ all, deep[0], deep[1], deep[2], deep[3], deep[4] }, &view);
    } else {
        int64_t row = w * block;
        memcpy(view.dims, (int64_t[]){ x->dims[0], block, block, depth, h, w }, 6 * sizeof(int64_t));
        ref_copy_strided(x, 0, (int64_t[]){ all, row, 1, h * block * row, block * row, block }, &view);
    }
    return true;
}

bool ref_tile(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t dense[MAX_RANK] = { 0 }, index[MAX_RANK] = { 0 }, count = array_count(y), at = 0;
    size_t bytes = dtype_bytes(x->dtype);
    ref_strides(x->rank, x->dims, dense);
    for (int64_t i = 0; i < count; i++) {
        memcpy((char *)y->data + (size_t)i * bytes, (const char *)x->data + (size_t)at * bytes, bytes);
        for (int d = x->rank - 1; d >= 0; d--) {
            at += dense[d];
            if (++index[d] % x->dims[d] == 0) // the next copy
                at -= dense[d] * x->dims[d];
            if (index[d] < y->dims[d])
                break;
            index[d] = 0;
        }
    }
    return true;
}

bool ref_shape(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, DT_INT64);
    int64_t start = node_int(r->n, "start", 0);
    start = max_i64(0, min_i64(start < 0 ? start + x->rank : start, x->rank));
    for (int64_t i = 0; i < array_count(y); i++)
        ((int64_t *)y->data)[i] = x->dims[start + i];
    return true;
}

bool ref_expand(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    const struct array *wide = ref_broadcast(x, y->rank, y->dims, &r->scratch);
    size_t bytes = (size_t)array_count(y) * dtype_bytes(y->dtype);
    if (bytes)
        memcpy(y->data, wide->data, bytes);
    return true;
}

bool ref_constant_of_shape(struct ref *r)
{
    const struct attr *v = node_attr(r->n, "value");
    struct array *y = ref_out(r, 0, v ? v->t->dtype : DT_FLOAT);
    size_t bytes = dtype_bytes(y->dtype);
    for (int64_t i = 0; v && i < array_count(y); i++)
        memcpy((char *)y->data + (size_t)i * bytes, v->t->data, bytes);
    return true;
}

// To integers towards zero, as C does, and from integers modulo the width; bool asks for "not zero" of the value itself.
static void cast(const struct array *x, struct array *y)
{
    for (int64_t i = 0; i < array_count(x); i++) {
        if (!dtype_is_float(x->dtype) && !dtype_is_float(y->dtype))
            array_set_i64(y, i, array_i64(x, i));
        else
            array_set_f64(y, i, dtype_is_float(y->dtype) || y->dtype == DT_BOOL ? array_f64(x, i) : trunc(array_f64(x, i)));
    }
}

bool ref_cast(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    enum dtype to = r->n->op == OP_CastLike ? ref_in(r, 1)->dtype : (enum dtype)node_int(r->n, "to", DT_FLOAT);
    if (to == x->dtype)
        return ref_same_order(r);
    cast(x, ref_out(r, 0, to));
    return true;
}

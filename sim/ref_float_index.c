// SPDX-License-Identifier: Apache-2.0
// Choosing, placing and counting elements (operators of the same names in the ONNX specification).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// A position in a dense array of shape dims, one dimension after the other.
struct odometer {
    int rank;
    const int64_t *dims;
    int64_t index[MAX_RANK];
};

static void odometer_next(struct odometer *o)
{
    for (int d = o->rank - 1; d >= 0 && ++o->index[d] == o->dims[d]; d--)
        o->index[d] = 0;
}

// An index that may count from the end, or -1 when it is outside.
static int64_t wrap(int64_t i, int64_t size)
{
    return i < -size || i >= size ? -1 : i < 0 ? i + size : i;
}

// ---- an index for each element ----

// Where element `at` of the indices points to in an array with these strides.
static int64_t element_target(const struct odometer *at, const int64_t *strides, int axis, int64_t chosen)
{
    int64_t to = 0;
    for (int d = 0; d < at->rank; d++)
        to += strides[d] * (d == axis ? chosen : at->index[d]);
    return to;
}

bool ref_gather_elements(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    int64_t strides[MAX_RANK] = { 0 };
    struct odometer at = { .rank = index->rank, .dims = index->dims };
    struct array *y = ref_out(r, 0, x->dtype);
    ref_strides(x->rank, x->dims, strides);
    for (int64_t i = 0; i < array_count(index); i++, odometer_next(&at)) {
        int64_t chosen = wrap(array_i64(index, i), x->dims[axis]);
        if (chosen < 0)
            return ref_value_error(r, "index", array_i64(index, i));
        ref_copy(y, i, x, element_target(&at, strides, axis, chosen));
    }
    return true;
}

// The element of y at `to` combined with element i of the updates, as attribute `reduction` says.
static void scatter(const struct array *updates, int64_t i, struct array *y, int64_t to, char reduction)
{
    bool exact = !dtype_is_float(y->dtype);
    double a = exact ? 0.0 : array_f64(y, to), b = exact ? 0.0 : array_f64(updates, i);
    uint64_t ia = exact ? (uint64_t)array_i64(y, to) : 0, ib = exact ? (uint64_t)array_i64(updates, i) : 0;
    bool larger = exact ? (y->dtype == DT_UINT64 ? ib > ia : (int64_t)ib > (int64_t)ia) : b > a;
    if (reduction == 'n' || (reduction == 'x' && larger) || (reduction == 'i' && !larger))
        ref_copy(y, to, updates, i);
    else if ((reduction == 'a' || reduction == 'm') && exact)
        array_set_i64(y, to, (int64_t)(reduction == 'a' ? ia + ib : ia * ib));
    else if (reduction == 'a' || reduction == 'm')
        array_set_f64(y, to, reduction == 'a' ? a + b : a * b);
}

// 'n'one, 'a'dd, 'm'ul, ma'x', m'i'n.
static char reduction_of(const struct node *n)
{
    const char *s = node_string(n, "reduction", "none");
    return strcmp(s, "max") == 0 ? 'x' : strcmp(s, "min") == 0 ? 'i' : s[0];
}

static struct array *copy_of_input(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    size_t bytes = (size_t)array_count(x) * dtype_bytes(x->dtype);
    if (bytes)
        memcpy(y->data, x->data, bytes);
    return y;
}

bool ref_scatter_elements(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1), *updates = ref_in(r, 2);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    int64_t strides[MAX_RANK] = { 0 };
    struct odometer at = { .rank = index->rank, .dims = index->dims };
    struct array *y = copy_of_input(r);
    ref_strides(x->rank, x->dims, strides);
    for (int64_t i = 0; i < array_count(index); i++, odometer_next(&at)) {
        int64_t chosen = wrap(array_i64(index, i), x->dims[axis]);
        if (chosen < 0)
            return ref_value_error(r, "index", array_i64(index, i));
        scatter(updates, i, y, element_target(&at, strides, axis, chosen), reduction_of(r->n));
    }
    return true;
}

// ---- index tuples ----

// The offset in x of the slice that tuple `i` names, whose coordinates begin at dimension `from`; -1: outside.
static int64_t tuple_target(const struct array *x, const struct array *index, int64_t i, int from)
{
    int64_t strides[MAX_RANK] = { 0 }, to = 0, length = index->dims[index->rank - 1];
    ref_strides(x->rank, x->dims, strides);
    for (int k = 0; k < length; k++) {
        int64_t chosen = wrap(array_i64(index, i * length + k), x->dims[from + k]);
        if (chosen < 0)
            return -1;
        to += chosen * strides[from + k];
    }
    return to;
}

bool ref_gather_nd(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1);
    int batch = (int)node_int(r->n, "batch_dims", 0), length = (int)index->dims[index->rank - 1];
    int64_t tuples = array_count(index) / length, per_batch = 1, batches = 1, run = 1;
    for (int i = 0; i < batch; i++)
        batches *= x->dims[i];
    for (int i = batch; i < x->rank; i++)
        per_batch *= x->dims[i];
    for (int i = batch + length; i < x->rank; i++)
        run *= x->dims[i];
    struct array *y = ref_out(r, 0, x->dtype);
    for (int64_t i = 0; i < tuples; i++) {
        int64_t from = tuple_target(x, index, i, batch);
        if (from < 0)
            return ref_value_error(r, "an index of tuple", i);
        from += i / (tuples / batches) * per_batch;
        for (int64_t k = 0; k < run; k++)
            ref_copy(y, i * run + k, x, from + k);
    }
    return true;
}

bool ref_scatter_nd(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *index = ref_in(r, 1), *updates = ref_in(r, 2);
    int length = (int)index->dims[index->rank - 1];
    int64_t tuples = array_count(index) / length, run = 1;
    for (int i = length; i < x->rank; i++)
        run *= x->dims[i];
    struct array *y = copy_of_input(r);
    for (int64_t i = 0; i < tuples; i++) {
        int64_t to = tuple_target(x, index, i, 0);
        if (to < 0)
            return ref_value_error(r, "an index of tuple", i);
        for (int64_t k = 0; k < run; k++)
            scatter(updates, i * run + k, y, to + k, reduction_of(r->n));
    }
    return true;
}

// ---- masks and ranges ----

// An index outside the range has no 1 anywhere.
bool ref_one_hot(struct ref *r)
{
    const struct array *index = ref_in(r, 0), *values = ref_in(r, 2);
    struct array *y = ref_out(r, 0, values->dtype);
    int64_t axis = node_int(r->n, "axis", -1), inner = 1;
    axis += axis < 0 ? y->rank : 0;
    int64_t depth = y->dims[axis];
    for (int64_t i = axis + 1; i < y->rank; i++)
        inner *= y->dims[i];
    for (int64_t i = 0; i < array_count(y); i++) {
        int64_t k = i / inner % depth, line = i / (inner * depth) * inner + i % inner;
        ref_copy(y, i, values, wrap(array_i64(index, line), depth) == k);
    }
    return true;
}

bool ref_trilu(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *shift = ref_in(r, 1);
    int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1], k = shift ? array_i64(shift, 0) : 0;
    bool upper = node_int(r->n, "upper", 1) != 0;
    struct array *y = ref_out(r, 0, x->dtype);
    k = max_i64(-rows - 1, min_i64(k, columns + 1)); // beyond the matrix all shifts are alike
    for (int64_t i = 0; i < array_count(x); i++) {
        int64_t above = i % columns - i / columns % rows - k; // 0 on the diagonal
        if (upper ? above >= 0 : above <= 0)
            ref_copy(y, i, x, i);
    }
    return true;
}

bool ref_eye_like(struct ref *r)
{
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    int64_t k = node_int(r->n, "k", 0), columns = y->dims[1];
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_i64(y, i, i % columns - i / columns == k);
    return true;
}

bool ref_range(struct ref *r)
{
    const struct array *start = ref_in(r, 0), *delta = ref_in(r, 2);
    struct array *y = ref_out(r, 0, start->dtype);
    for (int64_t i = 0; i < array_count(y); i++) {
        if (dtype_is_float(y->dtype))
            array_set_f64(y, i, array_f64(start, 0) + (double)i * array_f64(delta, 0));
        else
            array_set_i64(y, i, (int64_t)((uint64_t)array_i64(start, 0) + (uint64_t)i * (uint64_t)array_i64(delta, 0)));
    }
    return true;
}

// The first `length` steps of each sequence, backwards.
bool ref_reverse_sequence(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *lengths = ref_in(r, 1);
    bool batch_first = node_int(r->n, "batch_axis", 1) == 0;
    int64_t strides[MAX_RANK] = { 0 }, time = x->dims[batch_first], batch = x->dims[!batch_first];
    ref_strides(x->rank, x->dims, strides);
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t run = strides[1], to_time = strides[batch_first], to_batch = strides[!batch_first];
    for (int64_t b = 0; b < batch; b++) {
        int64_t length = array_i64(lengths, b);
        if (length < 0 || length > time)
            return ref_value_error(r, "length", length);
        for (int64_t t = 0; t < time; t++)
            for (int64_t i = 0; i < run; i++)
                ref_copy(y, b * to_batch + t * to_time + i, x, b * to_batch + (t < length ? length - 1 - t : t) * to_time + i);
    }
    return true;
}

bool ref_size(struct ref *r)
{
    const struct array *x = ref_in(r, 0); // perhaps its shape alone
    array_set_i64(ref_out(r, 0, DT_INT64), 0, array_count(x));
    return true;
}

// ---- results whose shape follows from values ----

bool ref_non_zero(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int64_t count = array_count(x), found = 0, at = 0;
    struct odometer o = { .rank = x->rank, .dims = x->dims };
    for (int64_t i = 0; i < count; i++)
        found += dtype_is_float(x->dtype) ? array_f64(x, i) != 0.0 : array_i64(x, i) != 0;
    struct array *y = ref_out_shaped(r, 0, DT_INT64, 2, (int64_t[]){ x->rank, found });
    for (int64_t i = 0; i < count; i++, odometer_next(&o)) {
        if (dtype_is_float(x->dtype) ? array_f64(x, i) == 0.0 : array_i64(x, i) == 0)
            continue;
        for (int d = 0; d < x->rank; d++)
            array_set_i64(y, d * found + at, o.index[d]);
        at++;
    }
    return true;
}

// Without an axis the input is seen as one line.
static struct array along_axis(const struct node *n, const struct array *x, int *axis)
{
    struct array flat = *x;
    *axis = 0;
    if (node_attr(n, "axis") && x->rank > 0) {
        *axis = axis_of(node_int(n, "axis", 0), x->rank);
        return flat;
    }
    flat.rank = 1;
    flat.dims[0] = array_count(x);
    return flat;
}

static bool axis_inside(struct ref *r)
{
    int64_t axis = node_int(r->n, "axis", 0), rank = ref_in(r, 0)->rank;
    return !node_attr(r->n, "axis") || (axis >= -rank && axis < rank) || ref_value_error(r, "axis", axis);
}

// Slices `chosen` of x along an axis, as output k.
static struct array *take_slices(struct ref *r, int k, const struct array *x, int axis, const int64_t *chosen, int64_t count)
{
    int64_t dims[MAX_RANK], outer, inner;
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = count;
    struct array *y = ref_out_shaped(r, k, x->dtype, x->rank, dims);
    ref_around(x, axis, &outer, &inner);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t c = 0; c < count; c++)
            for (int64_t i = 0; i < inner; i++)
                ref_copy(y, (o * count + c) * inner + i, x, (o * x->dims[axis] + chosen[c]) * inner + i);
    return y;
}

bool ref_compress(struct ref *r)
{
    const struct array *condition = ref_in(r, 1);
    int axis;
    if (!axis_inside(r))
        return false;
    struct array x = along_axis(r->n, ref_in(r, 0), &axis);
    int64_t *chosen = arena_array(&r->scratch, int64_t, x.dims[axis]), count = 0;
    for (int64_t i = 0; i < min_i64(array_count(condition), x.dims[axis]); i++)
        if (array_i64(condition, i))
            chosen[count++] = i;
    take_slices(r, 0, &x, axis, chosen, count);
    return true;
}

// Slice `at` of an array along an axis, to be ordered with others.
struct slice {
    const struct array *x;
    int64_t outer, inner, size, at;
};

static int compare_slices(const void *a, const void *b)
{
    const struct slice *p = a, *q = b;
    for (int64_t o = 0; o < p->outer; o++)
        for (int64_t i = 0; i < p->inner; i++) {
            int order = ref_compare(p->x, (o * p->size + p->at) * p->inner + i, (o * p->size + q->at) * p->inner + i);
            if (order)
                return order;
        }
    return 0;
}

static int by_slice_then_place(const void *a, const void *b)
{
    const struct slice *p = a, *q = b;
    int order = compare_slices(a, b);
    return order ? order : (p->at > q->at) - (p->at < q->at);
}

static int by_first(const void *a, const void *b)
{
    const int64_t *p = *(int64_t *const *)a, *q = *(int64_t *const *)b; // (first, count, group)
    return (*p > *q) - (*p < *q);
}

// Outputs: the slices, where each stands first, which of them each slice of x is, how often each stands.
bool ref_unique(struct ref *r)
{
    int axis;
    if (!axis_inside(r))
        return false;
    struct array x = along_axis(r->n, ref_in(r, 0), &axis);
    int64_t size = x.dims[axis], groups = 0, outer, inner;
    if (!ref_spend(r, 64.0 * (double)size)) // slices without elements may be many, and each takes some memory here
        return false;
    struct slice *slices = arena_array(&r->scratch, struct slice, size);
    int64_t(*group)[3] = arena_alloc_n(&r->scratch, (size_t)size + 1, sizeof *group), **order = arena_array(&r->scratch, int64_t *, size + 1);
    int64_t *of = arena_array(&r->scratch, int64_t, size), *first = arena_array(&r->scratch, int64_t, size);
    ref_around(&x, axis, &outer, &inner);
    for (int64_t i = 0; i < size; i++)
        slices[i] = (struct slice){ &x, outer, inner, size, i };
    qsort(slices, (size_t)size, sizeof *slices, by_slice_then_place);
    for (int64_t i = 0; i < size; i++) {
        if (i == 0 || compare_slices(&slices[i - 1], &slices[i]) != 0) {
            group[groups][0] = slices[i].at;
            order[groups] = group[groups];
            group[groups][2] = groups;
            groups++;
        }
        group[groups - 1][1]++;
        of[slices[i].at] = groups - 1;
    }
    if (node_int(r->n, "sorted", 1) == 0)
        qsort(order, (size_t)groups, sizeof *order, by_first);
    int64_t *place = arena_array(&r->scratch, int64_t, groups + 1);
    for (int64_t g = 0; g < groups; g++) {
        first[g] = order[g][0];
        place[order[g][2]] = g;
    }
    take_slices(r, 0, &x, axis, first, groups);
    for (int k = 1; k < r->n->n_out; k++) {
        if (!r->n->out[k])
            continue;
        struct array *y = ref_out_shaped(r, k, DT_INT64, 1, (int64_t[]){ k == 2 ? size : groups });
        for (int64_t i = 0; i < y->dims[0]; i++)
            array_set_i64(y, i, k == 1 ? first[i] : k == 2 ? place[of[i]] : order[i][1]);
    }
    return true;
}

// ---- grams ----

// Whether the n items from x[at] on, `step` apart, are a gram.
static bool is_gram(const struct array *x, int64_t at, int64_t step, const int64_t *gram, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (array_i64(x, at + i * step) != gram[i])
            return false;
    return true;
}

// How often a gram of n items stands in a row of `size`, with 0 to `skips` items left out between its own.
static int64_t count_gram(const struct array *x, int64_t row, int64_t size, const int64_t *gram, int64_t n, int64_t skips)
{
    int64_t count = 0;
    for (int64_t step = 1; step <= (n == 1 ? 1 : min_i64(skips, size) + 1); step++)
        for (int64_t at = 0; at + (n - 1) * step < size; at++)
            count += is_gram(x, row + at, step, gram, n);
    return count;
}

bool ref_tf_idf(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    const struct attr *counts = node_attr(r->n, "ngram_counts"), *places = node_attr(r->n, "ngram_indexes"), *pool = node_attr(r->n, "pool_int64s"), *weights = node_attr(r->n, "weights");
    const char *mode = node_string(r->n, "mode", "TF");
    bool by_count = strcmp(mode, "IDF") != 0, by_weight = strcmp(mode, "TF") != 0;
    struct array *y = ref_out(r, 0, DT_FLOAT);
    int64_t size = x->dims[x->rank - 1], width = y->dims[y->rank - 1], rows = x->rank == 2 ? x->dims[0] : 1;
    int gram = 0;
    if (!ref_spend(r, (double)array_count(x) * (double)pool->n * (double)(1 + min_i64(node_int(r->n, "max_skip_count", 0), size))))
        return false;
    for (int n = 1; n <= counts->n; n++)
        for (int64_t at = counts->ints[n - 1]; at < (n < counts->n ? counts->ints[n] : pool->n); at += n, gram++) {
            bool wanted = n >= node_int(r->n, "min_gram_length", 0) && n <= node_int(r->n, "max_gram_length", 0);
            for (int64_t row = 0; wanted && row < rows; row++) {
                double count = (double)count_gram(x, row * size, size, pool->ints + at, n, node_int(r->n, "max_skip_count", 0));
                double weight = by_weight && weights ? (double)weights->floats[gram] : 1.0;
                int64_t place = row * width + places->ints[gram]; // grams may share one
                if (by_count)
                    array_set_f64(y, place, array_f64(y, place) + count * weight);
                else if (count > 0.0)
                    array_set_f64(y, place, weight);
            }
        }
    return true;
}

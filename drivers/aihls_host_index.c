// SPDX-License-Identifier: Apache-2.0
// Choosing and placing elements by numbers that are computed too. A number that names no element (the standard has no meaning
// for it) reads 0 and writes nothing: frames are anybody's data.
#include <math.h>

#include "aihls_host_impl.h"

// Entry i of the indices, which may count from the end of an axis of `size`; -1: outside.
static int32_t index_at(const struct aihls_view *index, int32_t i, int32_t size)
{
    int64_t k = aihls_load_integer(index->v->type, index->data, i);
    return (int32_t)(k < -(int64_t)size || k >= size ? -1 : k < 0 ? k + size : k);
}

static void copy_all(struct aihls_view *y, const struct aihls_view *x)
{
    memcpy(y->data, x->data, (size_t)y->v->count * aihls_type_bytes(y->v->type));
}

// Element `at` of y takes element i of the updates. how: 0 replaces, 1 adds, 2 multiplies, 3 largest, 4 least.
static void place(struct aihls_view *y, int32_t at, const struct aihls_view *updates, int32_t i, int32_t how)
{
    static const enum aihls_function functions[] = { AIHLS_Add, AIHLS_Add, AIHLS_Mul, AIHLS_Max, AIHLS_Min };
    enum aihls_type t = y->v->type;
    if (how == 0)
        aihls_move_element(y, at, updates, i);
    else if (aihls_is_integer(t))
        aihls_store_integer(t, y->data, at, aihls_binary_integer(functions[how], aihls_is_signed(t), 0, aihls_load_integer(t, y->data, at),
                                                                aihls_load_integer(t, updates->data, i)));
    else
        aihls_set(y, at, aihls_binary(functions[how], aihls_get(y, at), aihls_get(updates, i)));
}

void aihls_host_scatter_elements(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), index = aihls_in(c, 1), updates = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t axis = c->op->p[0];
    copy_all(&y, &x);
    for (int32_t i = 0; i < index.v->count; i++) {
        int32_t rest = i, at = 0, step = 1, chosen = index_at(&index, i, y.v->dims[axis]);
        for (int32_t d = y.v->rank - 1; d >= 0; step *= y.v->dims[d], rest /= index.v->dims[d], d--)
            at += step * (d == axis ? chosen : rest % index.v->dims[d]);
        if (chosen >= 0)
            place(&y, at, &updates, i, c->op->p[1]);
    }
}

// The first element of x that tuple i names by its coordinates along axis `axis` and those behind it; -1: outside. *run: how many
// elements it names.
static int32_t tuple_at(const struct aihls_host_value *x, const struct aihls_view *index, int32_t i, int32_t axis, int32_t *run)
{
    int32_t length = index->v->dims[index->v->rank - 1], at = 0;
    *run = 1;
    for (int32_t d = axis + length; d < x->rank; d++)
        *run *= x->dims[d];
    for (int32_t k = 0; k < length; k++) {
        int32_t chosen = index_at(index, i * length + k, x->dims[axis + k]);
        if (chosen < 0)
            return -1;
        at = at * x->dims[axis + k] + chosen;
    }
    return at * *run;
}

void aihls_host_scatter_nd(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), index = aihls_in(c, 1), updates = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t tuples = index.v->count / index.v->dims[index.v->rank - 1], run;
    copy_all(&y, &x);
    for (int32_t i = 0; i < tuples; i++) {
        int32_t at = tuple_at(y.v, &index, i, 0, &run);
        for (int32_t k = 0; at >= 0 && k < run; k++)
            place(&y, at + k, &updates, i * run + k, c->op->p[0]);
    }
}

void aihls_host_gather_nd(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), index = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t tuples = index.v->count / index.v->dims[index.v->rank - 1], batches = c->op->p[1], run;
    for (int32_t i = 0; i < tuples; i++) {
        int32_t at = tuple_at(x.v, &index, i, c->op->p[0], &run), from = i / (tuples / batches) * (x.v->count / batches);
        size_t bytes = aihls_type_bytes(y.v->type) * (size_t)run;
        if (at < 0)
            memset((char *)y.data + (size_t)i * bytes, 0, bytes);
        for (int32_t k = 0; at >= 0 && k < run; k++)
            aihls_move_element(&y, i * run + k, &x, from + at + k);
    }
}

// An index of another type may be no whole number; then it is cut, as a Cast would.
void aihls_host_one_hot(const struct aihls_host_call *c)
{
    struct aihls_view index = aihls_in(c, 0), values = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t depth = c->op->p[0], inner = c->op->p[1];
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t k = i / inner % depth, line = i / (inner * depth) * inner + i % inner;
        double at = trunc(aihls_get(&index, line));
        aihls_move_element(&y, i, &values, (at < 0 ? at + depth : at) == k);
    }
}

void aihls_host_reverse_sequence(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), lengths = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t first = c->op->p[0], time = x.v->dims[first], batch = x.v->dims[!first], run = time && batch ? x.v->count / (time * batch) : 0;
    for (int32_t i = 0; i < time * batch; i++) {
        int32_t t = first ? i % time : i / batch, b = first ? i / time : i % batch;
        int64_t length = aihls_load_integer(lengths.v->type, lengths.data, b);
        int32_t from = t < length && length <= time ? (int32_t)length - 1 - t : t;
        for (int32_t k = 0; k < run; k++)
            aihls_move_element(&y, i * run + k, &x, (first ? b * time + from : from * batch + b) * run + k);
    }
}

// Indices count the elements of a tensor of dims p, which is not larger than y along any axis.
void aihls_host_unpool(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), index = aihls_in(c, 1), y = aihls_out(c, 0);
    int64_t all = 1;
    for (int32_t d = 0; d < y.v->rank; d++)
        all *= c->op->p[d];
    memset(y.data, 0, (size_t)y.v->count * aihls_type_bytes(y.v->type));
    for (int32_t i = 0; i < x.v->count; i++) {
        int64_t rest = aihls_load_integer(index.v->type, index.data, i), at = 0, step = 1;
        int inside = rest >= 0 && rest < all;
        for (int32_t d = y.v->rank - 1; inside && d >= 0; step *= y.v->dims[d], rest /= c->op->p[d], d--) {
            at += rest % c->op->p[d] * step;
            inside = rest % c->op->p[d] < y.v->dims[d];
        }
        if (inside)
            aihls_move_element(&y, (int32_t)at, &x, i);
    }
}

// How often the n numbers of a gram stand in the row from x[row] on, with 0 to `skips` others between neighbours.
static int32_t count_gram(const struct aihls_view *x, int32_t row, int32_t size, const int32_t *gram, int32_t n, int32_t skips)
{
    int32_t count = 0;
    for (int32_t step = 1; step <= (n == 1 ? 1 : skips + 1); step++)
        for (int32_t at = 0; at + (int64_t)(n - 1) * step < size; at++) {
            int32_t same = 0;
            while (same < n && aihls_load_integer(x->v->type, x->data, row + at + same * step) == gram[same])
                same++;
            count += same == n;
        }
    return count;
}

void aihls_host_tf_idf(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t grams = c->op->p[0], by_count = c->op->p[1], skips = c->op->p[2];
    int32_t size = x.v->dims[x.v->rank - 1], width = y.v->dims[y.v->rank - 1];
    memset(y.data, 0, (size_t)y.v->count * aihls_type_bytes(y.v->type));
    const int32_t *gram = c->op->table;
    for (int32_t g = 0; g < grams; gram += 2 + gram[0], g++)
        for (int32_t row = 0; size && row < x.v->count / size; row++) {
            int32_t count = count_gram(&x, row * size, size, gram + 2, gram[0], skips), at = row * width + gram[1];
            if (by_count)
                aihls_set(&y, at, aihls_get(&y, at) + count * c->op->f[g]);
            else if (count)
                aihls_set(&y, at, c->op->f[g]);
        }
}

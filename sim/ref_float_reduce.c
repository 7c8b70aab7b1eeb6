// SPDX-License-Identifier: Apache-2.0
// Reductions over axes, and what is computed along one axis.
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// ---- reductions ----

// Floats reduce in double, integers modulo 2^64. `top` is the largest element of the reduced ones (ReduceLogSumExp).
static double step_f64(enum op op, double sum, double v, double top)
{
    switch ((int)op) {
    case OP_ReduceMax: return v > sum || isnan(v) ? v : sum;
    case OP_ReduceMin: return v < sum || isnan(v) ? v : sum;
    case OP_ReduceProd: return sum * v;
    case OP_ReduceL1: return sum + fabs(v);
    case OP_ReduceL2:
    case OP_ReduceSumSquare: return sum + v * v;
    case OP_ReduceLogSumExp: return sum + (isinf(top) ? exp(v) : exp(v - top));
    default: return sum + v;
    }
}

static double start_f64(enum op op)
{
    return op == OP_ReduceMax ? -INFINITY : op == OP_ReduceMin ? INFINITY : op == OP_ReduceProd ? 1.0 : 0.0;
}

static double finish_f64(enum op op, double sum, double top, double count)
{
    switch ((int)op) {
    case OP_ReduceMean: return sum / count;
    case OP_ReduceL2: return sqrt(sum);
    case OP_ReduceLogSum: return log(sum);
    case OP_ReduceLogSumExp: return log(sum) + (isinf(top) ? 0.0 : top);
    default: return sum;
    }
}

static int64_t step_i64(enum op op, bool is_unsigned, int64_t sum, int64_t v)
{
    uint64_t us = (uint64_t)sum, uv = (uint64_t)v;
    bool less = is_unsigned ? uv < us : v < sum;
    switch ((int)op) {
    case OP_ReduceMax: return less ? sum : v;
    case OP_ReduceMin: return less ? v : sum;
    case OP_ReduceProd: return (int64_t)(us * uv);
    case OP_ReduceL1: return (int64_t)(us + (v < 0 && !is_unsigned ? 0 - uv : uv));
    case OP_ReduceSumSquare: return (int64_t)(us + uv * uv);
    default: return (int64_t)(us + uv);
    }
}

// Whether integers stay integers until the end.
static bool is_exact(enum op op)
{
    return op != OP_ReduceL2 && op != OP_ReduceLogSum && op != OP_ReduceLogSumExp;
}

// The place in the result of each element of x in turn: kept axes step, reduced ones do not.
struct walk {
    const struct array *x;
    int64_t kept[MAX_RANK], index[MAX_RANK], at;
};

static void walk_next(struct walk *w)
{
    for (int d = w->x->rank - 1; d >= 0; d--) {
        w->at += w->kept[d];
        if (++w->index[d] < w->x->dims[d])
            return;
        w->at -= w->kept[d] * w->x->dims[d];
        w->index[d] = 0;
    }
}

static struct walk walk_start(const struct array *x, unsigned reduced, int64_t *results)
{
    struct walk w = { .x = x };
    *results = 1;
    for (int i = x->rank - 1; i >= 0; i--)
        if (!(reduced >> i & 1)) {
            w.kept[i] = *results;
            *results *= x->dims[i];
        }
    return w;
}

static void reduce_f64(struct ref *r, const struct array *x, const struct walk *start, int64_t results, struct array *y)
{
    enum op op = r->n->op;
    int64_t count = array_count(x);
    double *sum = arena_array(&r->scratch, double, results), *top = arena_array(&r->scratch, double, results);
    for (int64_t i = 0; i < results; i++) {
        sum[i] = start_f64(op);
        top[i] = -INFINITY;
    }
    struct walk w = *start;
    for (int64_t i = 0; i < count && op == OP_ReduceLogSumExp; i++, walk_next(&w))
        top[w.at] = fmax(top[w.at], array_f64(x, i));
    w = *start;
    for (int64_t i = 0; i < count; i++, walk_next(&w))
        sum[w.at] = step_f64(op, sum[w.at], array_f64(x, i), top[w.at]);
    for (int64_t i = 0; i < results; i++) {
        double v = finish_f64(op, sum[i], top[i], (double)count / (double)results);
        array_set_f64(y, i, dtype_is_float(y->dtype) ? v : trunc(v));
    }
}

static void reduce_i64(struct ref *r, const struct array *x, const struct walk *start, int64_t results, struct array *y)
{
    enum op op = r->n->op;
    int64_t count = array_count(x), *sum = arena_array(&r->scratch, int64_t, results), per = results ? count / results : 0;
    bool *seen = arena_array(&r->scratch, bool, results), is_unsigned = x->dtype == DT_UINT64;
    struct walk w = *start;
    for (int64_t i = 0; i < count; i++, walk_next(&w)) {
        int64_t v = array_i64(x, i);
        bool first = !seen[w.at] && (op == OP_ReduceMax || op == OP_ReduceMin || op == OP_ReduceProd);
        sum[w.at] = first ? v : step_i64(op, is_unsigned, sum[w.at], v);
        seen[w.at] = true;
    }
    for (int64_t i = 0; i < results; i++) // a mean is cut towards zero
        array_set_i64(y, i, op != OP_ReduceMean || per == 0 ? sum[i] : is_unsigned ? (int64_t)((uint64_t)sum[i] / (uint64_t)per) : sum[i] / per);
}

bool ref_reduce(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int64_t results;
    struct walk w = walk_start(x, reduce_axes(r->n), &results);
    struct array *y = ref_out(r, 0, x->dtype);
    bool exact = !dtype_is_float(x->dtype) && is_exact(r->n->op);
    (exact ? reduce_i64 : reduce_f64)(r, x, &w, results, y);
    return true;
}

// ---- along one axis ----

bool ref_argmax(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", 0), x->rank);
    bool last = node_int(r->n, "select_last_index", 0) != 0, least = r->n->op == OP_ArgMin;
    int64_t outer, inner, size = x->dims[axis];
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype == DT_UINT8 ? DT_UINT8 : DT_INT64); // uint8: see dataflow/argmax.h
    ref_around(x, axis, &outer, &inner);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t best = 0;
            for (int64_t k = 1; k < size; k++) {
                int order = ref_compare(x, (o * size + k) * inner + i, (o * size + best) * inner + i);
                order = least ? -order : order;
                if (order > 0 || (last && order == 0))
                    best = k;
            }
            array_set_i64(y, o * inner + i, best);
        }
    return true;
}

// Softmax, LogSoftmax and Hardmax over `size` elements that are `inner` apart, from element `at` on.
static void soften(enum op op, const struct array *x, int64_t at, int64_t size, int64_t inner, struct array *y)
{
    double top = -INFINITY, sum = 0.0;
    int64_t best = 0;
    for (int64_t k = 0; k < size; k++) {
        double v = array_f64(x, at + k * inner);
        best = v > top ? k : best;
        top = fmax(top, v);
    }
    for (int64_t k = 0; k < size && op != OP_Hardmax; k++)
        sum += exp(array_f64(x, at + k * inner) - top);
    for (int64_t k = 0; k < size; k++) {
        double v = array_f64(x, at + k * inner) - top;
        array_set_f64(y, at + k * inner, op == OP_Hardmax ? k == best : op == OP_LogSoftmax ? v - log(sum) : exp(v) / sum);
    }
}

bool ref_softmax(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", -1), x->rank);
    int64_t outer, inner, size = x->dims[axis];
    ref_around(x, axis, &outer, &inner);
    if (node_int(r->n, "flatten_2d", 0)) { // opsets before 13
        size *= inner;
        inner = 1;
    }
    struct array *y = ref_out(r, 0, x->dtype);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            soften(r->n->op, x, o * size * inner + i, size, inner, y);
    return true;
}

// Each line from its front or its back; `exclusive` leaves an element out of its own sum.
bool ref_cumsum(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int64_t outer, inner, axis = array_i64(ref_in(r, 1), 0);
    bool exclusive = node_int(r->n, "exclusive", 0) != 0, reverse = node_int(r->n, "reverse", 0) != 0, exact = !dtype_is_float(x->dtype);
    if (axis < -x->rank || axis >= x->rank)
        return ref_value_error(r, "the axis", axis);
    axis = axis_of(axis, x->rank);
    struct array *y = ref_out(r, 0, x->dtype);
    ref_around(x, (int)axis, &outer, &inner);
    int64_t size = x->dims[axis];
    for (int64_t line = 0; line < outer * inner; line++) {
        double sum = 0.0;
        uint64_t whole = 0;
        for (int64_t k = 0; k < size; k++) {
            int64_t at = (line / inner * size + (reverse ? size - 1 - k : k)) * inner + line % inner;
            double before = sum;
            uint64_t whole_before = whole;
            sum += exact ? 0.0 : array_f64(x, at);
            whole += exact ? (uint64_t)array_i64(x, at) : 0;
            if (exact)
                array_set_i64(y, at, (int64_t)(exclusive ? whole_before : whole));
            else
                array_set_f64(y, at, exclusive ? before : sum);
        }
    }
    return true;
}

// One element to be sorted: where it stands, and of which line.
struct ranked {
    const struct array *x;
    int64_t at, k;
    int sign; // 1: largest first
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    int order = p->sign * ref_compare(p->x, q->at, p->at);
    return order ? order : (p->k > q->k) - (p->k < q->k);
}

bool ref_top_k(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", -1), x->rank), sign = node_int(r->n, "largest", 1) ? 1 : -1;
    int64_t outer, inner, size = x->dims[axis], k = r->n->out[0] ? r->n->out[0]->dims[axis] : r->n->out[1]->dims[axis];
    struct array *values = r->n->out[0] ? ref_out(r, 0, x->dtype) : NULL, *index = r->n->out[1] ? ref_out(r, 1, DT_INT64) : NULL;
    struct ranked *line = arena_array(&r->scratch, struct ranked, size);
    ref_around(x, axis, &outer, &inner);
    for (int64_t l = 0; l < outer * inner; l++) {
        for (int64_t i = 0; i < size; i++)
            line[i] = (struct ranked){ x, (l / inner * size + i) * inner + l % inner, i, sign };
        qsort(line, (size_t)size, sizeof *line, by_value);
        for (int64_t i = 0; i < k; i++) {
            int64_t to = (l / inner * k + i) * inner + l % inner;
            if (values)
                ref_copy(values, to, x, line[i].at);
            if (index)
                array_set_i64(index, to, line[i].k);
        }
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// Shapes of operators that choose, place or count elements: gathering, scattering, ranges, masks.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

bool shape_scalar(struct shape_run *s, const struct node *n, int k, double *out)
{
    const struct tensor *t = n->in[k];
    struct array value;
    *out = 0.0;
    if (!shape_value(s, t, &value))
        return diag_error(s->cx, E206, at_node(s->g, n), "export the model with fixed shapes, or run a simplifier",
                          "input %d ('%s') is computed at run time", k, t->name);
    if (tensor_count(t) != 1)
        return shape_error(s, n, "input %d ('%s') of shape %s is no single number", k, t->name, shape_of(s, t));
    *out = array_f64(&value, 0);
    return true;
}

// An index for each element, in a tensor that is nowhere longer than x but along the axis.
static bool index_fits(struct shape_run *s, const struct node *n, int *axis)
{
    const struct tensor *x = n->in[0], *index = n->in[1];
    if (!shape_need_index(s, n, 1) || !shape_axis(s, n, x, 0, axis))
        return false;
    bool fits = index->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++)
        fits = i == *axis || index->dims[i] <= x->dims[i];
    return fits || shape_error(s, n, "indices of shape %s for %s", shape_of(s, index), shape_of(s, x));
}

static bool gather_elements(struct shape_run *s, struct node *n)
{
    int axis;
    return index_fits(s, n, &axis) && shape_set(s, n, 0, n->in[0]->dtype, n->in[1]->rank, n->in[1]->dims);
}

static bool scatter_elements(struct shape_run *s, struct node *n)
{
    const struct tensor *index = n->in[1], *updates = n->in[2];
    int axis;
    if (!index_fits(s, n, &axis))
        return false;
    if (updates->dtype != n->in[0]->dtype || updates->rank != index->rank ||
        memcmp(updates->dims, index->dims, (size_t)index->rank * sizeof *index->dims) != 0)
        return shape_error(s, n, "updates of shape %s for indices of shape %s", shape_of(s, updates), shape_of(s, index));
    return shape_reduction(s, n) && shape_like(s, n, 0, n->in[0]);
}

bool shape_reduction(struct shape_run *s, const struct node *n)
{
    static const char *const names[] = { "none", "add", "mul", "max", "min" };
    const char *name = node_string(n, "reduction", "none");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return diag_error(s->cx, E203, at_attr(s->g, n, "reduction"), NULL, "'%s' is no reduction", name);
}

// Index tuples: the last dimension of the indices holds coordinates of x from dimension `batch` on.
static bool tuples_fit(struct shape_run *s, const struct node *n, int64_t batch, int *length)
{
    const struct tensor *x = n->in[0], *index = n->in[1];
    *length = 0;
    if (!shape_need_index(s, n, 1))
        return false;
    bool fits = index->rank >= 1 && batch >= 0 && batch < index->rank && batch < x->rank;
    int64_t coordinates = fits ? index->dims[index->rank - 1] : 0;
    for (int i = 0; fits && i < batch; i++)
        fits = index->dims[i] == x->dims[i];
    if (!fits || coordinates < 1 || coordinates > x->rank - batch)
        return shape_error(s, n, "index tuples of shape %s for %s", shape_of(s, index), shape_of(s, x));
    *length = (int)coordinates;
    return true;
}

// Dimensions of what the tuples choose: one slice of x for each.
static int chosen_dims(const struct tensor *x, const struct tensor *index, int from, int64_t *dims)
{
    int rank = 0;
    for (int i = 0; i < index->rank - 1; i++)
        dims[rank++] = index->dims[i];
    for (int i = from; i < x->rank; i++)
        dims[rank++] = x->dims[i];
    return rank;
}

static bool gather_nd(struct shape_run *s, struct node *n)
{
    int64_t dims[2 * MAX_RANK], batch = node_int(n, "batch_dims", 0);
    int length;
    if (!tuples_fit(s, n, batch, &length))
        return false;
    int rank = chosen_dims(n->in[0], n->in[1], (int)batch + length, dims);
    return shape_set(s, n, 0, n->in[0]->dtype, rank, dims);
}

static bool scatter_nd(struct shape_run *s, struct node *n)
{
    const struct tensor *updates = n->in[2];
    int64_t dims[2 * MAX_RANK];
    int length;
    if (!tuples_fit(s, n, 0, &length))
        return false;
    int rank = chosen_dims(n->in[0], n->in[1], length, dims);
    if (updates->dtype != n->in[0]->dtype || updates->rank != rank || memcmp(updates->dims, dims, (size_t)rank * sizeof *dims) != 0)
        return shape_error(s, n, "updates of shape %s for indices of shape %s", shape_of(s, updates), shape_of(s, n->in[1]));
    return shape_reduction(s, n) && shape_like(s, n, 0, n->in[0]);
}

static bool one_hot(struct shape_run *s, struct node *n)
{
    const struct tensor *index = n->in[0];
    int64_t dims[MAX_RANK + 1], axis = node_int(n, "axis", -1);
    double depth;
    if (!shape_scalar(s, n, 1, &depth))
        return false;
    if (tensor_count(n->in[2]) != 2 || !(depth >= 1.0 && depth < 0x1p40))
        return shape_error(s, n, "depth %g, or values of shape %s", depth, shape_of(s, n->in[2]));
    if (axis < -index->rank - 1 || axis > index->rank)
        return diag_error(s->cx, E203, at_attr(s->g, n, "axis"), NULL, "axis %" PRId64 " is outside shape %s", axis, shape_of(s, index));
    axis += axis < 0 ? index->rank + 1 : 0;
    for (int i = 0; i <= index->rank; i++)
        dims[i] = i == axis ? (int64_t)depth : index->dims[i - (i > axis)];
    return shape_set(s, n, 0, n->in[2]->dtype, index->rank + 1, dims);
}

static bool top_k(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK], k = node_int(n, "k", -1);
    int axis, count = 1;
    if (!shape_axis(s, n, x, -1, &axis) || (n->n_in > 1 && !shape_ints(s, n, 1, 1, &k, &count)))
        return false;
    if (count != 1 || k < 0 || k > x->dims[axis])
        return shape_error(s, n, "k is %" PRId64 " for dimension %d of %s", k, axis, shape_of(s, x));
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = k;
    return (!n->out[0] || shape_set(s, n, 0, x->dtype, x->rank, dims)) &&
           (!n->out[1] || shape_set(s, n, 1, DT_INT64, x->rank, dims));
}

static bool trilu(struct shape_run *s, struct node *n)
{
    const struct tensor *k = n->n_in > 1 ? n->in[1] : NULL;
    if (n->in[0]->rank < 2 || (k && tensor_count(k) != 1))
        return shape_error(s, n, "an input of shape %s", shape_of(s, n->in[0]));
    return shape_like(s, n, 0, n->in[0]);
}

bool shape_dtype_attr(struct shape_run *s, const struct node *n, const char *name, enum dtype fallback, enum dtype *out)
{
    int64_t t = node_int(n, name, fallback);
    *out = t >= 0 && t <= DT_BFLOAT16 ? (enum dtype)t : DT_NONE;
    if (dtype_bytes(*out) == 0)
        return diag_error(s->cx, E207, at_attr(s->g, n, name), NULL, "element type %" PRId64 " is not supported", t);
    return true;
}

static bool eye_like(struct shape_run *s, struct node *n)
{
    enum dtype t;
    if (n->in[0]->rank != 2)
        return shape_error(s, n, "an input of shape %s is no matrix", shape_of(s, n->in[0]));
    return shape_dtype_attr(s, n, "dtype", n->in[0]->dtype, &t) && shape_set(s, n, 0, t, 2, n->in[0]->dims);
}

static bool range(struct shape_run *s, struct node *n)
{
    double v[3];
    for (int k = 0; k < 3; k++)
        if (!shape_scalar(s, n, k, &v[k]))
            return false;
    double count = ceil((v[1] - v[0]) / v[2]);
    if (v[2] == 0.0 || !(count < 0x1p40))
        return shape_error(s, n, "no range from %g to %g in steps of %g", v[0], v[1], v[2]);
    int64_t dims[1] = { count > 0.0 ? (int64_t)count : 0 };
    return shape_set(s, n, 0, n->in[0]->dtype, 1, dims);
}

static bool reverse_sequence(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *lengths = n->in[1];
    int64_t batch = node_int(n, "batch_axis", 1), time = node_int(n, "time_axis", 0);
    if (batch < 0 || batch > 1 || time != 1 - batch)
        return diag_error(s->cx, E203, at_attr(s->g, n, "batch_axis"), NULL, "batch_axis and time_axis are not 0 and 1");
    if (x->rank < 2 || lengths->rank != 1 || lengths->dims[0] != x->dims[batch])
        return shape_error(s, n, "lengths of shape %s for %s", shape_of(s, lengths), shape_of(s, x));
    return shape_need_index(s, n, 1) && shape_like(s, n, 0, x);
}

static bool where(struct shape_run *s, struct node *n)
{
    int rank = n->in[0]->rank;
    int64_t dims[MAX_RANK];
    memcpy(dims, n->in[0]->dims, sizeof dims);
    if (n->in[0]->dtype != DT_BOOL || n->in[1]->dtype != n->in[2]->dtype)
        return diag_error(s->cx, E207, at_node(s->g, n), NULL, "inputs of types %s, %s and %s", dtype_name(n->in[0]->dtype),
                          dtype_name(n->in[1]->dtype), dtype_name(n->in[2]->dtype));
    for (int k = 1; k < 3; k++)
        if (!shape_broadcast(n->in[k], &rank, dims))
            return shape_error(s, n, "shapes %s, %s and %s do not broadcast", shape_of(s, n->in[0]), shape_of(s, n->in[1]),
                               shape_of(s, n->in[2]));
    const struct tensor *a = n->in[1], *b = n->in[2];
    if (node_attr(n, WHERE_MARK) && (a->rank != b->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) != 0))
        return diag_error(s->cx, E206, at_node(s->g, n), "`aihls run --float` runs such models; for hardware, shapes must be fixed",
                          "the result of an If or Loop has shape %s or %s, as its condition says", shape_of(s, a), shape_of(s, b));
    return shape_set(s, n, 0, n->in[1]->dtype, rank, dims);
}

static bool cum_sum(struct shape_run *s, struct node *n)
{
    if (n->in[0]->rank < 1 || tensor_count(n->in[1]) != 1)
        return shape_error(s, n, "an axis of shape %s for %s", shape_of(s, n->in[1]), shape_of(s, n->in[0]));
    return shape_like(s, n, 0, n->in[0]);
}

static bool is_ints(const struct attr *a)
{
    return a && a->type == ATTR_INTS;
}

// ngram_counts says where the grams of each length begin in the pool; every gram has a place in the result.
static bool tf_idf(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    const struct attr *counts = node_attr(n, "ngram_counts"), *places = node_attr(n, "ngram_indexes"), *pool = node_attr(n, "pool_int64s"), *weights = node_attr(n, "weights");
    int64_t width = 0, shortest = node_int(n, "min_gram_length", 0), longest = node_int(n, "max_gram_length", 0), grams = 0;
    bool fits = is_ints(counts) && is_ints(places) && is_ints(pool) && shortest >= 1 && shortest <= longest && longest <= counts->n &&
                node_int(n, "max_skip_count", -1) >= 0;
    for (int i = 0; fits && i < counts->n; i++) {
        int64_t end = i + 1 < counts->n ? counts->ints[i + 1] : pool->n;
        fits = counts->ints[i] >= 0 && counts->ints[i] <= end && end <= pool->n && (end - counts->ints[i]) % (i + 1) == 0;
        grams += fits ? (end - counts->ints[i]) / (i + 1) : 0;
    }
    fits = fits && grams == places->n && (!weights || (weights->type == ATTR_FLOATS && weights->n == places->n));
    for (int i = 0; fits && i < places->n; i++) {
        fits = places->ints[i] >= 0 && places->ints[i] < (int64_t)1 << 40;
        width = fits ? max_i64(width, places->ints[i] + 1) : 0;
    }
    if (!fits)
        return diag_error(s->cx, E203, at_node(s->g, n), NULL, "pool, counts, indexes and lengths of the grams do not fit each other");
    if (!dtype_is_integer(x->dtype) || (x->rank != 1 && x->rank != 2))
        return shape_error(s, n, "an input of shape %s of %s", shape_of(s, x), dtype_name(x->dtype));
    int64_t dims[2] = { x->dims[0], width };
    return shape_set(s, n, 0, DT_FLOAT, x->rank, dims + (x->rank == 1));
}

// While compiling, the most rows there may be: those that are not needed hold -1. Running, as many as there are.
static bool non_max_suppression(struct shape_run *s, struct node *n)
{
    const struct tensor *boxes = n->in[0], *scores = n->in[1], *most = n->n_in > 2 ? n->in[2] : NULL;
    if (s->running || (boxes->data && scores->data) || (most && !most->data))
        return shape_by_value(s, n);
    bool fits = boxes->rank == 3 && boxes->dims[2] == 4 && scores->rank == 3 && scores->dims[0] == boxes->dims[0] && scores->dims[2] == boxes->dims[1];
    if (!fits || (most && tensor_count(most) != 1))
        return shape_error(s, n, "boxes of shape %s and scores of shape %s", shape_of(s, boxes), shape_of(s, scores));
    int64_t each = most ? tensor_const_i64(most, 0) : 0, rows = scores->dims[0] * scores->dims[1];
    rows *= each < 0 ? 0 : min_i64(each, scores->dims[2]);
    node_set_int(s->g, n, "resolved_rows", rows);
    return shape_set(s, n, 0, DT_INT64, 2, (int64_t[]){ rows, 3 });
}

bool shape_index(struct shape_run *s, struct node *n, bool *known)
{
    *known = true;
    switch ((int)n->op) {
    case OP_GatherElements:
        return gather_elements(s, n);
    case OP_Scatter:
    case OP_ScatterElements:
        return scatter_elements(s, n);
    case OP_GatherND:
        return gather_nd(s, n);
    case OP_ScatterND:
        return scatter_nd(s, n);
    case OP_OneHot:
        return one_hot(s, n);
    case OP_TopK:
        return top_k(s, n);
    case OP_Trilu:
        return trilu(s, n);
    case OP_EyeLike:
        return eye_like(s, n);
    case OP_Range:
        return range(s, n);
    case OP_ReverseSequence:
        return reverse_sequence(s, n);
    case OP_TfIdfVectorizer:
        return tf_idf(s, n);
    case OP_Where:
        return where(s, n);
    case OP_CumSum:
        return cum_sum(s, n);
    case OP_CastLike:
        return shape_set(s, n, 0, n->in[1]->dtype, n->in[0]->rank, n->in[0]->dims);
    case OP_Size:
        return shape_set(s, n, 0, DT_INT64, 0, NULL);
    case OP_NonMaxSuppression:
        return non_max_suppression(s, n);
    case OP_Compress:
    case OP_NonZero:
    case OP_Unique:
        return shape_by_value(s, n);
    case OP_If:
    case OP_Loop:
    case OP_Scan:
        return (s->running || shape_check_bodies(s, n)) && shape_by_value(s, n);
    default:
        *known = false;
        return true;
    }
}

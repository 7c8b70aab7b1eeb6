// SPDX-License-Identifier: Apache-2.0
// Shapes of operators that move data without computing: most need the value of an input.
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

void transpose_perm(const struct node *n, int *perm)
{
    int rank = n->in[0]->rank;
    const struct attr *a = node_attr(n, "perm");
    for (int i = 0; i < rank; i++)
        perm[i] = a ? (int)a->ints[i] : rank - 1 - i;
}

// Channels to the front or to the end, see frontend/onnx_layout.c.
static bool resolve_layout(struct shape_run *s, struct node *n)
{
    const char *way = node_string(n, TRANSPOSE_MARK, "");
    int64_t perm[MAX_RANK];
    int rank = n->in[0]->rank;
    if (!*way)
        return true;
    if (rank < 2)
        return shape_error(s, n, "an image with channels cannot have shape %s", shape_of(s, n->in[0]));
    for (int i = 0; i < rank; i++)
        perm[i] = strcmp(way, "first") == 0 ? (i == 0 ? 0 : i == 1 ? rank - 1 : i - 1) : (i == 0 ? 0 : i == rank - 1 ? 1 : i + 1);
    node_drop_attr(n, TRANSPOSE_MARK);
    node_set_ints(s->g, n, "perm", rank, perm);
    return true;
}

static bool transpose(struct shape_run *s, struct node *n)
{
    if (!resolve_layout(s, n))
        return false;
    const struct tensor *x = n->in[0];
    const struct attr *a = node_attr(n, "perm");
    int perm[MAX_RANK];
    int64_t dims[MAX_RANK];
    unsigned seen = 0;
    bool ok = !a || (a->type == ATTR_INTS && a->n == x->rank);
    for (int i = 0; ok && a && i < x->rank; i++) {
        ok = a->ints[i] >= 0 && a->ints[i] < x->rank && !(seen >> a->ints[i] & 1);
        if (ok)
            seen |= 1u << a->ints[i];
    }
    if (!ok)
        return diag_error(s->cx, E203, at_attr(s->g, n, "perm"), NULL,
                          "perm is no permutation of the %d dimensions of %s", x->rank, shape_of(s, x));
    transpose_perm(n, perm);
    for (int i = 0; i < x->rank; i++)
        dims[i] = x->dims[perm[i]];
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

static bool reshape(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK], known = 1;
    int rank, hole = -1;
    if (!shape_ints(s, n, 1, MAX_RANK, dims, &rank))
        return false;
    bool allow_zero = node_int(n, "allowzero", 0) != 0;
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 && !allow_zero) {
            if (i >= x->rank)
                return shape_error(s, n, "entry %d of the new shape copies a dimension that %s does not have", i,
                                   shape_of(s, x));
            dims[i] = x->dims[i];
        }
        if (dims[i] < -1 || (dims[i] == -1 && hole >= 0))
            return shape_error(s, n, "the new shape %s is invalid", shape_text(s->g->arena, rank, dims));
        if (dims[i] == -1)
            hole = i;
        else if (!mul_i64(known, dims[i], &known))
            return shape_error(s, n, "the new shape is too large");
    }
    int64_t count = tensor_count(x);
    if (hole >= 0)
        dims[hole] = known ? count / known : 0;
    if (hole >= 0 ? (known == 0 || count % known != 0) : count != known)
        return shape_error(s, n, "shape %s cannot become %s", shape_of(s, x),
                           shape_text(s->g->arena, rank, dims));
    return shape_set(s, n, 0, x->dtype, rank, dims);
}

static bool flatten(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t axis = node_int(n, "axis", 1), dims[2] = { 1, 1 };
    if (axis < -x->rank || axis > x->rank)
        return diag_error(s->cx, E203, at_attr(s->g, n, "axis"), NULL, "axis %" PRId64 " is outside shape %s", axis,
                          shape_of(s, x));
    if (axis < 0)
        axis += x->rank;
    for (int i = 0; i < x->rank; i++)
        dims[i >= axis] *= x->dims[i];
    return shape_set(s, n, 0, x->dtype, 2, dims);
}

// The axes in input 1 as a bit set over `rank` dimensions.
static bool axes_set(struct shape_run *s, struct node *n, int rank, unsigned *out)
{
    int64_t axes[MAX_RANK];
    int count;
    *out = 0;
    if (!shape_ints(s, n, 1, MAX_RANK, axes, &count))
        return false;
    for (int i = 0; i < count; i++) {
        if (axes[i] < -rank || axes[i] >= rank)
            return shape_error(s, n, "axis %" PRId64 " is outside %d dimensions", axes[i], rank);
        unsigned bit = 1u << axis_of(axes[i], rank);
        if (*out & bit)
            return shape_error(s, n, "axis %" PRId64 " is named twice", axes[i]);
        *out |= bit;
    }
    return true;
}

static bool squeeze(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    unsigned set = 0;
    int64_t dims[MAX_RANK];
    int rank = 0;
    bool given = n->n_in > 1 && n->in[1];
    if (given && !axes_set(s, n, x->rank, &set))
        return false;
    for (int i = 0; i < x->rank; i++) {
        bool drop = given ? set >> i & 1 : x->dims[i] == 1;
        if (drop && x->dims[i] != 1)
            return shape_error(s, n, "dimension %d of %s is not 1", i, shape_of(s, x));
        if (!drop)
            dims[rank++] = x->dims[i];
    }
    return shape_set(s, n, 0, x->dtype, rank, dims);
}

static bool unsqueeze(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK], axes[MAX_RANK];
    int n_axes, from = 0;
    unsigned set;
    if (!shape_ints(s, n, 1, MAX_RANK, axes, &n_axes))
        return false;
    if (x->rank + n_axes > MAX_RANK)
        return shape_error(s, n, "the result would have %d dimensions", x->rank + n_axes);
    if (!axes_set(s, n, x->rank + n_axes, &set))
        return false;
    for (int i = 0; i < x->rank + n_axes; i++)
        dims[i] = set >> i & 1 ? 1 : x->dims[from++];
    return shape_set(s, n, 0, x->dtype, x->rank + n_axes, dims);
}

// Inputs first, first + step, … joined along axis.
static bool concat(struct shape_run *s, struct node *n, int first, int step)
{
    if (first >= n->n_in)
        return shape_error(s, n, "nothing to join");
    const struct tensor *x = n->in[first];
    int axis;
    int64_t dims[MAX_RANK];
    if (!node_attr(n, "axis"))
        return diag_error(s->cx, E203, at_node(s->g, n), NULL, "attribute axis is missing");
    if (!shape_axis(s, n, x, 0, &axis))
        return false;
    memcpy(dims, x->dims, sizeof dims);
    for (int k = first + step; k < n->n_in; k += step) {
        const struct tensor *y = n->in[k];
        bool fits = y && y->rank == x->rank && y->dtype == x->dtype;
        for (int i = 0; fits && i < x->rank; i++)
            fits = i == axis || y->dims[i] == x->dims[i];
        if (!fits)
            return shape_error(s, n, "shapes %s and %s cannot be joined along axis %d", shape_of(s, x),
                               y ? shape_of(s, y) : "[?]", axis);
        if (!add_i64(dims[axis], y->dims[axis], &dims[axis]))
            return shape_error(s, n, "the result is too large");
    }
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

static bool split(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int axis;
    if (!shape_axis(s, n, x, 0, &axis))
        return false;
    int64_t *parts = arena_array(s->g->arena, int64_t, n->n_out + 1), total = 0;
    int count = n->n_out;
    if (n->n_in > 1 && n->in[1]) {
        if (!shape_ints(s, n, 1, n->n_out, parts, &count))
            return false;
    } else if (x->dims[axis] % n->n_out == 0 || node_int(n, "num_outputs", 0) == n->n_out) { // the last part may be shorter
        int64_t length = ceil_div(x->dims[axis], n->n_out);
        for (int k = 0; k < n->n_out; k++)
            parts[k] = max_i64(0, min_i64(length, x->dims[axis] - k * length));
    }
    for (int k = 0; k < count; k++)
        if (parts[k] < 0 || !add_i64(total, parts[k], &total))
            return shape_error(s, n, "a part has an impossible length");
    if (count != n->n_out || total != x->dims[axis])
        return shape_error(s, n, "dimension %d of %s cannot be split into these %d parts", axis, shape_of(s, x),
                           n->n_out);
    bool ok = true;
    for (int k = 0; k < n->n_out; k++) {
        int64_t dims[MAX_RANK];
        memcpy(dims, x->dims, sizeof dims);
        dims[axis] = parts[k];
        ok = (!n->out[k] || shape_set(s, n, k, x->dtype, x->rank, dims)) && ok;
    }
    return ok;
}

static int64_t clamp_i64(int64_t v, int64_t lo, int64_t hi)
{
    return min_i64(max_i64(v, lo), hi);
}

static bool slice(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t list[4][MAX_RANK], dims[MAX_RANK];
    int count[4] = { 0 };
    memcpy(dims, x->dims, sizeof dims);
    for (int k = 1; k < 5; k++) {
        if (k < n->n_in && n->in[k]) {
            if (!shape_ints(s, n, k, MAX_RANK, list[k - 1], &count[k - 1]))
                return false;
        } else {
            count[k - 1] = count[0];
            for (int i = 0; i < count[0]; i++)
                list[k - 1][i] = k == 3 ? i : 1;
        }
    }
    if (count[1] != count[0] || count[2] != count[0] || count[3] != count[0] || count[0] > x->rank)
        return shape_error(s, n, "starts, ends, axes and steps differ in length");
    for (int i = 0; i < count[0]; i++) {
        int64_t start = list[0][i], end = list[1][i], axis = list[2][i], step = list[3][i];
        if (axis < -x->rank || axis >= x->rank || step == 0 || step == INT64_MIN)
            return shape_error(s, n, "axis %" PRId64 " or step %" PRId64 " is invalid for %s", axis, step, shape_of(s, x));
        int64_t *d = &dims[axis_of(axis, x->rank)], size = *d;
        start = clamp_i64(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
        end = clamp_i64(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
        int64_t room = step > 0 ? end - start : start - end;
        int64_t stride = step > 0 ? step : -step;
        *d = room > 0 ? (room - 1) / stride + 1 : 0;
    }
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

static bool gather(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *index = n->in[1];
    int axis, rank = 0;
    int64_t dims[2 * MAX_RANK];
    if (!shape_need_index(s, n, 1) || !shape_axis(s, n, x, 0, &axis))
        return false;
    for (int i = 0; i < axis; i++)
        dims[rank++] = x->dims[i];
    for (int i = 0; i < index->rank; i++)
        dims[rank++] = index->dims[i];
    for (int i = axis + 1; i < x->rank; i++)
        dims[rank++] = x->dims[i];
    return shape_set(s, n, 0, x->dtype, rank, dims);
}

// Pads of the axes that input 3 names (opset 18) as pads of all of them, where those who read them look.
static bool pads_of_axes(struct shape_run *s, struct node *n, int64_t *pads, int *count)
{
    const struct tensor *x = n->in[0];
    int64_t axes[MAX_RANK], *all = arena_array(s->g->arena, int64_t, 2 * x->rank);
    int n_axes;
    if (!shape_ints(s, n, 3, MAX_RANK, axes, &n_axes))
        return false;
    if (*count != 2 * n_axes)
        return shape_error(s, n, "%d pads for %d axes", *count, n_axes);
    for (int i = 0; i < n_axes; i++) {
        if (axes[i] < -x->rank || axes[i] >= x->rank)
            return shape_error(s, n, "axis %" PRId64 " is outside %s", axes[i], shape_of(s, x));
        all[axis_of(axes[i], x->rank)] = pads[i];
        all[x->rank + axis_of(axes[i], x->rank)] = pads[n_axes + i];
    }
    *count = 2 * x->rank;
    memcpy(pads, all, (size_t)*count * sizeof *pads);
    if (s->running) {
        node_set_ints(s->g, n, "resolved_pads", *count, all);
    } else {
        n->in[1] = graph_add_const(s->g, n->in[1]->name, DT_INT64, 1, (int64_t[]){ *count }, all);
        n->n_in = n->in[2] ? 3 : 2;
    }
    return true;
}

static bool pad(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t pads[2 * MAX_RANK], dims[MAX_RANK];
    int count;
    const char *mode = node_string(n, "mode", "constant");
    bool reflect = strcmp(mode, "reflect") == 0, edge = strcmp(mode, "edge") == 0, wrap = strcmp(mode, "wrap") == 0;
    if (!reflect && !edge && !wrap && strcmp(mode, "constant") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "mode"), NULL, "'%s' is not a way of padding", mode);
    if (!shape_ints(s, n, 1, 2 * MAX_RANK, pads, &count))
        return false;
    if (n->n_in > 3 && n->in[3] && !pads_of_axes(s, n, pads, &count))
        return false;
    if (count != 2 * x->rank)
        return shape_error(s, n, "%d pads for shape %s", count, shape_of(s, x));
    for (int i = 0; i < x->rank; i++) {
        int64_t before = pads[i], after = pads[i + x->rank], limit = (int64_t)1 << 40;
        bool far = reflect && (before >= x->dims[i] || after >= x->dims[i]);
        if (before > limit || after > limit || before < -x->dims[i] || after < -x->dims[i] || far ||
            ((edge || wrap) && x->dims[i] == 0) || x->dims[i] + before + after < 0)
            return shape_error(s, n, "pads %" PRId64 " and %" PRId64 " do not fit dimension %d of %s", before, after, i,
                               shape_of(s, x));
        dims[i] = x->dims[i] + before + after;
    }
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

// Blocks of `blocksize` x `blocksize` pixels from channels, or back.
static bool depth_space(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t block = node_int(n, "blocksize", 0), area;
    const char *mode = node_string(n, "mode", "DCR");
    if (x->rank != 4)
        return shape_error(s, n, "the input has shape %s, need an image", shape_of(s, x));
    if (block < 1 || !mul_i64(block, block, &area))
        return diag_error(s->cx, E203, at_attr(s->g, n, "blocksize"), NULL, "blocksize is %" PRId64 ", need 1 or more", block);
    if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "mode"), NULL, "'%s' is neither DCR nor CRD", mode);
    int64_t dims[4] = { x->dims[0], x->dims[1], x->dims[2], x->dims[3] };
    if (n->op == OP_DepthToSpace) {
        if (dims[1] % area != 0)
            return shape_error(s, n, "blocksize %" PRId64 " does not divide the channels of %s", block, shape_of(s, x));
        dims[1] /= area;
        if (!mul_i64(dims[2], block, &dims[2]) || !mul_i64(dims[3], block, &dims[3]))
            return shape_error(s, n, "the result is too large");
    } else {
        if (dims[2] % block != 0 || dims[3] % block != 0)
            return shape_error(s, n, "blocksize %" PRId64 " does not divide the image of %s", block, shape_of(s, x));
        dims[2] /= block;
        dims[3] /= block;
        if (!mul_i64(dims[1], area, &dims[1]))
            return shape_error(s, n, "the result is too large");
    }
    return shape_set(s, n, 0, x->dtype, 4, dims);
}

static bool tile(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t repeats[MAX_RANK], dims[MAX_RANK];
    int count;
    if (!shape_ints(s, n, 1, MAX_RANK, repeats, &count))
        return false;
    if (count != x->rank)
        return shape_error(s, n, "%d repeats for shape %s", count, shape_of(s, x));
    for (int i = 0; i < count; i++)
        if (repeats[i] < 0 || !mul_i64(x->dims[i], repeats[i], &dims[i]))
            return shape_error(s, n, "dimension %d of %s cannot be repeated %" PRId64 " times", i, shape_of(s, x), repeats[i]);
    return shape_set(s, n, 0, x->dtype, x->rank, dims);
}

// Shape gives dims [start, end) of x, both clamped as Slice does.
static bool shape_op(struct shape_run *s, struct node *n)
{
    int64_t rank = n->in[0]->rank, start = node_int(n, "start", 0), end = node_int(n, "end", rank);
    start = clamp_i64(start < 0 ? start + rank : start, 0, rank);
    end = clamp_i64(end < 0 ? end + rank : end, 0, rank);
    int64_t dims[1] = { max_i64(0, end - start) };
    return shape_set(s, n, 0, DT_INT64, 1, dims);
}

static bool expand(struct shape_run *s, struct node *n)
{
    struct tensor want = { .name = "" };
    int64_t dims[MAX_RANK];
    int rank = n->in[0]->rank;
    if (!shape_ints(s, n, 1, MAX_RANK, want.dims, &want.rank))
        return false;
    memcpy(dims, n->in[0]->dims, sizeof dims);
    if (!shape_broadcast(&want, &rank, dims))
        return shape_error(s, n, "shape %s cannot be expanded to %s", shape_of(s, n->in[0]), shape_of(s, &want));
    return shape_set(s, n, 0, n->in[0]->dtype, rank, dims);
}

static bool constant_of_shape(struct shape_run *s, struct node *n)
{
    int64_t dims[MAX_RANK];
    int rank;
    const struct attr *v = node_attr(n, "value");
    if (v && (v->type != ATTR_TENSOR || tensor_count(v->t) != 1))
        return diag_error(s->cx, E203, at_attr(s->g, n, "value"), NULL, "value is not one element");
    return shape_ints(s, n, 0, MAX_RANK, dims, &rank) &&
           shape_set(s, n, 0, v ? v->t->dtype : DT_FLOAT, rank, dims);
}

bool shape_move(struct shape_run *s, struct node *n, bool *known)
{
    *known = true;
    switch ((int)n->op) {
    case OP_Transpose:
        return transpose(s, n);
    case OP_Reshape:
        return reshape(s, n);
    case OP_Flatten:
        return flatten(s, n);
    case OP_Squeeze:
        return squeeze(s, n);
    case OP_Unsqueeze:
        return unsqueeze(s, n);
    case OP_Concat:
        return concat(s, n, 0, 1);
    case OP_QLinearConcat: // y_scale, y_zero_point, then (x, scale, zero point) each
        if ((n->n_in - 2) % 3 != 0)
            return shape_error(s, n, "%d inputs, need 2 and 3 for each part", n->n_in);
        return concat(s, n, 2, 3);
    case OP_Split:
        return split(s, n);
    case OP_Slice:
        return slice(s, n);
    case OP_Gather:
        return gather(s, n);
    case OP_Pad:
        return pad(s, n);
    case OP_DepthToSpace:
    case OP_SpaceToDepth:
        return depth_space(s, n);
    case OP_Tile:
        return tile(s, n);
    case OP_Shape:
        return shape_op(s, n);
    case OP_Expand:
        return expand(s, n);
    case OP_ConstantOfShape:
        return constant_of_shape(s, n);
    case OP_Cast: // a type we know: the reader saw to it
        return shape_set(s, n, 0, (enum dtype)node_int(n, "to", DT_FLOAT), n->in[0]->rank, n->in[0]->dims);
    case OP_Identity:
        return shape_like(s, n, 0, n->in[0]);
    case OP_Dropout:
        for (int k = 1; k < n->n_in; k++)
            if (n->in[k] && tensor_count(n->in[k]) != 1)
                return shape_error(s, n, "'%s' of shape %s is no single number", n->in[k]->name, shape_of(s, n->in[k]));
        return shape_like(s, n, 0, n->in[0]) &&
               (n->n_out < 2 || !n->out[1] ||
                shape_set(s, n, 1, DT_BOOL, n->in[0]->rank, n->in[0]->dims));
    default:
        *known = false;
        return true;
    }
}

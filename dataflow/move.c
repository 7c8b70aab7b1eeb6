// SPDX-License-Identifier: Apache-2.0
// The float reference does not look at what it moves: given an array that counts 0, 1, 2, … it answers where
// everything went. So there is one implementation of what ONNX says of these operators.
#include "dataflow/move.h"

#include <string.h>

#include "base/check.h"
#include "sim/ref_float.h"

bool move_is(const struct node *n)
{
    switch ((int)n->op) {
    case OP_Resize:
        if (strcmp(node_string(n, "mode", "nearest"), "nearest") != 0)
            return false;
        break;
    case OP_Reshape: case OP_Transpose: case OP_Slice: case OP_Split: case OP_Pad: case OP_Gather: case OP_Expand:
    case OP_Tile: case OP_DepthToSpace: case OP_SpaceToDepth:
        break;
    default:
        return false;
    }
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && !n->in[k]->data)
            return false;
    return !n->in[0]->data;
}

bool move_is_permutation(const int32_t *map, int64_t n_out, int64_t n_in)
{
    if (n_out != n_in)
        return false;
    struct arena scratch = { 0 };
    bool *seen = arena_array(&scratch, bool, n_in), ok = true;
    for (int64_t i = 0; ok && i < n_out; i++) {
        ok = map[i] != MOVE_FILL && !seen[map[i]];
        if (ok)
            seen[map[i]] = true;
    }
    arena_release(&scratch);
    return ok;
}

static struct array counting(struct arena *a, const struct tensor *t)
{
    struct array x = array_new(a, DT_INT32, t->rank, t->dims);
    int32_t *v = x.data;
    for (int64_t i = 0; i < array_count(&x); i++)
        v[i] = (int32_t)i;
    return x;
}

bool move_map(const struct ctx *cx, const struct graph *g, const struct node *n, int output, struct arena *a,
              const int32_t **map, double *fill)
{
    struct array moved = counting(a, n->in[0]), mark = array_new(a, DT_INT32, 0, NULL);
    struct array *constants = arena_array(a, struct array, n->n_in), *out = arena_array(a, struct array, n->n_out);
    const struct array **in = arena_array(a, const struct array *, n->n_in);
    *fill = 0;
    ((int32_t *)mark.data)[0] = MOVE_FILL;
    in[0] = &moved;
    for (int k = 1; k < n->n_in; k++) {
        const struct tensor *t = n->in[k];
        if (!t)
            continue;
        union { const void *from; void *to; } data = { .from = t->data }; // evaluators only read
        constants[k] = (struct array){ .dtype = t->dtype, .rank = t->rank, .data = data.to };
        memcpy(constants[k].dims, t->dims, sizeof t->dims);
        in[k] = &constants[k];
    }
    if (n->op == OP_Pad) {
        const struct array **padded = arena_array(a, const struct array *, 4);
        memcpy(padded, in, (size_t)min_i64(n->n_in, 4) * sizeof *in);
        if (n->n_in > 2 && n->in[2] && tensor_count(n->in[2]) > 0)
            *fill = tensor_const_f64(n->in[2], 0);
        padded[2] = &mark;
        struct node with_value = *n;
        with_value.n_in = n->n_in < 3 ? 3 : n->n_in;
        if (!ref_float_node(cx, g, &with_value, a, padded, out))
            return false;
    } else if (!ref_float_node(cx, g, n, a, in, out)) {
        return false;
    }
    *map = out[output].data;
    return true;
}

const int32_t *move_broadcast(struct arena *a, const struct tensor *t, int rank, const int64_t *dims)
{
    int64_t stride[MAX_RANK] = { 0 }, step = 1, count = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        stride[rank - t->rank + i] = t->dims[i] == 1 ? 0 : step;
        step *= t->dims[i];
    }
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    int32_t *map = arena_array(a, int32_t, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, from = 0;
        for (int d = rank - 1; d >= 0; d--) {
            from += rest % dims[d] * stride[d];
            rest /= dims[d];
        }
        map[i] = (int32_t)from;
    }
    return map;
}

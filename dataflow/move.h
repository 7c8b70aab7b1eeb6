// SPDX-License-Identifier: Apache-2.0
// move: operators that only choose, repeat and reorder elements of one tensor, and may insert a constant: where each
// element of their result comes from.
#ifndef AIHLS_MOVE_H
#define AIHLS_MOVE_H

#include "frontend/graph.h"

#define MOVE_FILL (-1)

// Slice, Split, Pad, Gather, Expand, Tile, DepthToSpace, SpaceToDepth and nearest Resize of a computed tensor, and
// Reshape and Transpose. The moved tensor is input 0; all others must be constants.
bool move_is(const struct node *n);

// True when every element of the input occurs exactly once in the output: nothing but an order changes.
bool move_is_permutation(const int32_t *map, int64_t n_out, int64_t n_in);

// (*map)[i], in arena `a`: the row major element of n->in[0] that element i of n->out[output] is, or MOVE_FILL
// where it is the constant *fill. False when n cannot be evaluated (reported).
bool move_map(const struct ctx *cx, const struct graph *g, const struct node *n, int output, struct arena *a,
              const int32_t **map, double *fill);

// The map of NumPy's broadcasting of t to (rank, dims); t's shape must fit.
const int32_t *move_broadcast(struct arena *a, const struct tensor *t, int rank, const int64_t *dims);

#endif

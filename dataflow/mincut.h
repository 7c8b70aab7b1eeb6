// SPDX-License-Identifier: Apache-2.0
// mincut: the cheapest set of edges that separates a source from a sink (E. A. Dinic, 1970).
#ifndef AIHLS_MINCUT_H
#define AIHLS_MINCUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define MINCUT_NEVER (INT64_MAX / 4) // the capacity of an edge that no cut may take

struct mincut;
struct mincut *mincut_new(struct arena *a, int n_vertices);
void mincut_edge(struct mincut *m, int from, int to, int64_t capacity); // directed; >= 0
// side[v], n_vertices entries: true for what `source` still reaches: the smallest such side there is.
void mincut_solve(struct mincut *m, int source, int sink, bool *side);

#endif

// SPDX-License-Identifier: Apache-2.0
// ops_net: quantized networks that branch and join again, small enough to simulate by the thousand.
#ifndef AIHLS_OPS_NET_H
#define AIHLS_OPS_NET_H

#include "tests/flow/ops_case.h"

enum ops_net {
    NET_UNET,      // two levels down and up again, a long skip at each
    NET_INCEPTION, // 1x1, 1x1 - 3x3, 1x1 - 5x5 and pool - 1x1 side by side, concatenated
    NET_NECK,      // three scales, concatenated on the way down and again on the way up; an output at each
    NET_DENSE,     // each layer reads the concatenation of all before it
    NET_ANY,       // a random network of diamonds, nested ones, long skips over slow branches, joins of all kinds, taps
    NET_KINDS = NET_ANY
};

const char *ops_net_name(enum ops_net kind);

// A graph in QDQ form, not yet shaped. All tensors share one quantization, so that joins need no tables. The shapes of
// the named networks are always the same; `r` gives their weights.
struct graph *ops_net_graph(struct arena *a, struct random *r, enum ops_net kind, const char *name);

// A network lowered and folded at a random rate for one of the boards; ops_case_finish does the rest. Retries inside until it is small enough for the bench; everything lives in the arena.
void ops_net_make(struct arena *a, const struct board *boards, int n_boards, uint64_t seed, enum ops_net kind, const char *name,
                  struct ops_case *out);

#endif

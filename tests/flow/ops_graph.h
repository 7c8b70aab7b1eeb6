// SPDX-License-Identifier: Apache-2.0
// ops_graph: random small quantized graphs, a few operators each, for the operator matrix.
#ifndef AIHLS_OPS_GRAPH_H
#define AIHLS_OPS_GRAPH_H

#include "frontend/graph.h"

// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014: any seed is a good one.
struct random {
    uint64_t state;
};
uint64_t random_bits(struct random *r);
int64_t random_range(struct random *r, int64_t lo, int64_t hi); // lo..hi, both included
bool random_chance(struct random *r, int percent);
double random_unit(struct random *r); // [0, 1)

// A graph in QDQ form with integer inputs and outputs, mostly one of each, not yet shaped. Odd shapes on purpose: images
// of one pixel or one row, prime channels, kernels as large as the image or larger with padding, pads
// that differ on all sides, strides beyond the kernel, weights of -128, weight zero points.
struct graph *ops_graph(struct arena *a, struct random *r, const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
// reload: hardware whose weights may be replaced while it runs (docs/52-reload.md).
#ifndef AIHLS_RELOAD_H
#define AIHLS_RELOAD_H

#include "dataflow/pipeline.h"

// does      makes the widths of every stage that has weights, and of its requantizer, hold for any weights and biases of their
//           type, where lower_graph has proven them for those that are there; sets weight_reach
// requires  lower_graph, no schedule yet
// provides  p->reloadable, where there is a stage with weights: they, biases, multipliers and shifts go into memories that are
//           filled behind each reset
// cost      O(weights)
void reload_widen(struct pipeline *p);

// Whether p's core has a port through which its contents come (bind.h): with reload_widen, and where the code of a serial
// schedule is not a ROM.
bool pipeline_loads(const struct pipeline *p);

// What the memories of a scheduled p cost more than ROMs of the same contents would, in block RAMs, LUTs and flip-flops; nothing
// where one multiplier computes all stages.
struct cost reload_cost(const struct pipeline *p);

#endif

// SPDX-License-Identifier: Apache-2.0
// ops_bench: many cores in one Verilator program.
#ifndef AIHLS_OPS_BENCH_H
#define AIHLS_OPS_BENCH_H

#include "tests/flow/ops_case.h"

// Writes the cores of cases [0, n) that are not broken, a wrapper around them and the templates into `dir`, builds
// it all, runs it and fills in the results. False, with the end of the tool's output on stderr, when
// a tool fails. `dir` is emptied first.
bool ops_bench(struct ops_case *cases, int n, uint64_t seed, const char *dir);

#endif

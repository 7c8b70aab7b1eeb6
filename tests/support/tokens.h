// SPDX-License-Identifier: Apache-2.0
// tokens: a pipeline without time. Stages take and give beats whenever they can, and nothing but the FIFOs' depths,
// the rows of rings and the results of a pass on hold: no cycles, no pipeline registers. The hardware has all that
// in addition, so whatever flows here flows there.
//
// Every stage reads and writes in an order that does not depend on when beats come (it never asks whether one is there).
// So neither does what has passed in the end: if one order of events gets a frame through, all do, whatever the folds'
// rates, the pace of the hosts or stalls. And if it leaves the pipeline as it was, the next frame passes too.
#ifndef AIHLS_TOKENS_H
#define AIHLS_TOKENS_H

#include "dataflow/pipeline.h"

// Whether a frame passes from the inputs to all outputs and leaves nothing behind. Depths and folds must be set.
bool tokens_pass(const struct pipeline *p);

#endif

// SPDX-License-Identifier: Apache-2.0
// wave: what GTKWave shows of a trace at first.
#ifndef AIHLS_WAVE_H
#define AIHLS_WAVE_H

#include "hls/design.h"

// The path of the save file for a trace: NAME.fst gives NAME.gtkw, any other name gets .gtkw behind it.
const char *wave_path(struct arena *a, const char *trace);

// Appends a save file for the waveform at `trace`, an absolute path, which itself is to stand at wave_path(trace): clock and
// reset, then a group a stage with the streams that it reads (behind their FIFOs) and writes, valid, ready and data of
// each, and its busy; inputs and outputs of the model are groups of their own.
void wave_print(const struct design *d, struct arena *a, const char *trace, struct strbuf *out);

#endif

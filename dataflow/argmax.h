// SPDX-License-Identifier: Apache-2.0
// argmax: which ArgMax runs in hardware, and the form it has there.
//
// A network that says a class for each pixel sends one byte a pixel to the host instead of a score a class:
//
//     conv -> ArgMax -> int64 [1, 1, h, w]      becomes      conv -> ArgMax -> uint8 [1, 1, h, w] -> Cast -> int64
//
// An ArgMax whose result is uint8 is the hardware's, and nothing else tells it; the Cast runs on the host. A classifier's
// one index stays with the host: the scores are few, and the run-time library gives them too.
#ifndef AIHLS_ARGMAX_H
#define AIHLS_ARGMAX_H

#include "frontend/graph.h"

#define ARGMAX_CHANNELS 256 // whose index is a byte

// True for an ArgMax that argmax_split has given to the hardware.
bool argmax_in_hardware(const struct node *n);
// Splits every ArgMax that hardware does, so that graph_verify and the shapes hold: those over the channels (2 to
// ARGMAX_CHANNELS) of an image or over the rows of a matrix, of several pixels, right behind an operator of the hardware.
// Between the two may stand what only moves elements, a quantization, and Softmax or LogSoftmax along the same axis, which
// changes no order and is passed by. ArgMax over other axes stays with the host.
void argmax_split(struct graph *g);

#endif

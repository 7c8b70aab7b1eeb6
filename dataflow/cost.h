// SPDX-License-Identifier: Apache-2.0
// cost: cycles and resources of a stage under a fold. The one place that knows the formulas; they
// are checked against simulation (cycles) and synthesis (resources) in tests and `make synth`.
#ifndef AIHLS_COST_H
#define AIHLS_COST_H

#include "dataflow/pipeline.h"
#include "frontend/tech.h"

// Derived numbers of a folded conv or dw stage.
struct fold_shape {
    int64_t slices;       // independent groups of input channels in the ring
    int64_t slice_c;      // channels of one
    int64_t words;        // ring words of a slice at one pixel
    int pixels;           // output pixels that share multipliers: 2 in a packed dw stage, else 1
    int64_t row_words;    // ring words of an image row; with two pixels in each of two memories
    int64_t passes;       // accumulations per output pixel, or pair of them
    int64_t steps;        // cycles of one accumulation
    int64_t chain;        // products of one lane (and pixel) in a step
    int segments;         // chains per lane
    int64_t weight_words; // words of the weight ROM
    int64_t params;       // words of the requantizer's parameter ROM
};

struct fold_shape fold_shape(const struct stage *s, const struct fold *f);

// Cycles per frame while neither input nor output waits: the slower of computing (each pass takes its steps
// or its results' requantization, whatever is longer) and of taking the input in.
int64_t cost_cycles(const struct stage *s, const struct fold *f);

// Words of a gather's ring at this fold.
int64_t cost_gather_ring(const struct stage *s, const struct fold *f, const struct tech *tech);

// Steps, a cycle each, in which a gather reduces its positions modulo that ring; a power of two needs none.
int64_t cost_gather_steps(const struct stage *s, const struct fold *f, const struct tech *tech);

// Cycles to take one frame in at `in_lanes` elements a beat.
int64_t cost_input_cycles(const struct stage *s, int in_lanes);

// A conv's or dw's memories: rows of the image, weights, and requantization parameters by channel or pixel.
enum cost_memory { MEMORY_RING, MEMORY_WEIGHTS, MEMORY_PARAMETERS, MEMORY_COUNT };

// All of a stage's cost; that of its logic (cycles 0, resources without those memories); that of a conv's or dw's multipliers and
// accumulators, a part of it; and that of one memory in block RAM or in LUTs, with whether it may be made so.
// x: fold_shape(s, f). The sum of logic and memories is cost_stage's.
struct cost cost_stage(const struct stage *s, const struct fold *f, const struct tech *tech);
struct cost cost_logic(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech);
struct cost cost_array(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech);
struct cost cost_memory(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, enum cost_memory which,
                        bool block);
bool cost_memory_possible(const struct stage *s, const struct fold *f, const struct fold_shape *x, const struct tech *tech, enum cost_memory which,
                          bool block);

// Least cycles of a conv's or dw's array, whatever its requantizer: those of its passes.
int64_t cost_array_cycles(const struct stage *s, const struct fold_shape *x);

// Block RAMs for a memory of that shape (a RAMB36 counts as two); `writable`: a RAM, not a ROM. It is the rule by which
// Yosys 0.23 maps memories, reproduced on 138 shapes of xcup and xc7 (docs/50-rtl.md).
int64_t cost_bram(const struct tech *tech, int64_t width_bits, int64_t depth_words, bool writable);

// How a ROM in block RAM is cut into banks of `words`, a power of two, the last of which may have less, and those into
// columns of so many bits, each of which one block has at that depth. words 0: it is left to synthesis.
struct rom_cut {
    int64_t words, banks, bits, last_bits;
};
struct rom_cut cost_rom_cut(const struct tech *tech, int64_t depth_words);

// Cycles more that s's weights take from ROM to multiplier.
int cost_weight_wait(const struct stage *s, const struct fold *f, const struct tech *tech);

// What memories of so many words may be made of. Small families offer both up to 64 words of ROM.
bool cost_rom_in_luts(int64_t depth_words);
bool cost_rom_in_block(const struct tech *tech, int64_t depth_words);
bool cost_ram_in_luts(const struct tech *tech, int64_t depth_words);
bool cost_ram_in_block(const struct tech *tech, int64_t depth_words);
// True where a FIFO of 32 words already goes into block RAM: LUT RAM is shallower, or there is none.
bool cost_fifo_in_block(const struct tech *tech);

// True when the words of pixel pairs must be put in order behind the requantizer (aihls_unpair); beats that its queue
// of pixel 0 or 1 holds, enough to give a beat a cycle.
bool cost_unpairs(const struct stage *s, const struct fold *f);
int64_t cost_unpair_words(const struct stage *s, const struct fold *f, int pixel);

// The FIFO of an edge, its fork and its narrowing.
struct cost cost_edge(const struct pipeline *p, const struct edge *e);

// Block RAMs of the shell that stands around p on b: where the family has no LUT RAM every buffer of the UART shell is one, of requests,
// answers and packets, and one a port (docs/82-uart.md). A schedule leaves them.
int64_t cost_shell_bram(const struct pipeline *p, const struct board *b);

void cost_add(struct cost *sum, const struct cost *c); // resources only

// Cells of a chain whose low lane cannot overflow whatever the activations: the worst weights of the stage
// (enumeration), or the actual ones in their places (after the choice). At least 1. Where sums are made outside of the
// blocks, a chain is a cell.
int cost_safe_segment(const struct stage *s, const struct tech *tech);
int cost_exact_segment(const struct stage *s, const struct fold *f, const struct tech *tech);
// DSP blocks of a requantizer lane at f->rq_cycles when f->rq_dsp; 0: tech cannot do it.
int cost_requant_dsp(const struct stage *s, const struct fold *f, const struct tech *tech);
// True when two products may share a multiplier block of that technology: those of two outputs with one activation
// (conv), or those of two neighbouring pixels with one weight (dw).
bool cost_can_pack(const struct stage *s, const struct tech *tech);
// Bits between the two: what the pre-adder has room for above the low lane; 0: their sums stand apart.
int cost_lane_shift(const struct stage *s, const struct tech *tech);

#endif

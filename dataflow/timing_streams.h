// SPDX-License-Identifier: Apache-2.0
// timing_streams: what lies between two stages of the timing model. Only timing.c includes this.
//
//   stage ─► line: its registers ─► fork ─┬─► FIFO ─► narrow or widen ─► stage
//                                         └─► FIFO ─► ...
//
// Beats have no values: a beat in a FIFO is the cycle in which it arrives at the other end. It is written down when
// the stage pushes it, with what its line still takes; where a full FIFO then makes the line stand still, the beats in
// it are put off when that FIFO goes on.
#ifndef AIHLS_TIMING_STREAMS_H
#define AIHLS_TIMING_STREAMS_H

#include "dataflow/pipeline.h"

#define NEVER INT64_MAX

// Cycles from the end of a line through fork and FIFO to the FIFO's output.
#define FIFO_LATENCY 2

// Cycles, first in, first out.
struct queue {
    int64_t *at;      // ring buffer
    int64_t capacity; // its entries, a power of two
    int64_t head, count;
};

// The registers between a stage's last decision and the FIFOs of its stream. They move as one: while the beat at their
// end finds a FIFO full, all behind it stand still, and the stage with them.
struct line {
    int64_t stood;    // cycles in all
    int64_t front;    // the beat, counted from 0, that it last stood for
    int64_t moves_at; // and the cycle in which that entered the FIFO
    bool forked;      // there are several FIFOs
};

struct fifo {
    struct queue arrival; // of all beats that its line has, too: as if that did not stand still from now on
    int64_t depth;        // beats that fit, 0: any number
    int64_t limit;        // beats that it and its line may hold
    int64_t taken, peak;
    int stream;
    int sub;          // narrowing: pieces of the head beat taken
    int64_t pixel_beat; // position of the head beat in its pixel
    int64_t pixel_beats; // of a pixel
    int parts, last_parts; // that a beat is narrowed to, and a pixel's last beat
    int wide; // beats of the FIFO that make one of the edge's; `sub` of them are in, and `whole` such beats wait
    int whole;
    bool full; // two whole beats waited when the cycle began
    int64_t *reader, *writer; // when these wake
    bool in_the_way; // was full while its reader waited for another edge
};

struct streams {
    struct arena *a;
    struct fifo *fifo;           // per edge
    struct line *line;           // per stream
    int *first_edge, *next_edge; // lists of the edges of a stream
    int *wide, n_wide;           // edges that widen
    int64_t now;
    int64_t next; // cycle with anything to do, as far as this cycle's calls have told
};

// Empty streams of p in cycle 0, in arena `a`. What remains to set: limit, reader and writer of the FIFOs.
void timing_streams_init(struct streams *x, const struct pipeline *p, struct arena *a);

struct queue timing_queue(struct arena *a);
// Entry i from the first.
int64_t *timing_entry(const struct queue *q, int64_t i);
void timing_put(struct arena *a, struct queue *q, int64_t at);
void timing_take(struct queue *q);

// The first cycle from now on in which the line of a stream moves, as far as is known; NEVER: when a FIFO tells.
int64_t timing_line_moves(const struct streams *x, int stream);

// The first cycle from now on in which a stage may push into a stream, as far as is known; NEVER as above.
int64_t timing_next_room(const struct streams *x, int stream);
bool timing_can_push(const struct streams *x, int stream);

// Gives a beat to the line, which takes `latency` cycles. Requires timing_can_push.
void timing_push(struct streams *x, int stream, int64_t latency);

// Whether the reader of an edge may take a beat, of the edge's own width.
bool timing_can_pop(const struct streams *x, int edge);
void timing_pop(struct streams *x, int edge);

// The first cycle in which an edge without a beat to take may have one, as far as is known now.
int64_t timing_next_beat(const struct streams *x, int edge);

// A cycle of the edges that widen, each of which takes a part on its own.
void timing_widen_all(struct streams *x);

#endif

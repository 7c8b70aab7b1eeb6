// SPDX-License-Identifier: Apache-2.0
// pipeline: the second of three representations, stages and streams. Everything that the
// scheduler decides stands here and nowhere else.
//
//             stream 0                stream 1            stream 2
//     host ───────────► [s00_conv] ──┬──edge──► [s01_conv] ──edge──┐
//                                    └──edge (long FIFO)──────────► [s02_add] ──► host
//
// A stream is what one stage (or the host) produces: an image of int8 elements in raster order
// (y, x, channel), frame after frame. An edge carries it to one reader, through a FIFO. A
// stream with several edges is forked. Inputs and outputs of the model are ports: each input is a
// stream of the host, each output an edge to it. They move independently of each other; the host serves all at a time.
//
// Numbers: a stream element q stands for scale * (q - zero_point). uint8 tensors of the model
// are carried as int8 with 128 subtracted from value and zero point, which is exact.
#ifndef AIHLS_PIPELINE_H
#define AIHLS_PIPELINE_H

#include "frontend/board.h"
#include "frontend/graph.h"
#include "frontend/shape.h"

enum stage_kind {
    STAGE_CONV,  // convolution, grouped convolution, matrix product
    STAGE_DW,    // depthwise convolution, average, maximum or norm over a window
    STAGE_GAP,   // average (or, by op, maximum or norm) over the top left pool_h x pool_w of the image
    STAGE_ADD,    // sum or difference of two streams
    STAGE_MUL,    // product of two streams
    STAGE_TABLE,  // any function of one element, the same for all channels or one a channel
    STAGE_GATHER, // chooses, repeats and reorders elements, and inserts constants
    STAGE_CONCAT, // a piece of one stream, then a piece of the other, in turns
    STAGE_ARGMAX, // the channel of each pixel's largest element, less 128: a byte
    STAGE_KIND_COUNT
};

// DW_ABS and DW_SQUARE add up |x - zero point| or its square, and `thresholds` make an element of the sum.
enum dw_op { DW_MAC, DW_SUM, DW_MAX, DW_ABS, DW_SQUARE };

const char *stage_kind_name(enum stage_kind k); // "conv", …

// y = clamp(zero_point + RNE((acc * 2^bias_frac + bias) * mult * 2^-shift), clamp_lo, clamp_hi).
struct requant {
    int n;               // parameter sets: 1, or one per output channel, or one per output pixel
    bool by_pixel;       // the latter
    int mult_bits;       // 24 exact, 17 fast, 1 shift
    const int64_t *bias; // n
    const int32_t *mult; // n; normalised: 2^(mult_bits-1) <= mult < 2^mult_bits, or 0
    const int *shift;    // n, within [shift_min, shift_min + 2^shift_bits)
    int shift_min, shift_bits;
    int bias_bits; // signed bits that hold every bias
    int bias_frac; // bits of the bias below an accumulator step: more than 0 where a model's own bias needs them
    int zero_point, clamp_lo, clamp_hi;
};

// Output element (y, x, c) of a gather is element y_at[y] + x_at[x] + c_at[c] of the same frame of its input,
// counted along the stream, or the constant `fill` where one of the three is GATHER_FILL. No entry is negative.
#define GATHER_FILL INT32_MIN
struct gather {
    const int32_t *y_at, *x_at, *c_at; // of the output stream's h, w, c entries
    int64_t out_h, out_w;
    int64_t in_count; // elements of an input frame
    int fill;
    int grain; // the elements of an aligned group of so many stay together: beats may have any divisor of it as lanes
};

// How a stage is folded onto hardware: the scheduler's choice.
struct fold {
    int lanes;     // outputs computed at a time (conv); dw: = word
    int word;      // elements of a ring word, read at a time
    int rows_par;  // kernel rows read at a time: 1 or kernel_h
    bool use_dsp;  // multipliers in DSP blocks, else in LUTs
    int pack;      // products per multiplier block: 2 (conv: of two outputs, dw: of two pixels) or 1
    int seg_len;   // cells of a chain whose low lane provably cannot overflow
    int rq_lanes;  // results requantized at a time
    int rq_cycles; // cycles for each of them
    bool rq_dsp;   // the requantizer's multipliers are DSP blocks
    int ring_rows;
    bool ring_block, rom_block, param_block; // block RAM instead of LUTs
    int in_lanes;  // elements per beat at the input, after narrowing
};

// Resources and time of a stage, its input FIFOs and narrowers excepted.
struct cost {
    int64_t cycles; // per frame in steady state, inputs and outputs never waiting
    int64_t dsp, bram18, lut, ff;
};

struct stage {
    enum stage_kind kind;
    int index;
    const char *name;  // "s03_conv", unique, a Verilog identifier
    const char *nodes; // "conv1, relu1": the model's nodes, for people
    const char *where; // place for diagnostics
    int n_in;
    int in_edge[2]; // indices into edges
    int out_stream;
    int64_t macs; // per frame

    struct window_geometry geo; // conv, dw; gap: kernel_h x kernel_w is the region
    int64_t in_c, out_c;
    int pad_value;
    enum dw_op op;
    // conv: [out_c][kernel_h][kernel_w][in_c / group]; dw MAC: [out_c][kernel_h][kernel_w]
    const int16_t *weights;
    int weight_bits; // 2 to 8, what the largest needs; 9 with a non-zero zero point
    int acc_bits;    // accumulator, proven from the weights, without bias
    int weight_reach; // others may be loaded (dataflow/reload.h), as large as this, with either sign as far as weight_bits go; 0: these stay
    bool has_requant;
    struct requant rq;
    // add: y = clamp(zp + RNE(((a - a_zp) * a_mult + (b - b_zp) * b_mult) * 2^-shift))
    // mul: y = clamp(zp + RNE((a - a_zp) * (b - b_zp) * a_mult * 2^-shift))
    int a_zp, b_zp, add_shift;
    int32_t a_mult, b_mult;
    const int8_t *table; // [n_tables][256], indexed by the element's low 8 bits
    int64_t n_tables;    // 1, or one per channel
    // norm: y = -128 + how many of [1..255] the sum reaches; never falling, within [0, 2^(acc_bits - 1)]; [0] is 0
    const int64_t *thresholds;
    struct gather gather;
    int64_t piece[2]; // concat: elements of each input in a turn
    bool select_last; // argmax: the last of the largest, else the first

    struct fold fold;
    struct cost cost;
};

struct stream {
    int index;
    const char *name;   // "x03"
    const char *tensor; // the model's name for it
    int producer;       // stage, or -1: the host
    int64_t h, w, c;
    int lanes; // elements per beat
    double scale;
    int zero_point;
    // Stream position (y*w + x)*c + ch holds element logical[position] of the tensor in the model's own (row major)
    // order. NULL inside of an operator that takes several stages.
    const int32_t *logical;
};

struct edge {
    int index;
    int stream;
    int consumer, port;  // stage and input number; consumer -1: the host, and the output's number
    int lanes;           // after narrowing or widening; divides the stream's lanes or is a multiple of them
    int64_t depth_words; // FIFO, in beats of the stream
    bool block;          // FIFO in block RAM
};

// Where a tensor of the model passes between host and hardware.
struct host_port {
    const char *name;            // of its wires NAME_data, …: "s_in", "m_out"; where there are several "s_in0", "s_in1", …
    int model;                   // index among the graph's inputs or outputs
    const struct tensor *tensor; // integers, in `graph`; the nodes between it and the model's own tensor run on the host
    int stream;
    bool flip;                   // uint8 in the model
    const int32_t *logical;      // stream position p holds element logical[p] of `tensor`
};

struct pipeline {
    struct arena *arena;
    const char *name;
    const struct graph *graph; // the quantized graph (QDQ form) that this computes: with a partition, its core
    const struct partition *partition; // what the host computes beside it; NULL: only what stands at its ports
    const struct host_program *host;   // that, as the run-time library does it; NULL without a partition
    struct stage *stages;      // in topological order; none: the host computes everything, and there is no netlist
    int n_stages, cap_stages;
    struct stream *streams;
    int n_streams, cap_streams;
    struct edge *edges;
    int n_edges, cap_edges;
    struct host_port *inputs; // in the graph's order; those that no hardware reads are left out
    int n_inputs, cap_inputs;
    struct host_port *outputs; // all of the graph's, in its order; several may carry the same stream
    int n_outputs;
    int64_t macs, params;
    int runs; // of the pipeline for a frame of the model: 1 without a partition
    bool reloadable; // its weights come behind a reset (dataflow/reload.h)

    // the schedule
    const struct serial *serial; // one unit for all stages (dataflow/serial.h); NULL: one for each
    const struct board *board;
    int64_t clock_hz;
    int64_t interval_cycles; // predicted cycles per frame
    int64_t latency_cycles;  // predicted, first beat of any input to last beat of all outputs of a lone frame
    struct cost total;
    bool optimal;
    double gap;
    const char *bound; // what keeps it from being faster: "LUT", "s03_conv", "the goal", …
    int64_t schedule_nodes; // search nodes visited, for the report
};

struct stage *pipeline_add_stage(struct pipeline *p, enum stage_kind kind, const char *nodes, const char *where);
struct stream *pipeline_add_stream(struct pipeline *p, const char *tensor, int producer, int64_t h, int64_t w, int64_t c);
// Connects stream `s` to input `port` of stage `consumer` (-1: the host). Returns the edge's index.
int pipeline_connect(struct pipeline *p, int s, int consumer, int port);
// Edges that leave stream s.
int stream_edge_count(const struct pipeline *p, int s);
// Beats per frame at a given number of lanes.
int64_t stream_beats(const struct stream *s, int lanes);
// The words of `word` elements that a gather must keep to read one output row while the input of the next arrives.
int64_t gather_ring_words(const struct stage *s, int word);
// For output row y of a gather: input words that must have arrived before it, and that nothing behind it needs.
void gather_row(const struct stage *s, int word, int64_t y, int64_t *need, int64_t *free_words);
// The stage's input stream at a port.
const struct stream *stage_in(const struct pipeline *p, const struct stage *s, int port);
// Frames of the model a second when the pipeline takes `cycles` for one of its own.
double pipeline_frames_per_s(const struct pipeline *p, int64_t cycles);
// Cycles that the slowest stage takes for a frame; 1 without stages.
int64_t pipeline_slowest_cycles(const struct pipeline *p);
// Elements of s->weights; 0 without.
int64_t stage_weight_count(const struct stage *s);

// Invariants of structure and of ranges; BUG on the first breach.
void pipeline_verify(const struct pipeline *p);
// One line a stage, one a stream, one an edge; weights as a hash.
void pipeline_dump(const struct pipeline *p, struct strbuf *out);

#endif

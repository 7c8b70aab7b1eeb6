// SPDX-License-Identifier: Apache-2.0
// simulate: `aihls sim`: the emitted Verilog under Verilator against the integer reference.
#ifndef AIHLS_SIMULATE_H
#define AIHLS_SIMULATE_H

#include "hls/design.h"
#include "sim/array.h"

struct sim_request {
    const char *dir;
    const char *input; // a file of frames (batch_read) or NULL: random frames
    int64_t frames;    // 0: those of the input, or 3
    uint64_t stall_seed;
    int64_t reset_cycles; // at least 1
    int64_t reset_at;     // cycle of a second reset, after which the frames start again; 0: none
    int64_t power_seed;   // of what registers and memories hold before the first reset, at least 1
    const char *trace;    // FST file or NULL
    bool quiet;
    enum sim_shell { SIM_BARE, SIM_AXI, SIM_UART, SIM_SPI } shell; // the pipeline alone, or behind NAME_axi, NAME_uart or NAME_spi
    uint64_t fault_seed; // of errors that memory answers with, of noise on the line; 0: none
};

// The shell that --shell calls so; false: none.
bool sim_shell_named(const char *name, enum sim_shell *out);

struct sim_result {
    int64_t frames, cycles_per_frame, latency_cycles, mismatches;
    int64_t *stage_cycles;   // per stage, cycles of own work per frame
    // per stream, cycles per frame in which data waited for its reader; of the shell's run its own counts
    int64_t *stream_blocked;
    // per stream, cycles in which the last frame's first and last beat passed, counted from the first beat of any
    // input of that frame; -1: it did not pass; NULL of the shell's run
    int64_t *stream_first, *stream_last;
    int64_t marked, bursts;  // with a shell: frames that ended with an error, all of them injected; bursts on the bus
    int64_t noise;           // disturbances of the line
};

// Builds the Verilator model (once per directory and kind), runs the frames and compares every beat of every
// stream. E601 on a mismatch, with stage, tensor, index, cycle and both values; E602 when nothing moves
// any more, E603 when a shell misbehaves; E501, E502 when Verilator is missing or fails.
bool simulate(const struct ctx *cx, const struct sim_request *r, struct design *d, struct sim_result *out);

// What a shell command starts with so that the programs in it use jemalloc, in arena `a`; "" where it is not beside the C
// library. Verilator mostly allocates: 15 s of processor time instead of 25 for 100 pipelines.
const char *simulate_allocator(struct arena *a);

// What went wrong at a beat of a stream: the member "first" of the harness's result. E601, false.
bool simulate_mismatch(const struct ctx *cx, const struct design *d, const json_t *first);
// The result of sim/shell.cpp, sim/uart.cpp or sim/spi.cpp (simulate_shell.c).
bool simulate_shell_result(const struct ctx *cx, const struct design *d, const char *path, struct sim_result *out);

// Writes `simulated` (of the shell's run `simulated_shell`) and the stages' simulated_cycles into DIR/report.json, and
// DIR/report.html anew. Where the report has no error by layer, it is measured (quant_error_measure).
bool simulate_report(const struct ctx *cx, const struct sim_request *r, struct design *d, const struct sim_result *s);

// A frame, an array for each input of the graph, of seeded random values: int8 and uint8 full range; floats
// uniform over the range that the input's quantizer covers; zeros for an input that no hardware reads.
struct array *random_frame(struct arena *a, const struct design *d, uint64_t seed);

#endif

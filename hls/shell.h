// SPDX-License-Identifier: Apache-2.0
// shell: what stands around the pipeline in a system (docs/80-shell.md), as netlists of templates, and what memory
// makes of its speed.
#ifndef AIHLS_SHELL_NETLIST_H
#define AIHLS_SHELL_NETLIST_H

#include <jansson.h>

#include "hls/design.h"

#define SHELL_SLOTS 16 // of the ring

// Whether the board has the AXI shell: a processor, and no more inputs and outputs than the registers have room for.
bool shell_has_axi(const struct design *d);

// NAME_axi: AXI4-Lite registers, AXI4 master, interrupt. Requires shell_has_axi.
struct netlist *shell_axi(const struct design *d, struct arena *a);

// shell_bench: NAME_axi with all its ports, and the checkers of sim/aihls_check_*.v beside it.
struct netlist *shell_bench(const struct netlist *axi, const struct design *d, struct arena *a);
// sim/shell.h: what sim/shell.cpp has to know of the design and its board.
void shell_constants(const struct design *d, struct strbuf *out);

// Whether the board has the UART and SPI shells: none with a processor's bus, and no more inputs and outputs than they number.
bool shell_has_uart(const struct design *d);

// NAME_uart, NAME_spi: the pipeline behind a serial line, behind SPI (docs/82-uart.md). Requires shell_has_uart.
struct netlist *shell_line(const struct design *d, struct arena *a, enum line line);
const char *shell_line_name(enum line line); // "uart", "spi"
// Bits a second on the serial line: the board's, or AIHLS_UART_BAUD; less where the clock is too slow for that.
int64_t shell_uart_baud(const struct design *d);
// The most on SPI beside such a clock.
int64_t shell_spi_hz(int64_t clock_hz);
// LUTs that one of them adds to the pipeline; block RAMs: cost_shell_bram.
int64_t shell_uart_lut(const struct design *d);
// uart_bench: NAME_uart with a line as fast as the clock allows, for simulation, and what sim/line.hpp has to know of it and of NAME_spi.
struct netlist *shell_uart_bench(const struct design *d, struct arena *a);
void shell_line_constants(const struct design *d, struct strbuf *out);

// NAME_axis: the pipeline's streams as AXI-Stream, for users with a DMA of their own.
struct netlist *shell_axis(const struct design *d, struct arena *a);

// What a frame costs outside of the pipeline, in cycles of its clock.
struct shell_bound {
    int64_t bytes_in, bytes_out; // on the bus, whole words
    int64_t dram_cycles;         // all of them at the board's rate
    int64_t bus_cycles;          // a word a cycle, reads and writes side by side
    int64_t cycles;              // the largest of these and the pipeline's own
    const char *by;              // which it is: "pipeline", "DRAM" or "bus"
};
struct shell_bound shell_bound(const struct design *d);

// The member "shell" of report.json. New reference.
json_t *shell_report(const struct design *d);

#endif

// SPDX-License-Identifier: Apache-2.0
// project_open: the open flow, from Verilog to a bitstream with Yosys and nextpnr (docs/85-projects.md). Below project/:
//
//     NAME_board.v   the top: PLL, reset, NAME_uart or NAME_spi
//     NAME.lpf, .pcf pins
//     settings.mk    device, clock, predicted resources
//     Makefile       bitstream, program, clean
//     check.awk      what nextpnr's log says against the prediction and the clock
#ifndef AIHLS_PROJECT_OPEN_H
#define AIHLS_PROJECT_OPEN_H

#include "hls/project.h"

// Whether the board's file has oscillator, pins and speed of a serial line, and its part is one that nextpnr knows.
bool project_has_open(const struct design *d);
// Clock of the design in Hz, as the board's PLL makes it. Requires project_has_open.
int64_t project_open_clock_hz(const struct design *d);
bool project_open_emit(const struct design *d, struct arena *a, project_put *put, void *user);

#endif

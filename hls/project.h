// SPDX-License-Identifier: Apache-2.0
// project: what the board's tool needs to make a bitstream, and Linux to find the result (docs/85-projects.md).
//
//     project.txt     part, top, TECH, file list: for any tool
//     NAME.xdc        the clock of NAME, on its own
// and for boards with a processor of AMD's (project_has_system):
//     vivado.tcl      from an empty folder to NAME.bit and NAME.xsa; program.tcl, Makefile
//     settings.tcl    what these read: the design's files, addresses, predictions
//     preset.txt      the board's processor system, as data
//     NAME_ip.v       NAME_axi with the interfaces that Vivado's diagrams connect
//     ip/component.xml the same as IP-XACT (hls/ipxact.h)
//     NAME.dtso       device tree overlay
// Boards with one of Intel's have hls/project_quartus.h, those without a processor hls/project_serial.h or hls/project_open.h.
// README.md says what is there, or why a board has no more.
#ifndef AIHLS_PROJECT_H
#define AIHLS_PROJECT_H

#include "hls/design.h"

// Whether the board's processor, its registers' address and interrupt are known.
bool project_has_system(const struct design *d);

// What the design's clock is on the board: what its project's PLL makes, where there is one, which may be a little less than was asked for.
int64_t project_clock_hz(const struct design *d);

// Writes one file of the project; false stops.
typedef bool project_put(void *user, const char *file, const char *text, size_t n_bytes);

// `rtl`: the list of Verilog files as in NAME.f, a line each.
bool project_emit(const struct design *d, struct arena *a, const char *rtl, project_put *put, void *user);

#endif

// SPDX-License-Identifier: Apache-2.0
// bind: a scheduled pipeline as a netlist of templates.
#ifndef AIHLS_BIND_H
#define AIHLS_BIND_H

#include "dataflow/pipeline.h"
#include "hls/netlist.h"

// does      an instance per stage, its ROMs beside it; per stream a fork where it has several readers, per edge a
//           FIFO and where needed a narrower; weights, requantization parameters and tables as memory images
// requires  schedule_solve
// provides  module NAME_core: clk, rst, the wires of every input and output by their port's name (s_in_data, …), and
//           `stall`, a bit per edge that holds that FIFO's input (tests raise it at random; NAME ties it to 0), and
//           `watch`: bit 2 s is 1 while stream s has data that nobody takes, bit 2 s + 1 while its readers wait for data
// cost      O(weights)
struct netlist *bind_pipeline(const struct pipeline *p, struct arena *a);

// The port through which code comes that is not in a ROM (aihls_code): a byte a beat, as many as there are, once after each reset.
#define BIND_CODE "s_code"
// The file that holds that code, a byte a line.
const char *bind_code_file(const struct pipeline *p, struct arena *a);

// Names in the netlist that the simulation looks at.
const char *bind_stream_net(struct arena *a, int stream); // "x03": …_data, _valid, _ready
const char *bind_edge_net(const struct pipeline *p, struct arena *a, int edge); // what a stage reads: "e03", "e03n", …
const char *bind_stage_instance(const struct pipeline *p, struct arena *a, int stage);

#endif

// SPDX-License-Identifier: Apache-2.0
// project_quartus: what Quartus Prime needs for Cyclone V with a processor (docs/85-projects.md). Below project/:
//
//     NAME_ip.v       NAME_axi with this board's TECH, and the AWPROT and ARPROT that Platform Designer wants of AXI4-Lite
//     NAME_hw.tcl     the same as a component of Platform Designer: interfaces, files, memory images
//     system.tcl      the system around it, for qsys-script
//     NAME_board.v    the top: that system, its reset, the pins of the processor's memory
//     NAME_board.sdc  the oscillator's clock
//     quartus.tcl     from these to NAME.sof
//     Makefile
// settings.tcl and preset.txt are those of hls/project.h.
#ifndef AIHLS_PROJECT_QUARTUS_H
#define AIHLS_PROJECT_QUARTUS_H

#include "hls/project_impl.h"

// Requires project_has_system, and an oscillator in the board's file. axi: shell_axi(p->d).
bool project_quartus_emit(struct project *p, const struct netlist *axi);

#endif

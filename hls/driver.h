// SPDX-License-Identifier: Apache-2.0
// driver: what a C program needs to use a design: the run-time library (drivers/), and this network's description.
#ifndef AIHLS_DRIVER_H
#define AIHLS_DRIVER_H

#include "hls/design.h"
#include "hls/outdir.h"

// Writes the folder driver/ of an output directory:
//     libaihls/              the run-time library
//     NAME.h                 sizes, types and functions of this network
//     NAME_network.c         tensors, order of elements, border operators
//     NAME_reference.c       stages with weights, for the back end "reference"
//     NAME_simulation.cpp    wires of the Verilated design, for the back end "simulation"
//     NAME_backends.c        the back ends by name
//     NAME.py                the network for Python
//     Makefile, CMakeLists.txt, example.c, README.md
// E106 for a file of labels that does not fit, E201 for a border operator that the library lacks, E209 for a scale that is not finite. BUG for a kind of
// stage that it does not know. *n_files is
// increased by the number of files.
bool driver_emit(const struct ctx *cx, const struct design *d, struct outdir *out, int *n_files);

#endif

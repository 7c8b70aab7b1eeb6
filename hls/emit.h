// SPDX-License-Identifier: Apache-2.0
// emit: a design as files.
#ifndef AIHLS_EMIT_H
#define AIHLS_EMIT_H

#include "hls/design.h"

// Writes the output directory `path`:
//     manifest.json  files with hashes, top module
//     report.json    the schedule in numbers
//     report.html    the same to look at
//     rtl/           NAME.v (top), NAME_core.v, the templates, NAME.f (file list)
//     mem/           memory images; paths in the Verilog are relative to the directory itself
//     sim/           harness and probes for Verilator, the model, board and options
//     driver/        C library, see driver.h
//     project/       file list, top and clock constraint for the board's tool
//     build.log      `log`: what the passes said and when; the one file that differs from run to run
// All or nothing, see outdir.h. *n_files counts them.
bool emit_design(const struct ctx *cx, const struct design *d, const char *path, const char *log, int *n_files);

#endif

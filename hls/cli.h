// SPDX-License-Identifier: Apache-2.0
// cli: the command line: one table of options, from which parsing and help are made.
#ifndef AIHLS_CLI_H
#define AIHLS_CLI_H

#include "base/diag.h"
#include "hls/design.h"

enum verb { VERB_COMPILE, VERB_SIM, VERB_RUN, VERB_EVAL, VERB_REPORT, VERB_BOARDS, VERB_OPS, VERB_EXPLAIN, VERB_HELP, VERB_HELP_LONG, VERB_VERSION };

struct cli {
    enum verb verb;
    const char *subject; // model, directory or code
    const char *board, *out_dir, *name, *calib, *labels, *input, *output, *data, *scores, *trace, *shell;
    const char *shapes, *dims; // every --shape and --dim, with ';' between
    int64_t fps, max_latency_us, clock_mhz, max_dsp, frames, stalls, reset_cycles, reset_at, power_seed, faults;
    const char *precision, *min_accuracy, *max_loss, *svg;
    enum quant_method calib_method;
    enum requant_mode requant;
    enum line line;
    bool serial;
    bool reloadable;
    const char *reload;
    bool strict, equalize, strict_hw, partition, json, quiet, verbose, use_float, html;
};

// False when the command line is wrong; reported as E401.
bool cli_parse(const struct ctx *cx, int argc, char **argv, struct cli *out);
void cli_help(FILE *f, bool all);

#endif

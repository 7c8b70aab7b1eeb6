// SPDX-License-Identifier: Apache-2.0
// commands: what each verb of the command line does. All return the exit code.
#ifndef AIHLS_COMMANDS_H
#define AIHLS_COMMANDS_H

#include "hls/cli.h"

int command_compile(const struct ctx *cx, const struct cli *cli);
int command_sim(const struct ctx *cx, const struct cli *cli);
int command_run(const struct ctx *cx, const struct cli *cli);
int command_eval(const struct ctx *cx, const struct cli *cli);
int command_report(const struct ctx *cx, const struct cli *cli);
int command_boards(const struct ctx *cx);
int command_ops(void);

#endif

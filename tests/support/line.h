// SPDX-License-Identifier: Apache-2.0
// line: what the tests of the UART and SPI shells share: networks, devices at the end of a line, and shells with a mistake.
#ifndef AIHLS_TESTS_LINE_H
#define AIHLS_TESTS_LINE_H

#include "tests/support/sandbox.h"

// For the group's setup, with the sandbox's name, "uart" or "spi", which is also $L in commands: compiles one, many (two inputs
// and outputs), table, for ulx3s-85f; ice (one for icebreaker), pynq (table for pynq-z2); builds the driver of one and table;
// x.ppm is a frame for both. Gives an exit code.
int line_setup(const char *name);

// A test of cmocka; *state is a struct command. Beside those of run() its command may use
//     $W TEMPLATE SED        simulates `one` with a template changed, in noise
//     on DIR NET ARGUMENTS   runs NET's example on DIR's device, and holds what it says against the reference; DEAD=1: the device has
//                            stopped, TAKEN=1: another program has it
void line_check(void **state);

// Runs the table of rows.
int line_main(struct command *rows, size_t n, int (*setup)(void **state));

#endif

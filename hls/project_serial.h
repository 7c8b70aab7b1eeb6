// SPDX-License-Identifier: Apache-2.0
// project_serial: the top of boards with an oscillator and a serial line or SPI, and what Vivado needs of those it knows
// (docs/85-projects.md). Below project/:
//
//     NAME_board.v    the top: PLL, reset, NAME_uart or NAME_spi
//     NAME_board.xdc  for parts of AMD's: pins, and the oscillator's clock
#ifndef AIHLS_PROJECT_SERIAL_H
#define AIHLS_PROJECT_SERIAL_H

#include "hls/project.h"

// Dividers of the input, the feedback and the output; the output's frequency is hz, 0 where no setting will do.
struct pll {
    int in, feedback, out;
    double hz;
};

// Whether setting `a`, whose oscillator runs at `vco`, is to replace *have: it comes nearer to the wanted frequency from below, or as
// near and with the oscillator nearer to the middle of its range. *have_vco, that of *have, follows.
bool pll_better(const struct pll *have, const struct pll *a, double vco, double *have_vco, double middle);

// Writes the instance of the family's PLL: from clk to core_clk and locked.
typedef void serial_print_pll(const struct board *b, const struct pll *p, struct strbuf *sb);

// The pins of NAME_board and its ports there; gives how many.
struct serial_pin {
    const char *port, *pin;
    bool input;
};
#define SERIAL_PINS 5
int serial_pins(const struct design *d, struct serial_pin pins[SERIAL_PINS]);

// The text of NAME_board.v.
void serial_top(const struct design *d, const struct pll *pll, serial_print_pll *print, struct strbuf *sb);

// Whether the board's file has oscillator, pins and speed of a serial line, and a PLL of a 7 series part makes the clock.
bool project_has_serial(const struct design *d);

// Clock of the design in Hz, as that PLL makes it. Requires project_has_serial.
int64_t project_serial_clock_hz(const struct design *d);
bool project_serial_emit(const struct design *d, struct arena *a, project_put *put, void *user);

#endif

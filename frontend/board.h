// SPDX-License-Identifier: Apache-2.0
// board: what a target offers.
//
// Boards that aihls knows are boards/NAME/board.xml, embedded in the program. A user's own
// file looks the same and is checked against the same schema, boards/board.xsd, which
// names the fields, their ranges, and demands a source for each number.
#ifndef AIHLS_BOARD_H
#define AIHLS_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "frontend/tech.h"

struct board {
    const char *name;   // "ultra96"
    const char *title;  // "Avnet Ultra96-V2"
    const char *part;   // as the vendor's tools name it
    const char *family; // as the open synthesis tools name it: "xcup", "ecp5"
    const struct tech *tech; // what that family is made of
    int64_t clock_hz;   // of the accelerator, unless the user asks for another
    int64_t lut, ff, dsp;
    int64_t bram18, uram;     // block RAMs of tech->bram_kbit (a 36 Kb block is two), UltraRAMs
    int64_t dram_bytes_per_s; // to plan with, below the peak; 0: there is none
    // How the fabric reaches memory beside a processor; all 0 where it does not.
    int64_t axi_data_bits, axi_addr_bits;
    int64_t dram_latency_ns;                   // from an address on the bus to its first word
    int64_t dram_refresh_every_ns, dram_refresh_ns; // memory pauses this often, for so long
    // Where a processor finds the fabric, for the vendor's project and the device tree; not given: 0, NULL.
    int64_t axi_base;       // address of the registers' aperture
    int64_t irq_spi;        // number of the interrupt line among the GIC's shared ones (device tree: <0 irq_spi 4>)
    const char *board_part; // the board's name in the vendor's board files
    const char *preset_text; // preset.txt beside the board's file: settings of the processor system, a line each
    // The board's oscillator and serial line, for boards without a processor; not given: 0, NULL. Beside a processor that does not
    // clock the fabric: the oscillator and its pin alone.
    int64_t oscillator_hz, uart_baud;
    const char *pin_clk, *pin_rxd, *pin_txd; // of the part, as its tools name them; rxd is what the part receives
    const char *pin_sck, *pin_cs_n, *pin_mosi, *pin_miso; // where an SPI host may be, on boards with a serial line; NULL: nowhere
    const char *xml_text;     // the whole file, for the project's record
};

// Reads the board called `name_or_path`, or, when that contains a '/' or ends in ".xml", that
// file. Everything in *out lives in the context's arena. False after a diagnostic:
// E402 unknown name, E002 unreadable file, E301 a file that is no XML, breaks the schema (each
// breach with its line), or names a multiplier or counts block RAMs that its family does not have.
//
// preset.txt beside the file is read too, if it is there (E002, E301 as above).
//
// A file may come from anywhere: document types, and with them entities, are refused
// before they are read, and nothing but these two files is ever opened.
bool board_read(const struct ctx *cx, const char *name_or_path, struct board *out);

// The boards that aihls knows, by name in ascending order.
int board_count(void);
const char *board_name(int i);

#endif

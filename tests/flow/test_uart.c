// SPDX-License-Identifier: Apache-2.0
// The UART shell as a user meets it: frames through a serial line, with noise, clocks that differ and resets; a program of
// the driver at the other end of a pseudo-terminal, and what it says of lines and devices that are wrong; and that the simulation
// notices a shell that is.
#include <stddef.h>

#include "tests/support/line.h"

static struct command rows[] = {
    { "the shell passes lint", "for t in one many ice; do (cd $t && n=$(basename rtl/*_uart.v .v) && verilator --lint-only -Wall --top-module $n -f rtl/${n%_uart}.f) || exit 9; done", 0, "" },
    { "frames come through the line", "$A sim one --shell uart", 0, "3 frames through the line, 0 mismatches" },
    { "with clocks that differ", "for s in 1 2 3 4; do $A sim one --shell uart --frames 6 --stalls $s || exit 9; done", 0, "6 frames through" },
    { "with noise", "for s in 1 2 3 4 5 6; do $A sim one --shell uart --frames 30 --stalls $s --faults $s | grep ' [1-9][0-9]* disturbances' || exit 9; done", 0, "30 frames through the line, 0 mismatches, 0 lost" },
    { "with a reset in the middle", "for at in 30000 50100 70300; do $A sim one --shell uart --frames 6 --reset-at $at || exit 9; done", 0, "6 frames through the line, 0 mismatches, 1 lost" },
    { "two inputs and two outputs, with noise", "for s in 1 2 3; do $A sim many --shell uart --frames 12 --stalls $s --faults $s || exit 9; done", 0, "12 frames through" },
    { "buffers in block RAM", "$A sim ice --shell uart --frames 5 --faults 2", 0, "5 frames through" },
    { "a board with a processor has none", "$A sim pynq --shell uart", 2, "E401" },
    { "and no project but its own", "test ! -e pynq/rtl/table_uart.v && test -e one/rtl/one_uart.v && grep -q '\"kind\": \"uart\"' one/report.json", 0, NULL },
    // the driver, at the other end of a pseudo-terminal
    { "a program does not see the difference", "on one one --backend serial x.ppm", 0, NULL },
    { "a port that is none", "AIHLS_SERIAL=/dev/null one/driver/build/example --backend serial x.ppm", 1, "cannot start" },
    { "another network's bitstream", "on one table --backend serial x.ppm", 1, "holds another network" },
    { "a device that is dead", "DEAD=1 on one one --backend serial x.ppm", 1, "stopped answering" },
    { "a port that another program has", "TAKEN=1 on one one --backend serial x.ppm", 1, "uses the device" },
    // cores and shells that are wrong
    { "a core that takes what comes in reset", "rm -rf wrong && cp -r one wrong && sed -i 's/_ready \\&\\& !rst/_ready/' wrong/rtl/aihls_port.v && "
      "h() { sha256sum $1/rtl/aihls_port.v | cut -d' ' -f1; }; sed -i \"s/$(h one)/$(h wrong)/\" wrong/manifest.json; $A sim wrong", 4, "an input is ready in reset" },
    { "a CRC that nobody looks at", "$W aihls_uart_unpack \"s/ \\&\\& (crc_q == 16'd0)//\"", 1, "error[E60" },
    { "a request that is carried out twice", "$W aihls_uart_link 's/end else if (again_q) begin/end else if (1'\\''b0) begin/'", 1, "error[E60" },
};

static int group_setup(void **state)
{
    (void)state;
    return line_setup("uart");
}

int main(void)
{
    return line_main(rows, sizeof rows / sizeof *rows, group_setup);
}

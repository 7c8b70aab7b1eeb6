// SPDX-License-Identifier: Apache-2.0
// DIR/project for Vivado: the scripts run in tests/vivado_model.tcl, which knows Vivado's commands, and
// what they build is held against the board's file, the device tree, and the files of the output. The model must notice
// each of the planted mistakes. component.xml is checked against hls/ipxact.xsd.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "drivers/aihls_shell.h"
#include "frontend/board.h"
#include "hls/outdir.h"

static char root[64]; // removed at the end
static struct arena arena;
static struct strbuf said = STRBUF_INIT;   // by the last command
static struct strbuf record = STRBUF_INIT; // of the last run of the model

static const char *const boards[] = { "ultra96", "zcu104", "kv260", "pynq-z2" };
#define N_BOARDS 4

// Runs a shell command in root, $M the model; gives the exit code.
static int run(const char *command)
{
    char cwd[4096];
    assert_non_null(getcwd(cwd, sizeof cwd));
    int status = system(arena_printf(&arena, "M=%s/tests/vivado_model.tcl MODELS=%s/tests/rtl/models && cd %s && { %s ; } >said 2>&1", cwd, cwd, root, command));
    strbuf_clear(&said);
    strbuf_read_file(&said, arena_printf(&arena, "%s/said", root));
    strbuf_clear(&record);
    strbuf_read_file(&record, arena_printf(&arena, "%s/record", root));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *read_text(const char *file)
{
    struct strbuf sb = STRBUF_INIT;
    if (!strbuf_read_file(&sb, arena_printf(&arena, "%s/%s", root, file)))
        fail_msg("there is no %s", file);
    const char *text = arena_strdup(&arena, sb.text);
    strbuf_release(&sb);
    return text;
}

static int compile(const char *board)
{
    const char *bin = getenv("AIHLS_BIN");
    return system(arena_printf(&arena, "%s tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board %s -q -o %s/%s",
                               bin ? bin : "build/aihls", board, root, board));
}

static int group_setup(void **state)
{
    (void)state;
    strcpy(root, "/tmp/aihls_test_project_XXXXXX");
    if (!mkdtemp(root) || compile("arty-a7-100"))
        return -1;
    for (int i = 0; i < N_BOARDS; i++)
        if (compile(boards[i]))
            return -1;
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    remove_tree(root);
    strbuf_release(&said);
    strbuf_release(&record);
    arena_release(&arena);
    return 0;
}

static void in_record(const char *line)
{
    if (!strstr(record.text, arena_printf(&arena, "\n%s\n", line)))
        fail_msg("the record lacks '%s'\n%s", line, record.text);
}

// ---- every board: what is built is what the board's file, the device tree and the output say ----

static void check_sources(const char *board, const char *real)
{
    int n = 0;
    const char *list = read_text(arena_printf(&arena, "%s/rtl/digits.f", board));
    for (const char *at = list; *at; at += strcspn(at, "\n") + 1, n++) {
        const char *file = arena_strndup(&arena, at, strcspn(at, "\n"));
        if (strcmp(file, "rtl/digits_core.v") == 0)
            in_record(arena_printf(&arena, "= source %s/%s/project/vivado/staged/digits_core.v", real, board));
        else
            in_record(arena_printf(&arena, "= source %s/%s/%s", real, board, file));
    }
    assert_true(n > 20);
    assert_int_equal(run(arena_printf(&arena, "ls %s/mem", board)), 0);
    const char *core = read_text(arena_printf(&arena, "%s/project/vivado/staged/digits_core.v", board));
    assert_null(strstr(core, "\"mem/"));
    const char *images = arena_strdup(&arena, said.text);
    assert_int_equal(run("true"), 0);
    for (const char *at = images; *at; at += strcspn(at, "\n") + 1) {
        const char *path = arena_printf(&arena, "%s/%s/mem/%.*s", real, board, (int)strcspn(at, "\n"), at);
        in_record(arena_printf(&arena, "= source %s", path));
        assert_non_null(strstr(core, arena_printf(&arena, "\"%s\"", path)));
    }
}

// Device tree, driver and README.
static void check_software(const char *board, const struct board *b)
{
    const char *text = read_text(arena_printf(&arena, "%s/project/digits.dtso", board)), *high = strcmp(b->family, "xcup") == 0 ? "0x0 " : "";
    assert_non_null(strstr(text, arena_printf(&arena, "reg = <%s0x%llx %s0x%x>;", high, (long long)b->axi_base, high, AIHLS_SHELL_APERTURE_BYTES)));
    assert_non_null(strstr(text, arena_printf(&arena, "interrupts = <0 %lld 4>;", (long long)b->irq_spi)));
    assert_non_null(strstr(text, arena_printf(&arena, "assigned-clock-rates = <%lld>;", (long long)b->clock_hz)));
    const char *header = read_text(arena_printf(&arena, "%s/driver/digits.h", board));
    assert_non_null(strstr(header, arena_printf(&arena, "\n#define DIGITS_REGISTERS 0x%llxu ", (long long)b->axi_base)));
    assert_non_null(strstr(header, arena_printf(&arena, "\n#define DIGITS_INTERRUPT %lld ", (long long)b->irq_spi + 32)));
    assert_non_null(strstr(read_text(arena_printf(&arena, "%s/project/README.md", board)), arena_printf(&arena, "0x%08llx", (long long)b->axi_base)));
}

static void the_script_builds_what_the_board_says(void **state)
{
    (void)state;
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    char real[4096];
    assert_non_null(realpath(root, real));
    for (int i = 0; i < N_BOARDS; i++) {
        struct board b;
        assert_true(board_read(&cx, boards[i], &b));
        bool up = strcmp(b.family, "xcup") == 0;
        if (run(arena_printf(&arena, "tclsh $M record %s/project/vivado.tcl 2", boards[i])))
            fail_msg("%s: %s", boards[i], said.text);
        in_record("= finished");
        in_record(arena_printf(&arena, "= part %s", b.part));
        in_record(arena_printf(&arena, "= address ps/%s accelerator/s_axil/reg0 0x%llx %d", up ? "M_AXI_HPM0_FPD" : "M_AXI_GP0", (long long)b.axi_base, AIHLS_SHELL_APERTURE_BYTES));
        in_record(arena_printf(&arena, "= address accelerator/m_axi ps/%s 0 0x80000000", up ? "SAXIGP2/HP0_DDR_LOW" : "S_AXI_HP0/HP0_DDR_LOWOCM"));
        // The first interrupt of the fabric: 121 and 61 of the GIC, whose shared ones begin at 32.
        in_record(arena_printf(&arena, "= net ps/%s accelerator/irq", up ? "pl_ps_irq0" : "IRQ_F2P"));
        assert_int_equal(b.irq_spi, (up ? 121 : 61) - 32);
        in_record(arena_printf(&arena, "= net accelerator/clk ps/%s", up ? "pl_clk0" : "FCLK_CLK0"));
        in_record(arena_printf(&arena, "= width %lld", (long long)b.axi_data_bits));
        long long hz = atoll(strstr(record.text, "= clock ") + 8);
        assert_true(llabs(hz - b.clock_hz) <= b.clock_hz / 1000);
        assert_non_null(strstr(said.text, "written: digits.bit, digits.xsa"));
        check_software(boards[i], &b);
        check_sources(boards[i], real);
    }
}

static void a_users_own_board_has_its_own_address_and_settings(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    assert_int_equal(system(arena_printf(&arena, "mkdir %s/own && sed 's/0x43c00000/0x43d00000/' boards/pynq-z2/board.xml >%s/own/my.xml && "
                                         "sed 's/MIO 14 .. 15/MIO 10 .. 11/' boards/pynq-z2/preset.txt >%s/own/preset.txt", root, root, root)), 0);
    assert_int_equal(system(arena_printf(&arena, "%s tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board %s/own/my.xml -q -o %s/mine",
                                         bin ? bin : "build/aihls", root, root)), 0);
    assert_int_equal(run("tclsh $M record mine/project/vivado.tcl"), 0);
    in_record("= address ps/M_AXI_GP0 accelerator/s_axil/reg0 0x43d00000 65536");
    in_record("= config ps PCW_UART0_UART0_IO MIO 10 .. 11");
    assert_non_null(strstr(read_text("mine/project/digits.dtso"), "aihls@43d00000 {"));
}

// No processor, a serial line: the top is ours, and no bus is built.
static void a_serial_board_has_its_own_top(void **state)
{
    (void)state;
    char real[4096];
    struct board b;
    struct diag diag = { .out = stderr };
    assert_non_null(realpath(root, real));
    assert_true(board_read(&(struct ctx){ &arena, &diag }, "arty-a7-100", &b));
    if (run("tclsh $M record arty-a7-100/project/vivado.tcl"))
        fail_msg("%s", said.text);
    in_record("= finished");
    in_record("= top digits_board");
    in_record(arena_printf(&arena, "= part %s", b.part));
    in_record(arena_printf(&arena, "= clock_hz %lld", (long long)b.clock_hz));
    in_record(arena_printf(&arena, "= clock clk %.3f", 1e9 / (double)b.oscillator_hz));
    in_record(arena_printf(&arena, "= port clk PACKAGE_PIN %s", b.pin_clk));
    in_record(arena_printf(&arena, "= port rxd PACKAGE_PIN %s", b.pin_rxd));
    in_record(arena_printf(&arena, "= port txd PACKAGE_PIN %s", b.pin_txd));
    assert_null(strstr(record.text, "create_bd_"));
    assert_non_null(strstr(said.text, "written: digits.bit\n"));
    check_sources("arty-a7-100", real);
    assert_null(strstr(read_text("arty-a7-100/project/README.md"), "W304"));
    assert_non_null(strstr(read_text("arty-a7-100/driver/digits_backends.c"), "AIHLS_SERIAL("));
    assert_int_equal(run("ls arty-a7-100/project/digits.dtso"), 2);
}

// The clock asked for need not be one that the PLL makes: settings.tcl and the top agree on the nearest below.
static void a_serial_board_has_the_nearest_clock(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    assert_int_equal(system(arena_printf(&arena, "%s tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board arty-a7-100 --clock-mhz 137 -q -o %s/odd",
                                         bin ? bin : "build/aihls", root)), 0);
    if (run("tclsh $M record odd/project/vivado.tcl"))
        fail_msg("%s", said.text);
    in_record("= finished");
    const char *at = strstr(record.text, "\n= clock_hz ");
    assert_non_null(at);
    assert_in_range(atoll(at + strlen("\n= clock_hz ")), 136000000, 137013700);
    // an SPI host must not be faster than an eighth of that
    assert_non_null(strstr(read_text("odd/driver/digits_backends.c"), arena_printf(&arena, "spi_design = { %lld }", atoll(at + strlen("\n= clock_hz ")) / 8)));
}

// With --line spi the top is another, and has other pins.
static void a_board_with_spi_has_its_pins(void **state)
{
    (void)state;
    const char *bin = getenv("AIHLS_BIN");
    struct board b;
    struct diag diag = { .out = stderr };
    assert_true(board_read(&(struct ctx){ &arena, &diag }, "arty-a7-100", &b));
    const struct { const char *port, *pin; } pins[] = { { "clk", b.pin_clk }, { "sck", b.pin_sck }, { "cs_n", b.pin_cs_n }, { "mosi", b.pin_mosi }, { "miso", b.pin_miso } };
    assert_int_equal(system(arena_printf(&arena, "%s tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board arty-a7-100 --line spi -q -o %s/spi",
                                         bin ? bin : "build/aihls", root)), 0);
    if (run("tclsh $M record spi/project/vivado.tcl"))
        fail_msg("%s", said.text);
    in_record("= finished");
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++)
        in_record(arena_printf(&arena, "= port %s PACKAGE_PIN %s", pins[i].port, pins[i].pin));
    assert_null(strstr(record.text, "= port rxd"));
}

// ---- rows: something is changed in a copy of an output, or the tool gives something else ----

static struct row {
    const char *name, *board, *command; // in the copy's project/
    int code;
    const char *says, *records;
} rows[] = {
    // What the model must notice: tests of the test.
    { "an option that Vivado does not have", "ultra96", "sed -i s/-norecurse/-norecursion/ vivado.tcl; RUN", 1, "add_files has no option -norecursion", NULL },
    { "a command that Vivado does not have", "ultra96", "sed -i s/^.*validate_bd_design/check_bd_design/ vivado.tcl; RUN", 1, "invalid command name \"check_bd_design\"", NULL },
    { "an option without its value", "ultra96", "sed -i 's/-to_step write_bitstream -jobs .jobs/-to_step/' vivado.tcl; RUN", 1, "takes 1 to 9 arguments, not 0", NULL },
    { "a property that a project does not have", "ultra96", "sed -i s/target_language/language/ vivado.tcl; RUN", 1, "a project has no property language", NULL },
    { "a parameter that the processor does not have", "ultra96", "sed -i s/PSU__USE__IRQ0/PSU__USE__IRQ/ vivado.tcl; RUN", 1, "has no property CONFIG.PSU__USE__IRQ", NULL },
    { "and in the preset", "pynq-z2", "sed -i s/DDR_PARTNO/DDR_PART/ preset.txt; RUN", 1, "has no property CONFIG.PCW_UIPARAM_DDR_PART", NULL },
    { "an interrupt that is not enabled", "pynq-z2", "sed -i 's/CONFIG.PCW_IRQ_F2P_INTR 1//' vivado.tcl; RUN", 1, "ps (processing_system7) has no pin IRQ_F2P", NULL },
    { "an interrupt that goes nowhere", "ultra96", "sed -i '/connect_pins accelerator.irq/d' vivado.tcl; RUN", 1, "accelerator/irq goes nowhere", NULL },
    { "a reset in the clock's place", "ultra96", "sed -i 's/connect_pins reset.peripheral_aresetn/& accelerator\\/clk/' vivado.tcl; RUN", 1, "is a reset, accelerator/clk is none", NULL },
    { "a port that keeps its unused master", "ultra96", "sed -i 's/CONFIG.PSU__USE__M_AXI_GP1 0//' vivado.tcl; RUN", 1, "ps/maxihpm1_fpd_aclk is not connected", NULL },
    { "a port of another width", "kv260", "sed -i 's/data_bits 128/data_bits 64/' settings.tcl; RUN", 1, "the accelerator's bus has 128 bits, ps/S_AXI_HP0_FPD 64", NULL },
    { "an address that the processor does not reach", "zcu104", "sed -i 's/base 0xa0000000/base 0xb0000000/' settings.tcl; RUN", 1, "0xb0000000 is not for ps/M_AXI_HPM0_FPD", NULL },
    { "buses the wrong way round", "ultra96", "sed -i 's/connect_bus control.M00_AXI accelerator.s_axil/connect_bus control\\/M00_AXI accelerator\\/m_axi/' vivado.tcl; RUN", 1, "a bus has a master and a slave", NULL },
    { "a part of another family", "ultra96", "sed -i 's/part xczu3eg-sbva484-1-i/part xc7z020clg400-1/' settings.tcl; RUN", 1, "has no zynq_ultra_ps_e", NULL },
    { "a source that is not there", "ultra96", "rm ../rtl/aihls_gear.v; RUN", 1, "there is no file", NULL },
    { "a bus that lacks a port", "ultra96", "sed -i '/m_axi RRESP/d' digits_ip.v; RUN", 1, "bus m_axi of digits_ip lacks RRESP", NULL },
    { "a bus without a clock", "ultra96", "sed -i 's/BUSIF s_axil:m_axi/BUSIF s_axil/' digits_ip.v; RUN", 1, "bus m_axi of digits_ip has no clock", NULL },
    { "a port without a pin", "arty-a7-100", "sed -i /txd/d digits_board.xdc; RUN", 1, "port txd has no PACKAGE_PIN", NULL },
    { "a pin twice", "arty-a7-100", "sed -i s/D10/A9/ digits_board.xdc; RUN", 1, "pin A9 has two ports", NULL },
    { "a port that the top does not have", "arty-a7-100", "sed -i 's/get_ports rxd/get_ports rx/' digits_board.xdc; RUN", 1, "the top has no port rx", NULL },
    { "a clock of another period", "arty-a7-100", "sed -i 's/period 10.000/period 20.000/' digits_board.xdc; RUN", 1, "port clk has no clock of 10.000 ns", NULL },
    { "a PLL beyond its range", "arty-a7-100", "sed -i 's/MULT(12)/MULT(24)/; s/CLKOUT0_DIVIDE(8)/CLKOUT0_DIVIDE(16)/' digits_board.v; RUN", 1, "oscillator runs at 2400", NULL },
    { "a PLL that makes another clock", "arty-a7-100", "sed -i 's/CLKOUT0_DIVIDE(8)/CLKOUT0_DIVIDE(9)/' digits_board.v; RUN", 1, "the PLL makes 133333333 Hz", NULL },
    { "no constraints", "arty-a7-100", "sed -i '/constrs_1/d' vivado.tcl; RUN", 1, "there are no constraints", NULL },

    // What the script itself must notice.
    { "an image that is not there", "ultra96", "rm ../mem/digits_s01_conv_w3.hex; RUN", 1, "memory image mem/digits_s01_conv_w3.hex is missing", NULL },
    { "an image that nothing reads", "ultra96", "sed -i s/s01_conv_w3.hex/s01_conv_w4.hex/ ../rtl/digits_core.v; RUN", 1, "no memory reads mem/digits_s01_conv_w3.hex", NULL },
    { "a clock that no PLL gives", "pynq-z2", "sed -i /CLKSRC/d preset.txt; RUN", 1, "makes 142.857142 MHz of the 150.0 MHz", NULL },
    { "synthesis fails", "ultra96", "export MODEL_FAIL=synth_1; RUN", 1, "synth_1 ended with", NULL },
    { "implementation fails", "ultra96", "export MODEL_FAIL=impl_1; RUN", 1, "impl_1 ended with", NULL },
    { "a block more than predicted", "ultra96", "export MODEL_DSP=357; RUN", 1, "DSP: 357 built, 356 predicted", NULL },
    { "a block RAM less", "ultra96", "export MODEL_BRAM=2; RUN", 1, "BRAM (18 Kb): 2.0 built, 3 predicted", NULL },
    { "LUTs 21 % above", "pynq-z2", "export MODEL_LUT=44515; RUN", 1, "LUT: 44515 built, 36782 predicted", NULL },
    { "and 21 % below", "pynq-z2", "export MODEL_LUT=29063; RUN", 1, "LUT: 29063 built", NULL },
    { "19 % are allowed", "pynq-z2", "export MODEL_LUT=43778; RUN", 0, "written: digits.bit", "= finished" },
    { "the user accepts", "ultra96", "export MODEL_DSP=357 MODEL_LUT=1; RUN 2 1", 0, "WARNING: DSP: 357 built, 356 predicted; LUT: 1 built", "= finished" },
    { "the clock is missed", "ultra96", "export MODEL_SETUP=-0.5; RUN 2 1", 1, "compile the model with --clock-mhz 260", NULL },
    { "a hold time is missed", "ultra96", "export MODEL_HOLD=-0.01; RUN 2 1", 1, "a hold time is missed by 0.01 ns", NULL },
    { "nothing is written then", "ultra96", "export MODEL_HOLD=-0.01; RUN; ls digits.bit", 2, NULL, NULL },
    { "the same without a processor", "arty-a7-100", "export MODEL_SETUP=-0.5; RUN", 1, "compile the model with --clock-mhz 139", NULL },
    { "a block more there", "arty-a7-100", "export MODEL_DSP=211; RUN", 1, "DSP: 211 built, 210 predicted", NULL },
    { "LUTs 21 % above there", "arty-a7-100", "export MODEL_LUT=50570; RUN", 1, "LUT: 50570 built, 41793 predicted", NULL },
    { "synthesis dissolved the core", "ultra96", "export MODEL_FLAT=1; RUN", 1, "FLATTEN_HIERARCHY", NULL },

    // What may be otherwise.
    { "board files are installed", "ultra96", "export MODEL_BOARDS='x.com:zcu104:part0:1.1 avnet.com:ultra96v2:part0:1.2'; RUN", 0, NULL, "= board_part avnet.com:ultra96v2:part0:1.2" },
    { "the clock's source is ours with them too", "pynq-z2", "export MODEL_BOARDS=tul.com.tw:pynq-z2:part0:1.0; RUN", 1, "the processor system makes", "= config ps PCW_FCLK0_PERIPHERAL_CLKSRC DDR PLL" },
    { "memory above 2 GB", "kv260", "export MODEL_HIGH=1; RUN", 0, NULL, "= address accelerator/m_axi ps/SAXIGP2/HP0_DDR_HIGH 0 0x80000000" },
    { "a second run replaces the first", "ultra96", "RUN && RUN", 0, "written: digits.bit", "= finished" },

    // Programming, and make.
    { "nothing to program", "ultra96", "tclsh $M ../../record program.tcl", 1, "help: make bitstream", NULL },
    { "the fabric is found in the chain", "ultra96", "touch digits.bit; tclsh $M ../../record program.tcl", 0, "programmed: xczu3_0", "= programmed xczu3_0" },
    { "another board is in the chain", "ultra96", "touch digits.bit; export MODEL_CHAIN='xc7z020_1 arm_dap_0'; tclsh $M ../../record program.tcl", 1, "0 devices of the chain", NULL },
    { "two boards are in the chain", "pynq-z2", "touch digits.bit; export MODEL_CHAIN='xc7z020_1 xc7z020_2'; tclsh $M ../../record program.tcl", 1, "2 devices of the chain", NULL },
    { "make without Vivado", "ultra96", "make bitstream VIVADO=no-such-tool", 2, "no-such-tool is not installed: install AMD Vivado", NULL },
    { "program without Vivado", "ultra96", "touch -d tomorrow digits.bit; make program VIVADO=no-such-tool", 2, "install AMD Vivado or Vivado Lab", NULL },
    { "make passes on what it was given", "ultra96", "FAKE; make bitstream VIVADO=./vivado.sh JOBS=7 && make program VIVADO=./vivado.sh && make bitstream VIVADO=no-such-tool", 0, "programmed: xczu3_0", NULL },
    { "make stops with the script", "ultra96", "FAKE; export MODEL_SETUP=-1; make bitstream VIVADO=./vivado.sh; ls digits.bit", 2, "is missed by 1", NULL },
    { "a serial board through make", "arty-a7-100", "FAKE; export MODEL_CHAIN=xc7a100t_0; make bitstream VIVADO=./vivado.sh && make program VIVADO=./vivado.sh", 0, "programmed: xc7a100t_0", NULL },
    { "no firmware without a processor", "arty-a7-100", "make firmware", 2, "there is no firmware to load", NULL },
    { "firmware without bootgen", "ultra96", "touch -d tomorrow digits.bit; make firmware BOOTGEN=no-such-tool", 2, "no-such-tool is not installed", NULL },
};

// Stands for vivado: the model with what -source and -tclargs say.
#define FAKE "printf '#!/bin/sh\\nfor a; do case $p in -source) s=$a;; -tclargs) t=1;; esac; [ -n \"$t\" ] && l=\"$l $a\"; p=$a; done\\n" \
             "exec tclsh '$M' ../../record $s $l\\n' >vivado.sh; chmod +x vivado.sh"

static const char *expanded(const char *command)
{
    static const char *const words[][2] = { { "RUN", "tclsh $M ../../record vivado.tcl" }, { "FAKE", FAKE } };
    struct strbuf sb = STRBUF_INIT;
    for (const char *at = command; *at;) {
        size_t skip = 0;
        for (int i = 0; i < 2; i++)
            if (strncmp(at, words[i][0], strlen(words[i][0])) == 0) {
                strbuf_adds(&sb, words[i][1]);
                skip = strlen(words[i][0]);
            }
        if (!skip)
            strbuf_addch(&sb, *at);
        at += skip ? skip : 1;
    }
    const char *text = arena_strdup(&arena, sb.text);
    strbuf_release(&sb);
    return text;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    // The copy is as the compiler left it: no results of another test's run.
    int code = run(arena_printf(&arena, "rm -rf copy && cp -r %s copy && cd copy/project && rm -rf vivado *.bit *.xsa *.rpt && %s", r->board, expanded(r->command)));
    if (code != r->code || (r->says && !strstr(said.text, r->says)))
        fail_msg("exit %d, want %d and '%s'\n%s", code, r->code, r->says ? r->says : "", said.text);
    if (r->records)
        in_record(r->records);
}

// ---- component.xml ----

// Breaches of the schema in a text.
static void count_error(void *user, xmlErrorPtr e)
{
    int *n = user;
    (void)e;
    ++*n;
}

static int breaches(const char *text)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt("hls/ipxact.xsd");
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    assert_non_null(schema);
    xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema);
    int n = 0;
    xmlSchemaSetValidStructuredErrors(valid, count_error, &n);
    xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    int status = xmlSchemaValidateDoc(valid, doc);
    assert_true((status == 0) == (n == 0));
    xmlFreeDoc(doc);
    xmlSchemaFreeValidCtxt(valid);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
    return n;
}

// The text with its first `from` replaced.
static const char *edited(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void the_component_is_valid(void **state)
{
    (void)state;
    for (int i = 0; i < N_BOARDS; i++)
        assert_int_equal(breaches(read_text(arena_printf(&arena, "%s/project/ip/component.xml", boards[i]))), 0);
}

static void the_schema_notices_mistakes(void **state)
{
    (void)state;
    static const char *const mistakes[][2] = {
        { "<spirit:name>s_axil_awaddr</spirit:name>", "<spirit:name>s_axil_awadr</spirit:name>" }, // of a port map
        { "<spirit:name>AWVALID</spirit:name>", "<spirit:name>AWADDR</spirit:name>" },
        { "memoryMapRef=\"s_axil\"", "memoryMapRef=\"s_axi\"" },
        { "addressSpaceRef=\"m_axi\"", "addressSpaceRef=\"m\"" },
        { "<spirit:addressOffset>0x34<", "<spirit:addressOffset>0x30<" },
        { "<spirit:access>read-only<", "<spirit:access>readonly<" },
        { "<spirit:direction>in<", "<spirit:direction>input<" },
        { "<spirit:localName>files<", "<spirit:localName>file<" },
        { "<spirit:version>1.0</spirit:version>", "" },
        { "<spirit:memoryMaps>", "<spirit:memoryMaps/><spirit:memoryMaps>" },
    };
    const char *text = read_text("ultra96/project/ip/component.xml");
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        if (breaches(edited(text, mistakes[i][0], mistakes[i][1])) == 0)
            fail_msg("nobody noticed %s", mistakes[i][1]);
}

static void the_component_has_the_registers_and_files(void **state)
{
    (void)state;
    static const struct { const char *name; int offset; const char *access; } registers[] = {
        { "MAGIC", AIHLS_SHELL_MAGIC, "read-only" }, { "CONTROL", AIHLS_SHELL_CONTROL, "read-write" }, { "TAIL", AIHLS_SHELL_TAIL, "read-write" },
        { "SLOT15_STATUS", AIHLS_SHELL_SLOT_STATUS(15), "read-only" }, { "SLOT15_ADDRESS1_HIGH", AIHLS_SHELL_ADDRESS_HIGH(15, 1), "write-only" },
        { "MODEL7", AIHLS_SHELL_MODEL(7), "read-only" },
    };
    const char *text = read_text("ultra96/project/ip/component.xml");
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
        const char *at = strstr(text, arena_printf(&arena, "<spirit:name>%s</spirit:name>", registers[i].name));
        assert_non_null(at);
        const char *reg = arena_strndup(&arena, at, (size_t)(strstr(at, "</spirit:register>") - at));
        assert_non_null(strstr(reg, arena_printf(&arena, "<spirit:addressOffset>0x%X</spirit:addressOffset>", (unsigned)registers[i].offset)));
        assert_non_null(strstr(reg, arena_printf(&arena, "<spirit:access>%s</spirit:access>", registers[i].access)));
    }
    // Each file exists; the last is the wrapper, behind all of NAME.f.
    int code = run("cd ultra96/project/ip && n=0; for f in $(sed -n 's,.*<spirit:name>\\(\\.\\./.*\\)</spirit:name>.*,\\1,p' component.xml); do ls $f || exit 3; n=$((n + 1)); done; "
                   "test $n -eq $(($(wc -l <../../rtl/digits.f) + $(ls ../../mem | wc -l) + 1))");
    assert_int_equal(code, 0);
    assert_non_null(strstr(said.text, "../digits_ip.v\n"));
}

// ---- other tools ----

static void dtc_takes_the_overlay(void **state)
{
    (void)state;
    if (run("command -v dtc && command -v fdtoverlay && command -v fdtget") != 0)
        skip();
    static const char base[] =
        "printf '/dts-v1/; / { #address-cells = <%d>; #size-cells = <%d>; gic: intc: gic { interrupt-controller; #interrupt-cells = <3>; };"
        " zynqmp_clk: clkc: clk { #clock-cells = <1>; }; fpga_full: fpga { }; };' >base.dts && dtc -@ -q -o base.dtb base.dts";
    for (int i = 0; i < N_BOARDS; i++) {
        int cells = strcmp(boards[i], "pynq-z2") == 0 ? 1 : 2;
        struct board b;
        struct diag diag = { .out = stderr };
        assert_true(board_read(&(struct ctx){ &arena, &diag }, boards[i], &b));
        assert_int_equal(run(arena_printf(&arena, base, cells, cells)), 0);
        assert_int_equal(run(arena_printf(&arena, "cd %s/project && make -s digits.dtbo && fdtoverlay -i ../../base.dtb -o ../../all.dtb digits.dtbo", boards[i])), 0);
        const char *node = arena_printf(&arena, "/fpga/aihls@%llx", (long long)b.axi_base);
        assert_int_equal(run(arena_printf(&arena, "fdtget -t x all.dtb %s reg", node)), 0);
        assert_string_equal(said.text, cells == 2 ? arena_printf(&arena, "0 %llx 0 10000\n", (long long)b.axi_base) : arena_printf(&arena, "%llx 10000\n", (long long)b.axi_base));
        assert_int_equal(run(arena_printf(&arena, "fdtget all.dtb %s interrupts", node)), 0);
        assert_string_equal(said.text, arena_printf(&arena, "0 %lld 4\n", (long long)b.irq_spi));
        assert_int_equal(run("fdtget all.dtb /fpga/afi0 config-afi"), cells == 2 ? 0 : 1);
        if (cells == 2) // reads and writes of HP0: 128 bits; masters: 128 bits
            assert_string_equal(said.text, "4 0 5 0 14 2560\n");
        assert_int_equal(run("fdtget -t x all.dtb /fpga/udmabuf-digits size"), 0);
        // 16 slots of an input of 64 bytes and an output of 10, each at a multiple of 64
        assert_string_equal(said.text, "1000\n");
    }
}

static void yosys_finds_every_module_of_the_tops(void **state)
{
    (void)state;
    if (run("command -v yosys") != 0)
        skip();
    for (int i = 0; i < N_BOARDS; i += 3) {
        int code = run(arena_printf(&arena, "cd %s && yosys -q -p 'read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v; read_verilog project/digits_ip.v; read_verilog '\"$(tr '\\n' ' ' <rtl/digits.f)\"'; hierarchy -check -top digits_ip; check -assert'", boards[i]));
        if (code)
            fail_msg("%s: %s", boards[i], said.text);
    }
    if (run("cd arty-a7-100 && yosys -q -p 'read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v; read_verilog project/digits_board.v '\"$(tr '\\n' ' ' <rtl/digits.f)\"'; hierarchy -check -top digits_board; check -assert'"))
        fail_msg("%s", said.text);
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(the_script_builds_what_the_board_says), cmocka_unit_test(a_serial_board_has_its_own_top),
        cmocka_unit_test(a_serial_board_has_the_nearest_clock), cmocka_unit_test(a_board_with_spi_has_its_pins),
        cmocka_unit_test(a_users_own_board_has_its_own_address_and_settings), cmocka_unit_test(the_component_is_valid),
        cmocka_unit_test(the_schema_notices_mistakes), cmocka_unit_test(the_component_has_the_registers_and_files), cmocka_unit_test(dtc_takes_the_overlay),
        cmocka_unit_test(yosys_finds_every_module_of_the_tops),
    };
    struct CMUnitTest tests[sizeof rows / sizeof *rows + sizeof own / sizeof *own];
    size_t n = 0;
    for (; n < sizeof own / sizeof *own; n++)
        tests[n] = own[n];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++, n++)
        tests[n] = (struct CMUnitTest){ .name = rows[i].name, .test_func = check_row, .initial_state = &rows[i] };
    return _cmocka_run_group_tests("project", tests, n, group_setup, group_teardown);
}

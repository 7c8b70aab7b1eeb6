// SPDX-License-Identifier: Apache-2.0
// DIR/project for Quartus: the scripts run in tests/quartus_model.tcl, which knows the tools' commands, and what they build is held
// against the board's file, the device tree and the driver's header. The model must notice each of the planted mistakes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "drivers/aihls_shell.h"
#include "frontend/board.h"
#include "tests/support/sandbox.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct strbuf record = STRBUF_INIT; // of the last run

// Stands for each of the tools: the model, which reports what was predicted unless a test says otherwise.
static const char tool[] =
    "#!/bin/sh\n"
    "eval $(sed -n 's/^ *\\(dsp\\|bram10\\|lut\\) \\(.*\\)/\\1=\\2/p' settings.tcl)\n"
    "export MODEL_DSP=${MODEL_DSP:-$dsp} MODEL_BRAM=${MODEL_BRAM:-$bram10} MODEL_LUT=${MODEL_LUT:-$lut}\n"
    "exec tclsh $MODEL $RECORD ${0##*/} \"$@\"\n";

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("quartus"))
        return -1;
    qdq_setup();
    write_file("tool", tool, strlen(tool));
    int code = run("$A $T/models/digits/digits.onnx --calib $T/models/digits/digits_calib.npy --board de10-nano -q -o de10 && chmod +x tool && mkdir bin && "
                   "for t in qsys-script qsys-generate quartus_sh quartus_cpf quartus_pgm; do ln tool bin/$t || exit 1; done");
    if (code)
        print_error("%s", out.text);
    return code;
}

static int group_teardown(void **state)
{
    strbuf_release(&record);
    return sandbox_teardown(state);
}

// A command in the project of a fresh copy; BUILD is make with the model's tools.
static int in_copy(const char *command)
{
    int code = run("rm -rf copy record && cp -r de10 copy && export MODEL=$T/quartus_model.tcl RECORD=%s/record && PATH=%s/bin:$PATH && BUILD='make -s bitstream' && cd copy/project && %s",
                   root, root, command);
    strbuf_clear(&record);
    strbuf_read_file(&record, path("record"));
    return code;
}

static void in_record(const char *line)
{
    if (!strstr(record.text, arena_printf(&arena, "\n%s\n", line)))
        fail_msg("the record lacks '%s'\n%s", line, record.text);
}

static const char *text_of(const char *file)
{
    struct strbuf sb = STRBUF_INIT;
    assert_true(strbuf_read_file(&sb, path(file)));
    const char *text = arena_strdup(&arena, sb.text);
    strbuf_release(&sb);
    return text;
}

static void read_de10(struct board *b)
{
    struct diag complaints = { .out = stderr };
    assert_true(board_read(&(struct ctx){ &arena, &complaints }, "de10-nano", b));
}

static void the_scripts_build_what_the_board_says(void **state)
{
    (void)state;
    struct board b;
    read_de10(&b);
    expect(0, "written: digits.sof", in_copy("$BUILD && make -s program && ls digits.rbf"));
    in_record(arena_printf(&arena, "= DEVICE %s", b.part));
    in_record("= TOP_LEVEL_ENTITY digits_board");
    // The lightweight bridge begins at 0xff200000, the fabric's interrupts at 72 of the GIC.
    in_record(arena_printf(&arena, "= baseAddress hps_0.h2f_lw_axi_master/accelerator.s_axil 0x%08llx", (long long)b.axi_base - 0xff200000));
    in_record(arena_printf(&arena, "= irqNumber hps_0.f2h_irq0/accelerator.irq %lld", (long long)b.irq_spi + 32 - 72));
    in_record("= baseAddress accelerator.m_axi/hps_0.f2h_axi_slave 0x00000000");
    in_record(arena_printf(&arena, "= width %lld", (long long)b.axi_data_bits));
    in_record(arena_printf(&arena, "= parameter pll_0 gui_output_clock_frequency0 %.1f", (double)b.clock_hz / 1e6));
    in_record(arena_printf(&arena, "= parameter pll_0 gui_reference_clock_frequency %.1f", (double)b.oscillator_hz / 1e6));
    in_record(arena_printf(&arena, "= clock clk %.3f", 1e9 / (double)b.oscillator_hz));
    in_record(arena_printf(&arena, "= pin clk PIN_%s", b.pin_clk));
    in_record("= parameter MEM_A_WIDTH 15");
    in_record("= programmed digits.sof 2");
}

static void every_source_and_image_is_there(void **state)
{
    (void)state;
    expect(0, NULL, in_copy("$BUILD"));
    const char *list = text_of("de10/rtl/digits.f");
    int n = 0;
    for (const char *at = list; *at; at += strcspn(at, "\n") + 1, n++) {
        const char *file = arena_strndup(&arena, at, strcspn(at, "\n"));
        if (strcmp(file, "rtl/digits_core.v") != 0)
            in_record(arena_printf(&arena, "= source %s/copy/%s", root, file));
    }
    assert_true(n > 20);
    in_record(arena_printf(&arena, "= source %s/copy/project/digits_ip.v", root));
    assert_int_equal(run("ls de10/mem"), 0);
    for (const char *at = out.text; *at; at += strcspn(at, "\n") + 1)
        in_record(arena_printf(&arena, "= image %s/copy/mem/%.*s", root, (int)strcspn(at, "\n"), at));
}

static void software_finds_it_where_it_is(void **state)
{
    (void)state;
    struct board b;
    read_de10(&b);
    const char *overlay = text_of("de10/project/digits.dtso"), *header = text_of("de10/driver/digits.h");
    assert_non_null(strstr(overlay, arena_printf(&arena, "reg = <0x%llx 0x%x>;", (long long)b.axi_base, AIHLS_SHELL_APERTURE_BYTES)));
    assert_non_null(strstr(overlay, arena_printf(&arena, "interrupts = <0 %lld 4>;", (long long)b.irq_spi)));
    assert_non_null(strstr(overlay, "firmware-name = \"digits.rbf\";"));
    assert_non_null(strstr(header, arena_printf(&arena, "\n#define DIGITS_REGISTERS 0x%llxu ", (long long)b.axi_base)));
    assert_non_null(strstr(header, arena_printf(&arena, "\n#define DIGITS_INTERRUPT %lld ", (long long)b.irq_spi + 32)));
    assert_null(strstr(text_of("de10/project/README.md"), "W304"));
}

static void dtc_takes_the_overlay(void **state)
{
    (void)state;
    if (run("command -v dtc && command -v fdtoverlay && command -v fdtget") != 0) {
        print_message("skipped: dtc is not installed\n");
        skip();
    }
    expect(0, NULL, run("printf '/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; intc: intc { interrupt-controller; #interrupt-cells = <3>; };"
                        " base_fpga_region: region { }; fpga_bridge0: b0 { }; fpga_bridge2: b2 { }; };' >base.dts && dtc -@ -q -o base.dtb base.dts && make -s -C de10/project digits.dtbo && "
                        "fdtoverlay -i base.dtb -o all.dtb de10/project/digits.dtbo"));
    expect(0, "ff200000 10000\n", run("fdtget -t x all.dtb /region/aihls@ff200000 reg"));
    expect(0, "0 40 4\n", run("fdtget all.dtb /region/aihls@ff200000 interrupts"));
    expect(0, NULL, run("test \"$(fdtget -t x all.dtb /region fpga-bridges)\" = \"$(fdtget -t x all.dtb /b0 phandle) $(fdtget -t x all.dtb /b2 phandle)\""));
}

static void yosys_finds_every_module_of_the_component(void **state)
{
    (void)state;
    if (run("command -v yosys") != 0) {
        print_message("skipped: yosys is not installed\n");
        skip();
    }
    expect(0, NULL, run("cd de10 && yosys -q -p \"read_verilog project/digits_ip.v $(tr '\\n' ' ' <rtl/digits.f); hierarchy -check -top digits_ip; check -assert\""));
}

static struct command rows[] = {
    // What the model must notice: tests of the test.
    { "a command that Platform Designer does not have", "sed -i s/^create_system/make_system/ system.tcl; $BUILD", 2, "invalid command name \"make_system\"" },
    { "a word that its Tcl may not have", "sed -i 's/^create_system/lassign {a} b; &/' system.tcl; $BUILD", 2, "invalid command name \"lassign\"" },
    { "a parameter that the processor does not have", "sed -i s/LWH2F_Enable/LWH2F_Enabled/ system.tcl; $BUILD", 2, "hps_0 has no parameter LWH2F_Enabled" },
    { "and in the preset", "sed -i s/MEM_TCL/MEM_CL/ preset.txt; $BUILD", 2, "hps_0 has no parameter MEM_CL" },
    { "an interrupt that is not enabled", "sed -i 's/F2SINTERRUPT_Enable 1/F2SINTERRUPT_Enable 0/' system.tcl; $BUILD", 2, "has no interface f2h_irq0" },
    { "an interrupt the wrong way round", "sed -i 's/connect hps_0.f2h_irq.* accelerator.irq/connect accelerator.irq hps_0.f2h_irq0/' system.tcl; $BUILD", 2, "accelerator.irq (interrupt end) to hps_0.f2h_irq0" },
    { "an interrupt that goes nowhere", "sed -i '/connect hps_0.f2h_irq/d' system.tcl; $BUILD", 2, "accelerator.irq goes nowhere" },
    { "a bridge that nothing clocks", "sed -i 's/ hps_0.f2h_axi_clock//' system.tcl; $BUILD", 2, "hps_0.f2h_axi_clock is neither connected nor exported" },
    { "a bridge too many", "sed -i 's/ S2F_Width 0//' system.tcl; $BUILD", 2, "hps_0.h2f_axi_master is neither connected nor exported" },
    { "a bridge of another width", "sed -i 's/data_bits 64/data_bits 128/' settings.tcl; $BUILD", 2, "the accelerator's bus has 64 bits, the bridge 128" },
    { "memory that nobody exports", "sed -i '/^export memory/d' system.tcl; $BUILD", 2, "hps_0.memory is neither connected nor exported" },
    { "a port that the component lacks", "sed -i /awprot/d digits_hw.tcl; $BUILD", 2, "interface s_axil lacks awprot" },
    { "a role that AXI does not have", "sed -i 's/ arlen / arlength /' digits_hw.tcl; $BUILD", 2, "an interface axi4 has no port arlength" },
    { "a port of another width", "sed -i 's/m_axi_wdata wdata Output 64/m_axi_wdata wdata Output 32/' digits_hw.tcl; $BUILD", 2, "port m_axi_wdata is not that of the component" },
    { "a port the wrong way", "sed -i 's/irq irq Output/irq irq Input/' digits_hw.tcl; $BUILD", 2, "irq is Input" },
    { "a bus without a clock", "sed -i '/m_axi associatedClock/d' digits_hw.tcl; $BUILD", 2, "interface m_axi has no clock or reset" },
    { "a source that is not there", "rm ../rtl/aihls_gear.v; sed -i s/aihls_gear/aihls_geer/ ../rtl/digits.f; touch ../rtl/aihls_geer.v; $BUILD", 2, "there is no file" },
    { "a top that forgets a port", "sed -i /memory_mem_odt/d digits_board.v; $BUILD", 2, "the top connects" },
    { "a pin of no port", "sed -i 's/-to clk/-to clock/' quartus.tcl; $BUILD", 2, "the top has no port clock" },
    { "an oscillator without a clock", "sed -i /create_clock/d digits_board.sdc; $BUILD", 2, "the oscillator has no clock" },
    { "an assignment that Quartus does not have", "sed -i s/TOP_LEVEL_ENTITY/TOP_ENTITY/ quartus.tcl; $BUILD", 2, "set_global_assignment -name TOP_ENTITY" },
    { "the Fitter before the memory's pins", "sed -i /^assign_memory_pins/d quartus.tcl; $BUILD", 2, "fit before its assignments" },

    // What the scripts themselves must notice.
    { "an image that is not there", "rm ../mem/digits_s01_conv_w0.hex; $BUILD", 2, "memory image mem/digits_s01_conv_w0.hex is missing" },
    { "an image that nothing reads", "sed -i s/s01_conv_w0.hex/s01_conv_w9.hex/ ../rtl/digits_core.v; $BUILD", 2, "no memory reads mem/digits_s01_conv_w0.hex" },
    { "registers beyond the bridge", "sed -i s/0xff200000/0xff400000/ settings.tcl; $BUILD", 2, "the registers at 0xff400000 are not behind the lightweight bridge" },
    { "an interrupt beyond the fabric's", "sed -i 's/irq_spi 40/irq_spi 104/' settings.tcl; $BUILD", 2, "the fabric has no interrupt 104" },
    { "the second collector of interrupts", "sed -i 's/irq_spi 40/irq_spi 75/' settings.tcl; $BUILD && grep -q '= irqNumber hps_0.f2h_irq1/accelerator.irq 3' $RECORD", 0, NULL },
    { "a width that the bridge does not have", "sed -i 's/data_bits 64/data_bits 256/' settings.tcl; $BUILD", 2, "the bridge to memory has no 256 bits" },
    { "no script for the memory's pins", "make -s system/synthesis/system.qip && rm system/synthesis/submodules/*.tcl && $BUILD", 2, "0 scripts for the pins of the processor's memory" },
    { "synthesis fails", "export MODEL_FAIL=map; $BUILD", 2, "quartus_map ended with" },
    { "the Fitter fails", "export MODEL_FAIL=fit; $BUILD", 2, "quartus_fit ended with" },
    { "synthesis dissolved the core", "export MODEL_FLAT=1; $BUILD", 2, "the Fitter's report has no 'DSP Blocks' of the core" },
    { "DSP blocks 11 % above", "export MODEL_DSP=48; $BUILD", 2, "DSP: 48 built, 43 predicted" },
    { "memories 11 % below", "export MODEL_BRAM=39; $BUILD", 2, "M10K: 39 built, 44 predicted" },
    { "ALMs far above", "export MODEL_LUT=36000; $BUILD", 2, "ALM: 36000.0 built, 27964 predicted" },
    { "the user accepts", "export MODEL_DSP=1; $BUILD ACCEPT=1", 0, "WARNING: DSP: 1 built, 43 predicted" },
    { "a clock that is missed", "export MODEL_SETUP=-0.5; $BUILD ACCEPT=1", 2, "compile the model with --clock-mhz 95" },
    { "a hold time that is missed", "export MODEL_HOLD=-0.01; $BUILD ACCEPT=1", 2, "a hold time is missed by 0.01 ns" },
    { "nothing is written then", "export MODEL_HOLD=-0.01; $BUILD; ls digits.sof", 2, NULL },
    { "a PLL that makes another clock", "export MODEL_PERIOD=10.500; $BUILD", 2, "the PLL makes 95.238 MHz of the 100.0 MHz" },
    { "the panel's older name", "export MODEL_PANEL='TimeQuest Timing Analyzer||Clocks'; $BUILD", 0, "written: digits.sof" },
    { "no such panel", "export MODEL_PANEL=Clocks; $BUILD", 2, "the PLL's clock is not among those" },

    // make.
    { "make without Quartus", "make bitstream QSYS_SCRIPT=no-such-tool", 2, "no-such-tool is not installed: install Intel Quartus Prime" },
    { "program without Quartus", "touch -d tomorrow digits.sof; make program QUARTUS_PGM=no-such-tool", 2, "no-such-tool is not installed" },
    { "another place in the chain", "touch -d tomorrow digits.sof; make -s program FPGA=1 && grep -q '= programmed digits.sof 1' $RECORD", 0, NULL },
    { "a second run builds nothing", "$BUILD && $BUILD QUARTUS_SH=false QSYS_SCRIPT=false QSYS_GENERATE=false", 0, NULL },
};

static void check_row(void **state)
{
    const struct command *r = *state;
    expect(r->code, r->says, in_copy(r->command));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 5] = {
        cmocka_unit_test(the_scripts_build_what_the_board_says), cmocka_unit_test(every_source_and_image_is_there), cmocka_unit_test(software_finds_it_where_it_is),
        cmocka_unit_test(dtc_takes_the_overlay), cmocka_unit_test(yosys_finds_every_module_of_the_component),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 5] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return _cmocka_run_group_tests("quartus", tests, COUNT(tests), group_setup, group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// Projects for Yosys, nextpnr and the packers of their bitstreams: boards with an oscillator and a serial line or SPI.
#include "hls/project_open.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "dataflow/cost.h"
#include "hls/project_serial.h"
#include "hls/shell.h"

#define SPDX "SPDX-License-Identifier: Apache-2.0\n"

// ---- the PLL ----

// FPGA-DS-02012, table sysCLOCK PLL timing: the phase detector's 3.125 to 400 MHz, the oscillator's 400 to 800. CLKOP is fed back.
static struct pll pll_ecp5(double osc, double wanted)
{
    struct pll best = { 0 };
    double best_vco = 0;
    for (int in = 1; in <= 128; in++)
        for (int feedback = 1; feedback <= 80 && osc / in >= 3.125e6 && osc / in <= 400e6; feedback++)
            for (int out = 1; out <= 128; out++) {
                struct pll p = { in, feedback, out, osc * feedback / in };
                double vco = p.hz * out;
                if (p.hz <= wanted * 1.0001 && vco >= 400e6 && vco <= 800e6 && pll_better(&best, &p, vco, &best_vco, 600e6))
                    best = p;
            }
    return best;
}

// FPGA-TN-02052: the phase detector's 10 to 133 MHz, the oscillator's 533 to 1066; the output is divided by a power of two.
static struct pll pll_ice40(double osc, double wanted)
{
    struct pll best = { 0 };
    double best_vco = 0;
    for (int in = 1; in <= 16; in++)
        for (int feedback = 1; feedback <= 128 && osc / in >= 10e6 && osc / in <= 133e6; feedback++)
            for (int out = 1; out <= 6; out++) {
                double vco = osc / in * feedback;
                struct pll p = { in, feedback, out, vco / (1 << out) };
                if (p.hz <= wanted * 1.0001 && vco >= 533e6 && vco <= 1066e6 && pll_better(&best, &p, vco, &best_vco, 800e6))
                    best = p;
            }
    return best;
}

static void print_ecp5(const struct board *b, const struct pll *p, struct strbuf *sb)
{
    strbuf_addf(sb, "    (* FREQUENCY_PIN_CLKI = \"%.6f\", FREQUENCY_PIN_CLKOP = \"%.6f\", ICP_CURRENT = \"12\", LPF_RESISTOR = \"8\" *)\n"
                "    EHXPLLL #(\n        .CLKI_DIV(%d),\n        .CLKFB_DIV(%d),\n        .CLKOP_DIV(%d),\n        .CLKOP_CPHASE(%d),\n        .CLKOP_FPHASE(0),\n"
                "        .CLKOP_ENABLE(\"ENABLED\"),\n        .FEEDBK_PATH(\"CLKOP\"),\n        .OUTDIVIDER_MUXA(\"DIVA\"),\n        .PLLRST_ENA(\"DISABLED\"),\n"
                "        .STDBY_ENABLE(\"DISABLED\"),\n        .DPHASE_SOURCE(\"DISABLED\"),\n        .INTFB_WAKE(\"DISABLED\")\n    ) u_pll (\n",
                (double)b->oscillator_hz / 1e6, p->hz / 1e6, p->in, p->feedback, p->out, p->out - 1);
    strbuf_adds(sb, "        .CLKI(clk),\n        .CLKFB(core_clk),\n        .CLKOP(core_clk),\n        .LOCK(locked),\n        .RST(1'b0),\n        .STDBY(1'b0),\n"
                    "        .PHASESEL0(1'b0),\n        .PHASESEL1(1'b0),\n        .PHASEDIR(1'b1),\n        .PHASESTEP(1'b1),\n        .PHASELOADREG(1'b1),\n"
                    "        .PLLWAKESYNC(1'b0),\n        .ENCLKOP(1'b0)\n    );\n");
}

static void print_ice40(const struct board *b, const struct pll *p, struct strbuf *sb)
{
    double detector = (double)b->oscillator_hz / p->in;
    // of the detector's frequency, FPGA-TN-02052
    static const double limits[] = { 17e6, 26e6, 44e6, 66e6, 101e6 };
    int filter = 1;
    while (filter < 6 && detector >= limits[filter - 1])
        filter++;
    strbuf_addf(sb, "    SB_PLL40_PAD #(\n        .FEEDBACK_PATH(\"SIMPLE\"),\n        .DIVR(4'd%d),\n        .DIVF(7'd%d),\n        .DIVQ(3'd%d),\n        .FILTER_RANGE(3'd%d)\n"
                "    ) u_pll (\n        .PACKAGEPIN(clk),\n        .PLLOUTGLOBAL(core_clk),\n        .LOCK(locked),\n        .RESETB(1'b1),\n        .BYPASS(1'b0)\n    );\n",
                p->in - 1, p->feedback - 1, p->out, filter);
}

// ---- families ----

// LFE5U-85F-6BG381C: 85 thousand LUTs, speed grade 6, 381 balls.
static bool device_ecp5(struct arena *a, const char *part, const char **args)
{
    char size[4], speed[2], pins[5], end;
    if (sscanf(part, "LFE5U-%3[0-9]F-%1[0-9]BG%4[0-9]%c", size, speed, pins, &end) != 4)
        return false;
    *args = arena_printf(a, "--%sk --package CABGA%s --speed %s", size, pins, speed);
    return true;
}

// iCE40UP5K-SG48
static bool device_ice40(struct arena *a, const char *part, const char **args)
{
    char device[8], package[8];
    if (sscanf(part, "iCE40%7[A-Z0-9]-%7[A-Z0-9]", device, package) != 2)
        return false;
    char *text = arena_printf(a, "--%s --package %s", device, package);
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    *args = text;
    return true;
}

static const struct open_family {
    const char *family, *synth, *cells[3]; // cells: as nextpnr counts DSP, block RAM, LUT
    bool (*device)(struct arena *a, const char *part, const char **args);
    struct pll (*pll)(double osc, double wanted);
    serial_print_pll *print;
    const char *pins, *pin; // file ending, and a line's form: port, pin
} families[] = {
    { "ecp5", "synth_ecp5 -nodsp", { "MULT18X18D", "DP16KD", "TRELLIS_COMB" }, device_ecp5, pll_ecp5, print_ecp5, "lpf",
      "LOCATE COMP \"%s\" SITE \"%s\";\nIOBUF PORT \"%1$s\" IO_TYPE=LVCMOS33;\n" },
    { "ice40", "synth_ice40 -device u -spram", { "ICESTORM_DSP", "ICESTORM_RAM", "ICESTORM_LC" }, device_ice40, pll_ice40, print_ice40, "pcf", "set_io %s %s\n" },
};

static const struct open_family *family_of(const struct design *d)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i].family, d->board.family) == 0)
            return &families[i];
    return NULL;
}

static struct pll pll_of(const struct open_family *f, const struct design *d)
{
    return f->pll((double)d->board.oscillator_hz, (double)d->pipeline->clock_hz);
}

bool project_has_open(const struct design *d)
{
    const struct open_family *f = family_of(d);
    struct arena scratch = { 0 };
    const char *args;
    bool ok = f && shell_has_uart(d) && d->board.oscillator_hz && f->device(&scratch, d->board.part, &args) &&
              pll_of(f, d).hz > 0;
    arena_release(&scratch);
    return ok;
}

int64_t project_open_clock_hz(const struct design *d)
{
    const struct open_family *f = family_of(d);
    ASSERT(f);
    return (int64_t)(pll_of(f, d).hz + 0.5);
}

// ---- files ----

static void print_settings(const struct design *d, const struct open_family *f, const char *device, const struct pll *pll, struct strbuf *sb)
{
    const struct cost *total = &d->pipeline->total;
    strbuf_addf(sb, "# " SPDX "# What the Makefile builds: %s for %s. DSP, BRAM and LUT are predicted for the core, SHELL_LUT is what NAME_%s adds.\n"
                "NAME := %s\nBOARD := %s\nFAMILY := %s\nTECH := %s\nDEVICE := %s\nSYNTH := %s\nPINS := %s.%s\nCLOCK_MHZ := %.3f\n",
                d->top, d->board.title, shell_line_name(d->request.line), d->top, d->board.name, f->family, d->board.tech->mac, device, f->synth, d->top, f->pins, pll->hz / 1e6);
    strbuf_addf(sb, "DSP := %lld\nBRAM := %lld\nLUT := %lld\nSHELL_BRAM := %lld\nSHELL_LUT := %lld\nDSP_CELL := %s\nBRAM_CELL := %s\nLUT_CELL := %s\n",
                (long long)total->dsp, (long long)total->bram18, (long long)total->lut, (long long)cost_shell_bram(d->pipeline, &d->board), (long long)shell_uart_lut(d), f->cells[0],
                f->cells[1], f->cells[2]);
}

static bool put(struct arena *a, const char *file, struct strbuf *sb, project_put *put_file, void *user)
{
    bool ok = put_file(user, arena_printf(a, "project/%s", file), sb->text, sb->len);
    strbuf_release(sb);
    return ok;
}

bool project_open_emit(const struct design *d, struct arena *a, project_put *put_file, void *user)
{
    const struct open_family *f = family_of(d);
    const struct board *b = &d->board;
    const char *device = NULL;
    struct serial_pin pins[SERIAL_PINS];
    int n_pins = serial_pins(d, pins);
    static const char *const embedded[][2] = { { "boards/open.mk", "Makefile" }, { "boards/open.awk", "check.awk" } };
    struct strbuf board = STRBUF_INIT, settings = STRBUF_INIT, constraints = STRBUF_INIT;
    ASSERT(project_has_open(d) && f->device(a, b->part, &device));
    struct pll pll = pll_of(f, d);
    serial_top(d, &pll, f->print, &board);
    print_settings(d, f, device, &pll, &settings);
    strbuf_addf(&constraints, "# " SPDX "# Pins of %s; boards/%s/board.xml of aihls says where they come from.\n", b->title, b->name);
    if (strcmp(f->pins, "lpf") == 0)
        strbuf_addf(&constraints, "FREQUENCY PORT \"clk\" %.6f MHZ;\n", (double)b->oscillator_hz / 1e6);
    for (int i = 0; i < n_pins; i++)
        strbuf_addf(&constraints, f->pin, pins[i].port, pins[i].pin);
    bool ok = put(a, arena_printf(a, "%s_board.v", d->top), &board, put_file, user) && put(a, "settings.mk", &settings, put_file, user) &&
              put(a, arena_printf(a, "%s.%s", d->top, f->pins), &constraints, put_file, user);
    for (int i = 0; ok && i < 2; i++) {
        const struct embedded *e = embed_find(embedded[i][0]);
        ASSERT(e);
        ok = put_file(user, arena_printf(a, "project/%s", embedded[i][1]), (const char *)e->bytes, e->n_bytes);
    }
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
// Tops of boards with an oscillator and a serial line or SPI.
#include "hls/project_serial.h"

#include <string.h>

#include "base/check.h"
#include "hls/shell.h"

#define SPDX "SPDX-License-Identifier: Apache-2.0\n"
#define RESET_BITS 10 // of the counter behind the PLL's lock: block RAMs of iCE40 need 10 us after power-up

bool pll_better(const struct pll *have, const struct pll *a, double vco, double *have_vco, double middle)
{
    double distance = vco > middle ? vco - middle : middle - vco, before = *have_vco > middle ? *have_vco - middle : middle - *have_vco;
    if (a->hz < have->hz - 1 || (a->hz < have->hz + 1 && distance >= before))
        return false;
    *have_vco = vco;
    return true;
}

int serial_pins(const struct design *d, struct serial_pin pins[SERIAL_PINS])
{
    const struct board *b = &d->board;
    const struct serial_pin uart[] = { { "clk", b->pin_clk, true }, { "rxd", b->pin_rxd, true }, { "txd", b->pin_txd, false } };
    const struct serial_pin spi[] = { { "clk", b->pin_clk, true }, { "sck", b->pin_sck, true }, { "cs_n", b->pin_cs_n, true }, { "mosi", b->pin_mosi, true }, { "miso", b->pin_miso, false } };
    if (d->request.line == LINE_UART) {
        memcpy(pins, uart, sizeof uart);
        return 3;
    }
    memcpy(pins, spi, sizeof spi);
    return 5;
}

// The line's shell. Its ports are called like the pins; miso is driven while the host selects the board.
static void print_shell(const struct design *d, const struct serial_pin *pins, int n, struct strbuf *sb)
{
    const char *line = shell_line_name(d->request.line);
    bool spi = d->request.line == LINE_SPI;
    if (spi)
        strbuf_adds(sb, "    wire miso_out, miso_en;\n    assign miso = miso_en ? miso_out : 1'bz;\n");
    strbuf_addf(sb, "    %s_%s #(.TECH(\"%s\")) u_%s (.clk(core_clk), .aresetn(aresetn_q)", d->top, line, d->board.tech->mac, line);
    for (int i = 1; i < n; i++)
        strbuf_addf(sb, ", .%s(%s%s)", pins[i].port, pins[i].port, spi && !pins[i].input ? "_out" : "");
    strbuf_addf(sb, "%s);\nendmodule\n\n`default_nettype wire\n", spi ? ", .miso_en(miso_en)" : "");
}

void serial_top(const struct design *d, const struct pll *pll, serial_print_pll *print, struct strbuf *sb)
{
    struct serial_pin pins[SERIAL_PINS];
    int n = serial_pins(d, pins);
    strbuf_addf(sb, "// " SPDX "// %s_board: %s on %s: the clock of %.3f MHz, %.3f MHz from the oscillator, the reset, and %s.\n`default_nettype none\n\nmodule %s_board (",
                d->top, d->top, d->board.title, pll->hz / 1e6, (double)d->board.oscillator_hz / 1e6, d->request.line == LINE_SPI ? "SPI" : "the serial line", d->top);
    for (int i = 0; i < n; i++)
        strbuf_addf(sb, "%s\n    %s wire %s", i ? "," : "", pins[i].input ? "input " : "output", pins[i].port);
    strbuf_adds(sb, "\n);\n    wire core_clk, locked;\n");
    print(&d->board, pll, sb);
    strbuf_addf(sb, "    // Configuration sets registers to 0.\n    reg [1:0] locked_q = 2'd0;\n    reg [%d:0] up_q = %d'd0;\n    reg aresetn_q = 1'b0;\n"
                "    always @(posedge core_clk) begin\n        locked_q  <= {locked_q[0], locked};\n        up_q      <= !locked_q[1] ? %d'd0 : up_q[%d] ? up_q : up_q + %d'd1;\n"
                "        aresetn_q <= up_q[%d];\n    end\n", RESET_BITS - 1, RESET_BITS, RESET_BITS, RESET_BITS - 1, RESET_BITS, RESET_BITS - 1);
    print_shell(d, pins, n, sb);
}

// ---- parts of AMD's ----

// DS181 and DS182, PLL specification, speed grade -1: the phase detector's 19 to 450 MHz, the oscillator's 800 to 1600; UG953, PLLE2_BASE: the
// dividers.
static struct pll pll_xc7(double osc, double wanted)
{
    struct pll best = { 0 };
    double best_vco = 0;
    for (int in = 1; in <= 56; in++)
        for (int feedback = 2; feedback <= 64 && osc / in >= 19e6 && osc / in <= 450e6; feedback++)
            for (int out = 1; out <= 128; out++) {
                double vco = osc / in * feedback;
                struct pll p = { in, feedback, out, vco / out };
                if (p.hz <= wanted * 1.0001 && vco >= 800e6 && vco <= 1600e6 && pll_better(&best, &p, vco, &best_vco, 1200e6))
                    best = p;
            }
    return best;
}

static void print_xc7(const struct board *b, const struct pll *p, struct strbuf *sb)
{
    strbuf_addf(sb, "    wire pll_clk, feedback;\n    PLLE2_BASE #(\n        .CLKIN1_PERIOD(%.3f),\n        .DIVCLK_DIVIDE(%d),\n        .CLKFBOUT_MULT(%d),\n        .CLKOUT0_DIVIDE(%d)\n"
                "    ) u_pll (\n        .CLKIN1(clk),\n        .CLKFBIN(feedback),\n        .CLKFBOUT(feedback),\n        .CLKOUT0(pll_clk),\n        .CLKOUT1(),\n        .CLKOUT2(),\n"
                "        .CLKOUT3(),\n        .CLKOUT4(),\n        .CLKOUT5(),\n        .LOCKED(locked),\n        .PWRDWN(1'b0),\n        .RST(1'b0)\n    );\n"
                "    BUFG u_clk (.I(pll_clk), .O(core_clk));\n", 1e9 / (double)b->oscillator_hz, p->in, p->feedback, p->out);
}

static struct pll pll_of(const struct design *d)
{
    return pll_xc7((double)d->board.oscillator_hz, (double)d->pipeline->clock_hz);
}

bool project_has_serial(const struct design *d)
{
    return strcmp(d->board.family, "xc7") == 0 && shell_has_uart(d) && d->board.oscillator_hz && pll_of(d).hz > 0;
}

int64_t project_serial_clock_hz(const struct design *d)
{
    ASSERT(project_has_serial(d));
    return (int64_t)(pll_of(d).hz + 0.5);
}

// The line is slower than the clock by far, and aihls_uart_rx or aihls_spi samples it: no path to constrain.
static void print_constraints(const struct design *d, struct strbuf *sb)
{
    const struct board *b = &d->board;
    struct serial_pin pins[SERIAL_PINS];
    int n = serial_pins(d, pins);
    strbuf_addf(sb, "# " SPDX "# Pins of %s; boards/%s/board.xml of aihls says where they come from.\n"
                "create_clock -name oscillator -period %.3f [get_ports clk]\n", b->title, b->name, 1e9 / (double)b->oscillator_hz);
    for (int i = 0; i < n; i++)
        strbuf_addf(sb, "set_property -dict {PACKAGE_PIN %s IOSTANDARD LVCMOS33} [get_ports %s]\n", pins[i].pin, pins[i].port);
    for (int i = 1; i < n; i++)
        strbuf_addf(sb, "set_false_path -%s [get_ports %s]\n", pins[i].input ? "from" : "to", pins[i].port);
}

bool project_serial_emit(const struct design *d, struct arena *a, project_put *put, void *user)
{
    struct strbuf top = STRBUF_INIT, constraints = STRBUF_INIT;
    struct pll pll = pll_of(d);
    serial_top(d, &pll, print_xc7, &top);
    print_constraints(d, &constraints);
    bool ok = put(user, arena_printf(a, "project/%s_board.v", d->top), top.text, top.len) &&
              put(user, arena_printf(a, "project/%s_board.xdc", d->top), constraints.text, constraints.len);
    strbuf_release(&top);
    strbuf_release(&constraints);
    return ok;
}

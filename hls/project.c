// SPDX-License-Identifier: Apache-2.0
#include "hls/project.h"

#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "drivers/aihls_shell.h"
#include "hls/ipxact.h"
#include "hls/project_impl.h"
#include "hls/project_open.h"
#include "hls/project_quartus.h"
#include "hls/project_serial.h"
#include "hls/shell.h"

#define SPDX "SPDX-License-Identifier: Apache-2.0\n"

static bool emit_vivado_system(struct project *p, const struct netlist *axi);

// What is different with the kinds of processor.
static const struct processor {
    const char *family, *ip, *gic, *clock; // clock: that which it gives to the fabric; NULL: the fabric has its own
    int cells; // of an address in the device tree
    const char *region, *firmware, *bridges; // where Linux loads bitstreams, their files' ending, what is closed meanwhile
    bool (*emit)(struct project *p, const struct netlist *axi);
} processors[] = {
    // Labels of Linux's zynqmp.dtsi; clock 71 is pl0_ref (include/dt-bindings/clock/xlnx-zynqmp-clk.h).
    { "xcup", "zynq_ultra_ps_e", "gic", "zynqmp_clk 71", 2, "fpga_full", "bit.bin", NULL, emit_vivado_system },
    // Labels of zynq-7000.dtsi; clock 15 is fclk0 (the order of its clock-output-names).
    { "xc7", "processing_system7", "intc", "clkc 15", 1, "fpga_full", "bit.bin", NULL, emit_vivado_system },
    // Labels of socfpga.dtsi: the lightweight bridge to the registers, and the one to memory.
    { "cyclonev", "altera_hps", "intc", NULL, 1, "base_fpga_region", "rbf", "<&fpga_bridge0>, <&fpga_bridge2>", project_quartus_emit },
};

static const struct processor *processor_of(const struct board *b)
{
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++)
        if (strcmp(processors[i].family, b->family) == 0)
            return &processors[i];
    return NULL;
}

bool project_has_system(const struct design *d)
{
    const struct processor *cpu = processor_of(&d->board);
    return shell_has_axi(d) && d->board.axi_base && cpu && (cpu->clock || d->board.oscillator_hz);
}

int64_t project_clock_hz(const struct design *d)
{
    return project_has_serial(d) ? project_serial_clock_hz(d) : project_has_open(d) ? project_open_clock_hz(d) : d->pipeline->clock_hz;
}

bool project_text(struct project *p, const char *file, struct strbuf *sb)
{
    bool ok = p->put(p->user, arena_printf(p->a, "project/%s", file), sb->text, sb->len);
    strbuf_release(sb);
    return ok;
}

bool project_embedded(struct project *p, const char *from, const char *to)
{
    const struct embedded *e = embed_find(from);
    ASSERT(e);
    return p->put(p->user, arena_printf(p->a, "project/%s", to), (const char *)e->bytes, e->n_bytes);
}

// ---- for any tool ----

static bool emit_clock(struct project *p)
{
    struct strbuf sb = STRBUF_INIT;
    int64_t hz = p->d->pipeline->clock_hz;
    strbuf_addf(&sb, "# " SPDX "# Clock of %s: %lld MHz\ncreate_clock -name clk -period %.3f [get_ports clk]\n", p->d->top, (long long)(hz / 1000000), 1e9 / (double)hz);
    return project_text(p, arena_printf(p->a, "%s.xdc", p->d->top), &sb);
}

static bool emit_summary(struct project *p)
{
    struct strbuf sb = STRBUF_INIT;
    const struct design *d = p->d;
    strbuf_addf(&sb, "# " SPDX "# What the board's tool needs; paths are relative to the output directory.\n"
                "part %s\ntop %s\nparameter TECH %s\nfiles rtl/%s.f\nconstraints project/%s.xdc\nmemory_images mem\n",
                d->board.part, d->top, d->board.tech->mac, d->top, d->top);
    return project_text(p, "project.txt", &sb);
}

static bool emit_readme(struct project *p)
{
    struct strbuf sb = STRBUF_INIT;
    const struct board *b = &p->d->board;
    const char *top = p->d->top;
    strbuf_addf(&sb, "<!-- SPDX-License-Identifier: Apache-2.0 -->\n# %s on %s\n\n", top, b->title);
    bool spi = p->d->request.line == LINE_SPI;
    const char *talks = arena_printf(p->a, "The board talks %s; driver/ has the back end \"%s\". docs/85-projects.md of aihls has the manual.\n",
                                     spi ? arena_printf(p->a, "SPI, mode 0, at most %.3f MHz", (double)shell_spi_hz(project_clock_hz(p->d)) / 1e6) : arena_printf(p->a, "%lld baud", (long long)shell_uart_baud(p->d)),
                                     spi ? "spi" : "serial");
    bool quartus = p->cpu && p->cpu->emit == project_quartus_emit;
    if (quartus)
        strbuf_addf(&sb, "    make bitstream    %s.sof, %s.rbf: needs Intel Quartus Prime (Lite or Standard) with %s\n"
                    "    make firmware     %s.dtbo: what Linux loads, beside the .rbf; needs dtc\n"
                    "    make program      the .sof through JTAG\n\n", top, top, b->part, top);
    else if (p->cpu)
        strbuf_addf(&sb, "    make bitstream    %s.bit, %s.xsa: needs AMD Vivado with %s\n"
                    "    make firmware     %s.bit.bin, %s.dtbo: what Linux loads; needs bootgen (Vivado has it) and dtc\n"
                    "    make program      the bitstream through JTAG\n\n", top, top, b->part, top, top);
    if (p->cpu)
        strbuf_addf(&sb, "Registers are at 0x%08llx (%d KB), the interrupt is the GIC's shared number %lld: the same in settings.tcl\n"
                    "and %s.dtso. docs/%s.md of aihls says what is assumed of the board.\n",
                    (unsigned long long)b->axi_base, AIHLS_SHELL_APERTURE_BYTES / 1024, (long long)b->irq_spi, top, quartus ? "86-quartus" : "85-projects");
    else if (project_has_serial(p->d))
        strbuf_addf(&sb, "    make bitstream    %s.bit: needs AMD Vivado with %s\n    make program      it goes through JTAG, until power is off\n\n%s", top, b->part, talks);
    else if (project_has_open(p->d))
        strbuf_addf(&sb, "    make bitstream    needs Yosys, nextpnr-%s and the packer of its bitstreams (`make` says which package)\n    make program\n\n%s", b->family, talks);
    else
        strbuf_addf(&sb, "W304: there is no script to a bitstream for this board (`aihls explain W304`). project.txt has part, top module and\n"
                    "parameter, rtl/%s.f the Verilog, mem/ the memory images, %s.xdc the clock.\n", top, top);
    return project_text(p, "README.md", &sb);
}

// ---- for Vivado and Quartus ----

void project_list(struct strbuf *sb, const char *variable, const char *lines)
{
    strbuf_addf(sb, "set %s {\n", variable);
    for (const char *at = lines; *at; at += strcspn(at, "\n") + 1)
        strbuf_addf(sb, "    %.*s\n", (int)strcspn(at, "\n"), at);
    strbuf_adds(sb, "}\n");
}

void project_images(const struct design *d, struct strbuf *sb)
{
    for (int i = 0; i < d->netlist->n_images; i++)
        strbuf_addf(sb, "%s\n", d->netlist->images[i].file);
}

void project_port(const struct port *port, struct strbuf *sb)
{
    strbuf_addf(sb, "%s wire ", strcmp(port->direction, "input") == 0 ? "input " : "output");
    if (port->width_bits > 1)
        strbuf_addf(sb, "[%lld:0] ", (long long)port->width_bits - 1);
}

// Where there is no processor `processor` is empty, and nothing is said of a bus.
static bool emit_settings(struct project *p)
{
    struct strbuf sb = STRBUF_INIT, images = STRBUF_INIT;
    const struct design *d = p->d;
    const struct cost *total = &d->pipeline->total;
    strbuf_addf(&sb, "# " SPDX "# What the script builds: %s for %s. The last three numbers are predicted, for the core without its shell.\n", d->top, d->board.title);
    strbuf_addf(&sb, "array set design {\n    name %s\n    part %s\n    board_files {%s}\n    processor %s\n    tech %s\n    clock_hz %lld\n", d->top, d->board.part,
                d->board.board_part ? d->board.board_part : "", p->cpu ? p->cpu->ip : "{}", d->board.tech->mac,
                (long long)project_clock_hz(d));
    if (p->cpu)
        strbuf_addf(&sb, "    base 0x%08llx\n    range %d\n    data_bits %lld\n", (unsigned long long)d->board.axi_base, AIHLS_SHELL_APERTURE_BYTES,
                    (long long)d->board.axi_data_bits);
    if (p->cpu && !p->cpu->clock) // that is Quartus
        strbuf_addf(&sb, "    family {Cyclone V}\n    irq_spi %lld\n    oscillator_hz %lld\n    pin_clk %s\n", (long long)d->board.irq_spi, (long long)d->board.oscillator_hz, d->board.pin_clk);
    strbuf_addf(&sb, "    dsp %lld\n    %s %lld\n    lut %lld\n}\n", (long long)total->dsp, d->board.tech->bram_element, (long long)total->bram18, (long long)total->lut);
    project_images(d, &images);
    project_list(&sb, "design(rtl)", p->rtl);
    project_list(&sb, "design(images)", images.text);
    strbuf_release(&images);
    return project_text(p, "settings.tcl", &sb);
}

static void print_attribute(struct project *p, const struct port *port, struct strbuf *sb)
{
    const char *bus, *logical;
    if (ipxact_bus(p->a, port, &bus, &logical))
        strbuf_addf(sb, "    (* X_INTERFACE_INFO = \"xilinx.com:interface:aximm:1.0 %s %s\" *)\n", bus, logical);
    else if (strcmp(port->name, "clk") == 0)
        strbuf_adds(sb, "    (* X_INTERFACE_INFO = \"xilinx.com:signal:clock:1.0 clk CLK\" *)\n"
                        "    (* X_INTERFACE_PARAMETER = \"ASSOCIATED_BUSIF s_axil:m_axi, ASSOCIATED_RESET aresetn\" *)\n");
    else if (strcmp(port->name, "aresetn") == 0)
        strbuf_adds(sb, "    (* X_INTERFACE_INFO = \"xilinx.com:signal:reset:1.0 aresetn RST\" *)\n    (* X_INTERFACE_PARAMETER = \"POLARITY ACTIVE_LOW\" *)\n");
    else
        strbuf_addf(sb, "    (* X_INTERFACE_INFO = \"xilinx.com:signal:interrupt:1.0 %s INTERRUPT\" *)\n    (* X_INTERFACE_PARAMETER = \"SENSITIVITY LEVEL_HIGH\" *)\n", port->name);
}

static bool emit_ip(struct project *p, const struct netlist *axi)
{
    struct strbuf sb = STRBUF_INIT;
    const char *top = p->d->top;
    strbuf_addf(&sb, "// " SPDX "// %s_ip: %s_axi with this board's multiplier, and with attributes that tell Vivado's diagrams which ports are a bus (UG994).\n"
                "`default_nettype none\n\nmodule %s_ip (\n", top, top, top);
    for (int i = 0; i < axi->n_ports; i++) {
        const struct port *port = &axi->ports[i];
        print_attribute(p, port, &sb);
        strbuf_adds(&sb, "    ");
        project_port(port, &sb);
        strbuf_addf(&sb, "%s%s\n", port->name, i + 1 < axi->n_ports ? "," : "");
    }
    strbuf_addf(&sb, ");\n    %s_axi #(\n        .TECH(\"%s\")\n    ) u_axi (\n", top, p->d->board.tech->mac);
    for (int i = 0; i < axi->n_ports; i++)
        strbuf_addf(&sb, "        .%s(%s)%s\n", axi->ports[i].name, axi->ports[i].name, i + 1 < axi->n_ports ? "," : "");
    strbuf_adds(&sb, "    );\nendmodule\n\n`default_nettype wire\n");
    return project_text(p, arena_printf(p->a, "%s_ip.v", top), &sb);
}

static bool emit_component(struct project *p, const struct netlist *axi)
{
    struct strbuf sb = STRBUF_INIT;
    ipxact_print(p->d, p->a, axi, p->rtl, &sb);
    return project_text(p, "ip/component.xml", &sb);
}

// ---- for Linux ----

// Of all slots' buffers, each at a multiple of AIHLS_SHELL_ALIGNMENT, in whole pages.
static int64_t buffer_bytes(const struct design *d)
{
    const struct pipeline *p = d->pipeline;
    int64_t frame = 0;
    for (int i = 0; i < p->n_inputs + p->n_outputs; i++) {
        const struct host_port *port = i < p->n_inputs ? &p->inputs[i] : &p->outputs[i - p->n_inputs];
        const struct stream *s = &p->streams[port->stream];
        frame += ceil_div(stream_beats(s, s->lanes) * s->lanes, AIHLS_SHELL_ALIGNMENT) * AIHLS_SHELL_ALIGNMENT;
    }
    return ceil_div(frame * SHELL_SLOTS, 4096) * 4096;
}

// uio takes the name of linux,uio-name, older kernels that of the node; the driver looks for names that begin with aihls.
static bool emit_overlay(struct project *p)
{
    struct strbuf sb = STRBUF_INIT;
    const struct board *b = &p->d->board;
    const struct processor *cpu = p->cpu;
    const char *top = p->d->top, *high = cpu->cells == 2 ? "0x0 " : "";
    strbuf_addf(&sb, "// " SPDX "// %s on %s: the bitstream, the registers for uio, memory for the buffers of %d frames.\n", top, b->title, SHELL_SLOTS);
    strbuf_addf(&sb, "/dts-v1/;\n/plugin/;\n\n&%s {\n    #address-cells = <%d>;\n    #size-cells = <%d>;\n    firmware-name = \"%s.%s\";\n", cpu->region, cpu->cells, cpu->cells,
                top, cpu->firmware);
    if (cpu->bridges)
        strbuf_addf(&sb, "    fpga-bridges = %s;\n    ranges;\n", cpu->bridges);
    strbuf_adds(&sb, "\n");
    if (cpu->clock)
        strbuf_addf(&sb, "    %s_clock: clocking0 {\n        compatible = \"xlnx,fclk\";\n        #clock-cells = <0>;\n        clocks = <&%s>;\n        clock-output-names = \"%s_clk\";\n"
                    "        assigned-clocks = <&%s>;\n        assigned-clock-rates = <%lld>;\n    };\n\n", top, cpu->clock, top, cpu->clock, (long long)p->d->pipeline->clock_hz);
    // The ports' widths are registers; a boot loader made for another design may have changed them. Registers 4 and 5 are reads and
    // writes of HP0 (0: 128 bits, 1: 64), 14 the masters (0xa00: 128 bits), as in the vendor's kernel.
    if (cpu->cells == 2)
        strbuf_addf(&sb, "    afi0 {\n        compatible = \"xlnx,afi-fpga\";\n        config-afi = <4 %d>, <5 %d>, <14 0xa00>;\n    };\n\n", b->axi_data_bits == 64, b->axi_data_bits == 64);
    strbuf_addf(&sb, "    aihls@%llx {\n        compatible = \"generic-uio\";\n        linux,uio-name = \"aihls-%s\";\n        reg = <%s0x%llx %s0x%x>;\n"
                "        interrupt-parent = <&%s>;\n        interrupts = <0 %lld 4>; // shared, level, high\n    };\n\n", (unsigned long long)b->axi_base, top, high,
                (unsigned long long)b->axi_base, high, AIHLS_SHELL_APERTURE_BYTES, cpu->gic, (long long)b->irq_spi);
    strbuf_addf(&sb, "    udmabuf-%s {\n        compatible = \"ikwzm,u-dma-buf\";\n        device-name = \"aihls-%s-buffers\";\n        size = <", top, top);
    unsigned long long bytes = (unsigned long long)buffer_bytes(p->d);
    if (bytes >> 32)
        strbuf_addf(&sb, "0x%llx ", bytes >> 32);
    strbuf_addf(&sb, "0x%llx>;\n    };\n};\n", bytes & 0xffffffff);
    return project_text(p, arena_printf(p->a, "%s.dtso", top), &sb);
}

// ---- all of it ----

static bool emit_vivado(struct project *p)
{
    return project_embedded(p, "boards/vivado.tcl", "vivado.tcl") && project_embedded(p, "boards/common.tcl", "common.tcl") && project_embedded(p, "boards/program.tcl", "program.tcl") &&
           project_embedded(p, "boards/project.mk", "Makefile");
}

static bool emit_vivado_system(struct project *p, const struct netlist *axi)
{
    return emit_vivado(p) && emit_ip(p, axi) && emit_component(p, axi);
}

static bool emit_system(struct project *p)
{
    const char *preset = p->d->board.preset_text;
    return (!preset || p->put(p->user, "project/preset.txt", preset, strlen(preset))) && emit_settings(p) && emit_overlay(p) &&
           p->cpu->emit(p, shell_axi(p->d, p->a));
}

bool project_emit(const struct design *d, struct arena *a, const char *rtl, project_put *put_file, void *user)
{
    struct project p = { d, a, rtl, put_file, user, project_has_system(d) ? processor_of(&d->board) : NULL };
    return emit_clock(&p) && emit_summary(&p) && emit_readme(&p) && (!p.cpu || emit_system(&p)) &&
           (!project_has_serial(d) || (emit_settings(&p) && emit_vivado(&p) && project_serial_emit(d, a, put_file, user))) &&
           (!project_has_open(d) || project_open_emit(d, a, put_file, user));
}

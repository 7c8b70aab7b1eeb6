// SPDX-License-Identifier: Apache-2.0
// Projects for Quartus Prime: boards with a Cyclone V SoC.
#include "hls/project_quartus.h"

#include <ctype.h>
#include <string.h>

#include "hls/ipxact.h"

#define SPDX "SPDX-License-Identifier: Apache-2.0\n"
#define RESET_BITS 10 // of the counter behind the PLL's lock
#define PROT_BITS 3   // of AWPROT and ARPROT

// ---- the component ----

static bool emit_ip(struct project *p, const struct netlist *axi)
{
    struct strbuf sb = STRBUF_INIT;
    const char *top = p->d->top;
    strbuf_addf(&sb, "// " SPDX "// %s_ip: %s_axi with this board's multiplier, and with the protection bits that Platform Designer wants of AXI4-Lite.\n"
                "`default_nettype none\n\nmodule %s_ip (\n", top, top, top);
    for (int i = 0; i < axi->n_ports; i++) {
        strbuf_adds(&sb, "    ");
        project_port(&axi->ports[i], &sb);
        strbuf_addf(&sb, "%s,\n", axi->ports[i].name);
    }
    strbuf_addf(&sb, "    input  wire [%d:0] s_axil_awprot,\n    input  wire [%d:0] s_axil_arprot\n);\n    wire unused_ok = &{1'b0, s_axil_awprot, s_axil_arprot};\n"
                "    %s_axi #(\n        .TECH(\"%s\")\n    ) u_axi (\n", PROT_BITS - 1, PROT_BITS - 1, top, p->d->board.tech->mac);
    for (int i = 0; i < axi->n_ports; i++)
        strbuf_addf(&sb, "        .%s(%s)%s\n", axi->ports[i].name, axi->ports[i].name, i + 1 < axi->n_ports ? "," : "");
    strbuf_adds(&sb, "    );\nendmodule\n\n`default_nettype wire\n");
    return project_text(p, arena_printf(p->a, "%s_ip.v", top), &sb);
}

// An interface's ports: those of the bus, or the one that is called like it.
static void print_interface(struct project *p, const struct netlist *axi, const char *name, struct strbuf *sb)
{
    for (int i = 0; i < axi->n_ports; i++) {
        const struct port *port = &axi->ports[i];
        const char *bus, *logical;
        if (!ipxact_bus(p->a, port, &bus, &logical) || strcmp(bus, name) != 0)
            continue;
        char *role = arena_strdup(p->a, logical);
        for (char *c = role; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        strbuf_addf(sb, "add_interface_port %s %s %s %s %lld\n", name, port->name, role, strcmp(port->direction, "input") == 0 ? "Input" : "Output", (long long)port->width_bits);
    }
}

static void print_interfaces(struct project *p, const struct netlist *axi, struct strbuf *sb)
{
    static const char of_clock[] = "set_interface_property %s associatedClock clk\nset_interface_property %s associatedReset reset\n";
    strbuf_adds(sb, "add_interface clk clock end\nadd_interface_port clk clk clk Input 1\n\n"
                    "add_interface reset reset end\nset_interface_property reset associatedClock clk\nset_interface_property reset synchronousEdges DEASSERT\n"
                    "add_interface_port reset aresetn reset_n Input 1\n\nadd_interface s_axil axi4lite end\n");
    strbuf_addf(sb, of_clock, "s_axil", "s_axil");
    print_interface(p, axi, "s_axil", sb);
    strbuf_addf(sb, "add_interface_port s_axil s_axil_awprot awprot Input %d\nadd_interface_port s_axil s_axil_arprot arprot Input %d\n\nadd_interface m_axi axi4 start\n", PROT_BITS, PROT_BITS);
    strbuf_addf(sb, of_clock, "m_axi", "m_axi");
    // aihls_axi_read has four bursts under way, aihls_axi_write 15, each for every input and output.
    strbuf_addf(sb, "set_interface_property m_axi readIssuingCapability %d\nset_interface_property m_axi writeIssuingCapability %d\n"
                    "set_interface_property m_axi combinedIssuingCapability %d\n", 4 * p->d->pipeline->n_inputs, 15 * p->d->pipeline->n_outputs,
                4 * p->d->pipeline->n_inputs + 15 * p->d->pipeline->n_outputs);
    print_interface(p, axi, "m_axi", sb);
    strbuf_adds(sb, "\nadd_interface irq interrupt end\nset_interface_property irq associatedAddressablePoint s_axil\n");
    strbuf_addf(sb, of_clock, "irq", "irq");
    strbuf_adds(sb, "add_interface_port irq irq irq Output 1\n\n");
}

// Memory images are named relative to the output directory, where synthesis does not run: the core is added as a text with whole paths.
// Platform Designer's Tcl may be as old as 8.4.
static const char callback[] =
    "proc read_text {path} {\n    set f [open $path]\n    set text [read $f]\n    close $f\n    return $text\n}\n\n"
    "proc staged {path root} {\n    global images\n    set text [read_text $path]\n    foreach image $images {\n        set whole [file join $root $image]\n"
    "        if {![file exists $whole]} {\n            send_message error \"memory image $image is missing: compile the model again\"\n        }\n"
    "        if {[string first \"\\\"$image\\\"\" $text] < 0} {\n            send_message error \"no memory reads $image: compile the model again\"\n        }\n"
    "        set text [string map [list \"\\\"$image\\\"\" \"\\\"$whole\\\"\"] $text]\n    }\n    return $text\n}\n\n"
    "proc generate {entity} {\n    global rtl core\n    set here [file normalize [get_module_property MODULE_DIRECTORY]]\n    set root [file dirname $here]\n    foreach file $rtl {\n"
    "        set path [file join $root $file]\n        if {[string compare $file $core] == 0} {\n            add_fileset_file [file tail $file] VERILOG TEXT [staged $path $root]\n"
    "        } else {\n            add_fileset_file [file tail $file] VERILOG PATH $path\n        }\n    }\n}\n";

static bool emit_component(struct project *p, const struct netlist *axi)
{
    struct strbuf sb = STRBUF_INIT, images = STRBUF_INIT;
    const char *top = p->d->top;
    strbuf_addf(&sb, "# " SPDX "# %s_ip as a component of Platform Designer: registers (AXI4-Lite), DMA (AXI4), interrupt.\npackage require -exact qsys 16.1\n\n"
                "set_module_property NAME %s_ip\nset_module_property VERSION 1.0\nset_module_property DISPLAY_NAME {%s (aihls)}\nset_module_property GROUP aihls\n"
                "set_module_property EDITABLE false\n\nadd_fileset synthesis QUARTUS_SYNTH generate\nset_fileset_property synthesis TOP_LEVEL %s_ip\n\n", top, top, top, top);
    print_interfaces(p, axi, &sb);
    project_images(p->d, &images);
    strbuf_addf(&sb, "# Paths are relative to the output directory, one above this file.\nset core rtl/%s_core.v\n", top);
    project_list(&sb, "rtl", arena_printf(p->a, "%sproject/%s_ip.v\n", p->rtl, top));
    project_list(&sb, "images", images.text);
    strbuf_release(&images);
    strbuf_addf(&sb, "\n%s", callback);
    return project_text(p, arena_printf(p->a, "%s_hw.tcl", top), &sb);
}

// ---- the top ----

static bool emit_board(struct project *p)
{
    static const struct { const char *name, *direction, *width; } pins[] = {
        { "mem_a", "output", "MEM_A_WIDTH" }, { "mem_ba", "output", "MEM_BA_WIDTH" }, { "mem_ck", "output", NULL }, { "mem_ck_n", "output", NULL },
        { "mem_cke", "output", NULL }, { "mem_cs_n", "output", NULL }, { "mem_ras_n", "output", NULL }, { "mem_cas_n", "output", NULL },
        { "mem_we_n", "output", NULL }, { "mem_reset_n", "output", NULL }, { "mem_dq", "inout ", "MEM_DQ_WIDTH" }, { "mem_dqs", "inout ", "MEM_DQ_WIDTH / 8" },
        { "mem_dqs_n", "inout ", "MEM_DQ_WIDTH / 8" }, { "mem_odt", "output", NULL }, { "mem_dm", "output", "MEM_DQ_WIDTH / 8" }, { "oct_rzqin", "input ", NULL },
    };
    struct strbuf sb = STRBUF_INIT;
    const char *top = p->d->top;
    const int n = sizeof pins / sizeof *pins;
    strbuf_addf(&sb, "// " SPDX "// %s_board: %s on %s: the system of system.tcl, its reset, and the pins of the processor's memory.\n"
                "`default_nettype none\n\nmodule %s_board #(\n    parameter MEM_A_WIDTH  = 15, // quartus.tcl sets these from preset.txt\n    parameter MEM_BA_WIDTH = 3,\n"
                "    parameter MEM_DQ_WIDTH = 32\n) (\n    input  wire clk", top, top, p->d->board.title, top);
    for (int i = 0; i < n; i++)
        strbuf_addf(&sb, pins[i].width ? ",\n    %s wire [%s-1:0] %s" : ",\n    %s wire %.0s%s", pins[i].direction, pins[i].width ? pins[i].width : "", pins[i].name);
    strbuf_addf(&sb, "\n);\n    wire locked, hps_reset_n;\n    // Configuration sets registers to 0. A reset of the processor unlocks the PLL.\n    reg [1:0] locked_q = 2'd0;\n    reg [%d:0] up_q = %d'd0;\n"
                "    always @(posedge clk) begin\n        locked_q <= {locked_q[0], locked && hps_reset_n};\n        up_q     <= !locked_q[1] ? %d'd0 : up_q[%d] ? up_q : up_q + %d'd1;\n    end\n"
                "    system u_system (\n        .clk_clk(clk),\n        .reset_reset_n(up_q[%d]),\n        .pll_reset_reset(!hps_reset_n),\n        .pll_locked_export(locked),\n"
                "        .hps_reset_reset_n(hps_reset_n)", RESET_BITS - 1, RESET_BITS, RESET_BITS, RESET_BITS - 1, RESET_BITS, RESET_BITS - 1);
    for (int i = 0; i < n; i++)
        strbuf_addf(&sb, ",\n        .memory_%s(%s)", pins[i].name, pins[i].name);
    strbuf_adds(&sb, "\n    );\nendmodule\n\n`default_nettype wire\n");
    return project_text(p, arena_printf(p->a, "%s_board.v", top), &sb);
}

static bool emit_constraints(struct project *p)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "# " SPDX "# The oscillator of %s; the design's clock follows from it through the PLL.\n"
                "create_clock -name oscillator -period %.3f [get_ports clk]\nderive_pll_clocks\nderive_clock_uncertainty\n"
                "# The PLL's lock and the processor's reset, into two registers.\nset_false_path -to [get_registers {locked_q[0]}]\n", p->d->board.title,
                1e9 / (double)p->d->board.oscillator_hz);
    return project_text(p, arena_printf(p->a, "%s_board.sdc", p->d->top), &sb);
}

bool project_quartus_emit(struct project *p, const struct netlist *axi)
{
    return emit_ip(p, axi) && emit_component(p, axi) && emit_board(p) && emit_constraints(p) && project_embedded(p, "boards/system.tcl", "system.tcl") &&
           project_embedded(p, "boards/quartus.tcl", "quartus.tcl") && project_embedded(p, "boards/common.tcl", "common.tcl") && project_embedded(p, "boards/quartus.mk", "Makefile");
}

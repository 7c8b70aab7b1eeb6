// SPDX-License-Identifier: Apache-2.0
#include "hls/shell.h"

#include <string.h>

#include "base/check.h"
#include "drivers/aihls_shell.h"
#include "hls/outdir.h"
#include "hls/shell_impl.h"

#define SLOTS SHELL_SLOTS
#define BUFFER_WORDS 64 // of each DMA: four bursts

bool shell_has_axi(const struct design *d)
{
    return d->board.axi_data_bits > 0 && d->pipeline->n_inputs + d->pipeline->n_outputs <= AIHLS_SHELL_MAX_PORTS;
}

// The ports of a bus: direction, name behind the prefix, bits.
struct bus_port {
    const char *direction, *name;
    int64_t width_bits;
};

static void bus_ports(struct shell *s, const char *prefix, const struct bus_port *ports, int n)
{
    for (int i = 0; i < n; i++)
        netlist_port(s->n, ports[i].direction, arena_printf(s->a, "%s_%s", prefix, ports[i].name), ports[i].width_bits);
}

// ---- NAME_axi ----

static void axi_ports(struct shell *s)
{
    int64_t data = 8 * s->word_bytes;
    const struct bus_port lite[] = {
        { "input", "awaddr", 16 }, { "input", "awvalid", 1 }, { "output", "awready", 1 }, { "input", "wdata", 32 }, { "input", "wstrb", 4 },
        { "input", "wvalid", 1 }, { "output", "wready", 1 }, { "output", "bresp", 2 }, { "output", "bvalid", 1 }, { "input", "bready", 1 },
        { "input", "araddr", 16 }, { "input", "arvalid", 1 }, { "output", "arready", 1 }, { "output", "rdata", 32 }, { "output", "rresp", 2 },
        { "output", "rvalid", 1 }, { "input", "rready", 1 },
    };
    const struct bus_port master[] = {
        { "output", "arid", s->index_bits }, { "output", "araddr", s->addr_bits }, { "output", "arlen", 8 }, { "output", "arsize", 3 },
        { "output", "arburst", 2 }, { "output", "arcache", 4 }, { "output", "arprot", 3 }, { "output", "arvalid", 1 }, { "input", "arready", 1 },
        { "input", "rid", s->index_bits }, { "input", "rdata", data }, { "input", "rresp", 2 }, { "input", "rlast", 1 }, { "input", "rvalid", 1 },
        { "output", "rready", 1 },
        { "output", "awid", s->index_bits }, { "output", "awaddr", s->addr_bits }, { "output", "awlen", 8 }, { "output", "awsize", 3 },
        { "output", "awburst", 2 }, { "output", "awcache", 4 }, { "output", "awprot", 3 }, { "output", "awvalid", 1 }, { "input", "awready", 1 },
        { "output", "wdata", data }, { "output", "wstrb", s->word_bytes }, { "output", "wlast", 1 }, { "output", "wvalid", 1 }, { "input", "wready", 1 },
        { "input", "bid", s->index_bits }, { "input", "bresp", 2 }, { "input", "bvalid", 1 }, { "output", "bready", 1 },
    };
    netlist_port(s->n, "input", "clk", 1);
    netlist_port(s->n, "input", "aresetn", 1);
    netlist_port(s->n, "output", "irq", 1);
    bus_ports(s, "s_axil", lite, sizeof lite / sizeof *lite);
    bus_ports(s, "m_axi", master, sizeof master / sizeof *master);
}

// What never changes, and what nobody reads.
static void axi_constants(struct shell *s)
{
    static const char *const sides[] = { "ar", "aw" };
    for (int i = 0; i < 2; i++) {
        netlist_assign(s->n, arena_printf(s->a, "m_axi_%ssize", sides[i]), arena_printf(s->a, "3'd%lld", (long long)ceil_log2(s->word_bytes)));
        netlist_assign(s->n, arena_printf(s->a, "m_axi_%sburst", sides[i]), "2'b01");
        netlist_assign(s->n, arena_printf(s->a, "m_axi_%scache", sides[i]), "4'b0011");
        netlist_assign(s->n, arena_printf(s->a, "m_axi_%sprot", sides[i]), "3'b000");
    }
    netlist_assign(s->n, "m_axi_rready", "1'b1");
    netlist_assign(s->n, "m_axi_bready", "1'b1");
    netlist_net(s->n, 1, "unused_ok");
    netlist_assign(s->n, "unused_ok", arena_printf(s->a, "&{1'b0, m_axi_rlast%s%s}", s->n_in > 1 ? "" : ", m_axi_rid", s->n_out > 1 ? "" : ", m_axi_bid"));
}

// What the two halves of a DMA have in common: its frames from the ring, its end.
static void dma_ports(struct shell *s, struct instance *i, int port)
{
    struct netlist *n = s->n;
    int all = s->n_ports;
    clocked(s, i, "dma_rst");
    instance_int(n, i, "WORD_BYTES", s->word_bytes);
    instance_int(n, i, "ADDR_W", s->addr_bits);
    instance_int(n, i, "BUF_WORDS", BUFFER_WORDS);
    instance_port(n, i, "stop", "stop");
    instance_port(n, i, "idle", part(s, "idle", port, 1, all));
    instance_port(n, i, "s_frame_data", part(s, "frame_data", port * s->addr_bits, s->addr_bits, all * s->addr_bits));
    instance_port(n, i, "s_frame_valid", part(s, "frame_valid", port, 1, all));
    instance_port(n, i, "s_frame_ready", part(s, "frame_ready", port, 1, all));
    instance_port(n, i, "done", part(s, "done", port, 1, all));
    instance_port(n, i, "done_error", part(s, "done_error", port, 1, all));
    instance_port(n, i, "error", part(s, "error", 2 * port, 2, 2 * all));
}

static void add_gear(struct shell *s, int port, int64_t from, int64_t to, const char *in, const char *out)
{
    struct netlist *n = s->n;
    struct instance *i = netlist_add(n, "aihls_gear", name(s, "u_gear%d", port), NULL);
    clocked(s, i, "dma_rst");
    instance_int(n, i, "S_BYTES", from);
    instance_int(n, i, "M_BYTES", to);
    instance_int(n, i, "FRAME_BYTES", frame_bytes(s->p, port));
    instance_stream(n, i, "s", in);
    instance_stream(n, i, "m", out);
}

// `signal` for the answers to DMA k of n.
static const char *answer(struct shell *s, const char *channel, int k, int n)
{
    if (n == 1)
        return arena_printf(s->a, "m_axi_%svalid", channel);
    return arena_printf(s->a, "m_axi_%svalid && m_axi_%sid == %lld'd%d", channel, channel, (long long)s->index_bits, k);
}

static void add_read(struct shell *s, int k)
{
    struct netlist *n = s->n;
    const struct host_port *port = port_of(s->p, k);
    int64_t lanes = stream_of(s->p, k)->lanes, ar = s->addr_bits + 8;
    const char *words = name(s, "r%d", k);
    stream_nets(s, words, 8 * s->word_bytes);
    stream_nets(s, port->name, 8 * lanes);
    struct instance *i = netlist_add(n, "aihls_axi_read", name(s, "u_read%d", k), NULL);
    dma_ports(s, i, k);
    instance_int(n, i, "FRAME_WORDS", ceil_div(frame_bytes(s->p, k), s->word_bytes));
    instance_port(n, i, "ar_addr", part(s, "ar_data", k * ar + 8, s->addr_bits, s->n_in * ar));
    instance_port(n, i, "ar_len", part(s, "ar_data", k * ar, 8, s->n_in * ar));
    instance_port(n, i, "ar_valid", part(s, "ar_valid", k, 1, s->n_in));
    instance_port(n, i, "ar_ready", part(s, "ar_ready", k, 1, s->n_in));
    instance_port(n, i, "r_data", "m_axi_rdata");
    instance_port(n, i, "r_resp", "m_axi_rresp");
    instance_port(n, i, "r_valid", answer(s, "r", k, s->n_in));
    instance_stream(n, i, "m", words);
    add_gear(s, k, s->word_bytes, lanes, words, port->name);
}

static void add_write(struct shell *s, int k)
{
    struct netlist *n = s->n;
    int port = s->n_in + k;
    const char *from = port_of(s->p, port)->name, *words = name(s, "w%d", k);
    int64_t lanes = stream_of(s->p, port)->lanes, aw = s->addr_bits + 8, w = 9 * s->word_bytes + 1;
    stream_nets(s, words, 8 * s->word_bytes);
    stream_nets(s, from, 8 * lanes);
    add_gear(s, port, lanes, s->word_bytes, from, words);
    struct instance *i = netlist_add(n, "aihls_axi_write", name(s, "u_write%d", k), NULL);
    dma_ports(s, i, port);
    instance_int(n, i, "FRAME_BYTES", frame_bytes(s->p, port));
    instance_stream(n, i, "s", words);
    instance_port(n, i, "aw_addr", part(s, "aw_data", k * aw + 8, s->addr_bits, s->n_out * aw));
    instance_port(n, i, "aw_len", part(s, "aw_data", k * aw, 8, s->n_out * aw));
    instance_port(n, i, "aw_valid", part(s, "aw_valid", k, 1, s->n_out));
    instance_port(n, i, "aw_ready", part(s, "aw_ready", k, 1, s->n_out));
    instance_port(n, i, "w_data", part(s, "w_data", k * w + 1 + s->word_bytes, 8 * s->word_bytes, s->n_out * w));
    instance_port(n, i, "w_strb", part(s, "w_data", k * w + 1, s->word_bytes, s->n_out * w));
    instance_port(n, i, "w_last", part(s, "w_data", k * w, 1, s->n_out * w));
    instance_port(n, i, "w_valid", part(s, "w_valid", k, 1, s->n_out));
    instance_port(n, i, "w_ready", part(s, "w_ready", k, 1, s->n_out));
    instance_port(n, i, "b_resp", "m_axi_bresp");
    instance_port(n, i, "b_valid", answer(s, "b", k, s->n_out));
}

static void add_bus(struct shell *s)
{
    struct netlist *n = s->n;
    int64_t a = s->addr_bits + 8, w = 9 * s->word_bytes + 1;
    netlist_net(n, s->n_in * a, "ar_data");
    netlist_net(n, s->n_in, "ar_valid");
    netlist_net(n, s->n_in, "ar_ready");
    netlist_net(n, s->n_out * a, "aw_data");
    netlist_net(n, s->n_out, "aw_valid");
    netlist_net(n, s->n_out, "aw_ready");
    netlist_net(n, s->n_out * w, "w_data");
    netlist_net(n, s->n_out, "w_valid");
    netlist_net(n, s->n_out, "w_ready");
    struct instance *i = netlist_add(n, "aihls_merge", "u_ar", NULL);
    clocked(s, i, "dma_rst");
    instance_int(n, i, "N", s->n_in);
    instance_int(n, i, "WIDTH", a);
    instance_int(n, i, "INDEX_W", s->index_bits);
    instance_stream(n, i, "s", "ar");
    instance_port(n, i, "m_data", "{m_axi_araddr, m_axi_arlen}");
    instance_port(n, i, "m_index", "m_axi_arid");
    instance_port(n, i, "m_valid", "m_axi_arvalid");
    instance_port(n, i, "m_ready", "m_axi_arready");
    i = netlist_add(n, "aihls_axi_wmux", "u_aw", NULL);
    clocked(s, i, "dma_rst");
    instance_int(n, i, "N", s->n_out);
    instance_int(n, i, "AW_W", a);
    instance_int(n, i, "W_W", w);
    instance_int(n, i, "INDEX_W", s->index_bits);
    instance_stream(n, i, "s_aw", "aw");
    instance_stream(n, i, "s_w", "w");
    instance_port(n, i, "m_aw_data", "{m_axi_awaddr, m_axi_awlen}");
    instance_port(n, i, "m_aw_index", "m_axi_awid");
    instance_port(n, i, "m_aw_valid", "m_axi_awvalid");
    instance_port(n, i, "m_aw_ready", "m_axi_awready");
    instance_port(n, i, "m_w_data", "{m_axi_wdata, m_axi_wstrb, m_axi_wlast}");
    instance_port(n, i, "m_w_valid", "m_axi_wvalid");
    instance_port(n, i, "m_w_ready", "m_axi_wready");
}

static void add_registers(struct shell *s)
{
    static const struct { const char *name; int64_t width_bits; } nets[] = {
        { "we", 1 }, { "waddr", 14 }, { "wdata", 32 }, { "re", 1 }, { "raddr", 14 }, { "rdata", 32 }, { "counter", 32 },
        { "soft_rst", 1 }, { "stop", 1 }, { "beat", 1 }, { "last_beat", 1 },
    };
    static const char *const lite[] = { "awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready",
                                        "araddr", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready" };
    struct netlist *n = s->n;
    char hash[65];
    design_identity(s->d, hash);
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++)
        netlist_net(n, nets[k].width_bits, "%s", nets[k].name);
    struct instance *i = netlist_add(n, "aihls_axil", "u_axil", NULL);
    clocked(s, i, "rst");
    for (size_t k = 0; k < sizeof lite / sizeof *lite; k++) {
        const char *wire = arena_printf(s->a, "s_axil_%s", lite[k]);
        instance_port(n, i, wire, wire);
    }
    for (size_t k = 0; k < 6; k++)
        instance_port(n, i, nets[k].name, nets[k].name);
    i = netlist_add(n, "aihls_ring", "u_ring", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "INPUTS", s->n_in);
    instance_int(n, i, "OUTPUTS", s->n_out);
    instance_int(n, i, "SLOTS", SLOTS);
    instance_int(n, i, "ADDR_W", s->addr_bits);
    instance_int(n, i, "WORD_BYTES", s->word_bytes);
    instance_int(n, i, "COUNTERS", 2 * s->p->n_streams);
    instance_text(n, i, "MODEL", arena_printf(s->a, "256'h%s", hash));
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++)
        instance_port(n, i, nets[k].name, nets[k].name);
    instance_port(n, i, "irq", "irq");
    instance_port(n, i, "idle", "&idle");
    static const char *const shares[] = { "frame_data", "frame_valid", "frame_ready", "done", "done_error" };
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
        instance_port(n, i, shares[k], shares[k]);
    struct strbuf errors = STRBUF_INIT; // read SLVERR is the lowest bit
    for (int bit = 3; bit >= 0; bit--)
        for (int k = bit / 2 ? s->n_in : 0, first = k; k < (bit / 2 ? s->n_ports : s->n_in); k++)
            strbuf_addf(&errors, "%serror[%d]", k > first ? " | " : bit == 3 ? "{" : ", ", 2 * k + bit % 2);
    strbuf_addch(&errors, '}');
    instance_port(n, i, "error", arena_strdup(s->a, errors.text));
    strbuf_release(&errors);
    i = netlist_add(n, "aihls_tally", "u_tally", NULL);
    clocked(s, i, "dma_rst");
    instance_int(n, i, "N", 2 * s->p->n_streams);
    instance_port(n, i, "event_on", "watch");
    instance_port(n, i, "raddr", "raddr[9:0]");
    instance_port(n, i, "rdata", "counter");
}

// Each write of CODE is a byte for the core, which takes one a cycle.
static void add_code_register(struct shell *s)
{
    struct netlist *n = s->n;
    stream_nets(s, BIND_CODE, 8);
    netlist_assign(n, BIND_CODE "_data", "wdata[7:0]");
    netlist_assign(n, BIND_CODE "_valid", arena_printf(s->a, "we && waddr == 14'd%d", AIHLS_SHELL_CODE / 4));
    netlist_assign(n, netlist_net(n, 1, "unused_code_ready"), BIND_CODE "_ready");
}

struct netlist *shell_axi(const struct design *d, struct arena *a)
{
    ASSERT(shell_has_axi(d));
    struct shell s = shell_new(d, a, "axi");
    struct netlist *n = s.n;
    const char *first = port_of(s.p, 0)->name;
    axi_ports(&s);
    netlist_net(n, 1, "rst");
    netlist_net(n, 1, "dma_rst");
    netlist_net(n, s.n_ports * s.addr_bits, "frame_data");
    static const char *const shares[] = { "frame_valid", "frame_ready", "done", "done_error", "idle" };
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
        netlist_net(n, s.n_ports, "%s", shares[k]);
    netlist_net(n, 2 * s.n_ports, "error");
    netlist_net(n, 2 * s.p->n_streams, "watch");
    netlist_assign(n, "rst", "!aresetn");
    netlist_assign(n, "dma_rst", "rst || soft_rst");
    axi_constants(&s);
    add_registers(&s);
    add_bus(&s);
    for (int k = 0; k < s.n_in; k++)
        add_read(&s, k);
    for (int k = 0; k < s.n_out; k++)
        add_write(&s, k);
    netlist_assign(n, "beat", arena_printf(a, "%s_valid && %s_ready", first, first));
    struct instance *i = netlist_add(n, "aihls_count", "u_beats", NULL);
    clocked(&s, i, "dma_rst");
    instance_int(n, i, "N", stream_beats(stream_of(s.p, 0), stream_of(s.p, 0)->lanes));
    instance_port(n, i, "en", "beat");
    instance_port(n, i, "last", "last_beat");
    if (pipeline_loads(s.p))
        add_code_register(&s);
    add_core(&s, "dma_rst");
    netlist_verify(n);
    return n;
}

// ---- the co-simulation's top module ----

static void add_checker(struct shell *s, const struct netlist *axi, const char *module, const char *prefix, const char *tag, const char *bad)
{
    struct netlist *n = s->n;
    static const char *const unchecked[] = { "arcache", "arprot", "awcache", "awprot", "rdata", "rresp", "bid", "bresp" };
    bool master = prefix[0] == 'm';
    struct instance *i = netlist_add(n, module, arena_printf(s->a, "u_check%s", tag), NULL);
    clocked(s, i, "rst");
    for (int k = 0; k < axi->n_ports; k++) {
        const char *port = axi->ports[k].name;
        size_t skip = strlen(prefix);
        bool checked = strncmp(port, prefix, skip) == 0;
        for (size_t u = 0; master && checked && u < sizeof unchecked / sizeof *unchecked; u++)
            checked = strcmp(port + skip, unchecked[u]) != 0;
        if (checked)
            instance_port(n, i, port + skip, port);
    }
    instance_port(n, i, "bad_master", arena_printf(s->a, "bad_%smaster%s", bad, tag));
    instance_port(n, i, "bad_slave", arena_printf(s->a, "bad_%sslave%s", bad, tag));
}

struct netlist *shell_bench(const struct netlist *axi, const struct design *d, struct arena *a)
{
    struct shell s = shell_new(d, a, "");
    struct netlist *n = s.n = netlist_new(a, "shell_bench");
    struct strbuf master = STRBUF_INIT, slave = STRBUF_INIT;
    struct instance *i = netlist_add(n, axi->module, "u_dut", NULL);
    instance_text(n, i, "TECH", "TECH");
    for (int k = 0; k < axi->n_ports; k++) {
        netlist_port(n, axi->ports[k].direction, axi->ports[k].name, axi->ports[k].width_bits);
        instance_port(n, i, axi->ports[k].name, axi->ports[k].name);
    }
    netlist_port(n, "output", "bad_master", 9);
    netlist_port(n, "output", "bad_slave", 3);
    netlist_port(n, "output", "bad_lite_master", 4);
    netlist_port(n, "output", "bad_lite_slave", 6);
    netlist_net(n, 1, "rst");
    netlist_assign(n, "rst", "!aresetn");
    add_checker(&s, axi, "aihls_check_axil", "s_axil_", "", "lite_");
    for (int k = 0; k < s.n_in; k++) {
        const char *tag = name(&s, "%d", k);
        netlist_net(n, 9, "bad_master%d", k);
        netlist_net(n, 3, "bad_slave%d", k);
        strbuf_addf(&master, "%sbad_master%d", k ? " | " : "", k);
        strbuf_addf(&slave, "%sbad_slave%d", k ? " | " : "", k);
        add_checker(&s, axi, "aihls_check_axi", "m_axi_", tag, "");
        i = &n->instances[n->n_instances - 1];
        instance_int(n, i, "WORD_BYTES", s.word_bytes);
        instance_int(n, i, "ADDR_W", s.addr_bits);
        instance_int(n, i, "ID_W", s.index_bits);
        instance_int(n, i, "ID", k);
        instance_port(n, i, "pick", "1'b1");
    }
    netlist_assign(n, "bad_master", arena_strdup(a, master.text));
    netlist_assign(n, "bad_slave", arena_strdup(a, slave.text));
    strbuf_release(&master);
    strbuf_release(&slave);
    netlist_verify(n);
    return n;
}

void shell_constants(const struct design *d, struct strbuf *out)
{
    const struct board *b = &d->board;
    const struct { const char *name; int64_t value; } v[] = {
        { "WORD_BYTES", b->axi_data_bits / 8 }, { "ADDR_BITS", b->axi_addr_bits }, { "CLOCK_HZ", d->pipeline->clock_hz }, { "DRAM_BYTES_PER_S", b->dram_bytes_per_s },
        { "DRAM_LATENCY_NS", b->dram_latency_ns }, { "DRAM_REFRESH_EVERY_NS", b->dram_refresh_every_ns }, { "DRAM_REFRESH_NS", b->dram_refresh_ns },
    };
    char hash[65];
    design_identity(d, hash);
    strbuf_addf(out, "// SPDX-License-Identifier: Apache-2.0\n// The bus of %s and the memory of %s, for shell.cpp.\n", d->top, b->name);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        strbuf_addf(out, "#define %s %lldL\n", v[i].name, (long long)v[i].value);
    strbuf_adds(out, "#define MODEL_WORDS {");
    for (int i = 0; i < 8; i++)
        strbuf_addf(out, "%s 0x%.8su", i ? "," : "", hash + 8 * i);
    strbuf_adds(out, " }\n");
}

// ---- NAME_axis ----

// "s_in0" is s_axis_in0.
static const char *axis_name(struct shell *s, int port)
{
    const char *own = port_of(s->p, port)->name;
    return arena_printf(s->a, "%c_axis%s", own[0], own + 1);
}

// The first three wires of a bus and a stream's; the fourth, TLAST, where frames have an end.
static void add_axis_bus(struct shell *s, const char *axis, const char *own, int lanes, bool in, bool ends)
{
    struct netlist *n = s->n;
    const struct bus_port ports[] = {
        { in ? "input" : "output", "tdata", 8 * lanes }, { in ? "input" : "output", "tvalid", 1 },
        { in ? "output" : "input", "tready", 1 }, { in ? "input" : "output", "tlast", 1 },
    };
    bus_ports(s, axis, ports, ends ? 4 : 3);
    stream_nets(s, own, 8 * lanes);
    static const char *const wires[][2] = { { "tdata", "data" }, { "tvalid", "valid" }, { "tready", "ready" } };
    for (int k = 0; k < 3; k++) {
        const char *outer = arena_printf(s->a, "%s_%s", axis, wires[k][0]), *inner = arena_printf(s->a, "%s_%s", own, wires[k][1]);
        bool inwards = in == (k < 2);
        netlist_assign(n, inwards ? inner : outer, inwards ? outer : inner);
    }
}

static void add_axis_stream(struct shell *s, int port, struct strbuf *wrong)
{
    struct netlist *n = s->n;
    bool in = port < s->n_in;
    const char *axis = axis_name(s, port), *own = port_of(s->p, port)->name;
    const struct stream *st = stream_of(s->p, port);
    add_axis_bus(s, axis, own, st->lanes, in, true);
    struct instance *i = netlist_add(n, in ? "aihls_frame" : "aihls_count", name(s, "u_frame%d", port), NULL);
    clocked(s, i, "rst");
    instance_int(n, i, in ? "BEATS" : "N", stream_beats(st, st->lanes));
    instance_port(n, i, in ? "move" : "en", arena_printf(s->a, "%s_valid && %s_ready", own, own));
    if (in) {
        instance_port(n, i, "flag", arena_printf(s->a, "%s_tlast", axis));
        instance_port(n, i, "last", netlist_net(n, 1, "unused_last%d", port));
        instance_port(n, i, "wrong", netlist_net(n, 1, "wrong%d", port));
        strbuf_addf(wrong, "%swrong%d", wrong->len ? " || " : "", port);
    } else {
        instance_port(n, i, "last", arena_printf(s->a, "%s_tlast", axis));
    }
}

struct netlist *shell_axis(const struct design *d, struct arena *a)
{
    struct shell s = shell_new(d, a, "axis");
    struct strbuf wrong = STRBUF_INIT;
    netlist_port(s.n, "input", "clk", 1);
    netlist_port(s.n, "input", "aresetn", 1);
    netlist_port(s.n, "output", "frame_error", 1);
    netlist_net(s.n, 1, "rst");
    netlist_net(s.n, 2 * s.p->n_streams, "watch");
    netlist_net(s.n, 1, "unused_watch");
    netlist_assign(s.n, "rst", "!aresetn");
    netlist_assign(s.n, "unused_watch", "&{1'b0, watch}");
    for (int k = 0; k < s.n_ports; k++)
        add_axis_stream(&s, k, &wrong);
    if (pipeline_loads(s.p))
        add_axis_bus(&s, "s_axis_code", BIND_CODE, 1, true, false);
    netlist_assign(s.n, "frame_error", arena_strdup(a, wrong.text));
    strbuf_release(&wrong);
    add_core(&s, "rst");
    netlist_verify(s.n);
    return s.n;
}

// ---- what memory allows ----

struct shell_bound shell_bound(const struct design *d)
{
    const struct pipeline *p = d->pipeline;
    int64_t word = d->board.axi_data_bits / 8;
    struct shell_bound b = { .cycles = p->interval_cycles, .by = "pipeline" };
    for (int i = 0; i < p->n_inputs + p->n_outputs; i++)
        *(i < p->n_inputs ? &b.bytes_in : &b.bytes_out) += ceil_div(frame_bytes(p, i), word) * word;
    b.bus_cycles = max_i64(b.bytes_in, b.bytes_out) / word;
    double seconds = (double)(b.bytes_in + b.bytes_out) / (double)d->board.dram_bytes_per_s;
    b.dram_cycles = (int64_t)(seconds * (double)p->clock_hz + 0.999);
    if (b.bus_cycles > b.cycles) {
        b.cycles = b.bus_cycles;
        b.by = "bus";
    }
    if (b.dram_cycles > b.cycles) {
        b.cycles = b.dram_cycles;
        b.by = "DRAM";
    }
    return b;
}

json_t *shell_report(const struct design *d)
{
    if (!shell_has_axi(d))
        return json_pack("{s:s}", "kind", shell_has_uart(d) ? "uart" : "axis");
    struct shell_bound b = shell_bound(d);
    return json_pack("{s:s, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:s}", "kind", "axi", "data_bits", (json_int_t)d->board.axi_data_bits, "slots", SLOTS,
                     "bytes_in", (json_int_t)b.bytes_in, "bytes_out", (json_int_t)b.bytes_out, "dram_cycles", (json_int_t)b.dram_cycles,
                     "bus_cycles", (json_int_t)b.bus_cycles, "cycles_per_frame", (json_int_t)b.cycles, "bound", b.by);
}

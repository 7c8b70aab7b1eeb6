// SPDX-License-Identifier: Apache-2.0
// NAME_uart, NAME_spi: the pipeline behind a serial line, behind SPI (docs/82-uart.md).
//
//     rxd -> rx -> unpack -> link -> inbox -> gear -> pipeline -> gear -> fifo -> link -> pack -> fifo -> tx -> txd
//
// aihls_spi stands in the place of rx and tx.
#include <string.h>

#include "base/check.h"
#include "drivers/aihls_uart.h"
#include "hls/outdir.h"
#include "hls/shell_impl.h"

#define BLOCK AIHLS_UART_BLOCK_BYTES
#define OUTBOX_BYTES 64
#define ANSWER_BYTES 128 // a block with some bytes doubled, and what is around it
// Measured with nextpnr: all but the ports, and each with its gear and its queue. ECP5 (TRELLIS_COMB) has the queues in LUT
// RAM, iCE40 (ICESTORM_LC) in block RAM.
#define UART_LUT 1700
#define UART_PORT_LUT 240
#define UART_LUT_BLOCK 1200
#define UART_PORT_LUT_BLOCK 100
#define MAX_PORTS 64
#define LEAST_DIVIDE 8 // of aihls_uart_rx, aihls_spi

int64_t shell_uart_baud(const struct design *d)
{
    int64_t wanted = d->board.uart_baud ? d->board.uart_baud : AIHLS_UART_BAUD;
    return min_i64(wanted, d->pipeline->clock_hz / LEAST_DIVIDE);
}

int64_t shell_spi_hz(int64_t clock_hz)
{
    return clock_hz / LEAST_DIVIDE;
}

bool shell_has_uart(const struct design *d)
{
    return !d->board.axi_data_bits && d->pipeline->n_inputs + d->pipeline->n_outputs <= MAX_PORTS;
}

int64_t shell_uart_lut(const struct design *d)
{
    int64_t ports = d->pipeline->n_inputs + d->pipeline->n_outputs + pipeline_loads(d->pipeline);
    return d->board.tech->ram_luts ? UART_LUT + UART_PORT_LUT * ports : UART_LUT_BLOCK + UART_PORT_LUT_BLOCK * ports;
}

// ---- what is different with the lines ----

static void add_uart(struct shell *s, int64_t divide)
{
    struct netlist *n = s->n;
    struct instance *i = netlist_add(n, "aihls_uart_rx", "u_rx", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "DIVIDE", divide);
    instance_port(n, i, "rxd", "rxd");
    instance_port(n, i, "data", "rx_data");
    instance_port(n, i, "valid", "rx_valid");
    instance_port(n, i, "error", "rx_error");
    i = netlist_add(n, "aihls_uart_tx", "u_tx", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "DIVIDE", divide);
    instance_stream(n, i, "s", "tx");
    instance_port(n, i, "txd", "txd");
}

static void add_spi(struct shell *s, int64_t divide)
{
    static const char *const ports[][2] = { { "sck", "sck" }, { "cs_n", "cs_n" }, { "mosi", "mosi" }, { "miso", "miso" }, { "miso_en", "miso_en" },
                                            { "data", "rx_data" }, { "valid", "rx_valid" }, { "error", "rx_error" } };
    struct instance *i = netlist_add(s->n, "aihls_spi", "u_spi", NULL);
    (void)divide; // the host's
    clocked(s, i, "rst");
    for (size_t k = 0; k < sizeof ports / sizeof *ports; k++)
        instance_port(s->n, i, ports[k][0], ports[k][1]);
    instance_stream(s->n, i, "s", "tx");
}

static const struct line_kind {
    const char *name;
    struct { const char *direction, *name; } ports[5];
    void (*add)(struct shell *s, int64_t divide); // from the ports to nets rx_*, and from tx_*
} lines[] = {
    [LINE_UART] = { "uart", { { "input", "rxd" }, { "output", "txd" } }, add_uart },
    [LINE_SPI] = { "spi", { { "input", "sck" }, { "input", "cs_n" }, { "input", "mosi" }, { "output", "miso" }, { "output", "miso_en" } }, add_spi },
};

const char *shell_line_name(enum line line)
{
    return lines[line].name;
}

// The line: bytes and packets.
static void add_line(struct shell *s, const struct line_kind *line, int64_t divide)
{
    struct netlist *n = s->n;
    int64_t at = ceil_log2(BLOCK);
    const struct { const char *name; int64_t width_bits; } nets[] = {
        { "rx_data", 8 }, { "rx_valid", 1 }, { "rx_error", 1 }, { "tx_data", 8 }, { "tx_valid", 1 }, { "tx_ready", 1 }, { "reply_data", 8 }, { "reply_valid", 1 },
        { "reply_ready", 1 }, { "reply_last", 1 }, { "op", 8 }, { "seq", 8 }, { "arg", 8 }, { "n_bytes", at + 1 }, { "done", 1 }, { "bad", 1 }, { "hold", 1 },
        { "we", 1 }, { "waddr", at }, { "wdata", 8 },
    };
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++)
        netlist_net(n, nets[k].width_bits, "%s", nets[k].name);
    stream_nets(s, "packet", 8);
    line->add(s, divide);
    struct instance *i = netlist_add(n, "aihls_uart_unpack", "u_unpack", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "BLOCK", BLOCK);
    instance_port(n, i, "s_data", "rx_data");
    instance_port(n, i, "s_valid", "rx_valid");
    instance_port(n, i, "s_error", "rx_error");
    for (size_t k = 10; k < sizeof nets / sizeof *nets; k++)
        instance_port(n, i, nets[k].name, nets[k].name);
    i = netlist_add(n, "aihls_uart_pack", "u_pack", NULL);
    clocked(s, i, "rst");
    instance_stream(n, i, "s", "reply");
    instance_port(n, i, "s_last", "reply_last");
    instance_stream(n, i, "m", "packet");
    // with room for an answer, so that the next request may come while it goes out
    i = netlist_add(n, "aihls_fifo", "u_answer", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "WIDTH", 8);
    instance_int(n, i, "DEPTH", ANSWER_BYTES);
    instance_int(n, i, "BLOCK", !s->d->board.tech->ram_luts);
    instance_port(n, i, "stall", "1'b0");
    instance_stream(n, i, "s", "packet");
    instance_stream(n, i, "m", "tx");
}

// The code of a core that takes it through a port is written as one input more.
static int inboxes(const struct shell *s)
{
    return s->n_in + pipeline_loads(s->p);
}

static void add_link(struct shell *s)
{
    struct netlist *n = s->n;
    static const char *const request[] = { "op", "seq", "arg", "n_bytes", "done", "bad", "we", "waddr", "wdata", "hold", "soft_rst", "w_data", "w_push", "room", "r_data",
                                           "r_valid", "r_ready", "frame_in", "frame_out" };
    char hash[65];
    design_identity(s->d, hash);
    netlist_net(n, 1, "soft_rst");
    netlist_net(n, 8, "w_data");
    netlist_net(n, inboxes(s), "w_push");
    netlist_net(n, inboxes(s), "room");
    netlist_net(n, 8 * s->n_out, "r_data");
    netlist_net(n, s->n_out, "r_valid");
    netlist_net(n, s->n_out, "r_ready");
    netlist_net(n, 1, "frame_in");
    netlist_net(n, 1, "frame_out");
    struct instance *i = netlist_add(n, "aihls_uart_link", "u_link", NULL);
    clocked(s, i, "rst");
    instance_int(n, i, "INPUTS", inboxes(s));
    instance_int(n, i, "OUTPUTS", s->n_out);
    instance_int(n, i, "BLOCK", BLOCK);
    instance_int(n, i, "BRAM", !s->d->board.tech->ram_luts);
    instance_text(n, i, "MODEL", arena_printf(s->a, "256'h%s", hash));
    for (size_t k = 0; k < sizeof request / sizeof *request; k++)
        instance_port(n, i, request[k], request[k]);
    instance_port(n, i, "line_error", "rx_error");
    instance_port(n, i, "m_data", "reply_data");
    instance_port(n, i, "m_last", "reply_last");
    instance_port(n, i, "m_valid", "reply_valid");
    instance_port(n, i, "m_ready", "reply_ready");
}

static void add_gear(struct shell *s, int port, int64_t from, int64_t to, const char *in, const char *out)
{
    struct netlist *n = s->n;
    struct instance *i = netlist_add(n, "aihls_gear", name(s, "u_gear%d", port), NULL);
    clocked(s, i, "core_rst");
    instance_int(n, i, "S_BYTES", from);
    instance_int(n, i, "M_BYTES", to);
    instance_int(n, i, "FRAME_BYTES", frame_bytes(s->p, port));
    instance_stream(n, i, "s", in);
    instance_stream(n, i, "m", out);
}

// Bytes from the line for input k, as stream `bytes`.
static void add_inbox(struct shell *s, int k, const char *bytes)
{
    struct netlist *n = s->n;
    stream_nets(s, bytes, 8);
    struct instance *i = netlist_add(n, "aihls_uart_inbox", name(s, "u_inbox%d", k), NULL);
    clocked(s, i, "core_rst");
    instance_int(n, i, "BLOCK", BLOCK);
    instance_int(n, i, "BRAM", !s->d->board.tech->ram_luts);
    instance_port(n, i, "data", "w_data");
    instance_port(n, i, "push", part(s, "w_push", k, 1, inboxes(s)));
    instance_port(n, i, "room", part(s, "room", k, 1, inboxes(s)));
    instance_stream(n, i, "m", bytes);
}

static void add_input(struct shell *s, int k)
{
    const char *own = port_of(s->p, k)->name, *bytes = name(s, "b%d", k);
    int64_t lanes = stream_of(s->p, k)->lanes;
    add_inbox(s, k, bytes);
    stream_nets(s, own, 8 * lanes);
    add_gear(s, k, 1, lanes, bytes, own);
}

// Beats of output k to bytes for the line.
static void add_output(struct shell *s, int k)
{
    struct netlist *n = s->n;
    int port = s->n_in + k;
    const char *own = port_of(s->p, port)->name, *bytes = name(s, "b%d", port);
    int64_t lanes = stream_of(s->p, port)->lanes;
    stream_nets(s, bytes, 8);
    stream_nets(s, own, 8 * lanes);
    add_gear(s, port, lanes, 1, own, bytes);
    struct instance *i = netlist_add(n, "aihls_fifo", name(s, "u_outbox%d", k), NULL);
    clocked(s, i, "core_rst");
    instance_int(n, i, "WIDTH", 8);
    instance_int(n, i, "DEPTH", OUTBOX_BYTES);
    instance_int(n, i, "BLOCK", !s->d->board.tech->ram_luts);
    instance_port(n, i, "stall", "1'b0");
    instance_stream(n, i, "s", bytes);
    instance_port(n, i, "m_data", part(s, "r_data", 8 * k, 8, 8 * s->n_out));
    instance_port(n, i, "m_valid", part(s, "r_valid", k, 1, s->n_out));
    instance_port(n, i, "m_ready", part(s, "r_ready", k, 1, s->n_out));
}

// 1 in the cycle in which the first beat of a frame of input 0 goes in, or (`ends`) the last one of the last output comes out.
static void add_event(struct shell *s, int port, bool ends, const char *event)
{
    struct netlist *n = s->n;
    const char *own = port_of(s->p, port)->name, *last = netlist_net(n, 1, "last_%s", event), *move = netlist_net(n, 1, "move_%s", event);
    netlist_assign(n, move, arena_printf(s->a, "%s_valid && %s_ready", own, own));
    struct instance *i = netlist_add(n, "aihls_count", arena_printf(s->a, "u_%s", event), NULL);
    clocked(s, i, "core_rst");
    instance_int(n, i, "N", stream_beats(stream_of(s->p, port), stream_of(s->p, port)->lanes));
    instance_port(n, i, "en", move);
    instance_port(n, i, "last", last);
    if (ends) {
        netlist_assign(n, event, arena_printf(s->a, "%s && %s", move, last));
        return;
    }
    const char *inside = netlist_net(n, 1, "inside_%s", event);
    i = netlist_add(n, "aihls_flag", arena_printf(s->a, "u_inside_%s", event), NULL);
    clocked(s, i, "core_rst");
    instance_port(n, i, "en", move);
    instance_port(n, i, "d", arena_printf(s->a, "!%s", last));
    instance_port(n, i, "q", inside);
    netlist_assign(n, event, arena_printf(s->a, "%s && !%s", move, inside));
}

static struct netlist *make(const struct design *d, struct arena *a, const struct line_kind *line, const char *module, int64_t divide)
{
    ASSERT(shell_has_uart(d));
    struct shell s = shell_new(d, a, line->name);
    struct netlist *n = s.n;
    n->module = module ? module : n->module;
    netlist_port(n, "input", "clk", 1);
    netlist_port(n, "input", "aresetn", 1);
    for (size_t k = 0; k < sizeof line->ports / sizeof *line->ports && line->ports[k].name; k++)
        netlist_port(n, line->ports[k].direction, line->ports[k].name, 1);
    netlist_net(n, 1, "rst");
    netlist_net(n, 1, "core_rst");
    netlist_net(n, 2 * s.p->n_streams, "watch");
    netlist_net(n, 1, "unused_watch");
    netlist_assign(n, "rst", "!aresetn");
    // A register of its own: it reaches all of the network.
    struct instance *i = netlist_add(n, "aihls_delay", "u_core_rst", NULL);
    instance_int(n, i, "WIDTH", 1);
    instance_int(n, i, "DELAY", 1);
    instance_port(n, i, "clk", "clk");
    instance_port(n, i, "en", "1'b1");
    instance_port(n, i, "d", "rst || soft_rst");
    instance_port(n, i, "q", "core_rst");
    netlist_assign(n, "unused_watch", "&{1'b0, watch}");
    add_line(&s, line, divide);
    add_link(&s);
    for (int k = 0; k < s.n_in; k++)
        add_input(&s, k);
    if (pipeline_loads(s.p))
        add_inbox(&s, s.n_in, BIND_CODE);
    for (int k = 0; k < s.n_out; k++)
        add_output(&s, k);
    add_event(&s, 0, false, "frame_in");
    add_event(&s, s.n_ports - 1, true, "frame_out");
    add_core(&s, "core_rst");
    netlist_verify(n);
    return n;
}

struct netlist *shell_line(const struct design *d, struct arena *a, enum line line)
{
    int64_t baud = shell_uart_baud(d);
    return make(d, a, &lines[line], NULL, (d->pipeline->clock_hz + baud / 2) / baud);
}

struct netlist *shell_uart_bench(const struct design *d, struct arena *a)
{
    return make(d, a, &lines[LINE_UART], "uart_bench", LEAST_DIVIDE);
}

void shell_line_constants(const struct design *d, struct strbuf *out)
{
    char hash[65];
    design_identity(d, hash);
    strbuf_addf(out, "// SPDX-License-Identifier: Apache-2.0\n// The lines of uart_bench and NAME_spi, for line.hpp. DIVIDE: the least cycles of a bit.\n#define DIVIDE %d\n#define CLOCK_HZ %lldL\n#define MODEL \"%s\"\n",
                LEAST_DIVIDE, (long long)d->pipeline->clock_hz, hash);
}

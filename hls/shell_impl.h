// SPDX-License-Identifier: Apache-2.0
// What the files that make shells share: what is around the pipeline, wires, and the pipeline's instance.
#ifndef AIHLS_SHELL_IMPL_H
#define AIHLS_SHELL_IMPL_H

#include "base/check.h"
#include "dataflow/reload.h"
#include "hls/bind.h"
#include "hls/shell.h"

struct shell {
    const struct design *d;
    const struct pipeline *p;
    struct netlist *n;
    struct arena *a;
    int n_in, n_out, n_ports;
    int64_t word_bytes, addr_bits, index_bits;
};

static inline const struct host_port *port_of(const struct pipeline *p, int i)
{
    return i < p->n_inputs ? &p->inputs[i] : &p->outputs[i - p->n_inputs];
}

static inline const struct stream *stream_of(const struct pipeline *p, int i)
{
    return &p->streams[port_of(p, i)->stream];
}

// Of a frame of port i, in the form of the wire.
static inline int64_t frame_bytes(const struct pipeline *p, int i)
{
    const struct stream *s = stream_of(p, i);
    return stream_beats(s, s->lanes) * s->lanes;
}

static inline const char *name(struct shell *s, const char *fmt, int i)
{
    return arena_printf(s->a, fmt, i);
}

// Bits [at, at + width) of a net of `total` bits; a net of one bit has no index.
static inline const char *part(struct shell *s, const char *net, int64_t at, int64_t width, int64_t total)
{
    if (width == total)
        return net;
    if (width == 1)
        return arena_printf(s->a, "%s[%lld]", net, (long long)at);
    return arena_printf(s->a, "%s[%lld:%lld]", net, (long long)(at + width - 1), (long long)at);
}

static inline void clocked(struct shell *s, struct instance *i, const char *rst)
{
    instance_port(s->n, i, "clk", "clk");
    instance_port(s->n, i, "rst", rst);
}

static inline void stream_nets(struct shell *s, const char *net, int64_t width_bits)
{
    netlist_net(s->n, width_bits, "%s_data", net);
    netlist_net(s->n, 1, "%s_valid", net);
    netlist_net(s->n, 1, "%s_ready", net);
}

static inline void add_core(struct shell *s, const char *rst)
{
    struct netlist *n = s->n;
    struct instance *i = netlist_add(n, s->d->netlist->module, "u_core", NULL);
    instance_text(n, i, "TECH", "TECH");
    clocked(s, i, rst);
    for (int k = 0; k < s->n_ports; k++)
        instance_stream(n, i, port_of(s->p, k)->name, port_of(s->p, k)->name);
    if (pipeline_loads(s->p))
        instance_stream(n, i, BIND_CODE, BIND_CODE);
    instance_port(n, i, "stall", arena_printf(s->a, "%d'd0", s->p->n_edges));
    instance_port(n, i, "watch", "watch");
}

static inline struct shell shell_new(const struct design *d, struct arena *a, const char *suffix)
{
    const struct pipeline *p = d->pipeline;
    struct shell s = { .d = d, .p = p, .a = a, .n = netlist_new(a, arena_printf(a, "%s_%s", d->top, suffix)),
                       .n_in = p->n_inputs, .n_out = p->n_outputs, .n_ports = p->n_inputs + p->n_outputs };
    s.word_bytes = d->board.axi_data_bits / 8;
    s.addr_bits = d->board.axi_addr_bits;
    s.index_bits = max_i64(1, ceil_log2(max_i64(s.n_in, s.n_out)));
    return s;
}

#endif

// SPDX-License-Identifier: Apache-2.0
// What bind.c, bind_memory.c and bind_serial.c share.
#ifndef AIHLS_BIND_IMPL_H
#define AIHLS_BIND_IMPL_H

#include "base/check.h"
#include "hls/bind.h"

struct binding {
    const struct pipeline *p;
    struct netlist *n;
    struct arena *a;
    bool loads;   // memories are stores, in the order in which they are made
    int n_stores; // so far
};

static inline int64_t address_bits(int64_t depth)
{
    return depth <= 2 ? 1 : ceil_log2(depth);
}

static inline void clocked(struct binding *b, struct instance *i)
{
    instance_port(b->n, i, "clk", "clk");
    instance_port(b->n, i, "rst", "rst");
}

// Declares NET_data, NET_valid, NET_ready.
static inline void stream_nets(struct binding *b, const char *net, int64_t lanes)
{
    netlist_net(b->n, 8 * lanes, "%s_data", net);
    netlist_net(b->n, 1, "%s_valid", net);
    netlist_net(b->n, 1, "%s_ready", net);
}

static inline const char *bit_range(struct binding *b, const char *net, int64_t high, int64_t low)
{
    return arena_printf(b->a, "%s[%lld:%lld]", net, (long long)high, (long long)low);
}

// Data: a net of that width, 1 + wait cycles behind the address. The returned image is to be filled. b->loads: a store of the chain.
struct image *bind_rom(struct binding *b, const char *name, bool block, int64_t width, int64_t depth, const char *en, const char *addr, int wait,
                       const char *data);

// The port BIND_CODE as stream "bytes".
void bind_code_port(struct binding *b);
// Around all calls of bind_rom: the chain's first link, and its ends. Until the last store is full the net "go" is 0.
void bind_chain_begin(struct binding *b);
void bind_chain_end(struct binding *b);

// aihls_serial and its memories, for a pipeline that has p->serial.
void bind_serial(struct binding *b);

#endif

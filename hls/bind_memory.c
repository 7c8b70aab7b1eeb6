// SPDX-License-Identifier: Apache-2.0
// bind_memory: memories whose contents are images, and those whose contents come through a port.
#include <string.h>

#include "dataflow/cost.h"
#include "hls/bind_impl.h"

// Link k of the chain that the code passes.
static const char *chain_net(struct binding *b, int k, const char *wire)
{
    return arena_printf(b->a, "code%d_%s", k, wire);
}

static void add_chain_nets(struct binding *b, int k)
{
    netlist_net(b->n, 8, "%s", chain_net(b, k, "data"));
    netlist_net(b->n, 1, "%s", chain_net(b, k, "valid"));
}

// A memory with contents: those of `file`, or of the code.
static void rom_instance(struct binding *b, const char *name, const char *file, bool block, int64_t width, int64_t depth,
                         const char *en, const char *addr, const char *data)
{
    struct instance *i = netlist_add(b->n, b->loads ? "aihls_store" : "aihls_rom", name, NULL);
    instance_int(b->n, i, "WIDTH", width);
    instance_int(b->n, i, "DEPTH", depth);
    if (b->loads) {
        int k = b->n_stores++;
        add_chain_nets(b, k + 1);
        instance_port(b->n, i, "rst", "rst");
        instance_port(b->n, i, "s_code_data", chain_net(b, k, "data"));
        instance_port(b->n, i, "s_code_valid", chain_net(b, k, "valid"));
        instance_port(b->n, i, "m_code_data", chain_net(b, k + 1, "data"));
        instance_port(b->n, i, "m_code_valid", chain_net(b, k + 1, "valid"));
    } else {
        instance_text(b->n, i, "FILE", arena_printf(b->a, "\"%s\"", file));
    }
    instance_int(b->n, i, "BLOCK", block);
    instance_port(b->n, i, "clk", "clk");
    instance_port(b->n, i, "en", en);
    instance_port(b->n, i, "addr", addr);
    instance_port(b->n, i, "data", data);
}

// q is d of `cycles` before, of those in which `en` is.
static void late(struct binding *b, const char *name, int64_t width, int cycles, const char *en, const char *d, const char *q)
{
    struct instance *i = netlist_add(b->n, "aihls_delay", name, NULL);
    instance_int(b->n, i, "WIDTH", width);
    instance_int(b->n, i, "DELAY", cycles);
    instance_port(b->n, i, "clk", "clk");
    instance_port(b->n, i, "en", en);
    instance_port(b->n, i, "d", d);
    instance_port(b->n, i, "q", q);
}

// A ROM of banks, one behind the other: the address's high bits, as late as the words, choose.
static struct image *add_cut_rom(struct binding *b, const char *name, struct rom_cut cut, int64_t width, int64_t depth,
                                 const char *en, const char *addr, int wait, const char *data)
{
    const char *instance = arena_printf(b->a, "u_%s", name), *prefix = arena_printf(b->a, "mem/%s_%s_", b->p->name, name);
    int64_t low = address_bits(cut.words), all = address_bits(depth);
    const char *at = netlist_net(b->n, all, "%s_at", name), *read = netlist_net(b->n, cut.banks * width, "%s_read", name), *words = read;
    netlist_assign(b->n, at, addr);
    for (int64_t k = 0; k < cut.banks; k++) {
        int64_t left = min_i64(cut.words, depth - k * cut.words), bits = k < cut.banks - 1 ? cut.bits : cut.last_bits;
        for (int64_t from = 0; from < width; from += bits) {
            int64_t columns = min_i64(bits, width - from), lowest = k * width + from;
            rom_instance(b, arena_printf(b->a, "%s_%lld_%lld", instance, (long long)k, (long long)(from / bits)),
                         arena_printf(b->a, "%s%lld_%lld.hex", prefix, (long long)k, (long long)(from / bits)), true, columns, left, en,
                         bit_range(b, at, address_bits(left) - 1, 0), bit_range(b, read, lowest + columns - 1, lowest));
        }
    }
    if (wait) {
        words = netlist_net(b->n, cut.banks * width, "%s_words", name);
        late(b, arena_printf(b->a, "%s_wait", instance), cut.banks * width, wait, en, read, words);
    }
    if (cut.banks == 1) {
        netlist_assign(b->n, data, words);
    } else {
        const char *bank = netlist_net(b->n, all - low, "%s_bank", name);
        late(b, arena_printf(b->a, "%s_bank", instance), all - low, 1 + wait, en, bit_range(b, at, all - 1, low), bank);
        struct instance *i = netlist_add(b->n, "aihls_pick", arena_printf(b->a, "%s_pick", instance), NULL);
        instance_int(b->n, i, "WIDTH", width);
        instance_int(b->n, i, "N", cut.banks);
        instance_port(b->n, i, "data", words);
        instance_port(b->n, i, "sel", bank);
        instance_port(b->n, i, "out", data);
    }
    return netlist_cut_image(b->n, prefix, width, depth, cut, b->loads);
}

struct image *bind_rom(struct binding *b, const char *name, bool block, int64_t width, int64_t depth,
                       const char *en, const char *addr, int wait, const char *data)
{
    struct rom_cut cut = cost_rom_cut(b->p->board->tech, depth);
    if (block && cut.words)
        return add_cut_rom(b, name, cut, width, depth, en, addr, wait, data);
    const char *file = arena_printf(b->a, "mem/%s_%s.hex", b->p->name, name), *read = wait ? netlist_net(b->n, width, "%s_read", name) : data;
    rom_instance(b, arena_printf(b->a, "u_%s", name), file, block, width, depth, en, addr, read);
    if (wait)
        late(b, arena_printf(b->a, "u_%s_wait", name), width, wait, en, read, data);
    return netlist_image(b->n, file, width, depth, b->loads);
}

// ---- contents that come through a port ----

void bind_code_port(struct binding *b)
{
    struct netlist *n = b->n;
    stream_nets(b, "bytes", 1);
    struct instance *i = netlist_add(n, "aihls_port", "u_port_code", NULL);
    instance_int(n, i, "WIDTH", 8);
    instance_port(n, i, "rst", "rst");
    instance_stream(n, i, "s", BIND_CODE);
    instance_stream(n, i, "m", "bytes");
}

void bind_chain_begin(struct binding *b)
{
    netlist_net(b->n, 1, "go");
    bind_code_port(b);
    add_chain_nets(b, 0);
}

// The code of a chain of stores: their images one behind the other, which are no files then.
static void collect_code(struct binding *b)
{
    struct netlist *n = b->n;
    int64_t count = 0;
    for (int i = 0; i < n->n_images; i++)
        count += n->images[i].loaded ? n->images[i].depth_words * n->images[i].stride_bytes : 0;
    struct image *code = netlist_image(n, bind_code_file(b->p, b->a), 8, count, false);
    uint8_t *at = code->bytes;
    int kept = 0;
    for (int i = 0; i < n->n_images; i++) {
        const struct image im = n->images[i];
        if (im.loaded) {
            memcpy(at, im.bytes, (size_t)(im.depth_words * im.stride_bytes));
            at += im.depth_words * im.stride_bytes;
        } else {
            n->images[kept++] = im;
        }
    }
    n->n_images = kept;
}

void bind_chain_end(struct binding *b)
{
    struct netlist *n = b->n;
    int k = 0;
    for (int i = 0; i < n->n_instances; i++)
        if (strcmp(n->instances[i].module, "aihls_store") == 0)
            instance_port(n, &n->instances[i], "loaded", ++k == b->n_stores ? "go" : netlist_net(n, 1, "unused_loaded%d", k));
    netlist_assign(n, "bytes_ready", "!go");
    netlist_assign(n, chain_net(b, 0, "data"), "bytes_data");
    netlist_assign(n, chain_net(b, 0, "valid"), "bytes_valid && !go");
    netlist_assign(n, netlist_net(n, 9, "unused_code"), arena_printf(b->a, "{%s, %s}", chain_net(b, b->n_stores, "data"), chain_net(b, b->n_stores, "valid")));
    collect_code(b);
}

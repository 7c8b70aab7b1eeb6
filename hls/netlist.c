// SPDX-License-Identifier: Apache-2.0
#include "hls/netlist.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"

struct netlist *netlist_new(struct arena *a, const char *module)
{
    struct netlist *n = arena_new(a, struct netlist);
    n->arena = a;
    n->module = module;
    return n;
}

void netlist_port(struct netlist *n, const char *direction, const char *name, int64_t width_bits)
{
    struct port p = { name, direction, width_bits };
    arena_push(n->arena, n->ports, n->n_ports, n->cap_ports, p);
}

const char *netlist_net(struct netlist *n, int64_t width_bits, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct net w = { arena_vprintf(n->arena, fmt, ap), width_bits };
    va_end(ap);
    arena_push(n->arena, n->nets, n->n_nets, n->cap_nets, w);
    return w.name;
}

void netlist_assign(struct netlist *n, const char *left, const char *right)
{
    struct assignment a = { left, right };
    arena_push(n->arena, n->assigns, n->n_assigns, n->cap_assigns, a);
}

struct instance *netlist_add(struct netlist *n, const char *module, const char *name, const char *comment)
{
    struct instance i = { .module = module, .name = name, .comment = comment };
    arena_push(n->arena, n->instances, n->n_instances, n->cap_instances, i);
    return &n->instances[n->n_instances - 1];
}

void instance_int(struct netlist *n, struct instance *i, const char *param, int64_t value)
{
    struct param p = { param, NULL, value };
    arena_push(n->arena, i->params, i->n_params, i->cap_params, p);
}

void instance_text(struct netlist *n, struct instance *i, const char *param, const char *text)
{
    struct param p = { param, text, 0 };
    arena_push(n->arena, i->params, i->n_params, i->cap_params, p);
}

void instance_port(struct netlist *n, struct instance *i, const char *port, const char *expr)
{
    struct connection c = { port, expr };
    arena_push(n->arena, i->ports, i->n_ports, i->cap_ports, c);
}

void instance_stream(struct netlist *n, struct instance *i, const char *prefix, const char *net)
{
    static const char *const wires[] = { "data", "valid", "ready" };
    for (int k = 0; k < 3; k++)
        instance_port(n, i, arena_printf(n->arena, "%s_%s", prefix, wires[k]),
                      arena_printf(n->arena, "%s_%s", net, wires[k]));
}

struct image *netlist_image(struct netlist *n, const char *file, int64_t width_bits, int64_t depth_words, bool loaded)
{
    struct image im = { .file = file, .width_bits = width_bits, .depth_words = depth_words, .stride_bytes = ceil_div(width_bits, 8), .loaded = loaded };
    im.bytes = arena_alloc_n(n->arena, (size_t)depth_words, (size_t)im.stride_bytes);
    arena_push(n->arena, n->images, n->n_images, n->cap_images, im);
    return &n->images[n->n_images - 1];
}

struct image *netlist_cut_image(struct netlist *n, const char *prefix, int64_t width_bits, int64_t depth_words, struct rom_cut cut,
                                bool loaded)
{
    int first = n->n_images;
    for (int64_t k = 0; k < cut.banks; k++) {
        int64_t bits = k < cut.banks - 1 ? cut.bits : cut.last_bits;
        for (int64_t at = 0; at < width_bits; at += bits)
            netlist_image(n, arena_printf(n->arena, "%s%lld_%lld.hex", prefix, (long long)k, (long long)(at / bits)), min_i64(bits, width_bits - at),
                          min_i64(cut.words, depth_words - k * cut.words), loaded);
    }
    n->images[first].cut = cut;
    n->images[first].columns = ceil_div(width_bits, cut.bits);
    return &n->images[first];
}

static void set_bit(struct image *im, int64_t word, int64_t p, bool bit)
{
    if (im->cut.words) {
        int64_t bank = word / im->cut.words, bits = bank < im->cut.banks - 1 ? im->cut.bits : im->cut.last_bits;
        word %= im->cut.words;
        im += bank * im->columns + p / bits;
        p %= bits;
    }
    ASSERT(word < im->depth_words && p < im->width_bits);
    uint8_t *b = &im->bytes[word * im->stride_bytes + (p >> 3)], mask = (uint8_t)(1u << (p & 7));
    *b = (uint8_t)(bit ? *b | mask : *b & ~mask);
}

void image_set(struct image *im, int64_t word, int64_t at, int bits, int64_t value)
{
    ASSERT(bits <= 64);
    for (int i = 0; i < bits; i++)
        set_bit(im, word, at + i, ((uint64_t)value >> i) & 1);
}

static bool is_identifier(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_')
            return false;
    return true;
}

// True when expr reads or drives net `name`: as a whole word.
static bool mentions(const char *expr, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = expr; (at = strstr(at, name)); at++) {
        bool begins = at == expr || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && !isalnum((unsigned char)at[n]) && at[n] != '_')
            return true;
    }
    return false;
}

void netlist_verify(const struct netlist *n)
{
    ASSERT(is_identifier(n->module));
    for (int i = 0; i < n->n_nets; i++) {
        ASSERT(is_identifier(n->nets[i].name) && n->nets[i].width_bits > 0);
        for (int k = 0; k < i; k++)
            if (strcmp(n->nets[i].name, n->nets[k].name) == 0)
                BUG("net %s twice", n->nets[i].name);
        int uses = 0;
        for (int k = 0; k < n->n_instances; k++)
            for (int p = 0; p < n->instances[k].n_ports; p++)
                uses += mentions(n->instances[k].ports[p].expr, n->nets[i].name);
        for (int k = 0; k < n->n_assigns; k++)
            uses += mentions(n->assigns[k].left, n->nets[i].name) + mentions(n->assigns[k].right, n->nets[i].name);
        if (uses < 2 && strncmp(n->nets[i].name, "unused_", 7) != 0)
            BUG("net %s is connected at one end only", n->nets[i].name);
    }
    for (int i = 0; i < n->n_instances; i++) {
        ASSERT(is_identifier(n->instances[i].name) && is_identifier(n->instances[i].module));
        for (int k = 0; k < i; k++)
            if (strcmp(n->instances[i].name, n->instances[k].name) == 0)
                BUG("instance %s twice", n->instances[i].name);
    }
}

static void print_range(struct strbuf *out, int64_t width_bits)
{
    if (width_bits > 1)
        strbuf_addf(out, "[%lld:0] ", (long long)(width_bits - 1));
}

// A comment may hold whatever a model's author wrote: keep it on its line and plain.
static void print_comment(struct strbuf *out, const char *text)
{
    strbuf_adds(out, "\n    // ");
    for (; *text; text++)
        strbuf_addch(out, *text < ' ' || *text > '~' || *text == '\\' ? '?' : *text);
    strbuf_addch(out, '\n');
}

static void print_instance(struct strbuf *out, const struct instance *i)
{
    if (i->comment)
        print_comment(out, i->comment);
    strbuf_addf(out, "    %s ", i->module);
    for (int k = 0; k < i->n_params; k++) {
        const struct param *p = &i->params[k];
        strbuf_adds(out, k ? ",\n        " : "#(\n        ");
        if (p->text)
            strbuf_addf(out, ".%s(%s)", p->name, p->text);
        else
            strbuf_addf(out, ".%s(%lld)", p->name, (long long)p->value);
    }
    if (i->n_params)
        strbuf_adds(out, "\n    ) ");
    strbuf_addf(out, "%s (\n", i->name);
    for (int k = 0; k < i->n_ports; k++)
        strbuf_addf(out, "        .%s(%s)%s\n", i->ports[k].port, i->ports[k].expr, k + 1 < i->n_ports ? "," : "");
    strbuf_adds(out, "    );\n");
}

void netlist_print(const struct netlist *n, struct strbuf *out)
{
    strbuf_adds(out, "`default_nettype none\n\n");
    strbuf_addf(out, "module %s #(\n    parameter TECH = \"GENERIC\" // multiplier primitive of the target\n) (\n", n->module);
    for (int i = 0; i < n->n_ports; i++) {
        const struct port *p = &n->ports[i];
        strbuf_addf(out, "    %-6s wire ", p->direction);
        print_range(out, p->width_bits);
        strbuf_addf(out, "%s%s\n", p->name, i + 1 < n->n_ports ? "," : "");
    }
    strbuf_adds(out, ");\n");
    for (int i = 0; i < n->n_nets; i++) {
        strbuf_adds(out, "    wire ");
        print_range(out, n->nets[i].width_bits);
        strbuf_addf(out, "%s;\n", n->nets[i].name);
    }
    for (int i = 0; i < n->n_assigns; i++)
        strbuf_addf(out, "    assign %s = %s;\n", n->assigns[i].left, n->assigns[i].right);
    for (int i = 0; i < n->n_instances; i++)
        print_instance(out, &n->instances[i]);
    strbuf_adds(out, "endmodule\n\n`default_nettype wire\n");
}

void netlist_shape(const struct netlist *n, struct strbuf *out)
{
    for (int i = 0; i < n->n_ports; i++)
        strbuf_addf(out, "%s %s %lld\n", n->ports[i].direction, n->ports[i].name, (long long)n->ports[i].width_bits);
    for (int i = 0; i < n->n_nets; i++)
        strbuf_addf(out, "%s %lld\n", n->nets[i].name, (long long)n->nets[i].width_bits);
    for (int i = 0; i < n->n_assigns; i++)
        strbuf_addf(out, "%s = %s\n", n->assigns[i].left, n->assigns[i].right);
    for (int i = 0; i < n->n_instances; i++) {
        struct instance copy = n->instances[i];
        copy.comment = NULL;
        copy.params = arena_array(n->arena, struct param, copy.n_params);
        copy.n_params = 0;
        for (int k = 0; k < n->instances[i].n_params; k++)
            if (strcmp(n->instances[i].params[k].name, "FILE") != 0)
                copy.params[copy.n_params++] = n->instances[i].params[k];
        print_instance(out, &copy);
    }
    for (int i = 0; i < n->n_images; i++)
        if (&n->images[i] != n->code)
            image_print(&n->images[i], out);
}

void image_print(const struct image *im, struct strbuf *out)
{
    static const char digit[] = "0123456789abcdef";
    int64_t digits = ceil_div(im->width_bits, 4);
    for (int64_t w = 0; w < im->depth_words; w++) {
        const uint8_t *b = im->bytes + w * im->stride_bytes;
        for (int64_t d = digits - 1; d >= 0; d--)
            strbuf_addch(out, digit[(b[d / 2] >> (d % 2 * 4)) & 15]);
        strbuf_addch(out, '\n');
    }
}

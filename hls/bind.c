// SPDX-License-Identifier: Apache-2.0
#include "hls/bind.h"

#include <string.h>

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/reload.h"
#include "dataflow/serial.h"

#define SEARCH_ADDRS 29 // address bits of the levels of aihls_search

struct binding {
    const struct pipeline *p;
    struct netlist *n;
    struct arena *a;
    bool loads;   // memories are stores, in the order in which they are made
    int n_stores; // so far
};

static int64_t address_bits(int64_t depth)
{
    return depth <= 2 ? 1 : ceil_log2(depth);
}

const char *bind_stream_net(struct arena *a, int stream)
{
    return arena_printf(a, "x%02d", stream);
}

const char *bind_edge_net(const struct pipeline *p, struct arena *a, int edge)
{
    const struct edge *e = &p->edges[edge];
    return arena_printf(a, "e%02d%s", edge, e->lanes == p->streams[e->stream].lanes ? "" : "n");
}

const char *bind_stage_instance(const struct pipeline *p, struct arena *a, int stage)
{
    return arena_printf(a, "u_%s", p->stages[stage].name);
}

const char *bind_code_file(const struct pipeline *p, struct arena *a)
{
    return arena_printf(a, "mem/%s_code.hex", p->name);
}

static void clocked(struct binding *b, struct instance *i)
{
    instance_port(b->n, i, "clk", "clk");
    instance_port(b->n, i, "rst", "rst");
}

// Declares NET_data, NET_valid, NET_ready.
static void stream_nets(struct binding *b, const char *net, int64_t lanes)
{
    netlist_net(b->n, 8 * lanes, "%s_data", net);
    netlist_net(b->n, 1, "%s_valid", net);
    netlist_net(b->n, 1, "%s_ready", net);
}

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

static const char *bit_range(struct binding *b, const char *net, int64_t high, int64_t low)
{
    return arena_printf(b->a, "%s[%lld:%lld]", net, (long long)high, (long long)low);
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

// Data: a net of that width, 1 + wait cycles behind the address.
static struct image *add_rom(struct binding *b, const char *name, bool block, int64_t width, int64_t depth,
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

// An output that nothing reads; linters take the name as the statement that this is meant.
static void unused_output(struct binding *b, struct instance *i, const struct stage *s, const char *port, int64_t width_bits)
{
    instance_port(b->n, i, port, netlist_net(b->n, width_bits, "unused_%s_%s", s->name, port));
}

// ---- weights ----

// The weight that chain column c (row tap c / word, element c % word) multiplies at a step of a
// pass in lane l; 0 where the fold is wider than the layer.
static int weight_at(const struct stage *s, const struct fold_shape *x, int64_t pass, int64_t step, int64_t c, int64_t l)
{
    const struct window_geometry *g = &s->geo;
    const struct fold *f = &s->fold;
    if (s->kind == STAGE_DW) {
        int64_t channel = pass * f->word + l, row = step / g->kernel_w * f->rows_par + c;
        if (channel >= s->in_c)
            return 0;
        return s->weights[(channel * g->kernel_h + row) * g->kernel_w + step % g->kernel_w];
    }
    int64_t per_slice = s->out_c / x->slices, passes = x->passes / x->slices;
    int64_t in_slice = pass % passes * f->lanes + l, j = step % x->words;
    int64_t kx = step / x->words % g->kernel_w, row = step / x->words / g->kernel_w * f->rows_par + c / f->word;
    int64_t ci = j * f->word + c % f->word;
    if (in_slice >= per_slice || ci >= x->slice_c)
        return 0;
    int64_t m = pass / passes * per_slice + in_slice;
    return s->weights[((m * g->kernel_h + row) * g->kernel_w + kx) * x->slice_c + ci];
}

// One ROM per skew: columns k, k + seg_len, … are read k cycles after column 0.
static void bind_weights(struct binding *b, const struct stage *s)
{
    struct fold_shape x = fold_shape(s, &s->fold);
    int64_t lanes = s->kind == STAGE_CONV ? s->fold.lanes : s->fold.word, seg = s->fold.seg_len;
    int64_t column_bits = lanes * s->weight_bits, aw = address_bits(x.weight_words);
    const char *en = netlist_net(b->n, 1, "%s_w_en", s->name);
    const char *addr = netlist_net(b->n, seg * aw, "%s_w_addr", s->name);
    netlist_net(b->n, seg * x.segments * column_bits, "%s_w_data", s->name);
    struct strbuf all = STRBUF_INIT;
    for (int64_t k = 0; k < seg; k++) {
        int64_t columns = ceil_div(x.chain - k, seg);
        const char *name = arena_printf(b->a, "%s_w%lld", s->name, (long long)k);
        const char *q = netlist_net(b->n, columns * column_bits, "%s_q", name);
        const char *at = aw * seg == 1 ? addr : bit_range(b, addr, (k + 1) * aw - 1, k * aw);
        struct image *im = add_rom(b, name, s->fold.rom_block, columns * column_bits, x.weight_words, en, at,
                                   cost_weight_wait(s, &s->fold, b->p->board->tech), q);
        for (int64_t w = 0; w < x.weight_words; w++)
            for (int64_t i = 0; i < columns; i++)
                for (int64_t l = 0; l < lanes; l++)
                    image_set(im, w, (i * lanes + l) * s->weight_bits, s->weight_bits,
                              weight_at(s, &x, w / x.steps, w % x.steps, i * seg + k, l));
        struct strbuf piece = STRBUF_INIT;
        int64_t pad = (x.segments - columns) * column_bits;
        if (pad)
            strbuf_addf(&piece, "%lld'd0, ", (long long)pad);
        strbuf_addf(&piece, "%s%s%s", q, k ? ",\n        " : "", all.text);
        strbuf_clear(&all);
        strbuf_adds(&all, piece.text);
        strbuf_release(&piece);
    }
    netlist_assign(b->n, arena_printf(b->a, "%s_w_data", s->name), arena_printf(b->a, "{%s}", all.text));
    strbuf_release(&all);
}

// ---- requantization parameters ----

static int64_t param_bits(const struct requant *r)
{
    return r->shift_bits + r->mult_bits + r->bias_bits;
}

static void set_params(struct image *im, int64_t word, int64_t at, const struct requant *r, int64_t c)
{
    image_set(im, word, at, r->bias_bits, r->bias[c]);
    image_set(im, word, at + r->bias_bits, r->mult_bits, r->mult[c]);
    image_set(im, word, at + r->bias_bits + r->mult_bits, r->shift_bits, r->shift[c] - r->shift_min);
}

static bool has_param_memory(const struct stage *s)
{
    return s->rq.n > 1 || s->weight_reach;
}

static void bind_params(struct binding *b, const struct stage *s)
{
    const struct requant *r = &s->rq;
    struct fold_shape x = fold_shape(s, &s->fold);
    int64_t lane_bits = param_bits(r), lanes = r->by_pixel ? 1 : s->fold.rq_lanes;
    const char *data = netlist_net(b->n, lanes * lane_bits, "%s_p_data", s->name);
    if (!has_param_memory(s)) { // the same for every channel: constants
        struct image im = { .width_bits = lane_bits, .depth_words = 1, .stride_bytes = ceil_div(lane_bits, 8) };
        im.bytes = arena_alloc(b->a, (size_t)im.stride_bytes);
        struct strbuf bits = STRBUF_INIT;
        set_params(&im, 0, 0, r, 0);
        for (int64_t i = lane_bits - 1; i >= 0; i--)
            strbuf_addch(&bits, (char)('0' + ((im.bytes[i / 8] >> i % 8) & 1)));
        netlist_assign(b->n, data, arena_printf(b->a, "{%lld{%lld'b%s}}", (long long)lanes, (long long)lane_bits, bits.text));
        strbuf_release(&bits);
        return;
    }
    const char *en = netlist_net(b->n, 1, "%s_p_en", s->name);
    const char *addr = netlist_net(b->n, address_bits(x.params), "%s_p_addr", s->name);
    struct image *im = add_rom(b, arena_printf(b->a, "%s_p", s->name), s->fold.param_block, lanes * lane_bits, x.params, en, addr, 0, data);
    for (int64_t c = 0; c < r->n; c++)
        set_params(im, c / lanes, c % lanes * lane_bits, r, c);
}

// Beats of an output pixel, each with its parameters.
static int64_t param_words(const struct stage *s)
{
    return ceil_div(s->out_c, s->fold.rq_lanes);
}

static void requant_params(struct binding *b, struct instance *i, const struct stage *s)
{
    struct netlist *n = b->n;
    const struct requant *r = &s->rq;
    if (s->kind != STAGE_GAP) // there every input lane has its requantizer
        instance_int(n, i, "RQ_LANES", s->fold.rq_lanes);
    instance_int(n, i, "RQ_CYCLES", s->fold.rq_cycles);
    if (r->by_pixel)
        instance_int(n, i, "PARAM_PIXELS", 1);
    if (s->fold.rq_dsp) {
        instance_int(n, i, "RQ_DSP", 1);
        if (s->kind == STAGE_GAP || (s->kind == STAGE_DW && s->op != DW_MAC))
            instance_text(n, i, "TECH", "TECH");
    }
    instance_int(n, i, "MULT_W", r->mult_bits);
    instance_int(n, i, "BIAS_W", r->bias_bits);
    if (r->bias_frac)
        instance_int(n, i, "BIAS_FRAC", r->bias_frac);
    instance_int(n, i, "SHIFT_MIN", r->shift_min);
    instance_int(n, i, "SHIFT_W", r->shift_bits);
    instance_int(n, i, "ZERO_POINT", r->zero_point);
    instance_int(n, i, "CLAMP_LO", r->clamp_lo);
    instance_int(n, i, "CLAMP_HI", r->clamp_hi);
    if (has_param_memory(s)) {
        instance_port(n, i, "p_en", arena_printf(b->a, "%s_p_en", s->name));
        instance_port(n, i, "p_addr", arena_printf(b->a, "%s_p_addr", s->name));
    } else {
        unused_output(b, i, s, "p_en", 1);
        unused_output(b, i, s, "p_addr", address_bits(param_words(s)));
    }
    instance_port(n, i, "p_data", arena_printf(b->a, "%s_p_data", s->name));
}

// ---- stages ----

static struct instance *stage_unit(struct binding *b, const struct stage *s, const char *module)
{
    struct instance *i = netlist_add(b->n, module, bind_stage_instance(b->p, b->a, s->index),
                                     arena_printf(b->a, "%s: %s", s->name, s->nodes));
    clocked(b, i);
    return i;
}

static void geometry_params(struct binding *b, struct instance *i, const struct stage *s)
{
    const struct window_geometry *g = &s->geo;
    const struct { const char *name; int64_t value; } v[] = {
        { "IN_H", g->in_h }, { "IN_W", g->in_w }, { "IN_C", s->in_c }, { "OUT_H", g->out_h }, { "OUT_W", g->out_w },
        { "KERNEL_H", g->kernel_h }, { "KERNEL_W", g->kernel_w }, { "STRIDE_H", g->stride_h }, { "STRIDE_W", g->stride_w },
        { "DIL_H", g->dilation_h }, { "DIL_W", g->dilation_w }, { "PAD_TOP", g->pad_top }, { "PAD_LEFT", g->pad_left },
        { "PAD_VALUE", s->pad_value }, { "S_LANES", s->fold.in_lanes }, { "WORD", s->fold.word },
        { "ROWS_PAR", s->fold.rows_par }, { "RING_ROWS", s->fold.ring_rows }, { "BLOCK", s->fold.ring_block },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(b->n, i, v[k].name, v[k].value);
}

static void multiplier_params(struct binding *b, struct instance *i, const struct stage *s)
{
    instance_text(b->n, i, "TECH", "TECH");
    instance_int(b->n, i, "MUL_DSP", s->fold.use_dsp);
    instance_int(b->n, i, "SEG_LEN", s->fold.seg_len);
    instance_int(b->n, i, "WEIGHT_BITS", s->weight_bits);
    int wait = cost_weight_wait(s, &s->fold, b->p->board->tech);
    if (wait)
        instance_int(b->n, i, "W_WAIT", wait);
}

static void weight_ports(struct binding *b, struct instance *i, const struct stage *s)
{
    static const char *const ports[] = { "w_en", "w_addr", "w_data" };
    for (int k = 0; k < 3; k++)
        instance_port(b->n, i, ports[k], arena_printf(b->a, "%s_%s", s->name, ports[k]));
}

// What other weights replace.
static void bind_contents(struct binding *b, const struct stage *s)
{
    b->loads = s->weight_reach;
    if (s->weights)
        bind_weights(b, s);
    if (s->has_requant)
        bind_params(b, s);
    b->loads = false;
}

static void bind_conv(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    bind_contents(b, s);
    struct instance *i = stage_unit(b, s, "aihls_conv");
    geometry_params(b, i, s);
    multiplier_params(b, i, s);
    instance_int(b->n, i, "OUT_C", s->out_c);
    instance_int(b->n, i, "GROUPS", s->geo.group);
    instance_int(b->n, i, "LANES", s->fold.lanes);
    instance_int(b->n, i, "PACK", s->fold.pack);
    instance_int(b->n, i, "LANE_SHIFT", cost_lane_shift(s, b->p->board->tech));
    instance_int(b->n, i, "ACC_W", s->acc_bits);
    requant_params(b, i, s);
    weight_ports(b, i, s);
    instance_stream(b->n, i, "s_act", in);
    instance_stream(b->n, i, "m_act", out);
}

// A port that this form of the stage does not read.
static void tie_to_zero(struct binding *b, struct instance *i, const char *port, int64_t width_bits)
{
    instance_port(b->n, i, port, arena_printf(b->a, "%lld'd0", (long long)width_bits));
}

// A maximum needs no requantizer, and sums have a search instead.
static void no_requant_params(struct binding *b, struct instance *i, const struct stage *s)
{
    static const char *const widths[] = { "SHIFT_W", "MULT_W", "BIAS_W" };
    for (int k = 0; k < 3; k++)
        instance_int(b->n, i, widths[k], 1);
    if (s->kind != STAGE_GAP)
        instance_int(b->n, i, "RQ_LANES", s->fold.rq_lanes);
    unused_output(b, i, s, "p_en", 1);
    unused_output(b, i, s, "p_addr", address_bits(param_words(s)));
    tie_to_zero(b, i, "p_data", 3 * s->fold.rq_lanes);
}

// Connects unit i of s, which gives sums, to net `out`, which has what the thresholds make of them.
static void bind_search(struct binding *b, const struct stage *s, struct instance *i, const char *out)
{
    int64_t lanes = s->fold.rq_lanes, bits = s->acc_bits, at = 0;
    const char *sum = arena_printf(b->a, "%s_sum", s->name), *en = netlist_net(b->n, 1, "%s_t_en", s->name);
    const char *addr = netlist_net(b->n, lanes * SEARCH_ADDRS, "%s_t_addr", s->name), *data = netlist_net(b->n, lanes * 8 * bits, "%s_t_data", s->name);
    struct strbuf all = STRBUF_INIT;
    netlist_net(b->n, lanes * bits, "%s_data", sum);
    netlist_net(b->n, 1, "%s_valid", sum);
    netlist_net(b->n, 1, "%s_ready", sum);
    instance_stream(b->n, i, "m_act", sum);
    for (int64_t l = 0; l < lanes; l++)
        for (int64_t level = 0; level < 8; level++) {
            int64_t width = max_i64(1, level), words = (int64_t)1 << level;
            const char *name = arena_printf(b->a, "%s_t%lld_%lld", s->name, (long long)l, (long long)level), *q = netlist_net(b->n, bits, "%s_q", name);
            const char *slice = width == 1 ? arena_printf(b->a, "%s[%lld]", addr, (long long)at)
                                           : bit_range(b, addr, at + width - 1, at);
            struct image *im = add_rom(b, name, false, bits, words, en, slice, 0, q);
            for (int64_t k = 0; k < words; k++)
                image_set(im, k, 0, (int)bits, s->thresholds[(2 * k + 1) * (128 >> level)]);
            const char *lower = arena_strdup(b->a, all.text);
            strbuf_clear(&all);
            strbuf_addf(&all, "%s%s%s", q, lower[0] ? ", " : "", lower);
            at += width;
        }
    netlist_assign(b->n, data, arena_printf(b->a, "{%s}", all.text));
    strbuf_release(&all);
    struct instance *u = netlist_add(b->n, "aihls_search", arena_printf(b->a, "u_%s_search", s->name), NULL);
    clocked(b, u);
    instance_int(b->n, u, "LANES", lanes);
    instance_int(b->n, u, "CHANNELS", s->out_c);
    instance_int(b->n, u, "SUM_W", bits);
    instance_port(b->n, u, "t_en", en);
    instance_port(b->n, u, "t_addr", addr);
    instance_port(b->n, u, "t_data", data);
    instance_stream(b->n, u, "s_sum", sum);
    instance_stream(b->n, u, "m_act", out);
}

static void finish_unit(struct binding *b, const struct stage *s, struct instance *i, const char *out)
{
    if (s->thresholds)
        bind_search(b, s, i, out);
    else
        instance_stream(b->n, i, "m_act", out);
}

static void bind_dw(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    static const char *const ops[] = { "\"MAC\"", "\"SUM\"", "\"MAX\"", "\"ABS\"", "\"SQR\"" };
    const struct fold *f = &s->fold;
    bind_contents(b, s);
    struct instance *i = stage_unit(b, s, "aihls_dw");
    instance_text(b->n, i, "OP", ops[s->op]);
    geometry_params(b, i, s);
    if (s->op == DW_MAC) {
        multiplier_params(b, i, s);
        instance_int(b->n, i, "PACK", f->pack);
        instance_int(b->n, i, "LANE_SHIFT", cost_lane_shift(s, b->p->board->tech));
        weight_ports(b, i, s);
    } else {
        instance_int(b->n, i, "SEG_LEN", f->seg_len);
        instance_int(b->n, i, "WEIGHT_BITS", 1);
        unused_output(b, i, s, "w_en", 1);
        unused_output(b, i, s, "w_addr", f->seg_len * address_bits(fold_shape(s, f).weight_words));
        tie_to_zero(b, i, "w_data", f->seg_len * fold_shape(s, f).segments * f->word);
    }
    instance_int(b->n, i, "ACC_W", s->op == DW_MAX ? 8 : s->acc_bits);
    if (s->has_requant)
        requant_params(b, i, s);
    else
        no_requant_params(b, i, s);
    instance_stream(b->n, i, "s_act", in);
    finish_unit(b, s, i, out);
}

static void bind_gap(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    if (s->has_requant)
        bind_params(b, s);
    struct instance *i = stage_unit(b, s, "aihls_gap");
    instance_int(b->n, i, "IN_H", s->geo.in_h);
    instance_int(b->n, i, "IN_W", s->geo.in_w);
    instance_int(b->n, i, "IN_C", s->in_c);
    instance_int(b->n, i, "POOL_H", s->geo.kernel_h);
    instance_int(b->n, i, "POOL_W", s->geo.kernel_w);
    instance_int(b->n, i, "S_LANES", s->fold.in_lanes);
    instance_int(b->n, i, "ACC_W", s->op == DW_MAX ? 8 : s->acc_bits);
    if (!b->p->board->tech->ram_words)
        instance_int(b->n, i, "LUT_RAM", 0);
    if (s->has_requant) {
        requant_params(b, i, s);
    } else {
        instance_text(b->n, i, "OP", s->op == DW_MAX ? "\"MAX\"" : s->op == DW_ABS ? "\"ABS\"" : "\"SQR\"");
        no_requant_params(b, i, s);
    }
    if (s->thresholds)
        instance_int(b->n, i, "X_ZERO", s->pad_value);
    instance_stream(b->n, i, "s_act", in);
    finish_unit(b, s, i, out);
}

static void bind_add(struct binding *b, const struct stage *s, const char *in, const char *in_b, const char *out)
{
    struct instance *i = stage_unit(b, s, "aihls_add");
    const struct { const char *name; int64_t value; } v[] = {
        { "LANES", s->fold.in_lanes }, { "CHANNELS", s->in_c }, { "A_ZP", s->a_zp }, { "B_ZP", s->b_zp }, { "A_MULT", s->a_mult }, { "B_MULT", s->b_mult },
        { "SHIFT", s->add_shift }, { "ZERO_POINT", s->rq.zero_point }, { "CLAMP_LO", s->rq.clamp_lo }, { "CLAMP_HI", s->rq.clamp_hi },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(b->n, i, v[k].name, v[k].value);
    instance_stream(b->n, i, "s_a", in);
    instance_stream(b->n, i, "s_b", in_b);
    instance_stream(b->n, i, "m_act", out);
}

// A table for each channel: lane l's memory has those of channels l, lanes + l, …
static void bind_channel_tables(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    int64_t lanes = s->fold.in_lanes, beats = ceil_div(s->in_c, lanes), bits = 8 + ceil_log2(beats);
    const char *en = netlist_net(b->n, 1, "%s_t_en", s->name), *addr = netlist_net(b->n, lanes * bits, "%s_t_addr", s->name);
    const char *data = netlist_net(b->n, 8 * lanes, "%s_t_data", s->name);
    struct strbuf all = STRBUF_INIT;
    for (int64_t l = 0; l < lanes; l++) {
        const char *name = arena_printf(b->a, "%s_t%lld", s->name, (long long)l), *q = netlist_net(b->n, 8, "%s_q", name);
        const char *at = bit_range(b, addr, (l + 1) * bits - 1, l * bits);
        struct image *im = add_rom(b, name, true, 8, 256 * beats, en, at, 0, q);
        for (int64_t c = l; c < s->in_c; c += lanes)
            for (int64_t k = 0; k < 256; k++)
                image_set(im, c / lanes * 256 + k, 0, 8, s->table[c * 256 + k]);
        struct strbuf piece = STRBUF_INIT;
        strbuf_addf(&piece, "%s%s%s", q, l ? ", " : "", all.text);
        strbuf_clear(&all);
        strbuf_adds(&all, piece.text);
        strbuf_release(&piece);
    }
    netlist_assign(b->n, data, arena_printf(b->a, "{%s}", all.text));
    strbuf_release(&all);
    struct instance *i = stage_unit(b, s, "aihls_ctable");
    instance_int(b->n, i, "LANES", lanes);
    instance_int(b->n, i, "CHANNELS", s->in_c);
    instance_port(b->n, i, "t_en", en);
    instance_port(b->n, i, "t_addr", addr);
    instance_port(b->n, i, "t_data", data);
    instance_stream(b->n, i, "s_act", in);
    instance_stream(b->n, i, "m_act", out);
}

static void bind_table(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    if (s->n_tables > 1) {
        bind_channel_tables(b, s, in, out);
        return;
    }
    const char *file = arena_printf(b->a, "mem/%s_%s.hex", b->p->name, s->name);
    struct image *im = netlist_image(b->n, file, 8, 256, false);
    for (int k = 0; k < 256; k++)
        image_set(im, k, 0, 8, s->table[k]);
    struct instance *i = stage_unit(b, s, "aihls_table");
    instance_int(b->n, i, "LANES", s->fold.in_lanes);
    instance_int(b->n, i, "CHANNELS", s->in_c);
    instance_text(b->n, i, "FILE", arena_printf(b->a, "\"%s\"", file));
    instance_stream(b->n, i, "s_act", in);
    instance_stream(b->n, i, "m_act", out);
}

static void bind_mul(struct binding *b, const struct stage *s, const char *in, const char *in_b, const char *out)
{
    struct instance *i = stage_unit(b, s, "aihls_mul");
    const struct { const char *name; int64_t value; } v[] = {
        { "LANES", s->fold.in_lanes }, { "CHANNELS", s->in_c }, { "A_ZP", s->a_zp }, { "B_ZP", s->b_zp }, { "MULT", s->a_mult },
        { "SHIFT", s->add_shift }, { "ZERO_POINT", s->rq.zero_point }, { "CLAMP_LO", s->rq.clamp_lo }, { "CLAMP_HI", s->rq.clamp_hi },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(b->n, i, v[k].name, v[k].value);
    instance_stream(b->n, i, "s_a", in);
    instance_stream(b->n, i, "s_b", in_b);
    instance_stream(b->n, i, "m_act", out);
}

// One of the three maps of a gather, with its ROM; entry k of `at` every `step` elements, in words. Returns the image.
static struct image *gather_map(struct binding *b, const struct stage *s, char axis, const int32_t *at, int64_t n, int64_t step,
                                int64_t map_bits, int64_t more_bits)
{
    const char *name = arena_printf(b->a, "%s_%c", s->name, axis), *en = arena_printf(b->a, axis == 'y' ? "%s_y_en" : "%s_map_en", s->name);
    const char *addr = netlist_net(b->n, address_bits(n), "%s_addr", name);
    const char *data = netlist_net(b->n, map_bits + 1 + more_bits, "%s_data", name);
    struct image *im = add_rom(b, name, n > 64, map_bits + 1 + more_bits, n, en, addr, 0, data);
    for (int64_t k = 0; k < n; k++) {
        bool fill = at[k * step] == GATHER_FILL;
        image_set(im, k, 0, (int)map_bits, fill ? 0 : at[k * step] / s->fold.word);
        image_set(im, k, map_bits, 1, fill);
    }
    return im;
}

static void bind_gather(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    const struct gather *g = &s->gather;
    int64_t word = s->fold.word, in_words = g->in_count / word;
    int64_t map_bits = address_bits(in_words), count_bits = ceil_log2(in_words + 1), need, free_words;
    netlist_net(b->n, 1, "%s_y_en", s->name);
    netlist_net(b->n, 1, "%s_map_en", s->name);
    struct image *y = gather_map(b, s, 'y', g->y_at, g->out_h, 1, map_bits, 2 * count_bits);
    for (int64_t k = 0; k < g->out_h; k++) {
        gather_row(s, (int)word, k, &need, &free_words);
        image_set(y, k, map_bits + 1, (int)count_bits, need);
        image_set(y, k, map_bits + 1 + count_bits, (int)count_bits, free_words);
    }
    gather_map(b, s, 'x', g->x_at, g->out_w, 1, map_bits, 0);
    gather_map(b, s, 'c', g->c_at, s->out_c / word, word, map_bits, 0);
    struct instance *i = stage_unit(b, s, "aihls_gather");
    const struct { const char *name; int64_t value; } v[] = {
        { "LANES", word }, { "IN_WORDS", in_words }, { "RING_WORDS", cost_gather_ring(s, &s->fold, b->p->board->tech) }, { "OUT_Y", g->out_h },
        { "OUT_X", g->out_w }, { "OUT_W", s->out_c / word }, { "FILL", g->fill }, { "BLOCK", s->fold.ring_block },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(b->n, i, v[k].name, v[k].value);
    static const char *const ports[] = { "y_en", "y_addr", "y_data", "map_en", "x_addr", "x_data", "c_addr", "c_data" };
    for (size_t k = 0; k < sizeof ports / sizeof *ports; k++)
        instance_port(b->n, i, ports[k], arena_printf(b->a, "%s_%s", s->name, ports[k]));
    instance_stream(b->n, i, "s_act", in);
    instance_stream(b->n, i, "m_act", out);
}

static void bind_concat(struct binding *b, const struct stage *s, const char *in, const char *in_b, const char *out)
{
    struct instance *i = stage_unit(b, s, "aihls_concat");
    instance_int(b->n, i, "LANES", s->fold.in_lanes);
    instance_int(b->n, i, "A_BEATS", s->piece[0] / s->fold.in_lanes);
    instance_int(b->n, i, "B_BEATS", s->piece[1] / s->fold.in_lanes);
    instance_stream(b->n, i, "s_a", in);
    instance_stream(b->n, i, "s_b", in_b);
    instance_stream(b->n, i, "m_act", out);
}

static void bind_argmax(struct binding *b, const struct stage *s, const char *in, const char *out)
{
    struct instance *i = stage_unit(b, s, "aihls_argmax");
    instance_int(b->n, i, "LANES", s->fold.in_lanes);
    instance_int(b->n, i, "CHANNELS", s->in_c);
    instance_int(b->n, i, "OFFSET", 128);
    instance_int(b->n, i, "LAST", s->select_last);
    instance_stream(b->n, i, "s_act", in);
    instance_stream(b->n, i, "m_act", out);
}

static void bind_stage(struct binding *b, const struct stage *s, const char *const *edge_net)
{
    const char *in = edge_net[s->in_edge[0]], *out = bind_stream_net(b->a, s->out_stream);
    switch (s->kind) {
    case STAGE_CONV: bind_conv(b, s, in, out); break;
    case STAGE_DW: bind_dw(b, s, in, out); break;
    case STAGE_GAP: bind_gap(b, s, in, out); break;
    case STAGE_ADD: bind_add(b, s, in, edge_net[s->in_edge[1]], out); break;
    case STAGE_MUL: bind_mul(b, s, in, edge_net[s->in_edge[1]], out); break;
    case STAGE_TABLE: bind_table(b, s, in, out); break;
    case STAGE_GATHER: bind_gather(b, s, in, out); break;
    case STAGE_CONCAT: bind_concat(b, s, in, edge_net[s->in_edge[1]], out); break;
    case STAGE_ARGMAX: bind_argmax(b, s, in, out); break;
    case STAGE_KIND_COUNT: BUG("no stage kind");
    }
}

// ---- streams ----

// The FIFO of edge e between net `from` and the net that its reader sees, which is returned.
static const char *bind_edge(struct binding *b, const struct edge *e, const char *from)
{
    struct netlist *n = b->n;
    const struct stream *s = &b->p->streams[e->stream];
    const char *out = e->consumer < 0 ? b->p->outputs[e->port].name : arena_printf(b->a, "e%02d", e->index);
    if (e->consumer >= 0)
        stream_nets(b, out, s->lanes);
    struct instance *i = netlist_add(n, "aihls_fifo", arena_printf(b->a, "u_fifo_e%02d", e->index), NULL);
    instance_int(n, i, "WIDTH", 8 * s->lanes);
    instance_int(n, i, "DEPTH", e->depth_words);
    instance_int(n, i, "BLOCK", e->block);
    clocked(b, i);
    instance_port(n, i, "stall", b->p->n_edges == 1 ? "stall" : arena_printf(b->a, "stall[%d]", e->index));
    instance_stream(n, i, "s", from);
    instance_stream(n, i, "m", out);
    if (e->lanes == s->lanes)
        return out;
    const char *narrow = bind_edge_net(b->p, b->a, e->index);
    stream_nets(b, narrow, e->lanes);
    bool wider = e->lanes > s->lanes;
    i = netlist_add(n, wider ? "aihls_widen" : "aihls_narrow", arena_printf(b->a, "u_%s_e%02d", wider ? "widen" : "narrow", e->index), NULL);
    instance_int(n, i, "S_LANES", s->lanes);
    instance_int(n, i, "M_LANES", e->lanes);
    if (!wider)
        instance_int(n, i, "CHANNELS", s->c);
    clocked(b, i);
    instance_stream(n, i, "s_act", out);
    instance_stream(n, i, "m_act", narrow);
    return narrow;
}

static void bind_stream(struct binding *b, const struct stream *s, const char **edge_net)
{
    struct netlist *n = b->n;
    const char *x = bind_stream_net(b->a, s->index);
    int readers = stream_edge_count(b->p, s->index), k = 0;
    struct strbuf data = STRBUF_INIT, valid = STRBUF_INIT, ready = STRBUF_INIT;
    stream_nets(b, x, s->lanes);
    for (int e = 0; e < b->p->n_edges; e++) {
        if (b->p->edges[e].stream != s->index)
            continue;
        const char *from = x;
        if (readers > 1) {
            from = arena_printf(b->a, "%sf%d", x, k++);
            stream_nets(b, from, s->lanes);
            const char *rest = k > 1 ? ", " : "";
            // concatenations list the highest part first
            struct strbuf *all[] = { &data, &valid, &ready };
            static const char *const wire[] = { "data", "valid", "ready" };
            for (int w = 0; w < 3; w++) {
                char *old = arena_strdup(b->a, all[w]->text);
                strbuf_clear(all[w]);
                strbuf_addf(all[w], "%s_%s%s%s", from, wire[w], rest, old);
            }
        }
        edge_net[e] = bind_edge(b, &b->p->edges[e], from);
    }
    if (readers > 1) {
        struct instance *i = netlist_add(n, "aihls_fork", arena_printf(b->a, "u_fork_%s", x), NULL);
        instance_int(n, i, "WIDTH", 8 * s->lanes);
        instance_int(n, i, "N", readers);
        clocked(b, i);
        instance_stream(n, i, "s", x);
        instance_port(n, i, "m_data", arena_printf(b->a, "{%s}", data.text));
        instance_port(n, i, "m_valid", arena_printf(b->a, "{%s}", valid.text));
        instance_port(n, i, "m_ready", arena_printf(b->a, "{%s}", ready.text));
    }
    strbuf_release(&data);
    strbuf_release(&valid);
    strbuf_release(&ready);
}

// The core's own ports of a stream; `forward` is the direction of data and valid.
static void stream_ports(struct binding *b, const char *name, int64_t lanes, const char *forward, const char *backward)
{
    netlist_port(b->n, forward, arena_printf(b->a, "%s_data", name), 8 * lanes);
    netlist_port(b->n, forward, arena_printf(b->a, "%s_valid", name), 1);
    netlist_port(b->n, backward, arena_printf(b->a, "%s_ready", name), 1);
}

static void host_ports(struct binding *b, const struct host_port *p, const char *forward, const char *backward)
{
    stream_ports(b, p->name, b->p->streams[p->stream].lanes, forward, backward);
}

// Streams that wait, for the shell's stall counters.
static void bind_watch(struct binding *b)
{
    struct strbuf all = STRBUF_INIT;
    for (int i = b->p->n_streams - 1; i >= 0; i--) {
        const char *x = bind_stream_net(b->a, i);
        strbuf_addf(&all, "%s_ready && !%s_valid, %s_valid && !%s_ready%s", x, x, x, x, i ? ",\n        " : "");
    }
    netlist_assign(b->n, "watch", arena_printf(b->a, "{%s}", all.text));
    strbuf_release(&all);
}

// ---- contents that come through a port ----

static void bind_code_port(struct binding *b)
{
    struct netlist *n = b->n;
    stream_nets(b, "bytes", 1);
    struct instance *i = netlist_add(n, "aihls_port", "u_port_code", NULL);
    instance_int(n, i, "WIDTH", 8);
    instance_port(n, i, "rst", "rst");
    instance_stream(n, i, "s", BIND_CODE);
    instance_stream(n, i, "m", "bytes");
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

// The ends of the chain. Until the last store is full the inputs take nothing.
static void bind_chain(struct binding *b)
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

// ---- one unit for all stages ----

// Wires of several ports side by side, the first in the lowest bits.
static const char *side_by_side(struct binding *b, int n, const char *(*net)(struct binding *b, int i), const char *wire)
{
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = arena_printf(b->a, "%s_%s%s%s", net(b, i), wire, i ? ", " : "", all);
    return n > 1 ? arena_printf(b->a, "{%s}", all) : all;
}

static const char *input_net(struct binding *b, int i)
{
    return bind_stream_net(b->a, b->p->inputs[i].stream);
}

static const char *output_net(struct binding *b, int i)
{
    return b->p->outputs[i].name;
}

// The code's memory: a ROM, or one that the stream `code` fills.
static void bind_code(struct binding *b)
{
    const struct serial *s = b->p->serial;
    struct netlist *n = b->n;
    struct image *code = s->loaded ? netlist_image(n, bind_code_file(b->p, b->a), 8, s->n_code, false)
                                   : add_rom(b, "code", true, 8, s->n_code, "k_en", "k_addr", 0, "k_data");
    for (int64_t i = 0; i < s->n_code; i++)
        image_set(code, i, 0, 8, s->code[i]);
    if (!s->loaded) {
        netlist_assign(n, "go", "1'b1");
        return;
    }
    bind_code_port(b);
    struct instance *i = netlist_add(n, "aihls_code", "u_code", NULL);
    clocked(b, i);
    instance_int(n, i, "DEPTH", s->n_code);
    instance_int(n, i, "HUGE", s->code_huge);
    instance_stream(n, i, "s_code", "bytes");
    instance_port(n, i, "loaded", "go");
    instance_port(n, i, "en", "k_en");
    instance_port(n, i, "addr", "k_addr");
    instance_port(n, i, "data", "k_data");
}

static void bind_serial(struct binding *b)
{
    const struct pipeline *p = b->p;
    const struct serial *s = p->serial;
    struct netlist *n = b->n;
    netlist_net(n, 1, "k_en");
    netlist_net(n, s->code_bits, "k_addr");
    netlist_net(n, 8, "k_data");
    netlist_net(n, s->index_bits, "stage");
    netlist_net(n, 1, "running");
    netlist_net(n, 1, "store");
    netlist_net(n, 8, "stored");
    netlist_net(n, 8, "sent");
    netlist_net(n, 1, "go");
    bind_code(b);
    struct instance *u = netlist_add(n, "aihls_serial", "u_serial", NULL);
    clocked(b, u);
    instance_text(n, u, "TECH", "TECH");
    const struct { const char *name; int64_t value; } v[] = {
        { "MUL_DSP", s->use_dsp }, { "INPUTS", p->n_inputs }, { "OUTPUTS", p->n_outputs }, { "DEPTH", s->bytes }, { "HUGE", s->huge },
        { "ADDR_W", s->addr_bits }, { "CODE_W", s->code_bits }, { "COUNT_W", s->count_bits }, { "POS_W", s->pos_bits }, { "INDEX_W", s->index_bits },
        { "SUM_W", s->sum_bits }, { "MULT_W", s->mult_bits }, { "SHIFT_W", s->shift_bits },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(n, u, v[k].name, v[k].value);
    static const char *const wires[] = { "data", "valid", "ready" };
    for (int k = 0; k < 3; k++)
        instance_port(n, u, arena_printf(b->a, "s_act_%s", wires[k]), side_by_side(b, p->n_inputs, input_net, wires[k]));
    instance_port(n, u, "m_act_data", "sent");
    for (int k = 1; k < 3; k++)
        instance_port(n, u, arena_printf(b->a, "m_act_%s", wires[k]), side_by_side(b, p->n_outputs, output_net, wires[k]));
    for (int i = 0; i < p->n_outputs; i++)
        netlist_assign(n, arena_printf(b->a, "%s_data", output_net(b, i)), "sent");
    static const char *const own[][2] = { { "go", "go" }, { "k_en", "k_en" }, { "k_addr", "k_addr" }, { "k_data", "k_data" }, { "index", "stage" },
                                          { "running", "running" }, { "store", "store" }, { "stored", "stored" } };
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        instance_port(n, u, own[k][0], own[k][1]);
    for (int i = 0; i < p->n_stages; i++) {
        struct instance *t = netlist_add(n, "aihls_tap", bind_stage_instance(p, b->a, i), arena_printf(b->a, "%s: %s", p->stages[i].name, p->stages[i].nodes));
        instance_int(n, t, "INDEX", i);
        instance_int(n, t, "INDEX_W", s->index_bits);
        for (size_t k = 4; k < sizeof own / sizeof *own; k++) // from `index` on
            instance_port(n, t, own[k][0], own[k][1]);
        instance_stream(n, t, "m_act", bind_stream_net(b->a, p->stages[i].out_stream));
    }
    // nothing but a simulation reads what the taps show
    const char *all = "";
    for (int i = 0; i < p->n_stages; i++)
        all = arena_printf(b->a, "%s%s%s_data", all, i ? ", " : "", bind_stream_net(b->a, p->stages[i].out_stream));
    netlist_assign(n, netlist_net(n, 8 * p->n_stages, "unused_taps"), arena_printf(b->a, "{%s}", all));
    netlist_assign(n, netlist_net(n, p->n_edges, "unused_stall"), "stall"); // there are no FIFOs to hold
}

struct netlist *bind_pipeline(const struct pipeline *p, struct arena *a)
{
    struct netlist *n = netlist_new(a, arena_printf(a, "%s_core", p->name));
    struct binding b = { .p = p, .n = n, .a = a };
    netlist_port(n, "input", "clk", 1);
    netlist_port(n, "input", "rst", 1);
    for (int i = 0; i < p->n_inputs; i++)
        host_ports(&b, &p->inputs[i], "input", "output");
    if (pipeline_loads(p))
        stream_ports(&b, BIND_CODE, 1, "input", "output");
    for (int i = 0; i < p->n_outputs; i++)
        host_ports(&b, &p->outputs[i], "output", "input");
    netlist_port(n, "input", "stall", p->n_edges);
    netlist_port(n, "output", "watch", 2 * p->n_streams);
    const char **edge_net = arena_array(a, const char *, p->n_edges);
    bool chain = p->reloadable && !p->serial;
    if (chain) {
        netlist_net(n, 1, "go");
        bind_code_port(&b);
        add_chain_nets(&b, 0);
    }
    for (int i = 0; i < p->n_streams; i++)
        if (p->serial)
            stream_nets(&b, bind_stream_net(a, i), 1);
        else
            bind_stream(&b, &p->streams[i], edge_net);
    for (int i = 0; i < p->n_inputs; i++) {
        const struct stream *s = &p->streams[p->inputs[i].stream];
        struct instance *u = netlist_add(n, "aihls_port", arena_printf(a, "u_port_%s", p->inputs[i].name), NULL);
        instance_int(n, u, "WIDTH", 8 * s->lanes);
        instance_port(n, u, "rst", chain ? "rst || !go" : "rst");
        instance_port(n, u, "s_data", arena_printf(a, "%s_data", p->inputs[i].name));
        instance_port(n, u, "s_valid", arena_printf(a, chain ? "%s_valid && go" : "%s_valid", p->inputs[i].name));
        instance_port(n, u, "s_ready", arena_printf(a, "%s_ready", p->inputs[i].name));
        instance_stream(n, u, "m", bind_stream_net(a, s->index));
    }
    bind_watch(&b);
    if (p->serial)
        bind_serial(&b);
    for (int i = 0; !p->serial && i < p->n_stages; i++)
        bind_stage(&b, &p->stages[i], edge_net);
    if (chain)
        bind_chain(&b);
    for (int i = 0; pipeline_loads(p) && i < n->n_images; i++)
        if (strcmp(n->images[i].file, bind_code_file(p, a)) == 0)
            n->code = &n->images[i];
    netlist_verify(n);
    return n;
}

// SPDX-License-Identifier: Apache-2.0
#include "hls/bind_impl.h"

#include <string.h>

#include "dataflow/cost.h"
#include "dataflow/reload.h"

#define SEARCH_ADDRS 29 // address bits of the levels of aihls_search

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
        struct image *im = bind_rom(b, name, s->fold.rom_block, columns * column_bits, x.weight_words, en, at,
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
    struct image *im = bind_rom(b, arena_printf(b->a, "%s_p", s->name), s->fold.param_block, lanes * lane_bits, x.params, en, addr, 0, data);
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
            struct image *im = bind_rom(b, name, false, bits, words, en, slice, 0, q);
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
        struct image *im = bind_rom(b, name, true, 8, 256 * beats, en, at, 0, q);
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
    struct image *im = bind_rom(b, name, n > 64, map_bits + 1 + more_bits, n, en, addr, 0, data);
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
    if (chain)
        bind_chain_begin(&b);
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
        bind_chain_end(&b);
    for (int i = 0; pipeline_loads(p) && i < n->n_images; i++)
        if (strcmp(n->images[i].file, bind_code_file(p, a)) == 0)
            n->code = &n->images[i];
    netlist_verify(n);
    return n;
}

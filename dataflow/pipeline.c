// SPDX-License-Identifier: Apache-2.0
#include "dataflow/pipeline.h"

#include <string.h>

#include "base/check.h"

static const char *const kind_names[STAGE_KIND_COUNT] = { "conv", "dw", "gap", "add", "mul", "table", "gather", "concat",
                                                         "argmax" };

const char *stage_kind_name(enum stage_kind k)
{
    return kind_names[k];
}

struct stage *pipeline_add_stage(struct pipeline *p, enum stage_kind kind, const char *nodes,
                                 const char *where)
{
    struct stage s = { .kind = kind, .index = p->n_stages, .nodes = nodes, .where = where };
    const char *label = kind_names[kind];
    s.name = arena_printf(p->arena, "s%02d_%s", p->n_stages, label);
    s.out_stream = -1;
    s.in_edge[0] = s.in_edge[1] = -1;
    arena_push(p->arena, p->stages, p->n_stages, p->cap_stages, s);
    return &p->stages[p->n_stages - 1];
}

struct stream *pipeline_add_stream(struct pipeline *p, const char *tensor, int producer, int64_t h,
                                   int64_t w, int64_t c)
{
    struct stream s = { .index = p->n_streams, .tensor = tensor, .producer = producer, .h = h,
                        .w = w, .c = c, .lanes = 1, .scale = 1.0 };
    s.name = arena_printf(p->arena, "x%02d", p->n_streams);
    arena_push(p->arena, p->streams, p->n_streams, p->cap_streams, s);
    if (producer >= 0)
        p->stages[producer].out_stream = p->n_streams - 1;
    return &p->streams[p->n_streams - 1];
}

int pipeline_connect(struct pipeline *p, int s, int consumer, int port)
{
    struct edge e = { .index = p->n_edges, .stream = s, .consumer = consumer, .port = port,
                      .lanes = 1 };
    arena_push(p->arena, p->edges, p->n_edges, p->cap_edges, e);
    if (consumer >= 0)
        p->stages[consumer].in_edge[port] = e.index;
    return e.index;
}

int stream_edge_count(const struct pipeline *p, int s)
{
    int n = 0;
    for (int i = 0; i < p->n_edges; i++)
        n += p->edges[i].stream == s;
    return n;
}

int64_t stream_beats(const struct stream *s, int lanes)
{
    return s->h * s->w * ceil_div(s->c, lanes);
}

const struct stream *stage_in(const struct pipeline *p, const struct stage *s, int port)
{
    return &p->streams[p->edges[s->in_edge[port]].stream];
}

// The least and the greatest entry of a map, the constants left out. False when there is nothing else.
static bool map_range(const int32_t *at, int64_t n, int64_t *lo, int64_t *hi)
{
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (int64_t i = 0; i < n; i++)
        if (at[i] != GATHER_FILL) {
            *lo = min_i64(*lo, at[i]);
            *hi = max_i64(*hi, at[i]);
        }
    return *hi >= *lo;
}

void gather_row(const struct stage *s, int word, int64_t y, int64_t *need, int64_t *free_words)
{
    const struct gather *g = &s->gather;
    int64_t x_lo, x_hi, c_lo, c_hi, least = g->in_count, most = -1;
    bool some = map_range(g->x_at, g->out_w, &x_lo, &x_hi) & map_range(g->c_at, s->out_c, &c_lo, &c_hi);
    if (some && g->y_at[y] != GATHER_FILL)
        most = g->y_at[y] + x_hi + c_hi;
    for (int64_t k = y + 1; some && k < g->out_h; k++)
        if (g->y_at[k] != GATHER_FILL)
            least = min_i64(least, g->y_at[k] + x_lo + c_lo);
    *need = most < 0 ? 0 : most / word + 1;
    *free_words = least / word;
}

int64_t gather_ring_words(const struct stage *s, int word)
{
    const struct gather *g = &s->gather;
    int64_t in_words = g->in_count / word, ring = 2, held = 0, need, freed, next, unused;
    for (int64_t y = 0; y < g->out_h; y++) {
        gather_row(s, word, y, &need, &freed);
        // while row y is read, and with it all from `held` on is kept, what the row behind it needs arrives
        if (y + 1 < g->out_h)
            gather_row(s, word, y + 1, &next, &unused);
        else
            gather_row(s, word, 0, &next, &unused);
        int64_t ahead = y + 1 < g->out_h ? max_i64(next, need) : in_words + next;
        ring = max_i64(ring, ahead - held);
        held = freed;
    }
    return ring;
}

static void verify_thresholds(const struct stage *s)
{
    ASSERT(s->op == DW_ABS || s->op == DW_SQUARE);
    ASSERT(!s->has_requant && s->thresholds[0] == 0);
    for (int k = 1; k < 256; k++)
        ASSERT(s->thresholds[k] >= s->thresholds[k - 1] && s->thresholds[k] <= (int64_t)1 << (s->acc_bits - 1));
}

static void verify_requant(const struct requant *r)
{
    ASSERT(r->n >= 1 && r->mult_bits >= 1 && r->mult_bits <= 24);
    ASSERT(r->clamp_lo <= r->clamp_hi && r->clamp_lo >= -128 && r->clamp_hi <= 127);
    for (int i = 0; i < r->n; i++) {
        ASSERT(r->shift[i] >= r->shift_min && r->shift[i] < r->shift_min + (1 << r->shift_bits));
        ASSERT(r->mult[i] >= 0 && (int64_t)r->mult[i] < (int64_t)1 << r->mult_bits);
        ASSERT(signed_bits(r->bias[i], r->bias[i]) <= r->bias_bits);
    }
}

// Every stream of the host is one input's, and every output has an edge of its own.
static void verify_ports(const struct pipeline *p)
{
    int from_host = 0, to_host = 0;
    ASSERT(p->n_inputs >= 1 && p->n_outputs == p->graph->n_outputs);
    for (int i = 0; i < p->n_inputs; i++) {
        const struct host_port *x = &p->inputs[i];
        ASSERT(x->name && x->tensor && x->logical && p->streams[x->stream].producer < 0);
        ASSERT(x->model < p->graph->n_inputs && (i == 0 || p->inputs[i - 1].model < x->model));
    }
    for (int i = 0; i < p->n_outputs; i++)
        ASSERT(p->outputs[i].name && p->outputs[i].tensor && p->outputs[i].logical && p->outputs[i].model == i);
    for (int i = 0; i < p->n_streams; i++)
        from_host += p->streams[i].producer < 0;
    for (int i = 0; i < p->n_edges; i++) {
        const struct edge *e = &p->edges[i];
        ASSERT(e->consumer >= 0 || e->stream == p->outputs[e->port].stream);
        to_host += e->consumer < 0;
    }
    ASSERT(from_host == p->n_inputs && to_host == p->n_outputs);
}

void pipeline_verify(const struct pipeline *p)
{
    verify_ports(p);
    for (int i = 0; i < p->n_streams; i++) {
        const struct stream *s = &p->streams[i];
        ASSERT(s->index == i && s->h > 0 && s->w > 0 && s->c > 0 && s->lanes >= 1 && (s->producer >= 0 || s->logical));
        ASSERT(stream_edge_count(p, i) >= 1);
        ASSERT(s->producer < p->n_stages);
        ASSERT(s->producer < 0 || p->stages[s->producer].out_stream == i);
    }
    for (int i = 0; i < p->n_edges; i++) {
        const struct edge *e = &p->edges[i];
        ASSERT(e->index == i && e->stream >= 0 && e->stream < p->n_streams);
        ASSERT(e->consumer < 0 || p->stages[e->consumer].in_edge[e->port] == i);
        const struct stream *x = &p->streams[e->stream];
        ASSERT(x->lanes % e->lanes == 0 || (e->lanes % x->lanes == 0 && x->c % e->lanes == 0));
        // topological: a stream is produced before it is read
        ASSERT(e->consumer < 0 || p->streams[e->stream].producer < e->consumer);
    }
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        ASSERT(s->index == i && s->out_stream >= 0 && s->n_in >= 1 && s->n_in <= 2);
        ASSERT((s->kind == STAGE_ADD || s->kind == STAGE_MUL || s->kind == STAGE_CONCAT) == (s->n_in == 2));
        if (s->has_requant)
            verify_requant(&s->rq);
        if (s->thresholds)
            verify_thresholds(s);
    }
}

static uint64_t fnv1a(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

double pipeline_frames_per_s(const struct pipeline *p, int64_t cycles)
{
    return (double)p->clock_hz / (double)cycles / p->runs;
}

int64_t pipeline_slowest_cycles(const struct pipeline *p)
{
    int64_t cycles = 1;
    for (int i = 0; i < p->n_stages; i++)
        cycles = max_i64(cycles, p->stages[i].cost.cycles);
    return cycles;
}

int64_t stage_weight_count(const struct stage *s)
{
    int64_t taps = s->geo.kernel_h * s->geo.kernel_w;
    return s->weights ? s->out_c * taps * (s->kind == STAGE_CONV ? s->in_c / s->geo.group : 1) : 0;
}

static uint64_t gather_hash(const struct stage *s)
{
    const struct gather *g = &s->gather;
    return fnv1a(g->y_at, (size_t)g->out_h * 4) ^ fnv1a(g->x_at, (size_t)g->out_w * 4) * 3 ^ fnv1a(g->c_at, (size_t)s->out_c * 4) * 5;
}

static void dump_stage(const struct stage *s, struct strbuf *out)
{
    const struct window_geometry *g = &s->geo;
    const struct fold *f = &s->fold;
    strbuf_addf(out, "stage %s kind %s edges %d %d out x%02d macs %lld channels %lld -> %lld\n",
                s->name, kind_names[s->kind], s->in_edge[0], s->in_edge[1], s->out_stream,
                (long long)s->macs, (long long)s->in_c, (long long)s->out_c);
    if (s->kind == STAGE_CONV || s->kind == STAGE_DW || s->kind == STAGE_GAP)
        strbuf_addf(out,
                    "  image %lldx%lld -> %lldx%lld kernel %lldx%lld stride %lldx%lld dilation "
                    "%lldx%lld pad %lld,%lld group %lld pad_value %d op %d\n",
                    (long long)g->in_h, (long long)g->in_w, (long long)g->out_h,
                    (long long)g->out_w, (long long)g->kernel_h, (long long)g->kernel_w,
                    (long long)g->stride_h, (long long)g->stride_w, (long long)g->dilation_h,
                    (long long)g->dilation_w, (long long)g->pad_top, (long long)g->pad_left,
                    (long long)g->group, s->pad_value, (int)s->op);
    if (s->weights)
        strbuf_addf(out, "  weights %lld x %d bits hash %016llx acc_bits %d\n", (long long)stage_weight_count(s),
                    s->weight_bits,
                    (unsigned long long)fnv1a(s->weights, 2 * (size_t)stage_weight_count(s)), s->acc_bits);
    if (s->has_requant)
        strbuf_addf(out, "  requant n %d mult_bits %d shift %d+%d zp %d clamp %d..%d\n", s->rq.n,
                    s->rq.mult_bits, s->rq.shift_min, s->rq.shift_bits, s->rq.zero_point,
                    s->rq.clamp_lo, s->rq.clamp_hi);
    if (s->thresholds)
        strbuf_addf(out, "  thresholds hash %016llx acc_bits %d\n", (unsigned long long)fnv1a(s->thresholds, 256 * sizeof *s->thresholds), s->acc_bits);
    if (s->kind == STAGE_ADD)
        strbuf_addf(out, "  add a (%d, %d) b (%d, %d) shift %d\n", s->a_zp, s->a_mult, s->b_zp,
                    s->b_mult, s->add_shift);
    if (s->kind == STAGE_MUL)
        strbuf_addf(out, "  mul zero points %d %d mult %d shift %d\n", s->a_zp, s->b_zp, s->a_mult, s->add_shift);
    if (s->kind == STAGE_TABLE)
        strbuf_addf(out, "  tables %lld hash %016llx\n", (long long)s->n_tables,
                    (unsigned long long)fnv1a(s->table, 256 * (size_t)s->n_tables));
    if (s->kind == STAGE_GATHER)
        strbuf_addf(out, "  gather %lldx%lld of %lld elements fill %d grain %d maps %016llx\n", (long long)s->gather.out_h,
                    (long long)s->gather.out_w, (long long)s->gather.in_count, s->gather.fill, s->gather.grain,
                    (unsigned long long)gather_hash(s));
    if (s->kind == STAGE_CONCAT)
        strbuf_addf(out, "  pieces %lld %lld\n", (long long)s->piece[0], (long long)s->piece[1]);
    if (s->kind == STAGE_ARGMAX)
        strbuf_addf(out, "  of %lldx%lld pixels, the %s of equals\n", (long long)g->in_h, (long long)g->in_w, s->select_last ? "last" : "first");
    strbuf_addf(out,
                "  fold lanes %d word %d rows_par %d %s pack %d seg %d rq %d/%d %s ring_rows %d "
                "in_lanes %d\n",
                f->lanes, f->word, f->rows_par, f->use_dsp ? "dsp" : "lut", f->pack, f->seg_len,
                f->rq_lanes, f->rq_cycles, f->rq_dsp ? "dsp" : "lut", f->ring_rows, f->in_lanes);
    strbuf_addf(out, "  cost cycles %lld dsp %lld bram18 %lld lut %lld ff %lld\n",
                (long long)s->cost.cycles, (long long)s->cost.dsp, (long long)s->cost.bram18,
                (long long)s->cost.lut, (long long)s->cost.ff);
}

void pipeline_dump(const struct pipeline *p, struct strbuf *out)
{
    strbuf_addf(out, "pipeline %s interval %lld latency %lld\n", p->name,
                (long long)p->interval_cycles, (long long)p->latency_cycles);
    for (int i = 0; i < p->n_streams; i++) {
        const struct stream *s = &p->streams[i];
        strbuf_addf(out, "stream %s tensor '%s' producer %d shape %lldx%lldx%lld lanes %d scale %.9g zp %d\n",
                    s->name, s->tensor, s->producer, (long long)s->h, (long long)s->w,
                    (long long)s->c, s->lanes, s->scale, s->zero_point);
    }
    for (int i = 0; i < p->n_edges; i++) {
        const struct edge *e = &p->edges[i];
        strbuf_addf(out, "edge %d x%02d -> %d:%d lanes %d depth %lld %s\n", i, e->stream,
                    e->consumer, e->port, e->lanes, (long long)e->depth_words,
                    e->block ? "block" : "lut");
    }
    for (int i = 0; i < p->n_stages; i++)
        dump_stage(&p->stages[i], out);
}

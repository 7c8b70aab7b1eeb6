// SPDX-License-Identifier: Apache-2.0
#include "sim/ref_int.h"

#include <string.h>

#include "base/check.h"
#include "drivers/aihls_stages.h"
#include "sim/host.h"
#include "sim/ref_float.h"

// Below this a stage is done before a second thread is awake.
#define PARALLEL_MACS 1000000

int64_t rne_shift(int64_t v, int shift)
{
    return aihls_rne_shift(v, shift);
}

static struct aihls_requant describe_requant(const struct requant *r)
{
    return (struct aihls_requant){ .n = r->n, .by_pixel = r->by_pixel, .bias = r->bias, .mult = r->mult, .shift = r->shift,
                                   .zero_point = r->zero_point, .clamp_lo = r->clamp_lo, .clamp_hi = r->clamp_hi,
                                   .bias_frac = r->bias_frac };
}

int requantize(const struct requant *r, int64_t acc, int64_t c)
{
    struct aihls_requant q = describe_requant(r);
    return aihls_requantize(&q, acc, (int32_t)c);
}

#define FUNCTION(name) (struct named_function){ name, #name }
struct named_function {
    aihls_stage_function *run;
    const char *name;
};

// exempt from the length limit: one line for each kind
static struct named_function stage_function(const struct stage *s)
{
    switch (s->kind) {
    case STAGE_CONV: return FUNCTION(aihls_stage_conv);
    case STAGE_DW:
        switch (s->op) {
        case DW_MAC: return FUNCTION(aihls_stage_dw_mac);
        case DW_SUM: return FUNCTION(aihls_stage_dw_sum);
        case DW_MAX: return FUNCTION(aihls_stage_dw_max);
        case DW_ABS:
        case DW_SQUARE: return FUNCTION(aihls_stage_dw_norm);
        }
        break;
    case STAGE_GAP:
        if (s->thresholds)
            return FUNCTION(aihls_stage_gap_norm);
        return s->op == DW_MAX ? FUNCTION(aihls_stage_gap_max) : FUNCTION(aihls_stage_gap);
    case STAGE_ADD: return FUNCTION(aihls_stage_add);
    case STAGE_MUL: return FUNCTION(aihls_stage_mul);
    case STAGE_TABLE: return FUNCTION(aihls_stage_table);
    case STAGE_GATHER: return FUNCTION(aihls_stage_gather);
    case STAGE_CONCAT: return FUNCTION(aihls_stage_concat);
    case STAGE_ARGMAX: return FUNCTION(aihls_stage_argmax);
    case STAGE_KIND_COUNT: break;
    }
    BUG("stage %s has no function in drivers/aihls_stages.h", s->name);
}

const char *ref_int_function(const struct stage *s)
{
    return stage_function(s).name;
}

struct aihls_stage ref_int_describe(const struct pipeline *p, const struct stage *s)
{
    const struct window_geometry *g = &s->geo;
    const struct stream *in = stage_in(p, s, 0), *out = &p->streams[s->out_stream];
    bool window = s->kind == STAGE_CONV || s->kind == STAGE_DW || s->kind == STAGE_GAP;
    struct aihls_stage r = { .run = stage_function(s).run, .n_in = s->n_in, .out = s->out_stream,
                             .in_h = (int32_t)in->h, .in_w = (int32_t)in->w, .in_c = (int32_t)in->c,
                             .out_h = (int32_t)out->h, .out_w = (int32_t)out->w, .out_c = (int32_t)out->c,
                             .weights = s->weights, .a_zp = s->a_zp, .b_zp = s->b_zp, .a_mult = s->a_mult, .b_mult = s->b_mult,
                             .add_shift = s->add_shift, .table = s->table, .n_tables = (int32_t)s->n_tables, .y_at = s->gather.y_at, .x_at = s->gather.x_at,
                             .c_at = s->gather.c_at, .piece = { (int32_t)s->piece[0], (int32_t)s->piece[1] },
                             .pad_value = s->gather.fill, .rq = describe_requant(&s->rq) };
    for (int k = 0; k < s->n_in; k++)
        r.in[k] = stage_in(p, s, k)->index;
    r.rq.n = s->has_requant ? s->rq.n : 0;
    _Static_assert(AIHLS_FILL == GATHER_FILL, "one mark for both");
    if (s->kind == STAGE_ARGMAX) { // pixels of a reshaped stream have other channels than the stream
        r.in_c = (int32_t)s->in_c;
        r.select_last = s->select_last;
    }
    if (!window)
        return r;
    // the window's own view of its image: a kernel of one row may be turned, a matrix product is a column of pixels
    r.in_h = (int32_t)g->in_h, r.in_w = (int32_t)g->in_w, r.in_c = (int32_t)s->in_c;
    r.out_h = (int32_t)g->out_h, r.out_w = (int32_t)g->out_w, r.out_c = (int32_t)s->out_c;
    r.kernel_h = (int32_t)g->kernel_h, r.kernel_w = (int32_t)g->kernel_w;
    r.stride_h = (int32_t)g->stride_h, r.stride_w = (int32_t)g->stride_w;
    r.dilation_h = (int32_t)g->dilation_h, r.dilation_w = (int32_t)g->dilation_w;
    r.pad_top = (int32_t)g->pad_top, r.pad_left = (int32_t)g->pad_left;
    r.group = (int32_t)g->group;
    r.pad_value = s->pad_value;
    r.thresholds = s->thresholds;
    r.power = s->op == DW_SQUARE ? 2 : s->op == DW_ABS ? 1 : 0;
    return r;
}

static void run_stage(const struct pipeline *p, const struct stage *s, int8_t **streams)
{
    struct aihls_stage r = ref_int_describe(p, s);
    const int8_t *in[2] = { streams[r.in[0]], streams[r.in[1]] };
#pragma omp parallel for schedule(dynamic, 1) if (s->macs > PARALLEL_MACS)
    for (int32_t y = 0; y < r.out_h; y++)
        r.run(&r, in, streams[r.out], y, y + 1);
}

void ref_int_frame(const struct pipeline *p, struct arena *a, int8_t **streams)
{
    for (int i = 0; i < p->n_stages; i++) {
        const struct stream *out = &p->streams[p->stages[i].out_stream];
        streams[out->index] = arena_alloc(a, (size_t)(out->h * out->w * out->c));
        run_stage(p, &p->stages[i], streams);
    }
}

// ---- the borders ----

// Tensors of the graph of which some are known, by index.
struct border {
    const struct ctx *cx;
    const struct graph *g;
    struct arena *a;
    struct array *values;
    bool *known, *wanted;
};

static struct border border_new(const struct ctx *cx, const struct graph *g, struct arena *a)
{
    return (struct border){ cx, g, a, arena_array(a, struct array, g->n_tensors), arena_array(a, bool, g->n_tensors),
                            arena_array(a, bool, g->n_tensors) };
}

static void border_know(struct border *b, const struct tensor *t, struct array value)
{
    b->values[t->index] = value;
    b->known[t->index] = true;
}

// What a node reads, NULL for an operand that it leaves out.
static const struct array *border_operand(struct border *b, const struct tensor *t)
{
    if (!t || !t->data)
        return t ? &b->values[t->index] : NULL;
    struct array *c = arena_new(b->a, struct array);
    c->dtype = t->dtype;
    c->rank = t->rank;
    memcpy(c->dims, t->dims, sizeof c->dims);
    c->data = (void *)(uintptr_t)t->data;
    return c;
}

static bool border_node(struct border *b, const struct node *n)
{
    const struct array **in = arena_array(b->a, const struct array *, n->n_in + 1);
    struct array *out = arena_array(b->a, struct array, n->n_out);
    for (int k = 0; k < n->n_in; k++)
        in[k] = border_operand(b, n->in[k]);
    if (!ref_float_node(b->cx, b->g, n, b->a, in, out))
        return false;
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k])
            border_know(b, n->out[k], out[k]);
    return true;
}

// Computes every wanted tensor from known ones: the nodes between them and no others.
static bool border_run(struct border *b)
{
    const struct graph *g = b->g;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct tensor *y = g->nodes[i]->out[0];
        for (int k = 0; b->wanted[y->index] && !b->known[y->index] && k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k])
                b->wanted[g->nodes[i]->in[k]->index] = true;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const struct tensor *y = g->nodes[i]->out[0];
        if (b->wanted[y->index] && !b->known[y->index] && !border_node(b, g->nodes[i]))
            return false;
    }
    return true;
}

static bool core_in(const struct ctx *cx, const struct pipeline *p, struct arena *a, const struct array *frame, int8_t **streams)
{
    struct border b = border_new(cx, p->graph, a);
    for (int i = 0; i < p->graph->n_inputs; i++)
        border_know(&b, p->graph->inputs[i], frame[i]);
    for (int i = 0; i < p->n_inputs; i++)
        b.wanted[p->inputs[i].tensor->index] = true;
    if (!border_run(&b))
        return false;
    for (int i = 0; i < p->n_inputs; i++) {
        const struct host_port *port = &p->inputs[i];
        const uint8_t *x = b.values[port->tensor->index].data;
        int64_t n = tensor_count(port->tensor);
        int8_t *to = streams[port->stream] = arena_alloc(a, (size_t)n);
        ASSERT(b.known[port->tensor->index]);
        for (int64_t k = 0; k < n; k++)
            to[k] = (int8_t)(x[port->logical[k]] ^ (port->flip ? 0x80 : 0));
    }
    return true;
}

static bool core_out(const struct ctx *cx, const struct pipeline *p, struct arena *a, int8_t *const *streams, struct array *results)
{
    struct border b = border_new(cx, p->graph, a);
    for (int i = 0; i < p->n_outputs; i++) {
        const struct host_port *port = &p->outputs[i];
        struct array y = array_new(a, port->tensor->dtype, port->tensor->rank, port->tensor->dims);
        uint8_t *q = y.data;
        for (int64_t k = 0; k < tensor_count(port->tensor); k++)
            q[port->logical[k]] = (uint8_t)(streams[port->stream][k] ^ (port->flip ? 0x80 : 0));
        border_know(&b, port->tensor, y);
        b.wanted[p->graph->outputs[i]->index] = true;
    }
    if (!border_run(&b))
        return false;
    for (int i = 0; i < p->n_outputs; i++)
        results[i] = b.values[p->graph->outputs[i]->index];
    return true;
}

// ---- with a partition ----

static struct array value_array(const struct host_program *host, int32_t i, void *memory)
{
    const struct aihls_host_value *v = &host->host.values[i];
    struct array x = { .dtype = (enum dtype)v->type, .rank = v->rank, .data = aihls_host_data(&host->host, i, memory) };
    for (int k = 0; k < v->rank; k++)
        x.dims[k] = v->dims[k];
    return x;
}

// The streams of the core's inputs after pass `pass` of the host: zeros where they are not known yet.
static bool feed_core(const struct ctx *cx, const struct pipeline *p, struct arena *a, int pass, void *memory, int8_t **streams)
{
    const struct aihls_host *h = &p->host->host;
    const struct graph *core = p->graph;
    struct array *in = arena_array(a, struct array, core->n_inputs);
    for (int i = 0; i < core->n_inputs; i++)
        in[i] = value_array(p->host, h->core_inputs[i].value, memory);
    if (!core_in(cx, p, a, in, streams))
        return false;
    for (int i = 0; i < p->n_inputs; i++)
        if (h->core_inputs[p->inputs[i].model].pass > pass)
            memset(streams[p->inputs[i].stream], 0, (size_t)tensor_count(p->inputs[i].tensor));
    return true;
}

// What the core's run number `run` gives to the host, and what the host makes of it.
static bool take_core(const struct ctx *cx, const struct pipeline *p, struct arena *a, int run, int8_t *const *streams, void *memory)
{
    const struct aihls_host *h = &p->host->host;
    struct array *out = arena_array(a, struct array, p->graph->n_outputs);
    if (!core_out(cx, p, a, streams, out))
        return false;
    for (int i = 0; i < p->n_outputs; i++) {
        const struct aihls_host_port *port = &h->core_outputs[i];
        if (port->pass == run)
            memcpy(aihls_host_data(h, port->value, memory), out[i].data, (size_t)array_count(&out[i]) * dtype_bytes(out[i].dtype));
    }
    aihls_host_run(h, run, memory);
    return true;
}

bool border_in(const struct ctx *cx, const struct pipeline *p, struct arena *a, const struct array *frame, int8_t **streams, void **memory)
{
    *memory = NULL;
    if (!p->host)
        return core_in(cx, p, a, frame, streams);
    const struct aihls_host *h = &p->host->host;
    *memory = arena_alloc(a, (size_t)h->bytes);
    for (int i = 0; i < h->n_inputs; i++)
        memcpy(aihls_host_data(h, h->input_values[i], *memory), frame[i].data, (size_t)array_count(&frame[i]) * dtype_bytes(frame[i].dtype));
    aihls_host_run(h, 0, *memory);
    bool ok = feed_core(cx, p, a, 0, *memory, streams);
    for (int run = 1; ok && run < h->n_passes; run++) {
        ref_int_frame(p, a, streams);
        ok = take_core(cx, p, a, run, streams, *memory) && feed_core(cx, p, a, run, *memory, streams);
    }
    return ok;
}

bool border_out(const struct ctx *cx, const struct pipeline *p, struct arena *a, int8_t *const *streams, void *memory, struct array *results)
{
    if (!p->host)
        return core_out(cx, p, a, streams, results);
    const struct aihls_host *h = &p->host->host;
    if (!take_core(cx, p, a, h->n_passes, streams, memory))
        return false;
    for (int i = 0; i < h->n_outputs; i++)
        results[i] = value_array(p->host, h->output_values[i], memory);
    return true;
}

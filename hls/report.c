// SPDX-License-Identifier: Apache-2.0
#include "hls/report.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "dataflow/cost.h"
#include "dataflow/reload.h"
#include "hls/precision.h"
#include "hls/quant_error.h"
#include "hls/shell.h"

static json_t *integer(int64_t v)
{
    return json_integer((json_int_t)v);
}

static json_t *text(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_string("?"); // not UTF-8
}

// To a hundredth: sums of floats may differ in their last digits from machine to machine.
static json_t *rounded(double v)
{
    return json_real(round(v * 100) / 100);
}

// ---- the model's nodes ----

// The node whose name stands at the beginning of `list`, the longest one; NULL when there is none.
static const struct node *node_at(const struct graph *g, const char *list, size_t *length)
{
    const struct node *best = NULL;
    *length = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const char *name = g->nodes[i]->name;
        size_t n = strlen(name);
        if (n > *length && strncmp(list, name, n) == 0 && (list[n] == 0 || list[n] == ' ' || strncmp(list + n, ", ", 2) == 0)) {
            best = g->nodes[i];
            *length = n;
        }
    }
    return best;
}

static json_t *node_report(const char *name, const char *op, const char *part)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", text(name));
    json_object_set_new(o, "op", text(op));
    if (*part) // of an operator that takes several stages
        json_object_set_new(o, "part", text(part));
    return o;
}

// `list` is what stage.nodes holds: names, or operators where the model has none, each perhaps with a part behind it.
static json_t *nodes_report(const struct graph *g, struct arena *a, const char *list)
{
    json_t *nodes = json_array();
    while (*list) {
        size_t length;
        const struct node *n = node_at(g, list, &length);
        const char *end = strstr(list + length, ", "), *item = end ? arena_strndup(a, list, (size_t)(end - list)) : list;
        enum op op;
        if (n)
            json_array_append_new(nodes, node_report(n->name, op_info(n->op)->name, item + length + strspn(item + length, " ")));
        else // a node without name, or a step that is no node's own
            json_array_append_new(nodes, node_report(item, op_parse("", item, &op) ? item : "", ""));
        list += strlen(item) + (end ? 2 : 0);
    }
    return nodes;
}

// ---- the host's part ----

static const char *host_why(const struct node *n, bool in_front)
{
    switch ((int)n->op) {
    case OP_QuantizeLinear:
        return in_front ? "the hardware takes 8-bit integers, the model has real numbers here" : "the model wants integers of what the host computed";
    case OP_DequantizeLinear:
        return in_front ? "the host computes with real numbers behind it" : "the hardware gives 8-bit integers, the model has real numbers here";
    case OP_Softmax:
    case OP_LogSoftmax: return "exponentials and a division by their sum, once a frame: no stage computes in floating point";
    case OP_ArgMax: return "not over the channels of pixels, the one form that hardware has";
    case OP_Cast: return "changes the type of elements, and all streams carry 8-bit integers";
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Identity:
    case OP_Transpose: return "only an order of elements, free where the host sends or takes them";
    default: return op_info(n->op)->note;
    }
}

// Appends the nodes from tensor `from` to `to`; border operators have one operand that is not constant, their first.
static void side_report(json_t *host, const char *port, bool in_front, const struct tensor *from, const struct tensor *to)
{
    size_t at = json_array_size(host);
    for (const struct tensor *t = to; t != from && t->producer; t = t->producer->in[0]) {
        const struct node *n = t->producer;
        json_t *o = node_report(n->name, op_info(n->op)->name, "");
        json_object_set_new(o, "port", text(port));
        json_object_set_new(o, "side", text(in_front ? "in front" : "behind"));
        json_object_set_new(o, "why", text(host_why(n, in_front)));
        json_array_insert_new(host, at, o);
    }
}

// The operators that the host computes for a partition, in their order.
static void partition_nodes(json_t *host, const struct partition *part)
{
    for (int pass = 0; pass <= part->n_passes; pass++)
        for (int i = 0; i < part->whole->n_nodes; i++) {
            const struct node *n = part->whole->nodes[i];
            const struct placement *p = &part->places[i];
            if (!partition_on_host(part, n) || p->pass != pass)
                continue;
            json_t *o = node_report(n->name, op_info(n->op)->name, "");
            json_object_set_new(o, "port", text("-"));
            json_object_set_new(o, "side", text(part->core->n_nodes == 0 ? "alone" : pass == 0 ? "in front" : pass == part->n_passes ? "behind" : "between"));
            json_object_set_new(o, "why", text(p->reason));
            json_object_set_new(o, "code", p->why < DIAG_CODE_COUNT ? text(diag_code_name(p->why)) : json_null());
            json_array_append_new(host, o);
        }
}

static json_t *partition_report(const struct partition *part)
{
    return json_pack("{s:i, s:i, s:i, s:I, s:I}", "runs", part->n_passes, "nodes", part->whole->n_nodes, "host_nodes", part->n_host, "macs", (json_int_t)part->macs,
                     "host_macs", (json_int_t)part->host_macs);
}

static json_t *host_report(const struct pipeline *p)
{
    json_t *host = json_array();
    if (p->partition)
        partition_nodes(host, p->partition);
    for (int i = 0; i < p->n_inputs; i++)
        side_report(host, p->inputs[i].name, true, p->graph->inputs[p->inputs[i].model], p->inputs[i].tensor);
    for (int i = 0; i < p->n_outputs; i++)
        side_report(host, p->outputs[i].name, false, p->outputs[i].tensor, p->graph->outputs[p->outputs[i].model]);
    return host;
}

// ---- stages and streams ----

static int64_t products_per_cycle(const struct stage *s, const struct fold_shape *x)
{
    if (s->kind == STAGE_CONV)
        return s->fold.lanes * x->chain;
    return s->kind == STAGE_DW && s->op == DW_MAC ? s->fold.word * x->chain * x->pixels : 0;
}

static json_t *stage_report(const struct pipeline *p, const struct stage *s)
{
    const struct fold *f = &s->fold;
    struct fold_shape x = fold_shape(s, f);
    bool array = s->kind == STAGE_CONV || (s->kind == STAGE_DW && s->op == DW_MAC);
    json_t *o = json_object();
    json_object_set_new(o, "name", text(s->name));
    json_object_set_new(o, "kind", text(stage_kind_name(s->kind)));
    json_object_set_new(o, "nodes", text(s->nodes));
    json_object_set_new(o, "onnx_nodes", nodes_report(p->graph, p->arena, s->nodes));
    json_object_set_new(o, "macs", integer(s->macs));
    json_object_set_new(o, "lanes", integer(s->kind == STAGE_CONV ? f->lanes : s->kind == STAGE_DW ? f->word : f->in_lanes));
    json_object_set_new(o, "depth", integer(array ? x.chain : 1));
    json_object_set_new(o, "rows_in_parallel", integer(f->rows_par));
    json_object_set_new(o, "multipliers", text(!array ? "none" : f->use_dsp ? "dsp" : "lut"));
    json_object_set_new(o, "products_per_cycle", integer(products_per_cycle(s, &x)));
    json_object_set_new(o, "packing", integer(f->pack));
    json_object_set_new(o, "segment", integer(f->seg_len));
    json_object_set_new(o, "requant_rate", json_real((double)f->rq_lanes / f->rq_cycles));
    json_object_set_new(o, "requant_multipliers", text(!s->has_requant || s->rq.mult_bits == 1 ? "none" : f->rq_dsp ? "dsp" : "lut"));
    json_object_set_new(o, "ring_rows", integer(f->ring_rows));
    json_object_set_new(o, "predicted_cycles", integer(s->cost.cycles));
    json_object_set_new(o, "dsp", integer(s->cost.dsp));
    json_object_set_new(o, "bram18", integer(s->cost.bram18));
    json_object_set_new(o, "lut", integer(s->cost.lut));
    json_object_set_new(o, "ff", integer(s->cost.ff));
    json_object_set_new(o, "output", text(p->streams[s->out_stream].name));
    return o;
}

static json_t *reader_report(const struct pipeline *p, const struct edge *e)
{
    json_t *o = json_pack("{s:s, s:i, s:I, s:b}", "stage", e->consumer < 0 ? "host" : p->stages[e->consumer].name,
                          "lanes", e->lanes, "fifo_words", (json_int_t)e->depth_words, "fifo_block_ram", e->block);
    if (e->consumer < 0)
        json_object_set_new(o, "port", text(p->outputs[e->port].name));
    return o;
}

static json_t *stream_report(const struct pipeline *p, const struct stream *s)
{
    json_t *o = json_object(), *readers = json_array();
    json_object_set_new(o, "name", text(s->name));
    json_object_set_new(o, "tensor", text(s->tensor ? s->tensor : ""));
    json_object_set_new(o, "shape_hwc", json_pack("[I, I, I]", (json_int_t)s->h, (json_int_t)s->w, (json_int_t)s->c));
    json_object_set_new(o, "lanes", integer(s->lanes));
    json_object_set_new(o, "scale", json_real(s->scale));
    json_object_set_new(o, "zero_point", integer(s->zero_point));
    json_object_set_new(o, "from", text(s->producer < 0 ? "host" : p->stages[s->producer].name));
    json_object_set_new(o, "width_bits", integer(8 * s->lanes));
    json_object_set_new(o, "beats", integer(stream_beats(s, s->lanes)));
    for (int i = 0; i < p->n_edges; i++)
        if (p->edges[i].stream == s->index)
            json_array_append_new(readers, reader_report(p, &p->edges[i]));
    json_object_set_new(o, "readers", readers);
    return o;
}

// The ports of one direction; `model` are the graph's inputs or outputs as the user wrote them.
static json_t *ports_report(const struct pipeline *p, const struct host_port *ports, int n, struct tensor *const *model)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        const struct stream *s = &p->streams[ports[i].stream];
        const struct tensor *t = model[ports[i].model];
        json_t *o = json_object(), *shape = json_array();
        for (int k = 0; k < t->rank; k++)
            json_array_append_new(shape, integer(t->dims[k]));
        json_object_set_new(o, "name", text(t->name));
        json_object_set_new(o, "type", text(dtype_name(t->dtype)));
        json_object_set_new(o, "shape", shape);
        json_object_set_new(o, "port", text(ports[i].name));
        json_object_set_new(o, "stream", text(s->name));
        json_object_set_new(o, "scale", json_real(s->scale));
        json_object_set_new(o, "zero_point", integer(s->zero_point));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *predicted_report(const struct pipeline *p)
{
    const struct board *b = p->board;
    double mac_per_cycle = (double)p->macs / (double)p->interval_cycles;
    json_t *o = json_object();
    json_object_set_new(o, "cycles_per_frame", integer(p->interval_cycles));
    json_object_set_new(o, "latency_cycles", integer(p->latency_cycles));
    json_object_set_new(o, "frames_per_s", json_real(pipeline_frames_per_s(p, p->interval_cycles)));
    json_object_set_new(o, "macs_per_cycle", json_real(mac_per_cycle));
    int64_t peak = tech_products(b->tech) * b->dsp;
    json_object_set_new(o, "efficiency", peak ? json_real(mac_per_cycle / (double)peak) : json_null());
    json_object_set_new(o, "dsp", integer(p->total.dsp));
    json_object_set_new(o, "bram", integer(p->total.bram18));
    json_object_set_new(o, "bram_kbit", integer(p->total.bram18 * b->tech->bram_kbit));
    json_object_set_new(o, "bram18", integer(p->total.bram18));
    json_object_set_new(o, "lut", integer(p->total.lut));
    json_object_set_new(o, "ff", integer(p->total.ff));
    return o;
}

void report_add_error(json_t *report, const struct design *d)
{
    const struct pipeline *p = d->pipeline;
    json_t *streams = json_object_get(report, "streams");
    if (!d->error)
        return;
    json_object_set_new(report, "quantization",
                        json_pack("{s:s, s:s, s:I}", "reference", d->plain ? "the float model" : "the model's integers without rounding", "inputs",
                                  d->error->given ? "given" : "random", "frames", (json_int_t)d->error->frames));
    for (int i = 0; i < p->n_streams; i++) {
        const struct stream_error *e = &d->error->streams[i];
        json_t *o = json_array_get(streams, (size_t)i);
        double db, steps;
        if (!quant_error_steps(e, p->streams[i].scale, &steps))
            continue;
        json_object_set_new(o, "error_steps", rounded(steps));
        json_object_set_new(o, "sqnr_db", quant_error_sqnr_db(e, &db) ? rounded(db) : json_null());
    }
}

static json_t *reload_report(const struct design *d)
{
    struct cost more = reload_cost(d->pipeline);
    return json_pack("{s:I, s:I, s:I, s:I}", "bytes", (json_int_t)d->netlist->code->depth_words, "more_bram", (json_int_t)more.bram18, "more_lut", (json_int_t)more.lut,
                     "more_ff", (json_int_t)more.ff);
}

json_t *report_make(const struct design *d)
{
    const struct pipeline *p = d->pipeline;
    const struct board *b = p->board;
    json_t *o = json_object(), *stages = json_array(), *streams = json_array();
    json_object_set_new(o, "schema_version", json_integer(1));
    json_object_set_new(o, "model", json_pack("{s:s, s:I, s:I}", "name", d->top, "macs", (json_int_t)p->macs, "params", (json_int_t)p->params));
    json_object_set_new(o, "board", json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:i, s:I, s:I, s:I, s:I}", "name", b->name, "family", b->family, "part", b->part, "clock_hz", (json_int_t)p->clock_hz,
                                              "dsp", (json_int_t)b->dsp, "dsp_products", (json_int_t)tech_products(b->tech),
                                              "bram_block", b->tech->bram_name, "bram_block_kbit", b->tech->bram_kbit, "bram", (json_int_t)b->bram18, "bram18", (json_int_t)b->bram18, "lut", (json_int_t)b->lut, "ff", (json_int_t)b->ff));
    json_object_set_new(json_object_get(o, "board"), "dram_bytes_per_s", integer(b->dram_bytes_per_s));
    json_object_set_new(o, "schedule", json_pack("{s:s, s:b, s:f, s:I, s:s}", "plan", "A", "optimal", p->optimal, "gap", p->gap, "search_nodes", (json_int_t)p->schedule_nodes, "bound", p->bound));
    const struct graph *model = p->partition ? p->graph : d->source; // what the ports carry
    json_object_set_new(o, "inputs", ports_report(p, p->inputs, p->n_inputs, model->inputs));
    json_object_set_new(o, "outputs", ports_report(p, p->outputs, p->n_outputs, model->outputs));
    if (p->partition)
        json_object_set_new(o, "partition", partition_report(p->partition));
    if (p->n_stages) { // else there is no hardware to predict
        json_object_set_new(o, "predicted", predicted_report(p));
        json_object_set_new(o, "shell", shell_report(d));
        if (p->reloadable)
            json_object_set_new(o, "reload", reload_report(d));
    }
    for (int i = 0; i < p->n_stages; i++)
        json_array_append_new(stages, stage_report(p, &p->stages[i]));
    for (int i = 0; i < p->n_streams; i++)
        json_array_append_new(streams, stream_report(p, &p->streams[i]));
    json_object_set_new(o, "stages", stages);
    json_object_set_new(o, "streams", streams);
    json_object_set_new(o, "host", host_report(p));
    report_add_error(o, d);
    if (d->precision)
        json_object_set_new(o, "precision", precision_report(d->precision));
    json_object_set_new(o, "accuracy_verified", json_boolean(d->ranges.n == 0 || d->request.calib != NULL));
    return o;
}

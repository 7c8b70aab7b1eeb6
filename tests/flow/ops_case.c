// SPDX-License-Identifier: Apache-2.0
#include "tests/flow/ops_case.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/argmax.h"
#include "dataflow/cost.h"
#include "dataflow/lower.h"
#include "dataflow/schedule.h"
#include "dataflow/reload.h"
#include "dataflow/serial.h"
#include "dataflow/timing.h"
#include "hls/bind.h"
#include "sim/array.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"

#define MAX_INTERVAL 4000 // cycles a frame: what simulates quickly
#define MAX_CELLS 24      // multipliers: what Verilator compiles quickly
#define FOLD_TRIES 60
#define GRAPH_TRIES 200
#define MAX_STAGES 32
#define SETTLED_FRAMES 32
#define SERIAL_CYCLES 20000 // a frame, of a case in one multiplier

const char *ops_run_name(int run)
{
    static const char *const names[OPS_RUNS] = { "with stalls, reset of 1 cycle", "without pauses, reset of 20 cycles",
                                                 "with other stalls, after a reset of 1 cycle in the middle of a frame" };
    return names[run];
}

// ---- folds ----

static int64_t cells(const struct stage *s, const struct fold *f)
{
    if (s->kind == STAGE_CONV)
        return (int64_t)f->lanes * f->rows_par * f->word;
    return s->kind == STAGE_DW ? (int64_t)f->word * f->rows_par : f->in_lanes;
}

static bool fits_bench(const struct stage *s, const struct fold *f)
{
    return cells(s, f) <= MAX_CELLS && f->in_lanes <= OPS_MAX_LANES && f->rq_lanes <= OPS_MAX_LANES;
}

static int n_options(const struct pipeline *p, const struct stage *s, int64_t interval)
{
    struct arena scratch = { 0 };
    struct options list = { 0 };
    stage_options(p, s, p->board->tech, interval, &scratch, &list);
    int n = list.n;
    arena_release(&scratch);
    return n;
}

// Least cycles that any fold of the stage takes; `most`: those of a cheapest one.
static void interval_range(const struct pipeline *p, const struct stage *s, int64_t *least, int64_t *most)
{
    struct arena scratch = { 0 };
    struct options list = { 0 };
    int64_t low = 0;
    stage_options(p, s, p->board->tech, INT64_MAX / 4, &scratch, &list);
    ASSERT(list.n > 0);
    *most = 0;
    for (int i = 0; i < list.n; i++)
        *most = max_i64(*most, list.items[i].cost.cycles);
    *least = *most;
    while (*least - low > 1) {
        int64_t mid = low + (*least - low) / 2;
        if (n_options(p, s, mid))
            *least = mid;
        else
            low = mid;
    }
    arena_release(&scratch);
}

static int64_t between(struct random *r, int64_t least, int64_t most)
{
    if (most <= least)
        return least;
    double x = (double)least * exp(random_unit(r) * log((double)most / (double)least));
    return min_i64(most, max_i64(least, (int64_t)x));
}

// Packed pixels are few among the folds of a depthwise stage: where there are some, every other case has them.
static int prefer_packed(const struct stage *s, struct random *r, struct option *list, int n)
{
    int packed = 0;
    if (s->kind != STAGE_DW || s->op != DW_MAC || random_chance(r, 50))
        return n;
    for (int i = 0; i < n; i++)
        if (list[i].fold.pack == 2)
            list[packed++] = list[i];
    return packed ? packed : n;
}

static bool random_option(const struct pipeline *p, const struct stage *s, struct random *r, int64_t interval, struct option *out)
{
    struct arena scratch = { 0 };
    struct options list = { 0 };
    int small = 0;
    stage_options(p, s, p->board->tech, interval, &scratch, &list);
    for (int i = 0; i < list.n; i++)
        if (fits_bench(s, &list.items[i].fold))
            list.items[small++] = list.items[i];
    small = prefer_packed(s, r, list.items, small);
    if (small)
        *out = list.items[random_range(r, 0, small - 1)];
    arena_release(&scratch);
    return small > 0;
}

static bool lanes_agree(const struct pipeline *p)
{
    for (int i = 0; i < p->n_edges; i++) {
        const struct stream *s = &p->streams[p->edges[i].stream];
        const struct edge *e = &p->edges[i];
        if ((s->lanes % e->lanes && (e->lanes % s->lanes || s->c % e->lanes)) || s->lanes > OPS_MAX_LANES)
            return false;
    }
    return true;
}

// Now and then each stage has an interval of its own, so that one waits for the other; where lanes then disagree, all
// take the same as schedule_solve would.
bool ops_case_fold(struct pipeline *p, struct random *r)
{
    struct option chosen[MAX_STAGES];
    int64_t least[MAX_STAGES], most[MAX_STAGES], floor = 1, ceiling = 1;
    if (p->n_stages > MAX_STAGES || p->n_edges > OPS_MAX_EDGES)
        return false;
    for (int i = 0; i < p->n_stages; i++) {
        interval_range(p, &p->stages[i], &least[i], &most[i]);
        floor = max_i64(floor, least[i]);
        ceiling = max_i64(ceiling, most[i]);
    }
    ceiling = max_i64(floor, min_i64(ceiling, MAX_INTERVAL));
    for (int t = 0; t < FOLD_TRIES; t++) {
        bool own = p->n_stages > 1 && t < FOLD_TRIES / 2 && random_chance(r, 50), ok = true;
        int64_t common = between(r, floor, ceiling);
        for (int i = 0; ok && i < p->n_stages; i++) {
            int64_t interval = own ? between(r, least[i], max_i64(least[i], min_i64(most[i], MAX_INTERVAL))) : common;
            ok = random_option(p, &p->stages[i], r, interval, &chosen[i]) && chosen[i].cost.cycles <= MAX_INTERVAL;
        }
        if (!ok)
            continue;
        schedule_apply(p, chosen, p->board->tech);
        if (lanes_agree(p))
            return true;
        bool narrow = true;
        for (int i = 0; i < p->n_inputs; i++)
            narrow &= p->streams[p->inputs[i].stream].lanes <= OPS_MAX_LANES;
        if (!own && narrow)
            BUG("lanes of a stream and of its reader disagree at one interval");
    }
    return false;
}

// ---- description ----

static void describe_window(struct strbuf *sb, const struct stage *s)
{
    const struct window_geometry *g = &s->geo;
    strbuf_addf(sb, " %lldx%lld s%lldx%lld", (long long)g->kernel_h, (long long)g->kernel_w, (long long)g->stride_h, (long long)g->stride_w);
    if (g->dilation_h > 1 || g->dilation_w > 1)
        strbuf_addf(sb, " d%lldx%lld", (long long)g->dilation_h, (long long)g->dilation_w);
    if (g->pad_top || g->pad_left || g->pad_bottom || g->pad_right)
        strbuf_addf(sb, " p(%lld,%lld,%lld,%lld)", (long long)g->pad_top, (long long)g->pad_left, (long long)g->pad_bottom, (long long)g->pad_right);
    if (s->kind == STAGE_CONV && g->group > 1)
        strbuf_addf(sb, " g%lld", (long long)g->group);
}

static void describe_fold(struct strbuf *sb, const struct stage *s)
{
    const struct fold *f = &s->fold;
    strbuf_addf(sb, " in %d", f->in_lanes);
    if (s->kind == STAGE_CONV || s->kind == STAGE_DW) {
        strbuf_addf(sb, " lanes %d word %d rows %d", s->kind == STAGE_CONV ? f->lanes : f->word, f->word, f->rows_par);
        if (s->weights)
            strbuf_addf(sb, " w%d %s%s seg %d", s->weight_bits, f->use_dsp ? "dsp" : "lut", f->pack == 2 ? " packed" : "", f->seg_len);
        strbuf_addf(sb, " ring %d%s", f->ring_rows, f->ring_block ? " block" : "");
    }
    if (s->has_requant)
        strbuf_addf(sb, " m%d%s", s->rq.mult_bits, s->rq.n > 1 ? "c" : "");
    strbuf_addf(sb, " rq %d/%d%s", f->rq_lanes, f->rq_cycles, f->rq_dsp ? " dsp" : "");
}

static const char *describe(struct arena *a, const struct pipeline *p)
{
    struct strbuf sb = STRBUF_INIT;
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        const struct stream *in = stage_in(p, s, 0), *out = &p->streams[s->out_stream];
        static const char *const dw[] = { "dw", "sum", "max", "abs", "square" };
        strbuf_addf(&sb, "%s%s", i ? "; " : "", s->kind == STAGE_DW ? dw[s->op] : stage_kind_name(s->kind));
        if (s->kind == STAGE_CONV || s->kind == STAGE_DW)
            describe_window(&sb, s);
        strbuf_addf(&sb, " %lldx%lldx%lld", (long long)in->h, (long long)in->w, (long long)in->c);
        strbuf_addf(&sb, "->%lldx%lldx%lld", (long long)out->h, (long long)out->w, (long long)out->c);
        describe_fold(&sb, s);
    }
    strbuf_addf(&sb, " (%s)", p->board->tech->mac);
    const char *text = arena_strdup(a, sb.text);
    strbuf_release(&sb);
    return text;
}

// ---- reference ----

// Mostly noise; frames of nothing but extremes find accumulators and chains that are too narrow.
static void random_frame(struct random *r, int8_t *x, int64_t n)
{
    int64_t style = random_range(r, 0, 9);
    for (int64_t i = 0; i < n; i++) {
        switch (style) {
        case 0: x[i] = -128; break;
        case 1: x[i] = (int8_t)(random_chance(r, 50) ? -128 : 127); break;
        case 2: x[i] = 127; break;
        default: x[i] = (int8_t)random_range(r, -128, 127);
        }
    }
}

static void run_reference(struct arena *a, struct random *r, struct ops_case *c)
{
    const struct pipeline *p = c->pipeline;
    for (int f = 0; f < OPS_FRAMES; f++) {
        c->streams[f] = arena_array(a, int8_t *, p->n_streams);
        for (int i = 0; i < p->n_inputs; i++) {
            const struct stream *in = &p->streams[p->inputs[i].stream];
            int64_t n = in->h * in->w * in->c;
            c->streams[f][in->index] = arena_alloc(a, (size_t)n);
            random_frame(r, c->streams[f][in->index], n);
        }
        ref_int_frame(p, a, c->streams[f]);
    }
}

// The integer reference of a stage against ONNX in floats: at most a step apart, float32 sums being inexact.
static const char *check_meaning(const struct ctx *cx, struct arena *a, const struct ops_case *c)
{
    const struct pipeline *p = c->pipeline;
    struct arena scratch = { 0 };
    struct ctx inner = { &scratch, cx->diag };
    struct array *values = arena_array(&scratch, struct array, c->graph->n_tensors);
    struct array *x = arena_array(&scratch, struct array, p->n_inputs); // every input is read, as integers
    const char *wrong = NULL;
    ASSERT(p->n_inputs == c->graph->n_inputs);
    for (int k = 0; k < p->n_inputs; k++) {
        const struct host_port *in = &p->inputs[k];
        x[k] = array_new(&scratch, in->tensor->dtype, in->tensor->rank, in->tensor->dims);
        for (int64_t i = 0; i < array_count(&x[k]); i++)
            ((uint8_t *)x[k].data)[in->logical[i]] = (uint8_t)(c->streams[0][in->stream][i] ^ (in->flip ? 0x80 : 0));
    }
    if (!ref_float_graph(&inner, c->graph, &scratch, x, values))
        wrong = "the float reference refuses the graph";
    for (int k = 0; !wrong && k < p->n_outputs; k++) {
        const struct host_port *out = &p->outputs[k];
        const uint8_t *y = values[out->tensor->index].data;
        int64_t n = tensor_count(out->tensor);
        for (int64_t i = 0; !wrong && i < n; i++) {
            int have = c->streams[0][out->stream][i];
            int want = (int8_t)(y[out->logical[i]] ^ (out->flip ? 0x80 : 0));
            if (have - want > 1 || want - have > 1)
                wrong = arena_printf(a, "meaning: element %lld of output %d is %d, ONNX says %d", (long long)i, k, have, want);
        }
    }
    arena_release(&scratch);
    return wrong;
}

// ---- cases ----

int64_t ops_slack(int64_t interval)
{
    return max_i64(8, interval / 100);
}

// The timing model cannot be faster than the cost formula that chose the fold. At first it may be: frames catch up with one
// another until all FIFOs are full or empty.
static const char *check_timing(struct arena *a, const struct pipeline *p)
{
    int64_t slowest = 0, settled = timing_run(p, a, SETTLED_FRAMES).interval_cycles;
    for (int i = 0; i < p->n_stages; i++)
        slowest = max_i64(slowest, p->stages[i].cost.cycles);
    if (settled + ops_slack(slowest) >= slowest)
        return NULL;
    return arena_printf(a, "the timing model's interval of %lld is below the slowest stage's %lld cycles", (long long)settled, (long long)slowest);
}

// Stages that round on the longest way from an input to an output.
static int roundings(struct arena *a, const struct pipeline *p)
{
    int *depth = arena_array(a, int, p->n_streams);
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        int most = 0;
        for (int k = 0; k < s->n_in; k++) {
            int d = depth[stage_in(p, s, k)->index];
            most = d > most ? d : most;
        }
        depth[s->out_stream] = most + (s->kind != STAGE_GATHER && s->kind != STAGE_CONCAT);
    }
    int most = 0;
    for (int i = 0; i < p->n_outputs; i++)
        most = depth[p->outputs[i].stream] > most ? depth[p->outputs[i].stream] : most;
    return most;
}

// From a pipeline whose schedule is there: what its streams carry, and the core.
static void finish_scheduled(struct arena *a, struct random *r, struct ops_case *c, const struct ctx *cx, bool exact)
{
    run_reference(a, r, c);
    if (!c->wrong && exact && roundings(a, c->pipeline) <= 1)
        c->wrong = check_meaning(cx, a, c);
    c->netlist = bind_pipeline(c->pipeline, a);
}

const char *ops_case_finish(struct arena *a, struct random *r, struct ops_case *c, const struct ctx *cx, bool exact)
{
    struct pipeline *p = c->pipeline;
    c->text = describe(a, p);
    if (!timing_size_fifos(p) || !timing_confirm(p))
        return "the timing model finds no progress";
    pipeline_verify(p);
    c->interval_cycles = timing_run(p, a, OPS_FRAMES).interval_cycles;
    c->wrong = check_timing(a, p);
    finish_scheduled(a, r, c, cx, exact);
    return NULL;
}

// False when aihls_serial does not compute the network, or not soon enough.
static bool finish_serial(struct arena *a, struct random *r, struct ops_case *c, const struct ctx *cx, bool exact)
{
    struct pipeline *p = c->pipeline;
    const struct schedule_goal goal = { .max_dsp = random_chance(r, 50) ? -1 : 0 };
    if (!serial_solve(cx, p, p->board, &goal) || p->interval_cycles > SERIAL_CYCLES)
        return false;
    c->text = arena_printf(a, "serial, %s: %s", p->serial->use_dsp ? p->board->tech->mac : "LUTs", describe(a, p));
    c->interval_cycles = p->interval_cycles;
    finish_scheduled(a, r, c, cx, exact);
    return true;
}

// False when the case is too large, or none.
static bool try_case(struct arena *a, const struct board *boards, int n_boards, struct random *r, struct ops_how how, struct ops_case *c)
{
    struct strbuf said = STRBUF_INIT;
    struct diag diag = { .rendered = &said };
    struct ctx cx = { a, &diag };
    static const enum requant_mode modes[] = { REQUANT_EXACT, REQUANT_EXACT, REQUANT_EXACT, REQUANT_EXACT, REQUANT_FAST, REQUANT_SHIFT };
    enum requant_mode mode = modes[random_range(r, 0, 5)];
    bool small;
    c->graph = ops_graph(a, r, c->name);
    c->text = "refused";
    bool shaped = shape_infer(&cx, c->graph);
    if (shaped)
        argmax_split(c->graph);
    if (!shaped || !lower_graph(&cx, c->graph, mode, c->name, &c->pipeline)) {
        // by right: a ratio of scales near 1 has no shift, and where an operator moves nothing there is nothing to build
        small = mode != REQUANT_SHIFT && !strstr(said.text, "E210") && !strstr(said.text, "E211");
        c->broken = arena_strdup(a, said.text);
    } else {
        struct pipeline *p = c->pipeline;
        p->board = &boards[random_range(r, 0, n_boards - 1)];
        p->clock_hz = p->board->clock_hz;
        if (how.reloadable)
            reload_widen(p);
        small = how.reloadable && !p->reloadable ? false : how.serial ? finish_serial(a, r, c, &cx, mode == REQUANT_EXACT) : ops_case_fold(p, r);
        if (small && !how.serial)
            c->broken = ops_case_finish(a, r, c, &cx, mode == REQUANT_EXACT);
    }
    strbuf_release(&said);
    return small;
}

void ops_case_make(struct arena *a, const struct board *boards, int n_boards, uint64_t seed, struct ops_how how, const char *name, struct ops_case *out)
{
    struct random r = { seed };
    for (int i = 0; i < GRAPH_TRIES; i++) {
        *out = (struct ops_case){ .seed = seed, .name = name };
        if (try_case(a, boards, n_boards, &r, how, out))
            return;
    }
    BUG("seed %llu makes no small case", (unsigned long long)seed);
}

// ---- results ----

// False after what is wrong with a run.
static bool check_run(const struct ops_case *c, int run, struct strbuf *out)
{
    const struct ops_result *r = &c->result[run];
    if (!r->seen)
        strbuf_addf(out, "%s: was not simulated", ops_run_name(run));
    else if (r->mismatches)
        strbuf_addf(out, "%s: %lld elements differ, the first in output %d, frame %lld, at element %lld: have %d, want %d", ops_run_name(run),
                    (long long)r->mismatches, r->output, (long long)r->frame, (long long)r->element, r->have, r->want);
    else if (!r->finished)
        strbuf_addf(out, "%s: nothing moves any more; frames ended at %lld, %lld, %lld, %lld", ops_run_name(run), (long long)r->frame_end[0],
                    (long long)r->frame_end[1], (long long)r->frame_end[2], (long long)r->frame_end[3]);
    else
        return true;
    return false;
}

static bool check_cycles(const struct ops_case *c, struct strbuf *out)
{
    const int64_t *end = c->result[OPS_RUN_FREE].frame_end;
    int64_t measured = (end[OPS_FRAMES - 1] - end[OPS_FRAMES - 1 - OPS_FRAMES / 2]) / (OPS_FRAMES / 2), predicted = c->interval_cycles;
    int64_t off = measured > predicted ? measured - predicted : predicted - measured;
    if (off > ops_slack(predicted))
        strbuf_addf(out, "interval of %lld cycles, predicted %lld", (long long)measured, (long long)predicted);
    else if (c->wrong)
        strbuf_addf(out, "%s; measured interval %lld", c->wrong, (long long)measured);
    else
        return true;
    return false;
}

void ops_case_check(const struct ops_case *c, struct strbuf *out)
{
    struct strbuf wrong = STRBUF_INIT;
    bool ok = !c->broken;
    if (c->broken)
        strbuf_adds(&wrong, c->broken);
    for (int run = 0; ok && run < OPS_RUNS; run++)
        ok = check_run(c, run, &wrong);
    ok = ok && check_cycles(c, &wrong);
    if (!ok)
        strbuf_addf(out, "seed %llu: %s", (unsigned long long)c->seed, wrong.text);
    strbuf_release(&wrong);
}

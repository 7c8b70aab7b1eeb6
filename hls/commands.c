// SPDX-License-Identifier: Apache-2.0
#include "hls/commands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "hls/accuracy.h"
#include "hls/emit.h"
#include "hls/layer_costs.h"
#include "hls/quant_error.h"
#include "hls/report.h"
#include "hls/shell.h"
#include "hls/simulate.h"
#include "sim/host.h"
#include "sim/ref_float.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct progress {
    bool quiet;
    double start;
    struct strbuf log; // the same lines with the seconds since the start
};

// Verbs stand right-aligned, as in cargo.
static void say(void *user, const char *verb, const char *text)
{
    struct progress *p = user;
    strbuf_addf(&p->log, "%8.3f s %12s %s\n", seconds() - p->start, verb, text);
    if (!p->quiet)
        fprintf(stderr, "%12s %s\n", verb, text);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct request request_of(const struct cli *cli)
{
    return (struct request){ .model = cli->subject, .board = cli->board, .name = cli->name, .calib = cli->calib, .labels = cli->labels, .calib_method = cli->calib_method, .precision = cli->precision, .data = cli->data, .scores = cli->scores,
                             .min_accuracy = cli->min_accuracy, .max_loss = cli->max_loss, .strict = cli->strict, .strict_hw = cli->strict_hw, .equalize = cli->equalize, .requant = cli->requant, .line = cli->line, .shapes = cli->shapes, .dims = cli->dims,
                             .goal = { cli->fps, cli->max_latency_us, cli->max_dsp, cli->clock_mhz * 1000000, cli->serial, cli->reloadable } };
}

// ---- compile ----

static void print_schedule(const struct pipeline *p)
{
    fprintf(stderr, "%-12s %-24s %9s %6s %6s %5s %7s %5s %6s\n", "stage", "nodes", "cycles", "lanes", "depth", "mult", "requant", "DSP", p->board->tech->bram_name);
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        const struct fold *f = &s->fold;
        fprintf(stderr, "%-12s %-24.24s %9lld %6d %6d %5s %4d/%-2d %5lld %6lld\n", s->name, s->nodes, (long long)s->cost.cycles,
                s->kind == STAGE_CONV ? f->lanes : f->word, f->rows_par * (s->kind == STAGE_CONV ? f->word : 1), f->use_dsp ? "dsp" : "lut",
                f->rq_lanes, f->rq_cycles, (long long)s->cost.dsp, (long long)s->cost.bram18);
    }
}

static void check_goals(const struct ctx *cx, const struct cli *cli, const struct pipeline *p)
{
    enum diag_code code = cli->strict ? E303 : W303;
    if (p->n_stages == 0) {
        if (cli->fps || cli->max_latency_us)
            diag_error(cx, code, p->partition->whole->file, NULL, "nothing runs in hardware, and how fast the host is, is not known");
        return;
    }
    double fps = pipeline_frames_per_s(p, p->interval_cycles), latency_us = (double)p->latency_cycles * p->runs * 1e6 / (double)p->clock_hz;
    if (cli->fps && fps < (double)cli->fps)
        diag_error(cx, code, p->graph->file, "this is the fastest schedule that fits the board", "%.0f frames/s of %lld", fps, (long long)cli->fps);
    if (cli->max_latency_us && latency_us > (double)cli->max_latency_us)
        diag_error(cx, code, p->graph->file, "this is the shortest schedule found that fits the board", "latency %.0f us of %lld", latency_us, (long long)cli->max_latency_us);
}

static int compile_all(const struct ctx *cx, const struct cli *cli)
{
    struct request r = request_of(cli);
    struct progress progress = { cli->quiet || cli->json, seconds(), STRBUF_INIT };
    int fits = 0;
    printf("%-14s %-5s %12s %10s %10s %10s\n", "board", "fits", "frames/s", "DSP", "block RAM", "LUT");
    for (int i = 0; i < board_count(); i++) {
        struct arena arena = { 0 };
        struct strbuf text = STRBUF_INIT;
        struct diag quiet = { .rendered = &text, .quiet = true };
        struct ctx inner = { &arena, &quiet };
        struct design d = { .model_bytes = STRBUF_INIT };
        r.board = board_name(i);
        bool read = board_read(&inner, r.board, &d.board) && design_read(&inner, &r, &d, i == 0 ? say : NULL, &progress);
        if (!read) { // the model is to blame, for all boards alike
            fputs(text.text, cx->diag->out);
            cx->diag->exit_code = quiet.exit_code;
        } else if (design_schedule(&inner, &d, NULL, NULL)) {
            const struct pipeline *p = d.pipeline;
            if (p->n_stages == 0)
                printf("%-14s %-5s nothing runs in hardware\n", r.board, "yes");
            else
                printf("%-14s %-5s %12.0f %5lld/%-4lld %5lld/%-4lld %5lld/%-6lld\n", r.board, "yes", pipeline_frames_per_s(p, p->interval_cycles),
                       (long long)p->total.dsp, (long long)d.board.dsp, (long long)p->total.bram18, (long long)d.board.bram18,
                       (long long)p->total.lut, (long long)d.board.lut);
            fits++;
        } else {
            const char *need = strstr(text.text, "need ");
            printf("%-14s %-5s needs %.*s\n", r.board, "no", need ? (int)strcspn(need + 5, "\n") : 0, need ? need + 5 : "");
        }
        design_release(&d);
        strbuf_release(&text);
        arena_release(&arena);
        if (!read)
            break;
    }
    strbuf_release(&progress.log);
    int status = diag_finish(cx->diag);
    return status || fits ? status : 1;
}

// A line a node: where it runs, and why where that is the host.
static int print_partition(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct request r = request_of(cli);
    struct strbuf sb = STRBUF_INIT;
    if (design_read(cx, &r, &d, NULL, NULL))
        partition_print(d.pipeline->partition, d.graph, &sb);
    fputs(sb.text, stdout);
    strbuf_release(&sb);
    design_release(&d);
    return diag_finish(cx->diag);
}

int command_compile(const struct ctx *cx, const struct cli *cli)
{
    if (cli->partition)
        return print_partition(cx, cli);
    if (cli->board && strcmp(cli->board, "all") == 0)
        return compile_all(cx, cli);
    struct design d = { .model_bytes = STRBUF_INIT }, hardware = { .model_bytes = STRBUF_INIT };
    struct request r = request_of(cli);
    struct progress progress = { cli->quiet || cli->json, seconds(), STRBUF_INIT };
    int n_files = 0;
    const char *dir = cli->out_dir;
    if (!dir) {
        const char *dot = strrchr(cli->subject, '.'), *slash = strrchr(cli->subject, '/');
        size_t n = dot && (!slash || dot > slash) ? (size_t)(dot - cli->subject) : strlen(cli->subject);
        dir = arena_printf(cx->arena, "%.*s.aihls", (int)n, cli->subject);
    }
    bool ok = cli->reload ? design_reopen(cx, cli->reload, &hardware) && design_build_for(cx, &r, &hardware, cli->reload, &d, say, &progress) : design_build(cx, &r, &d, say, &progress);
    if (ok)
        check_goals(cx, cli, d.pipeline); // a missed goal does not keep the result back
    if (ok && d.netlist && d.pipeline->macs <= QUANT_ERROR_COMPILE_MACS)
        quant_error_measure(cx, &d);
    ok = ok && emit_design(cx, &d, dir, progress.log.text, &n_files);
    if (ok) {
        const struct pipeline *p = d.pipeline;
        if (cli->verbose && !cli->quiet)
            print_schedule(p);
        say(&progress, "Emitting", arena_printf(cx->arena, "%s (%d files)", dir, n_files));
        if (p->n_stages == 0)
            say(&progress, "Finished", arena_printf(cx->arena, "in %.2f s: no hardware, driver in %s/driver, report in %s/report.html", seconds() - progress.start, dir, dir));
        else
            say(&progress, "Finished", arena_printf(cx->arena, "in %.2f s: %.0f frames/s at %lld MHz, latency %.1f us, report in %s/report.html", seconds() - progress.start,
            pipeline_frames_per_s(p, p->interval_cycles), (long long)(p->clock_hz / 1000000), (double)p->latency_cycles * p->runs * 1e6 / (double)p->clock_hz, dir));
    }
    strbuf_release(&progress.log);
    design_release(&d);
    design_release(&hardware);
    return diag_finish(cx->diag);
}

// ---- sim ----

static void print_simulation(const struct design *d, const struct sim_result *s, double elapsed)
{
    const struct pipeline *p = d->pipeline;
    double mac_per_cycle = s->cycles_per_frame ? (double)p->macs / (double)s->cycles_per_frame : 0;
    int64_t peak = tech_products(p->board->tech) * p->board->dsp;
    printf("%lld frames, %lld streams compared, 0 mismatches (%.1f s)\n", (long long)s->frames, (long long)p->n_streams, elapsed);
    printf("  cycles per frame  %lld simulated, %lld predicted\n", (long long)s->cycles_per_frame, (long long)p->interval_cycles);
    printf("  first latency     %lld simulated, %lld predicted\n", (long long)s->latency_cycles, (long long)p->latency_cycles);
    printf("  MAC per cycle     %.1f, %.1f %% of the %lld that %lld DSP give\n", mac_per_cycle, peak ? 100 * mac_per_cycle / (double)peak : 0,
           (long long)peak, (long long)p->board->dsp);
    if (s->cycles_per_frame)
        printf("  frames per second %.0f at %lld MHz\n", pipeline_frames_per_s(p, s->cycles_per_frame), (long long)(p->clock_hz / 1000000));
    printf("%-12s %10s %10s %10s %10s\n", "stage", "busy", "predicted", "waiting", "blocked");
    for (int i = 0; s->cycles_per_frame && i < p->n_stages; i++)
        printf("%-12s %10lld %10lld %10lld %10lld\n", p->stages[i].name, (long long)s->stage_cycles[i], (long long)p->stages[i].cost.cycles,
               (long long)(s->cycles_per_frame - s->stage_cycles[i]), (long long)s->stream_blocked[p->stages[i].out_stream]);
}

static void print_shell(const struct design *d, const struct sim_result *s, double elapsed)
{
    const struct pipeline *p = d->pipeline;
    struct shell_bound b = shell_bound(d);
    printf("%lld frames by DMA in %lld bursts, 0 mismatches, %lld with errors of the bus (%.1f s)\n", (long long)s->frames, (long long)s->bursts, (long long)s->marked, elapsed);
    printf("  cycles per frame  %lld simulated, %lld predicted, bound by %s (pipeline %lld, DRAM %lld, bus %lld)\n", (long long)s->cycles_per_frame,
           (long long)b.cycles, b.by, (long long)p->interval_cycles, (long long)b.dram_cycles, (long long)b.bus_cycles);
    printf("  first latency     %lld simulated, %lld predicted of the pipeline\n", (long long)s->latency_cycles, (long long)p->latency_cycles);
    if (s->cycles_per_frame)
        printf("  frames per second %.0f at %lld MHz\n", pipeline_frames_per_s(p, s->cycles_per_frame), (long long)(p->clock_hz / 1000000));
}

static void print_line(const struct design *d, const struct sim_result *s, double elapsed)
{
    printf("%lld frames through the line, 0 mismatches, %lld lost by a reset, %lld disturbances (%.1f s)\n", (long long)s->frames, (long long)s->marked,
           (long long)s->noise, elapsed);
    printf("  first beat to last  %lld simulated with the line, %lld predicted of the pipeline\n", (long long)s->latency_cycles, (long long)d->pipeline->latency_cycles);
}

int command_sim(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct sim_result s;
    struct sim_request r = { cli->subject, cli->input, cli->frames, (uint64_t)cli->stalls, cli->reset_cycles, cli->reset_at, cli->power_seed, cli->trace, cli->quiet,
                             SIM_BARE, (uint64_t)cli->faults };
    void (*const print[])(const struct design *, const struct sim_result *, double) = { [SIM_BARE] = print_simulation, [SIM_AXI] = print_shell, [SIM_UART] = print_line, [SIM_SPI] = print_line };
    double start = seconds();
    if (cli->shell)
        sim_shell_named(cli->shell, &r.shell); // checked by cli_parse
    if (simulate(cx, &r, &d, &s) && simulate_report(cx, &r, &d, &s) && !cli->quiet)
        print[r.shell](&d, &s, seconds() - start);
    design_release(&d);
    return diag_finish(cx->diag);
}

// ---- run and eval ----

// The model, quantized and lowered: from an output directory or from a file. No board is needed.
static bool open_reference(const struct ctx *cx, const struct cli *cli, struct design *d)
{
    if (is_directory(cli->subject))
        return design_reopen(cx, cli->subject, d);
    struct request r = request_of(cli);
    return design_read(cx, &r, d, NULL, NULL);
}

// All three take an array for each input and give one for each output. This one meets shapes as they come, in a copy of the
// graph.
static bool run_by_value(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results)
{
    return ref_float_run(cx, graph_clone(d->source, cx->arena), cx->arena, frame, results);
}

struct run_visit {
    const struct design *d;
    struct array *all; // per output
    bool (*run)(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results);
};

static bool visit_run(const struct ctx *cx, void *user, int64_t i, const struct array *frame)
{
    const struct run_visit *v = user;
    const int n = v->d->source->n_outputs;
    struct array *y = arena_array(cx->arena, struct array, n);
    if (!v->run(cx, v->d, frame, y))
        return false;
    for (int k = 0; k < n; k++) {
        const struct tensor *t = v->d->source->outputs[k];
        if (y[k].dtype != t->dtype || y[k].rank != t->rank || memcmp(y[k].dims, t->dims, (size_t)t->rank * sizeof *t->dims) != 0)
            return diag_emit(cx, (struct diag_msg){ .code = E204, .where = at_tensor(v->d->source, t), .found = shape_text(cx->arena, y[k].rank, y[k].dims),
                             .need = shape_text(cx->arena, t->rank, t->dims), .help = "run the frames one by one" }, "the output changes its shape from frame to frame");
        size_t bytes = (size_t)array_count(&y[k]) * dtype_bytes(y[k].dtype);
        memcpy((char *)v->all[k].data + (size_t)i * bytes, y[k].data, bytes);
    }
    return true;
}

// Room for all frames of output y.
static bool result_array(const struct ctx *cx, const struct graph *g, const struct tensor *y, int64_t frames, struct array *out)
{
    int64_t dims[MAX_RANK + 1] = { frames };
    bool batched = y->rank > 0 && y->dims[0] == 1;
    int rank = batched ? y->rank : y->rank + 1;
    if (rank > MAX_RANK)
        return diag_error(cx, E204, at_tensor(g, y), "an output needs room for the axis of frames", "the output has %d dimensions", y->rank);
    memcpy(dims + 1, y->dims + (batched ? 1 : 0), (size_t)(rank - 1) * sizeof *dims);
    *out = array_new(cx->arena, y->dtype, rank, dims);
    return true;
}

static bool is_npz(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npz") == 0;
}

// .npz with a member for each output, called like it, or .npy.
static bool write_results(const struct ctx *cx, const char *path, const struct graph *g, const struct array *all)
{
    const char **names = arena_array(cx->arena, const char *, g->n_outputs);
    for (int i = 0; i < g->n_outputs; i++)
        names[i] = g->outputs[i]->name;
    return is_npz(path) ? npz_write(cx, path, g->n_outputs, names, all) : npy_write(cx, path, all);
}

// A line a frame; of several outputs one each, behind its name.
static void print_results(const struct graph *g, const struct array *all, int64_t frames)
{
    for (int64_t i = 0; i < frames; i++)
        for (int o = 0; o < g->n_outputs; o++) {
            int64_t per = tensor_count(g->outputs[o]);
            if (g->n_outputs > 1)
                printf("%s ", g->outputs[o]->name);
            for (int64_t k = 0; k < per; k++)
                printf("%.9g%c", array_f64(&all[o], i * per + k), k + 1 < per ? ' ' : '\n');
        }
}

// The frames of a model whose inputs may have open dimensions: those are what the data have, but for the first one, along
// which frames are counted.
static bool read_open_frames(const struct ctx *cx, struct graph *g, const char *path, struct array **batch)
{
    for (int i = 0; i < g->n_inputs; i++) {
        struct tensor *t = g->inputs[i];
        if (t->rank < 0)
            return diag_error(cx, E205, at_tensor(g, t), "give it one when exporting", "the input has no known rank");
        for (int d = 0; d < t->rank && !tensor_uses(g, t); d++)
            t->dims[d] = max_i64(t->dims[d], 1);
    }
    if (!batch_read(cx, g, path, batch))
        return false;
    for (int i = 0; i < g->n_inputs; i++) {
        struct tensor *t = g->inputs[i];
        int more = (*batch)[i].rank - t->rank;
        for (int d = 0; d < t->rank; d++)
            if (t->dims[d] < 0)
                t->dims[d] = d > 0 && (more == 0 || more == 1) ? (*batch)[i].dims[d + more] : 1;
    }
    return true;
}

// Evaluates the first frame to learn the types and shapes of the outputs.
static bool learn_outputs(const struct ctx *cx, const struct design *d, const struct array *batch, const char *file, struct graph *g)
{
    struct array *frame = arena_array(cx->arena, struct array, g->n_inputs), *y = arena_array(cx->arena, struct array, g->n_outputs);
    if (batch_frames(g, batch) < 1)
        return diag_error(cx, E104, file, NULL, "there are no frames");
    if (!batch_frame(cx, g, file, batch, 0, frame) || !run_by_value(cx, d, frame, y))
        return false;
    for (int k = 0; k < g->n_outputs; k++) {
        g->outputs[k]->dtype = y[k].dtype;
        g->outputs[k]->rank = y[k].rank;
        memcpy(g->outputs[k]->dims, y[k].dims, sizeof y[k].dims);
    }
    return true;
}

int command_run(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct array *batch = NULL;
    struct request r = request_of(cli);
    bool by_value = cli->use_float && !is_directory(cli->subject);
    bool ok = by_value ? design_read_for_reference(cx, &r, &d) && read_open_frames(cx, d.source, cli->input, &batch)
                       : open_reference(cx, cli, &d) && batch_read(cx, d.source, cli->input, &batch);
    struct run_visit v = { .d = &d, .run = by_value ? run_by_value : cli->use_float ? frames_run_float : frames_run_integer };
    const struct graph *g = d.source;
    ok = ok && (!by_value || learn_outputs(cx, &d, batch, cli->input, d.source));
    if (ok && cli->output && g->n_outputs > 1 && !is_npz(cli->output))
        ok = diag_error(cx, E401, NULL, "--output FILE.npz holds them all, each by its name", "the model has %d outputs", g->n_outputs);
    int64_t frames = ok ? batch_frames(g, batch) : 0;
    v.all = arena_array(cx->arena, struct array, ok ? g->n_outputs : 0);
    for (int i = 0; ok && i < g->n_outputs; i++)
        ok = result_array(cx, g, g->outputs[i], frames, &v.all[i]);
    ok = ok && frames_each(cx, g, cli->input, batch, visit_run, &v);
    if (ok && cli->output)
        write_results(cx, cli->output, g, v.all);
    else if (ok)
        print_results(g, v.all, frames);
    design_release(&d);
    return diag_finish(cx->diag);
}

static void progress_bar(int64_t done, int64_t total)
{
    if (!isatty(2))
        return;
    int filled = (int)(40 * done / total);
    fprintf(stderr, "\r[%-40.*s] %lld of %lld%s", filled, "########################################", (long long)done, (long long)total, done == total ? "\n" : "");
}

int command_eval(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct accuracy_data data;
    struct accuracy r;
    bool ok = open_reference(cx, cli, &d) && accuracy_open(cx, d.source, cli->data, cli->scores, true, &data);
    data.progress = progress_bar;
    ok = ok && accuracy_float(cx, &d, &data) && accuracy_measure(cx, &d, &data, &r);
    if (ok && r.frames)
        printf("frames %lld\nfloat top-1 %.2f %%\ninteger top-1 %.2f %%\nagreement %.2f %%\n", (long long)r.frames, 100.0 * (double)r.right_float / (double)r.frames,
               100.0 * (double)r.right_int / (double)r.frames, 100.0 * (double)r.agree / (double)r.frames);
    if (ok && r.frames && d.plain)
        layer_costs(cx, &d, data.x, cli->svg);
    else if (ok && cli->svg)
        diag_error(cx, E401, NULL, "give a float model", "--svg: the model came quantized, there is no float layer to compare with");
    design_release(&d);
    return diag_finish(cx->diag);
}

// ---- report ----

int command_report(const struct ctx *cx, const struct cli *cli)
{
    json_t *report = report_load(cx, cli->subject);
    struct strbuf text = STRBUF_INIT;
    if (report && cli->html)
        report_html_write(cx, cli->subject, report);
    else if (report)
        report_text(report, cx->arena, &text);
    fputs(text.text, stdout);
    strbuf_release(&text);
    json_decref(report);
    return diag_finish(cx->diag);
}

// ---- lists ----

int command_boards(const struct ctx *cx)
{
    printf("%-14s %-28s %-26s %5s %11s %8s %8s %6s\n", "name", "board", "part", "DSP", "block RAM", "LUT", "FF", "MHz");
    for (int i = 0; i < board_count(); i++) {
        struct board b;
        if (board_read(cx, board_name(i), &b))
            printf("%-14s %-28s %-26s %5lld %4lld %-6s %8lld %8lld %6lld\n", b.name, b.title, b.part, (long long)b.dsp, (long long)b.bram18, b.tech->bram_name,
                   (long long)b.lut, (long long)b.ff, (long long)(b.clock_hz / 1000000));
    }
    return diag_finish(cx->diag);
}

int command_ops(void)
{
    static const char *const hardware[] = { "yes", "at its ends", "folded", "-" };
    printf("%-16s %-26s %5s  %-12s %-5s %-9s  %s\n", "domain", "operator", "opset", "hardware", "host", "reference", "notes");
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *o = op_info((enum op)i);
        printf("%-16s %-26s %5d  %-12s %-5s %-9s  %s\n", o->domain[0] ? o->domain : "ai.onnx", o->name, o->since, hardware[o->support],
               host_supports((enum op)i) ? "yes" : "-", ref_float_supports((enum op)i) ? "yes" : "-", o->note);
    }
    return 0;
}

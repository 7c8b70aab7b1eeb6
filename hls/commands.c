// SPDX-License-Identifier: Apache-2.0
#include "hls/commands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "hls/emit.h"
#include "hls/simulate.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"

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
    return (struct request){ .model = cli->subject, .board = cli->board, .name = cli->name, .calib = cli->calib, .requant = cli->requant,
                             .goal = { cli->fps, cli->max_latency_us, cli->max_dsp, cli->clock_mhz * 1000000 } };
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
    double fps = (double)p->clock_hz / (double)p->interval_cycles, latency_us = (double)p->latency_cycles * 1e6 / (double)p->clock_hz;
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
            printf("%-14s %-5s %12.0f %5lld/%-4lld %5lld/%-4lld %5lld/%-6lld\n", r.board, "yes", (double)p->clock_hz / (double)p->interval_cycles,
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

int command_compile(const struct ctx *cx, const struct cli *cli)
{
    if (strcmp(cli->board, "all") == 0)
        return compile_all(cx, cli);
    struct design d = { .model_bytes = STRBUF_INIT };
    struct request r = request_of(cli);
    struct progress progress = { cli->quiet || cli->json, seconds(), STRBUF_INIT };
    int n_files = 0;
    const char *dir = cli->out_dir;
    if (!dir) {
        const char *dot = strrchr(cli->subject, '.'), *slash = strrchr(cli->subject, '/');
        size_t n = dot && (!slash || dot > slash) ? (size_t)(dot - cli->subject) : strlen(cli->subject);
        dir = arena_printf(cx->arena, "%.*s.aihls", (int)n, cli->subject);
    }
    bool ok = design_build(cx, &r, &d, say, &progress);
    if (ok)
        check_goals(cx, cli, d.pipeline); // a missed goal does not keep the result back
    ok = ok && emit_design(cx, &d, dir, progress.log.text, &n_files);
    if (ok) {
        const struct pipeline *p = d.pipeline;
        if (cli->verbose && !cli->quiet)
            print_schedule(p);
        say(&progress, "Emitting", arena_printf(cx->arena, "%s (%d files)", dir, n_files));
        say(&progress, "Finished", arena_printf(cx->arena, "in %.2f s: %.0f frames/s at %lld MHz, latency %.1f us, report in %s/report.json", seconds() - progress.start,
            (double)p->clock_hz / (double)p->interval_cycles, (long long)(p->clock_hz / 1000000), (double)p->latency_cycles * 1e6 / (double)p->clock_hz, dir));
    }
    strbuf_release(&progress.log);
    design_release(&d);
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
        printf("  frames per second %.0f at %lld MHz\n", (double)p->clock_hz / (double)s->cycles_per_frame, (long long)(p->clock_hz / 1000000));
    printf("%-12s %10s %10s %10s %10s\n", "stage", "busy", "predicted", "waiting", "blocked");
    for (int i = 0; s->cycles_per_frame && i < p->n_stages; i++)
        printf("%-12s %10lld %10lld %10lld %10lld\n", p->stages[i].name, (long long)s->stage_cycles[i], (long long)p->stages[i].cost.cycles,
               (long long)(s->cycles_per_frame - s->stage_cycles[i]), (long long)s->stream_blocked[p->stages[i].out_stream]);
}

int command_sim(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct sim_result s;
    struct sim_request r = { cli->subject, cli->input, cli->frames, (uint64_t)cli->stalls, cli->reset_cycles, cli->trace, cli->quiet };
    double start = seconds();
    if (simulate(cx, &r, &d, &s) && simulate_report(cx, &r, &d, &s) && !cli->quiet)
        print_simulation(&d, &s, seconds() - start);
    design_release(&d);
    return diag_finish(cx->diag);
}

// ---- run and eval ----

// The model, quantized and lowered (but for --float): from an output directory or from a file. No board is needed.
static bool open_reference(const struct ctx *cx, const struct cli *cli, struct design *d)
{
    if (is_directory(cli->subject))
        return design_reopen(cx, cli->subject, d);
    struct request r = request_of(cli);
    return (cli->use_float ? design_read_source : design_read)(cx, &r, d, NULL, NULL);
}

static bool run_float(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *result)
{
    const struct graph *g = d->source;
    struct array *values = arena_array(cx->arena, struct array, g->n_tensors);
    if (!ref_float_graph(cx, g, cx->arena, frame, values))
        return false;
    *result = values[g->outputs[0]->index];
    return true;
}

static bool run_integer(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *result)
{
    const struct pipeline *p = d->pipeline;
    int8_t **streams = arena_array(cx->arena, int8_t *, p->n_streams);
    streams[0] = arena_alloc(cx->arena, (size_t)tensor_count(p->in_tensor));
    if (!border_in(cx, p, cx->arena, frame, streams[0]))
        return false;
    ref_int_frame(p, cx->arena, streams);
    return border_out(cx, p, cx->arena, streams[p->out_stream], result);
}

// Calls visit for every frame, frames in parallel; each call has a context and an arena of its own,
// which dies with it. Stops early when a call returns false.
struct frame_visit {
    const struct cli *cli;
    const struct design *d;
    const struct array *batch;
    const char *file;
    bool (*visit)(const struct ctx *cx, struct frame_visit *v, int64_t i, const struct array *frame);
    int64_t done; // frames, for the progress bar
    // command_run
    struct array all;
    // command_eval
    const struct array *labels;
    int64_t right_float, right_int, agree;
};

static bool visit_frames(const struct ctx *cx, struct frame_visit *v)
{
    int64_t frames = batch_frames(v->d->source, v->batch);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < frames; i++) {
        bool go;
#pragma omp atomic read
        go = ok;
        if (!go)
            continue;
        struct arena scratch = { 0 };
        struct strbuf text = STRBUF_INIT;
        struct diag diag = { .rendered = &text };
        struct ctx inner = { &scratch, &diag };
        struct array frame;
        bool fine = batch_frame(&inner, v->d->source, v->file, v->batch, i, &frame) && v->visit(&inner, v, i, &frame);
        if (!fine) {
#pragma omp critical
            if (ok) { // the first frame that fails speaks for all
                ok = false;
                cx->diag->errors++;
                cx->diag->exit_code = diag.exit_code;
                fputs(text.text, cx->diag->out);
            }
        }
        strbuf_release(&text);
        arena_release(&scratch);
    }
    return ok;
}

static bool visit_run(const struct ctx *cx, struct frame_visit *v, int64_t i, const struct array *frame)
{
    struct array y = { 0 };
    if (!(v->cli->use_float ? run_float : run_integer)(cx, v->d, frame, &y))
        return false;
    size_t bytes = (size_t)array_count(&y) * dtype_bytes(y.dtype);
    memcpy((char *)v->all.data + (size_t)i * bytes, y.data, bytes);
    return true;
}

int command_run(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct array batch;
    struct frame_visit v = { .cli = cli, .d = &d, .batch = &batch, .file = cli->input, .visit = visit_run };
    bool ok = open_reference(cx, cli, &d) && array_read(cx, cli->input, "x", &batch);
    int64_t frames = 0, per = 0;
    if (ok) {
        const struct tensor *y = d.source->outputs[0];
        int64_t dims[MAX_RANK + 1] = { frames = batch_frames(d.source, &batch) };
        bool batched = y->rank > 0 && y->dims[0] == 1;
        int rank = batched ? y->rank : y->rank + 1;
        if (rank > MAX_RANK) {
            ok = diag_error(cx, E204, d.source->file, "an output needs room for the axis of frames", "the output has %d dimensions", y->rank);
        } else {
            memcpy(dims + 1, y->dims + (batched ? 1 : 0), (size_t)(rank - 1) * sizeof *dims);
            v.all = array_new(cx->arena, y->dtype, rank, dims);
            per = tensor_count(y);
            ok = visit_frames(cx, &v);
        }
    }
    if (ok && cli->output)
        ok = npy_write(cx, cli->output, &v.all);
    else
        for (int64_t i = 0; ok && i < frames; i++)
            for (int64_t k = 0; k < per; k++)
                printf("%.9g%c", array_f64(&v.all, i * per + k), k + 1 < per ? ' ' : '\n');
    design_release(&d);
    return diag_finish(cx->diag);
}

static int64_t arg_max(const struct array *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < array_count(x); i++)
        if (array_f64(x, i) > array_f64(x, best))
            best = i;
    return array_count(x) == 1 ? (int64_t)array_f64(x, 0) : best; // ArgMax models give the class itself
}

static void progress_bar(int64_t done, int64_t total)
{
    if (!isatty(2))
        return;
    int filled = (int)(40 * done / total);
    fprintf(stderr, "\r[%-40.*s] %lld of %lld%s", filled, "########################################", (long long)done, (long long)total, done == total ? "\n" : "");
}

static bool visit_eval(const struct ctx *cx, struct frame_visit *v, int64_t i, const struct array *frame)
{
    struct array a = { 0 }, b = { 0 };
    if (!run_float(cx, v->d, frame, &a) || !run_integer(cx, v->d, frame, &b))
        return false;
    int64_t label = (int64_t)array_f64(v->labels, i), f = arg_max(&a), q = arg_max(&b);
#pragma omp critical
    {
        v->right_float += f == label;
        v->right_int += q == label;
        v->agree += f == q;
        progress_bar(++v->done, batch_frames(v->d->source, v->batch));
    }
    return true;
}

int command_eval(const struct ctx *cx, const struct cli *cli)
{
    struct design d = { .model_bytes = STRBUF_INIT };
    struct array x, y;
    struct frame_visit v = { .cli = cli, .d = &d, .batch = &x, .file = cli->data, .visit = visit_eval, .labels = &y };
    bool ok = open_reference(cx, cli, &d) && npz_read(cx, cli->data, "x", &x) && npz_read(cx, cli->data, "y", &y);
    int64_t frames = ok ? batch_frames(d.source, &x) : 0;
    if (ok && array_count(&y) != frames)
        ok = diag_error(cx, E104, cli->data, "y needs one label per frame of x", "%lld labels for %lld frames", (long long)array_count(&y), (long long)frames);
    const struct tensor *scores = ok ? d.source->outputs[0] : NULL;
    if (ok && tensor_count(scores) == 1 && scores->dtype == DT_FLOAT) // a class or a score? of which classes?
        ok = diag_error(cx, E204, at_tensor(d.source, scores), "compare the results of `aihls run` and `aihls run --float` instead",
                        "top-1 needs one score a class, and the model gives a single number");
    ok = ok && visit_frames(cx, &v);
    if (ok && frames)
        printf("frames %lld\nfloat top-1 %.2f %%\ninteger top-1 %.2f %%\nagreement %.2f %%\n", (long long)frames, 100.0 * (double)v.right_float / (double)frames,
               100.0 * (double)v.right_int / (double)frames, 100.0 * (double)v.agree / (double)frames);
    design_release(&d);
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
    static const char *const where[] = { "hardware", "host", "folded", "reference" };
    printf("%-16s %-26s %5s  %-9s  %s\n", "domain", "operator", "opset", "runs in", "notes");
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *o = op_info((enum op)i);
        printf("%-16s %-26s %5d  %-9s  %s\n", o->domain[0] ? o->domain : "ai.onnx", o->name, o->since, where[o->support], o->note);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "hls/simulate.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "dataflow/cost.h"
#include "hls/outdir.h"
#include "hls/quant_error.h"
#include "hls/report.h"
#include "hls/shell.h"
#include "hls/wave.h"
#include "sim/ref_int.h"

#define DEFAULT_FRAMES 3
#define DEFAULT_SHELL_FRAMES 32 // more than the ring's slots
#define LOG_LINES 20

// ---- frames ----

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return *state >> 33;
}

// The model's input that the pipeline's graph reads as its input number `input`; -1: the host computes that one.
static int model_input(const struct pipeline *p, int input)
{
    if (!p->partition)
        return input;
    const struct graph *g = p->partition->whole;
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i] == p->partition->inputs[input].tensor)
            return i;
    return -1;
}

struct array *random_frame(struct arena *a, const struct design *d, uint64_t seed)
{
    const struct pipeline *p = d->pipeline;
    const struct graph *g = p->partition ? p->partition->whole : d->graph;
    struct array *frame = arena_array(a, struct array, g->n_inputs);
    uint64_t state = seed + 1;
    for (int k = 0; k < g->n_inputs; k++)
        frame[k] = array_new(a, g->inputs[k]->dtype, g->inputs[k]->rank, g->inputs[k]->dims);
    for (int k = 0; p->partition && k < g->n_inputs; k++) // what the host reads: any small numbers
        for (int64_t i = 0; i < array_count(&frame[k]); i++)
            array_set_f64(&frame[k], i, (double)(next_random(&state) % 256) / 256);
    for (int k = 0; k < p->n_inputs; k++) {
        int input = model_input(p, p->inputs[k].model);
        if (input < 0)
            continue;
        struct array *x = &frame[input];
        const struct stream *s = &p->streams[p->inputs[k].stream];
        double lo = (-128 - s->zero_point) * s->scale, hi = (127 - s->zero_point) * s->scale;
        for (int64_t i = 0; i < array_count(x); i++) {
            uint64_t r = next_random(&state) % 256;
            if (x->dtype == DT_INT8 || x->dtype == DT_UINT8)
                ((uint8_t *)x->data)[i] = (uint8_t)r;
            else
                array_set_f64(x, i, lo + (hi - lo) * (double)r / 255);
        }
    }
    return frame;
}

// ---- external tools ----

// Single quotes around s, for the shell.
static const char *quoted(struct arena *a, const char *s)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addch(&sb, '\'');
    for (; *s; s++)
        if (*s == '\'')
            strbuf_adds(&sb, "'\\''");
        else
            strbuf_addch(&sb, *s);
    strbuf_addch(&sb, '\'');
    char *r = arena_strdup(a, sb.text);
    strbuf_release(&sb);
    return r;
}

// The operand of `cd`: a relative one begins with ./, so that neither CDPATH nor a leading dash means anything.
static const char *cd_operand(struct arena *a, const char *dir)
{
    return quoted(a, dir[0] == '/' ? dir : arena_printf(a, "./%s", dir));
}

static const char *last_lines(struct arena *a, const char *text)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n')
        len--;
    text = arena_strndup(a, text, len);
    const char *p = text + len;
    for (int lines = 0; p > text && lines <= LOG_LINES; p--)
        lines += p[-1] == '\n';
    return arena_strdup(a, p > text ? p + 1 : p);
}

// Runs a shell command with its output in `log`. E502 with command and the log's end on failure.
static bool run(const struct ctx *cx, const char *command, const char *log)
{
    const char *whole = arena_printf(cx->arena, "{ %s ; } >%s 2>&1", command, quoted(cx->arena, log));
    int status = system(whole);
    if (status == 0)
        return true;
    struct strbuf sb = STRBUF_INIT;
    strbuf_read_file(&sb, log);
    bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    diag_emit(cx, (struct diag_msg){ .code = missing ? E501 : E502, .where = log, .found = last_lines(cx->arena, sb.text),
              .help = missing ? "install it: apt-get install verilator g++ make" : "the log has all of the tool's output" },
              "this command %s: %s", missing ? "was not found" : "failed", command);
    strbuf_release(&sb);
    return false;
}

const char *simulate_allocator(struct arena *a)
{
    Dl_info c;
    if (getenv("LD_PRELOAD") || !dladdr(stdout, &c) || !strchr(c.dli_fname, '/'))
        return "";
    const char *library = arena_printf(a, "%.*s/libjemalloc.so.2", (int)(strrchr(c.dli_fname, '/') - c.dli_fname), c.dli_fname);
    return access(library, R_OK) == 0 ? arena_printf(a, "LD_PRELOAD=%s ", quoted(a, library)) : "";
}

// What is different with the programs of the shells and of the pipeline alone.
#define LINE_SOURCES "libline.a -LDFLAGS -lutil -LDFLAGS -lm"
static const struct sim_program {
    const char *name, *kind, *prefix; // name: of --shell
    const char *suffix, *top, *sources; // the module NAME_suffix, or top
    bool is_line, has_faults;
    int64_t default_frames;
} programs[] = {
    [SIM_BARE] = { NULL, "plain", "Vcore", "core", NULL, "sim/visible.vlt ../harness.cpp", false, false, DEFAULT_FRAMES },
    [SIM_AXI] = { "axi", "shell", "Vshell", NULL, "shell_bench", "sim/aihls_check_axi.v sim/aihls_check_axil.v sim/shell_bench.v ../shell.cpp", false, true, DEFAULT_SHELL_FRAMES },
    [SIM_UART] = { "uart", "uart", "Vuart", NULL, "uart_bench", "sim/uart_bench.v ../uart.cpp " LINE_SOURCES, true, true, DEFAULT_FRAMES },
    [SIM_SPI] = { "spi", "spi", "Vspi", "spi", NULL, "../spi.cpp " LINE_SOURCES, true, true, DEFAULT_FRAMES }, // as fast as it may be anyway
};

bool sim_shell_named(const char *name, enum sim_shell *out)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (programs[i].name && strcmp(programs[i].name, name) == 0) {
            *out = (enum sim_shell)i;
            return true;
        }
    return false;
}

// Which program a request needs: sim/build_KIND/PREFIX.
static const char *model_kind(struct arena *a, const struct sim_request *r)
{
    const char *kind = programs[r->shell].kind;
    if (!r->trace)
        return kind;
    return r->shell ? arena_printf(a, "%s_trace", kind) : "trace";
}

// The Verilated program for the directory; built unless it is there.
static bool build_model(const struct ctx *cx, const struct sim_request *r, const struct design *d)
{
    struct arena *a = cx->arena;
    const struct sim_program *program = &programs[r->shell];
    const char *kind = model_kind(a, r), *prefix = program->prefix;
    const char *obj = arena_printf(a, "%s/sim/build_%s", r->dir, kind);
    const char *built = arena_printf(a, "%s/built", obj); // at the very end: a build may be killed while it writes Vcore
    if (access(built, F_OK) == 0 && access(arena_printf(a, "%s/%s", obj, prefix), X_OK) == 0)
        return true;
    if (system("command -v verilator >/dev/null 2>&1") != 0)
        return diag_error(cx, E501, "verilator", "install it: apt-get install verilator g++ make", "Verilator is not installed");
    mkdir(obj, 0755);
    // the host's side of the line is the driver's: all of its library, of which the linker takes what a network needs
    const char *library = !program->is_line ? "" : arena_printf(a,
        "(cd sim/build_%s && gcc -std=c11 -O1 -DNETWORK=%s_network -I../../driver -c ../../driver/libaihls/*.c ../../driver/%s_network.c && ar rcs libline.a *.o && rm *.o) && ",
        kind, d->top, d->top);
    const char *command = arena_printf(a,
        "cd %s && %s%sverilator --cc --exe --build -j 2 -Wno-fatal -O3 --x-assign unique --x-initial unique "
        "--output-split 20000 --output-split-cfuncs 500 %s--prefix %s --top-module %s --Mdir sim/build_%s "
        "-CFLAGS '-O1 -I.. -DNETWORK=%s_network' -f rtl/%s.f %s",
        cd_operand(a, r->dir), library, simulate_allocator(a), r->trace ? "--trace-fst " : "", prefix, program->top ? program->top : arena_printf(a, "%s_%s", d->top, program->suffix), kind, d->top, d->top, program->sources);
    const char *log = arena_printf(a, "%s/sim/build_%s.log", r->dir, kind);
    FILE *f = NULL;
    bool ok = run(cx, command, log);
    if (ok && access(arena_printf(a, "%s/%s", obj, prefix), X_OK) != 0)
        ok = diag_error(cx, E502, log, "the log has all of the tool's output", "Verilator made no program");
    if (ok && (!(f = fopen(built, "wb")) || fclose(f) != 0))
        ok = diag_error(cx, E002, built, "check the path, its permissions and the free space", "cannot write a file: %s", strerror(errno));
    if (!ok)
        remove_tree(obj);
    return ok;
}

// ---- reference data ----

// Elements of a stream as beats, unused lanes zero.
static void write_beats(struct strbuf *out, const struct stream *s, const int8_t *x)
{
    int64_t per_pixel = ceil_div(s->c, s->lanes);
    for (int64_t pixel = 0; pixel < s->h * s->w; pixel++) {
        strbuf_add(out, x + pixel * s->c, (size_t)s->c);
        for (int64_t i = s->c; i < per_pixel * s->lanes; i++)
            strbuf_addch(out, 0);
    }
}

static bool write_reference(const struct ctx *cx, const struct sim_request *r, const struct design *d,
                            const struct array *batch, int64_t frames, const char *path)
{
    const struct pipeline *p = d->pipeline;
    FILE *f = fopen(path, "wb");
    bool ok = true, made = true;
    if (!f)
        return diag_error(cx, E002, path, strerror(errno), "cannot write the reference data");
    for (int64_t i = 0; ok && made && i < frames; i++) {
        struct arena scratch = { 0 };
        struct strbuf beats = STRBUF_INIT;
        struct ctx inner = { &scratch, cx->diag };
        struct array *frame = arena_array(&scratch, struct array, d->source->n_inputs);
        void *memory;
        int8_t **streams = arena_array(&scratch, int8_t *, p->n_streams);
        if (batch)
            made = batch_frame(&inner, d->source, r->input, batch, i % batch_frames(d->source, batch), frame);
        else
            frame = random_frame(&scratch, d, (uint64_t)i);
        made = made && border_in(&inner, p, &scratch, frame, streams, &memory);
        if (made) {
            ref_int_frame(p, &scratch, streams);
            for (int s = 0; s < p->n_streams; s++)
                write_beats(&beats, &p->streams[s], streams[s]);
            ok = fwrite(beats.text, 1, beats.len, f) == beats.len;
        }
        strbuf_release(&beats);
        arena_release(&scratch);
    }
    ok &= fclose(f) == 0;
    return made && (ok || diag_error(cx, E002, path, strerror(errno), "cannot write the reference data"));
}

// ---- results ----

bool simulate_mismatch(const struct ctx *cx, const struct design *d, const json_t *m)
{
    const struct pipeline *p = d->pipeline;
    struct arena *a = cx->arena;
    const struct stream *s = &p->streams[json_integer_value(json_object_get(m, "stream"))];
    int64_t beat = json_integer_value(json_object_get(m, "beat")), per_pixel = ceil_div(s->c, s->lanes);
    int64_t pixel = beat / per_pixel, c = beat % per_pixel * s->lanes + json_integer_value(json_object_get(m, "lane"));
    return diag_emit(cx, (struct diag_msg){ .code = E601,
        .where = arena_printf(a, "%s: stage %s, tensor '%s', frame %lld, y %lld, x %lld, channel %lld, cycle %lld", d->top,
                              s->producer < 0 ? "input" : p->stages[s->producer].name, s->tensor,
                              (long long)json_integer_value(json_object_get(m, "frame")), (long long)(pixel / s->w),
                              (long long)(pixel % s->w), (long long)c, (long long)json_integer_value(json_object_get(m, "cycle"))),
        .found = arena_printf(a, "%lld in the Verilog", (long long)json_integer_value(json_object_get(m, "have"))),
        .need = arena_printf(a, "%lld, the reference", (long long)json_integer_value(json_object_get(m, "want"))),
        .help = "this is a mistake in aihls, please report it; --trace FILE.fst records the waveform" },
        "simulation and integer reference differ");
}

static bool report_stuck(const struct ctx *cx, const struct design *d, const json_t *seen)
{
    const struct pipeline *p = d->pipeline;
    struct strbuf sb = STRBUF_INIT;
    for (int i = 0; i < p->n_streams; i++)
        strbuf_addf(&sb, "%s%s %lld", i ? ", " : "", p->streams[i].name, (long long)json_integer_value(json_array_get(seen, (size_t)i)));
    diag_emit(cx, (struct diag_msg){ .code = E602, .where = d->top, .found = arena_printf(cx->arena, "beats passed: %s", sb.text),
              .help = "this is a mistake in aihls, please report it" }, "nothing moves any more");
    strbuf_release(&sb);
    return false;
}

// The list's n integers, divided by `by` and rounded to the nearest.
static int64_t *numbers(struct arena *a, const json_t *list, int n, int64_t by)
{
    int64_t *v = arena_array(a, int64_t, n);
    for (int i = 0; i < n; i++)
        v[i] = ((int64_t)json_integer_value(json_array_get(list, (size_t)i)) + by / 2) / by;
    return v;
}

// What a stage cost in the simulation, to hold against its predicted cycles: the largest of the cycles in which
// it stepped or waited for its own requantizer, of its results times the cycles each takes there, and of
// its input beats.
static void count_stages(const struct design *d, const json_t *j, int64_t frames, struct sim_result *out)
{
    const json_t *seen = json_object_get(j, "seen");
    for (int i = 0; i < d->pipeline->n_stages; i++) {
        const struct stage *s = &d->pipeline->stages[i];
        int64_t beats = (int64_t)json_integer_value(json_array_get(seen, (size_t)s->out_stream)) / frames;
        int64_t drain = beats * s->fold.rq_cycles, input = cost_input_cycles(s, s->fold.in_lanes);
        out->stage_cycles[i] = max_i64(out->stage_cycles[i], max_i64(s->has_requant ? drain : beats, input));
    }
}

// When the last frame's beats passed.
static void read_frame(struct arena *a, const struct pipeline *p, const json_t *j, struct sim_result *out)
{
    int64_t *first = out->stream_first = numbers(a, json_object_get(j, "first_beat"), p->n_streams, 1);
    int64_t *last = out->stream_last = numbers(a, json_object_get(j, "last_beat"), p->n_streams, 1);
    int64_t origin = INT64_MAX;
    for (int i = 0; i < p->n_inputs; i++)
        origin = min_i64(origin, first[p->inputs[i].stream]);
    for (int i = 0; i < p->n_streams; i++) {
        first[i] = first[i] < 0 ? -1 : first[i] - origin;
        last[i] = last[i] < 0 ? -1 : last[i] - origin;
    }
}

static bool read_result(const struct ctx *cx, const struct design *d, const char *path, int64_t frames, struct sim_result *out)
{
    json_t *j = json_load_file(path, 0, NULL);
    if (!j)
        return diag_error(cx, E502, path, NULL, "the simulation left no result");
    const json_t *end = json_object_get(j, "frame_end"), *first = json_object_get(j, "first");
    int64_t n = (int64_t)json_array_size(end);
    int64_t *ends = numbers(cx->arena, end, (int)n, 1);
    *out = (struct sim_result){ .frames = n, .mismatches = json_integer_value(json_object_get(j, "mismatches")) };
    out->cycles_per_frame = n >= 2 ? ends[n - 1] - ends[n - 2] : 0;
    out->latency_cycles = n >= 1 ? ends[0] - json_integer_value(json_object_get(j, "first_in")) : 0;
    out->stage_cycles = numbers(cx->arena, json_object_get(j, "busy"), d->pipeline->n_stages, max_i64(n, 1));
    count_stages(d, j, max_i64(n, 1), out);
    out->stream_blocked = numbers(cx->arena, json_object_get(j, "blocked"), d->pipeline->n_streams, max_i64(n, 1));
    read_frame(cx->arena, d->pipeline, j, out);
    bool ok = true;
    if (first)
        ok = simulate_mismatch(cx, d, first);
    else if (n < frames)
        ok = report_stuck(cx, d, json_object_get(j, "seen"));
    json_decref(j);
    return ok;
}

// Verilator would say nothing when it cannot write the trace; and the save file beside it.
static bool open_trace(const struct ctx *cx, const char *path)
{
    FILE *f = fopen(path, "wb");
    return (f && fclose(f) == 0) || diag_error(cx, E002, path, "check the path and its permissions", "cannot write the trace: %s", strerror(errno));
}

static bool write_wave(const struct ctx *cx, const struct design *d, const char *trace)
{
    const char *path = wave_path(cx->arena, trace);
    struct strbuf sb = STRBUF_INIT;
    wave_print(d, cx->arena, trace, &sb);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(sb.text, 1, sb.len, f) == sb.len;
    if (f)
        ok &= fclose(f) == 0;
    strbuf_release(&sb);
    return ok || diag_error(cx, E002, path, "check the path and its permissions", "cannot write the save file for GTKWave: %s", strerror(errno));
}

// The path from the root: the simulation runs in another directory.
static const char *absolute(struct arena *a, const char *path)
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *full = path[0] == '/' ? path : arena_printf(a, "%s/%s", here ? here : ".", path);
    free(here);
    return full;
}

bool simulate(const struct ctx *cx, const struct sim_request *r, struct design *d, struct sim_result *out)
{
    struct arena *a = cx->arena;
    struct array *batch = NULL;
    const char *reference = arena_printf(a, "%s/sim/reference.bin", r->dir), *result = arena_printf(a, "%s/sim/result.json", r->dir);
    if (!design_reopen(cx, r->dir, d) || (r->input && !batch_read(cx, d->source, r->input, &batch)))
        return false;
    if (!d->netlist)
        return diag_error(cx, E210, r->dir, "`aihls run` computes what the driver does", "there is nothing to simulate: the host computes the whole model");
    if (programs[r->shell].is_line && !shell_has_uart(d))
        return diag_error(cx, E401, d->board.name, "boards without a processor have the UART and SPI shells", "this output has no %s shell", r->shell == SIM_SPI ? "SPI" : "UART");
    if (r->shell == SIM_AXI && !shell_has_axi(d))
        return diag_error(cx, E401, d->board.name, "boards with a processor have the AXI shell: axi_data_bits in the board's file", "this output has no AXI shell");
    d->calib = batch;
    int64_t frames = r->frames ? r->frames : r->input ? batch_frames(d->source, batch) : programs[r->shell].default_frames;
    int64_t patience = 100000 + 20 * d->pipeline->interval_cycles;
    const char *trace = r->trace ? absolute(a, r->trace) : NULL;
    // of the shell's trace GTKWave shows the hierarchy alone
    if (trace && (!open_trace(cx, trace) || (!r->shell && !write_wave(cx, d, trace))))
        return false;
    remove_tree(result);
    const char *command = arena_printf(a, "cd %s && sim/build_%s/%s sim/reference.bin %lld %lld %lld %lld %llu %s%lld sim/result.json %s", cd_operand(a, r->dir),
                                       model_kind(a, r), programs[r->shell].prefix, (long long)frames, (long long)r->power_seed, (long long)r->reset_cycles, (long long)r->reset_at,
                                       (unsigned long long)r->stall_seed, programs[r->shell].has_faults ? arena_printf(a, "%llu ", (unsigned long long)r->fault_seed) : "", (long long)patience,
                                       trace ? quoted(a, trace) : "");
    // the frames first: they may not fit the model, and the program takes its time
    bool ok = write_reference(cx, r, d, batch, frames, reference) && build_model(cx, r, d) &&
              run(cx, command, arena_printf(a, "%s/sim/run.log", r->dir)) &&
              (r->shell ? simulate_shell_result(cx, d, result, out) : read_result(cx, d, result, frames, out));
    remove_tree(reference);
    return ok;
}

static json_t *simulated_stage(const struct stage *s, const struct sim_result *r)
{
    int64_t busy = r->stage_cycles[s->index];
    return json_pack("{s:s, s:I, s:I, s:I}", "name", s->name, "busy_cycles", (json_int_t)busy, "waiting_cycles", (json_int_t)max_i64(0, r->cycles_per_frame - busy),
                     "blocked_cycles", (json_int_t)r->stream_blocked[s->out_stream]);
}

static json_t *simulated_stream(const struct stream *s, const struct sim_result *r)
{
    return json_pack("{s:s, s:I, s:I, s:I}", "name", s->name, "blocked_cycles", (json_int_t)r->stream_blocked[s->index],
                     "first_beat", (json_int_t)r->stream_first[s->index], "last_beat", (json_int_t)r->stream_last[s->index]);
}

static json_t *simulated_report(const struct sim_request *r, const struct pipeline *p, const struct sim_result *s)
{
    json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I}", "frames", (json_int_t)s->frames, "cycles_per_frame", (json_int_t)s->cycles_per_frame,
                          "latency_cycles", (json_int_t)s->latency_cycles, "mismatches", (json_int_t)s->mismatches, "stall_seed", (json_int_t)r->stall_seed);
    json_t *stages = json_array(), *streams = json_array();
    for (int i = 0; i < p->n_stages; i++)
        json_array_append_new(stages, simulated_stage(&p->stages[i], s));
    for (int i = 0; i < p->n_streams; i++)
        json_array_append_new(streams, simulated_stream(&p->streams[i], s));
    json_object_set_new(o, "stages", stages);
    json_object_set_new(o, "streams", streams);
    return o;
}

// What the compiler left out.
static void add_error(const struct ctx *cx, struct design *d, json_t *report)
{
    if (json_object_get(report, "quantization"))
        return;
    quant_error_measure(cx, d);
    report_add_error(report, d);
}

bool simulate_report(const struct ctx *cx, const struct sim_request *r, struct design *d, const struct sim_result *s)
{
    const char *path = arena_printf(cx->arena, "%s/report.json", r->dir);
    json_t *report = json_load_file(path, 0, NULL);
    if (!report)
        return diag_error(cx, E105, path, "compile the model again", "report.json is missing or damaged");
    if (r->shell == SIM_AXI)
        json_object_set_new(report, "simulated_shell", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "frames", (json_int_t)s->frames, "cycles_per_frame",
                            (json_int_t)s->cycles_per_frame, "latency_cycles", (json_int_t)s->latency_cycles, "marked", (json_int_t)s->marked,
                            "stall_seed", (json_int_t)r->stall_seed, "fault_seed", (json_int_t)r->fault_seed));
    else if (programs[r->shell].is_line)
        json_object_set_new(report, arena_printf(cx->arena, "simulated_%s", programs[r->shell].name), json_pack("{s:I, s:I, s:I, s:I, s:I}", "frames", (json_int_t)s->frames, "lost", (json_int_t)s->marked,
                            "noise", (json_int_t)s->noise, "stall_seed", (json_int_t)r->stall_seed, "fault_seed", (json_int_t)r->fault_seed));
    else
        json_object_set_new(report, "simulated", simulated_report(r, d->pipeline, s));
    json_t *stages = json_object_get(report, "stages");
    for (int i = 0; !r->shell && i < d->pipeline->n_stages; i++)
        json_object_set_new(json_array_get(stages, (size_t)i), "simulated_cycles", json_integer((json_int_t)s->stage_cycles[i]));
    add_error(cx, d, report);
    const char *temp = arena_printf(cx->arena, "%s.tmp", path);
    bool ok = json_dump_file(report, temp, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 && rename(temp, path) == 0;
    ok = ok ? report_html_write(cx, r->dir, report) : diag_error(cx, E002, path, strerror(errno), "cannot write report.json");
    json_decref(report);
    return ok;
}

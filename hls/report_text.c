// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "hls/report.h"
#include "hls/report_view.h"

#define BAR_CHARS 24
#define GANTT_CHARS 78

// At most `most` characters of s; control characters would reach the terminal.
static const char *plain(const struct view *v, const char *s, int most)
{
    char *out = arena_strdup(v->arena, s);
    int n = 0;
    for (char *c = out; *c; c++) {
        bool starts = ((unsigned char)*c & 0xc0) != 0x80;
        if (starts && n++ == most) {
            *c = 0;
            break;
        }
        if ((unsigned char)*c < 0x20 || *c == 0x7f || ((unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0)) // C1 controls too
            *c = '?';
    }
    return out;
}

static void add_bar(struct strbuf *out, double percent, char c, int chars)
{
    int full = (int)lround(fmin(100, fmax(0, percent)) * chars / 100);
    for (int i = 0; i < chars; i++)
        strbuf_addch(out, i < full ? c : '.');
}

static const char *cycles(const struct view *v, int64_t n)
{
    return n == UNKNOWN ? "-" : view_count(v->arena, n);
}

// ---- sections ----

static void figure(const struct view *v, struct strbuf *out, const char *name, double predicted, double simulated, int decimals)
{
    strbuf_addf(out, "  %-26s %14.*f", name, decimals, predicted);
    if (v->simulated)
        strbuf_addf(out, " %14.*f %+9.2f %%", decimals, simulated, predicted > 0 ? 100 * (simulated / predicted - 1) : 0);
    strbuf_addch(out, '\n');
}

static void print_title(const struct view *v, struct strbuf *out)
{
    const json_t *r = v->report;
    strbuf_addf(out, "%s on %s (%s, %lld MHz)\n\n", plain(v, view_text(r, "model.name"), 40), plain(v, view_text(r, "board.name"), 30),
                plain(v, view_text(r, "board.part"), 30), (long long)(v->clock_hz / 1000000));
}

static void print_figures(const struct view *v, struct strbuf *out)
{
    const json_t *r = v->report;
    double hz = (double)v->clock_hz, macs = view_real(r, "model.macs"), predicted = fmax(1, (double)v->predicted_cycles), simulated = fmax(1,
                 (double)v->simulated_cycles);
    strbuf_addf(out, "  %-26s %14s%s\n", "", "predicted", v->simulated ? "      simulated" : "");
    figure(v, out, "frames a second", hz / predicted / v->runs, hz / simulated / v->runs, 0);
    figure(v, out, "cycles a frame", (double)v->predicted_cycles, (double)v->simulated_cycles, 0);
    figure(v, out, "latency, cycles", view_real(r, "predicted.latency_cycles"), view_real(r, "simulated.latency_cycles"), 0);
    figure(v, out, "MAC a cycle", macs / predicted, macs / simulated, 1);
    strbuf_addf(out, "\n  bound by %s; %s\n", plain(v, view_text(r, "schedule.bound"), 60), json_is_true(
                view_get(r, "schedule.optimal")) ? "the interval is proven least" : "the interval is not proven least");
    if (json_is_object(view_get(r, "simulated")))
        strbuf_addf(out, "  %lld frames simulated, %d streams compared, %lld mismatches%s\n", (long long)view_int(r, "simulated.frames"),
                    v->n_streams, (long long)view_int(r, "simulated.mismatches"),
                    view_int(r, "simulated.stall_seed") ? ", with random stalls" : "");
    else
        strbuf_adds(out, "  not simulated yet: `aihls sim` adds its figures\n");
}

static void resource(const struct view *v, struct strbuf *out, const char *name, const char *used_key, const char *have_key)
{
    int64_t used = view_int(v->report, used_key), have = view_int(v->report, have_key);
    strbuf_addf(out, "  %-10s ", plain(v, name, 10));
    add_bar(out, view_percent((double)used, (double)have), '#', BAR_CHARS);
    strbuf_addf(out, " %9s of %9s  %5.1f %%\n", view_count(v->arena, used), view_count(v->arena, have), view_percent((double)used, (double)have));
}

static const char *count(const struct view *v, const char *path)
{
    return view_count(v->arena, view_int(v->report, path));
}

static void print_resources(const struct view *v, struct strbuf *out)
{
    const char *block = view_text(v->report, "board.bram_block");
    strbuf_adds(out, "\nresources\n");
    resource(v, out, "DSP", "predicted.dsp", "board.dsp");
    resource(v, out, *block ? block : "block RAM", "predicted.bram", "board.bram");
    resource(v, out, "LUT", "predicted.lut", "board.lut");
    resource(v, out, "FF", "predicted.ff", "board.ff");
    if (json_object_get(v->report, "reload"))
        strbuf_addf(out, "  %s bytes of weights may be loaded; their memories take %s %s, %s LUT and %s FF more than ROMs\n", count(v, "reload.bytes"), count(v, "reload.more_bram"),
                    *block ? block : "block RAM", count(v, "reload.more_lut"), count(v, "reload.more_ff"));
}

static void print_stages(const struct view *v, struct strbuf *out)
{
    double interval = (double)(v->simulated ? v->simulated_cycles : v->predicted_cycles);
    strbuf_addf(out, "\n%-12s %-20s %-*s %9s %9s %9s %9s %5s\n", "stage", "nodes", BAR_CHARS / 2, v->simulated ? "busy" : "predicted", "predicted",
                "busy", "waiting", "blocked", "DSP");
    for (int i = 0; i < v->n_stages; i++) {
        const struct view_stage *s = &v->stages[i];
        const char *nodes = plain(v, s->nodes, 20);
        int pad = 20;
        for (const char *c = nodes; *c; c++)
            pad -= ((unsigned char)*c & 0xc0) != 0x80;
        strbuf_addf(out, "%-12s %s%*s ", plain(v, s->name, 12), nodes, pad, "");
        add_bar(out, view_percent((double)(v->simulated ? s->busy : s->predicted), interval), '#', BAR_CHARS / 2);
        strbuf_addf(out, " %9s %9s %9s %9s %5lld\n", cycles(v, s->predicted), cycles(v, s->busy), cycles(v, s->waiting), cycles(v, s->blocked), (long long)s->dsp);
    }
}

static const char *end_name(const struct view *v, int stage, const char *port)
{
    return plain(v, stage == HOST ? port : v->stages[stage].name, 14);
}

static void print_streams(const struct view *v, struct strbuf *out)
{
    strbuf_addf(out, "\n%-8s %-14s %-14s %-18s %6s %10s %9s %7s\n", "stream", "from", "to", "shape", "lanes", "FIFO words", "SQNR, dB", "steps");
    for (int i = 0; i < v->n_edges; i++) {
        const struct view_edge *e = &v->edges[i];
        const struct view_stream *s = &v->streams[e->stream];
        const char *db = !s->compared ? "-" : s->exact ? "exact" : arena_printf(v->arena, "%.1f", s->sqnr_db);
        strbuf_addf(out, "%-8s %-14s %-14s %-18s %6lld %9s%s %9s %7s\n", plain(v, s->name, 8), end_name(v, s->from, s->port), end_name(v, e->to,
                    e->port), s->shape, (long long)s->lanes, view_count(v->arena, e->fifo_words),
                    e->block ? "*" : " ", db, s->compared ? arena_printf(v->arena, "%.2f", s->error_steps) : "-");
    }
    strbuf_adds(out, "* in block RAM");
    if (json_is_object(view_get(v->report, "quantization")))
        strbuf_addf(out, "; error against %s, %lld frames, %s inputs", plain(v, view_text(v->report, "quantization.reference"), 50),
                    (long long)view_int(v->report, "quantization.frames"),
                    plain(v, view_text(v->report, "quantization.inputs"), 20));
    strbuf_addch(out, '\n');
}

// Widths that --min-accuracy or --max-loss chose, with what each layer alone would cost in 8, 4 and 2 bits.
static void print_precision(const struct view *v, struct strbuf *out)
{
    const json_t *p = view_get(v->report, "precision"), *o;
    size_t i;
    if (!json_is_object(p))
        return;
    strbuf_addf(out, "\nweights: %s bits of %s in 8 bits; %s %.2f %% of the float model's %.2f %%, %lld frames, %lld trials\n", view_count(v->arena, view_int(p, "weight_bits")),
                view_count(v->arena, view_int(p, "weight_bits_of_8")), plain(v, view_text(p, "measure"), 40), view_real(p, "integer_percent"), view_real(p, "float_percent"),
                (long long)view_int(p, "frames"), (long long)view_int(p, "trials"));
    strbuf_addf(out, "%-32s %5s %10s   alone in 8, 4, 2 bits, dB\n", "layer", "bits", "weights");
    json_array_foreach(view_get(p, "layers"), i, o) {
        const json_t *db = view_get(o, "sqnr_db_alone_in_8_4_2");
        strbuf_addf(out, "%-32s %5lld %10s ", plain(v, view_text(o, "layer"), 32), (long long)view_int(o, "weight_bits"), view_count(v->arena, view_int(o, "weights")));
        for (size_t k = 0; k < 3; k++)
            strbuf_addf(out, " %7.1f", json_number_value(json_array_get(db, k)));
        strbuf_addch(out, '\n');
    }
}

// From a stage's first result to its last.
static void print_frame(const struct view *v, struct strbuf *out)
{
    int64_t end = 0;
    for (int i = 0; i < v->n_streams; i++)
        end = max_i64(end, v->streams[i].last);
    if (!v->simulated || end == 0)
        return;
    strbuf_addf(out, "\none frame, 0 to %s cycles\n", view_count(v->arena, end));
    for (int i = 0; i < v->n_stages; i++) {
        const struct view_stage *s = &v->stages[i];
        const struct view_stream *x = s->out == UNKNOWN ? NULL : &v->streams[s->out];
        if (!x || x->first == UNKNOWN || x->last < x->first)
            continue;
        int64_t from = x->first * GANTT_CHARS / (end + 1), to = x->last * GANTT_CHARS / (end + 1);
        strbuf_addf(out, "%-12s ", plain(v, s->name, 12));
        for (int64_t c = 0; c <= to; c++)
            strbuf_addch(out, c < from ? ' ' : '=');
        strbuf_addch(out, '\n');
    }
}

static void print_host(const struct view *v, struct strbuf *out)
{
    const json_t *host = view_get(v->report, "host"), *o;
    size_t i;
    if (json_array_size(host))
        strbuf_adds(out, "\non the host\n");
    json_array_foreach(host, i, o) {
        strbuf_addf(out, "  %-8s %-8s %-17s %s\n", plain(v, view_text(o, "port"), 8), plain(v, view_text(o, "side"), 8), plain(v, view_text(o, "op"),
                    17), plain(v, view_text(o, "why"), 90));
    }
}

void report_text(const json_t *report, struct arena *a, struct strbuf *out)
{
    struct view v = view_make(report, a);
    print_title(&v, out);
    if (v.n_stages == 0) {
        strbuf_adds(out, "  nothing runs in hardware: the driver computes the whole model\n");
        print_host(&v, out);
        return;
    }
    print_figures(&v, out);
    print_resources(&v, out);
    print_stages(&v, out);
    print_streams(&v, out);
    print_precision(&v, out);
    print_frame(&v, out);
    print_host(&v, out);
}

// SPDX-License-Identifier: Apache-2.0
// Figures: what is to be seen first, a line for each stage, the host's part, and all of a stage.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "hls/report_html_impl.h"

static const char *esc(const struct view *v, const char *s)
{
    return html_escape(v->arena, s);
}

static const char *cycles(const struct view *v, int64_t n)
{
    return n == UNKNOWN ? "&#8211;" : view_count(v->arena, n);
}

// ---- summary ----

static void summary_row(const struct view *v, struct strbuf *out, const char *name, double predicted, double simulated, int decimals)
{
    const char *both[2];
    for (int i = 0; i < 2; i++) {
        double x = i ? simulated : predicted;
        both[i] = i && !v->simulated ? "&#8211;" : decimals ? arena_printf(v->arena, "%.*f", decimals, x) : view_count(v->arena, (int64_t)llround(x));
    }
    strbuf_addf(out, "<tr><th>%s</th><td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num dim\">%s</td></tr>\n", name, both[0], both[1],
                v->simulated && predicted > 0 ? arena_printf(v->arena, "%+.2f %%", 100 * (simulated / predicted - 1)) : "");
}

void html_summary(const struct view *v, struct strbuf *out)
{
    const json_t *r = v->report;
    double macs = view_real(r, "model.macs"), peak = view_real(r, "board.dsp") * view_real(r, "board.dsp_products"), hz = (double)v->clock_hz;
    double predicted = fmax(1, (double)v->predicted_cycles), simulated = fmax(1, (double)v->simulated_cycles);
    strbuf_adds(out, "<table class=\"figures\"><thead><tr><th></th><th class=\"num\">predicted</th><th class=\"num\">simulated</th><th class=\"num\">"
                "difference</th></tr></thead><tbody>\n");
    summary_row(v, out, "frames a second", hz / predicted / v->runs, hz / simulated / v->runs, 0);
    summary_row(v, out, "cycles a frame", (double)v->predicted_cycles, (double)v->simulated_cycles, 0);
    summary_row(v, out, "latency, cycles", view_real(r, "predicted.latency_cycles"), view_real(r, "simulated.latency_cycles"), 0);
    summary_row(v, out, "latency, &#181;s", hz > 0 ? view_real(r, "predicted.latency_cycles") * 1e6 / hz : 0, hz > 0 ?
                view_real(r, "simulated.latency_cycles") * 1e6 / hz : 0, 2);
    summary_row(v, out, "MAC a cycle", macs / predicted, macs / simulated, 1);
    if (peak > 0)
        summary_row(v, out, "share of the board's DSP peak, %", 100 * macs / predicted / peak, 100 * macs / simulated / peak, 1);
    strbuf_adds(out, "</tbody></table>\n");
    const char *bound = view_text(r, "schedule.bound");
    strbuf_addf(out, "<p>Bound by <b>%s</b>; the interval is %s. ", esc(v, *bound ? bound : "?"), json_is_true(
                view_get(r, "schedule.optimal")) ? "proven least in the cost model" : "the best found, not proven least");
    if (json_is_object(view_get(r, "simulated")))
        strbuf_addf(out, "Simulated: %lld frames, %d streams compared, <b>%lld mismatches</b>%s.</p>\n", (long long)view_int(r, "simulated.frames"),
                    v->n_streams, (long long)view_int(r, "simulated.mismatches"),
                    view_int(r, "simulated.stall_seed") ? ", every stream pausing at random" : "");
    else
        strbuf_adds(out, "Not simulated yet: <code>aihls sim</code> adds its figures here.</p>\n");
}

// ---- stages ----

// Two bars of the interval: predicted above; simulated below, busy and then blocked.
static void stage_bars(const struct view *v, struct strbuf *out, const struct view_stage *s)
{
    double whole = (double)max_i64(1, max_i64(v->predicted_cycles, v->simulated_cycles));
    strbuf_addf(out, "<div class=\"bar thin\"><i class=\"predicted\" style=\"width:%.1f%%\"></i></div>", fmin(100, view_percent((double)s->predicted, whole)));
    if (s->busy == UNKNOWN || !v->simulated)
        return;
    double busy = fmin(100, view_percent((double)s->busy, whole)), blocked = fmin(100 - busy, view_percent((double)s->blocked, whole));
    strbuf_addf(out, "<div class=\"bar\"><i class=\"busy\" style=\"width:%.1f%%\"></i><i class=\"blocked\" style=\"width:%.1f%%\"></i></div>", busy, blocked);
}

// Products that count, of those that the stage's multipliers could make in a frame's time.
static const char *multiplier_use(const struct view *v, const struct view_stage *s)
{
    double interval = (double)(v->simulated ? v->simulated_cycles : v->predicted_cycles), most = (double)s->products * interval;
    return s->products > 0 && interval > 0 ? arena_printf(v->arena, "%.0f %%", 100 * (double)s->macs / most) : "";
}

void html_stages(const struct view *v, struct strbuf *out)
{
    const char *block = view_text(v->report, "board.bram_block");
    strbuf_addf(out, "<div class=\"scroll\"><table class=\"stages\"><thead><tr><th>stage</th><th>nodes</th><th>share of the interval</th><th "
                "class=\"num\">predicted</th><th class=\"num\">busy</th><th class=\"num\">waiting</th>"
                "<th class=\"num\">blocked</th><th class=\"num\">products</th><th class=\"num\">used</th><th class=\"num\">DSP</th><th class=\"num\">"
                        "%s</th><th class=\"num\">LUT</th></tr></thead><tbody>\n", esc(v, *block ? block : "RAM"));
    for (int i = 0; i < v->n_stages; i++) {
        const struct view_stage *s = &v->stages[i];
        strbuf_addf(out, "<tr><th><a href=\"#st%d\">%s</a></th><td title=\"%s\">%s</td><td class=\"wide\">", i, esc(v, s->name), esc(v, s->nodes),
                    html_clip(v->arena, s->nodes, 30));
        stage_bars(v, out, s);
        strbuf_addf(out, "</td><td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num\">"
                    "%s</td><td class=\"num\">%s</td>", cycles(v, s->predicted), cycles(v, s->busy),
                    cycles(v, s->waiting), cycles(v, s->blocked), s->products ? view_count(v->arena, s->products) : "", multiplier_use(v, s));
        strbuf_addf(out, "<td class=\"num\">%s</td><td class=\"num\">%s</td><td class=\"num\">%s</td></tr>\n", view_count(v->arena, s->dsp),
                    view_count(v->arena, s->bram), view_count(v->arena, s->lut));
    }
    strbuf_adds(out, "</tbody></table></div>\n<p class=\"legend\"><i class=\"predicted\"></i> predicted <i class=\"busy\"></i> busy, simulated <i "
                "class=\"blocked\"></i> blocked: a result waits for its reader &#8212; all in cycles a frame; "
                "the rest of the interval the stage waits. Products: 8-bit multiplications that its multipliers can make in a cycle, and how many of "
                        "them count.</p>\n");
}

// ---- host ----

void html_host(const struct view *v, struct strbuf *out)
{
    const json_t *host = view_get(v->report, "host"), *o;
    size_t i;
    if (json_array_size(host) == 0) {
        strbuf_adds(out, "<p>Nothing: the model's inputs and outputs are the hardware's.</p>\n");
        return;
    }
    strbuf_adds(out, "<table><thead><tr><th>port</th><th></th><th>operator</th><th>node</th><th>why</th></tr></thead><tbody>\n");
    json_array_foreach(host, i, o) {
        strbuf_addf(out, "<tr><td>%s</td><td>%s</td><td>%s</td><td title=\"%s\">%s</td><td>%s</td></tr>\n", esc(v, view_text(o, "port")),
                    esc(v, view_text(o, "side")), esc(v, view_text(o, "op")), esc(v, view_text(o, "name")),
                    html_clip(v->arena, view_text(o, "name"), 40), esc(v, view_text(o, "why")));
    }
    strbuf_adds(out, "</tbody></table>\n");
}

// ---- panels ----

static void panel_row(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, "<tr><th>%s</th><td>%s</td></tr>\n", name, value);
}

static void panel_nodes(const struct view *v, struct strbuf *out, const struct view_stage *s)
{
    size_t i;
    const json_t *o;
    json_array_foreach(view_get(s->json, "onnx_nodes"), i, o) {
        const char *op = view_text(o, "op"), *part = view_text(o, "part");
        panel_row(out, *op ? esc(v, op) : "&#8211;", arena_printf(v->arena, "%s%s%s", esc(v, view_text(o, "name")), *part ? ", " : "", esc(v, part)));
    }
}

static void panel_streams(const struct view *v, struct strbuf *out, int stage)
{
    for (int i = 0; i < v->n_edges; i++) {
        const struct view_edge *e = &v->edges[i];
        const struct view_stream *s = &v->streams[e->stream];
        if (e->to == stage)
            panel_row(out, "input", arena_printf(v->arena, "%s from %s: %s, %lld a beat, read %lld at a time; FIFO of %s words%s", esc(v, s->name),
                      esc(v, s->from == HOST ? s->port : v->stages[s->from].name), s->shape,
                                                 (long long)s->lanes, (long long)e->lanes, view_count(v->arena, e->fifo_words), e->block ? " in block RAM" : ""));
    }
    int out_stream = v->stages[stage].out;
    if (out_stream == UNKNOWN)
        return;
    const struct view_stream *s = &v->streams[out_stream];
    panel_row(out, "output", arena_printf(v->arena, "%s: %s, %lld a beat, %s beats", esc(v, s->name), s->shape, (long long)s->lanes,
              view_count(v->arena, s->beats)));
    panel_row(out, "tensor", esc(v, s->tensor));
    panel_row(out, "element", arena_printf(v->arena, "%.6g * (q %+.0f)", view_real(s->json, "scale"), -(double)view_int(s->json, "zero_point")));
    if (s->compared)
        panel_row(out, "error", s->exact ? "none" : arena_printf(v->arena, "%.1f dB, %.2f steps", s->sqnr_db, s->error_steps));
    if (s->first != UNKNOWN)
        panel_row(out, "results", arena_printf(v->arena, "in cycles %s to %s of the frame", view_count(v->arena, s->first), view_count(v->arena, s->last)));
}

static void panel(const struct view *v, struct strbuf *out, int i)
{
    const struct view_stage *s = &v->stages[i];
    strbuf_addf(out, "<section class=\"panel\" id=\"st%d\"><a class=\"close\" href=\"#pipeline\">close</a><h3>%s <span class=\"dim\">%s</span></h3>"
                "<table>\n", i, esc(v, s->name), esc(v, s->kind));
    panel_nodes(v, out, s);
    panel_streams(v, out, i);
    panel_row(out, "cycles", arena_printf(v->arena, "%s predicted, %s simulated; waits %s, blocked %s", cycles(v, s->predicted), cycles(v, s->busy),
              cycles(v, s->waiting), cycles(v, s->blocked)));
    if (s->products) {
        const char *made = arena_printf(v->arena, "%lld lanes, %lld deep, in %s, %lld on a multiplier", (long long)view_int(s->json, "lanes"),
                                        (long long)view_int(s->json, "depth"), esc(v, view_text(s->json, "multipliers")),
                                        (long long)view_int(s->json, "packing"));
        panel_row(out, "multipliers", arena_printf(v->arena, "%s products a cycle: %s; %s of them used", view_count(v->arena, s->products), made,
                                                   multiplier_use(v, s)));
    }
    panel_row(out, "requantizer", arena_printf(v->arena, "%.3g results a cycle, multipliers: %s", view_real(s->json, "requant_rate"),
              esc(v, view_text(s->json, "requant_multipliers"))));
    panel_row(out, "resources", arena_printf(v->arena, "%s DSP, %s block RAM, %s LUT, %s FF", view_count(v->arena, s->dsp),
              view_count(v->arena, s->bram), view_count(v->arena, s->lut), view_count(v->arena, s->ff)));
    strbuf_adds(out, "</table></section>\n");
}

void html_panels(const struct view *v, struct strbuf *out)
{
    for (int i = 0; i < v->n_stages; i++)
        panel(v, out, i);
}

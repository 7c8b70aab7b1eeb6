// SPDX-License-Identifier: Apache-2.0
// Resources, roofline, one frame in time, error by layer.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "hls/report_html_impl.h"

// ---- resources ----

static void resource_row(const struct view *v, struct strbuf *out, const char *name, const char *used_key, const char *have_key)
{
    int64_t used = view_int(v->report, used_key), have = view_int(v->report, have_key);
    double percent = view_percent((double)used, (double)have);
    strbuf_addf(out, "<tr><th>%s</th><td class=\"wide\"><div class=\"bar\"><i class=\"busy\" style=\"width:%.1f%%\"></i></div></td><td class=\"num\">"
                "%s</td><td class=\"num dim\">%s</td><td class=\"num\">%.1f %%</td></tr>\n",
                html_escape(v->arena, name), fmin(100, percent), view_count(v->arena, used), view_count(v->arena, have), percent);
}

void html_resources(const struct view *v, struct strbuf *out)
{
    const char *block = view_text(v->report, "board.bram_block");
    strbuf_adds(out, "<table class=\"bars\"><thead><tr><th></th><th></th><th class=\"num\">used</th><th class=\"num\">board</th><th class=\"num\">"
                "share</th></tr></thead><tbody>\n");
    resource_row(v, out, "DSP", "predicted.dsp", "board.dsp");
    resource_row(v, out, *block ? block : "block RAM", "predicted.bram", "board.bram");
    resource_row(v, out, "LUT", "predicted.lut", "board.lut");
    resource_row(v, out, "FF", "predicted.ff", "board.ff");
    strbuf_adds(out, "</tbody></table>\n");
    if (json_object_get(v->report, "reload"))
        strbuf_addf(out, "<p>%s bytes of weights may be loaded at run time; their memories take %s %s, %s LUT and %s FF more than ROMs.</p>\n",
                    view_count(v->arena, view_int(v->report, "reload.bytes")), view_count(v->arena, view_int(v->report, "reload.more_bram")), *block ? block : "block RAM",
                    view_count(v->arena, view_int(v->report, "reload.more_lut")), view_count(v->arena, view_int(v->report, "reload.more_ff")));
    strbuf_adds(out, "<p class=\"dim\">Predicted, FIFOs included. The schedule leaves 30 % of the LUTs to the system around it and "
                "to routing.</p>\n");
}

// ---- roofline ----

#define ROOF_W 470.0
#define ROOF_H 264.0
#define ROOF_LEFT 52.0
#define ROOF_BOTTOM 34.0
#define ROOF_TOP 12.0
#define ROOF_RIGHT 24.0

// Both axes are logarithmic: decades x0 to x1 and y0 to y1.
struct roofline {
    struct strbuf *out;
    int x0, x1, y0, y1;
    double macs_per_byte, bytes_per_cycle;
};

static double roof_x(const struct roofline *r, double v)
{
    return ROOF_LEFT + (log10(v) - r->x0) / (r->x1 - r->x0) * (ROOF_W - ROOF_LEFT - ROOF_RIGHT);
}

static double roof_y(const struct roofline *r, double v)
{
    return ROOF_H - ROOF_BOTTOM - (log10(v) - r->y0) / (r->y1 - r->y0) * (ROOF_H - ROOF_BOTTOM - ROOF_TOP);
}

static void roof_axes(const struct roofline *r)
{
    for (int d = r->x0; d <= r->x1; d++)
        strbuf_addf(r->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/><text class=\"small dim mid\" x=\"%.1f\" "
                    "y=\"%.1f\">%.15g</text>", roof_x(r, pow(10, d)), ROOF_TOP,
                    roof_x(r, pow(10, d)), ROOF_H - ROOF_BOTTOM, roof_x(r, pow(10, d)), ROOF_H - ROOF_BOTTOM + 13, pow(10, d));
    for (int d = r->y0; d <= r->y1; d++)
        strbuf_addf(r->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/><text class=\"small dim end\" x=\"%.1f\" "
                    "y=\"%.1f\">%.15g</text>", ROOF_LEFT, roof_y(r, pow(10, d)),
                    ROOF_W - ROOF_RIGHT, roof_y(r, pow(10, d)), ROOF_LEFT - 5, roof_y(r, pow(10, d)) + 4, pow(10, d));
    strbuf_addf(r->out, "<text class=\"small dim end\" x=\"%.1f\" y=\"%.1f\">multiply-accumulates for each input byte</text>", ROOF_W - ROOF_RIGHT, ROOF_H - 5);
    strbuf_addf(r->out, "<text class=\"small dim mid\" transform=\"translate(12 %.1f) rotate(-90)\">MAC a cycle</text>\n", ROOF_H / 2);
}

// min(bytes_per_cycle * x, peak), from edge to edge; the label stands at the left, above the peak's height or below.
static void roof(const struct roofline *r, const char *class, double bytes_per_cycle, double peak, const char *label, bool below)
{
    double lo = pow(10, r->x0), hi = pow(10, r->x1), floor_y = pow(10, r->y0), ridge = bytes_per_cycle > 0 ? peak / bytes_per_cycle : lo;
    double start = bytes_per_cycle > 0 ? fmax(lo, floor_y / bytes_per_cycle) : lo;
    if (!(peak > floor_y))
        return;
    strbuf_addf(r->out, "<polyline class=\"roof %s\" points=\"", class);
    if (ridge > start)
        strbuf_addf(r->out, "%.1f,%.1f ", roof_x(r, start), roof_y(r, start * bytes_per_cycle));
    strbuf_addf(r->out, "%.1f,%.1f %.1f,%.1f\"/>", roof_x(r, fmin(hi, fmax(start, ridge))), roof_y(r, ridge > hi ? hi * bytes_per_cycle : peak), roof_x(r, hi),
                roof_y(r, ridge > hi ? hi * bytes_per_cycle : peak));
    strbuf_addf(r->out, "<text class=\"small\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", ROOF_LEFT + 6, roof_y(r, peak) + (below ? 10 : -1), label);
}

static void roof_point(const struct roofline *r, const char *class, double macs_per_cycle, const char *label)
{
    double x = roof_x(r, r->macs_per_byte), y = roof_y(r, macs_per_cycle);
    strbuf_addf(r->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"><title>%s: %.1f MAC a cycle</title></circle>\n", class, x, y,
                strcmp(class, "point") == 0 ? 4 : 7, label, macs_per_cycle);
}

void html_roofline(const struct view *v, struct strbuf *out)
{
    double macs = view_real(v->report, "model.macs"), predicted = view_real(v->report, "predicted.macs_per_cycle"), bytes = 0, lanes = 0, built = 0;
    double peak = view_real(v->report, "board.dsp") * view_real(v->report, "board.dsp_products");
    for (int i = 0; i < v->n_streams; i++)
        if (v->streams[i].from == HOST) {
            bytes += (double)v->streams[i].beats * (double)v->streams[i].lanes;
            lanes += (double)v->streams[i].lanes;
        }
    for (int i = 0; i < v->n_stages; i++)
        built += (double)v->stages[i].products;
    if (!(macs > 0) || !(bytes > 0) || !(lanes > 0) || !(predicted > 0)) {
        strbuf_adds(out, "<p>This model has no multiply-accumulates to speak of.</p>\n");
        return;
    }
    struct roofline r = { .out = out, .macs_per_byte = macs / bytes, .bytes_per_cycle = lanes };
    double top = fmax(fmax(peak, built), predicted);
    r.x0 = (int)floor(log10(fmin(fmin(r.macs_per_byte, peak > 0 ? peak / lanes : 1), 1)));
    r.x1 = (int)ceil(log10(fmax(fmax(r.macs_per_byte, top / lanes), 10)) + 0.2);
    r.y0 = (int)floor(log10(fmin(predicted, 1)));
    r.y1 = (int)ceil(log10(fmax(top, 10)) + 0.1);
    strbuf_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"roofline\" role=\"img\" aria-label=\"roofline\" viewBox=\"0 0 %.0f %.0f\" "
                "width=\"%.0f\" height=\"%.0f\">\n", ROOF_W, ROOF_H, ROOF_W, ROOF_H);
    roof_axes(&r);
    roof(&r, "built", lanes, built, arena_printf(v->arena, "multipliers built: %.0f", built), built < peak);
    roof(&r, "dsp", lanes, peak, arena_printf(v->arena, "all DSP of the board: %.0f", peak), built >= peak);
    double dram = v->clock_hz > 0 ? view_real(v->report, "board.dram_bytes_per_s") / (double)v->clock_hz : 0;
    if (dram > 0)
        roof(&r, "dram", dram, fmax(built, peak), "", false);
    roof_point(&r, "point ring", predicted, "predicted");
    if (v->simulated)
        roof_point(&r, "point", macs / (double)v->simulated_cycles, "simulated");
    strbuf_addf(out, "</svg>\n<p class=\"dim\">Slope: the input port%s, %.0f byte%s a cycle%s. Ring: predicted%s. Weights stay on the chip, so that "
                "only inputs and outputs need bandwidth. "
                "Products made of LUTs come on top of the DSPs'.</p>\n", lanes > 1 ? "s together" : "", lanes, lanes > 1 ? "s" : "",
                dram > 0 ? arena_printf(v->arena, "; dotted: the board's memory, %.1f", dram) : "", v->simulated ? "; dot: simulated" : "");
}

// ---- one frame ----

#define GANTT_ROW 17.0
#define GANTT_LEFT 108.0
#define GANTT_W 860.0
#define GANTT_TOP 20.0

// The first cycle in which a beat for stage i was there.
static int64_t stage_start(const struct view *v, int i)
{
    int64_t start = UNKNOWN;
    for (int e = 0; e < v->n_edges; e++) {
        int64_t first = v->streams[v->edges[e].stream].first;
        if (v->edges[e].to == i && first != UNKNOWN && (start == UNKNOWN || first < start))
            start = first;
    }
    return start;
}

static void gantt_row(const struct view *v, struct strbuf *out, int row, const char *label, const char *hint, int64_t start,
                      const struct view_stream *s, double scale)
{
    double y = GANTT_TOP + row * GANTT_ROW;
    strbuf_addf(out, "<g class=\"slot\"><title>%s%s%s: first result in cycle %s, last in %s</title><text class=\"small end\" x=\"%.1f\" y=\"%.1f\">"
                "%s</text>", label, *hint ? ": " : "", hint,
                view_count(v->arena, s->first), view_count(v->arena, s->last), GANTT_LEFT - 6, y + 12, label);
    if (start != UNKNOWN && start < s->first)
        strbuf_addf(out, "<rect class=\"lead\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>", GANTT_LEFT + (double)start * scale, y + 6,
                    (double)(s->first - start) * scale, GANTT_ROW - 12);
    strbuf_addf(out, "<rect class=\"busy\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" rx=\"1\"/></g>\n",
                GANTT_LEFT + (double)s->first * scale, y + 2, fmax(1, (double)(s->last - s->first + 1) * scale),
                GANTT_ROW - 4);
}

static bool was_seen(const struct view_stream *s)
{
    return s->first != UNKNOWN && s->last >= s->first;
}

// A line at each multiple of the interval, or of so many that they stay apart.
static void gantt_grid(const struct view *v, struct strbuf *out, int64_t end, double scale, double bottom)
{
    int64_t step = max_i64(1, v->simulated_cycles);
    while ((double)step * scale < 70)
        step *= 2;
    for (int64_t t = 0; t <= end; t += step)
        strbuf_addf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/><text class=\"small dim mid\" x=\"%.1f\" y=\"12\">"
                    "%s</text>\n", GANTT_LEFT + (double)t * scale, GANTT_TOP - 3,
                    GANTT_LEFT + (double)t * scale, bottom, GANTT_LEFT + (double)t * scale, view_count(v->arena, t));
}

void html_gantt(const struct view *v, struct strbuf *out)
{
    int64_t end = 0;
    int rows = 0;
    for (int i = 0; i < v->n_streams; i++)
        if (was_seen(&v->streams[i])) {
            end = max_i64(end, v->streams[i].last);
            rows++;
        }
    if (!rows || !v->simulated) {
        strbuf_adds(out, "<p>Nothing yet: <code>aihls sim</code> on at least two frames records when the beats of a frame pass.</p>\n");
        return;
    }
    double scale = (GANTT_W - GANTT_LEFT - 30) / (double)(end + 1), h = GANTT_TOP + rows * GANTT_ROW + 6;
    strbuf_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gantt\" role=\"img\" aria-label=\"one frame\" viewBox=\"0 0 %.0f %.0f\" "
                "width=\"%.0f\" height=\"%.0f\">\n", GANTT_W, h, GANTT_W, h);
    gantt_grid(v, out, end, scale, h - 4);
    int row = 0;
    for (int i = 0; i < v->n_streams; i++)
        if (v->streams[i].from == HOST && was_seen(&v->streams[i]))
            gantt_row(v, out, row++, html_clip(v->arena, v->streams[i].port, 14), "the host sends", UNKNOWN, &v->streams[i], scale);
    for (int i = 0; i < v->n_stages; i++) {
        const struct view_stage *s = &v->stages[i];
        if (s->out != UNKNOWN && was_seen(&v->streams[s->out]))
            gantt_row(v, out, row++, html_clip(v->arena, s->name, 14), html_escape(v->arena, s->nodes), stage_start(v, i), &v->streams[s->out], scale);
    }
    strbuf_addf(out, "</svg>\n<p class=\"dim\">The last of %lld simulated frames, in cycles from its first beat; a line every %s. Bars: a stage gives "
                "results; thin: its first input is there, but no result yet.%s</p>\n",
                (long long)view_int(v->report, "simulated.frames"), (double)v->simulated_cycles * scale < 70 ? "few frame intervals" : "frame interval",
                view_int(v->report, "simulated.stall_seed") ? " With random stalls." : "");
}

// ---- quantization ----

void html_precision(const struct view *v, struct strbuf *out)
{
    const json_t *p = view_get(v->report, "precision"), *o;
    size_t i;
    if (!json_is_object(p))
        return;
    strbuf_addf(out, "<h2>Widths of weights</h2>\n<p>%s bits of %s that 8-bit weights take: the fewest found for the accuracy asked for. %s: %.2f %% with integers, %.2f %% with "
                "the float model, on %lld frames; %lld trials.%s</p>\n", view_count(v->arena, view_int(p, "weight_bits")), view_count(v->arena, view_int(p, "weight_bits_of_8")),
                html_escape(v->arena, view_text(p, "measure")), view_real(p, "integer_percent"), view_real(p, "float_percent"), (long long)view_int(p, "frames"), (long long)view_int(p, "trials"),
                json_is_true(view_get(p, "bound_met")) ? "" : " That is less than was asked for.");
    strbuf_adds(out, "<table><thead><tr><th>layer</th><th class=\"num\">bits</th><th class=\"num\">weights</th><th class=\"num\">8 bits alone, dB</th><th class=\"num\">4</th><th "
                "class=\"num\">2</th></tr></thead><tbody>\n");
    json_array_foreach(view_get(p, "layers"), i, o) {
        const json_t *db = view_get(o, "sqnr_db_alone_in_8_4_2");
        strbuf_addf(out, "<tr><th>%s</th><td class=\"num\">%lld</td><td class=\"num\">%s</td>", html_escape(v->arena, view_text(o, "layer")), (long long)view_int(o, "weight_bits"),
                    view_count(v->arena, view_int(o, "weights")));
        for (size_t k = 0; k < 3; k++)
            strbuf_addf(out, "<td class=\"num\">%.1f</td>", json_number_value(json_array_get(db, k)));
        strbuf_adds(out, "</tr>\n");
    }
    strbuf_adds(out, "</tbody></table>\n<p class=\"dim\">Signal to noise at the outputs when this layer alone has weights of that width.</p>\n");
}

void html_quantization(const struct view *v, struct strbuf *out)
{
    double best = 1;
    int n = 0;
    for (int i = 0; i < v->n_streams; i++) {
        best = fmax(best, v->streams[i].sqnr_db);
        n += v->streams[i].compared;
    }
    if (!n) {
        strbuf_adds(out, "<p>Not measured: of large networks <code>aihls sim</code> does it; of some models the float reference has no numbers to "
                    "compare with.</p>\n");
        return;
    }
    strbuf_adds(out, "<table class=\"bars\"><thead><tr><th>from</th><th>tensor</th><th>signal to quantization noise</th><th class=\"num\">dB</th><th "
                "class=\"num\">error, steps</th></tr></thead><tbody>\n");
    for (int i = 0; i < v->n_streams; i++) {
        const struct view_stream *s = &v->streams[i];
        if (!s->compared)
            continue;
        strbuf_addf(out, "<tr><th>%s</th><td title=\"%s\">%s</td><td class=\"wide\"><div class=\"bar\"><i class=\"%s\" style=\"width:%.1f%%\"></i>"
                    "</div></td><td class=\"num\">%s</td><td class=\"num\">%.2f</td></tr>\n",
                    html_escape(v->arena, s->from == HOST ? s->port : v->stages[s->from].name), html_escape(v->arena, s->tensor), html_clip(v->arena, s->tensor, 32),
                    s->sqnr_db < 20 ? "blocked" : "busy", s->exact ? 100 : fmax(0, view_percent(s->sqnr_db,
                            best)), s->exact ? "exact" : arena_printf(v->arena, "%.1f", s->sqnr_db), s->error_steps);
    }
    int64_t frames = view_int(v->report, "quantization.frames");
    strbuf_addf(out, "</tbody></table>\n<p class=\"dim\">Compared with %s, on %lld frame%s of %s inputs. Error: root mean square, in steps of the "
                "tensor's scale; rounding alone is 0.29. Below 20 dB in the warning colour.</p>\n", html_escape(v->arena, view_text(v->report,
                        "quantization.reference")),
                (long long)frames, frames == 1 ? "" : "s", html_escape(v->arena, view_text(v->report, "quantization.inputs")));
}

// SPDX-License-Identifier: Apache-2.0
// The pipeline as a picture: a row for each step of the longest way, a box for each stage, a curve for each edge.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "hls/report_html_impl.h"
#include "hls/report_layout.h"

#define BOX_W 232.0
#define BOX_H 38.0
#define PITCH 78.0 // from row to row
#define GAP 26.0
#define BEND_W 20.0
#define MARGIN 10.0
#define PORT_PITCH 64.0 // between the edges that enter a box
#define NAME_CHARS 24   // of the nodes' names that a box has room for
#define TEXT_CHARS 34   // of a tensor's name

struct picture {
    const struct view *v;
    struct arena *a;
    struct strbuf *out;
    struct layout l;
    int first_stage, first_output; // nodes: inputs, then stages, then outputs
    int *output_edge;              // the edge of each output
    double *from_x, *to_x;         // where each edge leaves and enters its boxes
};

static double row_y(int row)
{
    return MARGIN + row * PITCH;
}

// ---- nodes and edges ----

static void make_graph(struct picture *p)
{
    const struct view *v = p->v;
    int *input = arena_array(p->a, int, v->n_streams), n = 0;
    for (int i = 0; i < v->n_streams; i++)
        if (v->streams[i].from == HOST)
            input[i] = n++;
    p->first_stage = n;
    p->first_output = n += v->n_stages;
    p->output_edge = arena_array(p->a, int, v->n_edges);
    p->l.edges = arena_array(p->a, struct layout_edge, v->n_edges);
    p->l.n_edges = v->n_edges;
    for (int i = 0; i < v->n_edges; i++) {
        const struct view_edge *e = &v->edges[i];
        int from = v->streams[e->stream].from;
        p->l.edges[i].from = from == HOST ? input[e->stream] : p->first_stage + from;
        p->l.edges[i].to = e->to == HOST ? n : p->first_stage + e->to;
        if (e->to == HOST)
            p->output_edge[n++ - p->first_output] = i;
    }
    p->l.n_nodes = n;
}

// x of the point of edge i in front of its reader.
static double last_x(const struct picture *p, int i)
{
    const struct layout_edge *e = &p->l.edges[i];
    return e->n_bends ? e->bends[e->n_bends - 1] : p->l.x[e->from];
}

// Edges enter a box side by side, in the order in which they come.
static void find_ports(struct picture *p)
{
    p->from_x = arena_array(p->a, double, p->l.n_edges);
    p->to_x = arena_array(p->a, double, p->l.n_edges);
    for (int i = 0; i < p->l.n_edges; i++) {
        const struct layout_edge *e = &p->l.edges[i];
        int n = 0, before = 0;
        for (int k = 0; k < p->l.n_edges; k++) {
            if (p->l.edges[k].to != e->to)
                continue;
            double x = last_x(p, i), other = last_x(p, k);
            n++;
            before += other < x || (fabs(other - x) < 0.5 && k < i);
        }
        double pitch = fmin(PORT_PITCH, BOX_W / n);
        p->from_x[i] = p->l.x[e->from];
        p->to_x[i] = p->l.x[e->to] + pitch * (before - (n - 1) / 2.0);
    }
}

// ---- drawing ----

static void curve_to(struct strbuf *out, double x0, double y0, double x1, double y1)
{
    double middle = (y0 + y1) / 2;
    strbuf_addf(out, " C%.1f %.1f %.1f %.1f %.1f %.1f", MARGIN + x0, middle, MARGIN + x1, middle, MARGIN + x1, y1);
}

static const char *edge_path(const struct picture *p, int i)
{
    const struct layout_edge *e = &p->l.edges[i];
    struct strbuf sb = STRBUF_INIT;
    double x = p->from_x[i], y = row_y(p->l.row[e->from]) + BOX_H;
    strbuf_addf(&sb, "M%.1f %.1f", MARGIN + x, y);
    for (int k = 0; k < e->n_bends; k++) {
        double top = row_y(p->l.row[e->from] + 1 + k);
        curve_to(&sb, x, y, e->bends[k], top);
        strbuf_addf(&sb, " V%.1f", top + BOX_H);
        x = e->bends[k];
        y = top + BOX_H;
    }
    curve_to(&sb, x, y, p->to_x[i], row_y(p->l.row[e->to]));
    const char *path = arena_strdup(p->a, sb.text);
    strbuf_release(&sb);
    return path;
}

static const char *stage_name(const struct picture *p, int stage, const char *port)
{
    return html_escape(p->a, stage == HOST ? port : p->v->stages[stage].name);
}

static void draw_edge(const struct picture *p, int i)
{
    const struct view_edge *e = &p->v->edges[i];
    const struct view_stream *s = &p->v->streams[e->stream];
    const char *path = edge_path(p, i), *depth = view_count(p->a, e->fifo_words);
    double x = MARGIN + p->to_x[i], y = row_y(p->l.row[p->l.edges[i].to]), w = 14 + 6 * (double)strlen(depth);
    strbuf_addf(p->out, "<g class=\"edge%s\"><title>%s from %s to %s: %s, %lld elements a beat%s. FIFO of %s words in %s.</title>", e->block ? " deep" : "",
                html_escape(p->a, s->name), stage_name(p, s->from, s->port), stage_name(p, e->to, e->port), s->shape, (long long)s->lanes,
                e->lanes != s->lanes ? arena_printf(p->a, ", read %lld at a time", (long long)e->lanes) : "", depth, e->block ? "block RAM" : "LUTs");
    strbuf_addf(p->out, "<path class=\"hit\" d=\"%s\"/><path class=\"line\" d=\"%s\" stroke-width=\"%.1f\"/>", path, path, 1 + fmin(3,
                0.6 * log2((double)max_i64(1, s->lanes))));
    strbuf_addf(p->out, "<rect class=\"chip\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"13\" rx=\"3\"/><text class=\"small mid\" x=\"%.1f\" "
                "y=\"%.1f\">%s</text></g>\n", x - w / 2, y - 17, w, x,
                y - 7, depth);
}

// Name and lanes of the stream that leaves the box at (x, y).
static void draw_stream(const struct picture *p, int stream, double x, double y)
{
    const struct view_stream *s = &p->v->streams[stream];
    strbuf_addf(p->out, "<text class=\"small dim\" x=\"%.1f\" y=\"%.1f\">%s &#183; %lld a beat</text>\n", MARGIN + x + 9, y + BOX_H + 11,
                html_clip(p->a, s->name, 8),
                (long long)s->lanes);
}

static void draw_stage(const struct picture *p, int i)
{
    const struct view_stage *s = &p->v->stages[i];
    double x = MARGIN + p->l.x[p->first_stage + i] - BOX_W / 2, y = row_y(p->l.row[p->first_stage + i]);
    int64_t interval = p->v->simulated ? p->v->simulated_cycles : p->v->predicted_cycles, busy = p->v->simulated ? s->busy : s->predicted;
    double used = fmin(100, view_percent((double)busy, (double)interval));
    strbuf_addf(p->out, "<a href=\"#st%d\"><g class=\"box %s\"><title>%s: %s\n%s cycles a frame predicted", i, html_kind_class(s->kind), html_escape(p->a, s->name),
                html_escape(p->a, s->nodes), view_count(p->a, s->predicted));
    if (s->busy != UNKNOWN)
        strbuf_addf(p->out, ", %s simulated", view_count(p->a, s->busy));
    strbuf_addf(p->out, "\n%lld DSP, %lld block RAM, %lld LUT</title>", (long long)s->dsp, (long long)s->bram, (long long)s->lut);
    strbuf_addf(p->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" rx=\"4\"/>", x, y, BOX_W, BOX_H);
    strbuf_addf(p->out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">%s</text><text class=\"small dim end\" x=\"%.1f\" y=\"%.1f\">%.0f %%</text>", x + 8, y + 15,
                html_clip(p->a, s->name, 20), x + BOX_W - 8, y + 15, used);
    strbuf_addf(p->out, "<text class=\"small\" x=\"%.1f\" y=\"%.1f\">%s</text><text class=\"small dim end\" x=\"%.1f\" y=\"%.1f\">%s</text>", x + 8,
                y + 29, html_clip(p->a, s->nodes, NAME_CHARS), x + BOX_W - 8, y + 29,
                s->out == UNKNOWN ? "" : p->v->streams[s->out].shape);
    strbuf_addf(p->out, "<rect class=\"track\" x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"3\"/><rect class=\"busy\" x=\"%.1f\" y=\"%.1f\" "
                "width=\"%.1f\" height=\"3\"/></g></a>\n", x, y + BOX_H - 3,
                BOX_W, x, y + BOX_H - 3, BOX_W * used / 100);
}

// An input or output of the model.
static void draw_port(const struct picture *p, int node, const char *port, const char *tensor)
{
    double x = MARGIN + p->l.x[node], y = row_y(p->l.row[node]);
    strbuf_addf(p->out, "<g class=\"box host\"><title>%s: the model's tensor %s</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" "
                "rx=\"19\"/>", html_escape(p->a, port),
                html_escape(p->a, tensor), x - BOX_W / 2, y, BOX_W, BOX_H);
    strbuf_addf(p->out, "<text class=\"name mid\" x=\"%.1f\" y=\"%.1f\">%s</text><text class=\"small mid\" x=\"%.1f\" y=\"%.1f\">%s</text></g>\n", x,
                y + 16, html_clip(p->a, port, 20), x, y + 30,
                html_clip(p->a, tensor, TEXT_CHARS));
}

// The model's name for what a port of the host carries.
static const char *port_tensor(const struct picture *p, const char *list, const char *port)
{
    size_t i;
    const json_t *o;
    json_array_foreach(view_get(p->v->report, list), i, o) {
        if (strcmp(view_text(o, "port"), port) == 0)
            return view_text(o, "name");
    }
    return "";
}

static void draw(const struct picture *p)
{
    const struct view *v = p->v;
    for (int i = 0; i < v->n_edges; i++)
        draw_edge(p, i);
    for (int i = 0, node = 0; i < v->n_streams; i++) {
        const struct view_stream *s = &v->streams[i];
        int at = s->from == HOST ? node++ : p->first_stage + s->from;
        draw_stream(p, i, p->l.x[at], row_y(p->l.row[at]));
        if (s->from == HOST)
            draw_port(p, at, s->port, port_tensor(p, "inputs", s->port));
    }
    for (int i = 0; i < v->n_stages; i++)
        draw_stage(p, i);
    for (int i = p->first_output; i < p->l.n_nodes; i++) {
        const char *port = v->edges[p->output_edge[i - p->first_output]].port;
        draw_port(p, i, port, port_tensor(p, "outputs", port));
    }
}

void html_pipeline(const struct view *v, struct strbuf *out)
{
    struct picture p = { .v = v, .a = v->arena, .out = out };
    make_graph(&p);
    layout_make(&p.l, p.a, BOX_W, GAP, BEND_W);
    find_ports(&p);
    double w = p.l.width + 2 * MARGIN, h = 2 * MARGIN + p.l.n_rows * PITCH - (PITCH - BOX_H);
    strbuf_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pipeline\" role=\"img\" aria-label=\"stages and streams\" viewBox=\"0 0 %.0f "
                "%.0f\" width=\"%.0f\" height=\"%.0f\">\n", w, h, w, h);
    draw(&p);
    strbuf_adds(out, "</svg>\n");
}

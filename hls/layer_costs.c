// SPDX-License-Identifier: Apache-2.0
#include "hls/layer_costs.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "hls/report_html_impl.h"

#define PRINTED 5     // layers in the terminal
#define ROW_PIXELS 20 // of the drawing
#define NAME_PIXELS 240
#define BAR_PIXELS 460
#define LEAST_DB 10.0 // where bars end: shorter is worse
#define MOST_DB 80.0

static double decibel(double error)
{
    return error > 0 ? -10 * log10(error) : INFINITY;
}

static double sum_of(const struct quant_alone *l)
{
    return l->error[0] + l->activations;
}

// The widths that the design has, in the place of 8 bits.
static void take_own_width(const struct design *d, struct quant_alone *l)
{
    for (int i = 0; i < d->ranges.n_layers; i++)
        for (int k = 0; k < 4; k++)
            if (strcmp(d->ranges.layers[i].output, l->output) == 0 && d->ranges.layers[i].bits == quant_width(k))
                l->error[0] = l->error[k];
}

static bool any_narrow(const struct design *d)
{
    for (int i = 0; i < d->ranges.n_layers; i++)
        if (d->ranges.layers[i].bits < 8)
            return true;
    return false;
}

static void print_decibel(double error)
{
    if (error > 0)
        printf(" %9.1f dB", decibel(error));
    else
        printf(" %12s", "exact");
}

static void print_worst(const struct quant_alone *layers, int n, struct arena *a)
{
    bool *done = arena_array(a, bool, n);
    double total = 0;
    for (int i = 0; i < n; i++)
        total += sum_of(&layers[i]);
    printf("%-32s %12s %12s %8s\n", "costs most, alone", "weights", "activations", "of all");
    for (int row = 0; row < PRINTED && row < n; row++) {
        int worst = -1;
        for (int i = 0; i < n; i++)
            if (!done[i] && (worst < 0 || sum_of(&layers[i]) > sum_of(&layers[worst])))
                worst = i;
        done[worst] = true;
        printf("%-32.32s", html_escape(a, layers[worst].name));
        print_decibel(layers[worst].error[0]);
        print_decibel(layers[worst].activations);
        printf(" %6.1f %%\n", total > 0 ? 100 * sum_of(&layers[worst]) / total : 0);
    }
}

// A bar whose length is the ratio of signal to noise, so that short ones are those to look at.
static void draw_bar(struct strbuf *out, double y, double height, const char *color, double error)
{
    double db = fmax(LEAST_DB, fmin(MOST_DB, decibel(error)));
    strbuf_addf(out, "<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\"/>", NAME_PIXELS, y, (db - LEAST_DB) / (MOST_DB - LEAST_DB) * BAR_PIXELS, height, color);
}

static void draw_layer(struct strbuf *out, struct arena *a, const struct quant_alone *l, int row)
{
    int y = (row + 2) * ROW_PIXELS;
    strbuf_addf(out, "<g><title>%s: weights ", html_escape(a, l->name));
    strbuf_addf(out, l->error[0] > 0 ? "%.1f dB" : "exact", decibel(l->error[0]));
    strbuf_addf(out, l->activations > 0 ? ", activations %.1f dB</title>" : ", activations exact</title>", decibel(l->activations));
    strbuf_addf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", NAME_PIXELS - 6, y + 13, html_clip(a, l->name, 34));
    draw_bar(out, y + 2, 7, "#2f6fb2", l->error[0]);
    draw_bar(out, y + 10, 7, "#d08a2e", l->activations);
    strbuf_adds(out, "</g>\n");
}

static void draw(struct strbuf *out, struct arena *a, const struct quant_alone *layers, int n)
{
    int height = (n + 3) * ROW_PIXELS, width = NAME_PIXELS + BAR_PIXELS + 20;
    strbuf_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
                "font-size=\"11\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", width, height, width, height, width, height);
    strbuf_addf(out, "<text x=\"%d\" y=\"14\">signal to noise at the outputs when this layer alone is rounded: <tspan fill=\"#2f6fb2\">weights</tspan>, "
                "<tspan fill=\"#d08a2e\">activations</tspan></text>\n", NAME_PIXELS);
    for (int db = (int)LEAST_DB; db <= (int)MOST_DB; db += 10) {
        double x = NAME_PIXELS + (db - LEAST_DB) / (MOST_DB - LEAST_DB) * BAR_PIXELS;
        strbuf_addf(out, "<path d=\"M%.1f %dV%d\" stroke=\"#ccc\"/><text x=\"%.1f\" y=\"30\" text-anchor=\"middle\">%d dB</text>\n", x, 2 * ROW_PIXELS - 6, height - ROW_PIXELS, x, db);
    }
    for (int i = 0; i < n; i++)
        draw_layer(out, a, &layers[i], i);
    strbuf_adds(out, "</svg>\n");
}

static bool write_text(const struct ctx *cx, const char *path, const struct strbuf *text)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fwrite(text->text, 1, text->len, f) == text->len;
    if (f && fclose(f) != 0)
        ok = false;
    return ok || diag_error(cx, E002, path, "check path and free space", "cannot write: %s", strerror(errno));
}

bool layer_costs(const struct ctx *cx, const struct design *d, const struct array *batch, const char *svg)
{
    struct quant_alone *layers;
    struct strbuf out = STRBUF_INIT;
    struct array *inputs; // of the core
    int n;
    if (d->partition) {
        if (!partition_calibration(cx, d->partition, batch, &inputs))
            return false;
        batch = inputs;
    }
    bool ok = quant_layers_alone(cx, d->plain, batch, &d->ranges, any_narrow(d) ? 4 : 1, &layers, &n);
    for (int i = 0; ok && i < n; i++)
        take_own_width(d, &layers[i]);
    if (ok)
        print_worst(layers, n, cx->arena);
    if (ok && svg) {
        draw(&out, cx->arena, layers, n);
        ok = write_text(cx, svg, &out);
    }
    strbuf_release(&out);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
#include "hls/precision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "hls/accuracy.h"

#define MOST_TRIALS 24
#define WIDTHS 3 // 8, 4 and 2 bits; one bit takes two in memory, as two bits do

// One layer, one width narrower.
struct step {
    int layer, to; // index of the width
    double price;  // error for each bit of memory saved; never less than that of the layer's step before
};

static int by_price(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->price != y->price) // NOLINT: an order
        return x->price < y->price ? -1 : 1;
    return x->layer != y->layer ? x->layer - y->layer : x->to - y->to;
}

static struct step *steps_of(struct arena *a, const struct quant_alone *layers, int n, int *n_steps)
{
    struct step *steps = arena_array(a, struct step, n * (WIDTHS - 1));
    *n_steps = 0;
    for (int i = 0; i < n; i++) {
        double before = -INFINITY;
        for (int k = 1; k < WIDTHS; k++) {
            double saved = (double)layers[i].n_weights * (quant_width(k - 1) - quant_width(k));
            before = fmax(before, (layers[i].error[k] - layers[i].error[k - 1]) / fmax(saved, 1));
            steps[(*n_steps)++] = (struct step){ i, k, before };
        }
    }
    qsort(steps, (size_t)*n_steps, sizeof *steps, by_price);
    return steps;
}

// The widths after the first `taken` steps.
static struct quant_precision *widths_after(struct arena *a, const struct quant_alone *layers, int n, const struct step *steps, int taken)
{
    struct quant_precision *rows = arena_array(a, struct quant_precision, n);
    for (int i = 0; i < n; i++)
        rows[i] = (struct quant_precision){ layers[i].output, 8, 8 };
    for (int k = 0; k < taken; k++)
        rows[steps[k].layer].weights = quant_width(steps[k].to);
    return rows;
}

// Takes the steps of steps[at]'s layer from there on off the list; returns how many are left.
static int drop_layer(struct step *steps, int at, int n_steps)
{
    int layer = steps[at].layer, kept = at;
    for (int k = at; k < n_steps; k++)
        if (steps[k].layer != layer)
            steps[kept++] = steps[k];
    return kept;
}

static int64_t memory_bits(const struct quant_alone *layers, const struct quant_precision *rows, int n)
{
    int64_t bits = 0;
    for (int i = 0; i < n; i++)
        bits += layers[i].n_weights * rows[i].weights;
    return bits;
}

// Quantizes and lowers a copy of g with these widths, and measures it.
static bool measure(const struct ctx *cx, const struct graph *g, const struct design *d, enum quant_method method, const struct quant_precision *rows, int n,
                    struct accuracy_data *data, struct accuracy *out)
{
    struct arena scratch = { 0 };
    struct ctx inner = { &scratch, cx->diag };
    struct quant_options options = { .method = method, .precision = rows, .n_precision = n };
    struct quant_ranges ranges = { .options = &options };
    struct design trial = *d;
    trial.graph = graph_clone(g, &scratch);
    bool ok = quantize_graph(&inner, trial.graph, d->core_calib, &ranges) && design_lower(&inner, d, trial.graph, &trial.pipeline) &&
              accuracy_measure(&inner, &trial, data, out);
    arena_release(&scratch);
    return ok;
}

// The bound, and what the design reaches, in percent.
static void percentages(const struct accuracy_data *data, const struct accuracy *r, double *full, double *reached)
{
    double frames = (double)max_i64(r->frames, 1);
    *full = data->labelled ? 100 * (double)r->right_float / frames : 100;
    *reached = 100 * (double)(data->labelled ? r->right_int : r->agree) / frames;
}

static bool meets(const struct request *q, const struct accuracy_data *data, const struct accuracy *r)
{
    double full, reached;
    percentages(data, r, &full, &reached);
    const double slack = 1e-9; // of sums of hundredths
    return (!q->min_accuracy || reached >= strtod(q->min_accuracy, NULL) * full - slack) && (!q->max_loss || full - reached <= strtod(q->max_loss, NULL) + slack);
}

static void tell(const struct ctx *cx, design_progress *say, void *user, const struct accuracy_data *data, const struct accuracy *r, int64_t bits, int64_t all, bool good)
{
    double full, reached;
    percentages(data, r, &full, &reached);
    if (say)
        say(user, "Trying", arena_printf(cx->arena, "weights of %lld bits of %lld: %s %.2f %% of %.2f %%, %s", (long long)bits, (long long)all,
                                         data->labelled ? "top-1" : "agreement", reached, full, good ? "within the bound" : "too little"));
}

static void fill(struct precision_choice *c, struct arena *a, const struct quant_alone *layers, const struct quant_precision *rows, int n)
{
    c->layers = arena_array(a, struct precision_layer, n);
    c->n_layers = n;
    for (int i = 0; i < n; i++) {
        c->layers[i] = (struct precision_layer){ layers[i].name, rows[i].weights, layers[i].n_weights, { 0 } };
        memcpy(c->layers[i].error, layers[i].error, sizeof c->layers[i].error);
        c->weight_bits_before += 8 * layers[i].n_weights;
    }
    c->weight_bits = memory_bits(layers, rows, n);
}

bool precision_choose(const struct ctx *cx, const struct graph *g, struct design *d, struct quant_options *options, design_progress *say, void *user)
{
    const struct request *q = &d->request;
    struct precision_choice *c = d->precision = arena_new(cx->arena, struct precision_choice);
    struct accuracy_data data;
    struct accuracy best = { 0 }, r;
    struct quant_alone *layers;
    int n, n_steps, taken = -1;
    if (!accuracy_open(cx, d->source, q->data, q->scores, false, &data) || !accuracy_float(cx, d, &data) ||
        !quant_layers_alone(cx, g, d->core_calib, NULL, WIDTHS, &layers, &n))
        return false;
    struct step *steps = steps_of(cx->arena, layers, n, &n_steps);
    // `taken` steps keep the bound, `too_many` do not; -1: nothing is known to keep it
    for (int too_many = n_steps + 1, next = 0; taken < n_steps && c->trials < MOST_TRIALS; next = taken + (too_many - taken) / 2) {
        const struct quant_precision *rows = widths_after(cx->arena, layers, n, steps, next);
        if (!measure(cx, g, d, options->method, rows, n, &data, &r))
            return false;
        bool good = meets(q, &data, &r);
        c->trials++;
        tell(cx, say, user, &data, &r, memory_bits(layers, rows, n), memory_bits(layers, widths_after(cx->arena, layers, n, steps, 0), n), good);
        if (good || next == 0)
            best = r;
        if (next == 0 && !good)
            break;
        *(good ? &taken : &too_many) = next;
        if (too_many == taken + 1 && too_many <= n_steps) { // this step is one too many: the layer stays as wide as it is
            n_steps = drop_layer(steps, taken, n_steps);
            too_many = n_steps + 1;
        }
    }
    c->met = taken >= 0;
    options->precision = widths_after(cx->arena, layers, n, steps, taken < 0 ? 0 : taken);
    options->n_precision = n;
    fill(c, cx->arena, layers, options->precision, n);
    c->frames = best.frames;
    c->labelled = data.labelled;
    percentages(&data, &best, &c->accuracy_float, &c->accuracy);
    if (!c->met)
        diag_error(cx, q->strict ? E303 : W303, d->source->file, "more calibration frames, or a wider bound", "8-bit weights reach %.2f %% of %.2f %%, less than asked for", c->accuracy, c->accuracy_float);
    return c->met || !q->strict;
}

static json_t *sqnr(double error)
{
    return error > 0 ? json_real(round(-1000 * log10(error)) / 100) : json_null();
}

json_t *precision_report(const struct precision_choice *c)
{
    json_t *layers = json_array();
    for (int i = 0; i < c->n_layers; i++) {
        const struct precision_layer *l = &c->layers[i];
        json_t *name = json_string(l->name);
        json_array_append_new(layers, json_pack("{s:o, s:i, s:I, s:[o, o, o]}", "layer", name ? name : json_string("?"), "weight_bits", l->bits, "weights", (json_int_t)l->n_weights,
                                                "sqnr_db_alone_in_8_4_2", sqnr(l->error[0]), sqnr(l->error[1]), sqnr(l->error[2])));
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:i, s:f, s:f, s:s, s:b}", "layers", layers, "weight_bits", (json_int_t)c->weight_bits, "weight_bits_of_8", (json_int_t)c->weight_bits_before,
                     "frames", (json_int_t)c->frames, "trials", c->trials, "float_percent", c->accuracy_float, "integer_percent", c->accuracy,
                     "measure", c->labelled ? "top-1" : "agreement with the float model", "bound_met", c->met);
}

// SPDX-License-Identifier: Apache-2.0
// quant_alone: what the rounding of one layer alone does to the outputs.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/quant_impl.h"

// Starts from the float values again. The arenas keep their memory of one trial only.
static void restart(struct quant_run *run)
{
    for (int64_t f = 0; f < run->frames->n; f++) {
        arena_release(&run->arenas[f]);
        run->now[f] = arena_array(&run->arenas[f], struct array, run->g->n_tensors);
        memcpy(run->now[f], run->frames->values[f], (size_t)run->g->n_tensors * sizeof **run->now);
    }
}

// Runs the nodes behind `from` that its output reaches.
static bool run_behind(const struct quant_run *run, const struct node *from, bool *reached)
{
    const struct graph *g = run->g;
    bool ok = true;
    memset(reached, 0, (size_t)g->n_tensors * sizeof *reached);
    reached[from->out[0]->index] = true;
    for (int i = from->index + 1; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        bool reads = false;
        for (int k = 0; k < n->n_in; k++)
            reads |= n->in[k] && reached[n->in[k]->index];
        for (int k = 0; reads && k < n->n_out; k++)
            if (n->out[k])
                reached[n->out[k]->index] = run->marks->inside[n->out[k]->index];
        bool inside = false;
        for (int k = 0; reads && k < n->n_out; k++)
            inside |= n->out[k] && reached[n->out[k]->index];
        if (!inside)
            continue;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok)
        for (int64_t f = 0; f < run->frames->n; f++)
            ok = quant_run_node(run, n, f) && ok;
    }
    return ok;
}

// Squared distance of the outputs' tails from the float ones, over their squares, from frame `from` on.
static double error_at_outputs(const struct quant_run *run, int64_t from)
{
    double signal = 0, noise = 0;
    for (int o = 0; o < run->g->n_outputs; o++) {
        const struct tensor *t = quant_tail(run->g->outputs[o]);
        if (t->dtype != DT_FLOAT)
            continue;
        for (int64_t f = from; f < run->frames->n; f++) {
            const float *want = run->frames->values[f][t->index].data, *have = run->now[f][t->index].data;
            for (int64_t i = 0; i < tensor_count(t); i++) {
                double d = (double)have[i] - (double)want[i];
                signal += isfinite(want[i]) ? (double)want[i] * (double)want[i] : 0;
                noise += isfinite(d) ? d * d : 0;
            }
        }
    }
    return signal > 0 ? noise / signal : 0;
}

// The tensor behind n that gets integers: its own, or that of the clamp that hardware folds into n.
static const struct tensor *result_of(const struct quant_run *run, const struct node *n)
{
    const struct tensor *t = n->out[0];
    while (t && !run->marks->wanted[t->index]) {
        const struct node *next = tensor_sole_consumer(run->g, t);
        t = next ? next->out[0] : NULL;
    }
    return t;
}

static bool try_weights(struct quant_run *run, const struct node *n, const struct quant_matrix *m, int bits, bool *reached, double *error)
{
    const struct quant_precision all = { "*", bits, 8 };
    const struct quant_options options = { .precision = &all, .n_precision = 1 };
    run->ranges->options = &options;
    restart(run);
    // fitted to one half of the frames and measured on the other
    struct quant_frames *frames = run->frames, half = *frames;
    half.n = (frames->n + 1) / 2;
    run->frames = &half;
    bool ok = quant_run_fit(run, n, m);
    run->frames = frames;
    for (int64_t f = 0; ok && f < frames->n; f++)
        ok = quant_run_node(run, n, f);
    ok = ok && run_behind(run, n, reached);
    run->weights[n->index] = run->bias[n->index] = NULL;
    run->ranges->options = NULL;
    *error = ok ? error_at_outputs(run, frames->n > 1 ? half.n : 0) : 0;
    return ok;
}

static bool try_activations(struct quant_run *run, const struct tensor *t, bool *reached, double *error)
{
    restart(run);
    for (int64_t f = 0; f < run->frames->n; f++) {
        struct array *x = &run->now[f][t->index], copy = array_new(&run->arenas[f], x->dtype, x->rank, x->dims);
        memcpy(copy.data, x->data, (size_t)array_count(x) * dtype_bytes(x->dtype));
        *x = copy;
        quant_run_round(run, t, f);
    }
    bool ok = run_behind(run, t->producer, reached);
    *error = ok ? error_at_outputs(run, 0) : 0;
    return ok;
}

static bool measure_layer(struct quant_run *run, const struct node *n, const struct quant_matrix *m, int n_widths, bool rounds, bool *reached, struct quant_alone *out)
{
    int64_t count = tensor_count(m->weights);
    *out = (struct quant_alone){ .name = n->name[0] ? n->name : n->out[0]->name, .output = n->out[0]->name, .n_weights = count,
                                 .products = tensor_count(n->out[0]) * (count / max_i64(m->channels, 1)) };
    bool ok = true;
    for (int k = 0; ok && k < n_widths; k++)
        ok = try_weights(run, n, m, quant_width(k), reached, &out->error[k]);
    const struct tensor *t = rounds ? result_of(run, n) : NULL;
    return ok && (!t || try_activations(run, t, reached, &out->activations));
}

// Inferences that a frame takes: a layer in the middle has half of the network behind it.
static double trials_of(const struct graph *g, int n_widths)
{
    int layers = 1;
    struct quant_matrix m;
    for (int i = 0; i < g->n_nodes; i++)
        layers += quant_matrix_of(g->nodes[i], &m);
    return layers * (n_widths + 1) / 2.0;
}

bool quant_layers_alone(const struct ctx *cx, const struct graph *g, const struct array *batch, const struct quant_ranges *ranges, int n_widths,
                        struct quant_alone **out, int *n)
{
    struct arena scratch = { 0 };
    struct ctx inner = { &scratch, cx->diag };
    struct quant_marks marks = quant_mark(&inner, g, NULL);
    struct quant_frames frames;
    struct quant_ranges own = ranges ? *ranges : (struct quant_ranges){ 0 };
    own.layers = NULL;
    own.n_layers = own.cap_layers = 0;
    bool ok = quant_frames_run(&inner, g, batch, max_i64(2, min_i64(QUANT_ALONE_FRAMES, (int64_t)(QUANT_ALONE_PRODUCTS / quant_products(g) / trials_of(g, n_widths)))), &frames);
    struct quant_run run = { &inner, g, &marks, &own, &frames, arena_array(&scratch, struct arena, frames.n), arena_array(&scratch, struct array *, frames.n),
                             arena_array(&scratch, const struct array *, g->n_nodes), arena_array(&scratch, const struct array *, g->n_nodes) };
    bool *reached = arena_array(&scratch, bool, g->n_tensors);
    int cap = 0;
    *out = NULL;
    *n = 0;
    for (int i = 0; ok && frames.n > 0 && i < g->n_nodes; i++) {
        struct quant_matrix m;
        struct quant_alone a;
        if (!quant_matrix_of(g->nodes[i], &m) || !marks.inside[g->nodes[i]->out[0]->index])
            continue;
        ok = measure_layer(&run, g->nodes[i], &m, n_widths, ranges != NULL, reached, &a);
        arena_push(cx->arena, *out, *n, cap, a);
    }
    for (int64_t f = 0; f < frames.n; f++)
        arena_release(&run.arenas[f]);
    quant_frames_release(&frames);
    arena_release(&scratch);
    return ok;
}

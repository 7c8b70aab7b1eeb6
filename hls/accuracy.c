// SPDX-License-Identifier: Apache-2.0
#include "hls/accuracy.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"

// ---- frames ----

bool frames_run_float(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results)
{
    const struct graph *g = d->source;
    struct array *values = arena_array(cx->arena, struct array, g->n_tensors);
    if (!ref_float_graph(cx, g, cx->arena, frame, values))
        return false;
    for (int i = 0; i < g->n_outputs; i++)
        results[i] = values[g->outputs[i]->index];
    return true;
}

bool frames_run_integer(const struct ctx *cx, const struct design *d, const struct array *frame, struct array *results)
{
    const struct pipeline *p = d->pipeline;
    int8_t **streams = arena_array(cx->arena, int8_t *, p->n_streams);
    void *memory;
    if (!border_in(cx, p, cx->arena, frame, streams, &memory))
        return false;
    ref_int_frame(p, cx->arena, streams);
    return border_out(cx, p, cx->arena, streams, memory, results);
}

bool frames_each(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch, frame_visit *visit, void *user)
{
    int64_t frames = batch_frames(g, batch);
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
        struct array *frame = arena_array(&scratch, struct array, g->n_inputs);
        bool fine = batch_frame(&inner, g, file, batch, i, frame) && visit(&inner, user, i, frame);
        if (!fine) {
#pragma omp critical
            if (ok) { // the first frame that fails speaks for all
                ok = false;
                cx->diag->errors++;
                cx->diag->exit_code = diag.exit_code;
                if (cx->diag->out)
                    fputs(text.text, cx->diag->out);
            }
        }
        strbuf_release(&text);
        arena_release(&scratch);
    }
    return ok;
}

// ---- top-1 ----

static int64_t arg_max(const struct array *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < array_count(x); i++)
        if (array_f64(x, i) > array_f64(x, best))
            best = i;
    return array_count(x) == 1 ? (int64_t)array_f64(x, 0) : best; // ArgMax models give the class itself
}

// The output that labels speak of: the one that --scores names, or the only one that has a score for each of them or
// is a class itself.
static bool find_scores(const struct ctx *cx, const struct graph *g, const char *file, const char *wanted, const struct array *labels, int *out)
{
    int fitting = 0;
    double most = 0;
    struct strbuf names = STRBUF_INIT;
    for (int64_t i = 0; labels && i < array_count(labels); i++)
        most = fmax(most, array_f64(labels, i));
    *out = -1;
    for (int i = 0; i < g->n_outputs; i++) {
        const struct tensor *t = g->outputs[i];
        bool is_class = tensor_count(t) == 1 && t->dtype != DT_FLOAT;
        bool fits = wanted ? strcmp(wanted, t->name) == 0 : g->n_outputs == 1 || is_class || (double)tensor_count(t) > most;
        strbuf_addf(&names, "%s'%s' %s", i ? ", " : "", t->name, shape_text(cx->arena, t->rank, t->dims));
        fitting += fits;
        *out = fits ? i : *out;
    }
    bool ok = fitting == 1;
    if (!ok)
        diag_emit(cx, (struct diag_msg){ .code = wanted && !fitting ? E401 : E204, .where = file, .found = names.text,
                  .need = wanted ? arena_printf(cx->arena, "an output '%s'", wanted) : "one with a score a class",
                  .help = "--scores NAME says which output the labels are for" }, "it is not clear which output is to be compared with the labels");
    strbuf_release(&names);
    const struct tensor *scores = ok ? g->outputs[*out] : NULL;
    if (ok && tensor_count(scores) == 1 && scores->dtype == DT_FLOAT) // a class or a score? of which classes?
        ok = diag_error(cx, E204, at_tensor(g, scores), "compare the results of `aihls run` and `aihls run --float` instead",
                        "top-1 needs one score a class, and the model gives a single number");
    return ok;
}

bool accuracy_open(const struct ctx *cx, const struct graph *g, const char *file, const char *scores, bool needs_labels, struct accuracy_data *out)
{
    *out = (struct accuracy_data){ .file = file };
    out->labelled = needs_labels || npz_has(file, "y");
    if (!batch_read(cx, g, file, &out->x) || (out->labelled && !npz_read(cx, file, "y", &out->y)))
        return false;
    int64_t frames = batch_frames(g, out->x);
    if (out->labelled && array_count(&out->y) != frames)
        return diag_error(cx, E104, file, "y needs one label per frame", "%lld labels for %lld frames", (long long)array_count(&out->y), (long long)frames);
    out->float_top = arena_array(cx->arena, int64_t, frames);
    return find_scores(cx, g, file, scores, out->labelled ? &out->y : NULL, &out->scores);
}

struct top_visit {
    const struct design *d;
    struct accuracy_data *data;
    struct accuracy *out; // NULL: of the float model
    int64_t done;
};

static bool visit_top(const struct ctx *cx, void *user, int64_t i, const struct array *frame)
{
    struct top_visit *v = user;
    struct accuracy_data *data = v->data;
    struct array *y = arena_array(cx->arena, struct array, v->d->source->n_outputs);
    if (!(v->out ? frames_run_integer : frames_run_float)(cx, v->d, frame, y))
        return false;
    int64_t top = arg_max(&y[data->scores]), label = data->labelled ? (int64_t)array_f64(&data->y, i) : -1;
    if (!v->out) {
        data->float_top[i] = top;
        return true;
    }
#pragma omp critical
    {
        v->out->right_float += data->float_top[i] == label;
        v->out->right_int += top == label;
        v->out->agree += top == data->float_top[i];
        if (data->progress)
            data->progress(++v->done, v->out->frames);
    }
    return true;
}

bool accuracy_float(const struct ctx *cx, const struct design *d, struct accuracy_data *data)
{
    struct top_visit v = { d, data, NULL, 0 };
    return frames_each(cx, d->source, data->file, data->x, visit_top, &v);
}

bool accuracy_measure(const struct ctx *cx, const struct design *d, struct accuracy_data *data, struct accuracy *out)
{
    *out = (struct accuracy){ .frames = batch_frames(d->source, data->x) };
    struct top_visit v = { d, data, out, 0 };
    return frames_each(cx, d->source, data->file, data->x, visit_top, &v);
}

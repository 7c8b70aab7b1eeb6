// SPDX-License-Identifier: Apache-2.0
#include "hls/quant_error.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "hls/simulate.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"

static const struct tensor *find_tensor(const struct graph *g, const char *name)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, name) == 0)
            return g->tensors[i];
    return NULL;
}

// Where stream s has its real numbers: in d->plain the tensor that was quantized, in a quantized model the tensor itself.
static const struct tensor *real_tensor(const struct design *d, const struct stream *s)
{
    const struct tensor *t = s->tensor && s->logical ? find_tensor(d->graph, s->tensor) : NULL;
    if (!t || !d->plain)
        return t;
    if (t->producer && t->producer->op == OP_QuantizeLinear)
        t = t->producer->in[0];
    return find_tensor(d->plain, t->name);
}

static void compare(const struct stream *s, const int8_t *q, const struct array *real, struct stream_error *e)
{
    int64_t n = s->h * s->w * s->c;
    if (real->dtype != DT_FLOAT || array_count(real) != n) // not computed, or integers in the model too
        return;
    const float *x = real->data;
    for (int64_t i = 0; i < n; i++) {
        double want = (double)x[s->logical[i]], have = s->scale * (q[i] - s->zero_point);
        if (!isfinite(want))
            continue;
        e->signal += want * want;
        e->noise += (want - have) * (want - have);
        e->elements++;
    }
}

static bool measure_frame(const struct ctx *cx, struct design *d, const struct array *frame)
{
    const struct pipeline *p = d->pipeline;
    const struct graph *g = d->plain ? d->plain : d->graph;
    struct array *values = arena_array(cx->arena, struct array, g->n_tensors), *inputs = arena_array(cx->arena, struct array, g->n_inputs);
    int8_t **streams = arena_array(cx->arena, int8_t *, p->n_streams);
    void *memory;
    if (p->partition && !partition_frame(cx, p->partition, cx->arena, frame, inputs))
        return false;
    if (!(d->plain ? ref_float_graph : ref_float_unrounded)(cx, g, cx->arena, p->partition ? inputs : frame, values) || !border_in(cx, p, cx->arena, frame, streams, &memory))
        return false;
    ref_int_frame(p, cx->arena, streams);
    for (int i = 0; i < p->n_streams; i++) {
        bool exact = p->streams[i].producer < 0 && !d->error->given; // random inputs are made from integers
        const struct tensor *t = exact ? NULL : real_tensor(d, &p->streams[i]);
        if (t && !t->data)
            compare(&p->streams[i], streams[i], &values[t->index], &d->error->streams[i]);
    }
    return true;
}

void quant_error_measure(const struct ctx *cx, struct design *d)
{
    int64_t given = d->calib ? batch_frames(d->source, d->calib) : QUANT_ERROR_FRAMES;
    int64_t frames = min_i64(given, max_i64(1, min_i64(QUANT_ERROR_FRAMES, QUANT_ERROR_MACS / max_i64(1, d->pipeline->macs))));
    bool ok = frames > 0;
    d->error = arena_new(cx->arena, struct quant_error);
    *d->error = (struct quant_error){ frames, d->calib != NULL, arena_array(cx->arena, struct stream_error, d->pipeline->n_streams) };
    for (int64_t i = 0; ok && i < frames; i++) {
        struct arena scratch = { 0 };
        struct diag silent = { .quiet = true };
        struct ctx inner = { &scratch, &silent };
        struct array *frame = arena_array(&scratch, struct array, d->source->n_inputs);
        if (d->calib)
            ok = batch_frame(&inner, d->source, "", d->calib, i * given / frames, frame);
        else
            frame = random_frame(&scratch, d, (uint64_t)i);
        ok = ok && measure_frame(&inner, d, frame);
        arena_release(&scratch);
    }
    if (!ok)
        d->error = NULL;
}

bool quant_error_sqnr_db(const struct stream_error *e, double *out)
{
    if (!e->elements || !(e->signal > 0) || !(e->noise > 0))
        return false;
    *out = 10 * log10(e->signal / e->noise);
    return true;
}

bool quant_error_steps(const struct stream_error *e, double scale, double *out)
{
    if (!e->elements || !(scale > 0))
        return false;
    *out = sqrt(e->noise / (double)e->elements) / scale;
    return true;
}

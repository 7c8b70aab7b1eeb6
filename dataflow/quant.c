// SPDX-License-Identifier: Apache-2.0
// quant: float graphs into QDQ form. Which tensors get a QuantizeLinear: the model's inputs, and the result
// of every operator that hardware computes, except where the next operator swallows it (Relu and
// Clip become clamps) or only moves its elements (Reshape, Slice, nearest Resize, …).
#include "dataflow/quant_impl.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/argmax.h"
#include "dataflow/move.h"
#include "dataflow/unary.h"
#include "frontend/shape.h"

#define SYNTHETIC_FRAMES 4

bool quant_is_quantized(const struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == OP_QuantizeLinear || g->nodes[i]->op == OP_DequantizeLinear)
            return true;
    return false;
}

static bool is_rename(const struct node *n)
{
    return n->op == OP_Reshape || n->op == OP_Transpose || n->op == OP_Identity;
}

static bool is_max_pool(const struct node *n)
{
    return n->op == OP_MaxPool || n->op == OP_GlobalMaxPool;
}

static bool runs_on_host(const struct node *n)
{
    return (op_info(n->op)->support == OP_BORDER && !argmax_in_hardware(n)) || is_rename(n) || node_attr(n, "resolved_host");
}

struct tensor *quant_tail(struct tensor *output)
{
    struct tensor *t = output;
    while (t->producer) {
        const struct node *n = t->producer;
        if (n->op == OP_QuantizeLinear) {
            const struct tensor *f = n->in[0];
            while (f->producer && is_rename(f->producer))
                f = f->producer->in[0];
            if (f->producer && !runs_on_host(f->producer))
                return t;
        } else if (!runs_on_host(n)) {
            return t;
        }
        t = n->in[0];
    }
    return t;
}

bool *quant_hardware(const struct graph *g, struct arena *a)
{
    bool *inside = arena_array(a, bool, g->n_tensors);
    for (int i = 0; i < g->n_outputs; i++)
        inside[quant_tail(g->outputs[i])->index] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct node *n = g->nodes[i];
        bool wanted = false;
        for (int k = 0; k < n->n_out; k++)
            wanted |= n->out[k] && inside[n->out[k]->index];
        for (int k = 0; wanted && k < n->n_in; k++)
            if (n->in[k])
                inside[n->in[k]->index] = true;
    }
    return inside;
}

bool quant_host_output(const struct ctx *cx, const struct graph *g, const struct tensor *output)
{
    return diag_error(cx, E211, at_tensor(g, output), "leave it out of the model and compute it where you use it",
                      "output '%s' needs no hardware: the host alone computes it", output->name);
}

// ---- frames ----

static int64_t input_frames(const struct tensor *in, const struct array *batch)
{
    bool lacks_axis = batch->rank == in->rank && in->rank > 0 && batch->dims[0] != 1 && in->dims[0] != 1 && batch->dims[0] == in->dims[0];
    return lacks_axis || batch->rank == 0 ? 1 : batch->dims[0];
}

int64_t batch_frames(const struct graph *g, const struct array *batch)
{
    return g->n_inputs ? input_frames(g->inputs[0], &batch[0]) : 1; // a constant has no frames, and is the same in each
}

// Frame `i` of one input.
static bool input_frame(const struct ctx *cx, const struct tensor *in, const char *file, const struct array *batch,
                        int64_t i, struct array *out)
{
    int64_t frames = input_frames(in, batch), total = array_count(batch), per = frames ? total / frames : 0;
    bool fits = i < frames && per == tensor_count(in) && batch->rank >= 1;
    // every dimension behind the frames' must agree; other ranks (flattened frames) need the same count
    int more = batch->rank - in->rank;
    for (int d = 1; fits && (more == 0 || more == 1) && d < batch->rank; d++)
        fits = batch->dims[d] == in->dims[d - more];
    if (!fits)
        return diag_emit(cx, (struct diag_msg){ .code = E104, .where = file,
                         .found = shape_text(cx->arena, batch->rank, batch->dims),
                         .need = arena_printf(cx->arena, "frames of %s, the shape of input '%s'",
                                              shape_text(cx->arena, in->rank, in->dims), in->name),
                         .help = "the first axis counts frames" },
                         "the array does not fit the model's input");
    if (batch->dtype != in->dtype) {
        bool widens = dtype_is_float(in->dtype);
        if (!widens)
            return diag_emit(cx, (struct diag_msg){ .code = E104, .where = file, .found = dtype_name(batch->dtype),
                             .need = dtype_name(in->dtype) }, "the array's element type is not that of the model's input");
    }
    *out = array_new(cx->arena, in->dtype, in->rank, in->dims);
    if (batch->dtype == in->dtype) {
        size_t bytes = (size_t)per * dtype_bytes(in->dtype);
        memcpy(out->data, (const char *)batch->data + (size_t)i * bytes, bytes);
    } else {
        for (int64_t k = 0; k < per; k++)
            array_set_f64(out, k, array_f64(batch, i * per + k));
    }
    return true;
}

bool batch_frame(const struct ctx *cx, const struct graph *g, const char *file, const struct array *batch,
                 int64_t i, struct array *out)
{
    for (int k = 0; k < g->n_inputs; k++)
        if (!input_frame(cx, g->inputs[k], file, &batch[k], i, &out[k]))
            return false;
    return true;
}

// Frames of zeros for an input.
static struct array zero_frames(struct arena *a, const struct tensor *in, int64_t frames)
{
    int64_t dims[MAX_RANK] = { frames };
    bool batched = in->rank > 0 && in->dims[0] == 1;
    int rank = batched || in->rank == MAX_RANK ? in->rank : in->rank + 1;
    memcpy(dims + 1, in->dims + (rank == in->rank), (size_t)(rank - 1) * sizeof *dims);
    return array_new(a, in->dtype, rank, dims);
}

bool batch_read(const struct ctx *cx, const struct graph *g, const char *path, struct array **out)
{
    struct array *x = *out = arena_array(cx->arena, struct array, g->n_inputs);
    const struct tensor *first = NULL; // that says how many frames there are
    int64_t frames = 1;
    if (g->n_inputs == 1)
        return array_read(cx, path, npz_has(path, "x") || !npz_has(path, g->inputs[0]->name) ? "x" : g->inputs[0]->name, x);
    for (int i = 0; i < g->n_inputs; i++) {
        const struct tensor *in = g->inputs[i];
        if (!tensor_uses(g, in))
            continue;
        if (!npz_read(cx, path, in->name, &x[i]))
            return false;
        int64_t n = input_frames(in, &x[i]);
        if (first && n != frames)
            return diag_emit(cx, (struct diag_msg){ .code = E104, .where = path,
                             .found = arena_printf(cx->arena, "%lld frames of '%s', %lld of '%s'", (long long)frames, first->name, (long long)n, in->name),
                             .need = "as many of each input" }, "the arrays do not belong together");
        first = in;
        frames = n;
    }
    for (int i = 0; i < g->n_inputs; i++)
        if (!tensor_uses(g, g->inputs[i]))
            x[i] = zero_frames(cx->arena, g->inputs[i], frames);
    return true;
}

// ---- which tensors ----

// The activation function that hardware folds into t's producer, or NULL.
static struct node *swallowing_clamp(const struct graph *g, const struct tensor *t)
{
    double lo, hi;
    struct node *next = tensor_sole_consumer(g, t);
    bool unary_producer = t->producer && op_info(t->producer->op)->support == OP_HARDWARE &&
                          !is_max_pool(t->producer);
    return next && unary_producer && unary_clamp(next, &lo, &hi) ? next : NULL;
}

static bool is_tail(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_outputs; i++)
        if (quant_tail(g->outputs[i]) == t)
            return true;
    return false;
}

// Whether t's elements are compared as they are: what the clip points would make equal was not.
static bool is_compared(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_nodes; i++) {
        if (!argmax_in_hardware(g->nodes[i]))
            continue;
        const struct tensor *x = g->nodes[i]->in[0];
        while (x != t && x->producer && (is_rename(x->producer) || move_is(x->producer)))
            x = x->producer->in[0];
        if (x == t)
            return true;
    }
    return false;
}

static bool wants_quantization(const struct graph *g, const struct tensor *t)
{
    if (t->data || t->dtype != DT_FLOAT)
        return false;
    if (t->producer && (is_rename(t->producer) || move_is(t->producer)) && !is_tail(g, t))
        return false;
    return !swallowing_clamp(g, t);
}

// ---- frames without data ----

// Frames when there is no data: uniform noise in [-1, 1], from a fixed linear congruential generator
// (Knuth, The Art of Computer Programming 2, 3.3.4: MMIX).
const struct array *quant_noise(struct arena *a, const struct graph *g)
{
    struct array *batch = arena_array(a, struct array, g->n_inputs);
    uint64_t state = 1;
    for (int k = 0; k < g->n_inputs; k++) {
        batch[k] = zero_frames(a, g->inputs[k], SYNTHETIC_FRAMES);
        for (int64_t i = 0; i < array_count(&batch[k]); i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            array_set_f64(&batch[k], i, (double)(state >> 40) / (double)(1 << 23) - 1);
        }
    }
    return batch;
}

void quant_no_data(const struct ctx *cx, const struct graph *g)
{
    diag_error(cx, W201, g->file, "give representative inputs with --calib FILE",
               "no calibration data: ranges come from random inputs, accuracy is unverified");
}

// ---- rewriting ----

static struct tensor *scalar(struct graph *g, const char *name, enum dtype t, double v)
{
    void *data = arena_alloc(g->arena, 8);
    if (t == DT_FLOAT)
        *(float *)data = (float)v;
    else
        *(int8_t *)data = (int8_t)v;
    return graph_add_const(g, name, t, 0, NULL, data);
}

// A Clip of t to the real numbers that the integers stand for; in front of `before`, or at the end.
static struct tensor *insert_clip(struct graph *g, struct node *before, struct tensor *t, const struct quant_step *s)
{
    struct arena *a = g->arena;
    struct tensor *lo = scalar(g, arena_printf(a, "%s_least", t->name), DT_FLOAT, (double)s->scale * (s->least - s->zero));
    struct tensor *hi = scalar(g, arena_printf(a, "%s_most", t->name), DT_FLOAT, (double)s->scale * (s->most - s->zero));
    struct tensor *y = graph_add_tensor(g, arena_printf(a, "%s_clipped", t->name), DT_FLOAT, t->rank, t->dims), *in[] = { t, lo, hi };
    const char *name = arena_printf(a, "%s_clip", t->name);
    if (before)
        graph_insert_node(g, before, OP_Clip, name, 3, in, 1, &y);
    else
        graph_add_node(g, OP_Clip, name, 3, in, 1, &y);
    return y;
}

// Puts QuantizeLinear and DequantizeLinear behind t; readers read the result. Integers of fewer bits than eight are kept in
// their range by a Clip, which hardware folds into the stage.
static void insert_pair(struct graph *g, struct tensor *t, const struct quant_range *r)
{
    int bits = r->bits ? r->bits : 8;
    struct quant_step step = quant_step_of(r, bits);
    const char *base = t->name;
    struct arena *a = g->arena;
    struct tensor *scale = scalar(g, arena_printf(a, "%s_scale", base), DT_FLOAT, (double)step.scale);
    struct tensor *zero = scalar(g, arena_printf(a, "%s_zero_point", base), DT_INT8, step.zero);
    struct tensor *q = graph_add_tensor(g, arena_printf(a, "%s_q", base), DT_INT8, t->rank, t->dims);
    struct tensor *dq = graph_add_tensor(g, arena_printf(a, "%s_dq", base), DT_FLOAT, t->rank, t->dims);
    graph_replace_uses(g, t, dq);
    struct node *before = NULL;
    int at = t->producer ? t->producer->index + 1 : 0;
    if (at < g->n_nodes)
        before = g->nodes[at];
    bool chosen = t->producer && (is_max_pool(t->producer) || is_rename(t->producer) || move_is(t->producer)); // from what is in the range
    struct tensor *clipped = bits < 8 && !chosen ? insert_clip(g, before, t, &step) : t;
    struct tensor *q_in[] = { clipped, scale, zero }, *dq_in[] = { q, scale, zero };
    const char *q_name = arena_printf(a, "%s_quantize", base), *d_name = arena_printf(a, "%s_dequantize", base);
    if (before) {
        graph_insert_node(g, before, OP_QuantizeLinear, q_name, 3, q_in, 1, &q);
        graph_insert_node(g, before, OP_DequantizeLinear, d_name, 3, dq_in, 1, &dq);
    } else {
        graph_add_node(g, OP_QuantizeLinear, q_name, 3, q_in, 1, &q);
        graph_add_node(g, OP_DequantizeLinear, d_name, 3, dq_in, 1, &dq);
    }
}

// The weights of n (input 1) become the layer's integers, and its bias what calibration made of it.
static void use_layer(struct graph *g, struct node *n, const struct quant_matrix *m, const struct quant_layer *l)
{
    struct arena *a = g->arena;
    const struct tensor *w = m->weights;
    struct tensor *qt = graph_add_const(g, arena_printf(a, "%s_q", w->name), DT_INT8, w->rank, w->dims, l->weights);
    struct tensor *st = graph_add_const(g, arena_printf(a, "%s_scale", w->name), DT_FLOAT, 1, &l->channels, l->scale);
    struct tensor *dq = graph_add_tensor(g, arena_printf(a, "%s_dq", w->name), DT_FLOAT, w->rank, w->dims);
    struct tensor *in[] = { qt, st };
    struct node *d = graph_insert_node(g, n, OP_DequantizeLinear, arena_printf(a, "%s_dequantize", w->name), 2, in, 1, &dq);
    node_set_int(g, d, "axis", m->axis);
    n->in[1] = dq;
    if (!l->bias)
        return;
    struct tensor *bias = graph_add_const(g, arena_printf(a, "%s_bias", l->output), DT_FLOAT, 1, &l->channels, l->bias);
    if (n->n_in < 3) {
        struct tensor **wider = arena_array(a, struct tensor *, 3);
        memcpy(wider, n->in, (size_t)n->n_in * sizeof *wider);
        n->in = wider;
        n->n_in = 3;
    }
    n->in[2] = bias;
}

// Every product that concerns the hardware, as `ranges` have it.
static bool quantize_all_weights(const struct ctx *cx, struct graph *g, const struct quant_marks *marks, const struct quant_ranges *ranges)
{
    bool ok = true;
    for (int i = 0; i < g->n_nodes; i++) {
        struct node *n = g->nodes[i];
        struct quant_matrix m;
        if (!quant_matrix_of(n, &m) || (n->out[0]->index < marks->n_tensors && !marks->inside[n->out[0]->index]))
            continue;
        const struct quant_layer *l = quant_layer_find(ranges, n);
        if (!l || l->n_weights != tensor_count(m.weights) || l->channels != m.channels)
            ok = diag_error(cx, E105, g->file, "compile the model again", "the stored weights of '%s' are not as many as the model's", n->out[0]->name);
        else
            use_layer(g, n, &m, l);
    }
    return ok;
}

const struct quant_range *quant_range_find(const struct quant_ranges *r, const char *name)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->items[i].tensor, name) == 0)
            return &r->items[i];
    return NULL;
}

// The tensor whose range t takes. Operators that only choose or move keep their input's, so that their quantization is
// exact; inputs of a concatenation that nothing else reads take its result's, so that it needs no tables.
static const struct tensor *range_source(const struct graph *g, const bool *wanted, const struct tensor *t)
{
    const struct tensor *down = t;
    for (struct node *n; (n = tensor_sole_consumer(g, down)) && (n->op == OP_Concat || move_is(n) || is_rename(n)) && n->n_out == 1;) {
        down = n->out[0];
        if (n->op == OP_Concat && wanted[down->index])
            t = down;
    }
    while (t->producer && (is_max_pool(t->producer) || is_rename(t->producer) || move_is(t->producer)))
        t = t->producer->in[0];
    return t;
}

// The node whose name speaks for t: in front of a clamp that hardware folds into it.
static const struct node *layer_of(const struct tensor *t)
{
    double lo, hi;
    const struct node *n = t->producer;
    while (unary_clamp(n, &lo, &hi) && n->in[0]->producer)
        n = n->in[0]->producer;
    return n;
}

void quant_bits_of(const struct quant_options *o, const struct node *n, int *weights, int *activations)
{
    *weights = *activations = 8;
    bool own = false;
    for (int i = 0; o && i < o->n_precision; i++) {
        const struct quant_precision *p = &o->precision[i];
        bool named = strcmp(p->name, n->name) == 0 || strcmp(p->name, n->out[0]->name) == 0;
        if (!named && (own || strcmp(p->name, "*") != 0))
            continue;
        own |= named;
        *weights = p->weights;
        *activations = p->activations;
    }
}

// Every output must come from hardware.
static bool check_outputs(const struct ctx *cx, const struct graph *g)
{
    int host = 0;
    for (int i = 0; i < g->n_outputs; i++)
        host += !quant_tail(g->outputs[i])->producer;
    if (host == g->n_outputs)
        return diag_error(cx, E210, g->file, "`aihls ops` lists the operators that run in hardware",
                          "no operator of the model can run in hardware");
    for (int i = 0; i < g->n_outputs; i++)
        if (!quant_tail(g->outputs[i])->producer)
            quant_host_output(cx, g, g->outputs[i]);
    return host == 0;
}

// Every name that the options give bits to must be that of a product in hardware.
static bool check_precision(const struct ctx *cx, const struct graph *g, const bool *inside, const struct quant_options *o)
{
    const char **names = arena_array(cx->arena, const char *, 2 * g->n_nodes);
    int n = 0, errors = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        struct quant_matrix m;
        if (!quant_matrix_of(g->nodes[i], &m) || !inside[g->nodes[i]->out[0]->index])
            continue;
        names[n++] = g->nodes[i]->out[0]->name;
        if (g->nodes[i]->name[0])
            names[n++] = g->nodes[i]->name;
    }
    for (int k = 0; o && k < o->n_precision; k++) {
        bool known = strcmp(o->precision[k].name, "*") == 0;
        for (int i = 0; i < n; i++)
            known |= strcmp(o->precision[k].name, names[i]) == 0;
        if (known)
            continue;
        const char *near = diag_suggest(o->precision[k].name, names, n);
        errors++;
        diag_error(cx, E401, g->file, near ? arena_printf(cx->arena, "did you mean '%s'?", near) : n ? arena_printf(cx->arena, "the first is called '%s'; * means all", names[0]) : NULL,
                   "--precision: no layer with weights is called '%s'", o->precision[k].name);
    }
    return errors == 0;
}

// What calibration leaves in `ranges`; without data the ranges alone.
static bool decide(const struct ctx *cx, const struct graph *g, const struct array *calib, const struct quant_marks *marks, struct quant_ranges *ranges)
{
    struct quant_frames kept = { 0 };
    bool given = calib && !(ranges->options && ranges->options->noise);
    if (!calib) {
        quant_no_data(cx, g);
        calib = quant_noise(cx->arena, g);
    }
    bool ok = quant_measure(cx, g, calib, marks, ranges, &kept);
    if (ok && given && kept.n > 0)
        ok = quant_fit(cx, g, marks, ranges, &kept);
    else if (ok)
        ok = quant_round(cx, g, marks, ranges);
    quant_frames_release(&kept);
    return ok;
}

struct quant_marks quant_mark(const struct ctx *cx, const struct graph *g, const struct quant_options *options)
{
    int n = g->n_tensors, weights;
    bool *inside = quant_hardware(g, cx->arena), *wanted = arena_array(cx->arena, bool, n), *whole = arena_array(cx->arena, bool, n);
    const struct tensor **source = arena_array(cx->arena, const struct tensor *, n);
    int *bits = arena_array(cx->arena, int, n);
    for (int i = 0; i < n; i++)
        wanted[i] = inside[i] && wants_quantization(g, g->tensors[i]);
    for (int i = 0; i < n; i++) {
        const struct tensor *t = g->tensors[i];
        whole[i] = wanted[i] && (is_tail(g, t) || is_compared(g, t));
        source[i] = wanted[i] ? range_source(g, wanted, t) : t;
        bits[i] = 8;
        if (wanted[i] && t->producer && !whole[i])
            quant_bits_of(options, layer_of(t), &weights, &bits[i]);
    }
    return (struct quant_marks){ n, inside, wanted, whole, source, bits };
}

bool quantize_graph(const struct ctx *cx, struct graph *g, const struct array *calib, struct quant_ranges *ranges)
{
    argmax_split(g);
    if (quant_is_quantized(g))
        return true;
    if (!check_outputs(cx, g))
        return false;
    struct quant_marks marks = quant_mark(cx, g, ranges->options);
    if (!check_precision(cx, g, marks.inside, ranges->options))
        return false;
    if (ranges->n == 0 ? !decide(cx, g, calib, &marks, ranges) : ranges->n_layers == 0 && !quant_round(cx, g, &marks, ranges))
        return false;
    const struct quant_range **range = arena_array(cx->arena, const struct quant_range *, marks.n_tensors);
    for (int i = 0; i < marks.n_tensors; i++) { // before the graph changes
        if (!marks.wanted[i])
            continue;
        range[i] = quant_range_find(ranges, marks.source[i]->name);
        if (!range[i])
            range[i] = quant_range_find(ranges, g->tensors[i]->name);
        if (!range[i] && ranges->hardware)
            return diag_error(cx, E306, g->file, "a model whose layers and tensors have the names of the one that the hardware was made from",
                              "tensor '%s' has no counterpart in %s", g->tensors[i]->name, ranges->hardware);
        if (!range[i])
            return diag_error(cx, E105, g->file, "compile the model again",
                              "the stored ranges lack tensor '%s'", g->tensors[i]->name);
    }
    int n = marks.n_tensors;
    for (int i = 0; i < n; i++)
        if (range[i])
            insert_pair(g, g->tensors[i], range[i]);
    if (!quantize_all_weights(cx, g, &marks, ranges))
        return false;
    graph_verify(g);
    return true;
}

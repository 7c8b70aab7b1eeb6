// SPDX-License-Identifier: Apache-2.0
// lower: walks the quantized graph. The unit is the QuantizeLinear: whatever stands between it
// and the DequantizeLinears in front of it is one stage (lower_stages.c makes it).
//
// Order of data. A stream is an image in raster order with the channel fastest (NHWC), ONNX
// tensors are NCHW. Instead of moving data, each integer tensor remembers which of its
// elements stands at each stream position; Reshape and Transpose only change that table, and a
// matrix product permutes its weights by it.
#include "dataflow/lower.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/argmax.h"
#include "dataflow/lower_internal.h"
#include "dataflow/move.h"
#include "dataflow/quant.h"
#include "dataflow/unary.h"

bool requant_constant(double ratio, int mult_bits, int32_t *mult, int *shift)
{
    if (ratio == 0) {
        *mult = 0;
        *shift = 1;
        return true;
    }
    if (!(ratio > 0) || isinf(ratio))
        return false;
    int e;
    double m = frexp(ratio, &e); // ratio = m * 2^e, m in [1/2, 1)
    // a shift alone is the nearest power of two on a logarithmic scale
    double scaled = mult_bits == 1 ? (m < M_SQRT1_2 ? 0.5 : 1) : nearbyint(ldexp(m, mult_bits));
    if (mult_bits == 1) {
        e = scaled == 1 ? e + 1 : e;
        scaled = 1;
    } else if (scaled == ldexp(1, mult_bits)) {
        scaled /= 2;
        e++;
    }
    *mult = (int32_t)scaled;
    *shift = mult_bits - e;
    return *shift >= 0 && *shift <= 62;
}

bool read_qparam(struct lowering *l, const struct node *n, double *scale, int *zero_point, bool *flip)
{
    const struct tensor *s = n->in[1], *z = n->n_in > 2 ? n->in[2] : NULL;
    const struct tensor *x = n->op == OP_QuantizeLinear ? n->out[0] : n->in[0];
    if (!s->data || (z && !z->data))
        return diag_error(l->cx, E206, at_node(l->g, n), NULL,
                          "scale and zero point of %s must be constants", op_info(n->op)->name);
    if (tensor_count(s) != 1)
        return diag_error(l->cx, E209, at_node(l->g, n),
                          "quantize activations per tensor; only weights may be per channel",
                          "activations have %lld scales", (long long)tensor_count(s));
    if (x->dtype != DT_INT8 && x->dtype != DT_UINT8)
        return diag_error(l->cx, E207, at_node(l->g, n), "quantize activations to int8 or uint8",
                          "activations of type %s", dtype_name(x->dtype));
    *scale = tensor_const_f64(s, 0);
    if (!(*scale > 0) || isinf(*scale))
        return diag_error(l->cx, E209, at_node(l->g, n), "a scale must be positive and finite",
                          "scale %g", *scale);
    *flip = x->dtype == DT_UINT8;
    *zero_point = (z ? (int)tensor_const_i64(z, 0) : 0) - (*flip ? 128 : 0);
    return true;
}

int32_t *invert_order(struct arena *a, const int32_t *map, int64_t n)
{
    int32_t *inv = arena_array(a, int32_t, n);
    for (int64_t i = 0; i < n; i++)
        inv[map[i]] = (int32_t)i;
    return inv;
}

const int32_t *compose_order(struct arena *a, const int32_t *outer, const int32_t *inner, int64_t n)
{
    if (!outer || !inner)
        return outer ? outer : inner;
    int32_t *map = arena_array(a, int32_t, n);
    for (int64_t i = 0; i < n; i++)
        map[i] = inner[outer[i]];
    return map;
}

// Operators that the host may do around the pipeline, for nothing.
static bool is_rename(const struct node *n)
{
    return n && (n->op == OP_Reshape || n->op == OP_Transpose || n->op == OP_Identity);
}

// Operators that only change where in a tensor an element is said to be.
static bool is_free(const struct node *n)
{
    return is_rename(n) || (n && (n->op == OP_DepthToSpace || n->op == OP_SpaceToDepth));
}

// A MaxPool right on integers, without a pair around it.
static bool is_integer_pool(const struct node *n)
{
    return (n->op == OP_MaxPool || n->op == OP_GlobalMaxPool) && (n->in[0]->dtype == DT_INT8 || n->in[0]->dtype == DT_UINT8);
}

// Steps from t over such operators towards its source; updates map.
static const struct tensor *skip_free(struct lowering *l, const struct tensor *t, const int32_t **map)
{
    struct arena *a = l->cx->arena;
    while (is_free(t->producer) && !t->producer->in[0]->data) {
        const struct node *n = t->producer;
        const int32_t *moved = NULL;
        double fill;
        if (n->op != OP_Reshape && n->op != OP_Identity && !move_map(l->cx, l->g, n, 0, a, &moved, &fill))
            BUG("%s has no map", op_info(n->op)->name);
        *map = compose_order(a, *map, moved, tensor_count(t));
        t = n->in[0];
    }
    return t;
}

// The tensor that t's elements come from over operators that move them.
static const struct tensor *skip_moves(struct lowering *l, const struct tensor *t)
{
    const int32_t *unused = NULL;
    t = skip_free(l, t, &unused);
    while (t->producer && move_is(t->producer))
        t = skip_free(l, t->producer->in[0], &unused);
    return t;
}

static bool refuse_input(struct lowering *l, const struct tensor *t)
{
    return diag_error(l->cx, E207, at_tensor(l->g, t), "use int8, uint8 or float inputs", "input of type %s enters the hardware", dtype_name(t->dtype));
}

// The stream behind tensor t, which needs a view or an operator that gathers it. *out has the map so far.
static bool locate(struct lowering *l, const struct tensor *t, struct source *out)
{
    struct arena *a = l->cx->arena;
    t = skip_free(l, t, &out->map);
    const struct node *n = t->producer;
    const struct view *v = &l->views[t->index];
    if (t->data)
        return diag_error(l->cx, E201, at_tensor(l->g, t), "simplify the model when exporting it", "constant '%s' stands where hardware takes computed values", t->name);
    if (v->stream < 0 && n && move_is(n) && !lower_move(l, n, t))
        return false;
    if (v->stream < 0 && n && n->op != OP_QuantizeLinear && !is_integer_pool(n))
        return diag_error(l->cx, E201, at_node(l->g, n), "put DequantizeLinear in front of it and QuantizeLinear behind it",
                          "%s of integers cannot run in hardware here", op_info(n->op)->name);
    if (v->stream < 0 && !n && !l->cx->diag->errors) // nothing quantized reads it
        return refuse_input(l, t);
    if (v->stream < 0)
        return false; // reported where it failed
    out->tensor = t;
    out->stream = v->stream;
    out->element = v->logical;
    out->scale = v->scale;
    out->zero_point = v->zero_point;
    int64_t count = tensor_count(t);
    if (v->logical && out->map)
        out->element = compose_order(a, v->logical, invert_order(a, out->map, count), count);
    return true;
}

bool resolve_source(struct lowering *l, const struct node *reader, const struct tensor *t, struct source *out)
{
    struct arena *a = l->cx->arena;
    *out = (struct source){ .stream = -1 };
    if (t->dtype != DT_FLOAT) // integers between integer operators
        return locate(l, t, out);
    t = skip_free(l, t, &out->map);
    const struct node *dq = t->producer;
    if (dq && move_is(dq))
        return locate(l, t, out);
    if (!dq || dq->op != OP_DequantizeLinear)
        return diag_emit(l->cx, (struct diag_msg){ .code = E209, .where = at_node(l->g, reader),
                         .found = arena_printf(a, "float tensor '%s'", t->name),
                         .need = "a DequantizeLinear in front of it",
                         .help = "quantize the whole model, or give aihls the float model" },
                         "an input of %s is not quantized", op_info(reader->op)->name);
    bool flip;
    return locate(l, dq->in[0], out) && read_qparam(l, dq, &out->scale, &out->zero_point, &flip);
}

// What names the elements of tensor `source` anew on their way to `reader`: a Reshape before anything else; the reader
// itself where nothing does.
static const struct node *mover(const struct node *reader, const struct tensor *source)
{
    for (int k = 0; k < reader->n_in; k++) {
        const struct node *found = NULL;
        const struct tensor *t = reader->in[k];
        while (t && t != source && t->producer && (is_free(t->producer) || t->producer->op == OP_DequantizeLinear)) {
            const struct node *n = t->producer;
            if (is_free(n) && (!found || (found->op != OP_Reshape && n->op == OP_Reshape)))
                found = n;
            t = n->in[0];
        }
        if (t == source && found)
            return found;
    }
    return reader;
}

// A gather stage that brings s into the wanted order; later readers of the tensor find it there.
static bool reorder(struct lowering *l, const struct node *reader, struct source *s, const int32_t *want, int64_t h, int64_t w, int64_t c)
{
    struct arena *a = l->cx->arena;
    int64_t n = h * w * c;
    const int32_t *at = compose_order(a, want, invert_order(a, s->element, n), n);
    int stream = gather_stage(l, mover(reader, s->tensor), arena_printf(a, "order for %s", reader->name[0] ? reader->name : op_info(reader->op)->name),
                              s->stream, at, h, w, c, 0);
    if (stream < 0)
        return false;
    const struct stream *from = &l->p->streams[s->stream];
    struct stream *x = &l->p->streams[stream];
    struct view *v = &l->views[s->tensor->index];
    v->stream = s->stream = stream;
    v->logical = compose_order(a, want, s->map, n);
    x->logical = v->logical;
    x->tensor = s->tensor->name;
    x->scale = from->scale;
    x->zero_point = from->zero_point;
    s->element = want;
    return true;
}

bool demand_order(struct lowering *l, const struct node *reader, struct source *s, const int32_t *want,
                  int64_t h, int64_t w, int64_t c)
{
    int64_t n = h * w * c;
    if (s->element) {
        if (memcmp(s->element, want, (size_t)n * sizeof *want) == 0)
            return true;
        return reorder(l, reader, s, want, h, w, c);
    }
    struct view *v = &l->views[s->tensor->index];
    v->logical = compose_order(l->cx->arena, want, s->map, n);
    s->element = want;
    struct stream *x = &l->p->streams[s->stream];
    x->h = h;
    x->w = w;
    x->c = c;
    x->logical = v->logical;
    return true;
}

const int32_t *image_order(struct arena *a, const struct tensor *t, int64_t *h, int64_t *w, int64_t *c)
{
    int64_t n = tensor_count(t);
    *h = *w = 1;
    *c = n;
    if (t->rank == 4 && t->dims[0] == 1) {
        *c = t->dims[1];
        *h = t->dims[2];
        *w = t->dims[3];
    } else if (t->rank == 3 && t->dims[0] == 1) {
        *c = t->dims[1];
        *w = t->dims[2];
    }
    int32_t *order = arena_array(a, int32_t, n);
    for (int64_t i = 0; i < n; i++)
        order[i] = (int32_t)(i % *c * (*h * *w) + i / *c);
    if (t->rank == 2) { // rows of a matrix, as they are
        *h = t->dims[0];
        *c = t->dims[1];
    }
    return order;
}

bool demand_image(struct lowering *l, const struct node *reader, struct source *s, const struct tensor *t, const int32_t **channel)
{
    struct arena *a = l->cx->arena;
    int64_t h, w, c;
    const int32_t *want = image_order(a, t, &h, &w, &c), *place = invert_order(a, want, h * w * c);
    int32_t *perm = arena_array(a, int32_t, c);
    const struct stream *x = &l->p->streams[s->stream];
    bool permuted = s->element && x->c == c && x->h * x->w == h * w;
    for (int64_t k = 0; k < c; k++) // the place in the image order of the first pixel's channels
        perm[k] = permuted ? place[s->element[k]] : (int32_t)k;
    for (int64_t p = 0; permuted && p < h * w * c; p++)
        permuted = perm[p % c] < c && place[s->element[p]] == p / c * c + perm[p % c];
    for (int64_t k = 0; !permuted && k < c; k++)
        perm[k] = (int32_t)k;
    *channel = perm;
    return permuted || demand_order(l, reader, s, want, h, w, c);
}

bool same_quantization(const struct expression *e, double scale, int zero_point)
{
    return scale == e->scale && zero_point == e->zero_point && e->n_unaries == 0 && isinf(e->lo) && isinf(e->hi);
}

void bind_view(struct lowering *l, const struct expression *e, int stream, const int32_t *element)
{
    int64_t n = tensor_count(e->result);
    const int32_t *logical = element;
    if (e->out_map)
        logical = compose_order(l->cx->arena, element, invert_order(l->cx->arena, e->out_map, n), n);
    l->views[e->q->out[0]->index] = (struct view){ .stream = stream, .logical = logical };
    struct stream *s = &l->p->streams[stream];
    if (!s->logical) {
        s->logical = logical;
        s->tensor = e->q->out[0]->name;
        s->scale = e->scale;
        s->zero_point = e->zero_point;
    }
}

// Reads e from its QuantizeLinear backwards to the operator or DequantizeLinear that feeds it.
static bool read_expression(struct lowering *l, const struct node *q, struct expression *e)
{
    struct arena *a = l->cx->arena;
    int cap = 0, in;
    *e = (struct expression){ .q = q, .lo = -INFINITY, .hi = INFINITY, .nodes = "" };
    if (!read_qparam(l, q, &e->scale, &e->zero_point, &e->flip))
        return false;
    const struct tensor *t = q->in[0];
    for (;;) {
        t = skip_free(l, t, &e->out_map);
        const struct node *n = t->producer;
        double lo, hi;
        if (!n || n->op == OP_DequantizeLinear || move_is(n))
            break;
        e->nodes = arena_printf(a, "%s%s%s", n->name[0] ? n->name : op_info(n->op)->name,
                                e->nodes[0] ? ", " : "", e->nodes);
        if (unary_clamp(n, &lo, &hi) && e->n_unaries == 0) {
            // outer(inner(x)), both intervals, is an interval again
            double bounded_lo = fmin(fmax(lo, e->lo), e->hi), bounded_hi = fmin(fmax(hi, e->lo), e->hi);
            e->lo = bounded_lo;
            e->hi = bounded_hi;
        } else if (unary_is(n, &in)) {
            arena_push(a, e->unaries, e->n_unaries, cap, n);
        } else {
            e->main = n;
            break;
        }
        t = n->in[unary_is(n, &in) ? in : 0];
    }
    e->result = t;
    return true;
}

// Stages for one QuantizeLinear. False when it failed (reported).
static bool lower_quantize(struct lowering *l, const struct node *q)
{
    struct expression e;
    struct source s;
    if (!read_expression(l, q, &e))
        return false;
    if (e.main) {
        if (e.n_unaries)
            return diag_emit(l->cx, (struct diag_msg){ .code = E209, .where = at_node(l->g, e.unaries[0]),
                             .need = arena_printf(l->cx->arena, "a QuantizeLinear and a DequantizeLinear between %s and %s",
                                                  op_info(e.main->op)->name, op_info(e.unaries[0]->op)->name),
                             .help = "a table needs 8-bit input; export the model with its inner activations quantized" },
                             "%s follows %s without quantization", op_info(e.unaries[0]->op)->name, op_info(e.main->op)->name);
        return lower_main(l, &e);
    }
    if (!resolve_source(l, q, e.result, &s))
        return false;
    if (same_quantization(&e, s.scale, s.zero_point) && s.element) { // a name for the same numbers
        bind_view(l, &e, s.stream, s.element);
        return true;
    }
    return lower_table(l, &e, &s);
}

// Integer tensors that the host provides: model inputs, and QuantizeLinears whose operand comes from
// a model input over nodes that run on the host.
static bool host_computes(const struct tensor *t)
{
    for (;;) {
        const struct node *n = t->producer;
        if (!n)
            return !t->data; // a constant that was too large to fold is nobody's
        if (n->op == OP_DequantizeLinear || argmax_in_hardware(n))
            return false;
        if (op_info(n->op)->support != OP_BORDER && !is_rename(n) && !node_attr(n, "resolved_host"))
            return false;
        t = n->in[0];
    }
}

// The model's input that the host computes t from.
static int model_input(const struct graph *g, const struct tensor *t)
{
    while (t->producer)
        t = t->producer->in[0];
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i] == t)
            return i;
    BUG("tensor '%s' comes from no input", t->name); // constants were folded
}

// Opens tensor t as an input of the pipeline. q says what its integers stand for, a DequantizeLinear that reads it or the
// QuantizeLinear that makes it; NULL: they stand for themselves.
static bool open_input(struct lowering *l, const struct tensor *t, const struct node *q)
{
    struct pipeline *p = l->p;
    double scale = 1;
    bool flip = t->dtype == DT_UINT8;
    int zero_point = flip ? -128 : 0, model = model_input(l->g, t);
    for (int i = 0; i < p->n_inputs; i++)
        if (p->inputs[i].model == model)
            return diag_error(l->cx, E211, at_tensor(l->g, t), "quantize the input once, for all its readers",
                              "input '%s' enters the hardware twice, as '%s' and as '%s'", l->g->inputs[model]->name,
                              p->inputs[i].tensor->name, t->name);
    if (t->dtype != DT_INT8 && t->dtype != DT_UINT8)
        return refuse_input(l, t);
    if (q && !read_qparam(l, q, &scale, &zero_point, &flip))
        return false;
    int64_t h, w, c;
    image_order(l->cx->arena, t, &h, &w, &c);
    struct stream *s = pipeline_add_stream(p, t->name, -1, h, w, c);
    s->scale = scale;
    s->zero_point = zero_point;
    l->views[t->index] = (struct view){ .stream = s->index };
    struct host_port port = { .model = model, .tensor = t, .stream = s->index, .flip = flip };
    arena_push(p->arena, p->inputs, p->n_inputs, p->cap_inputs, port);
    return true;
}

bool resolve_integers(struct lowering *l, const struct node *n, struct source *out)
{
    const struct tensor *t = skip_moves(l, n->in[0]);
    const struct node *q = t->producer;
    bool from_host = !q || (q->op == OP_QuantizeLinear && host_computes(q->in[0]));
    *out = (struct source){ .stream = -1 };
    return (l->views[t->index].stream >= 0 || !from_host || open_input(l, t, q)) && locate(l, n->in[0], out);
}

// The largest of integers stands for the largest of what they stand for, whatever the scale.
static bool lower_integer_pool(struct lowering *l, const struct node *n)
{
    struct source in;
    if (!skip_moves(l, n->in[0])->producer)
        return diag_error(l->cx, E209, at_node(l->g, n), "put a DequantizeLinear in front of it and a QuantizeLinear behind it",
                          "%s of an integer input without a scale", op_info(n->op)->name);
    if (!resolve_integers(l, n, &in))
        return false;
    const struct stream *s = &l->p->streams[in.stream];
    in.scale = s->scale;
    in.zero_point = s->zero_point;
    struct expression e = { .q = n, .main = n, .result = n->out[0], .lo = -INFINITY, .hi = INFINITY, .scale = s->scale,
                            .zero_point = s->zero_point, .nodes = n->name[0] ? n->name : op_info(n->op)->name };
    return lower_pool_of(l, &e, &in);
}

static bool lower_all(struct lowering *l)
{
    const struct graph *g = l->g;
    bool *needed = quant_hardware(g, l->cx->arena), ok = true;
    for (int i = 0; i < g->n_tensors; i++)
        if (needed[i] && !g->tensors[i]->data && tensor_count(g->tensors[i]) == 0)
            return diag_error(l->cx, E204, at_tensor(g, g->tensors[i]), "leave it out when exporting the model", "'%s' has no elements", g->tensors[i]->name);
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        bool wanted = false;
        for (int k = 0; k < n->n_out; k++)
            wanted |= n->out[k] && needed[n->out[k]->index];
        if (!wanted)
            continue;
        if (n->op == OP_DequantizeLinear && !n->in[0]->data) {
            const struct tensor *t = skip_moves(l, n->in[0]);
            if (l->views[t->index].stream < 0 && (!t->producer || (t->producer->op == OP_QuantizeLinear && host_computes(t->producer->in[0]))))
                ok &= open_input(l, t, n);
        } else if (n->op == OP_QuantizeLinear && !host_computes(n->in[0])) {
            ok &= lower_quantize(l, n);
        } else if (is_integer_pool(n)) {
            ok &= lower_integer_pool(l, n);
        } else if (argmax_in_hardware(n)) {
            ok &= lower_argmax(l, n);
        } else if (op_info(n->op)->support == OP_NONE) {
            ok &= diag_emit(l->cx, (struct diag_msg){ .code = E201, .where = at_node(g, n),
                            .help = "`aihls ops` lists what runs in hardware and what on the host" },
                            "%s cannot run in hardware here", op_info(n->op)->name);
        }
    }
    ASSERT(ok || l->cx->diag->errors);
    return ok;
}

static const char *port_name(struct arena *a, const char *base, int i, int n)
{
    return n == 1 ? base : arena_printf(a, "%s%d", base, i);
}

// Their order is that of the graph, whichever was read first.
static void finish_inputs(struct pipeline *p)
{
    for (int i = 1; i < p->n_inputs; i++)
        for (int k = i; k > 0 && p->inputs[k].model < p->inputs[k - 1].model; k--) {
            struct host_port later = p->inputs[k - 1];
            p->inputs[k - 1] = p->inputs[k];
            p->inputs[k] = later;
        }
    for (int i = 0; i < p->n_inputs; i++) {
        p->inputs[i].name = port_name(p->arena, "s_in", i, p->n_inputs);
        p->inputs[i].logical = p->streams[p->inputs[i].stream].logical;
    }
}

static bool connect_outputs(struct lowering *l)
{
    struct pipeline *p = l->p;
    const struct graph *g = l->g;
    p->n_outputs = g->n_outputs;
    p->outputs = arena_array(p->arena, struct host_port, g->n_outputs);
    bool ok = true;
    for (int i = 0; i < g->n_outputs; i++) {
        const struct tensor *tail = quant_tail(g->outputs[i]);
        const struct view *v = &l->views[tail->index];
        struct view moved;
        struct source s = { .stream = -1 };
        bool moves = v->stream < 0 && tail->dtype != DT_FLOAT && tail->producer && (is_free(tail->producer) || move_is(tail->producer));
        if (moves && !host_computes(tail)) { // integers that only change places behind the last QuantizeLinear
            if (!locate(l, tail, &s)) {
                ok = false;
                if (l->cx->diag->errors == 0) // the input itself, which nothing computes with
                    diag_error(l->cx, E210, g->file, "`aihls ops` lists the operators that run in hardware",
                               "no operator of the model can run in hardware");
                continue;
            }
            moved = (struct view){ .stream = s.stream, .logical = s.element };
            v = &moved;
        }
        if (tail->data || host_computes(tail) || (v->stream >= 0 && p->streams[v->stream].producer < 0)) {
            ok = quant_host_output(l->cx, g, g->outputs[i]);
            continue;
        }
        if (v->stream < 0 || tail->dtype == DT_FLOAT) {
            ok = diag_error(l->cx, E209, at_tensor(g, g->outputs[i]), "put a QuantizeLinear behind the last operator, or give aihls the float model",
                            "output '%s' is not quantized", g->outputs[i]->name);
            continue;
        }
        p->outputs[i] = (struct host_port){ .name = port_name(p->arena, "m_out", i, g->n_outputs), .model = i, .tensor = tail,
                                       .stream = v->stream, .flip = tail->dtype == DT_UINT8, .logical = v->logical };
        pipeline_connect(p, v->stream, -1, i);
    }
    return ok;
}

bool lower_graph(const struct ctx *cx, const struct graph *g, enum requant_mode mode, const char *name,
                 struct pipeline **out)
{
    struct pipeline *p = arena_new(cx->arena, struct pipeline);
    struct lowering l = { .cx = cx, .g = g, .p = p, .mode = mode };
    p->arena = cx->arena;
    p->runs = 1;
    p->graph = g;
    p->name = name;
    l.views = arena_array(cx->arena, struct view, g->n_tensors);
    for (int i = 0; i < g->n_tensors; i++)
        l.views[i].stream = -1;
    if (!lower_all(&l))
        return false;
    if (p->n_stages == 0)
        return diag_error(cx, E210, g->file, "`aihls ops` lists the operators that run in hardware",
                          "no operator of the model can run in hardware");
    if (!connect_outputs(&l))
        return false;
    finish_inputs(p);
    for (int i = 0; i < p->n_stages; i++)
        p->macs += p->stages[i].macs;
    pipeline_verify(p);
    *out = p;
    return true;
}

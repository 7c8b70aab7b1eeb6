// SPDX-License-Identifier: Apache-2.0
// lower_binary: Add, Sub and Mul of two computed tensors.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/lower_internal.h"
#include "dataflow/move.h"

static bool same_dims(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool is_constant(const struct tensor *t)
{
    return t->data || (t->producer && t->producer->op == OP_DequantizeLinear && t->producer->in[0]->data);
}

// The operand t of e->main, repeated to the result's shape.
static bool broadcast(struct lowering *l, const struct expression *e, const struct tensor *t, struct source *s, const int32_t *order,
                      int64_t h, int64_t w, int64_t c)
{
    struct arena *a = l->cx->arena;
    const struct node *n = e->main;
    int64_t hh, ww, cc, count = h * w * c;
    if (!s->element) {
        const int32_t *own = image_order(a, t, &hh, &ww, &cc);
        if (!demand_order(l, n, s, own, hh, ww, cc))
            return false;
    }
    const int32_t *map = move_broadcast(a, t, e->result->rank, e->result->dims), *place = invert_order(a, s->element, tensor_count(t));
    int32_t *at = arena_array(a, int32_t, count);
    for (int64_t p = 0; p < count; p++)
        at[p] = place[map[order[p]]];
    int stream = gather_stage(l, n, arena_printf(a, "%s broadcast", n->name[0] ? n->name : op_info(n->op)->name), s->stream, at, h, w, c, 0);
    if (stream < 0)
        return false;
    const struct stream *from = &l->p->streams[s->stream];
    struct stream *x = &l->p->streams[stream];
    x->logical = order;
    x->tensor = t->name;
    x->scale = from->scale;
    x->zero_point = from->zero_point;
    s->stream = stream;
    s->element = order;
    return true;
}

// Both operands in the same order and shape, which is that of the first that has one and needs no broadcasting.
static bool read_operands(struct lowering *l, const struct expression *e, struct source in[2], int64_t *h, int64_t *w, int64_t *c)
{
    const struct node *n = e->main;
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        if (is_constant(n->in[i]))
            return diag_error(l->cx, E206, at_node(l->g, n), "a constant may differ along one axis only",
                              "%s with a constant tensor of shape %s is not supported", op_info(n->op)->name,
                              shape_text(l->cx->arena, n->in[i]->rank, n->in[i]->dims));
        ok &= resolve_source(l, n, n->in[i], &in[i]);
    }
    if (!ok)
        return false;
    const int32_t *order = image_order(l->cx->arena, e->result, h, w, c);
    for (int i = 0; i < 2; i++)
        if (in[1 - i].element && same_dims(n->in[1 - i], e->result)) {
            const struct stream *o = &l->p->streams[in[1 - i].stream];
            order = in[1 - i].element;
            *h = o->h, *w = o->w, *c = o->c;
        }
    // resolved again, since the first demand may settle the order of the second operand: both may be views
    // of the pipeline's input
    for (int i = 0; i < 2; i++) {
        const struct tensor *t = n->in[i];
        if (!resolve_source(l, n, t, &in[i]) ||
            !(same_dims(t, e->result) ? demand_order(l, n, &in[i], order, *h, *w, *c) : broadcast(l, e, t, &in[i], order, *h, *w, *c)))
            return false;
    }
    return true;
}

// Fewer bits of a ratio of scales, as the requantization mode asks.
static double coarse(struct lowering *l, double ratio)
{
    int32_t m;
    int s;
    if (l->mode != REQUANT_EXACT && requant_constant(ratio, l->mode == REQUANT_FAST ? 17 : 1, &m, &s))
        return ldexp(m, -s);
    return ratio;
}

static bool sum_constants(struct lowering *l, const struct expression *e, const struct source in[2], struct stage *s)
{
    double ra = in[0].scale / e->scale, rb = in[1].scale / e->scale;
    int exponent;
    frexp(fmax(ra, rb), &exponent);
    int shift = 24 - exponent > 24 ? 24 - exponent : 24;
    if (shift > 62 || fmax(ra, rb) >= 64)
        return diag_error(l->cx, E209, at_node(l->g, e->main), "check the scales around it",
                          "the ratios of scales %g and %g cannot be requantized", ra, rb);
    s->add_shift = shift;
    s->a_mult = (int32_t)nearbyint(ldexp(coarse(l, ra), shift));
    s->b_mult = (int32_t)nearbyint(ldexp(coarse(l, rb), shift));
    if (e->main->op == OP_Sub)
        s->b_mult = -s->b_mult;
    return true;
}

static bool product_constants(struct lowering *l, const struct expression *e, const struct source in[2], struct stage *s)
{
    double ratio = in[0].scale * in[1].scale / e->scale;
    int bits = l->mode == REQUANT_EXACT ? 24 : l->mode == REQUANT_FAST ? 17 : 1;
    if (!requant_constant(ratio, bits, &s->a_mult, &s->add_shift) || s->add_shift < 1)
        return diag_error(l->cx, E209, at_node(l->g, e->main), "check the scales around it",
                          "the ratio of scales %g cannot be requantized", ratio);
    return true;
}

bool lower_binary(struct lowering *l, const struct expression *e)
{
    struct source in[2];
    int64_t h, w, c;
    bool product = e->main->op == OP_Mul;
    struct stage constants = { .kind = STAGE_ADD };
    if (!read_operands(l, e, in, &h, &w, &c) || !(product ? product_constants : sum_constants)(l, e, in, &constants))
        return false;
    struct stage *s = new_stage(l, product ? STAGE_MUL : STAGE_ADD, e);
    s->n_in = 2;
    s->in_c = s->out_c = c;
    s->geo = elementwise_geometry(h, w);
    s->a_zp = in[0].zero_point;
    s->b_zp = in[1].zero_point;
    s->add_shift = constants.add_shift;
    s->a_mult = constants.a_mult;
    s->b_mult = constants.b_mult;
    s->rq.zero_point = e->zero_point;
    clamp_of(e, &s->rq.clamp_lo, &s->rq.clamp_hi);
    int index = s->index;
    for (int i = 0; i < 2; i++)
        pipeline_connect(l->p, in[i].stream, index, i);
    struct stream *x = pipeline_add_stream(l->p, e->result->name, index, h, w, c);
    bind_view(l, e, x->index, in[0].element);
    return true;
}

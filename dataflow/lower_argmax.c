// SPDX-License-Identifier: Apache-2.0
// lower_argmax: the channel of each pixel's largest element.
#include "base/check.h"
#include "dataflow/lower_internal.h"

// The compared tensor as [outer][size][inner], of which `size` is compared.
struct runs {
    int64_t outer, size, inner;
};

static struct runs runs_of(const struct node *n)
{
    const struct tensor *x = n->in[0];
    int axis = axis_of(node_int(n, "axis", 0), x->rank);
    struct runs r = { 1, x->dims[axis], 1 };
    for (int i = 0; i < x->rank; i++)
        *(i < axis ? &r.outer : i > axis ? &r.inner : &r.size) *= i == axis ? 1 : x->dims[i];
    return r;
}

// Whether each pixel of the stream is a run, in order.
static bool is_in_runs(const int32_t *element, const struct runs *r)
{
    int64_t count = r->outer * r->size * r->inner;
    for (int64_t p = 0; p < count; p++) {
        int64_t first = element[p - p % r->size];
        if (first / r->inner % r->size != 0 || element[p] != first + p % r->size * r->inner)
            return false;
    }
    return true;
}

// The runs behind one another, as pixels of an image of *h rows and *w columns.
static const int32_t *runs_in_order(struct arena *a, const struct node *n, const struct runs *r, int64_t *h, int64_t *w)
{
    const struct tensor *x = n->in[0];
    int axis = axis_of(node_int(n, "axis", 0), x->rank), last = axis == x->rank - 1 ? axis - 1 : x->rank - 1;
    int32_t *order = arena_array(a, int32_t, r->outer * r->size * r->inner);
    *w = last < 0 ? 1 : x->dims[last];
    *h = r->outer * r->inner / *w;
    for (int64_t i = 0, p = 0; i < r->outer * r->inner; i++)
        for (int64_t k = 0; k < r->size; k++)
            order[p++] = (int32_t)((i / r->inner * r->size + k) * r->inner + i % r->inner);
    return order;
}

bool lower_argmax(struct lowering *l, const struct node *n)
{
    struct arena *a = l->cx->arena;
    struct source in;
    struct runs r = runs_of(n);
    int64_t h, w;
    if (!(n->in[0]->dtype == DT_FLOAT ? resolve_source(l, n, n->in[0], &in) : resolve_integers(l, n, &in)))
        return false;
    if (!in.element || !is_in_runs(in.element, &r)) {
        const int32_t *order = runs_in_order(a, n, &r, &h, &w);
        if (!demand_order(l, n, &in, order, h, w, r.size))
            return false;
    }
    const struct stream *from = &l->p->streams[in.stream];
    h = from->c == r.size ? from->h : r.outer * r.inner;
    w = from->c == r.size ? from->w : 1;
    struct stage *s = pipeline_add_stage(l->p, STAGE_ARGMAX, n->name[0] ? n->name : op_info(n->op)->name, at_node(l->g, n));
    s->n_in = 1;
    s->in_c = r.size;
    s->out_c = 1;
    s->geo = elementwise_geometry(h, w);
    s->select_last = node_int(n, "select_last_index", 0) != 0;
    int index = s->index;
    pipeline_connect(l->p, in.stream, index, 0);
    int32_t *logical = arena_array(a, int32_t, h * w);
    for (int64_t i = 0; i < h * w; i++) {
        int64_t first = in.element[i * r.size];
        logical[i] = (int32_t)(first / (r.size * r.inner) * r.inner + first % r.inner);
    }
    struct stream *x = pipeline_add_stream(l->p, n->out[0]->name, index, h, w, 1);
    x->logical = logical;
    x->zero_point = -128; // uint8 carried as int8
    l->views[n->out[0]->index] = (struct view){ .stream = x->index, .logical = logical };
    return true;
}

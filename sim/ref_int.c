// SPDX-License-Identifier: Apache-2.0
#include "sim/ref_int.h"

#include <string.h>

#include "base/check.h"
#include "sim/ref_float.h"

// Below this a stage is done before a second thread is awake.
#define PARALLEL_MACS 1000000

int64_t rne_shift(int64_t v, int shift)
{
    if (shift == 0)
        return v;
    // v = floor * 2^shift + rest, 0 <= rest < 2^shift: up when above half, or at half and odd
    int64_t floor = v >> shift, rest = v - (int64_t)((uint64_t)floor << shift), half = (int64_t)1 << (shift - 1);
    return floor + (rest > half || (rest == half && (floor & 1)));
}

static inline int clamp_int(int64_t v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : (int)v;
}

int requantize(const struct requant *r, int64_t acc, int64_t c)
{
    int64_t i = r->n == 1 ? 0 : c, x = acc + r->bias[i];
    int64_t y = rne_shift(x * r->mult[i], r->shift[i]);
    return clamp_int(y + r->zero_point, r->clamp_lo, r->clamp_hi);
}

// As many products of 8 by 9 bits (2^15 at most) fit a sum of 32 bits.
#define DOT_LENGTH 65535

static int64_t dot(const int16_t *w, const int8_t *x, int64_t n)
{
    int64_t acc = 0;
    for (int64_t from = 0; from < n; from += DOT_LENGTH) {
        int64_t to = from + DOT_LENGTH < n ? from + DOT_LENGTH : n;
        int32_t sum = 0;
        for (int64_t c = from; c < to; c++)
            sum += w[c] * x[c];
        acc += sum;
    }
    return acc;
}

static void conv_row(const struct stage *s, const int8_t *x, int8_t *y, int64_t oy)
{
    const struct window_geometry *g = &s->geo;
    int64_t cig = s->in_c / g->group, mg = s->out_c / g->group, taps = g->kernel_h * g->kernel_w;
    for (int64_t ox = 0; ox < g->out_w; ox++)
        for (int64_t m = 0; m < s->out_c; m++) {
            const int16_t *w = s->weights + m * taps * cig;
            int64_t acc = 0, base = m / mg * cig;
            for (int64_t ky = 0; ky < g->kernel_h; ky++) {
                int64_t iy = oy * g->stride_h - g->pad_top + ky * g->dilation_h;
                for (int64_t kx = 0; kx < g->kernel_w; kx++, w += cig) {
                    int64_t ix = ox * g->stride_w - g->pad_left + kx * g->dilation_w;
                    if (iy < 0 || iy >= g->in_h || ix < 0 || ix >= g->in_w) {
                        for (int64_t c = 0; c < cig; c++)
                            acc += w[c] * s->pad_value;
                    } else {
                        acc += dot(w, x + (iy * g->in_w + ix) * s->in_c + base, cig);
                    }
                }
            }
            y[(oy * g->out_w + ox) * s->out_c + m] = (int8_t)requantize(&s->rq, acc, m);
        }
}

static void dw_row(const struct stage *s, const int8_t *x, int8_t *y, int64_t oy)
{
    const struct window_geometry *g = &s->geo;
    int64_t taps = g->kernel_h * g->kernel_w;
    for (int64_t ox = 0; ox < g->out_w; ox++)
        for (int64_t c = 0; c < s->out_c; c++) {
            int64_t acc = s->op == DW_MAX ? -128 : 0;
            for (int64_t t = 0; t < taps; t++) {
                int64_t iy = oy * g->stride_h - g->pad_top + t / g->kernel_w * g->dilation_h;
                int64_t ix = ox * g->stride_w - g->pad_left + t % g->kernel_w * g->dilation_w;
                bool inside = iy >= 0 && iy < g->in_h && ix >= 0 && ix < g->in_w;
                int v = inside ? x[(iy * g->in_w + ix) * s->in_c + c] : s->pad_value;
                if (s->op == DW_MAX)
                    acc = v > acc ? v : acc;
                else
                    acc += s->op == DW_MAC ? v * s->weights[c * taps + t] : v;
            }
            int64_t set = s->rq.by_pixel ? oy * g->out_w + ox : c;
            y[(oy * g->out_w + ox) * s->out_c + c] = (int8_t)(s->has_requant ? requantize(&s->rq, acc, set) : acc);
        }
}

static void run_gap(const struct stage *s, const int8_t *x, int8_t *y)
{
    const struct window_geometry *g = &s->geo;
    for (int64_t c = 0; c < s->out_c; c++) {
        int64_t acc = s->op == DW_MAX ? -128 : 0;
        for (int64_t iy = 0; iy < g->kernel_h; iy++)
            for (int64_t ix = 0; ix < g->kernel_w; ix++) {
                int v = x[(iy * g->in_w + ix) * s->in_c + c];
                acc = s->op != DW_MAX ? acc + v : v > acc ? v : acc;
            }
        y[c] = (int8_t)(s->has_requant ? requantize(&s->rq, acc, c) : acc);
    }
}

static void run_add(const struct stage *s, const int8_t *a, const int8_t *b, int8_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t sum = (int64_t)(a[i] - s->a_zp) * s->a_mult + (int64_t)(b[i] - s->b_zp) * s->b_mult;
        y[i] = (int8_t)clamp_int(rne_shift(sum, s->add_shift) + s->rq.zero_point, s->rq.clamp_lo, s->rq.clamp_hi);
    }
}

static void run_mul(const struct stage *s, const int8_t *a, const int8_t *b, int8_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t product = (int64_t)(a[i] - s->a_zp) * (b[i] - s->b_zp) * s->a_mult;
        y[i] = (int8_t)clamp_int(rne_shift(product, s->add_shift) + s->rq.zero_point, s->rq.clamp_lo, s->rq.clamp_hi);
    }
}

static void run_table(const struct stage *s, const int8_t *x, int8_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = s->table[(s->n_tables > 1 ? i % s->in_c * 256 : 0) + (x[i] & 255)];
}

static void run_gather(const struct stage *s, const int8_t *x, int8_t *y)
{
    const struct gather *g = &s->gather;
    for (int64_t oy = 0; oy < g->out_h; oy++)
        for (int64_t ox = 0; ox < g->out_w; ox++)
            for (int64_t c = 0; c < s->out_c; c++) {
                bool fill = g->y_at[oy] == GATHER_FILL || g->x_at[ox] == GATHER_FILL || g->c_at[c] == GATHER_FILL;
                *y++ = (int8_t)(fill ? g->fill : x[g->y_at[oy] + g->x_at[ox] + g->c_at[c]]);
            }
}

static void run_concat(const struct stage *s, const int8_t *a, const int8_t *b, int8_t *y, int64_t n)
{
    for (int64_t done = 0; done < n; done += s->piece[0] + s->piece[1]) {
        memcpy(y, a, (size_t)s->piece[0]);
        memcpy(y + s->piece[0], b, (size_t)s->piece[1]);
        a += s->piece[0];
        b += s->piece[1];
        y += s->piece[0] + s->piece[1];
    }
}

static void run_stage(const struct pipeline *p, const struct stage *s, int8_t **streams)
{
    const struct stream *out = &p->streams[s->out_stream];
    const int8_t *x = streams[stage_in(p, s, 0)->index];
    int8_t *y = streams[s->out_stream];
    int64_t n = out->h * out->w * out->c;
    switch (s->kind) {
    case STAGE_CONV:
#pragma omp parallel for schedule(dynamic, 1) if (s->macs > PARALLEL_MACS)
        for (int64_t oy = 0; oy < s->geo.out_h; oy++)
            conv_row(s, x, y, oy);
        break;
    case STAGE_DW:
#pragma omp parallel for schedule(dynamic, 1) if (s->macs > PARALLEL_MACS)
        for (int64_t oy = 0; oy < s->geo.out_h; oy++)
            dw_row(s, x, y, oy);
        break;
    case STAGE_GAP: run_gap(s, x, y); break;
    case STAGE_ADD: run_add(s, x, streams[stage_in(p, s, 1)->index], y, n); break;
    case STAGE_MUL: run_mul(s, x, streams[stage_in(p, s, 1)->index], y, n); break;
    case STAGE_TABLE: run_table(s, x, y, n); break;
    case STAGE_GATHER: run_gather(s, x, y); break;
    case STAGE_CONCAT: run_concat(s, x, streams[stage_in(p, s, 1)->index], y, n); break;
    case STAGE_KIND_COUNT: BUG("no stage kind");
    }
}

void ref_int_frame(const struct pipeline *p, struct arena *a, int8_t **streams)
{
    for (int i = 0; i < p->n_stages; i++) {
        const struct stream *out = &p->streams[p->stages[i].out_stream];
        streams[out->index] = arena_alloc(a, (size_t)(out->h * out->w * out->c));
        run_stage(p, &p->stages[i], streams);
    }
}

// Runs the nodes of the graph whose inputs are known, up to `stop` (or all), into values.
static bool run_nodes(const struct ctx *cx, const struct graph *g, struct arena *a, struct array *values, bool *known,
                      const struct tensor *stop)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        const struct array **in = arena_array(a, const struct array *, n->n_in + 1);
        bool ready = !known[n->out[0]->index], computed = false;
        for (int k = 0; ready && k < n->n_in; k++) {
            const struct tensor *t = n->in[k];
            if (!t)
                continue;
            if (t->data) {
                struct array *c = arena_new(a, struct array);
                c->dtype = t->dtype;
                c->rank = t->rank;
                memcpy(c->dims, t->dims, sizeof c->dims);
                c->data = (void *)(uintptr_t)t->data;
                in[k] = c;
            } else {
                ready = known[t->index];
                in[k] = &values[t->index];
                computed = true;
            }
        }
        if (!ready || !computed)
            continue;
        struct array *out = arena_array(a, struct array, n->n_out);
        if (!ref_float_node(cx, g, n, a, in, out))
            return false;
        for (int k = 0; k < n->n_out; k++) {
            values[n->out[k]->index] = out[k];
            known[n->out[k]->index] = true;
        }
        if (stop && known[stop->index])
            return true;
    }
    return true;
}

bool border_in(const struct ctx *cx, const struct pipeline *p, struct arena *a, const struct array *frame, int8_t *in_stream)
{
    const struct graph *g = p->graph;
    struct array *values = arena_array(a, struct array, g->n_tensors);
    bool *known = arena_array(a, bool, g->n_tensors);
    values[g->inputs[0]->index] = *frame;
    known[g->inputs[0]->index] = true;
    if (!known[p->in_tensor->index] && !run_nodes(cx, g, a, values, known, p->in_tensor))
        return false;
    ASSERT(known[p->in_tensor->index]);
    const uint8_t *x = values[p->in_tensor->index].data;
    int64_t n = tensor_count(p->in_tensor);
    for (int64_t i = 0; i < n; i++)
        in_stream[i] = (int8_t)(x[p->streams[0].logical[i]] ^ (p->in_flip ? 0x80 : 0));
    return true;
}

bool border_out(const struct ctx *cx, const struct pipeline *p, struct arena *a, const int8_t *out_stream, struct array *result)
{
    const struct graph *g = p->graph;
    const struct tensor *t = p->out_tensor;
    struct array *values = arena_array(a, struct array, g->n_tensors);
    bool *known = arena_array(a, bool, g->n_tensors);
    struct array y = array_new(a, t->dtype, t->rank, t->dims);
    uint8_t *q = y.data;
    for (int64_t i = 0; i < tensor_count(t); i++)
        q[p->out_logical[i]] = (uint8_t)(out_stream[i] ^ (p->out_flip ? 0x80 : 0));
    values[t->index] = y;
    known[t->index] = true;
    if (!run_nodes(cx, g, a, values, known, g->outputs[0]))
        return false;
    ASSERT(known[g->outputs[0]->index]);
    *result = values[g->outputs[0]->index];
    return true;
}

// SPDX-License-Identifier: Apache-2.0
// Operators that see one element at a time, or move elements.
#include <math.h>

#include "aihls_host_impl.h"

// ---- one element at a time ----

void aihls_host_unary(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    enum aihls_function f = (enum aihls_function)c->op->p[0];
    struct aihls_parameters p = { c->op->f[0], c->op->f[1], c->op->f[2] };
    for (int32_t i = 0; i < y.v->count; i++) {
        int64_t v;
        if (aihls_is_integer(x.v->type) && aihls_unary_integer(f, aihls_is_signed(x.v->type), aihls_load_integer(x.v->type, x.data, i), &v))
            aihls_store_integer(y.v->type, y.data, i, v);
        else
            aihls_set(&y, i, aihls_unary(f, &p, aihls_get(&x, i)));
    }
}

// Walks an operand along the elements of a result that it is broadcast to.
struct walk {
    const struct aihls_host_value *y;
    int32_t index[AIHLS_MAX_RANK], step[AIHLS_MAX_RANK], at;
};

static struct walk walk_start(const struct aihls_host_value *y, const struct aihls_host_value *x)
{
    struct walk w = { .y = y };
    int32_t step = 1;
    for (int32_t k = 1; k <= x->rank; k++) {
        int32_t d = x->dims[x->rank - k];
        w.step[y->rank - k] = d == 1 ? 0 : step;
        step *= d;
    }
    return w;
}

static void walk_next(struct walk *w)
{
    for (int32_t d = w->y->rank - 1; d >= 0; d--) {
        w->at += w->step[d];
        if (++w->index[d] < w->y->dims[d])
            return;
        w->at -= w->step[d] * w->y->dims[d];
        w->index[d] = 0;
    }
}

// y = a op b, exact for integers; float32 rounds once, as from double.
static void combine(const struct aihls_host_op *op, const struct aihls_view *a, const struct aihls_view *b, struct aihls_view *y)
{
    enum aihls_function f = (enum aihls_function)op->p[0];
    int whole = aihls_is_integer(a->v->type) && aihls_is_integer(b->v->type), cut = aihls_is_integer(y->v->type);
    struct walk wa = walk_start(y->v, a->v), wb = walk_start(y->v, b->v);
    for (int32_t i = 0; i < y->v->count; i++, walk_next(&wa), walk_next(&wb))
        if (whole) {
            int64_t p = aihls_load_integer(a->v->type, a->data, wa.at), q = aihls_load_integer(b->v->type, b->data, wb.at);
            aihls_store_integer(y->v->type, y->data, i, aihls_binary_integer(f, aihls_is_signed(a->v->type), op->p[1], p, q));
        } else {
            double v = aihls_binary(f, aihls_get(a, wa.at), aihls_get(b, wb.at));
            aihls_set(y, i, cut ? trunc(v) : v);
        }
}

void aihls_host_binary(const struct aihls_host_call *c)
{
    struct aihls_view left = aihls_in(c, 0), y = aihls_out(c, 0);
    if (c->op->n_in == 1)
        memcpy(y.data, left.data, (size_t)y.v->count * aihls_type_bytes(y.v->type));
    for (int32_t k = 1; k < c->op->n_in; k++, left = y) {
        struct aihls_view right = aihls_in(c, k);
        combine(c->op, &left, &right, &y);
    }
    for (int32_t i = 0; c->op->p[2] && i < y.v->count; i++)
        aihls_set(&y, i, aihls_get(&y, i) / c->op->n_in);
}

void aihls_host_where(const struct aihls_host_call *c)
{
    struct aihls_view x[3] = { aihls_in(c, 0), aihls_in(c, 1), aihls_in(c, 2) }, y = aihls_out(c, 0);
    struct walk w[3] = { walk_start(y.v, x[0].v), walk_start(y.v, x[1].v), walk_start(y.v, x[2].v) };
    for (int32_t i = 0; i < y.v->count; i++) {
        int k = ((const uint8_t *)x[0].data)[w[0].at] ? 1 : 2;
        aihls_move_element(&y, i, &x[k], w[k].at);
        for (int j = 0; j < 3; j++)
            walk_next(&w[j]);
    }
}

// Numbers for the rounding modes of QONNX; see aihls_host.h.
static double rounded(double v, int32_t mode)
{
    switch (mode) {
    case 1: return ceil(v);
    case 2: return floor(v);
    case 3: return trunc(v);
    case 4: return v < 0 ? floor(v) : ceil(v);
    case 5: return v < 0 ? -floor(0.5 - v) : floor(v + 0.5);
    case 6: return v < 0 ? -ceil(-v - 0.5) : ceil(v - 0.5);
    default: return nearbyint(v);
    }
}

// One element of Quant or Trunc. p: scale, zero point, bits and, of Trunc, bits of the result.
static double on_grid(const int32_t *form, double v, const double *p)
{
    double least = form[2] ? -exp2(p[2] - 1) + form[3] : 0, most = form[2] ? exp2(p[2] - 1) - 1 : exp2(p[2]) - 1 - form[3];
    v = v / p[0] + p[1];
    v = form[0] == 2 ? nearbyint(v) / exp2(p[2] - p[3]) : fmin(fmax(v, least), most);
    return (rounded(v, form[1]) - p[1]) * p[0];
}

void aihls_host_grid(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0), v[4];
    struct walk w[4];
    int32_t n = c->op->n_in - 1 < 4 ? c->op->n_in - 1 : 4;
    double p[4] = { 0 };
    for (int32_t k = 0; k < n; k++) {
        v[k] = aihls_in(c, k + 1);
        w[k] = walk_start(y.v, v[k].v);
    }
    for (int32_t i = 0; i < y.v->count; i++) {
        for (int32_t k = 0; k < n; k++, walk_next(&w[k - 1]))
            p[k] = aihls_get(&v[k], w[k].at);
        double e = aihls_get(&x, i);
        aihls_set(&y, i, c->op->p[0] == 1 ? (e >= 0 ? p[0] : -p[0]) : on_grid(c->op->p, e, p));
    }
}

void aihls_host_clip(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), lo = aihls_in(c, 1), hi = aihls_in(c, 2), y = aihls_out(c, 0);
    int is_signed = aihls_is_signed(x.v->type);
    for (int32_t i = 0; i < y.v->count; i++) {
        if (aihls_is_integer(x.v->type)) {
            int64_t v = aihls_load_integer(x.v->type, x.data, i);
            v = lo.present ? aihls_binary_integer(AIHLS_Max, is_signed, 0, v, aihls_load_integer(lo.v->type, lo.data, 0)) : v;
            v = hi.present ? aihls_binary_integer(AIHLS_Min, is_signed, 0, v, aihls_load_integer(hi.v->type, hi.data, 0)) : v;
            aihls_store_integer(y.v->type, y.data, i, v);
            continue;
        }
        double v = aihls_get(&x, i), least = lo.present ? aihls_get(&lo, 0) : -INFINITY, most = hi.present ? aihls_get(&hi, 0) : INFINITY;
        v = v < least ? least : v; // in this order: the largest wins when the bounds are crossed
        aihls_set(&y, i, v > most ? most : v);
    }
}

void aihls_host_cast(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    struct aihls_op op = { .in_type = x.v->type, .out_type = y.v->type, .count = y.v->count };
    aihls_op_cast(&op, x.data, y.data);
}

void aihls_host_quantize(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), scale = aihls_in(c, 1), zero = aihls_in(c, 2), y = aihls_out(c, 0);
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t k = i / c->op->p[0] % c->op->p[1];
        double q = aihls_get(&x, i) / aihls_get(&scale, k);
        q = c->op->p[2] ? (double)(float)q : q;
        aihls_set(&y, i, rint(q) + (zero.present ? aihls_get(&zero, k) : 0.0));
    }
}

void aihls_host_dequantize(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), scale = aihls_in(c, 1), zero = aihls_in(c, 2), y = aihls_out(c, 0);
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t k = i / c->op->p[0] % c->op->p[1];
        aihls_set(&y, i, (aihls_get(&x, i) - (zero.present ? aihls_get(&zero, k) : 0.0)) * aihls_get(&scale, k));
    }
}

// ---- moves ----

void aihls_host_copy(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    memcpy(y.data, x.data, (size_t)y.v->count * aihls_type_bytes(y.v->type));
}

void aihls_host_strided(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    struct walk w = { .y = y.v, .at = c->op->p[0] };
    for (int32_t d = 0; d < y.v->rank; d++)
        w.step[d] = c->op->p[1 + d];
    for (int32_t i = 0; i < y.v->count; i++, walk_next(&w))
        aihls_move_element(&y, i, &x, w.at);
}

void aihls_host_move(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    for (int32_t i = 0; i < y.v->count; i++)
        if (c->op->table[i] < 0)
            aihls_set(&y, i, c->op->f[0]);
        else
            aihls_move_element(&y, i, &x, c->op->table[i]);
}

void aihls_host_concat(const struct aihls_host_call *c)
{
    struct aihls_view y = aihls_out(c, 0);
    int32_t inner = c->op->p[0], axis_bytes = 0, done = 0; // bytes
    for (int32_t k = 0; k < c->op->n_in; k++)
        axis_bytes += c->op->p[1 + k] * inner;
    for (int32_t k = 0; k < c->op->n_in; k++) {
        struct aihls_view x = aihls_in(c, k);
        int32_t run = c->op->p[1 + k] * inner, outer = run ? (int32_t)((size_t)x.v->count * aihls_type_bytes(x.v->type)) / run : 0;
        for (int32_t o = 0; o < outer; o++)
            memcpy((char *)y.data + (size_t)o * (size_t)axis_bytes + done, (const char *)x.data + (size_t)o * (size_t)run, (size_t)run);
        done += run;
    }
}

// An index as ONNX has it, from the end when it is negative; brought inside, for nothing may crash on a model's numbers.
static int32_t index_at(const struct aihls_view *indices, int32_t i, int32_t size)
{
    int64_t k = aihls_load_integer(indices->v->type, indices->data, i);
    k += k < 0 ? size : 0;
    return (int32_t)(k < 0 ? 0 : k >= size ? size - 1 : k);
}

void aihls_host_gather(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), indices = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t outer = c->op->p[0], size = c->op->p[1], inner = c->op->p[2], n = indices.v->count;
    size_t bytes = (size_t)inner * aihls_type_bytes(x.v->type);
    for (int32_t o = 0; o < outer; o++)
        for (int32_t i = 0; i < n; i++)
            memcpy((char *)y.data + (size_t)(o * n + i) * bytes, (const char *)x.data + (size_t)(o * size + index_at(&indices, i, size)) * bytes, bytes);
}

void aihls_host_gather_elements(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), indices = aihls_in(c, 1), y = aihls_out(c, 0);
    int32_t axis = c->op->p[0], step[AIHLS_MAX_RANK] = { 0 }, at = 1;
    for (int32_t d = x.v->rank - 1; d >= 0; at *= x.v->dims[d--])
        step[d] = at;
    struct walk w = { .y = y.v };
    for (int32_t d = 0; d < y.v->rank; d++)
        w.step[d] = d == axis ? 0 : step[d];
    for (int32_t i = 0; i < y.v->count; i++, walk_next(&w))
        aihls_move_element(&y, i, &x, w.at + index_at(&indices, i, x.v->dims[axis]) * step[axis]);
}

// The standard's own formula: scale and quotients in float32.
void aihls_host_dynamic_quantize(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0), scales = aihls_out(c, 1), zeros = aihls_out(c, 2);
    double lo = 0, hi = 0;
    for (int32_t i = 0; i < x.v->count; i++) {
        lo = fmin(lo, aihls_get(&x, i));
        hi = fmax(hi, aihls_get(&x, i));
    }
    float scale = ((float)hi - (float)lo) / 255.0f;
    double zero = scale > 0 ? nearbyint(fmin(fmax((double)(0.0f - (float)lo / scale), 0), 255)) : 0;
    for (int32_t i = 0; y.present && i < x.v->count; i++)
        aihls_set(&y, i, scale > 0 ? (double)nearbyintf((float)aihls_get(&x, i) / scale) + zero : zero);
    if (scales.present)
        aihls_set(&scales, 0, (double)scale);
    if (zeros.present)
        aihls_set(&zeros, 0, zero);
}

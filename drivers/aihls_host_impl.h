// SPDX-License-Identifier: Apache-2.0
// What the files of aihls_host share.
#ifndef AIHLS_HOST_IMPL_H
#define AIHLS_HOST_IMPL_H

#include <string.h>

#include "aihls_element.h"
#include "aihls_host.h"

struct aihls_view {
    const struct aihls_host_value *v; // of an operand that is left out: one without elements
    void *data;
    int present;
};

static inline struct aihls_view aihls_view_of(const struct aihls_host_call *c, int32_t i)
{
    static const struct aihls_host_value none = { .type = AIHLS_UINT8 };
    const struct aihls_host_value *v = i < 0 ? &none : &c->values[i];
    union { const void *from; void *to; } constant = { i < 0 ? &none : v->constant }; // only read
    return (struct aihls_view){ v, constant.to ? constant.to : c->memory + v->offset, i >= 0 };
}

static inline struct aihls_view aihls_in(const struct aihls_host_call *c, int32_t k)
{
    return aihls_view_of(c, k < c->op->n_in ? c->op->in[k] : -1);
}

static inline struct aihls_view aihls_out(const struct aihls_host_call *c, int32_t k)
{
    return aihls_view_of(c, k < c->op->n_out ? c->op->out[k] : -1);
}

static inline double aihls_get(const struct aihls_view *x, int32_t i)
{
    return x->v->type == AIHLS_FLOAT32 ? (double)((const float *)x->data)[i] : aihls_load(x->v->type, x->data, i);
}

static inline void aihls_set(struct aihls_view *y, int32_t i, double v)
{
    if (y->v->type == AIHLS_FLOAT32)
        ((float *)y->data)[i] = (float)v;
    else
        aihls_store(y->v->type, y->data, i, v);
}

// y[i] = x[k], of one type.
static inline void aihls_move_element(struct aihls_view *y, int32_t i, const struct aihls_view *x, int32_t k)
{
    size_t bytes = aihls_type_bytes(y->v->type);
    memcpy((char *)y->data + (size_t)i * bytes, (const char *)x->data + (size_t)k * bytes, bytes);
}

#endif

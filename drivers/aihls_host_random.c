// SPDX-License-Identifier: Apache-2.0
// Random numbers. Each frame draws the same ones: they depend on the model alone.
#include <math.h>

#include "aihls_host_impl.h"

static uint64_t start(const struct aihls_host_call *c)
{
    return (uint64_t)(uint32_t)c->op->p[0] | (uint64_t)(uint32_t)c->op->p[1] << 32;
}

void aihls_host_random(const struct aihls_host_call *c)
{
    struct aihls_view y = aihls_out(c, 0);
    uint64_t state = start(c);
    for (int32_t i = 0; i < y.v->count; i++)
        aihls_set(&y, i, c->op->f[0] + c->op->f[1] * (c->op->p[2] ? aihls_normal(&state) : aihls_uniform(&state)));
}

void aihls_host_bernoulli(const struct aihls_host_call *c)
{
    struct aihls_view p = aihls_in(c, 0), y = aihls_out(c, 0);
    uint64_t state = start(c);
    for (int32_t i = 0; i < y.v->count; i++)
        aihls_set(&y, i, aihls_uniform(&state) < aihls_get(&p, i));
}

// Rows hold logarithms of unnormalized probabilities.
void aihls_host_multinomial(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), y = aihls_out(c, 0);
    int32_t classes = x.v->dims[1];
    uint64_t state = start(c);
    for (int32_t i = 0; i < y.v->count; i++) {
        int32_t row = i / y.v->dims[1] * classes, chosen = 0;
        double top = -INFINITY, sum = 0, run = 0;
        for (int32_t k = 0; k < classes; k++)
            top = fmax(top, aihls_get(&x, row + k));
        for (int32_t k = 0; k < classes; k++)
            sum += exp(aihls_get(&x, row + k) - top);
        double at = aihls_uniform(&state) * sum;
        for (; chosen < classes - 1; chosen++) {
            run += exp(aihls_get(&x, row + chosen) - top);
            if (at < run)
                break;
        }
        aihls_set(&y, i, chosen);
    }
}

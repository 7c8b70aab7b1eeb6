// SPDX-License-Identifier: Apache-2.0
// Attention, a query at a time: of the scores, one row is in memory.
#include <math.h>

#include "aihls_host_impl.h"

// Where the matrices of a batch are: elements from the first of each operand.
struct place {
    int32_t q, k, v, mask;
};

static struct place place_of(const int32_t *p, int32_t batch)
{
    struct place at = { 0, 0, 0, 0 };
    for (int32_t d = p[8] - 1; d >= 0; d--) {
        const int32_t *axis = p + 9 + 5 * d; // its size, and what a step takes in each operand
        int32_t i = batch % axis[0];
        at.q += i * axis[1];
        at.k += i * axis[2];
        at.v += i * axis[3];
        at.mask += i * axis[4];
        batch /= axis[0];
    }
    return at;
}

void aihls_host_attention(const struct aihls_host_call *c)
{
    const int32_t *p = c->op->p;
    int32_t queries = p[0], keys = p[1], depth = p[2], width = p[3];
    struct aihls_view q = aihls_in(c, 0), k = aihls_in(c, 1), v = aihls_in(c, 2), mask = aihls_in(c, 3), y = aihls_out(c, 0);
    double *score = aihls_out(c, 1).data;
    for (int32_t row = 0; row < y.v->count / width; row++) {
        struct place at = place_of(p, row / queries);
        double top = -INFINITY, sum = 0;
        at.q += row % queries * depth;
        for (int32_t i = 0; i < keys; i++) {
            double s = 0;
            for (int32_t d = 0; d < depth; d++)
                s += aihls_get(&q, at.q + d) * aihls_get(&k, at.k + d * p[4] + i * p[5]);
            s *= c->op->f[0];
            score[i] = mask.present ? s + aihls_get(&mask, at.mask + row % queries * p[6] + i * p[7]) : s;
            top = fmax(top, score[i]);
        }
        for (int32_t i = 0; i < keys; i++)
            sum += score[i] = exp(score[i] - top);
        for (int32_t d = 0; d < width; d++) {
            double s = 0;
            for (int32_t i = 0; i < keys; i++)
                s += score[i] * aihls_get(&v, at.v + i * width + d);
            aihls_set(&y, row * width + d, s / sum);
        }
    }
}

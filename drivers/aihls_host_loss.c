// SPDX-License-Identifier: Apache-2.0
// Losses: how far scores are from the classes that they should name.
#include "aihls_host_impl.h"

// A class that is none of those that there are counts as one to be ignored: frames are anybody's data.
void aihls_host_nll(const struct aihls_host_call *c)
{
    struct aihls_view x = aihls_in(c, 0), target = aihls_in(c, 1), weights = aihls_in(c, 2), y = aihls_out(c, 0);
    int32_t classes = c->op->p[0], inner = c->op->p[1], form = c->op->p[2];
    double sum = 0, weight = 0;
    for (int32_t i = 0; i < target.v->count; i++) {
        int64_t k = aihls_load_integer(target.v->type, target.data, i);
        int counts = k >= 0 && k < classes && !(c->op->p[3] && k == c->op->p[4]);
        double w = !counts ? 0 : weights.present ? aihls_get(&weights, (int32_t)k) : 1;
        double loss = counts ? -aihls_get(&x, (i / inner * classes + (int32_t)k) * inner + i % inner) * w : 0;
        sum += loss;
        weight += w;
        if (form == 0)
            aihls_set(&y, i, loss);
    }
    if (form != 0)
        aihls_set(&y, 0, form == 1 ? sum : sum / weight);
}

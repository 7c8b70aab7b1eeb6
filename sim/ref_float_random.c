// SPDX-License-Identifier: Apache-2.0
// Random numbers, the same ones every time that a node is run (`resolved_start`: frontend/onnx_normal.c).
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

uint64_t ref_random_start(const struct node *n)
{
    return (uint64_t)node_int(n, "resolved_start", 0);
}

bool ref_random(struct ref *r)
{
    bool gaussian = r->n->op == OP_RandomNormal || r->n->op == OP_RandomNormalLike;
    double low = (double)node_float(r->n, "low", 0.0f), high = (double)node_float(r->n, "high", 1.0f);
    double mean = (double)node_float(r->n, "mean", 0.0f), scale = (double)node_float(r->n, "scale", 1.0f);
    uint64_t state = ref_random_start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_f64(y, i, gaussian ? mean + scale * aihls_normal(&state) : low + (high - low) * aihls_uniform(&state));
    return true;
}

bool ref_bernoulli(struct ref *r)
{
    const struct array *p = ref_in(r, 0);
    uint64_t state = ref_random_start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_i64(y, i, aihls_uniform(&state) < array_f64(p, i));
    return true;
}

// Rows hold logarithms of unnormalized probabilities.
bool ref_multinomial(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    uint64_t state = ref_random_start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    int64_t classes = x->dims[1];
    for (int64_t i = 0; i < array_count(y); i++) {
        int64_t row = i / y->dims[1] * classes, c = 0;
        double top = -INFINITY, sum = 0.0, run = 0.0;
        for (int64_t k = 0; k < classes; k++)
            top = fmax(top, array_f64(x, row + k));
        for (int64_t k = 0; k < classes; k++)
            sum += exp(array_f64(x, row + k) - top);
        double at = aihls_uniform(&state) * sum;
        for (c = 0; c < classes - 1; c++) {
            run += exp(array_f64(x, row + c) - top);
            if (at < run)
                break;
        }
        array_set_i64(y, i, c);
    }
    return true;
}

// Ratio and mode are inputs, or an attribute before opset 12. Only in training something is dropped; what stays makes up
// for it.
bool ref_dropout(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *ratio = ref_in(r, 1), *training = ref_in(r, 2);
    double drop = training && array_i64(training, 0) ? (ratio ? array_f64(ratio, 0) : (double)node_float(r->n, "ratio", 0.5f)) : 0.0;
    uint64_t state = ref_random_start(r->n);
    struct array *y = ref_out(r, 0, x->dtype), *mask = r->n->n_out > 1 && r->n->out[1] ? ref_out(r, 1, DT_BOOL) : NULL;
    for (int64_t i = 0; i < array_count(x); i++) {
        bool kept = drop == 0.0 || aihls_uniform(&state) >= drop;
        if (drop == 0.0)
            ref_copy(y, i, x, i);
        else
            array_set_f64(y, i, kept ? array_f64(x, i) / (1.0 - drop) : 0.0);
        if (mask)
            array_set_i64(mask, i, kept);
    }
    return true;
}

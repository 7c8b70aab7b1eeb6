// SPDX-License-Identifier: Apache-2.0
// Random numbers. The standard leaves the generator open; here it is splitmix64, started from attribute `seed`, so that
// the same model gives the same numbers every time.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "sim/ref_float_impl.h"

static uint64_t start(const struct node *n)
{
    float seed = node_float(n, "seed", 0.0f);
    uint32_t bits;
    memcpy(&bits, &seed, sizeof bits);
    return bits + ((uint64_t)(uint32_t)n->index << 32);
}

// In [0, 1), 53 bits.
static double uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Box and Muller's transform.
static double normal(uint64_t *state)
{
    double radius = sqrt(-2.0 * log(1.0 - uniform(state)));
    return radius * cos(2.0 * 3.14159265358979323846 * uniform(state));
}

bool ref_random(struct ref *r)
{
    bool gaussian = r->n->op == OP_RandomNormal || r->n->op == OP_RandomNormalLike;
    double low = (double)node_float(r->n, "low", 0.0f), high = (double)node_float(r->n, "high", 1.0f);
    double mean = (double)node_float(r->n, "mean", 0.0f), scale = (double)node_float(r->n, "scale", 1.0f);
    uint64_t state = start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_f64(y, i, gaussian ? mean + scale * normal(&state) : low + (high - low) * uniform(&state));
    return true;
}

bool ref_bernoulli(struct ref *r)
{
    const struct array *p = ref_in(r, 0);
    uint64_t state = start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_i64(y, i, uniform(&state) < array_f64(p, i));
    return true;
}

// Rows hold logarithms of unnormalized probabilities.
bool ref_multinomial(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    uint64_t state = start(r->n);
    struct array *y = ref_out(r, 0, r->n->out[0]->dtype);
    int64_t classes = x->dims[1];
    for (int64_t i = 0; i < array_count(y); i++) {
        int64_t row = i / y->dims[1] * classes, c = 0;
        double top = -INFINITY, sum = 0.0, run = 0.0;
        for (int64_t k = 0; k < classes; k++)
            top = fmax(top, array_f64(x, row + k));
        for (int64_t k = 0; k < classes; k++)
            sum += exp(array_f64(x, row + k) - top);
        double at = uniform(&state) * sum;
        for (c = 0; c < classes - 1; c++) {
            run += exp(array_f64(x, row + c) - top);
            if (at < run)
                break;
        }
        array_set_i64(y, i, c);
    }
    return true;
}

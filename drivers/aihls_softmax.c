// SPDX-License-Identifier: Apache-2.0
// Apart from aihls_border.c, so that networks without it need no mathematical library.
#include "aihls_border.h"

#include <math.h>
#include <stdbool.h>

static void softmax(const struct aihls_op *op, const float *in, float *out, bool log_form)
{
    for (int32_t o = 0; o < op->outer; o++)
        for (int32_t i = 0; i < op->inner; i++) {
            const float *x = in + (ptrdiff_t)o * op->size * op->inner + i;
            float *y = out + (x - in);
            double top = -INFINITY, sum = 0;
            for (int32_t k = 0; k < op->size; k++)
                top = fmax(top, (double)x[(ptrdiff_t)k * op->inner]);
            for (int32_t k = 0; k < op->size; k++)
                sum += exp((double)x[(ptrdiff_t)k * op->inner] - top);
            for (int32_t k = 0; k < op->size; k++) {
                double v = (double)x[(ptrdiff_t)k * op->inner] - top;
                y[(ptrdiff_t)k * op->inner] = (float)(log_form ? v - log(sum) : exp(v) / sum);
            }
        }
}

void aihls_op_softmax(const struct aihls_op *op, const void *in, void *out)
{
    softmax(op, in, out, false);
}

void aihls_op_log_softmax(const struct aihls_op *op, const void *in, void *out)
{
    softmax(op, in, out, true);
}

void aihls_op_sigmoid(const struct aihls_op *op, const void *in, void *out)
{
    const float *x = in;
    float *y = out;
    for (int32_t i = 0; i < op->count; i++)
        y[i] = (float)(1 / (1 + exp(-(double)x[i])));
}

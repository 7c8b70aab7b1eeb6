// SPDX-License-Identifier: Apache-2.0
// Arithmetic in front of the first quantization and behind the last one.
#include "aihls_border.h"

#include <stddef.h>

// out = in OP operand, one for each index of the axis; in double and rounded once, as the reference does.
#define ARITHMETIC(name, operation)                                                                                  \
    void aihls_op_##name(const struct aihls_op *op, const void *in, void *out)                                       \
    {                                                                                                                \
        const float *x = in;                                                                                         \
        float *y = out;                                                                                              \
        for (int32_t i = 0; i < op->count; i++)                                                                      \
            y[i] = (float)((double)x[i] operation (double)op->scale[op->size == 1 ? 0 : i / op->inner % op->size]);  \
    }

ARITHMETIC(mul, *)
ARITHMETIC(add, +)
ARITHMETIC(sub, -)
ARITHMETIC(div, /)

void aihls_op_gather(const struct aihls_op *op, const void *in, void *out)
{
    const float *x = in;
    float *y = out;
    int32_t chosen = op->count / op->outer / op->inner;
    for (int32_t i = 0; i < op->count; i++) {
        int32_t k = i / op->inner % chosen, o = i / op->inner / chosen;
        y[i] = x[((ptrdiff_t)o * op->size + op->zero_point[k]) * op->inner + i % op->inner];
    }
}

void aihls_op_matrix(const struct aihls_op *op, const void *in, void *out)
{
    const uint8_t *x = in;
    int32_t *y = out, flip = op->in_type == AIHLS_INT8 ? 0x80 : 0; // int8 is uint8 less 128, with the top bit turned
    for (int32_t o = 0; o < op->outer; o++)
        for (int32_t m = 0; m < op->inner; m++) {
            int32_t sum = 0;
            for (int32_t k = 0; k < op->size; k++)
                sum += ((x[(ptrdiff_t)o * op->size + k] ^ flip) - flip) * op->matrix[(ptrdiff_t)k * op->inner + m];
            y[o * op->inner + m] = sum;
        }
}

// SPDX-License-Identifier: Apache-2.0
// parted: models that need the host, in the model of qdq.h, which must be of opset 17. All take an image x of 8 x 16 x 16.
#ifndef AIHLS_TESTS_PARTED_H
#define AIHLS_TESTS_PARTED_H

#include "tests/support/qdq.h"

void parted_image(void);                          // the input
void parted_conv(const char *x, const char *y);   // 8 channels to 8: work that is hardware's by any measure

void parted_all_in_hardware(void);
void parted_norm_between(void);           // conv, LayerNormalization, conv
void parted_norm_with_a_way_around(void); // the first conv's result is added behind the second
void parted_three_runs(void);
void parted_host_in_front(void);
void parted_host_alone(void);         // nothing that hardware can do
void parted_control(void);            // If and Loop as the data say, Scan, random numbers
void parted_host_output_beside(void); // an output that hardware has no part in
void parted_attention(void);          // three convs, two products of activations, Softmax
void parted_recurrent(void);          // a GRU whose first output is left out
void parted_detector(void);           // boxes, scores, NonMaxSuppression: three outputs
void parted_wide_quant(void);         // QONNX, with activations of twelve bits in the middle and eight around
void parted_quantized(void);          // QDQ form, with an operator in the middle that hardware lacks
// A chain of convolutions and of operators that hardware does not have, with ways around them; by random_int.
void parted_random_model(void);

#endif

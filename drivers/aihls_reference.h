// SPDX-License-Identifier: Apache-2.0
// aihls_reference: the back end that computes frames with the functions of aihls_stages.h, at once when they are
// submitted. The compiler writes one per network, in NAME_reference.c:
//
//     const struct aihls_backend NAME_reference = AIHLS_REFERENCE(design);
#ifndef AIHLS_REFERENCE_H
#define AIHLS_REFERENCE_H

#include "aihls_backend.h"
#include "aihls_stages.h"

#ifdef __cplusplus
extern "C" {
#endif

struct aihls_reference {
    const struct aihls_stage *stages; // in an order in which streams are made before they are read
    int32_t n_stages;
    const int32_t *stream_count; // elements of each stream
    int32_t n_streams;
    const int32_t *inputs, *outputs; // stream numbers of the network's ports
};

size_t aihls_reference_state_bytes(const struct aihls_backend *b, const struct aihls_network *net);
enum aihls_status aihls_reference_open(struct aihls_device *d);
enum aihls_status aihls_reference_submit(struct aihls_device *d, struct aihls_slot *s);
enum aihls_status aihls_reference_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us);
void aihls_reference_close(struct aihls_device *d);

#define AIHLS_REFERENCE(design_)                                                                             \
    { .name = "reference", .design = &(design_), .state_bytes = aihls_reference_state_bytes,                 \
      .open = aihls_reference_open, .submit = aihls_reference_submit, .wait = aihls_reference_wait,          \
      .close = aihls_reference_close }

#ifdef __cplusplus
}
#endif
#endif

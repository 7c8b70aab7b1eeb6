// SPDX-License-Identifier: Apache-2.0
// aihls_backend: what carries frames. A back end is one constant of struct aihls_backend; all that aihls.h offers is
// made of these functions. Users do not need this file.
//
// Frames wait in a ring of slots. A slot has, for each input and output of the network, a buffer of the port's
// bytes. The library fills the inputs and calls submit; the back end fills the outputs and sets state (and lost or
// cycles); the library reads the outputs and frees the slot.
//
//     FREE --submit--> BUSY --back end--> DONE (or LOST) --aihls_wait--> FREE
//
// The buffers belong to the library. A back end whose device cannot reach them replaces the pointers of all slots in
// open by its own.
#ifndef AIHLS_BACKEND_H
#define AIHLS_BACKEND_H

#include "aihls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum aihls_slot_state { AIHLS_SLOT_FREE, AIHLS_SLOT_BUSY, AIHLS_SLOT_DONE, AIHLS_SLOT_LOST };

struct aihls_slot {
    enum aihls_slot_state state;
    uint64_t ticket; // frames are submitted in this order: slot (ticket - 1) % n_slots
    int8_t **in;     // [n_inputs], each inputs[i].bytes
    int8_t **out;    // [n_outputs]
    struct aihls_frame frame;
    void *memory; // of the network's host part, not the back end's business
    int inner;    // nor this: a run whose results only the next run of the same frame reads
};

struct aihls_device {
    const struct aihls_network *net;
    const struct aihls_backend *backend;
    const struct aihls_options *options; // never NULL; during open only
    void *state;                         // state_bytes, zeroed, aligned to AIHLS_ALIGNMENT
    struct aihls_slot *slots;
    int32_t n_slots;
    int64_t cycles; // for the statistics; the back end counts
    const uint8_t *code; // what the hardware is given behind each reset, net->code_bytes: net->code, or what aihls_reload brought
};

struct aihls_backend {
    const char *name;
    const void *design; // what the back end needs to know of this network
    size_t (*state_bytes)(const struct aihls_backend *b, const struct aihls_network *net);
    // After an error, close is not called.
    enum aihls_status (*open)(struct aihls_device *d);
    // Starts the frame in a slot that is BUSY. After an error the slot is freed.
    enum aihls_status (*submit)(struct aihls_device *d, struct aihls_slot *s);
    // Works until slot s is not BUSY (then OK) or timeout_us microseconds have passed (then E_TIMEOUT); negative: for
    // ever. With 0 it does some work that is there, so that a caller who only polls gets on.
    enum aihls_status (*wait)(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us);
    void (*close)(struct aihls_device *d);
    // Resets the device and gives it d->code, while no frame is under way. NULL: this back end has none.
    enum aihls_status (*reload)(struct aihls_device *d);
};

#ifdef __cplusplus
}
#endif
#endif

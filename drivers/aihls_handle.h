// SPDX-License-Identifier: Apache-2.0
// What aihls.c and aihls_open.c share.
#ifndef AIHLS_HANDLE_H
#define AIHLS_HANDLE_H

#include "aihls_backend.h"

struct aihls {
    uint32_t magic;        // while open
    void (*release)(void *memory); // NULL: the caller's memory
    struct aihls_device device;
    void *scratch[2];
    uint64_t next_ticket;
    uint64_t oldest; // no frame older than this is in the queue
    uint64_t reported; // the next frame that on_done is to hear of
    void (*on_done)(void *user, uint64_t ticket);
    void *user;
    struct aihls_statistics statistics;
};

#endif

// SPDX-License-Identifier: Apache-2.0
// aihls_axi: frames through NAME_axi, the accelerator behind registers and DMA (docs/80-shell.md, aihls_shell.h), for every
// back end whose device that is. A back end finds the device, fills in what the machine is (struct aihls_axi_machine)
// and takes the rest from here:
//
//     "linux"  aihls_linux.h   UIO and u-dma-buf
//     "bare"   aihls_bare.h    no operating system, no malloc
//
// Frames go into the ring without waiting for anything; the host is needed only when it wants a result.
#ifndef AIHLS_AXI_H
#define AIHLS_AXI_H

#include <stdbool.h>

#include "aihls_backend.h"

#ifdef __cplusplus
extern "C" {
#endif

struct aihls_axi_machine {
    volatile uint32_t *registers; // AIHLS_SHELL_APERTURE_BYTES, mapped as device memory
    uint8_t *memory;              // for buffers, aligned to AIHLS_SHELL_ALIGNMENT; aihls_axi_memory_bytes says how much
    uint64_t memory_address;      // where the accelerator finds the same bytes
    size_t memory_bytes;
    void *user; // of the functions below
    // Makes what the processor wrote visible to the accelerator, and the reverse. NULL where memory is coherent or
    // not cached. data is aligned to AIHLS_SHELL_ALIGNMENT, as is the end.
    void (*flush)(void *user, void *data, size_t n_bytes);
    void (*invalidate)(void *user, void *data, size_t n_bytes);
    int64_t (*now_us)(void *user); // a clock that only goes forward; never NULL
    // Sleeps until the accelerator's interrupt, at most timeout_us; may return early. NULL: waiting polls DONE.
    void (*sleep)(void *user, int64_t timeout_us);
};

#define AIHLS_AXI_MAX_SLOTS 255

// The first thing in the state of a back end.
struct aihls_axi {
    struct aihls_axi_machine machine;
    size_t in_bytes, slot_bytes;            // of a slot of the library: its inputs, and all of it
    uint32_t tail, done;                    // frames that were queued, and that were seen done
    int32_t n_ring;                         // slots of the device
    uint32_t cycles_low, cycles_high;       // when it was opened
    int64_t moved_us;                       // when a frame was last seen to be done, or the device was idle
    bool broken;                            // does not even reset
    uint8_t holder[AIHLS_AXI_MAX_SLOTS];    // the library's slot whose addresses a slot of the device has, plus one
};

// Bytes of machine.memory for a queue of so many frames.
size_t aihls_axi_memory_bytes(const struct aihls_network *net, int32_t queue_frames);

// What a back end's functions end in; d->state points to a struct aihls_axi. Open copies *m. E_DEVICE: nothing there
// answers as an accelerator does, or it does not reset. E_BITSTREAM: it holds another network, or another version of
// the registers. E_ARGUMENT: more frames in the queue than the device has slots. E_MEMORY: m->memory is too small.
enum aihls_status aihls_axi_open(struct aihls_device *d, const struct aihls_axi_machine *m);
enum aihls_status aihls_axi_submit(struct aihls_device *d, struct aihls_slot *s);
enum aihls_status aihls_axi_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us);
// Returns when the accelerator no longer touches the memory, or is broken.
void aihls_axi_close(struct aihls_device *d);
enum aihls_status aihls_axi_reload(struct aihls_device *d);

// Whether registers show an accelerator that holds this network: OK, E_DEVICE or E_BITSTREAM. Changes nothing.
enum aihls_status aihls_axi_identify(const struct aihls_network *net, volatile uint32_t *registers);

#ifdef __cplusplus
}
#endif
#endif

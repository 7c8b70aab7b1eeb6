// SPDX-License-Identifier: Apache-2.0
// aihls_uart: frames through NAME_uart, the accelerator behind a serial line (docs/82-uart.md), for every back end that
// can send and receive bytes ("serial": aihls_serial.h). The device says nothing unasked; every request is a
// packet with a CRC, and so is its answer:
//
//     request   op seq arg  data           at most AIHLS_UART_BLOCK_BYTES of data
//     answer    op seq status expected  data
//
// An answer that does not come, or comes damaged, is asked for again; requests that change something are numbered, so
// that asking twice changes it once.
#ifndef AIHLS_UART_H
#define AIHLS_UART_H

#include <stdbool.h>

#include "aihls_backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIHLS_UART_BAUD 115200 // where neither board nor program says more
#define AIHLS_UART_BLOCK_BYTES 64

// op
enum { AIHLS_UART_IDENTIFY = 1, AIHLS_UART_STATUS, AIHLS_UART_RESET, AIHLS_UART_WRITE, AIHLS_UART_READ };
// status
enum { AIHLS_UART_OK, AIHLS_UART_BUSY, AIHLS_UART_ORDER, AIHLS_UART_UNKNOWN };

#define AIHLS_UART_IDENTITY_BYTES 41 // "AIHL", major, minor version, inputs, outputs, bytes of a block, SHA-256 of the model
#define AIHLS_UART_STATUS_BYTES 16   // little endian: frames, latency, interval (32 bits each), bad packets, line errors (16)
#define AIHLS_UART_VERSION_MAJOR 1

// The line. Its user keeps it until close.
struct aihls_uart_line {
    void *user;
    // Sends n bytes; false: the line is gone.
    bool (*send)(void *user, const uint8_t *bytes, size_t n);
    // Waits for bytes that have come, at most n, for timeout_us microseconds at most. Returns how many, 0: none came;
    // negative: the line is gone.
    int (*receive)(void *user, uint8_t *bytes, size_t n, int64_t timeout_us);
    int64_t (*now_us)(void *user);
    int64_t baud;
    int64_t latency_us; // that an answer may take beyond its bytes (USB)
};

// A back end's state begins with this; behind the state stand n_inputs + n_outputs numbers (aihls_uart_state_bytes).
struct aihls_uart {
    struct aihls_uart_line line;
    uint8_t number;      // of the next request that changes something
    bool broken;         // the device did not come back
    int32_t misses;      // answers in a row that did not come
    int32_t unanswered;  // 1 + the port (inputs, then outputs) of a request that may or may not have been carried out; 0: none
    uint64_t at;         // ticket of the frame under way
    int32_t *moved;      // its bytes that went into each input and came out of each output
    int64_t moved_us;    // when one last did
    uint8_t answer[AIHLS_UART_BLOCK_BYTES + 8]; // what came of the present packet, without its framing
    uint32_t n_answer;
    bool escaped;
    int64_t requests, repeated; // since open: all, and those of them that had been sent before
};

// Opens the device at the end of `line`, kept by the caller. E_DEVICE: nobody answers; E_BITSTREAM: another network, or
// another version of the shell.
enum aihls_status aihls_uart_open(struct aihls_device *d, const struct aihls_uart_line *line);

// For struct aihls_backend. `submit` only queues: bytes move in `wait`, one exchange at a time, so that a timeout may be
// exceeded by the length of one. Frames go through the device one after the other.
size_t aihls_uart_state_bytes(size_t own, const struct aihls_network *net);
enum aihls_status aihls_uart_submit(struct aihls_device *d, struct aihls_slot *s);
enum aihls_status aihls_uart_reload(struct aihls_device *d);
enum aihls_status aihls_uart_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us);

#ifdef __cplusplus
}
#endif
#endif

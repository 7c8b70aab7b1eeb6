// SPDX-License-Identifier: Apache-2.0
// aihls_serial: the back end "serial", NAME_uart at the other end of a serial port of a POSIX system.
//
// aihls_options.device: the port's path as a string, such as "/dev/ttyUSB0". NULL: the environment's AIHLS_SERIAL, or, when
// that is not set, /dev/ttyUSB0. The port is locked (flock) for this program, set to 8N1 at the design's speed without any
// handshake, and set back by close.
#ifndef AIHLS_SERIAL_H
#define AIHLS_SERIAL_H

#include "aihls_uart.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIHLS_SERIAL_PORT "/dev/ttyUSB0"

// Of aihls_backend.design: what NAME_uart was built for.
struct aihls_serial_design {
    int32_t baud;
};

size_t aihls_serial_state_bytes(const struct aihls_backend *b, const struct aihls_network *net);
enum aihls_status aihls_serial_open(struct aihls_device *d);
void aihls_serial_close(struct aihls_device *d);

// E_BACKEND: there is no such port, it is no terminal, or cannot be set to that speed. E_BUSY: another program has it. E_DEVICE:
// nothing answers. E_BITSTREAM: another network answers.
#define AIHLS_SERIAL(design) \
    { "serial", (design), aihls_serial_state_bytes, aihls_serial_open, aihls_uart_submit, aihls_uart_wait, aihls_serial_close, \
      aihls_uart_reload }

#ifdef __cplusplus
}
#endif
#endif

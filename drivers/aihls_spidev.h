// SPDX-License-Identifier: Apache-2.0
// aihls_spidev: the back end "spi", NAME_spi at an SPI host of a Linux system (spidev).
//
// aihls_options.device: the path as a string, such as "/dev/spidev0.0". NULL: the environment's AIHLS_SPI, or, when
// that is not set, /dev/spidev0.0. It is locked (flock) for this program. SCK is as fast as the design allows, or as the system
// (spi-max-frequency in its device tree), where that is less.
#ifndef AIHLS_SPIDEV_H
#define AIHLS_SPIDEV_H

#include "aihls_spi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIHLS_SPIDEV "/dev/spidev0.0"

// Of aihls_backend.design: what NAME_spi was built for.
struct aihls_spidev_design {
    int32_t hz; // the most that SCK may have, an eighth of the clock
};

size_t aihls_spidev_state_bytes(const struct aihls_backend *b, const struct aihls_network *net);
enum aihls_status aihls_spidev_open(struct aihls_device *d);
void aihls_spidev_close(struct aihls_device *d);

// E_BACKEND: there is no such device, or it is no SPI host, or has no mode 0. E_BUSY: another program has it. E_DEVICE: nothing
// answers. E_BITSTREAM: another network answers.
#define AIHLS_SPI(design) \
    { "spi", (design), aihls_spidev_state_bytes, aihls_spidev_open, aihls_uart_submit, aihls_uart_wait, aihls_spidev_close, \
      aihls_uart_reload }

#ifdef __cplusplus
}
#endif
#endif

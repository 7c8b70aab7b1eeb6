// SPDX-License-Identifier: Apache-2.0
// aihls_spi: NAME_spi as a line of aihls_uart.h, for every SPI host that can exchange bytes: mode 0, 8 bits, most significant
// first, cs_n low from the first to the last (back end "spi" for Linux: aihls_spidev.h).
//
// Bytes come whenever bytes go: those that come while a request goes out are kept, and where nothing is to be sent 0xc0 goes out,
// which ends no packet and begins none. Where the device has nothing to say it sends the same.
#ifndef AIHLS_SPI_H
#define AIHLS_SPI_H

#include "aihls_uart.h"

#ifdef __cplusplus
extern "C" {
#endif

// More than four requests of full length bring in. What does not fit is dropped, as if damaged.
#define AIHLS_SPI_RING_BYTES 1024

// Its user sets the first three and keeps it until close.
struct aihls_spi {
    void *user;
    // Sends n bytes, at most AIHLS_SPI_EXCHANGE_BYTES, and receives as many; false: the line is gone.
    bool (*exchange)(void *user, const uint8_t *out, uint8_t *in, size_t n);
    int64_t (*now_us)(void *user);
    uint8_t ring[AIHLS_SPI_RING_BYTES];
    uint32_t from, n; // where the oldest byte is, how many there are
    bool marked;      // the last byte that came was 0xc0
};

#define AIHLS_SPI_EXCHANGE_BYTES 64

// The line at whose other end the device is; empties the ring. hz: of sck, latency_us: that an exchange may be late.
struct aihls_uart_line aihls_spi_line(struct aihls_spi *s, int64_t hz, int64_t latency_us);

#ifdef __cplusplus
}
#endif
#endif

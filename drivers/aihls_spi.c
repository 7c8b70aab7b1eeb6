// SPDX-License-Identifier: Apache-2.0
// Freestanding: of the C library memset alone.
#include "aihls_spi.h"

#include <string.h>

#define MARK 0xc0       // between packets, and where there is none
#define LISTEN_BYTES 16 // of an exchange that only listens: a short answer and what it takes to begin

// Of marks in a row the first is kept: the others say nothing.
static void keep(struct aihls_spi *s, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool again = in[i] == MARK && s->marked;
        s->marked = in[i] == MARK;
        if (!again && s->n < AIHLS_SPI_RING_BYTES)
            s->ring[(s->from + s->n++) % AIHLS_SPI_RING_BYTES] = in[i];
    }
}

static bool send_bytes(void *user, const uint8_t *bytes, size_t n)
{
    struct aihls_spi *s = user;
    uint8_t in[AIHLS_SPI_EXCHANGE_BYTES];
    for (size_t k; n; bytes += k, n -= k) {
        k = n < sizeof in ? n : sizeof in;
        if (!s->exchange(s->user, bytes, in, k))
            return false;
        keep(s, in, k);
    }
    return true;
}

static int receive_bytes(void *user, uint8_t *bytes, size_t n, int64_t timeout_us)
{
    struct aihls_spi *s = user;
    uint8_t marks[LISTEN_BYTES], in[LISTEN_BYTES];
    size_t k = 0;
    memset(marks, MARK, sizeof marks);
    for (int64_t end = s->now_us(s->user) + timeout_us; s->n == 0 && s->now_us(s->user) < end;) {
        if (!s->exchange(s->user, marks, in, sizeof in))
            return -1;
        keep(s, in, sizeof in);
    }
    for (; k < n && s->n; k++, s->n--) {
        bytes[k] = s->ring[s->from];
        s->from = (s->from + 1) % AIHLS_SPI_RING_BYTES;
    }
    return (int)k;
}

static int64_t now_us(void *user)
{
    const struct aihls_spi *s = user;
    return s->now_us(s->user);
}

struct aihls_uart_line aihls_spi_line(struct aihls_spi *s, int64_t hz, int64_t latency_us)
{
    const struct aihls_uart_line line = { s, send_bytes, receive_bytes, now_us, hz, latency_us };
    s->from = s->n = 0;
    s->marked = false;
    return line;
}

// SPDX-License-Identifier: Apache-2.0
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // flock
#endif
#include "aihls_spidev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LATENCY_US 50000 // the system has other work

struct spidev_state {
    struct aihls_uart uart; // first
    struct aihls_spi spi;
    int fd;
    uint32_t hz;
};

static int64_t now_us(void *user)
{
    struct timespec t;
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool exchange(void *user, const uint8_t *out, uint8_t *in, size_t n)
{
    const struct spidev_state *s = user;
    struct spi_ioc_transfer t;
    memset(&t, 0, sizeof t);
    t.tx_buf = (uint64_t)(uintptr_t)out;
    t.rx_buf = (uint64_t)(uintptr_t)in;
    t.len = (uint32_t)n;
    t.speed_hz = s->hz;
    t.bits_per_word = 8;
    return ioctl(s->fd, SPI_IOC_MESSAGE(1), &t) == (int)n;
}

static enum aihls_status open_host(struct spidev_state *s, const char *path, int32_t hz)
{
    uint8_t mode = SPI_MODE_0, bits = 8;
    s->fd = open(path, O_RDWR | O_CLOEXEC);
    if (s->fd < 0)
        return errno == EBUSY ? AIHLS_E_BUSY : AIHLS_E_BACKEND;
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0)
        return AIHLS_E_BUSY;
    if (ioctl(s->fd, SPI_IOC_WR_MODE, &mode) != 0 || ioctl(s->fd, SPI_IOC_WR_BITS_PER_WORD, &bits) != 0 || ioctl(s->fd, SPI_IOC_RD_MAX_SPEED_HZ, &s->hz) != 0)
        return AIHLS_E_BACKEND;
    if (s->hz == 0 || s->hz > (uint32_t)hz) // 0: the device tree says nothing
        s->hz = (uint32_t)hz;
    return AIHLS_OK;
}

size_t aihls_spidev_state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    (void)b;
    return aihls_uart_state_bytes(sizeof(struct spidev_state), net);
}

enum aihls_status aihls_spidev_open(struct aihls_device *d)
{
    struct spidev_state *s = d->state;
    const struct aihls_spidev_design *design = d->backend->design;
    const char *path = d->options->device, *set = getenv("AIHLS_SPI");
    enum aihls_status status = open_host(s, path ? path : set ? set : AIHLS_SPIDEV, design->hz);
    s->spi.user = s;
    s->spi.exchange = exchange;
    s->spi.now_us = now_us;
    if (!status) {
        const struct aihls_uart_line line = aihls_spi_line(&s->spi, s->hz, LATENCY_US);
        status = aihls_uart_open(d, &line);
    }
    if (status && s->fd >= 0)
        close(s->fd);
    return status;
}

void aihls_spidev_close(struct aihls_device *d)
{
    const struct spidev_state *s = d->state;
    close(s->fd);
}
#endif

// SPDX-License-Identifier: Apache-2.0
// spidev: a library for LD_PRELOAD that makes a terminal an SPI host: what goes through the ioctls of spidev goes to the
// simulated device at the terminal's other end (sim/spi.cpp, --pty). tests/support/line.c builds it.
//
//     SPIDEV_HZ   what the system allows SCK [1000000000]; a transfer that is faster fails
//     SPIDEV      "00", "ff": no device, miso at that level; "fail": every transfer fails; "mode": there is no mode 0
#include <dlfcn.h>
#include <errno.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool mode_set, bits_set;

static uint32_t most_hz(void)
{
    const char *text = getenv("SPIDEV_HZ");
    return text ? (uint32_t)strtoul(text, NULL, 10) : 1000000000;
}

static bool is_set(const char *value)
{
    const char *have = getenv("SPIDEV");
    return have && strcmp(have, value) == 0;
}

static int refuse(void)
{
    errno = EINVAL;
    return -1;
}

static int transfer(int fd, const struct spi_ioc_transfer *t)
{
    uint8_t length[2] = { (uint8_t)t->len, (uint8_t)(t->len >> 8) }, *in = (uint8_t *)(uintptr_t)t->rx_buf;
    if (!mode_set || !bits_set || t->bits_per_word != 8 || t->speed_hz == 0 || t->speed_hz > most_hz() || t->len == 0 || t->len > 4096 || is_set("fail"))
        return refuse();
    if (is_set("00") || is_set("ff")) {
        memset(in, is_set("ff") ? 0xff : 0, t->len);
        return (int)t->len;
    }
    if (write(fd, length, 2) != 2 || write(fd, (const void *)(uintptr_t)t->tx_buf, t->len) != (ssize_t)t->len)
        return refuse();
    for (size_t n = 0; n < t->len;) {
        ssize_t k = read(fd, in + n, t->len - n);
        if (k <= 0)
            return refuse();
        n += (size_t)k;
    }
    return (int)t->len;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    va_start(ap, request);
    void *argument = va_arg(ap, void *);
    va_end(ap);
    switch (request) {
    case SPI_IOC_WR_MODE: mode_set = !is_set("mode") && *(uint8_t *)argument == SPI_MODE_0; return mode_set ? 0 : refuse();
    case SPI_IOC_WR_BITS_PER_WORD: bits_set = *(uint8_t *)argument == 8; return bits_set ? 0 : refuse();
    case SPI_IOC_RD_MAX_SPEED_HZ: *(uint32_t *)argument = most_hz(); return 0;
    case SPI_IOC_MESSAGE(1): return transfer(fd, argument);
    default: {
        int (*real)(int, unsigned long, ...);
        void *symbol = dlsym(RTLD_NEXT, "ioctl");
        memcpy(&real, &symbol, sizeof real);
        return real(fd, request, argument);
    }
    }
}

// SPDX-License-Identifier: Apache-2.0
#if defined(__unix__) || defined(__APPLE__)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // flock, cfmakeraw, speeds above 38400
#endif
#include "aihls_serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/serial.h>
#endif

#define LATENCY_US 200000 // an adapter holds bytes back, the system has other work
#define SEND_MS 2000      // longest that the port takes no byte

struct serial_state {
    struct aihls_uart uart; // first
    int fd;
    struct termios before;
};

static bool speed_of(int32_t baud, speed_t *out)
{
    static const struct { int32_t baud; speed_t speed; } known[] = {
        { 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 },
#ifdef B1000000
        { 460800, B460800 }, { 500000, B500000 }, { 576000, B576000 }, { 921600, B921600 }, { 1000000, B1000000 }, { 1152000, B1152000 },
        { 1500000, B1500000 }, { 2000000, B2000000 }, { 2500000, B2500000 }, { 3000000, B3000000 },
#endif
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].baud == baud) {
            *out = known[i].speed;
            return true;
        }
    return false;
}

// ---- the line ----

static int64_t now_us(void *user)
{
    struct timespec t;
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool send_bytes(void *user, const uint8_t *bytes, size_t n)
{
    const struct serial_state *s = user;
    while (n) {
        ssize_t k = write(s->fd, bytes, n);
        if (k > 0) {
            bytes += k;
            n -= (size_t)k;
        } else if (k < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = s->fd, .events = POLLOUT };
            if (poll(&p, 1, SEND_MS) == 0)
                return false;
        } else if (k == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

static int receive_bytes(void *user, uint8_t *bytes, size_t n, int64_t timeout_us)
{
    const struct serial_state *s = user;
    for (int64_t end = now_us(user) + timeout_us;;) {
        ssize_t k = read(s->fd, bytes, n);
        if (k > 0)
            return (int)k;
        if (k == 0 || (errno != EAGAIN && errno != EINTR)) // 0: hung up
            return -1;
        int64_t left = end - now_us(user);
        if (left <= 0)
            return 0;
        struct pollfd p = { .fd = s->fd, .events = POLLIN };
        poll(&p, 1, (int)((left + 999) / 1000)); // a signal ends it early: the time tells
    }
}

// ---- the port ----

size_t aihls_serial_state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    (void)b;
    return aihls_uart_state_bytes(sizeof(struct serial_state), net);
}

// FTDI's adapters hold bytes back for 16 ms unless asked; others ignore it.
static void ask_for_speed(int fd)
{
#ifdef __linux__
    struct serial_struct serial;
    if (ioctl(fd, TIOCGSERIAL, &serial) == 0) {
        serial.flags = (int)((unsigned)serial.flags | ASYNC_LOW_LATENCY);
        ioctl(fd, TIOCSSERIAL, &serial);
    }
#else
    (void)fd;
#endif
}

static enum aihls_status open_port(struct serial_state *s, const char *path, int32_t baud)
{
    struct termios t;
    speed_t speed;
    s->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (s->fd < 0)
        return errno == EBUSY ? AIHLS_E_BUSY : AIHLS_E_BACKEND;
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0)
        return AIHLS_E_BUSY;
    if (tcgetattr(s->fd, &s->before) != 0 || !speed_of(baud, &speed))
        return AIHLS_E_BACKEND;
    t = s->before;
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cc[VMIN] = 1; // read says EAGAIN rather than 0 when nothing is there
    t.c_cc[VTIME] = 0;
    if (cfsetispeed(&t, speed) != 0 || cfsetospeed(&t, speed) != 0 || tcsetattr(s->fd, TCSANOW, &t) != 0)
        return AIHLS_E_BACKEND;
    ask_for_speed(s->fd);
    tcflush(s->fd, TCIOFLUSH);
    return AIHLS_OK;
}

enum aihls_status aihls_serial_open(struct aihls_device *d)
{
    struct serial_state *s = d->state;
    const struct aihls_serial_design *design = d->backend->design;
    const char *path = d->options->device, *set = getenv("AIHLS_SERIAL");
    enum aihls_status status = open_port(s, path ? path : set ? set : AIHLS_SERIAL_PORT, design->baud);
    const struct aihls_uart_line line = { s, send_bytes, receive_bytes, now_us, design->baud, LATENCY_US };
    if (!status)
        status = aihls_uart_open(d, &line);
    if (status && s->fd >= 0)
        close(s->fd);
    return status;
}

void aihls_serial_close(struct aihls_device *d)
{
    struct serial_state *s = d->state;
    tcsetattr(s->fd, TCSANOW, &s->before);
    close(s->fd);
}
#endif

// SPDX-License-Identifier: Apache-2.0
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // flock, readdir
#endif
#include "aihls_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "aihls_axi.h"
#include "aihls_shell.h"

// Where /dev and /sys are; tests put another pair there.
#ifndef AIHLS_LINUX_ROOT
#define AIHLS_LINUX_ROOT ""
#endif
#define DEV AIHLS_LINUX_ROOT "/dev"
#define UIO_CLASS AIHLS_LINUX_ROOT "/sys/class/uio"
// the module's newer and older name of its class
static const char *const memory_classes[] = { AIHLS_LINUX_ROOT "/sys/class/u-dma-buf", AIHLS_LINUX_ROOT "/sys/class/udmabuf" };

enum { SYNC_OFFSET, SYNC_SIZE, SYNC_DIRECTION, SYNC_FOR_CPU, SYNC_FOR_DEVICE, SYNC_FILES };
static const char *const sync_names[SYNC_FILES] = { "sync_offset", "sync_size", "sync_direction", "sync_for_cpu", "sync_for_device" };

struct linux_state {
    struct aihls_axi axi; // first
    struct aihls_axi_machine machine;
    int uio, memory;      // files, -1
    size_t mapped_bytes;  // of the memory
    int sync[SYNC_FILES]; // -1: coherent
};

// ---- sysfs ----

static bool read_line(const char *directory, const char *device, const char *file, char *line, size_t n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", directory, device, file);
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(line, (int)n, f);
    if (f)
        fclose(f);
    if (ok)
        line[strcspn(line, "\n")] = '\0';
    return ok;
}

static bool read_number(const char *directory, const char *device, const char *file, uint64_t *v)
{
    char line[64], *end;
    if (!read_line(directory, device, file, line, sizeof line))
        return false;
    *v = strtoull(line, &end, 0);
    return end != line && !*end;
}

// Opens DEV/name for this program alone. -1: not possible; *busy: because another has it.
static int open_alone(const char *name, bool *busy)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", DEV, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        *busy = true;
        close(fd);
        fd = -1;
    }
    return fd;
}

static void drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

// ---- the machine ----

static int64_t now_us(void *user)
{
    struct timespec t;
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// The kernel masks the interrupt when it comes; writing 1 lets it through again, reading waits for it.
static void sleep_until_interrupt(void *user, int64_t timeout_us)
{
    const struct linux_state *l = user;
    uint32_t count = 1;
    if (write(l->uio, &count, sizeof count) != sizeof count)
        return;
    struct pollfd p = { .fd = l->uio, .events = POLLIN };
    int64_t ms = (timeout_us + 999) / 1000;
    // a signal ends the sleep early: the caller looks at the time and goes on
    if (poll(&p, 1, ms > 1000 ? 1000 : (int)ms) > 0 && read(l->uio, &count, sizeof count) != sizeof count)
        return;
}

static void put_number(int fd, uint64_t v)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    if (pwrite(fd, text, (size_t)n, 0) != n)
        return; // the files were there at open; the frame's data tell
}

static void sync_caches(const struct linux_state *l, const void *data, size_t n_bytes, uint64_t direction, int owner)
{
    put_number(l->sync[SYNC_OFFSET], (uint64_t)((const uint8_t *)data - l->machine.memory));
    put_number(l->sync[SYNC_SIZE], n_bytes);
    put_number(l->sync[SYNC_DIRECTION], direction);
    put_number(l->sync[owner], 1);
}

static void flush(void *user, void *data, size_t n_bytes)
{
    sync_caches(user, data, n_bytes, 1, SYNC_FOR_DEVICE);
}

static void invalidate(void *user, void *data, size_t n_bytes)
{
    sync_caches(user, data, n_bytes, 2, SYNC_FOR_CPU);
}

// ---- finding the device ----

static void release_registers(struct linux_state *l)
{
    if (l->machine.registers)
        munmap((void *)(uintptr_t)l->machine.registers, AIHLS_SHELL_APERTURE_BYTES);
    l->machine.registers = NULL;
    drop(&l->uio);
}

static enum aihls_status try_registers(struct linux_state *l, const struct aihls_network *net, const char *name)
{
    bool busy = false;
    l->uio = open_alone(name, &busy);
    if (l->uio < 0)
        return busy ? AIHLS_E_BUSY : AIHLS_E_BACKEND;
    void *p = mmap(NULL, AIHLS_SHELL_APERTURE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, l->uio, 0);
    l->machine.registers = p == MAP_FAILED ? NULL : p;
    enum aihls_status s = l->machine.registers ? aihls_axi_identify(net, l->machine.registers) : AIHLS_E_BACKEND;
    if (s)
        release_registers(l);
    return s;
}

// Tells most: another network, then in use, then not there.
static enum aihls_status more_telling(enum aihls_status a, enum aihls_status b)
{
    static const enum aihls_status order[] = { AIHLS_E_BUSY, AIHLS_E_BITSTREAM, AIHLS_E_DEVICE };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static enum aihls_status find_registers(struct linux_state *l, const struct aihls_network *net)
{
    struct dirent **list;
    char name[64];
    int n = scandir(UIO_CLASS, &list, visible, by_name);
    enum aihls_status s = AIHLS_E_BACKEND;
    bool found = false;
    for (int i = 0; i < n; i++) {
        if (!found && read_line(UIO_CLASS, list[i]->d_name, "name", name, sizeof name) && strncmp(name, "aihls", 5) == 0) {
            enum aihls_status t = try_registers(l, net, list[i]->d_name);
            found = t == AIHLS_OK;
            s = found ? t : more_telling(s, t);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return s;
}

static void release_memory(struct linux_state *l)
{
    if (l->machine.memory)
        munmap(l->machine.memory, l->mapped_bytes);
    l->machine.memory = NULL;
    for (int i = 0; i < SYNC_FILES; i++)
        drop(&l->sync[i]);
    drop(&l->memory);
}

static bool open_sync(struct linux_state *l, const char *class, const char *name)
{
    char path[512];
    uint64_t coherent;
    if (read_number(class, name, "dma_coherent", &coherent) && coherent)
        return true;
    for (int i = 0; i < SYNC_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", class, name, sync_names[i]);
        l->sync[i] = open(path, O_WRONLY | O_CLOEXEC);
        if (l->sync[i] < 0)
            return false;
    }
    l->machine.flush = flush;
    l->machine.invalidate = invalidate;
    return true;
}

static enum aihls_status try_memory(struct linux_state *l, const char *class, const char *name, size_t need)
{
    uint64_t address, size;
    bool busy = false;
    if (!read_number(class, name, "phys_addr", &address) || !read_number(class, name, "size", &size))
        return AIHLS_E_BACKEND;
    if (size < need)
        return AIHLS_E_MEMORY;
    l->memory = open_alone(name, &busy);
    if (l->memory < 0)
        return busy ? AIHLS_E_MEMORY : AIHLS_E_BACKEND;
    void *p = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_SHARED, l->memory, 0);
    l->machine.memory = p == MAP_FAILED ? NULL : p;
    l->mapped_bytes = need;
    l->machine.memory_address = address;
    l->machine.memory_bytes = need;
    if (l->machine.memory && open_sync(l, class, name))
        return AIHLS_OK;
    release_memory(l);
    return AIHLS_E_BACKEND;
}

static enum aihls_status find_memory(struct linux_state *l, const char *wanted, size_t need)
{
    enum aihls_status s = AIHLS_E_BACKEND;
    bool found = false;
    for (size_t c = 0; c < sizeof memory_classes / sizeof *memory_classes && !found; c++) {
        struct dirent **list;
        int n = scandir(memory_classes[c], &list, visible, by_name);
        for (int i = 0; i < n; i++) {
            if (!found && (!wanted || strcmp(wanted, list[i]->d_name) == 0)) {
                enum aihls_status t = try_memory(l, memory_classes[c], list[i]->d_name, need);
                found = t == AIHLS_OK;
                s = found || t == AIHLS_E_MEMORY ? t : s;
            }
            free(list[i]);
        }
        if (n >= 0)
            free(list);
    }
    return s;
}

// ---- the back end ----

static size_t state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    (void)b;
    (void)net;
    return sizeof(struct linux_state);
}

static void release(struct linux_state *l)
{
    release_memory(l);
    release_registers(l);
}

static enum aihls_status open_device(struct aihls_device *d)
{
    static const struct aihls_linux_device any = { NULL, NULL };
    const struct aihls_linux_device *want = d->options->device ? d->options->device : &any;
    struct linux_state *l = d->state;
    l->uio = l->memory = -1;
    for (int i = 0; i < SYNC_FILES; i++)
        l->sync[i] = -1;
    l->machine.user = l;
    l->machine.now_us = now_us;
    l->machine.sleep = sleep_until_interrupt;
    enum aihls_status s = want->uio ? try_registers(l, d->net, want->uio) : find_registers(l, d->net);
    if (!s)
        s = find_memory(l, want->memory, aihls_axi_memory_bytes(d->net, d->n_slots));
    if (!s)
        s = aihls_axi_open(d, &l->machine);
    if (s)
        release(l);
    return s;
}

static void close_device(struct aihls_device *d)
{
    struct linux_state *l = d->state;
    aihls_axi_close(d);
    if (!l->axi.broken) // else it may still write there: better that nobody else gets the memory
        release(l);
}

const struct aihls_backend aihls_linux = { "linux", NULL, state_bytes, open_device, aihls_axi_submit, aihls_axi_wait, close_device, aihls_axi_reload };
#endif

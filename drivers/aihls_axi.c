// SPDX-License-Identifier: Apache-2.0
// Freestanding: of the C library memset alone.
#include "aihls_axi.h"

#include <stdatomic.h>
#include <string.h>

#include "aihls_shell.h"

// How a register is accessed; may be replaced for buses that are not mapped.
#ifdef AIHLS_REGISTER_FUNCTIONS
uint32_t aihls_register_read(volatile uint32_t *registers, uint32_t offset);
void aihls_register_write(volatile uint32_t *registers, uint32_t offset, uint32_t value);
#else
static inline uint32_t aihls_register_read(volatile uint32_t *registers, uint32_t offset)
{
    return registers[offset / 4];
}

static inline void aihls_register_write(volatile uint32_t *registers, uint32_t offset, uint32_t value)
{
    registers[offset / 4] = value;
}
#endif

#define RESET_US 100000    // a burst that is under way ends long before
#define PATIENCE_US 2000000 // beyond what a frame needs

// What was written to memory is there before a register is, and the reverse. A fence of C11 orders memory of one kind
// only; Arm's DSB waits for all kinds (Arm ARM, Memory barriers).
static inline void barrier(void)
{
#if defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("dsb sy" ::: "memory");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static uint32_t get(const struct aihls_axi *x, uint32_t offset)
{
    return aihls_register_read(x->machine.registers, offset);
}

static void set(const struct aihls_axi *x, uint32_t offset, uint32_t value)
{
    aihls_register_write(x->machine.registers, offset, value);
}

static int64_t now(const struct aihls_axi *x)
{
    return x->machine.now_us(x->machine.user);
}

// ---- memory: for each slot of the library its inputs, then its outputs ----

static size_t aligned(int32_t bytes)
{
    return ((size_t)bytes + AIHLS_SHELL_ALIGNMENT - 1) / AIHLS_SHELL_ALIGNMENT * AIHLS_SHELL_ALIGNMENT;
}

static size_t all_bytes(const struct aihls_port *ports, int32_t n)
{
    size_t sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += aligned(ports[i].bytes);
    return sum;
}

size_t aihls_axi_memory_bytes(const struct aihls_network *net, int32_t queue_frames)
{
    return (size_t)queue_frames * (all_bytes(net->inputs, net->n_inputs) + all_bytes(net->outputs, net->n_outputs));
}

static uint8_t *give_buffers(uint8_t *at, const struct aihls_port *ports, int32_t n, int8_t **buffers)
{
    for (int32_t i = 0; i < n; i++) {
        buffers[i] = (int8_t *)at;
        at += aligned(ports[i].bytes);
    }
    return at;
}

static uint64_t bus_address(const struct aihls_axi *x, const int8_t *buffer)
{
    return x->machine.memory_address + (uint64_t)((const uint8_t *)buffer - x->machine.memory);
}

// ---- life cycle ----

static uint32_t hexadecimal(const char *digits, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n && digits[i]; i++)
        v = v << 4 | (uint32_t)(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    return v;
}

enum aihls_status aihls_axi_identify(const struct aihls_network *net, volatile uint32_t *registers)
{
    if (aihls_register_read(registers, AIHLS_SHELL_MAGIC) != AIHLS_SHELL_MAGIC_VALUE)
        return AIHLS_E_DEVICE;
    if (aihls_register_read(registers, AIHLS_SHELL_VERSION) >> 16 != AIHLS_SHELL_VERSION_VALUE >> 16)
        return AIHLS_E_BITSTREAM;
    uint32_t shape = aihls_register_read(registers, AIHLS_SHELL_SHAPE);
    if ((shape & 255) != (uint32_t)net->n_inputs || (shape >> 8 & 255) != (uint32_t)net->n_outputs)
        return AIHLS_E_BITSTREAM;
    for (uint32_t i = 0; i < 8; i++)
        if (aihls_register_read(registers, AIHLS_SHELL_MODEL(i)) != hexadecimal(net->model_sha256 + 8 * i, 8))
            return AIHLS_E_BITSTREAM;
    return AIHLS_OK;
}

// Stops and forgets all frames; with `run` the ring takes frames again. False: the device does not answer.
static bool reset(const struct aihls_device *d, bool run)
{
    struct aihls_axi *x = d->state;
    set(x, AIHLS_SHELL_CONTROL, AIHLS_SHELL_CONTROL_RESET | AIHLS_SHELL_CONTROL_DROP | (run ? AIHLS_SHELL_CONTROL_RUN : 0));
    for (int64_t start = now(x); get(x, AIHLS_SHELL_STATUS) & AIHLS_SHELL_STATUS_RESETTING;)
        if (now(x) - start > RESET_US)
            return false;
    // what reads as all ones is not there
    if (get(x, AIHLS_SHELL_MAGIC) != AIHLS_SHELL_MAGIC_VALUE)
        return false;
    set(x, AIHLS_SHELL_ERRORS, get(x, AIHLS_SHELL_ERRORS));
    set(x, AIHLS_SHELL_IRQ_PENDING, AIHLS_SHELL_IRQ_DONE | AIHLS_SHELL_IRQ_ERROR);
    x->tail = x->done = get(x, AIHLS_SHELL_DONE);
    for (int32_t i = 0; run && i < d->net->code_bytes; i++)
        set(x, AIHLS_SHELL_CODE, d->code[i]);
    return true;
}

enum aihls_status aihls_axi_reload(struct aihls_device *d)
{
    struct aihls_axi *x = d->state;
    x->broken = x->broken || !reset(d, true);
    return x->broken ? AIHLS_E_DEVICE : AIHLS_OK;
}

enum aihls_status aihls_axi_open(struct aihls_device *d, const struct aihls_axi_machine *m)
{
    struct aihls_axi *x = d->state;
    enum aihls_status s = aihls_axi_identify(d->net, m->registers);
    if (s)
        return s;
    memset(x, 0, sizeof *x);
    x->machine = *m;
    x->n_ring = (int32_t)(get(x, AIHLS_SHELL_SHAPE) >> 16 & 255);
    if (d->n_slots > x->n_ring)
        return AIHLS_E_ARGUMENT;
    if (m->memory_bytes < aihls_axi_memory_bytes(d->net, d->n_slots) || (uintptr_t)m->memory % AIHLS_SHELL_ALIGNMENT ||
        m->memory_address % AIHLS_SHELL_ALIGNMENT)
        return AIHLS_E_MEMORY;
    x->in_bytes = all_bytes(d->net->inputs, d->net->n_inputs);
    x->slot_bytes = x->in_bytes + all_bytes(d->net->outputs, d->net->n_outputs);
    uint8_t *at = m->memory;
    for (int32_t i = 0; i < d->n_slots; i++) {
        at = give_buffers(at, d->net->inputs, d->net->n_inputs, d->slots[i].in);
        at = give_buffers(at, d->net->outputs, d->net->n_outputs, d->slots[i].out);
    }
    // padding between buffers is read as part of bus words
    memset(m->memory, 0, (size_t)(at - m->memory));
    if (!reset(d, true))
        return AIHLS_E_DEVICE;
    set(x, AIHLS_SHELL_IRQ_ENABLE, m->sleep ? AIHLS_SHELL_IRQ_DONE | AIHLS_SHELL_IRQ_ERROR : 0);
    x->cycles_low = get(x, AIHLS_SHELL_CYCLES);
    x->cycles_high = get(x, AIHLS_SHELL_CYCLES_HIGH);
    return AIHLS_OK;
}

void aihls_axi_close(struct aihls_device *d)
{
    struct aihls_axi *x = d->state;
    if (x->broken)
        return;
    set(x, AIHLS_SHELL_IRQ_ENABLE, 0);
    reset(d, false);
}

// ---- frames ----

static struct aihls_slot *slot_of(struct aihls_device *d, uint32_t frame)
{
    const struct aihls_axi *x = d->state;
    return &d->slots[x->holder[frame % (uint32_t)x->n_ring] - 1];
}

static void write_addresses(struct aihls_device *d, const struct aihls_slot *s, uint32_t ring)
{
    struct aihls_axi *x = d->state;
    uint8_t holder = (uint8_t)(s - d->slots + 1);
    if (x->holder[ring] == holder) // they stay
        return;
    for (int32_t p = 0; p < d->net->n_inputs + d->net->n_outputs; p++) {
        uint64_t at = bus_address(x, p < d->net->n_inputs ? s->in[p] : s->out[p - d->net->n_inputs]);
        set(x, AIHLS_SHELL_ADDRESS(ring, (uint32_t)p), (uint32_t)at);
        set(x, AIHLS_SHELL_ADDRESS_HIGH(ring, (uint32_t)p), (uint32_t)(at >> 32));
    }
    x->holder[ring] = holder;
}

enum aihls_status aihls_axi_submit(struct aihls_device *d, struct aihls_slot *s)
{
    struct aihls_axi *x = d->state;
    if (x->broken)
        return AIHLS_E_DEVICE;
    if (x->machine.flush) // outputs too: no old line of theirs may be written back over the accelerator's
        x->machine.flush(x->machine.user, s->in[0], x->slot_bytes);
    write_addresses(d, s, x->tail % (uint32_t)x->n_ring);
    if (x->tail == x->done)
        x->moved_us = now(x);
    barrier();
    set(x, AIHLS_SHELL_TAIL, ++x->tail);
    return AIHLS_OK;
}

static void end_frame(struct aihls_device *d, uint32_t frame)
{
    struct aihls_axi *x = d->state;
    struct aihls_slot *s = slot_of(d, frame);
    uint32_t ring = frame % (uint32_t)x->n_ring, status = get(x, AIHLS_SHELL_SLOT_STATUS(ring));
    bool bad = status & (AIHLS_SHELL_SLOT_READ_ERROR | AIHLS_SHELL_SLOT_WRITE_ERROR) || status >> 16 != (frame & 0xffff);
    s->frame.latency_cycles = get(x, AIHLS_SHELL_SLOT_LATENCY(ring));
    s->frame.interval_cycles = get(x, AIHLS_SHELL_SLOT_INTERVAL(ring));
    if (x->machine.invalidate)
        x->machine.invalidate(x->machine.user, (uint8_t *)s->in[0] + x->in_bytes, x->slot_bytes - x->in_bytes);
    s->state = bad ? AIHLS_SLOT_LOST : AIHLS_SLOT_DONE;
}

static void collect(struct aihls_device *d)
{
    struct aihls_axi *x = d->state;
    uint32_t done = get(x, AIHLS_SHELL_DONE);
    if (done == x->done || done - x->done > x->tail - x->done) // none, or nonsense: a device that is gone
        return;
    barrier();
    while (x->done != done)
        end_frame(d, x->done++);
    x->moved_us = now(x);
    uint32_t low = get(x, AIHLS_SHELL_CYCLES);
    uint64_t cycles = (uint64_t)get(x, AIHLS_SHELL_CYCLES_HIGH) << 32 | low;
    d->cycles = (int64_t)(cycles - ((uint64_t)x->cycles_high << 32 | x->cycles_low));
}

// The device stands still: every frame in it is lost, and it is reset for those to come.
static void give_up(struct aihls_device *d)
{
    struct aihls_axi *x = d->state;
    for (uint32_t f = x->done; f != x->tail; f++)
        slot_of(d, f)->state = AIHLS_SLOT_LOST;
    x->broken = !reset(d, true);
    x->done = x->tail;
}

// The longest that a frame may take when all goes well, many times over: memory may be slow.
static int64_t patience_us(const struct aihls_network *net)
{
    return PATIENCE_US + (int64_t)(100e6 * (double)(net->latency_cycles + net->frame_cycles) / (double)(net->clock_hz > 0 ? net->clock_hz : 1));
}

enum aihls_status aihls_axi_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us)
{
    struct aihls_axi *x = d->state;
    int64_t start = now(x);
    for (;;) {
        // acknowledged first: a frame that ends behind this raises the interrupt again
        if (x->machine.sleep)
            set(x, AIHLS_SHELL_IRQ_PENDING, get(x, AIHLS_SHELL_IRQ_PENDING));
        collect(d);
        if (s->state != AIHLS_SLOT_BUSY)
            return AIHLS_OK;
        int64_t t = now(x), left = x->moved_us + patience_us(d->net) - t;
        if (left <= 0) {
            give_up(d);
            return AIHLS_OK;
        }
        if (timeout_us >= 0) {
            if (t - start >= timeout_us)
                return AIHLS_E_TIMEOUT;
            left = left < timeout_us - (t - start) ? left : timeout_us - (t - start);
        }
        if (x->machine.sleep)
            x->machine.sleep(x->machine.user, left);
    }
}

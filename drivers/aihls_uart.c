// SPDX-License-Identifier: Apache-2.0
// Freestanding: of the C library memcpy, memset and memcmp alone.
#include "aihls_uart.h"

#include <string.h>

#define TRIES 12            // of a request, before the device counts as gone
#define WINDOW 4            // blocks on their way before their answers are looked at
#define PATIENCE_US 2000000 // without a byte moving, beyond what a frame needs
#define HEADER_BYTES 4      // of an answer
#define MARK 0xc0           // between packets; what looks like it inside is ESCAPE and one of the two behind
#define ESCAPE 0xdb
#define ESCAPED_MARK 0xdc
#define ESCAPED_ESCAPE 0xdd

// ---- packets ----

// As aihls_crc16 of the hardware.
static uint16_t crc16(uint16_t crc, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc = (uint16_t)(crc ^ bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static size_t escape(uint8_t *to, const uint8_t *from, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool special = from[i] == MARK || from[i] == ESCAPE;
        if (special)
            to[at++] = ESCAPE;
        to[at++] = !special ? from[i] : from[i] == MARK ? ESCAPED_MARK : ESCAPED_ESCAPE;
    }
    return at;
}

static bool send_request(struct aihls_uart *u, uint8_t op, uint8_t number, uint8_t arg, const uint8_t *data, size_t n)
{
    uint8_t plain[AIHLS_UART_BLOCK_BYTES + 5] = { op, number, arg }, wire[2 * sizeof plain + 2] = { MARK };
    if (n)
        memcpy(plain + 3, data, n);
    uint16_t crc = crc16(0xffff, plain, n + 3);
    plain[n + 3] = (uint8_t)(crc >> 8);
    plain[n + 4] = (uint8_t)crc;
    size_t length = 1 + escape(wire + 1, plain, n + 5);
    wire[length++] = MARK;
    u->requests++;
    return u->line.send(u->line.user, wire, length);
}

// One byte from the line; true: it ended a packet that is whole. n_answer counts without the CRC then.
static bool take_byte(struct aihls_uart *u, uint8_t byte)
{
    if (byte == MARK) {
        bool whole = u->n_answer >= HEADER_BYTES + 2 && u->n_answer <= sizeof u->answer && !u->escaped && crc16(0xffff, u->answer, u->n_answer) == 0;
        u->n_answer = whole ? u->n_answer - 2 : 0;
        u->escaped = false;
        return whole;
    }
    if (byte == ESCAPE && !u->escaped) {
        u->escaped = true;
        return false;
    }
    if (u->n_answer < sizeof u->answer)
        u->answer[u->n_answer] = !u->escaped ? byte : byte == ESCAPED_MARK ? MARK : byte == ESCAPED_ESCAPE ? ESCAPE : byte;
    if (u->n_answer <= sizeof u->answer) // one more than there is room for: too long
        u->n_answer++;
    u->escaped = false;
    return false;
}

enum outcome { ANSWERED, SILENT, GONE };

static int64_t now(const struct aihls_uart *u)
{
    return u->line.now_us(u->line.user);
}

// The next whole answer to request `op`, `number`; others are dropped, as they belong to requests that were given up.
static enum outcome receive_answer(struct aihls_uart *u, uint8_t op, uint8_t number, int64_t deadline_us)
{
    u->n_answer = 0;
    u->escaped = false;
    for (;;) {
        uint8_t byte;
        int64_t left = deadline_us - now(u);
        int n = left > 0 ? u->line.receive(u->line.user, &byte, 1, left) : 0;
        if (n < 0)
            return GONE;
        if (n == 0)
            return SILENT;
        if (!take_byte(u, byte))
            continue;
        if (u->answer[0] == op && u->answer[1] == number)
            return ANSWERED;
        u->n_answer = 0;
    }
}

// Twice what `packets` of full length, all bytes escaped, take both ways, and the line's own delay.
static int64_t deadline(const struct aihls_uart *u, int packets)
{
    int64_t bits = (int64_t)packets * 2 * 10 * 2 * (AIHLS_UART_BLOCK_BYTES + 12);
    return now(u) + u->line.latency_us + 2 * bits * 1000000 / u->line.baud;
}

static enum outcome ask(struct aihls_uart *u, uint8_t op, uint8_t number, uint8_t arg)
{
    if (!send_request(u, op, number, arg, NULL, 0))
        return GONE;
    return receive_answer(u, op, number, deadline(u, 1));
}

// The same until it is answered, TRIES times.
static enum outcome insist(struct aihls_uart *u, uint8_t op, uint8_t arg)
{
    for (int i = 0; i < TRIES; i++) {
        // another number every time: a late answer is not taken for this one's
        enum outcome o = ask(u, op, (uint8_t)(u->requests & 255), arg);
        if (o != SILENT)
            return o;
        u->repeated++;
    }
    return SILENT;
}

// ---- life cycle ----

size_t aihls_uart_state_bytes(size_t own, const struct aihls_network *net)
{
    return own + (size_t)(net->n_inputs + net->n_outputs) * sizeof(int32_t);
}

static uint8_t hexadecimal(const char *two)
{
    uint8_t v = 0;
    for (int i = 0; i < 2 && two[i]; i++)
        v = (uint8_t)(v << 4 | (two[i] <= '9' ? two[i] - '0' : two[i] - 'a' + 10));
    return v;
}

static bool is_network(const struct aihls_network *net, const uint8_t *identity)
{
    if (identity[4] != AIHLS_UART_VERSION_MAJOR || identity[6] != net->n_inputs + (net->code != NULL) || identity[7] != net->n_outputs || identity[8] != AIHLS_UART_BLOCK_BYTES)
        return false;
    for (int i = 0; i < 32; i++)
        if (identity[9 + i] != hexadecimal(net->model_sha256 + 2 * i))
            return false;
    return true;
}

// The expected number in an answer says how many of our requests were carried out.
static int32_t done_requests(struct aihls_uart *u)
{
    int32_t n = (uint8_t)(u->answer[3] - u->number);
    u->misses = u->unanswered = 0;
    if (n > WINDOW) // a number that cannot be: the device was reset by somebody else
        return -1;
    u->number = u->answer[3];
    return n;
}

// The answer got lost, or the request did: the very same one again tells, before anything else takes its number.
static bool ask_again(struct aihls_uart *u, int32_t port, int32_t n_requests)
{
    u->unanswered = 1 + port;
    u->repeated += n_requests;
    return ++u->misses < TRIES;
}

// Sends up to WINDOW blocks of `total` bytes to input p, of which *moved have gone. False: the device is not what it was.
static bool write_some(struct aihls_uart *u, int32_t p, const uint8_t *bytes, int32_t total, int32_t *moved)
{
    int32_t from = *moved, sent = 0;
    for (int32_t at = from; sent < WINDOW && at < total; sent++, at += AIHLS_UART_BLOCK_BYTES) {
        int32_t n = total - at < AIHLS_UART_BLOCK_BYTES ? total - at : AIHLS_UART_BLOCK_BYTES;
        if (!send_request(u, AIHLS_UART_WRITE, (uint8_t)(u->number + sent), (uint8_t)p, bytes + at, (size_t)n))
            return false;
    }
    enum outcome o = receive_answer(u, AIHLS_UART_WRITE, (uint8_t)(u->number + sent - 1), deadline(u, sent));
    if (o == GONE)
        return false;
    if (o == SILENT)
        return ask_again(u, p, sent);
    int32_t n = done_requests(u);
    u->repeated += sent - n;
    if (n <= 0)
        return n == 0;
    *moved = from + n * AIHLS_UART_BLOCK_BYTES < total ? from + n * AIHLS_UART_BLOCK_BYTES : total;
    u->moved_us = now(u);
    return true;
}

// All in the device is forgotten; a code that it needs is sent, as the input behind the last.
static bool reset(struct aihls_device *d)
{
    struct aihls_uart *u = d->state;
    int32_t sent = 0;
    u->number = 0;
    u->misses = u->unanswered = 0;
    if (insist(u, AIHLS_UART_RESET, 0) != ANSWERED || u->answer[2] != AIHLS_UART_OK)
        return false;
    u->moved_us = now(u);
    while (sent < d->net->code_bytes)
        if (!write_some(u, d->net->n_inputs, d->code, d->net->code_bytes, &sent) || now(u) - u->moved_us > PATIENCE_US)
            return false;
    return true;
}

enum aihls_status aihls_uart_open(struct aihls_device *d, const struct aihls_uart_line *line)
{
    struct aihls_uart *u = d->state;
    size_t own = d->backend->state_bytes(d->backend, d->net) - (size_t)(d->net->n_inputs + d->net->n_outputs) * sizeof(int32_t);
    u->line = *line;
    u->moved = (int32_t *)((uint8_t *)d->state + own);
    u->at = 1;
    if (insist(u, AIHLS_UART_IDENTIFY, 0) != ANSWERED)
        return AIHLS_E_DEVICE;
    if (u->n_answer < HEADER_BYTES + AIHLS_UART_IDENTITY_BYTES || memcmp(u->answer + HEADER_BYTES, "AIHL", 4) != 0)
        return AIHLS_E_DEVICE;
    if (!is_network(d->net, u->answer + HEADER_BYTES))
        return AIHLS_E_BITSTREAM;
    return reset(d) ? AIHLS_OK : AIHLS_E_DEVICE;
}

enum aihls_status aihls_uart_reload(struct aihls_device *d)
{
    struct aihls_uart *u = d->state;
    u->broken = u->broken || !reset(d);
    return u->broken ? AIHLS_E_DEVICE : AIHLS_OK;
}

enum aihls_status aihls_uart_submit(struct aihls_device *d, struct aihls_slot *s)
{
    struct aihls_uart *u = d->state;
    if (s->ticket == u->at)
        u->moved_us = now(u);
    return u->broken ? AIHLS_E_DEVICE : AIHLS_OK;
}

// ---- frames ----

static struct aihls_slot *slot_of(const struct aihls_device *d, uint64_t ticket)
{
    return &d->slots[(ticket - 1) % (uint64_t)d->n_slots];
}

static void begin_frame(struct aihls_device *d)
{
    struct aihls_uart *u = d->state;
    memset(u->moved, 0, (size_t)(d->net->n_inputs + d->net->n_outputs) * sizeof *u->moved);
    u->moved_us = now(u);
}

// Every frame in the queue is lost, and the device is reset for those to come.
static void give_up(struct aihls_device *d)
{
    struct aihls_uart *u = d->state;
    for (; slot_of(d, u->at)->state == AIHLS_SLOT_BUSY && slot_of(d, u->at)->ticket == u->at; u->at++)
        slot_of(d, u->at)->state = AIHLS_SLOT_LOST;
    u->broken = !reset(d);
    begin_frame(d);
}

static bool is_next(const struct aihls_uart *u, int32_t port)
{
    return !u->unanswered || u->unanswered == 1 + port;
}

static bool write_blocks(struct aihls_device *d, const struct aihls_slot *s, int32_t p)
{
    struct aihls_uart *u = d->state;
    return write_some(u, p, (const uint8_t *)s->in[p], d->net->inputs[p].bytes, &u->moved[p]);
}

// Takes what output p has.
static bool read_block(struct aihls_device *d, const struct aihls_slot *s, int32_t p)
{
    struct aihls_uart *u = d->state;
    int32_t *got = &u->moved[d->net->n_inputs + p], left = d->net->outputs[p].bytes - *got;
    enum outcome o = ask(u, AIHLS_UART_READ, u->number, (uint8_t)p);
    if (o == GONE)
        return false;
    if (o == SILENT)
        return ask_again(u, d->net->n_inputs + p, 1);
    int32_t n = (int32_t)u->n_answer - HEADER_BYTES;
    if (u->answer[2] != AIHLS_UART_OK || done_requests(u) != 1 || n > left)
        return false;
    if (n) {
        memcpy(s->out[p] + *got, u->answer + HEADER_BYTES, (size_t)n);
        *got += n;
        u->moved_us = now(u);
    }
    return true;
}

// What the device measured of the frame that just ended; without an answer its cycles stay 0.
static void end_frame(struct aihls_device *d, struct aihls_slot *s)
{
    struct aihls_uart *u = d->state;
    if (insist(u, AIHLS_UART_STATUS, 0) == ANSWERED && u->n_answer >= HEADER_BYTES + AIHLS_UART_STATUS_BYTES) {
        const uint8_t *b = u->answer + HEADER_BYTES + 4;
        s->frame.latency_cycles = (int64_t)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
        d->cycles += s->frame.latency_cycles;
    }
    s->state = AIHLS_SLOT_DONE;
    u->at++;
    begin_frame(d);
}

// Some bytes of the oldest frame.
static void step(struct aihls_device *d)
{
    struct aihls_uart *u = d->state;
    struct aihls_slot *s = slot_of(d, u->at);
    bool ended = true, alive = true;
    if (s->state != AIHLS_SLOT_BUSY)
        return;
    for (int32_t p = 0; alive && p < d->net->n_inputs; p++)
        if (is_next(u, p) && u->moved[p] < d->net->inputs[p].bytes)
            alive = write_blocks(d, s, p);
    for (int32_t p = 0; alive && p < d->net->n_outputs; p++)
        if (is_next(u, d->net->n_inputs + p) && u->moved[d->net->n_inputs + p] < d->net->outputs[p].bytes)
            alive = read_block(d, s, p);
    for (int32_t p = 0; p < d->net->n_inputs + d->net->n_outputs; p++)
        ended &= u->moved[p] == (p < d->net->n_inputs ? d->net->inputs[p] : d->net->outputs[p - d->net->n_inputs]).bytes;
    if (!alive || (!ended && now(u) - u->moved_us > PATIENCE_US + 100 * (d->net->latency_cycles + d->net->frame_cycles) * 1000000 / d->net->clock_hz))
        give_up(d);
    else if (ended)
        end_frame(d, s);
}

enum aihls_status aihls_uart_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us)
{
    struct aihls_uart *u = d->state;
    int64_t start = now(u);
    do {
        step(d);
        if (s->state != AIHLS_SLOT_BUSY)
            return AIHLS_OK;
    } while (timeout_us < 0 || now(u) - start < timeout_us);
    return AIHLS_E_TIMEOUT;
}

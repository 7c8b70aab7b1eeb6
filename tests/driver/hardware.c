// SPDX-License-Identifier: Apache-2.0
// hardware: what a program may meet with an accelerator on a board. Compiled as probe.c is, linked with shim.cpp.
//
//     hardware BACKEND CASE       prints "CASE: right", or what was wrong (exit code 1)
//
// Frames are pseudo-random bytes of the wire; results are compared with the back end "reference".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libaihls/aihls_linux.h"
#include "shim.h"

#define QUEUE 3

static const char *backend;
static struct aihls_options options = { .queue_frames = QUEUE };
static int8_t *in, *want, *have; // of the wire
static struct aihls_input input;
static struct aihls_output output;

static void right(int ok, const char *what)
{
    if (ok)
        return;
    printf("wrong: %s\n", what);
    exit(1);
}
#define RIGHT(c) right(c, #c)

static struct aihls *start(void)
{
    struct aihls *a;
    enum aihls_status s = aihls_open(&NETWORK, BACKEND(backend), &options, &a);
    right(!s, aihls_status_text(s));
    return a;
}

// Frame n, and what comes of it.
static void fill(unsigned n)
{
    const struct aihls_port *p = &NETWORK.inputs[0];
    struct aihls *r;
    int32_t step = p->bytes / (p->height * p->width);
    for (int32_t i = 0; i < p->bytes; i++) {
        n = n * 1664525u + 1013904223u;
        in[i] = i % step < p->channels ? (int8_t)(n >> 24) : 0;
    }
    RIGHT(!aihls_open(&NETWORK, BACKEND("reference"), NULL, &r));
    struct aihls_output o = { want, AIHLS_STREAM, NETWORK.outputs[0].bytes };
    RIGHT(!aihls_run(r, &input, 1, &o, 1, NULL));
    RIGHT(!aihls_close(&r));
}

static void runs(struct aihls *a, unsigned n)
{
    fill(n);
    memset(have, 77, (size_t)NETWORK.outputs[0].bytes);
    enum aihls_status s = aihls_run(a, &input, 1, &output, 1, NULL);
    right(!s, aihls_status_text(s));
    RIGHT(memcmp(have, want, (size_t)NETWORK.outputs[0].bytes) == 0);
}

static void many_frames(void)
{
    struct aihls *a = start();
    for (unsigned n = 0; n < 40; n++) // more than the ring has slots
        runs(a, n);
    struct aihls_statistics s;
    RIGHT(!aihls_read_statistics(a, &s) && s.done == 40 && s.lost == 0 && s.cycles > 0);
    RIGHT(!aihls_close(&a));
}

static void without_copies(void)
{
    struct aihls *a = start();
    for (unsigned n = 0; n < 7; n++) {
        void *wire;
        const void *result;
        uint64_t ticket, done;
        fill(n);
        RIGHT(!aihls_input_buffer(a, 0, &wire));
        memcpy(wire, in, (size_t)NETWORK.inputs[0].bytes);
        struct aihls_input placed = { wire, AIHLS_STREAM, NETWORK.inputs[0].bytes };
        RIGHT(!aihls_submit(a, &placed, 1, &ticket));
        while (aihls_poll(a, &done) == AIHLS_E_TIMEOUT)
            RIGHT(aihls_output_buffer(a, ticket, 0, &result) == AIHLS_E_TIMEOUT);
        RIGHT(done == ticket && !aihls_output_buffer(a, ticket, 0, &result));
        RIGHT(memcmp(result, want, (size_t)NETWORK.outputs[0].bytes) == 0);
        RIGHT(!aihls_wait(a, ticket, NULL, 0, -1, NULL));
        RIGHT(aihls_output_buffer(a, ticket, 0, &result) == AIHLS_E_TICKET);
    }
    RIGHT(!aihls_close(&a));
}

static uint64_t heard, n_heard;
static void hear(void *user, uint64_t ticket)
{
    right(user == &heard && ticket == n_heard + 1, "tickets are heard of in order");
    heard = ticket;
    n_heard++;
}

static void callbacks(void)
{
    options.on_done = hear;
    options.user = &heard;
    struct aihls *a = start();
    uint64_t ticket = 0;
    fill(1);
    for (int i = 0; i < QUEUE; i++)
        RIGHT(!aihls_submit(a, &input, 1, &ticket));
    RIGHT(!aihls_wait(a, ticket, NULL, 0, -1, NULL)); // the youngest: all are done then
    RIGHT(n_heard == QUEUE);
    RIGHT(!aihls_close(&a));
}

static void full_queue_and_timeout(void)
{
    struct aihls *a = start();
    uint64_t ticket = 0;
    void *wire;
    fill(1);
    for (int i = 0; i < QUEUE; i++)
        RIGHT(!aihls_submit(a, &input, 1, &ticket));
    RIGHT(aihls_submit(a, &input, 1, &ticket) == AIHLS_E_FULL);
    RIGHT(aihls_input_buffer(a, 0, &wire) == AIHLS_E_FULL);
    RIGHT(aihls_wait(a, 3, &output, 1, 0, NULL) == AIHLS_E_TIMEOUT);
    RIGHT(!aihls_wait(a, 3, &output, 1, 60000000, NULL));
    RIGHT(memcmp(have, want, (size_t)NETWORK.outputs[0].bytes) == 0);
    RIGHT(!aihls_close(&a));
}

// One burst fails: that frame is lost, those around it are right.
static void bus_error(int *countdown, int nth)
{
    struct aihls *a = start();
    uint64_t ticket;
    int lost = 0;
    fill(5);
    *countdown = nth;
    for (int i = 0; i < 6; i++) {
        memset(have, 77, (size_t)NETWORK.outputs[0].bytes);
        RIGHT(!aihls_submit(a, &input, 1, &ticket));
        enum aihls_status s = aihls_wait(a, ticket, &output, 1, -1, NULL);
        RIGHT(!s || s == AIHLS_E_DEVICE);
        lost += s != 0;
        RIGHT(s || memcmp(have, want, (size_t)NETWORK.outputs[0].bytes) == 0);
    }
    RIGHT(lost == 1);
    RIGHT(!aihls_close(&a));
}
static void bad_read(void) { bus_error(&shim_faults()->bad_read, 2); }
static void bad_write(void) { bus_error(&shim_faults()->bad_write, 2); }

static void closed_in_flight(void)
{
    for (int i = 0; i < 4; i++) {
        struct aihls *a = start();
        uint64_t ticket;
        fill(9);
        for (int k = 0; k < QUEUE; k++)
            RIGHT(!aihls_submit(a, &input, 1, &ticket));
        if (i == 2)
            RIGHT(aihls_wait(a, 1, &output, 1, 0, NULL) == AIHLS_E_TIMEOUT);
        RIGHT(!aihls_close(&a) && !a);
    }
    struct aihls *a = start();
    runs(a, 10);
    RIGHT(!aihls_close(&a));
}

// Memory that takes no burst: no frame ends, and no reset either.
static void dead_device(void)
{
    struct aihls *a = start();
    uint64_t ticket;
    runs(a, 1);
    shim_faults()->deaf = 1;
    RIGHT(!aihls_submit(a, &input, 1, &ticket));
    RIGHT(aihls_wait(a, ticket, &output, 1, -1, NULL) == AIHLS_E_DEVICE);
    RIGHT(aihls_submit(a, &input, 1, &ticket) == AIHLS_E_DEVICE);
    struct aihls_statistics s;
    RIGHT(!aihls_read_statistics(a, &s) && s.lost == 1 && s.done == 1);
    RIGHT(!aihls_close(&a));
}

static void wrong_bitstream(void)
{
    struct aihls_network other = NETWORK;
    struct aihls *a;
    char sha[65];
    memcpy(sha, NETWORK.model_sha256, 65);
    sha[63] = sha[63] == '0' ? '1' : '0';
    other.model_sha256 = sha;
    RIGHT(aihls_open(&other, BACKEND(backend), &options, &a) == AIHLS_E_BITSTREAM && !a);
    other = NETWORK;
    other.n_outputs++;
    struct aihls_port ports[8];
    memcpy(ports, NETWORK.outputs, (size_t)NETWORK.n_outputs * sizeof *ports);
    ports[NETWORK.n_outputs] = ports[0];
    other.outputs = ports;
    RIGHT(aihls_open(&other, BACKEND(backend), &options, &a) == AIHLS_E_BITSTREAM && !a);
}

static void too_many_slots(void)
{
    struct aihls *a;
    options.queue_frames = 17;
    RIGHT(aihls_open(&NETWORK, BACKEND(backend), &options, &a) == AIHLS_E_ARGUMENT && !a);
    options.queue_frames = 16;
    a = start();
    runs(a, 3);
    RIGHT(!aihls_close(&a));
}

static void wrong_shape(void)
{
    struct aihls *a = start();
    uint64_t ticket;
    struct aihls_input small = { in, AIHLS_STREAM, NETWORK.inputs[0].bytes - 1 };
    RIGHT(aihls_submit(a, &small, 1, &ticket) == AIHLS_E_SHAPE);
    RIGHT(aihls_submit(a, &input, 2, &ticket) == AIHLS_E_SHAPE);
    runs(a, 4);
    RIGHT(!aihls_close(&a));
}

// ---- "linux" alone ----

static void in_use(void)
{
    struct aihls *a = start(), *b;
    RIGHT(aihls_open(&NETWORK, BACKEND(backend), &options, &b) == AIHLS_E_BUSY && !b);
    runs(a, 1);
    RIGHT(!aihls_close(&a));
    a = start();
    RIGHT(!aihls_close(&a));
}

static void expect_open(const char *uio, const char *memory, enum aihls_status want_status)
{
    struct aihls_linux_device d = { uio, memory };
    struct aihls *a;
    options.device = &d;
    enum aihls_status s = aihls_open(&NETWORK, BACKEND(backend), &options, &a);
    right(s == want_status, aihls_status_text(s));
    if (!s)
        RIGHT(!aihls_close(&a));
    options.device = NULL;
}

static void chosen_device(void)
{
    expect_open("uio1", "udmabuf0", AIHLS_OK);
    expect_open("uio1", NULL, AIHLS_OK);
    expect_open("uio0", NULL, AIHLS_E_DEVICE); // another's, all zeros
    expect_open("uio7", NULL, AIHLS_E_BACKEND);
    expect_open(NULL, "udmabuf1", AIHLS_E_MEMORY); // 64 bytes
    expect_open(NULL, "udmabuf9", AIHLS_E_BACKEND);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    { "many_frames", many_frames }, { "without_copies", without_copies }, { "callbacks", callbacks },
    { "full_queue_and_timeout", full_queue_and_timeout }, { "bad_read", bad_read }, { "bad_write", bad_write },
    { "closed_in_flight", closed_in_flight }, { "dead_device", dead_device }, { "wrong_bitstream", wrong_bitstream },
    { "too_many_slots", too_many_slots }, { "wrong_shape", wrong_shape }, { "in_use", in_use }, { "chosen_device", chosen_device },
};

int main(int argc, char **argv)
{
    in = calloc(1, (size_t)NETWORK.inputs[0].bytes);
    want = malloc((size_t)NETWORK.outputs[0].bytes);
    have = malloc((size_t)NETWORK.outputs[0].bytes);
    input = (struct aihls_input){ in, AIHLS_STREAM, NETWORK.inputs[0].bytes };
    output = (struct aihls_output){ have, AIHLS_STREAM, NETWORK.outputs[0].bytes };
    backend = argc > 1 ? argv[1] : "";
    for (size_t i = 0; argc > 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[2]) == 0) {
            cases[i].run();
            printf("%s: right\n", argv[2]);
            free(in);
            free(want);
            free(have);
            return 0;
        }
    puts("usage: hardware BACKEND CASE");
    return 2;
}

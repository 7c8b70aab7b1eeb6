// SPDX-License-Identifier: Apache-2.0
// probe: raw frames from standard input through a network, raw results to standard output, four frames in the queue.
//
//     probe BACKEND <FRAMES >RESULTS
//
// Compiled with -include NAME.h -DNETWORK=NAME_network -DBACKEND=NAME_backend. Prints to standard error: frames, and
// the cycles of the last one and since the one before.
#include <stdio.h>
#include <stdlib.h>

#define QUEUE 4

static struct aihls *a;
static void *buffer;
static uint64_t oldest = 1;
static struct aihls_frame frame;

static void check(enum aihls_status s)
{
    if (s) {
        fprintf(stderr, "%s\n", aihls_status_text(s));
        exit(1);
    }
}

static void take(void)
{
    const struct aihls_tensor *t = &NETWORK.outputs[0].tensor;
    struct aihls_output out = { buffer, t->type, t->count };
    check(aihls_wait(a, oldest++, &out, 1, -1, &frame));
    fwrite(buffer, aihls_type_bytes(t->type), (size_t)t->count, stdout);
}

int main(int argc, char **argv)
{
    const struct aihls_tensor *t = &NETWORK.inputs[0].tensor;
    size_t in_bytes = (size_t)t->count * aihls_type_bytes(t->type);
    uint64_t ticket = 0;
    struct aihls_options options = { QUEUE };
    void *input = malloc(in_bytes);
    buffer = malloc((size_t)NETWORK.outputs[0].tensor.count * aihls_type_bytes(NETWORK.outputs[0].tensor.type));
    check(aihls_open(&NETWORK, BACKEND(argc > 1 ? argv[1] : ""), &options, &a));
    while (fread(input, 1, in_bytes, stdin) == in_bytes) {
        struct aihls_input in = { input, t->type, t->count };
        if (ticket + 1 - oldest == QUEUE)
            take();
        check(aihls_submit(a, &in, 1, &ticket));
    }
    while (oldest <= ticket)
        take();
    fprintf(stderr, "frames %d latency %d interval %d\n", (int)ticket, (int)frame.latency_cycles, (int)frame.interval_cycles);
    check(aihls_close(&a));
    free(input);
    free(buffer);
    return 0;
}

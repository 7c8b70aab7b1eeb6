// SPDX-License-Identifier: Apache-2.0
// probe: raw frames from standard input through a network, raw results to standard output, four frames in the queue.
// A frame is the tensors of all inputs, a result those of all outputs, one behind the other.
//
//     probe BACKEND <FRAMES >RESULTS
//
// Compiled with -include NAME.h -DNETWORK=NAME_network -DBACKEND=NAME_backend. Prints to standard error: frames, and
// the cycles of the last one and since the one before.
#include <stdio.h>
#include <stdlib.h>

#define QUEUE 4

static struct aihls *a;
static struct aihls_input *inputs;
static struct aihls_output *outputs;
static uint64_t tickets[QUEUE]; // of the frames in the queue
static int taken, sent;
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
    check(aihls_wait(a, tickets[taken++ % QUEUE], outputs, aihls_output_count(&NETWORK), -1, &frame));
    for (int i = 0; i < aihls_output_count(&NETWORK); i++)
        fwrite(outputs[i].data, aihls_type_bytes(outputs[i].type), (size_t)outputs[i].count, stdout);
}

static size_t bytes_of(const struct aihls_tensor *t)
{
    return (size_t)t->count * aihls_type_bytes(t->type);
}

int main(int argc, char **argv)
{
    size_t in_bytes = 0;
    struct aihls_options options = { .queue_frames = QUEUE };
    inputs = calloc((size_t)aihls_input_count(&NETWORK), sizeof *inputs);
    outputs = calloc((size_t)aihls_output_count(&NETWORK), sizeof *outputs);
    for (int i = 0; i < aihls_input_count(&NETWORK); i++)
        in_bytes += bytes_of(aihls_input_tensor(&NETWORK, i));
    char *input = malloc(in_bytes), *at = input;
    for (int i = 0; i < aihls_input_count(&NETWORK); at += bytes_of(aihls_input_tensor(&NETWORK, i)), i++)
        inputs[i] = (struct aihls_input){ at, aihls_input_tensor(&NETWORK, i)->type, aihls_input_tensor(&NETWORK, i)->count };
    for (int i = 0; i < aihls_output_count(&NETWORK); i++) {
        const struct aihls_tensor *t = aihls_output_tensor(&NETWORK, i);
        outputs[i] = (struct aihls_output){ malloc(bytes_of(t)), t->type, t->count };
    }
    check(aihls_open(&NETWORK, BACKEND(argc > 1 ? argv[1] : ""), &options, &a));
    while (fread(input, 1, in_bytes, stdin) == in_bytes) {
        enum aihls_status s;
        while ((s = aihls_submit(a, inputs, aihls_input_count(&NETWORK), &tickets[sent % QUEUE])) == AIHLS_E_FULL)
            take();
        check(s);
        sent++;
    }
    while (taken < sent)
        take();
    fprintf(stderr, "frames %d latency %d interval %d\n", sent, (int)frame.latency_cycles, (int)frame.interval_cycles);
    check(aihls_close(&a));
    for (int i = 0; i < aihls_output_count(&NETWORK); i++)
        free(outputs[i].data);
    free(outputs);
    free(inputs);
    free(input);
    return 0;
}

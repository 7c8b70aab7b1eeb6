// SPDX-License-Identifier: Apache-2.0
// Tests the core of the run-time library (drivers/aihls.c, aihls_border.c) with a network made by hand and a back end
// that does as it is told. What the compiler writes for real networks is tested in tests/flow/test_driver.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "drivers/aihls_backend.h"
#include "drivers/aihls_border.h"
#include "drivers/aihls_host.h"
#include "sim/array.h"

// ---- a network of two inputs and two outputs ----
// in0: float32 [2, 3], quantized with scale 0.5, zero point 3; on the wire 1 x 2 pixels of 3 channels, 2 lanes, with
// the elements in reverse. in1: int8 [2] as it is. out0: uint8 [2]. out1: float32 [4] = 0.25 * (q - 1).

static const float half[1] = { 0.5f }, quarter[1] = { 0.25f };
static const int32_t three[1] = { 3 }, one[1] = { 1 };
static const uint32_t reverse[6] = { 5, 4, 3, 2, 1, 0 };
static const struct aihls_op in0_ops[1] = {
    { .run = aihls_op_quantize, .in_type = AIHLS_FLOAT32, .out_type = AIHLS_INT8, .count = 6, .outer = 1, .size = 1, .inner = 6, .scale = half, .zero_point = three },
};
static const struct aihls_op out1_ops[1] = {
    { .run = aihls_op_dequantize, .in_type = AIHLS_INT8, .out_type = AIHLS_FLOAT32, .count = 4, .outer = 1, .size = 1, .inner = 4, .scale = quarter, .zero_point = one },
};
static const struct aihls_border borders[4] = {
    { .ops = in0_ops, .n_ops = 1, .count = 6, .order = reverse },
    { .count = 2 },
    { .count = 2, .flip = 0x80 },
    { .ops = out1_ops, .n_ops = 1, .count = 4 },
};
static const struct aihls_port inputs[2] = {
    { .tensor = { "a", AIHLS_FLOAT32, 2, { 2, 3 }, 6 }, .height = 1, .width = 2, .channels = 3, .lanes = 2, .bytes = 8, .border = &borders[0] },
    { .tensor = { "b", AIHLS_INT8, 1, { 2 }, 2 }, .height = 1, .width = 1, .channels = 2, .lanes = 1, .bytes = 2, .border = &borders[1] },
};
static const struct aihls_port outputs[2] = {
    { .tensor = { "c", AIHLS_UINT8, 1, { 2 }, 2 }, .height = 1, .width = 1, .channels = 2, .lanes = 2, .bytes = 2, .border = &borders[2] },
    { .tensor = { "d", AIHLS_FLOAT32, 1, { 4 }, 4 }, .height = 1, .width = 2, .channels = 2, .lanes = 3, .bytes = 6, .border = &borders[3] },
};
static const struct aihls_network network = {
    .interface = AIHLS_INTERFACE, .name = "two", .model_sha256 = "", .n_inputs = 2, .n_outputs = 2, .inputs = inputs, .outputs = outputs,
    .n_classes = 4, .clock_hz = 1, .frame_cycles = 10, .latency_cycles = 20, .scratch_bytes = 24,
};

// ---- a back end that does as it is told ----

static struct script {
    enum aihls_status open, submit;
    int timeouts; // waits that end with E_TIMEOUT before frames are done
    bool lose;    // frames
    bool at_once; // done when submitted
    int closed;
    int8_t buffers[4][2][8]; // its own memory for inputs: slots, inputs
} script;

static void finish(struct aihls_device *d, struct aihls_slot *s)
{
    s->state = script.lose ? AIHLS_SLOT_LOST : AIHLS_SLOT_DONE;
    s->frame = (struct aihls_frame){ 20, 10 };
    d->cycles += 10;
    for (int i = 0; i < 2; i++)
        s->out[0][i] = s->in[1][i]; // c is b
    for (int i = 0; i < 6; i++)
        s->out[1][i] = (int8_t)(i % 3 == 2 ? 0 : s->in[0][i / 3 * 4 + i % 3]); // d: channels 0 and 1 of a
}

static size_t fake_state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    (void)b;
    return (size_t)net->n_inputs;
}

static enum aihls_status fake_open(struct aihls_device *d)
{
    assert_int_equal((uintptr_t)d->state % AIHLS_ALIGNMENT, 0);
    assert_non_null(d->options);
    for (int32_t i = 0; i < d->n_slots && d->n_slots <= 4; i++)
        for (int k = 0; k < 2; k++)
            d->slots[i].in[k] = script.buffers[i][k];
    return script.open;
}

static enum aihls_status fake_submit(struct aihls_device *d, struct aihls_slot *s)
{
    if (script.at_once)
        finish(d, s);
    return script.submit;
}

static enum aihls_status fake_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us)
{
    assert_int_equal(s->state, AIHLS_SLOT_BUSY);
    if (timeout_us >= 0 && script.timeouts-- > 0)
        return AIHLS_E_TIMEOUT;
    finish(d, s);
    return AIHLS_OK;
}

static void fake_close(struct aihls_device *d)
{
    (void)d;
    script.closed++;
}

static int reloads;

static enum aihls_status fake_reload(struct aihls_device *d)
{
    reloads += d->code[0];
    return AIHLS_OK;
}

static const struct aihls_backend fake = { "fake", NULL, fake_state_bytes, fake_open, fake_submit, fake_wait, fake_close, NULL };

// ---- fixtures ----

static struct aihls *a;
static float x[6], d_out[4];
static int8_t b_in[2];
static uint8_t c_out[2];
static struct aihls_input in[2];
static struct aihls_output out[2];
static uint64_t ticket;

static int setup(void **state)
{
    (void)state;
    script = (struct script){ 0 };
    ticket = 0;
    for (int i = 0; i < 6; i++)
        x[i] = (float)i;
    b_in[0] = -128;
    b_in[1] = 5;
    in[0] = (struct aihls_input){ x, AIHLS_FLOAT32, 6 };
    in[1] = (struct aihls_input){ b_in, AIHLS_INT8, 2 };
    out[0] = (struct aihls_output){ c_out, AIHLS_UINT8, 2 };
    out[1] = (struct aihls_output){ d_out, AIHLS_FLOAT32, 4 };
    struct aihls_options options = { .queue_frames = 2 };
    return aihls_open(&network, &fake, &options, &a);
}

static int teardown(void **state)
{
    (void)state;
    aihls_close(&a);
    return 0;
}

// ---- frames ----

static void check_result(void)
{
    assert_int_equal(c_out[0], 0); // flipped: -128 is 0
    assert_int_equal(c_out[1], 133);
    static const int q[6] = { 13, 11, 9, 7, 5, 3 }; // a in reverse: 5 / 0.5 + 3 = 13, ...
    static const int seen[4] = { 0, 1, 3, 4 };
    for (int i = 0; i < 4; i++)
        assert_true(d_out[i] == 0.25f * (float)(q[seen[i]] - 1));
}

static void a_frame_goes_through_both_borders(void **state)
{
    (void)state;
    struct aihls_frame frame;
    assert_int_equal(aihls_run(a, in, 2, out, 2, &frame), AIHLS_OK);
    check_result();
    static const int8_t wire[8] = { 13, 11, 9, 0, 7, 5, 3, 0 }; // the fourth lane of a pixel is unused
    assert_memory_equal(script.buffers[0][0], wire, 8);
    assert_true(frame.latency_cycles == 20 && frame.interval_cycles == 10);
}

static void frames_are_taken_in_any_order(void **state)
{
    (void)state;
    uint64_t t[3];
    assert_int_equal(aihls_submit(a, in, 2, &t[0]), AIHLS_OK);
    x[5] = 20;
    assert_int_equal(aihls_submit(a, in, 2, &t[1]), AIHLS_OK);
    assert_int_equal(aihls_submit(a, in, 2, &t[2]), AIHLS_E_FULL);
    assert_int_equal(aihls_wait(a, t[1], out, 2, -1, NULL), AIHLS_OK);
    assert_true(d_out[0] == 0.25f * 42);
    assert_int_equal(aihls_submit(a, in, 2, &t[2]), AIHLS_E_FULL); // the next slot is the first frame's
    assert_int_equal(aihls_wait(a, t[0], out, 2, -1, NULL), AIHLS_OK);
    check_result();
    assert_int_equal(aihls_submit(a, in, 2, &t[2]), AIHLS_OK);
    assert_int_equal(t[2], 3);
    assert_int_equal(aihls_wait(a, t[0], out, 2, -1, NULL), AIHLS_E_TICKET);
    assert_int_equal(aihls_wait(a, t[1], out, 2, -1, NULL), AIHLS_E_TICKET); // its slot is free again
    assert_int_equal(aihls_wait(a, 4, out, 2, -1, NULL), AIHLS_E_TICKET);
    assert_int_equal(aihls_wait(a, 0, out, 2, -1, NULL), AIHLS_E_TICKET);
    assert_int_equal(aihls_wait(a, t[2], NULL, 0, -1, NULL), AIHLS_OK); // dropped
    struct aihls_statistics s;
    assert_int_equal(aihls_read_statistics(a, &s), AIHLS_OK);
    assert_true(s.submitted == 3 && s.done == 3 && s.lost == 0 && s.cycles == 30 && s.bytes_in == 30 && s.bytes_out == 24);
}

static void a_timeout_leaves_the_frame_where_it_is(void **state)
{
    (void)state;
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    script.timeouts = 2;
    assert_int_equal(aihls_wait(a, ticket, out, 2, 100, NULL), AIHLS_E_TIMEOUT);
    assert_int_equal(aihls_wait(a, ticket, out, 2, 0, NULL), AIHLS_E_TIMEOUT);
    assert_int_equal(aihls_wait(a, ticket, out, 2, 100, NULL), AIHLS_OK);
    check_result();
}

static void a_mistake_in_wait_leaves_the_frame_where_it_is(void **state)
{
    (void)state;
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(aihls_wait(a, ticket, out, 1, -1, NULL), AIHLS_E_SHAPE);
    assert_int_equal(aihls_wait(a, ticket, out, 2, -1, NULL), AIHLS_OK);
    check_result();
}

static void poll_finds_the_oldest_frame_that_is_done(void **state)
{
    (void)state;
    uint64_t found = 99;
    assert_int_equal(aihls_poll(a, &found), AIHLS_E_EMPTY);
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    script.timeouts = 1;
    assert_int_equal(aihls_poll(a, &found), AIHLS_E_TIMEOUT);
    script.at_once = true;
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(aihls_poll(a, &found), AIHLS_OK); // without work on the first, which is busy
    assert_int_equal(found, 2);
    assert_int_equal(aihls_wait(a, 2, out, 2, 0, NULL), AIHLS_OK);
    assert_int_equal(aihls_poll(a, &found), AIHLS_OK);
    assert_int_equal(found, 1);
    assert_int_equal(aihls_wait(a, 1, out, 2, 0, NULL), AIHLS_OK);
    assert_int_equal(aihls_poll(a, &found), AIHLS_E_EMPTY);
}

static void a_lost_frame_is_reported_once(void **state)
{
    (void)state;
    script.lose = true;
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(aihls_wait(a, ticket, out, 2, -1, NULL), AIHLS_E_DEVICE);
    assert_int_equal(aihls_wait(a, ticket, out, 2, -1, NULL), AIHLS_E_TICKET);
    script.lose = false;
    assert_int_equal(aihls_run(a, in, 2, out, 2, NULL), AIHLS_OK);
    struct aihls_statistics s;
    assert_int_equal(aihls_read_statistics(a, &s), AIHLS_OK);
    assert_true(s.submitted == 2 && s.done == 1 && s.lost == 1);
}

static void a_refused_submission_takes_no_slot(void **state)
{
    (void)state;
    script.submit = AIHLS_E_DEVICE;
    for (int i = 0; i < 5; i++)
        assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_E_DEVICE);
    script.submit = AIHLS_OK;
    assert_int_equal(aihls_submit(a, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(ticket, 1);
}

static void bytes_of_the_wire_pass_unchanged(void **state)
{
    (void)state;
    int8_t wire[8], back[6];
    assert_int_equal(aihls_quantize(a, 0, &in[0], wire, 8), AIHLS_OK);
    in[0] = (struct aihls_input){ wire, AIHLS_STREAM, 8 };
    out[1] = (struct aihls_output){ back, AIHLS_STREAM, 6 };
    assert_int_equal(aihls_run(a, in, 2, out, 2, NULL), AIHLS_OK);
    static const int8_t want[6] = { 13, 11, 0, 7, 5, 0 };
    assert_memory_equal(back, want, 6);
    out[1] = (struct aihls_output){ d_out, AIHLS_FLOAT32, 4 };
    assert_int_equal(aihls_dequantize(a, 1, back, 6, &out[1]), AIHLS_OK);
    check_result();
}

// ---- opening and closing ----

static void memory_of_the_caller_is_enough(void **state)
{
    (void)state;
    static _Alignas(AIHLS_ALIGNMENT) char memory[4096];
    struct aihls *h;
    size_t need = aihls_memory_bytes(&network, &fake, NULL);
    assert_in_range(need, 200, sizeof memory);
    memset(memory, 0x55, sizeof memory);
    assert_int_equal(aihls_open_in(memory, need - 1, &network, &fake, NULL, &h), AIHLS_E_MEMORY);
    assert_null(h);
    assert_int_equal(aihls_open_in(memory + 1, sizeof memory - 1, &network, &fake, NULL, &h), AIHLS_E_MEMORY);
    assert_int_equal(aihls_open_in(NULL, need, &network, &fake, NULL, &h), AIHLS_E_NULL);
    assert_int_equal(aihls_open_in(memory, need, &network, &fake, NULL, &h), AIHLS_OK);
    struct aihls *copy = h;
    assert_ptr_equal(aihls_describe(h), &network);
    for (int i = 0; i < 10; i++)
        assert_int_equal(aihls_run(h, in, 2, out, 2, NULL), AIHLS_OK);
    check_result();
    assert_int_equal(memory[need], 0x55);
    assert_int_equal(aihls_close(&h), AIHLS_OK);
    assert_null(h);
    assert_int_equal(aihls_close(&h), AIHLS_E_CLOSED);
    // a copy of the handle shows that it is closed, as long as its memory lives
    assert_int_equal(aihls_submit(copy, in, 2, &ticket), AIHLS_E_CLOSED);
    assert_int_equal(aihls_wait(copy, 1, out, 2, -1, NULL), AIHLS_E_CLOSED);
    assert_int_equal(aihls_poll(copy, &ticket), AIHLS_E_CLOSED);
    assert_null(aihls_describe(copy));
    assert_int_equal(aihls_close(&copy), AIHLS_E_CLOSED);
    assert_int_equal(script.closed, 1);
}

static void two_handles_know_nothing_of_each_other(void **state)
{
    (void)state;
    struct aihls *b;
    assert_int_equal(aihls_open(&network, &fake, NULL, &b), AIHLS_OK);
    assert_int_equal(aihls_submit(b, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(aihls_wait(a, ticket, out, 2, -1, NULL), AIHLS_E_TICKET);
    assert_int_equal(aihls_close(&b), AIHLS_OK); // with a frame under way
    assert_int_equal(aihls_run(a, in, 2, out, 2, NULL), AIHLS_OK);
}

static void a_back_end_that_cannot_start_leaves_no_handle(void **state)
{
    (void)state;
    struct aihls *h = a;
    script.open = AIHLS_E_BACKEND;
    assert_int_equal(aihls_open(&network, &fake, NULL, &h), AIHLS_E_BACKEND);
    assert_null(h);
    assert_int_equal(script.closed, 0);
}

// ---- misuse ----

static enum aihls_status open_with(const struct aihls_network *net, const struct aihls_backend *backend, int32_t frames)
{
    struct aihls_options options = { .queue_frames = frames };
    struct aihls *h = a;
    enum aihls_status s = aihls_open(net, backend, &options, &h);
    assert_null(h);
    return s;
}

static enum aihls_status open_without_network(void) { return open_with(NULL, &fake, 0); }
static enum aihls_status open_without_backend(void) { return open_with(&network, NULL, 0); }
static enum aihls_status open_without_result(void) { return aihls_open(&network, &fake, NULL, NULL); }
static enum aihls_status open_negative_queue(void) { return open_with(&network, &fake, -1); }
static enum aihls_status open_endless_queue(void) { return open_with(&network, &fake, 65537); }
static enum aihls_status open_other_interface(void)
{
    struct aihls_network other = network;
    other.interface++;
    return open_with(&other, &fake, 0);
}
static enum aihls_status close_null(void) { return aihls_close(NULL); }
static enum aihls_status submit_to_null(void) { return aihls_submit(NULL, in, 2, &ticket); }
static enum aihls_status submit_nothing(void) { return aihls_submit(a, NULL, 2, &ticket); }
static enum aihls_status submit_without_ticket(void) { return aihls_submit(a, in, 2, NULL); }
static enum aihls_status submit_too_few(void) { return aihls_submit(a, in, 1, &ticket); }
static enum aihls_status submit_without_data(void) { in[1].data = NULL; return aihls_submit(a, in, 2, &ticket); }
static enum aihls_status submit_other_type(void) { in[0].type = AIHLS_FLOAT64; return aihls_submit(a, in, 2, &ticket); }
static enum aihls_status submit_other_count(void) { in[0].count = 5; return aihls_submit(a, in, 2, &ticket); }
static enum aihls_status submit_short_wire(void) { in[0] = (struct aihls_input){ x, AIHLS_STREAM, 6 }; return aihls_submit(a, in, 2, &ticket); }
static enum aihls_status wait_without_frames(void) { return aihls_wait(a, 1, out, 2, -1, NULL); }
static enum aihls_status wait_null_outputs(void) { return aihls_wait(a, 1, NULL, 2, -1, NULL); }
static enum aihls_status wait_null_data(void) { out[0].data = NULL; return aihls_wait(a, 1, out, 2, -1, NULL); }
static enum aihls_status wait_other_type(void) { out[0].type = AIHLS_INT8; return aihls_wait(a, 1, out, 2, -1, NULL); }
static enum aihls_status wait_other_count(void) { out[1].count = 3; return aihls_wait(a, 1, out, 2, -1, NULL); }
static enum aihls_status run_other_outputs(void) { return aihls_run(a, in, 2, out, 1, NULL); }
static enum aihls_status poll_null(void) { return aihls_poll(a, NULL); }
static enum aihls_status poll_empty(void) { return aihls_poll(a, &ticket); }
static enum aihls_status quantize_port_2(void) { return aihls_quantize(a, 2, &in[0], x, 8); }
static enum aihls_status quantize_short(void) { return aihls_quantize(a, 0, &in[0], d_out, 7); }
static enum aihls_status quantize_null(void) { return aihls_quantize(a, 0, NULL, d_out, 8); }
static enum aihls_status dequantize_port_below(void) { return aihls_dequantize(a, -1, x, 2, &out[0]); }
static enum aihls_status dequantize_long(void) { return aihls_dequantize(a, 0, x, 3, &out[0]); }
static enum aihls_status dequantize_null(void) { return aihls_dequantize(a, 0, NULL, 2, &out[0]); }
static enum aihls_status statistics_null(void) { return aihls_read_statistics(a, NULL); }

static struct misuse {
    const char *name;
    enum aihls_status (*commit)(void);
    enum aihls_status want;
} misuses[] = {
    { "opening without a network", open_without_network, AIHLS_E_NULL },
    { "opening with a back end that is not there", open_without_backend, AIHLS_E_BACKEND },
    { "opening without a place for the handle", open_without_result, AIHLS_E_NULL },
    { "opening with a queue of less than nothing", open_negative_queue, AIHLS_E_ARGUMENT },
    { "opening with too long a queue", open_endless_queue, AIHLS_E_ARGUMENT },
    { "opening a network of another version", open_other_interface, AIHLS_E_INTERFACE },
    { "closing nothing", close_null, AIHLS_E_NULL },
    { "submitting to no handle", submit_to_null, AIHLS_E_NULL },
    { "submitting nothing", submit_nothing, AIHLS_E_NULL },
    { "submitting without a ticket", submit_without_ticket, AIHLS_E_NULL },
    { "submitting one tensor of two", submit_too_few, AIHLS_E_SHAPE },
    { "submitting a tensor without data", submit_without_data, AIHLS_E_NULL },
    { "submitting another type", submit_other_type, AIHLS_E_TYPE },
    { "submitting another count", submit_other_count, AIHLS_E_SHAPE },
    { "submitting too few bytes of the wire", submit_short_wire, AIHLS_E_SHAPE },
    { "waiting for a frame that is not there", wait_without_frames, AIHLS_E_TICKET },
    { "waiting without outputs", wait_null_outputs, AIHLS_E_NULL },
    { "waiting without memory for an output", wait_null_data, AIHLS_E_NULL },
    { "waiting for another type", wait_other_type, AIHLS_E_TYPE },
    { "waiting for another count", wait_other_count, AIHLS_E_SHAPE },
    { "running with one output of two", run_other_outputs, AIHLS_E_SHAPE },
    { "polling without a ticket", poll_null, AIHLS_E_NULL },
    { "polling an empty queue", poll_empty, AIHLS_E_EMPTY },
    { "quantizing for a port that is not there", quantize_port_2, AIHLS_E_ARGUMENT },
    { "quantizing into too little memory", quantize_short, AIHLS_E_SHAPE },
    { "quantizing nothing", quantize_null, AIHLS_E_NULL },
    { "dequantizing for a port that is not there", dequantize_port_below, AIHLS_E_ARGUMENT },
    { "dequantizing too many bytes", dequantize_long, AIHLS_E_SHAPE },
    { "dequantizing nothing", dequantize_null, AIHLS_E_NULL },
    { "asking for statistics without a place for them", statistics_null, AIHLS_E_NULL },
};

static void check_misuse(void **state)
{
    const struct misuse *m = *state;
    assert_int_equal(m->commit(), m->want);
}

// "AIHLSWTS", a hash whose bytes are all 0xab, the number of bytes behind, the bytes.
static void weights_are_replaced_between_frames(void **state)
{
    (void)state;
    uint8_t file[AIHLS_WEIGHTS_HEADER_BYTES + 3] = "AIHLSWTS", other[sizeof file];
    char hash[65] = "";
    for (int i = 0; i < 32; i++) {
        file[8 + i] = 0xab;
        memcpy(hash + 2 * i, "ab", 3);
    }
    file[40] = 3;
    file[44] = 7;
    struct aihls_network net = network;
    struct aihls_backend backend = fake;
    struct aihls *b;
    net.model_sha256 = hash;
    net.code = (const uint8_t *)"old";
    net.code_bytes = 3;
    reloads = 0;
    assert_int_equal(aihls_open(&net, &backend, NULL, &b), AIHLS_OK);
    assert_int_equal(aihls_reload(b, file, sizeof file), AIHLS_E_BACKEND);
    backend.reload = fake_reload;
    assert_int_equal(aihls_reload(NULL, file, sizeof file), AIHLS_E_NULL);
    assert_int_equal(aihls_reload(b, NULL, 0), AIHLS_E_NULL);
    for (size_t n = 0; n < sizeof file; n++)
        assert_int_equal(aihls_reload(b, file, n), AIHLS_E_ARGUMENT);
    // a byte of the magic or the count; of the hash
    for (size_t i = 0; i < AIHLS_WEIGHTS_HEADER_BYTES; i++) {
        memcpy(other, file, sizeof file);
        other[i] ^= 1;
        assert_int_equal(aihls_reload(b, other, sizeof other), i < 8 || i >= 40 ? AIHLS_E_ARGUMENT : AIHLS_E_BITSTREAM);
    }
    assert_int_equal(aihls_submit(b, in, 2, &ticket), AIHLS_OK);
    assert_int_equal(aihls_reload(b, file, sizeof file), AIHLS_E_BUSY);
    assert_int_equal(aihls_wait(b, ticket, out, 2, -1, NULL), AIHLS_OK);
    assert_int_equal(reloads, 0);
    assert_int_equal(aihls_reload(b, file, sizeof file), AIHLS_OK);
    assert_int_equal(reloads, 7);
    net.code_bytes = 2;
    assert_int_equal(aihls_reload(b, file, sizeof file), AIHLS_E_BITSTREAM);
    net.code = NULL;
    assert_int_equal(aihls_reload(b, file, sizeof file), AIHLS_E_BITSTREAM);
    assert_int_equal(aihls_close(&b), AIHLS_OK);
}

static void every_status_has_its_own_text(void **state)
{
    (void)state;
    for (int i = 0; i <= AIHLS_STATUS_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(aihls_status_text((enum aihls_status)i), aihls_status_text((enum aihls_status)k));
    assert_string_equal(aihls_status_text((enum aihls_status)-1), aihls_status_text((enum aihls_status)1000));
}

// ---- borders against the compiler's own arithmetic ----

static const enum dtype dtypes[] = { DT_FLOAT, DT_UINT8, DT_INT8, DT_UINT16, DT_INT16, DT_INT32, DT_INT64, DT_BOOL, DT_DOUBLE, DT_UINT32, DT_UINT64, DT_FLOAT16, DT_BFLOAT16 };

// Edges of the types, ties, and what is beyond.
static const double edges[] = { 0, 0.5, -0.5, 1, 1.5, -1.5, 2.5, -2.5, 126.5, 127, 127.5, 128, -128, -128.5, -129, 254.5, 255, 255.5, 256, 32767.5, -32768.5, 65535.5,
                                2147483647, 2147483647.5, -2147483648.5, 4294967295.5, 0x1p52, 0x1p53, -0x1p53, 0x1p62, 0x1p63, -0x1p63, 0x1p64, 1e30, -1e30, 1e-30,
                                INFINITY, -INFINITY, NAN, 65504, 65519.99, 65520, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-24, 0x1.000001p-25, 0x1p-133, 0x1p-134, 0x1.8p-133, 3.3895e38, 3.4e38, 1.0009765625, 1.00048828125, 1.00146484375, -0.0, 0.49999999999999994, -0.49999999999999994, 4503599627370495.5 };
#define N_EDGES (int)(sizeof edges / sizeof *edges)

static void casts_equal_the_compilers(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    for (size_t f = 0; f < sizeof dtypes / sizeof *dtypes; f++)
        for (size_t t = 0; t < sizeof dtypes / sizeof *dtypes; t++) {
            struct array from = array_new(&arena, dtypes[f], 1, (int64_t[]){ N_EDGES }), want = array_new(&arena, dtypes[t], 1, from.dims);
            struct array got = array_new(&arena, dtypes[t], 1, from.dims);
            for (int i = 0; i < N_EDGES; i++) {
                array_set_f64(&from, i, edges[i]);
                double v = array_f64(&from, i);
                bool real = dtypes[t] == DT_FLOAT || dtypes[t] == DT_DOUBLE || dtypes[t] == DT_BOOL || dtypes[t] == DT_FLOAT16 || dtypes[t] == DT_BFLOAT16;
                array_set_f64(&want, i, real ? v : trunc(v));
            }
            struct aihls_op op = { .in_type = (enum aihls_type)dtypes[f], .out_type = (enum aihls_type)dtypes[t], .count = N_EDGES };
            aihls_op_cast(&op, from.data, got.data);
            assert_int_equal(aihls_type_bytes(op.out_type), dtype_bytes(dtypes[t]));
            for (int i = 0; i < N_EDGES; i++)
                if (memcmp((char *)got.data + (size_t)i * dtype_bytes(dtypes[t]), (char *)want.data + (size_t)i * dtype_bytes(dtypes[t]), dtype_bytes(dtypes[t])) != 0)
                    fail_msg("%g as %s to %s", edges[i], dtype_name(dtypes[f]), dtype_name(dtypes[t]));
        }
    arena_release(&arena);
}

static void quantization_rounds_as_the_compiler_does(void **state)
{
    (void)state;
    static const float scales[] = { 1, 0.5f, 0.1f, 0.0627451f, 3.0f, 1e-30f };
    for (int s = 0; s < 6; s++)
        for (int u = 0; u < 2; u++)
            for (int n = -4000; n <= 4000; n++) {
                int32_t zero = n % 100;
                float v = (float)n / 16 * (s == 5 ? 1e-30f : 1);
                struct aihls_op op = { .in_type = AIHLS_FLOAT32, .out_type = u ? AIHLS_UINT8 : AIHLS_INT8, .count = 1, .size = 1, .inner = 1, .scale = &scales[s], .zero_point = &zero };
                double q = rint((double)v / (double)scales[s]) + zero, lo = u ? 0 : -128, hi = u ? 255 : 127;
                uint8_t got;
                aihls_op_quantize(&op, &v, &got);
                assert_int_equal(u ? got : (int8_t)got, (int)(q < lo ? lo : q > hi ? hi : q));
            }
}

static void scales_follow_their_axis(void **state)
{
    (void)state;
    static const float scale[3] = { 1, 2, 4 };
    static const int32_t zero[3] = { 0, 10, 20 };
    struct aihls_op op = { .in_type = AIHLS_UINT8, .out_type = AIHLS_FLOAT32, .count = 12, .outer = 2, .size = 3, .inner = 2, .scale = scale, .zero_point = zero };
    static const uint8_t q[12] = { 1, 2, 11, 12, 21, 22, 3, 4, 13, 14, 23, 24 };
    static const float want[12] = { 1, 2, 2, 4, 4, 8, 3, 4, 6, 8, 12, 16 };
    float got[12];
    aihls_op_dequantize(&op, q, got);
    assert_memory_equal(got, want, sizeof want);
    uint8_t back[12];
    op.in_type = AIHLS_FLOAT32;
    op.out_type = AIHLS_UINT8;
    aihls_op_quantize(&op, got, back);
    assert_memory_equal(back, q, sizeof q);
}

// ---- a network whose frames take two runs: input m is a; d of run 1, two elements of it as int8, is b; c of run 2 is the output ----

static const struct aihls_host_value values[] = {
    { .type = AIHLS_FLOAT32, .rank = 1, .dims = { 6 }, .count = 6, .offset = 0 },
    { .type = AIHLS_FLOAT32, .rank = 1, .dims = { 4 }, .count = 4, .offset = 24 },
    { .type = AIHLS_FLOAT32, .rank = 1, .dims = { 2 }, .count = 2, .offset = 40 },
    { .type = AIHLS_INT8, .rank = 1, .dims = { 2 }, .count = 2, .offset = 48 },
    { .type = AIHLS_UINT8, .rank = 1, .dims = { 2 }, .count = 2, .offset = 56 },
};
static const int32_t numbers[] = { 0, 1, 2, 3, 4 }, odd[] = { 1, 2 }; // elements 1 and 3
static const struct aihls_host_op host_ops[] = {
    { .run = aihls_host_strided, .pass = 1, .n_in = 1, .n_out = 1, .in = numbers + 1, .out = numbers + 2, .p = odd },
    { .run = aihls_host_cast, .pass = 1, .n_in = 1, .n_out = 1, .in = numbers + 2, .out = numbers + 3 },
};
static const struct aihls_host_port host_in[] = { { 0, 0 }, { 3, 1 } }, host_out[] = { { 4, 2 }, { 1, 1 } };
static const struct aihls_tensor host_m = { "m", AIHLS_FLOAT32, 1, { 6 }, 6 }, host_y = { "y", AIHLS_UINT8, 1, { 2 }, 2 };
static const struct aihls_host host = {
    .values = values, .ops = host_ops, .n_ops = 2, .n_passes = 2, .core_inputs = host_in, .core_outputs = host_out, .n_inputs = 1, .n_outputs = 1,
    .inputs = &host_m, .outputs = &host_y, .input_values = numbers, .output_values = numbers + 4, .bytes = 64,
};

static int reports;

static void count_report(void *user, uint64_t which)
{
    *(uint64_t *)user = which;
    reports++;
}

static struct aihls *open_host(int32_t queue_frames)
{
    static struct aihls_network two_runs;
    struct aihls_options options = { .queue_frames = queue_frames, .on_done = count_report, .user = &ticket };
    struct aihls *h;
    two_runs = network;
    two_runs.host = &host;
    reports = 0;
    assert_int_equal(aihls_open(&two_runs, &fake, &options, &h), AIHLS_OK);
    return h;
}

// Element i of the output: d[2 * i + 1] = 0.25 * (q - 1), q = x / 0.5 + 3 of channel 1 of pixel i of x in reverse.
static int expected_byte(int i)
{
    double q = fmin(rint((double)x[i ? 1 : 4] / 0.5) + 3, 127);
    return (uint8_t)((int)(0.25 * (q - 1)) ^ 0x80);
}

static void fill_x(int base)
{
    for (int i = 0; i < 6; i++)
        x[i] = (float)(base + 3 * i);
}

static void a_frame_of_two_runs(void **state)
{
    (void)state;
    uint64_t mine, last;
    for (int queue = 1; queue <= 3; queue++) {
        struct aihls *h = open_host(queue);
        for (int f = 0; f < 5; f++) {
            fill_x(7 * f);
            assert_int_equal(aihls_input_count(aihls_describe(h)), 1);
            assert_string_equal(aihls_output_tensor(aihls_describe(h), 0)->name, "y");
            assert_int_equal(aihls_submit(h, in, 1, &mine), AIHLS_OK);
            assert_int_equal(mine, 2 * f + 2);
            assert_int_equal(aihls_poll(h, &last), AIHLS_OK);
            assert_int_equal(last, mine);
            memset(c_out, 0, sizeof c_out);
            assert_int_equal(aihls_wait(h, mine, out, 1, -1, NULL), AIHLS_OK);
            assert_int_equal(c_out[0], expected_byte(0));
            assert_int_equal(c_out[1], expected_byte(1));
            assert_int_equal(reports, f + 1); // of frames, not of runs
            assert_int_equal(ticket, mine);
        }
        assert_int_equal(aihls_poll(h, &last), AIHLS_E_EMPTY);
        aihls_close(&h);
    }
}

static void frames_of_two_runs_need_two_places(void **state)
{
    (void)state;
    uint64_t first, second;
    struct aihls *h = open_host(2);
    assert_int_equal(aihls_submit(h, in, 1, &first), AIHLS_OK);
    assert_int_equal(aihls_submit(h, in, 1, &second), AIHLS_E_FULL);
    assert_int_equal(aihls_wait(h, first, out, 1, -1, NULL), AIHLS_OK);
    assert_int_equal(aihls_submit(h, in, 1, &second), AIHLS_OK);
    assert_int_equal(aihls_wait(h, second, NULL, 0, -1, NULL), AIHLS_OK);
    aihls_close(&h);
}

static void frames_of_two_runs_have_memory_of_their_own(void **state)
{
    (void)state;
    uint64_t first, second;
    struct aihls *h = open_host(4);
    fill_x(20);
    assert_int_equal(aihls_submit(h, in, 1, &first), AIHLS_OK);
    int byte = expected_byte(0);
    fill_x(0);
    assert_int_equal(aihls_submit(h, in, 1, &second), AIHLS_OK);
    assert_int_equal(aihls_wait(h, second, out, 1, -1, NULL), AIHLS_OK);
    assert_int_equal(c_out[0], expected_byte(0));
    assert_int_equal(aihls_wait(h, first, out, 1, -1, NULL), AIHLS_OK);
    assert_int_equal(c_out[0], byte);
    assert_int_not_equal(byte, expected_byte(0));
    aihls_close(&h);
}

static void a_run_in_the_middle_is_lost(void **state)
{
    (void)state;
    uint64_t mine;
    struct aihls *h = open_host(2);
    script.lose = true;
    assert_int_equal(aihls_submit(h, in, 1, &mine), AIHLS_E_DEVICE);
    script.lose = false;
    assert_int_equal(aihls_poll(h, &mine), AIHLS_E_EMPTY);
    assert_int_equal(aihls_submit(h, in, 1, &mine), AIHLS_OK);
    assert_int_equal(aihls_wait(h, mine, out, 1, -1, NULL), AIHLS_OK);
    assert_int_equal(c_out[1], expected_byte(1));
    aihls_close(&h);
}

static void what_a_host_part_refuses(void **state)
{
    (void)state;
    struct aihls *h = open_host(2);
    struct aihls_input wire = { x, AIHLS_STREAM, 8 };
    struct aihls_output wide = { c_out, AIHLS_UINT8, 4 };
    void *buffer;
    uint64_t mine;
    assert_int_equal(aihls_submit(h, &wire, 1, &mine), AIHLS_E_TYPE);
    assert_int_equal(aihls_submit(h, in, 2, &mine), AIHLS_E_SHAPE);
    assert_int_equal(aihls_input_buffer(h, 0, &buffer), AIHLS_E_ARGUMENT);
    assert_int_equal(aihls_run(h, in, 1, &wide, 1, NULL), AIHLS_E_SHAPE);
    script.submit = AIHLS_E_DEVICE;
    assert_int_equal(aihls_submit(h, in, 1, &mine), AIHLS_E_DEVICE);
    script.submit = AIHLS_OK;
    assert_int_equal(aihls_run(h, in, 1, out, 1, NULL), AIHLS_OK);
    assert_int_equal(c_out[0], expected_byte(0));
    aihls_close(&h);
}

int main(void)
{
#define FRAME(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    struct CMUnitTest tests[80] = {
        FRAME(a_frame_of_two_runs), FRAME(frames_of_two_runs_need_two_places), FRAME(frames_of_two_runs_have_memory_of_their_own),
        FRAME(a_run_in_the_middle_is_lost), FRAME(what_a_host_part_refuses),
        FRAME(a_frame_goes_through_both_borders), FRAME(frames_are_taken_in_any_order), FRAME(a_timeout_leaves_the_frame_where_it_is),
        FRAME(a_mistake_in_wait_leaves_the_frame_where_it_is), FRAME(poll_finds_the_oldest_frame_that_is_done), FRAME(a_lost_frame_is_reported_once),
        FRAME(a_refused_submission_takes_no_slot), FRAME(bytes_of_the_wire_pass_unchanged), FRAME(memory_of_the_caller_is_enough),
        FRAME(two_handles_know_nothing_of_each_other), FRAME(a_back_end_that_cannot_start_leaves_no_handle),
        cmocka_unit_test(every_status_has_its_own_text), FRAME(weights_are_replaced_between_frames), cmocka_unit_test(casts_equal_the_compilers), cmocka_unit_test(quantization_rounds_as_the_compiler_does),
        cmocka_unit_test(scales_follow_their_axis),
    };
    size_t n = 20;
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++)
        tests[n++] = (struct CMUnitTest){ misuses[i].name, check_misuse, setup, teardown, &misuses[i] };
    return _cmocka_run_group_tests("libaihls", tests, n, NULL, NULL);
}

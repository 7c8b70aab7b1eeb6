// SPDX-License-Identifier: Apache-2.0
// The part that every user needs: no malloc, no clock, of the C library memcpy, memset and memcmp alone.
#include "aihls.h"

#include <string.h>

#include "aihls_backend.h"
#include "aihls_border.h"
#include "aihls_handle.h"
#include "aihls_host.h"

#define MAGIC 0x61696c73u
#define DEFAULT_FRAMES 4
#define MAX_FRAMES 65536

// exempt from the length limit: one line for each status
const char *aihls_status_text(enum aihls_status s)
{
    switch (s) {
    case AIHLS_OK: return "done";
    case AIHLS_E_NULL: return "an argument is NULL that must not be";
    case AIHLS_E_ARGUMENT: return "an option or port number is out of range";
    case AIHLS_E_SHAPE: return "the number of tensors, elements or bytes is not the network's";
    case AIHLS_E_TYPE: return "the element type is not the network's";
    case AIHLS_E_FULL: return "every slot of the queue holds a frame";
    case AIHLS_E_EMPTY: return "no frame is in the queue";
    case AIHLS_E_TICKET: return "there is no such frame, or its result was taken";
    case AIHLS_E_TIMEOUT: return "the frame is not done yet";
    case AIHLS_E_CLOSED: return "the handle is closed";
    case AIHLS_E_BACKEND: return "the back end is not in this build or cannot start";
    case AIHLS_E_MEMORY: return "memory is short or not aligned";
    case AIHLS_E_INTERFACE: return "the network's description is for another version of the library";
    case AIHLS_E_DEVICE: return "the device stopped answering or reported an error, the frame is lost";
    case AIHLS_E_BITSTREAM: return "the device holds another network or another version of the accelerator";
    case AIHLS_E_BUSY: return "another program uses the device";
    case AIHLS_STATUS_COUNT: break;
    }
    return "unknown status";
}

// ---- memory: the handle, and behind it everything else, each part aligned ----

struct carver {
    char *base; // NULL: only count
    size_t used;
};

static void *carve(struct carver *c, size_t n_bytes)
{
    void *p = c->base ? c->base + c->used : NULL;
    c->used += (n_bytes + AIHLS_ALIGNMENT - 1) / AIHLS_ALIGNMENT * AIHLS_ALIGNMENT;
    return p;
}

static int8_t **carve_buffers(struct carver *c, const struct aihls_port *ports, int32_t n)
{
    int8_t **list = carve(c, (size_t)n * sizeof *list);
    for (int32_t i = 0; i < n; i++) {
        int8_t *buffer = carve(c, (size_t)ports[i].bytes);
        if (list)
            list[i] = buffer;
    }
    return list;
}

// Lays the handle out; with c->base NULL it only counts and gives NULL.
static struct aihls *lay_out(struct carver *c, const struct aihls_network *net, const struct aihls_backend *b, int32_t n_slots)
{
    struct aihls *a = carve(c, sizeof *a);
    struct aihls_slot *slots = carve(c, (size_t)n_slots * sizeof *slots);
    void *first = carve(c, (size_t)net->scratch_bytes), *second = carve(c, (size_t)net->scratch_bytes);
    void *state = carve(c, b->state_bytes(b, net));
    for (int32_t i = 0; i < n_slots; i++) {
        int8_t **in = carve_buffers(c, net->inputs, net->n_inputs), **out = carve_buffers(c, net->outputs, net->n_outputs);
        if (slots) {
            slots[i].in = in;
            slots[i].out = out;
        }
        void *memory = net->host ? carve(c, (size_t)net->host->bytes) : NULL;
        if (slots)
            slots[i].memory = memory;
    }
    if (a) {
        a->scratch[0] = first;
        a->scratch[1] = second;
        a->device = (struct aihls_device){ .net = net, .backend = b, .state = state, .slots = slots, .n_slots = n_slots };
    }
    return a;
}

static int32_t queue_frames(const struct aihls_options *o)
{
    return o && o->queue_frames ? o->queue_frames : DEFAULT_FRAMES;
}

static enum aihls_status check_open(const struct aihls_network *net, const struct aihls_backend *b, const struct aihls_options *o)
{
    if (!net)
        return AIHLS_E_NULL;
    if (!b)
        return AIHLS_E_BACKEND;
    if (net->interface != AIHLS_INTERFACE)
        return AIHLS_E_INTERFACE;
    return queue_frames(o) < 1 || queue_frames(o) > MAX_FRAMES ? AIHLS_E_ARGUMENT : AIHLS_OK;
}

size_t aihls_memory_bytes(const struct aihls_network *net, const struct aihls_backend *backend, const struct aihls_options *options)
{
    struct carver c = { NULL, 0 };
    if (check_open(net, backend, options) == AIHLS_OK)
        lay_out(&c, net, backend, queue_frames(options));
    return c.used;
}

enum aihls_status aihls_open_in(void *memory, size_t n_bytes, const struct aihls_network *net, const struct aihls_backend *backend,
                                const struct aihls_options *options, struct aihls **out)
{
    static const struct aihls_options defaults = { 0 };
    if (!out)
        return AIHLS_E_NULL;
    *out = NULL;
    enum aihls_status s = check_open(net, backend, options);
    if (s)
        return s;
    if (!memory)
        return AIHLS_E_NULL;
    size_t need = aihls_memory_bytes(net, backend, options);
    if (n_bytes < need || (uintptr_t)memory % AIHLS_ALIGNMENT)
        return AIHLS_E_MEMORY;
    memset(memory, 0, need);
    struct carver c = { memory, 0 };
    struct aihls *a = lay_out(&c, net, backend, queue_frames(options));
    a->next_ticket = a->oldest = a->reported = 1;
    a->device.options = options ? options : &defaults;
    a->device.code = net->code;
    a->on_done = a->device.options->on_done;
    a->user = a->device.options->user;
    s = backend->open(&a->device);
    a->device.options = NULL;
    if (s)
        return s;
    a->magic = MAGIC;
    *out = a;
    return AIHLS_OK;
}

enum aihls_status aihls_close(struct aihls **a)
{
    if (!a)
        return AIHLS_E_NULL;
    struct aihls *h = *a;
    *a = NULL;
    if (!h || h->magic != MAGIC)
        return AIHLS_E_CLOSED;
    h->device.backend->close(&h->device);
    h->magic = 0;
    if (h->release)
        h->release(h);
    return AIHLS_OK;
}

static enum aihls_status check(const struct aihls *a)
{
    return !a ? AIHLS_E_NULL : a->magic != MAGIC ? AIHLS_E_CLOSED : AIHLS_OK;
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static enum aihls_status check_weights(const struct aihls_network *net, const uint8_t *file, size_t n_bytes)
{
    if (n_bytes < AIHLS_WEIGHTS_HEADER_BYTES || memcmp(file, "AIHLSWTS", 8) != 0)
        return AIHLS_E_ARGUMENT;
    const uint8_t *hash = file + 8, *count = hash + 32;
    if (n_bytes - AIHLS_WEIGHTS_HEADER_BYTES != ((uint32_t)count[0] | (uint32_t)count[1] << 8 | (uint32_t)count[2] << 16 | (uint32_t)count[3] << 24))
        return AIHLS_E_ARGUMENT;
    for (int i = 0; i < 32; i++)
        if (!net->code || !net->model_sha256[2 * i] || hash[i] != digit(net->model_sha256[2 * i]) * 16 + digit(net->model_sha256[2 * i + 1]))
            return AIHLS_E_BITSTREAM;
    return n_bytes - AIHLS_WEIGHTS_HEADER_BYTES == (size_t)net->code_bytes ? AIHLS_OK : AIHLS_E_BITSTREAM;
}

enum aihls_status aihls_reload(struct aihls *a, const void *file, size_t n_bytes)
{
    enum aihls_status s = check(a);
    if (s || !file)
        return s ? s : AIHLS_E_NULL;
    struct aihls_device *d = &a->device;
    if (!d->backend->reload)
        return AIHLS_E_BACKEND;
    s = check_weights(d->net, file, n_bytes);
    for (int32_t i = 0; !s && i < d->n_slots; i++)
        if (d->slots[i].state == AIHLS_SLOT_BUSY)
            s = AIHLS_E_BUSY;
    if (s)
        return s;
    d->code = (const uint8_t *)file + AIHLS_WEIGHTS_HEADER_BYTES;
    return d->backend->reload(d);
}

const struct aihls_network *aihls_describe(const struct aihls *a)
{
    return check(a) ? NULL : a->device.net;
}

// ---- the model's tensors ----

int32_t aihls_input_count(const struct aihls_network *net)
{
    return net->host ? net->host->n_inputs : net->n_inputs;
}

int32_t aihls_output_count(const struct aihls_network *net)
{
    return net->host ? net->host->n_outputs : net->n_outputs;
}

const struct aihls_tensor *aihls_input_tensor(const struct aihls_network *net, int32_t i)
{
    return net->host ? &net->host->inputs[i] : &net->inputs[i].tensor;
}

const struct aihls_tensor *aihls_output_tensor(const struct aihls_network *net, int32_t i)
{
    return net->host ? &net->host->outputs[i] : &net->outputs[i].tensor;
}

// ---- conversion ----

// Of a model's tensor that has no port.
static enum aihls_status check_host_tensor(const struct aihls_tensor *t, const void *data, enum aihls_type type, int32_t count)
{
    return !data ? AIHLS_E_NULL : type != t->type ? AIHLS_E_TYPE : count != t->count ? AIHLS_E_SHAPE : AIHLS_OK;
}

static enum aihls_status check_tensor(const struct aihls_port *port, const void *data, enum aihls_type type, int32_t count)
{
    if (!data)
        return AIHLS_E_NULL;
    if (type != AIHLS_STREAM && type != port->tensor.type)
        return AIHLS_E_TYPE;
    return count != (type == AIHLS_STREAM ? port->bytes : port->tensor.count) ? AIHLS_E_SHAPE : AIHLS_OK;
}

static void convert_in(struct aihls *a, const struct aihls_port *port, const struct aihls_input *input, int8_t *wire)
{
    if (input->type != AIHLS_STREAM)
        aihls_border_in(port, input->data, wire, a->scratch);
    else if (input->data != wire) // else it was filled in place, see aihls_input_buffer
        memcpy(wire, input->data, (size_t)port->bytes);
}

static void convert_out(struct aihls *a, const struct aihls_port *port, const int8_t *wire, const struct aihls_output *output)
{
    if (output->type == AIHLS_STREAM)
        memcpy(output->data, wire, (size_t)port->bytes);
    else
        aihls_border_out(port, wire, output->data, a->scratch);
}

enum aihls_status aihls_quantize(struct aihls *a, int32_t port, const struct aihls_input *input, void *wire, size_t n_bytes)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!input || !wire)
        return AIHLS_E_NULL;
    if (port < 0 || port >= a->device.net->n_inputs)
        return AIHLS_E_ARGUMENT;
    const struct aihls_port *p = &a->device.net->inputs[port];
    s = check_tensor(p, input->data, input->type, input->count);
    if (s)
        return s;
    if (n_bytes != (size_t)p->bytes)
        return AIHLS_E_SHAPE;
    convert_in(a, p, input, wire);
    return AIHLS_OK;
}

enum aihls_status aihls_dequantize(struct aihls *a, int32_t port, const void *wire, size_t n_bytes, const struct aihls_output *output)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!output || !wire)
        return AIHLS_E_NULL;
    if (port < 0 || port >= a->device.net->n_outputs)
        return AIHLS_E_ARGUMENT;
    const struct aihls_port *p = &a->device.net->outputs[port];
    s = check_tensor(p, output->data, output->type, output->count);
    if (s)
        return s;
    if (n_bytes != (size_t)p->bytes)
        return AIHLS_E_SHAPE;
    convert_out(a, p, wire, output);
    return AIHLS_OK;
}

// ---- frames ----

static struct aihls_slot *next_slot(struct aihls *a)
{
    return &a->device.slots[(a->next_ticket - 1) % (uint64_t)a->device.n_slots];
}

// Tells of the frames that are no longer busy.
static void report(struct aihls *a)
{
    for (; a->on_done && a->reported < a->next_ticket; a->reported++) {
        const struct aihls_slot *slot = &a->device.slots[(a->reported - 1) % (uint64_t)a->device.n_slots];
        if (slot->ticket == a->reported && slot->state == AIHLS_SLOT_BUSY)
            return;
        if (slot->ticket != a->reported || !slot->inner)
            a->on_done(a->user, a->reported);
    }
}

static enum aihls_status let_work(struct aihls *a, struct aihls_slot *slot, int64_t timeout_us)
{
    enum aihls_status s = a->device.backend->wait(&a->device, slot, timeout_us);
    report(a);
    return s;
}

enum aihls_status aihls_input_buffer(struct aihls *a, int32_t port, void **wire)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!wire)
        return AIHLS_E_NULL;
    if (port < 0 || port >= a->device.net->n_inputs || a->device.net->host)
        return AIHLS_E_ARGUMENT;
    if (next_slot(a)->state != AIHLS_SLOT_FREE)
        return AIHLS_E_FULL;
    *wire = next_slot(a)->in[port];
    return AIHLS_OK;
}

static struct aihls_slot *find_slot(struct aihls *a, uint64_t ticket)
{
    if (ticket < a->oldest || ticket >= a->next_ticket)
        return NULL;
    struct aihls_slot *slot = &a->device.slots[(ticket - 1) % (uint64_t)a->device.n_slots];
    return slot->ticket == ticket && slot->state != AIHLS_SLOT_FREE ? slot : NULL;
}

// Frees a slot and moves on to the oldest frame that is still there.
static void free_slot(struct aihls *a, struct aihls_slot *slot)
{
    slot->state = AIHLS_SLOT_FREE;
    while (a->oldest < a->next_ticket && !find_slot(a, a->oldest))
        a->oldest++;
}

// Starts the frame whose inputs are in slot->in.
static enum aihls_status start(struct aihls *a, struct aihls_slot *slot, int inner)
{
    const struct aihls_network *net = a->device.net;
    slot->ticket = a->next_ticket;
    slot->state = AIHLS_SLOT_BUSY;
    slot->inner = inner;
    slot->frame = (struct aihls_frame){ 0 };
    enum aihls_status s = a->device.backend->submit(&a->device, slot);
    if (s) {
        slot->state = AIHLS_SLOT_FREE;
        return s;
    }
    for (int32_t i = 0; i < net->n_inputs; i++)
        a->statistics.bytes_in += net->inputs[i].bytes;
    a->next_ticket++;
    return AIHLS_OK;
}

// ---- frames with a host part ----

// The core's inputs as they are after pass `pass` of the host; zeros for those that come later.
static void feed(struct aihls *a, struct aihls_slot *slot, int32_t pass)
{
    const struct aihls_network *net = a->device.net;
    for (int32_t i = 0; i < net->n_inputs; i++) {
        const struct aihls_host_port *p = &net->host->core_inputs[i];
        if (p->pass > pass)
            memset(slot->in[i], 0, (size_t)net->inputs[i].bytes);
        else
            aihls_border_in(&net->inputs[i], aihls_host_data(net->host, p->value, slot->memory), slot->in[i], a->scratch);
    }
}

// What run `run` of the core gave, and what the host makes of it.
static void take(struct aihls *a, struct aihls_slot *slot, int32_t run)
{
    const struct aihls_network *net = a->device.net;
    for (int32_t i = 0; i < net->n_outputs; i++) {
        const struct aihls_host_port *p = &net->host->core_outputs[i];
        if (p->pass == run)
            aihls_border_out(&net->outputs[i], slot->out[i], aihls_host_data(net->host, p->value, slot->memory), a->scratch);
    }
    aihls_host_run(net->host, run, slot->memory);
}

// One run that is not the frame's last; its memory moves to the slot of the next one.
static enum aihls_status run_inner(struct aihls *a, struct aihls_slot *slot, int32_t run)
{
    enum aihls_status s = start(a, slot, 1);
    while (!s && slot->state == AIHLS_SLOT_BUSY)
        s = let_work(a, slot, -1);
    if (!s && slot->state == AIHLS_SLOT_LOST)
        s = AIHLS_E_DEVICE;
    if (!s)
        take(a, slot, run);
    free_slot(a, slot);
    struct aihls_slot *next = next_slot(a);
    void *memory = next->memory;
    next->memory = slot->memory;
    slot->memory = memory;
    return s;
}

static enum aihls_status submit_host(struct aihls *a, const struct aihls_input *inputs)
{
    const struct aihls_host *h = a->device.net->host;
    enum aihls_status s = AIHLS_OK;
    for (int32_t i = 0; i < h->n_inputs && !s; i++)
        s = check_host_tensor(&h->inputs[i], inputs[i].data, inputs[i].type, inputs[i].count);
    if (s)
        return s;
    for (int32_t i = 0; i < h->n_passes; i++)
        if (a->device.slots[(a->next_ticket - 1 + (uint64_t)i) % (uint64_t)a->device.n_slots].state != AIHLS_SLOT_FREE)
            return AIHLS_E_FULL;
    struct aihls_slot *slot = next_slot(a);
    for (int32_t i = 0; i < h->n_inputs; i++)
        memcpy(aihls_host_data(h, h->input_values[i], slot->memory), inputs[i].data, (size_t)inputs[i].count * aihls_type_bytes(inputs[i].type));
    aihls_host_run(h, 0, slot->memory);
    for (int32_t run = 1; run < h->n_passes && !s; run++) {
        feed(a, slot, run - 1);
        s = run_inner(a, slot, run);
        slot = next_slot(a);
    }
    if (s)
        return s;
    feed(a, slot, h->n_passes - 1);
    return start(a, slot, 0);
}

static enum aihls_status submit_ports(struct aihls *a, const struct aihls_input *inputs)
{
    const struct aihls_network *net = a->device.net;
    enum aihls_status s = AIHLS_OK;
    for (int32_t i = 0; i < net->n_inputs && !s; i++)
        s = check_tensor(&net->inputs[i], inputs[i].data, inputs[i].type, inputs[i].count);
    if (s)
        return s;
    struct aihls_slot *slot = next_slot(a);
    if (slot->state != AIHLS_SLOT_FREE)
        return AIHLS_E_FULL;
    for (int32_t i = 0; i < net->n_inputs; i++)
        convert_in(a, &net->inputs[i], &inputs[i], slot->in[i]);
    return start(a, slot, 0);
}

enum aihls_status aihls_submit(struct aihls *a, const struct aihls_input *inputs, int32_t n, uint64_t *ticket)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!inputs || !ticket)
        return AIHLS_E_NULL;
    if (n != aihls_input_count(a->device.net))
        return AIHLS_E_SHAPE;
    s = a->device.net->host ? submit_host(a, inputs) : submit_ports(a, inputs);
    if (s)
        return s;
    a->statistics.submitted++;
    *ticket = a->next_ticket - 1;
    report(a);
    return AIHLS_OK;
}

enum aihls_status aihls_output_buffer(struct aihls *a, uint64_t ticket, int32_t port, const void **wire)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!wire)
        return AIHLS_E_NULL;
    if (port < 0 || port >= a->device.net->n_outputs)
        return AIHLS_E_ARGUMENT;
    const struct aihls_slot *slot = find_slot(a, ticket);
    if (!slot)
        return AIHLS_E_TICKET;
    if (slot->state != AIHLS_SLOT_DONE)
        return slot->state == AIHLS_SLOT_LOST ? AIHLS_E_DEVICE : AIHLS_E_TIMEOUT;
    *wire = slot->out[port];
    return AIHLS_OK;
}

enum aihls_status aihls_poll(struct aihls *a, uint64_t *ticket)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!ticket)
        return AIHLS_E_NULL;
    if (a->oldest == a->next_ticket)
        return AIHLS_E_EMPTY;
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t t = a->oldest; t < a->next_ticket; t++) {
            struct aihls_slot *slot = find_slot(a, t);
            if (slot && slot->state != AIHLS_SLOT_BUSY) {
                *ticket = t;
                return AIHLS_OK;
            }
        }
        if (pass == 0) { // none is done: work on the oldest, then look again
            s = let_work(a, find_slot(a, a->oldest), 0);
            if (s && s != AIHLS_E_TIMEOUT)
                return s;
        }
    }
    return AIHLS_E_TIMEOUT;
}

static enum aihls_status check_outputs(const struct aihls_network *net, const struct aihls_output *outputs, int32_t n)
{
    if (!outputs)
        return n == 0 ? AIHLS_OK : AIHLS_E_NULL;
    if (n != aihls_output_count(net))
        return AIHLS_E_SHAPE;
    enum aihls_status s = AIHLS_OK;
    for (int32_t i = 0; i < n && !s; i++)
        s = net->host ? check_host_tensor(&net->host->outputs[i], outputs[i].data, outputs[i].type, outputs[i].count)
                      : check_tensor(&net->outputs[i], outputs[i].data, outputs[i].type, outputs[i].count);
    return s;
}

enum aihls_status aihls_wait(struct aihls *a, uint64_t ticket, const struct aihls_output *outputs, int32_t n, int64_t timeout_us,
                             struct aihls_frame *frame)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    const struct aihls_network *net = a->device.net;
    s = check_outputs(net, outputs, n);
    if (s)
        return s;
    struct aihls_slot *slot = find_slot(a, ticket);
    if (!slot)
        return AIHLS_E_TICKET;
    if (slot->state == AIHLS_SLOT_BUSY) {
        s = let_work(a, slot, timeout_us);
        if (s)
            return s;
    }
    if (slot->state == AIHLS_SLOT_LOST) {
        a->statistics.lost++;
        free_slot(a, slot);
        return AIHLS_E_DEVICE;
    }
    if (outputs && net->host)
        take(a, slot, net->host->n_passes);
    for (int32_t i = 0; outputs && i < n; i++)
        if (net->host)
            memcpy(outputs[i].data, aihls_host_data(net->host, net->host->output_values[i], slot->memory), (size_t)outputs[i].count * aihls_type_bytes(outputs[i].type));
        else
            convert_out(a, &net->outputs[i], slot->out[i], &outputs[i]);
    for (int32_t i = 0; i < net->n_outputs; i++)
        a->statistics.bytes_out += net->outputs[i].bytes;
    if (frame)
        *frame = slot->frame;
    a->statistics.done++;
    free_slot(a, slot);
    return AIHLS_OK;
}

enum aihls_status aihls_run(struct aihls *a, const struct aihls_input *inputs, int32_t n_in, const struct aihls_output *outputs, int32_t n_out,
                            struct aihls_frame *frame)
{
    uint64_t ticket;
    enum aihls_status s = check(a);
    if (!s) // before the frame starts: it would stay in the queue
        s = check_outputs(a->device.net, outputs, n_out);
    if (!s)
        s = aihls_submit(a, inputs, n_in, &ticket);
    return s ? s : aihls_wait(a, ticket, outputs, n_out, -1, frame);
}

enum aihls_status aihls_read_statistics(const struct aihls *a, struct aihls_statistics *out)
{
    enum aihls_status s = check(a);
    if (s)
        return s;
    if (!out)
        return AIHLS_E_NULL;
    *out = a->statistics;
    out->cycles = a->device.cycles;
    return AIHLS_OK;
}

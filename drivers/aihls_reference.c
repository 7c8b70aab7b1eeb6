// SPDX-License-Identifier: Apache-2.0
#include "aihls_reference.h"

#include <string.h>

// The state: a pointer for each stream, then their elements.
size_t aihls_reference_state_bytes(const struct aihls_backend *b, const struct aihls_network *net)
{
    const struct aihls_reference *r = b->design;
    size_t bytes = (size_t)r->n_streams * sizeof(int8_t *);
    (void)net;
    for (int32_t i = 0; i < r->n_streams; i++)
        bytes += (size_t)r->stream_count[i];
    return bytes;
}

enum aihls_status aihls_reference_open(struct aihls_device *d)
{
    const struct aihls_reference *r = d->backend->design;
    int8_t **streams = d->state, *at = (int8_t *)(streams + r->n_streams);
    for (int32_t i = 0; i < r->n_streams; i++) {
        streams[i] = at;
        at += r->stream_count[i];
    }
    return AIHLS_OK;
}

// Between the wire, where pixels begin with a beat, and the dense elements of a stream.
static void copy_pixels(const struct aihls_port *port, int8_t *to, int32_t to_step, const int8_t *from, int32_t from_step)
{
    for (int32_t i = 0; i < port->height * port->width; i++, to += to_step, from += from_step)
        memcpy(to, from, (size_t)port->channels);
}

enum aihls_status aihls_reference_submit(struct aihls_device *d, struct aihls_slot *s)
{
    const struct aihls_reference *r = d->backend->design;
    const struct aihls_network *net = d->net;
    int8_t **streams = d->state;
    for (int32_t i = 0; i < net->n_inputs; i++) {
        const struct aihls_port *p = &net->inputs[i];
        copy_pixels(p, streams[r->inputs[i]], p->channels, s->in[i], p->bytes / (p->height * p->width));
    }
    for (int32_t i = 0; i < r->n_stages; i++) {
        const struct aihls_stage *stage = &r->stages[i];
        const int8_t *in[2] = { streams[stage->in[0]], streams[stage->in[1]] };
        stage->run(stage, in, streams[stage->out], 0, stage->out_h);
    }
    for (int32_t i = 0; i < net->n_outputs; i++) {
        const struct aihls_port *p = &net->outputs[i];
        int32_t step = p->bytes / (p->height * p->width);
        memset(s->out[i], 0, (size_t)p->bytes);
        copy_pixels(p, s->out[i], step, streams[r->outputs[i]], p->channels);
    }
    s->state = AIHLS_SLOT_DONE;
    return AIHLS_OK;
}

// Never called: no frame is busy when submit returns.
enum aihls_status aihls_reference_wait(struct aihls_device *d, struct aihls_slot *s, int64_t timeout_us)
{
    (void)d;
    (void)s;
    (void)timeout_us;
    return AIHLS_OK;
}

void aihls_reference_close(struct aihls_device *d)
{
    (void)d;
}

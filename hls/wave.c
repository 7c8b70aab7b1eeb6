// SPDX-License-Identifier: Apache-2.0
#include "hls/wave.h"

#include <string.h>

#include "hls/bind.h"

// Flags of a line, as GTKWave writes them: right aligned binary and hexadecimal; a comment that opens or ends a group.
#define BINARY "@28\n"
#define HEXADECIMAL "@22\n"
#define GROUP_BEGIN "@800200\n"
#define GROUP_END "@1000200\n"

struct wave {
    const struct design *d;
    struct arena *a;
    struct strbuf *out;
};

const char *wave_path(struct arena *a, const char *trace)
{
    size_t n = strlen(trace);
    bool suffix = n > 4 && strcmp(trace + n - 4, ".fst") == 0;
    return arena_printf(a, "%.*s.gtkw", (int)(suffix ? n - 4 : n), trace);
}

static void signal_line(const struct wave *w, const char *name)
{
    strbuf_addf(w->out, "TOP.%s_core.%s\n", w->d->top, name);
}

static void stream_lines(const struct wave *w, const char *net, int lanes)
{
    strbuf_adds(w->out, BINARY);
    signal_line(w, arena_printf(w->a, "%s_valid", net));
    signal_line(w, arena_printf(w->a, "%s_ready", net));
    strbuf_adds(w->out, HEXADECIMAL);
    signal_line(w, arena_printf(w->a, "%s_data[%d:0]", net, 8 * lanes - 1));
}

static void group(const struct wave *w, bool begin, const char *name)
{
    strbuf_addf(w->out, "%s-%s\n", begin ? GROUP_BEGIN : GROUP_END, name);
}

static void port_group(const struct wave *w, const struct host_port *port)
{
    group(w, true, port->name);
    stream_lines(w, port->name, w->d->pipeline->streams[port->stream].lanes);
    group(w, false, port->name);
}

static void stage_group(const struct wave *w, const struct stage *s)
{
    const struct pipeline *p = w->d->pipeline;
    group(w, true, s->name);
    for (int k = 0; k < s->n_in; k++)
        stream_lines(w, bind_edge_net(p, w->a, s->in_edge[k]), p->edges[s->in_edge[k]].lanes);
    stream_lines(w, bind_stream_net(w->a, s->out_stream), p->streams[s->out_stream].lanes);
    strbuf_adds(w->out, BINARY);
    signal_line(w, arena_printf(w->a, "%s.busy", bind_stage_instance(p, w->a, s->index)));
    group(w, false, s->name);
}

void wave_print(const struct design *d, struct arena *a, const char *trace, struct strbuf *out)
{
    const struct pipeline *p = d->pipeline;
    struct wave w = { d, a, out };
    strbuf_addf(out, "[dumpfile] \"%s\"\n[savefile] \"%s\"\n[timestart] 0\n" BINARY, trace, wave_path(a, trace));
    signal_line(&w, "clk");
    signal_line(&w, "rst");
    for (int i = 0; i < p->n_inputs; i++)
        port_group(&w, &p->inputs[i]);
    for (int i = 0; i < p->n_stages; i++)
        stage_group(&w, &p->stages[i]);
    for (int i = 0; i < p->n_outputs; i++)
        port_group(&w, &p->outputs[i]);
}

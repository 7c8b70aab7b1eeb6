// SPDX-License-Identifier: Apache-2.0
// bind_serial: one unit for all stages.
#include "dataflow/serial.h"
#include "hls/bind_impl.h"

// Wires of several ports side by side, the first in the lowest bits.
static const char *side_by_side(struct binding *b, int n, const char *(*net)(struct binding *b, int i), const char *wire)
{
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = arena_printf(b->a, "%s_%s%s%s", net(b, i), wire, i ? ", " : "", all);
    return n > 1 ? arena_printf(b->a, "{%s}", all) : all;
}

static const char *input_net(struct binding *b, int i)
{
    return bind_stream_net(b->a, b->p->inputs[i].stream);
}

static const char *output_net(struct binding *b, int i)
{
    return b->p->outputs[i].name;
}

// The code's memory: a ROM, or one that the stream `code` fills.
static void bind_code(struct binding *b)
{
    const struct serial *s = b->p->serial;
    struct netlist *n = b->n;
    struct image *code = s->loaded ? netlist_image(n, bind_code_file(b->p, b->a), 8, s->n_code, false)
                                   : bind_rom(b, "code", true, 8, s->n_code, "k_en", "k_addr", 0, "k_data");
    for (int64_t i = 0; i < s->n_code; i++)
        image_set(code, i, 0, 8, s->code[i]);
    if (!s->loaded) {
        netlist_assign(n, "go", "1'b1");
        return;
    }
    bind_code_port(b);
    struct instance *i = netlist_add(n, "aihls_code", "u_code", NULL);
    clocked(b, i);
    instance_int(n, i, "DEPTH", s->n_code);
    instance_int(n, i, "HUGE", s->code_huge);
    instance_stream(n, i, "s_code", "bytes");
    instance_port(n, i, "loaded", "go");
    instance_port(n, i, "en", "k_en");
    instance_port(n, i, "addr", "k_addr");
    instance_port(n, i, "data", "k_data");
}

void bind_serial(struct binding *b)
{
    const struct pipeline *p = b->p;
    const struct serial *s = p->serial;
    struct netlist *n = b->n;
    netlist_net(n, 1, "k_en");
    netlist_net(n, s->code_bits, "k_addr");
    netlist_net(n, 8, "k_data");
    netlist_net(n, s->index_bits, "stage");
    netlist_net(n, 1, "running");
    netlist_net(n, 1, "store");
    netlist_net(n, 8, "stored");
    netlist_net(n, 8, "sent");
    netlist_net(n, 1, "go");
    bind_code(b);
    struct instance *u = netlist_add(n, "aihls_serial", "u_serial", NULL);
    clocked(b, u);
    instance_text(n, u, "TECH", "TECH");
    const struct { const char *name; int64_t value; } v[] = {
        { "MUL_DSP", s->use_dsp }, { "INPUTS", p->n_inputs }, { "OUTPUTS", p->n_outputs }, { "DEPTH", s->bytes }, { "HUGE", s->huge },
        { "ADDR_W", s->addr_bits }, { "CODE_W", s->code_bits }, { "COUNT_W", s->count_bits }, { "POS_W", s->pos_bits }, { "INDEX_W", s->index_bits },
        { "SUM_W", s->sum_bits }, { "MULT_W", s->mult_bits }, { "SHIFT_W", s->shift_bits },
    };
    for (size_t k = 0; k < sizeof v / sizeof *v; k++)
        instance_int(n, u, v[k].name, v[k].value);
    static const char *const wires[] = { "data", "valid", "ready" };
    for (int k = 0; k < 3; k++)
        instance_port(n, u, arena_printf(b->a, "s_act_%s", wires[k]), side_by_side(b, p->n_inputs, input_net, wires[k]));
    instance_port(n, u, "m_act_data", "sent");
    for (int k = 1; k < 3; k++)
        instance_port(n, u, arena_printf(b->a, "m_act_%s", wires[k]), side_by_side(b, p->n_outputs, output_net, wires[k]));
    for (int i = 0; i < p->n_outputs; i++)
        netlist_assign(n, arena_printf(b->a, "%s_data", output_net(b, i)), "sent");
    static const char *const own[][2] = { { "go", "go" }, { "k_en", "k_en" }, { "k_addr", "k_addr" }, { "k_data", "k_data" }, { "index", "stage" },
                                          { "running", "running" }, { "store", "store" }, { "stored", "stored" } };
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        instance_port(n, u, own[k][0], own[k][1]);
    for (int i = 0; i < p->n_stages; i++) {
        struct instance *t = netlist_add(n, "aihls_tap", bind_stage_instance(p, b->a, i), arena_printf(b->a, "%s: %s", p->stages[i].name, p->stages[i].nodes));
        instance_int(n, t, "INDEX", i);
        instance_int(n, t, "INDEX_W", s->index_bits);
        for (size_t k = 4; k < sizeof own / sizeof *own; k++) // from `index` on
            instance_port(n, t, own[k][0], own[k][1]);
        instance_stream(n, t, "m_act", bind_stream_net(b->a, p->stages[i].out_stream));
    }
    // nothing but a simulation reads what the taps show
    const char *all = "";
    for (int i = 0; i < p->n_stages; i++)
        all = arena_printf(b->a, "%s%s%s_data", all, i ? ", " : "", bind_stream_net(b->a, p->stages[i].out_stream));
    netlist_assign(n, netlist_net(n, 8 * p->n_stages, "unused_taps"), arena_printf(b->a, "{%s}", all));
    netlist_assign(n, netlist_net(n, p->n_edges, "unused_stall"), "stall"); // there are no FIFOs to hold
}

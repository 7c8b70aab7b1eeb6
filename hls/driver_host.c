// SPDX-License-Identifier: Apache-2.0
#include "hls/driver_host.h"

#include "hls/driver_text.h"
#include "sim/host.h"

#include <string.h>

static struct array constant_of(const struct aihls_host_value *v)
{
    union { const void *from; void *to; } data = { v->constant };
    struct array x = { .dtype = (enum dtype)v->type, .rank = v->rank, .data = data.to };
    for (int i = 0; i < v->rank; i++)
        x.dims[i] = v->dims[i];
    return x;
}

static void add_shape(struct strbuf *sb, enum aihls_type type, int rank, const int32_t *dims, int32_t count)
{
    strbuf_addf(sb, ".type = %s, .rank = %d, .dims = {", driver_type((enum dtype)type)->constant, rank);
    for (int i = 0; i < rank || i == 0; i++)
        strbuf_addf(sb, "%s%d", i ? ", " : " ", rank ? dims[i] : 0);
    strbuf_addf(sb, " }, .count = %d", count);
}

static void add_values(struct strbuf *sb, struct arena *a, const struct host_program *p)
{
    const struct aihls_host_value *v = p->host.values;
    for (int i = 0; i < p->n_values; i++)
        if (v[i].constant) {
            struct array x = constant_of(&v[i]);
            driver_constant(sb, arena_printf(a, "host_constant%d", i), &x);
        }
    strbuf_addf(sb, "static const struct aihls_host_value host_values[%d] = {\n", p->n_values);
    for (int i = 0; i < p->n_values; i++) {
        strbuf_adds(sb, "    { ");
        add_shape(sb, v[i].type, v[i].rank, v[i].dims, v[i].count);
        if (v[i].constant)
            strbuf_addf(sb, ", .constant = host_constant%d },\n", i);
        else
            strbuf_addf(sb, ", .offset = %d },\n", v[i].offset);
    }
    strbuf_adds(sb, "};\n");
}

static void add_operators(struct strbuf *sb, struct arena *a, const struct host_program *p)
{
    struct strbuf ops = STRBUF_INIT;
    for (int i = 0; i < p->host.n_ops; i++) {
        const struct aihls_host_op *op = &p->host.ops[i];
        const struct host_op_text *t = &p->text[i];
        const char *name = arena_printf(a, "host%d", i);
        strbuf_addf(&ops, "    { .run = %s, .pass = %d, .n_in = %d, .n_out = %d", t->function, op->pass, op->n_in, op->n_out);
        const struct { const char *field, *type; int n; const void *values; driver_element *add; } arrays[] = {
            { "in", "int32_t", op->n_in, op->in, driver_i32 }, { "out", "int32_t", op->n_out, op->out, driver_i32 },
            { "p", "int32_t", t->n_p, op->p, driver_i32 }, { "f", "double", t->n_f, op->f, driver_f64 },
            { "table", "int32_t", t->n_table, op->table, driver_i32 },
        };
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
            if (!arrays[k].n)
                continue;
            driver_array(sb, arrays[k].type, name, arrays[k].field, arrays[k].n, arrays[k].values, arrays[k].add);
            strbuf_addf(&ops, ", .%s = %s_%s", arrays[k].field, name, arrays[k].field);
        }
        strbuf_adds(&ops, " },\n");
    }
    if (p->host.n_ops)
        strbuf_addf(sb, "static const struct aihls_host_op host_ops[%d] = {\n%s};\n", p->host.n_ops, ops.text);
    strbuf_release(&ops);
}

// In the order of the pipeline's ports.
static void add_ports(struct strbuf *sb, const char *name, const struct aihls_host_port *of_core, const struct host_port *ports, int n)
{
    if (n == 0) // no core
        return;
    strbuf_addf(sb, "static const struct aihls_host_port %s[%d] = {", name, n);
    for (int i = 0; i < n; i++)
        strbuf_addf(sb, "%s { %d, %d }", i ? "," : "", of_core[ports[i].model].value, of_core[ports[i].model].pass);
    strbuf_adds(sb, " };\n");
}

static void add_model(struct strbuf *sb, const char *name, const struct aihls_tensor *t, struct tensor *const *source, const int32_t *values, int n)
{
    strbuf_addf(sb, "static const struct aihls_tensor %ss[] = {\n", name);
    for (int i = 0; i < n; i++) {
        strbuf_adds(sb, "    { .name = ");
        driver_quoted(sb, source[i]->name);
        strbuf_adds(sb, ", ");
        add_shape(sb, t[i].type, t[i].rank, t[i].dims, t[i].count);
        strbuf_adds(sb, " },\n");
    }
    strbuf_adds(sb, "};\n");
    driver_array(sb, "int32_t", name, "values", n, values, driver_i32);
}

void driver_host(struct strbuf *sb, const struct design *d)
{
    const struct pipeline *p = d->pipeline;
    const struct aihls_host *h = &p->host->host;
    strbuf_adds(sb, "\n// ---- what the processor computes ----\n\n");
    add_values(sb, p->arena, p->host);
    add_operators(sb, p->arena, p->host);
    add_ports(sb, "host_core_inputs", h->core_inputs, p->inputs, p->n_inputs);
    add_ports(sb, "host_core_outputs", h->core_outputs, p->outputs, p->n_outputs);
    add_model(sb, "host_input", h->inputs, d->source->inputs, h->input_values, h->n_inputs);
    add_model(sb, "host_output", h->outputs, d->source->outputs, h->output_values, h->n_outputs);
    strbuf_addf(sb, "static const struct aihls_host host = {\n    .values = host_values, .ops = %s, .n_ops = %d, .n_passes = %d,\n"
                "%s    .n_inputs = %d, .n_outputs = %d, .inputs = host_inputs,"
                " .outputs = host_outputs,\n    .input_values = host_input_values, .output_values = host_output_values, .bytes = %d,\n};\n",
                h->n_ops ? "host_ops" : "NULL", h->n_ops, h->n_passes, p->n_stages ? "    .core_inputs = host_core_inputs, .core_outputs = host_core_outputs,\n" : "", h->n_inputs, h->n_outputs, h->bytes);
}

// SPDX-License-Identifier: Apache-2.0
// ONNX models through all passes up to the Verilog of the core. Calibration and lowering cost what the model's own
// arithmetic costs, so that models with much of it stop after simplification; those of many stages stop after lowering. Then the same models through
// the float reference alone, which takes more.
#include "base/check.h"
#include "dataflow/lower.h"
#include "dataflow/partition.h"
#include "dataflow/quant.h"
#include "dataflow/schedule.h"
#include "frontend/onnx.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "hls/bind.h"
#include "sim/host.h"
#include "sim/ref_float.h"
#include "tests/fuzz/fuzz.h"

#define MAX_ELEMENTS ((int64_t)1 << 16) // of a tensor
#define MAX_PRODUCTS ((int64_t)1 << 22) // of a node
#define MAX_STAGES 6

static int64_t elements(const struct tensor *t)
{
    return t && t->rank >= 0 ? tensor_count(t) : 0;
}

static bool is_cheap(const struct graph *g)
{
    for (int i = 0; i < g->n_inputs; i++)
        if (elements(g->inputs[i]) > MAX_ELEMENTS)
            return false;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        int64_t out = 0, largest = 1;
        for (int k = 0; k < n->n_out; k++)
            out = max_i64(out, elements(n->out[k]));
        for (int k = 0; k < n->n_in; k++)
            largest = max_i64(largest, elements(n->in[k]));
        if (out > MAX_ELEMENTS || largest > MAX_ELEMENTS || out * largest > MAX_PRODUCTS)
            return false;
    }
    return true;
}

static bool schedule_and_bind(const struct ctx *cx, struct pipeline *p)
{
    struct board board;
    struct strbuf text = STRBUF_INIT;
    const struct schedule_goal fastest = { .max_dsp = -1 };
    if (!board_read(cx, "pynq-z2", &board) || !schedule_solve(cx, p, &board, &fastest))
        return false;
    const struct netlist *n = bind_pipeline(p, cx->arena);
    netlist_print(n, &text);
    for (int i = 0; i < n->n_images; i++)
        image_print(&n->images[i], &text);
    strbuf_release(&text);
    return true;
}

// Everything on the host, where it has functions for that: on bytes of all values.
static void host(const struct ctx *cx, const struct graph *g)
{
    struct strbuf text = STRBUF_INIT;
    struct diag quiet = { .rendered = &text };
    struct ctx inner = { cx->arena, &quiet };
    struct placement *places = arena_array(cx->arena, struct placement, g->n_nodes);
    struct partition part = { .whole = g, .places = places, .core = graph_new(cx->arena, "", "") };
    struct host_program *p;
    for (int i = 0; i < g->n_nodes; i++)
        places[i].on_host = true;
    if (host_describe(&inner, &part, &p)) {
        const struct aihls_host *h = &p->host;
        char *memory = arena_alloc(cx->arena, (size_t)h->bytes + 1);
        for (int i = 0; i < h->n_inputs; i++) {
            uint8_t *x = aihls_host_data(h, h->input_values[i], memory);
            for (size_t k = 0; k < (size_t)h->inputs[i].count * aihls_type_bytes(h->inputs[i].type); k++)
                x[k] = h->inputs[i].type == AIHLS_BOOL ? k % 2 : (uint8_t)(k * 37);
        }
        aihls_host_run(h, 0, memory);
    }
    strbuf_release(&text);
}

// The same, cut into hardware and host where hardware cannot take all. False after a diagnostic.
static bool parts(const struct ctx *cx, const struct graph *g, bool *parted)
{
    struct partition *part;
    struct array *calib = NULL;
    struct pipeline *p;
    struct host_program *program;
    struct quant_ranges ranges = { 0 };
    *parted = false;
    if (!partition_graph(cx, g, NULL, NULL, &part))
        return false;
    if (!part)
        return true;
    *parted = true;
    graph_verify(part->core);
    if (part->core->n_nodes == 0)
        return host_describe(cx, part, &program);
    if ((!quant_is_quantized(part->core) && !partition_calibration(cx, part, NULL, &calib)) || !quantize_graph(cx, part->core, calib, &ranges) ||
        !lower_graph(cx, part->core, REQUANT_EXACT, "fuzz", &p))
        return false;
    return host_describe(cx, part, &program);
}

// The passes of design_build; false after a diagnostic.
static bool passes(const struct ctx *cx, const uint8_t *bytes, size_t n)
{
    struct graph *g;
    struct pipeline *p;
    struct quant_ranges ranges = { 0 };
    bool parted;
    if (!onnx_parse(cx, "fuzz.onnx", bytes, n, &g) || !shape_infer(cx, g))
        return false;
    g = graph_clone(g, cx->arena);
    if (!simplify_graph(cx, g))
        return false;
    graph_verify(g);
    if (!is_cheap(g))
        return true;
    host(cx, g);
    if (!parts(cx, g, &parted) || parted)
        return parted && cx->diag->errors == 0;
    if (!quantize_graph(cx, g, NULL, &ranges) || !lower_graph(cx, g, REQUANT_EXACT, "fuzz", &p))
        return false;
    return p->n_stages > MAX_STAGES || schedule_and_bind(cx, p);
}

// The float reference, on zeros: open dimensions are 2.
static bool reference(const struct ctx *cx, const uint8_t *bytes, size_t n)
{
    const struct onnx_options options = { .keep_types = true, .open_shapes = true };
    struct graph *g;
    int64_t budget = MAX_PRODUCTS;
    if (!onnx_parse_with(cx, "fuzz.onnx", bytes, n, &options, &g))
        return false;
    struct array *in = arena_array(cx->arena, struct array, g->n_inputs + 1), *out = arena_array(cx->arena, struct array, g->n_outputs + 1);
    for (int i = 0; i < g->n_inputs; i++) {
        struct tensor *t = g->inputs[i];
        if (t->rank < 0 || t->dtype == DT_NONE)
            return true;
        for (int d = 0; d < t->rank; d++)
            t->dims[d] = t->dims[d] < 0 ? 2 : t->dims[d];
        if (tensor_count(t) > MAX_ELEMENTS)
            return true;
        in[i] = array_new(cx->arena, t->dtype, t->rank, t->dims);
    }
    return ref_float_run_within(cx, g, cx->arena, in, out, &budget);
}

void fuzz_onnx(const uint8_t *bytes, size_t n)
{
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text };
    struct ctx cx = { &arena, &diag };
    bool ok = passes(&cx, bytes, n);
    fuzz_expect(ok, diag.errors > 0, text.text);
    strbuf_clear(&text);
    diag = (struct diag){ .rendered = &text };
    ok = reference(&cx, bytes, n);
    fuzz_expect(ok, diag.errors > 0, text.text);
    strbuf_release(&text);
    arena_release(&arena);
}

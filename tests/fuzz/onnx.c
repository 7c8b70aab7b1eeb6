// SPDX-License-Identifier: Apache-2.0
// ONNX models through the passes that `aihls run` has in front of the reference. Calibration and lowering cost what the
// model's own arithmetic costs, so that models with much of it stop after simplification.
#include <string.h>

#include "base/check.h"
#include "dataflow/lower.h"
#include "dataflow/quant.h"
#include "frontend/onnx.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "tests/fuzz/fuzz.h"

#define MAX_ELEMENTS ((int64_t)1 << 16) // of a tensor
#define MAX_PRODUCTS ((int64_t)1 << 22) // of a node

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

// The passes of design_read; false after a diagnostic. *cut: given up before the end without one.
static bool passes(const struct ctx *cx, const uint8_t *bytes, size_t n, bool *cut)
{
    struct graph *g;
    struct pipeline *p;
    struct quant_ranges ranges = { 0 };
    if (!onnx_parse(cx, "fuzz.onnx", bytes, n, &g) || !shape_infer(cx, g))
        return false;
    g = graph_clone(g, cx->arena);
    if (!simplify_graph(cx, g))
        return false;
    graph_verify(g);
    *cut = !is_cheap(g);
    return *cut || (quantize_graph(cx, g, NULL, &ranges) && lower_graph(cx, g, REQUANT_EXACT, "fuzz", &p));
}

void fuzz_onnx(const uint8_t *bytes, size_t n)
{
    struct arena arena = { 0 };
    struct strbuf text = STRBUF_INIT;
    struct diag diag = { .rendered = &text };
    struct ctx cx = { &arena, &diag };
    bool cut = false, ok = passes(&cx, bytes, n, &cut);
    fuzz_expect(ok, diag.errors > 0, text.text);
    strbuf_release(&text);
    arena_release(&arena);
}

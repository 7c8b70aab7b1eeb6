// SPDX-License-Identifier: Apache-2.0
#include "dataflow/partition.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/argmax.h"
#include "dataflow/lower.h"
#include "dataflow/mincut.h"
#include "dataflow/move.h"
#include "sim/ref_float.h"

// What things cost on a small processor beside the accelerator, in nanoseconds; only their proportions matter.
#define MAC_NS 1
#define ELEMENT_NS 2  // computed by the host
#define CROSSING_NS 6 // quantized or dequantized, and moved over the bus
#define RUN_NS 20000  // another run of the core: to start it, and to wait
#define MANY_RUNS 16   // of which not every combination is looked at
#define RANGE_FRAMES 4 // frames that the trials' ranges are taken from
#define MOST_MACS ((int64_t)1 << 45)
#define CALIBRATION_BYTES 400000000 // of the core's inputs in all frames

struct partitioner {
    const struct ctx *cx;
    const struct graph *g; // whole
    struct arena *a;
    struct quant_ranges ranges; // for trials
    bool *capable;              // by node: hardware may compute it, as far as is known
    bool *constant;             // by node: of constants alone
    bool *hw;                   // by node: the decision
    bool *read[2];              // by tensor: the host, hardware reads it
    struct placement *places;
};

// a * b, or what is more than anybody computes: sums of it stay far from overflow.
static int64_t capped(int64_t a, int64_t b)
{
    int64_t product;
    return mul_i64(a, b, &product) && product < MOST_MACS ? product : MOST_MACS;
}

int64_t node_macs(const struct node *n)
{
    const struct tensor *w = n->n_in > 1 ? n->in[1] : NULL;
    int64_t count = n->n_out && n->out[0] && n->out[0]->rank >= 0 ? tensor_count(n->out[0]) : 0;
    if (!w)
        return 0;
    switch ((int)n->op) {
    case OP_Conv:
        return w->dims[0] ? capped(count, tensor_count(w) / w->dims[0]) : 0;
    case OP_ConvTranspose:
        return w->dims[0] ? capped(tensor_count(n->in[0]), tensor_count(w) / w->dims[0]) : 0;
    case OP_Gemm:
        return capped(count, n->in[0]->dims[node_int(n, "transA", 0) ? 0 : 1]);
    case OP_MatMul:
        return capped(count, n->in[0]->dims[n->in[0]->rank - 1]);
    case OP_Attention: // scores and sums of values: both have a product for each key
        return capped(n->in[2]->dims[n->in[2]->rank - 2], tensor_count(n->in[0]) + count);
    default:
        return 0;
    }
}

bool tensor_is_constant(const struct tensor *t)
{
    const struct node *n = t->producer;
    if (t->data || !n || n->op != OP_DequantizeLinear)
        return t->data != NULL;
    for (int k = 0; k < n->n_in; k++) // scale and zero point may be computed
        if (n->in[k] && !n->in[k]->data)
            return false;
    return true;
}

// Without inputs, it makes its values by itself, frame after frame: random numbers.
static bool is_constant_node(const struct node *n)
{
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && !tensor_is_constant(n->in[k]))
            return false;
    return n->n_in > 0;
}

static bool is_quantizer(const struct node *n)
{
    return n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear;
}

static int64_t host_ns(const struct node *n)
{
    int64_t elements = 0;
    for (int k = 0; k < n->n_out; k++)
        elements += n->out[k] ? tensor_count(n->out[k]) : 0;
    return 1 + ELEMENT_NS * elements + MAC_NS * node_macs(n);
}

// ---- passes ----

// When t is there: after that run of the core.
static int tensor_pass(const struct partitioner *p, const struct tensor *t)
{
    return t->producer ? p->places[t->producer->index].pass : 0;
}

static int assign_passes(struct partitioner *p)
{
    int passes = 0;
    for (int i = 0; i < p->g->n_nodes; i++) {
        const struct node *n = p->g->nodes[i];
        int pass = p->hw[i] ? 1 : 0;
        for (int k = 0; k < n->n_in; k++) {
            const struct tensor *t = n->in[k];
            if (!t || tensor_is_constant(t))
                continue;
            bool enters = p->hw[i] && (!t->producer || !p->hw[t->producer->index]);
            pass = (int)max_i64(pass, tensor_pass(p, t) + enters);
        }
        p->places[i].pass = pass;
        p->places[i].on_host = !p->hw[i];
        passes = p->hw[i] && !p->constant[i] && pass > passes ? pass : passes;
    }
    return passes;
}

// ---- crossings ----

// Who reads what; the model's outputs are read by the host.
static void find_readers(struct partitioner *p)
{
    for (int i = 0; i < p->g->n_tensors; i++)
        p->read[0][i] = p->read[1][i] = false;
    for (int i = 0; i < p->g->n_outputs; i++)
        p->read[0][p->g->outputs[i]->index] = true;
    for (int i = 0; i < p->g->n_nodes; i++) {
        const struct node *n = p->g->nodes[i];
        for (int k = 0; !p->constant[i] && k < n->n_in; k++)
            if (n->in[k])
                p->read[p->hw[i]][n->in[k]->index] = true;
    }
}

static bool is_made_by_hardware(const struct partitioner *p, const struct tensor *t)
{
    return t->producer && p->hw[t->producer->index];
}

static bool crosses(const struct partitioner *p, const struct tensor *t)
{
    return !tensor_is_constant(t) && p->read[!is_made_by_hardware(p, t)][t->index];
}

static int64_t total_ns(struct partitioner *p)
{
    int64_t ns = (int64_t)assign_passes(p) * RUN_NS;
    for (int i = 0; i < p->g->n_nodes; i++)
        ns += p->hw[i] ? 0 : host_ns(p->g->nodes[i]);
    find_readers(p);
    for (int i = 0; i < p->g->n_tensors; i++)
        ns += crosses(p, p->g->tensors[i]) ? CROSSING_NS * tensor_count(p->g->tensors[i]) : 0;
    return ns;
}

// ---- the decision ----

// Vertices: a node each; two for each tensor, so that it is paid for once, however many read it; host and hardware.
static void cut(struct partitioner *p)
{
    const struct graph *g = p->g;
    int n = g->n_nodes, host = n + 2 * g->n_tensors, hardware = host + 1;
    struct arena scratch = { 0 };
    struct mincut *m = mincut_new(&scratch, hardware + 1);
    for (int i = 0; i < g->n_nodes; i++) {
        if (p->constant[i])
            continue;
        if (!p->capable[i])
            mincut_edge(m, host, i, MINCUT_NEVER);
        mincut_edge(m, i, hardware, host_ns(g->nodes[i]));
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            const struct tensor *t = g->nodes[i]->in[k];
            if (!t || tensor_is_constant(t))
                continue;
            mincut_edge(m, n + 2 * t->index, i, MINCUT_NEVER);     // made on the host, read in hardware
            mincut_edge(m, i, n + 2 * t->index + 1, MINCUT_NEVER); // the other way
        }
    }
    for (int i = 0; i < g->n_tensors; i++) {
        const struct tensor *t = g->tensors[i];
        if (tensor_is_constant(t))
            continue;
        int64_t ns = CROSSING_NS * tensor_count(t);
        mincut_edge(m, t->producer ? t->producer->index : host, n + 2 * i, ns);
        if (t->producer)
            mincut_edge(m, n + 2 * i + 1, t->producer->index, ns);
        if (tensor_is_output(g, t))
            mincut_edge(m, host, n + 2 * i + 1, MINCUT_NEVER);
    }
    bool *side = arena_array(&scratch, bool, hardware + 1);
    mincut_solve(m, host, hardware, side);
    for (int i = 0; i < n; i++)
        p->hw[i] = !p->constant[i] && !side[i];
    arena_release(&scratch);
}

// Nodes of constants go where they are read; in both places, they are hardware's too.
static void place_constants(struct partitioner *p)
{
    for (int i = p->g->n_nodes - 1; i >= 0; i--) {
        const struct node *n = p->g->nodes[i];
        if (!p->constant[i])
            continue;
        p->hw[i] = false;
        for (int j = i + 1; j < p->g->n_nodes; j++)
            for (int k = 0; p->hw[j] && k < p->g->nodes[j]->n_in; k++)
                p->hw[i] |= p->g->nodes[j]->in[k] == n->out[0];
    }
}

// Whether there is work for hardware: to move elements, or to change their type, is none by itself.
static bool any_hardware(const struct partitioner *p)
{
    for (int i = 0; i < p->g->n_nodes; i++)
        if (p->hw[i] && !p->constant[i] && op_info(p->g->nodes[i]->op)->support == OP_HARDWARE && !move_is(p->g->nodes[i]))
            return true;
    return false;
}

static void give_all_to_host(struct partitioner *p)
{
    memset(p->hw, 0, (size_t)p->g->n_nodes * sizeof *p->hw);
}

// Gives the host what hardware would do in one of several runs, as long as that is faster: the one that saves most, and of many
// runs each that saves something, for then every look at all of them takes its time.
static void drop_runs(struct partitioner *p)
{
    int n = p->g->n_nodes;
    bool *kept = arena_array(p->a, bool, n), *best = arena_array(p->a, bool, n);
    for (int64_t ns = total_ns(p);;) {
        int passes = assign_passes(p), better = 0;
        memcpy(kept, p->hw, (size_t)n * sizeof *kept);
        int *pass = arena_array(p->a, int, n);
        for (int i = 0; i < n; i++)
            pass[i] = p->places[i].pass;
        for (int drop = 1; passes > 1 && drop <= passes; drop++) {
            for (int i = 0; i < n; i++)
                p->hw[i] = (passes > MANY_RUNS && better ? best : kept)[i] && pass[i] != drop;
            int64_t now = total_ns(p);
            if (any_hardware(p) && now < ns) {
                ns = now;
                better = drop;
                memcpy(best, p->hw, (size_t)n * sizeof *best);
            }
        }
        memcpy(p->hw, better ? best : kept, (size_t)n * sizeof *best);
        if (!better)
            return;
    }
}

static void decide(struct partitioner *p)
{
    cut(p);
    if (!any_hardware(p)) // small enough for the processor; but hardware is what was asked for
        for (int i = 0; i < p->g->n_nodes; i++)
            p->hw[i] = p->capable[i] && !p->constant[i];
    if (!any_hardware(p))
        give_all_to_host(p);
    drop_runs(p);
    place_constants(p);
    assign_passes(p);
}

// ---- the core ----

// The graph of hardware's nodes, with its cuts. nodes[i]: its node for node i of the whole graph, or NULL.
static struct graph *extract(struct partitioner *p, struct cut **inputs, struct cut **outputs, struct node ***nodes)
{
    const struct graph *g = p->g;
    struct graph *c = graph_clone(g, p->a);
    int n_in = 0, n_out = 0;
    find_readers(p);
    *inputs = arena_array(p->a, struct cut, g->n_tensors);
    *outputs = arena_array(p->a, struct cut, g->n_tensors);
    *nodes = arena_array(p->a, struct node *, g->n_nodes);
    c->inputs = arena_array(p->a, struct tensor *, g->n_tensors);
    c->outputs = arena_array(p->a, struct tensor *, g->n_tensors);
    for (int i = 0; i < g->n_nodes; i++)
        (*nodes)[i] = p->hw[i] ? c->nodes[i] : NULL;
    for (int i = 0; i < g->n_tensors; i++) {
        const struct tensor *t = g->tensors[i];
        if (!crosses(p, t))
            continue;
        if (is_made_by_hardware(p, t)) {
            c->outputs[n_out] = c->tensors[i];
            (*outputs)[n_out++] = (struct cut){ t, tensor_pass(p, t) };
        } else {
            c->inputs[n_in] = c->tensors[i];
            (*inputs)[n_in++] = (struct cut){ t, tensor_pass(p, t) };
        }
    }
    c->n_inputs = n_in;
    c->n_outputs = n_out;
    for (int i = g->n_nodes - 1; i >= 0; i--)
        if (!p->hw[i])
            graph_remove_node(c, c->nodes[i]);
    graph_remove_dead(c);
    return c;
}

// ---- trials ----

// Ranges of all float tensors, from a few frames.
static bool trial_ranges(struct partitioner *p, const struct array *calib)
{
    const struct graph *g = p->g;
    struct arena scratch = { 0 };
    const struct array *batch = calib ? calib : quant_noise(p->a, g);
    struct array *frame = arena_array(p->a, struct array, g->n_inputs);
    int64_t frames = min_i64(batch_frames(g, batch), RANGE_FRAMES);
    struct quant_range *of = arena_array(p->a, struct quant_range, g->n_tensors);
    bool ok = true;
    for (int64_t f = 0; ok && f < frames; f++, arena_release(&scratch)) {
        struct array *values = arena_array(&scratch, struct array, g->n_tensors);
        ok = batch_frame(p->cx, g, "calibration data", batch, f, frame) && ref_float_graph(p->cx, g, &scratch, frame, values);
        for (int i = 0; ok && i < g->n_tensors; i++)
            for (int64_t k = 0; values[i].dtype == DT_FLOAT && k < array_count(&values[i]); k++) {
                double v = array_f64(&values[i], k);
                of[i].lo = isfinite(v) ? fmin(of[i].lo, v) : of[i].lo;
                of[i].hi = isfinite(v) ? fmax(of[i].hi, v) : of[i].hi;
            }
    }
    arena_release(&scratch);
    p->ranges.n = 0;
    for (int i = 0; ok && i < g->n_tensors; i++) {
        of[i].tensor = g->tensors[i]->name;
        arena_push(p->a, p->ranges.items, p->ranges.n, p->ranges.cap, of[i]);
    }
    return ok;
}

// Any ranges: good enough to learn that hardware takes the whole graph.
static void plain_ranges(struct partitioner *p)
{
    for (int i = 0; i < p->g->n_tensors; i++) {
        struct quant_range r = { .tensor = p->g->tensors[i]->name, .lo = -1, .hi = 1 };
        arena_push(p->a, p->ranges.items, p->ranges.n, p->ranges.cap, r);
    }
}

// Builds the graph `c` as far as the pipeline; false with what stood in the way.
static bool lowers(struct partitioner *p, struct graph *c, struct strbuf *errors)
{
    struct diag quiet = { .rendered = errors, .quiet = true };
    struct ctx cx = { p->a, &quiet };
    struct pipeline *unused;
    struct quant_ranges ranges = p->ranges;
    return quantize_graph(&cx, c, NULL, &ranges) && lower_graph(&cx, c, REQUANT_EXACT, "trial", &unused);
}

// The node of the whole graph that node n of a trial comes from, itself or the one whose result it quantizes; -1: none.
static int origin(const struct partitioner *p, struct node *const *nodes, const struct node *n)
{
    while (n) {
        for (int i = 0; i < p->g->n_nodes; i++)
            if (nodes[i] == n)
                return i;
        n = n->n_in && n->in[0] ? n->in[0]->producer : NULL;
    }
    return -1;
}

static bool is_place(const char *where, const char *place)
{
    size_t n = strlen(place);
    return strncmp(where, place, n) == 0 && (where[n] == '\n' || where[n] == ',');
}

static bool forbid(struct partitioner *p, int node, const char *error)
{
    if (node < 0 || !p->capable[node])
        return false;
    int length = (int)strcspn(error + 13, "\n"); // behind "error[E201]: "
    p->capable[node] = false;
    diag_code_parse(arena_printf(p->a, "%.4s", error + 6), &p->places[node].why);
    p->places[node].reason = arena_printf(p->a, "%.*s", length, error + 13);
    return true;
}

// Takes hardware from the nodes that one error names. False when it names none that had it.
static bool blame(struct partitioner *p, const struct graph *c, struct node *const *nodes, const char *error)
{
    const char *where = strstr(error, "\n  --> ");
    bool found = false;
    if (!where)
        return false;
    where += 7;
    for (int i = 0; i < c->n_nodes; i++)
        if (is_place(where, at_node(c, c->nodes[i])))
            found |= forbid(p, origin(p, nodes, c->nodes[i]), error);
    for (int i = 0; i < c->n_tensors; i++) {
        const struct tensor *t = c->tensors[i];
        if (!is_place(where, at_tensor(c, t)))
            continue;
        found |= forbid(p, origin(p, nodes, t->producer), error);
        for (int k = 0; !found && k < c->n_nodes; k++) // what the host provides: its readers
            for (int j = 0; j < c->nodes[k]->n_in; j++)
                if (c->nodes[k]->in[j] == t)
                    found |= forbid(p, origin(p, nodes, c->nodes[k]), error);
    }
    return found;
}

static bool blame_all(struct partitioner *p, const struct graph *c, struct node *const *nodes, const char *errors)
{
    bool found = false;
    for (const char *e = strstr(errors, "error["); e; e = strstr(e + 1, "\nerror[")) {
        e += *e == '\n';
        found |= blame(p, c, nodes, e);
    }
    return found;
}

// What the table of operators says.
static void forbid_operators(struct partitioner *p)
{
    for (int i = 0; i < p->g->n_nodes; i++) {
        const struct node *n = p->g->nodes[i];
        enum op_support s = op_info(n->op)->support;
        p->capable[i] = s == OP_HARDWARE || s == OP_FOLDED || is_quantizer(n) || n->op == OP_ArgMax || n->op == OP_Transpose;
        p->places[i].why = p->capable[i] ? DIAG_CODE_COUNT : E201;
        p->places[i].reason = p->capable[i] ? "moving its data to the hardware would take longer than computing it"
                                            : arena_printf(p->a, "%s cannot run in hardware here", op_info(n->op)->name);
    }
}

// ---- passes of the compiler ----

static bool finish(struct partitioner *p, struct partition **out)
{
    struct partition *r = arena_new(p->a, struct partition);
    struct cut *in, *outs;
    struct node **unused;
    *r = (struct partition){ .whole = p->g, .places = p->places, .n_passes = (int)max_i64(1, assign_passes(p)) };
    r->core = extract(p, &in, &outs, &unused);
    r->inputs = in;
    r->outputs = outs;
    for (int i = 0; i < p->g->n_nodes; i++) {
        int64_t macs = node_macs(p->g->nodes[i]);
        r->macs += macs;
        r->host_macs += p->hw[i] ? 0 : macs;
        r->n_host += !p->hw[i] && !p->constant[i];
    }
    *out = r;
    return true;
}

static bool whole_lowers(struct partitioner *p, struct strbuf *errors)
{
    strbuf_clear(errors);
    return lowers(p, graph_clone(p->g, p->a), errors);
}

// With an empty core. E210 when the host has nothing to compute either.
static bool finish_without_hardware(struct partitioner *p, struct partition **out)
{
    give_all_to_host(p);
    for (int i = 0; i < p->g->n_nodes; i++)
        if (p->capable[i])
            p->places[i].reason = "no work for hardware by itself";
    return finish(p, out) && ((*out)->n_host > 0 || diag_error(p->cx, E210, p->g->file, "look whether this is the right file", "nothing is computed from the model's inputs"));
}

// Whether all that stood in the way is that nothing of the graph is hardware's, or no stream of its own.
static bool only_unfit(const char *errors)
{
    for (const char *e = strstr(errors, "error["); e; e = strstr(e + 1, "\nerror[")) {
        e += *e == '\n';
        if (strncmp(e, "error[E210]", 11) != 0 && strncmp(e, "error[E211]", 11) != 0)
            return false;
    }
    return true;
}

static bool search(struct partitioner *p, struct strbuf *errors, struct partition **out)
{
    forbid_operators(p);
    for (;;) {
        struct cut *in, *outs;
        struct node **nodes;
        decide(p);
        if (!any_hardware(p))
            return finish_without_hardware(p, out);
        struct graph *c = extract(p, &in, &outs, &nodes);
        strbuf_clear(errors);
        if (lowers(p, c, errors))
            return finish(p, out);
        if (!blame_all(p, c, nodes, errors->text))
            return !only_unfit(errors->text) || finish_without_hardware(p, out); // or the ordinary passes say what is wrong
    }
}

bool partition_graph(const struct ctx *cx, const struct graph *whole, const struct array *calib, const char *host, struct partition **out)
{
    struct arena *a = cx->arena;
    struct partitioner p = { .cx = cx, .g = whole, .a = a, .capable = arena_array(a, bool, whole->n_nodes), .constant = arena_array(a, bool, whole->n_nodes),
                             .hw = arena_array(a, bool, whole->n_nodes), .places = arena_array(a, struct placement, whole->n_nodes) };
    struct strbuf errors = STRBUF_INIT;
    *out = NULL;
    p.read[0] = arena_array(a, bool, whole->n_tensors);
    p.read[1] = arena_array(a, bool, whole->n_tensors);
    for (int i = 0; i < whole->n_nodes; i++)
        p.constant[i] = is_constant_node(whole->nodes[i]);
    if (host) {
        forbid_operators(&p);
        for (int i = 0; i < whole->n_nodes; i++)
            p.hw[i] = host[i] == '0' && !p.constant[i];
        place_constants(&p);
        return finish(&p, out);
    }
    plain_ranges(&p);
    bool ok = whole_lowers(&p, &errors) || (trial_ranges(&p, calib) && (whole_lowers(&p, &errors) || search(&p, &errors, out))) || !cx->diag->errors;
    strbuf_release(&errors);
    return ok;
}

bool partition_frame(const struct ctx *cx, const struct partition *p, struct arena *a, const struct array *frame, struct array *out)
{
    struct array *values = arena_array(a, struct array, p->whole->n_tensors);
    if (!ref_float_graph(cx, p->whole, a, frame, values))
        return false;
    for (int i = 0; i < p->core->n_inputs; i++)
        out[i] = values[p->inputs[i].tensor->index];
    return true;
}

bool partition_calibration(const struct ctx *cx, const struct partition *p, const struct array *calib, struct array **out)
{
    const struct graph *g = p->whole;
    int n = p->core->n_inputs;
    struct arena scratch = { 0 };
    struct array *all = *out = arena_array(cx->arena, struct array, n);
    struct array *frame = arena_array(cx->arena, struct array, g->n_inputs), *at = arena_array(cx->arena, struct array, n);
    if (!calib) {
        quant_no_data(cx, g);
        calib = quant_noise(cx->arena, g);
    }
    int64_t given = batch_frames(g, calib), bytes_a_frame = 1;
    for (int i = 0; i < n; i++)
        bytes_a_frame += tensor_count(p->inputs[i].tensor) * (int64_t)dtype_bytes(p->inputs[i].tensor->dtype);
    int64_t frames = min_i64(given, max_i64(1, CALIBRATION_BYTES / bytes_a_frame)); // spread over those that are given
    for (int i = 0; i < n; i++) {
        const struct tensor *t = p->inputs[i].tensor;
        int64_t dims[MAX_RANK + 1] = { frames };
        if (t->rank == MAX_RANK)
            return diag_error(cx, E204, at_tensor(g, t), "an input of the hardware needs room for the axis of frames", "the tensor has %d dimensions", t->rank);
        memcpy(dims + 1, t->dims, (size_t)t->rank * sizeof *dims);
        all[i] = array_new(cx->arena, t->dtype, t->rank + 1, dims);
    }
    bool ok = true;
    for (int64_t f = 0; ok && f < frames; f++, arena_release(&scratch)) {
        ok = batch_frame(cx, g, "calibration data", calib, f * given / frames, frame) && partition_frame(cx, p, &scratch, frame, at);
        for (int i = 0; ok && i < n; i++) {
            size_t bytes = (size_t)array_count(&at[i]) * dtype_bytes(at[i].dtype);
            memcpy((char *)all[i].data + (size_t)f * bytes, at[i].data, bytes);
        }
    }
    return ok;
}

bool partition_on_host(const struct partition *p, const struct node *n)
{
    return p->places[n->index].on_host && !is_constant_node(n);
}

// Without a partition the host has what stands in front of the first stage and behind the last.
static void print_whole(const struct graph *g, struct strbuf *out)
{
    bool *inside = quant_hardware(g, g->arena);
    int ends = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        bool in_hardware = n->out[0] && inside[n->out[0]->index] && (op_info(n->op)->support != OP_BORDER || argmax_in_hardware(n));
        if (is_quantizer(n))
            continue;
        ends += !in_hardware;
        strbuf_addf(out, "%4d  %-20s %s  %s%s\n", n->model_index, op_info(n->op)->name, in_hardware ? "hardware 1" : "host      ", n->name,
                    in_hardware ? "" : ": at the network's end, where the driver orders and converts what a port carries");
    }
    strbuf_addf(out, "%d node%s on the host, at the network's ends; all multiply-accumulates in hardware\n", ends, ends == 1 ? "" : "s");
}

void partition_print(const struct partition *part, const struct graph *g, struct strbuf *out)
{
    if (!part) {
        print_whole(g, out);
        return;
    }
    for (int i = 0; i < part->whole->n_nodes; i++) {
        const struct node *n = part->whole->nodes[i];
        const struct placement *p = &part->places[i];
        const char *code = p->why < DIAG_CODE_COUNT ? diag_code_name(p->why) : "";
        if (is_constant_node(n))
            continue;
        strbuf_addf(out, "%4d  %-20s %-8s %d  %s", n->model_index, op_info(n->op)->name, p->on_host ? "host" : "hardware", p->pass, n->name);
        if (p->on_host)
            strbuf_addf(out, "%s%s%s%s", n->name[0] ? ": " : "", code, *code ? " " : "", p->reason);
        strbuf_addch(out, '\n');
    }
    if (part->core->n_nodes == 0) {
        strbuf_addf(out, "%d nodes on the host, nothing in hardware\n", part->n_host);
        return;
    }
    strbuf_addf(out, "%d nodes on the host, %.1f %% of the multiply-accumulates; %d run%s of the hardware a frame\n", part->n_host,
                part->macs ? 100 * (double)part->host_macs / (double)part->macs : 0, part->n_passes, part->n_passes == 1 ? "" : "s");
}

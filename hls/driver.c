// SPDX-License-Identifier: Apache-2.0
#include "hls/driver.h"
#include "hls/project.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "dataflow/argmax.h"
#include "dataflow/partition.h"
#include "frontend/shape.h"
#include "dataflow/reload.h"
#include "drivers/aihls.h"
#include "hls/bind.h"
#include "hls/labels.h"
#include "hls/driver_host.h"
#include "hls/driver_text.h"
#include "hls/shell.h"
#include "sim/host.h"
#include "sim/ref_int.h"

#define SPDX "// SPDX-License-Identifier: Apache-2.0\n"

struct writer {
    const struct ctx *cx;
    const struct design *d;
    struct outdir *out;
    const char *name; // of the network
    int n_files;
    struct side *sides; // of the ports: inputs, then outputs
    int n_in, n_out;
    const char **labels; // of the classes, or NULL
    struct side *model; // of the model: the same, unless the host computes more than what stands at the ports
    int model_in, model_out;
};

// One input or output of the network: the stream, the model's tensor, and the nodes between them.
struct side {
    const char *label; // "input0"
    const struct host_port *port;
    const char *name;  // of the tensor in the model's file
    const struct stream *stream; // NULL: none of its own
    const struct tensor *tensor; // the model's
    const struct node **nodes; // in the order in which they run
    int n_nodes;
};

static bool put(struct writer *w, const char *file, struct strbuf *sb)
{
    bool ok = outdir_write(w->out, arena_printf(w->cx->arena, "driver/%s", file), sb->text, sb->len, true);
    w->n_files++;
    strbuf_clear(sb);
    return ok;
}

static const char *upper(struct arena *a, const char *s)
{
    char *u = arena_strdup(a, s);
    for (char *p = u; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return u;
}

// ---- what stands between the model's tensors and the streams ----

static bool is_same_data(const struct node *n)
{
    return n->op == OP_Reshape || n->op == OP_Identity || n->op == OP_Flatten || n->op == OP_Squeeze || n->op == OP_Unsqueeze;
}

// The nodes from tensor `from` to `to`; border operators have one operand that is not constant, their first.
static void read_chain(struct writer *w, struct side *s, const struct tensor *from, const struct tensor *to)
{
    struct arena *a = w->cx->arena;
    int n = 0;
    for (const struct tensor *t = to; t != from; t = t->producer->in[0], n++)
        ASSERT(t->producer);
    s->nodes = arena_array(a, const struct node *, n);
    for (const struct tensor *t = to; t != from; t = t->producer->in[0])
        if (!is_same_data(t->producer))
            s->nodes[s->n_nodes++] = t->producer;
    for (int i = 0; i < s->n_nodes / 2; i++) {
        const struct node *x = s->nodes[i];
        s->nodes[i] = s->nodes[s->n_nodes - 1 - i];
        s->nodes[s->n_nodes - 1 - i] = x;
    }
}

static void read_sides(struct writer *w)
{
    const struct pipeline *p = w->d->pipeline;
    const struct graph *g = p->graph, *source = p->partition ? g : w->d->source;
    struct arena *a = w->cx->arena;
    w->sides = arena_array(a, struct side, w->n_in + w->n_out);
    for (int i = 0; i < w->n_in + w->n_out; i++) {
        bool in = i < w->n_in;
        const struct host_port *port = in ? &p->inputs[i] : &p->outputs[i - w->n_in];
        const struct tensor *model = (in ? g->inputs : g->outputs)[port->model];
        w->sides[i] = (struct side){ .label = arena_printf(a, in ? "input%d" : "output%d", in ? i : i - w->n_in), .port = port, .tensor = model,
                                     .name = (in ? source->inputs : source->outputs)[port->model]->name, .stream = &p->streams[port->stream] };
        read_chain(w, &w->sides[i], in ? model : port->tensor, in ? port->tensor : model);
    }
}

static void read_model(struct writer *w)
{
    const struct partition *part = w->d->pipeline->partition;
    struct arena *a = w->cx->arena;
    w->model = w->sides;
    w->model_in = w->n_in;
    w->model_out = w->n_out;
    if (!part)
        return;
    w->model_in = part->whole->n_inputs;
    w->model_out = part->whole->n_outputs;
    w->model = arena_array(a, struct side, w->model_in + w->model_out);
    for (int i = 0; i < w->model_in + w->model_out; i++) {
        bool in = i < w->model_in;
        int k = in ? i : i - w->model_in;
        w->model[i] = (struct side){ .label = arena_printf(a, in ? "input%d" : "output%d", k), .tensor = (in ? part->whole->inputs : part->whole->outputs)[k] };
    }
}

static int64_t side_bytes(const struct side *s)
{
    return stream_beats(s->stream, s->stream->lanes) * s->stream->lanes;
}

// ---- border operators ----

// `axis` of the tensor as [outer][size][inner].
static void add_axis(struct strbuf *sb, const struct tensor *t, int axis, bool flatten)
{
    int64_t outer = 1, inner = 1, size = t->dims[axis];
    for (int i = 0; i < t->rank; i++)
        *(i < axis ? &outer : &inner) *= i == axis ? 1 : t->dims[i];
    if (flatten) {
        size *= inner;
        inner = 1;
    }
    strbuf_addf(sb, ", .outer = %lld, .size = %lld, .inner = %lld", (long long)outer, (long long)size, (long long)inner);
}

// Scales and zero points of a QuantizeLinear or DequantizeLinear, printed to sb as arrays.
static bool add_scales(struct writer *w, struct strbuf *sb, const char *prefix, const struct node *n)
{
    int64_t count = tensor_count(n->in[1]);
    float *scale = arena_array(w->cx->arena, float, count);
    int32_t *zero = arena_array(w->cx->arena, int32_t, count);
    for (int64_t i = 0; i < count; i++) {
        scale[i] = (float)tensor_const_f64(n->in[1], i);
        zero[i] = n->n_in > 2 && n->in[2] ? (int32_t)tensor_const_i64(n->in[2], i) : 0;
        if (!isfinite(scale[i]))
            return diag_error(w->cx, E209, at_node(w->d->graph, n), "a scale must be finite", "scale %g", (double)scale[i]);
    }
    driver_array(sb, "float", prefix, "scale", count, scale, driver_f32);
    driver_array(sb, "int32_t", prefix, "zero_point", count, zero, driver_i32);
    return true;
}

static void add_scale_fields(struct strbuf *sb, const char *prefix, const struct node *n)
{
    const struct tensor *x = n->in[0];
    if (tensor_count(n->in[1]) > 1)
        add_axis(sb, x, axis_of(node_int(n, "axis", 1), x->rank), false);
    else
        strbuf_addf(sb, ", .outer = 1, .size = 1, .inner = %lld", (long long)tensor_count(x));
    strbuf_addf(sb, ", .scale = %s_scale, .zero_point = %s_zero_point", prefix, prefix);
}

static void add_transpose_fields(struct strbuf *sb, const struct node *n)
{
    const struct tensor *x = n->in[0];
    int perm[MAX_RANK];
    int64_t stride[MAX_RANK], step = 1;
    transpose_perm(n, perm);
    for (int i = x->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= x->dims[i];
    }
    strbuf_adds(sb, ", ");
    driver_dims(sb, n->out[0]);
    strbuf_adds(sb, ", .stride = {");
    for (int i = 0; i < x->rank; i++)
        strbuf_addf(sb, " %lld%s", (long long)stride[perm[i]], i + 1 < x->rank ? "," : " ");
    strbuf_adds(sb, "}");
}

// Operators in front of the first and behind the last quantization (frontend/simplify_host.c).
static void add_end_fields(struct writer *w, struct strbuf *arrays, struct strbuf *sb, const char *prefix, const struct node *n)
{
    struct arena *a = w->cx->arena;
    const struct tensor *x = n->in[0], *c = n->n_in > 1 ? n->in[1] : NULL;
    int64_t count = c ? tensor_count(c) : 0;
    if (n->op == OP_MatMulInteger) {
        driver_array(arrays, "int8_t", prefix, "matrix", count, c->data, driver_i8);
        strbuf_addf(sb, ", .outer = %lld, .size = %lld, .inner = %lld, .matrix = %s_matrix", (long long)x->dims[0], (long long)x->dims[1],
                    (long long)c->dims[1], prefix);
    } else if (n->op == OP_Gather) {
        int axis = axis_of(node_int(n, "axis", 0), x->rank);
        int32_t *at = arena_array(a, int32_t, count);
        for (int64_t i = 0; i < count; i++)
            at[i] = (int32_t)(tensor_const_i64(c, i) < 0 ? tensor_const_i64(c, i) + x->dims[axis] : tensor_const_i64(c, i));
        driver_array(arrays, "int32_t", prefix, "zero_point", count, at, driver_i32);
        add_axis(sb, x, axis, false);
        strbuf_addf(sb, ", .zero_point = %s_zero_point", prefix);
    } else if (c) {
        int axis = 0;
        for (int i = 0; i < c->rank; i++)
            axis = c->dims[i] != 1 ? i + x->rank - c->rank : axis;
        driver_array(arrays, "float", prefix, "scale", count, c->data, driver_f32);
        if (count > 1)
            add_axis(sb, x, axis, false);
        else
            strbuf_addf(sb, ", .outer = 1, .size = 1, .inner = %lld", (long long)tensor_count(x));
        strbuf_addf(sb, ", .scale = %s_scale", prefix);
    }
}

// One entry of the operator table in `sb`; arrays that it refers to go to `arrays`.
static bool add_op(struct writer *w, const char *prefix, const struct node *n, struct strbuf *arrays, struct strbuf *sb)
{
    const char *function = n->op == OP_QuantizeLinear     ? "quantize"
                           : n->op == OP_DequantizeLinear ? "dequantize"
                           : n->op == OP_Cast             ? "cast"
                           : n->op == OP_Transpose        ? "transpose"
                           : n->op == OP_ArgMax           ? "argmax"
                           : n->op == OP_Softmax          ? "softmax"
                           : n->op == OP_LogSoftmax       ? "log_softmax"
                           : n->op == OP_Mul              ? "mul"
                           : n->op == OP_Add              ? "add"
                           : n->op == OP_Sub              ? "sub"
                           : n->op == OP_Div              ? "div"
                           : n->op == OP_Gather           ? "gather"
                           : n->op == OP_MatMulInteger    ? "matrix"
                           : n->op == OP_Sigmoid          ? "sigmoid"
                                                          : NULL;
    if (!function)
        return diag_error(w->cx, E201, at_node(w->d->graph, n), "leave it out of the model and compute it behind aihls_wait",
                          "%s is not in the run-time library", op_info(n->op)->name);
    const struct tensor *x = n->in[0], *y = n->out[0];
    strbuf_addf(sb, "    { .run = aihls_op_%s, .in_type = %s, .out_type = %s, .count = %lld", function, driver_type(x->dtype)->constant,
                driver_type(y->dtype)->constant, (long long)tensor_count(y));
    bool ok = true;
    if (n->op == OP_QuantizeLinear || n->op == OP_DequantizeLinear) {
        ok = add_scales(w, arrays, prefix, n);
        add_scale_fields(sb, prefix, n);
    } else if (n->op == OP_Transpose) {
        add_transpose_fields(sb, n);
    } else if (n->op == OP_ArgMax) {
        add_axis(sb, x, axis_of(node_int(n, "axis", 0), x->rank), false);
        strbuf_addf(sb, ", .select_last = %d", node_int(n, "select_last_index", 0) != 0);
    } else if (node_attr(n, "resolved_host")) {
        add_end_fields(w, arrays, sb, prefix, n);
    } else if (n->op != OP_Cast) {
        add_axis(sb, x, axis_of(node_int(n, "axis", -1), x->rank), node_int(n, "flatten_2d", 0) != 0);
    }
    strbuf_adds(sb, " },\n");
    return ok;
}

// ---- NAME_network.c ----

static bool is_identity(const int32_t *order, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (order[i] != i)
            return false;
    return true;
}

static bool add_border(struct writer *w, const struct side *s, struct strbuf *sb)
{
    int64_t count = tensor_count(s->port->tensor);
    bool plain = is_identity(s->port->logical, count), ok = true;
    struct strbuf ops = STRBUF_INIT;
    if (!plain)
        driver_array(sb, "uint32_t", s->label, "order", count, s->port->logical, driver_i32);
    for (int i = 0; i < s->n_nodes; i++)
        ok = ok && add_op(w, arena_printf(w->cx->arena, "%s_op%d", s->label, i), s->nodes[i], sb, &ops);
    if (s->n_nodes)
        strbuf_addf(sb, "static const struct aihls_op %s_ops[%d] = {\n%s};\n", s->label, s->n_nodes, ops.text);
    strbuf_release(&ops);
    strbuf_addf(sb, "static const struct aihls_border %s_border = {", s->label);
    if (s->n_nodes)
        strbuf_addf(sb, " .ops = %s_ops, .n_ops = %d,", s->label, s->n_nodes);
    strbuf_addf(sb, " .count = %lld,", (long long)count);
    if (!plain)
        strbuf_addf(sb, " .order = %s_order,", s->label);
    strbuf_addf(sb, " .flip = %d };\n\n", s->port->flip ? 0x80 : 0);
    return ok;
}

static void add_ports(struct strbuf *sb, const char *direction, const struct side *sides, int n)
{
    if (n == 0) // no hardware
        return;
    strbuf_addf(sb, "static const struct aihls_port %s[%d] = {", direction, n);
    for (const struct side *s = sides; s < sides + n; s++) {
        const struct tensor *t = s->tensor;
        const struct stream *x = s->stream;
        strbuf_adds(sb, " {\n    .tensor = { .name = ");
        driver_quoted(sb, s->name);
        strbuf_addf(sb, ", .type = %s, ", driver_type(t->dtype)->constant);
        driver_dims(sb, t);
        strbuf_addf(sb, ", .count = %lld },\n    .scale = %a, .zero_point = %d,\n", (long long)tensor_count(t), x->scale, x->zero_point);
        strbuf_addf(sb, "    .height = %lld, .width = %lld, .channels = %lld, .lanes = %d, .bytes = %lld,\n    .border = &%s_border,\n}%s",
                    (long long)x->h, (long long)x->w, (long long)x->c, x->lanes, (long long)side_bytes(s), s->label, s + 1 < sides + n ? "," : " };\n");
    }
}

// What a classifier tells apart: the axis of its ArgMax or Softmax, else all elements of its output.
static int64_t class_count(const struct side *out)
{
    for (int i = out->n_nodes - 1; i >= 0; i--) {
        const struct node *n = out->nodes[i];
        if (n->op == OP_ArgMax || n->op == OP_Softmax || n->op == OP_LogSoftmax)
            return n->in[0]->dims[axis_of(node_int(n, "axis", n->op == OP_ArgMax ? 0 : -1), n->in[0]->rank)];
    }
    const struct node *last = out->port ? out->port->tensor->producer : out->tensor->producer;
    if (!out->port && last && last->op == OP_Softmax)
        return out->tensor->dims[axis_of(node_int(last, "axis", -1), out->tensor->rank)];
    if (last && argmax_in_hardware(last))
        return last->in[0]->dims[axis_of(node_int(last, "axis", 0), last->in[0]->rank)];
    return tensor_count(out->tensor);
}

static int64_t largest_tensor(const struct side *s, int64_t bytes)
{
    bytes = max_i64(bytes, s->n_nodes ? tensor_count(s->port->tensor) : 0);
    for (int i = 0; i < s->n_nodes; i++)
        bytes = max_i64(bytes, tensor_count(s->nodes[i]->out[0]) * (int64_t)dtype_bytes(s->nodes[i]->out[0]->dtype));
    return bytes;
}

static void add_labels(struct writer *w, struct strbuf *sb)
{
    strbuf_adds(sb, "static const char *const labels[] = {\n");
    for (int64_t i = 0; i < class_count(&w->model[w->model_in]); i++) {
        strbuf_adds(sb, "    ");
        driver_quoted(sb, w->labels[i]);
        strbuf_adds(sb, ",\n");
    }
    strbuf_adds(sb, "};\n\n");
}

static void add_code(const struct image *code, struct strbuf *sb)
{
    strbuf_adds(sb, "\nstatic const uint8_t code[] = {");
    for (int64_t i = 0; i < code->depth_words; i++)
        strbuf_addf(sb, "%s%d,", i % 24 ? " " : "\n    ", code->bytes[i]);
    strbuf_adds(sb, "\n};\n");
}

static bool write_network(struct writer *w)
{
    const struct design *d = w->d;
    const struct pipeline *p = d->pipeline;
    struct strbuf sb = STRBUF_INIT;
    char hash[65];
    design_identity(d, hash);
    strbuf_addf(&sb, SPDX "// %s for libaihls: tensors, streams and what the host computes between them. Made by aihls.\n#include \"%s.h\"\n\n"
                "#include \"libaihls/aihls_border.h\"\n%s\n", w->name, w->name, p->host ? "#include \"libaihls/aihls_host.h\"\n#include <math.h>\n" : "");
    bool ok = true;
    int64_t scratch_bytes = 0;
    for (int i = 0; i < w->n_in + w->n_out; i++) {
        ok = ok && add_border(w, &w->sides[i], &sb);
        scratch_bytes = largest_tensor(&w->sides[i], scratch_bytes);
    }
    if (w->labels)
        add_labels(w, &sb);
    add_ports(&sb, "inputs", w->sides, w->n_in);
    add_ports(&sb, "outputs", w->sides + w->n_in, w->n_out);
    if (p->host)
        driver_host(&sb, d);
    const struct image *code = d->netlist ? d->netlist->code : NULL;
    if (code)
        add_code(code, &sb);
    strbuf_addf(&sb, "\nconst struct aihls_network %s_network = {\n    .interface = AIHLS_INTERFACE, .name = \"%s\",\n    .model_sha256 = \"%s\",\n"
                "    .n_inputs = %d, .n_outputs = %d,%s .n_classes = %lld,%s\n"
                "    .clock_hz = %lld, .frame_cycles = %lld, .latency_cycles = %lld, .scratch_bytes = %lld,%s%s\n};\n",
                w->name, w->name, hash, w->n_in, w->n_out, p->n_stages ? " .inputs = inputs, .outputs = outputs," : "", (long long)class_count(&w->model[w->model_in]), w->labels ? " .labels = labels," : "", (long long)p->clock_hz,
                (long long)p->interval_cycles, (long long)p->latency_cycles, (long long)scratch_bytes, p->host ? " .host = &host," : "",
                code ? arena_printf(w->cx->arena, " .code = code, .code_bytes = %lld,", (long long)code->depth_words) : "");
    ok = ok && put(w, arena_printf(w->cx->arena, "%s_network.c", w->name), &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- NAME_weights.bin ----

// What aihls_reload takes.
static bool write_weights(struct writer *w)
{
    const struct image *code = w->d->netlist ? w->d->netlist->code : NULL;
    if (!w->d->pipeline->reloadable || !code)
        return true;
    struct strbuf sb = STRBUF_INIT;
    char hash[65], pair[3] = "";
    design_identity(w->d, hash);
    strbuf_adds(&sb, "AIHLSWTS");
    for (int i = 0; i < 32; i++) {
        memcpy(pair, hash + 2 * i, 2);
        strbuf_addch(&sb, (char)strtol(pair, NULL, 16));
    }
    for (int i = 0; i < 4; i++)
        strbuf_addch(&sb, (char)(code->depth_words >> 8 * i));
    ASSERT(sb.len == AIHLS_WEIGHTS_HEADER_BYTES);
    for (int64_t i = 0; i < code->depth_words; i++)
        strbuf_addch(&sb, (char)code->bytes[i]);
    bool ok = put(w, arena_printf(w->cx->arena, "%s_weights.bin", w->name), &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- NAME.h ----

static void add_side_constants(struct writer *w, struct strbuf *sb, const char *big, const struct side *s)
{
    const char *label = upper(w->cx->arena, s->label);
    strbuf_addf(sb, "#define %s_%s_COUNT %lld // elements of ", big, label, (long long)tensor_count(s->tensor));
    for (int i = 0; i < s->tensor->rank; i++)
        strbuf_addf(sb, "%s%lld", i ? " x " : "", (long long)s->tensor->dims[i]);
    if (!s->stream) {
        strbuf_addf(sb, " %s\n", driver_type(s->tensor->dtype)->c);
        return;
    }
    strbuf_addf(sb, " %s\n#define %s_%s_BYTES %lld // on the wire\n", driver_type(s->tensor->dtype)->c, big, label, (long long)side_bytes(s));
    strbuf_addf(sb, "#define %s_%s_SCALE %.17g // an element q on the wire stands for scale * (q - zero point)\n#define %s_%s_ZERO_POINT %s%d%s\n",
                big, label, s->stream->scale, big, label, s->stream->zero_point < 0 ? "(" : "", s->stream->zero_point, s->stream->zero_point < 0 ? ")" : "");
}

// ", const float *input0, const float *input1": parameters for the inputs or outputs.
static void add_parameters(struct strbuf *sb, const char *qualifier, const struct side *sides, int n)
{
    for (int i = 0; i < n; i++)
        strbuf_addf(sb, ", %s%s *%s", qualifier, driver_type(sides[i].tensor->dtype)->c, sides[i].label);
}

// The array `in` or `out` that the library takes.
static void add_arguments(struct writer *w, struct strbuf *sb, const char *direction, const char *big, const struct side *sides, int n)
{
    strbuf_addf(sb, "    struct aihls_%sput %s[] = {", direction, direction);
    for (int i = 0; i < n; i++)
        strbuf_addf(sb, "%s { %s, %s, %s_%s_COUNT }", i ? "," : "", sides[i].label, driver_type(sides[i].tensor->dtype)->constant, big, upper(w->cx->arena, sides[i].label));
    strbuf_adds(sb, " };\n");
}

static void add_typed_functions(struct writer *w, struct strbuf *sb, const char *big)
{
    const char *name = w->name;
    const struct side *in = w->model, *out = w->model + w->model_in;
    strbuf_addf(sb, "// aihls_run, aihls_submit and aihls_wait with this network's types.\nstatic inline enum aihls_status %s_run(struct aihls *a", name);
    add_parameters(sb, "const ", in, w->model_in);
    add_parameters(sb, "", out, w->model_out);
    strbuf_adds(sb, ")\n{\n");
    add_arguments(w, sb, "in", big, in, w->model_in);
    add_arguments(w, sb, "out", big, out, w->model_out);
    strbuf_addf(sb, "    return aihls_run(a, in, %d, out, %d, NULL);\n}\n\nstatic inline enum aihls_status %s_submit(struct aihls *a", w->model_in, w->model_out, name);
    add_parameters(sb, "const ", in, w->model_in);
    strbuf_adds(sb, ", uint64_t *ticket)\n{\n");
    add_arguments(w, sb, "in", big, in, w->model_in);
    strbuf_addf(sb, "    return aihls_submit(a, in, %d, ticket);\n}\n\nstatic inline enum aihls_status %s_wait(struct aihls *a, uint64_t ticket", w->model_in, name);
    add_parameters(sb, "", out, w->model_out);
    strbuf_adds(sb, ", int64_t timeout_us)\n{\n");
    add_arguments(w, sb, "out", big, out, w->model_out);
    strbuf_addf(sb, "    return aihls_wait(a, ticket, out, %d, timeout_us, NULL);\n}\n\n", w->model_out);
}

static void add_backend_declarations(const struct writer *w, struct strbuf *sb)
{
    const char *name = w->name;
    if (w->d->pipeline->n_stages)
        strbuf_addf(sb, "// Back ends. The Makefile builds \"simulation\" where Verilator is installed. %s_backend gives NULL for one that\n// was not built.\n"
                        "extern const struct aihls_backend %s_reference;\nextern const struct aihls_backend %s_simulation;\n", name, name, name);
    else
        strbuf_addf(sb, "// The processor computes all of this network: \"reference\" is the only back end, NULL any other.\n"
                        "extern const struct aihls_backend %s_reference;\n", name);
    strbuf_addf(sb, "const struct aihls_backend *%s_backend(const char *name);\n\n", name);
}

static bool write_header(struct writer *w)
{
    const struct pipeline *p = w->d->pipeline;
    const char *name = w->name, *big = upper(w->cx->arena, name);
    struct strbuf sb = STRBUF_INIT;
    char hash[65];
    design_identity(w->d, hash);
    strbuf_addf(&sb, SPDX "// %s: a network for libaihls. Made by aihls for %s at %lld MHz.\n#ifndef AIHLS_NETWORK_%s_H\n#define AIHLS_NETWORK_%s_H\n\n"
                "#include \"libaihls/aihls.h\"\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", name, w->d->board.name, (long long)(p->clock_hz / 1000000), big, big);
    strbuf_addf(&sb, "#define %s_MODEL_SHA256 \"%s\"\n#define %s_CLASSES %lld\n#define %s_FRAME_CYCLES %lld // predicted, at %s_CLOCK_HZ\n#define %s_CLOCK_HZ %lld\n",
                big, hash, big, (long long)class_count(&w->model[w->model_in]), big, (long long)p->interval_cycles, big, big, (long long)p->clock_hz);
    if (p->n_stages && project_has_system(w->d))
        strbuf_addf(&sb, "#define %s_REGISTERS 0x%llxu // address, as project/ has it\n#define %s_INTERRUPT %lld // of the GIC; Linux counts from 32\n",
                    big, (unsigned long long)w->d->board.axi_base, big, (long long)w->d->board.irq_spi + 32);
    if (p->host)
        strbuf_addf(&sb, "#define %s_HOST_BYTES %d // of the handle's memory that the host's part takes for each frame in the queue\n", big, p->host->host.bytes);
    for (int i = 0; i < w->model_in + w->model_out; i++)
        add_side_constants(w, &sb, big, &w->model[i]);
    strbuf_addf(&sb, "\nextern const struct aihls_network %s_network;\n\n", name);
    add_backend_declarations(w, &sb);
    add_typed_functions(w, &sb, big);
    strbuf_adds(&sb, "#ifdef __cplusplus\n}\n#endif\n#endif\n");
    bool ok = put(w, arena_printf(w->cx->arena, "%s.h", name), &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- NAME_reference.c ----

static void add_field(struct strbuf *sb, const char *name, int64_t v)
{
    if (v)
        strbuf_addf(sb, " .%s = %lld,", name, (long long)v);
}

// A comment may hold whatever a model's author wrote: keep it on its line and plain.
static void add_comment(struct strbuf *sb, const char *text)
{
    strbuf_adds(sb, "// ");
    for (; *text; text++)
        strbuf_addch(sb, *text < ' ' || *text > '~' || *text == '\\' || *text == '?' ? '_' : *text);
    strbuf_addch(sb, '\n');
}

static void add_stage(struct strbuf *sb, const struct stage *s, const struct aihls_stage *r)
{
    strbuf_adds(sb, "    { ");
    add_comment(sb, s->nodes);
    strbuf_addf(sb, "      .run = %s, .n_in = %d, .in = { %d, %d }, .out = %d,\n     ", ref_int_function(s),
                r->n_in, r->in[0], r->in[1], r->out);
    const struct { const char *name; int32_t value; } fields[] = {
        { "in_h", r->in_h }, { "in_w", r->in_w }, { "in_c", r->in_c }, { "out_h", r->out_h }, { "out_w", r->out_w }, { "out_c", r->out_c },
        { "kernel_h", r->kernel_h }, { "kernel_w", r->kernel_w }, { "stride_h", r->stride_h }, { "stride_w", r->stride_w },
        { "dilation_h", r->dilation_h }, { "dilation_w", r->dilation_w }, { "pad_top", r->pad_top }, { "pad_left", r->pad_left },
        { "group", r->group }, { "pad_value", r->pad_value }, { "a_zp", r->a_zp }, { "b_zp", r->b_zp }, { "a_mult", r->a_mult },
        { "b_mult", r->b_mult }, { "add_shift", r->add_shift }, { "n_tables", r->n_tables },
        { "select_last", r->select_last }, { "power", r->power },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        add_field(sb, fields[i].name, fields[i].value);
    if (s->weights)
        strbuf_addf(sb, "\n      .weights = %s_weights,", s->name);
    if (s->table)
        strbuf_addf(sb, "\n      .table = %s_table,", s->name);
    if (s->thresholds)
        strbuf_addf(sb, "\n      .thresholds = %s_thresholds,", s->name);
    if (s->kind == STAGE_GATHER)
        strbuf_addf(sb, "\n      .y_at = %s_y_at, .x_at = %s_x_at, .c_at = %s_c_at,", s->name, s->name, s->name);
    if (s->kind == STAGE_CONCAT)
        strbuf_addf(sb, "\n      .piece = { %d, %d },", r->piece[0], r->piece[1]);
    strbuf_addf(sb, "\n      .rq = {");
    add_field(sb, "by_pixel", r->rq.by_pixel);
    if (r->rq.n)
        strbuf_addf(sb, " .n = %d, .bias = %s_bias, .mult = %s_mult, .shift = %s_shift,", r->rq.n, s->name, s->name, s->name);
    strbuf_addf(sb, " .zero_point = %d, .clamp_lo = %d, .clamp_hi = %d", r->rq.zero_point, r->rq.clamp_lo, r->rq.clamp_hi);
    if (r->rq.bias_frac)
        strbuf_addf(sb, ", .bias_frac = %d", r->rq.bias_frac);
    strbuf_adds(sb, " } },\n");
}

// The back end's frame is done as soon as it is submitted.
static bool write_no_stages(struct writer *w)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, SPDX "// %s has no stages: the processor computes it. Made by aihls.\n#include \"%s.h\"\n\n#include \"libaihls/aihls_reference.h\"\n\n"
                "static const struct aihls_reference design = { .n_stages = 0 };\n\nconst struct aihls_backend %s_reference = AIHLS_REFERENCE(design);\n",
                w->name, w->name, w->name);
    bool ok = put(w, arena_printf(w->cx->arena, "%s_reference.c", w->name), &sb);
    strbuf_release(&sb);
    return ok;
}

static bool write_reference(struct writer *w)
{
    const struct pipeline *p = w->d->pipeline;
    struct strbuf sb = STRBUF_INIT, stages = STRBUF_INIT;
    strbuf_addf(&sb, SPDX "// The stages of %s with their weights, for the back end \"reference\". Made by aihls.\n#include \"%s.h\"\n\n"
                "#include \"libaihls/aihls_reference.h\"\n\n", w->name, w->name);
    for (int i = 0; i < p->n_stages; i++) {
        const struct stage *s = &p->stages[i];
        struct aihls_stage r = ref_int_describe(p, s);
        if (s->weights)
            driver_array(&sb, "int16_t", s->name, "weights", stage_weight_count(s), s->weights, driver_i16);
        if (s->table)
            driver_array(&sb, "int8_t", s->name, "table", 256 * s->n_tables, s->table, driver_i8);
        if (s->thresholds)
            driver_array(&sb, "int64_t", s->name, "thresholds", 256, s->thresholds, driver_i64);
        if (s->kind == STAGE_GATHER) {
            driver_array(&sb, "int32_t", s->name, "y_at", s->gather.out_h, r.y_at, driver_i32);
            driver_array(&sb, "int32_t", s->name, "x_at", s->gather.out_w, r.x_at, driver_i32);
            driver_array(&sb, "int32_t", s->name, "c_at", s->out_c, r.c_at, driver_i32);
        }
        if (r.rq.n) {
            driver_array(&sb, "int64_t", s->name, "bias", r.rq.n, r.rq.bias, driver_i64);
            driver_array(&sb, "int32_t", s->name, "mult", r.rq.n, r.rq.mult, driver_i32);
            driver_array(&sb, "int", s->name, "shift", r.rq.n, r.rq.shift, driver_i32);
        }
        add_stage(&stages, s, &r);
    }
    strbuf_addf(&sb, "\nstatic const struct aihls_stage stages[%d] = {\n%s};\n", p->n_stages, stages.text);
    strbuf_addf(&sb, "static const int32_t stream_count[%d] = {", p->n_streams);
    for (int i = 0; i < p->n_streams; i++)
        strbuf_addf(&sb, " %lld%s", (long long)p->streams[i].h * p->streams[i].w * p->streams[i].c, i + 1 < p->n_streams ? "," : " };\n");
    strbuf_adds(&sb, "static const int32_t input_streams[] = {");
    for (int i = 0; i < w->n_in + w->n_out; i++)
        strbuf_addf(&sb, "%s %d,", i == w->n_in ? " };\nstatic const int32_t output_streams[] = {" : "", w->sides[i].port->stream);
    strbuf_addf(&sb, " };\nstatic const struct aihls_reference design = {\n    .stages = stages, .n_stages = %d, .stream_count = stream_count, .n_streams = %d,\n"
                "    .inputs = input_streams, .outputs = output_streams,\n};\n\nconst struct aihls_backend %s_reference = AIHLS_REFERENCE(design);\n",
                p->n_stages, p->n_streams, w->name);
    bool ok = put(w, arena_printf(w->cx->arena, "%s_reference.c", w->name), &sb);
    strbuf_release(&sb);
    strbuf_release(&stages);
    return ok;
}

// ---- NAME_simulation.cpp, NAME_backends.c ----

static bool write_simulation(struct writer *w)
{
    const struct netlist *n = w->d->netlist;
    const char *name = w->name;
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, SPDX "// The Verilated design of %s, for the back end \"simulation\". AIHLS_ROOT is the directory that holds mem/.\n"
                "// Made by aihls.\n#include \"V%s.h\"\n#include \"%s.h\"\n#include \"libaihls/aihls_simulation.hpp\"\n\n", name, name, name);
    strbuf_addf(&sb, "static void connect(V%s &top, AihlsWires *inputs, AihlsWires *outputs)\n{\n", name);
    for (int i = 0; i < w->n_in + w->n_out; i++) {
        const char *port = w->sides[i].port->name;
        bool in = i < w->n_in;
        strbuf_addf(&sb, "    %s[%d] = { &top.%s_data, &top.%s_valid, &top.%s_ready };\n", in ? "inputs" : "outputs", in ? i : i - w->n_in, port, port, port);
    }
    if (pipeline_loads(w->d->pipeline))
        strbuf_addf(&sb, "    inputs[%d] = { &top.%s_data, &top.%s_valid, &top.%s_ready };\n", w->n_in, BIND_CODE, BIND_CODE, BIND_CODE);
    strbuf_adds(&sb, "}\n\nstatic const char *const images[] = {\n");
    for (int i = 0; i < n->n_images; i++)
        strbuf_addf(&sb, "    \"%s\",\n", n->images[i].file);
    strbuf_addf(&sb, "    nullptr,\n};\n\nstatic const AihlsDesign<V%s> design = { connect, AIHLS_ROOT, images };\n\n"
                "const struct aihls_backend %s_simulation = aihls_simulation<V%s>(&design);\n", name, name, name);
    bool ok = put(w, arena_printf(w->cx->arena, "%s_simulation.cpp", name), &sb);
    strbuf_release(&sb);
    return ok;
}

static bool write_backends(struct writer *w)
{
    struct strbuf sb = STRBUF_INIT;
    bool hardware = w->d->pipeline->n_stages > 0, axi = hardware && shell_has_axi(w->d), uart = hardware && shell_has_uart(w->d); // a board needs one of them
    strbuf_addf(&sb, SPDX "// The back ends of %s by name. The Makefile defines AIHLS_WITH_SIMULATION where Verilator is installed. Made by aihls.\n"
                "#include <string.h>\n\n#include \"%s.h\"\n%s#include \"libaihls/aihls_backend.h\"\n%s%s\n", w->name, w->name,
                axi ? "#include \"libaihls/aihls_bare.h\"\n" : "", axi ? "#include \"libaihls/aihls_linux.h\"\n" : "", uart ? "#include \"libaihls/aihls_serial.h\"\n#include \"libaihls/aihls_spidev.h\"\n" : "");
    if (uart)
        strbuf_addf(&sb, "#if defined(__unix__) || defined(__APPLE__)\nstatic const struct aihls_serial_design line = { %lld };\n"
                    "static const struct aihls_backend serial = AIHLS_SERIAL(&line);\n#endif\n\n"
                    "#ifdef __linux__\nstatic const struct aihls_spidev_design spi_design = { %lld };\nstatic const struct aihls_backend spi = AIHLS_SPI(&spi_design);\n#endif\n\n",
                    (long long)shell_uart_baud(w->d), (long long)shell_spi_hz(project_clock_hz(w->d)));
    strbuf_addf(&sb, "static const struct aihls_backend *const all[] = {\n    &%s_reference,\n", w->name);
    if (hardware)
        strbuf_addf(&sb, "#ifdef AIHLS_WITH_SIMULATION\n    &%s_simulation,\n#endif\n", w->name);
    strbuf_addf(&sb, "%s%s};\n\n",
                axi ? "#ifdef __linux__\n    &aihls_linux,\n#endif\n    &aihls_bare,\n" : "",
                uart ? "#if defined(__unix__) || defined(__APPLE__)\n    &serial,\n#endif\n#ifdef __linux__\n    &spi,\n#endif\n" : "");
    strbuf_addf(&sb, "const struct aihls_backend *%s_backend(const char *name)\n{\n    for (size_t i = 0; name && i < sizeof all / sizeof *all; i++)\n"
                "        if (strcmp(all[i]->name, name) == 0)\n            return all[i];\n    return NULL;\n}\n", w->name);
    bool ok = put(w, arena_printf(w->cx->arena, "%s_backends.c", w->name), &sb);
    strbuf_release(&sb);
    return ok;
}

static bool write_python(struct writer *w)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, "# SPDX-License-Identifier: Apache-2.0\n\"\"\"%s for Python: `make python` first; see libaihls/aihls.py. Made by aihls.\"\"\"\n"
                "import os\nimport sys\n\n_here = os.path.dirname(os.path.abspath(__file__))\nsys.path.append(os.path.join(_here, \"libaihls\"))\n"
                "from aihls import Error, Network  # noqa: E402,F401\n\n\n"
                "def open(backend=None, queue_frames=0):\n    \"\"\"A Network on a back end: \"simulation\", \"reference\"%s; None: the first that there is of "
                "linux, simulation, reference.\"\"\"\n"
                "    return Network(os.path.join(_here, \"build\", \"lib%s.so\"), \"%s\", backend, queue_frames)\n", w->name, shell_has_axi(w->d) ? ", \"linux\"" : "", w->name, w->name);
    bool ok = put(w, arena_printf(w->cx->arena, "%s.py", w->name), &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- files that are the same for every network, some behind lines that name it ----

static bool write_library(struct writer *w)
{
    bool ok = true;
    struct strbuf sb = STRBUF_INIT;
    for (int i = 0; ok && i < embedded_count; i++) {
        const struct embedded *f = &embedded_files[i];
        const char *file = f->path + strlen("drivers/");
        if (strncmp(f->path, "drivers/", 8) != 0)
            continue;
        const char *to = strncmp(file, "aihls", 5) == 0 ? arena_printf(w->cx->arena, "libaihls/%s", file) : file;
        if (strcmp(file, "Makefile") == 0)
            strbuf_addf(&sb, "# SPDX-License-Identifier: Apache-2.0\nNAME := %s\n\n", w->name);
        if (strcmp(file, "CMakeLists.txt") == 0)
            strbuf_addf(&sb, "# SPDX-License-Identifier: Apache-2.0\nset(NAME %s)\n\n", w->name);
        if (strcmp(file, "example.c") == 0)
            strbuf_addf(&sb, SPDX "#include \"%s.h\"\n#define NETWORK %s_network\n#define BACKEND %s_backend\n\n", w->name, w->name, w->name);
        // the lines above bring their own licence line
        size_t skip = sb.len ? strcspn((const char *)f->bytes, "\n") + 1 : 0;
        strbuf_add(&sb, f->bytes + skip, f->n_bytes - skip);
        ok = put(w, to, &sb);
    }
    strbuf_release(&sb);
    return ok;
}

bool driver_emit(const struct ctx *cx, const struct design *d, struct outdir *out, int *n_files)
{
    struct writer w = { .cx = cx, .d = d, .out = out, .name = d->top, .n_in = d->pipeline->n_inputs, .n_out = d->pipeline->n_outputs };
    read_sides(&w);
    read_model(&w);
    bool ok = (!d->request.labels || labels_read(cx, d->request.labels, class_count(&w.model[w.model_in]), &w.labels)) && write_header(&w) &&
              write_network(&w) && write_weights(&w) && (d->pipeline->n_stages ? write_reference(&w) && write_simulation(&w) : write_no_stages(&w)) && write_backends(&w) && write_python(&w) && write_library(&w);
    *n_files += w.n_files;
    return ok;
}

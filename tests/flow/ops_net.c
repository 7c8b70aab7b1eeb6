// SPDX-License-Identifier: Apache-2.0
#include "tests/flow/ops_net.h"

#include <math.h>

#include "base/check.h"
#include "dataflow/lower.h"
#include "tests/flow/ops_build.h"

#define SCALE 0.01    // of every tensor: a product of two spreads over most codes too
#define WEIGHT_SPREAD 73 // standard deviation of a weight
#define ROOM 11       // operators of a random network, about
#define MAX_OUTPUTS 3
#define NET_TRIES 100

struct network {
    struct builder b;
    int room; // operators that may still be added
    int zero_point;
    struct value outputs[MAX_OUTPUTS], inputs[2];
    int n_outputs, n_inputs;
};

// ---- operators ----

struct window {
    int64_t kernel_h, kernel_w, stride_h, stride_w, dilation;
    bool depthwise;
};

// Pads that give size / stride outputs, rounded up.
static int64_t same_pads(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t *before, int64_t *after)
{
    int64_t out = ceil_div(size, stride), all = max_i64(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size);
    *before = all / 2;
    *after = all - all / 2;
    return out;
}

// The result of a node in the one quantization there is.
static struct value settle(struct network *n, struct tensor *f, const struct value *shape)
{
    struct value v = *shape;
    v.q = quantize_as(&n->b, f, &v);
    n->room--;
    return v;
}

static struct value set_window(struct network *n, struct node *node, const struct window *w, const struct value *v)
{
    int64_t pads[4], kernel[] = { w->kernel_h, w->kernel_w }, stride[] = { w->stride_h, w->stride_w };
    struct value shape = *v;
    shape.h = same_pads(v->h, w->kernel_h, w->stride_h, w->dilation, &pads[0], &pads[2]);
    shape.w = same_pads(v->w, w->kernel_w, w->stride_w, w->dilation, &pads[1], &pads[3]);
    node_set_ints(n->b.g, node, "kernel_shape", 2, kernel);
    node_set_ints(n->b.g, node, "strides", 2, stride);
    node_set_ints(n->b.g, node, "pads", 4, pads);
    if (w->dilation > 1)
        node_set_ints(n->b.g, node, "dilations", 2, (const int64_t[]){ w->dilation, w->dilation });
    return shape;
}

// Weights [d0][d1][d2][d3] whose sums over `terms` products use most codes of the result.
static struct tensor *plain_weights(struct network *n, const int64_t *dims, int64_t terms)
{
    struct graph *g = n->b.g;
    int64_t count = dims[0] * dims[1] * dims[2] * dims[3];
    int8_t *q = arena_array(g->arena, int8_t, count);
    for (int64_t i = 0; i < count; i++)
        q[i] = (int8_t)random_range(n->b.r, -127, 127);
    struct tensor *in[] = { graph_add_const(g, "w", DT_INT8, 4, dims, q),
                            float_const(&n->b, "ws", 50.0 / (ACTIVATION_SPREAD * WEIGHT_SPREAD * sqrt((double)terms))) }, *f = temporary(&n->b, "wf");
    graph_add_node(g, OP_DequantizeLinear, "", 2, in, 1, &f);
    return f;
}

static struct value conv(struct network *n, const struct value *v, int64_t out_c, struct window w)
{
    struct graph *g = n->b.g;
    int64_t group = w.depthwise ? v->c : 1, dims[] = { w.depthwise ? v->c : out_c, v->c / group, w.kernel_h, w.kernel_w };
    struct tensor *in[] = { dequantize(&n->b, v), plain_weights(n, dims, dims[1] * dims[2] * dims[3]) }, *f = temporary(&n->b, "c");
    struct node *node = graph_add_node(g, OP_Conv, "", 2, in, 1, &f);
    struct value shape = set_window(n, node, &w, v);
    shape.c = dims[0];
    if (group > 1)
        node_set_int(g, node, "group", group);
    if (random_chance(n->b.r, 30)) {
        struct tensor *relu = temporary(&n->b, "a");
        graph_add_node(g, OP_Relu, "", 1, &f, 1, &relu);
        f = relu;
    }
    return settle(n, f, &shape);
}

static struct value square(struct network *n, const struct value *v, int64_t out_c, int64_t kernel, int64_t stride)
{
    return conv(n, v, out_c, (struct window){ kernel, kernel, stride, stride, 1, false });
}

static struct value max_pool(struct network *n, const struct value *v, int64_t kernel, int64_t stride)
{
    const struct window w = { kernel, kernel, stride, stride, 1, false };
    struct tensor *x = dequantize(&n->b, v), *f = temporary(&n->b, "p");
    struct value shape = set_window(n, graph_add_node(n->b.g, OP_MaxPool, "", 1, &x, 1, &f), &w, v);
    return settle(n, f, &shape);
}

static struct value nearest(struct network *n, const struct value *v)
{
    static const float scales[] = { 1, 1, 2, 2 };
    int64_t count = 4;
    struct tensor *in[] = { dequantize(&n->b, v), NULL, graph_add_const(n->b.g, "scales", DT_FLOAT, 1, &count, scales) };
    struct tensor *f = temporary(&n->b, "up");
    struct node *node = graph_add_node(n->b.g, OP_Resize, "", 3, in, 1, &f);
    node_set_string(n->b.g, node, "coordinate_transformation_mode", "asymmetric");
    node_set_string(n->b.g, node, "nearest_mode", "floor");
    struct value shape = *v;
    shape.h *= 2;
    shape.w *= 2;
    return settle(n, f, &shape);
}

static struct value transposed(struct network *n, const struct value *v, int64_t out_c)
{
    const int64_t dims[] = { v->c, out_c, 2, 2 }, two[] = { 2, 2 };
    struct tensor *in[] = { dequantize(&n->b, v), plain_weights(n, dims, v->c) }, *f = temporary(&n->b, "ct");
    struct node *node = graph_add_node(n->b.g, OP_ConvTranspose, "", 2, in, 1, &f);
    node_set_ints(n->b.g, node, "kernel_shape", 2, two);
    node_set_ints(n->b.g, node, "strides", 2, two);
    struct value shape = *v;
    shape.c = out_c;
    shape.h *= 2;
    shape.w *= 2;
    return settle(n, f, &shape);
}

static struct value function(struct network *n, const struct value *v)
{
    struct tensor *f = random_unary(&n->b, dequantize(&n->b, v));
    return settle(n, f, v);
}

// A gate for each channel from the image's averages: the image waits for its last pixel.
static struct value excite(struct network *n, const struct value *v)
{
    struct tensor *x = dequantize(&n->b, v), *f = temporary(&n->b, "g"), *y = temporary(&n->b, "se");
    graph_add_node(n->b.g, OP_GlobalAveragePool, "", 1, &x, 1, &f);
    struct value one = *v;
    one.h = one.w = 1;
    struct value gate = settle(n, f, &one);
    struct tensor *in[] = { dequantize(&n->b, v), dequantize(&n->b, &gate) };
    graph_add_node(n->b.g, OP_Mul, "", 2, in, 1, &y);
    return settle(n, y, v);
}

// ---- joins ----

static struct value elementwise(struct network *n, enum op op, const struct value *p, const struct value *q)
{
    struct tensor *in[] = { dequantize(&n->b, p), dequantize(&n->b, q) }, *f = temporary(&n->b, "j");
    graph_add_node(n->b.g, op, "", 2, in, 1, &f);
    return settle(n, f, p);
}

// Along channels (axis 1), height or width.
static struct value concat(struct network *n, int axis, int count, const struct value *parts)
{
    struct tensor *in[4], *f = temporary(&n->b, "cc");
    struct value shape = parts[0];
    ASSERT(count <= 4);
    for (int i = 0; i < count; i++) {
        in[i] = dequantize(&n->b, &parts[i]);
        if (i)
            *(axis == 1 ? &shape.c : axis == 2 ? &shape.h : &shape.w) += axis == 1 ? parts[i].c : axis == 2 ? parts[i].h : parts[i].w;
    }
    node_set_int(n->b.g, graph_add_node(n->b.g, OP_Concat, "", count, in, 1, &f), "axis", axis);
    n->room -= count - 2; // a chain of stages of two
    return settle(n, f, &shape);
}

static struct value beside(struct network *n, const struct value *p, const struct value *q)
{
    return concat(n, 1, 2, (const struct value[]){ *p, *q });
}

// ---- random branches ----

static struct value branch(struct network *n, const struct value *v, int64_t c, int depth);

static struct value random_conv(struct network *n, const struct value *v, int64_t c)
{
    struct random *r = n->b.r;
    struct window w = { PICK(r, 1, 1, 3, 3, 3, 5), PICK(r, 1, 1, 3, 3, 3, 5), 1, 1, PICK(r, 1, 1, 1, 2), false };
    if (c == v->c && random_chance(r, 30))
        w.depthwise = true;
    return conv(n, v, c, w);
}

// Smaller, something there, and back to the size of v: late and in bursts.
static struct value detour(struct network *n, const struct value *v, int64_t c, int depth)
{
    struct random *r = n->b.r;
    struct value x = random_chance(r, 50) ? max_pool(n, v, 2, 2) : square(n, v, c, PICK(r, 2, 3, 5), 2);
    if (n->room > 3)
        x = branch(n, &x, c, depth - 1);
    if (random_chance(r, 50) || x.c != c)
        return transposed(n, &x, c);
    return nearest(n, &x);
}

// Two to four branches of v, joined.
static struct value diamond(struct network *n, const struct value *v, int64_t c, int depth)
{
    struct random *r = n->b.r;
    struct value parts[4], x;
    int count = (int)PICK(r, 2, 2, 2, 3, 4);
    switch (random_range(r, 0, 5)) {
    case 0: case 1: case 2:
        x = branch(n, v, c, depth - 1);
        for (int i = 1; i < count; i++) {
            struct value y = branch(n, v, c, depth - 1);
            x = random_chance(r, 50) ? elementwise(n, random_chance(r, 75) ? OP_Add : OP_Mul, &x, &y) : elementwise(n, OP_Add, &y, &x);
        }
        return x;
    case 3: case 4:
        for (int i = 0; i < count; i++)
            parts[i] = branch(n, v, random_range(r, 1, 4), depth - 1);
        x = concat(n, 1, count, parts);
        return c == x.c ? x : square(n, &x, c, 1, 1);
    default:
        for (int i = 0; i < 2; i++)
            parts[i] = branch(n, v, c, depth - 1);
        int axis = (int)random_range(r, 2, 3);
        x = concat(n, axis, 2, parts);
        return conv(n, &x, c, (struct window){ 3, 3, axis == 2 ? 2 : 1, axis == 3 ? 2 : 1, 1, false });
    }
}

// From v to c channels at the same size.
static struct value branch(struct network *n, const struct value *v, int64_t c, int depth)
{
    struct random *r = n->b.r;
    struct value x = *v;
    bool even = v->h % 2 == 0 && v->w % 2 == 0;
    switch (n->room <= 0 ? 0 : random_range(r, 0, 9)) {
    case 0: case 1: break;
    case 2: case 3: case 4:
        for (int64_t i = random_range(r, 0, 2); i > 0 && n->room > 1; i--)
            x = random_conv(n, &x, random_range(r, 1, 4));
        return random_conv(n, &x, c);
    case 5: x = max_pool(n, v, 3, 1); break;
    case 6: x = random_chance(r, 50) ? function(n, v) : excite(n, v); break;
    case 7: return even ? detour(n, v, c, depth) : random_conv(n, v, c);
    default: return depth > 0 ? diamond(n, v, c, depth) : random_conv(n, v, c);
    }
    return x.c == c ? x : square(n, &x, c, 1, 1);
}

// ---- networks ----

static struct value any_input(struct network *n, int64_t c, int64_t h, int64_t w)
{
    const int64_t dims[] = { 1, c, h, w };
    struct value v = { .dtype = DT_INT8, .scale = (float)SCALE, .zero_point = n->zero_point, .rank = 4, .c = c, .h = h, .w = w };
    v.q = graph_add_tensor(n->b.g, "x", DT_INT8, 4, dims);
    return n->inputs[n->n_inputs++] = v;
}

static void output(struct network *n, const struct value *v)
{
    for (int i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].q == v->q)
            return;
    for (int i = 0; i < n->n_outputs; i++)
        if (n->outputs[i].q == v->q)
            return;
    if (n->n_outputs < MAX_OUTPUTS)
        n->outputs[n->n_outputs++] = *v;
}

// Levels down, each with a skip to its way up.
static struct value unet(struct network *n, const struct value *v, int levels, int64_t c)
{
    struct value across = square(n, v, c, 3, 1);
    if (levels == 0)
        return across;
    struct value down = max_pool(n, &across, 2, 2), low = unet(n, &down, levels - 1, c + 1), up = transposed(n, &low, c);
    struct value both = beside(n, &across, &up);
    return square(n, &both, c, 3, 1);
}

static struct value inception(struct network *n, const struct value *v, int64_t c)
{
    struct value three = square(n, v, c, 1, 1), five = square(n, v, 2, 1, 1), pool = max_pool(n, v, 3, 1);
    const struct value parts[] = { square(n, v, c, 1, 1), square(n, &three, c, 3, 1), square(n, &five, 2, 5, 1), square(n, &pool, 2, 1, 1) };
    return concat(n, 1, 4, parts);
}

static void neck(struct network *n, const struct value *v)
{
    struct value c3 = square(n, v, 4, 3, 1), c4 = square(n, &c3, 4, 3, 2), c5 = square(n, &c4, 4, 3, 2);
    struct value up5 = nearest(n, &c5), in4 = beside(n, &up5, &c4), p4 = square(n, &in4, 4, 1, 1);
    struct value up4 = nearest(n, &p4), in3 = beside(n, &up4, &c3), p3 = square(n, &in3, 4, 3, 1);
    struct value down3 = square(n, &p3, 4, 3, 2), again4 = beside(n, &down3, &p4), n4 = square(n, &again4, 4, 3, 1);
    struct value down4 = square(n, &n4, 4, 3, 2), again5 = beside(n, &down4, &c5), n5 = square(n, &again5, 4, 1, 1);
    output(n, &p3);
    output(n, &n4);
    output(n, &n5);
}

static struct value dense(struct network *n, const struct value *v, int layers, int64_t growth)
{
    struct value x = *v;
    for (int i = 0; i < layers; i++) {
        struct value fresh = square(n, &x, growth, 3, 1);
        x = beside(n, &x, &fresh);
    }
    return x;
}

static struct value random_part(struct network *n, const struct value *v)
{
    struct random *r = n->b.r;
    bool even = v->h % 2 == 0 && v->w % 2 == 0;
    int64_t c = random_range(r, 1, 5);
    struct value x;
    switch (random_range(r, 0, 9)) {
    case 0: return even ? unet(n, v, v->h % 4 == 0 && v->w % 4 == 0 && random_chance(r, 30) ? 2 : 1, c) : random_conv(n, v, c);
    case 1: return inception(n, v, random_range(r, 1, 3));
    case 2: return dense(n, v, (int)random_range(r, 1, 3), random_range(r, 1, 3));
    case 3: return square(n, v, c, PICK(r, 2, 3, 5), PICK(r, 2, 2, 3));
    case 4: // a long skip
        x = branch(n, v, c, 1);
        x = branch(n, &x, v->c, 1);
        x = random_conv(n, &x, v->c);
        return elementwise(n, OP_Add, &x, v);
    case 5: return even ? detour(n, v, c, 2) : random_conv(n, v, c);
    default: return diamond(n, v, c, 2);
    }
}

static void random_net(struct network *n)
{
    struct random *r = n->b.r;
    struct value v = any_input(n, random_range(r, 1, 4), PICK(r, 4, 4, 5, 6, 8, 8, 8, 9, 12), PICK(r, 4, 4, 5, 6, 8, 8, 8, 9, 12)), taps[2];
    int n_taps = 0;
    n->room = ROOM;
    if (random_chance(r, 15)) { // a second host
        struct value late = any_input(n, v.c, v.h, v.w), other = branch(n, &late, v.c, 1);
        v = random_chance(r, 50) ? elementwise(n, OP_Add, &v, &other) : beside(n, &other, &v);
    }
    if (random_chance(r, 40))
        v = random_conv(n, &v, random_range(r, 1, 5));
    do {
        v = random_part(n, &v);
        if (n->room > 0 && n_taps < 2 && random_chance(r, 25))
            taps[n_taps++] = v;
    } while (n->room > 0);
    output(n, &v);
    for (int i = 0; i < n_taps; i++)
        output(n, &taps[i]);
}

const char *ops_net_name(enum ops_net kind)
{
    static const char *const names[] = { "a U-Net", "an inception block", "a YOLO neck", "a DenseNet block", "a random network" };
    return names[kind];
}

struct graph *ops_net_graph(struct arena *a, struct random *r, enum ops_net kind, const char *name)
{
    struct graph *g = graph_new(a, name, name);
    struct network n = { .b = { g, r }, .zero_point = (int)random_range(r, -40, 40) };
    struct value v;
    g->opset = 13;
    if (kind == NET_ANY) {
        random_net(&n);
    } else {
        v = any_input(&n, 3, 8, 8);
        if (kind == NET_NECK) {
            neck(&n, &v);
        } else {
            v = kind == NET_UNET ? unet(&n, &v, 2, 3) : kind == NET_INCEPTION ? inception(&n, &v, 3) : dense(&n, &v, 3, 3);
            output(&n, &v);
        }
    }
    g->inputs = arena_array(a, struct tensor *, n.n_inputs);
    g->outputs = arena_array(a, struct tensor *, n.n_outputs);
    for (int i = 0; i < n.n_inputs; i++)
        g->inputs[g->n_inputs++] = n.inputs[i].q;
    for (int i = 0; i < n.n_outputs; i++)
        g->outputs[g->n_outputs++] = n.outputs[i].q;
    return g;
}

// ---- cases ----

void ops_net_make(struct arena *a, const struct board *boards, int n_boards, uint64_t seed, enum ops_net kind, const char *name,
                  struct ops_case *out)
{
    struct random r = { seed };
    struct diag diag = { .out = stderr };
    struct ctx cx = { a, &diag };
    for (int i = 0; i < NET_TRIES; i++) {
        *out = (struct ops_case){ .seed = seed, .name = name, .graph = ops_net_graph(a, &r, kind, name) };
        if (out->graph->n_outputs == 0)
            continue;
        if (!shape_infer(&cx, out->graph) || !lower_graph(&cx, out->graph, REQUANT_EXACT, name, &out->pipeline))
            BUG("seed %llu makes a network that is refused", (unsigned long long)seed);
        out->pipeline->board = &boards[random_range(&r, 0, n_boards - 1)];
        out->pipeline->clock_hz = out->pipeline->board->clock_hz;
        if (ops_case_fold(out->pipeline, &r))
            return;
    }
    BUG("seed %llu makes no small network", (unsigned long long)seed);
}

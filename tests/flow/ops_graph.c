// SPDX-License-Identifier: Apache-2.0
#include "tests/flow/ops_build.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

uint64_t random_bits(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t random_range(struct random *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_bits(r) % (uint64_t)(hi - lo + 1));
}

bool random_chance(struct random *r, int percent)
{
    return random_range(r, 0, 99) < percent;
}

double random_unit(struct random *r)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

int64_t random_pick(struct random *r, const int64_t *list, int n)
{
    return list[random_range(r, 0, n - 1)];
}

// ---- quantized tensors ----

struct tensor *temporary(struct builder *b, const char *name)
{
    return graph_add_tensor(b->g, name, DT_NONE, -1, NULL);
}

struct tensor *float_const(struct builder *b, const char *name, double x)
{
    float *f = arena_new(b->g->arena, float);
    *f = (float)x;
    return graph_add_const(b->g, name, DT_FLOAT, 0, NULL, f);
}

static struct tensor *byte_const(struct builder *b, const char *name, enum dtype t, int x)
{
    int8_t *q = arena_new(b->g->arena, int8_t);
    *q = (int8_t)x;
    return graph_add_const(b->g, name, t, 0, NULL, q);
}

struct tensor *int64_list(struct builder *b, const char *name, int n, const int64_t *v)
{
    int64_t *copy = arena_array(b->g->arena, int64_t, n), count = n;
    memcpy(copy, v, (size_t)n * sizeof *v);
    return graph_add_const(b->g, name, DT_INT64, 1, &count, copy);
}

struct tensor *dequantize(struct builder *b, const struct value *v)
{
    struct tensor *y = temporary(b, "f");
    struct tensor *in[] = { v->q, float_const(b, "s", v->scale), byte_const(b, "z", v->dtype, v->zero_point) };
    bool symmetric = v->zero_point == 0 && v->dtype == DT_INT8 && random_chance(b->r, 50);
    graph_add_node(b->g, OP_DequantizeLinear, "", symmetric ? 2 : 3, in, 1, &y);
    return y;
}

static enum dtype random_type(struct builder *b)
{
    return random_chance(b->r, 50) ? DT_INT8 : DT_UINT8;
}

static int random_zero_point(struct builder *b, enum dtype t)
{
    int low = t == DT_INT8 ? -128 : 0;
    switch (random_range(b->r, 0, 4)) {
    case 0: return low;
    case 1: return low + 255;
    case 2: return t == DT_INT8 ? 0 : 128;
    default: return low + (int)random_range(b->r, 1, 254);
    }
}

struct tensor *quantize_as(struct builder *b, struct tensor *x, const struct value *v)
{
    struct tensor *q = temporary(b, "q");
    struct tensor *in[] = { x, float_const(b, "s", v->scale), byte_const(b, "z", v->dtype, v->zero_point) };
    graph_add_node(b->g, OP_QuantizeLinear, "", 3, in, 1, &q);
    return q;
}

// A clamp that lower_graph folds into the requantizer, or nothing.
static struct tensor *random_clamp(struct builder *b, struct tensor *x, double step)
{
    struct tensor *y;
    int64_t kind = random_range(b->r, 0, 3);
    if (kind < 2)
        return x;
    y = temporary(b, "a");
    if (kind == 2) {
        graph_add_node(b->g, OP_Relu, "", 1, &x, 1, &y);
        return y;
    }
    double lo = step * (double)random_range(b->r, -90, 20), hi = lo + step * (double)random_range(b->r, 0, 120);
    struct tensor *in[] = { x, float_const(b, "lo", lo), float_const(b, "hi", hi) };
    if (random_chance(b->r, 25))
        in[1] = NULL;
    graph_add_node(b->g, OP_Clip, "", 3, in, 1, &y);
    return y;
}

// Quantizes x, whose values spread about `spread`, to a random type and zero point. Scales are such that results
// saturate now and then and yet use most codes.
struct value quantize(struct builder *b, struct tensor *x, double spread, bool clamp, const struct value *shape)
{
    struct value v = *shape;
    v.scale = (float)(spread / 50 * exp2(2 * random_unit(b->r) - 1));
    v.dtype = random_type(b);
    v.zero_point = random_zero_point(b, v.dtype);
    if (clamp)
        x = random_clamp(b, x, v.scale);
    v.q = quantize_as(b, x, &v);
    return v;
}

// ---- weights ----

static int random_weight(struct random *r, int style)
{
    switch (style) {
    case 0: return (int)random_range(r, -128, 127);
    case 1: return (int)random_range(r, -127, 127);
    case 2: return (int)random_range(r, -9, 9); // chains of any length are safe
    default: return random_chance(r, 30) ? -128 : (int)PICK(r, 127, -127, 0, 1);
    }
}

static const double *row_scales(struct builder *b, int64_t rows, bool per_row)
{
    double *s = arena_array(b->g->arena, double, rows), base = 0.002 + 0.02 * random_unit(b->r);
    for (int64_t i = 0; i < rows; i++)
        s[i] = (float)(per_row ? base * exp2(4 * random_unit(b->r) - 2) : base);
    // one nearly dead channel: its results all round to the zero point
    if (per_row && rows > 1 && random_chance(b->r, 15))
        s[random_range(b->r, 0, rows - 1)] = (float)(base * 1e-7);
    return s;
}

static struct tensor *scale_tensor(struct builder *b, const double *s, int64_t n)
{
    float *f = arena_array(b->g->arena, float, n);
    for (int64_t i = 0; i < n; i++)
        f[i] = (float)s[i];
    return graph_add_const(b->g, "ws", DT_FLOAT, n == 1 ? 0 : 1, &n, f);
}

struct weights random_weights(struct builder *b, int rank, const int64_t *dims, int axis)
{
    struct random *r = b->r;
    int64_t rows = dims[axis], count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    bool per_row = rows > 1 && random_chance(r, 60);
    struct weights w = { .scale = row_scales(b, rows, per_row) };
    enum dtype t = random_chance(r, 80) ? DT_INT8 : DT_UINT8;
    int style = (int)random_range(r, 0, 3), centre = t == DT_UINT8 ? 128 : 0;
    int64_t n_zero = per_row ? rows : 1;
    bool odd_zero = random_chance(r, 20); // weights of 9 bits
    int8_t *zero = arena_array(b->g->arena, int8_t, n_zero), *q = arena_array(b->g->arena, int8_t, count);
    for (int64_t i = 0; i < n_zero; i++)
        zero[i] = (int8_t)(odd_zero ? centre + random_range(r, -20, 20) : centre);
    double squares = 0;
    for (int64_t i = 0; i < count; i++) {
        int v = random_weight(r, style) >> (style == 2 ? count % 4 : 0); // of 5, 4, 3 or 2 bits
        q[i] = (int8_t)(v + centre);
        squares += (double)v * v;
    }
    w.spread = ACTIVATION_SPREAD * sqrt(fmax(1, squares / (double)rows));
    struct tensor *in[] = { graph_add_const(b->g, "w", t, rank, dims, q), scale_tensor(b, w.scale, n_zero),
                            graph_add_const(b->g, "wz", t, n_zero == 1 ? 0 : 1, &n_zero, zero) };
    w.f = temporary(b, "wf");
    struct node *n = graph_add_node(b->g, OP_DequantizeLinear, "", centre || odd_zero || random_chance(r, 50) ? 3 : 2, in, 1, &w.f);
    node_set_int(b->g, n, "axis", axis);
    return w;
}

double median_scale(const double *s, int64_t n)
{
    double log_sum = 0; // the geometric mean will do, the dead channel apart
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++)
        if (s[i] > 1e-6) {
            log_sum += log(s[i]);
            used++;
        }
    return used ? exp(log_sum / (double)used) : s[0];
}

// A bias of int32 behind a DequantizeLinear, of floats, or none.
struct tensor *random_bias(struct builder *b, int64_t n, double in_scale, const struct weights *w)
{
    int64_t kind = random_range(b->r, 0, 3);
    if (kind == 0)
        return NULL;
    int32_t *q = arena_array(b->g->arena, int32_t, n);
    float *f = arena_array(b->g->arena, float, n), *s = arena_array(b->g->arena, float, n);
    for (int64_t i = 0; i < n; i++) {
        q[i] = (int32_t)(w->spread * (2 * random_unit(b->r) - 1));
        s[i] = (float)(in_scale * w->scale[i]);
        f[i] = (float)q[i] * s[i];
    }
    if (kind == 1)
        return graph_add_const(b->g, "b", DT_FLOAT, 1, &n, f);
    struct tensor *in[] = { graph_add_const(b->g, "b", DT_INT32, 1, &n, q), graph_add_const(b->g, "bs", DT_FLOAT, 1, &n, s) };
    struct tensor *y = temporary(b, "bf");
    struct node *node = graph_add_node(b->g, OP_DequantizeLinear, "", 2, in, 1, &y);
    node_set_int(b->g, node, "axis", 0);
    return y;
}

// ---- windows ----

struct axis {
    int64_t in, kernel, stride, dilation, before, after, out;
};

static int64_t extent(const struct axis *x)
{
    return (x->kernel - 1) * x->dilation + 1;
}

static void count_windows(struct axis *x)
{
    if (x->in + x->before + x->after < extent(x))
        x->after = extent(x) - x->in - x->before;
    x->out = (x->in + x->before + x->after - extent(x)) / x->stride + 1;
}

// `pool`: ONNX wants pads below the kernel there.
static struct axis random_axis(struct random *r, int64_t in, bool pool)
{
    struct axis x = { .in = in, .kernel = random_range(r, 1, 5), .stride = PICK(r, 1, 1, 1, 2, 2, 3), .dilation = PICK(r, 1, 1, 1, 1, 2, 3) };
    if (in <= 5 && random_chance(r, 15)) {
        x.kernel = in;
        x.dilation = 1;
    }
    if (pool) {
        x.dilation = 1;
        if (in < x.kernel && !random_chance(r, 30))
            x.kernel = in;
    }
    int64_t most = (pool ? x.kernel : extent(&x)) - 1;
    switch (random_range(r, 0, 7)) {
    case 0: case 1: case 2: break;
    case 3: case 4:
        x.before = most / 2;
        x.after = most - x.before;
        break;
    case 5: case 6:
        x.before = random_range(r, 0, most);
        x.after = random_range(r, 0, most);
        break;
    default: // windows that lie in the padding altogether
        x.before = random_range(r, 0, most + (pool ? 0 : 2));
        x.after = random_range(r, 0, most + (pool ? 0 : 2));
    }
    if (pool && in + x.before + x.after < x.kernel)
        x.kernel = in + x.before + x.after;
    if (x.before >= x.kernel && pool)
        x.before = x.kernel - 1;
    if (x.after >= x.kernel && pool)
        x.after = x.kernel - 1;
    count_windows(&x);
    return x;
}

static struct axis same_axis(struct random *r, int64_t in)
{
    struct axis x = { .in = in, .kernel = random_range(r, 1, 4), .stride = 1, .dilation = PICK(r, 1, 1, 2) };
    x.before = random_range(r, 0, extent(&x) - 1);
    x.after = extent(&x) - 1 - x.before;
    count_windows(&x);
    return x;
}

static const struct axis point = { 1, 1, 1, 1, 0, 0, 1 };

static void set_window(struct builder *b, struct node *n, const struct axis *y, const struct axis *x, int rank)
{
    int64_t kernel[] = { y->kernel, x->kernel }, stride[] = { y->stride, x->stride }, dilation[] = { y->dilation, x->dilation };
    int64_t pads[] = { y->before, x->before, y->after, x->after }, pads1[] = { x->before, x->after };
    int spatial = rank - 2, skip = 2 - spatial;
    node_set_ints(b->g, n, "kernel_shape", spatial, kernel + skip);
    node_set_ints(b->g, n, "strides", spatial, stride + skip);
    if (y->dilation > 1 || x->dilation > 1)
        node_set_ints(b->g, n, "dilations", spatial, dilation + skip);
    node_set_ints(b->g, n, "pads", 2 * spatial, rank == 4 ? pads : pads1);
}

enum conv_style { CONV_PLAIN, CONV_GROUPED, CONV_DEPTHWISE, CONV_MULTIPLIER };

static struct value conv_window(struct builder *b, const struct value *v, int64_t group, int64_t out_c, struct axis y, struct axis x)
{
    int64_t dims[] = { out_c, v->c / group, y.kernel, x.kernel }, dims1[] = { out_c, v->c / group, x.kernel };
    struct tensor *in[3] = { dequantize(b, v) }, *f;
    struct weights w = random_weights(b, v->rank, v->rank == 4 ? dims : dims1, 0);
    in[1] = w.f;
    in[2] = random_bias(b, out_c, v->scale, &w);
    f = temporary(b, "c");
    struct node *n = graph_add_node(b->g, OP_Conv, "", in[2] ? 3 : 2, in, 1, &f);
    set_window(b, n, &y, &x, v->rank);
    if (group > 1)
        node_set_int(b->g, n, "group", group);
    struct value shape = { .rank = v->rank, .c = out_c, .h = y.out, .w = x.out };
    return quantize(b, f, w.spread * v->scale * median_scale(w.scale, out_c), true, &shape);
}

static int64_t random_channels(struct random *r)
{
    return PICK(r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16);
}

static struct value conv(struct builder *b, const struct value *v, enum conv_style style)
{
    struct random *r = b->r;
    int64_t group = 1, out_c = random_channels(r);
    if (style == CONV_DEPTHWISE || style == CONV_MULTIPLIER)
        group = v->c;
    if (style == CONV_DEPTHWISE)
        out_c = v->c;
    if (style == CONV_MULTIPLIER)
        out_c = v->c * random_range(r, 2, 3);
    if (style == CONV_GROUPED) {
        for (int i = 0; i < 8 && (group == 1 || v->c % group); i++)
            group = PICK(r, 2, 3, 4, 5);
        if (v->c % group)
            group = v->c;
        out_c = group * random_range(r, 1, 5);
    }
    struct axis y = v->rank == 4 ? random_axis(r, v->h, false) : point, x = random_axis(r, v->w, false);
    if (v->rank == 4 && random_chance(r, 25)) { // a square kernel is the common one
        x.kernel = y.kernel;
        x.dilation = y.dilation;
        count_windows(&x);
    }
    return conv_window(b, v, group, out_c, y, x);
}

struct value same_conv(struct builder *b, const struct value *v)
{
    struct axis y = v->rank == 4 ? same_axis(b->r, v->h) : point, x = same_axis(b->r, v->w);
    bool depthwise = random_chance(b->r, 30);
    return conv_window(b, v, depthwise ? v->c : 1, v->c, y, x);
}

static struct value pool(struct builder *b, const struct value *v, enum op op)
{
    struct random *r = b->r;
    struct axis y = v->rank == 4 ? random_axis(r, v->h, true) : point, x = random_axis(r, v->w, true);
    struct tensor *in = dequantize(b, v), *f = temporary(b, "p");
    struct node *n = graph_add_node(b->g, op, "", 1, &in, 1, &f);
    set_window(b, n, &y, &x, v->rank);
    if (op == OP_AveragePool)
        node_set_int(b->g, n, "count_include_pad", 1);
    struct value shape = *v;
    shape.h = y.out;
    shape.w = x.out;
    if (op == OP_MaxPool && random_chance(r, 60)) { // the same scale: no table behind the pool
        shape.q = quantize_as(b, f, &shape);
        return shape;
    }
    double spread = v->scale * ACTIVATION_SPREAD / (op == OP_MaxPool ? 1 : sqrt((double)(y.kernel * x.kernel)));
    return quantize(b, f, spread, true, &shape);
}

static struct value global_average(struct builder *b, const struct value *v)
{
    struct tensor *in = dequantize(b, v), *f = temporary(b, "g");
    graph_add_node(b->g, OP_GlobalAveragePool, "", 1, &in, 1, &f);
    struct value shape = *v;
    shape.h = shape.w = 1;
    return quantize(b, f, v->scale * ACTIVATION_SPREAD / sqrt((double)(v->h * v->w)), true, &shape);
}

// ---- matrices ----

struct value flatten(struct builder *b, const struct value *v)
{
    struct value m = *v;
    m.rank = 2;
    m.c = v->c * v->h * v->w;
    m.h = m.w = 1;
    struct tensor *in[] = { v->q, int64_list(b, "shape", 2, (const int64_t[]){ 1, m.c }) };
    m.q = temporary(b, "r");
    graph_add_node(b->g, OP_Reshape, "", 2, in, 1, &m.q);
    return m;
}

static struct value matrix(struct builder *b, const struct value *v, bool gemm)
{
    struct random *r = b->r;
    struct value m = v->rank == 2 ? *v : flatten(b, v);
    int64_t out_c = random_channels(r);
    bool trans_b = gemm && random_chance(r, 50);
    const int64_t dims[] = { trans_b ? out_c : m.c, trans_b ? m.c : out_c };
    struct tensor *in[3] = { dequantize(b, &m) }, *f;
    struct weights w = random_weights(b, 2, dims, trans_b ? 0 : 1);
    in[1] = w.f;
    in[2] = gemm ? random_bias(b, out_c, m.scale, &w) : NULL;
    f = temporary(b, "m");
    struct node *n = graph_add_node(b->g, gemm ? OP_Gemm : OP_MatMul, "", in[2] ? 3 : 2, in, 1, &f);
    double alpha = 1;
    if (gemm) {
        node_set_int(b->g, n, "transB", trans_b);
        if (random_chance(r, 25)) {
            alpha = 0.5 + random_unit(r);
            node_set_float(b->g, n, "alpha", (float)alpha);
            node_set_float(b->g, n, "beta", (float)(2 * random_unit(r) - 1));
        }
    }
    struct value shape = { .rank = 2, .c = out_c, .h = m.h, .w = 1 };
    return quantize(b, f, alpha * w.spread * m.scale * median_scale(w.scale, out_c), true, &shape);
}

// ---- elementwise ----

struct tensor *random_unary(struct builder *b, struct tensor *x)
{
    static const enum op ops[] = { OP_LeakyRelu, OP_Sigmoid, OP_Tanh, OP_HardSwish, OP_Elu, OP_Abs, OP_Neg, OP_Softsign, OP_Relu };
    enum op op = ops[random_range(b->r, 0, (int)(sizeof ops / sizeof *ops) - 1)];
    struct tensor *y = temporary(b, "u");
    struct node *n = graph_add_node(b->g, op, "", 1, &x, 1, &y);
    if (op == OP_LeakyRelu)
        node_set_float(b->g, n, "alpha", (float)(0.3 * random_unit(b->r)));
    return y;
}

struct value table(struct builder *b, const struct value *v)
{
    struct tensor *f = random_unary(b, dequantize(b, v));
    if (random_chance(b->r, 30))
        f = random_unary(b, f);
    double range = 128 * v->scale;
    return quantize(b, f, fmin(range, 1) * 0.6, false, v);
}

struct value add(struct builder *b, const struct value *p, const struct value *q)
{
    struct tensor *in[] = { dequantize(b, p), dequantize(b, q) }, *f = temporary(b, "s");
    graph_add_node(b->g, OP_Add, "", 2, in, 1, &f);
    return quantize(b, f, ACTIVATION_SPREAD * hypot(p->scale, q->scale), true, p);
}

// A residual: the value and a stage's result of it, two results, or the value twice.
static struct value residual(struct builder *b, const struct value *v)
{
    int64_t kind = random_range(b->r, 0, 9);
    if (kind == 0)
        return add(b, v, v);
    struct value left = v->rank == 2 || random_chance(b->r, 25) ? table(b, v) : same_conv(b, v);
    if (kind < 7)
        return random_chance(b->r, 50) ? add(b, &left, v) : add(b, v, &left);
    struct value right = v->rank == 2 || random_chance(b->r, 25) ? table(b, v) : same_conv(b, v);
    return add(b, &left, &right);
}

// ---- whole graphs ----

#define PORTS_PERCENT 12 // graphs of several inputs or outputs
#define ARGMAX_PERCENT 6 // of the others that end so
#define MANY_CHANNELS_PERCENT 1

enum family { CONV, GROUPED, DEPTHWISE, MULTIPLIER, GEMM, MATMUL, MAX_POOL, AVERAGE_POOL, GLOBAL_POOL, ADD, TABLE, MOVE };

// An image operator fits rank 3 and 4, the others anything.
static enum family random_family(struct random *r, int rank)
{
    static const enum family any[] = { CONV, CONV, CONV, CONV, CONV, CONV, GROUPED, GROUPED, DEPTHWISE, DEPTHWISE, DEPTHWISE,
                                       MULTIPLIER, GEMM, GEMM, MAX_POOL, MAX_POOL, AVERAGE_POOL, AVERAGE_POOL, GLOBAL_POOL, ADD, ADD, TABLE, MOVE, MOVE, MOVE, MOVE, MOVE,
                                       MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE };
    static const enum family flat[] = { GEMM, GEMM, MATMUL, MATMUL, ADD, TABLE, MOVE, MOVE };
    return rank == 2 ? flat[random_range(r, 0, 7)] : any[random_range(r, 0, (int)(sizeof any / sizeof *any) - 1)];
}

static struct value apply_family(struct builder *b, enum family f, const struct value *v)
{
    switch (f) {
    case CONV: return conv(b, v, CONV_PLAIN);
    case GROUPED: return conv(b, v, v->c > 1 ? CONV_GROUPED : CONV_PLAIN);
    case DEPTHWISE: return conv(b, v, CONV_DEPTHWISE);
    case MULTIPLIER: return conv(b, v, CONV_MULTIPLIER);
    case GEMM: return matrix(b, v, true);
    case MATMUL: return matrix(b, v, false);
    case MAX_POOL: return pool(b, v, OP_MaxPool);
    case AVERAGE_POOL: return pool(b, v, OP_AveragePool);
    case GLOBAL_POOL: return global_average(b, v);
    case ADD: return residual(b, v);
    case TABLE: return table(b, v);
    case MOVE: return ops_move(b, v);
    }
    BUG("no operator family");
}

struct value any_operator(struct builder *b, const struct value *v)
{
    return apply_family(b, random_family(b->r, v->rank), v);
}

struct value input_like(struct builder *b, const struct value *shape)
{
    struct value v = *shape;
    v.scale = (float)(0.005 + 0.05 * random_unit(b->r));
    v.dtype = random_type(b);
    v.zero_point = random_zero_point(b, v.dtype);
    const int64_t image[] = { 1, v.c, v.h, v.w }, row[] = { 1, v.c, v.w }, flat[] = { v.h, v.c };
    v.q = graph_add_tensor(b->g, "x", v.dtype, v.rank, v.rank == 4 ? image : v.rank == 3 ? row : flat);
    return v;
}

struct value random_input(struct builder *b)
{
    struct random *r = b->r;
    struct value v = { .c = random_channels(r) };
    v.rank = (int)PICK(r, 4, 4, 4, 4, 4, 4, 4, 3, 2);
    v.h = random_chance(r, 15) ? 1 : random_range(r, 2, 10);
    v.w = random_chance(r, 15) ? 1 : random_range(r, 2, 10);
    if (v.rank == 3)
        v.h = 1;
    if (v.rank == 2) {
        v.w = 1;
        v.c *= random_range(r, 1, 5);
        v.h = random_chance(r, 50) ? 1 : v.h;
    }
    return input_like(b, &v);
}

// An operator whose folds are few however many channels there are.
static struct value of_many_channels(struct builder *b, const struct value *v)
{
    static const enum family families[] = { TABLE, GLOBAL_POOL, MAX_POOL, AVERAGE_POOL };
    return apply_family(b, families[random_range(b->r, 0, 3)], v);
}

struct graph *ops_graph(struct arena *a, struct random *r, const char *name)
{
    struct graph *g = graph_new(a, name, name);
    struct builder b = { g, r };
    g->opset = 13;
    if (random_chance(r, PORTS_PERCENT)) {
        ops_ports(&b);
        return g;
    }
    const struct value long_pixel = { .rank = 4, .c = 4096, .h = 1, .w = 1 };
    bool many = random_chance(r, MANY_CHANNELS_PERCENT);
    struct value v = many ? input_like(&b, &long_pixel) : random_input(&b);
    g->inputs = arena_array(a, struct tensor *, 1);
    g->outputs = arena_array(a, struct tensor *, 1);
    g->inputs[g->n_inputs++] = v.q;
    v = many ? of_many_channels(&b, &v) : any_operator(&b, &v);
    if (!many && random_chance(r, 35))
        v = any_operator(&b, &v);
    if (v.c > 1 && v.h * v.w > 1 && random_chance(r, ARGMAX_PERCENT))
        v = ops_argmax(&b, &v);
    g->outputs[g->n_outputs++] = v.q;
    return g;
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/qdq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/quant.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_int.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 4
// A multiplier of 24 bits is off by 2^-25 of at most some 400 steps, its bias by as much.
#define TIE 4e-5

struct arena arena;
struct strbuf messages;
struct diag diag;
struct ctx cx;
struct model *m;
static uint32_t seed;

void qdq_setup(void)
{
    arena_init(&arena);
    messages = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &messages };
    cx = (struct ctx){ &arena, &diag };
    seed = 1;
    m = model_new(14);
}

int qdq_teardown(void **state)
{
    (void)state;
    if (m)
        model_free(m);
    m = NULL;
    arena_release(&arena);
    strbuf_release(&messages);
    return 0;
}

int random_int(int lo, int hi) // both included
{
    seed = seed * 1664525u + 1013904223u; // Numerical Recipes' "quick and dirty" generator
    return lo + (int)((seed >> 8) % (uint32_t)(hi - lo + 1));
}

// ---- float64 evaluation ----

struct value {
    int rank;
    int64_t d[MAX_RANK], n;
    double *v;
};

static struct value *values; // by tensor index

static struct value value_new(const struct tensor *t)
{
    struct value x = { .rank = t->rank, .n = tensor_count(t) };
    memcpy(x.d, t->dims, sizeof x.d);
    x.v = arena_array(&arena, double, x.n + 1);
    return x;
}

static struct value read_value(const struct tensor *t)
{
    if (!t->data)
        return values[t->index];
    struct value x = value_new(t);
    for (int64_t i = 0; i < x.n; i++)
        x.v[i] = tensor_const_f64(t, i);
    return x;
}

// Scale or zero point of element i of a tensor that node n quantizes or dequantizes.
static double param_at(const struct node *n, int k, int64_t i)
{
    if (n->n_in <= k || !n->in[k])
        return 0;
    const struct tensor *p = n->in[k], *x = n->in[0];
    int64_t count = tensor_count(p), inner = 1;
    if (count == 1)
        return tensor_const_f64(p, 0);
    for (int d = (int)node_int(n, "axis", 1) + 1; d < x->rank; d++)
        inner *= x->dims[d];
    return tensor_const_f64(p, i / inner % count);
}

static int64_t int_of(const struct node *n, const char *name, int i, int64_t fallback)
{
    const struct attr *a = node_attr(n, name);
    return a ? a->ints[i] : fallback;
}

struct axis { int64_t kernel, stride, pad, dilation; };

static struct axis axis_at(const struct node *n, int spatial, int i, int64_t kernel)
{
    return (struct axis){ kernel, int_of(n, "strides", i, 1), int_of(n, "pads", i, 0), int_of(n, "dilations", i, 1) };
    (void)spatial;
}

enum window_kind { WINDOW_CONV, WINDOW_MAX, WINDOW_AVERAGE, WINDOW_NORM };

// Convolution and pools over [1, C, (H,) W]; a missing H is one row.
static void eval_window(const struct node *n, struct value *y, enum window_kind kind)
{
    struct value x = read_value(n->in[0]), w = kind == WINDOW_CONV ? read_value(n->in[1]) : x;
    int s = x.rank - 2;
    bool two = s == 2, global = n->op == OP_GlobalAveragePool || n->op == OP_GlobalMaxPool || n->op == OP_GlobalLpPool;
    double p = (double)node_int(n, "p", 2);
    int64_t ih = two ? x.d[2] : 1, iw = x.d[x.rank - 1], oh = two ? y->d[2] : 1, ow = y->d[y->rank - 1], group = kind == WINDOW_CONV ? node_int(n, "group", 1) : x.d[1];
    int64_t kh = !two ? 1 : kind == WINDOW_CONV ? w.d[2] : global ? ih : int_of(n, "kernel_shape", 0, 1);
    int64_t kw = kind == WINDOW_CONV ? w.d[w.rank - 1] : global ? iw : int_of(n, "kernel_shape", s - 1, 1);
    struct axis ay = two ? axis_at(n, s, 0, kh) : (struct axis){ 1, 1, 0, 1 }, ax = axis_at(n, s, s - 1, kw);
    int64_t cig = x.d[1] / group, mg = y->d[1] / group;
    for (int64_t co = 0; co < y->d[1]; co++)
        for (int64_t o = 0; o < oh * ow; o++) {
            double sum = kind == WINDOW_MAX ? -INFINITY : 0;
            for (int64_t k = 0; k < cig * kh * kw; k++) {
                int64_t ci = k / (kh * kw), iy = o / ow * ay.stride - ay.pad + k / kw % kh * ay.dilation, ix = o % ow * ax.stride - ax.pad + k % kw * ax.dilation;
                if (iy < 0 || iy >= ih || ix < 0 || ix >= iw)
                    continue;
                double v = x.v[((co / mg * cig + ci) * ih + iy) * iw + ix];
                sum = kind == WINDOW_MAX ? fmax(sum, v) : sum + (kind == WINDOW_CONV ? v * w.v[co * cig * kh * kw + k] : kind == WINDOW_NORM ? pow(fabs(v), p) : v);
            }
            if (kind == WINDOW_CONV && n->n_in > 2)
                sum += read_value(n->in[2]).v[co];
            y->v[co * oh * ow + o] = kind == WINDOW_AVERAGE ? sum / (double)(kh * kw) : kind == WINDOW_NORM ? pow(sum, 1 / p) : sum;
        }
}

// Every element of a [1, C, H, W] image is added to its outputs, times its weights [C, M / group, kernel height, width].
static void eval_conv_transpose(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]), w = read_value(n->in[1]);
    struct axis ay = axis_at(n, 2, 0, w.d[2]), ax = axis_at(n, 2, 1, w.d[3]);
    int64_t group = node_int(n, "group", 1), per = x.d[1] / group, taps = w.d[2] * w.d[3];
    for (int64_t i = 0; i < y->n; i++)
        y->v[i] = n->n_in > 2 ? read_value(n->in[2]).v[i / (y->d[2] * y->d[3])] : 0;
    for (int64_t i = 0; i < x.n; i++)
        for (int64_t k = 0; k < w.d[1] * taps; k++) {
            int64_t c = i / (x.d[2] * x.d[3]), co = c / per * w.d[1] + k / taps;
            int64_t oy = i / x.d[3] % x.d[2] * ay.stride + k / w.d[3] % w.d[2] * ay.dilation - ay.pad;
            int64_t ox = i % x.d[3] * ax.stride + k % w.d[3] * ax.dilation - ax.pad;
            if (oy >= 0 && oy < y->d[2] && ox >= 0 && ox < y->d[3])
                y->v[(co * y->d[2] + oy) * y->d[3] + ox] += x.v[i] * w.v[c * w.d[1] * taps + k];
        }
}

static void eval_matrix(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]), w = read_value(n->in[1]);
    bool gemm = n->op == OP_Gemm, turned = gemm && node_int(n, "transB", 0);
    int64_t cols = y->d[y->rank - 1], inner = x.d[x.rank - 1];
    for (int64_t i = 0; i < y->n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += x.v[i / cols * inner + k] * w.v[turned ? i % cols * inner + k : k * cols + i % cols];
        y->v[i] = sum * (gemm ? (double)node_float(n, "alpha", 1) : 1);
        if (gemm && n->n_in > 2) {
            struct value c = read_value(n->in[2]);
            y->v[i] += (double)node_float(n, "beta", 1) * c.v[c.n == 1 ? 0 : i % cols];
        }
    }
}

static void eval_transpose(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]);
    for (int64_t i = 0; i < x.n; i++) {
        int64_t at[MAX_RANK], rest = i, to = 0;
        for (int d = x.rank - 1; d >= 0; d--) {
            at[d] = rest % x.d[d];
            rest /= x.d[d];
        }
        for (int d = 0; d < x.rank; d++)
            to = to * y->d[d] + at[int_of(n, "perm", d, x.rank - 1 - d)];
        y->v[to] = x.v[i];
    }
}

static double eval_element(const struct node *n, double x)
{
    switch ((int)n->op) {
    case OP_Relu: return x > 0 ? x : 0;
    case OP_Sigmoid: return 1 / (1 + exp(-x));
    case OP_Tanh: return tanh(x);
    case OP_LeakyRelu: return x < 0 ? x * (double)node_float(n, "alpha", 0.01f) : x;
    case OP_HardSwish: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case OP_Abs: return fabs(x);
    case OP_Exp: return exp(x);
    default: return x; // Reshape, Flatten, Identity and the like
    }
}

static double eval_two(enum op op, double a, double b)
{
    return op == OP_Add ? a + b : op == OP_Sub ? a - b : op == OP_Mul ? a * b : op == OP_Div ? a / b : pow(a, b);
}

static void eval_node(const struct node *n, struct value *y)
{
    struct value x = read_value(n->in[0]), b;
    const double low = n->out[0]->dtype == DT_UINT8 ? 0 : -128;
    switch ((int)n->op) {
    case OP_Conv: eval_window(n, y, WINDOW_CONV); return;
    case OP_ConvTranspose: eval_conv_transpose(n, y); return;
    case OP_MaxPool:
    case OP_GlobalMaxPool: eval_window(n, y, WINDOW_MAX); return;
    case OP_AveragePool:
    case OP_GlobalAveragePool: eval_window(n, y, WINDOW_AVERAGE); return;
    case OP_LpPool:
    case OP_GlobalLpPool: eval_window(n, y, WINDOW_NORM); return;
    case OP_Gemm:
    case OP_MatMul: eval_matrix(n, y); return;
    case OP_Transpose: eval_transpose(n, y); return;
    case OP_Add: case OP_Sub: case OP_Mul: case OP_Div: case OP_Pow:
        b = read_value(n->in[1]);
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = eval_two(n->op, x.v[x.n == 1 ? 0 : i], b.v[b.n == 1 ? 0 : i]);
        return;
    case OP_Clip:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = fmin(fmax(x.v[i], n->n_in > 1 && n->in[1] ? tensor_const_f64(n->in[1], 0) : -INFINITY),
                           n->n_in > 2 && n->in[2] ? tensor_const_f64(n->in[2], 0) : INFINITY);
        return;
    case OP_DequantizeLinear:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = (x.v[i] - param_at(n, 2, i)) * param_at(n, 1, i);
        return;
    case OP_QuantizeLinear:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = fmin(fmax(nearbyint(x.v[i] / param_at(n, 1, i)) + param_at(n, 2, i), low), low + 255);
        return;
    default:
        for (int64_t i = 0; i < y->n; i++)
            y->v[i] = eval_element(n, x.v[i]);
    }
}

// ---- models ----

void qdq(const char *name, float scale, int zero_point, enum dtype t)
{
    uint8_t z = (uint8_t)zero_point;
    model_f32(m, arena_printf(&arena, "%s_s", name), 0, NULL, &scale);
    model_raw(m, arena_printf(&arena, "%s_z", name), (int)t, 0, NULL, 1, &z);
    model_node(m, "QuantizeLinear", arena_printf(&arena, "%s %s_s %s_z", name, name, name), arena_printf(&arena, "%s_q", name));
    model_node(m, "DequantizeLinear", arena_printf(&arena, "%s_q %s_s %s_z", name, name, name), arena_printf(&arena, "%s_d", name));
}

void input(int rank, const int64_t *dims, float scale, int zero_point, enum dtype t)
{
    model_input(m, "x", DT_FLOAT, rank, dims);
    qdq("x", scale, zero_point, t);
}

void weights(const char *name, int rank, const int64_t *dims, int scales, int axis, enum dtype t, bool zero_points)
{
    int64_t count = 1, n_scales = scales;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    uint8_t *q = arena_array(&arena, uint8_t, count), *z = arena_array(&arena, uint8_t, scales);
    float *s = arena_array(&arena, float, scales);
    for (int64_t i = 0; i < count; i++)
        q[i] = (uint8_t)random_int(-128, 127);
    for (int i = 0; i < scales; i++) {
        s[i] = (float)random_int(100, 999) * 1e-5f;
        z[i] = (uint8_t)(zero_points ? random_int(0, 90) : 0);
    }
    model_raw(m, arena_printf(&arena, "%s_i", name), (int)t, rank, dims, (size_t)count, q);
    model_f32(m, arena_printf(&arena, "%s_s", name), scales > 1, &n_scales, s);
    model_raw(m, arena_printf(&arena, "%s_z", name), (int)t, scales > 1, &n_scales, (size_t)scales, z);
    model_node(m, "DequantizeLinear", arena_printf(&arena, "%s_i %s_s %s_z", name, name, name), name);
    model_int(m, "axis", axis);
}

void bias_float(const char *name, int n)
{
    int64_t dims = n;
    float *v = arena_array(&arena, float, n);
    for (int i = 0; i < n; i++)
        v[i] = (float)random_int(-4, 4) * 0.5f;
    model_f32(m, name, 1, &dims, v);
}

// ---- both evaluations ----

struct pipeline *qdq_lower(const struct graph **source, enum requant_mode mode)
{
    struct graph *g;
    struct pipeline *p = NULL;
    struct quant_ranges ranges = { 0 };
    bool ok = model_parse(m, &cx, &g) && shape_infer(&cx, g);
    if (ok)
        *source = graph_clone(g, &arena);
    ok = ok && simplify_graph(&cx, g) && quantize_graph(&cx, g, NULL, &ranges) && lower_graph(&cx, g, mode, "test", &p);
    if (!ok)
        fail_msg("%s", messages.text);
    pipeline_verify(p);
    return p;
}

const struct array *run_pipeline(const struct pipeline *p, const struct array *frame)
{
    int8_t **streams = arena_array(&arena, int8_t *, p->n_streams);
    struct array *y = arena_array(&arena, struct array, p->n_outputs);
    void *memory;
    assert_true(border_in(&cx, p, &arena, frame, streams, &memory));
    ref_int_frame(p, &arena, streams);
    assert_true(border_out(&cx, p, &arena, streams, memory, y));
    return y;
}

static void run_float64(const struct graph *g, const struct array *frame)
{
    values = arena_array(&arena, struct value, g->n_tensors);
    for (int k = 0; k < g->n_inputs; k++) {
        struct value *x = &values[g->inputs[k]->index];
        *x = value_new(g->inputs[k]);
        for (int64_t i = 0; i < x->n; i++)
            x->v[i] = array_f64(&frame[k], i);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const struct tensor *t = g->nodes[i]->out[0];
        values[t->index] = value_new(t);
        eval_node(g->nodes[i], &values[t->index]);
    }
}

const double *eval_float64(const struct graph *g, const struct array *frame, const struct tensor *t)
{
    run_float64(g, frame);
    return values[t->index].v;
}

// Distance of what an output's QuantizeLinear rounds from the nearest tie.
static double from_tie(const struct tensor *output, int64_t i)
{
    const struct node *q = output->producer;
    while (q->op == OP_Reshape)
        q = q->in[0]->producer;
    double v = read_value(q->in[0]).v[i] / param_at(q, 1, i);
    return fabs(fabs(v - floor(v)) - 0.5);
}

struct array frame_of(const struct tensor *input, const struct stream *s, int f)
{
    struct array x = array_new(&arena, DT_FLOAT, input->rank, input->dims);
    double lo = (-128 - s->zero_point) * s->scale, hi = (127 - s->zero_point) * s->scale;
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)(f == 0 ? lo : f == 1 ? hi : lo + (hi - lo) * random_int(-20, 1020) / 1000);
    return x;
}

struct tally compare(const struct graph *g, const struct pipeline *p)
{
    struct tally r = { 0 };
    bool seen[256] = { 0 };
    struct array *x = arena_array(&arena, struct array, g->n_inputs);
    for (int f = 0; f < FRAMES; f++) {
        for (int k = 0; k < g->n_inputs; k++) // zeros where no hardware reads
            x[k] = array_new(&arena, DT_FLOAT, g->inputs[k]->rank, g->inputs[k]->dims);
        for (int k = 0; k < p->n_inputs; k++)
            x[p->inputs[k].model] = frame_of(g->inputs[p->inputs[k].model], &p->streams[p->inputs[k].stream], f);
        const struct array *all = run_pipeline(p, x);
        run_float64(g, x);
        for (int k = 0; k < g->n_outputs; k++) {
            const struct value want = values[g->outputs[k]->index];
            const uint8_t *got = all[k].data;
            for (int64_t i = 0; i < want.n; i++) {
                int y = g->outputs[k]->dtype == DT_INT8 ? (int8_t)got[i] : got[i], difference = abs(y - (int)want.v[i]);
                r.wrong += difference > 1 || (difference == 1 && from_tie(g->outputs[k], i) > TIE);
                r.off_by_more += difference > 1;
                r.distinct += !seen[got[i]];
                seen[got[i]] = true;
            }
        }
    }
    return r;
}

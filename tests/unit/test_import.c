// SPDX-License-Identifier: Apache-2.0
// Imported forms of quantization: integers held in floats (frontend/simplify_integer.c) and QONNX (simplify_qonnx.c), through
// all passes into the integer reference, against a few loops here.
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
#include "sim/ref_float.h"
#include "sim/ref_int.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define NEAR_TIE 0x1p-20

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

// ---- floor by rounding ----

// For all n up to 12 and all X of n + 3 bits, and at the ends of quotients for n up to 40.
static void a_floor_is_a_rounded_offset(void **state)
{
    (void)state;
    for (int n = 1; n <= 12; n++)
        for (int64_t x = -(INT64_C(4) << n); x < INT64_C(4) << n; x++)
            assert_true(rne_shift(2 * x + 1 - (INT64_C(1) << n), n + 1) == x >> n);
    for (int n = 13; n <= 40; n++)
        for (int64_t q = -300; q <= 300; q++)
            for (int64_t r = -3; r <= 3; r++) {
                int64_t x = q * (INT64_C(1) << n) + r;
                assert_true(rne_shift(2 * x + 1 - (INT64_C(1) << n), n + 1) == x >> n);
            }
}

// ---- products ----

enum { IN_C = 3, OUT_C = 6, SIDE = 16 };

// What stands behind the product: the same function in ways that exporters write it.
enum spelling { CASTS, FLOOR, FLOOR_AFTER_CLIP, SPELLINGS };

struct product {
    int w[OUT_C][IN_C];
    int64_t kappa[OUT_C], lamda[OUT_C], factor;
    int shift, lo, hi;
};

static int64_t floor_shift(int64_t v, int n)
{
    return v >> n; // an arithmetic shift with every compiler that builds aihls
}

static int64_t meant(const struct product *p, const int *x, int o)
{
    int64_t acc = 0;
    for (int c = 0; c < IN_C; c++)
        acc += p->w[o][c] * x[c];
    int64_t y = floor_shift((acc * p->kappa[o] + p->lamda[o]) * p->factor, p->shift);
    return y < p->lo ? p->lo : y > p->hi ? p->hi : y;
}

static void constant(const char *name, double v)
{
    model_f32(m, name, 0, NULL, &(float){ (float)v });
}

static void integer(const char *name, int64_t v)
{
    model_i64(m, name, 1, &v);
}

static void random_product(struct product *p, enum spelling spelling)
{
    p->shift = random_int(8, 23);
    p->factor = random_int(1, 64);
    bool is_signed = spelling != CASTS && random_int(0, 1);
    p->lo = is_signed ? -128 : 0;
    p->hi = is_signed ? 127 : random_int(0, 2) ? 255 : random_int(1, 254);
    for (int c = 0; c < OUT_C; c++) {
        int64_t peak = 1;
        for (int k = 0; k < IN_C; k++) {
            p->w[c][k] = random_int(-64, 63);
            peak += 255 * llabs(p->w[c][k]);
        }
        // of a size that the results use their range
        int64_t full = (INT64_C(256) << p->shift) / p->factor;
        int64_t kappa = full / peak < 1 ? 1 : full / peak > 2048 ? 2048 : full / peak;
        p->kappa[c] = c == 0 ? 0 : c == 1 ? -kappa : kappa;
        p->lamda[c] = (int64_t)((double)full * random_int(-1000, 1000) / 1000);
        p->lamda[c] = p->lamda[c] > 1 << 24 ? 1 << 24 : p->lamda[c] < -(1 << 24) ? -(1 << 24) : p->lamda[c]; // floats hold these
    }
}

static void product_model(const struct product *p, enum spelling spelling)
{
    float w[OUT_C * IN_C], kappa[OUT_C], lamda[OUT_C];
    for (int c = 0; c < OUT_C; c++) {
        kappa[c] = (float)p->kappa[c];
        lamda[c] = (float)p->lamda[c];
        for (int k = 0; k < IN_C; k++)
            w[c * IN_C + k] = (float)p->w[c][k];
    }
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, IN_C, SIDE, SIDE));
    model_f32(m, "w", 4, DIMS(OUT_C, IN_C, 1, 1), w);
    model_f32(m, "kappa", 4, DIMS(1, OUT_C, 1, 1), kappa);
    model_f32(m, "lamda", 4, DIMS(1, OUT_C, 1, 1), lamda);
    constant("lo", p->lo);
    constant("hi", p->hi);
    model_node(m, "Conv", "x w", "acc");
    model_node(m, "Mul", "kappa acc", "scaled");
    model_node(m, "Add", "scaled lamda", "shifted");
    if (spelling == CASTS) {
        integer("factor", p->factor);
        integer("divisor", INT64_C(1) << p->shift);
        model_node(m, "Cast", "shifted", "whole");
        model_int(m, "to", DT_INT64);
        model_node(m, "Mul", "whole factor", "multiplied");
        model_node(m, "Div", "multiplied divisor", "divided");
        model_node(m, "Cast", "divided", "floored");
        model_int(m, "to", DT_FLOAT);
        model_node(m, "Clip", "floored lo hi", "y");
    } else {
        constant("factor", (double)p->factor);
        constant("divisor", ldexp(1, p->shift));
        model_node(m, "Mul", "shifted factor", "multiplied");
        model_node(m, "Div", "multiplied divisor", "divided");
        model_node(m, spelling == FLOOR ? "Floor" : "Clip", spelling == FLOOR ? "divided" : "divided lo hi", "first");
        model_node(m, spelling == FLOOR ? "Clip" : "Floor", spelling == FLOOR ? "first lo hi" : "first", "y");
    }
    model_output(m, "y");
}

// Every pixel another value in the first channels, the least and the largest of all among them.
static struct array product_frame(int lo)
{
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1, IN_C, SIDE, SIDE));
    for (int i = 0; i < IN_C * SIDE * SIDE; i++)
        ((float *)x.data)[i] = (float)(lo + (i % (SIDE * SIDE) == 0 ? 0 : i % (SIDE * SIDE) == 1 ? 255 : i < SIDE * SIDE ? i : random_int(0, 255)));
    return x;
}

static void a_product_of_integers_in_floats_is_exact(void **state)
{
    (void)state;
    int64_t distinct = 0;
    for (int round = 0; round < 120; round++) {
        struct product p;
        enum spelling spelling = (enum spelling)(round % SPELLINGS);
        const struct graph *source;
        if (round)
            m = model_new(14);
        random_product(&p, spelling);
        product_model(&p, spelling);
        struct pipeline *pipeline = qdq_lower(&source, REQUANT_EXACT);
        struct array x = product_frame(p.lo); // integers of the results' type
        const float *y = run_pipeline(pipeline, &x)[0].data, *in = x.data;
        bool seen[512] = { 0 };
        for (int i = 0; i < SIDE * SIDE; i++)
            for (int c = 0; c < OUT_C; c++) {
                int pixel[IN_C];
                for (int k = 0; k < IN_C; k++)
                    pixel[k] = (int)in[k * SIDE * SIDE + i];
                if ((int64_t)y[c * SIDE * SIDE + i] != meant(&p, pixel, c))
                    fail_msg("round %d, channel %d, pixel %d: %g, not %lld", round, c, i, (double)y[c * SIDE * SIDE + i], (long long)meant(&p, pixel, c));
                int v = (int)y[c * SIDE * SIDE + i] + 128;
                distinct += !seen[v];
                seen[v] = true;
            }
        model_free(m);
        m = NULL;
    }
    assert_true(distinct > 5000); // the results are no constants
}

// ---- sums: all pairs of bytes ----

static struct sum_row {
    const char *name;
    int a, b, shift;
} sums[] = {
    { "half of a sum", 1, 1, 1 },
    { "the factors of a power of two cancel", 32, 32, 6 },
    { "a quarter of a sum", 1, 1, 2 },
    { "unequal factors", 5, 3, 3 },
    { "unequal factors with a common one", 20, 12, 5 },
    { "large factors", 31, 33, 6 },
};

static void identity(const char *name, int channel)
{
    model_f32(m, arena_printf(&arena, "w_%s", name), 4, DIMS(1, 2, 1, 1), channel ? (float[]){ 0, 1 } : (float[]){ 1, 0 });
    model_node(m, "Conv", arena_printf(&arena, "x w_%s", name), arena_printf(&arena, "acc_%s", name));
    model_node(m, "Mul", arena_printf(&arena, "acc_%s four", name), arena_printf(&arena, "scaled_%s", name));
    model_node(m, "Add", arena_printf(&arena, "scaled_%s two", name), arena_printf(&arena, "shifted_%s", name));
    model_node(m, "Div", arena_printf(&arena, "shifted_%s four", name), arena_printf(&arena, "divided_%s", name));
    model_node(m, "Floor", arena_printf(&arena, "divided_%s", name), arena_printf(&arena, "floored_%s", name));
    model_node(m, "Clip", arena_printf(&arena, "floored_%s zero most", name), name);
}

static void check_sum(void **state)
{
    const struct sum_row *r = *state;
    const struct graph *source;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 256, 256));
    constant("two", 2);
    constant("four", 4);
    constant("zero", 0);
    constant("most", 255);
    constant("fa", r->a);
    constant("fb", r->b);
    constant("divisor", ldexp(1, r->shift));
    identity("a", 0);
    identity("b", 1);
    model_node(m, "Mul", "a fa", "ta");
    model_node(m, "Mul", "b fb", "tb");
    model_node(m, "Add", "ta tb", "sum");
    model_node(m, "Div", "sum divisor", "divided");
    model_node(m, "Floor", "divided", "y");
    model_output(m, "y");
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1, 2, 256, 256));
    for (int i = 0; i < 65536; i++) {
        ((float *)x.data)[i] = (float)(i & 255);
        ((float *)x.data)[65536 + i] = (float)(i >> 8);
    }
    const float *y = run_pipeline(p, &x)[0].data;
    for (int i = 0; i < 65536; i++) {
        int want = (r->a * (i & 255) + r->b * (i >> 8)) >> r->shift;
        want = want > 255 ? 255 : want;
        if ((int)y[i] != want)
            fail_msg("%d and %d: %g, not %d", i & 255, i >> 8, (double)y[i], want);
    }
}

// ---- what is not of that form stays as it is ----

static struct plain_row {
    const char *name;
    float weight, divisor, lo;
    const char *rounding;
} plains[] = {
    { "weights with fractions", 1.5f, 16, 0, "Floor" },
    { "a division by three", 2, 3, 0, "Floor" },
    { "nothing that rounds", 2, 16, 0, "Identity" },
    { "a clamp with a fraction", 2, 16, 0.5f, "Floor" },
    { "more than eight bits", 2, 16, -200, "Floor" },
    { "rounding up", 2, 16, 0, "Ceil" },
};

static void other_forms_are_left_alone(void **state)
{
    const struct plain_row *r = *state;
    struct graph *g;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 4, 4));
    model_f32(m, "w", 4, DIMS(1, 1, 1, 1), &r->weight);
    constant("divisor", (double)r->divisor);
    constant("lo", (double)r->lo);
    constant("hi", 255);
    model_node(m, "Conv", "x w", "acc");
    model_node(m, "Div", "acc divisor", "divided");
    model_node(m, r->rounding, "divided", "rounded");
    model_node(m, "Clip", "rounded lo hi", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g) && simplify_graph(&cx, g));
    assert_false(quant_is_quantized(g));
}

// ---- QONNX: a product, BatchNormalization, Quant ----

static struct quant_row {
    const char *name;
    int weight_bits, bits;
    bool is_signed, narrow, per_channel, relu, bipolar;
    const char *domain;
} quants[] = {
    { "two bits, narrow", 2, 2, true, true, false, false, false, "onnx.brevitas" },
    { "four bits of each", 4, 4, true, false, false, false, false, "qonnx.custom_op.general" },
    { "unsigned behind Relu", 4, 4, false, false, true, true, false, "qonnx.custom_op.general" },
    { "eight bits", 8, 8, true, true, true, false, false, "qonnx.custom_op.general" },
    { "eight unsigned bits", 8, 8, false, false, false, true, false, "onnx.brevitas" },
    { "bipolar weights", 1, 4, true, true, false, false, true, "qonnx.custom_op.general" },
    { "one unsigned bit", 3, 1, false, false, true, false, false, "qonnx.custom_op.general" },
};

enum { TERMS = 24, OUTS = 10, BATCH = 200 };

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

struct quant_net {
    double x_scale, y_scale, w_scale[OUTS], w[OUTS][TERMS];
    double gamma[OUTS], beta[OUTS], mean[OUTS], variance[OUTS];
};

static double lowest(const struct quant_row *r)
{
    return r->is_signed ? -exp2(r->bits - 1) + r->narrow : 0;
}

static double highest(const struct quant_row *r)
{
    return r->is_signed ? exp2(r->bits - 1) - 1 : exp2(r->bits) - 1 - r->narrow;
}

static float *floats(const double *v, int n)
{
    float *f = arena_array(&arena, float, n);
    for (int i = 0; i < n; i++)
        f[i] = (float)v[i];
    return f;
}

static double some(int lo, int hi) // a float
{
    return (double)(float)(random_int(lo, hi) / 1000.0 + 1e-4 * random_int(1, 9));
}

static void random_net(const struct quant_row *r, struct quant_net *n)
{
    double top = r->bipolar ? 1 : exp2(r->weight_bits - 1) - 1;
    n->x_scale = 0.125;
    n->y_scale = some(100, 900);
    for (int o = 0; o < OUTS; o++) {
        n->w_scale[o] = o && !r->per_channel ? n->w_scale[0] : some(20, 90);
        for (int k = 0; k < TERMS; k++)
            n->w[o][k] = r->bipolar ? 2 * random_int(0, 1) - 1 : random_int((int)-top, (int)top);
        n->gamma[o] = o == 0 ? 0 : some(200, 2000) * (o % 3 ? 1 : -1);
        n->beta[o] = some(-800, 800);
        n->mean[o] = some(-500, 500);
        n->variance[o] = some(50, 3000) * top;
    }
}

// A fake quantization of constant `name` with the grid's own values, and of `from` into `to`.
static void quant_net_model(const struct quant_row *r, const struct quant_net *n)
{
    double w[OUTS * TERMS];
    for (int o = 0; o < OUTS; o++)
        for (int k = 0; k < TERMS; k++) // off the grid by a little: it rounds
            w[o * TERMS + k] = n->w[o][k] * n->w_scale[o] * (r->bipolar ? 0.3 : 1) + 0.2 * n->w_scale[o] * (random_int(0, 2) - 1) * (r->bipolar ? 0 : 1);
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, TERMS));
    constant("x_scale", n->x_scale);
    constant("zero", 0);
    constant("eight", 8);
    constant("bits", r->bits);
    constant("weight_bits", r->weight_bits);
    constant("y_scale", n->y_scale);
    model_f32(m, "w_float", 2, DIMS(OUTS, TERMS), floats(w, OUTS * TERMS));
    model_f32(m, "w_scale", r->per_channel ? 2 : 0, DIMS(OUTS, 1), floats(n->w_scale, OUTS));
    model_f32(m, "gamma", 1, DIMS(OUTS), floats(n->gamma, OUTS));
    model_f32(m, "beta", 1, DIMS(OUTS), floats(n->beta, OUTS));
    model_f32(m, "mean", 1, DIMS(OUTS), floats(n->mean, OUTS));
    model_f32(m, "variance", 1, DIMS(OUTS), floats(n->variance, OUTS));
    const char *quant = arena_printf(&arena, "%s:Quant", r->domain);
    model_node(m, quant, "x x_scale zero eight", "xq");
    if (r->bipolar) {
        model_node(m, arena_printf(&arena, "%s:BipolarQuant", r->domain), "w_float w_scale", "wq");
    } else {
        model_node(m, quant, "w_float w_scale zero weight_bits", "wq");
        model_int(m, "narrow", 1);
    }
    model_node(m, "Transpose", "wq", "wt");
    model_node(m, "MatMul", "xq wt", "p");
    model_node(m, "BatchNormalization", "p gamma beta mean variance", "b");
    if (r->relu)
        model_node(m, "Relu", "b", "c");
    model_node(m, quant, arena_printf(&arena, "%s y_scale zero bits", r->relu ? "c" : "b"), "y");
    model_int(m, "signed", r->is_signed);
    model_int(m, "narrow", r->narrow);
    model_output(m, "y");
}

// Output o in steps, before rounding.
static double quant_net_step(const struct quant_row *r, const struct quant_net *n, const float *x, int o)
{
    double sum = 0;
    for (int k = 0; k < TERMS; k++)
        sum += clamp(nearbyint((double)x[k] / n->x_scale), -128, 127) * n->x_scale * n->w[o][k] * (double)(float)n->w_scale[o];
    double y = (sum - n->mean[o]) / sqrt(n->variance[o] + (double)1e-5f) * n->gamma[o] + n->beta[o];
    return (r->relu ? fmax(y, 0) : y) / n->y_scale;
}

static void check_quant(void **state)
{
    const struct quant_row *r = *state;
    struct quant_net n;
    const struct graph *source;
    random_net(r, &n);
    quant_net_model(r, &n);
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    int64_t ties = 0, distinct = 0;
    bool seen[512] = { 0 };
    for (int f = 0; f < BATCH; f++) {
        struct array x = array_new(&arena, DT_FLOAT, 2, DIMS(1, TERMS));
        for (int k = 0; k < TERMS; k++)
            ((float *)x.data)[k] = (float)random_int(-128, 127) / 8;
        const float *y = run_pipeline(p, &x)[0].data;
        for (int o = 0; o < OUTS; o++) {
            double v = quant_net_step(r, &n, x.data, o), want = clamp(nearbyint(v), lowest(r), highest(r));
            int got = (int)nearbyint((double)y[o] / n.y_scale);
            bool tie = fabs(v - floor(v) - 0.5) <= NEAR_TIE * fmax(1, fabs(v));
            if (got != (int)want && (!tie || abs(got - (int)want) > 1))
                fail_msg("frame %d, output %d: %d, not %g (%.9g)", f, o, got, want, v);
            ties += got != (int)want;
            distinct += !seen[got + 256];
            seen[got + 256] = true;
        }
    }
    print_message("%s: %d results, %lld differ by one near a tie, %lld distinct\n", r->name, BATCH * OUTS, (long long)ties, (long long)distinct);
    assert_true(distinct >= (highest(r) - lowest(r) + 1) / 2);
}

// ---- Trunc: between two grids of eight and four bits, one table ----

static void a_truncation_is_a_table(void **state)
{
    (void)state;
    const struct graph *source;
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 256));
    constant("scale", 0.5);
    constant("zero", 3);
    constant("none", 0);
    constant("eight", 8);
    constant("four", 4);
    model_node(m, "qonnx.custom_op.general:Quant", "x scale zero eight", "a");
    model_node(m, "qonnx.custom_op.general:Trunc", "a scale zero eight four", "b");
    model_node(m, "qonnx.custom_op.general:Quant", "b scale none eight", "y");
    model_output(m, "y");
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    assert_int_equal(p->n_stages, 1);
    assert_int_equal(p->stages[0].kind, STAGE_TABLE);
    struct array x = array_new(&arena, DT_FLOAT, 2, DIMS(1, 256)), by_float;
    for (int i = 0; i < 256; i++)
        ((float *)x.data)[i] = (float)(i - 128 - 3) / 2;
    const float *y = run_pipeline(p, &x)[0].data;
    assert_true(ref_float_run(&cx, graph_clone(source, &arena), &arena, &x, &by_float));
    for (int i = 0; i < 256; i++) {
        double want = (floor((i - 128) / 16.0) - 3) * 0.5;
        if ((double)y[i] != want || array_f64(&by_float, i) != want)
            fail_msg("%d: %g, in floats %g, not %g", i - 128, (double)y[i], array_f64(&by_float, i), want);
    }
}

// ---- channels behind the other axes ----

enum { IMAGE_SIDE = 7, COLORS = 3, KERNELS = 5, CONVOLVED = IMAGE_SIDE - 2, POOLED = CONVOLVED / 2, LAST_FRAMES = 20 };

struct last_net {
    double w[KERNELS][3][3][COLORS], scale[KERNELS], gamma[KERNELS], beta[KERNELS], mean[KERNELS], variance[KERNELS];
};

static const double last_step = 0.25; // of the result

static void last_net_model(struct last_net *n)
{
    const char *quant = "qonnx.custom_op.general:Quant", *last = "qonnx.custom_op.channels_last";
    float w[KERNELS * 9 * COLORS];
    for (int o = 0; o < KERNELS; o++) {
        n->scale[o] = 0.05 * (o + 1);
        for (int i = 0; i < 9 * COLORS; i++) {
            n->w[o][i / (3 * COLORS)][i / COLORS % 3][i % COLORS] = random_int(-7, 7);
            w[o * 9 * COLORS + i] = (float)(n->w[o][i / (3 * COLORS)][i / COLORS % 3][i % COLORS] * (double)(float)n->scale[o]);
        }
        n->gamma[o] = some(200, 900) * (o % 2 ? 1 : -1);
        n->beta[o] = some(-800, 800);
        n->mean[o] = some(-500, 500);
        n->variance[o] = some(500, 3000);
    }
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, IMAGE_SIDE, IMAGE_SIDE, COLORS));
    constant("x_scale", 0.125);
    constant("zero", 0);
    constant("eight", 8);
    constant("four", 4);
    constant("y_scale", last_step);
    model_f32(m, "w", 4, DIMS(KERNELS, 3, 3, COLORS), w);
    model_f32(m, "w_scale", 4, DIMS(KERNELS, 1, 1, 1), floats(n->scale, KERNELS));
    model_f32(m, "gamma", 1, DIMS(KERNELS), floats(n->gamma, KERNELS));
    model_f32(m, "beta", 1, DIMS(KERNELS), floats(n->beta, KERNELS));
    model_f32(m, "mean", 1, DIMS(KERNELS), floats(n->mean, KERNELS));
    model_f32(m, "variance", 1, DIMS(KERNELS), floats(n->variance, KERNELS));
    model_node(m, quant, "x x_scale zero eight", "xq");
    model_node(m, quant, "w w_scale zero four", "wq");
    model_node(m, arena_printf(&arena, "%s:Conv", last), "xq wq", "c");
    model_ints(m, "kernel_shape", 2, DIMS(3, 3));
    model_node(m, arena_printf(&arena, "%s:BatchNormalization", last), "c gamma beta mean variance", "b");
    model_node(m, "Relu", "b", "r");
    model_node(m, quant, "r y_scale zero eight", "q");
    model_node(m, arena_printf(&arena, "%s:MaxPool", last), "q", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_node(m, quant, "p y_scale zero eight", "y");
    model_output(m, "y");
}

// Pixel (y, x) of output o in front of the pool, in steps before rounding.
static double last_net_step(const struct last_net *n, const float *image, int y, int x, int o)
{
    double sum = 0;
    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++)
            for (int c = 0; c < COLORS; c++)
                sum += (double)image[((y + ky) * IMAGE_SIDE + x + kx) * COLORS + c] * n->w[o][ky][kx][c] * (double)(float)n->scale[o];
    double v = (sum - n->mean[o]) / sqrt(n->variance[o] + (double)1e-5f) * n->gamma[o] + n->beta[o];
    return fmax(v, 0) / last_step;
}

static void channels_behind(void **state)
{
    (void)state;
    struct last_net n;
    const struct graph *source;
    last_net_model(&n);
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    for (int i = 0; i < p->n_stages; i++) // all orders are free
        assert_int_not_equal(p->stages[i].kind, STAGE_GATHER);
    int distinct = 0;
    bool seen[128] = { 0 };
    for (int f = 0; f < LAST_FRAMES; f++) {
        struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1, IMAGE_SIDE, IMAGE_SIDE, COLORS)), by_float;
        for (int i = 0; i < IMAGE_SIDE * IMAGE_SIDE * COLORS; i++)
            ((float *)x.data)[i] = (float)random_int(-128, 127) / 8;
        struct array y = run_pipeline(p, &x)[0];
        assert_true(ref_float_run(&cx, graph_clone(source, &arena), &arena, &x, &by_float));
        for (int i = 0; i < POOLED * POOLED * KERNELS; i++) {
            int oy = i / (POOLED * KERNELS), ox = i / KERNELS % POOLED, o = i % KERNELS, got = (int)nearbyint(array_f64(&y, i) / last_step);
            double top = 0;
            for (int k = 0; k < 4; k++)
                top = fmax(top, last_net_step(&n, x.data, 2 * oy + k / 2, 2 * ox + k % 2, o));
            double want = clamp(nearbyint(top), -128, 127);
            bool tie = fabs(top - floor(top) - 0.5) <= NEAR_TIE * fmax(1, top);
            if ((got != (int)want && !tie) || (nearbyint(array_f64(&by_float, i) / last_step) != want && !tie && fabs(top - floor(top) - 0.5) > 1e-4))
                fail_msg("frame %d, pixel %d %d, channel %d: %d, in float %g, not %g", f, oy, ox, o, got, array_f64(&by_float, i) / last_step, want);
            distinct += !seen[(int)want & 127];
            seen[(int)want & 127] = true;
        }
    }
    assert_true(distinct > 40);
}

// ---- signs of activations ----

// -1 or 1, in steps, of sums of signs and biases: behind a product, behind a quantized tensor, of the model's input.
static void signs_of_activations(void **state)
{
    (void)state;
    const char *bipolar = "qonnx.custom_op.general:BipolarQuant";
    const struct graph *source;
    double w[OUTS * TERMS], bias[OUTS];
    int counts[2] = { 0, 0 }, zeros = 0;
    for (int i = 0; i < OUTS * TERMS; i++)
        w[i] = random_int(0, 1) ? 0.5 : -0.5;
    for (int o = 0; o < OUTS; o++)
        bias[o] = o < 4 ? 0 : some(-900, 900);
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, TERMS));
    constant("x_scale", 0.5);
    constant("w_scale", 0.5);
    constant("y_scale", 3);
    model_f32(m, "w", 2, DIMS(TERMS, OUTS), floats(w, OUTS * TERMS));
    model_f32(m, "bias", 1, DIMS(OUTS), floats(bias, OUTS));
    model_node(m, bipolar, "x x_scale", "xs");
    model_node(m, bipolar, "w w_scale", "ws");
    model_node(m, "MatMul", "xs ws", "p");
    model_node(m, "Add", "p bias", "b");
    model_node(m, bipolar, "b y_scale", "y");
    model_output(m, "y");
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    for (int f = 0; f < BATCH; f++) {
        struct array x = array_new(&arena, DT_FLOAT, 2, DIMS(1, TERMS)), by_float;
        for (int k = 0; k < TERMS; k++)
            ((float *)x.data)[k] = (float)random_int(-3, 3) / 3;
        const float *y = run_pipeline(p, &x)[0].data;
        assert_true(ref_float_run(&cx, graph_clone(source, &arena), &arena, &x, &by_float));
        for (int o = 0; o < OUTS; o++) {
            double sum = (double)(float)bias[o];
            for (int k = 0; k < TERMS; k++)
                sum += (((const float *)x.data)[k] >= 0 ? 0.5 : -0.5) * w[k * OUTS + o];
            double want = sum >= 0 ? 3 : -3;
            if ((double)y[o] != want || array_f64(&by_float, o) != want)
                fail_msg("frame %d, output %d: %g, in floats %g, not %g of %g", f, o, (double)y[o], array_f64(&by_float, o), want, sum);
            counts[sum >= 0]++;
            zeros += sum == 0;
        }
    }
    print_message("%d negative, %d not, %d of them 0\n", counts[0], counts[1], zeros);
    assert_true(counts[0] > 100 && counts[1] > 100 && zeros > 20);
}

// ---- what QONNX may ask for and hardware does not have ----

static struct refused_row {
    const char *name;
    float bits, zero, scale;
    const char *mode;
    enum diag_code code;
} refusals[] = {
    { "activations of sixteen bits", 16, 0, 1, "ROUND", E207 },
    { "bits with a fraction", 2.5f, 0, 1, "ROUND", E207 },
    { "a zero point with a fraction", 4, 0.5f, 1, "ROUND", E209 },
    { "a zero point outside of the type", 8, 200, 1, "ROUND", E207 },
    { "a scale of zero", 4, 0, 0, "ROUND", E209 },
    { "rounding down", 4, 0, 1, "FLOOR", E202 },
};

static void check_refusal(void **state)
{
    const struct refused_row *r = *state;
    struct graph *g;
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 4));
    constant("scale", (double)r->scale);
    constant("zero", (double)r->zero);
    constant("bits", (double)r->bits);
    model_node(m, "qonnx.custom_op.general:Quant", "x scale zero bits", "y");
    model_string(m, "rounding_mode", r->mode);
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    if (simplify_graph(&cx, g)) { // it means something, and hardware has it not
        assert_int_equal(diag.errors, 0);
        assert_int_equal(g->nodes[0]->op, OP_Quant);
        assert_false(simplify_quant_fits(&cx, g, g->nodes[0]));
    }
    if (diag.first_error != r->code || diag.errors != 1 || !strstr(messages.text, "'y_node' (Quant)"))
        fail_msg("%d errors, want one %s:\n%s", diag.errors, diag_code_name(r->code), messages.text);
}

int main(void)
{
    struct CMUnitTest tests[40] = { cmocka_unit_test(a_floor_is_a_rounded_offset),
                                    cmocka_unit_test_setup_teardown(a_truncation_is_a_table, setup, qdq_teardown),
                                    cmocka_unit_test_setup_teardown(channels_behind, setup, qdq_teardown),
                                    cmocka_unit_test_setup_teardown(signs_of_activations, setup, qdq_teardown),
                                    cmocka_unit_test_setup_teardown(a_product_of_integers_in_floats_is_exact, setup, qdq_teardown) };
    size_t n = 5;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        tests[n++] = (struct CMUnitTest){ sums[i].name, check_sum, setup, qdq_teardown, &sums[i] };
    for (size_t i = 0; i < sizeof plains / sizeof *plains; i++)
        tests[n++] = (struct CMUnitTest){ plains[i].name, other_forms_are_left_alone, setup, qdq_teardown, &plains[i] };
    for (size_t i = 0; i < sizeof quants / sizeof *quants; i++)
        tests[n++] = (struct CMUnitTest){ quants[i].name, check_quant, setup, qdq_teardown, &quants[i] };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        tests[n++] = (struct CMUnitTest){ refusals[i].name, check_refusal, setup, qdq_teardown, &refusals[i] };
    return _cmocka_run_group_tests("import", tests, n, NULL, NULL);
}

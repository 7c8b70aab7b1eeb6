// SPDX-License-Identifier: Apache-2.0
// Operators on integers (QLinear…, QGemm, MatMulInteger, ConvInteger) through all passes into the integer reference, against
// float64 rounded half to even. A result may be off by one where float64 lies within 2^-20 of a tie, relative to the
// largest term; how many are is printed. The float reference may be off by one anywhere: its sums are float32.
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

enum { C = 4, SIDE = 5, OUTS = 6, TERMS = 16, COLUMNS = 8, VARIANTS = 6, FRAMES = 12 };

// Quantized operands: q stands for scale * (q - zero).
struct quantization {
    double scale; // a float
    int zero;
    enum dtype type;
};

static struct quantization a, b, y;
static int8_t w[OUTS * C * 9 + TERMS * COLUMNS];
static double w_scale[COLUMNS];
static int w_zero;
static int32_t bias[COLUMNS];

struct case_row {
    const char *name;
    void (*build)(void);
    // Output i in steps from the zero point, before rounding, for the integers of both inputs; *term: its largest term.
    double (*step)(const int *a, const int *b, int64_t i, double *term);
    int inputs, rank;
    int64_t dims[4];
};

static double real(const struct quantization *q, int v)
{
    return q->scale * (v - q->zero);
}

static struct quantization random_quantization(enum dtype t, double lo, double hi)
{
    struct quantization q = { .scale = (double)(float)(lo + (hi - lo) * random_int(0, 1000) / 1000), .type = t };
    q.zero = q.type == DT_INT8 ? random_int(-20, 20) : random_int(100, 150);
    return q;
}

static void parameters(const char *name, const struct quantization *q)
{
    int8_t z = (int8_t)q->zero; // uint8 is the same byte
    model_f32(m, arena_printf(&arena, "%s_s", name), 0, NULL, &(float){ (float)q->scale });
    model_raw(m, arena_printf(&arena, "%s_z", name), q->type, 0, NULL, 1, &z);
}

static void scales_of_weights(int n)
{
    float s[COLUMNS];
    for (int i = 0; i < n; i++)
        s[i] = (float)w_scale[i];
    model_f32(m, "w_s", n > 1, DIMS(n), s);
    int8_t z[COLUMNS];
    memset(z, (int8_t)w_zero, sizeof z);
    model_raw(m, "w_z", DT_INT8, n > 1, DIMS(n), (size_t)n, z);
}

static void bias_of(int n)
{
    model_raw(m, "bias", DT_INT32, 1, DIMS(n), (size_t)n * sizeof *bias, bias);
}

// ---- products ----

static double conv_sum(const int *x, int64_t i, double *term)
{
    int64_t o = i / (SIDE * SIDE), r = i / SIDE % SIDE, c = i % SIDE, sum = 0;
    for (int k = 0; k < C; k++)
        for (int dy = 0; dy < 3; dy++)
            for (int dx = 0; dx < 3; dx++) {
                int64_t yy = r + dy - 1, xx = c + dx - 1;
                if (yy < 0 || yy >= SIDE || xx < 0 || xx >= SIDE)
                    continue;
                int64_t p = (x[(k * SIDE + yy) * SIDE + xx] - a.zero) * (w[((o * C + k) * 3 + dy) * 3 + dx] - w_zero);
                sum += p;
                *term += (double)llabs(p);
            }
    return (double)sum;
}

static double matrix_sum(const int *x, int64_t i, bool transposed, double *term)
{
    int64_t sum = 0;
    for (int k = 0; k < TERMS; k++) {
        int64_t p = (x[k] - a.zero) * (w[transposed ? i * TERMS + k : k * COLUMNS + i] - w_zero);
        sum += p;
        *term += (double)llabs(p);
    }
    return (double)sum;
}

static void build_conv(void)
{
    model_raw(m, "w", DT_INT8, 4, DIMS(OUTS, C, 3, 3), OUTS * C * 9, w);
    w_zero = 0;
    scales_of_weights(OUTS);
    bias_of(OUTS);
    model_node(m, "QLinearConv", "a a_s a_z w w_s w_z y_s y_z bias", "y");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
}

static double step_conv(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    int64_t o = i / (SIDE * SIDE);
    double s = a.scale * w_scale[o] / y.scale, sum = conv_sum(xa, i, term) + bias[o];
    *term *= s;
    return sum * s;
}

static void build_matrix(void)
{
    model_raw(m, "w", DT_INT8, 2, DIMS(TERMS, COLUMNS), TERMS * COLUMNS, w);
    scales_of_weights(COLUMNS);
    model_node(m, "QLinearMatMul", "a a_s a_z w w_s w_z y_s y_z", "y");
}

static double step_matrix(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    double s = a.scale * w_scale[i] / y.scale, sum = matrix_sum(xa, i, false, term);
    *term *= s;
    return sum * s;
}

static void build_gemm(void)
{
    model_raw(m, "w", DT_INT8, 2, DIMS(COLUMNS, TERMS), TERMS * COLUMNS, w);
    scales_of_weights(1);
    bias_of(COLUMNS);
    model_node(m, "com.microsoft:QGemm", "a a_s a_z w w_s w_z bias y_s y_z", "y");
    model_int(m, "transB", 1);
}

static double step_gemm(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    double s = a.scale * w_scale[0] / y.scale, sum = matrix_sum(xa, i, true, term) + bias[i];
    *term *= s;
    return sum * s;
}

// What exporters put behind the integer products: Cast, Mul by the scales, a float bias, and here a QuantizeLinear.
static void rescale(int channels, const int64_t *dims, int rank)
{
    float s[COLUMNS], f[COLUMNS];
    for (int i = 0; i < channels; i++) {
        s[i] = (float)(a.scale * w_scale[i]);
        f[i] = (float)bias[i] / 64;
    }
    model_f32(m, "scales", rank, dims, s);
    model_f32(m, "float_bias", rank, dims, f);
    model_node(m, "Cast", "acc", "whole");
    model_int(m, "to", DT_FLOAT);
    model_node(m, "Mul", "whole scales", "scaled");
    model_node(m, "Add", "scaled float_bias", "biased");
    model_node(m, "QuantizeLinear", "biased y_s y_z", "y");
}

static double rescaled(double sum, int64_t o, double *term)
{
    double s = (double)(float)(a.scale * w_scale[o]);
    *term *= s / y.scale;
    return (sum * s + (double)((float)bias[o] / 64)) / y.scale;
}

static void build_matrix_integer(void)
{
    int8_t z = (int8_t)w_zero;
    model_raw(m, "w", DT_INT8, 2, DIMS(TERMS, COLUMNS), TERMS * COLUMNS, w);
    model_raw(m, "w_z", DT_INT8, 0, NULL, 1, &z);
    model_node(m, "MatMulInteger", "a w a_z w_z", "acc");
    rescale(COLUMNS, DIMS(COLUMNS), 1);
}

static double step_matrix_integer(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    double sum = matrix_sum(xa, i, false, term);
    return rescaled(sum, i, term);
}

static void build_conv_integer(void)
{
    model_raw(m, "w", DT_INT8, 4, DIMS(OUTS, C, 3, 3), OUTS * C * 9, w);
    w_zero = 0;
    model_node(m, "ConvInteger", "a w a_z", "acc");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    rescale(OUTS, DIMS(1, OUTS, 1, 1), 4);
}

static double step_conv_integer(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    double sum = conv_sum(xa, i, term);
    return rescaled(sum, i / (SIDE * SIDE), term);
}

// ---- elements ----

static void build_sum(void)
{
    model_node(m, "com.microsoft:QLinearAdd", "a a_s a_z b b_s b_z y_s y_z", "y");
}

static double step_sum(const int *xa, const int *xb, int64_t i, double *term)
{
    double p = real(&a, xa[i]) / y.scale, q = real(&b, xb[i]) / y.scale;
    *term = fmax(fabs(p), fabs(q));
    return p + q;
}

static void build_element_product(void)
{
    model_node(m, "com.microsoft:QLinearMul", "a a_s a_z b b_s b_z y_s y_z", "y");
}

static double step_element_product(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)term;
    return real(&a, xa[i]) * real(&b, xb[i]) / y.scale;
}

static void build_concat(void)
{
    model_node(m, "com.microsoft:QLinearConcat", "y_s y_z a a_s a_z b b_s b_z", "y");
    model_int(m, "axis", 1);
}

static double step_concat(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)term;
    int64_t half = C * SIDE * SIDE;
    return (i < half ? real(&a, xa[i]) : real(&b, xb[i - half])) / y.scale;
}

static void build_average(void)
{
    model_node(m, "com.microsoft:QLinearAveragePool", "a a_s a_z y_s y_z", "y");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
}

static double step_average(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    (void)term;
    int64_t n = SIDE - 1, c = i / (n * n), r = i / n % n, x = i % n, sum = 0;
    for (int k = 0; k < 4; k++)
        sum += xa[(c * SIDE + r + k / 2) * SIDE + x + k % 2] - a.zero;
    return (double)sum / 4 * a.scale / y.scale;
}

static void build_global_average(void)
{
    model_node(m, "com.microsoft:QLinearGlobalAveragePool", "a a_s a_z y_s y_z", "y");
}

static double step_global_average(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    (void)term;
    int64_t sum = 0;
    for (int k = 0; k < SIDE * SIDE; k++)
        sum += xa[i * SIDE * SIDE + k] - a.zero;
    return (double)sum / (SIDE * SIDE) * a.scale / y.scale;
}

static void build_sigmoid(void)
{
    model_node(m, "com.microsoft:QLinearSigmoid", "a a_s a_z y_s y_z", "y");
}

static double step_sigmoid(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    (void)term;
    return 1 / (1 + exp(-real(&a, xa[i]))) / y.scale;
}

static void build_leaky(void)
{
    model_node(m, "com.microsoft:QLinearLeakyRelu", "a a_s a_z y_s y_z", "y");
    model_float(m, "alpha", 0.1f);
}

static double step_leaky(const int *xa, const int *xb, int64_t i, double *term)
{
    (void)xb;
    (void)term;
    double v = real(&a, xa[i]);
    return (v < 0 ? (double)0.1f * v : v) / y.scale;
}

static struct case_row cases[] = {
    { "QLinearConv", build_conv, step_conv, 1, 4, { 1, C, SIDE, SIDE } },
    { "QLinearMatMul", build_matrix, step_matrix, 1, 2, { 1, TERMS } },
    { "QGemm", build_gemm, step_gemm, 1, 2, { 1, TERMS } },
    { "MatMulInteger", build_matrix_integer, step_matrix_integer, 1, 2, { 1, TERMS } },
    { "ConvInteger", build_conv_integer, step_conv_integer, 1, 4, { 1, C, SIDE, SIDE } },
    { "QLinearAdd", build_sum, step_sum, 2, 4, { 1, C, SIDE, SIDE } },
    { "QLinearMul", build_element_product, step_element_product, 2, 4, { 1, C, SIDE, SIDE } },
    { "QLinearConcat", build_concat, step_concat, 2, 4, { 1, C, SIDE, SIDE } },
    { "QLinearAveragePool", build_average, step_average, 1, 4, { 1, C, SIDE, SIDE } },
    { "QLinearGlobalAveragePool", build_global_average, step_global_average, 1, 4, { 1, C, SIDE, SIDE } },
    { "QLinearSigmoid", build_sigmoid, step_sigmoid, 1, 4, { 1, C, SIDE, SIDE } },
    { "QLinearLeakyRelu", build_leaky, step_leaky, 1, 4, { 1, C, SIDE, SIDE } },
};

static void random_constants(const struct case_row *r)
{
    bool sigmoid = r->step == step_sigmoid, product = r->step == step_element_product;
    bool weighted = r->step != step_sum && r->inputs == 1 && r->step != step_average && r->step != step_global_average && !sigmoid && r->step != step_leaky;
    enum dtype t = random_int(0, 1) ? DT_INT8 : DT_UINT8;
    a = random_quantization(t, 0.01, 0.1);
    b = random_quantization(t, 0.01, 0.1); // elements of one type only; products choose
    y = random_quantization(!weighted ? t : random_int(0, 1) ? DT_INT8 : DT_UINT8, weighted ? 0.1 : sigmoid ? 0.003 : product ? 0.05 : 0.02, weighted ? 0.4 : sigmoid ? 0.005 : product ? 0.2 : 0.1);
    w_zero = random_int(-9, 9);
    for (size_t i = 0; i < sizeof w; i++)
        w[i] = (int8_t)random_int(-118, 118);
    for (int i = 0; i < COLUMNS; i++) {
        w_scale[i] = (double)(float)(0.002 + 0.00001 * random_int(0, 999));
        bias[i] = random_int(-3000, 3000);
    }
}

static struct array frame(const struct quantization *q, const struct case_row *r, int *values)
{
    struct array x = array_new(&arena, q->type, r->rank, r->dims);
    for (int64_t i = 0; i < array_count(&x); i++) {
        values[i] = q->type == DT_INT8 ? random_int(-128, 127) : random_int(0, 255);
        array_set_f64(&x, i, values[i]);
    }
    return x;
}

static double limited(double v)
{
    double q = nearbyint(v) + y.zero, lo = y.type == DT_INT8 ? -128 : 0;
    return q < lo ? lo : q > lo + 255 ? lo + 255 : q;
}

struct counts {
    int64_t results, near_ties, float_differs;
};

static void check_frame(const struct case_row *r, const struct graph *source, const struct pipeline *p, struct counts *n)
{
    int values[2][C * SIDE * SIDE];
    struct array x[2] = { frame(&a, r, values[0]), frame(&b, r, values[1]) }, by_float;
    const struct array *got = run_pipeline(p, x);
    assert_true(ref_float_run(&cx, graph_clone(source, &arena), &arena, x, &by_float));
    for (int64_t i = 0; i < array_count(got); i++) {
        double term = 0, v = r->step(values[0], values[1], i, &term), want = limited(v), difference = fabs(array_f64(got, i) - want);
        bool tie = fabs(fabs(v - floor(v)) - 0.5) <= NEAR_TIE * fmax(fmax(1, fabs(v)), term);
        if (difference > 1 || (difference > 0 && !tie))
            fail_msg("element %lld: %g, not %g (%.12g)", (long long)i, array_f64(got, i), want, v);
        n->near_ties += difference > 0;
        double off = fabs(array_f64(&by_float, i) - want);
        assert_true(off <= 1);
        n->float_differs += off > 0;
        n->results++;
    }
}

static void check_case(void **state)
{
    const struct case_row *r = *state;
    struct counts n = { 0 };
    for (int variant = 0; variant < VARIANTS; variant++) {
        const struct graph *source;
        if (variant)
            m = model_new(14);
        random_constants(r);
        model_input(m, "a", a.type, r->rank, r->dims);
        parameters("a", &a);
        if (r->inputs == 2) {
            model_input(m, "b", b.type, r->rank, r->dims);
            parameters("b", &b);
        }
        parameters("y", &y);
        r->build();
        model_output(m, "y");
        struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
        for (int f = 0; f < FRAMES; f++)
            check_frame(r, source, p, &n);
        model_free(m);
        m = NULL;
    }
    print_message("%s: %lld results, %lld off by one near a tie, the float reference %lld\n", r->name, (long long)n.results, (long long)n.near_ties,
                  (long long)n.float_differs);
}

// ---- DynamicQuantizeLinear: ranges come from calibration ----

static void a_dynamic_range_becomes_a_calibrated_one(void **state)
{
    (void)state;
    struct graph *g, *source;
    struct pipeline *p;
    struct quant_ranges ranges = { 0 };
    struct array calib = array_new(&arena, DT_FLOAT, 2, DIMS(200, TERMS));
    for (int64_t i = 0; i < array_count(&calib); i++)
        ((float *)calib.data)[i] = (float)random_int(-1000, 1000) / 1000;
    float scale = 0.01f, offsets[COLUMNS];
    for (size_t i = 0; i < sizeof w; i++)
        w[i] = (int8_t)random_int(-127, 127);
    for (int i = 0; i < COLUMNS; i++)
        offsets[i] = (float)random_int(-50, 50) / 16;
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, TERMS));
    model_raw(m, "w", DT_INT8, 2, DIMS(TERMS, COLUMNS), TERMS * COLUMNS, w);
    model_raw(m, "w_z", DT_INT8, 0, NULL, 1, &(int8_t){ 0 });
    model_f32(m, "w_s", 0, NULL, &scale);
    model_f32(m, "offsets", 1, DIMS(COLUMNS), offsets);
    model_node(m, "DynamicQuantizeLinear", "x", "q q_s q_z");
    model_node(m, "MatMulInteger", "q w q_z w_z", "acc");
    model_node(m, "Cast", "acc", "whole");
    model_int(m, "to", DT_FLOAT);
    model_node(m, "Mul", "q_s w_s", "scales");
    model_node(m, "Mul", "whole scales", "scaled");
    model_node(m, "Add", "scaled offsets", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    source = graph_clone(g, &arena);
    assert_true(simplify_graph(&cx, g) && quantize_graph(&cx, g, &calib, &ranges) && lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    double error = 0, power = 0;
    for (int f = 0; f < 50; f++) {
        struct array x = array_new(&arena, DT_FLOAT, 2, DIMS(1, TERMS)), want;
        for (int k = 0; k < TERMS; k++)
            ((float *)x.data)[k] = (float)random_int(-1000, 1000) / 1000;
        assert_true(ref_float_run(&cx, graph_clone(source, &arena), &arena, &x, &want));
        const struct array *got = run_pipeline(p, &x);
        for (int i = 0; i < COLUMNS; i++) {
            double d = array_f64(got, i) - array_f64(&want, i);
            error += d * d;
            power += array_f64(&want, i) * array_f64(&want, i);
        }
    }
    double decibels = 10 * log10(power / error);
    print_message("signal to noise %.1f dB\n", decibels);
    assert_true(decibels > 35);
}

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[20] = { cmocka_unit_test_setup_teardown(a_dynamic_range_becomes_a_calibrated_one, setup, qdq_teardown) };
    size_t n = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, check_case, setup, qdq_teardown, &cases[i] };
    return _cmocka_run_group_tests("qlinear", tests, n, NULL, NULL);
}

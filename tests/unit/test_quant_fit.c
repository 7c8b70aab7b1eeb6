// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/quant_range.c, quant_fit.c and quant_alone.c: each method against values by hand, brute force, or what it is for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/quant_impl.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_float.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

// ---- steps ----

static void steps_and_zero_points_by_hand(void **state)
{
    (void)state;
    static const struct {
        double lo, hi;
        int bits;
        double scale;
        int zero;
    } rows[] = {
        { 0, 255, 8, 1, -128 }, { -127.5, 127.5, 8, 1, 0 /* -0.5 to even */ }, { 0, 7.5, 4, 0.5, -8 }, { -1, 2, 2, 1, -1 },
        { 3, 6, 2, 2, -2 /* 0 must be in the range */ }, { 0, 0, 8, 1, -128 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct quant_range r = { "t", rows[i].lo, rows[i].hi, rows[i].bits };
        struct quant_step s = quant_step_of(&r, r.bits);
        assert_true(fabs((double)s.scale - rows[i].scale) < 1e-6);
        assert_int_equal(s.zero, rows[i].zero);
        assert_int_equal(s.most - s.least, (1 << rows[i].bits) - 1);
    }
    struct quant_range r = { "t", 0, 7.5, 4 };
    struct quant_step s = quant_step_of(&r, 4);
    assert_true(quant_rounded(&s, 1.3f) == 1.5f && quant_rounded(&s, 100) == 7.5f && quant_rounded(&s, -3) == 0);
}

// ---- descent ----

static double cost_of(int n, const double *hm, const double *h, double scale, const int8_t *q)
{
    double cost = 0;
    for (int k = 0; k < n; k++) {
        cost -= 2 * scale * q[k] * h[k];
        for (int j = 0; j < n; j++)
            cost += scale * scale * q[k] * q[j] * hm[k * n + j];
    }
    return cost;
}

#define N 4
// H = A'A + I and h at random; q starts at the signs.
static void random_problem(double *hm, double *h, int8_t *q, bool diagonal)
{
    double a[N][N];
    for (int k = 0; k < N; k++)
        for (int j = 0; j < N; j++)
            a[k][j] = random_int(-100, 100) / 50.0;
    for (int k = 0; k < N; k++) {
        h[k] = random_int(-300, 300) / 100.0;
        q[k] = h[k] < 0 ? -1 : 1;
        for (int j = 0; j < N; j++) {
            hm[k * N + j] = k == j ? 1 : 0;
            for (int i = 0; i < N && (!diagonal || k == j); i++)
                hm[k * N + j] += a[i][k] * a[i][j];
        }
    }
}

// All levels of two bits, or -1 and 1 for one bit.
static double brute_force(const double *hm, const double *h, double scale, int bits)
{
    double best = INFINITY;
    for (int i = 0; i < 81; i++) {
        int8_t q[N];
        bool allowed = true;
        for (int k = 0, left = i; k < N; k++, left /= 3) {
            q[k] = (int8_t)(left % 3 - 1);
            allowed &= bits > 1 || q[k] != 0;
        }
        if (allowed)
            best = fmin(best, cost_of(N, hm, h, scale, q));
    }
    return best;
}

static void descent_ends_where_no_weight_alone_can_move(void **state)
{
    (void)state;
    int optimal = 0;
    for (int trial = 0; trial < 200; trial++) {
        double hm[N * N], h[N], gradient[N], scale = 0.7;
        int8_t q[N];
        int bits = trial % 2 + 1;
        bool diagonal = trial % 4 < 2;
        random_problem(hm, h, q, diagonal);
        double start = cost_of(N, hm, h, scale, q), end = quant_descend(N, hm, h, bits, scale, q, gradient), least = brute_force(hm, h, scale, bits);
        assert_true(fabs(end - cost_of(N, hm, h, scale, q)) < 1e-9);
        assert_true(end <= start + 1e-9 && end >= least - 1e-9);
        if (diagonal) // weights do not see each other
            assert_true(end < least + 1e-9);
        optimal += end < least + 1e-9;
        for (int k = 0; k < N; k++)
            for (int to = -1; to <= 1; to++) {
                int8_t moved[N];
                memcpy(moved, q, sizeof moved);
                moved[k] = (int8_t)to;
                assert_true((bits == 1 && to == 0) || cost_of(N, hm, h, scale, moved) > end - 1e-9);
            }
    }
    assert_true(optimal > 150); // most of them are the best there is
}

// ---- ranges ----

static struct graph *read_model(void)
{
    struct graph *g;
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g) || !simplify_graph(&cx, g))
        fail_msg("%s", messages.text);
    return g;
}

// 1x1 Conv of one channel behind the input: the range of x alone is of interest.
static void one_product(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 50, 50));
    model_f32(m, "w", 4, DIMS(1, 1, 1, 1), (float[]){ 1 });
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
}

// A triangle between 0 and 1, and one element at 20.
static struct array with_outlier(void)
{
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(8, 1, 50, 50));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)(random_int(0, 1000) + random_int(0, 1000)) / 2000;
    ((float *)x.data)[777] = 20;
    return x;
}

static double rounding_error(const struct array *x, const struct quant_range *r)
{
    struct quant_step s = quant_step_of(r, r->bits);
    double e = 0;
    for (int64_t i = 0; i < array_count(x); i++) {
        double d = (double)((const float *)x->data)[i] - (double)quant_rounded(&s, ((const float *)x->data)[i]);
        e += d * d;
    }
    return e;
}

static struct quant_range range_of_x(enum quant_method method, const struct array *x)
{
    struct quant_options o = { .method = method };
    struct quant_ranges r = { .options = &o };
    assert_true(quantize_graph(&cx, read_model(), x, &r));
    const struct quant_range *found = quant_range_find(&r, "x");
    assert_non_null(found);
    return *found;
}

static void methods_differ_as_they_should(void **state)
{
    (void)state;
    one_product();
    struct array x = with_outlier();
    struct quant_range minmax = range_of_x(QUANT_MINMAX, &x), percentile = range_of_x(QUANT_PERCENTILE, &x), mse = range_of_x(QUANT_MSE, &x), kl = range_of_x(QUANT_KL, &x),
                       chosen = range_of_x(QUANT_AUTO, &x);
    assert_true(minmax.lo == 0 && minmax.hi == 20);
    // one of 20,000 elements is less than one in 10,000
    assert_true(percentile.hi >= 0.9 && percentile.hi < 1.05 && percentile.lo == 0);
    // brute force over what mse may choose: 64 ends, the error of the elements themselves instead of the histogram's
    double best = INFINITY;
    for (int i = 1; i <= 64; i++) {
        struct quant_range r = { "x", 0, 20.0 * i / 64, 8 };
        best = fmin(best, rounding_error(&x, &r));
    }
    assert_true(rounding_error(&x, &mse) <= best * 1.02);
    assert_true(kl.hi < 20 && kl.hi >= 0.9);
    // the product behind x passes its error on, so that auto may not be worse than any
    assert_true(rounding_error(&x, &chosen) <= 1.0001 * fmin(fmin(rounding_error(&x, &minmax), rounding_error(&x, &percentile)), fmin(rounding_error(&x, &mse), rounding_error(&x, &kl))));
}

static void what_fills_its_range_keeps_it(void **state)
{
    (void)state;
    one_product();
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(8, 1, 50, 50));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)(i % 256) / 256;
    for (int method = QUANT_AUTO; method <= QUANT_KL; method++) {
        struct quant_range r = range_of_x((enum quant_method)method, &x);
        assert_true(r.lo == 0 && r.hi > 0.97 && r.hi <= 255.0 / 256);
    }
}

// ---- fit ----

#define PIXELS 12
// Two convolutions with a Relu between; neighbouring pixels of the frames are alike, as in images.
static struct array two_layers(void)
{
    float *w = arena_array(&arena, float, 6 * 2 * 9), *v = arena_array(&arena, float, 3 * 6 * 9);
    for (int i = 0; i < 108; i++)
        w[i] = (float)random_int(-1000, 1000) / 1000;
    for (int i = 0; i < 162; i++)
        v[i] = (float)random_int(-1000, 1000) / 1000;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, PIXELS, PIXELS));
    model_f32(m, "w", 4, DIMS(6, 2, 3, 3), w);
    model_f32(m, "b", 1, DIMS(6), (float[]){ 0.5f, 0.25f, 0, -0.5f, 1, 0 });
    model_f32(m, "v", 4, DIMS(3, 6, 3, 3), v);
    model_node(m, "Conv", "x w b", "c");
    model_node(m, "Relu", "c", "r");
    model_node(m, "Conv", "r v", "y");
    model_output(m, "y");
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(16, 2, PIXELS, PIXELS));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)random_int(0, 100) / 100 + (i % PIXELS ? 0.8f * ((float *)x.data)[i - 1] : 0);
    return x;
}

// Mean squared error of the quantized graph's output, relative to its float values' power, and the mean error of each channel.
static double output_error(const struct array *x, const struct quant_options *o, bool with_data, double *channel_mean)
{
    struct graph *plain = read_model(), *g = read_model();
    struct quant_ranges r = { .options = o };
    assert_true(quantize_graph(&cx, g, x, &r));
    if (!with_data) { // the same ranges, weights to nearest
        struct quant_ranges nearest = { .options = o };
        struct quant_marks marks = quant_mark(&cx, g = read_model(), o);
        assert_true(quant_round(&cx, g, &marks, &nearest));
        nearest.items = r.items;
        nearest.n = r.n;
        assert_true(quantize_graph(&cx, g, NULL, &nearest));
    }
    double noise = 0, signal = 0;
    memset(channel_mean, 0, 3 * sizeof *channel_mean);
    for (int64_t f = 0; f < x->dims[0]; f++) {
        struct array frame, *a = arena_array(&arena, struct array, plain->n_tensors), *b = arena_array(&arena, struct array, g->n_tensors);
        assert_true(batch_frame(&cx, plain, "x", x, f, &frame));
        assert_true(ref_float_graph(&cx, plain, &arena, &frame, a) && ref_float_graph(&cx, g, &arena, &frame, b));
        const float *want = a[plain->outputs[0]->index].data, *have = b[g->outputs[0]->index].data;
        int64_t n = tensor_count(plain->outputs[0]), per = n / 3;
        for (int64_t i = 0; i < n; i++) {
            double d = (double)have[i] - (double)want[i];
            noise += d * d;
            signal += (double)want[i] * (double)want[i];
            channel_mean[i / per] += d / (double)(per * x->dims[0]);
        }
    }
    return noise / signal;
}

static void the_fit_is_better_than_rounding_to_nearest(void **state)
{
    (void)state;
    static const int widths[] = { 8, 4, 2, 1 };
    struct array x = two_layers();
    for (int k = 0; k < 4; k++) {
        struct quant_precision all = { "*", widths[k], 8 };
        struct quant_options o = { .precision = &all, .n_precision = 1 };
        double mean[3], mean_nearest[3], nearest = output_error(&x, &o, false, mean_nearest), fit = output_error(&x, &o, true, mean);
        assert_true(fit < (widths[k] == 8 ? 1.02 : 0.5) * nearest);
        double bias = fabs(mean[0]) + fabs(mean[1]) + fabs(mean[2]), bias_nearest = fabs(mean_nearest[0]) + fabs(mean_nearest[1]) + fabs(mean_nearest[2]);
        assert_true(widths[k] == 8 || bias < 0.2 * bias_nearest);
    }
}

static void levels_are_those_of_the_width(void **state)
{
    (void)state;
    static const int widths[] = { 8, 4, 2, 1 }, most[] = { 127, 7, 1, 1 };
    struct array x = two_layers();
    for (int k = 0; k < 4; k++) {
        struct quant_precision rows[] = { { "c", widths[k], 8 }, { "*", 8, 8 } };
        struct quant_options o = { .precision = rows, .n_precision = 2 };
        struct quant_ranges r = { .options = &o };
        assert_true(quantize_graph(&cx, read_model(), &x, &r));
        assert_int_equal(r.n_layers, 2);
        assert_int_equal(r.layers[0].bits, widths[k]);
        assert_int_equal(r.layers[1].bits, 8);
        int largest = 0, zeros = 0;
        for (int64_t i = 0; i < r.layers[0].n_weights; i++) {
            int v = abs(r.layers[0].weights[i]);
            largest = v > largest ? v : largest;
            zeros += v == 0;
        }
        assert_int_equal(largest, most[k]);
        assert_true(widths[k] > 1 || zeros == 0);
    }
}

static struct pipeline *lowered(const struct array *x, int activations, struct graph **g)
{
    struct quant_precision rows[] = { { "c", 4, activations }, { "y", 2, 8 } };
    struct quant_options o = { .precision = rows, .n_precision = 2 };
    struct quant_ranges r = { .options = &o };
    struct pipeline *p;
    *g = read_model();
    if (!quantize_graph(&cx, *g, x, &r) || !lower_graph(&cx, *g, REQUANT_EXACT, "test", &p))
        fail_msg("%s", messages.text);
    return p;
}

// The hardware's memory is as wide as the widest weight, and narrow activations stay in their range.
static void narrow_widths_reach_the_pipeline(void **state)
{
    (void)state;
    struct graph *g;
    struct array x = two_layers(), frame;
    const struct requant *rq = &lowered(&x, 2, &g)->stages[0].rq;
    assert_true(rq->clamp_lo >= -2 && rq->clamp_hi <= 1 && rq->clamp_lo < rq->clamp_hi);
    struct pipeline *p = lowered(&x, 8, &g);
    assert_int_equal(p->n_stages, 2);
    assert_int_equal(p->stages[0].weight_bits, 4);
    assert_int_equal(p->stages[1].weight_bits, 2);
    assert_true(batch_frame(&cx, g, "x", &x, 3, &frame));
    const struct array *y = run_pipeline(p, &frame);
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    assert_true(ref_float_graph(&cx, g, &arena, &frame, values));
    const struct array *want = &values[g->outputs[0]->index];
    for (int64_t i = 0; i < array_count(want); i++) // a bias is rounded in the pipeline: one step beside a tie
        assert_true(fabs(array_f64(&y[0], i) - array_f64(want, i)) < 1.01 * p->streams[p->outputs[0].stream].scale);
}

static void what_was_decided_can_be_repeated(void **state)
{
    (void)state;
    struct array x = two_layers();
    struct quant_ranges r = { 0 }, again = { 0 };
    assert_true(quantize_graph(&cx, read_model(), &x, &r) && quantize_graph(&cx, read_model(), &x, &again));
    assert_int_equal(r.n_layers, again.n_layers);
    for (int i = 0; i < r.n_layers; i++) {
        assert_memory_equal(r.layers[i].weights, again.layers[i].weights, (size_t)r.layers[i].n_weights);
        assert_memory_equal(r.layers[i].bias, again.layers[i].bias, (size_t)r.layers[i].channels * sizeof(float));
    }
    struct graph *g = read_model();
    assert_true(quantize_graph(&cx, g, NULL, &r)); // from what is stored
    r.n_layers = 1;
    assert_false(quantize_graph(&cx, read_model(), NULL, &r));
    assert_non_null(strstr(messages.text, "E105"));
}

static void frames_with_infinities_leave_finite_numbers(void **state)
{
    (void)state;
    struct array x = two_layers();
    ((float *)x.data)[5] = INFINITY;
    ((float *)x.data)[900] = NAN;
    struct quant_ranges r = { 0 };
    struct graph *g = read_model();
    struct pipeline *p;
    assert_true(quantize_graph(&cx, g, &x, &r) && lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    for (int i = 0; i < r.n_layers; i++)
        for (int64_t c = 0; c < r.layers[i].channels; c++)
            assert_true(isfinite(r.layers[i].bias[c]) && isfinite(r.layers[i].scale[c]) && r.layers[i].scale[c] > 0);
}

static void names_that_no_layer_has_are_refused(void **state)
{
    (void)state;
    struct array x = two_layers();
    struct quant_precision rows[] = { { "r", 4, 8 }, { "nothing", 4, 8 } };
    struct quant_options o = { .precision = rows, .n_precision = 2 };
    struct quant_ranges r = { .options = &o };
    assert_false(quantize_graph(&cx, read_model(), &x, &r));
    assert_int_equal(diag.errors, 2);
    assert_non_null(strstr(messages.text, "'nothing'"));
}

// ---- equalisation ----

static const struct node *conv_of(const struct graph *g, int nth)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == OP_Conv && nth-- == 0)
            return g->nodes[i];
    fail_msg("no such node");
    return NULL;
}

static double largest_of(const struct tensor *w, int64_t from, int64_t step, int64_t block)
{
    double most = 0;
    for (int64_t i = from; i < tensor_count(w); i += step)
        for (int64_t k = 0; k < block; k++)
            most = fmax(most, fabs(tensor_const_f64(w, i + k)));
    return most;
}

// Conv, Relu, depthwise Conv, MaxPool, Conv; channel 1 of the first is 64 times as large as the others.
static void equalised_channels_meet_and_outputs_stay(void **state)
{
    (void)state;
    float *w = arena_array(&arena, float, 3 * 2 * 9), *d = arena_array(&arena, float, 3 * 9), *v = arena_array(&arena, float, 2 * 3);
    for (int i = 0; i < 54; i++)
        w[i] = (float)random_int(-1000, 1000) / 1000 * (i / 18 == 1 ? 64 : 1);
    for (int i = 0; i < 27; i++)
        d[i] = (float)random_int(-1000, 1000) / 1000;
    for (int i = 0; i < 6; i++)
        v[i] = (float)random_int(-1000, 1000) / 1000;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 8, 8));
    model_f32(m, "w", 4, DIMS(3, 2, 3, 3), w);
    model_f32(m, "b", 1, DIMS(3), (float[]){ 0.5f, 1.25f, -0.3f });
    model_f32(m, "d", 4, DIMS(3, 1, 3, 3), d);
    model_f32(m, "v", 4, DIMS(2, 3, 1, 1), v);
    model_node(m, "Conv", "x w b", "c");
    model_node(m, "Relu", "c", "r");
    model_node(m, "Conv", "r d", "e");
    model_int(m, "group", 3);
    model_node(m, "MaxPool", "e", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_node(m, "Conv", "p v", "y");
    model_output(m, "y");
    struct graph *before = read_model(), *after = read_model();
    assert_int_equal(quant_equalize(after), 2);
    graph_verify(after);
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1, 2, 8, 8)), *a = arena_array(&arena, struct array, before->n_tensors), *b = arena_array(&arena, struct array, after->n_tensors);
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)random_int(-100, 100) / 100;
    assert_true(ref_float_graph(&cx, before, &arena, &x, a) && ref_float_graph(&cx, after, &arena, &x, b));
    const struct array *want = &a[before->outputs[0]->index], *have = &b[after->outputs[0]->index];
    assert_memory_equal(want->data, have->data, (size_t)array_count(want) * sizeof(float)); // bit for bit
    // equation 11: both layers see a channel in the same range then, up to the rounding of factors to powers of two
    const struct tensor *second = conv_of(after, 1)->in[1], *third = conv_of(after, 2)->in[1];
    for (int c = 0; c < 3; c++) {
        double ratio = largest_of(second, c * 9, 27, 9) / largest_of(third, c, 3, 1);
        assert_true(ratio > 0.4 && ratio < 2.5);
    }
    double first = largest_of(conv_of(after, 0)->in[1], 18, 54, 18);
    assert_true(first < 32); // 64 before
}

// ---- each layer alone ----

static void fewer_bits_alone_cost_more(void **state)
{
    (void)state;
    struct array x = two_layers();
    struct quant_ranges r = { 0 };
    struct quant_alone *layers;
    int n;
    assert_true(quantize_graph(&cx, read_model(), &x, &r));
    struct graph *g = read_model();
    assert_true(quant_layers_alone(&cx, g, &x, &r, 4, &layers, &n));
    assert_int_equal(n, 2);
    for (int i = 0; i < n; i++) {
        assert_true(layers[i].error[0] > 0 && layers[i].error[0] < 1e-3);
        assert_true(layers[i].error[0] < layers[i].error[1] && layers[i].error[1] < layers[i].error[2] && layers[i].error[2] < layers[i].error[3]);
        assert_true(layers[i].error[3] < 1);
        assert_true(layers[i].activations > 0 && layers[i].activations < 1e-3);
    }
    assert_string_equal(layers[0].output, "c");
    assert_int_equal(layers[0].n_weights, 108);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, qdq_teardown)
    const struct CMUnitTest tests[] = {
        TEST(steps_and_zero_points_by_hand),
        TEST(descent_ends_where_no_weight_alone_can_move),
        TEST(methods_differ_as_they_should),
        TEST(what_fills_its_range_keeps_it),
        TEST(the_fit_is_better_than_rounding_to_nearest),
        TEST(levels_are_those_of_the_width),
        TEST(narrow_widths_reach_the_pipeline),
        TEST(what_was_decided_can_be_repeated),
        TEST(frames_with_infinities_leave_finite_numbers),
        TEST(names_that_no_layer_has_are_refused),
        TEST(equalised_channels_meet_and_outputs_stay),
        TEST(fewer_bits_alone_cost_more),
    };
    return cmocka_run_group_tests_name("quant_fit", tests, NULL, NULL);
}

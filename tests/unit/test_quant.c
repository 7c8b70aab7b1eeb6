// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/quant.c: what the QDQ form of a float model looks like, and frames of a batch.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/quant.h"
#include "dataflow/quant_impl.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_int.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

static void float_weights(const char *name, int rank, const int64_t *dims, float scale)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    float *w = arena_array(&arena, float, count);
    for (int64_t i = 0; i < count; i++)
        w[i] = scale * (float)random_int(-1000, 1000) / 1000;
    model_f32(m, name, rank, dims, w);
}

// Conv, Relu, MaxPool, Flatten, Gemm, Softmax; channel 1 of the Conv is dead.
static void small_net(void)
{
    float *w = arena_array(&arena, float, 3 * 2 * 9);
    for (int i = 0; i < 54; i++)
        w[i] = i / 18 == 1 ? 0 : (float)random_int(-1000, 1000) / 1000;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 8, 8));
    model_f32(m, "w", 4, DIMS(3, 2, 3, 3), w);
    model_f32(m, "b", 1, DIMS(3), (float[]){ 0.5f, 0.25f, 0 });
    float_weights("v", 2, DIMS(27, 5), 0.3f);
    model_node(m, "Conv", "x w b", "c");
    model_node(m, "Relu", "c", "r");
    model_node(m, "MaxPool", "r", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_node(m, "Flatten", "p", "f");
    model_node(m, "MatMul", "f v", "g");
    model_node(m, "Softmax", "g", "y");
    model_output(m, "y");
}

static struct graph *read_model(void)
{
    struct graph *g;
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g) || !simplify_graph(&cx, g))
        fail_msg("%s", messages.text);
    return g;
}

static struct array calibration(int64_t frames)
{
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(frames, 2, 8, 8));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)random_int(-300, 500) / 100;
    return x;
}

static const struct node *find(const struct graph *g, enum op op, int nth)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == op && nth-- == 0)
            return g->nodes[i];
    fail_msg("no such node");
    return NULL;
}

static const struct node *quantizer_of(const struct graph *g, const struct tensor *t)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == OP_QuantizeLinear && g->nodes[i]->in[0] == t)
            return g->nodes[i];
    return NULL;
}

static struct graph *quantized(const struct array *calib, struct quant_ranges *ranges)
{
    struct graph *g = read_model();
    assert_true(quantize_graph(&cx, g, calib, ranges));
    graph_verify(g);
    assert_true(quant_is_quantized(g));
    return g;
}

static void every_accelerated_value_is_quantized_once(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(8);
    struct graph *g = quantized(&c, &r);
    int pairs = 0;
    for (int i = 0; i < g->n_nodes; i++)
        pairs += g->nodes[i]->op == OP_QuantizeLinear;
    // the input, Relu (Conv's clamp), MaxPool, the matrix; not Conv's own result, Flatten, Softmax
    assert_int_equal(pairs, 4);
    assert_null(quantizer_of(g, find(g, OP_Conv, 0)->out[0]));
    assert_non_null(quantizer_of(g, find(g, OP_Relu, 0)->out[0]));
    assert_null(quantizer_of(g, find(g, OP_Softmax, 0)->out[0]));
    assert_int_equal(diag.warnings, 0);
    assert_int_equal(r.n, 4);
}

static void weights_are_symmetric_within_127(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct graph *before = read_model(), *g = quantized(NULL, &r); // without data: rounded to nearest
    const struct node *old = find(before, OP_Conv, 0), *dq = find(g, OP_Conv, 0)->in[1]->producer;
    assert_int_equal(dq->op, OP_DequantizeLinear);
    assert_int_equal(dq->in[0]->dtype, DT_INT8);
    assert_int_equal(dq->n_in, 2); // no zero point
    assert_int_equal(node_int(dq, "axis", 1), 0);
    assert_int_equal(tensor_count(dq->in[1]), 3);
    for (int ch = 0; ch < 3; ch++) {
        int64_t largest = 0;
        double s = tensor_const_f64(dq->in[1], ch);
        assert_true(s > 0 && isfinite(s));
        for (int64_t i = ch * 18; i < (ch + 1) * 18; i++) {
            int64_t q = tensor_const_i64(dq->in[0], i);
            largest = llabs(q) > largest ? llabs(q) : largest;
            assert_true(fabs((double)q * s - tensor_const_f64(old->in[1], i)) <= s * 0.5000001);
        }
        assert_int_equal(largest, ch == 1 ? 0 : 127); // the scale fits the channel; a dead one stays zero
    }
    const struct node *matrix = find(g, OP_MaxPool, 0);
    assert_non_null(matrix);
}

static void weights_next_to_zero_have_a_scale(void **state)
{
    (void)state;
    struct quant_ranges r = { 0 };
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 1, 2));
    model_f32(m, "w", 4, DIMS(2, 1, 1, 1), (float[]){ 1e-41f, 0 });
    model_node(m, "Conv", "x w", "c");
    model_node(m, "Relu", "c", "y");
    model_output(m, "y");
    const struct node *dq = find(quantized(NULL, &r), OP_Conv, 0)->in[1]->producer;
    assert_int_equal(tensor_const_i64(dq->in[0], 0), 127);
    assert_int_equal(tensor_const_i64(dq->in[0], 1), 0);
    assert_true(tensor_const_f64(dq->in[1], 1) > 0);
}

static void a_maxpool_keeps_its_inputs_scale(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(4);
    struct graph *g = quantized(&c, &r);
    const struct node *in = quantizer_of(g, find(g, OP_Relu, 0)->out[0]), *out = quantizer_of(g, find(g, OP_MaxPool, 0)->out[0]);
    assert_non_null(in);
    assert_non_null(out);
    assert_true(tensor_const_f64(in->in[1], 0) == tensor_const_f64(out->in[1], 0));
    assert_int_equal(tensor_const_i64(in->in[2], 0), tensor_const_i64(out->in[2], 0));
    assert_int_equal(tensor_const_i64(in->in[2], 0), -128); // behind Relu no step is spent on negative numbers
}

static void the_last_result_keeps_its_whole_range(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(16);
    struct graph *g = quantized(&c, &r);
    const struct tensor *tail = quant_tail(g->outputs[0]);
    const struct node *q = tail->producer;
    assert_int_equal(q->op, OP_QuantizeLinear);
    const struct graph *plain = read_model();
    double lo = 0, hi = 0;
    for (int f = 0; f < 16; f++) {
        struct array frame;
        assert_true(batch_frame(&cx, plain, "calib", &c, f, &frame));
        const double *y = eval_float64(plain, &frame, find(plain, OP_Softmax, 0)->in[0]);
        for (int i = 0; i < 5; i++) {
            lo = fmin(lo, y[i]);
            hi = fmax(hi, y[i]);
        }
    }
    double s = tensor_const_f64(q->in[1], 0);
    assert_true(fabs(s - (hi - lo) / 255) < 1e-5 * s);
}

static void outliers_are_clipped_inside_the_net(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(600); // -3 .. 5
    ((float *)c.data)[777] = 6;        // 1 in 76,800: a finer step is worth more than its error
    struct graph *g = quantized(&c, &r);
    const struct node *q = quantizer_of(g, g->inputs[0]);
    double range = tensor_const_f64(q->in[1], 0) * 255;
    assert_true(range < 8.9 && range > 7.5);
}

// Its weights are zero, so its scale is free; the bias must survive all the same.
static void a_dead_channel_gives_its_bias(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(4);
    struct graph *g = quantized(&c, &r);
    struct pipeline *p;
    assert_true(lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    const struct stage *s = &p->stages[0];
    const struct stream *y = &p->streams[s->out_stream];
    int zp_in = p->streams[0].zero_point, want = (int)nearbyint(0.25 / y->scale) + y->zero_point;
    for (int x = -128; x < 128; x++) {
        int64_t acc = 0;
        for (int i = 0; i < 18; i++)
            acc += s->weights[18 + i] * (x - zp_in);
        assert_int_equal(requantize(&s->rq, acc, 1), want);
    }
}

// No outputs a channel by no channels is no number.
static void a_layer_without_channels_costs_nothing(void **state)
{
    (void)state;
    struct graph *g;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 3, 3));
    model_raw(m, "w", DT_FLOAT, 4, DIMS(2, 0, 2, 2), 0, "");
    model_node(m, "ConvTranspose", "x w", "y");
    model_output(m, "y");
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g))
        fail_msg("%s", messages.text);
    assert_true(quant_products(g) == 1);
}

static void zero_is_always_exact(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(4);
    for (int64_t i = 0; i < array_count(&c); i++)
        ((float *)c.data)[i] = 5 + (float)random_int(0, 100) / 100; // the range lacks zero
    struct graph *g = quantized(&c, &r);
    const struct node *q = quantizer_of(g, g->inputs[0]);
    assert_int_equal(tensor_const_i64(q->in[2], 0), -128);
    assert_true(tensor_const_f64(q->in[1], 0) * 255 >= 5);
}

static void ranges_repeat_the_graph_without_data(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array c = calibration(8);
    struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
    graph_dump(quantized(&c, &r), &a);
    int n = r.n;
    graph_dump(quantized(NULL, &r), &b);
    assert_string_equal(a.text, b.text);
    assert_int_equal(r.n, n);
    assert_int_equal(diag.warnings, 0); // nothing was synthesised
    strbuf_release(&a);
    strbuf_release(&b);
}

static void stored_ranges_that_lack_a_tensor_are_damage(void **state)
{
    (void)state;
    small_net();
    struct quant_range one = { "x", -1, 1, 8 };
    struct quant_ranges r = { .items = &one, .n = 1, .cap = 1 };
    assert_false(quantize_graph(&cx, read_model(), NULL, &r));
    assert_int_equal(diag.first_error, E105);
}

static void without_data_ranges_are_synthesised_with_a_warning(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 }, again = { 0 };
    quantized(NULL, &r);
    assert_int_equal(diag.warnings, 1);
    assert_non_null(strstr(messages.text, "W201"));
    quantized(NULL, &again);
    assert_int_equal(r.n, again.n);
    for (int i = 0; i < r.n; i++)
        assert_true(r.items[i].lo == again.items[i].lo && r.items[i].hi == again.items[i].hi);
}

// A model whose first dimension is no batch: the synthesised frames come in front of it.
static void an_input_without_a_batch_gets_frames_too(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 3, DIMS(2, 1, 3));
    model_node(m, "Sigmoid", "x", "y");
    model_output(m, "y");
    struct quant_ranges r = { 0 };
    quantized(NULL, &r);
    assert_int_equal(diag.errors, 0);
    assert_true(r.n > 0);
}

static void a_quantized_model_stays_as_it_is(void **state)
{
    (void)state;
    input(4, DIMS(1, 2, 4, 4), 0.05f, 3, DT_INT8);
    weights("w", 4, DIMS(2, 2, 1, 1), 2, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w", "y");
    qdq("y", 0.1f, 0, DT_INT8);
    model_output(m, "y_q");
    struct graph *g = read_model();
    struct quant_ranges r = { 0 };
    struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
    graph_dump(g, &a);
    assert_true(quantize_graph(&cx, g, NULL, &r));
    graph_dump(g, &b);
    assert_string_equal(a.text, b.text);
    assert_int_equal(r.n, 0);
    strbuf_release(&a);
    strbuf_release(&b);
}

static void calibration_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    small_net();
    struct quant_ranges r = { 0 };
    struct array wrong = array_new(&arena, DT_FLOAT, 4, DIMS(3, 2, 8, 7));
    assert_false(quantize_graph(&cx, read_model(), &wrong, &r));
    assert_int_equal(diag.first_error, E104);
    assert_non_null(strstr(messages.text, "[3, 2, 8, 7]"));
}

static struct batch {
    const char *name;
    enum dtype type;
    int rank;
    int64_t dims[5];
    int64_t frames; // 0: refused
} batches[] = {
    { "frames along the first axis", DT_FLOAT, 4, { 7, 2, 8, 8 }, 7 },
    { "one frame", DT_FLOAT, 4, { 1, 2, 8, 8 }, 1 },
    { "an axis of frames before the batch axis", DT_FLOAT, 5, { 3, 1, 2, 8, 8 }, 3 },
    { "axes in another order behind the frames", DT_FLOAT, 5, { 3, 2, 1, 8, 8 }, 0 },
    { "double is narrowed", DT_DOUBLE, 4, { 2, 2, 8, 8 }, 2 },
    { "uint8 becomes float", DT_UINT8, 4, { 2, 2, 8, 8 }, 2 },
    { "flattened frames", DT_FLOAT, 2, { 3, 128 }, 3 },
    { "another channel count", DT_FLOAT, 4, { 3, 1, 8, 8 }, 0 },
    { "swapped axes", DT_FLOAT, 4, { 3, 8, 8, 2 }, 0 },
    { "a scalar", DT_FLOAT, 0, { 0 }, 0 },
    { "no frame at all", DT_FLOAT, 4, { 0, 2, 8, 8 }, 0 },
};

static void check_batch(void **state)
{
    const struct batch *b = *state;
    setup(state);
    small_net();
    const struct graph *g = read_model();
    struct array x = array_new(&arena, b->type, b->rank, b->dims), frame;
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, (double)(i % 251));
    bool ok = batch_frame(&cx, g, "data.npy", &x, b->frames ? b->frames - 1 : 0, &frame);
    assert_int_equal(ok, b->frames > 0);
    if (!ok) {
        assert_int_equal(diag.first_error, E104);
        assert_non_null(strstr(messages.text, "data.npy"));
        return;
    }
    assert_int_equal(batch_frames(g, &x), b->frames);
    assert_int_equal(frame.dtype, DT_FLOAT);
    assert_int_equal(array_count(&frame), 128);
    for (int64_t i = 0; i < 128; i++)
        assert_true(array_f64(&frame, i) == (double)(((b->frames - 1) * 128 + i) % 251));
    assert_false(batch_frame(&cx, g, "data.npy", &x, b->frames, &frame)); // one too many
}

#define COUNT(a) (sizeof(a) / sizeof *(a))
// Of a product with one output; libFuzzer found it.
static void a_bias_may_be_a_scalar(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 2, 8, 8));
    float_weights("v", 2, DIMS(128, 1), 0.3f);
    model_f32(m, "b", 0, NULL, (float[]){ 0.5f });
    model_node(m, "Flatten", "x", "f");
    model_node(m, "Gemm", "f v b", "y");
    model_output(m, "y");
    struct quant_ranges r = { 0 };
    struct array c = calibration(8);
    quantized(&c, &r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, qdq_teardown)

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(a_bias_may_be_a_scalar), TEST(every_accelerated_value_is_quantized_once), TEST(weights_are_symmetric_within_127), TEST(weights_next_to_zero_have_a_scale),
        TEST(a_maxpool_keeps_its_inputs_scale), TEST(the_last_result_keeps_its_whole_range),
        TEST(outliers_are_clipped_inside_the_net), TEST(a_dead_channel_gives_its_bias), TEST(a_layer_without_channels_costs_nothing), TEST(zero_is_always_exact), TEST(ranges_repeat_the_graph_without_data),
        TEST(stored_ranges_that_lack_a_tensor_are_damage), TEST(without_data_ranges_are_synthesised_with_a_warning),
        TEST(an_input_without_a_batch_gets_frames_too),
        TEST(a_quantized_model_stays_as_it_is), TEST(calibration_that_does_not_fit_is_refused),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(batches)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(batches); i++)
        tests[COUNT(fixed) + i] = (struct CMUnitTest){ batches[i].name, check_batch, NULL, qdq_teardown, &batches[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Partitions: where each node of a model runs, and that the parts together compute what the whole does.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/check.h"
#include "dataflow/lower.h"
#include "dataflow/mincut.h"
#include "dataflow/partition.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/host.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"
#include "tests/support/parted.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FRAMES 4

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    model_free(m);
    m = model_new(17);
    return 0;
}

// ---- minimum cuts ----

static void cuts_are_minimal(void **state)
{
    (void)state;
    for (int trial = 0; trial < 200; trial++) { // against all cuts of eight vertices
        struct { int from, to, cost; } edges[24];
        bool side[8];
        int n = random_int(1, 24), best = INT32_MAX, have = 0;
        struct mincut *c = mincut_new(&arena, 8);
        for (int i = 0; i < n; i++) {
            edges[i].from = random_int(0, 7);
            edges[i].to = random_int(0, 7);
            edges[i].cost = random_int(0, 9);
            mincut_edge(c, edges[i].from, edges[i].to, edges[i].cost);
        }
        mincut_solve(c, 0, 7, side);
        assert_true(side[0] && !side[7]);
        for (int set = 1; set < 128; set += 2) { // bit 0: the source
            int cost = 0;
            for (int i = 0; i < n; i++)
                cost += (set >> edges[i].from & 1) && !(set >> edges[i].to & 1) ? edges[i].cost : 0;
            best = cost < best ? cost : best;
        }
        for (int i = 0; i < n; i++)
            have += side[edges[i].from] && !side[edges[i].to] ? edges[i].cost : 0;
        assert_int_equal(have, best);
    }
}

// ---- where ----

static struct graph *whole;

static struct partition *partition(void)
{
    struct partition *p;
    assert_true(model_parse(m, &cx, &whole));
    if (!shape_infer(&cx, whole) || !simplify_graph(&cx, whole) || !partition_graph(&cx, whole, NULL, NULL, &p))
        fail_msg("%s", messages.text);
    return p;
}

static const struct {
    const char *name;
    void (*build)(void);
    const char *places; // operator, * on the host, its pass
    double error;       // of a float output, against the float model: root mean square of the difference by that of the values
} rows[] = {
    { "all in hardware", parted_all_in_hardware, "", 0 },
    { "LayerNormalization between", parted_norm_between, "Conv1 LayerNormalization*1 Conv2", 0.1 },
    { "a way around", parted_norm_with_a_way_around, "Conv1 Softmax*1 Conv2 Add2 Conv2", 0.1 },
    { "three runs", parted_three_runs, "Conv1 Softmax*1 Conv2 Softmax*2 Conv3", 0.2 },
    { "in front", parted_host_in_front, "Sinh*0 Conv1", 0.1 },
    { "an output of the host", parted_host_output_beside, "Conv1 Cosh*0", 0.1 },
    { "attention", parted_attention, "Conv1 Conv1 Conv1 Reshape1 Reshape1 Reshape1 Attention*1", 0.2 },
    { "recurrent", parted_recurrent, "Conv1 Reshape1 GRU*1", 0.1 },
    { "detector", parted_detector,
      "Conv1 Reshape1 Transpose1 Split1 Softmax*1 Exp1 Mul*1 Add*1 Transpose*1 NonMaxSuppression*1", 0.2 },
    { "wide quant", parted_wide_quant,
      "QuantizeLinear1 DequantizeLinear1 Conv1 QuantizeLinear1 DequantizeLinear1 Quant*1 QuantizeLinear2 DequantizeLinear2 Conv2 QuantizeLinear2 "
      "DequantizeLinear2", 0.1 },
    { "quantized", parted_quantized, "QuantizeLinear1 DequantizeLinear1 Conv1 QuantizeLinear1 DequantizeLinear1 Sinh*1 QuantizeLinear2 DequantizeLinear2 Conv2 "
      "QuantizeLinear2 DequantizeLinear2", 0.1 },
};

static void places(void **state)
{
    size_t row = (size_t)(uintptr_t)*state;
    struct strbuf sb = STRBUF_INIT;
    rows[row].build();
    struct partition *p = partition();
    for (int i = 0; p && i < whole->n_nodes; i++) {
        const struct node *n = whole->nodes[i];
        if (n->out[0] && tensor_is_constant(n->out[0]))
            continue;
        strbuf_addf(&sb, "%s%s%s%d", sb.len ? " " : "", op_info(n->op)->name, p->places[i].on_host ? "*" : "", p->places[i].pass);
        if (p->places[i].on_host) {
            assert_non_null(p->places[i].reason);
            assert_true(partition_on_host(p, n));
        }
    }
    assert_string_equal(sb.len ? sb.text : "", rows[row].places);
    strbuf_release(&sb);
}

// ---- what ----

static struct pipeline *build(struct partition *part)
{
    struct pipeline *p;
    struct host_program *host;
    struct quant_ranges ranges = { 0 };
    struct array *calib = NULL;
    if (!quant_is_quantized(part->core))
        assert_true(partition_calibration(&cx, part, NULL, &calib));
    if (!quantize_graph(&cx, part->core, calib, &ranges) || !lower_graph(&cx, part->core, REQUANT_EXACT, "test", &p) || !host_describe(&cx, part, &host))
        fail_msg("%s", messages.text);
    p->partition = part;
    p->host = host;
    return p;
}

static struct array noise(const struct tensor *t)
{
    struct array x = array_new(&arena, t->dtype, t->rank, t->dims);
    for (int64_t i = 0; i < array_count(&x); i++)
        array_set_f64(&x, i, (double)random_int(-1000, 1000) / 1000);
    return x;
}

static void parts_make_the_whole(void **state)
{
    size_t row = (size_t)(uintptr_t)*state;
    rows[row].build();
    struct partition *part = partition();
    if (!part)
        return; // the other tests' business
    struct pipeline *p = build(part);
    double noise_power = 0, power = 0;
    for (int f = 0; f < FRAMES; f++) {
        struct array x = noise(whole->inputs[0]), *values = arena_array(&arena, struct array, whole->n_tensors), *y = arena_array(&arena, struct array, whole->n_outputs);
        int8_t **streams = arena_array(&arena, int8_t *, p->n_streams);
        void *memory;
        assert_true(ref_float_graph(&cx, whole, &arena, &x, values));
        assert_true(border_in(&cx, p, &arena, &x, streams, &memory));
        ref_int_frame(p, &arena, streams);
        assert_true(border_out(&cx, p, &arena, streams, memory, y));
        for (int o = 0; o < whole->n_outputs; o++) {
            const struct array *want = &values[whole->outputs[o]->index];
            assert_int_equal(y[o].dtype, want->dtype);
            assert_int_equal(array_count(&y[o]), array_count(want));
            for (int64_t i = 0; want->dtype == DT_FLOAT && i < array_count(want); i++) {
                double d = array_f64(want, i) - array_f64(&y[o], i);
                noise_power += d * d;
                power += array_f64(want, i) * array_f64(want, i);
            }
        }
    }
    assert_true(power > 0);
    if (!(sqrt(noise_power / power) < rows[row].error))
        fail_msg("%s: error %.4f", rows[row].name, sqrt(noise_power / power));
}

// The decision, kept as characters, gives the same parts again.
static void decisions_are_repeated(void **state)
{
    (void)state;
    parted_three_runs();
    struct partition *p = partition(), *again;
    char hosts[64];
    for (int i = 0; i < whole->n_nodes; i++)
        hosts[i] = p->places[i].on_host ? '1' : '0';
    assert_true(partition_graph(&cx, whole, NULL, hosts, &again));
    assert_int_equal(again->n_passes, 3);
    assert_int_equal(again->n_host, p->n_host);
    for (int i = 0; i < whole->n_nodes; i++)
        assert_int_equal(again->places[i].pass, p->places[i].pass);
    assert_int_equal(again->core->n_inputs, p->core->n_inputs);
    assert_int_equal(again->core->n_nodes, p->core->n_nodes);
}

static void nothing_for_hardware(void **state)
{
    (void)state;
    struct partition *p;
    parted_image();
    model_node(m, "Sinh", "x", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &whole) && shape_infer(&cx, whole) && simplify_graph(&cx, whole));
    assert_true(partition_graph(&cx, whole, NULL, NULL, &p));
    assert_int_equal(p->core->n_nodes + p->core->n_inputs + p->core->n_outputs, 0);
    assert_int_equal(p->n_host, 1);
    assert_int_equal(p->n_passes, 1);
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct partition *p;
    parted_image();
    model_f32(m, "c", 1, (int64_t[]){ 2 }, (float[]){ 1, 2 });
    model_node(m, "Sinh", "c", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &whole) && shape_infer(&cx, whole) && simplify_graph(&cx, whole));
    assert_false(partition_graph(&cx, whole, NULL, NULL, &p));
    assert_int_equal(diag.first_error, E210);
}

// A node without inputs is no constant for that.
static void random_numbers(void **state)
{
    (void)state;
    struct host_program *host;
    parted_image();
    parted_conv("x", "a");
    model_node(m, "RandomNormal", "", "r");
    model_ints(m, "shape", 4, (int64_t[]){ 1, 8, 16, 16 });
    model_node(m, "Add", "a r", "y");
    model_output(m, "y");
    struct partition *p = partition();
    assert_non_null(p);
    assert_true(host_describe(&cx, p, &host));
    assert_true(partition_on_host(p, p->whole->outputs[0]->producer));
}

// A weight whose scale is computed is no constant, even though its integers are one.
static void a_computed_scale(void **state)
{
    (void)state;
    struct host_program *host;
    parted_image();
    model_node(m, "Sinh", "x", "s");
    model_node(m, "ReduceMax", "s", "scale");
    model_int(m, "keepdims", 0);
    model_raw(m, "w", 3, 1, (int64_t[]){ 2 }, 2, "\3\4"); // INT8
    model_node(m, "DequantizeLinear", "w scale", "v");
    model_node(m, "Sinh", "v", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &whole) && shape_infer(&cx, whole) && simplify_graph(&cx, whole));
    struct partition *p;
    assert_true(partition_graph(&cx, whole, NULL, NULL, &p));
    assert_int_equal(p->n_host, 4);
    assert_true(host_describe(&cx, p, &host) || diag.first_error == E212);
}

// Integers of a model's input, where a function of one element is looked for: found by the fuzzer as an error that nobody said.
static void integers_that_no_stream_carries(void **state)
{
    (void)state;
    model_input(m, "x", DT_INT64, 2, DIMS(2, 7));
    model_f32(m, "base", 0, NULL, (float[]){ 0.28f });
    model_node(m, "Pow", "base x", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &whole) && shape_infer(&cx, whole) && simplify_graph(&cx, whole));
    struct partition *p;
    assert_true(partition_graph(&cx, whole, NULL, NULL, &p));
    assert_int_equal(p->n_host, 1);
}

// More runs than are looked at in every combination, each of which costs more than it saves: one is left.
static void many_runs(void **state)
{
    (void)state;
    const char *at = "x";
    parted_image();
    for (int i = 0; i < 30; i++) {
        char *from = arena_printf(&arena, "s%d", i), *to = arena_printf(&arena, "r%d", i);
        model_node(m, "Sinh", at, from);
        model_node(m, "Relu", from, to);
        at = to;
    }
    model_output(m, at);
    struct partition *p = partition();
    assert_non_null(p);
    assert_int_equal(p->n_passes, 1);
    assert_int_equal(p->n_host, 59);
}

// Nodes that nobody computes: all of them are reported.
static void nodes_without_a_place(void **state)
{
    (void)state;
    struct host_program *host;
    parted_image();
    parted_conv("x", "a");
    model_i64(m, "rows", 1, (int64_t[]){ 2 });
    model_i64(m, "columns", 1, (int64_t[]){ 3 });
    model_node(m, "Cast", "a", "i");
    model_int(m, "to", DT_INT64);
    model_node(m, "CumSum", "i rows", "d"); // of floats alone
    model_node(m, "CumSum", "i columns", "e");
    model_output(m, "d");
    model_output(m, "e");
    struct partition *p = partition();
    assert_non_null(p);
    assert_false(host_describe(&cx, p, &host));
    assert_int_equal(diag.errors, 2);
    assert_int_equal(diag.first_error, E212);
    assert_non_null(strstr(messages.text, "'d_node' (CumSum)"));
    assert_non_null(strstr(messages.text, "'e_node' (CumSum)"));
}

// ---- random networks ----

static void random_networks(void **state)
{
    (void)state;
    int parted = 0;
    for (int trial = 0; trial < 30; trial++) {
        qdq_teardown(NULL);
        setup(NULL);
        for (int i = 0; i < trial; i++)
            random_int(0, 1);
        parted_random_model();
        struct partition *part = partition();
        if (!part)
            continue;
        parted++;
        struct pipeline *p = build(part);
        struct array x = noise(whole->inputs[0]), y, again;
        struct host_program *host;
        int8_t **streams = arena_array(&arena, int8_t *, p->n_streams);
        void *memory;
        assert_true(border_in(&cx, p, &arena, &x, streams, &memory));
        ref_int_frame(p, &arena, streams);
        assert_true(border_out(&cx, p, &arena, streams, memory, &y));
        struct array first = array_new(&arena, y.dtype, y.rank, y.dims);
        memcpy(first.data, y.data, (size_t)array_count(&y) * sizeof(float));
        // with memory where no value shares its place with another: lifetimes are right if nothing changes
        assert_true(host_describe(&cx, part, &host));
        struct aihls_host_value *v = arena_array(&arena, struct aihls_host_value, host->n_values);
        int32_t at = 0;
        for (int i = 0; i < host->n_values; i++) {
            v[i] = host->host.values[i];
            v[i].offset = at;
            at += (int32_t)((size_t)v[i].count * aihls_type_bytes(v[i].type) + 7) / 8 * 8;
        }
        host->host.values = v;
        host->host.bytes = at;
        p->host = host;
        assert_true(border_in(&cx, p, &arena, &x, streams, &memory));
        ref_int_frame(p, &arena, streams);
        assert_true(border_out(&cx, p, &arena, streams, memory, &again));
        assert_memory_equal(first.data, again.data, (size_t)array_count(&again) * sizeof(float));
    }
    assert_int_equal(parted, 30);
}

int main(void)
{
    struct CMUnitTest tests[2 * sizeof rows / sizeof *rows + 10];
    int n = 0;
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(cuts_are_minimal, setup, qdq_teardown);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tests[n++] = (struct CMUnitTest){ rows[i].name, places, setup, qdq_teardown, (void *)(uintptr_t)i };
        tests[n++] = (struct CMUnitTest){ rows[i].name, parts_make_the_whole, setup, qdq_teardown, (void *)(uintptr_t)i };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(decisions_are_repeated, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(nothing_for_hardware, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(nothing_at_all, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(random_numbers, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(a_computed_scale, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(integers_that_no_stream_carries, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(many_runs, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(nodes_without_a_place, setup, qdq_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(random_networks, setup, qdq_teardown);
    return _cmocka_run_group_tests("partition", tests, (size_t)n, NULL, NULL);
}

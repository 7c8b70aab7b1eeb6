// SPDX-License-Identifier: Apache-2.0
// Tests frontend/onnx*.c: what is read, and what is said about what cannot be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/onnx.h"
#include "tests/support/model.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define FLOATS(...) ((float[]){ __VA_ARGS__ })

static struct arena arena;
static struct diag diag;
static struct strbuf text;
static struct ctx cx;
static struct model *m;
static struct graph *g;

static int setup(void **state)
{
    (void)state;
    text = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &text };
    cx = (struct ctx){ .arena = &arena, .diag = &diag };
    m = model_new(13);
    g = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    model_free(m);
    strbuf_release(&text);
    arena_release(&arena);
    return 0;
}

static void expect_error(const char *code, const char *words)
{
    assert_false(model_parse(m, &cx, &g));
    if (!strstr(text.text, code) || !strstr(text.text, words))
        fail_msg("wanted %s and '%s' in:\n%s", code, words, text.text);
}

static void expect_read(void)
{
    if (!model_parse(m, &cx, &g))
        fail_msg("%s", text.text);
    graph_verify(g);
}

// ---- good models ----

static void nodes_attributes_and_initializers_are_read(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 4, DIMS(-1, 3, 8, 8));
    model_f32(m, "w", 4, DIMS(2, 3, 1, 1), FLOATS(1, 2, 3, 4, 5, 6));
    model_node(m, "Conv", "x w", "y");
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_int(m, "group", 1);
    model_string(m, "auto_pad", "VALID");
    model_output(m, "y");
    expect_read();
    assert_int_equal(g->opset, 13);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->n_inputs, 1);
    assert_int_equal(g->inputs[0]->dims[0], 1); // the batch
    assert_int_equal(g->nodes[0]->op, OP_Conv);
    assert_string_equal(g->nodes[0]->name, "y_node");
    assert_int_equal(node_attr(g->nodes[0], "strides")->ints[1], 2);
    assert_string_equal(node_string(g->nodes[0], "auto_pad", ""), "VALID");
    assert_true(tensor_const_f64(g->nodes[0]->in[1], 5) == 6.0);
}

static void nodes_are_sorted_behind_their_producers(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_node(m, "Relu", "b", "c");
    model_node(m, "Tanh", "a", "b");
    model_node(m, "Abs", "x", "a");
    model_output(m, "c");
    expect_read();
    assert_int_equal(g->nodes[0]->op, OP_Abs);
    assert_int_equal(g->nodes[1]->op, OP_Tanh);
    assert_int_equal(g->nodes[2]->op, OP_Relu);
    assert_int_equal(g->nodes[2]->model_index, 0);
}

static void initializers_listed_as_inputs_are_no_inputs(void **state)
{
    (void)state;
    model_ir_version(m, 3);
    model_input(m, "x", DT_FLOAT, 1, DIMS(2));
    model_input(m, "w", DT_FLOAT, 1, DIMS(2));
    model_f32(m, "w", 1, DIMS(2), FLOATS(1, 2));
    model_node(m, "Add", "x w", "y");
    model_output(m, "y");
    expect_read();
    assert_int_equal(g->n_inputs, 1);
}

static void a_constant_node_becomes_a_constant(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 1, DIMS(2));
    model_node(m, "Constant", "", "c");
    model_tensor_f32(m, "value", 1, DIMS(2), FLOATS(3, 4));
    model_node(m, "Constant", "", "d");
    model_float(m, "value_float", 7);
    model_node(m, "Add", "x c", "y");
    model_node(m, "Mul", "y d", "z");
    model_output(m, "z");
    expect_read();
    assert_int_equal(g->n_nodes, 2);
    assert_true(tensor_const_f64(g->nodes[0]->in[1], 1) == 4.0);
    assert_true(tensor_const_f64(g->nodes[1]->in[1], 0) == 7.0);
    assert_int_equal(g->nodes[1]->in[1]->rank, 0);
}

static void half_and_double_become_float32(void **state)
{
    (void)state;
    uint16_t half[2] = { 0x3e00, 0xc000 }; // 1.5, -2
    double wide[2] = { 0.25, -8 };
    model_input(m, "x", DT_FLOAT16, 1, DIMS(2));
    model_raw(m, "h", DT_FLOAT16, 1, DIMS(2), sizeof half, half);
    model_raw(m, "d", DT_DOUBLE, 1, DIMS(2), sizeof wide, wide);
    model_node(m, "Add", "x h", "y");
    model_node(m, "Add", "y d", "z");
    model_output(m, "z");
    expect_read();
    assert_int_equal(g->inputs[0]->dtype, DT_FLOAT);
    assert_int_equal(g->nodes[0]->in[1]->dtype, DT_FLOAT);
    assert_true(tensor_const_f64(g->nodes[0]->in[1], 0) == 1.5);
    assert_true(tensor_const_f64(g->nodes[0]->in[1], 1) == -2.0);
    assert_true(tensor_const_f64(g->nodes[1]->in[1], 1) == -8.0);
}

static void old_attributes_become_inputs(void **state)
{
    (void)state;
    model_free(m);
    m = model_new(9);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 1));
    model_node(m, "Clip", "x", "a");
    model_float(m, "min", -1);
    model_float(m, "max", 6);
    model_node(m, "Squeeze", "a", "b");
    model_ints(m, "axes", 1, DIMS(2));
    model_node(m, "Pad", "b", "c");
    model_ints(m, "pads", 4, DIMS(0, 1, 0, 2));
    model_float(m, "value", 3);
    model_node(m, "Slice", "c", "d");
    model_ints(m, "starts", 1, DIMS(0));
    model_ints(m, "ends", 1, DIMS(1));
    model_node(m, "Softmax", "d", "e");
    model_output(m, "e");
    expect_read();
    assert_true(tensor_const_f64(g->nodes[0]->in[1], 0) == -1.0);
    assert_true(tensor_const_f64(g->nodes[0]->in[2], 0) == 6.0);
    assert_int_equal(tensor_const_i64(g->nodes[1]->in[1], 0), 2);
    assert_int_equal(tensor_const_i64(g->nodes[2]->in[1], 3), 2);
    assert_true(tensor_const_f64(g->nodes[2]->in[2], 0) == 3.0);
    assert_int_equal(tensor_const_i64(g->nodes[3]->in[2], 0), 1);
    assert_int_equal(node_int(g->nodes[4], "axis", 99), 1);
    assert_int_equal(node_int(g->nodes[4], "flatten_2d", 0), 1);
}

// Every form of Resize has scales at input 2 or sizes at 3, and says how it rounds.
static struct resize_form {
    const char *op, *inputs; // e: empty floats, s: scales, z: sizes
    int64_t opset;
    int at; // 0: refused
    const char *want;
} resize_forms[] = {
    { "Upsample", "x", 7, 2, "floor" },          { "Upsample", "x s", 9, 2, "floor" },
    { "Resize", "x s", 10, 2, "by scale" },      { "Resize", "x e s", 11, 2, "default" },
    { "Resize", "x e e z", 11, 3, "default" },   { "Resize", "x - - z", 13, 3, "default" },
    { "Resize", "x - s", 17, 2, "default" },     { "Resize", "x - s z", 13, 0, "both scales and sizes" },
    { "Resize", "x", 13, 0, "neither scales" },  { "Resize", "x e e", 11, 0, "neither scales" },
    { "Resize", "x e s", 10, 0, "3 inputs" },    { "Upsample", "x s", 10, 0, "ended with opset 9" },
    { "Upsample", "x", 9, 0, "no scales" },      { "Upsample", "x h", 9, 0, "below 1" },
    { "Resize", "x s", 9, 0, "needs opset 10" },
};

static void check_resize_form(void **state)
{
    const struct resize_form *r = *state;
    setup(NULL);
    model_free(m);
    m = model_new(r->opset);
    model_input(m, "x", DT_FLOAT, 3, DIMS(1, 2, 4));
    model_f32(m, "e", 1, DIMS(0), FLOATS(0));
    model_f32(m, "s", 1, DIMS(3), FLOATS(1, 1, 2));
    model_f32(m, "h", 1, DIMS(3), FLOATS(1, 1, 0.5f));
    model_i64(m, "z", 3, DIMS(1, 2, 8));
    model_node(m, r->op, r->inputs, "y");
    if (r->opset == 7)
        model_floats(m, "scales", 3, FLOATS(1, 1, 2));
    model_output(m, "y");
    if (r->at == 0) {
        expect_error("E", r->want);
        return;
    }
    expect_read();
    const struct node *n = g->nodes[0];
    assert_int_equal(n->op, OP_Resize);
    assert_null(n->in[1]);
    assert_non_null(n->in[r->at]);
    assert_true(n->n_in < 4 || n->in[5 - r->at] == NULL);
    assert_true(tensor_const_f64(n->in[r->at], 2) == (r->at == 2 ? 2 : 8));
    const char *have = node_int(n, "nearest_by_scale", 0) ? "by scale" : node_string(n, "nearest_mode", "default");
    assert_string_equal(have, r->want);
    assert_string_equal(node_string(n, "coordinate_transformation_mode", "default"), r->opset < 11 ? "asymmetric" : "default");
}

static void axes_of_a_sum_become_an_attribute(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 2, DIMS(2, 3));
    model_i64(m, "a", 1, DIMS(-1));
    model_i64(m, "none", 0, NULL);
    model_node(m, "ReduceSum", "x a", "b");
    model_node(m, "ReduceSum", "b none", "c");
    model_int(m, "noop_with_empty_axes", 1);
    model_node(m, "ReduceSum", "c none", "d");
    model_output(m, "d");
    expect_read();
    assert_int_equal(node_attr(g->nodes[0], "axes")->ints[0], -1);
    assert_int_equal(g->nodes[1]->op, OP_Identity);
    assert_int_equal(g->nodes[2]->op, OP_ReduceSum);
    for (int i = 0; i < 3; i++)
        assert_int_equal(g->nodes[i]->n_in, 1);
}

static void brevitas_domain_is_qonnx(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 1, DIMS(2));
    model_f32(m, "s", 0, NULL, FLOATS(1));
    model_node(m, "onnx.brevitas:Quant", "x s s s", "y");
    model_output(m, "y");
    expect_read();
    assert_int_equal(g->nodes[0]->op, OP_Quant);
}

// ---- bad models ----

static void minimal(void)
{
    model_input(m, "x", DT_FLOAT, 1, DIMS(4));
    model_node(m, "Relu", "x", "y");
    model_output(m, "y");
}

static void opset_beyond_21_is_refused(void **state)
{
    (void)state;
    model_free(m);
    m = model_new(22);
    minimal();
    expect_error("E103", "opset 22");
}

static void ir_version_2_is_refused(void **state)
{
    (void)state;
    model_ir_version(m, 2);
    minimal();
    expect_error("E103", "IR version");
}

static void an_unknown_operator_gets_a_suggestion(void **state)
{
    (void)state;
    minimal();
    model_node(m, "Sigmiod", "y", "z");
    expect_error("E201", "did you mean Sigmoid");
}

static void a_cycle_is_named(void **state)
{
    (void)state;
    minimal();
    model_node(m, "Add", "x b", "a");
    model_node(m, "Relu", "a", "b");
    expect_error("E102", "cycle");
}

static void undefined_and_duplicate_names_are_both_reported(void **state)
{
    (void)state;
    minimal();
    model_node(m, "Relu", "nowhere", "z");
    model_node(m, "Relu", "x", "y");
    expect_error("E102", "'nowhere' is not defined");
    assert_non_null(strstr(text.text, "two tensors are called 'y'"));
    assert_int_equal(diag.errors, 2);
}

static void a_missing_output_is_reported(void **state)
{
    (void)state;
    minimal();
    model_output(m, "z");
    expect_error("E102", "nothing computes the output 'z'");
}

static void data_shorter_than_its_shape_is_refused(void **state)
{
    (void)state;
    minimal();
    model_raw(m, "w", DT_FLOAT, 1, DIMS(4), 12, FLOATS(1, 2, 3));
    expect_error("E102", "holds 12 bytes");
}

static void a_shape_beyond_64_bits_is_refused(void **state)
{
    (void)state;
    minimal();
    model_raw(m, "w", DT_FLOAT, 3, DIMS(1ll << 40, 1ll << 40, 0), 0, "");
    expect_error("E102", "2^63");
}

static void a_zero_does_not_excuse_the_other_dimensions(void **state)
{
    (void)state;
    minimal();
    model_raw(m, "w", DT_INT64, 4, DIMS(0, 7, 1ll << 40, 2147483647), 0, NULL);
    expect_error("E102", "2^63");
}

static void external_data_says_what_to_do(void **state)
{
    (void)state;
    minimal();
    model_external(m, "w");
    expect_error("E101", "in another file");
}

static void strings_are_refused(void **state)
{
    (void)state;
    minimal();
    model_raw(m, "w", DT_STRING, 1, DIMS(1), 0, "");
    expect_error("E207", "element type 8");
}

static void a_symbolic_height_is_refused(void **state)
{
    (void)state;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, -1, 8));
    model_node(m, "Relu", "x", "y");
    model_output(m, "y");
    expect_error("E205", "dimension 2");
}

static void too_few_inputs_are_refused(void **state)
{
    (void)state;
    minimal();
    model_node(m, "Add", "x", "z");
    expect_error("E102", "Add has 1 inputs");
}

static void a_gap_in_a_list_of_operands_is_refused(void **state)
{
    (void)state;
    minimal();
    model_node(m, "Min", "x - x", "z");
    model_node(m, "Concat", "x - x", "c");
    model_int(m, "axis", 0);
    expect_error("E102", "Min lacks its input 1");
    assert_non_null(strstr(text.text, "Concat lacks its input 1"));
}

static void an_operator_of_a_later_opset_is_refused(void **state)
{
    (void)state;
    minimal();
    model_node(m, "HardSwish", "x", "z");
    expect_error("E102", "needs opset 14");
}

static void training_mode_is_refused(void **state)
{
    (void)state;
    model_free(m);
    m = model_new(15);
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 1));
    model_f32(m, "p", 1, DIMS(1), FLOATS(1));
    model_node(m, "BatchNormalization", "x p p p p", "y");
    model_int(m, "training_mode", 1);
    model_output(m, "y");
    expect_error("E202", "training");
}

// ---- bytes ----

static void every_truncation_is_an_error_or_a_model(void **state)
{
    (void)state;
    size_t n;
    minimal();
    model_f32(m, "w", 2, DIMS(2, 2), FLOATS(1, 2, 3, 4));
    const char *bytes = model_pack(m, &n);
    for (size_t i = 0; i < n; i++) {
        struct diag quiet = { 0 };
        struct ctx c = { .arena = &arena, .diag = &quiet };
        assert_true(onnx_parse(&c, "cut.onnx", bytes, i, &g) == (quiet.errors == 0));
    }
}

static void deep_nesting_is_refused_before_it_is_unpacked(void **state)
{
    (void)state;
    // ModelProto.graph (7), then GraphProto.node (1), NodeProto.attribute (5), AttributeProto.g (6) again and again
    // from the inside out.
    static const uint8_t tags[3] = { 0x0a, 0x2a, 0x32 };
    uint8_t buffer[4096];
    size_t at = sizeof buffer, len = 0;
    for (int i = 600; i >= 0; i--) {
        uint8_t tag = i == 0 ? 0x3a : tags[(i - 1) % 3];
        buffer[--at] = (uint8_t)(len >> 7);
        buffer[--at] = (uint8_t)((len & 127) | 128);
        buffer[--at] = tag;
        len += 3;
    }
    assert_false(onnx_parse(&cx, "deep.onnx", buffer + at, sizeof buffer - at, &g));
    assert_non_null(strstr(text.text, "nested too deep"));
}

static void a_missing_file_is_a_system_error(void **state)
{
    (void)state;
    assert_false(onnx_read(&cx, "no/such/file.onnx", &g));
    assert_non_null(strstr(text.text, "E002"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    enum { R = sizeof resize_forms / sizeof *resize_forms };
    static const struct CMUnitTest singles[] = {
        TEST(nodes_attributes_and_initializers_are_read),
        TEST(nodes_are_sorted_behind_their_producers),
        TEST(initializers_listed_as_inputs_are_no_inputs),
        TEST(a_constant_node_becomes_a_constant),
        TEST(half_and_double_become_float32),
        TEST(old_attributes_become_inputs),
        TEST(axes_of_a_sum_become_an_attribute),
        TEST(brevitas_domain_is_qonnx),
        TEST(opset_beyond_21_is_refused),
        TEST(ir_version_2_is_refused),
        TEST(an_unknown_operator_gets_a_suggestion),
        TEST(a_cycle_is_named),
        TEST(undefined_and_duplicate_names_are_both_reported),
        TEST(a_missing_output_is_reported),
        TEST(data_shorter_than_its_shape_is_refused),
        TEST(a_shape_beyond_64_bits_is_refused),
        TEST(a_zero_does_not_excuse_the_other_dimensions),
        TEST(external_data_says_what_to_do),
        TEST(strings_are_refused),
        TEST(a_symbolic_height_is_refused),
        TEST(too_few_inputs_are_refused),
        TEST(a_gap_in_a_list_of_operands_is_refused),
        TEST(an_operator_of_a_later_opset_is_refused),
        TEST(training_mode_is_refused),
        TEST(every_truncation_is_an_error_or_a_model),
        TEST(deep_nesting_is_refused_before_it_is_unpacked),
        TEST(a_missing_file_is_a_system_error),
    };
    enum { S = sizeof singles / sizeof *singles };
    struct CMUnitTest tests[S + R];
    memcpy(tests, singles, sizeof singles);
    for (int i = 0; i < R; i++)
        tests[S + i] = (struct CMUnitTest){ resize_forms[i].inputs, check_resize_form, NULL, teardown, &resize_forms[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

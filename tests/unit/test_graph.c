// SPDX-License-Identifier: Apache-2.0
// Tests frontend/graph.c and graph_text.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/graph.h"

static struct arena arena;
static struct graph *g;
static struct tensor *x, *a, *b, *y;
static struct node *relu, *tanh_node, *add;

// x -> Relu -> a -> Tanh -> b; y = a + b
static int setup(void **state)
{
    int64_t dims[2] = { 1, 4 };
    (void)state;
    g = graph_new(&arena, "dir/net.onnx", "net");
    x = graph_add_tensor(g, "x", DT_FLOAT, 2, dims);
    a = graph_add_tensor(g, "a", DT_FLOAT, 2, dims);
    b = graph_add_tensor(g, "b", DT_FLOAT, 2, dims);
    y = graph_add_tensor(g, "y", DT_FLOAT, 2, dims);
    relu = graph_add_node(g, OP_Relu, "r", 1, &x, 1, &a);
    tanh_node = graph_add_node(g, OP_Tanh, "t", 1, &a, 1, &b);
    struct tensor *in[2] = { a, b };
    add = graph_add_node(g, OP_Add, "s", 2, in, 1, &y);
    g->inputs = arena_array(&arena, struct tensor *, 1);
    g->outputs = arena_array(&arena, struct tensor *, 1);
    g->inputs[g->n_inputs++] = x;
    g->outputs[g->n_outputs++] = y;
    graph_verify(g);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void uses_and_consumers_are_counted(void **state)
{
    (void)state;
    assert_int_equal(tensor_uses(g, a), 2);
    assert_null(tensor_sole_consumer(g, a));
    assert_ptr_equal(tensor_sole_consumer(g, b), add);
    assert_null(tensor_sole_consumer(g, y)); // an output
    assert_int_equal(tensor_uses(g, y), 1);
}

static void removing_and_replacing_keeps_the_invariants(void **state)
{
    (void)state;
    graph_replace_uses(g, b, a);
    graph_remove_node(g, tanh_node);
    graph_remove_dead(g);
    graph_verify(g);
    assert_int_equal(g->n_nodes, 2);
    assert_int_equal(g->n_tensors, 3);
    assert_int_equal(add->index, 1);
    assert_ptr_equal(tensor_sole_consumer(g, a), add); // both operands
}

static void dead_nodes_go_and_inputs_stay(void **state)
{
    (void)state;
    g->outputs[0] = a;
    graph_remove_dead(g);
    graph_verify(g);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->n_tensors, 2);
}

static void a_node_is_inserted_in_front(void **state)
{
    (void)state;
    int64_t dims[2] = { 1, 4 };
    struct tensor *c = graph_add_tensor(g, "a", DT_FLOAT, 2, dims);
    assert_string_equal(c->name, "a_2");
    struct node *n = graph_insert_node(g, tanh_node, OP_Abs, "new", 1, &a, 1, &c);
    tanh_node->in[0] = c;
    graph_verify(g);
    assert_int_equal(n->index, 1);
    assert_int_equal(add->index, 3);
}

static void a_clone_is_equal_and_apart(void **state)
{
    (void)state;
    struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
    int64_t ints[2] = { 3, 4 };
    node_set_ints(g, relu, "list", 2, ints);
    node_set_float(g, relu, "f", 0.5f);
    node_set_string(g, relu, "s", "text");
    struct arena other = { 0 };
    struct graph *c = graph_clone(g, &other);
    graph_verify(c);
    graph_dump(g, &one);
    graph_dump(c, &two);
    assert_string_equal(one.text, two.text);
    node_set_int(c, c->nodes[0], "f", 7);
    assert_true(node_float(relu, "f", 0) == 0.5f);
    assert_int_equal(node_int(c->nodes[0], "f", 0), 7);
    strbuf_release(&one);
    strbuf_release(&two);
    arena_release(&other);
}

static void constants_are_read_in_every_type(void **state)
{
    (void)state;
    int64_t one[1] = { 1 };
    static const int8_t i8 = -5;
    static const uint16_t half = 0xc500, bf = 0x4049; // -5, 3.140625
    static const uint64_t big = UINT64_MAX;
    static const float inf = INFINITY;
    assert_int_equal(tensor_const_i64(graph_add_const(g, "i8", DT_INT8, 1, one, &i8), 0), -5);
    assert_true(tensor_const_f64(graph_add_const(g, "h", DT_FLOAT16, 1, one, &half), 0) == -5.0);
    assert_true(tensor_const_f64(graph_add_const(g, "bf", DT_BFLOAT16, 1, one, &bf), 0) == 3.140625);
    assert_true(tensor_const_i64(graph_add_const(g, "u", DT_UINT64, 1, one, &big), 0) == INT64_MAX);
    assert_true(tensor_const_i64(graph_add_const(g, "f", DT_FLOAT, 1, one, &inf), 0) == INT64_MAX);
    assert_true(tensor_const_i64(graph_add_const(g, "zeros", DT_INT32, 1, one, NULL), 0) == 0);
}

static void places_name_file_node_and_attribute(void **state)
{
    (void)state;
    relu->model_index = 14;
    assert_string_equal(at_node(g, relu), "dir/net.onnx: node 14 'r' (Relu)");
    assert_string_equal(at_attr(g, relu, "alpha"), "dir/net.onnx: node 14 'r' (Relu), attribute 'alpha'");
    assert_string_equal(at_tensor(g, x), "dir/net.onnx: tensor 'x'");
}

static void the_dump_shows_nodes_and_small_constants(void **state)
{
    (void)state;
    struct strbuf sb = STRBUF_INIT;
    int64_t two[1] = { 2 };
    static const float v[2] = { 0.5f, -1 };
    graph_add_const(g, "c", DT_FLOAT, 1, two, v);
    node_set_int(g, relu, "k", 3);
    graph_dump(g, &sb);
    assert_non_null(strstr(sb.text, "input 'x' float32[1,4]\n"));
    assert_non_null(strstr(sb.text, "const 'c' float32[2] {0.5 -1}\n"));
    assert_non_null(strstr(sb.text, "Relu 'r' ('x') -> 'a' float32[1,4] k=3\n"));
    assert_non_null(strstr(sb.text, "Add 's' ('a', 'b') -> 'y' float32[1,4]\n"));
    strbuf_release(&sb);
}

static void every_operator_is_found_by_its_name(void **state)
{
    (void)state;
    enum op op;
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info *info = op_info((enum op)i);
        assert_true(op_parse(info->domain, info->name, &op));
        assert_int_equal(op, i);
    }
    assert_true(op_parse("ai.onnx", "Conv", &op));
    assert_true(op_parse("onnx.brevitas", "Quant", &op) && op == OP_Quant);
    assert_true(op_parse("com.microsoft", "QuantizeLinear", &op) && op == OP_QuantizeLinear);
    assert_false(op_parse("com.microsoft", "Conv", &op));
    assert_false(op_parse("", "QGemm", &op));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(uses_and_consumers_are_counted),
        TEST(removing_and_replacing_keeps_the_invariants),
        TEST(dead_nodes_go_and_inputs_stay),
        TEST(a_node_is_inserted_in_front),
        TEST(a_clone_is_equal_and_apart),
        TEST(constants_are_read_in_every_type),
        TEST(places_name_file_node_and_attribute),
        TEST(the_dump_shows_nodes_and_small_constants),
        TEST(every_operator_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

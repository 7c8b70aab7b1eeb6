// SPDX-License-Identifier: Apache-2.0
// Several inputs and outputs, from the graph to the sized pipeline: which become ports and in what order, what they
// carry, calibration data for several inputs, FIFOs where inputs meet.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/check.h"
#include "dataflow/quant.h"
#include "dataflow/schedule.h"
#include "dataflow/timing.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define I8 DT_INT8

static void image(const char *name) // an image of 4 channels, quantized
{
    model_input(m, name, DT_FLOAT, 4, DIMS(1, 4, 12, 12));
    qdq(name, 0.05f, 3, I8);
}

static void conv(const char *in, const char *out, int64_t kernel)
{
    weights(arena_printf(&arena, "%s_w", out), 4, DIMS(4, 4, kernel, kernel), 1, 0, I8, false);
    model_node(m, "Conv", arena_printf(&arena, "%s_d %s_w", in, out), out);
    model_ints(m, "pads", 4, DIMS(kernel / 2, kernel / 2, kernel / 2, kernel / 2));
    qdq(out, 0.2f, 0, I8);
}

static void add(const char *a, const char *b, const char *out)
{
    model_node(m, "Add", arena_printf(&arena, "%s_d %s_d", a, b), out);
    qdq(out, 0.3f, 0, I8);
}

static void output(const char *name)
{
    model_output(m, arena_printf(&arena, "%s_q", name));
}

// ---- lowering ----

static void two_inputs_added(void)
{
    image("x");
    image("z");
    add("x", "z", "y");
    output("y");
}

static void read_in_another_order(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 12, 12));
    image("z");
    conv("z", "c", 3);
    qdq("x", 0.07f, -9, DT_UINT8);
    add("c", "x", "y");
    output("y");
}

static void output_inside_of_a_chain(void)
{
    image("x");
    conv("x", "a", 3);
    conv("a", "b", 1);
    output("b");
    output("a");
}

static void three_heads(void)
{
    image("x");
    conv("x", "a", 3);
    conv("a", "b", 1);
    conv("a", "c", 3);
    output("a");
    output("b");
    output("c");
}

static void one_tensor_twice(void)
{
    image("x");
    conv("x", "y", 3);
    output("y");
    model_i64(m, "flat", 2, DIMS(1, 576));
    model_node(m, "Reshape", "y_q flat", "f");
    model_output(m, "f");
}

static void input_that_nothing_reads(void)
{
    model_input(m, "u", DT_FLOAT, 2, DIMS(1, 3));
    image("x");
    conv("x", "y", 1);
    output("y");
}

static void inputs_that_pass_each_other(void)
{
    image("x");
    image("z");
    conv("x", "a", 5);
    conv("z", "b", 5);
    add("a", "z", "p");
    add("x", "b", "q");
    output("p");
    output("q");
}

static void two_networks(void)
{
    image("x");
    image("z");
    conv("x", "a", 3);
    conv("z", "b", 1);
    output("b");
    output("a");
}

static const struct row {
    const char *name;
    void (*build)(void);
    const char *inputs, *outputs; // name of the port, of the model's tensor
} rows[] = {
    { "two inputs are added", two_inputs_added, "s_in0 x s_in1 z", "m_out y_q" },
    { "the graph's order counts, not the readers'", read_in_another_order, "s_in0 x s_in1 z", "m_out y_q" },
    { "an output from the middle is read inside too", output_inside_of_a_chain, "s_in x", "m_out0 b_q m_out1 a_q" },
    { "three heads", three_heads, "s_in x", "m_out0 a_q m_out1 b_q m_out2 c_q" },
    { "one tensor is two outputs", one_tensor_twice, "s_in x", "m_out0 y_q m_out1 f" },
    { "an input that nothing reads has no port", input_that_nothing_reads, "s_in x", "m_out y_q" },
    { "two inputs pass each other", inputs_that_pass_each_other, "s_in0 x s_in1 z", "m_out0 p_q m_out1 q_q" },
    { "two networks side by side", two_networks, "s_in0 x s_in1 z", "m_out0 b_q m_out1 a_q" },
};

static const char *list(const struct host_port *ports, int n, struct tensor *const *tensors)
{
    const char *text = "";
    for (int i = 0; i < n; i++)
        text = arena_printf(&arena, "%s%s%s %s", text, i ? " " : "", ports[i].name, tensors[ports[i].model]->name);
    return text;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    const struct graph *g;
    qdq_setup();
    r->build();
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    assert_string_equal(list(p->inputs, p->n_inputs, g->inputs), r->inputs);
    assert_string_equal(list(p->outputs, p->n_outputs, g->outputs), r->outputs);
    struct tally t = compare(g, p);
    assert_int_equal(t.wrong, 0);
    assert_true(t.distinct > 20);
}

// ---- float models ----

static void float_conv(const char *in, const char *out, int64_t kernel)
{
    float *w = arena_array(&arena, float, 16 * kernel * kernel);
    for (int64_t i = 0; i < 16 * kernel * kernel; i++)
        w[i] = (float)random_int(-99, 99) / 100;
    const char *name = arena_printf(&arena, "%s_w", out);
    model_f32(m, name, 4, DIMS(4, 4, kernel, kernel), w);
    model_node(m, "Conv", arena_printf(&arena, "%s %s", in, name), out);
}

static struct graph *read_model(void)
{
    struct graph *g;
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g) || !simplify_graph(&cx, g))
        fail_msg("%s", messages.text);
    return g;
}

static const struct quant_range *range_of(const struct quant_ranges *r, const char *name)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->items[i].tensor, name) == 0)
            return &r->items[i];
    fail_msg("no range of '%s'", name);
    return NULL;
}

static struct array frames(int64_t n, int lo, int hi)
{
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(n, 4, 5, 5));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)random_int(lo, hi);
    return x;
}

static void ranges_come_from_each_input_and_outputs_keep_theirs(void **state)
{
    (void)state;
    qdq_setup();
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 5, 5));
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 5, 5));
    float_conv("x", "a", 1);
    model_node(m, "Add", "a z", "y");
    model_output(m, "y");
    model_output(m, "a");
    struct graph *g = read_model();
    struct array batch[] = { frames(200, -3, 3), frames(200, 0, 50) };
    struct array values[2];
    struct quant_ranges r = { 0 };
    const float *w = g->nodes[0]->in[1]->data;
    double lo = 0, hi = 0;
    for (int64_t f = 0; f < 200; f++) { // what a is, at 25 pixels of 4 channels
        assert_true(batch_frame(&cx, g, "calib", batch, f, values));
        for (int64_t i = 0; i < 100; i++) {
            double sum = 0;
            for (int64_t c = 0; c < 4; c++)
                sum += (double)w[i / 25 * 4 + c] * array_f64(&values[0], c * 25 + i % 25);
            lo = sum < lo ? sum : lo;
            hi = sum > hi ? sum : hi;
        }
    }
    assert_true(quantize_graph(&cx, g, batch, &r));
    assert_true(range_of(&r, "x")->hi > 2 && range_of(&r, "x")->hi <= 3);
    assert_true(range_of(&r, "z")->hi > 40 && range_of(&r, "z")->hi <= 50);
    assert_true(range_of(&r, "a")->hi > hi - 1e-3 && range_of(&r, "a")->lo < lo + 1e-3);
    struct pipeline *p;
    assert_true(lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    assert_int_equal(p->n_outputs, 2);
}

// The host reshapes for one output; for the other one the same tensor goes on into a matrix.
static void what_the_host_does_for_one_output_hardware_does_for_another(void **state)
{
    (void)state;
    qdq_setup();
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 5, 5));
    float_conv("x", "a", 1);
    model_i64(m, "flat", 2, DIMS(1, 100));
    model_node(m, "Reshape", "a flat", "f");
    model_output(m, "f");
    float *w = arena_array(&arena, float, 300);
    for (int i = 0; i < 300; i++)
        w[i] = (float)random_int(-9, 9);
    model_f32(m, "w", 2, DIMS(100, 3), w);
    model_node(m, "MatMul", "f w", "y");
    model_node(m, "Softmax", "y", "p");
    model_output(m, "p");
    struct graph *g = read_model();
    struct array batch = frames(8, -3, 3);
    struct quant_ranges r = { 0 };
    struct pipeline *p;
    assert_true(quantize_graph(&cx, g, &batch, &r));
    assert_true(lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    assert_int_equal(p->n_stages, 2);
    assert_int_equal(r.n, 3); // x, a, y
}

static void without_data_every_input_is_synthesised(void **state)
{
    (void)state;
    qdq_setup();
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 4, 5, 5));
    model_input(m, "unread", DT_INT64, 1, DIMS(1));
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 5, 5));
    float_conv("x", "a", 1);
    model_node(m, "Add", "a z", "y");
    model_output(m, "y");
    struct quant_ranges r = { 0 };
    assert_true(quantize_graph(&cx, read_model(), NULL, &r));
    assert_int_equal(diag.warnings, 1);
    assert_true(range_of(&r, "z")->hi > 0.9 && range_of(&r, "x")->hi > 0.9);
}

// ---- files of frames ----

static char file[64];

static const char *write_frames(int n, const char *const *names, const int64_t *counts)
{
    struct array x[3];
    strcpy(file, "/tmp/aihls_test_ports_XXXXXX");
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < n; i++)
        x[i] = frames(counts[i], i, i);
    assert_true(names ? npz_write(&cx, file, n, names, x) : npy_write(&cx, file, x));
    return file;
}

static const struct file_row {
    const char *name;
    bool two;              // the model has a second input, z; the first is x
    int n;                 // arrays; names NULL: a .npy file
    const char *names[3];
    int64_t frames[3];
    int64_t want; // frames, 0: refused
    const char *says;
} files[] = {
    { "one input from .npy", false, 1, { NULL }, { 3 }, 3, NULL },
    { "one input from a member called x", false, 2, { "y", "x" }, { 5, 4 }, 4, NULL },
    { "two inputs by name", true, 3, { "labels", "z", "x" }, { 9, 2, 2 }, 2, NULL },
    { "two inputs want an archive", true, 1, { NULL }, { 3 }, 0, "zip archive" },
    { "two inputs want both members", true, 1, { "x" }, { 3 }, 0, "need 'z'" },
    { "two inputs want as many frames", true, 2, { "x", "z" }, { 3, 2 }, 0, "3 frames of 'x', 2 of 'z'" },
};

static void check_file(void **state)
{
    const struct file_row *r = *state;
    qdq_setup();
    image("x");
    if (r->two) {
        model_input(m, "unread", DT_FLOAT, 1, DIMS(7));
        image("z");
        add("x", "z", "y");
    } else {
        conv("x", "y", 1);
    }
    output("y");
    struct graph *g;
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    struct array *batch;
    bool ok = batch_read(&cx, g, write_frames(r->n, r->names[0] ? r->names : NULL, r->frames), &batch);
    unlink(file);
    if (r->want == 0 || !ok) {
        assert_false(ok || r->want);
        assert_int_equal(diag.first_error, E104);
        if (!strstr(messages.text, r->says))
            fail_msg("%s", messages.text);
        return;
    }
    assert_int_equal(batch_frames(g, batch), r->want);
}

// ---- FIFOs and time ----

static struct pipeline *schedule(void (*build)(void))
{
    static const struct schedule_goal fastest = { .max_dsp = -1 };
    const struct graph *g;
    struct board *b = arena_new(&arena, struct board);
    *b = (struct board){ .name = "test", .tech = tech_find("xcup"), .clock_hz = 100000000, .dsp = 60, .bram18 = 200, .lut = 60000, .ff = 120000 };
    if (m)
        model_free(m);
    m = model_new(14);
    build();
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    if (!schedule_solve(&cx, p, b, &fastest))
        fail_msg("%s", messages.text);
    return p;
}

static struct edge *edge_into(struct pipeline *p, int stream, enum stage_kind kind)
{
    for (int i = 0; i < p->n_edges; i++) {
        struct edge *e = &p->edges[i];
        if (e->stream == stream && e->consumer >= 0 && p->stages[e->consumer].kind == kind)
            return e;
    }
    fail_msg("no such edge");
    return NULL;
}

static int64_t slowest(const struct pipeline *p)
{
    int64_t cycles = 0;
    for (int i = 0; i < p->n_stages; i++)
        cycles = max_i64(cycles, p->stages[i].cost.cycles);
    return cycles;
}

static void late_join(void) // z meets x behind two rings
{
    image("x");
    image("z");
    conv("x", "a", 5);
    conv("a", "b", 5);
    conv("z", "c", 1);
    add("b", "c", "y");
    output("y");
}

// z serves the join alone, so that its host waits instead of a FIFO.
static void an_input_that_serves_one_join_needs_no_room(void **state)
{
    (void)state;
    qdq_setup();
    struct pipeline *p = schedule(late_join);
    for (int i = 0; i < p->n_edges; i++)
        assert_int_equal(p->edges[i].depth_words, 32);
    assert_true(p->interval_cycles * 100 <= slowest(p) * 101);
    for (int i = 0; i < p->n_edges; i++)
        p->edges[i].depth_words = 1;
    assert_false(timing_run(p, &arena, 4).deadlock);
}

// One input must get as far ahead of the other as the ring on its way holds back.
static void inputs_that_pass_each_other_need_room(void **state)
{
    (void)state;
    qdq_setup();
    struct pipeline *p = schedule(inputs_that_pass_each_other);
    struct edge *x = edge_into(p, p->inputs[0].stream, STAGE_ADD), *z = edge_into(p, p->inputs[1].stream, STAGE_ADD);
    const int64_t two_rows = 2 * 12 * 4; // elements
    assert_true(x->depth_words * p->streams[x->stream].lanes >= two_rows || z->depth_words * p->streams[z->stream].lanes >= two_rows);
    assert_true(p->interval_cycles * 100 <= slowest(p) * 101);
    assert_false(timing_run(p, &arena, 6).deadlock);
    x->depth_words = z->depth_words = 1;
    assert_true(timing_run(p, &arena, 4).deadlock);
}

static void chain_with_one_output(void)
{
    image("x");
    conv("x", "a", 3);
    conv("a", "b", 1);
    output("b");
}

static void the_latency_is_that_of_the_last_output(void **state)
{
    (void)state;
    qdq_setup();
    struct pipeline *both = schedule(output_inside_of_a_chain);
    int64_t latency = both->latency_cycles, interval = both->interval_cycles;
    struct pipeline *one = schedule(chain_with_one_output);
    assert_int_equal(latency, one->latency_cycles);
    assert_int_equal(interval, one->interval_cycles);
}

// Inputs of one pipeline differ in size: each has its own number of beats a frame.
static void small_and_large(void)
{
    image("x");
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 3, 3));
    qdq("z", 0.05f, 0, I8);
    conv("x", "a", 3);
    conv("z", "b", 1);
    output("a");
    output("b");
}

static void frames_of_inputs_keep_pace(void **state)
{
    (void)state;
    qdq_setup();
    struct pipeline *p = schedule(small_and_large);
    assert_true(p->interval_cycles * 100 <= slowest(p) * 101);
    assert_false(timing_run(p, &arena, 9).deadlock);
}

#define TEST(f) cmocka_unit_test_teardown(f, qdq_teardown)

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(ranges_come_from_each_input_and_outputs_keep_theirs), TEST(what_the_host_does_for_one_output_hardware_does_for_another),
        TEST(without_data_every_input_is_synthesised), TEST(an_input_that_serves_one_join_needs_no_room),
        TEST(inputs_that_pass_each_other_need_room), TEST(the_latency_is_that_of_the_last_output), TEST(frames_of_inputs_keep_pace),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(rows) + COUNT(files)];
    size_t n = COUNT(fixed);
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, qdq_teardown, (void *)(uintptr_t)&rows[i] };
    for (size_t i = 0; i < COUNT(files); i++)
        tests[n++] = (struct CMUnitTest){ files[i].name, check_file, NULL, qdq_teardown, (void *)(uintptr_t)&files[i] };
    return _cmocka_run_group_tests("ports", tests, n, NULL, NULL);
}

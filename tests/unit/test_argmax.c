// SPDX-License-Identifier: Apache-2.0
// Tests dataflow/argmax.c and dataflow/lower_argmax.c. Each model gives the scores too, as the host's floats; the index
// must be that of the largest of them, whether hardware or the host finds it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/argmax.h"
#include "dataflow/quant.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_int.h"
#include "tests/support/qdq.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define I8 DT_INT8
#define U8 DT_UINT8

// Scores y_d: the input through a table of few different values, so that pixels have several largest.
static void scores(int rank, const int64_t *dims, enum dtype t)
{
    input(rank, dims, 0.05f, t == U8 ? 130 : 3, t);
    model_node(m, "Tanh", "x_d", "y");
    qdq("y", 0.1f, t == U8 ? 120 : 7, t);
}

// Outputs the float tensor `of` and the ArgMax of it, or of `reads` where that is another.
static void index_of(const char *of, const char *reads, int axis)
{
    model_output(m, of);
    model_node(m, "ArgMax", reads, "o");
    model_int(m, "axis", axis);
    model_output(m, "o");
}

static void of_channels(void)
{
    scores(4, DIMS(1, 7, 5, 6), I8);
    index_of("y_d", "y_d", 1);
}

static void of_channels_flat_last(void)
{
    scores(4, DIMS(1, 7, 5, 6), U8);
    index_of("y_d", "y_d", -3);
    model_int(m, "keepdims", 0);
    model_int(m, "select_last_index", 1);
}

static void of_channels_at_the_end(void)
{
    scores(4, DIMS(1, 7, 5, 6), I8);
    model_node(m, "Transpose", "y_d", "t");
    model_ints(m, "perm", 4, DIMS(0, 2, 3, 1));
    index_of("t", "t", -1);
}

static void of_channels_columns_first(void)
{
    scores(4, DIMS(1, 7, 5, 6), I8);
    model_node(m, "Transpose", "y_d", "t");
    model_ints(m, "perm", 4, DIMS(0, 3, 2, 1));
    index_of("t", "t", 3);
    model_int(m, "keepdims", 0);
}

static void of_a_row(void)
{
    scores(3, DIMS(1, 5, 9), I8);
    index_of("y_d", "y_d", 1);
}

static void of_matrix_rows(void)
{
    scores(2, DIMS(6, 11), I8);
    index_of("y_d", "y_d", 1);
}

static void of_pixels_in_a_line(void)
{
    scores(4, DIMS(1, 4, 3, 5), I8);
    model_i64(m, "shape", 3, DIMS(1, 4, 15));
    model_node(m, "Reshape", "y_d shape", "t");
    index_of("t", "t", 1);
}

static void behind_softmax(void)
{
    scores(4, DIMS(1, 4, 3, 5), I8);
    model_node(m, "Softmax", "y_d", "p");
    model_int(m, "axis", 1);
    index_of("y_d", "p", 1);
}

static void of_integers(void)
{
    scores(4, DIMS(1, 6, 4, 4), U8);
    index_of("y_d", "y_q", 1);
}

// Integers of the model's own input, without any scale: nothing but a move and the index.
static void of_an_integer_input(void)
{
    model_input(m, "x", U8, 4, DIMS(1, 3, 2, 2));
    model_i64(m, "times", 4, DIMS(1, 2, 1, 1));
    model_node(m, "Tile", "x times", "t");
    model_node(m, "ArgMax", "t", "o");
    model_int(m, "axis", 1);
    model_int(m, "select_last_index", 1);
    model_output(m, "o");
}

static void behind_a_slice(void)
{
    scores(4, DIMS(1, 6, 4, 5), I8);
    model_i64(m, "from", 1, DIMS(1));
    model_i64(m, "to", 1, DIMS(4));
    model_i64(m, "axis", 1, DIMS(1));
    model_node(m, "Slice", "y_d from to axis", "t");
    qdq("t", 0.1f, 7, I8);
    index_of("t_d", "t", 1);
}

static void of_shuffled_channels(void) // they stand otherwise in the stream: a gather puts them in order
{
    scores(4, DIMS(1, 6, 4, 4), I8);
    model_i64(m, "split", 5, DIMS(1, 2, 3, 4, 4));
    model_i64(m, "back", 4, DIMS(1, 6, 4, 4));
    model_node(m, "Reshape", "y_d split", "a");
    model_node(m, "Transpose", "a", "b");
    model_ints(m, "perm", 5, DIMS(0, 2, 1, 3, 4));
    model_node(m, "Reshape", "b back", "c");
    model_node(m, "MaxPool", "c", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    qdq("p", 0.1f, 7, I8);
    index_of("p_d", "p_d", 1);
}

static void of_256_channels(void)
{
    scores(4, DIMS(1, 256, 2, 1), I8);
    index_of("y_d", "y_d", 1);
}

static void of_257_channels(void)
{
    scores(4, DIMS(1, 257, 2, 1), I8);
    index_of("y_d", "y_d", 1);
}

static void of_rows(void)
{
    scores(4, DIMS(1, 3, 4, 5), I8);
    index_of("y_d", "y_d", 2);
}

static void of_one_pixel(void)
{
    scores(4, DIMS(1, 10, 1, 1), I8);
    index_of("y_d", "y_d", 1);
}

static void of_one_channel(void)
{
    scores(4, DIMS(1, 1, 4, 5), I8);
    index_of("y_d", "y_d", 1);
}

static void of_matrix_columns(void)
{
    scores(2, DIMS(6, 11), I8);
    index_of("y_d", "y_d", 0);
}

static void of_channels_cut_anew(void)
{
    scores(4, DIMS(1, 6, 4, 4), I8);
    model_i64(m, "shape", 4, DIMS(1, 4, 6, 4));
    model_node(m, "Reshape", "y_d shape", "t");
    index_of("t", "t", 1);
}

static void behind_softmax_of_columns(void)
{
    scores(4, DIMS(1, 4, 3, 5), I8);
    model_node(m, "Softmax", "y_d", "p");
    model_int(m, "axis", 3);
    index_of("p", "p", 1);
}

static const struct row {
    const char *name;
    void (*build)(void);
    int axis;     // of the scores
    bool last;    // of equals
    int stages;   // 1 is the table
    bool hardware;
} rows[] = {
    { "channels of an image", of_channels, 1, false, 2, true },
    { "the last of equal channels, uint8, no dimension kept", of_channels_flat_last, 1, true, 2, true },
    { "channels at the end", of_channels_at_the_end, 3, false, 2, true },
    { "channels at the end, columns first", of_channels_columns_first, 3, false, 2, true },
    { "channels of a row", of_a_row, 1, false, 2, true },
    { "rows of a matrix", of_matrix_rows, 1, false, 2, true },
    { "pixels in a line", of_pixels_in_a_line, 1, false, 2, true },
    { "Softmax changes no order", behind_softmax, 1, false, 2, true },
    { "integers", of_integers, 1, false, 2, true },
    { "a slice", behind_a_slice, 1, false, 3, true },
    { "shuffled channels", of_shuffled_channels, 1, false, 4, true },
    { "256 channels", of_256_channels, 1, false, 2, true },
    { "257 channels", of_257_channels, 1, false, 1, false },
    { "rows of an image", of_rows, 2, false, 1, false },
    { "a classifier's one pixel", of_one_pixel, 1, false, 1, false },
    { "one channel", of_one_channel, 1, false, 1, false },
    { "columns of a matrix", of_matrix_columns, 0, false, 1, false },
    { "channels that a Reshape cuts anew", of_channels_cut_anew, 1, false, 1, false },
    { "Softmax along another axis", behind_softmax_of_columns, 1, false, 1, false },
};

// Indices that differ from those of the scores.
static int64_t count_wrong(const struct array *x, const struct array *index, int axis, bool last)
{
    int64_t outer = 1, inner = 1, size = x->dims[axis], wrong = 0;
    for (int i = 0; i < x->rank; i++)
        *(i < axis ? &outer : &inner) *= i == axis ? 1 : x->dims[i];
    assert_int_equal(array_count(index), outer * inner);
    for (int64_t o = 0; o < outer * inner; o++) {
        int64_t best = -1;
        double most = -INFINITY;
        for (int64_t k = 0; k < size; k++) {
            double v = array_f64(x, (o / inner * size + k) * inner + o % inner);
            if (v > most || (last && v == most)) {
                best = k;
                most = v;
            }
        }
        wrong += ((const int64_t *)index->data)[o] != best;
    }
    return wrong;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    const struct graph *g = NULL;
    qdq_setup();
    r->build();
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    const struct stage *s = &p->stages[p->n_stages - 1];
    assert_int_equal(p->n_stages, r->stages);
    assert_int_equal(s->kind == STAGE_ARGMAX, r->hardware);
    assert_int_equal(argmax_in_hardware(p->outputs[1].tensor->producer), r->hardware);
    for (int f = 1; f < 6; f++) {
        struct array x = frame_of(g->inputs[0], &p->streams[0], f);
        const struct array *y = run_pipeline(p, &x);
        assert_int_equal(y[1].dtype, DT_INT64);
        assert_int_equal(count_wrong(&y[0], &y[1], r->axis, r->last), 0);
    }
}

// A float model: the scores keep their whole range, for a clip point makes equals of the largest; Softmax is gone.
static void float_scores_are_not_clipped(void **state)
{
    (void)state;
    qdq_setup();
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 4, 4));
    model_node(m, "Tanh", "x", "y");
    model_node(m, "Softmax", "y", "p");
    model_int(m, "axis", 1);
    model_node(m, "ArgMax", "p", "o");
    model_int(m, "axis", 1);
    model_output(m, "o");
    struct graph *g;
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g) && simplify_graph(&cx, g));
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1000, 3, 4, 4));
    for (int64_t i = 0; i < array_count(&x); i++) // one value far from all others
        ((float *)x.data)[i] = i == 5 ? 3 : (float)random_int(-100, 100) * 1e-4f;
    struct quant_ranges ranges = { 0 };
    assert_true(quantize_graph(&cx, g, &x, &ranges));
    graph_verify(g);
    assert_int_equal(ranges.n, 2);
    assert_string_equal(ranges.items[1].tensor, "y");
    assert_true(fabs(ranges.items[1].hi - tanh(3)) < 1e-6);
    assert_true(ranges.items[0].hi < 2.999); // as the input shows, the search would have clipped it
    for (int i = 0; i < g->n_nodes; i++)
        assert_int_not_equal(g->nodes[i]->op, OP_Softmax);
    struct pipeline *p;
    assert_true(lower_graph(&cx, g, REQUANT_EXACT, "test", &p));
    assert_int_equal(p->stages[p->n_stages - 1].kind, STAGE_ARGMAX);
}

static void an_integer_input_needs_no_scale(void **state)
{
    (void)state;
    const struct graph *g = NULL;
    qdq_setup();
    of_an_integer_input();
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    assert_int_equal(p->n_stages, 2); // gather, argmax
    struct array x = array_new(&arena, U8, 4, DIMS(1, 3, 2, 2));
    const uint8_t pixels[3][4] = { { 7, 0, 200, 9 }, { 9, 0, 127, 8 }, { 8, 0, 128, 7 } };
    memcpy(x.data, pixels, sizeof pixels);
    const struct array *y = run_pipeline(p, &x);
    static const int64_t want[] = { 4, 5, 3, 3 }; // of the second copy of the channels
    assert_memory_equal(y[0].data, want, sizeof want);
}

static void an_index_may_be_two_outputs(void **state)
{
    (void)state;
    const struct graph *g = NULL;
    qdq_setup();
    of_channels();
    model_node(m, "Cast", "o", "o32");
    model_int(m, "to", DT_INT32);
    model_output(m, "o32");
    struct pipeline *p = qdq_lower(&g, REQUANT_EXACT);
    assert_int_equal(p->n_stages, 2);
    assert_int_equal(p->outputs[1].stream, p->outputs[2].stream);
    struct array x = frame_of(g->inputs[0], &p->streams[0], 3);
    const struct array *y = run_pipeline(p, &x);
    for (int64_t i = 0; i < array_count(&y[1]); i++)
        assert_true(array_f64(&y[1], i) == array_f64(&y[2], i));
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 3] = {
        cmocka_unit_test_teardown(float_scores_are_not_clipped, qdq_teardown),
        cmocka_unit_test_teardown(an_index_may_be_two_outputs, qdq_teardown),
        cmocka_unit_test_teardown(an_integer_input_needs_no_scale, qdq_teardown),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 3] = (struct CMUnitTest){ rows[i].name, check_row, NULL, qdq_teardown, (void *)(uintptr_t)&rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Golden files: the pipeline, the schedule and the Verilog of a small quantized residual network, as text. A change of
// the compiler shows its effect here as a diff. To accept one:
//     AIHLS_GOLDEN=accept build/tests/flow/test_golden && git diff tests/golden
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataflow/schedule.h"
#include "frontend/board.h"
#include "hls/bind.h"
#include "hls/netlist.h"
#include "tests/support/qdq.h"

static int64_t dims_of[4];
static const int64_t *shape(int64_t a, int64_t b, int64_t c, int64_t d)
{
    const int64_t v[] = { a, b, c, d };
    memcpy(dims_of, v, sizeof v);
    return dims_of;
}

// Two convolutions with a skip around the second, a maximum, a global average, a product.
static struct pipeline *residual_network(const struct graph **g)
{
    input(4, shape(1, 3, 8, 8), 0.05f, 3, DT_INT8);
    weights("w1", 4, shape(8, 3, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", "x_d w1", "c1");
    model_ints(m, "pads", 4, shape(1, 1, 1, 1));
    model_node(m, "Relu", "c1", "r1");
    qdq("r1", 0.11f, -128, DT_INT8);
    weights("w2", 4, shape(8, 8, 3, 3), 8, 0, DT_INT8, false);
    model_node(m, "Conv", "r1_d w2", "c2");
    model_ints(m, "pads", 4, shape(1, 1, 1, 1));
    qdq("c2", 0.4f, 5, DT_INT8);
    model_node(m, "Add", "r1_d c2_d", "a");
    qdq("a", 0.5f, -3, DT_INT8);
    model_node(m, "GlobalAveragePool", "a_d", "p");
    qdq("p", 0.2f, 0, DT_INT8);
    model_node(m, "Flatten", "p_d", "f");
    weights("w3", 2, shape(10, 8, 0, 0), 1, 0, DT_INT8, false);
    model_node(m, "Gemm", "f w3", "y");
    model_int(m, "transB", 1);
    qdq("y", 0.3f, 0, DT_INT8);
    model_output(m, "y_q");
    return qdq_lower(g, REQUANT_EXACT);
}

static void same_as(const char *file, const struct strbuf *now)
{
    const char *accept = getenv("AIHLS_GOLDEN");
    if (accept && strcmp(accept, "accept") == 0) {
        FILE *f = fopen(file, "w");
        assert_non_null(f);
        fputs(now->text, f);
        assert_int_equal(fclose(f), 0);
        return;
    }
    struct strbuf then = STRBUF_INIT;
    assert_true(strbuf_read_file(&then, file));
    if (strcmp(then.text, now->text) == 0) {
        strbuf_release(&then);
        return;
    }
    int line = 1;
    const char *a = then.text, *b = now->text;
    for (; *a && *a == *b; a++, b++)
        line += *a == '\n';
    while (a > then.text && a[-1] != '\n')
        a--, b--;
    fail_msg("%s:%d\n  was %.*s\n  is  %.*s\n(see the head of this test)", file, line, (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
}

static struct golden_row {
    const char *name, *board;
    int64_t fps;
} rows[] = {
    { "residual-ultra96", "ultra96", 0 },
    { "residual-pynq-z2-20000fps", "pynq-z2", 20000 },
};

static void schedule_and_verilog_are_as_recorded(void **state)
{
    const struct golden_row *r = *state;
    qdq_setup();
    const struct graph *g;
    struct pipeline *p = residual_network(&g);
    p->name = "residual";
    struct board b;
    struct schedule_goal goal = { .fps = r->fps, .max_dsp = -1 };
    assert_true(board_read(&cx, r->board, &b) && schedule_solve(&cx, p, &b, &goal));
    struct strbuf text = STRBUF_INIT;
    pipeline_dump(p, &text);
    same_as(arena_printf(&arena, "tests/golden/%s.txt", r->name), &text);
    strbuf_clear(&text);
    strbuf_adds(&text, "// SPDX-License-Identifier: Apache-2.0\n");
    netlist_print(bind_pipeline(p, &arena), &text);
    same_as(arena_printf(&arena, "tests/golden/%s.v", r->name), &text);
    strbuf_release(&text);
    qdq_teardown(NULL);
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, schedule_and_verilog_are_as_recorded, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}

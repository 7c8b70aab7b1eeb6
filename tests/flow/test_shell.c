// SPDX-License-Identifier: Apache-2.0
// The shells as a user meets them: frames by registers and DMA, with stalls, errors of the bus and resets, what the report says of
// memory, and that the simulation notices a shell that is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "hls/outdir.h"
#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

// One input of 3 channels, one output of 5: frames that are no whole words of a bus.
static void build_one(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 9, 7));
    float_weights("w", 4, DIMS(5, 3, 3, 3));
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
}

// Two inputs that meet, three outputs, one of them of 5 bytes.
static void build_many(void)
{
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 6, 6));
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 6, 6));
    float_weights("w", 4, DIMS(4, 3, 3, 3));
    model_node(m, "Conv", "x w", "c");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "Add", "c z", "s");
    model_node(m, "GlobalAveragePool", "s", "mean");
    model_node(m, "Flatten", "s", "f");
    float_weights("v", 2, DIMS(144, 5));
    model_node(m, "MatMul", "f v", "scores");
    model_node(m, "Relu", "s", "map");
    model_output(m, "mean");
    model_output(m, "scores");
    model_output(m, "map");
}

// Nothing to compute, so that memory is what takes time.
static void build_fast(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 16, 8, 8));
    model_node(m, "Sigmoid", "x", "y");
    model_output(m, "y");
}

static int group_setup(void **state)
{
    (void)state;
    static const struct { const char *file; void (*build)(void); } models[] = { { "one.onnx", build_one }, { "many.onnx", build_many }, { "fast.onnx", build_fast } };
    if (!sandbox_open("shell"))
        return -1;
    for (int i = 0; i < 3; i++) {
        qdq_setup();
        models[i].build();
        write_model(models[i].file);
        if (i < 2)
            qdq_teardown(NULL);
    }
    int code = run("$A one.onnx --board pynq-z2 -q -o one && $A many.onnx --board ultra96 -q -o many && $A fast.onnx --board ultra96 -q -o fast && "
                   "$A one.onnx --board icebreaker --fps 100 -q -o ice");
    if (code)
        print_error("%s", out.text);
    return code;
}

static struct command rows[] = {
    { "the shells pass lint", "cd many && for t in many_axi many_axis; do verilator --lint-only -Wall --top-module $t -f rtl/many.f || exit 9; done", 0, "" },
    { "the bench with its checkers too", "cd one && verilator --lint-only -Wall --top-module shell_bench -f rtl/one.f sim/*.v", 0, "" },
    { "frames come by DMA", "$A sim one --shell axi", 0, "32 frames by DMA in" },
    { "with stalls", "$A sim one --shell axi --frames 50 --stalls 3", 0, "50 frames by DMA in" },
    { "bursts with errors mark their frames, and only these", "$A sim one --shell axi --frames 90 --faults 3 | grep ' [1-9][0-9]* with errors'", 0, "0 mismatches" },
    { "errors among stalls", "$A sim one --shell axi --frames 90 --faults 5 --stalls 6 | grep ' [1-9][0-9]* with errors'", 0, "0 mismatches" },
    { "resets in the middle", "for at in 500 1003 1719 2222; do $A sim one --shell axi --frames 60 --reset-at $at || exit 9; done", 0, "60 frames by DMA" },
    { "resets among stalls and errors", "for s in 1 2 3 4; do $A sim one --shell axi --frames 60 --reset-at $((700+s*131)) --stalls $s --faults $s || exit 9; done", 0, "60 frames by DMA" },
    { "two inputs and three outputs", "$A sim many --shell axi", 0, "32 frames by DMA in" },
    { "two inputs and three outputs, all at once", "for s in 1 2 3 4; do $A sim many --shell axi --frames 60 --reset-at $((500+s*171)) --stalls $s --faults $s || exit 9; done", 0, "60 frames by DMA" },
    { "memory that is too slow", "$A sim fast --shell axi", 0, "bound by DRAM" },
    { "a board without a processor", "$A sim ice --shell axi", 2, "E401" },
    { "has no such shell", "test ! -e ice/rtl/one_axi.v && test -e ice/rtl/one_axis.v && grep -q '\"kind\": \"uart\"' ice/report.json", 0, NULL },
    { "a shell that is unknown", "$A sim one --shell pci", 2, "E401" },
    { "errors without a bus", "$A sim one --faults 3", 2, "--faults needs --shell" },
    { "AXI-Stream: TLAST, and a frame of the wrong length", "b() { sed -n \"s/.*\\.$1(\\([0-9]*\\)).*/\\1/p\" one/rtl/one_axis.v; }; iverilog -g2005 -s axis -P axis.IN=$(b BEATS) -P axis.OUT=$(b N) "
      "-o axis.vvp one/rtl/*.v $T/flow/axis.v && cd one && vvp ../axis.vvp", 0, "all right" },
    // shells that are wrong
    { "a burst over 4 KB", "$W aihls_axi_burst \"s/to_edge = 5'd16 - .*/to_edge = 5'd16;/\"", 1, "AXI4 master" },
    { "strobes behind a frame's end", "$W aihls_axi_write \"s/? LAST_STRB :/? {WORD_BYTES{1'b1}} :/\"", 1, "written beyond its end" },
    { "a last word that is not counted", "$W aihls_gear 's/last ? LAST_ADDED : TAKE_ADDED/TAKE_ADDED/'", 1, "error[E60" },
    { "an error that nobody hears of", "$W aihls_ring \"s/<= done_error\\[p\\]/<= 1'b0/\"", 1, "SLOT_STATUS" },
    { "a frame that is done before its writes are answered", "$W aihls_axi_write 's/done_q       <= b_valid && resp_ends/done_q <= take \\& ends/'", 1, "error[E60" },
    { "a reset that does not wait for the bus", "$W aihls_ring 's/(idle && wait_q/(wait_q/'", 1, "error[E60" },
};

// $W TEMPLATE SED simulates a shell in which a template was changed.
static void check_row(void **state)
{
    const struct command *r = *state;
    const char *wrong = "wrong() { rm -rf wrong && cp -r one wrong && rm -rf wrong/sim/build_shell && sed -i \"$2\" wrong/rtl/$1.v && ! cmp -s one/rtl/$1.v wrong/rtl/$1.v && "
                        "h() { sha256sum $1/rtl/$2.v | cut -d' ' -f1; }; sed -i \"s/$(h one $1)/$(h wrong $1)/\" wrong/manifest.json; for at in 900 1111 1333 1555; do $A sim wrong --shell axi --frames 400 --faults 3 --reset-at $at || exit 1; done; for at in 900 1111 1333 1555; do $A sim wrong --shell axi --stalls $at --reset-at $at || exit 1; done; }; W=wrong; ";
    expect(r->code, r->says, run("%s %s", wrong, r->command));
}

static int64_t number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    assert_true(json_is_integer(v));
    return (int64_t)json_integer_value(v);
}

// The pipeline keeps its pace behind the shell, within 3 %, where memory is fast enough; and memory its own where it is not.
static void the_report_says_what_binds(void **state)
{
    (void)state;
    static const struct { const char *dir, *bound; } nets[] = { { "one", "pipeline" }, { "many", "pipeline" }, { "fast", "DRAM" } };
    for (int i = 0; i < 3; i++) {
        expect(0, NULL, run("$A sim %s --shell axi --frames 64 -q", nets[i].dir));
        json_t *report = json_load_file(path(arena_printf(&arena, "%s/report.json", nets[i].dir)), 0, NULL);
        const json_t *shell = json_object_get(report, "shell"), *seen = json_object_get(report, "simulated_shell");
        int64_t want = number(shell, "cycles_per_frame"), have = number(seen, "cycles_per_frame");
        assert_string_equal(json_string_value(json_object_get(shell, "bound")), nets[i].bound);
        assert_int_equal(want, max_i64(number(json_object_get(report, "predicted"), "cycles_per_frame"), max_i64(number(shell, "dram_cycles"), number(shell, "bus_cycles"))));
        if (have * 100 > want * 103 || have * 100 < want * 97)
            fail_msg("%s: %lld cycles a frame, want %lld", nets[i].dir, (long long)have, (long long)want);
        json_decref(report);
    }
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 1] = { cmocka_unit_test(the_report_says_what_binds) };
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i + 1] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

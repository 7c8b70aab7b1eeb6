// SPDX-License-Identifier: Apache-2.0
// --serial as a user meets it: a network in one multiplier, cycles as predicted, with pauses and resets; its code in a ROM, and in
// memory that the harness, the driver's simulation and the serial line fill; what is refused, and that the simulation notices mistakes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/check.h"
#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define COUNT(a) (sizeof(a) / sizeof *(a))

// A residual block, pools with padding, a grouped convolution, a matrix product.
static void build_one(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 9, 7));
    float_weights("w1", 4, DIMS(8, 3, 3, 3));
    model_node(m, "Conv", "x w1", "c1");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "Relu", "c1", "a");
    float_weights("w2", 4, DIMS(8, 4, 3, 3));
    model_node(m, "Conv", "a w2", "c2");
    model_ints(m, "pads", 4, DIMS(2, 1, 0, 1));
    model_int(m, "group", 2);
    model_node(m, "Add", "c2 a", "r");
    model_node(m, "MaxPool", "r", "p1");
    model_ints(m, "kernel_shape", 2, DIMS(3, 2));
    model_ints(m, "strides", 2, DIMS(2, 2));
    model_ints(m, "pads", 4, DIMS(1, 0, 1, 1));
    model_node(m, "AveragePool", "p1", "p2");
    model_ints(m, "kernel_shape", 2, DIMS(3, 3));
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    float_weights("w3", 4, DIMS(8, 1, 3, 3));
    model_node(m, "Conv", "p2 w3", "d");
    model_int(m, "group", 8);
    model_node(m, "GlobalAveragePool", "d", "g");
    model_node(m, "Flatten", "g", "f");
    float_weights("w4", 2, DIMS(8, 5));
    model_node(m, "MatMul", "f w4", "y");
    model_output(m, "y");
}

// Two inputs, two outputs, a difference.
static void build_many(void)
{
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 6, 6));
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 6, 6));
    float_weights("w", 4, DIMS(4, 3, 1, 1));
    model_node(m, "Conv", "x w", "c");
    model_node(m, "Sub", "c z", "s");
    model_node(m, "Flatten", "s", "f");
    float_weights("v", 2, DIMS(144, 5));
    model_node(m, "MatMul", "f v", "scores");
    model_node(m, "MaxPool", "s", "map");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_output(m, "scores");
    model_output(m, "map");
}

// More weights than an iCE40 has block RAM for: 20,480.
static void build_large(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 16, 16));
    model_node(m, "Flatten", "x", "f");
    float_weights("v", 2, DIMS(256, 80));
    model_node(m, "MatMul", "f v", "y");
    model_output(m, "y");
}

// Another network of that size.
static void build_other(void)
{
    build_large();
    float_weights("u", 2, DIMS(80, 3));
    model_node(m, "MatMul", "y u", "z");
    model_output(m, "z");
}

// More than its large blocks hold.
static void build_huge(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 1, 32, 16));
    model_node(m, "Flatten", "x", "f");
    float_weights("v", 2, DIMS(512, 300));
    model_node(m, "MatMul", "f v", "y");
    model_output(m, "y");
}

static void build_gate(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 5, 5));
    float_weights("w", 4, DIMS(3, 3, 1, 1));
    model_node(m, "Conv", "x w", "c");
    model_node(m, "Mul", "c x", "p");
    model_node(m, "Sigmoid", "p", "y");
    model_output(m, "y");
}

static int group_setup(void **state)
{
    (void)state;
    static const struct { const char *file; void (*build)(void); } models[] = { { "one.onnx", build_one }, { "many.onnx", build_many }, { "large.onnx", build_large },
                                                                                { "other.onnx", build_other }, { "huge.onnx", build_huge }, { "gate.onnx", build_gate } };
    if (!sandbox_open("serial"))
        return -1;
    for (size_t i = 0; i < COUNT(models); i++) {
        qdq_setup();
        models[i].build();
        write_model(models[i].file);
        if (i + 1 < COUNT(models))
            qdq_teardown(NULL);
    }
    int code = run("$A one.onnx --board ultra96 --serial -q -o one && $A many.onnx --board ulx3s-85f --serial -q -o many && $A one.onnx --board icebreaker --serial -q -o ice && "
                   "for n in large other; do $A $n.onnx --board icebreaker --serial -q -o $n || exit 9; done && make -s -C large/driver && make -s -C other/driver VERILATOR= && (echo P2 16 16 255; seq 0 255) >x.pgm");
    if (code)
        print_error("%s", out.text);
    return code;
}

#define AS_PREDICTED " | awk '{ print } /cycles per frame|first latency/ && $(NF-3) != $(NF-1) { exit 9 }'"

static struct command rows[] = {
    { "cycles are those that were predicted", "$A sim one" AS_PREDICTED, 0, "0 mismatches" },
    { "of every stage too", "$A sim one | awk '/^s[0-9]/ && $2 != $3 { print; bad = 1 } END { exit bad }'", 0, "" },
    { "with pauses", "for s in 1 2 3 4; do $A sim one --stalls $s --frames 4 || exit 9; done", 0, "0 mismatches" },
    { "with whatever memory holds at first, and long and short resets", "for s in 1 2 3; do $A sim one --power-seed $s --reset-cycles $((19 * s - 18)) || exit 9; done", 0, "0 mismatches" },
    { "with a reset in the middle", "for at in 5 70 1234 9999; do $A sim one --reset-at $at --stalls 1 || exit 9; done", 0, "0 mismatches" },
    { "behind registers and DMA", "$A sim one --shell axi --frames 5 --stalls 2 --faults 3", 0, "0 mismatches" },
    { "two inputs and two outputs", "$A sim many" AS_PREDICTED " && $A sim many --stalls 5 --frames 4", 0, "0 mismatches" },
    { "the same behind a line", "$A sim many --shell uart --frames 4 --stalls 1 --faults 1", 0, "0 mismatches" },
    { "the same behind SPI", "$A sim many --shell spi --frames 4 --stalls 1 --faults 1", 0, "0 mismatches" },
    { "a small network's code is a ROM", "grep -q aihls_rom ice/rtl/one_core.v && ! grep -q s_code ice/rtl/one_core.v && $A sim ice", 0, "0 mismatches" },
    { "what the project counts", "grep -q 'DSP := 1$' ice/project/settings.mk && grep -q 'SHELL_BRAM := 5$' ice/project/settings.mk && grep -q 'SHELL_BRAM := 6$' large/project/settings.mk", 0, NULL },
    // code that is loaded
    { "a large one's comes through a port", "! grep -q aihls_rom large/rtl/large_core.v && $A sim large" AS_PREDICTED, 0, "0 mismatches" },
    { "with pauses there as well", "for s in 1 2 3; do $A sim large --stalls $s || exit 9; done", 0, "0 mismatches" },
    { "a reset while it comes, and behind it", "for at in 9 20000 30000; do $A sim large --reset-at $at --stalls 1 || exit 9; done", 0, "0 mismatches" },
    { "through the line", "$A sim large --shell uart --frames 3 --stalls 3", 0, "3 frames through the line, 0 mismatches" },
    { "through a noisy one", "$A sim large --shell uart --frames 2 --faults 5 | grep ' [1-9][0-9]* disturbances'", 0, "2 frames through the line, 0 mismatches, 0 lost" },
    { "through SPI", "$A sim large --shell spi --frames 2 --stalls 5", 0, "2 frames through the line, 0 mismatches" },
    { "and again behind a reset of the wires", "$A sim large --shell uart --frames 4 --reset-at 2090000", 0, "4 frames through the line, 0 mismatches, 1 lost" },
    { "the driver's simulation loads it", "for b in simulation reference; do large/driver/build/example --backend $b x.pgm | sed 's/ time.*//' >$b || exit 9; done; cmp simulation reference", 0, "" },
    { "a program at the end of the line does not see the difference", "on large large", 0, NULL },
    { "another network's bitstream", "on large other", 1, "holds another network" },
    { "wrappers pass lint", "for d in one many large; do n=$d; for t in $n ${n}_axis ${n}_axi ${n}_uart; do test ! -e $d/rtl/$t.v || (cd $d && verilator --lint-only -Wall --top-module $t -f rtl/$n.f) || exit 9; done; done", 0, "" },
    // what is refused
    { "every stage of another kind is named", "$A gate.onnx --board ultra96 --serial -o g 2>&1 | grep -c '^error.E305'", 0, "2" },
    { "and nothing is written", "$A gate.onnx --board ultra96 --serial -o g; c=$?; test ! -e g && exit $c", 1, "E305" },
    { "a network that is too large", "$A huge.onnx --board icebreaker --serial -o h", 1, "need 5 SPRAM (1 too many)" },
    { "without the option its message is the pipeline's", "$A large.onnx --board icebreaker -o h", 1, "--serial" },
    { "a table of all boards", "$A large.onnx --board all --serial | grep 'icebreaker *yes'", 0, NULL },
    // mistakes in the Verilog
    { "a digit that is not shifted", "wrong aihls_serial 's/digits && step\\[2\\]/1'\\''b0/'", 1, "stage s02_add" },
    { "padding that is read", "wrong aihls_serial 's/outside_q <= outside/outside_q <= 1'\\''b0/'", 1, "stage s00_conv" },
    { "weights that do not begin anew", "wrong aihls_serial 's/again_late && pixel_ended_q/1'\\''b0/'", 1, "error[E60" },
    { "a sum that keeps the last output's", "wrong aihls_serial 's/begin_q       <= ended/begin_q       <= 1'\\''b0/'", 1, "error[E60" },
    { "what is never rounded up", "wrong aihls_rqserial 's/half_q \\&\\& (sticky_q/1'\\''b0 \\&\\& (sticky_q/'", 1, "error[E601" },
    { "a result that is stored too late", "wrong aihls_serial 's/|| state_q == FLUSH) && rq_idle/) \\&\\& rq_idle/'", 1, "error[E60" },
};

// wrong TEMPLATE SED simulates `one` with a template changed; on DEVICE NET runs NET's example on DEVICE's Verilated board, and holds
// what it says against the reference.
static void check_row(void **state)
{
    const struct command *r = *state;
    const char *functions =
        "wrong() { rm -rf wrong && cp -r one wrong && rm -rf wrong/sim/build_plain && sed -i \"$2\" wrong/rtl/$1.v && ! cmp -s one/rtl/$1.v wrong/rtl/$1.v && "
        "h() { sha256sum $1/rtl/$2.v | cut -d' ' -f1; }; sed -i \"s/$(h one $1)/$(h wrong $1)/\" wrong/manifest.json; $A sim wrong || exit 1; }; "
        "on() { rm -f tty; (cd $1 && exec sim/build_uart/Vuart --pty) >tty & p=$!; i=0; while ! test -s tty; do i=$((i+1)); test $i -lt 100 || return 8; sleep 0.1; done; "
        "AIHLS_SERIAL=$(cat tty) $2/driver/build/example --backend serial x.pgm >said 2>&1; c=$?; kill -KILL $p; sed 's/ time.*//' said >have; cat have; "
        "[ $c = 0 ] && $2/driver/build/example --backend reference x.pgm | sed 's/ time.*//' | cmp - have || c=1; return $c; }; ";
    expect(r->code, r->says, run("%s%s", functions, r->command));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

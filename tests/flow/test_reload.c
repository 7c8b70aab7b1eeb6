// SPDX-License-Identifier: Apache-2.0
// --reloadable and --reload as a user meets them: hardware made for one network runs another of the same shape, bare, behind AXI and
// behind a serial line, and what does not belong together is refused.
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

// A convolution, a depthwise one with its own weights, a sum, a pool and a product.
static void build(int64_t wide)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 8, 7));
    float_weights("w", 4, DIMS(5, 3, 3, 3));
    model_node(m, "Conv", "x w", "c");
    float_weights("d", 4, DIMS(5, 1, 3, 3));
    model_node(m, "Conv", "c d", "e");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_int(m, "group", 5);
    model_node(m, "Add", "c e", "s");
    model_node(m, "MaxPool", "s", "p");
    model_ints(m, "kernel_shape", 2, DIMS(2, 2));
    model_node(m, "Flatten", "p", "f");
    float_weights("v", 2, DIMS(100, wide));
    model_node(m, "MatMul", "f v", "y");
    model_output(m, "y");
}

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("reload"))
        return -1;
    qdq_setup();
    build(4);
    write_model("first.onnx");
    qdq_teardown(NULL);
    qdq_setup();
    float_weights("skipped", 1, DIMS(97)); // others from here on
    build(4);
    write_model("second.onnx");
    qdq_teardown(NULL);
    qdq_setup();
    build(5);
    write_model("wide.onnx");
    int code = run("$A first.onnx --board ultra96 --reloadable -q -o axi && $A first.onnx --board ulx3s-85f --reloadable -q -o uart && "
                   "$A first.onnx --board icebreaker --serial --reloadable -q -o serial && $A first.onnx --board arty-a7-100 -q -o rom && "
                   "for d in axi uart serial; do $A second.onnx --reload $d -q -o ${d}_2 || exit 9; done && "
                   "(echo P3 7 8 255; seq 1 168) >x.ppm");
    if (code)
        print_error("%s", out.text);
    return code;
}

static struct command rows[] = {
    { "the pipeline", "$A sim axi_2 --frames 3 --stalls 2", 0, "3 frames, 6 streams compared, 0 mismatches" },
    { "both have the same hardware and other weights",
      "for d in axi uart serial; do diff -r $d/rtl ${d}_2/rtl && diff -r $d/project ${d}_2/project && ! cmp -s $d/driver/first_weights.bin ${d}_2/driver/first_weights.bin || exit 9; done", 0, NULL },
    { "of another family, with cut memories", "$A sim uart_2 --frames 3 --stalls 5", 0, "0 mismatches" },
    { "one multiplier", "$A sim serial_2 --frames 2", 0, "0 mismatches" },
    { "behind AXI, with errors of the bus", "$A sim axi_2 --shell axi --frames 8 --stalls 3 --faults 2", 0, "8 frames by DMA" },
    { "behind AXI, with a reset", "$A sim axi_2 --shell axi --frames 6 --reset-at 700", 0, "6 frames by DMA" },
    { "behind a serial line, with noise", "for d in uart_2 serial_2; do $A sim $d --shell uart --frames 4 --stalls 3 --faults 2 || exit 9; done", 0, "4 frames through the line, 0 mismatches" },
    // a program of the first network gets the weights of the second
    { "a program that reloads", "on axi axi_2 && on uart uart_2 && on serial serial_2", 0, NULL },
    { "the reference has its weights for good", "axi/driver/build/example --backend reference --weights axi_2/driver/first_weights.bin x.ppm", 1, "back end" },
    { "a file that holds no weights", "axi/driver/build/example --weights x.ppm x.ppm", 1, "x.ppm: " },
    { "a file that ends early", "head -c 300 axi_2/driver/first_weights.bin >short; axi/driver/build/example --weights short x.ppm", 1, "short: " },
    { "weights for other hardware", "axi/driver/build/example --weights uart_2/driver/first_weights.bin x.ppm", 1, "another network" },
    { "no such file", "axi/driver/build/example --weights none x.ppm", 1, "none: cannot be read" },
    { "the report says what it costs", "grep -q '\"more_ff\": [1-9]' axi/report.json && ! grep -q more_ff rom/report.json && $A report axi", 0, "bytes of weights may be loaded; their memories take" },
    // the compiler
    { "digits, trained further", "$A $M/digits/digits.onnx --board zcu104 --reloadable --name d -q -o d && $A $M/digits/digits_turned.onnx --reload d -q -o t && diff -r d/rtl t/rtl && "
      "grep '^#define D_MODEL' d/driver/d.h >id && grep -qf id t/driver/d.h && ! cmp -s d/mem/d_code.hex t/mem/d_code.hex", 0, NULL },
    { "a network of other tensors", "$A $M/resnet20.onnx --reload axi -o no", 1, "has no counterpart in axi" },
    { "another shape", "$A wide.onnx --reload axi -o no; c=$?; test ! -e no && exit $c", 1, "error[E306]: the model needs other hardware than axi has" },
    { "hardware that has its weights for good", "$A second.onnx --reload rom -o no", 1, "error[E306]" },
    { "a directory that is none", "$A second.onnx --reload x.ppm -o no", 1, "error[E" },
    { "a board beside it", "$A second.onnx --reload axi --board ultra96 -o no", 2, "--board is decided by the hardware" },
    { "without --reloadable there are no weights to load", "test ! -e rom/driver/first_weights.bin && ! grep -rq aihls_store rom/rtl/first_core.v", 0, NULL },
    // stores that are wrong
    { "a store that swaps bytes", "$W aihls_store 's/{s_code_data, word_q}/{~s_code_data, word_q}/'", 1, "error[E601]" },
    { "a store that keeps one byte too few", "$W aihls_store 's/LAST = DEPTH - 1/LAST = DEPTH - 2/'", 1, "error[E60" },
};

// $W TEMPLATE SED simulates a pipeline in which a template was changed; on FIRST SECOND runs the example of FIRST with the weights of SECOND on
// the simulation of FIRST, and holds what it says against SECOND's reference, and that against FIRST's.
static void check_row(void **state)
{
    const struct command *r = *state;
    const char *functions =
        "wrong() { rm -rf wrong && cp -r axi wrong && rm -rf wrong/sim/build* && sed -i \"$2\" wrong/rtl/$1.v && ! cmp -s axi/rtl/$1.v wrong/rtl/$1.v && "
        "h() { sha256sum $1/rtl/$2.v | cut -d' ' -f1; }; sed -i \"s/$(h axi $1)/$(h wrong $1)/\" wrong/manifest.json; $A sim wrong --frames 2; }; W=wrong; "
        "M=$(dirname $A)/../tests/models; said() { sed 's/ time.*//'; }; "
        "on() { make -s -C $1/driver && make -s -C $2/driver VERILATOR= && $1/driver/build/example --weights $2/driver/first_weights.bin x.ppm | said >reloaded && "
        "$2/driver/build/example --backend reference x.ppm | said | cmp - reloaded && $1/driver/build/example x.ppm | said >before && ! cmp -s before reloaded; }; ";
    expect(r->code, r->says, run("%s%s", functions, r->command));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// The UART shell as a user meets it: frames through a serial line, with noise, clocks that differ and resets; a program of
// the driver at the other end of a pseudo-terminal, and what it says of lines and devices that are wrong; and that the simulation
// notices a shell that is.
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

// One input of 3 channels, one output of 5.
static void build_one(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 9, 7));
    float_weights("w", 4, DIMS(5, 3, 3, 3));
    model_node(m, "Conv", "x w", "y");
    model_output(m, "y");
}

// Two inputs that meet, two outputs, one of them of 5 bytes.
static void build_many(void)
{
    model_input(m, "z", DT_FLOAT, 4, DIMS(1, 4, 6, 6));
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 6, 6));
    float_weights("w", 4, DIMS(4, 3, 3, 3));
    model_node(m, "Conv", "x w", "c");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "Add", "c z", "s");
    model_node(m, "Flatten", "s", "f");
    float_weights("v", 2, DIMS(144, 5));
    model_node(m, "MatMul", "f v", "scores");
    model_node(m, "Relu", "s", "map");
    model_output(m, "scores");
    model_output(m, "map");
}

// Another network with one input.
static void build_table(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 9, 7));
    model_node(m, "Sigmoid", "x", "y");
    model_output(m, "y");
}

static int group_setup(void **state)
{
    (void)state;
    static const struct { const char *file; void (*build)(void); } models[] = { { "one.onnx", build_one }, { "many.onnx", build_many }, { "table.onnx", build_table } };
    if (!sandbox_open("uart"))
        return -1;
    for (int i = 0; i < 3; i++) {
        qdq_setup();
        models[i].build();
        write_model(models[i].file);
        if (i < 2)
            qdq_teardown(NULL);
    }
    int code = run("$A one.onnx --board ulx3s-85f -q -o one && $A many.onnx --board ulx3s-85f -q -o many && $A table.onnx --board ulx3s-85f -q -o table && "
                   "$A one.onnx --board icebreaker --fps 100 -q -o ice && $A table.onnx --board pynq-z2 -q -o pynq && "
                   "for d in one table; do make -s -C $d/driver VERILATOR= || exit 9; done && (echo P3 7 9 255; seq 1 189) >x.ppm");
    if (code)
        print_error("%s", out.text);
    return code;
}

static struct command rows[] = {
    { "the shell passes lint", "for t in one many ice; do (cd $t && n=$(basename rtl/*_uart.v .v) && verilator --lint-only -Wall --top-module $n -f rtl/${n%_uart}.f) || exit 9; done", 0, "" },
    { "frames come through the line", "$A sim one --shell uart", 0, "3 frames through the line, 0 mismatches" },
    { "with clocks that differ", "for s in 1 2 3 4; do $A sim one --shell uart --frames 6 --stalls $s || exit 9; done", 0, "6 frames through" },
    { "with noise", "for s in 1 2 3 4 5 6; do $A sim one --shell uart --frames 30 --stalls $s --faults $s | grep ' [1-9][0-9]* disturbances' || exit 9; done", 0, "30 frames through the line, 0 mismatches, 0 lost" },
    { "with a reset in the middle", "for at in 30000 50100 70300; do $A sim one --shell uart --frames 6 --reset-at $at || exit 9; done", 0, "6 frames through the line, 0 mismatches, 1 lost" },
    { "two inputs and two outputs, with noise", "for s in 1 2 3; do $A sim many --shell uart --frames 12 --stalls $s --faults $s || exit 9; done", 0, "12 frames through" },
    { "buffers in block RAM", "$A sim ice --shell uart --frames 5 --faults 2", 0, "5 frames through" },
    { "a board with a processor has none", "$A sim pynq --shell uart", 2, "E401" },
    { "and no project but its own", "test ! -e pynq/rtl/table_uart.v && test -e one/rtl/one_uart.v && grep -q '\"kind\": \"uart\"' one/report.json", 0, NULL },
    // the driver, at the other end of a pseudo-terminal
    { "a program does not see the difference", "on one one --backend serial x.ppm", 0, NULL },
    { "a port that is none", "AIHLS_SERIAL=/dev/null one/driver/build/example --backend serial x.ppm", 1, "cannot start" },
    { "another network's bitstream", "on one table --backend serial x.ppm", 1, "holds another network" },
    { "a device that is dead", "DEAD=1 on one one --backend serial x.ppm", 1, "stopped answering" },
    { "a port that another program has", "TAKEN=1 on one one --backend serial x.ppm", 1, "uses the device" },
    // cores and shells that are wrong
    { "a core that takes what comes in reset", "rm -rf wrong && cp -r one wrong && sed -i 's/_ready \\&\\& !rst/_ready/' wrong/rtl/aihls_port.v && "
      "h() { sha256sum $1/rtl/aihls_port.v | cut -d' ' -f1; }; sed -i \"s/$(h one)/$(h wrong)/\" wrong/manifest.json; $A sim wrong", 4, "an input is ready in reset" },
    { "a CRC that nobody looks at", "$W aihls_uart_unpack \"s/ \\&\\& (crc_q == 16'd0)//\"", 1, "error[E60" },
    { "a request that is carried out twice", "$W aihls_uart_link 's/end else if (again_q) begin/end else if (1'\\''b0) begin/'", 1, "error[E60" },
};

// $W TEMPLATE SED simulates a shell in which a template was changed; on DIR NET ARGUMENTS runs NET's example on DIR's device,
// and holds what it says against the reference.
static void check_row(void **state)
{
    const struct command *r = *state;
    const char *functions =
        "wrong() { rm -rf wrong && cp -r one wrong && rm -rf wrong/sim/build_uart && sed -i \"$2\" wrong/rtl/$1.v && ! cmp -s one/rtl/$1.v wrong/rtl/$1.v && "
        "h() { sha256sum $1/rtl/$2.v | cut -d' ' -f1; }; sed -i \"s/$(h one $1)/$(h wrong $1)/\" wrong/manifest.json; "
        "for s in 1 2 3 4 5 6; do $A sim wrong --shell uart --frames 40 --faults $s || exit 1; done; }; W=wrong; "
        "on() { d=$1; n=$2; shift 2; rm -f tty; (cd $d && exec sim/build_uart/Vuart --pty) >tty & p=$!; i=0; while ! test -s tty; do i=$((i+1)); test $i -lt 100 || return 8; sleep 0.1; done; t=$(cat tty); h=; "
        "if [ -n \"$DEAD\" ]; then kill -STOP $p; fi; if [ -n \"$TAKEN\" ]; then flock $t sleep 20 & h=$!; sleep 0.5; fi; "
        "AIHLS_SERIAL=$t $n/driver/build/example \"$@\" >said 2>&1; c=$?; kill -KILL $p $h; sed 's/ time.*//' said; "
        "[ $c != 0 ] || { $n/driver/build/example --backend reference x.ppm | sed 's/ time.*//' | cmp - <<X\n$(sed 's/ time.*//' said)\nX\n}; [ $? = 0 ] || c=9; return $c; }; ";
    expect(r->code, r->says, run("%s%s", functions, r->command));
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
    return cmocka_run_group_tests(tests, group_setup, sandbox_teardown);
}

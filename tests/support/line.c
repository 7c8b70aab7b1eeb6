// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/check.h"
#include "tests/support/line.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })
#define MAX_ROWS 64

static const char *line;

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

int line_setup(const char *name)
{
    static const struct { const char *file; void (*build)(void); } models[] = { { "one.onnx", build_one }, { "many.onnx", build_many }, { "table.onnx", build_table } };
    line = name;
    if (!sandbox_open(name))
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
                   "cc -shared -fPIC -D_GNU_SOURCE -o spidev.so $T/flow/spidev.c && "
                   "for d in one table; do make -s -C $d/driver VERILATOR= || exit 9; done && (echo P3 7 9 255; seq 1 189) >x.ppm");
    if (code)
        print_error("%s", out.text);
    return code;
}

void line_check(void **state)
{
    const struct command *r = *state;
    const char *functions =
        "wrong() { rm -rf wrong && cp -r one wrong && rm -rf wrong/sim/build_$L && sed -i \"$2\" wrong/rtl/$1.v && ! cmp -s one/rtl/$1.v wrong/rtl/$1.v && "
        "h() { sha256sum $1/rtl/$2.v | cut -d' ' -f1; }; sed -i \"s/$(h one $1)/$(h wrong $1)/\" wrong/manifest.json; "
        "for s in 1 2 3 4 5 6; do $A sim wrong --shell $L --frames 40 --faults $s || exit 1; done; }; W=wrong; "
        "on() { d=$1; n=$2; shift 2; rm -f tty; (cd $d && exec sim/build_$L/V$L --pty) >tty & p=$!; i=0; while ! test -s tty; do i=$((i+1)); test $i -lt 100 || return 8; sleep 0.1; done; t=$(cat tty); h=; "
        "if [ -n \"$DEAD\" ]; then kill -STOP $p; fi; if [ -n \"$TAKEN\" ]; then flock $t sleep 20 & h=$!; sleep 0.5; fi; "
        "AIHLS_SERIAL=$t AIHLS_SPI=$t LD_PRELOAD=$PWD/spidev.so $n/driver/build/example \"$@\" >said 2>&1; c=$?; kill -KILL $p $h; sed 's/ time.*//' said; "
        "[ $c != 0 ] || { $n/driver/build/example --backend reference x.ppm | sed 's/ time.*//' | cmp - <<X\n$(sed 's/ time.*//' said)\nX\n}; [ $? = 0 ] || c=9; return $c; }; ";
    expect(r->code, r->says, run("L=%s; %s%s", line, functions, r->command));
}

int line_main(struct command *rows, size_t n, int (*setup)(void **state))
{
    struct CMUnitTest tests[MAX_ROWS];
    ASSERT(n <= MAX_ROWS);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, line_check, NULL, NULL, &rows[i] };
    return _cmocka_run_group_tests(line, tests, n, setup, sandbox_teardown);
}

// SPDX-License-Identifier: Apache-2.0
// Whether `aihls sim` finds what is wrong: Verilog and memory images of a network are spoiled, and the sums in its manifest
// made to agree, so that nothing but the simulation can notice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/sandbox.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

// The pixels of the result, 125 bytes, end within a word of the bus.
static void build(void)
{
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, 3, 5, 5));
    float_weights("w", 4, DIMS(4, 3, 3, 3));
    float_weights("v", 4, DIMS(5, 4, 1, 1));
    model_node(m, "Conv", "x w", "c");
    model_ints(m, "pads", 4, DIMS(1, 1, 1, 1));
    model_node(m, "Relu", "c", "r");
    model_node(m, "Conv", "r v", "y");
    model_output(m, "y");
}

// A layer whose weights are more words than a bank on ulx3s-85f, where the least that reaches a frame a second has one multiplier.
static void build_deep(void)
{
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, 200));
    float_weights("w", 2, DIMS(200, 47));
    model_node(m, "MatMul", "x w", "y");
    model_output(m, "y");
}

// spoil.sh FROM TO FILE SCRIPT: a copy of an output directory in which sed has changed a file.
static const char spoil[] = "set -e\n"
                            "rm -rf \"$2\"\ncp -r \"$1\" \"$2\"\ncd \"$2\"\n"
                            "before=$(sha256sum \"$3\" | cut -d' ' -f1)\n"
                            "sed -i \"$4\" \"$3\"\n"
                            "after=$(sha256sum \"$3\" | cut -d' ' -f1)\n"
                            "[ $before != $after ]\n"
                            "grep -q $before manifest.json\n"
                            "sed -i \"s/$before/$after/\" manifest.json\n";

static int group_setup(void **state)
{
    (void)state;
    if (!sandbox_open("mismatch"))
        return -1;
    qdq_setup();
    build();
    write_model("net.onnx");
    qdq_setup();
    build_deep();
    write_model("deep.onnx");
    write_file("spoil.sh", spoil, sizeof spoil - 1);
    expect(0, NULL, run("$A net.onnx --board ultra96 -q -o net && $A net.onnx --board ulx3s-85f -q -o line"));
    expect(0, NULL, run("$A deep.onnx --board ulx3s-85f --fps 1 -q -o deep"));
    return 0;
}

// Some go on with what the row before them made.
static const struct command rows[] = {
    { "what is as it was passes", "sh spoil.sh net bad rtl/net_core.v '1s/$/ /' && $A sim bad --frames 2", 0, "0 mismatches" },
    { "a wrong weight", "sh spoil.sh net bad mem/net_s01_conv_w0.hex 's/^./5/' && $A sim bad --frames 2", 1, "net: stage s01_conv, tensor" },
    { "a wrong weight, with stalls", "$A sim bad --frames 2 --stalls 3", 1, "E601" },
    { "a wrong weight behind the bus", "$A sim bad --shell axi --frames 2", 1, "net: stage s01_conv, tensor" },
    { "a clamp that is missing", "sh spoil.sh net bad rtl/aihls_round.v 's/(near_q < LEAST) ? LOW.7:0. ://' && $A sim bad --frames 2", 1, "stage s0" },
    { "streams that are never ready", "sh spoil.sh net bad rtl/aihls_fifo.v 's/assign s_ready = .*/assign s_ready = 0;/' && $A sim bad --frames 2", 1, "E602" },
    { "the wrong network", "sh spoil.sh net bad rtl/net_axi.v \"s/\\.MODEL(256'h./.MODEL(256'hx/;s/'hx/'h0/\" && $A sim bad --shell axi --frames 2", 1, "MODEL is" },
    { "writing beyond the end", "sh spoil.sh net bad rtl/aihls_axi_write.v 's/(w_last && burst_ends) ? LAST_STRB : //' && $A sim bad --shell axi --frames 2", 1, "beyond its end" },
    { "bursts of the wrong length", "sh spoil.sh net bad rtl/aihls_axi_burst.v \"s/words_q\\[3:0\\] - 4'd1/words_q[3:0]/\" && $A sim bad --shell axi --frames 2", 1, "E603" },
    { "banks of weights", "$A sim deep --frames 3 --stalls 3", 0, "0 mismatches" },
    { "a wrong weight in the second bank", "sh spoil.sh deep bad mem/deep_s00_conv_w0_1_0.hex '9s/.*/0/;10s/.*/1/;11s/.*/2/' && $A sim bad --frames 3", 1, "E601" },
    { "another checksum on the line", "sh spoil.sh line bad rtl/aihls_crc16.v 's/1021/8005/' && $A sim bad --shell uart --frames 2", 1, "E603" },
    { "a wrong weight at the end of the line", "sh spoil.sh line bad mem/net_s01_conv_w0.hex 's/^./5/' && $A sim bad --shell uart --frames 2", 1, "E601" },
};

int main(void)
{
    enum { N = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[N];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, check_command, NULL, NULL, (void *)(uintptr_t)&rows[i] };
    return _cmocka_run_group_tests("mismatch", tests, N, group_setup, sandbox_teardown);
}

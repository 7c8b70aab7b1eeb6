// SPDX-License-Identifier: Apache-2.0
// The RTL templates by themselves: lint, the multiplier cell's twin against the vendors' primitives (formal), a quick subset
// of `make formal`, random instances of each block with stalls (tests/rtl/run.sh), and a whole network on the primitives
// (tests/tech.sh).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/strbuf.h"

static struct script_row {
    const char *name, *command;
    const char *needs; // a program that may be missing: then the test is skipped
} scripts[] = {
    { "every template is clean under verilator -Wall", "sh tests/rtl/run.sh lint", "verilator" },
    { "the multiplier cell's twin equals every primitive for all inputs", "sh tests/rtl/run.sh mac", "yosys" },
    { "the model of SB_MAC16 equals the one of Yosys", "sh tests/rtl/run.sh mac16", "iverilog" },
    { "the LUT multiplier gives every product", "sh tests/rtl/run.sh lutmul", "iverilog" },
    { "a quick subset of the proofs holds", "sh tests/formal/run.sh quick", "z3" },
    { "requantizers equal exact arithmetic", "sh tests/rtl/run.sh requant 11 12", "verilator" },
    { "windows give every element once", "sh tests/rtl/run.sh window 11 12", "verilator" },
    { "depthwise stages that pack two pixels equal their definition", "sh tests/rtl/run.sh pair 11 12", "verilator" },
    { "words of pixel pairs come out pixel by pixel", "sh tests/rtl/run.sh unpair 11 12", "verilator" },
    { "FIFOs, forks and narrowers neither lose nor invent", "sh tests/rtl/run.sh stream 11 10", "verilator" },
    { "global pools give what they mean", "sh tests/rtl/run.sh gap 11 10", "verilator" },
    { "operator stages give what their operators mean", "sh tests/rtl/run.sh ops 11 25", "verilator" },
    { "digits runs on DSP48E2, DSP48E1, MULT18X18D and SB_MAC16", "sh tests/tech.sh build/aihls tests/models/digits/digits.onnx digits", "verilator" },
};

static void script_passes(void **state)
{
    const struct script_row *r = *state;
    char command[512];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", r->needs);
    if (system(command) != 0) {
        print_message("skipped: %s is not installed\n", r->needs);
        skip();
    }
    snprintf(command, sizeof command, "%s >build/test_rtl.out 2>&1", r->command);
    if (system(command) == 0)
        return;
    struct strbuf text = STRBUF_INIT;
    strbuf_read_file(&text, "build/test_rtl.out");
    print_error("%s\n%s\n", r->command, text.text);
    strbuf_release(&text);
    fail();
}

int main(void)
{
    struct CMUnitTest tests[sizeof scripts / sizeof *scripts];
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        tests[i] = (struct CMUnitTest){ scripts[i].name, script_passes, NULL, NULL, &scripts[i] };
    return cmocka_run_group_tests_name("rtl", tests, NULL, NULL);
}

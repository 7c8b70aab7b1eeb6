// SPDX-License-Identifier: Apache-2.0
// sandbox: a directory of its own in which a test runs commands as a user would.
//
//     sandbox_open("shell");
//     write_model("net.onnx");                                   // the model of qdq.h
//     expect(0, "Finished", run("$A net.onnx --board ultra96"));
//     sandbox_close();
#ifndef AIHLS_TESTS_SANDBOX_H
#define AIHLS_TESTS_SANDBOX_H

#include "tests/support/qdq.h"

extern char root[];       // the directory, absolute
extern struct strbuf out; // what the last command said

// Makes the directory, in $TMPDIR or /tmp, and finds the program: $AIHLS_BIN or build/aihls. False: not possible.
bool sandbox_open(const char *name);
// Removes it.
void sandbox_close(void);

// Runs a shell command there; $A is aihls, $T the project's tests/. Gives the exit code, -1 after a signal.
int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// Fails the test when the code is another, or `says` (NULL: anything) was not said.
void expect(int code, const char *says, int got);

// A row of a test's table: what to run, and what expect() wants of it.
struct command {
    const char *name, *command;
    int code;
    const char *says;
};
// A test of cmocka; *state is a struct command.
void check_command(void **state);
// The group's teardown where its setup has opened the sandbox and called qdq_setup.
int sandbox_teardown(void **state);

// Of a file there; in `arena`.
const char *path(const char *file);
void write_file(const char *file, const void *bytes, size_t n);
void write_model(const char *file);

// Weights that are no initializers of a quantized model: random multiples of 1/100 in [-0.99, 0.99].
void float_weights(const char *name, int rank, const int64_t *dims);

#endif

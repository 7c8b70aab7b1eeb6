// SPDX-License-Identifier: Apache-2.0
// diag: what the user is told, as values. Every diagnostic has a code, a place, what was
// found, what is needed and what to do:
//
//     error[E203]: Conv group 3 does not divide its 16 input channels
//       --> resnet8.onnx: node 14 'layer3/conv1' (Conv), attribute 'group'
//        = found 3, need a divisor of 16
//        = help: see `aihls explain E203`
//
// Codes and one-line summaries live in diag_codes.def; docs/diagnostics/CODE.md holds the
// text of `aihls explain CODE`. Diagnostics go to stderr when they are made, as text, or as
// one JSON object a line. E0xx system, E1xx files, E2xx models, E3xx boards and fitting,
// E4xx usage, E5xx external tools, E6xx simulation; W... are warnings.
#ifndef AIHLS_DIAG_H
#define AIHLS_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

enum diag_code {
#define DIAG(code, severity, exit_code, summary) code,
#include "base/diag_codes.def"
#undef DIAG
    DIAG_CODE_COUNT
};

enum diag_severity { DIAG_WARNING, DIAG_ERROR };

// Errors printed at most; the rest is counted and the count printed by diag_finish.
#define DIAG_MAX_ERRORS 20

struct diag {
    FILE *out;         // NULL: keep quiet (tests read `rendered`)
    bool json;         // one object a line instead of text
    bool quiet;        // drop warnings
    int errors;        // errors so far, printed or not
    int warnings;
    int exit_code;     // of the first error; 0 without one
    enum diag_code first_error;
    struct strbuf *rendered; // when set, the text is appended here too
};

// Everything that a pass may use besides its inputs. No mutable globals.
struct ctx {
    struct arena *arena;
    struct diag *diag;
};

// A diagnostic under construction. Strings need to live until diag_emit has come back only.
struct diag_msg {
    enum diag_code code;
    const char *where; // "resnet8.onnx: node 14 'conv1' (Conv), attribute 'group'" or NULL
    const char *found; // "3" or NULL
    const char *need;  // "a divisor of 16" or NULL
    const char *help;  // what to do, or NULL: then "see `aihls explain CODE`"
};

// diag_emit(cx, message, "format", …) prints one diagnostic; the format makes its first line (a sentence without a full
// stop). False always, so that passes can `return diag_emit(cx, …)`; a macro, so that static analysis sees that too.
#define diag_emit(...) diag_false(diag_print(__VA_ARGS__))
int diag_print(const struct ctx *cx, struct diag_msg m, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool diag_false(int nothing)
{
    (void)nothing;
    return false;
}

// Short form: diag_error(cx, E101_…, where, help, "…").
#define diag_error(cx, code_, where_, help_, ...)                                        \
    diag_emit((cx), (struct diag_msg){ .code = (code_), .where = (where_), .help = (help_) }, __VA_ARGS__)

// After the last pass: says how many errors were not shown. Returns the exit code.
int diag_finish(struct diag *d);

const char *diag_code_name(enum diag_code code);    // "E203"
const char *diag_code_summary(enum diag_code code); // one line
// Finds a code by name ("E203", "e203"); false when there is none.
bool diag_code_parse(const char *name, enum diag_code *out);

// The candidate nearest to `word` by edit distance, or NULL when none is near:
// at most 1 edit for words up to 4 letters, 2 up to 8, else 3.
const char *diag_suggest(const char *word, const char *const *candidates, int n);

#endif

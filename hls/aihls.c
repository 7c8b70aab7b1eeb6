// SPDX-License-Identifier: Apache-2.0
// aihls: the program. The compiler itself is one straight list of passes:
//
//     onnx_parse        file           -> graph                       frontend/onnx.h
//     shape_infer       graph          -> every tensor shaped         frontend/shape.h
//     simplify_graph    graph          -> few kinds of nodes          frontend/simplify.h
//     quantize_graph    graph          -> QDQ form                    dataflow/quant.h
//     lower_graph       graph          -> pipeline                    dataflow/lower.h
//     schedule_solve    pipeline       -> folds, FIFO depths          dataflow/schedule.h
//     bind_pipeline     pipeline       -> netlist, memory images      hls/bind.h
//     emit_design       all of it      -> output directory            hls/emit.h
//
// design_build (hls/design.c) runs them; commands.c holds what the verbs do with the result.
#include <cblas.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "hls/cli.h"
#include "hls/commands.h"
#include "hls/version.h"

static int explain(const struct ctx *cx, const char *code)
{
    enum diag_code c;
    if (!diag_code_parse(code, &c)) {
        diag_error(cx, E401, NULL, "codes look like E201", "there is no diagnostic '%s'", code);
        return diag_finish(cx->diag);
    }
    const struct embedded *page = embed_find(arena_printf(cx->arena, "docs/diagnostics/%s.md", diag_code_name(c)));
    const char *text = page ? strchr((const char *)page->bytes, '#') : NULL; // behind the licence line: "# E201: summary"
    if (text)
        fputs(text + 2, stdout);
    else
        printf("%s: %s\n", diag_code_name(c), diag_code_summary(c));
    return 0;
}

int main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct diag diag = { .out = stderr };
    struct ctx cx = { &arena, &diag };
    struct cli cli;
    // Scratch memory of megabytes comes and goes: kept, it is not mapped and cleared by the kernel each time (measured: 8 %
    // of a compilation).
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    for (int i = 1; i < argc; i++) // usage errors too come as JSON
        diag.json |= strcmp(argv[i], "--json") == 0;
    // Frames are what runs in parallel; threads inside a small product only wait for each other.
    openblas_set_num_threads(1);
    json_set_alloc_funcs(memory_alloc, free);
    signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error like a full disk
    int status = 0;
    if (!cli_parse(&cx, argc, argv, &cli)) {
        status = diag_finish(&diag);
        arena_release(&arena);
        return status;
    }
    diag.quiet = cli.quiet;
    switch (cli.verb) {
    case VERB_COMPILE: status = command_compile(&cx, &cli); break;
    case VERB_SIM: status = command_sim(&cx, &cli); break;
    case VERB_RUN: status = command_run(&cx, &cli); break;
    case VERB_EVAL: status = command_eval(&cx, &cli); break;
    case VERB_REPORT: status = command_report(&cx, &cli); break;
    case VERB_BOARDS: status = command_boards(&cx); break;
    case VERB_OPS: status = command_ops(); break;
    case VERB_EXPLAIN: status = explain(&cx, cli.subject); break;
    case VERB_HELP:
    case VERB_HELP_LONG: cli_help(stdout, cli.verb == VERB_HELP_LONG); break;
    case VERB_VERSION: puts("aihls " AIHLS_VERSION); break;
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) { // the last lines may still have been in the buffer
        diag_error(&cx, E002, "standard output", "check the free space", "cannot write: %s", strerror(errno));
        status = diag_finish(&diag);
    }
    arena_release(&arena);
    return status;
}

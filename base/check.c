// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fflush(stdout);
    fprintf(stderr, "BUG %s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputs("\nThis is a mistake in aihls, not in your model; please report it.\n", stderr);
    va_end(ap);
    exit(EXIT_BUG);
}

_Noreturn void out_of_memory(size_t n_bytes)
{
    fprintf(stderr, "error[E001]: out of memory (asked for %zu bytes)\n", n_bytes);
    exit(1);
}

static void *or_end(void *p, size_t n_bytes)
{
    if (!p)
        out_of_memory(n_bytes);
    return p;
}

void *memory_alloc(size_t n_bytes)
{
    return or_end(malloc(n_bytes ? n_bytes : 1), n_bytes);
}

void *memory_zeroed(size_t n_bytes)
{
    return or_end(calloc(1, n_bytes ? n_bytes : 1), n_bytes);
}

void *memory_resize(void *p, size_t n_bytes)
{
    return or_end(realloc(p, n_bytes ? n_bytes : 1), n_bytes);
}

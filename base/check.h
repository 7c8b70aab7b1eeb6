// SPDX-License-Identifier: Apache-2.0
// check: assertions that stay in every build, and arithmetic that cannot overflow silently.
//
// A user's mistake is a diagnostic (diag.h). These are for mistakes of ours: they print
// where they stand and leave with exit code 70 (sysexits' EX_SOFTWARE).
#ifndef AIHLS_CHECK_H
#define AIHLS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIT_BUG 70

// Prints "BUG file:line: message" on stderr and ends the process with EXIT_BUG.
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Says E001 on stderr and ends the process with exit code 1: there is nothing sensible that a compiler could do.
_Noreturn void out_of_memory(size_t n_bytes);
// malloc, calloc and realloc that end so instead of giving NULL; also what jansson, libxml2 and protobuf-c are given, for
// their callers could not tell a missing byte from a damaged file.
void *memory_alloc(size_t n_bytes);
void *memory_zeroed(size_t n_bytes);
void *memory_resize(void *p, size_t n_bytes);

#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
#define ASSERT(cond) ((cond) ? (void)0 : BUG("assertion failed: %s", #cond))

// a * b and a + b; false, and *out untouched, when the result does not fit.
static inline bool mul_i64(int64_t a, int64_t b, int64_t *out)
{
    int64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

static inline bool add_i64(int64_t a, int64_t b, int64_t *out)
{
    int64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// The least n with 2^n >= x, for x >= 1; 0 for x = 1.
static inline int ceil_log2(int64_t x)
{
    int n = 0;
    while (n < 62 && ((int64_t)1 << n) < x)
        n++;
    return n;
}

// Bits of a two's complement number that holds lo and hi; at least 1.
static inline int signed_bits(int64_t lo, int64_t hi)
{
    int n = 1;
    while (n < 63 && (lo < -((int64_t)1 << (n - 1)) || hi > ((int64_t)1 << (n - 1)) - 1))
        n++;
    return n;
}

#endif

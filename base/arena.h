// SPDX-License-Identifier: Apache-2.0
// arena: a bump allocator. One arena owns all that lives as long as a compilation;
// nothing in it is freed alone.
//
// Memory is zeroed and aligned to 16 bytes. Out of memory ends the process: out_of_memory (check.h).
#ifndef AIHLS_ARENA_H
#define AIHLS_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena_guest;
struct arena {
    struct arena_block *blocks; // newest first
    size_t used_bytes;          // all blocks together, for reports
    struct arena_guest *guests; // newest first
};

// An arena of zero bytes: `struct arena a = {0};` is one too.
void arena_init(struct arena *a);
// Frees every block; the arena is empty and usable again.
void arena_release(struct arena *a);

// n_bytes of zeroed memory; n_bytes may be 0 (a unique, non-null pointer).
void *arena_alloc(struct arena *a, size_t n_bytes);
// count * size_bytes, checked: an overflow counts as out of memory.
void *arena_alloc_n(struct arena *a, size_t count, size_t size_bytes);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

// Has release(object, n_bytes) called when the arena is released: for what lives as long but is no memory of its own, as a
// mapped file.
void arena_adopt(struct arena *a, void (*release)(void *object, size_t n_bytes), void *object, size_t n_bytes);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc_n((a), (size_t)(n), sizeof(type)))

// Appends v to the arena array ARR of N elements with capacity CAP (all lvalues, 0 at first).
#define arena_push(a, ARR, N, CAP, v)                                                    \
    do {                                                                                 \
        if ((N) == (CAP)) {                                                              \
            (CAP) = (CAP) ? 2 * (CAP) : 8;                                               \
            void *grown_ = arena_alloc_n((a), (size_t)(CAP), sizeof *(ARR));             \
            if (N)                                                                       \
                memcpy(grown_, (ARR), (size_t)(N) * sizeof *(ARR));                      \
            (ARR) = grown_;                                                              \
        }                                                                                \
        (ARR)[(N)++] = (v);                                                              \
    } while (0)

#endif

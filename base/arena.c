// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define ALIGN 16u
// Large enough that a small network lives in a few blocks, small against any process.
#define BLOCK_BYTES ((size_t)256 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t used, capacity; // bytes of data
    _Alignas(16) unsigned char data[];
};

void arena_init(struct arena *a)
{
    a->blocks = NULL;
    a->used_bytes = 0;
    a->guests = NULL;
}

struct arena_guest {
    struct arena_guest *next;
    void (*release)(void *object, size_t n_bytes);
    void *object;
    size_t n_bytes;
};

void arena_adopt(struct arena *a, void (*release)(void *object, size_t n_bytes), void *object, size_t n_bytes)
{
    struct arena_guest *g = arena_new(a, struct arena_guest);
    *g = (struct arena_guest){ a->guests, release, object, n_bytes };
    a->guests = g;
}

void arena_release(struct arena *a)
{
    for (struct arena_guest *g = a->guests; g; g = g->next)
        g->release(g->object, g->n_bytes);
    struct arena_block *b = a->blocks;
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    arena_init(a);
}

void *arena_alloc(struct arena *a, size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        out_of_memory(n_bytes);
    size_t need = (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (need == 0)
        need = ALIGN;
    struct arena_block *b = a->blocks;
    if (!b || b->capacity - b->used < need) {
        size_t capacity = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        // not cleared by us: fresh pages of large tensors come zeroed from the system, at no cost
        struct arena_block *fresh = memory_zeroed(sizeof *fresh + capacity);
        fresh->capacity = capacity;
        if (b && need > BLOCK_BYTES) { // keep filling the small block
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->blocks = fresh;
        }
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_alloc_n(struct arena *a, size_t count, size_t size_bytes)
{
    size_t n;
    if (__builtin_mul_overflow(count, size_bytes, &n))
        out_of_memory(SIZE_MAX);
    return arena_alloc(a, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return p;
}

// SPDX-License-Identifier: Apache-2.0
// strbuf: a growing, always zero-terminated byte string on the heap.
//
//     struct strbuf sb = STRBUF_INIT;
//     strbuf_addf(&sb, "%d rows", n);
//     puts(sb.text);
//     strbuf_release(&sb);
#ifndef AIHLS_STRBUF_H
#define AIHLS_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; // never NULL; text[len] is 0
    size_t len, capacity;
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                      \
    {                                                                                    \
        strbuf_empty, 0, 0                                                               \
    }

void strbuf_release(struct strbuf *sb); // frees; the buffer is empty and usable again
void strbuf_clear(struct strbuf *sb);   // empties, keeps the memory
void strbuf_add(struct strbuf *sb, const void *bytes, size_t n);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

// Reads a whole file, appending it. False with errno set when that fails.
bool strbuf_read_file(struct strbuf *sb, const char *path);

#endif

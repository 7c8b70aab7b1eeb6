// SPDX-License-Identifier: Apache-2.0
#include "base/strbuf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

char strbuf_empty[1];

static void reserve(struct strbuf *sb, size_t more)
{
    if (sb->capacity >= sb->len + more + 1)
        return;
    size_t capacity = sb->capacity ? sb->capacity : 128;
    while (capacity < sb->len + more + 1)
        capacity *= 2;
    char *grown = memory_resize(sb->capacity ? sb->text : NULL, capacity);
    if (!sb->capacity)
        grown[0] = 0;
    sb->text = grown;
    sb->capacity = capacity;
}

void strbuf_release(struct strbuf *sb)
{
    if (sb->capacity)
        free(sb->text);
    sb->text = strbuf_empty;
    sb->len = sb->capacity = 0;
}

void strbuf_clear(struct strbuf *sb)
{
    sb->len = 0;
    if (sb->capacity)
        sb->text[0] = 0;
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    reserve(sb, n);
    memcpy(sb->text + sb->len, bytes, n);
    sb->len += n;
    sb->text[sb->len] = 0;
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
    strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
    strbuf_add(sb, &c, 1);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    reserve(sb, (size_t)n);
    vsnprintf(sb->text + sb->len, (size_t)n + 1, fmt, ap);
    sb->len += (size_t)n;
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(sb, fmt, ap);
    va_end(ap);
}

bool strbuf_read_file(struct strbuf *sb, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        strbuf_add(sb, chunk, n);
    int failed = ferror(f), saved = errno;
    fclose(f);
    errno = saved;
    return !failed;
}

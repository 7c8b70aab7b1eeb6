// SPDX-License-Identifier: Apache-2.0
#include "hls/labels.h"

#include <string.h>

#include <jansson.h>

#include "base/strbuf.h"

#define MOST_BYTES 255
#define MOST_SHOWN 5

// jansson takes UTF-8 only, and so serves to check it.
static bool is_utf8(const char *s)
{
    json_t *j = json_string(s);
    json_decref(j);
    return j != NULL;
}

static bool complain(const struct ctx *cx, const char *file, int64_t line, const char *found)
{
    return diag_emit(cx, (struct diag_msg){ .code = E106, .where = arena_printf(cx->arena, "%s:%lld", file, (long long)line), .found = found,
                                            .need = "a name of 1 to 255 bytes of UTF-8", .help = "one class a line, in the order of the scores" }, "this is no name of a class");
}

static const char *problem(const char *name, size_t n)
{
    if (n == 0)
        return "an empty line";
    if (strlen(name) != n)
        return "a NUL byte";
    if (n > MOST_BYTES)
        return "a longer one";
    return is_utf8(name) ? NULL : "bytes that are no UTF-8";
}

bool labels_read(const struct ctx *cx, const char *file, int64_t n, const char ***out)
{
    struct strbuf text = STRBUF_INIT;
    if (!strbuf_read_file(&text, file)) {
        strbuf_release(&text);
        return diag_error(cx, E002, file, "check the path of --labels", "the file of labels cannot be read");
    }
    while (text.len && strchr(" \t\r\n", text.text[text.len - 1]))
        text.len--;
    const char **names = arena_array(cx->arena, const char *, n);
    int64_t lines = 0;
    int shown = 0;
    for (size_t at = 0; at < text.len; lines++) {
        const char *start = text.text + at, *end = memchr(start, '\n', text.len - at);
        size_t length = end ? (size_t)(end - start) : text.len - at;
        at += length + 1;
        while (length && strchr(" \t\r", start[length - 1]))
            length--;
        char *name = arena_strndup(cx->arena, start, length);
        const char *wrong = problem(name, length);
        if (wrong && shown++ < MOST_SHOWN)
            complain(cx, file, lines + 1, wrong);
        if (lines < n)
            names[lines] = name;
    }
    strbuf_release(&text);
    if (lines != n)
        diag_emit(cx, (struct diag_msg){ .code = E106, .where = file, .found = arena_printf(cx->arena, "%lld names", (long long)lines),
                                         .need = arena_printf(cx->arena, "%lld, as the first output has classes", (long long)n), .help = "one class a line, in the order of the scores" },
                  "the number of labels is not that of the classes");
    *out = names;
    return !shown && lines == n;
}

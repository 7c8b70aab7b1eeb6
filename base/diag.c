// SPDX-License-Identifier: Apache-2.0
#include "base/diag.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/strbuf.h"

static const struct {
    const char *name, *summary;
    enum diag_severity severity;
    int exit_code;
} codes[] = {
#define DIAG(code, severity, exit_code, summary) { #code, summary, severity, exit_code },
#include "base/diag_codes.def"
#undef DIAG
};

static void render_text(struct strbuf *sb, const struct diag_msg *m, const char *text)
{
    strbuf_addf(sb, "%s[%s]: %s\n",
                codes[m->code].severity == DIAG_ERROR ? "error" : "warning",
                codes[m->code].name, text);
    if (m->where)
        strbuf_addf(sb, "  --> %s\n", m->where);
    if (m->found && m->need)
        strbuf_addf(sb, "   = found %s, need %s\n", m->found, m->need);
    else if (m->found)
        strbuf_addf(sb, "   = found %s\n", m->found);
    else if (m->need)
        strbuf_addf(sb, "   = need %s\n", m->need);
    if (m->help)
        strbuf_addf(sb, "   = help: %s\n", m->help);
    else
        strbuf_addf(sb, "   = help: see `aihls explain %s`\n", codes[m->code].name);
}

// jansson refuses invalid UTF-8; names in a hostile model may be anything.
static json_t *text_or_latin1(const char *s)
{
    json_t *j = json_string(s);
    if (j)
        return j;
    struct strbuf sb = STRBUF_INIT;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x80) {
            strbuf_addch(&sb, (char)c);
        } else {
            strbuf_addch(&sb, (char)(0xc0 | c >> 6));
            strbuf_addch(&sb, (char)(0x80 | (c & 0x3f)));
        }
    }
    j = json_string(sb.text);
    strbuf_release(&sb);
    return j;
}

static void print_json(FILE *f, const struct diag_msg *m, const char *text, const char *rendered)
{
    json_t *o = json_object();
    json_object_set_new(o, "reason", json_string("diagnostic"));
    json_object_set_new(o, "severity",
                        json_string(codes[m->code].severity == DIAG_ERROR ? "error" : "warning"));
    json_object_set_new(o, "code", json_string(codes[m->code].name));
    json_object_set_new(o, "message", text_or_latin1(text));
    json_object_set_new(o, "location", m->where ? text_or_latin1(m->where) : json_null());
    json_object_set_new(o, "found", m->found ? text_or_latin1(m->found) : json_null());
    json_object_set_new(o, "need", m->need ? text_or_latin1(m->need) : json_null());
    json_object_set_new(o, "help", m->help ? text_or_latin1(m->help) : json_null());
    json_object_set_new(o, "rendered", text_or_latin1(rendered));
    char *line = json_dumps(o, JSON_COMPACT);
    fprintf(f, "%s\n", line);
    free(line);
    json_decref(o);
}

int diag_print(const struct ctx *cx, struct diag_msg m, const char *fmt, ...)
{
    struct diag *d = cx->diag;
    ASSERT((int)m.code >= 0 && m.code < DIAG_CODE_COUNT);
    if (codes[m.code].severity == DIAG_ERROR) {
        if (d->errors++ == 0) {
            d->exit_code = codes[m.code].exit_code;
            d->first_error = m.code;
        }
        if (d->errors > DIAG_MAX_ERRORS)
            return 0;
    } else {
        d->warnings++;
        if (d->quiet)
            return 0;
    }
    struct strbuf text = STRBUF_INIT, whole = STRBUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    render_text(&whole, &m, text.text);
    if (d->rendered)
        strbuf_adds(d->rendered, whole.text);
    if (d->out && d->json)
        print_json(d->out, &m, text.text, whole.text);
    else if (d->out)
        fputs(whole.text, d->out);
    strbuf_release(&text);
    strbuf_release(&whole);
    return 0;
}

int diag_finish(struct diag *d)
{
    if (d->errors > DIAG_MAX_ERRORS && d->out && !d->json)
        fprintf(d->out, "and %d more errors\n", d->errors - DIAG_MAX_ERRORS);
    return d->exit_code;
}

const char *diag_code_name(enum diag_code code)
{
    return codes[code].name;
}

const char *diag_code_summary(enum diag_code code)
{
    return codes[code].summary;
}

bool diag_code_parse(const char *name, enum diag_code *out)
{
    for (int i = 0; i < DIAG_CODE_COUNT; i++)
        if (strcasecmp(name, codes[i].name) == 0) {
            *out = (enum diag_code)i;
            return true;
        }
    return false;
}

#define SUGGEST_MAX_LETTERS 64

// Levenshtein distance over two rows, letters compared without case.
static int edit_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    if (na > SUGGEST_MAX_LETTERS || nb > SUGGEST_MAX_LETTERS)
        return SUGGEST_MAX_LETTERS;
    int row[SUGGEST_MAX_LETTERS + 1];
    for (size_t j = 0; j <= nb; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int above = row[j];
            int cost = diagonal + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);
            if (above + 1 < cost)
                cost = above + 1;
            if (row[j - 1] + 1 < cost)
                cost = row[j - 1] + 1;
            row[j] = cost;
            diagonal = above;
        }
    }
    return row[nb];
}

const char *diag_suggest(const char *word, const char *const *candidates, int n)
{
    size_t len = strlen(word);
    int best_distance = len <= 4 ? 1 : len <= 8 ? 2 : 3;
    const char *best = NULL;
    for (int i = 0; i < n; i++) {
        int d = edit_distance(word, candidates[i]);
        if (d <= best_distance && (!best || d < best_distance)) {
            best_distance = d;
            best = candidates[i];
        }
    }
    return best;
}

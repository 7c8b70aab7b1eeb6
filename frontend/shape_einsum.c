// SPDX-License-Identifier: Apache-2.0
// Einsum's equation: letters for dimensions, "..." for any number of them that broadcast.
#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

#define ELLIPSIS 52

static int letter_of(char c)
{
    return islower((unsigned char)c) ? c - 'a' : 26 + c - 'A';
}

// One term up to a comma, an arrow or the end. `dots` is the number of dimensions that "..." stands for.
static bool read_term(const char **at, int dots, struct einsum_term *t, bool *has_dots)
{
    const char *p = *at;
    *t = (struct einsum_term){ .n = 0 };
    *has_dots = false;
    for (; *p && *p != ',' && *p != '-'; p++) {
        bool is_dots = strncmp(p, "...", 3) == 0;
        if (*p == ' ')
            continue;
        if ((!is_dots && !isalpha((unsigned char)*p)) || (is_dots && *has_dots) || t->n + (is_dots ? dots : 1) > MAX_RANK)
            return false;
        for (int i = 0; is_dots && i < dots; i++)
            t->letter[t->n++] = ELLIPSIS + i;
        if (!is_dots)
            t->letter[t->n++] = letter_of(*p);
        p += is_dots ? 2 : 0;
        *has_dots |= is_dots;
    }
    *at = p;
    return true;
}

// The dimensions that "..." stands for in a term of the given rank.
static int count_dots(const char *term, int rank)
{
    int letters = 0;
    bool dots = false;
    for (const char *p = term; *p && *p != ',' && *p != '-'; p++) {
        letters += isalpha((unsigned char)*p) != 0;
        dots |= *p == '.';
    }
    return dots && rank > letters ? rank - letters : 0;
}

// The dimensions of input x get their letters. Shorter ellipses count from the last dimension.
static bool size_letters(const struct tensor *x, struct einsum_term *t, int own_dots, int dots, struct einsum *out)
{
    if (t->n != x->rank)
        return false;
    for (int i = 0; i < t->n; i++) {
        if (t->letter[i] >= ELLIPSIS)
            t->letter[i] += dots - own_dots;
        int64_t *size = &out->size[t->letter[i]];
        if (*size != x->dims[i] && *size > 1 && x->dims[i] != 1)
            return false;
        *size = *size < 0 || *size == 1 ? x->dims[i] : *size;
    }
    return true;
}

// Without an arrow: the dots, then the letters that stand once, in the order of the alphabet, capitals first.
static bool implicit_result(struct einsum *e, int dots)
{
    int uses[ELLIPSIS + MAX_RANK] = { 0 };
    for (int k = 0; k < e->n_terms; k++)
        for (int i = 0; i < e->terms[k].n; i++)
            uses[e->terms[k].letter[i]]++;
    e->result.n = 0;
    for (int i = 0; i < dots; i++)
        e->result.letter[e->result.n++] = ELLIPSIS + i;
    for (int i = 0; i < ELLIPSIS; i++) {
        int letter = i < 26 ? i + 26 : i - 26;
        if (uses[letter] == 1 && e->result.n >= MAX_RANK)
            return false;
        if (uses[letter] == 1)
            e->result.letter[e->result.n++] = letter;
    }
    return true;
}

static bool parse(const char *text, const struct node *n, struct einsum *out)
{
    int dots = 0;
    bool has_dots;
    const char *p = text;
    for (int k = 0; k < n->n_in; k++) {
        int own = count_dots(p, n->in[k]->rank);
        dots = own > dots ? own : dots;
        p += strcspn(p, ",");
        p += *p == ',';
    }
    p = text;
    for (int k = 0; k < n->n_in; k++) {
        int own = count_dots(p, n->in[k]->rank);
        if (!read_term(&p, own, &out->terms[k], &has_dots) || !size_letters(n->in[k], &out->terms[k], own, dots, out))
            return false;
        if (k + 1 < n->n_in && *p++ != ',')
            return false;
    }
    if (!*p)
        return implicit_result(out, dots);
    if (p[0] != '-' || p[1] != '>')
        return false;
    p += 2;
    if (!read_term(&p, dots, &out->result, &has_dots) || *p)
        return false;
    for (int i = 0; i < out->result.n; i++)
        for (int j = 0; j <= i; j++)
            if (out->size[out->result.letter[i]] < 0 || (j < i && out->result.letter[i] == out->result.letter[j]))
                return false;
    return true;
}

bool einsum_parse(const struct ctx *cx, const struct graph *g, const struct node *n, struct einsum *out)
{
    const char *text = node_string(n, "equation", "");
    *out = (struct einsum){ .n_terms = n->n_in };
    out->terms = arena_array(g->arena, struct einsum_term, n->n_in);
    for (int i = 0; i < ELLIPSIS + MAX_RANK; i++)
        out->size[i] = -1;
    if (parse(text, n, out))
        return true;
    return diag_error(cx, E203, at_attr(g, n, "equation"), NULL, "'%s' does not fit the inputs", text);
}

bool shape_einsum(struct shape_run *s, struct node *n)
{
    struct einsum e;
    int64_t dims[MAX_RANK];
    if (!einsum_parse(s->cx, s->g, n, &e))
        return false;
    for (int i = 0; i < e.result.n; i++)
        dims[i] = e.size[e.result.letter[i]];
    return shape_set(s, n, 0, n->in[0]->dtype, e.result.n, dims);
}

// SPDX-License-Identifier: Apache-2.0
#include "hls/design_quant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

// ---- what was decided ----

static json_t *floats(const float *x, int64_t n)
{
    json_t *list = x ? json_array() : json_null();
    for (int64_t i = 0; x && i < n; i++)
        json_array_append_new(list, json_real((double)x[i]));
    return list;
}

static json_t *layer_json(const struct quant_layer *l)
{
    static const char digits[] = "0123456789abcdef";
    struct strbuf hex = STRBUF_INIT;
    for (int64_t i = 0; i < l->n_weights; i++) {
        unsigned v = (unsigned)l->weights[i] & 255;
        strbuf_add(&hex, (char[]){ digits[v >> 4], digits[v & 15] }, 2);
    }
    json_t *o = json_pack("{s:s, s:i, s:s, s:o, s:o}", "output", l->output, "bits", l->bits, "weights", hex.text ? hex.text : "",
                          "scale", floats(l->scale, l->channels), "bias", floats(l->bias, l->channels));
    strbuf_release(&hex);
    ASSERT(o);
    return o;
}

void quant_write_json(const struct quant_ranges *r, json_t *o)
{
    json_t *ranges = json_array(), *layers = json_array();
    for (int i = 0; i < r->n; i++) {
        const struct quant_range *q = &r->items[i];
        json_array_append_new(ranges, json_pack("[s, f, f, i]", q->tensor, q->lo, q->hi, q->bits));
    }
    for (int i = 0; i < r->n_layers; i++)
        json_array_append_new(layers, layer_json(&r->layers[i]));
    json_object_set_new(o, "ranges", ranges);
    json_object_set_new(o, "layers", layers);
}

static bool read_floats(struct arena *a, const json_t *list, const float **out, int64_t *n)
{
    *n = (int64_t)json_array_size(list);
    float *x = arena_array(a, float, *n);
    for (int64_t i = 0; i < *n; i++) {
        const json_t *v = json_array_get(list, (size_t)i);
        x[i] = (float)json_number_value(v);
        if (!json_is_number(v) || !isfinite(x[i]))
            return false;
    }
    *out = x;
    return true;
}

static bool read_hex(struct arena *a, const char *text, const int8_t **out, int64_t *n)
{
    size_t length = text ? strlen(text) : 1;
    if (length % 2 || strspn(text, "0123456789abcdef") != length)
        return false;
    *n = (int64_t)length / 2;
    int8_t *q = arena_array(a, int8_t, *n);
    for (int64_t i = 0; i < *n; i++)
        q[i] = (int8_t)strtoul((char[]){ text[2 * i], text[2 * i + 1], 0 }, NULL, 16);
    *out = q;
    return true;
}

static bool read_layer(struct arena *a, const json_t *row, struct quant_layer *l)
{
    const char *output = json_string_value(json_object_get(row, "output"));
    const json_t *bias = json_object_get(row, "bias");
    int64_t biases = 0;
    *l = (struct quant_layer){ .output = output ? arena_strdup(a, output) : NULL, .bits = (int)json_integer_value(json_object_get(row, "bits")) };
    if (!output || !read_hex(a, json_string_value(json_object_get(row, "weights")), &l->weights, &l->n_weights) ||
        !read_floats(a, json_object_get(row, "scale"), &l->scale, &l->channels))
        return false;
    return json_is_null(bias) || (read_floats(a, bias, &l->bias, &biases) && biases == l->channels);
}

bool quant_read_json(struct arena *a, const json_t *o, struct quant_ranges *r)
{
    const json_t *ranges = json_object_get(o, "ranges"), *layers = json_object_get(o, "layers");
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *row = json_array_get(ranges, i);
        const char *name = json_string_value(json_array_get(row, 0));
        int64_t bits = json_integer_value(json_array_get(row, 3));
        if (!name || bits < 2 || bits > 8)
            return false;
        struct quant_range q = { arena_strdup(a, name), json_number_value(json_array_get(row, 1)),
                                 json_number_value(json_array_get(row, 2)), (int)bits };
        arena_push(a, r->items, r->n, r->cap, q);
    }
    for (size_t i = 0; i < json_array_size(layers); i++) {
        struct quant_layer l;
        if (!read_layer(a, json_array_get(layers, i), &l))
            return false;
        arena_push(a, r->layers, r->n_layers, r->cap_layers, l);
    }
    return true;
}

// ---- what is asked for ----

static bool wrong(const struct ctx *cx, const char *name, const char *found)
{
    return diag_error(cx, E401, NULL, "LAYER=8, 4, 2 or 1 for weights, LAYER=4/8 with 8, 4 or 2 for what it computes",
                      "--precision: '%s' is nothing that '%s' can have", found, name);
}

static bool add_row(const struct ctx *cx, struct quant_options *o, int *cap, const char *name, int64_t weights, int64_t activations, const char *found)
{
    bool fine = (weights == 8 || weights == 4 || weights == 2 || weights == 1) && (activations == 8 || activations == 4 || activations == 2);
    struct quant_precision row = { arena_strdup(cx->arena, name), (int)weights, (int)activations }, *rows = (struct quant_precision *)(uintptr_t)o->precision;
    if (!fine)
        return wrong(cx, name, found);
    arena_push(cx->arena, rows, o->n_precision, *cap, row);
    o->precision = rows;
    return true;
}

static bool parse_file(const struct ctx *cx, const char *path, struct quant_options *out)
{
    json_error_t e;
    const char *name;
    json_t *value, *o = json_load_file(path, 0, &e);
    int cap = 0;
    bool ok = json_is_object(o);
    if (!ok)
        diag_emit(cx, (struct diag_msg){ .code = E002, .where = path, .found = o ? "no object" : e.text, .need = "{\"LAYER\": bits, …}" }, "--precision: cannot read the file");
    json_object_foreach(o, name, value) {
        const json_t *w = json_is_object(value) ? json_object_get(value, "weights") : value, *a = json_object_get(value, "activations");
        ok &= add_row(cx, out, &cap, name, w ? json_integer_value(w) : 8, a ? json_integer_value(a) : 8, "the value in the file");
    }
    json_decref(o);
    return ok;
}

bool quant_parse_precision(const struct ctx *cx, const char *text, struct quant_options *out)
{
    size_t length = strlen(text);
    int cap = 0;
    bool ok = true;
    if (length > 5 && strcmp(text + length - 5, ".json") == 0)
        return parse_file(cx, text, out);
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',') {
        const char *item = arena_strndup(cx->arena, at, strcspn(at, ",")), *equals = strrchr(item, '=');
        char *end = NULL;
        if (!equals || equals == item) {
            ok = wrong(cx, item, "");
            continue;
        }
        int64_t weights = strtol(equals + 1, &end, 10), activations = 8;
        if (*end == '/')
            activations = strtol(end + 1, &end, 10);
        const char *name = arena_strndup(cx->arena, item, (size_t)(equals - item));
        ok &= *end ? wrong(cx, name, equals + 1) : add_row(cx, out, &cap, name, weights, activations, equals + 1);
    }
    return ok;
}

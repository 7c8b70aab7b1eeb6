// SPDX-License-Identifier: Apache-2.0
#include "hls/driver_text.h"

#include <math.h>

#include "base/check.h"

#define NUMBERS_A_LINE 16

// A string as a C literal; other characters than printable ASCII as octal numbers.
void driver_quoted(struct strbuf *sb, const char *s)
{
    strbuf_addch(sb, '"');
    for (; *s; s++)
        if (*s == '"' || *s == '\\' || *s == '?' || (unsigned char)*s < ' ' || (unsigned char)*s > '~')
            strbuf_addf(sb, "\\%03o", (unsigned)(unsigned char)*s);
        else
            strbuf_addch(sb, *s);
    strbuf_addch(sb, '"');
}

static const struct driver_type types[] = {
    { DT_FLOAT, "AIHLS_FLOAT32", "float" },   { DT_UINT8, "AIHLS_UINT8", "uint8_t" },    { DT_INT8, "AIHLS_INT8", "int8_t" },
    { DT_UINT16, "AIHLS_UINT16", "uint16_t" }, { DT_INT16, "AIHLS_INT16", "int16_t" },    { DT_INT32, "AIHLS_INT32", "int32_t" },
    { DT_INT64, "AIHLS_INT64", "int64_t" },    { DT_BOOL, "AIHLS_BOOL", "uint8_t" },      { DT_DOUBLE, "AIHLS_FLOAT64", "double" },
    { DT_UINT32, "AIHLS_UINT32", "uint32_t" }, { DT_UINT64, "AIHLS_UINT64", "uint64_t" }, { DT_FLOAT16, "AIHLS_FLOAT16", "uint16_t" },
    { DT_BFLOAT16, "AIHLS_BFLOAT16", "uint16_t" },
};

const struct driver_type *driver_type(enum dtype t)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == t)
            return &types[i];
    BUG("no elements of type %s", dtype_name(t)); // shape_infer let only numbers through
}

void driver_i64(struct strbuf *sb, const void *v, int64_t i)
{
    strbuf_addf(sb, "%lld", (long long)((const int64_t *)v)[i]);
}

void driver_i32(struct strbuf *sb, const void *v, int64_t i)
{
    strbuf_addf(sb, "%d", ((const int32_t *)v)[i]);
}

void driver_i16(struct strbuf *sb, const void *v, int64_t i)
{
    strbuf_addf(sb, "%d", ((const int16_t *)v)[i]);
}

void driver_i8(struct strbuf *sb, const void *v, int64_t i)
{
    strbuf_addf(sb, "%d", ((const int8_t *)v)[i]);
}

// Hexadecimal, which is exact; what has no digits is a word of math.h.
static void add_number(struct strbuf *sb, double v, const char *suffix)
{
    if (isfinite(v))
        strbuf_addf(sb, "%a%s", v, suffix);
    else
        strbuf_adds(sb, isnan(v) ? "NAN" : v > 0 ? "INFINITY" : "-INFINITY");
}

void driver_f32(struct strbuf *sb, const void *v, int64_t i)
{
    add_number(sb, (double)((const float *)v)[i], "f");
}

void driver_array(struct strbuf *sb, const char *type, const char *prefix, const char *name, int64_t n, const void *values,
                      void (*add)(struct strbuf *sb, const void *v, int64_t i))
{
    strbuf_addf(sb, "static const %s %s_%s[%lld] = {", type, prefix, name, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        strbuf_adds(sb, i % NUMBERS_A_LINE ? " " : "\n    ");
        add(sb, values, i);
        strbuf_addch(sb, ',');
    }
    strbuf_adds(sb, "\n};\n");
}

void driver_dims(struct strbuf *sb, const struct tensor *t)
{
    strbuf_addf(sb, ".rank = %d, .dims = {", t->rank);
    for (int i = 0; i < t->rank; i++)
        strbuf_addf(sb, " %lld%s", (long long)t->dims[i], i + 1 < t->rank ? "," : " ");
    strbuf_adds(sb, t->rank ? "}" : " 0 }");
}

void driver_f64(struct strbuf *sb, const void *v, int64_t i)
{
    add_number(sb, ((const double *)v)[i], "");
}

void driver_constant(struct strbuf *sb, const char *name, const struct array *x)
{
    int64_t n = array_count(x);
    bool whole = !dtype_is_float(x->dtype), half = x->dtype == DT_FLOAT16 || x->dtype == DT_BFLOAT16;
    strbuf_addf(sb, "static const %s %s[%lld] = {", driver_type(x->dtype)->c, name, (long long)max_i64(n, 1));
    for (int64_t i = 0; i < n; i++) {
        strbuf_adds(sb, i % NUMBERS_A_LINE ? " " : "\n    ");
        if (half)
            strbuf_addf(sb, "%u", ((const uint16_t *)x->data)[i]);
        else if (x->dtype == DT_UINT64)
            strbuf_addf(sb, "UINT64_C(%llu)", (unsigned long long)array_i64(x, i));
        else if (whole && array_i64(x, i) == INT64_MIN)
            strbuf_adds(sb, "INT64_MIN");
        else if (whole)
            strbuf_addf(sb, "%lld", (long long)array_i64(x, i));
        else
            add_number(sb, array_f64(x, i), x->dtype == DT_FLOAT ? "f" : "");
        strbuf_addch(sb, ',');
    }
    strbuf_adds(sb, "\n};\n");
}

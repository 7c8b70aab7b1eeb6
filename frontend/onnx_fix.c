// SPDX-License-Identifier: Apache-2.0
// Shapes of inputs that the user gives: written into the model, so that everything behind reads one file.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "frontend/onnx.h"
#include "frontend/onnx_impl.h"

struct fixer {
    const struct ctx *cx;
    const char *file;
    ProtobufCAllocator memory;
    Onnx__GraphProto *g;
};

static Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *v)
{
    bool tensor = v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    return tensor ? v->type->tensor_type->shape : NULL;
}

static const char *symbol(const Onnx__TensorShapeProto__Dimension *d)
{
    return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param ? d->dim_param : "";
}

static void set_dim(struct fixer *f, Onnx__TensorShapeProto__Dimension *d, int64_t v)
{
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param != protobuf_c_empty_string)
        f->memory.free(NULL, d->dim_param);
    d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    d->dim_value = v;
}

static bool positive(const char *text, char **end, int64_t *out)
{
    errno = 0;
    *out = text[0] >= '0' && text[0] <= '9' ? strtoll(text, end, 10) : 0;
    return errno == 0 && *out > 0 && *out < (int64_t)1 << 40;
}

// NAME=N: every dimension of an input that is called so.
static bool fix_dim(struct fixer *f, const char *name, const char *value)
{
    int64_t v;
    char *end;
    bool found = false;
    struct strbuf names = STRBUF_INIT;
    if (!positive(value, &end, &v) || *end)
        return diag_error(f->cx, E401, NULL, "as in --dim batch=1", "--dim %s needs a number of at least 1, not '%s'", name, value);
    for (size_t i = 0; i < f->g->n_input; i++) {
        Onnx__TensorShapeProto *s = shape_of(f->g->input[i]);
        for (size_t k = 0; s && k < s->n_dim; k++) {
            if (symbol(s->dim[k])[0])
                strbuf_addf(&names, "%s%s", names.len ? ", " : "", symbol(s->dim[k]));
            if (strcmp(symbol(s->dim[k]), name) != 0)
                continue;
            found = true;
            set_dim(f, s->dim[k], v);
        }
    }
    if (!found)
        diag_error(f->cx, E401, f->file, names.len ? arena_printf(f->cx->arena, "open dimensions: %s", names.text) : "no dimension of an input has a name", "no dimension of an input is called '%s'", name);
    strbuf_release(&names);
    return found;
}

// NAME=N,N,…: the whole shape of an input, which may not contradict what the model says.
static bool fix_shape(struct fixer *f, const char *name, const char *value)
{
    Onnx__ValueInfoProto *v = NULL;
    const char *at = value;
    int64_t dims[MAX_RANK];
    size_t n = 0;
    for (size_t i = 0; i < f->g->n_input && !v; i++)
        v = f->g->input[i]->name && strcmp(f->g->input[i]->name, name) == 0 ? f->g->input[i] : NULL;
    if (!v || !v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return diag_error(f->cx, E401, f->file, NULL, "no tensor among the inputs is called '%s'", name);
    for (char *end = NULL; *at; at = *end ? end + 1 : end, n++)
        if (n == MAX_RANK || !positive(at, &end, &dims[n]) || (*end && (*end != ',' || !end[1])))
            return diag_error(f->cx, E401, NULL, "as in --shape input=1,3,224,224", "'%s' is no shape", value);
    Onnx__TensorShapeProto *s = shape_of(v);
    const char *where = arena_printf(f->cx->arena, "%s: input '%s'", f->file, name);
    if (!s) {
        s = v->type->tensor_type->shape = f->memory.alloc(NULL, sizeof *s);
        onnx__tensor_shape_proto__init(s);
        s->n_dim = n;
        s->dim = f->memory.alloc(NULL, (n + 1) * sizeof *s->dim);
        for (size_t i = 0; i < n; i++) {
            s->dim[i] = f->memory.alloc(NULL, sizeof **s->dim);
            onnx__tensor_shape_proto__dimension__init(s->dim[i]);
        }
    }
    if (s->n_dim != n)
        return diag_error(f->cx, E204, where, NULL, "the input has %zu dimensions, --shape gives %zu", s->n_dim, n);
    for (size_t i = 0; i < n; i++) {
        bool fixed = s->dim[i]->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && s->dim[i]->dim_value > 0;
        if (fixed && s->dim[i]->dim_value != dims[i])
            return diag_error(f->cx, E204, where, NULL, "dimension %zu of the input is %" PRId64 " in the model, --shape gives %" PRId64, i, s->dim[i]->dim_value, dims[i]);
        set_dim(f, s->dim[i], dims[i]);
    }
    return true;
}

// Each NAME=VALUE of a list with ';' between.
static bool each(struct fixer *f, const char *list, bool (*fix)(struct fixer *f, const char *name, const char *value), const char *help)
{
    bool ok = true;
    for (const char *at = list ? list : ""; *at;) {
        size_t n = strcspn(at, ";");
        char *item = arena_strndup(f->cx->arena, at, n), *equals = strrchr(item, '=');
        if (!equals || equals == item || !equals[1])
            return diag_error(f->cx, E401, NULL, help, "'%s' is no NAME=VALUE", item);
        *equals = 0;
        ok = fix(f, item, equals + 1) && ok;
        at += n + (at[n] == ';');
    }
    return ok;
}

bool onnx_fix_shapes(const struct ctx *cx, const char *file, const char *shapes, const char *dims, struct strbuf *bytes)
{
    if ((!shapes && !dims) || !onnx_nesting_ok(bytes->text, bytes->len))
        return true;
    struct fixer f = { cx, file, onnx_allocator(), NULL };
    Onnx__ModelProto *m = onnx__model_proto__unpack(&f.memory, bytes->len, (const uint8_t *)bytes->text);
    if (!m || !m->graph) {
        if (m)
            onnx__model_proto__free_unpacked(m, &f.memory);
        return true; // onnx_parse says what is wrong
    }
    f.g = m->graph;
    bool ok = each(&f, dims, fix_dim, "as in --dim batch=1");
    ok = each(&f, shapes, fix_shape, "as in --shape input=1,3,224,224") && ok;
    if (ok)
        onnx_repack(m, bytes);
    onnx__model_proto__free_unpacked(m, &f.memory);
    return ok;
}

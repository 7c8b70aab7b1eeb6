// SPDX-License-Identifier: Apache-2.0
// Changes ONNX models as structures: a change of their bytes hardly ever survives protobuf's length fields.
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "frontend/onnx_impl.h"
#include "tests/fuzz/fuzz.h"

struct change {
    struct arena arena; // owns the unpacked model and all that is added to it
    uint64_t random;
    Onnx__GraphProto *g;
};

static void *take_memory(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}

static void leave_memory(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

static size_t below(struct change *c, size_t n)
{
    c->random = c->random * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return n ? (size_t)(c->random >> 33) % n : 0;
}

static int64_t number(struct change *c)
{
    static const int64_t edges[] = { 0, 1, -1, 2, 3, 4, 7, 8, 127, 255, 1024, 65536, INT32_MAX, (int64_t)INT32_MAX + 1, INT32_MIN, (int64_t)1 << 40, INT64_MAX, INT64_MIN };
    return below(c, 2) ? edges[below(c, sizeof edges / sizeof *edges)] : (int64_t)below(c, 20) - 4;
}

static float fraction(struct change *c)
{
    const float edges[] = { 0, -0.0f, 1, -1, 0.5f, 1e-30f, 1e30f, -1e30f, 1e-45f, INFINITY, -INFINITY, NAN, 3.4e38f };
    return below(c, 3) ? edges[below(c, sizeof edges / sizeof *edges)] : (float)below(c, 1000) / 100 - 5;
}

// A name that stands for some tensor, or for none.
static char *some_name(struct change *c)
{
    const Onnx__GraphProto *g = c->g;
    const Onnx__NodeProto *n = g->n_node ? g->node[below(c, g->n_node)] : NULL;
    char *name = NULL;
    switch (below(c, 5)) {
    case 0: name = g->n_input ? g->input[below(c, g->n_input)]->name : NULL; break;
    case 1: name = g->n_initializer ? g->initializer[below(c, g->n_initializer)]->name : NULL; break;
    case 2: name = n && n->n_input ? n->input[below(c, n->n_input)] : NULL; break;
    case 3: name = n && n->n_output ? n->output[below(c, n->n_output)] : NULL; break;
    default: break;
    }
    return name ? name : arena_strdup(&c->arena, "");
}

static void change_int_list(struct change *c, size_t *n, int64_t **list)
{
    int64_t *grown = arena_array(&c->arena, int64_t, *n + 1);
    if (*n)
        memcpy(grown, *list, *n * sizeof *grown);
    *list = grown;
    switch (below(c, 4)) {
    case 0: grown[(*n)++] = number(c); break;
    case 1: *n -= *n > 0; break;
    default: grown[below(c, *n)] = number(c); break;
    }
}

static void change_attribute(struct change *c, Onnx__NodeProto *n)
{
    static const char *const names[] = { "axis", "axes", "group", "kernel_shape", "strides", "dilations", "pads", "auto_pad", "keepdims", "perm", "mode", "alpha", "to", "blocksize", "ceil_mode", "output_shape", "scales" };
    if (!n->n_attribute)
        return;
    Onnx__AttributeProto *a = n->attribute[below(c, n->n_attribute)];
    switch (below(c, 8)) {
    case 0: a->name = arena_strdup(&c->arena, names[below(c, sizeof names / sizeof *names)]); break;
    case 1: n->n_attribute--; break;
    case 2: a->has_type = true, a->type = (Onnx__AttributeProto__AttributeType)below(c, 12); break;
    case 3: a->has_f = true, a->f = fraction(c); break;
    case 4:
    case 5: a->has_i = true, a->i = number(c); break;
    default: change_int_list(c, &a->n_ints, &a->ints); break;
    }
}

static void change_node(struct change *c)
{
    Onnx__GraphProto *g = c->g;
    if (!g->n_node)
        return;
    Onnx__NodeProto *n = g->node[below(c, g->n_node)];
    switch (below(c, 8)) {
    case 0: { // another operator with its domain
        const struct op_info *o = op_info((enum op)below(c, OP_COUNT));
        n->op_type = arena_strdup(&c->arena, o->name);
        n->domain = arena_strdup(&c->arena, o->domain);
        break;
    }
    case 1: { // one input more
        char **in = arena_array(&c->arena, char *, n->n_input + 1), *name = some_name(c);
        if (n->n_input)
            memcpy(in, n->input, n->n_input * sizeof *in);
        in[n->n_input++] = name;
        n->input = in;
        break;
    }
    case 2: n->n_input -= n->n_input > 0; break;
    case 3: // one node less
        g->n_node--;
        g->node[below(c, g->n_node + 1)] = g->node[g->n_node];
        break;
    case 4:
        if (n->n_input)
            n->input[below(c, n->n_input)] = some_name(c);
        break;
    default: change_attribute(c, n); break;
    }
}

// Bytes of an element; 1 for what no reader takes.
static size_t width_of(int32_t data_type)
{
    size_t bytes = dtype_bytes((enum dtype)data_type); // 0 of 4-bit integers, which are packed
    return onnx_dtype(data_type, false) == DT_NONE || bytes == 0 ? 1 : bytes;
}

// Makes raw data as long as the dims ask for, as far as that is little.
static void fit_data(struct change *c, Onnx__TensorProto *t)
{
    size_t count = 1;
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(count, (size_t)t->dims[i], &count))
            return;
    if (!t->has_raw_data || count > 1024)
        return;
    size_t n = count * width_of(t->data_type);
    uint8_t *data = arena_alloc(&c->arena, n);
    for (size_t i = 0; i < n && t->raw_data.len; i++)
        data[i] = t->raw_data.data[i % t->raw_data.len];
    t->raw_data.data = data;
    t->raw_data.len = n;
}

static void change_tensor(struct change *c, Onnx__TensorProto *t)
{
    switch (below(c, 6)) {
    case 0: t->data_type = (int32_t)below(c, 18); break;
    case 1:
    case 2: change_int_list(c, &t->n_dims, &t->dims); break;
    case 3:
        if (t->n_int64_data)
            t->int64_data[below(c, t->n_int64_data)] = number(c);
        break;
    default:
        if (t->has_raw_data && t->raw_data.len >= 4) {
            float f = fraction(c);
            memcpy(t->raw_data.data + below(c, t->raw_data.len / 4) * 4, &f, sizeof f);
        } else if (t->has_raw_data && t->raw_data.len) {
            t->raw_data.data[below(c, t->raw_data.len)] = (uint8_t)number(c);
        }
        break;
    }
    if (below(c, 4))
        fit_data(c, t);
}

static void change_port(struct change *c)
{
    Onnx__GraphProto *g = c->g;
    if (g->n_output && below(c, 3) == 0)
        g->output[below(c, g->n_output)]->name = some_name(c);
    if (!g->n_input)
        return;
    const Onnx__TypeProto *t = g->input[below(c, g->n_input)]->type;
    if (!t || t->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return;
    const Onnx__TensorShapeProto *s = t->tensor_type->shape;
    if (below(c, 4) == 0) {
        t->tensor_type->elem_type = (int32_t)below(c, 18);
    } else if (s && s->n_dim) {
        Onnx__TensorShapeProto__Dimension *d = s->dim[below(c, s->n_dim)];
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = number(c);
    }
}

static void change_model(struct change *c, Onnx__ModelProto *m)
{
    Onnx__GraphProto *g = c->g;
    switch (below(c, 16)) {
    case 0:
        if (m->n_opset_import)
            m->opset_import[0]->version = 6 + (int64_t)below(c, 13);
        break;
    case 1:
    case 2:
    case 3: change_port(c); break;
    case 4:
    case 5:
    case 6:
    case 7:
        if (g->n_initializer)
            change_tensor(c, g->initializer[below(c, g->n_initializer)]);
        break;
    default: change_node(c); break;
    }
}

size_t fuzz_mutate_onnx(uint8_t *bytes, size_t n, size_t room, unsigned seed)
{
    struct change c = { .random = seed };
    ProtobufCAllocator memory = { take_memory, leave_memory, &c.arena };
    Onnx__ModelProto *m = onnx_nesting_ok(bytes, n) ? onnx__model_proto__unpack(&memory, n, bytes) : NULL;
    size_t packed = 0;
    if (m && m->graph) {
        c.g = m->graph;
        for (size_t i = 0, changes = 1 + below(&c, 3); i < changes; i++)
            change_model(&c, m);
        packed = onnx__model_proto__get_packed_size(m);
        if (packed <= room)
            onnx__model_proto__pack(m, bytes);
        else
            packed = 0;
    }
    arena_release(&c.arena);
    return packed;
}

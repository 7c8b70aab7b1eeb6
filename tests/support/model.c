// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/onnx.h"
#include "onnx.pb-c.h"

#define MAX_ITEMS 64 // nodes, initializers, ports of a node: test models are small

struct model {
    struct arena arena;
    Onnx__ModelProto proto;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opsets[4], *opset_list[4];
    Onnx__NodeProto *nodes[MAX_ITEMS];
    Onnx__TensorProto *initializers[MAX_ITEMS];
    Onnx__ValueInfoProto *inputs[MAX_ITEMS], *outputs[MAX_ITEMS];
    Onnx__FunctionProto *functions[MAX_ITEMS];
};

struct model *model_new(int64_t opset)
{
    static const char *const domains[4] = { "", "com.microsoft", "qonnx.custom_op.general", "local" };
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    onnx__model_proto__init(&m->proto);
    onnx__graph_proto__init(&m->graph);
    m->proto.has_ir_version = true;
    m->proto.ir_version = 8;
    m->proto.graph = &m->graph;
    m->proto.n_opset_import = 4;
    m->proto.opset_import = m->opset_list;
    for (int i = 0; i < 4; i++) {
        onnx__operator_set_id_proto__init(&m->opsets[i]);
        m->opsets[i].domain = arena_strdup(&m->arena, domains[i]);
        m->opsets[i].has_version = true;
        m->opsets[i].version = i ? 1 : opset;
        m->opset_list[i] = &m->opsets[i];
    }
    m->graph.name = arena_strdup(&m->arena, "test");
    m->graph.node = m->nodes;
    m->graph.initializer = m->initializers;
    m->graph.input = m->inputs;
    m->graph.output = m->outputs;
    m->proto.functions = m->functions;
    return m;
}

void model_free(struct model *m)
{
    arena_release(&m->arena);
    free(m);
}

void model_ir_version(struct model *m, int64_t v)
{
    m->proto.ir_version = v;
}

static Onnx__TensorShapeProto *shape(struct model *m, int rank, const int64_t *dims)
{
    Onnx__TensorShapeProto *s = arena_new(&m->arena, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(s);
    s->n_dim = (size_t)rank;
    s->dim = arena_array(&m->arena, Onnx__TensorShapeProto__Dimension *, rank);
    for (int i = 0; i < rank; i++) {
        s->dim[i] = arena_new(&m->arena, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(s->dim[i]);
        if (dims[i] < 0) {
            s->dim[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            s->dim[i]->dim_param = arena_strdup(&m->arena, "N");
        } else {
            s->dim[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            s->dim[i]->dim_value = dims[i];
        }
    }
    return s;
}

static Onnx__ValueInfoProto *value_info(struct model *m, const char *name)
{
    Onnx__ValueInfoProto *v = arena_new(&m->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = arena_strdup(&m->arena, name);
    return v;
}

void model_input(struct model *m, const char *name, enum dtype t, int rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = value_info(m, name);
    v->type = arena_new(&m->arena, Onnx__TypeProto);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = arena_new(&m->arena, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(v->type->tensor_type);
    v->type->tensor_type->has_elem_type = true;
    v->type->tensor_type->elem_type = (int32_t)t;
    if (rank >= 0)
        v->type->tensor_type->shape = shape(m, rank, dims);
    m->inputs[m->graph.n_input++] = v;
}

void model_output(struct model *m, const char *name)
{
    m->outputs[m->graph.n_output++] = value_info(m, name);
}

static Onnx__TensorProto *tensor(struct model *m, const char *name, int data_type, int rank,
                                 const int64_t *dims)
{
    Onnx__TensorProto *t = arena_new(&m->arena, Onnx__TensorProto);
    onnx__tensor_proto__init(t);
    t->name = arena_strdup(&m->arena, name);
    t->has_data_type = true;
    t->data_type = data_type;
    t->n_dims = (size_t)rank;
    t->dims = arena_array(&m->arena, int64_t, rank);
    for (int i = 0; i < rank; i++)
        t->dims[i] = dims[i];
    return t;
}

static void set_raw(struct model *m, Onnx__TensorProto *t, size_t n_bytes, const void *bytes)
{
    t->has_raw_data = true;
    t->raw_data.len = n_bytes;
    t->raw_data.data = arena_alloc(&m->arena, n_bytes);
    if (n_bytes)
        memcpy(t->raw_data.data, bytes, n_bytes);
}

static Onnx__TensorProto *tensor_f32(struct model *m, const char *name, int rank, const int64_t *dims,
                                     const float *v)
{
    Onnx__TensorProto *t = tensor(m, name, DT_FLOAT, rank, dims);
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    set_raw(m, t, count * sizeof *v, v);
    return t;
}

void model_raw(struct model *m, const char *name, int data_type, int rank, const int64_t *dims,
               size_t n_bytes, const void *bytes)
{
    Onnx__TensorProto *t = tensor(m, name, data_type, rank, dims);
    set_raw(m, t, n_bytes, bytes);
    m->initializers[m->graph.n_initializer++] = t;
}

void model_f32(struct model *m, const char *name, int rank, const int64_t *dims, const float *v)
{
    m->initializers[m->graph.n_initializer++] = tensor_f32(m, name, rank, dims, v);
}

// In the typed field instead of raw bytes, so that tests read both ways.
void model_i64(struct model *m, const char *name, int count, const int64_t *v)
{
    int64_t dims[1] = { count };
    Onnx__TensorProto *t = tensor(m, name, DT_INT64, 1, dims);
    t->n_int64_data = (size_t)count;
    t->int64_data = arena_array(&m->arena, int64_t, count);
    for (int i = 0; i < count; i++)
        t->int64_data[i] = v[i];
    m->initializers[m->graph.n_initializer++] = t;
}

void model_external(struct model *m, const char *name)
{
    int64_t dims[1] = { 4 };
    Onnx__TensorProto *t = tensor(m, name, DT_FLOAT, 1, dims);
    t->has_data_location = true;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    m->initializers[m->graph.n_initializer++] = t;
}

void model_external_entry(struct model *m, const char *key, const char *value)
{
    Onnx__TensorProto *t = m->initializers[m->graph.n_initializer - 1];
    Onnx__StringStringEntryProto *e = arena_new(&m->arena, Onnx__StringStringEntryProto), **grown = arena_array(&m->arena, Onnx__StringStringEntryProto *, t->n_external_data + 1);
    onnx__string_string_entry_proto__init(e);
    e->key = arena_strdup(&m->arena, key);
    e->value = arena_strdup(&m->arena, value);
    for (size_t i = 0; i < t->n_external_data; i++)
        grown[i] = t->external_data[i];
    grown[t->n_external_data++] = e;
    t->external_data = grown;
}

// The names of `text`, split at single spaces; "-" is the empty name.
static char **split(struct model *m, const char *text, size_t *n)
{
    char **names = arena_array(&m->arena, char *, MAX_ITEMS);
    *n = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        bool omitted = len == 1 && text[0] == '-';
        names[(*n)++] = arena_strndup(&m->arena, text, omitted ? 0 : len);
        text += len + (text[len] == ' ');
    }
    return names;
}

void model_node(struct model *m, const char *op, const char *inputs, const char *outputs)
{
    Onnx__NodeProto *n = arena_new(&m->arena, Onnx__NodeProto);
    const char *colon = strchr(op, ':');
    onnx__node_proto__init(n);
    if (colon)
        n->domain = arena_strndup(&m->arena, op, (size_t)(colon - op));
    n->op_type = arena_strdup(&m->arena, colon ? colon + 1 : op);
    n->input = split(m, inputs, &n->n_input);
    n->output = split(m, outputs, &n->n_output);
    n->name = arena_printf(&m->arena, "%s_node", n->n_output ? n->output[0] : "");
    n->attribute = arena_array(&m->arena, Onnx__AttributeProto *, MAX_ITEMS);
    m->nodes[m->graph.n_node++] = n;
}

static Onnx__AttributeProto *attribute(struct model *m, const char *name,
                                       Onnx__AttributeProto__AttributeType type)
{
    Onnx__NodeProto *n = m->nodes[m->graph.n_node - 1];
    Onnx__AttributeProto *a = arena_new(&m->arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(a);
    a->name = arena_strdup(&m->arena, name);
    a->has_type = true;
    a->type = type;
    n->attribute[n->n_attribute++] = a;
    return a;
}

void model_int(struct model *m, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = true;
    a->i = v;
}

void model_float(struct model *m, const char *name, float v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = true;
    a->f = v;
}

void model_string(struct model *m, const char *name, const char *v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = true;
    a->s.len = strlen(v);
    a->s.data = (uint8_t *)arena_strdup(&m->arena, v);
}

void model_ints(struct model *m, const char *name, int count, const int64_t *v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)count;
    a->ints = arena_array(&m->arena, int64_t, count);
    for (int i = 0; i < count; i++)
        a->ints[i] = v[i];
}

void model_floats(struct model *m, const char *name, int count, const float *v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
    a->n_floats = (size_t)count;
    a->floats = arena_array(&m->arena, float, count);
    for (int i = 0; i < count; i++)
        a->floats[i] = v[i];
}

void model_tensor_f32(struct model *m, const char *name, int rank, const int64_t *dims, const float *v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
    a->t = tensor_f32(m, "", rank, dims, v);
}

void model_strings(struct model *m, const char *name, const char *v)
{
    Onnx__AttributeProto *a = attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    char **words = split(m, v, &a->n_strings);
    a->strings = arena_array(&m->arena, ProtobufCBinaryData, a->n_strings);
    for (size_t i = 0; i < a->n_strings; i++)
        a->strings[i] = (ProtobufCBinaryData){ strlen(words[i]), (uint8_t *)words[i] };
}

void model_body(struct model *m, const char *name, struct model *body)
{
    attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = &body->graph;
}

void model_refer(struct model *m, const char *name, const char *of_function)
{
    attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT)->ref_attr_name = arena_strdup(&m->arena, of_function);
}

void model_function(struct model *m, const char *name, struct model *body, const char *attributes)
{
    Onnx__FunctionProto *f = arena_new(&m->arena, Onnx__FunctionProto);
    onnx__function_proto__init(f);
    f->name = arena_strdup(&m->arena, name);
    f->domain = arena_strdup(&m->arena, "local");
    f->input = arena_array(&m->arena, char *, body->graph.n_input);
    f->output = arena_array(&m->arena, char *, body->graph.n_output);
    for (f->n_input = 0; f->n_input < body->graph.n_input; f->n_input++)
        f->input[f->n_input] = body->inputs[f->n_input]->name;
    for (f->n_output = 0; f->n_output < body->graph.n_output; f->n_output++)
        f->output[f->n_output] = body->outputs[f->n_output]->name;
    f->attribute = split(m, attributes, &f->n_attribute);
    f->n_node = body->graph.n_node;
    f->node = body->nodes;
    f->n_opset_import = 1;
    f->opset_import = body->opset_list;
    m->functions[m->proto.n_functions++] = f;
}

void model_dim(struct model *m, const char *name)
{
    Onnx__TensorShapeProto *s = m->inputs[m->graph.n_input - 1]->type->tensor_type->shape;
    for (size_t i = 0; i < s->n_dim; i++)
        if (s->dim[i]->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
            s->dim[i]->dim_param = arena_strdup(&m->arena, name);
}

const void *model_pack(struct model *m, size_t *n_bytes)
{
    *n_bytes = onnx__model_proto__get_packed_size(&m->proto);
    uint8_t *bytes = arena_alloc(&m->arena, *n_bytes);
    onnx__model_proto__pack(&m->proto, bytes);
    return bytes;
}

bool model_parse(struct model *m, const struct ctx *cx, struct graph **out)
{
    size_t n_bytes;
    const void *bytes = model_pack(m, &n_bytes);
    return onnx_parse(cx, "test.onnx", bytes, n_bytes, out);
}

// SPDX-License-Identifier: Apache-2.0
// model: builds ONNX models in memory, so that tests say what they are about and nothing else.
//
//     struct model *m = model_new(13);
//     model_input(m, "x", DT_FLOAT, 4, (int64_t[]){ 1, 3, 8, 8 });
//     model_f32(m, "w", 4, (int64_t[]){ 2, 3, 1, 1 }, (float[]){ 1, 2, 3, 4, 5, 6 });
//     model_node(m, "Conv", "x w", "y");
//     model_ints(m, "strides", 2, (int64_t[]){ 2, 2 }); // of the node added last
//     model_output(m, "y");
//     bool ok = model_parse(m, &cx, &g);
//     model_free(m);
//
// Everything is copied; the model owns its memory.
#ifndef AIHLS_TESTS_MODEL_H
#define AIHLS_TESTS_MODEL_H

#include "frontend/graph.h"

struct model;

struct model *model_new(int64_t opset);
void model_free(struct model *m);
void model_ir_version(struct model *m, int64_t v); // 8 unless set

// A dimension of -1 is symbolic; rank -1 leaves the shape out.
void model_input(struct model *m, const char *name, enum dtype t, int rank, const int64_t *dims);
void model_output(struct model *m, const char *name);

// Initializers. Element types other than these two are given as raw bytes.
void model_f32(struct model *m, const char *name, int rank, const int64_t *dims, const float *v);
void model_i64(struct model *m, const char *name, int count, const int64_t *v); // 1-D
void model_raw(struct model *m, const char *name, int data_type, int rank, const int64_t *dims,
               size_t n_bytes, const void *bytes);
void model_external(struct model *m, const char *name); // four floats, their data in another file
void model_external_entry(struct model *m, const char *key, const char *value); // where, of the one added last

// A node. `op` may have a domain ("com.microsoft:QGemm"); inputs and outputs are names between single spaces, "-" for
// an omitted one. The node is called like its first output with "_node" behind it.
void model_node(struct model *m, const char *op, const char *inputs, const char *outputs);
// Attributes of the node added last.
void model_int(struct model *m, const char *name, int64_t v);
void model_float(struct model *m, const char *name, float v);
void model_string(struct model *m, const char *name, const char *v);
void model_ints(struct model *m, const char *name, int count, const int64_t *v);
void model_floats(struct model *m, const char *name, int count, const float *v);
void model_tensor_f32(struct model *m, const char *name, int rank, const int64_t *dims, const float *v);

void model_strings(struct model *m, const char *name, const char *v); // between single spaces
// The graph of another model, which must live as long as m: a body of If, Loop or Scan.
void model_body(struct model *m, const char *name, struct model *body);
// A function of the domain "local", named `name`, made of another model's nodes, inputs and outputs; the model must live as
// long as m. `attributes` are names between single spaces.
void model_function(struct model *m, const char *name, struct model *body, const char *attributes);
void model_refer(struct model *m, const char *name, const char *attribute); // attribute of the last node: the function's
void model_dim(struct model *m, const char *name); // the last input's open dimensions are called so, not N

// The serialized model, owned by it.
const void *model_pack(struct model *m, size_t *n_bytes);
// onnx_parse of it, as file "test.onnx".
bool model_parse(struct model *m, const struct ctx *cx, struct graph **out);

#endif

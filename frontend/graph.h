// SPDX-License-Identifier: Apache-2.0
// graph: the first of three representations, an ONNX graph free of protobuf.
//
//     graph ── nodes[]   in topological order: a node stands behind its producers
//       │        └── in[], out[]: tensors; an omitted optional input is NULL
//       └──── tensors[]  every tensor once; `data` set when its value is a constant
//
// Layout: tensors are dense, row major, in ONNX's order of dimensions (NCHW images).
// Ownership: all of it lives in the graph's arena, constant data too.
#ifndef AIHLS_GRAPH_H
#define AIHLS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/strbuf.h"

// Numbers of onnx.proto's TensorProto.DataType.
enum dtype {
    DT_NONE = 0,
    DT_FLOAT = 1,
    DT_UINT8 = 2,
    DT_INT8 = 3,
    DT_UINT16 = 4,
    DT_INT16 = 5,
    DT_INT32 = 6,
    DT_INT64 = 7,
    DT_STRING = 8,
    DT_BOOL = 9,
    DT_FLOAT16 = 10,
    DT_DOUBLE = 11,
    DT_UINT32 = 12,
    DT_UINT64 = 13,
    DT_BFLOAT16 = 16,
};

size_t dtype_bytes(enum dtype t);     // bytes of an element; 0 for DT_NONE and DT_STRING
const char *dtype_name(enum dtype t); // "float32", "int8", …
bool dtype_is_float(enum dtype t);    // of any width
bool dtype_is_integer(enum dtype t);  // signed and unsigned, without bool

// ONNX sets no limit on the rank; eight is what exporters reach, and NumPy broadcasting needs.
#define MAX_RANK 8

enum op {
#define OP(id, domain, name, since, min_in, max_in, min_out, max_out, support, note) OP_##id,
#include "frontend/ops.def"
#undef OP
    OP_COUNT
};

// Where an operator can run in an accelerator that aihls builds.
enum op_support {
    OP_HARDWARE, // in the pipeline
    OP_BORDER,   // on the host, in front of or behind the pipeline
    OP_FOLDED,   // only where it disappears: constants, fusion, free reshapes
    OP_NONE,     // read and evaluated in float, not compiled
};

struct op_info {
    const char *domain, *name; // domain "" is ai.onnx
    int since;                 // lowest opset we take it from
    int min_in, max_in, min_out, max_out;
    enum op_support support;
    const char *note; // one line for `aihls ops`
};

const struct op_info *op_info(enum op op);
// Finds an operator; false when aihls does not know it.
bool op_parse(const char *domain, const char *name, enum op *out);

struct node;

struct tensor {
    const char *name; // unique in the graph
    enum dtype dtype; // DT_NONE until shape inference
    int rank;         // -1 until shape inference
    int64_t dims[MAX_RANK];
    const void *data;      // constant value, count * dtype_bytes; NULL: computed
    struct node *producer; // NULL: graph input or constant
    int index;             // position in graph.tensors
    bool four_bits;        // DT_INT8 or DT_UINT8 here, four bits in the file
};

enum attr_type { ATTR_INT, ATTR_FLOAT, ATTR_STRING, ATTR_INTS, ATTR_FLOATS, ATTR_TENSOR, ATTR_STRINGS, ATTR_GRAPH };

struct attr {
    const char *name;
    enum attr_type type;
    int64_t i;
    float f;
    const char *s;
    int n; // of ints, floats or strings
    const int64_t *ints;
    const float *floats;
    const char **strings;
    const struct tensor *t; // a constant that is not in graph.tensors
    // A body of If, Loop or Scan. It is closed: what it reads of the graphs around it are inputs of its own behind the
    // formal ones, and the node's inputs from `captured_at` on bring them.
    struct graph *g;
    int captured_at;
};

struct node {
    enum op op;
    const char *name; // as in the model, may be ""
    int model_index;  // position in the model's own node list, for messages
    struct tensor **in, **out;
    int n_in, n_out;
    struct attr *attrs;
    int n_attrs;
    int index; // position in graph.nodes
};

struct graph {
    struct arena *arena;
    const char *file; // as given by the user, for messages
    const char *name;
    int64_t opset; // of ai.onnx
    struct node **nodes;
    int n_nodes, cap_nodes;
    struct tensor **tensors;
    int n_tensors, cap_tensors;
    struct tensor **inputs, **outputs; // inputs: without initializers
    int n_inputs, n_outputs;
    int n_formal; // of a body: the inputs that the operator gives it, in front of those that it captures
};

// ---- life cycle ----
struct graph *graph_new(struct arena *a, const char *file, const char *name);
// A deep copy (constant data is shared) into arena `a`.
struct graph *graph_clone(const struct graph *g, struct arena *a);

// ---- building ----
// A new computed tensor; the name is made unique by a suffix when it is taken.
struct tensor *graph_add_tensor(struct graph *g, const char *name, enum dtype t, int rank, const int64_t *dims);
// A new constant; `data` must live as long as the graph (or be NULL for zeros to fill in).
struct tensor *graph_add_const(struct graph *g, const char *name, enum dtype t, int rank, const int64_t *dims, const void *data);
// Appends a node and makes it the producer of its outputs. The caller keeps topological order.
struct node *graph_add_node(struct graph *g, enum op op, const char *name, int n_in, struct tensor **in, int n_out, struct tensor **out);
// The same, in front of node `before`.
struct node *graph_insert_node(struct graph *g, struct node *before, enum op op, const char *name, int n_in, struct tensor **in, int n_out, struct tensor **out);
void node_set_int(struct graph *g, struct node *n, const char *name, int64_t v);
void node_set_float(struct graph *g, struct node *n, const char *name, float v);
void node_set_string(struct graph *g, struct node *n, const char *name, const char *v);
void node_set_ints(struct graph *g, struct node *n, const char *name, int count, const int64_t *v);

void node_set_floats(struct graph *g, struct node *n, const char *name, int count, const float *v);
void node_drop_attr(struct node *n, const char *name); // absent: nothing

// ---- changing ----
// Every node input and graph output that is `from` becomes `to`.
void graph_replace_uses(struct graph *g, struct tensor *from, struct tensor *to);
// Removes a node; its outputs lose their producer.
void graph_remove_node(struct graph *g, struct node *n);
// Removes nodes and tensors that no graph output needs; renumbers. Inputs stay.
void graph_remove_dead(struct graph *g);

// ---- asking ----
const struct attr *node_attr(const struct node *n, const char *name); // NULL: absent
int64_t node_int(const struct node *n, const char *name, int64_t fallback);
float node_float(const struct node *n, const char *name, float fallback);
const char *node_string(const struct node *n, const char *name, const char *fallback);
int64_t node_ints_at(const struct node *n, const char *name, int i); // entry i of a list; 0 where there is none, and for a name of NULL
// Number of elements; 1 for a scalar. Dims must be known; checked products (BUG on overflow:
// shape_infer refuses such shapes).
int64_t tensor_count(const struct tensor *t);
// Number of node inputs and graph outputs that read t.
int tensor_uses(const struct graph *g, const struct tensor *t);
// The node that alone reads t (and t is no graph output), or NULL.
struct node *tensor_sole_consumer(const struct graph *g, const struct tensor *t);
bool tensor_is_output(const struct graph *g, const struct tensor *t);
// "[1, 3, 32, 32]", in the arena.
const char *shape_text(struct arena *a, int rank, const int64_t *dims);
// Element i of a constant as double or integer, whatever its type. BUG when not a constant.
double tensor_const_f64(const struct tensor *t, int64_t i);
int64_t tensor_const_i64(const struct tensor *t, int64_t i);

// ---- places for diagnostics, in the arena ----
// "resnet8.onnx: node 14 'layer3/conv1' (Conv)"
const char *at_node(const struct graph *g, const struct node *n);
// "…, attribute 'group'"
const char *at_attr(const struct graph *g, const struct node *n, const char *attr);
// "resnet8.onnx: tensor 'x'"
const char *at_tensor(const struct graph *g, const struct tensor *t);

// ---- whole graphs ----
// Checks the invariants that the comments above name; BUG on the first breach.
void graph_verify(const struct graph *g);
// The text form, one node a line; large constants are elided to shape and a hash.
void graph_dump(const struct graph *g, struct strbuf *out);

#endif

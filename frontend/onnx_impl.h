// SPDX-License-Identifier: Apache-2.0
// onnx_impl: what the files of the ONNX reader share. Included by frontend/onnx*.c only.
#ifndef AIHLS_ONNX_IMPL_H
#define AIHLS_ONNX_IMPL_H

#include <limits.h>

#include "base/strbuf.h"
#include "frontend/graph.h"
#include "frontend/onnx.h"
#include "onnx.pb-c.h"

// ---- onnx.c ----

// What protobuf-c allocates with: it ends the process when there is no more, for its callers could not tell that from damage.
ProtobufCAllocator onnx_allocator(void);

// A model's file, mapped, while the reference reads it: data stay where they are as far as that is possible.
struct onnx_mapping {
    const char *file, *folder; // the path, and the real path of its folder, or NULL
    bool pages;                // the bytes are the file's own pages: dropped, they come back when they are read again
};

// How tensors are read.
struct onnx_reading {
    bool keep_types;                   // see onnx_options
    const struct onnx_mapping *mapped; // or NULL: from memory, with all data inside
};

// Reads the graph of a message: what is behind onnx_parse_with.
bool onnx_read_model(const struct ctx *cx, const char *file, const Onnx__ModelProto *m, const struct onnx_options *options,
                     const struct onnx_mapping *mapped, struct graph **out);

// ---- onnx_external.c ----

// Maps the bytes of tensor t, whose data are in another file. *base and *n_base are the mapping, to be unmapped by the caller,
// *data the tensor's first byte in it. Errors as for onnx_load_external.
bool onnx_map_external(const struct ctx *cx, const struct onnx_mapping *m, const char *where, const Onnx__TensorProto *t,
                       void **base, size_t *n_base, ProtobufCBinaryData *data);
// Whether its data are in another file.
bool onnx_is_external(const Onnx__TensorProto *t);

// Makes `bytes` the serialized model.
void onnx_repack(const Onnx__ModelProto *m, struct strbuf *bytes);

// The real path of the folder that a file lies in; false when there is none.
bool onnx_folder(const struct ctx *cx, const char *file, char folder[PATH_MAX]);

// ---- onnx_tensor.c ----

// One varint of protobuf's wire format from p[*at]; false at the end of the bytes or after ten bytes.
bool onnx_varint(const uint8_t *p, size_t n, size_t *at, uint64_t *out);

// False when messages are nested deeper than any sane model does: protobuf-c unpacks by
// recursion, so that a hostile file of a megabyte could exhaust the stack.
bool onnx_nesting_ok(const void *bytes, size_t n_bytes);

// The type we compute with in place of one that a file names: float16, bfloat16 and float64 become float32 unless
// keep_types; int4 and uint4 become int8 and uint8. DT_NONE for a type we do not take (strings, complex, unknown).
enum dtype onnx_dtype(int64_t data_type, bool keep_types);

// int4 and uint4, of which the reader knows how they are stored, and no operator but DequantizeLinear takes them.
bool onnx_is_packed(int64_t data_type);

// Reads a TensorProto into `out` (all but its index); data in other files may stay there, mapped as long as `a` lives. `where`
// is its place for messages.
bool onnx_tensor(const struct ctx *cx, struct arena *a, const struct onnx_reading *how, const char *where,
                 const Onnx__TensorProto *from, struct tensor *out);

// ---- onnx_function.c ----

// The nodes of g with every call of a function of model m replaced by the function's nodes, in arena a; names inside a
// function get a prefix. E102: recursion, more arguments than the function has; E103: a function of another opset.
bool onnx_inline(const struct ctx *cx, const char *file, struct arena *a, const Onnx__ModelProto *m, int64_t opset,
                 const Onnx__GraphProto *g, Onnx__NodeProto ***nodes, size_t *n);

// ---- onnx_normal.c ----

// does      rewrites nodes of opsets 1 to 21 to the one form that all later passes know:
//             Clip, Pad, Slice, Squeeze, Unsqueeze, Split: bounds, pads, axes and lengths are inputs;
//             Softmax, LogSoftmax: `axis` is explicit; "flatten_2d" = 1 marks the meaning
//               before opset 13 (softmax over all dims from axis on), unless it makes no difference;
//             Resize: inputs x, none, scales, sizes, and just one of the last two; before opset 11 "nearest_by_scale" = 1
//               marks its rounding (up where the scale is below 1, else down); Upsample: as Resize;
//             ReduceSum: `axes` is an attribute, and one without axes that is to do nothing is Identity;
//             BatchNormalization, Dropout, MaxPool: optional outputs that nobody reads are dropped;
//             Cast: float16, bfloat16, float64 are float32
//           For the float reference, types stay, and so do training forms and outputs for training.
// requires  a sorted graph
// provides  the same meaning; E102 for operators newer than the opset, E202 for training forms
// cost      O(nodes)
bool onnx_normalise(const struct ctx *cx, struct graph *g, bool reference);

// ---- onnx_layout.c ----

// Whether an operator of a file is one of ai.onnx for images with channels behind the other axes.
bool onnx_is_channels_last(const char *domain, const char *op);
// Says so of a node that has just been read, until onnx_unwrap_layout puts Transposes around it. E102 for one with other outputs.
void onnx_mark_layout(struct graph *g, struct node *n, bool channels_last);
bool onnx_unwrap_layout(const struct ctx *cx, struct graph *g);

#endif

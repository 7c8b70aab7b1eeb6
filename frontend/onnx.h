// SPDX-License-Identifier: Apache-2.0
// onnx: reads a .onnx file into a graph; the only user of protobuf-c.
//
// Takes IR versions 3 to 10 and ai.onnx opsets 1 to 21, functions that the model brings along (as their nodes), and com.microsoft's QLinear operators. Names what
// is wrong with a file, all of it at once: E101 unreadable, E102 inconsistent (duplicate or
// missing names, cycles, sizes that do not match shapes, undefined inputs), E103 version,
// E201 unknown operators (with the nearest known name), E207 types. Attributes are read for every node;
// Constant nodes become constants, nodes are sorted topologically, initializers listed as inputs too
// (IR < 4) are no inputs. A symbolic or absent first dimension of an input is 1 (a note on stderr is not
// needed); any other unknown dimension is E205, see onnx_fix_shapes. float16, bfloat16 and float64 are read as float32.
#ifndef AIHLS_ONNX_H
#define AIHLS_ONNX_H

#include "base/strbuf.h"
#include "frontend/graph.h"

struct onnx_options {
    bool keep_types;  // element types stay what the file says, as the float reference takes them
    bool open_shapes; // unknown dimensions of inputs are -1, unknown ranks too: for ref_float_run, not for shape_infer
};

// Brings tensor data that lie in files beside model `file` into its bytes; nothing happens to a model without such. Files
// must lie in the model's folder or below: absolute paths, "..", and links that lead out of it are E101, files that cannot
// be read E002, offsets and lengths that do not fit E102.
bool onnx_load_external(const struct ctx *cx, const char *file, struct strbuf *bytes);

// Writes shapes that the user gives into the inputs of the model in `bytes`: `shapes` as "x=1,3,224,224;y=1,8", whole shapes
// by input; `dims` as "batch=1;width=224", dimensions by the name that the model gives them. Either may be NULL. E401 for
// what is written wrong or names nothing, E204 where the model says otherwise.
bool onnx_fix_shapes(const struct ctx *cx, const char *file, const char *shapes, const char *dims, struct strbuf *bytes);

// For the float reference: as onnx_load_external, onnx_fix_shapes and onnx_parse_with one after the other, but the file is mapped,
// and so are the files beside it, of any size; tensors in those stay there where their addresses suit. Besides that it takes
// the memory of the weights in the model's file, once. A file that is mapped must not shrink.
bool onnx_read_mapped(const struct ctx *cx, const char *file, const struct onnx_options *options, const char *shapes, const char *dims,
                      struct graph **out);

// From a file, with what lies beside it.
bool onnx_read(const struct ctx *cx, const char *path, struct graph **out);
// The same from memory; `file` is the name for messages.
bool onnx_parse(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, struct graph **out);
bool onnx_parse_with(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, const struct onnx_options *options,
                     struct graph **out);
// A TensorProto on its own, as test data are stored, with its element type as it is; E101, E102, E207 as above.
bool onnx_parse_tensor(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, struct tensor *out);

#endif

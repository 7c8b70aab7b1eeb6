// SPDX-License-Identifier: Apache-2.0
// TensorProto to constants, and the look at a file that comes before protobuf-c's.
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "frontend/onnx.h"
#include "frontend/onnx_impl.h"

// A model, graph, node, attribute and tensor nest five deep; subgraphs add three each.
#define MAX_NESTING 32

bool onnx_varint(const uint8_t *p, size_t n, size_t *at, uint64_t *out)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70 && *at < n; shift += 7) {
        uint8_t b = p[(*at)++];
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

// Walks one message. Damage is not our business here: protobuf-c will find it.
static bool nesting_ok(const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t n, int depth)
{
    if (depth > MAX_NESTING)
        return false;
    size_t at = 0;
    while (at < n) {
        uint64_t tag, len;
        if (!onnx_varint(p, n, &at, &tag))
            return true;
        switch (tag & 7) {
        case 0:
            if (!onnx_varint(p, n, &at, &len))
                return true;
            break;
        case 1:
        case 5:
            at += (tag & 7) == 1 ? 8 : 4;
            break;
        case 2: {
            if (!onnx_varint(p, n, &at, &len) || len > n - at)
                return true;
            const ProtobufCFieldDescriptor *f =
                protobuf_c_message_descriptor_get_field(d, (unsigned)(tag >> 3));
            if (f && f->type == PROTOBUF_C_TYPE_MESSAGE &&
                !nesting_ok(f->descriptor, p + at, (size_t)len, depth + 1))
                return false;
            at += (size_t)len;
            break;
        }
        default: // groups: not in any version of ONNX
            return true;
        }
    }
    return true;
}

bool onnx_nesting_ok(const void *bytes, size_t n_bytes)
{
    return nesting_ok(&onnx__model_proto__descriptor, bytes, n_bytes, 0);
}

// Element types that are packed two to a byte, the first in the lower half (onnx.proto, IR 10).
enum { PACKED_UINT4 = 21, PACKED_INT4 = 22 };

bool onnx_is_packed(int64_t data_type)
{
    return data_type == PACKED_UINT4 || data_type == PACKED_INT4;
}

enum dtype onnx_dtype(int64_t data_type, bool keep_types)
{
    switch (data_type) {
    case DT_FLOAT:
        return DT_FLOAT;
    case DT_FLOAT16:
    case DT_BFLOAT16:
    case DT_DOUBLE:
        return keep_types ? (enum dtype)data_type : DT_FLOAT;
    case PACKED_UINT4:
        return DT_UINT8;
    case PACKED_INT4:
        return DT_INT8;
    case DT_UINT8:
    case DT_INT8:
    case DT_UINT16:
    case DT_INT16:
    case DT_INT32:
    case DT_INT64:
    case DT_BOOL:
    case DT_UINT32:
    case DT_UINT64:
        return (enum dtype)data_type;
    default:
        return DT_NONE;
    }
}

// The number of elements that the dims ask for; false with a message when there is none.
static bool read_dims(const struct ctx *cx, const char *where, const Onnx__TensorProto *from,
                      struct tensor *out, int64_t *count)
{
    if (from->n_dims > MAX_RANK)
        return diag_error(cx, E204, where, "aihls takes up to eight dimensions",
                          "tensor has %zu dimensions", from->n_dims);
    int64_t extent = 1; // zeros do not excuse the other dimensions: an operator may drop the zero
    bool empty = false;
    out->rank = (int)from->n_dims;
    for (int i = 0; i < out->rank; i++) {
        out->dims[i] = from->dims[i];
        if (from->dims[i] < 0)
            return diag_error(cx, E102, where, NULL, "dimension %d of the tensor is negative (%" PRId64 ")",
                              i, from->dims[i]);
        empty |= from->dims[i] == 0;
        if (!mul_i64(extent, max_i64(from->dims[i], 1), &extent))
            return diag_error(cx, E102, where, NULL, "the dimensions of the tensor multiply to more than 2^63");
    }
    *count = empty ? 0 : extent;
    return true;
}

// Large data come from a mapped file: once copied they need no memory there. Whole pages of them only.
#define DROP_BYTES ((size_t)1 << 20)

static void drop_pages(const uint8_t *data, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)data + page - 1) / page * page, to = ((uintptr_t)data + n) / page * page;
    if (n >= DROP_BYTES)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

// Bytes of the element type as the file stores it, before half and double become float32. With `stay`, they outlive the
// graph and are not copied.
static void from_raw(struct tensor *out, enum dtype stored, const void *raw, int64_t count, struct arena *a, bool stay)
{
    size_t bytes = (size_t)count * dtype_bytes(stored);
    void *copy = stay ? NULL : arena_alloc(a, bytes);
    if (bytes && !stay)
        memcpy(copy, raw, bytes);
    out->data = stay ? raw : copy;
    if (stored == out->dtype)
        return;
    struct tensor wide = *out;
    wide.dtype = stored;
    float *narrow = arena_array(a, float, count);
    for (int64_t i = 0; i < count; i++)
        narrow[i] = (float)tensor_const_f64(&wide, i);
    out->data = narrow;
}

// The typed field that onnx.proto assigns to a type, as a count of its elements.
static size_t typed_count(const Onnx__TensorProto *from, enum dtype stored)
{
    switch (stored) {
    case DT_FLOAT:
        return from->n_float_data;
    case DT_DOUBLE:
        return from->n_double_data;
    case DT_INT64:
        return from->n_int64_data;
    case DT_UINT32:
    case DT_UINT64:
        return from->n_uint64_data;
    case DT_UINT8:
    case DT_INT8:
    case DT_UINT16:
    case DT_INT16:
    case DT_INT32:
    case DT_BOOL:
    case DT_FLOAT16:
    case DT_BFLOAT16:
        return from->n_int32_data;
    case DT_NONE:
    case DT_STRING:
        break;
    }
    return 0;
}

// Element i of the typed fields, stored with the width of `stored`. False when it does not fit.
static bool put_typed(const Onnx__TensorProto *from, enum dtype stored, size_t i, void *to)
{
#define PUT(type, value)                                                                 \
    do {                                                                                 \
        ((type *)to)[i] = (type)(value);                                                 \
        return (int64_t)((type *)to)[i] == (int64_t)(value);                             \
    } while (0)
    switch (stored) {
    case DT_FLOAT:
        ((float *)to)[i] = from->float_data[i];
        return true;
    case DT_DOUBLE:
        ((double *)to)[i] = from->double_data[i];
        return true;
    case DT_INT64:
        PUT(int64_t, from->int64_data[i]);
    case DT_UINT64:
        PUT(uint64_t, from->uint64_data[i]);
    case DT_UINT32:
        PUT(uint32_t, from->uint64_data[i]);
    case DT_BOOL:
        ((uint8_t *)to)[i] = from->int32_data[i] != 0;
        return true;
    case DT_UINT8:
        PUT(uint8_t, from->int32_data[i]);
    case DT_INT8:
        PUT(int8_t, from->int32_data[i]);
    case DT_UINT16:
    case DT_FLOAT16:
    case DT_BFLOAT16:
        PUT(uint16_t, from->int32_data[i]);
    case DT_INT16:
        PUT(int16_t, from->int32_data[i]);
    case DT_INT32:
        PUT(int32_t, from->int32_data[i]);
    case DT_NONE:
    case DT_STRING:
        break;
    }
#undef PUT
    BUG("no typed field for %s", dtype_name(stored));
}

// Half bytes, from raw data or from one int32 for each byte, as int8 or uint8.
static bool from_packed(const struct ctx *cx, struct arena *a, const char *where, const Onnx__TensorProto *from, int64_t count,
                        struct tensor *out)
{
    uint64_t have = from->has_raw_data ? from->raw_data.len : from->n_int32_data, need = (uint64_t)count / 2 + (count & 1);
    if (have != need)
        return diag_error(cx, E102, where, NULL, "the tensor holds %" PRIu64 " bytes, its shape %s of 4-bit integers asks for %" PRIu64,
                          have, shape_text(a, out->rank, out->dims), need);
    uint8_t *to = arena_alloc(a, (size_t)count);
    for (size_t i = 0; i < (size_t)count; i++) {
        unsigned byte = from->has_raw_data ? from->raw_data.data[i / 2] : (unsigned)from->int32_data[i / 2];
        unsigned half = (i & 1 ? byte >> 4 : byte) & 15;
        to[i] = (uint8_t)(from->data_type == PACKED_INT4 && half > 7 ? half + 240 : half);
    }
    out->data = to;
    out->four_bits = true;
    return true;
}

static void unmap(void *base, size_t n)
{
    munmap(base, n);
}

// Data in another file stay there, mapped, where their address suits their type.
static bool from_external(const struct ctx *cx, struct arena *a, const struct onnx_reading *how, const char *where,
                          const Onnx__TensorProto *from, struct tensor *out)
{
    void *base;
    size_t n;
    Onnx__TensorProto inside = *from;
    inside.n_external_data = 0;
    inside.has_data_location = 0;
    inside.has_raw_data = 1;
    if (!onnx_map_external(cx, how->mapped, where, from, &base, &n, &inside.raw_data))
        return false;
    enum dtype stored = (enum dtype)from->data_type;
    if (stored == out->dtype && !onnx_is_packed(from->data_type) && (uintptr_t)inside.raw_data.data % dtype_bytes(stored) == 0) {
        out->data = inside.raw_data.data;
        arena_adopt(a, unmap, base, n);
        return true;
    }
    bool ok = onnx_tensor(cx, a, how, where, &inside, out);
    munmap(base, n);
    return ok;
}

bool onnx_tensor(const struct ctx *cx, struct arena *a, const struct onnx_reading *how, const char *where,
                 const Onnx__TensorProto *from, struct tensor *out)
{
    int64_t count = 0;
    *out = (struct tensor){ .name = arena_strdup(a, from->name ? from->name : "") };
    out->dtype = onnx_dtype(from->data_type, how->keep_types);
    if (out->dtype == DT_NONE)
        return diag_error(cx, E207, where, NULL, "tensor has element type %" PRId32 ", which aihls does not read",
                          from->data_type);
    if (!read_dims(cx, where, from, out, &count))
        return false;
    if (from->n_external_data || onnx_is_external(from)) {
        if (how->mapped && onnx_is_external(from))
            return from_external(cx, a, how, where, from, out);
        return diag_error(cx, E101, where,
                          "put the weights into the model: onnx.save(onnx.load(IN), OUT)",
                          "the tensor's data is in another file");
    }
    if (from->segment)
        return diag_error(cx, E102, where, NULL, "the tensor is one segment of a larger one");
    if (onnx_is_packed(from->data_type))
        return from_packed(cx, a, where, from, count, out);
    enum dtype stored = (enum dtype)from->data_type;
    if (from->has_raw_data) {
        int64_t need;
        if (!mul_i64(count, (int64_t)dtype_bytes(stored), &need) ||
            (uint64_t)need != from->raw_data.len)
            return diag_error(cx, E102, where, NULL, "the tensor holds %zu bytes, its shape %s of %s asks for others",
                              from->raw_data.len, shape_text(a, out->rank, out->dims),
                              dtype_name(stored));
        from_raw(out, stored, from->raw_data.data, count, a, false);
        if (how->mapped && how->mapped->pages)
            drop_pages(from->raw_data.data, from->raw_data.len);
        return true;
    }
    size_t have = typed_count(from, stored);
    if ((uint64_t)count != have)
        return diag_error(cx, E102, where, NULL, "the tensor holds %zu elements, its shape %s asks for %" PRId64,
                          have, shape_text(a, out->rank, out->dims), count);
    void *copy = arena_alloc_n(a, have, dtype_bytes(stored));
    for (size_t i = 0; i < have; i++)
        if (!put_typed(from, stored, i, copy))
            return diag_error(cx, E102, where, NULL, "element %zu of the tensor is outside the range of %s", i,
                              dtype_name(stored));
    from_raw(out, stored, copy, count, a, true);
    return true;
}

bool onnx_parse_tensor(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, struct tensor *out)
{
    ProtobufCAllocator memory = onnx_allocator();
    Onnx__TensorProto *p = onnx__tensor_proto__unpack(&memory, n_bytes, bytes); // three messages deep at most
    if (!p)
        return diag_error(cx, E101, file, "is it complete, and a TensorProto at all?", "the file is damaged or holds no tensor");
    const struct onnx_reading how = { .keep_types = true };
    bool ok = onnx_tensor(cx, cx->arena, &how, file, p, out);
    onnx__tensor_proto__free_unpacked(p, &memory);
    return ok;
}

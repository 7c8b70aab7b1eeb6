// SPDX-License-Identifier: Apache-2.0
// From bytes to a message. What protobuf-c unpacks is an outline of the model, in which the raw data of every tensor are a number
// of eight bytes; the message gets the bytes themselves in their place, where they are: models may be as large as memory.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "frontend/onnx.h"
#include "frontend/onnx_impl.h"

struct outline {
    struct arena arena;
    ProtobufCBinaryData *blobs; // raw data, in the mapped file
    int n_blobs, cap_blobs;
    bool damaged;
};

static void put_varint(struct strbuf *sb, uint64_t v)
{
    for (; v > 127; v >>= 7)
        strbuf_addch(sb, (char)(v | 128));
    strbuf_addch(sb, (char)v);
}

static void put_field(struct strbuf *sb, uint64_t tag, const void *bytes, size_t n)
{
    put_varint(sb, tag);
    put_varint(sb, n);
    strbuf_add(sb, bytes, n);
}

static void put_message(struct outline *o, const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t n, struct strbuf *out);

// The field of length `n` at p.
static void put_content(struct outline *o, const ProtobufCMessageDescriptor *d, uint64_t tag, const uint8_t *p, size_t n, struct strbuf *out)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(d, (unsigned)(tag >> 3));
    if (f && f->type == PROTOBUF_C_TYPE_MESSAGE) {
        struct strbuf inside = STRBUF_INIT;
        put_message(o, f->descriptor, p, n, &inside);
        put_field(out, tag, inside.text, inside.len);
        strbuf_release(&inside);
    } else if (f && d == &onnx__tensor_proto__descriptor && strcmp(f->name, "raw_data") == 0) {
        uint64_t index = (uint64_t)o->n_blobs;
        arena_push(&o->arena, o->blobs, o->n_blobs, o->cap_blobs, ((ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p }));
        put_field(out, tag, &index, sizeof index);
    } else {
        put_field(out, tag, p, n);
    }
}

// At most MAX_NESTING deep: onnx_nesting_ok comes first.
static void put_message(struct outline *o, const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t n, struct strbuf *out)
{
    for (size_t at = 0; at < n && !o->damaged;) {
        uint64_t tag, v;
        size_t start = at;
        bool ok = onnx_varint(p, n, &at, &tag);
        switch (ok ? tag & 7 : 7) {
        case 0:
            ok = onnx_varint(p, n, &at, &v);
            break;
        case 1:
        case 5:
            at += (tag & 7) == 1 ? 8 : 4;
            ok = at <= n;
            break;
        case 2:
            ok = onnx_varint(p, n, &at, &v) && v <= n - at;
            if (ok) {
                put_content(o, d, tag, p + at, (size_t)v, out);
                at += (size_t)v;
                start = at;
            }
            break;
        default:
            ok = false;
        }
        if (ok)
            strbuf_add(out, p + start, at - start);
        o->damaged |= !ok;
    }
}

// ---- every tensor of a message ----

typedef void tensor_visit(const struct outline *o, Onnx__TensorProto *t);

static void each_tensor(const struct outline *o, ProtobufCMessage *m, tensor_visit *visit)
{
    const ProtobufCMessageDescriptor *d = m->descriptor;
    if (d == &onnx__tensor_proto__descriptor)
        visit(o, (Onnx__TensorProto *)m);
    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        char *member = (char *)m + f->offset, *quantifier = (char *)m + f->quantifier_offset;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n;
            ProtobufCMessage **items;
            memcpy(&n, quantifier, sizeof n);
            memcpy(&items, member, sizeof items);
            for (size_t k = 0; k < n; k++)
                each_tensor(o, items[k], visit);
        } else {
            uint32_t chosen = f->id;
            ProtobufCMessage *one;
            if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                memcpy(&chosen, quantifier, sizeof chosen);
            memcpy(&one, member, sizeof one);
            if (chosen == f->id && one)
                each_tensor(o, one, visit);
        }
    }
}

static void bring_in(const struct outline *o, Onnx__TensorProto *t)
{
    uint64_t index = 0;
    if (!t->has_raw_data)
        return;
    ASSERT(t->raw_data.len == sizeof index);
    memcpy(&index, t->raw_data.data, sizeof index);
    ASSERT(index < (uint64_t)o->n_blobs);
    onnx_allocator().free(NULL, t->raw_data.data);
    t->raw_data = o->blobs[index];
}

static void take_out(const struct outline *o, Onnx__TensorProto *t)
{
    (void)o;
    t->has_raw_data = 0;
    t->raw_data = (ProtobufCBinaryData){ 0, NULL };
}

// ---- the model ----

static bool read_outline(const struct ctx *cx, const char *file, const struct onnx_mapping *mapped, const struct onnx_options *options,
                         const struct outline *o, const struct strbuf *bytes, struct graph **out)
{
    ProtobufCAllocator memory = onnx_allocator();
    Onnx__ModelProto *m = o->damaged ? NULL : onnx__model_proto__unpack(&memory, bytes->len, (const uint8_t *)bytes->text);
    if (!m)
        return diag_error(cx, E101, file, "is it complete, and an ONNX file at all?", "the file is damaged or not an ONNX model");
    each_tensor(o, &m->base, bring_in);
    bool ok = onnx_read_model(cx, file, m, options, mapped, out);
    each_tensor(o, &m->base, take_out);
    onnx__model_proto__free_unpacked(m, &memory);
    return ok;
}

struct fixing {
    const char *shapes, *dims; // see onnx_fix_shapes
};

static bool read_bytes(const struct ctx *cx, const char *file, const struct onnx_mapping *mapped, const void *bytes, size_t n,
                       const struct onnx_options *options, struct fixing fix, struct graph **out)
{
    struct outline o = { .damaged = false };
    struct strbuf sb = STRBUF_INIT;
    if (n > INT32_MAX)
        return diag_error(cx, E101, file, "export the weights into a file beside it: onnx.save(model, path, save_as_external_data=True)",
                          "the file has %zu bytes; a protobuf message ends at 2 GB", n);
    if (!onnx_nesting_ok(bytes, n))
        return diag_error(cx, E101, file, NULL, "messages are nested too deep for a model");
    put_message(&o, &onnx__model_proto__descriptor, bytes, n, &sb);
    bool ok = onnx_fix_shapes(cx, file, fix.shapes, fix.dims, &sb) && read_outline(cx, file, mapped, options, &o, &sb, out);
    strbuf_release(&sb);
    arena_release(&o.arena);
    return ok;
}

bool onnx_parse_with(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, const struct onnx_options *options,
                     struct graph **out)
{
    return read_bytes(cx, file, NULL, bytes, n_bytes, options, (struct fixing){ NULL, NULL }, out);
}

bool onnx_parse(const struct ctx *cx, const char *file, const void *bytes, size_t n_bytes, struct graph **out)
{
    const struct onnx_options plain = { 0 };
    return onnx_parse_with(cx, file, bytes, n_bytes, &plain, out);
}

static bool complain(const struct ctx *cx, const char *file)
{
    return diag_emit(cx, (struct diag_msg){ .code = E002, .where = file, .found = strerror(errno), .help = "check the path" }, "cannot read the model");
}

bool onnx_read_mapped(const struct ctx *cx, const char *file, const struct onnx_options *options, const char *shapes, const char *dims, struct graph **out)
{
    const struct fixing fix = { shapes, dims };
    char folder[PATH_MAX];
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain(cx, file);
    struct onnx_mapping mapped = { file, onnx_folder(cx, file, folder) ? folder : NULL, false };
    bool ok;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        mapped.pages = true;
        ok = bytes == MAP_FAILED ? complain(cx, file) : read_bytes(cx, file, &mapped, bytes, (size_t)st.st_size, options, fix, out);
        if (bytes != MAP_FAILED)
            munmap(bytes, (size_t)st.st_size);
    } else { // a pipe, or nothing
        struct strbuf sb = STRBUF_INIT;
        ok = strbuf_read_file(&sb, file) ? read_bytes(cx, file, &mapped, sb.text, sb.len, options, fix, out) : complain(cx, file);
        strbuf_release(&sb);
    }
    close(fd);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
// Weights in files beside the model: brought into the model, so that the rest of the compiler knows one form.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "frontend/onnx.h"
#include "frontend/onnx_impl.h"

#define MAX_EXTERNAL ((int64_t)1 << 32) // of all tensors together: no chip holds so much

struct loader {
    const struct ctx *cx;
    const char *file, *folder; // the model, and the real path of its folder
    ProtobufCAllocator memory;
    int64_t most_bytes, total_bytes; // of all tensors together: allowed, and so far
    int tensors;
};

bool onnx_is_external(const Onnx__TensorProto *t)
{
    return t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

static const char *entry(const Onnx__TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && strcmp(t->external_data[i]->key, key) == 0)
            return t->external_data[i]->value;
    return NULL;
}

// A decimal number that the entry may lack.
static bool number(const char *text, int64_t fallback, int64_t *out)
{
    char *end;
    *out = fallback;
    if (!text)
        return true;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && !*end;
}

// Inside the model's folder by name: relative, and never upwards.
static bool stays_below(const char *location)
{
    if (!location[0] || location[0] == '/')
        return false;
    for (const char *p = location; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
            return false;
    }
    return true;
}

// Opens it; links may not lead out of the folder either, and nothing but a file will do. -1 after a diagnostic.
static int open_data(const struct loader *l, const char *where, const char *location, int64_t *size)
{
    char real[PATH_MAX];
    struct stat st;
    const char *help = "weights lie in files beside the model or below it", *path = arena_printf(l->cx->arena, "%s/%s", l->folder, location);
    size_t n = strlen(l->folder);
    if (!stays_below(location)) {
        diag_error(l->cx, E101, where, help, "the tensor's data is in '%s', which is no file below the model's folder", location);
        return -1;
    }
    if (!realpath(path, real)) {
        diag_error(l->cx, E002, where, help, "cannot read the tensor's data in '%s': %s", location, strerror(errno));
        return -1;
    }
    if (strncmp(real, l->folder, n) != 0 || (real[n] != '/' && strcmp(l->folder, "/") != 0)) {
        diag_error(l->cx, E101, where, help, "the tensor's data is in '%s', a link out of the model's folder", location);
        return -1;
    }
    int fd = open(real, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        diag_error(l->cx, E002, where, help, "cannot read the tensor's data in '%s'", location);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *size = st.st_size;
    return fd;
}

static bool read_all(int fd, int64_t offset, uint8_t *to, int64_t n)
{
    for (int64_t done = 0; done < n;) {
        ssize_t got = pread(fd, to + done, (size_t)(n - done), offset + done);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        done += got > 0 ? got : 0;
    }
    return true;
}

// The bytes that dims and type ask for; false for what onnx_tensor will refuse.
static bool bytes_of(const Onnx__TensorProto *t, int64_t *out)
{
    int64_t count = 1, width = onnx_is_packed(t->data_type) ? 1 : (int64_t)dtype_bytes((enum dtype)t->data_type);
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0 || !mul_i64(count, t->dims[i], &count))
            return false;
    if (onnx_is_packed(t->data_type))
        count = count / 2 + (count & 1);
    return width > 0 && mul_i64(count, width, out);
}

static void take_over(struct loader *l, Onnx__TensorProto *t, uint8_t *bytes, int64_t n)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        onnx__string_string_entry_proto__free_unpacked(t->external_data[i], &l->memory);
    l->memory.free(NULL, t->external_data);
    if (t->has_raw_data)
        l->memory.free(NULL, t->raw_data.data);
    t->external_data = NULL;
    t->n_external_data = 0;
    t->has_data_location = 0;
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){ (size_t)n, bytes };
}

// Where a tensor's data are: an open file, to be closed by the caller, and the range in it, which is there.
struct place {
    int fd;
    int64_t offset, n_bytes;
};

static bool locate(const struct loader *l, const char *where, const Onnx__TensorProto *t, struct place *out)
{
    const char *location = entry(t, "location");
    int64_t length, size;
    if (!location || !number(entry(t, "offset"), 0, &out->offset))
        return diag_error(l->cx, E102, where, NULL, "the place of the tensor's data is incomplete");
    if (!bytes_of(t, &out->n_bytes) || out->n_bytes > l->most_bytes - l->total_bytes)
        return diag_error(l->cx, E102, where, NULL, "the tensor asks for more data than any accelerator holds");
    out->fd = open_data(l, where, location, &size);
    if (out->fd < 0)
        return false;
    if (number(entry(t, "length"), out->offset < size ? size - out->offset : 0, &length) && out->offset <= size && length <= size - out->offset &&
        length == out->n_bytes)
        return true;
    close(out->fd);
    return diag_error(l->cx, E102, where, NULL, "the tensor needs %" PRId64 " bytes at %" PRId64 " of '%s', which has %" PRId64, out->n_bytes, out->offset, location, size);
}

static bool load_tensor(struct loader *l, Onnx__TensorProto *t)
{
    if (!onnx_is_external(t))
        return true;
    const char *where = arena_printf(l->cx->arena, "%s: tensor '%s'", l->file, t->name ? t->name : "");
    struct place p;
    if (!locate(l, where, t, &p))
        return false;
    uint8_t *bytes = l->memory.alloc(NULL, (size_t)p.n_bytes);
    bool ok = read_all(p.fd, p.offset, bytes, p.n_bytes);
    close(p.fd);
    if (!ok) {
        l->memory.free(NULL, bytes);
        return diag_error(l->cx, E002, where, NULL, "the tensor's data cannot be read");
    }
    l->total_bytes += p.n_bytes;
    l->tensors++;
    take_over(l, t, bytes, p.n_bytes);
    return true;
}

bool onnx_map_external(const struct ctx *cx, const struct onnx_mapping *m, const char *where, const Onnx__TensorProto *t,
                       void **base, size_t *n_base, ProtobufCBinaryData *data)
{
    const struct loader l = { .cx = cx, .file = m->file, .folder = m->folder, .most_bytes = INT64_MAX };
    struct place p;
    if (!m->folder)
        return diag_error(cx, E002, where, NULL, "the model's folder cannot be read");
    if (!locate(&l, where, t, &p))
        return false;
    int64_t page = sysconf(_SC_PAGESIZE), skip = p.offset % page;
    *n_base = (size_t)(skip + p.n_bytes + (p.n_bytes == 0)); // no mapping is empty
    *base = mmap(NULL, *n_base, PROT_READ, MAP_PRIVATE, p.fd, p.offset - skip);
    int failed = errno;
    close(p.fd);
    if (*base == MAP_FAILED)
        return diag_error(cx, E002, where, NULL, "the tensor's data cannot be mapped: %s", strerror(failed));
    *data = (ProtobufCBinaryData){ (size_t)p.n_bytes, (uint8_t *)*base + skip };
    return true;
}

static bool load_graph(struct loader *l, Onnx__GraphProto *g);

static bool load_nodes(struct loader *l, size_t n, Onnx__NodeProto **nodes)
{
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nodes[i]->n_attribute; k++) {
            Onnx__AttributeProto *a = nodes[i]->attribute[k];
            ok = (!a->t || load_tensor(l, a->t)) && ok;
            ok = (!a->g || load_graph(l, a->g)) && ok;
        }
    return ok;
}

static bool load_graph(struct loader *l, Onnx__GraphProto *g)
{
    bool ok = true;
    for (size_t i = 0; i < g->n_initializer; i++)
        ok = load_tensor(l, g->initializer[i]) && ok;
    return load_nodes(l, g->n_node, g->node) && ok;
}

void onnx_repack(const Onnx__ModelProto *m, struct strbuf *bytes)
{
    size_t n = onnx__model_proto__get_packed_size(m);
    uint8_t *packed = memory_alloc(n);
    onnx__model_proto__pack(m, packed);
    strbuf_clear(bytes);
    strbuf_add(bytes, packed, n);
    free(packed);
}

bool onnx_folder(const struct ctx *cx, const char *file, char folder[PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    return realpath(slash ? arena_printf(cx->arena, "%.*s/", (int)(slash - file), file) : ".", folder);
}

bool onnx_load_external(const struct ctx *cx, const char *file, struct strbuf *bytes)
{
    char folder[PATH_MAX];
    if (!memmem(bytes->text, bytes->len, "location", 8) || !onnx_nesting_ok(bytes->text, bytes->len))
        return true; // nothing to do, or onnx_parse says what is wrong
    if (!onnx_folder(cx, file, folder))
        return true; // there is no file beside it
    struct loader l = { cx, file, folder, onnx_allocator(), MAX_EXTERNAL, 0, 0 };
    Onnx__ModelProto *m = onnx__model_proto__unpack(&l.memory, bytes->len, (const uint8_t *)bytes->text);
    if (!m || !m->graph) {
        if (m)
            onnx__model_proto__free_unpacked(m, &l.memory);
        return true;
    }
    bool ok = load_graph(&l, m->graph);
    for (size_t i = 0; i < m->n_functions; i++)
        ok = load_nodes(&l, m->functions[i]->n_node, m->functions[i]->node) && ok;
    if (ok && l.tensors > 0)
        onnx_repack(m, bytes);
    onnx__model_proto__free_unpacked(m, &l.memory);
    return ok;
}

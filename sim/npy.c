// SPDX-License-Identifier: Apache-2.0
//
// The second half of array.h: NumPy's files.
//
// They are read as a stream: the header is parsed and its shape is checked against the
// bytes that are there before memory for it is asked for, so that a damaged or hostile
// header costs an error message and nothing else.
#include "sim/array.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "base/check.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements go between files and memory as they are: a little endian host is needed"
#endif

// ---- the .npy header ----
//
//     93 'N' 'U' 'M' 'P' 'Y' major minor | length, 2 bytes (1.0) or 4 (2.0, 3.0)
//     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  spaces  newline
//     data

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6u
// NumPy refuses longer headers of its own accord too; real ones have some 120 bytes.
#define HEADER_MAX_BYTES 65536
// Headers are padded so that the data starts at a multiple of this.
#define HEADER_ALIGN 64

static const struct {
    const char *code; // behind the byte order
    enum dtype dtype;
    int file_bytes;
} npy_types[] = {
    { "f4", DT_FLOAT, 4 },  { "f8", DT_DOUBLE, 8 }, { "f2", DT_FLOAT16, 2 },
    { "b1", DT_BOOL, 1 },   { "i1", DT_INT8, 1 },   { "u1", DT_UINT8, 1 },
    { "i2", DT_INT16, 2 },  { "u2", DT_UINT16, 2 }, { "i4", DT_INT32, 4 },
    { "u4", DT_UINT32, 4 }, { "i8", DT_INT64, 8 },  { "u8", DT_UINT64, 8 },
};
#define N_NPY_TYPES ((int)(sizeof npy_types / sizeof npy_types[0]))

// Where bytes come from: a .npy file or a member of an .npz file.
struct source {
    const struct ctx *cx;
    const char *where; // for messages
    FILE *file;        // or
    zip_file_t *member;
    int64_t left_bytes; // by the file system's or the archive's word
};

struct header {
    enum dtype dtype;
    int file_bytes; // of an element
    bool fortran_order;
    int rank;
    int64_t dims[MAX_RANK];
    int64_t count;
};

#define bad(s, found_, need_, ...)                                                                \
    diag_emit((s)->cx,                                                                            \
              (struct diag_msg){ .code = E104, .where = (s)->where, .found = (found_), .need = (need_) }, \
              __VA_ARGS__)

// `n` bytes of a foreign file as text that can be printed, in the arena.
static const char *quoted(struct arena *a, const char *bytes, size_t n)
{
    const size_t limit = 60;
    struct strbuf sb = STRBUF_INIT;
    strbuf_addch(&sb, '\'');
    for (size_t i = 0; i < n && i < limit; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c < 0x7f)
            strbuf_addch(&sb, (char)c);
        else
            strbuf_addf(&sb, "\\x%02x", c);
    }
    strbuf_adds(&sb, n > limit ? "'..." : "'");
    const char *text = arena_strdup(a, sb.text);
    strbuf_release(&sb);
    return text;
}

// Reads exactly n bytes that left_bytes promises.
static bool source_read(struct source *s, void *out, int64_t n)
{
    if (n > s->left_bytes)
        return bad(s, arena_printf(s->cx->arena, "%lld bytes", (long long)s->left_bytes),
                   arena_printf(s->cx->arena, "at least %lld", (long long)n), "the file ends in its header");
    int64_t done = 0;
    while (done < n) {
        int64_t got = s->file ? (int64_t)fread((char *)out + done, 1, (size_t)(n - done), s->file)
                              : zip_fread(s->member, (char *)out + done, (zip_uint64_t)(n - done));
        if (got <= 0)
            break;
        done += got;
    }
    s->left_bytes -= done;
    if (done == n)
        return true;
    const char *why = s->file ? (ferror(s->file) ? strerror(errno) : "the file became shorter")
                              : zip_error_strerror(zip_file_get_error(s->member));
    return bad(s, NULL, NULL, "the data cannot be read: %s", why);
}

// Cursor over the header's text, which is zero-terminated.
struct cursor {
    struct source *s;
    const char *at;
};

static bool cursor_error(struct cursor *c, const char *need)
{
    return bad(c->s, quoted(c->s->cx->arena, c->at, strlen(c->at)), need, "the header is damaged");
}

static bool cursor_take(struct cursor *c, char wanted)
{
    while (isspace((unsigned char)*c->at))
        c->at++;
    if (*c->at != wanted)
        return false;
    c->at++;
    return true;
}

// A Python string without escapes, which the names and types that we take never have.
static bool take_string(struct cursor *c, const char **text)
{
    char quote = cursor_take(c, '\'') ? '\'' : '"';
    if (quote == '"' && !cursor_take(c, '"'))
        return cursor_error(c, "a quoted string");
    const char *end = strchr(c->at, quote);
    if (!end)
        return cursor_error(c, "a closing quote");
    *text = arena_strndup(c->s->cx->arena, c->at, (size_t)(end - c->at));
    c->at = end + 1;
    return true;
}

static bool take_type(struct cursor *c, struct header *h)
{
    const char *need = "bool, (u)int8/16/32/64 or float16/32/64, little endian";
    const char *text;
    if (cursor_take(c, '['))
        return bad(c->s, "a structured type", need, "the element type is not supported");
    if (!take_string(c, &text))
        return false;
    for (int i = 0; i < N_NPY_TYPES && *text; i++) {
        if (strcmp(text + 1, npy_types[i].code) != 0)
            continue;
        if (*text == '>' && npy_types[i].file_bytes > 1)
            return bad(c->s, quoted(c->s->cx->arena, text, strlen(text)), need, "the data is big endian");
        if (!strchr("<|=>", *text))
            break;
        h->dtype = npy_types[i].dtype;
        h->file_bytes = npy_types[i].file_bytes;
        return true;
    }
    return bad(c->s, quoted(c->s->cx->arena, text, strlen(text)), need, "the element type is not supported");
}

static bool take_bool(struct cursor *c, bool *out)
{
    (void)cursor_take(c, ' ');
    *out = strncmp(c->at, "True", 4) == 0;
    if (!*out && strncmp(c->at, "False", 5) != 0)
        return cursor_error(c, "True or False");
    c->at += *out ? 4 : 5;
    return true;
}

static bool take_dim(struct cursor *c, int64_t *out)
{
    if (cursor_take(c, '-')) {
        c->at--;
        return bad(c->s, quoted(c->s->cx->arena, c->at, strlen(c->at)), "dimensions of 0 or more",
                   "the shape has a negative dimension");
    }
    if (!isdigit((unsigned char)*c->at))
        return cursor_error(c, "a number or ')'");
    *out = 0;
    for (; isdigit((unsigned char)*c->at); c->at++)
        if (!mul_i64(*out, 10, out) || !add_i64(*out, *c->at - '0', out))
            return cursor_error(c, "dimensions below 2^63");
    if (*c->at == 'L') // Python 2 wrote long integers so
        c->at++;
    return true;
}

static bool take_shape(struct cursor *c, struct header *h)
{
    if (!cursor_take(c, '('))
        return cursor_error(c, "a shape in parentheses");
    bool more = true; // a comma, or the beginning, stands in front
    for (h->rank = 0; !cursor_take(c, ')'); h->rank++) {
        if (!more)
            return cursor_error(c, "',' or ')'");
        if (h->rank == MAX_RANK)
            return bad(c->s, "more dimensions", arena_printf(c->s->cx->arena, "at most %d", MAX_RANK),
                       "the array has too many dimensions");
        if (!take_dim(c, &h->dims[h->rank]))
            return false;
        more = cursor_take(c, ',');
    }
    return true;
}

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEY_ALL = 7 };

static bool parse_header(struct cursor *c, struct header *h)
{
    int seen = 0;
    bool more = true;
    if (!cursor_take(c, '{'))
        return cursor_error(c, "'{'");
    while (!cursor_take(c, '}')) {
        const char *key;
        if (!more)
            return cursor_error(c, "',' or '}'");
        if (!take_string(c, &key))
            return false;
        int bit = strcmp(key, "descr") == 0           ? KEY_DESCR
                  : strcmp(key, "fortran_order") == 0 ? KEY_ORDER
                  : strcmp(key, "shape") == 0         ? KEY_SHAPE
                                                      : 0;
        if (bit == 0 || seen & bit)
            return bad(c->s, quoted(c->s->cx->arena, key, strlen(key)),
                       "'descr', 'fortran_order' and 'shape', once each", "the header is damaged");
        seen |= bit;
        if (!cursor_take(c, ':'))
            return cursor_error(c, "':'");
        if (!(bit == KEY_DESCR   ? take_type(c, h)
              : bit == KEY_ORDER ? take_bool(c, &h->fortran_order)
                                 : take_shape(c, h)))
            return false;
        more = cursor_take(c, ',');
    }
    if (seen != KEY_ALL)
        return bad(c->s, NULL, "'descr', 'fortran_order' and 'shape'", "the header lacks a key");
    (void)cursor_take(c, '\n');
    return *c->at ? cursor_error(c, "nothing but spaces behind '}'") : true;
}

// The number of elements, or false when it, or its bytes at 8 an element, do not fit. Zeros
// do not excuse the other dimensions: whoever drops the zero must not overflow later.
static bool count_checked(int rank, const int64_t *dims, int64_t *out)
{
    int64_t bytes = 8;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        empty = empty || dims[i] == 0;
        if (dims[i] != 0 && !mul_i64(bytes, dims[i], &bytes))
            return false;
    }
    *out = empty ? 0 : bytes / 8;
    return true;
}

static bool read_header(struct source *s, struct header *h)
{
    struct arena *a = s->cx->arena;
    unsigned char fixed[MAGIC_BYTES + 2], length[4] = { 0 };
    if (!source_read(s, fixed, sizeof fixed))
        return false;
    if (memcmp(fixed, MAGIC, MAGIC_BYTES) != 0)
        return bad(s, quoted(a, (char *)fixed, MAGIC_BYTES), "'\\x93NUMPY'", "this is not a .npy file");
    int major = fixed[MAGIC_BYTES], minor = fixed[MAGIC_BYTES + 1];
    if (major < 1 || major > 3 || minor != 0)
        return bad(s, arena_printf(a, "%d.%d", major, minor), "1.0, 2.0 or 3.0", "the format version is not known");
    if (!source_read(s, length, major == 1 ? 2 : 4))
        return false;
    int64_t n = (int64_t)length[0] | (int64_t)length[1] << 8 | (int64_t)length[2] << 16 | (int64_t)length[3] << 24;
    if (n > HEADER_MAX_BYTES)
        return bad(s, arena_printf(a, "%lld bytes", (long long)n),
                   arena_printf(a, "at most %d", HEADER_MAX_BYTES), "the header is too long");
    char *text = arena_alloc(a, (size_t)n + 1);
    if (!source_read(s, text, n))
        return false;
    if (strlen(text) != (size_t)n)
        return bad(s, "a zero byte", "text", "the header is damaged");
    if (!parse_header(&(struct cursor){ s, text }, h))
        return false;
    int64_t bytes = 0;
    if (!count_checked(h->rank, h->dims, &h->count))
        return bad(s, shape_text(a, h->rank, h->dims), "fewer than 2^60 elements", "the shape is too large");
    bytes = h->count * h->file_bytes; // fits: count_checked took 8 bytes an element
    if (bytes > s->left_bytes)
        return bad(s, arena_printf(a, "%lld bytes of data", (long long)s->left_bytes),
                   arena_printf(a, "%lld for shape %s", (long long)bytes, shape_text(a, h->rank, h->dims)),
                   "the data ends early");
    return true;
}

// ---- the data ----

// From Fortran's order (first index fastest) to C's (last index fastest).
static void reorder(const struct header *h, const char *from, char *to)
{
    int64_t stride[MAX_RANK], index[MAX_RANK] = { 0 }, step = 1, at = 0;
    size_t width = (size_t)h->file_bytes;
    for (int i = 0; i < h->rank; i++) {
        stride[i] = step;
        step *= h->dims[i];
    }
    for (int64_t i = 0; i < h->count; i++) {
        memcpy(to + (size_t)i * width, from + (size_t)at * width, width);
        for (int d = h->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < h->dims[d])
                break;
            at -= stride[d] * h->dims[d];
            index[d] = 0;
        }
    }
}

// Bytes behind the data are left alone: NumPy does the same, and appends arrays so.
static bool read_array(struct source *s, struct array *out)
{
    struct arena *a = s->cx->arena;
    struct header h = { 0 };
    if (!read_header(s, &h))
        return false;
    struct array x = array_new(a, h.dtype, h.rank, h.dims);
    if (!source_read(s, x.data, h.count * h.file_bytes))
        return false;
    if (h.fortran_order && h.rank > 1) {
        struct array c = array_new(a, h.dtype, h.rank, h.dims);
        reorder(&h, x.data, c.data);
        x = c;
    }
    if (h.dtype == DT_BOOL) // any other byte would be a trap for whoever reads it as bool
        for (int64_t i = 0; i < h.count; i++)
            ((uint8_t *)x.data)[i] = ((uint8_t *)x.data)[i] != 0;
    if (h.dtype == DT_FLOAT16) {
        struct array wide = array_new(a, DT_FLOAT, h.rank, h.dims);
        for (int64_t i = 0; i < h.count; i++)
            ((float *)wide.data)[i] = (float)array_f64(&x, i);
        x = wide;
    }
    *out = x;
    return true;
}

// ---- .npy files ----

static bool cannot(const struct ctx *cx, const char *path, const char *verb, int error)
{
    return diag_error(cx, E002, path, "check the path and its permissions", "cannot %s the file: %s", verb,
                      strerror(error));
}

// Opens a regular file; anything else has no length to check a header against.
static FILE *open_regular(const struct ctx *cx, const char *path, int64_t *n_bytes)
{
    struct stat st;
    FILE *f = NULL;
    if (stat(path, &st) == 0) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        if (S_ISREG(st.st_mode))
            f = fopen(path, "rb");
    }
    if (f)
        *n_bytes = st.st_size;
    else
        (void)cannot(cx, path, "read", errno);
    return f;
}

bool npy_read(const struct ctx *cx, const char *path, struct array *out)
{
    struct source s = { .cx = cx, .where = path };
    s.file = open_regular(cx, path, &s.left_bytes);
    if (!s.file)
        return false;
    bool ok = read_array(&s, out);
    fclose(s.file);
    return ok;
}

// The header of x with its magic, padded, in the arena. Format 1.0: eight dimensions fit.
static const char *write_header(struct arena *a, const struct array *x, size_t *n_bytes)
{
    struct strbuf sb = STRBUF_INIT;
    const char *code = NULL;
    for (int i = 0; i < N_NPY_TYPES; i++)
        if (npy_types[i].dtype == x->dtype)
            code = npy_types[i].code;
    if (!code)
        BUG("NumPy has no type for %s", dtype_name(x->dtype));
    strbuf_add(&sb, MAGIC "\1\0\0\0", MAGIC_BYTES + 4);
    strbuf_addf(&sb, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", code[1] == '1' ? '|' : '<', code);
    for (int i = 0; i < x->rank; i++)
        strbuf_addf(&sb, "%s%lld", i ? ", " : "", (long long)x->dims[i]);
    strbuf_adds(&sb, x->rank == 1 ? ",), }" : "), }");
    while (sb.len % HEADER_ALIGN != HEADER_ALIGN - 1)
        strbuf_addch(&sb, ' ');
    strbuf_addch(&sb, '\n');
    size_t n = sb.len - (MAGIC_BYTES + 4);
    sb.text[MAGIC_BYTES + 2] = (char)(n & 255);
    sb.text[MAGIC_BYTES + 3] = (char)(n >> 8);
    *n_bytes = sb.len;
    char *bytes = arena_strndup(a, sb.text, sb.len);
    strbuf_release(&sb);
    return bytes;
}

// Writes two pieces of memory as a file.
static bool write_file(const struct ctx *cx, const char *path, const void *first, size_t n_first, const void *second, size_t n_second)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return cannot(cx, path, "write", errno);
    bool ok = fwrite(first, 1, n_first, f) == n_first && fwrite(second, 1, n_second, f) == n_second;
    int error = errno;
    if (fclose(f) != 0 && ok) { // a full disk shows here at the latest
        error = errno;
        ok = false;
    }
    return ok || cannot(cx, path, "write", error);
}

bool npy_write(const struct ctx *cx, const char *path, const struct array *x)
{
    size_t n_header;
    const char *header = write_header(cx->arena, x, &n_header);
    return write_file(cx, path, header, n_header, x->data, (size_t)array_count(x) * dtype_bytes(x->dtype));
}

// ---- .npz files: zip archives of .npy members ----

// Deflate cannot make more than 1032 bytes of one. What declares more is a lie that must
// not become an allocation.
#define DEFLATE_RATIO_MAX 1032
// Members that a message lists.
#define LIST_MAX 20

// The length of a member's name without ".npy"; 0 when it is no array.
static size_t stem_length(const char *member)
{
    size_t n = strlen(member);
    return n > 4 && strcmp(member + n - 4, ".npy") == 0 ? n - 4 : 0;
}

// The index of the array that the caller asked for, or -1.
static zip_int64_t find_member(zip_t *z, const char *name)
{
    zip_int64_t n = zip_get_num_entries(z, 0), found = -1, arrays = 0, last = -1;
    const char *wanted = name ? name : "x";
    for (zip_int64_t i = n - 1; i >= 0; i--) {
        const char *member = zip_get_name(z, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        size_t stem = member ? stem_length(member) : 0;
        if (stem == 0)
            continue;
        arrays++;
        last = i;
        if (stem == strlen(wanted) && memcmp(member, wanted, stem) == 0)
            found = i;
    }
    return found < 0 && !name && arrays == 1 ? last : found;
}

static bool no_member(const struct ctx *cx, const char *path, zip_t *z, const char *name)
{
    struct strbuf list = STRBUF_INIT;
    int arrays = 0;
    zip_int64_t n = zip_get_num_entries(z, 0);
    for (zip_int64_t i = 0; i < n; i++) {
        const char *member = zip_get_name(z, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        size_t stem = member ? stem_length(member) : 0;
        if (stem == 0 || arrays++ >= LIST_MAX)
            continue;
        strbuf_addf(&list, "%s%s", list.len ? ", " : "", quoted(cx->arena, member, stem));
    }
    if (arrays > LIST_MAX)
        strbuf_addf(&list, " and %d more", arrays - LIST_MAX);
    struct diag_msg m = { .code = E104, .where = path, .found = arrays ? list.text : "no array at all" };
    m.need = name ? quoted(cx->arena, name, strlen(name)) : "one array, or one called 'x'";
    if (name)
        diag_emit(cx, m, "the archive has no array of that name");
    else
        diag_emit(cx, m, "it is not clear which array of the archive to take");
    strbuf_release(&list);
    return false;
}

// Opens member `index` as a source after checking what the archive says of it.
static bool open_member(struct source *s, zip_t *z, zip_int64_t index, int64_t archive_bytes)
{
    zip_stat_t st;
    zip_uint64_t known = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(z, (zip_uint64_t)index, 0, &st) != 0 || (st.valid & known) != known)
        return bad(s, NULL, NULL, "the archive is damaged: %s", zip_strerror(z));
    if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
        return bad(s, arena_printf(s->cx->arena, "method %d", (int)st.comp_method), "stored or deflated members",
                   "the compression method is not supported");
    int64_t ratio = st.comp_method == ZIP_CM_STORE ? 1 : DEFLATE_RATIO_MAX;
    int64_t most = INT64_MAX;
    if (mul_i64(archive_bytes, ratio, &most) && st.size > (zip_uint64_t)most)
        return bad(s, arena_printf(s->cx->arena, "a size of %llu bytes", (unsigned long long)st.size),
                   arena_printf(s->cx->arena, "at most %lld", (long long)most), "the archive is damaged");
    s->left_bytes = (int64_t)st.size;
    s->member = zip_fopen_index(z, (zip_uint64_t)index, 0);
    return s->member || bad(s, NULL, NULL, "the archive is damaged: %s", zip_strerror(z));
}

// Reads to the member's end, where libzip compares the checksum.
static bool check_member_end(struct source *s)
{
    char rest[4096];
    zip_int64_t n;
    while ((n = zip_fread(s->member, rest, sizeof rest)) > 0)
        ;
    return n == 0 || bad(s, NULL, NULL, "the data is damaged: %s", zip_error_strerror(zip_file_get_error(s->member)));
}

// `archive` stands for the whole file: its name and its length.
static bool read_member(const struct source *archive, zip_t *z, const char *name, struct array *out)
{
    const struct ctx *cx = archive->cx;
    const char *path = archive->where;
    zip_int64_t index = find_member(z, name);
    if (index < 0)
        return no_member(cx, path, z, name);
    const char *member = zip_get_name(z, (zip_uint64_t)index, ZIP_FL_ENC_RAW);
    const char *where =
        arena_printf(cx->arena, "%s: array %s", path, quoted(cx->arena, member, stem_length(member)));
    struct source s = { .cx = cx, .where = where };
    struct array x;
    if (!open_member(&s, z, index, archive->left_bytes))
        return false;
    bool ok = read_array(&s, &x) && check_member_end(&s);
    zip_fclose(s.member);
    if (ok)
        *out = x;
    return ok;
}

bool npz_read(const struct ctx *cx, const char *path, const char *name, struct array *out)
{
    int64_t n_bytes = 0;
    FILE *f = open_regular(cx, path, &n_bytes);
    if (!f)
        return false;
    fclose(f);
    int code = 0;
    zip_t *z = zip_open(path, ZIP_RDONLY, &code);
    if (!z) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        diag_emit(cx,
                  (struct diag_msg){ .code = E104, .where = path,
                                     .need = "a zip archive as numpy.savez writes it" },
                  "the archive cannot be opened: %s", zip_error_strerror(&error));
        zip_error_fini(&error);
        return false;
    }
    struct source archive = { .cx = cx, .where = path, .left_bytes = n_bytes };
    bool ok = read_member(&archive, z, name, out);
    zip_discard(z);
    return ok;
}

bool npz_has(const char *path, const char *name)
{
    struct stat st; // libzip would read other things than files to their end
    zip_t *z = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? zip_open(path, ZIP_RDONLY, NULL) : NULL;
    bool has = z && find_member(z, name) >= 0;
    if (z)
        zip_discard(z);
    return has;
}

// A member of the archive, from memory that lives as long as the arena.
static bool add_member(zip_t *z, struct arena *a, const char *name, const struct array *x)
{
    size_t n_header, n_data = (size_t)array_count(x) * dtype_bytes(x->dtype);
    const char *header = write_header(a, x, &n_header);
    char *bytes = arena_alloc(a, n_header + n_data);
    memcpy(bytes, header, n_header);
    if (n_data)
        memcpy(bytes + n_header, x->data, n_data);
    zip_source_t *source = zip_source_buffer(z, bytes, n_header + n_data, 0);
    zip_int64_t index = source ? zip_file_add(z, arena_printf(a, "%s.npy", name), source, ZIP_FL_ENC_UTF_8 | ZIP_FL_OVERWRITE) : -1; // names of outputs may repeat
    if (index < 0)
        zip_source_free(source);
    // 1980-01-01, the first day that the format knows
    return index >= 0 && zip_set_file_compression(z, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(z, (zip_uint64_t)index, 0, 0x21, 0) == 0;
}

// What was written to a source, in the arena; NULL when it cannot be read.
static const char *source_bytes(struct arena *a, zip_source_t *source, size_t *n_bytes)
{
    char *bytes = NULL;
    zip_stat_t st;
    if (zip_source_stat(source, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) || zip_source_open(source) != 0)
        return NULL;
    bytes = arena_alloc(a, (size_t)st.size);
    *n_bytes = (size_t)st.size;
    if (zip_source_read(source, bytes, st.size) != (zip_int64_t)st.size)
        bytes = NULL;
    zip_source_close(source);
    return bytes;
}

// libzip puts a file of its own in the place of the one it is given, whatever that is: the archive is made in memory.
bool npz_write(const struct ctx *cx, const char *path, int n, const char *const *names, const struct array *x)
{
    struct arena scratch = { 0 };
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_source_keep(source);
    zip_t *z = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    bool made = z != NULL;
    size_t n_bytes = 0;
    for (int i = 0; made && i < n; i++)
        made = add_member(z, &scratch, names[i], &x[i]);
    made = made && zip_close(z) == 0;
    const char *bytes = made ? source_bytes(&scratch, source, &n_bytes) : NULL;
    if (!bytes)
        BUG("an archive in memory cannot be made: %s", z ? zip_strerror(z) : "no memory");
    zip_source_free(source);
    bool ok = write_file(cx, path, bytes, n_bytes, "", 0);
    arena_release(&scratch);
    return ok;
}

bool array_read(const struct ctx *cx, const char *path, const char *name, struct array *out)
{
    int64_t n_bytes = 0;
    char first[MAGIC_BYTES] = { 0 };
    FILE *f = open_regular(cx, path, &n_bytes);
    if (!f)
        return false;
    size_t n = fread(first, 1, sizeof first, f);
    fclose(f);
    if (n >= 4 && (memcmp(first, "PK\3\4", 4) == 0 || memcmp(first, "PK\5\6", 4) == 0))
        return npz_read(cx, path, name, out);
    if (n == MAGIC_BYTES && memcmp(first, MAGIC, MAGIC_BYTES) == 0)
        return npy_read(cx, path, out);
    struct diag_msg m = { .code = E104, .where = path, .need = "a file that numpy.save or numpy.savez wrote" };
    m.found = n ? quoted(cx->arena, first, n) : "an empty file";
    return diag_emit(cx, m, "this is neither a .npy nor a .npz file");
}

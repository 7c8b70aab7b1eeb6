// SPDX-License-Identifier: Apache-2.0
// .npy and .npz files. What could be read is written and read again: the second reading must give the same.
#include <string.h>
#include <zip.h>

#include "base/check.h"
#include "sim/array.h"
#include "tests/fuzz/fuzz.h"

struct run {
    struct arena arena;
    struct strbuf text;
    struct diag diag;
    struct ctx cx;
};

static void run_begin(struct run *r)
{
    *r = (struct run){ .text = STRBUF_INIT };
    r->diag = (struct diag){ .rendered = &r->text };
    r->cx = (struct ctx){ &r->arena, &r->diag };
}

static void run_end(struct run *r)
{
    strbuf_release(&r->text);
    arena_release(&r->arena);
}

static bool same(const struct array *a, const struct array *b)
{
    size_t n_bytes = (size_t)array_count(a) * dtype_bytes(a->dtype);
    return a->dtype == b->dtype && a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0 &&
           (n_bytes == 0 || memcmp(a->data, b->data, n_bytes) == 0);
}

void fuzz_npy(const uint8_t *bytes, size_t n)
{
    struct run r;
    struct array x, y;
    run_begin(&r);
    const char *path = fuzz_file(bytes, n);
    bool ok = npy_read(&r.cx, path, &x);
    fuzz_expect(ok, r.diag.errors > 0, r.text.text);
    if (ok)
        ASSERT(npy_write(&r.cx, path, &x) && array_read(&r.cx, path, NULL, &y) && same(&x, &y));
    run_end(&r);
}

// The three ways in which a caller asks for a member.
void fuzz_npz(const uint8_t *bytes, size_t n)
{
    static const char *const names[] = { NULL, "x", "y" };
    for (int i = 0; i < 3; i++) {
        struct run r;
        struct array x, y;
        run_begin(&r);
        const char *path = fuzz_file(bytes, n);
        bool has = names[i] && npz_has(path, names[i]), ok = npz_read(&r.cx, path, names[i], &x);
        fuzz_expect(ok, r.diag.errors > 0, r.text.text);
        ASSERT(!ok || !names[i] || has);
        if (ok && names[i])
            ASSERT(npz_write(&r.cx, path, 1, &names[i], &x) && array_read(&r.cx, path, names[i], &y) && same(&x, &y));
        run_end(&r);
    }
}

// ---- seeds ----

static const struct form {
    const char *name, *header;
    int major;
    size_t n_data;
} forms[] = {
    { "f4", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 1, 24 },
    { "f8", "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1, 2), }\n", 2, 32 },
    { "f2", "{'descr': '<f2', 'fortran_order': False, 'shape': (5,), }\n", 3, 10 },
    { "b1", "{'descr': '|b1', 'fortran_order': True, 'shape': (3, 2), }\n", 1, 6 },
    { "i1", "{'shape': (), 'fortran_order': False, 'descr': \"|i1\"}", 1, 1 },
    { "u1", "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4), }\n", 1, 0 },
    { "i4", "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2L), }\n", 1, 8 },
    { "u8", "{'descr': '<u8', 'fortran_order': False, 'shape': (4,), }\n", 1, 32 },
    { "short", "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }\n", 1, 31 },
    { "big", "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", 1, 4 },
};

static void npy_image(const struct form *f, struct strbuf *sb)
{
    size_t length = strlen(f->header);
    strbuf_clear(sb);
    strbuf_add(sb, "\x93NUMPY", 6);
    strbuf_addch(sb, (char)f->major);
    strbuf_addch(sb, 0);
    for (int i = 0; i < (f->major == 1 ? 2 : 4); i++)
        strbuf_addch(sb, (char)(length >> (8 * i)));
    strbuf_adds(sb, f->header);
    for (size_t i = 0; i < f->n_data; i++)
        strbuf_addch(sb, (char)(7 * i));
}

void fuzz_npy_seeds(fuzz_take *take, void *user)
{
    struct strbuf sb = STRBUF_INIT;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        npy_image(&forms[i], &sb);
        take(user, forms[i].name, sb.text, sb.len);
    }
    strbuf_release(&sb);
}

// An archive with the first `count` forms behind `first` as members x.npy, y.npy and z.npy.
static void take_archive(fuzz_take *take, void *user, const char *name, int first, int count, int method)
{
    struct strbuf image[3] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
    static const char *const members[3] = { "x.npy", "y.npy", "z.npy" };
    zip_source_t *archive = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_source_keep(archive);
    zip_t *z = zip_open_from_source(archive, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ASSERT(z);
    for (int i = 0; i < count; i++) {
        npy_image(&forms[first + i], &image[i]);
        zip_int64_t at = zip_file_add(z, members[i], zip_source_buffer(z, image[i].text, image[i].len, 0), ZIP_FL_ENC_UTF_8);
        ASSERT(at >= 0 && zip_set_file_compression(z, (zip_uint64_t)at, method, 0) == 0 && zip_file_set_dostime(z, (zip_uint64_t)at, 0, 0x21, 0) == 0);
    }
    ASSERT(zip_close(z) == 0 && zip_source_open(archive) == 0);
    char bytes[4096];
    zip_int64_t n = zip_source_read(archive, bytes, sizeof bytes);
    ASSERT(n > 0 && n < (zip_int64_t)sizeof bytes);
    take(user, name, bytes, (size_t)n);
    zip_source_close(archive);
    zip_source_free(archive);
    for (int i = 0; i < 3; i++)
        strbuf_release(&image[i]);
}

void fuzz_npz_seeds(fuzz_take *take, void *user)
{
    take_archive(take, user, "stored", 0, 1, ZIP_CM_STORE);
    take_archive(take, user, "deflated", 0, 3, ZIP_CM_DEFLATE);
    take_archive(take, user, "mixed", 3, 3, ZIP_CM_DEFLATE);
    take_archive(take, user, "several", 6, 3, ZIP_CM_STORE);
    take_archive(take, user, "short", 8, 2, ZIP_CM_DEFLATE);
}

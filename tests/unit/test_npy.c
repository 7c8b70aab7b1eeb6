// SPDX-License-Identifier: Apache-2.0
// Tests sim/npy.c, the files of sim/array.h. They are written in a temporary directory that
// the group teardown removes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>
#include <zip.h>

#include "sim/array.h"

static char dir[64];       // made by the group setup
static struct arena arena; // fresh for each test
static struct strbuf messages;
static struct diag diag;
static struct ctx cx;
static const char *const files[] = { "a.npy", "b.npy", "a.npz" };
static const char *path_of(const char *file)
{
    return arena_printf(&arena, "%s/%s", dir, file);
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/aihls_test_npy_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    messages = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &messages };
    cx = (struct ctx){ &arena, &diag };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(path_of(files[i]));
    arena_release(&arena);
    strbuf_release(&messages);
    return 0;
}

static void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

// A .npy image of format `major`.0: `header` as it stands, then n bytes of data.
static void build_npy(struct strbuf *sb, int major, const char *header, const void *data, size_t n)
{
    size_t length = strlen(header);
    strbuf_add(sb, "\x93NUMPY", 6);
    strbuf_addch(sb, (char)major);
    strbuf_addch(sb, 0);
    for (int i = 0; i < (major == 1 ? 2 : 4); i++)
        strbuf_addch(sb, (char)(length >> (8 * i)));
    strbuf_adds(sb, header);
    strbuf_add(sb, data, n);
}

static const char *write_npy(int major, const char *header, const void *data, size_t n)
{
    const char *path = path_of("a.npy");
    struct strbuf sb = STRBUF_INIT;
    build_npy(&sb, major, header, data, n);
    write_bytes(path, sb.text, sb.len);
    strbuf_release(&sb);
    return path;
}

static void assert_said(const char *wanted)
{
    if (!strstr(messages.text, wanted))
        fail_msg("wanted \"%s\" in:\n%s", wanted, messages.text);
}

// ---- files that are right ----

static struct trip_row {
    const char *name;
    enum dtype dtype;
    int rank;
    int64_t dims[MAX_RANK];
} trip_rows[] = {
    { "float32 survives a file", DT_FLOAT, 4, { 2, 3, 1, 5 } },
    { "float64 survives a file", DT_DOUBLE, 1, { 7 } },
    { "bool survives a file", DT_BOOL, 2, { 3, 3 } },
    { "int8 survives a file", DT_INT8, 1, { 1 } },
    { "uint8 survives a file", DT_UINT8, 2, { 16, 16 } },
    { "int16 survives a file", DT_INT16, 2, { 2, 2 } },
    { "uint16 survives a file", DT_UINT16, 2, { 2, 2 } },
    { "int32 survives a file", DT_INT32, 2, { 2, 2 } },
    { "uint32 survives a file", DT_UINT32, 2, { 2, 2 } },
    { "int64 survives a file", DT_INT64, 2, { 2, 2 } },
    { "uint64 survives a file", DT_UINT64, 2, { 2, 2 } },
    { "a scalar survives a file", DT_FLOAT, 0, { 0 } },
    { "an empty array survives a file", DT_FLOAT, 3, { 4, 0, 2 } },
    { "eight dimensions survive a file", DT_INT8, 8, { 1, 2, 1, 2, 1, 2, 1, 2 } },
};

static void check_trip(void **state)
{
    const struct trip_row *r = *state;
    const char *path = path_of("b.npy");
    struct array x = array_new(&arena, r->dtype, r->rank, r->dims), y;
    int64_t n = array_count(&x);
    for (int64_t i = 0; i < n; i++)
        array_set_f64(&x, i, (double)(i * 3 - 5));
    assert_true(npy_write(&cx, path, &x));
    assert_true(array_read(&cx, path, NULL, &y));
    assert_int_equal(y.dtype, x.dtype);
    assert_int_equal(y.rank, x.rank);
    assert_memory_equal(y.dims, x.dims, sizeof x.dims);
    assert_memory_equal(y.data, x.data, (size_t)n * dtype_bytes(x.dtype));
    assert_int_equal(messages.len, 0);
}

static void the_written_bytes_are_those_of_numpy(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_INT16, 1, (int64_t[]){ 2 });
    array_set_f64(&x, 0, 1);
    array_set_f64(&x, 1, -2);
    assert_true(npy_write(&cx, path_of("b.npy"), &x));
    struct strbuf is = STRBUF_INIT, want = STRBUF_INIT;
    assert_true(strbuf_read_file(&is, path_of("b.npy")));
    strbuf_add(&want, "\x93NUMPY\1\0\x76\0", 10);
    strbuf_addf(&want, "%-117s\n", "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }");
    strbuf_add(&want, "\1\0\xfe\xff", 4);
    assert_int_equal(is.len, want.len);
    assert_memory_equal(is.text, want.text, want.len);
    strbuf_release(&is);
    strbuf_release(&want);
}

static struct good_row {
    const char *name;
    int major;
    const char *header;
    unsigned char data[16];
    size_t n_bytes;
    enum dtype dtype;
    int rank;
    int64_t dims[MAX_RANK];
    double want[6];
} good_rows[] = {
    { "format 2.0 is read", 2, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n",
      { 7, 9 }, 2, DT_UINT8, 1, { 2 }, { 7, 9 } },
    { "format 3.0 is read", 3, "{'descr': '<u2', 'fortran_order': False, 'shape': (1,), }\n",
      { 1, 2 }, 2, DT_UINT16, 1, { 1 }, { 513 } },
    { "keys come in any order, quotes in both kinds, commas may lack", 1,
      "  {\"shape\":(2),'fortran_order':False,\"descr\":\"<i2\"}", { 255, 255, 4, 0 }, 4, DT_INT16, 1, { 2 },
      { -1, 4 } },
    { "Fortran order becomes C order", 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
      { 1, 4, 2, 5, 3, 6 }, 6, DT_UINT8, 2, { 2, 3 }, { 1, 2, 3, 4, 5, 6 } },
    { "Fortran order of one dimension stays", 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2,), }",
      { 1, 4 }, 2, DT_UINT8, 1, { 2 }, { 1, 4 } },
    { "Fortran order of nothing is nothing", 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 0), }",
      { 0 }, 0, DT_UINT8, 2, { 2, 0 }, { 0 } },
    { "float16 becomes float32", 1, "{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }",
      { 0, 0x3c, 0x55, 0x35, 1, 0x80 }, 6, DT_FLOAT, 1, { 3 }, { 1, 0.333251953125, -0x1p-24 } },
    { "float16 in Fortran order becomes float32 in C order", 1,
      "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 2), }",
      { 0, 0x3c, 0, 0x42, 0, 0x40, 0, 0x44 }, 8, DT_FLOAT, 2, { 2, 2 }, { 1, 2, 3, 4 } },
    { "a bool of any byte is 0 or 1", 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }",
      { 0, 1, 200 }, 3, DT_BOOL, 1, { 3 }, { 0, 1, 1 } },
    { "the order of one byte does not matter", 1, "{'descr': '>i1', 'fortran_order': False, 'shape': (1,), }",
      { 255 }, 1, DT_INT8, 1, { 1 }, { -1 } },
    { "Python 2's long dimensions are read", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2L,), }",
      { 3, 4 }, 2, DT_UINT8, 1, { 2 }, { 3, 4 } },
    { "bytes behind the data are left alone", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }",
      { 3, 4, 5 }, 3, DT_UINT8, 1, { 1 }, { 3 } },
    { "a scalar has the shape ()", 1, "{'descr': '<i4', 'fortran_order': False, 'shape': (), }",
      { 5, 0, 0, 0 }, 4, DT_INT32, 0, { 0 }, { 5 } },
};

static void check_good(void **state)
{
    const struct good_row *r = *state;
    struct array x;
    if (!npy_read(&cx, write_npy(r->major, r->header, r->data, r->n_bytes), &x))
        fail_msg("%s", messages.text);
    assert_int_equal(x.dtype, r->dtype);
    assert_int_equal(x.rank, r->rank);
    assert_memory_equal(x.dims, r->dims, sizeof x.dims);
    for (int64_t i = 0; i < array_count(&x); i++)
        assert_true(array_f64(&x, i) == r->want[i]);
}

// ---- files that are wrong ----

#define NEED_TYPE "bool, (u)int8/16/32/64 or float16/32/64, little endian"

static struct bad_row {
    const char *name;
    int major;
    const char *header;
    size_t n_bytes;
    const char *said;
} bad_rows[] = {
    { "data that ends early is named with both sizes", 1,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 47,
      "the data ends early\n  --> @\n   = found 47 bytes of data, need 48 for shape [3, 4]\n" },
    { "big endian is refused", 1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4,
      "the data is big endian\n  --> @\n   = found '>f4', need " NEED_TYPE },
    { "objects are refused", 1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8,
      "the element type is not supported\n  --> @\n   = found '|O', need " NEED_TYPE },
    { "complex numbers are refused", 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8,
      "found '<c8'" },
    { "a type without byte order is refused", 1, "{'descr': 'float32', 'fortran_order': False, 'shape': (1,), }", 8,
      "found 'float32'" },
    { "a type with a wrong byte order is refused", 1, "{'descr': '!f4', 'fortran_order': False, 'shape': (1,), }", 8,
      "found '!f4'" },
    { "an empty type is refused", 1, "{'descr': '', 'fortran_order': False, 'shape': (1,), }", 8, "found ''" },
    { "a type that is a number is refused", 1, "{'descr': 5, }", 8, "found '5, }', need a quoted string" },
    { "structured types are refused", 1,
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 8, "found a structured type" },
    { "a negative dimension is refused", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", 8,
      "the shape has a negative dimension\n  --> @\n   = found '-1,), }', need dimensions of 0 or more" },
    { "a dimension beyond 64 bits is refused", 1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, "dimensions below 2^63" },
    { "a product beyond 64 bits is refused", 1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8,
      "the shape is too large\n  --> @\n   = found [4294967296, 4294967296], need fewer than 2^60 elements" },
    { "a zero does not excuse a product beyond 64 bits", 1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }", 8, "too large" },
    { "a large shape without data costs no memory", 1,
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,), }", 8, "the data ends early" },
    { "nine dimensions are too many", 1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", 8,
      "the array has too many dimensions\n  --> @\n   = found more dimensions, need at most 8" },
    { "a fractional dimension is refused", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1.5,), }", 8,
      "need ',' or ')'" },
    { "a symbolic dimension is refused", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (n,), }", 8,
      "found 'n,), }', need a number or ')'" },
    { "a shape that is a list is refused", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': [1], }", 8,
      "a shape in parentheses" },
    { "an order that is a number is refused", 1, "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,), }", 8,
      "need True or False" },
    { "a missing key is named", 1, "{'descr': '|u1', 'shape': (1,), }", 8, "the header lacks a key" },
    { "a key twice is refused", 1, "{'descr': '|u1', 'descr': '|u1', 'shape': (1,), }", 8, "found 'descr', need" },
    { "an unknown key is refused", 1, "{'descr': '|u1', 'colour': 'red', }", 8, "found 'colour', need" },
    { "a header that is no dictionary is refused", 1, "['descr']", 8, "found '['descr']', need '{'" },
    { "a key that is no string is refused", 1, "{1: 2}", 8, "a quoted string" },
    { "a missing colon is refused", 1, "{'descr' '|u1'}", 8, "need ':'" },
    { "a missing comma is refused", 1, "{'descr': '|u1' 'shape': (1,)}", 8, "need ',' or '}'" },
    { "an open string is refused", 1, "{'descr", 8, "a closing quote" },
    { "an open dictionary is refused", 1, "{'descr': '|u1',", 8, "a quoted string" },
    { "text behind the dictionary is refused", 1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), } + 1", 8, "nothing but spaces behind '}'" },
    { "bytes that are no text are shown as numbers", 1, "{'descr': '\x1b[31m', }", 8, "found '\\x1b[31m'" },
    { "long text is shown in part", 1,
      "x123456789012345678901234567890123456789012345678901234567890123456789", 8, "56789'..., need '{'" },
    { "an empty header is refused", 1, "", 8, "found '', need '{'" },
    { "format 4.0 is refused", 4, "{}", 8, "the format version is not known\n  --> @\n   = found 4.0, need 1.0" },
    { "format 0.0 is refused", 0, "{}", 8, "found 0.0" },
};

// `said` with '@' standing for the path.
static void assert_said_at(const char *said, const char *path)
{
    struct strbuf want = STRBUF_INIT;
    for (; *said; said++)
        if (*said == '@')
            strbuf_adds(&want, path);
        else
            strbuf_addch(&want, *said);
    const char *text = arena_strdup(&arena, want.text);
    strbuf_release(&want);
    assert_said(text);
}

static void check_bad(void **state)
{
    const struct bad_row *r = *state;
    struct array x;
    unsigned char data[64] = { 0 };
    const char *path = write_npy(r->major, r->header, data, r->n_bytes);
    assert_false(npy_read(&cx, path, &x));
    assert_int_equal(diag.errors, 1);
    assert_int_equal(diag.first_error, E104);
    assert_said_at(r->said, path);
}

static void a_file_that_ends_anywhere_is_refused(void **state)
{
    (void)state;
    struct array x;
    struct strbuf sb = STRBUF_INIT;
    build_npy(&sb, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }\n", "12345678", 8);
    for (size_t n = 0; n < sb.len; n++) {
        write_bytes(path_of("a.npy"), sb.text, n);
        diag.errors = 0;
        assert_false(npy_read(&cx, path_of("a.npy"), &x));
        assert_int_equal(diag.errors, 1);
        assert_int_equal(diag.first_error, E104);
    }
    strbuf_release(&sb);
}

static void a_header_longer_than_the_file_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_bytes(path_of("a.npy"), "\x93NUMPY\1\0\xff\x7f{", 11);
    assert_false(npy_read(&cx, path_of("a.npy"), &x));
    assert_said("found 1 bytes, need at least 32767");
    write_bytes(path_of("a.npy"), "\x93NUMPY\2\0\xff\xff\xff\xff{", 13);
    assert_false(npy_read(&cx, path_of("a.npy"), &x));
    assert_said("the header is too long");
    assert_said("found 4294967295 bytes, need at most 65536");
}

static void a_zero_byte_in_the_header_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_bytes(path_of("a.npy"), "\x93NUMPY\1\0\4\0{}\0 ", 14);
    assert_false(npy_read(&cx, path_of("a.npy"), &x));
    assert_said("found a zero byte, need text");
}

static void a_missing_file_is_a_system_error(void **state)
{
    (void)state;
    struct array x;
    assert_false(npy_read(&cx, path_of("none.npy"), &x));
    assert_false(npz_read(&cx, path_of("none.npz"), NULL, &x));
    assert_false(array_read(&cx, path_of("none"), NULL, &x));
    assert_int_equal(diag.errors, 3);
    assert_int_equal(diag.first_error, E002);
    assert_said("cannot read the file: No such file or directory");
}

static void a_directory_and_a_device_are_no_files(void **state)
{
    (void)state;
    struct array x;
    assert_false(array_read(&cx, dir, NULL, &x));
    assert_said("Is a directory");
    assert_false(npy_read(&cx, "/dev/zero", &x));
    assert_said("/dev/zero");
    assert_int_equal(diag.first_error, E002);
}

static void a_path_that_cannot_be_written_is_a_system_error(void **state)
{
    (void)state;
    struct array x = array_new(&arena, DT_FLOAT, 0, NULL);
    assert_false(npy_write(&cx, path_of("none/x.npy"), &x));
    assert_int_equal(diag.first_error, E002);
    assert_said("cannot write the file");
    assert_false(npy_write(&cx, "/dev/full", &x));
    assert_said("cannot write the file: No space left on device");
    const char *name = "x";
    assert_false(npz_write(&cx, path_of("none/x.npz"), 1, &name, &x));
    assert_false(npz_write(&cx, "/dev/full", 1, &name, &x));
    assert_int_equal(diag.errors, 4);
}

static void other_files_are_named_by_their_first_bytes(void **state)
{
    (void)state;
    struct array x;
    write_bytes(path_of("a.npy"), "1,2,3\n4", 7);
    assert_false(array_read(&cx, path_of("a.npy"), NULL, &x));
    assert_said("this is neither a .npy nor a .npz file");
    assert_said("found '1,2,3\\x0a', need a file that numpy.save");
    write_bytes(path_of("a.npy"), "", 0);
    assert_false(array_read(&cx, path_of("a.npy"), NULL, &x));
    assert_said("found an empty file");
    write_bytes(path_of("a.npy"), "1,2,3,4,5", 9);
    assert_false(npy_read(&cx, path_of("a.npy"), &x));
    assert_said("this is not a .npy file");
}

// ---- archives ----

// Members as "name" with one uint8 each: its position in the list plus 10.
static const char *write_npz(const char *const *names, int n, int method)
{
    const char *path = path_of("a.npz");
    struct strbuf images[40];
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(z);
    assert_true(n <= 40);
    for (int i = 0; i < n; i++) {
        unsigned char data[600];
        memset(data, 10 + i, sizeof data);
        images[i] = (struct strbuf)STRBUF_INIT;
        build_npy(&images[i], 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (600,), }\n", data, sizeof data);
        zip_source_t *src = zip_source_buffer(z, images[i].text, images[i].len, 0);
        zip_int64_t at = zip_file_add(z, names[i], src, ZIP_FL_ENC_UTF_8);
        assert_true(at >= 0);
        assert_int_equal(zip_set_file_compression(z, (zip_uint64_t)at, method, 0), 0);
    }
    assert_int_equal(zip_close(z), 0);
    for (int i = 0; i < n; i++)
        strbuf_release(&images[i]);
    return path;
}

static struct npz_row {
    const char *name;
    const char *members[4];
    int n_members, method;
    const char *ask;
    double want;      // or, when 0,
    const char *said;
} npz_rows[] = {
    { "a stored member is read", { "x.npy", "y.npy" }, 2, ZIP_CM_STORE, "y", 11, NULL },
    { "a deflated member is read", { "x.npy", "y.npy" }, 2, ZIP_CM_DEFLATE, "y", 11, NULL },
    { "without a name x is taken", { "y.npy", "x.npy" }, 2, ZIP_CM_DEFLATE, NULL, 11, NULL },
    { "without a name the only array is taken", { "readme.txt", "pixels.npy" }, 2, ZIP_CM_STORE, NULL, 11, NULL },
    { "a member in a folder is read", { "a/x.npy" }, 1, ZIP_CM_STORE, "a/x", 10, NULL },
    { "a missing member lists those that exist", { "x.npy", "note.txt", "y.npy" }, 3, ZIP_CM_STORE, "z", 0,
      "the archive has no array of that name\n  --> @\n   = found 'x', 'y', need 'z'\n" },
    { "two arrays without x need a name", { "a.npy", "b.npy" }, 2, ZIP_CM_STORE, NULL, 0,
      "not clear which array of the archive to take\n  --> @\n   = found 'a', 'b', need one array, or one called 'x'" },
    { "an archive of other files has no array", { "x.txt" }, 1, ZIP_CM_STORE, NULL, 0, "found no array at all" },
    { "a member called .npy is no array", { ".npy" }, 1, ZIP_CM_STORE, NULL, 0, "found no array at all" },
};

static void check_npz(void **state)
{
    const struct npz_row *r = *state;
    const char *path = write_npz(r->members, r->n_members, r->method);
    struct array x;
    bool ok = array_read(&cx, path, r->ask, &x);
    if (r->said) {
        assert_false(ok);
        assert_int_equal(diag.first_error, E104);
        assert_said_at(r->said, path);
        return;
    }
    if (!ok)
        fail_msg("%s", messages.text);
    assert_int_equal(x.dims[0], 600);
    assert_true(array_f64(&x, 0) == r->want && array_f64(&x, 599) == r->want);
}

static void an_archive_survives_a_file(void **state)
{
    (void)state;
    const char *const names[] = { "a/scores:0", "x", "none" };
    struct array x[] = { array_new(&arena, DT_FLOAT, 2, (int64_t[]){ 2, 3 }), array_new(&arena, DT_INT64, 0, NULL),
                         array_new(&arena, DT_UINT8, 1, (int64_t[]){ 0 }) }, y;
    for (int i = 0; i < 6; i++)
        array_set_f64(&x[0], i, i * 0.25 - 1);
    array_set_f64(&x[1], 0, 77);
    struct strbuf first = STRBUF_INIT, again = STRBUF_INIT;
    for (int k = 0; k < 2; k++) { // the same bytes, in the place of the file that is there
        assert_true(npz_write(&cx, path_of("a.npz"), 3, names, x));
        assert_true(strbuf_read_file(k ? &again : &first, path_of("a.npz")));
    }
    assert_int_equal(first.len, again.len);
    assert_memory_equal(first.text, again.text, first.len);
    strbuf_release(&first);
    strbuf_release(&again);
    for (int i = 0; i < 3; i++) {
        assert_true(npz_has(path_of("a.npz"), names[i]));
        assert_true(npz_read(&cx, path_of("a.npz"), names[i], &y));
        assert_int_equal(y.dtype, x[i].dtype);
        assert_int_equal(y.rank, x[i].rank);
        assert_memory_equal(y.dims, x[i].dims, sizeof y.dims);
        assert_memory_equal(y.data, x[i].data, (size_t)array_count(&x[i]) * dtype_bytes(x[i].dtype));
    }
    assert_false(npz_has(path_of("a.npz"), "y") || npz_has(path_of("b.npy"), "x") || npz_has(path_of("no.npz"), "x") || npz_has("/dev/zero", "x"));
    assert_int_equal(messages.len, 0);
}

static void a_long_list_of_members_is_cut(void **state)
{
    (void)state;
    const char *names[25];
    struct array x;
    for (int i = 0; i < 25; i++)
        names[i] = arena_printf(&arena, "m%d.npy", i);
    assert_false(npz_read(&cx, write_npz(names, 25, ZIP_CM_STORE), "z", &x));
    assert_said("'m18', 'm19' and 5 more, need 'z'");
}

// Overwrites n bytes of a.npz, `offset` behind the first `mark`.
static void patch_npz(const char *mark, size_t n_mark, long offset, const void *bytes, size_t n)
{
    struct strbuf sb = STRBUF_INIT;
    assert_true(strbuf_read_file(&sb, path_of("a.npz")));
    char *at = memmem(sb.text, sb.len, mark, n_mark);
    assert_non_null(at);
    memcpy(at + offset, bytes, n);
    write_bytes(path_of("a.npz"), sb.text, sb.len);
    strbuf_release(&sb);
}

static void a_changed_byte_fails_the_checksum(void **state)
{
    (void)state;
    struct array x;
    write_npz((const char *const[]){ "x.npy" }, 1, ZIP_CM_STORE);
    patch_npz("\12\12\12\12", 4, 100, "\7", 1);
    assert_false(npz_read(&cx, path_of("a.npz"), "x", &x));
    assert_int_equal(diag.first_error, E104);
    assert_said("a.npz: array 'x'");
    assert_said("CRC error");
}

static void damaged_compressed_data_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_npz((const char *const[]){ "x.npy" }, 1, ZIP_CM_DEFLATE);
    // the local header has 30 bytes and the name 5; a first byte of 7 is a block of no type
    patch_npz("PK\3\4", 4, 35, "\7", 1);
    assert_false(npz_read(&cx, path_of("a.npz"), "x", &x));
    assert_int_equal(diag.errors, 1);
    assert_said("a.npz: array 'x'");
    assert_said("the data cannot be read: Zlib error: data error");
}

static void a_declared_size_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_npz((const char *const[]){ "x.npy" }, 1, ZIP_CM_DEFLATE);
    patch_npz("PK\1\2", 4, 24, "\xf0\xff\xff\x7f", 4); // uncompressed size in the directory
    assert_false(npz_read(&cx, path_of("a.npz"), "x", &x));
    assert_int_equal(diag.first_error, E104);
    assert_said("the archive is damaged");
}

static void a_compression_method_that_numpy_never_writes_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_npz((const char *const[]){ "x.npy" }, 1, ZIP_CM_DEFLATE);
    patch_npz("PK\1\2", 4, 10, "\14\0", 2);
    assert_false(npz_read(&cx, path_of("a.npz"), "x", &x));
    assert_said("found method 12, need stored or deflated members");
}

static void data_that_is_shorter_than_declared_is_refused(void **state)
{
    (void)state;
    struct array x;
    struct strbuf sb = STRBUF_INIT;
    build_npy(&sb, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (600,), }\n", "12345", 5);
    zip_t *z = zip_open(path_of("a.npz"), ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(z);
    assert_true(zip_file_add(z, "x.npy", zip_source_buffer(z, sb.text, sb.len, 0), 0) >= 0);
    assert_int_equal(zip_set_file_compression(z, 0, ZIP_CM_DEFLATE, 0), 0);
    assert_int_equal(zip_close(z), 0);
    patch_npz("PK\1\2", 4, 24, "\0\4\0\0", 4); // uncompressed size in the directory: 1,024
    assert_false(npz_read(&cx, path_of("a.npz"), "x", &x));
    assert_int_equal(diag.errors, 1);
    assert_said("the data cannot be read");
    strbuf_release(&sb);
}

static void a_file_that_is_no_archive_is_refused(void **state)
{
    (void)state;
    struct array x;
    write_bytes(path_of("a.npz"), "PK\3\4 and nothing that a zip archive would hold", 47);
    assert_false(array_read(&cx, path_of("a.npz"), NULL, &x));
    assert_int_equal(diag.first_error, E104);
    assert_said("the archive cannot be opened: Not a zip archive");
}

static void a_damaged_array_in_an_archive_is_named(void **state)
{
    (void)state;
    struct array x;
    zip_t *z = zip_open(path_of("a.npz"), ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(z);
    assert_true(zip_file_add(z, "w.npy", zip_source_buffer(z, "not an array", 12, 0), 0) >= 0);
    assert_int_equal(zip_close(z), 0);
    assert_false(array_read(&cx, path_of("a.npz"), "w", &x));
    assert_said("this is not a .npy file");
    assert_said("a.npz: array 'w'");
}

#define ROWS(rows, check)                                                                   \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)                                 \
        tests[n++] = (struct CMUnitTest){ rows[i].name, check, setup, teardown, &rows[i] }
#define CASE(f) tests[n++] = (struct CMUnitTest){ #f, f, setup, teardown, NULL }

int main(void)
{
    static struct CMUnitTest tests[120];
    size_t n = 0;
    ROWS(trip_rows, check_trip);
    CASE(the_written_bytes_are_those_of_numpy);
    ROWS(good_rows, check_good);
    ROWS(bad_rows, check_bad);
    CASE(a_file_that_ends_anywhere_is_refused);
    CASE(a_header_longer_than_the_file_is_refused);
    CASE(a_zero_byte_in_the_header_is_refused);
    CASE(a_missing_file_is_a_system_error);
    CASE(a_directory_and_a_device_are_no_files);
    CASE(a_path_that_cannot_be_written_is_a_system_error);
    CASE(other_files_are_named_by_their_first_bytes);
    ROWS(npz_rows, check_npz);
    CASE(an_archive_survives_a_file);
    CASE(a_long_list_of_members_is_cut);
    CASE(a_changed_byte_fails_the_checksum);
    CASE(damaged_compressed_data_is_refused);
    CASE(a_declared_size_that_cannot_be_is_refused);
    CASE(a_compression_method_that_numpy_never_writes_is_refused);
    CASE(data_that_is_shorter_than_declared_is_refused);
    CASE(a_file_that_is_no_archive_is_refused);
    CASE(a_damaged_array_in_an_archive_is_named);
    return _cmocka_run_group_tests("npy", tests, n, make_dir, remove_dir);
}

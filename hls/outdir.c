// SPDX-License-Identifier: Apache-2.0
#include "hls/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "hls/version.h"

void sha256_hex(const void *bytes, size_t n_bytes, char out[65])
{
    struct sha256_ctx h;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&h);
    sha256_update(&h, n_bytes, bytes);
    sha256_digest(&h, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool io_error(const struct ctx *cx, const char *path, const char *doing)
{
    return diag_emit(cx, (struct diag_msg){ .code = E002, .where = path, .found = strerror(errno),
                     .help = "check the path, its permissions and the free space" }, "cannot %s", doing);
}

static bool is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return false;
    int entries = 0;
    for (struct dirent *e; (e = readdir(d));)
        entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return entries == 0;
}

static bool has_our_manifest(const char *dir)
{
    struct strbuf path = STRBUF_INIT;
    strbuf_addf(&path, "%s/manifest.json", dir);
    json_t *m = json_load_file(path.text, 0, NULL);
    strbuf_release(&path);
    bool ours = m && json_is_string(json_object_get(m, "aihls"));
    json_decref(m);
    return ours;
}

bool outdir_open(const struct ctx *cx, const char *path, struct outdir *d)
{
    struct stat st;
    struct strbuf temp = STRBUF_INIT;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    *d = (struct outdir){ .cx = cx, .path = arena_strndup(cx->arena, path, len) };
    if (lstat(d->path, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            return diag_error(cx, E003, d->path, "choose another directory with -o DIR, or remove the file",
                              "the output path exists and is no directory");
        if (!is_empty_dir(d->path) && !has_our_manifest(d->path))
            return diag_error(cx, E003, d->path, "choose another directory with -o DIR, or empty this one",
                              "the output directory is not empty and was not made by aihls");
    }
    strbuf_addf(&temp, "%s.tmp.XXXXXX", d->path);
    d->temp = arena_strdup(cx->arena, temp.text);
    strbuf_release(&temp);
    if (!mkdtemp(d->temp)) {
        d->temp = NULL;
        return io_error(cx, d->path, "make the output directory");
    }
    chmod(d->temp, 0755);
    d->files = json_object();
    return true;
}

static bool make_parents(char *path, size_t from)
{
    for (char *p = path + from; *p; p++)
        if (*p == '/') {
            *p = 0;
            int failed = mkdir(path, 0755) != 0 && errno != EEXIST;
            *p = '/';
            if (failed)
                return false;
        }
    return true;
}

bool outdir_write(struct outdir *d, const char *file, const void *bytes, size_t n_bytes, bool listed)
{
    char *path = arena_printf(d->cx->arena, "%s/%s", d->temp, file);
    if (!make_parents(path, strlen(d->temp) + 1))
        return io_error(d->cx, path, "make a directory");
    FILE *f = fopen(path, "wb");
    if (!f)
        return io_error(d->cx, path, "write a file");
    bool ok = fwrite(bytes, 1, n_bytes, f) == n_bytes;
    ok &= fclose(f) == 0; // a full disk may show only here
    if (!ok)
        return io_error(d->cx, path, "write a file");
    if (listed) {
        char hex[65];
        sha256_hex(bytes, n_bytes, hex);
        json_object_set_new(d->files, file, json_string(hex));
    }
    return true;
}

bool outdir_commit(struct outdir *d, json_t *meta)
{
    json_t *manifest = json_object();
    json_object_set_new(manifest, "aihls", json_string(AIHLS_VERSION));
    json_object_update(manifest, meta);
    json_object_set(manifest, "files", d->files);
    char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(manifest);
    bool ok = outdir_write(d, "manifest.json", text, strlen(text), false);
    free(text);
    if (!ok)
        return false;
    const char *old = arena_printf(d->cx->arena, "%s.old", d->temp);
    bool had = rename(d->path, old) == 0;
    if (!had && errno != ENOENT)
        return io_error(d->cx, d->path, "replace the output directory");
    if (rename(d->temp, d->path) != 0) {
        io_error(d->cx, d->path, "put the output directory in place");
        if (had && rename(old, d->path) != 0)
            io_error(d->cx, old, "put the previous output back");
        return false;
    }
    if (had)
        remove_tree(old);
    d->temp = NULL;
    json_decref(d->files);
    d->files = NULL;
    return true;
}

void outdir_abandon(struct outdir *d)
{
    if (d->temp)
        remove_tree(d->temp);
    d->temp = NULL;
    json_decref(d->files);
    d->files = NULL;
}

json_t *outdir_manifest(const struct ctx *cx, const char *dir)
{
    json_error_t e;
    const char *path = arena_printf(cx->arena, "%s/manifest.json", dir);
    json_t *m = json_load_file(path, 0, &e);
    const char *version = json_string_value(json_object_get(m, "aihls"));
    if (m && version && strcmp(version, AIHLS_VERSION) == 0)
        return m;
    diag_emit(cx, (struct diag_msg){ .code = E105, .where = path, .found = !m ? e.text : version ? version : "no version",
              .need = "an output directory of aihls " AIHLS_VERSION, .help = "compile the model again" },
              "this is no output directory that aihls can use");
    json_decref(m);
    return NULL;
}

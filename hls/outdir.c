// SPDX-License-Identifier: Apache-2.0
#include "hls/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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

// The temporary directory of a process that ends in the middle, by exit(): the one thing here that outlives a call,
// because nobody could hand it to a handler.
static char *unfinished;

static void remove_unfinished(void)
{
    if (unfinished)
        remove_tree(unfinished);
}

static void set_unfinished(char *path)
{
    static bool registered;
    if (!registered)
        registered = atexit(remove_unfinished) == 0;
    unfinished = path;
}

// Locks directory `path` for this process; *lock is a descriptor of it, or -1. False when another process has it or it
// is gone. Where there are no locks nobody has it.
static bool lock_dir(const char *path, int *lock)
{
    struct stat st;
    *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return errno != ENOENT;
    bool locked = flock(*lock, LOCK_EX | LOCK_NB) == 0;
    if ((locked && fstat(*lock, &st) == 0 && st.st_nlink > 0) || (!locked && errno != EWOULDBLOCK))
        return true;
    close(*lock);
    *lock = -1;
    return false;
}

// Makes d->temp, locked. False with errno set.
static bool make_temp(struct outdir *d)
{
    const char *pattern = arena_printf(d->cx->arena, "%s.aihls-tmp.XXXXXX", d->path);
    do { // again when another process cleaned up just between the two calls
        d->temp = arena_strdup(d->cx->arena, pattern);
        if (!mkdtemp(d->temp)) {
            d->temp = NULL;
            return false;
        }
    } while (!lock_dir(d->temp, &d->lock));
    set_unfinished(d->temp);
    return true;
}

static void leave_temp(struct outdir *d)
{
    set_unfinished(NULL);
    d->temp = NULL;
    if (d->lock >= 0)
        close(d->lock);
    d->lock = -1;
}

// Removes what killed processes have left beside d->path.
static void remove_strays(const struct outdir *d)
{
    const char *slash = strrchr(d->path, '/');
    const char *parent = slash ? arena_strndup(d->cx->arena, d->path, (size_t)(slash - d->path) + 1) : "./";
    const char *prefix = arena_printf(d->cx->arena, "%s.aihls-tmp.", slash ? slash + 1 : d->path);
    DIR *dir = opendir(parent);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        int lock;
        const char *path = arena_printf(d->cx->arena, "%s%s", parent, e->d_name);
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || !lock_dir(path, &lock))
            continue;
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) // there are locks, and it is ours
            remove_tree(path);
        if (lock >= 0)
            close(lock);
    }
    if (dir)
        closedir(dir);
}

bool outdir_open(const struct ctx *cx, const char *path, struct outdir *d)
{
    struct stat st;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    *d = (struct outdir){ .cx = cx, .path = arena_strndup(cx->arena, path, len), .lock = -1 };
    if (lstat(d->path, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            return diag_error(cx, E003, d->path, "choose another directory with -o DIR, or remove the file",
                              "the output path exists and is no directory");
        if (!is_empty_dir(d->path) && !has_our_manifest(d->path))
            return diag_error(cx, E003, d->path, "choose another directory with -o DIR, or empty this one",
                              "the output directory is not empty and was not made by aihls");
    }
    if (!make_temp(d))
        return io_error(cx, d->path, "make the output directory");
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

// For file systems that cannot exchange two names: in two steps, the previous output aside in between.
static bool put_in_two_steps(struct outdir *d)
{
    const char *old = arena_printf(d->cx->arena, "%s.old", d->temp);
    if (rename(d->path, old) != 0)
        return io_error(d->cx, d->path, "replace the output directory");
    if (rename(d->temp, d->path) != 0) {
        io_error(d->cx, d->path, "put the output directory in place");
        if (rename(old, d->path) != 0)
            io_error(d->cx, old, "put the previous output back");
        return false;
    }
    remove_tree(old);
    return true;
}

static bool put_in_place(struct outdir *d)
{
    if (renameat2(AT_FDCWD, d->temp, AT_FDCWD, d->path, RENAME_EXCHANGE) == 0) {
        remove_tree(d->temp); // the previous output
        return true;
    }
    if (errno == ENOENT) // there is none
        return rename(d->temp, d->path) == 0 || io_error(d->cx, d->path, "put the output directory in place");
    if (errno == EINVAL || errno == ENOSYS)
        return put_in_two_steps(d);
    return io_error(d->cx, d->path, "replace the output directory");
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
    if (!put_in_place(d))
        return false;
    leave_temp(d);
    remove_strays(d);
    json_decref(d->files);
    d->files = NULL;
    return true;
}

void outdir_abandon(struct outdir *d)
{
    if (d->temp)
        remove_tree(d->temp);
    leave_temp(d);
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

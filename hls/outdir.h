// SPDX-License-Identifier: Apache-2.0
// outdir: an output directory that appears whole or not at all.
//
// Files go into a temporary directory beside the destination, DIR.aihls-tmp.XXXXXX; outdir_commit writes manifest.json
// (path and SHA-256 of each file) and exchanges the two in one step of the file system, so that a process that is
// killed leaves the previous output or the new one. What it leaves beside them is locked by nobody then, and the next
// commit to the same destination removes it. A process that ends by itself (out of memory, BUG) removes its own.
#ifndef AIHLS_OUTDIR_H
#define AIHLS_OUTDIR_H

#include <jansson.h>

#include "base/diag.h"

struct outdir {
    const struct ctx *cx;
    const char *path; // destination
    char *temp;       // where files are written
    int lock;         // descriptor of temp, locked while this process lives; -1: none
    json_t *files;    // path -> hash
};

// E003 when `path` exists and is no output of ours (a non-empty directory without our manifest, a file);
// E002 when the parent cannot be written.
bool outdir_open(const struct ctx *cx, const char *path, struct outdir *d);
// Writes one file, making its directories. Listed files are part of the manifest.
bool outdir_write(struct outdir *d, const char *file, const void *bytes, size_t n_bytes, bool listed);
// Adds `meta`'s members to the manifest (reference kept by the caller) and puts everything in place.
bool outdir_commit(struct outdir *d, json_t *meta);
// Removes what was written; does nothing after a commit.
void outdir_abandon(struct outdir *d);

// Reads DIR/manifest.json: E105 when it is missing, damaged, or of another version of aihls. New reference.
json_t *outdir_manifest(const struct ctx *cx, const char *dir);

// Lower case hexadecimal SHA-256 (FIPS 180-4).
void sha256_hex(const void *bytes, size_t n_bytes, char out[65]);

// Removes a file or directory tree; missing is fine.
void remove_tree(const char *path);

#endif

// SPDX-License-Identifier: Apache-2.0
// embed: files of the repository inside the program: boards, templates, help texts. One
// binary is all there is to install, and what it uses is what it was built from.
//
// base/embed.sh writes the table at build time from the list of files in the Makefile.
#ifndef AIHLS_EMBED_H
#define AIHLS_EMBED_H

#include <stddef.h>

struct embedded {
    const char *path;           // from the repository's root: "boards/ultra96/board.xml"
    const unsigned char *bytes; // exactly the file; a zero behind it, so text is a string
    size_t n_bytes;             // without that zero
    const char *folder;         // the last folder of the path: "ultra96"; "" at the root
};

extern const struct embedded embedded_files[]; // sorted by path, as strcmp does
extern const int embedded_count;

// The file of exactly that path, or NULL.
const struct embedded *embed_find(const char *path);

#endif

// SPDX-License-Identifier: Apache-2.0
// project_impl: what hls/project*.c share.
#ifndef AIHLS_PROJECT_IMPL_H
#define AIHLS_PROJECT_IMPL_H

#include "hls/project.h"

struct processor;

// A project being written.
struct project {
    const struct design *d;
    struct arena *a;
    const char *rtl; // as project_emit's
    project_put *put;
    void *user;
    const struct processor *cpu; // NULL without
};

// Writes project/FILE from *sb, which is released, or from a file that the program has inside; false stops.
bool project_text(struct project *p, const char *file, struct strbuf *sb);
bool project_embedded(struct project *p, const char *from, const char *to);

// "set VARIABLE { ... }" in Tcl, an element a line; names of files have no character that Tcl would read otherwise.
void project_list(struct strbuf *sb, const char *variable, const char *lines);

// A line each of the memory images, relative to the output directory.
void project_images(const struct design *d, struct strbuf *sb);

// "input  wire [7:0] " of a port.
void project_port(const struct port *port, struct strbuf *sb);

#endif

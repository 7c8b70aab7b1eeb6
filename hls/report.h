// SPDX-License-Identifier: Apache-2.0
// report: the design in numbers. report.json (schema_version 1) holds the facts; report.html and what `aihls report`
// prints are made from it and from nothing else, so that they can be made anew from any output directory.
#ifndef AIHLS_REPORT_H
#define AIHLS_REPORT_H

#include "hls/design.h"

// The facts. New reference.
json_t *report_make(const struct design *d);

// Adds d->error to a report, where it has been measured.
void report_add_error(json_t *report, const struct design *d);

// DIR/report.json of an output directory, or NULL after E105: there is none, it is no JSON, or of another schema.
// New reference.
json_t *report_load(const struct ctx *cx, const char *dir);

// One page, without scripts and without anything from elsewhere, well-formed as XML too. The same report gives the same
// bytes.
void report_html(const json_t *report, struct arena *a, struct strbuf *out);
// Writes it to DIR/report.html; E002 when that fails.
bool report_html_write(const struct ctx *cx, const char *dir, const json_t *report);
// The same for a terminal, at most 110 columns; whatever is no printable ASCII or UTF-8 becomes '?'.
void report_text(const json_t *report, struct arena *a, struct strbuf *out);

#endif

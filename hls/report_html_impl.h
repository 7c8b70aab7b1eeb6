// SPDX-License-Identifier: Apache-2.0
// report_html_impl: the parts of report.html. Each appends a piece of XHTML; colours are the page's CSS variables.
#ifndef AIHLS_REPORT_HTML_IMPL_H
#define AIHLS_REPORT_HTML_IMPL_H

#include "hls/report_view.h"

// s as text of an element or of an attribute in double quotes, in the arena: what has a meaning in HTML is escaped, and
// control characters, which XML has no way to write, are U+FFFD.
const char *html_escape(struct arena *a, const char *s);
// The same of its first `most` characters, with an ellipsis where some are missing.
const char *html_clip(struct arena *a, const char *s, int most);
// A kind of stage as a CSS class: "k-conv", "k-move", …
const char *html_kind_class(const char *kind);

// report_picture.c: stages, streams and FIFO depths; a stage links to "#stN", N its index.
void html_pipeline(const struct view *v, struct strbuf *out);
// report_charts.c
void html_resources(const struct view *v, struct strbuf *out);
void html_roofline(const struct view *v, struct strbuf *out);
// One frame through the stages; nothing before a simulation.
void html_gantt(const struct view *v, struct strbuf *out);
void html_quantization(const struct view *v, struct strbuf *out);
void html_precision(const struct view *v, struct strbuf *out); // nothing where widths were not searched
// report_tables.c
void html_summary(const struct view *v, struct strbuf *out);
void html_stages(const struct view *v, struct strbuf *out);
void html_host(const struct view *v, struct strbuf *out);
// What stands behind "#stN".
void html_panels(const struct view *v, struct strbuf *out);

#endif

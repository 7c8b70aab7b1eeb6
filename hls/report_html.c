// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "hls/report.h"
#include "hls/report_html_impl.h"

// Nothing may run and nothing may be fetched, whatever is in the model's names.
#define POLICY "default-src 'none'; style-src 'unsafe-inline'"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b6570;--line:#d8dde3;--soft:#f2f4f7;--busy:#2f6fb5;--predicted:#9db8d6;"
    "--blocked:#c9731a;--mac:#e3edf8;--macline:#7fa6d1;--dw:#def1ee;--dwline:#63b1a5;--pool:#eee7f8;--poolline:#a58bd0;--join:#fbeedd;"
    "--joinline:#d8a052;--move:#e9f3dd;--moveline:#93b763;--table:#eef0f2;--tableline:#9aa5b1}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e3e7ec;--dim:#97a2ae;--line:#343b43;--soft:#1e2329;--busy:#5b9be0;"
    "--predicted:#48607c;--blocked:#e39a45;--mac:#1d2c3d;--macline:#4a76a6;--dw:#17312e;--dwline:#3f8a7e;--pool:#2a2338;--poolline:#7b62a8;"
    "--join:#37291a;--joinline:#a5783a;--move:#222f18;--moveline:#6b8c42;--table:#24292f;--tableline:#5d6873}}\n"
    "body{margin:0 auto;max-width:1240px;padding:20px 24px 60px;background:var(--bg);color:var(--fg);font:14px/1.45 system-ui,'DejaVu Sans',sans-serif}\n"
    "h1{font-size:22px;margin:0}h2{font-size:16px;margin:34px 0 8px;border-bottom:1px solid var(--line);padding-bottom:3px}"
    "h3{font-size:14px;margin:0 0 6px}p{margin:6px 0;max-width:95ch}\n"
    "a{color:inherit}nav{margin:8px 0 0;font-size:13px}nav a{margin-right:14px;color:var(--dim)}.dim{color:var(--dim)}"
    "code{font-family:'DejaVu Sans Mono',monospace;font-size:12px}\n"
    "table{border-collapse:collapse;font-size:13px}th{font-weight:600;text-align:left}th,td{padding:2px 12px 2px 0;vertical-align:middle}"
    "thead th{color:var(--dim);font-weight:400;border-bottom:1px solid var(--line)}tbody tr:hover{background:var(--soft)}tbody th a{text-decoration:none}"
    "tbody th a:hover{text-decoration:underline}\n"
    ".num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.wide{width:230px;min-width:150px}.scroll{overflow-x:auto}"
    ".columns{display:flex;flex-wrap:wrap;gap:8px 48px}.columns h2{margin-top:22px}.top{max-width:none}.half{flex:1 1 440px}.columns p{max-width:68ch}\n"
    ".bar{display:flex;height:9px;background:var(--soft);margin:1px 0}.bar.thin{height:4px}.bar i{display:block;height:100%}i.busy{background:var(--busy)}"
    "i.predicted{background:var(--predicted)}i.blocked{background:var(--blocked)}\n"
    ".legend{color:var(--dim);font-size:13px}.legend i{display:inline-block;width:11px;height:9px;margin:0 2px 0 8px}\n"
    "svg{font:12px system-ui,'DejaVu Sans',sans-serif;display:block}svg text{fill:var(--fg)}svg .small{font-size:10.5px}svg .dim{fill:var(--dim)}"
    "svg .mid{text-anchor:middle}svg .end{text-anchor:end}svg .name{font-weight:600}\n"
    ".box rect{fill:var(--table);stroke:var(--tableline)}.box rect.track{fill:var(--line);stroke:none}"
    ".box rect.busy,.slot .busy{fill:var(--busy);stroke:none}.box.host rect{fill:var(--bg)}a:hover .box rect:first-of-type{stroke-width:2}\n"
    ".k-mac rect{fill:var(--mac);stroke:var(--macline)}.k-dw rect{fill:var(--dw);stroke:var(--dwline)}.k-pool rect{fill:var(--pool);stroke:var(--poolline)}"
    ".k-join rect{fill:var(--join);stroke:var(--joinline)}.k-move rect{fill:var(--move);stroke:var(--moveline)}\n"
    ".edge .line{fill:none;stroke:var(--dim)}.edge .hit{fill:none;stroke:transparent;stroke-width:9}.edge .chip{fill:var(--bg);stroke:var(--line)}"
    ".edge.deep .line{stroke:var(--blocked)}.edge.deep .chip{stroke:var(--blocked)}.edge:hover .line{stroke:var(--busy)}\n"
    ".grid{stroke:var(--line)}.slot .lead{fill:var(--predicted)}.slot:hover text{font-weight:600}.roof{fill:none;stroke-width:1.6;stroke:var(--fg)}"
    ".roof.built{stroke-dasharray:5 3;stroke:var(--busy)}.roof.dram{stroke-dasharray:1 4;stroke:var(--dim)}.point{fill:var(--blocked);stroke:none}"
    ".point.ring{fill:none;stroke:var(--blocked);stroke-width:2}\n"
    ".panel{display:none}.panel:target{display:block;position:fixed;right:16px;bottom:16px;width:430px;max-width:90vw;max-height:80vh;overflow:auto;"
    "background:var(--bg);border:1px solid var(--dim);border-radius:5px;padding:10px 14px;box-shadow:0 4px 18px #0006}"
    ".panel td,.panel th{vertical-align:top;overflow-wrap:anywhere}.panel th{white-space:nowrap}.close{float:right;color:var(--dim);font-size:13px}\n"
    "@media print{nav,.close{display:none}}\n";

// ---- text ----

// Length of the character at s, 0 where XML has no such character.
static size_t xml_character(const char *s)
{
    unsigned char c = (unsigned char)*s;
    if (c < 0x20)
        return c == '\t' || c == '\n' ? 1 : 0;
    if (strncmp(s, "\xef\xbf\xbe", 3) == 0 || strncmp(s, "\xef\xbf\xbf", 3) == 0)
        return 0;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

// Appends one character and gives the number of bytes that it has in s.
static size_t add_character(struct strbuf *sb, const char *s)
{
    size_t n = xml_character(s);
    if (n == 0) {
        strbuf_adds(sb, "\xef\xbf\xbd");
        return (unsigned char)*s == 0xef ? 3 : 1;
    }
    switch (*s) {
    case '&': strbuf_adds(sb, "&amp;"); break;
    case '<': strbuf_adds(sb, "&lt;"); break;
    case '>': strbuf_adds(sb, "&gt;"); break;
    case '"': strbuf_adds(sb, "&quot;"); break;
    default: strbuf_add(sb, s, n);
    }
    return n;
}

const char *html_clip(struct arena *a, const char *s, int most)
{
    struct strbuf sb = STRBUF_INIT;
    const char *from = s;
    size_t kept = 0; // bytes of what fits with an ellipsis behind it
    for (int n = 0; *from; n++) {
        if (n == most) {
            strbuf_clear(&sb);
            for (const char *again = s; (size_t)(again - s) < kept;)
                again += add_character(&sb, again);
            strbuf_adds(&sb, "\xe2\x80\xa6");
            break;
        }
        from += add_character(&sb, from);
        if (n == most - 2)
            kept = (size_t)(from - s);
    }
    const char *out = arena_strdup(a, sb.text);
    strbuf_release(&sb);
    return out;
}

const char *html_escape(struct arena *a, const char *s)
{
    return html_clip(a, s, -1);
}

const char *html_kind_class(const char *kind)
{
    static const struct { const char *kind, *class; } classes[] = {
        { "conv", "k-mac" }, { "dw", "k-dw" }, { "gap", "k-pool" }, { "add", "k-join" }, { "mul", "k-join" }, { "gather", "k-move" }, { "concat", "k-move" },
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].kind, kind) == 0)
            return classes[i].class;
    return "k-table";
}

// ---- the page ----

static void head(const struct view *v, struct strbuf *out)
{
    const char *name = html_escape(v->arena, view_text(v->report, "model.name")), *board = html_escape(v->arena, view_text(v->report, "board.name"));
    strbuf_addf(out, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta "
                "http-equiv=\"Content-Security-Policy\" content=\"%s\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>%s on %s</title>\n<style>\n%s</style>\n</head>"
                        "\n<body>\n", POLICY, name, board, style);
    strbuf_addf(out, "<h1>%s <span class=\"dim\">on %s</span></h1>\n<p class=\"dim top\">%s at %s MHz &#183; %s multiply-accumulates a frame, %s "
                "parameters &#183; %d stages, %d streams</p>\n", name, board,
                html_escape(v->arena, view_text(v->report, "board.part")), view_count(v->arena, v->clock_hz / 1000000),
                            view_count(v->arena, view_int(v->report, "model.macs")),
                view_count(v->arena, view_int(v->report, "model.params")), v->n_stages, v->n_streams);
    if (v->n_stages == 0)
        return;
    strbuf_adds(out, "<nav><a href=\"#pipeline\">pipeline</a><a href=\"#stages\">stages</a><a href=\"#frame\">one frame</a><a href=\"#quantization\">"
                "quantization</a><a href=\"#host\">host</a></nav>\n");
}

static void hardware(const struct view *v, struct strbuf *out)
{
    strbuf_adds(out, "<div class=\"columns\"><div class=\"half\"><h2 id=\"figures\">Predicted and simulated</h2>\n");
    html_summary(v, out);
    strbuf_adds(out, "<h2 id=\"resources\">Resources</h2>\n");
    html_resources(v, out);
    strbuf_adds(out, "</div><div class=\"half\"><h2 id=\"roofline\">Roofline</h2>\n");
    html_roofline(v, out);
    strbuf_adds(out, "</div></div>\n<h2 id=\"pipeline\">Pipeline</h2>\n<p class=\"dim\">A box is a stage, the strip at its foot the share of the "
                "interval in which it works; a click shows all of it. A number at an edge is the depth of its FIFO in words, "
                "framed where that is block RAM.</p>\n<div class=\"scroll\">\n");
    html_pipeline(v, out);
    strbuf_adds(out, "</div>\n<h2 id=\"stages\">Stages</h2>\n");
    html_stages(v, out);
    strbuf_adds(out, "<h2 id=\"frame\">One frame</h2>\n<div class=\"scroll\">\n");
    html_gantt(v, out);
    strbuf_adds(out, "</div>\n<h2 id=\"quantization\">Quantization error by layer</h2>\n");
    html_quantization(v, out);
    html_precision(v, out);
}

void report_html(const json_t *report, struct arena *a, struct strbuf *out)
{
    struct view v = view_make(report, a);
    head(&v, out);
    if (v.n_stages)
        hardware(&v, out);
    else
        strbuf_adds(out, "<p>Nothing runs in hardware: the driver computes the whole model.</p>\n");
    strbuf_adds(out, "<h2 id=\"host\">On the host</h2>\n");
    html_host(&v, out);
    html_panels(&v, out);
    strbuf_adds(out, "</body>\n</html>\n");
}

bool report_html_write(const struct ctx *cx, const char *dir, const json_t *report)
{
    struct strbuf page = STRBUF_INIT;
    const char *path = arena_printf(cx->arena, "%s/report.html", dir), *temp = arena_printf(cx->arena, "%s.tmp", path);
    report_html(report, cx->arena, &page);
    FILE *f = fopen(temp, "wb");
    bool ok = f && fwrite(page.text, 1, page.len, f) == page.len;
    if (f)
        ok &= fclose(f) == 0;
    ok = ok && rename(temp, path) == 0;
    int error = errno;
    strbuf_release(&page);
    if (!ok)
        remove(temp);
    return ok || diag_error(cx, E002, path, "check the path, its permissions and the free space", "cannot write report.html: %s", strerror(error));
}

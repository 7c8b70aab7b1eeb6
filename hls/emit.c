// SPDX-License-Identifier: Apache-2.0
#include "hls/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/embed.h"
#include "dataflow/reload.h"
#include "hls/bind.h"
#include "hls/driver.h"
#include "hls/outdir.h"
#include "hls/project.h"
#include "hls/report.h"
#include "hls/shell.h"

#define SPDX "// SPDX-License-Identifier: Apache-2.0\n"

struct emission {
    const struct design *d;
    struct outdir *out;
    struct arena *a;
    int n_files;
    const char *rtl; // the list of Verilog files, as in NAME.f
};

static bool put(struct emission *e, const char *file, const char *text, size_t n)
{
    e->n_files++;
    return outdir_write(e->out, file, text, n, true);
}

static bool put_text(struct emission *e, const char *file, struct strbuf *sb)
{
    bool ok = put(e, file, sb->text, sb->len);
    strbuf_clear(sb);
    return ok;
}

static bool is_template(const char *path)
{
    return strncmp(path, "rtl_templates/", 14) == 0;
}

static void print_port(const char *name, int lanes, bool input, struct strbuf *sb)
{
    const char *forward = input ? "input  wire" : "output wire", *backward = input ? "output wire" : "input  wire";
    strbuf_addf(sb, ",\n    %s [%d:0] %s_data,\n    %s %s_valid,\n    %s %s_ready", forward, 8 * lanes - 1, name, forward, name, backward, name);
}

static void print_connection(const char *name, struct strbuf *sb)
{
    strbuf_addf(sb, "        .%s_data(%s_data),\n        .%s_valid(%s_valid),\n        .%s_ready(%s_ready),\n", name, name, name, name, name, name);
}

// NAME: what a board's shell instantiates; the core with its test input tied off.
static void print_top(const struct design *d, struct strbuf *sb)
{
    const struct pipeline *p = d->pipeline;
    int n = p->n_inputs + p->n_outputs;
    const struct image *code = d->netlist->code;
    strbuf_addf(sb, SPDX "// %s: made by aihls for %s at %lld MHz, %lld cycles per frame.\n", d->top, d->board.name,
                (long long)(p->clock_hz / 1000000), (long long)p->interval_cycles);
    for (int i = 0; i < n; i++) {
        const struct host_port *port = i < p->n_inputs ? &p->inputs[i] : &p->outputs[i - p->n_inputs];
        const struct stream *s = &p->streams[port->stream];
        strbuf_addf(sb, "// %s: %lld x %lld x %lld int8 elements (y, x, channel), %d a beat.\n", port->name, (long long)s->h, (long long)s->w,
                    (long long)s->c, s->lanes);
    }
    if (code)
        strbuf_addf(sb, "// %s: behind each reset the %lld bytes of %s, once, before the first frame.\n", BIND_CODE, (long long)code->depth_words, code->file);
    strbuf_addf(sb, "// Channel c of a pixel is lane c %% lanes of the pixel's beat c / lanes; unused lanes are zero.\n"
                "// Transfer on valid && ready%s. Synchronous reset, active high.\n"
                "`default_nettype none\n\nmodule %s #(\n    parameter TECH = \"GENERIC\" // %s on this board\n) (\n"
                "    input  wire clk,\n    input  wire rst", n > 2 ? "; each stream at its own time, but none may wait for another's frame to end" : "",
                d->top, d->board.tech->mac);
    for (int i = 0; i < p->n_inputs; i++)
        print_port(p->inputs[i].name, p->streams[p->inputs[i].stream].lanes, true, sb);
    for (int i = 0; i < p->n_outputs; i++)
        print_port(p->outputs[i].name, p->streams[p->outputs[i].stream].lanes, false, sb);
    if (code)
        print_port(BIND_CODE, 1, true, sb);
    strbuf_addf(sb, "\n);\n    wire [%d:0] unused_watch;\n    %s_core #(.TECH(TECH)) u_core (\n        .clk(clk),\n        .rst(rst),\n", 2 * p->n_streams - 1, d->top);
    for (int i = 0; i < n; i++)
        print_connection(i < p->n_inputs ? p->inputs[i].name : p->outputs[i - p->n_inputs].name, sb);
    if (code)
        print_connection(BIND_CODE, sb);
    strbuf_addf(sb, "        .stall(%d'd0),\n        .watch(unused_watch)\n    );\nendmodule\n\n`default_nettype wire\n", p->n_edges);
}

// A wrapper around the core, as rtl/MODULE.v and in the list of files.
static bool emit_shell(struct emission *e, const struct netlist *n, const char *what, struct strbuf *list)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addf(&sb, SPDX "// %s: %s. docs/80-shell.md of aihls has the manual.\n", n->module, what);
    netlist_print(n, &sb);
    strbuf_addf(list, "rtl/%s.v\n", n->module);
    bool ok = put_text(e, arena_printf(e->a, "rtl/%s.v", n->module), &sb);
    strbuf_release(&sb);
    return ok;
}

static bool emit_rtl(struct emission *e)
{
    const struct design *d = e->d;
    struct strbuf sb = STRBUF_INIT, list = STRBUF_INIT;
    bool ok = true;
    for (int i = 0; i < embedded_count; i++) {
        const struct embedded *f = &embedded_files[i];
        if (!is_template(f->path))
            continue;
        const char *to = arena_printf(e->a, "rtl/%s", f->path + 14);
        ok &= put(e, to, (const char *)f->bytes, f->n_bytes);
        strbuf_addf(&list, "%s\n", to);
    }
    strbuf_addf(&sb, SPDX "// The pipeline of %s: %s.\n", d->top, d->pipeline->serial ? "one unit for all stages" : "one instance a stage, FIFOs between them");
    netlist_print(d->netlist, &sb);
    ok &= put_text(e, arena_printf(e->a, "rtl/%s_core.v", d->top), &sb);
    print_top(d, &sb);
    ok &= put_text(e, arena_printf(e->a, "rtl/%s.v", d->top), &sb);
    strbuf_addf(&list, "rtl/%s_core.v\nrtl/%s.v\n", d->top, d->top);
    ok &= emit_shell(e, shell_axis(d, e->a), "the pipeline with AXI-Stream ports; frame_error is 1 when a TLAST came at the wrong beat", &list);
    if (shell_has_axi(d))
        ok &= emit_shell(e, shell_axi(d, e->a), "the pipeline with registers (AXI4-Lite), DMA (AXI4 master) and interrupt", &list);
    if (shell_has_uart(d))
        ok &= emit_shell(e, shell_line(d, e->a, LINE_UART), arena_printf(e->a, "the pipeline behind a serial line of %lld baud, 8N1 (docs/82-uart.md)", (long long)shell_uart_baud(d)), &list) &&
              emit_shell(e, shell_line(d, e->a, LINE_SPI), "the pipeline behind SPI, mode 0, of at most an eighth of the clock (docs/82-uart.md)", &list);
    e->rtl = arena_strdup(e->a, list.text);
    ok &= put_text(e, arena_printf(e->a, "rtl/%s.f", d->top), &list);
    for (int i = 0; ok && i < d->netlist->n_images; i++) {
        image_print(&d->netlist->images[i], &sb);
        ok &= put_text(e, d->netlist->images[i].file, &sb);
    }
    strbuf_release(&sb);
    strbuf_release(&list);
    return ok;
}

// Tells the harness where streams and stages are inside the model that Verilator makes.
static void print_probes(const struct design *d, struct arena *a, struct strbuf *sb)
{
    const struct pipeline *p = d->pipeline;
    strbuf_addf(sb, SPDX "// Streams and stages of %s, for the programs beside this.\n", d->top);
    strbuf_addf(sb, "#define N_STREAMS %d\n#define N_STAGES %d\n#define N_EDGES %d\n", p->n_streams, p->n_stages, p->n_edges);
    strbuf_adds(sb, "#define PROBE_STREAMS(P) \\\n");
    for (int i = 0; i < p->n_streams; i++)
        strbuf_addf(sb, "    P(%d, %s, %d, %lld)%s\n", i, bind_stream_net(a, i), p->streams[i].lanes,
                    (long long)stream_beats(&p->streams[i], p->streams[i].lanes), i + 1 < p->n_streams ? " \\" : "");
    strbuf_adds(sb, "#define PROBE_INPUTS(P) \\\n");
    for (int i = 0; i < p->n_inputs; i++)
        strbuf_addf(sb, "    P(%s, %d)%s\n", p->inputs[i].name, p->inputs[i].stream, i + 1 < p->n_inputs ? " \\" : "");
    strbuf_adds(sb, "#define PROBE_OUTPUTS(P) \\\n");
    for (int i = 0; i < p->n_outputs; i++)
        strbuf_addf(sb, "    P(%s, %d)%s\n", p->outputs[i].name, p->outputs[i].stream, i + 1 < p->n_outputs ? " \\" : "");
    strbuf_adds(sb, "#define PROBE_STAGES(P) \\\n");
    for (int i = 0; i < p->n_stages; i++)
        strbuf_addf(sb, "    P(%d, %s)%s\n", i, bind_stage_instance(p, a, i), i + 1 < p->n_stages ? " \\" : "");
    const struct image *code = d->netlist->code;
    if (code)
        strbuf_addf(sb, "#define PROBE_CODE(P) P(%s, %lld, \"%s\")\n", BIND_CODE, (long long)code->depth_words, code->file);
    strbuf_addf(sb, "#define NET(root, net) root->%s_core__DOT__##net\n", d->top);
}

// Stages are the instances that carry the model's nodes as a comment.
static bool is_first_stage_of_module(const struct netlist *n, int i)
{
    for (int k = 0; k < i; k++)
        if (n->instances[k].comment && strcmp(n->instances[k].module, n->instances[i].module) == 0)
            return false;
    return n->instances[i].comment;
}

static void print_visible(const struct design *d, struct strbuf *sb)
{
    strbuf_adds(sb, "`verilator_config\n");
    strbuf_addf(sb, "public_flat_rd -module \"%s_core\" -var \"x*_data\"\n", d->top);
    strbuf_addf(sb, "public_flat_rd -module \"%s_core\" -var \"x*_valid\"\n", d->top);
    strbuf_addf(sb, "public_flat_rd -module \"%s_core\" -var \"x*_ready\"\n", d->top);
    for (int i = 0; i < d->netlist->n_instances; i++)
        if (is_first_stage_of_module(d->netlist, i))
            strbuf_addf(sb, "public_flat_rd -module \"%s\" -var \"busy\"\n", d->netlist->instances[i].module);
}

static bool put_embedded(struct emission *e, const char *file)
{
    const struct embedded *f = embed_find(file);
    ASSERT(f);
    return put(e, file, (const char *)f->bytes, f->n_bytes);
}

// What `aihls sim --shell axi` runs.
static bool emit_shell_sim(struct emission *e)
{
    struct strbuf sb = STRBUF_INIT;
    bool ok = put_embedded(e, "sim/shell.cpp") && put_embedded(e, "sim/aihls_check_axi.v") && put_embedded(e, "sim/aihls_check_axil.v");
    strbuf_addf(&sb, SPDX "// %s_axi and the checkers of its buses.\n", e->d->top);
    netlist_print(shell_bench(shell_axi(e->d, e->a), e->d, e->a), &sb);
    ok &= put_text(e, "sim/shell_bench.v", &sb);
    shell_constants(e->d, &sb);
    ok &= put_text(e, "sim/shell.h", &sb);
    strbuf_release(&sb);
    return ok;
}

// What `aihls sim --shell uart` and `--shell spi` run.
static bool emit_line_sim(struct emission *e)
{
    struct strbuf sb = STRBUF_INIT;
    bool ok = put_embedded(e, "sim/line.hpp") && put_embedded(e, "sim/uart.cpp") && put_embedded(e, "sim/spi.cpp");
    strbuf_addf(&sb, SPDX "// %s_uart with a faster line.\n", e->d->top);
    netlist_print(shell_uart_bench(e->d, e->a), &sb);
    ok &= put_text(e, "sim/uart_bench.v", &sb);
    shell_line_constants(e->d, &sb);
    ok &= put_text(e, "sim/line.h", &sb);
    strbuf_release(&sb);
    return ok;
}

// What `aihls sim` runs.
static bool emit_harness(struct emission *e)
{
    const struct design *d = e->d;
    struct strbuf sb = STRBUF_INIT;
    bool ok = put_embedded(e, "sim/random.hpp") && put_embedded(e, "sim/reference.hpp") && put_embedded(e, "sim/harness.cpp") && (!shell_has_axi(d) || emit_shell_sim(e)) && (!shell_has_uart(d) || emit_line_sim(e));
    print_probes(d, e->a, &sb);
    ok &= put_text(e, "sim/probes.h", &sb);
    print_visible(d, &sb);
    ok &= put_text(e, "sim/visible.vlt", &sb);
    strbuf_release(&sb);
    return ok;
}

// What opens the directory again.
static bool emit_source(struct emission *e)
{
    const struct design *d = e->d;
    struct strbuf sb = STRBUF_INIT;
    bool ok = true;
    ok &= put(e, "sim/model.onnx", d->model_bytes.text, d->model_bytes.len);
    ok &= put(e, "sim/board.xml", d->board.xml_text, strlen(d->board.xml_text));
    json_t *o = design_options(d);
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_SORT_KEYS);
    ok &= put(e, "sim/options.json", text, strlen(text));
    free(text);
    json_decref(o);
    pipeline_dump(d->pipeline, &sb);
    ok &= put_text(e, "sim/pipeline.txt", &sb);
    strbuf_release(&sb);
    return ok;
}

static bool put_project(void *user, const char *file, const char *text, size_t n_bytes)
{
    return put(user, file, text, n_bytes);
}

bool emit_design(const struct ctx *cx, const struct design *d, const char *path, const char *log, int *n_files)
{
    struct outdir out;
    if (!outdir_open(cx, path, &out))
        return false;
    struct emission e = { d, &out, cx->arena, 0, NULL };
    json_t *report = report_make(d);
    struct strbuf page = STRBUF_INIT;
    report_html(report, cx->arena, &page);
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_SORT_KEYS);
    bool hardware = !d->netlist || (emit_rtl(&e) && emit_harness(&e) && project_emit(d, cx->arena, e.rtl, put_project, &e));
    bool ok = hardware && emit_source(&e) && driver_emit(cx, d, &out, &e.n_files) &&
              outdir_write(&out, "report.json", text, strlen(text), false) && outdir_write(&out, "report.html", page.text, page.len, false) &&
              outdir_write(&out, "build.log", log, strlen(log), false);
    free(text);
    strbuf_release(&page);
    json_decref(report);
    json_t *meta = json_pack("{s:s, s:s, s:s}", "top", d->top, "board", d->board.name, "part", d->board.part);
    ok = ok && outdir_commit(&out, meta);
    json_decref(meta);
    outdir_abandon(&out);
    *n_files = e.n_files + 4; // manifest, two reports, log
    return ok;
}

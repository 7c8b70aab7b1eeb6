// SPDX-License-Identifier: Apache-2.0
#include "hls/design.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/partition.h"
#include "dataflow/reload.h"
#include "dataflow/serial.h"
#include "frontend/onnx.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "hls/bind.h"
#include "hls/design_quant.h"
#include "hls/outdir.h"
#include "hls/precision.h"
#include "hls/version.h"
#include "sim/host.h"

// IEEE 1364-2005 and IEEE 1800-2017, annex B of each: tools may read the files as either language.
static const char keywords[] = " "
    "accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before "
    "begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class "
    "clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign "
    "default defparam design disable dist do edge else end endcase endchecker endclass endclocking endconfig "
    "endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty "
    "endsequence endspecify endtable endtask enum event eventually expect export extends extern final "
    "first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff "
    "ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside "
    "instance int integer interconnect interface intersect join join_any join_none large let liblist library "
    "local localparam logic longint macromodule matches medium modport module nand negedge nettype new "
    "nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge "
    "primitive priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect "
    "pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release "
    "repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until "
    "s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify "
    "specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on "
    "sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri "
    "tri0 tri1 triand trior trireg type typedef unique unique0 unsigned until until_with untyped use uwire "
    "var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor "
    "xor ";

static bool is_reserved(const char *id)
{
    char word[32];
    if (strncmp(id, "aihls_", 6) == 0) // the templates
        return true;
    int n = snprintf(word, sizeof word, " %s ", id);
    return n < (int)sizeof word && strstr(keywords, word);
}

const char *design_identifier(struct arena *a, const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t n = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    char *id = arena_alloc(a, n + 2), *out = id;
    if (!isalpha((unsigned char)*base))
        *out++ = 'm';
    for (size_t i = 0; i < n; i++) {
        char c = isalnum((unsigned char)base[i]) ? (char)tolower((unsigned char)base[i]) : '_';
        if (c == '_' && (out == id || out[-1] == '_'))
            continue; // two underscores in a row mean something to simulators
        *out++ = c;
    }
    while (out > id + 1 && out[-1] == '_')
        out--;
    *out = 0;
    return is_reserved(id) ? arena_printf(a, "m_%s", id) : id;
}

static void count_text(design_progress *say, void *user, struct arena *a, const char *verb, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static void count_text(design_progress *say, void *user, struct arena *a, const char *verb, const char *fmt, ...)
{
    if (!say)
        return;
    va_list ap;
    va_start(ap, fmt);
    say(user, verb, arena_vprintf(a, fmt, ap));
    va_end(ap);
}

static bool read_bytes(const struct ctx *cx, const struct request *r, struct design *d)
{
    d->request = *r;
    d->top = r->name ? r->name : design_identifier(cx->arena, r->model);
    if (d->model_bytes.len > 0) // from an output directory: complete
        return true;
    if (!strbuf_read_file(&d->model_bytes, r->model))
        return diag_emit(cx, (struct diag_msg){ .code = E002, .where = r->model, .found = strerror(errno),
                         .help = "check the path" }, "cannot read the model");
    return onnx_load_external(cx, r->model, &d->model_bytes) && onnx_fix_shapes(cx, r->model, r->shapes, r->dims, &d->model_bytes);
}

bool design_read_for_reference(const struct ctx *cx, const struct request *r, struct design *d)
{
    const struct onnx_options options = { .keep_types = true, .open_shapes = true };
    return onnx_read_mapped(cx, r->model, &options, r->shapes, r->dims, &d->source);
}

bool design_read_source(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user)
{
    struct arena *a = cx->arena;
    if (!read_bytes(cx, r, d))
        return false;
    struct graph *g;
    if (!onnx_parse(cx, r->model, d->model_bytes.text, d->model_bytes.len, &g))
        return false;
    if (!shape_infer(cx, g))
        return false;
    count_text(say, user, a, "Reading", "%s (opset %lld, %d nodes)", r->model, (long long)g->opset, g->n_nodes);
    d->source = g;
    return true;
}

static bool damaged(const struct ctx *cx, const char *path, const char *what)
{
    return diag_emit(cx, (struct diag_msg){ .code = E105, .where = path, .found = what,
                     .help = "compile the model again" }, "the output directory is damaged");
}

// The host's part of simplified graph g, or NULL, and what the core is calibrated with.
static bool find_partition(const struct ctx *cx, struct design *d, const struct graph *g)
{
    struct array *inputs;
    d->core_calib = d->calib;
    if (d->request.strict_hw || (d->reopened && !d->hosts))
        return true;
    if (d->hosts && strlen(d->hosts) != (size_t)g->n_nodes)
        return damaged(cx, d->request.model, "a partition of another graph");
    bool given = d->hosts != NULL;
    if (!partition_graph(cx, g, d->calib, d->hosts, &d->partition) || (d->partition && !host_describe(cx, d->partition, &d->host)))
        return false;
    if (!d->partition || given) // as it was, ranges too
        return true;
    char *hosts = arena_alloc(cx->arena, (size_t)g->n_nodes + 1);
    for (int i = 0; i < g->n_nodes; i++)
        hosts[i] = d->partition->places[i].on_host ? '1' : '0';
    d->hosts = hosts;
    if (quant_is_quantized(d->partition->core) || d->partition->core->n_nodes == 0)
        return true;
    bool ok = partition_calibration(cx, d->partition, d->calib, &inputs);
    d->core_calib = inputs;
    return ok;
}

static void attach_host(const struct design *d, struct pipeline *p)
{
    p->partition = d->partition;
    p->host = d->host;
    p->runs = d->partition ? d->partition->n_passes : 1;
}

bool design_lower(const struct ctx *cx, const struct design *d, struct graph *g, struct pipeline **out)
{
    if (!lower_graph(cx, g, d->request.requant, d->top, out))
        return false;
    attach_host(d, *out);
    if (d->request.goal.reloadable)
        reload_widen(*out);
    return true;
}

// A pipeline without stages: its one run does nothing, so that driver and references need not know.
static void lower_nothing(const struct ctx *cx, struct design *d)
{
    struct pipeline *p = d->pipeline = arena_new(cx->arena, struct pipeline);
    struct quant_options *options = arena_new(cx->arena, struct quant_options);
    d->graph = d->partition->core;
    d->ranges.options = options;
    *p = (struct pipeline){ .arena = cx->arena, .name = d->top, .graph = d->graph, .optimal = true, .bound = "the host" };
    attach_host(d, p);
    if (!d->reopened) // said when it was compiled
        diag_error(cx, W210, d->source->file, "--partition says why, node by node", "nothing of the model runs in hardware: the output is a driver in C, without Verilog");
}

// "to int8", or which weights have how many bits.
static const char *quant_text(struct arena *a, const struct quant_ranges *r)
{
    static const int widths[] = { 8, 4, 2, 1 };
    const char *text = "weights of";
    bool narrow = false;
    for (int k = 0; k < 4; k++) {
        int64_t n = 0;
        for (int i = 0; i < r->n_layers; i++)
            n += r->layers[i].bits == widths[k] ? r->layers[i].n_weights : 0;
        narrow |= k > 0 && n > 0;
        if (n)
            text = arena_printf(a, "%s %d bit%s (%lld)", text, widths[k], widths[k] > 1 ? "s" : "", (long long)n);
    }
    return narrow ? text : "to int8";
}

bool design_read(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user)
{
    struct arena *a = cx->arena;
    if (!design_read_source(cx, r, d, say, user))
        return false;
    struct graph *g = graph_clone(d->source, a);
    if (!simplify_graph(cx, g))
        return false;
    count_text(say, user, a, "Simplified", "to %d nodes", g->n_nodes);
    if (r->calib && !batch_read(cx, d->source, r->calib, &d->calib))
        return false;
    if (!find_partition(cx, d, g))
        return false;
    const struct partition *part = d->partition;
    if (part && part->core->n_nodes == 0) {
        count_text(say, user, a, "Partition", "%d node%s on the host, nothing in hardware", part->n_host, part->n_host == 1 ? "" : "s");
        lower_nothing(cx, d);
        return true;
    }
    if (part) {
        count_text(say, user, a, "Partition", "%d node%s on the host: %.1f %% of the multiply-accumulates; %d run%s of the hardware a frame", part->n_host,
                   part->n_host == 1 ? "" : "s", part->macs ? 100 * (double)part->host_macs / (double)part->macs : 0, part->n_passes, part->n_passes == 1 ? "" : "s");
        g = part->core;
    }
    bool imported = quant_is_quantized(g);
    if (r->equalize && !imported)
        count_text(say, user, a, "Equalized", "%d pairs of layers", quant_equalize(g));
    d->plain = imported ? NULL : graph_clone(g, a);
    struct quant_options *options = arena_new(a, struct quant_options);
    *options = (struct quant_options){ .method = r->calib_method, .noise = !d->calib };
    if (r->precision && !quant_parse_precision(cx, r->precision, options))
        return false;
    if ((r->min_accuracy || r->max_loss) && !imported && !precision_choose(cx, g, d, options, say, user))
        return false;
    d->ranges.options = options;
    if (!quantize_graph(cx, g, d->core_calib, &d->ranges))
        return false;
    count_text(say, user, a, "Quantized", "%s", imported ? "as the model says" : quant_text(a, &d->ranges));
    d->graph = g;
    if (!design_lower(cx, d, g, &d->pipeline))
        return false;
    count_text(say, user, a, "Lowering", "%d nodes to %d stage%s, %.3f M multiply-accumulates", g->n_nodes,
               d->pipeline->n_stages, d->pipeline->n_stages == 1 ? "" : "s", (double)d->pipeline->macs / 1e6);
    return true;
}

bool design_schedule(const struct ctx *cx, struct design *d, design_progress *say, void *user)
{
    struct pipeline *p = d->pipeline;
    struct schedule_goal goal = d->request.goal; // of the model's frames
    if (p->n_stages == 0) {
        p->board = &d->board;
        p->clock_hz = d->board.clock_hz;
        return true;
    }
    goal.fps *= p->runs;
    goal.max_latency_us = goal.max_latency_us ? max_i64(1, goal.max_latency_us / p->runs) : 0;
    if (!(goal.serial ? serial_solve : schedule_solve)(cx, p, &d->board, &goal))
        return false;
    count_text(say, user, cx->arena, "Folding", "%lld DSP of %lld, %lld %s of %lld, %lld LUT of %lld: %lld cycles per frame, bound by %s",
               (long long)p->total.dsp, (long long)d->board.dsp, (long long)p->total.bram18, d->board.tech->bram_name, (long long)d->board.bram18,
               (long long)p->total.lut, (long long)d->board.lut, (long long)p->interval_cycles, p->bound);
    d->netlist = bind_pipeline(p, cx->arena);
    if (p->reloadable) {
        struct cost more = reload_cost(p);
        count_text(say, user, cx->arena, "Reloadable", "%lld bytes behind each reset; their memories take %lld %s, %lld LUT and %lld FF more than ROMs", (long long)d->netlist->code->depth_words,
                   (long long)more.bram18, d->board.tech->bram_name, (long long)more.lut, (long long)more.ff);
    }
    return true;
}

static bool check_line(const struct ctx *cx, const struct request *r, const struct board *b)
{
    return r->line != LINE_SPI || b->pin_sck ||
           diag_error(cx, E401, b->name, "the board's file needs pin_sck, pin_cs_n, pin_mosi and pin_miso", "--line spi: the board has no pins for SPI");
}

bool design_build(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user)
{
    bool board = board_read(cx, r->board, &d->board) && check_line(cx, r, &d->board); // both kinds of mistakes in one run
    return design_read(cx, r, d, board ? say : NULL, user) && board && design_schedule(cx, d, say, user);
}

void design_release(struct design *d)
{
    strbuf_release(&d->model_bytes);
}

// What a reloadable design has in common with those whose weights it may get. The version: templates may change.
static void identity_text(const struct design *d, struct strbuf *sb)
{
    const struct pipeline *p = d->pipeline;
    strbuf_addf(sb, "aihls %s, %s\n", AIHLS_VERSION, p->board->tech->mac);
    for (int i = 0; i < p->n_inputs + p->n_outputs; i++) {
        const struct stream *s = &p->streams[(i < p->n_inputs ? &p->inputs[i] : &p->outputs[i - p->n_inputs])->stream];
        strbuf_addf(sb, "%s %d: %lld x %lld x %lld elements, scale %.17g, zero point %d\n", i < p->n_inputs ? "input" : "output", i < p->n_inputs ? i : i - p->n_inputs,
                    (long long)s->h, (long long)s->w, (long long)s->c, s->scale, s->zero_point);
    }
    netlist_shape(d->netlist, sb);
}

void design_identity(const struct design *d, char hex[65])
{
    const struct pipeline *p = d->pipeline;
    if (!p->reloadable) {
        sha256_hex(d->model_bytes.text, d->model_bytes.len, hex);
        return;
    }
    struct strbuf sb = STRBUF_INIT;
    identity_text(d, &sb);
    sha256_hex(sb.text, sb.len, hex);
    strbuf_release(&sb);
}

json_t *design_options(const struct design *d)
{
    const struct request *r = &d->request;
    const char *file = strrchr(r->model, '/');
    json_t *name = json_string(file ? file + 1 : r->model); // for messages
    json_t *o = json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:i, s:i, s:b}", "model", name ? name : json_string("model.onnx") /* not UTF-8 */, "name", d->top,
                          "fps", (json_int_t)r->goal.fps, "max_latency_us", (json_int_t)r->goal.max_latency_us,
                          "max_dsp", (json_int_t)r->goal.max_dsp, "clock_hz", (json_int_t)r->goal.clock_hz, "serial", r->goal.serial, "reloadable", r->goal.reloadable,
                          "line", (int)r->line, "requant", (int)r->requant, "equalize", r->equalize);
    ASSERT(o);
    quant_write_json(&d->ranges, o);
    if (d->pipeline->partition)
        json_object_set_new(o, "hosts", json_string(d->hosts));
    return o;
}

static int64_t option_int(const json_t *o, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(o, key));
}

// The emitted core must be what this program emits for the same inputs.
static bool check_core(const struct ctx *cx, const char *dir, struct design *d)
{
    struct strbuf now = STRBUF_INIT, then = STRBUF_INIT;
    const char *path = arena_printf(cx->arena, "%s/rtl/%s_core.v", dir, d->top);
    netlist_print(d->netlist, &now);
    bool same = strbuf_read_file(&then, path);
    const char *at = same ? strstr(then.text, "`default_nettype") : NULL;
    same = at && strcmp(at, now.text) == 0;
    strbuf_release(&now);
    strbuf_release(&then);
    return same || damaged(cx, path, "Verilog that differs from what this version makes of the model");
}

// Every file that the manifest lists must be there as it was written.
static bool check_files(const struct ctx *cx, const char *dir, const json_t *manifest)
{
    const char *file;
    json_t *hash, *files = json_object_get(manifest, "files");
    json_object_foreach(files, file, hash) {
        struct strbuf sb = STRBUF_INIT;
        char hex[65];
        const char *path = arena_printf(cx->arena, "%s/%s", dir, file), *wanted = json_string_value(hash);
        bool there = strbuf_read_file(&sb, path);
        sha256_hex(sb.text, sb.len, hex);
        strbuf_release(&sb);
        if (!there || !wanted || strcmp(hex, wanted) != 0)
            return damaged(cx, path, there ? "a file that changed since it was written" : strerror(errno));
    }
    return true;
}

bool design_reopen(const struct ctx *cx, const char *dir, struct design *d)
{
    struct arena *a = cx->arena;
    json_t *manifest = outdir_manifest(cx, dir);
    bool intact = manifest && check_files(cx, dir, manifest);
    json_decref(manifest);
    if (!intact)
        return false;
    const char *path = arena_printf(a, "%s/sim/options.json", dir);
    json_t *o = json_load_file(path, 0, NULL);
    const char *name = json_string_value(json_object_get(o, "name"));
    const char *model = json_string_value(json_object_get(o, "model"));
    const char *hosts = json_string_value(json_object_get(o, "hosts"));
    d->reopened = true;
    d->hosts = hosts ? arena_strdup(a, hosts) : NULL;
    if (!name || !model || !quant_read_json(a, o, &d->ranges)) {
        json_decref(o);
        return damaged(cx, path, "no usable options");
    }
    struct request r = { .model = arena_strdup(a, model), .name = arena_strdup(a, name),
                         .board = arena_printf(a, "%s/sim/board.xml", dir), .line = (enum line)option_int(o, "line"), .requant = (enum requant_mode)option_int(o, "requant"),
                         .equalize = json_is_true(json_object_get(o, "equalize")),
                         .goal = { option_int(o, "fps"), option_int(o, "max_latency_us"), option_int(o, "max_dsp"), option_int(o, "clock_hz"), json_is_true(json_object_get(o, "serial")),
                                   json_is_true(json_object_get(o, "reloadable")) } };
    json_decref(o);
    const char *copy = arena_printf(a, "%s/sim/model.onnx", dir);
    if (!strbuf_read_file(&d->model_bytes, copy) || d->model_bytes.len == 0)
        return damaged(cx, copy, strerror(errno));
    return design_build(cx, &r, d, NULL, NULL) && (!d->netlist || check_core(cx, dir, d));
}

// The line that begins there, for a message.
static const char *line_at(struct arena *a, const char *text)
{
    while (*text == ' ')
        text++;
    return arena_printf(a, "%.*s", (int)strcspn(text, "\n"), text);
}

static bool same_hardware(const struct ctx *cx, const struct design *hardware, const char *dir, const struct design *d)
{
    struct strbuf have = STRBUF_INIT, now = STRBUF_INIT;
    identity_text(hardware, &have);
    identity_text(d, &now);
    const char *a = have.text, *b = now.text;
    bool same = strcmp(a, b) == 0;
    for (const char *p = a, *q = b; !same && *p && *p == *q; p++, q++)
        if (*p == '\n') {
            a = p + 1;
            b = q + 1;
        }
    if (!same)
        diag_emit(cx, (struct diag_msg){ .code = E306, .where = d->source->file, .found = line_at(cx->arena, b), .need = line_at(cx->arena, a),
                  .help = "a model whose layers and scales are those of the one that the hardware was made from; else compile it without --reload" },
                  "the model needs other hardware than %s has", dir);
    strbuf_release(&have);
    strbuf_release(&now);
    return same;
}

bool design_build_for(const struct ctx *cx, const struct request *r, const struct design *hardware, const char *dir, struct design *d,
                      design_progress *say, void *user)
{
    if (!hardware->pipeline->reloadable)
        return diag_error(cx, E306, dir, "compile it with --reloadable", "its weights are in ROMs");
    struct request all = hardware->request;
    all.model = r->model;
    all.labels = r->labels;
    all.shapes = r->shapes;
    all.dims = r->dims;
    d->ranges = (struct quant_ranges){ .items = hardware->ranges.items, .n = hardware->ranges.n, .cap = hardware->ranges.cap, .hardware = dir };
    struct strbuf preset = STRBUF_INIT;
    d->board = hardware->board;
    if (strbuf_read_file(&preset, arena_printf(cx->arena, "%s/project/preset.txt", dir)))
        d->board.preset_text = arena_strdup(cx->arena, preset.text);
    strbuf_release(&preset);
    return design_read(cx, &all, d, say, user) && design_schedule(cx, d, say, user) && same_hardware(cx, hardware, dir, d);
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/flow/ops_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/embed.h"
#include "hls/simulate.h"

#define HARNESS "tests/flow/ops_harness.cpp"
#define LOG_LINES 30

struct bench {
    struct arena arena;
    const char *dir;
    struct ops_case **live; // cases with a netlist, by slot
    int n;
};

// ---- files ----

static bool write_file(struct bench *b, const char *name, const struct strbuf *text)
{
    const char *path = arena_printf(&b->arena, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(text->text, 1, text->len, f) == text->len;
    ok = (f && fclose(f) == 0) && ok;
    if (!ok)
        fprintf(stderr, "cannot write %s\n", path);
    return ok;
}

static bool write_templates(struct bench *b)
{
    bool ok = true;
    for (int i = 0; i < embedded_count; i++) {
        const struct embedded *e = &embedded_files[i];
        if (strncmp(e->path, "rtl_templates/", 14) != 0)
            continue;
        struct strbuf text = STRBUF_INIT;
        strbuf_add(&text, e->bytes, e->n_bytes);
        ok &= write_file(b, arena_printf(&b->arena, "rtl/%s", e->path + 14), &text);
        strbuf_release(&text);
    }
    return ok;
}

static bool write_core(struct bench *b, const struct ops_case *c)
{
    struct strbuf text = STRBUF_INIT;
    netlist_print(c->netlist, &text);
    bool ok = write_file(b, arena_printf(&b->arena, "cores/%s_core.v", c->name), &text);
    for (int i = 0; ok && i < c->netlist->n_images; i++) {
        strbuf_clear(&text);
        image_print(&c->netlist->images[i], &text);
        ok = write_file(b, c->netlist->images[i].file, &text);
    }
    strbuf_release(&text);
    return ok;
}

// Every core gets a clock, OPS_MAX_EDGES stall bits, every port 64 bits of data and a bit of each handshake. first_in and first_out count
// the ports of the cores in front of this one, and with it afterwards.
static void print_slot(struct strbuf *sb, const struct ops_case *c, int i, int *first_in, int *first_out)
{
    const struct pipeline *p = c->pipeline;
    strbuf_addf(sb, "    %s_core u_%s (.clk(clk[%d]), .rst(rst), .stall(stall[%d +: %d])", c->name, c->name, i, OPS_MAX_EDGES * i, p->n_edges);
    for (int k = 0; k < p->n_inputs + p->n_outputs; k++) {
        bool in = k < p->n_inputs;
        const struct host_port *port = in ? &p->inputs[k] : &p->outputs[k - p->n_inputs];
        const char *side = in ? "in" : "out", *s = port->name;
        int at = in ? *first_in + k : *first_out + k - p->n_inputs;
        strbuf_addf(sb, ",\n        .%s_data(%s_data[%d +: %d]), .%s_valid(%s_valid[%d]), .%s_ready(%s_ready[%d])", s, side, 64 * at,
                    8 * p->streams[port->stream].lanes, s, side, at, s, side, at);
    }
    const struct image *code = c->netlist->code;
    if (code)
        strbuf_addf(sb, ",\n        .s_code_data(%s_data), .s_code_valid(%s_valid), .s_code_ready(%s_ready)", c->name, c->name, c->name);
    strbuf_adds(sb, ");\n");
    if (code)
        strbuf_addf(sb, "    wire [7:0] %s_data;\n    wire %s_valid, %s_ready;\n    ops_loader #(.N(%lld), .FILE(\"%s\")) u_load_%s (.clk(clk[%d]), .rst(rst), .data(%s_data), .valid(%s_valid), .ready(%s_ready));\n",
                    c->name, c->name, c->name, (long long)code->depth_words, code->file, c->name, i, c->name, c->name, c->name);
    for (int k = 0; k < p->n_outputs; k++) {
        int at = *first_out + k, bits = 8 * p->streams[p->outputs[k].stream].lanes;
        if (bits < 64)
            strbuf_addf(sb, "    assign out_data[%d:%d] = %d'd0;\n", 64 * at + 63, 64 * at + bits, 64 - bits);
    }
    *first_in += p->n_inputs;
    *first_out += p->n_outputs;
}

static bool write_wrapper(struct bench *b)
{
    struct strbuf sb = STRBUF_INIT, slots = STRBUF_INIT;
    int ins = 0, outs = 0;
    for (int i = 0; i < b->n; i++)
        print_slot(&slots, b->live[i], i, &ins, &outs);
    const struct { const char *direction, *name; int bits; } ports[] = {
        { "input", "clk", b->n }, { "input", "stall", OPS_MAX_EDGES * b->n }, { "input", "in_data", 64 * ins }, { "input", "in_valid", ins }, { "output", "in_ready", ins },
        { "output", "out_data", 64 * outs }, { "output", "out_valid", outs }, { "input", "out_ready", outs },
    };
    strbuf_adds(&sb, "`default_nettype none\nmodule ops_top (\n    input wire rst");
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        strbuf_addf(&sb, ",\n    %s wire [%d:0] %s", ports[i].direction, ports[i].bits - 1, ports[i].name);
    strbuf_addf(&sb, "\n);\n%s", slots.text);
    strbuf_release(&slots);
    strbuf_adds(&sb, "endmodule\n\n"
                "// What a core needs behind a reset.\n"
                "module ops_loader #(\n    parameter N = 1,\n    parameter FILE = \"\"\n) (\n    input wire clk,\n    input wire rst,\n"
                "    output wire [7:0] data,\n    output wire valid,\n    input wire ready\n);\n"
                "    reg [7:0] mem [0:N-1];\n    integer at;\n    initial $readmemh(FILE, mem);\n    assign data = mem[at];\n    assign valid = at < N;\n"
                "    always @(posedge clk) at <= rst ? 0 : at + (valid && ready);\nendmodule\n`default_nettype wire\n");
    bool ok = write_file(b, "ops_top.v", &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- reference data ----

static void add_number(struct strbuf *sb, int64_t v)
{
    strbuf_add(sb, &v, sizeof v);
}

// Elements as beats, unused lanes zero.
static void add_beats(struct strbuf *sb, const struct stream *s, const int8_t *x)
{
    int64_t padded = ceil_div(s->c, s->lanes) * s->lanes;
    for (int64_t pixel = 0; pixel < s->h * s->w; pixel++) {
        strbuf_add(sb, x + pixel * s->c, (size_t)s->c);
        for (int64_t i = s->c; i < padded; i++)
            strbuf_addch(sb, 0);
    }
}

// The layout is the harness's: see there.
static bool write_cases(struct bench *b)
{
    struct strbuf sb = STRBUF_INIT;
    add_number(&sb, b->n);
    add_number(&sb, OPS_FRAMES);
    for (int i = 0; i < b->n; i++) {
        const struct pipeline *p = b->live[i]->pipeline;
        int n = p->n_inputs + p->n_outputs;
        const struct stream **ends = arena_array(&b->arena, const struct stream *, n);
        for (int k = 0; k < n; k++)
            ends[k] = &p->streams[k < p->n_inputs ? p->inputs[k].stream : p->outputs[k - p->n_inputs].stream];
        add_number(&sb, p->n_inputs);
        add_number(&sb, p->n_outputs);
        for (int k = 0; k < n; k++) {
            add_number(&sb, ends[k]->lanes);
            add_number(&sb, stream_beats(ends[k], ends[k]->lanes));
        }
        add_number(&sb, p->n_edges);
        add_number(&sb, 6 * p->interval_cycles + p->latency_cycles + 2000 + (b->live[i]->netlist->code ? b->live[i]->netlist->code->depth_words : 0));
        for (int k = 0; k < n; k++)
            for (int f = 0; f < OPS_FRAMES; f++)
                add_beats(&sb, ends[k], b->live[i]->streams[f][ends[k]->index]);
    }
    bool ok = write_file(b, "cases.bin", &sb);
    strbuf_release(&sb);
    return ok;
}

// ---- tools ----

static void print_log_end(const char *path)
{
    struct strbuf log = STRBUF_INIT;
    if (strbuf_read_file(&log, path)) {
        const char *p = log.text + log.len;
        for (int lines = 0; p > log.text && lines <= LOG_LINES; p--)
            lines += p[-1] == '\n';
        fprintf(stderr, "%s\n", p);
    }
    strbuf_release(&log);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool run(struct bench *b, const char *log, const char *command)
{
    const char *path = arena_printf(&b->arena, "%s/%s", b->dir, log);
    const char *whole = arena_printf(&b->arena, "( %s ) >%s 2>&1", command, path);
    double start = seconds();
    if (system(whole) == 0) {
        printf("%s: %.1f s\n", log, seconds() - start);
        fflush(stdout);
        return true;
    }
    fprintf(stderr, "this command failed: %s\n", command);
    print_log_end(path);
    return false;
}

// Most of the time went into compiling C++, and there into reading a header with every signal once a file: hence one file,
// and no optimisation (40 cases: 12 s of processor time instead of 32; they run for 3 s instead of 0.6). CXX may name
// another compiler (100 cases with clang++: Verilator 15 s, compiler 11 s, run 5 s).
static bool build(struct bench *b)
{
    const char *cxx = getenv("CXX");
    return run(b, "verilate.log", arena_printf(&b->arena,
               "%sverilator --cc --exe -Wno-fatal -O3 --x-assign unique --x-initial unique --output-split 200000 "
               "--output-split-cfuncs 500 --prefix Vops --top-module ops_top --Mdir %s/obj -I%s/rtl -I%s/cores "
               "%s/ops_top.v \"$PWD\"/" HARNESS, simulate_allocator(&b->arena), b->dir, b->dir, b->dir, b->dir)) &&
           run(b, "compile.log", arena_printf(&b->arena, "make -s -C %s/obj -f Vops.mk VM_PARALLEL_BUILDS=0 OPT_FAST=-O0 OPT_SLOW= CXX=%s", b->dir, cxx && *cxx ? cxx : "g++"));
}

static bool read_results(struct bench *b)
{
    FILE *f = fopen(arena_printf(&b->arena, "%s/results.txt", b->dir), "r");
    int run_index, slot, finished, output;
    long long mismatches, frame, beat, lane;
    if (!f)
        return false;
    while (fscanf(f, "%d %d %d %lld %d %lld %lld %lld", &run_index, &slot, &finished, &mismatches, &output, &frame, &beat, &lane) == 8) {
        ASSERT(run_index >= 0 && run_index < OPS_RUNS && slot >= 0 && slot < b->n);
        const struct pipeline *p = b->live[slot]->pipeline;
        ASSERT(output >= 0 && output < p->n_outputs);
        const struct stream *out = &p->streams[p->outputs[output].stream];
        struct ops_result *r = &b->live[slot]->result[run_index];
        int64_t per_pixel = ceil_div(out->c, out->lanes), channel = beat % per_pixel * out->lanes + lane;
        *r = (struct ops_result){ .seen = true, .finished = finished != 0, .mismatches = mismatches, .output = output, .frame = frame };
        r->element = channel < out->c ? beat / per_pixel * out->c + channel : -1;
        ASSERT(fscanf(f, "%d %d", &r->have, &r->want) == 2);
        for (int i = 0; i < OPS_FRAMES; i++) {
            long long end;
            ASSERT(fscanf(f, "%lld", &end) == 1);
            r->frame_end[i] = end;
        }
    }
    fclose(f);
    return true;
}

bool ops_bench(struct ops_case *cases, int n, uint64_t seed, const char *dir)
{
    struct bench b = { .dir = dir };
    struct arena *a = &b.arena;
    b.live = arena_array(a, struct ops_case *, n);
    for (int i = 0; i < n; i++)
        if (!cases[i].broken)
            b.live[b.n++] = &cases[i];
    bool ok = b.n == 0 || system(arena_printf(a, "rm -rf '%s' && mkdir -p '%s/mem' '%s/rtl' '%s/cores'", dir, dir, dir, dir)) == 0;
    if (ok && b.n) {
        ok = write_templates(&b) && write_wrapper(&b) && write_cases(&b);
        for (int i = 0; ok && i < b.n; i++)
            ok = write_core(&b, b.live[i]);
        ok = ok && build(&b);
        ok = ok && run(&b, "run.log", arena_printf(a, "cd %s && obj/Vops cases.bin %llu results.txt", dir, (unsigned long long)seed));
        ok = ok && read_results(&b);
    }
    arena_release(a);
    return ok;
}

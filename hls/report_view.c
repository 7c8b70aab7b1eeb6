// SPDX-License-Identifier: Apache-2.0
#include "hls/report_view.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "hls/report.h"

json_t *report_load(const struct ctx *cx, const char *dir)
{
    json_error_t e;
    const char *path = arena_printf(cx->arena, "%s/report.json", dir);
    json_t *report = json_load_file(path, 0, &e);
    bool ours = view_int(report, "schema_version") == 1 && json_is_array(view_get(report, "stages")) && json_is_array(view_get(report, "streams"));
    if (ours)
        return report;
    diag_emit(cx, (struct diag_msg){ .code = E105, .where = path, .found = report ? "JSON that is no report" : e.text,
              .need = "an output directory of aihls", .help = "compile the model again" }, "this is no report that aihls can show");
    json_decref(report);
    return NULL;
}

const json_t *view_get(const json_t *o, const char *path)
{
    for (const char *dot; o && (dot = strchr(path, '.')); path = dot + 1) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        o = json_object_get(o, key);
    }
    return json_object_get(o, path);
}

int64_t view_int(const json_t *o, const char *path)
{
    return (int64_t)json_integer_value(view_get(o, path));
}

double view_real(const json_t *o, const char *path)
{
    double v = json_number_value(view_get(o, path));
    return isfinite(v) ? v : 0;
}

const char *view_text(const json_t *o, const char *path)
{
    const char *s = json_string_value(view_get(o, path));
    return s ? s : "";
}

const char *view_count(struct arena *a, int64_t n)
{
    char digits[32], out[48];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n), k = 0;
    for (int i = 0; i < len; i++) {
        if (i > (n < 0) && (len - i) % 3 == 0)
            out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return arena_strdup(a, out);
}

double view_percent(double part, double whole)
{
    return whole > 0 && part > 0 ? 100 * part / whole : 0;
}

// ---- from JSON ----

// More than any frame takes: sums and products of two such numbers and a picture's width stay far from the types' ends.
#define MOST_CYCLES 1000000000000000

static int64_t cycles_or_unknown(const json_t *o, const char *key)
{
    const json_t *v = view_get(o, key);
    return json_is_integer(v) ? max_i64(min_i64((int64_t)json_integer_value(v), MOST_CYCLES), UNKNOWN) : UNKNOWN;
}

static const json_t *find_named(const json_t *list, const char *name)
{
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o) {
        if (strcmp(view_text(o, "name"), name) == 0)
            return o;
    }
    return NULL;
}

static int stage_index(const struct view *v, const char *name)
{
    for (int i = 0; i < v->n_stages; i++)
        if (strcmp(v->stages[i].name, name) == 0)
            return i;
    return HOST;
}

static struct view_stage read_stage(const struct view *v, const json_t *o)
{
    const char *name = view_text(o, "name");
    const json_t *s = find_named(view_get(v->report, "simulated.stages"), name);
    return (struct view_stage){ .name = name, .kind = view_text(o, "kind"), .nodes = view_text(o, "nodes"), .json = o, .macs = view_int(o, "macs"),
                                .products = view_int(o, "products_per_cycle"), .predicted = view_int(o, "predicted_cycles"),
                                .busy = cycles_or_unknown(s, "busy_cycles"), .waiting = cycles_or_unknown(s, "waiting_cycles"),
                                .blocked = cycles_or_unknown(s, "blocked_cycles"), .dsp = view_int(o, "dsp"), .bram = view_int(o, "bram18"),
                                .lut = view_int(o, "lut"), .ff = view_int(o, "ff"), .out = UNKNOWN };
}

static const char *shape_of(struct arena *a, const json_t *hwc)
{
    return arena_printf(a, "%lld x %lld x %lld", (long long)json_integer_value(json_array_get(hwc, 0)), (long long)json_integer_value(json_array_get(hwc, 1)),
                        (long long)json_integer_value(json_array_get(hwc, 2)));
}

// The host's port that the stream comes from.
static const char *input_port(const json_t *report, const char *stream)
{
    size_t i;
    const json_t *o;
    json_array_foreach(view_get(report, "inputs"), i, o) {
        if (strcmp(view_text(o, "stream"), stream) == 0)
            return view_text(o, "port");
    }
    return "";
}

static struct view_stream read_stream(const struct view *v, const json_t *o)
{
    const char *name = view_text(o, "name");
    const json_t *s = find_named(view_get(v->report, "simulated.streams"), name);
    return (struct view_stream){ .name = name, .tensor = view_text(o, "tensor"), .json = o, .shape = shape_of(v->arena, view_get(o, "shape_hwc")),
                                 .from = stage_index(v, view_text(o, "from")), .port = input_port(v->report, name), .lanes = view_int(o, "lanes"),
                                 .beats = view_int(o, "beats"), .first = cycles_or_unknown(s, "first_beat"), .last = cycles_or_unknown(s, "last_beat"),
                                 .blocked = cycles_or_unknown(s, "blocked_cycles"), .compared = view_get(o, "error_steps"),
                                 .exact = !json_is_number(view_get(o, "sqnr_db")), .sqnr_db = view_real(o, "sqnr_db"), .error_steps = view_real(o, "error_steps") };
}

static void read_edges(struct view *v, int stream)
{
    size_t i;
    const json_t *o;
    json_array_foreach(view_get(v->streams[stream].json, "readers"), i, o) {
        struct view_edge e = { .stream = stream, .to = stage_index(v, view_text(o, "stage")), .port = view_text(o, "port"),
                               .fifo_words = view_int(o, "fifo_words"), .lanes = view_int(o, "lanes"), .block = json_is_true(view_get(o, "fifo_block_ram")) };
        arena_push(v->arena, v->edges, v->n_edges, v->cap_edges, e);
    }
}

struct view view_make(const json_t *report, struct arena *a)
{
    const json_t *stages = view_get(report, "stages"), *streams = view_get(report, "streams");
    struct view v = { .report = report, .arena = a, .clock_hz = view_int(report, "board.clock_hz"),
                      .runs = fmax(1, view_real(report, "partition.runs")),
                      .predicted_cycles = min_i64(view_int(report, "predicted.cycles_per_frame"), MOST_CYCLES),
                      .simulated_cycles = min_i64(view_int(report, "simulated.cycles_per_frame"), MOST_CYCLES) };
    v.simulated = v.simulated_cycles > 0;
    v.stages = arena_array(a, struct view_stage, json_array_size(stages));
    v.streams = arena_array(a, struct view_stream, json_array_size(streams));
    for (; (size_t)v.n_stages < json_array_size(stages); v.n_stages++)
        v.stages[v.n_stages] = read_stage(&v, json_array_get(stages, (size_t)v.n_stages));
    for (; (size_t)v.n_streams < json_array_size(streams); v.n_streams++) {
        v.streams[v.n_streams] = read_stream(&v, json_array_get(streams, (size_t)v.n_streams));
        read_edges(&v, v.n_streams);
        if (v.streams[v.n_streams].from != HOST)
            v.stages[v.streams[v.n_streams].from].out = v.n_streams;
    }
    return v;
}

// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "hls/simulate.h"

static int64_t number(const json_t *o, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(o, name));
}

// The mean distance of frames, from when the pipeline is full: the first third is left out.
static int64_t mean_interval(const json_t *intervals)
{
    size_t n = json_array_size(intervals), from = n / 3 + 1;
    int64_t sum = 0;
    for (size_t i = from; i < n; i++)
        sum += (int64_t)json_integer_value(json_array_get(intervals, i));
    return n > from ? (sum + (int64_t)(n - from) / 2) / (int64_t)(n - from) : 0;
}

bool simulate_shell_result(const struct ctx *cx, const struct design *d, const char *path, struct sim_result *out)
{
    json_t *j = json_load_file(path, 0, NULL);
    if (!j)
        return diag_error(cx, E502, path, NULL, "the simulation left no result");
    const json_t *first = json_object_get(j, "first"), *stalls = json_object_get(j, "stalls");
    const char *failure = json_string_value(json_object_get(j, "failure"));
    *out = (struct sim_result){ .frames = number(j, "frames"), .mismatches = number(j, "mismatches"), .marked = number(j, "marked"), .bursts = number(j, "bursts"), .noise = number(j, "noise") };
    out->cycles_per_frame = mean_interval(json_object_get(j, "interval"));
    out->latency_cycles = (int64_t)json_integer_value(json_array_get(json_object_get(j, "latency"), 0));
    out->stream_blocked = arena_array(cx->arena, int64_t, d->pipeline->n_streams);
    for (int i = 0; i < d->pipeline->n_streams && out->frames; i++)
        out->stream_blocked[i] = (int64_t)json_integer_value(json_array_get(stalls, 2 * (size_t)i)) / out->frames;
    bool ok = true;
    if (first)
        ok = simulate_mismatch(cx, d, first);
    else if (failure)
        ok = diag_emit(cx, (struct diag_msg){ .code = E603, .where = d->top, .found = arena_strdup(cx->arena, failure),
                       .help = "if the output directory is unchanged this is a mistake in aihls, please report it" }, "the shell does not do what it should");
    json_decref(j);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
// Every layer of imported networks against vectors, bit for bit: in the float reference and in the integers of the hardware.
// The small networks are our own (tests/models/integers.py computes their vectors with Python's integers); those of
// others are looked for in $AIHLS_MODELS, else ../shared/models, with vectors in ../shared/vectors, and skipped where absent.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hls/design.h"
#include "sim/ref_float.h"
#include "sim/ref_int.h"

static struct arena arena;
static struct strbuf messages = STRBUF_INIT;
static struct diag diag = { .rendered = &messages };
static struct ctx cx = { &arena, &diag };

// Layers: tensors of the model, and the vectors' members in the same order. Images in the vectors are HWC.
static struct network {
    const char *name, *model, *vectors; // of ../shared when the path has no slash
    const char *layers, *members;
    int images; // so many of the first have a stream in the hardware
} networks[] = {
    { "21 golden layers of the drone network", "pulp_dronet2.onnx", "pulp_dronet2.npz",
      "128 129 141 153 165 177 189 197 209 221 233 245 257 265 277 289 301 313 325 333 336",
      "layer00 layer01 layer02 layer03 layer04 layer05 layer06 layer07 layer08 layer09 layer10 layer11 layer12 layer13 layer14 "
      "layer15 layer16 layer17 layer18 layer19 layer20", 20 },
    { "a small network of integers in floats", "tests/models/integers.onnx", "tests/models/integers.npz",
      "first pooled depthwise pointwise bypass sum scores", "first pooled depthwise pointwise bypass sum scores", 6 },
};

static const char *place(const char *folder, const char *file)
{
    const char *models = getenv("AIHLS_MODELS");
    if (strchr(file, '/'))
        return file;
    return arena_printf(&arena, "%s/%s/%s", models ? arena_printf(&arena, "%s/..", models) : "../shared", folder, file);
}

// Word i of a list.
static const char *word(const char *list, int i)
{
    for (; i; i--)
        list = strchr(list, ' ') + 1;
    return arena_printf(&arena, "%.*s", (int)strcspn(list, " "), list);
}

static int words(const char *list)
{
    int n = 1;
    for (; *list; list++)
        n += *list == ' ';
    return n;
}

static const struct tensor *tensor_of(const struct graph *g, const char *name)
{
    for (int i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i]->name, name) == 0)
            return g->tensors[i];
    fail_msg("the model has no tensor '%s'", name);
    return NULL;
}

// Element i, row major, of a tensor whose image the vectors have channels last.
static double golden(const struct array *want, const struct tensor *t, int64_t i)
{
    if (t->rank != 4)
        return array_f64(want, i);
    int64_t pixels = t->dims[2] * t->dims[3];
    return array_f64(want, i % pixels * t->dims[1] + i / pixels);
}

static void check_float(const struct design *d, const struct array *values, const struct network *n, int k, const struct array *want)
{
    const struct tensor *t = tensor_of(d->source, word(n->layers, k));
    const struct array *x = &values[t->index];
    assert_int_equal(array_count(want), tensor_count(t));
    for (int64_t i = 0; i < tensor_count(t); i++)
        if (array_f64(x, i) != golden(want, t, i))
            fail_msg("layer %d ('%s'), element %lld: %g in floats, not %g", k, t->name, (long long)i, array_f64(x, i), golden(want, t, i));
}

static void check_integers(const struct design *d, int8_t *const *streams, const struct network *n, int k, const struct array *want)
{
    const struct pipeline *p = d->pipeline;
    const char *name = arena_printf(&arena, "%s/quantized", word(n->layers, k));
    const struct tensor *t = tensor_of(d->source, word(n->layers, k));
    int found = 0;
    for (int s = 0; s < p->n_streams; s++) {
        const struct stream *x = &p->streams[s];
        if (!x->logical || strcmp(x->tensor, name) != 0)
            continue;
        found++;
        for (int64_t i = 0; i < tensor_count(t); i++) {
            double have = x->scale * (streams[s][i] - x->zero_point);
            if (have != golden(want, t, x->logical[i]))
                fail_msg("layer %d ('%s'), element %lld: %g in hardware, not %g", k, t->name, (long long)x->logical[i], have, golden(want, t, x->logical[i]));
        }
    }
    if (!found)
        fail_msg("layer %d ('%s') has no stream", k, name);
}

static void check_network(void **state)
{
    const struct network *n = *state;
    const char *model = place("models", n->model), *vectors = place("vectors", n->vectors);
    if (access(model, R_OK) != 0 || access(vectors, R_OK) != 0) {
        print_message("skipped: %s or %s is not there\n", model, vectors);
        skip();
    }
    struct request r = { .model = model };
    struct design d = { .model_bytes = STRBUF_INIT };
    struct array raw, *values, frame;
    if (!design_read(&cx, &r, &d, NULL, NULL) || !npz_read(&cx, vectors, "x", &raw) || !batch_frame(&cx, d.source, vectors, &raw, 0, &frame))
        fail_msg("%s", messages.text);
    values = arena_array(&arena, struct array, d.source->n_tensors);
    int8_t **streams = arena_array(&arena, int8_t *, d.pipeline->n_streams);
    assert_true(ref_float_graph(&cx, d.source, &arena, &frame, values));
    void *memory;
    assert_true(border_in(&cx, d.pipeline, &arena, &frame, streams, &memory));
    ref_int_frame(d.pipeline, &arena, streams);
    for (int k = 0; k < words(n->layers); k++) {
        struct array want;
        assert_true(npz_read(&cx, vectors, word(n->members, k), &want));
        check_float(&d, values, n, k, &want);
        if (k < n->images)
            check_integers(&d, streams, n, k, &want);
    }
    struct array *results = arena_array(&arena, struct array, d.pipeline->n_outputs);
    assert_true(border_out(&cx, d.pipeline, &arena, streams, memory, results));
    for (int i = 0; i < d.pipeline->n_outputs; i++) {
        const struct array *y = &values[d.source->outputs[i]->index];
        assert_int_equal(array_count(y), array_count(&results[i]));
        assert_memory_equal(y->data, results[i].data, (size_t)array_count(y) * sizeof(float));
    }
    design_release(&d);
}

int main(void)
{
    struct CMUnitTest tests[8];
    size_t n = 0;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        tests[n++] = (struct CMUnitTest){ networks[i].name, check_network, NULL, NULL, &networks[i] };
    int failed = _cmocka_run_group_tests("imported", tests, n, NULL, NULL);
    strbuf_release(&messages);
    arena_release(&arena);
    return failed;
}

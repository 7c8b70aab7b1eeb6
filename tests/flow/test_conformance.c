// SPDX-License-Identifier: Apache-2.0
// The float reference against the standard's own test data (Debian's package libonnx-testdata): every case whose values are
// floats, integers or bool. Models and tensors come through our reader.
//
//     test_conformance                   all cases; fails when one fails that tests/flow/conformance.txt does not list
//     test_conformance CASE...           these alone, with what differs
//     AIHLS_CONFORMANCE=docs/conformance.md test_conformance       writes the table of counts
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/onnx.h"
#include "onnx.pb-c.h"
#include "sim/ref_float.h"

#define DATA "/usr/share/libonnx-testdata/data"
#define MAX_CASES 4096

static const char *const suites[] = { "node", "simple", "pytorch-converted", "pytorch-operator" };
static int verbose;

enum verdict { PASSED, FAILED, OUT_OF_SCOPE };

// One case, and what came of it.
struct result {
    char name[160]; // SUITE/CASE
    char op[64];    // that the case is about: the first of its model, or of the body that it was expanded to
    enum verdict verdict;
    bool random; // type and shape compared, not values
};
static struct result results[MAX_CASES];
static int n_results;

// ---- scope ----

static bool is_tensor_type(const Onnx__TypeProto *t)
{
    // strings and complex numbers are 8, 14 and 15
    return !t || t->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET ||
           (t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && t->tensor_type->elem_type != 8 && t->tensor_type->elem_type != 14 &&
            t->tensor_type->elem_type != 15);
}

static bool graph_in_scope(const Onnx__GraphProto *g)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->n_input; i++)
        ok = is_tensor_type(g->input[i]->type);
    for (size_t i = 0; ok && i < g->n_output; i++)
        ok = is_tensor_type(g->output[i]->type);
    for (size_t i = 0; ok && i < g->n_value_info; i++)
        ok = is_tensor_type(g->value_info[i]->type);
    for (size_t i = 0; ok && i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        ok = (!n->domain || !strstr(n->domain, "training")) && !strstr(n->op_type, "Sequence") && !strstr(n->op_type, "Optional");
        ok = ok || strcmp(n->op_type, "ReverseSequence") == 0;
        for (size_t k = 0; ok && k < n->n_attribute; k++)
            ok = !n->attribute[k]->g || graph_in_scope(n->attribute[k]->g);
    }
    return ok;
}

static bool has_random(const struct graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        if (ref_float_is_random(n->op) || (n->op == OP_Dropout && n->n_in > 2))
            return true;
        for (int k = 0; k < n->n_attrs; k++)
            if (n->attrs[k].type == ATTR_GRAPH && has_random(n->attrs[k].g))
                return true;
    }
    return false;
}

// ---- values ----

// The tolerance that the standard's own runner has.
static bool close_enough(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-7 + 1e-3 * fabs(b);
}

// bfloat16 may differ by one unit in the last place: the test data are cut to it, we round to the nearest.
static bool same_bfloat(const struct array *got, const struct array *want, int64_t i)
{
    int a = ((const uint16_t *)got->data)[i], b = ((const uint16_t *)want->data)[i];
    return abs(a - b) <= 1;
}

static bool same(const struct array *got, const struct array *want, bool values, const char *name)
{
    bool ok = got->dtype == want->dtype && got->rank == want->rank && memcmp(got->dims, want->dims, (size_t)want->rank * sizeof *want->dims) == 0;
    if (!ok && verbose) {
        printf("  %s: %s rank %d [", name, dtype_name(got->dtype), got->rank);
        for (int i = 0; i < got->rank; i++)
            printf("%lld,", (long long)got->dims[i]);
        printf("], need %s rank %d [", dtype_name(want->dtype), want->rank);
        for (int i = 0; i < want->rank; i++)
            printf("%lld,", (long long)want->dims[i]);
        printf("]\n");
    }
    for (int64_t i = 0; ok && values && i < array_count(want); i++) {
        bool exact = !dtype_is_float(want->dtype);
        ok = want->dtype == DT_BFLOAT16 ? same_bfloat(got, want, i) : exact ? array_i64(got, i) == array_i64(want, i) : close_enough(array_f64(got, i), array_f64(want, i));
        if (!ok && verbose)
            printf("  %s[%lld]: %.9g, need %.9g\n", name, (long long)i, array_f64(got, i), array_f64(want, i));
    }
    return ok;
}

static struct array array_of(const struct tensor *t)
{
    struct array x = { .dtype = t->dtype, .rank = t->rank };
    union { const void *from; void *to; } u = { .from = t->data };
    memcpy(x.dims, t->dims, sizeof x.dims);
    x.data = u.to;
    return x;
}

// The package stores bfloat16 as uint16, bit by bit.
static void as_bfloat(struct array *x, enum dtype declared)
{
    if (x->dtype == DT_UINT16 && declared == DT_BFLOAT16)
        x->dtype = DT_BFLOAT16;
}

// TensorProto number k of a data set; false without a word when there is none.
static bool read_tensor(const struct ctx *cx, const char *dir, const char *kind, int k, struct tensor *out)
{
    struct strbuf sb = STRBUF_INIT;
    const char *path = arena_printf(cx->arena, "%s/%s_%d.pb", dir, kind, k);
    bool ok = access(path, R_OK) == 0 && strbuf_read_file(&sb, path) && onnx_parse_tensor(cx, path, sb.text, sb.len, out);
    strbuf_release(&sb);
    return ok;
}

// Inputs go to the graph's by name, or by place where names differ.
static bool run_set(const struct ctx *cx, const struct graph *model, const char *dir, bool values)
{
    struct graph *g = graph_clone(model, cx->arena);
    struct array *in = arena_array(cx->arena, struct array, g->n_inputs + 1), *out = arena_array(cx->arena, struct array, g->n_outputs);
    struct tensor t;
    for (int k = 0; read_tensor(cx, dir, "input", k, &t); k++) {
        int at = k;
        for (int i = 0; i < g->n_inputs; i++)
            if (strcmp(g->inputs[i]->name, t.name) == 0)
                at = i;
        if (at >= g->n_inputs)
            return false;
        in[at] = array_of(&t);
        as_bfloat(&in[at], g->inputs[at]->dtype);
    }
    for (int i = 0; i < g->n_inputs; i++)
        if (in[i].dtype == DT_NONE) {
            if (verbose)
                printf("  input %s has no data\n", g->inputs[i]->name);
            return false;
        }
    if (!ref_float_run(cx, g, cx->arena, in, out))
        return false;
    bool ok = true;
    for (int k = 0; ok && k < g->n_outputs; k++) {
        bool have = read_tensor(cx, dir, "output", k, &t);
        struct array want = array_of(&t);
        as_bfloat(&want, out[k].dtype);
        ok = have && same(&out[k], &want, values, g->outputs[k]->name);
    }
    return ok;
}

// ---- cases ----

// The operator of a case: that of its name where it is one ("test_LeakyRelu…" is not), else the model's first.
static const char *first_op(const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_node; i++)
        if (strcmp(g->node[i]->op_type, "Constant") != 0)
            return g->node[i]->op_type;
    return "Constant";
}

static void run_case(const char *suite, const char *name, struct result *r)
{
    struct arena arena = { 0 };
    struct strbuf bytes = STRBUF_INIT, text = STRBUF_INIT;
    struct diag diag = { .rendered = &text, .quiet = true };
    struct ctx cx = { &arena, &diag };
    const char *dir = arena_printf(&arena, DATA "/%s/%s", suite, name), *path = arena_printf(&arena, "%s/model.onnx", dir);
    snprintf(r->name, sizeof r->name, "%s/%s", suite, name);
    r->verdict = OUT_OF_SCOPE;
    assert_true(strbuf_read_file(&bytes, path));
    Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, bytes.len, (const uint8_t *)bytes.text);
    assert_non_null(m);
    snprintf(r->op, sizeof r->op, "%s", first_op(m->graph));
    const struct onnx_options options = { .keep_types = true, .open_shapes = true };
    struct graph *g;
    if (graph_in_scope(m->graph)) {
        r->verdict = FAILED;
        if (onnx_parse_with(&cx, name, bytes.text, bytes.len, &options, &g)) {
            r->random = has_random(g);
            bool ok = true;
            int sets = 0;
            for (; ok && access(arena_printf(&arena, "%s/test_data_set_%d", dir, sets), R_OK) == 0; sets++)
                ok = run_set(&cx, g, arena_printf(&arena, "%s/test_data_set_%d", dir, sets), !r->random);
            r->verdict = ok && sets > 0 ? PASSED : FAILED;
        }
    }
    if (r->verdict == FAILED && verbose)
        printf("FAILED %s (%s)\n%s", r->name, r->op, text.text);
    onnx__model_proto__free_unpacked(m, NULL);
    strbuf_release(&bytes);
    strbuf_release(&text);
    arena_release(&arena);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_test(const struct dirent *e)
{
    return strncmp(e->d_name, "test_", 5) == 0;
}

static void run_suites(void)
{
    for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
        char path[256];
        struct dirent **names;
        snprintf(path, sizeof path, DATA "/%s", suites[s]);
        int n = scandir(path, &names, is_test, compare_names);
        assert_true(n > 0 && n_results + n <= MAX_CASES);
        for (int i = 0; i < n; i++) {
            run_case(suites[s], names[i]->d_name, &results[n_results++]);
            free(names[i]);
        }
        free(names);
    }
}

// ---- report ----

static int by_op(const void *a, const void *b)
{
    return strcmp(((const struct result *)a)->op, ((const struct result *)b)->op);
}

static void count(int from, int to, int *counts)
{
    counts[0] = counts[1] = counts[2] = counts[3] = 0;
    for (int i = from; i < to; i++) {
        counts[results[i].verdict]++;
        counts[3] += results[i].verdict == PASSED && results[i].random;
    }
}

static void print_table(FILE *f)
{
    int counts[4];
    qsort(results, (size_t)n_results, sizeof *results, by_op);
    count(0, n_results, counts);
    fprintf(f, "<!-- SPDX-License-Identifier: Apache-2.0 -->\n# Conformance of the float reference\n\n"
               "Written by `make conformance`, which runs `aihls run --float`'s evaluator on the standard's own test data (Debian's\n"
               "package libonnx-testdata: suites node, simple, pytorch-converted, pytorch-operator). In scope is every case whose values\n"
               "are floats, integers or bool; strings, sequences, maps, optional values and training operators are not.\n"
               "Tolerance as in the standard's runner: 1e-3 relative and 1e-7 absolute for floats, none for integers; one unit in the last\n"
               "place for bfloat16, where the data are cut and we round. What draws random numbers is compared by type and shape.\n\n"
               "In scope %d, passed %d (%d of them by type and shape), failed %d; out of scope %d.\n\n"
               "| first operator of the case | passed | by type and shape | failed | out of scope |\n|---|---:|---:|---:|---:|\n",
            counts[PASSED] + counts[FAILED], counts[PASSED], counts[3], counts[FAILED], counts[OUT_OF_SCOPE]);
    for (int i = 0; i < n_results;) {
        int end = i;
        while (end < n_results && strcmp(results[end].op, results[i].op) == 0)
            end++;
        count(i, end, counts);
        fprintf(f, "| %s | %d | %d | %d | %d |\n", results[i].op, counts[PASSED], counts[3], counts[FAILED], counts[OUT_OF_SCOPE]);
        i = end;
    }
}

// ---- tests ----

static bool is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = list; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) == 0 && (line[n] == '\n' || !line[n]))
            return true;
    }
    return false;
}

static void no_case_fails_that_is_not_known_to(void **state)
{
    (void)state;
    if (access(DATA "/node", R_OK) != 0) {
        print_message("libonnx-testdata is not installed\n");
        skip();
    }
    run_suites();
    struct strbuf known = STRBUF_INIT;
    assert_true(strbuf_read_file(&known, "tests/flow/conformance.txt"));
    int surprises = 0;
    for (int i = 0; i < n_results; i++) {
        bool listed = is_listed(known.text, results[i].name);
        if (listed == (results[i].verdict == FAILED))
            continue;
        print_message("%s: %s\n", results[i].name, listed ? "no longer fails: take it off tests/flow/conformance.txt" : "fails");
        surprises++;
    }
    strbuf_release(&known);
    const char *table = getenv("AIHLS_CONFORMANCE");
    FILE *f = table ? fopen(table, "w") : NULL;
    if (table) {
        assert_non_null(f);
        print_table(f);
        assert_int_equal(fclose(f), 0);
    }
    assert_int_equal(surprises, 0);
}

int main(int argc, char **argv)
{
    verbose = argc > 1;
    for (int i = 1; i < argc; i++) {
        char *slash = strchr(argv[i], '/');
        if (!slash)
            return 2;
        *slash = 0;
        run_case(argv[i], slash + 1, &results[0]);
        printf("%s/%s %s\n", argv[i], slash + 1, results[0].verdict == PASSED ? "passed" : results[0].verdict == FAILED ? "failed" : "out of scope");
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_case_fails_that_is_not_known_to) };
    return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Operators that exporters write as several (frontend/simplify_pattern.c): each form becomes its operator, the float result
// stays, and functions of one element end in one table of the hardware.
#include "tests/support/qdq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "dataflow/quant.h"
#include "frontend/shape.h"
#include "frontend/simplify.h"
#include "sim/ref_float.h"

#define DIMS(...) ((int64_t[]){ __VA_ARGS__ })

enum { C = 8, SIDE = 6 };

// Nodes "Op inputs output", between semicolons; a name that starts with a digit or a minus is a constant of that value.
// x is the input, y the output; attributes stand behind the output: "axes=2,3" makes an input of them.
struct form_row {
    const char *name, *nodes;
    enum op op;    // what it becomes; OP_COUNT: nothing
    bool function; // of one element: one table
    int rank;
    int64_t dims[4];
};

#define IMAGE 4, { 1, C, SIDE, SIDE }
#define TOKENS 3, { 1, SIDE, C }
#define ERF_PART "Div x 1.41421356 a;Erf a b;Add b 1 c;"
#define TANH_PART "Pow x 3 a;Mul a 0.044715 b;Add x b c;Mul c 0.79788456 d;Tanh d e;Add e 1 f;"
#define NORM_PART "ReduceMean x m;Sub x m d;Pow d 2 s;ReduceMean s v;Add v 0.00001 e;Sqrt e r;Div d r n;"
#define RMS_PART "Pow x 2 s;ReduceMean s v;Add v 0.00001 e;Sqrt e r;"

static struct form_row forms[] = {
    { "GELU by Erf", ERF_PART "Mul x c d;Mul d 0.5 y", OP_Gelu, true, IMAGE },
    { "GELU by Erf, half of x", ERF_PART "Mul x 0.5 d;Mul d c y", OP_Gelu, true, IMAGE },
    { "GELU by Erf, half behind the sum", ERF_PART "Mul c 0.5 d;Mul x d y", OP_Gelu, true, IMAGE },
    { "GELU by Erf, by a factor", "Mul x 0.70710678 a;Erf a b;Add 1 b c;Mul x c d;Mul 0.5 d y", OP_Gelu, true, IMAGE },
    { "GELU by Tanh", TANH_PART "Mul x 0.5 g;Mul g f y", OP_Gelu, true, IMAGE },
    { "GELU by Tanh, products for the power", "Mul x x p;Mul p x a;Mul 0.044715 a b;Add x b c;Mul c 0.79788456 d;Tanh d e;Add e 1 f;Mul f x g;Mul g 0.5 y",
      OP_Gelu, true, IMAGE },
    { "GELU by Tanh, factored", "Mul x 0.044715 a;Mul a x b;Add b 1 c;Mul x 0.79788456 d;Mul d c e;Tanh e f;Add f 1 g;Mul x 0.5 h;Mul h g y", OP_Gelu, true, IMAGE },
    { "SiLU", "Sigmoid x a;Mul x a y", OP_Swish, true, IMAGE },
    { "the quick GELU", "Mul x 1.702 a;Sigmoid a b;Mul b x y", OP_Swish, true, IMAGE },
    { "Mish", "Softplus x a;Tanh a b;Mul x b y", OP_Mish, true, IMAGE },
    { "HardSwish, divided at the end", "Add x 3 a;Clip a 0 6 b;Mul x b c;Div c 6 y", OP_HardSwish, true, IMAGE },
    { "HardSwish, divided in between", "Add x 3 a;Clip a 0 6 b;Div b 6 c;Mul x c y", OP_HardSwish, true, IMAGE },
    { "HardSwish by a factor", "Add 3 x a;Clip a 0 6 b;Mul b 0.16666667 c;Mul c x y", OP_HardSwish, true, IMAGE },
    { "HardSigmoid", "Add x 3 a;Clip a 0 6 b;Div b 6 y", OP_HardSigmoid, false, IMAGE },
    { "LayerNorm with scale and bias", NORM_PART "Mul n gamma g;Add g beta y", OP_LayerNormalization, false, TOKENS },
    { "LayerNorm alone", "ReduceMean x m;Sub x m d;Mul d d s;ReduceMean s v;Add v 0.00001 e;Sqrt e r;Div d r y", OP_LayerNormalization, false, TOKENS },
    { "LayerNorm by a reciprocal", "ReduceMean x m;Sub x m d;Pow d 2 s;ReduceMean s v;Add v 0.00001 e;Sqrt e r;Reciprocal r i;Mul d i n;Mul gamma n g;Add beta g y",
      OP_LayerNormalization, false, TOKENS },
    { "RMSNorm", RMS_PART "Div x r n;Mul n gamma y", OP_RMSNormalization, false, TOKENS },
    { "RMSNorm by a reciprocal", RMS_PART "Div 1 r i;Mul x i n;Mul gamma n y", OP_RMSNormalization, false, TOKENS },
    { "RMSNorm by a power", "Mul x x s;ReduceMean s v;Add v 0.00001 e;Pow e -0.5 i;Mul x i n;Mul n gamma y", OP_RMSNormalization, false, TOKENS },
    { "InstanceNorm with scale and bias", NORM_PART "Mul n gamma_c g;Add g beta_c y", OP_InstanceNormalization, false, IMAGE },
    { "attention", "Transpose x t;MatMul x t e;Softmax e p;MatMul p x y", OP_Attention, false, TOKENS },
    { "attention, scaled", "Transpose x t;MatMul x t e;Mul 0.35 e s;Softmax s p;MatMul p x y", OP_Attention, false, TOKENS },
    { "attention, divided, with a mask", "Transpose x t;MatMul x t e;Div e 2.83 s;Add 0.5 s a;Softmax a p;MatMul p x y", OP_Attention, false, TOKENS },
    { "probabilities that somebody else reads", "Transpose x t;MatMul x t e;Softmax e p;MatMul p x v;ReduceMean p m;Add v m y", OP_COUNT, false, TOKENS },
    { "another variable in the product is no SiLU", "Sigmoid x a;Neg x b;Mul b a y", OP_COUNT, false, IMAGE },
    { "another constant is no GELU", "Div x 1.5 a;Erf a b;Add b 1 c;Mul x c d;Mul d 0.5 y", OP_COUNT, false, IMAGE },
    { "another slope is no HardSwish", "HardSigmoid x a;Mul x a y", OP_COUNT, false, IMAGE },
    { "a mean over other axes is no LayerNorm", "ReduceMean x m;Sub x m d;Pow d 2 s;ReduceMax s v;Add v 0.00001 e;Sqrt e r;Div d r y", OP_COUNT, false, TOKENS },
};

static int setup(void **state)
{
    (void)state;
    qdq_setup();
    return 0;
}

static void constants(const struct form_row *r)
{
    float gamma[C], beta[C];
    for (int i = 0; i < C; i++) {
        gamma[i] = (float)random_int(500, 1500) / 1000;
        beta[i] = (float)random_int(-500, 500) / 1000;
    }
    bool image = r->rank == 4;
    model_f32(m, image ? "gamma_c" : "gamma", image ? 3 : 1, DIMS(C, 1, 1), gamma);
    model_f32(m, image ? "beta_c" : "beta", image ? 3 : 1, DIMS(C, 1, 1), beta);
}

// The node in `text`, whose constants become initializers.
static void add_node(const struct form_row *r, const char *text, int number)
{
    char word[4][32], inputs[128] = "";
    const char *op = NULL, *last = NULL;
    int n = 0;
    for (const char *p = text; n < 4 && *p; n++) {
        size_t length = strcspn(p, " ");
        snprintf(word[n], sizeof word[n], "%.*s", (int)length, p);
        p += length + (p[length] == ' ');
    }
    // Clip has one word more
    const char *rest = text;
    op = word[0];
    last = strrchr(text, ' ') + 1;
    rest += strlen(op) + 1;
    for (int k = 0; rest < last; k++) {
        size_t length = strcspn(rest, " ");
        const char *name = arena_printf(&arena, "%.*s", (int)length, rest);
        if ((*name >= '0' && *name <= '9') || *name == '-') {
            float v = (float)atof(name);
            name = arena_printf(&arena, "k%d_%d", number, k);
            model_f32(m, name, 0, NULL, &v);
        }
        strcat(strcat(inputs, k ? " " : ""), name);
        rest += length + 1;
    }
    model_node(m, op, inputs, last);
    if (strcmp(op, "Transpose") == 0)
        model_ints(m, "perm", 3, DIMS(0, 2, 1));
    if (strcmp(op, "ReduceMean") == 0 || strcmp(op, "ReduceMax") == 0)
        model_ints(m, "axes", r->rank == 4 ? 2 : 1, r->rank == 4 ? DIMS(2, 3) : DIMS(-1));
}

static void add_nodes(const struct form_row *r)
{
    const char *p = r->nodes;
    for (int number = 0;; number++) {
        size_t length = strcspn(p, ";");
        add_node(r, arena_printf(&arena, "%.*s", (int)length, p), number);
        if (!p[length])
            return;
        p += length + 1;
    }
}

static int count(const struct graph *g, enum op op)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++)
        n += g->nodes[i]->op == op;
    return n;
}

static const float *run(const struct graph *g, const struct array *x)
{
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    assert_true(ref_float_graph(&cx, g, &arena, x, values));
    return values[g->outputs[0]->index].data;
}

static void check_form(void **state)
{
    const struct form_row *r = *state;
    struct graph *g, *before;
    model_input(m, "x", DT_FLOAT, r->rank, r->dims);
    constants(r);
    add_nodes(r);
    model_output(m, "y");
    if (!model_parse(m, &cx, &g) || !shape_infer(&cx, g))
        fail_msg("%s", messages.text);
    before = graph_clone(g, &arena);
    assert_true(simplify_graph(&cx, g));
    struct array x = array_new(&arena, DT_FLOAT, r->rank, r->dims);
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)random_int(-6000, 6000) / 1000;
    const float *want = run(before, &x), *got = run(g, &x);
    for (int64_t i = 0; i < array_count(&x); i++)
        if (fabs((double)(want[i] - got[i])) > 1e-5 * fmax(1, fabs((double)want[i])))
            fail_msg("element %lld: %.9g, not %.9g", (long long)i, (double)got[i], (double)want[i]);
    if (r->op == OP_COUNT) {
        assert_true(g->n_nodes > 1);
        return;
    }
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(count(g, r->op), 1);
}

// Between two convolutions: convolution, table, convolution, and nothing else.
static void check_table(void **state)
{
    const struct form_row *r = *state;
    const struct graph *source;
    float w[C * C];
    for (int i = 0; i < C * C; i++)
        w[i] = (float)random_int(-1000, 1000) / 1000;
    model_input(m, "in", DT_FLOAT, 4, DIMS(1, C, SIDE, SIDE));
    model_f32(m, "w", 4, DIMS(C, C, 1, 1), w);
    model_node(m, "Conv", "in w", "x");
    add_nodes(r);
    model_node(m, "Conv", "y w", "z");
    model_output(m, "z");
    struct pipeline *p = qdq_lower(&source, REQUANT_EXACT);
    assert_int_equal(p->n_stages, 3);
    assert_int_equal(p->stages[1].kind, STAGE_TABLE);
}

// ---- blocks of channels to blocks of pixels ----

static struct shuffle_row {
    const char *name;
    int64_t cut[6], perm[6];
    const char *mode;
} shuffles[] = {
    { "PixelShuffle", { 1, 2, 2, 2, SIDE, SIDE }, { 0, 1, 4, 2, 5, 3 }, "CRD" },
    { "DepthToSpace by blocks first", { 1, 2, 2, 2, SIDE, SIDE }, { 0, 3, 4, 1, 5, 2 }, "DCR" },
};

static void check_shuffle(void **state)
{
    const struct shuffle_row *r = *state;
    struct graph *g, *before;
    model_input(m, "x", DT_FLOAT, 4, DIMS(1, C, SIDE, SIDE));
    model_i64(m, "cut", 6, r->cut);
    model_i64(m, "shape", 4, DIMS(1, 2, 2 * SIDE, 2 * SIDE));
    model_node(m, "Reshape", "x cut", "a");
    model_node(m, "Transpose", "a", "b");
    model_ints(m, "perm", 6, r->perm);
    model_node(m, "Reshape", "b shape", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g));
    before = graph_clone(g, &arena);
    assert_true(simplify_graph(&cx, g));
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0]->op, OP_DepthToSpace);
    assert_string_equal(node_string(g->nodes[0], "mode", ""), r->mode);
    struct array x = array_new(&arena, DT_FLOAT, 4, DIMS(1, C, SIDE, SIDE));
    for (int64_t i = 0; i < array_count(&x); i++)
        ((float *)x.data)[i] = (float)i;
    assert_memory_equal(run(before, &x), run(g, &x), (size_t)array_count(&x) * sizeof(float));
}

// Scales for 2^31 elements are not made; found by the fuzzer.
static void a_huge_normalization(void **state)
{
    (void)state;
    static const float power = 2, epsilon = 1e-5f;
    struct graph *g;
    model_input(m, "x", DT_FLOAT, 2, DIMS(1, (int64_t)1 << 31));
    model_f32(m, "p", 0, NULL, &power);
    model_f32(m, "e", 0, NULL, &epsilon);
    model_node(m, "Pow", "x p", "s");
    model_node(m, "ReduceMean", "s", "v");
    model_ints(m, "axes", 1, DIMS(-1));
    model_node(m, "Add", "v e", "a");
    model_node(m, "Sqrt", "a", "r");
    model_node(m, "Div", "x r", "y");
    model_output(m, "y");
    assert_true(model_parse(m, &cx, &g) && shape_infer(&cx, g) && simplify_graph(&cx, g));
    assert_int_equal(count(g, OP_RMSNormalization), 0);
    assert_int_equal(count(g, OP_Div), 1);
}

int main(void)
{
    enum { FORMS = sizeof forms / sizeof *forms };
    struct CMUnitTest tests[2 * FORMS + 5];
    size_t n = 0;
    for (size_t i = 0; i < FORMS; i++) {
        tests[n++] = (struct CMUnitTest){ forms[i].name, check_form, setup, qdq_teardown, &forms[i] };
        if (forms[i].function)
            tests[n++] = (struct CMUnitTest){ "… in hardware", check_table, setup, qdq_teardown, &forms[i] };
    }
    for (size_t i = 0; i < sizeof shuffles / sizeof *shuffles; i++)
        tests[n++] = (struct CMUnitTest){ shuffles[i].name, check_shuffle, setup, qdq_teardown, &shuffles[i] };
    tests[n++] = (struct CMUnitTest){ "a huge normalization", a_huge_normalization, setup, qdq_teardown, NULL };
    return _cmocka_run_group_tests("pattern", tests, n, NULL, NULL);
}

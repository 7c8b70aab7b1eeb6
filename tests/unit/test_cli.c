// SPDX-License-Identifier: Apache-2.0
// Tests hls/cli.c: every option in every verb, mistakes, help. tests/flow/test_cli.c runs the program itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "hls/cli.h"

static struct arena arena;
static struct strbuf messages;
static struct diag diag;
static struct ctx cx;
static struct cli cli;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    messages = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &messages };
    cx = (struct ctx){ &arena, &diag };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    strbuf_release(&messages);
    arena_release(&arena);
    return 0;
}

// Parses a command line whose words stand between single spaces.
static bool parse(const char *line)
{
    char *words = arena_strdup(&arena, line), *argv[32];
    int argc = 0;
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    return cli_parse(&cx, argc, argv, &cli);
}

static void accept(const char *line)
{
    if (!parse(line))
        fail_msg("%s\n%s", line, messages.text);
}

static void compile_takes_all_its_options(void **state)
{
    (void)state;
    accept("aihls net.onnx --board ultra96 --out dir --name top_1 --calib c.npy --fps 100 --max-latency-us 50 --clock-mhz 200 "
           "--max-dsp 0 --requant fast --strict --json --quiet --verbose");
    assert_int_equal(cli.verb, VERB_COMPILE);
    assert_string_equal(cli.subject, "net.onnx");
    assert_string_equal(cli.board, "ultra96");
    assert_string_equal(cli.out_dir, "dir");
    assert_string_equal(cli.name, "top_1");
    assert_string_equal(cli.calib, "c.npy");
    assert_int_equal(cli.fps, 100);
    assert_int_equal(cli.max_latency_us, 50);
    assert_int_equal(cli.clock_mhz, 200);
    assert_int_equal(cli.max_dsp, 0);
    assert_int_equal(cli.requant, REQUANT_FAST);
    assert_true(cli.strict && cli.json && cli.quiet && cli.verbose);
}

static void the_defaults_are_those_of_the_help(void **state)
{
    (void)state;
    accept("aihls net.onnx -b ultra96");
    assert_null(cli.out_dir);
    assert_null(cli.name);
    assert_int_equal(cli.fps, 0);
    assert_int_equal(cli.max_dsp, -1);
    assert_int_equal(cli.requant, REQUANT_EXACT);
    assert_int_equal(cli.stalls, 0);
    assert_false(cli.strict || cli.json || cli.quiet || cli.verbose);
    accept("aihls sim dir");
    assert_int_equal(cli.reset_cycles, 4);
    assert_int_equal(cli.reset_at, 0);
    assert_int_equal(cli.power_seed, 1);
    assert_int_equal(cli.frames, 0);
}

static void letters_and_equal_signs_do_the_same(void **state)
{
    (void)state;
    accept("aihls -b pynq-z2 -o out -f 7 -q -v net.onnx");
    assert_string_equal(cli.board, "pynq-z2");
    assert_string_equal(cli.out_dir, "out");
    assert_int_equal(cli.fps, 7);
    assert_true(cli.quiet && cli.verbose);
    accept("aihls net.onnx --board=ultra96 --requant=shift --fps=9");
    assert_string_equal(cli.board, "ultra96");
    assert_int_equal(cli.requant, REQUANT_SHIFT);
    assert_int_equal(cli.fps, 9);
}

static void simulation_takes_its_options(void **state)
{
    (void)state;
    accept("aihls sim dir --input x.npz --frames 5 --stalls 0 --reset-cycles 20 --reset-at 1000 --power-seed 3 --trace t.fst --json -q -v");
    assert_int_equal(cli.verb, VERB_SIM);
    assert_string_equal(cli.subject, "dir");
    assert_string_equal(cli.input, "x.npz");
    assert_int_equal(cli.frames, 5);
    assert_int_equal(cli.stalls, 0);
    assert_int_equal(cli.reset_cycles, 20);
    assert_int_equal(cli.reset_at, 1000);
    assert_int_equal(cli.power_seed, 3);
    assert_string_equal(cli.trace, "t.fst");
}

static void run_and_eval_take_their_options(void **state)
{
    (void)state;
    accept("aihls run net.onnx -i x.npy --output y.npy --float --calib c.npy");
    assert_int_equal(cli.verb, VERB_RUN);
    assert_true(cli.use_float);
    assert_string_equal(cli.output, "y.npy");
    accept("aihls eval dir -d test.npz");
    assert_int_equal(cli.verb, VERB_EVAL);
    assert_string_equal(cli.data, "test.npz");
}

static void shapes_and_dimensions_add_up(void **state)
{
    (void)state;
    accept("aihls net.onnx -b pynq-z2 --shape x=1,3 --dim n=2 --shape=y=4 --dim m=5");
    assert_string_equal(cli.shapes, "x=1,3;y=4");
    assert_string_equal(cli.dims, "n=2;m=5");
}

static struct verb_row {
    const char *name, *line;
    enum verb verb;
} verbs[] = {
    { "boards needs nothing", "aihls boards", VERB_BOARDS },
    { "ops needs nothing", "aihls ops", VERB_OPS },
    { "explain takes a code", "aihls explain E201", VERB_EXPLAIN },
    { "-h is the short help", "aihls -h", VERB_HELP },
    { "--help is the manual", "aihls --help", VERB_HELP_LONG },
    { "help inside a verb", "aihls sim -h", VERB_HELP },
    { "help wins over what is missing", "aihls net.onnx --fps 3 --help", VERB_HELP_LONG },
    { "--version", "aihls --version", VERB_VERSION },
};

static void check_verb(void **state)
{
    const struct verb_row *r = *state;
    setup(state);
    accept(r->line);
    assert_int_equal(cli.verb, r->verb);
}

static struct mistake {
    const char *name, *line, *says;
} mistakes[] = {
    { "nothing at all", "aihls", "no model" },
    { "no model", "aihls --board ultra96", "no model" },
    { "no board", "aihls net.onnx", "no board" },
    { "sim without directory", "aihls sim", "needs an argument" },
    { "explain without code", "aihls explain", "needs an argument" },
    { "run without input", "aihls run net.onnx", "--input" },
    { "eval without data", "aihls eval net.onnx", "--data" },
    { "two models", "aihls a.onnx b.onnx -b x", "'b.onnx'" },
    { "a near miss of a long option", "aihls net.onnx --baord ultra96", "did you mean --board?" },
    { "a near miss with a value", "aihls net.onnx --bord=ultra96", "--bord" },
    { "nothing near", "aihls net.onnx --elephants", "unknown option --elephants" },
    { "an unknown letter", "aihls net.onnx -z", "unknown option -z" },
    { "letters do not bundle", "aihls net.onnx -b x -qv", "unknown option -qv" },
    { "an option without its value", "aihls net.onnx --board", "--board needs NAME" },
    { "a value for a flag", "aihls net.onnx -b x --strict=yes", "--strict takes no value" },
    { "a word instead of a number", "aihls net.onnx -b x --fps many", "'many'" },
    { "a number with a tail", "aihls net.onnx -b x --fps 10k", "'10k'" },
    { "zero frames a second", "aihls net.onnx -b x --fps 0", "at least 1" },
    { "a negative number", "aihls net.onnx -b x --max-dsp -1", "at least 0" },
    { "an empty number", "aihls net.onnx -b x --fps=", "''" },
    { "a number beyond any sense", "aihls net.onnx -b x --fps 99999999999999999999", "--fps" },
    { "a fraction", "aihls net.onnx -b x --clock-mhz 1.5", "'1.5'" },
    { "an unknown requantizer", "aihls net.onnx -b x --requant best", "exact|fast|shift" },
    { "an unknown method", "aihls net.onnx -b x --calib-method max", "auto|minmax|percentile|mse|kl" },
    { "a bound that is no number", "aihls net.onnx -b x --max-loss much", "'much'" },
    { "a bound without frames", "aihls net.onnx -b x --max-loss 1 --calib c.npy", "--data FILE" },
    { "frames without a bound", "aihls net.onnx -b x --data d.npz", "--min-accuracy" },
    { "sim's option while compiling", "aihls net.onnx -b x --stalls 3", "--stalls means nothing here" },
    { "compile's option in sim", "aihls sim dir --board x", "--board means nothing here" },
    { "an option of boards", "aihls boards --json", "--json means nothing here" },
    { "run's option in eval", "aihls eval dir -d x.npz --output y.npy", "--output means nothing here" },
    { "a name with capitals", "aihls net.onnx -b x --name Top", "'Top'" },
    { "a name that begins with a digit", "aihls net.onnx -b x --name 1top", "'1top'" },
    { "a name with two underscores", "aihls net.onnx -b x --name a__b", "'a__b'" },
    { "a name that is a keyword", "aihls net.onnx -b x --name reg", "'reg'" },
    { "a name with a path", "aihls net.onnx -b x --name a/b", "'a/b'" },
    { "an argument for boards", "aihls boards all", "'all'" },
    { "an argument for ops", "aihls ops Conv", "'Conv'" },
};

static void check_mistake(void **state)
{
    const struct mistake *r = *state;
    setup(state);
    assert_false(parse(r->line));
    assert_int_equal(diag.first_error, E401);
    assert_int_equal(diag.exit_code, 2);
    if (!strstr(messages.text, r->says))
        fail_msg("'%s' is missing in: %s", r->says, messages.text);
}

static const char *help(bool all)
{
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    cli_help(f, all);
    fclose(f);
    char *copy = arena_strdup(&arena, text);
    free(text);
    return copy;
}

static int lines_of(const char *text, size_t *longest)
{
    int lines = 0;
    *longest = 0;
    for (size_t n; *text; text += n + 1, lines++) {
        n = strcspn(text, "\n");
        *longest = n > *longest ? n : *longest;
    }
    return lines;
}

static void the_short_help_fits_a_screen(void **state)
{
    (void)state;
    size_t longest;
    int lines = lines_of(help(false), &longest);
    assert_true(lines >= 24 && lines <= 40);
    assert_true(longest <= 132);
}

static void the_manual_has_every_option_examples_and_exit_codes(void **state)
{
    (void)state;
    static const char *const words[] = {
        "--board", "--out", "--name", "--calib", "--fps", "--max-latency-us", "--clock-mhz", "--max-dsp", "--requant", "--strict", "--input", "--frames",
        "--stalls", "--reset-cycles", "--reset-at", "--power-seed", "--trace", "--output", "--float", "--data", "--json", "--quiet", "--verbose", "EXAMPLES", "EXIT STATUS", "manifest.json",
        "aihls sim", "aihls run", "aihls eval", "aihls boards", "aihls ops", "aihls explain",
    };
    const char *text = help(true);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(text, words[i]))
            fail_msg("the manual lacks %s", words[i]);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(compile_takes_all_its_options), TEST(the_defaults_are_those_of_the_help), TEST(letters_and_equal_signs_do_the_same),
        TEST(simulation_takes_its_options), TEST(run_and_eval_take_their_options), TEST(shapes_and_dimensions_add_up), TEST(the_short_help_fits_a_screen),
        TEST(the_manual_has_every_option_examples_and_exit_codes),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(verbs) + COUNT(mistakes)];
    size_t n = COUNT(fixed);
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(verbs); i++)
        tests[n++] = (struct CMUnitTest){ verbs[i].name, check_verb, NULL, teardown, &verbs[i] };
    for (size_t i = 0; i < COUNT(mistakes); i++)
        tests[n++] = (struct CMUnitTest){ mistakes[i].name, check_mistake, NULL, teardown, &mistakes[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

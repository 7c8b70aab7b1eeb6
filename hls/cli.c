// SPDX-License-Identifier: Apache-2.0
#include "hls/cli.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "hls/simulate.h"

enum kind { FLAG, TEXT, LIST, NUMBER, FRACTION, CHOICE };

// Verbs an option belongs to, as bits of 1 << enum verb.
#define C (1u << VERB_COMPILE)
#define S (1u << VERB_SIM)
#define R (1u << VERB_RUN)
#define E (1u << VERB_EVAL)
#define P (1u << VERB_REPORT)

static const struct option_row {
    const char *name, *argument;
    char letter;
    enum kind kind;
    size_t field;
    unsigned verbs;
    bool in_short_help;
    const char *help;
} options[] = {
    { "board", "NAME|FILE.xml", 'b', TEXT, offsetof(struct cli, board), C | R | E, true,
      "target: a name from `aihls boards`, your own board file, or `all` for a table" },
    { "out", "DIR", 'o', TEXT, offsetof(struct cli, out_dir), C, true, "output directory [MODEL.aihls]" },
    { "name", "NAME", 0, TEXT, offsetof(struct cli, name), C, false, "name of the top module [from the model's file name]" },
    { "calib", "FILE", 0, TEXT, offsetof(struct cli, calib), C | R | E, true,
      "representative inputs for float models, in the form of --input" },
    { "labels", "FILE", 0, TEXT, offsetof(struct cli, labels), C, false, "names of the classes for the driver, one a line" },
    { "calib-method", "auto|minmax|percentile|mse|kl", 0, CHOICE, offsetof(struct cli, calib_method), C | R | E, false,
      "how ranges are found: auto takes for each tensor what does least harm behind it [auto]" },
    { "equalize", NULL, 0, FLAG, offsetof(struct cli, equalize), C | R | E, false, "bring the channels between two convolutions to one range first, by powers of two" },
    { "precision", "LAYER=W[/A],...|FILE.json", 0, TEXT, offsetof(struct cli, precision), C | R | E, false,
      "bits of a layer's weights (8, 4, 2, 1) and of what it computes (8, 4, 2); * means all layers [8/8]" },
    { "min-accuracy", "0.98", 0, FRACTION, offsetof(struct cli, min_accuracy), C, false,
      "fewest weight bits, layer by layer, that keep this share of the float model's top-1 on --data (of its answers, where there are no labels)" },
    { "max-loss", "POINTS", 0, FRACTION, offsetof(struct cli, max_loss), C, false, "the same with what top-1 may lose, in points of 100" },
    { "svg", "FILE.svg", 0, TEXT, offsetof(struct cli, svg), E, false, "draw what each layer alone costs" },
    { "shape", "INPUT=N,N,...", 0, LIST, offsetof(struct cli, shapes), C | R | E, false, "shape of an input that the model leaves open; may be given for each" },
    { "dim", "NAME=N", 0, LIST, offsetof(struct cli, dims), C | R | E, false, "an open dimension by its name in the model, as in --dim height=224" },
    { "fps", "N", 'f', NUMBER, offsetof(struct cli, fps), C, true, "frames per second to reach with the least resources [as many as fit]" },
    { "max-latency-us", "N", 0, NUMBER, offsetof(struct cli, max_latency_us), C, false, "longest time from a frame's first element to its result" },
    { "clock-mhz", "N", 0, NUMBER, offsetof(struct cli, clock_mhz), C, false, "clock of the accelerator [the board's]" },
    { "max-dsp", "N", 0, NUMBER, offsetof(struct cli, max_dsp), C, false, "use at most N DSP blocks; 0 builds multipliers from LUTs" },
    { "serial", NULL, 0, FLAG, offsetof(struct cli, serial), C, false, "one multiplier computes all stages, one after another: least resources" },
    { "reloadable", NULL, 0, FLAG, offsetof(struct cli, reloadable), C, false, "weights in memories that are filled at run time: others need no new bitstream" },
    { "reload", "DIR", 0, TEXT, offsetof(struct cli, reload), C, false, "make weights for the hardware in DIR, which was compiled with --reloadable: board, goals and scales are its own" },
    { "line", "uart|spi", 0, CHOICE, offsetof(struct cli, line), C, false, "what the board's project talks through, on boards without a processor [uart]" },
    { "requant", "exact|fast|shift", 0, CHOICE, offsetof(struct cli, requant), C, false,
      "scale factors of 24 bits, 17 bits, or powers of two [exact]" },
    { "strict", NULL, 0, FLAG, offsetof(struct cli, strict), C, false, "exit with 3 when --fps or --max-latency-us is missed" },
    { "strict-hw", NULL, 0, FLAG, offsetof(struct cli, strict_hw), C | R | E, false, "nodes that hardware cannot compute are errors [the host computes them]" },
    { "partition", NULL, 0, FLAG, offsetof(struct cli, partition), C, false, "print for each node whether hardware or the host computes it, and why; build nothing" },
    { "input", "FILE", 'i', TEXT, offsetof(struct cli, input), S | R, true,
      "frames as the model takes them, first axis = frames: .npy, or .npz with a member for each input" },
    { "frames", "N", 'n', NUMBER, offsetof(struct cli, frames), S, false, "frames to simulate [those of --input, else 3]" },
    { "stalls", "SEED", 0, NUMBER, offsetof(struct cli, stalls), S, true, "pause every stream at random, seeded; 0 never pauses [0]" },
    { "reset-cycles", "N", 0, NUMBER, offsetof(struct cli, reset_cycles), S, false, "length of the reset [4]" },
    { "reset-at", "CYCLE", 0, NUMBER, offsetof(struct cli, reset_at), S, false, "reset once more in that cycle, in the middle of whatever goes on, and start again with the first frame; with --shell by its registers, without losing one that is done [never]" },
    { "power-seed", "SEED", 0, NUMBER, offsetof(struct cli, power_seed), S, false, "what registers and memories hold before the reset, at random [1]" },
    { "shell", "axi|uart|spi", 0, TEXT, offsetof(struct cli, shell), S, false, "simulate the accelerator behind its registers and DMA, with a memory as slow as the board's, or behind its serial or SPI line [the pipeline alone]" },
    { "faults", "SEED", 0, NUMBER, offsetof(struct cli, faults), S, false, "with --shell: answer bursts with errors at random; the frames concerned must say so; on a line: noise [none]" },
    { "trace", "FILE.fst", 0, TEXT, offsetof(struct cli, trace), S, false, "record all signals; FILE.gtkw beside it shows them in GTKWave, grouped by stage" },
    { "output", "FILE", 0, TEXT, offsetof(struct cli, output), R, false, "where to write the results, .npy, or .npz with a member for each output [print them]" },
    { "float", NULL, 0, FLAG, offsetof(struct cli, use_float), R, true, "run the float reference instead of the integer one" },
    { "data", "FILE.npz", 'd', TEXT, offsetof(struct cli, data), C | E, true, "frames, in the form of --input, and labels y" },
    { "scores", "NAME", 0, TEXT, offsetof(struct cli, scores), C | E, false, "output that the labels are for [the one that fits them]" },
    { "html", NULL, 0, FLAG, offsetof(struct cli, html), P, false, "write DIR/report.html anew instead of printing" },
    { "json", NULL, 0, FLAG, offsetof(struct cli, json), C | S | R | E | P, false, "diagnostics as JSON, one object a line" },
    { "quiet", NULL, 'q', FLAG, offsetof(struct cli, quiet), C | S | R | E, false, "print errors only" },
    { "verbose", NULL, 'v', FLAG, offsetof(struct cli, verbose), C | S | R | E, false, "print the schedule, stage by stage" },
};
#define N_OPTIONS ((int)(sizeof options / sizeof *options))

static const struct verb_row {
    const char *name;
    enum verb verb;
    bool wants_subject;
    const char *usage, *help;
} verbs[] = {
    { "sim", VERB_SIM, true, "sim DIR", "simulate the emitted Verilog and compare it with the integer reference" },
    { "run", VERB_RUN, true, "run MODEL|DIR", "run the C reference on your data" },
    { "eval", VERB_EVAL, true, "eval MODEL|DIR", "top-1 accuracy of float and integer reference" },
    { "report", VERB_REPORT, true, "report DIR", "what was built, in the terminal; to look at: DIR/report.html" },
    { "boards", VERB_BOARDS, false, "boards", "list the boards that aihls knows" },
    { "ops", VERB_OPS, false, "ops", "list the operators and where they run" },
    { "explain", VERB_EXPLAIN, true, "explain CODE", "explain a diagnostic, E201 for instance" },
};
#define N_VERBS ((int)(sizeof verbs / sizeof *verbs))

static void option_left(const struct option_row *o, char *buffer, size_t n)
{
    char letter[8] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(buffer, n, "%s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");
}

static void print_options(FILE *f, unsigned mask, bool all)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        char left[64];
        if (!(options[i].verbs & mask) || (!all && !options[i].in_short_help))
            continue;
        option_left(&options[i], left, sizeof left);
        fprintf(f, "  %-30s %s\n", left, options[i].help);
    }
}

static void print_short(FILE *f)
{
    fputs("aihls turns a trained neural network into an FPGA accelerator and proves it by simulation.\n\n"
          "usage: aihls MODEL.onnx --board NAME [options]\n", f);
    for (int i = 0; i < N_VERBS; i++)
        fprintf(f, "       aihls %-16s %s\n", verbs[i].usage, verbs[i].help);
    fputs("\noptions (all of them: aihls --help)\n", f);
    print_options(f, C | S | R | E, false);
    fputs("  -h, --help                     this page, the manual\n"
          "      --version                  print the version\n"
          "\nexamples\n"
          "  aihls resnet8.onnx --board ultra96         into resnet8.aihls, as fast as fits\n"
          "  aihls sim resnet8.aihls --frames 4         bit for bit against the reference\n", f);
}

void cli_help(FILE *f, bool all)
{
    if (!all) {
        print_short(f);
        return;
    }
    fputs("NAME\n    aihls - compile an ONNX model to a verified FPGA accelerator for one board\n\n"
          "SYNOPSIS\n    aihls MODEL.onnx --board NAME|FILE.xml [options]\n", f);
    for (int i = 0; i < N_VERBS; i++)
        fprintf(f, "    aihls %s%s\n", verbs[i].usage, verbs[i].verb <= VERB_REPORT ? " [options]" : "");
    fputs("\nDESCRIPTION\n"
          "    The model is read, simplified, quantized to 8 bits unless it is quantized already, cut into a\n"
          "    pipeline of one stage a layer, and folded onto the board so that as many frames a second pass as\n"
          "    fit. The output directory holds Verilog, memory images, a project for the board's tool, a\n"
          "    simulation and report.json. `aihls sim` runs that Verilog cycle by cycle and compares every\n"
          "    element of every stream with the integer reference.\n\n"
          "COMPILING\n", f);
    print_options(f, C, true);
    fputs("\nSIMULATING: aihls sim DIR\n", f);
    print_options(f, S, true);
    fputs("\nRUNNING THE REFERENCE: aihls run MODEL|DIR\n", f);
    print_options(f, R, true);
    fputs("\nMEASURING ACCURACY: aihls eval MODEL|DIR\n", f);
    print_options(f, E, true);
    fputs("\nSHOWING WHAT WAS BUILT: aihls report DIR\n", f);
    print_options(f, P, true);
    fputs("\nFILES OF FRAMES\n"
          "    A member of an .npz file is called like the model's input or output that it belongs to. For a model\n"
          "    of one input the member may be called x, and a .npy file will do.\n"
          "\nOUTPUT DIRECTORY\n"
          "    report.json    cycles, resources, stages, streams; after `aihls sim` the simulated cycles too\n"
          "    report.html    the same to look at, in any browser: the pipeline, its bottlenecks, a frame in time\n"
          "    rtl/ mem/      Verilog-2005 (top module NAME, file list NAME.f) and memory images\n"
          "    driver/        a C library for this network, with an example: see its README.md\n"
          "    project/       what the board's tool needs, up to a bitstream where that is Vivado: see its README.md\n"
          "    sim/           harness and inputs of the simulation\n"
          "    manifest.json  every file with its SHA-256\n"
          "    The same input gives the same bytes. A directory that aihls made is replaced as a whole; any\n"
          "    other non-empty directory is left alone. After an error nothing is left behind.\n\n"
          "EXIT STATUS\n"
          "    0   done\n"
          "    1   the model cannot be built for that board, or simulation and reference differ\n"
          "    2   wrong usage\n"
          "    3   built, but a goal was missed and --strict given\n"
          "    4   an external tool is missing or failed\n"
          "    70  a bug in aihls\n\n"
          "EXAMPLES\n"
          "    aihls resnet8.onnx --board ultra96\n"
          "        the fastest pipeline that fits, into resnet8.aihls\n"
          "    aihls keyword.onnx --board pynq-z2 --fps 1000 --calib features.npy -o kws\n"
          "        a float model, quantized with your data, as small as 1,000 frames a second allow\n"
          "    aihls resnet8.onnx --board all\n"
          "        which boards take it, and how fast\n"
          "    aihls sim resnet8.aihls --frames 4 --stalls 7\n"
          "        bit for bit against the reference, every stream pausing at random\n"
          "    aihls report resnet8.aihls\n"
          "        stages, streams and what stands in the way, predicted and as simulated\n"
          "    aihls eval keyword.onnx --data test.npz\n"
          "        accuracy of the float model and of the integers that the hardware computes\n", f);
}

// ---- parsing ----

static bool usage_error(const struct ctx *cx, const char *help, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool usage_error(const struct ctx *cx, const char *help, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(cx->arena, fmt, ap);
    va_end(ap);
    return diag_error(cx, E401, NULL, help ? help : "`aihls -h` shows the usage", "%s", text);
}

static bool unknown_option(const struct ctx *cx, const char *word)
{
    const char *names[N_OPTIONS + 2];
    for (int i = 0; i < N_OPTIONS; i++)
        names[i] = options[i].name;
    names[N_OPTIONS] = "help";
    names[N_OPTIONS + 1] = "version";
    const char *near = diag_suggest(word + strspn(word, "-"), names, N_OPTIONS + 2);
    return usage_error(cx, near ? arena_printf(cx->arena, "did you mean --%s?", near) : NULL, "unknown option %s", word);
}

// One of the words that stand in the option's argument, with '|' between them: its number.
static bool set_choice(const struct ctx *cx, int *field, const struct option_row *o, const char *value)
{
    int i = 0;
    for (const char *word = o->argument; *word; word += strcspn(word, "|"), word += *word == '|', i++)
        if (strlen(value) == strcspn(word, "|") && strncmp(word, value, strlen(value)) == 0) {
            *field = i;
            return true;
        }
    return usage_error(cx, arena_printf(cx->arena, "choose one of %s", o->argument), "--%s does not know '%s'", o->name, value);
}

static bool set_option(const struct ctx *cx, struct cli *out, const struct option_row *o, const char *value)
{
    char *field = (char *)out + o->field, *end;
    switch (o->kind) {
    case FLAG: *(bool *)field = true; return true;
    case TEXT: *(const char **)field = value; return true;
    case LIST: {
        const char **list = (const char **)field;
        *list = *list ? arena_printf(cx->arena, "%s;%s", *list, value) : value;
        return true;
    }
    case NUMBER: {
        errno = 0;
        long long v = strtoll(value, &end, 10);
        int64_t least = strcmp(o->name, "max-dsp") == 0 || strcmp(o->name, "stalls") == 0 ? 0 : 1;
        if (errno || *end || end == value || v < least || v > 1000000000000)
            return usage_error(cx, NULL, "--%s needs a number of at least %lld, not '%s'", o->name, (long long)least, value);
        *(int64_t *)field = v;
        return true;
    }
    case FRACTION: { // kept as text, for 0 is a value and NULL none
        double v = strtod(value, &end);
        if (*end || end == value || !(v >= 0) || v > 100)
            return usage_error(cx, NULL, "--%s needs a number from 0 to 100, not '%s'", o->name, value);
        *(const char **)field = value;
        return true;
    }
    case CHOICE: return set_choice(cx, (int *)(void *)field, o, value);
    }
    BUG("option kind");
}

// argv[*i] is an option; consumes its argument.
static bool parse_option(const struct ctx *cx, int argc, char **argv, int *i, struct cli *out, uint64_t *used)
{
    const char *word = argv[*i], *value = strchr(word, '=');
    bool is_long = word[1] == '-';
    size_t n = value ? (size_t)(value - word) : strlen(word);
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        out->verb = is_long ? VERB_HELP_LONG : VERB_HELP;
        return true;
    }
    if (strcmp(word, "--version") == 0) {
        out->verb = VERB_VERSION;
        return true;
    }
    for (int k = 0; k < N_OPTIONS; k++) {
        const struct option_row *o = &options[k];
        bool match = is_long ? strlen(o->name) == n - 2 && strncmp(word + 2, o->name, n - 2) == 0 : o->letter && word[1] == o->letter && word[2] == 0;
        if (!match)
            continue;
        *used |= (uint64_t)1 << k;
        if (o->kind == FLAG)
            return value ? usage_error(cx, NULL, "--%s takes no value", o->name) : set_option(cx, out, o, NULL);
        if (is_long && value)
            return set_option(cx, out, o, value + 1);
        if (*i + 1 >= argc)
            return usage_error(cx, NULL, "--%s needs %s", o->name, o->argument);
        return set_option(cx, out, o, argv[++*i]);
    }
    return unknown_option(cx, word);
}

// Beside --reload an option that says nothing of the hardware.
static bool stays_with_reload(const char *option)
{
    static const char *const known[] = { "reload", "out", "labels", "shape", "dim", "quiet", "verbose", "json" };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(known[k], option) == 0)
            return true;
    return false;
}

static bool check_use(const struct ctx *cx, const struct cli *out, uint64_t used)
{
    for (int k = 0; k < N_OPTIONS; k++)
        if ((used >> k & 1) && !(options[k].verbs >> out->verb & 1))
            return usage_error(cx, NULL, "--%s means nothing here", options[k].name);
    bool wants = out->verb == VERB_COMPILE;
    for (int v = 0; v < N_VERBS; v++)
        if (verbs[v].verb == out->verb && verbs[v].wants_subject)
            wants = true;
    if (wants && !out->subject)
        return usage_error(cx, NULL, out->verb == VERB_COMPILE ? "no model given" : "the command needs an argument");
    if (!wants && out->subject)
        return usage_error(cx, NULL, "one argument too many: '%s'", out->subject);
    for (int k = 0; k < N_OPTIONS && out->reload; k++)
        if ((used >> k & 1) && !stays_with_reload(options[k].name))
            return usage_error(cx, "compile DIR again with it", "--%s is decided by the hardware that --reload names", options[k].name);
    if (out->verb == VERB_COMPILE && !out->board && !out->reload)
        return usage_error(cx, "`aihls boards` lists them; --board all tries each", "no board given");
    if (out->verb == VERB_RUN && !out->input)
        return usage_error(cx, NULL, "run needs --input FILE");
    enum sim_shell shell;
    if (out->shell && !sim_shell_named(out->shell, &shell))
        return usage_error(cx, "choose axi, uart or spi", "--shell does not know '%s'", out->shell);
    if (out->faults && !out->shell)
        return usage_error(cx, NULL, "--faults needs --shell");
    bool bound = out->min_accuracy || out->max_loss;
    if (bound && (!out->data || !out->calib || out->precision))
        return usage_error(cx, "calibration frames and the frames that count should be different ones", "--min-accuracy and --max-loss need --calib FILE and --data FILE, and no --precision");
    if (bound && strcmp(out->board, "all") == 0)
        return usage_error(cx, "choose the widths on one board first", "--min-accuracy and --max-loss take one board");
    if (out->verb == VERB_COMPILE && !bound && (out->data || out->scores))
        return usage_error(cx, NULL, "--data means nothing without --min-accuracy or --max-loss");
    if (out->verb == VERB_EVAL && !out->data)
        return usage_error(cx, NULL, "eval needs --data FILE.npz");
    return true;
}

bool cli_parse(const struct ctx *cx, int argc, char **argv, struct cli *out)
{
    *out = (struct cli){ .max_dsp = -1, .reset_cycles = 4, .power_seed = 1 };
    int i = 1, first = 1;
    uint64_t used = 0;
    for (int v = 0; argc > 1 && v < N_VERBS; v++)
        if (strcmp(argv[1], verbs[v].name) == 0) {
            out->verb = verbs[v].verb;
            first = 2;
        }
    if (argc < 2)
        return usage_error(cx, NULL, "no model given");
    for (i = first; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(cx, argc, argv, &i, out, &used))
                return false;
            if (out->verb >= VERB_HELP)
                return true;
        } else if (out->subject) {
            return usage_error(cx, NULL, "one argument too many: '%s'", argv[i]);
        } else {
            out->subject = argv[i];
        }
    }
    if (out->name && strcmp(design_identifier(cx->arena, out->name), out->name) != 0)
        return usage_error(cx, NULL, "--name needs a lower case Verilog identifier that is no keyword, has no double underscores and does not begin with aihls_, not '%s'", out->name);
    return check_use(cx, out, used);
}

// SPDX-License-Identifier: Apache-2.0
// Tests hls/netlist.c: the Verilog text, the bits of memory images, and what verify stops.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "hls/netlist.h"

static struct arena arena;
static struct strbuf text;
static struct netlist *n;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    text = (struct strbuf)STRBUF_INIT;
    n = netlist_new(&arena, "core");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    strbuf_release(&text);
    arena_release(&arena);
    return 0;
}

// in -> u_a -> w -> u_b -> out
static void two_instances(void)
{
    netlist_port(n, "input", "in", 8);
    netlist_port(n, "output", "out", 1);
    const char *w = netlist_net(n, 4, "w%d", 1);
    netlist_net(n, 1, "o");
    netlist_assign(n, "out", "o");
    struct instance *i = netlist_add(n, "aihls_a", "u_a", "conv1, relu1");
    instance_int(n, i, "WIDTH", 4);
    instance_text(n, i, "TECH", "TECH");
    instance_port(n, i, "x", "in[3:0]");
    instance_port(n, i, "y", w);
    i = netlist_add(n, "aihls_b", "u_b", NULL);
    instance_port(n, i, "x", w);
    instance_port(n, i, "y", "o");
}

static void the_text_is_a_verilog_module(void **state)
{
    (void)state;
    two_instances();
    netlist_verify(n);
    netlist_print(n, &text);
    assert_string_equal(text.text,
        "`default_nettype none\n\n"
        "module core #(\n    parameter TECH = \"GENERIC\" // multiplier primitive of the target\n) (\n"
        "    input  wire [7:0] in,\n    output wire out\n);\n"
        "    wire [3:0] w1;\n    wire o;\n    assign out = o;\n"
        "\n    // conv1, relu1\n"
        "    aihls_a #(\n        .WIDTH(4),\n        .TECH(TECH)\n    ) u_a (\n        .x(in[3:0]),\n        .y(w1)\n    );\n"
        "    aihls_b u_b (\n        .x(w1),\n        .y(o)\n    );\n"
        "endmodule\n\n`default_nettype wire\n");
}

static void names_of_the_model_cannot_leave_their_comment(void **state)
{
    (void)state;
    netlist_add(n, "aihls_a", "u_a", "a\nb\\\rc\t\x80 */ `include");
    netlist_print(n, &text);
    const char *at = strstr(text.text, "// a");
    assert_non_null(at);
    assert_memory_equal(at, "// a?b??c?? */ `include\n", 24);
}

static void a_stream_is_three_wires(void **state)
{
    (void)state;
    struct instance *i = netlist_add(n, "aihls_a", "u_a", NULL);
    instance_stream(n, i, "s", "x03");
    netlist_print(n, &text);
    assert_non_null(strstr(text.text, ".s_data(x03_data),\n        .s_valid(x03_valid),\n        .s_ready(x03_ready)\n"));
}

static void image_bits_land_where_they_belong(void **state)
{
    (void)state;
    struct image *im = netlist_image(n, "mem/a.hex", 21, 3, false);
    image_set(im, 0, 0, 8, -1);
    image_set(im, 1, 5, 9, -1);    // across bytes
    image_set(im, 2, 20, 1, 1);    // the top bit
    image_set(im, 2, 3, 4, 0x1234); // only the low four bits of the value
    image_print(im, &text);
    assert_string_equal(text.text, "0000ff\n003fe0\n100020\n");
    image_set(im, 1, 6, 7, 0); // bits are cleared too
    strbuf_clear(&text);
    image_print(im, &text);
    assert_string_equal(text.text, "0000ff\n002020\n100020\n");
}

static void images_hold_64_bits_and_any_width(void **state)
{
    (void)state;
    struct image *im = netlist_image(n, "mem/a.hex", 130, 1, false);
    image_set(im, 0, 1, 64, (int64_t)0x8000000000000001u);
    image_set(im, 0, 66, 64, -1);
    image_print(im, &text);
    assert_string_equal(text.text, "3fffffffffffffffd0000000000000002\n");
}

static void a_cut_image_has_the_bits_of_the_whole(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = { { 8, 4097 }, { 7, 4608 }, { 8, 8192 }, { 45, 9216 }, { 8, 18432 }, { 3, 36864 }, { 64, 5000 } };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct netlist *cutting = netlist_new(&arena, "n");
        int64_t width = shapes[k][0], depth = shapes[k][1], at = 0;
        struct rom_cut cut = cost_rom_cut(tech_find("ecp5"), depth);
        assert_true(cut.banks == (depth + cut.words - 1) / cut.words);
        struct image *im = netlist_cut_image(cutting, "mem/a_", width, depth, cut, false);
        for (int64_t w = 0; w < depth; w++)
            image_set(im, w, 0, (int)width, (int64_t)((uint64_t)w * 0x9e3779b97f4a7c15u));
        for (int64_t from = 0; from < depth; from += cut.words)
            for (int64_t low = 0; low < width; low += cutting->images[at++].width_bits) {
                const struct image *piece = &cutting->images[at];
                assert_string_equal(piece->file, arena_printf(&arena, "mem/a_%d_%d.hex", (int)(from / cut.words),
                                                              (int)(low / (from + cut.words < depth ? cut.bits : cut.last_bits))));
                assert_true(piece->width_bits * piece->depth_words <= 18 * 1024);
                for (int64_t w = 0; w < piece->depth_words; w++)
                    for (int64_t b = 0; b < piece->width_bits; b++)
                        assert_int_equal(piece->bytes[w * piece->stride_bytes + b / 8] >> b % 8 & 1,
                                         (uint64_t)(from + w) * 0x9e3779b97f4a7c15u >> (low + b) & 1);
            }
        assert_int_equal(at, cutting->n_images);
    }
}

static void random_fields_read_back(void **state)
{
    (void)state;
    enum { FIELDS = 12, WORDS = 50 };
    int bits[FIELDS], total = 0;
    uint64_t value[WORDS][FIELDS], seed = 3;
    for (int f = 0; f < FIELDS; f++)
        total += bits[f] = 1 + f * 5 % 17;
    struct image *im = netlist_image(n, "mem/a.hex", total, WORDS, false);
    for (int w = 0; w < WORDS; w++)
        for (int f = 0, at = 0; f < FIELDS; at += bits[f++]) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            value[w][f] = seed >> 30 & ((1u << bits[f]) - 1);
            image_set(im, w, at, bits[f], (int64_t)value[w][f]);
        }
    image_print(im, &text);
    size_t digits = (size_t)(total + 3) / 4;
    for (int w = 0; w < WORDS; w++)
        for (int f = 0, at = 0; f < FIELDS; at += bits[f++])
            for (int b = 0; b < bits[f]; b++) {
                char c = text.text[(size_t)w * (digits + 1) + digits - 1 - (size_t)(at + b) / 4];
                int digit = c <= '9' ? c - '0' : c - 'a' + 10;
                assert_int_equal(digit >> ((at + b) % 4) & 1, value[w][f] >> b & 1);
            }
}

// ---- what verify stops ----

static void net_twice(void)
{
    two_instances();
    netlist_net(n, 4, "w1");
}

static void net_without_reader(void)
{
    two_instances();
    netlist_net(n, 2, "lonely");
    netlist_assign(n, "lonely", "in");
}

static void net_without_bits(void)
{
    two_instances();
    netlist_net(n, 0, "none");
}

static void net_with_an_illegal_name(void)
{
    two_instances();
    netlist_assign(n, netlist_net(n, 1, "a-b"), "a-b");
}

static void instance_twice(void)
{
    two_instances();
    netlist_add(n, "aihls_a", "u_a", NULL);
}

static void instance_that_begins_with_a_digit(void)
{
    two_instances();
    netlist_add(n, "aihls_a", "1a", NULL);
}

// Only a longer name contains this net's name: nothing reads or drives it.
static void net_whose_name_is_part_of_another(void)
{
    two_instances();
    netlist_net(n, 1, "w");
}

static struct breach {
    const char *name;
    void (*build)(void);
} breaches[] = {
    { "a net of the same name is a bug", net_twice },
    { "a net that nothing reads is a bug", net_without_reader },
    { "a net without bits is a bug", net_without_bits },
    { "a net with an illegal name is a bug", net_with_an_illegal_name },
    { "an instance of the same name is a bug", instance_twice },
    { "an instance that begins with a digit is a bug", instance_that_begins_with_a_digit },
    { "a net that only lends its name to another's is a bug", net_whose_name_is_part_of_another },
};

static void set_beyond_the_word(void)
{
    image_set(netlist_image(n, "mem/a.hex", 8, 1, false), 0, 5, 4, 0);
}

static int exit_of(void (*f)(void), bool verify)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        f();
        if (verify)
            netlist_verify(n);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_breach(void **state)
{
    const struct breach *b = *state;
    setup(state);
    assert_int_equal(exit_of(b->build, true), EXIT_BUG);
}

static void bits_beyond_the_word_are_a_bug(void **state)
{
    (void)state;
    assert_int_equal(exit_of(set_beyond_the_word, false), EXIT_BUG);
    assert_int_equal(exit_of(two_instances, true), 0); // the harness itself is no bug
}

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest fixed[] = {
        TEST(the_text_is_a_verilog_module), TEST(names_of_the_model_cannot_leave_their_comment), TEST(a_stream_is_three_wires),
        TEST(image_bits_land_where_they_belong), TEST(images_hold_64_bits_and_any_width), TEST(random_fields_read_back),
        TEST(a_cut_image_has_the_bits_of_the_whole),
        TEST(bits_beyond_the_word_are_a_bug),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(breaches)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(breaches); i++)
        tests[COUNT(fixed) + i] = (struct CMUnitTest){ breaches[i].name, check_breach, NULL, teardown, &breaches[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

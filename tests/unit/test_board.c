// SPDX-License-Identifier: Apache-2.0
// Tests frontend/board.c and base/embed.c. A user's own files are made from an embedded one by
// replacing text, in a temporary directory that the group teardown removes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/strbuf.h"
#include "frontend/board.h"

static char dir[64];       // made by the group setup
static struct arena arena; // fresh for each test
static struct strbuf messages;
static struct diag diag;
static struct ctx cx;

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/aihls_test_board_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

static const char *path_of(const char *file)
{
    return arena_printf(&arena, "%s/%s", dir, file);
}

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
    unlink(path_of("my.xml"));
    arena_release(&arena);
    strbuf_release(&messages);
    return 0;
}

static const char *write_file(const char *bytes, size_t n)
{
    const char *path = path_of("my.xml");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static const char *board_text(void)
{
    const struct embedded *e = embed_find("boards/pynq-z2/board.xml");
    assert_non_null(e);
    return (const char *)e->bytes;
}

// The text of pynq-z2 with the first `from` behind `anchor` replaced by `to`.
static const char *write_edited(const char *anchor, const char *from, const char *to)
{
    const char *text = board_text();
    const char *start = strstr(text, anchor);
    assert_non_null(start);
    const char *at = strstr(start, from);
    assert_non_null(at);
    struct strbuf sb = STRBUF_INIT;
    strbuf_add(&sb, text, (size_t)(at - text));
    strbuf_adds(&sb, to);
    strbuf_adds(&sb, at + strlen(from));
    const char *path = write_file(sb.text, sb.len);
    strbuf_release(&sb);
    return path;
}

// `said` with '@' standing for the path.
static void assert_said(const char *said, const char *path)
{
    struct strbuf want = STRBUF_INIT;
    for (; *said; said++)
        if (*said == '@')
            strbuf_adds(&want, path);
        else
            strbuf_addch(&want, *said);
    bool found = strstr(messages.text, want.text) != NULL;
    const char *wanted = arena_strdup(&arena, want.text);
    strbuf_release(&want);
    if (!found)
        fail_msg("wanted \"%s\" in:\n%s", wanted, messages.text);
}

// ---- embedded files ----

static void embedded_files_are_sorted_and_found(void **state)
{
    (void)state;
    assert_true(embedded_count >= 3);
    for (int i = 0; i < embedded_count; i++) {
        const struct embedded *e = &embedded_files[i];
        assert_ptr_equal(embed_find(e->path), e);
        assert_int_equal(e->bytes[e->n_bytes], 0);
        if (i > 0)
            assert_true(strcmp(embedded_files[i - 1].path, e->path) < 0);
    }
}

static void a_file_that_is_not_embedded_is_not_found(void **state)
{
    (void)state;
    assert_null(embed_find("boards"));
    assert_null(embed_find(""));
    assert_null(embed_find("zzz"));
    assert_null(embed_find("boards/ultra96/board.xml "));
}

static void the_last_folder_of_a_path_is_known(void **state)
{
    (void)state;
    assert_string_equal(embed_find("boards/ultra96/board.xml")->folder, "ultra96");
    assert_string_equal(embed_find("boards/board.xsd")->folder, "boards");
}

// Holds when the tests run from the repository's root, as the Makefile runs them.
static void embedded_bytes_are_those_of_the_file(void **state)
{
    (void)state;
    for (int i = 0; i < embedded_count; i++) {
        struct strbuf sb = STRBUF_INIT;
        assert_true(strbuf_read_file(&sb, embedded_files[i].path));
        assert_int_equal(sb.len, embedded_files[i].n_bytes);
        assert_memory_equal(sb.text, embedded_files[i].bytes, sb.len);
        strbuf_release(&sb);
    }
}

// ---- known boards ----

static void every_known_board_reads_and_has_its_folder_s_name(void **state)
{
    (void)state;
    assert_true(board_count() >= 2);
    for (int i = 0; i < board_count(); i++) {
        struct board b;
        if (!board_read(&cx, board_name(i), &b))
            fail_msg("%s", messages.text);
        assert_string_equal(b.name, board_name(i));
        assert_true(strlen(b.title) > 0 && strlen(b.part) > 0);
        assert_non_null(strstr(b.xml_text, b.part));
        if (i > 0)
            assert_true(strcmp(board_name(i - 1), b.name) < 0);
    }
}

static void ultra96_has_the_numbers_of_its_data_sheet(void **state)
{
    (void)state;
    struct board b;
    assert_true(board_read(&cx, "ultra96", &b));
    assert_string_equal(b.part, "xczu3eg-sbva484-1-i");
    assert_string_equal(b.family, "xcup");
    assert_string_equal(b.tech->mac, "DSP48E2");
    assert_int_equal(b.clock_hz, 300000000);
    assert_int_equal(b.lut, 70560);
    assert_int_equal(b.ff, 2 * b.lut);
    assert_int_equal(b.dsp, 360);
    assert_int_equal(b.bram18, 2 * 216);
    assert_int_equal(b.uram, 0);
    assert_int_equal(b.dram_bytes_per_s, 3200000000);
    assert_int_equal(b.axi_data_bits, 128);
    assert_int_equal(b.axi_addr_bits, 40);
    assert_int_equal(b.dram_latency_ns, 200);
    assert_int_equal(b.dram_refresh_every_ns, 3904);
    assert_int_equal(b.dram_refresh_ns, 280);
}

static void pynq_z2_has_the_numbers_of_its_data_sheet(void **state)
{
    (void)state;
    struct board b;
    assert_true(board_read(&cx, "pynq-z2", &b));
    assert_string_equal(b.title, "TUL PYNQ-Z2");
    assert_string_equal(b.part, "xc7z020clg400-1");
    assert_string_equal(b.family, "xc7");
    assert_string_equal(b.tech->mac, "DSP48E1");
    assert_int_equal(b.clock_hz, 150000000);
    assert_int_equal(b.lut, 53200);
    assert_int_equal(b.ff, 106400);
    assert_int_equal(b.dsp, 220);
    assert_int_equal(b.bram18, 2 * 140);
    assert_int_equal(b.dram_bytes_per_s, 1575000000);
}

static struct facts_row {
    const char *name, *family, *mac, *bram_name;
    int bram_kbit, products;
    int64_t dsp, bram, lut, ff;
} facts_rows[] = {
    { "arty-a7-100", "xc7", "DSP48E1", "RAMB18", 18, 2, 240, 270, 63400, 126800 },
    { "de10-nano", "cyclonev", "GENERIC", "M10K", 10, 3, 112, 553, 41509, 166036 },
    { "icebreaker", "ice40", "ICE40UP", "EBR", 4, 2, 8, 30, 5280, 5280 },
    { "kv260", "xcup", "DSP48E2", "RAMB18", 18, 2, 1248, 288, 117120, 234240 },
    { "tang-nano-20k", "gowin", "GENERIC", "BSRAM", 18, 2, 48, 46, 20736, 15552 },
    { "ulx3s-85f", "ecp5", "ECP5DSP", "EBR", 18, 1, 156, 208, 83640, 83640 },
    { "zcu104", "xcup", "DSP48E2", "RAMB18", 18, 2, 1728, 624, 230400, 460800 },
};

static void check_facts(void **state)
{
    const struct facts_row *r = *state;
    struct board b;
    if (!board_read(&cx, r->name, &b))
        fail_msg("%s", messages.text);
    assert_string_equal(b.family, r->family);
    assert_ptr_equal(b.tech, tech_find(r->family));
    assert_string_equal(b.tech->mac, r->mac);
    assert_string_equal(b.tech->bram_name, r->bram_name);
    assert_int_equal(b.tech->bram_kbit, r->bram_kbit);
    assert_int_equal(tech_products(b.tech), r->products);
    assert_int_equal(b.dsp, r->dsp);
    assert_int_equal(b.bram18, r->bram);
    assert_int_equal(b.lut, r->lut);
    assert_int_equal(b.ff, r->ff);
}

static void a_family_that_nobody_knows_has_no_tech(void **state)
{
    (void)state;
    assert_null(tech_find("xc"));
    assert_null(tech_find(""));
}

static void an_unknown_board_brings_the_nearest_and_the_list(void **state)
{
    (void)state;
    struct board b;
    assert_false(board_read(&cx, "ultra69", &b));
    assert_int_equal(diag.first_error, E402);
    assert_int_equal(diag.exit_code, 2);
    assert_said("error[E402]: there is no board 'ultra69'\n", "");
    assert_said("pynq-z2, tang-nano-20k, ultra96, ulx3s-85f, zcu104, or the path of a board file (.xml)\n", "");
    assert_said("   = help: did you mean 'ultra96'?\n", "");
}

static void an_unknown_board_that_is_near_to_none_brings_the_list(void **state)
{
    (void)state;
    struct board b;
    assert_false(board_read(&cx, "versal", &b));
    assert_said("found versal, need one of ", "");
    assert_said("   = help: `aihls boards` shows them all\n", "");
    assert_false(board_read(&cx, "", &b));
    assert_int_equal(diag.errors, 2);
}

// ---- a user's own file ----

static void a_users_own_board_reads(void **state)
{
    (void)state;
    struct board b;
    const char *path = write_edited("name=", "pynq-z2", "mine");
    if (!board_read(&cx, path, &b))
        fail_msg("%s", messages.text);
    assert_string_equal(b.name, "mine");
    assert_int_equal(b.dsp, 220);
    assert_int_equal(diag.errors, 0);
}

static void check_axi(const char *name, int64_t base, int64_t irq, const char *part, const char *setting)
{
    struct board b;
    assert_true(board_read(&cx, name, &b));
    assert_int_equal(b.axi_base, base);
    assert_int_equal(b.irq_spi, irq);
    assert_true(!part == !b.board_part);
    if (part)
        assert_string_equal(b.board_part, part);
    assert_non_null(strstr(b.preset_text, setting));
}

static void boards_with_a_processor_say_where_it_finds_the_fabric(void **state)
{
    (void)state;
    struct board b;
    check_axi("ultra96", 0xa0000000, 89, "ultra96v2", "\nPSU__PSS_REF_CLK__FREQMHZ 33.333333\n");
    check_axi("zcu104", 0xa0000000, 89, "zcu104", "\nPSU__PSS_REF_CLK__FREQMHZ 33.333333\n");
    check_axi("kv260", 0xa0000000, 89, "kv260_som", "\nPSU__PSS_REF_CLK__FREQMHZ 33.333\n");
    check_axi("pynq-z2", 0x43c00000, 29, "pynq-z2", "\nPCW_UIPARAM_DDR_PARTNO MT41J256M16 RE-125\n");
    check_axi("de10-nano", 0xff200000, 40, NULL, "\nMEM_ROW_ADDR_WIDTH 15\n");
    assert_true(board_read(&cx, "ulx3s-85f", &b));
    assert_true(b.axi_base == 0 && b.irq_spi == 0 && !b.board_part && !b.preset_text);
}

static void boards_with_a_serial_line_say_where_it_is(void **state)
{
    (void)state;
    struct board b;
    assert_true(board_read(&cx, "ulx3s-85f", &b));
    assert_true(b.oscillator_hz == 25000000 && b.uart_baud == 1000000);
    assert_string_equal(b.pin_clk, "G2");
    assert_string_equal(b.pin_rxd, "M1");
    assert_string_equal(b.pin_txd, "L4");
    assert_true(board_read(&cx, "arty-a7-100", &b));
    assert_string_equal(b.pin_rxd, "A9");
    assert_string_equal(b.pin_sck, "D12");
    assert_string_equal(b.pin_cs_n, "G13");
    assert_string_equal(b.pin_mosi, "B11");
    assert_string_equal(b.pin_miso, "A11");
    assert_true(board_read(&cx, "de10-nano", &b));
    assert_true(b.oscillator_hz == 50000000 && !b.uart_baud && !b.pin_rxd && !b.pin_txd);
    assert_string_equal(b.pin_clk, "V11");
    assert_true(board_read(&cx, "ultra96", &b));
    assert_true(!b.oscillator_hz && !b.uart_baud && !b.pin_clk && !b.pin_rxd && !b.pin_txd);
}

static void registers_without_a_way_to_memory_are_refused(void **state)
{
    (void)state;
    struct board b;
    const char *text = "<board name='b'><title>t</title><part source='s'>p</part><family>xcup</family><tech>DSP48E2</tech><clock_hz source='s'>1000000</clock_hz>"
                       "<lut source='s'>1</lut><ff source='s'>1</ff><dsp source='s'>1</dsp><bram18 source='s'>1</bram18><uram source='s'>0</uram>"
                       "<dram_bytes_per_s source='s'>1</dram_bytes_per_s><axi_base source='s'>0xa0000000</axi_base><irq_spi source='s'>89</irq_spi></board>";
    const char *path = write_file(text, strlen(text));
    assert_false(board_read(&cx, path, &b));
    assert_said("<board> lacks a field\n  --> @\n   = found axi_base, need axi_data_bits\n", path);
}

static struct preset_row {
    const char *name, *text;
    int line; // of the mistake; 0: none
} preset_rows[] = {
    { "settings, comments and empty lines", "# c; [x]\n\nPCW_A 1\nPCW_B2 MIO 0 .. 5 (x) <y>", 0 },
    { "a preset of nothing", "", 0 },
    { "a setting without a value", "PCW_A 1\nPCW_B\n", 2 },
    { "a setting with an empty value", "PCW_A \n", 1 },
    { "a setting in small letters", "pcw_a 1\n", 1 },
    { "a value that Tcl would run", "# x\n\nPCW_A [exec rm x]\n", 3 },
    { "a value that Tcl would put in", "PCW_A $x\n", 1 },
    { "a value that ends a list", "PCW_A 1}\n", 1 },
    { "a value with a control character", "PCW_A 1\r\n", 1 },
};

static void check_preset(void **state)
{
    const struct preset_row *r = *state;
    struct board b = { .name = "untouched" };
    const char *path = path_of("preset.txt");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(r->text, f);
    assert_int_equal(fclose(f), 0);
    bool ok = board_read(&cx, write_edited("name=", "pynq-z2", "mine"), &b);
    unlink(path);
    assert_int_equal(ok, r->line == 0);
    if (ok) {
        assert_string_equal(b.preset_text, r->text);
        return;
    }
    assert_int_equal(diag.first_error, E301);
    assert_string_equal(b.name, "untouched");
    assert_said(arena_printf(&arena, "this is no setting of a processor system\n  --> @:%d\n", r->line), path);
}

static void a_preset_that_cannot_be_read_is_a_system_error(void **state)
{
    (void)state;
    struct board b;
    const char *path = path_of("preset.txt");
    assert_int_equal(mkdir(path, 0700), 0);
    bool ok = board_read(&cx, write_edited("name=", "pynq-z2", "mine"), &b);
    rmdir(path);
    assert_false(ok);
    assert_int_equal(diag.first_error, E002);
}

static void a_board_file_in_the_current_directory_is_known_by_its_ending(void **state)
{
    (void)state;
    struct board b;
    assert_false(board_read(&cx, "no_such_board.xml", &b));
    assert_int_equal(diag.first_error, E002);
    assert_said("cannot read the board file: No such file or directory\n  --> no_such_board.xml", "");
}

static void fields_may_stand_in_any_order(void **state)
{
    (void)state;
    struct board b;
    const char *text = "<board name='b'><dram_bytes_per_s source='s'>1</dram_bytes_per_s><uram source='s'>2</uram>"
                       "<bram18 source='s'>3</bram18><dsp source='s'>0</dsp><ff source='s'> 5 </ff>"
                       "<lut source='s'>+006</lut><clock_hz source='s'>1000000</clock_hz><tech>DSP48E2</tech>"
                       "<family>\n xcup\n</family><part source='s'>p</part><title>  A &amp; <!-- c -->B </title></board>";
    if (!board_read(&cx, write_file(text, strlen(text)), &b))
        fail_msg("%s", messages.text);
    assert_int_equal(b.dram_bytes_per_s, 1);
    assert_int_equal(b.uram, 2);
    assert_int_equal(b.bram18, 3);
    assert_int_equal(b.dsp, 0);
    assert_int_equal(b.ff, 5);
    assert_int_equal(b.lut, 6);
    assert_int_equal(b.clock_hz, 1000000);
    assert_string_equal(b.family, "xcup");
    assert_string_equal(b.title, "A & B");
    assert_string_equal(b.xml_text, text);
}

static struct edit_row {
    const char *name;
    const char *anchor, *from, *to;
    const char *said;
} edit_rows[] = {
    { "a number that is a word", "<lut", "53200", "lots",
      "<lut> has a value that is not allowed\n  --> @:9\n   = found 'lots', need a whole number from 1 to 100000000\n"
      "   = help: see boards/ultra96/board.xml for an example\n" },
    { "a negative number", "<dsp", "220", "-1", "@:11\n   = found '-1', need a whole number from 0 to 100000000" },
    { "a number of no LUTs", "<lut", "53200", "0", "found '0', need a whole number from 1 to 100000000" },
    { "a fraction", "<bram18", ">280", ">2.5", "found '2.5', need a whole number from 0 to" },
    { "a number in powers of ten", "<clock_hz", ">150000000", ">15e7",
      "found '15e7', need a whole number from 1000000 to 2000000000" },
    { "a clock in megahertz", "<clock_hz", ">150000000", ">150", "found '150', need a whole number from 1000000" },
    { "a number beyond 64 bits", "<ff", "106400", "99999999999999999999999999", "need a whole number from 1 to" },
    { "a rate that no memory has", "<dram_bytes_per_s", ">1575000000", ">10000000000001",
      "need a whole number from 0 to 10000000000000" },
    { "a bus that no port has", "<axi_data_bits", ">64", ">96", "found '96', need 64 or 128" },
    { "more bits of address than a register pair", "<axi_addr_bits", ">32", ">65", "need a whole number from 32 to 64" },
    { "memory that answers at once", "<dram_latency_ns", ">250", ">0", "need a whole number from 1 to 100000" },
    { "memory that is refreshed all the time", "<dram_refresh_every_ns", ">7800", ">100", "need a whole number from 1000 to 100000" },
    { "a refresh without end", "<dram_refresh_ns", ">300", ">1000", "need a whole number from 1 to 999" },
    { "a bus to no memory", "<dram_bytes_per_s", ">1575000000", ">0", "<board> lacks a field\n  --> @\n   = found axi_data_bits, need dram_bytes_per_s above 0" },
    { "an empty number", "<uram", ">0<", "><", "<uram> has a value that is not allowed\n  --> @:13\n   = found ''" },
    { "a family that aihls does not have", "<family", "xc7", "virtex2", "found 'virtex2', need xc7, xcup, ecp5, ice40, cyclonev or gowin" },
    { "a primitive that aihls does not have", "<tech", "DSP48E1", "DSP58", "found 'DSP58', need DSP48E1, DSP48E2, ECP5DSP, ICE40UP or GENERIC" },
    { "a primitive of the other family", "<tech", "DSP48E1", "DSP48E2",
      "family xc7 does not have the multiplier that <tech> names\n  --> @\n   = found DSP48E2, need DSP48E1" },
    { "no block RAMs", "<bram18", "<bram18 source=\"DS190, table 1, column Z-7020: 140 block RAM blocks of 36 Kb, each usable as two of 18 Kb\">280</bram18>", "",
      "<board> lacks a field\n  --> @\n   = need bram18\n" },
    { "block RAMs of another family", "<uram", "<uram", "<bram4 source='s'>30</bram4><uram",
      "the block RAMs of family xc7 have 18 Kb\n  --> @\n   = found bram4, need bram18\n" },
    { "the other family's block RAMs alone", "<board", "  <family>xc7</family>\n  <tech>DSP48E1</tech>", "  <family>ice40</family>\n  <tech>ICE40UP</tech>",
      "the block RAMs of family ice40 have 4 Kb\n  --> @\n   = found bram18, need bram4\n" },
    { "a part name for a shell", "<part", "xc7z020clg400-1", "x; rm -rf y",
      "found 'x; rm -rf y', need a part name of letters, digits, '-', '_' and '/'" },
    { "a board name with blanks", "<board", "pynq-z2", "My Board",
      "attribute 'name' of <board> has a value that is not allowed\n  --> @:3\n"
      "   = found 'My Board', need 1 to 31 lower case letters, digits and '-'" },
    { "a board name that is a path", "<board", "pynq-z2", "../x", "found '../x', need 1 to 31" },
    { "a board without a name", "<board", " name=\"pynq-z2\"", "",
      "<board> lacks an attribute\n  --> @:3\n   = need a name for the board, a source for each number" },
    { "a number without a source", "<uram", " source=\"UG473, 7 series memory resources: the family has block RAM only\"", "",
      "<uram> lacks an attribute" },
    { "an attribute too many", "<title", "<title", "<title lang='en'",
      "<title> breaks the schema: The attribute 'lang' is not allowed\n  --> @:4" },
    { "an empty source", "<lut", "source=\"DS190, table 1, column Z-7020: look-up tables\"", "source=\" \"",
      "attribute 'source' of <lut> has a value that is not allowed\n  --> @:9\n   = found ' ', need 1 to 400 letters" },
    { "a missing field", "  <family", "<family>xc7</family>", "", "<board> lacks a field\n  --> @:3\n   = need one of family, bram10, bram4, oscillator_hz, uart_baud, pin_clk, pin_rxd, pin_txd, pin_sck, pin_cs_n\n" },
    { "a bus without a refresh", "<dram_refresh_ns", "<dram_refresh_ns source=\"DDR3 of 4 Gb, JESD79-3, refresh parameters by device density: tRFC\">300</dram_refresh_ns>", "",
      "<board> lacks a field\n  --> @\n   = found axi_data_bits, need dram_refresh_ns" },
    { "a field of another name", "<uram", "<uram", "<colour>red</colour><uram",
      "<colour> does not belong here\n  --> @:13\n   = found <colour>, need one of bram10, bram4, uram, dram_bytes_per_s" },
    { "registers at no whole 64 KB", "<axi_base", "0x43c00000", "0x43c08000", "found '0x43c08000', need a multiple of 64 KB, 0x and 8 hexadecimal digits" },
    { "an address in decimal", "<axi_base", "0x43c00000", "1136656384", "found '1136656384', need a multiple of 64 KB" },
    { "a private interrupt", "<irq_spi", ">29", ">-3", "found '-3', need a whole number from 1 to 987" },
    { "a pattern for board files", "<board_part", ">pynq-z2", ">*", "found '*', need a name of letters, digits, '-', '_' and '.'" },
    { "registers without an interrupt", "<irq_spi", "<irq_spi source=\"UG585, interrupts: IRQ_F2P begins at GIC interrupt 61, the shared ones at 32\">29</irq_spi>", "",
      "<board> lacks a field\n  --> @\n   = found axi_base, need irq_spi\n" },
    { "an oscillator without a pin", "<uram", "<uram", "<oscillator_hz source='s'>25000000</oscillator_hz><uram", "found oscillator_hz, need pin_clk\n" },
    { "an oscillator without a line", "<axi_data_bits", "<axi", "<oscillator_hz source='s'>25000000</oscillator_hz><pin_clk source='s'>A1</pin_clk><uart_baud source='s'>9600</uart_baud><axi",
      "found oscillator_hz, need pin_rxd\n" },
    { "a line without an oscillator", "<uram", "<uram", "<uart_baud source='s'>9600</uart_baud><uram", "found uart_baud, need oscillator_hz\n" },
    { "SPI without a line", "<uram", "<uram", "<pin_sck source='s'>A1</pin_sck><pin_cs_n source='s'>A2</pin_cs_n><pin_mosi source='s'>A3</pin_mosi><pin_miso source='s'>A4</pin_miso><uram",
      "found pin_sck, need oscillator_hz\n" },
    { "SPI without a way back", "<uram", "<uram", "<oscillator_hz source='s'>25000000</oscillator_hz><uart_baud source='s'>9600</uart_baud><pin_clk source='s'>A1</pin_clk><pin_rxd source='s'>A2</pin_rxd>"
      "<pin_txd source='s'>A3</pin_txd><pin_sck source='s'>A4</pin_sck><pin_cs_n source='s'>A5</pin_cs_n><pin_mosi source='s'>A6</pin_mosi><uram", "found oscillator_hz, need pin_miso\n" },
    { "a pin that is two", "<uram", "<uram", "<pin_clk source='s'>A1 B2</pin_clk><uram", "found 'A1 B2', need a pin of letters and digits" },
    { "a line of no speed", "<uram", "<uram", "<uart_baud source='s'>300</uart_baud><uram", "found '300', need a whole number from 1200 to 12000000" },
    { "a field twice", "<uram", "<uram", "<tech>DSP48E1</tech><uram", "<tech> does not belong here" },
    { "text between fields", "  <uram", "  <uram", "words<uram", "<board> breaks the schema: Character content" },
    { "an element in a number", "<lut", "53200", "532<b/>00", "<lut> breaks the schema: Element content is not" },
    { "a namespace", "<board", "<board", "<board xmlns='urn:x'",
      "the document is not a board\n  --> @:3\n   = found <board>, need <board>, in no namespace" },
    { "an open element", "<lut", "</lut>", "", "the board file is not well-formed XML\n  --> @:23\n   = found 'Opening and" },
    { "an entity that nobody declared", "<title", "TUL", "&x;", "Entity 'x' not defined" },
    { "an unknown encoding", "<?xml", "UTF-8", "UTF-99", "found 'Unsupported encoding UTF-99'" },
    { "an escape sequence in a value", "<family", "xc7", "\x7f[31m", "found ' [31m', need xc7, xcup, ecp5" },
    { "an escape sequence in the text", "<family", "xc7", "\x1b[31m", "not well-formed XML" },
    { "a document type", "<board", "<board", "<!DOCTYPE board>\n<board",
      "the board file declares a document type\n  --> @:3\n   = found <!DOCTYPE, need <board> without a document type\n"
      "   = help: delete the document type: board files need no entities\n" },
    { "entities that grow without end", "<board", "<board",
      "<!DOCTYPE board [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><board x='&b;&b;&b;'",
      "declares a document type" },
    { "a document type from a host", "<board", "<board",
      "<!DOCTYPE board SYSTEM 'http://localhost:9/x.dtd'>\n<board",
      "declares a document type" },
};

static void check_edit(void **state)
{
    const struct edit_row *r = *state;
    struct board b = { .name = "untouched" };
    const char *path = write_edited(r->anchor, r->from, r->to);
    assert_false(board_read(&cx, path, &b));
    assert_int_equal(diag.first_error, E301);
    assert_int_equal(diag.exit_code, 1);
    assert_int_equal(diag.errors, 1);
    assert_said(r->said, path);
    assert_string_equal(b.name, "untouched");
}

static struct text_row {
    const char *name, *text;
    size_t n;
    const char *said;
} text_rows[] = {
    { "an empty file", "", 0, "Document is empty" },
    { "a file of blanks", "  \n ", 4, "not well-formed XML" },
    { "a file that is no XML", "board: ultra96\n", 15, "found 'Start tag expected, '<' not found'" },
    { "another document", "<html/>", 7, "the document is not a board\n  --> @:1\n   = found <html>, need <board>" },
    { "a file in UTF-16", "\xff\xfe<\0b\0/\0>\0", 10,
      "the board file is not text\n  --> @\n   = found a zero byte, need XML in UTF-8" },
    { "a file cut short", "<board name='x'><title>", 23, "not well-formed XML" },
};

static void check_text(void **state)
{
    const struct text_row *r = *state;
    struct board b;
    const char *path = write_file(r->text, r->n);
    assert_false(board_read(&cx, path, &b));
    assert_int_equal(diag.first_error, E301);
    assert_int_equal(diag.errors, 1);
    assert_said(r->said, path);
}

static void a_warning_of_the_parser_does_not_refuse_a_file(void **state)
{
    (void)state;
    struct board b;
    // a namespace that nothing uses and whose name is relative
    assert_true(board_read(&cx, write_edited("<board", "<board", "<board xmlns:a='b'"), &b));
    assert_int_equal(messages.len, 0);
}

static void several_breaches_are_reported_together(void **state)
{
    (void)state;
    struct board b;
    const char *text = "<board name='B'><title></title>\n<lut source='s'>x</lut>\n<ff>y</ff></board>";
    assert_false(board_read(&cx, write_file(text, strlen(text)), &b));
    assert_said("attribute 'name' of <board>", "");
    assert_said("<title> has a value that is not allowed", "");
    assert_said("my.xml:2\n   = found 'x'", "");
    assert_said("<ff> lacks an attribute", "");
    assert_said("<board> lacks a field\n", "");
}

static void a_schema_that_the_file_names_is_not_opened(void **state)
{
    (void)state;
    struct board b;
    // Opening a pipe without a writer would wait for ever.
    const char *pipe = path_of("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *to = arena_printf(&arena,
                                  "<board xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
                                  "xsi:noNamespaceSchemaLocation='%s' xsi:schemaLocation='urn:x %s'",
                                  pipe, pipe);
    alarm(5);
    bool ok = board_read(&cx, write_edited("<board", "<board", to), &b);
    alarm(0);
    unlink(pipe);
    assert_true(ok);
}

static void a_file_that_nests_deeply_is_refused(void **state)
{
    (void)state;
    struct board b;
    struct strbuf sb = STRBUF_INIT;
    for (int i = 0; i < 50000; i++)
        strbuf_adds(&sb, "<board>");
    assert_false(board_read(&cx, write_file(sb.text, sb.len), &b));
    assert_said("Excessive depth", "");
    assert_int_equal(diag.errors, 1);
    strbuf_release(&sb);
}

static void a_file_of_more_than_a_megabyte_is_refused(void **state)
{
    (void)state;
    struct board b;
    const char *path = write_file("<", 1);
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    assert_false(board_read(&cx, path, &b));
    assert_said("the board file is too large\n  --> @\n   = found 1048577 bytes, need at most 1048576", path);
}

static void a_directory_and_a_device_are_no_board_files(void **state)
{
    (void)state;
    struct board b;
    assert_false(board_read(&cx, dir, &b));
    assert_said("cannot read the board file: Is a directory", "");
    assert_false(board_read(&cx, "/dev/zero", &b));
    assert_int_equal(diag.errors, 2);
    assert_int_equal(diag.first_error, E002);
}

static void a_file_that_fails_to_read_is_a_system_error(void **state)
{
    (void)state;
    struct board b;
    // a regular file to stat(); its first page cannot be read
    assert_false(board_read(&cx, "/proc/self/mem", &b));
    assert_int_equal(diag.first_error, E002);
    assert_said("cannot read the board file: Input/output error", "");
}

#define ROWS(rows, check)                                                                   \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)                                 \
        tests[n++] = (struct CMUnitTest){ rows[i].name, check, setup, teardown, &rows[i] }
#define CASE(f) tests[n++] = (struct CMUnitTest){ #f, f, setup, teardown, NULL }

int main(void)
{
    static struct CMUnitTest tests[128];
    size_t n = 0;
    CASE(embedded_files_are_sorted_and_found);
    CASE(a_file_that_is_not_embedded_is_not_found);
    CASE(the_last_folder_of_a_path_is_known);
    CASE(embedded_bytes_are_those_of_the_file);
    CASE(every_known_board_reads_and_has_its_folder_s_name);
    CASE(ultra96_has_the_numbers_of_its_data_sheet);
    CASE(pynq_z2_has_the_numbers_of_its_data_sheet);
    ROWS(facts_rows, check_facts);
    CASE(a_family_that_nobody_knows_has_no_tech);
    CASE(an_unknown_board_brings_the_nearest_and_the_list);
    CASE(an_unknown_board_that_is_near_to_none_brings_the_list);
    CASE(a_users_own_board_reads);
    CASE(boards_with_a_processor_say_where_it_finds_the_fabric);
    CASE(boards_with_a_serial_line_say_where_it_is);
    CASE(registers_without_a_way_to_memory_are_refused);
    ROWS(preset_rows, check_preset);
    CASE(a_preset_that_cannot_be_read_is_a_system_error);
    CASE(a_board_file_in_the_current_directory_is_known_by_its_ending);
    CASE(fields_may_stand_in_any_order);
    ROWS(edit_rows, check_edit);
    ROWS(text_rows, check_text);
    CASE(a_warning_of_the_parser_does_not_refuse_a_file);
    CASE(several_breaches_are_reported_together);
    CASE(a_schema_that_the_file_names_is_not_opened);
    CASE(a_file_that_nests_deeply_is_refused);
    CASE(a_file_of_more_than_a_megabyte_is_refused);
    CASE(a_directory_and_a_device_are_no_board_files);
    CASE(a_file_that_fails_to_read_is_a_system_error);
    return _cmocka_run_group_tests("board", tests, n, make_dir, remove_dir);
}

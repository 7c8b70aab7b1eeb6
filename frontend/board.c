// SPDX-License-Identifier: Apache-2.0
#include "frontend/board.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/embed.h"
#include "base/strbuf.h"

#define SCHEMA_PATH "boards/board.xsd"
#define EXAMPLE "see boards/ultra96/board.xml for an example"
// A board file has some 2 KB; nobody writes a megabyte of one.
#define FILE_MAX_BYTES (1024 * 1024)

// A board as it stands in its file.
struct raw {
    struct board b;
    const char *tech;
    int64_t bram18, bram10, bram4; // ABSENT unless the file has them
};
#define ABSENT (-1)

// What board.xsd asks of each field, in words, and where its value goes.
static const struct field {
    const char *name, *need;
    size_t offset;
    bool is_number;
} fields[] = {
    { "title", "a text of 1 to 400 letters", offsetof(struct raw, b.title), false },
    { "part", "a part name of letters, digits, '-', '_' and '/'", offsetof(struct raw, b.part), false },
    { "family", "xc7, xcup, ecp5, ice40, cyclonev or gowin", offsetof(struct raw, b.family), false },
    { "tech", "DSP48E1, DSP48E2, ECP5DSP, ICE40UP or GENERIC", offsetof(struct raw, tech), false },
    { "clock_hz", "a whole number from 1000000 to 2000000000", offsetof(struct raw, b.clock_hz), true },
    { "lut", "a whole number from 1 to 100000000", offsetof(struct raw, b.lut), true },
    { "ff", "a whole number from 1 to 100000000", offsetof(struct raw, b.ff), true },
    { "dsp", "a whole number from 0 to 100000000", offsetof(struct raw, b.dsp), true },
    { "bram18", "a whole number from 0 to 100000000", offsetof(struct raw, bram18), true },
    { "bram10", "a whole number from 0 to 100000000", offsetof(struct raw, bram10), true },
    { "bram4", "a whole number from 0 to 100000000", offsetof(struct raw, bram4), true },
    { "uram", "a whole number from 0 to 100000000", offsetof(struct raw, b.uram), true },
    { "dram_bytes_per_s", "a whole number from 0 to 10000000000000",
      offsetof(struct raw, b.dram_bytes_per_s), true },
    { "axi_data_bits", "64 or 128", offsetof(struct raw, b.axi_data_bits), true },
    { "axi_addr_bits", "a whole number from 32 to 64", offsetof(struct raw, b.axi_addr_bits), true },
    { "dram_latency_ns", "a whole number from 1 to 100000", offsetof(struct raw, b.dram_latency_ns), true },
    { "dram_refresh_every_ns", "a whole number from 1000 to 100000", offsetof(struct raw, b.dram_refresh_every_ns), true },
    { "dram_refresh_ns", "a whole number from 1 to 999", offsetof(struct raw, b.dram_refresh_ns), true },
    { "axi_base", "a multiple of 64 KB, 0x and 8 hexadecimal digits", offsetof(struct raw, b.axi_base), true },
    { "irq_spi", "a whole number from 1 to 987", offsetof(struct raw, b.irq_spi), true },
    { "board_part", "a name of letters, digits, '-', '_' and '.'", offsetof(struct raw, b.board_part), false },
    { "oscillator_hz", "a whole number from 1000000 to 2000000000", offsetof(struct raw, b.oscillator_hz), true },
    { "uart_baud", "a whole number from 1200 to 12000000", offsetof(struct raw, b.uart_baud), true },
    { "pin_clk", "a pin of letters and digits", offsetof(struct raw, b.pin_clk), false },
    { "pin_rxd", "a pin of letters and digits", offsetof(struct raw, b.pin_rxd), false },
    { "pin_txd", "a pin of letters and digits", offsetof(struct raw, b.pin_txd), false },
    { "pin_sck", "a pin of letters and digits", offsetof(struct raw, b.pin_sck), false },
    { "pin_cs_n", "a pin of letters and digits", offsetof(struct raw, b.pin_cs_n), false },
    { "pin_mosi", "a pin of letters and digits", offsetof(struct raw, b.pin_mosi), false },
    { "pin_miso", "a pin of letters and digits", offsetof(struct raw, b.pin_miso), false },
};
#define N_FIELDS ((int)(sizeof fields / sizeof *fields))

// ---- boards that aihls knows ----

// Whether an embedded file describes a board: boards/NAME/board.xml.
static bool is_board(const struct embedded *e)
{
    size_t n = strlen(e->folder);
    return n > 0 && strncmp(e->path, "boards/", 7) == 0 && strncmp(e->path + 7, e->folder, n) == 0 &&
           strcmp(e->path + 7 + n, "/board.xml") == 0;
}

int board_count(void)
{
    int n = 0;
    for (int i = 0; i < embedded_count; i++)
        n += is_board(&embedded_files[i]);
    return n;
}

const char *board_name(int i)
{
    for (int at = 0; at < embedded_count; at++)
        if (is_board(&embedded_files[at]) && i-- == 0)
            return embedded_files[at].folder;
    BUG("there is no such board");
}

static bool unknown_board(const struct ctx *cx, const char *name)
{
    int n = board_count();
    const char **names = arena_array(cx->arena, const char *, n);
    struct strbuf list = STRBUF_INIT;
    for (int i = 0; i < n; i++) {
        names[i] = board_name(i);
        strbuf_addf(&list, "%s%s", i == 0 ? "one of " : ", ", names[i]);
    }
    strbuf_adds(&list, ", or the path of a board file (.xml)");
    const char *near = diag_suggest(name, names, n);
    struct diag_msg m = { .code = E402, .found = name, .need = list.text };
    m.help = near ? arena_printf(cx->arena, "did you mean '%s'?", near) : "`aihls boards` shows them all";
    diag_emit(cx, m, "there is no board '%s'", name);
    strbuf_release(&list);
    return false;
}

// ---- XML errors as diagnostics ----

// What the callbacks of libxml2 know.
struct reader {
    const struct ctx *cx;
    const char *path;
    int errors;
    bool has_doctype;
    const void *last; // element or attribute of the last error: libxml2 often makes two of one
};

static const char *at_line(struct reader *r, int line)
{
    return arena_printf(r->cx->arena, "%s:%d", r->path, line);
}

// The text of a message without its closing full stop and line feed.
static char *bare(struct reader *r, const char *message)
{
    char *text = arena_strdup(r->cx->arena, message ? message : "unknown");
    size_t n = strlen(text);
    while (n > 0 && strchr("\n .", text[n - 1]))
        text[--n] = 0;
    return text;
}

// A text of the file as it may stand in a message: quoted, in one line, of bounded length.
static const char *quoted(struct reader *r, const xmlChar *text)
{
    struct strbuf sb = STRBUF_INIT;
    strbuf_addch(&sb, '\'');
    for (; *text && sb.len < 60; text++)
        strbuf_addch(&sb, *text < 0x20 || *text == 0x7f ? ' ' : (char)*text);
    strbuf_adds(&sb, *text ? "'..." : "'");
    const char *copy = arena_strdup(r->cx->arena, sb.text);
    strbuf_release(&sb);
    return copy;
}

static void on_parser_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    // After the first breach of syntax libxml2 only guesses.
    if (r->has_doctype || e->level < XML_ERR_ERROR || r->errors++ > 0)
        return;
    struct diag_msg m = { .code = E301, .where = at_line(r, e->line) };
    m.found = quoted(r, (const xmlChar *)bare(r, e->message));
    m.need = "XML as in boards/*/board.xml";
    diag_emit(r->cx, m, "the board file is not well-formed XML");
}

// The type of internalSubsetSAXFunc: a DOCTYPE begins.
static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    xmlParserCtxtPtr parser = user;
    struct reader *r = parser->_private;
    (void)name, (void)public_id, (void)system_id;
    r->has_doctype = true;
    r->errors++;
    struct diag_msg m = { .code = E301, .where = at_line(r, xmlSAX2GetLineNumber(parser)) };
    m.found = "<!DOCTYPE";
    m.need = "<board> without a document type";
    m.help = "delete the document type: board files need no entities";
    diag_emit(r->cx, m, "the board file declares a document type");
    xmlStopParser(parser);
}

static bool is_value_error(int code)
{
    return (code >= XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_1 && code <= XML_SCHEMAV_CVC_DATATYPE_VALID_1_2_3) ||
           (code >= XML_SCHEMAV_CVC_LENGTH_VALID && code <= XML_SCHEMAV_CVC_ENUMERATION_VALID);
}

// The attribute that a message speaks of ("Element 'lut', attribute 'source': ..."), or NULL.
static const xmlAttr *spoken_attribute(struct reader *r, const xmlNode *node, const xmlError *e)
{
    const char *mark = ", attribute '";
    const char *name = e->message ? strstr(e->message, mark) : NULL;
    if (!name || node->type != XML_ELEMENT_NODE)
        return NULL;
    name += strlen(mark);
    name = arena_strndup(r->cx->arena, name, strcspn(name, "'"));
    return xmlHasProp((xmlNodePtr)node, (const xmlChar *)name);
}

static void value_error(struct reader *r, const xmlNode *node, const xmlError *e)
{
    const xmlAttr *attribute = spoken_attribute(r, node, e);
    const void *place = attribute ? (const void *)attribute : (const void *)node;
    // A value that breaks a facet is reported again as no value of its type.
    if (r->last == place)
        return;
    r->last = place;
    const char *name = (const char *)(attribute ? attribute->name : node->name);
    xmlChar *content = xmlNodeGetContent(attribute ? (const xmlNode *)attribute : node);
    struct diag_msg m = { .code = E301, .where = at_line(r, e->line), .help = EXAMPLE };
    m.found = quoted(r, content ? content : (const xmlChar *)"");
    m.need = "a value that " SCHEMA_PATH " allows";
    if (attribute)
        m.need = strcmp(name, "name") == 0 ? "1 to 31 lower case letters, digits and '-'" : "1 to 400 letters";
    for (int i = 0; i < N_FIELDS && !attribute; i++)
        if (strcmp(fields[i].name, name) == 0)
            m.need = fields[i].need;
    if (attribute)
        diag_emit(r->cx, m, "attribute '%s' of <%s> has a value that is not allowed", name,
                  (const char *)node->name);
    else
        diag_emit(r->cx, m, "<%s> has a value that is not allowed", name);
    xmlFree(content);
}

// "Element 'x': What is wrong. Expected is one of ( a, b )." in two parts.
static void split_message(struct reader *r, const char *message, char **what, char **need)
{
    *what = bare(r, message);
    char *colon = strstr(*what, "': ");
    if (colon)
        *what = colon + 3;
    const char *mark = " Expected is ";
    char *expected = strstr(*what, mark);
    *need = NULL;
    if (expected) {
        *expected = 0;
        char *list = bare(r, expected + strlen(mark)); // "one of ( a, b )" or "( a )"
        char *open = strstr(list, "( ");
        *need = open ? arena_printf(r->cx->arena, "%.*s%.*s", (int)(open - list), list,
                                    (int)strcspn(open + 2, ")") - 1, open + 2)
                     : list;
    }
    *what = bare(r, *what);
}

static void structure_error(struct reader *r, const xmlNode *node, const xmlError *e)
{
    char *what, *need;
    split_message(r, e->message, &what, &need);
    const char *element = node ? (const char *)node->name : "?";
    struct diag_msg m = { .code = E301, .where = at_line(r, e->line), .help = EXAMPLE };
    m.found = arena_printf(r->cx->arena, "<%s>", element);
    m.need = need ? need : "what " SCHEMA_PATH " allows";
    if (e->code == XML_SCHEMAV_CVC_ELT_1) {
        m.need = "<board>, in no namespace";
        diag_emit(r->cx, m, "the document is not a board");
    } else if (e->code == XML_SCHEMAV_ELEMENT_CONTENT && strstr(what, "Missing")) {
        m.found = NULL;
        diag_emit(r->cx, m, "<%s> lacks a field", element);
    } else if (e->code == XML_SCHEMAV_CVC_COMPLEX_TYPE_4) {
        m.found = NULL;
        m.need = "a name for the board, a source for each number";
        diag_emit(r->cx, m, "<%s> lacks an attribute", element);
    } else if (e->code == XML_SCHEMAV_ELEMENT_CONTENT) {
        diag_emit(r->cx, m, "<%s> does not belong here", element);
    } else {
        diag_emit(r->cx, m, "<%s> breaks the schema: %s", element, what);
    }
}

static void on_schema_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    if (e->level < XML_ERR_ERROR)
        return;
    r->errors++;
    if (e->node && is_value_error(e->code))
        value_error(r, e->node, e);
    else
        structure_error(r, e->node, e);
}

// ---- reading ----

static char *copy_string(const char *s)
{
    size_t n_bytes = strlen(s) + 1;
    return memcpy(memory_alloc(n_bytes), s, n_bytes);
}

// Only memory is parsed, and neither external subsets nor XInclude are asked for; a validator that
// has its schema ignores xsi:schemaLocation. So no other file, and no host, is ever opened.
static xmlDocPtr parse(struct reader *r, const char *bytes, size_t n_bytes)
{
    xmlMemSetup(free, memory_alloc, memory_resize, copy_string);
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser)
        BUG("libxml2 gives no parser");
    parser->_private = r;
    parser->sax->internalSubset = on_doctype;
    xmlSetStructuredErrorFunc(r, on_parser_error);
    xmlDocPtr doc = xmlCtxtReadMemory(parser, bytes, (int)n_bytes, NULL, NULL, XML_PARSE_NONET);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlFreeParserCtxt(parser);
    if (doc && r->errors > 0) { // a document that libxml2 recovered or that was stopped
        xmlFreeDoc(doc);
        doc = NULL;
    }
    return doc;
}

// False when the document is not valid, with or without errors counted in r.
static bool validate(struct reader *r, xmlDocPtr doc)
{
    const struct embedded *xsd = embed_find(SCHEMA_PATH);
    ASSERT(xsd);
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewMemParserCtxt((const char *)xsd->bytes, (int)xsd->n_bytes);
    xmlSchemaPtr schema = parser ? xmlSchemaParse(parser) : NULL;
    xmlSchemaValidCtxtPtr valid = schema ? xmlSchemaNewValidCtxt(schema) : NULL;
    if (!valid)
        BUG("the embedded schema cannot be used");
    xmlSchemaSetValidStructuredErrors(valid, on_schema_error, r);
    bool is_valid = xmlSchemaValidateDoc(valid, doc) == 0;
    xmlSchemaFreeValidCtxt(valid);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
    return is_valid;
}

// The content of a node without white space around it, in the arena.
static char *trimmed(struct arena *a, const xmlNode *node)
{
    xmlChar *content = xmlNodeGetContent(node);
    const char *text = content ? (const char *)content : "";
    const char *space = " \t\r\n";
    text += strspn(text, space);
    size_t n = strlen(text);
    while (n > 0 && strchr(space, text[n - 1]))
        n--;
    char *copy = arena_strndup(a, text, n);
    xmlFree(content);
    return copy;
}

// Copies what the schema has checked.
static void extract(struct arena *a, const xmlNode *root, struct raw *out)
{
    const xmlAttr *name = xmlHasProp((xmlNodePtr)root, (const xmlChar *)"name");
    out->b.name = trimmed(a, (const xmlNode *)name);
    for (const xmlNode *child = root->children; child; child = child->next) {
        for (int i = 0; i < N_FIELDS && child->type == XML_ELEMENT_NODE; i++) {
            if (strcmp((const char *)child->name, fields[i].name) != 0)
                continue;
            char *text = trimmed(a, child);
            void *at = (char *)out + fields[i].offset;
            if (fields[i].is_number)
                *(int64_t *)at = strtoll(text, NULL, strncmp(text, "0x", 2) == 0 ? 16 : 10);
            else
                *(const char **)at = text;
        }
    }
}

// What the schema cannot say: the five fields of the way to memory come together, and need a memory; the two of the
// processor's view come together, and need those.
static bool check_memory(struct reader *r, const struct board *b)
{
    const struct { const char *name; int64_t value; } all[] = {
        { "axi_data_bits", b->axi_data_bits }, { "axi_addr_bits", b->axi_addr_bits }, { "dram_latency_ns", b->dram_latency_ns },
        { "dram_refresh_every_ns", b->dram_refresh_every_ns }, { "dram_refresh_ns", b->dram_refresh_ns }, { "dram_bytes_per_s above 0", b->dram_bytes_per_s },
    };
    const char *given = NULL, *lacks = NULL;
    for (int i = 0; i < 6; i++) {
        if (i < 5 && all[i].value && !given)
            given = all[i].name;
        if (!all[i].value && !lacks)
            lacks = all[i].name;
    }
    if (!given && (b->axi_base || b->irq_spi)) {
        given = b->axi_base ? "axi_base" : "irq_spi";
        lacks = "axi_data_bits";
    } else if (!b->axi_base != !b->irq_spi) {
        given = b->axi_base ? "axi_base" : "irq_spi";
        lacks = b->axi_base ? "irq_spi" : "axi_base";
    }
    if (!given || !lacks)
        return true;
    return diag_emit(r->cx, (struct diag_msg){ .code = E301, .where = r->path, .found = given, .need = lacks, .help = EXAMPLE }, "<board> lacks a field");
}

// What the schema cannot say: the oscillator and the line's pins and speed come together. Beside a processor there may be an
// oscillator alone. The pins of SPI come together, and only with a line.
static bool check_line(struct reader *r, const struct board *b)
{
    const struct { const char *name; bool given; } all[] = {
        { "oscillator_hz", b->oscillator_hz > 0 }, { "uart_baud", b->uart_baud > 0 }, { "pin_clk", b->pin_clk }, { "pin_rxd", b->pin_rxd }, { "pin_txd", b->pin_txd },
        { "pin_sck", b->pin_sck }, { "pin_cs_n", b->pin_cs_n }, { "pin_mosi", b->pin_mosi }, { "pin_miso", b->pin_miso },
    };
    const char *given = NULL, *lacks = NULL;
    bool spi = all[5].given || all[6].given || all[7].given || all[8].given;
    bool alone = b->axi_data_bits && !spi && !all[1].given && !all[3].given && !all[4].given;
    for (int i = spi ? 8 : 4; i >= 0; i--)
        if (!alone || i == 0 || i == 2)
            *(all[i].given ? &given : &lacks) = all[i].name;
    if (!given || !lacks)
        return true;
    return diag_emit(r->cx, (struct diag_msg){ .code = E301, .where = r->path, .found = given, .need = lacks, .help = "see boards/ulx3s-85f/board.xml for an example" },
                     "<board> lacks a field");
}

// What the schema cannot say: the multiplier and the block RAMs are the family's own.
static bool check_family(struct reader *r, struct raw *raw)
{
    const struct tech *tech = tech_find(raw->b.family);
    ASSERT(tech && raw->tech); // the schema has the same families, and demands <tech>
    struct diag_msg m = { .code = E301, .where = r->path, .found = raw->tech, .need = tech->mac, .help = EXAMPLE };
    if (strcmp(tech->mac, raw->tech) != 0)
        return diag_emit(r->cx, m, "family %s does not have the multiplier that <tech> names", raw->b.family);
    const struct { const char *name; int64_t count; } brams[] = { { "bram18", raw->bram18 }, { "bram10", raw->bram10 }, { "bram4", raw->bram4 } };
    m.need = tech->bram_element;
    for (int i = 0; i < 3; i++) {
        bool own = strcmp(brams[i].name, tech->bram_element) == 0, present = brams[i].count != ABSENT;
        m.found = present ? brams[i].name : NULL;
        if (own && !present)
            return diag_emit(r->cx, m, "<board> lacks a field");
        if (!own && present)
            return diag_emit(r->cx, m, "the block RAMs of family %s have %d Kb", raw->b.family, tech->bram_kbit);
        if (own)
            raw->b.bram18 = brams[i].count;
    }
    raw->b.tech = tech;
    return check_memory(r, &raw->b) && check_line(r, &raw->b);
}

static bool read_text(const struct ctx *cx, const char *path, const char *text, size_t n_bytes,
                      struct board *out)
{
    struct reader r = { .cx = cx, .path = path };
    struct raw raw = { .b = { .xml_text = text }, .bram18 = ABSENT, .bram10 = ABSENT, .bram4 = ABSENT };
    if (memchr(text, 0, n_bytes)) // UTF-16, or no text at all: xml_text could not hold it
        return diag_emit(cx,
                         (struct diag_msg){ .code = E301, .where = path,
                                            .found = "a zero byte", .need = "XML in UTF-8" },
                         "the board file is not text");
    xmlDocPtr doc = parse(&r, text, n_bytes);
    bool is_valid = doc && validate(&r, doc);
    if (!is_valid && r.errors == 0) // refused without a word; that must not pass
        (void)diag_error(cx, E301, path, NULL, "the board file cannot be read as XML");
    if (is_valid)
        extract(cx->arena, xmlDocGetRootElement(doc), &raw);
    xmlFreeDoc(doc);
    if (!is_valid || !check_family(&r, &raw))
        return false;
    *out = raw.b;
    return true;
}

// A file's text in the arena, NULL after a diagnostic.
static const char *load(const struct ctx *cx, const char *path, size_t *n_bytes)
{
    struct stat st;
    struct strbuf sb = STRBUF_INIT;
    int error = 0;
    if (stat(path, &st) != 0)
        error = errno;
    else if (!S_ISREG(st.st_mode))
        error = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    if (!error && st.st_size > FILE_MAX_BYTES) {
        struct diag_msg m = { .code = E301, .where = path, .found = arena_printf(cx->arena, "%lld bytes", (long long)st.st_size),
                              .need = arena_printf(cx->arena, "at most %d", FILE_MAX_BYTES) };
        (void)diag_emit(cx, m, "the board file is too large");
        return NULL;
    }
    if (!error && !strbuf_read_file(&sb, path))
        error = errno;
    if (error) {
        strbuf_release(&sb);
        (void)diag_error(cx, E002, path, "check the path and its permissions", "cannot read the board file: %s", strerror(error));
        return NULL;
    }
    *n_bytes = sb.len;
    const char *text = arena_strndup(cx->arena, sb.text, sb.len);
    strbuf_release(&sb);
    return text;
}

// preset.txt: comments (#), empty lines, and lines of a name and its value, for a Tcl script to read as data.
static bool check_preset(const struct ctx *cx, const char *path, const char *text)
{
    int line = 1;
    for (const char *at = text; *at; line++) {
        size_t n = strcspn(at, "\n"), name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        bool is_setting = name > 0 && name + 1 < n && at[name] == ' ' && at[name + 1] != ' ';
        for (size_t i = name; is_setting && i < n; i++)
            is_setting = at[i] >= ' ' && at[i] < 0x7f && !strchr("[]{}\\\"$;", at[i]);
        if (n > 0 && *at != '#' && !is_setting)
            return diag_emit(cx, (struct diag_msg){ .code = E301, .where = arena_printf(cx->arena, "%s:%d", path, line),
                                                    .need = "NAME VALUE, without Tcl's own characters", .help = "see boards/pynq-z2/preset.txt for an example" },
                             "this is no setting of a processor system");
        at += at[n] ? n + 1 : n;
    }
    return true;
}

// A board and its settings; *out only changes when both are right. preset: NULL without the file.
static bool read_both(const struct ctx *cx, const char *path, const char *text, size_t n_bytes, const char *preset_path, const char *preset, struct board *out)
{
    struct board b;
    if (!read_text(cx, path, text, n_bytes, &b) || (preset && !check_preset(cx, preset_path, preset)))
        return false;
    *out = b;
    out->preset_text = preset;
    return true;
}

static bool read_path(const struct ctx *cx, const char *path, struct board *out)
{
    size_t n_bytes, n_preset;
    const char *text = load(cx, path, &n_bytes), *slash = strrchr(path, '/');
    if (!text)
        return false;
    const char *preset_path = arena_printf(cx->arena, "%.*spreset.txt", slash ? (int)(slash + 1 - path) : 0, path), *preset = NULL;
    if (access(preset_path, F_OK) == 0 && !(preset = load(cx, preset_path, &n_preset)))
        return false;
    return read_both(cx, path, text, n_bytes, preset_path, preset, out);
}

bool board_read(const struct ctx *cx, const char *name_or_path, struct board *out)
{
    size_t n = strlen(name_or_path);
    if (strchr(name_or_path, '/') || (n >= 4 && strcmp(name_or_path + n - 4, ".xml") == 0))
        return read_path(cx, name_or_path, out);
    const struct embedded *e = embed_find(arena_printf(cx->arena, "boards/%s/board.xml", name_or_path));
    if (!e)
        return unknown_board(cx, name_or_path);
    const char *preset_path = arena_printf(cx->arena, "boards/%s/preset.txt", name_or_path);
    const struct embedded *preset = embed_find(preset_path);
    return read_both(cx, e->path, (const char *)e->bytes, e->n_bytes, preset_path, preset ? (const char *)preset->bytes : NULL, out);
}

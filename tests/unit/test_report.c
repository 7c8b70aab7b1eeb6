// SPDX-License-Identifier: Apache-2.0
// Tests report.json's facts and what is made of them: hls/report*.c, hls/wave.c.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/check.h"
#include "hls/quant_error.h"
#include "hls/report.h"
#include "hls/report_html_impl.h"
#include "hls/report_layout.h"
#include "hls/wave.h"

#define DIGITS "tests/models/digits/digits"
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct arena arena;
static struct design design;
static json_t *digits; // its report, with a simulation's figures made up

static int group_setup(void **state)
{
    (void)state;
    struct strbuf messages = STRBUF_INIT;
    struct diag diag = { .rendered = &messages };
    struct ctx cx = { &arena, &diag };
    struct request r = { .model = DIGITS ".onnx", .board = "ultra96", .calib = DIGITS "_calib.npy" };
    design = (struct design){ .model_bytes = STRBUF_INIT };
    bool ok = design_build(&cx, &r, &design, NULL, NULL);
    if (!ok)
        print_error("%s", messages.text);
    strbuf_release(&messages);
    if (!ok)
        return -1;
    quant_error_measure(&cx, &design);
    digits = report_make(&design);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    json_decref(digits);
    design_release(&design);
    arena_release(&arena);
    return 0;
}

// Adds what `aihls sim` would: stage i is busy 100 + i cycles and blocked i; stream i's frame lasts from 10 i to 10 i + 320.
static json_t *simulated(const json_t *report)
{
    json_t *r = json_deep_copy(report), *stages = json_array(), *streams = json_array();
    for (size_t i = 0; i < json_array_size(json_object_get(r, "stages")); i++)
        json_array_append_new(stages, json_pack("{s:s, s:I, s:I, s:I}", "name", view_text(json_array_get(json_object_get(r, "stages"), i), "name"),
                              "busy_cycles", (json_int_t)(100 + i),
                                                "waiting_cycles", (json_int_t)(230 - i), "blocked_cycles", (json_int_t)i));
    for (size_t i = 0; i < json_array_size(json_object_get(r, "streams")); i++)
        json_array_append_new(streams, json_pack("{s:s, s:I, s:I, s:I}", "name", view_text(json_array_get(json_object_get(r, "streams"), i), "name"),
                              "blocked_cycles", (json_int_t)i,
                                                 "first_beat", (json_int_t)(10 * i), "last_beat", (json_int_t)(10 * i + 320)));
    json_object_set_new(r, "simulated", json_pack("{s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "frames", 5, "cycles_per_frame", 330, "latency_cycles", 1511,
                        "mismatches", 0, "stall_seed", 0,
                                                  "stages", stages, "streams", streams));
    return r;
}

// ---- the facts ----

static void streams_say_where_they_come_from_and_go_to(void **state)
{
    (void)state;
    struct view v = view_make(digits, &arena);
    const struct pipeline *p = design.pipeline;
    assert_int_equal(v.n_stages, p->n_stages);
    assert_int_equal(v.n_streams, p->n_streams);
    assert_int_equal(v.n_edges, p->n_edges);
    int edge = 0;
    for (int i = 0; i < p->n_streams; i++) {
        const struct stream *s = &p->streams[i];
        assert_string_equal(v.streams[i].name, s->name);
        assert_int_equal(v.streams[i].from, s->producer);
        assert_int_equal(v.streams[i].lanes, s->lanes);
        assert_int_equal(v.streams[i].beats, stream_beats(s, s->lanes));
        assert_int_equal(view_int(v.streams[i].json, "width_bits"), 8 * s->lanes);
        for (int e = 0; e < p->n_edges; e++) {
            if (p->edges[e].stream != i)
                continue;
            assert_int_equal(v.edges[edge].to, p->edges[e].consumer);
            assert_int_equal(v.edges[edge].fifo_words, p->edges[e].depth_words);
            assert_int_equal(v.edges[edge].block, p->edges[e].block);
            assert_string_equal(v.edges[edge++].port, p->edges[e].consumer < 0 ? "m_out" : "");
        }
    }
    assert_string_equal(v.streams[0].port, "s_in");
}

static void stages_list_their_nodes_with_operators(void **state)
{
    (void)state;
    static const struct { int stage; const char *name, *op; } want[] = {
        { 0, "stem", "Conv" }, { 0, "stem.relu", "Relu" }, { 3, "block1.add", "Add" }, { 8, "pool", "GlobalAveragePool" }, { 9, "logits", "Gemm" },
    };
    for (size_t i = 0; i < COUNT(want); i++) {
        const json_t *nodes = json_object_get(json_array_get(json_object_get(digits, "stages"), (size_t)want[i].stage), "onnx_nodes"), *o;
        size_t k, found = 0;
        json_array_foreach(nodes, k, o)
            found += strcmp(view_text(o, "name"), want[i].name) == 0 && strcmp(view_text(o, "op"), want[i].op) == 0;
        assert_int_equal(found, 1);
    }
}

static void multipliers_are_never_busier_than_they_can_be(void **state)
{
    (void)state;
    struct view v = view_make(digits, &arena);
    for (int i = 0; i < v.n_stages; i++) {
        assert_true(v.stages[i].macs <= v.stages[i].products * v.stages[i].predicted);
        assert_int_equal(v.stages[i].macs > 0, v.stages[i].products > 0);
    }
}

static void the_hosts_operators_have_a_reason(void **state)
{
    (void)state;
    const json_t *host = json_object_get(digits, "host"), *first = json_array_get(host, 0), *last = json_array_get(host, 1);
    assert_int_equal(json_array_size(host), 2);
    assert_string_equal(view_text(first, "op"), "QuantizeLinear");
    assert_string_equal(view_text(first, "side"), "in front");
    assert_string_equal(view_text(first, "port"), "s_in");
    assert_string_equal(view_text(last, "op"), "DequantizeLinear");
    assert_string_equal(view_text(last, "side"), "behind");
    assert_true(strlen(view_text(first, "why")) > 20 && strlen(view_text(last, "why")) > 20);
}

// ---- numbers and text ----

static void counts_have_commas(void **state)
{
    (void)state;
    static const struct { int64_t n; const char *want; } rows[] = {
        { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" }, { -1, "-1" }, { -999, "-999" }, { -1000, "-1,000" }, { INT64_MAX, "9,223,372,036,854,775,807" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(view_count(&arena, rows[i].n), rows[i].want);
}

static void text_is_escaped_and_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(html_escape(&arena, "<script>alert(\"&\")</script>"), "&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;");
    assert_string_equal(html_escape(&arena, "a\x01z\x1b[0m"), "a\xef\xbf\xbdz\xef\xbf\xbd[0m");
    assert_string_equal(html_escape(&arena, "\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbc\xa1"), "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbc\xa1");
    assert_string_equal(html_clip(&arena, "abcdef", 6), "abcdef");
    assert_string_equal(html_clip(&arena, "abcdefg", 6), "abcde\xe2\x80\xa6");
    assert_string_equal(html_clip(&arena, "<<<<", 3), "&lt;&lt;\xe2\x80\xa6");
    assert_string_equal(html_clip(&arena, "\xc3\xa4\xc3\xb6\xc3\xbc", 2), "\xc3\xa4\xe2\x80\xa6");
    assert_string_equal(html_clip(&arena, "", 2), "");
}

// ---- the page ----

static void no_message(void *user, const char *format, ...)
{
    (void)user;
    (void)format;
}

// The page as a tree; it must be well-formed.
static xmlDoc *page_of(const json_t *report)
{
    struct strbuf page = STRBUF_INIT;
    report_html(report, &arena, &page);
    xmlSetGenericErrorFunc(NULL, no_message);
    xmlDoc *doc = xmlReadMemory(page.text, (int)page.len, "report.html", "UTF-8", XML_PARSE_NONET);
    if (!doc)
        fail_msg("line %d: %s", xmlGetLastError()->line, xmlGetLastError()->message);
    strbuf_release(&page);
    return doc;
}

typedef void visitor(const xmlNode *n, void *user);

static void visit(const xmlNode *n, visitor *f, void *user)
{
    for (; n; n = n->next) {
        if (n->type == XML_ELEMENT_NODE)
            f(n, user);
        visit(n->children, f, user);
    }
}

static const char *attribute(const xmlNode *n, const char *name)
{
    for (const xmlAttr *a = n->properties; a; a = a->next)
        if (strcmp((const char *)a->name, name) == 0)
            return a->children ? (const char *)a->children->content : "";
    return "";
}

static const char *content(const xmlNode *n)
{
    xmlChar *text = xmlNodeGetContent(n);
    const char *copy = arena_strdup(&arena, (const char *)text);
    xmlFree(text);
    return copy;
}

static void check_harmless(const xmlNode *n, void *user)
{
    (void)user;
    static const char *const allowed[] = { "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "nav", "a", "div", "span", "b", "i", "code", "table", "thead", "tbody", "tr", "th", "td",
                                           "section", "svg", "g", "rect", "path", "text", "line", "circle", "polyline" };
    bool known = false;
    for (size_t i = 0; i < COUNT(allowed); i++)
        known |= strcmp((const char *)n->name, allowed[i]) == 0;
    if (!known)
        fail_msg("element %s", (const char *)n->name);
    for (const xmlAttr *a = n->properties; a; a = a->next) {
        const char *name = (const char *)a->name, *value = a->children ? (const char *)a->children->content : "";
        if (strncmp(name, "on", 2) == 0 || strcmp(name, "src") == 0 || (strcmp(name, "href") == 0 && value[0] != '#') || strstr(value, "url("))
            fail_msg("attribute %s=\"%s\" of %s", name, value, (const char *)n->name);
    }
    if (strcmp((const char *)n->name, "style") == 0)
        assert_true(!strstr(content(n), "url(") && !strstr(content(n), "@import"));
}

static void the_page_fetches_nothing_and_runs_nothing(void **state)
{
    (void)state;
    json_t *reports[] = { json_incref(digits), simulated(digits) };
    for (int i = 0; i < 2; i++) {
        xmlDoc *doc = page_of(reports[i]);
        visit(xmlDocGetRootElement(doc), check_harmless, NULL);
        xmlFreeDoc(doc);
        json_decref(reports[i]);
    }
}

static void the_same_report_gives_the_same_page(void **state)
{
    (void)state;
    struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
    char *text = json_dumps(digits, JSON_SORT_KEYS);
    json_t *copy = json_loads(text, 0, NULL);
    free(text);
    report_html(digits, &arena, &a);
    report_html(copy, &arena, &b);
    assert_string_equal(a.text, b.text);
    json_decref(copy);
    strbuf_release(&a);
    strbuf_release(&b);
}

// Elements of a kind, in order.
struct found {
    const char *element, *class; // "" any class
    const xmlNode *nodes[400];
    int n;
};

static void collect(const xmlNode *n, void *user)
{
    struct found *f = user;
    if (strcmp((const char *)n->name, f->element) == 0 && (!*f->class || strcmp(attribute(n, "class"), f->class) == 0) && f->n < (int)COUNT(f->nodes))
        f->nodes[f->n++] = n;
}

static struct found find(xmlDoc *doc, const char *element, const char *class)
{
    struct found f = { .element = element, .class = class };
    visit(xmlDocGetRootElement(doc), collect, &f);
    return f;
}

static const xmlNode *child(const xmlNode *n, int index)
{
    for (n = n->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && index-- == 0)
            return n;
    fail_msg("too few children");
    return NULL;
}

static void expect_cell(const xmlNode *row, int index, const char *want)
{
    const char *have = content(child(row, index));
    if (strcmp(have, want) != 0)
        fail_msg("cell %d: '%s', want '%s'", index, have, want);
}

static void every_stage_has_a_box_a_row_and_a_panel_with_its_numbers(void **state)
{
    (void)state;
    json_t *report = simulated(digits);
    struct view v = view_make(report, &arena);
    xmlDoc *doc = page_of(report);
    struct found rows = { 0 }, tables = find(doc, "table", "stages"), panels = find(doc, "section", "panel");
    assert_int_equal(tables.n, 1);
    rows = (struct found){ .element = "tr", .class = "" };
    visit(child(tables.nodes[0], 1)->children, collect, &rows);
    assert_int_equal(rows.n, v.n_stages);
    assert_int_equal(panels.n, v.n_stages);
    struct found links = find(doc, "a", "");
    for (int i = 0; i < v.n_stages; i++) {
        const struct view_stage *s = &v.stages[i];
        expect_cell(rows.nodes[i], 0, s->name);
        assert_string_equal(attribute(child(rows.nodes[i], 1), "title"), s->nodes);
        expect_cell(rows.nodes[i], 3, view_count(&arena, s->predicted));
        expect_cell(rows.nodes[i], 4, view_count(&arena, 100 + i));
        expect_cell(rows.nodes[i], 5, view_count(&arena, 230 - i));
        expect_cell(rows.nodes[i], 6, view_count(&arena, i));
        expect_cell(rows.nodes[i], 9, view_count(&arena, s->dsp));
        expect_cell(rows.nodes[i], 10, view_count(&arena, s->bram));
        expect_cell(rows.nodes[i], 11, view_count(&arena, s->lut));
        assert_string_equal(attribute(panels.nodes[i], "id"), arena_printf(&arena, "st%d", i));
        int boxes = 0;
        for (int k = 0; k < links.n; k++)
            boxes += strcmp(attribute(links.nodes[k], "href"), arena_printf(&arena, "#st%d",
                            i)) == 0 && strcmp((const char *)links.nodes[k]->parent->name, "svg") == 0 &&
                     strstr(content(links.nodes[k]), s->name) && strstr(content(links.nodes[k]), s->nodes);
        assert_int_equal(boxes, 1);
    }
    xmlFreeDoc(doc);
    json_decref(report);
}

static void every_edge_is_drawn_with_its_fifo(void **state)
{
    (void)state;
    struct view v = view_make(digits, &arena);
    xmlDoc *doc = page_of(digits);
    struct found plain = find(doc, "g", "edge"), deep = find(doc, "g", "edge deep");
    int blocks = 0, p = 0, d = 0;
    for (int i = 0; i < v.n_edges; i++)
        blocks += v.edges[i].block;
    assert_int_equal(plain.n + deep.n, v.n_edges);
    assert_int_equal(deep.n, blocks);
    assert_true(blocks >= 1);
    for (int i = 0; i < v.n_edges; i++) {
        const struct view_edge *e = &v.edges[i];
        const xmlNode *g = e->block ? deep.nodes[d++] : plain.nodes[p++];
        const char *title = content(child(g, 0)), *ends = arena_printf(&arena, "%s from %s to %s:", v.streams[e->stream].name,
                                    v.streams[e->stream].from == HOST ? "s_in" : v.stages[v.streams[e->stream].from].name,
                                                                          e->to == HOST ? "m_out" : v.stages[e->to].name);
        if (strncmp(title, ends, strlen(ends)) != 0)
            fail_msg("'%s', want '%s'", title, ends);
        assert_string_equal(content(child(g, 4)), view_count(&arena, e->fifo_words));
    }
    xmlFreeDoc(doc);
}

static void a_frame_in_time_has_a_slot_for_each_stream(void **state)
{
    (void)state;
    json_t *report = simulated(digits);
    xmlDoc *before = page_of(digits), *after = page_of(report);
    assert_int_equal(find(before, "g", "slot").n, 0);
    struct found slots = find(after, "g", "slot");
    assert_int_equal(slots.n, design.pipeline->n_streams);
    assert_non_null(strstr(content(slots.nodes[3]), "first result in cycle 30, last in 350"));
    double x[16], scale = 0;
    for (int i = slots.n - 1; i >= 0; i--) { // a bar's place is its first beat's
        struct found bars = { .element = "rect", .class = "busy" };
        visit(slots.nodes[i]->children, collect, &bars);
        assert_int_equal(bars.n, 1);
        x[i] = atof(attribute(bars.nodes[0], "x")) - 108;
        scale = i == slots.n - 1 ? x[i] / (10 * i) : scale;
        assert_true(fabs(x[i] - 10 * i * scale) < 0.2);
        assert_true(fabs(atof(attribute(bars.nodes[0], "width")) - 321 * scale) < 0.5);
    }
    xmlFreeDoc(before);
    xmlFreeDoc(after);
    json_decref(report);
}

static void errors_by_layer_are_those_of_the_report(void **state)
{
    (void)state;
    struct view v = view_make(digits, &arena);
    xmlDoc *doc = page_of(digits);
    struct found tables = find(doc, "table", "bars"), rows = { .element = "tr", .class = "" };
    assert_int_equal(tables.n, 2); // resources, quantization
    visit(child(tables.nodes[1], 1)->children, collect, &rows);
    assert_int_equal(rows.n, v.n_streams);
    for (int i = 0; i < v.n_streams; i++) {
        expect_cell(rows.nodes[i], 3, arena_printf(&arena, "%.1f", v.streams[i].sqnr_db));
        expect_cell(rows.nodes[i], 4, arena_printf(&arena, "%.2f", v.streams[i].error_steps));
    }
    xmlFreeDoc(doc);
}

// ---- hostile and damaged reports ----

// Replaces every name that comes from a model.
static void rename_all(json_t *report, const char *name)
{
    static const char *const lists[] = { "stages", "streams", "inputs", "outputs", "host" }, *const keys[] = { "nodes", "tensor", "why", "op" };
    json_object_set_new(json_object_get(report, "model"), "name", json_string(name));
    json_object_set_new(json_object_get(report, "board"), "part", json_string(name));
    for (size_t l = 0; l < COUNT(lists); l++) {
        size_t i;
        json_t *o;
        json_array_foreach(json_object_get(report, lists[l]), i, o) {
            for (size_t k = 0; k < COUNT(keys); k++)
                json_object_set_new(o, keys[k], json_string(name));
            if (l >= 2)
                json_object_set_new(o, "name", json_string(name));
            json_object_set_new(o, "onnx_nodes", json_pack("[{s:s, s:s, s:s}]", "name", name, "op", name, "part", name));
        }
    }
}

static const char *const hostile[] = {
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)", "]]></style><script>", "</title></svg><a "
            "href=\"http://example.org\">", "&amp;&lt;&#60;", "<!-- ", "%s%n%d", "\xe2\x80\xae" "abc",
    "\x01\x02\x1b[31m\x7f", "", "a\xcc\x81\xf0\x9f\x92\xa9",
};

static void names_are_text_whatever_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        json_t *report = simulated(digits);
        rename_all(report, hostile[i]);
        xmlDoc *doc = page_of(report);
        visit(xmlDocGetRootElement(doc), check_harmless, NULL);
        struct found titles = find(doc, "title", "");
        if (!strpbrk(hostile[i], "\x01\x02\x1b"))
            assert_string_equal(content(titles.nodes[0]), arena_printf(&arena, "%s on ultra96", hostile[i]));
        xmlFreeDoc(doc);
        struct strbuf text = STRBUF_INIT;
        report_text(report, &arena, &text);
        for (const char *c = text.text; *c; c++)
            assert_true((unsigned char)*c >= 0x20 ? *c != 0x7f : *c == '\n');
        strbuf_release(&text);
        json_decref(report);
    }
}

static struct damaged {
    const char *name, *json;
} damaged[] = {
    { "nothing at all", "{}" },
    { "empty lists", "{\"stages\": [], \"streams\": []}" },
    { "items that are no objects", "{\"stages\": [1, null, \"x\"], \"streams\": [[], {}], \"host\": [3], \"inputs\": 4}" },
    { "text for numbers", "{\"stages\": [{\"name\": 3, \"predicted_cycles\": \"many\"}], \"streams\": [{\"lanes\": \"x\", \"readers\": "
            "[{\"fifo_words\": {}}]}], \"board\": 5, \"predicted\": []}" },
    { "a stage that feeds itself", "{\"stages\": [{\"name\": \"a\"}], \"streams\": [{\"name\": \"x\", \"from\": \"a\", \"readers\": [{\"stage\": "
            "\"a\"}, {\"stage\": \"a\"}]}]}" },
    { "a cycle of three", "{\"stages\": [{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}], \"streams\": [{\"from\": \"a\", \"readers\": "
            "[{\"stage\": \"b\"}]}, {\"from\": \"b\", \"readers\": [{\"stage\": \"c\"}]}, "
                          "{\"from\": \"c\", \"readers\": [{\"stage\": \"a\"}]}]}" },
    { "readers that are not there", "{\"stages\": [{\"name\": \"a\"}], \"streams\": [{\"from\": \"z\", \"readers\": [{\"stage\": \"y\"}, {}]}]}" },
    { "numbers beyond all measure", "{\"model\": {\"macs\": 9223372036854775807}, \"board\": {\"dsp\": 9223372036854775807, \"dsp_products\": "
            "9223372036854775807, \"clock_hz\": 1}, \"predicted\": {\"cycles_per_frame\": 1, "
                                    "\"macs_per_cycle\": 1e300}, \"simulated\": {\"cycles_per_frame\": 9223372036854775807, \"streams\": [{\"name\": "
                                            "\"x\", \"first_beat\": 0, \"last_beat\": 9223372036854775806}]}, "
                                    "\"stages\": [{\"name\": \"a\", \"products_per_cycle\": 9223372036854775807}], \"streams\": [{\"name\": \"x\", "
                                            "\"from\": \"host\", \"lanes\": 1000000, \"beats\": 9223372036854775807, "
                                    "\"readers\": [{\"stage\": \"a\", \"fifo_words\": 9223372036854775807}]}]}" },
    { "negative numbers", "{\"model\": {\"macs\": -5}, \"board\": {\"dsp\": -1, \"lut\": -3, \"clock_hz\": -300}, \"predicted\": "
            "{\"cycles_per_frame\": -7, \"lut\": -1}, \"simulated\": {\"cycles_per_frame\": -1}, "
                          "\"stages\": [{\"name\": \"a\", \"predicted_cycles\": -9, \"products_per_cycle\": -2}], \"streams\": [{\"name\": \"x\", "
                                  "\"from\": \"a\", \"lanes\": -4, \"error_steps\": -1, \"sqnr_db\": -80.5}]}" },
};

static void check_damaged(void **state)
{
    const struct damaged *d = *state;
    json_t *report = json_loads(d->json, 0, NULL);
    assert_non_null(report);
    xmlDoc *doc = page_of(report);
    visit(xmlDocGetRootElement(doc), check_harmless, NULL);
    struct strbuf text = STRBUF_INIT;
    report_text(report, &arena, &text);
    assert_null(strstr(text.text, "nan"));
    struct strbuf page = STRBUF_INIT;
    report_html(report, &arena, &page);
    assert_null(strstr(page.text, "\"nan"));
    assert_null(strstr(page.text, "inf\""));
    strbuf_release(&page);
    strbuf_release(&text);
    xmlFreeDoc(doc);
    json_decref(report);
}

// ---- the layout ----

#define NODE_W 100.0
#define BEND_W 10.0
#define APART 8.0

// What stands in each row, from left to right or not, must not touch.
static void check_layout(const struct layout *l)
{
    for (int r = 0; r < l->n_rows; r++) {
        double left[2000], right[2000];
        int n = 0;
        for (int i = 0; i < l->n_nodes; i++)
            if (l->row[i] == r) {
                left[n] = l->x[i] - NODE_W / 2;
                right[n++] = l->x[i] + NODE_W / 2;
            }
        for (int i = 0; i < l->n_edges; i++)
            for (int k = 0; k < l->edges[i].n_bends; k++)
                if (l->row[l->edges[i].from] + 1 + k == r) {
                    left[n] = l->edges[i].bends[k] - BEND_W / 2;
                    right[n++] = l->edges[i].bends[k] + BEND_W / 2;
                }
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
            assert_true(left[i] > -1e-6 && right[i] < l->width + 1e-6);
            for (int k = 0; k < i; k++)
                assert_true(left[i] >= right[k] + APART - 1e-6 || left[k] >= right[i] + APART - 1e-6);
        }
    }
    for (int i = 0; i < l->n_edges; i++) {
        assert_true(l->row[l->edges[i].to] > l->row[l->edges[i].from]);
        assert_int_equal(l->edges[i].n_bends, l->row[l->edges[i].to] - l->row[l->edges[i].from] - 1);
    }
}

static void boxes_and_skips_keep_clear_of_each_other(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct layout l = { .n_nodes = 2 + rand() % 40 };
        l.n_edges = l.n_nodes - 1 + rand() % 20;
        l.edges = arena_array(&arena, struct layout_edge, l.n_edges);
        for (int i = 0; i < l.n_edges; i++) {
            int to = i < l.n_nodes - 1 ? i + 1 : 1 + rand() % (l.n_nodes - 1);
            l.edges[i].to = to;
            l.edges[i].from = rand() % 2 ? to - 1 : rand() % to;
        }
        layout_make(&l, &arena, NODE_W, APART, BEND_W);
        check_layout(&l);
    }
}

static void a_chain_is_straight_and_a_skip_stands_beside_it(void **state)
{
    (void)state;
    struct layout_edge edges[] = { { .from = 0, .to = 1 }, { .from = 1, .to = 2 }, { .from = 2, .to = 3 }, { .from = 0, .to = 3 } };
    struct layout l = { .n_nodes = 4, .n_edges = 3, .edges = edges };
    layout_make(&l, &arena, NODE_W, APART, BEND_W);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(l.row[i], i);
        assert_true(fabs(l.x[i] - NODE_W / 2) < 1e-6);
    }
    l.n_edges = 4;
    layout_make(&l, &arena, NODE_W, APART, BEND_W);
    assert_int_equal(edges[3].n_bends, 2);
    assert_true(fabs(edges[3].bends[0] - edges[3].bends[1]) < 2);
    assert_true(fabs(l.x[1] - l.x[2]) < 2);
}

static void too_many_skips_are_drawn_without_bends(void **state)
{
    (void)state;
    enum { N = 400 };
    struct layout l = { .n_nodes = N, .n_edges = 2 * (N - 1) };
    l.edges = arena_array(&arena, struct layout_edge, l.n_edges);
    for (int i = 0; i < N - 1; i++) {
        l.edges[2 * i] = (struct layout_edge){ .from = i, .to = i + 1 };
        l.edges[2 * i + 1] = (struct layout_edge){ .from = i < N / 2 ? i : 0, .to = N - 1 };
    }
    layout_make(&l, &arena, NODE_W, APART, BEND_W);
    for (int i = 0; i < l.n_edges; i++)
        assert_int_equal(l.edges[i].n_bends, 0);
    assert_int_equal(l.n_rows, N);
}

// ---- the terminal ----

static void the_terminal_shows_all_stages_streams_and_the_frame(void **state)
{
    (void)state;
    json_t *report = simulated(digits);
    struct view v = view_make(report, &arena);
    struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
    report_text(digits, &arena, &before);
    report_text(report, &arena, &after);
    assert_non_null(strstr(before.text, "not simulated yet"));
    assert_null(strstr(before.text, "one frame"));
    assert_null(strstr(after.text, "not simulated yet"));
    assert_non_null(strstr(after.text, "5 frames simulated, 11 streams compared, 0 mismatches"));
    assert_non_null(strstr(after.text, "one frame, 0 to 420 cycles"));
    for (int i = 0; i < v.n_stages; i++)
        assert_non_null(strstr(after.text, arena_printf(&arena, " %9lld %9d %9d %9d %5lld\n", (long long)v.stages[i].predicted, 100 + i, 230 - i, i,
                        (long long)v.stages[i].dsp)));
    for (int i = 0; i < v.n_streams; i++)
        assert_non_null(strstr(after.text, arena_printf(&arena, "\n%-8s ", v.streams[i].name)));
    assert_non_null(strstr(after.text, "QuantizeLinear"));
    strbuf_release(&before);
    strbuf_release(&after);
    json_decref(report);
}

// ---- GTKWave ----

static void the_save_file_stands_beside_the_trace(void **state)
{
    (void)state;
    assert_string_equal(wave_path(&arena, "/a/b.fst"), "/a/b.gtkw");
    assert_string_equal(wave_path(&arena, "/a/b"), "/a/b.gtkw");
    assert_string_equal(wave_path(&arena, "/a.fst/b"), "/a.fst/b.gtkw");
    assert_string_equal(wave_path(&arena, ".fst"), ".fst.gtkw");
}

static void each_stage_is_a_group_of_signals_that_the_netlist_has(void **state)
{
    (void)state;
    struct strbuf sb = STRBUF_INIT;
    wave_print(&design, &arena, "/tmp/t.fst", &sb);
    assert_non_null(strstr(sb.text, "[dumpfile] \"/tmp/t.fst\"\n[savefile] \"/tmp/t.gtkw\"\n"));
    const struct pipeline *p = design.pipeline;
    for (int i = 0; i < p->n_stages; i++) {
        const char *begin = strstr(sb.text, arena_printf(&arena, "@800200\n-%s\n", p->stages[i].name)), *end = strstr(sb.text, arena_printf(&arena,
                                   "@1000200\n-%s\n", p->stages[i].name));
        assert_true(begin && end && begin < end);
        const char *group = arena_strndup(&arena, begin, (size_t)(end - begin));
        assert_non_null(strstr(group, arena_printf(&arena, "TOP.digits_core.%s_data[%d:0]\n", p->streams[p->stages[i].out_stream].name,
                        8 * p->streams[p->stages[i].out_stream].lanes - 1)));
        assert_non_null(strstr(group, arena_printf(&arena, "TOP.digits_core.u_%s.busy\n", p->stages[i].name)));
    }
    char *save = NULL;
    for (char *line = strtok_r(sb.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "TOP.digits_core.", 16) != 0 || strstr(line, ".busy"))
            continue;
        const char *name = arena_strndup(&arena, line + 16, strcspn(line + 16, "["));
        bool known = strcmp(name, "clk") == 0 || strcmp(name, "rst") == 0;
        for (int i = 0; i < design.netlist->n_nets; i++)
            known |= strcmp(design.netlist->nets[i].name, name) == 0;
        for (int i = 0; i < design.netlist->n_ports; i++)
            known |= strcmp(design.netlist->ports[i].name, name) == 0;
        if (!known)
            fail_msg("no net %s", name);
    }
    strbuf_release(&sb);
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(streams_say_where_they_come_from_and_go_to), cmocka_unit_test(stages_list_their_nodes_with_operators), cmocka_unit_test(multipliers_are_never_busier_than_they_can_be),
        cmocka_unit_test(the_hosts_operators_have_a_reason), cmocka_unit_test(counts_have_commas), cmocka_unit_test(text_is_escaped_and_cut_between_characters),
        cmocka_unit_test(the_page_fetches_nothing_and_runs_nothing), cmocka_unit_test(the_same_report_gives_the_same_page), cmocka_unit_test(every_stage_has_a_box_a_row_and_a_panel_with_its_numbers),
        cmocka_unit_test(every_edge_is_drawn_with_its_fifo), cmocka_unit_test(a_frame_in_time_has_a_slot_for_each_stream), cmocka_unit_test(errors_by_layer_are_those_of_the_report),
        cmocka_unit_test(names_are_text_whatever_they_are), cmocka_unit_test(boxes_and_skips_keep_clear_of_each_other), cmocka_unit_test(a_chain_is_straight_and_a_skip_stands_beside_it),
        cmocka_unit_test(too_many_skips_are_drawn_without_bends), cmocka_unit_test(the_terminal_shows_all_stages_streams_and_the_frame), cmocka_unit_test(the_save_file_stands_beside_the_trace),
        cmocka_unit_test(each_stage_is_a_group_of_signals_that_the_netlist_has),
    };
    struct CMUnitTest tests[COUNT(fixed) + COUNT(damaged)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < COUNT(damaged); i++)
        tests[COUNT(fixed) + i] = (struct CMUnitTest){ damaged[i].name, check_damaged, NULL, NULL, &damaged[i] };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

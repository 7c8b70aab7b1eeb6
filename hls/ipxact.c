// SPDX-License-Identifier: Apache-2.0
#include "hls/ipxact.h"

#include <ctype.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#include "base/check.h"
#include "drivers/aihls_shell.h"
#include "hls/shell.h"

#define SPIRIT "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"

struct writer {
    xmlTextWriterPtr xml;
    const struct design *d;
    const struct netlist *axi;
    struct arena *a;
};

// ---- elements; all names are in SPIRIT's name space ----

// A writer into memory fails when memory does, and then it is past remedy.
static void done(int status)
{
    if (status < 0)
        BUG("libxml2 cannot write");
}

static const xmlChar *spirit(struct writer *w, const char *name)
{
    return (const xmlChar *)arena_printf(w->a, "spirit:%s", name);
}

static void open_element(struct writer *w, const char *name)
{
    done(xmlTextWriterStartElement(w->xml, spirit(w, name)));
}

static void close_element(struct writer *w)
{
    done(xmlTextWriterEndElement(w->xml));
}

static void attribute(struct writer *w, const char *name, const char *value)
{
    done(xmlTextWriterWriteAttribute(w->xml, spirit(w, name), (const xmlChar *)value));
}

static void leaf(struct writer *w, const char *name, const char *value)
{
    done(xmlTextWriterWriteElement(w->xml, spirit(w, name), (const xmlChar *)value));
}

static void number(struct writer *w, const char *name, int64_t value)
{
    leaf(w, name, arena_printf(w->a, "%lld", (long long)value));
}

static void hexadecimal(struct writer *w, const char *name, int64_t value)
{
    leaf(w, name, arena_printf(w->a, "0x%llX", (unsigned long long)value));
}

// An element that only refers to something by name.
static void reference(struct writer *w, const char *name, const char *attribute_name, const char *value)
{
    open_element(w, name);
    attribute(w, attribute_name, value);
    close_element(w);
}

static void library_name(struct writer *w, const char *element, const char *library, const char *name)
{
    open_element(w, element);
    attribute(w, "vendor", "xilinx.com");
    attribute(w, "library", library);
    attribute(w, "name", name);
    attribute(w, "version", "1.0");
    close_element(w);
}

// ---- buses ----

bool ipxact_bus(struct arena *a, const struct port *p, const char **bus, const char **logical)
{
    static const char *const buses[] = { "s_axil", "m_axi" };
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(buses[i]);
        if (strncmp(p->name, buses[i], n) != 0 || p->name[n] != '_')
            continue;
        char *upper = arena_strdup(a, p->name + n + 1);
        for (char *c = upper; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        *bus = buses[i];
        *logical = upper;
        return true;
    }
    return false;
}

static void port_map(struct writer *w, const char *logical, const char *physical)
{
    open_element(w, "portMap");
    open_element(w, "logicalPort");
    leaf(w, "name", logical);
    close_element(w);
    open_element(w, "physicalPort");
    leaf(w, "name", physical);
    close_element(w);
    close_element(w);
}

static void bus_parameter(struct writer *w, const char *bus, const char *name, const char *value)
{
    open_element(w, "parameter");
    leaf(w, "name", name);
    open_element(w, "value");
    attribute(w, "id", arena_printf(w->a, "BUSIFPARAM_VALUE.%s.%s", bus, name));
    done(xmlTextWriterWriteString(w->xml, (const xmlChar *)value));
    close_element(w);
    close_element(w);
}

// mode: "slave" or "master"; map: the element and name of its memory map or address space, or NULL.
static void open_bus(struct writer *w, const char *name, const char *library, const char *type, const char *mode, const char *map, const char *target)
{
    open_element(w, "busInterface");
    leaf(w, "name", name);
    library_name(w, "busType", library, type);
    library_name(w, "abstractionType", library, arena_printf(w->a, "%s_rtl", type));
    open_element(w, mode);
    if (map)
        reference(w, map, strcmp(map, "memoryMapRef") == 0 ? "memoryMapRef" : "addressSpaceRef", target);
    close_element(w);
    open_element(w, "portMaps");
}

static void axi_bus(struct writer *w, const char *name, const char *mode, const char *map, const char *target)
{
    open_bus(w, name, "interface", "aximm", mode, map, target);
    int64_t data = 0, address = 0, id = 0;
    for (int i = 0; i < w->axi->n_ports; i++) {
        const struct port *p = &w->axi->ports[i];
        const char *bus, *logical;
        if (!ipxact_bus(w->a, p, &bus, &logical) || strcmp(bus, name) != 0)
            continue;
        port_map(w, logical, p->name);
        data = strcmp(logical, "RDATA") == 0 ? p->width_bits : data;
        address = strcmp(logical, "ARADDR") == 0 ? p->width_bits : address;
        id = strcmp(logical, "ARID") == 0 ? p->width_bits : id;
    }
    close_element(w);
    open_element(w, "parameters");
    bus_parameter(w, name, "PROTOCOL", id ? "AXI4" : "AXI4LITE");
    bus_parameter(w, name, "DATA_WIDTH", arena_printf(w->a, "%lld", (long long)data));
    bus_parameter(w, name, "ADDR_WIDTH", arena_printf(w->a, "%lld", (long long)address));
    if (id) {
        bus_parameter(w, name, "ID_WIDTH", arena_printf(w->a, "%lld", (long long)id));
        bus_parameter(w, name, "SUPPORTS_NARROW_BURST", "0"); // every burst is of whole words, increasing
        bus_parameter(w, name, "MAX_BURST_LENGTH", "16");
    }
    close_element(w);
    close_element(w);
}

// A bus of one wire and its parameters: pairs of name and value, NULL at the end.
static void wire_bus(struct writer *w, const char *name, const char *type, const char *mode, const char *logical, const char *const *parameters)
{
    open_bus(w, name, "signal", type, mode, NULL, NULL);
    port_map(w, logical, name);
    close_element(w);
    open_element(w, "parameters");
    for (; *parameters; parameters += 2)
        bus_parameter(w, name, parameters[0], parameters[1]);
    close_element(w);
    close_element(w);
}

static void bus_interfaces(struct writer *w)
{
    static const char *const clock[] = { "ASSOCIATED_BUSIF", "s_axil:m_axi", "ASSOCIATED_RESET", "aresetn", NULL };
    static const char *const reset[] = { "POLARITY", "ACTIVE_LOW", NULL };
    static const char *const interrupt[] = { "SENSITIVITY", "LEVEL_HIGH", NULL };
    open_element(w, "busInterfaces");
    axi_bus(w, "s_axil", "slave", "memoryMapRef", "s_axil");
    axi_bus(w, "m_axi", "master", "addressSpaceRef", "m_axi");
    wire_bus(w, "clk", "clock", "slave", "CLK", clock);
    wire_bus(w, "aresetn", "reset", "slave", "RST", reset);
    wire_bus(w, "irq", "interrupt", "master", "INTERRUPT", interrupt);
    close_element(w);
}

// ---- registers ----

static void reg(struct writer *w, const char *name, const char *what, int64_t offset, const char *access)
{
    open_element(w, "register");
    leaf(w, "name", name);
    leaf(w, "description", what);
    hexadecimal(w, "addressOffset", offset);
    number(w, "size", 32);
    leaf(w, "access", access);
    close_element(w);
}

static void slot_registers(struct writer *w, int i)
{
    int n_ports = w->d->pipeline->n_inputs + w->d->pipeline->n_outputs;
    reg(w, arena_printf(w->a, "SLOT%d_STATUS", i), "errors of the slot's last frame, its number << 16", AIHLS_SHELL_SLOT_STATUS(i), "read-only");
    reg(w, arena_printf(w->a, "SLOT%d_LATENCY", i), "cycles from first beat to last response", AIHLS_SHELL_SLOT_LATENCY(i), "read-only");
    reg(w, arena_printf(w->a, "SLOT%d_INTERVAL", i), "cycles since the end of the frame before", AIHLS_SHELL_SLOT_INTERVAL(i), "read-only");
    for (int p = 0; p < n_ports; p++) {
        reg(w, arena_printf(w->a, "SLOT%d_ADDRESS%d", i, p), "buffer's address, low half", AIHLS_SHELL_ADDRESS(i, p), "write-only");
        reg(w, arena_printf(w->a, "SLOT%d_ADDRESS%d_HIGH", i, p), "buffer's address, high half", AIHLS_SHELL_ADDRESS_HIGH(i, p), "write-only");
    }
}

static void registers(struct writer *w)
{
    static const struct { const char *name, *what; int64_t offset; const char *access; } list[] = {
        { "MAGIC", "AIHL in memory order", AIHLS_SHELL_MAGIC, "read-only" },
        { "VERSION", "major << 16, minor", AIHLS_SHELL_VERSION, "read-only" },
        { "SHAPE", "inputs, outputs << 8, slots << 16, bytes of a bus word << 24", AIHLS_SHELL_SHAPE, "read-only" },
        { "COUNTERS", "number of stall counters", AIHLS_SHELL_COUNTERS, "read-only" },
        { "CONTROL", "1 RUN, 2 RESET, 4 DROP", AIHLS_SHELL_CONTROL, "read-write" },
        { "STATUS", "1 RESETTING, 2 IDLE", AIHLS_SHELL_STATUS, "read-only" },
        { "ERRORS", "1, 2 of reads, 4, 8 of writes, 16 of the ring; write 1 to clear", AIHLS_SHELL_ERRORS, "read-write" },
        { "IRQ_ENABLE", "1 DONE, 2 ERROR", AIHLS_SHELL_IRQ_ENABLE, "read-write" },
        { "IRQ_PENDING", "1 DONE, 2 ERROR; write 1 to clear", AIHLS_SHELL_IRQ_PENDING, "read-write" },
        { "TAIL", "frames queued", AIHLS_SHELL_TAIL, "read-write" },
        { "DONE", "frames done", AIHLS_SHELL_DONE, "read-only" },
        { "CYCLES", "cycles since power-up, low half", AIHLS_SHELL_CYCLES, "read-only" },
        { "CYCLES_HIGH", "high half as of the last reading of CYCLES", AIHLS_SHELL_CYCLES_HIGH, "read-only" },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        reg(w, list[i].name, list[i].what, list[i].offset, list[i].access);
    for (int i = 0; i < 8; i++)
        reg(w, arena_printf(w->a, "MODEL%d", i), "SHA-256 of the model's file", AIHLS_SHELL_MODEL(i), "read-only");
    for (int i = 0; i < SHELL_SLOTS; i++)
        slot_registers(w, i);
    for (int i = 0; i < 2 * w->d->pipeline->n_streams; i++)
        reg(w, arena_printf(w->a, "COUNTER%d", i), "stall counter", AIHLS_SHELL_COUNTER(i), "read-only");
}

static void memory_maps(struct writer *w)
{
    open_element(w, "addressSpaces");
    open_element(w, "addressSpace");
    leaf(w, "name", "m_axi");
    hexadecimal(w, "range", w->d->board.axi_addr_bits < 63 ? 1LL << w->d->board.axi_addr_bits : INT64_MAX);
    number(w, "width", w->d->board.axi_data_bits);
    close_element(w);
    close_element(w);
    open_element(w, "memoryMaps");
    open_element(w, "memoryMap");
    leaf(w, "name", "s_axil");
    open_element(w, "addressBlock");
    leaf(w, "name", "reg0");
    hexadecimal(w, "baseAddress", 0);
    number(w, "range", AIHLS_SHELL_APERTURE_BYTES);
    number(w, "width", 32);
    leaf(w, "usage", "register");
    registers(w);
    close_element(w);
    close_element(w);
    close_element(w);
}

// ---- model, files ----

static void view(struct writer *w, const char *name, const char *environment, const char *files)
{
    open_element(w, "view");
    leaf(w, "name", name);
    leaf(w, "envIdentifier", environment);
    leaf(w, "language", "verilog");
    leaf(w, "modelName", arena_printf(w->a, "%s_ip", w->d->top));
    open_element(w, "fileSetRef");
    leaf(w, "localName", files);
    close_element(w);
    close_element(w);
}

static void model(struct writer *w)
{
    open_element(w, "model");
    open_element(w, "views");
    view(w, "xilinx_anylanguagesynthesis", ":vivado.xilinx.com:synthesis", "files");
    view(w, "xilinx_anylanguagebehavioralsimulation", ":vivado.xilinx.com:simulation", "files");
    close_element(w);
    open_element(w, "ports");
    for (int i = 0; i < w->axi->n_ports; i++) {
        const struct port *p = &w->axi->ports[i];
        open_element(w, "port");
        leaf(w, "name", p->name);
        open_element(w, "wire");
        leaf(w, "direction", strcmp(p->direction, "input") == 0 ? "in" : "out");
        if (p->width_bits > 1) {
            open_element(w, "vector");
            number(w, "left", p->width_bits - 1);
            number(w, "right", 0);
            close_element(w);
        }
        close_element(w);
        close_element(w);
    }
    close_element(w);
    close_element(w);
}

static void file(struct writer *w, const char *name, const char *kind, const char *type)
{
    open_element(w, "file");
    leaf(w, "name", name);
    leaf(w, kind, type);
    close_element(w);
}

static void file_sets(struct writer *w, const char *rtl)
{
    open_element(w, "fileSets");
    open_element(w, "fileSet");
    leaf(w, "name", "files");
    for (int i = 0; i < w->d->netlist->n_images; i++)
        file(w, arena_printf(w->a, "../../%s", w->d->netlist->images[i].file), "userFileType", "mem");
    for (const char *at = rtl; *at; at += strcspn(at, "\n") + 1)
        file(w, arena_printf(w->a, "../../%.*s", (int)strcspn(at, "\n"), at), "fileType", "verilogSource");
    file(w, arena_printf(w->a, "../%s_ip.v", w->d->top), "fileType", "verilogSource");
    close_element(w);
    close_element(w);
}

// Vivado's catalogue hides what does not name the part's family.
static void extensions(struct writer *w)
{
    open_element(w, "vendorExtensions");
    done(xmlTextWriterStartElement(w->xml, (const xmlChar *)"xilinx:coreExtensions"));
    done(xmlTextWriterStartElement(w->xml, (const xmlChar *)"xilinx:supportedFamilies"));
    done(xmlTextWriterStartElement(w->xml, (const xmlChar *)"xilinx:family"));
    done(xmlTextWriterWriteAttribute(w->xml, (const xmlChar *)"xilinx:lifeCycle", (const xmlChar *)"Production"));
    done(xmlTextWriterWriteString(w->xml, (const xmlChar *)(strcmp(w->d->board.family, "xcup") == 0 ? "zynquplus" : "zynq")));
    close_element(w);
    close_element(w);
    done(xmlTextWriterWriteElement(w->xml, (const xmlChar *)"xilinx:displayName", (const xmlChar *)w->d->top));
    done(xmlTextWriterWriteElement(w->xml, (const xmlChar *)"xilinx:coreRevision", (const xmlChar *)"1"));
    close_element(w);
    close_element(w);
}

static void component(struct writer *w, const char *rtl)
{
    static const char *const names[][2] = {
        { "xmlns:xilinx", "http://www.xilinx.com" }, { "xmlns:spirit", SPIRIT }, { "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance" },
    };
    open_element(w, "component");
    for (int i = 0; i < 3; i++)
        done(xmlTextWriterWriteAttribute(w->xml, (const xmlChar *)names[i][0], (const xmlChar *)names[i][1]));
    leaf(w, "vendor", "aihls");
    leaf(w, "library", "network");
    leaf(w, "name", arena_printf(w->a, "%s_ip", w->d->top));
    leaf(w, "version", "1.0");
    bus_interfaces(w);
    memory_maps(w);
    model(w);
    file_sets(w, rtl);
    leaf(w, "description", arena_printf(w->a, "the network %s with registers (AXI4-Lite), DMA (AXI4) and interrupt", w->d->top));
    extensions(w);
    close_element(w);
}

void ipxact_print(const struct design *d, struct arena *a, const struct netlist *axi, const char *rtl, struct strbuf *out)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    struct writer w = { .xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL, .d = d, .axi = axi, .a = a };
    if (!w.xml)
        BUG("libxml2 gives no writer");
    done(xmlTextWriterSetIndent(w.xml, 1));
    done(xmlTextWriterStartDocument(w.xml, NULL, "UTF-8", NULL));
    done(xmlTextWriterWriteComment(w.xml, (const xmlChar *)" SPDX-License-Identifier: Apache-2.0 "));
    component(&w, rtl);
    done(xmlTextWriterEndDocument(w.xml));
    xmlFreeTextWriter(w.xml);
    strbuf_add(out, xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
    xmlBufferFree(buffer);
}

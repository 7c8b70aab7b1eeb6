// SPDX-License-Identifier: Apache-2.0
// netlist: the third of three representations: instances of RTL templates, the nets between
// them and the images of their memories. Printing it is all that is left to do.
#ifndef AIHLS_NETLIST_H
#define AIHLS_NETLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "dataflow/cost.h"

// Parameter of an instance: a number, or text (a Verilog expression or a quoted string).
struct param {
    const char *name;
    const char *text; // NULL: the number
    int64_t value;
};

struct connection {
    const char *port, *expr; // a Verilog expression over nets
};

struct instance {
    const char *module, *name; // template and instance name
    const char *comment;       // the model's nodes
    struct param *params;
    int n_params, cap_params;
    struct connection *ports;
    int n_ports, cap_ports;
};

struct net {
    const char *name;
    int64_t width_bits;
};

struct port {
    const char *name, *direction; // "input" or "output"
    int64_t width_bits;
};

// `assign left = right;`
struct assignment {
    const char *left, *right;
};

// A memory image, word i in bytes [i * stride, (i + 1) * stride), little endian.
struct image {
    const char *file; // below the output directory, "mem/s00_conv_w0.hex"
    int64_t width_bits, depth_words, stride_bytes;
    uint8_t *bytes;
    // Where words are cut (cost_rom_cut): this is the first column of the first bank, those behind it are the others.
    struct rom_cut cut;
    int64_t columns; // of a bank but the last
    bool loaded;     // the memory is an aihls_store: no file, but a part of the code
};

struct netlist {
    struct arena *arena;
    const char *module;
    struct port *ports;
    int n_ports, cap_ports;
    struct net *nets;
    int n_nets, cap_nets;
    struct instance *instances;
    int n_instances, cap_instances;
    struct assignment *assigns;
    int n_assigns, cap_assigns;
    struct image *images;
    int n_images, cap_images;
    const struct image *code; // one of them: what the port BIND_CODE of a core takes behind each reset, a byte a word; NULL: there is none
};

struct netlist *netlist_new(struct arena *a, const char *module);
void netlist_port(struct netlist *n, const char *direction, const char *name, int64_t width_bits);
// Declares a wire and returns its name, formatted.
const char *netlist_net(struct netlist *n, int64_t width_bits, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void netlist_assign(struct netlist *n, const char *left, const char *right);
// The returned instance is valid until the next call of netlist_add.
struct instance *netlist_add(struct netlist *n, const char *module, const char *name, const char *comment);
void instance_int(struct netlist *n, struct instance *i, const char *param, int64_t value);
void instance_text(struct netlist *n, struct instance *i, const char *param, const char *text);
void instance_port(struct netlist *n, struct instance *i, const char *port, const char *expr);
// The three wires of a stream: PREFIX_data, _valid, _ready to nets NET_data, …
void instance_stream(struct netlist *n, struct instance *i, const char *prefix, const char *net);

// A zeroed image.
struct image *netlist_image(struct netlist *n, const char *file, int64_t width_bits, int64_t depth_words, bool loaded);
// The same cut into banks and columns, with an image for each: "PREFIX0_0.hex" (bank 0, column 0) and so on. Returns the first,
// through which all are set.
struct image *netlist_cut_image(struct netlist *n, const char *prefix, int64_t width_bits, int64_t depth_words, struct rom_cut cut,
                                bool loaded);
// Writes the low `bits` (at most 64) of value at bit `at` of a word.
void image_set(struct image *im, int64_t word, int64_t at, int bits, int64_t value);

// Unique names, every net driven and read, identifiers legal; BUG otherwise.
void netlist_verify(const struct netlist *n);
// The Verilog text of the module; TECH is passed through as a parameter.
void netlist_print(const struct netlist *n, struct strbuf *out);
// All that two netlists have in common when the same bitstream serves both: ports, nets, instances and the images that are not
// `code`, as text; not the module's name, files' names and comments.
void netlist_shape(const struct netlist *n, struct strbuf *out);
// The image as $readmemh reads it, one word a line.
void image_print(const struct image *im, struct strbuf *out);

#endif

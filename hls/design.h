// SPDX-License-Identifier: Apache-2.0
// design: a model on its way from file to netlist, and what the user asked for.
#ifndef AIHLS_DESIGN_H
#define AIHLS_DESIGN_H

#include <jansson.h>

#include "dataflow/lower.h"
#include "dataflow/quant.h"
#include "dataflow/schedule.h"
#include "hls/netlist.h"

// What carries the bytes of boards without a processor.
enum line { LINE_UART, LINE_SPI };

struct request {
    const char *model; // path
    const char *board; // name or path
    const char *name;  // of the emitted top module; NULL: from the model's file name
    const char *calib; // path or NULL
    const char *labels; // path of the class names (hls/labels.h) or NULL
    enum quant_method calib_method;
    const char *precision; // of layers, see quant_parse_precision; NULL: 8 bits
    const char *data, *scores; // frames to keep the accuracy on, and the output that their labels are for
    const char *min_accuracy, *max_loss; // as numbers: of the float model's, in points; NULL: widths are not searched
    bool strict;           // a missed goal is an error
    bool equalize;         // quant_equalize in front of the quantizer
    const char *shapes, *dims; // of inputs, see onnx_fix_shapes; NULL: as the model says
    struct schedule_goal goal;
    enum requant_mode requant;
    bool strict_hw; // nothing on the host but what stands at the pipeline's ports
    enum line line; // of the project's top
};

struct design {
    struct request request;
    struct strbuf model_bytes; // heap: the file, with shapes fixed and weights from other files brought in
    struct board board;
    struct graph *source;  // as the model has it, shaped: the float reference runs this
    bool reopened;         // hosts, if there are any, come from an output directory
    const char *hosts;     // a character for each node of the simplified graph, '1' on the host; NULL: no partition
    struct graph *plain;   // simplified only: real numbers; NULL when the model came quantized
    struct graph *graph;   // simplified, quantized: with a partition, its core
    struct partition *partition; // and what the host computes, or both NULL
    struct host_program *host;
    struct array *calib;   // the calibration inputs (batch_read) or NULL
    const struct array *core_calib; // the same as hardware sees them: calib, or what the host makes of it
    struct quant_ranges ranges;
    struct precision_choice *precision; // that min_accuracy or max_loss led to, or NULL (hls/precision.h)
    struct pipeline *pipeline;
    struct netlist *netlist;     // NULL: the pipeline has no stages
    const char *top; // module name
    struct quant_error *error; // of the streams, or NULL: not measured (hls/quant_error.h)
};

// A pass of the compiler, for progress and for `--dump-after`.
typedef void design_progress(void *user, const char *verb, const char *text);

// The model of a file alone, with its own element types and open dimensions: d->source is for ref_float_run, nothing else.
bool design_read_for_reference(const struct ctx *cx, const struct request *r, struct design *d);
bool design_read_source(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user);
// The passes up to the quantized graph and the pipeline without a schedule; no board needed.
bool design_read(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user);
// The schedule for d->board (set by the caller) and the netlist.
bool design_schedule(const struct ctx *cx, struct design *d, design_progress *say, void *user);
// All of it, for request.board.
bool design_build(const struct ctx *cx, const struct request *r, struct design *d, design_progress *say, void *user);
// lower_graph of a quantized graph of d, a trial perhaps, with d's partition.
bool design_lower(const struct ctx *cx, const struct design *d, struct graph *g, struct pipeline **out);

// Builds the design again that an output directory was made from; E105 when the result differs from what
// the directory holds. Memory of the design lives in the context's arena.
bool design_reopen(const struct ctx *cx, const char *dir, struct design *d);
// Builds r's model as other weights for `hardware`, reopened from `dir`: its board, name, goals and scales are taken, what r has of them
// is not looked at. E306 when the hardware was not compiled with --reloadable, or another shape comes out.
bool design_build_for(const struct ctx *cx, const struct request *r, const struct design *hardware, const char *dir, struct design *d,
                      design_progress *say, void *user);
void design_release(struct design *d);

// What hardware and driver know each other by, as 64 hexadecimal digits: the SHA-256 of the model's file, or with --reloadable of
// the hardware without its contents and of what the host makes of its inputs and outputs. Requires design_schedule.
void design_identity(const struct design *d, char hex[65]);

// What design_reopen needs, as JSON. New reference.
json_t *design_options(const struct design *d);

// A Verilog identifier made from a file name: "My-Net.onnx" gives "my_net", "module.onnx" gives "m_module".
const char *design_identifier(struct arena *a, const char *path);

#endif

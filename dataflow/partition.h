// SPDX-License-Identifier: Apache-2.0
// partition: which nodes the accelerator computes and which the processor beside it, for graphs that hardware cannot
// compute alone.
//
//     whole     x ──► conv ──► LayerNorm ──► conv ──► y
//     host                     LayerNorm
//     core      x ──► conv ──► a     b ──► conv ──► y        one pipeline, inputs x, b, outputs a, y
//
// The core is one pipeline. A frame may need several runs of it: run 1 with x alone gives a, run 2 with x and b gives y.
// Inputs that are not known yet are zero; what depends on them is not read. A run's results up to its own depth are
// right in all later runs too, so that values inside of the core may pass from one depth to the next without leaving it.
#ifndef AIHLS_PARTITION_H
#define AIHLS_PARTITION_H

#include "dataflow/quant.h"

struct pipeline;

// A tensor that crosses over, or that is the model's and hardware's: input or output i of the core.
struct cut {
    const struct tensor *tensor; // of the whole graph
    int pass;                    // input: known after that pass of the host, 0 is in front of the first run; output: right from that run on
};

// What a node's place is and why. Nodes of constants have none: whoever reads them has them.
struct placement {
    bool on_host;
    int pass;           // host: runs when the core has run so many times; hardware: right from that run on
    enum diag_code why; // host: the code that the compiler would have stopped with; DIAG_CODE_COUNT where it is only cheaper
    const char *reason; // host: one line
};

struct partition {
    const struct graph *whole; // simplified
    const struct placement *places; // by node of it
    struct graph *core;        // what the pipeline computes, quantized; inputs and outputs in the order of cuts
    const struct cut *inputs, *outputs;
    int n_passes;              // runs of the core for a frame; 1 when the core has no nodes: that run does nothing
    int64_t macs, host_macs;   // of all nodes, of those on the host
    int n_host;                // nodes on the host
};

// does      finds out which nodes no hardware can compute, by building what could and reading what it failed on
//           (quantize_graph, lower_graph on copies); decides by a minimum cut over the rest, where work on the processor, elements
//           that cross over and runs of the core cost time. `host`, when not NULL, has the decision already: a
//           character for each node of the whole graph, '1' on the host.
// requires  a shaped, simplified graph; calib as for quantize_graph
// provides  *out NULL: hardware takes the whole graph, or there is something wrong with it that no host would mend; the ordinary
//           passes go on. Else the parts, the core not yet quantized. Where hardware can compute nothing, the core has no nodes, inputs
//           and outputs.
// cost      some lowerings
// E210 when nothing is left for the host either: the outputs do not depend on the inputs.
bool partition_graph(const struct ctx *cx, const struct graph *whole, const struct array *calib, const char *host, struct partition **out);

// Calibration for the core: what its inputs are in each frame of `calib` (NULL: W201, frames of noise), computed on the
// whole graph in float. As many arrays as core->n_inputs.
bool partition_calibration(const struct ctx *cx, const struct partition *p, const struct array *calib, struct array **out);

// The same for one frame, in arena `a`: out[i] is the core's input i.
bool partition_frame(const struct ctx *cx, const struct partition *p, struct arena *a, const struct array *frame, struct array *out);

// Whether the host computes node n of the whole graph for every frame: nodes of constants are none of these.
bool partition_on_host(const struct partition *p, const struct node *n);
// A line a node; part NULL: all of graph g is hardware's, but for what stands at its ends.
void partition_print(const struct partition *part, const struct graph *g, struct strbuf *out);

// Multiply-accumulates of a node for a frame; 0 for other operators than products.
int64_t node_macs(const struct node *n);
// True when only constants are behind t.
bool tensor_is_constant(const struct tensor *t);

#endif

// SPDX-License-Identifier: Apache-2.0
// host: the processor's part of a partition as the run-time library knows it (drivers/aihls_host.h). `aihls run` calls the
// library's functions on it, and hls/driver_host.c prints it.
#ifndef AIHLS_SIM_HOST_H
#define AIHLS_SIM_HOST_H

#include "dataflow/partition.h"
#include "drivers/aihls_host.h"

struct host_program {
    struct aihls_host host;
    int n_values;
    struct host_op_text { // what printing needs beside the operator
        const char *function, *node; // "aihls_host_unary"; the node's name, for people
        int n_p, n_f, n_table;
    } *text;                         // by operator
};

// True when the host has a function for n: it may still refuse an attribute.
bool host_supports(enum op op);

// The host's nodes as a program, in arena cx->arena. E212 for each node that it has no function for.
bool host_describe(const struct ctx *cx, const struct partition *part, struct host_program **out);

#endif

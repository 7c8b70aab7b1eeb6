// SPDX-License-Identifier: Apache-2.0
// What sim/host.c and sim/host_op.c share.
#ifndef AIHLS_SIM_HOST_IMPL_H
#define AIHLS_SIM_HOST_IMPL_H

#include "sim/host.h"

struct host_builder {
    const struct ctx *cx;
    const struct partition *part;
    struct arena *a;
    int *value_of; // by tensor: number of its value + 1; 0: none yet
    struct aihls_host_value *values;
    int n_values, cap_values;
    struct aihls_host_op *ops;
    int n_ops, cap_ops;
    struct host_op_text *text;
    int n_text, cap_text;
    bool failed; // reported
};

// The number of a tensor's value, -1 for NULL. A tensor without index in the graph (index -1) gets a value of its own.
int host_value(struct host_builder *b, const struct tensor *t);
void host_node(struct host_builder *b, const struct node *n, int pass);

#endif

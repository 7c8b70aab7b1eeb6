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

// The number of a tensor's value, -1 for NULL. Of a tensor that the graph does not have, index is -2 - that number.
int host_value(struct host_builder *b, const struct tensor *t);
void host_node(struct host_builder *b, const struct node *n, int pass);

// An operator under construction. Operands are the node's own unless a describer says otherwise.
struct draft {
    struct host_builder *b;
    const struct node *n;
    int pass;
    aihls_host_function *run;
    const char *function;
    int n_in, n_out, n_p, n_f, n_table;
    const struct tensor **in, **out;
    int32_t *p;
    bool too_large; // a parameter has more than 32 bits: not in this form
    double *f;
    const int32_t *table;
};

typedef bool describer(struct draft *d); // false: not in this form, or there was a diagnostic

#define USE(d, name) ((d)->run = (name), (d)->function = #name)
#define P(d, ...) host_parameters((d), (int64_t[]){ __VA_ARGS__ }, (int)(sizeof(int64_t[]){ __VA_ARGS__ } / sizeof(int64_t)))
#define F(d, ...) host_factors((d), (double[]){ __VA_ARGS__ }, (int)(sizeof(double[]){ __VA_ARGS__ } / sizeof(double)))

// Appends whole parameters; gives true.
bool host_parameters(struct draft *d, const int64_t *v, int n);
bool host_factors(struct draft *d, const double *v, int n);
// Ends the operator and puts it into the program.
void host_add(struct draft *d);
// Elements in front of an axis of t and behind it; the same as parameters: outer, size, inner.
void host_around(const struct tensor *t, int axis, int64_t *outer, int64_t *inner);
void host_line(struct draft *d, const struct tensor *t, int axis);
// A value that the graph does not have: of an operator that takes several functions, or memory that one needs while it runs.
const struct tensor *host_temporary(struct draft *d, enum dtype t, int rank, const int64_t *dims);

// sim/host_index.c
describer host_recurrent, host_attention, host_scatter_elements, host_scatter_nd, host_gather_nd, host_one_hot, host_reverse_sequence, host_unpool, host_trilu, host_eye_like, host_dft, host_stft,
    host_det, host_grid_sample, host_roi_align, host_max_roi_pool, host_batch_norm, host_mean_variance, host_dynamic_quantize, host_grid, host_random,
    host_loss, host_tf_idf;
// MatMulInteger and ConvInteger: `product` without zero points, of what is left.
bool host_integer_product(struct draft *d, describer *product);

#endif

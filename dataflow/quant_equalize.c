// SPDX-License-Identifier: Apache-2.0
// quant_equalize: cross-layer equalisation of weights. M. Nagel, M. van Baalen, T. Blankevoort, M. Welling: Data-Free
// Quantization Through Weight Equalization and Bias Correction, ICCV 2019, equation 11: between two layers with a function f in
// between that has f(s x) = s f(x) for s > 0, channel i may be divided by
//     s_i = sqrt(r1_i r2_i) / r2_i
// on its way out of the first and multiplied by it on its way into the second; r1_i and r2_i are the largest weights that the channel
// has in each. Here s_i is rounded to a power of two: the float model computes the same numbers then, bit for bit.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/quant_impl.h"

#define SWEEPS 2
#define MOST_SHIFT 2.0 // of a channel in one sweep, in powers of two
#define DEAD 0x1p-10    // of the layer's largest weight: such a channel is left alone

// A convolution that computes a tensor of channels, or reads one.
static bool is_conv(const struct graph *g, const struct node *n)
{
    struct quant_matrix m;
    return n && n->op == OP_Conv && quant_matrix_of(n, &m) && m.weights->rank >= 3 && tensor_uses(g, m.weights) == 1 &&
           (n->n_in < 3 || !n->in[2] || (n->in[2]->data && n->in[2]->dtype == DT_FLOAT && tensor_uses(g, n->in[2]) == 1));
}

// The convolution that alone reads what `first` computes, with nothing between that minds a factor of a channel.
static struct node *second_of(const struct graph *g, const struct node *first)
{
    struct node *n = tensor_sole_consumer(g, first->out[0]);
    while (n && n->n_out == 1 && (n->op == OP_Relu || n->op == OP_LeakyRelu || n->op == OP_MaxPool || n->op == OP_AveragePool))
        n = tensor_sole_consumer(g, n->out[0]);
    return n && is_conv(g, n) && !n->in[0]->data ? n : NULL;
}

// Element i of a weight of n belongs to this input channel.
static int64_t input_channel(const struct node *n, int64_t i)
{
    const struct tensor *w = n->in[1];
    int64_t taps = 1, rows = w->dims[0] / max_i64(1, node_int(n, "group", 1));
    for (int d = 2; d < w->rank; d++)
        taps *= w->dims[d];
    int64_t row = i / taps / w->dims[1];
    return row / max_i64(1, rows) * w->dims[1] + i / taps % w->dims[1];
}

static int64_t output_channel(const struct node *n, int64_t i)
{
    return i / max_i64(1, tensor_count(n->in[1]) / n->in[1]->dims[0]);
}

static void largest(const struct node *n, int64_t (*channel)(const struct node *, int64_t), double *out)
{
    for (int64_t i = 0; i < tensor_count(n->in[1]); i++) {
        double *most = &out[channel(n, i)];
        *most = fmax(*most, fabs(tensor_const_f64(n->in[1], i)));
    }
}

static struct tensor *scaled(struct graph *g, const struct node *n, const struct tensor *t, int64_t (*channel)(const struct node *, int64_t), const double *by, double sign)
{
    int64_t count = tensor_count(t);
    float *x = arena_array(g->arena, float, count);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)ldexp(tensor_const_f64(t, i), (int)(sign * by[channel ? channel(n, i) : i]));
    return graph_add_const(g, t->name, DT_FLOAT, t->rank, t->dims, x);
}

// One pair; whether anything changed. shift: log2 of s.
static bool equalise(struct graph *g, struct node *first, struct node *second)
{
    struct arena scratch = { 0 };
    int64_t n = first->in[1]->dims[0];
    double *r1 = arena_array(&scratch, double, n), *r2 = arena_array(&scratch, double, n), *shift = arena_array(&scratch, double, n);
    double most1 = 0, most2 = 0;
    bool any = false;
    largest(first, output_channel, r1);
    largest(second, input_channel, r2);
    for (int64_t c = 0; c < n; c++) {
        most1 = fmax(most1, r1[c]);
        most2 = fmax(most2, r2[c]);
    }
    for (int64_t c = 0; c < n; c++) {
        bool alive = r1[c] > DEAD * most1 && r2[c] > DEAD * most2 && isfinite(r1[c]) && isfinite(r2[c]);
        shift[c] = alive ? nearbyint(log2(r1[c] / r2[c]) / 2) : 0;
        shift[c] = fmax(-MOST_SHIFT, fmin(MOST_SHIFT, shift[c]));
        any |= fabs(shift[c]) > 0.5;
    }
    if (any) {
        first->in[1] = scaled(g, first, first->in[1], output_channel, shift, -1);
        second->in[1] = scaled(g, second, second->in[1], input_channel, shift, 1);
        if (first->n_in > 2 && first->in[2])
            first->in[2] = scaled(g, first, first->in[2], NULL, shift, -1);
    }
    arena_release(&scratch);
    return any;
}

int quant_equalize(struct graph *g)
{
    int pairs = 0;
    for (int sweep = 0, changed = 1; changed && sweep < SWEEPS; sweep++) {
        changed = 0;
        for (int i = 0; i < g->n_nodes; i++) {
            struct node *first = g->nodes[i], *second = is_conv(g, first) ? second_of(g, first) : NULL;
            if (second && tensor_count(first->in[1]) && second->in[1]->dims[1] * max_i64(1, node_int(second, "group", 1)) == first->in[1]->dims[0] && equalise(g, first, second))
                changed++;
        }
        pairs = changed > pairs ? changed : pairs;
    }
    graph_remove_dead(g);
    return pairs;
}

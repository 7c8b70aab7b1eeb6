// SPDX-License-Identifier: Apache-2.0
// Random networks of several inputs and outputs.
#include "base/check.h"
#include "tests/flow/ops_build.h"

static void exchange(struct value *a, struct value *b)
{
    struct value v = *a;
    *a = *b;
    *b = v;
}

// Something that keeps the shape, of any latency: nothing, a table, a convolution.
static struct value same_shape(struct builder *b, const struct value *v)
{
    int64_t kind = random_range(b->r, 0, 3);
    if (kind == 0)
        return *v;
    return kind == 1 || v->rank == 2 ? table(b, v) : same_conv(b, v);
}

static void set_ports(struct builder *b, int n_in, const struct value *in, int n_out, const struct value *out)
{
    struct graph *g = b->g;
    g->inputs = arena_array(g->arena, struct tensor *, n_in);
    g->outputs = arena_array(g->arena, struct tensor *, n_out);
    for (int i = 0; i < n_in; i++)
        g->inputs[g->n_inputs++] = in[i].q;
    for (int i = 0; i < n_out; i++)
        g->outputs[g->n_outputs++] = out[i].q;
}

// Two inputs join; now and then a third.
static void join(struct builder *b)
{
    struct value in[3] = { random_input(b) };
    int n = random_chance(b->r, 30) ? 3 : 2;
    struct value sum = same_shape(b, &in[0]);
    for (int i = 1; i < n; i++) {
        in[i] = input_like(b, &in[0]);
        struct value other = same_shape(b, &in[i]);
        sum = random_chance(b->r, 50) ? add(b, &sum, &other) : add(b, &other, &sum);
    }
    if (random_chance(b->r, 50)) // the graph's order need not be that of the readers
        exchange(&in[0], &in[1]);
    set_ports(b, n, in, 1, &sum);
}

// Each input passes the other: whichever FIFO is too short stops both.
static void cross(struct builder *b)
{
    struct value in[2] = { random_input(b) }, out[2];
    in[1] = input_like(b, &in[0]);
    struct value left = same_shape(b, &in[0]), right = same_shape(b, &in[1]);
    out[0] = add(b, &left, &in[1]);
    out[1] = add(b, &in[0], &right);
    set_ports(b, 2, in, 2, out);
}

// An output from the middle of a chain, which goes on.
static void tap(struct builder *b)
{
    struct value in = random_input(b), out[2];
    out[0] = any_operator(b, &in);
    out[1] = any_operator(b, &out[0]);
    if (random_chance(b->r, 50))
        exchange(&out[0], &out[1]);
    set_ports(b, 1, &in, 2, out);
}

static void heads(struct builder *b)
{
    struct value in = random_input(b), out[3], trunk = random_chance(b->r, 50) ? any_operator(b, &in) : in;
    int n = random_chance(b->r, 30) ? 3 : 2;
    for (int i = 0; i < n; i++)
        out[i] = any_operator(b, &trunk);
    set_ports(b, 1, &in, n, out);
}

// One tensor, given twice: as it is, and flattened by the host.
static void twice(struct builder *b)
{
    struct value in = random_input(b), out[2];
    out[0] = any_operator(b, &in);
    out[1] = flatten(b, &out[0]);
    set_ports(b, 1, &in, 2, out);
}

// Two networks that have nothing to do with each other.
static void apart(struct builder *b)
{
    struct value in[2] = { random_input(b), random_input(b) }, out[2];
    for (int i = 0; i < 2; i++)
        out[i] = any_operator(b, &in[i]);
    set_ports(b, 2, in, 2, out);
}

void ops_ports(struct builder *b)
{
    static void (*const kinds[])(struct builder *b) = { join, join, cross, cross, tap, heads, twice, apart };
    kinds[random_range(b->r, 0, (int)(sizeof kinds / sizeof *kinds) - 1)](b);
}

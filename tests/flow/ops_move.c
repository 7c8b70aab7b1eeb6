// SPDX-License-Identifier: Apache-2.0
// Random operators that move, join, repeat and upsample, and products and functions by channel.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "tests/flow/ops_build.h"

static int dims_of(const struct value *v, int64_t *d)
{
    const int64_t image[] = { 1, v->c, v->h, v->w }, row[] = { 1, v->c, v->w }, flat[] = { v->h, v->c };
    memcpy(d, v->rank == 4 ? image : v->rank == 3 ? row : flat, (size_t)v->rank * sizeof *d);
    return v->rank;
}

static struct value with_dims(const struct value *v, const int64_t *d)
{
    struct value y = *v;
    y.c = d[1];
    y.h = v->rank == 4 ? d[2] : v->rank == 3 ? 1 : d[0];
    y.w = v->rank == 2 ? 1 : d[v->rank - 1];
    return y;
}

// f, of the same elements as v moved about, in v's quantization or another.
static struct value moved(struct builder *b, struct tensor *f, const struct value *shape)
{
    struct value y = *shape;
    if (random_chance(b->r, 25))
        return quantize(b, f, shape->scale * ACTIVATION_SPREAD, true, shape);
    y.q = quantize_as(b, f, shape);
    return y;
}

// The operand of a moving operator: floats, or now and then the integers themselves.
static struct tensor *operand(struct builder *b, const struct value *v, bool *integers)
{
    *integers = random_chance(b->r, 20);
    return *integers ? v->q : dequantize(b, v);
}

static struct value result(struct builder *b, struct tensor *y, bool integers, const struct value *shape)
{
    struct value v = *shape;
    v.q = y;
    return integers ? v : moved(b, y, shape);
}

static struct value slice(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    int64_t d[4], starts[2], ends[2], axes[2], steps[2];
    bool ints;
    int rank = dims_of(v, d), n = (int)random_range(r, 1, rank == 2 ? 1 : 2);
    for (int i = 0; i < n; i++) {
        axes[i] = rank == 2 ? 1 : i == 0 ? random_range(r, 1, rank - 1) : 1 + axes[0] % (rank - 1);
        int64_t size = d[axes[i]], step = PICK(r, 1, 1, 1, 2, 3, -1, -2);
        int64_t lo = random_range(r, 0, size - 1), hi = random_range(r, lo + 1, size);
        starts[i] = step > 0 ? lo : hi - 1;
        ends[i] = step > 0 ? hi : lo == 0 ? -size - 1 : lo - 1;
        steps[i] = step;
        d[axes[i]] = (hi - lo + (step > 0 ? step : -step) - 1) / (step > 0 ? step : -step);
        if (random_chance(r, 30))
            axes[i] -= rank;
        if (axes[0] < 0 && n == 2 && i == 0)
            axes[0] += rank;
    }
    struct tensor *in[] = { operand(b, v, &ints), int64_list(b, "starts", n, starts), int64_list(b, "ends", n, ends),
                            int64_list(b, "axes", n, axes), int64_list(b, "steps", n, steps) }, *y = temporary(b, "sl");
    graph_add_node(b->g, OP_Slice, "", 5, in, 1, &y);
    struct value shape = with_dims(v, d);
    return result(b, y, ints, &shape);
}

static struct value pad(struct builder *b, const struct value *v)
{
    static const char *const modes[] = { "constant", "constant", "edge", "reflect" };
    struct random *r = b->r;
    int64_t d[4], pads[8] = { 0 };
    int rank = dims_of(v, d);
    const char *mode = modes[random_range(r, 0, 3)];
    for (int i = 1; i < rank; i++) {
        int64_t most = mode[0] == 'r' ? min_i64(3, d[i] - 1) : 3;
        if (i == 1 && random_chance(r, 60))
            continue;
        pads[i] = random_range(r, d[i] > 2 && mode[0] == 'c' ? -1 : 0, most);
        pads[i + rank] = random_range(r, d[i] > 2 && mode[0] == 'c' ? -1 : 0, most);
        d[i] += pads[i] + pads[i + rank];
    }
    struct tensor *in[3] = { dequantize(b, v), int64_list(b, "pads", 2 * rank, pads), NULL }, *y = temporary(b, "pd");
    // a constant that the quantization has
    int code = (int)random_range(r, v->dtype == DT_INT8 ? -128 : 0, v->dtype == DT_INT8 ? 127 : 255);
    bool given = mode[0] == 'c' && random_chance(r, 50);
    in[2] = given ? float_const(b, "fill", (code - v->zero_point) * v->scale) : NULL;
    struct node *n = graph_add_node(b->g, OP_Pad, "", given ? 3 : 2, in, 1, &y);
    node_set_string(b->g, n, "mode", mode);
    struct value shape = with_dims(v, d);
    return moved(b, y, &shape);
}

static struct value tile(struct builder *b, const struct value *v)
{
    int64_t d[4], times[4] = { 1, 1, 1, 1 };
    bool ints;
    int rank = dims_of(v, d);
    for (int i = 1; i < rank; i++) {
        times[i] = PICK(b->r, 1, 1, 2, 3);
        d[i] *= times[i];
    }
    struct tensor *in[] = { operand(b, v, &ints), int64_list(b, "times", rank, times) }, *y = temporary(b, "tl");
    graph_add_node(b->g, OP_Tile, "", 2, in, 1, &y);
    struct value shape = with_dims(v, d);
    return result(b, y, ints, &shape);
}

static struct value resize(struct builder *b, const struct value *v, bool linear)
{
    struct random *r = b->r;
    int64_t d[4];
    int rank = dims_of(v, d);
    float *scales = arena_array(b->g->arena, float, rank);
    int64_t count = rank;
    for (int i = 0; i < rank; i++)
        scales[i] = 1;
    for (int i = 2; i < rank; i++) {
        scales[i] = (float)(linear ? PICK(r, 1, 2, 2, 3, 4) : PICK(r, 1, 2, 3));
        if (!linear && random_chance(r, 25))
            scales[i] = 1.5f;
        d[i] = (int64_t)floorf((float)d[i] * scales[i]);
    }
    struct tensor *in[] = { dequantize(b, v), NULL, graph_add_const(b->g, "scales", DT_FLOAT, 1, &count, scales) }, *y = temporary(b, "rs");
    struct node *n = graph_add_node(b->g, OP_Resize, "", 3, in, 1, &y);
    static const char *const modes[] = { "half_pixel", "asymmetric", "pytorch_half_pixel" };
    node_set_string(b->g, n, "mode", linear ? "linear" : "nearest");
    node_set_string(b->g, n, "coordinate_transformation_mode", modes[random_range(r, 0, linear ? 1 : 2)]);
    if (!linear)
        node_set_string(b->g, n, "nearest_mode", random_chance(r, 50) ? "floor" : "round_prefer_floor");
    struct value shape = with_dims(v, d);
    return linear ? quantize(b, y, v->scale * ACTIVATION_SPREAD * 0.7, true, &shape) : moved(b, y, &shape);
}

static struct value conv_transpose(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    int spatial = v->rank - 2;
    int64_t group = random_chance(r, 25) ? v->c : v->c % 2 == 0 && random_chance(r, 25) ? 2 : 1;
    int64_t per_group = group == v->c && random_chance(r, 70) ? 1 : random_range(r, 1, 4);
    int64_t d[4], w_dims[4] = { v->c, per_group, 1, 1 }, kernel[2], stride[2], dilation[2], pads[4], more[2];
    dims_of(v, d);
    d[1] = group * per_group;
    for (int i = 0; i < spatial; i++) {
        kernel[i] = w_dims[2 + i] = random_range(r, 1, 4);
        stride[i] = PICK(r, 1, 2, 2, 3);
        dilation[i] = PICK(r, 1, 1, 1, 2);
        more[i] = random_range(r, 0, max_i64(stride[i], dilation[i]) - 1);
        int64_t whole = (d[2 + i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 + more[i];
        pads[i] = random_range(r, 0, min_i64(2, (whole - 1) / 2));
        pads[i + spatial] = random_range(r, 0, min_i64(2, (whole - 1) / 2));
        d[2 + i] = whole - pads[i] - pads[i + spatial];
    }
    struct tensor *in[3] = { dequantize(b, v) }, *y = temporary(b, "ct");
    struct weights w = random_weights(b, v->rank, w_dims, 1);
    in[1] = w.f;
    struct weights flat = w; // scales of one group for the biases of all
    double *scale = arena_array(b->g->arena, double, d[1]);
    for (int64_t i = 0; i < d[1]; i++)
        scale[i] = w.scale[i % per_group];
    flat.scale = scale;
    flat.spread = w.spread / sqrt((double)group);
    in[2] = random_bias(b, d[1], v->scale, &flat);
    struct node *n = graph_add_node(b->g, OP_ConvTranspose, "", in[2] ? 3 : 2, in, 1, &y);
    node_set_ints(b->g, n, "kernel_shape", spatial, kernel);
    node_set_ints(b->g, n, "strides", spatial, stride);
    node_set_ints(b->g, n, "dilations", spatial, dilation);
    node_set_ints(b->g, n, "output_padding", spatial, more);
    node_set_ints(b->g, n, "pads", 2 * spatial, pads);
    node_set_int(b->g, n, "group", group);
    struct value shape = with_dims(v, d);
    return quantize(b, y, flat.spread / (double)stride[0] * v->scale * median_scale(w.scale, per_group), true, &shape);
}

static struct value shuffle(struct builder *b, const struct value *v)
{
    int64_t groups = v->c % 3 == 0 ? 3 : v->c % 2 == 0 ? 2 : 1;
    const int64_t split[] = { 1, groups, v->c / groups, v->h, v->w }, back[] = { 1, v->c, v->h, v->w }, perm[] = { 0, 2, 1, 3, 4 };
    struct tensor *in[] = { dequantize(b, v), int64_list(b, "split", 5, split) }, *y[3] = { temporary(b, "a"), temporary(b, "b"), temporary(b, "c") };
    graph_add_node(b->g, OP_Reshape, "", 2, in, 1, &y[0]);
    struct node *n = graph_add_node(b->g, OP_Transpose, "", 1, &y[0], 1, &y[1]);
    node_set_ints(b->g, n, "perm", 5, perm);
    struct tensor *in2[] = { y[1], int64_list(b, "back", 4, back) };
    graph_add_node(b->g, OP_Reshape, "", 2, in2, 1, &y[2]);
    struct value shuffled = moved(b, y[2], v);
    return random_chance(b->r, 80) ? same_conv(b, &shuffled) : shuffled;
}

static struct value transpose(struct builder *b, const struct value *v)
{
    static const int64_t perms[][4] = { { 0, 1, 3, 2 }, { 0, 2, 1, 3 }, { 0, 3, 2, 1 } };
    const int64_t *perm = perms[random_range(b->r, 0, 2)];
    int64_t d[4], e[4];
    bool ints;
    dims_of(v, d);
    for (int i = 0; i < 4; i++)
        e[i] = d[perm[i]];
    struct tensor *x = operand(b, v, &ints), *y = temporary(b, "tr");
    struct node *n = graph_add_node(b->g, OP_Transpose, "", 1, &x, 1, &y);
    node_set_ints(b->g, n, "perm", 4, perm);
    struct value shape = with_dims(v, e), t = result(b, y, ints, &shape);
    return same_conv(b, &t);
}

static struct value space_depth(struct builder *b, const struct value *v)
{
    bool to_space = v->c % 4 == 0 && random_chance(b->r, 60);
    if (!to_space && (v->h % 2 || v->w % 2))
        return slice(b, v);
    bool ints;
    struct tensor *x = operand(b, v, &ints), *y = temporary(b, "ds");
    struct node *n = graph_add_node(b->g, to_space ? OP_DepthToSpace : OP_SpaceToDepth, "", 1, &x, 1, &y);
    node_set_int(b->g, n, "blocksize", 2);
    if (to_space && random_chance(b->r, 50))
        node_set_string(b->g, n, "mode", "CRD");
    const int64_t up[] = { 1, v->c / 4, v->h * 2, v->w * 2 }, down[] = { 1, v->c * 4, v->h / 2, v->w / 2 };
    struct value shape = with_dims(v, to_space ? up : down), t = result(b, y, ints, &shape);
    return random_chance(b->r, 60) ? same_conv(b, &t) : t;
}

static struct value concat(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    int64_t d[4];
    int rank = dims_of(v, d), axis = rank == 2 ? 1 : (int)random_range(r, 1, rank - 1), n = (int)random_range(r, 2, 3);
    struct tensor *in[3], *y = temporary(b, "cc");
    if (rank == 2 && random_chance(r, 30))
        axis = 0;
    for (int i = 0; i < n; i++) {
        struct value part = random_chance(r, 30) ? *v : rank == 2 || random_chance(r, 40) ? table(b, v) : same_conv(b, v);
        in[i] = dequantize(b, &part);
    }
    struct node *c = graph_add_node(b->g, OP_Concat, "", n, in, 1, &y);
    node_set_int(b->g, c, "axis", random_chance(r, 30) ? axis - rank : axis);
    d[axis] *= n;
    struct value shape = with_dims(v, d);
    return moved(b, y, &shape);
}

// Both halves of a split, joined again the other way round or added.
static struct value split(struct builder *b, const struct value *v)
{
    int64_t d[4], lengths[2];
    int rank = dims_of(v, d), axis = rank == 2 ? 1 : (int)random_range(b->r, 1, rank - 1);
    if (d[axis] < 2)
        return pad(b, v);
    lengths[0] = d[axis] / 2;
    lengths[1] = d[axis] - lengths[0];
    struct tensor *in[] = { dequantize(b, v), int64_list(b, "lengths", 2, lengths) }, *y[2] = { temporary(b, "h"), temporary(b, "t") };
    struct node *n = graph_add_node(b->g, OP_Split, "", 2, in, 2, y);
    node_set_int(b->g, n, "axis", axis);
    struct tensor *both[] = { y[1], y[0] }, *z = temporary(b, "z");
    if (lengths[0] == lengths[1] && random_chance(b->r, 50)) {
        graph_add_node(b->g, OP_Add, "", 2, both, 1, &z);
        d[axis] = lengths[0];
        struct value shape = with_dims(v, d);
        return quantize(b, z, ACTIVATION_SPREAD * 1.4 * v->scale, true, &shape);
    }
    node_set_int(b->g, graph_add_node(b->g, OP_Concat, "", 2, both, 1, &z), "axis", axis);
    return moved(b, z, v);
}

static struct value product(struct builder *b, const struct value *v)
{
    enum op op = random_chance(b->r, 70) ? OP_Mul : OP_Sub;
    struct value other = v->rank == 2 || random_chance(b->r, 50) ? table(b, v) : same_conv(b, v);
    struct tensor *in[] = { dequantize(b, v), dequantize(b, &other) }, *y = temporary(b, "pr");
    graph_add_node(b->g, op, "", 2, in, 1, &y);
    double spread = op == OP_Mul ? ACTIVATION_SPREAD * ACTIVATION_SPREAD * v->scale * other.scale : ACTIVATION_SPREAD * hypot(v->scale, other.scale);
    return quantize(b, y, spread, true, v);
}

// The order of a norm of so many elements. Returns its spread, in that of an element.
static double random_order(struct builder *b, struct node *n, int64_t taps)
{
    int order = random_chance(b->r, 70) ? 2 : 1;
    node_set_int(b->g, n, "p", order);
    return order == 2 ? sqrt((double)taps) : (double)taps;
}

// Squeeze and excite: a gate for each channel, from the image's averages, maxima or norms.
static struct value excite(struct builder *b, const struct value *v)
{
    struct tensor *x = dequantize(b, v), *f = temporary(b, "g"), *y = temporary(b, "se");
    static const enum op pools[] = { OP_GlobalAveragePool, OP_GlobalMaxPool, OP_GlobalLpPool };
    enum op squeeze = pools[random_range(b->r, 0, 2)];
    struct node *n = graph_add_node(b->g, squeeze, "", 1, &x, 1, &f);
    double reach = squeeze == OP_GlobalLpPool ? random_order(b, n, v->h * v->w) : 1;
    struct value one = *v;
    one.h = one.w = 1;
    struct value gate = quantize(b, f, v->scale * ACTIVATION_SPREAD * reach, true, &one);
    if (random_chance(b->r, 50))
        gate = table(b, &gate);
    struct tensor *in[] = { dequantize(b, v), dequantize(b, &gate) };
    enum op op = random_chance(b->r, 70) ? OP_Mul : OP_Add;
    graph_add_node(b->g, op, "", 2, in, 1, &y);
    double spread = op == OP_Mul ? ACTIVATION_SPREAD * ACTIVATION_SPREAD * v->scale * gate.scale : ACTIVATION_SPREAD * hypot(v->scale, gate.scale);
    return quantize(b, y, spread, true, v);
}

// A function by channel: PRelu, or arithmetic with one constant a channel.
static struct value by_channel(struct builder *b, const struct value *v)
{
    static const enum op ops[] = { OP_PRelu, OP_PRelu, OP_Mul, OP_Add, OP_Sub, OP_Div, OP_Max };
    enum op op = ops[random_range(b->r, 0, 6)];
    float *k = arena_array(b->g->arena, float, v->c);
    const int64_t dims[] = { v->c, 1, 1 };
    for (int64_t i = 0; i < v->c; i++)
        k[i] = (float)(op == OP_Add || op == OP_Sub || op == OP_Max ? v->scale * (double)random_range(b->r, -60, 60) : 0.2 + random_unit(b->r));
    struct tensor *in[] = { dequantize(b, v), graph_add_const(b->g, "k", DT_FLOAT, v->rank == 2 ? 1 : v->rank - 1, dims, k) }, *y = temporary(b, "bc");
    graph_add_node(b->g, op, "", 2, in, 1, &y);
    if (random_chance(b->r, 30))
        y = random_unary(b, y);
    return quantize(b, y, v->scale * ACTIVATION_SPREAD, false, v);
}

// Averages and norms whose windows hang over the edge, and maxima over dilated windows, which may step over the image.
static struct value uneven_pool(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    static const enum op ops[] = { OP_MaxPool, OP_AveragePool, OP_LpPool, OP_LpPool };
    enum op op = ops[random_range(r, 0, 3)];
    bool max = op == OP_MaxPool;
    bool hollow = false;
    int spatial = v->rank - 2;
    int64_t d[4], kernel[2], stride[2], dilation[2] = { 1, 1 }, pads[4];
    dims_of(v, d);
    for (int i = 0; i < spatial; i++) {
        int64_t size = d[2 + i];
        kernel[i] = random_range(r, 1, min_i64(4, size));
        stride[i] = PICK(r, 1, 1, 2, 3);
        dilation[i] = max ? PICK(r, 1, 1, 2, 3) : 1;
        int64_t reach = (kernel[i] - 1) * dilation[i] + 1;
        pads[i] = random_range(r, 0, reach / 2);
        pads[i + spatial] = random_range(r, 0, reach / 2);
        pads[i + spatial] = max_i64(pads[i + spatial], reach - size - pads[i]);
        hollow |= dilation[i] > size;
        int64_t room = size + pads[i] + pads[i + spatial] - reach;
        d[2 + i] = (room + stride[i] - 1) / stride[i] + 1;
        if ((d[2 + i] - 1) * stride[i] >= size + pads[i])
            d[2 + i]--;
    }
    struct tensor *x = dequantize(b, v), *y = temporary(b, "up");
    struct node *n = graph_add_node(b->g, op, "", 1, &x, 1, &y);
    node_set_ints(b->g, n, "kernel_shape", spatial, kernel);
    node_set_ints(b->g, n, "strides", spatial, stride);
    node_set_ints(b->g, n, "pads", 2 * spatial, pads);
    node_set_int(b->g, n, "ceil_mode", 1);
    double reach = 1 / sqrt((double)kernel[0]);
    if (max)
        node_set_ints(b->g, n, "dilations", spatial, dilation);
    if (op == OP_AveragePool)
        node_set_int(b->g, n, "count_include_pad", random_chance(r, 30));
    if (op == OP_LpPool)
        reach = random_order(b, n, kernel[0] * (spatial == 2 ? kernel[1] : 1));
    struct value shape = with_dims(v, d);
    if (hollow) { // no other quantization then
        shape.q = quantize_as(b, y, &shape);
        return shape;
    }
    return max ? moved(b, y, &shape) : quantize(b, y, v->scale * ACTIVATION_SPREAD * reach, true, &shape);
}

struct value ops_argmax(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    bool ints;
    struct tensor *x = operand(b, v, &ints), *y = temporary(b, "am");
    int axis = 1;
    if (v->rank == 4 && random_chance(r, 30)) { // the channels at the end
        static const int64_t perm[] = { 0, 2, 3, 1 };
        struct tensor *t = temporary(b, "cl");
        node_set_ints(b->g, graph_add_node(b->g, OP_Transpose, "", 1, &x, 1, &t), "perm", 4, perm);
        x = t;
        axis = 3;
    }
    struct node *n = graph_add_node(b->g, OP_ArgMax, "", 1, &x, 1, &y);
    node_set_int(b->g, n, "axis", random_chance(r, 50) ? axis : axis - v->rank);
    node_set_int(b->g, n, "keepdims", random_chance(r, 50));
    node_set_int(b->g, n, "select_last_index", random_chance(r, 50));
    struct value index = *v;
    index.q = y;
    return index;
}

struct value ops_move(struct builder *b, const struct value *v)
{
    struct random *r = b->r;
    if (v->rank == 2)
        switch (random_range(r, 0, 4)) {
        case 0: return v->h == 1 ? slice(b, v) : table(b, v);
        case 1: return concat(b, v);
        case 2: return product(b, v);
        case 3: return split(b, v);
        default: return by_channel(b, v);
        }
    switch (random_range(r, 0, v->rank == 4 ? 15 : 10)) {
    case 0: return slice(b, v);
    case 1: return pad(b, v);
    case 2: return tile(b, v);
    case 3: return resize(b, v, false);
    case 4: return resize(b, v, true);
    case 5: return conv_transpose(b, v);
    case 6: return concat(b, v);
    case 7: return split(b, v);
    case 8: return product(b, v);
    case 9: return by_channel(b, v);
    case 10: return uneven_pool(b, v);
    case 11: return excite(b, v);
    case 12: return shuffle(b, v);
    case 13: return transpose(b, v);
    case 14: return space_depth(b, v);
    default: return conv_transpose(b, v);
    }
}

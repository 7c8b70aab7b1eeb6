// SPDX-License-Identifier: Apache-2.0
// Tests sim/ref_float*.c: operators over images with random attributes, each against loops that follow its
// definition output by output, share no code with the reference, and are as slow as that is simple.
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "frontend/shape.h"
#include "sim/ref_float.h"
#include "tests/support/model.h"

#define CASES 150
#define MAX_VALUES 4096

// One random case. Images have one row where spatial is 1.
static struct arena arena;
static struct strbuf text;
static struct diag diag;
static struct ctx cx;
static struct model *m;
static uint64_t seed;
static int spatial;
static int64_t batch, channels, in[2];
static float x[MAX_VALUES];
static struct array y;

static int64_t pick(int64_t lo, int64_t hi)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return lo + (int64_t)((seed >> 33) % (uint64_t)(hi - lo + 1));
}

static void begin(int number, int64_t per_channel)
{
    seed = (uint64_t)number * 977 + 1;
    text = (struct strbuf)STRBUF_INIT;
    diag = (struct diag){ .rendered = &text };
    cx = (struct ctx){ .arena = &arena, .diag = &diag };
    spatial = (int)pick(1, 2);
    batch = pick(1, 2);
    channels = per_channel * pick(1, 3);
    in[0] = spatial == 2 ? pick(1, 7) : 1;
    in[1] = pick(1, 7);
    m = model_new(13);
    for (int i = 0; i < MAX_VALUES; i++)
        x[i] = (float)pick(-64, 64) / 16;
}

static void input(enum dtype t)
{
    int64_t two[4] = { batch, channels, in[0], in[1] }, one[3] = { batch, channels, in[1] };
    model_input(m, "x", t, spatial + 2, spatial == 2 ? two : one);
}

// Lists are kept as (h, w); a 1-D operator has the w entries alone.
static void list(const char *name, const int64_t *v)
{
    model_ints(m, name, spatial, v + 2 - spatial);
}

static void pads(const int64_t *v)
{
    model_ints(m, "pads", 2 * spatial, spatial == 2 ? v : (int64_t[]){ v[1], v[3] });
}

// Runs the model; false when it is refused.
static bool run(void)
{
    struct graph *g;
    model_output(m, "y");
    if (!model_parse(m, &cx, &g))
        fail_msg("%s", text.text);
    if (!shape_infer(&cx, g))
        return false;
    struct array a = array_new(&arena, g->inputs[0]->dtype, g->inputs[0]->rank, g->inputs[0]->dims);
    struct array *values = arena_array(&arena, struct array, g->n_tensors);
    assert_true(array_count(&a) <= MAX_VALUES);
    for (int64_t i = 0; i < array_count(&a); i++) {
        array_set_f64(&a, i, (double)x[i]);
        x[i] = (float)array_f64(&a, i);
    }
    assert_true(ref_float_graph(&cx, g, &arena, &a, values));
    y = values[g->outputs[0]->index];
    return true;
}

static void end(void)
{
    model_free(m);
    strbuf_release(&text);
    arena_release(&arena);
}

static void check_element(int number, int64_t i, double want)
{
    double have = array_f64(&y, i);
    if (!(fabs(have - want) <= 1e-5 * (1 + fabs(want))) && !(isnan(have) && isnan(want)))
        fail_msg("case %d, element %d is %.9g, not %.9g", number, (int)i, have, want);
}

static int64_t out_dim(int axis) // of rows, of columns
{
    return axis == 0 && spatial == 1 ? 1 : y.dims[y.rank - 2 + axis];
}

static double pixel(int64_t plane, int64_t iy, int64_t ix)
{
    return (double)x[(plane * in[0] + iy) * in[1] + ix];
}

// ---- Resize ----

// Position `out` of `to` in the input of `from` elements, as a fraction; scale = up / down.
static double position(const char *mode, int64_t out, int64_t from, int64_t to, int64_t up, int64_t down)
{
    double at = (double)(out * down) / (double)up, half = (double)down / (double)(2 * up);
    if (up == down)
        return (double)out;
    if (strcmp(mode, "asymmetric") == 0)
        return at;
    if (strcmp(mode, "tf_half_pixel_for_nn") == 0)
        return at + half;
    if (strcmp(mode, "align_corners") == 0)
        return to == 1 ? 0 : (double)(out * (from - 1)) / (double)(to - 1);
    return strcmp(mode, "pytorch_half_pixel") == 0 && to == 1 ? 0 : at + half - 0.5;
}

// The weight of input element i for a result at position p: a tent in linear mode, 0 or 1 in nearest mode.
static double weight(const char *rounding, double p, int64_t i, int64_t from)
{
    const double near = 1e-9;
    double last = (double)(from - 1), d;
    if (!rounding) {
        d = fabs(fmax(0, fmin(p, last)) - (double)i);
        return d < 1 ? 1 - d : 0;
    }
    double r = strcmp(rounding, "floor") == 0               ? floor(p + near)
               : strcmp(rounding, "ceil") == 0              ? ceil(p - near)
               : strcmp(rounding, "round_prefer_ceil") == 0 ? floor(p + 0.5 + near)
                                                            : ceil(p - 0.5 - near);
    return fmax(0, fmin(r, last)) == (double)i;
}

static const char *const transforms[] = { "half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners",
                                          "tf_half_pixel_for_nn" };
static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" };

static void check_resize(int number, const char *transform, const char *rounding, const int64_t *up, const int64_t *down)
{
    int64_t h = out_dim(0), w = out_dim(1), at = 0;
    bool same = h == in[0] && w == in[1]; // factors that change nothing are none
    for (int64_t plane = 0; plane < batch * channels; plane++)
        for (int64_t oy = 0; oy < h; oy++)
            for (int64_t ox = 0; ox < w; ox++) {
                double sum = 0, py = same ? (double)oy : position(transform, oy, in[0], h, up[0], down[0]);
                double px = same ? (double)ox : position(transform, ox, in[1], w, up[1], down[1]);
                for (int64_t iy = 0; iy < in[0]; iy++)
                    for (int64_t ix = 0; ix < in[1]; ix++)
                        sum += weight(rounding, py, iy, in[0]) * weight(rounding, px, ix, in[1]) * pixel(plane, iy, ix);
                check_element(number, at++, sum);
            }
}

// Scales are quarters, which are exact; sizes give any factor, so that floor and ceil would depend on its rounding.
static void resize_interpolates_as_defined(void **state)
{
    (void)state;
    for (int number = 0; number < 3 * CASES; number++) {
        begin(number, 1);
        bool sized = pick(0, 1), linear = pick(0, 1);
        const char *transform = transforms[pick(0, 4)], *rounding = roundings[pick(0, sized ? 1 : 3)];
        int64_t up[2] = { 1, 1 }, down[2] = { 1, 1 }, size[4] = { batch, channels, 1, 1 };
        float scale[4] = { 1, 1, 1, 1 };
        bool empty = false;
        for (int i = 2 - spatial; i < 2; i++) {
            up[i] = sized ? pick(1, 8) : pick(1, 12);
            down[i] = sized ? in[i] : 4;
            size[i + spatial] = up[i];
            scale[i + spatial] = (float)up[i] / 4;
            empty = empty || (!sized && up[i] * in[i] < 4);
        }
        input(linear ? DT_FLOAT : pick(0, 1) ? DT_INT8 : DT_FLOAT);
        if (sized)
            model_i64(m, "s", spatial + 2, size);
        else
            model_f32(m, "s", 1, (int64_t[]){ spatial + 2 }, scale);
        model_node(m, "Resize", sized ? "x - - s" : "x - s", "y");
        model_string(m, "mode", linear ? "linear" : "nearest");
        model_string(m, "coordinate_transformation_mode", transform);
        model_string(m, "nearest_mode", rounding);
        assert_int_equal(run(), !empty);
        if (!empty)
            check_resize(number, transform, linear ? NULL : rounding, up, down);
        end();
    }
}

// ---- ConvTranspose ----

struct geometry {
    int64_t kernel[2], stride[2], dilation[2], before[2], group, per_group; // outputs for each group
};

// Output (oy, ox) collects every input pixel and tap that meet there.
static double transposed_at(const struct geometry *c, const float *w, int64_t image, int64_t m_out, int64_t oy, int64_t ox)
{
    int64_t cg = channels / c->group, first = m_out / c->per_group * cg;
    double sum = 0;
    for (int64_t ch = first; ch < first + cg; ch++)
        for (int64_t iy = 0; iy < in[0]; iy++)
            for (int64_t ix = 0; ix < in[1]; ix++)
                for (int64_t ky = 0; ky < c->kernel[0]; ky++)
                    for (int64_t kx = 0; kx < c->kernel[1]; kx++)
                        if (iy * c->stride[0] + ky * c->dilation[0] - c->before[0] == oy &&
                            ix * c->stride[1] + kx * c->dilation[1] - c->before[1] == ox)
                            sum += pixel(image * channels + ch, iy, ix) *
                                   (double)w[((ch * c->per_group + m_out % c->per_group) * c->kernel[0] + ky) * c->kernel[1] + kx];
    return sum;
}

static void conv_transpose_spreads_its_input(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        int64_t group = number % 3 + 1, pad[4] = { 0 }, extra[2] = { 0 }, want[2] = { 1, 1 }, length[2] = { 1, 1 };
        begin(number, group);
        struct geometry c = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, group, pick(1, 3) };
        int way = (int)pick(0, 2); // explicit pads, an output shape, SAME_UPPER
        for (int i = 2 - spatial; i < 2; i++) {
            c.kernel[i] = pick(1, 4);
            c.stride[i] = way == 2 ? pick(1, c.kernel[i]) : pick(1, 3);
            c.dilation[i] = pick(1, 2);
            extra[i] = pick(0, c.stride[i] - 1);
            int64_t full = (in[i] - 1) * c.stride[i] + (c.kernel[i] - 1) * c.dilation[i] + 1 + extra[i], cut;
            pad[i] = way ? 0 : pick(0, (full - 1) / 2);
            pad[i + 2] = way ? 0 : pick(0, (full - 1) / 2);
            want[i] = pick(full > 3 ? full - 3 : 1, full + 1);
            length[i] = way == 0 ? full - pad[i] - pad[i + 2] : way == 1 ? want[i] : in[i] * c.stride[i];
            cut = full > length[i] ? full - length[i] : 0;
            c.before[i] = way == 0 ? pad[i] : way == 1 ? (cut + 1) / 2 : cut / 2;
        }
        float w[1024], b[9];
        int64_t outs = group * c.per_group;
        for (int i = 0; i < 1024; i++)
            w[i] = (float)pick(-8, 8);
        for (int i = 0; i < 9; i++)
            b[i] = (float)pick(-8, 8);
        input(DT_FLOAT);
        int64_t dims[4] = { channels, c.per_group, c.kernel[0], c.kernel[1] };
        if (spatial == 1)
            dims[2] = dims[3];
        model_f32(m, "w", spatial + 2, dims, w);
        model_f32(m, "b", 1, &outs, b);
        model_node(m, "ConvTranspose", "x w b", "y");
        model_int(m, "group", group);
        list("strides", c.stride);
        list("dilations", c.dilation);
        list("output_padding", extra);
        if (way == 0)
            pads(pad);
        if (way == 1)
            list("output_shape", want);
        if (way == 2)
            model_string(m, "auto_pad", "SAME_UPPER");
        if (!run())
            fail_msg("case %d: %s", number, text.text);
        assert_int_equal(out_dim(0), length[0]);
        assert_int_equal(out_dim(1), length[1]);
        int64_t at = 0;
        for (int64_t image = 0; image < batch; image++)
            for (int64_t k = 0; k < outs; k++)
                for (int64_t oy = 0; oy < length[0]; oy++)
                    for (int64_t ox = 0; ox < length[1]; ox++)
                        check_element(number, at++, (double)b[k] + transposed_at(&c, w, image, k, oy, ox));
        end();
    }
}

// ---- pools ----

struct pool {
    const char *op;
    int64_t kernel[2], stride[2], dilation[2], pad[4], p;
    bool ceil_mode, count_pads, integers;
};

// Windows that begin in the trailing pad do not count; one that reaches behind it does under ceil_mode.
static int64_t pooled_length(const struct pool *c, int i)
{
    int64_t windows = 0, extent = (c->kernel[i] - 1) * c->dilation[i] + 1, end_of = in[i] + c->pad[i] + c->pad[i + 2];
    for (int64_t at = 0; at < in[i] + c->pad[i]; at += c->stride[i])
        if (at + extent <= end_of)
            windows++;
        else if (c->ceil_mode && at - c->stride[i] + extent < end_of)
            return windows + 1;
    return windows;
}

static double pooled(const struct pool *c, int64_t plane, int64_t oy, int64_t ox)
{
    double max = c->integers ? -128 : -(double)FLT_MAX, sum = 0, norm = 0, count = 0;
    for (int64_t ky = 0; ky < c->kernel[0]; ky++)
        for (int64_t kx = 0; kx < c->kernel[1]; kx++) {
            int64_t iy = oy * c->stride[0] + ky * c->dilation[0], ix = ox * c->stride[1] + kx * c->dilation[1];
            bool padded = iy < in[0] + c->pad[0] + c->pad[2] && ix < in[1] + c->pad[1] + c->pad[3];
            iy -= c->pad[0];
            ix -= c->pad[1];
            bool inside = iy >= 0 && ix >= 0 && iy < in[0] && ix < in[1];
            count += inside || (padded && c->count_pads);
            if (!inside)
                continue;
            max = fmax(max, pixel(plane, iy, ix));
            sum += pixel(plane, iy, ix);
            norm += pow(fabs(pixel(plane, iy, ix)), (double)c->p);
        }
    return c->op[0] == 'M' ? max : c->op[0] == 'A' ? sum / count : pow(norm, 1.0 / (double)c->p);
}

static void check_pool(int number, const struct pool *c, int64_t h, int64_t w)
{
    int64_t at = 0;
    assert_int_equal(out_dim(0), h);
    assert_int_equal(out_dim(1), w);
    for (int64_t plane = 0; plane < batch * channels; plane++)
        for (int64_t oy = 0; oy < h; oy++)
            for (int64_t ox = 0; ox < w; ox++)
                check_element(number, at++, pooled(c, plane, oy, ox));
}

static void pools_take_their_windows(void **state)
{
    static const char *const ops[] = { "MaxPool", "AveragePool", "LpPool" };
    (void)state;
    for (int number = 0; number < 3 * CASES; number++) {
        begin(number, 1);
        struct pool c = { ops[number % 3], { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, pick(1, 5), pick(0, 1), pick(0, 1), false };
        c.ceil_mode = c.ceil_mode && c.op[0] != 'L';
        for (int i = 2 - spatial; i < 2; i++) {
            c.kernel[i] = pick(1, 4);
            c.stride[i] = pick(1, 4);
            c.dilation[i] = c.op[0] == 'M' ? pick(1, 2) : 1;
            c.pad[i] = pick(0, c.kernel[i] - 1);
            c.pad[i + 2] = pick(0, c.kernel[i] - 1);
        }
        c.integers = c.op[0] == 'M' && pick(0, 1);
        input(c.integers ? DT_INT8 : DT_FLOAT);
        model_node(m, c.op, "x", "y");
        list("kernel_shape", c.kernel);
        list("strides", c.stride);
        if (c.op[0] == 'M')
            list("dilations", c.dilation);
        pads(c.pad);
        if (c.op[0] == 'L')
            model_int(m, "p", c.p);
        else
            model_int(m, "ceil_mode", c.ceil_mode);
        if (c.op[0] == 'A')
            model_int(m, "count_include_pad", c.count_pads);
        int64_t h = pooled_length(&c, 0), w = pooled_length(&c, 1);
        bool fits = in[0] + c.pad[0] + c.pad[2] > (c.kernel[0] - 1) * c.dilation[0] &&
                    in[1] + c.pad[1] + c.pad[3] > (c.kernel[1] - 1) * c.dilation[1];
        assert_int_equal(run(), fits);
        if (fits)
            check_pool(number, &c, h, w);
        end();
    }
}

// ---- moving ----

// The channel of DepthToSpace's input, or SpaceToDepth's result, that holds (depth, row, column).
static int64_t deep_channel(bool crd, int64_t block, int64_t depths, int64_t depth, int64_t row, int64_t column)
{
    return crd ? (depth * block + row) * block + column : (row * block + column) * depths + depth;
}

static void blocks_move_between_depth_and_space(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        int64_t block = number % 3 + 1, depths;
        begin(number, block * block);
        bool to_space = pick(0, 1), crd = to_space && pick(0, 1);
        spatial = 2;
        in[0] = to_space ? pick(1, 3) : block * pick(1, 3);
        in[1] = to_space ? pick(1, 3) : block * pick(1, 3);
        channels = to_space ? channels : pick(1, 3);
        depths = to_space ? channels / (block * block) : channels;
        input(pick(0, 1) ? DT_INT8 : DT_FLOAT);
        model_node(m, to_space ? "DepthToSpace" : "SpaceToDepth", "x", "y");
        model_int(m, "blocksize", block);
        if (to_space)
            model_string(m, "mode", crd ? "CRD" : "DCR");
        assert_true(run());
        int64_t h = y.dims[2], w = y.dims[3], at = 0;
        for (int64_t n = 0; n < batch; n++)
            for (int64_t c = 0; c < y.dims[1]; c++)
                for (int64_t oy = 0; oy < h; oy++)
                    for (int64_t ox = 0; ox < w; ox++) {
                        int64_t c_in = 0, iy = 0, ix = 0;
                        if (to_space) {
                            c_in = deep_channel(crd, block, depths, c, oy % block, ox % block);
                            iy = oy / block;
                            ix = ox / block;
                        }
                        for (int64_t k = 0; !to_space && k < depths * block * block; k++) { // the one that lands in c
                            int64_t d = k % depths, row = k / depths / block, column = k / depths % block;
                            if (deep_channel(false, block, depths, d, row, column) == c) {
                                c_in = d;
                                iy = oy * block + row;
                                ix = ox * block + column;
                            }
                        }
                        check_element(number, at++, pixel(n * channels + c_in, iy, ix));
                    }
        end();
    }
}

static void tile_repeats_each_axis(void **state)
{
    (void)state;
    for (int number = 0; number < CASES; number++) {
        begin(number, 1);
        spatial = 2;
        int64_t r[4] = { pick(1, 3), pick(0, 3), pick(1, 3), pick(1, 3) }, at = 0;
        input(DT_FLOAT);
        model_i64(m, "r", 4, r);
        model_node(m, "Tile", "x r", "y");
        assert_true(run());
        for (int64_t n = 0; n < batch * r[0]; n++)
            for (int64_t c = 0; c < channels * r[1]; c++)
                for (int64_t i = 0; i < in[0] * r[2]; i++)
                    for (int64_t k = 0; k < in[1] * r[3]; k++)
                        check_element(number, at++, pixel(n % batch * channels + c % channels, i % in[0], k % in[1]));
        assert_int_equal(array_count(&y), at);
        end();
    }
}

// ---- reductions ----

static void reductions_visit_every_element_once(void **state)
{
    static const char *const ops[] = { "ReduceMean", "ReduceSum", "ReduceMax" };
    (void)state;
    for (int number = 0; number < CASES; number++) {
        begin(number, 1);
        const char *op = ops[number % 3];
        int64_t axes[4], set = pick(0, 15), dims[4] = { batch, channels, in[0], in[1] }, keep = pick(0, 1), at = 0;
        int n_axes = 0;
        spatial = 2;
        for (int i = 0; i < 4; i++)
            if (set >> i & 1)
                axes[n_axes++] = pick(0, 1) ? i : i - 4;
        set = n_axes ? set : 15; // none means all
        input(DT_FLOAT);
        if (op[6] == 'S' && n_axes)
            model_i64(m, "a", n_axes, axes);
        model_node(m, op, op[6] == 'S' && n_axes ? "x a" : "x", "y");
        if (op[6] != 'S' && (n_axes || pick(0, 1)))
            model_ints(m, "axes", n_axes, axes);
        model_int(m, "keepdims", keep);
        assert_true(run());
        double result[MAX_VALUES] = { 0 };
        int64_t count = 1;
        for (int i = 0; i < 4; i++)
            count *= set >> i & 1 ? dims[i] : 1;
        for (int64_t n = 0; n < batch; n++)
            for (int64_t c = 0; c < channels; c++)
                for (int64_t i = 0; i < in[0]; i++)
                    for (int64_t k = 0; k < in[1]; k++, at++) {
                        int64_t index[4] = { n, c, i, k }, to = 0;
                        bool first = true;
                        for (int d = 0; d < 4; d++) {
                            to = set >> d & 1 ? to : to * dims[d] + index[d];
                            first = first && (!(set >> d & 1) || index[d] == 0);
                        }
                        double v = (double)x[at];
                        result[to] = op[6] != 'M' || op[7] == 'e' ? result[to] + v : first ? v : fmax(result[to], v);
                    }
        assert_int_equal(y.rank, keep ? 4 : 4 - __builtin_popcount((unsigned)set));
        assert_int_equal(array_count(&y) * count, at);
        for (int64_t i = 0; i < array_count(&y); i++)
            check_element(number, i, op[7] == 'e' ? result[i] / (double)count : result[i]);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_interpolates_as_defined),
        cmocka_unit_test(conv_transpose_spreads_its_input),
        cmocka_unit_test(pools_take_their_windows),
        cmocka_unit_test(blocks_move_between_depth_and_space),
        cmocka_unit_test(tile_repeats_each_axis),
        cmocka_unit_test(reductions_visit_every_element_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

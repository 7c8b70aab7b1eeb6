// SPDX-License-Identifier: Apache-2.0
// Resize, one axis at a time.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// Every output element is a copy of one input element: `from` holds its offset along each axis.
static void nearest(struct ref *r, const struct array *x, struct array *y)
{
    int64_t dense[MAX_RANK], *from[MAX_RANK], index[MAX_RANK] = { 0 }, count = array_count(y);
    size_t bytes = dtype_bytes(x->dtype);
    ref_strides(x->rank, x->dims, dense);
    for (int d = 0; d < x->rank; d++) {
        from[d] = arena_array(&r->scratch, int64_t, y->dims[d]);
        for (int64_t i = 0; i < y->dims[d]; i++)
            from[d][i] = resize_nearest_index(r->n, d, i) * dense[d];
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 0;
        for (int d = 0; d < x->rank; d++)
            at += from[d][index[d]];
        memcpy((char *)y->data + (size_t)i * bytes, (const char *)x->data + (size_t)at * bytes, bytes);
        for (int d = x->rank - 1; d >= 0 && ++index[d] == y->dims[d]; d--)
            index[d] = 0;
    }
}

// Cubic convolution with parameter a (R. Keys, "Cubic convolution interpolation for digital image processing", 1981).
static double cubic(double d, double a)
{
    d = fabs(d);
    return d <= 1.0 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2.0 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0.0;
}

// How many neighbours on either side count: more than the image has would all be its edge.
static int64_t reach_of(const struct node *n, int axis, double reach)
{
    double scale = node_int(n, "antialias", 0) ? fmin((double)resize_scale(n, axis), 1.0) : 1.0;
    return (int64_t)fmin(ceil(reach / scale), 4.0 * (double)n->in[0]->dims[axis] + 2.0);
}

static bool is_cubic(const struct node *n)
{
    return strcmp(node_string(n, "mode", ""), "cubic") == 0;
}

// Neighbours of the coordinate x; when sizes shrink and antialias asks for it, as many more as the factor says.
static void neighbours(const struct node *n, int axis, int64_t out, struct ref_taps *t)
{
    bool exclude = node_int(n, "exclude_outside", 0) != 0;
    double a = (double)node_float(n, "cubic_coeff_a", -0.75f), reach = is_cubic(n) ? 2.0 : 1.0, sum = 0.0;
    double scale = node_int(n, "antialias", 0) ? fmin((double)resize_scale(n, axis), 1.0) : 1.0;
    int64_t length = n->in[0]->dims[axis], near = reach_of(n, axis, reach);
    double x = (double)resize_coordinate(n, axis, out), base = floor(x);
    t->n = 2 * near;
    for (int64_t k = 0; k < t->n; k++) {
        double i = base + (double)(k - near + 1), d = (i - x) * scale, w = is_cubic(n) ? cubic(d, a) : fmax(0.0, 1.0 - fabs(d));
        bool outside = i < 0.0 || i > (double)(length - 1);
        t->index[k] = (int64_t)fmax(0.0, fmin(i, (double)(length - 1)));
        t->weight[k] = outside && exclude ? 0.0 : w;
        sum += t->weight[k];
    }
    for (int64_t k = 0; k < t->n && (exclude || scale < 1.0); k++)
        t->weight[k] /= sum;
}

// Whether indices along an axis stay as they are.
static bool copies(const struct node *n, int axis)
{
    int64_t length = n->in[0]->dims[axis];
    return length == n->out[0]->dims[axis] && resize_coordinate(n, axis, 0) == 0.0f && resize_coordinate(n, axis, length - 1) == (float)(length - 1);
}

int64_t ref_resize_most(const struct node *n, int axis)
{
    return copies(n, axis) ? 1 : 2 * reach_of(n, axis, is_cubic(n) ? 2.0 : 1.0);
}

struct ref_taps ref_resize_new(const struct node *n, struct arena *a)
{
    int64_t most = 2;
    for (int i = 0; i < n->out[0]->rank; i++)
        most = max_i64(most, ref_resize_most(n, i));
    return (struct ref_taps){ 0, arena_array(a, int64_t, most), arena_array(a, double, most) };
}

// The two taps of plain linear interpolation are those that hardware has.
void ref_resize_taps(const struct node *n, int axis, int64_t out, struct ref_taps *t)
{
    double share;
    if (copies(n, axis)) {
        t->n = 1;
        t->index[0] = out;
        t->weight[0] = 1.0;
        return;
    }
    if (is_cubic(n) || node_int(n, "antialias", 0)) {
        neighbours(n, axis, out, t);
        return;
    }
    resize_linear_taps(n, axis, out, &t->index[0], &t->index[1], &share);
    t->weight[0] = 1.0 - share;
    t->weight[1] = share;
    t->n = 2;
}

// v, of shape dims, interpolated along `axis` to `length` elements.
static double *interpolate(struct ref *r, const double *v, const int64_t *dims, int rank, int axis, int64_t length)
{
    int64_t outer = 1, inner = 1, size = dims[axis];
    struct ref_taps t = ref_resize_new(r->n, &r->scratch);
    for (int i = 0; i < axis; i++)
        outer *= dims[i];
    for (int i = axis + 1; i < rank; i++)
        inner *= dims[i];
    double *out = arena_array(&r->scratch, double, outer * length * inner);
    for (int64_t k = 0; k < length; k++) {
        ref_resize_taps(r->n, axis, k, &t);
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < inner; i++) {
                double sum = 0.0;
                for (int64_t j = 0; j < t.n; j++)
                    if (t.weight[j] != 0.0) // of what weighs nothing, not even NaN
                        sum += t.weight[j] * v[(o * size + t.index[j]) * inner + i];
                out[(o * length + k) * inner + i] = sum;
            }
    }
    return out;
}

// A crop may reach over the image: elements there have a value of their own.
static void extrapolate(struct ref *r, struct array *y)
{
    int64_t step = array_count(y);
    double value = (double)node_float(r->n, "extrapolation_value", 0.0f);
    if (strcmp(node_string(r->n, "coordinate_transformation_mode", ""), "tf_crop_and_resize") != 0)
        return;
    for (int d = 0; d < y->rank; d++) {
        step /= y->dims[d];
        for (int64_t i = 0; i < array_count(y); i++) {
            float x = resize_coordinate(r->n, d, i / step % y->dims[d]);
            if (x < 0.0f || x > (float)(r->n->in[0]->dims[d] - 1))
                array_set_f64(y, i, value);
        }
    }
}

bool ref_resize(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    struct array *y = ref_out(r, 0, x->dtype);
    int64_t dims[MAX_RANK], count = array_count(x);
    const char *mode = node_string(r->n, "mode", "nearest");
    if (strcmp(mode, "linear") != 0 && strcmp(mode, "cubic") != 0) {
        nearest(r, x, y);
        extrapolate(r, y);
        return true;
    }
    double *v = arena_array(&r->scratch, double, count);
    for (int64_t i = 0; i < count; i++)
        v[i] = array_f64(x, i);
    memcpy(dims, x->dims, sizeof dims);
    for (int d = 0; d < x->rank; d++) {
        if (!copies(r->n, d))
            v = interpolate(r, v, dims, x->rank, d, y->dims[d]);
        dims[d] = y->dims[d];
    }
    for (int64_t i = 0; i < array_count(y); i++)
        array_set_f64(y, i, v[i]);
    extrapolate(r, y);
    return true;
}

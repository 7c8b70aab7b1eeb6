// SPDX-License-Identifier: Apache-2.0
// Resize: sizes of the result, and the input coordinate that each output index stands for.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

// A coordinate that is half way between two pixels may miss the half by its rounding to float32, as 9.5 / (19 / 7)
// does. ONNX Runtime counts what is this near as half way too.
#define HALF_TOLERANCE 1e-6
#define MAX_LENGTH 0x1p40f // no dimension reaches this (shape_set)

enum transform { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_HALF_PIXEL_FOR_NN, HALF_PIXEL_SYMMETRIC, TF_CROP_AND_RESIZE, N_TRANSFORMS };
enum rounding { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL, N_ROUNDINGS };

static const char *const transforms[N_TRANSFORMS] = { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                                                      "tf_half_pixel_for_nn", "half_pixel_symmetric", "tf_crop_and_resize" };
static const char *const roundings[N_ROUNDINGS] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" };

// The place of attribute `name` in a list whose first entry is the default; n_names: not in it.
static int choice(const struct node *n, const char *name, const char *const *names, int n_names)
{
    const char *s = node_string(n, name, names[0]);
    int i = 0;
    while (i < n_names && strcmp(s, names[i]) != 0)
        i++;
    return i;
}

// ---- coordinates ----

// A factor so close to 1 that no length changes is none: scale is the ratio of the lengths, says the standard.
static bool keeps_shape(const struct node *n)
{
    const struct tensor *x = n->in[0], *y = n->out[0];
    return memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims) == 0;
}

// The scales of a node, by axis; NULL: the ratios of the lengths. A graph that is being run has them in an attribute.
static const float *scales_at(const struct node *n)
{
    const struct attr *resolved = node_attr(n, "resolved_scales");
    const struct tensor *scales = n->n_in > 2 ? n->in[2] : NULL;
    return resolved ? resolved->floats : scales ? scales->data : NULL;
}

float resize_scale(const struct node *n, int axis)
{
    const float *scales = scales_at(n);
    return scales ? scales[axis] : (float)n->out[0]->dims[axis] / (float)n->in[0]->dims[axis];
}

// Along an axis, the part [start, end] of the input's length that is cropped, 0 to 1.
static float crop(const struct node *n, int axis, float in_length, float out_length, float x)
{
    const struct attr *roi = node_attr(n, "resolved_roi");
    float start = roi->floats[axis], end = roi->floats[n->in[0]->rank + axis];
    return out_length > 1.0f ? start * (in_length - 1.0f) + x * (end - start) * (in_length - 1.0f) / (out_length - 1.0f)
                             : 0.5f * (start + end) * (in_length - 1.0f);
}

// The position in the input, not clamped. float32 throughout: a factor such as 0.6 has no exact float32, and in
// wider arithmetic 3 / 0.6f falls short of 5 and would be floored to 4. Rounded at each step it is 5.
float resize_coordinate(const struct node *n, int axis, int64_t out)
{
    float in_length = (float)n->in[0]->dims[axis], out_length = (float)n->out[0]->dims[axis], x = (float)out;
    float scale = resize_scale(n, axis);
    enum transform transform = (enum transform)choice(n, "coordinate_transformation_mode", transforms, N_TRANSFORMS);
    if (transform == TF_CROP_AND_RESIZE)
        return crop(n, axis, in_length, out_length, x);
    if (scale == 1.0f || keeps_shape(n)) // batch and channels stay, whatever the transformation would make of them
        return x;
    switch (transform) {
    case HALF_PIXEL: return (x + 0.5f) / scale - 0.5f;
    case HALF_PIXEL_SYMMETRIC: { // what scaling leaves over is lost on both sides alike
        float full = scale * in_length;
        return in_length / 2.0f * (1.0f - out_length / full) + (x + 0.5f) / scale - 0.5f;
    }
    case PYTORCH_HALF_PIXEL: return out_length > 1.0f ? (x + 0.5f) / scale - 0.5f : 0.0f;
    case ALIGN_CORNERS: // in the standard's test data, a length that scales ask for counts with its fraction
        out_length = node_attr(n, "resolved_scales") ? scale * in_length : out_length;
        return out_length > 1.0f ? x * (in_length - 1.0f) / (out_length - 1.0f) : 0.0f;
    case ASYMMETRIC: return x / scale;
    case TF_HALF_PIXEL_FOR_NN: return (x + 0.5f) / scale;
    case TF_CROP_AND_RESIZE:
    case N_TRANSFORMS: break;
    }
    BUG("a Resize with an unchecked coordinate_transformation_mode");
}

static double round_coordinate(const struct node *n, int axis, double x)
{
    if (node_int(n, "nearest_by_scale", 0)) // opset 10: down takes the upper neighbour
        return scales_at(n) && resize_scale(n, axis) < 1.0f ? ceil(x) : floor(x);
    switch ((enum rounding)choice(n, "nearest_mode", roundings, N_ROUNDINGS)) {
    case PREFER_FLOOR: return ceil(x - 0.5 - HALF_TOLERANCE);
    case PREFER_CEIL: return floor(x + 0.5 + HALF_TOLERANCE);
    case FLOOR: return floor(x);
    case CEIL: return ceil(x);
    case N_ROUNDINGS: break;
    }
    BUG("a Resize with an unchecked nearest_mode");
}

static double clamp_index(double x, int64_t length)
{
    return fmax(0.0, fmin(x, (double)(length - 1)));
}

int64_t resize_nearest_index(const struct node *n, int axis, int64_t out)
{
    double x = round_coordinate(n, axis, (double)resize_coordinate(n, axis, out));
    return (int64_t)clamp_index(x, n->in[0]->dims[axis]);
}

void resize_linear_taps(const struct node *n, int axis, int64_t out, int64_t *i0, int64_t *i1, double *t)
{
    int64_t length = n->in[0]->dims[axis];
    double x = clamp_index((double)resize_coordinate(n, axis, out), length);
    *i0 = (int64_t)x;
    *i1 = min_i64(*i0 + 1, length - 1);
    *t = x - (double)*i0;
}

// ---- shape ----

static bool check_modes(struct shape_run *s, const struct node *n)
{
    const char *mode = node_string(n, "mode", "nearest");
    const char *transform = node_string(n, "coordinate_transformation_mode", transforms[0]);
    if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0 && strcmp(mode, "cubic") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "mode"), NULL, "'%s' is not a way of interpolating", mode);
    if (strcmp(transform, "tf_crop_and_resize") == 0 && !s->running)
        return diag_error(s->cx, E202, at_attr(s->g, n, "coordinate_transformation_mode"), "crop with a Slice in front",
                          "tf_crop_and_resize is not supported");
    if (choice(n, "coordinate_transformation_mode", transforms, N_TRANSFORMS) == N_TRANSFORMS)
        return diag_error(s->cx, E203, at_attr(s->g, n, "coordinate_transformation_mode"), NULL,
                          "'%s' is not a transformation of coordinates", transform);
    if (choice(n, "nearest_mode", roundings, N_ROUNDINGS) == N_ROUNDINGS)
        return diag_error(s->cx, E203, at_attr(s->g, n, "nearest_mode"), NULL, "'%s' is not a way of rounding",
                          node_string(n, "nearest_mode", ""));
    // Rounding of interpolated integers is nowhere defined.
    return strcmp(mode, "nearest") == 0 || shape_need_float(s, n, 0);
}

// The dimensions that scales and sizes speak of: attribute `axes` since opset 18, or all.
static bool resized_axes(struct shape_run *s, const struct node *n, int *axes, int *count)
{
    const struct attr *a = node_attr(n, "axes");
    int rank = n->in[0]->rank;
    *count = a && a->type == ATTR_INTS ? a->n : rank;
    bool fits = *count <= rank && (!a || a->type == ATTR_INTS);
    for (int i = 0; fits && i < *count; i++) {
        fits = !a || (a->ints[i] >= -rank && a->ints[i] < rank);
        axes[i] = fits && a ? axis_of(a->ints[i], rank) : i;
    }
    return fits || diag_error(s->cx, E203, at_attr(s->g, n, "axes"), NULL, "an axis is outside shape %s", shape_of(s, n->in[0]));
}

// The value of list input k, `per` entries for each of the axes.
static bool list_value(struct shape_run *s, const struct node *n, int k, int count, struct array *out)
{
    const struct tensor *t = n->in[k];
    if (!shape_value(s, t, out))
        return diag_error(s->cx, E206, at_node(s->g, n), "export the model with fixed shapes, or run a simplifier",
                          "the scales ('%s') are computed at run time", t->name);
    if (t->rank != 1 || t->dims[0] != count || !dtype_is_float(t->dtype))
        return shape_error(s, n, "scales of type %s and shape %s for an input of shape %s", dtype_name(t->dtype),
                           shape_of(s, t), shape_of(s, n->in[0]));
    return true;
}

// Crops of all axes, [0, 1] where none is given, for resize_coordinate.
static bool resolve_roi(struct shape_run *s, struct node *n, const int *axes, int count, float *roi)
{
    int rank = n->in[0]->rank;
    struct array value;
    for (int i = 0; i < rank; i++) {
        roi[i] = 0.0f;
        roi[rank + i] = 1.0f;
    }
    if (strcmp(node_string(n, "coordinate_transformation_mode", ""), "tf_crop_and_resize") != 0)
        return true;
    if (n->n_in < 2 || !n->in[1])
        return shape_error(s, n, "tf_crop_and_resize has no region");
    if (!list_value(s, n, 1, 2 * count, &value))
        return false;
    for (int i = 0; i < count; i++) {
        roi[axes[i]] = (float)array_f64(&value, i);
        roi[rank + axes[i]] = (float)array_f64(&value, count + i);
    }
    node_set_floats(s->g, n, "resolved_roi", 2 * rank, roi);
    return true;
}

// Lengths from scales; those go where resize_scale looks for them: a constant of all axes, or the attribute.
static bool from_scales(struct shape_run *s, struct node *n, const int *axes, int count, const float *roi, int64_t *dims)
{
    const struct tensor *x = n->in[0];
    struct array value;
    float *scales = arena_array(s->g->arena, float, x->rank);
    if (!list_value(s, n, 2, count, &value))
        return false;
    for (int i = 0; i < x->rank; i++)
        scales[i] = 1.0f;
    for (int i = 0; i < count; i++)
        scales[axes[i]] = (float)array_f64(&value, i);
    for (int i = 0; i < x->rank; i++) {
        float scale = scales[i], length = scale * (float)x->dims[i] * (roi[x->rank + i] - roi[i]);
        if (!(scale > 0.0f) || !(length >= 1.0f && length < MAX_LENGTH))
            return shape_error(s, n, "scale %g for dimension %d of %s", (double)scale, i, shape_of(s, x));
        dims[i] = (int64_t)length;
    }
    if (s->running) {
        node_set_floats(s->g, n, "resolved_scales", x->rank, scales);
    } else if (!n->in[2]->data || node_attr(n, "axes")) {
        n->in[2] = graph_add_const(s->g, n->in[2]->name, DT_FLOAT, 1, (int64_t[]){ x->rank }, scales);
        node_drop_attr(n, "axes");
    }
    return true;
}

// One scale for all axes: the largest that exceeds no size, or the least that reaches all.
static void keep_ratio(const struct tensor *x, const int *axes, int count, bool larger, float *scales, int64_t *dims)
{
    float scale = 0.0f;
    for (int i = 0; i < count; i++) {
        float ratio = (float)dims[axes[i]] / (float)x->dims[axes[i]];
        scale = i == 0 ? ratio : larger ? fmaxf(scale, ratio) : fminf(scale, ratio);
    }
    for (int i = 0; i < count; i++) {
        scales[axes[i]] = scale;
        dims[axes[i]] = max_i64(1, (int64_t)fminf(floorf(scale * (float)x->dims[axes[i]] + 0.5f), 0x1p41f)); // halves go up
    }
}

static bool from_sizes(struct shape_run *s, struct node *n, const int *axes, int n_axes, int64_t *dims)
{
    const struct tensor *x = n->in[0];
    const char *policy = node_string(n, "keep_aspect_ratio_policy", "stretch");
    int64_t sizes[MAX_RANK];
    float scales[MAX_RANK];
    int count;
    bool stretch = strcmp(policy, "stretch") == 0, larger = strcmp(policy, "not_smaller") == 0;
    if (!shape_ints(s, n, 3, MAX_RANK, sizes, &count))
        return false;
    if (count != n_axes)
        return shape_error(s, n, "%d sizes for an input of shape %s", count, shape_of(s, x));
    if (!stretch && !larger && strcmp(policy, "not_larger") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "keep_aspect_ratio_policy"), NULL, "'%s' is no policy", policy);
    memcpy(dims, x->dims, sizeof x->dims);
    for (int i = 0; i < x->rank; i++)
        scales[i] = 1.0f;
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 1 || sizes[i] >= (int64_t)1 << 40)
            return shape_error(s, n, "size %" PRId64 " for dimension %d of %s", sizes[i], axes[i], shape_of(s, x));
        dims[axes[i]] = sizes[i];
    }
    if (!stretch) {
        keep_ratio(x, axes, count, larger, scales, dims);
        node_set_floats(s->g, n, "resolved_scales", x->rank, scales);
    }
    if (!s->running && (!stretch || node_attr(n, "axes"))) { // as sizes of all axes
        int64_t *all = arena_array(s->g->arena, int64_t, x->rank);
        memcpy(all, dims, (size_t)x->rank * sizeof *all);
        n->in[3] = graph_add_const(s->g, n->in[3]->name, DT_INT64, 1, (int64_t[]){ x->rank }, all);
        node_drop_attr(n, "axes");
        node_drop_attr(n, "keep_aspect_ratio_policy");
    }
    return true;
}

bool shape_resize(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK];
    int axes[MAX_RANK], count;
    float roi[2 * MAX_RANK] = { 0 };
    bool scaled = n->n_in > 2 && n->in[2], sized = n->n_in > 3 && n->in[3];
    if (!check_modes(s, n))
        return false;
    if (scaled && sized && s->running) // an empty list is none
        *(tensor_count(n->in[2]) == 0 ? &scaled : &sized) = false;
    if (scaled == sized)
        return shape_error(s, n, "Resize needs either scales or sizes");
    if (x->rank < 1 || tensor_count(x) == 0)
        return shape_error(s, n, "an input of shape %s cannot be resized", shape_of(s, x));
    return resized_axes(s, n, axes, &count) && resolve_roi(s, n, axes, count, roi) &&
           (scaled ? from_scales(s, n, axes, count, roi, dims) : from_sizes(s, n, axes, count, dims)) &&
           shape_set(s, n, 0, x->dtype, x->rank, dims);
}

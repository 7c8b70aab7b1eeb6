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

enum transform { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_HALF_PIXEL_FOR_NN, N_TRANSFORMS };
enum rounding { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL, N_ROUNDINGS };

static const char *const transforms[N_TRANSFORMS] = { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                                                      "tf_half_pixel_for_nn" };
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

// The position in the input, not clamped. float32 throughout: a factor such as 0.6 has no exact float32, and in
// wider arithmetic 3 / 0.6f falls short of 5 and would be floored to 4. Rounded at each step it is 5.
static float coordinate(const struct node *n, int axis, int64_t out)
{
    float in_length = (float)n->in[0]->dims[axis], out_length = (float)n->out[0]->dims[axis], x = (float)out;
    const struct tensor *scales = n->n_in > 2 ? n->in[2] : NULL;
    float scale = scales ? ((const float *)scales->data)[axis] : out_length / in_length;
    if (scale == 1.0f || keeps_shape(n)) // batch and channels stay, whatever the transformation would make of them
        return x;
    switch ((enum transform)choice(n, "coordinate_transformation_mode", transforms, N_TRANSFORMS)) {
    case HALF_PIXEL: return (x + 0.5f) / scale - 0.5f;
    case PYTORCH_HALF_PIXEL: return out_length > 1.0f ? (x + 0.5f) / scale - 0.5f : 0.0f;
    case ALIGN_CORNERS: return out_length > 1.0f ? x * (in_length - 1.0f) / (out_length - 1.0f) : 0.0f;
    case ASYMMETRIC: return x / scale;
    case TF_HALF_PIXEL_FOR_NN: return (x + 0.5f) / scale;
    case N_TRANSFORMS: break;
    }
    BUG("a Resize with an unchecked coordinate_transformation_mode");
}

static double round_coordinate(const struct node *n, int axis, double x)
{
    const struct tensor *scales = n->n_in > 2 ? n->in[2] : NULL;
    if (node_int(n, "nearest_by_scale", 0)) // opset 10: down takes the upper neighbour
        return scales && ((const float *)scales->data)[axis] < 1.0f ? ceil(x) : floor(x);
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
    double x = round_coordinate(n, axis, (double)coordinate(n, axis, out));
    return (int64_t)clamp_index(x, n->in[0]->dims[axis]);
}

void resize_linear_taps(const struct node *n, int axis, int64_t out, int64_t *i0, int64_t *i1, double *t)
{
    int64_t length = n->in[0]->dims[axis];
    double x = clamp_index((double)coordinate(n, axis, out), length);
    *i0 = (int64_t)x;
    *i1 = min_i64(*i0 + 1, length - 1);
    *t = x - (double)*i0;
}

// ---- shape ----

static bool check_modes(struct shape_run *s, const struct node *n)
{
    const char *mode = node_string(n, "mode", "nearest");
    const char *transform = node_string(n, "coordinate_transformation_mode", transforms[0]);
    if (strcmp(mode, "cubic") == 0)
        return diag_error(s->cx, E202, at_attr(s->g, n, "mode"), "export with mode nearest or linear",
                          "cubic interpolation is not supported");
    if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "mode"), NULL, "'%s' is not a way of interpolating", mode);
    if (strcmp(transform, "tf_crop_and_resize") == 0)
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

// Input 2 with its value: a followed one becomes a constant of the graph, for resize_nearest_index reads it.
static const struct tensor *scales_of(struct shape_run *s, struct node *n)
{
    const struct tensor *t = n->in[2];
    if (t->data)
        return t;
    const struct array *value = &s->values[t->index];
    if (!value->data) {
        diag_error(s->cx, E206, at_node(s->g, n), "export the model with fixed shapes, or run a simplifier",
                   "the scales ('%s') are computed at run time", t->name);
        return NULL;
    }
    n->in[2] = graph_add_const(s->g, t->name, t->dtype, t->rank, t->dims, value->data);
    return n->in[2];
}

static bool from_scales(struct shape_run *s, struct node *n, int64_t *dims)
{
    const struct tensor *x = n->in[0], *scales = scales_of(s, n);
    if (!scales)
        return false;
    if (scales->dtype != DT_FLOAT || scales->rank != 1 || scales->dims[0] != x->rank)
        return shape_error(s, n, "scales of type %s and shape %s for an input of shape %s", dtype_name(scales->dtype),
                           shape_of(s, scales), shape_of(s, x));
    for (int i = 0; i < x->rank; i++) {
        float scale = ((const float *)scales->data)[i], length = scale * (float)x->dims[i];
        if (!(scale > 0.0f) || !(length >= 1.0f && length < MAX_LENGTH))
            return shape_error(s, n, "scale %g for dimension %d of %s", (double)scale, i, shape_of(s, x));
        dims[i] = (int64_t)length;
    }
    return true;
}

static bool from_sizes(struct shape_run *s, struct node *n, int64_t *dims)
{
    const struct tensor *x = n->in[0];
    int count;
    if (!shape_ints(s, n, 3, MAX_RANK, dims, &count))
        return false;
    if (count != x->rank)
        return shape_error(s, n, "%d sizes for an input of shape %s", count, shape_of(s, x));
    for (int i = 0; i < count; i++)
        if (dims[i] < 1)
            return shape_error(s, n, "size %" PRId64 " for dimension %d of %s", dims[i], i, shape_of(s, x));
    return true;
}

bool shape_resize(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK];
    bool scaled = n->n_in > 2 && n->in[2], sized = n->n_in > 3 && n->in[3];
    if (!check_modes(s, n))
        return false;
    if (scaled == sized)
        return shape_error(s, n, "Resize needs either scales or sizes");
    if (x->rank < 1 || tensor_count(x) == 0)
        return shape_error(s, n, "an input of shape %s cannot be resized", shape_of(s, x));
    return (scaled ? from_scales(s, n, dims) : from_sizes(s, n, dims)) && shape_set(s, n, 0, x->dtype, x->rank, dims);
}

// SPDX-License-Identifier: Apache-2.0
// Shapes of norms, losses, recurrent layers, regions of images, signals and random numbers.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape_impl.h"

static bool is_vector(const struct tensor *t, int64_t length)
{
    return t->rank == 1 && t->dims[0] == length;
}

static const struct tensor *input(const struct node *n, int k)
{
    return k < n->n_in ? n->in[k] : NULL;
}

// ---- norms ----

// Mean and InvStdDev keep the dimensions in front of the axis.
static bool layer_norm(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK];
    int axis;
    if (!shape_need_float(s, n, 0) || !shape_axis(s, n, x, -1, &axis))
        return false;
    for (int k = 1; k < n->n_in; k++) {
        int rank = x->rank;
        memcpy(dims, x->dims, sizeof dims);
        if (n->in[k] && (!shape_broadcast(n->in[k], &rank, dims) || rank != x->rank || memcmp(dims, x->dims, (size_t)rank * sizeof *dims) != 0))
            return shape_error(s, n, "'%s' of shape %s for %s", n->in[k]->name, shape_of(s, n->in[k]), shape_of(s, x));
    }
    for (int i = 0; i < x->rank; i++)
        dims[i] = i < axis ? x->dims[i] : 1;
    for (int k = 1; k < n->n_out; k++)
        if (n->out[k] && !shape_set(s, n, k, x->dtype == DT_DOUBLE ? DT_DOUBLE : DT_FLOAT, x->rank, dims))
            return false;
    return shape_like(s, n, 0, x);
}

// Scale and bias for each channel; GroupNormalization had them for each group until opset 21.
static bool channel_norm(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t groups = node_int(n, "num_groups", 1);
    if (!shape_need_float(s, n, 0))
        return false;
    bool fits = x->rank >= 2 && groups >= 1 && x->dims[1] % groups == 0;
    int64_t each = fits && n->op == OP_GroupNormalization && is_vector(n->in[1], groups) ? groups : x->rank >= 2 ? x->dims[1] : 0;
    for (int k = 1; fits && k < 3; k++)
        fits = is_vector(n->in[k], each);
    return fits ? shape_like(s, n, 0, x) : shape_error(s, n, "scale of shape %s for %s", shape_of(s, n->in[1]), shape_of(s, x));
}

static bool lrn(struct shape_run *s, struct node *n)
{
    if (node_int(n, "size", 0) < 1)
        return diag_error(s->cx, E203, at_attr(s->g, n, "size"), NULL, "size is %" PRId64 ", need 1 or more", node_int(n, "size", 0));
    if (n->in[0]->rank < 2)
        return shape_error(s, n, "an input of shape %s has no channels", shape_of(s, n->in[0]));
    return shape_need_float(s, n, 0) && shape_like(s, n, 0, n->in[0]);
}

static bool along_axis(struct shape_run *s, struct node *n)
{
    int axis;
    int64_t p = node_int(n, "p", 2);
    if (n->op == OP_LpNormalization && p != 1 && p != 2)
        return diag_error(s->cx, E203, at_attr(s->g, n, "p"), NULL, "p is %" PRId64 ", need 1 or 2", p);
    return shape_axis(s, n, n->in[0], -1, &axis) && shape_need_float(s, n, 0) && shape_like(s, n, 0, n->in[0]);
}

static bool mean_variance(struct shape_run *s, struct node *n)
{
    const struct attr *axes = node_attr(n, "axes");
    const struct tensor *x = n->in[0];
    bool fits = axes ? axes->type == ATTR_INTS : x->rank == 4;
    for (int i = 0; fits && axes && i < axes->n; i++)
        fits = axes->ints[i] >= -x->rank && axes->ints[i] < x->rank;
    if (!fits)
        return diag_error(s->cx, E203, at_attr(s->g, n, "axes"), NULL, "an axis is outside shape %s", shape_of(s, x));
    return shape_need_float(s, n, 0) && shape_like(s, n, 0, x);
}

static bool det(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    if (x->rank < 2 || x->dims[x->rank - 1] != x->dims[x->rank - 2])
        return shape_error(s, n, "an input of shape %s holds no square matrices", shape_of(s, x));
    return shape_need_float(s, n, 0) && shape_set(s, n, 0, x->dtype, x->rank - 2, x->dims);
}

// ---- losses ----

static bool loss(struct shape_run *s, struct node *n)
{
    static const char *const names[] = { "mean", "sum", "none" };
    const struct tensor *x = n->in[0], *target = n->in[1], *weight = input(n, 2);
    const char *reduction = node_string(n, "reduction", "mean");
    int way = 0;
    while (way < 3 && strcmp(names[way], reduction) != 0)
        way++;
    if (way == 3)
        return diag_error(s->cx, E203, at_attr(s->g, n, "reduction"), NULL, "'%s' is no reduction", reduction);
    const struct attr *ignore = node_attr(n, "ignore_index");
    if (ignore && ignore->type != ATTR_INT)
        return diag_error(s->cx, E203, at_attr(s->g, n, "ignore_index"), NULL, "ignore_index is no integer");
    bool fits = x->rank >= 2 && target->rank == x->rank - 1 && dtype_is_integer(target->dtype) && (!weight || is_vector(weight, x->dims[1]));
    for (int i = 0; fits && i < target->rank; i++)
        fits = target->dims[i] == x->dims[i + (i > 0)];
    if (!fits)
        return shape_error(s, n, "classes of shape %s for scores of shape %s", shape_of(s, target), shape_of(s, x));
    if (n->n_out > 1 && n->out[1] && !shape_like(s, n, 1, x))
        return false;
    return shape_need_float(s, n, 0) && shape_set(s, n, 0, x->dtype, way == 2 ? target->rank : 0, target->dims);
}

// ---- recurrent layers ----

static bool recurrent_direction(struct shape_run *s, const struct node *n, int64_t *directions)
{
    const char *d = node_string(n, "direction", "forward");
    *directions = strcmp(d, "bidirectional") == 0 ? 2 : 1;
    if (*directions == 1 && strcmp(d, "forward") != 0 && strcmp(d, "reverse") != 0)
        return diag_error(s->cx, E203, at_attr(s->g, n, "direction"), NULL, "'%s' is no direction", d);
    return true;
}

static bool has_dims(const struct tensor *t, int rank, const int64_t *dims)
{
    return !t || (t->rank == rank && memcmp(t->dims, dims, (size_t)rank * sizeof *dims) == 0);
}

// X, W, R, B, sequence_lens, initial_h; LSTM has initial_c and P behind them. Layout 1 puts the batch first.
static bool recurrent(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *w = n->in[1], *r = n->in[2];
    int64_t d, gates = n->op == OP_LSTM ? 4 : n->op == OP_GRU ? 3 : 1;
    bool batch_first = node_int(n, "layout", 0) != 0;
    if (!recurrent_direction(s, n, &d))
        return false;
    for (int k = 0; k < 3; k++)
        if (!shape_need_float(s, n, k))
            return false;
    if (input(n, 4) && !shape_need_index(s, n, 4))
        return false;
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || r->dims[2] < 1)
        return shape_error(s, n, "inputs of shapes %s, %s and %s", shape_of(s, x), shape_of(s, w), shape_of(s, r));
    int64_t steps = x->dims[batch_first], batch = x->dims[!batch_first], hidden = r->dims[2], rows = gates * hidden;
    int64_t state[3] = { batch_first ? batch : d, batch_first ? d : batch, hidden };
    bool fits = has_dims(w, 3, (int64_t[]){ d, rows, x->dims[2] }) && has_dims(r, 3, (int64_t[]){ d, rows, hidden }) &&
                has_dims(input(n, 3), 2, (int64_t[]){ d, 2 * rows }) && has_dims(input(n, 4), 1, (int64_t[]){ batch }) &&
                has_dims(input(n, 5), 3, state) && (n->op != OP_LSTM || (has_dims(input(n, 6), 3, state) && has_dims(input(n, 7), 2, (int64_t[]){ d, 3 * hidden }))) &&
                node_int(n, "hidden_size", hidden) == hidden;
    if (!fits)
        return shape_error(s, n, "weights, bias or states do not fit an input of shape %s and weights of shape %s", shape_of(s, x), shape_of(s, r));
    int64_t all[4] = { steps, d, batch, hidden };
    if (batch_first)
        memcpy(all, (int64_t[]){ batch, steps, d, hidden }, sizeof all);
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k] && !shape_set(s, n, k, x->dtype, k ? 3 : 4, k ? state : all))
            return false;
    return true;
}

// ---- regions of images ----

static bool positive_attr(struct shape_run *s, const struct node *n, const char *name, int64_t *out)
{
    *out = node_int(n, name, 1);
    if (*out < 1 || *out > (int64_t)1 << 30)
        return diag_error(s->cx, E203, at_attr(s->g, n, name), NULL, "%s is %" PRId64, name, *out);
    return true;
}

static bool roi_align(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *rois = n->in[1];
    int64_t h, w;
    if (!shape_need_float(s, n, 0) || !shape_need_float(s, n, 1) || !shape_need_index(s, n, 2) || !positive_attr(s, n, "output_height", &h) || !positive_attr(s, n, "output_width", &w))
        return false;
    if (x->rank != 4 || rois->rank != 2 || rois->dims[1] != 4 || !is_vector(n->in[2], rois->dims[0]) || tensor_count(x) == 0)
        return shape_error(s, n, "regions of shape %s for %s", shape_of(s, rois), shape_of(s, x));
    return shape_set(s, n, 0, x->dtype, 4, (int64_t[]){ rois->dims[0], x->dims[1], h, w });
}

static bool max_roi_pool(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *rois = n->in[1];
    const struct attr *pooled = node_attr(n, "pooled_shape");
    bool sized = pooled && pooled->type == ATTR_INTS && pooled->n == 2 && pooled->ints[0] >= 1 && pooled->ints[1] >= 1;
    if (!sized)
        return diag_error(s->cx, E203, at_attr(s->g, n, "pooled_shape"), NULL, "pooled_shape is no size of an image");
    if (x->rank != 4 || rois->rank != 2 || rois->dims[1] != 5 || tensor_count(x) == 0)
        return shape_error(s, n, "regions of shape %s for %s", shape_of(s, rois), shape_of(s, x));
    return shape_need_float(s, n, 0) && shape_set(s, n, 0, x->dtype, 4, (int64_t[]){ rois->dims[0], x->dims[1], pooled->ints[0], pooled->ints[1] });
}

static bool grid_sample(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *grid = n->in[1];
    static const char *const modes[] = { "bilinear", "nearest", "bicubic", "linear", "cubic" };
    static const char *const pads[] = { "zeros", "border", "reflection" };
    const char *mode = node_string(n, "mode", "bilinear"), *padding = node_string(n, "padding_mode", "zeros");
    bool known = false, pads_known = false;
    for (int i = 0; i < 5; i++)
        known |= strcmp(mode, modes[i]) == 0;
    for (int i = 0; i < 3; i++)
        pads_known |= strcmp(padding, pads[i]) == 0;
    if (!known || !pads_known)
        return diag_error(s->cx, E203, at_attr(s->g, n, known ? "padding_mode" : "mode"), NULL, "'%s' is not known", known ? padding : mode);
    if (x->rank != 4 || grid->rank != 4 || grid->dims[3] != 2 || grid->dims[0] != x->dims[0] || tensor_count(x) == 0)
        return shape_error(s, n, "a grid of shape %s for %s", shape_of(s, grid), shape_of(s, x));
    return shape_need_float(s, n, 1) && shape_set(s, n, 0, x->dtype, 4, (int64_t[]){ x->dims[0], x->dims[1], grid->dims[1], grid->dims[2] });
}

// ---- signals ----

// The number of frequencies of n samples.
static int64_t frequencies(int64_t samples, bool onesided)
{
    return onesided ? samples / 2 + 1 : samples;
}

static bool dft(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0];
    int64_t dims[MAX_RANK], length, axis = node_int(n, "axis", 1);
    double v;
    if (n->n_in > 2 && n->in[2]) { // opset 20
        if (!shape_scalar(s, n, 2, &v))
            return false;
        axis = v >= -MAX_RANK && v <= MAX_RANK ? (int64_t)v : INT64_MAX; // outside of every shape
    }
    if (x->rank < 2 || (x->dims[x->rank - 1] != 1 && x->dims[x->rank - 1] != 2) || axis < -x->rank || axis >= x->rank ||
        axis_of(axis, x->rank) == x->rank - 1)
        return shape_error(s, n, "a transform along axis %" PRId64 " of %s", axis, shape_of(s, x));
    axis = axis_of(axis, x->rank);
    length = x->dims[axis];
    if (n->n_in > 1 && n->in[1]) {
        if (!shape_scalar(s, n, 1, &v))
            return false;
        length = v >= 1.0 && v < 0x1p40 ? (int64_t)v : 0;
    }
    if (length < 1)
        return shape_error(s, n, "a transform of no samples");
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = frequencies(length, node_int(n, "onesided", 0) != 0);
    dims[x->rank - 1] = 2;
    node_set_int(s->g, n, "resolved_axis", axis);
    node_set_int(s->g, n, "resolved_length", length);
    return shape_need_float(s, n, 0) && shape_set(s, n, 0, x->dtype, x->rank, dims);
}

static bool stft(struct shape_run *s, struct node *n)
{
    const struct tensor *x = n->in[0], *window = input(n, 2);
    double step, length = window ? (double)tensor_count(window) : 0.0;
    if (!shape_scalar(s, n, 1, &step) || (input(n, 3) && !shape_scalar(s, n, 3, &length)))
        return false;
    if ((x->rank != 2 && x->rank != 3) || (x->rank == 3 && x->dims[2] != 1 && x->dims[2] != 2) || !(step >= 1.0) || !(length >= 1.0) ||
        (double)x->dims[1] < length || (window && (double)tensor_count(window) != length))
        return shape_error(s, n, "frames of %g samples, %g apart, of a signal of shape %s", length, step, shape_of(s, x));
    int64_t frame = (int64_t)length;
    int64_t dims[4] = { x->dims[0], (x->dims[1] - frame) / (int64_t)fmin(step, 0x1p40) + 1, frequencies(frame, node_int(n, "onesided", 1) != 0), 2 };
    node_set_int(s->g, n, "resolved_length", frame);
    return shape_need_float(s, n, 0) && shape_set(s, n, 0, x->dtype, 4, dims);
}

static bool signal_window(struct shape_run *s, struct node *n)
{
    double size;
    enum dtype t;
    if (!shape_scalar(s, n, 0, &size) || !shape_dtype_attr(s, n, "output_datatype", DT_FLOAT, &t))
        return false;
    if (!(size >= 0.0 && size < 0x1p40))
        return shape_error(s, n, "a window of %g samples", size);
    return shape_set(s, n, 0, t, 1, (int64_t[]){ (int64_t)size });
}

static bool mel_weights(struct shape_run *s, struct node *n)
{
    double bins, length;
    enum dtype t;
    if (!shape_scalar(s, n, 0, &bins) || !shape_scalar(s, n, 1, &length) || !shape_dtype_attr(s, n, "output_datatype", DT_FLOAT, &t))
        return false;
    for (int k = 2; k < 5; k++)
        if (tensor_count(n->in[k]) != 1)
            return shape_error(s, n, "input %d of shape %s is no single number", k, shape_of(s, n->in[k]));
    if (!(bins >= 1.0 && bins < 0x1p20 && length >= 1.0 && length < 0x1p40))
        return shape_error(s, n, "%g bins of %g samples", bins, length);
    return shape_set(s, n, 0, t, 2, (int64_t[]){ (int64_t)length / 2 + 1, (int64_t)bins });
}

// ---- integers ----

static bool dynamic_quantize(struct shape_run *s, struct node *n)
{
    return shape_need_float(s, n, 0) && (!n->out[0] || shape_set(s, n, 0, DT_UINT8, n->in[0]->rank, n->in[0]->dims)) &&
           (!n->out[1] || shape_set(s, n, 1, DT_FLOAT, 0, NULL)) && (!n->out[2] || shape_set(s, n, 2, DT_UINT8, 0, NULL));
}

// ---- random numbers ----

static bool random_numbers(struct shape_run *s, struct node *n)
{
    const struct attr *shape = node_attr(n, "shape");
    enum dtype t;
    bool like = n->op == OP_RandomNormalLike || n->op == OP_RandomUniformLike || n->op == OP_Bernoulli;
    if (!shape_dtype_attr(s, n, "dtype", like ? n->in[0]->dtype : DT_FLOAT, &t))
        return false;
    if (like)
        return shape_set(s, n, 0, t, n->in[0]->rank, n->in[0]->dims);
    if (!shape || shape->type != ATTR_INTS || shape->n > MAX_RANK)
        return diag_error(s->cx, E203, at_attr(s->g, n, "shape"), NULL, "shape is missing, or has more than eight dimensions");
    return shape_set(s, n, 0, t, shape->n, shape->ints);
}

static bool multinomial(struct shape_run *s, struct node *n)
{
    int64_t samples;
    enum dtype t;
    if (n->in[0]->rank != 2 || n->in[0]->dims[1] < 1)
        return shape_error(s, n, "an input of shape %s holds no rows of classes", shape_of(s, n->in[0]));
    return shape_need_float(s, n, 0) && positive_attr(s, n, "sample_size", &samples) && shape_dtype_attr(s, n, "dtype", DT_INT32, &t) &&
           shape_set(s, n, 0, t, 2, (int64_t[]){ n->in[0]->dims[0], samples });
}

// Made by simplification, which has looked at the shapes.
static bool attention(struct shape_run *s, struct node *n)
{
    const struct tensor *q = n->in[0], *v = n->in[2];
    int64_t dims[MAX_RANK];
    if (q->rank < 2 || v->rank != q->rank)
        return shape_error(s, n, "queries of shape %s and values of shape %s", shape_of(s, q), shape_of(s, v));
    memcpy(dims, q->dims, sizeof dims);
    dims[q->rank - 1] = v->dims[v->rank - 1];
    return shape_set(s, n, 0, q->dtype, q->rank, dims);
}

bool shape_nn(struct shape_run *s, struct node *n, bool *known)
{
    *known = true;
    switch ((int)n->op) {
    case OP_LayerNormalization:
    case OP_RMSNormalization:
        return layer_norm(s, n);
    case OP_InstanceNormalization:
    case OP_GroupNormalization:
        return channel_norm(s, n);
    case OP_Attention:
        return attention(s, n);
    case OP_LRN:
        return lrn(s, n);
    case OP_LpNormalization:
    case OP_Hardmax:
        return along_axis(s, n);
    case OP_MeanVarianceNormalization:
        return mean_variance(s, n);
    case OP_Det:
        return det(s, n);
    case OP_NegativeLogLikelihoodLoss:
    case OP_SoftmaxCrossEntropyLoss:
        return loss(s, n);
    case OP_RNN:
    case OP_GRU:
    case OP_LSTM:
        return recurrent(s, n);
    case OP_RoiAlign:
        return roi_align(s, n);
    case OP_MaxRoiPool:
        return max_roi_pool(s, n);
    case OP_GridSample:
        return grid_sample(s, n);
    case OP_DFT:
        return dft(s, n);
    case OP_STFT:
        return stft(s, n);
    case OP_BlackmanWindow:
    case OP_HammingWindow:
    case OP_HannWindow:
        return signal_window(s, n);
    case OP_MelWeightMatrix:
        return mel_weights(s, n);
    case OP_DynamicQuantizeLinear:
        return dynamic_quantize(s, n);
    case OP_Bernoulli:
    case OP_RandomNormal:
    case OP_RandomNormalLike:
    case OP_RandomUniform:
    case OP_RandomUniformLike:
        return random_numbers(s, n);
    case OP_Multinomial:
        return multinomial(s, n);
    default:
        *known = false;
        return true;
    }
}

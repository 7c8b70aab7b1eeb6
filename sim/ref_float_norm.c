// SPDX-License-Identifier: Apache-2.0
// Norms, losses, determinants and Einstein sums; formulas as in the ONNX specification of each operator.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "frontend/shape.h"
#include "sim/ref_float_impl.h"

// Mean and variance of `outer` runs of `inner` elements, `step` apart, from element `at` on.
static void moments(const struct array *x, int64_t at, int64_t outer, int64_t step, int64_t inner, double *mean, double *variance)
{
    double sum = 0.0, squares = 0.0, count = (double)(outer * inner);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            sum += array_f64(x, at + o * step + i);
    *mean = sum / count;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            double d = array_f64(x, at + o * step + i) - *mean;
            squares += d * d;
        }
    *variance = squares / count;
}

// In training, mean and variance are those of the batch, and the running ones move towards them.
bool ref_batchnorm(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    double epsilon = (double)node_float(r->n, "epsilon", 1e-5f), momentum = (double)node_float(r->n, "momentum", 0.9f);
    bool training = node_int(r->n, "training_mode", 0) != 0;
    int64_t inner = 1, channels = x->dims[1];
    for (int i = 2; i < x->rank; i++)
        inner *= x->dims[i];
    struct array *y = ref_out(r, 0, x->dtype), *running[2] = { NULL, NULL };
    for (int k = 1; k < 3 && k < r->n->n_out; k++)
        running[k - 1] = r->n->out[k] ? ref_out(r, k, ref_in(r, k + 2)->dtype) : NULL;
    for (int64_t c = 0; c < channels; c++) {
        double mean = array_f64(ref_in(r, 3), c), variance = array_f64(ref_in(r, 4), c), old[2] = { mean, variance };
        if (training)
            moments(x, c * inner, x->dims[0], channels * inner, inner, &mean, &variance);
        for (int k = 0; k < 2; k++)
            if (running[k])
                array_set_f64(running[k], c, old[k] * momentum + (k ? variance : mean) * (1.0 - momentum));
        double scale = array_f64(ref_in(r, 1), c) / sqrt(variance + epsilon), shift = array_f64(ref_in(r, 2), c);
        for (int64_t n = 0; n < x->dims[0]; n++)
            for (int64_t i = (n * channels + c) * inner; i < (n * channels + c + 1) * inner; i++)
                array_set_f64(y, i, (array_f64(x, i) - mean) * scale + shift);
    }
    return true;
}

bool ref_layer_norm(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *scale, *bias = NULL;
    int axis = axis_of(node_int(r->n, "axis", -1), x->rank);
    double epsilon = (double)node_float(r->n, "epsilon", 1e-5f);
    int64_t rows = 1, size = 1;
    for (int i = 0; i < x->rank; i++)
        *(i < axis ? &rows : &size) *= x->dims[i];
    scale = ref_broadcast(ref_in(r, 1), x->rank, x->dims, &r->scratch);
    if (ref_in(r, 2))
        bias = ref_broadcast(ref_in(r, 2), x->rank, x->dims, &r->scratch);
    struct array *y = ref_out(r, 0, x->dtype), *extra[3] = { NULL };
    for (int k = 1; k < r->n->n_out; k++)
        extra[k] = r->n->out[k] ? ref_out(r, k, r->n->out[k]->dtype) : NULL;
    for (int64_t row = 0; row < rows; row++) {
        double mean, variance;
        moments(x, row * size, 1, 0, size, &mean, &variance);
        if (r->n->op == OP_RMSNormalization) { // the mean of squares, around zero
            variance += mean * mean;
            mean = 0;
        }
        double inverse = 1.0 / sqrt(variance + epsilon);
        for (int64_t i = row * size; i < (row + 1) * size; i++)
            array_set_f64(y, i, (array_f64(x, i) - mean) * inverse * array_f64(scale, i) + (bias ? array_f64(bias, i) : 0.0));
        if (extra[1])
            array_set_f64(extra[1], row, mean);
        if (extra[2])
            array_set_f64(extra[2], row, inverse);
    }
    return true;
}

// Over each channel, or each group of channels; scale and bias for each of either.
bool ref_channel_norm(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *scale = ref_in(r, 1), *bias = ref_in(r, 2);
    double epsilon = (double)node_float(r->n, "epsilon", 1e-5f);
    int64_t channels = x->dims[1], inner = 1, groups = r->n->op == OP_GroupNormalization ? node_int(r->n, "num_groups", 1) : channels;
    for (int i = 2; i < x->rank; i++)
        inner *= x->dims[i];
    int64_t size = channels / max_i64(groups, 1) * inner, per_scale = channels / max_i64(array_count(scale), 1);
    struct array *y = ref_out(r, 0, x->dtype);
    for (int64_t row = 0; row < x->dims[0] * groups; row++) {
        double mean, variance;
        moments(x, row * size, 1, 0, size, &mean, &variance);
        for (int64_t i = row * size; i < (row + 1) * size; i++) {
            int64_t c = i / inner % channels / per_scale;
            array_set_f64(y, i, (array_f64(x, i) - mean) / sqrt(variance + epsilon) * array_f64(scale, c) + array_f64(bias, c));
        }
    }
    return true;
}

// x / (bias + alpha / size * sum of squares of `size` neighbouring channels) ^ beta
bool ref_lrn(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    double alpha = (double)node_float(r->n, "alpha", 1e-4f), beta = (double)node_float(r->n, "beta", 0.75f), bias = (double)node_float(r->n, "bias", 1.0f);
    int64_t size = node_int(r->n, "size", 1), channels = x->dims[1], inner = 1;
    for (int i = 2; i < x->rank; i++)
        inner *= x->dims[i];
    struct array *y = ref_out(r, 0, x->dtype);
    if (!ref_spend(r, (double)array_count(x) * (double)min_i64(size, channels)))
        return false;
    for (int64_t i = 0; i < array_count(x); i++) {
        int64_t c = i / inner % channels;
        double sum = 0.0;
        for (int64_t k = max_i64(0, c - (size - 1) / 2); k <= min_i64(channels - 1, c + min_i64(size, channels * 2) / 2); k++) {
            double v = array_f64(x, i + (k - c) * inner);
            sum += v * v;
        }
        array_set_f64(y, i, array_f64(x, i) / pow(bias + alpha / (double)size * sum, beta));
    }
    return true;
}

bool ref_lp_norm(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int axis = axis_of(node_int(r->n, "axis", -1), x->rank);
    bool squares = node_int(r->n, "p", 2) == 2;
    int64_t outer, inner, size = x->dims[axis];
    struct array *y = ref_out(r, 0, x->dtype);
    ref_around(x, axis, &outer, &inner);
    for (int64_t line = 0; line < outer * inner; line++) {
        int64_t at = line / inner * size * inner + line % inner;
        double sum = 0.0;
        for (int64_t k = 0; k < size; k++) {
            double v = array_f64(x, at + k * inner);
            sum += squares ? v * v : fabs(v);
        }
        double norm = squares ? sqrt(sum) : sum;
        for (int64_t k = 0; k < size; k++)
            array_set_f64(y, at + k * inner, norm == 0.0 ? 0.0 : array_f64(x, at + k * inner) / norm);
    }
    return true;
}

// (x - mean) / (standard deviation + 1e-9), over axes 0, 2 and 3 unless the attribute says others. The small number is
// that of the operator's definition as a function.
bool ref_mean_variance(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    const struct attr *axes = node_attr(r->n, "axes");
    unsigned reduced = axes ? 0 : 13;
    for (int i = 0; axes && i < axes->n; i++)
        reduced |= 1u << axis_of(axes->ints[i], x->rank);
    int64_t kept[MAX_RANK] = { 0 }, groups = 1, dense[MAX_RANK] = { 0 }, count = array_count(x);
    ref_strides(x->rank, x->dims, dense);
    for (int i = x->rank - 1; i >= 0; i--)
        if (!(reduced >> i & 1)) {
            kept[i] = groups;
            groups *= x->dims[i];
        }
    int64_t *group = arena_array(&r->scratch, int64_t, count);
    double *sum = arena_array(&r->scratch, double, groups), *squares = arena_array(&r->scratch, double, groups);
    double per = (double)count / (double)max_i64(groups, 1);
    for (int64_t i = 0; i < count; i++) {
        for (int d = 0; d < x->rank; d++)
            group[i] += i / dense[d] % x->dims[d] * kept[d];
        sum[group[i]] += array_f64(x, i);
    }
    for (int64_t i = 0; i < count; i++) {
        double d = array_f64(x, i) - sum[group[i]] / per;
        squares[group[i]] += d * d;
    }
    struct array *y = ref_out(r, 0, x->dtype);
    for (int64_t i = 0; i < count; i++)
        array_set_f64(y, i, (array_f64(x, i) - sum[group[i]] / per) / (sqrt(squares[group[i]] / per) + 1e-9));
    return true;
}

// Gaussian elimination with partial pivoting, in place.
static double determinant(double *m, int64_t n)
{
    double det = 1.0;
    for (int64_t c = 0; c < n; c++) {
        int64_t pivot = c;
        for (int64_t i = c + 1; i < n; i++)
            if (fabs(m[i * n + c]) > fabs(m[pivot * n + c]))
                pivot = i;
        double top = m[pivot * n + c];
        if (top == 0.0)
            return 0.0;
        for (int64_t k = c; k < n && pivot != c; k++) {
            double swap = m[c * n + k];
            m[c * n + k] = m[pivot * n + k];
            m[pivot * n + k] = swap;
        }
        det *= pivot == c ? top : -top;
        for (int64_t i = c + 1; i < n; i++)
            for (int64_t k = n - 1; k >= c; k--)
                m[i * n + k] -= m[i * n + c] / top * m[c * n + k];
    }
    return det;
}

bool ref_det(struct ref *r)
{
    const struct array *x = ref_in(r, 0);
    int64_t n = x->dims[x->rank - 1];
    struct array *y = ref_out(r, 0, x->dtype);
    if (!ref_spend(r, (double)array_count(x) * (double)n))
        return false;
    double *m = arena_array(&r->scratch, double, n * n);
    for (int64_t i = 0; i < array_count(y); i++) {
        for (int64_t k = 0; k < n * n; k++)
            m[k] = array_f64(x, i * n * n + k);
        array_set_f64(y, i, determinant(m, n));
    }
    return true;
}

// ---- Attention ----

// By definition, all scores of a batch at once. k_rows: keys are rows, else columns.
bool ref_attention(struct ref *r)
{
    const struct array *q = ref_in(r, 0), *k = ref_in(r, 1), *v = ref_in(r, 2), *mask = ref_in(r, 3);
    bool rows = node_int(r->n, "k_rows", 0) != 0;
    double factor = (double)node_float(r->n, "scale", 1.0f);
    int rank = q->rank;
    int64_t queries = q->dims[rank - 2], depth = q->dims[rank - 1], keys = v->dims[rank - 2], width = v->dims[rank - 1], dims[MAX_RANK];
    struct array *y = ref_out(r, 0, q->dtype);
    if (!ref_spend(r, (double)array_count(q) * (double)keys + (double)array_count(y) * (double)keys))
        return false;
    memcpy(dims, q->dims, sizeof dims);
    dims[rank - 1] = keys;
    struct array score = array_new(&r->scratch, DT_DOUBLE, rank, dims);
    const struct array *wide = mask ? ref_broadcast(mask, rank, dims, &r->scratch) : NULL;
    for (int64_t i = 0; i < array_count(&score); i++) {
        int64_t row = i / keys, batch = row / queries, key = i % keys;
        double sum = 0.0;
        for (int64_t d = 0; d < depth; d++)
            sum += array_f64(q, row * depth + d) * array_f64(k, batch * keys * depth + (rows ? key * depth + d : d * keys + key));
        array_set_f64(&score, i, sum * factor + (wide ? array_f64(wide, i) : 0.0));
    }
    for (int64_t row = 0; keys && row < array_count(&score) / keys; row++) {
        double *s = (double *)score.data + row * keys, top = -INFINITY, sum = 0.0;
        for (int64_t i = 0; i < keys; i++)
            top = fmax(top, s[i]);
        for (int64_t i = 0; i < keys; i++)
            sum += exp(s[i] - top);
        for (int64_t d = 0; d < width; d++) {
            double value = 0.0;
            for (int64_t i = 0; i < keys; i++)
                value += exp(s[i] - top) / sum * array_f64(v, (row / queries * keys + i) * width + d);
            array_set_f64(y, row * width + d, value);
        }
    }
    return true;
}

// ---- Einsum ----

// All letters are loops, those of the result outside.
bool ref_einsum(struct ref *r)
{
    struct einsum e;
    enum { LETTERS = 52 + MAX_RANK };
    int order[LETTERS], n_letters = 0, outer;
    int64_t index[LETTERS] = { 0 }, results, products = 1, inner = 1;
    if (!einsum_parse(r->cx, r->g, r->n, &e))
        return false;
    for (outer = 0; outer < e.result.n; outer++)
        order[n_letters++] = e.result.letter[outer];
    for (int l = 0; l < LETTERS; l++) {
        bool in_result = false;
        for (int i = 0; i < e.result.n; i++)
            in_result |= e.result.letter[i] == l;
        if (!in_result && e.size[l] >= 0)
            order[n_letters++] = l;
    }
    for (int i = outer; i < n_letters; i++)
        if (!mul_i64(inner, e.size[order[i]], &inner))
            return ref_value_error(r, "the number of loops", n_letters);
    struct array *y = ref_out(r, 0, ref_in(r, 0)->dtype);
    results = array_count(y);
    if (!mul_i64(results, inner, &products))
        return ref_value_error(r, "the number of loops", n_letters);
    if (!ref_spend(r, (double)products))
        return false;
    double sum = 0.0;
    for (int64_t p = 0; p < products; p++) {
        double v = 1.0;
        for (int k = 0; k < e.n_terms; k++) {
            const struct array *x = ref_in(r, k);
            int64_t at = 0;
            for (int d = 0; d < x->rank; d++)
                at = at * x->dims[d] + (x->dims[d] == 1 ? 0 : index[e.terms[k].letter[d]]);
            v *= array_f64(x, at);
        }
        sum += v;
        if ((p + 1) % inner == 0) {
            array_set_f64(y, p / inner, sum);
            sum = 0.0;
        }
        for (int i = n_letters - 1; i >= 0 && ++index[order[i]] == e.size[order[i]]; i--)
            index[order[i]] = 0;
    }
    return true;
}

// ---- losses ----

// The logarithm of the softmax over the classes, dimension 1.
static double *log_softmax(struct ref *r, const struct array *x, int64_t inner)
{
    int64_t classes = x->dims[1];
    double *y = arena_array(&r->scratch, double, array_count(x));
    for (int64_t line = 0; line < x->dims[0] * inner; line++) {
        int64_t at = line / inner * classes * inner + line % inner;
        double top = -INFINITY, sum = 0.0;
        for (int64_t c = 0; c < classes; c++)
            top = fmax(top, array_f64(x, at + c * inner));
        for (int64_t c = 0; c < classes; c++)
            sum += exp(array_f64(x, at + c * inner) - top);
        for (int64_t c = 0; c < classes; c++)
            y[at + c * inner] = array_f64(x, at + c * inner) - top - log(sum);
    }
    return y;
}

// NegativeLogLikelihoodLoss, and with logarithms of a softmax in front of it SoftmaxCrossEntropyLoss.
bool ref_loss(struct ref *r)
{
    const struct array *x = ref_in(r, 0), *target = ref_in(r, 1), *weight = ref_in(r, 2);
    const char *reduction = node_string(r->n, "reduction", "mean");
    const struct attr *ignore = node_attr(r->n, "ignore_index");
    int64_t inner = 1, classes = x->dims[1], count = array_count(target);
    for (int i = 2; i < x->rank; i++)
        inner *= x->dims[i];
    double *logs = r->n->op == OP_SoftmaxCrossEntropyLoss ? log_softmax(r, x, inner) : NULL, sum = 0.0, weights = 0.0;
    struct array *y = ref_out(r, 0, x->dtype), *log_prob = r->n->n_out > 1 && r->n->out[1] ? ref_out(r, 1, x->dtype) : NULL;
    for (int64_t i = 0; log_prob && i < array_count(x); i++)
        array_set_f64(log_prob, i, logs ? logs[i] : 0.0);
    for (int64_t i = 0; i < count; i++) {
        int64_t c = array_i64(target, i);
        bool ignored = ignore && c == ignore->i;
        if (!ignored && (c < 0 || c >= classes))
            return ref_value_error(r, "class", c);
        int64_t at = ignored ? 0 : (i / inner * classes + c) * inner + i % inner;
        double w = ignored ? 0.0 : weight ? array_f64(weight, c) : 1.0;
        double loss = ignored ? 0.0 : -(logs ? logs[at] : array_f64(x, at)) * w;
        sum += loss;
        weights += w;
        if (reduction[0] == 'n')
            array_set_f64(y, i, loss);
    }
    if (reduction[0] != 'n')
        array_set_f64(y, 0, reduction[0] == 's' ? sum : sum / weights);
    return true;
}

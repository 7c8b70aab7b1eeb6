// SPDX-License-Identifier: Apache-2.0
// quant_fit: weights as integers, and the biases that go with them.
//
// Layer after layer, in the order of the graph. x: what reaches a layer through the quantized layers in front of it; y: what
// the float model computes there. Each output channel looks for the integers q and the scale s that make
//     |y - s q.x - b|^2 + ridge |s q - w|^2
// small, summed over sampled positions of the calibration frames. The bias b that is best for given q is mean(y) - s q.mean(x),
// so the problem is one of covariances: H = cov(x, x) + ridge, h = cov(x, y) + ridge w, and
//     s^2 q.H q - 2 s q.h
// falls with every step of coordinate descent: q_k moves to the level nearest to its best value, the others fixed; a
// move touches one row of H. Nothing is random, and channels do not see each other.
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "dataflow/quant_impl.h"
#include "frontend/shape.h"
#include "sim/ref_float.h"

#define SMALLEST_CHANNEL 0x1p-16f // least weight scale of a channel, relative to the layer's largest
#define MOST_FACTORS 1200         // of one output: larger ones are rounded to nearest, H would be too large
#define FIT_PRODUCTS 1000000000.0 // for the H of one layer
#define MOST_ROWS 16384
#define RIDGE 0.1                 // of the mean of H's diagonal; and factors / rows of it, for few rows say little
#define SWEEPS 12
#define THREADS_PAY 100000        // operations, about: fewer are done sooner than threads are woken
#define SCALES 24                 // tried for a channel

bool quant_matrix_of(const struct node *n, struct quant_matrix *out)
{
    if (n->n_out < 1 || !n->out[0] || n->n_in < 2 || !n->in[1] || !n->in[1]->data || n->in[1]->dtype != DT_FLOAT || n->in[1]->rank < 2)
        return false;
    const struct tensor *w = n->in[1];
    *out = (struct quant_matrix){ .weights = w, .inner = 1, .bias_input = 2 };
    bool plain_gemm = !node_int(n, "transA", 0) && node_float(n, "alpha", 1) == 1 && node_float(n, "beta", 1) == 1; // NOLINT
    switch ((int)n->op) {
    case OP_Conv: out->fits_rows = w->rank <= 4; break;
    case OP_ConvTranspose: out->axis = 1; break;
    case OP_Gemm:
        out->axis = node_int(n, "transB", 0) ? 0 : 1;
        out->fits_rows = plain_gemm;
        out->bias_input = plain_gemm ? 2 : 0;
        break;
    case OP_MatMul:
        out->axis = w->rank - 1;
        out->fits_rows = w->rank == 2;
        out->bias_input = 0;
        break;
    default: return false;
    }
    out->channels = w->dims[out->axis];
    for (int d = out->axis + 1; d < w->rank; d++)
        out->inner *= w->dims[d];
    return true;
}

// ---- rounding to nearest ----

static int8_t nearest_level(double v, int bits)
{
    if (bits == 1)
        return v < 0 ? -1 : 1;
    double most = (1 << (bits - 1)) - 1, r = nearbyint(v);
    return (int8_t)(r < -most ? -most : r > most ? most : r);
}

// A channel that is all but zero beside the others keeps a scale at which its bias is still a reasonable number of steps.
static void keep_scales_apart(float *scale, int64_t channels)
{
    float largest = 0;
    for (int64_t c = 0; c < channels; c++)
        largest = scale[c] > largest ? scale[c] : largest;
    for (int64_t c = 0; c < channels; c++) {
        scale[c] = fmaxf(scale[c], largest * SMALLEST_CHANNEL);
        if (!(scale[c] > 0)) // all weights are 0, or so small that this product is
            scale[c] = 1;
    }
}

// The scale of weights k = 0 .. n-1 of one channel with the least error of rounding, error k weighted by importance[k] (NULL:
// all alike). Eight bits keep the largest weight.
static float best_scale(const double *w, const double *importance, int64_t n, int bits)
{
    double largest = 0, sum = 0, best = INFINITY, best_scale = 0;
    for (int64_t k = 0; k < n; k++) {
        largest = fmax(largest, fabs(w[k]));
        sum += fabs(w[k]);
    }
    if (bits == 1)
        return (float)(sum / (double)max_i64(n, 1));
    double most = (1 << (bits - 1)) - 1;
    if (bits == 8)
        return (float)largest / 127;
    for (int i = SCALES; i > SCALES / 4; i--) {
        double s = largest * i / SCALES / most, e = 0;
        for (int64_t k = 0; s > 0 && k < n; k++) {
            double d = w[k] - s * nearest_level(w[k] / s, bits);
            e += (importance ? importance[k] : 1) * d * d;
        }
        if (e < best) {
            best = e;
            best_scale = s;
        }
    }
    return (float)best_scale;
}

// The weights of channel c in the order of the tensor, and where they stand.
static int64_t channel_weights(const struct quant_matrix *m, int64_t c, double *w, int64_t *at)
{
    int64_t n = 0, count = tensor_count(m->weights);
    for (int64_t block = c * m->inner; block < count; block += m->channels * m->inner)
        for (int64_t i = block; i < block + m->inner; i++) {
            w[n] = tensor_const_f64(m->weights, i);
            at[n++] = i;
        }
    return n;
}

bool quant_layer_nearest(const struct ctx *cx, const struct graph *g, const struct node *n, int bits, struct quant_layer *out)
{
    struct quant_matrix m;
    ASSERT(quant_matrix_of(n, &m) && m.weights && n->out[0]);
    int64_t count = tensor_count(m.weights), per = count / max_i64(m.channels, 1);
    float *scale = arena_array(cx->arena, float, m.channels);
    int8_t *q = arena_array(cx->arena, int8_t, count);
    struct arena scratch = { 0 };
    double *w = arena_array(&scratch, double, per);
    int64_t *at = arena_array(&scratch, int64_t, per);
    bool finite = true;
    for (int64_t i = 0; i < count; i++)
        finite &= isfinite((float)fabs(tensor_const_f64(m.weights, i)) / 127) != 0;
    for (int64_t c = 0; finite && c < m.channels; c++)
        scale[c] = best_scale(w, NULL, channel_weights(&m, c, w, at), bits);
    keep_scales_apart(scale, m.channels);
    for (int64_t i = 0; finite && i < count; i++)
        q[i] = nearest_level(tensor_const_f64(m.weights, i) / (double)scale[i / m.inner % m.channels], bits);
    arena_release(&scratch);
    *out = (struct quant_layer){ n->out[0]->name, bits, count, m.channels, q, scale, NULL };
    return finite || diag_error(cx, E209, at_node(g, n), "was the model trained to its end?", "weight '%s' holds a value that is not finite", m.weights->name);
}

const struct quant_layer *quant_layer_find(const struct quant_ranges *r, const struct node *n)
{
    for (int i = 0; i < r->n_layers; i++)
        if (strcmp(r->layers[i].output, n->out[0]->name) == 0)
            return &r->layers[i];
    return NULL;
}

// ---- running frames through what is decided so far ----

static struct array constant_of(const struct tensor *t)
{
    struct array x = { .dtype = t->dtype, .rank = t->rank, .data = (void *)(uintptr_t)t->data };
    memcpy(x.dims, t->dims, sizeof x.dims);
    return x;
}

bool quant_run_node(const struct quant_run *f, const struct node *n, int64_t frame)
{
    struct arena *a = &f->arenas[frame];
    struct diag silent = { .quiet = true };
    struct ctx cx = { a, &silent };
    struct array *now = f->now[frame], *constants = arena_array(a, struct array, n->n_in), *out = arena_array(a, struct array, n->n_out);
    const struct array **in = arena_array(a, const struct array *, n->n_in < 3 ? 3 : n->n_in);
    for (int k = 0; k < n->n_in; k++) {
        if (!n->in[k])
            continue;
        constants[k] = n->in[k]->data ? constant_of(n->in[k]) : now[n->in[k]->index];
        in[k] = &constants[k];
    }
    if (f->weights[n->index])
        in[1] = f->weights[n->index];
    if (f->bias[n->index])
        in[2] = f->bias[n->index];
    struct node with_bias = *n; // the node may have two inputs, and the bias is new
    if (f->bias[n->index] && n->n_in < 3) {
        with_bias.in = arena_array(a, struct tensor *, 3);
        memcpy(with_bias.in, n->in, (size_t)n->n_in * sizeof *n->in);
        with_bias.n_in = 3;
        with_bias.in[2] = with_bias.in[1];
    }
    bool ok = ref_float_node(&cx, f->g, &with_bias, a, in, out);
    for (int k = 0; ok && k < n->n_out; k++)
        if (n->out[k])
            now[n->out[k]->index] = out[k];
    return ok;
}

void quant_run_round(const struct quant_run *f, const struct tensor *t, int64_t frame)
{
    const struct tensor *from = f->marks->source[t->index];
    const struct quant_range *r = quant_range_find(f->ranges, from->name);
    r = r ? r : quant_range_find(f->ranges, t->name);
    struct array *x = &f->now[frame][t->index];
    if (!r || x->dtype != DT_FLOAT || !x->data)
        return;
    struct quant_step s = quant_step_of(r, r->bits ? r->bits : 8);
    float *v = x->data;
    for (int64_t i = 0; i < array_count(x); i++)
        v[i] = quant_rounded(&s, v[i]);
}

// ---- rows: what one output position multiplies ----

struct rows {
    int64_t n, factors, outputs; // of one group
    float *x, *y;                // n x factors and n x outputs; then without their means
    double *mean_x, *mean_y;
};

// The sampled positions of a layer over all frames: every `step`th of `per_frame`.
struct samples {
    int64_t per_frame, step, n;
};

static struct samples sample_positions(int64_t frames, int64_t per_frame, int64_t width, int64_t factors, int64_t groups)
{
    double most = fmin(MOST_ROWS, FIT_PRODUCTS / ((double)factors * (double)factors * (double)groups));
    int64_t total = frames * per_frame, step = max_i64(1, ceil_div(total, max_i64((int64_t)most, 2 * factors)));
    while (step > 1 && width > 1 && (width % step == 0 || step % width == 0)) // not the same columns in every row
        step++;
    return (struct samples){ per_frame, step, ceil_div(total, step) };
}

static void conv_row(const struct window_geometry *w, const float *x, int64_t channels, int64_t at, float *to)
{
    int64_t oy = at / w->out_w, ox = at % w->out_w;
    for (int64_t c = 0; c < channels; c++, x += w->in_h * w->in_w)
        for (int64_t ky = 0; ky < w->kernel_h; ky++)
            for (int64_t kx = 0; kx < w->kernel_w; kx++) {
                int64_t iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top, ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
                *to++ = iy >= 0 && iy < w->in_h && ix >= 0 && ix < w->in_w ? x[iy * w->in_w + ix] : 0;
            }
}

// Rows of group `group` of a convolution of one image a frame.
static void conv_rows(const struct quant_run *f, const struct node *n, const struct window_geometry *w, int64_t group, const struct samples *s, struct rows *r)
{
    int64_t pixels = w->out_h * w->out_w, cg = r->factors / (w->kernel_h * w->kernel_w);
    for (int64_t i = 0; i < s->n; i++) {
        int64_t frame = i * s->step / s->per_frame, at = i * s->step % s->per_frame;
        const float *x = f->now[frame][n->in[0]->index].data, *y = f->frames->values[frame][n->out[0]->index].data;
        conv_row(w, x + group * cg * w->in_h * w->in_w, cg, at, r->x + i * r->factors);
        for (int64_t m = 0; m < r->outputs; m++)
            r->y[i * r->outputs + m] = y[(group * r->outputs + m) * pixels + at];
    }
}

static void matrix_rows(const struct quant_run *f, const struct node *n, const struct samples *s, struct rows *r)
{
    for (int64_t i = 0; i < s->n; i++) {
        int64_t frame = i * s->step / s->per_frame, at = i * s->step % s->per_frame;
        const float *x = f->now[frame][n->in[0]->index].data, *y = f->frames->values[frame][n->out[0]->index].data;
        memcpy(r->x + i * r->factors, x + at * r->factors, (size_t)r->factors * sizeof *x);
        memcpy(r->y + i * r->outputs, y + at * r->outputs, (size_t)r->outputs * sizeof *y);
    }
}

static void subtract_means(float *x, int64_t rows, int64_t columns, double *mean)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            mean[k] += (double)x[i * columns + k];
    for (int64_t k = 0; k < columns; k++)
        mean[k] /= (double)rows;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            x[i * columns + k] -= (float)mean[k];
}

// ---- the descent ----

double quant_descend(int64_t n, const double *h_matrix, const double *h, int bits, double scale, int8_t *q, double *gradient)
{
    double most = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
    for (int64_t k = 0; k < n; k++) { // half the derivative by s q_k
        gradient[k] = -h[k];
        for (int64_t j = 0; j < n; j++)
            gradient[k] += scale * (double)q[j] * h_matrix[k * n + j];
    }
    for (int sweep = 0, moved = 1; moved && sweep < SWEEPS; sweep++) {
        moved = 0;
        for (int64_t k = 0; k < n; k++) {
            double curve = h_matrix[k * n + k];
            if (!(curve > 0))
                continue;
            double best = (double)q[k] - gradient[k] / (curve * scale);
            double to = bits == 1 ? (best < 0 ? -1 : 1) : fmax(-most, fmin(most, nearbyint(best)));
            double by = scale * (to - (double)q[k]);
            if (fabs(to - (double)q[k]) < 0.5)
                continue;
            q[k] = (int8_t)to;
            moved = 1;
            for (int64_t j = 0; j < n; j++)
                gradient[j] += by * h_matrix[k * n + j];
        }
    }
    double cost = 0; // s^2 q.H q - 2 s q.h
    for (int64_t k = 0; k < n; k++)
        cost += scale * (double)q[k] * (gradient[k] - h[k]);
    return cost;
}

// The scale that is best for q: (q.h) / (q.H q), or 0.
static double refit_scale(int64_t n, const double *h_matrix, const double *h, const int8_t *q)
{
    double up = 0, down = 0;
    for (int64_t k = 0; k < n; k++) {
        double row = 0;
        for (int64_t j = 0; j < n; j++)
            row += h_matrix[k * n + j] * (double)q[j];
        up += (double)q[k] * h[k];
        down += (double)q[k] * row;
    }
    return down > 0 && up > 0 ? up / down : 0;
}

// Fits one output channel: its integers at q[at[k]], its scale, its bias.
static void fit_channel(const struct rows *r, const double *hm, const float *cross, double ridge, int64_t m, int bits, const double *w,
                        const int64_t *at, int8_t *q, float *scale, float *bias)
{
    struct arena scratch = { 0 };
    int64_t n = r->factors;
    double *h = arena_array(&scratch, double, n), *gradient = arena_array(&scratch, double, n), *diagonal = arena_array(&scratch, double, n);
    int8_t *mine = arena_array(&scratch, int8_t, n);
    for (int64_t k = 0; k < n; k++) {
        h[k] = (double)cross[k * r->outputs + m] + ridge * w[k];
        diagonal[k] = hm[k * n + k];
    }
    if (bits < 8)
        *scale = best_scale(w, diagonal, n, bits);
    for (int64_t k = 0; k < n; k++)
        mine[k] = nearest_level(*scale > 0 ? w[k] / (double)*scale : 0, bits);
    if (*scale > 0)
        quant_descend(n, hm, h, bits, (double)*scale, mine, gradient);
    for (int round = 0; bits < 8 && *scale > 0 && round < 3; round++) {
        double s = refit_scale(n, hm, h, mine);
        if (!(s > 0) || !isfinite((float)s))
            break;
        *scale = (float)s;
        quant_descend(n, hm, h, bits, s, mine, gradient);
    }
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        q[at[k]] = mine[k];
        sum += (double)*scale * (double)mine[k] * r->mean_x[k];
    }
    if (bias && isfinite((float)(r->mean_y[m] - sum))) // values that are not finite teach nothing
        *bias = (float)(r->mean_y[m] - sum);
    arena_release(&scratch);
}

// All channels of one group: r holds its rows.
static void fit_group(const struct quant_matrix *mx, struct rows *r, int64_t first_channel, int bits, int8_t *q, float *scale, float *bias)
{
    struct arena scratch = { 0 };
    int64_t n = r->factors;
    float *gram = arena_array(&scratch, float, n * n), *cross = arena_array(&scratch, float, n * r->outputs);
    double *hm = arena_array(&scratch, double, n * n), trace = 0;
    r->mean_x = arena_array(&scratch, double, n);
    r->mean_y = arena_array(&scratch, double, r->outputs);
    if (bias) {
        subtract_means(r->x, r->n, n, r->mean_x);
        subtract_means(r->y, r->n, r->outputs, r->mean_y);
    }
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)n, (int)r->n, 1, r->x, (int)n, 0, gram, (int)n);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)r->outputs, (int)r->n, 1, r->x, (int)n, r->y, (int)r->outputs, 0, cross, (int)r->outputs);
    for (int64_t k = 0; k < n; k++)
        trace += (double)gram[k * n + k];
    double ridge = fmax((RIDGE + (double)n / (double)r->n) * trace / (double)n, 1e-30);
    for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < n; j++)
            hm[k * n + j] = (double)gram[(k < j ? k * n + j : j * n + k)] + (k == j ? ridge : 0);
#pragma omp parallel for schedule(dynamic, 1) if (r->outputs * n * n > THREADS_PAY)
    for (int64_t m = 0; m < r->outputs; m++) {
        struct arena own = { 0 };
        double *w = arena_array(&own, double, n);
        int64_t *at = arena_array(&own, int64_t, n);
        channel_weights(mx, first_channel + m, w, at);
        fit_channel(r, hm, cross, ridge, m, bits, w, at, q, &scale[first_channel + m], bias ? &bias[first_channel + m] : NULL);
        arena_release(&own);
    }
    arena_release(&scratch);
}

// Fits the layer; false when its form is not one that rows are known of, or it is too large: then nothing changed.
static bool fit_rows(const struct quant_run *f, const struct node *n, const struct quant_matrix *mx, int bits, int8_t *q, float *scale, float *bias)
{
    const struct array *x = &f->now[0][n->in[0]->index];
    struct diag silent = { .quiet = true };
    struct ctx cx = { f->cx->arena, &silent };
    struct window_geometry w = { .group = 1 };
    bool conv = n->op == OP_Conv;
    if (!mx->fits_rows || (conv && (x->rank > 4 || x->dims[0] != 1 || !window_geometry(&cx, f->g, n, &w))))
        return false;
    int64_t factors = tensor_count(mx->weights) / mx->channels, per_frame = conv ? w.out_h * w.out_w : tensor_count(n->out[0]) / mx->channels;
    if (factors > MOST_FACTORS || factors < 1 || per_frame < 1)
        return false;
    struct samples s = sample_positions(f->frames->n, per_frame, w.out_w, factors, w.group);
    struct rows r = { .n = s.n, .factors = factors, .outputs = mx->channels / w.group };
    if (s.n < 2)
        return false;
    struct arena scratch = { 0 };
    r.x = arena_array(&scratch, float, r.n * r.factors);
    r.y = arena_array(&scratch, float, r.n * r.outputs);
    for (int64_t group = 0; group < w.group; group++) {
        if (conv)
            conv_rows(f, n, &w, group, &s, &r);
        else
            matrix_rows(f, n, &s, &r);
        fit_group(mx, &r, group * r.outputs, bits, q, scale, bias);
    }
    arena_release(&scratch);
    return true;
}

// ---- biases alone ----

// Adds what the float outputs are larger than the quantized ones on average, channel by channel, to the bias.
static void correct_bias(const struct quant_run *f, const struct node *n, int64_t channels, float *bias)
{
    const struct tensor *t = n->out[0];
    int64_t inner = 1, outer = 1;
    int axis = n->op == OP_Gemm || n->op == OP_MatMul ? t->rank - 1 : 1;
    for (int d = 0; d < t->rank; d++)
        if (d != axis)
            *(d < axis ? &outer : &inner) *= t->dims[d];
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t frame = 0; frame < f->frames->n; frame++) {
            const float *want = f->frames->values[frame][t->index].data, *have = f->now[frame][t->index].data;
            for (int64_t o = 0; o < outer; o++)
                for (int64_t i = (o * channels + c) * inner; i < (o * channels + c + 1) * inner; i++)
                    sum += (double)want[i] - (double)have[i];
        }
        if (isfinite((float)sum))
            bias[c] += (float)(sum / (double)(f->frames->n * inner * outer));
    }
}

// ---- layers ----

// The model's bias, a value a channel; NULL when the node has none and can have none, or one of another form.
static float *bias_of(const struct quant_run *f, const struct node *n, const struct quant_matrix *mx)
{
    const struct tensor *b = n->n_in > 2 ? n->in[2] : NULL;
    if (!mx->bias_input || (b && (!b->data || b->dtype != DT_FLOAT || b->rank < 1 || tensor_count(b) != mx->channels || b->dims[b->rank - 1] != mx->channels)))
        return NULL;
    float *bias = arena_array(f->cx->arena, float, mx->channels);
    for (int64_t c = 0; b && c < mx->channels; c++)
        bias[c] = ((const float *)b->data)[c];
    return bias;
}

static const struct array *as_array(struct arena *a, const struct tensor *like, int64_t channels, const float *data)
{
    struct array *x = arena_new(a, struct array);
    *x = array_new(a, DT_FLOAT, like ? like->rank : 1, like ? like->dims : &channels);
    memcpy(x->data, data, (size_t)array_count(x) * sizeof *data);
    return x;
}

static void use_layer(struct quant_run *f, const struct node *n, const struct quant_matrix *mx, const struct quant_layer *l)
{
    float *w = arena_array(f->cx->arena, float, l->n_weights);
    for (int64_t i = 0; i < l->n_weights; i++)
        w[i] = (float)l->weights[i] * l->scale[i / mx->inner % mx->channels];
    f->weights[n->index] = as_array(f->cx->arena, mx->weights, 0, w);
    f->bias[n->index] = l->bias ? as_array(f->cx->arena, NULL, mx->channels, l->bias) : NULL;
}

static bool run_frames(const struct quant_run *f, const struct node *n)
{
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok) if (f->frames->n * tensor_count(n->out[0]) > THREADS_PAY)
    for (int64_t frame = 0; frame < f->frames->n; frame++)
        ok = quant_run_node(f, n, frame) && ok;
    return ok;
}

bool quant_run_fit(struct quant_run *f, const struct node *n, const struct quant_matrix *mx)
{
    int bits, activations;
    struct quant_layer l;
    quant_bits_of(f->ranges->options, n, &bits, &activations);
    if (!quant_layer_nearest(f->cx, f->g, n, bits, &l))
        return false;
    int8_t *q = (int8_t *)(uintptr_t)l.weights;
    float *scale = (float *)(uintptr_t)l.scale, *bias = bias_of(f, n, mx);
    if (!fit_rows(f, n, mx, bits, q, scale, bias) && bias) {
        l.bias = bias;
        use_layer(f, n, mx, &l);
        if (run_frames(f, n))
            correct_bias(f, n, mx->channels, bias);
    }
    keep_scales_apart(scale, mx->channels);
    l.bias = bias;
    use_layer(f, n, mx, &l);
    arena_push(f->cx->arena, f->ranges->layers, f->ranges->n_layers, f->ranges->cap_layers, l);
    return true;
}

bool quant_round(const struct ctx *cx, const struct graph *g, const struct quant_marks *marks, struct quant_ranges *ranges)
{
    bool ok = true;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        struct quant_matrix m;
        struct quant_layer l;
        int bits, activations;
        if (!quant_matrix_of(n, &m) || !marks->inside[n->out[0]->index])
            continue;
        quant_bits_of(ranges->options, n, &bits, &activations);
        ok &= quant_layer_nearest(cx, g, n, bits, &l);
        arena_push(cx->arena, ranges->layers, ranges->n_layers, ranges->cap_layers, l);
    }
    return ok;
}

bool quant_fit(const struct ctx *cx, const struct graph *g, const struct quant_marks *marks, struct quant_ranges *ranges,
               struct quant_frames *frames)
{
    struct arena scratch = { 0 };
    struct quant_run f = { cx, g, marks, ranges, frames, frames->arenas, arena_array(&scratch, struct array *, frames->n),
                           arena_array(&scratch, const struct array *, g->n_nodes), arena_array(&scratch, const struct array *, g->n_nodes) };
    bool ok = true, runs = true;
    for (int64_t i = 0; i < frames->n; i++) {
        f.now[i] = arena_array(&frames->arenas[i], struct array, g->n_tensors);
        for (int k = 0; k < g->n_inputs; k++) {
            const struct tensor *t = g->inputs[k];
            struct array *x = &f.now[i][t->index];
            *x = array_new(&frames->arenas[i], t->dtype, t->rank, t->dims);
            memcpy(x->data, frames->values[i][t->index].data, (size_t)array_count(x) * dtype_bytes(t->dtype));
            if (marks->wanted[t->index])
                quant_run_round(&f, t, i);
        }
    }
    for (int i = 0; ok && i < g->n_nodes; i++) {
        const struct node *n = g->nodes[i];
        struct quant_matrix mx;
        bool concerns = false;
        for (int k = 0; k < n->n_out; k++)
            concerns |= n->out[k] && marks->inside[n->out[k]->index];
        if (!concerns)
            continue;
        if (quant_matrix_of(n, &mx))
            ok = quant_run_fit(&f, n, &mx);
        runs = runs && run_frames(&f, n);
        for (int64_t frame = 0; runs && frame < frames->n; frame++)
            for (int k = 0; k < n->n_out; k++)
                if (n->out[k] && marks->wanted[n->out[k]->index])
                    quant_run_round(&f, n->out[k], frame);
    }
    arena_release(&scratch);
    ASSERT(runs); // where the float model does
    return ok;
}

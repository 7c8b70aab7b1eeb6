// SPDX-License-Identifier: Apache-2.0
#include "aihls_stages.h"

#include <stdbool.h>
#include <stddef.h>

int64_t aihls_rne_shift(int64_t v, int shift)
{
    if (shift == 0)
        return v;
    // v = floor * 2^shift + rest, 0 <= rest < 2^shift: up when above half, or at half and odd
    int64_t floor = v >> shift, rest = v - (int64_t)((uint64_t)floor << shift), half = (int64_t)1 << (shift - 1);
    return floor + (rest > half || (rest == half && (floor & 1)));
}

static int clamp(int64_t v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : (int)v;
}

int aihls_requantize(const struct aihls_requant *r, int64_t acc, int32_t i)
{
    i = r->n == 1 ? 0 : i;
    int64_t y = aihls_rne_shift((acc * ((int64_t)1 << r->bias_frac) + r->bias[i]) * r->mult[i], r->shift[i]);
    return clamp(y + r->zero_point, r->clamp_lo, r->clamp_hi);
}

// As many products of 8 by 9 bits (2^15 at most) fit a sum of 32 bits.
#define DOT_LENGTH 65535

static int64_t dot(const int16_t *w, const int8_t *x, int32_t n)
{
    int64_t acc = 0;
    for (int32_t from = 0; from < n; from += DOT_LENGTH) {
        int32_t to = n - from > DOT_LENGTH ? from + DOT_LENGTH : n, sum = 0;
        for (int32_t c = from; c < to; c++)
            sum += w[c] * x[c];
        acc += sum;
    }
    return acc;
}

// The pixel at (y, x) of an image, NULL outside.
static const int8_t *pixel(const struct aihls_stage *s, const int8_t *image, int32_t y, int32_t x)
{
    bool inside = y >= 0 && y < s->in_h && x >= 0 && x < s->in_w;
    return inside ? image + ((ptrdiff_t)y * s->in_w + x) * s->in_c : NULL;
}

// Element c of a pixel inside of the image.
static int8_t element(const struct aihls_stage *s, const int8_t *image, int32_t y, int32_t x, int32_t c)
{
    return image[((ptrdiff_t)y * s->in_w + x) * s->in_c + c];
}

static int64_t conv_sum(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t m)
{
    int32_t channels = s->in_c / s->group, base = m / (s->out_c / s->group) * channels;
    const int16_t *w = s->weights + (ptrdiff_t)m * s->kernel_h * s->kernel_w * channels;
    int64_t acc = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++, w += channels) {
            const int8_t *p = pixel(s, image, oy * s->stride_h - s->pad_top + ky * s->dilation_h,
                                    ox * s->stride_w - s->pad_left + kx * s->dilation_w);
            if (p)
                acc += dot(w, p + base, channels);
            else
                for (int32_t c = 0; c < channels; c++)
                    acc += (int64_t)w[c] * s->pad_value;
        }
    return acc;
}

void aihls_stage_conv(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    int8_t *y = out + (ptrdiff_t)from * s->out_w * s->out_c;
    for (int32_t oy = from; oy < to; oy++)
        for (int32_t ox = 0; ox < s->out_w; ox++)
            for (int32_t m = 0; m < s->out_c; m++)
                *y++ = (int8_t)aihls_requantize(&s->rq, conv_sum(s, in[0], oy, ox, m), m);
}

int aihls_search(const int64_t *thresholds, int64_t sum)
{
    int found = 0;
    for (int step = 128; step > 0; step /= 2)
        if (sum >= thresholds[found + step])
            found += step;
    return found - 128;
}

// |x|^power of the distance x between an element and the one that stands for 0.
static int32_t power_of(const struct aihls_stage *s, int v)
{
    int32_t d = v < s->pad_value ? s->pad_value - v : v - s->pad_value;
    return s->power == 2 ? d * d : d;
}

enum window_op { MAC, SUM, MAX, POWER };

static inline int64_t window_value(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t c, enum window_op op)
{
    const int16_t *w = op == MAC ? s->weights + (ptrdiff_t)c * s->kernel_h * s->kernel_w : NULL;
    int64_t acc = op == MAX ? -128 : 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++) {
            const int8_t *p = pixel(s, image, oy * s->stride_h - s->pad_top + ky * s->dilation_h,
                                    ox * s->stride_w - s->pad_left + kx * s->dilation_w);
            int v = p ? p[c] : s->pad_value;
            if (op == MAX)
                acc = v > acc ? v : acc;
            else
                acc += op == MAC ? v * *w++ : op == POWER ? power_of(s, v) : v;
        }
    return acc;
}

static inline void window_rows(const struct aihls_stage *s, const int8_t *image, int8_t *out, int32_t from, int32_t to, enum window_op op)
{
    int8_t *y = out + (ptrdiff_t)from * s->out_w * s->out_c;
    for (int32_t oy = from; oy < to; oy++)
        for (int32_t ox = 0; ox < s->out_w; ox++)
            for (int32_t c = 0; c < s->out_c; c++) {
                int64_t acc = window_value(s, image, oy, ox, c, op);
                *y++ = (int8_t)(op == POWER ? aihls_search(s->thresholds, acc)
                                : s->rq.n   ? aihls_requantize(&s->rq, acc, s->rq.by_pixel ? oy * s->out_w + ox : c)
                                            : acc);
            }
}

void aihls_stage_dw_mac(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    window_rows(s, in[0], out, from, to, MAC);
}

void aihls_stage_dw_sum(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    window_rows(s, in[0], out, from, to, SUM);
}

void aihls_stage_dw_max(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    window_rows(s, in[0], out, from, to, MAX);
}

void aihls_stage_dw_norm(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    window_rows(s, in[0], out, from, to, POWER);
}

void aihls_stage_gap(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    for (int32_t c = 0; from < to && c < s->out_c; c++) {
        int64_t acc = 0;
        for (int32_t y = 0; y < s->kernel_h; y++)
            for (int32_t x = 0; x < s->kernel_w; x++)
                acc += element(s, in[0], y, x, c);
        out[c] = (int8_t)aihls_requantize(&s->rq, acc, c);
    }
}

void aihls_stage_gap_max(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    for (int32_t c = 0; from < to && c < s->out_c; c++) {
        int8_t most = -128;
        for (int32_t y = 0; y < s->kernel_h; y++)
            for (int32_t x = 0; x < s->kernel_w; x++) {
                int8_t v = element(s, in[0], y, x, c);
                most = v > most ? v : most;
            }
        out[c] = most;
    }
}

void aihls_stage_gap_norm(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    for (int32_t c = 0; from < to && c < s->out_c; c++) {
        int64_t sum = 0;
        for (int32_t y = 0; y < s->kernel_h; y++)
            for (int32_t x = 0; x < s->kernel_w; x++)
                sum += power_of(s, element(s, in[0], y, x, c));
        out[c] = (int8_t)aihls_search(s->thresholds, sum);
    }
}

void aihls_stage_add(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    ptrdiff_t row = (ptrdiff_t)s->out_w * s->out_c;
    for (ptrdiff_t i = from * row; i < to * row; i++) {
        int64_t sum = (int64_t)(in[0][i] - s->a_zp) * s->a_mult + (int64_t)(in[1][i] - s->b_zp) * s->b_mult;
        out[i] = (int8_t)clamp(aihls_rne_shift(sum, s->add_shift) + s->rq.zero_point, s->rq.clamp_lo, s->rq.clamp_hi);
    }
}

void aihls_stage_table(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    ptrdiff_t row = (ptrdiff_t)s->out_w * s->out_c;
    for (ptrdiff_t i = from * row; i < to * row; i++)
        out[i] = s->table[(s->n_tables > 1 ? i % s->out_c * 256 : 0) + (in[0][i] & 255)];
}

void aihls_stage_mul(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    ptrdiff_t row = (ptrdiff_t)s->out_w * s->out_c;
    for (ptrdiff_t i = from * row; i < to * row; i++) {
        int64_t product = (int64_t)(in[0][i] - s->a_zp) * (in[1][i] - s->b_zp) * s->a_mult;
        out[i] = (int8_t)clamp(aihls_rne_shift(product, s->add_shift) + s->rq.zero_point, s->rq.clamp_lo, s->rq.clamp_hi);
    }
}

void aihls_stage_gather(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    int8_t *o = out + (ptrdiff_t)from * s->out_w * s->out_c;
    for (int32_t y = from; y < to; y++)
        for (int32_t x = 0; x < s->out_w; x++)
            for (int32_t c = 0; c < s->out_c; c++) {
                bool fill = s->y_at[y] == AIHLS_FILL || s->x_at[x] == AIHLS_FILL || s->c_at[c] == AIHLS_FILL;
                *o++ = fill ? (int8_t)s->pad_value : in[0][s->y_at[y] + s->x_at[x] + s->c_at[c]];
            }
}

void aihls_stage_concat(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    ptrdiff_t row = (ptrdiff_t)s->out_w * s->out_c, turn = (ptrdiff_t)s->piece[0] + s->piece[1];
    for (ptrdiff_t i = from * row; i < to * row; i++) {
        ptrdiff_t n = i / turn, at = i % turn;
        out[i] = at < s->piece[0] ? in[0][n * s->piece[0] + at] : in[1][n * s->piece[1] + at - s->piece[0]];
    }
}

void aihls_stage_argmax(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    for (ptrdiff_t i = (ptrdiff_t)from * s->out_w; i < (ptrdiff_t)to * s->out_w; i++) {
        const int8_t *x = in[0] + i * s->in_c;
        int32_t best = 0;
        for (int32_t c = 1; c < s->in_c; c++)
            if (x[c] > x[best] || (s->select_last && x[c] == x[best]))
                best = c;
        out[i] = (int8_t)(best - 128);
    }
}

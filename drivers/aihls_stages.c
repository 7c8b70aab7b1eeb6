// SPDX-License-Identifier: Apache-2.0
#include "aihls_stages.h"

#include <stdbool.h>
#include <stddef.h>

// Compiled a second time for processors with vectors of 32 bytes, chosen when the program starts (by the compiler's library,
// which a freestanding program may not have); the results are the same.
#if __STDC_HOSTED__ && defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define AIHLS_HOT __attribute__((target_clones("avx2", "default")))
#else
#define AIHLS_HOT
#endif

// v = floor * 2^shift + rest, 0 <= rest < 2^shift: up when above half, or at half and odd. Without branches, which rest would
// send astray every other time; with shift 0 the half is one that no rest exceeds.
int64_t aihls_rne_shift(int64_t v, int shift)
{
    uint64_t unit = (uint64_t)1 << shift, rest = (uint64_t)v & (unit - 1), half = (unit + 1) >> 1;
    int64_t floor = v >> shift;
    return floor + (rest + ((uint64_t)floor & 1) > half);
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

// n results of parameter sets at, at + step, ...; the copy of r stays in registers, which bytes written through y do not.
static void requantize_row(const struct aihls_requant *r, const int32_t *acc, int32_t at, int32_t n, int8_t *y)
{
    const struct aihls_requant q = *r;
    const int32_t step = q.n > 1 && !q.by_pixel;
    at = q.n > 1 ? at : 0;
    for (int32_t i = 0; i < n; i++, at += step) {
        int64_t v = aihls_rne_shift(((int64_t)acc[i] * ((int64_t)1 << q.bias_frac) + q.bias[at]) * q.mult[at], q.shift[at]) + q.zero_point;
        v = v < q.clamp_lo ? q.clamp_lo : v;
        y[i] = (int8_t)(v > q.clamp_hi ? q.clamp_hi : v);
    }
}

// As many products of 8 by 9 bits (2^15 at most) fit a sum of 32 bits.
#define DOT_LENGTH 65535
// Elements of a window that are gathered once for all output channels; longer ones are read where they lie.
#define GATHERED 8192
// Output channels that are summed at a time.
#define BLOCK 64
// Taps of a depthwise kernel whose weights are turned for that; the weights of larger ones are read where they lie.
#define TURNED 64

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

// The pixel under tap (ky, kx) of the window at (oy, ox).
static const int8_t *tapped(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t ky, int32_t kx)
{
    return pixel(s, image, oy * s->stride_h - s->pad_top + ky * s->dilation_h, ox * s->stride_w - s->pad_left + kx * s->dilation_w);
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
            const int8_t *p = tapped(s, image, oy, ox, ky, kx);
            if (p)
                acc += dot(w, p + base, channels);
            else
                for (int32_t c = 0; c < channels; c++)
                    acc += (int64_t)w[c] * s->pad_value;
        }
    return acc;
}

// The window at (oy, ox) of the channels [base, base + channels), in the order of the weights. Returns how many elements it has.
static int32_t gather_window(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t base, int32_t channels, int16_t *to)
{
    int32_t n = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++, n += channels) {
            const int8_t *p = tapped(s, image, oy, ox, ky, kx);
            for (int32_t c = 0; c < channels; c++)
                to[n + c] = p ? p[base + c] : (int16_t)s->pad_value;
        }
    return n;
}

// Four output channels at a time read the window once; n is at most GATHERED, so 32 bits hold a sum.
AIHLS_HOT static void dot_rows(const int16_t *w, const int16_t *x, int32_t n, int32_t rows, int32_t *sums)
{
    int32_t m = 0;
    for (; m + 4 <= rows; m += 4, w += 4 * (ptrdiff_t)n) {
        const int16_t *w1 = w + n, *w2 = w1 + n, *w3 = w2 + n;
        int32_t a = 0, b = 0, c = 0, d = 0;
        for (int32_t i = 0; i < n; i++) {
            a += w[i] * x[i];
            b += w1[i] * x[i];
            c += w2[i] * x[i];
            d += w3[i] * x[i];
        }
        sums[m] = a, sums[m + 1] = b, sums[m + 2] = c, sums[m + 3] = d;
    }
    for (; m < rows; m++, w += n) {
        sums[m] = 0;
        for (int32_t i = 0; i < n; i++)
            sums[m] += w[i] * x[i];
    }
}

static void conv_pixel(const struct aihls_stage *s, const int8_t *image, int8_t *y, int32_t oy, int32_t ox)
{
    int32_t channels = s->in_c / s->group, rows = s->out_c / s->group;
    int16_t window[GATHERED];
    int32_t sums[BLOCK];
    for (int32_t g = 0; g < s->group; g++) {
        int32_t n = gather_window(s, image, oy, ox, g * channels, channels, window);
        for (int32_t from = g * rows; from < (g + 1) * rows; from += BLOCK) {
            int32_t some = (g + 1) * rows - from < BLOCK ? (g + 1) * rows - from : BLOCK;
            dot_rows(s->weights + (ptrdiff_t)from * n, window, n, some, sums);
            requantize_row(&s->rq, sums, from, some, y + from);
        }
    }
}

void aihls_stage_conv(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    bool gathered = (int64_t)s->kernel_h * s->kernel_w * (s->in_c / s->group) <= GATHERED;
    int8_t *y = out + (ptrdiff_t)from * s->out_w * s->out_c;
    for (int32_t oy = from; oy < to; oy++)
        for (int32_t ox = 0; ox < s->out_w; ox++, y += s->out_c)
            if (gathered)
                conv_pixel(s, in[0], y, oy, ox);
            else
                for (int32_t m = 0; m < s->out_c; m++)
                    y[m] = (int8_t)aihls_requantize(&s->rq, conv_sum(s, in[0], oy, ox, m), m);
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

// Sums or maxima of the window at (oy, ox), of n channels from `base` on.
static inline void window_values(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t base, int32_t n, enum window_op op, int64_t *acc)
{
    int32_t taps = s->kernel_h * s->kernel_w;
    for (int32_t i = 0; i < n; i++)
        acc[i] = op == MAX ? -128 : 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++) {
            const int8_t *p = tapped(s, image, oy, ox, ky, kx);
            const int16_t *w = op == MAC ? s->weights + (ptrdiff_t)base * taps + ky * s->kernel_w + kx : NULL;
            for (int32_t i = 0; i < n; i++) {
                int v = p ? p[base + i] : s->pad_value;
                if (op == MAX)
                    acc[i] = v > acc[i] ? v : acc[i];
                else
                    acc[i] += op == MAC ? v * w[(ptrdiff_t)i * taps] : op == POWER ? power_of(s, v) : v;
            }
        }
}

static inline void window_rows(const struct aihls_stage *s, const int8_t *image, int8_t *out, int32_t from, int32_t to, enum window_op op)
{
    int8_t *y = out + (ptrdiff_t)from * s->out_w * s->out_c;
    int64_t acc[BLOCK];
    for (int32_t oy = from; oy < to; oy++)
        for (int32_t ox = 0; ox < s->out_w; ox++, y += s->out_c)
            for (int32_t c = 0; c < s->out_c; c += BLOCK) {
                int32_t n = s->out_c - c < BLOCK ? s->out_c - c : BLOCK;
                window_values(s, image, oy, ox, c, n, op, acc);
                for (int32_t i = 0; i < n; i++)
                    y[c + i] = (int8_t)(op == POWER ? aihls_search(s->thresholds, acc[i])
                                        : s->rq.n   ? aihls_requantize(&s->rq, acc[i], s->rq.by_pixel ? oy * s->out_w + ox : c + i)
                                                    : acc[i]);
            }
}

// Sums of n channels, w[tap][channel]; TURNED products fit 32 bits.
AIHLS_HOT static void mac_block(const struct aihls_stage *s, const int8_t *image, int32_t oy, int32_t ox, int32_t base, int32_t n, int16_t (*w)[BLOCK], int32_t *acc)
{
    for (int32_t i = 0; i < n; i++)
        acc[i] = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++, w++) {
            const int8_t *p = tapped(s, image, oy, ox, ky, kx);
            if (p)
                for (int32_t i = 0; i < n; i++)
                    acc[i] += p[base + i] * (*w)[i];
            else
                for (int32_t i = 0; i < n; i++)
                    acc[i] += s->pad_value * (*w)[i];
        }
}

void aihls_stage_dw_mac(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to)
{
    int32_t taps = s->kernel_h * s->kernel_w, acc[BLOCK];
    int16_t turned[TURNED][BLOCK] = { 0 };
    if (taps > TURNED || !s->rq.n) {
        window_rows(s, in[0], out, from, to, MAC);
        return;
    }
    for (int32_t c = 0; c < s->out_c; c += BLOCK) {
        int32_t n = s->out_c - c < BLOCK ? s->out_c - c : BLOCK;
        for (int32_t i = 0; i < n; i++)
            for (int32_t t = 0; t < taps; t++)
                turned[t][i] = s->weights[(ptrdiff_t)(c + i) * taps + t];
        for (int32_t oy = from; oy < to; oy++)
            for (int32_t ox = 0; ox < s->out_w; ox++) {
                int8_t *y = out + ((ptrdiff_t)oy * s->out_w + ox) * s->out_c + c;
                mac_block(s, in[0], oy, ox, c, n, turned, acc);
                requantize_row(&s->rq, acc, s->rq.by_pixel ? oy * s->out_w + ox : c, n, y);
            }
    }
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

// SPDX-License-Identifier: Apache-2.0
// aihls_stages: what the stages of an accelerator compute, in portable C. This is the integer reference: the
// compiler checks its Verilog against these functions, and the back end "reference" runs them.
//
// A stream is an image of int8 elements in raster order, channel fastest: element (y, x, c) stands at
// (y * width + x) * channels + c. All arithmetic is exact; rounding happens once, half to even.
//
// Adding a kind of stage: one function of type aihls_stage_function here, one case in stage_function
// (sim/ref_int.c). Both back ends and `aihls run` have it then.
#ifndef AIHLS_STAGES_H
#define AIHLS_STAGES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIHLS_FILL INT32_MIN

struct aihls_stage;

// Computes rows from <= y < to of the stage's output. `in` has the stage's input streams, whole; `out` is the
// whole output stream. Calls for different rows may run at the same time.
typedef void aihls_stage_function(const struct aihls_stage *s, const int8_t *const *in, int8_t *out, int32_t from, int32_t to);

aihls_stage_function aihls_stage_conv;   // (grouped) convolution, matrix product
aihls_stage_function aihls_stage_dw_mac; // depthwise convolution
aihls_stage_function aihls_stage_dw_sum; // average over a window
aihls_stage_function aihls_stage_dw_max; // maximum over a window; requantizes when rq.n > 0
aihls_stage_function aihls_stage_dw_norm; // norm over a window
aihls_stage_function aihls_stage_gap;    // average over the top left kernel_h x kernel_w; one row
aihls_stage_function aihls_stage_gap_max; // maximum over the same
aihls_stage_function aihls_stage_gap_norm; // norm over the same
aihls_stage_function aihls_stage_add;    // sum or difference of two streams of one shape
aihls_stage_function aihls_stage_mul;    // product of two streams of one shape
aihls_stage_function aihls_stage_table;  // any function of one element
aihls_stage_function aihls_stage_gather; // chooses, repeats and reorders elements, and inserts constants
aihls_stage_function aihls_stage_concat; // a piece of one stream, then a piece of the other, in turns
aihls_stage_function aihls_stage_argmax; // the channel of each pixel's largest element, less 128; out_c is 1

// y = clamp(zero_point + RNE((acc * 2^bias_frac + bias) * mult * 2^-shift), clamp_lo, clamp_hi), RNE: round half to even.
struct aihls_requant {
    int32_t n;           // parameter sets: 1, or one per output channel or pixel; 0: no requantizer
    int32_t by_pixel;    // 1: the latter
    const int64_t *bias; // n
    const int32_t *mult; // n, below 2^24
    const int *shift;    // n, 0..62
    int32_t zero_point, clamp_lo, clamp_hi;
    int32_t bias_frac;   // bits of the bias below a unit of the accumulator
};

struct aihls_stage {
    aihls_stage_function *run;
    int32_t n_in, in[2], out; // stream numbers
    int32_t in_h, in_w, in_c, out_h, out_w, out_c;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, group;
    int32_t pad_value; // of a position outside the image; norm: the zero point
    // conv: [out_c][kernel_h][kernel_w][in_c / group]; dw_mac: [out_c][kernel_h][kernel_w]
    const int16_t *weights;
    struct aihls_requant rq;
    // add: clamp(zp + RNE(((a - a_zp) * a_mult + (b - b_zp) * b_mult) * 2^-add_shift)), zp and clamp of rq
    int32_t a_zp, b_zp, a_mult, b_mult;
    int add_shift;
    // mul: clamp(zp + RNE((a - a_zp) * (b - b_zp) * a_mult * 2^-add_shift))
    const int8_t *table; // [n_tables][256], indexed by the element's low 8 bits
    int32_t n_tables;    // 1, or one per channel
    // gather: element y_at[y] + x_at[x] + c_at[c] of the input, or pad_value where one of them is AIHLS_FILL
    const int32_t *y_at, *x_at, *c_at;
    int32_t piece[2]; // concat: elements of each input in a turn
    // norm: y = -128 + how many of thresholds[1..255], which never fall, the sum of |x - pad_value|^power reaches
    const int64_t *thresholds;
    int32_t power; // 1 or 2
    int32_t select_last; // argmax: 1: the last of the largest, 0: the first
};

// Round half to even of v * 2^-shift, 0 <= shift <= 62. Exact for every v.
int64_t aihls_rne_shift(int64_t v, int shift);
// With parameter set i (of any number where there is one). Exact for abs(acc * 2^bias_frac + bias) < 2^39, more than any accumulator reaches.
int aihls_requantize(const struct aihls_requant *r, int64_t acc, int32_t i);

// -128 + how many of thresholds[1..255] are at most `sum`.
int aihls_search(const int64_t *thresholds, int64_t sum);

#ifdef __cplusplus
}
#endif
#endif

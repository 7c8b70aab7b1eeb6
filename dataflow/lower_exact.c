// SPDX-License-Identifier: Apache-2.0
// lower_exact: requantizers of products whose bias the model states exactly, as a float64 constant (frontend/simplify.h).
//
//     what the model means     v(acc) = ratio * (acc - offset) + bias,   y = clamp(zp + RNE(v))
//     what hardware computes   y = clamp(zp + RNE((acc * 2^F + B) * mult * 2^-(shift + F))),   B = RNE(2^F * (bias / ratio - offset))
//
// Both rise with acc, so they are equal for every accumulator when each of the 255 elements begins at the same
// accumulator in both. F, the fractional bits of the bias, is the least for which that holds. Floor(n / 2^k), as models that
// keep integers in floats have it, is one of these functions: RNE(n / 2^k - 1/2 + 2^-(k+1)), which is never a tie.
#include <math.h>

#include "base/check.h"
#include "dataflow/lower_internal.h"
#include "sim/ref_int.h"

// Fractional bits beyond which nothing is gained: the factor itself has 24 bits.
#define MOST_FRACTION 24
// Accumulators with their fraction stay below this: their product with a factor fits the reference's 64 bits.
#define LARGEST_SUM 0x1p38
// As near to a tie as this, relative, either neighbour will do: a factor of 24 bits can be no nearer.
#define NEAR_TIE 0x1p-20

static double value_at(const struct exact_channel *c, int64_t acc)
{
    return fma(c->ratio, (double)(acc - c->offset), c->bias);
}

static int meant(const struct exact_channel *c, const struct requant *r, int64_t acc)
{
    double y = nearbyint(value_at(c, acc)) + r->zero_point;
    return y < r->clamp_lo ? r->clamp_lo : y > r->clamp_hi ? r->clamp_hi : (int)y;
}

// The least accumulator within the channel's reach that means element k or more; acc_hi + 1 when none does.
static int64_t first_of(const struct exact_channel *c, const struct requant *r, int k)
{
    double guess = ceil((k - r->zero_point - 0.5 - c->bias) / c->ratio) + (double)c->offset;
    if (guess <= (double)c->acc_lo)
        return c->acc_lo;
    int64_t t = guess > (double)c->acc_hi ? c->acc_hi + 1 : (int64_t)guess;
    while (t > c->acc_lo && meant(c, r, t - 1) >= k) // the quotient was rounded
        t--;
    while (t <= c->acc_hi && meant(c, r, t) < k)
        t++;
    return t;
}

// Whether hardware gives channel i's accumulator `acc` another element than is meant, and no tie is near.
static bool differs(const struct exact_channel *c, const struct requant *r, int64_t i, int64_t acc, bool *near_tie)
{
    if (acc < c->acc_lo || acc > c->acc_hi || requantize(r, acc, i) == meant(c, r, acc))
        return false;
    double v = value_at(c, acc);
    *near_tie = fabs(v - floor(v) - 0.5) <= NEAR_TIE * fmax(1, fabs(v));
    return true;
}

enum verdict { EQUAL, EQUAL_BUT_NEAR_TIES, UNEQUAL };

static enum verdict compare(const struct exact_channel *c, const struct requant *r, int64_t i)
{
    enum verdict worst = EQUAL;
    for (int k = r->clamp_lo; k <= r->clamp_hi; k++) {
        int64_t t = k == r->clamp_lo ? c->acc_lo : first_of(c, r, k);
        for (int64_t acc = t - 1; acc <= t; acc++) {
            bool near_tie = false;
            if (differs(c, r, i, acc, &near_tie) && worst != UNEQUAL)
                worst = near_tie ? EQUAL_BUT_NEAR_TIES : UNEQUAL;
        }
    }
    return worst;
}

// r's bias and shifts with f fractional bits; false when the sums get too large.
static bool with_fraction(const struct exact_channel *c, const struct requant *r, int f, int64_t *bias, int *shift)
{
    for (int i = 0; i < r->n; i++) {
        double exact = c[i].bias / c[i].ratio - (double)c[i].offset, b = nearbyint(ldexp(exact, f));
        double reach = fmax(fabs((double)c[i].acc_lo), fabs((double)c[i].acc_hi));
        if (ldexp(reach, f) + fabs(b) >= LARGEST_SUM || r->shift[i] + f > 62)
            return false;
        bias[i] = (int64_t)b;
        shift[i] = r->shift[i] + f;
    }
    return true;
}

bool exact_bias(struct lowering *l, const struct expression *e, struct stage *s, const struct exact_channel *c)
{
    struct arena *a = l->cx->arena;
    struct requant best = s->rq;
    enum verdict best_verdict = UNEQUAL;
    for (int f = 0; f <= MOST_FRACTION && best_verdict != EQUAL; f++) {
        struct requant r = s->rq;
        int64_t *bias = arena_array(a, int64_t, r.n);
        int *shift = arena_array(a, int, r.n);
        if (!with_fraction(c, &s->rq, f, bias, shift))
            break;
        r.bias = bias;
        r.shift = shift;
        r.bias_frac = f;
        r.shift_min += f;
        enum verdict worst = EQUAL;
        for (int i = 0; i < r.n && worst != UNEQUAL; i++) {
            enum verdict v = compare(&c[i], &r, i);
            worst = v > worst ? v : worst;
        }
        if (worst < best_verdict) {
            best = r;
            best_verdict = worst;
        }
    }
    if (best_verdict == UNEQUAL)
        return diag_error(l->cx, E209, at_node(l->g, e->main), "check the scales: an accumulator step should be far below an output step",
                          "no requantizer of 24 bits equals the scale and bias of %s", op_info(e->main->op)->name);
    best.bias_bits = 1;
    for (int i = 0; i < best.n; i++) {
        int bits = signed_bits(best.bias[i], best.bias[i]);
        best.bias_bits = bits > best.bias_bits ? bits : best.bias_bits;
    }
    s->rq = best;
    return true;
}

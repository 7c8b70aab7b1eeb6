// SPDX-License-Identifier: Apache-2.0
#include "dataflow/reload.h"

#include "base/check.h"
#include "dataflow/cost.h"
#include "dataflow/serial.h"

#define SHIFTS 5 // bits: factors from 2^7 down to 2^-24 with multipliers of any width

// The type of weights that need `bits`.
static int type_bits(int bits)
{
    return bits <= 2 ? 2 : bits <= 4 ? 4 : bits <= 8 ? 8 : bits;
}

// Multipliers are normalised (struct requant), so that the shift is the factor's size: two ranges cover what trained networks
// have and what is possible.
static void widen_requant(struct requant *r, int acc_bits)
{
    int low = r->mult_bits > 8 ? r->mult_bits - 8 : 0, bits = SHIFTS;
    low += r->bias_frac;
    for (int i = 0; i < r->n; i++)
        if (r->shift[i] < low || r->shift[i] >= low + (1 << SHIFTS)) {
            low = 0;
            bits = 6;
        }
    r->shift_min = low;
    r->shift_bits = bits;
    int bias = acc_bits + 1 + r->bias_frac; // a zero point times the sum of weights, and as much again
    r->bias_bits = bias > r->bias_bits ? bias : r->bias_bits;
}

static void widen_stage(struct stage *s)
{
    int64_t n = stage_weight_count(s), per_out = n / s->out_c;
    s->weight_bits = type_bits(s->weight_bits);
    int least = -(1 << (s->weight_bits - 1));
    s->weight_reach = -least - 1;
    for (int64_t i = 0; i < n; i++)
        if (s->weights[i] == least) // most quantizers leave it out, which saves DSP blocks
            s->weight_reach = -least;
    int64_t most = per_out * s->weight_reach * 128;
    s->acc_bits = signed_bits(-most, most);
    widen_requant(&s->rq, s->acc_bits);
}

void reload_widen(struct pipeline *p)
{
    for (int i = 0; i < p->n_stages; i++)
        if (p->stages[i].weights && p->stages[i].has_requant) {
            widen_stage(&p->stages[i]);
            p->reloadable = true;
        }
}

bool pipeline_loads(const struct pipeline *p)
{
    return p->serial ? p->serial->loaded : p->reloadable;
}

struct cost reload_cost(const struct pipeline *p)
{
    static const enum cost_memory kinds[] = { MEMORY_WEIGHTS, MEMORY_PARAMETERS };
    struct cost more = { 0 };
    for (int i = 0; i < p->n_stages && !p->serial; i++) {
        const struct stage *s = &p->stages[i];
        struct stage fixed = *s;
        struct fold_shape x = fold_shape(s, &s->fold);
        fixed.weight_reach = 0;
        for (int k = 0; k < 2 && s->weight_reach; k++) {
            bool block = kinds[k] == MEMORY_WEIGHTS ? s->fold.rom_block : s->fold.param_block;
            struct cost with = cost_memory(s, &s->fold, &x, p->board->tech, kinds[k], block), without = cost_memory(&fixed, &s->fold, &x, p->board->tech, kinds[k], block);
            more.bram18 += with.bram18 - without.bram18;
            more.lut += with.lut - without.lut;
            more.ff += with.ff - without.ff;
        }
    }
    return more;
}

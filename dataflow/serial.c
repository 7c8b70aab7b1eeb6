// SPDX-License-Identifier: Apache-2.0
#include "dataflow/serial.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "dataflow/cost.h"

enum kind { KIND_COMPUTE, KIND_LOAD, KIND_SEND };

// Requantization of an output, as aihls_rqserial takes it: mult < 2^(shift + 1).
struct param {
    int64_t bias, mult;
    int shift;
};

// A record and what stands behind it, before anything has a width. Loops from the inside: channel, x and y of a tap, channel in
// its group, group, x and y of an output.
struct step {
    enum kind kind;
    bool last, each, by_pixel, again, again_pixel, ones, maximum, digits;
    int port, pad, zero_point, lo, hi, index;
    int64_t from, to;
    int64_t count[SERIAL_LOOPS]; // passes
    int64_t stride[SERIAL_LOOPS], stride_y[SERIAL_LOOPS], stride_x[SERIAL_LOOPS]; // of address and position, for each pass
    int64_t begin, size_y, size_x, begin_y, begin_x; // begin: the first tap's address less `from`
    const struct param *params; // one, one for each pixel, or one for each output channel
    const int8_t *weights;      // of each output's taps, one behind the other
    int64_t n_weights;
};

struct program {
    struct step *steps; // inputs, stages, outputs
    int n;
    struct serial s;
};

// ---- what can be computed ----

// Why not, or NULL.
static const char *obstacle(const struct stage *s)
{
    if (s->thresholds || (s->kind != STAGE_CONV && s->kind != STAGE_DW && s->kind != STAGE_GAP && s->kind != STAGE_ADD))
        return "a stage of another kind";
    if (s->weights && s->weight_bits > 8)
        return "weights of 9 bits: uint8 with a zero point";
    for (int i = 0; s->has_requant && i < s->rq.n; i++)
        if ((int64_t)s->rq.mult[i] >= (int64_t)2 << s->rq.shift[i])
            return "a scale factor of 2 or more";
    return s->has_requant && s->rq.bias_frac ? "a bias finer than a step of its sum" : NULL;
}

bool serial_possible(const struct ctx *cx, const struct pipeline *p)
{
    bool ok = p->n_inputs <= 64 && p->n_outputs <= 64;
    if (!ok)
        diag_error(cx, E305, p->graph->file, NULL, "more than 64 inputs or outputs");
    for (int i = 0; i < p->n_stages; i++) {
        const char *why = obstacle(&p->stages[i]);
        if (why)
            ok = diag_emit(cx, (struct diag_msg){ .code = E305, .where = p->stages[i].where,
                           .found = arena_printf(cx->arena, "%s (%s)", why, stage_kind_name(p->stages[i].kind)),
                           .need = "a convolution, a matrix product, a pool, or a sum of two tensors, of 8-bit weights",
                           .help = "compile it without --serial" }, "one multiplier for all stages cannot compute %s", p->stages[i].name);
    }
    return ok;
}

// ---- stages as steps ----

static void set_loop(struct step *s, int loop, int64_t passes, int64_t stride, int64_t stride_y, int64_t stride_x)
{
    s->count[loop] = passes;
    s->stride[loop] = stride;
    s->stride_y[loop] = stride_y;
    s->stride_x[loop] = stride_x;
}

static struct step new_step(enum kind kind, int64_t h, int64_t w, int64_t c)
{
    struct step s = { .kind = kind, .size_y = 1, .size_x = 1 };
    for (int k = 0; k < SERIAL_LOOPS; k++)
        s.count[k] = 1;
    set_loop(&s, 0, c, 1, 0, 0);
    set_loop(&s, 1, w, c, 0, 0);
    set_loop(&s, 2, h, w * c, 0, 0);
    return s;
}

// The same factor with fewer steps.
static struct param simplest(int64_t bias, int64_t mult, int shift)
{
    while (shift > 0 && mult % 2 == 0) {
        mult /= 2;
        shift--;
    }
    return (struct param){ bias, mult, shift };
}

static const struct param *requant_params(const struct requant *r, struct arena *a)
{
    struct param *q = arena_array(a, struct param, r->n);
    for (int i = 0; i < r->n; i++)
        q[i] = simplest(r->bias[i], r->mult[i], r->shift[i]);
    return q;
}

static const struct param *one_param(struct arena *a, int64_t bias, int64_t mult, int shift)
{
    struct param *q = arena_new(a, struct param);
    *q = simplest(bias, mult, shift);
    return q;
}

static struct step window_step(const struct stage *s, struct arena *a)
{
    const struct window_geometry *g = &s->geo;
    bool whole = s->kind == STAGE_GAP; // one output a channel
    int64_t groups = s->kind == STAGE_CONV ? g->group : s->in_c, channels = s->in_c / groups, row = g->in_w * s->in_c;
    int64_t stride_h = whole ? 1 : g->stride_h, stride_w = whole ? 1 : g->stride_w, dilation_h = whole ? 1 : g->dilation_h, dilation_w = whole ? 1 : g->dilation_w;
    int64_t top = whole ? 0 : g->pad_top, left = whole ? 0 : g->pad_left;
    struct step t = { .kind = KIND_COMPUTE, .pad = s->pad_value, .size_y = g->in_h, .size_x = g->in_w, .begin = -top * row - left * s->in_c, .begin_y = -top, .begin_x = -left };
    set_loop(&t, 0, channels, 1, 0, 0);
    set_loop(&t, 1, g->kernel_w, dilation_w * s->in_c, 0, dilation_w);
    set_loop(&t, 2, g->kernel_h, dilation_h * row, dilation_h, 0);
    set_loop(&t, 3, s->out_c / groups, 0, 0, 0);
    set_loop(&t, 4, groups, channels, 0, 0);
    set_loop(&t, 5, whole ? 1 : g->out_w, stride_w * s->in_c, 0, stride_w);
    set_loop(&t, 6, whole ? 1 : g->out_h, stride_h * row, stride_h, 0);
    t.ones = !s->weights;
    t.maximum = s->op == DW_MAX && s->kind != STAGE_CONV;
    if (s->has_requant) {
        t.each = s->rq.n > 1 && !s->rq.by_pixel;
        t.by_pixel = s->rq.n > 1 && s->rq.by_pixel;
        t.zero_point = s->rq.zero_point, t.lo = s->rq.clamp_lo, t.hi = s->rq.clamp_hi;
        t.params = requant_params(&s->rq, a);
    } else {
        t.lo = -128, t.hi = 127;
        t.params = one_param(a, 0, 1, 0);
    }
    t.again_pixel = t.each || s->weights;
    t.n_weights = stage_weight_count(s);
    int8_t *w = arena_array(a, int8_t, t.n_weights);
    for (int64_t i = 0; s->weights && i < t.n_weights; i++)
        w[i] = (int8_t)s->weights[i];
    t.weights = w;
    return t;
}

// Digits of base 256 within [-128, 127], the lowest first.
static int balanced_digits(int64_t v, int8_t *digits)
{
    int n = 0;
    do {
        digits[n] = (int8_t)(((v + 128) & 255) - 128);
        v = (v - digits[n]) / 256;
        n++;
    } while (v);
    return n;
}

// A sum of two tensors has two taps, as often as its factors have digits.
static struct step add_step(const struct pipeline *p, const struct stage *s, struct arena *a)
{
    const struct stream *out = &p->streams[s->out_stream];
    int64_t ma = s->a_mult, mb = s->b_mult;
    int shift = s->add_shift;
    for (; shift > 0 && ma % 2 == 0 && mb % 2 == 0; shift--)
        ma /= 2, mb /= 2;
    int8_t da[8] = { 0 }, db[8] = { 0 };
    int na = balanced_digits(ma, da), nb = balanced_digits(mb, db), n = na > nb ? na : nb;
    struct step t = { .kind = KIND_COMPUTE, .again = true, .digits = true, .size_y = 1, .size_x = 1, .zero_point = s->rq.zero_point,
                      .lo = s->rq.clamp_lo, .hi = s->rq.clamp_hi, .params = one_param(a, -(s->a_zp * ma + s->b_zp * mb), 1, shift) };
    set_loop(&t, 0, 2, 0, 0, 0); // the distance of the two comes with the layout
    set_loop(&t, 1, 1, 0, 0, 0);
    set_loop(&t, 2, n, 0, 0, 0);
    set_loop(&t, 3, out->c, 1, 0, 0);
    set_loop(&t, 4, 1, 0, 0, 0);
    set_loop(&t, 5, out->w, out->c, 0, 0);
    set_loop(&t, 6, out->h, out->w * out->c, 0, 0);
    t.n_weights = 2 * n;
    int8_t *w = arena_array(a, int8_t, t.n_weights);
    for (int i = 0; i < n; i++) {
        w[2 * i] = da[n - 1 - i];
        w[2 * i + 1] = db[n - 1 - i];
    }
    t.weights = w;
    return t;
}

// ---- layout of the activations ----

// A stream in memory, from the step that writes it to the last that reads it.
struct life {
    int64_t at, bytes;
    int from, to;
};

// The lowest place that is free all the time.
static void place(struct life *lives, int n, struct life *x)
{
    x->at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < n; i++) {
            const struct life *o = &lives[i];
            if (o != x && o->at >= 0 && o->from <= x->to && x->from <= o->to && o->at < x->at + x->bytes && x->at < o->at + o->bytes) {
                x->at = o->at + o->bytes;
                moved = true;
            }
        }
    }
}

static struct life *lay_out(const struct pipeline *p, struct program *g, struct arena *a)
{
    struct life *lives = arena_array(a, struct life, p->n_streams);
    for (int i = 0; i < p->n_streams; i++) {
        const struct stream *s = &p->streams[i];
        lives[i] = (struct life){ .at = -1, .bytes = s->h * s->w * s->c, .from = p->n_inputs + s->producer };
    }
    for (int i = 0; i < p->n_inputs; i++)
        lives[p->inputs[i].stream].from = i;
    for (int i = 0; i < p->n_edges; i++) {
        const struct edge *e = &p->edges[i];
        int step = p->n_inputs + (e->consumer < 0 ? p->n_stages + e->port : e->consumer);
        lives[e->stream].to = step > lives[e->stream].to ? step : lives[e->stream].to;
    }
    for (int step = 0; step < g->n; step++)
        for (int i = 0; i < p->n_streams; i++)
            if (lives[i].from == step) {
                place(lives, p->n_streams, &lives[i]);
                g->s.bytes = max_i64(g->s.bytes, lives[i].at + lives[i].bytes);
            }
    return lives;
}

static void build_steps(const struct pipeline *p, struct program *g, struct arena *a)
{
    g->n = p->n_inputs + p->n_stages + p->n_outputs;
    g->steps = arena_array(a, struct step, g->n);
    const struct life *lives = lay_out(p, g, a);
    struct step *t = g->steps;
    for (int i = 0; i < p->n_inputs; i++, t++) {
        const struct stream *x = &p->streams[p->inputs[i].stream];
        *t = new_step(KIND_LOAD, x->h, x->w, x->c);
        t->port = i;
        t->to = lives[x->index].at;
    }
    for (int i = 0; i < p->n_stages; i++, t++) {
        const struct stage *s = &p->stages[i];
        *t = s->kind == STAGE_ADD ? add_step(p, s, a) : window_step(s, a);
        t->index = i;
        t->from = lives[stage_in(p, s, 0)->index].at + t->begin;
        t->to = lives[s->out_stream].at;
        if (s->kind == STAGE_ADD)
            t->stride[0] = lives[stage_in(p, s, 1)->index].at - t->from;
    }
    for (int i = 0; i < p->n_outputs; i++, t++) {
        const struct stream *x = &p->streams[p->outputs[i].stream];
        *t = new_step(KIND_SEND, x->h, x->w, x->c);
        t->port = i;
        t->from = lives[x->index].at;
    }
    g->steps[g->n - 1].last = true;
}

// ---- code ----

static int64_t param_sets(const struct step *t)
{
    int64_t pixels = t->count[5] * t->count[6], outputs = t->count[3] * t->count[4];
    return t->kind != KIND_COMPUTE ? 0 : t->each ? outputs : t->by_pixel ? pixels : 1;
}

// How far the position is from its first at the end of loops below `loop`, taken back, and a pass of `loop` on.
static int64_t jump(const struct step *t, const int64_t *stride, int loop)
{
    int64_t v = stride[loop];
    for (int k = 0; k < loop; k++)
        v -= stride[k] * (t->count[k] - 1);
    return v;
}

// What holds -low to high - 1 so that what is below 0 is seen as more than high.
static void widen(int *bits, int64_t low, int64_t high)
{
    while (((int64_t)1 << *bits) < low + high)
        (*bits)++;
}

static void find_widths(const struct pipeline *p, struct program *g)
{
    struct serial *s = &g->s;
    int64_t sum = 1 << 16;
    s->addr_bits = (int)max_i64(1, ceil_log2(s->bytes));
    s->count_bits = s->pos_bits = s->shift_bits = s->mult_bits = 1;
    for (int i = 0; i < g->n; i++) {
        const struct step *t = &g->steps[i];
        for (int k = 0; k < SERIAL_LOOPS; k++)
            widen(&s->count_bits, 0, t->count[k]);
        if (t->kind != KIND_COMPUTE)
            continue;
        int64_t end_y = t->begin_y + 1, end_x = t->begin_x + 1;
        for (int k = 0; k < SERIAL_LOOPS; k++) {
            end_y += t->stride_y[k] * (t->count[k] - 1);
            end_x += t->stride_x[k] * (t->count[k] - 1);
        }
        widen(&s->pos_bits, -t->begin_y, max_i64(end_y, t->size_y + 1));
        widen(&s->pos_bits, -t->begin_x, max_i64(end_x, t->size_x + 1));
        const struct stage *of = &p->stages[t->index];
        int64_t most = of->kind == STAGE_ADD ? 0 : (int64_t)1 << (of->op == DW_MAX && of->kind != STAGE_CONV ? 8 : of->acc_bits - 1);
        for (int64_t k = 0; of->kind == STAGE_ADD && k < t->n_weights; k += 2)
            most = most * 256 + 128 * (llabs(t->weights[k]) + llabs(t->weights[k + 1]));
        for (int64_t k = 0; k < param_sets(t); k++) {
            sum = max_i64(sum, most + llabs(t->params[k].bias));
            widen(&s->mult_bits, 0, t->params[k].mult + 1);
            widen(&s->shift_bits, 0, t->params[k].shift + 1);
        }
        if (of->weight_reach) {
            sum = max_i64(sum, most + ((int64_t)1 << (of->rq.bias_bits - 1)));
            s->mult_bits = (int)max_i64(s->mult_bits, of->rq.mult_bits);
            s->shift_bits = (int)max_i64(s->shift_bits, of->rq.shift_bits + (of->rq.shift_min > 0)); // it counts from 0
        }
    }
    s->sum_bits = ceil_log2(sum + 1) + 1;
    s->index_bits = (int)max_i64(1, ceil_log2(p->n_stages));
    int record = 48 + s->index_bits + 2 * s->addr_bits + SERIAL_LOOPS * (s->count_bits + s->addr_bits) + 11 * s->pos_bits;
    s->record_bytes = (int)ceil_div(record, 8);
    s->param_bytes = (int)ceil_div(s->sum_bits + s->mult_bits + s->shift_bits, 8);
    for (int i = 0; i < g->n; i++)
        s->n_code += s->record_bytes + param_sets(&g->steps[i]) * s->param_bytes + g->steps[i].n_weights;
    s->code_bits = (int)max_i64(1, ceil_log2(s->n_code));
}

// Bits one behind the other, the lowest first; `end` begins a byte.
struct writer {
    uint8_t *bytes;
    int64_t at_bit;
};

static void put(struct writer *w, int64_t value, int bits)
{
    for (int i = 0; i < bits; i++, w->at_bit++)
        w->bytes[w->at_bit / 8] |= (uint8_t)(((uint64_t)value >> i & 1) << w->at_bit % 8);
}

static void end(struct writer *w)
{
    w->at_bit = ceil_div(w->at_bit, 8) * 8;
}

// The fields in the order of aihls_serial.v.
static void put_record(struct writer *w, const struct serial *s, const struct step *t)
{
    const bool flags[] = { t->last, t->each, t->by_pixel, t->again, t->again_pixel, t->ones, t->maximum, t->digits };
    put(w, t->kind, 2);
    for (int i = 0; i < 8; i++)
        put(w, flags[i], 1);
    put(w, t->port, 6);
    put(w, t->pad, 8);
    put(w, t->zero_point, 8);
    put(w, t->lo, 8);
    put(w, t->hi, 8);
    put(w, t->index, s->index_bits);
    put(w, t->from, s->addr_bits);
    put(w, t->to, s->addr_bits);
    for (int k = 0; k < SERIAL_LOOPS; k++)
        put(w, t->count[k] - 1, s->count_bits);
    for (int k = 0; k < SERIAL_LOOPS; k++)
        put(w, jump(t, t->stride, k), s->addr_bits);
    const int64_t positions[] = { t->size_y, t->size_x, t->begin_y, t->begin_x, jump(t, t->stride_y, 2), jump(t, t->stride_y, 3), jump(t, t->stride_y, 6),
                                  jump(t, t->stride_x, 1), jump(t, t->stride_x, 2), jump(t, t->stride_x, 5), jump(t, t->stride_x, 6) };
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        put(w, positions[i], s->pos_bits);
    end(w);
}

static void put_param(struct writer *w, const struct serial *s, const struct param *q)
{
    put(w, q->bias, s->sum_bits);
    put(w, q->mult, s->mult_bits);
    put(w, q->shift, s->shift_bits);
    end(w);
}

static void put_weights(struct writer *w, const struct step *t, int64_t from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        put(w, t->weights[from + i], 8);
}

static void write_code(struct program *g, struct arena *a)
{
    struct serial *s = &g->s;
    struct writer w = { arena_alloc(a, (size_t)s->n_code), 0 };
    for (int i = 0; i < g->n; i++) {
        const struct step *t = &g->steps[i];
        int64_t sets = param_sets(t);
        put_record(&w, s, t);
        for (int64_t k = 0; k < sets; k++) { // of an output: its parameters, then its weights
            put_param(&w, s, &t->params[k]);
            if (t->each)
                put_weights(&w, t, k * (t->n_weights / sets), t->n_weights / sets);
        }
        if (!t->each)
            put_weights(&w, t, 0, t->n_weights);
    }
    ASSERT(w.at_bit == 8 * s->n_code);
    s->code = w.bytes;
}

// ---- cycles ----

// From the cycle that reads the record's last byte to that which begins the next record; cost.cycles as the hardware's `running`.
static int64_t stage_cycles(const struct serial *s, const struct step *t)
{
    int64_t taps = t->count[0] * t->count[1] * t->count[2], per_pixel = t->count[3] * t->count[4], pixels = t->count[5] * t->count[6];
    int64_t now = 1 + s->param_bytes, free = 0; // when the requantizer has its result
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t c = 0; c < per_pixel; c++) {
            if (i + c > 0 && (t->each || (t->by_pixel && c == 0)))
                now += s->param_bytes;
            now = max_i64(now + taps + 5, free);
            free = now + t->params[t->each ? c : t->by_pixel ? i : 0].shift + 4;
            now++;
        }
    return max_i64(now, free) + 1;
}

static void count_cycles(struct pipeline *p, const struct program *g)
{
    const struct serial *s = &g->s;
    int64_t cycles = 1;
    for (int i = 0; i < g->n; i++) {
        const struct step *t = &g->steps[i];
        int64_t elements = t->count[0] * t->count[1] * t->count[2], own = 1 + (t->kind == KIND_LOAD ? elements : 2 * elements);
        if (t->kind == KIND_COMPUTE)
            own = p->stages[t->index].cost.cycles = stage_cycles(s, t);
        cycles += s->record_bytes + own;
    }
    p->interval_cycles = cycles;
    p->latency_cycles = cycles - 1 - (s->record_bytes + 2); // the first byte is taken behind START, a record and SETUP
}

// ---- resources ----

// What an arrangement needs, in blocks and LUTs; `huge`: of the large blocks.
struct need {
    int64_t dsp, bram, huge, lut, ff, shell_bram;
};

#define MULTIPLIER_LUT 80 // of 8 by 8 bits

// Fits to Yosys 0.23 for xc7, scaled as every template is for other families (docs/51-serial.md).
static struct need needs(const struct pipeline *p, const struct board *b, const struct serial *s)
{
    const struct tech *tech = b->tech;
    int64_t record = 8 * s->record_bytes, param = 8 * s->param_bytes, buffered = cost_shell_bram(p, b);
    int64_t counters = SERIAL_LOOPS * s->count_bits + 2 * (s->addr_bits + s->code_bits + s->pos_bits);
    int64_t lut = 97 + 9 * s->sum_bits + record + (s->use_dsp ? 0 : MULTIPLIER_LUT);
    return (struct need){
        .dsp = s->use_dsp,
        .bram = (s->code_huge ? 0 : cost_bram(tech, 8, s->n_code, s->loaded)) + (s->huge ? 0 : cost_bram(tech, 8, s->bytes, true)),
        .huge = (s->code_huge ? ceil_div(s->n_code, tech->huge_bytes) : 0) + (s->huge ? ceil_div(s->bytes, tech->huge_bytes) : 0),
        .lut = lut * tech->lut_percent.other / 100,
        .ff = 87 + 3 * s->sum_bits + record + param + counters,
        .shell_bram = buffered + (buffered && s->loaded), // a queue for the code's bytes
    };
}

static bool within(const struct need *n, const struct board *b)
{
    return n->bram <= b->bram18 - n->shell_bram && n->huge <= b->uram && n->lut <= schedule_lut_budget(b);
}

// Of what the board has left of a resource, where it is most; more than 1: too much.
static double largest_share(const struct need *n, const struct board *b)
{
    double bram = (double)n->bram / (double)max_i64(1, b->bram18 - n->shell_bram), huge = (double)n->huge / (double)max_i64(1, b->uram);
    return fmax(fmax(bram, huge), (double)n->lut / (double)max_i64(1, schedule_lut_budget(b)));
}

// The code in a ROM if it fits, for then nobody has to load it, and large blocks only for what block RAM does not hold; what comes
// nearest where nothing fits.
static struct program compile(const struct pipeline *p, const struct board *b, int64_t max_dsp, struct arena *a, struct need *need)
{
    struct program g = { 0 };
    build_steps(p, &g, a);
    find_widths(p, &g);
    g.s.use_dsp = b->dsp > 0 && max_dsp != 0;
    struct program best = g;
    double least = INFINITY;
    *need = needs(p, b, &g.s);
    int kinds = b->tech->huge_bytes && b->uram ? 4 : 1;
    for (int k = 0; k < kinds; k++) {
        g.s.huge = k & 1;
        g.s.code_huge = k & 2; // which no bitstream fills
        g.s.loaded = g.s.code_huge || p->reloadable;
        struct need n = needs(p, b, &g.s);
        double share = within(&n, b) ? 0 : largest_share(&n, b);
        if (share < least) {
            least = share;
            best = g;
            *need = n;
        }
    }
    return best;
}

static bool report_no_fit(const struct ctx *cx, const struct pipeline *p, const struct board *b, const struct need *n)
{
    const char *bram = b->tech->bram_name, *huge = b->tech->huge_name;
    int64_t left = max_i64(0, b->bram18 - n->shell_bram);
    struct strbuf found = STRBUF_INIT, need = STRBUF_INIT;
    strbuf_addf(&found, "%lld %s", (long long)left, bram);
    if (n->shell_bram)
        strbuf_addf(&found, " beside %lld of the shell", (long long)n->shell_bram);
    if (huge)
        strbuf_addf(&found, ", %lld %s", (long long)b->uram, huge);
    strbuf_addf(&found, ", %lld LUT", (long long)schedule_lut_budget(b));
    schedule_add_shortage(&need, n->bram, left, bram);
    schedule_add_shortage(&need, n->huge, b->uram, huge);
    schedule_add_shortage(&need, n->lut, schedule_lut_budget(b), "LUT");
    diag_emit(cx, (struct diag_msg){ .code = E302, .where = arena_printf(cx->arena, "%s on %s", p->graph->file, b->name),
              .found = arena_strdup(cx->arena, found.text), .need = arena_strdup(cx->arena, need.text),
              .help = "nothing takes less than one multiplier for all stages: a larger board, or a smaller network" }, "the model does not fit %s", b->name);
    strbuf_release(&found);
    strbuf_release(&need);
    return false;
}

bool serial_fits(const struct pipeline *p, const struct board *b, int64_t max_dsp)
{
    struct arena scratch = { 0 };
    struct diag silent = { .out = NULL };
    struct ctx inner = { &scratch, &silent };
    struct need need;
    bool ok = serial_possible(&inner, p);
    if (ok) {
        compile(p, b, max_dsp, &scratch, &need);
        ok = within(&need, b);
    }
    arena_release(&scratch);
    return ok;
}

// Every stream is a byte a beat, and edges are what the layout says.
static void unfold(struct pipeline *p)
{
    for (int i = 0; i < p->n_stages; i++) {
        struct stage *s = &p->stages[i];
        s->fold = (struct fold){ .lanes = 1, .word = 1, .rows_par = 1, .pack = 1, .seg_len = 1, .rq_lanes = 1, .rq_cycles = 1, .ring_rows = 1, .in_lanes = 1 };
        s->fold.use_dsp = p->serial->use_dsp && s->weights;
        s->cost = (struct cost){ 0 };
    }
    for (int i = 0; i < p->n_streams; i++)
        p->streams[i].lanes = 1;
    for (int i = 0; i < p->n_edges; i++) {
        p->edges[i].lanes = 1;
        p->edges[i].depth_words = 0;
        p->edges[i].block = false;
    }
}

bool serial_solve(const struct ctx *cx, struct pipeline *p, const struct board *b, const struct schedule_goal *goal)
{
    struct arena *a = p->arena;
    if (!serial_possible(cx, p))
        return false;
    p->board = b;
    p->clock_hz = goal->clock_hz ? goal->clock_hz : b->clock_hz;
    struct need need;
    struct program g = compile(p, b, goal->max_dsp, a, &need);
    if (!within(&need, b))
        return report_no_fit(cx, p, b, &need);
    write_code(&g, a);
    struct serial *s = arena_new(a, struct serial);
    *s = g.s;
    p->serial = s;
    unfold(p);
    count_cycles(p, &g);
    p->total = (struct cost){ .cycles = p->interval_cycles, .dsp = need.dsp, .bram18 = need.bram, .lut = need.lut, .ff = need.ff };
    p->optimal = true;
    p->gap = 0;
    p->bound = "one multiplier for all stages";
    pipeline_verify(p);
    return true;
}

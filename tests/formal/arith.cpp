// SPDX-License-Identifier: Apache-2.0
// Requantizers of every rate against requantize() of sim/ref_int.c, packed multiplier cells against two products, and
// products of elements against aihls_stage_mul() of drivers/aihls_stages.c, in one Verilator model.
//     arith                            (compiled with -DGENERATE) prints the Verilog top
//     arith vectors COUNT SEED         COUNT random and corner results over 24 configurations, random stalls
//     arith exhaustive                 every input of 8 small configurations
//     arith products                   every pair of weights with every activation, all three cells
//     arith elements                   every pair of elements in 8 configurations of aihls_mul, random stalls
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct Case {
    int cycles, mult_w, acc_w, bias_w, shift_w, shift_min, zp, lo, hi, bias_frac = 0;
};

// Rates 1/1 to 1/24 with the multipliers of --requant exact, fast and shift; then the small ones.
static const Case cases[] = {
    {1, 24, 24, 24, 4, 22, 0, -128, 127},  {2, 24, 20, 16, 3, 26, -128, -128, 127, 7},
    {3, 24, 30, 32, 4, 30, 5, -100, 127},  {4, 24, 12, 8, 2, 24, 127, -128, 127},
    {6, 24, 38, 38, 5, 28, -7, -7, 120},   {8, 24, 18, 20, 0, 30, 0, 0, 127, 18},
    {12, 24, 26, 12, 1, 40, 3, -128, 99},  {24, 24, 22, 22, 4, 24, -1, -128, 127},
    {1, 17, 22, 10, 3, 20, 0, -128, 127},  {2, 17, 16, 16, 4, 14, 9, -50, 50},
    {3, 17, 12, 14, 2, 18, -128, -128, 127}, {4, 17, 28, 20, 4, 24, 0, -128, 127},
    {6, 17, 33, 33, 5, 20, 17, -128, 127}, {8, 17, 9, 9, 3, 12, 0, -128, 127},
    {12, 17, 19, 24, 4, 16, -66, -128, 100, 1}, {24, 17, 24, 8, 1, 30, 1, -128, 127},
    {1, 1, 20, 20, 4, 2, 0, -128, 127},    {2, 1, 16, 8, 3, 5, -3, -128, 127},
    {3, 1, 24, 24, 4, 8, 0, -128, 127},    {4, 1, 12, 8, 2, 1, 100, -128, 127},
    {6, 1, 10, 12, 3, 0, 0, -128, 127},    {8, 1, 30, 30, 5, 2, 0, -128, 127},
    {12, 1, 14, 20, 0, 9, -20, -20, 127},  {24, 1, 18, 16, 3, 9, 0, -128, 127},
    {1, 8, 4, 3, 2, 4, -3, -100, 90, 1},      {2, 8, 4, 3, 2, 5, -3, -100, 90},
    {3, 8, 4, 3, 2, 3, 120, -100, 127},    {4, 8, 4, 3, 2, 5, 0, -128, 127},
    {6, 8, 4, 3, 2, 1, -3, -100, 90},      {8, 8, 4, 3, 2, 4, -128, -128, 127, 3},
    {12, 8, 4, 3, 2, 0, -3, -100, 90},     {24, 8, 4, 3, 2, 6, 1, -100, 90},
};
enum { ALL = sizeof cases / sizeof *cases, RANDOM = 24 };
// The cells: packed as in DSP48E2 and DSP48E1, and plain with weights of nine bits.
static const struct { int pack, shift, w_bits; } cells[] = { {2, 18, 8}, {2, 17, 8}, {1, 18, 9} };

struct Elements {
    int a_zp, b_zp, mult, shift, zp, lo, hi;
};
// Factors of 24, 17 and 1 bits; products that fill the byte, saturate, tie, and all become the zero point.
static const Elements elements[] = {
    {0, 0, 16777215, 31, 0, -128, 127},     {-128, 127, 8388608, 32, -128, -128, 127}, {127, -128, 12345677, 33, 127, -100, 127},
    {-128, -128, 9000001, 31, -1, -128, 127}, {5, -7, 100001, 25, 3, -60, 60},          {127, 127, 65536, 22, 0, -128, 100},
    {1, 0, 1, 1, -5, -128, 127},            {-3, 100, 16777215, 62, 17, -128, 127},
};
enum { PRODUCTS = sizeof elements / sizeof *elements };

#ifdef GENERATE

int main()
{
    printf("// SPDX-License-Identifier: Apache-2.0\n`default_nettype none\n"
           "module arith (input wire clk, input wire clk_cell, input wire rst, input wire [%d:0] acc,\n"
           "    input wire [%d:0] param, input wire [%d:0] s_valid, input wire [%d:0] m_ready,\n"
           "    output wire [%d:0] s_ready, output wire [%d:0] m_valid, output wire [%d:0] y,\n"
           "    input wire [8:0] hi, input wire [8:0] lo, input wire [7:0] s, input wire [47:0] pin,\n"
           "    output wire [47:0] p0, output wire [47:0] p1, output wire [47:0] p2, input wire clk_element,\n"
           "    input wire [%d:0] ab, input wire [%d:0] ab_valid, input wire [%d:0] ab_go, output wire [%d:0] ab_ready,\n"
           "    output wire [%d:0] ab_y, output wire [%d:0] y_valid);\n",
           ALL * 64 - 1, ALL * 128 - 1, ALL - 1, ALL - 1, ALL - 1, ALL - 1, ALL * 8 - 1, PRODUCTS * 16 - 1, PRODUCTS * 2 - 1, PRODUCTS - 1,
           PRODUCTS * 2 - 1, PRODUCTS * 8 - 1, PRODUCTS - 1);
    for (int i = 0; i < ALL; i++) {
        const Case &c = cases[i];
        printf("    wire p_en_%d, p_addr_%d;\n    aihls_requant #(.LANES(1), .CHANNELS(1), .ACC_W(%d), .BIAS_W(%d), .BIAS_FRAC(%d), "
               ".MULT_W(%d), .SHIFT_W(%d), .SHIFT_MIN(%d), .RQ_CYCLES(%d), .ZERO_POINT(%d), .CLAMP_LO(%d), "
               ".CLAMP_HI(%d)) u_%d (.clk(clk), .rst(rst), .s_acc_data(acc[%d +: %d]), .s_acc_valid(s_valid[%d]), "
               ".s_acc_ready(s_ready[%d]), .p_en(p_en_%d), .p_addr(p_addr_%d), .p_data(param[%d +: %d]), "
               ".m_act_data(y[%d +: 8]), .m_act_valid(m_valid[%d]), .m_act_ready(m_ready[%d]));\n",
               i, i, c.acc_w, c.bias_w, c.bias_frac, c.mult_w, c.shift_w, c.shift_min, c.cycles, c.zp, c.lo, c.hi, i, i * 64,
               c.acc_w, i, i, i, i, i * 128, c.shift_w + c.mult_w + c.bias_w, i * 8, i, i);
    }
    for (int i = 0; i < 3; i++)
        printf("    aihls_mac #(.PACK(%d), .LANE_SHIFT(%d), .W_BITS(%d)) u_cell_%d (.clk(clk_cell), .en(1'b1), "
               ".hi(hi[%d:0]), .lo(lo[%d:0]), .s(s), .pin(pin), .pout(), .p(p%d));\n", cells[i].pack, cells[i].shift,
               cells[i].w_bits, i, cells[i].w_bits - 1, cells[i].w_bits - 1, i);
    for (int i = 0; i < PRODUCTS; i++) {
        const Elements &e = elements[i];
        printf("    aihls_mul #(.A_ZP(%d), .B_ZP(%d), .MULT(%d), .SHIFT(%d), .ZERO_POINT(%d), .CLAMP_LO(%d), .CLAMP_HI(%d)) u_mul_%d "
               "(.clk(clk_element), .rst(rst), .s_a_data(ab[%d +: 8]), .s_a_valid(ab_valid[%d]), .s_a_ready(ab_ready[%d]), "
               ".s_b_data(ab[%d +: 8]), .s_b_valid(ab_valid[%d]), .s_b_ready(ab_ready[%d]), .m_act_data(ab_y[%d +: 8]), "
               ".m_act_valid(y_valid[%d]), .m_act_ready(ab_go[%d]));\n", e.a_zp, e.b_zp, e.mult, e.shift, e.zp, e.lo, e.hi, i, 16 * i, 2 * i,
               2 * i, 16 * i + 8, 2 * i + 1, 2 * i + 1, 8 * i, i, i);
    }
    printf("endmodule\n`default_nettype wire\n");
    return 0;
}

#else

#include "Varith.h"
#include "verilated.h"

extern "C" int arith_mul(int8_t a, int8_t b, int a_zp, int b_zp, int32_t mult, int shift, int zp, int lo, int hi);
extern "C" int arith_requantize(int64_t acc, int64_t bias, int bias_frac, int32_t mult, int shift, int zp, int lo, int hi);

static uint64_t state;
static uint64_t rnd()
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1Dull;
}

// A signed number of `bits` bits: of any length, often at an end of a range or near zero.
static int64_t number(int bits)
{
    uint64_t r = rnd();
    int length = 1 + (int)((r >> 8) % (uint64_t)bits);
    int64_t top = (int64_t)1 << (length - 1);
    switch (r & 7) {
    case 0: return -top;
    case 1: return top - 1;
    case 2: return (int64_t)(r >> 61) - 4 < -top ? 0 : ((int64_t)(r >> 61) - 4) % top;
    case 3: return (int64_t)(rnd() << (64 - bits)) >> (64 - bits);
    default: return (int64_t)(rnd() << (64 - length)) >> (64 - length);
    }
}

static int32_t factor(int bits)
{
    uint64_t r = rnd();
    uint32_t mask = (uint32_t)((1ull << bits) - 1);
    switch (r & 3) {
    case 0: return (int32_t)((1u << ((r >> 8) % (uint64_t)bits)) & mask);   // ties
    case 1: return (int32_t)(mask ^ (uint32_t)((r >> 8) & 1));
    default: return (int32_t)((uint32_t)(r >> 16) & mask);
    }
}

struct Lane {
    int64_t acc, bias;
    int32_t mult;
    int field;
    int want[64];            // of the results in flight
    unsigned head, tail;     // next to compare, next to fill
    uint64_t next, results;  // of the enumeration; compared so far
};
static Lane lanes[ALL];
static Varith *top;

static void offer(int i, bool every)
{
    const Case &c = cases[i];
    Lane &l = lanes[i];
    if (every) {
        uint64_t n = l.next++;
        l.acc = (int64_t)(n << (64 - c.acc_w)) >> (64 - c.acc_w);
        n >>= c.acc_w;
        l.bias = (int64_t)(n << (64 - c.bias_w)) >> (64 - c.bias_w);
        n >>= c.bias_w;
        l.mult = (int32_t)(n & ((1u << c.mult_w) - 1));
        l.field = (int)(n >> c.mult_w) & ((1 << c.shift_w) - 1);
    } else {
        l.acc = number(c.acc_w);
        l.bias = number(c.bias_w);
        l.mult = factor(c.mult_w);
        l.field = (int)(rnd() >> 20) & ((1 << c.shift_w) - 1);
    }
    top->acc[2 * i] = (uint32_t)l.acc;
    top->acc[2 * i + 1] = (uint32_t)((uint64_t)l.acc >> 32);
}

static void give_parameters(int i)
{
    const Case &c = cases[i];
    const Lane &l = lanes[i];
    unsigned __int128 p = ((unsigned __int128)(unsigned)l.field << (c.mult_w + c.bias_w))
                        | ((unsigned __int128)(uint32_t)l.mult << c.bias_w)
                        | ((uint64_t)l.bias & ((1ull << c.bias_w) - 1));
    for (int w = 0; w < 4; w++)
        top->param[4 * i + w] = (uint32_t)(p >> (32 * w));
}

static void tick()
{
    top->clk = 1;
    top->eval();
    top->clk = 0;
    top->eval();
}

static int requantizers(int from, int to, uint64_t count, bool every)
{
    uint32_t mask = 0;
    for (int i = from; i < to; i++) {
        mask |= 1u << i;
        offer(i, every);
    }
    top->rst = 1;
    tick();
    top->rst = 0;
    uint64_t results = 0, least = 0;
    bool more = true;
    while (more) {
        uint64_t r = rnd();
        top->s_valid = mask & (uint32_t)(r | r >> 32);
        top->m_ready = (uint32_t)(rnd() | r >> 16);
        top->eval();
        uint32_t in = top->s_valid & top->s_ready & mask, out = top->m_valid & top->m_ready & mask;
        uint8_t y[ALL];
        memcpy(y, &top->y, sizeof y);
        tick();
        for (int i = from; i < to; i++) {
            const Case &c = cases[i];
            Lane &l = lanes[i];
            if (out >> i & 1) {
                if ((int8_t)y[i] != l.want[l.head & 63] || l.head == l.tail) {
                    printf("case %d (1/%d, %d bits): %d, not %d\n", i, c.cycles, c.mult_w, (int8_t)y[i], l.want[l.head & 63]);
                    return 1;
                }
                l.head++;
                l.results++;
                results++;
            }
            if (in >> i & 1) {
                l.want[l.tail++ & 63] = arith_requantize(l.acc, l.bias, c.bias_frac, l.mult, c.shift_min + l.field, c.zp, c.lo, c.hi);
                give_parameters(i);
                offer(i, every);
            }
        }
        if (every) {
            more = false;
            for (int i = from; i < to; i++)
                more |= lanes[i].results < count;
        } else {
            more = results < count;
        }
    }
    least = ~0ull;
    for (int i = from; i < to; i++)
        least = lanes[i].results < least ? lanes[i].results : least;
    printf("requantizers: %llu results in %d configurations, at least %llu each, all right\n", (unsigned long long)results,
           to - from, (unsigned long long)least);
    return 0;
}

// Every hi, lo, s; the cell's latency is 4, its sum enters one cycle before the result.
static int products()
{
    int64_t want[3][4] = {}, n = 0;
    for (uint64_t i = 0; i < (1ull << 25) + 3; i++) {
        uint64_t v = i;
        int hi = (int)(v & 255), s = (int)(v >> 8 & 255), lo = (int)(v >> 16 & 511);
        top->hi = (uint32_t)hi;
        top->lo = (uint32_t)lo;
        top->s = (uint32_t)s;
        int64_t pin = (int64_t)rnd() >> 20;
        top->pin = (uint64_t)pin & 0xFFFFFFFFFFFFull;
        top->clk_cell = 1;
        top->eval();
        top->clk_cell = 0;
        top->eval();
        const uint64_t got[3] = { top->p0, top->p1, top->p2 };
        for (int c = 0; c < 3; c++) {
            int64_t h = (int8_t)hi, l = c == 2 ? (int64_t)((uint64_t)lo << 55) >> 55 : (int8_t)lo, a = (int8_t)s;
            int64_t sum = cells[c].pack == 2 ? h * a * (1ll << cells[c].shift) + l * a : l * a;
            // -128 in the high lane is excluded with LANE_SHIFT 17
            want[c][i & 3] = cells[c].shift == 17 && h == -128 ? INT64_MIN : sum;
            int64_t w = want[c][(i + 1) & 3];
            if (i >= 3 && w != INT64_MIN) {
                n++;
                w += pin;
                if ((int64_t)(got[c] << 16) >> 16 != w) {
                    printf("cell %d: %lld, not %lld\n", c, (long long)((int64_t)(got[c] << 16) >> 16), (long long)w);
                    return 1;
                }
            }
        }
    }
    printf("cells: %lld sums of products, all right\n", (long long)n);
    return 0;
}

// Every pair; each operand comes and each result goes when it likes.
static int every_element()
{
    enum { PAIRS = 1 << 16 };
    int next[2 * PRODUCTS] = {}, done[PRODUCTS] = {}, left = PRODUCTS;
    top->rst = 1;
    top->clk_element = 0;
    top->eval();
    for (bool first = true; left > 0; first = false) {
        uint64_t r = rnd();
        uint32_t may = (uint32_t)(r | r >> 32);
        uint16_t valid = 0;
        uint8_t bytes[2 * PRODUCTS];
        for (int k = 0; k < 2 * PRODUCTS; k++) {
            bytes[k] = (uint8_t)(k % 2 ? next[k] >> 8 : next[k]);
            valid = (uint16_t)(valid | (next[k] < PAIRS && may >> k & 1) << k);
        }
        memcpy(&top->ab, bytes, sizeof bytes);
        top->ab_valid = valid;
        top->ab_go = (uint8_t)(rnd() >> 8 | r >> 40);
        top->eval();
        uint32_t taken = first ? 0 : (uint32_t)(valid & top->ab_ready), given = first ? 0 : (uint32_t)(top->y_valid & top->ab_go);
        int8_t y[PRODUCTS];
        memcpy(y, &top->ab_y, sizeof y);
        top->clk_element = 1;
        top->eval();
        top->clk_element = 0;
        top->rst = 0;
        top->eval();
        for (int k = 0; k < 2 * PRODUCTS; k++)
            next[k] += taken >> k & 1;
        for (int i = 0; i < PRODUCTS; i++) {
            const Elements &e = elements[i];
            if (!(given >> i & 1))
                continue;
            int n = done[i]++, want = arith_mul((int8_t)n, (int8_t)(n >> 8), e.a_zp, e.b_zp, e.mult, e.shift, e.zp, e.lo, e.hi);
            if (n >= PAIRS || y[i] != want) {
                printf("product %d of configuration %d: %d, not %d\n", n, i, y[i], want);
                return 1;
            }
            left -= done[i] == PAIRS;
        }
    }
    printf("elements: %d products in %d configurations, all right\n", PRODUCTS * PAIRS, PRODUCTS);
    return 0;
}

int main(int argc, char **argv)
{
    top = new Varith;
    const char *mode = argc > 1 ? argv[1] : "";
    int status = 2;
    state = 0x9E3779B97F4A7C15ull * (argc > 3 ? strtoull(argv[3], nullptr, 10) : 1) + 1;
    if (!strcmp(mode, "vectors") && argc == 4)
        status = requantizers(0, RANDOM, strtoull(argv[2], nullptr, 10), false);
    else if (!strcmp(mode, "exhaustive"))
        status = requantizers(RANDOM, ALL, 1ull << 17, true);
    else if (!strcmp(mode, "products"))
        status = products();
    else if (!strcmp(mode, "elements"))
        status = every_element();
    else
        fprintf(stderr, "usage: arith vectors COUNT SEED | exhaustive | products | elements\n");
    top->final();
    delete top;
    return status;
}

#endif

// SPDX-License-Identifier: Apache-2.0
// aihls_rqserial against aihls_requantize() of drivers/aihls_stages.c, result by result, and its cycles.
//     serial exhaustive          every sum of 10 bits with every factor of 4 bits and shift of 2, four sets of clamps
//     serial vectors COUNT SEED  random and corner results of 36 bits, factors of 24 and shifts of 6
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vserial.h"
#include "sim/random.hpp"
#include "verilated.h"
extern "C" {
#include "drivers/aihls_stages.h"
}

static Vserial *top;
static long n_done;

static void tick()
{
    top->clk = 0;
    top->eval();
    top->clk = 1;
    top->eval();
}

static void check(int64_t sum, int64_t bias, int32_t mult, int shift, int zero_point, int lo, int hi)
{
    const int64_t mask = (1ll << SUM_W) - 1;
    const struct aihls_requant r = { 1, 0, &bias, &mult, &shift, zero_point, lo, hi, 0 };
    const int want = aihls_requantize(&r, sum, 0);
    top->start = 1;
    top->sum = (uint64_t)(sum & mask), top->bias = (uint64_t)(bias & mask), top->mult = (uint32_t)mult, top->shift = (uint8_t)shift;
    top->zero_point = (uint8_t)zero_point, top->clamp_lo = (uint8_t)lo, top->clamp_hi = (uint8_t)hi;
    tick();
    top->start = 0;
    int cycles = 1;
    for (top->eval(); !top->idle && cycles < 200; cycles++)
        tick();
    if ((int8_t)top->y != want || cycles != shift + 4) {
        printf("(%lld + %lld) * %d >> %d, zero point %d, clamps %d %d: %d in %d cycles, want %d in %d\n", (long long)sum, (long long)bias, mult, shift, zero_point,
               lo, hi, (int8_t)top->y, cycles, want, shift + 4);
        exit(1);
    }
    n_done++;
}

static Random rng(1);
static uint64_t bits(int n)
{
    return rng.next() >> (64 - n);
}

static void exhaustive()
{
    static const int settings[][3] = { { 0, -128, 127 }, { -3, -100, 90 }, { 127, -128, 127 }, { -128, -128, 0 } };
    for (auto &s : settings)
        for (int shift = 0; shift < 4; shift++)
            for (int mult = 0; mult < 2 << shift && mult < 16; mult++)
                for (int sum = -512; sum < 512; sum++)
                    check(sum / 3 - 100 * (sum % 2), sum - (sum / 3 - 100 * (sum % 2)), mult, shift, s[0], s[1], s[2]);
}

static void vectors(long count, uint64_t seed)
{
    rng = Random(seed);
    for (long i = 0; i < count; i++) {
        const int shift = (int)bits(6) % 63;
        int32_t mult = (int32_t)bits(1 + (int)bits(5) % 24);
        if (shift < 23)
            mult &= (2 << shift) - 1;
        // results around a byte, ties, and the widest sums
        int64_t x = (int64_t)bits(35) - (1ll << 34);
        if (mult && bits(2))
            x = (int64_t)((__int128)((int64_t)bits(10) - 512) * (1ll << shift) / mult / 2) % (1ll << 35);
        const int64_t bias = bits(1) ? 0 : (int64_t)bits(20) - (1 << 19);
        if (x - bias >= 1ll << 35 || x - bias < -(1ll << 35))
            continue;
        const int lo = (int)bits(8) - 128, hi = lo + (int)bits(8) % (128 - lo);
        check(x - bias, bias, mult, shift, (int)bits(8) - 128, bits(1) ? -128 : lo, bits(1) ? 127 : hi);
    }
}

int main(int argc, char **argv)
{
    top = new Vserial;
    top->rst = 1;
    top->start = 0;
    tick();
    top->rst = 0;
    if (argc > 2)
        vectors(atol(argv[2]), argc > 3 ? strtoull(argv[3], nullptr, 10) : 1);
    else
        exhaustive();
    printf("%ld results, all right\n", n_done);
    return n_done == 0;
}

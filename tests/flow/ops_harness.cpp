// SPDX-License-Identifier: Apache-2.0
// ops_harness: runs all cores of the operator matrix side by side and compares what they give.
//
//     Vops CASES SEED RESULTS
//
// CASES is 64-bit numbers and bytes: number of cases, frames; then per case lanes and beats a frame of its input,
// lanes and beats of its output, number of edges, patience (cycles without any transfer after which the core counts
// as stuck), then the input's beats of all frames and the output's, LANES bytes each. Three runs, see runs[]; a line
// of RESULTS per run and case: run, case, finished, mismatches, frame, beat, lane, have, want of the first,
// then the cycle in which each frame ended.
#include "Vops.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

// xorshift64* (Vigna 2016): short, and good enough for pauses.
struct Random {
    uint64_t state;
    explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1) {}
    uint64_t next()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545f4914f6cdd1du;
    }
};

struct Run {
    bool stalls;
    int reset_cycles;
    bool in_the_middle; // the reset interrupts frames that the last run left unfinished
};
static const Run runs[] = { { true, 1, false }, { false, 20, false }, { true, 1, true } };

struct Case {
    long in_lanes, in_beats, out_lanes, out_beats, n_edges, patience;
    std::vector<uint8_t> in, out;
    // state of a run
    bool offered, done, stuck;
    long sent, taken, last_move, mismatches;
    long frame, beat, lane;
    int have, want;
    std::vector<long> frame_end;

    void start()
    {
        offered = done = stuck = false;
        sent = taken = last_move = mismatches = frame = beat = lane = 0;
        have = want = 0;
        frame_end.clear();
    }
};

static std::vector<Case> cases;
static long frames;

static bool number(FILE *f, long *v)
{
    int64_t x;
    if (fread(&x, sizeof x, 1, f) != 1)
        return false;
    *v = (long)x;
    return true;
}

static bool bytes(FILE *f, std::vector<uint8_t> *v, long n)
{
    v->resize((size_t)n);
    return fread(v->data(), 1, (size_t)n, f) == (size_t)n;
}

static bool read_cases(const char *path)
{
    FILE *f = fopen(path, "rb");
    long n;
    bool ok = f && number(f, &n) && number(f, &frames);
    for (long i = 0; ok && i < n; i++) {
        Case c;
        ok = number(f, &c.in_lanes) && number(f, &c.in_beats) && number(f, &c.out_lanes) && number(f, &c.out_beats) &&
             number(f, &c.n_edges) && number(f, &c.patience) && bytes(f, &c.in, frames * c.in_beats * c.in_lanes) &&
             bytes(f, &c.out, frames * c.out_beats * c.out_lanes);
        cases.push_back(std::move(c));
    }
    if (f)
        fclose(f);
    return ok;
}

// Verilator keeps ports little endian, in whole words: bit i of a port is bit i % 8 of byte i / 8.
static void set_bit(void *port, size_t i, bool v)
{
    uint8_t *p = (uint8_t *)port + i / 8;
    *p = (uint8_t)((*p & ~(1 << i % 8)) | (v << i % 8));
}
static bool get_bit(const void *port, size_t i)
{
    return ((const uint8_t *)port)[i / 8] >> i % 8 & 1;
}

static void drive(Vops *top, size_t i, bool stalls, Random *rng)
{
    Case &c = cases[i];
    if (!c.offered && c.sent < frames * c.in_beats && (!stalls || rng->next() % 4 != 0)) {
        memset((uint8_t *)&top->in_data + 8 * i, 0, 8);
        memcpy((uint8_t *)&top->in_data + 8 * i, c.in.data() + c.sent * c.in_lanes, (size_t)c.in_lanes);
        c.offered = true;
    }
    set_bit(&top->in_valid, i, c.offered);
    set_bit(&top->out_ready, i, !stalls || rng->next() % 3 != 0);
    uint16_t stall = stalls ? (uint16_t)(rng->next() & rng->next() & ((1u << c.n_edges) - 1)) : 0;
    memcpy((uint8_t *)&top->stall + 2 * i, &stall, 2);
}

static void compare(Case *c, const uint8_t *have)
{
    if (c->taken >= frames * c->out_beats) { // a beat too many
        c->mismatches++;
        return;
    }
    const uint8_t *want = c->out.data() + c->taken * c->out_lanes;
    for (long lane = 0; lane < c->out_lanes; lane++) {
        if (have[lane] == want[lane] || c->mismatches++)
            continue;
        c->frame = c->taken / c->out_beats;
        c->beat = c->taken % c->out_beats;
        c->lane = lane;
        c->have = (int8_t)have[lane];
        c->want = (int8_t)want[lane];
    }
}

// What transfers at the coming edge. True while the case is under way.
static bool observe(const Vops *top, size_t i, long cycle)
{
    Case &c = cases[i];
    if (c.offered && get_bit(&top->in_ready, i)) {
        c.offered = false;
        c.sent++;
        c.last_move = cycle;
    }
    if (get_bit(&top->out_valid, i) && get_bit(&top->out_ready, i)) {
        compare(&c, (const uint8_t *)&top->out_data + 8 * i);
        c.last_move = cycle;
        if (++c.taken % c.out_beats == 0 && (long)c.frame_end.size() < frames)
            c.frame_end.push_back(cycle);
        c.done = c.taken >= frames * c.out_beats;
    }
    c.stuck = !c.done && cycle - c.last_move > c.patience;
    return !c.done && !c.stuck;
}

static void tick(Vops *top)
{
    top->clk = 1;
    top->eval();
    top->clk = 0;
}

static void reset(Vops *top, int cycles)
{
    top->rst = 1;
    memset((void *)&top->in_valid, 0, sizeof top->in_valid);
    memset((void *)&top->out_ready, 0, sizeof top->out_ready);
    for (int k = 0; k < cycles; k++) {
        top->clk = 0;
        top->eval();
        tick(top);
    }
    top->rst = 0;
    for (auto &c : cases)
        c.start();
}

static void simulate(Vops *top, bool stalls, long limit, Random *rng)
{
    bool busy = true;
    // cycles beyond the last case's end: a core must not give a beat too many
    for (long cycle = 0, rest = 200; rest > 0 && cycle < limit; cycle++) {
        for (size_t i = 0; i < cases.size(); i++)
            drive(top, i, stalls, rng);
        top->eval();
        busy = false;
        for (size_t i = 0; i < cases.size(); i++)
            busy |= observe(top, i, cycle);
        tick(top);
        if (!busy)
            rest--;
    }
}

static void report(FILE *f, int run)
{
    for (size_t i = 0; i < cases.size(); i++) {
        const Case &c = cases[i];
        fprintf(f, "%d %zu %d %ld %ld %ld %ld %d %d", run, i, c.done, c.mismatches, c.frame, c.beat, c.lane, c.have, c.want);
        for (long k = 0; k < frames; k++)
            fprintf(f, " %ld", k < (long)c.frame_end.size() ? c.frame_end[(size_t)k] : -1);
        fprintf(f, "\n");
    }
}

int main(int argc, char **argv)
{
    if (argc < 4 || !read_cases(argv[1])) {
        fprintf(stderr, "usage: %s CASES SEED RESULTS\n", argv[0]);
        return 2;
    }
    uint64_t seed = strtoull(argv[2], nullptr, 10);
    FILE *f = fopen(argv[3], "w");
    if (!f)
        return 2;
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vops> top;
    for (int k = 0; k < 3; k++) {
        Random rng(seed + (uint64_t)k);
        if (runs[k].in_the_middle) { // leaves frames half way, then resets
            for (auto &c : cases)
                c.start();
            simulate(top.get(), true, 150 + (long)(rng.next() % 500), &rng);
        } else {
            if (top)
                top->final();
            top.reset();
            context.reset(new VerilatedContext);
            context->randReset(2);
            context->randSeed((int)((seed + (uint64_t)k) % 1000000 + 1));
            top.reset(new Vops(context.get()));
        }
        reset(top.get(), runs[k].reset_cycles);
        simulate(top.get(), runs[k].stalls, 100000000, &rng);
        report(f, k);
    }
    top->final();
    return fclose(f) == 0 ? 0 : 2;
}

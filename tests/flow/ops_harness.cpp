// SPDX-License-Identifier: Apache-2.0
// ops_harness: runs all cores of the operator matrix side by side and compares what they give.
//
//     Vops CASES SEED RESULTS
//
// CASES is 64-bit numbers and bytes: number of cases, frames; then per case how many inputs and outputs, lanes and
// beats a frame of each input and of each output, number of edges, patience (cycles without any transfer after which
// the core counts as stuck), then each input's beats of all frames and each output's, LANES bytes each. Inputs and
// outputs of all cases are numbered in this order: port i has bit i of the handshakes and 64 bits of data. Three runs,
// see runs[]; a line of RESULTS per run and case: run, case, finished, mismatches, output, frame, beat, lane, have, want
// of the first, then the cycle in which the last output of each frame ended. With stalls, the inputs of a core
// begin at different times. A core that has ended has no clock any more: the longest runs six times as long as the mean.
#include "Vops.h"
#include "verilated.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "../../sim/random.hpp"

struct Run {
    bool stalls;
    int reset_cycles;
    bool in_the_middle; // the reset interrupts frames that the last run left unfinished
};
static const Run runs[] = { { true, 1, false }, { false, 20, false }, { true, 1, true } };

static long frames;

struct Port {
    size_t index; // among all inputs or outputs
    long lanes, beats;
    std::vector<uint8_t> data; // all frames
    // state of a run
    bool offered;
    long moved, late; // beats; cycles before the first is offered

    bool at_end() const { return moved >= frames * beats; }
    const uint8_t *next() const { return data.data() + moved * lanes; }
};

struct Case {
    std::vector<Port> in, out;
    long n_edges, patience;
    // state of a run
    bool done, stuck;
    long rest; // cycles that it still has a clock when it has ended: it must not give a beat too many
    long last_move, mismatches;
    size_t output;
    long frame, beat, lane;
    int have, want;
    std::vector<long> frame_end;

    void start()
    {
        for (auto *ports : { &in, &out })
            for (Port &p : *ports) {
                p.offered = false;
                p.moved = p.late = 0;
            }
        done = stuck = false;
        rest = 200;
        last_move = mismatches = frame = beat = lane = 0;
        output = 0;
        have = want = 0;
        frame_end.clear();
    }
};

static std::vector<Case> cases;

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
    long n, n_in, n_out;
    size_t ins = 0, outs = 0;
    bool ok = f && number(f, &n) && number(f, &frames);
    for (long i = 0; ok && i < n; i++) {
        Case c;
        ok = number(f, &n_in) && number(f, &n_out);
        c.in.resize(ok ? (size_t)n_in : 0);
        c.out.resize(ok ? (size_t)n_out : 0);
        for (auto *ports : { &c.in, &c.out })
            for (Port &p : *ports) {
                p.index = ports == &c.in ? ins++ : outs++;
                ok = ok && number(f, &p.lanes) && number(f, &p.beats);
            }
        ok = ok && number(f, &c.n_edges) && number(f, &c.patience);
        for (auto *ports : { &c.in, &c.out })
            for (Port &p : *ports)
                ok = ok && bytes(f, &p.data, frames * p.beats * p.lanes);
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

static void drive(Vops *top, size_t i, bool stalls, Random *rng, long cycle)
{
    Case &c = cases[i];
    for (Port &p : c.in) {
        if (!p.offered && !p.at_end() && cycle >= p.late && (!stalls || rng->next() % 4 != 0)) {
            memset((uint8_t *)&top->in_data + 8 * p.index, 0, 8);
            memcpy((uint8_t *)&top->in_data + 8 * p.index, p.next(), (size_t)p.lanes);
            p.offered = true;
        }
        set_bit(&top->in_valid, p.index, p.offered);
    }
    for (Port &p : c.out)
        set_bit(&top->out_ready, p.index, !stalls || rng->next() % 3 != 0);
    uint32_t stall = stalls ? (uint32_t)(rng->next() & rng->next() & ((1ull << c.n_edges) - 1)) : 0;
    memcpy((uint8_t *)&top->stall + 4 * i, &stall, 4);
}

static void compare(Case *c, size_t output, const uint8_t *have)
{
    const Port &p = c->out[output];
    if (p.at_end()) { // a beat too many
        c->mismatches++;
        return;
    }
    const uint8_t *want = p.next();
    for (long lane = 0; lane < p.lanes; lane++) {
        if (have[lane] == want[lane] || c->mismatches++)
            continue;
        c->output = output;
        c->frame = p.moved / p.beats;
        c->beat = p.moved % p.beats;
        c->lane = lane;
        c->have = (int8_t)have[lane];
        c->want = (int8_t)want[lane];
    }
}

// What transfers at the coming edge. True while the case is under way.
static bool observe(const Vops *top, size_t i, long cycle)
{
    Case &c = cases[i];
    for (Port &p : c.in)
        if (p.offered && get_bit(&top->in_ready, p.index)) {
            p.offered = false;
            p.moved++;
            c.last_move = cycle;
        }
    long ended = frames; // frames that every output has given
    for (size_t k = 0; k < c.out.size(); k++) {
        Port &p = c.out[k];
        if (get_bit(&top->out_valid, p.index) && get_bit(&top->out_ready, p.index)) {
            compare(&c, k, (const uint8_t *)&top->out_data + 8 * p.index);
            c.last_move = cycle;
            p.moved++;
        }
        ended = std::min(ended, p.moved / p.beats);
    }
    if (ended > (long)c.frame_end.size())
        c.frame_end.push_back(cycle);
    c.done = ended == frames;
    c.stuck = !c.done && cycle - c.last_move > c.patience;
    return !c.done && !c.stuck;
}

static void tick(Vops *top)
{
    for (size_t i = 0; i < cases.size(); i++)
        set_bit(&top->clk, i, cases[i].rest > 0);
    top->eval();
    memset((void *)&top->clk, 0, sizeof top->clk);
}

static void reset(Vops *top, int cycles)
{
    top->rst = 1;
    memset((void *)&top->in_valid, 0, sizeof top->in_valid);
    memset((void *)&top->out_ready, 0, sizeof top->out_ready);
    memset((void *)&top->clk, 0, sizeof top->clk);
    for (auto &c : cases)
        c.start();
    for (int k = 0; k < cycles; k++) {
        top->eval();
        tick(top);
    }
    top->rst = 0;
}

static void simulate(Vops *top, bool stalls, long limit, Random *rng)
{
    bool going = true;
    for (auto &c : cases)
        for (size_t k = 0; stalls && c.in.size() > 1 && k < c.in.size(); k++)
            c.in[k].late = (long)(rng->next() % 400);
    for (long cycle = 0; going && cycle < limit; cycle++) {
        for (size_t i = 0; i < cases.size(); i++)
            if (cases[i].rest)
                drive(top, i, stalls, rng, cycle);
        top->eval();
        going = false;
        for (size_t i = 0; i < cases.size(); i++)
            if (cases[i].rest) {
                cases[i].rest -= !observe(top, i, cycle);
                going = true;
            }
        tick(top);
    }
}

static void report(FILE *f, int run)
{
    for (size_t i = 0; i < cases.size(); i++) {
        const Case &c = cases[i];
        fprintf(f, "%d %zu %d %ld %zu %ld %ld %ld %d %d", run, i, c.done, c.mismatches, c.output, c.frame, c.beat, c.lane, c.have, c.want);
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

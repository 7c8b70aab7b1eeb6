// SPDX-License-Identifier: Apache-2.0
// harness: runs a Verilated core and compares every stream, beat by beat, with what the integer
// reference computed. Compiled by `aihls sim` with probes.h of the design.
//
//     Vcore REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED PATIENCE RESULT [TRACE.fst]
//
// REFERENCE: see reference.hpp. The result is a JSON object. With a stall seed, inputs pause, outputs block
// and every FIFO refuses its input at random, each on its own; with 0 nothing waits.
// A frame ends with the last beat of the last output.
//
// Registers and memories hold random values before the reset. With RESET_AT there is a second reset in that cycle, in
// the middle of whatever goes on: beats that were on offer stay on the wires meanwhile, as from a neighbour that knows
// nothing of it. Frames and counts start again behind it.
#include "Vcore.h"
#include "Vcore___024root.h"
#include "reference.hpp"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

struct Stream {
    const char *name;
    int lanes;
    long beats; // per frame
    const uint8_t *data, *valid, *ready;
    long seen = 0; // beats transferred
    long blocked = 0; // cycles in which data waited
    std::vector<long> first, last; // by frame: cycles of its first and last beat
};

// An input or output of the core and the stream that it carries.
struct Port {
    size_t stream;
    uint8_t *data, *valid, *ready;
    long moved = 0;       // beats
    bool offered = false; // input: the next beat is on the wires
};

struct Stage {
    const char *name;
    const uint8_t *busy;
    long busy_cycles = 0;
};

class Bench {
  public:
    Bench(int power_seed, const char *trace)
    {
        context.reset(new VerilatedContext);
        context->randReset(2);
        context->randSeed(power_seed);
        context->traceEverOn(trace != nullptr);
        top.reset(new Vcore(context.get()));
        auto *root = top->rootp;
#define STREAM(i, net, lanes_, beats_)                                                             \
    streams.push_back(Stream{ #net, lanes_, beats_, (const uint8_t *)&NET(root, net##_data),       \
                              &NET(root, net##_valid), &NET(root, net##_ready) });
        PROBE_STREAMS(STREAM)
#define PORT_OF(name, stream_) Port{ stream_, (uint8_t *)&top->name##_data, &top->name##_valid, &top->name##_ready }
#define INPUT(name, stream_) inputs.push_back(PORT_OF(name, stream_));
        PROBE_INPUTS(INPUT)
#define OUTPUT(name, stream_) outputs.push_back(PORT_OF(name, stream_));
        PROBE_OUTPUTS(OUTPUT)
#ifdef PROBE_CODE
#define CODE(name, n, file) code = Port{ 0, &top->name##_data, &top->name##_valid, &top->name##_ready };
        PROBE_CODE(CODE)
#endif
#define STAGE(i, unit) stages.push_back(Stage{ #unit, &NET(root, unit##__DOT__busy) });
        PROBE_STAGES(STAGE)
#if VM_TRACE
        if (trace) {
            fst.reset(new VerilatedFstC);
            top->trace(fst.get(), 99);
            fst->open(trace);
        }
#endif
    }

    ~Bench()
    {
#if VM_TRACE
        if (fst)
            fst->close();
#endif
        top->final();
    }

    // Half a period with the clock low: inputs settle. Then the rising edge.
    void settle()
    {
        top->clk = 0;
        top->eval();
        dump();
    }
    void edge()
    {
        top->clk = 1;
        top->eval();
        dump();
    }

    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vcore> top;
    std::vector<Stream> streams;
    std::vector<Port> inputs, outputs;
    std::vector<Stage> stages;
    Port code = {}; // for what the core must be given behind a reset: `bytes`, none for most
    const std::vector<uint8_t> bytes = code_bytes();

  private:
    void dump()
    {
#if VM_TRACE
        if (fst)
            fst->dump(context->time());
#endif
        context->timeInc(1);
    }
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> fst;
#endif
};

// Frames through the core, from the first one on, and what was counted since the last reset.
class Run {
  public:
    Run(Bench &bench, Reference &ref, uint64_t stall_seed) : b(bench), reference(ref), seed(stall_seed), rng(stall_seed)
    {
        memset((void *)&b.top->stall, 0, sizeof b.top->stall);
    }

    // The wires of inputs and outputs stay as they are. False when an input would take a beat in reset, which would be lost.
    bool reset(long cycles)
    {
        bool taken = false;
        b.top->rst = 1;
        for (long i = 0; i < cycles; i++) {
            b.settle();
            for (auto &p : b.inputs)
                taken |= *p.ready != 0;
            taken |= b.code.ready && *b.code.ready;
            b.edge();
        }
        b.top->rst = 0;
        for (auto *ports : { &b.inputs, &b.outputs })
            for (auto &p : *ports) {
                p.offered = false;
                p.moved = 0;
            }
        b.code.offered = false;
        b.code.moved = 0;
        for (auto &s : b.streams) {
            s.seen = s.blocked = 0;
            s.first.clear();
            s.last.clear();
        }
        for (auto &s : b.stages)
            s.busy_cycles = 0;
        cycle = last_move = 0;
        first_in = -1;
        frame_end.clear();
        return !taken;
    }

    // Until all frames are through, or until a cycle. False some cycles behind a mismatch, or when nothing moves any more.
    bool go(long until, long patience)
    {
        while ((long)frame_end.size() < reference.frames && cycle < until && cycle - last_move <= patience &&
               !(reference.mismatches && cycle - reference.first_cycle() > 1000)) {
            drive();
            b.settle();
            observe();
            for (auto &s : b.stages)
                s.busy_cycles += *s.busy;
            b.edge();
            cycle++;
        }
        return !reference.mismatches && cycle - last_move <= patience;
    }

    bool write(const char *path) const
    {
        FILE *r = fopen(path, "w");
        if (!r)
            return false;
        fprintf(r, "{\n\"frames\": %zu,\n\"cycles\": %ld,\n\"first_in\": %ld", frame_end.size(), cycle, first_in);
        reference.write(r);
        write_list(r, "frame_end", frame_end);
        write_list(r, "busy", b.stages, [](const Stage &s) { return s.busy_cycles; });
        write_list(r, "blocked", b.streams, [](const Stream &s) { return s.blocked; });
        write_list(r, "seen", b.streams, [](const Stream &s) { return s.seen; });
        // of the last frame that ended; -1: not there
        size_t shown = frame_end.size() - 1;
        write_list(r, "first_beat", b.streams, [shown](const Stream &s) { return shown < s.first.size() ? s.first[shown] : -1; });
        write_list(r, "last_beat", b.streams, [shown](const Stream &s) { return shown < s.last.size() ? s.last[shown] : -1; });
        fprintf(r, "\n}\n");
        bool ok = !ferror(r);
        return fclose(r) == 0 && ok;
    }

  private:
    // Inputs of this cycle.
    void drive()
    {
        for (auto &p : b.inputs) {
            const Stream &s = b.streams[p.stream];
            if (!p.offered && p.moved < s.beats * reference.frames && (!seed || rng.next() % 4 != 0)) {
                memcpy(p.data, reference.wanted(p.stream, p.moved / s.beats) + (size_t)(p.moved % s.beats) * (size_t)s.lanes, (size_t)s.lanes); // ports are little endian, in whole words
                p.offered = true;
            }
            *p.valid = p.offered;
        }
        if (b.code.valid) {
            const bool more = b.code.moved < (long)b.bytes.size();
            b.code.offered = b.code.offered || (more && (!seed || rng.next() % 4 != 0));
            *b.code.valid = b.code.offered;
            *b.code.data = more ? b.bytes[(size_t)b.code.moved] : 0;
        }
        for (auto &p : b.outputs)
            *p.ready = !seed || rng.next() % 3 != 0;
        uint8_t *stall = (uint8_t *)&b.top->stall;
        for (int e = 0; seed && e < N_EDGES; e += 8) {
            uint8_t bits = (uint8_t)(rng.next() & rng.next());
            if (e + 8 > N_EDGES)
                bits &= (uint8_t)((1 << (N_EDGES - e)) - 1);
            stall[e / 8] = bits;
        }
    }

    // Beat number n of stream i since the first frame.
    void compare(size_t i, long n, const uint8_t *have)
    {
        const Stream &s = b.streams[i];
        if (n / s.beats < reference.frames)
            reference.compare(i, n / s.beats, (size_t)(n % s.beats) * (size_t)s.lanes, have, (size_t)s.lanes, cycle);
    }

    // What transfers at the coming edge.
    void observe()
    {
        for (size_t i = 0; i < b.streams.size(); i++) {
            Stream &s = b.streams[i];
            bool valid = *s.valid, ready = *s.ready;
            s.blocked += valid && !ready;
            if (!valid || !ready)
                continue;
            last_move = cycle;
            if (s.seen % s.beats == 0)
                s.first.push_back(cycle);
            compare(i, s.seen++, s.data);
            if (s.seen % s.beats == 0)
                s.last.push_back(cycle);
        }
        for (auto &p : b.inputs)
            if (p.offered && *p.ready) {
                if (first_in < 0)
                    first_in = cycle;
                p.moved++;
                p.offered = false;
            }
        if (b.code.offered && *b.code.ready) {
            last_move = cycle;
            b.code.moved++;
            b.code.offered = false;
        }
        long ended = reference.frames; // frames that every output has had
        for (auto &p : b.outputs) {
            if (*p.valid && *p.ready) {
                last_move = cycle;
                compare(p.stream, p.moved++, p.data);
            }
            ended = std::min(ended, p.moved / b.streams[p.stream].beats);
        }
        if (ended > (long)frame_end.size())
            frame_end.push_back(cycle);
    }

    Bench &b;
    Reference &reference;
    uint64_t seed;
    Random rng;
    long cycle = 0, last_move = 0, first_in = -1;
    std::vector<long> frame_end;
};

int main(int argc, char **argv)
{
    if (argc < 9) {
        fprintf(stderr, "usage: %s REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED PATIENCE RESULT [TRACE]\n", argv[0]);
        return 2;
    }
    long frames = atol(argv[2]), reset_cycles = atol(argv[4]), reset_at = atol(argv[5]), patience = atol(argv[7]);
    Bench b((int)(atoll(argv[3]) % INT_MAX) + 1, argc > 9 ? argv[9] : nullptr);
    Reference reference(frames);
    if (!reference.read(argv[1])) {
        fprintf(stderr, "harness: cannot read %s\n", argv[1]);
        return 2;
    }
    for (auto &p : b.inputs)
        *p.valid = 0;
    for (auto &p : b.outputs)
        *p.ready = 0;
    if (b.code.valid)
        *b.code.valid = 0;
    Run run(b, reference, strtoull(argv[6], nullptr, 10));
    bool quiet = run.reset(reset_cycles);
    if (reset_at && run.go(reset_at, patience))
        quiet = run.reset(reset_cycles) && quiet;
    if (!quiet) {
        fprintf(stderr, "harness: an input is ready in reset\n");
        return 1;
    }
    run.go(LONG_MAX, patience);
    if (!run.write(argv[8])) {
        fprintf(stderr, "harness: cannot write %s\n", argv[8]);
        return 2;
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// line: a Verilated shell at the end of a line, what uart.cpp and spi.cpp share. Compiled by `aihls sim --shell uart|spi` with
// probes.h and line.h of the design, and with the run-time library: the host's side of the protocol is that of the driver, aihls_uart.c.
//
//     Vuart REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE.fst]
//     Vuart --pty
//
// REFERENCE is what harness.cpp reads; its inputs are sent, and what comes back is compared. The host's clock varies by
// STALL_SEED. With FAULT_SEED the line is disturbed both ways: short glitches, longer ones that change bits, silences that swallow
// whole bytes. With RESET_AT the wires' reset comes in about that cycle: the frame under way is lost and said to be, those that
// follow are right.
//
// --pty: opens a pseudo-terminal, prints its path, and is the device at its end until it is killed.
#ifndef LINE_HPP
#define LINE_HPP

#include "line.h"
#include "reference.hpp"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <pty.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "../driver/libaihls/aihls_uart.h"

extern "C" const struct aihls_network NETWORK;

// One wire's noise: now and then it is held at a level for some cycles.
class Noise {
  public:
    explicit Noise(uint64_t seed) : rng(seed), on(seed != 0) {}
    bool disturb(bool level)
    {
        if (!on)
            return level;
        if (left == 0 && rng.next() % 40000 == 0) {
            static const int lengths[] = { 1, 1, DIVIDE / 2, DIVIDE, 3 * DIVIDE, 40 * DIVIDE };
            left = lengths[(rng.next() >> 8) % 6];
            forced = (rng.next() >> 8) % 2;
            events++;
        }
        if (left == 0)
            return level;
        left--;
        return forced;
    }
    long events = 0;

  private:
    Random rng;
    bool on, forced = false;
    int left = 0;
};

// The board: the design, its clock and reset. The line is the derived class's.
template <class Top> class Board {
  public:
    Board(int power_seed, const char *trace)
    {
        context.reset(new VerilatedContext);
        context->randReset(2);
        context->randSeed(power_seed);
        context->traceEverOn(trace != nullptr);
        top.reset(new Top(context.get()));
#if VM_TRACE
        if (trace) {
            fst.reset(new VerilatedFstC);
            top->trace(fst.get(), 99);
            fst->open(trace);
        }
#endif
    }
    virtual ~Board()
    {
#if VM_TRACE
        if (fst)
            fst->close();
#endif
        top->final();
    }

    void reset(long cycles)
    {
        top->aresetn = 0;
        for (long i = 0; i < cycles; i++)
            tick();
        top->aresetn = 1;
    }

    void tick()
    {
        top->clk = 0;
        drive(*top);
        top->eval();
        dump();
        sample(*top);
        top->clk = 1;
        top->eval();
        dump();
        now++;
        if (now == reset_at)
            reset(3);
    }

    static int64_t now_us(void *board) { return static_cast<Board *>(board)->now * 1000000 / CLOCK_HZ; }

    virtual struct aihls_uart_line line() = 0;
    virtual long noise() const = 0;
    long now = 0, reset_at = 0;

  protected:
    // The wires to the design in the cycle that begins, and from it.
    virtual void drive(Top &top) = 0;
    virtual void sample(const Top &top) = 0;

  private:
    void dump()
    {
#if VM_TRACE
        if (fst)
            fst->dump(context->time());
#endif
        context->timeInc(1);
    }

    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Top> top;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> fst;
#endif
};

// ---- the back end: aihls_uart.c on the simulated line ----

static size_t state_bytes(const struct aihls_backend *, const struct aihls_network *net)
{
    return aihls_uart_state_bytes(sizeof(struct aihls_uart), net);
}

static enum aihls_status open_device(struct aihls_device *d)
{
    return aihls_uart_open(d, static_cast<const struct aihls_uart_line *>(d->options->device));
}

static void close_device(struct aihls_device *) {}

static const struct aihls_backend backend = { "line", nullptr, state_bytes, open_device, aihls_uart_submit, aihls_uart_wait, close_device };

// ---- frames ----

template <class Top> class Program {
  public:
    Program(Board<Top> &board, Reference &ref) : b(board), reference(ref)
    {
#define PORT(name, stream) ports.push_back(stream);
        PROBE_INPUTS(PORT)
        n_inputs = ports.size();
        PROBE_OUTPUTS(PORT)
#undef PORT
    }

    // The first failure's text, or NULL.
    const char *run()
    {
        struct aihls_options options = {};
        struct aihls *a;
        const struct aihls_uart_line line = b.line();
        options.device = &line;
        enum aihls_status s = aihls_open(&NETWORK, &backend, &options, &a);
        if (s)
            return aihls_status_text(s);
        for (; !s && done < reference.frames; done++)
            s = run_frame(a);
        aihls_close(&a);
        return s ? aihls_status_text(s) : nullptr;
    }

    bool write(const char *path, const char *failure) const
    {
        FILE *f = fopen(path, "w");
        if (!f)
            return false;
        fprintf(f, "{\n\"frames\": %ld,\n\"cycles\": %ld,\n\"marked\": %ld,\n\"noise\": %ld,\n\"latency\": [%ld]", done, b.now, lost, b.noise(), latency);
        reference.write(f);
        if (failure)
            fprintf(f, ",\n\"failure\": \"frame %ld: %s\"", done, failure);
        fprintf(f, "\n}\n");
        bool ok = !ferror(f);
        return fclose(f) == 0 && ok;
    }

  private:
    enum aihls_status run_frame(struct aihls *a)
    {
        std::vector<aihls_input> inputs;
        std::vector<aihls_output> outputs;
        std::vector<std::vector<int8_t>> have;
        struct aihls_frame frame;
        for (size_t p = 0; p < ports.size(); p++) {
            const size_t bytes = reference.streams[ports[p]].bytes;
            have.emplace_back(bytes);
            if (p < n_inputs)
                inputs.push_back(aihls_input{ reference.wanted(ports[p], done), AIHLS_STREAM, (int32_t)bytes });
            else
                outputs.push_back(aihls_output{ have[p].data(), AIHLS_STREAM, (int32_t)bytes });
        }
        const long before = b.now;
        enum aihls_status s = aihls_run(a, inputs.data(), (int32_t)inputs.size(), outputs.data(), (int32_t)outputs.size(), &frame);
        if (s == AIHLS_E_DEVICE && b.reset_at > before && b.reset_at <= b.now && !lost++)
            return AIHLS_OK; // the wires' reset took it
        if (s)
            return s;
        latency = (long)frame.latency_cycles;
        for (size_t p = n_inputs; p < ports.size(); p++)
            reference.compare(ports[p], done, 0, have[p].data(), have[p].size(), b.now);
        return AIHLS_OK;
    }

    Board<Top> &b;
    Reference &reference;
    long done = 0, lost = 0, latency = 0;
    size_t n_inputs = 0;
    std::vector<size_t> ports; // their streams
};

// The near end of a pseudo-terminal whose path is printed, -1: there is none. Its far end stays open too: the near one must not hang
// up between two programs.
static int open_terminal()
{
    int near, far;
    char path[128];
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CS8;
    if (openpty(&near, &far, path, &raw, nullptr) != 0)
        return -1;
    puts(path);
    fflush(stdout);
    return near;
}

// main of a program; LineBoard has a constructor (power_seed, stall_seed, fault_seed, trace), and serve(terminal) for --pty.
template <class LineBoard, class Top> static int line_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--pty") == 0) {
        LineBoard board(1, 0, 0, nullptr);
        board.reset(4);
        const int terminal = open_terminal();
        return terminal < 0 ? 2 : board.serve(terminal);
    }
    if (argc < 10) {
        fprintf(stderr, "usage: %s REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE]\n       %s --pty\n", argv[0], argv[0]);
        return 2;
    }
    LineBoard board((int)(atoll(argv[3]) % INT_MAX) + 1, strtoull(argv[6], nullptr, 10), strtoull(argv[7], nullptr, 10), argc > 10 ? argv[10] : nullptr);
    Reference reference(atol(argv[2]));
    Program<Top> program(board, reference);
    if (!reference.read(argv[1])) {
        fprintf(stderr, "%s: cannot read %s\n", argv[0], argv[1]);
        return 2;
    }
    board.reset(atol(argv[4]));
    board.reset_at = atol(argv[5]);
    if (!program.write(argv[9], program.run())) {
        fprintf(stderr, "%s: cannot write %s\n", argv[0], argv[9]);
        return 2;
    }
    return 0;
}

#endif

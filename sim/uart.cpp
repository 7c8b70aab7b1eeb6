// SPDX-License-Identifier: Apache-2.0
// uart: a Verilated NAME_uart at the end of a serial line. Compiled by `aihls sim --shell uart` with probes.h and uart.h of
// the design, and with the run-time library: the host's side of the protocol is that of the driver, aihls_uart.c.
//
//     Vuart REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE.fst]
//     Vuart --pty
//
// REFERENCE is what harness.cpp reads; its inputs are sent, and what comes back is compared. The host's clock runs up to
// 2 % fast or slow, by STALL_SEED. With FAULT_SEED the line is disturbed both ways: short glitches, longer ones that
// change bits, silences that swallow whole bytes. With RESET_AT the wires' reset comes in about that cycle: the frame under
// way is lost and said to be, those that follow are right.
//
// --pty: opens a pseudo-terminal, prints its path, and is the device at its end until it is killed.
#include "Vuart.h"
#include "reference.hpp"
#include "uart.h"
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

// One direction's noise: now and then the line is held at a level for some cycles.
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

// The board, and the host's end of the line: its sender and receiver, with a clock of their own.
class Board {
  public:
    Board(int power_seed, uint64_t stall_seed, uint64_t fault_seed, const char *trace)
        : bit(DIVIDE * (1.0 + (stall_seed ? ((double)(stall_seed * 2654435761u % 1001) / 1000 - 0.5) * 0.04 : 0))), to(fault_seed), from(fault_seed ? fault_seed + 1 : 0)
    {
        context.reset(new VerilatedContext);
        context->randReset(2);
        context->randSeed(power_seed);
        context->traceEverOn(trace != nullptr);
        top.reset(new Vuart(context.get()));
        top->rxd = 1;
#if VM_TRACE
        if (trace) {
            fst.reset(new VerilatedFstC);
            top->trace(fst.get(), 99);
            fst->open(trace);
        }
#endif
    }
    ~Board()
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
        top->rxd = to.disturb(sender());
        top->eval();
        dump();
        receiver(from.disturb(top->txd));
        top->clk = 1;
        top->eval();
        dump();
        now++;
        if (now == reset_at)
            reset(3);
    }

    std::deque<uint8_t> out, in; // for the device, from it
    long now = 0, reset_at = 0;
    long noise() const { return to.events + from.events; }
    bool idle() const { return out.empty() && !sending && !receiving; }

  private:
    bool sender()
    {
        if (!sending && !out.empty()) {
            sending = true;
            frame = 1u << 9 | (unsigned)out.front() << 1;
            out.pop_front();
            sent_at = 0;
        }
        if (!sending)
            return true;
        const int at = (int)(sent_at / bit);
        sent_at += 1;
        if (sent_at >= 10 * bit)
            sending = false;
        return frame >> at & 1;
    }

    void receiver(bool level)
    {
        if (!receiving) {
            if (before && !level) {
                receiving = true;
                taken = 0;
                got = 0;
                next_at = bit / 2;
                age = 0;
            }
            before = level;
            return;
        }
        age += 1;
        if (age < next_at)
            return;
        next_at += bit;
        if (taken == 0 && level)
            receiving = false; // a glitch
        else if (taken >= 1 && taken <= 8)
            got |= (unsigned)level << (taken - 1);
        else if (taken == 9) {
            receiving = false;
            if (level)
                in.push_back((uint8_t)got);
        }
        taken++;
        before = level;
    }

    void dump()
    {
#if VM_TRACE
        if (fst)
            fst->dump(context->time());
#endif
        context->timeInc(1);
    }

    double bit, sent_at = 0, age = 0, next_at = 0;
    bool sending = false, receiving = false, before = true;
    unsigned frame = 0, got = 0;
    int taken = 0;
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vuart> top;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> fst;
#endif
    Noise to, from;
};

// ---- the back end: aihls_uart.c on the simulated line ----

static int64_t now_us(void *user)
{
    return static_cast<Board *>(user)->now * 1000000 / CLOCK_HZ;
}

static bool send_bytes(void *user, const uint8_t *bytes, size_t n)
{
    Board *b = static_cast<Board *>(user);
    b->out.insert(b->out.end(), bytes, bytes + n);
    return true;
}

static int receive_bytes(void *user, uint8_t *bytes, size_t n, int64_t timeout_us)
{
    Board *b = static_cast<Board *>(user);
    const int64_t end = now_us(user) + timeout_us;
    while (b->in.empty() && now_us(user) < end)
        b->tick();
    size_t k = 0;
    for (; k < n && !b->in.empty(); k++) {
        bytes[k] = b->in.front();
        b->in.pop_front();
    }
    return (int)k;
}

static size_t state_bytes(const struct aihls_backend *, const struct aihls_network *net)
{
    return aihls_uart_state_bytes(sizeof(struct aihls_uart), net);
}

static enum aihls_status open_device(struct aihls_device *d)
{
    const struct aihls_uart_line line = { const_cast<void *>(d->options->device), send_bytes, receive_bytes, now_us, CLOCK_HZ / DIVIDE, 100 };
    return aihls_uart_open(d, &line);
}

static void close_device(struct aihls_device *) {}

static const struct aihls_backend backend = { "uart", nullptr, state_bytes, open_device, aihls_uart_submit, aihls_uart_wait, close_device };

// ---- frames ----

class Program {
  public:
    Program(Board &board, Reference &ref) : b(board), reference(ref)
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
        options.device = &b;
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

    Board &b;
    Reference &reference;
    long done = 0, lost = 0, latency = 0;
    size_t n_inputs = 0;
    std::vector<size_t> ports; // their streams
};

// The device at the end of a pseudo-terminal. Time passes only while there is something to do.
static int serve(Board &b)
{
    int master, slave;
    char path[128];
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CS8;
    if (openpty(&master, &slave, path, &raw, nullptr) != 0) // slave stays open: the master must not hang up between two programs
        return 2;
    puts(path);
    fflush(stdout);
    for (long quiet = 0;;) {
        uint8_t bytes[256];
        struct pollfd p = { master, POLLIN, 0 };
        if (poll(&p, 1, quiet > 100000 ? -1 : 0) > 0) {
            const ssize_t n = read(master, bytes, sizeof bytes);
            if (n <= 0)
                return 0;
            send_bytes(&b, bytes, (size_t)n);
        }
        for (int i = 0; i < 1000; i++)
            b.tick();
        quiet = b.idle() && b.in.empty() ? quiet + 1000 : 0;
        while (!b.in.empty()) {
            if (::write(master, &b.in.front(), 1) != 1)
                return 0;
            b.in.pop_front();
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--pty") == 0) {
        Board board(1, 0, 0, nullptr);
        board.reset(4);
        return serve(board);
    }
    if (argc < 10) {
        fprintf(stderr, "usage: %s REFERENCE FRAMES POWER_SEED RESET_CYCLES RESET_AT STALL_SEED FAULT_SEED PATIENCE RESULT [TRACE]\n       %s --pty\n", argv[0], argv[0]);
        return 2;
    }
    Board board((int)(atoll(argv[3]) % INT_MAX) + 1, strtoull(argv[6], nullptr, 10), strtoull(argv[7], nullptr, 10), argc > 10 ? argv[10] : nullptr);
    Reference reference(atol(argv[2]));
    Program program(board, reference);
    if (!reference.read(argv[1])) {
        fprintf(stderr, "uart: cannot read %s\n", argv[1]);
        return 2;
    }
    board.reset(atol(argv[4]));
    board.reset_at = atol(argv[5]);
    if (!program.write(argv[9], program.run())) {
        fprintf(stderr, "uart: cannot write %s\n", argv[9]);
        return 2;
    }
    return 0;
}

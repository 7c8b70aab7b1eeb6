// SPDX-License-Identifier: Apache-2.0
// uart: a Verilated NAME_uart at the end of a serial line, bit by bit (line.hpp). The host's clock runs up to 2 % fast or slow, by
// STALL_SEED.
#include "Vuart.h"
#include "line.hpp"

// The host's end: its sender and receiver, with a clock of their own.
class Serial : public Board<Vuart> {
  public:
    Serial(int power_seed, uint64_t stall_seed, uint64_t fault_seed, const char *trace)
        : Board(power_seed, trace), bit(DIVIDE * (1.0 + (stall_seed ? ((double)(stall_seed * 2654435761u % 1001) / 1000 - 0.5) * 0.04 : 0))), to(fault_seed),
          from(fault_seed ? fault_seed + 1 : 0)
    {
    }

    struct aihls_uart_line line() override { return { this, send, receive, now_us, CLOCK_HZ / DIVIDE, 100 }; }
    long noise() const override { return to.events + from.events; }

    // The device at the end of a pseudo-terminal. Time passes only while there is something to do.
    int serve(int terminal)
    {
        for (long quiet = 0;;) {
            uint8_t bytes[256];
            struct pollfd p = { terminal, POLLIN, 0 };
            if (poll(&p, 1, quiet > 100000 ? -1 : 0) > 0) {
                const ssize_t n = read(terminal, bytes, sizeof bytes);
                if (n <= 0)
                    return 0;
                send(this, bytes, (size_t)n);
            }
            for (int i = 0; i < 1000; i++)
                tick();
            quiet = out.empty() && !sending && !receiving && in.empty() ? quiet + 1000 : 0;
            while (!in.empty()) {
                if (::write(terminal, &in.front(), 1) != 1)
                    return 0;
                in.pop_front();
            }
        }
    }

  private:
    static bool send(void *user, const uint8_t *bytes, size_t n)
    {
        Serial *s = static_cast<Serial *>(user);
        s->out.insert(s->out.end(), bytes, bytes + n);
        return true;
    }

    static int receive(void *user, uint8_t *bytes, size_t n, int64_t timeout_us)
    {
        Serial *s = static_cast<Serial *>(user);
        const int64_t end = now_us(user) + timeout_us;
        while (s->in.empty() && now_us(user) < end)
            s->tick();
        size_t k = 0;
        for (; k < n && !s->in.empty(); k++) {
            bytes[k] = s->in.front();
            s->in.pop_front();
        }
        return (int)k;
    }

    void drive(Vuart &top) override { top.rxd = to.disturb(sender()); }
    void sample(const Vuart &top) override { receiver(from.disturb(top.txd)); }

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

    std::deque<uint8_t> out, in; // for the device, from it
    double bit, sent_at = 0, age = 0, next_at = 0;
    bool sending = false, receiving = false, before = true;
    unsigned frame = 0, got = 0;
    int taken = 0;
    Noise to, from;
};

int main(int argc, char **argv)
{
    return line_main<Serial, Vuart>(argc, argv);
}

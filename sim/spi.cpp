// SPDX-License-Identifier: Apache-2.0
// spi: a Verilated NAME_spi at an SPI host, bit by bit (line.hpp). SCK has DIVIDE cycles, both halves the same; with STALL_SEED each
// half has up to as many more, and there are pauses between bytes and in front of cs_n. The driver's part is aihls_spi.c.
//
// What goes through the pseudo-terminal of --pty: the number of bytes, two of them, low first; the bytes that go out; back come as many.
#include "Vspi.h"
#include "line.hpp"

#include "../driver/libaihls/aihls_spi.h"

class Spi : public Board<Vspi> {
  public:
    Spi(int power_seed, uint64_t stall_seed, uint64_t fault_seed, const char *trace)
        : Board(power_seed, trace), rng(stall_seed), late(stall_seed != 0), noises{ Noise(fault_seed), Noise(fault_seed ? fault_seed + 1 : 0), Noise(fault_seed ? fault_seed + 2 : 0),
                                                                                   Noise(fault_seed ? fault_seed + 3 : 0) }
    {
        spi.user = this;
        spi.exchange = exchange;
        spi.now_us = now_us;
    }

    struct aihls_uart_line line() override { return aihls_spi_line(&spi, CLOCK_HZ / DIVIDE, 100); }

    long noise() const override
    {
        long n = 0;
        for (const Noise &wire : noises)
            n += wire.events;
        return n;
    }

    // The device at the end of a pseudo-terminal. Time passes while bytes do, and a little behind them.
    int serve(int terminal)
    {
        for (;;) {
            uint8_t length[2], bytes[65535];
            if (!read_all(terminal, length, 2))
                return 0;
            const size_t n = length[0] | (size_t)length[1] << 8;
            if (!read_all(terminal, bytes, n))
                return 0;
            exchange(this, bytes, bytes, n);
            run(1000);
            for (size_t at = 0; at < n;) {
                const ssize_t k = ::write(terminal, bytes + at, n - at);
                if (k <= 0)
                    return 0;
                at += (size_t)k;
            }
        }
    }

  private:
    static bool read_all(int file, uint8_t *bytes, size_t n)
    {
        for (ssize_t k; n; bytes += k, n -= (size_t)k)
            if ((k = read(file, bytes, n)) <= 0)
                return false;
        return true;
    }

    void run(long cycles)
    {
        for (long i = 0; i < cycles; i++)
            tick();
    }

    int half() { return DIVIDE / 2 + (late ? (int)(rng.next() % (DIVIDE / 2 + 1)) : 0); }
    int pause() { return late && rng.next() % 4 == 0 ? (int)(rng.next() % 100) : 0; }

    uint8_t byte(uint8_t out)
    {
        unsigned in = 0;
        for (int i = 7; i >= 0; i--) {
            mosi = out >> i & 1;
            run(half());
            in = in << 1 | seen; // what stood in front of the edge
            sck = true;
            run(half());
            sck = false;
        }
        run(pause());
        return (uint8_t)in;
    }

    static bool exchange(void *user, const uint8_t *out, uint8_t *in, size_t n)
    {
        Spi *s = static_cast<Spi *>(user);
        s->cs_n = false;
        s->run(s->pause()); // and half a period in front of the first edge
        for (size_t i = 0; i < n; i++)
            in[i] = s->byte(out[i]);
        s->cs_n = true;
        s->run(DIVIDE / 2 + s->pause());
        return true;
    }

    void drive(Vspi &top) override
    {
        top.cs_n = noises[0].disturb(cs_n);
        top.sck = noises[1].disturb(sck);
        top.mosi = noises[2].disturb(mosi);
    }

    // Where nobody drives miso it is high.
    void sample(const Vspi &top) override { seen = noises[3].disturb(top.miso || !top.miso_en); }

    struct aihls_spi spi = {};
    bool cs_n = true, sck = false, mosi = false, seen = true;
    Random rng;
    bool late;
    Noise noises[4];
};

int main(int argc, char **argv)
{
    return line_main<Spi, Vspi>(argc, argv);
}

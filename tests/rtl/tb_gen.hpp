// SPDX-License-Identifier: Apache-2.0
// What the test generators share: random numbers, exact rounding, bit-packed memory images
// and the text of a case (source, device, ROMs, sink) in a generated Verilog top.
#pragma once
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Random {
    uint64_t state;
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ull + 1) {}
    uint64_t next()
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state * 0x2545F4914F6CDD1Dull;
    }
    int range(int lo, int hi) { return lo + (int)((next() >> 20) % (uint64_t)(hi - lo + 1)); }
    bool chance(int percent) { return range(0, 99) < percent; }
    int pick(std::initializer_list<int> of) { return of.begin()[range(0, (int)of.size() - 1)]; }
    int64_t bits_signed(int bits)
    {
        if (chance(4)) return chance(50) ? -(1ll << (bits - 1)) : (1ll << (bits - 1)) - 1;
        return (int64_t)(next() >> 8 << (64 - bits)) >> (64 - bits);
    }
    uint64_t bits(int n) { return n == 0 ? 0 : (next() >> 3) & ((1ull << n) - 1); }
};

// How often source and sink rest, of 256 cycles; `none`: never, so that cycles can be checked.
struct Stalls {
    int in, out;
    bool none;
    explicit Stalls(Random &r) : in(0), out(0), none(r.chance(40))
    {
        if (!none) in = r.pick({0, 40, 128, 220}), out = r.pick({0, 40, 128, 220});
    }
};

inline int seed_of(Random &r) { return r.range(1, 1 << 30); }

inline std::vector<int> random_elements(Random &r, size_t count)
{
    std::vector<int> v(count);
    for (int &e : v) e = (int)r.bits_signed(8);
    return v;
}

inline int ceil_div(int a, int b) { return (a + b - 1) / b; }
inline int clog2(int n) { int b = 0; while ((1ll << b) < n) b++; return b; }
inline int addr_bits(int depth) { return depth <= 2 ? 1 : clog2(depth); }
inline int signed_bits(int64_t lo, int64_t hi)
{
    int b = 2;
    while (lo < -(1ll << (b - 1)) || hi > (1ll << (b - 1)) - 1) b++;
    return b;
}

// v * 2^-shift rounded half to even, then offset and clamp: the definition, on 128 bits.
inline int requantize(__int128 v, int shift, int zero, int lo, int hi)
{
    __int128 floor = shift >= 120 ? (v < 0 ? -1 : 0) : v >> shift;
    __int128 rest = shift >= 120 ? v - floor : v - (floor << shift);
    if (shift > 0 && shift < 120) {
        __int128 half = (__int128)1 << (shift - 1);
        if (rest > half || (rest == half && (floor & 1))) floor++;
    } else if (shift >= 120 && v < 0) {
        floor = 0;
    }
    floor += zero;
    return floor < lo ? lo : floor > hi ? hi : (int)floor;
}

// A memory image: words of `width` bits, written as $readmemh text.
struct Image {
    int width;
    std::vector<std::vector<uint8_t>> words; // one byte per bit
    explicit Image(int w) : width(w) {}
    void add() { words.push_back(std::vector<uint8_t>((size_t)width)); }
    void set(int at, int bits, int64_t value)
    {
        for (int i = 0; i < bits; i++) words.back()[(size_t)(at + i)] = (value >> i) & 1;
    }
    void write(const std::string &path) const
    {
        FILE *f = fopen(path.c_str(), "w");
        if (!f) { perror(path.c_str()); exit(1); }
        for (auto &w : words) {
            for (int d = ceil_div(width, 4) - 1; d >= 0; d--) {
                int v = 0;
                for (int i = 0; i < 4; i++)
                    if (4 * d + i < width) v |= w[(size_t)(4 * d + i)] << i;
                fputc("0123456789abcdef"[v], f);
            }
            fputc('\n', f);
        }
        fclose(f);
    }
};

// Elements of a stream (pixel by pixel, `channels` each) as beats of `lanes`, of `bits` each.
template <class Element> Image beats_of(const std::vector<Element> &elements, int channels, int lanes, int bits = 8)
{
    Image image(lanes * bits);
    for (size_t p = 0; p < elements.size() / (size_t)channels; p++)
        for (int c = 0; c < channels; c++) {
            if (c % lanes == 0) image.add();
            image.set(c % lanes * bits, bits, elements[p * (size_t)channels + (size_t)c]);
        }
    return image;
}

struct Top {
    std::string text, dir, done, fail;
    int cases = 0;
    explicit Top(const std::string &d) : dir(d) {}
    void out(const char *format, ...) __attribute__((format(printf, 2, 3)))
    {
        char line[4096];
        va_list args;
        va_start(args, format);
        vsnprintf(line, sizeof line, format, args);
        va_end(args);
        text += line;
    }
    std::string file(const char *what, int index = 0) const
    {
        return dir + "/c" + std::to_string(cases) + "_" + what + std::to_string(index) + ".hex";
    }
    void begin(const char *note)
    {
        out("// %s\nmodule tb_case_%d (input wire clk, input wire rst, output wire done, "
            "output wire fail);\n", note, cases);
    }
    // A source `name` of an image, giving wires name_data, name_valid, name_ready.
    void source(const char *name, const Image &image, int seed, int stall)
    {
        std::string path = file(name);
        image.write(path);
        out("    wire [%d:0] %s_data; wire %s_valid, %s_ready;\n", image.width - 1, name, name, name);
        out("    tb_source #(.WIDTH(%d), .COUNT(%zu), .FILE(\"%s\"), .SEED(%d), .STALL(%d)) u_%s "
            "(.clk(clk), .rst(rst), .data(%s_data), .valid(%s_valid), .ready(%s_ready));\n",
            image.width, image.words.size(), path.c_str(), seed, stall, name, name, name, name);
    }
    void sink(const char *name, const Image &image, int frame, int seed, int stall,
              int64_t interval, int64_t least = -1)
    {
        std::string path = file(name);
        image.write(path);
        out("    wire [%d:0] %s_data; wire %s_valid, %s_ready, done_%s, fail_%s;\n", image.width - 1,
            name, name, name, name, name);
        out("    tb_sink #(.WIDTH(%d), .COUNT(%zu), .FRAME(%d), .FILE(\"%s\"), .NAME(\"case %d\"), "
            ".SEED(%d), .STALL(%d), .INTERVAL(%lld), .LEAST(%lld)) u_%s (.clk(clk), .rst(rst), "
            ".data(%s_data), .valid(%s_valid), .ready(%s_ready), .done(done_%s), .fail(fail_%s));\n",
            image.width, image.words.size(), frame, path.c_str(), cases, seed, stall,
            (long long)interval, (long long)(least < 0 ? interval : least), name, name, name, name, name, name);
        verdict(name);
    }
    void rom(const char *name, int index, const Image &image, int block, const char *en,
             const char *addr, const char *data)
    {
        std::string path = file(name, index);
        image.write(path);
        out("    aihls_rom #(.WIDTH(%d), .DEPTH(%zu), .FILE(\"%s\"), .BLOCK(%d)) u_%s_%d "
            "(.clk(clk), .en(%s), .addr(%s), .data(%s));\n", image.width, image.words.size(),
            path.c_str(), block, name, index, en, addr, data);
    }
    // Joins wires done_NAME and fail_NAME to the case's verdict.
    void verdict(const std::string &name)
    {
        done += ", done_" + name;
        fail += ", fail_" + name;
    }
    void end()
    {
        out("    assign done = &{1'b1%s};\n    assign fail = |{1'b0%s};\n", done.c_str(), fail.c_str());
        done.clear();
        fail.clear();
        out("endmodule\n\n");
        cases++;
    }
    void finish()
    {
        out("module top (input wire clk, input wire rst, output wire done, output wire fail);\n"
            "    wire [%d:0] d, f;\n", cases - 1);
        for (int i = 0; i < cases; i++)
            out("    tb_case_%d u_%d (.clk(clk), .rst(rst), .done(d[%d]), .fail(f[%d]));\n", i, i, i, i);
        out("    assign done = &d;\n    assign fail = |f;\nendmodule\n");
        std::string path = dir + "/top.v";
        FILE *o = fopen(path.c_str(), "w");
        if (!o) { perror(path.c_str()); exit(1); }
        fputs(text.c_str(), o);
        fclose(o);
    }
};

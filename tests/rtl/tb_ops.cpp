// SPDX-License-Identifier: Apache-2.0
// Generates random cases of the operator stages with stimuli and expected streams, computed
// by definition.  usage: tb_ops gather|concat|ctable|mul|argmax|search|ops SEED COUNT DIR
#include "tb_gen.hpp"
#include <algorithm>
#include <cstring>

// Measures the cycles from the acceptance of word `words` of stream `in` to the first output.
static void latency(Top &t, const char *in, int words, int cycles)
{
    t.out("    wire done_latency, fail_latency;\n"
          "    tb_latency #(.NAME(\"case %d\"), .WORDS(%d), .LATENCY(%d)) u_latency (.clk(clk), .rst(rst), "
          ".take(%s_valid && %s_ready), .valid(m_valid), .done(done_latency), .fail(fail_latency));\n",
          t.cases, words, cycles, in, in);
    t.verdict("latency");
}

// An axis of a gather: the word position that an index adds, or FILL.
static const int FILLED = -1;
typedef std::vector<int> Axis;

static Axis steps(int count, int stride)
{
    Axis a;
    for (int i = 0; i < count; i++) a.push_back(i * stride);
    return a;
}

static Axis sliced(Random &r, int size, int stride)
{
    int first = r.range(0, size - 1), last = r.range(0, size - 1), step = r.range(1, 3);
    Axis a;
    if (first <= last) for (int i = first; i <= last; i += step) a.push_back(i * stride);
    else for (int i = first; i >= last; i -= step) a.push_back(i * stride);
    return a;
}

static Axis padded(Random &r, int size, int stride, int mode) // 0 constant, 1 edge, 2 reflect
{
    int before = r.range(0, 4), after = r.range(0, 4);
    if (mode == 2) before = std::min(before, size - 1), after = std::min(after, size - 1);
    Axis a;
    for (int i = -before; i < size + after; i++) {
        int at = std::min(std::max(i, 0), size - 1);
        if (mode == 2) at = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
        a.push_back(mode == 0 && (i < 0 || i >= size) ? FILLED : at * stride);
    }
    return a;
}

static Axis enlarged(int size, int stride, int factor, bool zeros)
{
    Axis a;
    for (int i = 0; i < size * factor; i++) a.push_back(zeros && i % factor ? FILLED : i / factor * stride);
    return a;
}

static Axis split(int size, int stride, int parts, int part_stride) // size*parts: outer, inner
{
    Axis a;
    for (int i = 0; i < size * parts; i++) a.push_back(i / parts * stride + i % parts * part_stride);
    return a;
}

static Axis anywhere(Random &r, int below)
{
    Axis a;
    for (int i = r.range(1, 5); i > 0; i--) a.push_back(r.chance(15) ? FILLED : r.range(0, below - 1));
    return a;
}

struct Gather {
    const char *note;
    int in_words;
    Axis y, x, c;
};

static Gather random_gather(Random &r, int kind)
{
    int h = r.range(1, 7), w = r.range(1, 7), c = r.range(1, 4), mode = r.range(0, 2), b = r.range(2, 3);
    int row = w * c, words = h * row, factor = r.range(2, 4);
    int size[3] = {h, w, c}, stride[3] = {row, c, 1}, order[3] = {0, 1, 2};
    Gather g = {"", words, steps(h, row), steps(w, c), steps(c, 1)};
    switch (kind % 12) {
    case 0: g.note = "identity"; break;
    case 1: g.note = "slice", g.y = sliced(r, h, row), g.x = sliced(r, w, c), g.c = sliced(r, c, 1); break;
    case 2: g.note = "pad", g.y = padded(r, h, row, mode), g.x = padded(r, w, c, mode); break;
    case 3: g.note = "pad by constant", g.y = padded(r, h, row, 0), g.x = padded(r, w, c, 0), g.c = padded(r, c, 1, 0); break;
    case 4: g.note = "pad by reflection", g.y = padded(r, h, row, 2), g.x = padded(r, w, c, 2); break;
    case 5: g.note = "upsample", g.y = enlarged(h, row, factor, false), g.x = enlarged(w, c, factor, false); break;
    case 6: g.note = "insert zeros", g.y = enlarged(h, row, factor, true), g.x = enlarged(w, c, factor, true); break;
    case 7:
        g.note = "transpose";
        for (int i = 2; i > 0; i--) std::swap(order[i], order[r.range(0, i)]);
        g.y = steps(size[order[0]], stride[order[0]]), g.x = steps(size[order[1]], stride[order[1]]);
        g.c = steps(size[order[2]], stride[order[2]]);
        break;
    case 8: // pixels of b*b*c words to b x b pixels of c
        g.note = "depth to space", g.in_words = words * b * b;
        g.y = split(h, row * b * b, b, b * c), g.x = split(w, b * b * c, b, c);
        break;
    case 9:
        g.note = "space to depth", g.in_words = words * b * b;
        g.y = steps(h, row * b * b), g.x = steps(w, b * c), g.c.clear();
        for (int i = 0; i < b * b * c; i++) g.c.push_back(i / c / b * (row * b) + i / c % b * c + i % c);
        break;
    case 10: // one pixel, or one word, everywhere
        g.note = "broadcast", g.in_words = r.chance(50) ? c : 1;
        for (int &v : g.y) v = 0;
        for (int &v : g.x) v = 0;
        if (g.in_words == 1) g.c = Axis(1, 0);
        if (r.chance(50)) g.y = g.x = Axis(1, 0);
        break;
    case 11: {
        int a = r.range(1, words), d = r.range(1, words - a + 1);
        g.note = "any map", g.y = anywhere(r, a), g.x = anywhere(r, d), g.c = anywhere(r, words - a - d + 2);
        break;
    }
    }
    return g;
}

static Image map_image(const Axis &axis, int map_w)
{
    Image image(map_w + 1);
    for (int v : axis) image.add(), image.set(0, map_w, v == FILLED ? 5 : v), image.set(map_w, 1, v == FILLED);
    return image;
}

static void gather_case(Top &t, Random &r)
{
    Gather g = random_gather(r, t.cases);
    int frames = 6, lanes = r.pick({1, 1, 2, 3, 4, 8, 16}), fill = r.range(-128, 127), in_words = g.in_words;
    int rows = (int)g.y.size(), out_words = rows * (int)g.x.size() * (int)g.c.size();
    std::vector<int> in = random_elements(r, (size_t)(frames * in_words * lanes)), out, need, free;
    for (int f = 0; f < frames; f++)
        for (int y : g.y)
            for (int x : g.x)
                for (int c : g.c)
                    for (int l = 0; l < lanes; l++)
                        out.push_back(y < 0 || x < 0 || c < 0 ? fill
                                      : in[(size_t)((f * in_words + y + x + c) * lanes + l)]);
    std::vector<int> lowest;
    for (int y : g.y) {
        int first = in_words, last = -1;
        for (int x : g.x)
            for (int c : g.c)
                if (y >= 0 && x >= 0 && c >= 0) first = std::min(first, y + x + c), last = std::max(last, y + x + c);
        need.push_back(last + 1), lowest.push_back(first);
    }
    int least = 2, keep = in_words;
    free.assign((size_t)rows, in_words);
    for (int i = rows - 1; i > 0; i--) free[(size_t)i - 1] = keep = std::min(keep, lowest[(size_t)i]);
    for (int i = 0; i < rows; i++) least = std::max(least, need[(size_t)i] - (i ? free[(size_t)i - 1] : 0));
    Stalls stalls(r);
    int ring = r.pick({least, least, least + r.range(0, 5), std::max(2, in_words), std::max(2, 2 * in_words)});
    bool exact = stalls.none && r.chance(80), reduced = r.chance(40);
    if (exact) ring = 2 * in_words + (reduced ? 6 : 5); // whole frames overlap in no less than this
    // positions as they are, or modulo the ring
    int modulo = reduced ? ring : in_words, limit = reduced ? 3 * ring - 2 : in_words;
    int bits = addr_bits(modulo), extra = r.range(0, 2), cnt_w = signed_bits(0, in_words) - 1 + r.range(0, 1);
    int map_w = bits + extra;
    Axis y = g.y, x = g.x, c = g.c;
    for (Axis *a : {&y, &x, &c})
        for (int &v : *a) if (v != FILLED) v %= modulo;
    Image y_image(2 * cnt_w + map_w + 1);
    for (int i = 0; i < rows; i++) {
        int v = y[(size_t)i];
        y_image.add(), y_image.set(0, map_w, v == FILLED ? 3 : v), y_image.set(map_w, 1, v == FILLED);
        y_image.set(map_w + 1, cnt_w, need[(size_t)i]), y_image.set(map_w + 1 + cnt_w, cnt_w, free[(size_t)i]);
    }
    int stages = 0;
    if (ring & (ring - 1)) stages = std::max(1, clog2(ceil_div(limit + ring - 1, ring)));
    std::string note = std::string("gather: ") + g.note;
    t.begin(note.c_str());
    t.source("s", beats_of(in, lanes, lanes), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, lanes, lanes), out_words, seed_of(r), stalls.out, exact ? std::max(in_words, out_words) : 0);
    t.out("    wire [%d:0] y_addr; wire [%d:0] x_addr; wire [%d:0] c_addr; wire y_en, map_en;\n",
          addr_bits(rows) - 1, addr_bits((int)x.size()) - 1, addr_bits((int)c.size()) - 1);
    t.out("    wire [%d:0] y_data; wire [%d:0] x_data, c_data;\n", y_image.width - 1, map_w);
    t.rom("y", 0, y_image, r.range(0, 1), "y_en", "y_addr", "y_data");
    t.rom("x", 0, map_image(x, map_w), r.range(0, 1), "map_en", "x_addr", "x_data");
    t.rom("c", 0, map_image(c, map_w), r.range(0, 1), "map_en", "c_addr", "c_data");
    t.out("    aihls_gather #(.LANES(%d), .IN_WORDS(%d), .RING_WORDS(%d), .OUT_Y(%d), .OUT_X(%d), .OUT_W(%d), .MAP_W(%d), "
          ".CNT_W(%d), .POS_LIMIT(%d), .FILL(%d), .BLOCK(%d)) u_dut (.clk(clk), .rst(rst), .s_act_data(s_data), "
          ".s_act_valid(s_valid), .s_act_ready(s_ready), .y_en(y_en), .y_addr(y_addr), .y_data(y_data), .map_en(map_en), "
          ".x_addr(x_addr), .x_data(x_data), .c_addr(c_addr), .c_data(c_data), .m_act_data(m_data), .m_act_valid(m_valid), "
          ".m_act_ready(m_ready));\n", lanes, in_words, ring, rows, (int)x.size(), (int)c.size(), map_w, cnt_w, limit, fill,
          r.range(0, 1));
    latency(t, "s", std::max(1, need[0]), 7 + stages);
    t.out("    tb_busy #(.NAME(\"case %d\"), .LEAST(%d), .MOST(%d)) u_busy (.clk(clk), .rst(rst), "
          ".busy(u_dut.busy), .done(done));\n", t.cases, frames * out_words, frames * out_words);
    t.end();
}

static void concat_case(Top &t, Random &r)
{
    int lanes = r.pick({1, 2, 4, 16}), a_beats = r.range(1, 5), b_beats = r.range(1, 5), frames = 40;
    std::vector<int> a = random_elements(r, (size_t)(frames * a_beats * lanes)), out;
    std::vector<int> b = random_elements(r, (size_t)(frames * b_beats * lanes));
    for (int f = 0; f < frames; f++) {
        out.insert(out.end(), a.begin() + f * a_beats * lanes, a.begin() + (f + 1) * a_beats * lanes);
        out.insert(out.end(), b.begin() + f * b_beats * lanes, b.begin() + (f + 1) * b_beats * lanes);
    }
    Stalls stalls(r);
    t.begin("concat");
    t.source("a", beats_of(a, lanes, lanes), seed_of(r), stalls.in);
    t.source("b", beats_of(b, lanes, lanes), seed_of(r), stalls.none ? 0 : r.pick({0, 100, 200}));
    t.sink("m", beats_of(out, lanes, lanes), a_beats + b_beats, seed_of(r), stalls.out, stalls.none ? a_beats + b_beats : 0);
    latency(t, "a", 1, 1);
    t.out("    aihls_concat #(.LANES(%d), .A_BEATS(%d), .B_BEATS(%d)) u_dut (.clk(clk), .rst(rst), .s_a_data(a_data), "
          ".s_a_valid(a_valid), .s_a_ready(a_ready), .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, a_beats, b_beats);
    t.end();
}

static void ctable_case(Top &t, Random &r)
{
    int channels = r.range(1, 20), lanes = r.range(1, std::min(8, channels)), pixels = 100;
    int beats = ceil_div(channels, lanes), addr_w = 8 + clog2(beats);
    std::vector<int> in = random_elements(r, (size_t)(pixels * channels)), out;
    std::vector<int> entries = random_elements(r, (size_t)(beats * lanes * 256)); // of missing channels too
    for (size_t i = 0; i < in.size(); i++)
        out.push_back(entries[i % (size_t)channels * 256 + (size_t)(in[i] & 255)]);
    Stalls stalls(r);
    t.begin("ctable");
    t.source("s", beats_of(in, channels, lanes), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, channels, lanes), beats, seed_of(r), stalls.out, stalls.none ? beats : 0);
    latency(t, "s", 1, 2);
    t.out("    wire t_en; wire [%d:0] t_addr; wire [%d:0] t_data;\n", lanes * addr_w - 1, lanes * 8 - 1);
    for (int l = 0; l < lanes; l++) {
        Image image(8);
        for (int b = 0; b < beats; b++)
            for (int x = 0; x < 256; x++)
                image.add(), image.set(0, 8, entries[(size_t)((b * lanes + l) * 256 + x)]);
        std::string addr = "t_addr[" + std::to_string(l * addr_w) + " +: " + std::to_string(addr_w) + "]";
        std::string data = "t_data[" + std::to_string(l * 8) + " +: 8]";
        t.rom("t", l, image, r.range(0, 1), "t_en", addr.c_str(), data.c_str());
    }
    t.out("    aihls_ctable #(.LANES(%d), .CHANNELS(%d)) u_dut (.clk(clk), .rst(rst), .s_act_data(s_data), "
          ".s_act_valid(s_valid), .s_act_ready(s_ready), .t_en(t_en), .t_addr(t_addr), .t_data(t_data), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, channels);
    t.end();
}

static void mul_case(Top &t, Random &r)
{
    int channels = r.range(1, 9), lanes = r.range(1, std::min(4, channels)), pixels = 400;
    int mult_bits = r.pick({24, 24, 24, 12, 3, 1}), mult = (int)r.bits(mult_bits - 1) | 1 << (mult_bits - 1);
    if (r.chance(10)) mult = (1 << mult_bits) - 1;
    int a_zp = r.pick({-128, 127, 0, r.range(-128, 127)}), b_zp = r.pick({-128, 127, 0, r.range(-128, 127)});
    // most products within the range of a byte; powers of two make ties
    int shift = r.chance(75) ? mult_bits + r.range(2, 9) : r.range(1, 62);
    if (r.chance(30)) mult = 1 << (mult_bits - 1), shift = mult_bits + r.range(0, 7);
    int zp = r.range(-128, 127), lo = r.chance(60) ? -128 : r.range(-128, zp), hi = r.chance(60) ? 127 : r.range(zp, 127);
    std::vector<int> a = random_elements(r, (size_t)(pixels * channels)), b = random_elements(r, a.size()), out;
    for (size_t i = 0; i < a.size(); i++)
        out.push_back(requantize((__int128)(a[i] - a_zp) * (b[i] - b_zp) * mult, shift, zp, lo, hi));
    Stalls stalls(r);
    t.begin("mul");
    t.source("a", beats_of(a, channels, lanes), seed_of(r), stalls.in);
    t.source("b", beats_of(b, channels, lanes), seed_of(r), stalls.none ? 0 : r.pick({0, 100, 200}));
    t.sink("m", beats_of(out, channels, lanes), ceil_div(channels, lanes), seed_of(r), stalls.out,
           stalls.none ? ceil_div(channels, lanes) : 0);
    if (stalls.none) latency(t, "a", 1, 10);
    t.out("    aihls_mul #(.LANES(%d), .CHANNELS(%d), .A_ZP(%d), .B_ZP(%d), .MULT(%d), .SHIFT(%d), .ZERO_POINT(%d), "
          ".CLAMP_LO(%d), .CLAMP_HI(%d)) u_dut (.clk(clk), .rst(rst), .s_a_data(a_data), "
          ".s_a_valid(a_valid), .s_a_ready(a_ready), .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n",
          lanes, channels, a_zp, b_zp, mult, shift, zp, lo, hi);
    t.end();
}

static void argmax_case(Top &t, Random &r)
{
    int lanes = r.pick({1, 2, 3, 4, 5, 8, 16}), channels = r.chance(20) ? r.range(100, 256) : r.range(1, 24), pixels = 150;
    int last = r.range(0, 1), offset = channels > 128 ? 128 : r.range(0, 128), beats = ceil_div(channels, lanes);
    int mode = r.range(0, 2); // any values, few different ones, the least ones
    std::vector<int> in = random_elements(r, (size_t)(pixels * channels)), out;
    for (int &v : in) v = mode == 1 ? v & 3 : mode == 2 ? (v < 100 ? -128 : -127) : v;
    for (int p = 0; p < pixels; p++) {
        int best = 0;
        for (int c = 1; c < channels; c++) {
            int v = in[(size_t)(p * channels + c)], b = in[(size_t)(p * channels + best)];
            if (v > b || (last && v == b)) best = c;
        }
        out.push_back(best - offset);
    }
    Stalls stalls(r);
    t.begin("argmax");
    t.source("s", beats_of(in, channels, lanes), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, 1, 1), 1, seed_of(r), stalls.out, stalls.none ? beats : 0);
    latency(t, "s", beats, 2 + clog2(lanes));
    t.out("    aihls_argmax #(.LANES(%d), .CHANNELS(%d), .OFFSET(%d), .LAST(%d)) u_dut (.clk(clk), .rst(rst), "
          ".s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready), .m_act_data(m_data), "
          ".m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, channels, offset, last);
    t.end();
}

static void search_case(Top &t, Random &r)
{
    int channels = r.range(1, 9), lanes = r.range(1, std::min(4, channels)), pixels = 150, sum_w = r.pick({9, 12, 17, 20, 33, 40});
    int64_t most = (int64_t)1 << (sum_w - 1), most_sum = most - 1;
    std::vector<int64_t> threshold(256), sums;
    for (int64_t &v : threshold) v = r.chance(10) ? r.pick({0, 1}) * most : (int64_t)r.bits(r.range(1, sum_w - 1));
    threshold[0] = 0;
    std::sort(threshold.begin(), threshold.end()); // equal ones, some that are always and some that are never reached
    std::vector<int> out;
    for (int i = 0; i < pixels * channels; i++) {
        int64_t near = threshold[(size_t)r.range(0, 255)] + r.range(-1, 1);
        int64_t sum = r.chance(60) ? std::min(std::max(near, (int64_t)0), most_sum) : (int64_t)r.bits(r.range(1, sum_w - 1));
        int reached = 0;
        for (int k = 1; k < 256; k++) reached += sum >= threshold[(size_t)k];
        sums.push_back(sum), out.push_back(reached - 128);
    }
    Stalls stalls(r);
    t.begin("search");
    t.source("s", beats_of(sums, channels, lanes, sum_w), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, channels, lanes), ceil_div(channels, lanes), seed_of(r), stalls.out,
           stalls.none ? ceil_div(channels, lanes) : 0);
    latency(t, "s", 1, 17);
    t.out("    wire t_en; wire [%d:0] t_addr; wire [%d:0] t_data;\n", lanes * 29 - 1, lanes * 8 * sum_w - 1);
    for (int l = 0, at = 0; l < lanes; l++)
        for (int j = 0; j < 8; j++) {
            Image image(sum_w);
            for (int k = 0; k < 1 << j; k++)
                image.add(), image.set(0, sum_w, threshold[(size_t)((2 * k + 1) * (128 >> j))]);
            std::string addr = "t_addr[" + std::to_string(at) + " +: " + std::to_string(std::max(1, j)) + "]";
            std::string data = "t_data[" + std::to_string((l * 8 + j) * sum_w) + " +: " + std::to_string(sum_w) + "]";
            t.rom("t", l * 8 + j, image, r.range(0, 1), "t_en", addr.c_str(), data.c_str());
            at += std::max(1, j);
        }
    t.out("    aihls_search #(.LANES(%d), .CHANNELS(%d), .SUM_W(%d)) u_dut (.clk(clk), .rst(rst), .s_sum_data(s_data), "
          ".s_sum_valid(s_valid), .s_sum_ready(s_ready), .t_en(t_en), .t_addr(t_addr), .t_data(t_data), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, channels, sum_w);
    t.end();
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*make)(Top &, Random &); } kinds[] = {
        {"gather", gather_case}, {"concat", concat_case}, {"ctable", ctable_case}, {"mul", mul_case},
        {"argmax", argmax_case}, {"search", search_case},
    };
    const int n = (int)(sizeof kinds / sizeof *kinds);
    if (argc == 5)
        for (int k = 0; k <= n; k++)
            if (!strcmp(argv[1], k < n ? kinds[k].name : "ops")) { // ops: all in turn
                Top top(argv[4]);
                for (int i = 0; i < atoi(argv[3]); i++) {
                    Random r((uint64_t)atoll(argv[2]) * 1000 + (uint64_t)i);
                    kinds[k < n ? k : i % n].make(top, r);
                }
                top.finish();
                return 0;
            }
    fprintf(stderr, "usage: tb_ops gather|concat|ctable|mul|argmax|search|ops SEED COUNT DIR\n");
    return 2;
}

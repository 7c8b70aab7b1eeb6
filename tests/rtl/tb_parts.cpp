// SPDX-License-Identifier: Apache-2.0
// Generates random cases of the smaller templates with stimuli and expected streams,
// computed by definition.  usage: tb_parts requant|window|gap|add|table|stream|unpair SEED COUNT DIR
#include "tb_gen.hpp"
#include <algorithm>
#include <cstring>

struct Quant { // requantization constants of a case, per channel
    int bias_w, mult_w, shift_w, shift_min, cycles, zp, lo, hi, frac = 0;
    std::vector<int64_t> bias;
    std::vector<int> mult, shift;

    void controls(Random &r)
    {
        bias_w = r.pick({8, 16, 24, 32}), mult_w = r.pick({24, 24, 24, 17, 8, 1});
        cycles = r.pick({1, 1, 2, 3, 4, 6, 8, 12, 24});
        zp = r.chance(40) ? 0 : r.range(-128, 127);
        lo = r.chance(60) ? -128 : r.range(-128, zp), hi = r.chance(60) ? 127 : r.range(zp, 127);
    }
    // shifts anywhere: everything from all-saturated to all-zero must be right
    void anywhere(Random &r, int channels)
    {
        controls(r);
        shift_w = r.range(0, 6);
        shift_min = r.pick({0, 1, 2, r.range(0, 30), r.range(0, 62)});
        while (shift_min + (1 << shift_w) - 1 > 70) shift_w--;
        for (int c = 0; c < channels; c++) {
            bias.push_back(r.bits_signed(r.range(2, bias_w)));
            mult.push_back((int)r.bits(r.range(1, mult_w)));
            shift.push_back(shift_min + (int)r.bits(shift_w));
        }
    }
    void aimed(Random &r, int channels, int64_t peak)
    {
        controls(r);
        int least = 99, most = 0;
        for (int c = 0; c < channels; c++) {
            bias.push_back(r.chance(30) ? 0 : r.bits_signed(8));
            int m = mult_w == 1 ? 1 : (int)r.bits(mult_w - 1) | 1 << (mult_w - 1), s = 0;
            while ((double)peak * m / (double)(1ull << s) > 300.0) s++;
            s = std::max(0, s + r.range(-1, 2));
            mult.push_back(m), shift.push_back(s);
            least = std::min(least, s), most = std::max(most, s);
        }
        shift_min = least, shift_w = 0;
        while (most - least >= 1 << shift_w) shift_w++;
    }
    int result(int64_t acc, int c) const
    {
        size_t i = (size_t)c;
        return requantize((((__int128)acc << frac) + bias[i]) * mult[i], shift[i], zp, lo, hi);
    }
    Image image(int lanes) const
    {
        int lane_w = shift_w + mult_w + bias_w;
        Image params(lanes * lane_w);
        for (int c = 0; c < (int)bias.size(); c++) {
            int base = c % lanes * lane_w;
            if (c % lanes == 0) params.add();
            params.set(base, bias_w, bias[(size_t)c]);
            params.set(base + bias_w, mult_w, mult[(size_t)c]);
            params.set(base + bias_w + mult_w, shift_w, shift[(size_t)c] - shift_min);
        }
        return params;
    }
    void ports(Top &t, int lanes) const
    {
        int beats = ceil_div((int)bias.size(), lanes);
        t.out("    wire [%d:0] p_addr; wire [%d:0] p_data; wire p_en;\n", addr_bits(beats) - 1,
              lanes * (shift_w + mult_w + bias_w) - 1);
        t.rom("p", 0, image(lanes), beats > 64, "p_en", "p_addr", "p_data");
    }
    void parameters(Top &t) const
    {
        t.out(".BIAS_W(%d), .MULT_W(%d), .SHIFT_W(%d), .SHIFT_MIN(%d), .RQ_CYCLES(%d), .ZERO_POINT(%d), "
              ".CLAMP_LO(%d), .CLAMP_HI(%d)", bias_w, mult_w, shift_w, shift_min, cycles, zp, lo, hi);
    }
};

static void requant_case(Top &t, Random &r)
{
    int channels = r.range(1, 13), lanes = r.range(1, std::min(channels, 4)), pixels = 60;
    int acc_w = r.pick({2, 12, 18, 24, 30, 38, 40}), beats = ceil_div(channels, lanes);
    Stalls stalls(r);
    Quant q;
    q.anywhere(r, channels);
    q.frac = r.chance(40) ? r.range(1, 14) : 0;
    Image in(lanes * acc_w);
    std::vector<int> out;
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++) {
            int64_t x = r.bits_signed(r.range(2, acc_w));
            if (c % lanes == 0) in.add();
            in.set(c % lanes * acc_w, acc_w, x);
            out.push_back(q.result(x, c));
        }
    t.begin("requant");
    t.source("s", in, seed_of(r), stalls.in);
    t.sink("m", beats_of(out, channels, lanes), beats, seed_of(r), stalls.out,
           stalls.none ? beats * q.cycles : 0);
    q.ports(t, lanes);
    t.out("    aihls_requant #(.LANES(%d), .CHANNELS(%d), .ACC_W(%d), .BIAS_FRAC(%d), ", lanes, channels, acc_w, q.frac);
    q.parameters(t);
    t.out(") u_dut (.clk(clk), .rst(rst), .s_acc_data(s_data), .s_acc_valid(s_valid), .s_acc_ready(s_ready), "
          ".p_en(p_en), .p_addr(p_addr), .p_data(p_data), .m_act_data(m_data), .m_act_valid(m_valid), "
          ".m_act_ready(m_ready));\n");
    t.end();
}

static void window_case(Top &t, Random &r)
{
    int in_h = r.range(1, 8), in_w = r.range(1, 8), in_c = r.pick({1, 2, 3, 5, 6, 7, 8, 12}), frames = 4;
    int kh = r.range(1, 4), kw = r.range(1, 4), sh = r.range(1, 4), sw = r.range(1, 4);
    int depthwise = r.range(0, 1), pixels = depthwise ? r.range(1, 2) : 1;
    int dh = r.range(1, 3), dw = pixels == 2 ? 1 : r.range(1, 3), pt = r.range(0, 5), pl = r.range(0, 5);
    int eh = (kh - 1) * dh + 1, ew = (kw - 1) * dw + 1;
    int pb = std::max(r.range(0, 4), eh - in_h - pt), pr = std::max(r.range(0, 4), ew - in_w - pl);
    int out_h = (in_h + pt + pb - eh) / sh + 1, out_w = (in_w + pl + pr - ew) / sw + 1;
    int slices = 1, mp = depthwise ? 1 : r.range(1, 3), word, s_lanes;
    if (!depthwise && r.chance(40))
        do slices = r.range(1, in_c); while (in_c % slices);
    int slice = in_c / slices;
    for (;;) {
        word = r.range(1, std::min(slice + 2, 8)), s_lanes = r.range(1, word);
        if (word % s_lanes == 0 && (slices == 1 || slice % s_lanes == 0)) break;
    }
    int rows = r.chance(50) ? kh : 1, ring = eh + r.range(0, sh), pad = r.range(-128, 127);
    int words = ceil_div(slice, word);
    Stalls stalls(r);
    std::vector<int> in = random_elements(r, (size_t)(frames * in_h * in_w * in_c));
    int passes = depthwise ? words : slices * mp, inner = depthwise ? 1 : words;
    int columns = ceil_div(out_w, pixels), width = pixels * rows * word * 8;
    Image out(width + 2);
    for (int f = 0; f < frames; f++)
        for (int oy = 0; oy < out_h; oy++)
            for (int ox = 0; ox < columns; ox++)
                for (int pass = 0; pass < passes; pass++)
                    for (int step = 0; step < kh / rows * kw * inner; step++) {
                        int j = depthwise ? pass : step % inner, kx = step / inner % kw;
                        int ky = step / inner / kw * rows, first = depthwise ? 0 : pass / mp * slice;
                        out.add();
                        for (int c = 0; c < pixels * rows; c++) // a pair may reach beyond the image, as padding does
                            for (int e = 0; e < word; e++) {
                                int y = oy * sh - pt + (ky + c % rows) * dh, v = pad;
                                int x = (ox * pixels + c / rows) * sw - pl + kx * dw;
                                if (y >= 0 && y < in_h && x >= 0 && x < in_w)
                                    v = j * word + e < slice
                                        ? in[(size_t)(((f * in_h + y) * in_w + x) * in_c + first + j * word + e)] : 0;
                                out.set((c * word + e) * 8, 8, v);
                            }
                        out.set(width, 1, step == 0);
                        out.set(width + 1, 1, step == kh / rows * kw * inner - 1);
                    }
    t.begin("window");
    t.source("s", beats_of(in, in_c, s_lanes), seed_of(r), stalls.in);
    int steps = out_h * columns * passes * (kh / rows) * kw * inner;
    // whole frames in the ring and compute the slower side: one step per cycle, no bubble
    bool exact = stalls.none && r.chance(80);
    if (exact) ring = 2 * in_h + eh + sh;
    exact = exact && steps >= in_h * in_w * ceil_div(in_c, s_lanes) + in_w;
    t.sink("m", out, steps, seed_of(r), stalls.out, exact ? steps : 0);
    t.out("    wire en = !m_valid || m_ready; wire step, pre, first, last;\n"
          "    assign m_data[%d:%d] = {last, first};\n", width + 1, width);
    t.out("    aihls_window #(.S_LANES(%d), .WORD(%d), .IN_H(%d), .IN_W(%d), .IN_C(%d), .OUT_H(%d), .OUT_W(%d), "
          ".KERNEL_H(%d), .KERNEL_W(%d), .STRIDE_H(%d), .STRIDE_W(%d), .DIL_H(%d), .DIL_W(%d), .PAD_TOP(%d), "
          ".PAD_LEFT(%d), .SLICES(%d), .MP(%d), .DEPTHWISE(%d), .PIXELS(%d), .ROWS_PAR(%d), .RING_ROWS(%d), .BLOCK(%d), "
          ".PAD_VALUE(%d)) u_dut (.clk(clk), .rst(rst), .en(en), .s_act_data(s_data), .s_act_valid(s_valid), "
          ".s_act_ready(s_ready), .step(step), .m_pre(pre), .m_valid(m_valid), .m_first(first), .m_last(last), "
          ".m_data(m_data[%d:0]));\n", s_lanes, word, in_h, in_w, in_c, out_h, out_w, kh, kw, sh, sw, dh, dw, pt,
          pl, slices, mp, depthwise, pixels, rows, ring, r.range(0, 1), pad, width - 1);
    t.end();
}

static void gap_case(Top &t, Random &r)
{
    int in_h = r.range(1, 5), in_w = r.range(1, 5), in_c = r.range(1, 13), frames = 5;
    int pool_h = r.chance(60) ? in_h : r.range(1, in_h), pool_w = r.chance(60) ? in_w : r.range(1, in_w);
    int lanes = r.range(1, std::min(4, in_c)), beats = ceil_div(in_c, lanes);
    Stalls stalls(r);
    std::vector<int> in = random_elements(r, (size_t)(frames * in_h * in_w * in_c)), out;
    if (r.chance(20)) for (int &v : in) v = -128;
    static const char *const ops[] = {"AVG", "AVG", "MAX", "ABS", "SQR"};
    const char *op = ops[t.cases % 5];
    bool average = !strcmp(op, "AVG"), max = !strcmp(op, "MAX");
    int zero = r.range(-128, 127), acc_w = 8 + clog2(pool_h * pool_w);
    if (max) acc_w = 8;
    if (!strcmp(op, "ABS")) acc_w += 1 + r.range(0, 3);
    if (!strcmp(op, "SQR")) acc_w += 9 + r.range(0, 3);
    Quant q;
    q.aimed(r, in_c, 128 * pool_h * pool_w);
    if (!average) q.cycles = 1;
    for (int f = 0; f < frames; f++)
        for (int c = 0; c < in_c; c++) {
            int64_t sum = 0;
            int best = -128;
            for (int y = 0; y < pool_h; y++)
                for (int x = 0; x < pool_w; x++) {
                    int v = in[(size_t)(((f * in_h + y) * in_w + x) * in_c + c)];
                    int d = std::abs(v - zero);
                    sum += average || max ? v : !strcmp(op, "ABS") ? d : d * d, best = std::max(best, v);
                }
            out.push_back(max ? best : average ? q.result(sum, c) : (int)sum);
        }
    int cycles = in_h * in_w * beats + (beats - 1) * (q.cycles - 1)
               + std::max(0, q.cycles - 1 - (in_h * in_w - 1) * beats);
    t.begin(op);
    t.source("s", beats_of(in, in_c, lanes), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, in_c, lanes, average ? 8 : acc_w), beats, seed_of(r), stalls.out, stalls.none ? cycles : 0);
    q.ports(t, lanes);
    t.out("    aihls_gap #(.OP(\"%s\"), .S_LANES(%d), .IN_H(%d), .IN_W(%d), .IN_C(%d), .POOL_H(%d), .POOL_W(%d), .X_ZERO(%d), .ACC_W(%d), ",
          op, lanes, in_h, in_w, in_c, pool_h, pool_w, zero, acc_w);
    q.parameters(t);
    t.out(") u_dut (.clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready), "
          ".p_en(p_en), .p_addr(p_addr), .p_data(p_data), .m_act_data(m_data), .m_act_valid(m_valid), "
          ".m_act_ready(m_ready));\n");
    t.out("    tb_busy #(.NAME(\"case %d\"), .LEAST(%d), .MOST(%d)) u_busy (.clk(clk), .rst(rst), "
          ".busy(u_dut.busy), .done(done));\n", t.cases, frames * in_h * in_w * beats,
          stalls.out ? 0 : frames * cycles);
    t.end();
}

static void add_case(Top &t, Random &r)
{
    int channels = r.range(1, 9), lanes = r.range(1, std::min(4, channels)), pixels = 150;
    int mult_bits = r.pick({24, 24, 12, 3, 1});
    auto multiplier = [&] { int m = (int)r.bits(mult_bits); return r.chance(30) ? -m : m; };
    int a_zp = r.range(-128, 127), b_zp = r.range(-128, 127), a_mult = multiplier(), b_mult = multiplier();
    int shift = r.chance(70) ? r.range(std::max(0, mult_bits - 3), mult_bits + 3) : r.range(0, 40);
    int zp = r.range(-128, 127), lo = r.chance(60) ? -128 : r.range(-128, zp), hi = r.chance(60) ? 127 : r.range(zp, 127);
    std::vector<int> a = random_elements(r, (size_t)(pixels * channels)), b = random_elements(r, a.size()), out;
    for (size_t i = 0; i < a.size(); i++)
        out.push_back(requantize((__int128)(a[i] - a_zp) * a_mult + (__int128)(b[i] - b_zp) * b_mult, shift, zp, lo, hi));
    Stalls stalls(r);
    t.begin("add");
    t.source("a", beats_of(a, channels, lanes), seed_of(r), stalls.in);
    t.source("b", beats_of(b, channels, lanes), seed_of(r), stalls.none ? 0 : r.pick({0, 100, 200}));
    t.sink("m", beats_of(out, channels, lanes), ceil_div(channels, lanes), seed_of(r), stalls.out,
           stalls.none ? ceil_div(channels, lanes) : 0);
    t.out("    aihls_add #(.LANES(%d), .CHANNELS(%d), .A_ZP(%d), .B_ZP(%d), .A_MULT(%d), .B_MULT(%d), .SHIFT(%d), "
          ".ZERO_POINT(%d), .CLAMP_LO(%d), .CLAMP_HI(%d)) u_dut (.clk(clk), .rst(rst), .s_a_data(a_data), "
          ".s_a_valid(a_valid), .s_a_ready(a_ready), .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n",
          lanes, channels, a_zp, b_zp, a_mult, b_mult, shift, zp, lo, hi);
    t.end();
}

static void table_case(Top &t, Random &r)
{
    int channels = r.range(1, 9), lanes = r.range(1, std::min(4, channels)), pixels = 200;
    std::vector<int> in = random_elements(r, (size_t)(pixels * channels)), out;
    Image table(8);
    std::vector<int> entries = random_elements(r, 256);
    for (int e : entries) table.add(), table.set(0, 8, e);
    table.write(t.file("table"));
    for (int v : in) out.push_back(entries[(size_t)(v & 255)]);
    Stalls stalls(r);
    t.begin("table");
    t.source("s", beats_of(in, channels, lanes), seed_of(r), stalls.in);
    t.sink("m", beats_of(out, channels, lanes), ceil_div(channels, lanes), seed_of(r), stalls.out,
           stalls.none ? ceil_div(channels, lanes) : 0);
    t.out("    aihls_table #(.LANES(%d), .CHANNELS(%d), .FILE(\"%s\")) u_dut (.clk(clk), .rst(rst), "
          ".s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready), .m_act_data(m_data), "
          ".m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, channels, t.file("table").c_str());
    t.end();
}

// source -> fifo -> fork -> sink, and -> narrow -> fifo -> sink; and a fifo filled to the brim.
static void stream_case(Top &t, Random &r)
{
    int m_lanes = r.range(1, 3), s_lanes = m_lanes * r.range(1, 4), channels = r.range(1, 14), pixels = 60;
    std::vector<int> in = random_elements(r, (size_t)(pixels * channels));
    Image wide = beats_of(in, channels, s_lanes), narrow = beats_of(in, channels, m_lanes);
    Stalls stalls(r), other(r);
    int depth = r.pick({1, 2, 3, 4, 5, 8, 17, 33, 40}), block = r.range(0, 1), beats = ceil_div(channels, m_lanes);
    t.begin("stream");
    t.source("s", wide, seed_of(r), stalls.in);
    t.sink("x", wide, 1, seed_of(r), stalls.none ? 0 : other.out, 0);
    t.sink("y", narrow, beats, seed_of(r), stalls.out, stalls.none ? beats : 0);
    int w = s_lanes * 8;
    t.out("    wire [%d:0] q_data, n_data; wire q_valid, q_ready, n_valid, n_ready;\n"
          "    wire [%d:0] o_data; wire o_valid, o_ready, done_fill, fail_fill;\n", w - 1, m_lanes * 8 - 1);
    t.out("    aihls_fifo #(.WIDTH(%d), .DEPTH(%d), .BLOCK(%d)) u_q (.clk(clk), .rst(rst), .stall(1'b0), "
          ".s_data(s_data), .s_valid(s_valid), .s_ready(s_ready), .m_data(q_data), .m_valid(q_valid), "
          ".m_ready(q_ready));\n", w, depth, block);
    t.out("    aihls_fork #(.WIDTH(%d), .N(2)) u_fork (.clk(clk), .rst(rst), .s_data(q_data), .s_valid(q_valid), "
          ".s_ready(q_ready), .m_data({n_data, x_data}), .m_valid({n_valid, x_valid}), "
          ".m_ready({n_ready, x_ready}));\n", w);
    t.out("    aihls_narrow #(.S_LANES(%d), .M_LANES(%d), .CHANNELS(%d)) u_narrow (.clk(clk), .rst(rst), "
          ".s_act_data(n_data), .s_act_valid(n_valid), .s_act_ready(n_ready), .m_act_data(o_data), "
          ".m_act_valid(o_valid), .m_act_ready(o_ready));\n", s_lanes, m_lanes, channels);
    t.out("    aihls_fifo #(.WIDTH(%d), .DEPTH(%d), .BLOCK(%d)) u_o (.clk(clk), .rst(rst), .stall(1'b0), "
          ".s_data(o_data), .s_valid(o_valid), .s_ready(o_ready), .m_data(y_data), .m_valid(y_valid), "
          ".m_ready(y_ready));\n", m_lanes * 8, r.range(1, 9), 1 - block);
    t.out("    tb_fill #(.NAME(\"case %d\"), .DEPTH(%d), .BLOCK(%d)) u_fill (.clk(clk), .rst(rst), "
          ".done(done_fill), .fail(fail_fill));\n", t.cases, r.pick({1, 2, 3, 4, 16, 33, 34, 100}), block);
    t.verdict("fill");
    t.end();
}

// Words of both pixels of a pair in turn, the lanes without a channel full of noise, come out pixel by pixel; without
// stalls a row takes no cycle longer than it has beats.
static void unpair_case(Top &t, Random &r)
{
    int lanes = r.range(1, 3), word_beats = r.range(1, 5), word = lanes * word_beats, rows = 12;
    int channels = r.range(word + 1, 6 * word), beats = ceil_div(channels, lanes), out_w = r.range(1, 6);
    std::vector<int> out = random_elements(r, (size_t)(rows * out_w * channels));
    Image in(lanes * 8);
    for (int row = 0; row < rows; row++)
        for (int x = 0; x < out_w; x += 2)
            for (int from = 0; from < beats; from += word_beats)
                for (int p = x; p < std::min(x + 2, out_w); p++)
                    for (int c = from * lanes; c < std::min(from + word_beats, beats) * lanes; c++) {
                        if (c % lanes == 0) in.add();
                        in.set(c % lanes * 8, 8, c < channels ? out[(size_t)((row * out_w + p) * channels + c)]
                                                              : (int)r.bits_signed(8));
                    }
    Stalls stalls(r);
    t.begin("unpair");
    t.source("s", in, seed_of(r), stalls.in);
    t.sink("m", beats_of(out, channels, lanes), out_w * beats, seed_of(r), stalls.out, stalls.none ? out_w * beats : 0);
    t.out("    aihls_unpair #(.LANES(%d), .CHANNELS(%d), .WORD(%d), .OUT_W(%d)) u_dut (.clk(clk), .rst(rst), "
          ".s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready), .m_act_data(m_data), "
          ".m_act_valid(m_valid), .m_act_ready(m_ready));\n", lanes, channels, word, out_w);
    t.end();
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*make)(Top &, Random &); } kinds[] = {
        {"requant", requant_case}, {"window", window_case}, {"gap", gap_case},
        {"add", add_case}, {"table", table_case}, {"stream", stream_case}, {"unpair", unpair_case},
    };
    if (argc == 5)
        for (auto &kind : kinds)
            if (!strcmp(argv[1], kind.name)) {
                Top top(argv[4]);
                for (int i = 0; i < atoi(argv[3]); i++) {
                    Random r((uint64_t)atoll(argv[2]) * 1000 + (uint64_t)i);
                    kind.make(top, r);
                }
                top.finish();
                return 0;
            }
    fprintf(stderr, "usage: tb_parts requant|window|gap|add|table|stream|unpair SEED COUNT DIR\n");
    return 2;
}

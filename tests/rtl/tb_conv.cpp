// SPDX-License-Identifier: Apache-2.0
// Generates random cases of aihls_conv or aihls_dw with stimuli, memory images and the
// expected streams, computed by definition. A case of `pair` is an aihls_dw that packs two
// pixels.  usage: tb_conv conv|dw|pair SEED COUNT DIR
#include "tb_gen.hpp"
#include <algorithm>
#include <cstring>

struct Case {
    int in_h, in_w, in_c, out_h, out_w, out_c, kh, kw, sh, sw, dh, dw, pt, pl, pad_value;
    int groups, word, rows_par, ring, block, lanes, s_lanes, seg, pack, mul_dsp, lane_shift;
    int weight_bits, acc_w, rq_lanes, rq_cycles, bias_w, mult_w, shift_w, shift_min, zp, lo, hi;
    const char *tech, *op;
    int stall_in, stall_out;
    bool exact, by_pixel; // by_pixel: requantization parameters per pixel instead of per channel
};

// The power of its distances that a case adds up, 0: none.
static int power_of(const Case &c)
{
    return !strcmp(c.op, "ABS") ? 1 : !strcmp(c.op, "SQR") ? 2 : 0;
}

// Results that leave without a requantizer.
static bool bare(const Case &c, bool depthwise)
{
    return depthwise && (power_of(c) || !strcmp(c.op, "MAX"));
}

static int divisor(Random &r, int n)
{
    for (;;) {
        int d = r.range(1, n);
        if (n % d == 0) return d;
    }
}

static void random_geometry(Random &r, Case &c, bool depthwise, bool pair, int index)
{
    c.in_h = r.range(1, 9), c.in_w = r.range(1, 9);
    c.kh = r.range(1, 4), c.kw = r.range(1, 4);
    c.sh = r.range(1, 3), c.sw = r.range(1, 3), c.dh = r.range(1, 2), c.dw = r.range(1, 2);
    int pb = r.chance(50) ? r.range(0, 2) : 0, pr = r.chance(50) ? r.range(0, 2) : 0;
    c.pt = r.chance(50) ? r.range(0, 2) : 0, c.pl = r.chance(50) ? r.range(0, 2) : 0;
    c.in_c = r.range(1, 13);
    c.groups = 1;
    switch (index % 12) { // corners first, then chance
    case 0: c.in_h = c.in_w = c.kh = c.kw = 1; break;
    case 1: c.in_c = 1; break;
    case 2: c.pt = c.kh + 1, c.pl = c.kw + 2, pb = c.kh + 2, pr = c.kw; break;
    case 3: c.kh = c.in_h = 2, c.kh = 4, c.kw = 4, c.in_w = 3; break; // kernel > image
    case 4: c.kh = c.kw = 1, c.sh = 3, c.sw = 2; break;               // stride > kernel
    case 5: c.in_c = r.pick({7, 11, 13}); break;
    case 6: c.in_h = c.in_w = 1, c.kh = c.kw = 3, c.pt = c.pl = pb = pr = 1; break;
    case 7: c.kh = c.kw = 3, c.sh = c.sw = 1, c.dh = c.dw = 1, c.pt = c.pl = pb = pr = 1; break;
    case 8: c.sh = 5, c.kh = 2, c.in_h = 9; break;
    }
    if (pair) c.dw = 1;
    auto fit = [](int in, int &before, int &after, int kernel, int dil, int stride) {
        int extent = (kernel - 1) * dil + 1;
        if (in + before + after < extent) after = extent - in - before;
        return (in + before + after - extent) / stride + 1;
    };
    c.out_h = fit(c.in_h, c.pt, pb, c.kh, c.dh, c.sh);
    c.out_w = fit(c.in_w, c.pl, pr, c.kw, c.dw, c.sw);
    c.out_c = depthwise ? c.in_c : r.range(1, 11);
    if (!depthwise && r.chance(30)) {
        c.groups = divisor(r, c.in_c);
        c.out_c = c.groups * r.range(1, 6);
    }
    c.pad_value = r.chance(50) ? 0 : r.range(-128, 127);
    if (depthwise && !strcmp(c.op, "MAX")) c.pad_value = -128;
}

static void random_array(Random &r, Case &c, bool depthwise, bool pair)
{
    int slice = c.in_c / c.groups, extent = (c.kh - 1) * c.dh + 1;
    for (;;) {
        c.word = r.range(1, std::min(slice + 2, 9));
        c.s_lanes = r.chance(40) ? 1 : divisor(r, c.word);
        if (c.groups == 1 || slice % c.s_lanes == 0) break;
    }
    c.rows_par = r.chance(50) ? c.kh : 1;
    c.block = r.range(0, 1);
    c.ring = extent + (r.chance(70) ? c.sh : r.range(0, 4));
    int group_out = c.out_c / c.groups;
    c.lanes = depthwise ? c.word : r.range(1, group_out);
    int chain = depthwise ? c.rows_par : c.rows_par * c.word;
    c.pack = pair || (!depthwise && r.chance(60)) ? 2 : 1;
    c.mul_dsp = c.pack == 2 ? 1 : r.range(0, 1);
    c.tech = "GENERIC", c.lane_shift = 18;
    if (c.mul_dsp && r.chance(80)) {
        static const char *const techs[] = {"DSP48E2", "DSP48E1", "ICE40UP", "ECP5DSP"};
        c.tech = techs[r.range(0, pair ? 1 : c.pack == 2 ? 2 : 3)];
    }
    if (!strcmp(c.tech, "DSP48E1") || r.chance(10)) c.lane_shift = pair ? 16 : 17;
    if (!pair && (!strcmp(c.tech, "ICE40UP") || (!strcmp(c.tech, "GENERIC") && r.chance(30)))) c.lane_shift = 0;
    c.seg = r.range(1, std::min(chain, c.lane_shift == 17 && c.pack == 2 ? 4 : 8));
    c.weight_bits = c.pack == 2 && !pair ? r.pick({8, 8, 8, 4}) : r.pick({8, 8, 4, 2, 9});
    // Beats of two passes may not join: see aihls_drain.
    if (depthwise) {
        int words = ceil_div(c.in_c, c.word);
        c.rq_lanes = words > 1 ? divisor(r, c.word) : r.range(1, std::min(c.word, c.in_c));
        if (words == 1) c.lanes = c.word;
    } else {
        int mp = ceil_div(group_out, c.lanes);
        do c.rq_lanes = mp > 1 || c.groups > 1 ? divisor(r, c.lanes) : r.range(1, c.lanes);
        while (c.groups > 1 && group_out % c.rq_lanes);
    }
    c.rq_cycles = r.pick({1, 1, 1, 2, 3, 4, 6, 8, 12, 24});
    c.bias_w = r.pick({8, 16, 24}), c.mult_w = r.pick({24, 24, 17, 8, 1});
    c.by_pixel = depthwise && !strcmp(c.op, "SUM") && r.chance(50);
    c.zp = r.chance(40) ? 0 : r.range(-128, 127);
    c.lo = r.chance(60) ? -128 : r.range(-128, c.zp), c.hi = r.chance(60) ? 127 : r.range(c.zp, 127);
    bool stalls = r.chance(60);
    c.stall_in = stalls ? r.pick({0, 40, 128, 220}) : 0;
    c.stall_out = stalls ? r.pick({0, 40, 128, 220}) : 0;
    c.exact = !stalls;
    // An exact case must not wait for input: let the ring hold whole frames.
    if (c.exact && r.chance(70)) c.ring = 2 * c.in_h + extent + c.sh;
}

struct Model {
    Random &r;
    const Case &c;
    bool depthwise;
    int frames;
    std::vector<int> in, weight, out;
    std::vector<int64_t> acc, bias;
    std::vector<int> mult, shift;

    int slice() const { return depthwise ? 1 : c.in_c / c.groups; }
    size_t w_at(int o, int ky, int kx, int i) const
    {
        return (size_t)(((o * c.kh + ky) * c.kw + kx) * slice() + i);
    }
    int pixel(int f, int y, int x, int ch) const
    {
        if (y < 0 || y >= c.in_h || x < 0 || x >= c.in_w) return c.pad_value;
        return in[(size_t)(((f * c.in_h + y) * c.in_w + x) * c.in_c + ch)];
    }
    void fill()
    {
        in.resize((size_t)(frames * c.in_h * c.in_w * c.in_c));
        bool extremes = r.chance(20); // all at the ends: the lanes' worst sums
        for (int &v : in) v = extremes ? -128 : (int)r.bits_signed(8);
        weight.resize((size_t)(c.out_c * c.kh * c.kw * slice()));
        for (int &w : weight) {
            w = (int)r.bits_signed(c.weight_bits);
            if (extremes) w = r.chance(90) ? -(1 << (c.weight_bits - 1)) : w;
            // What the compiler guarantees for packed lanes.
            if (!depthwise && c.pack == 2 && w == -128 && (c.seg == 8 || c.lane_shift == 17)) w = -127;
            if (depthwise && c.pack == 2 && w == -256) w = -255;
        }
    }
    // The longest chain, up to `seg`, whose low lane these weights cannot make overflow.
    int safe_segment(int seg) const
    {
        for (; seg > 1; seg--) {
            int worst = 0;
            for (int o = 0; o < c.out_c; o++)
                for (int kx = 0; kx < c.kw; kx++)
                    for (int ky = 0; ky < c.kh; ky += c.rows_par)
                        for (int from = 0; from < c.rows_par; from += seg) {
                            int most = 0, least = 0; // with activations of -128 and of 127
                            for (int k = from; k < std::min(from + seg, c.rows_par); k++) {
                                int w = weight[w_at(o, ky + k, kx, 0)];
                                most += std::max(w * 127, w * -128), least += std::min(w * 127, w * -128);
                            }
                            worst = std::max({worst, most, -1 - least});
                        }
            if (worst < 1 << (c.lane_shift - 1)) break;
        }
        return seg;
    }
    int64_t sum(int f, int oy, int ox, int o) const
    {
        int64_t total = 0;
        bool max = depthwise && !strcmp(c.op, "MAX"), plain = depthwise && strcmp(c.op, "MAC");
        if (max) total = -128;
        int first = depthwise ? o : o / (c.out_c / c.groups) * slice();
        for (int ky = 0; ky < c.kh; ky++)
            for (int kx = 0; kx < c.kw; kx++)
                for (int i = 0; i < slice(); i++) {
                    int v = pixel(f, oy * c.sh - c.pt + ky * c.dh, ox * c.sw - c.pl + kx * c.dw,
                                  first + i);
                    int d = std::abs(v - c.pad_value);
                    if (max) total = std::max<int64_t>(total, v);
                    else if (depthwise && power_of(c)) total += power_of(c) == 2 ? d * d : d;
                    else total += plain ? v : v * weight[w_at(o, ky, kx, i)];
                }
        return total;
    }
    void accumulate(Case &wide)
    {
        int64_t lo = 0, hi = 0;
        for (int f = 0; f < frames; f++)
            for (int oy = 0; oy < c.out_h; oy++)
                for (int ox = 0; ox < c.out_w; ox++)
                    for (int o = 0; o < c.out_c; o++) {
                        acc.push_back(sum(f, oy, ox, o));
                        lo = std::min(lo, acc.back()), hi = std::max(hi, acc.back());
                    }
        wide.acc_w = signed_bits(lo, hi) + (r.chance(50) ? 0 : r.range(0, 8));
        if (bare(c, depthwise)) wide.rq_cycles = 1;
        if (bare(c, depthwise) && !power_of(c)) wide.acc_w = 8;
    }
    // Parameter sets, and the set of accumulator i.
    int sets() const { return c.by_pixel ? c.out_h * c.out_w : c.out_c; }
    size_t set_of(size_t i) const
    {
        return (c.by_pixel ? i / (size_t)c.out_c : i) % (size_t)sets();
    }
    // Scales that bring each set's range to the output's, so that few results saturate.
    void constants(Case &wide)
    {
        int least = 99, most = 0;
        for (int o = 0; o < sets(); o++) {
            int64_t peak = 1;
            bias.push_back(r.chance(20) ? 0 : r.bits_signed(c.bias_w));
            for (size_t i = 0; i < acc.size(); i++)
                if (set_of(i) == (size_t)o) peak = std::max<int64_t>(peak, std::llabs(acc[i] + bias.back()));
            int m = c.mult_w == 1 ? (r.chance(90) ? 1 : 0)
                                  : (int)r.bits(c.mult_w - 1) | 1 << (c.mult_w - 1);
            int s = 0;
            while ((double)peak * m / (double)(1ull << s) > 200.0) s++;
            s = std::max(0, s + r.range(-1, 2));
            mult.push_back(m), shift.push_back(s);
            least = std::min(least, s), most = std::max(most, s);
        }
        wide.shift_min = r.chance(10) ? 0 : least;
        wide.shift_w = 0;
        while (most - wide.shift_min >= 1 << wide.shift_w) wide.shift_w++;
        for (size_t i = 0; i < acc.size(); i++) {
            size_t o = set_of(i);
            out.push_back(bare(c, depthwise) ? (int)acc[i]
                : requantize((__int128)(acc[i] + bias[o]) * mult[o], shift[o], c.zp, c.lo, c.hi));
        }
    }
};

// Cycles of a frame by the formula: max(KC, beats*RQ_CYCLES) summed over the passes. When some
// passes wait for the array and others for the requantizer, the hold register evens them
// out a little and a frame may take less: never less than either takes alone.
struct Cycles {
    int64_t formula, least;
};

static Cycles frame_cycles(const Case &c, bool depthwise)
{
    int64_t row = 0, array = 0, requant = 0;
    int per = depthwise ? c.in_c : c.out_c / c.groups, times = depthwise ? 1 : c.groups;
    int kc = c.kh / c.rows_par * c.kw * (depthwise ? 1 : ceil_div(c.in_c / c.groups, c.word));
    bool below = false, above = false;
    int together = depthwise ? c.pack : 1; // pixels of a pass; a row may end with one alone
    for (int ox = 0; ox < c.out_w; ox += together)
        for (int done = 0; done < per; done += c.lanes) {
            int drain = ceil_div(std::min(c.lanes, per - done), c.rq_lanes) * c.rq_cycles;
            drain *= std::min(together, c.out_w - ox);
            row += std::max(kc, drain), array += kc, requant += drain;
            below = below || drain < kc, above = above || drain > kc;
        }
    int64_t rows = (int64_t)times * c.out_h;
    Cycles cycles = {row * rows, row * rows};
    if (below && above)
        cycles.least = std::max(array * rows - c.rq_cycles, requant * rows);
    return cycles;
}

static void weight_roms(Top &t, const Model &m, const Case &c, bool depthwise)
{
    int chain = depthwise ? c.rows_par : c.rows_par * c.word, nseg = ceil_div(chain, c.seg);
    int words = depthwise ? 1 : ceil_div(m.slice(), c.word), group_out = c.out_c / c.groups;
    int passes = depthwise ? ceil_div(c.in_c, c.word) : c.groups * ceil_div(group_out, c.lanes);
    int mp = passes / (depthwise ? 1 : c.groups), width = nseg * c.lanes * c.weight_bits;
    int steps = c.kh / c.rows_par * c.kw * words, addr_w = addr_bits(passes * steps);
    for (int k = 0; k < c.seg; k++) {
        Image image(width);
        for (int pass = 0; pass < passes; pass++)
            for (int step = 0; step < steps; step++) {
                image.add();
                int j = step % words, kx = step / words % c.kw, ky0 = step / words / c.kw * c.rows_par;
                for (int s = 0; s < nseg; s++)
                    for (int l = 0; l < c.lanes; l++) {
                        int col = s * c.seg + k;
                        if (col >= chain) continue;
                        int row = depthwise ? col : col / c.word, i = depthwise ? 0 : j * c.word + col % c.word;
                        int o = depthwise ? pass * c.word + l : pass % mp * c.lanes + l;
                        if (i >= m.slice() || o >= (depthwise ? c.in_c : group_out)) continue;
                        if (!depthwise) o += pass / mp * group_out;
                        image.set((s * c.lanes + l) * c.weight_bits, c.weight_bits,
                                  m.weight[m.w_at(o, ky0 + row, kx, i)]);
                    }
            }
        std::string addr = "w_addr[" + std::to_string(k * addr_w) + " +: " + std::to_string(addr_w) + "]";
        std::string data = "w_data[" + std::to_string(k * width) + " +: " + std::to_string(width) + "]";
        t.rom("w", k, image, passes * steps > 64, "w_en", addr.c_str(), data.c_str());
    }
}

static void emit(Top &t, Random &r, const Model &m, const Case &c, bool depthwise)
{
    char note[400];
    bool mac = !depthwise || !strcmp(c.op, "MAC");
    Cycles rate = frame_cycles(c, depthwise);
    int64_t cycles = rate.formula, input = (int64_t)c.in_h * c.in_w * ceil_div(c.in_c, c.s_lanes);
    bool exact = c.exact && c.ring >= 2 * c.in_h + (c.kh - 1) * c.dh + 1 && cycles >= input + c.in_w;
    int chain = depthwise ? c.rows_par : c.rows_par * c.word;
    snprintf(note, sizeof note, "case %d: %s %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d,%d, dilation %d,%d, "
             "pad %d,%d, groups %d, cycles %lld%s", t.cases, depthwise ? c.op : "CONV", c.in_h, c.in_w, c.in_c, c.out_h,
             c.out_w, c.out_c, c.kh, c.kw, c.sh, c.sw, c.dh, c.dw, c.pt, c.pl, c.groups,
             (long long)cycles, exact ? " (checked)" : "");
    t.begin(note);
    int steps = c.kh / c.rows_par * c.kw * (depthwise ? 1 : ceil_div(m.slice(), c.word));
    int passes = depthwise ? ceil_div(c.in_c, c.word) : c.groups * ceil_div(c.out_c / c.groups, c.lanes);
    int w_width = c.seg * ceil_div(chain, c.seg) * c.lanes * c.weight_bits;
    int beats = ceil_div(c.out_c, c.rq_lanes), p_lanes = c.by_pixel ? 1 : c.rq_lanes;
    int p_width = p_lanes * (c.shift_w + c.mult_w + c.bias_w), p_depth = ceil_div(m.sets(), p_lanes);
    t.out("    wire [%d:0] w_addr; wire [%d:0] w_data; wire w_en;\n", c.seg * addr_bits(passes * steps) - 1, w_width - 1);
    t.out("    wire [%d:0] p_addr; wire [%d:0] p_data; wire p_en;\n", addr_bits(p_depth) - 1, p_width - 1);
    t.source("s", beats_of(m.in, c.in_c, c.s_lanes), r.range(1, 1 << 30), c.stall_in);
    t.sink("m", beats_of(m.out, c.out_c, c.rq_lanes, depthwise && power_of(c) ? c.acc_w : 8), c.out_h * c.out_w * beats, r.range(1, 1 << 30), c.stall_out,
           exact ? cycles : 0, exact ? rate.least : 0);
    if (mac) weight_roms(t, m, c, depthwise);
    else t.out("    assign w_data = %d'd0;\n", w_width);
    if (bare(c, depthwise)) {
        t.out("    assign p_data = %d'd0;\n", p_width);
    } else {
        Image params(p_width);
        int lane_w = c.shift_w + c.mult_w + c.bias_w;
        for (int o = 0; o < m.sets(); o++) {
            size_t at = (size_t)o;
            int base = o % p_lanes * lane_w;
            if (o % p_lanes == 0) params.add();
            params.set(base, c.bias_w, m.bias[at]);
            params.set(base + c.bias_w, c.mult_w, m.mult[at]);
            params.set(base + c.bias_w + c.mult_w, c.shift_w, m.shift[at] - c.shift_min);
        }
        t.rom("p", 0, params, p_depth > 64, "p_en", "p_addr", "p_data");
    }
    t.out("    %s #(.S_LANES(%d), .IN_H(%d), .IN_W(%d), .IN_C(%d), .OUT_H(%d), .OUT_W(%d), "
          ".KERNEL_H(%d), .KERNEL_W(%d), .STRIDE_H(%d), .STRIDE_W(%d), .DIL_H(%d), .DIL_W(%d), "
          ".PAD_TOP(%d), .PAD_LEFT(%d), .PAD_VALUE(%d), .WORD(%d), .ROWS_PAR(%d), .RING_ROWS(%d), "
          ".BLOCK(%d), .SEG_LEN(%d), .MUL_DSP(%d), .TECH(\"%s\"), .LANE_SHIFT(%d), .WEIGHT_BITS(%d), "
          ".ACC_W(%d), .RQ_LANES(%d), .RQ_CYCLES(%d), .BIAS_W(%d), .MULT_W(%d), .SHIFT_W(%d), "
          ".SHIFT_MIN(%d), .ZERO_POINT(%d), .CLAMP_LO(%d), .CLAMP_HI(%d), ", depthwise ? "aihls_dw" : "aihls_conv",
          c.s_lanes, c.in_h, c.in_w, c.in_c, c.out_h, c.out_w, c.kh, c.kw, c.sh, c.sw, c.dh, c.dw, c.pt, c.pl,
          c.pad_value, c.word, c.rows_par, c.ring, c.block, c.seg, c.mul_dsp, c.tech, c.lane_shift,
          c.weight_bits, c.acc_w, c.rq_lanes, c.rq_cycles, c.bias_w, c.mult_w, c.shift_w, c.shift_min, c.zp,
          c.lo, c.hi);
    if (depthwise) t.out(".OP(\"%s\"), .PARAM_PIXELS(%d), .PACK(%d)", c.op, c.by_pixel, c.pack);
    else t.out(".OUT_C(%d), .GROUPS(%d), .LANES(%d), .PACK(%d)", c.out_c, c.groups, c.lanes, c.pack);
    t.out(") u_dut (.clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready), "
          ".w_en(w_en), .w_addr(w_addr), .w_data(w_data), .p_en(p_en), .p_addr(p_addr), .p_data(p_data), "
          ".m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready));\n");
    // busy: never less than the steps; never more than the formula when the consumer is always
    // ready (a refusal makes later drains end late, and those do freeze the stage).
    t.out("    tb_busy #(.NAME(\"case %d\"), .LEAST(%lld), .MOST(%lld)) u_busy (.clk(clk), .rst(rst), "
          ".busy(u_dut.busy), .done(done));\n", t.cases, (long long)m.frames * c.out_h * (depthwise ? ceil_div(c.out_w, c.pack) : c.out_w) * passes * steps,
          c.stall_out ? 0 : (long long)m.frames * cycles);
    t.end();
}

int main(int argc, char **argv)
{
    if (argc != 5) { fprintf(stderr, "usage: tb_conv conv|dw|pair SEED COUNT DIR\n"); return 2; }
    bool pair = !strcmp(argv[1], "pair"), depthwise = pair || !strcmp(argv[1], "dw");
    Top top(argv[4]);
    for (int i = 0; i < atoi(argv[3]); i++) {
        Random r((uint64_t)atoll(argv[2]) * 1000 + (uint64_t)i);
        Case c = {};
        static const char *const pools[] = {"MAX", "SUM", "SQR", "SUM", "MAX", "ABS"};
        c.op = pair || (i / 12 % 2 == 0 && i % 5) ? "MAC" : pools[(i + i / 24) % 6];
        random_geometry(r, c, depthwise, pair, i);
        random_array(r, c, depthwise, pair);
        Model m = {r, c, depthwise, 4, {}, {}, {}, {}, {}, {}, {}};
        m.fill();
        if (pair) c.seg = m.safe_segment(c.seg);
        m.accumulate(c);
        m.constants(c);
        emit(top, r, m, c, depthwise);
    }
    top.finish();
    return 0;
}

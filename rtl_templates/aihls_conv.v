// SPDX-License-Identifier: Apache-2.0
// aihls_conv: convolution, grouped convolution, matrix product (1x1): output stationary.
// LANES outputs of a pixel are computed together (a pass), ROWS_PAR*WORD products each per
// step, KC steps; MP = ceil(OUT_C/GROUPS/LANES) passes per group.
//
//   s_act -> window -> skew -> LANES/PACK chains -> accumulators -> hold -> requant -> m_act
//               |               ^ w_data                             (drain)    ^ p_data
//               +-> w_addr, w_en: weight ROMs outside                           |
//                                          p_addr, p_en: parameter ROM outside -+
//
// Weights: column c = r*WORD + e of the chain has skew k = c % SEG_LEN and segment
// s = c / SEG_LEN. w_addr slot k is (pass*KC + step), k enabled cycles late; w_data bit
// (((k*NSEG)+s)*LANES+l)*WEIGHT_BITS is the weight of (c, l), 1 + W_WAIT w_en cycles after it.
// Steps of a pass run over ky (KERNEL_H/ROWS_PAR), kx, word of the slice, the last fastest.
// PACK = 2: lanes 2p and 2p+1 share a multiplier (MUL_DSP only).
//
// One pass takes max(KC, beats*RQ_CYCLES) cycles, beats = ceil(valid lanes/RQ_LANES), in
// steady state; `busy` is 1 in those. Latency from the step that completes a pass to its
// first output: LATENCY of the window (3) + SEG_LEN + W_WAIT + 4 + (PACK == 2 && LANE_SHIFT != 0)
// + ceil(log2 NSEG) + 2 + the requantizer's.  Reset: drops everything, starts at a frame.
`default_nettype none
module aihls_conv #(
    parameter S_LANES     = 1,
    parameter IN_H        = 4,
    parameter IN_W        = 4,
    parameter IN_C        = 1,
    parameter OUT_H       = 2,
    parameter OUT_W       = 2,
    parameter OUT_C       = 4,
    parameter KERNEL_H    = 3,
    parameter KERNEL_W    = 3,
    parameter STRIDE_H    = 1,
    parameter STRIDE_W    = 1,
    parameter DIL_H       = 1,
    parameter DIL_W       = 1,
    parameter PAD_TOP     = 0,
    parameter PAD_LEFT    = 0,
    parameter PAD_VALUE   = 0,
    parameter GROUPS      = 1,
    parameter WORD        = 1,
    parameter ROWS_PAR    = 1,
    parameter RING_ROWS   = 4,
    parameter BLOCK       = 0,   // row ring in block RAM
    parameter LANES       = 4,
    parameter SEG_LEN     = 1,   // at most ROWS_PAR*WORD
    parameter PACK        = 1,
    parameter MUL_DSP     = 1,
    parameter TECH        = "GENERIC",
    parameter LANE_SHIFT  = 18,
    parameter WEIGHT_BITS = 8,
    parameter W_WAIT      = 0,
    parameter ACC_W       = 24,
    parameter RQ_LANES    = 1,
    parameter RQ_CYCLES   = 1,
    parameter BIAS_W      = 24,
    parameter BIAS_FRAC   = 0,      // as in aihls_requant
    parameter MULT_W      = 24,
    parameter SHIFT_W     = 4,
    parameter SHIFT_MIN   = 24,
    parameter ZERO_POINT  = 0,
    parameter CLAMP_LO    = -128,
    parameter CLAMP_HI    = 127,
    parameter RQ_DSP      = 0,      // as in aihls_requant
    // Derived: leave at the default (a Verilog-2005 port cannot name a localparam).
    parameter NSEG        = (ROWS_PAR * WORD + SEG_LEN - 1) / SEG_LEN,
    parameter KC          = (KERNEL_H / ROWS_PAR) * KERNEL_W * ((IN_C/GROUPS + WORD - 1) / WORD),
    parameter MP          = (OUT_C / GROUPS + LANES - 1) / LANES,
    parameter W_DEPTH     = GROUPS * MP * KC,
    parameter W_ADDR_W    = (W_DEPTH <= 2) ? 1 : $clog2(W_DEPTH),
    parameter P_DEPTH     = (OUT_C + RQ_LANES - 1) / RQ_LANES,
    parameter P_ADDR_W    = (P_DEPTH <= 2) ? 1 : $clog2(P_DEPTH)
) (
    input  wire                                       clk,
    input  wire                                       rst,
    input  wire [S_LANES*8-1:0]                       s_act_data,
    input  wire                                       s_act_valid,
    output wire                                       s_act_ready,
    output wire                                       w_en,
    output wire [SEG_LEN*W_ADDR_W-1:0]                w_addr,
    input  wire [SEG_LEN*NSEG*LANES*WEIGHT_BITS-1:0]  w_data,
    output wire                                       p_en,
    output wire [P_ADDR_W-1:0]                        p_addr,
    input  wire [RQ_LANES*(SHIFT_W+MULT_W+BIAS_W)-1:0] p_data,
    output wire [RQ_LANES*8-1:0]                      m_act_data,
    output wire                                       m_act_valid,
    input  wire                                       m_act_ready
);
    localparam CHAIN      = ROWS_PAR * WORD;
    localparam CHAINS     = (LANES + PACK - 1) / PACK;
    localparam GROUP_OUT  = OUT_C / GROUPS;
    localparam LAST_LANES = GROUP_OUT - (MP - 1) * LANES;
    localparam TO_SUM     = SEG_LEN + W_WAIT + 3 + ((PACK == 2 && LANE_SHIFT != 0) ? 1 : 0) + $clog2(NSEG);

    wire                   en, step, pre, valid, first, last, own;
    wire [CHAIN*8-1:0]     chunk;
    wire [CHAIN*8-1:0]     act;
    wire                   sum_valid, sum_first, sum_last;
    reg                    done_q;
    wire [CHAINS*PACK*ACC_W-1:0] acc;
    // 1 in the cycles that the stage's own work costs: stepping, or frozen by its own drain.
    wire                   busy = en ? step : own;

    assign w_en = en;

    aihls_window #(
        .S_LANES(S_LANES), .WORD(WORD), .IN_H(IN_H), .IN_W(IN_W), .IN_C(IN_C),
        .OUT_H(OUT_H), .OUT_W(OUT_W), .KERNEL_H(KERNEL_H), .KERNEL_W(KERNEL_W),
        .STRIDE_H(STRIDE_H), .STRIDE_W(STRIDE_W), .DIL_H(DIL_H), .DIL_W(DIL_W),
        .PAD_TOP(PAD_TOP), .PAD_LEFT(PAD_LEFT), .SLICES(GROUPS), .MP(MP), .DEPTHWISE(0),
        .ROWS_PAR(ROWS_PAR), .RING_ROWS(RING_ROWS), .BLOCK(BLOCK), .PAD_VALUE(PAD_VALUE)
    ) u_window (
        .clk(clk), .rst(rst), .en(en), .s_act_data(s_act_data), .s_act_valid(s_act_valid),
        .s_act_ready(s_act_ready), .step(step), .m_pre(pre), .m_valid(valid),
        .m_first(first), .m_last(last), .m_data(chunk)
    );
    aihls_waddr #(.DEPTH(W_DEPTH), .SLOTS(SEG_LEN)) u_waddr (
        .clk(clk), .rst(rst), .en(en), .step(pre), .addr(w_addr)
    );

    aihls_flag #(.DELAY(TO_SUM)) u_sum_valid (
        .clk(clk), .rst(rst), .en(en), .d(valid), .q(sum_valid)
    );
    aihls_delay #(.WIDTH(2), .DELAY(TO_SUM)) u_sum_flags (
        .clk(clk), .en(en), .d({first, last}), .q({sum_first, sum_last})
    );
    always @(posedge clk) begin
        if (en) done_q <= sum_valid && sum_last;
        if (rst) done_q <= 1'b0;
    end

    genvar c, p;
    generate
        for (c = 0; c < CHAIN; c = c + 1) begin : g_skew
            aihls_delay #(.WIDTH(8), .DELAY(c % SEG_LEN + W_WAIT)) u_skew (
                .clk(clk), .en(en), .d(chunk[c*8 +: 8]), .q(act[c*8 +: 8])
            );
        end
        for (p = 0; p < CHAINS; p = p + 1) begin : g_chain
            wire [CHAIN*WEIGHT_BITS-1:0] w_lo;
            wire [CHAIN*WEIGHT_BITS-1:0] w_hi;
            wire [ACC_W-1:0]             acc_hi;
            for (c = 0; c < CHAIN; c = c + 1) begin : g_weight
                localparam AT = ((c % SEG_LEN) * NSEG + c / SEG_LEN) * LANES + p * PACK;
                assign w_lo[c*WEIGHT_BITS +: WEIGHT_BITS] = w_data[AT*WEIGHT_BITS +: WEIGHT_BITS];
                if (PACK == 2 && p * PACK + 1 < LANES) begin : g_hi
                    assign w_hi[c*WEIGHT_BITS +: WEIGHT_BITS] =
                        w_data[(AT+1)*WEIGHT_BITS +: WEIGHT_BITS];
                end else begin : g_zero
                    assign w_hi[c*WEIGHT_BITS +: WEIGHT_BITS] = {WEIGHT_BITS{1'b0}};
                end
            end
            aihls_chain #(
                .CHAIN(CHAIN), .SEG_LEN(SEG_LEN), .PACK(PACK), .MUL_DSP(MUL_DSP), .TECH(TECH),
                .LANE_SHIFT(LANE_SHIFT), .WEIGHT_BITS(WEIGHT_BITS), .ACC_W(ACC_W)
            ) u_chain (
                .clk(clk), .en(en), .act(act), .w_lo(w_lo), .w_hi(w_hi),
                .acc_en(sum_valid), .acc_first(sum_first),
                .acc_lo(acc[p*PACK*ACC_W +: ACC_W]), .acc_hi(acc_hi)
            );
            if (PACK == 2) begin : g_pair
                assign acc[(p*PACK+1)*ACC_W +: ACC_W] = acc_hi;
            end else begin : g_single
                wire unused_ok = &{1'b0, acc_hi};
            end
        end
        if (OUT_C % GROUPS != 0) begin : g_check_groups
            aihls_error_GROUPS_must_divide_OUT_C u_error ();
        end
        if (GROUPS > 1 && GROUP_OUT % RQ_LANES != 0) begin : g_check_lanes
            aihls_error_RQ_LANES_must_divide_the_outputs_of_a_group u_error ();
        end
        if (SEG_LEN > CHAIN) begin : g_check_seg
            aihls_error_SEG_LEN_must_not_exceed_ROWS_PAR_times_WORD u_error ();
        end
    endgenerate

    aihls_drain #(
        .L(LANES), .ACC_W(ACC_W), .MP(MP), .LAST_LANES(LAST_LANES), .CHANNELS(OUT_C),
        .REQUANT(1), .RQ_LANES(RQ_LANES), .RQ_CYCLES(RQ_CYCLES), .BIAS_W(BIAS_W),
        .BIAS_FRAC(BIAS_FRAC), .MULT_W(MULT_W), .SHIFT_W(SHIFT_W), .SHIFT_MIN(SHIFT_MIN), .ZERO_POINT(ZERO_POINT),
        .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI), .RQ_DSP(RQ_DSP), .TECH(TECH)
    ) u_drain (
        .clk(clk), .rst(rst), .done(done_q), .acc(acc[LANES*ACC_W-1:0]), .en(en),
        .own(own), .p_en(p_en), .p_addr(p_addr), .p_data(p_data),
        .m_act_data(m_act_data), .m_act_valid(m_act_valid), .m_act_ready(m_act_ready)
    );
    wire unused_ok = &{1'b0, busy, acc, w_data};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_dw: per-channel engine: depthwise convolution (OP "MAC"), average pooling ("SUM"),
// max pooling ("MAX"), sums of distances |x - PAD_VALUE| ("ABS") or of their squares ("SQR")
// for the norms of LpPool. A pass is one word of WORD channels of an output pixel: KC steps of
// ROWS_PAR taps each, every lane for itself. The last word of a pixel may be partly filled.
//
//   s_act -> window -> chain, adder or maximum per lane -> hold -> requant (MAC, SUM) -> m_act
//
// MAC: weights as in aihls_conv with a chain of ROWS_PAR columns and LANES = WORD:
// w_data bit (((k*NSEG)+s)*WORD+e)*WEIGHT_BITS, address word*KC + step, W_WAIT too. SUM and MAX leave
// w_* unused (w_data tied to 0); MAX leaves p_* unused, pads with PAD_VALUE (-128). ABS and
// SQR are as SUM, without a requantizer: m_act has the sums, ACC_W bits a lane, for
// aihls_search; their padding adds nothing.
// PARAM_PIXELS = 1: p_addr is the output pixel of the frame and p_data one set of parameters
// for all its channels, for averages whose divisor depends on the position.
// One pass takes max(KC, beats*RQ_CYCLES) cycles, beats = ceil(valid lanes/RQ_LANES);
// `busy` is 1 in those.  Reset: drops everything, starts at a frame.
//
// PACK = 2 (MAC with MUL_DSP and DIL_W 1): a pass is a word of two neighbouring pixels, whose
// elements share multipliers and weights; KC steps do for both, and it has the beats of both.
// In a row of odd OUT_W the last pass of each word is of one pixel. Words leave the requantizer
// for both pixels in turn; aihls_unpair puts them in order where a pixel has several.
`default_nettype none
module aihls_dw #(
    parameter OP          = "MAC",  // MAC | SUM | MAX | ABS | SQR
    parameter S_LANES     = 1,
    parameter IN_H        = 4,
    parameter IN_W        = 4,
    parameter IN_C        = 4,
    parameter OUT_H       = 2,
    parameter OUT_W       = 2,
    parameter KERNEL_H    = 3,
    parameter KERNEL_W    = 3,
    parameter STRIDE_H    = 1,
    parameter STRIDE_W    = 1,
    parameter DIL_H       = 1,
    parameter DIL_W       = 1,
    parameter PAD_TOP     = 0,
    parameter PAD_LEFT    = 0,
    parameter PAD_VALUE   = 0,
    parameter WORD        = 1,
    parameter ROWS_PAR    = 1,
    parameter RING_ROWS   = 4,
    parameter BLOCK       = 0,
    parameter SEG_LEN     = 1,      // at most ROWS_PAR
    parameter PACK        = 1,
    parameter MUL_DSP     = 1,
    parameter TECH        = "GENERIC",
    parameter LANE_SHIFT  = 18,
    parameter WEIGHT_BITS = 8,
    parameter W_WAIT      = 0,
    parameter ACC_W       = 24,     // MAX: 8
    parameter RQ_LANES    = 1,
    parameter RQ_CYCLES   = 1,      // without a requantizer: 1
    parameter BIAS_W      = 24,
    parameter BIAS_FRAC   = 0,      // as in aihls_requant
    parameter MULT_W      = 24,
    parameter SHIFT_W     = 4,
    parameter SHIFT_MIN   = 24,
    parameter ZERO_POINT  = 0,
    parameter CLAMP_LO    = -128,
    parameter CLAMP_HI    = 127,
    parameter RQ_DSP      = 0,      // as in aihls_requant
    parameter PARAM_PIXELS = 0,
    // Derived: leave at the default.
    parameter NSEG        = (ROWS_PAR + SEG_LEN - 1) / SEG_LEN,
    parameter KC          = (KERNEL_H / ROWS_PAR) * KERNEL_W,
    parameter PASSES      = (IN_C + WORD - 1) / WORD,
    parameter W_DEPTH     = PASSES * KC,
    parameter W_ADDR_W    = (W_DEPTH <= 2) ? 1 : $clog2(W_DEPTH),
    parameter P_DEPTH     = (PARAM_PIXELS != 0) ? OUT_H * OUT_W : (IN_C + RQ_LANES - 1) / RQ_LANES,
    parameter P_ADDR_W    = (P_DEPTH <= 2) ? 1 : $clog2(P_DEPTH),
    parameter P_LANES     = (PARAM_PIXELS != 0) ? 1 : RQ_LANES,
    parameter RESULT_W    = (OP == "ABS" || OP == "SQR") ? ACC_W : 8
) (
    input  wire                                       clk,
    input  wire                                       rst,
    input  wire [S_LANES*8-1:0]                       s_act_data,
    input  wire                                       s_act_valid,
    output wire                                       s_act_ready,
    output wire                                       w_en,
    output wire [SEG_LEN*W_ADDR_W-1:0]                w_addr,
    input  wire [SEG_LEN*NSEG*WORD*WEIGHT_BITS-1:0]   w_data,
    output wire                                       p_en,
    output wire [P_ADDR_W-1:0]                        p_addr,
    input  wire [P_LANES*(SHIFT_W+MULT_W+BIAS_W)-1:0] p_data,
    output wire [RQ_LANES*RESULT_W-1:0]               m_act_data,
    output wire                                       m_act_valid,
    input  wire                                       m_act_ready
);
    localparam MAC        = (OP == "MAC") ? 1 : 0;
    localparam LAST_LANES = IN_C - (PASSES - 1) * WORD;
    localparam POWER      = (OP == "ABS") ? 1 : (OP == "SQR") ? 2 : 0;
    localparam TAP_W      = (POWER == 2) ? 17 : (POWER == 1) ? 9 : 8;
    localparam LEVELS     = $clog2(ROWS_PAR);
    localparam TO_SUM     = (MAC == 0) ? LEVELS + ((POWER == 2) ? 3 : POWER)
                          : SEG_LEN + W_WAIT + 3 + ((PACK == 2) ? 1 : 0) + $clog2(NSEG);
    localparam TAPS_FULL  = TAP_W + LEVELS;
    localparam TAPS_W     = (OP == "MAX") ? 8 : (TAPS_FULL < ACC_W) ? TAPS_FULL : ACC_W;

    wire                       en, step, pre, valid, first, last, own;
    wire [PACK*ROWS_PAR*WORD*8-1:0] chunk;
    wire                       sum_valid, sum_first, sum_last;
    reg                        done_q;
    wire [RQ_LANES*RESULT_W-1:0] result_data;
    wire                       result_valid, result_ready;
    wire [PACK*WORD*ACC_W-1:0] acc;
    // 1 in the cycles that the stage's own work costs: stepping, or frozen by its own drain.
    wire                       busy = en ? step : own;

    assign w_en = en;

    aihls_window #(
        .S_LANES(S_LANES), .WORD(WORD), .IN_H(IN_H), .IN_W(IN_W), .IN_C(IN_C),
        .OUT_H(OUT_H), .OUT_W(OUT_W), .KERNEL_H(KERNEL_H), .KERNEL_W(KERNEL_W),
        .STRIDE_H(STRIDE_H), .STRIDE_W(STRIDE_W), .DIL_H(DIL_H), .DIL_W(DIL_W),
        .PAD_TOP(PAD_TOP), .PAD_LEFT(PAD_LEFT), .SLICES(1), .MP(1), .DEPTHWISE(1),
        .PIXELS(PACK), .ROWS_PAR(ROWS_PAR), .RING_ROWS(RING_ROWS), .BLOCK(BLOCK),
        .PAD_VALUE(PAD_VALUE)
    ) u_window (
        .clk(clk), .rst(rst), .en(en), .s_act_data(s_act_data), .s_act_valid(s_act_valid),
        .s_act_ready(s_act_ready), .step(step), .m_pre(pre), .m_valid(valid),
        .m_first(first), .m_last(last), .m_data(chunk)
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

    genvar e, r, x;
    generate
        if (MAC != 0) begin : g_waddr
            aihls_waddr #(.DEPTH(W_DEPTH), .SLOTS(SEG_LEN)) u_waddr (
                .clk(clk), .rst(rst), .en(en), .step(pre), .addr(w_addr)
            );
            if (SEG_LEN > ROWS_PAR) begin : g_check_seg
                aihls_error_SEG_LEN_must_not_exceed_ROWS_PAR u_error ();
            end
        end else begin : g_no_waddr
            assign w_addr = {(SEG_LEN*W_ADDR_W){1'b0}};
            wire unused_ok = &{1'b0, pre, MUL_DSP[0], LANE_SHIFT[0], TECH == "GENERIC"};
        end
        for (e = 0; e < WORD; e = e + 1) begin : g_lane
            if (MAC != 0) begin : g_mac
                wire [PACK*ROWS_PAR*8-1:0]      act;
                wire [ROWS_PAR*WEIGHT_BITS-1:0] weight;
                for (r = 0; r < ROWS_PAR; r = r + 1) begin : g_tap
                    localparam AT = ((r % SEG_LEN) * NSEG + r / SEG_LEN) * WORD + e;
                    for (x = 0; x < PACK; x = x + 1) begin : g_pixel
                        aihls_delay #(.WIDTH(8), .DELAY(r % SEG_LEN + W_WAIT)) u_skew (
                            .clk(clk), .en(en), .d(chunk[((x*ROWS_PAR+r)*WORD+e)*8 +: 8]),
                            .q(act[(x*ROWS_PAR+r)*8 +: 8])
                        );
                    end
                    assign weight[r*WEIGHT_BITS +: WEIGHT_BITS] =
                        w_data[AT*WEIGHT_BITS +: WEIGHT_BITS];
                end
                if (PACK == 2) begin : g_pair
                    aihls_chain #(
                        .CHAIN(ROWS_PAR), .SEG_LEN(SEG_LEN), .PACK(2), .MUL_DSP(MUL_DSP),
                        .TECH(TECH), .LANE_SHIFT(LANE_SHIFT), .WEIGHT_BITS(8),
                        .S_BITS(WEIGHT_BITS), .ACC_W(ACC_W)
                    ) u_chain (
                        .clk(clk), .en(en), .act(weight), .w_lo(act[0 +: ROWS_PAR*8]),
                        .w_hi(act[ROWS_PAR*8 +: ROWS_PAR*8]),
                        .acc_en(sum_valid), .acc_first(sum_first),
                        .acc_lo(acc[e*ACC_W +: ACC_W]), .acc_hi(acc[(WORD+e)*ACC_W +: ACC_W])
                    );
                end else begin : g_single
                    wire [ACC_W-1:0] acc_hi;
                    aihls_chain #(
                        .CHAIN(ROWS_PAR), .SEG_LEN(SEG_LEN), .PACK(1), .MUL_DSP(MUL_DSP),
                        .TECH(TECH), .LANE_SHIFT(LANE_SHIFT), .WEIGHT_BITS(WEIGHT_BITS),
                        .ACC_W(ACC_W)
                    ) u_chain (
                        .clk(clk), .en(en), .act(act), .w_lo(weight),
                        .w_hi({(ROWS_PAR*WEIGHT_BITS){1'b0}}),
                        .acc_en(sum_valid), .acc_first(sum_first),
                        .acc_lo(acc[e*ACC_W +: ACC_W]), .acc_hi(acc_hi)
                    );
                    wire unused_ok = &{1'b0, acc_hi};
                end
            end else begin : g_pool
                wire [ROWS_PAR*TAP_W-1:0] taps;
                for (r = 0; r < ROWS_PAR; r = r + 1) begin : g_tap
                    if (POWER != 0) begin : g_power
                        aihls_power #(.POWER(POWER), .ZERO(PAD_VALUE)) u_power (
                            .clk(clk), .en(en), .x(chunk[(r*WORD+e)*8 +: 8]),
                            .y(taps[r*TAP_W +: TAP_W])
                        );
                    end else begin : g_plain
                        assign taps[r*8 +: 8] = chunk[(r*WORD+e)*8 +: 8];
                    end
                end
                aihls_accum #(
                    .N(ROWS_PAR), .IN_W(TAP_W), .SUM_W(TAPS_W), .ACC_W(ACC_W),
                    .OP((OP == "MAX") ? "MAX" : "ADD")
                ) u_accum (
                    .clk(clk), .en(en), .data(taps), .acc_en(sum_valid), .acc_first(sum_first),
                    .acc(acc[e*ACC_W +: ACC_W])
                );
            end
        end
        if (OP != "MAC" && OP != "SUM" && OP != "MAX" && POWER == 0) begin : g_check_op
            aihls_error_OP_must_be_MAC_SUM_MAX_ABS_or_SQR u_error ();
        end
        if (OP == "MAX" && ACC_W != 8) begin : g_check_width
            aihls_error_ACC_W_of_MAX_must_be_8 u_error ();
        end
        if (PACK != 1 && (PACK != 2 || MAC == 0)) begin : g_check_pack
            aihls_error_PACK_must_be_1_or_with_MAC_2 u_error ();
        end
    endgenerate

    aihls_drain #(
        .L(WORD), .ACC_W(ACC_W), .MP(PASSES), .LAST_LANES(LAST_LANES), .CHANNELS(IN_C),
        .PIXELS(PACK), .OUT_W(OUT_W),
        .REQUANT((OP == "MAX" || POWER != 0) ? 0 : 1), .RQ_LANES(RQ_LANES), .RQ_CYCLES(RQ_CYCLES),
        .BIAS_W(BIAS_W), .BIAS_FRAC(BIAS_FRAC), .MULT_W(MULT_W), .SHIFT_W(SHIFT_W), .SHIFT_MIN(SHIFT_MIN),
        .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI),
        .RQ_DSP(RQ_DSP), .TECH(TECH),
        .PARAM_PIXELS((PARAM_PIXELS != 0) ? OUT_H * OUT_W : 0)
    ) u_drain (
        .clk(clk), .rst(rst), .done(done_q), .acc(acc), .en(en), .own(own),
        .p_en(p_en), .p_addr(p_addr), .p_data(p_data), .m_act_data(result_data),
        .m_act_valid(result_valid), .m_act_ready(result_ready)
    );
    generate
        if (PACK == 2 && PASSES > 1) begin : g_unpair
            aihls_unpair #(
                .LANES(RQ_LANES), .CHANNELS(IN_C), .WORD(WORD), .OUT_W(OUT_W)
            ) u_unpair (
                .clk(clk), .rst(rst), .s_act_data(result_data), .s_act_valid(result_valid),
                .s_act_ready(result_ready), .m_act_data(m_act_data),
                .m_act_valid(m_act_valid), .m_act_ready(m_act_ready)
            );
        end else begin : g_in_order
            assign m_act_data   = result_data;
            assign m_act_valid  = result_valid;
            assign result_ready = m_act_ready;
        end
    endgenerate
    wire unused_ok = &{1'b0, busy, w_data};
endmodule
`default_nettype wire

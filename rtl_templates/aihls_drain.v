// SPDX-License-Identifier: Apache-2.0
// aihls_drain: hold register of one finished pass, emptied lane 0 first into the requantizer
// (or, REQUANT = 0, as they are, ACC_W bits each, straight into an output register), RQ_LANES
// results at a time.
// A pixel is GROUPS times MP passes; the last of each MP has LAST_LANES valid lanes, the
// others L. `en` is 0 only while a finished pass (`done`) meets an occupied hold register
// that this very cycle does not empty; it depends on m_act_ready combinationally.
// A pass leaves every max(1, beats*RQ_CYCLES) cycles.  Reset: drops what is held.
// `own` is 1 in the frozen cycles that a consumer which never stands still would see too: a
// cycle by which it put the drain off before the freeze is taken off again.
// PIXELS = 2: a pass holds the same lanes of two pixels of a row of OUT_W, pixel 0 in the low
// half; its beats are those of pixel 0, then of pixel 1, which the last pair of an odd row
// lacks. With MP above 1 the beats so leave in the order of aihls_unpair, which also zeroes
// the lanes that hold no channel. REQUANT 1.
`default_nettype none
module aihls_drain #(
    parameter L          = 4,   // lanes of a pass
    parameter ACC_W      = 24,
    parameter MP         = 1,
    parameter LAST_LANES = 4,
    parameter CHANNELS   = 4,   // of the output pixel
    parameter PIXELS     = 1,
    parameter OUT_W      = 1,   // read with PIXELS = 2
    parameter REQUANT    = 1,   // 0: the results leave as they are
    parameter RQ_LANES   = 1,
    parameter RQ_CYCLES  = 1,
    parameter BIAS_W     = 24,
    parameter BIAS_FRAC  = 0,   // as in aihls_requant
    parameter MULT_W     = 24,
    parameter SHIFT_W    = 4,
    parameter SHIFT_MIN  = 24,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127,
    parameter PARAM_PIXELS = 0, // as in aihls_requant, and so the next two
    parameter RQ_DSP     = 0,
    parameter TECH       = "GENERIC",
    // Derived: leave at the default.
    parameter P_DEPTH    = (PARAM_PIXELS > 0) ? PARAM_PIXELS : (CHANNELS + RQ_LANES - 1) / RQ_LANES,
    parameter P_ADDR_W   = (P_DEPTH <= 2) ? 1 : $clog2(P_DEPTH),
    parameter P_LANES    = (PARAM_PIXELS > 0) ? 1 : RQ_LANES,
    parameter RESULT_W   = (REQUANT != 0) ? 8 : ACC_W
) (
    input  wire                                       clk,
    input  wire                                       rst,
    input  wire                                       done,
    input  wire [PIXELS*L*ACC_W-1:0]                  acc,
    output wire                                       en,
    output wire                                       own,      // frozen by the drain's length
    output wire                                       p_en,
    output wire [P_ADDR_W-1:0]                        p_addr,
    input  wire [P_LANES*(SHIFT_W+MULT_W+BIAS_W)-1:0] p_data,
    output wire [RQ_LANES*RESULT_W-1:0]               m_act_data,
    output wire                                       m_act_valid,
    input  wire                                       m_act_ready
);
    localparam FULL_BEATS = (L + RQ_LANES - 1) / RQ_LANES;
    localparam LAST_BEATS = (LAST_LANES + RQ_LANES - 1) / RQ_LANES;
    localparam HOLD_W     = FULL_BEATS * RQ_LANES * ACC_W;
    localparam BEAT_W     = RQ_LANES * ACC_W;
    localparam integer LATE_MAX = PIXELS * FULL_BEATS * RQ_CYCLES;   // no drain is longer
    localparam LATE_W     = $clog2(LATE_MAX + 1);
    localparam COUNT_W    = (FULL_BEATS <= 2) ? 1 : $clog2(FULL_BEATS);
    localparam integer FULL_TOP = FULL_BEATS - 1;
    localparam integer LAST_TOP = LAST_BEATS - 1;

    reg  [HOLD_W-1:0]  hold_q;
    reg                held_q;
    reg  [COUNT_W-1:0] beat_q;
    wire               pass_last;
    wire               beat_ready;
    wire               take      = held_q && beat_ready;
    wire               beat_last = (beat_q == (pass_last ? LAST_TOP[COUNT_W-1:0]
                                                         : FULL_TOP[COUNT_W-1:0]));
    wire               round_end = take && beat_last;   // of the pass or of one of its pixels
    wire               round_last;
    wire               ends      = beat_last && round_last;
    wire               emptied   = round_end && round_last;
    wire [HOLD_W-1:0]  acc_wide, shifted, rest;
    wire               blocked   = m_act_valid && !m_act_ready;   // the consumer stands still
    reg  [LATE_W-1:0]  late_q;                                    // cycles that this drain was put off

    assign en = !(done && held_q) || (ends && beat_ready);   // beat_ready comes late
    assign own = !en && !blocked && late_q == {LATE_W{1'b0}};

    aihls_fit #(.IN_W(L*ACC_W), .OUT_W(HOLD_W)) u_acc (.d(acc[L*ACC_W-1:0]), .q(acc_wide));
    aihls_count #(.N(MP)) u_pass (.clk(clk), .rst(rst), .en(emptied), .last(pass_last));

    always @(posedge clk) begin
        if (done && en) held_q <= 1'b1;
        else if (emptied) held_q <= 1'b0;
        if (take) beat_q <= beat_last ? {COUNT_W{1'b0}} : beat_q + {{(COUNT_W-1){1'b0}}, 1'b1};
        if (emptied) late_q <= {LATE_W{1'b0}};
        else if (en && blocked && late_q != LATE_MAX[LATE_W-1:0])
            late_q <= late_q + {{(LATE_W-1){1'b0}}, 1'b1};
        else if (!en && !blocked && late_q != {LATE_W{1'b0}})
            late_q <= late_q - {{(LATE_W-1){1'b0}}, 1'b1};
        if (rst) begin
            held_q <= 1'b0;
            beat_q <= {COUNT_W{1'b0}};
            late_q <= {LATE_W{1'b0}};
        end
    end

    generate
        if (FULL_BEATS == 1) begin : g_one_beat
            assign shifted = hold_q;
        end else begin : g_beats
            assign shifted = {{BEAT_W{1'b0}}, hold_q[HOLD_W-1:BEAT_W]};
        end
        if (PIXELS == 1) begin : g_pixel
            wire unused_ok = &{1'b0, OUT_W[0]};
            assign round_last = 1'b1;
            assign rest       = shifted;
        end else begin : g_pair
            reg               second_q;  // draining pixel 1
            reg  [HOLD_W-1:0] second_acc_q;
            wire [HOLD_W-1:0] second_wide;
            wire              alone;
            aihls_fit #(.IN_W(L*ACC_W), .OUT_W(HOLD_W)) u_second (
                .d(acc[L*ACC_W +: L*ACC_W]), .q(second_wide)
            );
            always @(posedge clk) begin
                if (done && en) second_acc_q <= second_wide;
                if (round_end) second_q <= !round_last;
                if (rst) second_q <= 1'b0;
            end
            assign round_last = second_q || alone;
            assign rest       = round_end ? second_acc_q : shifted;
            if (OUT_W % 2 == 0) begin : g_even
                assign alone = 1'b0;
            end else begin : g_odd
                aihls_count #(.N((OUT_W + 1) / 2)) u_pair (
                    .clk(clk), .rst(rst), .en(emptied && pass_last), .last(alone)
                );
            end
        end
        if (FULL_BEATS == 1 && PIXELS == 1) begin : g_load
            always @(posedge clk) if (done && en) hold_q <= acc_wide;
            wire unused_ok = &{1'b0, rest};
        end else begin : g_shift
            always @(posedge clk) begin
                if (done && en) hold_q <= acc_wide;
                else if (take) hold_q <= rest;
            end
        end

        if (REQUANT != 0) begin : g_requant
            localparam IN_TURN   = (PIXELS == 2 && MP > 1) ? 1 : 0;
            localparam RQ_PIXEL  = (IN_TURN != 0) ? RQ_LANES : CHANNELS;
            localparam RQ_BEATS  = (PARAM_PIXELS > 0) ? PARAM_PIXELS : (RQ_PIXEL + RQ_LANES - 1) / RQ_LANES;
            localparam RQ_ADDR_W = (RQ_BEATS <= 2) ? 1 : $clog2(RQ_BEATS);
            wire [RQ_ADDR_W-1:0] rq_addr;
            if (IN_TURN != 0) begin : g_in_turn
                // the parameters of a word's beats are read once for each pixel
                localparam BEATS  = (CHANNELS + RQ_LANES - 1) / RQ_LANES;
                localparam ADDR_W = (BEATS <= 2) ? 1 : $clog2(BEATS);
                reg  [ADDR_W-1:0] addr_q, word_q;
                wire [ADDR_W-1:0] addr_d = (beat_last && pass_last) ? {ADDR_W{1'b0}}
                                         : addr_q + {{(ADDR_W-1){1'b0}}, 1'b1};
                always @(posedge clk) begin
                    if (take) addr_q <= (beat_last && !round_last) ? word_q : addr_d;
                    if (emptied) word_q <= addr_d;
                    if (rst) begin
                        addr_q <= {ADDR_W{1'b0}};
                        word_q <= {ADDR_W{1'b0}};
                    end
                end
                wire unused_ok = &{1'b0, rq_addr};
                assign p_addr = addr_q;
            end else begin : g_in_order
                assign p_addr = rq_addr;
            end
            aihls_requant #(
                .LANES(RQ_LANES), .CHANNELS(RQ_PIXEL), .ACC_W(ACC_W), .BIAS_W(BIAS_W), .BIAS_FRAC(BIAS_FRAC),
                .MULT_W(MULT_W), .SHIFT_W(SHIFT_W), .SHIFT_MIN(SHIFT_MIN),
                .RQ_CYCLES(RQ_CYCLES), .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO),
                .CLAMP_HI(CLAMP_HI), .PARAM_PIXELS(PARAM_PIXELS), .RQ_DSP(RQ_DSP), .TECH(TECH)
            ) u_requant (
                .clk(clk), .rst(rst), .s_acc_data(hold_q[BEAT_W-1:0]), .s_acc_valid(held_q),
                .s_acc_ready(beat_ready), .p_en(p_en), .p_addr(rq_addr), .p_data(p_data),
                .m_act_data(m_act_data), .m_act_valid(m_act_valid), .m_act_ready(m_act_ready)
            );
        end else begin : g_direct
            reg  [BEAT_W-1:0]   m_data_q;
            reg                 m_valid_q;
            wire [RQ_LANES-1:0] keep;
            wire [BEAT_W-1:0]   mask;
            genvar i;
            for (i = 0; i < RQ_LANES; i = i + 1) begin : g_mask
                assign mask[i*ACC_W +: ACC_W] = {ACC_W{keep[i]}};
            end
            aihls_tail #(.LANES(RQ_LANES), .CHANNELS(CHANNELS)) u_tail (
                .clk(clk), .rst(rst), .en(take), .keep(keep)
            );
            assign beat_ready  = !m_valid_q || m_act_ready;
            assign m_act_data  = m_data_q;
            assign m_act_valid = m_valid_q;
            assign p_en        = 1'b0;
            assign p_addr      = 0;
            always @(posedge clk) begin
                if (beat_ready) begin
                    m_data_q  <= hold_q[BEAT_W-1:0] & mask;
                    m_valid_q <= held_q;
                end
                if (rst) m_valid_q <= 1'b0;
            end
            wire unused_ok = &{1'b0, p_data, BIAS_W[0], BIAS_FRAC[0], MULT_W[0], SHIFT_W[0], SHIFT_MIN[0],
                               ZERO_POINT[0], CLAMP_LO[0], CLAMP_HI[0], RQ_CYCLES[0]};
        end
        if (MP > 1 && L % RQ_LANES != 0) begin : g_check_lanes
            aihls_error_RQ_LANES_must_divide_the_lanes_of_a_pass u_error ();
        end
        if (PIXELS != 1 && (PIXELS != 2 || REQUANT == 0)) begin : g_check_pixels
            aihls_error_PIXELS_must_be_1_or_2_with_a_requantizer u_error ();
        end
        if (LAST_LANES > L || LAST_LANES < 1) begin : g_check_last
            aihls_error_LAST_LANES_must_be_1_to_L u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

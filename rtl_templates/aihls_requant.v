// SPDX-License-Identifier: Apache-2.0
// aihls_requant: y = clamp(ZERO_POINT + RNE((acc * 2^BIAS_FRAC + bias) * mult * 2^-shift)), exact, rounded
// half to even once; shift = SHIFT_MIN + field. LANES results per RQ_CYCLES cycles.
// The multipliers are LUTs, or with RQ_DSP = 1 DSP blocks of TECH: two a lane when a digit has
// more than 17 bits, else one.
//
//   s_acc -> x0 -> +bias -> digit(s) of mult -> (accumulate) -> shift, 2 bits a stage -> round -> m
//             p_data (parameters, one cycle after p_addr)
//
// The multiplier takes ceil(MULT_W/RQ_CYCLES) bits of mult a cycle. One enable moves all
// of it: rq_en = !m_act_valid || m_act_ready, so s_acc_ready depends on m_act_ready
// combinationally (aihls_drain and aihls_gap know). p_data lane i is {shift, mult, bias},
// bias in the low bits, at [i*(SHIFT_W+MULT_W+BIAS_W) +: ...]; p_addr is the beat of the
// pixel, p_en the read enable. With PARAM_PIXELS > 0, p_addr is the pixel of the frame (so
// many there are) and p_data one set, for all lanes and channels of that pixel.
// Lanes beyond CHANNELS in a pixel's last beat give 0.
// Latency LATENCY enabled cycles from s_acc to m_act (see the localparam).
// Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_requant #(
    parameter LANES      = 1,
    parameter CHANNELS   = 1,
    parameter ACC_W      = 24,
    parameter BIAS_W     = 24,
    parameter BIAS_FRAC  = 0,   // bits of the bias below a unit of acc
    parameter MULT_W     = 24,
    parameter SHIFT_W    = 4,
    parameter SHIFT_MIN  = 24,
    parameter RQ_CYCLES  = 1,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127,
    parameter PARAM_PIXELS = 0,
    parameter RQ_DSP     = 0,
    parameter TECH       = "GENERIC",
    // Derived: leave at the default.
    parameter P_DEPTH    = (PARAM_PIXELS > 0) ? PARAM_PIXELS : (CHANNELS + LANES - 1) / LANES,
    parameter P_ADDR_W   = (P_DEPTH <= 2) ? 1 : $clog2(P_DEPTH),
    parameter P_LANES    = (PARAM_PIXELS > 0) ? 1 : LANES
) (
    input  wire                                       clk,
    input  wire                                       rst,
    input  wire [LANES*ACC_W-1:0]                     s_acc_data,
    input  wire                                       s_acc_valid,
    output wire                                       s_acc_ready,
    output wire                                       p_en,
    output wire [P_ADDR_W-1:0]                        p_addr,
    input  wire [P_LANES*(SHIFT_W+MULT_W+BIAS_W)-1:0] p_data,
    output wire [LANES*8-1:0]                         m_act_data,
    output wire                                       m_act_valid,
    input  wire                                       m_act_ready
);
    localparam BEATS     = (CHANNELS + LANES - 1) / LANES;
    localparam PARAM_W   = SHIFT_W + MULT_W + BIAS_W;
    localparam DIGIT_W   = (MULT_W + RQ_CYCLES - 1) / RQ_CYCLES;
    localparam DIGITS    = (MULT_W + DIGIT_W - 1) / DIGIT_W;
    localparam MUL_LAT   = (RQ_DSP == 0) ? 1 + $clog2((DIGIT_W + 3) / 4) : (DIGIT_W <= 17) ? 4 : 5;
    localparam SERIAL    = (DIGITS > 1) ? DIGITS : 0;   // last digit, and its accumulation
    localparam SHIFT_LAT = (SHIFT_W + 1) / 2;
    // 1 x0, 1 bias, then multiplier, accumulator, shifter, 2 rounding, 1 output
    localparam TO_SHIFT  = 2 + MUL_LAT + SERIAL;
    localparam LATENCY   = TO_SHIFT + SHIFT_LAT + 3;

    reg                 m_valid_q;
    wire                rq_en = !m_valid_q || m_act_ready;
    wire                accept = s_acc_valid && s_acc_ready;
    reg  [P_ADDR_W-1:0] set_q;
    wire                set_end, set_last;   // last beat of a parameter set, last set
    reg                 x0_valid_q;
    reg                 load_q;
    wire                product_valid, y_valid;
    wire [LANES-1:0]    keep;

    assign m_act_valid = m_valid_q;
    assign p_en        = accept;
    assign p_addr      = set_q;

    generate
        if (RQ_CYCLES == 1) begin : g_every
            assign s_acc_ready = rq_en;
        end else begin : g_phase
            localparam PHASE_W = $clog2(RQ_CYCLES);
            localparam integer TOP = RQ_CYCLES - 1;
            reg [PHASE_W-1:0] phase_q;
            assign s_acc_ready = rq_en && (phase_q == {PHASE_W{1'b0}});
            always @(posedge clk) begin
                if (accept) phase_q <= TOP[PHASE_W-1:0];
                else if (rq_en && phase_q != {PHASE_W{1'b0}})
                    phase_q <= phase_q - {{(PHASE_W-1){1'b0}}, 1'b1};
                if (rst) phase_q <= {PHASE_W{1'b0}};
            end
        end
    endgenerate

    aihls_count #(.N(P_DEPTH)) u_set (.clk(clk), .rst(rst), .en(set_end), .last(set_last));
    always @(posedge clk) begin
        if (set_end) set_q <= set_last ? {P_ADDR_W{1'b0}} : set_q + {{(P_ADDR_W-1){1'b0}}, 1'b1};
        if (rq_en) begin
            x0_valid_q <= accept;
            load_q     <= x0_valid_q;
            m_valid_q  <= y_valid;
        end
        if (rst) begin
            set_q      <= {P_ADDR_W{1'b0}};
            x0_valid_q <= 1'b0;
            load_q     <= 1'b0;
            m_valid_q  <= 1'b0;
        end
    end

    generate
        if (PARAM_PIXELS > 0) begin : g_pixels
            wire pixel_end;
            aihls_count #(.N(BEATS)) u_beat (
                .clk(clk), .rst(rst), .en(accept), .last(pixel_end)
            );
            assign set_end = accept && pixel_end;
        end else begin : g_beats
            assign set_end = accept;
        end
    endgenerate

    // load_q marks the first digit; the product is complete MUL_LAT + SERIAL cycles later.
    aihls_flag #(.DELAY(MUL_LAT + SERIAL)) u_product (
        .clk(clk), .rst(rst), .en(rq_en), .d(load_q), .q(product_valid)
    );
    aihls_flag #(.DELAY(SHIFT_LAT + 2)) u_y (
        .clk(clk), .rst(rst), .en(rq_en), .d(product_valid), .q(y_valid)
    );
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(rq_en && y_valid), .keep(keep)
    );

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [7:0] y;
            reg  [7:0] m_q;
            aihls_rqlane #(
                .ACC_W(ACC_W), .BIAS_W(BIAS_W), .BIAS_FRAC(BIAS_FRAC), .MULT_W(MULT_W), .SHIFT_W(SHIFT_W),
                .SHIFT_MIN(SHIFT_MIN), .DIGIT_W(DIGIT_W), .USE_DSP(RQ_DSP), .TECH(TECH), .ZERO_POINT(ZERO_POINT),
                .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI)
            ) u_lane (
                .clk(clk), .en(rq_en), .accept(accept), .have_x0(x0_valid_q), .load(load_q),
                .acc(s_acc_data[i*ACC_W +: ACC_W]),
                .param(p_data[(i % P_LANES)*PARAM_W +: PARAM_W]), .y(y)
            );
            always @(posedge clk) if (rq_en) m_q <= keep[i] ? y : 8'd0;
            assign m_act_data[i*8 +: 8] = m_q;
        end
        if (RQ_CYCLES < 1 || LATENCY < 1) begin : g_check
            aihls_error_RQ_CYCLES_must_be_at_least_1 u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_gap: global pooling, one output pixel per frame. OP "AVG" sums the top-left POOL_H x
// POOL_W positions of each channel and requantizes the sums (the divisor is in mult); "MAX"
// gives the largest as it is (ACC_W 8, RQ_CYCLES 1, p_* unused); "ABS" and "SQR" give the sums
// of |x - X_ZERO| or of its square as they are, ACC_W bits a lane, for aihls_search.
//
//   s_act -> power -> 2-word queue -> + or max <-> sums (LUT RAM, one word per beat of a pixel)
//    (ABS, SQR)                            +--> requantizer (on the last position of the region)
//
// A frame takes IN_H*IN_W*BEATS cycles, BEATS = ceil(IN_C/S_LANES), plus
// (BEATS-1)*(RQ_CYCLES-1) because the beats of the region's last position enter the
// requantizer RQ_CYCLES apart, plus max(0, RQ_CYCLES-1 - (IN_H*IN_W-1)*BEATS) when the frame
// is shorter than the last of those. `busy` is 1 in as many cycles, whether the requantizer is
// waited for with a beat at hand or while none comes. LANES out = S_LANES.
// p_data: words of S_LANES lanes, as in aihls_requant; p_addr is the beat of the pixel.
// Reset: drops everything, starts at a frame.
`default_nettype none
module aihls_gap #(
    parameter OP         = "AVG",  // AVG | MAX | ABS | SQR
    parameter S_LANES    = 1,
    parameter IN_H       = 4,
    parameter IN_W       = 4,
    parameter IN_C       = 4,
    parameter POOL_H     = 4,
    parameter POOL_W     = 4,
    parameter X_ZERO     = 0,      // read with ABS and SQR
    parameter ACC_W      = 16,
    parameter RQ_CYCLES  = 1,
    parameter BIAS_W     = 16,
    parameter MULT_W     = 24,
    parameter SHIFT_W    = 0,
    parameter SHIFT_MIN  = 24,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127,
    parameter RQ_DSP     = 0,      // as in aihls_requant, and so TECH
    parameter TECH       = "GENERIC",
    parameter LUT_RAM    = 1,      // 0: the family has none, any memory may hold the sums
    // Derived: leave at the default.
    parameter P_DEPTH    = (IN_C + S_LANES - 1) / S_LANES,
    parameter P_ADDR_W   = (P_DEPTH <= 2) ? 1 : $clog2(P_DEPTH),
    parameter RESULT_W   = (OP == "ABS" || OP == "SQR") ? ACC_W : 8
) (
    input  wire                                       clk,
    input  wire                                       rst,
    input  wire [S_LANES*8-1:0]                       s_act_data,
    input  wire                                       s_act_valid,
    output wire                                       s_act_ready,
    output wire                                       p_en,
    output wire [P_ADDR_W-1:0]                        p_addr,
    input  wire [S_LANES*(SHIFT_W+MULT_W+BIAS_W)-1:0] p_data,
    output wire [S_LANES*RESULT_W-1:0]                m_act_data,
    output wire                                       m_act_valid,
    input  wire                                       m_act_ready
);
    localparam X_W = (IN_W <= 2) ? 1 : $clog2(IN_W);
    localparam Y_W = (IN_H <= 2) ? 1 : $clog2(IN_H);
    localparam integer X_TOP = POOL_W - 1;
    localparam integer Y_TOP = POOL_H - 1;
    localparam POWER = (OP == "ABS") ? 1 : (OP == "SQR") ? 2 : 0;
    localparam TERM_W = (POWER == 2) ? 17 : (POWER == 1) ? 9 : 8;   // of what is added

    wire [S_LANES*TERM_W-1:0] beat, q_data;
    wire                     q_valid, q_ready;
    wire                     beat_valid, beat_ready, rq_ready;
    wire                     take = beat_valid && beat_ready;
    wire                     b_last, x_last, y_last;
    reg  [P_ADDR_W-1:0]      b_q;
    reg  [X_W-1:0]           x_q;
    reg  [Y_W-1:0]           y_q;
    wire                     pooled = ({1'b0, x_q} < POOL_W[X_W:0]) && ({1'b0, y_q} < POOL_H[Y_W:0]);
    wire                     first  = (x_q == {X_W{1'b0}}) && (y_q == {Y_W{1'b0}});
    wire                     closing = (x_q == X_TOP[X_W-1:0]) && (y_q == Y_TOP[Y_W-1:0]);
    wire [S_LANES*ACC_W-1:0] sum;
    wire                     blocked = m_act_valid && !m_act_ready;
    // the cycles that a beat of the region's last position keeps those behind it waiting
    localparam integer WAIT      = RQ_CYCLES - 1;
    localparam integer REST      = (IN_H * IN_W - 1) * P_DEPTH;
    localparam integer LAST_WAIT = (WAIT > REST) ? WAIT - REST : 0;
    localparam WAIT_W            = $clog2(RQ_CYCLES + 1);
    reg  [WAIT_W-1:0]        wait_q;
    wire                     busy = take || (wait_q != {WAIT_W{1'b0}} && !blocked);

    assign beat_ready = !closing || rq_ready;

    aihls_fifo #(.WIDTH(S_LANES*TERM_W), .DEPTH(2), .BLOCK(0)) u_queue (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(q_data), .s_valid(q_valid),
        .s_ready(q_ready), .m_data(beat), .m_valid(beat_valid), .m_ready(beat_ready)
    );

    aihls_count #(.N(P_DEPTH)) u_b (.clk(clk), .rst(rst), .en(take), .last(b_last));
    aihls_count #(.N(IN_W)) u_x (.clk(clk), .rst(rst), .en(take && b_last), .last(x_last));
    aihls_count #(.N(IN_H)) u_y (
        .clk(clk), .rst(rst), .en(take && b_last && x_last), .last(y_last)
    );
    always @(posedge clk) begin
        if (take) b_q <= b_last ? {P_ADDR_W{1'b0}} : b_q + {{(P_ADDR_W-1){1'b0}}, 1'b1};
        if (take && b_last) x_q <= x_last ? {X_W{1'b0}} : x_q + {{(X_W-1){1'b0}}, 1'b1};
        if (take && b_last && x_last)
            y_q <= y_last ? {Y_W{1'b0}} : y_q + {{(Y_W-1){1'b0}}, 1'b1};
        if (take && closing) wait_q <= b_last ? LAST_WAIT[WAIT_W-1:0] : WAIT[WAIT_W-1:0];
        else if (busy && !take) wait_q <= wait_q - {{(WAIT_W-1){1'b0}}, 1'b1};
        if (rst) begin
            b_q <= {P_ADDR_W{1'b0}};
            x_q <= {X_W{1'b0}};
            y_q <= {Y_W{1'b0}};
            wait_q <= {WAIT_W{1'b0}};
        end
    end

    // Read before write in the same cycle, so that one beat a pixel needs no bypass.
    wire [S_LANES*ACC_W-1:0] stored;
    generate
        if (LUT_RAM != 0) begin : g_lut
            (* ram_style = "distributed" *)
            reg  [S_LANES*ACC_W-1:0] sums [0:P_DEPTH-1];
            assign stored = sums[b_q];
            always @(posedge clk) if (take && pooled) sums[b_q] <= sum;
        end else begin : g_any
            reg  [S_LANES*ACC_W-1:0] sums [0:P_DEPTH-1];
            assign stored = sums[b_q];
            always @(posedge clk) if (take && pooled) sums[b_q] <= sum;
        end
    endgenerate

    genvar i;
    generate
        if (POWER == 0) begin : g_as_it_is
            assign q_data      = s_act_data;
            assign q_valid     = s_act_valid;
            assign s_act_ready = q_ready;
            wire unused_ok = &{1'b0, X_ZERO[0]};
        end else begin : g_power
            wire power_en = !q_valid || q_ready;
            assign s_act_ready = power_en;
            aihls_flag #(.DELAY((POWER == 2) ? 3 : 1)) u_valid (
                .clk(clk), .rst(rst), .en(power_en), .d(s_act_valid), .q(q_valid)
            );
            for (i = 0; i < S_LANES; i = i + 1) begin : g_lane
                aihls_power #(.POWER(POWER), .ZERO(X_ZERO)) u_power (
                    .clk(clk), .en(power_en), .x(s_act_data[i*8 +: 8]), .y(q_data[i*TERM_W +: TERM_W])
                );
            end
        end
        for (i = 0; i < S_LANES; i = i + 1) begin : g_lane
            wire [ACC_W-1:0] wide;
            aihls_resize #(.IN_W(TERM_W), .OUT_W(ACC_W)) u_wide (
                .d(beat[i*TERM_W +: TERM_W]), .q(wide)
            );
            if (OP == "MAX") begin : g_max
                wire [ACC_W-1:0] best = stored[i*ACC_W +: ACC_W];
                assign sum[i*ACC_W +: ACC_W] =
                    (first || $signed(wide) > $signed(best)) ? wide : best;
            end else begin : g_add
                assign sum[i*ACC_W +: ACC_W] =
                    wide + (first ? {ACC_W{1'b0}} : stored[i*ACC_W +: ACC_W]);
            end
        end
        if (OP != "AVG" && POWER == 0 && (OP != "MAX" || ACC_W != 8)) begin : g_check_op
            aihls_error_OP_must_be_AVG_ABS_SQR_or_MAX_of_8_bits u_error ();
        end
        if (POOL_H > IN_H || POOL_W > IN_W) begin : g_check
            aihls_error_the_pooled_region_exceeds_the_image u_error ();
        end
    endgenerate

    generate
        if (OP != "AVG") begin : g_direct
            reg  [S_LANES*ACC_W-1:0] m_data_q;
            reg                      m_valid_q;
            assign rq_ready    = !m_valid_q || m_act_ready;
            assign m_act_data  = m_data_q;
            assign m_act_valid = m_valid_q;
            assign p_en        = 1'b0;
            assign p_addr      = {P_ADDR_W{1'b0}};
            wire [S_LANES*ACC_W-1:0] result;
            if (POWER == 0) begin : g_clean   // unused lanes come as 0 and stay 0
                assign result = sum;
            end else begin : g_mask
                wire [S_LANES-1:0] keep;
                aihls_tail #(.LANES(S_LANES), .CHANNELS(IN_C)) u_tail (
                    .clk(clk), .rst(rst), .en(take && closing), .keep(keep)
                );
                for (i = 0; i < S_LANES; i = i + 1) begin : g_lane
                    assign result[i*ACC_W +: ACC_W] = sum[i*ACC_W +: ACC_W] & {ACC_W{keep[i]}};
                end
            end
            always @(posedge clk) begin
                if (rq_ready) begin
                    m_data_q  <= result;
                    m_valid_q <= beat_valid && closing;
                end
                if (rst) m_valid_q <= 1'b0;
            end
            wire unused_ok = &{1'b0, p_data, BIAS_W[0], MULT_W[0], SHIFT_W[0], SHIFT_MIN[0],
                               ZERO_POINT[0], CLAMP_LO[0], CLAMP_HI[0], RQ_CYCLES[0]};
        end else begin : g_requant
            aihls_requant #(
                .LANES(S_LANES), .CHANNELS(IN_C), .ACC_W(ACC_W), .BIAS_W(BIAS_W), .MULT_W(MULT_W),
                .SHIFT_W(SHIFT_W), .SHIFT_MIN(SHIFT_MIN), .RQ_CYCLES(RQ_CYCLES),
                .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI),
                .RQ_DSP(RQ_DSP), .TECH(TECH)
            ) u_requant (
                .clk(clk), .rst(rst), .s_acc_data(sum), .s_acc_valid(beat_valid && closing),
                .s_acc_ready(rq_ready), .p_en(p_en), .p_addr(p_addr), .p_data(p_data),
                .m_act_data(m_act_data), .m_act_valid(m_act_valid), .m_act_ready(m_act_ready)
            );
        end
    endgenerate
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

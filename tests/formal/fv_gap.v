// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_gap: output pixel n is, channel by channel, the sum over the pooled region
// of frame n, and its parameters are its channel's: the requantizer adds the channel's number and
// does nothing else. Elements are 0 or 1.
`default_nettype none
module fv_gap #(
    parameter S_LANES   = 1,
    parameter IN_H      = 2,
    parameter IN_W      = 2,
    parameter IN_C      = 2,
    parameter POOL_H    = 2,
    parameter POOL_W    = 2,
    parameter RQ_CYCLES = 1,
    parameter DATA      = 1    // 0: all elements are 0, and only the handshake and the order are proven
) (
    input wire               clk,
    input wire               rst,
    input wire               pick,
    input wire [S_LANES-1:0] s_bits,
    input wire               s_valid,
    input wire               m_ready
);
    localparam BEATS  = (IN_C + S_LANES - 1) / S_LANES;
    localparam ADDR_W = (BEATS <= 2) ? 1 : $clog2(BEATS);
    localparam ACC_W  = 4;
    localparam BIAS_W = 3;
    wire [S_LANES*8-1:0]          s_data, m_data;
    wire                          s_ready, m_valid, p_en;
    wire [ADDR_W-1:0]             p_addr;
    reg  [S_LANES*(BIAS_W+1)-1:0] p_data;
    wire                          take_in = s_valid && s_ready;
    wire                          take    = m_valid && m_ready;
    integer                       i;
    always @(posedge clk) if (p_en)
        for (i = 0; i < S_LANES; i = i + 1)
            p_data[i*(BIAS_W+1) +: BIAS_W+1] <= {1'b1, {BIAS_W{1'b0}}} | (p_addr * S_LANES + i);
    aihls_gap #(
        .S_LANES(S_LANES), .IN_H(IN_H), .IN_W(IN_W), .IN_C(IN_C), .POOL_H(POOL_H), .POOL_W(POOL_W),
        .ACC_W(ACC_W), .RQ_CYCLES(RQ_CYCLES), .BIAS_W(BIAS_W), .MULT_W(1), .SHIFT_W(0), .SHIFT_MIN(0)
    ) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .p_en(p_en), .p_addr(p_addr), .p_data(p_data), .m_act_data(m_data), .m_act_valid(m_valid),
        .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(S_LANES*8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(S_LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // The sums by definition. What is followed is a beat of the closing position with the sum it
    // completes.
    reg  [1:0]           in_beat_q, x_q, y_q, out_beat_q;
    reg  [S_LANES*3-1:0] sums_q [0:BEATS-1];
    wire [S_LANES*3-1:0] sum, word;
    wire                 here;
    wire                 in_pixel_end = (in_beat_q == BEATS - 1);
    wire                 in_row_end   = in_pixel_end && (x_q == IN_W - 1);
    wire                 in_end       = in_row_end && (y_q == IN_H - 1);
    wire                 closing      = (x_q == POOL_W - 1) && (y_q == POOL_H - 1);
    always @(posedge clk) begin
        if (take_in) begin
            in_beat_q <= in_pixel_end ? 0 : in_beat_q + 1'b1;
            if (in_pixel_end) x_q <= in_row_end ? 0 : x_q + 1'b1;
            if (in_row_end) y_q <= in_end ? 0 : y_q + 1'b1;
            if (x_q < POOL_W && y_q < POOL_H) sums_q[in_beat_q] <= sum;
        end
        if (take) out_beat_q <= (out_beat_q == BEATS - 1) ? 0 : out_beat_q + 1'b1;
        if (rst) begin
            in_beat_q  <= 0;
            x_q        <= 0;
            y_q        <= 0;
            out_beat_q <= 0;
        end
    end
    fv_order #(.WIDTH(S_LANES*3), .MOST(12)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(take_in && closing), .in_data(sum),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    wire [S_LANES-1:0] bits = (DATA != 0) ? s_bits : {S_LANES{1'b0}};
    genvar l;
    generate
        for (l = 0; l < S_LANES; l = l + 1) begin : g_lane
            wire [2:0] old  = (x_q == 0 && y_q == 0) ? 3'd0 : sums_q[in_beat_q][l*3 +: 3];
            wire [7:0] lane = out_beat_q * S_LANES + l;
            wire [7:0] want = (lane < IN_C) ? word[l*3 +: 3] + lane : 8'd0;
            assign sum[l*3 +: 3]    = old + bits[l];
            assign s_data[l*8 +: 8] = {7'd0, bits[l]};
            always @* if (!rst && m_valid && here) assert (m_data[l*8 +: 8] == want);
        end
    endgenerate
endmodule
`default_nettype wire

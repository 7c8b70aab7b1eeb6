// SPDX-License-Identifier: Apache-2.0
// aihls_concat: joins two streams in turn, for ever: A_BEATS beats of s_a, then B_BEATS
// beats of s_b. With the beats of a pixel it concatenates channels, with those of a row
// columns, with those of a frame rows. `busy` is 1 in the cycles that take a beat.
// Latency 1 cycle, one beat per cycle. Two beats are held, so that no ready path goes
// through.  Reset: drops the beats held, starts with s_a.
//
// s_a   <A0><A1>------------<A2><A3>
// s_b   --------<B0>----------------<B1>     A_BEATS = 2, B_BEATS = 1
// m_act ----<A0><A1><B0>--------<A2><A3><B1>
`default_nettype none
module aihls_concat #(
    parameter LANES   = 1,
    parameter A_BEATS = 1,
    parameter B_BEATS = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [LANES*8-1:0] s_a_data,
    input  wire               s_a_valid,
    output wire               s_a_ready,
    input  wire [LANES*8-1:0] s_b_data,
    input  wire               s_b_valid,
    output wire               s_b_ready,
    output wire [LANES*8-1:0] m_act_data,
    output wire               m_act_valid,
    input  wire               m_act_ready
);
    reg  turn_q;   // 1: s_b
    wire ready, a_last, b_last;
    wire take_a = s_a_valid && s_a_ready;
    wire take_b = s_b_valid && s_b_ready;
    wire busy   = take_a || take_b;
    assign s_a_ready = ready && !turn_q;
    assign s_b_ready = ready && turn_q;

    aihls_count #(.N(A_BEATS)) u_a (.clk(clk), .rst(rst), .en(take_a), .last(a_last));
    aihls_count #(.N(B_BEATS)) u_b (.clk(clk), .rst(rst), .en(take_b), .last(b_last));
    always @(posedge clk) begin
        if (take_a && a_last) turn_q <= 1'b1;
        if (take_b && b_last) turn_q <= 1'b0;
        if (rst) turn_q <= 1'b0;
    end
    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_hold (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(turn_q ? s_b_data : s_a_data),
        .s_valid(turn_q ? s_b_valid : s_a_valid), .s_ready(ready),
        .m_data(m_act_data), .m_valid(m_act_valid), .m_ready(m_act_ready)
    );
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_concat: it takes A_BEATS beats of one stream, then B_BEATS of the other, and gives them in the
// order in which it took them.
`default_nettype none
module fv_concat #(
    parameter A_BEATS = 2,
    parameter B_BEATS = 1
) (
    input wire       clk,
    input wire       rst,
    input wire       pick,
    input wire [7:0] a_data,
    input wire       a_valid,
    input wire [7:0] b_data,
    input wire       b_valid,
    input wire       m_ready
);
    wire       a_ready, b_ready, m_valid, here;
    wire [7:0] m_data, word;
    wire       take_a = a_valid && a_ready;
    wire       take_b = b_valid && b_ready;
    wire       take   = m_valid && m_ready;
    reg  [7:0] turn_q;   // the beat of the turn that comes next
    wire       of_a = (turn_q < A_BEATS);
    always @(posedge clk) begin
        if (take_a || take_b) turn_q <= (turn_q == A_BEATS + B_BEATS - 1) ? 0 : turn_q + 1'b1;
        if (rst) turn_q <= 0;
    end
    aihls_concat #(.LANES(1), .A_BEATS(A_BEATS), .B_BEATS(B_BEATS)) u_dut (
        .clk(clk), .rst(rst), .s_a_data(a_data), .s_a_valid(a_valid), .s_a_ready(a_ready),
        .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), .m_act_data(m_data),
        .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(8)) u_offer_a (
        .clk(clk), .rst(rst), .data(a_data), .valid(a_valid), .ready(a_ready)
    );
    fv_offer #(.WIDTH(8)) u_offer_b (
        .clk(clk), .rst(rst), .data(b_data), .valid(b_valid), .ready(b_ready)
    );
    fv_hold #(.WIDTH(8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(8), .MOST(2), .WAIT(1)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(take_a || take_b), .in_data(take_b ? b_data : a_data),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    always @* if (!rst) begin
        assert (!(take_a && !of_a) && !(take_b && of_a));
        if (m_valid && here) assert (m_data == word);
    end
endmodule
`default_nettype wire

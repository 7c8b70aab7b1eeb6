// SPDX-License-Identifier: Apache-2.0
// Proof harness of a whole stage: aihls_dw as a maximum over two rows of one column, IN_C channels
// of 0 or 1. Element n of a frame's output is the larger one of elements n and n + IN_C of its
// input.
`default_nettype none
module fv_dw #(
    parameter IN_C     = 1,
    parameter WORD     = 1,
    parameter ROWS_PAR = 1
) (
    input wire clk,
    input wire rst,
    input wire pick,
    input wire s_bit,
    input wire s_valid,
    input wire m_ready
);
    wire       s_ready, w_en, w_addr, p_en, m_valid, here;
    wire [0:0] p_addr;
    wire [7:0] m_data;
    wire       word;
    wire       take_in = s_valid && s_ready;
    wire       take    = m_valid && m_ready;
    aihls_dw #(
        .OP("MAX"), .IN_H(2), .IN_W(1), .IN_C(IN_C), .OUT_H(1), .OUT_W(1), .KERNEL_H(2), .KERNEL_W(1),
        .WORD(WORD), .ROWS_PAR(ROWS_PAR), .RING_ROWS(2), .PAD_VALUE(-128), .WEIGHT_BITS(1), .ACC_W(8),
        .BIAS_W(1), .MULT_W(1), .SHIFT_W(0), .SHIFT_MIN(0)
    ) u_dut (
        .clk(clk), .rst(rst), .s_act_data({7'd0, s_bit}), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .w_en(w_en), .w_addr(w_addr), .w_data({WORD{1'b0}}), .p_en(p_en), .p_addr(p_addr), .p_data(2'd0),
        .m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(1)) u_offer (
        .clk(clk), .rst(rst), .data(s_bit), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // The first row is kept; a result is known when its element of the second row comes.
    reg [1:0]      channel_q;
    reg            row_q;
    reg [IN_C-1:0] kept_q;
    always @(posedge clk) begin
        if (take_in) begin
            channel_q <= (channel_q == IN_C - 1) ? 0 : channel_q + 1'b1;
            if (channel_q == IN_C - 1) row_q <= !row_q;
            if (!row_q) kept_q[channel_q] <= s_bit;
        end
        if (rst) begin
            channel_q <= 0;
            row_q     <= 0;
        end
    end
    fv_order #(.WIDTH(1), .MOST(10)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(take_in && row_q), .in_data(s_bit || kept_q[channel_q]),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    always @* if (!rst && m_valid && here) assert (m_data == {7'd0, word});
endmodule
`default_nettype wire

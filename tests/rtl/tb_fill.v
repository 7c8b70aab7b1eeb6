// SPDX-License-Identifier: Apache-2.0
// tb_fill: pushes words 1, 2, 3 … into an aihls_fifo that nobody empties, counts what it
// takes (DEPTH at least), then empties it and checks order, under `stall` as well.
`default_nettype none
module tb_fill #(
    parameter NAME  = "",
    parameter DEPTH = 2,
    parameter BLOCK = 0
) (
    input  wire clk,
    input  wire rst,
    output wire done,
    output reg  fail
);
    reg  [31:0] cycle_q;
    reg  [15:0] pushed_q, popped_q;
    wire        s_ready, m_valid;
    wire [15:0] m_data;
    wire        emptying = cycle_q > 2 * DEPTH + 10;
    wire        stall    = emptying || cycle_q[2:0] == 3'd5;
    assign done = cycle_q > 6 * DEPTH + 40;
    aihls_fifo #(.WIDTH(16), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_fifo (
        .clk(clk), .rst(rst), .stall(stall), .s_data(pushed_q + 16'd1), .s_valid(1'b1),
        .s_ready(s_ready), .m_data(m_data), .m_valid(m_valid), .m_ready(emptying)
    );
    always @(posedge clk) begin
        cycle_q <= cycle_q + 1;
        if (s_ready) pushed_q <= pushed_q + 16'd1;
        if (stall && s_ready && !rst) fail <= 1;
        if (emptying && m_valid) begin
            popped_q <= popped_q + 16'd1;
            if (m_data != popped_q + 16'd1) fail <= 1;
        end
        if (done && (pushed_q < DEPTH || popped_q != pushed_q)) begin
            if (!fail && !rst) $display("%s: depth %0d took %0d, gave %0d", NAME, DEPTH, pushed_q, popped_q);
            fail <= 1;
        end
        if (rst) begin
            cycle_q  <= 0;
            pushed_q <= 0;
            popped_q <= 0;
            fail     <= 0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_fifo: order, hold, capacity (when it refuses for three cycles, DEPTH words
// are in it), latency.
`default_nettype none
module fv_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter BLOCK = 0
) (
    input wire             clk,
    input wire             rst,
    input wire             stall,
    input wire             pick,
    input wire [WIDTH-1:0] s_data,
    input wire             s_valid,
    input wire             m_ready
);
    wire [WIDTH-1:0] m_data;
    wire             s_ready, m_valid, here;
    wire [WIDTH-1:0] word;
    wire [15:0]      held;
    aihls_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_dut (
        .clk(clk), .rst(rst), .stall(stall), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(WIDTH)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(WIDTH)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(
        .WIDTH(WIDTH), .MOST((DEPTH < 2) ? 2 : (DEPTH == 3 && BLOCK != 0) ? 4 : DEPTH),
        .WAIT((DEPTH <= 2) ? 0 : (BLOCK == 0) ? 1 : 2)
    ) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready), .in_data(s_data),
        .out_valid(m_valid), .out_take(m_valid && m_ready), .here(here), .word(word),
        .held(held)
    );
    reg  [1:0]  full_q;   // cycles of refusing in a row
    always @(posedge clk) full_q <= (rst || stall || s_ready || (m_valid && m_ready)) ? 2'd0
                                  : (full_q == 2'd3) ? full_q : full_q + 1'b1;
    always @* begin
        if (stall) assert (!s_ready);
        if (!rst && full_q == 2'd3 && !stall && !s_ready) assert (held >= DEPTH);
        if (!rst && here && m_valid) assert (m_data == word);
    end
endmodule
`default_nettype wire

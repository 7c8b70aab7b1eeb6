// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_uart_inbox: a writer that begins a block only after `room`, and then pushes up to BLOCK bytes whenever
// it likes, loses none; and `room` comes back when at most a block is left.
`default_nettype none
module fv_uart_inbox #(
    parameter BLOCK = 4,
    parameter BRAM  = 0
) (
    input wire       clk,
    input wire       rst,
    input wire       pick,
    input wire       begins,
    input wire [7:0] data,
    input wire       push,
    input wire       m_ready
);
    wire [7:0]  m_data, word;
    wire        room, m_valid, here;
    wire [15:0] held;
    reg  [3:0]  left_q;    // of the block under way
    reg  [1:0]  calm_q;    // cycles without a push or a pop
    aihls_uart_inbox #(.BLOCK(BLOCK), .BRAM(BRAM)) u_dut (
        .clk(clk), .rst(rst), .data(data), .push(push), .room(room), .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_hold #(.WIDTH(8)) u_hold (.clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready));
    fv_order #(.WIDTH(8), .MOST(2 * BLOCK), .WAIT(2)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(push), .in_data(data), .out_valid(m_valid), .out_take(m_valid && m_ready),
        .here(here), .word(word), .held(held)
    );
    always @(posedge clk) begin
        if (push) left_q <= left_q - 1'b1;
        else if (begins && room && left_q == 0) left_q <= BLOCK;
        else if (begins) left_q <= 0;   // a block may be shorter
        calm_q <= (push || (m_valid && m_ready)) ? 0 : (calm_q == 2) ? 2 : calm_q + 1'b1;
        if (rst) begin
            left_q <= 0;
            calm_q <= 0;
        end
    end
    always @* begin
        if (left_q == 0 || rst) assume (!push);
        if (!rst && here && m_valid) assert (m_data == word);
        if (!rst && calm_q == 2) assert (room == (held <= BLOCK));
    end
endmodule
`default_nettype wire

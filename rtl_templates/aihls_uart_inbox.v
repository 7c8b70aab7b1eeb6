// SPDX-License-Identifier: Apache-2.0
// aihls_uart_inbox: a queue of bytes that tells when there is room for a whole block: after `room`, BLOCK bytes may be
// pushed without looking. Throughput 1 byte/cycle. Reset: drops the bytes held.
`default_nettype none
module aihls_uart_inbox #(
    parameter BLOCK = 64,      // bytes
    parameter BRAM  = 0        // 1: block RAM, 0: LUT RAM
) (
    input  wire       clk,
    input  wire       rst,
    input  wire [7:0] data,
    input  wire       push,
    output wire       room,
    output wire [7:0] m_data,
    output wire       m_valid,
    input  wire       m_ready
);
    localparam DEPTH   = 2 * BLOCK;
    localparam COUNT_W = $clog2(DEPTH + 1);
    localparam [COUNT_W-1:0] MOST = BLOCK[COUNT_W-1:0];
    reg  [COUNT_W-1:0] used_q;
    reg                room_q;
    wire               pop = m_valid && m_ready;
    wire               unused_ready;
    assign room = room_q;
    aihls_fifo #(.WIDTH(8), .DEPTH(DEPTH), .BLOCK(BRAM)) u_fifo (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(data), .s_valid(push), .s_ready(unused_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    always @(posedge clk) begin
        used_q <= used_q + {{(COUNT_W-1){1'b0}}, push} - {{(COUNT_W-1){1'b0}}, pop};
        room_q <= (used_q < MOST) || ((used_q == MOST) && !push);
        if (rst) begin
            used_q <= {COUNT_W{1'b0}};
            room_q <= 1'b0;
        end
    end
endmodule
`default_nettype wire

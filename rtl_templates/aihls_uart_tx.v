// SPDX-License-Identifier: Apache-2.0
// aihls_uart_tx: bytes to an asynchronous line: a start bit, 8 data bits, least significant first, a stop bit, each of
// DIVIDE cycles; the line is a register. Between two bytes it is high for a cycle more. Throughput: a byte in
// 10 * DIVIDE + 1 cycles. Reset: the line is high; what was being sent is cut off.
`default_nettype none
module aihls_uart_tx #(
    parameter DIVIDE = 16   // cycles of a bit, at least 2
) (
    input  wire       clk,
    input  wire       rst,
    input  wire [7:0] s_data,
    input  wire       s_valid,
    output wire       s_ready,
    output wire       txd
);
    reg  [8:0] bits_q;   // what comes behind the bit on the line
    reg  [3:0] left_q;   // bits to come, the present one included; 0: idle
    reg        txd_q;
    wire       idle = (left_q == 4'd0);
    wire       take = s_valid && s_ready;
    wire       last;     // cycle of a bit

    assign s_ready = !rst && idle;
    assign txd     = txd_q;

    aihls_count #(.N(DIVIDE)) u_bit (.clk(clk), .rst(rst || take), .en(!idle), .last(last));

    always @(posedge clk) begin
        if (take) begin
            txd_q  <= 1'b0;
            bits_q <= {1'b1, s_data};
            left_q <= 4'd10;
        end else if (!idle && last) begin
            txd_q  <= bits_q[0];
            bits_q <= {1'b1, bits_q[8:1]};
            left_q <= left_q - 4'd1;
        end
        if (rst) begin
            txd_q  <= 1'b1;
            left_q <= 4'd0;
        end
    end

    generate
        if (DIVIDE < 2) begin : g_check
            aihls_error_DIVIDE_must_be_at_least_2 u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_uart_tx: the line in every cycle, from the number of cycles since a byte was taken; the next byte is
// taken a cycle behind the stop bit. DIVIDE is a power of two.
`default_nettype none
module fv_uart_tx #(
    parameter DIVIDE = 4
) (
    input wire       clk,
    input wire       rst,
    input wire [7:0] s_data,
    input wire       s_valid
);
    localparam SHIFT = $clog2(DIVIDE);
    wire       s_ready, txd;
    reg  [9:0] age_q;     // cycles since the byte was taken; 10 * DIVIDE: over
    reg  [7:0] byte_q;
    wire [9:0] bit_now = age_q >> SHIFT;
    wire       wanted  = (bit_now == 0) ? 1'b0 : (bit_now <= 8) ? byte_q[bit_now - 1] : 1'b1;
    aihls_uart_tx #(.DIVIDE(DIVIDE)) u_dut (.clk(clk), .rst(rst), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready), .txd(txd));
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(8), .QUIET(1)) u_offer (.clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready));
    reg started_q = 1'b0;
    always @(posedge clk) begin
        started_q <= 1'b1;
        if (age_q != 10 * DIVIDE) age_q <= age_q + 1'b1;
        if (s_valid && s_ready) begin
            age_q  <= 0;
            byte_q <= s_data;
        end
        if (rst) age_q <= 10 * DIVIDE;
    end
    always @* if (started_q && !rst) begin
        assert (txd == wanted);
        assert (s_ready == (age_q == 10 * DIVIDE));
    end
endmodule
`default_nettype wire

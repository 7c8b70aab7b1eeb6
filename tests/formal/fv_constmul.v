// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_constmul: (x - ZP) * MULT for every byte, two cycles later.
`default_nettype none
module fv_constmul #(
    parameter MULT  = 1,
    parameter ZP    = 0,
    parameter OUT_W = 35
) (
    input wire       clk,
    input wire [7:0] x
);
    wire [OUT_W-1:0] product;
    aihls_constmul #(.MULT(MULT), .ZP(ZP), .OUT_W(OUT_W)) u_dut (.clk(clk), .en(1'b1), .x(x), .product(product));
    reg  signed [63:0] x1_q, x2_q;
    reg  [1:0]         age_q = 2'd0;
    wire signed [63:0] want = (x2_q - ZP) * MULT;
    always @(posedge clk) begin
        x1_q <= $signed(x);
        x2_q <= x1_q;
        if (age_q != 2'd2) age_q <= age_q + 1'b1;
    end
    always @* if (age_q == 2'd2) assert (product == want[OUT_W-1:0]);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_constword with the factor 1, as late as the real one. For the proof of tests/formal/fv_mul.v; that the real one
// multiplies is tests/formal/arith.cpp, for every product of two elements and eight factors.
`default_nettype none
module aihls_constword #(
    parameter MULT  = 1,
    parameter OUT_W = 41
) (
    input  wire             clk,
    input  wire             en,
    input  wire [16:0]      x,
    output wire [OUT_W-1:0] product
);
    wire signed [OUT_W-1:0] wide = $signed(x);
    aihls_delay #(.WIDTH(OUT_W), .DELAY(3)) u_delay (.clk(clk), .en(en), .d(wide), .q(product));
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_lutmul with the product made abstract: w + 2 * s, which tells the two apart, as late as the real one. For the
// proof of tests/formal/fv_mul.v; that the real one multiplies is tests/rtl/tb_lutmul.v, for all factors of 8 and 9 bits.
`default_nettype none
module aihls_lutmul #(
    parameter W_BITS = 8,
    parameter S_BITS = 8
) (
    input  wire                     clk,
    input  wire                     en,
    input  wire [W_BITS-1:0]        w,
    input  wire [S_BITS-1:0]        s,
    output wire [W_BITS+S_BITS-1:0] m
);
    wire signed [W_BITS+S_BITS-1:0] w_wide = $signed(w);
    wire signed [W_BITS+S_BITS-1:0] s_wide = $signed(s);
    aihls_delay #(.WIDTH(W_BITS+S_BITS), .DELAY(3)) u_delay (
        .clk(clk), .en(en), .d(w_wide + (s_wide <<< 1)), .q(m)
    );
endmodule
`default_nettype wire

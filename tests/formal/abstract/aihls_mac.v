// SPDX-License-Identifier: Apache-2.0
// aihls_mac with the product made abstract: hi and lo are the products themselves, any W_BITS wide
// number, and s is ignored. Timing and the rest of the arithmetic are the cell's: 4 cycles, pout <=
// pin + (hi << LANE_SHIFT) + lo. The proof of tests/formal/fv_chain.v is with this cell; that the
// real one gives these sums is tests/formal/arith.cpp, for all weights and activations.
`default_nettype none
module aihls_mac #(
    parameter TECH       = "GENERIC",
    parameter MUL_DSP    = 1,
    parameter PACK       = 1,
    parameter LANE_SHIFT = 18,
    parameter FIRST      = 0,
    parameter W_BITS     = 8,
    parameter S_BITS     = 8,
    parameter P_W        = 48
) (
    input  wire              clk,
    input  wire              en,
    input  wire [W_BITS-1:0] hi,
    input  wire [W_BITS-1:0] lo,
    input  wire [S_BITS-1:0] s,
    input  wire [P_W-1:0]    pin,
    output wire [P_W-1:0]    pout,
    output wire [P_W-1:0]    p
);
    wire signed [63:0] hi_wide = $signed(hi);
    wire signed [63:0] lo_wide = $signed(lo);
    wire signed [63:0] both    = (PACK == 2) ? (hi_wide <<< LANE_SHIFT) + lo_wide : lo_wide;
    reg  [P_W-1:0]     m1_q, m2_q, m3_q, p_q;
    always @(posedge clk) if (en) begin
        m1_q <= both[P_W-1:0];
        m2_q <= m1_q;
        m3_q <= m2_q;
        p_q  <= ((FIRST != 0) ? {P_W{1'b0}} : pin) + m3_q;
    end
    assign pout = p_q;
    assign p    = p_q;
    wire unused_ok = &{1'b0, s, hi, MUL_DSP[0], TECH == "GENERIC"};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Prints what aihls_mac on SB_MAC16 computes from pseudo-random inputs and enables, cycle by cycle; tests/rtl/run.sh
// compares the lines of two models of the primitive.
module tb_mac16;
    reg         clk = 0;
    reg         en = 1;
    reg  [8:0]  hi = 0, lo = 0;
    reg  [7:0]  s = 0;
    reg  [39:0] pin = 0;
    wire [31:0] single, alone;
    wire [39:0] both, first;
    aihls_mac #(.TECH("ICE40UP"), .LANE_SHIFT(0), .PACK(1), .W_BITS(9), .P_W(32)) u_single (
        .clk(clk), .en(en), .hi(hi), .lo(lo), .s(s), .pin(pin[31:0]), .pout(), .p(single));
    aihls_mac #(.TECH("ICE40UP"), .LANE_SHIFT(0), .PACK(1), .FIRST(1), .W_BITS(9), .P_W(32)) u_alone (
        .clk(clk), .en(en), .hi(hi), .lo(lo), .s(s), .pin(pin[31:0]), .pout(), .p(alone));
    aihls_mac #(.TECH("ICE40UP"), .LANE_SHIFT(0), .PACK(2), .W_BITS(8), .P_W(40)) u_both (
        .clk(clk), .en(en), .hi(hi[7:0]), .lo(lo[7:0]), .s(s), .pin(pin), .pout(), .p(both));
    aihls_mac #(.TECH("ICE40UP"), .LANE_SHIFT(0), .PACK(2), .FIRST(1), .W_BITS(8), .P_W(40)) u_first (
        .clk(clk), .en(en), .hi(hi[7:0]), .lo(lo[7:0]), .s(s), .pin(pin), .pout(), .p(first));
    integer i;
    initial begin
        for (i = 0; i < 20000; i = i + 1) begin
            en  = (i < 8) || ($random & 3) != 0;
            hi  = $random;
            lo  = $random;
            s   = $random;
            pin = {$random, $random};
            #1 clk = 1;
            #1 clk = 0;
            if (i >= 8) $display("%h %h %h %h", single, alone, both, first); // the pipelines are full
        end
    end
endmodule

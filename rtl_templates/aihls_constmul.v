// SPDX-License-Identifier: Apache-2.0
// aihls_constmul: (x - ZP) * MULT for a signed byte x, modulo 2^OUT_W: two tables of 16
// constants, looked up by the half bytes, and an adder. The tables are four-input LUTs.
// Latency 2 enabled cycles, throughput 1/cycle. No reset.
`default_nettype none
module aihls_constmul #(
    parameter MULT  = 1,
    parameter ZP    = 0,
    parameter OUT_W = 35
) (
    input  wire             clk,
    input  wire             en,
    input  wire [7:0]       x,
    output wire [OUT_W-1:0] product
);
    localparam signed [31:0] MULT_32 = MULT[31:0];
    localparam signed [31:0] ZP_32   = ZP[31:0];
    localparam signed [63:0] FACTOR  = {{33{MULT_32[31]}}, MULT_32[30:0]};
    localparam signed [63:0] OFFSET  = FACTOR * $signed({{33{ZP_32[31]}}, ZP_32[30:0]});

    wire [16*OUT_W-1:0] low_table, high_table;
    reg  [OUT_W-1:0]    low_q, high_q, product_q;

    genvar n;
    generate
        for (n = 0; n < 16; n = n + 1) begin : g_entry
            localparam signed [63:0] LOW  = FACTOR * n - OFFSET;
            localparam signed [63:0] HIGH = FACTOR * (((n < 8) ? n : n - 16) * 16);
            assign low_table[n*OUT_W +: OUT_W]  = LOW[OUT_W-1:0];
            assign high_table[n*OUT_W +: OUT_W] = HIGH[OUT_W-1:0];
        end
    endgenerate

    wire [OUT_W-1:0] low, high;
    aihls_pick #(.WIDTH(OUT_W), .N(16)) u_low (.data(low_table), .sel(x[3:0]), .out(low));
    aihls_pick #(.WIDTH(OUT_W), .N(16)) u_high (.data(high_table), .sel(x[7:4]), .out(high));
    always @(posedge clk) begin
        if (en) begin
            low_q     <= low;
            high_q    <= high;
            product_q <= low_q + high_q;
        end
    end
    assign product = product_q;
endmodule
`default_nettype wire

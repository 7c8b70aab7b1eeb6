// SPDX-License-Identifier: Apache-2.0
// aihls_constword: signed 17-bit word x times the constant MULT, modulo 2^OUT_W. Tables of
// the multiples of MULT, looked up by groups of four bits (five at the top), are added in
// pairs: the adder of a pair takes the table in the same LUTs.
//
//   x[3:0] table  -> +         x[11:8] table  -> +
//   x[7:4] table * 16          x[16:12] table * 16        -> low pair + 256 * high pair
//
// Latency 2 enabled cycles, throughput 1/cycle. No reset.
`default_nettype none
module aihls_constword #(
    parameter MULT  = 1,    // 0 to 2^24 - 1
    parameter OUT_W = 41
) (
    input  wire             clk,
    input  wire             en,
    input  wire [16:0]      x,
    output wire [OUT_W-1:0] product
);
    localparam PART_W = 34;   // 24 bits times 9 bits signed
    localparam signed [31:0] MULT_32 = MULT[31:0];
    localparam signed [63:0] FACTOR  = {{33{MULT_32[31]}}, MULT_32[30:0]};

    wire [16*PART_W-1:0] small_table;   // of 0 .. 15
    wire [32*PART_W-1:0] top_table;     // of 0 .. 15, -16 .. -1
    reg  [PART_W-1:0]    low_q, high_q;
    reg  [OUT_W-1:0]     product_q;

    genvar n;
    generate
        for (n = 0; n < 32; n = n + 1) begin : g_entry
            localparam signed [63:0] TOP = FACTOR * ((n < 16) ? n : n - 32);
            assign top_table[n*PART_W +: PART_W] = TOP[PART_W-1:0];
            if (n < 16) begin : g_small
                assign small_table[n*PART_W +: PART_W] = TOP[PART_W-1:0];
            end
        end
    endgenerate

    wire [PART_W-1:0] part0, part1, part2, part3;
    wire [OUT_W-1:0]  low, high;
    aihls_pick #(.WIDTH(PART_W), .N(16)) u_0 (.data(small_table), .sel(x[3:0]), .out(part0));
    aihls_pick #(.WIDTH(PART_W), .N(16)) u_1 (.data(small_table), .sel(x[7:4]), .out(part1));
    aihls_pick #(.WIDTH(PART_W), .N(16)) u_2 (.data(small_table), .sel(x[11:8]), .out(part2));
    aihls_pick #(.WIDTH(PART_W), .N(32)) u_3 (.data(top_table), .sel(x[16:12]), .out(part3));
    aihls_resize #(.IN_W(PART_W), .OUT_W(OUT_W)) u_low (.d(low_q), .q(low));
    aihls_resize #(.IN_W(PART_W), .OUT_W(OUT_W)) u_high (.d(high_q), .q(high));
    always @(posedge clk) begin
        if (en) begin
            low_q     <= part0 + (part1 << 4);
            high_q    <= part2 + (part3 << 4);
            product_q <= low + (high << 8);
        end
    end
    assign product = product_q;
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_constword: signed 17-bit word x times the constant MULT, modulo 2^OUT_W. Tables of
// the multiples of MULT, looked up by groups of four bits (five at the top), are added:
//
//   x[3:0]  -> table -> reg -> +    -> reg -> +     -> reg -> product
//   x[7:4]  -> reg -> table * 16              * 256
//   x[11:8] -> table -> reg -> +    -> reg ---/
//   x[16:12]-> reg -> table * 16
//
// Only one table of a pair is registered: the other one shares its LUTs with the adder.
// (Without the first registers Yosys 0.23 looks both up at once: 241 LUTs for 9876543, not 140.)
// Latency 3 enabled cycles, throughput 1/cycle. No reset.
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
    reg  [PART_W-1:0]    part0_q, part2_q, low_q, high_q;
    reg  [3:0]           x1_q;
    reg  [4:0]           x3_q;
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
    aihls_pick #(.WIDTH(PART_W), .N(16)) u_1 (.data(small_table), .sel(x1_q), .out(part1));
    aihls_pick #(.WIDTH(PART_W), .N(16)) u_2 (.data(small_table), .sel(x[11:8]), .out(part2));
    aihls_pick #(.WIDTH(PART_W), .N(32)) u_3 (.data(top_table), .sel(x3_q), .out(part3));
    aihls_resize #(.IN_W(PART_W), .OUT_W(OUT_W)) u_low (.d(low_q), .q(low));
    aihls_resize #(.IN_W(PART_W), .OUT_W(OUT_W)) u_high (.d(high_q), .q(high));
    always @(posedge clk) begin
        if (en) begin
            part0_q   <= part0;
            part2_q   <= part2;
            x1_q      <= x[7:4];
            x3_q      <= x[16:12];
            low_q     <= part0_q + (part1 << 4);
            high_q    <= part2_q + (part3 << 4);
            product_q <= low + (high << 8);
        end
    end
    assign product = product_q;
endmodule
`default_nettype wire

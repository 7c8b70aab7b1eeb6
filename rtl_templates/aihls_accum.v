// SPDX-License-Identifier: Apache-2.0
// aihls_accum: reduces N words in a registered tree, then accumulates over steps: the sum
// modulo 2^ACC_W (OP "ADD"), or the largest (OP "MAX", ACC_W = IN_W).
// Latency ceil(log2 N) enabled cycles to the word that acc_en accepts, acc one later.
// No reset: acc_first loads.
`default_nettype none
module aihls_accum #(
    parameter N     = 1,
    parameter IN_W  = 16,
    parameter SUM_W = 16,
    parameter ACC_W = 24,
    parameter OP    = "ADD"
) (
    input  wire              clk,
    input  wire              en,
    input  wire [N*IN_W-1:0] data,
    input  wire              acc_en,
    input  wire              acc_first,
    output wire [ACC_W-1:0]  acc
);
    wire [SUM_W-1:0] sum;
    wire [ACC_W-1:0] sum_wide;
    reg  [ACC_W-1:0] acc_q;

    aihls_tree #(.N(N), .IN_W(IN_W), .OUT_W(SUM_W), .OP(OP)) u_tree (
        .clk(clk), .en(en), .data(data), .out(sum)
    );
    aihls_resize #(.IN_W(SUM_W), .OUT_W(ACC_W)) u_sum (.d(sum), .q(sum_wide));
    generate
        if (OP == "MAX") begin : g_max
            always @(posedge clk)
                if (en && acc_en && (acc_first || $signed(sum_wide) > $signed(acc_q)))
                    acc_q <= sum_wide;
        end else begin : g_add
            always @(posedge clk)
                if (en && acc_en) acc_q <= sum_wide + (acc_first ? {ACC_W{1'b0}} : acc_q);
        end
    endgenerate
    assign acc = acc_q;
endmodule
`default_nettype wire

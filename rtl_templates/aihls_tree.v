// SPDX-License-Identifier: Apache-2.0
// aihls_tree: reduces N signed words to their sum (OP "ADD", modulo 2^OUT_W) or their
// largest (OP "MAX"). Registered at every level: latency ceil(log2 N) enabled cycles,
// throughput 1/cycle. No reset.
`default_nettype none
module aihls_tree #(
    parameter N     = 2,
    parameter IN_W  = 8,
    parameter OUT_W = 9,
    parameter OP    = "ADD"
) (
    input  wire              clk,
    input  wire              en,
    input  wire [N*IN_W-1:0] data,
    output wire [OUT_W-1:0]  out
);
    localparam LEVELS = $clog2(N);

    genvar level, i;
    generate
        if (OP != "ADD" && OP != "MAX") begin : g_check
            aihls_error_OP_must_be_ADD_or_MAX u_error ();
        end
        for (level = 0; level <= LEVELS; level = level + 1) begin : g_level
            localparam NODES = (N + (1 << level) - 1) >> level;
            wire [NODES*OUT_W-1:0] nodes;
            if (level == 0) begin : g_leaves
                for (i = 0; i < NODES; i = i + 1) begin : g_node
                    if (OUT_W > IN_W) begin : g_extend
                        assign nodes[i*OUT_W +: OUT_W] =
                            {{(OUT_W-IN_W){data[i*IN_W+IN_W-1]}}, data[i*IN_W +: IN_W]};
                    end else begin : g_cut
                        assign nodes[i*OUT_W +: OUT_W] = data[i*IN_W +: OUT_W];
                    end
                end
            end else begin : g_inner
                localparam BELOW = (N + (1 << (level - 1)) - 1) >> (level - 1);
                for (i = 0; i < NODES; i = i + 1) begin : g_node
                    reg [OUT_W-1:0] node_q;
                    assign nodes[i*OUT_W +: OUT_W] = node_q;
                    if (2*i + 1 == BELOW) begin : g_odd
                        always @(posedge clk)
                            if (en) node_q <= g_level[level-1].nodes[2*i*OUT_W +: OUT_W];
                    end else begin : g_pair
                        wire [OUT_W-1:0] a = g_level[level-1].nodes[2*i*OUT_W +: OUT_W];
                        wire [OUT_W-1:0] b = g_level[level-1].nodes[(2*i+1)*OUT_W +: OUT_W];
                        if (OP == "MAX") begin : g_max
                            always @(posedge clk)
                                if (en) node_q <= ($signed(a) > $signed(b)) ? a : b;
                        end else begin : g_add
                            always @(posedge clk) if (en) node_q <= a + b;
                        end
                    end
                end
            end
        end
        if (LEVELS == 0) begin : g_wire
            wire unused_ok = &{1'b0, clk, en};
        end
        if (OUT_W < IN_W) begin : g_unused
            wire unused_ok = &{1'b0, data};
        end
    endgenerate
    assign out = g_level[LEVELS].nodes;
endmodule
`default_nettype wire

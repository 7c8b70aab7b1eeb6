// SPDX-License-Identifier: Apache-2.0
// aihls_scale: signed x times unsigned m, in LUTs. Four bits of m make a node (three
// adders of which two are in series), nodes are added in pairs, a register after each.
// Latency 1 + ceil(log2(ceil(M_W/4))) enabled cycles, throughput 1/cycle. No reset.
`default_nettype none
module aihls_scale #(
    parameter X_W = 24,
    parameter M_W = 24
) (
    input  wire               clk,
    input  wire               en,
    input  wire [X_W-1:0]     x,
    input  wire [M_W-1:0]     m,
    output wire [X_W+M_W-1:0] product
);
    localparam NODES  = (M_W + 3) / 4;
    localparam LEVELS = $clog2(NODES);

    genvar level, i;
    generate
        for (level = 0; level <= LEVELS; level = level + 1) begin : g_level
            // A node of this level has consumed BITS bits of m, the last one of M_W at most.
            localparam COUNT  = (NODES + (1 << level) - 1) >> level;
            localparam BITS   = 4 << level;
            localparam NODE_W = (BITS < M_W) ? X_W + BITS : X_W + M_W;
            wire [COUNT*NODE_W-1:0] nodes;
            for (i = 0; i < COUNT; i = i + 1) begin : g_node
                (* use_dsp = "no" *)
                reg [NODE_W-1:0] node_q;
                assign nodes[i*NODE_W +: NODE_W] = node_q;
                if (level == 0) begin : g_leaf
                    localparam REST = M_W - 4 * i;
                    wire [3:0]        digit;
                    wire [NODE_W-1:0] x_wide;
                    wire [NODE_W-1:0] low, high;
                    aihls_fit #(.IN_W((REST < 4) ? REST : 4), .OUT_W(4)) u_digit (
                        .d(m[4*i +: ((REST < 4) ? REST : 4)]), .q(digit)
                    );
                    aihls_resize #(.IN_W(X_W), .OUT_W(NODE_W)) u_x (.d(x), .q(x_wide));
                    assign low  = (digit[0] ? x_wide : {NODE_W{1'b0}})
                                + (digit[1] ? {x_wide[NODE_W-2:0], 1'b0} : {NODE_W{1'b0}});
                    assign high = (digit[2] ? x_wide : {NODE_W{1'b0}})
                                + (digit[3] ? {x_wide[NODE_W-2:0], 1'b0} : {NODE_W{1'b0}});
                    always @(posedge clk) if (en) node_q <= low + (high << 2);
                end else begin : g_pair
                    localparam FED   = (NODES + (1 << (level - 1)) - 1) >> (level - 1);
                    localparam FED_W = (BITS / 2 < M_W) ? X_W + BITS / 2 : X_W + M_W;
                    wire [NODE_W-1:0] low;
                    aihls_resize #(.IN_W(FED_W), .OUT_W(NODE_W)) u_low (
                        .d(g_level[level-1].nodes[2*i*FED_W +: FED_W]), .q(low)
                    );
                    if (2*i + 1 < FED) begin : g_add
                        wire [NODE_W-1:0] high;
                        aihls_resize #(.IN_W(FED_W), .OUT_W(NODE_W)) u_high (
                            .d(g_level[level-1].nodes[(2*i+1)*FED_W +: FED_W]), .q(high)
                        );
                        always @(posedge clk) if (en) node_q <= low + (high << (BITS / 2));
                    end else begin : g_odd
                        always @(posedge clk) if (en) node_q <= low;
                    end
                end
            end
        end
    endgenerate
    assign product = g_level[LEVELS].nodes;
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_scale: signed x times unsigned m, throughput 1/cycle. No reset.
// USE_DSP = 0: in LUTs. Four bits of m make a node (three adders of which two are in series),
// nodes are added in pairs, a register after each. Latency 1 + ceil(log2(ceil(M_W/4))) enabled
// cycles.
// USE_DSP = 1: in a cell of aihls_mac, latency 4, when m has up to 17 bits; else in two cells
// and an adder, latency 5. X_W is at most 27 (DSP48E2) or 25 (DSP48E1).
`default_nettype none
module aihls_scale #(
    parameter X_W     = 24,
    parameter M_W     = 24,
    parameter USE_DSP = 0,
    parameter TECH    = "GENERIC"
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
    if (USE_DSP != 0) begin : g_dsp
        localparam LOW_W  = (M_W <= 17) ? M_W : (M_W + 1) / 2;
        localparam CELL_W = (TECH == "GENERIC") ? X_W + LOW_W + 1 : 48;
        wire [CELL_W-1:0] low;
        wire [CELL_W-1:0] low_out;
        wire              unused_low = &{1'b0, low, low_out};
        aihls_mac #(
            .TECH(TECH), .PACK(1), .FIRST(1), .W_BITS(X_W), .S_BITS(LOW_W + 1), .P_W(CELL_W)
        ) u_low (
            .clk(clk), .en(en), .hi({X_W{1'b0}}), .lo(x), .s({1'b0, m[LOW_W-1:0]}),
            .pin({CELL_W{1'b0}}), .pout(low_out), .p(low)
        );
        if (LOW_W == M_W) begin : g_one
            assign product = low[X_W+M_W-1:0];
        end else begin : g_two
            localparam HIGH_W = M_W - LOW_W;
            localparam TOP_W  = (TECH == "GENERIC") ? X_W + HIGH_W + 1 : 48;
            wire [TOP_W-1:0]   high;
            wire [TOP_W-1:0]   high_out;
            wire               unused_high = &{1'b0, high, high_out};
            wire [X_W+HIGH_W-1:0] carried;
            reg  [X_W+M_W-1:0] product_q;
            aihls_mac #(
                .TECH(TECH), .PACK(1), .FIRST(1), .W_BITS(X_W), .S_BITS(HIGH_W + 1), .P_W(TOP_W)
            ) u_high (
                .clk(clk), .en(en), .hi({X_W{1'b0}}), .lo(x), .s({1'b0, m[M_W-1:LOW_W]}),
                .pin({TOP_W{1'b0}}), .pout(high_out), .p(high)
            );
            aihls_resize #(.IN_W(X_W), .OUT_W(X_W + HIGH_W)) u_carried (
                .d(low[X_W+LOW_W-1:LOW_W]), .q(carried)
            );
            always @(posedge clk)
                if (en) product_q <= {high[X_W+HIGH_W-1:0] + carried, low[LOW_W-1:0]};
            assign product = product_q;
        end
    end else begin : g_lut
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
        assign product = g_level[LEVELS].nodes;
    end
    endgenerate
endmodule
`default_nettype wire

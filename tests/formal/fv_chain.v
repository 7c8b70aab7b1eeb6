// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_chain with PACK = 2 against two chains with PACK = 1, with the cell of
// tests/formal/abstract: weights are products. For any products of PRODUCT_W bits whose sum over
// each segment's low lane fits LANE_SHIFT bits (what cost_safe_segment and cost_exact_segment
// promise), the packed chain accumulates what the two others do, over any number of steps.
`default_nettype none
module fv_chain #(
    parameter CHAIN      = 4,
    parameter SEG_LEN    = 4,
    parameter LANE_SHIFT = 18,
    parameter ACC_W      = 19,
    parameter PRODUCT_W  = 16
) (
    input wire                       clk,
    input wire [CHAIN*PRODUCT_W-1:0] lo,
    input wire [CHAIN*PRODUCT_W-1:0] hi,
    input wire                       step,
    input wire                       first
);
    localparam NSEG  = (CHAIN + SEG_LEN - 1) / SEG_LEN;
    localparam PLAIN = SEG_LEN + 3 + $clog2(NSEG);   // cycles to acc_en, one more when packed
    localparam integer TOP   = (1 << (LANE_SHIFT - 1)) - 1;
    wire [ACC_W-1:0] p_lo, p_hi, a, b, a_unused, b_unused;
    wire [CHAIN*PRODUCT_W-1:0] lo_skew, hi_skew;
    reg  [PLAIN:0]   step_q, first_q;
    reg  [ACC_W-1:0] a_q, b_q;       // one cycle later, as the packed chain is
    always @(posedge clk) begin
        step_q  <= {step_q, step};
        first_q <= {first_q, first};
        a_q     <= a;
        b_q     <= b;
    end
    genvar c, g;
    generate
        for (c = 0; c < CHAIN; c = c + 1) begin : g_skew
            aihls_delay #(.WIDTH(2*PRODUCT_W), .DELAY(c % SEG_LEN)) u_skew (
                .clk(clk), .en(1'b1),
                .d({hi[c*PRODUCT_W +: PRODUCT_W], lo[c*PRODUCT_W +: PRODUCT_W]}),
                .q({hi_skew[c*PRODUCT_W +: PRODUCT_W], lo_skew[c*PRODUCT_W +: PRODUCT_W]})
            );
        end
        for (c = 0; c < CHAIN; c = c + 1) begin : g_sum
            wire signed [31:0] product = $signed(lo[c*PRODUCT_W +: PRODUCT_W]);
            wire signed [31:0] sum;        // of the segment up to here
            if (c % SEG_LEN == 0) begin : g_start
                assign sum = product;
            end else begin : g_next
                assign sum = g_sum[c-1].sum + product;
            end
            if (c % SEG_LEN == SEG_LEN - 1 || c == CHAIN - 1) begin : g_end
                always @* assume (sum >= -TOP - 1 && sum <= TOP);
            end
        end
    endgenerate
    aihls_chain #(
        .CHAIN(CHAIN), .SEG_LEN(SEG_LEN), .PACK(2), .LANE_SHIFT(LANE_SHIFT),
        .WEIGHT_BITS(PRODUCT_W), .ACC_W(ACC_W)
    ) u_packed (
        .clk(clk), .en(1'b1), .act({CHAIN{8'd0}}), .w_lo(lo_skew), .w_hi(hi_skew),
        .acc_en(step_q[PLAIN]), .acc_first(first_q[PLAIN]), .acc_lo(p_lo), .acc_hi(p_hi)
    );
    aihls_chain #(
        .CHAIN(CHAIN), .SEG_LEN(SEG_LEN), .PACK(1), .WEIGHT_BITS(PRODUCT_W), .ACC_W(ACC_W)
    ) u_low (
        .clk(clk), .en(1'b1), .act({CHAIN{8'd0}}), .w_lo(lo_skew), .w_hi({(CHAIN*PRODUCT_W){1'b0}}),
        .acc_en(step_q[PLAIN-1]), .acc_first(first_q[PLAIN-1]), .acc_lo(a), .acc_hi(a_unused)
    );
    aihls_chain #(
        .CHAIN(CHAIN), .SEG_LEN(SEG_LEN), .PACK(1), .WEIGHT_BITS(PRODUCT_W), .ACC_W(ACC_W)
    ) u_high (
        .clk(clk), .en(1'b1), .act({CHAIN{8'd0}}), .w_lo(hi_skew), .w_hi({(CHAIN*PRODUCT_W){1'b0}}),
        .acc_en(step_q[PLAIN-1]), .acc_first(first_q[PLAIN-1]), .acc_lo(b), .acc_hi(b_unused)
    );
    reg [7:0] age_q = 8'd0;
    reg       loaded_q = 1'b0;   // accumulators started after the pipes were full
    always @(posedge clk) begin
        if (age_q <= PLAIN) age_q <= age_q + 1'b1;
        if (step_q[PLAIN] && first_q[PLAIN] && age_q > PLAIN) loaded_q <= 1'b1;
    end
    always @* if (loaded_q) assert (a_q == p_lo && b_q == p_hi);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_chain: dot product of CHAIN activations with the weights of one lane (PACK = 1) or
// two (PACK = 2: lo and hi share the multipliers), accumulated over steps.
// Column c runs k = c % SEG_LEN enabled cycles behind column 0: the caller skews act and w_*.
// For the caller that shares weights between pixels the roles are swapped: act is then the
// weights (S_BITS), w_lo and w_hi the elements of the two pixels (WEIGHT_BITS 8).
//
//   seg 0: mac -> mac -> ... -> mac -> split \                 acc_first
//   seg 1: mac -> mac -> ... -> mac -> split  > tree -> sum ->(+)-> acc_lo, acc_hi
//
// Latency from column 0's operands to the sum that acc_en accepts:
// SEG_LEN + 3 + (PACK == 2) + ceil(log2 NSEG) enabled cycles; acc_* is there one later.
// LANE_SHIFT = 0: the sums of a pair stand apart, there is no split and no cycle for it.
// Arithmetic is modulo 2^ACC_W; with PACK = 2 the low lane of a segment must fit
// LANE_SHIFT bits signed. No reset: acc_first loads.
`default_nettype none
module aihls_chain #(
    parameter CHAIN       = 8,
    parameter SEG_LEN     = 8,
    parameter PACK        = 1,
    parameter MUL_DSP     = 1,
    parameter TECH        = "GENERIC",
    parameter LANE_SHIFT  = 18,
    parameter WEIGHT_BITS = 8,
    parameter S_BITS      = 8,
    parameter ACC_W       = 24
) (
    input  wire                         clk,
    input  wire                         en,
    input  wire [CHAIN*S_BITS-1:0]      act,
    input  wire [CHAIN*WEIGHT_BITS-1:0] w_lo,
    input  wire [CHAIN*WEIGHT_BITS-1:0] w_hi,
    input  wire                         acc_en,
    input  wire                         acc_first,
    output wire [ACC_W-1:0]             acc_lo,
    output wire [ACC_W-1:0]             acc_hi
);
    localparam NSEG   = (CHAIN + SEG_LEN - 1) / SEG_LEN;
    // A segment's true sum needs SEG_FULL bits; above ACC_W they cannot reach the result.
    localparam SEG_FULL = WEIGHT_BITS + S_BITS + $clog2(SEG_LEN);
    localparam SEG_W    = (SEG_FULL < ACC_W) ? SEG_FULL : ACC_W;
    localparam SUM_FULL = SEG_W + $clog2(NSEG);
    localparam SUM_W    = (SUM_FULL < ACC_W) ? SUM_FULL : ACC_W;
    localparam APART    = (PACK == 2) && (LANE_SHIFT == 0);
    localparam DSP48    = (MUL_DSP != 0) && (TECH == "DSP48E2" || TECH == "DSP48E1");
    localparam MAC16    = (MUL_DSP != 0) && (TECH == "ICE40UP");
    localparam P_W      = DSP48 ? 48 : APART ? 2 * SEG_W : (PACK == 2) ? LANE_SHIFT + SEG_W
                        : MAC16 ? 32 : SEG_W;

    wire [NSEG*SEG_W-1:0] seg_lo;
    wire [NSEG*SEG_W-1:0] seg_hi;

    genvar c, g;
    generate
        for (c = 0; c < CHAIN; c = c + 1) begin : g_cell
            localparam FIRST = (c % SEG_LEN == 0) ? 1 : 0;
            wire [P_W-1:0] pin;
            wire [P_W-1:0] pout;
            wire [P_W-1:0] p;
            if (FIRST != 0) begin : g_first
                assign pin = {P_W{1'b0}};
            end else begin : g_next
                assign pin = g_cell[c-1].pout;
            end
            aihls_mac #(
                .TECH(TECH), .MUL_DSP(MUL_DSP), .PACK(PACK), .LANE_SHIFT(LANE_SHIFT),
                .FIRST(FIRST), .W_BITS(WEIGHT_BITS), .S_BITS(S_BITS), .P_W(P_W)
            ) u_mac (
                .clk(clk), .en(en), .s(act[c*S_BITS +: S_BITS]), .pin(pin), .pout(pout), .p(p),
                .lo(w_lo[c*WEIGHT_BITS +: WEIGHT_BITS]),
                .hi(w_hi[c*WEIGHT_BITS +: WEIGHT_BITS])
            );
            wire unused_ok = &{1'b0, p, pout};
        end

        for (g = 0; g < NSEG; g = g + 1) begin : g_seg
            // The last segment may be shorter: its result waits for the others.
            localparam LAST = (g == NSEG - 1) ? CHAIN - 1 : g * SEG_LEN + SEG_LEN - 1;
            localparam LATE = SEG_LEN - 1 - (LAST - g * SEG_LEN);
            wire [P_W-1:0] end_p = g_cell[LAST].p;
            if (APART) begin : g_apart
                aihls_delay #(.WIDTH(2*SEG_W), .DELAY(LATE)) u_late (
                    .clk(clk), .en(en), .d(end_p),
                    .q({seg_hi[g*SEG_W +: SEG_W], seg_lo[g*SEG_W +: SEG_W]})
                );
            end else if (PACK == 2) begin : g_split
                localparam LO_W = (LANE_SHIFT < SEG_W) ? LANE_SHIFT : SEG_W;
                reg  [LO_W-1:0]  lo_q;
                reg  [SEG_W-1:0] hi_q;
                wire [SEG_W-1:0] lo_wide;
                always @(posedge clk) begin
                    if (en) begin
                        lo_q <= end_p[LO_W-1:0];
                        hi_q <= end_p[LANE_SHIFT +: SEG_W]
                              + {{(SEG_W-1){1'b0}}, end_p[LANE_SHIFT-1]};
                    end
                end
                aihls_resize #(.IN_W(LO_W), .OUT_W(SEG_W)) u_lo (.d(lo_q), .q(lo_wide));
                aihls_delay #(.WIDTH(2*SEG_W), .DELAY(LATE)) u_late (
                    .clk(clk), .en(en), .d({hi_q, lo_wide}),
                    .q({seg_hi[g*SEG_W +: SEG_W], seg_lo[g*SEG_W +: SEG_W]})
                );
            end else begin : g_plain
                assign seg_hi[g*SEG_W +: SEG_W] = {SEG_W{1'b0}};
                aihls_delay #(.WIDTH(SEG_W), .DELAY(LATE)) u_late (
                    .clk(clk), .en(en), .d(end_p[SEG_W-1:0]), .q(seg_lo[g*SEG_W +: SEG_W])
                );
            end
            wire unused_ok = &{1'b0, end_p};
        end
    endgenerate

    aihls_accum #(.N(NSEG), .IN_W(SEG_W), .SUM_W(SUM_W), .ACC_W(ACC_W), .OP("ADD")) u_lo (
        .clk(clk), .en(en), .data(seg_lo), .acc_en(acc_en), .acc_first(acc_first),
        .acc(acc_lo)
    );
    generate
        if (PACK == 2) begin : g_hi
            aihls_accum #(.N(NSEG), .IN_W(SEG_W), .SUM_W(SUM_W), .ACC_W(ACC_W), .OP("ADD")) u_hi (
                .clk(clk), .en(en), .data(seg_hi), .acc_en(acc_en), .acc_first(acc_first),
                .acc(acc_hi)
            );
        end else begin : g_lo_only
            wire unused_ok = &{1'b0, seg_hi};
            assign acc_hi = {ACC_W{1'b0}};
        end
        if (PACK != 1 && PACK != 2) begin : g_check_pack
            aihls_error_PACK_must_be_1_or_2 u_error ();
        end
        if (PACK == 2 && DSP48 && LANE_SHIFT + SEG_W > 48) begin : g_check_width
            aihls_error_packed_sums_exceed_48_bits u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

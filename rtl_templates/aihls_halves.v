// SPDX-License-Identifier: Apache-2.0
// aihls_halves: where an image column stands in a row ring of two memories, so that the columns
// of two neighbouring output pixels, STRIDE apart, can always be read in the same cycle.
// Columns are numbered from the left end of the padding; STRIDE of them are a group, and
// groups alternate between half 0 and half 1:
//
//   STRIDE 1   column  0 1 2 3 4 5 ..      STRIDE 2   column  0 1 2 3 4 5 6 7 ..
//              half    0 1 0 1 0 1                    half    0 0 1 1 0 0 1 1
//              address 0 0 1 1 2 2                    address 0 1 0 1 2 3 2 3
//
// A column is PIXEL_WORDS words, so that addresses above are times that; columns that the
// image lacks in front are cut off the ring (all groups but a part of the first pair).
//
// Write side: waddr and half of the word that `write` writes; row_last with a row's last.
// Read side, one tap of a pixel pair a step (`go`), kx fastest, then a word of the pair
// (pass_end with its last step), the pair, the row (row_end): addr_0 and addr_1 are the
// addresses within a row for both halves, and pixel 0's tap comes from half `swap`, pixel
// 1's from the other.  Reset: first word of the ring, first step of a row.
`default_nettype none
module aihls_halves #(
    parameter STRIDE      = 1,
    parameter PIXEL_WORDS = 1,
    parameter PAD_LEFT    = 0,
    parameter HALF_WORDS  = 4,  // of a row, in either half
    parameter RING_WORDS  = 4,  // of the memory: one row, or several
    parameter ADDR_W      = 2
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              write,
    input  wire              row_last,
    output wire              half,
    output wire [ADDR_W-1:0] waddr,
    input  wire              go,
    input  wire              kx_last,
    input  wire              pass_end,
    input  wire              pair_last,  // the pass is the pair's last
    input  wire              row_end,
    output wire [ADDR_W-1:0] addr_0,
    output wire [ADDR_W-1:0] addr_1,
    output wire              swap
);
    localparam GROUP   = STRIDE * PIXEL_WORDS;
    localparam GROUP_W = (GROUP <= 2) ? 1 : $clog2(GROUP);
    localparam integer PHASE      = PAD_LEFT % (2 * STRIDE);
    localparam integer FIRST      = (PHASE % STRIDE) * PIXEL_WORDS;
    localparam integer FIRST_HALF = PHASE / STRIDE;
    localparam integer TOP        = GROUP - 1;
    localparam integer BACK       = 1 - GROUP;
    localparam integer LAST_BASE  = RING_WORDS - HALF_WORDS;
    localparam integer START      = -(PAD_LEFT / (2 * STRIDE)) * GROUP;
    localparam integer NEXT_PAIR  = GROUP - (PIXEL_WORDS - 1);
    localparam integer SAME_GROUP = PIXEL_WORDS;
    localparam integer NEXT_GROUP = PIXEL_WORDS - GROUP;  // in the half that stays behind
    localparam [ADDR_W-1:0] ONE   = {{(ADDR_W-1){1'b0}}, 1'b1};

    // ---- writer ----
    reg  [GROUP_W-1:0] at_q;    // word of the group
    reg                half_q;
    reg  [ADDR_W-1:0]  waddr_q;
    reg  [ADDR_W-1:0]  base_q;  // of the row being written
    wire               group_last = (at_q == TOP[GROUP_W-1:0]);
    wire [ADDR_W-1:0]  base_d = (base_q == LAST_BASE[ADDR_W-1:0]) ? {ADDR_W{1'b0}}
                                                                  : base_q + HALF_WORDS[ADDR_W-1:0];
    assign half  = half_q;
    assign waddr = waddr_q;
    always @(posedge clk) begin
        if (write) begin
            if (row_last) begin
                at_q    <= FIRST[GROUP_W-1:0];
                half_q  <= FIRST_HALF[0];
                waddr_q <= base_d + FIRST[ADDR_W-1:0];
                base_q  <= base_d;
            end else begin
                at_q    <= group_last ? {GROUP_W{1'b0}} : at_q + {{(GROUP_W-1){1'b0}}, 1'b1};
                half_q  <= half_q ^ group_last;
                waddr_q <= waddr_q + ((group_last && !half_q) ? BACK[ADDR_W-1:0] : ONE);
            end
        end
        if (rst) begin
            at_q    <= FIRST[GROUP_W-1:0];
            half_q  <= FIRST_HALF[0];
            waddr_q <= FIRST[ADDR_W-1:0];
            base_q  <= {ADDR_W{1'b0}};
        end
    end

    // ---- reader: both halves start a pass at the same address, then take turns to move on ----
    reg  [ADDR_W-1:0] addr_0_q, addr_1_q, pass_q;
    reg               swap_q;
    wire              tap_group_last;
    wire [ADDR_W-1:0] pass_d = row_end ? START[ADDR_W-1:0]
                             : pass_end ? pass_q + (pair_last ? NEXT_PAIR[ADDR_W-1:0] : ONE)
                                        : pass_q;
    assign addr_0 = addr_0_q;
    assign addr_1 = addr_1_q;
    assign swap   = swap_q;
    always @(posedge clk) begin
        pass_q <= pass_d;
        if (go) begin
            swap_q   <= !kx_last && (swap_q ^ tap_group_last);
            addr_0_q <= kx_last ? pass_d : addr_0_q + ((tap_group_last && swap_q)
                                           ? NEXT_GROUP[ADDR_W-1:0] : SAME_GROUP[ADDR_W-1:0]);
            addr_1_q <= kx_last ? pass_d : addr_1_q + ((tap_group_last && !swap_q)
                                           ? NEXT_GROUP[ADDR_W-1:0] : SAME_GROUP[ADDR_W-1:0]);
        end
        if (rst) begin
            swap_q   <= 1'b0;
            pass_q   <= START[ADDR_W-1:0];
            addr_0_q <= START[ADDR_W-1:0];
            addr_1_q <= START[ADDR_W-1:0];
        end
    end
    generate
        if (STRIDE == 1) begin : g_one
            assign tap_group_last = 1'b1;
        end else begin : g_many
            localparam TAP_W = (STRIDE <= 2) ? 1 : $clog2(STRIDE);
            localparam integer TAP_TOP = STRIDE - 1;
            reg [TAP_W-1:0] tap_q;
            assign tap_group_last = (tap_q == TAP_TOP[TAP_W-1:0]);
            always @(posedge clk) begin
                if (go) tap_q <= (kx_last || tap_group_last) ? {TAP_W{1'b0}}
                                                             : tap_q + {{(TAP_W-1){1'b0}}, 1'b1};
                if (rst) tap_q <= {TAP_W{1'b0}};
            end
        end
    endgenerate
endmodule
`default_nettype wire

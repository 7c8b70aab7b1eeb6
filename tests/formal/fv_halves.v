// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_halves: every word is written, and both taps of a pixel pair are read, where its column stands by
// definition: column x of the padded row is in group x / STRIDE, the groups take turns between the halves, and a half's
// groups follow one another. Both sides move as they like.
`default_nettype none
module fv_halves #(
    parameter STRIDE      = 1,
    parameter PIXEL_WORDS = 1,
    parameter PAD_LEFT    = 0,
    parameter IN_W        = 4,
    parameter HALF_WORDS  = 2,
    parameter ROWS        = 2,   // of the ring
    parameter KX          = 2,   // taps of a kernel row
    parameter KY          = 2,   // kernel rows of a pass
    parameter PAIRS       = 2,
    parameter ADDR_W      = 4
) (
    input wire clk,
    input wire rst,
    input wire write,
    input wire go
);
    wire              half, swap;
    wire [ADDR_W-1:0] waddr, addr_0, addr_1;
    reg  [3:0]        in_x, in_word, in_row;
    reg  [3:0]        kx, ky, word, pair;
    wire              in_pixel_end = (in_word == PIXEL_WORDS - 1);
    wire              row_last     = in_pixel_end && (in_x == IN_W - 1);
    wire              kx_last      = (kx == KX - 1);
    wire              pass_end     = kx_last && (ky == KY - 1);
    wire              pair_last    = (word == PIXEL_WORDS - 1);
    wire              pair_end     = pass_end && pair_last;
    wire              row_end      = pair_end && (pair == PAIRS - 1);
    aihls_halves #(
        .STRIDE(STRIDE), .PIXEL_WORDS(PIXEL_WORDS), .PAD_LEFT(PAD_LEFT), .HALF_WORDS(HALF_WORDS),
        .RING_WORDS(ROWS*HALF_WORDS), .ADDR_W(ADDR_W)
    ) u_dut (
        .clk(clk), .rst(rst), .write(write), .row_last(row_last), .half(half), .waddr(waddr),
        .go(go), .kx_last(kx_last), .pass_end(go && pass_end), .pair_last(pair_last),
        .row_end(go && row_end), .addr_0(addr_0), .addr_1(addr_1), .swap(swap)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    always @(posedge clk) begin
        if (write) begin
            in_word <= in_pixel_end ? 0 : in_word + 1'b1;
            if (in_pixel_end) in_x <= row_last ? 0 : in_x + 1'b1;
            if (row_last) in_row <= (in_row == ROWS - 1) ? 0 : in_row + 1'b1;
        end
        if (go) begin
            kx <= kx_last ? 0 : kx + 1'b1;
            if (kx_last) ky <= pass_end ? 0 : ky + 1'b1;
            if (pass_end) word <= pair_last ? 0 : word + 1'b1;
            if (pair_end) pair <= row_end ? 0 : pair + 1'b1;
        end
        if (rst) begin
            in_word <= 0;
            in_x    <= 0;
            in_row  <= 0;
            kx      <= 0;
            ky      <= 0;
            word    <= 0;
            pair    <= 0;
        end
    end
    // Whole pairs of groups that lie in the padding have no place in the ring.
    localparam CUT = PAD_LEFT / (2 * STRIDE) * STRIDE * PIXEL_WORDS;
    wire [7:0] in_column = in_x + PAD_LEFT;
    wire [7:0] in_group  = in_column / STRIDE;
    wire [7:0] in_at     = (in_group / 2 * STRIDE + in_column % STRIDE) * PIXEL_WORDS + in_word - CUT;
    wire [7:0] column    = pair * (2 * STRIDE) + kx;    // of pixel 0's tap; pixel 1's is STRIDE on
    wire [7:0] group_0   = column / STRIDE;
    wire [7:0] group_1   = group_0 + 1;
    wire [7:0] at_0      = (group_0 / 2 * STRIDE + column % STRIDE) * PIXEL_WORDS + word - CUT;
    wire [7:0] at_1      = (group_1 / 2 * STRIDE + column % STRIDE) * PIXEL_WORDS + word - CUT;
    wire [7:0] want_addr = in_row * HALF_WORDS + in_at;
    always @* if (!rst) begin
        assert (half == in_group[0] && waddr == want_addr[ADDR_W-1:0]);
        assert (swap == group_0[0]);
        assert ((swap ? addr_1 : addr_0) == at_0[ADDR_W-1:0]);
        assert ((swap ? addr_0 : addr_1) == at_1[ADDR_W-1:0]);
    end
endmodule
`default_nettype wire

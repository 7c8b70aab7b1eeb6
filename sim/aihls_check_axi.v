// SPDX-License-Identifier: Apache-2.0
// aihls_check_axi: the rules of AXI4 between a master of whole-word bursts of up to 16 and its slave, for one ID. The same
// module is bound to the bus in proofs (tests/formal) and in every co-simulation. A bit of bad_master or bad_slave is 1 in a
// cycle in which that side breaks a rule.
//
// bad_master   0  valid is 0 behind a reset
//              1  an address on AR that waits stays
//              2  an address on AW that waits stays
//              3  a word on W that waits stays
//              4  a read is of 1 to 16 whole words, incrementing, aligned to a word, inside of 4 KB
//              5  so is a write
//              6  R and B are always taken
//              7  W has words of offered addresses only, and `last` at the end of each burst
//              8  a word has all its strobes but for a burst's last, which has the lower ones
// bad_slave    0  R has words that were asked for only
//              1  R has `last` at the end of each burst
//              2  B answers whole bursts only
//
// `pick` chooses a burst, any, whose end is followed (7, slave's 1) when no other is: in proofs it is free.
`default_nettype none
module aihls_check_axi #(
    parameter WORD_BYTES = 8,
    parameter ADDR_W     = 32,
    parameter ID_W       = 1,
    parameter ID         = 0,   // whose reads are checked; writes are checked for all IDs
    parameter COUNT_W    = 16   // of words under way
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  pick,
    input  wire [ID_W-1:0]       arid,
    input  wire [ADDR_W-1:0]     araddr,
    input  wire [7:0]            arlen,
    input  wire [2:0]            arsize,
    input  wire [1:0]            arburst,
    input  wire                  arvalid,
    input  wire                  arready,
    input  wire [ID_W-1:0]       rid,
    input  wire                  rlast,
    input  wire                  rvalid,
    input  wire                  rready,
    input  wire [ID_W-1:0]       awid,
    input  wire [ADDR_W-1:0]     awaddr,
    input  wire [7:0]            awlen,
    input  wire [2:0]            awsize,
    input  wire [1:0]            awburst,
    input  wire                  awvalid,
    input  wire                  awready,
    input  wire [WORD_BYTES*8-1:0] wdata,
    input  wire [WORD_BYTES-1:0] wstrb,
    input  wire                  wlast,
    input  wire                  wvalid,
    input  wire                  wready,
    input  wire                  bvalid,
    input  wire                  bready,
    output wire [8:0]            bad_master,
    output wire [2:0]            bad_slave
);
    localparam SHIFT = $clog2(WORD_BYTES);
    localparam integer ME = ID;
    localparam integer SIZE = SHIFT;

    // ---- what stays ----
    reg                    behind_q = 1'b0, ar_waits_q = 1'b0, aw_waits_q = 1'b0, w_waits_q = 1'b0;
    reg [ID_W+ADDR_W+7:0]  ar_q, aw_q;
    reg [WORD_BYTES*9:0]   w_q;
    always @(posedge clk) begin
        behind_q   <= rst;
        ar_waits_q <= arvalid && !arready && !rst;
        aw_waits_q <= awvalid && !awready && !rst;
        w_waits_q  <= wvalid && !wready && !rst;
        ar_q       <= {arid, araddr, arlen};
        aw_q       <= {awid, awaddr, awlen};
        w_q        <= {wdata, wstrb, wlast};
    end

    // ---- shape of bursts ----
    wire [11:0] ar_end = araddr[11:0] + ({4'd0, arlen} << SHIFT);
    wire [11:0] aw_end = awaddr[11:0] + ({4'd0, awlen} << SHIFT);
    wire ar_wrong = arlen > 8'd15 || arsize != SIZE[2:0] || arburst != 2'b01 || araddr[SHIFT-1:0] != {SHIFT{1'b0}} || ar_end < araddr[11:0];
    wire aw_wrong = awlen > 8'd15 || awsize != SIZE[2:0] || awburst != 2'b01 || awaddr[SHIFT-1:0] != {SHIFT{1'b0}} || aw_end < awaddr[11:0];

    // ---- reads of this ID: words asked for, and the end of a picked burst ----
    wire                ar_take = arvalid && arready && (arid == ME[ID_W-1:0]);
    wire                r_take  = rvalid && rready && (rid == ME[ID_W-1:0]);
    reg  [COUNT_W-1:0]  asked_q;
    reg                 r_follow_q;
    reg  [COUNT_W-1:0]  r_left_q;    // words up to the end of the picked burst
    reg  [COUNT_W-1:0]  r_first_q;   // of which so many are its own
    wire [COUNT_W-1:0]  ar_words = {{(COUNT_W-8){1'b0}}, arlen} + {{(COUNT_W-1){1'b0}}, 1'b1};
    wire [COUNT_W-1:0]  r_one    = {{(COUNT_W-1){1'b0}}, r_take};
    always @(posedge clk) begin
        asked_q <= asked_q + (ar_take ? ar_words : {COUNT_W{1'b0}}) - r_one;
        if (ar_take && pick && !r_follow_q) begin
            r_follow_q <= 1'b1;
            r_left_q   <= asked_q + ar_words - r_one;
            r_first_q  <= ar_words;
        end else if (r_follow_q && r_take) begin
            r_left_q <= r_left_q - {{(COUNT_W-1){1'b0}}, 1'b1};
            if (r_left_q == {{(COUNT_W-1){1'b0}}, 1'b1}) r_follow_q <= 1'b0;
        end
        if (rst) begin
            asked_q    <= {COUNT_W{1'b0}};
            r_follow_q <= 1'b0;
        end
    end

    // ---- writes: bursts offered whose data have not ended, bursts without answer, the end of a picked one ----
    reg                 offered_q;   // the address on AW was counted already
    reg  [COUNT_W-1:0]  open_q, addressed_q, ended_q;
    reg                 w_follow_q;
    reg  [COUNT_W-1:0]  w_ahead_q;   // bursts in front of the picked one
    reg  [3:0]          w_left_q;    // its words but one
    wire                aw_new  = awvalid && !offered_q;
    wire                w_take  = wvalid && wready;
    wire                w_ends  = w_take && wlast;
    wire                b_take  = bvalid && bready;
    wire                w_mine  = w_follow_q && (w_ahead_q == {COUNT_W{1'b0}});
    wire [COUNT_W-1:0]  one     = {{(COUNT_W-1){1'b0}}, 1'b1};
    wire [COUNT_W-1:0]  ended_1 = {{(COUNT_W-1){1'b0}}, w_ends};
    always @(posedge clk) begin
        offered_q   <= awvalid && !awready;
        open_q      <= open_q + {{(COUNT_W-1){1'b0}}, aw_new} - ended_1;
        addressed_q <= addressed_q + {{(COUNT_W-1){1'b0}}, awvalid && awready} - {{(COUNT_W-1){1'b0}}, b_take};
        ended_q     <= ended_q + ended_1 - {{(COUNT_W-1){1'b0}}, b_take};
        if (aw_new && pick && !w_follow_q && !(w_take && open_q == {COUNT_W{1'b0}})) begin
            w_follow_q <= 1'b1;
            w_ahead_q  <= open_q - ended_1;
            w_left_q   <= awlen[3:0];
        end else begin
            if (w_follow_q && !w_mine && w_ends) w_ahead_q <= w_ahead_q - one;
            if (w_mine && w_take) w_left_q <= w_left_q - 4'd1;
            if (w_mine && w_ends) w_follow_q <= 1'b0;
        end
        if (rst) begin
            offered_q   <= 1'b0;
            open_q      <= {COUNT_W{1'b0}};
            addressed_q <= {COUNT_W{1'b0}};
            ended_q     <= {COUNT_W{1'b0}};
            w_follow_q  <= 1'b0;
        end
    end
    // A word may come in the cycle in which its address is first offered (such a burst is not followed).
    wire w_unasked = wvalid && (open_q == {COUNT_W{1'b0}}) && !aw_new;
    wire w_end_bad = w_mine && wvalid && (wlast != (w_left_q == 4'd0));
    wire [WORD_BYTES:0] strobes_up = {1'b0, wstrb} + {{WORD_BYTES{1'b0}}, 1'b1};   // a power of two: the lower ones
    wire strobes_bad = (wstrb == {WORD_BYTES{1'b0}}) || (({1'b0, wstrb} & strobes_up) != {(WORD_BYTES+1){1'b0}}) ||
                       (!wlast && wstrb != {WORD_BYTES{1'b1}});

    assign bad_master[0] = behind_q && (arvalid || awvalid || wvalid);
    assign bad_master[1] = !rst && ar_waits_q && !(arvalid && ar_q == {arid, araddr, arlen});
    assign bad_master[2] = !rst && aw_waits_q && !(awvalid && aw_q == {awid, awaddr, awlen});
    assign bad_master[3] = !rst && w_waits_q && !(wvalid && w_q == {wdata, wstrb, wlast});
    assign bad_master[4] = !rst && arvalid && ar_wrong;
    assign bad_master[5] = !rst && awvalid && aw_wrong;
    assign bad_master[6] = !rst && ((rvalid && !rready) || (bvalid && !bready));
    assign bad_master[7] = !rst && (w_unasked || w_end_bad);
    assign bad_master[8] = !rst && wvalid && strobes_bad;
    assign bad_slave[0]  = !rst && r_take && (asked_q == {COUNT_W{1'b0}});
    assign bad_slave[1]  = !rst && r_follow_q && r_take && (r_left_q <= r_first_q) && (rlast != (r_left_q == one));
    assign bad_slave[2]  = !rst && bvalid && (addressed_q == {COUNT_W{1'b0}} || ended_q == {COUNT_W{1'b0}});
endmodule
`default_nettype wire

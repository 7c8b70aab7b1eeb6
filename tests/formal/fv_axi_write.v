// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_axi_write: the rules of the bus (aihls_check_axi), bursts that cover each frame once and in order,
// words that go out as they came in, strobes of a frame's end, W never without a word when its burst has begun, ends and
// errors of frames, no new burst while `stop`, `idle` only when nothing is under way. One bit of a word is free.
`default_nettype none
module fv_axi_write #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 13,
    parameter FRAME_BYTES = 21,
    parameter BUF_WORDS   = 16
) (
    input wire              clk,
    input wire              rst,
    input wire              stop,
    input wire              pick,
    input wire              pick_burst,
    input wire              pick_end,
    input wire [ADDR_W-1:0] f_addr,
    input wire              f_valid,
    input wire              s_bit,
    input wire              s_valid,
    input wire              aw_ready,
    input wire              w_ready,
    input wire [1:0]        b_resp,
    input wire              b_valid
);
    localparam FRAME_WORDS = (FRAME_BYTES + WORD_BYTES - 1) / WORD_BYTES;
    localparam TAIL        = FRAME_BYTES - (FRAME_WORDS - 1) * WORD_BYTES;
    wire [ADDR_W-1:0]       aw_addr;
    wire [7:0]              aw_len;
    wire                    f_ready, s_ready, aw_valid, w_valid, w_last, done, done_error, idle, here, word;
    wire [WORD_BYTES*8-1:0] w_data;
    wire [WORD_BYTES-1:0]   w_strb;
    wire [1:0]              error;
    wire [8:0]              bad_master;
    wire [2:0]              bad_slave;
    wire [15:0]             held;
    aihls_axi_write #(
        .WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .FRAME_BYTES(FRAME_BYTES), .BUF_WORDS(BUF_WORDS)
    ) u_dut (
        .clk(clk), .rst(rst), .stop(stop), .idle(idle), .s_frame_data(f_addr), .s_frame_valid(f_valid),
        .s_frame_ready(f_ready), .s_data({{(WORD_BYTES*8-1){1'b0}}, s_bit}), .s_valid(s_valid), .s_ready(s_ready),
        .aw_addr(aw_addr), .aw_len(aw_len), .aw_valid(aw_valid), .aw_ready(aw_ready), .w_data(w_data),
        .w_strb(w_strb), .w_last(w_last), .w_valid(w_valid), .w_ready(w_ready), .b_resp(b_resp), .b_valid(b_valid),
        .done(done), .done_error(done_error), .error(error)
    );
    aihls_check_axi #(.WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .COUNT_W(9)) u_check (
        .clk(clk), .rst(rst), .pick(pick_burst), .arid(1'b0), .araddr({ADDR_W{1'b0}}), .arlen(8'd0), .arsize(3'd0),
        .arburst(2'd0), .arvalid(1'b0), .arready(1'b0), .rid(1'b0), .rlast(1'b0), .rvalid(1'b0), .rready(1'b1),
        .awid(1'b0), .awaddr(aw_addr), .awlen(aw_len), .awsize($clog2(WORD_BYTES)), .awburst(2'b01), .awvalid(aw_valid),
        .awready(aw_ready), .wdata(w_data), .wstrb(w_strb), .wlast(w_last), .wvalid(w_valid), .wready(w_ready),
        .bvalid(b_valid), .bready(1'b1), .bad_master(bad_master), .bad_slave(bad_slave)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(ADDR_W)) u_offer_frame (
        .clk(clk), .rst(rst), .data(f_addr), .valid(f_valid), .ready(f_ready)
    );
    fv_offer #(.WIDTH(1)) u_offer (
        .clk(clk), .rst(rst), .data(s_bit), .valid(s_valid), .ready(s_ready)
    );
    fv_order #(.WIDTH(1), .MOST(BUF_WORDS)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready), .in_data(s_bit), .out_valid(w_valid),
        .out_take(w_valid && w_ready), .here(here), .word(word), .held(held)
    );
    // Where the next burst begins; words that went, frame by frame; any burst, and the answers in front of its own.
    reg  [ADDR_W-1:0] next_q;
    reg  [15:0]       left_q, went_q;
    reg  [4:0]        open_q, ahead_q;
    reg               offered_q, stop_q, bad_q, follow_q, ends_q, mine_q, inside_q;
    wire              aw_new = aw_valid && !offered_q;
    wire [8:0]        words  = aw_len + 9'd1;
    wire              w_take = w_valid && w_ready;
    wire              last   = (went_q == FRAME_WORDS - 1);
    always @(posedge clk) begin
        offered_q <= aw_valid && !aw_ready;
        stop_q    <= stop;
        inside_q  <= (w_take || w_valid) ? !(w_take && w_last) : inside_q;
        if (f_valid && f_ready) begin
            next_q <= {f_addr[ADDR_W-1:6], 6'd0};
            left_q <= FRAME_WORDS;
        end else if (aw_new) begin
            next_q <= next_q + words * WORD_BYTES;
            left_q <= left_q - words;
        end
        if (w_take) went_q <= last ? 0 : went_q + 1'b1;
        open_q <= open_q + aw_new - b_valid;
        if (aw_new && pick_end && !follow_q) begin
            follow_q <= 1'b1;
            ahead_q  <= open_q - b_valid;
            ends_q   <= (words == left_q);
        end else if (follow_q && b_valid) begin
            ahead_q <= ahead_q - 1'b1;
            if (ahead_q == 0) follow_q <= 1'b0;
        end
        mine_q <= follow_q && b_valid && (ahead_q == 0);
        bad_q  <= (!done && bad_q) || (b_valid && b_resp[1]);
        if (rst) begin
            offered_q <= 1'b0;
            inside_q  <= 1'b0;
            left_q    <= 0;
            went_q    <= 0;
            open_q    <= 0;
            follow_q  <= 1'b0;
            bad_q     <= 1'b0;
            mine_q    <= 1'b0;
        end
    end
    wire [WORD_BYTES:0] strobes = last ? ({{WORD_BYTES{1'b0}}, 1'b1} << TAIL) - 1'b1 : {1'b0, {WORD_BYTES{1'b1}}};
    always @* begin
        assume (bad_slave == 0);
        assert (bad_master == 0);
        if (!rst) begin
            if (aw_new) assert (aw_addr == next_q && words <= left_q);
            if (aw_new) assert (!stop_q);
            if (f_valid && f_ready) assert (left_q == 0 || (aw_new && words == left_q));
            if (here && w_valid) assert (w_data == word);
            if (w_valid) assert (w_strb == strobes[WORD_BYTES-1:0]);
            if (w_valid && last) assert (w_last);
            if (inside_q) assert (w_valid);
            if (mine_q) assert (done == ends_q);
            if (done) assert (done_error == bad_q);
            assert (error == {b_valid && b_resp == 3, b_valid && b_resp == 2});
            if (idle) assert (open_q == 0);
        end
    end
endmodule
`default_nettype wire

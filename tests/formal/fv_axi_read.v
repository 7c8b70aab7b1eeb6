// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_axi_read: the rules of the bus (aihls_check_axi), bursts that cover each frame once and in order,
// words that come out as they came in and are never more than the buffer has room for, ends and errors of frames,
// no new burst while `stop`, `idle` only when nothing is under way. One bit of a word is free.
`default_nettype none
module fv_axi_read #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 13,
    parameter FRAME_WORDS = 3,
    parameter BUF_WORDS   = 16
) (
    input wire              clk,
    input wire              rst,
    input wire              stop,
    input wire              pick,
    input wire              pick_burst,
    input wire [ADDR_W-1:0] f_addr,
    input wire              f_valid,
    input wire              ar_ready,
    input wire              r_bit,
    input wire [1:0]        r_resp,
    input wire              r_last,
    input wire              r_valid,
    input wire              m_ready
);
    wire [ADDR_W-1:0]       ar_addr;
    wire [7:0]              ar_len;
    wire                    f_ready, ar_valid, m_valid, done, done_error, idle, here, word;
    wire [WORD_BYTES*8-1:0] m_data;
    wire [1:0]              error;
    wire [8:0]              bad_master;
    wire [2:0]              bad_slave;
    wire [15:0]             held;
    aihls_axi_read #(
        .WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .FRAME_WORDS(FRAME_WORDS), .BUF_WORDS(BUF_WORDS)
    ) u_dut (
        .clk(clk), .rst(rst), .stop(stop), .idle(idle), .s_frame_data(f_addr), .s_frame_valid(f_valid),
        .s_frame_ready(f_ready), .ar_addr(ar_addr), .ar_len(ar_len), .ar_valid(ar_valid), .ar_ready(ar_ready),
        .r_data({{(WORD_BYTES*8-1){1'b0}}, r_bit}), .r_resp(r_resp), .r_valid(r_valid), .m_data(m_data),
        .m_valid(m_valid), .m_ready(m_ready), .done(done), .done_error(done_error), .error(error)
    );
    aihls_check_axi #(.WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .COUNT_W(9)) u_check (
        .clk(clk), .rst(rst), .pick(pick_burst), .arid(1'b0), .araddr(ar_addr), .arlen(ar_len),
        .arsize($clog2(WORD_BYTES)), .arburst(2'b01), .arvalid(ar_valid), .arready(ar_ready), .rid(1'b0),
        .rlast(r_last), .rvalid(r_valid), .rready(1'b1), .awid(1'b0), .awaddr({ADDR_W{1'b0}}), .awlen(8'd0),
        .awsize(3'd0), .awburst(2'd0), .awvalid(1'b0), .awready(1'b0), .wdata({WORD_BYTES*8{1'b0}}),
        .wstrb({WORD_BYTES{1'b0}}), .wlast(1'b0), .wvalid(1'b0), .wready(1'b0), .bvalid(1'b0), .bready(1'b1),
        .bad_master(bad_master), .bad_slave(bad_slave)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(ADDR_W)) u_offer (
        .clk(clk), .rst(rst), .data(f_addr), .valid(f_valid), .ready(f_ready)
    );
    fv_hold #(.WIDTH(WORD_BYTES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(1), .MOST(BUF_WORDS)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(r_valid), .in_data(r_bit), .out_valid(m_valid),
        .out_take(m_valid && m_ready), .here(here), .word(word), .held(held)
    );
    // What is still to be asked for of the frame, and from where; words that come, frame by frame.
    reg  [ADDR_W-1:0] next_q;
    reg  [15:0]       left_q, came_q;
    reg  [8:0]        flight_q;
    reg               offered_q, stop_q, bad_q, end_q, end_bad_q;
    wire              ar_new = ar_valid && !offered_q;
    wire [8:0]        words  = ar_len + 9'd1;
    wire              last   = (came_q == FRAME_WORDS - 1);
    always @(posedge clk) begin
        offered_q <= ar_valid && !ar_ready;
        stop_q    <= stop;
        if (f_valid && f_ready) begin
            next_q <= {f_addr[ADDR_W-1:6], 6'd0};
            left_q <= FRAME_WORDS;
        end else if (ar_new) begin
            next_q <= next_q + words * WORD_BYTES;
            left_q <= left_q - words;
        end
        flight_q  <= flight_q + (ar_new ? words : 9'd0) - r_valid;
        if (r_valid) came_q <= last ? 0 : came_q + 1'b1;
        if (r_valid) bad_q <= !last && (bad_q || r_resp[1]);
        end_q     <= r_valid && last;
        end_bad_q <= bad_q || r_resp[1];
        if (rst) begin
            offered_q <= 1'b0;
            left_q    <= 0;
            came_q    <= 0;
            flight_q  <= 0;
            bad_q     <= 1'b0;
            end_q     <= 1'b0;
        end
    end
    always @* begin
        assume (bad_slave == 0);
        assert (bad_master == 0);
        if (!rst) begin
            if (ar_new) assert (ar_addr == next_q && words <= left_q);
            if (ar_new) assert (!stop_q);
            if (f_valid && f_ready) assert (left_q == 0 || (ar_new && words == left_q));
            if (here && m_valid) assert (m_data == word);
            assert (done == end_q);
            if (done) assert (done_error == end_bad_q);
            assert (error == {r_valid && r_resp == 3, r_valid && r_resp == 2});
            if (idle) assert (flight_q == 0 && !ar_valid);
            assert (held + flight_q <= BUF_WORDS);
        end
    end
endmodule
`default_nettype wire

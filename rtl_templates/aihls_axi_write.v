// SPDX-License-Identifier: Apache-2.0
// aihls_axi_write: writes frames over AXI4. A burst begins when all its words are in the buffer, so that what comes in front
// cannot hold up the bus: W follows its address without a pause of ours, and B never waits (its ready is 1 for ever).
//
//   s --> buffer of BUF_WORDS -----------------------------------> W
//   s_frame --> aihls_axi_burst --> AW,  lengths of bursts --------^      B --> which burst ends a frame
//
// W does not wait for AW to be taken. At most 15 bursts are under way. Of a frame's last word only FRAME_BYTES' bytes are strobed.
// `done` is 1 for a cycle when the responses of all bursts of a frame have come; done_error says that one was an
// error. `stop` lets no further burst begin; `idle`: none is under way. Reset is for idle times, and drops
// what the buffer holds.
`default_nettype none
module aihls_axi_write #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 32,
    parameter FRAME_BYTES = 64,
    parameter BUF_WORDS   = 64   // at least 16
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    stop,
    output wire                    idle,
    input  wire [ADDR_W-1:0]       s_frame_data,
    input  wire                    s_frame_valid,
    output wire                    s_frame_ready,
    input  wire [WORD_BYTES*8-1:0] s_data,
    input  wire                    s_valid,
    output wire                    s_ready,
    output wire [ADDR_W-1:0]       aw_addr,
    output wire [7:0]              aw_len,
    output wire                    aw_valid,
    input  wire                    aw_ready,
    output wire [WORD_BYTES*8-1:0] w_data,
    output wire [WORD_BYTES-1:0]   w_strb,
    output wire                    w_last,
    output wire                    w_valid,
    input  wire                    w_ready,
    input  wire [1:0]              b_resp,
    input  wire                    b_valid,
    output wire                    done,
    output wire                    done_error,
    output wire [1:0]              error      // in this cycle: 0 SLVERR, 1 DECERR
);
    localparam FRAME_WORDS = (FRAME_BYTES + WORD_BYTES - 1) / WORD_BYTES;
    localparam LAST_BYTES  = FRAME_BYTES - (FRAME_WORDS - 1) * WORD_BYTES;
    localparam ROOM_W      = $clog2(BUF_WORDS + 1);
    localparam [WORD_BYTES-1:0] LAST_STRB = {WORD_BYTES{1'b1}} >> (WORD_BYTES - LAST_BYTES);

    reg  [ROOM_W-1:0] words_q;    // in the buffer, of no burst yet
    reg  [3:0]        flight_q;   // bursts whose response has not come
    reg  [3:0]        beat_q;
    reg               bad_q;
    reg               done_q;
    reg               done_error_q;
    wire              take, ends;
    wire [4:0]        words;
    wire              word_valid, burst_valid, burst_ends, lengths_ready, resp_room, resp_valid, resp_ends;
    wire [3:0]        burst_last;
    wire [3:0]        top  = words[3:0] - 4'd1;
    wire              push = s_valid && s_ready;
    wire              move = w_valid && w_ready;
    wire [ROOM_W-1:0] gone = take ? {{(ROOM_W-5){1'b0}}, words} : {ROOM_W{1'b0}};
    wire              unused_ok = &{1'b0, resp_valid, words[4]};

    assign w_valid    = word_valid && burst_valid;
    assign w_last     = (beat_q == burst_last);
    assign w_strb     = (w_last && burst_ends) ? LAST_STRB : {WORD_BYTES{1'b1}};
    assign idle       = (flight_q == 4'd0);
    assign done       = done_q;
    assign done_error = done_error_q;
    assign error      = {b_valid && b_resp == 2'b11, b_valid && b_resp == 2'b10};

    generate
        if (BUF_WORDS < 16) begin : g_check
            aihls_error_BUF_WORDS_must_be_at_least_16 u_error ();
        end
    endgenerate

    aihls_axi_burst #(
        .WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .FRAME_WORDS(FRAME_WORDS), .ROOM_W(ROOM_W)
    ) u_burst (
        .clk(clk), .rst(rst), .stop(stop), .s_frame_data(s_frame_data), .s_frame_valid(s_frame_valid),
        .s_frame_ready(s_frame_ready), .room(words_q), .allow(lengths_ready && resp_room && flight_q != 4'd15),
        .take(take), .words(words), .ends(ends), .m_addr(aw_addr), .m_len(aw_len), .m_valid(aw_valid),
        .m_ready(aw_ready)
    );
    aihls_fifo #(.WIDTH(WORD_BYTES*8), .DEPTH(BUF_WORDS), .BLOCK(0)) u_buffer (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready),
        .m_data(w_data), .m_valid(word_valid), .m_ready(burst_valid && w_ready)
    );
    aihls_fifo #(.WIDTH(5), .DEPTH(4), .BLOCK(0)) u_lengths (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data({ends, top}), .s_valid(take), .s_ready(lengths_ready),
        .m_data({burst_ends, burst_last}), .m_valid(burst_valid), .m_ready(move && w_last)
    );
    aihls_fifo #(.WIDTH(1), .DEPTH(16), .BLOCK(0)) u_ends (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(ends), .s_valid(take), .s_ready(resp_room),
        .m_data(resp_ends), .m_valid(resp_valid), .m_ready(b_valid)
    );

    always @(posedge clk) begin
        words_q      <= words_q + {{(ROOM_W-1){1'b0}}, push} - gone;
        flight_q     <= flight_q + {3'd0, take} - {3'd0, b_valid};
        if (move) beat_q <= w_last ? 4'd0 : beat_q + 4'd1;
        if (b_valid) bad_q <= !resp_ends && (bad_q || b_resp[1]);
        done_q       <= b_valid && resp_ends;
        done_error_q <= bad_q || b_resp[1];
        if (rst) begin
            words_q  <= {ROOM_W{1'b0}};
            flight_q <= 4'd0;
            beat_q   <= 4'd0;
            bad_q    <= 1'b0;
            done_q   <= 1'b0;
        end
    end
endmodule
`default_nettype wire

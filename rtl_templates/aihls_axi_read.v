// SPDX-License-Identifier: Apache-2.0
// aihls_axi_read: reads frames over AXI4, ahead of what takes their words. Bursts are sent for only as much as the buffer
// has room for, so that R never waits (its ready is 1 for ever) and what comes behind cannot hold up the bus.
//
//   s_frame --> aihls_axi_burst --> AR          R --> buffer of BUF_WORDS --> m
//                    ^------------- room, in words ------------------'
//
// As many bursts are under way as the buffer has room for. `done` is 1 for a cycle when a frame's last word has come;
// done_error says that one of its words had an error. `stop` lets no further burst begin; `idle`: none is under way.
// Reset is for idle times, and drops what the buffer holds.
`default_nettype none
module aihls_axi_read #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 32,
    parameter FRAME_WORDS = 8,
    parameter BUF_WORDS   = 64   // at least 16
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    stop,
    output wire                    idle,
    input  wire [ADDR_W-1:0]       s_frame_data,
    input  wire                    s_frame_valid,
    output wire                    s_frame_ready,
    output wire [ADDR_W-1:0]       ar_addr,
    output wire [7:0]              ar_len,
    output wire                    ar_valid,
    input  wire                    ar_ready,
    input  wire [WORD_BYTES*8-1:0] r_data,
    input  wire [1:0]              r_resp,
    input  wire                    r_valid,
    output wire [WORD_BYTES*8-1:0] m_data,
    output wire                    m_valid,
    input  wire                    m_ready,
    output wire                    done,
    output wire                    done_error,
    output wire [1:0]              error      // in this cycle: 0 SLVERR, 1 DECERR
);
    localparam ROOM_W = $clog2(BUF_WORDS + 1);
    localparam integer BUFFER = BUF_WORDS;

    reg  [ROOM_W-1:0] room_q;     // words of the buffer that no burst was sent for
    reg  [ROOM_W-1:0] flight_q;   // words sent for that have not come
    reg               bad_q;
    reg               done_q;
    reg               done_error_q;
    wire              take, last, unused_ends, unused_ready;
    wire [4:0]        words;
    wire [ROOM_W-1:0] added = take ? {{(ROOM_W-5){1'b0}}, words} : {ROOM_W{1'b0}};

    assign idle       = (flight_q == {ROOM_W{1'b0}}) && !ar_valid;
    assign done       = done_q;
    assign done_error = done_error_q;
    assign error      = {r_valid && r_resp == 2'b11, r_valid && r_resp == 2'b10};

    generate
        if (BUF_WORDS < 16) begin : g_check
            aihls_error_BUF_WORDS_must_be_at_least_16 u_error ();
        end
    endgenerate

    aihls_axi_burst #(
        .WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .FRAME_WORDS(FRAME_WORDS), .ROOM_W(ROOM_W)
    ) u_burst (
        .clk(clk), .rst(rst), .stop(stop), .s_frame_data(s_frame_data), .s_frame_valid(s_frame_valid),
        .s_frame_ready(s_frame_ready), .room(room_q), .allow(1'b1), .take(take), .words(words),
        .ends(unused_ends), .m_addr(ar_addr), .m_len(ar_len), .m_valid(ar_valid), .m_ready(ar_ready)
    );
    aihls_fifo #(.WIDTH(WORD_BYTES*8), .DEPTH(BUF_WORDS), .BLOCK(0)) u_buffer (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(r_data), .s_valid(r_valid), .s_ready(unused_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    aihls_count #(.N(FRAME_WORDS)) u_words (.clk(clk), .rst(rst), .en(r_valid), .last(last));

    always @(posedge clk) begin
        room_q       <= room_q - added + {{(ROOM_W-1){1'b0}}, m_valid && m_ready};
        flight_q     <= flight_q + added - {{(ROOM_W-1){1'b0}}, r_valid};
        if (r_valid) bad_q <= !last && (bad_q || r_resp[1]);
        done_q       <= r_valid && last;
        done_error_q <= bad_q || r_resp[1];
        if (rst) begin
            room_q   <= BUFFER[ROOM_W-1:0];
            flight_q <= {ROOM_W{1'b0}};
            bad_q    <= 1'b0;
            done_q   <= 1'b0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_axi_burst: cuts frames of FRAME_WORDS bus words into AXI4 bursts of at most 16 words that never cross a multiple of
// 16 words, and so never 4 KB. A burst is offered while there is `room` for it and `stop` is 0; take is the
// cycle in which the bus register takes it. Addresses are multiples of 64: their lower bits are ignored.
//
//   frame --> address, words left --> length --> [room?] --> m_addr, m_len, m_valid
//
// A burst every 3 cycles at most. Reset: forgets frame and burst.
`default_nettype none
module aihls_axi_burst #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 32,
    parameter FRAME_WORDS = 8,
    parameter ROOM_W      = 7
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              stop,
    input  wire [ADDR_W-1:0] s_frame_data,
    input  wire              s_frame_valid,
    output wire              s_frame_ready,
    input  wire [ROOM_W-1:0] room,     // words that a burst may have now
    input  wire              allow,    // another burst may be under way
    output wire              take,     // one begins, of
    output wire [4:0]        words,    //   so many words,
    output wire              ends,    //   the frame's last
    output wire [ADDR_W-1:0] m_addr,
    output wire [7:0]        m_len,
    output wire              m_valid,
    input  wire              m_ready
);
    localparam WORD_SHIFT = $clog2(WORD_BYTES);
    localparam LEFT_W     = $clog2(FRAME_WORDS + 1);
    localparam WIDE_W     = (LEFT_W < 5) ? 5 : LEFT_W;
    localparam CHECK_W    = (ROOM_W < 5) ? 5 : ROOM_W;
    localparam integer FRAME = FRAME_WORDS;
    localparam [1:0] LOAD = 2'd0, SIZE = 2'd1, SEND = 2'd2;

    reg  [1:0]        state_q;
    reg  [ADDR_W-1:0] addr_q;
    reg  [WIDE_W-1:0] left_q;
    reg  [4:0]        words_q;
    reg               ends_q;
    reg  [ADDR_W-1:0] m_addr_q;
    reg  [3:0]        m_len_q;
    reg               m_valid_q;
    wire [4:0]        to_edge = 5'd16 - {1'b0, addr_q[WORD_SHIFT +: 4]};
    wire              rest    = (left_q <= {{(WIDE_W-5){1'b0}}, to_edge});
    wire              fits    = ({{(CHECK_W-ROOM_W){1'b0}}, room} >= {{(CHECK_W-5){1'b0}}, words_q});
    wire              unused_ok = &{1'b0, s_frame_data[5:0]};

    assign s_frame_ready = !rst && (state_q == LOAD) && !stop;
    assign take    = (state_q == SEND) && fits && allow && !stop && !m_valid_q;
    assign words   = words_q;
    assign ends   = ends_q;
    assign m_addr  = m_addr_q;
    assign m_len   = {4'd0, m_len_q};
    assign m_valid = m_valid_q;

    generate
        if (WORD_BYTES < 4 || WORD_BYTES > 64) begin : g_check
            aihls_error_WORD_BYTES_must_be_4_to_64 u_error ();
        end
    endgenerate

    always @(posedge clk) begin
        if (state_q == LOAD) begin
            addr_q <= {s_frame_data[ADDR_W-1:6], 6'd0};
            left_q <= FRAME[WIDE_W-1:0];
            if (s_frame_valid && !stop) state_q <= SIZE;
        end
        if (state_q == SIZE) begin
            words_q <= rest ? left_q[4:0] : to_edge;
            ends_q <= rest;
            state_q <= SEND;
        end
        if (m_ready) m_valid_q <= 1'b0;
        if (take) begin
            m_addr_q  <= addr_q;
            m_len_q   <= words_q[3:0] - 4'd1;
            m_valid_q <= 1'b1;
            addr_q    <= addr_q + ({{(ADDR_W-5){1'b0}}, words_q} << WORD_SHIFT);
            left_q    <= left_q - {{(WIDE_W-5){1'b0}}, words_q};
            state_q   <= ends_q ? LOAD : SIZE;
        end
        if (rst) begin
            state_q   <= LOAD;
            m_valid_q <= 1'b0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_axi_burst: bursts of 1 to 16 words that stay inside of 4 KB and cover each frame once, from its
// address on, in order; none without room, permission or with `stop`; an address that waits stays.
`default_nettype none
module fv_axi_burst #(
    parameter WORD_BYTES  = 8,
    parameter ADDR_W      = 14,
    parameter FRAME_WORDS = 19,
    parameter ROOM_W      = 5
) (
    input wire              clk,
    input wire              rst,
    input wire              stop,
    input wire              allow,
    input wire [ROOM_W-1:0] room,
    input wire [ADDR_W-1:0] f_addr,
    input wire              f_valid,
    input wire              m_ready
);
    wire              f_ready, take, last, m_valid;
    wire [4:0]        words;
    wire [ADDR_W-1:0] m_addr;
    wire [7:0]        m_len;
    aihls_axi_burst #(
        .WORD_BYTES(WORD_BYTES), .ADDR_W(ADDR_W), .FRAME_WORDS(FRAME_WORDS), .ROOM_W(ROOM_W)
    ) u_dut (
        .clk(clk), .rst(rst), .stop(stop), .s_frame_data(f_addr), .s_frame_valid(f_valid), .s_frame_ready(f_ready),
        .room(room), .allow(allow), .take(take), .words(words), .ends(last), .m_addr(m_addr), .m_len(m_len),
        .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(ADDR_W), .QUIET(1)) u_offer (
        .clk(clk), .rst(rst), .data(f_addr), .valid(f_valid), .ready(f_ready)
    );
    fv_hold #(.WIDTH(ADDR_W + 8)) u_hold (
        .clk(clk), .rst(rst), .data({m_addr, m_len}), .valid(m_valid), .ready(m_ready)
    );
    reg  [ADDR_W-1:0] next_q;   // where the next burst begins
    reg  [15:0]       left_q;   // words of the frame for which there was none yet
    reg               take_q;
    reg  [4:0]        words_q;
    reg  [ADDR_W-1:0] from_q;
    wire [12:0]       behind = {1'b0, m_addr[11:0]} + (m_len + 1) * WORD_BYTES;
    always @(posedge clk) begin
        take_q  <= take;
        words_q <= words;
        from_q  <= next_q;
        if (f_valid && f_ready) begin
            next_q <= {f_addr[ADDR_W-1:6], 6'd0};
            left_q <= FRAME_WORDS;
        end else if (take) begin
            next_q <= next_q + words * WORD_BYTES;
            left_q <= left_q - words;
        end
        if (rst) begin
            take_q <= 1'b0;
            left_q <= 0;
        end
    end
    always @* if (!rst) begin
        if (take) assert (!stop && allow && words <= room && words >= 1 && words <= 16 && words <= left_q);
        if (take) assert (last == (words == left_q));
        if (take_q) assert (m_valid && m_addr == from_q && m_len + 1 == words_q);
        if (m_valid) assert (behind <= 13'd4096 && m_len < 16);
        if (f_valid && f_ready) assert (left_q == 0);
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_gear: any one byte of any frame is marked, all others are 0; it must come out at its place of the
// frame, and nothing else. A word comes when all of its bytes are there, and something always moves.
`default_nettype none
module fv_gear #(
    parameter S_BYTES     = 4,
    parameter M_BYTES     = 3,
    parameter FRAME_BYTES = 6
) (
    input wire       clk,
    input wire       rst,
    input wire       pick,
    input wire [7:0] lane,
    input wire       s_valid,
    input wire       m_ready
);
    localparam WORDS = (FRAME_BYTES + S_BYTES - 1) / S_BYTES;
    localparam KEPT  = FRAME_BYTES - (WORDS - 1) * S_BYTES;
    localparam FILL  = (M_BYTES - FRAME_BYTES % M_BYTES) % M_BYTES;
    wire                 s_ready, m_valid;
    wire [M_BYTES*8-1:0] m_data;
    reg  [7:0]           word_q;     // of the frame
    reg  [7:0]           level_q;    // bytes inside, zeros at a frame's end included
    reg                  marked_q, follow_q;
    reg  [7:0]           ahead_q;    // bytes in front of the marked one
    wire                 last  = (word_q == WORDS - 1);
    wire                 take  = s_valid && s_ready;
    wire                 give  = m_valid && m_ready;
    wire                 mark  = pick && !marked_q && lane < S_BYTES;
    wire [S_BYTES*8-1:0] s_data = mark ? {{(S_BYTES*8-1){1'b0}}, 1'b1} << (lane * 8) : {S_BYTES*8{1'b0}};
    wire [7:0]           after  = level_q - (give ? M_BYTES : 0);
    aihls_gear #(.S_BYTES(S_BYTES), .M_BYTES(M_BYTES), .FRAME_BYTES(FRAME_BYTES)) u_dut (
        .clk(clk), .rst(rst), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(S_BYTES*8), .QUIET(1)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(M_BYTES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    always @(posedge clk) begin
        if (take) word_q <= last ? 0 : word_q + 1'b1;
        level_q <= after + (take ? (last ? KEPT + FILL : S_BYTES) : 0);
        if (give && follow_q) begin
            ahead_q <= ahead_q - M_BYTES;
            if (ahead_q < M_BYTES) follow_q <= 1'b0;
        end
        if (take && mark) begin
            marked_q <= 1'b1;
            follow_q <= !last || lane < KEPT;   // what is behind a frame's end must never be seen
            ahead_q  <= after + lane;
        end
        if (rst) begin
            word_q   <= 0;
            level_q  <= 0;
            marked_q <= 1'b0;
            follow_q <= 1'b0;
        end
    end
    wire [M_BYTES*8-1:0] want = (follow_q && ahead_q < M_BYTES) ? {{(M_BYTES*8-1){1'b0}}, 1'b1} << (ahead_q * 8) : {M_BYTES*8{1'b0}};
    always @* if (!rst) begin
        assert (m_valid == (level_q >= M_BYTES));
        if (m_valid) assert (m_data == want);
        assert (s_ready || m_valid);
    end
endmodule
`default_nettype wire

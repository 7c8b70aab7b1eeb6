// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_gather: every output word is the word of its frame that the maps name, or the constant. One input
// word is marked: number mark_at of frames whose number modulo 4 is mark_frame, both arbitrary constants; it is 1 and all
// others are 0, the constant is 2. As any word may be the marked one, no word is confused with another, lost, or
// overwritten in the ring before the row that needs it last has read it. Input, m_ready and reset come as they like.
// Maps: entry k has 4 bits from bit 4*k on, a position (3 bits) below the mark of a constant; NEED and FREED likewise.
`default_nettype none
module fv_gather #(
    parameter IN_WORDS   = 2,
    parameter RING_WORDS = 2,
    parameter OUT_Y      = 2,
    parameter OUT_X      = 1,
    parameter OUT_W      = 1,
    parameter Y_MAP      = 8'h10,
    parameter NEED       = 8'h21,
    parameter FREED      = 8'h21,
    parameter X_MAP      = 4'h0,
    parameter C_MAP      = 4'h0,
    parameter BLOCK      = 0
) (
    input wire clk,
    input wire rst,
    input wire s_valid,
    input wire m_ready
);
    localparam MAP_W = (IN_WORDS <= 2) ? 1 : $clog2(IN_WORDS);
    localparam CNT_W = $clog2(IN_WORDS + 1);
    localparam Y_W   = (OUT_Y <= 2) ? 1 : $clog2(OUT_Y);
    localparam X_W   = (OUT_X <= 2) ? 1 : $clog2(OUT_X);
    localparam C_W   = (OUT_W <= 2) ? 1 : $clog2(OUT_W);
    wire                   s_ready, m_valid, y_en, map_en;
    wire [Y_W-1:0]         y_addr;
    wire [X_W-1:0]         x_addr;
    wire [C_W-1:0]         c_addr;
    wire [7:0]             s_data, m_data;
    wire                   take_in = s_valid && s_ready;
    wire                   take    = m_valid && m_ready;
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );

    // ---- the memories outside ----------------------------------------------------------------
    wire [3:0]           y_entry = Y_MAP >> {y_addr, 2'b00};
    wire [3:0]           y_need  = NEED >> {y_addr, 2'b00};
    wire [3:0]           y_free  = FREED >> {y_addr, 2'b00};
    wire [3:0]           x_entry = X_MAP >> {x_addr, 2'b00};
    wire [3:0]           c_entry = C_MAP >> {c_addr, 2'b00};
    reg  [2*CNT_W+MAP_W:0] y_data;
    reg  [MAP_W:0]       x_data, c_data;
    always @(posedge clk) begin
        if (y_en) y_data <= {y_free[CNT_W-1:0], y_need[CNT_W-1:0], y_entry[3], y_entry[MAP_W-1:0]};
        if (map_en) begin
            x_data <= {x_entry[3], x_entry[MAP_W-1:0]};
            c_data <= {c_entry[3], c_entry[MAP_W-1:0]};
        end
    end
    aihls_gather #(
        .LANES(1), .IN_WORDS(IN_WORDS), .RING_WORDS(RING_WORDS), .OUT_Y(OUT_Y), .OUT_X(OUT_X),
        .OUT_W(OUT_W), .FILL(2), .BLOCK(BLOCK)
    ) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .y_en(y_en), .y_addr(y_addr), .y_data(y_data), .map_en(map_en), .x_addr(x_addr),
        .x_data(x_data), .c_addr(c_addr), .c_data(c_data), .m_act_data(m_data),
        .m_act_valid(m_valid), .m_act_ready(m_ready)
    );

    // ---- the mark, and where it must appear ------------------------------------------------------
    (* anyconst *) wire [2:0] mark_at;
    (* anyconst *) wire [1:0] mark_frame;
    reg  [2:0] in_at;
    reg  [1:0] in_frame, out_frame;
    reg  [1:0] oy, ox, oc;
    wire       c_end = (oc == OUT_W - 1);
    wire       x_end = c_end && (ox == OUT_X - 1);
    wire       y_end = x_end && (oy == OUT_Y - 1);
    assign s_data = {7'd0, in_at == mark_at && in_frame == mark_frame};
    always @(posedge clk) begin
        if (take_in) begin
            in_at <= (in_at == IN_WORDS - 1) ? 0 : in_at + 1'b1;
            if (in_at == IN_WORDS - 1) in_frame <= in_frame + 1'b1;
        end
        if (take) begin
            oc <= c_end ? 0 : oc + 1'b1;
            if (c_end) ox <= x_end ? 0 : ox + 1'b1;
            if (x_end) oy <= y_end ? 0 : oy + 1'b1;
            if (y_end) out_frame <= out_frame + 1'b1;
        end
        if (rst) begin
            in_at     <= 0;
            in_frame  <= 0;
            oc        <= 0;
            ox        <= 0;
            oy        <= 0;
            out_frame <= 0;
        end
    end
    wire [3:0] y_want = Y_MAP >> {oy, 2'b00};
    wire [3:0] x_want = X_MAP >> {ox, 2'b00};
    wire [3:0] c_want = C_MAP >> {oc, 2'b00};
    wire       filled = y_want[3] || x_want[3] || c_want[3];
    wire [4:0] at     = y_want[2:0] + x_want[2:0] + c_want[2:0];
    wire       marked = (at == mark_at) && (out_frame == mark_frame);
    always @* if (!rst && m_valid) assert (m_data == (filled ? 8'd2 : marked ? 8'd1 : 8'd0));
endmodule
`default_nettype wire

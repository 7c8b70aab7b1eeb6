// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_window: every element of every window exactly where it belongs, and
// nothing else. One element is marked: that at (mark_y, mark_x, mark_c) of frames whose number
// modulo 4 is mark_frame, all four arbitrary constants; it is 1 and everything else 0, but for
// padding, which is PAD_VALUE = 2. A step must show the mark in the positions whose coordinates,
// computed by definition, are the mark's, padding where they lie outside of the image, and 0
// elsewhere; as the mark may be any element, no element is confused with another, of another frame
// neither (at most two are in the ring). Input, `en` and reset come as they like.
`default_nettype none
module fv_window #(
    parameter S_LANES   = 1,
    parameter WORD      = 1,
    parameter IN_H      = 3,
    parameter IN_W      = 3,
    parameter IN_C      = 1,
    parameter OUT_H     = 2,
    parameter OUT_W     = 2,
    parameter KERNEL_H  = 2,
    parameter KERNEL_W  = 2,
    parameter STRIDE_H  = 1,
    parameter STRIDE_W  = 1,
    parameter DIL_H     = 1,
    parameter DIL_W     = 1,
    parameter PAD_TOP   = 0,
    parameter PAD_LEFT  = 0,
    parameter SLICES    = 1,
    parameter MP        = 1,
    parameter DEPTHWISE = 0,
    parameter ROWS_PAR  = 1,
    parameter RING_ROWS = 3,
    parameter BLOCK     = 0
) (
    input wire clk,
    input wire rst,
    input wire en,
    input wire s_valid
);
    localparam SLICE_C    = IN_C / SLICES;
    localparam WORDS      = (SLICE_C + WORD - 1) / WORD;   // of a slice
    localparam IN_BEATS   = (IN_C + S_LANES - 1) / S_LANES;
    localparam KY_STEPS   = KERNEL_H / ROWS_PAR;
    localparam PASS_WORDS = (DEPTHWISE != 0) ? 1 : WORDS;
    localparam PASSES     = (DEPTHWISE != 0) ? WORDS : SLICES;
    wire [S_LANES*8-1:0]       s_data;
    wire                       s_ready, step, m_pre, m_valid, m_first, m_last;
    wire [ROWS_PAR*WORD*8-1:0] m_data;
    wire                       take_in = s_valid && s_ready;
    aihls_window #(
        .S_LANES(S_LANES), .WORD(WORD), .IN_H(IN_H), .IN_W(IN_W), .IN_C(IN_C), .OUT_H(OUT_H),
        .OUT_W(OUT_W), .KERNEL_H(KERNEL_H), .KERNEL_W(KERNEL_W), .STRIDE_H(STRIDE_H),
        .STRIDE_W(STRIDE_W), .DIL_H(DIL_H), .DIL_W(DIL_W), .PAD_TOP(PAD_TOP), .PAD_LEFT(PAD_LEFT),
        .SLICES(SLICES), .MP(MP), .DEPTHWISE(DEPTHWISE), .ROWS_PAR(ROWS_PAR),
        .RING_ROWS(RING_ROWS), .BLOCK(BLOCK), .PAD_VALUE(2)
    ) u_dut (
        .clk(clk), .rst(rst), .en(en), .s_act_data(s_data), .s_act_valid(s_valid),
        .s_act_ready(s_ready), .step(step), .m_pre(m_pre), .m_valid(m_valid), .m_first(m_first),
        .m_last(m_last), .m_data(m_data)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));

    (* anyconst *) wire [2:0] mark_y;
    (* anyconst *) wire [2:0] mark_x;
    (* anyconst *) wire [2:0] mark_c;
    (* anyconst *) wire [1:0] mark_frame;

    // ---- the input's coordinates ---------------------------------------------------------------
    reg [2:0] in_y, in_x, in_b;
    reg [1:0] in_frame;
    always @(posedge clk) begin
        if (take_in) begin
            in_b <= (in_b == IN_BEATS - 1) ? 0 : in_b + 1'b1;
            if (in_b == IN_BEATS - 1) begin
                in_x <= (in_x == IN_W - 1) ? 0 : in_x + 1'b1;
                if (in_x == IN_W - 1) begin
                    in_y <= (in_y == IN_H - 1) ? 0 : in_y + 1'b1;
                    if (in_y == IN_H - 1) in_frame <= in_frame + 1'b1;
                end
            end
        end
        if (rst) begin
            in_b     <= 0;
            in_x     <= 0;
            in_y     <= 0;
            in_frame <= 0;
        end
    end
    genvar i, r;
    generate
        for (i = 0; i < S_LANES; i = i + 1) begin : g_in
            assign s_data[i*8 +: 8] = in_y == mark_y && in_x == mark_x && in_frame == mark_frame
                                   && in_b * S_LANES + i == mark_c;
        end
    endgenerate

    // ---- the output's coordinates: oy, ox, (slice, m or word), ky, kx, word -----------------------
    reg  [2:0] oy, ox, pass, m, ky, kx, j;
    reg  [1:0] out_frame;
    wire       take   = m_valid && en;
    wire       j_end  = (j == PASS_WORDS - 1);
    wire       kx_end = j_end && (kx == KERNEL_W - 1);
    wire       ky_end = kx_end && (ky == KY_STEPS - 1);
    wire       m_end  = ky_end && (m == MP - 1);
    wire       p_end  = m_end && (pass == PASSES - 1);
    wire       ox_end = p_end && (ox == OUT_W - 1);
    wire       oy_end = ox_end && (oy == OUT_H - 1);
    always @(posedge clk) begin
        if (take) begin
            j <= j_end ? 0 : j + 1'b1;
            if (j_end) kx <= kx_end ? 0 : kx + 1'b1;
            if (kx_end) ky <= ky_end ? 0 : ky + 1'b1;
            if (ky_end) m <= m_end ? 0 : m + 1'b1;
            if (m_end) pass <= p_end ? 0 : pass + 1'b1;
            if (p_end) ox <= ox_end ? 0 : ox + 1'b1;
            if (ox_end) oy <= oy_end ? 0 : oy + 1'b1;
            if (oy_end) out_frame <= out_frame + 1'b1;
        end
        if (rst) begin
            j         <= 0;
            kx        <= 0;
            ky        <= 0;
            m         <= 0;
            pass      <= 0;
            ox        <= 0;
            oy        <= 0;
            out_frame <= 0;
        end
    end
    wire signed [7:0] x = $signed({5'd0, ox}) * STRIDE_W - PAD_LEFT + $signed({5'd0, kx}) * DIL_W;
    always @* if (!rst && m_valid) begin
        assert (m_first == (j == 0 && kx == 0 && ky == 0));
        assert (m_last == ky_end);
    end
    generate
        for (r = 0; r < ROWS_PAR; r = r + 1) begin : g_row
            wire signed [7:0] y = $signed({5'd0, oy}) * STRIDE_H - PAD_TOP
                                + $signed({5'd0, ky}) * (ROWS_PAR * DIL_H) + r * DIL_H;
            wire inside = y >= 0 && y < IN_H && x >= 0 && x < IN_W;
            for (i = 0; i < WORD; i = i + 1) begin : g_element
                wire [7:0] in_slice = ((DEPTHWISE != 0) ? pass : j) * WORD + i;
                wire [7:0] c = in_slice + ((DEPTHWISE != 0) ? 0 : pass * SLICE_C);
                wire       marked = inside && in_slice < SLICE_C && out_frame == mark_frame
                                 && y == $signed({5'd0, mark_y}) && x == $signed({5'd0, mark_x})
                                 && c == mark_c;
                always @* if (!rst && m_valid)
                    assert (m_data[(r*WORD+i)*8 +: 8] == (!inside ? 8'd2 : marked ? 8'd1 : 8'd0));
            end
        end
    endgenerate
endmodule
`default_nettype wire

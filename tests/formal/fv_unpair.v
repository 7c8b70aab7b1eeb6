// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_unpair: words come for both pixels of a pair in turn, and each pixel's beats leave behind one
// another, pixel 0's first, in the order in which they came; lanes beyond CHANNELS leave as 0. The beats of pixel 0 and
// those of pixel 1 are followed apart.
`default_nettype none
module fv_unpair #(
    parameter LANES    = 1,
    parameter CHANNELS = 3,
    parameter WORD     = 1,
    parameter OUT_W    = 2,
    parameter MOST     = 8,
    parameter USED     = 2   // bits of an element that are free, the others are 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  pick_0,
    input wire                  pick_1,
    input wire [LANES*USED-1:0] s_bits,
    input wire                  s_valid,
    input wire                  m_ready
);
    localparam BEATS      = (CHANNELS + LANES - 1) / LANES;
    localparam WORD_BEATS = WORD / LANES;
    wire [LANES*8-1:0] s_data, m_data, word_0, word_1;
    wire               s_ready, m_valid, here_0, here_1;
    wire               take_in = s_valid && s_ready;
    wire               take    = m_valid && m_ready;
    aihls_unpair #(.LANES(LANES), .CHANNELS(CHANNELS), .WORD(WORD), .OUT_W(OUT_W)) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(LANES*8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // in: beat of the word, first beat of the word, pixel of the pair, pair of the row
    reg  [3:0] in_beat, in_from, in_x;
    reg        in_second;
    wire       in_alone  = (in_x == OUT_W - 1) && !in_second;
    wire       word_end  = (in_beat == WORD_BEATS - 1) || (in_from + in_beat == BEATS - 1);
    wire       both_end  = word_end && (in_second || in_alone);
    wire       pair_end  = both_end && (in_from + in_beat == BEATS - 1);
    // out: beat of the pixel, pixel of the row
    reg  [3:0] out_beat, out_x;
    wire       pixel_end = (out_beat == BEATS - 1);
    wire       second    = out_x[0];
    always @(posedge clk) begin
        if (take_in) begin
            in_beat <= word_end ? 0 : in_beat + 1'b1;
            if (word_end) in_second <= !in_second && !in_alone;
            if (both_end) in_from <= pair_end ? 0 : in_from + WORD_BEATS;
            if (pair_end) in_x <= (in_x + 2 >= OUT_W) ? 0 : in_x + 2;
        end
        if (take) begin
            out_beat <= pixel_end ? 0 : out_beat + 1'b1;
            if (pixel_end) out_x <= (out_x == OUT_W - 1) ? 0 : out_x + 1'b1;
        end
        if (rst) begin
            in_beat   <= 0;
            in_from   <= 0;
            in_x      <= 0;
            in_second <= 0;
            out_beat  <= 0;
            out_x     <= 0;
        end
    end
    fv_order #(.WIDTH(LANES*8), .MOST(MOST)) u_order_0 (
        .clk(clk), .rst(rst), .pick(pick_0), .in_take(take_in && !in_second), .in_data(s_data),
        .out_valid(m_valid && !second), .out_take(take && !second), .here(here_0), .word(word_0), .held()
    );
    fv_order #(.WIDTH(LANES*8), .MOST(MOST)) u_order_1 (
        .clk(clk), .rst(rst), .pick(pick_1), .in_take(take_in && in_second), .in_data(s_data),
        .out_valid(m_valid && second), .out_take(take && second), .here(here_1), .word(word_1), .held()
    );
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire       none = (out_beat * LANES + i >= CHANNELS);
            wire [7:0] want = none ? 8'd0 : second ? word_1[i*8 +: 8] : word_0[i*8 +: 8];
            assign s_data[i*8 +: 8] = {{8{1'b0}}, s_bits[i*USED +: USED]};
            always @* if (!rst && m_valid && (second ? here_1 : here_0)) assert (m_data[i*8 +: 8] == want);
        end
    endgenerate
endmodule
`default_nettype wire

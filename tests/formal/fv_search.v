// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_search: beat n of the output is, lane by lane, how many thresholds beat n of the input reaches,
// less 128. Threshold k is k / 32 (+ 1 in odd lanes), so that a sum s reaches 32 * (s + 1) - 1 of them (32 * s - 1).
`default_nettype none
module fv_search #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter SUM_W    = 5,
    parameter USED     = 3   // bits of a sum that are free, the others are 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  pick,
    input wire [LANES*USED-1:0] s_bits,
    input wire                  s_valid,
    input wire                  m_ready
);
    localparam BEATS = (CHANNELS + LANES - 1) / LANES;
    wire [LANES*SUM_W-1:0]   s_data;
    wire [LANES*USED-1:0]    word;
    wire [LANES*8-1:0]       m_data;
    wire [LANES*29-1:0]      t_addr;
    reg  [LANES*8*SUM_W-1:0] t_data;
    wire                     s_ready, m_valid, t_en, here;
    wire                     take = m_valid && m_ready;
    reg  [7:0]               beat_q;
    always @(posedge clk) begin
        if (take) beat_q <= (beat_q == BEATS - 1) ? 0 : beat_q + 1'b1;
        if (rst) beat_q <= 0;
    end
    aihls_search #(.LANES(LANES), .CHANNELS(CHANNELS), .SUM_W(SUM_W)) u_dut (
        .clk(clk), .rst(rst), .s_sum_data(s_data), .s_sum_valid(s_valid && !rst), .s_sum_ready(s_ready),
        .t_en(t_en), .t_addr(t_addr), .t_data(t_data), .m_act_data(m_data), .m_act_valid(m_valid),
        .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_hold #(.WIDTH(LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(LANES*USED), .MOST(17), .WAIT(16)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready && !rst), .in_data(s_bits),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    genvar l, j;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            wire [8:0] sum     = word[l*USED +: USED];
            wire [8:0] reached = (sum + 1 - l % 2) * 32;
            wire [7:0] want    = (reached == 0) ? 8'd0 : (reached > 255) ? 8'd255 : reached - 1'b1;
            assign s_data[l*SUM_W +: SUM_W] = {{SUM_W{1'b0}}, s_bits[l*USED +: USED]};
            for (j = 0; j < 8; j = j + 1) begin : g_level
                localparam AT = l * 29 + ((j == 0) ? 0 : 1 + j * (j - 1) / 2);
                wire [7:0] found = (j == 0) ? 8'd0 : t_addr[AT +: ((j == 0) ? 1 : j)];
                wire [7:0] k     = (found << (8 - j)) + (8'd128 >> j);
                always @(posedge clk) if (t_en) t_data[(l*8+j)*SUM_W +: SUM_W] <= k[7:5] + l % 2;
            end
            always @* if (!rst && m_valid && here)
                assert (m_data[l*8 +: 8] == ((beat_q * LANES + l < CHANNELS) ? want ^ 8'h80 : 8'd0));
        end
    endgenerate
endmodule
`default_nettype wire

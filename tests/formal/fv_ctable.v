// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_ctable with tables that differ by channel, x ^ (8'h5a + 3 * channel): beat n of the output is,
// lane by lane, the answer of its channel's table to beat n of the input.
`default_nettype none
module fv_ctable #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter USED     = 8   // bits of an element that are free, the others are 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  pick,
    input wire [LANES*USED-1:0] s_bits,
    input wire                  s_valid,
    input wire                  m_ready
);
    localparam BEATS  = (CHANNELS + LANES - 1) / LANES;
    localparam ADDR_W = 8 + $clog2(BEATS);
    wire [LANES*8-1:0]      s_data, m_data, word;
    wire [LANES*ADDR_W-1:0] t_addr;
    reg  [LANES*8-1:0]      t_data;
    wire                    s_ready, m_valid, t_en, here;
    wire                    take = m_valid && m_ready;
    reg  [7:0]              beat_q;
    always @(posedge clk) begin
        if (take) beat_q <= (beat_q == BEATS - 1) ? 0 : beat_q + 1'b1;
        if (rst) beat_q <= 0;
    end
    aihls_ctable #(.LANES(LANES), .CHANNELS(CHANNELS)) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .t_en(t_en), .t_addr(t_addr), .t_data(t_data), .m_act_data(m_data), .m_act_valid(m_valid),
        .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(LANES*8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(LANES*8), .MOST(3), .WAIT(1)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready), .in_data(s_data),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [ADDR_W-1:0] at      = t_addr[i*ADDR_W +: ADDR_W];
            wire [7:0]        asked   = (at >> 8) * LANES + i;
            wire [7:0]        channel = beat_q * LANES + i;
            wire [7:0]        want    = (channel < CHANNELS) ? word[i*8 +: 8] ^ (8'h5a + 3 * channel) : 8'd0;
            assign s_data[i*8 +: 8] = {{8{1'b0}}, s_bits[i*USED +: USED]};
            always @(posedge clk) if (t_en) t_data[i*8 +: 8] <= at[7:0] ^ (8'h5a + 3 * asked);
            always @* if (!rst && m_valid && here) assert (m_data[i*8 +: 8] == want);
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_narrow: every input beat leaves as its parts, lowest first; the parts of a
// pixel's last beat that hold no channel do not.
`default_nettype none
module fv_narrow #(
    parameter S_LANES  = 4,
    parameter M_LANES  = 2,
    parameter CHANNELS = 6,
    parameter USED     = 8   // bits of an element that are free, the others are 0
) (
    input wire                    clk,
    input wire                    rst,
    input wire                    pick,
    input wire [S_LANES*USED-1:0] s_bits,
    input wire                    s_valid,
    input wire                    m_ready
);
    localparam PARTS     = S_LANES / M_LANES;
    localparam OUT_BEATS = (CHANNELS + M_LANES - 1) / M_LANES;
    localparam PART_W    = $clog2(PARTS + 1);
    localparam OUT_W     = $clog2(OUT_BEATS + 1);
    wire [S_LANES*8-1:0] s_data, word;
    wire [M_LANES*8-1:0] m_data;
    wire                 s_ready, m_valid, here;
    wire                 take = m_valid && m_ready;
    genvar i;
    generate
        for (i = 0; i < S_LANES; i = i + 1) begin : g_element
            assign s_data[i*8 +: 8] = {{8{1'b0}}, s_bits[i*USED +: USED]};
        end
    endgenerate
    aihls_narrow #(.S_LANES(S_LANES), .M_LANES(M_LANES), .CHANNELS(CHANNELS)) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(S_LANES*8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(M_LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    reg  [PART_W-1:0] part_q;   // of the beat
    reg  [OUT_W-1:0]  out_q;    // output beats of the pixel
    wire              pixel_end = (out_q == OUT_BEATS - 1);
    wire              beat_end  = pixel_end || (part_q == PARTS - 1);
    always @(posedge clk) begin
        if (take) part_q <= beat_end ? 0 : part_q + 1'b1;
        if (take) out_q <= pixel_end ? 0 : out_q + 1'b1;
        if (rst) begin
            part_q <= 0;
            out_q  <= 0;
        end
    end
    fv_order #(.WIDTH(S_LANES*8), .MOST(2)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready), .in_data(s_data),
        .out_valid(m_valid), .out_take(take && beat_end), .here(here), .word(word), .held()
    );
    always @* if (!rst && m_valid && here) assert (m_data == word[part_q*M_LANES*8 +: M_LANES*8]);
endmodule
`default_nettype wire

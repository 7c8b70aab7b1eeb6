// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_widen: output beat n is the PARTS input beats from n * PARTS on, the first lowest.
`default_nettype none
module fv_widen #(
    parameter S_LANES = 1,
    parameter PARTS   = 2,
    parameter USED    = 8   // bits of an element that are free, the others are 0
) (
    input wire                    clk,
    input wire                    rst,
    input wire                    pick,
    input wire [S_LANES*USED-1:0] s_bits,
    input wire                    s_valid,
    input wire                    m_ready
);
    localparam M_LANES = S_LANES * PARTS;
    wire [S_LANES*8-1:0] s_data;
    wire [M_LANES*8-1:0] m_data, word;
    wire                 s_ready, m_valid, here;
    wire                 take_in = s_valid && s_ready;
    wire                 take    = m_valid && m_ready;
    genvar i;
    generate
        for (i = 0; i < S_LANES; i = i + 1) begin : g_element
            assign s_data[i*8 +: 8] = {{8{1'b0}}, s_bits[i*USED +: USED]};
        end
    endgenerate
    reg  [7:0]           part_q;
    reg  [M_LANES*8-1:0] beat_q;   // its parts so far, from the bottom up
    wire [M_LANES*8-1:0] beat_d = beat_q | ({{M_LANES*8{1'b0}}, s_data} << (part_q * S_LANES * 8));
    wire                 whole  = (part_q == PARTS - 1);
    always @(posedge clk) begin
        if (take_in) begin
            part_q <= whole ? 0 : part_q + 1'b1;
            beat_q <= whole ? 0 : beat_d;
        end
        if (rst) begin
            part_q <= 0;
            beat_q <= 0;
        end
    end
    aihls_widen #(.S_LANES(S_LANES), .M_LANES(M_LANES)) u_dut (
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
    fv_order #(.WIDTH(M_LANES*8), .MOST(2), .WAIT(1)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(take_in && whole), .in_data(beat_d),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    always @* if (!rst && m_valid && here) assert (m_data == word);
endmodule
`default_nettype wire

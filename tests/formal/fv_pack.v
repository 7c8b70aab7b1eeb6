// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_pack: a word is written with its last beat (or its slice's), holds its
// beats in order, and zeros where the slice has ended.
`default_nettype none
module fv_pack #(
    parameter S_LANES = 1,
    parameter WORD    = 4,
    parameter SLICE_C = 6
) (
    input wire                 clk,
    input wire                 rst,
    input wire [S_LANES*8-1:0] s_data,
    input wire                 s_take
);
    localparam PARTS = WORD / S_LANES;
    localparam BEATS = (SLICE_C + S_LANES - 1) / S_LANES;
    localparam BIT   = S_LANES * 8;
    wire              m_write;
    wire [WORD*8-1:0] m_data;
    aihls_pack #(.S_LANES(S_LANES), .WORD(WORD), .SLICE_C(SLICE_C)) u_dut (
        .clk(clk), .rst(rst), .s_data(s_data), .s_take(s_take), .m_write(m_write), .m_data(m_data)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    reg  [7:0]        beat_q;           // of the slice
    reg  [WORD*8-1:0] word_q;
    wire [7:0]        part = beat_q % PARTS;
    wire              last = (beat_q == BEATS - 1);
    wire [WORD*8-1:0] word = word_q | ({{(WORD*8){1'b0}}, s_data} << (part * BIT));
    always @(posedge clk) begin
        if (s_take) beat_q <= last ? 0 : beat_q + 1'b1;
        if (s_take) word_q <= (last || part == PARTS - 1) ? 0 : word;
        if (rst) begin
            beat_q <= 0;
            word_q <= 0;
        end
    end
    always @* if (!rst) begin
        assert (m_write == (s_take && (last || part == PARTS - 1)));
        if (m_write) assert (m_data == word);
    end
endmodule
`default_nettype wire

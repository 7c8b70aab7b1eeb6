// SPDX-License-Identifier: Apache-2.0
// aihls_table: any function of a byte: one 256-entry table (FILE, a line of two hex digits
// per entry, index = the byte as unsigned) copied to each lane.
// Latency 2 cycles, one beat per cycle. The input queue holds two beats, so that no ready
// path goes through. Lanes beyond CHANNELS in a pixel's last beat give 0.
// Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_table #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter FILE     = ""
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [LANES*8-1:0] s_act_data,
    input  wire               s_act_valid,
    output wire               s_act_ready,
    output wire [LANES*8-1:0] m_act_data,
    output wire               m_act_valid,
    input  wire               m_act_ready
);
    wire [LANES*8-1:0] beat;
    wire               beat_valid;
    reg                m_valid_q;
    reg  [LANES-1:0]   keep_q;
    wire [LANES-1:0]   keep;
    wire               en   = !m_valid_q || m_act_ready;
    wire               busy = beat_valid && en;

    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_queue (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_act_data), .s_valid(s_act_valid),
        .s_ready(s_act_ready), .m_data(beat), .m_valid(beat_valid), .m_ready(en)
    );
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(busy), .keep(keep)
    );
    always @(posedge clk) begin
        if (en) begin
            keep_q    <= keep;
            m_valid_q <= beat_valid;
        end
        if (rst) m_valid_q <= 1'b0;
    end
    assign m_act_valid = m_valid_q;

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [7:0] entry;
            aihls_rom #(.WIDTH(8), .DEPTH(256), .FILE(FILE), .BLOCK(0)) u_rom (
                .clk(clk), .en(en), .addr(beat[i*8 +: 8]), .data(entry)
            );
            assign m_act_data[i*8 +: 8] = keep_q[i] ? entry : 8'd0;
        end
    endgenerate
endmodule
`default_nettype wire

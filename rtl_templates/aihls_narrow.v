// SPDX-License-Identifier: Apache-2.0
// aihls_narrow: stream of S_LANES elements per beat to M_LANES per beat, pixel by pixel.
// A pixel of CHANNELS elements leaves in ceil(CHANNELS / M_LANES) beats: the parts of its
// last input beat that hold no channel are dropped. Latency 1 cycle, throughput 1 output
// beat/cycle. Two input beats are held, so that no ready path goes through.
// Reset: drops the beats held, starts at a pixel.
`default_nettype none
module aihls_narrow #(
    parameter S_LANES  = 8,
    parameter M_LANES  = 2,
    parameter CHANNELS = 8
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [S_LANES*8-1:0] s_act_data,
    input  wire                 s_act_valid,
    output wire                 s_act_ready,
    output wire [M_LANES*8-1:0] m_act_data,
    output wire                 m_act_valid,
    input  wire                 m_act_ready
);
    localparam PARTS     = S_LANES / M_LANES;
    localparam OUT_BEATS = (CHANNELS + M_LANES - 1) / M_LANES;
    localparam PART_W    = (PARTS <= 2) ? 1 : $clog2(PARTS);
    localparam integer   TOP = PARTS - 1;
    localparam [PART_W-1:0] LAST_PART = TOP[PART_W-1:0];

    wire [S_LANES*8-1:0] beat;
    wire                 take      = m_act_valid && m_act_ready;
    wire                 pixel_end;
    reg  [PART_W-1:0]    part_q;
    wire                 beat_end  = pixel_end || (part_q == LAST_PART);

    aihls_fifo #(.WIDTH(S_LANES*8), .DEPTH(2), .BLOCK(0)) u_hold (
        .clk(clk), .rst(rst), .stall(1'b0),
        .s_data(s_act_data), .s_valid(s_act_valid), .s_ready(s_act_ready),
        .m_data(beat), .m_valid(m_act_valid), .m_ready(m_act_ready && beat_end)
    );
    aihls_count #(.N(OUT_BEATS)) u_beats (.clk(clk), .rst(rst), .en(take), .last(pixel_end));

    always @(posedge clk) begin
        if (take) part_q <= beat_end ? {PART_W{1'b0}} : part_q + {{(PART_W-1){1'b0}}, 1'b1};
        if (rst) part_q <= {PART_W{1'b0}};
    end

    generate
        if (S_LANES % M_LANES != 0) begin : g_check
            aihls_error_M_LANES_must_divide_S_LANES u_error ();
        end
        if (PARTS == 1) begin : g_same
            assign m_act_data = beat;
        end else begin : g_pick
            aihls_pick #(.WIDTH(M_LANES*8), .N(PARTS)) u_pick (
                .data(beat), .sel(part_q), .out(m_act_data)
            );
        end
    endgenerate
endmodule
`default_nettype wire

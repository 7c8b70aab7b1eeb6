// SPDX-License-Identifier: Apache-2.0
// aihls_widen: stream of S_LANES elements per beat to M_LANES per beat, the reverse of aihls_narrow. M_LANES divides
// the channels of a pixel, so that a beat never holds parts of two pixels. Latency 1 cycle from the last part,
// throughput 1 input beat/cycle. Two output beats are held, so that no ready path goes through.
// Reset: drops the parts and beats held.
`default_nettype none
module aihls_widen #(
    parameter S_LANES = 2,
    parameter M_LANES = 8
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
    localparam PARTS  = M_LANES / S_LANES;
    localparam PART_W = S_LANES * 8;

    wire               room;
    wire               last;
    wire               take = s_act_valid && s_act_ready;
    reg  [(PARTS-1)*PART_W-1:0] parts_q;

    assign s_act_ready = room;

    generate
        if (M_LANES % S_LANES != 0 || PARTS < 2) begin : g_check
            aihls_error_M_LANES_must_be_a_multiple_of_S_LANES u_error ();
        end
        if (PARTS == 2) begin : g_two
            always @(posedge clk) if (take && !last) parts_q <= s_act_data;
        end else begin : g_shift
            always @(posedge clk)
                if (take && !last) parts_q <= {s_act_data, parts_q[(PARTS-1)*PART_W-1:PART_W]};
        end
    endgenerate

    aihls_count #(.N(PARTS)) u_parts (.clk(clk), .rst(rst), .en(take), .last(last));
    aihls_fifo #(.WIDTH(M_LANES*8), .DEPTH(2), .BLOCK(0)) u_hold (
        .clk(clk), .rst(rst), .stall(1'b0),
        .s_data({s_act_data, parts_q}), .s_valid(s_act_valid && last), .s_ready(room),
        .m_data(m_act_data), .m_valid(m_act_valid), .m_ready(m_act_ready)
    );
endmodule
`default_nettype wire

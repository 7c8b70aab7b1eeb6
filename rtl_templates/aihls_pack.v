// SPDX-License-Identifier: Apache-2.0
// aihls_pack: assembles beats of S_LANES elements into words of WORD elements. A slice of
// SLICE_C channels starts a word; elements that its last word lacks are zero.
// m_write and m_data are combinational from the beat taken (s_take): no latency.
// Reset: drops the beats of an incomplete word, starts at a slice.
`default_nettype none
module aihls_pack #(
    parameter S_LANES = 1,
    parameter WORD    = 4,
    parameter SLICE_C = 4
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [S_LANES*8-1:0] s_data,
    input  wire                 s_take,
    output wire                 m_write,
    output wire [WORD*8-1:0]    m_data
);
    localparam PARTS  = WORD / S_LANES;
    localparam BEATS  = (SLICE_C + S_LANES - 1) / S_LANES;
    localparam PART_W = S_LANES * 8;

    genvar i;
    generate
        if (WORD % S_LANES != 0) begin : g_check
            aihls_error_S_LANES_must_divide_WORD u_error ();
        end
        if (PARTS == 1) begin : g_same
            wire unused_ok = &{1'b0, clk, rst, BEATS[0]};
            assign m_write = s_take;
            assign m_data  = s_data;
        end else begin : g_assemble
            // part_q is one-hot: a beat has no decoder before the memory.
            wire             slice_last;
            reg  [PARTS-1:0] part_q;
            wire             word_last = slice_last || part_q[PARTS-1];
            assign m_write = s_take && word_last;
            aihls_count #(.N(BEATS)) u_beats (
                .clk(clk), .rst(rst), .en(s_take), .last(slice_last)
            );
            always @(posedge clk) begin
                if (s_take) part_q <= word_last ? {{(PARTS-1){1'b0}}, 1'b1}
                                                : {part_q[PARTS-2:0], 1'b0};
                if (rst) part_q <= {{(PARTS-1){1'b0}}, 1'b1};
            end
            for (i = 0; i < PARTS; i = i + 1) begin : g_part
                if (i < PARTS - 1) begin : g_keep
                    reg [PART_W-1:0] keep_q;
                    always @(posedge clk) begin
                        if (s_take && part_q[i]) keep_q <= s_data;
                        if (rst || m_write) keep_q <= {PART_W{1'b0}};
                    end
                    assign m_data[i*PART_W +: PART_W] = part_q[i] ? s_data : keep_q;
                end else begin : g_top
                    assign m_data[i*PART_W +: PART_W] = part_q[i] ? s_data : {PART_W{1'b0}};
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire

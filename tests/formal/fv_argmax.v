// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_argmax: byte n of the output is the channel of the largest element of input pixel n, less OFFSET,
// found one element after the other. The upper USED bits of an element are free, so that the least, -128, is among them.
`default_nettype none
module fv_argmax #(
    parameter LANES    = 1,
    parameter CHANNELS = 3,
    parameter OFFSET   = 0,
    parameter LAST     = 0,
    parameter USED     = 2
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  pick,
    input wire [LANES*USED-1:0] s_bits,
    input wire                  s_valid,
    input wire                  m_ready
);
    localparam BEATS = (CHANNELS + LANES - 1) / LANES;
    wire [LANES*8-1:0] s_data;
    wire [7:0]         m_data, word;
    wire               s_ready, m_valid, here;
    wire               take_in = s_valid && s_ready;
    wire               take    = m_valid && m_ready;
    aihls_argmax #(.LANES(LANES), .CHANNELS(CHANNELS), .OFFSET(OFFSET), .LAST(LAST)) u_dut (
        .clk(clk), .rst(rst), .s_act_data(s_data), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(LANES*8)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // The pixel so far: its largest element and where it was.
    reg         [7:0] beat_q, best_q;
    reg signed  [7:0] most_q;
    wire              pixel_end = (beat_q == BEATS - 1);
    wire        [7:0] best;
    genvar i;
    generate
        for (i = 0; i <= LANES; i = i + 1) begin : g_lane
            wire        [7:0] at;
            wire signed [7:0] most;
            if (i == 0) begin : g_before
                assign at   = best_q;
                assign most = most_q;
            end else begin : g_after
                wire signed [7:0] x = s_data[(i-1)*8 +: 8];
                wire        [7:0] channel = beat_q * LANES + i - 1;
                wire larger = (channel == 0) || x > g_lane[i-1].most || (LAST != 0 && x == g_lane[i-1].most);
                wire better = (channel < CHANNELS) && larger;
                assign at   = better ? channel : g_lane[i-1].at;
                assign most = better ? x : g_lane[i-1].most;
                assign s_data[(i-1)*8 +: 8] =
                    {s_bits[(i-1)*USED +: USED], {(8-USED){1'b0}}};
            end
        end
    endgenerate
    assign best = g_lane[LANES].at;
    always @(posedge clk) begin
        if (take_in) begin
            beat_q <= pixel_end ? 0 : beat_q + 1'b1;
            best_q <= best;
            most_q <= g_lane[LANES].most;
        end
        if (rst) beat_q <= 0;
    end
    fv_order #(.WIDTH(8), .MOST(8), .WAIT(2 + $clog2(LANES))) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(take_in && pixel_end), .in_data(best),
        .out_valid(m_valid), .out_take(take), .here(here), .word(word), .held()
    );
    wire [7:0] want = word - OFFSET;
    always @* if (!rst && m_valid && here) assert (m_data == want);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_round: y = clamp(ZERO_POINT + round-half-even(v), CLAMP_LO, CLAMP_HI), where v is the
// signed word `floor`, plus one half when `half`, plus something less when `sticky`.
// Latency 2 enabled cycles, throughput 1/cycle. No reset.
`default_nettype none
module aihls_round #(
    parameter FLOOR_W    = 24,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127
) (
    input  wire               clk,
    input  wire               en,
    input  wire [FLOOR_W-1:0] floor,
    input  wire               half,
    input  wire               sticky,
    output wire [7:0]         y
);
    // Nine bits and a sign decide: beyond +-510 every zero point saturates.
    localparam WIDE_W = (FLOOR_W < 11) ? 11 : FLOOR_W;
    localparam signed [11:0] ZERO = ZERO_POINT[11:0];
    localparam signed [11:0] LOW  = CLAMP_LO[11:0];
    localparam signed [11:0] HIGH = CLAMP_HI[11:0];
    localparam signed [11:0] LEAST = LOW - ZERO;   // what is clamped is known beside the sum, not behind it
    localparam signed [11:0] MOST  = HIGH - ZERO;
    wire [WIDE_W-1:0]  wide;
    wire               fits = (&wide[WIDE_W-1:9]) || !(|wide[WIDE_W-1:9]);
    reg  signed [11:0] near_q;
    wire [7:0]         sum = near_q[7:0] + ZERO[7:0];
    reg  [7:0]         y_q;

    aihls_resize #(.IN_W(FLOOR_W), .OUT_W(WIDE_W)) u_wide (.d(floor), .q(wide));
    always @(posedge clk) begin
        if (en) begin
            near_q <= fits ? $signed({{2{wide[9]}}, wide[9:0]})
                             + $signed({11'd0, half && (sticky || floor[0])})
                           : (wide[WIDE_W-1] ? -12'sd512 : 12'sd511);
            y_q    <= (near_q < LEAST) ? LOW[7:0] : (near_q > MOST) ? HIGH[7:0] : sum;
        end
    end
    assign y = y_q;
endmodule
`default_nettype wire

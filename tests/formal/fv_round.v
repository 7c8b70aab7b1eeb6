// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_round: for every floor, half and sticky, y is the clamped value rounded
// half to even, two cycles later.
`default_nettype none
module fv_round #(
    parameter FLOOR_W    = 24,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127
) (
    input wire               clk,
    input wire [FLOOR_W-1:0] floor,
    input wire               half,
    input wire               sticky
);
    wire [7:0] y;
    aihls_round #(
        .FLOOR_W(FLOOR_W), .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI)
    ) u_dut (.clk(clk), .en(1'b1), .floor(floor), .half(half), .sticky(sticky), .y(y));
    // above the half: up; at it: to the even neighbour
    wire signed [63:0] low  = {{64{floor[FLOOR_W-1]}}, floor};
    wire signed [63:0] near = !half ? low : sticky ? low + 64'sd1 : low[0] ? low + 64'sd1 : low;
    wire signed [63:0] sum  = near + ZERO_POINT;
    wire signed [63:0] want = (sum < CLAMP_LO) ? CLAMP_LO : (sum > CLAMP_HI) ? CLAMP_HI : sum;
    reg  [7:0]         want1_q, want2_q;
    reg  [1:0]         age_q = 2'd0;
    always @(posedge clk) begin
        want1_q <= want[7:0];
        want2_q <= want1_q;
        if (age_q != 2'd2) age_q <= age_q + 1'b1;
    end
    always @* if (age_q == 2'd2) assert (y == want2_q);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_rqlane at every rate: y = clamp(ZERO_POINT + RNE((acc + bias) * mult * 2^-shift)) for every
// accumulator and parameter, with results RQ_CYCLES cycles apart or more. Any one result is followed; whatever
// the lane did before is its arbitrary state.
`default_nettype none
module fv_rqlane #(
    parameter ACC_W      = 4,
    parameter BIAS_W     = 4,
    parameter MULT_W     = 24,
    parameter SHIFT_W    = 2,
    parameter SHIFT_MIN  = 20,
    parameter RQ_CYCLES  = 1,
    parameter ZERO_POINT = -3,
    parameter CLAMP_LO   = -100,
    parameter CLAMP_HI   = 90
) (
    input wire                             clk,
    input wire                             pick,
    input wire                             accept,
    input wire [ACC_W-1:0]                 acc,
    input wire [SHIFT_W+MULT_W+BIAS_W-1:0] param
);
    localparam DIGIT_W = (MULT_W + RQ_CYCLES - 1) / RQ_CYCLES;
    localparam DIGITS  = (MULT_W + DIGIT_W - 1) / DIGIT_W;
    localparam LATENCY = 4 + 1 + $clog2((DIGIT_W + 3) / 4) + ((DIGITS > 1) ? DIGITS : 0) + (SHIFT_W + 1) / 2;
    reg  have_x0_q, load_q;
    wire [7:0] y;
    aihls_rqlane #(
        .ACC_W(ACC_W), .BIAS_W(BIAS_W), .MULT_W(MULT_W), .SHIFT_W(SHIFT_W), .SHIFT_MIN(SHIFT_MIN),
        .DIGIT_W(DIGIT_W), .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO), .CLAMP_HI(CLAMP_HI)
    ) u_dut (
        .clk(clk), .en(1'b1), .accept(accept), .have_x0(have_x0_q), .load(load_q), .acc(acc),
        .param(param), .y(y)
    );
    reg  [7:0]                       since_q;        // cycles since the last accept
    reg  [7:0]                       age_q = 8'd0;   // of the result that is followed; 0: none
    reg  [ACC_W-1:0]                 acc_q;
    reg  [SHIFT_W+MULT_W+BIAS_W-1:0] param_q;
    always @(posedge clk) begin
        have_x0_q <= accept;
        load_q    <= have_x0_q;
        since_q   <= accept ? 8'd1 : (since_q == 8'd255) ? since_q : since_q + 1'b1;
        if (accept && pick && age_q == 0) begin
            age_q <= 8'd1;
            acc_q <= acc;
        end else if (age_q != 0) begin
            age_q <= (age_q == LATENCY) ? 8'd0 : age_q + 1'b1;
        end
        if (age_q == 8'd1) param_q <= param;
    end
    always @* if (accept) assume (since_q >= RQ_CYCLES);
    localparam W = ((ACC_W > BIAS_W) ? ACC_W : BIAS_W) + MULT_W + 4;
    wire signed [W-1:0] x       = {{W{acc_q[ACC_W-1]}}, acc_q} + {{W{param_q[BIAS_W-1]}}, param_q[BIAS_W-1:0]};
    wire signed [W-1:0] mult    = param_q[BIAS_W +: MULT_W];
    wire signed [W-1:0] product = x * mult;
    wire [7:0]          shift   = ((SHIFT_W != 0) ? param_q >> (BIAS_W + MULT_W) : 0) + SHIFT_MIN;
    wire signed [W-1:0] floor   = product >>> shift;
    wire signed [W-1:0] left    = product - (floor <<< shift);
    wire signed [W-1:0] half    = {{(W-1){1'b0}}, 1'b1} << (shift - 8'd1);
    wire                up      = shift != 0 && (left > half || (left == half && floor[0]));
    wire signed [W+8:0] sum     = floor + $signed({1'b0, up}) + ZERO_POINT;
    wire signed [W+8:0] want    = (sum < CLAMP_LO) ? CLAMP_LO : (sum > CLAMP_HI) ? CLAMP_HI : sum;
    always @* if (age_q == LATENCY) assert (y == want[7:0]);
endmodule
`default_nettype wire

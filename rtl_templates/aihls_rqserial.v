// SPDX-License-Identifier: Apache-2.0
// aihls_rqserial: requantization of one sum, a bit of the multiplier a cycle:
// y = clamp(zero_point + RNE((sum + bias) * mult * 2^-shift), clamp_lo, clamp_hi).
//
// The product is never there as a whole: each step adds x where mult's lowest bit is set and moves the result down
// by a bit, whose two last bits suffice to round. Mult must be less than 2^(shift+1).
//
//   start      x <- sum + bias
//   shift + 1  p <- p + (mult[0] ? x : 0), halved but for the last; mult <- mult / 2
//   1          v <- p to 10 bits + rounding + zero_point
//   1          y <- clamp(v)
//
// Latency shift + 4 cycles from start to idle, which says that y holds the result; a start is taken only then. Everything but sum
// is read with start, zero_point and clamps up to two cycles before idle.
// Reset: idle.
`default_nettype none
module aihls_rqserial #(
    parameter SUM_W   = 32, // holds sum + bias
    parameter MULT_W  = 24,
    parameter SHIFT_W = 6
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               start,
    input  wire [SUM_W-1:0]   sum,
    input  wire [SUM_W-1:0]   bias,
    input  wire [MULT_W-1:0]  mult,
    input  wire [SHIFT_W-1:0] shift,
    input  wire [7:0]         zero_point,
    input  wire [7:0]         clamp_lo,
    input  wire [7:0]         clamp_hi,
    output wire               idle,
    output wire [7:0]         y
);
    localparam IDLE = 2'd0, STEP = 2'd1, ROUND = 2'd2, CLAMP = 2'd3;

    reg  [1:0]         state_q;
    reg  [SUM_W-1:0]   x_q;
    reg  [MULT_W-1:0]  mult_q;
    reg  [SHIFT_W-1:0] left_q;
    reg  [SUM_W:0]     p_q;
    reg                half_q, sticky_q;
    reg  [11:0]        v_q;
    reg  [7:0]         y_q;

    wire [SUM_W:0] term = {SUM_W+1{mult_q[0]}} & {x_q[SUM_W-1], x_q};
    wire [SUM_W:0] next = p_q + term;

    // What does not fit 10 bits is beyond both clamps whatever is added.
    wire        fits  = p_q[SUM_W:9] == {SUM_W-8{p_q[SUM_W]}};
    wire [9:0]  part  = fits ? p_q[9:0] : {p_q[SUM_W], {9{!p_q[SUM_W]}}};
    wire        up    = fits && half_q && (sticky_q || p_q[0]);
    wire [11:0] v     = {{2{part[9]}}, part} + {{4{zero_point[7]}}, zero_point} + {11'd0, up};
    wire        below = $signed(v_q) < $signed({{4{clamp_lo[7]}}, clamp_lo});
    wire        above = $signed(v_q) > $signed({{4{clamp_hi[7]}}, clamp_hi});

    always @(posedge clk) begin
        case (state_q)
            IDLE: if (start) begin
                state_q  <= STEP;
                x_q      <= sum + bias;
                mult_q   <= mult;
                left_q   <= shift;
                p_q      <= {SUM_W+1{1'b0}};
                half_q   <= 1'b0;
                sticky_q <= 1'b0;
            end
            STEP: begin
                mult_q <= mult_q >> 1;
                left_q <= left_q - 1'b1;
                if (left_q == {SHIFT_W{1'b0}}) begin
                    state_q <= ROUND;
                    p_q     <= next;
                end else begin
                    p_q      <= {next[SUM_W], next[SUM_W:1]};
                    half_q   <= next[0];
                    sticky_q <= sticky_q || half_q;
                end
            end
            ROUND: begin
                state_q <= CLAMP;
                v_q     <= v;
            end
            CLAMP: begin
                state_q <= IDLE;
                y_q     <= below ? clamp_lo : above ? clamp_hi : v_q[7:0];
            end
        endcase
        if (rst) state_q <= IDLE;
    end
    assign idle = state_q == IDLE;
    assign y    = y_q;
endmodule
`default_nettype wire

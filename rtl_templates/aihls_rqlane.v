// SPDX-License-Identifier: Apache-2.0
// aihls_rqlane: one lane of aihls_requant, which owns the control: bias, digit-serial
// multiplier, shift with sticky bit, rounding. Latencies as listed there. No reset.
`default_nettype none
module aihls_rqlane #(
    parameter ACC_W      = 24,
    parameter BIAS_W     = 24,
    parameter BIAS_FRAC  = 0,
    parameter MULT_W     = 24,
    parameter SHIFT_W    = 4,
    parameter SHIFT_MIN  = 24,
    parameter DIGIT_W    = 24,
    parameter USE_DSP    = 0,
    parameter TECH       = "GENERIC",
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127
) (
    input  wire                             clk,
    input  wire                             en,
    input  wire                             accept,   // acc is taken
    input  wire                             have_x0,  // one enabled cycle later: param is there
    input  wire                             load,     // one later: x and mult are there
    input  wire [ACC_W-1:0]                 acc,
    input  wire [SHIFT_W+MULT_W+BIAS_W-1:0] param,
    output wire [7:0]                       y
);
    localparam X_W     = ((ACC_W + BIAS_FRAC > BIAS_W) ? ACC_W + BIAS_FRAC : BIAS_W) + 1;
    localparam DIGITS  = (MULT_W + DIGIT_W - 1) / DIGIT_W;
    localparam MUL_LAT = (USE_DSP == 0) ? 1 + $clog2((DIGIT_W + 3) / 4) : (DIGIT_W <= 17) ? 4 : 5;
    localparam WAIT    = MUL_LAT + ((DIGITS > 1) ? DIGITS : 0);
    localparam PROD_W  = X_W + DIGITS * DIGIT_W;
    // value = product * 2^-(SHIFT_MIN-1): its lowest bit is the half; the rest is sticky.
    localparam VALUE_W = (PROD_W + 1 - SHIFT_MIN < 2) ? 2 : PROD_W + 1 - SHIFT_MIN;

    reg  [ACC_W-1:0] x0_q;
    reg  [X_W-1:0]   x_q;
    wire [X_W-1:0]   x0_wide, bias_wide;
    wire [PROD_W-1:0] product;

    aihls_resize #(.IN_W(ACC_W), .OUT_W(X_W)) u_x0 (.d(x0_q), .q(x0_wide));
    aihls_resize #(.IN_W(BIAS_W), .OUT_W(X_W)) u_bias (.d(param[BIAS_W-1:0]), .q(bias_wide));
    always @(posedge clk) begin
        if (en && accept) x0_q <= acc;
        if (en && have_x0) x_q <= (x0_wide << BIAS_FRAC) + bias_wide;
    end

    // ---- multiplier ----------------------------------------------------------------------
    generate
        if (DIGITS == 1) begin : g_parallel
            reg [MULT_W-1:0] mult_q;
            always @(posedge clk) if (en) mult_q <= param[BIAS_W +: MULT_W];
            aihls_scale #(
                .X_W(X_W), .M_W(MULT_W), .USE_DSP(USE_DSP), .TECH(TECH)
            ) u_scale (
                .clk(clk), .en(en), .x(x_q), .m(mult_q), .product(product)
            );
            wire unused_ok = &{1'b0, load};
        end else begin : g_serial
            // The digit leaves at the low end; partial products enter at the top of `high`
            // and shift down, so that an adder of X_W + DIGIT_W bits is all there is.
            localparam LOW_W = (DIGITS - 1) * DIGIT_W;
            reg  [DIGITS*DIGIT_W-1:0] mult_q;
            wire [X_W+DIGIT_W-1:0]    part;
            wire                      part_first;
            reg  [X_W+DIGIT_W-1:0]    high_q;
            reg  [LOW_W-1:0]          low_q;
            wire [DIGITS*DIGIT_W-1:0] mult_wide;
            wire [LOW_W+DIGIT_W-1:0]  low_next = {high_q[DIGIT_W-1:0], low_q};
            wire [X_W+DIGIT_W-1:0]    carried  = {{DIGIT_W{high_q[X_W+DIGIT_W-1]}},
                                                  high_q[X_W+DIGIT_W-1:DIGIT_W]};
            aihls_fit #(.IN_W(MULT_W), .OUT_W(DIGITS*DIGIT_W)) u_mult (
                .d(param[BIAS_W +: MULT_W]), .q(mult_wide)
            );
            aihls_scale #(
                .X_W(X_W), .M_W(DIGIT_W), .USE_DSP(USE_DSP), .TECH(TECH)
            ) u_scale (
                .clk(clk), .en(en), .x(x_q), .m(mult_q[DIGIT_W-1:0]), .product(part)
            );
            aihls_delay #(.WIDTH(1), .DELAY(MUL_LAT)) u_first (
                .clk(clk), .en(en), .d(load), .q(part_first)
            );
            always @(posedge clk) begin
                if (en) begin
                    mult_q <= have_x0 ? mult_wide
                                      : {{DIGIT_W{1'b0}}, mult_q[DIGITS*DIGIT_W-1:DIGIT_W]};
                    high_q <= part + (part_first ? {(X_W+DIGIT_W){1'b0}} : carried);
                    low_q  <= low_next[LOW_W+DIGIT_W-1:DIGIT_W];
                end
            end
            assign product = {high_q, low_q};
            wire unused_ok = &{1'b0, low_next[DIGIT_W-1:0]};
        end
    endgenerate

    // ---- shift -----------------------------------------------------------------------------
    wire [VALUE_W-1:0] value;
    wire               rest;
    wire [VALUE_W-1:0] shifted;
    wire               sticky;
    generate
        if (SHIFT_MIN == 0) begin : g_whole
            assign value = {product, 1'b0};
            assign rest  = 1'b0;
        end else if (SHIFT_MIN == 1) begin : g_half
            assign value = product;
            assign rest  = 1'b0;
        end else if (SHIFT_MIN - 1 < PROD_W) begin : g_cut
            aihls_resize #(.IN_W(PROD_W - SHIFT_MIN + 1), .OUT_W(VALUE_W)) u_value (
                .d(product[PROD_W-1:SHIFT_MIN-1]), .q(value)
            );
            assign rest = |product[SHIFT_MIN-2:0];
        end else begin : g_all
            assign value = {VALUE_W{product[PROD_W-1]}};
            assign rest  = |product;
        end
        if (SHIFT_W == 0) begin : g_fixed
            assign shifted = value;
            assign sticky  = rest;
        end else begin : g_shift
            wire [SHIFT_W-1:0] field;
            aihls_delay #(.WIDTH(SHIFT_W), .DELAY(WAIT + 1)) u_field (
                .clk(clk), .en(en), .d(param[BIAS_W+MULT_W +: SHIFT_W]), .q(field)
            );
            aihls_shift #(.WIDTH(VALUE_W), .SHIFT_W(SHIFT_W)) u_shift (
                .clk(clk), .en(en), .d(value), .rest(rest), .shift(field),
                .q(shifted), .sticky(sticky)
            );
        end
    endgenerate

    aihls_round #(
        .FLOOR_W(VALUE_W - 1), .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO),
        .CLAMP_HI(CLAMP_HI)
    ) u_round (
        .clk(clk), .en(en), .floor(shifted[VALUE_W-1:1]), .half(shifted[0]),
        .sticky(sticky), .y(y)
    );
endmodule
`default_nettype wire

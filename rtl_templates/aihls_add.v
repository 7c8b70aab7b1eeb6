// SPDX-License-Identifier: Apache-2.0
// aihls_add: residual addition of two streams, exact and rounded half to even once:
// y = clamp(ZERO_POINT + RNE(((a-A_ZP)*A_MULT + (b-B_ZP)*B_MULT) * 2^-SHIFT)).
// Everything is a constant, so a product is two 16-entry tables, one per half byte:
//
//   s_a -> queue -\  tables -> a product, b product -> sum -> round (2) -> m_act
//   s_b -> queue -/ (join)
//
// Latency 7 cycles, one beat per cycle, LUTs only. Both queues hold two beats, so that no
// ready path goes through. Lanes beyond CHANNELS in a pixel's last beat give 0.
// Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_add #(
    parameter LANES      = 1,
    parameter CHANNELS   = 1,
    parameter A_ZP       = 0,
    parameter B_ZP       = 0,
    parameter A_MULT     = 1,   // signed, at most 24 bits and a sign
    parameter B_MULT     = 1,
    parameter SHIFT      = 0,
    parameter ZERO_POINT = 0,
    parameter CLAMP_LO   = -128,
    parameter CLAMP_HI   = 127
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [LANES*8-1:0] s_a_data,
    input  wire               s_a_valid,
    output wire               s_a_ready,
    input  wire [LANES*8-1:0] s_b_data,
    input  wire               s_b_valid,
    output wire               s_b_ready,
    output wire [LANES*8-1:0] m_act_data,
    output wire               m_act_valid,
    input  wire               m_act_ready
);
    localparam A_SIZE  = (A_MULT < 0) ? -A_MULT : A_MULT;
    localparam B_SIZE  = (B_MULT < 0) ? -B_MULT : B_MULT;
    localparam MULT_W  = $clog2(((A_SIZE > B_SIZE) ? A_SIZE : B_SIZE) + 1);
    // (a - zp) has 9 bits and a sign bit in all, the sum one more.
    localparam SUM_W   = MULT_W + 11;
    localparam FULL_W  = (SUM_W < SHIFT + 2) ? SHIFT + 2 : SUM_W;
    localparam FLOOR_W = FULL_W - SHIFT;

    wire [LANES*8-1:0] a, b;
    wire               a_valid, b_valid;
    reg                m_valid_q;
    wire               en   = !m_valid_q || m_act_ready;
    wire               fire = a_valid && b_valid && en;
    wire               y_valid;
    wire [LANES-1:0]   keep;
    wire               busy = fire;

    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_a (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_a_data), .s_valid(s_a_valid),
        .s_ready(s_a_ready), .m_data(a), .m_valid(a_valid), .m_ready(fire)
    );
    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_b (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_b_data), .s_valid(s_b_valid),
        .s_ready(s_b_ready), .m_data(b), .m_valid(b_valid), .m_ready(fire)
    );
    aihls_flag #(.DELAY(5)) u_valid (.clk(clk), .rst(rst), .en(en), .d(fire), .q(y_valid));
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(en && y_valid), .keep(keep)
    );
    always @(posedge clk) begin
        if (en) m_valid_q <= y_valid;
        if (rst) m_valid_q <= 1'b0;
    end
    assign m_act_valid = m_valid_q;

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [SUM_W-1:0]   pa, pb;
            reg  [SUM_W-1:0]   sum_q;
            wire [FULL_W-1:0]  full;
            wire               half, sticky;
            wire [7:0]         y;
            reg  [7:0]         m_q;
            aihls_constmul #(.MULT(A_MULT), .ZP(A_ZP), .OUT_W(SUM_W)) u_pa (
                .clk(clk), .en(en), .x(a[i*8 +: 8]), .product(pa)
            );
            aihls_constmul #(.MULT(B_MULT), .ZP(B_ZP), .OUT_W(SUM_W)) u_pb (
                .clk(clk), .en(en), .x(b[i*8 +: 8]), .product(pb)
            );
            aihls_resize #(.IN_W(SUM_W), .OUT_W(FULL_W)) u_full (.d(sum_q), .q(full));
            if (SHIFT == 0) begin : g_whole
                assign half   = 1'b0;
                assign sticky = 1'b0;
            end else if (SHIFT == 1) begin : g_half
                assign half   = full[0];
                assign sticky = 1'b0;
            end else begin : g_shift
                assign half   = full[SHIFT-1];
                assign sticky = |full[SHIFT-2:0];
            end
            aihls_round #(
                .FLOOR_W(FLOOR_W), .ZERO_POINT(ZERO_POINT), .CLAMP_LO(CLAMP_LO),
                .CLAMP_HI(CLAMP_HI)
            ) u_round (
                .clk(clk), .en(en), .floor(full[FULL_W-1:SHIFT]), .half(half),
                .sticky(sticky), .y(y)
            );
            always @(posedge clk) begin
                if (en) begin
                    sum_q <= pa + pb;
                    m_q   <= keep[i] ? y : 8'd0;
                end
            end
            assign m_act_data[i*8 +: 8] = m_q;
        end
    endgenerate
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

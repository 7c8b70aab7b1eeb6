// SPDX-License-Identifier: Apache-2.0
// aihls_mul: elementwise product of two streams, exact and rounded half to even once:
// y = clamp(ZERO_POINT + RNE((a-A_ZP) * (b-B_ZP) * MULT * 2^-SHIFT)).
//
//   s_a -> queue -> - zero point \  LUT multiplier (3) -> * MULT (3) -> round (2) -> m_act
//   s_b -> queue -> - zero point /
//
// Latency 10 cycles, one beat per cycle, LUTs only. Both queues hold two beats, so that no
// ready path goes through. Lanes beyond CHANNELS in a pixel's last beat give 0.
// Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_mul #(
    parameter LANES      = 1,
    parameter CHANNELS   = 1,
    parameter A_ZP       = 0,   // -128..127
    parameter B_ZP       = 0,
    parameter MULT       = 1,   // 0 to 2^24 - 1
    parameter SHIFT      = 0,   // 0 to 62
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
    localparam PROD_W  = 17 + $clog2(MULT + 1);   // at most 255 * 255 * MULT, and a sign
    localparam FULL_W  = (PROD_W < SHIFT + 2) ? SHIFT + 2 : PROD_W;
    localparam FLOOR_W = FULL_W - SHIFT;
    localparam signed [8:0] A_ZERO = A_ZP[8:0];
    localparam signed [8:0] B_ZERO = B_ZP[8:0];

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
    aihls_flag #(.DELAY(8)) u_valid (.clk(clk), .rst(rst), .en(en), .d(fire), .q(y_valid));
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
            wire [8:0]        da = {a[i*8+7], a[i*8 +: 8]} - A_ZERO;
            wire [8:0]        db = {b[i*8+7], b[i*8 +: 8]} - B_ZERO;
            wire [17:0]       ab;      // 17 bits: neither factor is -256
            wire [PROD_W-1:0] product;
            wire [FULL_W-1:0] full;
            wire              half, sticky;
            wire [7:0]        y;
            reg  [7:0]        m_q;
            aihls_lutmul #(.W_BITS(9), .S_BITS(9)) u_ab (
                .clk(clk), .en(en), .w(da), .s(db), .m(ab)
            );
            aihls_constword #(.MULT(MULT), .OUT_W(PROD_W)) u_mult (
                .clk(clk), .en(en), .x(ab[16:0]), .product(product)
            );
            aihls_resize #(.IN_W(PROD_W), .OUT_W(FULL_W)) u_full (.d(product), .q(full));
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
            always @(posedge clk) if (en) m_q <= keep[i] ? y : 8'd0;
            assign m_act_data[i*8 +: 8] = m_q;
            wire unused_ok = &{1'b0, ab[17]};
        end
        if (MULT < 0 || MULT > 16777215) begin : g_check
            aihls_error_MULT_must_have_24_bits_unsigned u_error ();
        end
    endgenerate
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of the handshake of aihls_add and aihls_mul (MUL = 1): beat n of the output belongs to beat n of both
// inputs, whichever comes first. Elements have USED bits. The multipliers of the sum are 1 and 2, so that it tells the
// two apart; those of the product are those of tests/formal/abstract, of which a pair gives a + 2 * b. (All products:
// tests/formal/arith.sh elements.)
`default_nettype none
module fv_binary #(
    parameter MUL      = 0,
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter USED     = 1,
    parameter LIVE     = 0    // the lane whose elements are free; those of the others are 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  pick,
    input wire [USED-1:0]       a_bits,
    input wire                  a_valid,
    input wire [USED-1:0]       b_bits,
    input wire                  b_valid,
    input wire                  m_ready
);
    localparam BEATS = (CHANNELS + LANES - 1) / LANES;
    wire [LANES*8-1:0] a_data, b_data, m_data, a_word, b_word;
    wire               a_ready, b_ready, m_valid, here;
    wire               take = m_valid && m_ready;
    reg  [7:0]         beat_q;
    always @(posedge clk) begin
        if (take) beat_q <= (beat_q == BEATS - 1) ? 0 : beat_q + 1'b1;
        if (rst) beat_q <= 0;
    end
    generate
        if (MUL != 0) begin : g_mul
            aihls_mul #(.LANES(LANES), .CHANNELS(CHANNELS), .MULT(1), .SHIFT(0)) u_dut (
                .clk(clk), .rst(rst), .s_a_data(a_data), .s_a_valid(a_valid), .s_a_ready(a_ready),
                .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), .m_act_data(m_data),
                .m_act_valid(m_valid), .m_act_ready(m_ready)
            );
        end else begin : g_add
            aihls_add #(.LANES(LANES), .CHANNELS(CHANNELS), .A_MULT(1), .B_MULT(2)) u_dut (
                .clk(clk), .rst(rst), .s_a_data(a_data), .s_a_valid(a_valid), .s_a_ready(a_ready),
                .s_b_data(b_data), .s_b_valid(b_valid), .s_b_ready(b_ready), .m_act_data(m_data),
                .m_act_valid(m_valid), .m_act_ready(m_ready)
            );
        end
    endgenerate
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(LANES*8)) u_offer_a (
        .clk(clk), .rst(rst), .data(a_data), .valid(a_valid), .ready(a_ready)
    );
    fv_offer #(.WIDTH(LANES*8)) u_offer_b (
        .clk(clk), .rst(rst), .data(b_data), .valid(b_valid), .ready(b_ready)
    );
    fv_hold #(.WIDTH(LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // The join by definition: words of the stream that is ahead wait (two at most) for their
    // partners.
    wire               take_a = a_valid && a_ready;
    wire               take_b = b_valid && b_ready;
    reg  [1:0]         lead_a_q, lead_b_q;
    reg  [LANES*8-1:0] old_a_q, new_a_q, old_b_q, new_b_q;   // waiting, the older one first
    wire [LANES*8-1:0] a_now = (lead_a_q != 0) ? old_a_q : a_data;
    wire [LANES*8-1:0] b_now = (lead_b_q != 0) ? old_b_q : b_data;
    wire               pair  = (take_a || lead_a_q != 0) && (take_b || lead_b_q != 0);
    wire               in_a  = take_a && !(pair && lead_a_q == 0);   // comes and has to wait
    wire               in_b  = take_b && !(pair && lead_b_q == 0);
    wire [1:0]         left_a = lead_a_q - (pair && lead_a_q != 0);
    wire [1:0]         left_b = lead_b_q - (pair && lead_b_q != 0);
    always @(posedge clk) begin
        lead_a_q <= left_a + in_a;
        lead_b_q <= left_b + in_b;
        if (pair) old_a_q <= new_a_q;
        if (pair) old_b_q <= new_b_q;
        if (in_a && left_a == 0) old_a_q <= a_data;
        if (in_a) new_a_q <= a_data;
        if (in_b && left_b == 0) old_b_q <= b_data;
        if (in_b) new_b_q <= b_data;
        if (rst) begin
            lead_a_q <= 0;
            lead_b_q <= 0;
        end
    end
    always @* if (!rst) assert (lead_a_q <= 2 && lead_b_q <= 2 && !(lead_a_q != 0 && lead_b_q != 0));
    fv_order #(.WIDTH(2*LANES*8), .MOST((MUL != 0) ? 12 : 8), .WAIT((MUL != 0) ? 9 : 6)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(pair), .in_data({a_now, b_now}),
        .out_valid(m_valid), .out_take(take), .here(here), .word({a_word, b_word}), .held()
    );
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [7:0] want = (beat_q * LANES + i < CHANNELS) ? a_word[i*8 +: 8] + {b_word[i*8 +: 7], 1'b0} : 8'd0;
            assign a_data[i*8 +: 8] = {{8{1'b0}}, (i == LIVE) ? a_bits : {USED{1'b0}}};
            assign b_data[i*8 +: 8] = {{8{1'b0}}, (i == LIVE) ? b_bits : {USED{1'b0}}};
            always @* if (!rst && m_valid && here) assert (m_data[i*8 +: 8] == want);
        end
    endgenerate
endmodule
`default_nettype wire

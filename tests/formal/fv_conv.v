// SPDX-License-Identifier: Apache-2.0
// Proof harness of a whole stage: aihls_conv with one input channel, two outputs and a kernel of
// one position, whose weights are 1 and -1 and whose biases are 0 and 1: pixel x leaves as x and 1
// - x, in order, each once. A wrong weight or parameter address, a pass lost in the drain or a
// chain that slips while frozen all show. Pixels are 0 or 1.
`default_nettype none
module fv_conv #(
    parameter IN_H      = 1,
    parameter IN_W      = 2,
    parameter LANES     = 1,
    parameter PACK      = 1,
    parameter RQ_LANES  = 1,
    parameter RQ_CYCLES = 1,
    parameter W_WAIT    = 0
) (
    input wire clk,
    input wire rst,
    input wire pick,
    input wire s_bit,
    input wire s_valid,
    input wire m_ready
);
    localparam PASSES = (LANES == 2) ? 1 : 2;
    localparam BEATS  = (RQ_LANES == 2) ? 1 : 2;
    wire                  s_ready, w_en, p_en, m_valid, here, word;
    wire                  w_addr, p_addr;
    reg  [LANES*2-1:0]    w_read;
    wire [LANES*2-1:0]    w_data;
    reg  [RQ_LANES*3-1:0] p_data;
    wire [RQ_LANES*8-1:0] m_data;
    wire                  take = m_valid && m_ready;
    integer               i;
    always @(posedge clk) begin
        if (w_en) for (i = 0; i < LANES; i = i + 1) w_read[i*2 +: 2] <= (w_addr + i == 0) ? 2'b01 : 2'b11;
        if (p_en) for (i = 0; i < RQ_LANES; i = i + 1) p_data[i*3 +: 3] <= (p_addr + i == 0) ? 3'b100 : 3'b101;
    end
    aihls_delay #(.WIDTH(LANES*2), .DELAY(W_WAIT)) u_wait (
        .clk(clk), .en(w_en), .d(w_read), .q(w_data)
    );
    aihls_conv #(
        .IN_H(IN_H), .IN_W(IN_W), .IN_C(1), .OUT_H(IN_H), .OUT_W(IN_W), .OUT_C(2), .KERNEL_H(1),
        .KERNEL_W(1), .RING_ROWS(2), .LANES(LANES), .PACK(PACK), .WEIGHT_BITS(2), .W_WAIT(W_WAIT), .ACC_W(3),
        .RQ_LANES(RQ_LANES), .RQ_CYCLES(RQ_CYCLES), .BIAS_W(2), .MULT_W(1), .SHIFT_W(0), .SHIFT_MIN(0)
    ) u_dut (
        .clk(clk), .rst(rst), .s_act_data({7'd0, s_bit}), .s_act_valid(s_valid), .s_act_ready(s_ready),
        .w_en(w_en), .w_addr(w_addr), .w_data(w_data), .p_en(p_en), .p_addr(p_addr), .p_data(p_data),
        .m_act_data(m_data), .m_act_valid(m_valid), .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(1)) u_offer (
        .clk(clk), .rst(rst), .data(s_bit), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(RQ_LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    reg beat_q;
    always @(posedge clk) beat_q <= !rst && (beat_q ^ (take && BEATS == 2));
    fv_order #(.WIDTH(1), .MOST(30)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid && s_ready), .in_data(s_bit),
        .out_valid(m_valid), .out_take(take && beat_q == BEATS - 1), .here(here), .word(word), .held()
    );
    wire [7:0] minus = word ? 8'd0 : 8'd1;
    wire [7:0] plus  = {7'd0, word};
    always @* if (!rst && m_valid && here)
        assert (m_data == ((RQ_LANES == 2) ? {minus, plus} : beat_q ? minus : plus));
endmodule
`default_nettype wire

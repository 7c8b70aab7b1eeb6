// SPDX-License-Identifier: Apache-2.0
`default_nettype none

module residual_core #(
    parameter TECH = "GENERIC" // multiplier primitive of the target
) (
    input  wire clk,
    input  wire rst,
    input  wire [7:0] s_in_data,
    input  wire s_in_valid,
    output wire s_in_ready,
    output wire [7:0] m_out_data,
    output wire m_out_valid,
    input  wire m_out_ready,
    input  wire [6:0] stall,
    output wire [11:0] watch
);
    wire [7:0] x00_data;
    wire x00_valid;
    wire x00_ready;
    wire [7:0] e00_data;
    wire e00_valid;
    wire e00_ready;
    wire [31:0] x01_data;
    wire x01_valid;
    wire x01_ready;
    wire [31:0] x01f0_data;
    wire x01f0_valid;
    wire x01f0_ready;
    wire [31:0] e01_data;
    wire e01_valid;
    wire e01_ready;
    wire [31:0] x01f1_data;
    wire x01f1_valid;
    wire x01f1_ready;
    wire [31:0] e02_data;
    wire e02_valid;
    wire e02_ready;
    wire [31:0] x02_data;
    wire x02_valid;
    wire x02_ready;
    wire [31:0] e03_data;
    wire e03_valid;
    wire e03_ready;
    wire [31:0] x03_data;
    wire x03_valid;
    wire x03_ready;
    wire [31:0] e04_data;
    wire e04_valid;
    wire e04_ready;
    wire [31:0] x04_data;
    wire x04_valid;
    wire x04_ready;
    wire [31:0] e05_data;
    wire e05_valid;
    wire e05_ready;
    wire [7:0] e05n_data;
    wire e05n_valid;
    wire e05n_ready;
    wire [7:0] x05_data;
    wire x05_valid;
    wire x05_ready;
    wire s00_conv_w_en;
    wire [17:0] s00_conv_w_addr;
    wire [575:0] s00_conv_w_data;
    wire [63:0] s00_conv_w0_q;
    wire [63:0] s00_conv_w1_q;
    wire [63:0] s00_conv_w2_q;
    wire [63:0] s00_conv_w3_q;
    wire [63:0] s00_conv_w4_q;
    wire [63:0] s00_conv_w5_q;
    wire [63:0] s00_conv_w6_q;
    wire [63:0] s00_conv_w7_q;
    wire [63:0] s00_conv_w8_q;
    wire [159:0] s00_conv_p_data;
    wire s00_conv_p_en;
    wire s00_conv_p_addr;
    wire s01_conv_w_en;
    wire [15:0] s01_conv_w_addr;
    wire [1535:0] s01_conv_w_data;
    wire [191:0] s01_conv_w0_q;
    wire [191:0] s01_conv_w1_q;
    wire [191:0] s01_conv_w2_q;
    wire [191:0] s01_conv_w3_q;
    wire [191:0] s01_conv_w4_q;
    wire [191:0] s01_conv_w5_q;
    wire [191:0] s01_conv_w6_q;
    wire [191:0] s01_conv_w7_q;
    wire [175:0] s01_conv_p_data;
    wire s01_conv_p_en;
    wire s01_conv_p_addr;
    wire [131:0] s03_gap_p_data;
    wire unused_s03_gap_p_en;
    wire unused_s03_gap_p_addr;
    wire s04_conv_w_en;
    wire [6:0] s04_conv_w_addr;
    wire [7:0] s04_conv_w_data;
    wire [7:0] s04_conv_w0_q;
    wire [24:0] s04_conv_p_data;
    wire s04_conv_p_en;
    wire [3:0] s04_conv_p_addr;
    assign watch = {x05_ready && !x05_valid, x05_valid && !x05_ready,
        x04_ready && !x04_valid, x04_valid && !x04_ready,
        x03_ready && !x03_valid, x03_valid && !x03_ready,
        x02_ready && !x02_valid, x02_valid && !x02_ready,
        x01_ready && !x01_valid, x01_valid && !x01_ready,
        x00_ready && !x00_valid, x00_valid && !x00_ready};
    assign s00_conv_w_data = {s00_conv_w8_q,
        s00_conv_w7_q,
        s00_conv_w6_q,
        s00_conv_w5_q,
        s00_conv_w4_q,
        s00_conv_w3_q,
        s00_conv_w2_q,
        s00_conv_w1_q,
        s00_conv_w0_q};
    assign s01_conv_w_data = {s01_conv_w7_q,
        s01_conv_w6_q,
        s01_conv_w5_q,
        s01_conv_w4_q,
        s01_conv_w3_q,
        s01_conv_w2_q,
        s01_conv_w1_q,
        s01_conv_w0_q};
    assign s03_gap_p_data = {4{33'b101000000000000000000000011000000}};
    assign s04_conv_w_data = {s04_conv_w0_q};
    aihls_fifo #(
        .WIDTH(8),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e00 (
        .clk(clk),
        .rst(rst),
        .stall(stall[0]),
        .s_data(x00_data),
        .s_valid(x00_valid),
        .s_ready(x00_ready),
        .m_data(e00_data),
        .m_valid(e00_valid),
        .m_ready(e00_ready)
    );
    aihls_fifo #(
        .WIDTH(32),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e01 (
        .clk(clk),
        .rst(rst),
        .stall(stall[1]),
        .s_data(x01f0_data),
        .s_valid(x01f0_valid),
        .s_ready(x01f0_ready),
        .m_data(e01_data),
        .m_valid(e01_valid),
        .m_ready(e01_ready)
    );
    aihls_fifo #(
        .WIDTH(32),
        .DEPTH(64),
        .BLOCK(0)
    ) u_fifo_e02 (
        .clk(clk),
        .rst(rst),
        .stall(stall[2]),
        .s_data(x01f1_data),
        .s_valid(x01f1_valid),
        .s_ready(x01f1_ready),
        .m_data(e02_data),
        .m_valid(e02_valid),
        .m_ready(e02_ready)
    );
    aihls_fork #(
        .WIDTH(32),
        .N(2)
    ) u_fork_x01 (
        .clk(clk),
        .rst(rst),
        .s_data(x01_data),
        .s_valid(x01_valid),
        .s_ready(x01_ready),
        .m_data({x01f1_data, x01f0_data}),
        .m_valid({x01f1_valid, x01f0_valid}),
        .m_ready({x01f1_ready, x01f0_ready})
    );
    aihls_fifo #(
        .WIDTH(32),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e03 (
        .clk(clk),
        .rst(rst),
        .stall(stall[3]),
        .s_data(x02_data),
        .s_valid(x02_valid),
        .s_ready(x02_ready),
        .m_data(e03_data),
        .m_valid(e03_valid),
        .m_ready(e03_ready)
    );
    aihls_fifo #(
        .WIDTH(32),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e04 (
        .clk(clk),
        .rst(rst),
        .stall(stall[4]),
        .s_data(x03_data),
        .s_valid(x03_valid),
        .s_ready(x03_ready),
        .m_data(e04_data),
        .m_valid(e04_valid),
        .m_ready(e04_ready)
    );
    aihls_fifo #(
        .WIDTH(32),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e05 (
        .clk(clk),
        .rst(rst),
        .stall(stall[5]),
        .s_data(x04_data),
        .s_valid(x04_valid),
        .s_ready(x04_ready),
        .m_data(e05_data),
        .m_valid(e05_valid),
        .m_ready(e05_ready)
    );
    aihls_narrow #(
        .S_LANES(4),
        .M_LANES(1),
        .CHANNELS(8)
    ) u_narrow_e05 (
        .clk(clk),
        .rst(rst),
        .s_act_data(e05_data),
        .s_act_valid(e05_valid),
        .s_act_ready(e05_ready),
        .m_act_data(e05n_data),
        .m_act_valid(e05n_valid),
        .m_act_ready(e05n_ready)
    );
    aihls_fifo #(
        .WIDTH(8),
        .DEPTH(32),
        .BLOCK(0)
    ) u_fifo_e06 (
        .clk(clk),
        .rst(rst),
        .stall(stall[6]),
        .s_data(x05_data),
        .s_valid(x05_valid),
        .s_ready(x05_ready),
        .m_data(m_out_data),
        .m_valid(m_out_valid),
        .m_ready(m_out_ready)
    );
    aihls_port #(
        .WIDTH(8)
    ) u_port_s_in (
        .rst(rst),
        .s_data(s_in_data),
        .s_valid(s_in_valid),
        .s_ready(s_in_ready),
        .m_data(x00_data),
        .m_valid(x00_valid),
        .m_ready(x00_ready)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w0.hex"),
        .BLOCK(0)
    ) u_s00_conv_w0 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[1:0]),
        .data(s00_conv_w0_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w1.hex"),
        .BLOCK(0)
    ) u_s00_conv_w1 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[3:2]),
        .data(s00_conv_w1_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w2.hex"),
        .BLOCK(0)
    ) u_s00_conv_w2 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[5:4]),
        .data(s00_conv_w2_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w3.hex"),
        .BLOCK(0)
    ) u_s00_conv_w3 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[7:6]),
        .data(s00_conv_w3_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w4.hex"),
        .BLOCK(0)
    ) u_s00_conv_w4 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[9:8]),
        .data(s00_conv_w4_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w5.hex"),
        .BLOCK(0)
    ) u_s00_conv_w5 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[11:10]),
        .data(s00_conv_w5_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w6.hex"),
        .BLOCK(0)
    ) u_s00_conv_w6 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[13:12]),
        .data(s00_conv_w6_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w7.hex"),
        .BLOCK(0)
    ) u_s00_conv_w7 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[15:14]),
        .data(s00_conv_w7_q)
    );
    aihls_rom #(
        .WIDTH(64),
        .DEPTH(3),
        .FILE("mem/residual_s00_conv_w8.hex"),
        .BLOCK(0)
    ) u_s00_conv_w8 (
        .clk(clk),
        .en(s00_conv_w_en),
        .addr(s00_conv_w_addr[17:16]),
        .data(s00_conv_w8_q)
    );
    aihls_rom #(
        .WIDTH(160),
        .DEPTH(2),
        .FILE("mem/residual_s00_conv_p.hex"),
        .BLOCK(0)
    ) u_s00_conv_p (
        .clk(clk),
        .en(s00_conv_p_en),
        .addr(s00_conv_p_addr),
        .data(s00_conv_p_data)
    );

    // s00_conv: c1_node, r1_node
    aihls_conv #(
        .IN_H(8),
        .IN_W(8),
        .IN_C(3),
        .OUT_H(8),
        .OUT_W(8),
        .KERNEL_H(3),
        .KERNEL_W(3),
        .STRIDE_H(1),
        .STRIDE_W(1),
        .DIL_H(1),
        .DIL_W(1),
        .PAD_TOP(1),
        .PAD_LEFT(1),
        .PAD_VALUE(3),
        .S_LANES(1),
        .WORD(3),
        .ROWS_PAR(3),
        .RING_ROWS(5),
        .BLOCK(0),
        .TECH(TECH),
        .MUL_DSP(1),
        .SEG_LEN(9),
        .WEIGHT_BITS(8),
        .OUT_C(8),
        .GROUPS(1),
        .LANES(8),
        .PACK(2),
        .LANE_SHIFT(18),
        .ACC_W(19),
        .RQ_LANES(4),
        .RQ_CYCLES(1),
        .RQ_DSP(1),
        .MULT_W(24),
        .BIAS_W(13),
        .SHIFT_MIN(31),
        .SHIFT_W(3),
        .ZERO_POINT(-128),
        .CLAMP_LO(-128),
        .CLAMP_HI(127)
    ) u_s00_conv (
        .clk(clk),
        .rst(rst),
        .p_en(s00_conv_p_en),
        .p_addr(s00_conv_p_addr),
        .p_data(s00_conv_p_data),
        .w_en(s00_conv_w_en),
        .w_addr(s00_conv_w_addr),
        .w_data(s00_conv_w_data),
        .s_act_data(e00_data),
        .s_act_valid(e00_valid),
        .s_act_ready(e00_ready),
        .m_act_data(x01_data),
        .m_act_valid(x01_valid),
        .m_act_ready(x01_ready)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w0.hex"),
        .BLOCK(0)
    ) u_s01_conv_w0 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[1:0]),
        .data(s01_conv_w0_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w1.hex"),
        .BLOCK(0)
    ) u_s01_conv_w1 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[3:2]),
        .data(s01_conv_w1_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w2.hex"),
        .BLOCK(0)
    ) u_s01_conv_w2 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[5:4]),
        .data(s01_conv_w2_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w3.hex"),
        .BLOCK(0)
    ) u_s01_conv_w3 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[7:6]),
        .data(s01_conv_w3_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w4.hex"),
        .BLOCK(0)
    ) u_s01_conv_w4 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[9:8]),
        .data(s01_conv_w4_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w5.hex"),
        .BLOCK(0)
    ) u_s01_conv_w5 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[11:10]),
        .data(s01_conv_w5_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w6.hex"),
        .BLOCK(0)
    ) u_s01_conv_w6 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[13:12]),
        .data(s01_conv_w6_q)
    );
    aihls_rom #(
        .WIDTH(192),
        .DEPTH(3),
        .FILE("mem/residual_s01_conv_w7.hex"),
        .BLOCK(0)
    ) u_s01_conv_w7 (
        .clk(clk),
        .en(s01_conv_w_en),
        .addr(s01_conv_w_addr[15:14]),
        .data(s01_conv_w7_q)
    );
    aihls_rom #(
        .WIDTH(176),
        .DEPTH(2),
        .FILE("mem/residual_s01_conv_p.hex"),
        .BLOCK(0)
    ) u_s01_conv_p (
        .clk(clk),
        .en(s01_conv_p_en),
        .addr(s01_conv_p_addr),
        .data(s01_conv_p_data)
    );

    // s01_conv: c2_node
    aihls_conv #(
        .IN_H(8),
        .IN_W(8),
        .IN_C(8),
        .OUT_H(8),
        .OUT_W(8),
        .KERNEL_H(3),
        .KERNEL_W(3),
        .STRIDE_H(1),
        .STRIDE_W(1),
        .DIL_H(1),
        .DIL_W(1),
        .PAD_TOP(1),
        .PAD_LEFT(1),
        .PAD_VALUE(-128),
        .S_LANES(4),
        .WORD(8),
        .ROWS_PAR(3),
        .RING_ROWS(4),
        .BLOCK(0),
        .TECH(TECH),
        .MUL_DSP(1),
        .SEG_LEN(8),
        .WEIGHT_BITS(8),
        .OUT_C(8),
        .GROUPS(1),
        .LANES(8),
        .PACK(2),
        .LANE_SHIFT(18),
        .ACC_W(21),
        .RQ_LANES(4),
        .RQ_CYCLES(1),
        .RQ_DSP(1),
        .MULT_W(24),
        .BIAS_W(18),
        .SHIFT_MIN(32),
        .SHIFT_W(2),
        .ZERO_POINT(5),
        .CLAMP_LO(-128),
        .CLAMP_HI(127)
    ) u_s01_conv (
        .clk(clk),
        .rst(rst),
        .p_en(s01_conv_p_en),
        .p_addr(s01_conv_p_addr),
        .p_data(s01_conv_p_data),
        .w_en(s01_conv_w_en),
        .w_addr(s01_conv_w_addr),
        .w_data(s01_conv_w_data),
        .s_act_data(e01_data),
        .s_act_valid(e01_valid),
        .s_act_ready(e01_ready),
        .m_act_data(x02_data),
        .m_act_valid(x02_valid),
        .m_act_ready(x02_ready)
    );

    // s02_add: a_node
    aihls_add #(
        .LANES(4),
        .CHANNELS(8),
        .A_ZP(-128),
        .B_ZP(5),
        .A_MULT(3690988),
        .B_MULT(13421773),
        .SHIFT(24),
        .ZERO_POINT(-3),
        .CLAMP_LO(-128),
        .CLAMP_HI(127)
    ) u_s02_add (
        .clk(clk),
        .rst(rst),
        .s_a_data(e02_data),
        .s_a_valid(e02_valid),
        .s_a_ready(e02_ready),
        .s_b_data(e03_data),
        .s_b_valid(e03_valid),
        .s_b_ready(e03_ready),
        .m_act_data(x03_data),
        .m_act_valid(x03_valid),
        .m_act_ready(x03_ready)
    );

    // s03_gap: p_node
    aihls_gap #(
        .IN_H(8),
        .IN_W(8),
        .IN_C(8),
        .POOL_H(8),
        .POOL_W(8),
        .S_LANES(4),
        .ACC_W(14),
        .RQ_CYCLES(12),
        .MULT_W(24),
        .BIAS_W(9),
        .SHIFT_MIN(28),
        .SHIFT_W(0),
        .ZERO_POINT(0),
        .CLAMP_LO(-128),
        .CLAMP_HI(127)
    ) u_s03_gap (
        .clk(clk),
        .rst(rst),
        .p_en(unused_s03_gap_p_en),
        .p_addr(unused_s03_gap_p_addr),
        .p_data(s03_gap_p_data),
        .s_act_data(e04_data),
        .s_act_valid(e04_valid),
        .s_act_ready(e04_ready),
        .m_act_data(x04_data),
        .m_act_valid(x04_valid),
        .m_act_ready(x04_ready)
    );
    aihls_rom #(
        .WIDTH(8),
        .DEPTH(80),
        .FILE("mem/residual_s04_conv_w0.hex"),
        .BLOCK(1)
    ) u_s04_conv_w0 (
        .clk(clk),
        .en(s04_conv_w_en),
        .addr(s04_conv_w_addr[6:0]),
        .data(s04_conv_w0_q)
    );
    aihls_rom #(
        .WIDTH(25),
        .DEPTH(10),
        .FILE("mem/residual_s04_conv_p.hex"),
        .BLOCK(0)
    ) u_s04_conv_p (
        .clk(clk),
        .en(s04_conv_p_en),
        .addr(s04_conv_p_addr),
        .data(s04_conv_p_data)
    );

    // s04_conv: y_node
    aihls_conv #(
        .IN_H(1),
        .IN_W(1),
        .IN_C(8),
        .OUT_H(1),
        .OUT_W(1),
        .KERNEL_H(1),
        .KERNEL_W(1),
        .STRIDE_H(1),
        .STRIDE_W(1),
        .DIL_H(1),
        .DIL_W(1),
        .PAD_TOP(0),
        .PAD_LEFT(0),
        .PAD_VALUE(0),
        .S_LANES(1),
        .WORD(1),
        .ROWS_PAR(1),
        .RING_ROWS(2),
        .BLOCK(0),
        .TECH(TECH),
        .MUL_DSP(0),
        .SEG_LEN(1),
        .WEIGHT_BITS(8),
        .OUT_C(10),
        .GROUPS(1),
        .LANES(1),
        .PACK(1),
        .LANE_SHIFT(18),
        .ACC_W(18),
        .RQ_LANES(1),
        .RQ_CYCLES(12),
        .MULT_W(24),
        .BIAS_W(1),
        .SHIFT_MIN(31),
        .SHIFT_W(0),
        .ZERO_POINT(0),
        .CLAMP_LO(-128),
        .CLAMP_HI(127)
    ) u_s04_conv (
        .clk(clk),
        .rst(rst),
        .p_en(s04_conv_p_en),
        .p_addr(s04_conv_p_addr),
        .p_data(s04_conv_p_data),
        .w_en(s04_conv_w_en),
        .w_addr(s04_conv_w_addr),
        .w_data(s04_conv_w_data),
        .s_act_data(e05n_data),
        .s_act_valid(e05n_valid),
        .s_act_ready(e05n_ready),
        .m_act_data(x05_data),
        .m_act_valid(x05_valid),
        .m_act_ready(x05_ready)
    );
endmodule

`default_nettype wire

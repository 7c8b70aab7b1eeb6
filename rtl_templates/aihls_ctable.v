// SPDX-License-Identifier: Apache-2.0
// aihls_ctable: any function of a byte, another one for each channel (PRelu, a per-channel
// scale): lane l looks beat b's byte x up at address b*256 + x (x as unsigned) of its own
// memory, which holds the 256 entries of channels l, LANES + l, 2*LANES + l, …
//
//   s_act -> 2-word queue -> t_addr -> one aihls_rom per lane, outside -> t_data -> m_act
//
// Lane l's address is t_addr[l*T_ADDR_W +: T_ADDR_W], its entry t_data[l*8 +: 8]; t_en reads
// all of them. Latency 2 cycles, one beat per cycle. Lanes beyond CHANNELS in a pixel's last
// beat give 0, whatever their memory holds.  Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_ctable #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    // Derived: leave at the default.
    parameter BEATS    = (CHANNELS + LANES - 1) / LANES,
    parameter T_ADDR_W = 8 + $clog2(BEATS)
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire [LANES*8-1:0]        s_act_data,
    input  wire                      s_act_valid,
    output wire                      s_act_ready,
    output wire                      t_en,
    output wire [LANES*T_ADDR_W-1:0] t_addr,
    input  wire [LANES*8-1:0]        t_data,
    output wire [LANES*8-1:0]        m_act_data,
    output wire                      m_act_valid,
    input  wire                      m_act_ready
);
    wire [LANES*8-1:0] beat;
    wire               beat_valid;
    reg                m_valid_q;
    reg  [LANES-1:0]   keep_q;
    wire [LANES-1:0]   keep;
    wire               en   = !m_valid_q || m_act_ready;
    wire               busy = beat_valid && en;
    assign t_en = en;

    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_queue (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_act_data), .s_valid(s_act_valid),
        .s_ready(s_act_ready), .m_data(beat), .m_valid(beat_valid), .m_ready(en)
    );
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(busy), .keep(keep)
    );
    always @(posedge clk) begin
        if (en) begin
            keep_q    <= keep;
            m_valid_q <= beat_valid;
        end
        if (rst) m_valid_q <= 1'b0;
    end
    assign m_act_valid = m_valid_q;

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            assign t_addr[i*T_ADDR_W +: 8] = beat[i*8 +: 8];
            assign m_act_data[i*8 +: 8] = keep_q[i] ? t_data[i*8 +: 8] : 8'd0;
        end
        if (BEATS > 1) begin : g_beat
            reg  [T_ADDR_W-9:0] beat_q;
            wire                last;
            aihls_count #(.N(BEATS)) u_beat (.clk(clk), .rst(rst), .en(busy), .last(last));
            always @(posedge clk) begin
                if (busy) beat_q <= last ? {(T_ADDR_W-8){1'b0}}
                                         : beat_q + {{(T_ADDR_W-9){1'b0}}, 1'b1};
                if (rst) beat_q <= {(T_ADDR_W-8){1'b0}};
            end
            for (i = 0; i < LANES; i = i + 1) begin : g_high
                assign t_addr[i*T_ADDR_W+8 +: T_ADDR_W-8] = beat_q;
            end
        end
    endgenerate
endmodule
`default_nettype wire

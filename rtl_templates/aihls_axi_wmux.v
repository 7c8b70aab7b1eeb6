// SPDX-License-Identifier: Apache-2.0
// aihls_axi_wmux: write addresses and data of N masters onto one AXI4 bus. Addresses take turns; data follow in the order of
// the addresses, a burst at a time, and do not wait for an address to be taken.
//
//   s_aw --> aihls_merge --> fork --> m_aw, m_aw_index
//                              '----> order of 16 --> s_w[first] --> m_w
//
// Combinational from m_w_ready to s_w_ready. Reset: drops what is held; for idle times.
`default_nettype none
module aihls_axi_wmux #(
    parameter N       = 2,
    parameter AW_W    = 40,
    parameter W_W     = 73,  // the lowest bit is `last`
    parameter INDEX_W = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [N*AW_W-1:0]  s_aw_data,
    input  wire [N-1:0]       s_aw_valid,
    output wire [N-1:0]       s_aw_ready,
    input  wire [N*W_W-1:0]   s_w_data,
    input  wire [N-1:0]       s_w_valid,
    output wire [N-1:0]       s_w_ready,
    output wire [AW_W-1:0]    m_aw_data,
    output wire [INDEX_W-1:0] m_aw_index,
    output wire               m_aw_valid,
    input  wire               m_aw_ready,
    output wire [W_W-1:0]     m_w_data,
    output wire               m_w_valid,
    input  wire               m_w_ready
);
    generate
        if (N == 1) begin : g_wires
            wire unused_ok = &{1'b0, clk, rst};
            assign m_aw_data  = s_aw_data;
            assign m_aw_index = {INDEX_W{1'b0}};
            assign m_aw_valid = s_aw_valid[0];
            assign s_aw_ready = m_aw_ready;
            assign m_w_data   = s_w_data;
            assign m_w_valid  = s_w_valid[0];
            assign s_w_ready  = m_w_ready;
        end else begin : g_turns
            wire [AW_W-1:0]    data;
            wire [INDEX_W-1:0] index, first;
            wire               valid, ready, order_valid, order_ready, first_valid;
            wire [INDEX_W-1:0] order;
            reg  [W_W-1:0]     word;
            reg                some;
            reg  [N-1:0]       taken;
            integer            i;
            aihls_merge #(.N(N), .WIDTH(AW_W), .INDEX_W(INDEX_W)) u_turns (
                .clk(clk), .rst(rst), .s_data(s_aw_data), .s_valid(s_aw_valid), .s_ready(s_aw_ready),
                .m_data(data), .m_index(index), .m_valid(valid), .m_ready(ready)
            );
            wire [AW_W-1:0]    unused_copy;
            aihls_fork #(.WIDTH(INDEX_W + AW_W), .N(2)) u_fork (
                .clk(clk), .rst(rst), .s_data({index, data}), .s_valid(valid), .s_ready(ready),
                .m_data({order, unused_copy, m_aw_index, m_aw_data}), .m_valid({order_valid, m_aw_valid}),
                .m_ready({order_ready, m_aw_ready})
            );
            aihls_fifo #(.WIDTH(INDEX_W), .DEPTH(16), .BLOCK(0)) u_order (
                .clk(clk), .rst(rst), .stall(1'b0), .s_data(order), .s_valid(order_valid), .s_ready(order_ready),
                .m_data(first), .m_valid(first_valid), .m_ready(m_w_valid && m_w_ready && m_w_data[0])
            );
            always @* begin
                word  = {W_W{1'b0}};
                some  = 1'b0;
                taken = {N{1'b0}};
                for (i = 0; i < N; i = i + 1)
                    if (first_valid && first == i[INDEX_W-1:0]) begin
                        word     = s_w_data[i*W_W +: W_W];
                        some     = s_w_valid[i];
                        taken[i] = m_w_ready;
                    end
            end
            assign m_w_data  = word;
            assign m_w_valid = some;
            assign s_w_ready = taken;
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_merge: several streams onto one, in turn: of those that have a word, the next behind the one served last.
// m_index says whose word it is. With N = 1 it is wires; else latency 1 cycle, throughput 1 word/cycle.
// s_ready of one stream depends on s_valid of all of them, not on m_ready. Reset: drops the words held.
`default_nettype none
module aihls_merge #(
    parameter N       = 2,
    parameter WIDTH   = 8,
    parameter INDEX_W = 1   // at least log2 N
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [N*WIDTH-1:0] s_data,
    input  wire [N-1:0]       s_valid,
    output wire [N-1:0]       s_ready,
    output wire [WIDTH-1:0]   m_data,
    output wire [INDEX_W-1:0] m_index,
    output wire               m_valid,
    input  wire               m_ready
);
    generate
        if (N == 1) begin : g_wires
            wire unused_ok = &{1'b0, clk, rst};
            assign m_data  = s_data;
            assign m_index = {INDEX_W{1'b0}};
            assign m_valid = s_valid[0];
            assign s_ready = m_ready;
        end else begin : g_turns
            reg  [N-1:0]       turn_q;   // who was served last, one-hot
            wire [N-1:0]       behind = s_valid & ~(turn_q | (turn_q - {{(N-1){1'b0}}, 1'b1}));
            wire [N-1:0]       from   = (behind != {N{1'b0}}) ? behind : s_valid;
            wire [N-1:0]       pick   = from & (~from + {{(N-1){1'b0}}, 1'b1});
            wire               room;
            reg  [WIDTH-1:0]   data;
            reg  [INDEX_W-1:0] index;
            integer            i;
            always @* begin
                data  = {WIDTH{1'b0}};
                index = {INDEX_W{1'b0}};
                for (i = 0; i < N; i = i + 1)
                    if (pick[i]) begin
                        data  = data | s_data[i*WIDTH +: WIDTH];
                        index = index | i[INDEX_W-1:0];
                    end
            end
            assign s_ready = room ? pick : {N{1'b0}};
            aihls_fifo #(.WIDTH(INDEX_W + WIDTH), .DEPTH(2), .BLOCK(0)) u_hold (
                .clk(clk), .rst(rst), .stall(1'b0), .s_data({index, data}), .s_valid(s_valid != {N{1'b0}}),
                .s_ready(room), .m_data({m_index, m_data}), .m_valid(m_valid), .m_ready(m_ready)
            );
            always @(posedge clk) begin
                if (room && s_valid != {N{1'b0}}) turn_q <= pick;
                if (rst) turn_q <= {1'b1, {(N-1){1'b0}}};
            end
        end
    endgenerate
endmodule
`default_nettype wire

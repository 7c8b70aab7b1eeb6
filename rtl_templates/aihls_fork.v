// SPDX-License-Identifier: Apache-2.0
// aihls_fork: copies one stream to N; eager, each branch takes its copy when it can.
// Latency 0, throughput 1 word/cycle. The word is taken when every branch has its copy.
// Combinational from s_valid and s_data to m_*, and from m_ready to s_ready: put a fifo on
// one side. m_data is N copies of s_data, branch i in bits [i*WIDTH +: WIDTH].
// Reset: forgets which branches were served.
`default_nettype none
module aihls_fork #(
    parameter WIDTH = 8,
    parameter N     = 2
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [WIDTH-1:0]   s_data,
    input  wire               s_valid,
    output wire               s_ready,
    output wire [N*WIDTH-1:0] m_data,
    output wire [N-1:0]       m_valid,
    input  wire [N-1:0]       m_ready
);
    reg  [N-1:0] done_q;
    wire [N-1:0] served = done_q | m_ready;

    assign s_ready = &served;
    assign m_data  = {N{s_data}};
    assign m_valid = {N{s_valid}} & ~done_q;

    always @(posedge clk) begin
        if (s_valid) done_q <= (&served) ? {N{1'b0}} : served;
        if (rst) done_q <= {N{1'b0}};
    end
endmodule
`default_nettype wire

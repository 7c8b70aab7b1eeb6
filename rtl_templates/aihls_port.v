// SPDX-License-Identifier: Apache-2.0
// aihls_port: an input of a network. Passes the stream on, and takes nothing in reset: inside, where every module is in the same
// reset, ready says nothing then, but out here a beat would be lost. Combinational, latency 0.
`default_nettype none
module aihls_port #(
    parameter WIDTH = 8
) (
    input  wire             rst,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_valid,
    output wire             s_ready,
    output wire [WIDTH-1:0] m_data,
    output wire             m_valid,
    input  wire             m_ready
);
    assign m_data  = s_data;
    assign m_valid = s_valid;
    assign s_ready = m_ready && !rst;
endmodule
`default_nettype wire

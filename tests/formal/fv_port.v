// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_port: nothing is taken in reset, and otherwise the stream goes through as it is.
`default_nettype none
module fv_port #(
    parameter WIDTH = 8
) (
    input wire             clk,
    input wire             rst,
    input wire [WIDTH-1:0] s_data,
    input wire             s_valid,
    input wire             m_ready
);
    wire [WIDTH-1:0] m_data;
    wire             s_ready, m_valid;
    aihls_port #(.WIDTH(WIDTH)) u_dut (
        .rst(rst), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready), .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(WIDTH), .QUIET(1)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(WIDTH)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    always @* if (!rst) assert ({m_data, m_valid, s_ready} == {s_data, s_valid, m_ready});
endmodule
`default_nettype wire

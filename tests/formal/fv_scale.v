// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_scale: product = x * m, x signed, m unsigned.
`default_nettype none
module fv_scale #(
    parameter X_W = 8,
    parameter M_W = 4
) (
    input wire           clk,
    input wire [X_W-1:0] x,
    input wire [M_W-1:0] m
);
    localparam LATENCY = 1 + $clog2((M_W + 3) / 4);
    wire [X_W+M_W-1:0] product;
    aihls_scale #(.X_W(X_W), .M_W(M_W)) u_dut (.clk(clk), .en(1'b1), .x(x), .m(m), .product(product));
    wire signed [X_W+M_W-1:0] x_wide = {{M_W{x[X_W-1]}}, x};
    wire signed [X_W+M_W-1:0] m_wide = {{X_W{1'b0}}, m};
    wire signed [X_W+M_W-1:0] want   = x_wide * m_wide;
    reg  [(X_W+M_W)*LATENCY-1:0] want_q;
    reg  [3:0]                   age_q = 4'd0;
    always @(posedge clk) begin
        want_q <= {want_q, want};
        if (age_q != LATENCY) age_q <= age_q + 1'b1;
    end
    always @* if (age_q == LATENCY) assert (product == want_q[(X_W+M_W)*(LATENCY-1) +: X_W+M_W]);
endmodule
`default_nettype wire

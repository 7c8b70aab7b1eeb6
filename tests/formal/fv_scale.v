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
    // x * m digit by digit: for each value of a digit, x times a constant
    wire [X_W+M_W-1:0] x_wide = {{M_W{x[X_W-1]}}, x};
    wire [X_W+M_W-1:0] want;
    genvar d, v;
    generate
        for (d = 0; d < (M_W + 3) / 4; d = d + 1) begin : g_digit
            wire [3:0]         digit = m >> (4 * d);
            wire [X_W+M_W-1:0] times [0:15];
            wire [X_W+M_W-1:0] sum;
            for (v = 0; v < 16; v = v + 1) begin : g_times
                assign times[v] = x_wide * v;
            end
            if (d == 0) begin : g_one
                assign sum = times[digit];
            end else begin : g_more
                assign sum = g_digit[d-1].sum + (times[digit] << (4 * d));
            end
        end
    endgenerate
    assign want = g_digit[(M_W+3)/4-1].sum;
    reg  [(X_W+M_W)*LATENCY-1:0] want_q;
    reg  [3:0]                   age_q = 4'd0;
    always @(posedge clk) begin
        want_q <= {want_q, want};
        if (age_q != LATENCY) age_q <= age_q + 1'b1;
    end
    always @* if (age_q == LATENCY) assert (product == want_q[(X_W+M_W)*(LATENCY-1) +: X_W+M_W]);
endmodule
`default_nettype wire

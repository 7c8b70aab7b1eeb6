// SPDX-License-Identifier: Apache-2.0
// aihls_power: the distance |x - ZERO| of a byte (POWER 1, latency 1) or its square (POWER 2, latency 3: a LUT
// multiplier), as a signed number that is never negative.
// Throughput 1/cycle, latency in enabled cycles, no reset.
`default_nettype none
module aihls_power #(
    parameter POWER = 2,
    parameter ZERO  = 0,    // -128..127
    // Derived: leave at the default.
    parameter OUT_W = (POWER == 2) ? 17 : 9
) (
    input  wire             clk,
    input  wire             en,
    input  wire [7:0]       x,
    output wire [OUT_W-1:0] y
);
    localparam signed [8:0] Z = ZERO[8:0];
    wire [8:0] d = {x[7], x} - Z;
    generate
        if (POWER == 2) begin : g_square
            wire [17:0] m;
            aihls_lutmul #(.W_BITS(9), .S_BITS(9)) u_square (.clk(clk), .en(en), .w(d), .s(d), .m(m));
            assign y = m[16:0];   // at most 255 * 255
            wire unused_ok = &{1'b0, m[17]};
        end else begin : g_distance
            reg [8:0] y_q;
            always @(posedge clk) if (en) y_q <= d[8] ? 9'd0 - d : d;
            assign y = y_q;
        end
        if (POWER != 1 && POWER != 2) begin : g_check
            aihls_error_POWER_must_be_1_or_2 u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

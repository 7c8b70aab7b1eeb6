// SPDX-License-Identifier: Apache-2.0
// aihls_delay: shift register of DELAY enabled cycles; no reset, so that it maps to SRLs.
// Latency DELAY enabled cycles (0 is a wire). Cost about WIDTH LUTs per 32 cycles.
`default_nettype none
module aihls_delay #(
    parameter WIDTH = 8,
    parameter DELAY = 1
) (
    input  wire             clk,
    input  wire             en,
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
    generate
        if (DELAY == 0) begin : g_wire
            wire unused_ok = &{1'b0, clk, en};
            assign q = d;
        end else if (DELAY == 1) begin : g_one
            reg [WIDTH-1:0] line_q;
            always @(posedge clk) if (en) line_q <= d;
            assign q = line_q;
        end else begin : g_line
            reg [WIDTH*DELAY-1:0] line_q;
            always @(posedge clk) if (en) line_q <= {line_q[WIDTH*(DELAY-1)-1:0], d};
            assign q = line_q[WIDTH*(DELAY-1) +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire

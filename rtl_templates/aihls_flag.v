// SPDX-License-Identifier: Apache-2.0
// aihls_flag: one bit delayed by DELAY enabled cycles (0 is a wire).  Reset: all zero.
`default_nettype none
module aihls_flag #(
    parameter DELAY = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire en,
    input  wire d,
    output wire q
);
    generate
        if (DELAY == 0) begin : g_wire
            wire unused_ok = &{1'b0, clk, rst, en};
            assign q = d;
        end else if (DELAY == 1) begin : g_one
            reg flag_q;
            always @(posedge clk) begin
                if (en) flag_q <= d;
                if (rst) flag_q <= 1'b0;
            end
            assign q = flag_q;
        end else begin : g_line
            reg [DELAY-1:0] line_q;
            always @(posedge clk) begin
                if (en) line_q <= {line_q[DELAY-2:0], d};
                if (rst) line_q <= {DELAY{1'b0}};
            end
            assign q = line_q[DELAY-1];
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_pick: word `sel` of N words. Combinational; sel < N.
`default_nettype none
module aihls_pick #(
    parameter WIDTH = 8,
    parameter N     = 2
) (
    input  wire [N*WIDTH-1:0]                    data,
    input  wire [((N <= 2) ? 1 : $clog2(N))-1:0] sel,
    output wire [WIDTH-1:0]                      out
);
    generate
        if (N == 1) begin : g_one
            wire unused_ok = &{1'b0, sel};
            assign out = data;
        end else if (N == 2) begin : g_two
            assign out = sel[0] ? data[WIDTH +: WIDTH] : data[0 +: WIDTH];
        end else begin : g_many
            assign out = data[sel*WIDTH +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire

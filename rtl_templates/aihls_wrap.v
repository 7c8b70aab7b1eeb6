// SPDX-License-Identifier: Apache-2.0
// aihls_wrap: sum = (a + b) modulo N, for a and b below N; b_less is b - N, which the caller has as a constant or a choice of
// constants. Combinational: two sums side by side, of which the second's sign chooses; no comparison stands between them.
`default_nettype none
module aihls_wrap #(
    parameter WIDTH = 3,   // N is at most 2^(WIDTH-1)
    parameter N     = 3
) (
    input  wire [WIDTH-1:0] a,
    input  wire [WIDTH-1:0] b,
    input  wire [WIDTH-1:0] b_less,
    output wire [WIDTH-1:0] sum
);
    wire [WIDTH-1:0] below = a + b;
    wire [WIDTH-1:0] above = a + b_less;

    assign sum = above[WIDTH-1] ? below : above;

    generate
        if (N < 1 || N > (1 << (WIDTH - 1))) begin : g_check
            aihls_error_N_must_fit_WIDTH_minus_1_bits u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

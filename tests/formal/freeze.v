// SPDX-License-Identifier: Apache-2.0
// Stands for every register in tests/formal/structure.sh: it may hold anything (Q has no driver)
// and must keep it.
(* techmap_celltype = "$dff" *)
module freeze #(
    parameter WIDTH        = 1,
    parameter CLK_POLARITY = 1
) (
    input  wire             CLK,
    input  wire [WIDTH-1:0] D,
    output wire [WIDTH-1:0] Q
);
    always @* assert (D == Q);
endmodule

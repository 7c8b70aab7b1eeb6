// SPDX-License-Identifier: Apache-2.0
// aihls_resize: sign-extends or truncates. Wires only.
`default_nettype none
module aihls_resize #(
    parameter IN_W  = 8,
    parameter OUT_W = 8
) (
    input  wire [IN_W-1:0]  d,
    output wire [OUT_W-1:0] q
);
    generate
        if (OUT_W > IN_W) begin : g_extend
            assign q = {{(OUT_W-IN_W){d[IN_W-1]}}, d};
        end else begin : g_cut
            assign q = d[OUT_W-1:0];
            if (OUT_W < IN_W) begin : g_unused
                wire unused_ok = &{1'b0, d[IN_W-1:OUT_W]};
            end
        end
    endgenerate
endmodule
`default_nettype wire

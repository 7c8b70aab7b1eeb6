// SPDX-License-Identifier: Apache-2.0
// aihls_tail: which lanes of the current beat hold a channel: all, but for the rest of the
// division in the last beat of a pixel. `en` steps to the next beat.  Reset: first beat.
`default_nettype none
module aihls_tail #(
    parameter LANES    = 1,
    parameter CHANNELS = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             en,
    output wire [LANES-1:0] keep
);
    localparam REST = CHANNELS % LANES;
    generate
        if (REST == 0) begin : g_full
            wire unused_ok = &{1'b0, clk, rst, en};
            assign keep = {LANES{1'b1}};
        end else begin : g_part
            wire last;
            aihls_count #(.N((CHANNELS + LANES - 1) / LANES)) u_beats (
                .clk(clk), .rst(rst), .en(en), .last(last)
            );
            assign keep = {{(LANES-REST){!last}}, {REST{1'b1}}};
        end
    endgenerate
endmodule
`default_nettype wire

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
            // Words at a power of two: Yosys 0.23 makes a barrel shifter of sel times an even
            // width, several times as large.
            localparam PAD_W = 1 << $clog2(WIDTH);
            wire [N*PAD_W-1:0] padded;
            wire [PAD_W-1:0]   word;
            genvar i;
            for (i = 0; i < N; i = i + 1) begin : g_word
                aihls_fit #(.IN_W(WIDTH), .OUT_W(PAD_W)) u_word (
                    .d(data[i*WIDTH +: WIDTH]), .q(padded[i*PAD_W +: PAD_W])
                );
            end
            assign word = padded[sel*PAD_W +: PAD_W];
            aihls_fit #(.IN_W(PAD_W), .OUT_W(WIDTH)) u_out (.d(word), .q(out));
        end
    endgenerate
endmodule
`default_nettype wire

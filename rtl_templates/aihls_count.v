// SPDX-License-Identifier: Apache-2.0
// aihls_count: modulo-N event counter that only tells when it stands on its last value.
// `last` is a register, so that nested loops chain flags and never comparators.
// Reset: back to the first value.
`default_nettype none
module aihls_count #(
    parameter N = 2  // events per round, at least 1
) (
    input  wire clk,
    input  wire rst,
    input  wire en,
    output wire last
);
    localparam COUNT_W = (N <= 2) ? 1 : $clog2(N);
    localparam integer BEFORE = (N < 2) ? 0 : N - 2;
    localparam [COUNT_W-1:0] BEFORE_LAST = BEFORE[COUNT_W-1:0];

    generate
        if (N < 1) begin : g_check
            aihls_error_N_must_be_at_least_1 u_error ();
        end
        if (N == 1) begin : g_one
            wire unused_ok = &{1'b0, clk, rst, en, BEFORE_LAST};
            assign last = 1'b1;
        end else begin : g_many
            reg [COUNT_W-1:0] count_q;
            reg               last_q;
            always @(posedge clk) begin
                if (en) begin
                    count_q <= last_q ? {COUNT_W{1'b0}} : count_q + {{(COUNT_W-1){1'b0}}, 1'b1};
                    last_q  <= (count_q == BEFORE_LAST);
                end
                if (rst) begin
                    count_q <= {COUNT_W{1'b0}};
                    last_q  <= 1'b0;
                end
            end
            assign last = last_q;
        end
    endgenerate
endmodule
`default_nettype wire

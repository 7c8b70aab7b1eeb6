// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_frame: `last` with every BEATS-th beat, `wrong` from the first beat on whose flag said otherwise.
`default_nettype none
module fv_frame #(
    parameter BEATS = 3
) (
    input wire clk,
    input wire rst,
    input wire move,
    input wire flag
);
    wire      last, wrong;
    reg [7:0] beat_q;
    reg       wrong_q;
    aihls_frame #(.BEATS(BEATS)) u_dut (.clk(clk), .rst(rst), .move(move), .flag(flag), .last(last), .wrong(wrong));
    fv_reset u_reset (.clk(clk), .rst(rst));
    always @(posedge clk) begin
        if (move) beat_q <= (beat_q == BEATS - 1) ? 0 : beat_q + 1'b1;
        if (move && flag != (beat_q == BEATS - 1)) wrong_q <= 1'b1;
        if (rst) begin
            beat_q  <= 0;
            wrong_q <= 1'b0;
        end
    end
    always @* if (!rst) assert (last == (beat_q == BEATS - 1) && wrong == wrong_q);
endmodule
`default_nettype wire

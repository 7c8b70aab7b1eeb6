// SPDX-License-Identifier: Apache-2.0
// tb_latency: cycles from the acceptance of word number WORDS to the first valid output.
`default_nettype none
module tb_latency #(
    parameter NAME    = "",
    parameter WORDS   = 1,
    parameter LATENCY = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire take,
    input  wire valid,
    output reg  done,
    output reg  fail
);
    reg [31:0] taken_q;
    reg [31:0] age_q;     // cycles since word WORDS was taken
    always @(posedge clk) begin
        if (take) taken_q <= taken_q + 1;
        if (taken_q >= WORDS) age_q <= age_q + 1;
        if (valid && !done) begin
            done <= 1;
            if (taken_q < WORDS || age_q + 1 != LATENCY) begin
                if (!rst) $display("%s: latency %0d after word %0d, not %0d", NAME, age_q + 1, taken_q, LATENCY);
                fail <= 1;
            end
        end
        if (rst) begin
            taken_q <= 0;
            age_q   <= 0;
            done    <= 0;
            fail    <= 0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// tb_busy: counts a stage's own cycles and, at the end, compares them with two bounds.
`default_nettype none
module tb_busy #(
    parameter NAME  = "",
    parameter LEAST = 0,
    parameter MOST  = 0   // 0: no bound
) (
    input wire clk,
    input wire rst,
    input wire busy,
    input wire done
);
    reg [31:0] count_q;
    reg        told_q;
    always @(posedge clk) begin
        if (busy && !done) count_q <= count_q + 1;
        if (done && !told_q && !rst) begin
            told_q <= 1;
            if (count_q < LEAST || (MOST != 0 && count_q > MOST)) begin
                $display("%s: busy %0d cycles, not %0d..%0d", NAME, count_q, LEAST, MOST);
                $stop;
            end
        end
        if (rst) begin
            count_q <= 0;
            told_q  <= 0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_tally: what is read is what one event's counter was at most 2 N cycles ago, or was since, from the second
// round behind the reset.
`default_nettype none
module fv_tally #(
    parameter N  = 3,
    parameter ME = 1
) (
    input wire         clk,
    input wire         rst,
    input wire [N-1:0] event_on
);
    localparam LAG = 2 * N + 2;
    wire [31:0] rdata;
    reg  [15:0] count_q;           // events, those of this cycle left out
    reg  [16*LAG-1:0] before_q;    // what it was in the cycles before
    reg  [7:0]  age_q;
    aihls_tally #(.N(N)) u_dut (.clk(clk), .rst(rst), .event_on(event_on), .raddr(ME), .rdata(rdata));
    fv_reset u_reset (.clk(clk), .rst(rst));
    always @(posedge clk) begin
        count_q  <= count_q + event_on[ME];
        before_q <= {before_q[16*LAG-17:0], count_q};
        age_q    <= (age_q == 8'd255) ? age_q : age_q + 1'b1;
        if (rst) begin
            count_q  <= 0;
            before_q <= 0;
            age_q    <= 0;
        end
    end
    always @* if (!rst && age_q > LAG) assert (rdata <= count_q && rdata >= before_q[16*LAG-1 -: 16]);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_frame: holds a stream's own last flag against the number of beats that a frame has. `last` is 1 at a frame's last
// beat; `wrong` becomes 1, and stays, when a beat moves whose flag says otherwise. Reset: a frame begins, nothing is wrong.
`default_nettype none
module aihls_frame #(
    parameter BEATS = 2
) (
    input  wire clk,
    input  wire rst,
    input  wire move,     // a beat is taken
    input  wire flag,     // that calls itself the last
    output wire last,
    output wire wrong
);
    reg wrong_q;
    assign wrong = wrong_q;
    aihls_count #(.N(BEATS)) u_beats (.clk(clk), .rst(rst), .en(move), .last(last));
    always @(posedge clk) begin
        if (move && flag != last) wrong_q <= 1'b1;
        if (rst) wrong_q <= 1'b0;
    end
endmodule
`default_nettype wire

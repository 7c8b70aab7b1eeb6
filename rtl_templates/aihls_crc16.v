// SPDX-License-Identifier: Apache-2.0
// aihls_crc16: the next state of a CRC-16 (x^16 + x^12 + x^5 + 1, most significant bit first) behind one more byte.
// Combinational. A message followed by its CRC, high byte first, leaves 0.
`default_nettype none
module aihls_crc16 (
    input  wire [15:0] crc,
    input  wire [7:0]  data,
    output wire [15:0] next
);
    function [15:0] after;
        input [15:0] from;
        integer      i;
        begin
            after = from;
            for (i = 0; i < 8; i = i + 1) after = {after[14:0], 1'b0} ^ (after[15] ? 16'h1021 : 16'h0000);
        end
    endfunction
    assign next = after(crc ^ {data, 8'd0});
endmodule
`default_nettype wire

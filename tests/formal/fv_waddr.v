// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_waddr: slot 0 counts the enabled steps modulo DEPTH, slot k is k enabled
// cycles behind.
`default_nettype none
module fv_waddr #(
    parameter DEPTH = 5,
    parameter SLOTS = 3
) (
    input wire clk,
    input wire rst,
    input wire en,
    input wire step
);
    localparam ADDR_W = (DEPTH <= 2) ? 1 : $clog2(DEPTH);
    wire [SLOTS*ADDR_W-1:0] addr;
    aihls_waddr #(.DEPTH(DEPTH), .SLOTS(SLOTS)) u_dut (.clk(clk), .rst(rst), .en(en), .step(step), .addr(addr));
    fv_reset u_reset (.clk(clk), .rst(rst));
    reg  [15:0]             steps_q;
    reg  [SLOTS*ADDR_W-1:0] old_q;     // what the slots were at the last enabled cycle
    reg                     known_q = 1'b0;
    always @(posedge clk) begin
        if (en && step) steps_q <= (steps_q == DEPTH - 1) ? 0 : steps_q + 1'b1;
        if (rst) steps_q <= 0;
        if (en) old_q <= addr;
        if (en) known_q <= 1'b1;
    end
    always @* if (!rst) assert (addr[ADDR_W-1:0] == steps_q);
    genvar k;
    generate
        for (k = 1; k < SLOTS; k = k + 1) begin : g_slot
            always @* if (known_q) assert (addr[k*ADDR_W +: ADDR_W] == old_q[(k-1)*ADDR_W +: ADDR_W]);
        end
    endgenerate
endmodule
`default_nettype wire

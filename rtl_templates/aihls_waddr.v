// SPDX-License-Identifier: Apache-2.0
// aihls_waddr: weight addresses of a systolic array. Slot 0 counts steps modulo DEPTH and
// moves on with every enabled `step`; slot k is slot 0 delayed by k enabled cycles.
// Reset: first address.
`default_nettype none
module aihls_waddr #(
    parameter DEPTH = 9,
    parameter SLOTS = 8
) (
    input  wire                                                clk,
    input  wire                                                rst,
    input  wire                                                en,
    input  wire                                                step,
    output wire [SLOTS*((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr
);
    localparam ADDR_W = (DEPTH <= 2) ? 1 : $clog2(DEPTH);
    wire              last;
    reg  [ADDR_W-1:0] addr_q;

    aihls_count #(.N(DEPTH)) u_last (.clk(clk), .rst(rst), .en(en && step), .last(last));
    always @(posedge clk) begin
        if (en && step) addr_q <= last ? {ADDR_W{1'b0}} : addr_q + {{(ADDR_W-1){1'b0}}, 1'b1};
        if (rst) addr_q <= {ADDR_W{1'b0}};
    end
    assign addr[ADDR_W-1:0] = addr_q;

    genvar k;
    generate
        for (k = 1; k < SLOTS; k = k + 1) begin : g_slot
            reg [ADDR_W-1:0] slot_q;
            always @(posedge clk) if (en) slot_q <= addr[(k-1)*ADDR_W +: ADDR_W];
            assign addr[k*ADDR_W +: ADDR_W] = slot_q;
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_lutram: a memory of LUTs that is read at once: rdata is combinational from raddr. A write shows a cycle later.
`default_nettype none
module aihls_lutram #(
    parameter WIDTH = 32,
    parameter DEPTH = 16   // at least 2
) (
    input  wire                     clk,
    input  wire                     we,
    input  wire [$clog2(DEPTH)-1:0] waddr,
    input  wire [WIDTH-1:0]         wdata,
    input  wire [$clog2(DEPTH)-1:0] raddr,
    output wire [WIDTH-1:0]         rdata
);
    (* ram_style = "distributed" *)
    reg [WIDTH-1:0] mem [0:DEPTH-1];
    assign rdata = mem[raddr];
    always @(posedge clk) if (we) mem[waddr] <= wdata;
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_ram: one write port, one registered read port (latency 1 cycle, when `re`).
// A read of the address being written returns either value: users never do it.
`default_nettype none
module aihls_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter BLOCK = 0   // 1: block RAM, 0: LUT RAM
) (
    input  wire                                          clk,
    input  wire                                          we,
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] waddr,
    input  wire [WIDTH-1:0]                              wdata,
    input  wire                                          re,
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] raddr,
    output wire [WIDTH-1:0]                              rdata
);
    generate
        if (BLOCK != 0) begin : g_block
            (* ram_style = "block", no_rw_check = 1 *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] rdata_q;
            always @(posedge clk) if (we) mem[waddr] <= wdata;
            always @(posedge clk) if (re) rdata_q <= mem[raddr];
            assign rdata = rdata_q;
        end else begin : g_lut
            (* ram_style = "distributed" *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] rdata_q;
            always @(posedge clk) if (we) mem[waddr] <= wdata;
            always @(posedge clk) if (re) rdata_q <= mem[raddr];
            assign rdata = rdata_q;
        end
    endgenerate
endmodule
`default_nettype wire

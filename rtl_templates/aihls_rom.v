// SPDX-License-Identifier: Apache-2.0
// aihls_rom: memory image with one registered read. Latency 1 cycle, when `en`.
// Cost: BLOCK = 1 block RAM, BLOCK = 0 LUTs and WIDTH flip-flops.  Reset: none.
`default_nettype none
module aihls_rom #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter FILE  = "",  // $readmemh image of DEPTH words
    parameter BLOCK = 0    // 1: block RAM, 0: LUTs
) (
    input  wire                                          clk,
    input  wire                                          en,
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr,
    output wire [WIDTH-1:0]                              data
);
    generate
        if (BLOCK != 0) begin : g_block
            (* rom_style = "block", ram_style = "block" *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] data_q;
            initial if (FILE != "") $readmemh(FILE, mem);
            always @(posedge clk) if (en) data_q <= mem[addr];
            assign data = data_q;
        end else begin : g_lut
            (* syn_romstyle = "logic" *) // Yosys has no LUT RAM that starts with contents
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] data_q;
            initial if (FILE != "") $readmemh(FILE, mem);
            always @(posedge clk) if (en) data_q <= mem[addr];
            assign data = data_q;
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_spram: a memory of one port, which reads or writes. Latency of a read 1 cycle; a write leaves the word read before.
// Cost: HUGE = 1 the large blocks of a family that has such (16,384 words of 8 bits each in iCE40 UltraPlus), 0 block RAM.
`default_nettype none
module aihls_spram #(
    parameter WIDTH = 8,
    parameter DEPTH = 1024,
    parameter HUGE  = 0
) (
    input  wire                                          clk,
    input  wire                                          en,
    input  wire                                          we, // with en
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr,
    input  wire [WIDTH-1:0]                              wdata,
    output wire [WIDTH-1:0]                              rdata
);
    generate
        if (HUGE != 0) begin : g_huge
            (* ram_style = "huge" *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] rdata_q;
            always @(posedge clk) begin
                if (en) begin
                    if (we) mem[addr] <= wdata;
                    else rdata_q <= mem[addr];
                end
            end
            assign rdata = rdata_q;
        end else begin : g_block
            (* ram_style = "block" *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] rdata_q;
            always @(posedge clk) begin
                if (en) begin
                    if (we) mem[addr] <= wdata;
                    else rdata_q <= mem[addr];
                end
            end
            assign rdata = rdata_q;
        end
    endgenerate
endmodule
`default_nettype wire

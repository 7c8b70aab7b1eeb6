// SPDX-License-Identifier: Apache-2.0
// aihls_spram: a memory of bytes with one port, which reads or writes. Latency of a read 1 cycle; a write leaves the byte read
// before as it is.
// Cost: HUGE = 1 the large blocks of a family that has such, two bytes a word (32,768 bytes each in iCE40 UltraPlus), 0 block RAM.
`default_nettype none
module aihls_spram #(
    parameter DEPTH = 1024,
    parameter HUGE  = 0
) (
    input  wire                                          clk,
    input  wire                                          en,
    input  wire                                          we, // with en
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr,
    input  wire [7:0]                                    wdata,
    output wire [7:0]                                    rdata
);
    localparam ADDR_W = (DEPTH <= 2) ? 1 : $clog2(DEPTH);
    localparam WORD_W = (ADDR_W < 2) ? 1 : ADDR_W - 1;
    generate
        if (HUGE != 0) begin : g_huge
            (* ram_style = "huge" *)
            reg  [15:0]       mem [0:(DEPTH+1)/2-1];
            reg  [15:0]       rdata_q;
            reg               high_q;
            wire [ADDR_W:0]   wide = {1'b0, addr};
            wire [WORD_W-1:0] word = wide[WORD_W:1];
            wire              unused_ok = &{1'b0, wide};
            always @(posedge clk) begin
                if (en) begin
                    if (we) begin
                        if (addr[0]) mem[word][15:8] <= wdata;
                        else mem[word][7:0] <= wdata;
                    end else begin
                        rdata_q <= mem[word];
                        high_q  <= addr[0];
                    end
                end
            end
            assign rdata = high_q ? rdata_q[15:8] : rdata_q[7:0];
        end else begin : g_block
            (* ram_style = "block" *)
            reg [7:0] mem [0:DEPTH-1];
            reg [7:0] rdata_q;
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

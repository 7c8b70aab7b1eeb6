// SPDX-License-Identifier: Apache-2.0
// aihls_store: aihls_rom whose contents come after reset. Stores stand in a chain that bytes pass, at most one a cycle: each takes
// the first (WIDTH + 7) / 8 * DEPTH that reach it, words in order, the lowest byte of a word first, and gives those behind them
// to the next, a cycle later. `loaded`: all have come, and may be read. Latency of a read 1 cycle, when `en`.
// Cost: the memory, a word of flip-flops, two counters. Reset: the contents must come again.
`default_nettype none
module aihls_store #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter BLOCK = 0    // 1: block RAM, 0: LUT RAM
) (
    input  wire                                          clk,
    input  wire                                          rst,
    input  wire [7:0]                                    s_code_data,
    input  wire                                          s_code_valid,
    output wire [7:0]                                    m_code_data,
    output wire                                          m_code_valid,
    output wire                                          loaded,
    input  wire                                          en,
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr,
    output wire [WIDTH-1:0]                              data
);
    localparam BYTES  = (WIDTH + 7) / 8;
    localparam ADDR_W = (DEPTH <= 2) ? 1 : $clog2(DEPTH);
    localparam integer LAST = DEPTH - 1;
    reg  [8*BYTES-1:0] word_q;
    reg  [ADDR_W-1:0]  at_q;      // of the word that is coming
    reg  [ADDR_W-1:0]  waddr_q;
    reg                put_q;     // word_q is whole
    reg                full_q;    // nothing more is taken
    reg                loaded_q;
    reg  [7:0]         byte_q;
    reg                valid_q;
    wire               take  = s_code_valid && !full_q;
    wire               last;      // byte of a word
    wire [8*BYTES+7:0] shift = {s_code_data, word_q};
    wire               unused_ok = &{1'b0, shift[7:0], word_q};

    aihls_count #(.N(BYTES)) u_byte (.clk(clk), .rst(rst), .en(take), .last(last));
    aihls_ram #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_words (
        .clk(clk), .we(put_q), .waddr(waddr_q), .wdata(word_q[WIDTH-1:0]), .re(en), .raddr(addr), .rdata(data)
    );
    assign m_code_data  = byte_q;
    assign m_code_valid = valid_q;
    assign loaded       = loaded_q;
    always @(posedge clk) begin
        byte_q   <= s_code_data;
        valid_q  <= s_code_valid && full_q;
        put_q    <= take && last;
        waddr_q  <= at_q;
        loaded_q <= full_q;
        if (take) word_q <= shift[8*BYTES+7:8];
        if (take && last) begin
            at_q   <= at_q + 1'b1;
            full_q <= at_q == LAST[ADDR_W-1:0];
        end
        if (rst) begin
            valid_q  <= 1'b0;
            put_q    <= 1'b0;
            at_q     <= {ADDR_W{1'b0}};
            full_q   <= 1'b0;
            loaded_q <= 1'b0;
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_uart_unpack: packets from a line's bytes. A packet stands between bytes 0xc0; inside, 0xdb 0xdc is 0xc0 and
// 0xdb 0xdd is 0xdb (the framing of RFC 1055). Its last two bytes are the CRC of those before (aihls_crc16, from 0xffff). Its
// first three are given as op, seq and arg, those behind them, up to BLOCK, are written to addresses from 0 as they come.
//
// `done` is 1 for a cycle behind a packet that is whole; op, seq, arg and n_bytes (behind arg) keep until the next begins.
// `bad` is 1 behind one that is not: a wrong CRC, a byte with a line error, too short, too long, or begun or continued while
// `hold` was 1. No state of the line holds it up: the next 0xc0 begins a packet, whatever came before.
// Reset: what comes until the next 0xc0 belongs to a packet.
`default_nettype none
module aihls_uart_unpack #(
    parameter BLOCK = 64   // data bytes, a power of two, at least 8
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [7:0]                 s_data,
    input  wire                       s_valid,
    input  wire                       s_error,
    input  wire                       hold,    // op, seq, arg and the data must stay
    output wire                       we,
    output wire [$clog2(BLOCK)-1:0]   waddr,
    output wire [7:0]                 wdata,
    output wire [7:0]                 op,
    output wire [7:0]                 seq,
    output wire [7:0]                 arg,
    output wire [$clog2(BLOCK):0]     n_bytes,
    output wire                       done,
    output wire                       bad
);
    localparam COUNT_W = $clog2(2 * BLOCK);   // counts a block and the five bytes around it
    localparam integer LONGEST = BLOCK + 5;
    localparam [COUNT_W-1:0] HEADER = 3, SHORTEST = 5, FULL = LONGEST[COUNT_W-1:0];

    reg  [COUNT_W-1:0] count_q;    // bytes of this packet
    reg  [15:0]        crc_q;
    reg                escaped_q;
    reg                spoilt_q;
    reg  [23:0]        header_q;
    reg  [COUNT_W-1:0] length_q;
    reg                done_q;
    reg                bad_q;
    wire               mark  = s_valid && (s_data == 8'hc0);
    wire               shift = s_valid && (s_data == 8'hdb);
    wire               body  = s_valid && !mark && !shift;
    wire [7:0]         plain = !escaped_q ? s_data : (s_data == 8'hdc) ? 8'hc0 : 8'hdb;
    wire               wrong = s_error || (shift && escaped_q) || (body && escaped_q && (s_data != 8'hdc) && (s_data != 8'hdd)) ||
                               (body && (count_q == FULL)) || ((body || shift) && hold);
    wire               whole = !spoilt_q && !escaped_q && (count_q >= SHORTEST) && (crc_q == 16'd0);
    wire               some  = spoilt_q || escaped_q || (count_q != {COUNT_W{1'b0}});
    wire [15:0]        crc_next;
    wire [COUNT_W-1:0] at    = count_q - HEADER;
    wire               unused_ok = &{1'b0, at[COUNT_W-1]};

    // The CRC of a packet of BLOCK bytes comes to an address that wraps around: it is not written.
    assign we      = body && !hold && (count_q >= HEADER) && (at < BLOCK[COUNT_W-1:0]);
    assign waddr   = at[$clog2(BLOCK)-1:0];
    assign wdata   = plain;
    assign {op, seq, arg} = header_q;
    assign n_bytes = length_q - SHORTEST;
    assign done    = done_q;
    assign bad     = bad_q;

    aihls_crc16 u_crc (.crc(crc_q), .data(plain), .next(crc_next));

    always @(posedge clk) begin
        done_q <= mark && whole;
        bad_q  <= mark && some && !whole;
        if (mark) length_q <= count_q;
        if (body && !hold && (count_q < HEADER)) header_q <= {header_q[15:0], plain};
        if (body) begin
            count_q <= (count_q == FULL) ? count_q : count_q + {{(COUNT_W-1){1'b0}}, 1'b1};
            crc_q   <= crc_next;
        end
        if (s_valid) escaped_q <= shift;
        if (wrong)   spoilt_q  <= 1'b1;
        if (rst || mark) begin
            count_q   <= {COUNT_W{1'b0}};
            crc_q     <= 16'hffff;
            escaped_q <= 1'b0;
            spoilt_q  <= 1'b0;
        end
        if (rst) begin
            done_q <= 1'b0;
            bad_q  <= 1'b0;
        end
    end
endmodule
`default_nettype wire

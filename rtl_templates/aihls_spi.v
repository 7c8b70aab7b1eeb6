// SPDX-License-Identifier: Apache-2.0
// aihls_spi: bytes from and to an SPI host: mode 0, 8 bits, most significant first, sampled with the core's clock. `valid` is
// 1 for a cycle with each byte of the host: there is no ready, for the host does not wait. `error` is 1 for a cycle where cs_n
// cut a byte off; the next one begins with its first bit.
//
//   cs_n, sck, mosi -> two registers (they belong to no clock) -> what two samples in a row agree on -> bits
//
// So a glitch that only one sample sees changes nothing. The host's side, in cycles of clk: both halves of sck at least 4, so that
// its period is at least 8; cs_n falls at least 8 before the first rising edge (4 where a silent s goes on with 0xc0, as before a packet),
// rises at least 4 behind the last one, and stays high for at least 4.
//
// To the host goes what waits at s, or 0xc0, which is an empty packet, where nothing does. That is settled while cs_n is high,
// and for the bytes behind the first with the last rising edge of the one before. s gives the byte with its first rising
// edge: what a host has not begun to read is not lost when cs_n rises, what it has read a part of is.
// miso changes 4 to 5 cycles behind the rising edge with which the host took the bit (2 more where a glitch was): at a period of 8 it
// stands when the next one comes. miso_en is 1 while cs_n is low, with no register between.
//
// cycle    0   1   2   3   4   5   6   7   8
// sck      ____/---------------\_______________/---
// mosi     < bit 7             >< bit 6
// miso     < bit 7                     >< bit 6
//
// Throughput: a byte in 64 cycles. Reset: as behind a rising cs_n.
`default_nettype none
module aihls_spi (
    input  wire       clk,
    input  wire       rst,
    input  wire       sck,
    input  wire       cs_n,
    input  wire       mosi,
    output wire       miso,
    output wire       miso_en,
    output wire [7:0] data,
    output wire       valid,
    output wire       error,
    input  wire [7:0] s_data,
    input  wire       s_valid,
    output wire       s_ready
);
    localparam [7:0] FILLER = 8'hc0;
    // cs_n, sck, mosi
    reg  [2:0] meet_q, seen_q, before_q, level_q;
    reg        sck_q;      // level of sck, a cycle later
    reg  [2:0] bit_q;
    reg  [7:0] shift_q;    // the byte under way: its bits leave above, the host's come in below
    reg        own_q;      // it is that of s, which has not given it yet
    reg  [7:0] data_q;
    reg        valid_q;
    reg        error_q;
    wire [2:0] sure  = seen_q ~^ before_q;
    wire       away  = level_q[2];
    wire       rise  = level_q[1] && !sck_q && !away;
    wire       first = rise && (bit_q == 3'd0);
    wire       last  = rise && (bit_q == 3'd7);

    assign miso    = shift_q[7];
    assign miso_en = !cs_n;
    assign data    = data_q;
    assign valid   = valid_q;
    assign error   = error_q;
    assign s_ready = !rst && first && own_q;

    always @(posedge clk) begin
        meet_q   <= {cs_n, sck, mosi};
        seen_q   <= meet_q;
        before_q <= seen_q;
        level_q  <= (seen_q & sure) | (level_q & ~sure);
        sck_q    <= level_q[1];
        valid_q  <= last;
        error_q  <= away && (bit_q != 3'd0);
        if (rise)  bit_q   <= bit_q + 3'd1;
        if (rise)  shift_q <= {shift_q[6:0], level_q[0]};
        if (first) own_q   <= 1'b0;
        if (last)  data_q  <= {shift_q[6:0], level_q[0]};
        if (away || last) begin
            shift_q <= s_valid ? s_data : FILLER;
            own_q   <= s_valid;
        end
        if (away) bit_q <= 3'd0;
        if (rst) begin
            meet_q   <= 3'b100;
            seen_q   <= 3'b100;
            before_q <= 3'b100;
            level_q  <= 3'b100;
            sck_q    <= 1'b0;
            bit_q    <= 3'd0;
            shift_q  <= FILLER;
            own_q    <= 1'b0;
            valid_q  <= 1'b0;
            error_q  <= 1'b0;
        end
    end
endmodule
`default_nettype wire

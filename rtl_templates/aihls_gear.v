// SPDX-License-Identifier: Apache-2.0
// aihls_gear: bytes in words of S_BYTES to the same bytes in words of M_BYTES, frame by frame, in any ratio: bus words
// to beats and back. A frame has FRAME_BYTES and starts with a new word on both sides: what is left of its last input word
// is dropped, what its last output word lacks is 0. One of the two divides FRAME_BYTES, and one is a power of two.
//
//   S_BYTES 4, M_BYTES 3, FRAME_BYTES 6      s  3210 --54
//                                            m  210 543
//
// Latency 1 cycle. Throughput: a word a cycle on the side that has more of them. The buffer is a shift register in units
// of the common divisor, so that an even ratio needs few positions. Reset: drops what it holds, starts at a frame.
`default_nettype none
module aihls_gear #(
    parameter S_BYTES     = 8,
    parameter M_BYTES     = 4,
    parameter FRAME_BYTES = 64
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [S_BYTES*8-1:0] s_data,
    input  wire                 s_valid,
    output wire                 s_ready,
    output wire [M_BYTES*8-1:0] m_data,
    output wire                 m_valid,
    input  wire                 m_ready
);
    // The lowest bit set of each is its largest power of two.
    localparam S_POWER = S_BYTES & -S_BYTES;
    localparam M_POWER = M_BYTES & -M_BYTES;
    localparam UNIT    = (S_POWER < M_POWER) ? S_POWER : M_POWER;
    localparam UNIT_W  = UNIT * 8;
    localparam S_UNITS = S_BYTES / UNIT;
    localparam M_UNITS = M_BYTES / UNIT;
    // Room to give and take in every cycle, and for a frame's end that is filled up with zeros.
    localparam STEADY  = S_UNITS + M_UNITS + ((S_UNITS < M_UNITS) ? S_UNITS : M_UNITS) - 1;
    localparam ENDED   = (M_UNITS + S_UNITS - 1 + M_UNITS - 1) / M_UNITS * M_UNITS;
    localparam UNITS   = (STEADY > ENDED) ? STEADY : ENDED;
    localparam COUNT_W = $clog2(UNITS + 1);
    localparam WORDS   = (FRAME_BYTES + S_BYTES - 1) / S_BYTES;
    localparam KEPT    = FRAME_BYTES - (WORDS - 1) * S_BYTES;            // bytes of the last word
    localparam FILL    = (M_BYTES - FRAME_BYTES % M_BYTES) % M_BYTES;    // zeros behind them
    localparam integer LAST_UNITS = (KEPT + FILL) / UNIT;
    localparam integer TAKE_MOST  = UNITS - S_UNITS;
    localparam integer LAST_MOST  = (LAST_UNITS > S_UNITS) ? UNITS - LAST_UNITS : TAKE_MOST;
    localparam AT_W = $clog2(TAKE_MOST + 1);   // places where a word may be put
    localparam [COUNT_W-1:0] LAST_ADDED = LAST_UNITS[COUNT_W-1:0];
    localparam [COUNT_W-1:0] LAST_ROOM  = LAST_MOST[COUNT_W-1:0];
    localparam [COUNT_W-1:0] TAKE_ADDED = S_UNITS[COUNT_W-1:0];
    localparam [COUNT_W-1:0] TAKE_ROOM  = TAKE_MOST[COUNT_W-1:0];
    localparam [COUNT_W-1:0] GIVEN      = M_UNITS[COUNT_W-1:0];

    reg  [UNITS*UNIT_W-1:0] hold_q;   // units beyond count_q are 0
    reg  [COUNT_W-1:0]      count_q;
    wire                    last;
    wire                    take = s_valid && s_ready;
    wire                    give = m_valid && m_ready;
    wire [COUNT_W-1:0]      left = give ? count_q - GIVEN : count_q;
    wire [S_BYTES*8-1:0]    kept;
    // A word goes behind what is there; then all moves down when a word goes out.
    wire [UNITS*UNIT_W-1:0] word = take ? {{(UNITS*UNIT_W-S_BYTES*8){1'b0}}, kept} : {UNITS*UNIT_W{1'b0}};
    wire [UNITS*UNIT_W-1:0] all  = hold_q | (word << {count_q[AT_W-1:0], {$clog2(UNIT_W){1'b0}}});

    assign s_ready = !rst && (count_q <= (last ? LAST_ROOM : TAKE_ROOM));
    assign m_valid = (count_q >= GIVEN);
    assign m_data  = hold_q[M_BYTES*8-1:0];

    aihls_count #(.N(WORDS)) u_words (.clk(clk), .rst(rst), .en(take), .last(last));

    always @(posedge clk) begin
        count_q <= left + (!take ? {COUNT_W{1'b0}} : last ? LAST_ADDED : TAKE_ADDED);
        hold_q  <= give ? {{M_BYTES*8{1'b0}}, all[UNITS*UNIT_W-1:M_BYTES*8]} : all;
        if (rst) begin
            count_q <= {COUNT_W{1'b0}};
            hold_q  <= {UNITS*UNIT_W{1'b0}};
        end
    end

    generate
        if (FRAME_BYTES % S_BYTES != 0 && FRAME_BYTES % M_BYTES != 0) begin : g_check_frame
            aihls_error_S_BYTES_or_M_BYTES_must_divide_FRAME_BYTES u_error ();
        end
        if (S_POWER != S_BYTES && M_POWER != M_BYTES) begin : g_check_power
            aihls_error_S_BYTES_or_M_BYTES_must_be_a_power_of_two u_error ();
        end
        if (KEPT == S_BYTES) begin : g_whole
            assign kept = s_data;
        end else begin : g_part
            assign kept[KEPT*8-1:0] = s_data[KEPT*8-1:0];
            assign kept[S_BYTES*8-1:KEPT*8] = last ? {(S_BYTES-KEPT)*8{1'b0}} : s_data[S_BYTES*8-1:KEPT*8];
        end
    endgenerate
endmodule
`default_nettype wire

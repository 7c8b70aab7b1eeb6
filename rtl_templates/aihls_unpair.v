// SPDX-License-Identifier: Apache-2.0
// aihls_unpair: puts the results of pixel pairs into the order of a stream. A pixel has
// several words of WORD channels, LANES of them a beat; words come for both pixels in turn:
//
//   s_act   p0w0 p1w0 p0w1 p1w1 ..      m_act   p0w0 p0w1 .. p1w0 p1w1 ..
//
// With an odd OUT_W the last pair of a row is one pixel. Lanes beyond CHANNELS leave as 0.
// Two queues: to give a beat a cycle without a pause, pixel 1's must hold all of its beats,
// and pixel 0's half of them, or all where pixels come alone. Latency 2 cycles for the first
// word. No combinational path from m_act_ready to s_act_ready.
// Reset: drops what is held, starts at a row.
`default_nettype none
module aihls_unpair #(
    parameter LANES    = 1,
    parameter CHANNELS = 2,
    parameter WORD     = 1,  // a multiple of LANES
    parameter OUT_W    = 2
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [LANES*8-1:0] s_act_data,
    input  wire               s_act_valid,
    output wire               s_act_ready,
    output wire [LANES*8-1:0] m_act_data,
    output wire               m_act_valid,
    input  wire               m_act_ready
);
    localparam BEATS      = (CHANNELS + LANES - 1) / LANES;
    localparam WORDS      = (CHANNELS + WORD - 1) / WORD;
    localparam WORD_BEATS = WORD / LANES;
    localparam LAST_BEATS = BEATS - (WORDS - 1) * WORD_BEATS;
    localparam PAIRS      = (OUT_W + 1) / 2;
    localparam UNEVEN     = WORD_BEATS - LAST_BEATS;
    localparam DEPTH_0    = (OUT_W % 2 == 0) ? (BEATS + UNEVEN) / 2 + 2
                          : BEATS + ((UNEVEN == 0) ? 1 : 2);
    localparam BEAT_W     = (WORD_BEATS <= 2) ? 1 : $clog2(WORD_BEATS);
    localparam integer WORD_TOP = WORD_BEATS - 1;
    localparam integer LAST_TOP = LAST_BEATS - 1;

    // ---- in: which pixel a beat is of ----
    reg  [BEAT_W-1:0] beat_q;
    reg               second_q;
    wire              word_last, in_alone;
    wire              put       = s_act_valid && s_act_ready;
    wire              beat_last = (beat_q == (word_last ? LAST_TOP[BEAT_W-1:0]
                                                        : WORD_TOP[BEAT_W-1:0]));
    wire              word_end  = put && beat_last && (second_q || in_alone);
    wire [1:0]        queue_ready;
    assign s_act_ready = second_q ? queue_ready[1] : queue_ready[0];
    aihls_count #(.N(WORDS)) u_word (.clk(clk), .rst(rst), .en(word_end), .last(word_last));
    always @(posedge clk) begin
        if (put) begin
            beat_q   <= beat_last ? {BEAT_W{1'b0}} : beat_q + {{(BEAT_W-1){1'b0}}, 1'b1};
            second_q <= beat_last ? !second_q && !in_alone : second_q;
        end
        if (rst) begin
            beat_q   <= {BEAT_W{1'b0}};
            second_q <= 1'b0;
        end
    end

    // ---- out: one pixel after the other ----
    reg                  turn_q;
    wire                 pixel_last, out_alone;
    wire                 get       = m_act_valid && m_act_ready;
    wire                 pixel_end = get && pixel_last;
    wire [2*LANES*8-1:0] queue_data;
    wire [1:0]           queue_valid;
    wire [LANES*8-1:0]   mask;
    wire [LANES-1:0]     keep;
    assign m_act_valid = turn_q ? queue_valid[1] : queue_valid[0];
    assign m_act_data  = mask & (turn_q ? queue_data[LANES*8 +: LANES*8]
                                        : queue_data[0 +: LANES*8]);
    aihls_count #(.N(BEATS)) u_beat (.clk(clk), .rst(rst), .en(get), .last(pixel_last));
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(get), .keep(keep)
    );
    always @(posedge clk) begin
        if (pixel_end) turn_q <= !turn_q && !out_alone;
        if (rst) turn_q <= 1'b0;
    end

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_mask
            assign mask[i*8 +: 8] = {8{keep[i]}};
        end
        for (i = 0; i < 2; i = i + 1) begin : g_queue
            aihls_fifo #(
                .WIDTH(LANES*8), .DEPTH((i == 0) ? DEPTH_0 : BEATS + 1), .BLOCK(0)
            ) u_fifo (
                .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_act_data),
                .s_valid(s_act_valid && ((i == 0) ? !second_q : second_q)),
                .s_ready(queue_ready[i]),
                .m_data(queue_data[i*LANES*8 +: LANES*8]), .m_valid(queue_valid[i]),
                .m_ready(m_act_ready && ((i == 0) ? !turn_q : turn_q))
            );
        end
        if (OUT_W % 2 == 0) begin : g_even
            assign in_alone  = 1'b0;
            assign out_alone = 1'b0;
        end else begin : g_odd
            aihls_count #(.N(PAIRS)) u_in (
                .clk(clk), .rst(rst), .en(word_end && word_last), .last(in_alone)
            );
            aihls_count #(.N(PAIRS)) u_out (
                .clk(clk), .rst(rst), .en(pixel_end && (turn_q || out_alone)), .last(out_alone)
            );
        end
        if (WORD % LANES != 0) begin : g_check
            aihls_error_LANES_must_divide_WORD u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_argmax: for each pixel the channel of its largest element, less OFFSET, as one byte:
// the first such channel, or the last (LAST = 1).
//
//   s_act -> 2-word queue -> tournament of the lanes -> best of the pixel so far -> m_act
//                            (a register a round)
//
// A pixel takes BEATS = ceil(CHANNELS/LANES) cycles and gives one beat of one lane. Latency
// from its last beat: 2 + ceil(log2 LANES) cycles. Lanes that hold no channel never win.
// Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_argmax #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter OFFSET   = 0,   // 0..128; CHANNELS - 1 - OFFSET must not exceed 127
    parameter LAST     = 0
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [LANES*8-1:0] s_act_data,
    input  wire               s_act_valid,
    output wire               s_act_ready,
    output wire [7:0]         m_act_data,
    output wire               m_act_valid,
    input  wire               m_act_ready
);
    localparam BEATS  = (CHANNELS + LANES - 1) / LANES;
    localparam ROUNDS = $clog2(LANES);
    localparam LANE_W = (LANES <= 2) ? 1 : ROUNDS;
    // A key orders as an unsigned number. The last of equals could be a lane without a
    // channel: then a bit above the element tells those that have one.
    localparam KEY_W  = (LAST != 0 && CHANNELS % LANES != 0) ? 9 : 8;
    localparam integer BASE = -OFFSET;

    wire [LANES*8-1:0] beat;
    wire               beat_valid;
    wire [LANES-1:0]   keep;
    reg                m_valid_q;
    wire               en   = !m_valid_q || m_act_ready;
    wire               busy = beat_valid && en;

    aihls_fifo #(.WIDTH(LANES*8), .DEPTH(2), .BLOCK(0)) u_queue (
        .clk(clk), .rst(rst), .stall(1'b0), .s_data(s_act_data), .s_valid(s_act_valid),
        .s_ready(s_act_ready), .m_data(beat), .m_valid(beat_valid), .m_ready(en)
    );
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(busy), .keep(keep)
    );

    // ---- tournament: the right one wins when it is larger, or as large and LAST -------------
    genvar level, i;
    generate
        for (level = 0; level <= ROUNDS; level = level + 1) begin : g_level
            localparam NODES = (LANES + (1 << level) - 1) >> level;
            wire [NODES*KEY_W-1:0]  keys;
            wire [NODES*LANE_W-1:0] lanes;
            if (level == 0) begin : g_leaves
                for (i = 0; i < NODES; i = i + 1) begin : g_node
                    localparam integer LANE = i;
                    // the element with its sign bit turned over
                    assign keys[i*KEY_W +: 8] =
                        {!beat[i*8+7] && keep[i], beat[i*8 +: 7] & {7{keep[i]}}};
                    if (KEY_W == 9) begin : g_keep
                        assign keys[i*KEY_W+8] = keep[i];
                    end
                    assign lanes[i*LANE_W +: LANE_W] = LANE[LANE_W-1:0];
                end
            end else begin : g_inner
                localparam BELOW = (LANES + (1 << (level - 1)) - 1) >> (level - 1);
                for (i = 0; i < NODES; i = i + 1) begin : g_node
                    reg [KEY_W-1:0]  key_q;
                    reg [LANE_W-1:0] lane_q;
                    wire [KEY_W-1:0]  left = g_level[level-1].keys[2*i*KEY_W +: KEY_W];
                    wire [LANE_W-1:0] left_lane = g_level[level-1].lanes[2*i*LANE_W +: LANE_W];
                    if (2*i + 1 == BELOW) begin : g_odd
                        always @(posedge clk) begin
                            if (en) begin
                                key_q  <= left;
                                lane_q <= left_lane;
                            end
                        end
                    end else begin : g_pair
                        wire [KEY_W-1:0] right = g_level[level-1].keys[(2*i+1)*KEY_W +: KEY_W];
                        wire [LANE_W-1:0] right_lane =
                            g_level[level-1].lanes[(2*i+1)*LANE_W +: LANE_W];
                        wire win = (LAST != 0) ? (right >= left) : (right > left);
                        always @(posedge clk) begin
                            if (en) begin
                                key_q  <= win ? right : left;
                                lane_q <= win ? right_lane : left_lane;
                            end
                        end
                    end
                    assign keys[i*KEY_W +: KEY_W]    = key_q;
                    assign lanes[i*LANE_W +: LANE_W] = lane_q;
                end
            end
        end
        if (OFFSET < 0 || OFFSET > 128 || CHANNELS - 1 - OFFSET > 127) begin : g_check
            aihls_error_the_index_less_OFFSET_must_fit_8_bits u_error ();
        end
    endgenerate

    // ---- best of the pixel so far: its index is the output -----------------------------------
    wire              winner_valid, beat_last;
    wire [KEY_W-1:0]  key  = g_level[ROUNDS].keys;
    wire [LANE_W-1:0] lane = g_level[ROUNDS].lanes;
    wire [7:0]        lane_wide;
    reg  [KEY_W-1:0]  best_q;
    reg  [7:0]        index_q, base_q;
    reg               first_q;
    wire              better = first_q || ((LAST != 0) ? (key >= best_q) : (key > best_q));
    wire              step   = en && winner_valid;

    aihls_flag #(.DELAY(ROUNDS)) u_valid (
        .clk(clk), .rst(rst), .en(en), .d(beat_valid), .q(winner_valid)
    );
    aihls_count #(.N(BEATS)) u_beat (.clk(clk), .rst(rst), .en(step), .last(beat_last));
    aihls_fit #(.IN_W(LANE_W), .OUT_W(8)) u_lane (.d(lane), .q(lane_wide));
    always @(posedge clk) begin
        if (step) begin
            first_q <= beat_last;
            base_q  <= beat_last ? BASE[7:0] : base_q + LANES[7:0];
        end
        if (step && better) begin
            best_q  <= key;
            index_q <= base_q + lane_wide;
        end
        if (en) m_valid_q <= winner_valid && beat_last;
        if (rst) begin
            first_q   <= 1'b1;
            base_q    <= BASE[7:0];
            m_valid_q <= 1'b0;
        end
    end
    assign m_act_data  = index_q;
    assign m_act_valid = m_valid_q;
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

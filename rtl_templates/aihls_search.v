// SPDX-License-Identifier: Apache-2.0
// aihls_search: any function of a sum that never falls, as 255 thresholds: lane by lane the result is the number of
// thresholds that the sum reaches, less 128. (A norm is such a function: scale, root, rounding, zero point and clamp
// are all in the thresholds, so that it is rounded once.)
//
//   s_sum -> 8 levels of a binary search, a bit of the result each -> m_act
//            threshold of the level, read by the bits found so far; sum >= threshold?
//
// Thresholds t[1] <= t[2] <= .. <= t[255] are unsigned numbers of SUM_W bits, and so are the sums. Level j (0 to 7)
// has found the upper j bits b of the result and asks for t[b * 2^(8-j) + 2^(7-j)]: that is word b of its memory,
// which is outside (aihls_rom), one for each lane and level, 2^j words. t_en reads all of them. Lane l's address of
// level j has max(1, j) bits (0 at level 0) and stands at t_addr[l*ADDRS_W + A_j], A_0 = 0, A_j = 1 + j*(j-1)/2;
// its threshold at t_data[(l*8 + j)*SUM_W].
//
// Latency 17 cycles, one beat a cycle. Lanes beyond CHANNELS in a pixel's last beat give 0. s_sum_ready depends on
// m_act_ready combinationally.  Reset: drops what is in flight, starts at a pixel.
`default_nettype none
module aihls_search #(
    parameter LANES    = 1,
    parameter CHANNELS = 1,
    parameter SUM_W    = 17,
    // Derived: leave at the default.
    parameter ADDRS_W  = 29
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire [LANES*SUM_W-1:0]   s_sum_data,
    input  wire                     s_sum_valid,
    output wire                     s_sum_ready,
    output wire                     t_en,
    output wire [LANES*ADDRS_W-1:0] t_addr,
    input  wire [LANES*8*SUM_W-1:0] t_data,
    output wire [LANES*8-1:0]       m_act_data,
    output wire                     m_act_valid,
    input  wire                     m_act_ready
);
    wire             found_valid;
    wire [LANES-1:0] keep;
    reg              m_valid_q;
    wire             en = !m_valid_q || m_act_ready;
    assign t_en        = en;
    assign s_sum_ready = en;

    aihls_flag #(.DELAY(16)) u_valid (
        .clk(clk), .rst(rst), .en(en), .d(s_sum_valid), .q(found_valid)
    );
    aihls_tail #(.LANES(LANES), .CHANNELS(CHANNELS)) u_tail (
        .clk(clk), .rst(rst), .en(en && found_valid), .keep(keep)
    );
    always @(posedge clk) begin
        if (en) m_valid_q <= found_valid;
        if (rst) m_valid_q <= 1'b0;
    end
    assign m_act_valid = m_valid_q;

    genvar l, j;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : g_lane
            reg [7:0] m_q;
            for (j = 0; j < 8; j = j + 1) begin : g_level
                localparam AT = (j == 0) ? 0 : 1 + j * (j - 1) / 2;
                localparam A_W = (j == 0) ? 1 : j;
                wire [SUM_W-1:0] sum;            // asked with the bits above
                wire [A_W-1:0]   above;
                reg  [SUM_W-1:0] sum_q, sum2_q;  // as the threshold comes, and behind the comparison
                reg  [j:0]       found_q;
                wire             reached = (sum_q >= t_data[(l*8+j)*SUM_W +: SUM_W]);
                assign t_addr[l*ADDRS_W+AT +: A_W] = above;
                if (j == 0) begin : g_first
                    assign sum   = s_sum_data[l*SUM_W +: SUM_W];
                    assign above = 1'b0;
                    always @(posedge clk) if (en) found_q <= reached;
                end else begin : g_next
                    reg [j-1:0] above_q;
                    assign sum   = g_level[j-1].sum2_q;
                    assign above = g_level[j-1].found_q;
                    always @(posedge clk) begin
                        if (en) begin
                            above_q <= above;
                            found_q <= {above_q, reached};
                        end
                    end
                end
                always @(posedge clk) begin
                    if (en) begin
                        sum_q  <= sum;
                        sum2_q <= sum_q;
                    end
                end
                if (j == 7) begin : g_last
                    wire unused_ok = &{1'b0, sum2_q};
                end
            end
            always @(posedge clk)
                if (en) m_q <= keep[l] ? {!g_level[7].found_q[7], g_level[7].found_q[6:0]} : 8'd0;
            assign m_act_data[l*8 +: 8] = m_q;
        end
    endgenerate
endmodule
`default_nettype wire

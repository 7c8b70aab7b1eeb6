// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_drain: every pass that it takes leaves lane by lane, in order, with the
// parameters of its channel. The requantizer behind it computes acc + bias (multiplier 1, no shift)
// where bias is the channel, so that a wrong parameter address shows. ACC_W stays small enough not
// to saturate.
`default_nettype none
module fv_drain #(
    parameter L          = 2,
    parameter ACC_W      = 3,
    parameter MP         = 1,
    parameter LAST_LANES = 2,
    parameter CHANNELS   = 2,
    parameter REQUANT    = 1,
    parameter RQ_LANES   = 1,
    parameter RQ_CYCLES  = 1,
    parameter WAIT       = 0
) (
    input wire               clk,
    input wire               rst,
    input wire               pick,
    input wire               done,
    input wire [L*ACC_W-1:0] acc,
    input wire               m_ready
);
    localparam BEATS  = (CHANNELS + RQ_LANES - 1) / RQ_LANES;   // of the pixel
    localparam ADDR_W = (BEATS <= 2) ? 1 : $clog2(BEATS);
    localparam BIAS_W = 4;
    wire                       en, own, p_en, m_valid, here;
    wire [ADDR_W-1:0]          p_addr;
    reg  [RQ_LANES*(BIAS_W+1)-1:0] p_data;
    wire [RQ_LANES*8-1:0]      m_data;
    wire [L*ACC_W-1:0]         word;
    wire                       take = m_valid && m_ready;
    integer                    i;
    always @(posedge clk) if (p_en)
        for (i = 0; i < RQ_LANES; i = i + 1)
            p_data[i*(BIAS_W+1) +: BIAS_W+1] <= {1'b1, {BIAS_W{1'b0}}} | (p_addr * RQ_LANES + i);
    aihls_drain #(
        .L(L), .ACC_W(ACC_W), .MP(MP), .LAST_LANES(LAST_LANES), .CHANNELS(CHANNELS),
        .REQUANT(REQUANT), .RQ_LANES(RQ_LANES), .RQ_CYCLES(RQ_CYCLES), .BIAS_W(BIAS_W),
        .MULT_W(1), .SHIFT_W(0), .SHIFT_MIN(0)
    ) u_dut (
        .clk(clk), .rst(rst), .done(done), .acc(acc), .en(en), .own(own), .p_en(p_en),
        .p_addr(p_addr), .p_data(p_data), .m_act_data(m_data), .m_act_valid(m_valid),
        .m_act_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    // the stage freezes with its pass when en is 0
    reg               frozen_q = 1'b0;
    reg [L*ACC_W-1:0] acc_q;
    always @(posedge clk) begin
        frozen_q <= done && !en && !rst;
        acc_q    <= acc;
    end
    always @* begin
        if (frozen_q) assume (done && acc == acc_q);
        if (rst) assume (!done);
    end
    fv_hold #(.WIDTH(RQ_LANES*8)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    // output beats: of the pass, of the pixel
    reg  [7:0] pass_q, beat_q, pixel_q;
    wire [7:0] lanes     = (pass_q == MP - 1) ? LAST_LANES : L;
    wire       pass_end  = (beat_q + 1) * RQ_LANES >= lanes;
    wire       pixel_end = (pixel_q == BEATS - 1);
    always @(posedge clk) begin
        if (take) beat_q <= pass_end ? 0 : beat_q + 1'b1;
        if (take && pass_end) pass_q <= (pass_q == MP - 1) ? 0 : pass_q + 1'b1;
        if (take) pixel_q <= pixel_end ? 0 : pixel_q + 1'b1;
        if (rst) begin
            beat_q  <= 0;
            pass_q  <= 0;
            pixel_q <= 0;
        end
    end
    fv_order #(.WIDTH(L*ACC_W), .MOST(16), .WAIT(WAIT)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(done && en && !rst), .in_data(acc),
        .out_valid(m_valid), .out_take(take && pass_end), .here(here), .word(word), .held()
    );
    genvar l;
    generate
        for (l = 0; l < RQ_LANES; l = l + 1) begin : g_lane
            wire [7:0]       lane  = beat_q * RQ_LANES + l;
            wire [ACC_W-1:0] value = word >> (lane * ACC_W);
            wire [7:0]       wide  = {{8{value[ACC_W-1]}}, value};
            wire [7:0]       bias  = (REQUANT != 0) ? pixel_q * RQ_LANES + l : 0;
            wire [7:0]       want  = (lane < lanes) ? wide + bias : 0;
            always @* if (!rst && m_valid && here) assert (m_data[l*8 +: 8] == want);
        end
    endgenerate
    // Freezes only for a finished pass, and calls none its own while the consumer stands still.
    always @* begin
        if (!en) assert (done);
        if (own) assert (!en && !(m_valid && !m_ready));
    end
endmodule
`default_nettype wire

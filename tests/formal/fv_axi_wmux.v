// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_axi_wmux: when two masters keep the rules of the bus, so does what comes out; and the words of any
// burst are those of the master whose index its address carries.
`default_nettype none
module fv_axi_wmux #(
    parameter LEN_W = 1   // bits of a burst's length that are free
) (
    input wire               clk,
    input wire               rst,
    input wire               pick,
    input wire               pick_burst,
    input wire [2*LEN_W-1:0] s_len,
    input wire [1:0]         s_aw_valid,
    input wire [1:0]         s_bit,
    input wire [1:0]         s_w_valid,
    input wire               m_aw_ready,
    input wire               m_w_ready
);
    wire [1:0]       s_aw_ready, s_w_ready, s_last;
    wire [LEN_W-1:0] m_len;
    wire [2:0]       m_w_data;   // whose, a bit of data, last
    wire             m_index, m_aw_valid, m_w_valid;
    aihls_axi_wmux #(.N(2), .AW_W(LEN_W), .W_W(3), .INDEX_W(1)) u_dut (
        .clk(clk), .rst(rst), .s_aw_data(s_len), .s_aw_valid(s_aw_valid), .s_aw_ready(s_aw_ready),
        .s_w_data({1'b1, s_bit[1], s_last[1], 1'b0, s_bit[0], s_last[0]}), .s_w_valid(s_w_valid), .s_w_ready(s_w_ready),
        .m_aw_data(m_len), .m_aw_index(m_index), .m_aw_valid(m_aw_valid), .m_aw_ready(m_aw_ready),
        .m_w_data(m_w_data), .m_w_valid(m_w_valid), .m_w_ready(m_w_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    genvar i;
    generate
        for (i = 0; i < 3; i = i + 1) begin : g_bus   // 2 is what comes out
            wire [8:0] bad_master;
            wire [2:0] bad_slave;
            aihls_check_axi #(.WORD_BYTES(4), .ADDR_W(12), .COUNT_W(9)) u_check (
                .clk(clk), .rst(rst), .pick(pick_burst && i == 2), .arid(1'b0), .araddr(12'd0), .arlen(8'd0), .arsize(3'd0),
                .arburst(2'd0), .arvalid(1'b0), .arready(1'b0), .rid(1'b0), .rlast(1'b0), .rvalid(1'b0), .rready(1'b1),
                .awid((i == 2) && m_index), .awaddr(12'd0), .awlen({{8{1'b0}}, (i == 2) ? m_len : s_len[(i%2)*LEN_W +: LEN_W]}),
                .awsize(3'd2), .awburst(2'b01), .awvalid((i == 2) ? m_aw_valid : s_aw_valid[i%2]),
                .awready((i == 2) ? m_aw_ready : s_aw_ready[i%2]), .wdata({31'd0, (i == 2) ? m_w_data[1] : s_bit[i%2]}),
                .wstrb(4'hf), .wlast((i == 2) ? m_w_data[0] : s_last[i%2]), .wvalid((i == 2) ? m_w_valid : s_w_valid[i%2]),
                .wready((i == 2) ? m_w_ready : s_w_ready[i%2]), .bvalid(1'b0), .bready(1'b1), .bad_master(bad_master),
                .bad_slave(bad_slave)
            );
            always @* begin
                if (i < 2) assume (bad_master == 0);
                else assert (bad_master == 0);
            end
        end
    endgenerate
    // A master: at most three bursts whose data have not ended; their lengths say where `last` is.
    generate
        for (i = 0; i < 2; i = i + 1) begin : g_master
            reg                offered_q;
            reg  [1:0]         open_q;
            reg  [3*LEN_W-1:0] lens_q;   // the oldest lowest
            reg  [LEN_W-1:0]   beat_q;
            wire               aw_new = s_aw_valid[i] && !offered_q;
            wire               take   = s_w_valid[i] && s_w_ready[i];
            wire               ends   = take && s_last[i];
            wire [1:0]         after  = open_q - ends;
            wire [3*LEN_W-1:0] moved  = ends ? lens_q >> LEN_W : lens_q;
            assign s_last[i] = (beat_q == lens_q[LEN_W-1:0]);
            always @(posedge clk) begin
                offered_q <= s_aw_valid[i] && !s_aw_ready[i];
                open_q    <= after + aw_new;
                lens_q    <= (aw_new && after == 0) ? s_len[i*LEN_W +: LEN_W]
                           : (aw_new && after == 1) ? {s_len[i*LEN_W +: LEN_W], moved[LEN_W-1:0]}
                           : aw_new                 ? {s_len[i*LEN_W +: LEN_W], moved[2*LEN_W-1:0]} : moved;
                if (take) beat_q <= s_last[i] ? 0 : beat_q + 1'b1;
                if (rst) begin
                    offered_q <= 1'b0;
                    open_q    <= 0;
                    beat_q    <= 0;
                end
            end
            always @* begin
                if (aw_new) assume (open_q < 3);
                if (s_w_valid[i]) assume (open_q != 0);
            end
        end
    endgenerate
    // Any address that comes out: how many bursts of data must end before its own begin.
    reg        offered_q, follow_q, index_q;
    reg  [4:0] open_q, ahead_q;
    wire       aw_new = m_aw_valid && !offered_q;
    wire       ends   = m_w_valid && m_w_ready && m_w_data[0];
    always @(posedge clk) begin
        offered_q <= m_aw_valid && !m_aw_ready;
        open_q    <= open_q + aw_new - ends;
        if (aw_new && pick && !follow_q) begin
            follow_q <= 1'b1;
            index_q  <= m_index;
            ahead_q  <= open_q - ends;
        end else if (follow_q && ends) begin
            ahead_q <= ahead_q - 1'b1;
            if (ahead_q == 0) follow_q <= 1'b0;
        end
        if (rst) begin
            offered_q <= 1'b0;
            follow_q  <= 1'b0;
            open_q    <= 0;
        end
    end
    always @* if (!rst) begin
        assert (s_w_ready != 2'b11);
        if (m_w_valid && follow_q && ahead_q == 0) assert (m_w_data[2] == index_q);
        if (m_w_valid) assert (s_w_valid[m_w_data[2]] && s_w_ready[m_w_data[2]] == m_w_ready && m_w_data[1] == s_bit[m_w_data[2]]);
    end
endmodule
`default_nettype wire

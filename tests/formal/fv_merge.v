// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_merge: the words of any one stream come out once, in order, under its index; a stream that has a
// word is served before any other is served twice.
`default_nettype none
module fv_merge #(
    parameter N     = 3,
    parameter WIDTH = 2
) (
    input wire               clk,
    input wire               rst,
    input wire               pick,
    input wire [1:0]         who,      // the stream that is followed: any, but the same for ever
    input wire [N*WIDTH-1:0] s_data,
    input wire [N-1:0]       s_valid,
    input wire               m_ready
);
    wire [N-1:0]     s_ready;
    wire [WIDTH-1:0] m_data, word;
    wire [1:0]       m_index;
    wire             m_valid, here;
    wire             mine = (m_index == who);
    reg  [1:0]       who_q;
    reg              first_q = 1'b1;
    aihls_merge #(.N(N), .WIDTH(WIDTH), .INDEX_W(2)) u_dut (
        .clk(clk), .rst(rst), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready), .m_data(m_data),
        .m_index(m_index), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_hold #(.WIDTH(WIDTH + 2)) u_hold (
        .clk(clk), .rst(rst), .data({m_index, m_data}), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(WIDTH), .MOST(2)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(s_valid[who] && s_ready[who]), .in_data(s_data[who*WIDTH +: WIDTH]),
        .out_valid(m_valid && mine), .out_take(m_valid && mine && m_ready), .here(here), .word(word), .held()
    );
    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : g_stream
            fv_offer #(.WIDTH(WIDTH)) u_offer (
                .clk(clk), .rst(rst), .data(s_data[i*WIDTH +: WIDTH]), .valid(s_valid[i]), .ready(s_ready[i])
            );
            // How often another was served while `who` waited.
            reg [1:0] twice_q;
            always @(posedge clk) begin
                if (i == who || !s_valid[who] || s_ready[who]) twice_q <= 0;
                else if (s_valid[i] && s_ready[i]) twice_q <= twice_q + 1'b1;
                if (rst) twice_q <= 0;
            end
            always @* if (!rst) assert (twice_q < 2);
        end
    endgenerate
    always @(posedge clk) begin
        first_q <= 1'b0;
        who_q   <= who;
    end
    always @* begin
        assume (who < N);
        if (!first_q) assume (who == who_q);
        if (!rst && here && m_valid && mine) assert (m_data == word);
    end
endmodule
`default_nettype wire

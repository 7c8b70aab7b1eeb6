// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_fork: a branch is ahead of the source by the word on offer or not at all,
// and when the source's word is taken every branch has had it exactly once.
`default_nettype none
module fv_fork #(
    parameter WIDTH = 8,
    parameter N     = 2
) (
    input wire             clk,
    input wire             rst,
    input wire [WIDTH-1:0] s_data,
    input wire             s_valid,
    input wire [N-1:0]     m_ready
);
    wire [N*WIDTH-1:0] m_data;
    wire [N-1:0]       m_valid;
    wire               s_ready;
    aihls_fork #(.WIDTH(WIDTH), .N(N)) u_dut (
        .clk(clk), .rst(rst), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(WIDTH)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    wire [N-1:0] served;
    always @* if (!rst) assert (s_ready == &served);  // waits for nothing else
    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : g_branch
            reg  had_q;
            assign served[i] = had_q || m_ready[i];
            wire take = m_valid[i] && m_ready[i];
            fv_hold #(.WIDTH(WIDTH)) u_hold (
                .clk(clk), .rst(rst), .data(m_data[i*WIDTH +: WIDTH]), .valid(m_valid[i]),
                .ready(m_ready[i])
            );
            always @(posedge clk) had_q <= !rst && (had_q || take) && !(s_valid && s_ready);
            always @* if (!rst) begin
                if (m_valid[i]) assert (s_valid && !had_q && m_data[i*WIDTH +: WIDTH] == s_data);
                if (s_valid && !had_q) assert (m_valid[i]);
                if (s_valid && s_ready) assert (had_q || take);
            end
        end
    endgenerate
endmodule
`default_nettype wire

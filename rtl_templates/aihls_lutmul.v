// SPDX-License-Identifier: Apache-2.0
// aihls_lutmul: signed W_BITS x S_BITS multiplier of LUTs and carry chains.
// Latency 3 enabled cycles, throughput 1/cycle, no reset. The weight is cut into digits of
// two bits; a row is digit * s (one adder), rows are added in pairs per cycle.
`default_nettype none
module aihls_lutmul #(
    parameter W_BITS = 8,
    parameter S_BITS = 8
) (
    input  wire                     clk,
    input  wire                     en,
    input  wire [W_BITS-1:0]        w,
    input  wire [S_BITS-1:0]        s,
    output wire [W_BITS+S_BITS-1:0] m
);
    localparam M_W = W_BITS + S_BITS;
    reg signed [W_BITS-1:0] w1_q;
    reg signed [S_BITS-1:0] s1_q;
    reg signed [W_BITS-1:0] w2_q;
    reg signed [S_BITS-1:0] s2_q;
    (* use_dsp = "no" *)
    reg signed [M_W-1:0]    m_q;
    always @(posedge clk) begin
        if (en) begin
            w1_q <= $signed(w);
            s1_q <= $signed(s);
            w2_q <= w1_q;
            s2_q <= s1_q;
            m_q  <= $signed({{S_BITS{w2_q[W_BITS-1]}}, w2_q})
                  * $signed({{W_BITS{s2_q[S_BITS-1]}}, s2_q});
        end
    end
    assign m = m_q;
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_fifo at any depth: fv_fifo's claims with the invariants that make them
// inductive, on the device's own registers (hierconn wires) and memory (`peek` reads it:
// tests/formal/prove.sh joins the two).
`default_nettype none
module fv_fifo_deep #(
    parameter WIDTH = 8,
    parameter DEPTH = 32,
    parameter BLOCK = 0
) (
    input wire             clk,
    input wire             rst,
    input wire             stall,
    input wire             pick,
    input wire [WIDTH-1:0] s_data,
    input wire             s_valid,
    input wire             m_ready
);
    localparam WORDS   = (BLOCK == 0) ? DEPTH - 1 : DEPTH - 2;  // of the memory
    localparam ADDR_W  = $clog2(WORDS);
    localparam COUNT_W = $clog2(WORDS + 1);
    localparam HELD_W  = $clog2(DEPTH + 2);
    wire [WIDTH-1:0] m_data;
    wire             s_ready, m_valid, here;
    wire [WIDTH-1:0] word;
    wire             in_take  = s_valid && s_ready;
    wire             out_take = m_valid && m_ready;
    aihls_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_dut (
        .clk(clk), .rst(rst), .stall(stall), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready),
        .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(WIDTH)) u_offer (
        .clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready)
    );
    fv_hold #(.WIDTH(WIDTH)) u_hold (
        .clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready)
    );
    fv_order #(.WIDTH(WIDTH), .MOST(DEPTH), .WAIT((BLOCK == 0) ? 1 : 2)) u_order (
        .clk(clk), .rst(rst), .pick(pick), .in_take(in_take), .in_data(s_data),
        .out_valid(m_valid), .out_take(out_take), .here(here), .word(word), .held()
    );
    always @* begin
        if (stall) assert (!s_ready);
        if (!rst && here && m_valid) assert (m_data == word);
    end

    // ---- invariants: what is in flight is the memory's words and those in the output registers -------------
    (* hierconn *) wire [ADDR_W-1:0]  \u_dut.g_mem.wr_q ;
    (* hierconn *) wire [ADDR_W-1:0]  \u_dut.g_mem.rd_q ;
    (* hierconn *) wire [COUNT_W-1:0] \u_dut.g_mem.count_q ;
    (* hierconn *) wire               \u_dut.g_mem.full_q ;
    (* hierconn *) wire               \u_dut.g_mem.g_block.ram_valid_q ;
    (* hierconn *) wire [WIDTH-1:0]   \u_dut.g_mem.g_block.ram_data ;
    (* hierconn *) wire [HELD_W-1:0]  \u_order.held_q ;
    (* hierconn *) wire [HELD_W-1:0]  \u_order.ahead_q ;
    (* hierconn *) wire               \u_order.follow_q ;
    (* hierconn *) wire [WIDTH-1:0]   \u_order.data_q ;
    wire [HELD_W+1:0] wr    = \u_dut.g_mem.wr_q ;
    wire [HELD_W+1:0] rd    = \u_dut.g_mem.rd_q ;
    wire [HELD_W+1:0] count = \u_dut.g_mem.count_q ;
    wire              ram   = (BLOCK != 0) && \u_dut.g_mem.g_block.ram_valid_q ;
    wire [HELD_W+1:0] ahead = \u_order.ahead_q ;
    wire [HELD_W+1:0] place = ahead - m_valid - ram;           // among the memory's words
    wire [HELD_W+1:0] sum   = rd + place;
    wire [HELD_W+1:0] at    = (sum >= WORDS) ? sum - WORDS : sum;
    wire [HELD_W+1:0] end_at = (rd + count >= WORDS) ? rd + count - WORDS : rd + count;
    reg  [WIDTH-1:0]  peek [0:WORDS-1];
    wire [WIDTH-1:0]  peeked = peek[at[ADDR_W-1:0]];
    reg               started_q = 1'b0;
    always @(posedge clk) started_q <= 1'b1;
    always @* if (started_q) begin
        assert (wr < WORDS && rd < WORDS && count <= WORDS);
        assert (wr == end_at);
        assert (\u_dut.g_mem.full_q == (count == WORDS));
        assert (\u_order.held_q == count + ram + m_valid);
        if (\u_order.follow_q ) begin
            assert (\u_order.ahead_q < \u_order.held_q );
            if (m_valid && ahead == 0) assert (m_data == \u_order.data_q );
            else if (ram && ahead == m_valid) assert (\u_dut.g_mem.g_block.ram_data == \u_order.data_q );
            else assert (peeked == \u_order.data_q );
        end
    end
endmodule
`default_nettype wire

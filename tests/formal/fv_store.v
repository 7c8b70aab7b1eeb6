// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_store: of the bytes behind a reset it takes BYTES * DEPTH, gives all others on, a cycle later and in
// order, says when it has them, and then gives the word at any address that came there.
`default_nettype none
module fv_store #(
    parameter WIDTH  = 12,
    parameter DEPTH  = 3,
    parameter ADDR_W = 2,
    parameter BLOCK  = 0
) (
    input wire              clk,
    input wire              rst,
    input wire [ADDR_W-1:0] where,
    input wire [7:0]        s_data,
    input wire              s_valid,
    input wire              en,
    input wire [ADDR_W-1:0] addr
);
    localparam BYTES = (WIDTH + 7) / 8;
    localparam COUNT = BYTES * DEPTH;
    wire             m_valid, loaded;
    wire [7:0]       m_data;
    wire [WIDTH-1:0] data;
    aihls_store #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_dut (
        .clk(clk), .rst(rst), .s_code_data(s_data), .s_code_valid(s_valid), .m_code_data(m_data), .m_code_valid(m_valid), .loaded(loaded),
        .en(en), .addr(addr), .data(data)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    reg  [ADDR_W-1:0]  where_q;   // one address, any
    reg  [7:0]         taken_q;
    reg  [8*BYTES-1:0] word_q;
    reg                there_q;   // what is read is the word there
    reg                passed_q;
    reg  [7:0]         byte_q;
    reg  [1:0]         full_q;    // cycles since the last byte came
    wire               full = taken_q == COUNT;
    integer            i;
    always @(posedge clk) begin
        if (s_valid && !full) taken_q <= taken_q + 1'b1;
        for (i = 0; i < BYTES; i = i + 1)
            if (s_valid && taken_q == BYTES * where_q + i) word_q[8*i +: 8] <= s_data;
        if (en) there_q <= loaded && addr == where_q;
        passed_q <= s_valid && full;
        byte_q   <= s_data;
        full_q   <= {full_q[0], full};
        if (rst) begin
            where_q  <= where;
            taken_q  <= 0;
            there_q  <= 1'b0;
            passed_q <= 1'b0;
            full_q   <= 2'b00;
        end
    end
    always @* begin
        if (!rst) begin
            assume (where_q < DEPTH);
            assert (taken_q <= COUNT);
            assert (m_valid == passed_q);
            if (m_valid) assert (m_data == byte_q);
            assert (loaded == full_q[0]);
            if (there_q) assert (data == word_q[WIDTH-1:0]);
        end
    end
endmodule
`default_nettype wire

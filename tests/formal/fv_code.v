// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_code: it takes DEPTH bytes behind a reset and no more, says so, and then gives the byte at any address
// that came there.
`default_nettype none
module fv_code #(
    parameter DEPTH  = 3,
    parameter ADDR_W = 2,
    parameter HUGE   = 1
) (
    input wire              clk,
    input wire              rst,
    input wire [ADDR_W-1:0] where,
    input wire [7:0]        s_data,
    input wire              s_valid,
    input wire              en,
    input wire [ADDR_W-1:0] addr
);
    wire       s_ready, loaded;
    wire [7:0] data;
    wire       take = s_valid && s_ready;
    aihls_code #(.DEPTH(DEPTH), .HUGE(HUGE)) u_dut (
        .clk(clk), .rst(rst), .s_code_data(s_data), .s_code_valid(s_valid), .s_code_ready(s_ready), .loaded(loaded),
        .en(en && loaded), .addr(addr), .data(data)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    reg  [ADDR_W-1:0] where_q;   // one address, any
    reg  [ADDR_W:0]   taken_q;
    reg  [7:0]        byte_q;
    reg               there_q;   // what is read is the byte there
    always @(posedge clk) begin
        if (take) taken_q <= taken_q + 1'b1;
        if (take && taken_q == {1'b0, where_q}) byte_q <= s_data;
        if (loaded && en) there_q <= addr == where_q;
        if (rst) begin
            where_q <= where;
            taken_q <= 0;
            there_q <= 1'b0;
        end
    end
    always @* begin
        if (!rst) begin
            assume (where_q < DEPTH);
            assert (taken_q <= DEPTH);
            assert (loaded == (taken_q == DEPTH));
            assert (s_ready == !loaded);
            if (there_q) assert (data == byte_q);
        end
    end
endmodule
`default_nettype wire

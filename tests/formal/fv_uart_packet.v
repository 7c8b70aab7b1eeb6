// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_uart_pack and aihls_uart_unpack, one behind the other: any packet of 3 bytes and up to BLOCK
// more comes out whole, its bytes in their places, and none is called bad.
`default_nettype none
module fv_uart_packet #(
    parameter BLOCK = 8
) (
    input wire       clk,
    input wire       rst,
    input wire [7:0] s_data,
    input wire       s_last,
    input wire       s_valid,
    input wire       m_ready
);
    wire [7:0]                 m_data, op, seq, arg, wdata;
    wire                       s_ready, m_valid, we, done, bad;
    wire [$clog2(BLOCK)-1:0]   waddr;
    wire [$clog2(BLOCK):0]     n_bytes;
    reg  [7:0]                 count_q;         // bytes of this packet
    reg  [23:0]                header_q, last_header_q;
    reg  [7:0]                 last_count_q;
    reg                        sent_q;          // a packet's last byte is in
    reg  [4:0]                 wait_q;
    wire                       take = s_valid && s_ready;
    aihls_uart_pack u_pack (
        .clk(clk), .rst(rst), .s_data(s_data), .s_last(s_last), .s_valid(s_valid), .s_ready(s_ready), .m_data(m_data), .m_valid(m_valid), .m_ready(m_ready)
    );
    aihls_uart_unpack #(.BLOCK(BLOCK)) u_unpack (
        .clk(clk), .rst(rst), .s_data(m_data), .s_valid(m_valid && m_ready), .s_error(1'b0), .hold(1'b0),
        .we(we), .waddr(waddr), .wdata(wdata), .op(op), .seq(seq), .arg(arg), .n_bytes(n_bytes), .done(done), .bad(bad)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(9)) u_offer (.clk(clk), .rst(rst), .data({s_last, s_data}), .valid(s_valid), .ready(s_ready));
    fv_hold #(.WIDTH(8)) u_hold (.clk(clk), .rst(rst), .data(m_data), .valid(m_valid), .ready(m_ready));
    always @(posedge clk) begin
        if (take) begin
            count_q <= s_last ? 0 : count_q + 1'b1;
            if (count_q < 3) header_q <= {header_q[15:0], s_data};
            if (s_last) begin
                sent_q        <= 1'b1;
                last_count_q  <= count_q + 1'b1;
                last_header_q <= (count_q < 3) ? {header_q[15:0], s_data} : header_q;
            end
        end
        if (done) sent_q <= 1'b0;
        if (!sent_q || done) wait_q <= 0;
        else if (m_ready) wait_q <= wait_q + 1'b1;
        if (rst) begin
            count_q <= 0;
            sent_q  <= 1'b0;
            wait_q  <= 0;
        end
    end
    always @* begin
        if (count_q < 2) assume (!s_last);
        if (count_q == BLOCK + 2) assume (s_last);
        if (!rst) begin
            assert (!bad);
            assert (wait_q < 8);   // two bytes of CRC, each perhaps two, a mark, and the register behind
            if (take) assert (we == (count_q >= 3));
            if (take && we) assert (waddr == count_q - 3 && wdata == s_data);
            if (we && !take) assert (sent_q && waddr + 3 >= last_count_q);
            if (done) assert (sent_q && {op, seq, arg} == last_header_q && n_bytes + 3 == last_count_q);
        end
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_uart_link: any requests, any pipeline. A WRITE of the expected number with room moves all of its bytes, any
// other none; a READ moves bytes only when it has the expected number; RESET starts at 0. Answers have the request's op and number,
// the right status and length, and begin in bounded time.
`default_nettype none
module fv_uart_link #(
    parameter BLOCK = 8
) (
    input wire       clk,
    input wire       rst,
    input wire       ask,
    input wire [7:0] op,
    input wire [7:0] seq,
    input wire [7:0] arg,
    input wire [3:0] n_bytes,
    input wire       we,
    input wire [2:0] waddr,
    input wire [7:0] wdata,
    input wire       room,
    input wire [7:0] r_data,
    input wire       r_valid,
    input wire       m_ready
);
    wire       hold, soft_rst, w_push, r_ready, m_valid, m_last;
    wire [7:0] m_data, w_data;
    reg        busy_q, fresh_q, room_q, carried_q;
    reg  [31:0] request_q;
    reg  [7:0] expected_q, last_q;   // as the host counts; what was carried out last
    reg  [4:0] pushed_q, popped_q;
    reg  [7:0] index_q;
    reg  [7:0] wait_q;
    wire       done = ask && !busy_q && !rst;
    wire       is_write = (op == 4) && (arg == 0) && (n_bytes != 0);
    wire       is_read  = (op == 5) && (arg == 0);
    wire       in_turn  = (seq == expected_q);
    aihls_uart_link #(.BLOCK(BLOCK)) u_dut (
        .clk(clk), .rst(rst), .op(op), .seq(seq), .arg(arg), .n_bytes(n_bytes), .done(done), .bad(1'b0), .line_error(1'b0),
        .we(we), .waddr(waddr), .wdata(wdata), .hold(hold), .m_data(m_data), .m_last(m_last), .m_valid(m_valid), .m_ready(m_ready),
        .soft_rst(soft_rst), .w_data(w_data), .w_push(w_push), .room(room), .r_data(r_data), .r_valid(r_valid), .r_ready(r_ready),
        .frame_in(1'b0), .frame_out(1'b0)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_hold #(.WIDTH(9)) u_hold (.clk(clk), .rst(rst), .data({m_last, m_data}), .valid(m_valid), .ready(m_ready));
    // In the cycle behind `done` the request is looked at.
    wire carries = fresh_q && in_turn && ((is_write && room) || is_read);
    always @(posedge clk) begin
        request_q <= {4'd0, n_bytes, arg, seq, op};
        fresh_q   <= done;
        if (done) begin
            busy_q    <= 1'b1;
            pushed_q  <= 0;
            popped_q  <= 0;
            index_q   <= 0;
            wait_q    <= 0;
            carried_q <= 1'b0;
        end
        if (fresh_q) begin
            room_q    <= room;
            carried_q <= carries;
            if (carries) expected_q <= expected_q + 1'b1;
            if (op == 3) expected_q <= 0;
            if (carries || op == 3) last_q <= op;
        end
        if (w_push) pushed_q <= pushed_q + 1'b1;
        if (r_ready && r_valid) popped_q <= popped_q + 1'b1;
        if (busy_q && !m_valid && index_q == 0) wait_q <= wait_q + 1'b1;
        if (m_valid && m_ready) begin
            index_q <= index_q + 1'b1;
            if (m_last) busy_q <= 1'b0;
        end
        if (rst) begin
            busy_q     <= 1'b0;
            fresh_q    <= 1'b0;
            expected_q <= 0;
            last_q     <= 3;
        end
    end
    always @* begin
        assume (n_bytes <= BLOCK);
        if (busy_q) assume ({4'd0, n_bytes, arg, seq, op} == request_q);
        if (hold) assume (!we);
        if (!rst) begin
            assert (hold == (busy_q || done));
            if (w_push) assert (carried_q && is_write && pushed_q < n_bytes);
            if (r_ready) assert (r_valid && carried_q && is_read && popped_q < BLOCK);
            if (m_valid) begin
                assert (busy_q);
                if (index_q == 0) assert (m_data == op);
                if (index_q == 1) assert (m_data == seq);
                if (index_q == 2 && (is_write || is_read)) assert (m_data == ((carried_q || (seq + 8'd1 == expected_q && op == last_q)) ? 0 : (seq == expected_q) ? 1 : 2));
                if (index_q == 3) assert (m_data == expected_q);
                if (index_q < 3) assert (!m_last);
                if (index_q >= 2 && is_write) assert (pushed_q == (carried_q ? n_bytes : 0) || index_q == 2);
                if (is_read && carried_q && index_q >= 3) assert (m_last == (index_q == popped_q + 3));
            end
            assert (!busy_q || wait_q <= BLOCK + 14);
        end
    end
endmodule
`default_nettype wire

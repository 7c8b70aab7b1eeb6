// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_uart_rx: a sender whose bits are PERIOD sixteenths of a cycle long, any constant within OFF of
// 16 * DIVIDE, sends any bytes at any distance, and the line is sampled by a clock that knows nothing of it. Once
// between two of its bytes a glitch of one cycle turns the line over. Every byte comes once, as it was sent, before the
// next one's first bit; there is no error.
`default_nettype none
module fv_uart_rx #(
    parameter DIVIDE = 8,
    parameter OFF    = 3   // sixteenths of a cycle: 2.3 % of a bit of 8
) (
    input wire       clk,
    input wire       rst,
    input wire [7:0] period,  // the same for ever
    input wire [3:0] phase,   // of a start bit's edge within a cycle
    input wire       go,
    input wire       glitch,
    input wire [7:0] data
);
    wire [7:0] have;
    wire       valid, error;
    reg  [7:0] period_q, byte_q, due_byte_q;
    reg        first_q = 1'b1;
    reg        sending_q, due_q;
    reg        glitched_q;     // in this pause
    reg  [3:0] bit_q;
    reg  [8:0] at_q;           // sixteenths since the bit began
    reg  [3:0] quiet_q;        // cycles since the last byte, or since the reset
    wire [9:0] after = {1'b0, at_q} + 10'd16;
    wire       next  = (after >= {2'd0, period_q});
    wire       line  = !sending_q || ((bit_q == 0) ? 1'b0 : (bit_q == 9) ? 1'b1 : byte_q[bit_q - 1]);
    wire       turn  = glitch && !sending_q && !glitched_q && quiet_q[3];
    aihls_uart_rx #(.DIVIDE(DIVIDE)) u_dut (.clk(clk), .rst(rst), .rxd(line ^ turn), .data(have), .valid(valid), .error(error));
    fv_reset u_reset (.clk(clk), .rst(rst));
    always @(posedge clk) begin
        first_q  <= 1'b0;
        period_q <= period;
        if (!quiet_q[3]) quiet_q <= quiet_q + 1'b1;
        if (turn) begin
            glitched_q <= 1'b1;
            quiet_q    <= 0;
        end
        // a glitch right in front of a start bit moves its edge: eight cycles lie between
        if (!sending_q && go && !turn && (!glitched_q || quiet_q[3])) begin
            sending_q  <= 1'b1;
            bit_q      <= 0;
            at_q       <= {5'd0, phase};
            byte_q     <= data;
            glitched_q <= 1'b0;
        end else if (sending_q) begin
            at_q <= next ? after[8:0] - {1'b0, period_q} : after[8:0];
            if (next) bit_q <= bit_q + 1'b1;
            if (next && bit_q == 9) begin
                sending_q <= 1'b0;
                quiet_q   <= 0;
            end
            if (next && bit_q == 8) begin
                due_q      <= 1'b1;
                due_byte_q <= byte_q;
            end
        end
        if (valid) due_q <= 1'b0;
        if (rst) begin
            sending_q  <= 1'b0;
            due_q      <= 1'b0;
            glitched_q <= 1'b0;
            quiet_q    <= 0;
        end
    end
    always @* begin
        assume (period >= 16 * DIVIDE - OFF && period <= 16 * DIVIDE + OFF);
        if (!first_q) assume (period == period_q && !rst);
        if (!rst) begin
            assert (!error);
            if (valid) assert (due_q && have == due_byte_q);
            if (sending_q && bit_q == 1) assert (!due_q);
        end
    end
endmodule
`default_nettype wire

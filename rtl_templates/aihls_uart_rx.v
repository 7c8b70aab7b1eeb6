// SPDX-License-Identifier: Apache-2.0
// aihls_uart_rx: bytes from an asynchronous line, 8 data bits, least significant first, no parity, one stop bit. `valid` is
// 1 for a cycle with each byte: there is no ready, for the line cannot wait. `error` is 1 for a cycle where a stop bit was
// missing (a break, noise, another speed).
//
//   rxd -> two registers (the line belongs to no clock) -> majority of three samples, DIVIDE / 16 cycles apart -> bits
//
// A low that is shorter than two samples starts nothing; one that has ended half a bit later neither. Bits are
// taken in their middle as counted from the start bit's edge, and after a missing stop bit the line must be high before a
// new byte begins. Sender and DIVIDE may differ by 2 %. Latency: half a stop bit. Reset: waits for a start bit.
`default_nettype none
module aihls_uart_rx #(
    parameter DIVIDE = 16   // cycles of a bit, at least 8
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       rxd,
    output wire [7:0] data,
    output wire       valid,
    output wire       error
);
    localparam GAP     = (DIVIDE < 32) ? 1 : DIVIDE / 16;
    localparam COUNT_W = $clog2(DIVIDE);
    localparam integer MOST = DIVIDE - 1;
    localparam integer HALF = DIVIDE / 2 - 1;
    localparam [COUNT_W-1:0] BIT_CYCLES  = MOST[COUNT_W-1:0];
    localparam [COUNT_W-1:0] HALF_CYCLES = HALF[COUNT_W-1:0];

    reg  [1:0]         sync_q;
    reg  [2:0]         taps_q;
    reg                level_q;
    reg                armed_q;   // the line was high since the last byte
    reg                busy_q;
    reg  [COUNT_W-1:0] left_q;    // cycles to the next bit's middle
    reg  [3:0]         bit_q;     // 0: start, 9: stop
    reg  [7:0]         data_q;
    reg                valid_q;
    reg                error_q;
    wire               sample;

    assign data  = data_q;
    assign valid = valid_q;
    assign error = error_q;

    aihls_count #(.N(GAP)) u_gap (.clk(clk), .rst(rst), .en(1'b1), .last(sample));

    always @(posedge clk) begin
        sync_q <= {sync_q[0], rxd};
        if (sample) taps_q <= {taps_q[1:0], sync_q[1]};
        level_q <= (taps_q[0] && taps_q[1]) || (taps_q[0] && taps_q[2]) || (taps_q[1] && taps_q[2]);
        valid_q <= 1'b0;
        error_q <= 1'b0;
        if (!busy_q) begin
            armed_q <= level_q;
            busy_q  <= armed_q && !level_q;
            left_q  <= HALF_CYCLES;
            bit_q   <= 4'd0;
        end else if (left_q != {COUNT_W{1'b0}}) begin
            left_q <= left_q - {{(COUNT_W-1){1'b0}}, 1'b1};
        end else begin
            left_q <= BIT_CYCLES;
            bit_q  <= bit_q + 4'd1;
            if (bit_q == 4'd0) begin
                busy_q <= !level_q;
            end else if (bit_q == 4'd9) begin
                busy_q  <= 1'b0;
                armed_q <= level_q;
                valid_q <= level_q;
                error_q <= !level_q;
            end else begin
                data_q <= {level_q, data_q[7:1]};
            end
        end
        if (rst) begin
            sync_q  <= 2'b11;
            taps_q  <= 3'b111;
            level_q <= 1'b1;
            armed_q <= 1'b0;
            busy_q  <= 1'b0;
            valid_q <= 1'b0;
            error_q <= 1'b0;
        end
    end

    generate
        if (DIVIDE < 8) begin : g_check
            aihls_error_DIVIDE_must_be_at_least_8 u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

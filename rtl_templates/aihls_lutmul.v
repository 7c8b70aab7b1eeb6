// SPDX-License-Identifier: Apache-2.0
// aihls_lutmul: signed W_BITS x S_BITS multiplier of LUTs and carry chains, radix-4 Booth.
// Row i adds -2, -1, 0, 1 or 2 times s (three bits of w say which) to what the rows below
// left: one six-input LUT per bit, three weight bits, two of s and the running sum.
//
//   w, s -> regs -> rows 0 .. HALF-1 -> regs -> rows HALF .. ROWS-1 -> m
//
// Latency 3 enabled cycles, throughput 1/cycle, no reset. Cost about
// (W_BITS+1)/2 * (S_BITS+3) LUTs.
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
    localparam M_W  = W_BITS + S_BITS;
    localparam ROWS = (W_BITS + 1) / 2;
    localparam HALF = ROWS / 2;
    localparam X_W  = S_BITS + 2;      // +-2 s, and the sum with a row's quarter
    localparam W_W  = 2 * ROWS + 1;    // w extended to whole digits, a zero below

    reg  [W_BITS-1:0] w1_q;
    reg  [S_BITS-1:0] s1_q, s2_q;
    reg  [W_W-1:0]    w2_q;
    wire [W_W-1:0]    w1_digits;
    aihls_resize #(.IN_W(W_BITS + 1), .OUT_W(W_W)) u_w (.d({w1_q, 1'b0}), .q(w1_digits));
    always @(posedge clk) begin
        if (en) begin
            w1_q <= w;
            s1_q <= s;
            w2_q <= w1_digits;
            s2_q <= s1_q;
        end
    end

    genvar i;
    generate
        for (i = 0; i < ROWS; i = i + 1) begin : g_row
            wire [S_BITS-1:0] s_in  = (i < HALF) ? s1_q : s2_q;
            wire [2:0]        digit = (i < HALF) ? w1_digits[2*i +: 3] : w2_q[2*i +: 3];
            wire              one   = digit[1] ^ digit[0];
            wire              two   = (digit == 3'b011) || (digit == 3'b100);
            wire [X_W-1:0]    s_1   = {{2{s_in[S_BITS-1]}}, s_in};
            wire [X_W-1:0]    s_2   = {s_in[S_BITS-1], s_in, 1'b0};
            // minus x is ~x + 1; the one enters by a carry below the lowest bit
            wire [X_W-1:0]    x     = (one ? s_1 : two ? s_2 : {X_W{1'b0}}) ^ {X_W{digit[2]}};
            wire [X_W-1:0]    above;      // running sum of the rows below, at this weight
            wire [X_W:0]      total = {above, 1'b1} + {x, digit[2]};
            wire [X_W-1:0]    sum;        // registered once, after the lower half
            wire [2*i+1:0]    low;        // finished low bits, this row's two included
            if (i == 0) begin : g_bottom
                assign above = {X_W{1'b0}};
            end else begin : g_upper
                assign above = {{2{g_row[i-1].sum[X_W-1]}}, g_row[i-1].sum[X_W-1:2]};
            end
            if (i == HALF - 1) begin : g_cut
                reg  [X_W-1:0] sum_q;
                reg  [2*i+1:0] low_q;
                wire [2*i+1:0] low_d;
                always @(posedge clk) begin
                    if (en) begin
                        sum_q <= total[X_W:1];
                        low_q <= low_d;
                    end
                end
                if (i == 0) begin : g_low
                    assign low_d = total[2:1];
                end else begin : g_low_more
                    assign low_d = {total[2:1], g_row[i-1].low};
                end
                assign sum = sum_q;
                assign low = low_q;
            end else begin : g_through
                assign sum = total[X_W:1];
                if (i == 0) begin : g_low
                    assign low = total[2:1];
                end else begin : g_low_more
                    assign low = {total[2:1], g_row[i-1].low};
                end
            end
            wire unused_ok = &{1'b0, total[0], sum[1:0]};
        end
    endgenerate

    localparam FULL_W = 2 * ROWS + S_BITS;
    wire [FULL_W-1:0] full = {g_row[ROWS-1].sum[X_W-1:2], g_row[ROWS-1].low};
    reg  [M_W-1:0]    m_q;
    always @(posedge clk) if (en) m_q <= full[M_W-1:0];
    assign m = m_q;
    wire unused_ok = &{1'b0, full, w2_q};
endmodule
`default_nettype wire

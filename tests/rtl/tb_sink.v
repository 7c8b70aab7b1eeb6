// SPDX-License-Identifier: Apache-2.0
// tb_sink: takes COUNT words and compares them with FILE; refuses STALL of 256 cycles.
// Also checks that a refused word stays, and, when INTERVAL is not 0, that frames of
// FRAME words end LEAST to INTERVAL cycles apart (the first two ends excepted: the pipe
// fills).
`default_nettype none
module tb_sink #(
    parameter WIDTH    = 8,
    parameter COUNT    = 1,
    parameter FRAME    = 1,
    parameter FILE     = "",
    parameter NAME     = "",
    parameter SEED     = 1,
    parameter STALL    = 0,
    parameter INTERVAL = 0,
    parameter LEAST    = INTERVAL
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] data,
    input  wire             valid,
    output wire             ready,
    output reg              done,
    output reg              fail
);
    reg [WIDTH-1:0] words [0:COUNT-1];
    reg [31:0]      at_q, in_frame_q, frames_q;
    reg [31:0]      random_q;
    reg             take_q;
    reg             refused_q;
    reg [WIDTH-1:0] refused_data_q;
    reg [31:0]      cycle_q, end_q;
    reg [31:0]      quiet_q;
    wire [31:0]     mix1 = random_q ^ (random_q << 13);
    wire [31:0]     mix2 = mix1 ^ (mix1 >> 17);
    initial $readmemh(FILE, words);
    assign ready = take_q;
    always @(posedge clk) begin
        random_q       <= mix2 ^ (mix2 << 5);
        take_q         <= (STALL == 0) || {24'd0, random_q[15:8]} >= STALL;
        cycle_q        <= cycle_q + 1;
        refused_q      <= valid && !ready;
        refused_data_q <= data;
        quiet_q        <= (valid && ready) ? 0 : quiet_q + 1;
        if (!rst && refused_q && (!valid || data != refused_data_q)) begin
            $display("%s: valid or data did not hold at cycle %0d", NAME, cycle_q);
            fail <= 1;
        end
        if (!rst && quiet_q == 200000 && !done) begin
            $display("%s: stuck at word %0d of %0d", NAME, at_q, COUNT);
            fail <= 1;
            done <= 1;
        end
        if (!rst && valid && ready) begin
            at_q <= at_q + 1;
            if (at_q >= COUNT) begin
                $display("%s: word %0d is one too many", NAME, at_q);
                fail <= 1;
            end else if (data != words[at_q]) begin
                if (!fail) $display("%s: word %0d is %h, not %h", NAME, at_q, data, words[at_q]);
                fail <= 1;
            end
            in_frame_q <= in_frame_q + 1;
            if (in_frame_q == FRAME - 1) begin
                in_frame_q <= 0;
                frames_q   <= frames_q + 1;
                end_q      <= cycle_q;
                if (INTERVAL != 0 && frames_q >= 2
                    && (cycle_q - end_q > INTERVAL || cycle_q - end_q < LEAST)) begin
                    $display("%s: frame %0d took %0d cycles, not %0d..%0d", NAME, frames_q,
                             cycle_q - end_q, LEAST, INTERVAL);
                    fail <= 1;
                end
            end
        end
        if (at_q == COUNT && quiet_q > 300) done <= 1;
        if (rst) begin
            random_q   <= SEED;
            take_q     <= 0;
            at_q       <= 0;
            in_frame_q <= 0;
            frames_q   <= 0;
            cycle_q    <= 0;
            end_q      <= 0;
            quiet_q    <= 0;
            refused_q  <= 0;
            done       <= 0;
            fail       <= 0;
        end
    end
endmodule
`default_nettype wire

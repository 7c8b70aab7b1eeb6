// SPDX-License-Identifier: Apache-2.0
// tb_source: plays COUNT words of FILE into a stream; STALL of 256 cycles it rests, at random.
`default_nettype none
module tb_source #(
    parameter WIDTH = 8,
    parameter COUNT = 1,
    parameter FILE  = "",
    parameter SEED  = 1,
    parameter STALL = 0
) (
    input  wire             clk,
    input  wire             rst,
    output wire [WIDTH-1:0] data,
    output wire             valid,
    input  wire             ready
);
    reg [WIDTH-1:0] words [0:COUNT-1];
    reg [31:0]      at_q;
    reg [31:0]      random_q;
    reg             offer_q;
    wire [31:0]     mix1 = random_q ^ (random_q << 13);
    wire [31:0]     mix2 = mix1 ^ (mix1 >> 17);
    wire [31:0]     at_d = (valid && ready) ? at_q + 1 : at_q;
    initial $readmemh(FILE, words);
    // Invalid data is rubbish on purpose.
    assign valid = offer_q;
    assign data  = offer_q ? words[at_q] : {WIDTH{random_q[3]}};
    always @(posedge clk) begin
        random_q <= mix2 ^ (mix2 << 5);
        at_q     <= at_d;
        // once offered, a word stays
        offer_q  <= at_d < COUNT && ((offer_q && !ready) || (STALL == 0 || {24'd0, random_q[7:0]} >= STALL));
        if (rst) begin
            random_q <= SEED;
            at_q     <= 0;
            offer_q  <= 0;
        end
    end
endmodule
`default_nettype wire

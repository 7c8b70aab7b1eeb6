// SPDX-License-Identifier: Apache-2.0
// Parts of the proofs: the reset, the rules of a stream, and a word that is followed through a
// queue. Assumptions are made of inputs only; everything asserted is about the device.
`default_nettype none

// fv_reset: rst is 1 in the first cycle (power-up state is arbitrary) and free afterwards, so that
// everything is proven for a reset at any moment too.
module fv_reset (
    input wire clk,
    input wire rst
);
    reg first_q = 1'b1;
    always @(posedge clk) first_q <= 1'b0;
    always @* if (first_q) assume (rst);
endmodule

// fv_offer: the producer's side of a stream: an offered word stays until it is taken. QUIET = 1: of a device at whose other side
// is no reset, or another one; it must take nothing in reset.
module fv_offer #(
    parameter WIDTH = 8,
    parameter QUIET = 0
) (
    input wire             clk,
    input wire             rst,
    input wire [WIDTH-1:0] data,
    input wire             valid,
    input wire             ready
);
    reg             waits_q = 1'b0;
    reg [WIDTH-1:0] data_q;
    always @(posedge clk) begin
        waits_q <= valid && !ready && !rst;
        data_q  <= data;
    end
    always @* begin
        if (waits_q && !rst) assume (valid && data == data_q);
        if (QUIET != 0) assert (!(rst && ready));
    end
endmodule

// fv_hold: the device's side: valid and data stay until the word is taken.
module fv_hold #(
    parameter WIDTH = 8
) (
    input wire             clk,
    input wire             rst,
    input wire [WIDTH-1:0] data,
    input wire             valid,
    input wire             ready
);
    reg             waits_q = 1'b0;
    reg [WIDTH-1:0] data_q;
    always @(posedge clk) begin
        waits_q <= valid && !ready && !rst;
        data_q  <= data;
    end
    always @* if (waits_q && !rst) assert (valid && data == data_q);
endmodule

// fv_order: the books of conservation. Any one word that goes in (`pick` is free) is followed: when
// as many words as were in front of it have come out, the next must be this one: then `here` is 1
// and `word` is what went in, for the harness to compare. As any word may be the one, a true
// comparison means that none is lost, doubled, changed or overtaken. Asserted here: never more than
// MOST words are in flight and nothing comes out of nothing; and (WAIT not 0) when words are in
// flight, `out_valid` is 1 within WAIT cycles although nobody be ready.
module fv_order #(
    parameter WIDTH = 8,
    parameter MOST  = 4,
    parameter WAIT  = 0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             pick,
    input  wire             in_take,
    input  wire [WIDTH-1:0] in_data,
    input  wire             out_valid,
    input  wire             out_take,   // the last of what a word gives has been taken
    output wire             here,
    output wire [WIDTH-1:0] word,
    output wire [15:0]      held        // words in flight
);
    localparam COUNT_W = $clog2(MOST + 2);
    localparam WAIT_W  = $clog2(WAIT + 3);
    reg  [COUNT_W-1:0] held_q;
    reg                follow_q;
    reg  [COUNT_W-1:0] ahead_q;
    reg  [WIDTH-1:0]   data_q;
    reg  [WAIT_W-1:0]  wait_q;
    wire               start = in_take && pick && !follow_q;
    assign here = follow_q && (ahead_q == 0);
    assign word = data_q;
    assign held = {16'd0, held_q};
    always @(posedge clk) begin
        held_q <= held_q + in_take - out_take;
        if (start) begin
            follow_q <= 1'b1;
            ahead_q  <= held_q - out_take;
            data_q   <= in_data;
        end else if (follow_q && out_take) begin
            ahead_q <= ahead_q - 1'b1;
            if (ahead_q == 0) follow_q <= 1'b0;
        end
        if (out_valid || held_q == 0) wait_q <= 0;
        else if (wait_q <= WAIT) wait_q <= wait_q + 1'b1;
        if (rst) begin
            held_q   <= 0;
            follow_q <= 1'b0;
            wait_q   <= 0;
        end
    end
    always @* if (!rst) begin
        assert (held_q <= MOST);
        if (out_valid) assert (held_q != 0);
        if (WAIT != 0) assert (wait_q <= WAIT);
    end
endmodule
`default_nettype wire

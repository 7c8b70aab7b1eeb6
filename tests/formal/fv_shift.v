// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_shift: q = floor(d / 2^shift), sticky = rest or any bit that was shifted
// out.
`default_nettype none
module fv_shift #(
    parameter WIDTH   = 24,
    parameter SHIFT_W = 4
) (
    input wire               clk,
    input wire [WIDTH-1:0]   d,
    input wire               rest,
    input wire [SHIFT_W-1:0] shift
);
    localparam LATENCY = (SHIFT_W + 1) / 2;
    wire [WIDTH-1:0] q;
    wire             sticky;
    aihls_shift #(.WIDTH(WIDTH), .SHIFT_W(SHIFT_W)) u_dut (
        .clk(clk), .en(1'b1), .d(d), .rest(rest), .shift(shift), .q(q), .sticky(sticky)
    );
    wire [WIDTH-1:0] floor = $signed(d) >>> shift;
    wire             lost  = rest || (({{WIDTH{1'b0}}, d} << (WIDTH - ((shift < WIDTH) ? shift : WIDTH)))
                                      & {WIDTH{1'b1}}) != 0;
    reg  [(WIDTH+1)*LATENCY-1:0] want_q;   // the newest in the low bits
    reg  [3:0]                   age_q = 4'd0;
    always @(posedge clk) begin
        want_q <= {want_q, floor, lost};
        if (age_q != LATENCY) age_q <= age_q + 1'b1;
    end
    always @* if (age_q == LATENCY) assert ({q, sticky} == want_q[(WIDTH+1)*(LATENCY-1) +: WIDTH+1]);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// tb_lutmul: every product of aihls_lutmul for weights of W_BITS and activations of S_BITS.
`default_nettype none
module tb_lutmul #(
    parameter W_BITS = 8,
    parameter S_BITS = 8
) (
    output reg done,
    output reg fail
);
    localparam COUNT = 1 << (W_BITS + S_BITS);
    reg                             clk;
    reg  [W_BITS+S_BITS-1:0]        in;
    wire [W_BITS+S_BITS-1:0]        m;
    reg  signed [W_BITS-1:0]        w;
    reg  signed [S_BITS-1:0]        s;
    reg  signed [W_BITS+S_BITS-1:0] want;
    integer                         i, old;
    aihls_lutmul #(.W_BITS(W_BITS), .S_BITS(S_BITS)) u_dut (
        .clk(clk), .en(1'b1), .w(in[W_BITS+S_BITS-1:S_BITS]), .s(in[S_BITS-1:0]), .m(m)
    );
    initial begin
        done = 0;
        fail = 0;
        clk  = 0;
        for (i = 0; i < COUNT + 2; i = i + 1) begin
            in = i;
            #1 clk = 1;
            #1 clk = 0;
            #1;
            if (i >= 2) begin
                old  = i - 2;
                s    = old[S_BITS-1:0];
                w    = old[W_BITS+S_BITS-1:S_BITS];
                want = w * s;
                if (m !== want) begin
                    if (!fail) $display("lutmul: %0d * %0d is %0d, not %0d", w, s, $signed(m), want);
                    fail = 1;
                end
            end
        end
        done = 1;
    end
endmodule

module tb_lutmul_all;
    wire [9:0] done, fail;   // the last: two activations less their zero points
    genvar b;
    generate
        for (b = 1; b <= 9; b = b + 1) begin : g_width
            tb_lutmul #(.W_BITS(b)) u_width (.done(done[b-1]), .fail(fail[b-1]));
        end
    endgenerate
    tb_lutmul #(.W_BITS(9), .S_BITS(9)) u_square (.done(done[9]), .fail(fail[9]));
    always @(done) if (&done) $display("lutmul: %s", (|fail) ? "FAIL" : "all products right");
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_code: the code of aihls_serial in a memory that begins empty: after reset its bytes come through
// s_code, DEPTH of them in order, and then `loaded` says so. Latency of a read 1 cycle.
// Cost: DEPTH bytes of large blocks or block RAM (aihls_spram), a counter. Reset: the code must come again.
`default_nettype none
module aihls_code #(
    parameter DEPTH = 1024,
    parameter HUGE  = 1
) (
    input  wire                                          clk,
    input  wire                                          rst,
    input  wire [7:0]                                    s_code_data,
    input  wire                                          s_code_valid,
    output wire                                          s_code_ready,
    output wire                                          loaded,
    input  wire                                          en, // once loaded
    input  wire [((DEPTH <= 2) ? 1 : $clog2(DEPTH))-1:0] addr,
    output wire [7:0]                                    data
);
    localparam ADDR_W = (DEPTH <= 2) ? 1 : $clog2(DEPTH);
    localparam integer LAST = DEPTH - 1;
    reg  [ADDR_W-1:0] at_q;
    reg               loaded_q;
    wire              put = s_code_valid && s_code_ready;
    assign s_code_ready = !loaded_q;
    assign loaded       = loaded_q;
    aihls_spram #(.DEPTH(DEPTH), .HUGE(HUGE)) u_bytes (
        .clk(clk), .en(put || en), .we(!loaded_q), .addr(loaded_q ? addr : at_q), .wdata(s_code_data), .rdata(data)
    );
    always @(posedge clk) begin
        if (put) begin
            at_q     <= at_q + 1'b1;
            loaded_q <= at_q == LAST[ADDR_W-1:0];
        end
        if (rst) begin
            at_q     <= {ADDR_W{1'b0}};
            loaded_q <= 1'b0;
        end
    end
endmodule
`default_nettype wire

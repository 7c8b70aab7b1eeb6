// SPDX-License-Identifier: Apache-2.0
// aihls_tally: N counters of 32 bits for the price of a memory: each event has a small counter, which is emptied into the
// memory's word every N cycles, in turn. A reading lags by up to N cycles.
//
//   event[i] --> small counter i --[in turn]--> + --> memory (LUT RAM), word i --> rdata, a cycle behind raddr
//
// Reset: all begin at 0 (the first round writes instead of adding).
`default_nettype none
module aihls_tally #(
    parameter N = 4   // at least 2
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [N-1:0] event_on,
    input  wire [9:0]   raddr,
    output wire [31:0]  rdata
);
    localparam INDEX_W = $clog2(N);
    localparam SMALL_W = $clog2(N + 1);

    (* ram_style = "distributed" *)
    reg  [31:0]          mem [0:N-1];
    reg  [N-1:0]         event_q;
    reg  [N-1:0]         turn_q;    // one-hot, as `index_q` says
    reg  [INDEX_W-1:0]   index_q;
    reg                  first_q;
    reg  [31:0]          rdata_q;
    reg  [N*SMALL_W-1:0] small_q;
    reg  [SMALL_W-1:0]   chosen;
    integer              k;
    wire [31:0]          so_far = first_q ? 32'd0 : mem[index_q];
    wire                 unused_ok = &{1'b0, raddr};

    assign rdata = rdata_q;
    always @* begin
        chosen = {SMALL_W{1'b0}};
        for (k = 0; k < N; k = k + 1)
            if (turn_q[k]) chosen = chosen | small_q[k*SMALL_W +: SMALL_W];
    end

    genvar i;
    generate
        if (N < 2 || N > 1024) begin : g_check
            aihls_error_N_must_be_2_to_1024 u_error ();
        end
        for (i = 0; i < N; i = i + 1) begin : g_event
            always @(posedge clk) begin
                small_q[i*SMALL_W +: SMALL_W] <= (turn_q[i] ? {SMALL_W{1'b0}} : small_q[i*SMALL_W +: SMALL_W]) +
                                                 {{(SMALL_W-1){1'b0}}, event_q[i]};
                if (rst) small_q[i*SMALL_W +: SMALL_W] <= {SMALL_W{1'b0}};
            end
        end
    endgenerate

    always @(posedge clk) begin
        event_q <= event_on;
        turn_q  <= {turn_q[N-2:0], turn_q[N-1]};
        index_q <= turn_q[N-1] ? {INDEX_W{1'b0}} : index_q + {{(INDEX_W-1){1'b0}}, 1'b1};
        if (turn_q[N-1]) first_q <= 1'b0;
        rdata_q <= mem[raddr[INDEX_W-1:0]];
        if (rst) begin
            event_q <= {N{1'b0}};
            turn_q  <= {{(N-1){1'b0}}, 1'b1};
            index_q <= {INDEX_W{1'b0}};
            first_q <= 1'b1;
        end
    end
    always @(posedge clk) mem[index_q] <= so_far + {{(32-SMALL_W){1'b0}}, chosen};
endmodule
`default_nettype wire

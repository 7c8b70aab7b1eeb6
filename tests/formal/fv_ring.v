// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_ring, two DMAs and whatever a host writes: TAIL is never more than SLOTS ahead of DONE nor goes back; each DMA is
// offered the queued frames in order, with the address that was written last for the slot; DONE counts a frame when both have
// done it, and not later than two cycles behind; the slot then says which errors it had. RESET waits for the bus and
// goes on behind the last frame that is done (with SETTLE 2, so that a short run sees its end).
`default_nettype none
module fv_ring #(
    parameter SLOTS = 2
) (
    input wire        clk,
    input wire        rst,
    input wire        we,
    input wire [13:0] waddr,
    input wire [31:0] wdata,
    input wire        idle,
    input wire [1:0]  frame_ready,
    input wire [1:0]  done,
    input wire [1:0]  done_error,
    input wire        beat,
    input wire        last_beat,
    input wire [3:0]  error
);
    localparam ADDR_W = 8;
    wire [31:0]         unused_rdata;
    wire                irq, soft_rst, stop;
    wire [2*ADDR_W-1:0] frame_data;
    wire [1:0]          frame_valid;
    reg  [31:0] done_q, tail_q;
    aihls_ring #(.INPUTS(1), .OUTPUTS(1), .SLOTS(SLOTS), .ADDR_W(ADDR_W), .SETTLE(2)) u_dut (
        .clk(clk), .rst(rst), .we(we), .waddr(waddr), .wdata(wdata), .re(1'b0), .raddr({11'd128, done_q[0], 2'd0}), .rdata(unused_rdata),
        .counter(32'd0), .irq(irq), .soft_rst(soft_rst), .stop(stop), .idle(idle), .frame_data(frame_data),
        .frame_valid(frame_valid), .frame_ready(frame_ready), .done(done), .done_error(done_error), .beat(beat),
        .last_beat(last_beat), .error(error)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    // Names of the device's own wires, once all is flat.
    (* hierconn *) wire [31:0] \u_dut.done_q ;
    (* hierconn *) wire [31:0] \u_dut.tail_q ;
    (* hierconn *) wire [17:0] \u_dut.result ;   // of the slot that raddr names
    wire [31:0] done_now = \u_dut.done_q ;
    wire [31:0] tail_now = \u_dut.tail_q ;
    reg         soft_q, we_q, alive_q = 1'b0;
    reg  [1:0]  idle_q;         // cycles on end in which the bus was idle while it was to stop
    wire [7:0]  ended [0:1];
    genvar p;
    generate
        for (p = 0; p < 2; p = p + 1) begin : g_dma
            reg [7:0]        fetched_q, ended_q;         // frames since power-up, low bits
            reg [ADDR_W-1:0] address_q [0:SLOTS-1];
            reg              written_q;
            reg [SLOTS-1:0]  known_q, bad_q;
            wire             fetch = frame_valid[p] && frame_ready[p];
            wire             mine  = we && waddr[13:11] == 3'b010 && waddr[6:0] == 2 * p;
            assign ended[p] = ended_q;
            always @(posedge clk) begin
                if (fetch) fetched_q <= fetched_q + 1'b1;
                if (done[p]) begin
                    ended_q <= ended_q + 1'b1;
                    bad_q[ended_q % SLOTS] <= done_error[p];
                end
                if (mine) begin
                    address_q[waddr[7]] <= wdata[ADDR_W-1:0];
                    known_q[waddr[7]]   <= 1'b1;
                end
                if (soft_q && !stop) begin   // the reset is over
                    fetched_q <= done_now[7:0] + fetch;
                    ended_q   <= done_now[7:0];
                end
                if (rst) begin
                    fetched_q <= 0;
                    ended_q   <= 0;
                    known_q   <= 0;
                end
            end
            wire [7:0] ahead = ((soft_q && !stop) ? done_now[7:0] : fetched_q) - done_now[7:0];
            wire [7:0] queue = tail_now[7:0] - done_now[7:0];
            wire       at    = (soft_q && !stop) ? done_now[0] : fetched_q[0];
            always @* if (!rst) begin
                // A DMA ends what it fetched, and nothing when the bus is idle because of a reset.
                if (done[p]) assume (ended_q != fetched_q && !(soft_q && !stop));
                if (stop && idle_q != 0) assume (!done[p]);
                if (frame_valid[p]) assert (ahead < queue && !stop);
                if (frame_valid[p] && known_q[at]) assert (frame_data[p*ADDR_W +: ADDR_W] == address_q[at]);
            end
        end
    endgenerate
    always @(posedge clk) begin
        alive_q <= !rst;
        we_q    <= we;
        done_q  <= done_now;
        tail_q  <= tail_now;
        soft_q  <= stop && !rst;
        idle_q  <= (rst || !stop || !idle) ? 0 : (idle_q == 3) ? 3 : idle_q + 1'b1;
    end
    wire retired = alive_q && (done_now == done_q + 1);
    always @* if (!rst) begin
        if (we) assume (!we_q);   // proven of aihls_axil
        if (stop && idle_q != 0) assume (idle);
        assert (tail_now - done_now <= SLOTS);
        if (alive_q) assert (done_now == done_q || done_now == done_q + 1);
        if (alive_q && !(soft_q && !stop)) assert (tail_now - tail_q <= SLOTS);
        // Both have done what DONE counts; it lags by a cycle for each frame.
        if (!(soft_q && !stop)) assert (ended[0] - done_now[7:0] < 128 && ended[1] - done_now[7:0] < 128);
        if (soft_rst) assert (idle_q != 0);
        if (retired) assert (\u_dut.result  ==
                             {done_q[15:0], g_dma[1].bad_q[done_q[0]], g_dma[0].bad_q[done_q[0]]});
    end
endmodule
`default_nettype wire

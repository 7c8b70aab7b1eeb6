// SPDX-License-Identifier: Apache-2.0
// aihls_ring: registers and ring of frames of the AXI shell; docs/80-shell.md is the manual.
//
//   registers <--> aihls_axil       frame p: address of the next queued frame's buffer for DMA p
//   tail ---- fetch p (each DMA by itself, ahead) ---- done (when all DMAs have done it)
//
// DMAs are numbered inputs first. `done[p]` counts a frame of DMA p, with done_error; beat is 1 when a beat
// of the first input enters the pipeline, last_beat with it at a frame's end. RESET: stop = 1 until all DMAs have been idle for SETTLE cycles, then soft_rst = 1 for
// as many; fetching begins again behind the last frame that is done.
`default_nettype none
module aihls_ring #(
    parameter         INPUTS     = 1,
    parameter         OUTPUTS    = 1,
    parameter         SLOTS      = 16,    // a power of two, at most 16
    parameter         ADDR_W     = 32,    // 8 to 64
    parameter         WORD_BYTES = 8,
    parameter         COUNTERS   = 2,
    parameter         SETTLE     = 8,     // 2 to 8
    parameter [255:0] MODEL      = 256'd0
) (
    input  wire                               clk,
    input  wire                               rst,
    input  wire                               we,
    input  wire [13:0]                        waddr,
    input  wire [31:0]                        wdata,
    input  wire                               re,
    input  wire [13:0]                        raddr,
    output wire [31:0]                        rdata,
    input  wire [31:0]                        counter,   // of raddr[9:0], a cycle later
    output wire                               irq,
    output wire                               soft_rst,
    output wire                               stop,
    input  wire                               idle,
    output wire [(INPUTS+OUTPUTS)*ADDR_W-1:0] frame_data,
    output wire [INPUTS+OUTPUTS-1:0]          frame_valid,
    input  wire [INPUTS+OUTPUTS-1:0]          frame_ready,
    input  wire [INPUTS+OUTPUTS-1:0]          done,
    input  wire [INPUTS+OUTPUTS-1:0]          done_error,
    input  wire                               beat,
    input  wire                               last_beat,
    input  wire [3:0]                         error      // read SLVERR, DECERR, write SLVERR, DECERR
);
    localparam PORTS  = INPUTS + OUTPUTS;
    localparam SLOT_W = $clog2(SLOTS);
    localparam [31:0] MOST  = SLOTS;
    localparam [31:0] SHAPE = INPUTS + OUTPUTS * 256 + SLOTS * 65536 + WORD_BYTES * 16777216;
    localparam [31:0] COUNT = COUNTERS;
    localparam integer SETTLED = SETTLE;
    localparam integer RESTART = 2 * SETTLE - 1;
    localparam [1:0] WORK = 2'd0, DRAIN = 2'd1, HOLD = 2'd2;

    // ---- writes ----
    wire        to_global  = we && (waddr[13:5] == 9'd0);
    wire        to_control = to_global && (waddr[4:0] == 5'h0c);
    wire        to_errors  = to_global && (waddr[4:0] == 5'h0e);
    wire        to_enable  = to_global && (waddr[4:0] == 5'h0f);
    wire        to_pending = to_global && (waddr[4:0] == 5'h10);
    wire        to_tail    = to_global && (waddr[4:0] == 5'h11);
    wire        to_address = we && (waddr[13:11] == 3'b010);

    reg         run_q, drop_q, reset_q, soft_rst_q;
    reg  [1:0]  state_q;
    reg  [3:0]  wait_q;
    reg  [4:0]  errors_q;
    reg  [1:0]  enable_q, pending_q;
    reg  [31:0] tail_q, done_q;
    reg         bell_q;
    reg  [31:0] wanted_q, ahead_of_done_q, ahead_of_tail_q;
    reg  [63:0] cycles_q;
    reg  [31:0] high_q;
    reg  [31:0] end_q;
    reg         ended_q;             // a frame has ended since the reset: end_q says when
    reg  [SLOT_W-1:0] entered_q;     // frames that have begun to enter the pipeline
    reg         inside_q;            // in the middle of one

    wire        restart = (state_q == HOLD) && (wait_q == RESTART[3:0]);
    wire        granted = bell_q && (ahead_of_done_q <= MOST) && (ahead_of_tail_q <= MOST) && (state_q == WORK);
    wire        refused = bell_q && !granted;
    wire        first_beat = beat && !inside_q;
    wire        retire;
    wire [SLOT_W-1:0] slot = done_q[SLOT_W-1:0];
    wire [PORTS-1:0]  has, bad;
    wire        bad_read, bad_write;
    wire [4:0]  new_errors = {refused, error};

    assign irq      = (pending_q & enable_q) != 2'd0;
    assign soft_rst = soft_rst_q;
    assign stop     = (state_q != WORK);
    assign retire   = &has;
    assign bad_read  = |bad[INPUTS-1:0];
    assign bad_write = |bad[PORTS-1:INPUTS];

    always @(posedge clk) begin
        cycles_q <= cycles_q + 64'd1;
        if (to_control) begin
            run_q <= wdata[0];
            if (wdata[1]) begin
                reset_q <= 1'b1;
                drop_q  <= wdata[2];
            end
        end
        if (to_enable) enable_q <= wdata[1:0];
        errors_q  <= (errors_q & ~(to_errors ? wdata[4:0] : 5'd0)) | new_errors;
        pending_q <= (pending_q & ~(to_pending ? wdata[1:0] : 2'd0)) | {new_errors != 5'd0, retire};

        // The doorbell is judged in the cycle behind the write.
        bell_q          <= to_tail;
        wanted_q        <= wdata;
        ahead_of_done_q <= wdata - done_q;
        ahead_of_tail_q <= wdata - tail_q;
        if (granted) tail_q <= wanted_q;

        if (retire) begin
            done_q  <= done_q + 32'd1;
            end_q   <= cycles_q[31:0];
            ended_q <= 1'b1;
        end
        if (beat) inside_q <= !last_beat;
        if (first_beat) entered_q <= entered_q + {{(SLOT_W-1){1'b0}}, 1'b1};

        case (state_q)
            WORK: begin
                wait_q <= 4'd0;
                if (reset_q) state_q <= DRAIN;
            end
            DRAIN: begin
                wait_q <= (idle && wait_q != SETTLED[3:0]) ? wait_q + 4'd1 : 4'd0;
                if (wait_q == SETTLED[3:0]) state_q <= HOLD;
            end
            default: begin
                wait_q     <= wait_q + 4'd1;
                soft_rst_q <= (wait_q < SETTLED[3:0]);
                if (restart) begin
                    state_q   <= WORK;
                    reset_q   <= 1'b0;
                    entered_q <= slot;
                    inside_q  <= 1'b0;
                    ended_q   <= 1'b0;
                    if (drop_q) tail_q <= done_q;
                end
            end
        endcase

        if (rst) begin
            run_q      <= 1'b0;
            reset_q    <= 1'b0;
            drop_q     <= 1'b0;
            soft_rst_q <= 1'b0;
            state_q    <= WORK;
            errors_q   <= 5'd0;
            enable_q   <= 2'd0;
            pending_q  <= 2'd0;
            tail_q     <= 32'd0;
            done_q     <= 32'd0;
            bell_q     <= 1'b0;
            cycles_q   <= 64'd0;
            ended_q    <= 1'b0;
            entered_q  <= {SLOT_W{1'b0}};
            inside_q   <= 1'b0;
        end
    end

    // ---- a DMA's share: addresses, frames fetched, frames done, which of them were bad ----
    genvar p;
    generate
        if (SLOTS != 2 && SLOTS != 4 && SLOTS != 8 && SLOTS != 16) begin : g_check
            aihls_error_SLOTS_must_be_a_power_of_two_up_to_16 u_error ();
        end
        for (p = 0; p < PORTS; p = p + 1) begin : g_dma
            localparam integer ME = p;
            localparam [SLOT_W:0] ONE = {{SLOT_W{1'b0}}, 1'b1};
            reg  [SLOT_W:0]   fetch_q;   // low bits of the frame to begin next
            reg  [SLOT_W:0]   ahead_q;   // frames done by this DMA and not by all
            reg  [SLOTS-1:0]  bad_q;
            wire [SLOT_W-1:0] at    = slot + ahead_q[SLOT_W-1:0];
            wire              mine  = to_address && (waddr[6:1] == ME[5:0]);
            wire              fetch = frame_valid[p] && frame_ready[p];
            aihls_lutram #(.WIDTH((ADDR_W < 32) ? ADDR_W : 32), .DEPTH(SLOTS)) u_low (
                .clk(clk), .we(mine && !waddr[0]), .waddr(waddr[7 +: SLOT_W]),
                .wdata(wdata[((ADDR_W < 32) ? ADDR_W : 32)-1:0]), .raddr(fetch_q[SLOT_W-1:0]),
                .rdata(frame_data[p*ADDR_W +: ((ADDR_W < 32) ? ADDR_W : 32)])
            );
            if (ADDR_W > 32) begin : g_high
                aihls_lutram #(.WIDTH(ADDR_W-32), .DEPTH(SLOTS)) u_high (
                    .clk(clk), .we(mine && waddr[0]), .waddr(waddr[7 +: SLOT_W]), .wdata(wdata[ADDR_W-33:0]),
                    .raddr(fetch_q[SLOT_W-1:0]), .rdata(frame_data[p*ADDR_W+32 +: ADDR_W-32])
                );
            end
            assign frame_valid[p] = run_q && (state_q == WORK) && (fetch_q != tail_q[SLOT_W:0]);
            assign has[p] = (ahead_q != {(SLOT_W+1){1'b0}});
            assign bad[p] = bad_q[slot];
            always @(posedge clk) begin
                if (fetch) fetch_q <= fetch_q + ONE;
                ahead_q <= ahead_q + {{SLOT_W{1'b0}}, done[p]} - {{SLOT_W{1'b0}}, retire};
                if (retire) bad_q[slot] <= 1'b0;
                if (done[p]) bad_q[at] <= done_error[p];
                if (rst || restart) begin
                    fetch_q <= rst ? {(SLOT_W+1){1'b0}} : done_q[SLOT_W:0];
                    ahead_q <= {(SLOT_W+1){1'b0}};
                    bad_q   <= {SLOTS{1'b0}};
                end
            end
        end
    endgenerate

    // ---- what became of a frame ----
    wire [31:0] begun, latency, distance;
    wire [17:0] result;
    aihls_lutram #(.WIDTH(32), .DEPTH(SLOTS)) u_begun (
        .clk(clk), .we(first_beat), .waddr(entered_q), .wdata(cycles_q[31:0]), .raddr(slot), .rdata(begun)
    );
    aihls_lutram #(.WIDTH(32), .DEPTH(SLOTS)) u_latency (
        .clk(clk), .we(retire), .waddr(slot), .wdata(cycles_q[31:0] - begun), .raddr(raddr[2 +: SLOT_W]), .rdata(latency)
    );
    aihls_lutram #(.WIDTH(32), .DEPTH(SLOTS)) u_distance (
        .clk(clk), .we(retire), .waddr(slot), .wdata(ended_q ? cycles_q[31:0] - end_q : 32'd0), .raddr(raddr[2 +: SLOT_W]),
        .rdata(distance)
    );
    aihls_lutram #(.WIDTH(18), .DEPTH(SLOTS)) u_result (
        .clk(clk), .we(retire), .waddr(slot), .wdata({done_q[15:0], bad_write, bad_read}), .raddr(raddr[2 +: SLOT_W]),
        .rdata(result)
    );

    // ---- reads ----
    reg  [31:0] global_d, global_q, slot_d, slot_q, rdata_q;
    wire        all_idle = idle && (state_q == WORK) && (tail_q == done_q);
    assign rdata = rdata_q;
    always @* begin
        case (raddr[4:0])
            5'h00: global_d = 32'h4c484941;
            5'h01: global_d = 32'h00010001;
            5'h02: global_d = SHAPE;
            5'h03: global_d = COUNT;
            5'h04: global_d = MODEL[255:224];
            5'h05: global_d = MODEL[223:192];
            5'h06: global_d = MODEL[191:160];
            5'h07: global_d = MODEL[159:128];
            5'h08: global_d = MODEL[127:96];
            5'h09: global_d = MODEL[95:64];
            5'h0a: global_d = MODEL[63:32];
            5'h0b: global_d = MODEL[31:0];
            5'h0c: global_d = {29'd0, drop_q && reset_q, reset_q, run_q};
            5'h0d: global_d = {30'd0, all_idle, reset_q};
            5'h0e: global_d = {27'd0, errors_q};
            5'h0f: global_d = {30'd0, enable_q};
            5'h10: global_d = {30'd0, pending_q};
            5'h11: global_d = tail_q;
            5'h12: global_d = done_q;
            5'h13: global_d = cycles_q[31:0];
            5'h14: global_d = high_q;
            default: global_d = 32'd0;
        endcase
        case (raddr[1:0])
            2'd0: slot_d = {result[17:2], 14'd0, result[1:0]};
            2'd1: slot_d = latency;
            2'd2: slot_d = distance;
            default: slot_d = 32'd0;
        endcase
    end
    always @(posedge clk) begin
        if (re) begin
            global_q <= global_d;
            slot_q   <= slot_d;
            if (raddr == 14'h0013) high_q <= cycles_q[63:32];
        end
        rdata_q <= (raddr[13:5] == 9'd0) ? global_q
                 : (raddr[13:10] == 4'd1 && raddr[9:2+SLOT_W] == {(8-SLOT_W){1'b0}}) ? slot_q
                 : (raddr[13:10] == 4'd2 && {22'd0, raddr[9:0]} < COUNT) ? counter : 32'd0;
    end
    wire unused_ok = &{1'b0, waddr};
endmodule
`default_nettype wire

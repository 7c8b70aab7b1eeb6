// SPDX-License-Identifier: Apache-2.0
// aihls_uart_link: answers the requests of NAME_uart (docs/82-uart.md): identity, status, reset, a block of bytes into an
// input, a block out of an output. One request, one answer; nothing is said unasked, and no request waits for the
// pipeline: a block goes in only when there is room for all of it, and comes out as far as it is there. So whatever
// the pipeline does, an answer begins at most BLOCK + 20 cycles behind its request.
//
// WRITE and READ are numbered. That of number `expected` is carried out; the one before it, whose answer was lost, is answered
// again and changes nothing (none of the other kind is: READ's bytes stay for that); others are refused. RESET begins with number 0 again.
//
// m: the bytes of an answer for aihls_uart_pack. Reset: as after RESET, and all counts are 0.
`default_nettype none
module aihls_uart_link #(
    parameter         INPUTS  = 1,
    parameter         OUTPUTS = 1,
    parameter         BLOCK   = 64,     // bytes, a power of two, at most 128
    parameter         BRAM    = 0,      // 1: block RAM, 0: LUT RAM
    parameter [255:0] MODEL   = 256'd0  // its identity, first byte highest
) (
    input  wire                     clk,
    input  wire                     rst,
    // a request, from aihls_uart_unpack
    input  wire [7:0]               op,
    input  wire [7:0]               seq,
    input  wire [7:0]               arg,
    input  wire [$clog2(BLOCK):0]   n_bytes,
    input  wire                     done,
    input  wire                     bad,
    input  wire                     line_error,
    input  wire                     we,
    input  wire [$clog2(BLOCK)-1:0] waddr,
    input  wire [7:0]               wdata,
    output wire                     hold,
    // the answer
    output wire [7:0]               m_data,
    output wire                     m_last,
    output wire                     m_valid,
    input  wire                     m_ready,
    // the pipeline
    output wire                     soft_rst,
    output wire [7:0]               w_data,
    output wire [INPUTS-1:0]        w_push,
    input  wire [INPUTS-1:0]        room,
    input  wire [8*OUTPUTS-1:0]     r_data,
    input  wire [OUTPUTS-1:0]       r_valid,
    output wire [OUTPUTS-1:0]       r_ready,
    input  wire                     frame_in,    // a frame begins
    input  wire                     frame_out    // a frame has ended
);
    localparam [7:0] IDENTIFY = 8'd1, STATUS = 8'd2, RESET = 8'd3, WRITE = 8'd4, READ = 8'd5;
    localparam [7:0] OK = 8'd0, BUSY = 8'd1, ORDER = 8'd2, UNKNOWN = 8'd3;
    localparam [2:0] IDLE = 3'd0, DECODE = 3'd1, CHOOSE = 3'd2, CLEAR = 3'd3, MOVE_IN = 3'd4, MOVE_OUT = 3'd5, SEND = 3'd6;
    localparam AT_W  = $clog2(BLOCK);
    localparam IN_W  = (INPUTS < 2) ? 1 : $clog2(INPUTS);
    localparam OUT_W = (OUTPUTS < 2) ? 1 : $clog2(OUTPUTS);
    localparam integer ONE = 1;
    localparam [AT_W:0]   STEP    = ONE[AT_W:0];
    localparam [8:0]      INPUTS_  = INPUTS[8:0];
    localparam [8:0]      OUTPUTS_ = OUTPUTS[8:0];
    localparam [7:0]      BLOCK_   = BLOCK[7:0];
    // "AIHL", version 1.0, shape, model: 41 bytes, in a table of 64.
    localparam [511:0] IDENTITY = {"AIHL", 8'd1, 8'd0, INPUTS_[7:0], OUTPUTS_[7:0], BLOCK_, MODEL, 184'd0};

    reg  [2:0]      state_q;
    reg  [7:0]      expected_q;
    reg  [7:0]      last_q;     // the request that was carried out with number expected_q - 1
    reg  [7:0]      status_q;
    reg  [AT_W:0]   at_q;       // bytes moved
    reg  [AT_W:0]   end_q;      // of a WRITE: the last byte's place
    reg  [AT_W:0]   read_q;     // bytes of the last READ
    reg  [7:0]      index_q;    // of the answer's bytes
    reg  [7:0]      final_q;    // index of the last
    reg             known_q, in_turn_q, again_q, room_q;
    reg  [1:0]      phase_q;    // of a byte: address, data, valid
    reg  [7:0]      byte_q;
    reg             pushing_q;
    reg  [3:0]      clear_q;
    reg             soft_q;
    reg  [127:0]    report_q;
    reg  [31:0]     frames_q, latency_q, interval_q, since_start_q, since_end_q;
    reg  [15:0]     bad_q, line_q;
    reg             running_q;  // a frame is under way that found the pipeline empty
    wire [7:0]      back_data, forth_data;
    wire            known   = (op == WRITE) ? ({1'b0, arg} < INPUTS_) && (n_bytes != {(AT_W+1){1'b0}})
                            : (op == READ)  ? ({1'b0, arg} < OUTPUTS_) : (op >= IDENTIFY) && (op <= RESET);
    wire            in_turn = (seq == expected_q);
    wire            again   = (seq == expected_q - 8'd1) && (op == last_q);
    wire [IN_W-1:0]  in_port  = arg[IN_W-1:0];
    wire [OUT_W-1:0] out_port = arg[OUT_W-1:0];
    wire            there   = r_valid[out_port] && (at_q != BLOCK_[AT_W:0]);
    wire            taking  = (state_q == MOVE_OUT) && there;
    wire [7:0]      data_at = index_q - 8'd4;
    wire [5:0]      identity_at = ~data_at[5:0];
    wire            unused_ok = &{1'b0, data_at[7:6], INPUTS_[8], OUTPUTS_[8], BLOCK_};

    assign hold     = done || (state_q != IDLE);
    assign soft_rst = soft_q;
    assign w_data   = forth_data;
    assign m_data   = byte_q;
    assign m_last   = (index_q == final_q);
    assign m_valid  = (state_q == SEND) && (phase_q == 2'd2);

    genvar i;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : g_push
            localparam integer ME = i;
            assign w_push[i] = pushing_q && (in_port == ME[IN_W-1:0]);
        end
        for (i = 0; i < OUTPUTS; i = i + 1) begin : g_take
            localparam integer ME = i;
            assign r_ready[i] = taking && (out_port == ME[OUT_W-1:0]);
        end
        if (BLOCK > 128 || INPUTS > 255 || OUTPUTS > 255) begin : g_check
            aihls_error_BLOCK_must_be_at_most_128 u_error ();
        end
    endgenerate

    aihls_ram #(.WIDTH(8), .DEPTH(BLOCK), .BLOCK(BRAM)) u_forth (
        .clk(clk), .we(we), .waddr(waddr), .wdata(wdata), .re(state_q == MOVE_IN), .raddr(at_q[AT_W-1:0]), .rdata(forth_data)
    );
    // Kept until the next READ: its answer may be asked for again.
    aihls_ram #(.WIDTH(8), .DEPTH(BLOCK), .BLOCK(BRAM)) u_back (
        .clk(clk), .we(taking), .waddr(at_q[AT_W-1:0]), .wdata(r_data[8*out_port +: 8]), .re((state_q == SEND) && (phase_q == 2'd0)), .raddr(data_at[AT_W-1:0]), .rdata(back_data)
    );

    always @(posedge clk) begin
        pushing_q <= 1'b0;
        soft_q    <= 1'b0;
        case (state_q)
        IDLE: begin
            if (done) state_q <= DECODE;
            at_q    <= {(AT_W+1){1'b0}};
            index_q <= 8'd0;
            phase_q <= 2'd0;
            clear_q <= 4'd0;
        end
        // What is there to know of the request; room that there is stays, as nobody else fills it.
        DECODE: begin
            state_q   <= CHOOSE;
            known_q   <= known;
            in_turn_q <= in_turn;
            again_q   <= again;
            room_q    <= room[in_port];
            end_q     <= n_bytes - STEP;
        end
        CHOOSE: begin
            state_q  <= SEND;
            status_q <= OK;
            final_q  <= 8'd3;
            if (!known_q) begin
                status_q <= UNKNOWN;
            end else if (op == IDENTIFY) begin
                final_q <= 8'd44;
            end else if (op == STATUS) begin
                final_q <= 8'd19;
            end else if (op == RESET) begin
                state_q    <= CLEAR;
                expected_q <= 8'd0;
                last_q     <= op;
            end else if (again_q) begin
                if (op == READ) final_q <= {{(7-AT_W){1'b0}}, read_q} + 8'd3;
            end else if (!in_turn_q) begin
                status_q <= ORDER;
            end else if ((op == WRITE) && !room_q) begin
                status_q <= BUSY;
            end else begin
                state_q    <= (op == WRITE) ? MOVE_IN : MOVE_OUT;
                expected_q <= expected_q + 8'd1;
                last_q     <= op;
            end
        end
        CLEAR: begin
            soft_q  <= 1'b1;
            clear_q <= clear_q + 4'd1;
            if (clear_q == 4'd15) state_q <= SEND;
        end
        MOVE_IN: begin
            pushing_q <= 1'b1;
            at_q      <= at_q + STEP;
            if (at_q == end_q) state_q <= SEND;
        end
        MOVE_OUT: begin
            if (there) begin
                at_q <= at_q + STEP;
            end else begin
                state_q <= SEND;
                read_q  <= at_q;
                final_q <= {{(7-AT_W){1'b0}}, at_q} + 8'd3;
            end
        end
        default: begin   // SEND
            if (phase_q == 2'd0) begin
                phase_q <= 2'd1;
            end else if (phase_q == 2'd1) begin
                phase_q <= 2'd2;
                case (index_q)
                8'd0:    byte_q <= op;
                8'd1:    byte_q <= seq;
                8'd2:    byte_q <= status_q;
                8'd3:    byte_q <= expected_q;
                default: byte_q <= (op == READ) ? back_data : (op == STATUS) ? report_q[7:0] : IDENTITY[8*identity_at +: 8];
                endcase
            end else if (m_ready) begin
                phase_q <= 2'd0;
                index_q <= index_q + 8'd1;
                if (m_last) state_q <= IDLE;
            end
        end
        endcase
        if (rst) begin
            state_q    <= IDLE;
            expected_q <= 8'd0;
            last_q     <= RESET;
            read_q     <= {(AT_W+1){1'b0}};
            soft_q     <= 1'b1;
            pushing_q  <= 1'b0;
        end
    end

    // What STATUS tells is taken when a request is looked at, whatever that is.
    always @(posedge clk) begin
        if (state_q == DECODE) report_q <= {line_q, bad_q, interval_q, latency_q, frames_q};
        else if (m_valid && m_ready && (index_q >= 8'd4)) report_q <= {8'd0, report_q[127:8]};
    end

    // Counts. A latency is that of a frame that found the pipeline empty.
    always @(posedge clk) begin
        since_start_q <= since_start_q + 32'd1;
        since_end_q   <= since_end_q + 32'd1;
        if (frame_in && !running_q) begin
            running_q     <= 1'b1;
            since_start_q <= 32'd1;
        end
        if (frame_out) begin
            frames_q    <= frames_q + 32'd1;
            interval_q  <= since_end_q;
            since_end_q <= 32'd1;
            running_q   <= 1'b0;
            if (running_q) latency_q <= since_start_q;
        end
        if (bad)        bad_q  <= bad_q + 16'd1;
        if (line_error) line_q <= line_q + 16'd1;
        if (rst || soft_q) running_q <= 1'b0;
        if (rst) begin
            frames_q      <= 32'd0;
            latency_q     <= 32'd0;
            interval_q    <= 32'd0;
            since_start_q <= 32'd0;
            since_end_q   <= 32'd0;
            bad_q         <= 16'd0;
            line_q        <= 16'd0;
        end
    end
endmodule
`default_nettype wire

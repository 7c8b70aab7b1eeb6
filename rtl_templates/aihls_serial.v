// SPDX-License-Identifier: Apache-2.0
// aihls_serial: a whole network in one multiplier, stage after stage, out of two memories: the activations, which it
// writes and reads, and the code, a byte at a time in the order in which it is needed (docs/51-serial.md).
//
//   s_act -> [activations] -> a -\                          k_data: a record for each step, the parameters and weights
//               ^                 multiply, sum -> aihls_rqserial -\     of each output behind it
//               '------------ w -/------------------ y <-----------'
//
// A step is a record of fields (low bit first, the localparams below) and what they say: LOAD a frame of an input, SEND one of
// an output, or compute a stage. Seven nested loops, the inner three over the taps of an output, the outer four over outputs in
// stream order, move an address through the activations: after a pass of loop k, with all inner ones at their end, it moves by
// JUMP k. A position in the image moves with it; taps outside read PAD. Weights and parameters stand in the order of use.
//
// Cycles: START 1 a frame; a record its bytes, SETUP 1; LOAD 1 a byte; SEND 2; an output its parameters' bytes (where it has
// its own), 1 a tap, DRAIN 5, HAND 1 and what it waits there: the output before it needs shift + 4 cycles from its own HAND.
// FLUSH behind the last output of a stage waits likewise. dataflow/serial.c counts the same.
// Ports: inputs are taken in turn, one at a time; outputs hold. Reset: the frame begins anew.
`default_nettype none
module aihls_serial #(
    parameter TECH    = "GENERIC",
    parameter MUL_DSP = 1,
    parameter INPUTS  = 1,
    parameter OUTPUTS = 1,
    parameter DEPTH   = 1024, // activations, bytes
    parameter HUGE    = 0,    // aihls_spram
    parameter ADDR_W  = 10,   // $clog2(DEPTH), at least 1
    parameter CODE_W  = 10,   // address bits of the code
    parameter COUNT_W = 8,    // of loops: one less than their passes
    parameter POS_W   = 8,    // of positions, wrapping: outside is beyond the image's size
    parameter INDEX_W = 4,    // of stages
    parameter SUM_W   = 32,   // of sums, with bias
    parameter MULT_W  = 24,
    parameter SHIFT_W = 6
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [INPUTS*8-1:0]  s_act_data,
    input  wire [INPUTS-1:0]    s_act_valid,
    output wire [INPUTS-1:0]    s_act_ready,
    output wire [7:0]           m_act_data, // of all outputs
    output wire [OUTPUTS-1:0]   m_act_valid,
    input  wire [OUTPUTS-1:0]   m_act_ready,
    input  wire                 go,   // the code is there
    output wire                 k_en,
    output wire [CODE_W-1:0]    k_addr,
    input  wire [7:0]           k_data, // one cycle behind k_en
    output wire [INDEX_W-1:0]   index,  // of the stage that is computed while `running`, and what it stores
    output wire                 running,
    output wire                 store,
    output wire [7:0]           stored
);
    // ---- the record ----
    localparam LOOPS = 7; // channel, x and y of a tap; channel in its group, group, x and y of an output
    localparam KIND_AT = 0, LAST_AT = 2, EACH_AT = 3, PIXEL_AT = 4, AGAIN_AT = 5, AGAIN_PIXEL_AT = 6, ONES_AT = 7;
    localparam MAX_AT = 8, DIGITS_AT = 9, PORT_AT = 10, PAD_AT = 16, ZERO_AT = 24, LO_AT = 32, HI_AT = 40, INDEX_AT = 48;
    localparam FROM_AT  = INDEX_AT + INDEX_W, TO_AT = FROM_AT + ADDR_W, COUNT_AT = TO_AT + ADDR_W;
    localparam JUMP_AT  = COUNT_AT + LOOPS*COUNT_W, SIZE_AT = JUMP_AT + LOOPS*ADDR_W; // height, width
    localparam BEGIN_AT = SIZE_AT + 2*POS_W; // y, x
    localparam DY_AT    = BEGIN_AT + 2*POS_W; // y after a row of taps, an output, a row of outputs
    localparam DX_AT    = DY_AT + 3*POS_W;    // x after a tap, a row of taps or an output, a pixel, a row of outputs
    localparam RECORD_BYTES = (DX_AT + 4*POS_W + 7) / 8;
    localparam PARAM_W      = SUM_W + MULT_W + SHIFT_W;
    localparam PARAM_BYTES  = (PARAM_W + 7) / 8;
    localparam BYTES_W      = $clog2(RECORD_BYTES + PARAM_BYTES);

    localparam [1:0] COMPUTE = 2'd0, LOADS = 2'd1, SENDS = 2'd2;
    localparam [3:0] START = 4'd0, RECORD = 4'd1, SETUP = 4'd2, LOAD = 4'd3, FETCH = 4'd4, SEND = 4'd5, PARAMS = 4'd6,
                     TAPS  = 4'd7, DRAIN = 4'd8, HAND = 4'd9, FLUSH = 4'd10;
    localparam DRAIN_CYCLES = 5; // from the last tap's address to its product in the sum, less one

    reg [RECORD_BYTES*8-1:0] record_q;
    reg [PARAM_BYTES*8-1:0]  param_q;
    reg [3:0]                state_q;
    reg [BYTES_W-1:0]        bytes_q; // left of record or parameters, cycles left of DRAIN

    wire [1:0] kind       = record_q[KIND_AT +: 2];
    wire       last       = record_q[LAST_AT];
    wire       each       = record_q[EACH_AT];        // every output has parameters of its own
    wire       by_pixel   = record_q[PIXEL_AT];       // every pixel has; neither: the stage has
    wire       again      = record_q[AGAIN_AT];       // the same weights for every output
    wire       again_late = record_q[AGAIN_PIXEL_AT]; // for every pixel
    wire       ones       = record_q[ONES_AT];        // no weights: 1
    wire       maximum    = record_q[MAX_AT];         // of the taps instead of their sum
    wire       digits     = record_q[DIGITS_AT];      // a pass of the tap's y is a digit of base 256, the highest first
    wire [5:0] port       = record_q[PORT_AT +: 6];
    assign index   = record_q[INDEX_AT +: INDEX_W];
    assign running = kind == COMPUTE && state_q != START && state_q != RECORD;

    // ---- loops ----
    reg  [LOOPS*COUNT_W-1:0] left_q;
    reg  [ADDR_W-1:0]        from_q, to_q;
    reg  [POS_W-1:0]         y_q, x_q;
    wire [LOOPS-1:0]         more, step; // passes left; the loop that goes on
    wire                     advance;
    wire                     ended = !(|more[2:0]), done = !(|more);
    wire                     pixel_ends = ended && !(|more[4:3]);

    wire [LOOPS*COUNT_W-1:0] left_next;
    reg  [ADDR_W-1:0]        jump;
    integer                  k;

    always @* begin
        jump = {ADDR_W{1'b0}};
        for (k = 0; k < LOOPS; k = k + 1)
            jump = jump | ({ADDR_W{step[k]}} & record_q[JUMP_AT + k*ADDR_W +: ADDR_W]);
    end
    genvar i;
    generate
        for (i = 0; i < LOOPS; i = i + 1) begin : g_loop
            wire [COUNT_W-1:0] left = left_q[i*COUNT_W +: COUNT_W];
            assign more[i] = |left;
            assign left_next[i*COUNT_W +: COUNT_W] = more[i] ? left - 1'b1 : record_q[COUNT_AT + i*COUNT_W +: COUNT_W];
            if (i == 0) begin : g_first
                assign step[i] = more[i];
            end else begin : g_rest
                assign step[i] = more[i] && !(|more[i-1:0]);
            end
            always @(posedge clk) begin
                if (state_q == SETUP)
                    left_q[i*COUNT_W +: COUNT_W] <= record_q[COUNT_AT + i*COUNT_W +: COUNT_W];
                else if (advance && ((i == 0) || !(|(more & ((1 << i) - 1)))))
                    left_q[i*COUNT_W +: COUNT_W] <= left_next[i*COUNT_W +: COUNT_W];
            end
        end
    endgenerate
    wire [POS_W-1:0] dy = ({POS_W{step[2]}} & record_q[DY_AT +: POS_W]) | ({POS_W{|step[5:3]}} & record_q[DY_AT+POS_W +: POS_W])
                          | ({POS_W{step[6]}} & record_q[DY_AT+2*POS_W +: POS_W]);
    wire [POS_W-1:0] dx = ({POS_W{step[1]}} & record_q[DX_AT +: POS_W]) | ({POS_W{|step[4:2]}} & record_q[DX_AT+POS_W +: POS_W])
                          | ({POS_W{step[5]}} & record_q[DX_AT+2*POS_W +: POS_W]) | ({POS_W{step[6]}} & record_q[DX_AT+3*POS_W +: POS_W]);
    wire outside = y_q >= record_q[SIZE_AT +: POS_W] || x_q >= record_q[SIZE_AT+POS_W +: POS_W];

    // ---- code ----
    reg  [CODE_W-1:0] next_q, base_q; // what is read next; where the weights that come again begin
    reg               pixel_ended_q, done_q, rewound_q;
    wire              rewind = state_q == DRAIN && bytes_q == DRAIN_CYCLES - 1 && !done_q && (again || (again_late && pixel_ended_q));
    wire              take   = state_q == RECORD || state_q == PARAMS || (state_q == TAPS && !ones);
    assign k_en   = (state_q == START && go) || take || rewound_q;
    assign k_addr = next_q;

    // ---- activations ----
    wire       rq_idle, full;
    wire [7:0] a_read, y;
    reg  [7:0] in_byte;
    wire       put     = (state_q == HAND || state_q == FLUSH) && rq_idle && full;
    wire       load    = state_q == LOAD && |(s_act_valid & s_act_ready);
    wire       read    = state_q == TAPS || state_q == FETCH;
    assign store  = put;
    assign stored = y;
    aihls_spram #(.DEPTH(DEPTH), .HUGE(HUGE)) u_activations (
        .clk(clk), .en(put || load || read), .we(put || load), .addr(read ? from_q : to_q),
        .wdata(load ? in_byte : y), .rdata(a_read)
    );

    // ---- multiply and sum ----
    localparam DSP48 = (MUL_DSP != 0) && (TECH == "DSP48E2" || TECH == "DSP48E1");
    localparam P_W   = DSP48 ? 48 : 32;
    reg  [7:0]       w_q;
    reg              outside_q, begin_q, shift_q; // the next tap is the first of an output, of a digit
    reg  [SUM_W-1:0] sum_q;
    wire [7:0]       a = outside_q ? record_q[PAD_AT +: 8] : a_read;
    wire [P_W-1:0]   p, unused_pout;
    wire             sums, begins, shifts;
    aihls_mac #(
        .TECH(TECH), .MUL_DSP(MUL_DSP), .PACK(1), .LANE_SHIFT(18), .FIRST(1), .W_BITS(8), .S_BITS(8), .P_W(P_W)
    ) u_mac (
        .clk(clk), .en(1'b1), .hi(8'd0), .lo(w_q), .s(a), .pin({P_W{1'b0}}), .pout(unused_pout), .p(p)
    );
    aihls_flag #(.DELAY(DRAIN_CYCLES)) u_sums (.clk(clk), .rst(rst), .en(1'b1), .d(state_q == TAPS), .q(sums));
    aihls_delay #(.WIDTH(2), .DELAY(DRAIN_CYCLES)) u_kind (.clk(clk), .en(1'b1), .d({shift_q, begin_q}), .q({shifts, begins}));
    wire [SUM_W-1:0] product;
    aihls_resize #(.IN_W(16), .OUT_W(SUM_W)) u_product (.d(p[15:0]), .q(product));
    wire             more_than = $signed(p[8:0]) > $signed(sum_q[8:0]);
    wire [SUM_W-1:0] kept  = (begins || (maximum && more_than)) ? {SUM_W{1'b0}} : shifts ? {sum_q[SUM_W-9:0], 8'd0} : sum_q;
    wire [SUM_W-1:0] added = (maximum && !more_than && !begins) ? {SUM_W{1'b0}} : product;
    wire             unused_ok = &{1'b0, p[P_W-1:16], param_q, record_q};

    // ---- ports ----
    wire [63:0] chosen = 64'd1 << port;
    assign s_act_ready = {INPUTS{state_q == LOAD}} & chosen[INPUTS-1:0];
    assign m_act_valid = {OUTPUTS{state_q == SEND}} & chosen[OUTPUTS-1:0];
    assign m_act_data  = a_read;
    wire   sent        = state_q == SEND && |(m_act_ready & m_act_valid);
    always @* begin
        in_byte = 8'd0;
        for (k = 0; k < INPUTS; k = k + 1)
            in_byte = in_byte | (s_act_data[k*8 +: 8] & {8{chosen[k]}});
    end
    wire unused_chosen = &{1'b0, chosen};

    // ---- the sequence ----
    reg full_q; // the requantizer has, or will have, a result that is not stored yet
    assign full    = full_q;
    assign advance = state_q == TAPS || load || sent;
    always @(posedge clk) begin
        case (state_q)
            START: begin
                if (go) state_q <= RECORD;
                bytes_q <= RECORD_BYTES - 1;
            end
            RECORD: begin
                record_q <= {k_data, record_q[RECORD_BYTES*8-1:8]};
                bytes_q  <= bytes_q - 1'b1;
                base_q   <= next_q;
                if (bytes_q == 0) state_q <= SETUP;
            end
            SETUP: begin
                state_q <= kind == LOADS ? LOAD : kind == SENDS ? FETCH : PARAMS;
                bytes_q <= PARAM_BYTES - 1;
                begin_q <= 1'b1;
                shift_q <= 1'b0;
            end
            LOAD: if (load && done) begin
                state_q <= RECORD;
                bytes_q <= RECORD_BYTES - 1;
            end
            FETCH: state_q <= SEND;
            SEND: if (sent) begin
                state_q <= !done ? FETCH : last ? START : RECORD;
                bytes_q <= RECORD_BYTES - 1;
            end
            PARAMS: begin
                param_q <= {k_data, param_q[PARAM_BYTES*8-1:8]};
                bytes_q <= bytes_q - 1'b1;
                if (!each) base_q <= next_q;
                if (bytes_q == 0) state_q <= TAPS;
            end
            TAPS: begin
                begin_q       <= ended;
                shift_q       <= digits && step[2];
                pixel_ended_q <= pixel_ends;
                done_q        <= done;
                bytes_q       <= DRAIN_CYCLES - 1;
                if (ended) state_q <= DRAIN;
            end
            DRAIN: begin
                bytes_q <= bytes_q - 1'b1;
                if (bytes_q == 0) state_q <= HAND;
            end
            HAND: if (rq_idle) begin
                state_q <= done_q ? FLUSH : (each || (by_pixel && pixel_ended_q)) ? PARAMS : TAPS;
                bytes_q <= PARAM_BYTES - 1;
                full_q  <= 1'b1;
            end
            default: if (rq_idle) begin // FLUSH
                state_q <= RECORD;
                bytes_q <= RECORD_BYTES - 1;
                full_q  <= 1'b0;
            end
        endcase

        rewound_q <= rewind;
        if (rewind) next_q <= base_q;
        else if (k_en) next_q <= next_q + 1'b1;
        if (sent && done && last) next_q <= {CODE_W{1'b0}};

        if (state_q == SETUP) begin
            from_q <= record_q[FROM_AT +: ADDR_W];
            to_q   <= record_q[TO_AT +: ADDR_W];
            y_q    <= record_q[BEGIN_AT +: POS_W];
            x_q    <= record_q[BEGIN_AT+POS_W +: POS_W];
        end else begin
            if (advance) begin
                from_q <= from_q + jump;
                y_q    <= y_q + dy;
                x_q    <= x_q + dx;
            end
            if (put || load) to_q <= to_q + 1'b1;
        end

        w_q       <= ones ? 8'd1 : k_data;
        outside_q <= outside;
        if (sums) sum_q <= kept + added;

        if (rst) begin
            state_q   <= START;
            next_q    <= {CODE_W{1'b0}};
            rewound_q <= 1'b0;
            full_q    <= 1'b0;
        end
    end

    aihls_rqserial #(.SUM_W(SUM_W), .MULT_W(MULT_W), .SHIFT_W(SHIFT_W)) u_requant (
        .clk(clk), .rst(rst), .start(state_q == HAND && rq_idle), .sum(sum_q), .bias(param_q[0 +: SUM_W]),
        .mult(param_q[SUM_W +: MULT_W]), .shift(param_q[SUM_W+MULT_W +: SHIFT_W]),
        .zero_point(record_q[ZERO_AT +: 8]), .clamp_lo(record_q[LO_AT +: 8]), .clamp_hi(record_q[HI_AT +: 8]),
        .idle(rq_idle), .y(y)
    );
endmodule
`default_nettype wire

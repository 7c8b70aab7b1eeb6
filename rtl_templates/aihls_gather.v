// SPDX-License-Identifier: Apache-2.0
// aihls_gather: moves elements: word (oy, ox, oc) of an output frame is the word at position
// y[oy] + x[ox] + c[oc] of the same input frame, or FILL in all lanes. Slice, Pad, nearest
// upsampling, DepthToSpace, transposes, broadcasting and inserted zeros are such maps.
// Positions count words of LANES elements in stream order; the maps are ROMs outside.
//
//   s_act -> ring RAM ------------------------------------------------> fill or word -> m_act
//   y ROM -> have >= need? -> running row --\                         /
//             x ROM, c ROM (of each word) -> + base of frame -> mod RING_WORDS
//
// y_data = {free, need, fill, position}, x_data and c_data = {fill, position}, position MAP_W
// bits unsigned, need and free CNT_W bits:
//   need: words of the frame that must be in before the row starts (0 counts as 1, so that
//         no row starts before its frame does);
//   free: words of the frame that nobody needs after this row: they leave the ring with the
//         row's last read. It never decreases, the last row's is IN_WORDS. It may run ahead
//         of the words that are in: such words are dropped on arrival.
// A word is FILL when any of its three fill bits is set; otherwise the sum of its positions
// must be below POS_LIMIT. Only the sum modulo RING_WORDS matters: positions may be reduced,
// which narrows the maps (three reduced ones need POS_LIMIT = 3*RING_WORDS - 2).
// The ring must hold need minus the free of the row before, for every row.
//
// y_en reads the y ROM, map_en the other two; all have a registered output (aihls_rom).
// Latency, from the needed word's acceptance to the row's first word: 7 + STAGES cycles,
// STAGES = 0 when RING_WORDS is a power of two, else max(1, ceil(log2((POS_LIMIT +
// RING_WORDS - 1) / RING_WORDS))). One word a cycle, no bubble between rows or frames: a
// frame takes max(IN_WORDS, OUT_Y*OUT_X*OUT_W) cycles while the ring has room, and a word
// that is released can be overwritten STAGES + 4 cycles after its last use entered the pipe.
// `busy` is 1 in the OUT_Y*OUT_X*OUT_W cycles that start a word.
// No combinational path from m_act_ready to s_act_ready. Reset: empties the ring.
`default_nettype none
module aihls_gather #(
    parameter LANES      = 1,
    parameter IN_WORDS   = 4,
    parameter RING_WORDS = 4,   // at least 2
    parameter OUT_Y      = 2,
    parameter OUT_X      = 2,
    parameter OUT_W      = 1,
    parameter MAP_W      = (IN_WORDS <= 2) ? 1 : $clog2(IN_WORDS),
    parameter CNT_W      = $clog2(IN_WORDS + 1),
    parameter POS_LIMIT  = IN_WORDS,
    parameter FILL       = 0,   // -128..127
    parameter BLOCK      = 0,   // ring in 1: block RAM, 0: LUT RAM
    // Derived: leave at the default.
    parameter Y_ADDR_W   = (OUT_Y <= 2) ? 1 : $clog2(OUT_Y),
    parameter X_ADDR_W   = (OUT_X <= 2) ? 1 : $clog2(OUT_X),
    parameter C_ADDR_W   = (OUT_W <= 2) ? 1 : $clog2(OUT_W)
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [LANES*8-1:0]         s_act_data,
    input  wire                       s_act_valid,
    output wire                       s_act_ready,
    output wire                       y_en,
    output wire [Y_ADDR_W-1:0]        y_addr,
    input  wire [2*CNT_W+MAP_W:0]     y_data,
    output wire                       map_en,
    output wire [X_ADDR_W-1:0]        x_addr,
    input  wire [MAP_W:0]             x_data,
    output wire [C_ADDR_W-1:0]        c_addr,
    input  wire [MAP_W:0]             c_data,
    output wire [LANES*8-1:0]         m_act_data,
    output wire                       m_act_valid,
    input  wire                       m_act_ready
);
    localparam ADDR_W = (RING_WORDS <= 2) ? 1 : $clog2(RING_WORDS);
    localparam POW2   = ((RING_WORDS & (RING_WORDS - 1)) == 0) ? 1 : 0;
    localparam TURNS  = (POS_LIMIT + 2 * RING_WORDS - 2) / RING_WORDS;  // sums stay below, in rings
    localparam STAGES = (POW2 != 0) ? 0 : (TURNS <= 2) ? 1 : $clog2(TURNS);
    localparam HALF   = (STAGES == 0) ? RING_WORDS : RING_WORDS << (STAGES - 1);
    // Sums are kept in [-HALF, HALF): then a register's sign bit tells each stage of the
    // reduction whether to add or to subtract, without a comparison.
    localparam V_W    = (STAGES == 0) ? ADDR_W : $clog2(HALF) + 1;
    localparam H_W    = $clog2(RING_WORDS + IN_WORDS + 1) + 1;
    localparam integer STEP       = IN_WORDS % RING_WORDS;
    localparam integer BASE_FIRST = (STAGES == 0) ? 0 : -HALF;
    localparam integer BASE_WRAP  = BASE_FIRST + RING_WORDS - STEP;
    localparam integer BASE_BACK  = STEP - RING_WORDS;
    localparam integer TOP        = RING_WORDS - 1;
    localparam integer LEAVE      = -IN_WORDS;
    localparam integer LEAVE_IN   = 1 - IN_WORDS;
    localparam signed [H_W-1:0] RING_FULL = RING_WORDS[H_W-1:0];
    localparam signed [H_W-1:0] ZERO      = {H_W{1'b0}};

    wire en = !m_act_valid || m_act_ready;
    assign map_en = en;

    // ---- ring: words of the frame under test that are in, and words held -------------------
    // Both are negative while words that no row wants are still to come.
    reg  signed [H_W-1:0] have_q;
    reg  signed [H_W-1:0] held_q;
    reg  [ADDR_W-1:0]     waddr_q;
    wire                  write = s_act_valid && s_act_ready;
    wire                  leave;     // the row that starts is its frame's last
    wire                  releasing;
    wire [CNT_W-1:0]      released;
    wire [H_W-1:0]        freed;
    assign s_act_ready = (held_q != RING_FULL);

    aihls_fit #(.IN_W(CNT_W), .OUT_W(H_W)) u_freed (
        .d(released & {CNT_W{releasing}}), .q(freed)
    );
    always @(posedge clk) begin
        have_q <= have_q + (leave ? (write ? LEAVE_IN[H_W-1:0] : LEAVE[H_W-1:0])
                                  : {{(H_W-1){1'b0}}, write});
        held_q <= held_q - freed + {{(H_W-1){1'b0}}, write};
        if (write) waddr_q <= (waddr_q == TOP[ADDR_W-1:0]) ? {ADDR_W{1'b0}}
                            : waddr_q + {{(ADDR_W-1){1'b0}}, 1'b1};
        if (rst) begin
            have_q  <= ZERO;
            held_q  <= ZERO;
            waddr_q <= {ADDR_W{1'b0}};
        end
    end

    // ---- rows: the y ROM holds the row under test, run_* the row that runs -----------------
    reg                test_q, test_last_q, run_q, run_fill_q;
    reg  [Y_ADDR_W-1:0] y_q;
    reg  [V_W-1:0]     base_q, run_pos_q;
    reg  [CNT_W-1:0]   freed_q, run_free_q;
    wire               y_last, row_end;
    wire [V_W-1:0]     y_pos;
    wire [H_W-1:0]     need;
    wire [CNT_W-1:0]   free  = y_data[MAP_W+1+CNT_W +: CNT_W];
    wire               there = (have_q >= $signed(need)) && (have_q > ZERO);
    wire               start = test_q && there && (!run_q || row_end);
    wire               wrap;
    wire [V_W-1:0]     base_next = base_q + (wrap ? BASE_BACK[V_W-1:0] : STEP[V_W-1:0]);
    assign y_en   = start || !test_q;
    assign y_addr = y_q;
    assign leave  = start && test_last_q;

    aihls_fit #(.IN_W(MAP_W), .OUT_W(V_W)) u_y_pos (.d(y_data[MAP_W-1:0]), .q(y_pos));
    aihls_fit #(.IN_W(CNT_W), .OUT_W(H_W)) u_need (.d(y_data[MAP_W+1 +: CNT_W]), .q(need));
    aihls_count #(.N(OUT_Y)) u_y (.clk(clk), .rst(rst), .en(y_en), .last(y_last));
    always @(posedge clk) begin
        test_q <= 1'b1;
        if (y_en) begin
            y_q         <= y_last ? {Y_ADDR_W{1'b0}} : y_q + {{(Y_ADDR_W-1){1'b0}}, 1'b1};
            test_last_q <= y_last;
        end
        if (start) begin
            run_pos_q  <= base_q + y_pos;
            run_fill_q <= y_data[MAP_W];
            run_free_q <= free - freed_q;
            freed_q    <= test_last_q ? {CNT_W{1'b0}} : free;
        end
        if (leave) base_q <= base_next;
        run_q <= start || (run_q && !row_end);
        if (rst) begin
            test_q  <= 1'b0;
            run_q   <= 1'b0;
            y_q     <= {Y_ADDR_W{1'b0}};
            freed_q <= {CNT_W{1'b0}};
            base_q  <= BASE_FIRST[V_W-1:0];
        end
    end

    // ---- words of the row that runs ----------------------------------------------------------
    reg  [X_ADDR_W-1:0] x_q;
    reg  [C_ADDR_W-1:0] c_q;
    wire                x_last, c_last;
    wire                go   = run_q && en;
    wire                busy = go;
    assign row_end = go && c_last && x_last;
    assign x_addr  = x_q;
    assign c_addr  = c_q;
    aihls_count #(.N(OUT_W)) u_c (.clk(clk), .rst(rst), .en(go), .last(c_last));
    aihls_count #(.N(OUT_X)) u_x (.clk(clk), .rst(rst), .en(go && c_last), .last(x_last));
    always @(posedge clk) begin
        if (go) c_q <= c_last ? {C_ADDR_W{1'b0}} : c_q + {{(C_ADDR_W-1){1'b0}}, 1'b1};
        if (go && c_last) x_q <= x_last ? {X_ADDR_W{1'b0}} : x_q + {{(X_ADDR_W-1){1'b0}}, 1'b1};
        if (rst) begin
            c_q <= {C_ADDR_W{1'b0}};
            x_q <= {X_ADDR_W{1'b0}};
        end
    end

    // ---- sum of the positions, reduction, read -----------------------------------------------
    reg  [V_W-1:0]     pos1_q, pos2_q, xc_q, sum_q;
    reg                fill1_q;
    wire [V_W-1:0]     x_pos, c_pos;
    wire               fill, moved;
    wire [ADDR_W-1:0]  raddr;
    wire [LANES*8-1:0] word;
    reg  [LANES*8-1:0] m_data_q;
    aihls_fit #(.IN_W(MAP_W), .OUT_W(V_W)) u_x_pos (.d(x_data[MAP_W-1:0]), .q(x_pos));
    aihls_fit #(.IN_W(MAP_W), .OUT_W(V_W)) u_c_pos (.d(c_data[MAP_W-1:0]), .q(c_pos));
    always @(posedge clk) begin
        if (en) begin
            pos1_q  <= run_pos_q;
            fill1_q <= run_fill_q;
            xc_q    <= x_pos + c_pos;
            pos2_q  <= pos1_q;
            sum_q   <= pos2_q + xc_q;
        end
    end
    // The release travels with the read it follows.
    aihls_flag #(.DELAY(3 + STAGES)) u_releasing (
        .clk(clk), .rst(rst), .en(en), .d(row_end), .q(moved)
    );
    aihls_delay #(.WIDTH(CNT_W), .DELAY(3 + STAGES)) u_released (
        .clk(clk), .en(en), .d(run_free_q), .q(released)
    );
    assign releasing = moved && en;

    aihls_ram #(.WIDTH(LANES*8), .DEPTH(RING_WORDS), .BLOCK(BLOCK)) u_ring (
        .clk(clk), .we(write), .waddr(waddr_q), .wdata(s_act_data),
        .re(en), .raddr(raddr), .rdata(word)
    );
    aihls_delay #(.WIDTH(1), .DELAY(3 + STAGES)) u_fill (
        .clk(clk), .en(en), .d(fill1_q || x_data[MAP_W] || c_data[MAP_W]), .q(fill)
    );
    aihls_flag #(.DELAY(5 + STAGES)) u_valid (
        .clk(clk), .rst(rst), .en(en), .d(run_q), .q(m_act_valid)
    );
    always @(posedge clk) begin
        if (en) m_data_q <= word;
        if (en && fill) m_data_q <= {LANES{FILL[7:0]}};  // a set or reset, not a LUT
    end
    assign m_act_data = m_data_q;

    genvar i;
    generate
        if (STAGES == 0) begin : g_plain
            assign wrap  = 1'b0;
            assign raddr = sum_q;
            wire unused_ok = &{1'b0, BASE_WRAP[0], BASE_BACK[0]};
        end else begin : g_reduce
            assign wrap = ($signed(base_q) >= $signed(BASE_WRAP[V_W-1:0]));
            for (i = 0; i < STAGES; i = i + 1) begin : g_stage
                // Leaves [-PART, PART); the last one [0, RING_WORDS).
                localparam integer PART  = (i < STAGES - 1) ? HALF >> (i + 1) : RING_WORDS;
                localparam integer MINUS = (i < STAGES - 1) ? -PART : 0;
                wire [V_W-1:0] from;
                reg  [V_W-1:0] to_q;
                if (i == 0) begin : g_first
                    assign from = sum_q;
                end else begin : g_next
                    assign from = g_stage[i-1].to_q;
                end
                always @(posedge clk)
                    if (en) to_q <= from + (from[V_W-1] ? PART[V_W-1:0] : MINUS[V_W-1:0]);
            end
            assign raddr = g_stage[STAGES-1].to_q[ADDR_W-1:0];
            wire unused_ok = &{1'b0, g_stage[STAGES-1].to_q};
        end
        if (RING_WORDS < 2 || IN_WORDS < 1) begin : g_check_ring
            aihls_error_RING_WORDS_must_be_at_least_2 u_error ();
        end
        if ((IN_WORDS >> CNT_W) != 0) begin : g_check_count
            aihls_error_CNT_W_must_hold_IN_WORDS u_error ();
        end
    endgenerate
    wire unused_ok = &{1'b0, busy};
endmodule
`default_nettype wire

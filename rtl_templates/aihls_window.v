// SPDX-License-Identifier: Apache-2.0
// aihls_window: row ring and address generator: a raster stream in, kernel taps out.
// The stream is assembled into words of WORD elements; a pixel is SLICES slices of
// ceil(IN_C/SLICES/WORD) words each. Steps, outermost first:
//   oy, ox, slice, m < MP, ky (KERNEL_H/ROWS_PAR of them), kx, word      (DEPTHWISE = 0)
//   oy, ox, word, ky, kx                                                (DEPTHWISE = 1)
// A step gives ROWS_PAR x WORD elements (row tap r, element e at index r*WORD+e), padded
// positions replaced by PAD_VALUE; the steps of one slice and m (or one word) are a pass.
// PIXELS = 2 (DEPTHWISE, DIL_W 1): ox counts pairs of pixels, and a step gives the elements
// of both, pixel 1 above pixel 0; every memory is two, see aihls_halves. With an odd OUT_W
// pixel 1 of a row's last pair is beyond the image: whatever it gives, its pass is as long.
//
//   s_act -> word assembly -> ring (1 RAM, or ROWS_PAR reads of RING_ROWS row banks)
//                               |  address, pad flags      rotation, padding
//   rows_ok -> loop counters -> A1 ---------> B (RAM out) ------------------> C = m_*
//
// `step` is 1 when the counters stand on a step whose rows are there; m_pre is 1 one enabled
// cycle before m_valid. Latency 3 enabled cycles from step to m_valid, one step per cycle
// with no bubble between pixels, rows or frames. en = 0 freezes everything but the writer.
// Row oy starts when its image rows are in the ring (never before the first row of its
// frame is), and a row is released by the last read that could need it.
// Needs S_LANES = 1 or S_LANES dividing WORD (and the slice, when there are several).
// Reset: empties the ring, starts at a frame. No combinational path from en to s_act_ready.
`default_nettype none
module aihls_window #(
    parameter S_LANES   = 1,
    parameter WORD      = 1,
    parameter IN_H      = 4,
    parameter IN_W      = 4,
    parameter IN_C      = 1,
    parameter OUT_H     = 2,
    parameter OUT_W     = 2,
    parameter KERNEL_H  = 3,
    parameter KERNEL_W  = 3,
    parameter STRIDE_H  = 1,
    parameter STRIDE_W  = 1,
    parameter DIL_H     = 1,
    parameter DIL_W     = 1,
    parameter PAD_TOP   = 0,
    parameter PAD_LEFT  = 0,
    parameter SLICES    = 1,
    parameter MP        = 1,
    parameter DEPTHWISE = 0,
    parameter PIXELS    = 1,   // 1 or 2
    parameter ROWS_PAR  = 1,   // 1 or KERNEL_H
    parameter RING_ROWS = 4,   // at least (KERNEL_H-1)*DIL_H + 1
    parameter BLOCK     = 0,   // 1: block RAM, 0: LUT RAM
    parameter PAD_VALUE = 0    // -128..127
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire                       en,
    input  wire [S_LANES*8-1:0]       s_act_data,
    input  wire                       s_act_valid,
    output wire                       s_act_ready,
    output wire                       step,
    output wire                       m_pre,
    output wire                       m_valid,
    output wire                       m_first,
    output wire                       m_last,
    output wire [PIXELS*ROWS_PAR*WORD*8-1:0] m_data
);
    localparam SLICE_C     = IN_C / SLICES;
    localparam SLICE_WORDS = (SLICE_C + WORD - 1) / WORD;
    localparam PIXEL_WORDS = SLICES * SLICE_WORDS;
    localparam ROW_WORDS   = IN_W * PIXEL_WORDS;
    localparam PASS_SLICES = (DEPTHWISE != 0) ? PIXEL_WORDS : SLICES;
    localparam PASS_WORDS  = (DEPTHWISE != 0) ? 1 : SLICE_WORDS;
    localparam KY_STEPS    = KERNEL_H / ROWS_PAR;
    localparam KERNEL_ROWS = (KERNEL_H - 1) * DIL_H + 1;
    localparam WORD_BITS   = WORD * 8;
    localparam COLUMNS     = (OUT_W + PIXELS - 1) / PIXELS;  // steps of ox

    // Words of a row in one memory: with two, up to the end of the half that ends last.
    localparam LAST_COL    = PAD_LEFT % (2 * STRIDE_W) + IN_W - 1;
    localparam LAST_GROUP  = LAST_COL / STRIDE_W;
    localparam HALF_COLS   = LAST_GROUP / 2 * STRIDE_W
                           + ((LAST_GROUP % 2 != 0) ? STRIDE_W : LAST_COL % STRIDE_W + 1);
    localparam HALF_WORDS  = (PIXELS == 2) ? HALF_COLS * PIXEL_WORDS : ROW_WORDS;

    // Ring geometry: one RAM addressed by row base + column, or one bank per ring row.
    localparam BANKED   = (ROWS_PAR > 1) ? 1 : 0;
    localparam BANKS    = (BANKED != 0) ? RING_ROWS : 1;
    localparam RAM_WORDS = (BANKED != 0) ? HALF_WORDS : RING_ROWS * HALF_WORDS;
    localparam ADDR_W   = (RAM_WORDS <= 2) ? 1 : $clog2(RAM_WORDS);
    localparam UNIT     = (BANKED != 0) ? 1 : HALF_WORDS;
    localparam RING     = RING_ROWS * UNIT;
    localparam RING_W   = $clog2(RING) + 1;
    localparam SLOT_W   = (BANKS <= 2) ? 1 : $clog2(BANKS);

    // Columns are signed word offsets in a row; rows are signed image rows.
    localparam COL_FAR  = ((COLUMNS * PIXELS - 1) * STRIDE_W
                        + (KERNEL_W - 1) * DIL_W + 1) * PIXEL_WORDS;
    localparam COL_NEAR = PAD_LEFT * PIXEL_WORDS;
    localparam COL_TOP  = (COL_FAR > ROW_WORDS) ? COL_FAR : ROW_WORDS;
    localparam COL_W    = $clog2(((COL_TOP > COL_NEAR) ? COL_TOP : COL_NEAR) + 1) + 1;
    localparam ROW_FAR  = (OUT_H + 1) * STRIDE_H + KERNEL_ROWS + IN_H + PAD_TOP + RING_ROWS + 1;
    localparam ROW_W    = $clog2(ROW_FAR + IN_H) + 2;

    // Constants of the counters; a modulus is taken here so that none is taken in logic.
    localparam integer COL_START   = -COL_NEAR;
    localparam integer COL_KX      = DIL_W * PIXEL_WORDS - (PASS_WORDS - 1);
    localparam integer COL_SLICE   = PASS_WORDS;
    localparam integer COL_PIXEL   = PIXELS * STRIDE_W * PIXEL_WORDS
                                   - (PASS_SLICES - 1) * PASS_WORDS;
    localparam integer FRAME_STEP  = IN_H - (OUT_H - 1) * STRIDE_H;
    localparam integer SLOT_START  = ((RING_ROWS - (PAD_TOP % RING_ROWS)) % RING_ROWS) * UNIT;
    localparam integer SLOT_OY     = (STRIDE_H % RING_ROWS) * UNIT;
    localparam integer SLOT_FRAME  = (((FRAME_STEP % RING_ROWS) + RING_ROWS) % RING_ROWS) * UNIT;
    localparam integer SLOT_KY     = (DIL_H % RING_ROWS) * UNIT;
    localparam integer LESS_OY     = SLOT_OY - RING;
    localparam integer LESS_FRAME  = SLOT_FRAME - RING;
    localparam integer LESS_KY     = SLOT_KY - RING;
    localparam integer ROW_START   = -PAD_TOP;
    localparam integer NEED_RAW    = KERNEL_ROWS - PAD_TOP;
    localparam integer NEED_FIRST  = (NEED_RAW < 1) ? 1 : (NEED_RAW > IN_H) ? IN_H : NEED_RAW;
    localparam integer NEED_NEXT   = NEED_RAW + STRIDE_H;
    localparam integer NEED_SECOND = (NEED_NEXT < 1) ? 1 : (NEED_NEXT > IN_H) ? IN_H : NEED_NEXT;
    localparam integer NEED_AHEAD  = NEED_NEXT + STRIDE_H;
    localparam integer NEED_FRAME  = IN_H + NEED_FIRST;
    localparam integer FREE_0      = STRIDE_H - PAD_TOP;       // rows that row 0 leaves behind, before the limits
    localparam integer FREE_1      = FREE_0 + STRIDE_H;
    localparam integer FREE_2      = FREE_1 + STRIDE_H;
    localparam integer FREE_FIRST  = (FREE_0 < 0) ? 0 : (FREE_0 > IN_H) ? IN_H : FREE_0;
    localparam integer FREE_SECOND = (FREE_1 < 0) ? 0 : (FREE_1 > IN_H) ? IN_H : FREE_1;
    localparam signed [COL_W-1:0]  COL_END    = ROW_WORDS[COL_W-1:0];
    localparam signed [ROW_W-1:0]  ROWS       = IN_H[ROW_W-1:0];
    localparam signed [ROW_W-1:0]  ROW_ZERO   = {ROW_W{1'b0}};
    localparam signed [ROW_W-1:0]  ROW_ONE    = {{(ROW_W-1){1'b0}}, 1'b1};
    localparam integer             BEFORE     = RING_ROWS - 1;
    localparam signed [ROW_W-1:0]  RING_LAST  = BEFORE[ROW_W-1:0];
    localparam signed [ROW_W-1:0]  ROW_STRIDE = STRIDE_H[ROW_W-1:0];
    localparam [7:0]               PAD        = PAD_VALUE[7:0];

    // ---- loop counters -------------------------------------------------------------------
    reg  rows_ok_q;
    wire go = en && rows_ok_q;
    wire j_last, kx_last, ky_last, m_loop_last, g_last, ox_last, oy_last;
    // `go` comes late: what it ends is known before.
    wire pass_at   = j_last && kx_last && ky_last;
    wire slice_at  = pass_at && m_loop_last;
    wire pixel_at  = slice_at && g_last;
    wire row_at    = pixel_at && ox_last;
    wire frame_at  = row_at && oy_last;
    wire e_kx      = go && j_last;
    wire e_ky      = go && (j_last && kx_last);
    wire pass_end  = go && pass_at;
    wire slice_end = go && slice_at;
    wire pixel_end = go && pixel_at;
    wire row_end   = go && row_at;
    wire frame_end = go && frame_at;

    aihls_count #(.N(PASS_WORDS))  u_j  (.clk(clk), .rst(rst), .en(go),        .last(j_last));
    aihls_count #(.N(KERNEL_W))    u_kx (.clk(clk), .rst(rst), .en(e_kx),      .last(kx_last));
    aihls_count #(.N(KY_STEPS))    u_ky (.clk(clk), .rst(rst), .en(e_ky),      .last(ky_last));
    aihls_count #(.N(MP))          u_m  (.clk(clk), .rst(rst), .en(pass_end),  .last(m_loop_last));
    aihls_count #(.N(PASS_SLICES)) u_g  (.clk(clk), .rst(rst), .en(slice_end), .last(g_last));
    aihls_count #(.N(COLUMNS))     u_ox (.clk(clk), .rst(rst), .en(pixel_end), .last(ox_last));
    aihls_count #(.N(OUT_H))       u_oy (.clk(clk), .rst(rst), .en(row_end),   .last(oy_last));

    assign step = rows_ok_q;

    // ---- columns: current, and start of the pass -------------------------------------------
    reg  signed [COL_W-1:0] col_q;
    reg  signed [COL_W-1:0] col_pass_q;
    wire signed [COL_W-1:0] col_pass_add = col_pass_q + (g_last ? COL_PIXEL[COL_W-1:0]
                                                               : COL_SLICE[COL_W-1:0]);
    wire signed [COL_W-1:0] col_pass_d = row_end   ? COL_START[COL_W-1:0]
                                       : slice_end ? col_pass_add : col_pass_q;
    wire signed [COL_W-1:0] col_add = col_q + (j_last ? COL_KX[COL_W-1:0]
                                                      : {{(COL_W-1){1'b0}}, 1'b1});
    always @(posedge clk) begin
        col_pass_q <= col_pass_d;
        if (go) col_q <= (j_last && kx_last) ? col_pass_d : col_add;
        if (rst) begin
            col_q      <= COL_START[COL_W-1:0];
            col_pass_q <= COL_START[COL_W-1:0];
        end
    end

    // ---- rows: image row and ring position of kernel row 0, and of the current one ---------
    reg  signed [ROW_W-1:0] row_q;
    reg  [RING_W-1:0]       ring_q;
    wire signed [ROW_W-1:0] row_d = !row_end ? row_q
                                  : oy_last  ? ROW_START[ROW_W-1:0] : row_q + ROW_STRIDE;
    wire [RING_W-1:0] ring_next;
    wire [RING_W-1:0] ring_d = row_end ? ring_next : ring_q;
    wire signed [ROW_W-1:0] tap_row;
    wire [RING_W-1:0]       tap_ring;
    aihls_wrap #(.WIDTH(RING_W), .N(RING)) u_ring (
        .a(ring_q), .b(oy_last ? SLOT_FRAME[RING_W-1:0] : SLOT_OY[RING_W-1:0]),
        .b_less(oy_last ? LESS_FRAME[RING_W-1:0] : LESS_OY[RING_W-1:0]), .sum(ring_next)
    );
    always @(posedge clk) begin
        row_q  <= row_d;
        ring_q <= ring_d;
        if (rst) begin
            row_q  <= ROW_START[ROW_W-1:0];
            ring_q <= SLOT_START[RING_W-1:0];
        end
    end
    generate
        if (KY_STEPS == 1) begin : g_ky_one
            assign tap_row  = row_q;
            assign tap_ring = ring_q;
        end else begin : g_ky
            reg  signed [ROW_W-1:0] tap_row_q;
            reg  [RING_W-1:0]       tap_ring_q;
            wire [RING_W-1:0]       tap_next;
            aihls_wrap #(.WIDTH(RING_W), .N(RING)) u_tap (
                .a(tap_ring_q), .b(SLOT_KY[RING_W-1:0]), .b_less(LESS_KY[RING_W-1:0]), .sum(tap_next)
            );
            always @(posedge clk) begin
                if (pass_end) begin
                    tap_row_q  <= row_d;
                    tap_ring_q <= ring_d;
                end else if (e_ky) begin
                    tap_row_q  <= tap_row_q + DIL_H[ROW_W-1:0];
                    tap_ring_q <= tap_next;
                end
                if (rst) begin
                    tap_row_q  <= ROW_START[ROW_W-1:0];
                    tap_ring_q <= SLOT_START[RING_W-1:0];
                end
            end
            assign tap_row  = tap_row_q;
            assign tap_ring = tap_ring_q;
        end
    endgenerate

    // ---- flow control: rows written, needed, released (all counted within the frame) -------
    // have: rows of this frame written, minus what older frames still lack. held: rows in the
    // ring, negative while released rows are still to come. The next row's test is made in
    // advance, so that a row boundary costs nothing; and what the rows behind it need and release is a register each, so
    // that limits, comparison and difference are not one path. Whether a frame ends or rows are freed is known last: it
    // chooses between sums, and is not added.
    wire                    row_written;
    reg  signed [ROW_W-1:0] have_q;
    reg  signed [ROW_W-1:0] need_q;
    reg  signed [ROW_W-1:0] next_need_q;      // of the next row, if this is not the frame's last
    reg  signed [ROW_W-1:0] ahead_need_q;     // of the one behind that, before the limits
    reg  signed [ROW_W-1:0] free_q;           // rows behind this one, all in all; 0 to IN_H
    reg  signed [ROW_W-1:0] next_free_q;      // behind the next one
    reg  signed [ROW_W-1:0] ahead_free_q;     // behind the one after that, before the limits
    reg  signed [ROW_W-1:0] rows_q;           // that this row's end releases, if it is not the frame's last
    reg  signed [ROW_W-1:0] left_q;           // and if it is
    reg  signed [ROW_W-1:0] held_q;
    reg                     full_q;           // held_q is RING_ROWS
    wire signed [ROW_W-1:0] ahead_clip = (ahead_need_q < ROW_ONE) ? ROW_ONE
                                       : (ahead_need_q > ROWS) ? ROWS : ahead_need_q;
    wire signed [ROW_W-1:0] free_clip  = ahead_free_q[ROW_W-1] ? ROW_ZERO
                                       : (ahead_free_q > ROWS) ? ROWS : ahead_free_q;
    // Sums with a row written as their carry: bit 0 is dropped.
    wire signed [ROW_W:0]   have_here  = {have_q, 1'b1} + {ROW_ZERO, row_written};
    wire signed [ROW_W:0]   have_next  = {have_q, 1'b1} + {ROW_ZERO - ROWS, row_written};
    // The release travels with the read it follows.
    reg                     a1_release_q;
    reg  signed [ROW_W-1:0] a1_less_q;        // minus the rows released
    reg                     a1_some_q;        // there are any
    wire signed [ROW_W-1:0] a1_rows    = oy_last ? left_q : rows_q;
    wire                    freeing    = en && a1_release_q;
    wire signed [ROW_W:0]   held_here  = {held_q, 1'b1} + {ROW_ZERO, row_written};
    wire signed [ROW_W:0]   held_less  = {held_q, 1'b1} + {a1_less_q, row_written};
    wire                    unused_sums = &{1'b0, have_here[0], have_next[0], held_here[0], held_less[0]};

    always @(posedge clk) begin
        have_q    <= frame_end ? have_next[ROW_W:1] : have_here[ROW_W:1];
        held_q    <= freeing ? held_less[ROW_W:1] : held_here[ROW_W:1];
        full_q    <= (row_written ? held_q == RING_LAST : full_q) && !(freeing && a1_some_q);
        rows_ok_q <= !row_end ? (rows_ok_q || have_q >= need_q)
                   : oy_last  ? (have_q >= NEED_FRAME[ROW_W-1:0]) : (have_q >= next_need_q);
        if (row_end) begin
            need_q       <= next_need_q;
            next_need_q  <= ahead_clip;
            ahead_need_q <= ahead_need_q + ROW_STRIDE;
            free_q       <= next_free_q;
            next_free_q  <= free_clip;
            ahead_free_q <= ahead_free_q + ROW_STRIDE;
            rows_q       <= next_free_q - free_q;
            left_q       <= ROWS - free_q;
        end
        if (en) begin
            a1_release_q <= row_end;
            a1_less_q    <= ROW_ZERO - a1_rows;
            a1_some_q    <= a1_rows != ROW_ZERO;
        end
        if (rst) begin
            have_q       <= ROW_ZERO;
            held_q       <= ROW_ZERO;
            full_q       <= 1'b0;
            rows_ok_q    <= 1'b0;
            a1_release_q <= 1'b0;
        end
        if (rst || frame_end) begin
            need_q       <= NEED_FIRST[ROW_W-1:0];
            next_need_q  <= NEED_SECOND[ROW_W-1:0];
            ahead_need_q <= NEED_AHEAD[ROW_W-1:0];
            free_q       <= FREE_FIRST[ROW_W-1:0];
            next_free_q  <= FREE_SECOND[ROW_W-1:0];
            ahead_free_q <= FREE_2[ROW_W-1:0];
            rows_q       <= FREE_FIRST[ROW_W-1:0];
            left_q       <= ROWS;
        end
    end

    // ---- writer ------------------------------------------------------------------------------
    wire                 word_write;
    wire [WORD_BITS-1:0] word_data;
    wire                 row_last;
    wire                 accept = s_act_valid && s_act_ready;
    assign s_act_ready = !full_q;
    assign row_written = word_write && row_last;

    aihls_pack #(.S_LANES(S_LANES), .WORD(WORD), .SLICE_C(SLICE_C)) u_pack (
        .clk(clk), .rst(rst), .s_data(s_act_data), .s_take(accept),
        .m_write(word_write), .m_data(word_data)
    );
    aihls_count #(.N(ROW_WORDS)) u_row_words (
        .clk(clk), .rst(rst), .en(word_write), .last(row_last)
    );

    // ---- A1: address and pad flags -----------------------------------------------------------
    reg                  a1_valid_q, a1_first_q, a1_last_q, pass_first_q;
    reg                  b_valid_q, b_first_q, b_last_q;
    reg                  c_valid_q, c_first_q, c_last_q;

    always @(posedge clk) begin
        if (go) pass_first_q <= pass_end;
        if (en) begin
            a1_valid_q <= rows_ok_q;
            a1_first_q <= pass_first_q;
            a1_last_q  <= pass_end;
            b_valid_q  <= a1_valid_q;
            b_first_q  <= a1_first_q;
            b_last_q   <= a1_last_q;
            c_valid_q  <= b_valid_q;
            c_first_q  <= b_first_q;
            c_last_q   <= b_last_q;
        end
        if (rst) begin
            pass_first_q <= 1'b1;
            a1_valid_q   <= 1'b0;
            b_valid_q    <= 1'b0;
            c_valid_q    <= 1'b0;
        end
    end
    assign m_pre   = b_valid_q;
    assign m_valid = c_valid_q;
    assign m_first = c_first_q;
    assign m_last  = c_last_q;

    // ---- addresses: of the word written; within a row, of what each memory reads --------------
    wire [PIXELS-1:0]        mem_write;
    wire [ADDR_W-1:0]        waddr;
    wire [PIXELS*ADDR_W-1:0] col_addr;
    wire [PIXELS-1:0]        col_pad;
    wire                     b_swap;  // pixel 0's elements come from memory 1 and pixel 1's from 0
    assign col_pad[0] = col_q[COL_W-1] || (col_q >= COL_END);
    generate
        if (PIXELS == 1) begin : g_pixel
            localparam integer      TOP = RAM_WORDS - 1;
            localparam [ADDR_W-1:0] LAST_ADDR = TOP[ADDR_W-1:0];
            reg  [ADDR_W-1:0]       waddr_q;
            wire                    wrap = (BANKED != 0) ? row_last : (waddr_q == LAST_ADDR);
            always @(posedge clk) begin
                if (word_write) waddr_q <= wrap ? {ADDR_W{1'b0}}
                                                : waddr_q + {{(ADDR_W-1){1'b0}}, 1'b1};
                if (rst) waddr_q <= {ADDR_W{1'b0}};
            end
            aihls_fit #(.IN_W(COL_W), .OUT_W(ADDR_W)) u_col (.d(col_q), .q(col_addr));
            assign waddr     = waddr_q;
            assign mem_write = word_write;
            assign b_swap    = 1'b0;
        end else begin : g_pair
            localparam integer NEXT_BEGIN = -(STRIDE_W * PIXEL_WORDS);
            localparam integer NEXT_END   = ROW_WORDS - STRIDE_W * PIXEL_WORDS;
            localparam signed [COL_W-1:0] COL_BEGIN_1 = NEXT_BEGIN[COL_W-1:0];
            localparam signed [COL_W-1:0] COL_END_1   = NEXT_END[COL_W-1:0];
            wire half, swap;
            reg  a1_swap_q, b_swap_q;
            aihls_halves #(
                .STRIDE(STRIDE_W), .PIXEL_WORDS(PIXEL_WORDS), .PAD_LEFT(PAD_LEFT),
                .HALF_WORDS(HALF_WORDS), .RING_WORDS(RAM_WORDS), .ADDR_W(ADDR_W)
            ) u_halves (
                .clk(clk), .rst(rst), .write(word_write), .row_last(row_last), .half(half),
                .waddr(waddr), .go(go), .kx_last(kx_last), .pass_end(pass_end),
                .pair_last(g_last), .row_end(row_end), .addr_0(col_addr[0 +: ADDR_W]),
                .addr_1(col_addr[ADDR_W +: ADDR_W]), .swap(swap)
            );
            always @(posedge clk) begin
                if (en) begin
                    a1_swap_q <= swap;
                    b_swap_q  <= a1_swap_q;
                end
            end
            assign col_pad[1] = (col_q < COL_BEGIN_1) || (col_q >= COL_END_1);
            assign mem_write  = {word_write && half, word_write && !half};
            assign b_swap     = b_swap_q;
        end
    endgenerate

    // ---- ring memory, row rotation, padding ----------------------------------------------------
    genvar b, h, r, x;
    generate
        if (BANKED == 0) begin : g_single
            wire [PIXELS*WORD_BITS-1:0] rdata;
            wire [ADDR_W-1:0]           tap_base;
            aihls_fit #(.IN_W(RING_W), .OUT_W(ADDR_W)) u_base (.d(tap_ring), .q(tap_base));
            for (h = 0; h < PIXELS; h = h + 1) begin : g_mem
                reg [ADDR_W-1:0] a1_addr_q;
                always @(posedge clk)
                    if (en) a1_addr_q <= tap_base + col_addr[h*ADDR_W +: ADDR_W];
                aihls_ram #(.WIDTH(WORD_BITS), .DEPTH(RAM_WORDS), .BLOCK(BLOCK)) u_ring (
                    .clk(clk), .we(mem_write[h]), .waddr(waddr), .wdata(word_data), .re(en),
                    .raddr(a1_addr_q), .rdata(rdata[h*WORD_BITS +: WORD_BITS])
                );
            end
            for (x = 0; x < PIXELS; x = x + 1) begin : g_pixel
                localparam OTHER = PIXELS - 1 - x;
                reg                 a1_pad_q, b_pad_q;
                reg [WORD_BITS-1:0] c_data_q;
                always @(posedge clk) begin
                    if (en) begin
                        a1_pad_q <= col_pad[x] || tap_row[ROW_W-1] || (tap_row >= ROWS);
                        b_pad_q  <= a1_pad_q;
                        c_data_q <= b_swap ? rdata[OTHER*WORD_BITS +: WORD_BITS]
                                           : rdata[x*WORD_BITS +: WORD_BITS];
                    end
                    if (en && b_pad_q) c_data_q <= {WORD{PAD}};  // a set or reset, not a LUT
                end
                assign m_data[x*WORD_BITS +: WORD_BITS] = c_data_q;
            end
        end else begin : g_banks
            reg  [SLOT_W-1:0]                 wslot_q;
            reg  [PIXELS*ADDR_W-1:0]          a1_addr_q;
            wire [PIXELS*BANKS*WORD_BITS-1:0] banks;
            localparam integer         TOP = BANKS - 1;
            localparam [SLOT_W-1:0]    LAST_SLOT = TOP[SLOT_W-1:0];
            always @(posedge clk) begin
                if (row_written) wslot_q <= (wslot_q == LAST_SLOT) ? {SLOT_W{1'b0}}
                                          : wslot_q + {{(SLOT_W-1){1'b0}}, 1'b1};
                if (rst) wslot_q <= {SLOT_W{1'b0}};
            end
            always @(posedge clk) if (en) a1_addr_q <= col_addr;
            for (h = 0; h < PIXELS; h = h + 1) begin : g_mem
                for (b = 0; b < BANKS; b = b + 1) begin : g_bank
                    localparam integer SLOT = b;
                    aihls_ram #(.WIDTH(WORD_BITS), .DEPTH(RAM_WORDS), .BLOCK(BLOCK)) u_row (
                        .clk(clk), .we(mem_write[h] && wslot_q == SLOT[SLOT_W-1:0]),
                        .waddr(waddr), .wdata(word_data),
                        .re(en), .raddr(a1_addr_q[h*ADDR_W +: ADDR_W]),
                        .rdata(banks[(h*BANKS+b)*WORD_BITS +: WORD_BITS])
                    );
                end
            end
            for (r = 0; r < ROWS_PAR; r = r + 1) begin : g_tap
                localparam integer    SLOT_ADD = (r * DIL_H) % RING_ROWS;
                localparam integer    SLOT_LESS = SLOT_ADD - RING_ROWS;
                localparam integer    ROW_ADD  = r * DIL_H;
                wire [RING_W-1:0]        slot;
                wire signed [ROW_W-1:0]  row      = tap_row + ROW_ADD[ROW_W-1:0];
                wire [SLOT_W-1:0]        slot_low;
                wire [PIXELS*WORD_BITS-1:0] words;
                reg  [SLOT_W-1:0]        a1_slot_q, b_slot_q;
                aihls_wrap #(.WIDTH(RING_W), .N(RING)) u_sum (
                    .a(tap_ring), .b(SLOT_ADD[RING_W-1:0]), .b_less(SLOT_LESS[RING_W-1:0]), .sum(slot)
                );
                aihls_fit #(.IN_W(RING_W), .OUT_W(SLOT_W)) u_slot (.d(slot), .q(slot_low));
                always @(posedge clk) begin
                    if (en) begin
                        a1_slot_q <= slot_low;
                        b_slot_q  <= a1_slot_q;
                    end
                end
                for (h = 0; h < PIXELS; h = h + 1) begin : g_mem
                    aihls_pick #(.WIDTH(WORD_BITS), .N(BANKS)) u_pick (
                        .data(banks[h*BANKS*WORD_BITS +: BANKS*WORD_BITS]), .sel(b_slot_q),
                        .out(words[h*WORD_BITS +: WORD_BITS])
                    );
                end
                for (x = 0; x < PIXELS; x = x + 1) begin : g_pixel
                    localparam OTHER = PIXELS - 1 - x;
                    reg                 a1_pad_q, b_pad_q;
                    reg [WORD_BITS-1:0] c_data_q;
                    always @(posedge clk) begin
                        if (en) begin
                            a1_pad_q <= col_pad[x] || row[ROW_W-1] || (row >= ROWS);
                            b_pad_q  <= a1_pad_q;
                            c_data_q <= b_swap ? words[OTHER*WORD_BITS +: WORD_BITS]
                                               : words[x*WORD_BITS +: WORD_BITS];
                        end
                        if (en && b_pad_q) c_data_q <= {WORD{PAD}};
                    end
                    assign m_data[(x*ROWS_PAR+r)*WORD_BITS +: WORD_BITS] = c_data_q;
                end
            end
        end
        if (ROWS_PAR != 1 && ROWS_PAR != KERNEL_H) begin : g_check_par
            aihls_error_ROWS_PAR_must_be_1_or_KERNEL_H u_error ();
        end
        if (RING_ROWS < KERNEL_ROWS) begin : g_check_ring
            aihls_error_RING_ROWS_must_hold_the_kernel u_error ();
        end
        if (IN_C % SLICES != 0 || (DEPTHWISE != 0 && SLICES != 1)) begin : g_check_slices
            aihls_error_SLICES_must_divide_IN_C u_error ();
        end
        if (PIXELS != 1 && (PIXELS != 2 || DEPTHWISE == 0 || DIL_W != 1)) begin : g_check_pixels
            aihls_error_two_PIXELS_need_DEPTHWISE_and_DIL_W_1 u_error ();
        end
    endgenerate
endmodule
`default_nettype wire

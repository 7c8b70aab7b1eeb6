// SPDX-License-Identifier: Apache-2.0
// aihls_fifo: stream queue that holds at least DEPTH words, with a registered output.
// Latency 1 (DEPTH <= 2), 2 (LUT RAM) or 3 cycles (block RAM); throughput 1 word/cycle.
// DEPTH <= 2 is two registers. Otherwise the output registers count as capacity: a LUT RAM
// has DEPTH-1 words and a block RAM DEPTH-2, so that 33 and 34 words still fit 32.
// `stall` is a test hook: while it is 1, s_ready is 0.  Reset: drops the words held.
//
// No combinational path from m_ready to s_ready, nor from s_valid to m_valid.
`default_nettype none
module aihls_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter BLOCK = 0   // 1: block RAM, 0: LUT RAM (registers up to DEPTH 2)
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             stall,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_valid,
    output wire             s_ready,
    output wire [WIDTH-1:0] m_data,
    output wire             m_valid,
    input  wire             m_ready
);
    localparam MEM_DEPTH = (DEPTH <= 2) ? 1 : (BLOCK == 0 || DEPTH == 3) ? DEPTH - 1 : DEPTH - 2;
    localparam ADDR_W    = (MEM_DEPTH <= 2) ? 1 : $clog2(MEM_DEPTH);
    localparam COUNT_W   = $clog2(MEM_DEPTH + 1);
    localparam integer TOP = MEM_DEPTH - 1;
    localparam [ADDR_W-1:0]  LAST_ADDR = TOP[ADDR_W-1:0];
    localparam [COUNT_W-1:0] LAST_COUNT = TOP[COUNT_W-1:0];

    reg [WIDTH-1:0] m_data_q;
    reg             m_valid_q;
    wire            push    = s_valid && s_ready;
    wire            advance = !m_valid_q || m_ready;

    assign m_data  = m_data_q;
    assign m_valid = m_valid_q;

    generate
        if (DEPTH <= 2) begin : g_regs
            wire unused_ok = &{1'b0, BLOCK[0], LAST_ADDR, LAST_COUNT};
            reg [WIDTH-1:0] skid_q;
            reg             skid_valid_q;
            assign s_ready = !stall && !skid_valid_q;
            always @(posedge clk) begin
                if (advance) begin
                    m_data_q     <= skid_valid_q ? skid_q : s_data;
                    m_valid_q    <= skid_valid_q || push;
                    skid_valid_q <= 1'b0;
                end else if (push) begin
                    skid_q       <= s_data;
                    skid_valid_q <= 1'b1;
                end
                if (rst) begin
                    m_valid_q    <= 1'b0;
                    skid_valid_q <= 1'b0;
                end
            end
        end else begin : g_mem
            reg [ADDR_W-1:0]  wr_q;
            reg [ADDR_W-1:0]  rd_q;
            reg [COUNT_W-1:0] count_q;
            reg               full_q;    // count_q is MEM_DEPTH; s_ready is where long paths begin
            wire              some = (count_q != {COUNT_W{1'b0}});
            wire              pop;
            assign s_ready = !stall && !full_q;
            always @(posedge clk) begin
                if (push) wr_q <= (wr_q == LAST_ADDR) ? {ADDR_W{1'b0}} : wr_q + {{(ADDR_W-1){1'b0}}, 1'b1};
                if (pop)  rd_q <= (rd_q == LAST_ADDR) ? {ADDR_W{1'b0}} : rd_q + {{(ADDR_W-1){1'b0}}, 1'b1};
                if (push && !pop) count_q <= count_q + {{(COUNT_W-1){1'b0}}, 1'b1};
                if (pop && !push) count_q <= count_q - {{(COUNT_W-1){1'b0}}, 1'b1};
                if (push != pop)  full_q  <= push && (count_q == LAST_COUNT);
                if (rst) begin
                    wr_q    <= {ADDR_W{1'b0}};
                    rd_q    <= {ADDR_W{1'b0}};
                    count_q <= {COUNT_W{1'b0}};
                    full_q  <= 1'b0;
                end
            end
            if (BLOCK == 0) begin : g_lut
                (* ram_style = "distributed" *)
                reg [WIDTH-1:0] mem [0:MEM_DEPTH-1];
                assign pop = some && advance;
                always @(posedge clk) begin
                    if (push) mem[wr_q] <= s_data;
                end
                always @(posedge clk) begin
                    if (advance) begin
                        m_data_q  <= mem[rd_q];
                        m_valid_q <= some;
                    end
                    if (rst) m_valid_q <= 1'b0;
                end
            end else begin : g_block
                wire [WIDTH-1:0] ram_data;
                reg              ram_valid_q;
                assign pop = some && (advance || !ram_valid_q);
                aihls_ram #(.WIDTH(WIDTH), .DEPTH(MEM_DEPTH), .BLOCK(1)) u_ram (
                    .clk(clk), .we(push), .waddr(wr_q), .wdata(s_data),
                    .re(pop), .raddr(rd_q), .rdata(ram_data)
                );
                always @(posedge clk) begin
                    if (advance) begin
                        m_data_q  <= ram_data;
                        m_valid_q <= ram_valid_q;
                    end
                    if (advance || !ram_valid_q) ram_valid_q <= some;
                    if (rst) begin
                        m_valid_q   <= 1'b0;
                        ram_valid_q <= 1'b0;
                    end
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_axil: AXI4-Lite slave: one write and one read at a time, each as a word of a register file.
//
//   a write: we is 1 for a cycle, with waddr and wdata          a read: re is 1 for a cycle, rdata is taken 3 cycles later
//
// Words count in 4 bytes. A write with less than four strobes is answered with SLVERR and makes no `we`.
// Reset: nothing is accepted, nothing answered; ready is 0.
`default_nettype none
module aihls_axil (
    input  wire        clk,
    input  wire        rst,
    input  wire [15:0] s_axil_awaddr,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [15:0] s_axil_araddr,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
    output wire        we,
    output wire [13:0] waddr,
    output wire [31:0] wdata,
    output wire        re,
    output wire [13:0] raddr,
    input  wire [31:0] rdata
);
    reg         aw_held_q, w_held_q, b_valid_q, b_bad_q;
    reg  [13:0] waddr_q;
    reg  [31:0] wdata_q;
    reg         whole_q;
    reg         ar_held_q, r_valid_q;
    reg  [3:0]  wait_q;   // one-hot: cycles since the address came
    reg  [13:0] raddr_q;
    reg  [31:0] rdata_q;
    wire        act       = aw_held_q && w_held_q && !b_valid_q;
    wire        unused_ok = &{1'b0, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

    assign s_axil_awready = !rst && !aw_held_q;
    assign s_axil_wready  = !rst && !w_held_q;
    assign s_axil_bvalid  = b_valid_q;
    assign s_axil_bresp   = {b_bad_q, 1'b0};
    assign s_axil_arready = !rst && !ar_held_q;
    assign s_axil_rvalid  = r_valid_q;
    assign s_axil_rdata   = rdata_q;
    assign s_axil_rresp   = 2'b00;
    assign we    = act && whole_q;
    assign waddr = waddr_q;
    assign wdata = wdata_q;
    assign re    = wait_q[0];
    assign raddr = raddr_q;

    always @(posedge clk) begin
        if (s_axil_awvalid && s_axil_awready) begin
            aw_held_q <= 1'b1;
            waddr_q   <= s_axil_awaddr[15:2];
        end
        if (s_axil_wvalid && s_axil_wready) begin
            w_held_q <= 1'b1;
            wdata_q  <= s_axil_wdata;
            whole_q  <= (s_axil_wstrb == 4'b1111);
        end
        if (act) begin
            aw_held_q <= 1'b0;
            w_held_q  <= 1'b0;
            b_valid_q <= 1'b1;
            b_bad_q   <= !whole_q;
        end
        if (b_valid_q && s_axil_bready) b_valid_q <= 1'b0;

        wait_q <= {wait_q[2:0], s_axil_arvalid && s_axil_arready};
        if (s_axil_arvalid && s_axil_arready) begin
            ar_held_q <= 1'b1;
            raddr_q   <= s_axil_araddr[15:2];
        end
        if (wait_q[3]) begin
            r_valid_q <= 1'b1;
            rdata_q   <= rdata;
        end
        if (r_valid_q && s_axil_rready) begin
            r_valid_q <= 1'b0;
            ar_held_q <= 1'b0;
        end
        if (rst) begin
            aw_held_q <= 1'b0;
            w_held_q  <= 1'b0;
            b_valid_q <= 1'b0;
            ar_held_q <= 1'b0;
            r_valid_q <= 1'b0;
            wait_q    <= 4'd0;
        end
    end
endmodule
`default_nettype wire

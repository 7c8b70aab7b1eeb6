// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_axil: the rules of AXI4-Lite (aihls_check_axil), an answer within 8 cycles, every whole write
// once, with its address and data, every other one refused, every read with the register file's word of 3 cycles later.
`default_nettype none
module fv_axil (
    input wire        clk,
    input wire        rst,
    input wire [15:0] awaddr,
    input wire        awvalid,
    input wire [31:0] wdata,
    input wire [3:0]  wstrb,
    input wire        wvalid,
    input wire        bready,
    input wire [15:0] araddr,
    input wire        arvalid,
    input wire        rready,
    input wire [31:0] rdata
);
    wire        awready, wready, bvalid, arready, rvalid, we, re;
    wire [1:0]  bresp, rresp;
    wire [13:0] waddr, raddr;
    wire [31:0] out, wout;
    wire [3:0]  bad_master;
    wire [5:0]  bad_slave;
    aihls_axil u_dut (
        .clk(clk), .rst(rst), .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
        .s_axil_wdata(wdata), .s_axil_wstrb(wstrb), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
        .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready), .s_axil_araddr(araddr),
        .s_axil_arvalid(arvalid), .s_axil_arready(arready), .s_axil_rdata(out), .s_axil_rresp(rresp),
        .s_axil_rvalid(rvalid), .s_axil_rready(rready), .we(we), .waddr(waddr), .wdata(wout), .re(re), .raddr(raddr),
        .rdata(rdata)
    );
    aihls_check_axil #(.PATIENCE(8)) u_check (
        .clk(clk), .rst(rst), .awaddr(awaddr), .awvalid(awvalid), .awready(awready), .wdata(wdata), .wstrb(wstrb),
        .wvalid(wvalid), .wready(wready), .bresp(bresp), .bvalid(bvalid), .bready(bready), .araddr(araddr),
        .arvalid(arvalid), .arready(arready), .rdata(out), .rresp(rresp), .rvalid(rvalid), .rready(rready),
        .bad_master(bad_master), .bad_slave(bad_slave)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    // The write that was taken last, whether it was carried out; the read that was taken last, when, and its word.
    reg  [13:0] aw_q, ar_q;
    reg  [31:0] w_q, word_q;
    reg         whole_q, done_q;
    reg  [2:0]  age_q;
    reg         re_q, b_q;
    always @(posedge clk) begin
        if (awvalid && awready) aw_q <= awaddr[15:2];
        if (wvalid && wready) begin
            w_q     <= wdata;
            whole_q <= (wstrb == 4'hf);
        end
        done_q <= we || (done_q && !(bvalid && bready));
        if (arvalid && arready) ar_q <= araddr[15:2];
        re_q  <= re;
        b_q   <= bvalid;
        age_q <= re ? 3'd1 : (age_q == 3'd7) ? age_q : age_q + 1'b1;
        if (age_q == 3'd3) word_q <= rdata;
        if (rst) done_q <= 1'b0;
        if (rst) b_q <= 1'b0;
    end
    always @* begin
        assume (bad_master == 0);
        assert (bad_slave == 0);
        if (!rst) begin
            if (we) assert (waddr == aw_q && wout == w_q && whole_q && !done_q);
            if (bvalid) assert (bresp == (done_q ? 2'b00 : 2'b10));
            if (bvalid && !b_q) assert (done_q == whole_q);   // the next word can be taken from here on
            if (re) assert (raddr == ar_q && !re_q);
            if (rvalid) assert (out == word_q && rresp == 2'b00);
        end
    end
endmodule
`default_nettype wire

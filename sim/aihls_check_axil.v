// SPDX-License-Identifier: Apache-2.0
// aihls_check_axil: the rules of AXI4-Lite. The same module is bound to the bus in proofs (tests/formal) and in every
// co-simulation. A bit of bad_master or bad_slave is 1 in a cycle in which that side breaks a rule.
//
// bad_master   0, 1, 2  an offer on AW, W, AR that waits stays
//              3        valid is 0 behind a reset
// bad_slave    0, 1     an answer on B, R that waits stays
//              2        B only for an address and data that were taken
//              3        R only for an address that was taken
//              4        valid is 0 behind a reset
//              5        an answer comes within PATIENCE cycles of what it answers, and an offer is taken within as many,
//                       while answers are taken at once
`default_nettype none
module aihls_check_axil #(
    parameter PATIENCE = 8
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [15:0] awaddr,
    input  wire        awvalid,
    input  wire        awready,
    input  wire [31:0] wdata,
    input  wire [3:0]  wstrb,
    input  wire        wvalid,
    input  wire        wready,
    input  wire [1:0]  bresp,
    input  wire        bvalid,
    input  wire        bready,
    input  wire [15:0] araddr,
    input  wire        arvalid,
    input  wire        arready,
    input  wire [31:0] rdata,
    input  wire [1:0]  rresp,
    input  wire        rvalid,
    input  wire        rready,
    output wire [3:0]  bad_master,
    output wire [5:0]  bad_slave
);
    localparam WAIT_W = $clog2(PATIENCE + 2);
    localparam integer LONGEST = PATIENCE;
    reg         behind_q = 1'b0, aw_waits_q = 1'b0, w_waits_q = 1'b0, ar_waits_q = 1'b0, b_waits_q = 1'b0, r_waits_q = 1'b0;
    reg  [15:0] awaddr_q, araddr_q;
    reg  [35:0] w_q;
    reg  [1:0]  bresp_q;
    reg  [33:0] r_q;
    reg  [1:0]  aw_open_q, w_open_q, ar_open_q;   // taken and not answered
    reg  [WAIT_W-1:0] write_q, read_q;            // cycles in which a complete request waited for the slave
    wire        aw_take = awvalid && awready;
    wire        w_take  = wvalid && wready;
    wire        ar_take = arvalid && arready;
    wire        b_take  = bvalid && bready;
    wire        r_take  = rvalid && rready;
    wire        writing = ((aw_open_q != 2'd0 || awvalid) && (w_open_q != 2'd0 || wvalid)) && !bvalid;
    wire        reading = (ar_open_q != 2'd0 || arvalid) && !rvalid;

    always @(posedge clk) begin
        behind_q   <= rst;
        aw_waits_q <= awvalid && !awready && !rst;
        w_waits_q  <= wvalid && !wready && !rst;
        ar_waits_q <= arvalid && !arready && !rst;
        b_waits_q  <= bvalid && !bready && !rst;
        r_waits_q  <= rvalid && !rready && !rst;
        awaddr_q   <= awaddr;
        araddr_q   <= araddr;
        w_q        <= {wdata, wstrb};
        bresp_q    <= bresp;
        r_q        <= {rdata, rresp};
        aw_open_q  <= aw_open_q + {1'b0, aw_take} - {1'b0, b_take};
        w_open_q   <= w_open_q + {1'b0, w_take} - {1'b0, b_take};
        ar_open_q  <= ar_open_q + {1'b0, ar_take} - {1'b0, r_take};
        write_q    <= !writing ? {WAIT_W{1'b0}} : (write_q > LONGEST[WAIT_W-1:0]) ? write_q : write_q + {{(WAIT_W-1){1'b0}}, 1'b1};
        read_q     <= !reading ? {WAIT_W{1'b0}} : (read_q > LONGEST[WAIT_W-1:0]) ? read_q : read_q + {{(WAIT_W-1){1'b0}}, 1'b1};
        if (rst) begin
            aw_open_q <= 2'd0;
            w_open_q  <= 2'd0;
            ar_open_q <= 2'd0;
            write_q   <= {WAIT_W{1'b0}};
            read_q    <= {WAIT_W{1'b0}};
        end
    end

    assign bad_master[0] = !rst && aw_waits_q && !(awvalid && awaddr == awaddr_q);
    assign bad_master[1] = !rst && w_waits_q && !(wvalid && w_q == {wdata, wstrb});
    assign bad_master[2] = !rst && ar_waits_q && !(arvalid && araddr == araddr_q);
    assign bad_master[3] = behind_q && rst && (awvalid || wvalid || arvalid);
    assign bad_slave[0]  = !rst && b_waits_q && !(bvalid && bresp == bresp_q);
    assign bad_slave[1]  = !rst && r_waits_q && !(rvalid && r_q == {rdata, rresp});
    assign bad_slave[2]  = !rst && bvalid && (aw_open_q == 2'd0 || w_open_q == 2'd0);
    assign bad_slave[3]  = !rst && rvalid && ar_open_q == 2'd0;
    assign bad_slave[4]  = behind_q && (bvalid || rvalid);
    assign bad_slave[5]  = !rst && (write_q > LONGEST[WAIT_W-1:0] || read_q > LONGEST[WAIT_W-1:0]);
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Sends frames into one_axis: six with TLAST where it belongs, with pauses on both sides, then one that is a beat too short.
`timescale 1ns / 1ns
module axis #(
    parameter IN  = 1,   // beats of a frame
    parameter OUT = 1,
    parameter LANES = 3
);
    reg         clk = 1'b0, aresetn = 1'b0, s_valid = 1'b0;
    reg  [15:0] noise = 16'hace1;
    wire [255:0] data = {16{noise}};
    integer     sent = 0, got = 0, ends = 0;
    wire        s_ready, m_valid, m_last, frame_error;
    wire        m_ready = noise[0];
    wire        s_last  = (sent % IN == ((sent < 6 * IN) ? IN - 1 : IN - 2));
    always #1 clk = !clk;
    one_axis u_dut (
        .clk(clk), .aresetn(aresetn), .frame_error(frame_error), .s_axis_in_tdata(data[LANES*8-1:0]), .s_axis_in_tvalid(s_valid),
        .s_axis_in_tready(s_ready), .s_axis_in_tlast(s_last), .m_axis_out_tdata(), .m_axis_out_tvalid(m_valid),
        .m_axis_out_tready(m_ready), .m_axis_out_tlast(m_last)
    );
    task check(input wrong);
        if (wrong) begin
            $display("wrong: %0d beats in, %0d out, %0d ends, frame_error %b", sent, got, ends, frame_error);
            $finish;
        end
    endtask
    always @(posedge clk) begin
        noise <= {noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]};
        if (s_valid && s_ready) sent <= sent + 1;
        if (m_valid && m_ready) begin
            got <= got + 1;
            if (m_last) ends <= ends + 1;
            check(m_last != (got % OUT == OUT - 1));
        end
        // offered words stay; the last one of all is not offered again
        if (!s_valid || s_ready) s_valid <= aresetn && (noise[1] || noise[2]) && sent + (s_valid ? 1 : 0) < 7 * IN;
        if (sent <= 6 * IN && aresetn) check(frame_error !== 1'b0);
    end
    initial begin
        #20 aresetn <= 1'b1;
        #200000 check(sent != 7 * IN || got != 7 * OUT || ends != 7 || frame_error !== 1'b1);
        $display("all right");
        $finish;
    end
endmodule

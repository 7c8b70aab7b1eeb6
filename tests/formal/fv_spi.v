// SPDX-License-Identifier: Apache-2.0
// Proof harness of aihls_spi: a host of mode 0 whose halves of sck are as long as it likes, but at least 4 cycles, sends any bytes,
// and raises cs_n behind any bit; glitches turn a wire over for a cycle, at least 4 apart. Every whole byte comes once, as it was
// sent, before the next one's first bit, and `error` where one was cut off, else never. What the host reads is what s gave, which
// it did in this byte, and did if it waited when the byte was chosen, or 0xc0. Between bytes nothing is lost.
`default_nettype none
module fv_spi #(
    parameter SETUP = 8   // cycles of cs_n in front of the first rising edge; below 8 nothing but 0xc0 begins to wait at s up to the falling one
) (
    input wire       clk,
    input wire       rst,
    input wire       go,       // the next edge of sck, or the falling one of cs_n
    input wire       leave,
    input wire [2:0] glitch,
    input wire [7:0] data,
    input wire [7:0] s_data,
    input wire       s_valid
);
    wire       miso, miso_en, valid, error, s_ready;
    wire [7:0] have;
    reg        cs_n_q, sck_q;
    reg  [2:0] bit_q;
    reg  [7:0] byte_q;         // that the host sends
    reg  [6:0] got_q;          // of the byte that it reads
    reg  [3:0] wait_q;         // cycles since a wire's last edge, at most 8
    reg  [2:0] turned1_q, turned2_q, turned3_q;   // wires that a glitch met one, two, three cycles ago
    reg        fresh_q;        // no bit since cs_n fell
    reg        due_q, cut_q;   // a byte, an error has to come
    reg  [7:0] due_byte_q;
    reg        given_q;        // by s, for the byte under way
    reg  [7:0] given_byte_q;
    reg        waited_q;       // s did, when the byte was chosen
    reg        clean_q;        // cs_n rose between two bytes
    wire [2:0] turn  = glitch & ~(turned1_q | turned2_q | turned3_q);
    wire [2:0] line  = {cs_n_q, sck_q, byte_q[7 - bit_q]} ^ turn;
    wire       still = (wait_q >= 4);
    wire       fall  = cs_n_q && go && still;
    wire       up    = !cs_n_q && !sck_q && go && !leave && (wait_q >= (fresh_q ? SETUP : 4));
    wire       down  = !cs_n_q && sck_q && go && still;
    wire       away  = !cs_n_q && !sck_q && leave && (still || !fresh_q);
    wire [7:0] whole = {got_q, miso};
    aihls_spi u_dut (
        .clk(clk), .rst(rst), .sck(line[1]), .cs_n(line[2]), .mosi(line[0]), .miso(miso), .miso_en(miso_en),
        .data(have), .valid(valid), .error(error), .s_data(s_data), .s_valid(s_valid), .s_ready(s_ready)
    );
    fv_reset u_reset (.clk(clk), .rst(rst));
    fv_offer #(.WIDTH(8), .QUIET(0)) u_offer (.clk(clk), .rst(rst), .data(s_data), .valid(s_valid), .ready(s_ready));
    always @(posedge clk) begin
        turned1_q <= turn;
        turned2_q <= turned1_q;
        turned3_q <= turned2_q;
        wait_q    <= (fall || up || down || away) ? 4'd0 : (wait_q != 8) ? wait_q + 4'd1 : wait_q;
        if (fall) begin
            cs_n_q   <= 1'b0;
            fresh_q  <= 1'b1;
            bit_q    <= 0;
            byte_q   <= data;
            given_q  <= 1'b0;
            waited_q <= s_valid;
        end
        if (s_valid && s_ready) begin
            given_q      <= 1'b1;
            given_byte_q <= s_data;
        end
        if (valid) due_q <= 1'b0;
        if (error) cut_q <= 1'b0;
        if (up) begin
            sck_q   <= 1'b1;
            fresh_q <= 1'b0;
            got_q   <= whole[6:0];
            if (bit_q == 7) begin
                due_q      <= 1'b1;
                due_byte_q <= byte_q;
                given_q    <= 1'b0;
                waited_q   <= s_valid;
            end
        end
        if (down) begin
            sck_q <= 1'b0;
            bit_q <= bit_q + 1'b1;
            if (bit_q == 7) byte_q <= data;
        end
        if (away) begin
            cs_n_q  <= 1'b1;
            clean_q <= (bit_q == 0);
            cut_q   <= (bit_q != 0);
        end
        if (rst) begin
            cs_n_q   <= 1'b1;
            sck_q    <= 1'b0;
            bit_q    <= 0;
            wait_q   <= 0;
            due_q    <= 1'b0;
            cut_q    <= 1'b0;
            given_q  <= 1'b0;
            clean_q  <= 1'b1;
        end
    end
    reg started_q = 1'b0, s_valid_q, early_q;   // early: between cs_n's edge and the first falling one of sck
    always @(posedge clk) begin
        started_q <= 1'b1;
        s_valid_q <= s_valid;
        early_q   <= !rst && (fall || (early_q && !down && !away));
    end
    always @* if (SETUP < 8 && early_q && s_valid && !s_valid_q) assume (s_data == 8'hc0);
    always @* if (started_q && !rst) begin
        if (valid) assert (due_q && have == due_byte_q);
        if (error) assert (cut_q);
        if (up || (fall && still)) assert (!due_q);
        if (cs_n_q && wait_q == 8) assert (!due_q && !cut_q);
        if (s_ready) assert (s_valid && !given_q);
        if (up && bit_q == 7) begin
            assert (whole == (given_q ? given_byte_q : 8'hc0));
            assert (given_q || !waited_q);
        end
        if (cs_n_q && clean_q) assert (!given_q);
        assert (miso_en == !line[2]);
    end
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_mac: one multiply-accumulate cell, pout <= pin + ((hi << LANE_SHIFT) + lo) * s.
// PACK = 2: two weights share the activation s, or two activations the weight s. PACK = 1: lo
// alone, hi is ignored.
// Latency 4 enabled cycles from lo, hi and s to pout, 1 from pin to pout: cell c of a
// chain gets its operands c cycles after cell 0. `en` = 0 freezes everything. No reset.
// TECH "GENERIC" is the behavioural twin of the primitives "DSP48E2" (27-bit pre-adder,
// LANE_SHIFT 18) and "DSP48E1" (25-bit, LANE_SHIFT 17 with hi above -128, or 16);
// MUL_DSP = 0 builds the multiplier of LUTs (PACK = 1). With a primitive P_W is 48, pin and pout
// are PCIN and PCOUT, and only `p` may go to fabric; elsewhere p and pout are the same P_W bits.
// Proof: tests/rtl/run.sh mac
`default_nettype none
module aihls_mac #(
    parameter TECH       = "GENERIC",  // GENERIC | DSP48E2 | DSP48E1
    parameter MUL_DSP    = 1,
    parameter PACK       = 1,
    parameter LANE_SHIFT = 18,
    parameter FIRST      = 0,          // 1: first of its chain, pin is ignored (taken as 0)
    parameter W_BITS     = 8,          // hi and lo, 1..9 bits
    parameter S_BITS     = 8,          // s, 1..9 bits
    parameter P_W        = 48
) (
    input  wire              clk,
    input  wire              en,
    input  wire [W_BITS-1:0] hi,
    input  wire [W_BITS-1:0] lo,
    input  wire [S_BITS-1:0] s,
    input  wire [P_W-1:0]    pin,
    output wire [P_W-1:0]    pout,
    output wire [P_W-1:0]    p
);
    localparam AD_W      = (LANE_SHIFT == 17) ? 25 : LANE_SHIFT + 9;
    localparam PRIMITIVE = (MUL_DSP != 0) && (TECH == "DSP48E2" || TECH == "DSP48E1");

    generate
        if (MUL_DSP == 0 && PACK != 1) begin : g_check_pack
            aihls_error_a_LUT_multiplier_needs_PACK_1 u_error ();
        end
        if (PRIMITIVE && P_W != 48) begin : g_check_width
            aihls_error_a_DSP48_needs_P_W_48 u_error ();
        end
        if (TECH != "GENERIC" && TECH != "DSP48E2" && TECH != "DSP48E1") begin : g_check_tech
            aihls_error_TECH_is_unknown u_error ();
        end
        if (TECH == "DSP48E1" && PACK == 2 && LANE_SHIFT != 16
            && LANE_SHIFT != 17) begin : g_check_shift
            aihls_error_DSP48E1_needs_LANE_SHIFT_16_or_17 u_error ();
        end

        if (PRIMITIVE) begin : g_dsp
            wire signed [26:0] hi_wide;
            wire signed [26:0] lo_wide = {{(27-W_BITS){lo[W_BITS-1]}}, lo};
            wire signed [17:0] s_wide  = {{(18-S_BITS){s[S_BITS-1]}}, s};
            if (PACK == 2) begin : g_pack
                wire signed [26:0] hi_ext = {{(27-W_BITS){hi[W_BITS-1]}}, hi};
                assign hi_wide = hi_ext <<< LANE_SHIFT;
            end else begin : g_plain
                wire unused_ok = &{1'b0, hi};
                assign hi_wide = 27'sd0;
            end
            if (TECH == "DSP48E2") begin : g_e2
                DSP48E2 #(
                    .AMULTSEL("AD"), .BMULTSEL("B"), .PREADDINSEL("A"),
                    .USE_MULT("MULTIPLY"), .USE_SIMD("ONE48"),
                    .AREG(1), .ACASCREG(1), .BREG(2), .BCASCREG(2), .CREG(0), .DREG(1),
                    .ADREG(1), .MREG(1), .PREG(1), .ALUMODEREG(0), .CARRYINREG(0),
                    .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
                ) u_dsp (
                    .CLK(clk), .A({{3{hi_wide[26]}}, hi_wide}), .B(s_wide), .C(48'd0),
                    .D(lo_wide), .PCIN((FIRST != 0) ? 48'd0 : pin), .PCOUT(pout), .P(p),
                    .ALUMODE(4'b0000), .CARRYIN(1'b0), .CARRYINSEL(3'b000), .INMODE(5'b00100),
                    .OPMODE((FIRST != 0) ? 9'b000000101 : 9'b000010101),
                    .CEA1(1'b0), .CEA2(en), .CEAD(en), .CEALUMODE(1'b0), .CEB1(en), .CEB2(en),
                    .CEC(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0), .CED(en), .CEINMODE(1'b0),
                    .CEM(en), .CEP(en), .RSTA(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0),
                    .RSTB(1'b0), .RSTC(1'b0), .RSTCTRL(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0),
                    .RSTM(1'b0), .RSTP(1'b0), .ACIN(30'd0), .BCIN(18'd0), .CARRYCASCIN(1'b0),
                    .MULTSIGNIN(1'b0)
                );
            end else begin : g_e1
                wire unused_ok = &{1'b0, hi_wide[26:25], lo_wide[26:25]};
                DSP48E1 #(
                    .USE_DPORT("TRUE"), .USE_MULT("MULTIPLY"), .USE_SIMD("ONE48"),
                    .AREG(1), .ACASCREG(1), .BREG(2), .BCASCREG(2), .CREG(0), .DREG(1),
                    .ADREG(1), .MREG(1), .PREG(1), .ALUMODEREG(0), .CARRYINREG(0),
                    .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
                ) u_dsp (
                    .CLK(clk), .A({{5{hi_wide[24]}}, hi_wide[24:0]}), .B(s_wide), .C(48'd0),
                    .D(lo_wide[24:0]), .PCIN((FIRST != 0) ? 48'd0 : pin), .PCOUT(pout), .P(p),
                    .ALUMODE(4'b0000), .CARRYIN(1'b0), .CARRYINSEL(3'b000), .INMODE(5'b00100),
                    .OPMODE((FIRST != 0) ? 7'b0000101 : 7'b0010101),
                    .CEA1(1'b0), .CEA2(en), .CEAD(en), .CEALUMODE(1'b0), .CEB1(en), .CEB2(en),
                    .CEC(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0), .CED(en), .CEINMODE(1'b0),
                    .CEM(en), .CEP(en), .RSTA(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0),
                    .RSTB(1'b0), .RSTC(1'b0), .RSTCTRL(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0),
                    .RSTM(1'b0), .RSTP(1'b0), .ACIN(30'd0), .BCIN(18'd0), .CARRYCASCIN(1'b0),
                    .MULTSIGNIN(1'b0)
                );
            end
            if (FIRST != 0) begin : g_first
                wire unused_ok = &{1'b0, pin};
            end
        end else begin : g_twin
            wire signed [P_W-1:0] base = (FIRST != 0) ? {P_W{1'b0}} : pin;
            reg  signed [P_W-1:0] p_q;
            wire signed [P_W-1:0] product;
            always @(posedge clk) if (en) p_q <= base + product;
            assign pout = p_q;
            assign p    = p_q;
            if (FIRST != 0) begin : g_first
                wire unused_ok = &{1'b0, pin};
            end
            if (PACK == 2) begin : g_pack
                wire signed [AD_W-1:0]        hi_ext = {{(AD_W-W_BITS){hi[W_BITS-1]}}, hi};
                reg  signed [AD_W-1:0]        a_q;
                reg  signed [W_BITS-1:0]      d_q;
                reg  signed [AD_W-1:0]        ad_q;
                reg  signed [S_BITS-1:0]      b1_q;
                reg  signed [S_BITS-1:0]      b2_q;
                reg  signed [AD_W+S_BITS-1:0] m_q;
                always @(posedge clk) begin
                    if (en) begin
                        a_q  <= hi_ext <<< LANE_SHIFT;
                        d_q  <= $signed(lo);
                        ad_q <= a_q + $signed({{(AD_W-W_BITS){d_q[W_BITS-1]}}, d_q});
                        b1_q <= $signed(s);
                        b2_q <= b1_q;
                        m_q  <= $signed({{S_BITS{ad_q[AD_W-1]}}, ad_q})
                              * $signed({{AD_W{b2_q[S_BITS-1]}}, b2_q});
                    end
                end
                aihls_resize #(.IN_W(AD_W + S_BITS), .OUT_W(P_W)) u_product (.d(m_q), .q(product));
            end else if (MUL_DSP != 0) begin : g_plain
                localparam M_W = W_BITS + S_BITS;
                wire unused_ok = &{1'b0, hi, AD_W[0]};
                reg  signed [W_BITS-1:0] d_q;
                reg  signed [W_BITS-1:0] ad_q;
                reg  signed [S_BITS-1:0] b1_q;
                reg  signed [S_BITS-1:0] b2_q;
                reg  signed [M_W-1:0]    m_q;
                always @(posedge clk) begin
                    if (en) begin
                        d_q  <= $signed(lo);
                        ad_q <= d_q;
                        b1_q <= $signed(s);
                        b2_q <= b1_q;
                        m_q  <= $signed({{S_BITS{ad_q[W_BITS-1]}}, ad_q})
                              * $signed({{W_BITS{b2_q[S_BITS-1]}}, b2_q});
                    end
                end
                aihls_resize #(.IN_W(M_W), .OUT_W(P_W)) u_product (.d(m_q), .q(product));
            end else begin : g_lut
                localparam M_W = W_BITS + S_BITS;
                wire unused_ok = &{1'b0, hi, AD_W[0]};
                wire [M_W-1:0] product_m;
                aihls_lutmul #(.W_BITS(W_BITS), .S_BITS(S_BITS)) u_mul (
                    .clk(clk), .en(en), .w(lo), .s(s), .m(product_m)
                );
                aihls_resize #(.IN_W(M_W), .OUT_W(P_W)) u_product (.d(product_m), .q(product));
            end
        end
    endgenerate
endmodule
`default_nettype wire

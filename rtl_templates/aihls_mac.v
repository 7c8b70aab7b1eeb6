// SPDX-License-Identifier: Apache-2.0
// aihls_mac: one multiply-accumulate cell, pout <= pin + ((hi << LANE_SHIFT) + lo) * s.
// PACK = 2: two weights share the activation s, or two activations the weight s. PACK = 1: lo
// alone, hi is ignored.
// Latency 4 enabled cycles from lo, hi and s to pout, 1 from pin to pout: cell c of a
// chain gets its operands c cycles after cell 0. `en` = 0 freezes everything. No reset.
// LANE_SHIFT = 0: the sums of a pair stand apart: the upper half of p is the sum of hi * s,
// the lower half that of lo * s, and neither borrows from the other.
// TECH "GENERIC" is the behavioural twin of the primitives; MUL_DSP = 0 builds the
// multiplier of LUTs (PACK = 1).
//
//   TECH     primitive, in it                     PACK = 2             P_W
//   DSP48E2  all; 27-bit pre-adder                LANE_SHIFT 18        48
//   DSP48E1  all; 25-bit pre-adder                LANE_SHIFT 16, 17    48
//   ECP5DSP  MULT18X18D: the product              no                   any
//   ICE40UP  SB_MAC16: all (PACK = 1, 16x16),     LANE_SHIFT 0,        32 (PACK = 1)
//            the products (PACK = 2, two 8x8)     W_BITS, S_BITS <= 8  even (PACK = 2)
//
// With DSP48 pin and pout are PCIN and PCOUT, hi is above -128 in E1 at 17, and only `p` may go to
// fabric; elsewhere p and pout are the same.  Proof: tests/rtl/run.sh mac
`default_nettype none
module aihls_mac #(
    parameter TECH       = "GENERIC",  // one of the table; all names have 7 letters
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
    localparam M_W       = W_BITS + S_BITS;
    localparam DSP48     = (MUL_DSP != 0) && (TECH == "DSP48E2" || TECH == "DSP48E1");
    localparam ECP5      = (MUL_DSP != 0) && (TECH == "ECP5DSP");
    localparam ICE40     = (MUL_DSP != 0) && (TECH == "ICE40UP");
    localparam APART     = (PACK == 2) && (LANE_SHIFT == 0);

    generate
        if (MUL_DSP == 0 && PACK != 1) begin : g_check_pack
            aihls_error_a_LUT_multiplier_needs_PACK_1 u_error ();
        end
        if (DSP48 && P_W != 48) begin : g_check_width
            aihls_error_a_DSP48_needs_P_W_48 u_error ();
        end
        if (TECH != "GENERIC" && TECH != "DSP48E2" && TECH != "DSP48E1" && TECH != "ECP5DSP"
            && TECH != "ICE40UP") begin : g_check_tech
            aihls_error_TECH_is_unknown u_error ();
        end
        if (ECP5 && PACK != 1) begin : g_check_ecp5
            aihls_error_ECP5DSP_needs_PACK_1 u_error ();
        end
        if (ICE40 && (PACK == 2 ? !APART || W_BITS > 8 || S_BITS > 8 : P_W != 32)) begin : g_check_ice40
            aihls_error_ICE40UP_needs_LANE_SHIFT_0_or_P_W_32 u_error ();
        end
        if (DSP48 && APART) begin : g_check_apart
            aihls_error_DSP48_needs_a_LANE_SHIFT u_error ();
        end
        if (APART && P_W % 2 != 0) begin : g_check_halves
            aihls_error_sums_apart_need_an_even_P_W u_error ();
        end
        if (TECH == "DSP48E1" && PACK == 2 && LANE_SHIFT != 16
            && LANE_SHIFT != 17) begin : g_check_shift
            aihls_error_DSP48E1_needs_LANE_SHIFT_16_or_17 u_error ();
        end

        if (DSP48) begin : g_dsp
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
        end else if (ICE40 && PACK == 1) begin : g_ice40
            // A, B -> registers -> partial products -> registers -> product -> register -> + C,D -> register
            wire [31:0] base = (FIRST != 0) ? 32'd0 : pin;
            wire        carry, cascade, sign;
            wire [15:0] a, b;
            aihls_resize #(.IN_W(W_BITS), .OUT_W(16)) u_a (.d(lo), .q(a));
            aihls_resize #(.IN_W(S_BITS), .OUT_W(16)) u_b (.d(s), .q(b));
            SB_MAC16 #(
                .NEG_TRIGGER(1'b0), .A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b0), .D_REG(1'b0),
                .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1), .PIPELINE_16x16_MULT_REG1(1'b1),
                .PIPELINE_16x16_MULT_REG2(1'b1), .TOPOUTPUT_SELECT(2'b01), .BOTOUTPUT_SELECT(2'b01),
                .TOPADDSUB_LOWERINPUT(2'b10), .BOTADDSUB_LOWERINPUT(2'b10),
                .TOPADDSUB_UPPERINPUT(1'b1), .BOTADDSUB_UPPERINPUT(1'b1),
                .TOPADDSUB_CARRYSELECT(2'b10), .BOTADDSUB_CARRYSELECT(2'b00),
                .MODE_8x8(1'b0), .A_SIGNED(1'b1), .B_SIGNED(1'b1)
            ) u_mac16 (
                .CLK(clk), .CE(en), .A(a), .B(b), .C(base[31:16]), .D(base[15:0]), .O(pout),
                .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0),
                .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0),
                .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .CI(1'b0),
                .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .CO(carry), .ACCUMCO(cascade), .SIGNEXTOUT(sign)
            );
            assign p = pout;
            wire unused_ok = &{1'b0, hi, pin, carry, cascade, sign, AD_W[0]};
        end else if (APART) begin : g_apart
            // Both products after three cycles, the sums of the halves in LUTs.
            localparam HALF_W = P_W / 2;
            reg  [HALF_W-1:0] hi_q, lo_q;
            wire [HALF_W-1:0] hi_product, lo_product;
            wire [P_W-1:0]    base = (FIRST != 0) ? {P_W{1'b0}} : pin;
            always @(posedge clk) begin
                if (en) begin
                    hi_q <= base[P_W-1:HALF_W] + hi_product;
                    lo_q <= base[HALF_W-1:0] + lo_product;
                end
            end
            assign p    = {hi_q, lo_q};
            assign pout = p;
            if (ICE40) begin : g_ice40
                wire [7:0]  a_hi, a_lo, b;
                wire [31:0] o;
                wire        carry, cascade, sign;
                aihls_resize #(.IN_W(W_BITS), .OUT_W(8)) u_hi (.d(hi), .q(a_hi));
                aihls_resize #(.IN_W(W_BITS), .OUT_W(8)) u_lo (.d(lo), .q(a_lo));
                aihls_resize #(.IN_W(S_BITS), .OUT_W(8)) u_s (.d(s), .q(b));
                SB_MAC16 #(
                    .NEG_TRIGGER(1'b0), .A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b0), .D_REG(1'b0),
                    .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1),
                    .PIPELINE_16x16_MULT_REG1(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1),
                    .TOPOUTPUT_SELECT(2'b01), .BOTOUTPUT_SELECT(2'b01),
                    .TOPADDSUB_LOWERINPUT(2'b01), .BOTADDSUB_LOWERINPUT(2'b01),
                    .TOPADDSUB_UPPERINPUT(1'b1), .BOTADDSUB_UPPERINPUT(1'b1),
                    .TOPADDSUB_CARRYSELECT(2'b00), .BOTADDSUB_CARRYSELECT(2'b00),
                    .MODE_8x8(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1)
                ) u_mac16 (
                    .CLK(clk), .CE(en), .A({a_hi, a_lo}), .B({b, b}), .C(16'd0), .D(16'd0), .O(o),
                    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0),
                    .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0),
                    .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0),
                    .OHOLDBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .CO(carry),
                    .ACCUMCO(cascade), .SIGNEXTOUT(sign)
                );
                aihls_resize #(.IN_W(16), .OUT_W(HALF_W)) u_ph (.d(o[31:16]), .q(hi_product));
                aihls_resize #(.IN_W(16), .OUT_W(HALF_W)) u_pl (.d(o[15:0]), .q(lo_product));
                wire unused_ok = &{1'b0, pin, carry, cascade, sign, AD_W[0]};
            end else begin : g_twin
                reg signed [W_BITS-1:0] hi1_q, hi2_q, lo1_q, lo2_q;
                reg signed [S_BITS-1:0] s1_q, s2_q;
                reg signed [M_W-1:0]    mh_q, ml_q;
                always @(posedge clk) begin
                    if (en) begin
                        hi1_q <= hi;
                        hi2_q <= hi1_q;
                        lo1_q <= lo;
                        lo2_q <= lo1_q;
                        s1_q  <= s;
                        s2_q  <= s1_q;
                        mh_q  <= $signed({{S_BITS{hi2_q[W_BITS-1]}}, hi2_q})
                               * $signed({{W_BITS{s2_q[S_BITS-1]}}, s2_q});
                        ml_q  <= $signed({{S_BITS{lo2_q[W_BITS-1]}}, lo2_q})
                               * $signed({{W_BITS{s2_q[S_BITS-1]}}, s2_q});
                    end
                end
                aihls_resize #(.IN_W(M_W), .OUT_W(HALF_W)) u_ph (.d(mh_q), .q(hi_product));
                aihls_resize #(.IN_W(M_W), .OUT_W(HALF_W)) u_pl (.d(ml_q), .q(lo_product));
                wire unused_ok = &{1'b0, pin, AD_W[0]};
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
            end else if (ECP5) begin : g_ecp5
                wire [17:0] a, b;
                wire [35:0] m;
                wire        sign;
                wire        unused_ok = &{1'b0, hi, m, sign, AD_W[0]};
                aihls_resize #(.IN_W(W_BITS), .OUT_W(18)) u_a (.d(lo), .q(a));
                aihls_resize #(.IN_W(S_BITS), .OUT_W(18)) u_b (.d(s), .q(b));
                MULT18X18D #(
                    .REG_INPUTA_CLK("CLK0"), .REG_INPUTA_CE("CE0"), .REG_INPUTA_RST("RST0"),
                    .REG_INPUTB_CLK("CLK0"), .REG_INPUTB_CE("CE0"), .REG_INPUTB_RST("RST0"),
                    .REG_INPUTC_CLK("NONE"), .REG_PIPELINE_CLK("CLK0"), .REG_PIPELINE_CE("CE0"),
                    .REG_PIPELINE_RST("RST0"), .REG_OUTPUT_CLK("CLK0"), .REG_OUTPUT_CE("CE0"),
                    .REG_OUTPUT_RST("RST0")
                ) u_mult (
                    .CLK0(clk), .CLK1(1'b0), .CLK2(1'b0), .CLK3(1'b0),
                    .CE0(en), .CE1(1'b1), .CE2(1'b1), .CE3(1'b1),
                    .RST0(1'b0), .RST1(1'b0), .RST2(1'b0), .RST3(1'b0),
                    .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
                    .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]), .A6(a[6]),
                    .A7(a[7]), .A8(a[8]), .A9(a[9]), .A10(a[10]), .A11(a[11]), .A12(a[12]),
                    .A13(a[13]), .A14(a[14]), .A15(a[15]), .A16(a[16]), .A17(a[17]),
                    .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]), .B6(b[6]),
                    .B7(b[7]), .B8(b[8]), .B9(b[9]), .B10(b[10]), .B11(b[11]), .B12(b[12]),
                    .B13(b[13]), .B14(b[14]), .B15(b[15]), .B16(b[16]), .B17(b[17]),
                    .C0(1'b0), .C1(1'b0), .C2(1'b0), .C3(1'b0), .C4(1'b0), .C5(1'b0), .C6(1'b0),
                    .C7(1'b0), .C8(1'b0), .C9(1'b0), .C10(1'b0), .C11(1'b0), .C12(1'b0),
                    .C13(1'b0), .C14(1'b0), .C15(1'b0), .C16(1'b0), .C17(1'b0),
                    .P0(m[0]), .P1(m[1]), .P2(m[2]), .P3(m[3]), .P4(m[4]), .P5(m[5]), .P6(m[6]),
                    .P7(m[7]), .P8(m[8]), .P9(m[9]), .P10(m[10]), .P11(m[11]), .P12(m[12]),
                    .P13(m[13]), .P14(m[14]), .P15(m[15]), .P16(m[16]), .P17(m[17]),
                    .P18(m[18]), .P19(m[19]), .P20(m[20]), .P21(m[21]), .P22(m[22]),
                    .P23(m[23]), .P24(m[24]), .P25(m[25]), .P26(m[26]), .P27(m[27]),
                    .P28(m[28]), .P29(m[29]), .P30(m[30]), .P31(m[31]), .P32(m[32]),
                    .P33(m[33]), .P34(m[34]), .P35(m[35]),
                    .SIGNEDP(sign)
                );
                aihls_resize #(.IN_W(M_W), .OUT_W(P_W)) u_product (.d(m[M_W-1:0]), .q(product));
            end else if (MUL_DSP != 0) begin : g_plain
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

// SPDX-License-Identifier: Apache-2.0
// DSP48E2: behavioural model, for simulation and proofs, of the one configuration that
// aihls_mac uses: A, D -> AD -> M -> P with two B registers, P = (PCIN or 0) + (A + D) * B.
// It has exactly the ports that are connected there and refuses every other setting.
`default_nettype none
module DSP48E2 #(
    parameter AMULTSEL      = "A",
    parameter BMULTSEL      = "B",
    parameter PREADDINSEL   = "A",
    parameter USE_MULT      = "MULTIPLY",
    parameter USE_SIMD      = "ONE48",
    parameter AREG          = 1,
    parameter ACASCREG      = 1,
    parameter BREG          = 1,
    parameter BCASCREG      = 1,
    parameter CREG          = 1,
    parameter DREG          = 1,
    parameter ADREG         = 1,
    parameter MREG          = 1,
    parameter PREG          = 1,
    parameter ALUMODEREG    = 1,
    parameter CARRYINREG    = 1,
    parameter CARRYINSELREG = 1,
    parameter INMODEREG     = 1,
    parameter OPMODEREG     = 1
) (
    input  wire        CLK,
    input  wire [29:0] A,
    input  wire [17:0] B,
    input  wire [47:0] C,
    input  wire [26:0] D,
    input  wire [47:0] PCIN,
    output wire [47:0] PCOUT,
    output wire [47:0] P,
    input  wire [3:0]  ALUMODE,
    input  wire        CARRYIN,
    input  wire [2:0]  CARRYINSEL,
    input  wire [4:0]  INMODE,
    input  wire [8:0]  OPMODE,
    input  wire        CEA1,
    input  wire        CEA2,
    input  wire        CEAD,
    input  wire        CEALUMODE,
    input  wire        CEB1,
    input  wire        CEB2,
    input  wire        CEC,
    input  wire        CECARRYIN,
    input  wire        CECTRL,
    input  wire        CED,
    input  wire        CEINMODE,
    input  wire        CEM,
    input  wire        CEP,
    input  wire        RSTA,
    input  wire        RSTALLCARRYIN,
    input  wire        RSTALUMODE,
    input  wire        RSTB,
    input  wire        RSTC,
    input  wire        RSTCTRL,
    input  wire        RSTD,
    input  wire        RSTINMODE,
    input  wire        RSTM,
    input  wire        RSTP,
    input  wire [29:0] ACIN,
    input  wire [17:0] BCIN,
    input  wire        CARRYCASCIN,
    input  wire        MULTSIGNIN
);
    reg  signed [26:0] a_q, d_q, ad_q;
    reg  signed [17:0] b1_q, b2_q;
    reg  signed [44:0] m_q;
    reg  signed [47:0] p_q;
    wire signed [47:0] z = (OPMODE[6:4] == 3'b001) ? PCIN : 48'd0;

    // A control input with any other value poisons the result, so that a test fails.
    wire legal = ALUMODE == 4'd0 && !CARRYIN && CARRYINSEL == 3'd0 && INMODE == 5'b00100
              && (OPMODE == 9'b000000101 || OPMODE == 9'b000010101) && !CARRYCASCIN
              && !MULTSIGNIN && !(RSTA | RSTALLCARRYIN | RSTALUMODE | RSTB | RSTC | RSTCTRL
                                  | RSTD | RSTINMODE | RSTM | RSTP);

    always @(posedge CLK) begin
        if (CEA2) a_q <= $signed(A[26:0]);
        if (CED) d_q <= $signed(D);
        if (CEAD) ad_q <= a_q + d_q;
        if (CEB1) b1_q <= $signed(B);
        if (CEB2) b2_q <= b1_q;
        if (CEM) m_q <= $signed({{18{ad_q[26]}}, ad_q}) * $signed({{27{b2_q[17]}}, b2_q});
        if (!legal) p_q <= 48'hbadbadbadbad;
        else if (CEP) p_q <= z + $signed({{3{m_q[44]}}, m_q});
    end
    assign P     = p_q;
    assign PCOUT = p_q;

    generate
        if (AMULTSEL != "AD" || BMULTSEL != "B" || PREADDINSEL != "A" || USE_MULT != "MULTIPLY"
            || USE_SIMD != "ONE48" || AREG != 1 || ACASCREG != 1 || BREG != 2 || BCASCREG != 2
            || CREG != 0 || DREG != 1 || ADREG != 1 || MREG != 1 || PREG != 1
            || ALUMODEREG != 0 || CARRYINREG != 0 || CARRYINSELREG != 0 || INMODEREG != 0
            || OPMODEREG != 0) begin : g_check
            aihls_error_DSP48E2_setting_is_not_modelled u_error ();
        end
    endgenerate
    wire unused_ok = &{1'b0, A[29:27], C, ACIN, BCIN, CEA1, CEALUMODE, CEC, CECARRYIN, CECTRL,
                       CEINMODE};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// SB_MAC16: behavioural model, for simulation and proofs, of the two configurations that aihls_mac uses:
//   16x16  {C, D} + A * B, four registers: inputs, partial products, product, sum
//   8x8    A[15:8] * B[15:8] in O[31:16] and A[7:0] * B[7:0] in O[15:0], three registers: inputs, product, sum with 0
// All registers are enabled together by CE, so where the multipliers stand between them cannot be seen from outside;
// here they stand before the last register of a product. tests/rtl/prove_mac.sh compares this with Yosys' own model.
// After DSP Function Usage Guide for iCE40 Devices (FPGA-TN-02007). It has exactly the ports that are connected there
// and refuses every other setting.
`default_nettype none
module SB_MAC16 #(
    parameter [0:0] NEG_TRIGGER              = 0,
    parameter [0:0] A_REG                    = 0,
    parameter [0:0] B_REG                    = 0,
    parameter [0:0] C_REG                    = 0,
    parameter [0:0] D_REG                    = 0,
    parameter [0:0] TOP_8x8_MULT_REG         = 0,
    parameter [0:0] BOT_8x8_MULT_REG         = 0,
    parameter [0:0] PIPELINE_16x16_MULT_REG1 = 0,
    parameter [0:0] PIPELINE_16x16_MULT_REG2 = 0,
    parameter [1:0] TOPOUTPUT_SELECT         = 0,
    parameter [1:0] BOTOUTPUT_SELECT         = 0,
    parameter [1:0] TOPADDSUB_LOWERINPUT     = 0,
    parameter [1:0] BOTADDSUB_LOWERINPUT     = 0,
    parameter [0:0] TOPADDSUB_UPPERINPUT     = 0,
    parameter [0:0] BOTADDSUB_UPPERINPUT     = 0,
    parameter [1:0] TOPADDSUB_CARRYSELECT    = 0,
    parameter [1:0] BOTADDSUB_CARRYSELECT    = 0,
    parameter [0:0] MODE_8x8                 = 0,
    parameter [0:0] A_SIGNED                 = 0,
    parameter [0:0] B_SIGNED                 = 0
) (
    input  wire        CLK,
    input  wire        CE,
    input  wire [15:0] A,
    input  wire [15:0] B,
    input  wire [15:0] C,
    input  wire [15:0] D,
    output wire [31:0] O,
    input  wire        AHOLD,
    input  wire        BHOLD,
    input  wire        CHOLD,
    input  wire        DHOLD,
    input  wire        IRSTTOP,
    input  wire        IRSTBOT,
    input  wire        ORSTTOP,
    input  wire        ORSTBOT,
    input  wire        OLOADTOP,
    input  wire        OLOADBOT,
    input  wire        ADDSUBTOP,
    input  wire        ADDSUBBOT,
    input  wire        OHOLDTOP,
    input  wire        OHOLDBOT,
    input  wire        CI,
    input  wire        ACCUMCI,
    input  wire        SIGNEXTIN,
    output wire        CO,
    output wire        ACCUMCO,
    output wire        SIGNEXTOUT
);
    // A control input with any other value poisons the result, so that a test fails.
    wire legal = !(AHOLD | BHOLD | CHOLD | DHOLD | IRSTTOP | IRSTBOT | ORSTTOP | ORSTBOT
                   | OLOADTOP | OLOADBOT | ADDSUBTOP | ADDSUBBOT | OHOLDTOP | OHOLDBOT | CI
                   | ACCUMCI | SIGNEXTIN);
    localparam REGISTERS = A_REG && B_REG && !C_REG && !D_REG && TOP_8x8_MULT_REG
                        && BOT_8x8_MULT_REG && PIPELINE_16x16_MULT_REG1
                        && PIPELINE_16x16_MULT_REG2 && !NEG_TRIGGER && A_SIGNED && B_SIGNED
                        && TOPOUTPUT_SELECT == 2'd1 && BOTOUTPUT_SELECT == 2'd1
                        && TOPADDSUB_UPPERINPUT && BOTADDSUB_UPPERINPUT
                        && BOTADDSUB_CARRYSELECT == 2'd0;

    assign CO         = 1'b0;
    assign ACCUMCO    = 1'b0;
    assign SIGNEXTOUT = 1'b0;

    generate
        if (!REGISTERS) begin : g_check
            aihls_error_SB_MAC16_setting_is_not_modelled u_error ();
        end
        if (MODE_8x8) begin : g_8x8
            reg signed [7:0]   ah_q, al_q, bh_q, bl_q, ah2_q, al2_q, bh2_q, bl2_q;
            reg signed [15:0]  top_q, bottom_q;
            wire signed [15:0] top    = $signed({{8{ah2_q[7]}}, ah2_q}) * $signed({{8{bh2_q[7]}}, bh2_q});
            wire signed [15:0] bottom = $signed({{8{al2_q[7]}}, al2_q}) * $signed({{8{bl2_q[7]}}, bl2_q});
            always @(posedge CLK) begin
                if (CE) begin
                    {ah_q, al_q}   <= A;
                    {bh_q, bl_q}   <= B;
                    {ah2_q, al2_q} <= {ah_q, al_q};
                    {bh2_q, bl2_q} <= {bh_q, bl_q};
                    top_q          <= top + C;
                    bottom_q       <= bottom + D;
                end
                if (!legal) {top_q, bottom_q} <= 32'hbadbadba;
            end
            assign O = {top_q, bottom_q};
            if (TOPADDSUB_LOWERINPUT != 2'd1 || BOTADDSUB_LOWERINPUT != 2'd1
                || TOPADDSUB_CARRYSELECT != 2'd0) begin : g_check_adders
                aihls_error_SB_MAC16_setting_is_not_modelled u_error ();
            end
        end else begin : g_16x16
            reg signed [15:0] a1_q, a2_q, b1_q, b2_q;
            reg signed [31:0] m_q, o_q;
            always @(posedge CLK) begin
                if (CE) begin
                    a1_q <= A;
                    a2_q <= a1_q;
                    b1_q <= B;
                    b2_q <= b1_q;
                    m_q  <= $signed({{16{a2_q[15]}}, a2_q}) * $signed({{16{b2_q[15]}}, b2_q});
                    o_q  <= $signed({C, D}) + m_q;
                end
                if (!legal) o_q <= 32'hbadbadba;
            end
            assign O = o_q;
            if (TOPADDSUB_LOWERINPUT != 2'd2 || BOTADDSUB_LOWERINPUT != 2'd2
                || TOPADDSUB_CARRYSELECT != 2'd2) begin : g_check_adders
                aihls_error_SB_MAC16_setting_is_not_modelled u_error ();
            end
        end
    endgenerate
endmodule
`default_nettype wire

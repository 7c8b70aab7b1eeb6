// SPDX-License-Identifier: Apache-2.0
// MULT18X18D: behavioural model, for simulation and proofs, of the one configuration that aihls_mac uses: signed A times
// signed B with input, pipeline and output registers on CLK0 and CE0. All three registers are enabled together, so
// where the multiplier stands between them cannot be seen from outside; here it stands before the last.
// After the ECP5 sysDSP Usage Guide (FPGA-TN-02205). It has exactly the ports that are connected there and refuses every
// other setting.
`default_nettype none
module MULT18X18D #(
    parameter REG_INPUTA_CLK   = "NONE",
    parameter REG_INPUTA_CE    = "CE0",
    parameter REG_INPUTA_RST   = "RST0",
    parameter REG_INPUTB_CLK   = "NONE",
    parameter REG_INPUTB_CE    = "CE0",
    parameter REG_INPUTB_RST   = "RST0",
    parameter REG_INPUTC_CLK   = "NONE",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_PIPELINE_CE  = "CE0",
    parameter REG_PIPELINE_RST = "RST0",
    parameter REG_OUTPUT_CLK   = "NONE",
    parameter REG_OUTPUT_CE    = "CE0",
    parameter REG_OUTPUT_RST   = "RST0"
) (
    input  wire
    A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input  wire
    B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    input  wire
    C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input  wire
    SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3,
    RST0, RST1, RST2, RST3,
    output wire
    P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18,
    P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35,
    output wire SIGNEDP
);
    wire [17:0] a = {
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
    };
    wire [17:0] b = {
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
    };
    wire [17:0] c = {
        C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0
    };
    reg signed [17:0] a1_q, a2_q, b1_q, b2_q;
    reg signed [35:0] p_q;

    // A control input with any other value poisons the result, so that a test fails.
    wire legal = SIGNEDA && SIGNEDB && !(SOURCEA | SOURCEB | RST0 | RST1 | RST2 | RST3) && c == 18'd0;

    always @(posedge CLK0) begin
        if (CE0) begin
            a1_q <= $signed(a);
            a2_q <= a1_q;
            b1_q <= $signed(b);
            b2_q <= b1_q;
            p_q  <= $signed({{18{a2_q[17]}}, a2_q}) * $signed({{18{b2_q[17]}}, b2_q});
        end
        if (!legal) p_q <= 36'hbadbadbad;
    end
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
        P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
    } = p_q;
    assign SIGNEDP = legal;

    generate
        if (REG_INPUTA_CLK != "CLK0" || REG_INPUTA_CE != "CE0" || REG_INPUTA_RST != "RST0"
            || REG_INPUTB_CLK != "CLK0" || REG_INPUTB_CE != "CE0" || REG_INPUTB_RST != "RST0"
            || REG_INPUTC_CLK != "NONE" || REG_PIPELINE_CLK != "CLK0"
            || REG_PIPELINE_CE != "CE0" || REG_PIPELINE_RST != "RST0"
            || REG_OUTPUT_CLK != "CLK0" || REG_OUTPUT_CE != "CE0"
            || REG_OUTPUT_RST != "RST0") begin : g_check
            aihls_error_MULT18X18D_setting_is_not_modelled u_error ();
        end
    endgenerate
    wire unused_ok = &{1'b0, CLK1, CLK2, CLK3, CE1, CE2, CE3};
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_shift: arithmetic right shift that keeps the or of the bits shifted out.
// Two bits of `shift` a stage, the highest first: latency ceil(SHIFT_W/2) enabled cycles,
// throughput 1/cycle. No reset.
`default_nettype none
module aihls_shift #(
    parameter WIDTH   = 24,
    parameter SHIFT_W = 4
) (
    input  wire               clk,
    input  wire               en,
    input  wire [WIDTH-1:0]   d,
    input  wire               rest,
    input  wire [SHIFT_W-1:0] shift,
    output wire [WIDTH-1:0]   q,
    output wire               sticky
);
    localparam STAGES = (SHIFT_W + 1) / 2;
    localparam FULL_W = 2 * STAGES;

    genvar i;
    generate
        for (i = 0; i <= STAGES; i = i + 1) begin : g_stage
            wire [WIDTH-1:0]  value;
            wire              lost;
            wire [FULL_W-1:0] field;
            if (i == 0) begin : g_in
                assign value = d;
                assign lost  = rest;
                aihls_fit #(.IN_W(SHIFT_W), .OUT_W(FULL_W)) u_field (.d(shift), .q(field));
            end else begin : g_move
                // One unit of this stage is 4^(STAGES-i) positions; shift by 0 to 3 units.
                localparam integer UNIT = 32'd1 << (FULL_W - 2 * i);
                localparam LOST_1 = (UNIT < WIDTH) ? UNIT : WIDTH;
                localparam LOST_2 = (2 * UNIT < WIDTH) ? 2 * UNIT : WIDTH;
                localparam LOST_3 = (3 * UNIT < WIDTH) ? 3 * UNIT : WIDTH;
                wire signed [WIDTH-1:0] from  = g_stage[i-1].value;
                wire [FULL_W-1:0]       above = g_stage[i-1].field;
                wire [1:0]              units = above[FULL_W-1 -: 2];
                wire signed [WIDTH-1:0] by_1  = from >>> UNIT;
                wire signed [WIDTH-1:0] by_2  = from >>> (2 * UNIT);
                wire signed [WIDTH-1:0] by_3  = from >>> (3 * UNIT);
                reg  [WIDTH-1:0]        value_q;
                reg                     lost_q;
                reg  [FULL_W-1:0]       field_q;
                always @(posedge clk) begin
                    if (en) begin
                        field_q <= above << 2;
                        value_q <= units[1] ? (units[0] ? by_3 : by_2)
                                            : (units[0] ? by_1 : from);
                        lost_q  <= g_stage[i-1].lost
                                || (units[1] ? (units[0] ? (|from[LOST_3-1:0])
                                                         : (|from[LOST_2-1:0]))
                                             : (units[0] && (|from[LOST_1-1:0])));
                    end
                end
                assign value = value_q;
                assign lost  = lost_q;
                assign field = field_q;
            end
        end
    endgenerate
    assign q      = g_stage[STAGES].value;
    assign sticky = g_stage[STAGES].lost;
    wire unused_ok = &{1'b0, g_stage[STAGES].field};
endmodule
`default_nettype wire

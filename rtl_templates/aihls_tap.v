// SPDX-License-Identifier: Apache-2.0
// aihls_tap: a stage of a network that aihls_serial computes, to look at: whether it is the one at work, and its results as a stream
// that never waits. Nothing in the design depends on it, so that synthesis drops it.
`default_nettype none
module aihls_tap #(
    parameter INDEX   = 0,
    parameter INDEX_W = 1
) (
    input  wire [INDEX_W-1:0] index,
    input  wire               running,
    input  wire               store,
    input  wire [7:0]         stored,
    output wire [7:0]         m_act_data,
    output wire               m_act_valid,
    output wire               m_act_ready
);
    wire busy = running && index == INDEX;
    assign m_act_data  = stored;
    assign m_act_valid = busy && store;
    assign m_act_ready = m_act_valid;
endmodule
`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// aihls_uart_pack: packets to a line: 0xc0, the bytes from s up to one with s_last, their CRC, 0xc0; what
// aihls_uart_unpack reads. A byte that would be taken for 0xc0 or 0xdb goes out as two. Throughput: a byte a cycle.
// Latency 0: m follows s. Reset: cuts off a packet; the next begins with 0xc0, which ends what the other side has of it.
//
// m_data and m_valid follow s_data and s_valid, s_ready follows m_ready.
`default_nettype none
module aihls_uart_pack (
    input  wire       clk,
    input  wire       rst,
    input  wire [7:0] s_data,
    input  wire       s_last,
    input  wire       s_valid,
    output wire       s_ready,
    output wire [7:0] m_data,
    output wire       m_valid,
    input  wire       m_ready
);
    localparam [2:0] BEGIN = 3'd0, BODY = 3'd1, CRC_HIGH = 3'd2, CRC_LOW = 3'd3, END = 3'd4;
    reg  [2:0]  state_q;
    reg         escaped_q;   // 0xdb is out, its second byte is not
    reg  [15:0] crc_q;
    wire        mark    = (state_q == BEGIN) || (state_q == END);
    wire [7:0]  plain   = (state_q == BODY) ? s_data : (state_q == CRC_HIGH) ? crc_q[15:8] : crc_q[7:0];
    wire        special = !mark && ((plain == 8'hc0) || (plain == 8'hdb));
    wire        give    = m_valid && m_ready;
    wire        through = give && (!special || escaped_q);   // of this byte
    wire [15:0] crc_next;

    assign m_data  = mark ? 8'hc0 : !special ? plain : !escaped_q ? 8'hdb : (plain == 8'hc0) ? 8'hdc : 8'hdd;
    assign m_valid = !rst && (s_valid || ((state_q != BEGIN) && (state_q != BODY)));
    assign s_ready = (state_q == BODY) && through;

    aihls_crc16 u_crc (.crc(crc_q), .data(s_data), .next(crc_next));

    always @(posedge clk) begin
        if (give) escaped_q <= special && !escaped_q;
        if (through) begin
            case (state_q)
            BEGIN:    state_q <= BODY;
            BODY:     if (s_last) state_q <= CRC_HIGH;
            CRC_HIGH: state_q <= CRC_LOW;
            CRC_LOW:  state_q <= END;
            default:  state_q <= BEGIN;
            endcase
        end
        if (s_ready) crc_q <= crc_next;
        if (rst || (state_q == BEGIN)) crc_q <= 16'hffff;
        if (rst) begin
            state_q   <= BEGIN;
            escaped_q <= 1'b0;
        end
    end
endmodule
`default_nettype wire

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves aihls_mac's behavioural twin equal to the primitive models, for all inputs and
# enables: both cells get the same inputs in one netlist, registers are split into bits, and
# Yosys merges what computes the same from the same, register after register, until the
# outputs are one net; SAT then proves the comparison true. Merging two registers is sound
# but for their power-up value, which four enabled cycles replace: the cell has no feedback
# but the freeze.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rtl=$here/../../rtl_templates
out=${OUT:-$here/../../build/rtl}/mac
mkdir -p "$out"
prove() { # TECH SHIFT PACK FIRST W_BITS S_BITS P_W [BREAK]
    cat >"$out/miter.v" <<END
module miter (input wire clk, input wire en, input wire [$5-1:0] hi, input wire [$5-1:0] lo,
              input wire [$6-1:0] s, input wire [$7-1:0] pin, output wire same);
    wire [$7-1:0] p1, p2, c1, c2;
    aihls_mac #(.TECH("$1"), .LANE_SHIFT($2), .PACK($3), .FIRST($4), .W_BITS($5), .S_BITS($6), .P_W($7)) u_primitive
        (.clk(clk), .en(en), .hi(hi), .lo(lo), .s(s), .pin(pin), .pout(c1), .p(p1));
    aihls_mac #(.TECH("GENERIC"), .LANE_SHIFT($2), .PACK($3), .FIRST($4), .W_BITS($5), .S_BITS($6), .P_W($7)) u_twin
        (.clk(clk), .en(en), .hi(hi), .lo(lo), .s(s${8:-}), .pin(pin), .pout(c2), .p(p2));
    assign same = (p1 == p2) && (c1 == c2);
endmodule
END
    printf 'mac %s shift %s pack %s first %s, %s by %s bits: ' "$1" "$2" "$3" "$4" "$5" "$6"
    if timeout 60 yosys -q -l "$out/yosys.log" -p "read_verilog -defer $out/miter.v
        read_verilog -defer $rtl/aihls_mac.v $rtl/aihls_resize.v $rtl/aihls_lutmul.v \
            $here/models/DSP48E2.v $here/models/DSP48E1.v $here/models/MULT18X18D.v $here/models/SB_MAC16.v
        hierarchy -top miter; proc; flatten; opt -full; simplemap t:\$dff t:\$dffe; opt_clean
        opt_merge -share_all; opt_clean; wreduce; opt_expr; opt_merge -share_all; opt_clean
        wreduce; opt_expr; opt_merge -share_all; opt_clean; wreduce; opt_expr
        opt_merge -share_all; opt_clean; wreduce; opt -full; opt_merge -share_all; opt -full
        sat -verify -prove same 1 -set-def-inputs -seq 1 -timeout 30"; then
        echo equal
    else
        echo "NOT PROVEN"
        return 1
    fi
}
for first in 0 1; do
    prove DSP48E2 18 2 $first 8 8 48
    prove DSP48E2 18 2 $first 4 8 48
    prove DSP48E2 18 1 $first 8 8 48
    prove DSP48E2 18 1 $first 9 8 48
    prove DSP48E1 17 2 $first 8 8 48
    prove DSP48E1 17 1 $first 9 8 48
    # two pixels by one weight
    prove DSP48E2 18 2 $first 8 9 48
    prove DSP48E1 16 2 $first 8 8 48
    prove DSP48E1 16 2 $first 8 9 48
    prove ECP5DSP 18 1 $first 8 8 19
    prove ECP5DSP 18 1 $first 9 8 24
    prove ICE40UP 0 2 $first 8 8 40
    prove ICE40UP 0 2 $first 4 8 26
    prove ICE40UP 0 1 $first 8 8 32
    prove ICE40UP 0 1 $first 9 8 32
done
# The proof must be able to fail: a twin with one bit of s inverted.
printf "(wrong on purpose) "
if prove DSP48E2 18 2 0 8 8 48 " ^ 8'd1" 2>/dev/null; then
    echo "a wrong twin was accepted"
    exit 1
fi
printf "(wrong on purpose) "
if prove ICE40UP 0 2 0 8 8 40 " ^ 8'd1" 2>/dev/null; then
    echo "a wrong twin was accepted"
    exit 1
fi
echo "mac: twin and primitives are equal"

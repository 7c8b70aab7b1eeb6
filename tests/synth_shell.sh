#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Synthesizes what stands around the core in project/NAME_ip.v, without a processor NAME_board.v (digits, the core as a black
# box), with Yosys for the boards named in $BOARDS, and counts it (Cyclone V: ALMs and flip-flops). Half a minute a board.
#     tests/synth_shell.sh build/aihls
set -u
aihls=$(realpath "$1")
stat=$(realpath tests/synth_stat.py)
family_stat=$(realpath tests/family_stat.py)
failed=0
for board in ${BOARDS:-ultra96 pynq-z2 arty-a7-100 de10-nano}; do
    out=build/synth/shell-$board
    mkdir -p build/synth
    "$aihls" tests/models/digits/digits.onnx --calib tests/models/digits/digits_calib.npy --board "$board" -q -o $out || exit 1
    top=digits_ip
    [ -f $out/project/digits_ip.v ] || top=digits_board
    family=$(sed -n 's/.*<family>\(.*\)<.*/\1/p' $out/sim/board.xml)
    libraries="read_verilog -lib +/xilinx/cells_xtra.v +/xilinx/cells_sim.v" synth="synth_xilinx -family $family -nodsp -noiopad -flatten"
    [ "$family" != cyclonev ] || libraries="" synth="synth_intel_alm -family cyclonev -nodsp -noiopad -noclkbuf"
    (cd $out && yosys -q -l sim/yosys.log -p "
        read_verilog -lib rtl/digits_core.v
        $(grep -v _core.v rtl/digits.f | sed 's/^/read_verilog /')
        read_verilog project/$top.v
        $libraries
        hierarchy -check -top $top
        $synth -top $top
        write_json sim/netlist.json" >sim/yosys.out 2>&1) || { tail -5 $out/sim/yosys.out; failed=1; continue; }
    [ "$family" != cyclonev ] || { echo "$board ($family), $top, ALM and FF: $(python3 "$family_stat" $out/sim/netlist.json cyclonev)"; continue; }
    echo "$board ($family): $(python3 "$stat" $out/sim/netlist.json - $top)"
done
exit $failed

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Synthesizes networks with Yosys for both boards and compares DSP, block RAM, LUT and FF with the
# prediction; reports the longest path in LUT levels. About ten minutes per network.
#     tests/synth.sh build/aihls [NETWORK...]
set -u
aihls=$(realpath "$1")
shift
models=${AIHLS_MODELS:-../shared/models}
stat=$(realpath tests/synth_stat.py)
dir=build/synth
mkdir -p $dir
failed=0
for n in ${*:-digits mt_resnet8_int8}; do
    file=$models/$n.onnx
    calib=
    [ "$n" = resnet20 ] && file=tests/models/resnet20.onnx
    [ "$n" = digits ] && file=tests/models/digits/digits.onnx && calib="--calib tests/models/digits/digits_calib.npy"
    [ -f "$file" ] || { echo "skipped: $file is not there"; continue; }
    for board in ultra96 pynq-z2; do
        case $board in ultra96) family=xcup tech=DSP48E2 ;; *) family=xc7 tech=DSP48E1 ;; esac
        out=$dir/$n-$board
        # shellcheck disable=SC2086
        "$aihls" "$file" --board $board $calib --name "$(echo "$n" | tr A-Z a-z)" -q -o $out || exit 1
        echo "== $n on $board ($family)"
        top=$n
        (cd $out && yosys -q -l sim/yosys.log -p "
            $(sed 's/^/read_verilog -sv /' rtl/$top.f)
            chparam -set TECH \"$tech\" $top
            read_verilog -lib +/xilinx/cells_xtra.v +/xilinx/cells_sim.v
            hierarchy -check -top $top
            setattr -mod -set keep_hierarchy 1 *aihls_gather *aihls_concat *aihls_mul *aihls_ctable *aihls_conv *aihls_dw *aihls_gap *aihls_add *aihls_table *aihls_fifo *aihls_rom
            synth_xilinx -family $family -nodsp -noiopad -flatten -top $top
            write_json sim/netlist.json" >sim/yosys.out 2>&1) || { tail -5 $out/sim/yosys.out; failed=1; continue; }
        python3 "$stat" $out/sim/netlist.json $out/report.json $top || failed=1
    done
done
exit $failed

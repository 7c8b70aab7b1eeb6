#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Synthesizes networks with Yosys for the boards named in $BOARDS (default: ultra96 pynq-z2) and compares DSP, block
# RAM, LUT and FF with the prediction; reports the longest path in LUT levels. About ten minutes per network.
# OPTIONS: further ones of the compiler, as in OPTIONS=--reloadable.
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
    for board in ${BOARDS:-ultra96 pynq-z2}; do
        out=$dir/$n-$board
        # shellcheck disable=SC2086
        "$aihls" "$file" --board $board $calib ${OPTIONS:-} --name "$(echo "$n" | tr A-Z a-z)" -q -o $out || exit 1
        family=$(sed -n 's/.*<family>\(.*\)<.*/\1/p' $out/sim/board.xml)
        tech=$(sed -n 's/^parameter TECH //p' $out/project/project.txt)
        case $family in
        ecp5) cells=+/ecp5/cells_bb.v synth="synth_ecp5 -nodsp" ;;
        ice40) cells=+/ice40/cells_sim.v synth="synth_ice40 -device u -spram" ;;
        *) cells="+/xilinx/cells_xtra.v +/xilinx/cells_sim.v" synth="synth_xilinx -family $family -nodsp -noiopad -flatten" ;;
        esac
        echo "== $n on $board ($family)"
        top=$n
        (cd $out && yosys -q -l sim/yosys.log -p "
            $(sed 's/^/read_verilog -sv /' rtl/$top.f)
            chparam -set TECH \"$tech\" $top
            read_verilog -lib $cells
            hierarchy -check -top $top
            setattr -mod -set keep_hierarchy 1 *aihls_gather *aihls_concat *aihls_mul *aihls_ctable *aihls_argmax *aihls_search *aihls_conv *aihls_dw *aihls_gap *aihls_add *aihls_table *aihls_fifo *aihls_rom *aihls_store
            $synth -top $top
            write_json sim/netlist.json" >sim/yosys.out 2>&1) || { tail -5 $out/sim/yosys.out; failed=1; continue; }
        python3 "$stat" $out/sim/netlist.json $out/report.json $top || failed=1
    done
done
exit $failed

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Synthesizes templates for every family and prints their LUTs as Markdown: the measurements behind the factors of
# frontend/tech.c (docs/60-boards.md). Some twenty minutes.
#     tests/families.sh [TEMPLATE...]
set -u
out=build/families
mkdir -p $out
families="xcup ecp5 ice40 gowin cyclonev"
only=${*:-}

synthesize() { # FAMILY TOP: the command of Yosys
    case $1 in
    ecp5) echo "synth_ecp5 -nodsp -top $2" ;;
    ice40) echo "synth_ice40 -device u -spram -top $2" ;;
    gowin) echo "synth_gowin -noiopads -top $2" ;;
    cyclonev) echo "synth_intel_alm -family cyclonev -nodsp -noiopad -noclkbuf -top $2" ;;
    *) echo "synth_xilinx -family $1 -nodsp -noiopad -flatten -top $2" ;;
    esac
}

row() { # TITLE MODULE PARAMETER=VALUE...
    title=$1 top=$2
    shift 2
    case " $only " in *" $top "* | "  ") ;; *) return ;; esac
    set_=
    for p in "$@"; do set_="$set_ -chparam ${p%%=*} ${p#*=}"; done
    line="| $top | $title |"
    for family in $families; do
        yosys -q -l $out/yosys.log -p "read_verilog -sv -defer rtl_templates/*.v; hierarchy -check -top $top $set_
            $(synthesize $family $top); write_json $out/netlist.json" >$out/yosys.out 2>&1 &&
            counts=$(python3 tests/family_stat.py $out/netlist.json $family) || counts="- -"
        line="$line ${counts%% *} |"
    done
    echo "$line"
}

echo "| template | parameters | $(echo $families | sed 's/ / | /g') |"
echo "|---|---|---:|---:|---:|---:|---:|"
row "a LUT multiplier cell with its sum of 19 bits" aihls_mac MUL_DSP=0 P_W=19
row "8 LUT multiplier cells and their sum" aihls_chain MUL_DSP=0 CHAIN=8 SEG_LEN=1 ACC_W=22
row "a tree of 9 words of 16 bits, accumulated" aihls_accum N=9 IN_W=16 SUM_W=20 ACC_W=22
for digit in 24 12 6 4 2 1; do
    row "$digit bits of the factor a cycle" aihls_rqlane ACC_W=20 BIAS_W=18 MULT_W=24 SHIFT_W=4 SHIFT_MIN=28 DIGIT_W=$digit ZERO_POINT=5
done
for word in 4 8; do
    row "a row at a time, words of $word" aihls_window WORD=$word IN_H=16 IN_W=16 IN_C=16 OUT_H=16 OUT_W=16 PAD_TOP=1 PAD_LEFT=1 BLOCK=1
    row "three rows at a time, words of $word" aihls_window S_LANES=4 WORD=$word IN_H=16 IN_W=16 IN_C=16 OUT_H=16 OUT_W=16 PAD_TOP=1 PAD_LEFT=1 BLOCK=1 ROWS_PAR=3
done
row "a lane" aihls_add A_MULT=11000000 B_MULT=9000000 SHIFT=24 A_ZP=3 B_ZP=7 CHANNELS=16
row "32 bits by 33 words in block RAM" aihls_fifo WIDTH=32 DEPTH=33 BLOCK=1
row "two lanes" aihls_concat LANES=2 A_BEATS=5 B_BEATS=9
row "eight lanes to two" aihls_narrow S_LANES=8 M_LANES=2 CHANNELS=8

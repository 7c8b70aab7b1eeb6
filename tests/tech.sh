#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Simulates a whole network with multiplier primitives instead of their twin: the vendor's cells are
# modelled in tests/rtl/models. Every stream is compared with the reference, as by `aihls sim`.
#     tests/tech.sh build/aihls MODEL.onnx NAME
set -eu
aihls=$(realpath "$1")
model=$2
name=$3
primitives=$(realpath tests/rtl/models)
mkdir -p build/tech
# no iCE40 is large enough for a network of ten stages; this one is
sed 's/name="icebreaker"/name="ice40-large"/; s/>5280</>80000</; s/>8</>64</; s/>30</>400</' boards/icebreaker/board.xml >build/tech/ice40-large.xml
for board in ultra96 pynq-z2 ulx3s-85f build/tech/ice40-large.xml; do
    out=build/tech/$name-$(basename $board .xml)
    "$aihls" "$model" --board $board --name "$name" -q -o "$out"
    tech=$(sed -n 's/^parameter TECH //p' "$out/project/project.txt")
    case $tech in ECP5DSP) cell=MULT18X18D ;; ICE40UP) cell=SB_MAC16 ;; *) cell=$tech ;; esac
    # what `aihls sim` would build, with TECH set and the primitives' models added
    (cd "$out" && mkdir -p sim/build_plain && verilator --cc --exe --build -j 2 -Wno-fatal -O3 --x-assign unique --x-initial unique \
        --output-split 20000 --output-split-cfuncs 500 -GTECH="\"$tech\"" --prefix Vcore --top-module "${name}_core" --Mdir sim/build_plain \
        -CFLAGS '-O1 -I..' sim/visible.vlt -f "rtl/$name.f" "$primitives/$cell.v" ../harness.cpp >sim/build_plain.log 2>&1) ||
        { tail -20 "$out/sim/build_plain.log"; exit 1; }
    echo "$name on $board with $cell:"
    "$aihls" sim "$out" --frames 2 | head -2
    "$aihls" sim "$out" --frames 2 --stalls 3 -q && echo "  with stalls: 0 mismatches"
done

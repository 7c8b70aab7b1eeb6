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
for board in ultra96 pynq-z2; do
    case $board in ultra96) tech=DSP48E2 ;; *) tech=DSP48E1 ;; esac
    out=build/tech/$name-$board
    mkdir -p build/tech
    "$aihls" "$model" --board $board --name "$name" -q -o $out
    # what `aihls sim` would build, with TECH set and the primitives' models added
    (cd $out && mkdir -p sim/build_plain && verilator --cc --exe --build -j 2 -Wno-fatal -O3 --x-assign unique --x-initial unique \
        --output-split 20000 --output-split-cfuncs 500 -GTECH="\"$tech\"" --prefix Vcore --top-module "${name}_core" --Mdir sim/build_plain \
        -CFLAGS '-O1 -I..' sim/visible.vlt -f "rtl/$name.f" "$primitives/$tech.v" ../harness.cpp >sim/build_plain.log 2>&1) ||
        { tail -20 $out/sim/build_plain.log; exit 1; }
    echo "$name on $board with $tech:"
    "$aihls" sim $out --frames 2 | head -2
    "$aihls" sim $out --frames 2 --stalls 3 -q && echo "  with stalls: 0 mismatches"
done

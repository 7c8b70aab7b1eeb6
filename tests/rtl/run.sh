#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the RTL tests.  usage: tests/rtl/run.sh [all [SEED] | lint | mac | mac16 | lutmul | KIND [SEED [COUNT]]]
# KIND is conv, dw, pair, requant, window, gap, add, table, stream, unpair,
# gather, concat, ctable, mul, argmax, search, or ops (these six in turn). Output goes to $OUT or build/rtl.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rtl=$here/../../rtl_templates
out=${OUT:-$here/../../build/rtl}

run_kind() { # KIND SEED COUNT
    dir=$out/$1_$2
    rm -rf "$dir" && mkdir -p "$dir"
    case $1 in
    conv | dw | pair) gen=tb_conv ;;
    gather | concat | ctable | mul | argmax | search | ops) gen=tb_ops ;;
    *) gen=tb_parts ;;
    esac
    g++ -std=c++17 -O1 -Wall -Wextra -o "$dir/gen" "$here/$gen.cpp"
    "$dir/gen" "$1" "$2" "$3" "$dir"
    # lint of every instance as it is used: the templates must be clean, the benches may not be
    verilator --lint-only -Wall -Wno-DECLFILENAME -y "$rtl" -y "$here" -y "$here/models" \
        --top-module top "$dir/top.v" 2>&1 | grep -A3 "rtl_templates/" >"$dir/lint" || true
    if [ -s "$dir/lint" ]; then head -20 "$dir/lint"; echo "$1: lint FAIL"; return 1; fi
    verilator --cc --exe --build -j 2 -Wno-fatal -Wno-lint -Wno-style \
        --x-assign unique --x-initial unique -y "$rtl" -y "$here" -y "$here/models" \
        --top-module top "$dir/top.v" "$here/tb_main.cpp" --Mdir "$dir/obj" \
        -CFLAGS -O1 -MAKEFLAGS OPT_FAST=-O1 >"$dir/build.log" 2>&1 ||
        { tail -20 "$dir/build.log"; return 1; }
    for seed in 1 2; do
        printf '%s seed %s, %s cases, power-up %s: ' "$1" "$2" "$3" $seed
        "$dir/obj/Vtop" 3000000 $((seed * seed * 5 - 4)) "+verilator+seed+$seed" \
            "+verilator+rand+reset+2" >"$dir/run.log" || { cat "$dir/run.log"; return 1; }
        tail -1 "$dir/run.log"
    done
}

run_lint() {
    for file in "$rtl"/aihls_*.v; do
        verilator --lint-only -Wall -y "$rtl" --top-module "$(basename "$file" .v)" "$file"
    done
    echo "lint: clean"
}

run_lutmul() { # in Icarus, which is the third tool the templates must please
    mkdir -p "$out"
    iverilog -g2005 -Wall -Wno-timescale -y "$rtl" -s tb_lutmul_all -o "$out/lutmul" "$here/tb_lutmul.v"
    "$out/lutmul" | tee "$out/lutmul.log"
    grep -q "all products right" "$out/lutmul.log"
}

run_mac16() { # the model of SB_MAC16 against the one that comes with Yosys
    mkdir -p "$out"
    yosys_cells=$(dirname "$(command -v yosys)")/../share/yosys/ice40/cells_sim.v
    for of in ours yosys; do
        case $of in ours) cells=$here/models/SB_MAC16.v ;; *) cells=$yosys_cells ;; esac
        iverilog -g2005 -DNO_ICE40_DEFAULT_ASSIGNMENTS -s tb_mac16 -o "$out/mac16_$of" "$here/tb_mac16.v" \
            "$rtl/aihls_mac.v" "$rtl/aihls_resize.v" "$rtl/aihls_lutmul.v" "$cells"
        "$out/mac16_$of" >"$out/mac16_$of.txt"
    done
    [ "$(wc -l <"$out/mac16_ours.txt")" -gt 10000 ] || { echo "the bench printed too little"; return 1; }
    if grep -q x "$out/mac16_ours.txt"; then echo "undefined values"; return 1; fi
    cmp "$out/mac16_ours.txt" "$out/mac16_yosys.txt"
    echo "mac16: both models agree"
}

case ${1:-all} in
all)
    run_lint
    "$here/prove_mac.sh"
    run_mac16
    run_lutmul
    run_kind conv "${2:-1}" 72
    run_kind dw "${2:-1}" 48
    run_kind pair "${2:-1}" 48
    for kind in requant window gap add table stream unpair gather concat ctable mul argmax search; do run_kind $kind "${2:-1}" 40; done
    ;;
lint) run_lint ;;
lutmul) run_lutmul ;;
mac) "$here/prove_mac.sh" ;;
mac16) run_mac16 ;;
*) run_kind "$1" "${2:-1}" "${3:-24}" ;;
esac

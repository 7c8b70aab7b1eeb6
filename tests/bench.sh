#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the networks of the README's table: predicted and simulated cycles, with and without
# stalls, compile and simulation time. Prints Markdown; build/bench/bench.json has the same.
#     tests/bench.sh build/aihls [NETWORK...]
# MLPerf Tiny models are looked for in $AIHLS_MODELS (default ../shared/models); those absent are skipped.
set -u
aihls=$(realpath "$1")
shift
models=${AIHLS_MODELS:-../shared/models}
dir=build/bench
mkdir -p $dir
networks=${*:-mt_resnet8_int8 resnet20 mt_dscnn_int8 mt_vww_int8 mt_ad_int8 digits}
rows=$dir/rows.txt
: >$rows
for n in $networks; do
    file=$models/$n.onnx
    calib=
    [ $n = resnet20 ] && file=tests/models/resnet20.onnx
    [ $n = digits ] && file=tests/models/digits/digits.onnx && calib="--calib tests/models/digits/digits_calib.npy"
    if [ ! -f $file ]; then
        echo "skipped: $file is not there" >&2
        continue
    fi
    boards="ultra96 pynq-z2"
    [ $n = digits ] && boards=$("$aihls" boards | awk 'NR > 1 && $1 != "icebreaker" { print $1 }')
    for board in $boards; do
        out=$dir/$n-$board
        start=$(date +%s.%N)
        # shellcheck disable=SC2086
        "$aihls" $file --board $board $calib -q -o $out 2>$out.log || { cat $out.log >&2; continue; }
        compiled=$(date +%s.%N)
        "$aihls" sim $out -q --frames 3 || continue
        simulated=$(date +%s.%N)
        cp $out/report.json $out.report.json
        stalls=0
        "$aihls" sim $out -q --frames 2 --stalls 1 || stalls=1
        echo "$n $board $out.report.json $start $compiled $simulated $stalls" >>$rows
        echo "done: $n on $board" >&2
    done
done
python3 - $rows $dir/bench.json <<'PY'
import json, sys
out = []
for line in open(sys.argv[1]):
    n, board, path, t0, t1, t2, stalls = line.split()
    r = json.load(open(path))
    p, s, b = r["predicted"], r["simulated"], r["board"]
    out.append(dict(network=n, board=board, macs=r["model"]["macs"], predicted=p["cycles_per_frame"],
                    simulated=s["cycles_per_frame"], latency_predicted=p["latency_cycles"], latency=s["latency_cycles"],
                    mismatches=s["mismatches"] + int(stalls), fps=b["clock_hz"] / s["cycles_per_frame"], clock_hz=b["clock_hz"],
                    macs_per_cycle=r["model"]["macs"] / s["cycles_per_frame"], dsp=p["dsp"], bram18=p["bram18"], lut=p["lut"],
                    board_dsp=b["dsp"], products=b["dsp_products"], board_lut=b["lut"], optimal=r["schedule"]["optimal"],
                    compile_s=float(t1) - float(t0), sim_s=float(t2) - float(t1)))
json.dump(out, open(sys.argv[2], "w"), indent=1)
print("| network | board | cycles/frame simulated | predicted | frames/s | MAC/cycle | share of DSP peak | DSP | RAMB18 | LUT | mismatches | compile | simulate |")
print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
for o in out:
    print("| %s | %s | %s | %s | %s | %.0f | %.0f %% | %d | %d | %s | %d | %.2f s | %.0f s |" % (
        o["network"], o["board"], format(o["simulated"], ","), format(o["predicted"], ","), format(round(o["fps"]), ","), o["macs_per_cycle"],
        100 * o["macs_per_cycle"] / (o["products"] * o["board_dsp"]), o["dsp"], o["bram18"], format(o["lut"], ","), o["mismatches"], o["compile_s"], o["sim_s"]))
PY

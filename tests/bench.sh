#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the networks of the README's table: predicted and simulated cycles, with and without
# stalls, compile and simulation time. Prints Markdown; build/bench/bench.json has the same.
#     tests/bench.sh build/aihls [NETWORK...]
# Those whose files are absent are skipped (tests/bench_models.sh).
set -u
aihls=$(realpath "$1")
shift
. tests/bench_models.sh
dir=build/bench
mkdir -p $dir
networks=${*:-$all_networks}
rows=$dir/rows.txt
: >$rows
for n in $networks; do
    find_model $n || continue
    case $n in
    digits) boards=$("$aihls" boards | awk 'NR > 1 && $1 != "icebreaker" { print $1 }') ;;
    mobilenet_* | squeezenet*) boards=ultra96 ;;
    *) boards="ultra96 pynq-z2" ;;
    esac
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
